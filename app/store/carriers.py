"""Who carries a variant: counting with bitmaps, and merging what an ingest adds or withdraws.

A subject counts once however many tests carry the variant. Counts of AND and OR add up over shards, so the work is
bounded by the number of shards and never by the number of carriers. Within a shard, a variant with few carriers lives
on a page that it shares with its neighbours (``carrier_page``), one with many has a row of its own (``carrier``).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import chain, pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pyroaring import BitMap

from app.records import SourceClass
from app.store import bitmaps, counters
from app.store.bitmaps import PAGE_BITS, PAGE_LIMIT, SHARD_BITS, Column
from app.store.session import Session

NDBool = NDArray[np.bool_]

Shards = dict[int, BitMap]
"""Members by shard"""


def fetch(
    session: Session, variant_ids: Sequence[int], source_class: SourceClass | None, *, shards: int | None = None
) -> dict[int, Shards]:
    """Return the carriers of variants, in two statements at the most.

    ``shards`` is the number of shards, if the caller knows it (``shards_of``).
    """
    detail = ", detail" if source_class is not None else ""
    rows = session.run(
        f"select variant_id, shard, members{detail} from carrier where variant_id {session.in_ints('ids')}",
        {"ids": session.int_list(variant_ids)},
    )
    found: dict[int, Shards] = {variant_id: {} for variant_id in variant_ids}
    for variant_id, shard, members, *rest in rows:
        bits = bitmaps.members_of_class(members, rest[0], source_class) if rest else bitmaps.unpack(members)
        found[variant_id][shard] = bits
    for variant_id, shard, kind, member in _on_pages(session, {i: len(at) for i, at in found.items()}, shards):
        chosen = member if source_class is None else member[kind >> 4 == source_class]
        if len(chosen):
            found[variant_id][shard] = BitMap(chosen.astype(np.uint32))
    return found


def united(
    session: Session, groups: Sequence[Sequence[int] | Column], classes: Collection[SourceClass] | None, *, shards: int
) -> list[Shards]:
    """Return who carries any variant of each group, in two statements at the most for all groups.

    Rare variants, which are most of a group, are taken off their pages together and not one by one.
    """
    wanted = [_ascending(np.asarray(group, dtype=np.int64)) for group in groups]
    ids = _ascending(np.concatenate([np.zeros(0, dtype=np.int64), *wanted]))
    if not len(ids):
        return [{} for _ in groups]
    in_rows: dict[int, list[tuple[int, BitMap]]] = {}
    for variant_id, shard, members, detail in _rows_of(session, ids):
        bits = bitmaps.members_of_classes(members, detail, classes)
        in_rows.setdefault(variant_id, []).append((shard, bits))
    with_rows = np.array(list(in_rows), dtype=np.int64)
    in_every_shard = np.array([id_ for id_, rows in in_rows.items() if len(rows) == shards], dtype=np.int64)
    on_pages = _entries_of(session, ids[~np.isin(ids, in_every_shard)] if len(in_every_shard) else ids, classes)
    joined = []
    for chosen in wanted:
        found: dict[int, list[BitMap]] = {}
        for variant_id in with_rows[np.isin(with_rows, chosen)].tolist() if len(with_rows) else ():
            for shard, bits in in_rows[variant_id]:
                found.setdefault(shard, []).append(bits)
        for shard, (variant, member) in on_pages.items() if len(chosen) else ():
            at = np.minimum(chosen.searchsorted(variant), len(chosen) - 1)
            some = member[chosen[at] == variant]
            if len(some):
                found.setdefault(shard, []).append(BitMap(some.astype(np.uint32)))
        whole = {shard: bits[0] if len(bits) == 1 else BitMap.union(*bits) for shard, bits in found.items()}
        joined.append({shard: bits for shard, bits in whole.items() if bits})
    return joined


def _ascending(numbers: Column) -> Column:
    """Return distinct numbers, sorted; ``numpy.unique`` takes ten times as long for what is nearly sorted."""
    ordered = np.sort(numbers)
    fresh = np.ones(len(ordered), dtype=bool)
    fresh[1:] = ordered[1:] != ordered[:-1]
    return ordered[fresh]


_DENSE = 8
"""Where so many numbers, or fewer, come on each variant asked for, a walk over all rows among them costs less"""


def _rows_of(session: Session, ids: Column) -> list[tuple[Any, ...]]:
    """Return (variant, shard, members, detail) of the sorted variants that have a row of their own."""
    sql = "select variant_id, shard, members, detail from carrier where variant_id"
    first, last = int(ids[0]), int(ids[-1])
    if last - first >= _DENSE * len(ids):
        return session.run(f"{sql} {session.in_ints('ids')}", {"ids": session.int_list(ids.tolist())})
    rows = session.run(f"{sql} between :first and :last", {"first": first, "last": last})
    asked = np.isin([row[0] for row in rows], ids) if rows else np.zeros(0, dtype=bool)
    return [rows[at] for at in np.flatnonzero(asked).tolist()]


def _entries_of(
    session: Session, variant_ids: Column, classes: Collection[SourceClass] | None
) -> dict[int, tuple[Column, Column]]:
    """Return the (variant, member) columns of the pages that some variants are on, by shard."""
    pages = _ascending(variant_ids >> PAGE_BITS).tolist()
    if not pages:
        return {}
    rows = session.run(
        f"select page, shard, data from carrier_page where page {session.in_ints('pages')}",
        {"pages": session.int_list(pages)},
    )
    parts: dict[int, list[tuple[Column, Column]]] = {}
    for page, shard, data in rows:
        variant, kind, member = bitmaps.unpack_page(page, data)
        if classes is not None:
            chosen = np.isin(kind >> 4, list(classes))
            variant, member = variant[chosen], member[chosen]
        parts.setdefault(shard, []).append((variant, member))
    return {
        shard: (np.concatenate([v for v, _ in found]), np.concatenate([m for _, m in found]))
        for shard, found in parts.items()
    }


def count(session: Session, variant_ids: Sequence[int], *, shards: int | None = None) -> dict[int, int]:
    """Return the exact number of carriers of each variant, without reading a bitmap."""
    rows = session.run(
        f"select variant_id, count(*), sum(n) from carrier where variant_id {session.in_ints('ids')}"
        " group by variant_id",
        {"ids": session.int_list(variant_ids)},
    )
    totals = dict.fromkeys(variant_ids, 0)
    in_rows = dict.fromkeys(variant_ids, 0)
    for variant_id, found, n in rows:
        totals[variant_id] = int(n)
        in_rows[variant_id] = found
    for variant_id, _, _, member in _on_pages(session, in_rows, shards):
        totals[variant_id] += 1 + int(np.count_nonzero(np.diff(member)))  # a member may be there with several kinds
    return totals


def shards_of(totals: Mapping[str, int]) -> int:
    """Return the number of shards from the counters."""
    return bitmaps.shard_of(max(0, totals.get(counters.SUBJECT_ORDINAL, 0) - 1)) + 1


def _on_pages(
    session: Session, in_rows: Mapping[int, int], shards: int | None
) -> Iterator[tuple[int, int, Column, Column]]:
    """Walk (variant, shard, kinds, members) of the page entries of variants that have not a row in every shard."""
    known = shards_of(counters.values(session)) if shards is None else shards
    asked: dict[int, list[int]] = {}
    for variant_id, found in in_rows.items():
        if found < known:
            asked.setdefault(variant_id >> PAGE_BITS, []).append(variant_id)
    if not asked:
        return
    rows = session.run(
        f"select page, shard, data from carrier_page where page {session.in_ints('pages')}",
        {"pages": session.int_list(list(asked))},
    )
    for page, shard, data in rows:
        variant, kind, member = bitmaps.unpack_page(page, data)
        for variant_id in asked[page]:
            low, high = variant.searchsorted((variant_id, variant_id + 1)).tolist()
            if low < high:
                yield variant_id, shard, kind[low:high], member[low:high]


def carried_from(session: Session, first: int) -> set[int]:
    """Return the ids of the variants numbered from ``first`` that somebody carries."""
    ids = {row[0] for row in session.run("select variant_id from carrier where variant_id >= :first", {"first": first})}
    for page, data in session.run(
        "select page, data from carrier_page where page >= :page", {"page": first >> PAGE_BITS}
    ):
        ids.update(bitmaps.unpack_page(page, data)[0].tolist())
    return {variant_id for variant_id in ids if variant_id >= first}


def waiting_from(session: Session, first: int) -> set[int]:
    """Return the ids of the variants numbered from ``first`` that unfinished runs will add carriers to."""
    found: set[int] = set()
    for (data,) in session.run("select data from carrier_delta"):
        variant, _, _ = bitmaps.unpack_delta(data)
        found.update(variant[variant >= first].tolist())
    return found


def union(sets: Iterable[Shards]) -> Shards:
    """Return who is in any of the sets."""
    joined: dict[int, list[BitMap]] = {}
    for shard, bits in chain.from_iterable(shards.items() for shards in sets):
        joined.setdefault(shard, []).append(bits)
    return {shard: bits[0] if len(bits) == 1 else BitMap.union(*bits) for shard, bits in joined.items()}


def intersection(sets: Sequence[Shards]) -> Shards:
    """Return who is in every one of the sets."""
    if not sets:
        return {}
    common = set(sets[0]).intersection(*sets[1:])
    return {shard: BitMap.intersection(*(shards[shard] for shards in sets)) for shard in common}


def intersection_count(sets: Sequence[Shards]) -> int:
    """Return how many are in every one of the sets."""
    if len(sets) == 2:
        left, right = sets
        return sum(bits.intersection_cardinality(right[shard]) for shard, bits in left.items() if shard in right)
    return size(intersection(sets))


def without(members: Shards, others: Shards) -> Shards:
    """Return who is in a set and not in another one."""
    left = {shard: bits - others[shard] if shard in others else bits for shard, bits in members.items()}
    return {shard: bits for shard, bits in left.items() if bits}


def size(shards: Mapping[int, BitMap]) -> int:
    """Return how many there are."""
    return sum(len(bits) for bits in shards.values())


def ordinals(shards: Mapping[int, BitMap]) -> list[int]:
    """Return the ordinals, ascending."""
    return [(shard << SHARD_BITS) + low for shard in sorted(shards) for low in shards[shard]]


_CARRIER = ("variant_id", "shard", "n", "members", "detail")
_PAGE = ("page", "shard", "data")


def merge(session: Session, variant: Column, ordinal: Column, kind: Column) -> None:
    """Add carriers, given as parallel columns."""
    for shard, chosen in _by_shard(ordinal):
        _merge_shard(session, shard, variant[chosen], kind[chosen], ordinal[chosen] & bitmaps.LOW)


def _by_shard(ordinal: Column) -> Iterator[tuple[int, NDBool]]:
    """Walk the shards of some subjects, with the rows that are theirs."""
    shards = ordinal >> SHARD_BITS
    for shard in np.unique(shards).tolist():
        yield shard, shards == shard


def _merge_shard(session: Session, shard: int, variant: Column, kind: Column, member: Column) -> None:
    in_rows = _merge_rows(session, shard, variant, kind, member)
    variant, kind, member = variant[~in_rows], kind[~in_rows], member[~in_rows]
    if not len(variant):
        return
    pages = np.unique(variant >> PAGE_BITS).tolist()
    newest = session.run("select coalesce(max(page), -1) from carrier_page where shard = :shard", {"shard": shard})[0][
        0
    ]
    stored = _read_pages(session, shard, [page for page in pages if page <= newest])
    variant = np.concatenate([variant, *(entries[0] for entries in stored.values())])
    kind = np.concatenate([kind, *(entries[1] for entries in stored.values())])
    member = np.concatenate([member, *(entries[2] for entries in stored.values())])
    variant, kind, member = _distinct(variant, kind, member)
    crowded = _crowded(variant, member)
    if crowded.any():
        rows = [(variant_id, shard, *packed) for variant_id, packed in _packed(variant, kind, member, crowded)]
        session.insert_rows("carrier", _CARRIER, rows)
        variant, kind, member = variant[~crowded], kind[~crowded], member[~crowded]
    _write_pages(session, shard, pages, set(stored), (variant, kind, member))


def _merge_rows(session: Session, shard: int, variant: Column, kind: Column, member: Column) -> NDBool:
    """Add to variants that have a row of their own, and return which entries these were."""
    newest = session.run("select coalesce(max(variant_id), -1) from carrier")[0][0]
    old = np.unique(variant[variant <= newest]).tolist()
    stored = _read_rows(session, shard, old)
    in_rows = np.isin(variant, list(stored)) if stored else np.zeros(len(variant), dtype=bool)
    merged = {}
    for variant_id, kinds in _by_kind(variant, kind, member, in_rows):
        for known, bits in bitmaps.unpack_detail(*stored[variant_id]).items():
            kinds[known] = kinds.get(known, BitMap()) | bits
        merged[variant_id] = kinds
    _write_rows(session, shard, merged)
    return in_rows


def _read_rows(session: Session, shard: int, variant_ids: Sequence[int]) -> dict[int, tuple[bytes, bytes]]:
    """Return the members and the detail, packed, of the variants that have a row of their own."""
    if not variant_ids:
        return {}
    rows = session.run(
        f"select variant_id, members, detail from carrier where shard = :shard and variant_id {session.in_ints('ids')}",
        {"shard": shard, "ids": session.int_list(variant_ids)},
    )
    return {variant_id: (members, detail) for variant_id, members, detail in rows}


def _write_rows(session: Session, shard: int, rows: Mapping[int, dict[int, BitMap]]) -> None:
    """Write variants that have a row of their own, by kind; one without carriers loses its row."""
    changed: list[tuple[int, bytes, bytes, int, int]] = []
    emptied: list[tuple[int, int]] = []
    for variant_id, kinds in rows.items():
        carried = {kind: bits for kind, bits in kinds.items() if bits}
        if carried:
            changed.append((*_pack(carried), variant_id, shard))
        else:
            emptied.append((variant_id, shard))
    session.run_many("update carrier set n = ?, members = ?, detail = ? where variant_id = ? and shard = ?", changed)
    session.run_many("delete from carrier where variant_id = ? and shard = ?", emptied)


def _by_kind(variant: Column, kind: Column, member: Column, chosen: NDBool) -> Iterable[tuple[int, dict[int, BitMap]]]:
    """Walk the chosen entries by variant."""
    order = np.flatnonzero(chosen)
    order = order[np.argsort(variant[order], kind="stable")]
    bounds = [0, *(np.flatnonzero(np.diff(variant[order])) + 1).tolist(), len(order)]
    for low, high in pairwise(bounds):
        if low < high:
            rows = order[low:high]
            kinds = kind[rows]
            yield (
                int(variant[rows[0]]),
                {k: BitMap(member[rows[kinds == k]].astype(np.uint32)) for k in np.unique(kinds).tolist()},
            )


def _packed(
    variant: Column, kind: Column, member: Column, chosen: NDBool
) -> Iterable[tuple[int, tuple[int, bytes, bytes]]]:
    for variant_id, kinds in _by_kind(variant, kind, member, chosen):
        yield variant_id, _pack(kinds)


def _pack(kinds: dict[int, BitMap]) -> tuple[int, bytes, bytes]:
    everyone = BitMap.union(*kinds.values())
    return len(everyone), bitmaps.pack(everyone), bitmaps.pack_detail(kinds)


def _distinct(variant: Column, kind: Column, member: Column) -> tuple[Column, Column, Column]:
    order = np.lexsort((kind, member, variant))
    variant, kind, member = variant[order], kind[order], member[order]
    fresh = np.ones(len(order), dtype=bool)
    fresh[1:] = (np.diff(variant) != 0) | (np.diff(member) != 0) | (np.diff(kind) != 0)
    return variant[fresh], kind[fresh], member[fresh]


def _crowded(variant: Column, member: Column) -> NDBool:
    """Return which entries are of variants with too many members for a page; entries sorted by variant and member."""
    another = np.ones(len(variant), dtype=bool)
    another[1:] = (np.diff(variant) != 0) | (np.diff(member) != 0)
    ids, inverse = np.unique(variant, return_inverse=True)
    members = np.bincount(inverse, weights=another, minlength=len(ids))
    crowded: NDBool = (members > PAGE_LIMIT)[inverse]
    return crowded


def _read_pages(session: Session, shard: int, pages: Sequence[int]) -> dict[int, tuple[Column, Column, Column]]:
    if not pages:
        return {}
    rows = session.run(
        f"select page, data from carrier_page where shard = :shard and page {session.in_ints('pages')}",
        {"shard": shard, "pages": session.int_list(pages)},
    )
    return {page: bitmaps.unpack_page(page, data) for page, data in rows}


def _write_pages(
    session: Session, shard: int, pages: Sequence[int], stored: set[int], entries: tuple[Column, Column, Column]
) -> None:
    """Write pages from sorted entries; a page without entries has no row."""
    variant, kind, member = entries
    numbers = np.array(pages, dtype=np.int64)
    lows = np.searchsorted(variant, numbers << PAGE_BITS).tolist()
    highs = np.searchsorted(variant, (numbers + 1) << PAGE_BITS).tolist()
    fresh, changed, emptied = [], [], []
    for page, low, high in zip(pages, lows, highs, strict=True):
        if low == high:
            if page in stored:
                emptied.append((page, shard))
            continue
        data = bitmaps.pack_page(variant[low:high], kind[low:high], member[low:high])
        if page in stored:
            changed.append((data, page, shard))
        else:
            fresh.append((page, shard, data))
    session.insert_rows("carrier_page", _PAGE, fresh)
    session.run_many("update carrier_page set data = ? where page = ? and shard = ?", changed)
    session.run_many("delete from carrier_page where page = ? and shard = ?", emptied)


def withdraw(session: Session, variant: Column, ordinal: Column, kind: Column) -> None:
    """Remove carriers, given as parallel columns; what is not there needs no removing."""
    for shard, chosen in _by_shard(ordinal):
        _withdraw_shard(session, shard, variant[chosen], kind[chosen], ordinal[chosen] & bitmaps.LOW)


def _withdraw_shard(session: Session, shard: int, variant: Column, kind: Column, member: Column) -> None:
    stored = _read_rows(session, shard, np.unique(variant).tolist())
    in_rows = np.isin(variant, list(stored))
    left_in_rows = {}
    for variant_id, gone in _by_kind(variant, kind, member, in_rows):
        kinds = bitmaps.unpack_detail(*stored[variant_id])
        left_in_rows[variant_id] = {known: bits - gone.get(known, BitMap()) for known, bits in kinds.items()}
    _write_rows(session, shard, left_in_rows)
    variant, kind, member = variant[~in_rows], kind[~in_rows], member[~in_rows]
    pages = _read_pages(session, shard, np.unique(variant >> PAGE_BITS).tolist())
    if pages:
        entries = [np.concatenate(column) for column in zip(*pages.values(), strict=True)]
        kept = ~np.isin(_joint(*entries), _joint(variant, kind, member))
        left = _distinct(*(column[kept] for column in entries))
        _write_pages(session, shard, sorted(pages), set(pages), left)


def _joint(variant: Column, kind: Column, member: Column) -> Column:
    """Return one number for each entry of a shard."""
    joint: Column = (((variant << 8) | kind) << SHARD_BITS) | member
    return joint


def reset(session: Session, ordinal: int, remaining: Mapping[int, set[int]]) -> None:
    """Set the kinds that a subject has for some variants: variant id to kinds, none to remove the subject."""
    shard, member = bitmaps.shard_of(ordinal), ordinal & bitmaps.LOW
    stored = _read_rows(session, shard, sorted(remaining))
    changed = {}
    for variant_id, packed in stored.items():
        kinds = bitmaps.unpack_detail(*packed)
        for bits in kinds.values():
            bits.discard(member)
        for kind in remaining[variant_id]:
            kinds.setdefault(kind, BitMap()).add(member)
        changed[variant_id] = kinds
    _write_rows(session, shard, changed)
    _reset_pages(session, shard, member, {i: kinds for i, kinds in remaining.items() if i not in stored})


def _reset_pages(session: Session, shard: int, member: int, remaining: Mapping[int, set[int]]) -> None:
    pages = sorted({variant_id >> PAGE_BITS for variant_id in remaining})
    stored = _read_pages(session, shard, pages)
    if not stored:
        return
    variant, kind, members = (np.concatenate(column) for column in zip(*stored.values(), strict=True))
    gone = (members == member) & np.isin(variant, list(remaining))
    left = [(variant_id, k) for variant_id, kinds in remaining.items() for k in kinds]
    variant = np.concatenate([variant[~gone], np.array([i for i, _ in left], dtype=np.int64)])
    kind = np.concatenate([kind[~gone], np.array([k for _, k in left], dtype=np.int64)])
    members = np.concatenate([members[~gone], np.full(len(left), member, dtype=np.int64)])
    _write_pages(session, shard, sorted(stored), set(stored), _distinct(variant, kind, members))
