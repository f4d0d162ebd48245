"""Errors as the Abomics-compatible API words them: ``{"errors": [...]}``, or ``{"validation_error": [...]}``."""

from __future__ import annotations

from typing import Any

from starlette.types import Scope

from app.errors import (
    DrugNotFound,
    InvalidInput,
    MissingHeader,
    OperonError,
    ResultsNotReady,
    SubjectNotFound,
)

ERROR_TYPE = "operon.abomics.error_type"
"""Type of the error that was answered, for the audit"""

_DRUG_TYPES = {"substance": "NO_SUBSTANCE", "tradename": "NO_TRADENAME", "inn": "NO_INN", "vnr": "NO_VNR"}


def error_body(scope: Scope, error: OperonError) -> dict[str, Any]:
    """Return the body of an error, and note its type."""
    named = [one for one in error.issues() if isinstance(one, InvalidInput) and one.parameter]
    if named:
        scope[ERROR_TYPE] = "validation_error"
        return {"validation_error": [{"name": one.parameter, "error_message": one.diagnostics} for one in named]}
    kind = _type_of(error)
    scope[ERROR_TYPE] = kind
    return {"errors": [{"data": _message(error), **({"type": kind} if kind is not None else {})}]}


def _type_of(error: OperonError) -> str | None:
    """Return the key of an error; None for one that clients need not tell apart."""
    match error:
        case DrugNotFound():
            return _DRUG_TYPES[error.kind]
        case SubjectNotFound():
            return "NO_PATIENT"
        case ResultsNotReady():
            return "NOT_READY"
        case MissingHeader():
            return "MISSING_HEADER"
    return None


def _message(error: OperonError) -> str:
    if isinstance(error, SubjectNotFound):
        return f'Patient with ID "{error.subject}" not found.'
    return error.diagnostics
