"""Lists of the CIP-API-compatible interface: pages with the addresses of their neighbours."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final
from urllib.parse import urlencode

from starlette.responses import Response

from app.api.cip_calls import Call, json_answer
from app.errors import PageNotFound

DEFAULT_SIZE: Final = 100
LARGEST_SIZE: Final = 500
_MOST_DIGITS: Final = 12


def page_answer(call: Call, read: Callable[[int, int], tuple[int, Sequence[Any]]]) -> Response:
    """Return the page that is asked for; ``read`` takes offset and limit, and returns how many there are, and those.

    Raises:
        PageNotFound: there is no such page.
    """
    size = _size(call.query.text("page_size"))
    number = _number(call.query.text("page"))
    count, results = read((number - 1) * size, size)
    if number > max(1, -(-count // size)):
        raise PageNotFound("Invalid page.")
    return json_answer(
        {
            "count": count,
            "next": _address(call, number + 1) if number * size < count else None,
            "previous": _address(call, number - 1) if number > 1 else None,
            "results": list(results),
        }
    )


def slice_answer(call: Call, everything: Sequence[Any]) -> Response:
    """Return the page of a list that is at hand as a whole."""
    return page_answer(call, lambda offset, limit: (len(everything), everything[offset : offset + limit]))


def _size(text: str) -> int:
    number = int(text) if text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS else 0
    return min(number, LARGEST_SIZE) if number > 0 else DEFAULT_SIZE


def _number(text: str) -> int:
    if not text:
        return 1
    if not (text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS) or int(text) < 1:
        raise PageNotFound("Invalid page.")
    return int(text)


def _address(call: Call, page: int) -> str:
    """Return the address of another page: what was asked, every filter with it."""
    kept = [pair for pair in call.query.pairs if pair[0] != "page"]
    return f"{call.own_url}?{urlencode([*kept, ('page', str(page))])}"
