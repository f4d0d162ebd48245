"""What a change along a transcript does to its protein, by the bases of one build that are loaded.

What is not certain is not said: nothing about residues where the coding region is no complete frame on the build at
hand, nothing where a stop codon decides that is read through, as in selenoproteins, and of a region that is loaded in
part only what the known codons tell. Positions are zero-based, half-open, on the coding region.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, auto
from functools import lru_cache
from typing import Final

from app.records import Build
from app.variants.accessions import MT
from app.variants.consequence_terms import (
    CODING_SEQUENCE,
    FRAMESHIFT,
    INFRAME_DELETION,
    START_LOST,
    START_RETAINED,
    STOP_GAINED,
    STOP_LOST,
    STOP_RETAINED,
    UTR_5,
)
from app.variants.hgvs_coding import Along
from app.variants.protein import NO_START, NOT_TOLD, UNKNOWN, Effect, Protein, length_term, substitution, translated
from app.variants.reference import NoReference, ReferenceSequence
from app.variants.transcript_bases import transcript_bases
from app.variants.transcripts import Transcript

_REMEMBERED = 512
_START: Final = "ATG"
_MITOCHONDRIAL_STARTS: Final = frozenset({"ATG", "ATA", "ATT", "ATC", "GTG"})
"""Codons that begin a protein in the vertebrate mitochondrial code, number 2 of NCBI's list"""
_READ_THROUGH: Final = "TGA"
_UNREADABLE: Final = "X"

UNDECIDED: Final = Effect(None, (CODING_SEQUENCE,))
"""The effect on a coding region where the bases that decide are not known"""


class _Reading(Enum):
    """How the coding region of a transcript can be read on one build."""

    WHOLE = auto()
    """One frame that ends with its only stop codon"""
    CODONS = auto()
    """The frame is known, but not all of it is loaded, or its stop codon is not part of it"""
    READ_THROUGH = auto()
    """One frame that ends with a stop codon, with TGA codons before it that do not stop"""
    NONE = auto()
    """No frame that could be trusted"""


class CodingEffects:
    """Tells effects on proteins; several threads may share it."""

    def __init__(self, references: Mapping[Build, ReferenceSequence]) -> None:
        self._references = references
        self._regions = lru_cache(maxsize=_REMEMBERED)(self._new_region)

    def effect(self, transcript: Transcript, along: Along, build: Build) -> Effect:
        """Return the effect of a change on a transcript that has a coding region.

        It has no terms where the change is not within the coding region or no part of one exon.
        """
        if along.start is None or along.end is None:
            return NOT_TOLD
        region = self._regions(transcript, build)
        return region.effect(along.start - region.first, along.end - region.first, along.inserted)

    def _new_region(self, transcript: Transcript, build: Build) -> _Region:
        reference = self._references.get(build, NoReference())
        alignment = transcript.alignments[build]
        if alignment.contig == MT and not reference.stretches(alignment.ref_seq):
            reference = self._references.get(build.other, reference)  # the builds share its sequence
        return _Region(transcript, build, reference)


