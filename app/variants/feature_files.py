"""Adding what public files say of genes: RefSeq's GFF3 of each build, and HGNC's list of approved symbols.

There is one of each: a file takes the place of the earlier one of the same build, or of the earlier list.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path

from app.errors import BadFile
from app.records import Build
from app.variants.fasta import open_regular, sha256_of
from app.variants.gene_rows import ALIAS, ARRIVING, HGNC, PREVIOUS
from app.variants.gff3 import GeneFeatures, GenePlace, ProteinProduct, TaggedTranscript
from app.variants.hgnc_names import read_approved_genes
from app.variants.transcript_draft import draft, locked
from app.variants.transcript_files import TranscriptFiles
from app.variants.transcript_rows import NUMBERS
from app.variants.transcripts import FeatureSource, split_version


@dataclass(frozen=True, slots=True)
class FeatureReport:
    """How many MANE transcripts, proteins and further names of genes a file has, and whose place it took."""

    source: FeatureSource
    mane: int
    proteins: int
    names: int
    replaced: str | None
    already_there: bool


def add_gene_features(directory: Path, path: Path) -> FeatureReport:
    """Take the genes, MANE tags and proteins of a GFF3 file of RefSeq, plain or gzipped, into a folder.

    Raises BadFile, and changes nothing, for a file that is damaged, of another assembly or without genes.
    """
    return _add(directory, path, _take_features)


def add_gene_names(directory: Path, path: Path) -> FeatureReport:
    """Take the approved, former and other symbols of HGNC's list, plain or gzipped, into a folder.

    Raises BadFile, and changes nothing, for a file that is damaged or holds something else.
    """
    return _add(directory, path, _take_names)


def _add(directory: Path, path: Path, take: Callable[[_Intake, BufferedReader], Build | None]) -> FeatureReport:
    with open_regular(path) as raw, locked(directory):
        digest = sha256_of(raw)
        known = TranscriptFiles(directory).features
        for source in known:
            if source.sha256 == digest:
                return FeatureReport(source, 0, 0, 0, None, already_there=True)
        with draft(directory) as connection:
            intake = _Intake(connection, path.name)
            build = take(intake, raw)
            count = intake.end(build, digest)
    source = FeatureSource(build, path.name, digest, count["genes"])
    replaced = next((other.name for other in known if other.build is build), None)
    return FeatureReport(source, count["mane"], count["proteins"], count["names"], replaced, already_there=False)


def _take_features(intake: _Intake, raw: BufferedReader) -> Build:
    features = GeneFeatures(raw, intake.name)
    for row in features.rows():
        match row:
            case GenePlace():
                place = (row.contig, row.start, row.end)
                intake.gene(row.symbol, row.hgnc, place, [(ALIAS, name) for name in row.synonyms])
            case TaggedTranscript():
                intake.tag(row)
            case ProteinProduct():
                intake.protein(row)
    return features.build


def _take_names(intake: _Intake, raw: BufferedReader) -> None:
    for gene in read_approved_genes(raw, intake.name):
        names = [(PREVIOUS, name) for name in gene.previous] + [(ALIAS, name) for name in gene.aliases]
        intake.gene(gene.symbol, gene.hgnc, None, names)


class _Intake:
    """Takes the rows of one file into the draft, under an origin that is settled at the end."""

    def __init__(self, connection: sqlite3.Connection, name: str) -> None:
        self._connection = connection
        self.name = name
        self._count = Counter[str]()

    def gene(
        self, symbol: str, hgnc: str | None, place: tuple[int, int, int] | None, names: list[tuple[int, str]]
    ) -> None:
        """Take a gene with its range, if it has one, and its further names by rank."""
        row = self._connection.execute(
            "INSERT INTO listed_gene (origin, symbol, hgnc, contig, start, stop) VALUES (?, ?, ?, ?, ?, ?)",
            (ARRIVING, symbol, hgnc, *(place or (None, None, None))),
        ).lastrowid
        # The best rank of a name comes first and stays.
        further = [(row, rank, name) for rank, name in names]
        self._connection.executemany("INSERT OR IGNORE INTO listed_name VALUES (?, ?, ?)", further)
        self._count.update(genes=1, names=len(further))

    def tag(self, row: TaggedTranscript) -> None:
        """Take the MANE tag of a transcript, which need not be known yet."""
        self._connection.execute("INSERT OR REPLACE INTO mane VALUES (?, ?, ?)", (ARRIVING, row.accession, row.mane))
        self._count["mane"] += 1

    def protein(self, row: ProteinProduct) -> None:
        """Take a protein; one that lies on X and Y comes twice."""
        base, version = split_version(row.accession)
        self._count["proteins"] += self._connection.execute(
            "INSERT OR IGNORE INTO protein VALUES (?, ?, ?, ?, ?, ?)",
            (ARRIVING, row.accession, base, version or 0, row.name, row.transcript),
        ).rowcount

    def end(self, build: Build | None, digest: str) -> Counter[str]:
        """Put what came in the place of what the same origin said before, and return how much it was."""
        if not self._count["genes"]:
            raise BadFile(self.name, "it has no genes", mend="Give the file as it is published")
        origin = HGNC if build is None else NUMBERS[build]
        execute = self._connection.execute
        execute("DELETE FROM listed_name WHERE listed IN (SELECT id FROM listed_gene WHERE origin = ?)", (origin,))
        for table in ("listed_gene", "mane", "protein"):
            execute(f"DELETE FROM {table} WHERE origin = ?", (origin,))  # noqa: S608 - our own words
            execute(f"UPDATE {table} SET origin = ? WHERE origin = ?", (origin, ARRIVING))  # noqa: S608
        values = (origin, self.name, digest, self._count["genes"])
        execute("INSERT OR REPLACE INTO feature_file VALUES (?, ?, ?, ?)", values)
        return self._count
