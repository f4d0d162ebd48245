"""What an Observation of the variant profile states: the change in each way that it is written, and the call.

Profile: https://build.fhir.org/ig/HL7/genomics-reporting/StructureDefinition-variant.html. Nothing is decided here:
where a change lies, and whether its representations agree, says ``app.fhir.agreement``. Positions are zero-based,
half-open once they are read: what an Observation counts otherwise (LOINC 92822-6) is translated here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final, TypeVar

from app.errors import quoted
from app.fhir import codes
from app.fhir.elements import Element, NotFhir, codes_of, number_of, object_of, objects_of, text_of
from app.fhir.extensions import ExactCall, read_call
from app.records import Build, SourceClass, Zygosity
from app.variants.spdi import Spdi

_BASES = re.compile(r"[ACGTN]*")
_NOTHING = ("-", ".")
_LARGEST_POSITION = 2**31
_T = TypeVar("_T")


class Presence(Enum):
    """What the value of a variant Observation says."""

    PRESENT = "present"
    ABSENT = "absent"
    NO_CALL = "no call"
    INDETERMINATE = "indeterminate"
    UNSTATED = "unstated"


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why an Observation is not stored: the code of the reason, and what a person needs to mend it."""

    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class StatedVariant:
    """The change as it is written, each way in the order of the Observation, and the call.

    ``record`` is REF, ALT and exact-start-end. ``unplaced`` says why there are parts of a record that cannot be read as
    one. ``others`` are ways to name a variant that no change follows from.
    """

    presence: Presence
    structural: bool
    ref_seq: str | None
    build: Build | None
    record: Spdi | None
    unplaced: Refusal | None
    spdis: tuple[str, ...]
    genomic: tuple[str, ...]
    coding: tuple[str, ...]
    others: tuple[str, ...]
    source_class: SourceClass | None
    state: Zygosity | None
    frequency: float | None
    alt_depth: int
    exact: ExactCall | None
    dropped: tuple[str, ...]
    """Reasons of values that were left out of a call that is stored"""


_PRESENCE: Final = {
    codes.PRESENT.code: Presence.PRESENT,
    codes.ABSENT.code: Presence.ABSENT,
    codes.NO_CALL.code: Presence.NO_CALL,
    codes.INDETERMINATE.code: Presence.INDETERMINATE,
}
_STATES: Final = {coding.code: zygosity for zygosity, coding in codes.ALLELIC_STATE.items()}
_CLASSES: Final = {coding.code: source_class for source_class, coding in codes.SOURCE_CLASS.items()}
_BUILDS: Final = {coding.code: build for build, coding in codes.ASSEMBLY.items()}
_INTERVAL, _CHARACTER, _CHARACTER_1BASED = "LA30100-4", "LA30101-2", "LA30102-0"
_STRUCTURAL: Final = (codes.OUTER_START_END.code, codes.INNER_START_END.code)
_ONCE: Final = (
    codes.GENOMIC_REF_SEQ,
    codes.ALLELIC_STATE_COMPONENT,
    codes.GENOMIC_SOURCE_CLASS,
    codes.REF_ALLELE,
    codes.ALT_ALLELE,
    codes.COORDINATE_SYSTEM,
    codes.EXACT_START_END,
    codes.OUTER_START_END,
    codes.INNER_START_END,
    codes.COPY_NUMBER,
    codes.VARIATION_CODE,
    codes.GENOMIC_HGVS,
    codes.REPRESENTATIVE_CODING_HGVS,
    codes.REPRESENTATIVE_TRANSCRIPT_REF_SEQ,
    codes.SAMPLE_ALLELIC_FREQUENCY,
    codes.ALLELIC_READ_DEPTH,
)
"""Components of which the profile allows one"""

_CYTOGENOMIC: Final = "81291-7"
Parts = Mapping[str, tuple[str, Element]]


