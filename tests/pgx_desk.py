"""People with pharmacogenetic results, made by hand, and a desk that knows them without any store."""

from __future__ import annotations

from collections.abc import Sequence

from app.errors import SubjectNotFound, Unavailable
from app.operations.interface import PgxRequest, ReportLogin
from app.operations.pgx import ActivePgx, PgxProfile, PgxResult
from app.operations.pgx_report import SnpResult
from app.operations.pgx_templates import templates
from app.pgx.calls import CallStatus, GeneCall, Warned
from app.pgx.drugs import DrugIndex
from app.pgx.texts import Texts, with_templates
from app.records import Sex
from tests.pgx_content import a_call, content, not_tested

ANNA = "171081-9419"
"""Poor for CYP2C19, a gene without result, and one that was not tested"""
BERT = "BERT+1"
"""Normal for both genes of mercaptopurine; sex unknown; born in a year"""
CARL = "CARL"
"""Results that are not ready"""
NOBODY = "NOBODY"
"""Known, but not one gene was tested"""


def active() -> ActivePgx:
    """Return the small release as it is used."""
    release = with_templates(content(), templates())
    return ActivePgx("test-2026", release, DrugIndex(release), Texts(release))


def a_profile(
    subject: str,
    *calls: GeneCall,
    sex: Sex = Sex.UNKNOWN,
    birth_date: str | None = None,
    specimen: str | None = None,
    ready: bool = True,
) -> PgxProfile:
    """Return a person whose genes were tested in 2024."""
    results = {call.gene: PgxResult(call, "T1", "2024-01-01T10:00:00Z", specimen) for call in calls}
    return PgxProfile(subject, sex, birth_date, (), results, ready)


def people() -> dict[str, PgxProfile]:
    """Return everybody by id."""
    unclear = GeneCall(
        "CYP2D6",
        CallStatus.NO_CALL,
        reason="no diplotype fits",
        warnings=(Warned("copy-number", "Copy number was not assessed."),),
        called_positions=1,
        total_positions=3,
    )
    anna = a_profile(
        ANNA,
        a_call("CYP2C19", "*2/*2", "Poor Metabolizer"),
        unclear,
        not_tested("SLCO1B1"),
        a_call("TPMT", "*1/*3A", "Intermediate Metabolizer"),
        sex=Sex.FEMALE,
        birth_date="1982-09-11",
        specimen="12345_A",
    )
    bert = a_profile(
        BERT,
        a_call("TPMT", "*1/*1", "Normal Metabolizer"),
        a_call("NUDT15", "*1/*1", "Normal Metabolizer"),
        a_call("CYP2D6", "*1/*1", "Normal Metabolizer", activity="2.0", lookup="2.0"),
        birth_date="1950",
    )
    carl = a_profile(CARL, a_call("CYP2C19", "*1/*1", "Normal Metabolizer"), ready=False)
    return {ANNA: anna, BERT: bert, CARL: carl, NOBODY: a_profile(NOBODY)}


class HandmadeDesk:
    """Answers for the people above, and remembers what it is told to record."""

    def __init__(self) -> None:
        self.release: ActivePgx | None = active()
        self.people = people()
        self.recorded: list[PgxRequest] = []
        self.cannot_record: Exception | None = None
        self.failure: Exception | None = None
        self.submitted: Sequence[SnpResult] = ()
        self.logins: list[tuple[str, str, str]] = []

    def active(self) -> ActivePgx:
        """Return the release."""
        if self.release is None:
            raise Unavailable("No release of pharmacogenetic knowledge is in use")
        return self.release

    def profile(self, patient: str) -> PgxProfile:
        """Return a person."""
        if self.failure is not None:
            raise self.failure
        if patient not in self.people:
            raise SubjectNotFound(patient)
        return self.people[patient]

    def snps(self, profile: PgxProfile) -> Sequence[SnpResult]:
        """Return what was submitted."""
        return self.submitted

    def login(self, profile: PgxProfile, recipient: str, language: str) -> ReportLogin:
        """Return always the same."""
        self.logins.append((profile.subject_id, recipient, language))
        return ReportLogin("a-token", "0123")

    def record(self, request: PgxRequest) -> None:
        """Remember a request."""
        if self.cannot_record is not None:
            raise self.cannot_record
        self.recorded.append(request)
