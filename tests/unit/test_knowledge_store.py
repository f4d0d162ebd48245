"""Releases of knowledge in the store: who carries what they are about is known exactly after every change."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyroaring import BitMap64

from app.errors import InvalidInput, NotFound
from app.formats.knowledge import ItemKind
from app.records import Build, SourceClass, Zygosity
from app.store import (
    bitmaps,
    bulk,
    carrier_sets,
    carriers,
    counters,
    knowledge,
    knowledge_codec,
    knowledge_unions,
    runs,
    variants,
)
from app.store.bitmaps import kind_of
from app.store.knowledge import ActiveKnowledge
from app.store.knowledge_codec import Role
from app.store.session import Database, Session
from ingest import knowledge as loading
from ingest.progress import Progress
from ingest.rejustify import rejustify
from tests.genotype_files import line
from tests.known_world import GENOME, about, calls_of, consequence, diagnostic, of_genotype, record, spdi, therapeutic
from tests.small_store import NO_GENOME, SmallStore
from tests.store_dump import counts, dump
from tests.two_builds import B37, B38
from tests.vcf_files import vcf

TABLES = ("release", "item", "concept", "link", "genotype", "union")
CLASSES = (None, *SourceClass)
FIRST, SECOND, THIRD = ("C1", "First disease"), ("C2", "Second disease"), ("C3", "Third disease")
ROWS = (
    diagnostic(about("a", 100), FIRST),
    diagnostic(about("b", 110, B37), FIRST, SECOND),
    diagnostic(about("c", 120, B38), SECOND),
    diagnostic(about("d", 130), THIRD),
)
PEOPLE = tuple(f"P{number}" for number in range(12))


@pytest.fixture
def store(database: Database, tmp_path: Path) -> SmallStore:
    return SmallStore(database, tmp_path, GENOME)


def unions(session: Session) -> dict[tuple[int, SourceClass | None], set[int]]:
    """Return who is stored for each concept and source class."""
    ids = [row[0] for row in session.run("select distinct concept_id from knowledge_union")]
    found = {
        (id_, source_class): set(carriers.ordinals(knowledge_unions.fetch(session, [id_], source_class)))
        for id_ in ids
        for source_class in CLASSES
    }
    return {key: who for key, who in found.items() if who}


def recounted(session: Session) -> dict[tuple[int, SourceClass | None], set[int]]:
    """Return the same by going from every item of the active releases through its links to the calls' carriers."""
    spans = [range(one.first_item, one.first_item + one.items) for one in knowledge.releases(session, active=True)]
    found: dict[tuple[int, SourceClass | None], set[int]] = {}
    for item_id, kind, body in session.run("select id, kind, body from knowledge_item"):
        if not any(item_id in span for span in spans):
            continue
        links = session.run("select variant_id from knowledge_link where item_id = :id", {"id": item_id})
        numbers = [number for some in knowledge_codec.decode(item_id, kind, body).concepts.values() for number in some]
        for source_class in CLASSES:
            who = carriers.fetch(session, [row[0] for row in links], source_class).values()
            everyone = {ordinal for shards in who for ordinal in carriers.ordinals(shards)}
            for number in numbers if everyone else ():
                found[number, source_class] = found.get((number, source_class), set()) | everyone
    return found


def check(store: SmallStore) -> int:
    """Hold the stored unions against a recount, and return how many there are."""
    with store.database.read() as session:
        stored = unions(session)
        assert stored == recounted(session)
        for n, members, detail in session.run("select n, members, detail from knowledge_union"):
            assert n == len(bitmaps.unpack(members)) > 0
            everyone = set().union(*bitmaps.unpack_detail(members, detail).values())
            assert everyone == set(bitmaps.unpack(members))
    return len(stored)


def sizes(store: SmallStore) -> dict[str, int]:
    """Return the number of rows of each table of knowledge."""
    found = counts(store.database)
    return {name: found.get(f"knowledge_{name}", 0) for name in TABLES}


def carrying(store: SmallStore, condition: str, source_class: SourceClass | None = None) -> list[str]:
    """Return who carries what items with a condition are about, whatever their release."""
    with store.database.read() as session:
        active = ActiveKnowledge(session, ItemKind.DIAGNOSTIC)
        ids = [one.concept_id for one in active.concepts_coded(Role.CONDITION, [condition])]
        who = carriers.ordinals(knowledge_unions.fetch(session, sorted(ids), source_class))
        named = dict(session.run("select ordinal, subject_id from subject"))
    return [named[ordinal] for ordinal in who]


