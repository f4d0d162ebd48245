"""Absent and No call as Observations: a test looked at a place and found no variant, or cannot tell.

Profile: https://build.fhir.org/ig/HL7/genomics-reporting/StructureDefinition-variant.html. These are an extension of
Operon (``includeNonVariants``), as is their place among the ``variant`` parts of an answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from app.fhir import codes
from app.fhir.codes import Coding
from app.records import Build


@dataclass(frozen=True, slots=True)
class NonVariant:
    """What one test says of one place without the variant; positions zero-based, half-open, on the test's build."""

    id: str
    subject_id: str
    study: str
    """Id of the Procedure that the test is"""
    effective: str | None
    specimen_id: str | None
    build: Build
    ref_seq: str
    is_absent: bool
    """Else the place was not called"""
    start: int
    end: int
    spdis: Sequence[str] = ()
    """The variant that was asked for, on the test's build first; nothing for a range"""
    hgvs: str | None = None
    notes: Sequence[str] = ()
    """Why it is not absent though the place was called as the reference"""


def nonvariant_resource(told: NonVariant) -> dict[str, Any]:
    """Return the Observation."""
    resource: dict[str, Any] = {
        "resourceType": "Observation",
        "id": told.id,
        "meta": {"profile": [codes.VARIANT_PROFILE]},
        "status": "final",
        "category": [codes.LABORATORY.as_concept(), codes.GENETICS.as_concept()],
        "code": codes.VARIANT_ASSESSMENT.as_concept(),
        "subject": {"reference": f"Patient/{told.subject_id}"},
        "partOf": [{"reference": f"Procedure/{told.study}"}],
    }
    if told.effective is not None:
        resource["effectiveDateTime"] = told.effective
    resource["valueCodeableConcept"] = (codes.ABSENT if told.is_absent else codes.NO_CALL).as_concept()
    if told.specimen_id is not None:
        resource["specimen"] = {"identifier": {"value": told.specimen_id}}
    components = [_coded(codes.GENOMIC_REF_SEQ, [Coding(codes.REFSEQ, told.ref_seq)])]
    if told.spdis:
        components.append(_coded(codes.VARIATION_CODE, [Coding(codes.SPDI, text, text) for text in told.spdis]))
    components.append(_coded(codes.COORDINATE_SYSTEM, [codes.ZERO_BASED_INTERVAL]))
    place = {"low": {"value": told.start}, "high": {"value": told.end}}
    components.append({"code": codes.EXACT_START_END.as_concept(), "valueRange": place})
    if told.hgvs is not None:
        components.append(_coded(codes.GENOMIC_HGVS, [Coding(codes.HGVS, told.hgvs, told.hgvs)]))
    components.append(_coded(codes.REFERENCE_SEQUENCE_ASSEMBLY, [codes.ASSEMBLY[told.build]]))
    if told.notes:
        resource["note"] = [{"text": text} for text in told.notes]
    return {**resource, "component": components}


def render_nonvariant(told: NonVariant) -> str:
    """Return it as the text of a ``variant`` part that follows another part."""
    return "," + orjson.dumps({"name": "variant", "resource": nonvariant_resource(told)}).decode()


def _coded(code: Coding, values: Sequence[Coding]) -> dict[str, Any]:
    return {"code": code.as_concept(), "valueCodeableConcept": {"coding": [value.as_json() for value in values]}}
