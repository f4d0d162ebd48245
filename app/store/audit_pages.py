"""Reading tables of an audit from a moment on, some rows at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from app.store.session import Database

_PAGE: Final = 1000


def entries(
    database: Database, table: str, columns: Sequence[str], *, since: str, about: tuple[str, str | None]
) -> Iterator[dict[str, Any]]:
    """Yield the rows of a table in the order of their writing, as objects.

    ``about`` names a column and the value that it has to have; None: any.
    """
    column, wanted = about
    names = ("id", *columns)
    last = -1
    while True:
        with database.read() as session:
            rows = session.run(
                f"select {', '.join(names)} from {table} where id > :last and at >= :since"
                f" and (:anything = 1 or {column} = :wanted) order by id limit :page",
                {
                    "last": last,
                    "since": since,
                    "anything": int(wanted is None),
                    "wanted": wanted or "",
                    "page": _PAGE,
                },
            )
        for row in rows:
            yield dict(zip(names, row, strict=True))
        if len(rows) < _PAGE:
            return
        last = rows[-1][0]
