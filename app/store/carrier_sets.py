"""Carriers of many variants at once: all of them by source class, or those that one subject carries.

Both read a shard's pages and rows in stretches and work on columns, because a condition can lead to 100,000 variants.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pyroaring import BitMap, BitMap64

from app.store import bitmaps
from app.store.bitmaps import PAGE_BITS, Column
from app.store.session import Session

_CLASS = 0xF0
"""The bits of a carrier's kind that are its source class"""
_DENSE = 4
"""So many variants asked for on a page are sooner found by reading the page's stretch than one by one"""


@dataclass(frozen=True, slots=True)
class ClassedCarriers:
    """The carriers of some variants in one shard: those with rows of their own, and those on pages as columns."""

    rows: dict[int, dict[int, BitMap]]
    """Variant to source class (times 16) to members"""
    variant: Column
    """Ascending"""
    member: Column
    source_class: Column
    """Times 16"""

    def carried(self) -> BitMap64:
        """Return the variants that anybody carries."""
        return BitMap64([*self.rows, *np.unique(self.variant).tolist()])

    def united(self, variants: BitMap64) -> dict[int, BitMap]:
        """Return who carries any of some variants, by source class (times 16)."""
        found: dict[int, list[BitMap]] = {}
        on_pages = []
        for variant_id in variants:
            if variant_id in self.rows:
                for source_class, bits in self.rows[variant_id].items():
                    found.setdefault(source_class, []).append(bits)
            else:
                on_pages.append(variant_id)
        chosen = rows_with(self.variant, np.array(on_pages, dtype=np.int64))
        for source_class, bits in by_value(self.member[chosen], self.source_class[chosen]).items():
            found.setdefault(source_class, []).append(bits)
        return {source_class: BitMap.union(*parts) for source_class, parts in found.items()}


def rows_with(column: Column, wanted: Column) -> NDArray[np.intp]:
    """Return the rows of an ascending column that have one of some ascending values."""
    low, high = column.searchsorted(wanted), column.searchsorted(wanted, "right")
    sizes = high - low
    ends = np.cumsum(sizes)
    whole = int(ends[-1]) if len(ends) else 0
    rows: NDArray[np.intp] = np.arange(whole) + np.repeat(low - (ends - sizes), sizes)
    return rows


def by_value(members: Column, values: Column) -> dict[int, BitMap]:
    """Return the members that have each value."""
    return {value: BitMap(members[values == value].astype(np.uint32)) for value in np.unique(values).tolist()}


def by_class(session: Session, variant_ids: Sequence[int]) -> Iterator[tuple[int, ClassedCarriers]]:
    """Yield (shard, carriers) of some variants, shard by shard; a shard without any is left out."""
    wanted = np.array(sorted(variant_ids), dtype=np.int64)
    if not len(wanted):
        return
    rows: dict[int, dict[int, dict[int, BitMap]]] = {}
    for variant_id, shard, members, detail in session.run(
        f"select variant_id, shard, members, detail from carrier where variant_id {session.in_ints('ids')}",
        {"ids": session.int_list(wanted.tolist())},
    ):
        classes: dict[int, BitMap] = {}
        for value, bits in bitmaps.unpack_detail(members, detail).items():
            classes[value & _CLASS] = classes.get(value & _CLASS, BitMap()) | bits
        rows.setdefault(shard, {})[variant_id] = classes
    pages: dict[int, list[tuple[Column, Column, Column]]] = {}
    for page, shard, data in session.run(
        f"select page, shard, data from carrier_page where page {session.in_ints('pages')} order by page",
        {"pages": session.int_list(np.unique(wanted >> PAGE_BITS).tolist())},
    ):
        variant, kind, member = bitmaps.unpack_page(page, data)
        at = np.flatnonzero(_is_in(variant, wanted))
        if len(at):
            pages.setdefault(shard, []).append((variant[at], member[at], kind[at] & _CLASS))
    for shard in sorted(rows.keys() | pages.keys()):
        empty = np.empty(0, dtype=np.int64)
        parts = pages.get(shard, [(empty, empty, empty)])
        yield (
            shard,
            ClassedCarriers(rows.get(shard, {}), *(np.concatenate(column) for column in zip(*parts, strict=True))),
        )


def carried_by(session: Session, ordinal: int, wanted: BitMap64) -> list[int]:
    """Return those of some variants that a subject carries, ascending, by any test and source class."""
    if not wanted:
        return []
    shard, member = bitmaps.shard_of(ordinal), ordinal & bitmaps.LOW
    ids = np.array(wanted.to_array(), dtype=np.int64)
    pages = np.unique(ids >> PAGE_BITS)
    found = _in_rows(session, shard, member, ids, pages)
    for page, data in session.run(
        f"select page, data from carrier_page where page {session.in_ints('pages')} and shard = :shard",
        {"pages": session.int_list(pages.tolist()), "shard": shard},
    ):
        variant, _, members = bitmaps.unpack_page(page, data)
        own = variant[members == member]
        if len(own):
            found.update(own[_is_in(own, ids)].tolist())
    return sorted(found)


def _in_rows(session: Session, shard: int, member: int, ids: Column, pages: Column) -> set[int]:
    """Return those of some variants that a subject carries and that have rows of their own."""
    if len(ids) < _DENSE * len(pages):
        rows = session.run(
            f"select variant_id, members from carrier where variant_id {session.in_ints('ids')} and shard = :shard",
            {"ids": session.int_list(ids.tolist()), "shard": shard},
        )
        return {variant_id for variant_id, members in rows if member in bitmaps.unpack(members)}
    breaks = np.flatnonzero(np.diff(pages) > 1)
    first, last = pages[np.r_[0, breaks + 1]], pages[np.r_[breaks, len(pages) - 1]]
    stretches = [(first << PAGE_BITS).tolist(), (((last + 1) << PAGE_BITS) - 1).tolist()]
    table, parameters = session.integer_rows(("low", "high"), stretches)
    rows = session.run(
        f"select c.variant_id, c.members from {table} k cross join carrier c"
        " where c.variant_id between k.low and k.high and c.shard = :shard",
        {**parameters, "shard": shard},
    )
    asked = _is_in(np.array([variant_id for variant_id, _ in rows], dtype=np.int64), ids)
    return {
        variant_id
        for (variant_id, members), wanted in zip(rows, asked.tolist(), strict=True)
        if wanted and member in bitmaps.unpack(members)
    }


def _is_in(values: Column, wanted: Column) -> NDArray[np.bool_]:
    """Return which values are among some ascending ones."""
    at = np.minimum(wanted.searchsorted(values), len(wanted) - 1)
    found: NDArray[np.bool_] = wanted[at] == values
    return found