class _Region:
    """The coding region of one transcript on one build."""

    def __init__(self, transcript: Transcript, build: Build, reference: ReferenceSequence) -> None:
        assert transcript.cds is not None  # noqa: S101 - callers look before they ask
        self.first = transcript.cds[0]
        self._length = transcript.cds[1] - transcript.cds[0]
        self._transcript = transcript
        self._sequence = {build: reference}
        self._mitochondrial = transcript.alignments[build].contig == MT
        trusted = self._mitochondrial or bool(transcript.mane) or transcript.accession[:3] in ("NM_", "XM_")
        self._has_start = trusted
        """Whether its first codon is known to start the protein"""
        self._protein: Protein | None = None
        self._to_the_end = False
        """Whether the bases behind the stop codon are known, up to the end of the transcript"""
        self._reading = self._read(trusted=trusted)

    def effect(self, start: int, end: int, inserted: str) -> Effect:
        """Return the effect of replacing [start, end)."""
        if end <= 0 or start >= self._length:
            return NOT_TOLD
        if start < 3:
            if len(inserted) != end - start and self._start_stays(start, end, inserted):
                return Effect(UNKNOWN, (START_RETAINED, UTR_5))
            early = self._on_start(start, end, inserted)
            if early is not None:
                return early
        if self._protein is not None:
            found = self._protein.effect(start, end, inserted)
            open_end = found.text is not None and (found.text == UNKNOWN or found.text.endswith("Ter?)"))
            return Effect(None, found.terms) if open_end and not self._to_the_end else found
        if self._reading is _Reading.NONE:
            return self._of_length(start, end, inserted)
        return self._of_codons(start, end, inserted)

    def _read(self, *, trusted: bool) -> _Reading:
        """Find out how the region can be read."""
        bases = self._bases(0, self._transcript.length - self.first)
        coding = bases[: self._length] if bases is not None else self._bases(0, self._length)
        whole_codons = self._length % 3 == 0
        if coding is None:
            return _Reading.CODONS if trusted and whole_codons else _Reading.NONE
        self._has_start |= coding[:3] == _START
        residues = translated(coding, self._mitochondrial)
        stop = residues.find("*")
        if _UNREADABLE in residues or not residues:
            return _Reading.NONE
        if whole_codons and stop == len(residues) - 1:
            self._to_the_end = bases is not None
            self._protein = Protein(bases or coding, self._length, mitochondrial=self._mitochondrial)
            return _Reading.WHOLE
        if stop < 0:
            # The stop codon is not in it, as where the tail of a mitochondrial transcript completes it.
            return _Reading.CODONS if trusted else _Reading.NONE
        if not whole_codons or not self._has_start or not residues.endswith("*") or self._mitochondrial:
            return _Reading.NONE
        inner = (coding[at * 3 : at * 3 + 3] for at, residue in enumerate(residues[:-1]) if residue == "*")
        return _Reading.READ_THROUGH if all(codon == _READ_THROUGH for codon in inner) else _Reading.NONE

    def _on_start(self, start: int, end: int, inserted: str) -> Effect | None:
        """Return the effect of a change that reaches the first codon; None where the codon stays as it is."""
        if not self._has_start:
            return UNDECIDED
        if start < 0:
            return Effect(NO_START, (START_LOST,))
        bases = self._bases(0, max(3, end) + 3)
        if bases is None:
            # As many bases in the place of others: the first and the last of them differ.
            return Effect(NO_START, (START_LOST,)) if len(inserted) == end - start else UNDECIDED
        codon = (bases[:start] + inserted + bases[end:])[:3]
        if codon == bases[:3]:
            return None
        if self._mitochondrial and codon in _MITOCHONDRIAL_STARTS:
            return Effect(None, (START_RETAINED,)) if len(inserted) == end - start and end <= 3 else UNDECIDED
        return Effect(NO_START, (START_LOST,))

    def _start_stays(self, start: int, end: int, inserted: str) -> bool:
        """Return whether the coding region has the same bases after a change in its start codon, only further on.

        ``c.1dup`` of ATG makes AATG: the name lies within the codon, and yet the codon is still there.
        """
        size = max(end, 3)
        low = max(-self.first, start - size)
        bases = self._bases(low, size)
        if bases is None:
            return False
        altered = bases[: start - low] + inserted + bases[end - low :]
        return altered.endswith(bases[-size:])

    def _of_codons(self, start: int, end: int, inserted: str) -> Effect:
        """Return what the codons that change tell by themselves."""
        size = length_term(end - start, len(inserted))
        if size == FRAMESHIFT or end > self._length - self._length % 3:
            return self._of_length(start, end, inserted)
        low, high = start - start % 3, end + -end % 3
        bases = self._bases(low, high)
        if bases is None:
            whole_codons = size == INFRAME_DELETION and start % 3 == 0 and start >= 3 and end <= self._length - 3
            return Effect(None, (INFRAME_DELETION,)) if whole_codons else UNDECIDED
        altered = bases[: start - low] + inserted + bases[end - low :]
        if self._reading is _Reading.READ_THROUGH and high <= self._length - 3 and _has_read_through(bases, altered):
            return UNDECIDED
        before, after = translated(bases, self._mitochondrial), translated(altered, self._mitochondrial)
        if _UNREADABLE in before + after:
            return UNDECIDED
        if size is None:
            said = substitution(bases, altered, low // 3, mitochondrial=self._mitochondrial)
            if said is not None:
                return said
            # Nothing is said about a stop codon that is not the last codon.
            if before != "*" or low != self._length - 3:
                return UNDECIDED
            return Effect(None, (STOP_RETAINED if after == "*" else STOP_LOST,))
        if "*" in before:
            return UNDECIDED
        return Effect(None, (STOP_GAINED, size) if "*" in after else (size,))

    def _of_length(self, start: int, end: int, inserted: str) -> Effect:
        """Return what the lengths tell by themselves, away from the start and the stop codon."""
        shifted = length_term(end - start, len(inserted)) == FRAMESHIFT
        return Effect(None, (FRAMESHIFT,)) if shifted and start >= 3 and end <= self._length - 3 else UNDECIDED

    def _bases(self, start: int, end: int) -> str | None:
        return transcript_bases(self._transcript, self._sequence, self.first + start, self.first + end)


def _has_read_through(*bases: str) -> bool:
    return any(text[at : at + 3] == _READ_THROUGH for text in bases for at in range(0, len(text), 3))
