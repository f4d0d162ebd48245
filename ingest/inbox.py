"""Working the inbox off: one payload after the other, each in its own ingest."""

from __future__ import annotations

import logging
import os
import signal
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from app.api.logs import configure_logging, describe, log
from app.config import Settings
from app.errors import Busy, InvalidInput, OperonError
from app.formats.snp_batch import SampleData
from app.operations.pgx_active import in_use
from app.store import inbox, pgx_marks
from app.store.inbox import Entry
from app.store.session import Database
from ingest.cip import has_waiting, let_outdated_wait, project
from ingest.follow_ups import FollowUps
from ingest.pgx_calls import Definitions, call, definitions_in_use
from ingest.progress import Progress
from ingest.snp_import import import_sample
from ingest.workspace import Workspace, open_workspace

_PAUSE_SECONDS = 2.0
_MOST_CASES = 100
"""Cases whose calls are made before the inbox is looked at again"""
_MOST_CALLED = 500
"""Tests that are called again before the store is left to others for a moment"""


@dataclass(frozen=True, slots=True)
class Worked:
    """What became of the payloads that were taken."""

    done: int = 0
    failed: int = 0
    """That will not be tried again"""
    postponed: int = 0

    def text(self) -> str:
        """Return it in words."""
        return f"{self.done:,} done, {self.failed:,} failed, {self.postponed:,} will be tried again"


def work_off(
    workspace: Workspace,
    progress: Progress,
    now: datetime | None = None,
    definitions: Definitions | None = None,
) -> Worked:
    """Work off every payload that is due, by the definitions in use unless others are given.

    Raises:
        Busy: another worker, or an ingest, has the store.
    """
    counts = {"done": 0, "failed": 0, "postponed": 0}
    with workspace.database.sole_worker():
        with workspace.database.write() as session:
            inbox.recover(session, now)
        in_use = definitions or definitions_in_use(workspace)
        while (entry := _claimed(workspace.database, now)) is not None:
            counts[_work_on(workspace, entry, progress, now, in_use)] += 1
    return Worked(**counts)


def keep_working(settings: Settings, is_over: Callable[[], bool], pause: Callable[[float], None] = time.sleep) -> None:
    """Work the inbox off until ``is_over``; what fails is logged without what it is about.

    Between submissions the calls of cases are made anew that the server has changed, and the tests are called again
    that other definitions, or an earlier program, called.
    """
    while not is_over():
        try:
            with open_workspace(settings) as workspace:
                _work_by_definitions(workspace, is_over, pause)
        except Busy:
            pause(_PAUSE_SECONDS)
        except Exception as error:  # the worker outlives whatever happens to one payload or to the database
            log(logging.ERROR, "inbox failure", failure=describe(error))
            pause(_PAUSE_SECONDS)


def _work_by_definitions(workspace: Workspace, is_over: Callable[[], bool], pause: Callable[[float], None]) -> None:
    """Work until it is over, or other definitions are in use."""
    progress = Progress(quiet=True)
    releases = _releases(workspace.database)
    definitions = definitions_in_use(workspace)
    is_behind = True
    let_outdated_wait(workspace)
    while not is_over() and _releases(workspace.database) == releases:
        if _has_due(workspace.database):
            worked = work_off(workspace, progress, definitions=definitions)
            log(logging.INFO, "inbox", done=worked.done, failed=worked.failed, postponed=worked.postponed)
        elif _has_cases(workspace.database):
            _project_some(workspace, progress)
        elif is_behind:
            is_behind = _call_some(workspace, definitions, progress)
        else:
            pause(_PAUSE_SECONDS)


def _has_cases(database: Database) -> bool:
    with database.read() as session:
        return has_waiting(session)


def _project_some(workspace: Workspace, progress: Progress) -> None:
    """Make the calls of some cases that wait."""
    with FollowUps(workspace, progress, consequences=True, pgx=False):
        report = project(workspace, progress, most=_MOST_CASES)
    log(logging.INFO, "cip-api cases", cases=len(report.outcomes), quarantined=report.quarantined)


def _call_some(workspace: Workspace, definitions: Definitions, progress: Progress) -> bool:
    """Call some tests again that are outdated, and return whether there may be more."""
    with workspace.database.read() as session:
        if not pgx_marks.outdated(session, definitions.basis):
            return False
    try:
        called = call(workspace, definitions, progress, outdated=True, most=_MOST_CALLED)
    except OperonError:
        raise
    except Exception as error:  # the same test would fail again at once: leave it to 'operon pgx call', which says why
        log(logging.ERROR, "pharmacogenes failure", failure=describe(error))
        return False
    log(logging.INFO, "pharmacogenes called again", tests=called.tests)
    return called.tests == _MOST_CALLED


def _releases(database: Database) -> tuple[object, ...]:
    with database.read() as session:
        active, seeded = in_use(session)
    return (seeded, *(one.release_id for one in active))


def watch(settings: Settings, parent: int) -> None:
    """Work the inbox off as long as the server that started this process lives, which also hears the keyboard."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    configure_logging(settings)
    keep_working(settings, lambda: os.getppid() != parent)


def listed(database: Database, state: str | None = None) -> list[dict[str, Any]]:
    """Return what is in the inbox, without the results themselves."""
    with database.read() as session:
        found = inbox.entries(session, state)
    return [
        {
            "id": entry.entry_id,
            "kind": entry.kind,
            "batch": entry.batch,
            "sample": entry.sample,
            "subject": entry.subject,
            "state": entry.state,
            "tries": entry.tries,
            "received": entry.received,
            "updated": entry.updated,
            "due": entry.due if entry.state == inbox.QUEUED else None,
            "error": entry.error,
            "report": orjson.loads(entry.report) if entry.report else None,
        }
        for entry in found
    ]


def _has_due(database: Database) -> bool:
    with database.read() as session:
        return inbox.has_due(session)


def _claimed(database: Database, now: datetime | None) -> Entry | None:
    with database.write() as session:
        return inbox.claim(session, now)


def _work_on(
    workspace: Workspace, entry: Entry, progress: Progress, now: datetime | None, definitions: Definitions
) -> str:
    """Work on one payload and return what became of it."""
    try:
        report = _handled(workspace, entry, progress, definitions)
    except Busy:
        with workspace.database.write() as session:
            inbox.put_back(session, entry, now)
        raise
    except OperonError as error:
        # A payload that contradicts the store stays contradictory; the store itself may be back in a minute.
        return _failed(workspace.database, entry, error.diagnostics, now, final=isinstance(error, InvalidInput))
    except Exception as error:
        log(logging.ERROR, "inbox failure", failure=describe(error))
        return _failed(workspace.database, entry, f"unexpected {type(error).__name__}", now, final=False)
    with workspace.database.write() as session:
        inbox.done(session, entry, orjson.dumps(dict(report)).decode(), now)
    return "done"


def _failed(database: Database, entry: Entry, reason: str, now: datetime | None, *, final: bool) -> str:
    with database.write() as session:
        return "failed" if inbox.fail(session, entry, reason, final=final, now=now) else "postponed"


def _handled(workspace: Workspace, entry: Entry, progress: Progress, definitions: Definitions) -> Mapping[str, Any]:
    if entry.kind != inbox.SNP_DATA:
        raise InvalidInput(f"nothing here handles payloads of kind {entry.kind}")
    data = SampleData.from_json(orjson.loads(entry.payload))
    return import_sample(workspace, definitions, data, entry.subject, progress)
