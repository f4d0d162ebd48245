"""Elements of FHIR JSON that somebody else wrote, read with their types checked and their path kept for messages.

>>> element_texts({"identifier": [{"value": "a"}]}, "identifier", "value")
['a']
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from app.errors import quoted

Element = Mapping[str, Any]
_KINDS = {str: "text", dict: "an object", list: "an array", int: "a whole number", float: "a number"}


class NotFhir(ValueError):
    """An element is not of the type that FHIR gives it; ``path`` leads to it within the resource."""

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(f"{path}: {problem}")
        self.path = path
        self.problem = problem


@dataclass(frozen=True, slots=True)
class Reference:
    """A reference to another resource: as a text, or by a business identifier (system, value)."""

    text: str | None
    identifier: tuple[str, str] | None


@dataclass(frozen=True, slots=True)
class Code:
    """A coding; the system is empty where none is given."""

    system: str
    code: str


def text_of(element: Element, name: str, path: str = "") -> str | None:
    """Return a text, None where there is none."""
    value = element.get(name)
    if value is None:
        return None
    if not isinstance(value, str) or not value.strip():
        raise NotFhir(_join(path, name), f"it is no {_KINDS[str]}" if not isinstance(value, str) else "it is empty")
    return value


def number_of(element: Element, name: str, path: str = "") -> float | int | None:
    """Return a number, None where there is none."""
    value = element.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise NotFhir(_join(path, name), f"it is no number but {quoted(str(value))}")
    return value


def object_of(element: Element, name: str, path: str = "") -> Element | None:
    """Return an object, None where there is none."""
    value = element.get(name)
    if value is not None and not isinstance(value, dict):
        raise NotFhir(_join(path, name), f"it is not {_KINDS[dict]}")
    return value


def objects_of(element: Element, name: str, path: str = "") -> Iterator[tuple[str, Element]]:
    """Yield (path, object) of an array of objects; one object without an array counts as such."""
    value = element.get(name)
    if value is None:
        return
    where = _join(path, name)
    if isinstance(value, dict):
        yield where, value
        return
    if not isinstance(value, list):
        raise NotFhir(where, f"it is not {_KINDS[list]}")
    for at, entry in enumerate(value):
        if not isinstance(entry, dict):
            raise NotFhir(f"{where}[{at}]", f"it is not {_KINDS[dict]}")
        yield f"{where}[{at}]", entry


def element_texts(element: Element, name: str, member: str, path: str = "") -> list[str]:
    """Return one text of each object of an array, of those that have it."""
    found = (text_of(entry, member, where) for where, entry in objects_of(element, name, path))
    return [text for text in found if text is not None]


def codes_of(concept: Element | None, path: str = "") -> list[Code]:
    """Return the codings of a CodeableConcept that have a code."""
    found = []
    for where, coding in objects_of(concept or {}, "coding", path):
        code = text_of(coding, "code", where)
        if code is not None:
            found.append(Code(text_of(coding, "system", where) or "", code.strip()))
    return found


def identifiers_of(resource: Element, path: str = "") -> list[tuple[str, str]]:
    """Return the business identifiers of a resource as (system, value)."""
    found = []
    for where, identifier in objects_of(resource, "identifier", path):
        value = text_of(identifier, "value", where)
        if value is not None:
            found.append((text_of(identifier, "system", where) or "", value.strip()))
    return found


def reference_of(element: Element | None, path: str = "") -> Reference | None:
    """Return a reference, None where it names nothing."""
    if element is None:
        return None
    text = text_of(element, "reference", path)
    identifiers = identifiers_of(element, path)
    if text is None and not identifiers:
        return None
    return Reference(text.strip() if text else None, identifiers[0] if identifiers else None)


def references_of(element: Element, name: str, path: str = "") -> list[Reference]:
    """Return the references of an array."""
    found = (reference_of(entry, where) for where, entry in objects_of(element, name, path))
    return [reference for reference in found if reference is not None]


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
