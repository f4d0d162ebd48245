"""From blocks of VCF calls to what the store keeps: variants on both builds, call chunks and carriers.

Positions are zero-based, half-open.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.config import Settings
from app.errors import BadFile
from app.formats.genotype import Genotype
from app.formats.vcf_block import RecordBlock
from app.formats.vcf_structural import StructuralAllele
from app.formats.vcf_tally import Tally
from app.records import Build, SourceClass
from app.store import bitmaps, file_annotations, variants
from app.store.bitmaps import shard_of
from app.store.runs import CallSetCounts, PlannedCallSet
from app.store.session import Session
from app.variants.accessions import accession
from app.variants.placed_batch import CONTRADICTS, NOT_LOADED, PlacedBatch
from app.variants.placement import Placer
from ingest.columns import StoredRows, encoded_bins_of, variant_columns
from ingest.recomputed import with_recomputed
from ingest.structural import StoredStructural, StructuralChunkRow, store_structural
from ingest.structural_reference import check_ref, knows_its_base, position_of

ChunkRow = tuple[int, int, int, int, int, bytes]

_FEW_MISMATCHES = 3
"""So many REF alleles may contradict the reference in any file: single errors of a caller or of a database"""


@dataclass(slots=True)
class StoredBlock:
    """What one block adds to the store."""

    chunks: list[ChunkRow]
    structural: list[StructuralChunkRow]
    delta: bytes
    new_variants: int
    annotated: bytes | None = None


@dataclass(slots=True)
class Counts:
    """What a run has stored so far, by call set; survives an interruption as JSON."""

    calls: list[int]
    unplaced: list[dict[int, int]]
    new_variants: int = 0
    checked: int = 0
    """REF alleles that could be compared with the reference"""
    mismatches: int = 0
    structural: int = 0
    """Structural calls of all call sets"""

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
            "structural": self.structural,
        }

    @staticmethod
    def from_json(data: dict[str, Any]) -> Counts:
        """Read the JSON form back."""
        unplaced = [{int(contig): n for contig, n in entry.items()} for entry in data["unplaced"]]
        # A run that an earlier release began counted no structural calls.
        structural = data.get("structural", 0)
        return Counts(data["calls"], unplaced, data["new_variants"], data["checked"], data["mismatches"], structural)

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
    names_sequences: bool = False
    """The source names the sequence of every call, so that a wrong REF says nothing of the other calls"""
    tools: Mapping[str, str] = field(default_factory=dict)
    """Versions of the tools that annotated the file"""
    _unlike: frozenset[int] = field(default=frozenset(), init=False)
    """Structural rows of the block placed last whose REF contradicts the reference, by number"""

    def place(self, block: RecordBlock) -> PlacedBatch:
        """Place a block's variants on both builds, and count how REF agrees with the reference, structural ones too.

        Raises:
            BadFile: too many REF alleles contradict the reference: the file is on another assembly.
        """
        batch = self.placer.place_batch(self.build, block.contig, block.positions, block.refs, block.alts)
        wrong = np.flatnonzero(batch.ref_check == CONTRADICTS)
        self.counts.checked += int(np.count_nonzero(batch.ref_check != NOT_LOADED))
        self.counts.mismatches += len(wrong)
        unlike = [(block.lines_1based[row], block.refs[row]) for row in wrong.tolist()]
        unlike += self._compare_structural(block)
        for line_1based, _ in unlike:
            self.tally.add("ref-mismatch", line_1based)
        self._refuse_other_assembly(unlike)
        return batch

    def _compare_structural(self, block: RecordBlock) -> list[tuple[int, str]]:
        """Compare REF of what is structural alone, and return the lines and REFs that contradict the reference."""
        reference = self.placer.reference(self.build, block.contig)
        ref_seq = accession(self.build, block.contig)
        wrong = set()
        for at, row in enumerate(block.structural):
            allele = row.allele
            if allele.also_simple or (self.names_sequences and not _spans_its_event(allele)):
                continue
            position = position_of(allele.kind, allele.extent.start, allele.ref, allele.alt)
            check = check_ref(reference, ref_seq, position, allele.ref)
            self.counts.checked += check != NOT_LOADED
            if check != CONTRADICTS:
                continue
            if knows_its_base(allele.alt, allele.extent, imprecise=allele.imprecise):
                wrong.add(at)
            else:
                self.tally.add("structural-ref", row.line_1based)
        self.counts.mismatches += len(wrong)
        self._unlike = frozenset(wrong)
        return [(block.structural[at].line_1based, block.structural[at].allele.ref) for at in sorted(wrong)]

    def _refuse_other_assembly(self, unlike: Sequence[tuple[int, str]]) -> None:
        wrong_so_far, checked = self.counts.mismatches, self.counts.checked
        many = wrong_so_far > _FEW_MISMATCHES and wrong_so_far > checked * self.settings.ref_mismatch_share
        if not self.names_sequences and unlike and (many or wrong_so_far * 2 > checked):
            line_1based, ref = min(unlike)
            raise BadFile(
                self.source,
                f"{wrong_so_far} of {checked} REF alleles that could be checked contradict {self.build.value}, e.g."
                f" {ref[:20]} here",
                line_1based=line_1based,
                field="REF",
                mend=f"Give the assembly that the file was called on (--assembly {self.build.other.value}?)",
            )

    def store(
        self, session: Session, block: RecordBlock, batch: PlacedBatch, genotypes: Sequence[Genotype], part: int
    ) -> StoredBlock:
        """Add a block's variants and return its chunks and carriers; runs inside the writer's transaction."""
        kept = batch.ref_check != CONTRADICTS
        structural = self._store_structural(session, block, kept, genotypes, part)
        calls = np.flatnonzero(kept[block.row])
        self._count(block.contig, batch, block.row[calls], block.sample[calls])
        classes = np.array([int(entry.source_class) for entry in self.plan], dtype=np.int64)
        block, batch, genotypes = with_recomputed(
            self.placer, self.build, block, batch, genotypes, germline=classes == SourceClass.GERMLINE
        )
        kept = batch.ref_check != CONTRADICTS
        calls = np.flatnonzero(kept[block.row])
        columns = variant_columns(block.contig, self.build, batch)
        ids, new = variants.resolve(session, columns, np.flatnonzero(kept))
        self.counts.new_variants += new
        row, sample = block.row[calls], block.sample[calls]
        ordinals = np.array([entry.subject.ordinal for entry in self.plan], dtype=np.int64)
        zygosity = np.array([genotype.zygosity for genotype in genotypes], dtype=np.int64)
        kind = classes[sample] * 16 + zygosity[block.genotype[calls]]
        delta = bitmaps.pack_delta(
            np.concatenate([ids[row], structural.site]),
            np.concatenate([ordinals[sample], structural.ordinal]),
            np.concatenate([kind, structural.kind]),
        )
        places = [(shard_of(entry.subject.ordinal), entry.call_set_id, block.contig) for entry in self.plan]
        chunks = [
            (*places[at], bin_, part, chunk)
            for at, bin_, chunk in encoded_bins_of(block, StoredRows.of(block, batch, ids), calls, genotypes)
        ]
        return StoredBlock(chunks, structural.chunks, delta, new, self._annotated(block, kept, ids))

    def _annotated(self, block: RecordBlock, kept: NDArray[np.bool_], ids: NDArray[np.int64]) -> bytes | None:
        """Return what tools wrote of the block's variants, as it waits for the end of the run."""
        return file_annotations.pack(
            [
                (int(ids[row]), tool, self.tools.get(tool, ""), body)
                for row, tool, body in block.annotations
                if kept[row]
            ]
        )

    def _store_structural(
        self, session: Session, block: RecordBlock, kept: NDArray[np.bool_], genotypes: Sequence[Genotype], part: int
    ) -> StoredStructural:
        # A long change whose REF contradicts the reference is no structural variant either.
        wrong = {(block.lines_1based[row], block.alts[row]) for row in np.flatnonzero(~kept).tolist()}
        rows = [
            row
            for at, row in enumerate(block.structural)
            if at not in self._unlike and (not row.allele.also_simple or (row.line_1based, row.allele.alt) not in wrong)
        ]
        for row in rows:
            self.counts.structural += len(row.samples)
            for sample in row.samples:
                self.counts.calls[sample] += not row.allele.also_simple
        return store_structural(
            session,
            rows,
            genotypes,
            contig=block.contig,
            build=self.build,
            plan=self.plan,
            liftover=self.placer.liftover,
            part=part,
        )

    def _count(self, contig: int, batch: PlacedBatch, row: NDArray[np.int32], sample: NDArray[np.int32]) -> None:
        call_sets = len(self.plan)
        for at, n in enumerate(np.bincount(sample, minlength=call_sets).tolist()):
            self.counts.calls[at] += n
        nowhere = batch.other_start[row] < 0
        for at, n in enumerate(np.bincount(sample[nowhere], minlength=call_sets).tolist()):
            if n:
                entry = self.counts.unplaced[at]
                entry[contig] = entry.get(contig, 0) + n


def _spans_its_event(allele: StructuralAllele) -> bool:
    """Return whether REF is all of an interval that is exact: else a FHIR file does not say where it begins."""
    extent = allele.extent
    is_exact = (extent.outer_start, extent.outer_end) == (extent.start, extent.end)
    return is_exact and len(allele.ref) == extent.end - extent.start
