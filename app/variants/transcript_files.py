"""The transcripts and genes that were added, in one file that is opened at once and read as needed.

``add_transcripts`` writes ``transcripts.db`` anew beside the old one and puts it in its place when it is complete, so
a running server keeps reading what it opened, and a damaged input changes nothing. All positions are zero-based,
half-open.
"""

from __future__ import annotations

import sqlite3
import weakref
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from threading import Lock
from types import MappingProxyType
from typing import Any

from app.errors import BadFile
from app.records import Build
from app.variants import accessions
from app.variants.cdot import GeneName, Unusable, read_gene, read_transcript
from app.variants.fasta import sha256_of
from app.variants.interval import Interval
from app.variants.json_members import read_members
from app.variants.transcript_draft import NAME, damaged, draft, locked, require_format
from app.variants.transcript_rows import BUILDS, NUMBERS, bin_of, overlap, packed, unpacked
from app.variants.transcripts import (
    FeatureSource,
    Gene,
    Protein,
    Representative,
    Transcript,
    TranscriptSource,
    split_version,
)

_REMEMBERED = 2048
_EXAMPLES = 5
_BY_ACCESSION = "ORDER BY accession"
_TRANSCRIPT = """
SELECT accession, coalesce(g.symbol, t.symbol), coalesce(t.hgnc, g.hgnc), record,
    (SELECT m.tag FROM mane m WHERE m.accession = t.accession ORDER BY m.origin DESC LIMIT 1),
    (SELECT p.accession FROM protein p WHERE p.transcript = t.accession ORDER BY p.origin DESC LIMIT 1)
FROM transcript t LEFT JOIN gene g ON g.id = t.gene
"""


@dataclass(frozen=True, slots=True)
class TranscriptReport:
    """What ``add_transcripts`` did with the transcripts of a file.

    Some were new, some as known before; some of the known ones were ``completed``, by a place on the other build for
    example, others ``replaced``, since the file says otherwise. ``examples`` names the first of the latter;
    ``left_out`` tells why, and how often, a record could not be used.
    """

    source: TranscriptSource
    added: int
    unchanged: int
    completed: int
    replaced: int
    examples: tuple[str, ...]
    left_out: Mapping[str, int]
    already_there: bool


