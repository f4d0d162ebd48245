"""Whatever was loaded when, placing anew ends in what an ingest with everything loaded would have given."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from app.errors import Busy, LiftoverFailed
from app.operations.context import Genome
from app.records import Build
from app.store import carriers as stored_carriers
from app.store import runs
from app.store.codec import BIN
from app.store.rejustify import Rewriting
from app.store.session import Database
from app.variants.accessions import accession
from app.variants.liftover import Liftover
from app.variants.reference import InMemoryReference
from ingest.progress import Progress
from ingest.rejustify import rejustify, waiting
from tests.command_line import ROOT, CommandLine
from tests.logical_dump import logical_dump
from tests.small_store import Interrupted, SmallStore, migrated
from tests.spellings import LOW, PARTS, SIZE, File, World, files, world
from tests.two_builds import B37, B38, Block, bases, genome
from tests.vcf_files import vcf

QUIET = Progress(quiet=True)
SUBJECTS = ("P1", "P2", "P3", "P4")


@pytest.fixture
def whole(tmp_path: Path) -> Iterator[Database]:
    """Return a second empty store, for the ingest with everything loaded."""
    (tmp_path / "whole").mkdir()
    with migrated(f"sqlite:///{tmp_path / 'whole' / 'operon.db'}") as database:
        yield database


def answers(database: Database, folder: Path, genome: Genome, variants: list[str]) -> list[Any]:
    """Return what the three operations say of everything and everybody."""
    store = SmallStore(database, folder, genome)
    known = {row[0] for row in _rows(database, "select subject_id from subject")}
    ranges = [f"{accession(build, 1)}:{LOW[build] - 50}-{LOW[build] + SIZE + 50}" for build in (B37, B38)]
    questions: list[Callable[[], object]] = []
    for subject in sorted(known & set(SUBJECTS)):
        questions += [partial(store.in_range, subject, asked, include_phasing=True) for asked in ranges]
        questions += [partial(store.specific, subject, variant) for variant in variants]
    questions += [partial(store.population, [variant], include_patient_list=True) for variant in variants]
    return [_answer(question) for question in questions]


def _answer(question: Callable[[], object]) -> object:
    try:
        return question()
    except LiftoverFailed as error:
        return str(error)


def _rows(database: Database, sql: str) -> list[tuple[Any, ...]]:
    with database.read() as session:
        return session.run(sql)


def fill(database: Database, folder: Path, genome: Genome, some: list[File]) -> None:
    store = SmallStore(database, folder, genome)
    for file in some:
        file.ingest_into(store)


def fill_while_files_arrive(database: Database, folder: Path, made: World, some: list[File], seed: int) -> None:
    """Ingest files, in the course of which reference files become known and perhaps are made use of."""
    dice = random.Random(seed)
    parts = dice.sample(PARTS, len(PARTS))
    loaded = dice.randint(0, 4)
    border = dice.randint(0, len(some))
    fill(database, folder, made.with_parts(parts[:loaded]), some[:border])
    loaded = dice.randint(loaded, 4) if dice.random() < 0.5 else loaded
    if dice.random() < 0.3:
        rejustify(database, made.with_parts(parts[:loaded]), QUIET)
    fill(database, folder, made.with_parts(parts[:loaded]), some[border:])


@pytest.mark.parametrize("seed", [*range(12), 229, 431])
def test_calls_placed_anew_are_those_of_an_ingest_with_everything(
    database: Database, whole: Database, tmp_path: Path, seed: int
) -> None:
    made = world(seed)
    some = files(seed, made)
    fill(whole, tmp_path / "whole", made.genome, some)
    fill_while_files_arrive(database, tmp_path, made, some, seed)
    before = logical_dump(database)

    rejustify(database, made.genome, QUIET, dry_run=True)
    assert logical_dump(database) == before

    rejustify(database, made.genome, QUIET)
    expected = logical_dump(whole)
    assert logical_dump(database) == expected
    variants = random.Random(seed).sample(sorted(spdis(whole)), 8)
    theirs = answers(whole, tmp_path / "whole", made.genome, variants)
    assert answers(database, tmp_path, made.genome, variants) == theirs
    assert not rejustify(database, made.genome, QUIET).changes


def spdis(database: Database) -> set[str]:
    return {name for names in logical_dump(database)["carriers"] for name in names if name}


def test_the_generated_files_hold_what_the_property_is_about(tmp_path: Path) -> None:
    """Guard the property against files in which nothing happens."""
    merged = updated = waited = recomputed = 0
    for seed in range(14):
        made = world(seed)
        (tmp_path / str(seed)).mkdir()
        with migrated(f"sqlite:///{tmp_path / str(seed) / 'operon.db'}") as database:
            fill(database, tmp_path, Genome({}, made.with_parts(()).liftover), files(seed, made))
            waited += waiting(database, made.genome)
            total = rejustify(database, made.genome, QUIET).total
            merged, updated = merged + total.removed, updated + total.updated
            calls = logical_dump(database)["calls"].values()
            recomputed += sum(
                f"Allele(ref='{base}', alt='{base}'" in call for base in "ACGT" for some in calls for call in some
            )
    assert merged > 100
    assert updated > 500
    assert waited > 500
    assert recomputed > 5


# --- one thing at a time ----------------------------------------------------------------------------------------------

REPEAT = f"{bases(7, 100)}CTTTTTG{bases(8, 300)}"
"""Five T from the 102nd base on"""
ON_37_ALONE = Genome({B37: InMemoryReference({accession(B37, 1): [(1000, REPEAT)]})}, Liftover())
BOTH = {B37: [(1000, REPEAT)], B38: [(3000, REPEAT)]}
LOADED = genome([Block(1000, 3000, len(REPEAT))], BOTH)
LEFT, RIGHT = "chr1 1101 . CT C 50 PASS . GT", "chr1 1105 . TT T 50 PASS . GT"
"""One T less, written at the left and at the right end of the repeat"""
SHORTER = "NC_000001.10:1101:TTTTT:TTTT"
BARE = Genome({}, Liftover())


@pytest.fixture
def store(database: Database, tmp_path: Path) -> SmallStore:
    return SmallStore(database, tmp_path, BARE)


def ingest(store: SmallStore, subject: str, *records: str, test: str = "T1", build: Build = B37) -> None:
    store.ingest(vcf(*(f"{one} 0/1" for one in records), build=build), subject, build=build, test=test)


def place_anew(store: SmallStore, genome: Genome = LOADED) -> SmallStore:
    """Place everything anew and return the store as a server sees it that starts afterwards."""
    rejustify(store.database, genome, QUIET)
    return SmallStore(store.database, store.folder, genome)


def carriers(store: SmallStore, variant: str) -> list[str]:
    [(_, number, _, who)] = store.population([variant], include_patient_list=True)
    assert [(number, number)] == [(n, len(who)) for _, n, *_ in store.population([variant])]
    return who


def number_of_variants(store: SmallStore) -> int:
    stated = _rows(store.database, "select value from counter where name = 'variants'")[0][0]
    assert stated == _rows(store.database, "select count(*) from variant")[0][0]
    return int(stated)


@pytest.mark.parametrize("many", [1, 6, 20])
def test_two_spellings_of_one_variant_become_one_with_exact_counts(store: SmallStore, many: int) -> None:
    spellings = {f"L{n:02}": [LEFT] for n in range(many)} | {f"R{n:02}": [RIGHT] for n in range(many)}
    for subject, records in (spellings | {"both": [LEFT, RIGHT]}).items():
        ingest(store, subject, *records)
    assert number_of_variants(store) == 2

    after = place_anew(store)

    assert number_of_variants(store) == 1
    assert carriers(after, SHORTER) == sorted([*spellings, "both"])
    assert len(after.specific("both", SHORTER)[0].variants) == 2
    assert len(after.in_range("L00", "NC_000001.10:1105-1106").variants) == 1


def test_a_variant_parts_where_the_calls_of_two_builds_turn_out_to_differ(store: SmallStore) -> None:
    longer = f"{REPEAT[:105]}{'T' * 3}{REPEAT[105:]}"
    made = genome([Block(1000, 3000, 104)], {B37: [(1000, REPEAT)], B38: [(3000, longer)]})
    bare = SmallStore(store.database, store.folder, Genome({}, made.liftover))
    ingest(bare, "P37", LEFT)
    ingest(bare, "P38", "chr1 3101 . CT C 50 PASS . GT", build=B38)
    assert number_of_variants(store) == 1

    after = place_anew(store, made)

    assert number_of_variants(store) == 2
    assert len(after.specific("P37", SHORTER)[0].variants) == 1
    assert len(after.specific("P38", f"NC_000001.11:3101:{'T' * 8}:{'T' * 7}")[0].variants) == 1


def test_another_test_of_the_subject_keeps_what_it_says(store: SmallStore) -> None:
    ingest(store, "P1", RIGHT, test="T1")
    ingest(store, "P1", LEFT, test="T2")
    ingest(SmallStore(store.database, store.folder, ON_37_ALONE), "P1", LEFT, test="T3")

    after = place_anew(store, ON_37_ALONE)

    assert carriers(after, SHORTER) == ["P1"]
    assert len(after.specific("P1", SHORTER)[0].variants) == 3


def test_a_variant_that_one_of_two_tests_leaves_keeps_its_carrier(store: SmallStore) -> None:
    bare = SmallStore(store.database, store.folder, Genome({}, LOADED.liftover))
    for subject in ("P1", "P2"):
        ingest(bare, subject, LEFT, test="T37")
    ingest(bare, "P1", LEFT.replace("1101", "3101"), test="T38", build=B38)
    [(before,)] = _rows(store.database, "select id from variant")

    place_anew(store, Genome({B37: LOADED.references[B37]}, LOADED.liftover))

    with store.database.read() as session:
        ids = [row[0] for row in session.run("select id from variant order by id")]
        who = stored_carriers.fetch(session, ids, None)
    assert ids[0] == before
    assert [stored_carriers.ordinals(who[id_]) for id_ in ids] == [[0], [0, 1]]


def test_a_call_moves_to_the_bin_that_it_belongs_to(store: SmallStore) -> None:
    run = f"{bases(9, 50)}C{'T' * 100}G{bases(10, 50)}"
    low = BIN - 100  # the run lies on both sides of the border
    made = genome([], {B37: [(low, run)]})
    ingest(store, "P1", f"chr1 {low + 151} . TG G 50 PASS . GT")
    assert [row[0] for row in _rows(store.database, "select bin from call_chunk")] == [1]

    after = place_anew(store, made)

    assert [row[0] for row in _rows(store.database, "select bin from call_chunk order by bin")] == [0, 1]
    for place in (low + 60, BIN, low + 145):
        assert len(after.in_range("P1", f"NC_000001.10:{place}-{place + 1}").variants) == 1


def test_a_chain_gives_places_and_makes_refusals_needless(store: SmallStore) -> None:
    ingest(store, "P1", "chr1 1011 . A G 50 PASS . GT")
    made = Genome({}, LOADED.liftover)
    with pytest.raises(LiftoverFailed):
        SmallStore(store.database, store.folder, made).specific("P1", "NC_000001.11:99999:A:G")

    after = place_anew(store, made)

    assert carriers(after, "NC_000001.11:3010:A:G") == ["P1"]
    assert after.specific("P1", "NC_000001.11:99999:A:G")[0].variants == []
    assert _rows(store.database, "select unplaced from call_set") == [("{}",)]


def test_another_chain_gives_places_to_what_had_none(store: SmallStore) -> None:
    ingest(SmallStore(store.database, store.folder, genome([Block(1, 1, 5)])), "P1", "chr1 1011 . A G 50 PASS . GT")
    assert _rows(store.database, "select unplaced from call_set") == [('{"1":1}',)]

    after = place_anew(store, Genome({}, LOADED.liftover))

    assert _rows(store.database, "select unplaced from call_set") == [("{}",)]
    assert after.in_range("P1", "NC_000001.11:3010-3011").spdis == ["NC_000001.10:1010:A:G"]


def test_the_mitochondrial_genome_serves_both_builds(store: SmallStore) -> None:
    sequence = f"{'ACGT' * 25}TTTT{'ACGT' * 4116}A"
    made = Genome({B37: InMemoryReference({"NC_012920.1": [(0, sequence)]})}, Liftover())
    ingest(store, "P1", "chrM 104 . TA A 50 PASS . GT", build=B38)

    assert carriers(place_anew(store, made), "NC_012920.1:99:TTTTT:TTTT") == ["P1"]


def test_a_base_that_differs_is_recomputed_once_it_is_known(store: SmallStore) -> None:
    other = f"{REPEAT[:10]}{'A' if REPEAT[10] != 'A' else 'G'}{REPEAT[11:]}"
    made = genome([Block(1000, 3000, len(REPEAT))], {B37: [(1000, REPEAT)], B38: [(3000, other)]})
    bare = SmallStore(store.database, store.folder, Genome({}, made.liftover))
    ingest(bare, "P1", f"chr1 1011 . {REPEAT[10]} {other[10]} 50 PASS . GT")

    after = place_anew(store, made)

    assert carriers(after, f"NC_000001.11:3010:{other[10]}:{REPEAT[10]}") == ["P1"]
    assert not rejustify(store.database, made, QUIET).changes


def test_calls_that_contradict_the_sequence_stay_and_are_counted(store: SmallStore) -> None:
    wrong = "A" if REPEAT[10] != "A" else "G"
    ingest(store, "P1", f"chr1 1011 . {wrong}C {wrong} 50 PASS . GT", LEFT)
    before = store.in_range("P1", "NC_000001.10:1000-1020").spdis

    outcome = rejustify(store.database, LOADED, QUIET)

    assert outcome.contradicting == {"file1.vcf": 1}
    after = SmallStore(store.database, store.folder, LOADED)
    assert after.in_range("P1", "NC_000001.10:1000-1020").spdis == before
    assert carriers(after, SHORTER) == ["P1"]


def test_readers_learn_of_a_change_and_only_of_a_change(store: SmallStore) -> None:
    ingest(store, "P1", LEFT)
    version = store.context.data_version()
    rejustify(store.database, BARE, QUIET)
    rejustify(store.database, LOADED, QUIET, dry_run=True)
    assert store.context.data_version() == version

    rejustify(store.database, LOADED, QUIET)
    assert store.context.data_version() != version
    store.context.close()


def test_an_ingest_at_the_same_time_is_refused(store: SmallStore) -> None:
    other = Database(store.database.url.render_as_string(hide_password=False))
    with other.sole_writer(), pytest.raises(Busy):
        rejustify(store.database, LOADED, QUIET)
    other.close()


@pytest.mark.parametrize("variants", [[LEFT], [LEFT, RIGHT]])
def test_variants_that_wait_are_counted_by_what_is_loaded(store: SmallStore, variants: list[str]) -> None:
    ingest(store, "P1", *variants, "chr1 900 . CT C 50 PASS . GT", "chrX 1101 . CT C 50 PASS . GT")

    assert waiting(store.database, BARE) == 0
    assert waiting(store.database, ON_37_ALONE) == len(variants)
    assert waiting(store.database, Genome({}, LOADED.liftover)) == len(variants) + 2
    rejustify(store.database, LOADED, QUIET)
    assert waiting(store.database, LOADED) == 0


# --- interrupted ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("step", ["adopt", "replace", "finish"])
def test_an_interruption_leaves_a_contig_as_it_was_and_the_next_run_completes(
    store: SmallStore, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    sequences = {accession(B37, contig): [(1000, REPEAT)] for contig in (1, 23)}
    made = Genome({B37: InMemoryReference(sequences)}, Liftover())
    for subject in ("P1", "P2"):
        ingest(store, subject, LEFT, RIGHT, LEFT.replace("chr1", "chrX"), RIGHT.replace("chr1", "chrX"))
    steps = count_calls(monkeypatch, step, die_at=2)

    with pytest.raises(Interrupted):
        rejustify(store.database, made, QUIET)

    assert number_of_variants(store) == 3  # the first contig is done, the second one is as it was
    monkeypatch.undo()
    rejustify(store.database, made, QUIET)
    assert number_of_variants(store) == 2
    after = SmallStore(store.database, store.folder, made)
    assert carriers(after, SHORTER) == carriers(after, SHORTER.replace("01.10", "23.10")) == ["P1", "P2"]
    assert steps == [1, 2]


def count_calls(monkeypatch: pytest.MonkeyPatch, name: str, *, die_at: int) -> list[int]:
    """Let the n-th call of a step of a rewriting end the program, and return the numbers of the calls so far."""
    real: Any = getattr(Rewriting, name)
    seen: list[int] = []

    def counted(*args: Any) -> Any:
        seen.append(len(seen) + 1)
        if len(seen) == die_at:
            raise Interrupted
        return real(*args)

    monkeypatch.setattr(Rewriting, name, counted)
    return seen


KILLED = """
import os, signal
from app.store.rejustify import Rewriting
from ingest.cli import app

