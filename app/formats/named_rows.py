r"""Rows of a delimited text, read by the names of its columns, for files of others in which one row may be strange.

A row that cannot be read is noted and passed over; a file without the columns that are needed is refused. Names of
columns are compared without regard to case.

>>> rows = NamedRows(io.BytesIO(b"A\tB\n1\t2\n"), "x.tsv", Rejects(), Settings(), required=("a",))
>>> next(iter(rows)).text("b")
'2'
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from enum import Enum
from typing import BinaryIO, NamedTuple, NoReturn

from app.config import Settings
from app.errors import BadFile, LimitExceeded
from app.formats.bounded_text import BoundedText
from app.formats.knowledge import Rejects

WIDTH = "another number of columns than the header"
NOT_TEXT = "no UTF-8 text"
CONTROL = "control characters"
QUOTES = "quotes that do not match"

_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_DAMAGE = {NOT_TEXT: "it is not UTF-8 text", CONTROL: "there are control characters"}


class Layout(Enum):
    """How cells are told apart."""

    TABS = "tabs"
    """A tab separates, quotes are letters like any other"""
    QUOTED_TABS = "tabs, with quotes"
    """A tab separates, and a cell that holds a quote is quoted; a row is a line"""
    COMMAS = "commas"
    """RFC 4180: a comma separates, and a quoted cell may go over several lines"""


class NamedRow(NamedTuple):
    """One row; ``places`` says where each column is and belongs to all rows of a file."""

    line_1based: int
    cells: list[str]
    places: dict[str, int]

    def raw(self, column: str) -> str:
        """Return a cell as it is written, empty where the column is missing."""
        place = self.places.get(column)
        return "" if place is None else self.cells[place]

    def text(self, column: str) -> str:
        """Return a cell without the blanks around it, empty where the column is missing."""
        return self.raw(column).strip()


class NamedRows:
    """Read the names of the columns, then iterate once over the rows that have as many cells.

    ``headers`` are what the first column may be called where the line of names comes after lines of comments and begins
    with ``#`` itself; ``comments`` are those lines then.

    Raises:
        BadFile: there is no header, or it lacks a required column or has one twice.
        LimitExceeded: a cap of the settings is exceeded.
    """

    def __init__(
        self,
        stream: BinaryIO,
        name: str,
        rejects: Rejects,
        settings: Settings,
        *,
        required: Sequence[str],
        headers: Sequence[str] = (),
        layout: Layout = Layout.TABS,
    ) -> None:
        self.comments: list[str] = []
        self.header_1based = 1
        self._name = name
        self._rejects = rejects
        self._settings = settings
        self._headers = headers
        self._layout = layout
        self._lines = _lines(stream, name, settings)
        names = self._read_names(required)
        self._width = len(names)
        self.places = {column: place for place, column in enumerate(names) if column}

    def __iter__(self) -> Iterator[NamedRow]:
        """Yield the rows; those with another number of cells are noted."""
        width, places = self._width, self.places
        for number, cells in self._split():
            if len(cells) == width:
                yield NamedRow(number, cells, places)
            elif any(cell.strip() for cell in cells) and not (self._headers and cells[0].startswith("#")):
                self._rejects.add(self._name, number, "columns", WIDTH, f"{len(cells)} in place of {width}")

    # --- the names of the columns -------------------------------------------------------------------------------------

    def _read_names(self, required: Sequence[str]) -> list[str]:
        names = self._find_names()
        if not names:
            first = f"#{' or #'.join(self._headers)}" if self._headers else self._joined(required)
            self._refuse("there is no line with the names of the columns", "", f"It begins with {first}")
        for column in required:
            if column not in names:
                self._refuse("the column is missing", column, f"The header needs {self._joined(required)}")
        for column in names:
            if column and names.count(column) > 1:
                self._refuse("the column is there twice", column, "Remove one of them")
        return names

    def _joined(self, columns: Sequence[str]) -> str:
        mark = "commas" if self._layout is Layout.COMMAS else "tabs"
        return f"{', '.join(columns)}, separated by {mark}"

    def _find_names(self) -> list[str]:
        size = 0
        for number, raw in self._lines:
            self.header_1based = number
            text = _text_of(raw)
            if text in _DAMAGE:
                self._refuse(_DAMAGE[text], "", "Copy the file again")
            cells = [cell.strip().lower() for cell in self._cells_of(text)]
            if not self._headers:
                if any(cells):
                    return cells
                continue
            if not text.startswith("#"):
                return []
            cells[0] = cells[0].removeprefix("#").strip()
            if cells[0] in self._headers and len(cells) > 1:
                return cells
            self.comments.append(text)
            size += len(text)
            self._check_comments(size)
        return []

    def _check_comments(self, size: int) -> None:
        if size > self._settings.vcf_max_header_bytes or len(self.comments) > self._settings.vcf_max_header_lines:
            raise LimitExceeded(
                self._name,
                "there are too many lines before the names of the columns",
                line_1based=self.header_1based,
                mend="Raise OPERON_VCF_MAX_HEADER_BYTES and OPERON_VCF_MAX_HEADER_LINES if they are meant",
            )

    def _refuse(self, problem: str, field: str, mend: str) -> NoReturn:
        raise BadFile(self._name, problem, line_1based=self.header_1based, field=field or None, mend=mend)

    # --- rows ---------------------------------------------------------------------------------------------------------

    def _cells_of(self, text: str) -> list[str]:
        if self._layout is Layout.TABS or '"' not in text:
            return text.split("," if self._layout is Layout.COMMAS else "\t")
        delimiter = "," if self._layout is Layout.COMMAS else "\t"
        try:
            return next(csv.reader([text], delimiter=delimiter, strict=True), [""])
        except csv.Error:
            return []

    def _split(self) -> Iterator[tuple[int, list[str]]]:
        if self._layout is Layout.COMMAS:
            yield from self._split_quoted()
            return
        for number, text in self._texts():
            cells = self._cells_of(text)
            if cells:
                yield number, cells
            else:
                self._rejects.add(self._name, number, "columns", QUOTES)

    def _split_quoted(self) -> Iterator[tuple[int, list[str]]]:
        """Yield rows of which one may go over several lines, each with the number of its last line."""
        at = 0

        def texts() -> Iterator[str]:
            nonlocal at
            for number, text in self._texts():
                at = number
                yield f"{text}\n"

        reader = csv.reader(texts(), strict=True)
        while True:
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error:
                self._rejects.add(self._name, at, "columns", QUOTES)
            else:
                yield at, cells

    def _texts(self) -> Iterator[tuple[int, str]]:
        for number, raw in self._lines:
            text = _text_of(raw)
            if text in _DAMAGE:
                self._rejects.add(self._name, number, "line", text)
            else:
                yield number, text


def _text_of(raw: bytes) -> str:
    """Return the text of a line, or what is wrong with it; no line of a table reads like that."""
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        return NOT_TEXT
    return text if _CONTROL.search(text) is None else CONTROL


def _lines(stream: BinaryIO, name: str, settings: Settings) -> Iterator[tuple[int, bytes]]:
    """Yield each line with its number, without its end and without a byte order mark."""
    text = BoundedText(stream, name, settings)
    done = 0
    while block := text.next_lines(done):
        for raw in block.removesuffix(b"\n").split(b"\n"):
            done += 1
            yield done, (raw.removeprefix(b"\xef\xbb\xbf") if done == 1 else raw).removesuffix(b"\r")
