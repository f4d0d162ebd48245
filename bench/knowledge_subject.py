"""What the variants of one genome mean for a condition, by a release of ClinVar's size; and what it costs an ingest.

The genome has 4.5 million calls on 22 chromosomes, of which 100,000 are of variants that the release is about. The
chromosomes are shorter than people's, so that a chunk of the store has three times as many calls.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from app.config import Settings
from app.errors import TooCostly
from app.fhir.definitions import load_definitions
from app.fhir.parameters import Dialect, OperationInputs, read_inputs
from app.formats.vcf_block import RecordBlock
from app.operations.context import Genome
from app.records import Build
from app.store.session import Database
from bench.generate import changes
from bench.genomes import SyntheticGenome, synthetic_genome
from bench.knowledge_load import CONDITIONS, ROWS, load_release, switch
from bench.measure import compare, over
from bench.releases import SYSTEM, SyntheticRelease, code_of, synthetic_release
from bench.report import Reported, Run, at_most
from bench.stores import Stores, calls_block, context_of, ingest_blocks, stores

OPERATION = "find-subject-dx-implications"
CONTIGS = tuple(range(1, 23))
_CALLS = {"s": 30_000, "m": 450_000, "l": 4_500_000}
_BASES = {"s": 20_000, "m": 4_600_000, "l": 46_000_000}
"""Of a chromosome"""
_KNOWN = {"s": 600, "m": 10_000, "l": 100_000}
_TARGETS = (30, 300, 3_000)
_HUGE = (30_000, 300_000, 1_000_000)
_RECORDS_A_BLOCK = 20_000


@dataclass(frozen=True, slots=True)
class Genomes:
    """A store with a release and one genome, and what makes further genomes."""

    database: Database
    opened: Genome
    genome: SyntheticGenome
    release: SyntheticRelease
    size: str

    def store(self, subject: str, *, seed: int, contigs: Sequence[int] = CONTIGS) -> int:
        """Store a genome, or some chromosomes of it; return its number of calls."""
        blocks = genome_blocks(self.genome, self.release, contigs, self.size, seed)
        return ingest_blocks(self.database, self.opened, subject, blocks)


def measure(size: str, engine: str) -> Iterator[Reported]:
    """Yield the time of a question for conditions of several sizes, and of an ingest beside one without knowledge."""
    run = Run(size, engine)
    with stores(engine) as made:
        filled = _filled(made, size)
        began = time.process_time()
        calls = filled.store("S1", seed=1)
        note = f"{calls:,} calls, {_KNOWN[size]:,} of them known; {ROWS[size]:,} statements"
        yield run.plain("knowledge_genome_ingest", (time.process_time() - began) / calls * 1e6, "µs a call", note=note)
        yield from _questions(run, filled, note)
        yield from _ingest(run, filled)


def _filled(made: Stores, size: str) -> Genomes:
    genome = synthetic_genome(_BASES[size])
    opened = genome.in_memory(made.folder / "reference", CONTIGS)
    path = made.folder / "release.tsv"
    release = synthetic_release(path, ROWS[size], genome, conditions=CONDITIONS[size], contigs=CONTIGS)
    database = made.fresh()
    load_release(database, opened, path, active=True)
    return Genomes(database, opened, genome, release, size)


def _questions(run: Run, filled: Genomes, note: str) -> Iterator[Reported]:
    context = context_of(filled.database, filled.opened)
    for wanted in (*_TARGETS, *_HUGE):
        condition = filled.release.condition_with(wanted)
        targets = int(filled.release.targets[condition])
        if not wanted / 3 < targets < wanted * 3:
            continue
        inputs = asked(OPERATION, [("subject", "S1"), ("conditions", f"{SYSTEM}|{code_of(condition)}")])
        answer = _answering(lambda given: context.answer(OPERATION, given))
        body = answer(inputs)
        [took] = compare(over(answer, [inputs]), repeats=7)
        yield run.plain(
            f"knowledge_subject_{wanted}_targets", took.median * 1e3, "ms",
            target=at_most(150) if wanted in _TARGETS else None, n=len(took.seconds),
            note=f"{note}; the condition has {targets:,} variants; "
            + (f"{body.count(b'implication'):,} implications in {len(body):,} bytes" if body else "refused: too many"),
        )  # fmt: skip


def _answering(answer: Callable[[OperationInputs], bytes]) -> Callable[[OperationInputs], bytes]:
    def answered(inputs: OperationInputs) -> bytes:
        try:
            return answer(inputs)
        except TooCostly:
            return b""

    return answered


def _ingest(run: Run, filled: Genomes) -> Iterator[Reported]:
    """Time a chromosome stored while the release is active, beside the same while it is not."""
    numbers = iter(range(2, 1_000))
    idle = 0.0

    def store() -> int:
        number = next(numbers)
        return filled.store(f"S{number}", seed=1, contigs=(1,))

    def switched(*, active: bool) -> Callable[[], int]:
        def work() -> int:
            began = time.process_time()
            switch(filled.database, active=active)
            nonlocal idle
            idle += time.process_time() - began
            return store()

        return work

    active, bare = compare(
        switched(active=True), switched(active=False), repeats=7, clock=lambda: time.process_time() - idle
    )
    yield run.cost(
        "knowledge_ingest_while_active", active, bare, "no release is active", unit="µs", target=at_most(1.1),
        note=f"a chromosome of {_CALLS[run.size] // len(CONTIGS):,} calls; {ROWS[run.size]:,} statements",
    )  # fmt: skip


def genome_blocks(
    genome: SyntheticGenome, release: SyntheticRelease, contigs: Sequence[int], size: str, seed: int
) -> Iterator[RecordBlock]:
    """Yield the calls of one genome: known variants of a release, and others."""
    start, bases = genome.sequence(Build.GRCH37)
    picked = np.random.default_rng((seed, 1)).choice(len(release.refs), _KNOWN[size], replace=False)
    first = 0
    for contig in contigs:
        random = np.random.default_rng((seed, contig))
        known = picked[release.contig[picked] == contig]
        count = _CALLS[size] // len(CONTIGS) - len(known)
        positions = start + random.integers(0, len(bases) - 100, count)
        refs, alts = changes(positions, start, bases, random)
        refs += [release.refs[one] for one in known.tolist()]
        alts += [release.alts[one] for one in known.tolist()]
        positions = np.concatenate([positions, release.position[known]])
        positions, order = np.unique(positions, return_index=True)
        for low in range(0, len(order), _RECORDS_A_BLOCK):
            some = order[low : low + _RECORDS_A_BLOCK].tolist()
            sites = positions[low : low + _RECORDS_A_BLOCK], [refs[one] for one in some], [alts[one] for one in some]
            yield calls_block(contig, first, sites, random)
            first += len(some)


def asked(operation: str, pairs: list[tuple[str, str]]) -> OperationInputs:
    """Return the inputs of an operation."""
    definition = load_definitions()[operation]
    return read_inputs(definition, pairs, None, Dialect.IG, path_subject=None, strict=False, settings=Settings())
