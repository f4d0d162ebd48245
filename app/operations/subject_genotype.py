"""Operations on the simple variants of one subject: by range, and by variant."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain

from app.errors import OperonError, SeveralProblems
from app.fhir.observation import found_parameter, parameters, parameters_in_portions
from app.fhir.parameters import OperationInputs
from app.operations import nonvariants
from app.operations.context import OperationContext
from app.operations.interface import Answer
from app.operations.limits import FEWER_VARIANTS, refuse_too_many
from app.operations.matching import Lookups, RangeMatcher, Segment, VariantMatcher
from app.operations.query import chosen_call_sets
from app.operations.rendering import resources, resources_in_turn
from app.variants.interval import Interval
from app.variants.placement import Placement

_STREAMED_FROM = 2_000
"""Variants of an answer, of about 2 KB each, from which on it is made and sent in portions"""


def find_subject_variants(context: OperationContext, inputs: OperationInputs) -> Answer:
    """Answer ``$find-subject-variants``: whether, and if asked for which, simple variants touch each range."""
    settings = context.settings
    with context.database.read() as session:
        call_sets = chosen_call_sets(session, inputs)
        matcher = RangeMatcher(session, context.liftover, widen_max=settings.lift_widen_max)
        intervals = [asked.interval for asked in inputs.ranges]
        found, lookups = matcher.find(call_sets, intervals)
        silent = nonvariants.of_ranges(context, session, inputs, intervals) if inputs.include_non_variants else None
    if inputs.include_variants:
        refuse_too_many(context, _size(found), "variants", "ranges", mend=FEWER_VARIANTS)
        if not inputs.include_phasing and _size(found) > _STREAMED_FROM:
            return parameters_in_portions(_in_turn(context, inputs, found, lookups, notes=matcher.notes, silent=silent))
    entries = []
    for at, (asked, segments) in enumerate(zip(inputs.ranges, found, strict=True)):
        listed = (
            resources(
                segments,
                lookups,
                context.naming,
                phasing=inputs.include_phasing,
                most_pairs=settings.max_phase_pairs,
            )
            if inputs.include_variants and segments
            else []
        )
        if silent is not None:
            listed = _with_silent(listed, segments, silent[at])
        note = matcher.notes.get(asked.interval)
        entries.append(found_parameter("variants", "rangeItem", asked.text, listed, present=bool(segments), note=note))
    return parameters(entries)


def _in_turn(
    context: OperationContext,
    inputs: OperationInputs,
    found: Sequence[list[Segment]],
    lookups: Lookups,
    *,
    notes: Mapping[Interval, str],
    silent: list[list[str]] | None,
) -> Iterator[Iterable[str]]:
    """Yield the parameters of a large answer, whose resources are made as they are asked for."""
    for at, (asked, segments) in enumerate(zip(inputs.ranges, found, strict=True)):
        note = notes.get(asked.interval)
        *head, tail = found_parameter("variants", "rangeItem", asked.text, present=bool(segments), note=note)
        beside = silent[at] if silent is not None else []
        yield chain(head, resources_in_turn(segments, lookups, context.naming), beside, [tail])


def find_subject_specific_variants(context: OperationContext, inputs: OperationInputs) -> bytes:
    """Answer ``$find-subject-specific-variants``: whether the subject has each variant, and the calls of it."""
    texts = [text for group in inputs.variants for text in group]
    with context.database.read() as session:
        call_sets = chosen_call_sets(session, inputs)
        asked = identified(context, texts)
        found, lookups = VariantMatcher(session).find(call_sets, asked, texts)
        silent = (
            nonvariants.of_variants(context, session, inputs, asked, texts) if inputs.include_non_variants else None
        )
    refuse_too_many(context, _size(found), "variants", "variants", mend=FEWER_VARIANTS)
    settings = context.settings
    entries = []
    for at, (text, segments) in enumerate(zip(texts, found, strict=True)):
        listed: list[str] = []
        if segments:
            listed = resources(segments, lookups, context.naming, phasing=False, most_pairs=settings.max_phase_pairs)
        if silent is not None:
            listed = [*listed, *silent[at]]
        entries.append(found_parameter("variants", "variantItem", text, listed, present=bool(segments)))
    return parameters(entries)


def _with_silent(listed: list[str], segments: list[Segment], silent: list[str]) -> list[str]:
    """Return the resources of a range with those on places without a variant after the variants, before phases."""
    variants = sum(len(segment.rows) for segment in segments) if listed else 0
    return [*listed[:variants], *silent, *listed[variants:]]


def identified(context: OperationContext, texts: list[str]) -> list[Placement]:
    """Return the identity of each variant.

    Raises:
        OperonError: one of them cannot be read; SeveralProblems with one problem a variant where several cannot.
    """
    problems: list[OperonError] = []
    placements = []
    for text in texts:
        try:
            placements.append(context.identify(text))
        except OperonError as error:
            problems.append(error)
    if problems:
        raise problems[0] if len(problems) == 1 else SeveralProblems(problems)
    return placements


def _size(found: Sequence[list[Segment]]) -> int:
    """Return how many variants an answer has."""
    return sum(len(segment.rows) for segments in found for segment in segments)
