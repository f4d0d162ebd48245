"""The tables of transcripts, and how a transcript becomes a row of them.

Positions are zero-based, half-open; ranges are found by bins, as in
https://genome.ucsc.edu/goldenPath/help/hgTracksHelp.html#binning.

>>> bin_of(0, 100), bin_of(131_000, 132_000)
(585, 73)
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from types import MappingProxyType
from typing import Final

import orjson

from app.records import Build
from app.variants.accessions import accession
from app.variants.transcripts import Alignment, Exon, Transcript

NUMBERS: Final = {Build.GRCH37: 37, Build.GRCH38: 38}
BUILDS: Final = {number: build for build, number in NUMBERS.items()}
_REMEMBERED = 2048
_BIN_SHIFTS = ((17, 585), (20, 73), (23, 9), (26, 1), (29, 0))
"""Size of the bins of each level as a power of two, and the number of its first bin."""

SCHEMA: Final = """
CREATE TABLE source (
    ordinal INTEGER PRIMARY KEY, name TEXT NOT NULL, sha256 TEXT NOT NULL UNIQUE, transcripts INTEGER NOT NULL
);
CREATE TABLE transcript (
    id INTEGER PRIMARY KEY, accession TEXT NOT NULL UNIQUE, base TEXT NOT NULL, version INTEGER NOT NULL,
    symbol TEXT COLLATE NOCASE, hgnc TEXT, gene INTEGER, protein_base TEXT, worth INTEGER NOT NULL, record BLOB NOT NULL
);
CREATE TABLE alignment (
    build INTEGER NOT NULL, contig INTEGER NOT NULL, bin INTEGER NOT NULL, transcript INTEGER NOT NULL,
    start INTEGER NOT NULL, stop INTEGER NOT NULL, PRIMARY KEY (build, contig, bin, transcript)
) WITHOUT ROWID;
CREATE INDEX transcript_base ON transcript (base);
CREATE INDEX transcript_symbol ON transcript (symbol);
CREATE INDEX transcript_hgnc ON transcript (hgnc);
CREATE INDEX transcript_gene ON transcript (gene);
CREATE INDEX alignment_transcript ON alignment (transcript);
CREATE INDEX transcript_protein ON transcript (protein_base);
"""


def packed(transcript: Transcript) -> bytes:
    """Return what has no column of its own, as compact JSON."""
    places = [
        [NUMBERS[a.build], a.contig, a.reverse, [[e.start, e.end, e.tx_start, e.tx_end, e.gap] for e in a.exons]]
        for _, a in sorted(transcript.alignments.items())
    ]
    return orjson.dumps([transcript.protein, transcript.biotype, transcript.mane, transcript.cds, places])


@lru_cache(maxsize=_REMEMBERED)
def unpacked(
    name: str,
    symbol: str | None,
    hgnc: str | None,
    record: bytes,
    feature: tuple[str | None, str | None] = (None, None),
) -> Transcript:
    """Return the transcript of a row, completed by the MANE tag and the protein that feature files have.

    The last ones are remembered, since neighbours share them.
    """
    protein, biotype, mane, cds, places = orjson.loads(record)
    mane_of_feature, protein_of_feature = feature
    alignments = {}
    for number, contig, reverse, exons in places:
        build = BUILDS[number]
        alignments[build] = Alignment(
            build, contig, accession(build, contig), reverse, tuple(Exon(*exon) for exon in exons)
        )
    return Transcript(
        name,
        symbol,
        hgnc,
        protein or protein_of_feature,
        biotype,
        mane_of_feature or mane,
        (cds[0], cds[1]) if cds else None,
        MappingProxyType(alignments),
    )


def bin_of(start: int, stop: int) -> int:
    """Return the smallest bin that holds all of [start, stop)."""
    for shift, first in _BIN_SHIFTS:
        if start >> shift == (stop - 1) >> shift:
            return first + (start >> shift)
    return 0


def overlap(build: Build, contig: int, start: int, end: int) -> tuple[str, Sequence[int]]:
    """Return a condition on rows with a range, and its values: that they share a base with [start, end)."""
    last = max(end, start + 1) - 1
    levels = [(first + (start >> shift), first + (last >> shift)) for shift, first in _BIN_SHIFTS]
    bins = " OR ".join(["bin BETWEEN ? AND ?"] * len(levels))
    values = (NUMBERS[build], contig, *(edge for level in levels for edge in level), last, start)
    return f"build = ? AND contig = ? AND ({bins}) AND start <= ? AND stop > ?", values
