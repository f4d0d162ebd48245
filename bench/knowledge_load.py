"""Loading, switching and removing a release of ClinVar's size: rate, time and peak memory of one process.

The release is loaded by the function behind ``operon knowledge load``, with the reference on disk as a server has it.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import orjson

from app.config import Settings
from app.operations.context import Genome
from app.store import knowledge
from app.store.session import Database
from bench.genomes import open_on_disk, synthetic_genome
from bench.ingest import peak_bytes
from bench.releases import synthetic_release
from bench.report import Reported, Run, at_least, at_most
from bench.stores import stored_bytes, stores
from ingest.knowledge import LoadOptions, LoadReport, load
from ingest.progress import Progress
from ingest.workspace import Workspace

ROWS = {"s": 20_000, "m": 300_000, "l": 3_000_000}
CONDITIONS = {"s": 500, "m": 5_000, "l": 20_000}
_BASES_A_ROW = 15
"""3 million statements are about the 46 million bases of exons and their surroundings"""
_TIME_LIMIT = 3_600


def measure(size: str, engine: str) -> Iterator[Reported]:
    """Yield rate, seconds and memory."""
    run = Run(size, engine)
    rows = ROWS[size]
    with stores(engine) as made:
        genome = synthetic_genome(max(300_000, rows * _BASES_A_ROW))
        folder = made.folder / "reference"
        genome.on_disk(folder)
        release = synthetic_release(made.folder / "release.tsv", rows, genome, conditions=CONDITIONS[size])
        database = made.fresh()
        before = stored_bytes(database)
        note = f"{rows:,} statements on {len(release.refs):,} variants, {CONDITIONS[size]:,} conditions"
        loaded = _in_child(database, folder, release.path, "load")
        yield run.plain(
            "knowledge_load_rate", rows / loaded["cpu"], "rows/s", target=at_least(15_000), n=rows, note=note
        )
        yield run.plain("knowledge_load_time", loaded["wall"], "s", note=note)
        yield run.plain("knowledge_load_peak_memory", loaded["peak"] / 1e6, "MB", target=at_most(1_000), note=note)
        yield run.plain("knowledge_bytes_per_row", (stored_bytes(database) - before) / rows, "bytes a row", note=note)
        for step in ("activate", "deactivate", "remove"):
            done = _in_child(database, folder, release.path, step)
            yield run.plain(f"knowledge_{step}_time", done["cpu"], "s", note=note)
            yield run.plain(f"knowledge_{step}_peak_memory", done["peak"] / 1e6, "MB", target=at_most(1_000), note=note)


def _in_child(database: Database, folder: Path, path: Path, step: str) -> dict[str, float]:
    url = database.url.render_as_string(hide_password=False)
    command = [sys.executable, "-m", "bench.knowledge_load", url, str(folder), str(path), step]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=_TIME_LIMIT)
    found: dict[str, float] = orjson.loads(done.stdout)
    return found


def load_release(
    database: Database, genome: Genome, path: Path, *, kind: str = "diagnostic", active: bool
) -> LoadReport:
    """Load a table as version 1, as the command line does."""
    workspace = Workspace(Settings(), database, genome)
    return load(workspace, kind, [path], LoadOptions(version="1", activate=active), Progress(quiet=True))


def switch(database: Database, *, active: bool, name: str = "diagnostic-1") -> None:
    """Let answers use a release, or no longer."""
    with database.write() as session:
        knowledge.set_active(session, knowledge.named(session, name), active=active)


def _do(database: Database, folder: Path, path: Path, step: str) -> None:
    if step == "load":
        load_release(database, open_on_disk(folder), path, active=False)
    elif step == "remove":
        with database.write() as session:
            knowledge.remove(session, knowledge.named(session, "diagnostic-1"))
    else:
        switch(database, active=step == "activate")


if __name__ == "__main__":
    database_url, reference_folder, release_path, wanted = sys.argv[1:]
    began, cpu = time.perf_counter(), time.process_time()
    _do(Database(database_url), Path(reference_folder), Path(release_path), wanted)
    figures = {"wall": time.perf_counter() - began, "cpu": time.process_time() - cpu, "peak": peak_bytes()}
    print(orjson.dumps(figures).decode())
