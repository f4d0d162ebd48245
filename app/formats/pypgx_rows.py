"""Rows of the comma-separated tables of PyPGx (https://github.com/sbslee/pypgx, MIT): where a problem is, and names.

Every variant is named ``chromosome-POS-REF-ALT`` on each build, one-based; ``N/A`` stands for nothing.
"""

from __future__ import annotations

import codecs
import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO, NoReturn

from app.errors import BadFile, quoted
from app.variants.accessions import MT, X, Y

NOTHING = "N/A"
_NAME = re.compile(r"(?P<contig>[0-9]{1,2}|X|Y|M)-(?P<pos>[1-9][0-9]{0,8})-(?P<ref>[ACGT]+)-(?P<alt>[ACGT]+)")
_CONTIGS = {**{str(number): number for number in range(1, 23)}, "X": X, "Y": Y, "M": MT}
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class CsvRow:
    """One row of a table."""

    source: str
    line_1based: int
    cells: dict[str, str]

    def __getitem__(self, column: str) -> str:
        """Return a cell; empty for one that says that there is nothing."""
        text = self.cells[column]
        return "" if text == NOTHING else text

    def fail(self, column: str, problem: str) -> NoReturn:
        """Raise that a cell cannot be used."""
        raise BadFile(
            self.source,
            problem,
            line_1based=self.line_1based,
            field=column,
            mend="Take the tables of PyPGx 0.27 as they are",
        )

    def changes(self, column: str) -> tuple[Change, ...]:
        """Return the variants that a cell names."""
        return tuple(self.change(column, name.strip()) for name in self[column].split(",")) if self[column] else ()

    def change(self, column: str, name: str) -> Change:
        """Return one variant by its name."""
        found = _NAME.fullmatch(name)
        if found is None or found["contig"] not in _CONTIGS:
            self.fail(column, f"{quoted(name)} is no variant")
        return Change(_CONTIGS[found["contig"]], int(found["pos"]) - 1, found["ref"], found["alt"])


@dataclass(frozen=True, slots=True)
class Change:
    """REF and ALT at a place of one build."""

    contig: int
    start: int
    ref: str
    alt: str


def read_csv(stream: BinaryIO, source: str, columns: Sequence[str]) -> Iterator[CsvRow]:
    """Yield the rows of a table whose header has these columns.

    Raises:
        BadFile: it is no such table.
    """
    reader = csv.reader(codecs.iterdecode(stream, "utf-8-sig"), strict=True)
    names: list[str] = []
    try:
        for cells in reader:
            if not names:
                names = cells
                _check_header(names, source, columns)
            elif len(cells) != len(names):
                raise BadFile(source, f"{len(cells)} cells in place of {len(names)}", line_1based=reader.line_num)
            else:
                clean = (_CONTROL.sub("", cell) for cell in cells)
                yield CsvRow(source, reader.line_num, dict(zip(names, clean, strict=True)))
    except (UnicodeDecodeError, csv.Error):
        raise BadFile(source, "it is not comma-separated UTF-8 text", line_1based=reader.line_num) from None
    if not names:
        _check_header([], source, columns)


def _check_header(names: list[str], source: str, columns: Sequence[str]) -> None:
    for column in columns:
        if column not in names:
            raise BadFile(
                source,
                "the column is missing",
                line_1based=1,
                field=column,
                mend=f"The header needs {', '.join(columns)}, separated by commas",
            )
