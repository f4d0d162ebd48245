"""What reports state of their own subjects, in the answers of the operations on implications and consequences.

A statement is answered as a whole: it is derived from all its findings together, so it passes a filter of tests where
all of them do, and it is about a variant, a range or a haplotype where any of them is. How many subjects have one is
counted by the same rules.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from re import Match
from typing import Final

from pyroaring import BitMap

from app.fhir.genotype import haplotype_system
from app.fhir.implication import as_parameter
from app.fhir.parameters import Dialect, OperationInputs
from app.fhir.stated_implication import render_stated
from app.operations.context import OperationContext
from app.operations.findings import Finding
from app.operations.haplotypes import matching
from app.operations.knowledge_query import Question
from app.operations.matching import Segment
from app.operations.query import chosen_genotypes, classes_of_genotypes, named_subject
from app.operations.rendering import Naming
from app.operations.stated_findings import shown, variants_of
from app.operations.structural_matching import StructuralMatcher
from app.operations.subject_genotype import identified
from app.store import bitmaps, calls, carriers, counters, genotypes, stated, stated_places, structural_sites, variants
from app.store.calls import CallSet
from app.store.carriers import Shards
from app.store.genotypes import Genotype, GenotypeName
from app.store.session import Session
from app.store.stated import FindingKind, StatedFinding, StatedImplication, Statements
from app.variants.allele_names import search_text
from app.variants.extent import Relation

STATED: Final = re.compile("st-([0-9a-f]{16})")
"""Id of a statement of a report"""


@dataclass(frozen=True, slots=True)
class Told:
    """One statement with the Observations that it is derived from."""

    statement: StatedImplication
    findings: Sequence[Finding]


def stated_id(uid: str) -> str:
    """Return the id of a statement."""
    return f"st-{uid}"


def rendered(one: Told, *, ref: bool = False, names_origin: bool = True) -> str:
    """Return the Observation of a statement; without ``names_origin`` it says nothing that the report did not."""
    statement = one.statement
    return render_stated(
        statement.kind,
        statement.body,
        id_=stated_id(statement.uid),
        subject_id=statement.subject_id,
        derived_from=[finding.id for finding in one.findings],
        origin=f"Stated in the report of test {statement.test_id}" if names_origin else "",
        ref=ref,
    )


def flat(told: Sequence[Told], name: str, before: set[str], inputs: OperationInputs) -> Iterable[list[str]]:
    """Yield the parameters of an answer: each statement, followed by those of its findings that are not there yet."""
    is_ref = inputs.dialect is Dialect.REF
    # What the reference implementation found by haplotypes it repeats.
    again = is_ref and bool(inputs.haplotypes)
    for one in told:
        yield as_parameter(name, rendered(one, ref=is_ref))
        for finding in one.findings:
            if again or finding.id not in before:
                before.add(finding.id)
                for beside, resource in finding.beside:
                    yield as_parameter(beside, resource)
                yield as_parameter(finding.name, finding.resource)


def of_subject(
    context: OperationContext,
    session: Session,
    statements: Statements,
    inputs: OperationInputs,
    question: Question,
    *,
    call_sets: Sequence[CallSet],
    asked: Sequence[Segment] | None,
) -> list[Told]:
    """Return the statements that a question about a subject is answered with.

    ``call_sets`` pass the filters of the question; ``asked`` are the calls of its variants and ranges, None where it
    names neither.
    """
    if statements.is_empty:
        return []
    kept = [one for one in statements.of_subject(named_subject(session, inputs)) if _meets(one, question)]
    if not kept:
        return []
    chosen: list[Genotype] = []
    if any(not finding.is_called for one in kept for finding in one.findings):
        chosen = chosen_genotypes(session, inputs)
    usable = {call_set.uid for call_set in call_sets} | {one.uid for one in chosen}
    kept = [one for one in kept if all(finding.owner in usable for finding in one.findings)]
    if inputs.haplotypes:
        kept = _about(kept, _of_haplotypes(context, chosen, inputs, _findings(kept)))
    if asked is not None:
        kept = _about(kept, _in_calls(context, session, call_sets, inputs, asked=asked, some=_findings(kept)))
    by_finding = shown(session, call_sets, chosen, _findings(kept), naming=context.naming, dialect=inputs.dialect)
    return [
        Told(one, [by_finding[finding] for finding in one.findings])
        for one in kept
        if all(finding in by_finding for finding in one.findings)
    ]


def population(
    context: OperationContext, session: Session, statements: Statements, inputs: OperationInputs, question: Question
) -> Shards:
    """Return the subjects whose own questions a statement would answer."""
    if statements.is_empty:
        return {}
    wanted: set[int] = set()
    if inputs.variants:
        texts = [text for group in inputs.variants for text in group]
        wanted = {id_ for found in variants.find(session, identified(context, texts)) for id_ in found}
    kept = [
        one
        for one in _candidates(session, statements, question, wanted if inputs.variants else None)
        if _meets(one, question)
    ]
    if inputs.source_class is not None:
        classes = classes_of_genotypes(inputs)
        kept = [
            one
            for one in kept
            if all(
                finding.source_class is inputs.source_class if finding.is_called else finding.source_class in classes
                for finding in one.findings
            )
        ]
    if inputs.haplotypes:
        kept = _about(kept, _of_haplotypes(context, _genotypes_of(session, kept), inputs, _findings(kept)))
    if inputs.variants:
        located = variants_of(session, _call_sets_of(session, kept), _findings(kept))
        kept = _about(kept, {finding for finding, (_, variant_id) in located.items() if variant_id in wanted})
    shards: Shards = {}
    for one in kept:
        shards.setdefault(bitmaps.shard_of(one.ordinal), BitMap()).add(one.ordinal & bitmaps.LOW)
    return shards


def read_stated(context: OperationContext, match: Match[str]) -> bytes | None:
    """Return the statement with an id; None if there is none."""
    with context.database.read() as session:
        one = stated.with_uid(session, match[1])
        if one is None:
            return None
        found = everything(session, [one], context.naming)
    return rendered(found[0]).encode() if found else None


def everything(session: Session, wanted: Sequence[StatedImplication], naming: Naming | None) -> list[Told]:
    """Return some statements about one subject with all their findings, whatever a question would choose."""
    if not wanted:
        return []
    subject_id = wanted[0].subject_id
    call_sets = calls.call_sets_of(session, subject_id)
    listed = genotypes.of_subject(session, subject_id)
    by_finding = shown(session, call_sets, listed, _findings(wanted), naming=naming, dialect=Dialect.IG)
    return [Told(one, [by_finding[finding] for finding in one.findings]) for one in wanted]


def _meets(one: StatedImplication, question: Question) -> bool:
    """Return whether a statement has a concept of each criterion of a question."""
    return all(
        any(of is role and asked.is_met_by(concept) for of, concept in one.concepts) for role, asked in question.items()
    )


def _findings(some: Iterable[StatedImplication]) -> list[StatedFinding]:
    return list(dict.fromkeys(finding for one in some for finding in one.findings))


def _about(some: Iterable[StatedImplication], wanted: set[StatedFinding]) -> list[StatedImplication]:
    return [one for one in some if not wanted.isdisjoint(one.findings)]


def _of_haplotypes(
    context: OperationContext, listed: Iterable[Genotype], inputs: OperationInputs, some: Iterable[StatedFinding]
) -> set[StatedFinding]:
    """Return which findings are what a question names: a genotype, or a haplotype by itself."""
    named = {one.uid: one for one in listed}
    tokens = [token for group in inputs.haplotypes for token in group]
    found = set()
    for finding in some:
        if finding.owner not in named:
            continue
        one = named[finding.owner]
        if finding.kind is FindingKind.HAPLOTYPE:
            one = _haplotype(one, finding.name)
        if any(matching([one], token, context.reductions) for token in tokens):
            found.add(finding)
    return found


def _haplotype(one: Genotype, name: str) -> Genotype:
    """Return a haplotype of a genotype in the form in which words are looked for in it."""
    system = haplotype_system(one.name.system, one.name.code) or ""
    alone = GenotypeName(one.name.gene_id, one.name.gene_symbol, system, name)
    return Genotype(
        one.uid, one.subject_id, one.test_id, one.test_date, one.specimen_id, one.source_class, alone,
        search_text(one.name.gene_symbol, [name], hla=one.is_hla), one.is_hla,
    )  # fmt: skip


def _in_calls(
    context: OperationContext,
    session: Session,
    call_sets: Sequence[CallSet],
    inputs: OperationInputs,
    *,
    asked: Sequence[Segment],
    some: Sequence[StatedFinding],
) -> set[StatedFinding]:
    """Return which findings are among the calls that a question is about."""
    pairs = {
        (segment.call_set.call_set_id, variant_id)
        for segment in asked
        for variant_id in segment.chunk.variant[segment.rows].tolist()
    }
    found = {finding for finding, pair in variants_of(session, call_sets, some).items() if pair in pairs}
    structural = [finding for finding in some if finding.kind is FindingKind.STRUCTURAL]
    if structural and inputs.ranges and not inputs.variants:
        matcher = StructuralMatcher(
            session, context.liftover, Relation.INTERSECTS, widen_max=context.settings.lift_widen_max
        )
        hits = matcher.calls(call_sets, [one.interval for one in inputs.ranges])
        touched = {
            (one.call_set.uid, site)
            for some_hits in hits
            for one in some_hits
            for site in one.chunk.site[one.rows].tolist()
        }
        sites = structural_sites.fetch(session, sorted({site for _, site in touched}))
        names = {(uid, stated_places.site_name(sites[site])) for uid, site in touched}
        found |= {finding for finding in structural if (finding.owner, finding.name) in names}
    return found


def _candidates(
    session: Session, statements: Statements, question: Question, wanted: set[int] | None
) -> list[StatedImplication]:
    """Return statements among which are all that answer a question, found by what leads to few."""
    for role, asked in question.items():
        return statements.with_concept(role, asked.spellings(), asked.words)
    ordinals = statements.subjects()
    if wanted is not None:
        shards = carriers.shards_of(counters.values(session))
        carrying = carriers.united(session, [sorted(wanted)], None, shards=shards)[0] if wanted else {}
        ordinals &= set(carriers.ordinals(carrying))
    return statements.of_subjects(ordinals)


def _subjects_of(some: Iterable[StatedImplication]) -> list[str]:
    return sorted({one.subject_id for one in some})


def _genotypes_of(session: Session, some: Iterable[StatedImplication]) -> list[Genotype]:
    derived = [one for one in some if any(not finding.is_called for finding in one.findings)]
    return [one for subject_id in _subjects_of(derived) for one in genotypes.of_subject(session, subject_id)]


def _call_sets_of(session: Session, some: Iterable[StatedImplication]) -> list[CallSet]:
    derived = [one for one in some if any(finding.is_called for finding in one.findings)]
    return [one for subject_id in _subjects_of(derived) for one in calls.call_sets_of(session, subject_id)]
