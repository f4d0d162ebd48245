"""Named alleles of all genes of a subject: one subject alone, and a hundred one after the other.

The definitions are those of the folder that PHARMCAT_DEFINITIONS names (``alleles/*.json``, ``phenotype/*.json``), else
those that Operon ships. Subjects are made up: two alleles of each gene, put together without phase.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from random import Random

from app.formats.pgx import BASES, Gene, NamedAllele, PgxContent
from app.formats.pharmcat import read_pharmcat
from app.operations.pgx_seed import embedded_content
from app.pgx.calls import CallStatus, Observed, Sample
from app.pgx.matcher import call_gene
from bench.measure import compare, over
from bench.report import Reported, Run, at_least, at_most

_SUBJECTS = {"s": 100, "m": 1_000, "l": 10_000}
_MOST_MS = 50.0

Subject = list[tuple[Gene, Sample]]


def measure(size: str, engine: str) -> Iterator[Reported]:
    """Yield the CPU time that all genes of one subject and of many take, and how many genes have a result."""
    run = Run(size)
    content, source = _definitions()
    genes = [gene for gene in content.genes if gene.positions]
    random = Random(29)
    subjects = [[(gene, _sample(gene, random)) for gene in genes] for _ in range(_SUBJECTS[size])]
    note = f"{len(genes)} genes, {sum(len(gene.positions) for gene in genes)} positions, {source}"
    called = sum(call_gene(gene, sample).status in _HAVE_RESULT for each in subjects for gene, sample in each)
    yield run.plain(
        "pgx_called", called / sum(map(len, subjects)), "genes with a result ÷ genes", target=at_least(0.9), note=note
    )
    (alone,) = compare(over(_call, subjects[:1]))
    yield run.plain(
        "pgx_call_subject", alone.median * 1e3, "ms CPU", target=at_most(_MOST_MS), n=len(alone.seconds), note=note
    )
    (many,) = compare(over(_call_all, [subjects]), repeats=4)
    yield run.plain("pgx_call_subjects", many.median, f"s CPU for {len(subjects)} subjects", note=note)


_HAVE_RESULT = (CallStatus.CALLED, CallStatus.AMBIGUOUS)


def _definitions() -> tuple[PgxContent, str]:
    folder = os.environ.get("PHARMCAT_DEFINITIONS")
    if not folder:
        return embedded_content(), "shipped definitions"
    files = sorted(Path(folder).glob("*/*.json"))
    return read_pharmcat((file.name, file.read_bytes()) for file in files), "definitions of PharmCAT"


def _sample(gene: Gene, random: Random) -> Sample:
    callable_ = [allele for allele in gene.alleles if any(allele.cells) and not allele.is_structural]
    first, second = (_sequence(gene, random.choice(callable_), random) for _ in range(2))
    return Sample(
        {
            position.name: Observed((one, other))
            for position, one, other in zip(gene.positions, first, second, strict=True)
        }
    )


def _sequence(gene: Gene, allele: NamedAllele, random: Random) -> list[str]:
    found = []
    for position, cell in zip(gene.positions, allele.cells, strict=True):
        bases = [base for base in position.alleles38 if base in BASES.get(cell, "")]
        found.append(random.choice(bases) if bases else cell or position.ref38)
    return found


def _call(subject: Subject) -> None:
    for gene, sample in subject:
        call_gene(gene, sample)


def _call_all(subjects: list[Subject]) -> None:
    for subject in subjects:
        _call(subject)
