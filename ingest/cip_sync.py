"""Keeping the cases of a CIP-API server in the store: each in one transaction, with the note that it is there.

Whenever the program ends, the same command goes on: what is stored is noted as stored, the rest is fetched. A case
whose content is as it was writes nothing but that note, and not even that where the server does not call it changed.
What cannot be fetched or kept costs no other case.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from app.api.logs import describe, log
from app.errors import Busy, NotAllowed, NotAuthenticated, NotFound, OperonError, Unavailable
from app.formats.gel_case import read_case
from app.store import cip_cases, cip_referrals, cip_sync
from app.store.cip_cases import StoredCase
from app.store.cip_sync import MOST_ATTEMPTS, SyncRow, SyncState
from app.store.session import Database, Session
from ingest.cip_client import CaseKey, CipClient, Document, Listed, last_modified_of
from ingest.cip_fetching import in_threads
from ingest.cip_folder import CaseFolder
from ingest.cip_plan import Plan, Wanted, planned
from ingest.cip_progress import CaseLines
from ingest.cip_report import CipReport
from ingest.cip_sync_report import Outcome, Result, SyncReport

T = TypeVar("T")

_PROJECTED_AT_ONCE = 200
_MOST_UNANSWERED = 5
"""Cases one after the other that the server does not answer: then it is not the cases"""
_BUSY_TRIES = 12
_BUSY_PAUSE = 5.0
_FILE, _SERVER = "file", "server"
"""Origins of cases that no other server sent"""


@dataclass(frozen=True, slots=True)
class _Fetched:
    """What the server sent of a case."""

    document: Document
    consent: Document | None
    content: str
    """What is in it, for people"""


@dataclass(frozen=True, slots=True)
class _Unanswered:
    listed: Listed
    entry: SyncRow | None
    reason: str


class Sync:
    """One run.

    ``project`` makes the calls of the cases that wait, or returns None as another ingest holds the store; ``pause``
    waits until another writer is done.
    """

    def __init__(
        self,
        database: Database,
        client: CipClient,
        wanted: Wanted,
        lines: CaseLines,
        project: Callable[[], CipReport | None],
        *,
        pause: Callable[[float], object] = time.sleep,
    ) -> None:
        self._database = database
        self._client = client
        self._origin = client.environment.name
        self._wanted = wanted
        self._lines = lines
        self._project = project
        self._pause = pause
        self._folder = CaseFolder(wanted.folder) if wanted.folder is not None else None
        self._unanswered: list[_Unanswered] = []

    def run(self) -> SyncReport:
        """Fetch what is new or changed.

        Raises:
            Unavailable: server or store cannot be reached; what came is stored.
            NotAuthenticated: the server gives or accepts no token.
            Busy: another program writes.
            OSError: a file cannot be written.
        """
        plan = planned(self._database, self._client, self._wanted)
        report = SyncReport(plan)
        self._note_absent(plan, report)
        stored = 0
        with self._lines.counting(len(plan.fetch)):
            for listed, future in in_threads(plan.fetch, self._fetch, threads=self._wanted.concurrent):
                results = self._take(listed, future, plan.ledger.get(listed.key))
                self._add(report, results)
                stored += sum(result.is_stored for result in results)
                if stored >= _PROJECTED_AT_ONCE:
                    report.add(self._project())
                    stored = 0
            self._add(report, self._unanswered_failed())
        self._keep_missing_files(plan)
        report.add(self._project())
        return report

    def _add(self, report: SyncReport, results: Iterable[Result]) -> None:
        for result in results:
            report.results.append(result)
            self._lines.case(result.name, result.outcome.value, result.text)

    def _note_absent(self, plan: Plan, report: SyncReport) -> None:
        """Report the cases that are not fetched although they were, or should have been."""
        for entry in plan.gone:
            if entry.state is not SyncState.GONE:
                self._written(partial(_note_gone, environment=self._origin, key=(entry.ir_id, entry.version)))
            report.results.append(Result((entry.ir_id, entry.version), Outcome.GONE, "it is not in the list any more"))
        for listed, entry in plan.given_up:
            report.results.append(Result(listed.key, Outcome.GIVEN_UP, entry.error or ""))

    # --- one case -----------------------------------------------------------------------------------------------------

    def _fetch(self, listed: Listed) -> _Fetched:
        document = self._client.detail(*listed.key, as_stored=self._wanted.as_stored)
        consent = None
        referral = document.content.get("referral")
        if isinstance(referral, dict) and not referral.get("econsent") and isinstance(referral.get("referral_id"), str):
            consent = self._client.econsent(referral["referral_id"])
        return _Fetched(document, consent, _holds(document))

    def _take(self, listed: Listed, future: Future[_Fetched], entry: SyncRow | None) -> list[Result]:
        """Store a case or note why that cannot be, and return what became of it.

        A server that does not answer a few cases one after the other is away, which is not held against them.

        Raises:
            Unavailable: the server is away.
            NotAuthenticated: the server does not accept the token.
        """
        try:
            fetched = future.result()
        except Unavailable as error:
            self._unanswered.append(_Unanswered(listed, entry, error.diagnostics))
            if len(self._unanswered) == _MOST_UNANSWERED:
                raise
            return []
        except NotAuthenticated:
            raise
        except NotAllowed as error:
            taken = self._without(listed, entry, SyncState.FORBIDDEN, error.diagnostics)
        except NotFound as error:
            taken = self._without(listed, entry, SyncState.GONE, error.diagnostics)
        except OperonError as error:
            taken = self._without(listed, entry, SyncState.FAILED, error.diagnostics)
        except Exception as error:  # what nobody foresaw in one case costs no other one
            log(logging.ERROR, "case failure", failure=describe(error))
            taken = self._without(listed, entry, SyncState.FAILED, f"unexpected {type(error).__name__}")
        else:
            taken = self._keep(listed, entry, fetched)
        return [*self._unanswered_failed(), taken]

    def _unanswered_failed(self) -> list[Result]:
        """Hold it against cases that they had no answer, as others have."""
        found = [self._without(one.listed, one.entry, SyncState.FAILED, one.reason) for one in self._unanswered]
        self._unanswered.clear()
        return found

    def _without(self, listed: Listed, entry: SyncRow | None, state: SyncState, reason: str) -> Result:
        """Note that a case could not be fetched; what was stored of it before stays."""
        if state is SyncState.GONE:
            self._written(lambda session: cip_sync.put_gone(session, self._origin, listed.key))
            return Result(listed.key, Outcome.GONE, reason)
        if state is SyncState.FORBIDDEN and entry is not None and entry.state is state:
            return Result(listed.key, Outcome.FORBIDDEN, reason)  # every run asks again, and nothing is new
        row = self._written(
            lambda session: cip_sync.put_failed(
                session, self._origin, listed.key, reason, state=state, last_modified=listed.last_modified
            )
        )
        text = f"{reason}; run {row.attempts} of {MOST_ATTEMPTS}" if state is SyncState.FAILED else reason
        return Result(listed.key, Outcome(state.value), text)

    def _keep(self, listed: Listed, entry: SyncRow | None, fetched: _Fetched) -> Result:
        """Store a case with the note that it is there."""
        try:
            if self._folder is not None:
                self._folder.write(listed.name, fetched.document.raw)
            return self._written(lambda session: self._put(session, listed, entry, fetched))
        except (Unavailable, Busy):
            raise
        except OSError:
            raise
        except OperonError as error:
            return self._without(listed, entry, SyncState.FAILED, error.diagnostics)
        except Exception as error:  # as above
            log(logging.ERROR, "case failure", failure=describe(error))
            return self._without(listed, entry, SyncState.FAILED, f"unexpected {type(error).__name__}")

    def _put(self, session: Session, listed: Listed, entry: SyncRow | None, fetched: _Fetched) -> Result:
        document = fetched.document
        sha256 = cip_cases.canonical_sha256(document.content)
        stored = cip_cases.find(session, *listed.key)
        changed = False
        # What was changed here stays while the server has what it had.
        if stored is None or self._wanted.replace or entry is None or entry.sha256 != sha256:
            reason = self._conflict(stored, entry, sha256) if stored is not None and not self._wanted.replace else ""
            if reason:
                return Result(listed.key, Outcome.CONFLICT, reason)
            shown = {"workflow_status": listed.workflow_status} if listed.workflow_status else None
            _, changed = cip_cases.put(session, document.content, document.raw, origin=self._origin, listed=shown)
        consented = fetched.consent is not None and _put_econsent(session, document, fetched.consent)
        modified = listed.last_modified or last_modified_of(document.content)
        if entry != SyncRow(*listed.key, modified, sha256, SyncState.DONE, 0):
            cip_sync.put_done(session, self._origin, listed.key, last_modified=modified, sha256=sha256)
        if changed:
            return Result(listed.key, Outcome.NEW if stored is None else Outcome.UPDATED, fetched.content)
        return Result(listed.key, Outcome.UPDATED if consented else Outcome.UNCHANGED, "consent" if consented else "")

    def _conflict(self, stored: StoredCase, entry: SyncRow | None, sha256: str) -> str:
        """Return why a stored case must not be replaced; numbers of cases of two servers have nothing in common."""
        if stored.sha256 in ("", sha256) or stored.origin == _FILE:
            return ""
        if stored.origin not in (self._origin, _SERVER):
            return f"a case of {stored.origin} has this number; --replace takes this one instead"
        if stored.origin == _SERVER or (entry is not None and entry.sha256 != stored.sha256):
            return "it was changed here and there; --replace takes what is there"
        return ""

    # --- the store ----------------------------------------------------------------------------------------------------

    def _written(self, do: Callable[[Session], T]) -> T:
        """Return the outcome of a transaction, after another writer's if need be."""
        for _ in range(_BUSY_TRIES - 1):
            try:
                with self._database.write() as session:
                    return do(session)
            except Busy:
                self._pause(_BUSY_PAUSE)
        with self._database.write() as session:
            return do(session)

    def _keep_missing_files(self, plan: Plan) -> None:
        """Write the files of cases that were stored before there was a folder for them."""
        if self._folder is None:
            return
        for listed in plan.unchanged:
            if self._folder.has(listed.name):
                continue
            with self._database.read() as session:
                stored = cip_cases.find(session, *listed.key)
                raw = cip_cases.detail_of(session, stored.row) if stored is not None else None
            if raw is not None:
                self._folder.write(listed.name, raw)


def _note_gone(session: Session, environment: str, key: CaseKey) -> None:
    cip_sync.put_gone(session, environment, key)


def _put_econsent(session: Session, document: Document, consent: Document) -> bool:
    """Store what participants agreed to, unless it is as it was; return whether it is new."""
    referral_id = document.content["referral"]["referral_id"]
    if cip_referrals.econsent_of(session, referral_id) == consent.content["econsent"]:
        return False
    cip_referrals.put_econsent(session, consent.content, referral_id)
    return True


def _holds(document: Document) -> str:
    """Return what is in a case: ``20 SNV, 2 SV, 2 STR``; nothing where it cannot be read, which is told later."""
    try:
        case, _ = read_case(document.content)
    except Exception as error:  # it is kept all the same
        log(logging.ERROR, "case failure", failure=describe(error))
        return ""
    if case is None:
        return ""
    genomes = case.current_genomes()
    small = {(v.chromosome, v.position_1based, v.reference, v.alternate) for one in genomes for v in one.variants}
    structural = {(v.kind, v.region) for one in genomes for v in one.structural}
    repeats = {v.region for one in genomes for v in one.repeats}
    return f"{len(small)} SNV, {len(structural)} SV, {len(repeats)} STR"
