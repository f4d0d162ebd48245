"""CDS Hooks: the services at ``/cds-services``, as plain JSON (https://cds-hooks.hl7.org/2.0/)."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import Scope

from app.api.logs import log
from app.api.negotiate import BodyKind, body_kind
from app.api.query import parse_plain_json
from app.api.scope import OPERATION, REQUEST_ID, ROUTE, header, route_path
from app.api.server import Server
from app.errors import UnsupportedMediaType
from app.operations import cds
from app.operations.cds_request import read_call, read_feedback
from app.operations.cds_services import SERVICES
from app.security.cds_trust import CdsTrust, Token
from app.security.fetching import Fetcher, NotFetched, read_site

BASE = "/cds-services"
_JSON = "application/json"
_FHIR_JSON = "application/fhir+json"
_PATIENT_SECONDS = 0.3


class Refused(Exception):
    """A call is not believed, and is not told why."""


class CdsHooks:
    """The services of one application: who may call, and whom they may ask."""

    def __init__(self, server: Server) -> None:
        """Read the settings.

        Raises:
            Misconfigured: they name clients or servers in a way that cannot be used.
        """
        settings = server.settings
        sites = filter(None, map(str.strip, settings.cds_fhir_servers.split(",")))
        self.server = server
        self.trust = CdsTrust(settings)
        self.fetcher = Fetcher([read_site(text, "OPERON_CDS_FHIR_SERVERS") for text in sites], seconds=_PATIENT_SECONDS)
        self.catalogue = orjson.dumps({"services": SERVICES})

    def answer(self, request: Request, body: bytes) -> bytes:
        """Return the answer of a service to a call."""
        base_url = self.server.root_url(request.scope)
        token = self._believe(request.scope)
        try:
            call = read_call(request.path_params["service"], parse_plain_json(body))
            made = cds.answer(self.server.opened(), call, self._patient, base_url)
        finally:
            self._spend(token)
        return orjson.dumps(made)

    def take_feedback(self, request: Request, body: bytes) -> bytes:
        """Keep what users did with cards."""
        token = self._believe(request.scope)
        self._spend(token)
        given = read_feedback(
            request.path_params["service"],
            parse_plain_json(body),
            received=datetime.now(UTC),
            issuer=token.issuer if token else None,
        )
        cds.keep_feedback(self.server.opened(), given)
        return b"{}"

    def _believe(self, scope: Scope) -> Token | None:
        """Return the token of a call; None where none is asked for. Raises Refused."""
        verdict = self.trust.judge(header(scope, b"authorization"), route_path(scope))
        if not verdict.allowed:
            _note(scope, verdict.reason)
            raise Refused
        return verdict.token

    def _spend(self, token: Token | None) -> None:
        """Have a token count once; Raises Refused."""
        if token is None:
            return
        if not cds.spend(self.server.opened(), token.digest, expires=token.expires, now=time.time()):
            raise Refused

    def _patient(self, url: str, token: str | None) -> Mapping[str, Any] | None:
        try:
            found = self.fetcher.json(url, token=token, accept=_FHIR_JSON)
        except NotFetched as error:
            log(logging.INFO, "patient not fetched", reason=str(error))
            return None
        return found if isinstance(found, dict) else None


def routes(server: Server) -> list[BaseRoute]:
    """Return the routes of the services."""
    hooks = CdsHooks(server)
    server.closing.append(hooks.fetcher.close)
    server.closing.append(hooks.trust.close)

    async def discover(request: Request) -> Response:
        request.scope[OPERATION], request.scope[ROUTE] = "cds-services", BASE
        return Response(hooks.catalogue, media_type=_JSON)

    async def call(request: Request) -> Response:
        request.scope[OPERATION], request.scope[ROUTE] = "cds-service", f"{BASE}/{{service}}"
        return await _run(server, request, hooks.answer)

    async def feedback(request: Request) -> Response:
        request.scope[OPERATION], request.scope[ROUTE] = "cds-feedback", f"{BASE}/{{service}}/feedback"
        return await _run(server, request, hooks.take_feedback)

    return [
        Route(BASE, discover),
        Route(f"{BASE}/{{service}}", call, methods=["POST"]),
        Route(f"{BASE}/{{service}}/feedback", feedback, methods=["POST"]),
    ]


async def _run(server: Server, request: Request, function: Callable[[Request, bytes], bytes]) -> Response:
    body = await request.body()
    if body_kind(header(request.scope, b"content-type"), header(request.scope, b"content-encoding")) is BodyKind.FORM:
        raise UnsupportedMediaType("CDS clients send application/json")
    try:
        made = await server.run(lambda: function(request, body))
    except Refused:
        return Response(status_code=401, headers={"WWW-Authenticate": 'Bearer error="invalid_token"'})
    return Response(made, media_type=_JSON)


def _note(scope: Scope, reason: str) -> None:
    """Tell the operator which check a token failed; the token itself is never written anywhere."""
    log(logging.WARNING, "cds token refused", request_id=scope.get(REQUEST_ID, "-"), reason=reason)
