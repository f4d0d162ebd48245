"""Rows of a PostgreSQL dump that was written with ``--column-inserts``: one INSERT statement after the other.

The file is read once, line by line. Literals may hold line breaks, doubled quotes and, as ``E'...'``, escapes.

>>> from io import BytesIO
>>> text = b"INSERT INTO cpic.drug (drugid, name) VALUES ('RxNorm:1', 'it''s');"
>>> [(row.table, row.text("name")) for row in read_inserts(BytesIO(text), "x.sql", {"drug"}, Settings())]
[('drug', "it's")]
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, BinaryIO, NoReturn

from app.config import Settings
from app.errors import BadFile, LimitExceeded, quoted
from app.formats.bounded_text import BoundedText

_INSERT = re.compile(
    r'INSERT INTO (?:"?\w+"?\.)?"?(\w+)"? \(([^)]*)\)\s+(?:OVERRIDING \w+ VALUE\s+)?VALUES\s*', re.IGNORECASE
)
_COPY = re.compile(r"COPY (?:\w+\.)?(\w+) .*FROM stdin;", re.IGNORECASE)
_BODY = re.compile(r"\$\w*\$")
_OPENING = re.compile(r"(?<!\w)([eE])?'|'")
_PLAIN_END = re.compile(r"(?:[^']|'')*+'")
_ESCAPED_END = re.compile(r"(?:[^'\\]|\\.|'')*+'", re.DOTALL)
_VALUE = re.compile(
    r"\s*(?:(?P<null>NULL)\b|(?P<bare>true\b|false\b|[-+.0-9][-+.0-9eE]*)"
    r"|[eE]'(?P<escaped>(?:[^'\\]|\\.|'')*+)'|'(?P<plain>(?:[^']|'')*+)')(?:::[\w\[\]. ]+)?\s*(?P<after>[,)])",
    re.DOTALL | re.IGNORECASE,
)
_ESCAPE = re.compile(r"\\(?:([0-7]{1,3})|x([0-9a-fA-F]{1,2})|u([0-9a-fA-F]{4})|(.))|''", re.DOTALL)
_LETTERS = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}
_ELEMENT = re.compile(r'\s*(?:"((?:[^"\\]|\\.)*)"|([^,"{}]*))\s*(?:,|$)', re.DOTALL)


@dataclass(frozen=True, slots=True)
class SqlRow:
    """One row; columns are named in lower case, and one that the file lacks is empty."""

    table: str
    line_1based: int
    """Of the statement"""
    values: Mapping[str, str | None]

    def text(self, *columns: str) -> str:
        """Return the value of the first of some columns that the file has, without blanks around it."""
        for column in columns:
            if column in self.values:
                return (self.values[column] or "").strip()
        return ""

    def flag(self, *columns: str) -> bool:
        """Return a truth value."""
        return self.text(*columns).lower() in ("true", "t")

    def array(self, column: str) -> tuple[str, ...]:
        """Return the elements of an array of texts; nothing for anything else.

        >>> SqlRow("t", 1, {"a": '{x,"y, z"}'}).array("a")
        ('x', 'y, z')
        """
        text = self.text(column)
        if not (text.startswith("{") and text.endswith("}")) or text == "{}":
            return ()
        found, at, inner = [], 0, text[1:-1]
        while at < len(inner):
            match = _ELEMENT.match(inner, at)
            if match is None or match.end() == at:
                return ()
            found.append(re.sub(r"\\(.)", r"\1", match[1]) if match[1] is not None else match[2].strip())
            at = match.end()
        return tuple(found)

    def json(self, column: str) -> Any:
        """Return a value of JSON; None where there is none or it cannot be read."""
        try:
            return json.loads(self.text(column) or "null")
        except (ValueError, RecursionError):
            return None


class _Quote(Enum):
    """Whether a line ends within a literal."""

    NONE = 0
    PLAIN = 1
    ESCAPED = 2


def read_inserts(stream: BinaryIO, name: str, tables: Collection[str], settings: Settings) -> Iterator[SqlRow]:
    """Yield the rows of some tables, in the order of the file.

    Raises:
        BadFile: a statement cannot be read, or the dump was written with COPY.
        LimitExceeded: a cap of the settings is exceeded.
    """
    statement: list[str] = []
    size = began = 0
    quote, in_body = _Quote.NONE, False
    for number, line in _lines(stream, name, settings):
        if not statement:
            if len(_BODY.findall(line)) % 2:
                in_body = not in_body
            if in_body or not line[:12].upper().startswith("INSERT INTO "):
                _refuse_copy(line, tables, name, number, in_body=in_body)
                continue
            began, size = number, 0
        statement.append(line)
        size += len(line)
        if size > settings.fhir_max_resource_bytes:
            raise LimitExceeded(name, "a statement is too long", line_1based=began)
        quote = _after(line, quote)
        if quote is _Quote.NONE and line.rstrip().endswith(";"):
            yield from _rows("".join(statement), name, began, tables)
            statement = []
    if statement:
        _refuse(name, began, "the file ends within a statement")


def _lines(stream: BinaryIO, name: str, settings: Settings) -> Iterator[tuple[int, str]]:
    text, number = BoundedText(stream, name, settings), 0
    while block := text.next_lines(number):
        for line in block.splitlines(keepends=True):
            number += 1
            try:
                yield number, line.decode("utf-8")
            except UnicodeDecodeError:
                _refuse(name, number, "it is not UTF-8 text")


def _refuse_copy(line: str, tables: Collection[str], name: str, number: int, *, in_body: bool) -> None:
    copied = _COPY.match(line) if not in_body else None
    if copied is not None and copied[1].lower() in tables:
        raise BadFile(
            name, "it is a dump with COPY, not with INSERT", line_1based=number, mend="Give the file ..._inserts.sql.gz"
        )


def _after(line: str, quote: _Quote) -> _Quote:
    """Return whether a line that begins in a state ends within a literal."""
    at = 0
    while True:
        if quote is _Quote.NONE:
            opening = _OPENING.search(line, at)
            if opening is None:
                return quote
            quote = _Quote.ESCAPED if opening[1] else _Quote.PLAIN
            at = opening.end()
        else:
            end = (_ESCAPED_END if quote is _Quote.ESCAPED else _PLAIN_END).match(line, at)
            if end is None:
                return quote
            quote, at = _Quote.NONE, end.end()


def _rows(statement: str, name: str, line_1based: int, tables: Collection[str]) -> Iterator[SqlRow]:
    head = _INSERT.match(statement)
    if head is None:
        return
    table = head[1].lower()
    if table not in tables:
        return
    columns = [column.strip().strip('"').lower() for column in head[2].split(",")]
    at = head.end()
    while at < len(statement) and statement[at] == "(":
        values, at = _tuple(statement, at + 1, name, line_1based)
        if len(values) != len(columns):
            _refuse(name, line_1based, f"{len(columns)} columns, but {len(values)} values")
        yield SqlRow(table, line_1based, dict(zip(columns, values, strict=True)))
        while at < len(statement) and statement[at] in ", \t\r\n":
            at += 1


def _tuple(statement: str, at: int, name: str, line_1based: int) -> tuple[list[str | None], int]:
    values: list[str | None] = []
    while True:
        match = _VALUE.match(statement, at)
        if match is None:
            _refuse(name, line_1based, f"a value cannot be read: {quoted(statement[at : at + 40])}")
        at = match.end()
        if match["null"]:
            values.append(None)
        elif match["bare"] is not None:
            values.append(match["bare"])
        elif match["escaped"] is not None:
            values.append(_ESCAPE.sub(_unescaped, match["escaped"]))
        else:
            values.append(match["plain"].replace("''", "'"))
        if match["after"] == ")":
            return values, at


def _unescaped(match: re.Match[str]) -> str:
    octal, hexadecimal, unicode, letter = match.groups()
    if octal is not None:
        return chr(int(octal, 8))
    if hexadecimal is not None or unicode is not None:
        return chr(int(hexadecimal or unicode, 16))
    return "'" if letter is None else _LETTERS.get(letter, letter)


def _refuse(name: str, line_1based: int, problem: str) -> NoReturn:
    raise BadFile(name, problem, line_1based=line_1based, mend="Download the file again and compare checksums")
