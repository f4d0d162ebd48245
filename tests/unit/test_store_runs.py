"""The ledger: a run continues where it stopped, becomes visible at once, or leaves no trace."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest

from app.errors import InvalidInput
from app.formats.genotype import GenotypeTable
from app.records import Build, LiftStatus, Sex, SourceClass, Zygosity
from app.store import bitmaps, bulk, carriers, counters, runs, subjects, variants
from app.store.codec import SNVS, CallChunk, Placed, Placement, encode
from app.store.runs import CallSetCounts, Finished, PlannedCallSet, Run, Source
from app.store.session import Database
from app.store.studies import StudyFacts
from app.store.subjects import Subject
from app.store.variants import VariantColumns
from tests.store_dump import counts, dump

KIND = bitmaps.kind_of(SourceClass.GERMLINE, Zygosity.HETEROZYGOUS)
GENOTYPES = GenotypeTable()
GENOTYPES.called("0/1")


def source(name: str = "a.vcf", sha256: str = "aa", **parameters: object) -> Source:
    return Source(name, sha256, {"build": "GRCh38", **parameters})


def planned(subject: str | Subject, test: str = "T1", **facts: str) -> PlannedCallSet:
    subject = Subject(subject) if isinstance(subject, str) else subject
    study = StudyFacts(test, Build.GRCH38, **facts)
    return PlannedCallSet(subject, study, SourceClass.GERMLINE, "S1", phased_contigs=False, source="a.vcf")


def add_block(database: Database, run: Run, *places: int) -> None:
    """Store heterozygous calls of A>C at some places for every call set of a run."""
    starts = np.array(places, dtype=np.int64)
    same = np.zeros(len(places), dtype=np.int64)
    columns = VariantColumns(
        1, same - 1, starts, same, same, same == 0, ["A"] * len(places), ["C"] * len(places), {}, {}
    )
    with database.write() as session:
        ids, _ = variants.resolve(session, columns, np.arange(len(places)))
        placement = Placement(Placed.NOWHERE, LiftStatus.NO_CHAIN)
        data = encode(CallChunk(starts, ids, same, same, same, [SNVS[0]], [placement], GENOTYPES.genotypes))
        ordinals = [entry.subject.ordinal for entry in run.plan]
        delta = bitmaps.pack_delta(
            np.tile(ids, len(ordinals)),
            np.repeat(np.array(ordinals, dtype=np.int64), len(ids)),
            np.full(len(ids) * len(ordinals), KIND, dtype=np.int64),
        )
        runs.checkpoint(
            session,
            run,
            chunks=[
                (bitmaps.shard_of(entry.subject.ordinal), entry.call_set_id, 1, 0, run.next_block, data)
                for entry in run.plan
            ],
            delta=delta,
            next_record=run.next_record + len(places),
            progress={"blocks": run.next_block + 1},
        )
    run.next_block += 1
    run.next_record += len(places)


def finish(database: Database, *ready: Run, replace_earlier: bool = False) -> None:
    runs.finish(
        database,
        [
            Finished(
                run,
                [CallSetCounts(run.next_record, {1: run.next_record})] * len(run.plan),
                {"seconds": 1},
                [{}] * len(run.plan),
            )
            for run in ready
        ],
        replace_earlier=replace_earlier,
    )


def complete(database: Database, start: Source, wanted: Sequence[PlannedCallSet], *places: int) -> Run:
    run = runs.begin(database, start, wanted)
    add_block(database, run, *places)
    finish(database, run)
    return run


def carried(database: Database) -> dict[int, list[int]]:
    """Return the ordinals of the carriers of each stored variant, by its place."""
    with database.read() as session:
        places = dict(session.run("select id, start38 from variant"))
        found = carriers.fetch(session, list(places), None) if places else {}
        return {places[variant_id]: carriers.ordinals(shards) for variant_id, shards in found.items()}


# --- beginning and continuing -----------------------------------------------------------------------------------------


def test_an_interrupted_run_continues_at_its_checkpoint(database: Database) -> None:
    run = runs.begin(database, source(), [planned("P1"), planned("P2")])
    assert (run.done, run.next_record, run.next_block) == (False, 0, 0)
    add_block(database, run, 5, 6, 7)

    again = runs.begin(database, source(), [planned("P1"), planned("P2")])

    assert (again.run_id, again.done, again.next_record, again.next_block) == (run.run_id, False, 3, 1)
    assert (again.plan, again.progress) == (run.plan, {"blocks": 1})


def test_the_name_does_not_tell_runs_apart_but_bytes_and_parameters_do(database: Database) -> None:
    first = runs.begin(database, source(), [planned("P1")])

    others = [source("b.vcf"), source(sha256="bb"), source(keep_filtered=True)]
    ids = [runs.begin(database, other, [planned("P1", test=f"T{at}")]).run_id for at, other in enumerate(others)]

    assert ids[0] == first.run_id
    assert len({first.run_id, *ids}) == 3


def test_a_completed_run_is_done_and_keeps_its_report(database: Database) -> None:
    complete(database, source(), [planned("P1")], 5)

    again = runs.begin(database, source(), [planned("P1")])

    assert (again.done, again.report) == (True, {"seconds": 1})


def test_a_completed_run_names_no_subject(database: Database) -> None:
    complete(database, source(samples=["canary"]), [planned("canary")], 5)

    with database.read() as session:
        ledger = session.run("select * from ingest_run")
    assert "canary" not in repr([tuple(row) for row in ledger])


def test_the_id_of_a_call_set_depends_on_what_it_is_and_not_on_the_store(database: Database) -> None:
    first = runs.begin(database, source("x.vcf"), [planned("P1"), planned("P2")])
    runs.discard(database, first)
    complete(database, source(sha256="other"), [planned("P9")], 1)

    second = runs.begin(database, source("y.vcf", keep_filtered=True), [planned("P2"), planned("P1")])

    assert [entry.uid for entry in second.plan] == [entry.uid for entry in first.plan][::-1]
    assert first.plan[0].uid != first.plan[1].uid


def test_a_known_subject_keeps_its_number_and_a_new_one_gets_the_next(database: Database) -> None:
    bulk.store_subjects(database, [Subject("P1", Sex.MALE)], "subjects.csv")

    run = runs.begin(database, source(), [planned("P1"), planned("P2"), planned("P2", test="T2")])

    assert [entry.subject.ordinal for entry in run.plan] == [0, 1, 1]
    assert run.plan[0].subject.sex is Sex.MALE


@pytest.mark.parametrize(
    "wanted",
    [
        pytest.param(planned(Subject("P1", Sex.FEMALE)), id="sex of the subject"),
        pytest.param(planned("P1", test_date="1999"), id="date of the test"),
    ],
)
def test_a_contradiction_stops_a_run_before_it_begins(database: Database, wanted: PlannedCallSet) -> None:
    complete(database, source(), [planned(Subject("P1", Sex.MALE), test_date="2000")], 5)
    before = dump(database)

    with pytest.raises(InvalidInput):
        runs.begin(database, source(sha256="bb"), [planned("P7"), wanted])

    assert dump(database) == before


def test_calls_that_are_stored_already_are_refused_under_other_parameters(database: Database) -> None:
    complete(database, source(), [planned("P1")], 5)
    before = dump(database)

    with pytest.raises(InvalidInput, match=r"T1 has the calls of this file already.*--replace"):
        runs.begin(database, source(keep_filtered=True), [planned("P1")])

    assert dump(database) == before


# --- becoming visible -------------------------------------------------------------------------------------------------


def test_nothing_is_visible_before_the_end(database: Database) -> None:
    run = runs.begin(database, source(), [planned("P1")])
    add_block(database, run, 5, 6)

    for table in ("subject", "study", "call_set"):
        assert table not in counts(database)
    assert carried(database) == {5: [], 6: []}

    finish(database, run)

    assert run.done
    assert {table: counts(database)[table] for table in ("subject", "study", "call_set")} == {
        "subject": 1, "study": 1, "call_set": 1,
    }  # fmt: skip
    assert carried(database) == {5: [0], 6: [0]}
    assert "carrier_delta" not in counts(database)


def test_runs_one_after_the_other_share_variants(database: Database) -> None:
    complete(database, source(), [planned("P1"), planned("P2")], 5, 6)
    complete(database, source(sha256="bb"), [planned("P2", test="T2"), planned("P3")], 6, 7)

    assert carried(database) == {5: [0, 1], 6: [0, 1, 2], 7: [1, 2]}
    with database.read() as session:
        totals = counters.values(session)
    assert (totals[counters.SUBJECTS], totals[counters.CALLS], totals[counters.VARIANTS]) == (3, 8, 3)


def test_several_runs_become_visible_together(database: Database) -> None:
    first = runs.begin(database, source(), [planned("P1")])
    add_block(database, first, 5)
    second = runs.begin(database, source(sha256="bb"), [planned("P1", test="T2"), planned("P2")])
    add_block(database, second, 5, 6)

    finish(database, first, second)

    assert carried(database) == {5: [0, 1], 6: [0, 1]}
    assert (counts(database)["subject"], counts(database)["study"]) == (2, 3)


def test_a_failure_at_the_end_leaves_the_runs_unfinished(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    run = runs.begin(database, source(), [planned("P1")])
    add_block(database, run, 5)
    before = dump(database)
    monkeypatch.setattr(runs, "_insert_call_sets", lambda *_: 1 // 0)

    with pytest.raises(ZeroDivisionError):
        finish(database, run)

    assert dump(database) == before
    assert not run.done


def test_a_replacement_withdraws_what_the_tests_had(database: Database) -> None:
    complete(database, source(), [planned("P1"), planned("P2")], 5, 6)
    complete(database, source(sha256="bb"), [planned("P1", test="T2")], 6)
    run = runs.begin(database, source(sha256="cc"), [planned("P1")])
    add_block(database, run, 7)

    finish(database, run, replace_earlier=True)

    assert carried(database) == {5: [1], 6: [0, 1], 7: [0]}
    with database.read() as session:
        assert counters.value(session, counters.CALLS) == 4
    assert counts(database)["call_set"] == 3


def test_a_variant_that_nobody_carries_any_more_goes(database: Database) -> None:
    complete(database, source(), [planned("P1")], 5, 6)
    run = runs.begin(database, source(sha256="cc"), [planned("P1")])
    add_block(database, run, 6, 7)

    finish(database, run, replace_earlier=True)

    assert carried(database) == {6: [0], 7: [0]}


# --- leaving no trace -------------------------------------------------------------------------------------------------


def blocks(database: Database, run: Run, n: int) -> None:
    for at in range(n):
        add_block(database, run, 6, 100 + at, 200 + at)


@pytest.mark.parametrize("n", [0, 1, 3])
@pytest.mark.parametrize("filled", [False, True])
def test_a_discarded_run_leaves_every_table_as_it_was(database: Database, n: int, filled: bool) -> None:
    if filled:
        complete(database, source(sha256="zz"), [planned("P0"), planned("P1", test="T0")], 5, 6)
    before = dump(database)
    run = runs.begin(database, source(), [planned("P1"), planned("P2"), planned("P3")])
    blocks(database, run, n)
    assert dump(database) != before

    runs.discard(database, run)

    assert dump(database) == before


def test_runs_that_are_discarded_in_the_reverse_order_leave_every_table_as_it_was(database: Database) -> None:
    complete(database, source(sha256="zz"), [planned("P0")], 5, 6)
    before = dump(database)
    started = []
    for at, name in enumerate(["P1", "P2", "P1", "P0"]):
        run = runs.begin(database, source(sha256=f"s{at}"), [planned(name, test=f"T{at}"), planned("P9")])
        blocks(database, run, at)
        started.append(run)

    for run in reversed(started):
        runs.discard(database, run)

    assert dump(database) == before


def test_a_discarded_run_leaves_what_came_after_it(database: Database) -> None:
    early = runs.begin(database, source(), [planned("P1"), planned("P2")])
    add_block(database, early, 5, 6, 7)
    complete(database, source(sha256="bb"), [planned("P2", test="T2"), planned("P3")], 6, 8)

    runs.discard(database, early)

    with database.read() as session:
        numbers = {name: subjects.find(session, [name])[name].ordinal for name in ("P2", "P3")}
    assert carried(database) == {6: sorted(numbers.values()), 8: sorted(numbers.values())}
    assert counts(database)["call_chunk"] == 2


def test_a_discarded_run_leaves_the_variants_of_another_unfinished_one(database: Database) -> None:
    first = runs.begin(database, source(), [planned("P1")])
    add_block(database, first, 5, 6)
    second = runs.begin(database, source(sha256="bb"), [planned("P2")])
    add_block(database, second, 6, 7)

    runs.discard(database, first)
    finish(database, second)

    assert carried(database) == {6: [second.plan[0].subject.ordinal], 7: [second.plan[0].subject.ordinal]}


def test_numbers_of_a_discarded_run_are_not_given_out_twice(database: Database) -> None:
    first = runs.begin(database, source(), [planned("P1")])
    second = runs.begin(database, source(sha256="bb"), [planned("P1", test="T2"), planned("P2")])
    runs.discard(database, first)

    third = runs.begin(database, source(sha256="cc"), [planned("P3")])

    taken = [*second.plan, *third.plan]
    assert len({entry.call_set_id for entry in taken}) == 3
    assert len({entry.subject.ordinal for entry in taken}) == 3


def test_unfinished_runs_are_listed(database: Database) -> None:
    complete(database, source(sha256="zz"), [planned("P0")], 5)
    assert runs.unfinished(database) == []
    run = runs.begin(database, source(keep_filtered=True), [planned("P1")])
    add_block(database, run, 5)

    listed = runs.unfinished(database)

    assert [(entry.run_id, entry.source, entry.plan, entry.next_record) for entry in listed] == [
        (run.run_id, run.source, run.plan, 1)
    ]


# --- new subjects of unfinished runs ----------------------------------------------------------------------------------


def by_table(database: Database) -> None:
    bulk.store_subjects(database, [Subject("P0"), Subject("P2", Sex.FEMALE)], "subjects.csv")


def by_manifest(database: Database) -> None:
    bulk.declare_studies(database, [(Subject("P2"), StudyFacts("T7", Build.GRCH38), {})])


def by_another_run(database: Database) -> None:
    complete(database, source(sha256="bb"), [planned("P2", test="T7")], 9)


@pytest.mark.parametrize("add", [by_table, by_manifest, by_another_run])
def test_a_new_subject_that_is_added_meanwhile_is_the_same_one(
    database: Database, add: Callable[[Database], None]
) -> None:
    run = runs.begin(database, source(), [planned("P1"), planned("P2")])
    add_block(database, run, 5)

    add(database)
    with database.read() as session:
        ordinal = subjects.find(session, ["P2"])["P2"].ordinal
    finish(database, runs.begin(database, source(), [planned("P1"), planned("P2")]))

    assert carried(database)[5] == [run.plan[0].subject.ordinal, ordinal]
    assert [entry.subject_id for entry in bulk.all_subjects(database)].count("P2") == 1


def test_a_plan_survives_its_json_form() -> None:
    subject = Subject("P1", Sex.OTHER, "1990", (("s", "1"), ("", "2")), 70_000)
    entry = replace(planned(subject, test_date="2000", specimen_id="SP"), call_set_id=7, uid="u")

    assert PlannedCallSet.from_json(entry.to_json()) == entry