class TranscriptFiles:
    """The transcripts that ``add_transcripts`` left in a folder; an absent folder has none. Threads may share it.

    Raises Misconfigured if the file is damaged or of another release.
    """

    def __init__(self, directory: Path) -> None:
        self._path = directory / NAME
        self._lock = Lock()
        self._connection: sqlite3.Connection | None = None
        self.sources: tuple[TranscriptSource, ...] = ()
        self.features: tuple[FeatureSource, ...] = ()
        self.get = lru_cache(maxsize=_REMEMBERED)(self._get)
        if self._path.exists():
            self._connection = self._open()
            weakref.finalize(self, self._connection.close)
            rows = self._rows("SELECT name, sha256, transcripts FROM source ORDER BY ordinal")
            self.sources = tuple(TranscriptSource(*row) for row in rows)
            rows = self._rows("SELECT origin, name, sha256, genes FROM feature_file ORDER BY origin")
            self.features = tuple(FeatureSource(BUILDS.get(origin), *row) for origin, *row in rows)

    def _open(self) -> sqlite3.Connection:
        # Immutable, since a file is only ever replaced: reading takes no lock and works on a read-only disk.
        uri = f"{self._path.absolute().as_uri()}?mode=ro&immutable=1"
        connection = sqlite3.connect(uri, uri=True, check_same_thread=False)
        try:
            require_format(connection, self._path)
        except BaseException:
            connection.close()
            raise
        return connection

    @property
    def is_empty(self) -> bool:
        """Return whether there is no transcript at all."""
        return not self.sources

    def versions(self, base_accession: str) -> list[str]:
        """Return the known accessions of a transcript given without version, the oldest first."""
        rows = self._rows("SELECT accession FROM transcript WHERE base = ? ORDER BY version, accession", base_accession)
        return [accession for (accession,) in rows]

    def of_gene(self, symbol_or_hgnc: str) -> list[Transcript]:
        """Return the transcripts of a gene, by accession."""
        found = self._gene_id(symbol_or_hgnc)
        return self._transcripts(f"WHERE gene = ? {_BY_ACCESSION}", found) if found is not None else []

    def overlapping(self, build: Build, contig: int, start: int, end: int) -> list[Transcript]:
        """Return the transcripts that share a base with [start, end), introns included; an empty range is its base."""
        where, values = overlap(build, contig, start, end)
        ids = f"SELECT transcript FROM alignment WHERE {where}"  # noqa: S608 - made of our own words
        return self._transcripts(f"WHERE t.id IN ({ids}) {_BY_ACCESSION}", *values)

    def gene(self, symbol_or_hgnc: str) -> Gene | None:
        """Return a gene by a symbol, in any case, or by its HGNC identifier; None for a name that several share."""
        found = self._gene_id(symbol_or_hgnc)
        return self._gene(found) if found is not None else None

    def genes_named(self, symbol_or_hgnc: str) -> list[Gene]:
        """Return the genes of a name: the one that bears it now, else those that bore it, else those also called so."""
        return [self._gene(gene) for gene in self._gene_ids(symbol_or_hgnc)]

    def protein(self, base_accession: str) -> Protein | None:
        """Return the newest version that is known of a protein given without version."""
        known = [
            Protein(*row)
            for row in self._rows(
                "SELECT accession, name, transcript FROM protein WHERE base = ? ORDER BY version DESC, origin DESC",
                base_accession,
            )
        ]
        coding = self._transcripts(f"WHERE protein_base = ? {_BY_ACCESSION}", base_accession)
        known += [Protein(item.protein, None, item.accession) for item in coding if item.protein]
        return max(known, key=lambda item: item.rank, default=None)

    def genes_overlapping(self, build: Build, contig: int, start: int, end: int) -> list[Gene]:
        """Return the genes that share a base with [start, end), by place; an empty range is its base."""
        where, values = overlap(build, contig, start, end)
        rows = self._rows(f"SELECT gene FROM gene_span WHERE {where} ORDER BY start, gene", *values)  # noqa: S608
        return [self._gene(gene) for (gene,) in rows]

    def representatives(self, build: Build, contig: int) -> list[Representative]:
        """Return the transcript that stands for each gene of a chromosome, by place."""
        rows = self._rows(
            "SELECT start, stop, accession FROM representative"
            " WHERE build = ? AND contig = ? ORDER BY start, stop, accession",
            NUMBERS[build],
            contig,
        )
        return [Representative(*row) for row in rows]

    def _get(self, accession: str) -> Transcript | None:
        """Return a transcript by its accession with version."""
        found = self._transcripts("WHERE accession = ?", accession)
        return found[0] if found else None

    def _gene_id(self, name: str) -> int | None:
        """Return the gene of a name, None if there is none or if several go by it."""
        found = self._gene_ids(name)
        return found[0] if len(found) == 1 else None

    def _gene_ids(self, name: str) -> list[int]:
        """Return the genes of a name: by identifier, by symbol, or by the best rank of its other names."""
        for question in (
            "SELECT id FROM gene WHERE hgnc = upper(?)",
            "SELECT min(id) FROM gene WHERE symbol = ? HAVING count(*) > 0",
            "SELECT gene FROM gene_alias WHERE name = ?1"
            " AND rank = (SELECT min(rank) FROM gene_alias WHERE name = ?1) ORDER BY gene",
        ):
            rows = self._rows(question, name)
            if rows:
                return [gene for (gene,) in rows]
        return []

    def _gene(self, gene: int) -> Gene:
        ((symbol, hgnc),) = self._rows("SELECT symbol, hgnc FROM gene WHERE id = ?", gene)
        spans = {}
        for number, contig, start, stop in self._rows(
            "SELECT build, contig, start, stop FROM gene_span WHERE gene = ? ORDER BY build", gene
        ):
            build = BUILDS[number]
            spans[build] = Interval(accessions.accession(build, contig), start, stop)
        return Gene(symbol, hgnc, MappingProxyType(spans))

    def _transcripts(self, where: str, *values: object) -> list[Transcript]:
        rows = self._rows(f"{_TRANSCRIPT} {where}", *values)
        return [unpacked(*row, (mane, protein)) for *row, mane, protein in rows]

    def _rows(self, sql: str, *values: object) -> list[Any]:
        if self._connection is None:
            return []
        with self._lock:
            try:
                return self._connection.execute(sql, values).fetchall()
            except sqlite3.DatabaseError as error:
                raise damaged(self._path, error) from error


def add_transcripts(directory: Path, path: Path) -> TranscriptReport:
    """Take the transcripts of a cdot file, plain or gzipped, into a folder, all or nothing.

    The places of a known transcript on the builds that the file has are replaced. Raises BadFile, and changes nothing,
    for a file that is damaged or holds something else.
    """
    if not path.is_file():
        raise BadFile(path.name, "it does not exist or is no regular file", mend="Give the path of a cdot JSON file")
    with path.open("rb") as raw, locked(directory):
        digest = sha256_of(raw)
        for source in TranscriptFiles(directory).sources:
            if source.sha256 == digest:
                return TranscriptReport(source, 0, 0, 0, 0, (), {}, already_there=True)
        with draft(directory) as connection:
            intake = _Intake(connection, path.name)
            for key, name, value in read_members(raw, path.name, ("transcripts", "genes")):
                intake.take(key, name, value)
            return intake.end(digest)


