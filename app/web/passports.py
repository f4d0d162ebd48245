"""Pages about the pharmacogenetics of one person: the passport for printing, and reports that open with a PIN."""

from __future__ import annotations

from jinja2 import Environment
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from app.api.query import parse_query
from app.api.scope import OPERATION, REQUEST_ID, ROUTE
from app.api.server import Server
from app.errors import ConsentWithheld, SubjectNotFound
from app.web.html import html_page, policy

_LONGEST_PIN = 32
_NOT_FOUND, _FORBIDDEN = 404, 403


def routes(server: Server, environment: Environment) -> list[BaseRoute]:
    """Return the routes of these pages."""

    def shown(request: Request, template: str, status: int = 200, **values: object) -> Response:
        text = environment.get_template(template).render(root=request.scope.get("root_path", ""), **values)
        return html_page(text, policy(forms="'self'"), status)

    async def asked(request: Request) -> Response:
        request.scope[OPERATION], request.scope[ROUTE] = "pgx-passport", "/pgx"
        patient = dict(parse_query(request.scope["query_string"])).get("subject", "").strip()
        return await _passport(request, patient) if patient else shown(request, "passport_form.html", problem="")

    async def named(request: Request) -> Response:
        request.scope[OPERATION], request.scope[ROUTE] = "pgx-passport", "/pgx/{subject}"
        return await _passport(request, request.path_params["subject"])

    async def _passport(request: Request, patient: str) -> Response:
        context = server.opened()
        try:
            passport = await server.run(lambda: context.pgx_passport(patient))
        except SubjectNotFound:
            problem = "There is no subject with this id or identifier, or there is more than one."
            return shown(request, "passport_form.html", _NOT_FOUND, problem=problem)
        except ConsentWithheld as error:
            return shown(request, "passport_form.html", error.status, problem=f"{error.diagnostics}.")
        return shown(request, "passport.html", passport=passport)

    async def report(request: Request) -> Response:
        request.scope[OPERATION], request.scope[ROUTE] = "pgx-report", "/report/{token}"
        context, token = server.opened(), request.path_params["token"]
        if request.method != "POST":
            is_known = await server.run(lambda: context.knows_pgx_report(token))
            status = 200 if is_known else _NOT_FOUND
            return shown(
                request, "report_login.html", status, is_closed=not is_known, is_wrong=False, is_withheld=False
            )
        pin = dict(parse_query(await request.body())).get("pin", "").strip()[:_LONGEST_PIN]
        request_id = request.scope[REQUEST_ID]
        opened = await server.run(lambda: context.open_pgx_report(token, pin, request_id))
        if opened.passport is not None:
            return shown(request, "passport.html", passport=opened.passport)
        status = _NOT_FOUND if opened.is_closed else _FORBIDDEN
        said = {"is_closed": opened.is_closed, "is_wrong": not opened.is_withheld, "is_withheld": opened.is_withheld}
        return shown(request, "report_login.html", status, **said)

    return [
        Route("/pgx", asked),
        Route("/pgx/{subject}", named),
        Route("/report/{token}", report, methods=["GET", "POST"]),
    ]
