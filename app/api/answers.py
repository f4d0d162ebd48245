"""Successful answers: media type, layout and validators."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import suppress
from typing import Any

import orjson
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from app.api.negotiate import JSON, accepted, media_type
from app.api.query import parse_query
from app.api.scope import dialect_of, header

_VARY = b"Accept, Accept-Encoding, Prefer"


def weak_tag(*parts: bytes) -> str:
    """Return a weak entity tag of everything that an answer depends on."""
    # No part holds a zero byte: they are JSON, names and media types.
    digest = hashlib.blake2b(b"\0".join(parts), digest_size=12).hexdigest()
    return f'W/"{digest}"'


def is_current(if_none_match: str, tag: str) -> bool:
    """Return whether the client already has the answer (https://www.rfc-editor.org/rfc/rfc9110#field.if-none-match)."""
    if not if_none_match:
        return False
    opaque = tag.removeprefix("W/")
    return any(piece.strip().removeprefix("W/") in {opaque, "*"} for piece in if_none_match.split(","))


def indented(body: bytes) -> bytes:
    """Return a JSON document laid out for reading."""
    return orjson.dumps(orjson.loads(body), option=orjson.OPT_INDENT_2)


def is_true(text: str | None) -> bool:
    """Return whether a control parameter asks for something."""
    return text is not None and text.strip().lower() in {"true", "1"}


def answer(body: bytes, content_type: str, tag: str | None = None) -> Response:
    """Return a response with a FHIR resource as its body."""
    response = Response(body)
    response.raw_headers = [
        (b"content-length", str(len(body)).encode()),
        (b"content-type", content_type.encode("latin-1")),
        (b"vary", _VARY),
        *_validators(tag),
    ]
    return response


class StreamedAnswer(Response):
    """A large resource that is sent while it is made, portion by portion in the threads of the server."""

    def __init__(
        self,
        first: bytes,
        rest: Iterator[bytes],
        run: Callable[[Callable[[], bytes | None]], Awaitable[bytes | None]],
        content_type: str,
        tag: str | None,
    ) -> None:
        super().__init__()
        # Its length is not known: there is no content-length.
        self.raw_headers = [
            (b"content-type", content_type.encode("latin-1")),
            (b"vary", _VARY),
            *_validators(tag),
        ]
        self._first = first
        self._rest = rest
        self._run = run

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it; nothing more is made for a client that has gone."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        portion: bytes | None = None if scope["method"] == "HEAD" else self._first
        with suppress(OSError):
            while portion is not None:
                await send({"type": "http.response.body", "body": portion, "more_body": True})
                portion = await self._run(lambda: next(self._rest, None))
            await send({"type": "http.response.body", "body": b""})


def not_modified(tag: str) -> Response:
    """Return the response to a client that already has the answer."""
    response = Response(status_code=304)
    response.raw_headers = [(b"vary", _VARY), *_validators(tag)]
    return response


def _validators(tag: str | None) -> list[tuple[bytes, bytes]]:
    if tag is None:
        return []
    return [(b"etag", tag.encode("latin-1")), (b"cache-control", b"private, no-cache")]


def answer_json(scope: Scope, value: Any) -> Response:
    """Return plain JSON to a client that takes any."""
    controls = dict(parse_query(scope["query_string"]))
    accepted(header(scope, b"accept"), controls.get("_format"))
    body = orjson.dumps(value, option=orjson.OPT_INDENT_2 if is_true(controls.get("_pretty")) else None)
    tag = weak_tag(body)
    if is_current(header(scope, b"if-none-match"), tag):
        return not_modified(tag)
    return answer(body, JSON, tag)


def answer_resource(scope: Scope, resource: Mapping[str, Any]) -> Response:
    """Return a resource in the form that the client asks for."""
    return answer_body(scope, orjson.dumps(dict(resource)))


def answer_body(scope: Scope, body: bytes) -> Response:
    """Return a serialized resource in the form that the client asks for."""
    controls = dict(parse_query(scope["query_string"]))
    wanted = accepted(header(scope, b"accept"), controls.get("_format"))
    content_type = media_type(dialect_of(scope), wanted)
    if is_true(controls.get("_pretty")):
        body = indented(body)
    if scope["method"] == "POST":  # as for operations: conditions are of reads
        return answer(body, content_type)
    tag = weak_tag(body, content_type.encode())
    if is_current(header(scope, b"if-none-match"), tag):
        return not_modified(tag)
    return answer(body, content_type, tag)
