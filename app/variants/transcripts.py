"""Transcripts and genes: what they are called, what they encode, and how they lie on each build.

All positions are zero-based, half-open, on the chromosome as on the transcript.

>>> split_version("NM_007294.4")
('NM_007294', 4)
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, NamedTuple, Protocol

from app.records import Build
from app.variants.accessions import accession
from app.variants.interval import Interval

_VERSIONED = re.compile(r"(.+)\.([0-9]{1,9})")
_CIGAR_STEP = re.compile(r"([0-9]+)([=DI])")

MANE_SELECT: Final = "MANE Select"
MANE_PLUS_CLINICAL: Final = "MANE Plus Clinical"
MANE_WORTH: Final = MappingProxyType({MANE_SELECT: 2, MANE_PLUS_CLINICAL: 1})
MANE_SHIFT: Final = 50
"""Of ``Transcript.worth``, the first bit of what a tag is worth"""


class Segment(NamedTuple):
    """A stretch that lies on both sequences, or on one of them, where the other has an empty range."""

    start: int
    end: int
    tx_start: int
    tx_end: int


@dataclass(frozen=True, slots=True)
class Exon:
    """An exon, [start, end) on the chromosome and [tx_start, tx_end) on the transcript.

    ``gap`` says how the two align where they differ in length: a CIGAR in the direction of the transcript, in which
    ``D`` are bases of the transcript alone and ``I`` bases of the chromosome alone, as in the Universal Transcript
    Archive (https://github.com/biocommons/uta).
    """

    start: int
    end: int
    tx_start: int
    tx_end: int
    gap: str | None = None

    @property
    def cigar(self) -> str:
        """Return the alignment of the two ranges, also where they do not differ."""
        return self.gap or f"{self.end - self.start}="


@dataclass(frozen=True, slots=True)
class Alignment:
    """The place of a transcript on one build, with its exons in the order of the transcript."""

    build: Build
    contig: int
    ref_seq: str
    reverse: bool
    exons: tuple[Exon, ...]

    @property
    def start(self) -> int:
        """Return where the transcript starts on the chromosome, whatever its strand."""
        return min(self.exons[0].start, self.exons[-1].start)

    @property
    def end(self) -> int:
        """Return where the transcript ends on the chromosome, whatever its strand."""
        return max(self.exons[0].end, self.exons[-1].end)

    def segments(self) -> Iterator[Segment]:
        """Yield the stretches of the exons in the order of the transcript."""
        for exon in self.exons:
            if exon.gap is None:
                yield Segment(exon.start, exon.end, exon.tx_start, exon.tx_end)
            else:
                yield from _split(exon, reverse=self.reverse)


def _split(exon: Exon, *, reverse: bool) -> Iterator[Segment]:
    at, tx_at = exon.end if reverse else exon.start, exon.tx_start
    for size, kind in _CIGAR_STEP.findall(exon.cigar):
        step, tx_step = (0 if kind == "D" else int(size)), (0 if kind == "I" else int(size))
        low, high = (at - step, at) if reverse else (at, at + step)
        yield Segment(low, high, tx_at, tx_at + tx_step)
        at, tx_at = (low if reverse else high), tx_at + tx_step


@dataclass(frozen=True, slots=True)
class Transcript:
    """One version of a transcript; ``cds`` is its coding region on itself, None if it has none.

    ``gene`` is its present symbol, ``hgnc`` an identifier such as ``HGNC:1100``, ``mane`` the tag of the MANE project
    (https://www.ncbi.nlm.nih.gov/refseq/MANE/), if it bears one.
    """

    accession: str
    gene: str | None
    hgnc: str | None
    protein: str | None
    biotype: str | None
    mane: str | None
    cds: tuple[int, int] | None
    alignments: Mapping[Build, Alignment] = field(hash=False)

    @property
    def length(self) -> int:
        """Return the number of bases of the transcript."""
        return max(alignment.exons[-1].tx_end for alignment in self.alignments.values())

    @property
    def worth(self) -> int:
        """Return a number that is the greater the better a transcript stands for its gene.

        MANE Select comes before MANE Plus Clinical and before all others, curated ones of RefSeq before Ensembl's and
        those before predicted ones; then the longest coding region counts, then the longest transcript.
        """
        mane = MANE_WORTH.get(self.mane or "", 0)
        prefix = self.accession[:3]
        curated = 2 if prefix in ("NM_", "NR_") else 0 if prefix in ("XM_", "XR_") else 1
        coding = self.cds[1] - self.cds[0] if self.cds else 0
        return (mane << MANE_SHIFT) | (curated << 48) | (coding << 24) | self.length


@dataclass(frozen=True, slots=True)
class Gene:
    """A gene and, for each build, its range: the one that a feature file gives it, else that of all its transcripts."""

    symbol: str
    hgnc: str | None
    spans: Mapping[Build, Interval] = field(hash=False)


class Representative(NamedTuple):
    """The transcript that stands for a gene on one build, and its range on the chromosome."""

    start: int
    end: int
    accession: str


@dataclass(frozen=True, slots=True)
class TranscriptSource:
    """A file that transcripts were taken from: what it was called, its checksum, and how many it holds."""

    name: str
    sha256: str
    transcripts: int


@dataclass(frozen=True, slots=True)
class Protein:
    """A protein by its accession with version, what it is called, and the transcript that encodes it."""

    accession: str
    name: str | None
    transcript: str | None

    @property
    def rank(self) -> tuple[int, bool, int]:
        """Return what the newest statement has most of: its version, a name, the version of its transcript."""
        version, of_transcript = (split_version(text)[1] or 0 for text in (self.accession, self.transcript or ""))
        return version, self.name is not None, of_transcript


@dataclass(frozen=True, slots=True)
class FeatureSource:
    """A file that genes were taken from, of one build or, without one, HGNC's list, and how many it has."""

    build: Build | None
    name: str
    sha256: str
    genes: int


class Transcripts(Protocol):
    """What the rest of the program asks of the transcripts that are loaded."""

    @property
    def sources(self) -> tuple[TranscriptSource, ...]:
        """Return the files that they were taken from, in the order in which they were added."""

    @property
    def is_empty(self) -> bool:
        """Return whether there is no transcript at all."""

    def get(self, accession: str) -> Transcript | None:
        """Return a transcript by its accession with version."""

    def versions(self, base_accession: str) -> list[str]:
        """Return the known accessions of a transcript given without version, the oldest first."""

    def of_gene(self, symbol_or_hgnc: str) -> list[Transcript]:
        """Return the transcripts of a gene, by accession."""

    def overlapping(self, build: Build, contig: int, start: int, end: int) -> list[Transcript]:
        """Return the transcripts that share a base with [start, end), introns included; an empty range is its base."""

    def gene(self, symbol_or_hgnc: str) -> Gene | None:
        """Return a gene by its symbol, in any case, or by its HGNC identifier."""

    def genes_overlapping(self, build: Build, contig: int, start: int, end: int) -> list[Gene]:
        """Return the genes that share a base with [start, end); an empty range is its base."""

    def representatives(self, build: Build, contig: int) -> list[Representative]:
        """Return the transcript that stands for each gene of a chromosome, by place."""

    def genes_named(self, symbol_or_hgnc: str) -> list[Gene]:
        """Return the genes of a name: the one that bears it now, else those that bore it, else those also called so."""

    def protein(self, base_accession: str) -> Protein | None:
        """Return the newest version that is known of a protein given without version."""


def split_version(accession: str) -> tuple[str, int | None]:
    """Return an accession without its version, and the version, None if it has none."""
    match = _VERSIONED.fullmatch(accession)
    return (match[1], int(match[2])) if match else (accession, None)


class InMemoryTranscripts:
    """Transcripts held as objects, for tests and small tools; without any it stands for none loaded."""

    def __init__(self, transcripts: Iterable[Transcript] = ()) -> None:
        self._by_accession = {transcript.accession: transcript for transcript in transcripts}
        self.sources: tuple[TranscriptSource, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Return whether there is no transcript at all."""
        return not self._by_accession

    def get(self, accession: str) -> Transcript | None:
        """Return a transcript by its accession with version."""
        return self._by_accession.get(accession)

    def versions(self, base_accession: str) -> list[str]:
        """Return the known accessions of a transcript given without version, the oldest first."""
        known = [name for name in self._by_accession if split_version(name)[0] == base_accession]
        return sorted(known, key=lambda name: split_version(name)[1] or 0)

    def of_gene(self, symbol_or_hgnc: str) -> list[Transcript]:
        """Return the transcripts of a gene, by accession."""
        wanted = symbol_or_hgnc.upper()
        named = (item for item in self._by_accession.values() if item.gene)
        found = (item for item in named if wanted in ((item.gene or "").upper(), item.hgnc))
        return sorted(found, key=lambda item: item.accession)

    def overlapping(self, build: Build, contig: int, start: int, end: int) -> list[Transcript]:
        """Return the transcripts that share a base with [start, end), introns included; an empty range is its base."""
        asked = Interval(accession(build, contig), start, end)
        return [
            item
            for name, item in sorted(self._by_accession.items())
            if build in item.alignments and _span(item.alignments[build]).overlaps(asked)
        ]

    def gene(self, symbol_or_hgnc: str) -> Gene | None:
        """Return a gene by its symbol, in any case, or by its HGNC identifier."""
        found = self.of_gene(symbol_or_hgnc)
        if not found:
            return None
        spans: dict[Build, Interval] = {}
        for alignment in (alignment for item in found for alignment in item.alignments.values()):
            span = _span(alignment)
            known = spans.get(alignment.build, span)
            spans[alignment.build] = Interval(span.ref_seq, min(known.start, span.start), max(known.end, span.end))
        return Gene(found[0].gene or "", found[0].hgnc, MappingProxyType(spans))

    def genes_overlapping(self, build: Build, contig: int, start: int, end: int) -> list[Gene]:
        """Return the genes that share a base with [start, end); an empty range is its base."""
        asked = Interval(accession(build, contig), start, end)
        genes = (
            self.gene(symbol) for symbol in sorted({item.gene for item in self._by_accession.values() if item.gene})
        )
        return [gene for gene in genes if gene and build in gene.spans and gene.spans[build].overlaps(asked)]

    def representatives(self, build: Build, contig: int) -> list[Representative]:
        """Return the transcript that stands for each gene of a chromosome, by place."""
        best: dict[str, Transcript] = {}
        for item in self._by_accession.values():
            key = item.hgnc or item.gene
            if key is None or build not in item.alignments:
                continue
            if key not in best or _precedence(item) > _precedence(best[key]):
                best[key] = item
        places = (item.alignments[build] for item in best.values())
        found = [
            Representative(place.start, place.end, item.accession)
            for item, place in zip(best.values(), places, strict=True)
            if place.contig == contig
        ]
        return sorted(found)

    def genes_named(self, symbol_or_hgnc: str) -> list[Gene]:
        """Return the genes of a name, one or none."""
        found = self.gene(symbol_or_hgnc)
        return [found] if found else []

    def protein(self, base_accession: str) -> Protein | None:
        """Return the newest version that is known of a protein given without version."""
        known = [
            Protein(item.protein, None, name)
            for name, item in sorted(self._by_accession.items())
            if item.protein and split_version(item.protein)[0] == base_accession
        ]
        return max(known, key=lambda item: item.rank, default=None)


def _precedence(transcript: Transcript) -> tuple[int, int, str]:
    return transcript.worth, split_version(transcript.accession)[1] or 0, transcript.accession


def _span(alignment: Alignment) -> Interval:
    return Interval(alignment.ref_seq, alignment.start, alignment.end)