def read_variant_observation(resource: Element) -> StatedVariant | Refusal:
    """Return what a variant Observation states.

    Raises:
        NotFhir: an element is not of its type.
    """
    parts = components_of(resource)
    if isinstance(parts, Refusal):
        return parts
    spdis, genomic, coding, others = _named(parts)
    record, unplaced, ref_seq = _record(parts)
    source_class = _first(parts, codes.GENOMIC_SOURCE_CLASS.code, _CLASSES)
    state = _first(parts, codes.ALLELIC_STATE_COMPONENT.code, _STATES)
    exact = read_call(resource)
    dropped: list[str] = []
    return StatedVariant(
        presence=_presence(resource),
        structural=any(code in parts for code in _STRUCTURAL),
        ref_seq=ref_seq,
        build=_first(parts, codes.REFERENCE_SEQUENCE_ASSEMBLY.code, _BUILDS),
        record=record,
        unplaced=unplaced,
        spdis=spdis,
        genomic=genomic,
        coding=coding,
        others=others,
        source_class=source_class,
        state=state,
        frequency=_frequency(parts, dropped),
        alt_depth=_depth(parts, dropped),
        exact=exact,
        dropped=tuple(dropped),
    )


def components_of(resource: Element) -> dict[str, tuple[str, Element]] | Refusal:
    """Return (path, component) by LOINC code; a Refusal where one that may stand once is stated twice, differently."""
    found: dict[str, tuple[str, Element]] = {}
    once = {code.code for code in _ONCE}
    for path, component in objects_of(resource, "component"):
        for code in codes_of(object_of(component, "code", path), f"{path}.code"):
            if code.system != codes.LOINC:
                continue
            if code.code in found and code.code in once and _value(found[code.code][1]) != _value(component):
                return Refusal("contradiction", f"{found[code.code][0]} and {path}, both {code.code}, differ")
            found.setdefault(code.code, (path, component))
    return found


def _value(component: Element) -> dict[str, object]:
    return {name: value for name, value in component.items() if name.startswith("value")}


def _presence(resource: Element) -> Presence:
    for code in codes_of(object_of(resource, "valueCodeableConcept"), "valueCodeableConcept"):
        if code.system == codes.LOINC and code.code in _PRESENCE:
            return _PRESENCE[code.code]
    return Presence.UNSTATED


def codings_of(parts: Parts, code: str) -> list[tuple[str, str]]:
    """Return (system, code) of the codings of a component's value."""
    if code not in parts:
        return []
    path, component = parts[code]
    where = f"{path}.valueCodeableConcept"
    found = codes_of(object_of(component, "valueCodeableConcept", path), where)
    return [(coding.system, coding.code) for coding in found]


def _first(parts: Parts, code: str, known: Mapping[str, _T]) -> _T | None:
    values = (value for system, value in codings_of(parts, code) if system == codes.LOINC)
    return next((known[value] for value in values if value in known), None)


def _named(parts: Parts) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """Return SPDIs, genomic HGVS, HGVS along transcripts, and names that no change follows from."""
    spdis: list[str] = []
    genomic: list[str] = []
    coding: list[str] = []
    others: list[str] = []
    for system, code in codings_of(parts, codes.VARIATION_CODE.code):
        if code.count(":") == 3:
            spdis.append(code)
        elif system == codes.HGVS and code.count(":") == 1:
            (genomic if code.upper().startswith("NC_") else coding).append(code)
        else:
            others.append(f"{system} {code}".strip())
    genomic += [code for _, code in codings_of(parts, codes.GENOMIC_HGVS.code) if code.count(":") == 1]
    transcripts = [code for _, code in codings_of(parts, codes.REPRESENTATIVE_TRANSCRIPT_REF_SEQ.code)]
    for _, code in codings_of(parts, codes.REPRESENTATIVE_CODING_HGVS.code):
        if ":" in code:
            coding.append(code)
        elif transcripts:
            coding.append(f"{transcripts[0]}:{code}")
    for component in (codes.REPRESENTATIVE_PROTEIN_HGVS.code, _CYTOGENOMIC):
        others += [code for _, code in codings_of(parts, component)]
    unread = [code for code in coding if ":p." in code]
    coding = [code for code in coding if code not in unread]
    return tuple(spdis), tuple(genomic), tuple(coding), (*others, *unread)


