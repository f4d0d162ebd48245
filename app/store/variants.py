"""Variants by identity: finding the rows of a change, and adding the changes that are new.

The canonical placement (GRCh38 where the variant has one, else GRCh37) is the identity; ``change`` digests the
canonical deleted and inserted sequences. Positions are zero-based, half-open; -1 in a column means "no placement on
that build".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.records import Build, LiftStatus
from app.store import counters, knowledge_rules
from app.store.codec import SNV_ALLELES, SNV_CODE
from app.store.session import Session
from app.variants.accessions import accession
from app.variants.placement import Placement
from app.variants.spdi import Spdi

Ints = NDArray[np.int64]

_SINGLE_BASE = ("id", "contig", "start37", "start38", "change", "status")
_ANY = (*_SINGLE_BASE, "deleted", "inserted", "deleted37", "inserted37")
_SELECT = ", ".join(f"v.{name}" for name in _ANY)
_UNJUSTIFIED = 16


def change_of(deleted: str, inserted: str) -> int:
    """Return the number that stands for a pair of sequences: exact for single bases, a 63-bit digest otherwise."""
    code = SNV_CODE.get((deleted, inserted))
    if code is not None:
        return code
    return -1 - (int.from_bytes(blake2b(f"{deleted}:{inserted}".encode(), digest_size=8).digest(), "big") >> 1)


@dataclass(frozen=True, slots=True)
class VariantColumns:
    """Distinct or repeated changes of one contig as parallel columns (n rows)."""

    contig: int
    start37: Ints
    start38: Ints
    change: Ints
    """Of the canonical sequences"""
    status: Ints
    """LiftStatus"""
    justified: NDArray[np.bool_]
    deleted: Sequence[str]
    """Canonical deleted sequence"""
    inserted: Sequence[str]
    deleted37: Mapping[int, str]
    """By row, where GRCh37 has other sequences than the canonical ones"""
    inserted37: Mapping[int, str]


def resolve(session: Session, columns: VariantColumns, rows: NDArray[np.intp]) -> tuple[Ints, int]:
    """Return the ids of some rows (-1 for the others), adding the variants that are new, and how many were new.

    Must run inside the writer's transaction, under ``Database.sole_writer``.
    """
    ids = known(session, columns, rows)
    unknown = rows[ids[rows] < 0]
    if not len(unknown):
        return ids, 0
    # A file may repeat a change: rows with the same key get the number of the first of them.
    key = np.stack(keys(columns, unknown))
    order = np.lexsort(key[::-1])
    fresh = np.ones(len(order), dtype=bool)
    fresh[1:] = (np.diff(key[:, order], axis=1) != 0).any(axis=0)
    first = np.minimum.reduceat(unknown[order], np.flatnonzero(fresh))  # the first row of each key
    number = np.empty(len(first), dtype=np.int64)
    number[np.argsort(first)] = np.arange(len(first))  # numbers in the order of the file
    base = counters.allocate(session, counters.VARIANT, len(first))
    ids[unknown[order]] = base + number[np.cumsum(fresh) - 1]
    counters.add(session, counters.VARIANTS, len(first))
    _insert(session, columns, np.sort(first), ids)
    return ids, len(first)


def known(session: Session, columns: VariantColumns, rows: NDArray[np.intp]) -> Ints:
    """Return the ids of some rows whose change is stored already, -1 for the others."""
    ids = np.full(len(columns.start38), -1, dtype=np.int64)
    on38, start, _ = keys(columns, slice(None))
    for placed in (1, 0):
        asked = rows[on38[rows] == placed]
        if len(asked):
            _find_known(session, columns, start, asked, ids=ids, on38=bool(placed))
    return ids


def keys(columns: VariantColumns, rows: NDArray[np.intp] | slice) -> tuple[Ints, Ints, Ints]:
    """Return what tells changes of a contig apart: whether they are placed on GRCh38, start there or else, change."""
    on38 = columns.start38[rows] >= 0
    return (
        on38.astype(np.int64),
        np.where(on38, columns.start38[rows], columns.start37[rows]),
        columns.change[rows],
    )


Record = tuple[int, int, int | None, int | None, int, int, str | None, str | None, str | None, str | None]
"""A row of the table in the order of its columns"""


def records(columns: VariantColumns, rows: NDArray[np.intp], ids: Ints) -> list[Record]:
    """Return some rows as the table holds them; ``ids`` has one for every row of the columns."""
    single = _is_single(columns, rows).tolist()
    sequences = [
        (None, None, None, None)
        if simple
        else (columns.deleted[row], columns.inserted[row], columns.deleted37.get(row), columns.inserted37.get(row))
        for row, simple in zip(rows.tolist(), single, strict=True)
    ]
    numbers = zip(*_numbers(columns, rows, ids), strict=True)
    return [(*number, *sequence) for number, sequence in zip(numbers, sequences, strict=True)]


def stored(session: Session, ids: Sequence[int]) -> dict[int, Record]:
    """Return stored variants by id, in one statement."""
    sql = f"select {_SELECT} from variant v where v.id {session.in_ints('ids')}"
    return {row[0]: row for row in session.run(sql, {"ids": session.int_list(ids)})}


def rewrite(session: Session, changed: Sequence[Record]) -> None:
    """Let stored variants say what some records say."""
    names = ", ".join(f"{name} = ?" for name in _ANY[1:])
    session.run_many(f"update variant set {names} where id = ?", [(*record[1:], record[0]) for record in changed])


def delete_from(session: Session, first: int, *, keep: set[int]) -> None:
    """Remove the variants numbered from ``first`` that are not to be kept."""
    rows = session.run("select id from variant where id >= :first", {"first": first})
    delete(session, [row[0] for row in rows if row[0] not in keep])


def delete(session: Session, ids: Sequence[int]) -> None:
    """Remove variants by id, but those that knowledge names: they tell of nobody, unlike what only meets a rule."""
    if ids:
        by_name = "not exists (select 1 from knowledge_rule r where r.item_id = l.item_id)"
        gone = session.run(
            f"delete from variant where id {session.in_ints('ids')} and not exists"
            f" (select 1 from knowledge_link l where l.variant_id = variant.id and {by_name}) returning id",
            {"ids": session.int_list(ids)},
        )
        counters.add(session, counters.VARIANTS, -len(gone))
        knowledge_rules.unlink(session, [row[0] for row in gone])


def _insert(session: Session, columns: VariantColumns, rows: NDArray[np.intp], ids: Ints) -> None:
    """Add rows that are all new; single-base changes, which are most of a genome, need no sequences."""
    single = _is_single(columns, rows)
    session.insert_rows("variant", _SINGLE_BASE, zip(*_numbers(columns, rows[single], ids), strict=True))
    if not single.all():
        session.insert_rows("variant", _ANY, records(columns, rows[~single], ids))


def _is_single(columns: VariantColumns, rows: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Return which rows change a single base that is the same on both builds."""
    single: NDArray[np.bool_] = (columns.change[rows] >= 0) & ~np.isin(rows, list(columns.deleted37))
    return single


