r"""Rows of Operon's own tables of pharmacogenetics: UTF-8, tab-separated, a header line, one row a line.

A tab, line break, backslash or control character within a cell is written as an escape (``\t``, ``\n``, ``\r``,
``\\``, ``\x01``). A list is joined by `` ; ``. A problem names the file, the line and the column: nothing is passed
over, because a table that was read in part would give wrong results.

>>> list(read_rows(io.BytesIO(b"gene\tname\nTPMT\t*3A\n"), "allele.tsv", ("gene", "name")))[0]["name"]
'*3A'
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO, NoReturn

from app.errors import BadFile, LimitExceeded, quoted

MAX_LINE_BYTES = 1 << 20
BETWEEN = " ; "

_NEEDS_ESCAPE = re.compile(r"[\\\x00-\x1f\x7f\x85\u2028\u2029]")
_ESCAPE = re.compile(r"\\(\\|t|n|r|u[0-9a-f]{4}|x[0-9a-f]{2})?")
_SHORT = {"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"}
_LONG = {short[1:]: character for character, short in _SHORT.items()}


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a table; cells are found by the names of their columns."""

    source: str
    line_1based: int
    cells: dict[str, str]

    def __getitem__(self, column: str) -> str:
        return self.cells[column]

    def fail(self, column: str, problem: str, mend: str = "") -> NoReturn:
        """Raise that a cell cannot be used."""
        raise BadFile(self.source, problem, line_1based=self.line_1based, field=column, mend=mend)

    def needed(self, column: str) -> str:
        """Return a cell that may not be empty."""
        if not self.cells[column]:
            self.fail(column, "the cell is empty", "Every row needs it")
        return self.cells[column]

    def one_of(self, column: str, allowed: Iterable[str]) -> str:
        """Return a cell that has one of some values."""
        known = tuple(allowed)
        if self.cells[column] not in known:
            self.fail(column, f"{quoted(self.cells[column])} is not known", f"Use one of {', '.join(known)}")
        return self.cells[column]

    def flag(self, column: str) -> bool:
        """Return a cell that says yes or no; empty is no."""
        return self.one_of(column, ("yes", "no", "")) == "yes"

    def count(self, column: str, *, least: int, most: int) -> int:
        """Return a cell that is a whole number in a range."""
        text = self.cells[column]
        if not (text.isascii() and text.isdecimal() and len(text) < 12 and least <= int(text) <= most):
            self.fail(column, f"{quoted(text)} is no whole number from {least} to {most}")
        return int(text)

    def number(self, column: str) -> float:
        """Return a cell that is a number, at least zero; ``inf`` for one without bound."""
        text = self.cells[column]
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not value >= 0:
            self.fail(column, f"{quoted(text)} is no number", "Use a number that is zero or more, or inf")
        return value

    def items(self, column: str) -> tuple[str, ...]:
        """Return a list."""
        text = self.cells[column]
        return tuple(text.split(BETWEEN)) if text else ()


def read_rows(stream: BinaryIO, source: str, columns: Sequence[str]) -> Iterator[Row]:
    """Yield the rows of a table whose header has these columns; further columns are passed over.

    Raises:
        BadFile: the text or the header cannot be used, or a row has another number of cells.
    """
    names: list[str] = []
    line_1based = 0
    while raw := stream.readline(MAX_LINE_BYTES + 1):
        line_1based += 1
        cells = _cells_of(raw, source, line_1based)
        if not names:
            names = cells
            _check_header(names, source, columns)
        elif len(cells) == len(names):
            yield Row(source, line_1based, dict(zip(names, cells, strict=True)))
        elif cells != [""]:
            raise BadFile(
                source,
                f"there are {len(cells)} cells in place of {len(names)}",
                line_1based=line_1based,
                mend="Every row has as many cells as the header, separated by tabs",
            )
    if not names:
        _check_header([], source, columns)


def _cells_of(raw: bytes, source: str, line_1based: int) -> list[str]:
    if len(raw) > MAX_LINE_BYTES:
        raise LimitExceeded(
            source, "the line is too long", line_1based=line_1based, mend=f"A line has up to {MAX_LINE_BYTES} bytes"
        )
    try:
        text = raw.decode("utf-8-sig" if line_1based == 1 else "utf-8")
    except UnicodeDecodeError:
        raise BadFile(source, "it is not UTF-8 text", line_1based=line_1based, mend="Copy the file again") from None
    cells = text.rstrip("\r\n").split("\t")
    if "\\" not in text:
        return cells
    return [_unescaped(cell, source, line_1based) for cell in cells]


def _unescaped(cell: str, source: str, line_1based: int) -> str:
    def character(found: re.Match[str]) -> str:
        code = found.group(1)
        if code is None:
            raise BadFile(
                source,
                "a backslash without a meaning",
                line_1based=line_1based,
                mend="Write a backslash twice, a tab as \\t and a line break as \\n",
            )
        return _LONG[code] if code in _LONG else chr(int(code[1:], 16))

    return _ESCAPE.sub(character, cell)


def _check_header(names: list[str], source: str, columns: Sequence[str]) -> None:
    for column in columns:
        if names.count(column) != 1:
            raise BadFile(
                source,
                "the column is missing" if column not in names else "the column is there twice",
                line_1based=1,
                field=column,
                mend=f"The header needs {', '.join(columns)}, separated by tabs",
            )


def write_rows(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    """Return a table with a header."""
    lines = ["\t".join(columns)]
    lines.extend("\t".join(map(escaped, row)) for row in rows)
    return ("\n".join(lines) + "\n").encode()


def escaped(cell: str) -> str:
    """Return a cell as it is written."""
    return _NEEDS_ESCAPE.sub(_escape, cell) if _NEEDS_ESCAPE.search(cell) else cell


def _escape(found: re.Match[str]) -> str:
    character = found.group()
    if character in _SHORT:
        return _SHORT[character]
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


def joined(items: Iterable[str]) -> str:
    """Return a list as it is written."""
    return BETWEEN.join(items)
