"""Operations on implications: what the active knowledge says of the variants and genotypes that subjects have.

Nothing of an implication is stored with a subject. Items of knowledge lead to variants and genotypes, and these to who
has them; a question by condition begins with the items, so that no genome is searched.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Final

from pyroaring import BitMap, BitMap64

from app.errors import ForbiddenCombination, InvalidInput
from app.fhir.genotype import genotype_id
from app.fhir.implication import Implied, as_parameter, render_diagnostic, render_therapeutic
from app.fhir.observation import counted_parameter, parameters
from app.fhir.parameters import Dialect, OperationInputs
from app.fhir.tokens import parse_token
from app.formats.knowledge import Concept, ItemKind
from app.operations import findings, rule_findings, stated
from app.operations.consent import Counted
from app.operations.context import OperationContext
from app.operations.findings import Finding
from app.operations.genotype_keys import SEVERAL, genes_of_several, key_of
from app.operations.haplotypes import matching, names_matching, rendered_statement
from app.operations.implication_ids import implication_id
from app.operations.knowledge_query import Wanted, meets, require_knowledge, sought, wanted_concepts
from app.operations.limits import refuse_too_many
from app.operations.matching import Lookups, RangeMatcher, Segment, VariantMatcher
from app.operations.population import listed, names_in, refuse_unplaced
from app.operations.query import chosen_call_sets, chosen_genotypes, classes_of_genotypes, named_subject
from app.operations.structural_matching import StructuralHits
from app.operations.subject_genotype import identified
from app.store import (
    carrier_sets,
    carriers,
    counters,
    genotype_index,
    genotypes,
    knowledge_unions,
    subjects,
    variants,
)
from app.store.calls import CallSet
from app.store.carriers import Shards
from app.store.genotypes import GenotypeName
from app.store.knowledge import ActiveKnowledge, Release
from app.store.knowledge_codec import Role, StoredItem
from app.store.session import Session
from app.store.stated import Statements
from app.variants.placement import Placement

_PHARMACOGENOMIC: Final = ("CPIC", "ClinPGx", "PharmGKB", "PharmCAT", "PyPGx", "DPWG")
"""Words in the labels of releases"""
_FEWER = "ask for fewer conditions, treatments or variants, or for smaller ranges"


@dataclass(frozen=True, slots=True)
class Implication:
    """One item of knowledge with the findings of one subject that it is about."""

    item: StoredItem
    release: Release
    findings: Sequence[Finding]


def find_subject_dx_implications(context: OperationContext, inputs: OperationInputs) -> bytes:
    """Answer ``$find-subject-dx-implications``: what the findings of a subject mean for conditions."""
    return _of_subject(context, inputs, ItemKind.DIAGNOSTIC)


def find_subject_tx_implications(context: OperationContext, inputs: OperationInputs) -> bytes:
    """Answer ``$find-subject-tx-implications``: what the findings of a subject mean for treatments."""
    return _of_subject(context, inputs, ItemKind.THERAPEUTIC)


def find_population_dx_implications(context: OperationContext, inputs: OperationInputs) -> bytes:
    """Answer ``$find-population-dx-implications``: how many subjects have a diagnostic implication."""
    return _of_population(context, inputs, ItemKind.DIAGNOSTIC)


def find_population_tx_implications(context: OperationContext, inputs: OperationInputs) -> bytes:
    """Answer ``$find-population-tx-implications``: how many subjects have a therapeutic implication."""
    return _of_population(context, inputs, ItemKind.THERAPEUTIC)


def refuse_combinations(inputs: OperationInputs) -> None:
    """Refuse what the reference implementation refuses, in its dialect; the guide's is that all have to hold."""
    if inputs.dialect is Dialect.REF and inputs.variants and inputs.ranges:
        raise ForbiddenCombination("You cannot supply both 'variants' and 'ranges'.")
    if inputs.dialect is Dialect.REF and (inputs.variants or inputs.ranges) and inputs.haplotypes:
        raise ForbiddenCombination("You cannot supply both ('variants' or 'ranges') and 'haplotypes'.")


