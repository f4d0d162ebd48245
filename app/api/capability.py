"""The server's description of itself: ``/fhir/metadata`` and its OperationDefinitions."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

import app
from app.api.answers import answer_resource
from app.api.query import parse_query
from app.api.scope import OPERATION
from app.api.server import FHIR_BASE, Server
from app.errors import NotFound, quoted
from app.fhir.bundle import searchset
from app.fhir.capability import ServedType, capability_statement, find_definitions
from app.operations.interface import Context


def routes(server: Server) -> list[BaseRoute]:
    """Return the routes of the description."""

    async def metadata(request: Request) -> Response:
        request.scope[OPERATION] = "metadata"
        statement = capability_statement(
            server.offered(),
            _served(server.opened()),
            base_url=server.base_url(request.scope),
            version=app.__version__,
            date=server.started.isoformat(timespec="seconds"),
            cors=bool(server.settings.cors_origins.strip()),
            hla_reductions=server.opened().hla_reductions,
            knowledge=server.opened().knowledge,
        )
        return answer_resource(request.scope, statement)

    async def search(request: Request) -> Response:
        request.scope[OPERATION] = "operation-definition"
        scope = request.scope
        found = find_definitions(server.offered(), parse_query(scope["query_string"]))
        base_url = server.base_url(scope)
        query = scope["query_string"].decode("latin-1")
        self_url = f"{base_url}/OperationDefinition" + (f"?{query}" if query else "")
        entries = [(f"{base_url}/OperationDefinition/{one.name}", dict(one.resource)) for one in found]
        return answer_resource(scope, searchset(entries, self_url=self_url))

    async def read(request: Request) -> Response:
        request.scope[OPERATION] = "operation-definition"
        name = request.path_params["name"]
        for definition in server.offered():
            if definition.name == name:
                return answer_resource(request.scope, definition.resource)
        raise NotFound(f"OperationDefinition/{quoted(name)} is not known")

    return [
        Route(f"{FHIR_BASE}/metadata", metadata),
        Route(f"{FHIR_BASE}/OperationDefinition", search),
        Route(f"{FHIR_BASE}/OperationDefinition/{{name}}", read),
    ]


def _served(context: Context) -> list[ServedType]:
    """Return the types of resources that can be read, by name."""
    served = []
    for name in sorted({reader.resource_type for reader in context.readers}):
        readers = [reader for reader in context.readers if reader.resource_type == name]
        profiles = dict.fromkeys(profile for reader in readers for profile in reader.profiles)
        searches = {
            parameter: type_
            for reader in readers
            if reader.search is not None
            for parameter, type_ in reader.search.parameters.items()
        }
        served.append(ServedType(name, list(profiles), searches))
    return served
