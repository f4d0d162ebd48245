"""Storing VCFs: CPU time beside the bare parse of cyvcf2, peak memory, and bytes a call in cohorts.

What is timed on our side is all of it: reading, checking REF, justifying, lifting to the other build and comparing with
its bases, encoding, bitmaps, indexes, commits. cyvcf2 does nothing but parse the same file.
"""

from __future__ import annotations

import importlib
import resource
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from app.operations.context import Genome
from app.store.session import Database
from bench.generate import SingleVcf, bases_for, cohort, single_vcf
from bench.genomes import SyntheticGenome, open_on_disk, synthetic_genome
from bench.measure import compare
from bench.report import Metric, Reported, Run, at_least, at_most
from bench.stores import Stores, ingest_cohort, ingest_vcf, stored_bytes, stores

_RECORDS = {"s": 20_000, "m": 100_000, "l": 300_000}
_REPEATS = {"s": 8, "m": 7, "l": 7}
_COHORTS = {"s": (250,), "m": (250, 2_500), "l": (250, 2_500, 25_000)}
_PEAK_LIMIT_MB = 512
_KINDS = {"windows": "windows", "whole": "a whole chromosome"}


def measure(size: str, engine: str) -> Iterator[Reported]:
    """Yield rate, memory and bytes a call."""
    run = Run(size, engine)
    with stores(engine) as made:
        genome = synthetic_genome(bases_for(_RECORDS[size]))
        vcf = single_vcf(made.folder / "single.vcf.gz", _RECORDS[size], genome)
        if _bare_parse() is None:
            print("ingest: cyvcf2 is not installed, so the rate is not compared", file=sys.stderr)
        for kind in _KINDS:
            folder = made.folder / f"reference-{kind}"
            opened = genome.on_disk(folder, whole=kind == "whole")
            yield from _rate(run, made, opened, vcf, kind)
            yield _peak(run, made, folder, vcf, kind)
        yield from _bytes(run, made, _COHORTS[size])


def _rate(run: Run, made: Stores, genome: Genome, vcf: SingleVcf, kind: str) -> Iterator[Reported]:
    parse, repeats = _bare_parse(), _REPEATS[run.size]
    if parse is None:
        return
    databases = iter([made.fresh() for _ in range(3 * (repeats + 1))])

    def store() -> int:
        database = next(databases)
        calls = ingest_vcf(database, genome, vcf.path, "S1")
        database.close()
        return calls

    calls = parse(vcf.path)
    ours, theirs = compare(store, lambda: parse(vcf.path), repeats=repeats)
    yield run.speedup(
        f"ingest_single_vcf_{kind}", ours, theirs, "cyvcf2 bare parse", unit="µs", target=at_least(0.4),
        note=f"{calls:,} calls with GT:AD:DP:GQ:PL and twelve INFO fields, the reference loaded as {_KINDS[kind]};"
        " the aim is 0.7",
    )  # fmt: skip


def _bare_parse() -> Callable[[Path], int] | None:
    """Return a function that parses a file with cyvcf2 and counts its records."""
    try:
        cyvcf2: Any = importlib.import_module("cyvcf2")
    except ImportError:
        return None

    def parse(path: Path) -> int:
        records = 0
        for record in cyvcf2.VCF(str(path)):
            _ = record.POS, record.REF, record.ALT, record.genotypes
            records += 1
        return records

    return parse


# --- memory -----------------------------------------------------------------------------------------------------------


def _peak(run: Run, made: Stores, folder: Path, vcf: SingleVcf, kind: str) -> Metric:
    """Measure the peak resident memory of a process that does one ingest."""
    url = made.fresh().url.render_as_string(hide_password=False)
    command = [sys.executable, "-m", "bench.ingest", url, str(folder), str(vcf.path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=600)
    peak = int(done.stdout) / 1e6
    return run.plain(
        f"ingest_peak_memory_{kind}", peak, "MB", target=at_most(_PEAK_LIMIT_MB), note=f"{vcf.records:,} calls"
    )


def peak_bytes() -> int:
    """Return the peak resident memory of this process.

    Linux counts the memory of the parent into ``ru_maxrss`` of a process that was started by ``fork`` and ``exec``.
    """
    try:
        lines = Path("/proc/self/status").read_text("ascii").splitlines()
    except OSError:
        lines = []
    for line in lines:
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


# --- bytes a call -----------------------------------------------------------------------------------------------------


def _bytes(run: Run, made: Stores, sizes: tuple[int, ...]) -> Iterator[Reported]:
    genome: SyntheticGenome = synthetic_genome(1_200_000)
    opened = genome.in_memory(made.folder / "cohort-reference")
    for subjects in sizes:
        database = made.fresh()
        before = stored_bytes(database)
        calls = ingest_cohort(database, opened, cohort(subjects, genome))
        stored = stored_bytes(database) - before
        yield run.plain(
            f"ingest_bytes_per_call_{subjects}", stored / calls, "bytes a call",
            target=at_most(15) if subjects == 25_000 else None, n=calls,
            note=f"genotype and depth; {calls:,} calls of {subjects:,} subjects in one megabase",
        )  # fmt: skip


if __name__ == "__main__":
    database_url, reference_folder, vcf_path = sys.argv[1:]
    ingest_vcf(Database(database_url), open_on_disk(Path(reference_folder)), Path(vcf_path), "S1")
    print(peak_bytes())