def _numbers(columns: VariantColumns, rows: NDArray[np.intp], ids: Ints) -> list[list[int | None]]:
    places: list[list[int | None]] = []
    for column in (columns.start37, columns.start38):
        values = column[rows]
        listed: list[int | None] = values.tolist()
        places.append([place if place >= 0 else None for place in values.tolist()] if (values < 0).any() else listed)
    status = columns.status[rows] + np.where(columns.justified[rows], 0, _UNJUSTIFIED)
    return [ids[rows].tolist(), [columns.contig] * len(rows), *places, columns.change[rows].tolist(), status.tolist()]


def _find_known(
    session: Session, columns: VariantColumns, start: Ints, rows: NDArray[np.intp], *, ids: Ints, on38: bool
) -> None:
    """Fill in the ids of rows whose change is stored already."""
    column = "38" if on38 else "37"
    alone = "" if on38 else " and v.start38 is null"
    wanted = start[rows]
    scope = {
        "contig": columns.contig, "low": int(wanted.min()), "high": int(wanted.max()), "most": 4 * len(rows) + 1,
    }  # fmt: skip
    fields = f"v.start{column}, v.change, v.id"
    inside = f"from variant v where v.contig = :contig and v.start{column} between :low and :high{alone}"
    near = session.run(f"select count(*) from (select 1 {inside} limit :most) as near", scope)[0][0]
    if near == 0:
        return
    keys = list(zip(wanted.tolist(), columns.change[rows].tolist(), strict=True))
    if near <= 4 * len(rows):
        # Reading the whole stretch in index order costs a fifth of looking up each key.
        found = session.run(f"select {fields} {inside}", scope)
    else:
        table, parameters = session.integer_rows(("start", "change"), list(zip(*keys, strict=True)))
        found = session.run(
            f"select {fields} from {table} k cross join variant v where v.contig = :contig"
            f" and v.start{column} = k.start and v.change = k.change{alone}",
            {**parameters, "contig": columns.contig},
        )
    known = {(start, change): id_ for start, change, id_ in found}
    ids[rows] = [known.get(key, -1) for key in keys]


