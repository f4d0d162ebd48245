"""Whether the process lives, whether it should get requests, and its numbers."""

from __future__ import annotations

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

import app
from app.api.metrics import MEDIA_TYPE
from app.api.scope import OPERATION
from app.api.server import Server
from app.errors import OperonError


def routes(server: Server) -> list[BaseRoute]:
    """Return the routes for operators."""

    async def livez(request: Request) -> Response:
        request.scope[OPERATION] = "livez"
        return _json({"status": "ok", "version": app.__version__})

    async def readyz(request: Request) -> Response:
        request.scope[OPERATION] = "readyz"
        checks = await server.run(server.opened().readiness)
        ready = all(check.ok for check in checks)
        body = {"status": "ok" if ready else "unavailable", "version": app.__version__, "checks": checks}
        return _json(body, 200 if ready else 503)

    async def metrics(request: Request) -> Response:
        request.scope[OPERATION] = "metrics"
        try:
            summary = await server.run(server.opened().summary)
        except OperonError:
            # Times and counts of requests matter most when the store is away.
            summary = None
        return Response(server.metrics.expose(summary), headers={"Content-Type": MEDIA_TYPE})

    return [Route("/livez", livez), Route("/readyz", readyz), Route("/metrics", metrics)]


def _json(body: object, status: int = 200) -> Response:
    return Response(orjson.dumps(body), status, media_type="application/json")
