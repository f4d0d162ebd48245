"""A gene in a store of 1,000 subjects with 100,000 calls each: a subject's variants, and who has structural ones.

The whole figure is that of ``--size l``; it takes a few minutes and about a gigabyte. The smaller sizes have fewer
calls of the same density, so that the answers are as long.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial

import numpy as np

from app.config import Settings
from app.fhir.definitions import load_definitions
from app.fhir.parameters import Dialect, OperationInputs, read_inputs
from app.formats.vcf_structural import StructuralAllele, StructuralRow
from app.operations.context import OperationContext
from app.records import Build, StructuralKind
from app.variants.accessions import accession
from app.variants.extent import Extent
from bench.generate import WINDOW, Cohort, CohortBatch, cohort, spectrum
from bench.genomes import CONTIG, synthetic_genome
from bench.measure import compare, over
from bench.report import Reported, Run, Target, at_most
from bench.stores import context_of, ingest_cohort, stores, subject_id

GENE = 100_000
"""Bases; BRCA2 has 84,000, the mean gene 60,000"""
GENES = 30
STRUCTURAL_SITES = 500
"""In a megabase: 1,000 subjects have some 35 structural calls each in it, and 2,500 in the whole, as genomes have"""
_SUBJECTS = {"s": 100, "m": 1_000, "l": 1_000}
_MEGABASES = {"s": 3, "m": 7, "l": 67}
_OPERATIONS = (
    ("subject_variants", "find-subject-variants", at_most(50)),
    ("subject_structural_subsuming", "find-subject-structural-subsuming-variants", at_most(50)),
    ("population_structural_intersecting", "find-population-structural-intersecting-variants", at_most(500)),
    ("population_structural_subsuming", "find-population-structural-subsuming-variants", at_most(500)),
)


def measure(size: str, engine: str) -> Iterator[Reported]:
    """Yield how long each operation takes on a gene; the targets are in ms."""
    run = Run(size, engine)
    subjects, megabases = _SUBJECTS[size], _MEGABASES[size]
    with stores(engine) as made:
        genome = synthetic_genome(megabases * WINDOW)
        parts = [cohort(subjects, genome, megabase=megabase) for megabase in range(megabases)]
        database = made.fresh()
        opened = genome.in_memory(made.folder / "reference")
        calls = ingest_cohort(database, opened, *parts, structural=structural_calls)
        context = context_of(database, opened)
        begin, _ = genome.sequence(Build.GRCH37)
        genes = _genes(begin, megabases * WINDOW)
        for name, operation, target in _OPERATIONS:
            yield _measured(run, context, (name, operation, target), _questions(operation, genes, subjects), calls)


def _measured(
    run: Run,
    context: OperationContext,
    asked: tuple[str, str, Target],
    questions: Sequence[OperationInputs],
    calls: int,
) -> Reported:
    name, operation, target = asked
    answer: Callable[[OperationInputs], bytes] = partial(context.answer, operation)
    sizes = [len(answer(inputs)) for inputs in questions]
    [took] = compare(over(answer, questions), clock=time.perf_counter)  # the targets are of an answer's time
    note = f"{calls:,} calls of {_SUBJECTS[run.size]:,} subjects; {GENE:,} bases; {np.mean(sizes):,.0f} bytes an answer"
    return run.plain(f"gene_load_{name}", took.median * 1e3, "ms", target=target, n=len(took.seconds), note=note)


def _genes(begin: int, bases: int) -> list[tuple[int, int]]:
    random = np.random.default_rng(bases)
    return [(start, start + GENE) for start in random.integers(begin, begin + bases - GENE, GENES).tolist()]


def _questions(operation: str, genes: Sequence[tuple[int, int]], subjects: int) -> list[OperationInputs]:
    """Return a question for each gene, each of another subject where the operation is about one."""
    definition = load_definitions()[operation]
    found = []
    for number, (start, end) in enumerate(genes):
        pairs = [("ranges", f"{accession(Build.GRCH37, CONTIG)}:{start}-{end}")]
        if "-subject-" in operation:
            pairs += [("subject", subject_id(number * 31 % subjects)), ("includeVariants", "true")]
        found.append(
            read_inputs(definition, pairs, None, Dialect.IG, path_subject=None, strict=False, settings=Settings())
        )
    return found


def structural_calls(part: Cohort, batch: CohortBatch) -> list[StructuralRow]:
    """Return deletions and duplications of 50 bases to a megabase, shared by as many as small variants are."""
    random = np.random.default_rng((part.seed, part.subjects))
    low = int(part.positions[0])
    starts = np.sort(random.integers(low, low + WINDOW, STRUCTURAL_SITES)).tolist()
    sizes = np.exp(random.uniform(np.log(50), np.log(1e6), STRUCTURAL_SITES)).astype(np.int64).tolist()
    copies = 1 + random.choice(2 * part.subjects, STRUCTURAL_SITES, p=spectrum(part.subjects))
    share = copies / (2 * part.subjects)
    drawn = np.random.default_rng((part.seed, part.subjects, batch.first)).random((STRUCTURAL_SITES, batch.subjects))
    rows = []
    for line, (start, size) in enumerate(zip(starts, sizes, strict=True), 1):
        carriers = np.flatnonzero(drawn[line - 1] < 1 - (1 - share[line - 1]) ** 2)
        if not len(carriers):
            continue
        kind = (StructuralKind.DEL, StructuralKind.DUP)[line % 2]
        extent = Extent(start, start + size, start, start + size, start, start + size)
        allele = StructuralAllele(
            kind, extent, "N", f"<{kind.name}>", -1, imprecise=False, name="", mate="", event="", copy_number="",
            also_simple=False,
        )  # fmt: skip
        homozygous = drawn[line - 1][carriers] < share[line - 1] ** 2
        rows.append(
            StructuralRow(
                allele, "PASS", line, carriers.tolist(), homozygous.astype(int).tolist(), [""] * len(carriers)
            )
        )
    return rows
