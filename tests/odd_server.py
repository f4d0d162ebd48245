"""A web server on loopback that serves files with ranges, and misbehaves when it is told to."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler

from tests.loopback import serving


@dataclass
class Served:
    """One file: its bytes and version, and what the next requests get instead of it.

    ``cut N`` ends the connection after N bytes, ``status N`` answers with that status, ``whole`` ignores ranges,
    ``blind`` ignores If-Range, ``to URL`` redirects, ``endless`` sends no length. Without an ``etag`` there are no
    validators.
    """

    content: bytes
    etag: str | None = '"1"'
    script: list[str] = field(default_factory=list)


@dataclass
class OddServer:
    """The server's address and files by path, and what was asked of it so far as (path, Range)."""

    port: int
    files: dict[str, Served] = field(default_factory=dict)
    asked: list[tuple[str, str | None]] = field(default_factory=list)

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def put(self, path: str, content: bytes, *script: str, etag: str | None = '"1"') -> str:
        """Serve a file and return its address."""
        self.files[path] = Served(content, etag, list(script))
        return self.url(path)

    def ranges(self, path: str) -> list[str | None]:
        """Return the ranges that were asked of a file, None where the whole was."""
        return [asked for where, asked in self.asked if where == path]


@contextmanager
def running() -> Iterator[OddServer]:
    """Run a server until the end of the block."""

    with serving(lambda request: _answer(request, server)) as port:
        server = OddServer(port)
        yield server


def _answer(request: BaseHTTPRequestHandler, server: OddServer) -> None:
    wanted = request.headers.get("Range")
    server.asked.append((request.path, wanted))
    file = server.files.get(request.path)
    if file is None:
        request.send_error(404)
        return
    act, _, argument = (file.script.pop(0) if file.script else "").partition(" ")
    if act == "status":
        request.send_error(int(argument))
        return
    if act == "to":
        request.send_response(302)
        request.send_header("Location", argument)
        request.end_headers()
        return
    start = int(wanted.removeprefix("bytes=").removesuffix("-")) if wanted else 0
    if act == "whole" or (act != "blind" and request.headers.get("If-Range") != file.etag):
        start = 0
    if start and start >= len(file.content):
        request.send_response(416)
        request.send_header("Content-Range", f"bytes */{len(file.content)}")
        request.end_headers()
        return
    body = file.content[start:]
    request.send_response(206 if start else 200)
    if start:
        request.send_header("Content-Range", f"bytes {start}-{len(file.content) - 1}/{len(file.content)}")
    if act != "endless":
        request.send_header("Content-Length", str(len(body)))
    if file.etag:
        request.send_header("ETag", file.etag)
    request.end_headers()
    request.wfile.write(body[: int(argument)] if act == "cut" else body)
