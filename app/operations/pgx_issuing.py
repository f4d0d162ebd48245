"""Issuing passports of persons, and opening reports at addresses with a PIN.

A gene that was not tested is named as such, and no result is shown while data of the person wait to be worked off.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from time import perf_counter
from typing import Final

from app.config import Settings
from app.errors import ConsentWithheld, SubjectNotFound
from app.operations.interface import PgxRequest
from app.operations.pgx import ActivePgx, PgxContext, PgxProfile, find_subject, profile_of
from app.operations.pgx_advising import is_tested
from app.operations.pgx_desk import StoreDesk
from app.operations.pgx_passport import Attempt, OpenedReport, Passport, PassportGene
from app.operations.pgx_pdf import DISCLAIMER
from app.operations.pgx_report import GeneResult
from app.operations.pgx_reporting import build_report
from app.operations.snp_data import submitted_snps
from app.pgx.calls import CallStatus, Diplotype, GeneCall
from app.pgx.grades import SEVERITY
from app.pgx.phenotype import result_of
from app.pgx.texts import ENGLISH, Texts
from app.store import pgx_reports
from app.store.pgx_reports import Entry

LABELS: Final = (
    "title", "summary", "sample", "test-date", "birthday", "gender", "test-provider", "significant-drugs",
    "genes", "drugs", "drug", "flag", "meaning", "results", "gene", "genotype", "phenotype",
    "activity-score", "positions", "method", "source", "release", "none", "no-genotype", "missing",
    "alternatives", "warnings", "untested", "test",
)  # fmt: skip
_GRADES: Final = ("A", "B", "C", "D", "NA")
_STATUS: Final = {Entry.OPEN: 200, Entry.WRONG_PIN: 403, Entry.CLOSED: 404, Entry.UNKNOWN: 404}


def passport(context: PgxContext, settings: Settings, patient: str, language: str = ENGLISH) -> Passport:
    """Return the passport of the person with an id or identifier.

    Raises:
        SubjectNotFound: there is no such person.
        ConsentWithheld: the person has not agreed to pharmacogenomic findings.
    """
    subject_id = find_subject(context, patient)
    if subject_id is None:
        raise SubjectNotFound(patient)
    active, profile = context.pgx(), profile_of(context, subject_id)
    snps = submitted_snps(context.database, profile)
    provider = settings.abomics_test_provider
    report = build_report(active, profile, language, test_provider=provider, snps=snps)
    acting = sorted(report.significant_drugs, key=lambda one: (SEVERITY.index(one.grade), one.drug.inn.casefold()))
    return Passport(
        subject_id,
        profile.is_ready,
        report,
        tuple(_gene(active, profile, result) for result in report.results),
        tuple(acting),
        tuple(_untested(active, profile)),
        {key: active.texts.text(f"report.{key}", language).text for key in LABELS},
        {grade: active.texts.text(f"grade.{grade}", language).text for grade in _GRADES},
        _disclaimer(active.texts, language),
    )


def open_report(context: PgxContext, settings: Settings, desk: StoreDesk, token: str, attempt: Attempt) -> OpenedReport:
    """Open the report at an address with a PIN, and record the attempt before anything of it is told."""
    began, at = perf_counter(), datetime.now(UTC)
    with context.database.write() as session:
        opened = pgx_reports.open_report(session, desk.sealer, token, attempt.pin)
    found, withheld = None, False
    if opened.entry is Entry.OPEN:
        try:
            found = passport(context, settings, opened.subject_id, opened.language)
        except ConsentWithheld:
            withheld = True
    desk.record(
        PgxRequest(
            at=at.isoformat(timespec="milliseconds"),
            request_id=attempt.request_id,
            method="POST",
            path="/report/{token}",
            user_id=None,
            organization_id=None,
            client=None,
            client_version=None,
            certificate=None,
            patient=opened.subject_id or None,
            status=ConsentWithheld.status if withheld else _STATUS[opened.entry],
            error_type="withheld" if withheld else None if opened.entry is Entry.OPEN else opened.entry.value,
            duration_ms=round((perf_counter() - began) * 1000),
        )
    )
    return OpenedReport(opened.entry in (Entry.CLOSED, Entry.UNKNOWN), found, withheld)


def knows_report(context: PgxContext, token: str) -> bool:
    """Return whether an address may still open a report."""
    with context.database.read() as session:
        return pgx_reports.is_known(session, token)


def _gene(active: ActivePgx, profile: PgxProfile, result: GeneResult) -> PassportGene:
    call = profile.results[result.gene].call
    return PassportGene(result, tuple(_alternatives(active, call)))


def _alternatives(active: ActivePgx, call: GeneCall) -> Iterable[str]:
    """Yield the diplotypes that fit as well and mean something else, with what they mean."""
    gene = active.content.gene(call.gene)
    if gene is None:
        return
    several = call.diplotypes if call.status is CallStatus.AMBIGUOUS else ()
    said: dict[Diplotype, None] = dict.fromkeys((*several, *call.alternatives))
    for diplotype in said:
        phenotype = result_of(gene, diplotype).phenotype
        if phenotype != call.phenotype:
            yield f"{diplotype.text}: {phenotype or 'Indeterminate'}"


def _untested(active: ActivePgx, profile: PgxProfile) -> list[str]:
    tested = {symbol for symbol, call in profile.calls.items() if is_tested(call)}
    return sorted(gene.symbol for gene in active.content.genes if gene.symbol not in tested)


def _disclaimer(texts: Texts, language: str) -> str:
    own = texts.text("disclaimer", language)
    return DISCLAIMER if own.language == ENGLISH else f"{DISCLAIMER} {own.text}"
