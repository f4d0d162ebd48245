"""Calls that touch a range, or that are a variant, whatever build they are stored on.

A range is compared only with placements of its own build. Calls of the other build are found where the chain's blocks
lead into the range; calls that have no place on the asked build are compared with the lifted range, and only where
there are such calls and the range cannot be lifted does the question fail. Positions are zero-based, half-open.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.errors import LiftoverFailed
from app.records import Build
from app.store import calls, variants
from app.store.calls import CallSet, Chunks, Stretch, bin_runs
from app.store.codec import BIN, CallChunk, Placed
from app.store.session import Session
from app.variants.accessions import locate
from app.variants.interval import Interval
from app.variants.liftover import Liftover
from app.variants.placement import Placement

Ints = NDArray[np.signedinteger[Any]]

_PAD = 10_000
"""Bases around a range whose counterparts are read too: a change can be rolled further on one build than on the other,
into bases that have no counterpart"""


@dataclass(frozen=True, slots=True)
class Segment:
    """Calls of one chunk that belong to an answer: row numbers, and their starts on the build that was asked."""

    call_set: CallSet
    contig: int
    chunk: CallChunk
    rows: Ints
    starts: Ints


@dataclass(frozen=True, slots=True)
class _Search:
    """Where calls of one call set can touch one range."""

    call_set: CallSet
    contig: int
    start: int
    end: int
    own: bool
    """The range is on the call set's build"""
    lifted: tuple[int, int] | None
    """The range on the call set's build, for calls without a place on the asked one"""
    runs: tuple[tuple[int, int], ...]


class RangeMatcher:
    """Finds the calls of some call sets in some ranges with two statements at the most."""

    def __init__(self, session: Session, liftover: Liftover, *, widen_max: int) -> None:
        self._session = session
        self._liftover = liftover
        self._widen_max = widen_max
        self.notes: dict[Interval, str] = {}
        """Ranges that were compared in another form than was asked, and in which"""

    def find(self, call_sets: Sequence[CallSet], ranges: Sequence[Interval]) -> tuple[list[list[Segment]], Lookups]:
        """Return the segments of each range, and the placements that only the variant table knows.

        Raises:
            LiftoverFailed: a call has no place on the asked build, and the range has none on the call's.
        """
        searches = [[self._search(call_set, asked) for call_set in call_sets] for asked in ranges]
        stretches = [
            Stretch(s.call_set.shard, s.call_set.call_set_id, s.contig, s.runs)
            for found in searches
            for s in found
            if s.runs
        ]
        chunks = calls.read_chunks(self._session, stretches)
        lookups = looked_up(self._session, chunks)
        return [[segment for s in found for segment in _touching(s, chunks, lookups)] for found in searches], lookups

    def _search(self, call_set: CallSet, asked: Interval) -> _Search:
        contig, builds = locate(asked.ref_seq)
        start, end = asked.start, max(asked.end, asked.start + 1)  # an empty range means the base at its start
        if call_set.build in builds:
            return _Search(call_set, contig, start, end, own=True, lifted=None, runs=bin_runs([(start, end)]))
        build = call_set.build.other
        near = self._liftover.source_intervals(build, contig, max(0, start - _PAD), end + _PAD)
        lifted = None
        if call_set.unplaced_on(contig):
            there = self._lift(build, asked, Interval(asked.ref_seq, start, end))
            lifted = (there.start, there.end)
            near = sorted([*near, lifted])
        return _Search(call_set, contig, start, end, own=False, lifted=lifted, runs=bin_runs(near))

    def _lift(self, build: Build, asked: Interval, interval: Interval) -> Interval:
        lifted = self._liftover.lift_range(build, interval, self._widen_max)
        if lifted.widened:
            self.notes[asked] = (
                f"Calls that are known on {build.other} only were compared with {lifted.interval}: an end of the range"
                f" has no place there and was moved outwards, by up to {lifted.widened} bases"
            )
        return lifted.interval


Lookups = Mapping[int, Placement]
"""Placements by variant id"""


def looked_up(session: Session, chunks: Chunks) -> Lookups:
    """Return the placements that do not follow from the chunks themselves, in one statement (none if all do)."""
    wanted: set[int] = set()
    for found in chunks.values():
        for _, chunk in found:
            special = [code for code, placement in enumerate(chunk.placements) if placement.placed is Placed.LOOKUP]
            if special:
                wanted.update(chunk.variant[np.isin(chunk.placement, special)].tolist())
    return variants.placements_of(session, sorted(wanted))


def _touching(search: _Search, chunks: Chunks, lookups: Lookups) -> list[Segment]:
    segments = []
    firsts = {first for first, _ in search.runs}
    for bin_, chunk in chunks.get((search.call_set.call_set_id, search.contig), ()):
        if not any(first <= bin_ <= last for first, last in search.runs):
            continue
        # A call that began in an earlier bin was seen there.
        earliest = 0 if bin_ in firsts else bin_ * BIN
        if search.own:
            starts, rows = chunk.start, _rows_within(chunk, search.start, search.end, earliest)
        else:
            ends = chunk.end()
            starts, other_ends = on_other_build(chunk, ends, search.call_set.build, lookups)
            hit = _overlaps(starts, other_ends, search.start, search.end) & (starts >= 0) & (chunk.start >= earliest)
            if search.lifted is not None:
                nowhere = starts < 0
                hit |= nowhere & _overlaps(chunk.start, ends, *search.lifted) & (chunk.start >= earliest)
                starts = np.where(nowhere, chunk.start, starts)
            rows = np.flatnonzero(hit)
        if len(rows):
            segments.append(Segment(search.call_set, search.contig, chunk, rows, starts[rows]))
    return segments


