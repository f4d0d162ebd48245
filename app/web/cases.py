"""Pages about cases of a CIP-API: the list of them, and one case with its people, variants and consents."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urlencode

from jinja2 import Environment
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from app.api.query import parse_query
from app.api.scope import OPERATION, ROUTE
from app.api.server import Server
from app.web.html import html_page, policy

_CASE: Final = re.compile(r"(\d{1,18})-(\d{1,9})", re.ASCII)
_NUMBER: Final = re.compile(r"[1-9]\d{0,8}", re.ASCII)
_LONGEST_SEARCH: Final = 200
_NOT_FOUND: Final = 404


def routes(server: Server, environment: Environment) -> list[BaseRoute]:
    """Return the routes of these pages."""

    def shown(request: Request, template: str, status: int = 200, **values: object) -> Response:
        text = environment.get_template(template).render(root=request.scope.get("root_path", ""), **values)
        return html_page(text, policy(forms="'self'"), status)

    async def listed(request: Request) -> Response:
        request.scope[OPERATION], request.scope[ROUTE] = "cip-cases", "/cip/cases"
        context, asked = server.opened(), dict(parse_query(request.scope["query_string"]))
        search = asked.get("search", "").replace("\0", "").strip()[:_LONGEST_SEARCH]
        page = asked.get("page", "")
        number = int(page) if _NUMBER.fullmatch(page) else 1
        found = await server.run(lambda: context.cip_cases(search, number))
        further = urlencode({"search": search}) + "&" if search else ""
        return shown(request, "cases.html", found=found, further=further)

    async def one(request: Request) -> Response:
        request.scope[OPERATION], request.scope[ROUTE] = "cip-case", "/cip/cases/{case}"
        context, match = server.opened(), _CASE.fullmatch(request.path_params["case"])
        found = None
        if match is not None:
            ir_id, version = int(match[1]), int(match[2])
            found = await server.run(lambda: context.cip_case(ir_id, version))
        if found is None:
            return shown(request, "case.html", _NOT_FOUND, case=None)
        return shown(request, "case.html", case=found)

    return [Route("/cip/cases", listed), Route("/cip/cases/{case}", one)]
