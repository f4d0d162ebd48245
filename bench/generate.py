"""Data for the benchmarks: a cohort, the VCF of one sample, indels in repeats; fixed seeds, no downloads.

Positions are zero-based unless a name ends in ``_1based``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pysam
from numpy.typing import NDArray

from app.records import Build
from app.variants.accessions import display, length
from bench.genomes import CONTIG, SyntheticGenome, random_bases

SPECTRUM_EXPONENT = 1.276
"""P(k) ∝ k^-1.276 for k copies of an allele: gives 2,504 subjects the 28,000 sites/Mb of 1000 Genomes phase 3"""

CALLS_PER_SUBJECT = 1_500
"""Calls of one genome in one megabase"""

WINDOW = 1_000_000
_BATCH = 500
_MEAN_DEPTH = 32

Ints = NDArray[np.int64]


# --- changes ----------------------------------------------------------------------------------------------------------


def changes(positions: Ints, start: int, bases: str, random: np.random.Generator) -> tuple[list[str], list[str]]:
    """Return REF and ALT, as a VCF has them, of a change at each position: 88 % SNVs, 6 % insertions, 6 % deletions.

    Half of the insertions repeat the bases that follow, as polymerases do.
    """
    count = len(positions)
    kinds, sizes = random.random(count).tolist(), random.geometric(0.4, count).tolist()
    others, slips = random.integers(1, 4, count).tolist(), (random.random(count) < 0.5).tolist()
    novel = random_bases(count + 64, random).tobytes().decode()
    refs: list[str] = []
    alts: list[str] = []
    for number, position in enumerate((positions - start).tolist()):
        anchor, size = bases[position], min(sizes[number], 30)
        if kinds[number] < 0.88:
            refs.append(anchor)
            alts.append("ACGT"[("ACGT".index(anchor) + others[number]) % 4])
        elif kinds[number] < 0.94:
            refs.append(anchor)
            added = bases[position + 1 : position + 1 + size] if slips[number] else novel[number : number + size]
            alts.append(anchor + added)
        else:
            refs.append(bases[position : position + 1 + size])
            alts.append(anchor)
    return refs, alts


# --- a cohort ---------------------------------------------------------------------------------------------------------


def spectrum(subjects: int) -> NDArray[np.float64]:
    """Return the probability of k = 1 … 2 × subjects copies of an allele."""
    weights = np.arange(1, 2 * subjects + 1, dtype=np.float64) ** -SPECTRUM_EXPONENT
    probabilities: NDArray[np.float64] = weights / weights.sum()
    return probabilities


def expected_sites(subjects: int) -> int:
    """Return how many sites give each subject ``CALLS_PER_SUBJECT`` calls."""
    shares = np.arange(1, 2 * subjects + 1) / (2 * subjects)
    return round(CALLS_PER_SUBJECT / float(spectrum(subjects) @ (1 - (1 - shares) ** 2)))


@dataclass(frozen=True, slots=True)
class CohortBatch:
    """The calls of consecutive subjects as parallel columns, sorted by site, then subject."""

    first: int
    subjects: int
    row: NDArray[np.int32]
    """Site"""
    sample: NDArray[np.int32]
    """Place of the subject in the batch"""
    copies: NDArray[np.int8]
    """1 or 2"""
    depth: NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Cohort:
    """Subjects with calls in one megabase of GRCh37: sites sorted by position, each with a copy count."""

    subjects: int
    positions: Ints
    refs: list[str]
    alts: list[str]
    copies: Ints
    """Copies of the ALT that the 2 × subjects chromosomes are drawn with"""
    seed: int

    def batches(self) -> Iterator[CohortBatch]:
        """Draw genotypes in Hardy–Weinberg proportions, 500 subjects at a time; the same ones every time."""
        share = (self.copies / (2 * self.subjects)).astype(np.float32)[:, None]
        for first in range(0, self.subjects, _BATCH):
            count = min(_BATCH, self.subjects - first)
            random = np.random.default_rng((self.seed, first))
            drawn = random.random((len(share), count), dtype=np.float32)
            row, sample = np.nonzero(drawn < 1 - (1 - share) ** 2)
            copies = np.where(drawn[row, sample] < share[row, 0] ** 2, 2, 1).astype(np.int8)
            depth = random.poisson(_MEAN_DEPTH, len(row)).astype(np.int32)
            yield CohortBatch(first, count, row.astype(np.int32), sample.astype(np.int32), copies, depth)


def cohort(subjects: int, genome: SyntheticGenome, *, seed: int = 7, megabase: int = 0) -> Cohort:
    """Return a cohort over one megabase of the genome's stretch, the first one unless told."""
    seed += megabase  # other sites, and other people's genotypes
    random = np.random.default_rng((seed, subjects))
    start, bases = genome.sequence(Build.GRCH37)
    sites = expected_sites(subjects)
    offsets = megabase * WINDOW + random.choice(WINDOW, sites, replace=False)
    positions = start + np.sort(offsets).astype(np.int64)
    copies = 1 + random.choice(2 * subjects, sites, p=spectrum(subjects)).astype(np.int64)
    refs, alts = changes(positions, start, bases, random)
    return Cohort(subjects, positions, refs, alts, copies, seed)


