"""Structural calls of subjects, and sites of the whole store, that touch or hold a range, whatever build they are on.

A range is compared only with places on its own build. What has no place there is compared with the lifted range, and
only where there is such a thing and the range cannot be lifted does the question fail. Positions are zero-based,
half-open.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from app.errors import LiftoverFailed
from app.records import Build, SourceClass
from app.store import carriers, structural_calls, structural_sites
from app.store.calls import CallSet
from app.store.session import Session
from app.store.structural_codec import StructuralChunk
from app.store.structural_sites import Ints, Question
from app.variants.accessions import locate
from app.variants.extent import Relation
from app.variants.interval import Interval
from app.variants.liftover import Liftover


@dataclass(frozen=True, slots=True)
class StructuralHits:
    """Calls of one chunk that belong to an answer: row numbers, and their starts on the build that was asked."""

    call_set: CallSet
    contig: int
    chunk: StructuralChunk
    rows: Ints
    starts: Ints


@dataclass(frozen=True, slots=True)
class _Asked:
    """A range that has a base, with the builds of its sequence."""

    interval: Interval
    contig: int
    builds: frozenset[Build]
    start: int
    end: int

    @classmethod
    def of(cls, interval: Interval) -> _Asked:
        contig, builds = locate(interval.ref_seq)
        # An empty range means the base at its start.
        return cls(interval, contig, builds, interval.start, max(interval.end, interval.start + 1))

    @property
    def build(self) -> Build:
        return Build.GRCH38 if Build.GRCH38 in self.builds else Build.GRCH37


class StructuralMatcher:
    """Finds what lies to ranges as asked; ``notes`` tells of ranges that were compared in another form."""

    def __init__(self, session: Session, liftover: Liftover, relation: Relation, *, widen_max: int) -> None:
        self._session = session
        self._liftover = liftover
        self._relation = relation
        self._widen_max = widen_max
        self._lifted: dict[Interval, Interval] = {}
        self.notes: dict[Interval, str] = {}

    def calls(self, call_sets: Sequence[CallSet], ranges: Sequence[Interval]) -> list[list[StructuralHits]]:
        """Return the calls of some call sets for each range, with one statement.

        Raises:
            LiftoverFailed: a call has no place on the asked build, and the range has none on the call's.
        """
        questions = [_Asked.of(interval) for interval in ranges]
        keys = [(one.shard, one.call_set_id, asked.contig) for asked in questions for one in call_sets]
        chunks = structural_calls.read_chunks(self._session, keys)
        return [
            [
                hits
                for call_set in call_sets
                for chunk in chunks.get((call_set.call_set_id, asked.contig), ())
                if (hits := self._in_chunk(asked, call_set, chunk)) is not None
            ]
            for asked in questions
        ]

    def _in_chunk(self, asked: _Asked, call_set: CallSet, chunk: StructuralChunk) -> StructuralHits | None:
        ends = chunk.native if call_set.build in asked.builds else chunk.other
        starts = ends[0]
        hit = structural_sites.meets(chunk.kind, ends, asked.start, asked.end, self._relation)
        unplaced = starts < 0
        if unplaced.any():
            there = self._lift(asked)
            hit |= unplaced & structural_sites.meets(chunk.kind, chunk.native, there.start, there.end, self._relation)
            starts = np.where(unplaced, chunk.native[0], starts)
        rows = np.flatnonzero(hit)
        return StructuralHits(call_set, asked.contig, chunk, rows, starts[rows]) if len(rows) else None

    def sites(self, ranges: Sequence[Interval], source_class: SourceClass | None) -> list[list[int]]:
        """Return the sites for each range, with one statement a range and one for all.

        Raises:
            LiftoverFailed: somebody has a variant that has no place on the asked build, and the range has none on the
                variant's.
        """
        questions = [_Asked.of(interval) for interval in ranges]
        lost = structural_sites.with_unplaced(self._session, [(asked.build, asked.contig) for asked in questions])
        found = []
        for asked in questions:
            build, contig = asked.build, asked.contig
            ids = structural_sites.find(self._session, Question(build, contig, asked.start, asked.end, self._relation))
            if (build, contig) in lost:
                ids = [*ids, *self._without_place(asked, source_class)]
            found.append(ids)
        return found

    def _without_place(self, asked: _Asked, source_class: SourceClass | None) -> list[int]:
        build, contig = asked.build, asked.contig
        try:
            there = self._lift(asked)
        except LiftoverFailed:
            # Sites of ingests that are not complete, or of another class, are no reason to fail.
            ids = structural_sites.unplaced(self._session, build, contig)
            if any(carriers.fetch(self._session, ids, source_class).values()):
                raise
            return []
        question = Question(build.other, contig, there.start, there.end, self._relation, only_without=build)
        return structural_sites.find(self._session, question)

    def _lift(self, asked: _Asked) -> Interval:
        """Return the range on the other build."""
        known = self._lifted.get(asked.interval)
        if known is not None:
            return known
        interval = Interval(asked.interval.ref_seq, asked.start, asked.end)
        lifted = self._liftover.lift_range(asked.build, interval, self._widen_max)
        if lifted.widened:
            self.notes[asked.interval] = (
                f"Variants that are known on {asked.build.other} only were compared with {lifted.interval}: an end of"
                f" the range has no place there and was moved outwards, by up to {lifted.widened} bases"
            )
        self._lifted[asked.interval] = lifted.interval
        return lifted.interval
