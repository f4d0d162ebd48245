"""Structural sites: adding those that are new, finding them by where they lie, removing them.

A site is what one record says on one build: equal kind, intervals and alleles are one site. Positions are zero-based,
half-open.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.records import Build, LiftStatus, StructuralKind
from app.store import counters, knowledge_rules, structural_places
from app.store.session import Session
from app.variants.extent import Extent, Relation

Ints = NDArray[np.int64]

_ENDS = ("start", "end", "outer_start", "outer_end", "inner_start", "inner_end")
_COLUMNS = (
    "id", "contig", "kind", "build", "status", *(f"{name}37" for name in _ENDS), *(f"{name}38" for name in _ENDS),
    "ref", "alt", "length", "imprecise", "digest",
)  # fmt: skip
_SELECT = ", ".join(_COLUMNS)
_FIRST_END, _AFTER = 5, 17


@dataclass(frozen=True, slots=True)
class StructuralSite:
    """One distinct structural variant; ``length`` is that of an insertion, -1 unknown."""

    contig: int
    kind: StructuralKind
    build: Build
    """Build that it was reported on"""
    status: LiftStatus
    native: Extent
    other: Extent | None
    ref: str
    alt: str
    length: int
    imprecise: bool

    def on(self, build: Build) -> Extent | None:
        """Return the extent on a build."""
        return self.native if build is self.build else self.other

    @property
    def digest(self) -> int:
        """Return a number that tells the site from all others."""
        identity = (self.contig, self.kind, self.build, self.native, self.ref, self.alt, self.length, self.imprecise)
        return int.from_bytes(blake2b(repr(identity).encode(), digest_size=8).digest(), "big") >> 1


def resolve(session: Session, sites: Sequence[StructuralSite]) -> list[tuple[int, StructuralSite]]:
    """Return the ids of sites, after adding those that are new, and the sites as they are stored.

    A site that is known keeps the place on the other build that it has: answers about subjects and about the
    population must rest on one place.
    """
    wanted = {site.digest: site for site in sites}
    rows = session.run(
        f"select {_SELECT} from structural_site where digest {session.in_ints('digests')}",
        {"digests": session.int_list(list(wanted))},
    )
    known = {row[-1]: (row[0], _site(row)) for row in rows}
    fresh = [digest for digest in wanted if digest not in known]
    if fresh:
        first = counters.allocate(session, counters.VARIANT, len(fresh))
        added = {digest: (first + n, wanted[digest]) for n, digest in enumerate(fresh)}
        session.insert_rows("structural_site", _COLUMNS, [_row(*one, digest) for digest, one in added.items()])
        structural_places.insert(session, [place for one in added.values() for place in _places(*one)])
        knowledge_rules.link_new_sites(session, [id_ for id_, _ in added.values()])
        known |= added
    return [known[site.digest] for site in sites]


def _row(id_: int, site: StructuralSite, digest: int) -> tuple[Any, ...]:
    ends: list[int | None] = []
    for build in (Build.GRCH37, Build.GRCH38):
        extent = site.on(build)
        ends += [None] * len(_ENDS) if extent is None else _ends(extent)
    length = site.length if site.length >= 0 else None
    return (
        id_, site.contig, int(site.kind), site.build.value, int(site.status), *ends, site.ref, site.alt, length,
        int(site.imprecise), digest,
    )  # fmt: skip


def _places(id_: int, site: StructuralSite) -> Iterable[structural_places.Place]:
    for build in Build:
        extent = site.on(build)
        if extent is not None:
            yield id_, build, site.contig, *extent.search


def replace_other(session: Session, sites: Mapping[int, StructuralSite]) -> None:
    """Store the place on the other build, and its status, of sites that are stored already."""
    for build in Build:
        columns = [f"{name}{build.other.value[-2:]}" for name in _ENDS]
        rows = []
        for id_, site in sites.items():
            if site.build is build:
                ends = (None,) * len(_ENDS) if site.other is None else _ends(site.other)
                rows.append((int(site.status), *ends, id_))
        assignments = ", ".join(f"{column} = ?" for column in ("status", *columns))
        session.run_many(f"update structural_site set {assignments} where id = ?", rows)
    structural_places.delete(session, list(sites))
    structural_places.insert(session, [place for id_, site in sites.items() for place in _places(id_, site)])
    knowledge_rules.relink_sites(session, list(sites))


def _ends(extent: Extent) -> tuple[int | None, ...]:
    return tuple(value if value >= 0 else None for value in (getattr(extent, name) for name in _ENDS))


def on_contig(session: Session, contig: int) -> dict[int, StructuralSite]:
    """Return every site of a contig by id."""
    rows = session.run(f"select {_SELECT} from structural_site where contig = :contig", {"contig": contig})
    return {row[0]: _site(row) for row in rows}


def count_unplaced(session: Session, contig: int, build: Build, status: LiftStatus) -> int:
    """Return how many sites of a contig that were reported on a build have a status."""
    sql = "select count(*) from structural_site where contig = :contig and build = :build and status = :status"
    return int(session.run(sql, {"contig": contig, "build": build.value, "status": int(status)})[0][0])


def fetch(session: Session, ids: Sequence[int]) -> dict[int, StructuralSite]:
    """Return sites by id, in one statement."""
    if not ids:
        return {}
    rows = session.run(
        f"select {_SELECT} from structural_site where id {session.in_ints('ids')}", {"ids": session.int_list(ids)}
    )
    return {row[0]: _site(row) for row in rows}


def _site(row: Sequence[Any]) -> StructuralSite:
    _, contig, kind, build, status = row[:_FIRST_END]
    ends = row[_FIRST_END:_AFTER]
    ref, alt, length, imprecise, _ = row[_AFTER:]
    on37, on38 = (_extent(ends[at : at + len(_ENDS)]) for at in (0, len(_ENDS)))
    native, other = (on37, on38) if build == Build.GRCH37.value else (on38, on37)
    if native is None:
        raise ValueError("a structural site has no place on its own build")
    return StructuralSite(
        contig, StructuralKind(kind), Build(build), LiftStatus(status), native, other, ref, alt,
        -1 if length is None else length, bool(imprecise),
    )  # fmt: skip


def _extent(ends: Sequence[int | None]) -> Extent | None:
    start, end, outer_start, outer_end, inner_start, inner_end = ends
    if start is None or end is None or outer_start is None or outer_end is None:
        return None
    if inner_start is None or inner_end is None:
        return Extent(start, end, outer_start, outer_end)
    return Extent(start, end, outer_start, outer_end, inner_start, inner_end)


_HOLDING = {Relation.NOMINAL: "", Relation.INNER: "inner_", Relation.OUTER: "outer_"}
NEVER_SUBSUME = (StructuralKind.INS, StructuralKind.BND)
"""Kinds that are points of the reference, however much they bring"""


@dataclass(frozen=True, slots=True)
class Question:
    """A range on one build, not empty, and how sites must lie to it.

    ``only_without`` restricts it to the sites that have no place on that build.
    """

    build: Build
    contig: int
    start: int
    end: int
    relation: Relation
    only_without: Build | None = None


def find(session: Session, asked: Question) -> list[int]:
    """Return the sites that lie to a range as asked, in one statement."""
    sql, parameters = structural_places.touching(session, asked.build, asked.contig, asked.start, asked.end)
    conditions = []
    if asked.only_without is not None:
        conditions.append(f"s.start{asked.only_without.value[-2:]} is null")
    if asked.relation is not Relation.INTERSECTS:
        on, which = asked.build.value[-2:], _HOLDING[asked.relation]
        conditions.append(f"s.{which}start{on} <= :start and s.{which}end{on} >= :end")
        conditions.append(f"s.kind not in ({', '.join(str(int(kind)) for kind in NEVER_SUBSUME)})")
        parameters |= {"start": asked.start, "end": asked.end}
    if conditions:
        sql = f"select s.id from ({sql}) p cross join structural_site s where s.id = p.site and "
        sql += " and ".join(conditions)
    return [row[0] for row in session.run(sql, parameters)]


def meets(kind: Ints, ends: Ints, start: int, end: int, relation: Relation) -> NDArray[np.bool_]:
    """Return which calls of a chunk lie to a range as asked; ``ends`` are their intervals on the range's build."""
    if relation is Relation.INTERSECTS:
        first, last = ends[2], ends[3] + (ends[0] == ends[1])
        touching: NDArray[np.bool_] = (ends[0] >= 0) & (first < end) & (last > start)
        return touching
    first, last = ends[{Relation.NOMINAL: 0, Relation.OUTER: 2, Relation.INNER: 4}[relation] :][:2]
    holding: NDArray[np.bool_] = (first >= 0) & (first <= start) & (last >= end) & ~np.isin(kind, NEVER_SUBSUME)
    return holding


