"""The part of the OpenAPI document that describes CDS Hooks."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from app.api.cds_hooks import BASE

_CDS_CALL: dict[str, Any] = {
    "hook": "order-sign",
    "hookInstance": "3f1d2c5e-7a70-4b62-9c2b-0a6c0f4f1a11",
    "context": {
        "userId": "Practitioner/p1",
        "patientId": "PGX001",
        "draftOrders": {
            "resourceType": "Bundle",
            "entry": [
                {
                    "resource": {
                        "resourceType": "MedicationRequest",
                        "id": "m1",
                        "status": "draft",
                        "intent": "order",
                        "subject": {"reference": "Patient/PGX001"},
                        "medicationCodeableConcept": {
                            "coding": [{"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": "32968"}]
                        },
                    }
                }
            ],
        },
    },
}
_CDS_FEEDBACK = {
    "feedback": [
        {
            "card": "7b0b5b0e-4b3e-5f5a-9a7e-2f6a5e1d0c01",
            "outcome": "overridden",
            "overrideReason": {"reason": {"code": "previously-tolerated"}},
            "outcomeTimestamp": "2026-11-22T10:05:31Z",
        }
    ]
}
_SERVICE = {
    "name": "service",
    "in": "path",
    "required": True,
    "description": "Id of a service, as discovery tells it.",
    "schema": {"type": "string"},
}
_CDS_REFUSALS = {
    "400": "The body is not the one of a hook.",
    "401": "The token of the client is not believed; no reason is told.",
    "404": "There is no such service, or it does not answer the hook.",
    "412": "The patient cannot be known: nothing was sent along, and nothing can be fetched.",
}


def _cds_post(summary: str, statuses: Iterable[str], example: dict[str, Any]) -> dict[str, Any]:
    described = {
        "tags": ["CDS Hooks"],
        "summary": summary,
        "parameters": [_SERVICE],
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": {"type": "object"}, "example": example}},
        },
        "responses": {
            "200": {"description": "The answer.", "content": {"application/json": {"schema": {"type": "object"}}}},
            **{status: {"description": _CDS_REFUSALS[status]} for status in statuses},
        },
    }
    return {"post": described}


CDS_PATHS: Final[dict[str, Any]] = {
    BASE: {
        "get": {
            "tags": ["CDS Hooks"],
            "summary": "The services, with their hooks and what clients should send along",
            "responses": {
                "200": {"description": "The answer.", "content": {"application/json": {"schema": {"type": "object"}}}}
            },
        }
    },
    f"{BASE}/{{service}}": _cds_post("Call a service: context in, cards out", _CDS_REFUSALS, _CDS_CALL),
    f"{BASE}/{{service}}/feedback": _cds_post("Tell what users did with cards", ("400", "401", "404"), _CDS_FEEDBACK),
}
