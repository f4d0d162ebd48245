"""Read JSON that is larger than memory, one member of an object or one element of an array at a time.

``read_members`` yields the members of chosen objects on the first level singly, everything else there as a whole.
"""

from __future__ import annotations

import codecs
import gzip
import json
import math
import re
import zlib
from collections.abc import Callable, Collection, Iterator
from typing import Any, BinaryIO, NoReturn, Protocol

from app.errors import BadFile, quoted

_CHUNK = 1 << 20
_LONGEST = 1 << 25
"""Most characters of one member; a transcript of cdot takes some 30,000."""
_LONGEST_WORD = 16
"""Most characters of what must be read as one, such as ``false`` or an escape; strings aside."""
_SPACE = re.compile(r"[ \t\n\r]*")
_GZIP = b"\x1f\x8b"
_MEND = "Copy or download the file again"


def read_members(raw: BinaryIO, source: str, opened: Collection[str]) -> Iterator[tuple[str, str | None, Any]]:
    """Yield (key, None, value) of an object, or (key, name, value) for each member of the objects that are ``opened``.

    ``raw`` may be gzipped. Raises BadFile, naming ``source`` and the field, for anything but one complete JSON object.
    """
    raw.seek(0)
    packed = raw.read(2) == _GZIP
    raw.seek(0)
    try:
        yield from _top(JsonScanner(gzip.GzipFile(fileobj=raw) if packed else raw, source), opened)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise BadFile(source, f"its compression is damaged or cut off ({error})", mend=_MEND) from error
    except UnicodeDecodeError as error:
        raise BadFile(source, "it is no UTF-8 text", mend=_MEND) from error


def _top(scanner: JsonScanner, opened: Collection[str]) -> Iterator[tuple[str, str | None, Any]]:
    if scanner.next() != "{":
        scanner.fail("it is no JSON object")
    for key in scanner.members():
        if key not in opened:
            yield key, None, scanner.value()
        elif scanner.next() != "{":
            scanner.fail("it is no JSON object")
        else:
            for name in scanner.members():
                yield key, name, scanner.value()
    if scanner.next():
        scanner.fail("there is more text after the end of the object")


class Readable(Protocol):
    """A stream of bytes."""

    def read(self, size: int, /) -> bytes:
        """Return up to ``size`` bytes, none at the end."""


class JsonScanner:
    """A sliding view of the text with the place that has been read up to.

    ``longest`` is the most characters of one value, ``pairs`` makes an object of its members. Every error is a BadFile
    that names ``source`` and the field.
    """

    def __init__(
        self,
        stream: Readable,
        source: str,
        *,
        longest: int = _LONGEST,
        pairs: Callable[[list[tuple[str, Any]]], Any] | None = None,
        mend: str = _MEND,
    ) -> None:
        self._stream = stream
        self._source = source
        self._longest = longest
        self._mend = mend
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")()
        self._json = json.JSONDecoder(parse_constant=_refuse_constant, parse_float=_finite, object_pairs_hook=pairs)
        self._text, self._at, self._ended = "", 0, False
        self.field: str | None = None
        """What is being read, for messages"""

    def members(self) -> Iterator[str]:
        """Yield each key of the object that was just opened, with the place at its value, until the object closes."""
        within = self.field
        if self.peek() == "}":
            self._at += 1
            return
        while True:
            key = self.value()
            if not isinstance(key, str) or self.next() != ":":
                self.fail("it is no valid JSON: a name and a colon are missing")
            self.field = key if within is None else f"{within}[{quoted(key)}]"
            yield key
            self.field = within
            match self.next():
                case ",":
                    continue
                case "}":
                    return
                case "":
                    self.fail("it is cut off")
                case _:
                    self.fail("it is no valid JSON: a comma is missing")

    def elements(self) -> Iterator[None]:
        """Stand before each element of the array that was just opened, which the caller reads, until it closes."""
        if self.peek() == "]":
            self._at += 1
            return
        while True:
            yield
            match self.next():
                case ",":
                    continue
                case "]":
                    return
                case "":
                    self.fail("it is cut off")
                case _:
                    self.fail("it is no valid JSON: a comma is missing")

    def value(self) -> Any:
        """Return the next value as a whole and go past it."""
        self.peek()
        while True:
            try:
                value, end = self._json.raw_decode(self._text, self._at)
            except json.JSONDecodeError as error:
                if self._ended or self._is_final(error):
                    self.fail("it is cut off" if self._ended else f"it is no valid JSON ({error.msg})", error)
            except (ValueError, RecursionError) as error:
                self.fail(f"it is no valid JSON ({error})", error)
            else:
                # A number at the end may go on in the next chunk: 12 in 12e+3.
                if len(self._text) - end >= len(".e+") or not isinstance(value, int | float) or self._ended:
                    self._refuse_longer_than_allowed(end)
                    self._at = end
                    return value
            self._refuse_longer_than_allowed(len(self._text))
            self._more()

    def _refuse_longer_than_allowed(self, end: int) -> None:
        if end - self._at > self._longest:
            self.fail(f"it is longer than {self._longest:,} characters")

    def _is_final(self, error: json.JSONDecodeError) -> bool:
        """Return whether a syntax error stays one, however the text goes on."""
        return len(self._text) - error.pos > _LONGEST_WORD and not error.msg.startswith("Unterminated string")

    def next(self) -> str:
        """Return the next character that is no space and go past it; nothing at the end."""
        character = self.peek()
        self._at += len(character)
        return character

    def peek(self) -> str:
        """Return the next character that is no space and stay before it; nothing at the end."""
        while True:
            match = _SPACE.match(self._text, self._at)
            self._at = match.end() if match else self._at
            if self._at < len(self._text):
                return self._text[self._at]
            if self._ended:
                return ""
            self._more()

    def _more(self) -> None:
        """Take in at least as much text as is left over, so that reading on costs no more than it brings."""
        block = self._stream.read(max(_CHUNK, len(self._text) - self._at))
        self._ended = not block
        self._text = self._text[self._at :] + self._decoder.decode(block, final=self._ended)
        self._at = 0

    def fail(self, problem: str, cause: Exception | None = None) -> NoReturn:
        """Refuse the file for a problem of what is being read."""
        raise BadFile(self._source, problem, field=self.field, mend=self._mend) from cause


def _refuse_constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is no JSON number")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text[:20]} is too large a number")
    return number
