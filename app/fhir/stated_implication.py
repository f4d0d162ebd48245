"""Implications and molecular consequences that a report states, read from Observations and written again.

Profiles: those of ``app.fhir.implication``. What the report says stays as it says it: the elements of ``_ELEMENTS`` and
all components are kept. Only what this program decides is written anew: id, profile, category, subject and
``derivedFrom``, and the codes of known components, which are spelled in several ways.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

import orjson

from app.fhir import codes
from app.fhir.codes import Coding
from app.fhir.elements import Element, NotFhir, Reference, codes_of, object_of, objects_of, references_of, text_of
from app.fhir.tokens import is_same_system
from app.formats.knowledge import Concept, ItemKind

KINDS: Final = MappingProxyType(
    {
        "diagnostic-implication": ItemKind.DIAGNOSTIC,
        "therapeutic-implication": ItemKind.THERAPEUTIC,
        "molecular-consequence": ItemKind.CONSEQUENCE,
        "molecular-consequences": ItemKind.CONSEQUENCE,
    }
)
"""Kind by code; the last one is the reference implementation's"""

_CODES: Final = MappingProxyType(
    {
        ItemKind.DIAGNOSTIC: (codes.DIAGNOSTIC_IMPLICATION, codes.DIAGNOSTIC_PROFILE),
        ItemKind.THERAPEUTIC: (codes.THERAPEUTIC_IMPLICATION, codes.THERAPEUTIC_PROFILE),
        ItemKind.CONSEQUENCE: (codes.MOLECULAR_CONSEQUENCE, codes.CONSEQUENCE_PROFILE),
    }
)
_CATEGORY: Final = [codes.LABORATORY.as_concept(), codes.GENETICS.as_concept()]
_COMMON: Final = (codes.EVIDENCE_LEVEL, codes.KNOWLEDGE_BASE, codes.ANNOTATION_PIPELINE, codes.CONCLUSION)
_COMPONENTS: Final = MappingProxyType(
    {
        ItemKind.DIAGNOSTIC: (*_COMMON, codes.CLINICAL_SIGNIFICANCE, codes.PREDICTED_PHENOTYPE),
        ItemKind.THERAPEUTIC: (
            *_COMMON, codes.TREATMENT_CONTEXT, codes.MEDICATION_ASSESSED, codes.THERAPEUTIC_IMPLICATION,
        ),
        ItemKind.CONSEQUENCE: (
            *_COMMON, codes.CODING_HGVS, codes.TRANSCRIPT_REF_SEQ, codes.PROTEIN_HGVS, codes.FEATURE_CONSEQUENCE,
            codes.FUNCTIONAL_EFFECT,
        ),
    }
)  # fmt: skip
_ROLES: Final = MappingProxyType(
    {
        ItemKind.DIAGNOSTIC: ((codes.PREDICTED_PHENOTYPE, "CONDITION"),),
        ItemKind.THERAPEUTIC: ((codes.TREATMENT_CONTEXT, "CONDITION"), (codes.MEDICATION_ASSESSED, "MEDICATION")),
        ItemKind.CONSEQUENCE: ((codes.FEATURE_CONSEQUENCE, "TERM"),),
    }
)
_ELEMENTS: Final = (
    "extension", "status", "effectiveDateTime", "effectivePeriod", "issued", "dataAbsentReason", "interpretation",
    "method",
)  # fmt: skip
"""Elements that are kept whole; of identifiers, notes and performers a part is"""
_NOTE: Final = ("text", "time")
_DEEPEST: Final = 40


@dataclass(frozen=True, slots=True)
class ReadImplication:
    """What an Observation states, and the Observations that it is derived from."""

    kind: ItemKind
    body: str
    """JSON of the elements that are kept"""
    concepts: tuple[tuple[str, Concept], ...]
    """What questions ask by, each with its role: CONDITION, MEDICATION or TERM"""
    derived_from: tuple[Reference, ...]
    lost_references: bool
    """References to other resources were left out: nothing here could follow them"""


@dataclass(frozen=True, slots=True)
class Incomplete:
    """Why an Observation states nothing that could be kept: the code of the reason, and the details."""

    reason: str
    detail: str


def kind_of(resource: Element) -> ItemKind | Incomplete | None:
    """Return what kind of implication an Observation is, None if it is none."""
    found: ItemKind | Incomplete | None = None
    for code in codes_of(object_of(resource, "code"), "code"):
        if code.code not in KINDS:
            continue
        if is_same_system(code.system, codes.TBD_CODES):
            return KINDS[code.code]
        found = Incomplete("implication-system", f"{code.code} is of {code.system or 'no system'}")
    return found


def read_implication_observation(resource: Element, kind: ItemKind) -> ReadImplication | Incomplete:
    """Return what an Observation of a kind states.

    Raises:
        NotFhir: an element is not of its type.
    """
    if resource.get("modifierExtension"):
        return Incomplete("implication-modifier", "modifierExtension")
    derived = tuple(references_of(resource, "derivedFrom"))
    if not derived:
        return Incomplete("implication-underived", "there is no derivedFrom")
    components = [_component(kind, path, component) for path, component in objects_of(resource, "component")]
    stated = [one for one in components if any(name.startswith("value") for name in one)]
    if not stated and not any(name.startswith("value") for name in resource) and not resource.get("interpretation"):
        return Incomplete("implication-empty", "no component has a value")
    body: dict[str, Any] = {name: resource[name] for name in _ELEMENTS if name in resource}
    body |= {name: value for name, value in resource.items() if name.startswith("value")}
    body["identifier"] = [
        {name: text for name in ("system", "value") if (text := text_of(identifier, name, path)) is not None}
        for path, identifier in objects_of(resource, "identifier")
    ]
    body["note"] = [
        {name: note[name] for name in _NOTE if name in note}
        for _, note in objects_of(resource, "note")
        if "text" in note
    ]
    body["performer"] = [
        {"display": display}
        for path, performer in objects_of(resource, "performer")
        if (display := text_of(performer, "display", path)) is not None
    ]
    body["component"] = components
    for name, value in body.items():
        if _is_deep(value):
            raise NotFhir(name, f"its elements are nested more than {_DEEPEST} deep")
    kept = _without_references(body)
    text = orjson.dumps({name: value for name, value in kept.items() if value}, option=orjson.OPT_SORT_KEYS).decode()
    return ReadImplication(kind, text, tuple(_concepts(kind, kept["component"])), derived, kept != body)


