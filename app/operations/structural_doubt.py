"""What structural variants of a subject leave open of the places that a test called as the reference.

A reference call assumes that the place is there, in the usual number of copies. In a deletion, a duplication or another
change of the number of copies it is not, so there, as far as the event may reach, such a call shows nothing. Inversions
and breakends leave open the bases at their junctions, and all of an inversion whose ends are not known; an insertion
leaves open the point at which it lies, or every base of the window in which it may lie. Positions are zero-based,
half-open.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from app.errors import LiftoverFailed
from app.records import Build, SourceClass, StructuralKind
from app.store import structural_calls, structural_sites
from app.store.calls import CallSet
from app.store.coverage import Study
from app.store.session import Session
from app.store.structural_codec import StructuralChunk
from app.store.structural_sites import StructuralSite
from app.variants.accessions import accession, locate
from app.variants.extent import Extent
from app.variants.interval import Interval
from app.variants.liftover import Liftover
from app.variants.normalize import trim

_BOTH_SIDES = 1
"""Bases on each side of a junction"""


@dataclass(frozen=True, slots=True)
class Doubt:
    """Bases that a structural variant leaves open, or the point before a base (start = end), and why."""

    start: int
    end: int
    reason: str

    def is_about(self, low: int, high: int, *, inserts: bool) -> bool:
        """Return whether a change of the bases [low, high) is left open; ``inserts`` if it may lie beside them."""
        if self.start < self.end:
            return self.start < high and self.end > low
        return low <= self.start <= high if inserts else low < self.start < high


def that_count(study: Study, call_sets: Sequence[CallSet]) -> list[CallSet]:
    """Return those call sets of a subject whose structural variants count against the reference calls of a test.

    Those of the test and of its specimen do, and whatever may be in the germline, hence in every specimen: a reader who
    sees the answer of the test alone would not hear of them.
    """
    return [
        one
        for one in call_sets
        if one.study_id == study.study_id
        or one.source_class is not SourceClass.SOMATIC
        or (one.specimen_id is not None and one.specimen_id == study.specimen_id)
    ]


@dataclass(frozen=True, slots=True)
class _Hit:
    """A structural call that may reach a place; ``extent`` is on the build of the place, None where it has none.

    ``lifted`` is the place on the build of such a call, None where nobody can tell.
    """

    call_set: CallSet
    site: int
    extent: Extent | None
    is_native: bool
    lifted: tuple[int, int] | None = None


def doubts(
    session: Session, liftover: Liftover, places: Sequence[tuple[Sequence[CallSet], Interval]], *, widen_max: int
) -> list[list[Doubt]]:
    """Return what is left open of each place, given with the call sets that count there; two statements at the most."""
    keys = [(one.shard, one.call_set_id, locate(place.ref_seq)[0]) for call_sets, place in places for one in call_sets]
    chunks = structural_calls.read_chunks(session, keys)
    if not chunks:
        return [[] for _ in places]
    search = _Search(liftover, chunks, widen_max)
    hits = [list(search.hits(call_sets, place)) for call_sets, place in places]
    sites = structural_sites.fetch(session, sorted({hit.site for found in hits for hit in found}))
    return [
        [doubt for hit in found for doubt in _left_open(hit, sites[hit.site], place)]
        for found, (_, place) in zip(hits, places, strict=True)
    ]


class _Search:
    """Finds the structural calls that may reach a place."""

    def __init__(
        self, liftover: Liftover, chunks: dict[tuple[int, int], list[StructuralChunk]], widen_max: int
    ) -> None:
        self._liftover = liftover
        self._chunks = chunks
        self._widen_max = widen_max
        self._lifted: dict[tuple[Build, Interval], tuple[int, int] | None] = {}

    def hits(self, call_sets: Sequence[CallSet], place: Interval) -> Iterator[_Hit]:
        contig, builds = locate(place.ref_seq)
        for call_set in call_sets:
            for chunk in self._chunks.get((call_set.call_set_id, contig), ()):
                is_native = call_set.build in builds
                ends = chunk.native if is_native else chunk.other
                placed = ends[0] >= 0
                near = placed & (ends[2] - _BOTH_SIDES < place.end) & (ends[3] + _BOTH_SIDES > place.start)
                for row in np.flatnonzero(near).tolist():
                    yield _Hit(call_set, int(chunk.site[row]), Extent(*ends[:, row].tolist()), is_native=is_native)
                if not placed.all():
                    there = self._lift(call_set.build, place)
                    for row in np.flatnonzero(~placed).tolist():
                        yield _Hit(call_set, int(chunk.site[row]), None, is_native=False, lifted=there)

    def _lift(self, build: Build, place: Interval) -> tuple[int, int] | None:
        key = build, place
        if key not in self._lifted:
            try:
                there = self._liftover.lift_range(build.other, place, self._widen_max).interval
                self._lifted[key] = there.start, there.end
            except LiftoverFailed:
                self._lifted[key] = None
        return self._lifted[key]


def _left_open(hit: _Hit, site: StructuralSite, place: Interval) -> Iterator[Doubt]:
    reason = _reason(hit.call_set, site)
    extent = hit.extent if hit.extent is not None and not hit.is_native else _of_bases(site)
    found = [Doubt(*ends, reason) for ends in open_bases(site.kind, extent, imprecise=site.imprecise)]
    if hit.extent is not None:
        yield from found
    elif hit.lifted is None or any(one.is_about(*hit.lifted, inserts=True) for one in found):
        # Where the place cannot be found on the build of the event, nobody can tell whether it is reached.
        yield Doubt(place.start, place.end, reason)


def open_bases(kind: StructuralKind, extent: Extent, *, imprecise: bool) -> list[tuple[int, int]]:
    """Return the bases of which a reference call shows nothing, and (p, p) for the point before a base."""
    outer, point = (extent.outer_start, extent.outer_end), extent.start
    if kind is StructuralKind.INS:
        if outer == (point, point) and not imprecise:
            return [outer]
        return [(max(0, outer[0] - _BOTH_SIDES), outer[1] + _BOTH_SIDES)]
    if kind is not StructuralKind.INV:
        return [outer]
    # The base before the event belongs to the interval, so the first junction lies after the first base of it.
    first = outer[0], extent.inner_start + 1 + _BOTH_SIDES
    last = extent.inner_end - _BOTH_SIDES, outer[1] + _BOTH_SIDES
    is_stated = outer != (extent.start, extent.end) or (extent.inner_start, extent.inner_end) != outer
    knows_ends = extent.inner_start >= 0 and (is_stated or not imprecise)
    return [first, last] if knows_ends and first[1] < last[0] else [(outer[0], last[1])]


def _of_bases(site: StructuralSite) -> Extent:
    """Return the extent on the build of the report; of a deletion that is written in bases, those that it takes."""
    extent = site.native
    is_exact = (extent.outer_start, extent.outer_end) == (extent.start, extent.end) and not site.imprecise
    if site.kind is not StructuralKind.DEL or not is_exact or not site.alt.isalpha() or len(site.ref) < len(site.alt):
        return extent
    start, deleted, _ = trim(extent.start, site.ref, site.alt)
    end = start + len(deleted)
    return Extent(start, end, start, end, start, end) if extent.start <= start < end <= extent.end else extent


def _reason(call_set: CallSet, site: StructuralSite) -> str:
    name = accession(call_set.build, site.contig)
    reach = f"{name}:{site.native.outer_start}-{site.native.outer_end}"
    return f"{site.kind.name} of test {call_set.test_id}, at the most {reach}"