def release(store: SmallStore, name: str) -> knowledge.Release:
    with store.database.read() as session:
        return knowledge.named(session, name)


def switch(store: SmallStore, name: str, *, active: bool) -> None:
    with store.database.write() as session:
        knowledge.set_active(session, knowledge.named(session, name), active=active)


def remove(store: SmallStore, name: str) -> None:
    with store.database.write() as session:
        knowledge.remove(session, knowledge.named(session, name))


def stored_spdis(store: SmallStore) -> set[str]:
    with store.database.read() as session:
        ids = [row[0] for row in session.run("select id from variant")]
        totals = counters.values(session)
        assert totals.get(counters.VARIANTS, 0) == len(ids)
        return {str(one.spdi38 or one.spdi37) for one in variants.placements_of(session, ids).values()}


# --- unions -----------------------------------------------------------------------------------------------------------


def test_who_was_there_before_a_release_is_counted(store: SmallStore) -> None:
    store.ingest(calls_of([100, 120]), "P1")
    store.ingest(calls_of([110], build=B37), "P2", build=B37, source_class=SourceClass.SOMATIC)
    report = store.knowledge("diagnostic", *ROWS, version="1")
    assert (report.release, report.items, report.rejects.total, report.active) == ("diagnostic-1", 4, 0, True)
    assert check(store) > 0
    assert (carrying(store, "C1"), carrying(store, "C2"), carrying(store, "C3")) == (["P1", "P2"], ["P1", "P2"], [])
    assert carrying(store, "C1", SourceClass.SOMATIC) == ["P2"]
    assert carrying(store, "C1", SourceClass.GERMLINE) == ["P1"]


def test_who_comes_after_a_release_is_counted(store: SmallStore) -> None:
    store.knowledge("diagnostic", *ROWS, version="1")
    assert check(store) == 0
    store.ingest(calls_of([100, 120]), "P1")
    store.ingest(calls_of([110, 500], build=B37), "P2", build=B37)
    store.ingest(calls_of([100]), "P2", test="T2", source_class=SourceClass.SOMATIC)
    assert check(store) > 0
    assert (carrying(store, "C1"), carrying(store, "C2"), carrying(store, "C3")) == (["P1", "P2"], ["P1", "P2"], [])
    assert carrying(store, "C1", SourceClass.SOMATIC) == ["P2"]


def test_who_came_while_a_release_was_inactive_is_counted_when_it_is_activated(store: SmallStore) -> None:
    store.ingest(calls_of([100]), "P1")
    assert not store.knowledge("diagnostic", *ROWS, version="1", activate=False).active
    assert sizes(store)["union"] == 0
    store.ingest(calls_of([100]), "P2")
    assert (check(store), carrying(store, "C1")) == (0, [])
    switch(store, "diagnostic-1", active=True)
    assert check(store) > 0
    assert carrying(store, "C1") == ["P1", "P2"]
    switch(store, "diagnostic-1", active=False)
    assert (sizes(store)["union"], carrying(store, "C1")) == (0, [])


def test_calls_that_replace_others_are_counted_instead(store: SmallStore) -> None:
    store.knowledge("diagnostic", *ROWS, version="1")
    store.ingest(calls_of([100, 110]), "P1")
    store.ingest(calls_of([100]), "P2")
    store.store(store.file(calls_of([130]), "P1"), replace=True)
    check(store)
    assert (carrying(store, "C1"), carrying(store, "C2"), carrying(store, "C3")) == (["P2"], [], ["P1"])


def test_another_test_keeps_a_subject_that_one_test_leaves(store: SmallStore) -> None:
    store.knowledge("diagnostic", *ROWS, version="1")
    store.ingest(calls_of([100]), "P1", source_class=SourceClass.SOMATIC)
    store.ingest(calls_of([100], build=B37), "P1", test="T2", build=B37)
    store.store(store.file(calls_of([500]), "P1", source_class=SourceClass.SOMATIC), replace=True)
    check(store)
    assert (carrying(store, "C1"), carrying(store, "C1", SourceClass.SOMATIC)) == (["P1"], [])


