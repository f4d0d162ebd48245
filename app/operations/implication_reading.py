"""Implications and consequences read again by their ids, made by the same code as in the answers that named them.

An id leads to the calls at one place, or to a genotype. Which findings an implication was derived from depends on the
filters of the question, so all that filters can choose are tried: any choice of the subject's call sets, and one call
alone, as the reference implementation answers.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import combinations
from re import Match

from app.fhir.genotype import genotype_id
from app.fhir.parameters import Dialect
from app.formats.knowledge import ItemKind
from app.operations import consequences, findings, implications, rule_findings
from app.operations.context import OperationContext
from app.operations.findings import Finding
from app.operations.genotype_keys import key_of
from app.operations.haplotypes import rendered_statement
from app.operations.implication_ids import consequence_id, implication_id
from app.operations.implications import Implication, is_of_pharmacogenomics
from app.operations.matching import calls_at
from app.operations.rule_findings import SiteFinding
from app.store import calls, genotypes, structural_calls
from app.store.calls import CallSet
from app.store.genotypes import Genotype
from app.store.knowledge import ActiveKnowledge
from app.store.knowledge_codec import StoredItem
from app.store.session import Session

_MOST_SETS = 8
"""Of so many call sets every choice is tried; of more only all of them, each alone, and single calls"""
_MOST_FINDINGS = 10
"""Of so many findings every choice is tried, since a question may name one of several variants of an item"""


def read_implication(context: OperationContext, match: Match[str]) -> bytes | None:
    """Return the implication or consequence of variants with an id; None if nothing active implies it."""
    prefix, uid, contig, start, _ = match.groups()
    with context.database.read() as session:
        call_set = calls.call_set_named(session, uid)
        if call_set is None:
            return None
        segments, _ = calls_at(session, call_set, int(contig), (int(start),))
        variant_ids = sorted(findings.present_in(segments))
        every = calls.call_sets_of(session, call_set.subject_id)
        if prefix == "mc":
            return _consequence(context, session, every, variant_ids, match[0])
        for kind in (ItemKind.DIAGNOSTIC, ItemKind.THERAPEUTIC):
            active = ActiveKnowledge(session, kind)
            for variant_id, items in active.of_variants(variant_ids).items():
                for item in items:
                    # Each variant that meets a rule meets it for itself.
                    about = active.variants_of(item.item_id) if item.rule is None else [variant_id]
                    groups = _by_call_set(context, session, every, about)
                    found = _implied(active, item, groups, call_set.subject_id, match[0])
                    if found is not None:
                        release = active.release_of(item.item_id)
                        if release is not None and is_of_pharmacogenomics(release):
                            context.consent.require_pharmacogenomics(call_set.subject_id)
                        return found
    return None


def read_structural_implication(context: OperationContext, match: Match[str]) -> bytes | None:
    """Return the implication or consequence of structural variants with an id; None if no active rule implies it."""
    prefix, uid, contig, start, _ = match.groups()
    with context.database.read() as session:
        call_set = calls.call_set_named(session, uid)
        if call_set is None:
            return None
        key = (call_set.shard, call_set.call_set_id, int(contig))
        chunks = structural_calls.read_chunks(session, [key]).get(key[1:], ())
        ids = {site for chunk in chunks for site in chunk.site[chunk.native[0] == int(start)].tolist()}
        every = calls.call_sets_of(session, call_set.subject_id)
        by_site = rule_findings.findings_of(session, rule_findings.calls_of(session, every, ids))
        if prefix == "mc":
            return _structural_consequence(session, by_site, match[0])
        for kind in (ItemKind.DIAGNOSTIC, ItemKind.THERAPEUTIC):
            active = ActiveKnowledge(session, kind)
            for site, items in active.of_variants(sorted(ids)).items():
                for item in items:
                    found = _implied(active, item, _grouped(item, by_site[site]), call_set.subject_id, match[0])
                    if found is not None:
                        return found
    return None


def _grouped(item: StoredItem, found: Sequence[SiteFinding]) -> list[list[Finding]]:
    """Return the calls of a site that meet the rule of an item, those of each call set together."""
    if item.rule is None:
        return []
    groups: dict[int, list[SiteFinding]] = {}
    for one in found:
        groups.setdefault(one.call_set.call_set_id, []).append(one)
    meeting = [rule_findings.meeting(item.rule, some) for some in groups.values()]
    return [some for some in meeting if some]


def read_genotype_implication(context: OperationContext, match: Match[str]) -> bytes | None:
    """Return the implication of genotypes with an id; None if nothing active implies it."""
    with context.database.read() as session:
        named = genotypes.with_uid(session, match[1])
        if named is None:
            return None
        context.consent.require_pharmacogenomics(named.subject_id)
        active = ActiveKnowledge(session, ItemKind.THERAPEUTIC)
        keyed: dict[str, list[Finding]] = {}
        for one in genotypes.of_subject(session, named.subject_id):
            keyed.setdefault(key_of(context, one.name), []).append(_genotype_finding(one))
        asked = key_of(context, named.name)
        known = active.of_genotypes(sorted(keyed))
        for item in known.get(asked, ()):
            release = active.release_of(item.item_id)
            if release is None:
                continue
            # An item may be about several genotypes of the subject.
            groups = [[finding] for key in sorted(known) if item in known[key] for finding in keyed[key]]
            text = _tried(active, Implication(item, release, ()), _choices_of(groups), named.subject_id, match[0])
            if text is not None:
                return text
    return None


def _genotype_finding(one: Genotype) -> Finding:
    _, resource = rendered_statement(one, Dialect.IG)
    return Finding(0, 0, genotype_id(one.uid), resource, "genotype")


def _implied(
    active: ActiveKnowledge, item: StoredItem, groups: Sequence[Sequence[Finding]], subject_id: str, id_: str
) -> bytes | None:
    release = active.release_of(item.item_id)
    if release is None:
        return None
    return _tried(active, Implication(item, release, ()), map(sorted, _choices_of(groups)), subject_id, id_)


def _tried(
    active: ActiveKnowledge, one: Implication, choices: Iterable[list[Finding]], subject_id: str, id_: str
) -> bytes | None:
    for derived in choices:
        offset = one.item.item_id - one.release.first_item
        if implication_id(derived, one.release.name, one.item.row_id, offset) == id_:
            numbers = {number for some in one.item.concepts.values() for number in some}
            return implications.rendered(one, derived, active.named_concepts(numbers), subject_id, ref=False).encode()
    return None


def _consequence(
    context: OperationContext, session: Session, call_sets: Sequence[CallSet], variant_ids: Sequence[int], id_: str
) -> bytes | None:
    active = ActiveKnowledge(session, ItemKind.CONSEQUENCE)
    for variant_id, stated in consequences.consequences_of(context, session, active, variant_ids).items():
        for derived in map(sorted, _choices_of(_by_call_set(context, session, call_sets, [variant_id]))):
            for one in stated:
                if consequence_id(derived, one.origin, one.what) == id_:
                    return consequences.rendered(one, derived, call_sets[0].subject_id, ref=False).encode()
    return None


def _structural_consequence(session: Session, by_site: Mapping[int, Sequence[SiteFinding]], id_: str) -> bytes | None:
    active = ActiveKnowledge(session, ItemKind.CONSEQUENCE)
    for site, items in active.of_variants(sorted(by_site)).items():
        stated = consequences.stated_by(active, items)
        for item in items:
            for derived in _choices_of(_grouped(item, by_site[site])):
                one = stated[item.item_id]
                if consequence_id(derived, one.origin, one.what) == id_:
                    subject_id = by_site[site][0].call_set.subject_id
                    return consequences.rendered(one, derived, subject_id, ref=False).encode()
    return None


def _by_call_set(
    context: OperationContext, session: Session, call_sets: Sequence[CallSet], variant_ids: Sequence[int]
) -> list[list[Finding]]:
    """Return the findings of some variants, those of each call set together."""
    segments, lookups = findings.calls_of(session, call_sets, variant_ids)
    groups = []
    for call_set in call_sets:
        own = [segment for segment in segments if segment.call_set.call_set_id == call_set.call_set_id]
        found = findings.rendered(own, lookups, context.naming)
        if found:
            groups.append(sorted(one for some in found.values() for one in some))
    return groups


def _choices_of(groups: Sequence[Sequence[Finding]]) -> Iterator[list[Finding]]:
    """Yield what questions may have chosen of findings that come in groups, in the order of the groups."""
    sizes = range(len(groups), 0, -1) if len(groups) <= _MOST_SETS else (len(groups), 1)
    for size in sizes:
        for some in combinations(groups, size):
            yield [one for group in some for one in group]
    single = [one for group in groups if len(group) > 1 for one in group]
    if not single:
        return
    every = [one for group in groups for one in group]
    for size in range(len(every) - 1, 0, -1) if len(every) <= _MOST_FINDINGS else (1,):
        yield from map(list, combinations(every, size))
