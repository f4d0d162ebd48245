"""What a change of a chromosome does to the transcripts that it touches: terms, names, and the effect on the protein.

A change is judged where HGVS puts it: at the 3' end, along the transcript, of what its contextual form lets it move
over. Positions are zero-based, ranges half-open. docs/explanation/consequences.md has the definitions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np

from app.records import Build
from app.variants import accessions
from app.variants.accessions import locate
from app.variants.coding_effect import UNDECIDED, CodingEffects
from app.variants.consequence_places import SPLICE_REACH, Place, Places
from app.variants.consequence_terms import CODING_SEQUENCE, MODIFIER, impact_of, most_severe_first
from app.variants.hgvs_coding import CodingMap
from app.variants.hgvs_text import smallest_edit
from app.variants.protein import UNKNOWN
from app.variants.reference import ReferenceSequence
from app.variants.segments import Bools, Ints
from app.variants.spdi import Spdi, reverse_complement
from app.variants.transcripts import MANE_WORTH, Transcript, Transcripts

_REMEMBERED: Final = 2048
_STRIDE = 5_000_000
"""Bases of a chromosome whose transcripts are read at a time"""


@dataclass(frozen=True, slots=True)
class Consequence:
    """What a change does to one transcript.

    ``terms`` are names of the Sequence Ontology, the most severe first; ``coding`` is the ``c.`` or ``n.`` name with
    the accession, None where the change has none there; ``protein`` the ``p.`` text, None where it is not known.
    """

    transcript: str
    gene: str | None
    hgnc: str | None
    mane: str | None
    terms: tuple[str, ...]
    impact: str
    coding: str | None
    protein_accession: str | None
    protein: str | None


@dataclass(frozen=True, slots=True)
class _Index:
    """The transcripts of one chromosome by start; no end before a row is greater than its ``reach``.

    ``near_starts`` and ``near_ends`` are the exons with the splice regions beside them, joined where they overlap.
    """

    starts: Ints
    ends: Ints
    reach: Ints
    accessions: tuple[str, ...]
    near_starts: Ints
    near_ends: Ints


class _Model:
    """One transcript on one build: its exons and, made when it is first needed, its names."""

    __slots__ = ("build", "names", "places", "transcript")

    def __init__(self, transcript: Transcript, build: Build) -> None:
        alignment = transcript.alignments[build]
        self.transcript = transcript
        self.build = build
        self.places = Places(transcript, alignment)
        self.names = CodingMap(transcript, alignment)


class Predictor:
    """Predicts consequences by the loaded transcripts and sequences; several threads may share it."""

    def __init__(self, transcripts: Transcripts, references: Mapping[Build, ReferenceSequence]) -> None:
        self._transcripts = transcripts
        self._effects = CodingEffects(references)
        self._index = lru_cache(maxsize=None)(self._new_index)  # two builds of a few chromosomes
        self._model = lru_cache(maxsize=_REMEMBERED)(self._new_model)

    def predict(self, change: Spdi) -> list[Consequence]:
        """Return what a contextual change does to each transcript that it touches, those of MANE first, best first.

        An identity, which changes nothing, has no consequences.
        """
        if change.deleted == change.inserted:
            return []
        contig, builds = locate(change.ref_seq)
        strands = (_at(change, reverse=False), _at(change, reverse=True))
        found: dict[str, tuple[tuple[int, int, str], Consequence]] = {}
        for build in sorted(builds, reverse=True):
            for accession in self._touched(self._index(build, contig), change):
                if accession in found:
                    continue
                model = self._model(accession, build)
                place = model.places.place(*strands[model.places.reverse])
                if place is not None:
                    found[accession] = (_order(model.transcript), self._judged(model, change, place))
        return [consequence for _, consequence in sorted(found.values(), key=lambda item: item[0])]

    def exonic_rows(self, build: Build, contig: int, starts: Ints, ends: Ints) -> Bools:
        """Return which changes of [start, end) touch an exon of any transcript or the eight bases beside one.

        The ranges are to be those of contextual changes, since that is what may move; an insertion with start = end
        touches the bases on both sides of its place.
        """
        index = self._index(build, contig)
        found: Bools = np.zeros(len(starts), dtype=np.bool_)
        empty = starts == ends
        lows, highs = starts - empty, ends + empty
        at = np.searchsorted(index.near_ends, lows, side="right")
        inside = at < len(index.near_ends)
        found[inside] = index.near_starts[at[inside]] < highs[inside]
        return found

    def _touched(self, index: _Index, change: Spdi) -> list[str]:
        low, high = change.position, change.end
        first = int(np.searchsorted(index.reach, low, side="left"))
        last = int(np.searchsorted(index.starts, high, side="right"))
        rows = np.flatnonzero(index.ends[first:last] >= low)
        return [index.accessions[first + row] for row in rows.tolist()]

    def _judged(self, model: _Model, change: Spdi, place: Place) -> Consequence:
        transcript = model.transcript
        along = model.names.describe(change.position, change.deleted, change.inserted)
        terms, protein = place.terms, None
        if place.coding:
            # Without a name, or with one that reaches over the border of an exon, nobody can tell.
            effect = self._effects.effect(transcript, along, model.build) if along is not None else UNDECIDED
            terms += effect.terms or (CODING_SEQUENCE,)
            if effect.text != UNKNOWN:
                protein = effect.text
        return Consequence(
            transcript=transcript.accession,
            gene=transcript.gene,
            hgnc=transcript.hgnc,
            mane=transcript.mane if transcript.mane in MANE_WORTH else None,
            terms=most_severe_first(terms),
            impact=impact_of(terms) or MODIFIER,
            coding=along.text if along is not None else None,
            protein_accession=transcript.protein,
            protein=protein,
        )

    def _new_index(self, build: Build, contig: int) -> _Index:
        spans: dict[str, tuple[int, int]] = {}
        exons: set[tuple[int, int]] = set()
        for low in range(0, accessions.length(build, contig), _STRIDE):
            for transcript in self._transcripts.overlapping(build, contig, low, low + _STRIDE):
                if transcript.accession not in spans:
                    alignment = transcript.alignments[build]
                    spans[transcript.accession] = (alignment.start, alignment.end)
                    exons.update((exon.start, exon.end) for exon in alignment.exons)
        order = sorted(spans, key=lambda name: (spans[name], name))
        starts = np.array([spans[name][0] for name in order], dtype=np.int64)
        ends = np.array([spans[name][1] for name in order], dtype=np.int64)
        near_starts, near_ends = _joined(exons)
        return _Index(starts, ends, np.maximum.accumulate(ends), tuple(order), near_starts, near_ends)

    def _new_model(self, accession: str, build: Build) -> _Model:
        transcript = self._transcripts.get(accession)
        assert transcript is not None  # noqa: S101 - the index has it
        return _Model(transcript, build)


def _at(change: Spdi, *, reverse: bool) -> tuple[int, int]:
    """Return what the smallest edit replaces, at the 3' end of one strand and in its direction."""
    if reverse:
        edit = smallest_edit(reverse_complement(change.deleted), reverse_complement(change.inserted))
        origin = -change.end
    else:
        edit = smallest_edit(change.deleted, change.inserted)
        origin = change.position
    start = edit.end if edit.operation == "dup" else edit.start
    return origin + start, origin + edit.end


def _order(transcript: Transcript) -> tuple[int, int, str]:
    return -MANE_WORTH.get(transcript.mane or "", 0), -transcript.worth, transcript.accession


def _joined(exons: set[tuple[int, int]]) -> tuple[Ints, Ints]:
    """Return the starts and ends of exons, extended by the splice regions and joined where they touch."""
    if not exons:
        nothing = np.zeros(0, dtype=np.int64)
        return nothing, nothing
    rows = np.array(sorted(exons), dtype=np.int64)
    starts, ends = rows[:, 0] - SPLICE_REACH, np.maximum.accumulate(rows[:, 1] + SPLICE_REACH)
    first = np.flatnonzero(np.concatenate(([True], starts[1:] > ends[:-1])))
    return starts[first], ends[np.append(first[1:] - 1, len(ends) - 1)]
