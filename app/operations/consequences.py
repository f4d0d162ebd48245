"""Operations on molecular consequences: those that the active knowledge states, and those that Operon computes.

What a release, or the annotation of a file, states of a variant stands for itself; only where nothing is stated are
consequences computed along the loaded transcripts. Positions are zero-based.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from pyroaring import BitMap64

from app import __version__
from app.errors import ForbiddenCombination, InvalidInput, NotInstalled
from app.fhir import codes
from app.fhir.implication import ConsequenceFacts, Implied, as_parameter, render_consequence
from app.fhir.observation import parameters
from app.fhir.parameters import Dialect, OperationInputs
from app.fhir.tokens import is_same_system
from app.formats.annotations import AT_A_DISTANCE, Annotation
from app.formats.knowledge import Concept, ItemKind
from app.operations import findings, rule_findings
from app.operations import stated as stated_by_reports
from app.operations.context import OperationContext
from app.operations.findings import Finding
from app.operations.implication_ids import consequence_id
from app.operations.implications import counted, located, note_of
from app.operations.knowledge_query import Question, Sought, Wanted, meets, sought, wanted_concepts
from app.operations.limits import refuse_too_many
from app.operations.population import names_in, refuse_unplaced
from app.operations.query import chosen_call_sets
from app.operations.rule_findings import SiteFinding
from app.operations.subject_genotype import identified
from app.store import carriers, computed, consequence_sets, counters, knowledge_unions, variants
from app.store.carriers import Shards
from app.store.knowledge import ActiveKnowledge, Release
from app.store.knowledge_codec import Role, StoredItem, StoredRule
from app.store.session import Session
from app.store.stated import Statements
from app.variants.consequence import Consequence
from app.variants.consequence_terms import TERMS, impact_of
from app.variants.placement import Placement

_PIPELINE = f"Operon {__version__}"
_NEITHER = "You must supply either 'variants' or 'ranges'."
_BOTH = "You cannot supply both 'variants' and 'ranges'."
_FEWER = "ask for fewer variants or smaller ranges"


@dataclass(frozen=True, slots=True)
class Stated:
    """One consequence of a variant, and where it comes from."""

    origin: str
    """Release, or program: part of the resource's id"""
    what: str
    """What tells it from others of the same origin"""
    facts: ConsequenceFacts
    knowledge_base: str = ""
    pipeline: str = ""
    identifiers: Sequence[tuple[str, str]] = ()
    note: str = ""
    rule: StoredRule | None = None
    """Rule by which it is stated"""


def find_subject_molecular_consequences(context: OperationContext, inputs: OperationInputs) -> bytes:
    """Answer ``$find-subject-molecular-consequences``: what a subject's variants do to transcripts and proteins."""
    if inputs.dialect is Dialect.REF:
        if inputs.variants and inputs.ranges:
            raise ForbiddenCombination(_BOTH)
        if not (inputs.variants or inputs.ranges):
            raise InvalidInput(_NEITHER)
    with context.database.read() as session:
        call_sets = chosen_call_sets(session, inputs)
        if not (inputs.variants or inputs.ranges or inputs.feature_consequences):
            return parameters([])
        active = ActiveKnowledge(session, ItemKind.CONSEQUENCE)
        statements = Statements(session, ItemKind.CONSEQUENCE)
        _check(context, active, inputs, statements)
        question = sought(session, active, statements, inputs)
        if not (inputs.variants or inputs.ranges):
            _refuse_incomplete(context, session, active, question[Role.TERM])
        calls = located(
            context,
            session,
            call_sets,
            inputs,
            active,
            targets=lambda: _targets(active, wanted_concepts(active, question)),
        )
        present = findings.present_in(calls.segments) | rule_findings.sites_in(calls.structural)
        stated = consequences_of(context, session, active, sorted(present))
        kept = _kept(stated, question)
        by_variant = findings.rendered(findings.only(calls.segments, kept), calls.lookups, context.naming)
        by_site = {}
        if calls.structural:
            by_site = rule_findings.findings_of(session, rule_findings.only(calls.structural, kept))
        asked = calls.segments if inputs.variants or inputs.ranges else None
        told = stated_by_reports.of_subject(
            context, session, statements, inputs, question, call_sets=call_sets, asked=asked
        )
    refuse_too_many(context, sum(map(len, kept.values())) + len(told), "consequences", "subject", mend=_FEWER)
    subject_id = call_sets[0].subject_id if call_sets else ""  # without calls there are no consequences
    is_ref = inputs.dialect is Dialect.REF
    entries = list(_flat(kept, by_variant, subject_id, ref=is_ref))
    shown = {finding.id for found in by_variant.values() for finding in found}
    entries += _flat_structural(kept, by_site, subject_id, shown, ref=is_ref)
    entries += stated_by_reports.flat(told, "consequence", shown, inputs)
    return parameters(entries)


def _targets(active: ActiveKnowledge, wanted: Wanted) -> BitMap64:
    """Return the variants and sites that consequences of the wanted terms can be stated of."""
    by_copies = rule_findings.sites_by_copies(active, lambda item: meets(item, wanted))
    return active.targets(wanted[Role.TERM]) | BitMap64(by_copies)


