"""What holds for every request to the CIP-API-compatible interface: its errors, its limit of bodies, its audit.

The row of the audit is stored before the answer goes out. Where that fails, so does the request (503): nothing is told
that is not recorded.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from starlette.middleware import Middleware
from starlette.types import ASGIApp, Receive, Scope, Send

from app.api.cip_calls import BASE, CASE
from app.api.cip_directory import path_of
from app.api.cip_errors import error_body
from app.api.cip_login import CALLER
from app.api.recording import Recorder
from app.api.scope import BODY_LIMIT, ERROR_BODY, METHODS, ROUTE, route_path
from app.api.server import Server
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
        await self.app(scope, receive, _recorder(self.server, scope, send).send)


def _recorder(server: Server, scope: Scope, send: Send) -> Recorder:
    at = datetime.now(UTC)

    def note(status: int) -> None:
        request = CipRequest(
            at=timestamp(at),
            username=scope.get(CALLER, ""),
            method=scope["method"] if scope["method"] in METHODS else "other",
            endpoint=scope.get(ROUTE, "-"),
            case=scope.get(CASE),
            status=status,
        )
        record(server.opened(), request)

    return Recorder(server, scope, send, note)
