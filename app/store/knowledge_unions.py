"""Who carries any variant that a concept's items are about, kept as one set a concept and shard.

The items of a release name variants; ``targets`` of a concept are the variants of all its items, and its union is who
carries any of them. Unions are kept for active releases only. They change with the carriers: what a run adds is joined
(``Extension``), what is withdrawn makes the unions of its concepts be counted anew (``recount``), all in the writer's
transaction.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice

import numpy as np
from numpy.typing import NDArray
from pyroaring import BitMap, BitMap64

from app.records import SourceClass
from app.store import bitmaps, carrier_sets
from app.store.bitmaps import Column
from app.store.carriers import Shards
from app.store.session import Session

_SLICE = 200_000
_UNION = ("concept_id", "shard", "n", "members", "detail")


def targets(session: Session, concept_ids: Sequence[int]) -> BitMap64:
    """Return the variants that items with any of some concepts are about, in one statement."""
    if not concept_ids:
        return BitMap64()
    rows = session.run(
        f"select targets from knowledge_concept where id {session.in_ints('ids')}",
        {"ids": session.int_list(concept_ids)},
    )
    return _joined(data for (data,) in rows)


def targets_of_release(session: Session, release_id: int) -> BitMap64:
    """Return the variants that the concepts of a release lead to."""
    rows = session.run("select targets from knowledge_concept where release_id = :id", {"id": release_id})
    return _joined(data for (data,) in rows)


def fetch(session: Session, concept_ids: Sequence[int], source_class: SourceClass | None) -> Shards:
    """Return who carries any variant that items with any of some concepts are about, in one statement."""
    if not concept_ids:
        return {}
    rows = session.run(
        f"select shard, members, detail from knowledge_union where concept_id {session.in_ints('ids')}",
        {"ids": session.int_list(concept_ids)},
    )
    found: dict[int, list[BitMap]] = {}
    for shard, members, detail in rows:
        bits = bitmaps.members_of_class(members, detail, source_class)
        if bits:
            found.setdefault(shard, []).append(bits)
    return {shard: bits[0] if len(bits) == 1 else BitMap.union(*bits) for shard, bits in found.items()}


def forget(session: Session, release_id: int) -> None:
    """Remove the unions of a release."""
    session.run(
        "delete from knowledge_union where concept_id in (select id from knowledge_concept where release_id = :id)"
        " returning 1",
        {"id": release_id},
    )


def build(session: Session, release_id: int) -> None:
    """Count the unions of a release that has none."""
    rows = session.run("select id, targets from knowledge_concept where release_id = :id", {"id": release_id})
    _count(session, {concept_id: BitMap64.deserialize(data) for concept_id, data in rows})


def recount(session: Session, variant_ids: Iterable[int]) -> None:
    """Count those unions anew that some variants have a part in."""
    changed = BitMap64(variant_ids)
    concepts = {concept_id: bits for concept_id, bits in _active(session) if not bits.isdisjoint(changed)}
    if concepts:
        session.run(
            f"delete from knowledge_union where concept_id {session.in_ints('ids')} returning 1",
            {"ids": session.int_list(list(concepts))},
        )
        _count(session, concepts)


def rebuild(session: Session) -> None:
    """Count every union anew."""
    session.run("delete from knowledge_union where concept_id >= 0 returning 1")
    _count(session, dict(_active(session)))


class Extension:
    """What the carriers of one or more runs add to the unions."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._concepts = list(_active(session))
        self._every = _union_of(bits for _, bits in self._concepts)
        self._taken: list[NDArray[np.int64]] = []

    def take(self, variant: Column, ordinal: Column, kind: Column) -> None:
        """Note carriers, given as parallel columns."""
        if not self._every or not len(variant):
            return
        distinct = np.unique(variant)
        known = np.array([int(id_) in self._every for id_ in distinct.tolist()], dtype=np.bool_)
        chosen = np.isin(variant, distinct[known])
        if chosen.any():
            self._taken.append(np.stack([variant[chosen], ordinal[chosen], kind[chosen]]))

    def store(self) -> None:
        """Join what was noted to the unions."""
        if not self._taken:
            return
        variant, ordinal, kind = np.concatenate(self._taken, axis=1)
        order = np.argsort(variant, kind="stable")
        variant, ordinal, kind = variant[order], ordinal[order], kind[order] & 0xF0
        carried = BitMap64(np.unique(variant).tolist())
        for concept_id, bits in self._concepts:
            hits = bits & carried
            if hits:
                rows = carrier_sets.rows_with(variant, np.array(list(hits), dtype=np.int64))
                _join(self._session, concept_id, ordinal[rows], kind[rows])


def slices(ids: Iterable[int]) -> Iterator[list[int]]:
    """Yield ids in portions that one statement takes."""
    walk = iter(ids)
    while some := list(islice(walk, _SLICE)):
        yield some


def _active(session: Session) -> Iterator[tuple[int, BitMap64]]:
    rows = session.run(
        "select c.id, c.targets from knowledge_concept c join knowledge_release r on r.id = c.release_id"
        " where r.active = 1 order by c.id"
    )
    return ((concept_id, BitMap64.deserialize(data)) for concept_id, data in rows)


def _joined(parts: Iterable[bytes]) -> BitMap64:
    return _union_of(map(BitMap64.deserialize, parts))


def _union_of(parts: Iterable[BitMap64]) -> BitMap64:
    whole = BitMap64()
    for bits in parts:
        whole |= bits
    return whole


def _join(session: Session, concept_id: int, ordinal: Column, kind: Column) -> None:
    for shard in np.unique(ordinal >> bitmaps.SHARD_BITS).tolist():
        inside = ordinal >> bitmaps.SHARD_BITS == shard
        kinds = carrier_sets.by_value(ordinal[inside] & bitmaps.LOW, kind[inside])
        scope = {"concept": concept_id, "shard": shard}
        stored = session.run(
            "select members, detail from knowledge_union where concept_id = :concept and shard = :shard", scope
        )
        if not stored:
            session.insert_rows("knowledge_union", _UNION, [(concept_id, shard, *_packed(kinds))])
            continue
        before = bitmaps.unpack_detail(*stored[0])
        after = {known: before.get(known, BitMap()) | kinds.get(known, BitMap()) for known in before.keys() | kinds}
        if after != before:
            session.run_many(
                "update knowledge_union set n = ?, members = ?, detail = ? where concept_id = ? and shard = ?",
                [(*_packed(after), concept_id, shard)],
            )


def _packed(kinds: dict[int, BitMap]) -> tuple[int, bytes, bytes]:
    everyone = BitMap.union(*kinds.values())
    return len(everyone), bitmaps.pack(everyone), bitmaps.pack_detail(kinds)


def _count(session: Session, concepts: Mapping[int, BitMap64]) -> None:
    """Count and store the unions of some concepts that have none."""
    every = _union_of(concepts.values())
    parts: dict[int, dict[int, dict[int, BitMap]]] = {}
    for some in slices(every):
        for shard, found in carrier_sets.by_class(session, some):
            carried = found.carried()
            for concept_id, bits in concepts.items():
                hits = bits & carried
                if hits:
                    union = parts.setdefault(concept_id, {}).setdefault(shard, {})
                    for kind, members in found.united(hits).items():
                        union[kind] = union[kind] | members if kind in union else members
    rows = [
        (concept_id, shard, *_packed(kinds))
        for concept_id, shards in sorted(parts.items())
        for shard, kinds in sorted(shards.items())
    ]
    session.insert_rows("knowledge_union", _UNION, rows)
