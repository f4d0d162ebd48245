"""Who may ask the Abomics-compatible API, and the audit of every request to it, refused ones included.

The row of the audit is stored before the answer goes out. Where that fails, so does the request (503): nothing is told
that is not recorded.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from time import perf_counter

from starlette.middleware import Middleware
from starlette.types import ASGIApp, Receive, Scope, Send

from app.api.abomics_errors import ERROR_TYPE, error_body
from app.api.client_certificates import ClientCertificates
from app.api.errors import render
from app.api.recording import Recorder
from app.api.scope import ERROR_BODY, METHODS, REQUEST_ID, ROUTE, header, route_path
from app.api.server import Server
from app.errors import OperonError
from app.operations.interface import PgxRequest

PATIENT = "operon.abomics.patient"
"""Id of the person whom a request is about, for the audit, where it is kept as a keyed digest"""

_CLIENT = re.compile(r"Abomics/(?P<client>\S+) (?P<version>\d+\.\d+\.\d+)")
_LONGEST = 256
_AT_ROOT = re.compile(r"/(?:v[0-9]+|snpdata)(?:/|$)")


def middleware(server: Server) -> Middleware:
    """Return the gate of an application."""
    return Middleware(Gate, server=server)


def is_below(prefix: str, path: str) -> bool:
    """Return whether a path belongs to the API that is served below a prefix."""
    if not prefix:
        return _AT_ROOT.match(path) is not None
    return path == prefix or path.startswith(prefix + "/")


class Gate:
    """Let listed clients in, and record what was asked."""

    def __init__(self, app: ASGIApp, server: Server) -> None:
        self.app = app
        self.server = server
        self.prefix = server.settings.abomics_prefix.rstrip("/")
        self.certificates = ClientCertificates(server.settings)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
        elif is_below(self.prefix, route_path(scope)):
            scope[ERROR_BODY] = error_body
            name = self.certificates.common_name(scope)
            await self._admit(scope, receive, _recorder(self.server, scope, name, send).send, name)
        elif self.certificates.guards_everything():
            await self._admit(scope, receive, send, self.certificates.common_name(scope))
        else:
            await self.app(scope, receive, send)

    async def _admit(self, scope: Scope, receive: Receive, send: Send, name: str | None) -> None:
        try:
            self.certificates.admit(name)
        except OperonError as refusal:
            await render(scope, refusal)(scope, receive, send)
            return
        await self.app(scope, receive, send)


def _recorder(server: Server, scope: Scope, name: str | None, send: Send) -> Recorder:
    """Return what records a request with the name of the client's certificate."""
    at, started = datetime.now(UTC), perf_counter()

    def note(status: int) -> None:
        agent = header(scope, b"user-agent").strip()
        known = _CLIENT.fullmatch(agent)
        request = PgxRequest(
            at=at.isoformat(timespec="milliseconds"),
            request_id=scope[REQUEST_ID],
            method=scope["method"] if scope["method"] in METHODS else "other",
            path=scope.get(ROUTE, "-"),
            user_id=_given(scope, b"user-id"),
            organization_id=_given(scope, b"organization-id"),
            client=known["client"][:_LONGEST] if known else agent[:_LONGEST] or None,
            client_version=known["version"][:_LONGEST] if known else None,
            certificate=name,
            patient=scope.get(PATIENT),
            status=status,
            error_type=scope.get(ERROR_TYPE),
            duration_ms=round((perf_counter() - started) * 1000),
        )
        server.opened().pgx_desk.record(request)

    return Recorder(server, scope, send, note)


def _given(scope: Scope, name: bytes) -> str | None:
    return header(scope, name).strip()[:_LONGEST] or None
