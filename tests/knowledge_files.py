"""Files of knowledge sources for tests: the small ones of ``tests/data/knowledge``, and ways to spoil them."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

from app.formats.knowledge import KnowledgeItem, Rejects

FOLDER = Path(__file__).parent / "data" / "knowledge"


def stored(name: str) -> bytes:
    """Return the bytes of one of the small files."""
    return (FOLDER / name).read_bytes()


def table(*rows: dict[str, str], separator: str = "\t") -> bytes:
    """Return a table with the columns that any of the rows has, in their order."""
    columns = list(dict.fromkeys(column for row in rows for column in row))
    lines = [columns, *([row.get(column, "") for column in columns] for row in rows)]
    return "".join(separator.join(line) + "\n" for line in lines).encode()


def changed(data: bytes, line_1based: int, **cells: str) -> bytes:
    """Return a table with some cells of one line changed; ``__`` in a name stands for a dot."""
    lines = [line.split("\t") for line in data.decode().splitlines()]
    for column, text in cells.items():
        lines[line_1based - 1][lines[0].index(column.replace("__", "."))] = text
    return "".join("\t".join(line) + "\n" for line in lines).encode()


def without(data: bytes, *columns: str) -> bytes:
    """Return a table that lacks some columns."""
    lines = [line.split("\t") for line in data.decode().splitlines()]
    kept = [place for place, column in enumerate(lines[0]) if column not in columns]
    return "".join("\t".join(line[place] for place in kept) + "\n" for line in lines).encode()


def read(reader: Callable[[BinaryIO, Rejects], Iterator[KnowledgeItem]], data: bytes) -> tuple[list[Any], Rejects]:
    """Return what a reader finds in a file, and what it could not use."""
    rejects = Rejects()
    return list(reader(io.BytesIO(data), rejects)), rejects


def told(rejects: Rejects) -> list[tuple[int, str, str]]:
    """Return line, field and problem of each rejected row."""
    return [(reject.line_1based, reject.field, reject.problem) for reject in rejects.noted]