# --- the VCF of one sample --------------------------------------------------------------------------------------------

_INFO = (
    ("AC", "A", "Integer"), ("AF", "A", "Float"), ("AN", "1", "Integer"), ("BaseQRankSum", "1", "Float"),
    ("DP", "1", "Integer"), ("ExcessHet", "1", "Float"), ("FS", "1", "Float"), ("MLEAC", "A", "Integer"),
    ("MLEAF", "A", "Float"), ("MQ", "1", "Float"), ("QD", "1", "Float"), ("SOR", "1", "Float"),
)  # fmt: skip
_FORMAT = (
    ("GT", "1", "String"), ("AD", "R", "Integer"), ("DP", "1", "Integer"), ("GQ", "1", "Integer"),
    ("PL", "G", "Integer"),
)  # fmt: skip
MEAN_GAP = 600
"""Bases between two records; about that of a whole genome"""


def bases_for(records: int) -> int:
    """Return how long a genome's stretch has to be for so many records."""
    return records * (MEAN_GAP + 20) + 100_000


@dataclass(frozen=True, slots=True)
class SingleVcf:
    """A BGZF-compressed, indexed VCF of one sample on GRCh37, and the positions of its records."""

    path: Path
    sample: str
    positions: Ints
    single: NDArray[np.bool_]
    """Which records change a single base"""

    @property
    def records(self) -> int:
        """Return the number of records."""
        return len(self.positions)

    def window(self, first: int, answers: int) -> tuple[int, int]:
        """Return a range of the starts of so many records, from record ``first`` or soon after it.

        It begins and ends with a change of a single base, whose place is the same however it is written.
        """
        while not (self.single[first] and self.single[first + answers - 1]):
            first += 1
        return int(self.positions[first]), int(self.positions[first + answers - 1]) + 1


def single_vcf(path: Path, records: int, genome: SyntheticGenome, *, seed: int = 5) -> SingleVcf:
    """Write the VCF of one sample as GATK does: GT:AD:DP:GQ:PL and twelve INFO fields; ``path`` ends in ``.vcf.gz``."""
    random = np.random.default_rng((seed, records))
    start, bases = genome.sequence(Build.GRCH37)
    positions = start + np.cumsum(random.integers(1, 2 * MEAN_GAP, records)).astype(np.int64)
    if int(positions[-1]) + 64 > start + len(bases):
        raise ValueError(f"the genome's stretch is too short for {records} records")
    refs, alts = changes(positions, start, bases, random)
    name = display(CONTIG)
    lines = _header("S1", name)
    for position, ref, alt, cell in zip(positions.tolist(), refs, alts, _cells(records, random), strict=True):
        lines.append(f"{name}\t{position + 1}\t.\t{ref}\t{alt}\t{cell}")
    plain = path.with_suffix("")
    plain.write_text("\n".join(lines) + "\n", "ascii")
    pysam.tabix_compress(str(plain), str(path), force=True)
    pysam.tabix_index(str(path), preset="vcf", force=True)
    plain.unlink()
    single = [len(ref) == len(alt) == 1 for ref, alt in zip(refs, alts, strict=True)]
    return SingleVcf(path, "S1", positions, np.array(single, np.bool_))


