"""``POST …/snpdata``: SNP and copy number results of a laboratory, taken into the inbox of the store.

The body and the answers are those of the compatible API; what is accepted is committed before the answer is sent.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from app.api.abomics import VERSIONS, require_user
from app.api.abomics_errors import ERROR_TYPE
from app.api.query import parse_plain_json
from app.api.scope import OPERATION, ROUTE, read_headers
from app.api.server import Server
from app.errors import InvalidBody
from app.formats.snp_batch import Batch, FieldProblem, read_batch


def routes(server: Server) -> list[BaseRoute]:
    """Return the route with and without a version."""
    prefix = server.settings.abomics_prefix.rstrip("/")

    async def snp_data(request: Request) -> Response:
        request.scope[OPERATION], request.scope[ROUTE] = "snpdata", f"{prefix}/snpdata"
        require_user(read_headers(request.scope), server.settings, about_patient=False)
        raw = await request.body()
        answer = await server.run(lambda: _answer(server, raw))
        if answer.status_code == InvalidBody.status:
            request.scope[ERROR_TYPE] = "validation_error"
        return answer

    paths = [f"{prefix}/snpdata", *(f"{prefix}/{version}/snpdata" for version in VERSIONS)]
    return [Route(path, snp_data, methods=["POST"]) for path in paths]


def _answer(server: Server, raw: bytes) -> Response:
    try:
        batch = read_batch(parse_plain_json(raw))
    except InvalidBody as error:
        return refused([FieldProblem("body", error.diagnostics)])
    if not isinstance(batch, Batch):
        return refused(batch)
    accepted = server.opened().queue_snp_data(batch)
    return _json(
        {
            "queued_data_count": len(accepted.samples),
            "errors": [{"text": text} for text in accepted.errors],
            "warnings": [{"text": text} for text in accepted.warnings],
        },
        200,
    )


def refused(problems: Iterable[FieldProblem]) -> Response:
    """Return the answer to a body that is refused as a whole."""
    named = [{"name": problem.name, "error_message": problem.message} for problem in problems]
    return _json({"validation_error": named}, InvalidBody.status)


def _json(value: Any, status: int) -> Response:
    return Response(orjson.dumps(value), status, media_type="application/json")
