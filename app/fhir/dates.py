"""Dates with prefixes, as the ``testDateRange`` parameter gives them, compared with the dates of tests.

A FHIR date stands for an interval: 2020-07 is all of July. Every comparison is one of intervals, as
https://hl7.org/fhir/R4/search.html#date and #prefix define it. Intervals are half-open and in UTC; a time without a
zone counts as UTC.

>>> start, end = implicit_interval("2020-07-13")
>>> parse_bound("ge2020-07").matches(start, end), parse_bound("sa2020-07").matches(start, end)
(True, False)
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from enum import StrEnum

from app.errors import InvalidValue, quoted

_PARAMETER = "testDateRange"
_DATE = re.compile(
    r"(?P<year>[0-9]{4})(?:-(?P<month>[0-9]{1,2})(?:-(?P<day>[0-9]{1,2})"
    r"(?:[T ](?P<hour>[0-9]{2}):(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2})(?:\.(?P<fraction>[0-9]{1,9}))?)?"
    r"(?P<zone>Z|[+\- ][0-9]{2}:[0-9]{2})?)?)?)?",
    re.ASCII,
)
_BOUND = re.compile(r"([a-z]{2})?([0-9].*)", re.ASCII | re.DOTALL)
_LAST = datetime.max.replace(tzinfo=UTC)


class DatePrefix(StrEnum):
    """How a date is compared; ``ap`` (approximately) is left out because its width would be ours to invent."""

    EQ = "eq"
    NE = "ne"
    LT = "lt"
    GT = "gt"
    GE = "ge"
    LE = "le"
    SA = "sa"
    EB = "eb"


_PREFIXES = frozenset(str(prefix) for prefix in DatePrefix)


@dataclass(frozen=True, slots=True)
class DateBound:
    """A condition on the date of a test: a prefix and the interval [start, end) that the given date stands for."""

    prefix: DatePrefix
    start: datetime
    end: datetime

    def matches(self, test_start: datetime, test_end: datetime) -> bool:
        """Return whether a test whose date stands for [test_start, test_end) meets the condition."""
        inside = self.start <= test_start and test_end <= self.end
        match self.prefix:
            case DatePrefix.EQ:
                return inside
            case DatePrefix.NE:
                return not inside
            case DatePrefix.GT:
                return test_end > self.end
            case DatePrefix.GE:
                return inside or test_end > self.end
            case DatePrefix.LT:
                return test_start < self.start
            case DatePrefix.LE:
                return inside or test_start < self.start
            case DatePrefix.SA:
                return test_start >= self.end
            case DatePrefix.EB:
                return test_end <= self.start


def implicit_interval(text: str) -> tuple[datetime, datetime]:
    """Return the interval [start, end) that a FHIR date or dateTime of any precision stands for.

    Raises InvalidValue for another form or a day that no calendar has.
    """
    match = _DATE.fullmatch(text.strip())
    if match is None:
        raise _invalid(text)
    part = match.groupdict()
    try:
        start = datetime(
            int(part["year"]),
            int(part["month"] or 1),
            int(part["day"] or 1),
            int(part["hour"] or 0),
            int(part["minute"] or 0),
            int(part["second"] or 0),
            int((part["fraction"] or "0").ljust(6, "0")[:6]),
            _zone(part["zone"]),
        ).astimezone(UTC)
    except (ValueError, OverflowError):
        raise _invalid(text) from None
    return start, _end(start, part)


def parse_bound(text: str) -> DateBound:
    """Return the condition that a prefixed date states; without a prefix it means ``eq``.

    Raises InvalidValue.
    """
    match = _BOUND.fullmatch(text.strip())
    if match is None:
        raise _invalid(text)
    prefix = match[1] or "eq"
    if prefix == "ap":
        raise InvalidValue(f"'{quoted(text)}': the prefix ap is not supported", parameter=_PARAMETER)
    if prefix not in _PREFIXES:
        raise _invalid(text)
    return DateBound(DatePrefix(prefix), *implicit_interval(match[2]))


def _invalid(text: str) -> InvalidValue:
    message = (
        f"'{quoted(text)}' does not match [eq|ne|lt|gt|ge|le|sa|eb]YYYY[-MM[-DD[Thh:mm:ss[Z|+hh:mm]]]] "
        "or is not in the calendar"
    )
    return InvalidValue(message, parameter=_PARAMETER)


def _zone(text: str | None) -> timezone:
    if text is None or text == "Z":
        return UTC
    # A "+" that was not percent-encoded arrives as a blank.
    sign = -1 if text[0] == "-" else 1
    hours, minutes = int(text[1:3]), int(text[4:6])
    if hours > 14 or minutes > 59:
        raise ValueError(text)
    return timezone(sign * timedelta(hours=hours, minutes=minutes))


def _end(start: datetime, part: dict[str, str | None]) -> datetime:
    try:
        if part["fraction"]:
            return start + timedelta(microseconds=10 ** (6 - min(len(part["fraction"]), 6)))
        if part["second"]:
            return start + timedelta(seconds=1)
        if part["hour"]:
            return start + timedelta(minutes=1)
        if part["day"]:
            return start + timedelta(days=1)
        year, month = start.year, start.month + 1 if part["month"] else 13
        return start.replace(year=year + 1, month=1) if month == 13 else start.replace(month=month)
    except (ValueError, OverflowError):
        return _LAST