def render_stated(
    kind: ItemKind,
    body: str,
    *,
    id_: str,
    subject_id: str,
    derived_from: Sequence[str],
    origin: str = "",
    ref: bool = False,
) -> str:
    """Return the Observation of a statement.

    ``origin`` stands for the knowledge base of one that names none itself; ``ref`` puts the code first that the
    reference implementation has for an effect on a therapy.
    """
    code, profile = _CODES[kind]
    said: dict[str, Any] = orjson.loads(body)
    components = said.pop("component", [])
    if ref:
        components = [_as_reference(component) for component in components]
    if origin and not any(_has(component, codes.KNOWLEDGE_BASE) for component in components):
        components.append({"code": codes.KNOWLEDGE_BASE.as_concept(), "valueCodeableConcept": {"text": origin}})
    resource: dict[str, Any] = {"resourceType": "Observation", "id": id_, "meta": {"profile": [profile]}}
    resource |= {name: said.pop(name) for name in ("extension", "identifier") if name in said}
    resource |= {
        "status": said.pop("status"),
        "category": _CATEGORY,
        "code": code.as_concept(),
        "subject": {"reference": f"Patient/{subject_id}"},
        **said,
        "derivedFrom": [{"reference": f"Observation/{one}"} for one in derived_from],
    }
    if components:
        resource["component"] = components
    return orjson.dumps(resource).decode()


def _component(kind: ItemKind, path: str, component: Element) -> dict[str, Any]:
    """Return a component with the code that a known one has here, and those that it has besides."""
    concept = object_of(component, "code", path)
    if concept is None:
        raise NotFhir(f"{path}.code", "there is none")
    listed = [coding for _, coding in objects_of(concept, "coding", f"{path}.code")]
    known = next((code for code in _COMPONENTS[kind] if any(_is(coding, code) for coding in listed)), None)
    if known is None:
        return dict(component)
    others = [coding for coding in listed if not _is(coding, known)]
    return {**component, "code": {**concept, "coding": [known.as_json(), *others]}}


def _is(coding: Element, code: Coding) -> bool:
    named = coding.get("code")
    same = (code.code, codes.PREDICTED_THERAPEUTIC_IMPLICATION.code if code is codes.THERAPEUTIC_IMPLICATION else "")
    return named in same and bool(named) and is_same_system(str(coding.get("system") or ""), code.system)


def _has(component: Mapping[str, Any], code: Coding) -> bool:
    return any(_is(coding, code) for coding in component["code"].get("coding", ()))


def _as_reference(component: dict[str, Any]) -> dict[str, Any]:
    if not _has(component, codes.THERAPEUTIC_IMPLICATION):
        return component
    concept = component["code"]
    return {
        **component,
        "code": {**concept, "coding": [codes.PREDICTED_THERAPEUTIC_IMPLICATION.as_json(), *concept["coding"]]},
    }


def _concepts(kind: ItemKind, components: Sequence[Mapping[str, Any]]) -> list[tuple[str, Concept]]:
    """Return what questions ask by: codings, and texts as concepts without a code."""
    found: dict[tuple[str, Concept], None] = {}
    for at, component in enumerate(components):
        roles = [role for code, role in _ROLES[kind] if _has(component, code)]
        path = f"component[{at}]"
        for role in roles:
            value = object_of(component, "valueCodeableConcept", path) or {}
            where = f"{path}.valueCodeableConcept"
            for inside, coding in objects_of(value, "coding", where):
                system, code, display = (text_of(coding, name, inside) or "" for name in ("system", "code", "display"))
                if code or display:
                    found[role, Concept(system, code, display)] = None
            for text in (text_of(value, "text", where), text_of(component, "valueString", path)):
                if text is not None:
                    found[role, Concept("", "", text)] = None
    return list(found)


def _is_deep(value: Any) -> bool:
    """Return whether JSON is nested deeper than anything that a report says; it may be too deep to be walked."""
    level, depth = [value], 0
    while level and depth <= _DEEPEST:
        inside = [one.values() if isinstance(one, dict) else one for one in level if isinstance(one, dict | list)]
        level, depth = [member for members in inside for member in members], depth + 1
    return bool(level)


def _without_references(value: Any) -> Any:
    """Return JSON without extensions that refer to resources."""
    if isinstance(value, list):
        return [_without_references(one) for one in value]
    if not isinstance(value, dict):
        return value
    kept: dict[str, Any] = {}
    for name, member in value.items():
        if name == "extension" and isinstance(member, list):
            extensions = [_without_references(one) for one in member if not _refers(one)]
            if extensions:
                kept[name] = extensions
        else:
            kept[name] = _without_references(member)
    return kept


def _refers(value: Any) -> bool:
    if isinstance(value, list):
        return any(map(_refers, value))
    return isinstance(value, dict) and (
        "reference" in value or "valueReference" in value or any(map(_refers, value.values()))
    )
