"""Who asked the pharmacogenetic API what, and how it ended: rows that are written before the answer goes out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import astuple, dataclass, fields
from threading import Lock
from typing import Any, Final

from app.store import audit_pages, counters
from app.store.session import Database, Session


@dataclass(frozen=True, slots=True)
class AuditRow:
    """One request; columns are described in ``app.store.tables``."""

    at: str
    request_id: str
    method: str
    path: str
    user_id: str | None
    organization_id: str | None
    client: str | None
    client_version: str | None
    cert_cn: str | None
    patient_ref: str | None
    status: int
    error_type: str | None
    duration_ms: int


_COLUMNS: Final = tuple(field.name for field in fields(AuditRow))


class AuditLog:
    """Writes rows durably; requests that end at the same time share one transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._turn = Lock()
        self._guard = Lock()
        self._waiting: list[_Waiting] = []

    def write(self, row: AuditRow) -> None:
        """Return once the row is stored.

        Raises:
            Busy, Unavailable: it could not be stored.
        """
        mine = _Waiting(row)
        with self._guard:
            self._waiting.append(mine)
        with self._turn:
            if not mine.done:
                self._write_all()
        if mine.failure is not None:
            raise mine.failure

    def _write_all(self) -> None:
        with self._guard:
            batch, self._waiting = self._waiting, []
        failure: Exception | None = None
        try:
            with self._database.write() as session:
                append(session, [waiting.row for waiting in batch])
        except Exception as error:  # whoever waits for its row has to hear of it
            failure = error
        for waiting in batch:
            waiting.failure = failure
            waiting.done = True


class _Waiting:
    """A row that waits for its transaction."""

    __slots__ = ("done", "failure", "row")

    def __init__(self, row: AuditRow) -> None:
        self.row = row
        self.done = False
        self.failure: Exception | None = None


def append(session: Session, rows: list[AuditRow]) -> None:
    """Store rows after those that there are."""
    first = counters.allocate(session, counters.PGX_AUDIT, len(rows))
    session.insert_rows("pgx_audit", ("id", *_COLUMNS), [(first + n, *astuple(row)) for n, row in enumerate(rows)])


def entries(database: Database, *, since: str = "", patient_ref: str | None = None) -> Iterator[dict[str, Any]]:
    """Return the rows from a moment on, in the order of their writing, as objects."""
    return audit_pages.entries(database, "pgx_audit", _COLUMNS, since=since, about=("patient_ref", patient_ref))