class _Intake:
    """Takes the records of one file into the draft of the new file."""

    def __init__(self, connection: sqlite3.Connection, name: str) -> None:
        self._connection = connection
        self._name = name
        self._count = Counter[str]()
        self._left_out = Counter[str]()
        self._examples: list[str] = []
        self._genes: dict[str, GeneName] = {}
        connection.execute("CREATE TEMP TABLE unnamed (id INTEGER PRIMARY KEY, gene TEXT NOT NULL)")

    def take(self, key: str, name: str | None, value: Any) -> None:
        """Take one member of the file."""
        if name is None:
            return
        if key == "genes":
            self._genes[name] = read_gene(name, value, self._name)
            return
        try:
            transcript, gene = read_transcript(name, value, self._name)
        except Unusable as reason:
            self._left_out[str(reason)] += 1
            return
        row = self._store(transcript)
        if gene is not None and (transcript.hgnc is None or transcript.gene is None):
            self._connection.execute("INSERT OR REPLACE INTO unnamed VALUES (?, ?)", (row, gene))

    def end(self, digest: str) -> TranscriptReport:
        """Complete the names of genes, note where everything came from, and return what was done."""
        if not self._count:
            reasons = "; ".join(f"{reason}: {count}" for reason, count in self._left_out.items())
            problem = f"none can be used ({reasons})" if reasons else "it is missing or empty"
            raise BadFile(self._name, problem, field="transcripts", mend="Give a file of a cdot release")
        self._name_genes()
        source = TranscriptSource(self._name, digest, self._count.total())
        self._connection.execute(
            "INSERT INTO source (name, sha256, transcripts) VALUES (?, ?, ?)",
            (source.name, source.sha256, source.transcripts),
        )
        return TranscriptReport(
            source,
            added=self._count["added"],
            unchanged=self._count["unchanged"],
            completed=self._count["completed"],
            replaced=self._count["replaced"],
            examples=tuple(self._examples),
            left_out=dict(self._left_out),
            already_there=False,
        )

    def _store(self, given: Transcript) -> int:
        """Store a transcript, together with what is known of it already, and return its row."""
        execute = self._connection.execute
        known = execute(
            "SELECT id, accession, symbol, hgnc, record FROM transcript WHERE accession = ?", (given.accession,)
        ).fetchone()
        if known is None:
            self._count["added"] += 1
            base, version = split_version(given.accession)
            row = execute(
                "INSERT INTO transcript (accession, base, version, symbol, hgnc, protein_base, worth, record)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (given.accession, base, version or 0, *_columns(given)),
            ).lastrowid
            self._place(row, given)
            return int(row or 0)
        row, before = known[0], unpacked(*known[1:])
        after = _merged(before, given)
        if after == before:
            self._count["unchanged"] += 1
            return int(row)
        if _merged(given, before) == after:
            self._count["completed"] += 1
        else:
            self._count["replaced"] += 1
            self._examples += [given.accession] if len(self._examples) < _EXAMPLES else []
        execute(
            "UPDATE transcript SET symbol = ?, hgnc = ?, protein_base = ?, worth = ?, record = ? WHERE id = ?",
            (*_columns(after), row),
        )
        execute("DELETE FROM alignment WHERE transcript = ?", (row,))
        self._place(row, after)
        return int(row)

    def _place(self, row: int | None, transcript: Transcript) -> None:
        self._connection.executemany(
            "INSERT INTO alignment (build, contig, bin, transcript, start, stop) VALUES (?, ?, ?, ?, ?, ?)",
            [
                (NUMBERS[a.build], a.contig, bin_of(a.start, a.end), row, a.start, a.end)
                for a in transcript.alignments.values()
            ],
        )

    def _name_genes(self) -> None:
        """Take the names of genes from the file's list of them, for its transcripts that do not bear them."""
        named = [(gene.hgnc, gene.symbol) for gene in self._genes.values() if gene.hgnc and gene.symbol]
        self._connection.executemany("INSERT OR REPLACE INTO gene_name VALUES (?, ?)", named)
        found = []
        for row, key in self._connection.execute("SELECT id, gene FROM unnamed").fetchall():
            gene = self._genes.get(key)
            if gene is not None:
                found.append((gene.symbol, gene.hgnc, row))
        self._connection.executemany(
            "UPDATE transcript SET symbol = coalesce(symbol, ?), hgnc = coalesce(hgnc, ?) WHERE id = ?", found
        )


def _columns(transcript: Transcript) -> tuple[object, ...]:
    """Return what a row has besides the accession."""
    protein_base = split_version(transcript.protein)[0] if transcript.protein else None
    return transcript.gene, transcript.hgnc, protein_base, transcript.worth, packed(transcript)


def _merged(before: Transcript, now: Transcript) -> Transcript:
    """Return what is known of a transcript after a newer file: its statements count, and places that it lacks stay."""
    # Places that belong to another numbering would be wrong beside the new ones. Where there is no coding region the
    # lengths have to tell; where there is one they may differ, since an alignment may lack the last bases.
    same = before.cds == now.cds and (now.cds is not None or before.length == now.length)
    alignments = {**before.alignments, **now.alignments} if same else dict(now.alignments)
    return replace(
        now,
        gene=now.gene or before.gene,
        hgnc=now.hgnc or before.hgnc,
        protein=now.protein or before.protein,
        biotype=now.biotype or before.biotype,
        mane=now.mane or before.mane,
        alignments=alignments,
    )
