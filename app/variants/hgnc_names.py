"""The approved symbols of human genes, and what they were or are called otherwise, in HGNC's list of them.

Format: ``hgnc_complete_set.txt``, https://www.genenames.org/help/statistics-and-files/: columns separated by tabs and
named in the first line, several values of one separated by ``|`` and then quoted.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from io import BufferedReader
from typing import Final

from app.errors import BadFile, quoted
from app.variants.text_lines import read_lines

FIRST_COLUMNS: Final = b"hgnc_id\tsymbol\t"
_COLUMNS: Final = ("hgnc_id", "symbol", "status", "alias_symbol", "prev_symbol")
_IDENTIFIER = re.compile(r"HGNC:[0-9]{1,7}")
_MEND: Final = "Give HGNC's hgnc_complete_set.txt as it is published"


@dataclass(frozen=True, slots=True)
class ApprovedGene:
    """A gene by its identifier and approved symbol, with its earlier and its other symbols."""

    hgnc: str
    symbol: str
    previous: tuple[str, ...]
    aliases: tuple[str, ...]


def read_approved_genes(raw: BufferedReader, source: str) -> Iterator[ApprovedGene]:
    """Yield the approved genes; withdrawn entries are passed over.

    Raises BadFile, naming line and column, for anything but HGNC's table.
    """
    places: dict[str, int] = {}
    columns = 0
    seen: set[str] = set()
    for line_1based, line in read_lines(raw, source):
        if not line.strip():
            continue
        values = _values(line, source, line_1based)
        if not places:
            columns = len(values)
            places = _places(values, source)
            continue
        if len(values) != columns:
            problem = f"it has {len(values)} columns, the first line {columns}"
            raise BadFile(source, problem, line_1based=line_1based, mend=_MEND)
        row = {name: values[place] for name, place in places.items()}
        if row["status"] != "Approved":
            continue
        if _IDENTIFIER.fullmatch(row["hgnc_id"]) is None or row["hgnc_id"] in seen:
            what = "stands there twice" if row["hgnc_id"] in seen else "is no identifier such as HGNC:5"
            problem = f"'{quoted(row['hgnc_id'])}' {what}"
            raise BadFile(source, problem, line_1based=line_1based, field="hgnc_id", mend=_MEND)
        if not row["symbol"]:
            raise BadFile(source, "it is empty", line_1based=line_1based, field="symbol", mend=_MEND)
        seen.add(row["hgnc_id"])
        yield ApprovedGene(row["hgnc_id"], row["symbol"], _several(row["prev_symbol"]), _several(row["alias_symbol"]))


def _values(line: bytes, source: str, line_1based: int) -> list[str]:
    try:
        return [_unquoted(value) for value in line.decode("utf-8-sig").split("\t")]
    except UnicodeDecodeError:
        raise BadFile(source, "it is no UTF-8 text", line_1based=line_1based, mend=_MEND) from None


def _unquoted(value: str) -> str:
    if len(value) > 1 and value[0] == value[-1] == '"':
        value = value[1:-1].replace('""', '"')
    return value.strip()


def _places(header: list[str], source: str) -> dict[str, int]:
    for name in _COLUMNS:
        if name not in header:
            raise BadFile(source, "there is no such column", line_1based=1, field=name, mend=_MEND)
    return {name: header.index(name) for name in _COLUMNS}


def _several(value: str) -> tuple[str, ...]:
    return tuple(name for name in map(str.strip, value.split("|")) if name)
