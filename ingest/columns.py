"""From placed changes to the columns that the store keeps: variant rows, and the calls of each bin.

Everything works on columns; a Python object exists per distinct allele, genotype or chunk, never per call. Positions
are zero-based, half-open.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from app.formats.genotype import Genotype
from app.formats.vcf_block import RecordBlock
from app.records import Build, LiftStatus
from app.store import variants
from app.store.codec import BIN, SNV_CODE, SNVS, Allele, CallChunk, Placed, Placement, SingleCalls, encode
from app.store.variants import VariantColumns
from app.variants.placed_batch import PlacedBatch
from app.variants.spdi import reverse_complement

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class StoredRows:
    """How the variant rows of a block are stored: parallel columns, and the dictionaries that codes point into."""

    start: Ints
    end: Ints
    ids: Ints
    allele: Ints
    alleles: Sequence[Allele]
    placement: Ints
    placements: Sequence[Placement]

    @classmethod
    def of(cls, block: RecordBlock, batch: PlacedBatch, ids: Ints) -> StoredRows:
        """Return the columns of a block's rows, given where they lie and which variants they are."""
        allele, alleles = _allele_codes(block, batch)
        placement, placements = _placement_codes(batch)
        return cls(batch.start, batch.end, ids, allele, alleles, placement, placements)


def variant_columns(contig: int, build: Build, batch: PlacedBatch) -> VariantColumns:
    """Return the variants of a batch in the form of the variant table: canonical sequences first."""
    native_is_37 = build is Build.GRCH37
    start37, start38 = (batch.start, batch.other_start) if native_is_37 else (batch.other_start, batch.start)
    deleted, inserted = batch.deleted, batch.inserted
    deleted37: dict[int, str] = {}
    inserted37: dict[int, str] = {}
    differs = [at for at in _unlike(batch) if batch.other_start[at] >= 0]
    if differs:
        deleted, inserted = list(deleted), list(inserted)
        for at in differs:
            there = batch.other_deleted[at], batch.other_inserted[at]
            if native_is_37:
                deleted37[at], inserted37[at] = deleted[at], inserted[at]
                deleted[at], inserted[at] = there
            else:
                deleted37[at], inserted37[at] = there
    codes = map(SNV_CODE.get, zip(deleted, inserted, strict=True))
    change = [
        code if code is not None else variants.change_of(deleted[at], inserted[at]) for at, code in enumerate(codes)
    ]
    return VariantColumns(
        contig=contig,
        start37=start37,
        start38=start38,
        change=np.array(change, dtype=np.int64),
        status=batch.status.astype(np.int64),
        justified=batch.justified,
        deleted=deleted,
        inserted=inserted,
        deleted37=deleted37,
        inserted37=inserted37,
    )


def bins_of(
    block: RecordBlock, rows: StoredRows, calls: NDArray[np.intp], genotypes: Sequence[Genotype]
) -> Iterator[tuple[int, int, CallChunk]]:
    """Yield (sample, bin, chunk) of some calls of a block; a call is in every bin that its interval touches."""
    whole, cuts = _binned(block, rows, calls, genotypes)
    for sample, bin_, low, high in cuts:
        yield sample, bin_, whole.cut(low, high)


def encoded_bins_of(
    block: RecordBlock, rows: StoredRows, calls: NDArray[np.intp], genotypes: Sequence[Genotype]
) -> Iterator[tuple[int, int, bytes]]:
    """Yield the same with the chunks as they are stored."""
    whole, cuts = _binned(block, rows, calls, genotypes)
    alone = SingleCalls(whole) if whole.filter is None else None
    for sample, bin_, low, high in cuts:
        if high - low == 1 and alone is not None:
            yield sample, bin_, alone.encode(low)
        else:
            yield sample, bin_, encode(whole.cut(low, high))


