"""Members of PharmCAT's JSON files, read with their place in the file, so that an error can name it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NoReturn

from app.errors import BadFile, quoted

_MEND = "Give the files of a PharmCAT release as they are"


class Member:
    """A value of a JSON file and where it stands; members that nobody asks for are passed over."""

    __slots__ = ("path", "source", "value")

    def __init__(self, value: Any, source: str, path: str = "") -> None:
        self.value = value
        self.source = source
        self.path = path

    def fail(self, problem: str) -> NoReturn:
        """Raise BadFile for this value."""
        raise BadFile(self.source, problem, field=self.path or None, mend=_MEND)

    def has(self, name: str) -> bool:
        """Return whether an object has a member that is not null."""
        return isinstance(self.value, dict) and self.value.get(name) is not None

    def get(self, name: str) -> Member:
        """Return a member of an object; null when it is absent."""
        value = self.value.get(name) if isinstance(self.value, dict) else None
        return Member(value, self.source, f"{self.path}.{name}" if self.path else name)

    def items(self) -> Iterator[Member]:
        """Yield the items of a list; nothing for null."""
        if self.value is None:
            return
        if not isinstance(self.value, list):
            self.fail("it is not a list")
        for at, value in enumerate(self.value):
            yield Member(value, self.source, f"{self.path}[{at}]")

    def members(self) -> Iterator[tuple[str, Member]]:
        """Yield the members of an object by name; nothing for null."""
        if self.value is None:
            return
        if not isinstance(self.value, dict):
            self.fail("it is not an object")
        for name in self.value:
            yield name, self.get(name)

    def text(self) -> str:
        """Return a text that has to be there."""
        if not isinstance(self.value, str) or not self.value.strip():
            self.fail("a text is missing")
        return self.value.strip()

    def text_or(self, default: str = "") -> str:
        """Return a text, or the default for null."""
        return default if self.value is None else self.text()

    def position(self) -> int:
        """Return a one-based position as zero-based."""
        if not isinstance(self.value, int) or isinstance(self.value, bool) or self.value < 1:
            self.fail(f"{quoted(self.value)} is no position")
        return self.value - 1

    def count(self) -> int:
        """Return a number of copies."""
        if not isinstance(self.value, int) or isinstance(self.value, bool) or not 0 < self.value <= 2:
            self.fail(f"{quoted(self.value)} is no number of copies")
        return self.value

    def flag(self) -> bool:
        """Return a truth value; null is false."""
        if self.value is not None and not isinstance(self.value, bool):
            self.fail("it is neither true nor false")
        return bool(self.value)


def read_json(content: bytes, source: str) -> Member:
    """Return the one object of a file.

    Raises:
        BadFile: the file is no JSON object.
    """
    try:
        value = json.loads(content)
    except (ValueError, RecursionError) as problem:
        raise BadFile(source, f"it is no JSON ({quoted(problem)})", mend=_MEND) from None
    if not isinstance(value, dict):
        raise BadFile(source, "it is no JSON object", mend=_MEND)
    return Member(value, source)
