"""How far a structural variant reaches where its ends are not exact, and the same on the other build.

An extent has a nominal interval, an outer one that certainly holds the event and, unless the uncertainty of both ends
meets in the middle, an inner one that the event certainly holds. An insertion has no bases: its nominal interval is
empty, its outer one goes from the first to the last point where it may be. Zero-based, half-open.

>>> Extent(100, 200, 95, 210, 105, 190).search
(95, 210)
>>> Extent(100, 100, 95, 105).search
(95, 106)
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from app.records import Build, LiftStatus
from app.variants.liftover import Liftover


class Relation(StrEnum):
    """How an event lies to a range: it may touch it, or one of its intervals holds it."""

    INTERSECTS = "intersects"
    NOMINAL = "nominal"
    INNER = "inner"
    OUTER = "outer"


@dataclass(frozen=True, slots=True)
class Extent:
    """Intervals of one structural variant on one build; the inner ends are -1 where there is no inner interval."""

    start: int
    end: int
    outer_start: int
    outer_end: int
    inner_start: int = -1
    inner_end: int = -1

    @property
    def is_point(self) -> bool:
        """Return whether the event lies between two bases."""
        return self.start == self.end

    @property
    def search(self) -> tuple[int, int]:
        """Return the interval that a range must touch to meet the event.

        An insertion is met by a range that has the base after it.
        """
        return self.outer_start, self.outer_end + self.is_point


@dataclass(frozen=True, slots=True)
class LiftedExtent:
    """An extent on the other build, None unless the status says that it is placed."""

    extent: Extent | None
    status: LiftStatus


def lift_extent(liftover: Liftover, source: Build, contig: int, extent: Extent) -> LiftedExtent:
    """Return the extent on the other build: every interval by its two ends, which must stay together."""
    lifted: list[tuple[int, int]] = []
    status, turned = LiftStatus.OK, None
    intervals = [(extent.start, extent.end), (extent.outer_start, extent.outer_end)]
    if extent.inner_start >= 0:
        intervals.append((extent.inner_start, extent.inner_end))
    for start, end in intervals:
        # A point is the seam of two bases, so a window of points reaches one base further on both sides.
        found = liftover.lift_ends(source, contig, start - extent.is_point, end + extent.is_point)
        status = found.status
        if not status.placed:
            return LiftedExtent(None, status)
        if turned is not None and turned != found.reverse:
            return LiftedExtent(None, LiftStatus.SPLIT)
        turned = found.reverse
        lifted.append((found.start + extent.is_point, found.end - extent.is_point))
    (start, end), (outer_start, outer_end), *inner = lifted
    if extent.is_point and start != end:
        return LiftedExtent(None, LiftStatus.SPLIT)  # the other build has bases where the insertion is
    inner_start, inner_end = inner[0] if inner else (-1, -1)
    placed = Extent(start, end, outer_start, outer_end, inner_start, inner_end)
    if not outer_start <= start <= end <= outer_end or (inner and not start <= inner_start < inner_end <= end):
        return LiftedExtent(None, LiftStatus.SPLIT)
    return LiftedExtent(placed, status)
