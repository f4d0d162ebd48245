"""Subjects as Patients: what is stored of them and nothing else (https://hl7.org/fhir/R4/patient.html)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from app.records import Sex


def render_patient(
    subject_id: str, sex: Sex, birth_date: str | None, identifiers: Sequence[tuple[str, str]]
) -> dict[str, Any]:
    """Return a Patient; ``identifiers`` are (system, value) with an empty system where there is none."""
    patient: dict[str, Any] = {"resourceType": "Patient", "id": subject_id}
    if identifiers:
        patient["identifier"] = [
            {"system": system, "value": value} if system else {"value": value} for system, value in identifiers
        ]
    if sex is not Sex.UNKNOWN:
        patient["gender"] = sex.value
    if birth_date is not None:
        patient["birthDate"] = birth_date
    return patient