def find_population_molecular_consequences(context: OperationContext, inputs: OperationInputs) -> bytes:
    """Answer ``$find-population-molecular-consequences``: how many subjects have a variant with a consequence."""
    if not (inputs.variants or inputs.feature_consequences):
        raise InvalidInput("At least one of 'variants' or 'featureConsequences' is required")
    with context.database.read() as session:
        active = ActiveKnowledge(session, ItemKind.CONSEQUENCE)
        counting = context.consent.counted(session)
        statements = Statements(session, ItemKind.CONSEQUENCE)
        _check(context, active, inputs, statements)
        question = sought(session, active, statements, inputs)
        who = _who(context, session, active, inputs, question)
        told = stated_by_reports.population(context, session, statements, inputs, question)
        members = counting.of(carriers.union([who, told]))
        names = names_in(session, [members]) if inputs.include_patient_list else None
    return parameters([counted("consequences", members, names, counting)])


def _who(
    context: OperationContext, session: Session, active: ActiveKnowledge, inputs: OperationInputs, question: Question
) -> Shards:
    if not inputs.variants:
        _refuse_incomplete(context, session, active, question[Role.TERM])
        wanted = wanted_concepts(active, question)
        by_copies = rule_findings.who_by_copies(session, active, lambda item: meets(item, wanted), inputs.source_class)
        by_term = knowledge_unions.fetch(session, sorted(wanted[Role.TERM]), inputs.source_class)
        return carriers.union([by_term, by_copies])
    texts = [text for group in inputs.variants for text in group]
    placements = identified(context, texts)
    refuse_unplaced(session, placements, texts)
    stored = variants.find(session, placements)
    candidates = sorted({variant_id for found in stored for variant_id in found})
    kept = _kept(consequences_of(context, session, active, candidates), question)
    classes = None if inputs.source_class is None else (inputs.source_class,)
    shards = carriers.shards_of(counters.values(session))
    return carriers.united(session, [sorted(kept)], classes, shards=shards)[0]


def _check(context: OperationContext, active: ActiveKnowledge, inputs: OperationInputs, statements: Statements) -> None:
    """Refuse a question that cannot be answered.

    Raises:
        NotInstalled: there is nothing to tell consequences by.
        InvalidInput: a token is of a system that consequences are not coded in.
    """
    if context.predictor is None and active.is_empty() and statements.is_empty:
        raise NotInstalled(
            "No consequences are known: load transcripts ('operon reference add-transcripts') to compute them, or"
            " knowledge ('operon knowledge load consequence')"
        )
    for token in inputs.feature_consequences:
        if token.system and not is_same_system(token.system, codes.SEQUENCE_ONTOLOGY):
            raise InvalidInput(
                f"featureConsequences cannot be evaluated: consequences are coded in {codes.SEQUENCE_ONTOLOGY} alone",
                parameter="featureConsequences",
            )


def _refuse_incomplete(context: OperationContext, session: Session, active: ActiveKnowledge, asked: Sought) -> None:
    """Refuse a question by terms alone whose answer would be short.

    Raises:
        NotInstalled: carried variants wait to be examined, and nothing states consequences of them; or those that
            were found cannot be computed here.
        InvalidInput: a term is meant that is neither stored of files nor examined.
    """
    unstated = computed.carried(session) - consequence_sets.active(session)
    if context.predictor is None:
        if unstated and (known := computed.release(session)) is not None and known.active:
            raise NotInstalled(
                "featureConsequences alone cannot be evaluated: consequences were computed by transcripts that are not"
                " loaded here. Load them, or run 'operon knowledge deactivate computed'"
            )
    elif computed.unanswered(session, context.consequence_version):
        known = computed.release(session)
        mend = "operon knowledge compute"
        if known is not None and not known.active and known.version == context.consequence_version:
            mend = "operon knowledge activate computed"
        raise NotInstalled(
            "featureConsequences alone cannot be evaluated: not every variant was examined for consequences with what"
            f" is loaded here. Run '{mend}', or give variants or ranges"
        )
    distant = sorted(
        name for name in AT_A_DISTANCE if asked.is_met_by(Concept(codes.SEQUENCE_ONTOLOGY, TERMS[name].accession, name))
    )
    may_be_short = context.predictor is not None or active.has_annotations()
    if distant and may_be_short and unstated:
        raise InvalidInput(
            f"featureConsequences alone cannot be evaluated for {', '.join(distant)}: variants in introns and between"
            " genes are not examined for it. Name other terms, or give variants or ranges",
            parameter="featureConsequences",
        )


def consequences_of(
    context: OperationContext, session: Session, active: ActiveKnowledge, variant_ids: Sequence[int]
) -> dict[int, list[Stated]]:
    """Return the consequences of variants: those that are stated, and where none is, those that are computed."""
    items = active.of_variants(variant_ids)
    by_item = stated_by(active, [item for found in items.values() for item in found])
    stated = {
        variant_id: [by_item[item.item_id] for item in found if item.item_id in by_item]
        for variant_id, found in items.items()
    }
    for variant_id, entries in active.annotations_of(variant_ids).items():
        stated.setdefault(variant_id, []).extend(_annotated(entries))
    silent = [variant_id for variant_id in variant_ids if not stated.get(variant_id)]
    if context.predictor is not None and silent:
        for variant_id, placement in variants.placements_of(session, silent).items():
            stated[variant_id] = _computed(context, placement)
    return stated


