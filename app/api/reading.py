"""Reads and searches: ``/fhir/{type}/{id}``, ``/fhir/{type}?…`` and ``/fhir/{type}/_search``.

Which types there are, the form of their ids and their search parameters are the context's; nothing here knows one.
"""

from __future__ import annotations

import re

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import Scope

from app.api.answers import answer_body, answer_resource
from app.api.negotiate import BodyKind, body_kind, read_preferences
from app.api.query import parse_query
from app.api.scope import OPERATION, ROUTE, header
from app.api.server import FHIR_BASE, Server
from app.errors import InvalidInput, InvalidValue, NotFound, UnknownOperation, UnsupportedMediaType, quoted
from app.fhir.bundle import searchset
from app.fhir.parameters import CONTROL_PARAMETERS
from app.operations.interface import Context, Pairs, Search

_ID = re.compile(r"[A-Za-z0-9.-]{1,64}", re.ASCII)
_DEFINITION = "OperationDefinition"


def routes(server: Server) -> list[BaseRoute]:
    """Return the routes of reads and searches; those of single types have to come before them."""

    async def read(request: Request) -> Response:
        context, scope = server.opened(), request.scope
        resource_type, id_ = request.path_params["type"], request.path_params["id"]
        _refuse_unserved(context, resource_type)
        scope[OPERATION], scope[ROUTE] = "read", f"{FHIR_BASE}/{resource_type}/{{id}}"
        if _ID.fullmatch(id_) is None:
            raise InvalidValue(f"'{quoted(id_)}' is not an id: 1 to 64 letters, digits, '-' and '.'")
        body = await server.run(lambda: _read(context, resource_type, id_))
        if body is None:
            raise NotFound(f"{resource_type}/{id_} is not known")
        return answer_body(scope, body)

    async def search(request: Request) -> Response:
        context, scope = server.opened(), request.scope
        resource_type = request.path_params["type"]
        _refuse_unserved(context, resource_type)
        scope[OPERATION], scope[ROUTE] = "search", f"{FHIR_BASE}/{resource_type}"
        found = _search(context, resource_type)
        pairs = parse_query(scope["query_string"])
        query = scope["query_string"].decode("latin-1")
        if request.method == "POST":
            body = await request.body()
            if body and body_kind(header(scope, b"content-type"), header(scope, b"content-encoding")) is BodyKind.JSON:
                raise UnsupportedMediaType("A search is sent as application/x-www-form-urlencoded")
            pairs = [*pairs, *parse_query(body)]
            query = "&".join(filter(None, (query, body.decode("latin-1"))))
        criteria = _criteria(scope, found, pairs)
        resources = await server.run(lambda: found.find(context, criteria))
        base_url = server.base_url(scope)
        entries = [(f"{base_url}/{resource_type}/{id_}", orjson.Fragment(body)) for id_, body in resources]
        self_url = f"{base_url}/{resource_type}" + (f"?{query}" if query else "")
        return answer_resource(scope, searchset(entries, self_url=self_url))

    return [
        Route(f"{FHIR_BASE}/{{type}}", search),
        Route(f"{FHIR_BASE}/{{type}}/_search", search, methods=["POST"]),
        Route(f"{FHIR_BASE}/{{type}}/{{id}}", read),
    ]


def _read(context: Context, resource_type: str, id_: str) -> bytes | None:
    for reader in context.readers:
        match = reader.pattern.fullmatch(id_) if reader.resource_type == resource_type else None
        if match is not None:
            return reader.read(context, match)
    return None


def _search(context: Context, resource_type: str) -> Search:
    for reader in context.readers:
        if reader.resource_type == resource_type and reader.search is not None:
            return reader.search
    raise UnknownOperation(f"{resource_type} is read by id; it cannot be searched")


def _criteria(scope: Scope, search: Search, pairs: Pairs) -> Pairs:
    if read_preferences(header(scope, b"prefer")).get("handling") == "strict":
        for name, _ in pairs:
            if name not in search.parameters and name not in CONTROL_PARAMETERS:
                raise InvalidInput(f"Unknown query parameter '{quoted(name)}'", parameter=name)
    return [(name, text) for name, text in pairs if name in search.parameters]


def _refuse_unserved(context: Context, resource_type: str) -> None:
    if resource_type not in {reader.resource_type for reader in context.readers}:
        raise UnknownOperation(f"'{quoted(resource_type)}' is not served here. {served(context)}")


def served(context: Context) -> str:
    """Return a sentence that says what there is."""
    types = sorted({reader.resource_type for reader in context.readers} | {_DEFINITION})
    return f"There are {', '.join(types)} and the operations of {FHIR_BASE}/metadata"