def _of_subject(context: OperationContext, inputs: OperationInputs, kind: ItemKind) -> bytes:
    refuse_combinations(inputs)
    with context.database.read() as session:
        call_sets = chosen_call_sets(session, inputs)
        if not _has_criteria(inputs):
            return parameters([])
        subject_id = named_subject(session, inputs)
        active = ActiveKnowledge(session, kind)
        statements = Statements(session, kind)
        require_knowledge(active, kind, statements)
        question = sought(session, active, statements, inputs)
        wanted = wanted_concepts(active, question)
        found: list[Implication] = []
        calls = Located([], {})
        is_placed = bool(inputs.variants or inputs.ranges)
        if not inputs.haplotypes or (is_placed and not statements.is_empty):
            calls = located(context, session, call_sets, inputs, active, targets=lambda: _targets(active, wanted))
        if not inputs.haplotypes:
            found += _of_variants(context, session, active, calls, wanted)
        if kind is ItemKind.THERAPEUTIC and not (inputs.variants or inputs.ranges):
            found += _of_genotypes(context, session, active, inputs, wanted)
        if kind is ItemKind.THERAPEUTIC and any(map(_is_pharmacogenomic, found)):
            context.consent.require_pharmacogenomics(subject_id)
        concepts = active.named_concepts(_concepts_of(found))
        asked = calls.segments if is_placed else None
        told = stated.of_subject(context, session, statements, inputs, question, call_sets=call_sets, asked=asked)
    refuse_too_many(context, len(found) + len(told), "implications", "subject", mend=_FEWER)
    shown: set[str] = set()
    entries = list(_flat(found, concepts, inputs, subject_id, shown))
    entries += stated.flat(told, "implication", shown, inputs)
    return parameters(entries)


def _is_pharmacogenomic(one: Implication) -> bool:
    """Return whether an implication follows from a genotype, or from a source of pharmacogenomics."""
    return any(finding.name == "genotype" for finding in one.findings) or is_of_pharmacogenomics(one.release)


def is_of_pharmacogenomics(release: Release) -> bool:
    """Return whether a release of knowledge is of a source of pharmacogenomics."""
    return any(name in release.label for name in _PHARMACOGENOMIC)


def _has_criteria(inputs: OperationInputs) -> bool:
    return bool(inputs.variants or inputs.ranges or inputs.haplotypes or inputs.conditions or inputs.treatments)


def _concepts_of(found: Iterable[Implication]) -> set[int]:
    return {number for one in found for numbers in one.item.concepts.values() for number in numbers}


def _targets(active: ActiveKnowledge, wanted: Wanted) -> BitMap64:
    """Return the variants and sites that items can be about that have a concept of every role."""
    by_copies = rule_findings.sites_by_copies(active, lambda item: meets(item, wanted))
    return _counted_targets(active, wanted) | BitMap64(by_copies)


def _counted_targets(active: ActiveKnowledge, wanted: Wanted) -> BitMap64:
    """Return those of them that nothing of a call has to be known of."""
    found: BitMap64 | None = None
    for concepts in wanted.values():
        targets = active.targets(concepts)
        found = targets if found is None else found & targets
    return found if found is not None else BitMap64()


@dataclass(frozen=True, slots=True)
class Located:
    """The calls that a question is about; structural ones are looked for only where releases have rules."""

    segments: list[Segment]
    lookups: Lookups
    structural: list[StructuralHits] = field(default_factory=list)


