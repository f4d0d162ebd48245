"""gzip for answers above a kilobyte (https://www.rfc-editor.org/rfc/rfc9110#field.accept-encoding)."""

from __future__ import annotations

import asyncio
import gzip
import zlib
from functools import lru_cache
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

MINIMUM_BYTES = 1024

# Compressing 64 KiB takes about a millisecond, which is what other requests may wait.
_INLINE_BYTES = 64 * 1024
_LEVEL = 1
_GZIP = 31
"""Window bits that make zlib write gzip"""
_COMPRESSIBLE = (b"application/json", b"application/fhir+json", b"application/problem+json", b"text/", b"image/svg")


def accepts_gzip(header: bytes) -> bool:
    """Return whether an Accept-Encoding header allows gzip."""
    return bool(header) and _accepts_gzip(header[:500])


@lru_cache(maxsize=128)
def _accepts_gzip(header: bytes) -> bool:
    weights: dict[bytes, bool] = {}
    for piece in header.lower().split(b","):
        name, _, parameter = piece.partition(b";")
        weight = parameter.replace(b" ", b"").removeprefix(b"q=")
        weights[name.strip()] = not weight or weight.strip(b"0.") != b""
    return weights.get(b"gzip", weights.get(b"*", False))


class Gzip:
    """ASGI middleware that compresses complete bodies, and streams of unknown length as they come.

    Streams of a stated length and what is encoded already pass unchanged.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or not accepts_gzip(_accept_encoding(scope)):
            await self.app(scope, receive, send)
            return
        held: Message | None = None
        stream: Any = None

        async def compress(message: Message) -> None:
            nonlocal held, stream
            if message["type"] == "http.response.start":
                held = message
                return
            if held is not None:
                start, held = held, None
                body: bytes = message.get("body", b"")
                if not message.get("more_body") and len(body) > MINIMUM_BYTES and _is_compressible(start):
                    message = {**message, "body": await _compressed(body)}
                    _mark(start, len(message["body"]))
                elif message.get("more_body") and _is_compressible(start) and not _has_length(start):
                    stream = zlib.compressobj(_LEVEL, wbits=_GZIP)
                    _mark(start, None)
                await send(start)
            if stream is not None:
                message = {**message, "body": await _continued(stream, message)}
            await send(message)

        await self.app(scope, receive, compress)


def _accept_encoding(scope: Scope) -> bytes:
    for name, value in scope["headers"]:
        if name == b"accept-encoding":
            found: bytes = value
            return found
    return b""


def _is_compressible(start: Message) -> bool:
    headers = dict(start["headers"])
    return b"content-encoding" not in headers and headers.get(b"content-type", b"").startswith(_COMPRESSIBLE)


async def _compressed(body: bytes) -> bytes:
    if len(body) <= _INLINE_BYTES:
        return gzip.compress(body, _LEVEL, mtime=0)
    return await asyncio.to_thread(gzip.compress, body, _LEVEL, mtime=0)


def _has_length(start: Message) -> bool:
    return any(name == b"content-length" for name, _ in start["headers"])


async def _continued(stream: Any, message: Message) -> bytes:
    """Return the compressed form of the next piece of a stream, and its end after the last one."""
    body: bytes = message.get("body", b"")
    if message.get("more_body"):
        compressed: bytes = await asyncio.to_thread(stream.compress, body)
        return compressed
    rest: bytes = stream.compress(body) + stream.flush()
    return rest


def _mark(start: Message, length: int | None) -> None:
    """Say in the headers that the body is compressed; ``length`` is None while it is not known."""
    headers = [(name, value) for name, value in start["headers"] if name not in (b"content-length", b"vary")]
    vary = [value for name, value in start["headers"] if name == b"vary"]
    if not any(b"Accept-Encoding" in value for value in vary):
        vary.append(b"Accept-Encoding")
    headers += [
        (b"content-encoding", b"gzip"),
        (b"vary", b", ".join(vary)),
    ]
    if length is not None:
        headers.append((b"content-length", str(length).encode()))
    start["headers"] = headers
