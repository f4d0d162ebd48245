"""Who asked what of the CIP-API-compatible interface, and how it ended: rows that are written before the answer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import astuple, dataclass, fields
from typing import Any, Final

from app.store import counters
from app.store.session import Database, Session

_PAGE = 1000


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
    """Yield the rows from a moment on, in the order of their writing, as objects."""
    last = -1
    while True:
        with database.read() as session:
            rows = session.run(
                f"select id, {', '.join(_COLUMNS)} from cip_audit where id > :last and at >= :since"
                " and (:anybody = 1 or username = :username) order by id limit :page",
                {
                    "last": last,
                    "since": since,
                    "anybody": int(username is None),
                    "username": username or "",
                    "page": _PAGE,
                },
            )
        for row in rows:
            yield dict(zip(("id", *_COLUMNS), row, strict=True))
        if len(rows) < _PAGE:
            return
        last = rows[-1][0]
