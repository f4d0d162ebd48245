"""Who asked what of the CIP-API-compatible interface, and how it ended: rows that are written before the answer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import astuple, dataclass, fields
from typing import Any, Final

from app.store import audit_pages, counters
from app.store.session import Database, Session


@dataclass(frozen=True, slots=True)
class CipAuditRow:
    """One request; columns are described in ``app.store.tables``."""

    at: str
    username: str
    method: str
    endpoint: str
    ir_id: int | None
    version: int | None
    status: int


_COLUMNS: Final = tuple(field.name for field in fields(CipAuditRow))


def append(session: Session, rows: list[CipAuditRow]) -> None:
    """Store rows after those that there are."""
    first = counters.allocate(session, counters.CIP_AUDIT, len(rows))
    session.insert_rows("cip_audit", ("id", *_COLUMNS), [(first + n, *astuple(row)) for n, row in enumerate(rows)])


def entries(database: Database, *, since: str = "", username: str | None = None) -> Iterator[dict[str, Any]]:
    """Return the rows from a moment on, in the order of their writing, as objects."""
    return audit_pages.entries(database, "cip_audit", _COLUMNS, since=since, about=("username", username))
