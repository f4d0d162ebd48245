"""What every request passes on its way in and out, whatever answers it. Pure ASGI.

From the outside in: ``Envelope`` (request id, security headers, access log, metrics), the gates of APIs that know their
clients, CORS, ``Guard`` (limits, the last catch), ``compression.Gzip``.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Sequence
from time import perf_counter

from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.compression import Gzip
from app.api.errors import render, render_unforeseen
from app.api.logs import log_request
from app.api.metrics import Metrics
from app.api.scope import BODY_LIMIT, METHODS, OPERATION, REQUEST_ID, ROUTE
from app.config import Settings
from app.errors import InvalidInput, OperonError, TooCostly, UriTooLong

_EXPOSED = ("ETag", "Retry-After", "X-Request-Id", "X-Correlation-Id")
_ID = re.compile(rb"[A-Za-z0-9._:-]{1,128}")
_SECURITY_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
)
_DEFAULT_HEADERS = (
    # Answers without a validator may hold anything; pages bring their own policy.
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
)


def build_middleware(settings: Settings, metrics: Metrics, gates: Sequence[Middleware] = ()) -> list[Middleware]:
    """Return the middleware in the order in which a request passes it; ``gates`` decide whom to let in."""
    stack = [Middleware(Envelope, metrics=metrics), *gates, Middleware(Guard, settings=settings), Middleware(Gzip)]
    origins = [origin.strip() for origin in settings.cors_origins.split(",") if origin.strip()]
    if origins:
        cors = Middleware(
            CORSMiddleware,
            allow_origins=origins,
            allow_methods=("GET", "HEAD", "POST", "OPTIONS"),
            allow_headers=("*",),
            expose_headers=_EXPOSED,
        )
        stack.insert(1 + len(gates), cors)
    return stack


class Envelope:
    """Give every response an id, safe headers and a log line, and count it."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self.app = app
        self.metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = perf_counter()
        ids = _ids(scope["headers"])
        scope[REQUEST_ID] = ids[0][1].decode()
        is_head = scope["method"] == "HEAD"
        status, size = 500, 0

        async def finish(message: Message) -> None:
            nonlocal status, size
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = list(message["headers"])
                present = {name for name, _ in headers}
                headers += _SECURITY_HEADERS
                headers += [header for header in _DEFAULT_HEADERS if header[0] not in present]
                headers += ids
                message["headers"] = headers
            elif is_head:
                message = {**message, "body": b""}
            else:
                size += len(message.get("body", b""))
            await send(message)

        try:
            await self.app(scope, receive, finish)
        finally:
            elapsed = perf_counter() - started
            operation = scope.get(OPERATION, "other")
            self.metrics.observe(operation, status, elapsed)
            log_request(
                {
                    "request_id": scope[REQUEST_ID],
                    "method": scope["method"] if scope["method"] in METHODS else "other",
                    "operation": operation,
                    "route": scope.get(ROUTE, "-"),
                    "status": status,
                    "bytes": size,
                    "ms": round(elapsed * 1000, 2),
                }
            )


def _ids(headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """Return the id headers of a response: the caller's where they are harmless, else a new request id."""
    request_id = correlation_id = None
    for name, value in headers:
        if name == b"x-request-id":
            request_id = value
        elif name == b"x-correlation-id":
            correlation_id = value
    if request_id is None or not _ID.fullmatch(request_id):
        request_id = secrets.token_hex(16).encode()
    ids = [(b"x-request-id", request_id)]
    if correlation_id is not None and _ID.fullmatch(correlation_id):
        ids.append((b"x-correlation-id", correlation_id))
    return ids


class Guard:
    """Refuse requests beyond the limits before anything reads them, and catch whatever nothing else caught."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app = app
        self.settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        refusal = self._refusal(scope)
        if refusal is not None:
            await render(scope, refusal)(scope, receive, send)
            return
        path: str = scope["path"]
        if path.endswith("/") and path != "/":
            # Tolerated instead of redirected: a redirect would send the query, and with it a subject, once more.
            scope["path"] = path.rstrip("/") or "/"
        started = False

        async def watch(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self.app(scope, self._limited(receive, self._limit(scope)), watch)
        except Exception as error:  # the boundary: nothing may pass with its message
            response = render_unforeseen(scope, error)
            if started:
                raise RuntimeError("failed while the response was being sent") from None
            await response(scope, receive, send)

    def _refusal(self, scope: Scope) -> OperonError | None:
        query: bytes = scope["query_string"]
        length = len(scope.get("raw_path") or scope["path"]) + len(query) + 1
        if length > self.settings.max_url_bytes:
            return UriTooLong(
                f"The URL has {length} bytes; at most {self.settings.max_url_bytes} are read, so send a POST instead"
            )
        if query.count(b"&") >= self.settings.max_query_parameters:
            return InvalidInput(f"More than {self.settings.max_query_parameters} query parameters")
        limit = self._limit(scope)
        for name, value in scope["headers"]:
            if name == b"content-length" and value.isdigit() and int(value[:20]) > limit:
                return _too_large(limit)
        return None

    def _limit(self, scope: Scope) -> int:
        limit: int = scope.get(BODY_LIMIT, self.settings.max_body_bytes)
        return limit

    def _limited(self, receive: Receive, limit: int) -> Receive:
        read = 0

        async def limited() -> Message:
            nonlocal read
            message = await receive()
            if message["type"] == "http.request":
                read += len(message.get("body", b""))
                if read > limit:
                    raise _too_large(limit)
            return message

        return limited


def _too_large(limit: int) -> TooCostly:
    return TooCostly(f"The request body is larger than {limit} bytes")
