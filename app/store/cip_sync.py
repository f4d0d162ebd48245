"""How far the fetching of cases from a server is: one row for each case that was tried."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from app.store.cip_rows import now
from app.store.session import Session

MOST_ATTEMPTS: Final = 5
"""Failures after which a case is left alone until the server says that it has changed"""

_COLUMNS: Final = "ir_id, version, last_modified, sha256, state, attempts, error"
_ERROR_LIMIT: Final = 500


class SyncState(StrEnum):
    """How the last try ended."""

    DONE = "done"
    FAILED = "failed"
    FORBIDDEN = "forbidden"
    """The server does not let us see it"""
    GONE = "gone"
    """It is in no list of the server any more"""


@dataclass(frozen=True, slots=True)
class SyncRow:
    """What is known of the fetching of one case."""

    ir_id: int
    version: int
    last_modified: str
    """As the server's list said when it was fetched, or, where it is known, when fetching failed; else empty"""
    sha256: str
    state: SyncState
    attempts: int
    """Failures since it was fetched last, or since it was changed"""
    error: str | None = None

    @property
    def is_given_up(self) -> bool:
        """Return whether it has failed too often."""
        return self.state is SyncState.FAILED and self.attempts >= MOST_ATTEMPTS


def known(session: Session, environment: str) -> dict[tuple[int, int], SyncRow]:
    """Return every case that was tried from a server, by request and version."""
    sql = f"select {_COLUMNS} from cip_sync where environment = :environment order by ir_id, version"
    return {(row[0], row[1]): _read(row) for row in session.run(sql, {"environment": environment})}


def get(session: Session, environment: str, ir_id: int, version: int) -> SyncRow | None:
    """Return what is known of the fetching of one case; None if it was never tried."""
    rows = session.run(
        f"select {_COLUMNS} from cip_sync where environment = :environment and ir_id = :ir and version = :version",
        {"environment": environment, "ir": ir_id, "version": version},
    )
    return _read(rows[0]) if rows else None


def put_done(session: Session, environment: str, number: tuple[int, int], *, last_modified: str, sha256: str) -> None:
    """Note, in the transaction that stores it, that a case was fetched."""
    _put(session, environment, SyncRow(*number, last_modified, sha256, SyncState.DONE, 0))


def put_failed(
    session: Session,
    environment: str,
    number: tuple[int, int],
    error: str,
    *,
    state: SyncState = SyncState.FAILED,
    is_changed: bool = False,
    last_modified: str | None = None,
) -> SyncRow:
    """Note that the fetching of a case failed, and return what is known of it now.

    What was fetched before stays known. ``is_changed`` tells that the server has another version since the last try:
    failures are counted anew. So does another ``last_modified`` of the server's list than at the last failure.
    """
    before = get(session, environment, *number)
    modified, sha256 = (before.last_modified, before.sha256) if before else ("", "")
    if last_modified is not None:
        is_changed = is_changed or before is None or before.state is SyncState.DONE or modified != last_modified
        modified = last_modified
    earlier = before.attempts if before and not is_changed else 0
    row = SyncRow(*number, modified, sha256, state, min(MOST_ATTEMPTS, earlier + 1), error[:_ERROR_LIMIT])
    _put(session, environment, row)
    return row


def put_gone(session: Session, environment: str, number: tuple[int, int]) -> None:
    """Note that a server lists a case no more; what is stored of it stays."""
    before = get(session, environment, *number)
    if before is not None and before.state is not SyncState.GONE:
        row = SyncRow(*number, before.last_modified, before.sha256, SyncState.GONE, before.attempts, before.error)
        _put(session, environment, row)


def _put(session: Session, environment: str, row: SyncRow) -> None:
    session.run(
        "delete from cip_sync where environment = :environment and ir_id = :ir and version = :version returning 1",
        {"environment": environment, "ir": row.ir_id, "version": row.version},
    )
    columns = ("environment", *_COLUMNS.split(", "), "updated")
    values = (
        environment, row.ir_id, row.version, row.last_modified, row.sha256, row.state.value, row.attempts, row.error,
        now(),
    )  # fmt: skip
    session.insert_rows("cip_sync", columns, [values])


def _read(row: tuple[object, ...]) -> SyncRow:
    ir_id, version, last_modified, sha256, state, attempts, error = row
    return SyncRow(
        int(str(ir_id)),
        int(str(version)),
        str(last_modified),
        str(sha256),
        SyncState(str(state)),
        int(str(attempts)),
        None if error is None else str(error),
    )
