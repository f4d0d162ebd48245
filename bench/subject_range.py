"""The variants of a subject in a range: the store beside an open pysam handle, the server beside bare FastAPI."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pysam

from app.operations.context import OperationContext
from app.operations.matching import RangeMatcher
from app.records import Build
from app.store import calls
from app.variants.accessions import accession, display
from app.variants.interval import Interval
from bench.client import Target, connected, get, latencies, throughput
from bench.generate import SingleVcf, bases_for, cohort, single_vcf
from bench.genomes import CONTIG, synthetic_genome
from bench.measure import compare, growth, over
from bench.report import Metric, Reported, Run, at_least, at_most
from bench.server import fastapi_server, product_server
from bench.stores import Stores, context_of, ingest_cohort, ingest_vcf, stores, subject_id

_SUBJECT = "S1"
_ANSWERS = (10, 150)
_RECORDS = {"s": 20_000, "m": 100_000, "l": 300_000}
_REQUESTS = {"s": 60, "m": 200, "l": 500}
_COHORTS = {"s": (100, 1000), "m": (250, 2500), "l": (250, 2500, 25_000)}
_WINDOWS = 50
_REF_SEQ = accession(Build.GRCH37, CONTIG)


def measure(size: str, engine: str) -> Iterator[Reported]:
    """Yield the store's and the server's figures at 10 and 150 variants, and how the store's grow with the cohort."""
    run = Run(size, engine)
    with stores(engine) as made:
        genome = synthetic_genome(bases_for(_RECORDS[size]))
        opened = genome.on_disk(made.folder / "reference")
        vcf = single_vcf(made.folder / "single.vcf.gz", _RECORDS[size], genome)
        database = made.fresh()
        ingest_vcf(database, opened, vcf.path, _SUBJECT)
        context = context_of(database, opened)
        for answers in _ANSWERS:
            yield _store(run, context, vcf, answers)
        url = database.url.render_as_string(hide_password=False)
        yield from _server(run, made.folder, url, vcf)
        yield _growth(run, made, _COHORTS[size])


def windows(vcf: SingleVcf, answers: int, *, seed: int = 3) -> list[tuple[int, int]]:
    """Return ranges that hold the starts of exactly so many records, all along the file."""
    random = np.random.default_rng((seed, answers))
    firsts = random.integers(0, vcf.records - answers - 100, _WINDOWS).tolist()
    return [vcf.window(first, answers) for first in firsts]


# --- the store --------------------------------------------------------------------------------------------------------


def _store(run: Run, context: OperationContext, vcf: SingleVcf, answers: int) -> Reported:
    asked = windows(vcf, answers)
    read = stored_calls(context, _SUBJECT)
    with pysam.VariantFile(str(vcf.path)) as handle:
        peer = _file_calls(handle)
        _refuse_difference(read, peer, asked)
        ours, theirs = compare(over(read, asked), over(peer, asked))
    return run.speedup(
        f"store_subject_range_{answers}", ours, theirs, "open pysam handle", unit="ms", target=at_least(5)
    )


Columns = tuple[list[int], list[str], list[str], list[Any], list[Any]]
"""Positions, REF, ALT, genotypes and depths"""
Reader = Callable[[tuple[int, int]], Columns]


def stored_calls(context: OperationContext, subject: str) -> Reader:
    """Return a reader of a subject's calls in a range, from the store."""

    def read(window: tuple[int, int]) -> Columns:
        with context.database.read() as session:
            call_sets = calls.call_sets_of(session, subject)
            matcher = RangeMatcher(session, context.liftover, widen_max=context.settings.lift_widen_max)
            found, _ = matcher.find(call_sets, [Interval(_REF_SEQ, *window)])
        out: Columns = ([], [], [], [], [])
        positions, refs, alts, genotypes, depths = out
        for segment in found[0]:
            chunk, rows = segment.chunk, segment.rows
            codes = chunk.allele[rows].tolist()
            alleles = {code: chunk.alleles[code] for code in set(codes)}
            texts = [genotype.text for genotype in chunk.genotypes]
            starts = zip(chunk.start[rows].tolist(), codes, strict=True)
            positions += [start + alleles[code].anchor for start, code in starts]
            refs += [alleles[code].ref for code in codes]
            alts += [alleles[code].alt for code in codes]
            genotypes += [texts[code] for code in chunk.genotype[rows].tolist()]
            depths += chunk.depth[rows].tolist() if chunk.depth is not None else [-1] * len(rows)
        return out

    return read


