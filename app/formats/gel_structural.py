"""Structural variants, rearrangements and short tandem repeats of every model."""

from __future__ import annotations

from typing import Any

from app.formats.gel import Region, RepeatExpansion, Scope, StructuralVariant
from app.formats.gel_calls import Setting, read_calls
from app.formats.gel_events import read_events
from app.formats.gel_parts import (
    NO_OBJECT,
    NO_STRING,
    REQUIRED,
    Notes,
    Record,
    Unreadable,
    as_whole,
    join,
    need_items,
    need_position,
    need_record,
    need_text,
    no_choice,
)
from app.formats.gel_small import named_build, unwrapped
from app.formats.gel_words import STRUCTURAL_KINDS, old_structural_kind, read_chromosome

REARRANGEMENT = "rearrangement"
REPEAT = "short_tandem_repeat"
"""Kind of a repeat where a classification is about one"""
_WRAPPER = "reportedStructuralVariantCancer"


def read_structural(found: Any, path: str, setting: Setting) -> StructuralVariant:
    """Return a structural variant of model 6, or of one before 5.

    Raises:
        Unreadable: its kind, place or list of calls cannot be used.
    """
    record, path, origins = unwrapped(found, path, _WRAPPER)
    if "variantType" in record or "coordinates" in record:
        kind = _kind(record, path)
        region = read_region(record, "coordinates", path, setting)
    else:
        kind = _old_kind(record, path)
        region = _region(record, path, setting)
    return StructuralVariant(
        path=path,
        kind=kind,
        region=region,
        calls=read_calls(record, path, setting, origins),
        events=read_events(record, path, setting.notes, is_old_cancer=False),
        inserted=_inserted(record, path, setting.notes),
    )


def _kind(record: Record, path: str) -> str:
    word = need_text(record, "variantType", path)
    if word not in STRUCTURAL_KINDS:
        raise Unreadable(join(path, "variantType"), no_choice(word))
    return word


def _old_kind(record: Record, path: str) -> str:
    value = record.get("type")
    if isinstance(value, dict):  # model 4.2 of cancer: DUP_TANDEM and a subtype
        value = value.get("firstLevelType")
    if not isinstance(value, str):
        raise Unreadable(join(path, "type"), REQUIRED if value is None else NO_STRING)
    kind = old_structural_kind(value)
    if kind is None:
        raise Unreadable(join(path, "type"), no_choice(value))
    return kind


def read_region(record: Record, name: str, path: str, setting: Setting) -> Region:
    """Return the region of an object ``Coordinates``.

    Raises:
        Unreadable: it is not there, or it is no region.
    """
    return _region(need_record(record, name, path), join(path, name), setting)


def _region(record: Record, path: str, setting: Setting) -> Region:
    chromosome = read_chromosome(need_text(record, "chromosome", path))
    start, end = need_position(record, "start", path), need_position(record, "end", path)
    if end < start:
        raise Unreadable(join(path, "end"), "Ensure this value is not less than start.")
    return Region(
        chromosome=chromosome,
        start=start - 1,
        end=end,
        build=named_build(record, path, setting),
        start_ci=_interval(record, "ciStart", path, setting.notes),
        end_ci=_interval(record, "ciEnd", path, setting.notes),
    )


def _interval(record: Record, name: str, path: str, notes: Notes) -> tuple[int, int] | None:
    """Return the distances to both sides. No model says which sign the left one has."""
    if record.get(name) is None:
        return None
    found = notes.record(record, name, path)
    left, right = as_whole(found.get("left")), as_whole(found.get("right"))
    if left is None or right is None:
        notes.warn(join(path, name), "A valid integer is required.")
        return None
    return abs(left), abs(right)


def _inserted(record: Record, path: str, notes: Notes) -> str:
    """Return the inserted bases; with both ends known and the middle not, three points stand between them."""
    left, right = notes.text(record, "leftInsSeq", path), notes.text(record, "rightInsSeq", path)
    return f"{left}...{right}" if left and right else left or right


def read_all_structural(found: list[Any], path: str, setting: Setting) -> tuple[StructuralVariant, ...]:
    """Return the structural variants of a document that can be read."""
    variants = []
    for at, one in enumerate(found):
        try:
            variants.append(read_structural(one, f"{path}[{at}]", setting))
        except Unreadable as problem:
            setting.notes.refuse(problem, Scope.VARIANT)
    return tuple(variants)


def read_rearrangements(found: list[Any], path: str, setting: Setting) -> tuple[StructuralVariant, ...]:
    """Return both sides of every rearrangement that can be read."""
    variants: list[StructuralVariant] = []
    for at, one in enumerate(found):
        place = f"{path}[{at}]"
        try:
            variants.extend(_rearrangement(one, place, setting))
        except Unreadable as problem:
            setting.notes.refuse(problem, Scope.VARIANT)
    return tuple(variants)


def _rearrangement(found: Any, path: str, setting: Setting) -> list[StructuralVariant]:
    if not isinstance(found, dict):
        raise Unreadable(path, NO_OBJECT)
    calls = read_calls(found, path, setting, [])
    events = read_events(found, path, setting.notes, is_old_cancer=False)
    sides = []
    for at, one in enumerate(need_items(found, "rearrangements", path)):
        place = f"{path}.rearrangements[{at}]"
        if not isinstance(one, dict):
            raise Unreadable(place, NO_OBJECT)
        left = read_region(one, "leftCoordinates", place, setting)
        right = read_region(one, "rightCoordinates", place, setting)
        inserted = _inserted(one, place, setting.notes)
        for name, here, there in (("left", left, right), ("right", right, left)):
            at_side = f"{place}.{name}Coordinates"
            sides.append(StructuralVariant(at_side, REARRANGEMENT, here, calls, events, there, inserted))
    return sides


def read_repeats(found: list[Any], path: str, setting: Setting) -> tuple[RepeatExpansion, ...]:
    """Return the short tandem repeats of a document that can be read."""
    repeats = []
    for at, one in enumerate(found):
        try:
            repeats.append(_repeat(one, f"{path}[{at}]", setting))
        except Unreadable as problem:
            setting.notes.refuse(problem, Scope.VARIANT)
    return tuple(repeats)


def _repeat(found: Any, path: str, setting: Setting) -> RepeatExpansion:
    if not isinstance(found, dict):
        raise Unreadable(path, NO_OBJECT)
    notes = setting.notes
    facts = notes.record(found, "shortTandemRepeatReferenceData", path)
    place = f"{path}.shortTandemRepeatReferenceData"
    return RepeatExpansion(
        path=path,
        region=read_region(found, "coordinates", path, setting),
        calls=read_calls(found, path, setting, []),
        events=read_events(found, path, notes, is_old_cancer=False),
        motif=notes.text(facts, "repeatedSequence", place).upper(),
        pathogenic_from=notes.whole(facts, "pathogenic_number_of_repeats_threshold", place),
        normal_up_to=notes.whole(facts, "normal_number_of_repeats_threshold", place),
    )
