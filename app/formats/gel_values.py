"""Numbers of cases, times and days as the CIP-API writes them, and values that may be of another type than they should.

>>> case_number("GEL-40101-1")
(40101, 1)
>>> timestamp(datetime(2022, 3, 1, 15, 30, tzinfo=UTC))
'2022-03-01T15:30:00.000000Z'
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

_NUMBER = re.compile(r"(?:[A-Za-z]+-)?([0-9]{1,18})(?:-([0-9]{1,9}))?")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def case_number(text: object) -> tuple[int, int | None] | None:
    """Return (request, version) of ``40101``, ``40101-1`` or ``GEL-40101-1``; None if it is nothing like that."""
    match = _NUMBER.fullmatch(str(text).strip())
    return None if match is None else (int(match[1]), int(match[2]) if match[2] else None)


def versioned_case(text: str) -> tuple[int, int] | None:
    """Return (request, version) of ``40101-1`` or ``GEL-40101-1``; None if it is nothing like that."""
    number = case_number(text)
    return None if number is None or number[1] is None else (number[0], number[1])


def timestamp(at: datetime) -> str:
    """Return a time as the API writes it: UTC, always six digits, because clients parse it with a fixed pattern."""
    return at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def moment(text: object) -> str:
    """Return a time as ``2022-03-02T10:00:00.000000Z``, the zone UTC where none is given; empty if it is no time."""
    try:
        found = datetime.fromisoformat(str(text))
        return timestamp(found.replace(tzinfo=UTC) if found.tzinfo is None else found)
    except (ValueError, OverflowError):
        return ""


def day_of(text: str) -> str | None:
    """Return the day that a text begins with, as ``2022-03-02``; None if it begins with none."""
    match = _DAY.match(text)
    return match[0] if match else None


def is_day(text: str) -> bool:
    """Return whether a text is a day as the API writes it."""
    if not _DAY.fullmatch(text):
        return False
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def object_of(value: object) -> Mapping[str, Any]:
    """Return an object; an empty one for anything else."""
    return value if isinstance(value, Mapping) else {}


def objects_of(value: object) -> list[Mapping[str, Any]]:
    """Return the objects of a list; none if it is no list."""
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, list) else []
