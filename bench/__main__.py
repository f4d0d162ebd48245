"""Run benchmarks: ``python -m bench NAME|all [--size s|m|l] [--engine sqlite|postgresql] [--json FILE]``."""

from __future__ import annotations

import argparse
import importlib
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from bench import report
from bench.report import Metric, Refused, Reported
from bench.stores import Skipped

BENCHES = (
    "http_floor", "subject_range", "population_count", "population_boolean", "haplotype_count", "structural",
    "gene_load", "knowledge_load", "knowledge_subject", "knowledge_count", "ingest", "normalize", "liftover",
    "hgvs_argument", "hgvs_names", "pgx_call", "cds_hooks", "statements", "cip_ingest",
)  # fmt: skip

Bench = Callable[[str, str], Iterator[Reported]]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what the arguments name, print one JSON object a metric, and return the exit code."""
    given = _parser().parse_args(arguments)
    names = BENCHES if given.bench == "all" else (given.bench,)
    lines: list[str] = []
    refused = 0
    for name in names:
        started = time.perf_counter()
        bench: Bench = importlib.import_module(f"bench.{name}").measure
        metrics: list[Metric] = []
        try:
            for metric in bench(given.size, given.engine):
                if isinstance(metric, Refused):
                    print(metric, file=sys.stderr)
                    refused += 1
                    continue
                metrics.append(metric)
                lines.append(report.line(metric))
                print(lines[-1], flush=True)
        except Skipped as reason:
            print(f"{name}: skipped, {reason}", file=sys.stderr)
        if not given.no_record:
            report.record(name, metrics)
        print(f"{name}: {len(metrics)} metrics in {time.perf_counter() - started:.0f} s", file=sys.stderr)
    if not given.no_record:
        report.write_table(BENCHES)
    if given.json is not None:
        given.json.write_text("".join(f"{line}\n" for line in lines), "utf-8")
    return 1 if refused else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("bench", choices=(*BENCHES, "all"))
    parser.add_argument("--size", choices=("s", "m", "l"), default="s", help="amount of data (default: s)")
    parser.add_argument("--engine", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the metrics there, too, one object a line")
    parser.add_argument("--no-record", action="store_true", help="leave bench/results and bench/RESULTS.md as they are")
    return parser


if __name__ == "__main__":
    sys.exit(main())
