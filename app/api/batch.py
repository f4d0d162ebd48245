"""``POST /fhir``: several requests in one (https://hl7.org/fhir/R4/http.html#transaction).

Each entry passes the whole application as if it had been sent alone, one after the other: limits, log lines, errors and
answers are the same, and what fails in one entry does not touch another.
"""

from __future__ import annotations

import json
from typing import Any, Final
from urllib.parse import unquote

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Message, Scope

from app.api.answers import answer_body
from app.api.negotiate import BodyKind, body_kind
from app.api.query import parse_json
from app.api.reading import served
from app.api.scope import OPERATION, REQUEST_ID, ROUTE, header
from app.api.server import FHIR_BASE, Server
from app.errors import InvalidBody, InvalidInput, OperonError, TooCostly, UnknownOperation, UnsupportedMediaType, quoted
from app.fhir.bundle import BatchEntry, answered, batch_response, read_batch
from app.fhir.outcome import operation_outcome

_INSIDE: Final = "operon.inside_batch"
_PASSED_ON: Final = (b"host", b"authorization", b"prefer", b"x-correlation-id")
_MULTIPLE_STATUS: Final = 300


def routes(server: Server) -> list[BaseRoute]:
    """Return the route of batches."""

    async def batch(request: Request) -> Response:
        scope = request.scope
        scope[OPERATION], scope[ROUTE] = "batch", FHIR_BASE
        if request.method != "POST":
            raise UnknownOperation(f"At {FHIR_BASE} itself batches are sent by POST. {served(server.opened())}")
        if scope.get(_INSIDE):
            raise InvalidInput("A batch holds no batch")
        raw = await request.body()
        if body_kind(header(scope, b"content-type"), header(scope, b"content-encoding")) is not BodyKind.JSON:
            raise UnsupportedMediaType("A batch is sent as application/fhir+json")
        settings = server.settings
        # Parsing and serializing hold the event loop for milliseconds.
        entries = await server.run(lambda: read_batch(parse_json(raw), most_entries=settings.max_batch_entries))
        left = settings.max_batch_bytes
        answers: list[dict[str, Any]] = []
        for entry in entries:
            if left <= 0:
                text = f"The answers before this one have more than {settings.max_batch_bytes} bytes"
                answers.append(_refused(TooCostly(f"{text} (OPERON_MAX_BATCH_BYTES); ask again")))
                continue
            made, size = await _answer(scope, server, entry)
            answers.append(made)
            left -= size
        return answer_body(scope, orjson.dumps(batch_response(answers)))

    return [Route(FHIR_BASE, batch, methods=["GET", "POST"])]


async def _answer(scope: Scope, server: Server, entry: BatchEntry | InvalidBody) -> tuple[dict[str, Any], int]:
    if isinstance(entry, InvalidBody):
        return _refused(entry), 0
    base_url = server.base_url(scope)
    # Relative to the base, or with the base before it; a slash in front is a habit of clients.
    url = entry.url.removeprefix(base_url).lstrip("/")
    if "://" in url.partition("?")[0]:
        return _refused(InvalidInput(f"'{quoted(entry.url)}' is not below {base_url}")), 0
    path, _, query = url.partition("#")[0].partition("?")
    try:
        # Not orjson: it refuses numbers of more than 64 bits, about which the operation has to complain.
        body = b"" if entry.resource is None else json.dumps(entry.resource).encode()
    except RecursionError:
        return _refused(InvalidBody("The resource of the entry is nested too deeply")), 0
    received = await _send(scope["app"], _entry_scope(scope, entry, path, query), body)
    content = received.body if received.body else None
    if received.status >= _MULTIPLE_STATUS:
        outcome = orjson.Fragment(content) if content is not None else None
        return answered(received.status, outcome=outcome, etag=received.etag), len(received.body)
    resource = orjson.Fragment(content) if content is not None else None
    return answered(received.status, resource=resource, etag=received.etag), len(received.body)


def _refused(error: OperonError) -> dict[str, Any]:
    return answered(error.status, outcome=operation_outcome(error))


def _entry_scope(scope: Scope, entry: BatchEntry, path: str, query: str) -> Scope:
    headers = [(name, value) for name, value in scope["headers"] if name in _PASSED_ON]
    headers += [(b"accept", b"application/fhir+json"), (b"x-request-id", scope[REQUEST_ID].encode())]
    if entry.resource is not None:
        headers.append((b"content-type", b"application/fhir+json"))
    if entry.if_none_match is not None:
        headers.append((b"if-none-match", entry.if_none_match.encode("latin-1", "replace")))
    root_path: str = scope.get("root_path", "")
    full = f"{root_path}{FHIR_BASE}/{path}"
    return {
        "type": "http",
        "asgi": scope["asgi"],
        "http_version": scope["http_version"],
        "method": entry.method,
        "scheme": scope["scheme"],
        "path": unquote(full),
        "raw_path": full.encode("utf-8", "replace"),
        "query_string": query.encode("utf-8", "replace"),
        "root_path": root_path,
        "headers": headers,
        "client": scope.get("client"),
        "server": scope.get("server"),
        _INSIDE: True,
    }


class _Received:
    """What the application sent for one entry."""

    __slots__ = ("body", "etag", "status")

    def __init__(self) -> None:
        self.status = 500
        self.etag: str | None = None
        self.body = b""


async def _send(app: ASGIApp, scope: Scope, body: bytes) -> _Received:
    received = _Received()
    pieces: list[bytes] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            received.status = message["status"]
            received.etag = next(
                (value.decode("latin-1") for name, value in message["headers"] if name == b"etag"), None
            )
        else:
            pieces.append(message.get("body", b""))

    await app(scope, receive, send)
    received.body = b"".join(pieces)
    return received
