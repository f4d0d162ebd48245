"""What a client sent, decoded: query strings, forms and JSON bodies.

Zero trust: whatever cannot be decoded is the client's error, never the server's.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import unquote

import orjson
from starlette.types import Receive

from app.errors import InvalidBody, InvalidInput

_DEEPEST = 100


def parse_query(raw: bytes) -> list[tuple[str, str]]:
    """Return names and values of a query string or form in their order; a name without ``=`` has an empty value.

    ``+`` means a blank. Raises InvalidInput if the text is not UTF-8.
    """
    if not raw:
        return []
    try:
        return [_pair(piece) for piece in raw.decode("utf-8").split("&") if piece]
    except UnicodeDecodeError:
        raise InvalidInput("The query is not percent-encoded UTF-8") from None


def _pair(piece: str) -> tuple[str, str]:
    if "+" in piece:
        piece = piece.replace("+", " ")
    name, _, value = piece.partition("=")
    if "%" in piece:
        return unquote(name, errors="strict"), unquote(value, errors="strict")
    return name, value


def parse_json(raw: bytes) -> object:
    """Return the value of a JSON document.

    Raises InvalidBody for anything that is not JSON, is nested too deeply or names a member twice: of two values for
    one member, no reader can know which was meant.
    """
    try:
        # Strict where the standard library is lenient: NaN, lone surrogates, depth.
        orjson.loads(raw)
        return json.loads(raw, object_pairs_hook=_members)
    except orjson.JSONDecodeError as error:
        raise InvalidBody(f"The request body is not JSON: {error.msg} at line {error.lineno}") from None
    except RecursionError:
        raise InvalidBody("The request body is nested too deeply") from None
    except ValueError:
        raise InvalidBody("The request body holds a number that is too long") from None


def parse_plain_json(raw: bytes) -> object:
    """Return the value of a JSON document of which parts are stored or sent back.

    Raises InvalidBody as ``parse_json`` does, and for what could not be written as JSON again: whole numbers of more
    than 64 bits, and more than a hundred objects and lists within each other.
    """
    value = parse_json(raw)
    level = [value]
    for _ in range(_DEEPEST):
        level = [part for one in level for part in _parts(one)]
    if level:
        raise InvalidBody("The request body is nested too deeply")
    return value


def _parts(value: object) -> list[Any]:
    """Return what is directly within a value. Raises InvalidBody for a whole number of more than 64 bits."""
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        raise InvalidBody("The request body holds a whole number of more than 64 bits")
    return list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise InvalidBody("The request body names a member twice in one object")
    return members


async def read_body(receive: Receive) -> bytes:
    """Return the body of a request; empty if the client is gone before its end."""
    chunks: list[bytes] = []
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return b""
        chunks.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(chunks)