def _file_calls(handle: pysam.VariantFile) -> Reader:
    name = display(CONTIG)

    def read(window: tuple[int, int]) -> Columns:
        out: Columns = ([], [], [], [], [])
        positions, refs, alts, genotypes, depths = out
        for record in handle.fetch(name, *window):
            cell = record.samples[0]
            positions.append(record.start)
            refs.append(record.ref or "")
            alts.append((record.alts or ("",))[0])
            genotypes.append(cell["GT"])
            depths.append(cell["DP"])
        return out

    return read


def _refuse_difference(read: Reader, peer: Reader, asked: Sequence[tuple[int, int]]) -> None:
    """Check that both read the same calls; changes that can roll may touch a range on one side only."""
    for window in asked:
        ours, theirs = (
            {row for row in zip(*found[:3], found[4], strict=True) if window[0] <= row[0] < window[1]}
            for found in (read(window), peer(window))
        )
        if ours != theirs:
            raise AssertionError(f"the store and the file differ in {window}: {sorted(ours ^ theirs)[:3]}")


# --- the server -------------------------------------------------------------------------------------------------------


def _server(run: Run, home: Path, url: str, vcf: SingleVcf) -> Iterator[Reported]:
    requests = _REQUESTS[run.size]
    with product_server(home, url) as product:
        paths = {answers: [_path(window) for window in windows(vcf, answers)] for answers in _ANSWERS}
        sizes = [_typical_size(product.port, paths[answers], answers) for answers in _ANSWERS]
        with fastapi_server([40, *sizes]) as floor:
            for number, answers in enumerate(_ANSWERS, 1):
                question = paths[answers][0].partition("?")[2]
                ours = Target(product.port, paths[answers])
                same = Target(floor.port, [f"/{number}?{question}"])
                small = Target(floor.port, [f"/0?{question}"])
                served, static, bare = latencies(ours, same, small, requests=requests)
                name = f"server_subject_range_{answers}"
                yield run.cost(
                    f"{name}_vs_bare", served, bare, "bare FastAPI, 40 bytes", unit="ms",
                    target=at_most(2) if answers == 10 else None,
                )  # fmt: skip
                yield run.cost(
                    f"{name}_vs_same_size", served, static, f"FastAPI, constant {sizes[number - 1]:,} bytes", unit="ms",
                    target=at_most(3) if answers == 150 else None,
                )  # fmt: skip
                rate, static_rate = throughput(ours, same)
                yield run.rate(f"{name}_throughput", rate, static_rate, "FastAPI, same size", unit="requests/s", n=7)


def _path(window: tuple[int, int]) -> str:
    ranges = f"{_REF_SEQ}:{window[0]}-{window[1]}"
    return f"/fhir/$find-subject-variants?subject={_SUBJECT}&ranges={ranges}&includeVariants=true"


def _typical_size(port: int, paths: Sequence[str], answers: int) -> int:
    """Return the median length of the answers, after looking at whether they are what was asked for."""
    with connected(port) as connection:
        bodies = [get(connection, path) for path in paths]
    for body in bodies:
        parts = orjson.loads(body)["parameter"][0]["part"]
        found = sum(part["name"] == "variant" for part in parts)
        # A change that rolls can touch a range beside which it is reported.
        if not answers <= found <= answers + 3:
            raise AssertionError(f"{found} variants were answered instead of {answers}")
    return int(np.median([len(body) for body in bodies]))


# --- growth -----------------------------------------------------------------------------------------------------------


def _growth(run: Run, made: Stores, sizes: Sequence[int]) -> Metric:
    """Return the exponent with which a range of one subject gets slower as the cohort grows."""
    genome = synthetic_genome(1_200_000)
    opened = genome.in_memory(made.folder / "cohort-reference")
    points = []
    for subjects in sizes:
        database = made.fresh()
        ingest_cohort(database, opened, cohort(subjects, genome))
        context = context_of(database, opened)
        start = genome.sequence(Build.GRCH37)[0]
        asked = [(start + at, start + at + 100_000) for at in range(0, 900_000, 90_000)]
        readers = [stored_calls(context, subject_id(number)) for number in range(0, subjects, max(1, subjects // 20))]
        pairs = [(reader, window) for reader in readers for window in asked]
        series = compare(over(lambda pair: pair[0](pair[1]), pairs))[0]
        points.append((subjects, series.median))
    return run.plain(
        "store_subject_range_growth_with_subjects", growth(points), "exponent", target=at_most(0.15), n=len(points)
    )
