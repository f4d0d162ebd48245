"""From the structural rows of a block to what the store keeps: sites on both builds, chunks of calls and carriers.

Positions are zero-based, half-open.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.formats.genotype import Genotype
from app.formats.vcf_structural import StructuralAllele, StructuralRow
from app.records import Build
from app.store import structural_sites
from app.store.bitmaps import kind_of, shard_of
from app.store.runs import PlannedCallSet
from app.store.session import Session
from app.store.structural_codec import ENDS, StructuralCall, StructuralChunk, encode
from app.store.structural_sites import StructuralSite
from app.variants.extent import Extent, lift_extent
from app.variants.liftover import Liftover

Ints = NDArray[np.int64]
StructuralChunkRow = tuple[int, int, int, int, bytes]
_NOWHERE = (-1,) * len(ENDS)


@dataclass(frozen=True, slots=True)
class StoredStructural:
    """What the structural calls of one block add to the store; the carriers are parallel columns."""

    chunks: list[StructuralChunkRow]
    site: Ints
    ordinal: Ints
    kind: Ints


def store_structural(
    session: Session,
    rows: Sequence[StructuralRow],
    genotypes: Sequence[Genotype],
    *,
    contig: int,
    build: Build,
    plan: Sequence[PlannedCallSet],
    liftover: Liftover,
    part: int,
) -> StoredStructural:
    """Add the sites of a block and return its chunks and carriers; runs inside the writer's transaction."""
    resolved = structural_sites.resolve(session, [_site(row.allele, contig, build, liftover) for row in rows])
    sites = [site for _, site in resolved]
    carried: list[tuple[int, int, int]] = []
    of_sample: dict[int, list[tuple[int, int, StructuralCall]]] = defaultdict(list)
    for at, (row, (id_, _)) in enumerate(zip(rows, resolved, strict=True)):
        allele = row.allele
        for sample, number, copies in zip(row.samples, row.genotypes, row.copy_numbers, strict=True):
            genotype = genotypes[number]
            call = StructuralCall(genotype, copies, row.filters, allele.name, allele.mate, allele.event)
            of_sample[sample].append((at, id_, call))
            entry = plan[sample]
            carried.append((id_, entry.subject.ordinal, kind_of(entry.source_class, genotype.zygosity)))
    chunks = [
        (
            shard_of(plan[sample].subject.ordinal), plan[sample].call_set_id, contig, part,
            encode(_chunk(calls, sites)),
        )
        for sample, calls in sorted(of_sample.items())
    ]  # fmt: skip
    columns: Any = np.array(carried, dtype=np.int64).reshape(len(carried), 3).T
    return StoredStructural(chunks, *columns)


def _site(allele: StructuralAllele, contig: int, build: Build, liftover: Liftover) -> StructuralSite:
    lifted = lift_extent(liftover, build, contig, allele.extent)
    return StructuralSite(
        contig, allele.kind, build, lifted.status, allele.extent, lifted.extent, allele.ref, allele.alt, allele.length,
        allele.imprecise,
    )  # fmt: skip


def _chunk(calls: Sequence[tuple[int, int, StructuralCall]], sites: Sequence[StructuralSite]) -> StructuralChunk:
    """Return the calls of one sample sorted by start; equal sites stay in the order of the file."""
    ordered = sorted(calls, key=lambda call: sites[call[0]].native.start)
    chosen = [sites[at] for at, _, _ in ordered]
    return StructuralChunk(
        np.array([id_ for _, id_, _ in ordered], dtype=np.int64),
        np.array([site.kind for site in chosen], dtype=np.int64),
        _columns([site.native for site in chosen]),
        _columns([site.other for site in chosen]),
        [call for _, _, call in ordered],
    )


def _columns(extents: Sequence[Extent | None]) -> Ints:
    rows = [astuple(extent) if extent is not None else _NOWHERE for extent in extents]
    return np.array(rows, dtype=np.int64).T
