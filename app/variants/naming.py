"""The gene, transcript and protein that stand for a variant, and what the variant is called on them.

One transcript stands for a gene: the one that the MANE project selected, or else the longest one
(``Transcript.worth``). Where several genes overlap, what matters more comes first: a coding exon, the two bases beside
one, another exon, an intron. Positions are zero-based, ranges half-open.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from app.records import Build
from app.variants.accessions import locate
from app.variants.coding_effect import CodingEffects
from app.variants.hgvs_coding import Along, CodingMap
from app.variants.reference import NoReference, ReferenceSequence
from app.variants.segments import Ints
from app.variants.spdi import Spdi
from app.variants.transcripts import Representative, Transcript, Transcripts

_REMEMBERED_MAPS = 1024
_SPLICE_SITE = 2
"""Bases of an intron beside an exon that the spliceosome reads"""


@dataclass(frozen=True, slots=True)
class Names:
    """What a variant is called along the transcript that stands for it, ``c.`` or ``n.``, and on its protein."""

    gene: str | None
    hgnc: str | None
    transcript: str
    coding: str
    protein: str | None
    """Accession of the protein, if it is known"""
    change: str | None
    """The ``p.`` text without the accession, None where the sequence that decides is not loaded"""


@dataclass(frozen=True, slots=True)
class _Index:
    """The representatives of one chromosome as columns, by start."""

    starts: Ints
    ends: Ints
    items: Sequence[Representative]


class Namer:
    """Names variants by the loaded transcripts and sequences; several threads may share it."""

    def __init__(self, transcripts: Transcripts, references: Mapping[Build, ReferenceSequence]) -> None:
        self._transcripts = transcripts
        self._references = references
        self._index = lru_cache(maxsize=None)(self._new_index)  # two builds of a few chromosomes
        self._map = lru_cache(maxsize=_REMEMBERED_MAPS)(self._new_map)
        self._effects = CodingEffects(references)

    def has_sequence(self, build: Build, change: Spdi) -> bool:
        """Return whether the bases that a change deletes are loaded, or for an insertion the one behind it."""
        reference = self._references.get(build, NoReference())
        return reference.fetch(change.ref_seq, change.position, max(change.end, change.position + 1)) is not None

    def names(self, change: Spdi) -> Names | None:
        """Return the names of a contextual change, None where no transcript that stands for a gene has it."""
        contig, builds = locate(change.ref_seq)
        build = max(builds)
        index = self._index(build, contig)
        low, high = change.position, max(change.end, change.position + 1)
        found = []
        for row in np.flatnonzero((index.starts <= low) & (index.ends >= high)).tolist():
            transcript = self._transcripts.get(index.items[row].accession)
            along = self._along(transcript, change, build) if transcript is not None else None
            if transcript is not None and along is not None:
                key = (_closeness(transcript, along), -transcript.worth, transcript.accession)
                found.append((key, transcript, along))
        if not found:
            return None
        _, transcript, along = min(found, key=lambda item: item[0])
        return self._named(transcript, along, build)

    def names_on(self, accession: str, change: Spdi) -> Names | None:
        """Return the names of a contextual change along one transcript, None where it is not known or has it not."""
        transcript = self._transcripts.get(accession)
        build = max(locate(change.ref_seq)[1])
        if transcript is None or build not in transcript.alignments:
            return None
        if transcript.alignments[build].ref_seq != change.ref_seq:
            return None
        along = self._along(transcript, change, build)
        return self._named(transcript, along, build) if along else None

    def _along(self, transcript: Transcript, change: Spdi, build: Build) -> Along | None:
        places = self._map(transcript.accession, build)
        return places.describe(change.position, change.deleted, change.inserted)

    def _named(self, transcript: Transcript, along: Along, build: Build) -> Names:
        effect = self._effects.effect(transcript, along, build) if transcript.cds else None
        change = effect.text if effect else None
        return Names(transcript.gene, transcript.hgnc, transcript.accession, along.text, transcript.protein, change)

    def _new_index(self, build: Build, contig: int) -> _Index:
        items = self._transcripts.representatives(build, contig)
        starts = np.array([item.start for item in items], dtype=np.int64)
        return _Index(starts, np.array([item.end for item in items], dtype=np.int64), items)

    def _new_map(self, accession: str, build: Build) -> CodingMap:
        transcript = self._transcripts.get(accession)
        assert transcript is not None  # noqa: S101 - it was found just now
        return CodingMap(transcript, transcript.alignments[build])


def _closeness(transcript: Transcript, along: Along) -> int:
    if along.depth > _SPLICE_SITE:
        return 3
    if along.depth:
        return 1 if transcript.cds else 2
    if transcript.cds is None:
        return 2
    if along.start is None or along.end is None:
        return 1
    start, end = transcript.cds
    return 0 if along.start < end and along.end > start else 2