def test_an_erased_subject_is_in_no_union_and_no_number_tells_of_it(store: SmallStore) -> None:
    store.knowledge("diagnostic", *ROWS, version="1")
    empty = {table: rows for table, rows in dump(store.database).items() if table.startswith("knowledge")}
    store.ingest(calls_of([100, 110, 900]), "P1")
    store.ingest(calls_of([100]), "P2")
    bulk.erase_subject(store.database, "P1")
    check(store)
    assert (carrying(store, "C1"), carrying(store, "C2")) == (["P2"], [])
    bulk.erase_subject(store.database, "P2")
    assert check(store) == 0
    now = {table: rows for table, rows in dump(store.database).items() if table.startswith("knowledge")}
    assert now == empty
    assert stored_spdis(store) == {spdi(at) for at in (100, 110, 120, 130)}


def test_the_variants_of_knowledge_alone_survive_and_tell_nothing(store: SmallStore) -> None:
    store.knowledge("diagnostic", *ROWS, version="1")
    assert stored_spdis(store) == {spdi(at) for at in (100, 110, 120, 130)}
    store.ingest(calls_of([500]), "P1")
    assert store.population([spdi(100)]) == [(spdi(100), 0, 1, [])]
    assert store.specific("P1", spdi(100))[0].present is False
    assert store.in_range("P1", "NC_000001.11:5000-7000").spdis == [spdi(500)]


class Killed(BaseException):
    """The process ends."""


def die(*_: object, **__: object) -> None:
    raise Killed


