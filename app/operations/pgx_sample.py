"""What tests of people say of pharmacogenes, from stored calls and regions: all genes of many tests at once.

Every test is looked at on its own build, where its calls need no lifting; the alleles of a position are then named as
GRCh38 spells them, whatever the reference base of the test's build is. Positions are zero-based, half-open.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from app.formats.pgx import Gene
from app.operations import pgx_copies
from app.operations.pgx_observed import Found, observe
from app.operations.pgx_places import Place, Places
from app.operations.pgx_told import EVERYWHERE, told_reference
from app.pgx.calls import CopyNumber, Observed, Sample
from app.records import Build, Sex, SourceClass
from app.store import calls, coverage, structural_calls
from app.store.calls import CallSet, Chunks, Stretch, bin_runs
from app.store.codec import CallChunk
from app.store.coverage import Coverage, Study
from app.store.session import Session
from app.variants.accessions import MT, X, Y

INHERITED = frozenset({SourceClass.GERMLINE, SourceClass.UNSPECIFIED})
"""What a tumour has beside the germline says nothing of the alleles that somebody was born with"""

Rows = list[tuple[CallChunk, int]]


@dataclass(frozen=True, slots=True)
class Test:
    """One test with its call sets of the germline."""

    study: Study
    sex: Sex
    call_sets: tuple[CallSet, ...]
    is_germline: bool = True
    """It has no other call sets: regions are of a test, and those of a tumour tell nothing of the germline"""


def read_samples(session: Session, places: Places, tests: Sequence[Test]) -> Iterator[dict[str, Sample]]:
    """Yield what each of some tests says of each gene, by symbol; a gene of which it says nothing is left out."""
    builds = {call_set.build for test in tests for call_set in test.call_sets}
    builds |= {test.study.stated_build for test in tests if test.study.stated_build is not None}
    maps = {build: _Map(places, build) for build in builds}
    stretches = [
        Stretch(call_set.shard, call_set.call_set_id, contig, runs)
        for test in tests
        for call_set in test.call_sets
        for contig, runs in maps[call_set.build].runs.items()
    ]
    chunks = calls.read_chunks(session, stretches)
    structural = structural_calls.read_chunks(session, pgx_copies.wanted(places.genes, tests_call_sets(tests)))
    covered = _coverage(session, tests, places)
    for test in tests:
        found = _found(maps, test, chunks)
        build = test.study.stated_build
        regions = covered[test.study.study_id] if test.is_germline else None
        told = _told(maps[build], regions) if build is not None and regions is not None else {}
        copies = pgx_copies.copies_of(test.call_sets, structural)
        if copies is None:
            copies = pgx_copies.stated_copies(session, test.call_sets)
        samples = {}
        for gene in places.genes:
            sample = _sample(gene, test.sex, found, told, copies)
            if sample is not None:
                samples[gene.symbol] = sample
        yield samples


def tests_call_sets(tests: Sequence[Test]) -> list[CallSet]:
    """Return the call sets of some tests."""
    return [call_set for test in tests for call_set in test.call_sets]


class _Map:
    """The places of all genes on one build, by contig, with the bins to read and the bases that they touch."""

    def __init__(self, places: Places, build: Build) -> None:
        self.by_contig: dict[int, list[tuple[str, Place]]] = {}
        for gene, of_gene in zip(places.genes, places.on(build), strict=True):
            for place in of_gene:
                if place is not None:
                    self.by_contig.setdefault(place.contig, []).append((gene.symbol, place))
        self.runs: dict[int, tuple[calls.Run, ...]] = {}
        self.low: dict[int, np.ndarray[tuple[int], np.dtype[np.int64]]] = {}
        self.high: dict[int, np.ndarray[tuple[int], np.dtype[np.int64]]] = {}
        for contig, found in self.by_contig.items():
            low = [min(place.start, place.low) for _, place in found]
            high = [max(place.end, place.high) for _, place in found]
            around = sorted((max(0, start - 1), end + 1) for start, end in zip(low, high, strict=True))
            self.runs[contig] = bin_runs(around, gap=0)
            self.low[contig], self.high[contig] = np.array(low, np.int64), np.array(high, np.int64)


def _coverage(session: Session, tests: Sequence[Test], places: Places) -> Mapping[int, Coverage]:
    contigs = {EVERYWHERE, *(position.contig for gene in places.genes for position in gene.positions)}
    found: dict[int, Coverage] = {}
    by_shard: dict[int, list[Study]] = {}
    for test in tests:
        by_shard.setdefault(test.study.shard, []).append(test.study)
    for studies in by_shard.values():
        found |= coverage.coverage_of(session, studies, contigs)
    return found


def _found(maps: Mapping[Build, _Map], test: Test, chunks: Chunks) -> dict[tuple[str, str], Found]:
    """Return what the calls of a test say, by gene and position; of several call sets the first that says something."""
    found: dict[tuple[str, str], Found] = {}
    for call_set in test.call_sets:
        known = maps[call_set.build]
        for contig, places in known.by_contig.items():
            here = chunks.get((call_set.call_set_id, contig))
            if not here:
                continue
            for at, rows in _near(here, known.low[contig], known.high[contig]).items():
                symbol, place = places[at]
                one = observe(place, rows)
                key = (symbol, place.position.name)
                if one is not None and key not in found:
                    found[key] = one
    return found


def _near(
    chunks: Sequence[tuple[int, CallChunk]],
    low: np.ndarray[tuple[int], np.dtype[np.int64]],
    high: np.ndarray[tuple[int], np.dtype[np.int64]],
) -> dict[int, Rows]:
    """Return the calls that touch or stand beside each of some places, each call once."""
    found: dict[int, Rows] = {}
    seen: set[tuple[int, int, int, str, int]] = set()
    for _, chunk in chunks:
        ends = chunk.end()
        hits = (chunk.start[:, None] <= high[None, :]) & (ends[:, None] >= low[None, :])
        for row, at in np.argwhere(hits).tolist():
            genotype = chunk.genotypes[int(chunk.genotype[row])]
            key = (at, int(chunk.start[row]), int(chunk.variant[row]), genotype.text, genotype.allele)
            if key not in seen:
                seen.add(key)
                found.setdefault(at, []).append((chunk, row))
    return found


def _told(known: _Map, regions: Coverage) -> dict[tuple[str, str], str]:
    """Return the alleles that a test's regions say are there, by gene and position."""
    told: dict[tuple[str, str], str] = {}
    for contig, found in known.by_contig.items():
        said = told_reference(regions, contig, [place for _, place in found])
        for at in np.flatnonzero(said).tolist():
            symbol, place = found[at]
            told[symbol, place.position.name] = place.allele(place.reference)
    return told


