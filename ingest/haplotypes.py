"""Ingest a table of genotypes, one statement of a test a line: all of it or nothing.

Columns: subject_id, test_id, specimen_id, gene_id, gene_symbol, genotype_system, genotype_code, genotype_display,
haplotypes, hla_alleles and, where known, source_class; the two lists are joined by ``;``. The file is read once, in
batches, inside one transaction, so that an interruption leaves nothing and the same command starts anew.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Literal

from app.errors import quoted
from app.records import SourceClass
from app.store import ledger
from app.store.genotype_writer import GenotypeWriter, Statement, Written
from app.store.genotypes import GenotypeName
from app.store.runs import Source as LedgerSource
from app.store.studies import StudyFacts
from app.variants.hla_reduction import open_reductions
from ingest.csv_table import CsvRow, Problems, walk_tsv
from ingest.source import Source, open_source
from ingest.workspace import Workspace

_REQUIRED = (
    "subject_id",
    "test_id",
    "specimen_id",
    "gene_id",
    "gene_symbol",
    "genotype_system",
    "genotype_code",
    "genotype_display",
    "haplotypes",
    "hla_alleles",
)
_OPTIONAL = ("source_class",)
_BATCH = 2000
_MOST_PROBLEMS = 1000
"""So many are told; a file of another kind would have one a line"""
_LONGEST_NAME = 20_000
"""Characters of a genotype: GL strings of ambiguous typings are long"""
_MOST_LISTED = 2000
_GENE_ID = re.compile(r"HGNC:[0-9]{1,9}")
_SYSTEM = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s|]+")
_CLASSES = {"" if item is SourceClass.UNSPECIFIED else item.word: item for item in SourceClass}


@dataclass(frozen=True, slots=True)
class HaplotypeReport:
    """What the ingest of one table did; ``is_repeated``: the same bytes were stored before, and nothing was done."""

    source: str
    sha256: str
    lines: int
    written: Written
    seconds: float
    is_repeated: bool = False

    def to_json(self) -> dict[str, Any]:
        """Return the report as JSON values; it names no subject."""
        return {
            "source": self.source,
            "sha256": self.sha256,
            "statements": self.lines,
            "added": self.written.added,
            "known": self.written.known,
            "withdrawn": self.written.withdrawn,
            "subjects_new": self.written.subjects_new,
            "studies_new": self.written.studies_new,
            "seconds": round(self.seconds, 3),
            "already_stored": self.is_repeated,
        }

    def text(self) -> str:
        """Return the report as one line."""
        if self.is_repeated:
            return f"{self.source} was stored before"
        written = self.written
        replaced = f", {written.withdrawn:,} of before withdrawn" if written.withdrawn else ""
        return (
            f"{self.source}: {self.lines:,} genotypes read, {written.added:,} added, {written.known:,} known"
            f"{replaced}; {written.subjects_new:,} subjects and {written.studies_new:,} tests are new"
        )


def ingest_haplotypes(workspace: Workspace, path: Path | Literal["-"], *, replace: bool = False) -> HaplotypeReport:
    """Store a table of genotypes; ``replace`` withdraws first what its tests had before.

    Raises:
        NotFound: there is no such file.
        BadFile: the file is no such table; SeveralProblems where lines have problems, every one of them a BadFile with
            line and column. Nothing is stored.
    """
    began = time.monotonic()
    database = workspace.database
    reductions, _ = open_reductions(workspace.settings.pyard_data)
    with open_source(path, workspace.settings) as source, database.sole_writer(), database.write() as session:
        key = LedgerSource(source.name, source.sha256, {"kind": "haplotypes"}).key
        before = ledger.report_of(session, key)
        if before is not None and not replace:
            written = Written(before.get("added", 0), before.get("known", 0))
            seconds = time.monotonic() - began
            return HaplotypeReport(
                source.name, source.sha256, before.get("statements", 0), written, seconds, is_repeated=True
            )
        run_id = ledger.record(session, key=key, source=source.name, sha256=source.sha256)
        writer = GenotypeWriter(session, run_id, replace=replace, reductions=reductions)
        lines = _write(workspace, source, writer)
        source.check_unchanged()
        written = writer.finish()
        report = HaplotypeReport(source.name, source.sha256, lines, written, time.monotonic() - began)
        ledger.complete(session, run_id, report.to_json())
        ledger.forget_empty(session, [run_id])
    return report


def _write(workspace: Workspace, source: Source, writer: GenotypeWriter) -> int:
    """Write every line and return how many there were.

    Raises:
        SeveralProblems: lines have problems; the caller's transaction has to be given up.
    """
    lines = 0
    problems = Problems(source.name)
    with source.open() as stream:
        rows = walk_tsv(stream, problems, workspace.settings, required=_REQUIRED, optional=_OPTIONAL)
        while batch := list(islice(rows, _BATCH)):
            lines += len(batch)
            _write_batch(batch, problems, writer)
            if len(problems.found) >= _MOST_PROBLEMS:
                break
    problems.raise_if_any()
    return lines


def _write_batch(batch: list[CsvRow], problems: Problems, writer: GenotypeWriter) -> None:
    noted = len(problems.found)
    read = [(row, _read(row, problems)) for row in batch]
    bad = {problem.line_1based for problem in problems.found[noted:]}
    good = [(row, statement) for row, statement in read if row.line_1based not in bad]
    found = writer.write([statement for _, statement in good])
    for (row, _), problem in zip(good, found, strict=True):
        if problem is not None:
            problems.add(row.line_1based, problem.parameter or "test_id", problem.diagnostics, "Correct the line")


def _read(row: CsvRow, problems: Problems) -> Statement:
    """Read one row, noting what is wrong; what a bad value is replaced with is never used."""
    line = row.line_1based
    test_id = problems.free_text(row, "test_id")
    if test_id is None:
        problems.add(line, "test_id", "it is empty", "Give every test an id")
    symbol = problems.free_text(row, "gene_symbol")
    gene_id = _matching(row, "gene_id", _GENE_ID.fullmatch, problems, "Write HGNC: and a number, or leave it empty")
    if gene_id is None and symbol is None:
        problems.add(line, "gene_id", "neither gene_id nor gene_symbol is given", "Name the gene")
    system = _matching(row, "genotype_system", _SYSTEM.fullmatch, problems, "Write the URI of the code system")
    if system is None:
        problems.add(line, "genotype_system", "it is empty", "Write the URI of the code system")
    code = " ".join((_name(row, "genotype_code", problems) or "").split())
    if not code:
        problems.add(line, "genotype_code", "it is empty", "Give the genotype")
    word = row.text("source_class").lower()
    if word not in _CLASSES:
        mend = "Write germline, somatic or mixed, or leave it empty"
        problems.add(line, "source_class", f"{quoted(row.text('source_class'))} is no genomic source class", mend)
    name = GenotypeName(
        gene_id,
        symbol,
        system or "",
        code,
        _name(row, "genotype_display", problems),
        _listed(row, "haplotypes", problems),
        _listed(row, "hla_alleles", problems),
    )
    study = StudyFacts(test_id or "", None, None, problems.free_text(row, "specimen_id"))
    subject_id = problems.subject(row, "subject_id")
    return Statement(subject_id, study, _CLASSES.get(word, SourceClass.UNSPECIFIED), name)


def _matching(row: CsvRow, column: str, matches: Callable[[str], object], problems: Problems, mend: str) -> str | None:
    """Return a text or None where it is empty, noting one of another form."""
    text = row.text(column)
    if text and not (matches(text) and text.isprintable()):
        problems.add(row.line_1based, column, f"{quoted(text)} has another form", mend)
    return text or None


def _name(row: CsvRow, column: str, problems: Problems) -> str | None:
    text = row.text(column)
    if len(text) > _LONGEST_NAME or not text.isprintable():
        mend = f"Use at most {_LONGEST_NAME:,} printable characters"
        problems.add(row.line_1based, column, f"{quoted(text)} is too long or has control characters", mend)
    return text or None


def _listed(row: CsvRow, column: str, problems: Problems) -> tuple[str, ...]:
    names = tuple(_nonempty(row.text(column)))
    if len(names) > _MOST_LISTED or not row.text(column).isprintable():
        mend = f"List at most {_MOST_LISTED:,} names of printable characters, joined by ;"
        problems.add(row.line_1based, column, f"{quoted(row.text(column))} is no such list", mend)
    return names


def _nonempty(text: str) -> Iterator[str]:
    return (name for name in map(str.strip, text.split(";")) if name)
