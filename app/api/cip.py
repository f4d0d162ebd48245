"""The CIP-API-compatible interface below ``/api/2``: which path is which endpoint, and who may ask it.

Every path is served with and without a slash at its end. What an endpoint is called and takes is its template; a
further one needs a line in ``cip_reads`` or ``cip_writes`` and a function that answers it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from starlette.responses import Response
from starlette.routing import BaseRoute, Match
from starlette.types import Receive, Scope, Send

from app.api import cip_directory, cip_reads, cip_writes
from app.api.cip_calls import BASE, Call, Endpoint
from app.api.cip_errors import forbidden
from app.api.cip_gate import GET_TOKEN, is_below
from app.api.cip_login import Login
from app.api.query import parse_query, read_body
from app.api.scope import ALLOW, OPERATION, ROUTE, route_path
from app.api.server import Server
from app.errors import MethodNotAllowed, UnknownOperation
from app.operations.cip_query import Query

ENDPOINTS: Final[tuple[Endpoint, ...]] = (*cip_reads.ENDPOINTS, *cip_writes.ENDPOINTS)

_NUMBER: Final = r"[0-9]{1,9}"
_REQUEST: Final = r"[0-9]{1,18}"
_DAY: Final = "[0-9]{2}-[0-9]{2}-[0-9]{4}"
_FORMS: Final[Mapping[str, str]] = {
    "id": rf"(?:[A-Za-z]+-)?{_REQUEST}",
    "version": _NUMBER,
    "crv": _NUMBER,
    "cip_version": _NUMBER,
    "case": rf"(?:[A-Za-z]+-)?{_REQUEST}-{_NUMBER}",
    "type": "raredisease|cancer",
    "start": _DAY,
    "end": _DAY,
}
"""Form of what a step of a path holds; anything else where none is given"""


@dataclass(frozen=True, slots=True)
class Path:
    """A path of the interface with what answers its methods."""

    template: str
    pattern: re.Pattern[str]
    methods: dict[str, Endpoint] = field(default_factory=dict)

    @property
    def allowed(self) -> tuple[str, ...]:
        """Return the methods that it takes."""
        return tuple(sorted({*self.methods, *(("HEAD",) if "GET" in self.methods else ()), "OPTIONS"}))


def routes(server: Server) -> list[BaseRoute]:
    """Return the route of everything below the root of the interface, and of tokens beside it."""
    login = Login(server)
    return [CipRoute(server, login, ENDPOINTS), *cip_directory.routes(server, login)]


class CipRoute(BaseRoute):
    """The route of all endpoints, and of the paths below the root at which there is nothing."""

    def __init__(self, server: Server, login: Login, endpoints: Iterable[Endpoint]) -> None:
        self.server = server
        self.login = login
        self.paths = _paths(endpoints)

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Return whether a path is of the interface."""
        if scope["type"] != "http" or not is_below(route_path(scope)):
            return Match.NONE, {}
        return Match.FULL, {"endpoint": self.handle}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        response = await self._respond(scope, receive)
        await response(scope, receive, send)

    async def _respond(self, scope: Scope, receive: Receive) -> Response:
        scope[OPERATION] = "cip"
        steps = route_path(scope).removeprefix(BASE).rstrip("/")
        if steps == GET_TOKEN:
            return await self._get_token(scope, receive)
        path, values = self._find(steps)
        scope[ROUTE], scope[ALLOW] = BASE + path.template, ", ".join(path.allowed)
        if scope["method"] == "OPTIONS":
            return Response(status_code=204, headers={"Allow": scope[ALLOW]})
        caller = await self.server.run(lambda: self.login.recognize(scope))
        endpoint = path.methods.get("GET" if scope["method"] == "HEAD" else scope["method"])
        if endpoint is None:
            raise MethodNotAllowed(f"Methods of this path: {scope[ALLOW]}")
        scope[OPERATION] = f"cip-{endpoint.name}"
        if caller.role < endpoint.role:
            raise forbidden()
        call = Call(
            server=self.server,
            scope=scope,
            caller=caller,
            values=values,
            query=Query(parse_query(scope["query_string"])),
            raw=b"" if endpoint.method == "GET" else await read_body(receive),
        )
        return await self.server.run(lambda: endpoint.answer(call))

    async def _get_token(self, scope: Scope, receive: Receive) -> Response:
        scope[OPERATION], scope[ROUTE], scope[ALLOW] = "cip-get-token", BASE + GET_TOKEN, "OPTIONS, POST"
        if scope["method"] == "OPTIONS":
            return Response(status_code=204, headers={"Allow": scope[ALLOW]})
        if scope["method"] != "POST":
            raise MethodNotAllowed(f"Methods of this path: {scope[ALLOW]}")
        return await self.login.get_token(scope, receive)

    def _find(self, steps: str) -> tuple[Path, Mapping[str, str]]:
        if "\0" not in steps:  # PostgreSQL has no such text
            for path in self.paths:
                found = path.pattern.fullmatch(steps)
                if found is not None:
                    return path, found.groupdict()
        raise UnknownOperation("Nothing is served at this path")


def _paths(endpoints: Iterable[Endpoint]) -> list[Path]:
    """Return the paths, those with more fixed steps first."""
    by_template: dict[str, Path] = {}
    for endpoint in endpoints:
        template = endpoint.template.rstrip("/")
        path = by_template.setdefault(template, Path(template, _pattern(template)))
        if endpoint.method in path.methods:
            raise ValueError(f"two endpoints answer {endpoint.method} {template}")
        path.methods[endpoint.method] = endpoint
    return sorted(by_template.values(), key=lambda path: path.template.count("{"))


def _pattern(template: str) -> re.Pattern[str]:
    steps = [
        f"(?P<{step[1:-1]}>{_FORMS.get(step[1:-1], '[^/]+')})" if step.startswith("{") else re.escape(step)
        for step in template.split("/")
    ]
    return re.compile("/".join(steps))