def located(
    context: OperationContext,
    session: Session,
    call_sets: Sequence[CallSet],
    inputs: OperationInputs,
    active: ActiveKnowledge,
    *,
    targets: Callable[[], BitMap64],
) -> Located:
    """Return the calls that a question is about: those of its variants, in its ranges, or else of some targets."""
    segments: list[Segment] | None = None
    lookups: dict[int, Placement] = {}
    structural: list[StructuralHits] = []
    if inputs.variants:
        texts = [text for group in inputs.variants for text in group]
        by_variant, looked = VariantMatcher(session).find(call_sets, identified(context, texts), texts)
        segments = findings.distinct(chain.from_iterable(by_variant))
        lookups |= looked
    if inputs.ranges:
        ranges = RangeMatcher(session, context.liftover, widen_max=context.settings.lift_widen_max)
        by_range, looked = ranges.find(call_sets, [asked.interval for asked in inputs.ranges])
        inside = findings.distinct(chain.from_iterable(by_range))
        segments = inside if segments is None else findings.only(segments, findings.present_in(inside))
        lookups |= looked
        if active.has_rules and not inputs.variants:  # which name no structural variant
            structural = rule_findings.in_ranges(context, session, call_sets, [one.interval for one in inputs.ranges])
    if segments is not None or not call_sets:
        return Located(segments or [], lookups, structural)
    subject_id = call_sets[0].subject_id
    ordinal = subjects.find(session, [subject_id])[subject_id].ordinal
    carried = carrier_sets.carried_by(session, ordinal, targets())
    refuse_too_many(context, len(carried), "variants", "conditions", mend=_FEWER)
    if active.has_rules:
        structural = rule_findings.calls_of(session, call_sets, carried)
    return Located(*findings.calls_of(session, call_sets, carried), structural)


def _of_variants(
    context: OperationContext, session: Session, active: ActiveKnowledge, located_: Located, wanted: Wanted
) -> list[Implication]:
    segments, structural = located_.segments, located_.structural
    known = active.of_variants(sorted(findings.present_in(segments) | rule_findings.sites_in(structural)))
    about: dict[int, tuple[StoredItem, list[int]]] = {}
    for variant_id, items in known.items():
        for item in items:
            if meets(item, wanted):
                about.setdefault(item.item_id, (item, []))[1].append(variant_id)
    kept = {variant_id for _, variant_ids in about.values() for variant_id in variant_ids}
    by_variant = findings.rendered(findings.only(segments, kept), located_.lookups, context.naming)
    by_site = rule_findings.findings_of(session, rule_findings.only(structural, kept)) if structural else {}
    found = []
    for item, variant_ids in about.values():
        release = active.release_of(item.item_id)
        # Each variant that meets a rule meets it for itself.
        for together in [variant_ids] if item.rule is None else [[variant_id] for variant_id in variant_ids]:
            derived = sorted(chain.from_iterable(by_variant.get(variant_id, ()) for variant_id in together))
            if item.rule is not None and not derived:
                derived = rule_findings.meeting(item.rule, by_site.get(together[0], ()))
            if derived and release is not None:
                found.append(Implication(item, release, derived))
    return sorted(found, key=lambda one: (one.item.item_id, one.findings[0]))


def _of_genotypes(
    context: OperationContext, session: Session, active: ActiveKnowledge, inputs: OperationInputs, wanted: Wanted
) -> list[Implication]:
    chosen = chosen_genotypes(session, inputs)
    if chosen:  # what none of them means is as much of an answer
        context.consent.require_pharmacogenomics(chosen[0].subject_id)
    if inputs.haplotypes:
        tokens = [token for group in inputs.haplotypes for token in group]
        asked = {one.uid for token in tokens for one in matching(chosen, token, context.reductions)}
        chosen = [one for one in chosen if one.uid in asked]
    keyed: dict[str, list[Finding]] = {}
    for one in chosen:
        haplotypes, resource = rendered_statement(one, inputs.dialect)
        finding = Finding(
            0, 0, genotype_id(one.uid), resource, "genotype", tuple(("haplotype", text) for text in haplotypes)
        )
        keyed.setdefault(key_of(context, one.name), []).append(finding)
    derived: dict[int, tuple[StoredItem, list[Finding]]] = {}
    known = active.of_genotypes(sorted(keyed))
    for key in sorted(known):
        for item in known[key]:
            if meets(item, wanted):
                derived.setdefault(item.item_id, (item, []))[1].extend(keyed[key])
    found = []
    for item_id, (item, its) in sorted(derived.items()):
        release = active.release_of(item_id)
        if release is not None:
            found.append(Implication(item, release, its))
    return found


