"""Structural variants that meet rules of the knowledge: their calls as findings, and who has one.

Which sites meet a rule is known from the store (``app.store.knowledge_rules``). A number of copies is a matter of each
call, and is looked at here, for the answers about a subject and for those about everybody alike.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import islice

import numpy as np
import orjson
from pyroaring import BitMap

from app.operations.context import OperationContext
from app.operations.findings import Finding
from app.operations.structural_matching import StructuralHits, StructuralMatcher
from app.operations.structural_rendering import observations
from app.records import SourceClass, StructuralKind
from app.store import bitmaps, calls, carriers, counters, structural_calls, structural_sites
from app.store.calls import CallSet
from app.store.carriers import Shards
from app.store.knowledge import ActiveKnowledge
from app.store.knowledge_codec import StoredItem, StoredRule
from app.store.session import Session
from app.store.structural_codec import StructuralCall
from app.store.structural_sites import StructuralSite
from app.variants.extent import Relation
from app.variants.interval import Interval

_BATCH = 1000
"""Subjects whose calls are read at a time"""
_BETWEEN = re.compile(r"[/|]")


@dataclass(frozen=True, slots=True)
class SiteFinding:
    """A structural call and its Observation."""

    call_set: CallSet
    site: StructuralSite
    call: StructuralCall
    finding: Finding


def meets_copies(rule: StoredRule, call_set: CallSet, site: StructuralSite, call: StructuralCall) -> bool:
    """Return whether the number of copies of a call is one that a rule asks for; an unknown number never is."""
    if not rule.counts_copies:
        return True
    copies = Decimal(call.copy_number) if call.copy_number else _copies_left(call_set, site, call)
    if copies is None:
        return False
    least, most = rule.copies_min, rule.copies_max
    return (least is None or copies >= least) and (most is None or copies <= most)


def _copies_left(call_set: CallSet, site: StructuralSite, call: StructuralCall) -> int | None:
    """Return how many copies a deletion leaves where its genotype shows it; None where it does not.

    The genotype shows it where every allele is called and is the reference or the deletion itself. In other tissue than
    the germline a genotype tells of some cells only.
    """
    if site.kind is not StructuralKind.DEL or call_set.source_class is not SourceClass.GERMLINE:
        return None
    alleles = _BETWEEN.split(call.genotype.text.lstrip("/|"))
    if not {"0", str(call.genotype.allele)}.issuperset(alleles):
        return None
    return alleles.count("0")


def in_ranges(
    context: OperationContext, session: Session, call_sets: Sequence[CallSet], ranges: Sequence[Interval]
) -> list[StructuralHits]:
    """Return the structural calls that may touch any of some ranges, each once."""
    matcher = StructuralMatcher(
        session, context.liftover, Relation.INTERSECTS, widen_max=context.settings.lift_widen_max
    )
    merged: dict[int, StructuralHits] = {}
    for hits in (hits for found in matcher.calls(call_sets, ranges) for hits in found):
        known = merged.get(id(hits.chunk))
        merged[id(hits.chunk)] = _with_rows(hits, hits.rows if known is None else np.union1d(known.rows, hits.rows))
    return list(merged.values())


def calls_of(session: Session, call_sets: Sequence[CallSet], site_ids: Iterable[int]) -> list[StructuralHits]:
    """Return the calls of some sites in some call sets; ids that are of no structural site have none."""
    sites = structural_sites.fetch(session, sorted(site_ids))
    contigs = sorted({site.contig for site in sites.values()})
    chunks = structural_calls.read_chunks(
        session, [(one.shard, one.call_set_id, contig) for one in call_sets for contig in contigs]
    )
    every = [
        StructuralHits(call_set, contig, chunk, np.arange(len(chunk)), chunk.native[0])
        for call_set in call_sets
        for contig in contigs
        for chunk in chunks.get((call_set.call_set_id, contig), ())
    ]
    return only(every, sites)


def only(hits: Iterable[StructuralHits], site_ids: Iterable[int]) -> list[StructuralHits]:
    """Return those calls that are of some sites."""
    wanted = np.array(sorted(site_ids), dtype=np.int64)
    chosen = [_with_rows(one, one.rows[np.isin(one.chunk.site[one.rows], wanted)]) for one in hits]
    return [one for one in chosen if len(one.rows)]


def _with_rows(hits: StructuralHits, rows: structural_sites.Ints) -> StructuralHits:
    return replace(hits, rows=rows, starts=hits.chunk.native[0][rows])


def sites_in(hits: Iterable[StructuralHits]) -> set[int]:
    """Return the sites that some calls are of."""
    return {site for one in hits for site in one.chunk.site[one.rows].tolist()}


def findings_of(session: Session, hits: Sequence[StructuralHits]) -> dict[int, list[SiteFinding]]:
    """Return some calls by site, with their Observations; all calls that a call set has of a site are to be given."""
    sites = structural_sites.fetch(session, sorted(sites_in(hits)))
    of_call_set: dict[int, list[StructuralHits]] = {}
    for one in hits:
        of_call_set.setdefault(one.call_set.call_set_id, []).append(one)
    found: dict[int, list[SiteFinding]] = {}
    for some in of_call_set.values():
        ids = [site for one in some for site in one.chunk.site[one.rows].tolist()]
        for id_, shown in zip(ids, observations(some, sites), strict=True):
            text = orjson.dumps(shown.observation).decode()
            finding = Finding(shown.site.contig, shown.site.native.start, shown.id, text)
            found.setdefault(id_, []).append(SiteFinding(some[0].call_set, shown.site, shown.call, finding))
    return found


def meeting(rule: StoredRule, found: Iterable[SiteFinding]) -> list[Finding]:
    """Return those of the calls of a site that meets the rest of a rule that have the copies it asks for, in order."""
    return sorted(one.finding for one in found if meets_copies(rule, one.call_set, one.site, one.call))


def sites_by_copies(active: ActiveKnowledge, is_wanted: Callable[[StoredItem], bool]) -> set[int]:
    """Return the sites that wanted items can be about, if the number of copies of a call is one that they ask for."""
    items = [item.item_id for item in active.counting_copies() if is_wanted(item)]
    return {site for sites in active.linked(items).values() for site in sites}


def who_by_copies(
    session: Session,
    active: ActiveKnowledge,
    is_wanted: Callable[[StoredItem], bool],
    source_class: SourceClass | None,
) -> Shards:
    """Return who has a call with the copies that the rule of a wanted item asks for.

    The calls of everybody who has one of the sites are read, so that nobody counts whom the answer about the subject
    would not name.
    """
    items = {item.item_id: item.rule for item in active.counting_copies() if is_wanted(item)}
    rules: dict[int, list[StoredRule]] = {}
    for item_id, linked in active.linked(sorted(items)).items():
        for site in linked:
            if (rule := items[item_id]) is not None:
                rules.setdefault(site, []).append(rule)
    if not rules:
        return {}
    sites = structural_sites.fetch(session, sorted(rules))
    classes = None if source_class is None else (source_class,)
    shards = carriers.shards_of(counters.values(session))
    [candidates] = carriers.united(session, [sorted(sites)], classes, shards=shards)
    found: Shards = {}
    for ordinals in _batches(carriers.ordinals(candidates)):
        of = calls.call_sets_of_ordinals(session, ordinals)
        chosen = {
            call_set.call_set_id: (ordinal, call_set)
            for ordinal, call_set in of
            if source_class is None or call_set.source_class is source_class
        }
        for hits in calls_of(session, [call_set for _, call_set in chosen.values()], sites):
            for row in hits.rows.tolist():
                site, call = int(hits.chunk.site[row]), hits.chunk.calls[row]
                if any(meets_copies(rule, hits.call_set, sites[site], call) for rule in rules[site]):
                    ordinal = chosen[hits.call_set.call_set_id][0]
                    found.setdefault(bitmaps.shard_of(ordinal), BitMap()).add(ordinal & bitmaps.LOW)
    return found


def _batches(ordinals: Iterable[int]) -> Iterator[list[int]]:
    walk = iter(ordinals)
    while some := list(islice(walk, _BATCH)):
        yield some
