"""A piecewise straight map of one chromosome of a build onto the same chromosome of the other build.

The chromosome is cut at ``bounds`` into consecutive stretches; each either has a counterpart (``OK``), has none
(``UNMAPPED``) or has it on another sequence (``OTHER_CONTIG``). A stretch with a counterpart takes position ``p`` to
``base + sign * p``, ``sign`` being -1 where the other build carries the stretch turned round. All positions are
zero-based, all intervals half-open.

>>> import numpy as np
>>> stretch = Segments.of([(100, 110, 1100, 1)])
>>> stretch.lift_interval(104, 106)
LiftedInterval(start=1104, end=1106, reverse=False, status=<LiftStatus.OK: 0>)
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from app.records import LiftStatus

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Codes = npt.NDArray[np.uint8]

_BEFORE_ALL = -(2**62)


@dataclass(frozen=True, slots=True)
class LiftedInterval:
    """One interval on the other build; ``start`` and ``end`` are -1 unless the status says that it is placed."""

    start: int
    end: int
    reverse: bool
    status: LiftStatus


@dataclass(frozen=True, slots=True)
class LiftedBatch:
    """Columns of lifted intervals in the order of the question; -1 where a row is not placed."""

    start: Ints
    end: Ints
    reverse: Bools
    status: Codes

    @classmethod
    def unplaced(cls, rows: int, status: LiftStatus) -> Self:
        """Return a batch of ``rows`` intervals that all fail for the same reason."""
        nowhere = np.full(rows, -1, dtype=np.int64)
        return cls(nowhere, nowhere.copy(), np.zeros(rows, dtype=np.bool_), np.full(rows, status, dtype=np.uint8))


class Segments:
    """The stretches of one chromosome, looked up by bisection."""

    __slots__ = (
        "_bases",
        "_bounds",
        "_ends_so_far",
        "_image",
        "_signs",
        "_statuses",
        "base",
        "bounds",
        "sign",
        "status",
    )

    def __init__(self, bounds: Ints, base: Ints, sign: Ints, status: Codes) -> None:
        """Take the columns of consecutive stretches; the first starts before every position, the last has no end."""
        self.bounds, self.base, self.sign, self.status = bounds, base, sign, status
        # Single questions go through plain lists: bisect on them is ten times faster than numpy on one element.
        self._bounds: list[int] = bounds.tolist()
        self._bases: list[int] = base.tolist()
        self._signs: list[int] = sign.tolist()
        self._statuses: list[int] = status.tolist()
        self._image = self._index_image()
        self._ends_so_far = np.maximum.accumulate(self._image[1]) if self._image.size else self._image[1]

    @classmethod
    def of(cls, blocks: Iterable[tuple[int, int, int, int]], other: Iterable[tuple[int, int]] = ()) -> Self:
        """Build the map from disjoint (start, end, image of start, sign) blocks and intervals lost to other contigs."""
        rows = [(start, end, image - sign * start, sign, int(LiftStatus.OK)) for start, end, image, sign in blocks]
        rows += [(start, end, 0, 1, int(LiftStatus.OTHER_CONTIG)) for start, end in other]
        return cls.joined(np.array(sorted(rows), dtype=np.int64).reshape(len(rows), 5))

    @classmethod
    def joined(cls, rows: Ints) -> Self:
        """Build the map from sorted disjoint rows (start, end, base, sign, status), filling the gaps between them."""
        gap = (0, 1, int(LiftStatus.UNMAPPED))
        bounds, columns = [_BEFORE_ALL], [gap]
        for start, end, *column in rows.tolist():
            stretch = (column[0], column[1], column[2])
            if bounds[-1] == start:  # the gap that the row before opened at its end has no bases
                bounds.pop()
                columns.pop()
            if columns[-1] != stretch:
                bounds.append(start)
                columns.append(stretch)
            bounds.append(end)
            columns.append(gap)
        table = np.array(columns, dtype=np.int64)
        return cls(np.array(bounds, dtype=np.int64), table[:, 0], table[:, 1], table[:, 2].astype(np.uint8))

    def lift_batch(self, starts: Ints, ends: Ints) -> LiftedBatch:
        """Lift intervals by their first and last base; an empty one by the two bases that it lies between."""
        starts, ends = np.asarray(starts, dtype=np.int64), np.asarray(ends, dtype=np.int64)
        empty = ends == starts
        first = starts - empty
        span = ends - starts - 1 + 2 * empty  # distance between the two lifted bases
        at = np.searchsorted(self.bounds, first, side="right") - 1
        low, sign, status = self.base[at] + self.sign[at] * first, self.sign[at], self.status[at]
        wide = np.flatnonzero(span)
        if wide.size:
            last = first[wide] + span[wide]
            at_last = np.searchsorted(self.bounds, last, side="right") - 1
            high = self.base[at_last] + self.sign[at_last] * last
            together = (sign[wide] == self.sign[at_last]) & ((high - low[wide]) * sign[wide] == span[wide])
            status[wide] = _both(status[wide], self.status[at_last], together)
            low[wide] = np.minimum(low[wide], high)
        failed = status != LiftStatus.OK
        start = low + empty
        end = low + span + 1 - empty
        start[failed] = end[failed] = -1
        return LiftedBatch(start, end, (sign < 0) & ~failed, status)

    def lift_interval(self, start: int, end: int) -> LiftedInterval:
        """Lift one interval by the same rules as ``lift_batch``."""
        empty = start == end
        first, last = (start - 1, start) if empty else (start, end - 1)
        at = bisect_right(self._bounds, first) - 1
        status, sign = self._statuses[at], self._signs[at]
        low = self._bases[at] + sign * first
        if first != last:
            at_last = bisect_right(self._bounds, last) - 1
            high = self._bases[at_last] + self._signs[at_last] * last
            together = sign == self._signs[at_last] and (high - low) * sign == last - first
            status = _both_scalar(status, self._statuses[at_last], together)
            low = min(low, high)
        if status != LiftStatus.OK:
            return LiftedInterval(-1, -1, reverse=False, status=LiftStatus(status))
        return LiftedInterval(low + empty, low + last - first + 1 - empty, reverse=sign < 0, status=LiftStatus.OK)

    def source_intervals(self, start: int, end: int) -> list[tuple[int, int]]:
        """Return, sorted and merged, every interval whose bases lift into ``[start, end)``; none for an empty one."""
        if start >= end:
            return []
        # Images may overlap, so their ends are not sorted; the running maximum is.
        first = int(np.searchsorted(self._ends_so_far, start, side="right"))
        stop = int(np.searchsorted(self._image[0], end, side="left"))
        low, high, base, sign = (column[first:stop] for column in self._image)
        reached = high > start
        low, high = np.maximum(low[reached], start), np.minimum(high[reached], end) - 1
        base, sign = base[reached], sign[reached]
        source_first, source_last = (low - base) * sign, (high - base) * sign
        found = zip(
            np.minimum(source_first, source_last).tolist(),
            (np.maximum(source_first, source_last) + 1).tolist(),
            strict=True,
        )
        return _merged(sorted(found))

    def _index_image(self) -> Ints:
        """Return the columns (low, high, base, sign) of the placed stretches, sorted by their place."""
        placed = np.flatnonzero(self.status == LiftStatus.OK)
        base, sign = self.base[placed], self.sign[placed]
        first = base + sign * self.bounds[placed]
        last = base + sign * (self.bounds[placed + 1] - 1)
        image = np.stack([np.minimum(first, last), np.maximum(first, last) + 1, base, sign])
        return image[:, np.argsort(image[0], kind="stable")]


def _both(first: Codes, last: Codes, together: Bools) -> Codes:
    """Return the status of intervals from those of their two ends and whether these stayed ``together``."""
    status = np.maximum(first, last)
    status[(first != last) & (status == LiftStatus.OTHER_CONTIG)] = LiftStatus.SPLIT
    status[(first == LiftStatus.UNMAPPED) | (last == LiftStatus.UNMAPPED)] = LiftStatus.UNMAPPED
    status[(status == LiftStatus.OK) & ~together] = LiftStatus.SPLIT
    return status


def _both_scalar(first: int, last: int, together: bool) -> int:
    """Return what ``_both`` returns, for one interval."""
    if first == last == LiftStatus.OK:
        return LiftStatus.OK if together else LiftStatus.SPLIT
    if LiftStatus.UNMAPPED in (first, last):
        return LiftStatus.UNMAPPED
    return LiftStatus.OTHER_CONTIG if first == last else LiftStatus.SPLIT


def _merged(intervals: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Join sorted intervals that touch or overlap."""
    merged: list[tuple[int, int]] = []
    for start, end in intervals:
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return merged
