"""Who carries any variant that a concept's items are about, kept as one set a concept and shard.

The items of a release name variants; ``targets`` of a concept are the variants of all its items, and its union is who
carries any of them. Unions are kept for active releases only. They change with the carriers: what a run adds is joined
(``Extension``), what is withdrawn makes the unions of its concepts be counted anew (``recount``), all in the writer's
transaction. All of these begin with variants and find their concepts on pages (``knowledge_pages``): a run costs what
it adds, however many concepts there are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice, pairwise

import numpy as np
from pyroaring import BitMap, BitMap64

from app.records import SourceClass
from app.store import bitmaps, carrier_sets, carriers, counters, knowledge_pages
from app.store.bitmaps import Column
from app.store.carrier_sets import ClassedCarriers
from app.store.carriers import Shards
from app.store.knowledge_pages import Pairs
from app.store.session import Session

_SLICE = 200_000
_PAGES_AT_ONCE = 4
"""The carriers of so many pages of variants are held at once; each of common ones has a set of up to 8 KiB"""
_CARRIERS_AT_ONCE = 500_000
_CONCEPTS_AT_ONCE = 5_000
_CLASS_BITS = 4
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
    _count(session, [release_id], knowledge_pages.pages_of(session, [release_id]))


def recount(session: Session, variant_ids: Iterable[int]) -> None:
    """Count those unions anew that some variants have a part in."""
    releases = _active(session)
    if not releases:
        return
    changed = np.unique(np.fromiter(variant_ids, dtype=np.int64))
    found = [
        np.unique(knowledge_pages.read(session, releases, some).of_variants(changed).concept)
        for some in _portions(np.unique(changed >> knowledge_pages.PAGE_BITS).tolist(), 16 * _PAGES_AT_ONCE)
    ]
    concepts = np.unique(np.concatenate(found)) if found else np.empty(0, dtype=np.int64)
    _recount(session, releases, concepts)


def recount_concepts(session: Session, concept_ids: Iterable[int]) -> None:
    """Count the unions of some concepts anew, as far as they are of active releases."""
    releases = _active(session)
    if releases:
        _recount(session, releases, np.unique(np.fromiter(concept_ids, dtype=np.int64)))


def _recount(session: Session, releases: Sequence[int], concepts: Column) -> None:
    """Count the unions of some ascending concepts anew, as far as they are of some releases, the active ones."""
    if not len(concepts):
        return
    session.run(
        f"delete from knowledge_union where concept_id {session.in_ints('ids')} returning 1",
        {"ids": session.int_list(concepts.tolist())},
    )
    about = np.array(targets(session, concepts.tolist()).to_array(), dtype=np.int64)
    _count(session, releases, np.unique(about >> knowledge_pages.PAGE_BITS).tolist(), concepts)


def rebuild(session: Session) -> None:
    """Count every union anew."""
    session.run("delete from knowledge_union where concept_id >= 0 returning 1")
    releases = _active(session)
    _count(session, releases, knowledge_pages.pages_of(session, releases))


def widen(session: Session, release_id: int, added: Mapping[int, BitMap64]) -> None:
    """Let concepts of a release lead to further variants; who carries these joins their unions where it is active."""
    rows = session.run(
        f"select id, targets from knowledge_concept where id {session.in_ints('ids')} order by id",
        {"ids": session.int_list(sorted(added))},
    )
    _set_targets(session, [(BitMap64.deserialize(data) | added[concept_id], concept_id) for concept_id, data in rows])
    none = np.empty(0, dtype=np.int64)
    variant = [none, *(_column(bits) for bits in added.values())]
    concept = [none, *(np.full(len(bits), concept_id, dtype=np.int64) for concept_id, bits in added.items())]
    pairs = knowledge_pages.distinct(np.concatenate(variant), np.concatenate(concept))
    knowledge_pages.rewrite(session, release_id, added=pairs)
    if release_id not in _active(session):
        return
    pages = pairs.variant >> knowledge_pages.PAGE_BITS
    for shard in range(carriers.shards_of(counters.values(session))):
        unions: dict[int, dict[int, BitMap]] = {}
        for some in _portions(np.unique(pages).tolist(), _PAGES_AT_ONCE):
            here = carrier_sets.is_in(pages, np.array(some, dtype=np.int64))
            part = Pairs(pairs.variant[here], pairs.concept[here])
            _unite(unions, part, carrier_sets.by_class(session, shard, np.unique(part.variant)))
        _join(session, shard, dict(sorted(unions.items())))


def narrow_release(session: Session, release_id: int, gone: BitMap64) -> list[int]:
    """Let the concepts of a release no longer lead to some variants; return those that did, whose unions stay."""
    rows = session.run(
        "select id, targets from knowledge_concept where release_id = :id order by id", {"id": release_id}
    )
    held = [(concept_id, BitMap64.deserialize(data)) for concept_id, data in rows]
    changed = [(concept_id, bits) for concept_id, bits in held if not bits.isdisjoint(gone)]
    _set_targets(session, [(bits - gone, concept_id) for concept_id, bits in changed])
    left = BitMap64()
    for _, bits in changed:
        left |= bits & gone
    knowledge_pages.rewrite(session, release_id, gone=_column(left))
    return [concept_id for concept_id, _ in changed]


def _column(bits: BitMap64) -> Column:
    return np.array(bits.to_array(), dtype=np.int64)


def _set_targets(session: Session, changed: Sequence[tuple[BitMap64, int]]) -> None:
    session.run_many(
        "update knowledge_concept set targets = ? where id = ?",
        [(bits.serialize(), concept_id) for bits, concept_id in changed],
    )


class Extension:
    """What the carriers of one or more runs add to the unions."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._releases = _active(session)
        self._taken: list[tuple[Column, Column, Column]] = []
        self._size = 0
        self._keys: dict[int, Column] = {}
        self.carried = BitMap64()
        """Every variant that was noted"""

    def take(self, variant: Column, ordinal: Column, kind: Column) -> None:
        """Note carriers, given as parallel columns."""
        if not len(variant):
            return
        self.carried |= BitMap64(np.unique(variant).astype(np.uint64))
        if not self._releases:
            return
        self._taken.append((variant, ordinal, kind))
        self._size += len(variant)
        if self._size >= _CARRIERS_AT_ONCE:
            self._reduce()

    def _reduce(self) -> None:
        """Keep of what was noted who has which concept."""
        variant, ordinal, kind = (np.concatenate(column) for column in zip(*self._taken, strict=True))
        self._taken, self._size = [], 0
        order = np.argsort(variant, kind="stable")
        variant, ordinal, kind = variant[order], ordinal[order], kind[order]
        pages = np.unique(variant >> knowledge_pages.PAGE_BITS).tolist()
        pairs = knowledge_pages.read(self._session, self._releases, pages)
        rows, concept = _concepts_of(pairs, variant)
        shard, member = ordinal[rows] >> bitmaps.SHARD_BITS, ordinal[rows] & bitmaps.LOW
        keys = _keys(concept, kind[rows], member)
        for one in np.unique(shard).tolist():
            known = self._keys.get(one, np.empty(0, dtype=np.int64))
            self._keys[one] = np.unique(np.concatenate([known, keys[shard == one]]))

    def store(self) -> None:
        """Join what was noted to the unions."""
        if self._taken:
            self._reduce()
        for shard, keys in self._keys.items():
            _join(self._session, shard, _unions(keys))


