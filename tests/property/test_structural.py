"""Searching by index, and in chunks of calls, finds exactly what comparing every variant by hand does."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from app.formats.genotype import Genotype
from app.records import Build, LiftStatus, StructuralKind, Zygosity
from app.store import structural_codec, structural_sites
from app.store.session import Database
from app.store.structural_codec import ENDS, StructuralCall, StructuralChunk
from app.store.structural_sites import Question, StructuralSite
from app.variants.extent import Extent, Relation
from tests.postgres_server import PostgresServer
from tests.small_store import migrated

SIZE = 2_000
QUESTIONS = 1_500
SITES = 400
CONTIGS = (1, 2, 25)
DEL, DUP, INV, INS, CNV, BND = StructuralKind


def extent(chance: random.Random, kind: StructuralKind) -> Extent:
    """Return intervals whose ends may be uncertain, many of them near each other."""
    start = chance.randrange(50, SIZE - 50)
    before, after = chance.choice([(0, 0), (chance.randrange(40), chance.randrange(40))])
    if kind is INS:
        return Extent(start, start, start - before, start + after)
    end = start + 1 if kind is BND else min(SIZE, start + chance.choice([1, 5, 40, 300, 1900]))
    inner = (start + after, end - after) if start + after < end - after else (-1, -1)
    return Extent(start, end, start - before, end + before, *inner)


def some_sites(chance: random.Random) -> list[StructuralSite]:
    sites = {}
    for _ in range(SITES):
        kind = chance.choice(list(StructuralKind))
        build = chance.choice(list(Build))
        other = extent(chance, kind) if chance.random() < 0.8 else None
        status = LiftStatus.OK if other else LiftStatus.UNMAPPED
        site = StructuralSite(
            chance.choice(CONTIGS), kind, build, status, extent(chance, kind), other, "N", f"<{kind.name}>", -1,
            imprecise=False,
        )  # fmt: skip
        sites[site.digest] = site
    return list(sites.values())


def lies(kind: StructuralKind, found: Extent | None, start: int, end: int, relation: Relation) -> bool:
    """Compare base by base, without what the program knows of intervals."""
    if found is None:
        return False
    asked = set(range(start, end))
    if relation is Relation.INTERSECTS:
        if kind is INS:  # an insertion before a base is met by that base
            return not asked.isdisjoint(range(found.outer_start, found.outer_end + 1))
        return not asked.isdisjoint(range(found.outer_start, found.outer_end))
    if kind in (INS, BND):
        return False
    low, high = {
        Relation.NOMINAL: (found.start, found.end),
        Relation.INNER: (found.inner_start, found.inner_end),
        Relation.OUTER: (found.outer_start, found.outer_end),
    }[relation]
    return low >= 0 and asked <= set(range(low, high))


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def database(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    if request.param == "sqlite":
        folder: Path = tmp_path_factory.mktemp("store")
        with migrated(f"sqlite:///{folder / 'operon.db'}") as store:
            yield store
        return
    server: PostgresServer = request.getfixturevalue("postgres_server")
    name = server.fresh_database()
    with migrated(server.url(name)) as store:
        yield store
    server.drop(name)


def questions(chance: random.Random) -> Iterator[Question]:
    for _ in range(QUESTIONS):
        start = chance.randrange(SIZE)
        end = min(SIZE, start + chance.choice([1, 1, 3, 50, 600])) if start < SIZE - 1 else SIZE
        build = chance.choice(list(Build))
        without = chance.choice([None, None, build.other])
        yield Question(build, chance.choice(CONTIGS), start, end, chance.choice(list(Relation)), without)


def test_index_finds_what_a_walk_over_all_sites_finds(database: Database) -> None:
    chance = random.Random(11)
    sites = some_sites(chance)
    with database.write() as session:
        stored = structural_sites.resolve(session, sites)
        assert [site for _, site in structural_sites.resolve(session, sites)] == sites
    hits = 0
    with database.read() as session:
        fetched = structural_sites.fetch(session, [id_ for id_, _ in stored])
        assert fetched == dict(stored)
        for asked in questions(chance):
            wanted = {
                id_
                for id_, site in stored
                if site.contig == asked.contig
                and lies(site.kind, site.on(asked.build), asked.start, asked.end, asked.relation)
                and (asked.only_without is None or site.on(asked.only_without) is None)
            }
            found = structural_sites.find(session, asked)
            assert len(found) == len(set(found))
            assert set(found) == wanted, asked
            hits += bool(wanted)
    assert hits > QUESTIONS / 3


def test_chunks_find_what_a_walk_over_all_calls_finds() -> None:
    chance = random.Random(12)
    sites = some_sites(chance)
    nowhere = (-1,) * len(ENDS)
    calls = [
        StructuralCall(Genotype(text, 1, Zygosity.HETEROZYGOUS, phased=False), copies, "PASS", "", "", "")
        for text, copies in chance.choices([("0/1", ""), ("1|1", "3")], k=len(sites))
    ]
    columns = [
        np.array([[getattr(e, name) for name in ENDS] if e else nowhere for e in found], dtype=np.int64).T
        for found in ([site.native for site in sites], [site.other for site in sites])
    ]
    kinds = np.array([site.kind for site in sites])
    chunk = structural_codec.decode(
        structural_codec.encode(StructuralChunk(np.arange(len(sites)), kinds, columns[0], columns[1], calls))
    )
    assert list(chunk.calls) == calls
    assert np.array_equal(chunk.native, columns[0])
    assert np.array_equal(chunk.other, columns[1])
    for asked in questions(chance):
        for ends, found in ((chunk.native, "native"), (chunk.other, "other")):
            meets = structural_sites.meets(chunk.kind, ends, asked.start, asked.end, asked.relation)
            wanted = [lies(s.kind, getattr(s, found), asked.start, asked.end, asked.relation) for s in sites]
            assert meets.tolist() == wanted


def test_an_unknown_version_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown version 9"):
        structural_codec.decode(b"\x09")
