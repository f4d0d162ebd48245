"""Cases of Genomics England: how many are stored a second, and what a question costs among many of them.

What is timed of an ingest is all that ``operon ingest cip-api`` does with files: documents put, read, placed, encoded,
indexed and committed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

from app.config import Settings
from app.fhir.definitions import load_definitions
from app.fhir.parameters import Dialect, read_inputs
from app.operations.context import Genome
from app.store.session import Database
from app.variants.liftover import Liftover
from bench.cip_cases import cases
from bench.measure import compare
from bench.report import Reported, Run, at_least, at_most
from bench.stores import context_of, stores
from ingest.cip_beside import projecting_beside
from ingest.cip_files import read_files
from ingest.progress import Progress
from ingest.workspace import Workspace

OPERATION = "find-subject-dx-implications"
VARIANTS = 200
_CASES = {"s": 200, "m": 1000, "l": 1000}
_FEW = 100
_TARGET = 50
_REPEATS = 12
_SUBJECT = "p500000"
_QUIET = Progress(quiet=True)


def ingest(database: Database, genome: Genome, folder: Path, number: int) -> float:
    """Store so many cases, and return the seconds that it took; making them up does not count."""
    url = database.url.render_as_string(hide_password=False)
    workspace = Workspace(Settings(home=folder, database_url=url), database, genome)
    files = []
    for at, document in enumerate(cases(number, VARIANTS)):
        files.append(folder / f"{at}.json")
        files[-1].write_bytes(document)
    began = time.perf_counter()
    with projecting_beside(workspace, _QUIET, number) as report:
        read_files(workspace, files, _QUIET)
    seconds = time.perf_counter() - began
    if report.quarantined or len(report.outcomes) != number:
        raise RuntimeError("not every case was stored")
    return seconds


def measure(size: str, engine: str) -> Iterator[Reported]:
    """Yield cases a second, and the time of a question in a large and a small store."""
    run = Run(size, engine)
    genome = Genome({}, Liftover())
    with stores(engine) as made:
        many, few = made.fresh(), made.fresh()
        number = _CASES[size]
        seconds = ingest(many, genome, made.folder, number)
        yield run.plain(
            "cip_ingest_cases", number / seconds, "cases a second", target=at_least(_TARGET),
            note=f"{number:,} trios of {VARIANTS} variants, documents put and calls made",
        )  # fmt: skip
        ingest(few, genome, made.folder, _FEW)
        asked = _asking(many, genome), _asking(few, genome)
        ours, theirs = compare(*asked, repeats=_REPEATS)
        yield run.cost(
            "cip_dx_implications", ours, theirs, f"{_FEW} cases", unit="ms", target=at_most(1.5),
            note=f"{OPERATION} of a proband among {number:,} cases",
        )  # fmt: skip


def _asking(database: Database, genome: Genome) -> Callable[[], int]:
    context = context_of(database, genome)
    definition = load_definitions()[OPERATION]
    pairs = [("subject", _SUBJECT), ("conditions", "http://human-phenotype-ontology.org|HP:0001249")]
    inputs = read_inputs(definition, pairs, None, Dialect.IG, path_subject=None, strict=True, settings=Settings())

    def ask() -> int:
        assert b"LA6668-3" in context.answer(OPERATION, inputs)
        return 1

    return ask