finish, done = Rewriting.finish, []

def kill(self):
    changes = finish(self)
    done.append(changes)
    if len(done) == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    return changes

Rewriting.finish = kill
app(["reference", "rejustify"])
"""


def test_a_killed_process_is_completed_by_the_next_one(tmp_path: Path) -> None:
    operon = CommandLine(tmp_path)
    operon.done("db", "upgrade")
    lines = [f"{one} 0/1" for one in (LEFT, RIGHT, LEFT.replace("chr1", "chrX"), RIGHT.replace("chr1", "chrX"))]
    (tmp_path / "a.vcf").write_text(vcf(*lines, build=B37))
    operon.done("ingest", "vcf", tmp_path / "a.vcf", "--assembly", "GRCh37", "--quiet")
    windows = "".join(f">{accession(B37, contig)}:1001-{1000 + len(REPEAT)}\n{REPEAT}\n" for contig in (1, 23))
    (tmp_path / "window.fa").write_text(windows)
    added = operon.done("reference", "add", tmp_path / "window.fa")
    assert "4 stored variants wait for this: run 'operon reference rejustify'" in added.err

    environment = os.environ | {"OPERON_HOME": str(tmp_path)}
    command = [sys.executable, "-c", KILLED]
    killed = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, check=False)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert operon.rows("select count(*) from variant") == [(3,)]

    assert "would be updated" in operon.done("reference", "rejustify", "--dry-run").out
    assert operon.done("reference", "rejustify", "--quiet").out == "1 variants updated, 0 added, 1 dropped\n"
    assert operon.rows("select count(*) from variant") == [(2,)]
    assert operon.done("reference", "rejustify").out == "0 variants updated, 0 added, 0 dropped\n"


def test_adding_may_place_anew_at_once(tmp_path: Path) -> None:
    operon = CommandLine(tmp_path)
    operon.done("db", "upgrade")
    (tmp_path / "a.vcf").write_text(vcf(f"{LEFT} 0/1", f"{RIGHT} 0/1", build=B37))
    operon.done("ingest", "vcf", tmp_path / "a.vcf", "--assembly", "GRCh37", "--quiet")
    (tmp_path / "window.fa").write_text(f">{accession(B37, 1)}:1001-{1000 + len(REPEAT)}\n{REPEAT}\n")

    ended = operon.done("reference", "add", "--rejustify", tmp_path / "window.fa")

    assert ended.out.endswith("1 variants updated, 0 added, 1 dropped\n")
    assert operon.rows("select count(*) from variant") == [(1,)]


def test_calls_of_an_interrupted_ingest_wait_until_it_is_complete(
    store: SmallStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    ingest(store, "P0", LEFT)
    job = store.file(vcf(f"{LEFT} 0/1", f"{RIGHT} 0/1", f"{LEFT.replace('chr1', 'chrX')} 0/1", build=B37), build=B37)

    def interrupted(*_: object, **__: object) -> None:
        raise Interrupted

    with monkeypatch.context() as patch:
        patch.setattr(runs, "finish", interrupted)
        with pytest.raises(Interrupted):
            store.store(job)
    rejustify(store.database, LOADED, QUIET)

    after = SmallStore(store.database, store.folder, LOADED)
    assert carriers(after, SHORTER) == ["P0"]
    store.store(job)
    after = place_anew(store)
    assert carriers(after, SHORTER) == ["P0", "P1"]
    assert len(after.specific("P1", SHORTER)[0].variants) == 2
    assert number_of_variants(store) == 2
