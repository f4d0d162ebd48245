"""What the pharmacogenetic API for laboratories' clients needs of the store: results, report addresses, the audit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from functools import cached_property

from app.config import Settings
from app.errors import ResultsNotReady, SubjectNotFound
from app.operations.interface import PgxRequest, ReportLogin
from app.operations.pgx import ActivePgx, PgxContext, PgxProfile, find_subject, profile_of
from app.operations.pgx_report import SnpResult
from app.operations.snp_data import submitted_snps
from app.store import inbox, pgx_reports, subjects
from app.store.pgx_audit import AuditLog, AuditRow
from app.store.sealing import Sealer, open_sealer

_PURPOSE = "patient of the pharmacogenetic audit"


class StoreDesk:
    """Answers from the store; safe for several threads."""

    def __init__(self, context: PgxContext, settings: Settings) -> None:
        self._context = context
        self._settings = settings
        self._database = context.database
        self._log = AuditLog(context.database)

    @cached_property
    def sealer(self) -> Sealer:
        """Return what encrypts PINs and digests ids; its secret is made when it is first needed."""
        return open_sealer(self._settings.secret_path)

    def active(self) -> ActivePgx:
        """Return the releases in use."""
        return self._context.pgx()

    def profile(self, patient: str) -> PgxProfile:
        """Return the results of the person with an id or identifier.

        Raises:
            SubjectNotFound: there is no such person.
            ResultsNotReady: nor is there yet, but results of theirs were submitted.
        """
        subject_id = find_subject(self._context, patient)
        with self._database.read() as session:
            waiting = inbox.waiting(session, subject_id or patient)
        if subject_id is not None:
            profile = profile_of(self._context, subject_id)
            return replace(profile, is_ready=False) if waiting else profile
        raise ResultsNotReady(patient) if waiting else SubjectNotFound(patient)

    def snps(self, profile: PgxProfile) -> Sequence[SnpResult]:
        """Return what single places of a person's genes were found to be, as laboratories submitted it."""
        return submitted_snps(self._database, profile)

    def login(self, profile: PgxProfile, recipient: str, language: str) -> ReportLogin:
        """Return where the report of a person can be read: the same as before while that still opens."""
        lifetime = timedelta(days=self._settings.report_login_days)
        with self._database.write() as session:
            known = subjects.find(session, [profile.subject_id])
            if profile.subject_id not in known:  # erased in between
                raise SubjectNotFound(profile.subject_id)
            wanted = pgx_reports.Wanted(known[profile.subject_id].ordinal, recipient, language)
            login = pgx_reports.obtain(session, self.sealer, wanted, lifetime)
        return ReportLogin(login.token, login.pin)

    def record(self, request: PgxRequest) -> None:
        """Record a request; it is stored when this returns."""
        patient = patient_ref(self.sealer, request.patient) if request.patient is not None else None
        self._log.write(
            AuditRow(
                at=request.at,
                request_id=request.request_id,
                method=request.method,
                path=request.path,
                user_id=request.user_id,
                organization_id=request.organization_id,
                client=request.client,
                client_version=request.client_version,
                cert_cn=request.certificate,
                patient_ref=patient,
                status=request.status,
                error_type=request.error_type,
                duration_ms=request.duration_ms,
            )
        )


def patient_ref(sealer: Sealer, patient: str) -> str:
    """Return what stands for a person in the audit."""
    return sealer.digest(_PURPOSE, patient)
