"""The manifest of an ingest: one row for each VCF sample of a study, as the reference implementation's vcfData.csv.

Columns: vcf_filename, ref_build, patient_id, test_date, test_id, specimen_id, genomic_source_class, ratio_ad_dp,
sample_position, and further studied_bed, uncallable_bed, dna_change_types, study_type, absent_is_reference. Paths are
relative to the manifest. An empty vcf_filename declares a study without calls. Rows with the same patient_id and
test_id are one study.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from app.config import Settings
from app.errors import OperonError, quoted
from app.records import Build, SourceClass
from ingest.csv_table import CsvRow, Problems, read_rows
from ingest.source import open_regular, open_source

_REQUIRED = ("vcf_filename", "ref_build", "patient_id", "test_date", "test_id", "specimen_id")
_OPTIONAL = (
    "genomic_source_class",
    "ratio_ad_dp",
    "sample_position",
    "studied_bed",
    "uncallable_bed",
    "dna_change_types",
    "study_type",
    "absent_is_reference",
)
_BUILDS = {build.lower(): build for build in Build}
_CLASSES = {"" if word is SourceClass.UNSPECIFIED else word.word: word for word in SourceClass}
_RATIO = re.compile(r"0(?:\.[0-9]{1,6})?|1(?:\.0{1,6})?")
_DEFAULT_RATIO = "0.99"
_FLAGS = {"": False, "no": False, "false": False, "0": False, "yes": True, "true": True, "1": True}


@dataclass(frozen=True, slots=True)
class ManifestRow:
    """One row, checked; ``vcf`` is None for a study without calls.

    ``homoplasmic_above`` is the frequency above which a mitochondrial call is homoplasmic (ratio_ad_dp),
    ``sample_position`` the place of the sample in the file, from 0, and ``test_date`` is written YYYY-MM-DD.
    """

    line_1based: int
    vcf: Path | None
    build: Build
    subject: str
    test_id: str
    test_date: str | None
    specimen_id: str | None
    source_class: SourceClass
    homoplasmic_above: float
    sample_position: int
    studied: Path | None
    uncallable: Path | None
    dna_change_types: tuple[str, ...]
    study_type: str | None
    absent_is_reference: bool = False


def read_manifest(path: Path, settings: Settings) -> list[ManifestRow]:
    """Read and check a whole manifest.

    Raises:
        NotFound: there is no such file.
        BadFile: the file is no such table.
        SeveralProblems: rows have problems; every one of them is a BadFile with line and column.
    """
    with open_source(path, settings) as source, source.open() as stream:
        problems = Problems(source.name)
        rows = read_rows(stream, problems, settings, required=_REQUIRED, optional=_OPTIONAL)
    reader = _RowReader(path.resolve().parent, problems)
    found = [reader.read(row) for row in rows]
    bad = {problem.line_1based for problem in problems.found}
    good = [row for row in found if row.line_1based not in bad]
    _check_studies(good, problems)
    _check_samples(good, problems)
    problems.raise_if_any()
    return found


class _RowReader:
    """Read rows, noting what is wrong; what a bad value is replaced with is never used."""

    def __init__(self, folder: Path, problems: Problems) -> None:
        self._folder = folder
        self._problems = problems
        self._checked: dict[Path, str | None] = {}

    def read(self, row: CsvRow) -> ManifestRow:
        """Read one row."""
        problems = self._problems
        test_id = problems.free_text(row, "test_id")
        if test_id is None:
            problems.add(row.line_1based, "test_id", "it is empty", "Give every test an id")
        types = (problems.free_text(row, "dna_change_types") or "").split(";")
        return ManifestRow(
            line_1based=row.line_1based,
            vcf=self._file(row, "vcf_filename"),
            build=self._build(row),
            subject=problems.subject(row, "patient_id"),
            test_id=test_id or "",
            test_date=problems.day(row, "test_date"),
            specimen_id=problems.free_text(row, "specimen_id"),
            source_class=self._source_class(row),
            homoplasmic_above=self._ratio(row),
            sample_position=self._sample_position(row),
            studied=self._file(row, "studied_bed"),
            uncallable=self._file(row, "uncallable_bed"),
            dna_change_types=tuple(filter(None, map(str.strip, types))),
            study_type=problems.free_text(row, "study_type"),
            absent_is_reference=self._flag(row, "absent_is_reference"),
        )

    def _build(self, row: CsvRow) -> Build:
        text = row.text("ref_build")
        if text.lower() not in _BUILDS:
            self._problems.add(
                row.line_1based, "ref_build", f"{quoted(text)} is no known build", f"Write {' or '.join(Build)}"
            )
        return _BUILDS.get(text.lower(), Build.GRCH38)

    def _source_class(self, row: CsvRow) -> SourceClass:
        text = row.text("genomic_source_class")
        if text.lower() not in _CLASSES:
            mend = "Write germline, somatic or mixed, or leave it empty"
            problem = f"{quoted(text)} is no genomic source class"
            self._problems.add(row.line_1based, "genomic_source_class", problem, mend)
        return _CLASSES.get(text.lower(), SourceClass.UNSPECIFIED)

    def _ratio(self, row: CsvRow) -> float:
        text = row.text("ratio_ad_dp") or _DEFAULT_RATIO
        if not _RATIO.fullmatch(text):
            mend = f"Write a number between 0 and 1, such as {_DEFAULT_RATIO}"
            self._problems.add(row.line_1based, "ratio_ad_dp", f"{quoted(text)} is no share", mend)
            return 0.0
        return float(text)

    def _sample_position(self, row: CsvRow) -> int:
        text = row.text("sample_position") or "0"
        if not (text.isascii() and text.isdecimal() and len(text) < 8):
            mend = "Write the place of the sample in the file; the first is 0"
            self._problems.add(row.line_1based, "sample_position", f"{quoted(text)} is no place", mend)
            return 0
        return int(text)

    def _flag(self, row: CsvRow, column: str) -> bool:
        text = row.text(column).lower()
        if text not in _FLAGS:
            self._problems.add(row.line_1based, column, f"{quoted(row.text(column))} is no answer", "Write yes or no")
        return _FLAGS.get(text, False)

    def _file(self, row: CsvRow, column: str) -> Path | None:
        """Return a path, noting one that cannot be opened as a file; None where the value is empty."""
        text = row.text(column)
        if not text:
            return None
        # A text that looks like a URL must reach the check as it is, not as a name in a folder.
        path = Path(text) if ":" in text else self._folder / text
        if path not in self._checked:
            self._checked[path] = _why_unusable(path)
        problem = self._checked[path]
        if problem is not None:
            self._problems.add(row.line_1based, column, problem, "Paths are relative to the manifest")
        return path


def _why_unusable(path: Path) -> str | None:
    try:
        os.close(open_regular(path))
    except OperonError as error:
        return error.diagnostics
    return None


def _check_studies(rows: Iterable[ManifestRow], problems: Problems) -> None:
    """Note rows of one study that disagree about it."""
    first: dict[tuple[str, str], ManifestRow] = {}
    for row in rows:
        before = first.setdefault((row.subject, row.test_id), row)
        for column, mine, theirs in (
            ("ref_build", row.build, before.build),
            ("test_date", row.test_date, before.test_date),
            ("specimen_id", row.specimen_id, before.specimen_id),
        ):
            if mine != theirs:
                problem = f"it differs from line {before.line_1based}, which has the same patient_id and test_id"
                problems.add(row.line_1based, column, problem, "Use another test_id for another test")


def _check_samples(rows: Iterable[ManifestRow], problems: Problems) -> None:
    """Note a sample that is given to two subjects."""
    owners: dict[tuple[Path, int], ManifestRow] = {}
    for row in rows:
        if row.vcf is None:
            continue
        before = owners.setdefault((row.vcf, row.sample_position), row)
        if before.subject != row.subject:
            problem = f"the same sample belongs to another patient in line {before.line_1based}"
            problems.add(row.line_1based, "sample_position", problem, "Give every patient their own sample")