def _header(sample: str, name: str) -> list[str]:
    return [
        "##fileformat=VCFv4.2",
        '##FILTER=<ID=PASS,Description="All filters passed">',
        f"##contig=<ID={name},length={length(Build.GRCH37, CONTIG)}>",
        *(f'##INFO=<ID={key},Number={number},Type={kind},Description="{key}">' for key, number, kind in _INFO),
        *(f'##FORMAT=<ID={key},Number={number},Type={kind},Description="{key}">' for key, number, kind in _FORMAT),
        f"#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\t{sample}",
    ]


def _cells(records: int, random: np.random.Generator) -> Iterator[str]:
    """Yield the columns from QUAL to the sample."""
    het = (random.random(records) < 0.6).tolist()
    depths = np.maximum(4, random.poisson(_MEAN_DEPTH, records)).tolist()
    shares = random.normal(0.5, 0.09, records).clip(0.15, 0.85).tolist()
    ranks, biases = random.normal(0, 1, records).tolist(), random.exponential(2, records).tolist()
    qualities, likely = random.integers(20, 100, records).tolist(), random.integers(200, 1500, (records, 2)).tolist()
    for is_het, depth, share, rank, bias, quality, (low, high) in zip(
        het, depths, shares, ranks, biases, qualities, likely, strict=True
    ):
        alt = round(depth * share) if is_het else depth
        ac, af, genotype = (1, "0.500", "0/1") if is_het else (2, "1.00", "1/1")
        likelihoods = f"{low},0,{high}" if is_het else f"{low + high},{low // 4},0"
        yield (
            f"{low}.77\tPASS\tAC={ac};AF={af};AN=2;BaseQRankSum={rank:.3f};DP={depth + 1};ExcessHet=3.0103;"
            f"FS={bias:.3f};MLEAC={ac};MLEAF={af};MQ=60.00;QD={low / depth:.2f};SOR={0.3 + bias / 4:.3f}\t"
            f"GT:AD:DP:GQ:PL\t{genotype}:{depth - alt},{alt}:{depth}:{quality if is_het else 99}:{likelihoods}"
        )


# --- indels in repeats ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Indel:
    """One insertion or deletion as a VCF has it, with its anchor base."""

    position: int
    ref: str
    alt: str


def repeat_indels(count: int, *, seed: int = 4) -> tuple[str, list[Indel]]:
    """Return a sequence and indels of 1–3 units in its repeats (units of 1–3 bases, 4–24 copies), anywhere in them."""
    random = np.random.default_rng((seed, count))
    pieces: list[str] = []
    found: list[Indel] = []
    at = 0
    for _ in range(count):
        flank = "".join("ACGT"[code] for code in random.integers(0, 4, int(random.integers(40, 80))))
        unit = "".join("ACGT"[code] for code in random.integers(0, 4, int(random.integers(1, 4))))
        copies, moved = int(random.integers(4, 25)), int(random.integers(1, 4))
        before = int(random.integers(0, copies - moved + 1))  # whole units between the repeat's start and the change
        anchor = at + len(flank) - 1 + before * len(unit)
        run = flank + unit * copies
        base, changed = run[anchor - at], unit * moved
        found.append(
            Indel(anchor, base + changed, base) if random.random() < 0.5 else Indel(anchor, base, base + changed)
        )
        pieces.append(run)
        at += len(run)
    pieces.append("".join("ACGT"[code] for code in random.integers(0, 4, 80)))
    return "".join(pieces), found
