"""Implications and molecular consequences as FHIR Observations.

Profiles: https://build.fhir.org/ig/HL7/genomics-reporting/StructureDefinition-diagnostic-implication.html,
StructureDefinition-therapeutic-implication.html and StructureDefinition-molecular-consequence.html. What a source
leaves out is left out here; its own phrases stay as they are, beside the code where there is one. Every resource names
the release of knowledge that it comes from, or the program that computed it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Final

import orjson

from app.fhir import codes
from app.fhir.codes import Coding
from app.fhir.tokens import canonical_system
from app.formats.knowledge import Concept

_CATEGORY: Final = [codes.LABORATORY.as_concept(), codes.GENETICS.as_concept()]
_STARS: Final = MappingProxyType(
    {
        "practice guideline": "4-star",
        "reviewed by expert panel": "3-star",
        "criteria provided, multiple submitters, no conflicts": "2-star",
        "criteria provided, conflicting classifications": "1-star",
        "criteria provided, single submitter": "1-star",
        "no assertion criteria provided": "no-star",
        "no classification provided": "no-star",
        "no classification for the individual variant": "no-star",
        "no assertion provided": "no-star",
    }
)
"""Review status to its stars (https://www.ncbi.nlm.nih.gov/clinvar/docs/review_status/)"""

_METABOLIZER = re.compile(r"(?:[A-Za-z0-9-]+ )?(Ultrarapid|Rapid|Normal|Intermediate|Poor) Metabolizer", re.IGNORECASE)
_FUNCTION = re.compile(r"(?:[A-Za-z0-9-]+ )?(Increased|Normal|Decreased|Poor) Function", re.IGNORECASE)
_METABOLIZERS: Final = MappingProxyType(
    {
        "ultrarapid": Coding(codes.LOINC, "LA10315-2", "Ultrarapid metabolizer"),
        "rapid": Coding(codes.LOINC, "LA25390-8", "Rapid metabolizer"),
        "normal": Coding(codes.LOINC, "LA25391-6", "Normal metabolizer"),
        "intermediate": Coding(codes.LOINC, "LA10317-8", "Intermediate metabolizer"),
        "poor": Coding(codes.LOINC, "LA9657-3", "Poor metabolizer"),
    }
)
_FUNCTIONS: Final = MappingProxyType(
    {
        "increased": Coding(codes.LOINC, "LA25392-4", "Increased function"),
        "normal": Coding(codes.LOINC, "LA25393-2", "Normal function"),
        "decreased": Coding(codes.LOINC, "LA25395-7", "Decreased function"),
        "poor": Coding(codes.LOINC, "LA25394-0", "Poor function"),
    }
)
_RESPONSES: Final = MappingProxyType(
    {
        "supports sensitivity/response": Coding(codes.LOINC, "LA6677-4", "Responsive"),
        "supports resistance": Coding(codes.LOINC, "LA6676-6", "Resistant"),
    }
)


@dataclass(frozen=True, slots=True)
class Implied:
    """What all three kinds of resource say: of whom, derived from which findings, and by which knowledge."""

    id: str
    subject_id: str
    derived_from: Sequence[str]
    """Ids of Observations"""
    knowledge_base: str = ""
    """Release that it comes from"""
    pipeline: str = ""
    """Program that computed it"""
    identifiers: Sequence[tuple[str, str]] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class ConsequenceFacts:
    """What a molecular consequence says."""

    coding_hgvs: str = ""
    transcript: str = ""
    protein_hgvs: str = ""
    terms: Sequence[Concept] = field(default=())
    effects: Sequence[Concept] = field(default=())
    impact: str = ""


def render_diagnostic(
    implied: Implied, significance: Concept | None, phenotypes: Sequence[Concept], evidence: str
) -> str:
    """Return a diagnostic implication."""
    components = []
    if significance is not None:
        components.append(_component(codes.CLINICAL_SIGNIFICANCE, _concept(significance)))
    components += [_component(codes.PREDICTED_PHENOTYPE, _concept(phenotype)) for phenotype in phenotypes]
    components += _evidence(evidence)
    return _observation(implied, codes.DIAGNOSTIC_PROFILE, codes.DIAGNOSTIC_IMPLICATION, components)


def render_therapeutic(
    implied: Implied,
    effect: Concept | None,
    contexts: Sequence[Concept],
    medications: Sequence[Concept],
    evidence: str,
    *,
    ref: bool,
) -> str:
    """Return a therapeutic implication.

    ``ref`` words it as the reference implementation does: its code of the component first, and the effect as a text.
    """
    components = [_component(codes.TREATMENT_CONTEXT, _concept(context)) for context in contexts]
    components += _evidence(evidence)
    components += [_component(codes.MEDICATION_ASSESSED, _concept(medication)) for medication in medications]
    if effect is not None:
        coded = [codes.THERAPEUTIC_IMPLICATION.as_json()]
        if ref:
            coded.insert(0, codes.PREDICTED_THERAPEUTIC_IMPLICATION.as_json())
        value = {"text": effect.display} if ref and effect.display else _therapeutic(effect)
        components.append({"code": {"coding": coded}, "valueCodeableConcept": value})
    return _observation(implied, codes.THERAPEUTIC_PROFILE, codes.THERAPEUTIC_IMPLICATION, components)


def render_consequence(implied: Implied, facts: ConsequenceFacts, *, ref: bool) -> str:
    """Return a molecular consequence.

    Terms that hold together are codings of one component, as the guide has it. The guide takes no name of a change
    without its accession; one that a source leaves bare is told in words. ``ref`` is as the reference implementation
    has it: a component for each term, and a bare name in its place as a text.
    """
    names = (
        (codes.CODING_HGVS, facts.coding_hgvs, codes.HGVS),
        (codes.TRANSCRIPT_REF_SEQ, facts.transcript, _sequence_system(facts.transcript)),
        (codes.PROTEIN_HGVS, facts.protein_hgvs, codes.HGVS),
    )
    bare = [(code, text) for code, text, system in names if text and system == codes.HGVS and ":" not in text]
    components = [
        _component(code, {"text": text} if (code, text) in bare else Coding(system, text, text).as_concept())
        for code, text, system in names
        if text and (ref or (code, text) not in bare)
    ]
    if bare and not ref:
        told = [f"{code.display}: {text}, without a reference sequence" for code, text in bare]
        implied = replace(implied, note="; ".join(filter(None, (implied.note, *told))))
    if ref:
        components += [_component(codes.FEATURE_CONSEQUENCE, _concept(term)) for term in facts.terms]
    elif facts.terms:
        components.append(_component(codes.FEATURE_CONSEQUENCE, _joined(facts.terms)))
    if facts.effects:
        components.append(_component(codes.FUNCTIONAL_EFFECT, _joined(facts.effects)))
    interpretation = [{"text": facts.impact}] if facts.impact else []
    return _observation(
        implied, codes.CONSEQUENCE_PROFILE, codes.MOLECULAR_CONSEQUENCE, components, interpretation=interpretation
    )


def as_parameter(name: str, resource: str) -> list[str]:
    """Return a resource as the pieces of a parameter of its own."""
    return [f'{{"name":"{name}","resource":', resource, "}"]


def _evidence(text: str) -> list[dict[str, Any]]:
    if not text:
        return []
    value: dict[str, Any] = {"text": text}
    if text in _STARS:
        value["coding"] = [Coding(codes.CLINVAR_STARS, _STARS[text], _STARS[text]).as_json()]
    return [_component(codes.EVIDENCE_LEVEL, value)]


def _therapeutic(effect: Concept) -> dict[str, Any]:
    """Return the effect on a therapy with the source's phrase as its text, and the code that the phrase stands for."""
    value = _concept(effect) if effect.code else {}
    phrase = effect.display
    if not effect.code and (coding := _therapeutic_coding(phrase)) is not None:
        value = coding.as_concept()
    if phrase:
        value["text"] = phrase
    return value


def _therapeutic_coding(phrase: str) -> Coding | None:
    if (match := _METABOLIZER.fullmatch(phrase)) is not None:
        return _METABOLIZERS[match[1].lower()]
    if (match := _FUNCTION.fullmatch(phrase)) is not None:
        return _FUNCTIONS[match[1].lower()]
    return _RESPONSES.get(phrase.lower())


def _concept(concept: Concept) -> dict[str, Any]:
    """Return a CodeableConcept: a coding where there is a code, else the text."""
    if not concept.code:
        return {"text": concept.display}
    coding = {"code": concept.code}
    if concept.system:
        coding = {"system": canonical_system(concept.system), **coding}
    if concept.display:
        coding["display"] = concept.display
    return {"coding": [coding]}


def _joined(concepts: Sequence[Concept]) -> dict[str, Any]:
    """Return one CodeableConcept of several concepts."""
    parts = [_concept(concept) for concept in concepts]
    coded = [coding for part in parts for coding in part.get("coding", ())]
    texts = [part["text"] for part in parts if "text" in part]
    return {**({"coding": coded} if coded else {}), **({"text": ", ".join(texts)} if texts else {})}


def _sequence_system(accession: str) -> str:
    return codes.ENSEMBL if accession.startswith("ENS") else codes.REFSEQ


def _component(code: Coding, value: dict[str, Any]) -> dict[str, Any]:
    return {"code": code.as_concept(), "valueCodeableConcept": value}


def _observation(
    implied: Implied,
    profile: str,
    code: Coding,
    components: list[dict[str, Any]],
    *,
    interpretation: Sequence[dict[str, Any]] = (),
) -> str:
    for origin, text in ((codes.KNOWLEDGE_BASE, implied.knowledge_base), (codes.ANNOTATION_PIPELINE, implied.pipeline)):
        if text:
            components.append(_component(origin, {"text": text}))
    if implied.note:
        components.append({"code": codes.CONCLUSION.as_concept(), "valueString": implied.note})
    resource: dict[str, Any] = {
        "resourceType": "Observation",
        "id": implied.id,
        "meta": {"profile": [profile]},
    }
    if implied.identifiers:
        resource["identifier"] = [{"system": system, "value": value} for system, value in implied.identifiers]
    resource |= {
        "status": "final",
        "category": _CATEGORY,
        "code": code.as_concept(),
        "subject": {"reference": f"Patient/{implied.subject_id}"},
    }
    if interpretation:
        resource["interpretation"] = list(interpretation)
    resource["derivedFrom"] = [{"reference": f"Observation/{id_}"} for id_ in implied.derived_from]
    resource["component"] = components
    return orjson.dumps(resource).decode()
