"""Carriers of many variants at once: all of them by source class, or those that one subject carries.

Both read a shard's pages and rows in stretches and work on columns, because a condition can lead to 100,000 variants.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import compress
from typing import Any

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


def rows_with(column: Column, wanted: Column) -> NDArray[np.intp]:
    """Return the rows of an ascending column that have one of some ascending values."""
    low, high = column.searchsorted(wanted), column.searchsorted(wanted, "right")
    sizes = high - low
    ends = np.cumsum(sizes)
    whole = int(ends[-1]) if len(ends) else 0
    rows: NDArray[np.intp] = np.arange(whole) + np.repeat(low - (ends - sizes), sizes)
    return rows


def by_class(session: Session, shard: int, wanted: Column) -> ClassedCarriers:
    """Return the carriers of some ascending variants in one shard."""
    rows: dict[int, dict[int, BitMap]] = {}
    none = np.empty(0, dtype=np.int64)
    columns: list[tuple[Column, Column, Column]] = [(none, none, none)]
    if len(wanted):
        for variant_id, members, detail in _rows_of(session, shard, wanted, "members, c.detail"):
            classes = rows[variant_id] = dict[int, BitMap]()
            for value, bits in bitmaps.unpack_detail(members, detail).items():
                known = classes.get(value & _CLASS)
                classes[value & _CLASS] = bits if known is None else known | bits
        for page, data in _pages_of(session, shard, wanted):
            variant, kind, member = bitmaps.unpack_page(page, data)
            at = np.flatnonzero(is_in(variant, wanted))
            columns.append((variant[at], member[at], kind[at] & _CLASS))
    return ClassedCarriers(rows, *(np.concatenate(column) for column in zip(*columns, strict=True)))


def carried_by(session: Session, ordinal: int, wanted: BitMap64) -> list[int]:
    """Return those of some variants that a subject carries, ascending, by any test and source class."""
    if not wanted:
        return []
    shard, member = bitmaps.shard_of(ordinal), ordinal & bitmaps.LOW
    ids = np.array(wanted.to_array(), dtype=np.int64)
    found = {
        variant_id
        for variant_id, members in _rows_of(session, shard, ids, "members")
        if member in bitmaps.unpack(members)
    }
    for page, data in _pages_of(session, shard, ids):
        variant, _, members = bitmaps.unpack_page(page, data)
        own = variant[members == member]
        if len(own):
            found.update(own[is_in(own, ids)].tolist())
    return sorted(found)


def _pages_of(session: Session, shard: int, ids: Column) -> list[tuple[Any, ...]]:
    """Return (page, data) of the pages that some variants are on, in the order of the pages."""
    return session.run(
        f"select page, data from carrier_page where page {session.in_ints('pages')} and shard = :shard order by page",
        {"pages": session.int_list(np.unique(ids >> PAGE_BITS).tolist()), "shard": shard},
    )


def _rows_of(session: Session, shard: int, ids: Column, columns: str) -> Iterator[tuple[Any, ...]]:
    """Yield (variant id, ...) of those of some ascending variants that have rows of their own in a shard."""
    pages = np.unique(ids >> PAGE_BITS)
    if len(ids) < _DENSE * len(pages):
        yield from session.run(
            f"select c.variant_id, c.{columns} from carrier c"
            f" where c.variant_id {session.in_ints('ids')} and c.shard = :shard",
            {"ids": session.int_list(ids.tolist()), "shard": shard},
        )
        return
    breaks = np.flatnonzero(np.diff(pages) > 1)
    first, last = pages[np.r_[0, breaks + 1]], pages[np.r_[breaks, len(pages) - 1]]
    stretches = [(first << PAGE_BITS).tolist(), (((last + 1) << PAGE_BITS) - 1).tolist()]
    table, parameters = session.integer_rows(("low", "high"), stretches)
    rows = session.run(
        f"select c.variant_id, c.{columns} from {table} k cross join carrier c"
        " where c.variant_id between k.low and k.high and c.shard = :shard",
        {**parameters, "shard": shard},
    )
    asked = is_in(np.array([row[0] for row in rows], dtype=np.int64), ids).tolist()
    yield from compress(rows, asked)


def is_in(values: Column, wanted: Column) -> NDArray[np.bool_]:
    """Return which values are among some ascending ones."""
    if not len(wanted):
        return np.zeros(len(values), dtype=np.bool_)
    at = np.minimum(wanted.searchsorted(values), len(wanted) - 1)
    found: NDArray[np.bool_] = wanted[at] == values
    return found
