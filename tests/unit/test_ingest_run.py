"""An ingest is all or nothing, idempotent and resumable, and readers never see a part of it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app.errors import BadFile, InvalidInput, SubjectNotFound
from app.records import Build, SourceClass
from app.store import runs
from app.store.session import Database
from app.store.subjects import Subject
from app.variants.accessions import accession
from tests.small_store import Interrupted, SmallStore, migrated
from tests.store_dump import Dump, counts, dump
from tests.two_builds import Block, genome
from tests.vcf_files import vcf

EVERYTHING = ("NC_000001.11:0-248956422", "NC_000023.11:0-156040895", "NC_012920.1:0-16569")


@pytest.fixture
def store(database: Database, tmp_path: Path) -> SmallStore:
    return SmallStore(database, tmp_path)


def snv(position_1based: int, genotype: str = "0/1", contig: str = "chr1", ref: str = "A", alt: str = "G") -> str:
    return f"{contig} {position_1based} . {ref} {alt} 50 PASS . GT {genotype}"


def many(n: int, first_1based: int = 1000, genotype: str = "0/1") -> list[str]:
    return [snv(first_1based + 7 * at, genotype) for at in range(n)]


ONE = vcf(snv(100), snv(200, "1/1"), snv(300, contig="chrX"))
OTHER = vcf(snv(200), snv(400), snv(50, contig="chrX"))
THREE_BLOCKS = vcf(*many(40), *(snv(300 + at, contig="chrX") for at in range(40)), snv(73, "1", contig="chrM"))
BAD = vcf(snv(100), snv(500), "chr1 600 . A G 50 PASS . GT 0/nonsense")


def found(store: SmallStore, subject: str) -> list[str] | None:
    """Return the SPDI of every call of a subject; None for a subject that nobody knows."""
    try:
        return [spdi for item in store.in_ranges(subject, *EVERYTHING) for spdi in item.spdis]
    except SubjectNotFound:
        return None


def carriers(store: SmallStore, position_1based: int) -> tuple[int, int]:
    """Return how many of how many subjects carry A>G at a place of chromosome 1."""
    _, numerator, denominator, _ = store.population([f"NC_000001.11:{position_1based - 1}:A:G"])[0]
    return numerator, denominator


# --- once -------------------------------------------------------------------------------------------------------------


def test_an_ingested_file_answers(store: SmallStore) -> None:
    report = store.ingest(ONE, "P1")

    assert (report.records, report.calls, report.variants_new, report.is_repeated) == (3, (3,), 3, False)
    assert found(store, "P1") == ["NC_000001.11:99:A:G", "NC_000001.11:199:A:G", "NC_000023.11:299:A:G"]
    assert (carriers(store, 100), carriers(store, 101)) == ((1, 1), (0, 1))


def test_the_same_file_again_adds_nothing(store: SmallStore) -> None:
    job = store.file(ONE, "P1")
    store.store(job)
    before = dump(store.database)

    report = store.store(job)[0]

    assert dump(store.database) == before
    assert (report.is_repeated, report.records, report.calls) == (True, 3, (3,))


def test_the_same_bytes_under_another_name_add_nothing(store: SmallStore) -> None:
    store.ingest(ONE, "P1", name="first.vcf")
    before = dump(store.database)

    report = store.ingest(ONE, "P1", name="renamed.vcf")

    assert report.is_repeated
    assert dump(store.database) == before


def test_the_same_bytes_for_another_test_are_calls_of_that_test(store: SmallStore) -> None:
    store.ingest(ONE, "P1", test="T1")

    report = store.ingest(ONE, "P1", test="T2")

    assert not report.is_repeated
    assert counts(store.database)["call_set"] == 2
    assert carriers(store, 100) == (1, 1)


def test_a_file_that_is_given_twice_is_stored_once(store: SmallStore) -> None:
    job = store.file(ONE, "P1")

    first, second = store.store(job, job)

    assert (first.is_repeated, second.is_repeated) == (False, True)
    assert counts(store.database)["call_set"] == 1
    assert found(store, "P1") == ["NC_000001.11:99:A:G", "NC_000001.11:199:A:G", "NC_000023.11:299:A:G"]


def test_the_same_bytes_with_other_options_are_refused_unless_they_replace(store: SmallStore) -> None:
    store.ingest(ONE, "P1")
    before = dump(store.database)
    filtered = store.file(ONE, "P1", keep_filtered=True)

    with pytest.raises(InvalidInput, match="replace"):
        store.store(filtered)
    assert dump(store.database) == before

    store.store(filtered, replace=True)
    assert counts(store.database)["call_set"] == 1


def test_samples_of_one_file_are_subjects_of_their_own(store: SmallStore) -> None:
    text = vcf("chr1 100 . A G 50 PASS . GT 0/1 0/0", "chr1 200 . A G 50 PASS . GT 1/1 0/1", samples=("S1", "S2"))

    report = store.ingest(text, "P1", "P2")

    assert report.calls == (2, 1)
    assert found(store, "P1") == ["NC_000001.11:99:A:G", "NC_000001.11:199:A:G"]
    assert found(store, "P2") == ["NC_000001.11:199:A:G"]
    assert (carriers(store, 100), carriers(store, 200)) == ((1, 2), (2, 2))


def test_a_subject_of_two_tests_counts_once(store: SmallStore) -> None:
    store.ingest(ONE, "P1", test="T1")
    store.ingest(OTHER, "P1", test="T2", source_class=SourceClass.SOMATIC)

    assert carriers(store, 200) == (1, 1)
    assert len(store.in_range("P1", "NC_000001.11:199-200").variants) == 2


# --- all or nothing ---------------------------------------------------------------------------------------------------


@pytest.fixture
def filled(store: SmallStore) -> SmallStore:
    """Return a store that holds a subject already."""
    store.ingest(OTHER, "P0", test="T0")
    return store


@pytest.mark.parametrize("order", [(ONE, BAD), (BAD, ONE)], ids=["bad second", "bad first"])
def test_one_bad_file_of_two_leaves_nothing_of_either(filled: SmallStore, order: tuple[str, str]) -> None:
    before = dump(filled.database)

    with pytest.raises(BadFile, match="line 13"):
        filled.store(*(filled.file(text, "P1") for text in order))

    assert dump(filled.database) == before
    assert found(filled, "P1") is None


def test_bad_files_of_several_new_subjects_leave_nothing(filled: SmallStore) -> None:
    before = dump(filled.database)

    with pytest.raises(BadFile):
        filled.store(filled.file(ONE, "P1"), filled.file(THREE_BLOCKS, "P2"), filled.file(BAD, "P3"))

    assert dump(filled.database) == before


def test_a_bad_line_deep_in_a_file_leaves_nothing(filled: SmallStore) -> None:
    before = dump(filled.database)
    text = vcf(*many(29_999), "chr1 999999 . A G 50 PASS . GT 0/x", *many(50, 2_000_000))

    with pytest.raises(BadFile, match="line 30010"):
        filled.ingest(text, "P1")

    assert dump(filled.database) == before


def test_a_file_on_another_assembly_leaves_nothing(database: Database, tmp_path: Path) -> None:
    store = SmallStore(database, tmp_path, genome([Block(0, 0, 1000)], {Build.GRCH38: [(0, "C" * 1000)]}))
    before = dump(database)

    with pytest.raises(BadFile, match="contradict GRCh38"):
        store.ingest(vcf(*many(100, 1)), "P1")

    assert dump(database) == before


def test_a_subject_that_contradicts_the_store_leaves_nothing(filled: SmallStore) -> None:
    filled.ingest(ONE, "P1", test="T1", test_date="2020-01-01")
    before = dump(filled.database)

    with pytest.raises(InvalidInput, match="test date is 2020-01-01 in the store and 2021-01-01"):
        filled.ingest(OTHER, "P1", test="T1", test_date="2021-01-01")

    assert dump(filled.database) == before


def test_files_of_one_new_test_that_contradict_each_other_leave_nothing(filled: SmallStore) -> None:
    before = dump(filled.database)

    with pytest.raises(InvalidInput, match="specimen id is A in the store and B"):
        filled.store(filled.file(ONE, "P1", specimen="A"), filled.file(OTHER, "P1", specimen="B"))

    assert dump(filled.database) == before


# --- interrupted ------------------------------------------------------------------------------------------------------


def uninterrupted(folder: Path, ingest: Callable[[SmallStore], object]) -> Dump:
    """Return what the same ingest leaves in a store of its own on SQLite."""
    (folder / "whole").mkdir()
    with migrated(f"sqlite:///{folder / 'whole' / 'operon.db'}") as database:
        store = SmallStore(database, folder / "whole")
        store.ingest(OTHER, "P0", test="T0")
        ingest(store)
        return dump(database)


@pytest.mark.parametrize("block", [1, 2, 3])
def test_an_interrupted_ingest_is_invisible_and_continues(
    filled: SmallStore, tmp_path: Path, interrupt: Callable[[str, int], None], block: int
) -> None:
    job = filled.file(THREE_BLOCKS, "P1")
    interrupt("checkpoint", block)

    with pytest.raises(Interrupted):
        filled.store(job)

    assert found(filled, "P1") is None
    assert carriers(filled, 1000) == (0, 1)
    report = filled.store(job)[0]
    assert (report.records, report.calls, report.is_repeated) == (81, (81,), False)
    expected = uninterrupted(tmp_path, lambda store: store.store(store.file(THREE_BLOCKS, "P1")))
    assert same_but_for_names(dump(filled.database), expected)


def same_but_for_names(found: Dump, expected: Dump) -> bool:
    """Compare stores of two engines, which sort texts differently."""
    return {name: sorted(map(repr, rows)) for name, rows in found.items()} == {
        name: sorted(map(repr, rows)) for name, rows in expected.items()
    }


def test_an_ingest_that_was_interrupted_before_it_became_visible_continues(
    filled: SmallStore, interrupt: Callable[[str, int], None]
) -> None:
    job = filled.file(THREE_BLOCKS, "P1")
    interrupt("finish", 1)

    with pytest.raises(Interrupted):
        filled.store(job)

    assert found(filled, "P1") is None
    assert filled.store(job)[0].calls == (81,)
    assert len(found(filled, "P1") or []) == 81


def test_a_test_of_two_files_is_invisible_until_both_are_in(
    filled: SmallStore, interrupt: Callable[[str, int], None]
) -> None:
    jobs = filled.file(ONE, "P1"), filled.file(OTHER, "P1", source_class=SourceClass.SOMATIC)
    interrupt("begin", 2)

    with pytest.raises(Interrupted):
        filled.store(*jobs)

    assert found(filled, "P1") is None
    filled.store(*jobs)
    assert len(found(filled, "P1") or []) == 6


def test_two_files_of_a_new_subject_are_of_one_subject_and_one_test(filled: SmallStore) -> None:
    filled.store(filled.file(ONE, "P1"), filled.file(OTHER, "P1", source_class=SourceClass.SOMATIC))

    assert (counts(filled.database)["subject"], counts(filled.database)["study"]) == (2, 2)
    assert (carriers(filled, 100), carriers(filled, 200), carriers(filled, 400)) == ((1, 2), (2, 2), (2, 2))
    assert len(found(filled, "P1") or []) == 6


def test_another_ingest_of_the_same_new_subject_may_come_in_between(
    filled: SmallStore, interrupt: Callable[[str, int], None]
) -> None:
    job = filled.file(THREE_BLOCKS, "P1", test="T1")
    interrupt("checkpoint", 2)
    with pytest.raises(Interrupted):
        filled.store(job)

    filled.ingest(ONE, "P1", test="T2")
    assert len(found(filled, "P1") or []) == 3

    filled.store(job)
    assert len(found(filled, "P1") or []) == 84
    assert counts(filled.database)["subject"] == 2


def test_a_failure_after_an_interruption_leaves_nothing(
    filled: SmallStore, interrupt: Callable[[str, int], None]
) -> None:
    before = dump(filled.database)
    text = vcf(*many(40), snv(300, contig="chrX"), "chrX 400 . A G 50 PASS . GT 7/7")
    job = filled.file(text, "P1")
    interrupt("checkpoint", 2)
    with pytest.raises(BadFile):
        filled.store(job)

    assert dump(filled.database) == before


# --- replaced ---------------------------------------------------------------------------------------------------------


def test_a_replaced_test_has_the_calls_of_the_new_file_only(filled: SmallStore) -> None:
    filled.ingest(ONE, "P1")

    filled.store(filled.file(OTHER, "P1"), replace=True)

    assert found(filled, "P1") == ["NC_000001.11:199:A:G", "NC_000001.11:399:A:G", "NC_000023.11:49:A:G"]
    assert (carriers(filled, 100), carriers(filled, 200), carriers(filled, 400)) == ((0, 2), (2, 2), (2, 2))
    assert counts(filled.database)["ingest_run"] == 2


def test_replacing_a_file_by_itself_changes_nothing_that_is_answered(filled: SmallStore) -> None:
    job = filled.file(ONE, "P1")
    filled.store(job)
    before = found(filled, "P1"), carriers(filled, 100), counts(filled.database)

    for _ in range(2):
        assert not filled.store(job, replace=True)[0].is_repeated
        assert (found(filled, "P1"), carriers(filled, 100), counts(filled.database)) == before

    assert filled.store(job)[0].is_repeated


def test_other_tests_of_the_subject_keep_their_calls(filled: SmallStore) -> None:
    filled.ingest(ONE, "P1", test="kept")
    filled.ingest(ONE, "P1", test="T1")

    filled.store(filled.file(vcf(snv(900)), "P1", test="T1"), replace=True)

    assert len(found(filled, "P1") or []) == 4
    assert (carriers(filled, 100), carriers(filled, 900)) == ((1, 2), (1, 2))


def test_a_replacement_that_fails_leaves_what_was_there(filled: SmallStore) -> None:
    filled.ingest(ONE, "P1")
    before = dump(filled.database)

    with pytest.raises(BadFile):
        filled.store(filled.file(BAD, "P1"), replace=True)

    assert dump(filled.database) == before


@pytest.mark.parametrize("replace_first", [False, True])
def test_an_interrupted_ingest_may_be_repeated_as_a_replacement_and_the_other_way_round(
    filled: SmallStore, interrupt: Callable[[str, int], None], replace_first: bool
) -> None:
    job = filled.file(THREE_BLOCKS, "P1")
    interrupt("checkpoint", 2)
    with pytest.raises(Interrupted):
        filled.store(job, replace=replace_first)

    filled.store(job, replace=not replace_first)

    assert len(found(filled, "P1") or []) == 81
    assert counts(filled.database)["call_set"] == 2
    assert runs.unfinished(filled.database) == []


# --- readers ----------------------------------------------------------------------------------------------------------


class Reader(threading.Thread):
    """Asks the same questions over and over until it is told to stop, and keeps the different answers."""

    def __init__(self, ask: Callable[[], Any]) -> None:
        super().__init__()
        self._ask = ask
        self.answers: list[Any] = []
        self.asked = 0
        self.done = threading.Event()
        self.error: BaseException | None = None

    def run(self) -> None:
        try:
            while True:
                last = self.done.is_set()
                answer = self._ask()
                self.asked += 1
                if answer not in self.answers:
                    self.answers.append(answer)
                if last:
                    return
        except BaseException as error:
            self.error = error


def watched(ask: Callable[[], Any], change: Callable[[], object]) -> Reader:
    reader = Reader(ask)
    reader.start()
    try:
        change()
    finally:
        reader.done.set()
        reader.join()
    assert reader.error is None
    return reader


MANY_BLOCKS = vcf(*(snv(1000 + 7 * at, contig=f"chr{number}") for number in range(1, 23) for at in range(20)))


def seen(store: SmallStore) -> tuple[int, int] | None:
    """Return what a reader sees of a subject: the number of calls on all chromosomes, and a checksum of them."""
    ranges = [f"{accession(Build.GRCH38, contig)}:0-10000" for contig in range(1, 24)]
    try:
        spdis = [spdi for item in store.in_ranges("P1", *ranges) for spdi in item.spdis]
    except SubjectNotFound:
        return None
    return len(spdis), hash(tuple(spdis))


def test_a_reader_sees_all_of_an_ingest_or_nothing(filled: SmallStore) -> None:
    jobs = filled.file(MANY_BLOCKS, "P1"), filled.file(THREE_BLOCKS, "P1", source_class=SourceClass.SOMATIC)

    reader = watched(lambda: seen(filled), lambda: filled.store(*jobs))

    assert reader.asked > 3
    assert [answer and answer[0] for answer in reader.answers] == [None, 520]


def test_a_reader_counts_all_of_an_ingest_or_nothing(filled: SmallStore) -> None:
    asked = [f"{accession(Build.GRCH38, contig)}:1006:A:G" for contig in range(1, 23)]

    reader = watched(
        lambda: [(numerator, of) for _, numerator, of, _ in filled.population(asked)],
        lambda: filled.ingest(MANY_BLOCKS, "P1"),
    )

    assert reader.asked > 3
    assert reader.answers == [[(0, 1)] * 22, [(1, 2)] * 22]


def test_a_reader_sees_a_replacement_in_one_step(filled: SmallStore) -> None:
    filled.ingest(MANY_BLOCKS, "P1")
    job = filled.file(MANY_BLOCKS.replace("\tA\tG\t", "\tA\tC\t") + vcf(snv(77)).splitlines()[-1] + "\n", "P1")

    reader = watched(lambda: seen(filled), lambda: filled.store(job, replace=True))

    assert reader.asked > 3
    assert [answer and answer[0] for answer in reader.answers] == [440, 441]


def test_a_planned_subject_keeps_what_the_store_knows(filled: SmallStore) -> None:
    filled.ingest(ONE, Subject("P1", birth_date="1980"))

    filled.ingest(OTHER, Subject("P1"), test="T2")

    with filled.database.read() as session:
        assert session.run("select birth_date from subject where subject_id = 'P1'") == [("1980",)]
