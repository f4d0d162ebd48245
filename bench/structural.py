"""Who has a structural variant in a range: the operation beside the bare design, an interval index and a bitmap a site.

The bare design is written by hand on the same kind of database: R*Tree or GiST over sites, one roaring bitmap for each
site, their union, its size. It knows one build, no source classes, no subjects to name and no FHIR.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray
from pyroaring import BitMap

from app.config import Settings
from app.fhir.definitions import load_definitions
from app.fhir.parameters import Dialect, OperationInputs, read_inputs
from app.operations.context import Genome
from app.records import Build, LiftStatus, SourceClass, StructuralKind, Zygosity
from app.store import bitmaps, carriers, counters, structural_sites
from app.store.session import Database
from app.store.structural_sites import StructuralSite
from app.variants.accessions import accession
from app.variants.extent import Extent
from app.variants.liftover import Liftover
from bench.measure import compare, growth, over
from bench.report import Reported, Run, at_most
from bench.stores import Stores, context_of, stores

Ints = NDArray[np.int64]

OPERATION = "find-population-structural-intersecting-variants"
CONTIG = 1
BASES = 100_000_000
RANGE = 100_000
QUESTIONS = 50
_BIRTHS = 1.9
"""Exponent of how many subjects share a site: half of the sites have one carrier, a site has nine in the mean"""
_SITES = {"s": 20_000, "m": 119_000, "l": 119_000}
_SUBJECTS = {"s": 4_000, "m": 25_000, "l": 25_000}
_GROWING = (1, 4, 16)
_GROWING_SITES = 20_000
_GROWING_SUBJECTS = 2_000


@dataclass(frozen=True, slots=True)
class Cohort:
    """Sites on one chromosome, sorted, and calls as parallel columns (place of the site, subject)."""

    starts: Ints
    ends: Ints
    site: Ints
    subject: Ints
    subjects: int


def measure(size: str, engine: str) -> Iterator[Reported]:
    """Yield the cost of a range beside the bare design, and how it grows with the calls of the same sites."""
    run = Run(size, engine)
    genome = Genome({}, Liftover())
    with stores(engine) as made:
        cohort = _cohort(_SITES[size], _SUBJECTS[size])
        database = _filled(made, cohort)
        questions = _questions(cohort)
        bare = _bare(made, cohort)
        context = context_of(database, genome)
        for start, end in questions:
            if _numerator(context.answer(OPERATION, asked(start, end))) != bare((start, end)):
                raise AssertionError("the operation counts differently from the bare design")
        inputs = [asked(start, end) for start, end in questions]
        ours, floor = compare(over(partial(context.answer, OPERATION), inputs), over(bare, questions))
        yield run.cost(
            "operation_population_structural", ours, floor, "interval index and bitmap by hand", unit="ms",
            target=at_most(3),
            note=f"{len(cohort.starts):,} sites, {len(cohort.site):,} calls, ranges of {RANGE:,} bases",
        )  # fmt: skip
        yield _grown(run, made, genome)


def _grown(run: Run, made: Stores, genome: Genome) -> Reported:
    points = []
    for factor in _GROWING:
        cohort = _cohort(_GROWING_SITES, _GROWING_SUBJECTS * factor, factor=factor)
        context = context_of(_filled(made, cohort), genome)
        inputs = [asked(start, end) for start, end in _questions(cohort)]
        work = over(partial(context.answer, OPERATION), inputs)
        ours, _ = compare(work, work)
        points.append((len(cohort.site), ours.median))
    return run.plain(
        "operation_population_structural_growth", growth(points), "exponent", target=at_most(0.3), n=len(points),
        note=f"{_GROWING_SITES:,} sites; {', '.join(f'{calls:,}' for calls, _ in points)} calls",
    )  # fmt: skip


def asked(start: int, end: int) -> OperationInputs:
    """Return the inputs of the operation for one range."""
    pairs = [("ranges", f"{accession(Build.GRCH38, CONTIG)}:{start}-{end}")]
    definition = load_definitions()[OPERATION]
    return read_inputs(definition, pairs, None, Dialect.IG, path_subject=None, strict=False, settings=Settings())


def _numerator(answer: bytes) -> int:
    parts = orjson.loads(answer)["parameter"][0]["part"]
    return next(int(part["valueQuantity"]["value"]) for part in parts if part["name"] == "numerator")


def _cohort(sites: int, subjects: int, *, factor: int = 1, seed: int = 7) -> Cohort:
    """Return sites of 50 bases to a megabase, each shared by ``factor`` times as many as chance gives it."""
    random = np.random.default_rng(seed)
    starts = np.sort(random.integers(1, BASES, sites))
    ends = starts + np.exp(random.uniform(np.log(50), np.log(1e6), sites)).astype(np.int64)
    shared = np.arange(1, subjects // factor // 2 + 1)
    weights = shared**-_BIRTHS
    carried = random.choice(shared, sites, p=weights / weights.sum()) * factor
    site = np.repeat(np.arange(sites), carried)
    key = np.unique(site * subjects + random.integers(0, subjects, len(site)))
    return Cohort(starts, ends, key // subjects, key % subjects, subjects)


def _questions(cohort: Cohort) -> list[tuple[int, int]]:
    random = np.random.default_rng(len(cohort.starts))
    return [(start, start + RANGE) for start in random.integers(0, BASES - RANGE, QUESTIONS).tolist()]


def _filled(made: Stores, cohort: Cohort) -> Database:
    """Return a store with the sites and who has them, merged as an ingest merges its carriers."""
    database = made.fresh()
    sites = [
        StructuralSite(
            CONTIG, StructuralKind.DEL, Build.GRCH38, LiftStatus.OK, _exact(start, end),
            _exact(start + 1000, end + 1000), "N", "<DEL>", -1, imprecise=False,
        )
        for start, end in zip(cohort.starts.tolist(), cohort.ends.tolist(), strict=True)
    ]  # fmt: skip
    kind = bitmaps.kind_of(SourceClass.GERMLINE, Zygosity.HETEROZYGOUS)
    with database.write() as session:
        ids = np.array([id_ for id_, _ in structural_sites.resolve(session, sites)], dtype=np.int64)
        carriers.merge(session, ids[cohort.site], cohort.subject, np.full(len(cohort.site), kind))
        counters.allocate(session, counters.SUBJECT_ORDINAL, cohort.subjects)
        counters.add(session, counters.SUBJECTS, cohort.subjects)
    return database


def _exact(start: int, end: int) -> Extent:
    return Extent(start, end, start, end, start, end)


def _bare(made: Stores, cohort: Cohort) -> Callable[[tuple[int, int]], int]:
    """Return the bare design's count of the subjects of a range."""
    database = made.fresh()
    bounds = np.searchsorted(cohort.site, np.arange(len(cohort.starts) + 1)).tolist()
    members = [BitMap(cohort.subject[low:high].astype(np.uint32)).serialize() for low, high in pairwise(bounds)]
    places = list(zip(range(len(members)), cohort.starts.tolist(), cohort.ends.tolist(), strict=True))
    with database.writer.connect() as connection:
        if database.is_sqlite:
            connection.exec_driver_sql("create virtual table bare_site using rtree_i32(id, low, high)")
        else:
            connection.exec_driver_sql("create table bare_site (id integer, span int4range)")
        connection.exec_driver_sql(
            f"create table bare_carrier (id integer primary key, members {'blob' if database.is_sqlite else 'bytea'})"
        )
        connection.commit()
    with database.write() as session:
        if database.is_sqlite:
            session.insert_rows("bare_site", ("id", "low", "high"), [(id_, low, high - 1) for id_, low, high in places])
        else:
            session.insert_rows("bare_site", ("id", "span"), [(id_, f"[{low},{high})") for id_, low, high in places])
        session.insert_rows("bare_carrier", ("id", "members"), list(enumerate(members)))
    if not database.is_sqlite:
        with database.writer.connect() as connection:
            connection.exec_driver_sql("create index bare_site_span on bare_site using gist (span)")
            connection.commit()
    raw = database.reader.raw_connection()
    raw.detach()
    cursor: Any = raw.cursor()
    sql = "select c.members from bare_site s join bare_carrier c on c.id = s.id where s.low < ? and s.high >= ?"
    if not database.is_sqlite:
        sql = "select c.members from bare_site s join bare_carrier c on c.id = s.id where s.span && int4range(%s, %s)"

    def count(interval: tuple[int, int]) -> int:
        start, end = interval
        cursor.execute(sql, (end, start) if database.is_sqlite else (start, end))
        found = [BitMap.deserialize(bytes(row[0])) for row in cursor.fetchall()]
        return len(BitMap.union(*found)) if found else 0

    return count
