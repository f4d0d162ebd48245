"""Operations that count subjects."""

from __future__ import annotations

from app.fhir.observation import counted_parameter, parameters
from app.fhir.parameters import OperationInputs
from app.operations.context import OperationContext
from app.operations.subject_genotype import identified
from app.store import carriers, counters, subjects, variants
from app.store.carriers import Shards


def find_population_specific_variants(context: OperationContext, inputs: OperationInputs) -> bytes:
    """Answer ``$find-population-specific-variants``.

    One group (a list of alternatives) gives one count an alternative; several groups give the one count of subjects
    that have a variant of every group. The denominator is the number of all subjects.
    """
    groups = inputs.variants
    texts = [text for group in groups for text in group]
    placements = identified(context, texts)
    with context.database.read() as session:
        known = variants.find(session, placements)
        wanted = sorted({variant_id for found in known for variant_id in found})
        denominator = counters.value(session, counters.SUBJECTS)
        countable = len(groups) == 1 and not inputs.include_patient_list and inputs.source_class is None
        if countable and all(len(found) <= 1 for found in known):
            totals = carriers.count(session, wanted) if wanted else {}
            counts = [sum(totals[variant_id] for variant_id in found) for found in known]
            return parameters(
                [
                    counted_parameter(
                        "variants", "variantItem", text, numerator=count, denominator=denominator, subjects=None
                    )
                    for text, count in zip(texts, counts, strict=True)
                ]
            )
        who = carriers.fetch(session, wanted, inputs.source_class) if wanted else {}
        each = [carriers.union(who[variant_id] for variant_id in found) for found in known]
        entries = []
        for text, members in _items(groups, each):
            named = subjects.ids_of(session, carriers.ordinals(members)) if inputs.include_patient_list else None
            entries.append(
                counted_parameter(
                    "variants",
                    "variantItem",
                    text,
                    numerator=carriers.size(members),
                    denominator=denominator,
                    subjects=named,
                )
            )
    return parameters(entries)


def _items(groups: tuple[tuple[str, ...], ...], each: list[Shards]) -> list[tuple[str, Shards]]:
    """Return the labels and members of the answer's items; ``each`` has the members of every variant in order."""
    if len(groups) == 1:
        return list(zip(groups[0], each, strict=True))
    unions = []
    at = 0
    for group in groups:
        unions.append(carriers.union(each[at : at + len(group)]))
        at += len(group)
    return [(" AND ".join("|".join(group) for group in groups), carriers.intersection(unions))]