def slices(ids: Iterable[int]) -> Iterator[list[int]]:
    """Yield ids in portions that one statement takes."""
    return _portions(ids, _SLICE)


def _portions(ids: Iterable[int], size: int) -> Iterator[list[int]]:
    walk = iter(ids)
    while some := list(islice(walk, size)):
        yield some


def _active(session: Session) -> list[int]:
    return [row[0] for row in session.run("select id from knowledge_release where active = 1 order by id")]


def _joined(parts: Iterable[bytes]) -> BitMap64:
    whole = BitMap64()
    for data in parts:
        whole |= BitMap64.deserialize(data)
    return whole


def _concepts_of(pairs: Pairs, variant: Column) -> tuple[Column, Column]:
    """Return (rows of the column, concept) for each concept that leads to one of its ascending values."""
    low, high = pairs.variant.searchsorted(variant), pairs.variant.searchsorted(variant, "right")
    sizes = high - low
    ends = np.cumsum(sizes)
    at = np.arange(int(ends[-1]) if len(ends) else 0) + np.repeat(low - (ends - sizes), sizes)
    return np.repeat(np.arange(len(variant)), sizes), pairs.concept[at]


def _keys(concept: Column, kind: Column, member: Column) -> Column:
    """Return (concept, source class, member) as one ascending number each, without repeats to be expected."""
    joint: Column = (((concept << _CLASS_BITS) | (kind >> _CLASS_BITS)) << bitmaps.SHARD_BITS) | member
    return joint