def _sample(
    gene: Gene,
    sex: Sex,
    found: Mapping[tuple[str, str], Found],
    told: Mapping[tuple[str, str], str],
    copies: int | None,
) -> Sample | None:
    """Return what a test says of one gene; None if it says nothing."""
    counted = copies if gene.symbol == pgx_copies.GENE else None
    names = [position.name for position in gene.positions]
    called = {name: one for name in names if (one := found.get((gene.symbol, name))) is not None}
    male = {Sex.MALE: True, Sex.FEMALE: False}.get(sex)
    observed: dict[str, Observed] = {}
    of_one = _is_single(gene, called, male=male)
    for name in names:
        if name in called:
            observed[name] = called[name].observed
        elif (allele := told.get((gene.symbol, name))) is not None:
            observed[name] = Observed((allele,) if of_one else (allele, allele))
    if not observed and counted is None:
        return None
    return Sample(
        observed,
        CopyNumber(counted, {name: one.depths for name, one in called.items() if one.depths})
        if counted is not None
        else None,
        male,
        {name: one.frequency for name, one in called.items() if one.frequency is not None} if gene.contig == MT else {},
        tuple(name for name, one in called.items() if one.repeated),
    )


def _is_single(gene: Gene, called: Mapping[str, Found], *, male: bool | None) -> bool:
    """Return whether what regions say is of one copy of a gene."""
    if gene.contig in {MT, Y}:
        return True
    if gene.contig != X:
        return False
    # Where the sex is not known, a haploid call tells that there is one copy.
    return bool(male) or (male is None and any(len(one.observed.alleles) == 1 for one in called.values()))
