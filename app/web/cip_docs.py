"""The page that describes the CIP-API-compatible interface, and its OpenAPI document. Both are open to everybody."""

from __future__ import annotations

import orjson
from jinja2 import Environment
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from app.api import cip, cip_openapi
from app.api.cip_calls import BASE, JSON
from app.api.scope import OPERATION, ROUTE
from app.api.server import Server
from app.web.html import html_page, policy

_DOCS = f"{BASE}/docs"
_DOCUMENT = f"{BASE}/openapi.json"


def routes(server: Server, environment: Environment, origin: str) -> list[BaseRoute]:
    """Return the routes; ``origin`` is where the document says that the interface is, if that is elsewhere."""

    async def described(request: Request) -> Response:
        request.scope[OPERATION], request.scope[ROUTE] = "cip-docs", _DOCUMENT
        made = cip_openapi.document(cip.ENDPOINTS, server.root_url(request.scope))
        return Response(orjson.dumps(made), media_type=JSON)

    async def docs(request: Request) -> Response:
        if request.query_params.get("format") == "openapi":
            return await described(request)
        request.scope[OPERATION], request.scope[ROUTE] = "cip-docs", _DOCS
        root = request.scope.get("root_path", "")
        page = environment.get_template("docs.html").render(root=root, document=root + _DOCUMENT)
        # Swagger UI sets styles on elements, and calls the address that the OpenAPI document names.
        return html_page(page, policy(styles=" 'unsafe-inline'", origin=origin))

    return [Route(_DOCS, docs), Route(_DOCUMENT, described)]
