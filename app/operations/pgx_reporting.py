"""Making the report of a person out of the profile and the releases in use."""

from __future__ import annotations

from collections.abc import Sequence

from app.formats.pgx import Gene
from app.operations.pgx import ActivePgx, PgxProfile, PgxResult
from app.operations.pgx_advising import advice_on_all, is_tested, score_of
from app.operations.pgx_report import GeneResult, PgxReport, SnpResult
from app.pgx.calls import GeneCall
from app.pgx.phenotypes import code_of
from app.pgx.texts import ENGLISH, Delivered
from app.records import Sex

_GENDERS = {Sex.FEMALE: "F", Sex.MALE: "M"}
_WHOLE_DATE = len("2017-01-05")


def build_report(
    active: ActivePgx,
    profile: PgxProfile,
    language: str,
    *,
    test_provider: str | None = None,
    snps: Sequence[SnpResult] = (),
) -> PgxReport:
    """Return everything that is to be reported of a person."""
    tested = {symbol: result for symbol, result in sorted(profile.results.items()) if is_tested(result.call)}
    newest = max(tested.values(), key=lambda result: result.test_date or "", default=None)
    drugs = tuple(advice_on_all(active, profile, language))
    severe = [gene for advice in drugs if advice.grade in ("C", "D") for gene in advice.deciding]
    return PgxReport(
        subject_id=profile.subject_id,
        sample_id=_sample_id(profile, newest),
        language=language,
        release=active.release,
        test_date=whole_date(newest.test_date) if newest is not None else None,
        cust_sample_id=None,
        test_provider=test_provider or None,
        birthday=whole_date(profile.birth_date),
        gender=_GENDERS.get(profile.sex, "O"),
        significant_genes=tuple(dict.fromkeys(severe)),
        results=tuple(_gene_result(active, result, language) for result in tested.values()),
        drugs=drugs,
        snps=tuple(snps),
    )


def whole_date(text: str | None) -> str | None:
    """Return the date of an ISO date or dateTime; None where only a year or a month is known."""
    return text[:_WHOLE_DATE] if text is not None and len(text) >= _WHOLE_DATE else None


def _sample_id(profile: PgxProfile, newest: PgxResult | None) -> str:
    return (newest.specimen_id or newest.test_id if newest is not None else "") or profile.subject_id


def _gene_result(active: ActivePgx, result: PgxResult, language: str) -> GeneResult:
    call = result.call
    gene = active.content.gene(call.gene)
    return GeneResult(
        gene=call.gene,
        genotype=" or ".join(call.genotypes),
        phenotype_code=code_of(call.phenotype),
        phenotype_name=active.texts.phenotype_name(call.phenotype, language),
        activity_score=score_of(call.activity),
        description=gene_text(active, gene, language),
        notes=notes_of(call),
        analyzed=call.called_positions,
        total=call.total_positions,
        method=call.method.value,
        release=call.release,
        test_id=result.test_id,
        test_date=whole_date(result.test_date),
        missing=call.missing,
    )


def gene_text(active: ActivePgx, gene: Gene | None, language: str) -> Delivered:
    """Return what a gene does; an empty text where nothing is said about it."""
    return active.texts.gene(gene, language) if gene is not None else Delivered("", ENGLISH)


def notes_of(call: GeneCall) -> tuple[str, ...]:
    """Return why there is no clear result, and what a reader has to know of it."""
    return tuple(dict.fromkeys(note for note in (call.reason, *(one.text for one in call.warnings)) if note))
