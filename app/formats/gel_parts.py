"""Values inside a case of Genomics England: read if they have the right shape, else noted and left out.

Two ways of reading: what a variant or call cannot do without raises :class:`Unreadable`, and the caller leaves that
element out; anything else costs only itself and leaves a warning.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

from app.errors import quoted
from app.formats.gel import Problem, Scope

REQUIRED = "This field is required."
BLANK = "This field may not be blank."
NULL = "This field may not be null."
NO_STRING = "Not a valid string."
NO_WHOLE = "A valid integer is required."
NO_NUMBER = "A valid number is required."
NO_OBJECT = "Expected an object."
_DIGITS = re.compile("-?[0-9]{1,10}")
LARGEST = 2**31 - 1
"""Integers of the models have 32 bits"""

Record = Mapping[str, Any]


class Unreadable(Exception):
    """A value without which its element cannot be used."""

    def __init__(self, path: str, message: str) -> None:
        super().__init__(message)
        self.path = path
        self.message = message


class Notes:
    """Everything that was found wrong so far, and the reading of what an element can do without."""

    __slots__ = ("known", "problems")

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.known: dict[tuple[str, bytes], Any] = {}
        """Parts that were read before, by what they are and their JSON"""

    def warn(self, path: str, message: str) -> None:
        """Note something that costs nothing else."""
        self.problems.append(Problem(path, message, Scope.WARNING))

    def refuse(self, problem: Unreadable, scope: Scope) -> None:
        """Note what an unreadable value costs."""
        self.problems.append(Problem(problem.path, problem.message, scope))

    def text(self, record: Record, name: str, path: str) -> str:
        """Return a text without space around it; empty where there is none."""
        value = record.get(name)
        if type(value) is str:
            return value.strip()
        if value is not None:
            self.warn(join(path, name), NO_STRING)
        return ""

    def word(self, record: Record, name: str, path: str, known: frozenset[str]) -> str:
        """Return a word of a closed vocabulary; empty where there is none or it is not one of them."""
        value = record.get(name)
        if value is None:
            return ""
        if type(value) is str and value in known:
            return value
        self.warn(join(path, name), no_choice(value))
        return ""

    def whole(self, record: Record, name: str, path: str) -> int | None:
        """Return an integer; None where there is none."""
        value = record.get(name)
        if value is None:
            return None
        read = as_whole(value)
        if read is None:
            self.warn(join(path, name), NO_WHOLE)
        return read

    def number(self, record: Record, name: str, path: str) -> float | None:
        """Return a number; None where there is none."""
        value = record.get(name)
        if value is None:
            return None
        read = as_number(value)
        if read is None:
            self.warn(join(path, name), NO_NUMBER)
        return read

    def share(self, record: Record, name: str, path: str) -> float | None:
        """Return a number from 0 to 1; None where there is none."""
        read = self.number(record, name, path)
        if read is not None and not 0 <= read <= 1:
            self.warn(join(path, name), "Ensure this value is between 0 and 1.")
            return None
        return read

    def record(self, record: Record, name: str, path: str) -> Record:
        """Return an object; an empty one where there is none."""
        value = record.get(name)
        if isinstance(value, dict):
            return value
        if value is not None:
            self.warn(join(path, name), NO_OBJECT)
        return {}

    def items(self, record: Record, name: str, path: str) -> list[Any]:
        """Return a list; an empty one where there is none."""
        value = record.get(name)
        if isinstance(value, list):
            return value
        if value is not None:
            self.warn(join(path, name), no_list(value))
        return []

    def records(self, record: Record, name: str, path: str) -> Iterator[tuple[Record, str]]:
        """Yield the objects of a list, each with its path."""
        for at, one in enumerate(self.items(record, name, path)):
            place = f"{join(path, name)}[{at}]"
            if isinstance(one, dict):
                yield one, place
            else:
                self.warn(place, NO_OBJECT)

    def texts(self, record: Record, name: str, path: str) -> list[str]:
        """Return the texts of a list."""
        found = []
        for at, one in enumerate(self.items(record, name, path)):
            if isinstance(one, str):
                found.append(one.strip())
            else:
                self.warn(f"{join(path, name)}[{at}]", NO_STRING)
        return found


def join(path: str, name: str) -> str:
    """Return the path of a member of what stands at ``path``."""
    return f"{path}.{name}" if path else name


def no_choice(value: object) -> str:
    """Return what is said of a value that is not in its vocabulary."""
    return f'"{shown(value)}" is not a valid choice.'


def shown(value: object) -> str:
    """Return any value for a message."""
    try:
        return quoted(value)
    except RecursionError:  # lists in lists in lists
        return type(value).__name__


def no_list(value: object) -> str:
    """Return what is said of a value that should be a list."""
    return f'Expected a list of items but got type "{type(value).__name__}".'


def as_whole(value: object) -> int | None:
    """Return an integer that may be written as text, or None; old documents write numbers as text."""
    if type(value) is str:
        digits = value.strip()
        value = int(digits) if _DIGITS.fullmatch(digits) else None
    elif type(value) is float and math.isfinite(value) and value == int(value):
        value = int(value)
    return value if type(value) is int and -LARGEST <= value <= LARGEST else None


def as_number(value: object) -> float | None:
    """Return a finite number that may be written as text, or None."""
    if type(value) is str:
        try:
            value = float(value)
        except ValueError:
            return None
    if type(value) is int:
        return float(value) if abs(value) < 2**63 else None
    return value if type(value) is float and math.isfinite(value) else None


def need_record(record: Record, name: str, path: str) -> Record:
    """Return an object that has to be there.

    Raises:
        Unreadable: there is none.
    """
    value = record.get(name)
    if isinstance(value, dict):
        return value
    raise Unreadable(join(path, name), REQUIRED if value is None else NO_OBJECT)


def need_text(record: Record, name: str, path: str) -> str:
    """Return a text that has to be there.

    Raises:
        Unreadable: there is none.
    """
    value = record.get(name)
    if type(value) is str and (text := value.strip()):
        return text
    raise Unreadable(join(path, name), REQUIRED if value is None else BLANK if value == "" else NO_STRING)


def need_items(record: Record, name: str, path: str) -> list[Any]:
    """Return a list; an empty one where there is none.

    Raises:
        Unreadable: it is something else.
    """
    value = record.get(name)
    if value is None:
        return []
    if isinstance(value, list):
        return value
    raise Unreadable(join(path, name), no_list(value))


def need_position(record: Record, name: str, path: str) -> int:
    """Return a one-based position.

    Raises:
        Unreadable: there is none.
    """
    value = record.get(name)
    read = value if type(value) is int else as_whole(value)
    if read is None or read > LARGEST:
        raise Unreadable(join(path, name), REQUIRED if value is None else NO_WHOLE)
    if read < 1:
        raise Unreadable(join(path, name), "Ensure this value is greater than or equal to 1.")
    return read


def spelled(record: Record, *names: str) -> str:
    """Return that one of the spellings of a name which a record has a value for; else the first."""
    for name in names:
        if record.get(name) is not None:
            return name
    return names[0]
