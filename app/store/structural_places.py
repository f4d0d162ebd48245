"""Where structural sites lie: the one table whose form depends on the database (``docs/adr/0004``).

SQLite has an R*Tree of boxes (positions by sequence), PostgreSQL a GiST index of ranges on one line on which the
sequences follow each other. A site has an entry for each build that it has a place on. Both find the entries that touch
a range without looking at others. Entries are zero-based, half-open, and never empty.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from typing import Any, Final

from app.errors import Misconfigured
from app.records import Build
from app.store.session import Session

TABLE: Final = "structural_place"
_LINE = 1 << 32


def require_rtree(modules: Container[str]) -> None:
    """Raise Misconfigured unless the modules of an SQLite library have the R*Tree."""
    if "rtree_i32" not in modules:
        raise Misconfigured(
            "the SQLite library of this Python lacks the R*Tree module, which structural variants need; use a Python"
            " whose SQLite has it, or PostgreSQL (OPERON_DATABASE_URL)"
        )


def is_place_table(name: str | None) -> bool:
    """Return whether a table is this one, or one that the R*Tree keeps for itself."""
    return name is not None and name.startswith(TABLE)


def _entry(site_id: int, build: Build) -> int:
    return site_id * 2 + (build is Build.GRCH38)


def _sequence(build: Build, contig: int) -> int:
    return contig * 2 + (build is Build.GRCH38)


Place = tuple[int, Build, int, int, int]
"""Site, build, contig and interval"""


def insert(session: Session, places: Iterable[Place]) -> None:
    """Add the places of new sites."""
    if session.is_sqlite:
        rows: list[tuple[int | str, ...]] = [
            (_entry(site, build), start, end - 1, _sequence(build, contig), _sequence(build, contig))
            for site, build, contig, start, end in places
        ]
        session.insert_rows(TABLE, ("id", "first_base", "last_base", "first_sequence", "last_sequence"), rows)
        return
    lines = [
        (_entry(site, build), _sequence(build, contig) * _LINE, start, end)
        for site, build, contig, start, end in places
    ]
    session.insert_rows(
        TABLE, ("id", "span"), [(entry, f"[{line + start},{line + end})") for entry, line, start, end in lines]
    )


def delete(session: Session, site_ids: Sequence[int]) -> None:
    """Remove the places of sites."""
    entries = [(_entry(site, build),) for site in site_ids for build in Build]
    session.run_many(f"delete from {TABLE} where id = ?", entries)


def touching(session: Session, build: Build, contig: int, start: int, end: int) -> tuple[str, dict[str, Any]]:
    """Return a query, with its parameters, for the ids (``site``) whose place on a build touches [start, end)."""
    sequence = _sequence(build, contig)
    if session.is_sqlite:
        sql = (
            f"select id >> 1 as site from {TABLE} where first_base < :place_end and last_base >= :place_start"
            " and first_sequence <= :sequence and last_sequence >= :sequence"
        )
        return sql, {"place_start": start, "place_end": end, "sequence": sequence}
    line = sequence * _LINE
    sql = (
        f"select id >> 1 as site from {TABLE}"
        " where span && int8range(cast(:place_start as bigint), cast(:place_end as bigint))"
    )
    return sql, {"place_start": line + start, "place_end": line + end}


def touching_regions(session: Session, build: Build, table: str, condition: str) -> str:
    """Return a query for pairs of ``site`` and ``item_id`` whose places touch, of the rows of a table of regions.

    The table has the columns item_id, contig and, for each build, start and end; ``condition`` restricts its rows.
    """
    on, offset = build.value[-2:], int(build is Build.GRCH38)
    regions = f"(select * from {table} r where {condition} and start{on} is not null)"
    if session.is_sqlite:
        return (
            f"select t.id >> 1 as site, r.item_id from {regions} r cross join {TABLE} t"
            f" where t.first_base < r.end{on} and t.last_base >= r.start{on}"
            f" and t.first_sequence <= r.contig * 2 + {offset} and t.last_sequence >= r.contig * 2 + {offset}"
        )
    line = f"(r.contig * 2 + {offset}) * cast({_LINE} as bigint)"
    return (
        f"select t.id >> 1 as site, r.item_id from {regions} r join {TABLE} t"
        f" on t.span && int8range({line} + r.start{on}, {line} + r.end{on})"
    )