def _unions(keys: Column) -> dict[int, dict[int, BitMap]]:
    """Return who has each concept, by source class (times 16), from ascending keys of one shard."""
    found: dict[int, dict[int, BitMap]] = {}
    group = keys >> bitmaps.SHARD_BITS
    members = (keys & bitmaps.LOW).astype(np.uint32)
    first = np.flatnonzero(np.diff(group, prepend=-1))
    bounds = pairwise([*first.tolist(), len(keys)])
    for joint, (low, high) in zip(group[first].tolist(), bounds, strict=True):
        kind = (joint & ((1 << _CLASS_BITS) - 1)) << _CLASS_BITS
        found.setdefault(joint >> _CLASS_BITS, {})[kind] = BitMap(members[low:high])
    return found


def _join(session: Session, shard: int, added: dict[int, dict[int, BitMap]]) -> None:
    for some in _portions(added, _CONCEPTS_AT_ONCE):
        rows = session.run(
            "select concept_id, members, detail from knowledge_union"
            f" where concept_id {session.in_ints('ids')} and shard = :shard",
            {"ids": session.int_list(some), "shard": shard},
        )
        changed = []
        stored = set()
        for concept_id, members, detail in rows:
            stored.add(concept_id)
            before, kinds = bitmaps.unpack_detail(members, detail), added[concept_id]
            if all(kind in before and bits.issubset(before[kind]) for kind, bits in kinds.items()):
                continue
            for kind, bits in before.items():
                kinds[kind] = kinds[kind] | bits if kind in kinds else bits
            changed.append((*_packed(kinds), concept_id, shard))
        session.run_many(
            "update knowledge_union set n = ?, members = ?, detail = ? where concept_id = ? and shard = ?", changed
        )
        fresh = ((one, shard, *_packed(added[one])) for one in some if one not in stored)
        session.insert_rows("knowledge_union", _UNION, fresh)


def _packed(kinds: dict[int, BitMap]) -> tuple[int, bytes, bytes]:
    everyone = BitMap.union(*kinds.values())
    return len(everyone), bitmaps.pack(everyone), bitmaps.pack_detail(kinds)


def _count(session: Session, releases: Sequence[int], pages: Sequence[int], concepts: Column | None = None) -> None:
    """Count and store the unions of releases, or of some ascending concepts of them, that have none."""
    for shard in range(carriers.shards_of(counters.values(session))):
        unions: dict[int, dict[int, BitMap]] = {}
        for some in _portions(pages, _PAGES_AT_ONCE):
            pairs = knowledge_pages.read(session, releases, some)
            if concepts is not None:
                pairs = pairs.of_concepts(concepts)
            _unite(unions, pairs, carrier_sets.by_class(session, shard, np.unique(pairs.variant)))
        rows = ((one, shard, *_packed(kinds)) for one, kinds in sorted(unions.items()))
        session.insert_rows("knowledge_union", _UNION, rows)


def _unite(unions: dict[int, dict[int, BitMap]], pairs: Pairs, found: ClassedCarriers) -> None:
    """Add the carriers of some variants to the unions of their concepts."""
    common = pairs.of_variants(np.array(sorted(found.rows), dtype=np.int64))
    for variant_id, concept in zip(common.variant.tolist(), common.concept.tolist(), strict=True):
        _add(unions.setdefault(concept, {}), found.rows[variant_id])
    rows, concepts = _concepts_of(pairs, found.variant)
    keys = _keys(concepts, found.source_class[rows], found.member[rows])
    for concept, kinds in _unions(np.unique(keys)).items():
        _add(unions.setdefault(concept, {}), kinds)


def _add(union: dict[int, BitMap], kinds: dict[int, BitMap]) -> None:
    for kind, bits in kinds.items():
        if kind in union:
            union[kind] |= bits
        else:
            union[kind] = bits.copy()
