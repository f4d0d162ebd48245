"""Operations that count subjects."""

from __future__ import annotations

from collections.abc import Iterable

from app.errors import LiftoverFailed, quoted
from app.fhir.observation import counted_parameter, parameters
from app.fhir.parameters import OperationInputs
from app.operations.context import OperationContext
from app.operations.subject_genotype import identified
from app.records import Build
from app.store import calls, carriers, subjects, variants
from app.store.carriers import Shards
from app.store.session import Session
from app.variants.placement import Placement


def find_population_specific_variants(context: OperationContext, inputs: OperationInputs) -> bytes:
    """Answer ``$find-population-specific-variants``.

    One group (a list of alternatives) gives one count an alternative; several groups give the one count of subjects
    that have a variant of every group. The denominator is the number of all subjects who may be counted
    (``app.operations.consent``).

    Raises:
        LiftoverFailed: a variant is known on one build only, and there are calls with a place on the other only.
    """
    groups = inputs.variants
    texts = [text for group in groups for text in group]
    placements = identified(context, texts)
    with context.database.read() as session:
        refuse_unplaced(session, placements, texts)
        counting = context.consent.counted(session)
        shards = counting.shards
        known = variants.find(session, placements)
        wanted = sorted({variant_id for found in known for variant_id in found})
        items: list[tuple[str, int, list[str] | None]]
        if _is_count_only(inputs) and not counting.hidden and all(len(found) <= 1 for found in known):
            counts = carriers.count(session, wanted, shards=shards) if wanted else {}
            numbers = [sum(counts[variant_id] for variant_id in found) for found in known]
            items = [(text, number, None) for text, number in zip(texts, numbers, strict=True)]
        else:
            who = carriers.fetch(session, wanted, inputs.source_class, shards=shards) if wanted else {}
            each = [carriers.union(who[variant_id] for variant_id in found) for found in known]
            found_items = [(text, counting.of(members)) for text, members in counted_items(groups, each)]
            names = names_in(session, [members for _, members in found_items]) if inputs.include_patient_list else None
            items = [
                (text, carriers.size(members), listed(members, names) if names is not None else None)
                for text, members in found_items
            ]
    return parameters(
        [
            counted_parameter(
                "variants",
                "variantItem",
                text,
                numerator=number,
                denominator=counting.denominator,
                subjects=named,
                note=counting.note(inputs),
            )
            for text, number, named in items
        ]
    )


def refuse_unplaced(session: Session, placements: list[Placement], texts: list[str]) -> None:
    """Raise LiftoverFailed for a variant known on one build only while calls are known on the other only.

    Such a call may be the variant; a count without it would look like a fact.
    """
    missing = [
        (build, placement.contig, text)
        for placement, text in zip(placements, texts, strict=True)
        for build in Build
        if placement.on(build) is None
    ]
    unplaced = calls.unplaced_contigs(session, [(build, contig) for build, contig, _ in missing])
    for build, contig, text in missing:
        if (build, contig) in unplaced:
            raise LiftoverFailed(f"Failed LiftOver. Variant: {quoted(text)}", parameter="variants")


def _is_count_only(inputs: OperationInputs) -> bool:
    """Return whether the stored counts answer without a bitmap."""
    return len(inputs.variants) == 1 and not inputs.include_patient_list and inputs.source_class is None


def names_in(session: Session, sets: Iterable[Shards]) -> dict[int, str]:
    """Return the ids of everybody in any set, in one statement."""
    everyone = carriers.ordinals(carriers.union(sets))
    return subjects.names_of(session, everyone) if everyone else {}


def listed(members: Shards, names: dict[int, str]) -> list[str]:
    """Return the ids of the members, sorted."""
    return sorted(names[ordinal] for ordinal in carriers.ordinals(members))


def counted_items(groups: tuple[tuple[str, ...], ...], each: list[Shards]) -> list[tuple[str, Shards]]:
    """Return the labels and members of the answer's items; ``each`` has the members of every variant in order."""
    if len(groups) == 1:
        return list(zip(groups[0], each, strict=True))
    unions = []
    at = 0
    for group in groups:
        unions.append(carriers.union(each[at : at + len(group)]))
        at += len(group)
    return [(" AND ".join("|".join(group) for group in groups), carriers.intersection(unions))]
