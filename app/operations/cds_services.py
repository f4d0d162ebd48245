"""The services that are offered to CDS clients (https://cds-hooks.hl7.org/2.0/)."""

from __future__ import annotations

from typing import Any, Final

_PATIENT: Final = {"patient": "Patient/{{context.patientId}}"}
_ACTIVE: Final = {"activeMedications": "MedicationRequest?patient={{context.patientId}}&status=active"}

ADVISOR: Final = "pgx-medication-advisor"
SERVICES: Final[tuple[dict[str, Any], ...]] = (
    {
        "hook": "order-select",
        "id": ADVISOR,
        "title": "Pharmacogenomic medication check",
        "description": "Checks newly selected medication orders against the patient's pharmacogenomic results.",
        "prefetch": _PATIENT | _ACTIVE,
        "usageRequirements": "Patient must be known to the genomics server by id or identifier.",
    },
    {
        "hook": "order-sign",
        "id": ADVISOR,
        "title": "Pharmacogenomic medication check",
        "description": "Final pharmacogenomic check of orders before signature.",
        "prefetch": _PATIENT | _ACTIVE,
    },
    {
        "hook": "medication-prescribe",
        "id": "pgx-medication-prescribe",
        "title": "Pharmacogenomic medication check (CDS Hooks 1.0)",
        "description": "Legacy form of the medication check.",
        "prefetch": _PATIENT,
    },
    {
        "hook": "patient-view",
        "id": "pgx-patient-summary",
        "title": "Pharmacogenomic summary",
        "description": "Lists actionable pharmacogenomic results and active medications they affect.",
        "prefetch": _PATIENT | _ACTIVE,
    },
)
SERVICE_IDS: Final = frozenset(str(service["id"]) for service in SERVICES)


def is_offered(service_id: str, hook: str) -> bool:
    """Return whether a service answers a hook."""
    return any(service["id"] == service_id and service["hook"] == hook for service in SERVICES)