def _binned(
    block: RecordBlock, rows: StoredRows, calls: NDArray[np.intp], genotypes: Sequence[Genotype]
) -> tuple[CallChunk, list[tuple[int, int, int, int]]]:
    """Return some calls of a block in the order of samples and bins, and (sample, bin, first, end) of each chunk."""
    filter_, filters = _filter_codes(block)
    row = block.row[calls]
    start, end = rows.start[row], rows.end[row]
    calls, bins = _spread(calls, start // BIN, np.maximum(start, end - 1) // BIN)
    row, sample = block.row[calls], block.sample[calls]
    start, ids = rows.start[row], rows.ids[row]
    order = np.lexsort((ids, start, bins, sample))
    calls, bins, row, sample, start = calls[order], bins[order], row[order], sample[order], start[order]
    edges = np.flatnonzero((np.diff(bins) != 0) | (np.diff(sample) != 0)) + 1
    whole = CallChunk(
        start=start,
        variant=ids[order],
        allele=rows.allele[row],
        placement=rows.placement[row],
        genotype=block.genotype[calls].astype(np.int64),
        alleles=rows.alleles,
        placements=rows.placements,
        genotypes=genotypes,
        depth=block.depth[calls],
        ref_depth=block.ref_depth[calls],
        alt_depth=block.alt_depth[calls],
        allele_depths=block.allele_depths[calls],
        frequency=block.frequency[calls],
        phase_set=block.phase_set[calls],
        filter=filter_[row] if filter_ is not None else None,
        filters=filters,
    ).without_absent()
    samples, numbers = sample.tolist(), bins.tolist()
    walk = pairwise([0, *edges.tolist(), len(calls)])
    return whole, [(samples[low], numbers[low], low, high) for low, high in walk if low < high]


def _allele_codes(block: RecordBlock, batch: PlacedBatch) -> tuple[Ints, list[Allele]]:
    """Return a code for every variant row, and the alleles by code: the single-base ones come first."""
    alleles = list(SNVS)
    known: dict[tuple[str, str, int, int, bool], int] = {}
    codes = []
    left, right, justified = batch.left.tolist(), batch.right.tolist(), batch.justified.tolist()
    for at, pair in enumerate(zip(block.refs, block.alts, strict=True)):
        code = SNV_CODE.get(pair)
        if code is None:
            key = (*pair, left[at], right[at], justified[at])
            code = known.get(key)
            if code is None:
                code = known[key] = len(alleles)
                alleles.append(Allele(*key))
        codes.append(code)
    return np.array(codes, dtype=np.int64), alleles


def _unlike(batch: PlacedBatch) -> list[int]:
    """Return the rows whose sequences differ between the builds; equal ones are the same objects as a rule."""
    walk = zip(batch.deleted, batch.other_deleted, batch.inserted, batch.other_inserted, strict=True)
    return [at for at, (d, od, i, oi) in enumerate(walk) if (d is not od or i is not oi) and (d != od or i != oi)]


def _placement_codes(batch: PlacedBatch) -> tuple[Ints, list[Placement]]:
    """Return a code for every variant row, and how its place on the other build follows from the native one."""
    placed = np.where(batch.other_start >= 0, int(Placed.FORWARD), int(Placed.NOWHERE))
    offset = np.where(batch.other_start >= 0, batch.other_start - batch.start, 0)
    same_span = (batch.other_end - batch.other_start) == (batch.end - batch.start)
    for at in np.flatnonzero(~same_span & (batch.other_start >= 0)).tolist():
        placed[at], offset[at] = Placed.LOOKUP, 0
    for at in _unlike(batch):
        if batch.other_start[at] < 0:
            continue
        here, there = (batch.deleted[at], batch.inserted[at]), (batch.other_deleted[at], batch.other_inserted[at])
        if tuple(map(reverse_complement, here)) == there:
            placed[at] = Placed.REVERSE
            offset[at] = batch.other_start[at] + batch.end[at]
        else:
            placed[at], offset[at] = Placed.LOOKUP, 0
    key = (offset * 4 + placed) * 16 + batch.status
    distinct, codes = np.unique(key, return_inverse=True)
    entries = [Placement(Placed(value // 16 % 4), LiftStatus(value % 16), value // 64) for value in distinct.tolist()]
    return codes, entries


def _filter_codes(block: RecordBlock) -> tuple[Ints | None, list[str]]:
    if block.filters is None:
        return None, []
    names = ["PASS", *sorted(set(block.filters) - {"PASS"})]
    code = {name: at for at, name in enumerate(names)}
    return np.array([code[name] for name in block.filters], dtype=np.int64), names


def _spread(calls: NDArray[np.intp], first: Ints, last: Ints) -> tuple[NDArray[np.intp], Ints]:
    """Return each call once for every bin that its interval touches, with the bin."""
    if (first == last).all():
        return calls, first
    repeats = last - first + 1
    spread = np.repeat(calls, repeats)
    within = np.arange(len(spread)) - np.repeat(np.cumsum(repeats) - repeats, repeats)
    return spread, np.repeat(first, repeats) + within