def test_what_an_unfinished_ingest_brought_goes_unless_knowledge_is_about_it(
    store: SmallStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(runs, "finish", die)
        with pytest.raises(Killed):
            store.ingest(calls_of([100, 700]), "P1")
    [run] = runs.unfinished(store.database)
    store.knowledge("diagnostic", *ROWS[:1], version="1")
    assert (check(store), carrying(store, "C1")) == (0, [])
    runs.discard(store.database, run)
    assert stored_spdis(store) == {spdi(100)}
    store.ingest(calls_of([100, 800]), "P2")
    assert check(store) > 0
    assert carrying(store, "C1") == ["P2"]


def test_an_ingest_that_is_continued_after_a_release_is_counted(
    store: SmallStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = store.file(calls_of([100, 700]), "P1")
    with monkeypatch.context() as patched:
        patched.setattr(runs, "finish", die)
        with pytest.raises(Killed):
            store.store(job)
    store.knowledge("diagnostic", *ROWS[:1], version="1")
    remove(store, "diagnostic-1")
    store.knowledge("diagnostic", *ROWS[:1], version="1")
    store.store(job)
    assert check(store) > 0
    assert carrying(store, "C1") == ["P1"]
    assert store.specific("P1", spdi(100))[0].present


@pytest.mark.parametrize("seed", range(4))
def test_unions_are_what_a_recount_says_after_any_changes(store: SmallStore, seed: int) -> None:
    dice = random.Random(seed)
    ats = list(range(100, 1300, 100))
    with store.database.write() as session:
        counters.allocate(session, counters.SUBJECT_ORDINAL, (1 << bitmaps.SHARD_BITS) - 6)  # a second shard follows
    tests: set[tuple[str, str]] = set()
    loaded = 0

    def ingest() -> None:
        who, test = dice.choice(PEOPLE), f"T{dice.randrange(2)}"
        build, source_class = dice.choice(list(Build)), dice.choice(list(SourceClass))
        text = calls_of(dice.sample(ats, dice.randint(1, 6)), build=build)
        job = store.file(text, who, test=f"{test}-{build}", build=build, source_class=source_class)
        store.store(job, replace=(who, job.samples[0].study.test_id) in tests)
        tests.add((who, job.samples[0].study.test_id))

    def cohort() -> None:
        store.ingest(
            calls_of(dice.sample(ats, 3), *PEOPLE), *PEOPLE, test=f"cohort{dice.random()}",
            source_class=dice.choice(list(SourceClass)),
        )  # fmt: skip

    def load() -> None:
        nonlocal loaded
        loaded += 1
        rows = [
            diagnostic(about(f"r{number}", dice.choice(ats), *dice.choice([(), (B37,), (B38,)])), *some)
            for number, some in enumerate([dice.sample([FIRST, SECOND, THIRD], dice.randint(1, 3)) for _ in range(6)])
        ]
        name, version = dice.choice(["one", "two"]), str(loaded)
        store.knowledge(
            "diagnostic", *rows, name=name, version=version, activate=dice.random() < 0.7, beside=dice.random() < 0.5
        )

    def change(act: Callable[[SmallStore, str], None]) -> Callable[[], None]:
        def changed() -> None:
            with store.database.read() as session:
                names = [one.name for one in knowledge.releases(session)]
            if names:
                act(store, dice.choice(names))

        return changed

    def erase() -> None:
        known = bulk.all_subjects(store.database)
        if known:
            who = dice.choice(known).subject_id
            bulk.erase_subject(store.database, who)
            tests.difference_update({pair for pair in tests if pair[0] == who})

    steps = [ingest] * 8 + [cohort, load, load, erase, change(remove)]
    steps += [change(lambda store, name: switch(store, name, active=dice.random() < 0.7))] * 2
    most = 0
    for _ in range(40):
        dice.choice(steps)()
        most = max(most, check(store))
    assert most > 5
    with store.database.write() as session:
        before = unions(session)
        knowledge_unions.rebuild(session)
        assert unions(session) == before


# --- releases ---------------------------------------------------------------------------------------------------------


def test_a_newer_release_of_a_source_takes_the_place_of_the_one_before(store: SmallStore) -> None:
    store.ingest(calls_of([100, 130]), "P1")
    store.knowledge("diagnostic", *ROWS, version="1")
    report = store.knowledge("diagnostic", diagnostic(about("d", 130), SECOND), version="2")
    assert report.replaced == ("diagnostic-1",)
    assert [(one.name, one.active) for one in all_releases(store)] == [("diagnostic-1", False), ("diagnostic-2", True)]
    check(store)
    assert (carrying(store, "C1"), carrying(store, "C2")) == ([], ["P1"])


def all_releases(store: SmallStore) -> list[knowledge.Release]:
    with store.database.read() as session:
        return knowledge.releases(session)


def test_two_releases_side_by_side_are_both_used(store: SmallStore) -> None:
    store.ingest(calls_of([100]), "P1")
    store.ingest(calls_of([130]), "P2")
    store.knowledge("diagnostic", *ROWS, version="1")
    for name, more in (("diagnostic", {"beside": True}), ("mine", {})):
        report = store.knowledge("diagnostic", diagnostic(about("x", 130), FIRST), version="2", name=name, **more)
        assert report.replaced == ()
    assert all(one.active for one in all_releases(store))
    check(store)
    assert carrying(store, "C1") == ["P1", "P2"]
    with store.database.read() as session:
        active = ActiveKnowledge(session, ItemKind.DIAGNOSTIC)
        [(_, items)] = active.of_variants(variant_ids(session, 130)).items()
    assert [item.row_id for item in items] == ["d", "x", "x"]
    assert [active.release_of(item.item_id).name for item in items] == ["diagnostic-1", "diagnostic-2", "mine-2"]  # type: ignore[union-attr]


def variant_ids(session: Session, *ats: int) -> list[int]:
    ids = [row[0] for row in session.run("select id from variant")]
    wanted = {spdi(at) for at in ats}
    placed = variants.placements_of(session, ids)
    return sorted(id_ for id_, one in placed.items() if str(one.spdi38 or one.spdi37) in wanted)


def test_a_switch_is_seen_whole_or_not_at_all(store: SmallStore) -> None:
    store.ingest(calls_of([100, 130]), "P1")
    store.knowledge("diagnostic", *ROWS, version="1")
    store.knowledge("diagnostic", diagnostic(about("d", 130), SECOND), version="2", activate=False)
    version = store.context.data_version()
    seen = []
    with store.database.write() as session:
        for one in knowledge.releases(session):
            knowledge.set_active(session, one, active=not one.active)
            seen.append((carrying(store, "C1"), carrying(store, "C2"), store.context.data_version()))
    assert seen == [(["P1"], [], version)] * 2
    assert (carrying(store, "C1"), carrying(store, "C2")) == ([], ["P1"])
    assert store.context.data_version() != version


@pytest.mark.parametrize("act", ["load", "activate", "deactivate", "remove"])
def test_every_change_of_what_is_active_gives_the_data_another_version(store: SmallStore, act: str) -> None:
    store.ingest(calls_of([100]), "P1")
    if act != "load":
        store.knowledge("diagnostic", *ROWS, version="1", activate=act != "activate")
    version = store.context.data_version()
    match act:
        case "load":
            store.knowledge("diagnostic", *ROWS, version="1")
        case "remove":
            remove(store, "diagnostic-1")
        case _:
            switch(store, "diagnostic-1", active=act == "activate")
    assert store.context.data_version() != version


@pytest.mark.parametrize("active", [True, False])
def test_nothing_is_left_of_a_release_that_is_removed(store: SmallStore, active: bool) -> None:
    store.ingest(calls_of([100, 700]), "P1")
    before = dump(store.database)
    rows = [
        *ROWS,
        diagnostic({"row_id": "rule", "rule_region38": "NC_000001.11:900-950", "rule_changes": "DEL"}, FIRST),
    ]
    store.knowledge("diagnostic", *rows, version="1", activate=active)
    store.knowledge("therapeutic", therapeutic(of_genotype("t", "CYP2C19 *1/*2"), ("1", "drug")), version="1")
    assert release(store, "diagnostic-1").has_rules
    assert not release(store, "therapeutic-1").has_rules
    assert all(sizes(store)[name] for name in TABLES if name != "union")
    for name in ("diagnostic-1", "therapeutic-1"):
        remove(store, name)
    after = dump(store.database)
    assert sizes(store) == dict.fromkeys(TABLES, 0)
    assert {table: rows for table, rows in after.items() if table != "counter"} == {
        table: rows for table, rows in before.items() if table != "counter"
    }
    assert stored_spdis(store) == {spdi(100), spdi(700)}
    with pytest.raises(NotFound, match="There is no knowledge release diagnostic-1; loaded: none"):
        release(store, "diagnostic-1")


def test_a_variant_that_another_release_is_about_stays(store: SmallStore) -> None:
    store.knowledge("diagnostic", *ROWS, version="1")
    store.knowledge("therapeutic", therapeutic(about("t", 110), ("1", "drug")), version="1")
    store.knowledge("consequence", consequence(about("m", 120), ("SO:1", "missense_variant")), version="1")
    remove(store, "diagnostic-1")
    assert stored_spdis(store) == {spdi(110), spdi(120)}
    store.ingest(calls_of([110]), "P1")
    assert check(store) > 0


def test_the_same_files_once_more_do_nothing(store: SmallStore) -> None:
    store.ingest(calls_of([100]), "P1")
    store.knowledge("diagnostic", *ROWS, version="1")
    before = dump(store.database)
    report = store.knowledge("diagnostic", *ROWS, version="1")
    assert (report.is_repeated, report.items, report.active) == (True, 4, True)
    assert dump(store.database) == before


def test_a_name_that_is_taken_is_refused(store: SmallStore) -> None:
    store.knowledge("diagnostic", *ROWS, version="1")
    before = dump(store.database)
    with pytest.raises(InvalidInput, match="the store has a release diagnostic-1 already"):
        store.knowledge("diagnostic", *ROWS[:2], version="1")
    assert dump(store.database) == before


def test_without_a_version_the_name_follows_from_the_files(store: SmallStore) -> None:
    first, second = (store.knowledge("diagnostic", *rows).release for rows in (ROWS, ROWS[:2]))
    assert first != second
    assert store.knowledge("diagnostic", *ROWS[:3], released="2026-02-03").release == "diagnostic-2026-02-03"
    assert release(store, "diagnostic-2026-02-03").released == "2026-02-03"
    with pytest.raises(InvalidInput, match="write it as YYYY-MM-DD"):
        store.knowledge("diagnostic", *ROWS[:1], released="3.2.2026")


@pytest.mark.parametrize("at", ["_store", "_activate"])
def test_a_load_that_fails_leaves_nothing(store: SmallStore, monkeypatch: pytest.MonkeyPatch, at: str) -> None:
    store.ingest(calls_of([100]), "P1")
    before = dump(store.database)
    whole = getattr(loading, at)

    def fail(*given: Any, **named: Any) -> Any:
        whole(*given, **named)
        raise RuntimeError("on purpose")

    with monkeypatch.context() as patched:
        patched.setattr(loading, at, fail)
        with pytest.raises(RuntimeError, match="on purpose"):
            store.knowledge("diagnostic", *ROWS, version="1")
    assert dump(store.database) == before
    assert store.knowledge("diagnostic", *ROWS, version="1").items == 4


# --- links ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("written", [(B37,), (B38,), (B37, B38)])
@pytest.mark.parametrize("called", Build)
def test_an_item_leads_to_calls_of_either_build_however_it_is_written(
    store: SmallStore, written: Sequence[Build], called: Build
) -> None:
    store.knowledge("diagnostic", diagnostic(about("a", 100, *written), FIRST), version="1")
    store.ingest(calls_of([100], build=called), "P1", build=called)
    check(store)
    assert sizes(store)["link"] == 1
    assert carrying(store, "C1") == ["P1"]


def test_an_item_whose_places_disagree_leads_to_either(store: SmallStore) -> None:
    row = {"row_id": "a", "b37_spdi": spdi(100, B37), "b38_spdi": spdi(110)}
    store.knowledge("diagnostic", diagnostic(row, FIRST), version="1")
    store.ingest(calls_of([100]), "P1")
    store.ingest(calls_of([110]), "P2")
    check(store)
    assert (sizes(store)["link"], carrying(store, "C1")) == (2, ["P1", "P2"])


def test_rows_that_contradict_the_reference_or_change_nothing_are_rejected_and_counted(store: SmallStore) -> None:
    accession, position, deleted, inserted = spdi(100).split(":")
    wrong = f"{accession}:{position}:{inserted}:{deleted}"
    same = f"{accession}:{position}:{deleted}:{deleted}"
    targets = [{"row_id": "w", "b38_spdi": wrong}, {"row_id": "s", "b38_spdi": same}]
    targets.append({"row_id": "half", "b37_spdi": spdi(120, B37), "b38_spdi": wrong})
    report = store.knowledge("diagnostic", *(diagnostic(one, FIRST) for one in targets), ROWS[3], version="1")
    assert dict(report.rejects.by_cause) == {loading.CONTRADICTION: 2, loading.NO_CHANGE: 1}
    assert {(one.file, one.field) for one in report.rejects.noted} == {(name, "variant") for name in ("w", "s", "half")}
    assert (report.items, sizes(store)["item"], sizes(store)["link"]) == (1, 1, 1)
    assert release(store, "diagnostic-1").report["rejected"] == 3
    with store.database.read() as session:
        linked = {row[0] for row in session.run("select variant_id from knowledge_link")}
        stored = {row[0] for row in session.run("select id from variant")}
    assert stored == linked


def test_genotypes_are_known_by_their_one_spelling(store: SmallStore) -> None:
    rows = [therapeutic(of_genotype("t", "CYP2C19 *17/*1"), ("704", "amitriptyline"))]
    store.knowledge("therapeutic", *rows, version="1")
    store.genotypes(line("P1", "CYP2C19 *1/*17"))
    with store.database.read() as session:
        active = ActiveKnowledge(session, ItemKind.THERAPEUTIC)
        [key] = active.genotypes([one.concept_id for one in active.concepts_coded(Role.MEDICATION, ["704"])])
        assert [item.row_id for item in active.of_genotypes([key])[key]] == ["t"]
    assert check(store) == 0


# --- what becomes known later -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("called", Build)
def test_calls_that_are_placed_anew_are_counted(database: Database, tmp_path: Path, called: Build) -> None:
    bare = SmallStore(database, tmp_path, NO_GENOME)
    bare.ingest(calls_of([100], build=called), "P1", build=called)
    store = SmallStore(database, tmp_path, GENOME)
    store.knowledge("diagnostic", *ROWS, version="1")
    rejustify(database, GENOME, Progress(quiet=True))
    check(store)
    assert carrying(store, "C1") == ["P1"]


@pytest.mark.parametrize("written", Build)
@pytest.mark.parametrize("is_carried", [False, True])
def test_knowledge_that_came_before_the_chains_leads_to_calls_of_either_build(
    database: Database, tmp_path: Path, written: Build, is_carried: bool
) -> None:
    bare = SmallStore(database, tmp_path, NO_GENOME)
    if is_carried:
        bare.ingest(calls_of([100], build=written), "P0", build=written)
    bare.knowledge("diagnostic", diagnostic(about("a", 100, written), FIRST, SECOND), ROWS[3], version="1")
    bare.knowledge("diagnostic", diagnostic(about("a", 100, B37, B38), FIRST), name="more", version="1")
    first = ["P0"] if is_carried else []
    assert carrying(bare, "C2") == first
    rejustify(database, GENOME, Progress(quiet=True))
    store = SmallStore(database, tmp_path, GENOME)
    assert stored_spdis(store) == {spdi(100), spdi(130)}
    for subject, build in (("P1", B37), ("P2", B38)):
        store.ingest(calls_of([100], build=build), subject, build=build)
        assert check(store) > 0
    assert carrying(store, "C1") == carrying(store, "C2") == [*first, "P1", "P2"]
    before = dump(database)
    rejustify(database, GENOME, Progress(quiet=True))
    assert dump(database) == before
    for name in ("diagnostic-1", "more-1"):
        remove(store, name)
    assert sizes(store) == dict.fromkeys(TABLES, 0)
    assert stored_spdis(store) == {spdi(100)}


# --- carriers of many variants ----------------------------------------------------------------------------------------

SHARD = 1 << bitmaps.SHARD_BITS
KINDS = [kind_of(SourceClass.GERMLINE, Zygosity.HETEROZYGOUS), kind_of(SourceClass.SOMATIC, Zygosity.HOMOZYGOUS)]
IDS = [*range(300), *range(1000, 1300), 5000, 5001, 70_000]
ORDINALS = [*range(40), SHARD, SHARD + 7]


@pytest.mark.parametrize("seed", [1, 2])
def test_what_a_subject_carries_of_some_variants_is_what_a_plain_set_says(database: Database, seed: int) -> None:
    dice = random.Random(seed)
    entries = {
        (id_, ordinal, dice.choice(KINDS))
        for id_ in IDS
        for ordinal in dice.sample(ORDINALS, dice.choice([0, 1, 1, 2, 5, 25]))
    }
    with database.write() as session:
        counters.add(session, counters.SUBJECT_ORDINAL, 2 * SHARD)
        carriers.merge(session, *(np.array(column, dtype=np.int64) for column in zip(*sorted(entries), strict=True)))
        assert session.run("select count(*) from carrier")[0][0] > 50
        assert session.run("select count(*) from carrier_page")[0][0] > 5

    sparse = st.sets(st.sampled_from([*IDS, 400, 999, 80_000]), max_size=8)
    dense = st.tuples(st.integers(0, 1400), st.integers(0, 600)).map(lambda pair: {*range(pair[0], sum(pair))})

    @given(wanted=st.one_of(sparse, dense, st.tuples(sparse, dense).map(lambda some: some[0] | some[1])))
    def holds(wanted: set[int]) -> None:
        with database.read() as session:
            for ordinal in (*ORDINALS[::7], ORDINALS[-1], 999):
                expected = sorted({id_ for id_, who, _ in entries if who == ordinal and id_ in wanted})
                assert carrier_sets.carried_by(session, ordinal, BitMap64(wanted)) == expected
            found: dict[int, set[tuple[int, int]]] = {}
            ids = np.array(sorted(wanted), dtype=np.int64)
            for shard in {ordinal >> bitmaps.SHARD_BITS for ordinal in ORDINALS}:
                some = carrier_sets.by_class(session, shard, ids)
                for classes in some.rows.values():
                    for kind, members in classes.items():
                        found.setdefault(kind, set()).update((shard, member) for member in members)
                for member, kind in zip(some.member.tolist(), some.source_class.tolist(), strict=True):
                    found.setdefault(kind, set()).add((shard, member))
                assert {*some.rows, *some.variant.tolist()} <= wanted
        expected_by_class: dict[int, set[tuple[int, int]]] = {}
        for id_, ordinal, kind in entries:
            if id_ in wanted:
                pair = (ordinal >> bitmaps.SHARD_BITS, ordinal & bitmaps.LOW)
                expected_by_class.setdefault(kind & 0xF0, set()).add(pair)
        assert found == expected_by_class

    holds()


def test_records_of_the_same_variant_in_many_samples_are_counted_once_each(store: SmallStore) -> None:
    names = tuple(f"S{number}" for number in range(40))
    lines = [
        record(at, *["0/1" if (number + at // 10) % 3 else "0/0" for number in range(40)]) for at in range(100, 140, 10)
    ]
    store.ingest(vcf(*lines, samples=names), *names)
    store.knowledge("diagnostic", *ROWS, version="1")
    assert check(store) > 0
    assert len(carrying(store, "C3")) == sum((number + 13) % 3 > 0 for number in range(40))
