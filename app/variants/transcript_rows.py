"""The tables of the file of transcripts, and how a transcript becomes a row of them.

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

FORMAT: Final = 2
NUMBERS: Final = {Build.GRCH37: 37, Build.GRCH38: 38}
BUILDS: Final = {number: build for build, number in NUMBERS.items()}
_REMEMBERED = 2048
_BIN_SHIFTS = ((17, 585), (20, 73), (23, 9), (26, 1), (29, 0))
"""Size of the bins of each level as a power of two, and the number of its first bin."""

SCHEMA: Final = f"""
CREATE TABLE source (
    ordinal INTEGER PRIMARY KEY, name TEXT NOT NULL, sha256 TEXT NOT NULL UNIQUE, transcripts INTEGER NOT NULL
);
CREATE TABLE gene (id INTEGER PRIMARY KEY, symbol TEXT NOT NULL COLLATE NOCASE, hgnc TEXT UNIQUE);
CREATE TABLE gene_name (hgnc TEXT PRIMARY KEY, symbol TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE gene_span (
    gene INTEGER NOT NULL, build INTEGER NOT NULL, contig INTEGER NOT NULL, bin INTEGER NOT NULL,
    start INTEGER NOT NULL, stop INTEGER NOT NULL, PRIMARY KEY (gene, build)
) WITHOUT ROWID;
CREATE TABLE transcript (
    id INTEGER PRIMARY KEY, accession TEXT NOT NULL UNIQUE, base TEXT NOT NULL, version INTEGER NOT NULL,
    symbol TEXT COLLATE NOCASE, hgnc TEXT, gene INTEGER, worth INTEGER NOT NULL, record BLOB NOT NULL
);
CREATE TABLE alignment (
    build INTEGER NOT NULL, contig INTEGER NOT NULL, bin INTEGER NOT NULL, transcript INTEGER NOT NULL,
    start INTEGER NOT NULL, stop INTEGER NOT NULL, PRIMARY KEY (build, contig, bin, transcript)
) WITHOUT ROWID;
CREATE TABLE representative (
    build INTEGER NOT NULL, contig INTEGER NOT NULL, start INTEGER NOT NULL, stop INTEGER NOT NULL,
    accession TEXT NOT NULL, PRIMARY KEY (build, contig, start, accession)
) WITHOUT ROWID;
CREATE INDEX transcript_base ON transcript (base);
CREATE INDEX transcript_symbol ON transcript (symbol);
CREATE INDEX transcript_hgnc ON transcript (hgnc);
CREATE INDEX transcript_gene ON transcript (gene);
CREATE INDEX alignment_transcript ON alignment (transcript);
CREATE INDEX gene_symbol ON gene (symbol);
CREATE INDEX gene_span_bin ON gene_span (build, contig, bin);
PRAGMA user_version = {FORMAT};
"""

# A gene is what bears one HGNC identifier; without one, what bears a symbol that no such gene has. A renamed gene goes
# by the name that the newest file with a list of genes gives it.
GENES: Final = """
DELETE FROM gene;
DELETE FROM gene_span;
DELETE FROM representative;
INSERT INTO gene (symbol, hgnc)
    SELECT coalesce((SELECT n.symbol FROM gene_name n WHERE n.hgnc = t.hgnc), max(t.symbol)), t.hgnc
    FROM transcript t WHERE t.hgnc IS NOT NULL AND t.symbol IS NOT NULL GROUP BY t.hgnc;
INSERT INTO gene (symbol)
    SELECT symbol FROM transcript
    WHERE hgnc IS NULL AND symbol IS NOT NULL AND symbol NOT IN (SELECT symbol FROM gene) GROUP BY symbol;
UPDATE transcript SET gene = CASE
    WHEN hgnc IS NULL THEN (SELECT min(id) FROM gene WHERE gene.symbol = transcript.symbol)
    ELSE (SELECT id FROM gene WHERE gene.hgnc = transcript.hgnc) END;
INSERT INTO gene_span (gene, build, contig, bin, start, stop)
    SELECT gene, build, contig, 0, start, stop FROM (
        SELECT t.gene, a.build, a.contig, min(a.start) AS start, max(a.stop) AS stop, row_number()
            OVER (PARTITION BY t.gene, a.build ORDER BY count(*) DESC, a.contig) AS place
        FROM alignment a JOIN transcript t ON t.id = a.transcript WHERE t.gene IS NOT NULL
        GROUP BY t.gene, a.build, a.contig)
    WHERE place = 1;
UPDATE gene_span SET bin = bin_of(start, stop);
INSERT INTO representative (build, contig, start, stop, accession)
    SELECT build, contig, start, stop, accession FROM (
        SELECT a.build, a.contig, a.start, a.stop, t.accession, row_number()
            OVER (PARTITION BY t.gene, a.build ORDER BY t.worth DESC, t.version DESC, t.accession DESC) AS place
        FROM alignment a JOIN transcript t ON t.id = a.transcript WHERE t.gene IS NOT NULL)
    WHERE place = 1;
"""


def packed(transcript: Transcript) -> bytes:
    """Return what has no column of its own, as compact JSON."""
    places = [
        [NUMBERS[a.build], a.contig, a.reverse, [[e.start, e.end, e.tx_start, e.tx_end, e.gap] for e in a.exons]]
        for _, a in sorted(transcript.alignments.items())
    ]
    return orjson.dumps([transcript.protein, transcript.biotype, transcript.mane, transcript.cds, places])


@lru_cache(maxsize=_REMEMBERED)
def unpacked(name: str, symbol: str | None, hgnc: str | None, record: bytes) -> Transcript:
    """Return the transcript of a row; the last ones are remembered, since neighbours share them."""
    protein, biotype, mane, cds, places = orjson.loads(record)
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
        protein,
        biotype,
        mane,
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
