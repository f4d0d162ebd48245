"""What our extension of a structural Observation carries: everything of a call that its profile has no place for.

Positions are zero-based, half-open.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from app.fhir.elements import Element, NotFhir
from app.fhir.extensions import ExactCall, call_extension, call_in, integer_part, parts_of, text_part
from app.formats.genotype import Genotype
from app.records import Zygosity

STRUCTURAL: Final = "urn:operon:fhir:structural"

_LONGEST_NAME = 200
_NO_GENOTYPE = "."


@dataclass(frozen=True, slots=True)
class StructuralNote:
    """A structural call beyond its profile; ``length`` is -1 and a text empty where there is none.

    ``alt`` and ``copy_number`` are empty where components show them.
    """

    call: ExactCall
    start: int
    end: int
    alt: str
    length: int
    imprecise: bool
    name: str
    mate: str
    event: str
    copy_number: str


def structural_extension(note: StructuralNote) -> dict[str, Any]:
    """Return what a structural call has beyond its profile as an extension."""
    parts: list[dict[str, Any]] = [*call_extension(note.call)["extension"]]
    parts += [{"url": "start", "valueInteger": note.start}, {"url": "end", "valueInteger": note.end}]
    if note.length >= 0:
        parts.append({"url": "length", "valueInteger": note.length})
    if note.imprecise:
        parts.append({"url": "imprecise", "valueBoolean": True})
    texts = (
        ("alt", note.alt), ("id", note.name), ("mateId", note.mate), ("event", note.event),
        ("copyNumber", note.copy_number),
    )  # fmt: skip
    parts += [{"url": name, "valueString": text} for name, text in texts if text]
    return {"url": STRUCTURAL, "extension": parts}


def read_structural_note(resource: Element) -> StructuralNote | None:
    """Return what a structural Observation carries exactly, None where it carries nothing; raises NotFhir."""
    found = parts_of(resource, STRUCTURAL)
    if found is None:
        return None
    path, parts = found
    start, end, length = (integer_part(parts, name, path, absent=-1) for name in ("start", "end", "length"))
    if not 0 <= start <= end:
        raise NotFhir(path, "start and end are no interval")
    imprecise = parts.get("imprecise", False)
    if not isinstance(imprecise, bool):
        raise NotFhir(path, "imprecise is neither true nor false")
    alt = parts.get("alt", "")
    if not isinstance(alt, str) or any(letter.isspace() for letter in alt):
        raise NotFhir(path, "alt is no allele")
    names = [text_part(parts, name, path) or "" for name in ("id", "mateId", "event", "copyNumber")]
    if any(len(name) > _LONGEST_NAME for name in names):
        raise NotFhir(path, f"a name is longer than {_LONGEST_NAME} letters")
    if text_part(parts, "genotype", path) == _NO_GENOTYPE:
        # A number of copies told of the event, no genotype did.
        genotype = Genotype(_NO_GENOTYPE, 1, Zygosity.UNKNOWN, phased=False)
        call = ExactCall(genotype, filter=text_part(parts, "filter", path) or "PASS")
    else:
        call = call_in(path, parts)
    name, mate, event, copy_number = names
    return StructuralNote(call, start, end, alt, length, imprecise, name, mate, event, copy_number)