def _flat(
    found: Sequence[Implication],
    concepts: dict[int, Concept],
    inputs: OperationInputs,
    subject_id: str,
    shown: set[str],
) -> Iterator[list[str]]:
    """Yield the parameters of an answer: each implication, followed by those of its findings that are not there yet."""
    is_ref = inputs.dialect is Dialect.REF
    # The reference implementation answers for each finding, but what was asked by condition or treatment together.
    each = is_ref and bool(inputs.variants or inputs.ranges or inputs.haplotypes)
    again = is_ref and bool(inputs.haplotypes)
    for one in found:
        for derived in [[finding] for finding in one.findings] if each else [one.findings]:
            yield as_parameter("implication", rendered(one, derived, concepts, subject_id, ref=is_ref))
            for finding in derived:
                if finding.id in shown and not again:
                    continue
                shown.add(finding.id)
                for name, resource in finding.beside:
                    yield as_parameter(name, resource)
                yield as_parameter(finding.name, finding.resource)


def rendered(
    one: Implication, derived: Sequence[Finding], concepts: dict[int, Concept], subject_id: str, *, ref: bool
) -> str:
    """Return the Observation of an implication that is derived from some findings."""
    item = one.item
    offset = item.item_id - one.release.first_item
    implied = Implied(
        implication_id(derived, one.release.name, item.row_id, offset),
        subject_id,
        [finding.id for finding in derived],
        knowledge_base=f"{one.release.label} {one.release.version}",
        identifiers=item.identifiers,
        note=note_of(item),
    )
    conditions = [concepts[number] for number in item.concepts.get(Role.CONDITION, ())]
    if item.kind is ItemKind.DIAGNOSTIC:
        return render_diagnostic(implied, item.statement, conditions, item.evidence)
    medications = [concepts[number] for number in item.concepts.get(Role.MEDICATION, ())]
    return render_therapeutic(implied, item.statement, conditions, medications, item.evidence, ref=ref)


def note_of(item: StoredItem) -> str:
    """Return what a reader should know of an item besides, the rule that led to it first."""
    return "; ".join(
        text for text in (f"By rule: {item.rule.words}" if item.rule is not None else "", item.note) if text
    )


def _of_population(context: OperationContext, inputs: OperationInputs, kind: ItemKind) -> bytes:
    if not _has_criteria(inputs):
        if inputs.dialect is Dialect.REF:
            return parameters([])
        raise InvalidInput("At least one of 'variants', 'haplotypes', 'treatments' or 'conditions' is required")
    if inputs.dialect is Dialect.REF and inputs.variants and inputs.haplotypes:
        return parameters([])
    with context.database.read() as session:
        active = ActiveKnowledge(session, kind)
        statements = Statements(session, kind)
        require_knowledge(active, kind, statements)
        question = sought(session, active, statements, inputs)
        wanted = wanted_concepts(active, question)
        counting = context.consent.counted(session, pharmacogenomic=kind is ItemKind.THERAPEUTIC)
        members: list[Shards] = []
        if not inputs.haplotypes:
            members.append(population_of_variants(context, session, active, inputs, wanted))
        if kind is ItemKind.THERAPEUTIC and not inputs.variants:
            members.append(_population_of_genotypes(context, session, active, inputs, wanted))
        members.append(stated.population(context, session, statements, inputs, question))
        everyone = counting.of(carriers.union(members))
        names = names_in(session, [everyone]) if inputs.include_patient_list else None
    return parameters([counted("implications", everyone, names, counting)])


