"""How many subjects have a genotype or haplotype: words and codes among 30,000 distinct HLA genotypes.

The peer is the least that the answer can cost: the bitmaps of the genotypes that the word is in, read through the
driver and united.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
import orjson
from pyroaring import BitMap

from app.config import Settings
from app.fhir.definitions import load_definitions
from app.fhir.parameters import Dialect, OperationInputs, read_inputs
from app.operations.context import Genome
from app.records import SourceClass
from app.store import genotype_writer
from app.store.genotype_writer import Statement
from app.store.genotypes import GenotypeName
from app.store.session import Database
from app.store.studies import StudyFacts
from app.variants.liftover import Liftover
from bench.measure import compare, growth, over
from bench.report import Reported, Run, at_most
from bench.stores import Stores, context_of, stores, subject_id

OPERATION = "find-population-specific-haplotypes"
NAMES = 30_000
_LOCI = ("A", "B", "C", "DRB1", "DQB1", "DPB1")
_ALLELES = 500
"""Of a locus: so many make up nearly all of a large registry, most of them rare"""
_SUBJECTS = {"s": 40_000, "m": 200_000, "l": 1_000_000}
_QUESTIONS = {
    "gene": "HLA-B",
    "group": "HLA-B*27",
    "allele": "HLA-B*27:05",
    "coded_allele": "http://www.ebi.ac.uk/ipd/imgt/hla|HLA-B*27:05",
    "genotype": "HLA-B*27:05+HLA-B*07:02",
    "nothing": "HLA-B*99:99",
}
_GROWING = (4_000, 16_000, 64_000)
_GROWING_NAMES = 2_000
_TOGETHER = 2_000


def measure(size: str, engine: str) -> Iterator[Reported]:
    """Yield the cost of each question, the time of the slowest, and how two of them grow with the subjects."""
    run = Run(size, engine)
    with stores(engine) as made:
        subjects = _SUBJECTS[size]
        database = filled(made, NAMES, subjects)
        answer = partial(context_of(database, Genome({}, Liftover())).answer, OPERATION)
        slowest = 0.0
        for question, word in _QUESTIONS.items():
            inputs = asked(word)
            bare, names = _bare(database, word)
            if numerator(answer(inputs)) != bare(0):
                raise AssertionError(f"the operation counts differently from the bitmaps of the names with {word}")
            ours, floor = compare(over(answer, [inputs]), over(bare, [0]))
            slowest = max(slowest, ours.median)
            yield run.cost(
                f"haplotype_count_{question}", ours, floor, "bitmaps through the driver and their union", unit="ms",
                note=f"{names:,} of {NAMES:,} genotypes have it; {subjects:,} subjects",
            )  # fmt: skip
        yield run.plain("haplotype_count_slowest", slowest * 1e3, "ms", target=at_most(10), n=len(_QUESTIONS))
        yield from _growth(run, made)


def _growth(run: Run, made: Stores) -> Iterator[Reported]:
    points: dict[str, list[tuple[float, float]]] = {"gene": [], "allele": []}
    for subjects in _GROWING:
        answer = partial(context_of(filled(made, _GROWING_NAMES, subjects), Genome({}, Liftover())).answer, OPERATION)
        for question, costs in points.items():
            [took] = compare(over(answer, [asked(_QUESTIONS[question])]))
            costs.append((subjects, took.median))
    for question, costs in points.items():
        yield run.plain(
            f"haplotype_count_{question}_growth", growth(costs), "exponent", target=at_most(0.3), n=len(costs),
            note=f"{_GROWING_NAMES:,} genotypes; {', '.join(f'{subjects:,}' for subjects, _ in costs)} subjects",
        )  # fmt: skip


def filled(made: Stores, names: int, subjects: int) -> Database:
    """Return a store in which each subject has one of so many genotypes, and each genotype somebody."""
    random = np.random.default_rng((5, names))
    shares = 1 / np.arange(1, _ALLELES + 1)
    shares /= shares.sum()
    distinct: dict[tuple[str, str, str], None] = {}
    while len(distinct) < names:
        locus = _LOCI[int(random.integers(len(_LOCI)))]
        pair = sorted(allele(locus, int(number)) for number in random.choice(_ALLELES, 2, p=shares))
        distinct[locus, pair[0], pair[1]] = None
    found = [
        GenotypeName(
            None, f"HLA-{locus}", "http://glstring.org", f"hla#3.33.0#{one}+{other}", None, (one, other), (one, other)
        )
        for locus, one, other in distinct
    ]
    database = made.fresh()
    more = np.minimum(names - 1, (random.pareto(1.2, subjects - names) * 20).astype(int)).tolist()
    statements = [
        Statement(subject_id(number), StudyFacts(f"T{number}", None), SourceClass.GERMLINE, found[which])
        for number, which in enumerate([*range(names), *more])
    ]
    for first in range(
        0, subjects, _TOGETHER
    ):  # PostgreSQL walks over all the versions that a transaction made of a row
        with database.write() as session:
            genotype_writer.write_all(session, 1, statements[first : first + _TOGETHER])
    return database


def allele(locus: str, number: int) -> str:
    """Return the name of an allele: the more frequent ones have other groups than the next ones."""
    known = {0: "07:02", 1: "27:05"}.get(number, f"{number % 60 + 1:02d}:{number // 60 + 10:02d}")
    return f"HLA-{locus}*{known}"


def asked(word: str) -> OperationInputs:
    """Return the inputs of the operation for one word or code."""
    definition = load_definitions()[OPERATION]
    pairs = [("haplotypes", word)]
    return read_inputs(definition, pairs, None, Dialect.IG, path_subject=None, strict=False, settings=Settings())


def numerator(answer: bytes) -> int:
    """Return the count of an answer."""
    parts = orjson.loads(answer)["parameter"][0]["part"]
    return next(int(part["valueQuantity"]["value"]) for part in parts if part["name"] == "numerator")


def _bare(database: Database, word: str) -> tuple[Callable[[int], int], int]:
    """Return the count from a table of one bitmap a genotype, and the number of genotypes that have the word."""
    code = word.rpartition("|")[2]
    halves = code.split("+")
    with database.read() as session:
        rows = session.run("select id, code from genotype_name order by id")
        ids = [id_ for id_, text in rows if all(half in text for half in halves)]
        members: dict[int, BitMap] = {id_: BitMap() for id_, _ in rows}
        for id_, ordinal in session.run("select name_id, subject_ordinal from genotype"):
            members[id_].add(ordinal)
    kind = "blob" if database.is_sqlite else "bytea"
    with database.writer.connect() as connection:
        connection.exec_driver_sql("drop table if exists bare_genotype")
        connection.exec_driver_sql(f"create table bare_genotype (id integer primary key, members {kind})")
        connection.commit()
    with database.write() as session:
        session.insert_rows("bare_genotype", ("id", "members"), [(i, one.serialize()) for i, one in members.items()])
    raw = database.reader.raw_connection()
    raw.detach()
    cursor: Any = raw.cursor()
    sql = "select members from bare_genotype where id in (select value from json_each(?))"
    parameter: Any = orjson.dumps(ids).decode()
    if not database.is_sqlite:
        sql, parameter = "select members from bare_genotype where id = any(%s)", ids

    def count(_: int) -> int:
        cursor.execute(sql, (parameter,))
        return len(BitMap.union(BitMap(), *(BitMap.deserialize(bytes(row[0])) for row in cursor.fetchall())))

    return count, len(ids)
