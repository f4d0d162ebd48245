"""Merged stretches of one sequence, and ranges merged over sequences: union, clipping, what is left over.

Zero-based, half-open. Stretches are sorted and disjoint; those that touch are one.

>>> clip(stretches([(10, 20), (30, 40)]), 15, 35)
(array([15, 30]), array([20, 35]))
>>> without(stretches([(10, 20)]), stretches([(12, 15)]))
(array([10, 15]), array([12, 20]))
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from app.variants.interval import Interval

Stretches: TypeAlias = tuple[NDArray[np.int64], NDArray[np.int64]]
"""Starts and ends"""

NOTHING: Stretches = (np.empty(0, np.int64), np.empty(0, np.int64))


def stretches(pairs: Iterable[tuple[int, int]]) -> Stretches:
    """Return pairs (start, end) in any order as stretches."""
    flat = np.array(list(pairs), np.int64).reshape(-1, 2)
    return union(flat[:, 0], flat[:, 1])


def union(starts: NDArray[np.int64], ends: NDArray[np.int64]) -> Stretches:
    """Sort and merge intervals that may overlap; empty ones are dropped."""
    kept = starts < ends
    starts, ends = starts[kept], ends[kept]
    order = np.argsort(starts, kind="stable")
    starts, ends = starts[order], np.maximum.accumulate(ends[order])
    if not len(starts):
        return NOTHING
    begins = np.concatenate(([True], starts[1:] > ends[:-1]))
    return starts[begins], ends[np.append(np.flatnonzero(begins)[1:] - 1, len(ends) - 1)]


def joined(parts: Sequence[Stretches]) -> Stretches:
    """Return what is in any of several lists of intervals."""
    if not parts:
        return NOTHING
    return union(np.concatenate([starts for starts, _ in parts]), np.concatenate([ends for _, ends in parts]))


def clip(found: Stretches, low: int, high: int) -> Stretches:
    """Return what lies inside [low, high)."""
    starts, ends = found
    first, last = int(ends.searchsorted(low, "right")), int(starts.searchsorted(high))
    if first >= last or low >= high:
        return NOTHING
    return np.maximum(starts[first:last], low), np.minimum(ends[first:last], high)


def without(found: Stretches, gone: Stretches) -> Stretches:
    """Return what is in the first and not in the second."""
    if not len(gone[0]) or not len(found[0]):
        return found
    # Each edge changes how many lists of either kind are open; a stretch is wanted where one is and the other is not.
    edges = np.concatenate((*found, *gone))
    steps = np.repeat([1, -1, -2, 2], [len(found[0]), len(found[1]), len(gone[0]), len(gone[1])])
    places, which = np.unique(edges, return_inverse=True)
    depth = np.cumsum(np.bincount(which, steps, len(places)))
    wanted = np.flatnonzero(depth[:-1] == 1)
    return union(places[wanted], places[wanted + 1])


def covers(found: Stretches, low: int, high: int) -> bool:
    """Return whether every base of [low, high) is in one stretch or several."""
    starts, ends = found
    at = int(starts.searchsorted(low, "right")) - 1
    return at >= 0 and bool(ends[at] >= high)


def touches(found: Stretches, low: int, high: int) -> bool:
    """Return whether any base of [low, high) is in a stretch."""
    starts, ends = found
    at = int(ends.searchsorted(low, "right"))
    return low < high and at < len(starts) and bool(starts[at] < high)


def merge(ranges: Iterable[Interval]) -> list[Interval]:
    """Return ranges merged where they overlap or touch, sequence by sequence; an empty one stands for its base."""
    by_sequence: dict[str, list[tuple[int, int]]] = {}
    for one in ranges:
        by_sequence.setdefault(one.ref_seq, []).append((one.start, max(one.end, one.start + 1)))
    return [
        Interval(ref_seq, start, end)
        for ref_seq, pairs in by_sequence.items()
        for start, end in zip(*(column.tolist() for column in stretches(pairs)), strict=True)
    ]