def unplaced(session: Session, build: Build, contig: int) -> list[int]:
    """Return the sites of a contig that have no place on a build."""
    rows = session.run(
        f"select id from structural_site where contig = :contig and start{build.value[-2:]} is null", {"contig": contig}
    )
    return [row[0] for row in rows]


def with_unplaced(session: Session, asked: Iterable[tuple[Build, int]]) -> set[tuple[Build, int]]:
    """Return those of some (build, contig) that have sites without a place on that build, in one statement."""
    pairs = list(dict.fromkeys(asked))
    parts = [
        f"select {at} as at where exists"
        f" (select 1 from structural_site where contig = {contig:d} and start{build.value[-2:]} is null)"
        for at, (build, contig) in enumerate(pairs)
    ]
    return {pairs[at] for (at,) in session.run(" union all ".join(parts))} if parts else set()


def delete(session: Session, ids: Sequence[int]) -> None:
    """Remove those of some ids that are structural sites."""
    rows = session.run(
        f"delete from structural_site where id {session.in_ints('ids')} returning id", {"ids": session.int_list(ids)}
    )
    gone = [row[0] for row in rows]
    structural_places.delete(session, gone)
    knowledge_rules.unlink(session, gone)


def from_id(session: Session, first: int) -> list[int]:
    """Return the sites numbered from ``first``."""
    return [row[0] for row in session.run("select id from structural_site where id >= :first", {"first": first})]
