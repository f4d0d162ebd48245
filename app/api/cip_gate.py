"""What holds for every request to the CIP-API-compatible interface: its errors, its limit of bodies, its audit.

The row of the audit is stored before the answer goes out. Where that fails, so does the request (503): nothing is told
that is not recorded.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import Final

from starlette.middleware import Middleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.cip_calls import BASE, CASE
from app.api.cip_directory import path_of
from app.api.cip_errors import error_body
from app.api.cip_login import CALLER
from app.api.errors import render
from app.api.logs import describe, log
from app.api.scope import BODY_LIMIT, ERROR_BODY, METHODS, REQUEST_ID, ROUTE, route_path
from app.api.server import Server
from app.errors import Unavailable
from app.formats.gel_values import timestamp
from app.operations.cip_access import CipRequest, record

GET_TOKEN: Final = "/get-token"  # noqa: S105 - a path

_LOGIN_BODY: Final = 64 * 1024
"""Bytes of a body that may come before anybody is recognized"""


def middleware(server: Server) -> Middleware:
    """Return the gate of an application."""
    return Middleware(Gate, server=server)


def is_below(path: str) -> bool:
    """Return whether a path belongs to the interface."""
    return path == BASE or path.startswith(BASE + "/")


class Gate:
    """Say how the interface words errors, and record what is asked of it."""

    def __init__(self, app: ASGIApp, server: Server) -> None:
        self.app = app
        self.server = server
        self.logins = frozenset(filter(None, (BASE + GET_TOKEN, path_of(server.settings.cip_tenant))))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        path = route_path(scope).rstrip("/") if scope["type"] == "http" else ""
        is_login = path in self.logins
        if not is_login and not is_below(path):
            await self.app(scope, receive, send)
            return
        largest = self.server.settings.cip_max_body_bytes
        scope[ERROR_BODY] = error_body
        scope[BODY_LIMIT] = min(largest, _LOGIN_BODY) if is_login else largest
        await self.app(scope, receive, _Recorder(self.server, scope, send).send)


class _Recorder:
    """Sends an answer once the request is recorded."""

    def __init__(self, server: Server, scope: Scope, send: Send) -> None:
        self._server = server
        self._scope = scope
        self._send = send
        self._at = datetime.now(UTC)
        self._failed = False

    async def send(self, message: Message) -> None:
        """Pass a message on; the first one only after the request was recorded."""
        if message["type"] == "http.response.start":
            request = self._request(message["status"])
            try:
                await self._server.run(lambda: record(self._server.opened(), request))
            except Exception as error:  # whatever the reason: what is not recorded is not answered
                self._failed = True
                log(logging.ERROR, "audit", request_id=self._scope[REQUEST_ID], failure=describe(error))
                refusal = Unavailable("The request could not be recorded, and was not answered therefore")
                await render(self._scope, refusal)(self._scope, _no_body, self._send)
        if not self._failed:
            await self._send(message)

    def _request(self, status: int) -> CipRequest:
        scope = self._scope
        return CipRequest(
            at=timestamp(self._at),
            username=scope.get(CALLER, ""),
            method=scope["method"] if scope["method"] in METHODS else "other",
            endpoint=scope.get(ROUTE, "-"),
            case=scope.get(CASE),
            status=status,
        )


async def _no_body() -> Message:
    return {"type": "http.request", "body": b"", "more_body": False}
