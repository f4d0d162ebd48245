"""Errors as bodies: OperationOutcome for FHIR clients, problem+json for clients of the reference implementation.

https://hl7.org/fhir/R4/operationoutcome.html and https://www.rfc-editor.org/rfc/rfc9457.

>>> from app.errors import SubjectNotFound
>>> operation_outcome(SubjectNotFound("P-9"))["issue"][0]["diagnostics"]
'Patient (P-9) not found.'
"""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import Any

from app.errors import OperonError

_CONTROL_CHARACTER = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_NAME = re.compile(r"[A-Za-z_]{1,64}", re.ASCII)


def operation_outcome(error: OperonError) -> dict[str, Any]:
    """Return an OperationOutcome with one issue for each problem of the error."""
    return {"resourceType": "OperationOutcome", "issue": [_issue(single) for single in error.issues()]}


def problem(error: OperonError) -> dict[str, Any]:
    """Return the body that the reference implementation gives for an error."""
    return {
        "type": "about:blank",
        "title": HTTPStatus(error.status).phrase,
        "status": error.status,
        "detail": error.diagnostics,
    }


def _issue(error: OperonError) -> dict[str, Any]:
    issue: dict[str, Any] = {
        "severity": "error",
        "code": error.code,
        "details": {"text": error.phrase},
        # What a client sent may be quoted in it, and a FHIR string has no control characters.
        "diagnostics": _CONTROL_CHARACTER.sub("\N{REPLACEMENT CHARACTER}", error.diagnostics),
    }
    if error.parameter is not None and _NAME.fullmatch(error.parameter):
        issue["expression"] = [f"Parameters.parameter.where(name='{error.parameter}')"]
    return issue