def stated_by(active: ActiveKnowledge, items: Sequence[StoredItem]) -> dict[int, Stated]:
    """Return what items state, by item."""
    concepts = active.named_concepts({number for item in items for number in item.concepts.get(Role.TERM, ())})
    found = {item.item_id: _stated(active, item, concepts) for item in items}
    return {item_id: one for item_id, one in found.items() if one is not None}


def _stated(active: ActiveKnowledge, item: StoredItem, concepts: Mapping[int, Concept]) -> Stated | None:
    release = active.release_of(item.item_id)
    if release is None:
        return None
    terms = [concepts[number] for number in item.concepts.get(Role.TERM, ())]
    impact = item.impact or impact_of(term.display for term in terms if term.display in TERMS) or ""
    facts = ConsequenceFacts(item.coding_hgvs, item.transcript, item.protein_hgvs, terms, item.effects, impact)
    offset = item.item_id - release.first_item
    return Stated(
        release.name,
        f"{item.row_id} {offset}",
        facts,
        knowledge_base=f"{release.label} {release.version}",
        identifiers=item.identifiers,
        note=note_of(item) if item.rule is not None else "",
        rule=item.rule,
    )


def _annotated(entries: Sequence[tuple[Release, Sequence[Annotation]]]) -> Iterator[Stated]:
    """Yield what tools wrote of a variant into the files that brought it."""
    for release, said in entries:
        for offset, one in enumerate(said):
            yield Stated(release.name, str(offset), _facts(one), pipeline=f"{release.label} {release.version}")


def _computed(context: OperationContext, placement: Placement) -> list[Stated]:
    if context.predictor is None or not placement.justified:
        return []
    return [
        Stated(_PIPELINE, one.transcript, _facts(one), pipeline=_PIPELINE)
        for one in context.predictor.predict(placement.canonical)
    ]


def _facts(one: Consequence | Annotation) -> ConsequenceFacts:
    terms = [Concept(codes.SEQUENCE_ONTOLOGY, TERMS[name].accession, name) for name in one.terms]
    protein = f"{one.protein_accession}:{one.protein}" if one.protein_accession and one.protein else one.protein or ""
    return ConsequenceFacts(one.coding or "", one.transcript or "", protein, terms, (), one.impact or "")


def _kept(stated: Mapping[int, Sequence[Stated]], question: Question) -> dict[int, list[Stated]]:
    """Return the consequences with one of the terms that a question asks by, all of them where it asks by none."""
    asked = question.get(Role.TERM)
    kept = {
        variant_id: [one for one in found if asked is None or any(map(asked.is_met_by, one.facts.terms))]
        for variant_id, found in stated.items()
    }
    return {variant_id: found for variant_id, found in kept.items() if found}


def _flat(
    kept: Mapping[int, Sequence[Stated]], by_variant: Mapping[int, Sequence[Finding]], subject_id: str, *, ref: bool
) -> Iterator[list[str]]:
    """Yield the parameters of an answer: the consequences of a variant, and after them its calls."""
    for variant_id in sorted(by_variant, key=lambda one: by_variant[one][0]):
        found = by_variant[variant_id]
        for derived in [[finding] for finding in found] if ref else [found]:
            for one in kept[variant_id]:
                yield as_parameter("consequence", rendered(one, derived, subject_id, ref=ref))
            for finding in derived:
                yield as_parameter(finding.name, finding.resource)


def _flat_structural(
    kept: Mapping[int, Sequence[Stated]],
    by_site: Mapping[int, Sequence[SiteFinding]],
    subject_id: str,
    shown: set[str],
    *,
    ref: bool,
) -> Iterator[list[str]]:
    """Yield the parameters of an answer that are about structural variants: consequences, and after them the calls.

    The ids of the calls are added to ``shown``.
    """
    for site in sorted(by_site, key=lambda one: by_site[one][0].finding):
        called: dict[str, Finding] = {}
        for one in kept[site]:
            found = rule_findings.meeting(one.rule, by_site[site]) if one.rule is not None else []
            for derived in [[finding] for finding in found] if ref else [found] if found else []:
                yield as_parameter("consequence", rendered(one, derived, subject_id, ref=ref))
            called |= {finding.id: finding for finding in found}
        shown.update(called)
        for finding in sorted(called.values()):
            yield as_parameter(finding.name, finding.resource)


def rendered(one: Stated, derived: Sequence[Finding], subject_id: str, *, ref: bool) -> str:
    """Return the Observation of a consequence that is derived from some calls."""
    implied = Implied(
        consequence_id(derived, one.origin, one.what),
        subject_id,
        [finding.id for finding in derived],
        knowledge_base=one.knowledge_base,
        pipeline=one.pipeline,
        identifiers=one.identifiers,
        note=one.note,
    )
    return render_consequence(implied, one.facts, ref=ref)