def _record(parts: Parts) -> tuple[Spdi | None, Refusal | None, str | None]:
    """Return REF, ALT and their place as a change, or why they are none, and the reference sequence."""
    ref_seq = next((code.upper() for _, code in codings_of(parts, codes.GENOMIC_REF_SEQ.code)), None)
    ref, alt = (allele_of(parts, code) for code in (codes.REF_ALLELE.code, codes.ALT_ALLELE.code))
    place = place_of(parts, codes.EXACT_START_END.code)
    if ref is None or alt is None or place is None:
        return None, None, ref_seq
    for name, allele in (("REF", ref), ("ALT", alt)):
        if _BASES.fullmatch(allele) is None:
            return None, Refusal("letters", f"{name} {quoted(allele[:40])} is no sequence of A, C, G, T and N"), ref_seq
    if ref_seq is None:
        return None, Refusal("no-sequence", "no genomic reference sequence (48013-7) says where REF and ALT lie"), None
    if isinstance(place, Refusal):
        return None, place, ref_seq
    start, end = place
    if start < 0:
        return None, Refusal("unreadable", "81254-5 begins before the first base"), ref_seq
    if end is not None and end - start != len(ref) and not (end == start and _is_insertion(ref, alt)):
        shown = f"81254-5 spans {end - start} bases, REF (69547-8) has {len(ref)}"
        return None, Refusal("contradiction", shown), ref_seq
    return Spdi(ref_seq, start, ref, alt), None, ref_seq


def _is_insertion(ref: str, alt: str) -> bool:
    return len(alt) > len(ref) and alt.startswith(ref)


def allele_of(parts: Parts, code: str) -> str | None:
    """Return an allele in capitals, empty where it is a dash or a dot, None where it is not stated."""
    if code not in parts:
        return None
    path, component = parts[code]
    text = text_of(component, "valueString", path)
    if text is None:
        return None
    text = text.strip().upper()
    return "" if text in _NOTHING else text


def place_of(parts: Parts, code: str) -> tuple[int, int | None] | Refusal | None:
    """Return [start, end) of a component with a range, end None where it is not stated; None without a place."""
    if code not in parts:
        return None
    path, component = parts[code]
    where = f"{path}.valueRange"
    value = object_of(component, "valueRange", path) or {}
    low, high = (_whole(value, name, where) for name in ("low", "high"))
    if low is None:
        return None
    systems = [code for system, code in codings_of(parts, codes.COORDINATE_SYSTEM.code) if system == codes.LOINC]
    if not systems:
        return Refusal("no-coordinates", f"no coordinate system (92822-6) says how {code} counts")
    if systems[0] == _INTERVAL:
        return low, high
    if systems[0] == _CHARACTER:
        return low, None if high is None else high + 1
    if systems[0] == _CHARACTER_1BASED:
        low_1based = low
        return low_1based - 1, high
    return Refusal("no-coordinates", f"the coordinate system {quoted(systems[0])} is not known")


def _whole(value: Element, name: str, path: str) -> int | None:
    quantity = object_of(value, name, path)
    number = number_of(quantity or {}, "value", f"{path}.{name}")
    if number is None:
        return None
    if number != int(number) or not 0 <= number <= _LARGEST_POSITION:
        raise NotFhir(f"{path}.{name}.value", "it is no position on a chromosome")
    return int(number)


def _frequency(parts: Parts, dropped: list[str]) -> float | None:
    value = quantity_of(parts, codes.SAMPLE_ALLELIC_FREQUENCY.code)
    if value is None:
        return None
    number, unit = value
    share = number / 100 if unit == "%" else number
    if 0 <= share <= 1:
        return float(share)
    dropped.append("frequency")
    return None


def _depth(parts: Parts, dropped: list[str]) -> int:
    value = quantity_of(parts, codes.ALLELIC_READ_DEPTH.code)
    if value is None:
        return -1
    if value[0] == int(value[0]) and 0 <= value[0] < 2**31:
        return int(value[0])
    dropped.append("depth")
    return -1


def quantity_of(parts: Parts, code: str) -> tuple[float, str | None] | None:
    """Return the number and the unit of a component with a quantity, None where it is not stated."""
    if code not in parts:
        return None
    path, component = parts[code]
    where = f"{path}.valueQuantity"
    quantity = object_of(component, "valueQuantity", path) or {}
    number = number_of(quantity, "value", where)
    return None if number is None else (number, text_of(quantity, "code", where))
