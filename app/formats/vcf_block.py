"""Blocks of calls: the columns that a VCF reader hands on, and the builder that collects them.

Positions are zero-based. A block belongs to one contig; its calls point at its variant rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.formats.vcf_regions import NO_REGIONS, RegionBuilder, SiteRegions
from app.formats.vcf_structural import StructuralRow
from app.formats.vcf_watch import Told, Watcher

ABSENT = -1
_MANY_PAIRS = 100_000
_INT32_MAX = 2**31 - 1


@dataclass(frozen=True, slots=True)
class RecordBlock:
    """Variant rows, (record, ALT) pairs that a chosen sample carries, and the calls of them.

    ``first_record`` and ``next_record`` count the file's data lines from 0, those left out included: reading again with
    ``skip_records=next_record`` goes on after this block. ``bytes_read`` counts stored bytes.

    Variant rows: ``positions`` (zero-based), ``refs``, ``alts`` (capitals, as reported), ``lines_1based``, and
    ``filters`` where at least one record did not pass.

    Calls: ``row`` (of the variant), ``sample`` (place among the chosen samples), ``genotype`` (number in the reader's
    ``genotypes``), ``depth`` (DP), ``ref_depth`` and ``alt_depth`` (AD), ``allele_depths`` (the sum
    of AD, absent unless every depth is stated), ``phase_set`` (PS), −1 where absent, and
    ``frequency`` (FORMAT/AF of this ALT), NaN where absent.

    ``structural`` are the structural ALTs of the stretch, with their calls; they are few, so they are objects.
    ``annotations`` are what tools wrote into the records, as (variant row, tool, text of
    ``annotation_body``), ascending.
    ``regions``: where the records of the one chosen sample say that there is no variant, or that they cannot tell.
    ``told``: what the records at watched places say of each chosen sample.
    """

    contig: int
    first_record: int
    next_record: int
    bytes_read: int
    positions: NDArray[np.int64]
    refs: list[str]
    alts: list[str]
    lines_1based: list[int]
    filters: list[str] | None
    row: NDArray[np.int32]
    sample: NDArray[np.int32]
    genotype: NDArray[np.uint16]
    depth: NDArray[np.int32]
    ref_depth: NDArray[np.int32]
    alt_depth: NDArray[np.int32]
    allele_depths: NDArray[np.int32]
    frequency: NDArray[np.float64]
    phase_set: NDArray[np.int64]
    structural: Sequence[StructuralRow] = ()
    regions: SiteRegions = NO_REGIONS
    annotations: Sequence[tuple[int, str, str]] = ()
    told: Sequence[Told] = ()


class DepthPairs(dict[str, int]):
    """AD texts of biallelic records → number of the pair (REF depth, ALT depth); number 0 is "absent".

    A missing key is read on first use; ValueError says that the text is not two depths.
    """

    def __init__(self) -> None:
        super().__init__()
        self.ref_depths: list[int] = []
        self.alt_depths: list[int] = []
        self.totals: list[int] = []
        self.reset()

    def reset(self) -> None:
        """Forget every pair but the absent one."""
        self.clear()
        self.ref_depths[:] = [ABSENT]
        self.alt_depths[:] = [ABSENT]
        self.totals[:] = [ABSENT]
        self["."] = 0

    def __missing__(self, text: str) -> int:
        ref, alt = text.split(",", 2)
        ref_depth, alt_depth = read_depth(ref), read_depth(alt)
        return self._add(text, ref_depth, alt_depth, total_of((ref_depth, alt_depth)))

    def of(self, ref_depth: int, alt_depth: int, total: int) -> int:
        """Return the number of a pair of depths in a record whose depths sum up to ``total``."""
        key = f"{ref_depth}/{alt_depth}/{total}"  # no AD text has a slash
        number = self.get(key)
        return self._add(key, ref_depth, alt_depth, total) if number is None else number

    def _add(self, key: str, ref_depth: int, alt_depth: int, total: int) -> int:
        number = self[key] = len(self.ref_depths)
        self.ref_depths.append(ref_depth)
        self.alt_depths.append(alt_depth)
        self.totals.append(total)
        return number


def total_of(depths: Sequence[int]) -> int:
    """Return the sum of allele depths, ABSENT unless all are stated and it fits."""
    total = sum(depths)
    return ABSENT if ABSENT in depths or total > _INT32_MAX else total


def read_depth(text: str) -> int:
    """Read one depth, ABSENT for a dot; raises ValueError."""
    if text == ".":
        return ABSENT
    if not text.isdecimal() or len(text) > 10 or (depth := int(text)) > _INT32_MAX:
        raise ValueError("it is no depth")
    return depth


class Depths(dict[str, int]):
    """DP texts → depths; a missing key is read on first use, with ValueError for what is no depth."""

    def __missing__(self, text: str) -> int:
        if len(self) > _MANY_PAIRS:
            self.clear()
        depth = self[text] = read_depth(text)
        return depth


class BlockBuilder:
    """Collect rows and calls of one contig; the lists are public because the reader's inner loop appends to them.

    ``single`` says that one sample is chosen, so that every row has exactly one call, in the same order.
    """

    def __init__(
        self,
        *,
        single: bool,
        first_record: int,
        regions: RegionBuilder | None = None,
        watcher: Watcher | None = None,
    ) -> None:
        self.single = single
        self.regions = regions
        self.watcher = watcher
        self.pairs = DepthPairs()
        self.contig = 0
        self.first_record = first_record
        self.examined = 0
        self._clear()

    def _clear(self) -> None:
        self.positions: list[int] = []
        self.refs: list[str] = []
        self.alts: list[str] = []
        self.lines_1based: list[int] = []
        self.filters: dict[int, str] = {}
        self.row: list[int] = []
        self.sample: list[int] = []
        self.genotype: list[int] = []
        self.depth: list[int] = []
        self.pair: list[int] = []
        # Few files have AF or PS in every call: these are kept as (number of the call, value).
        self.frequency_at: list[int] = []
        self.frequency: list[float] = []
        self.phase_set_at: list[int] = []
        self.phase_set: list[int] = []
        self.flushed_calls = 0
        self._parts: list[tuple[NDArray[np.int32], ...]] = []
        self.structural: list[StructuralRow] = []
        self.annotations: list[tuple[int, str, str]] = []

    def __len__(self) -> int:
        return len(self.positions) + len(self.structural)

    @property
    def is_pending(self) -> bool:
        """Return whether there is something to hand on."""
        return bool(self.positions or self.structural or self.regions or self.watcher)

    def add_row(self, position: int, ref: str, alt: str, line_1based: int, filters: str) -> int:
        """Add a variant row and return its number."""
        row = len(self.positions)
        self.positions.append(position)
        self.refs.append(ref)
        self.alts.append(alt)
        self.lines_1based.append(line_1based)
        if filters != "PASS":
            self.filters[row] = filters
        return row

    def add_call(
        self, row: int, sample: int, number: int, *, depth: int, pair: int, frequency: float | None, phase_set: int
    ) -> None:
        """Add a call; ``number`` is that of its genotype, ``pair`` that of its allele depths."""
        if frequency is not None:
            self.frequency_at.append(self.flushed_calls + len(self.genotype))
            self.frequency.append(frequency)
        if phase_set >= 0:
            self.phase_set_at.append(self.flushed_calls + len(self.genotype))
            self.phase_set.append(phase_set)
        if not self.single:
            self.row.append(row)
            self.sample.append(sample)
        self.genotype.append(number)
        self.depth.append(depth)
        self.pair.append(pair)

    def add_plain_calls(self, row: int, samples: NDArray[np.int32], numbers: NDArray[np.int32]) -> None:
        """Add calls of one row that have a genotype and nothing else."""
        if self.single:
            for number in numbers.tolist():
                self.add_call(row, 0, number, depth=ABSENT, pair=0, frequency=None, phase_set=ABSENT)
            return
        self._flush()
        size = len(samples)
        nothing = np.zeros(size, np.int32)
        self._parts.append((np.full(size, row, np.int32), samples, numbers, nothing - 1, nothing))
        self.flushed_calls += size

    def _flush(self) -> None:
        """Turn the lists of calls into arrays, which keeps the order where both ways of adding alternate."""
        size = len(self.genotype)
        if not size:
            return
        if self.single:
            row, sample = np.arange(size, dtype=np.int32), np.zeros(size, np.int32)
        else:
            row, sample = np.array(self.row, np.int32), np.array(self.sample, np.int32)
        columns = (row, sample, *(np.array(column, np.int32) for column in (self.genotype, self.depth, self.pair)))
        self._parts.append(columns)
        self.flushed_calls += size
        self.row, self.sample, self.genotype, self.depth, self.pair = [], [], [], [], []

    def close(self, next_record: int, bytes_read: int) -> RecordBlock:
        """Return the block collected so far, which ends before record ``next_record``, and start the next."""
        self._flush()
        empty = (np.zeros(0, np.int32),) * 5
        row, sample, genotype, depth, pair = (
            np.concatenate(column) for column in zip(*self._parts or [empty], strict=True)
        )
        size = len(row)
        frequency = np.full(size, np.nan)
        frequency[self.frequency_at] = self.frequency
        phase_set = np.full(size, ABSENT, np.int64)
        phase_set[self.phase_set_at] = self.phase_set
        filters = None
        if any(text != "." for text in self.filters.values()):
            filters = [self.filters.get(number, "PASS") for number in range(len(self.positions))]
        block = RecordBlock(
            contig=self.contig,
            first_record=self.first_record,
            next_record=next_record,
            bytes_read=bytes_read,
            positions=np.array(self.positions, np.int64),
            refs=self.refs,
            alts=self.alts,
            lines_1based=self.lines_1based,
            filters=filters,
            row=row,
            sample=sample,
            genotype=genotype.astype(np.uint16),
            depth=depth,
            ref_depth=np.array(self.pairs.ref_depths, np.int32)[pair],
            alt_depth=np.array(self.pairs.alt_depths, np.int32)[pair],
            allele_depths=np.array(self.pairs.totals, np.int32)[pair],
            frequency=frequency,
            phase_set=phase_set,
            structural=self.structural,
            regions=self.regions.take() if self.regions else NO_REGIONS,
            annotations=self.annotations,
            told=self.watcher.take() if self.watcher else (),
        )
        self.first_record = next_record
        self.examined = 0
        if len(self.pairs) > _MANY_PAIRS:
            self.pairs.reset()
        self._clear()
        return block
