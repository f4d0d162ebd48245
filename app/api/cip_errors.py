"""Errors as the CIP-API-compatible interface words them: those of its framework, or paths of fields with texts."""

from __future__ import annotations

from typing import Any, Final

from starlette.types import Scope

from app.errors import (
    InvalidFields,
    MethodNotAllowed,
    NotAllowed,
    NotFound,
    OperonError,
    PageNotFound,
    Throttled,
)
from app.operations.cip_access import FORBIDDEN

NOT_PROVIDED: Final = "Authentication credentials were not provided."
BAD_TOKEN: Final = "Error decoding signature."  # noqa: S105 - a text
EXPIRED: Final = "Signature has expired."
CHALLENGE: Final = {"WWW-Authenticate": 'JWT realm="api"'}


def forbidden() -> NotAllowed:
    """Return the error of whoever may not do what they ask."""
    return NotAllowed(FORBIDDEN)


def error_body(scope: Scope, error: OperonError) -> dict[str, Any]:
    """Return the body of an error."""
    match error:
        case InvalidFields():
            return error.problems
        case PageNotFound():
            detail = "Invalid page."
        case NotFound():
            detail = "Not found."
        case MethodNotAllowed():
            detail = f'Method "{scope["method"]}" not allowed.'
        case Throttled():
            plural = "" if error.seconds == 1 else "s"
            detail = f"Request was throttled. Expected available in {error.seconds} second{plural}."
        case _:
            detail = error.diagnostics
    return {"detail": detail}
