"""Finding again the calls that statements are derived from, by what does not change when calls are placed anew.

Positions are zero-based, half-open.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from app.store import calls, structural_calls, structural_sites
from app.store.calls import Stretch
from app.store.codec import BIN
from app.store.session import Session
from app.store.structural_sites import StructuralSite


@dataclass(frozen=True, slots=True)
class Place:
    """Where a call was reported: in which call set, and REF and ALT at which position."""

    shard: int
    call_set_id: int
    contig: int
    position: int
    ref: str
    alt: str

    @property
    def runs(self) -> tuple[tuple[int, int], ...]:
        """Return the bins that its call is stored in.

        A call is stored in every bin that its contextual interval touches. However far the change rolls, that interval
        has a base of REF, or one beside it.
        """
        return ((max(self.position - 1, 0) // BIN, (self.position + len(self.ref)) // BIN),)


def variants_at(session: Session, places: Iterable[Place]) -> dict[Place, int]:
    """Return the variants of the calls that were reported at some places, in one statement; only of those found."""
    wanted = list(dict.fromkeys(places))
    chunks = calls.read_chunks(
        session, [Stretch(place.shard, place.call_set_id, place.contig, place.runs) for place in wanted]
    )
    found: dict[Place, int] = {}
    for place in wanted:
        for _, chunk in chunks.get((place.call_set_id, place.contig), ()):
            codes = {
                code: allele.anchor
                for code, allele in enumerate(chunk.alleles)
                if (allele.ref, allele.alt) == (place.ref, place.alt)
            }
            for code, anchor in codes.items():
                rows = np.flatnonzero((chunk.allele == code) & (chunk.start == place.position - anchor))
                if len(rows):
                    found[place] = int(chunk.variant[rows[0]])
                    break
            if place in found:
                break
    return found


def sites_of(
    session: Session, wanted: Iterable[tuple[int, int, int]]
) -> dict[tuple[int, int], dict[str, StructuralSite]]:
    """Return the structural sites of call sets on contigs, given as (shard, call set, contig), by what names them."""
    chunks = structural_calls.read_chunks(session, wanted)
    ids = {key: {site for chunk in found for site in chunk.site.tolist()} for key, found in chunks.items()}
    sites = structural_sites.fetch(session, sorted(set().union(*ids.values()))) if ids else {}
    return {key: {site_name(sites[id_]): sites[id_] for id_ in some} for key, some in ids.items()}


def site_name(site: StructuralSite) -> str:
    """Return what tells a site from all others, wherever it lies on the other build."""
    return f"{site.digest:016x}"
