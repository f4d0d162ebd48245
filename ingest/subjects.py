"""Read the table of subjects: subject_id and, where known, sex, birth_date, identifier_system, identifier_value."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from app.config import Settings
from app.errors import quoted
from app.records import Sex
from ingest.csv_table import CsvRow, Problems, read_rows
from ingest.source import open_source

_OPTIONAL = ("sex", "birth_date", "identifier_system", "identifier_value")
_SEXES = {str(sex): sex for sex in Sex} | {"m": Sex.MALE, "f": Sex.FEMALE}
_PARTIAL_DATE = re.compile(r"[0-9]{4}(?:-[0-9]{2}(?:-[0-9]{2})?)?")


@dataclass(frozen=True, slots=True)
class SubjectRow:
    """One row, checked; ``birth_date`` may be a year or a month, as FHIR allows."""

    line_1based: int
    subject: str
    sex: Sex | None
    birth_date: str | None
    identifier_system: str | None
    identifier_value: str | None


def read_subjects(path: Path, settings: Settings) -> list[SubjectRow]:
    """Read and check a whole table; a subject may have several rows, one for each identifier.

    Raises:
        NotFound: there is no such file.
        BadFile: the file is no such table.
        SeveralProblems: rows have problems; every one of them is a BadFile with line and column.
    """
    with open_source(path, settings) as source, source.open() as stream:
        problems = Problems(source.name)
        rows = read_rows(stream, problems, settings, required=("subject_id",), optional=_OPTIONAL)
    found = [_read_row(row, problems) for row in rows]
    bad = {problem.line_1based for problem in problems.found}
    _check_repeated([row for row in found if row.line_1based not in bad], problems)
    problems.raise_if_any()
    return found


def _read_row(row: CsvRow, problems: Problems) -> SubjectRow:
    sex = row.text("sex").lower()
    if sex and sex not in _SEXES:
        problem = f"{quoted(row.text('sex'))} is no administrative sex"
        problems.add(row.line_1based, "sex", problem, f"Write {', '.join(Sex)}, M or F, or leave it empty")
    system = problems.free_text(row, "identifier_system")
    value = problems.free_text(row, "identifier_value")
    if system and not value:
        problems.add(row.line_1based, "identifier_value", "it is empty", "A system needs a value")
    return SubjectRow(
        row.line_1based, problems.subject(row, "subject_id"), _SEXES.get(sex), _birth_date(row, problems), system, value
    )


def _birth_date(row: CsvRow, problems: Problems) -> str | None:
    text = row.text("birth_date")
    if not text:
        return None
    try:
        if _PARTIAL_DATE.fullmatch(text):
            date.fromisoformat((text + "-01-01")[:10])
            return text
    except ValueError:
        pass
    problems.add(row.line_1based, "birth_date", f"{quoted(text)} is no date", "Write YYYY-MM-DD, YYYY-MM or YYYY")
    return None


def _check_repeated(rows: Iterable[SubjectRow], problems: Problems) -> None:
    """Note rows of one subject that contradict each other."""
    known: dict[tuple[str, str], tuple[str, int]] = {}
    for row in rows:
        for column, value in (("sex", row.sex), ("birth_date", row.birth_date)):
            if value is None:
                continue
            before, line = known.setdefault((row.subject, column), (value, row.line_1based))
            if before != value:
                problem = f"{value} here, but {before} in line {line}, for the same subject"
                problems.add(row.line_1based, column, problem, "Keep the one that is true")
