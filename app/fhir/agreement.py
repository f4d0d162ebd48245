"""One change from everything that an Observation says of it: what is stored, or why nothing is.

An Observation may write its variant as REF and ALT, SPDI, genomic HGVS and HGVS along a transcript. The first of them
that is there is stored; every other one must be the same change. What cannot be compared for want of sequence or
transcripts is not held against it, but two that are known to differ are: nobody can tell which of them is meant.
Positions are zero-based, half-open.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from app.errors import InvalidInput, OperonError, UnknownRefSeq, quoted
from app.fhir.stated import Refusal, StatedVariant
from app.records import Build, LiftStatus
from app.variants.accessions import locate, sequence_length
from app.variants.identify import Identifier
from app.variants.normalize import trim
from app.variants.placement import Placement
from app.variants.reference import ReferenceSequence
from app.variants.spdi import Spdi, SpdiWithLength, parse_spdi

_SUBSTITUTION = re.compile(r"(NC_[0-9]{6}\.[0-9]{1,3}):[gm]\.([0-9]{1,10})([ACGT])>([ACGT])", re.ASCII)
_SHOWN = 60
_LONGEST = 1000
_SURE = (LiftStatus.OK, LiftStatus.REF_CHANGED, LiftStatus.IDENTITY)


@dataclass(frozen=True, slots=True)
class Decided:
    """The change that is stored, as a VCF record would write it: REF and ALT are bases, neither is empty."""

    build: Build
    contig: int
    position: int
    ref: str
    alt: str


@dataclass(frozen=True, slots=True)
class _Way:
    """One way in which the change is written: what it is called in messages, its text, and the change if it says so."""

    name: str
    text: str
    change: Spdi | None
    is_genomic: bool = True

    def __str__(self) -> str:
        return f"{self.name} {quoted(self.text[:_SHOWN])}"


class Agreement:
    """Decides which change an Observation states."""

    def __init__(self, identifier: Identifier, references: Mapping[Build, ReferenceSequence]) -> None:
        self._identifier = identifier
        self._references = references

    def decide(self, stated: StatedVariant) -> Decided | Refusal:
        """Return the change that all representations state, or why there is none."""
        if stated.unplaced is not None and stated.unplaced.reason == "contradiction":
            return stated.unplaced
        ways = _ways(stated)
        if not ways:
            return stated.unplaced or _nothing_to_read(stated)
        first = self._change(ways[0], stated.build)
        if isinstance(first, Refusal):
            return first
        way, change = replace(ways[0], change=first), first
        problem = _beside(stated, way, change) or next(
            (refusal for other in ways[1:] if (refusal := self._differ(way, other)) is not None), None
        )
        if problem is not None:
            return problem
        return self._as_record(change, stated.build)

    def _change(self, way: _Way, build: Build | None) -> Spdi | Refusal:
        """Return the change of one representation on its own build.

        One along a transcript is on the stated build, else on GRCh38 where it has a place there.
        """
        if way.change is not None:
            try:
                locate(way.change.ref_seq)
            except OperonError as error:
                return Refusal("no-sequence", f"{way}: {error.diagnostics}")
            if way.change.end > sequence_length(way.change.ref_seq):
                return Refusal("unreadable", f"{way}: it lies beyond the end of {way.change.ref_seq}")
            return way.change
        placement = self._placement(way)
        if isinstance(placement, Refusal):
            return placement
        if way.is_genomic:
            _, builds = locate(way.text.partition(":")[0].strip().upper())
            build = build if build in builds else max(builds)
        return (placement.on(build) if build is not None else None) or placement.canonical

    def _placement(self, way: _Way) -> Placement | Refusal:
        if len(way.text) > _LONGEST:
            return Refusal("unreadable", f"{way}: it is longer than {_LONGEST} characters")
        try:
            return self._identifier.identify(way.text).placement
        except UnknownRefSeq as error:
            return Refusal("no-sequence", f"{way.name}: {error.diagnostics}")
        except InvalidInput as error:
            return Refusal("unreadable", f"{way.name}: {error.diagnostics}")

    def _differ(self, one: _Way, other: _Way) -> Refusal | None:
        """Return a Refusal if two representations are known to be different changes."""
        if one.change is not None and other.change is not None and one.change.ref_seq == other.change.ref_seq:
            same = _same_text(one.change, other.change)
            if same is not None:
                return None if same else _contradiction(one, other)
        ours, theirs = (self._placement(_spelled(way)) for way in (one, other))
        if isinstance(ours, Refusal) or isinstance(theirs, Refusal):
            return None
        return _contradiction(one, other) if _known_to_differ(ours, theirs) else None

    def _as_record(self, change: Spdi, build: Build | None) -> Decided | Refusal:
        contig, builds = locate(change.ref_seq)
        native = build if build in builds and build is not None else max(builds)
        if change.deleted == change.inserted:
            return Refusal("same-as-reference", f"it changes nothing at {change.ref_seq}:{change.position}")
        position, ref, alt = change.position, change.deleted, change.inserted
        if not ref or not alt:
            base = self._base(native, change.ref_seq, position - 1)
            if base is not None:
                return Decided(native, contig, position - 1, base + ref, base + alt)
            base = self._base(native, change.ref_seq, change.end)
            if base is None:
                detail = f"the base beside {change.ref_seq}:{position} is not loaded; add the sequence and ingest again"
                return Refusal("no-anchor", detail)
            ref, alt = ref + base, alt + base
        return Decided(native, contig, position, ref, alt)

    def _base(self, build: Build, ref_seq: str, position: int) -> str | None:
        reference = self._references.get(build)
        if reference is None or not 0 <= position < sequence_length(ref_seq):
            return None
        return reference.fetch(ref_seq, position, position + 1)


def _ways(stated: StatedVariant) -> list[_Way]:
    """Return the representations in the order of trust; SPDIs on the stated reference sequence come first."""
    ways = [] if stated.record is None else [_Way("REF and ALT (69547-8, 69551-0)", str(stated.record), stated.record)]
    spdis = sorted(stated.spdis, key=lambda text: not text.upper().startswith(f"{stated.ref_seq}:"))
    ways += [_Way("SPDI (81252-9)", text, _spdi(text)) for text in spdis]
    ways += [_Way("genomic HGVS (81290-9)", text, _substitution(text)) for text in stated.genomic]
    ways += [_Way("coding HGVS (48004-6)", text, None, is_genomic=False) for text in stated.coding]
    return ways


def _spdi(text: str) -> Spdi | None:
    """Return the change of an SPDI that spells out what it deletes; None where it must be read with more care."""
    try:
        change = parse_spdi(text)
    except OperonError:
        return None
    return None if isinstance(change, SpdiWithLength) else change


def _substitution(text: str) -> Spdi | None:
    """Return the change of the HGVS of a single base, which needs no sequence."""
    match = _SUBSTITUTION.fullmatch(text.strip())
    if match is None:
        return None
    ref_seq, position_1based, ref, alt = match.groups()
    return Spdi(ref_seq, int(position_1based) - 1, ref, alt) if int(position_1based) else None


def _spelled(way: _Way) -> _Way:
    return way if way.change is None else replace(way, text=str(way.change))


def _same_text(one: Spdi, other: Spdi) -> bool | None:
    """Return whether two changes of one sequence are the same; None where only more sequence can tell."""
    trimmed, also = _trimmed(one), _trimmed(other)
    if trimmed == also:
        return True
    for wide, narrow in ((one, also), (other, trimmed)):
        low, high = narrow.position - wide.position, narrow.end - wide.position
        if low >= 0 and high <= len(wide.deleted):
            if wide.deleted[low:high] != narrow.deleted:
                return False
            return wide.deleted[:low] + narrow.inserted + wide.deleted[high:] == wide.inserted
    simple = all(change.deleted and change.inserted for change in (trimmed, also))
    return False if simple else None


def _trimmed(change: Spdi) -> Spdi:
    if change.deleted == change.inserted:
        return change
    return Spdi(change.ref_seq, *trim(change.position, change.deleted, change.inserted))


def _known_to_differ(one: Placement, other: Placement) -> bool:
    """Return whether two placements are different changes, beyond what missing sequence or chains leave open."""
    shared = [build for build in Build if one.on(build) is not None and other.on(build) is not None]
    if any(one.on(build) == other.on(build) for build in shared) or not (one.justified and other.justified):
        return False
    if one.contig != other.contig:
        return True
    return bool(shared) and all(placement.status in _SURE or len(shared) < len(Build) for placement in (one, other))


def _contradiction(one: _Way, other: _Way) -> Refusal:
    return Refusal("contradiction", f"{one} and {other} are different changes")


def _beside(stated: StatedVariant, way: _Way, change: Spdi) -> Refusal | None:
    """Return a Refusal if the stated sequence or assembly is not the one that the change is on."""
    contig, builds = locate(change.ref_seq)
    if way.is_genomic and stated.build is not None and stated.build not in builds:
        problem = f"the assembly (62374-4) is {stated.build.value}, but {change.ref_seq} belongs to another one"
        return Refusal("contradiction", problem)
    if stated.ref_seq is None:
        return None
    try:
        stated_contig, _ = locate(stated.ref_seq)
    except OperonError:
        return None  # a gene or another sequence that holds the place, too
    if stated_contig == contig:
        return None
    return Refusal("contradiction", f"the reference sequence (48013-7) is {stated.ref_seq}, but {way} is not on it")


def _nothing_to_read(stated: StatedVariant) -> Refusal:
    if stated.others:
        named = ", ".join(quoted(text[:_SHOWN]) for text in stated.others[:3])
        return Refusal("other-names", f"{named} names no change that could be placed")
    return Refusal("no-change", "it states no REF and ALT with their place, no SPDI and no HGVS")
