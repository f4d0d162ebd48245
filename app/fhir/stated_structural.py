"""What an Observation states of a structural variant: its kind, how far it reaches, its alleles, and the call.

The outer interval (81301-4) certainly holds the event, the inner one (81302-2) is certainly held by it. Neither says
what is most likely: without our extension the nominal interval is exact-start-end (81254-5), else the inner one, else
the outer one. Positions are zero-based, half-open once they are read.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from app.errors import OperonError, quoted
from app.fhir import codes
from app.fhir.elements import Element, NotFhir
from app.fhir.extensions import ExactCall
from app.fhir.stated import (
    Parts,
    Refusal,
    StatedVariant,
    allele_of,
    codings_of,
    components_of,
    place_of,
    quantity_of,
)
from app.fhir.structural_extension import StructuralNote, read_structural_note
from app.formats.vcf_structural import StructuralAllele, kind_of, read_copy_number
from app.records import Build, StructuralKind
from app.variants.accessions import length, locate
from app.variants.extent import Extent

_Interval = tuple[int, int]

_TYPES: Final = MappingProxyType(
    {coding.code: (kind, f"<{kind.name}>") for kind, coding in codes.STRUCTURAL_TYPE.items()}
    | {
        coding.code: (StructuralKind[name.partition(":")[0]], f"<{name}>")
        for name, coding in codes.STRUCTURAL_SUBTYPE.items()
    }
    | dict.fromkeys(("SO:0001742", "SO:0001743"), (StructuralKind.CNV, "<CNV>"))
)
"""Kind and symbolic ALT by Sequence Ontology term; the last two are gain and loss of copies"""

_SYMBOLIC = re.compile(r"<[!-;=?-~]+>|[A-Z]+", re.ASCII)
_BREAKEND = re.compile(r"[!-~]+", re.ASCII)
_UNKNOWN_BASE: Final = "N"
_NOWHERE: Final = (-1, -1)


@dataclass(frozen=True, slots=True)
class StatedStructural:
    """A structural allele and its place; ``exact`` is the call that our own extension carries."""

    build: Build
    contig: int
    allele: StructuralAllele
    exact: ExactCall | None
    dropped: tuple[str, ...]
    """Reasons of values that were left out"""


def read_structural_observation(resource: Element, stated: StatedVariant) -> StatedStructural | Refusal:
    """Return the structural variant of an Observation, whose other elements are read, or why it has none.

    Raises:
        NotFhir: an element is not of its type.
    """
    parts = components_of(resource)
    if isinstance(parts, Refusal):
        return parts
    note = read_structural_note(resource)
    place = _sequence(stated)
    if isinstance(place, Refusal):
        return place
    build, contig = place
    named = _kind(parts)
    if isinstance(named, Refusal):
        return named
    kind, symbol = named
    extent = _extent(parts, kind, note)
    if isinstance(extent, Refusal):
        return extent
    if extent.outer_end > length(build, contig):
        return Refusal("unreadable", f"81301-4 ends beyond the last base of {stated.ref_seq}")
    alleles = _alleles(parts, kind, symbol, note)
    if isinstance(alleles, Refusal):
        return alleles
    dropped: list[str] = []
    copies = _copies(parts, note, dropped)
    ref, alt = alleles
    if note is None:
        inserted = len(alt) - len(ref) if kind is StructuralKind.INS and alt.isalpha() else -1
        allele = StructuralAllele(
            kind, extent, ref, alt, inserted, imprecise=False, name="", mate="", event="", copy_number=copies,
            also_simple=False,
        )  # fmt: skip
        return StatedStructural(build, contig, allele, None, tuple(dropped))
    allele = StructuralAllele(
        kind, extent, ref, alt, note.length, note.imprecise, note.name, note.mate, note.event, copies,
        also_simple=False,
    )  # fmt: skip
    return StatedStructural(build, contig, allele, note.call, tuple(dropped))


def _sequence(stated: StatedVariant) -> tuple[Build, int] | Refusal:
    if stated.ref_seq is None:
        return Refusal("no-sequence", "no genomic reference sequence (48013-7) says where 81301-4 lies")
    try:
        contig, builds = locate(stated.ref_seq)
    except OperonError as error:
        return Refusal("no-sequence", error.diagnostics)
    if stated.build is not None and stated.build not in builds:
        detail = f"the assembly (62374-4) is {stated.build.value}, but {stated.ref_seq} belongs to another one"
        return Refusal("contradiction", detail)
    return stated.build or max(builds), contig


def _kind(parts: Parts) -> tuple[StructuralKind, str] | Refusal:
    """Return the kind and the symbolic ALT of the type of change."""
    listed = codings_of(parts, codes.CODING_CHANGE_TYPE.code)
    found = [_TYPES[code] for _, code in listed if code in _TYPES]
    if not found:
        shown = ", ".join(quoted(code) for _, code in listed[:3]) or "nothing"
        return Refusal("structural-type", f"the type of change (48019-4) is {shown}")
    if len({kind for kind, _ in found}) > 1:
        return Refusal("contradiction", "the type of change (48019-4) names several kinds")
    return found[0]


def _extent(parts: Parts, kind: StructuralKind, note: StructuralNote | None) -> Extent | Refusal:
    intervals: list[_Interval | None] = []
    for code in (codes.OUTER_START_END.code, codes.INNER_START_END.code, codes.EXACT_START_END.code):
        interval = _interval(parts, code)
        if isinstance(interval, Refusal):
            return interval
        intervals.append(interval)
    outer, inner, exact = intervals
    if outer is None:
        return Refusal("no-extent", "no outer start-end (81301-4) says how far it may reach")
    if inner is not None and not _holds(outer, inner):
        return Refusal("contradiction", "the inner start-end (81302-2) is not within the outer one (81301-4)")
    if note is not None:
        nominal = note.start, note.end
    else:
        if outer[0] == outer[1] and kind is not StructuralKind.INS:
            return Refusal("unreadable", "81301-4 has no base")
        nominal, inner = _nominal(kind, outer, inner, exact)
    if inner is not None and inner[0] == inner[1]:
        inner = None
    if not _holds(outer, nominal) or (inner is not None and not _holds(nominal, inner)):
        return Refusal(
            "contradiction", "the interval that is stated as exact is not between the outer and the inner one"
        )
    return Extent(*nominal, *outer, *(inner or _NOWHERE))


def _nominal(
    kind: StructuralKind, outer: _Interval, inner: _Interval | None, exact: _Interval | None
) -> tuple[_Interval, _Interval | None]:
    """Return the nominal interval, and the inner one if that kind of event holds bases."""
    nominal = exact or inner or outer
    if kind is StructuralKind.INS:
        # Where it may be is all that is known of an insertion: it is one point of the outer interval.
        point = nominal[0] if nominal[0] == nominal[1] else outer[0]
        return (point, point), None
    if kind is StructuralKind.BND:
        base = nominal if nominal[1] - nominal[0] == 1 else (outer[0], outer[0] + 1)
        return base, base if inner == base else None
    return (nominal if nominal[0] < nominal[1] else outer), inner


def _interval(parts: Parts, code: str) -> _Interval | Refusal | None:
    place = place_of(parts, code)
    if place is None or isinstance(place, Refusal):
        return place
    low, high = place
    if high is None:
        return Refusal("no-extent", f"{code} has no end")
    if not 0 <= low <= high:
        return Refusal("unreadable", f"{code} ends before it begins")
    return low, high


def _holds(one: _Interval, other: _Interval) -> bool:
    return one[0] <= other[0] and other[1] <= one[1]


def _alleles(parts: Parts, kind: StructuralKind, symbol: str, note: StructuralNote | None) -> tuple[str, str] | Refusal:
    """Return REF and ALT as a VCF record would write them; bases that nobody states are N."""
    ref, alt = allele_of(parts, codes.REF_ALLELE.code), allele_of(parts, codes.ALT_ALLELE.code)
    if alt and not alt.isalpha():
        # The names in it are not bases, so their letters stay as they are.
        alt = str(parts[codes.ALT_ALLELE.code][1]["valueString"]).strip()
    if note is not None and note.alt:
        alt = note.alt
    if not ref and alt and alt.isalpha():
        alt = f"{_UNKNOWN_BASE}{alt}"
    ref, alt = ref or _UNKNOWN_BASE, alt or symbol
    form = _BREAKEND if kind is StructuralKind.BND else _SYMBOLIC
    if not (ref.isascii() and ref.isalpha()) or form.fullmatch(alt) is None:
        return Refusal("letters", f"REF {quoted(ref[:40])} or ALT {quoted(alt[:40])} is no allele of its kind")
    if kind_of(ref, alt, kind.name) is not kind:
        detail = f"the type of change (48019-4) is {kind.name}, ALT (69551-0) {quoted(alt[:40])} is not"
        return Refusal("contradiction", detail)
    return ref, alt


def _copies(parts: Parts, note: StructuralNote | None, dropped: list[str]) -> str:
    """Return the number of copies, empty for none; in the components it is a number, in our extension a text."""
    stated = quantity_of(parts, codes.COPY_NUMBER.code)
    if stated is None:
        try:
            return read_copy_number(note.copy_number if note is not None else "")
        except ValueError as error:
            raise NotFhir("extension", f"copyNumber: {error}") from error
    number = stated[0]
    try:
        return read_copy_number(str(number) if isinstance(number, int) else f"{number:.6f}")
    except ValueError:
        dropped.append("copies")
        return ""
