"""Structural variants as FHIR Observations.

Profile: https://build.fhir.org/ig/HL7/genomics-reporting/StructureDefinition-variant.html. Intervals are those of the
build that the variant was reported on, zero-based, half-open: the outer one certainly holds the event, the inner one is
certainly held by it and is left out where there is none. REF and ALT are as reported; an ALT that is no sequence shows
in the type of change.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from app.fhir import codes
from app.fhir.codes import Coding
from app.fhir.observation import CallSetFacts
from app.records import SourceClass, StructuralKind, Zygosity
from app.variants.extent import Extent

_WITH_STATE = frozenset({StructuralKind.DEL, StructuralKind.DUP, StructuralKind.INV, StructuralKind.INS})
_WITH_COPIES = frozenset({StructuralKind.DEL, StructuralKind.DUP, StructuralKind.CNV})


@dataclass(frozen=True, slots=True)
class StructuralFacts:
    """What one call says; ``copy_number`` is empty where it is not stated."""

    id: str
    kind: StructuralKind
    extent: Extent
    ref: str
    alt: str
    state: Zygosity
    copy_number: str
    notes: Sequence[str]


def shows_alt(kind: StructuralKind, alt: str) -> bool:
    """Return whether an Observation has ALT as a component."""
    return kind is StructuralKind.INS and alt.isalpha()


def shows_copies(kind: StructuralKind) -> bool:
    """Return whether an Observation has a number of copies, where one is stated."""
    return kind in _WITH_COPIES


def change_type(kind: StructuralKind, alt: str) -> Coding:
    """Return the Sequence Ontology term of a kind, or the narrower one that a symbolic ALT names."""
    return codes.STRUCTURAL_SUBTYPE.get(":".join(alt.strip("<>").split(":")[:2]), codes.STRUCTURAL_TYPE[kind])


def render_structural(about: CallSetFacts, call: StructuralFacts) -> dict[str, Any]:
    """Return the Observation of one call."""
    components = [_concept(codes.CODING_CHANGE_TYPE, change_type(call.kind, call.alt))]
    if about.source_class in codes.SOURCE_CLASS:
        components.append(_concept(codes.GENOMIC_SOURCE_CLASS, codes.SOURCE_CLASS[about.source_class]))
    components.append(_concept(codes.GENOMIC_REF_SEQ, Coding(codes.REFSEQ, about.ref_seq)))
    germline = about.source_class is SourceClass.GERMLINE
    if germline and call.kind in _WITH_STATE and call.state in codes.ALLELIC_STATE:
        components.append(_concept(codes.ALLELIC_STATE_COMPONENT, codes.ALLELIC_STATE[call.state]))
    if call.copy_number and shows_copies(call.kind):
        copies = int(call.copy_number) if call.copy_number.isdecimal() else float(call.copy_number)
        quantity = {"value": copies, "system": codes.UCUM, "code": "1"}
        components.append({"code": codes.COPY_NUMBER.as_concept(), "valueQuantity": quantity})
    components.append({"code": codes.REF_ALLELE.as_concept(), "valueString": call.ref})
    if shows_alt(call.kind, call.alt):
        components.append({"code": codes.ALT_ALLELE.as_concept(), "valueString": call.alt})
    components.append(_concept(codes.COORDINATE_SYSTEM, codes.ZERO_BASED_INTERVAL))
    extent = call.extent
    components.append(_range(codes.OUTER_START_END, extent.outer_start, extent.outer_end))
    if extent.inner_start >= 0:
        components.append(_range(codes.INNER_START_END, extent.inner_start, extent.inner_end))
    components.append(_concept(codes.REFERENCE_SEQUENCE_ASSEMBLY, codes.ASSEMBLY[about.build]))
    observation: dict[str, Any] = {
        "resourceType": "Observation",
        "id": call.id,
        "meta": {"profile": [codes.VARIANT_PROFILE]},
        "status": "final",
        "category": [codes.LABORATORY.as_concept(), codes.GENETICS.as_concept()],
        "code": codes.VARIANT_ASSESSMENT.as_concept(),
        "subject": {"reference": f"Patient/{about.subject_id}"},
        "partOf": [{"reference": f"Procedure/{about.study}"}],
        "valueCodeableConcept": codes.PRESENT.as_concept(),
        "component": components,
    }
    if about.effective is not None:
        observation["effectiveDateTime"] = about.effective
    if about.specimen_id is not None:
        observation["specimen"] = {"identifier": {"value": about.specimen_id}}
    if call.notes:
        observation["note"] = [{"text": text} for text in call.notes]
    return observation


def variant_part(observation: dict[str, Any]) -> str:
    """Return an Observation as the text of a ``variant`` part that follows another part."""
    return f',{{"name":"variant","resource":{orjson.dumps(observation).decode()}}}'


def _concept(code: Coding, value: Coding) -> dict[str, Any]:
    return {"code": code.as_concept(), "valueCodeableConcept": value.as_concept()}


def _range(code: Coding, low: int, high: int) -> dict[str, Any]:
    return {"code": code.as_concept(), "valueRange": {"low": {"value": low}, "high": {"value": high}}}
