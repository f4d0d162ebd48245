"""The whole content of a store as values, so that tests can say that two stores hold the same."""

from __future__ import annotations

import json
from typing import Any

from app.store import structural_places
from app.store.session import Database, Session
from app.store.tables import counter, metadata

Dump = dict[str, list[tuple[Any, ...]]]
"""Table to rows in the order of the primary key"""

_CLOCKS = {
    ("ingest_run", "started"),
    ("ingest_run", "finished"),
    ("pgx_study", "called_at"),
    ("pgx_call", "called_at"),
}


def dump(database: Database) -> Dump:
    """Return every row of every table, without what a clock wrote."""
    content: Dump = {}
    with database.read() as session:
        for table in metadata.sorted_tables:
            names = [column.name for column in table.columns if (table.name, column.name) not in _CLOCKS]
            order = ", ".join(column.name for column in table.primary_key.columns)
            rows = session.run(f"select {', '.join(names)} from {table.name} order by {order}")
            content[table.name] = [
                tuple(_timeless(table.name, name, value) for name, value in zip(names, row, strict=True))
                for row in rows
            ]
        content[structural_places.TABLE] = _places(session)
    content[counter.name] = [
        row for row in content[counter.name] if row[1]
    ]  # a counter that is not there stands at zero
    return content


def _places(session: Session) -> list[tuple[Any, ...]]:
    """Return the places of structural sites, on whichever database, as (entry, sequence, first base, end)."""
    if session.is_sqlite:
        columns = "id, first_sequence, first_base, last_base + 1"
    else:
        columns = "id, lower(span) >> 32, lower(span) & 4294967295, upper(span) & 4294967295"
    return session.run(f"select {columns} from {structural_places.TABLE} order by 1")


def counts(database: Database) -> dict[str, int]:
    """Return the number of rows of each table that has any."""
    return {table: len(rows) for table, rows in dump(database).items() if rows}


def _timeless(table: str, column: str, value: Any) -> Any:
    if (table, column) != ("ingest_run", "report") or value is None:
        return value
    report = json.loads(value)
    report.pop("seconds", None)  # a run of calls has no report
    return json.dumps(report, sort_keys=True)
