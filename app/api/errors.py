"""The one place where an error becomes a response."""

from __future__ import annotations

import logging
from typing import Any

import orjson
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Scope

from app.api.logs import describe, log
from app.api.negotiate import FHIR_JSON, JSON, PROBLEM_JSON, read_accept, wants_problem
from app.api.scope import ALLOW, ERROR_BODY, ERROR_HEADERS, REQUEST_ID, dialect_of, header, is_fhir
from app.errors import (
    InvalidInput,
    InvalidValue,
    MethodNotAllowed,
    OperonError,
    SeveralProblems,
    TooCostly,
    UnknownOperation,
)
from app.fhir.outcome import operation_outcome, problem

_RETRY_SECONDS = "5"


def render(scope: Scope, error: OperonError) -> Response:
    """Return the response that an error becomes: as the path's family words it, OperationOutcome or problem+json."""
    return _render(scope, report(scope, error) if error.status == 500 else error)


def _render(scope: Scope, error: OperonError) -> Response:
    accept = header(scope, b"accept")
    body: dict[str, Any]
    if ERROR_BODY in scope:
        body, media_type = scope[ERROR_BODY](scope, error), JSON
    elif wants_problem(dialect_of(scope), accept) or not (is_fhir(scope) or read_accept(accept).names_fhir):
        body, media_type = problem(error), PROBLEM_JSON
    else:
        body, media_type = operation_outcome(error), FHIR_JSON
    headers = {"Vary": "Accept, Prefer", **scope.get(ERROR_HEADERS, {})}
    if error.status == 503:
        headers["Retry-After"] = _RETRY_SECONDS
    if isinstance(error, MethodNotAllowed) and ALLOW in scope:
        headers["Allow"] = scope[ALLOW]
    return Response(orjson.dumps(body), error.status, headers, media_type)


def report(scope: Scope, error: BaseException) -> OperonError:
    """Log something unforeseen by its type and place, and return the error that the caller is told."""
    request_id: str = scope.get(REQUEST_ID, "-")
    log(logging.ERROR, "failure", request_id=request_id, failure=describe(error))
    return OperonError(f"Unexpected error; quote request id {request_id} to the operator")


def render_unforeseen(scope: Scope, error: BaseException) -> Response:
    """Return the response to an error that nobody raised on purpose."""
    return _render(scope, report(scope, error))


async def handle_operon_error(request: Request, error: Exception) -> Response:
    """Answer an error of the house."""
    assert isinstance(error, OperonError)  # noqa: S101 - registered for this type only
    return render(request.scope, error)


async def handle_http_exception(request: Request, error: Exception) -> Response:
    """Answer what the framework refuses: an unknown path, a method that a route does not take."""
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for this type only
    scope = request.scope
    match error.status_code:
        case 404:
            return render(scope, UnknownOperation("Nothing is served at this path"))
        case 405:
            allowed = (error.headers or {}).get("Allow", "GET, HEAD")
            scope[ALLOW] = ", ".join(sorted({*allowed.split(", "), "OPTIONS"}))
            if scope["method"] == "OPTIONS":
                return Response(status_code=204, headers={"Allow": scope[ALLOW]})
            return render(scope, MethodNotAllowed(f"Methods of this path: {scope[ALLOW]}"))
        case 413:
            return render(scope, TooCostly("The request body is too large"))
        case status if 400 <= status < 500:
            return render(scope, InvalidInput("The request cannot be read"))
        case _:
            return render_unforeseen(scope, error)


async def handle_validation_error(request: Request, error: Exception) -> Response:
    """Answer inputs that the framework found wanting, with 400 rather than its own 422."""
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for this type only
    problems = [InvalidValue(f"{detail['loc'][-1]}: {detail['msg']}") for detail in error.errors()]
    return render(request.scope, SeveralProblems(problems))


EXCEPTION_HANDLERS: dict[Any, Any] = {
    OperonError: handle_operon_error,
    HTTPException: handle_http_exception,
    RequestValidationError: handle_validation_error,
}
"""What ``FastAPI(exception_handlers=…)`` takes; anything else ends in ``middleware.Guard``."""
