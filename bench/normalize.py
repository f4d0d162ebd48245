"""Fully justified indels in repeats: the product beside bioutils and, where it is installed, ga4gh.vrs."""

from __future__ import annotations

import importlib
import importlib.metadata
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from bioutils.normalize import NormalizationMode, normalize

from app.records import Build
from app.variants.accessions import accession
from app.variants.liftover import Liftover
from app.variants.normalize import justify
from app.variants.placement import Placer
from app.variants.reference import InMemoryReference
from bench.generate import Indel, repeat_indels
from bench.genomes import CONTIG
from bench.measure import Work, compare, over
from bench.report import Reported, Run, at_least

_INDELS = {"s": 2_000, "m": 10_000, "l": 50_000}
_OFFSET = 50_000
_REF_SEQ = accession(Build.GRCH37, CONTIG)

Change = tuple[int, str, str]
"""Start, deleted and inserted sequence in fully justified form"""
One = Callable[[Indel], Change]
Batch = Callable[[Sequence[Indel]], Sequence[Change]]


def measure(size: str, engine: str) -> Iterator[Reported]:
    """Yield the rates of a batch, as in an ingest, and of one at a time, and how many results agree."""
    run = Run(size)
    sequence, indels = repeat_indels(_INDELS[size])
    reference = InMemoryReference({_REF_SEQ: [(_OFFSET, sequence)]})
    placer = Placer({Build.GRCH37: reference}, Liftover())

    def one(indel: Indel) -> Change:
        found = justify(reference, _REF_SEQ, _OFFSET + indel.position, indel.ref, indel.alt)
        return found.position - _OFFSET, found.deleted, found.inserted

    def batch(some: Sequence[Indel]) -> Sequence[Change]:
        positions = np.array([_OFFSET + indel.position for indel in some], np.int64)
        found = placer.place_batch(
            Build.GRCH37, CONTIG, positions, [indel.ref for indel in some], [indel.alt for indel in some]
        )
        return list(zip((found.start - _OFFSET).tolist(), found.deleted, found.inserted, strict=True))

    def by_bioutils(indel: Indel) -> Change:
        interval = (indel.position, indel.position + len(indel.ref))
        (start, _), (deleted, inserted) = normalize(
            sequence, interval, (None, indel.alt), mode=NormalizationMode.EXPAND
        )
        return start, deleted or "", inserted

    expected = [by_bioutils(indel) for indel in indels]
    called = "bioutils EXPAND"
    yield run.shared("normalize_one_agreement", _equal(map(one, indels), expected), len(indels), called)
    yield run.shared("normalize_batch_agreement", _equal(batch(indels), expected), len(indels), called)
    alone, peer = compare(over(one, indels), over(by_bioutils, indels))
    yield run.speedup("normalize_one", alone, peer, called, unit="µs")
    together, peer = compare(_repeated(batch, indels), over(by_bioutils, indels))
    yield run.speedup("normalize_batch", together, peer, called, unit="µs", target=at_least(3))
    yield from _beside_vrs(run, sequence, indels, one, batch)


def _equal(found: Any, expected: Sequence[Change]) -> int:
    return sum(a == b for a, b in zip(found, expected, strict=True))


def _repeated(batch: Batch, indels: Sequence[Indel]) -> Work:
    def work() -> int:
        for _ in range(4):
            batch(indels)
        return 4 * len(indels)

    return work


def _beside_vrs(run: Run, sequence: str, indels: Sequence[Indel], one: One, batch: Batch) -> Iterator[Reported]:
    try:
        models = importlib.import_module("ga4gh.vrs.models")
        vrs_normalize = importlib.import_module("ga4gh.vrs.normalize").normalize
    except ImportError:
        print("normalize: ga4gh.vrs (pip install ga4gh.vrs) is not installed, so it is not compared", file=sys.stderr)
        return
    accession_of_sequence = "SQ." + "A" * 32
    sequences = _VrsSequences(accession_of_sequence, sequence)
    refget = models.SequenceReference(refgetAccession=accession_of_sequence)

    def by_vrs(indel: Indel) -> Change:
        end = indel.position + len(indel.ref)
        location = models.SequenceLocation(sequenceReference=refget, start=indel.position, end=end)
        allele = models.Allele(location=location, state=models.LiteralSequenceExpression(sequence=indel.alt))
        found = vrs_normalize(allele, data_proxy=sequences, rle_seq_limit=None)
        start, end = found.location.start, found.location.end
        return start, sequence[start:end], found.state.sequence.root

    sample, called = indels[:500], f"ga4gh.vrs {importlib.metadata.version('ga4gh.vrs')}"
    expected = [by_vrs(indel) for indel in sample]
    yield run.shared("normalize_one_agreement_vrs", _equal(map(one, sample), expected), len(sample), called)
    yield run.shared("normalize_batch_agreement_vrs", _equal(batch(sample), expected), len(sample), called)
    alone, peer = compare(over(one, sample), over(by_vrs, sample))
    yield run.speedup("normalize_one_vs_vrs", alone, peer, called, unit="µs")
    together, peer = compare(_repeated(batch, indels), over(by_vrs, sample))
    yield run.speedup("normalize_batch_vs_vrs", together, peer, called, unit="µs", target=at_least(30))


class _VrsSequences:
    """What ga4gh.vrs asks of a sequence repository, for one sequence."""

    def __init__(self, name: str, sequence: str) -> None:
        self._name = name
        self._sequence = sequence

    def get_sequence(self, identifier: str, start: int | None = None, end: int | None = None) -> str:
        """Return bases."""
        return self._sequence[start:end]

    def get_metadata(self, identifier: str) -> dict[str, Any]:
        """Return the length."""
        return {"length": len(self._sequence), "aliases": [f"ga4gh:{self._name}"]}

    def derive_refget_accession(self, identifier: str) -> str:
        """Return the name of the sequence."""
        return self._name
