"""Placing stored structural sites anew when a chain has arrived since they were ingested.

A site says on which build and where it was reported, so its place on the other one can be sought at any time as at its
ingest. Sequence changes no place of a site; it only shows which of them contradict it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from app.operations.context import Genome
from app.records import Build
from app.store import structural_calls, structural_moves, structural_sites
from app.store.rejustify import UNSETTLED, Changes, Target
from app.store.session import Session
from app.store.structural_sites import StructuralSite
from app.variants.accessions import accession
from app.variants.extent import lift_extent
from app.variants.liftover import Liftover
from app.variants.placed_batch import CONTRADICTS
from ingest.structural_reference import check_ref, knows_its_base, position_of


def place_sites(
    session: Session, genome: Genome, contig: int, targets: Sequence[Target], contradicting: Counter[str]
) -> Changes:
    """Place the sites of one contig anew, count the calls that contradict the sequence, and return what changed."""
    sites = structural_sites.on_contig(session, contig)
    if not sites:
        return Changes()
    contradicting += _calls_of(session, contig, _contradicting(genome, contig, sites), targets)
    sources = {chain.source for chain in genome.liftover.sources}
    moved = {}
    for id_, site in sites.items():
        if site.status in UNSETTLED and site.build in sources:
            again = _lifted(site, genome.liftover)
            if again != site:
                moved[id_] = again
    return Changes(call_sets=structural_moves.move(session, contig, moved), updated=len(moved))


def _lifted(site: StructuralSite, liftover: Liftover) -> StructuralSite:
    lifted = lift_extent(liftover, site.build, site.contig, site.native)
    return replace(site, other=lifted.extent, status=lifted.status)


def _contradicting(genome: Genome, contig: int, sites: Mapping[int, StructuralSite]) -> list[int]:
    """Return the sites whose REF is not what the loaded sequence has there."""
    references = {build: genome.placer.reference(build, contig) for build in Build}
    wrong = []
    for id_, site in sites.items():
        if not knows_its_base(site.alt, site.native, imprecise=site.imprecise):
            continue
        position = position_of(site.kind, site.native.start, site.ref, site.alt)
        if check_ref(references[site.build], accession(site.build, contig), position, site.ref) == CONTRADICTS:
            wrong.append(id_)
    return wrong


def _calls_of(session: Session, contig: int, wrong: Sequence[int], targets: Sequence[Target]) -> Counter[str]:
    """Return how many calls of some sites each source has."""
    found: Counter[str] = Counter()
    for target in targets if wrong else ():
        key = (target.shard, target.call_set_id, contig)
        for chunk in structural_calls.read_chunks(session, [key]).get(key[1:], ()):
            found[target.source] += int(np.count_nonzero(np.isin(chunk.site, wrong)))
    return +found
