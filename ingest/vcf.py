"""From blocks of VCF calls to what the store keeps: variants on both builds, call chunks and carriers.

Everything here works on columns; a Python object exists per distinct allele, genotype or chunk, never per call.
Positions are zero-based, half-open.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.config import Settings
from app.errors import BadFile
from app.formats.genotype import Genotype
from app.formats.vcf_block import RecordBlock
from app.formats.vcf_tally import Tally
from app.records import Build, LiftStatus
from app.store import bitmaps, variants
from app.store.bitmaps import shard_of
from app.store.codec import BIN, SNV_CODE, SNVS, Allele, CallChunk, Placed, Placement, encode
from app.store.runs import CallSetCounts, PlannedCallSet
from app.store.session import Session
from app.store.variants import VariantColumns
from app.variants.placed_batch import CONTRADICTS, NOT_LOADED, PlacedBatch
from app.variants.placement import Placer
from app.variants.spdi import reverse_complement

Ints = NDArray[np.int64]
ChunkRow = tuple[int, int, int, int, int, bytes]

_FEW_MISMATCHES = 3
"""So many REF alleles may contradict the reference in any file: single errors of a caller or of a database"""


@dataclass(slots=True)
class StoredBlock:
    """What one block adds to the store."""

    chunks: list[ChunkRow]
    delta: bytes
    new_variants: int


@dataclass(slots=True)
class Counts:
    """What a run has stored so far, by call set; survives an interruption as JSON."""

    calls: list[int]
    unplaced: list[dict[int, int]]
    new_variants: int = 0
    checked: int = 0
    """REF alleles that could be compared with the reference"""
    mismatches: int = 0

    @staticmethod
    def start(call_sets: int) -> Counts:
        """Return counts of nothing."""
        return Counts([0] * call_sets, [{} for _ in range(call_sets)])

    def to_json(self) -> dict[str, Any]:
        """Return the JSON form kept in the ledger."""
        return {
            "calls": self.calls,
            "unplaced": [{str(contig): n for contig, n in entry.items()} for entry in self.unplaced],
            "new_variants": self.new_variants,
            "checked": self.checked,
            "mismatches": self.mismatches,
        }

    @staticmethod
    def from_json(data: dict[str, Any]) -> Counts:
        """Read the JSON form back."""
        unplaced = [{int(contig): n for contig, n in entry.items()} for entry in data["unplaced"]]
        return Counts(data["calls"], unplaced, data["new_variants"], data["checked"], data["mismatches"])

    def by_call_set(self) -> list[CallSetCounts]:
        """Return the counts as the store takes them."""
        return [CallSetCounts(calls, unplaced) for calls, unplaced in zip(self.calls, self.unplaced, strict=True)]


@dataclass(slots=True)
class BlockStorer:
    """Turns the blocks of one file into rows of the store."""

    placer: Placer
    build: Build
    plan: Sequence[PlannedCallSet]
    settings: Settings
    source: str
    counts: Counts
    tally: Tally

    def place(self, block: RecordBlock) -> PlacedBatch:
        """Place a block's variants on both builds, and count how REF agrees with the reference.

        Raises:
            BadFile: too many REF alleles contradict the reference: the file is on another assembly.
        """
        batch = self.placer.place_batch(self.build, block.contig, block.positions, block.refs, block.alts)
        wrong = np.flatnonzero(batch.ref_check == CONTRADICTS)
        self.counts.checked += int(np.count_nonzero(batch.ref_check != NOT_LOADED))
        self.counts.mismatches += len(wrong)
        for row in wrong.tolist():
            self.tally.add("ref-mismatch", block.lines_1based[row])
        self._refuse_other_assembly(block, wrong)
        return batch

    def _refuse_other_assembly(self, block: RecordBlock, wrong: NDArray[np.intp]) -> None:
        wrong_so_far, checked = self.counts.mismatches, self.counts.checked
        many = wrong_so_far > _FEW_MISMATCHES and wrong_so_far > checked * self.settings.ref_mismatch_share
        if len(wrong) and (many or wrong_so_far * 2 > checked):
            row = int(wrong[0])
            raise BadFile(
                self.source,
                f"{wrong_so_far} of {checked} REF alleles that could be checked contradict {self.build.value}, e.g."
                f" {block.refs[row][:20]} here",
                line_1based=block.lines_1based[row],
                field="REF",
                mend=f"Give the assembly that the file was called on (--assembly {self.build.other.value}?)",
            )

    def store(
        self, session: Session, block: RecordBlock, batch: PlacedBatch, genotypes: Sequence[Genotype], part: int
    ) -> StoredBlock:
        """Add a block's variants and return its chunks and carriers; runs inside the writer's transaction."""
        kept = batch.ref_check != CONTRADICTS
        calls = np.flatnonzero(kept[block.row])
        columns = _variant_columns(block.contig, self.build, batch)
        ids, new = variants.resolve(session, columns, np.flatnonzero(kept))
        self.counts.new_variants += new
        row, sample = block.row[calls], block.sample[calls]
        self._count(block.contig, batch, row, sample)
        ordinals = np.array([entry.subject.ordinal for entry in self.plan], dtype=np.int64)
        classes = np.array([int(entry.source_class) for entry in self.plan], dtype=np.int64)
        zygosity = np.array([genotype.zygosity for genotype in genotypes], dtype=np.int64)
        kind = classes[sample] * 16 + zygosity[block.genotype[calls]]
        delta = bitmaps.pack_delta(ids[row], ordinals[sample], kind)
        return StoredBlock(self._chunks(block, batch, genotypes, calls=calls, ids=ids, part=part), delta, new)

    def _count(self, contig: int, batch: PlacedBatch, row: NDArray[np.int32], sample: NDArray[np.int32]) -> None:
        call_sets = len(self.plan)
        for at, n in enumerate(np.bincount(sample, minlength=call_sets).tolist()):
            self.counts.calls[at] += n
        nowhere = batch.other_start[row] < 0
        for at, n in enumerate(np.bincount(sample[nowhere], minlength=call_sets).tolist()):
            if n:
                entry = self.counts.unplaced[at]
                entry[contig] = entry.get(contig, 0) + n

    def _chunks(
        self,
        block: RecordBlock,
        batch: PlacedBatch,
        genotypes: Sequence[Genotype],
        *,
        calls: NDArray[np.intp],
        ids: Ints,
        part: int,
    ) -> list[ChunkRow]:
        allele, alleles = self._allele_codes(block, batch)
        placement, placements = _placement_codes(batch)
        filter_, filters = _filter_codes(block)
        row = block.row[calls]
        start, end = batch.start[row], batch.end[row]
        first, last = start // BIN, np.maximum(start, end - 1) // BIN
        calls, bins = _spread(calls, first, last)
        row, sample = block.row[calls], block.sample[calls]
        start = batch.start[row]
        order = np.lexsort((ids[row], start, bins, sample))
        calls, bins, row, sample, start = calls[order], bins[order], row[order], sample[order], start[order]
        edges = np.flatnonzero((np.diff(bins) != 0) | (np.diff(sample) != 0)) + 1
        whole = CallChunk(
            start=start,
            variant=ids[row],
            allele=allele[row],
            placement=placement[row],
            genotype=block.genotype[calls].astype(np.int64),
            alleles=alleles,
            placements=placements,
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
        rows = []
        bounds = [0, *edges.tolist(), len(calls)]
        for low, high in pairwise(bounds):
            if low == high:
                continue
            entry = self.plan[int(sample[low])]
            shard = shard_of(entry.subject.ordinal)
            data = encode(whole.cut(low, high))
            rows.append((shard, entry.call_set_id, block.contig, int(bins[low]), part, data))
        return rows

    def _allele_codes(self, block: RecordBlock, batch: PlacedBatch) -> tuple[Ints, list[Allele]]:
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


def _variant_columns(contig: int, build: Build, batch: PlacedBatch) -> VariantColumns:
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
