"""What a request to the CIP-API-compatible interface asks for: its parameters, and the cases that they choose."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from typing import Final

from app.errors import InvalidFields
from app.formats import gel_values
from app.operations.cip_access import Caller
from app.store.cip_filters import read_filters
from app.store.cip_pages import CaseFilters

_TRUE: Final = frozenset({"true", "1", "yes"})
_EXTRA: Final = ("extra_params", "extra-params")
_TIMES: Final = ("last_modified_after", "last_modified_before")
_DAY_FIRST: Final = re.compile(r"(\d{2})-(\d{2})-(\d{4})")


class Query:
    """The parameters of a request; unknown ones do no harm, since nobody asks for them."""

    def __init__(self, pairs: Sequence[tuple[str, str]]) -> None:
        self.pairs = [(name, value.replace("\0", "")) for name, value in pairs]  # PostgreSQL has no such text

    def text(self, name: str) -> str:
        """Return the value of a parameter, the last one of several; empty if it is absent."""
        return next((value.strip() for key, value in reversed(self.pairs) if key == name), "")

    def values(self, name: str) -> tuple[str, ...]:
        """Return the values of a list with commas."""
        return tuple(piece.strip() for piece in self.text(name).split(",") if piece.strip())

    def flag(self, name: str) -> bool:
        """Return whether a parameter says yes: true, True, 1, yes."""
        return self.text(name).lower() in _TRUE

    @property
    def extras(self) -> frozenset[str]:
        """Return what is asked for by ``extra_params`` or ``extra-params``."""
        given = [value for key, value in self.pairs if key in _EXTRA]
        return frozenset(piece.strip() for value in given for piece in value.split(",") if piece.strip())


def filters_of(query: Query, caller: Caller) -> CaseFilters:
    """Return the filters that the parameters of a list mean, of the cases that a user may see.

    A value that no case can have chooses no case.

    Raises:
        InvalidFields: a time is none. All cases in its place could be taken for those of that time.
    """
    given = {name: query.text(name) for name, _ in query.pairs}
    given |= {name: _moment(query, name) for name in _TIMES}
    given["update_date"] = ",".join(str(_day(one) or one) for one in query.values("update_date"))
    return read_filters(given, visible_sites=visible_sites(caller))


def visible_sites(caller: Caller) -> tuple[str, ...] | None:
    """Return the sites whose cases a user may see; None: all."""
    return tuple(sorted(caller.workspaces)) if caller.workspaces else None


def filters_of_days(start: str, end: str, caller: Caller) -> CaseFilters:
    """Return the filters of cases whose newest status is of days from ``start`` (``02-03-2022``) until before ``end``.

    Raises:
        InvalidFields: one of them is no day.
    """
    days = {name: _day(text) for name, text in (("start", start), ("end", end))}
    problems = {name: ["Enter a valid date."] for name, day in days.items() if day is None}
    if problems:
        raise InvalidFields(problems)
    return CaseFilters(
        updated_from=str(days["start"]), updated_before=str(days["end"]), visible_sites=visible_sites(caller)
    )


def _moment(query: Query, parameter: str) -> str:
    text = query.text(parameter)
    # A plus sign of a zone that was not percent-encoded arrives as a blank.
    found = gel_values.moment(re.sub(r" (?=\d{2}:?\d{2}$)", "+", text))
    if text and not found:
        raise InvalidFields({parameter: ["Enter a valid date/time."]})
    return found


def _day(text: str) -> date | None:
    match = _DAY_FIRST.fullmatch(text)
    try:
        return date(int(match[3]), int(match[2]), int(match[1])) if match else None
    except ValueError:
        return None
