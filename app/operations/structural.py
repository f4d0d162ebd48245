"""Operations on structural variants that touch or hold a range: of one subject, and counted over all subjects."""

from __future__ import annotations

import re
from collections.abc import Callable

import orjson

from app.fhir.observation import counted_parameter, found_parameter, parameters
from app.fhir.parameters import OperationInputs
from app.operations.context import OperationContext
from app.operations.limits import FEWER_VARIANTS, refuse_too_many
from app.operations.population import listed, names_in
from app.operations.query import chosen_call_sets
from app.operations.structural_matching import StructuralMatcher
from app.operations.structural_rendering import observation_with_id, resources
from app.store import carriers, structural_sites
from app.store.session import Session
from app.variants.extent import Relation

Relating = Callable[[OperationContext], Relation]


def _intersects(_: OperationContext) -> Relation:
    return Relation.INTERSECTS


def _subsumes(context: OperationContext) -> Relation:
    return Relation(context.settings.sv_subsume)


def find_subject_structural_intersecting_variants(context: OperationContext, inputs: OperationInputs) -> bytes:
    """Answer ``$find-subject-structural-intersecting-variants``: which structural variants may touch each range."""
    return _of_subject(context, inputs, _intersects)


def find_subject_structural_subsuming_variants(context: OperationContext, inputs: OperationInputs) -> bytes:
    """Answer ``$find-subject-structural-subsuming-variants``: which structural variants hold each whole range."""
    return _of_subject(context, inputs, _subsumes)


def find_population_structural_intersecting_variants(context: OperationContext, inputs: OperationInputs) -> bytes:
    """Answer ``$find-population-structural-intersecting-variants``: how many subjects have one that may touch it."""
    return _of_population(context, inputs, _intersects)


def find_population_structural_subsuming_variants(context: OperationContext, inputs: OperationInputs) -> bytes:
    """Answer ``$find-population-structural-subsuming-variants``: how many subjects have one that holds the range."""
    return _of_population(context, inputs, _subsumes)


def _matcher(context: OperationContext, session: Session, relating: Relating) -> StructuralMatcher:
    widen_max = context.settings.lift_widen_max
    return StructuralMatcher(session, context.liftover, relating(context), widen_max=widen_max)


def _of_subject(context: OperationContext, inputs: OperationInputs, relating: Relating) -> bytes:
    with context.database.read() as session:
        call_sets = chosen_call_sets(session, inputs)
        matcher = _matcher(context, session, relating)
        found = matcher.calls(call_sets, [asked.interval for asked in inputs.ranges])
        sites = {}
        if inputs.include_variants:
            total = sum(len(hits.rows) for of_range in found for hits in of_range)
            refuse_too_many(context, total, "variants", "ranges", mend=FEWER_VARIANTS)
            wanted = {site for of_range in found for hits in of_range for site in hits.chunk.site[hits.rows].tolist()}
            sites = structural_sites.fetch(session, sorted(wanted))
    return parameters(
        [
            found_parameter(
                "variants",
                "rangeItem",
                asked.text,
                resources(hits, sites) if inputs.include_variants else [],
                present=bool(hits),
                note=matcher.notes.get(asked.interval),
            )
            for asked, hits in zip(inputs.ranges, found, strict=True)
        ]
    )


def read_structural(context: OperationContext, match: re.Match[str]) -> bytes | None:
    """Return the structural variant with an id."""
    with context.database.read() as session:
        found = observation_with_id(session, match)
    return orjson.dumps(found) if found is not None else None


def _of_population(context: OperationContext, inputs: OperationInputs, relating: Relating) -> bytes:
    with context.database.read() as session:
        counting = context.consent.counted(session)
        matcher = _matcher(context, session, relating)
        found = matcher.sites([asked.interval for asked in inputs.ranges], inputs.source_class)
        classes = None if inputs.source_class is None else (inputs.source_class,)
        united = carriers.united(session, found, classes, shards=counting.shards)
        each = [counting.of(members) for members in united]
        names = names_in(session, each) if inputs.include_patient_list else None
    return parameters(
        [
            counted_parameter(
                "variants",
                "rangeItem",
                asked.text,
                numerator=carriers.size(members),
                denominator=counting.denominator,
                subjects=listed(members, names) if names is not None else None,
                note=counting.note(inputs, matcher.notes.get(asked.interval)),
            )
            for asked, members in zip(inputs.ranges, each, strict=True)
        ]
    )