def find(session: Session, placements: Sequence[Placement]) -> list[dict[int, Placement]]:
    """Return, for each variant asked for, the stored rows with the same SPDI on either build (mostly one or none).

    One statement for any number of variants.
    """
    found: list[dict[int, Placement]] = [{} for _ in placements]
    parts: list[str] = []
    parameters: dict[str, Any] = {}
    for build in Build:
        keys = [(at, p.contig, spdi.position) for at, p in enumerate(placements) if (spdi := p.on(build)) is not None]
        if keys:
            name = build.value[-2:]
            table, values = session.integer_rows(("at", "contig", "start"), list(zip(*keys, strict=True)), name=name)
            parameters |= values
            parts.append(
                f"select k.at, {_SELECT} from {table} k cross join variant v"
                f" where v.contig = k.contig and v.start{name} = k.start"
            )
    if not parts:
        return found
    for at, *row in session.run(" union all ".join(parts), parameters):
        if row[0] in found[at]:
            continue
        stored, asked = _placement(row), placements[at]
        if any(asked.on(build) is not None and asked.on(build) == stored.on(build) for build in Build):
            found[at][row[0]] = stored
    return found


def at(session: Session, build: Build, contig: int, start: int) -> list[Placement]:
    """Return the placements of the stored variants that start at a place of one build."""
    rows = session.run(
        f"select {_SELECT} from variant v"
        f" where v.contig = :contig and v.start{build.value[-2:]} = :start order by v.id",
        {"contig": contig, "start": start},
    )
    return [_placement(row) for row in rows]


def placements_of(session: Session, ids: Sequence[int]) -> dict[int, Placement]:
    """Return the placements of variants by id, in one statement."""
    if not ids:
        return {}
    rows = session.run(
        f"select {_SELECT} from variant v where v.id {session.in_ints('ids')}",
        {"ids": session.int_list(list(ids))},
    )
    return {row[0]: _placement(row) for row in rows}


def canonical_places(session: Session, ids: Sequence[int]) -> Ints:
    """Return columns of some variants, in one statement: id, contig, whether GRCh38 is canonical, start and end."""
    rows = session.run(
        "select id, contig, case when start38 is null then 0 else 1 end, coalesce(start38, start37),"
        " coalesce(start38, start37) + case when change >= 0 then 1 else length(deleted) end"
        f" from variant where id {session.in_ints('ids')} order by id",
        {"ids": session.int_list(ids)},
    )
    return np.array(rows, dtype=np.int64).reshape(len(rows), 5).T


def _placement(row: Sequence[Any]) -> Placement:
    _, contig, start37, start38, change, status, deleted, inserted, deleted37, inserted37 = row
    if change >= 0:
        deleted, inserted = SNV_ALLELES[change]
    spdi37 = spdi38 = None
    if start38 is not None:
        spdi38 = Spdi(accession(Build.GRCH38, contig), start38, deleted, inserted)
    if start37 is not None:
        deleted37 = deleted if deleted37 is None else deleted37
        inserted37 = inserted if inserted37 is None else inserted37
        spdi37 = Spdi(accession(Build.GRCH37, contig), start37, deleted37, inserted37)
    return Placement(contig, spdi37, spdi38, LiftStatus(status % _UNJUSTIFIED), status < _UNJUSTIFIED)