def counted(name: str, members: Shards, names: dict[int, str] | None, counting: Counted) -> list[str]:
    """Return the one parameter of a population operation that has no item."""
    return counted_parameter(
        name,
        None,
        "",
        numerator=carriers.size(members),
        denominator=counting.denominator,
        subjects=listed(members, names) if names is not None else None,
    )


def population_of_variants(
    context: OperationContext, session: Session, active: ActiveKnowledge, inputs: OperationInputs, wanted: Wanted
) -> Shards:
    """Return who carries a variant that an item meeting every criterion is about."""
    if not inputs.variants:
        by_copies = rule_findings.who_by_copies(session, active, lambda item: meets(item, wanted), inputs.source_class)
        return carriers.union([_population_of_targets(session, active, inputs, wanted), by_copies])
    return _carriers_of(session, active, inputs, wanted, _named(context, session, inputs))


def _named(context: OperationContext, session: Session, inputs: OperationInputs) -> set[int]:
    """Return the stored variants that the variants of a question are."""
    texts = [text for group in inputs.variants for text in group]
    placements = identified(context, texts)
    refuse_unplaced(session, placements, texts)
    return {variant_id for found in variants.find(session, placements) for variant_id in found}


def _population_of_targets(
    session: Session, active: ActiveKnowledge, inputs: OperationInputs, wanted: Wanted
) -> Shards:
    if len(wanted) == 1:
        (concepts,) = wanted.values()
        return knowledge_unions.fetch(session, sorted(concepts), inputs.source_class)
    return _carriers_of(session, active, inputs, wanted, _counted_targets(active, wanted))


def _carriers_of(
    session: Session, active: ActiveKnowledge, inputs: OperationInputs, wanted: Wanted, candidates: Iterable[int]
) -> Shards:
    known = active.of_variants(sorted(candidates))
    kept = [
        variant_id
        for variant_id, items in known.items()
        if any(meets(item, wanted) and (item.rule is None or not item.rule.counts_copies) for item in items)
    ]
    shards = carriers.shards_of(counters.values(session))
    classes = None if inputs.source_class is None else (inputs.source_class,)
    return carriers.united(session, [kept], classes, shards=shards)[0]


def _names_of_several(session: Session, keys: set[str]) -> dict[int, GenotypeName]:
    """Return the names of several variants, by number, that some keys may stand for."""
    symbols = genes_of_several(keys)
    if not symbols:
        return {}
    matched = BitMap.union(BitMap(), *names_matching(session, list(map(parse_token, symbols)), None))
    names = genotypes.names_of(session, list(matched))
    return {name_id: name for name_id, name in names.items() if SEVERAL in name.code}


def _population_of_genotypes(
    context: OperationContext, session: Session, active: ActiveKnowledge, inputs: OperationInputs, wanted: Wanted
) -> Shards:
    keyed: dict[str, BitMap] = {}
    if inputs.haplotypes:
        tokens = [token for group in inputs.haplotypes for token in group]
        matched = BitMap.union(BitMap(), *names_matching(session, tokens, context.reductions))
        for name_id, name in genotypes.names_of(session, list(matched)).items():
            keyed.setdefault(key_of(context, name), BitMap()).add(name_id)
    else:
        keys: set[str] | None = None
        for concepts in wanted.values():
            some = active.genotypes(concepts)
            keys = some if keys is None else keys & some
        keys = keys or set()
        keyed = genotype_index.with_keys(session, sorted(keys))
        for name_id, name in _names_of_several(session, keys).items():
            if (key := key_of(context, name)) in keys:
                keyed.setdefault(key, BitMap()).add(name_id)
    known = active.of_genotypes(sorted(keyed))
    kept = [keyed[key] for key, items in known.items() if any(meets(item, wanted) for item in items)]
    if not kept:
        return {}
    classes = None if inputs.source_class is None else classes_of_genotypes(inputs)
    shards = carriers.shards_of(counters.values(session))
    return genotype_index.who(session, [BitMap.union(*kept)], classes, shards=shards)[0]