def _rows_within(chunk: CallChunk, low: int, high: int, earliest: int) -> Ints:
    """Return the rows that touch [low, high) on the native build and start at ``earliest`` or later.

    Starts are sorted: those inside need no look at their ends, and only a long allele can reach in from before.
    """
    starts = chunk.start
    first = int(starts.searchsorted(max(low, earliest)))
    rows = np.arange(first, max(first, int(starts.searchsorted(high))))
    span, unchanged = chunk.extent()
    if span > 1 and earliest < low:
        before = np.arange(int(starts.searchsorted(max(earliest, low - span + 1))), first)
        if len(before):
            reaching = before[chunk.end()[before] > low]
            rows = np.concatenate((reaching, rows)) if len(reaching) else rows
    if unchanged:
        rows = rows[~np.isin(chunk.allele[rows], unchanged)]  # these are calls on the other build only
    return rows


def _overlaps(starts: Ints, ends: Ints, low: int, high: int) -> NDArray[np.bool_]:
    """Return which intervals touch [low, high); one without bases touches where the base after it is inside."""
    touching: NDArray[np.bool_] = (starts < high) & ((ends > low) | ((ends == starts) & (starts >= low)))
    return touching


def on_other_build(chunk: CallChunk, ends: Ints, build: Build, lookups: Lookups) -> tuple[Ints, Ints]:
    """Return the intervals of a chunk's calls on the other build; -1 where there is none."""
    placed = np.array([placement.placed for placement in chunk.placements], dtype=np.int64)[chunk.placement]
    offset = np.array([placement.offset for placement in chunk.placements], dtype=np.int64)[chunk.placement]
    starts = np.select([placed == Placed.FORWARD, placed == Placed.REVERSE], [chunk.start + offset, offset - ends], -1)
    other_ends = np.where(starts >= 0, starts + (ends - chunk.start), -1)
    for row in np.flatnonzero(placed == Placed.LOOKUP).tolist():
        spdi = lookups[int(chunk.variant[row])].on(build.other)
        if spdi is not None:
            starts[row], other_ends[row] = spdi.position, spdi.end
    return starts, other_ends


class VariantMatcher:
    """Finds the calls that are one of some variants, with three statements at the most."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def find(
        self, call_sets: Sequence[CallSet], asked: Sequence[Placement], texts: Sequence[str]
    ) -> tuple[list[list[Segment]], Lookups]:
        """Return the segments of each variant, and the placements that only the variant table knows.

        Raises:
            LiftoverFailed: a variant is known on one build only, and there are calls with a place on the other only.
        """
        for placement, text in zip(asked, texts, strict=True):
            for call_set in call_sets:
                if placement.on(call_set.build) is None and call_set.unplaced_on(placement.contig):
                    raise LiftoverFailed(f"Failed LiftOver. Variant: {text}", parameter="variants")
        stored = variants.find(self._session, asked)
        stretches = [
            Stretch(call_set.shard, call_set.call_set_id, placement.contig, bin_runs([(spdi.position, spdi.position)]))
            for known in stored
            for placement in known.values()
            for call_set in call_sets
            if (spdi := placement.on(call_set.build)) is not None
        ]
        chunks = calls.read_chunks(self._session, stretches)
        lookups = looked_up(self._session, chunks)
        return [_being(known, call_sets, chunks) for known in stored], lookups


def calls_at(session: Session, call_set: CallSet, contig: int, starts: Sequence[int]) -> tuple[list[Segment], Lookups]:
    """Return every call of one call set that starts at one of some places of its own build."""
    runs = bin_runs([(start, start) for start in sorted(starts)])
    chunks = calls.read_chunks(session, [Stretch(call_set.shard, call_set.call_set_id, contig, runs)])
    segments = []
    for bin_, chunk in chunks.get((call_set.call_set_id, contig), ()):
        # A call that reaches into a further bin is stored there, too.
        rows = np.flatnonzero(np.isin(chunk.start, starts) & (chunk.start // BIN == bin_))
        if len(rows):
            segments.append(Segment(call_set, contig, chunk, rows, chunk.start[rows]))
    return segments, looked_up(session, chunks)


def _being(known: Mapping[int, Placement], call_sets: Sequence[CallSet], chunks: Chunks) -> list[Segment]:
    segments = []
    for variant_id, placement in known.items():
        for call_set in call_sets:
            spdi = placement.on(call_set.build)
            if spdi is None:
                continue
            for bin_, chunk in chunks.get((call_set.call_set_id, placement.contig), ()):
                if bin_ == spdi.position // BIN:
                    rows = np.flatnonzero(chunk.variant == variant_id)
                    if len(rows):
                        segments.append(Segment(call_set, placement.contig, chunk, rows, chunk.start[rows]))
    return segments
