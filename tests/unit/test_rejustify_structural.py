"""Structural sites placed anew are those of an ingest with the chains at hand."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.errors import LiftoverFailed
from app.operations.context import Genome
from app.store import structural_moves
from app.store.session import Database
from app.variants.liftover import Liftover
from ingest.progress import Progress
from ingest.rejustify import rejustify, waiting
from tests.logical_dump import logical_dump
from tests.small_store import SmallStore, migrated
from tests.store_dump import dump
from tests.two_builds import B37, B38, Block, bases, genome
from tests.vcf_files import vcf

QUIET = Progress(quiet=True)
BARE = Genome({}, Liftover())
SHIFTED = Block(10_000, 60_000, 20_000)
TURNED = Block(40_000, 90_000, 10_000, reverse=True)
CHAINED = genome([SHIFTED, TURNED], {})
R37, R38 = "NC_000001.10", "NC_000001.11"
RELATIONS = ("intersecting", "subsuming")

RECORDS = [
    "chr1 12001 . N <DEL> 50 PASS SVTYPE=DEL;END=13000;CIPOS=-10,20;CIEND=-30,40 GT 0/1",
    "chr1 42001 . N <DUP> 50 PASS SVTYPE=DUP;END=43000 GT:CN 0/1:3",
    "chr1 14000 . N <INS> 50 PASS SVTYPE=INS;CIPOS=-5,5 GT 1/1",
    "chr1 15000 b1 N N[chr1:42000[ 50 PASS SVTYPE=BND;MATEID=b2 GT 0/1",
    "chr1 15501 . N <INV> 50 PASS SVTYPE=INV;END=15520;CIPOS=-15,15;CIEND=-15,15 GT 0/1",
    "chr1 9001 . N <DEL> 50 PASS SVTYPE=DEL;END=12000 GT 0/1",
    f"chr1 16001 . A{'C' * 60} A 50 PASS . GT 0/1",
    "chrX 20000001 . N <DEL> 50 PASS SVTYPE=DEL;END=20000100 GT 1/1",
]
"""Of both strands; the last deletion of chromosome 1 begins before the chain, chromosome X has none"""
RANGES = [f"{R37}:0-100000", f"{R38}:0-200000", f"{R38}:62500-62501", f"{R38}:97500-97501", f"{R38}:59500-62000"]


@pytest.fixture
def whole(tmp_path: Path) -> Iterator[Database]:
    """Return a second empty store, for the ingest with everything loaded."""
    (tmp_path / "whole").mkdir()
    with migrated(f"sqlite:///{tmp_path / 'whole' / 'operon.db'}") as database:
        yield database


def fill(store: SmallStore) -> None:
    store.ingest(vcf(*RECORDS, build=B37), "P1", test="T1", build=B37)
    store.ingest(vcf(*RECORDS[:2], build=B37), "P2", test="T2", build=B37)
    store.ingest(vcf("chr1 62501 . N <DEL> 50 PASS SVTYPE=DEL;END=63500 GT 0/1"), "P3", test="T3")


def answers(database: Database, folder: Path, known: Genome) -> list[Any]:
    store = SmallStore(database, folder, known)
    found: list[Any] = []
    for relation in RELATIONS:
        for asked in RANGES:
            for subject in ("P1", "P2", "P3"):
                try:
                    found.append(store.structural(relation, subject, asked))
                except LiftoverFailed as error:
                    found.append(str(error))
            try:
                found.append(store.structural_population(relation, asked, include_patient_list=True))
            except LiftoverFailed as error:
                found.append(str(error))
    return found


@pytest.mark.parametrize("blocks", [[SHIFTED, TURNED], [SHIFTED]])
def test_sites_placed_anew_are_those_of_an_ingest_with_the_chain(
    database: Database, whole: Database, tmp_path: Path, blocks: list[Block]
) -> None:
    chained = genome(blocks, {})
    fill(SmallStore(whole, tmp_path / "whole", chained))
    fill(SmallStore(database, tmp_path, BARE))
    before = dump(database)

    rejustify(database, chained, QUIET, dry_run=True)
    assert dump(database) == before

    rejustify(database, chained, QUIET)
    assert logical_dump(database) == logical_dump(whole)
    assert dump(database)["structural_place"] == dump(whole)["structural_place"]
    assert answers(database, tmp_path, chained) == answers(whole, tmp_path / "whole", chained)
    assert not rejustify(database, chained, QUIET).changes


def test_another_chain_gives_places_to_what_had_none(database: Database, whole: Database, tmp_path: Path) -> None:
    fill(SmallStore(whole, tmp_path / "whole", CHAINED))
    fill(SmallStore(database, tmp_path, genome([SHIFTED], {})))

    rejustify(database, CHAINED, QUIET)

    assert logical_dump(database)["structural calls"] == logical_dump(whole)["structural calls"]
    assert dump(database)["structural_place"] == dump(whole)["structural_place"]


def test_a_range_is_compared_with_the_place_that_a_site_got(database: Database, tmp_path: Path) -> None:
    bare = SmallStore(database, tmp_path, BARE)
    bare.ingest(vcf(RECORDS[0], build=B37), "P1", build=B37)
    with pytest.raises(LiftoverFailed):
        bare.structural("intersecting", "P1", f"{R38}:62500-62501")

    rejustify(database, CHAINED, QUIET)

    after = SmallStore(database, tmp_path, CHAINED)
    asked = [f"{R38}:{text}" for text in ("61990-61991", "63039-63040", "61989-61990", "63040-63041", "200000-200001")]
    assert [item.present for item in after.structural("intersecting", "P1", *asked)] == [True, True, *[False] * 3]
    assert [n for _, n, *_ in after.structural_population("intersecting", *asked)] == [1, 1, 0, 0, 0]


def test_what_waits_is_counted_and_reported(database: Database, tmp_path: Path) -> None:
    SmallStore(database, tmp_path, BARE).ingest(vcf(*RECORDS[:4], build=B37), "P1", build=B37)
    assert (waiting(database, BARE), waiting(database, CHAINED)) == (0, 4)

    total = rejustify(database, CHAINED, QUIET).total

    assert (total.updated, total.added, total.removed, total.call_sets) == (4, 0, 0, 1)
    assert waiting(database, CHAINED) == 0


def test_readers_learn_of_a_change_and_only_of_a_change(database: Database, tmp_path: Path) -> None:
    SmallStore(database, tmp_path, BARE).ingest(vcf(RECORDS[0], build=B37), "P1", build=B37)

    versions = []
    for known in (BARE, CHAINED, CHAINED):
        rejustify(database, known, QUIET)
        with database.read() as session:
            versions.append(session.run("select value from counter where name = 'data_version'")[0][0])

    assert versions[1:] == [versions[0] + 1] * 2


def test_an_interruption_leaves_a_contig_as_it_was_and_the_next_run_completes(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(SmallStore(database, tmp_path, BARE))
    before = dump(database)

    def broken(*_: object) -> bool:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(structural_moves, "_rewrite", broken)
        with pytest.raises(KeyboardInterrupt):
            rejustify(database, CHAINED, QUIET)
    assert dump(database) == before

    assert rejustify(database, CHAINED, QUIET).total.updated >= 5


def test_an_interrupted_ingest_goes_on_with_the_places_that_sites_got_meanwhile(
    database: Database, whole: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = SmallStore(database, tmp_path, BARE)
    job = store.file(vcf(RECORDS[0], RECORDS[0].replace("chr1", "chrX"), build=B37), "P1", build=B37)

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("ingest.run.runs.finish", interrupted)
        with pytest.raises(KeyboardInterrupt):
            store.store(job)

    rejustify(database, CHAINED, QUIET)
    SmallStore(database, tmp_path, CHAINED).store(job)

    other = SmallStore(whole, tmp_path / "whole", CHAINED)
    other.store(other.file(vcf(RECORDS[0], RECORDS[0].replace("chr1", "chrX"), build=B37), "P1", build=B37))
    ours, theirs = logical_dump(database), logical_dump(whole)
    for what in ("structural sites", "structural calls", "carriers"):
        assert ours[what] == theirs[what]


def test_calls_that_contradict_the_sequence_stay_and_are_counted(database: Database, tmp_path: Path) -> None:
    sequence = bases(5, 100)
    loaded = genome([], {B38: [(1_000, sequence)]})
    wrong = next(letter for letter in "ACGT" if letter != sequence[10])
    records = [
        f"chr1 {1_000 + at + 1} . {ref} <DEL> 50 PASS SVTYPE=DEL;END=2000 GT 0/1"
        for at, ref in ((10, wrong), (20, sequence[20]))
    ]
    for subject in ("P1", "P2"):
        SmallStore(database, tmp_path, BARE).ingest(vcf(*records), subject, test=subject, name=f"{subject}.vcf")
    before = dump(database)["structural_chunk"]

    outcome = rejustify(database, loaded, QUIET)

    assert dict(outcome.contradicting) == {"P1.vcf": 1, "P2.vcf": 1}
    assert dump(database)["structural_chunk"] == before
