"""ConceptMap and CodeSystem of FHIR R4 as JSON, one resource a file.

https://hl7.org/fhir/R4/conceptmap.html: the groups say what the counterparts of codes are, and how they relate.
https://hl7.org/fhir/R4/codesystem.html: names, and a hierarchy that counts only where ``hierarchyMeaning`` is ``is-a``.
A resource is held as a whole and has the cap of other FHIR files.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson

from app.errors import quoted
from app.formats.terminology import CodeMap, Equivalence, IsA, Named, Notes, Statement, TermText

_NO_MAP = ("unmatched", "disjoint")
_DEEPEST = 200
_MEND = "Correct the resource"


def read_concept_map(text: TermText, notes: Notes) -> Iterator[Statement]:
    """Yield the maps of a ConceptMap.

    Raises:
        BadFile: it is none; the message has the path of the element.
    """
    resource = _resource(text, "ConceptMap")
    notes.version = _version(resource)
    for at, group in enumerate(_objects(text, resource, "ConceptMap", "group")):
        path = f"ConceptMap.group[{at}]"
        source_system = text.system(group.get("source"), None, f"{path}.source")
        elements = _objects(text, group, path, "element")
        for number, element in enumerate(elements):
            where = f"{path}.element[{number}]"
            targets = _objects(text, element, where, "target")
            if not targets:
                notes.left_out["codes without a target"] += 1
                continue
            source = (source_system, text.code(element.get("code"), None, f"{where}.code"))
            for which, target in enumerate(targets):
                place = f"{where}.target[{which}]"
                equivalence = _equivalence(text, target, place)
                if equivalence is None:
                    notes.left_out["codes that are said to have no counterpart"] += 1
                    continue
                target_system = text.system(group.get("target"), None, f"{path}.target")
                code = text.code(target.get("code"), None, f"{place}.code")
                display = text.display(target.get("display"), None, f"{place}.display")
                yield CodeMap(source, (target_system, code), equivalence, display)


def _equivalence(text: TermText, target: dict[str, Any], place: str) -> Equivalence | None:
    word = target.get("equivalence")
    if word in _NO_MAP:
        return None
    known = [one for one in Equivalence if one is not Equivalence.INGREDIENT]
    if word not in known:
        words = ", ".join((*known, *_NO_MAP))
        problem = f"{quoted(word)} is no equivalence of FHIR R4" if word else "it is missing"
        text.refuse(problem, None, f"{place}.equivalence", f"Use one of {words}")
    # A map that depends on something else of the patient does not hold for the code alone.
    return Equivalence.RELATED if target.get("dependsOn") or target.get("product") else Equivalence(word)


def read_code_system(text: TermText, notes: Notes) -> Iterator[Statement]:
    """Yield the names and the is-a relations of a CodeSystem.

    Raises:
        BadFile: it is none; the message has the path of the element.
    """
    resource = _resource(text, "CodeSystem")
    notes.version = _version(resource)
    system = text.system(resource.get("url"), None, "CodeSystem.url")
    is_a = resource.get("hierarchyMeaning") == "is-a"
    waiting: list[tuple[dict[str, Any], str | None, str, int]] = [
        (concept, None, f"CodeSystem.concept[{at}]", 1)
        for at, concept in enumerate(_objects(text, resource, "CodeSystem", "concept"))
    ]
    while waiting:
        concept, parent, path, depth = waiting.pop()
        if depth > _DEEPEST:
            text.refuse(f"concepts are nested more than {_DEEPEST} deep", None, path, _MEND)
        code = text.code(concept.get("code"), None, f"{path}.code")
        if display := text.display(concept.get("display"), None, f"{path}.display"):
            yield Named(system, code, display)
        for above in (*([parent] if parent else ()), *_parents(text, concept, path)):
            if is_a:
                yield IsA(system, code, above)
            else:
                notes.left_out["hierarchy that is not said to be is-a"] += 1
        below = _objects(text, concept, path, "concept")
        waiting += [(one, code, f"{path}.concept[{at}]", depth + 1) for at, one in enumerate(below)]


def _parents(text: TermText, concept: dict[str, Any], path: str) -> Iterator[str]:
    """Yield the parents that are given as properties (https://hl7.org/fhir/R4/codesystem.html#defined-props)."""
    for at, one in enumerate(_objects(text, concept, path, "property")):
        if one.get("code") == "parent":
            yield text.code(one.get("valueCode"), None, f"{path}.property[{at}].valueCode")


def _resource(text: TermText, kind: str) -> dict[str, Any]:
    data = text.whole(text.settings.fhir_max_resource_bytes, "OPERON_FHIR_MAX_RESOURCE_BYTES")
    try:
        resource = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        text.refuse(f"it is no JSON ({error.msg})", error.lineno, mend="Give the resource as JSON")
    if not isinstance(resource, dict) or resource.get("resourceType") != kind:
        text.refuse_kind(f"{kind} of FHIR R4")
    return resource


def _version(resource: dict[str, Any]) -> str:
    version = resource.get("version")
    return version if isinstance(version, str) else ""


def _objects(text: TermText, holder: dict[str, Any], path: str, name: str) -> list[dict[str, Any]]:
    found = holder.get(name, [])
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        text.refuse("it is no list of objects", None, f"{path}.{name}", _MEND)
    return found
