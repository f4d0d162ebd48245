"""Read the rows of a CSV or TSV file with a header, and collect every problem before anything is done with them.

UTF-8 with or without a byte order mark. CSV is comma-separated and quoted as RFC 4180 says; in TSV a tab separates and
nothing is quoted. Names of columns are compared without regard to case; unknown columns are ignored.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import BinaryIO

from app.config import Settings
from app.errors import BadFile, SeveralProblems, quoted
from app.formats.bounded_text import BoundedText

LONGEST_TEXT = 200
"""Most characters of an identifier or name."""

SUBJECT_ID = re.compile(r"[A-Za-z0-9.-]{1,64}")
"""What an id may be in FHIR (https://hl7.org/fhir/R4/datatypes.html#id)."""

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


@dataclass(frozen=True, slots=True)
class CsvRow:
    """One row: its (last) line and the text of each column, without surrounding blanks."""

    line_1based: int
    values: dict[str, str]

    def text(self, column: str) -> str:
        """Return a value, empty where the column is missing."""
        return self.values.get(column, "")


class Problems:
    """The problems of one file, in the order of its lines."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.found: list[BadFile] = []

    def add(self, line_1based: int, field: str, problem: str, mend: str) -> None:
        """Note a problem."""
        self.found.append(BadFile(self.name, problem, line_1based=line_1based, field=field, mend=mend))

    def raise_if_any(self) -> None:
        """Raise SeveralProblems with all of them."""
        if self.found:
            in_order = sorted(self.found, key=lambda problem: problem.line_1based or 0)
            raise SeveralProblems(in_order)

    def subject(self, row: CsvRow, column: str) -> str:
        """Return a subject's id, noting one that FHIR does not allow."""
        text = row.text(column)
        if not SUBJECT_ID.fullmatch(text):
            problem = f"{quoted(text)} is no id" if text else "it is empty"
            self.add(row.line_1based, column, problem, "Use 1 to 64 letters, digits, hyphens and dots")
        return text

    def free_text(self, row: CsvRow, column: str) -> str | None:
        """Return a text or None where it is empty, noting one that is too long or has control characters."""
        text = row.text(column)
        if len(text) > LONGEST_TEXT or not text.isprintable():
            mend = f"Use at most {LONGEST_TEXT} printable characters"
            self.add(row.line_1based, column, f"{quoted(text)} is too long or has control characters", mend)
        return text or None

    def day(self, row: CsvRow, column: str) -> str | None:
        """Return a date or None where it is empty, noting what is no date."""
        text = row.text(column)
        if not text:
            return None
        try:
            if _DATE.fullmatch(text):
                date.fromisoformat(text)
                return text
        except ValueError:
            pass
        self.add(row.line_1based, column, f"{quoted(text)} is no date", "Write it as YYYY-MM-DD")
        return None


def read_rows(
    stream: BinaryIO, problems: Problems, settings: Settings, *, required: Sequence[str], optional: Sequence[str]
) -> list[CsvRow]:
    """Read all rows of a CSV, noting those that do not have as many columns as the header.

    Raises:
        BadFile: the file is no CSV, not UTF-8, or lacks a required column.
        LimitExceeded: a cap of the settings is exceeded.
    """
    return list(_rows(stream, problems, settings, required, optional, tabs=False))


def walk_tsv(
    stream: BinaryIO, problems: Problems, settings: Settings, *, required: Sequence[str], optional: Sequence[str]
) -> Iterator[CsvRow]:
    """Read the rows of a TSV one by one; what it notes and raises is what ``read_rows`` does."""
    return _rows(stream, problems, settings, required, optional, tabs=True)


def _rows(
    stream: BinaryIO,
    problems: Problems,
    settings: Settings,
    required: Sequence[str],
    optional: Sequence[str],
    *,
    tabs: bool,
) -> Iterator[CsvRow]:
    name = problems.name
    lines = _lines(stream, name, settings)
    reader = csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE) if tabs else csv.reader(lines, strict=True)
    mark, advice = ("tabs", "Separate by tabs") if tabs else ("commas", "Quote values that contain commas")
    columns: list[str] = []
    try:
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            if not columns:
                known = {*required, *optional}
                columns = _read_columns(cells, reader.line_num, name, required, known=known, mark=mark)
            elif len(cells) != len(columns):
                problem = f"the row has {len(cells)} columns, the header has {len(columns)}"
                problems.add(reader.line_num, "columns", problem, advice)
            else:
                values = {column: cell.strip() for column, cell in zip(columns, cells, strict=True)}
                yield CsvRow(reader.line_num, values)
    except csv.Error as error:
        kind, mend = ("TSV", "Check the line") if tabs else ("CSV", "Check the quotes")
        raise BadFile(name, f"it is no {kind} ({error})", line_1based=reader.line_num, mend=mend) from None
    if not columns:
        first = ("\t" if tabs else ",").join(required)
        raise BadFile(name, "there is no header", line_1based=1, mend=f"Begin with {first}")


def _read_columns(
    cells: list[str], line_1based: int, name: str, required: Sequence[str], *, known: set[str], mark: str
) -> list[str]:
    columns = [cell.strip().lower() for cell in cells]
    for column in required:
        if column not in columns:
            raise BadFile(
                name,
                "the column is missing",
                line_1based=line_1based,
                field=column,
                mend=f"The header needs {','.join(required)}, separated by {mark}",
            )
    for column in known:
        if columns.count(column) > 1:
            raise BadFile(
                name, "the column is there twice", line_1based=line_1based, field=column, mend="Remove one of them"
            )
    return columns


def _lines(stream: BinaryIO, name: str, settings: Settings) -> Iterator[str]:
    """Yield the lines of a UTF-8 text with their ends, as the csv module wants them."""
    text = BoundedText(stream, name, settings)
    done = 0
    while block := text.next_lines(done):
        for raw in block.splitlines(keepends=True):
            done += 1
            try:
                yield raw.decode("utf-8-sig" if done == 1 else "utf-8")
            except UnicodeDecodeError:
                raise BadFile(name, "it is not UTF-8 text", line_1based=done, mend="Save it in UTF-8") from None
