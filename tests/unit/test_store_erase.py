"""An erased subject leaves no trace, and everybody else exactly what they had."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import pytest

from app.errors import SubjectNotFound
from app.records import Sex, SourceClass
from app.store import bulk, carriers, counters, runs, subjects
from app.store.session import Database
from app.store.subjects import Subject
from tests.small_store import SmallStore
from tests.store_dump import counts, dump
from tests.vcf_files import vcf

CANARY = "canary-4711"
PRIVATE = "CGTTGCAACCGGTTAACCATGCATTGACC"
"""An insertion that nobody else has"""
RECORDS = [
    f"chr1 {100 + 10 * at} . A G 50 PASS . GT {' '.join('01'[(at >> sample) & 1] + '/1' for sample in range(3))}"
    for at in range(30)
]


@pytest.fixture
def store(database: Database, tmp_path: Path) -> SmallStore:
    """Return a store with three subjects in one file, and the one to be erased in several more."""
    files = tmp_path / "files"
    files.mkdir()
    store = SmallStore(database, files)
    people = [
        Subject("P1", Sex.FEMALE, identifiers=(("urn:x", "1"),)),
        Subject(CANARY, Sex.MALE, "1900-01-01", (("urn:x", f"id-of-{CANARY}"), ("urn:x", "1"))),
        Subject("P3"),
    ]
    bulk.store_subjects(database, people, "subjects.csv")
    store.ingest(vcf(*RECORDS, samples=("S1", f"sample-of-{CANARY}", "S3")), "P1", CANARY, "P3", test="cohort")
    own = vcf("chr1 100 . A G 50 PASS . GT 1/1", f"chr1 5000 . A A{PRIVATE} 50 PASS . GT 0/1", samples=(CANARY,))
    options = {"test": f"test-of-{CANARY}", "specimen": f"specimen-of-{CANARY}", "name": f"{CANARY}.vcf"}
    store.ingest(own, CANARY, **options)
    store.ingest(vcf("chr1 110 . A G 50 PASS . GT 0/1"), CANARY, test="tumour", source_class=SourceClass.SOMATIC)
    return store


def carriers_of(store: SmallStore) -> dict[int, dict[str, set[int]]]:
    """Return who carries each variant, by source class."""
    found: dict[int, dict[str, set[int]]] = {}
    with store.database.read() as session:
        ids = [row[0] for row in session.run("select id from variant")]
        for source_class in SourceClass:
            for variant_id, shards in carriers.fetch(session, ids, source_class).items():
                found.setdefault(variant_id, {})[source_class.word] = set(carriers.ordinals(shards))
    return found


def ordinal_of(store: SmallStore, subject: str) -> int:
    with store.database.read() as session:
        return subjects.find(session, [subject])[subject].ordinal


def answers(store: SmallStore, subject: str) -> list[Any]:
    return [item.variants for item in store.in_ranges(subject, "NC_000001.11:0-10000")]


def test_no_row_names_an_erased_subject(store: SmallStore) -> None:
    ordinal = ordinal_of(store, CANARY)
    assert CANARY in repr(dump(store.database))

    bulk.erase_subject(store.database, CANARY)

    content = dump(store.database)
    assert CANARY not in repr(content)
    assert PRIVATE not in repr(content)
    assert {table: len(rows) for table, rows in content.items() if rows} == {
        **counts(store.database),
        "subject": 2,
        "study": 2,
        "call_set": 2,
        "ingest_run": 1,
        "subject_identifier": 1,
    }
    assert all(ordinal not in some for kinds in carriers_of(store).values() for some in kinds.values())


def test_everybody_else_keeps_what_they_had(store: SmallStore) -> None:
    ordinal = ordinal_of(store, CANARY)
    before = {name: answers(store, name) for name in ("P1", "P3")}
    expected = {
        variant_id: {word: some - {ordinal} for word, some in kinds.items()}
        for variant_id, kinds in carriers_of(store).items()
    }

    bulk.erase_subject(store.database, CANARY)

    assert {name: answers(store, name) for name in ("P1", "P3")} == before
    assert carriers_of(store) == {i: kinds for i, kinds in expected.items() if any(kinds.values())}


def test_counts_are_exact_afterwards(store: SmallStore) -> None:
    bulk.erase_subject(store.database, CANARY)

    with store.database.read() as session:
        totals = counters.values(session)
        calls = session.run("select sum(calls) from call_set")[0][0]
        stored = session.run("select count(*) from variant")[0][0]
    assert (totals[counters.SUBJECTS], totals[counters.CALLS], totals[counters.VARIANTS]) == (2, calls, stored)
    assert store.population(["NC_000001.11:99:A:G"], include_patient_list=True) == [
        ("NC_000001.11:99:A:G", 2, 2, ["P1", "P3"])
    ]


def test_an_erased_subject_is_unknown(store: SmallStore) -> None:
    bulk.erase_subject(store.database, CANARY)

    with pytest.raises(SubjectNotFound):
        answers(store, CANARY)
    with pytest.raises(SubjectNotFound):
        bulk.erase_subject(store.database, CANARY)
    assert [subject.subject_id for subject in bulk.all_subjects(store.database)] == ["P1", "P3"]


def test_the_number_of_an_erased_subject_is_never_given_out_again(store: SmallStore) -> None:
    ordinal = ordinal_of(store, CANARY)
    for name in ("P3", CANARY):
        bulk.erase_subject(store.database, name)

    bulk.store_subjects(store.database, [Subject(CANARY)], "subjects.csv")

    assert ordinal_of(store, CANARY) > ordinal


def test_the_data_have_another_version_afterwards(store: SmallStore) -> None:
    before = store.context.data_version()

    bulk.erase_subject(store.database, CANARY)

    assert store.context.data_version() != before


def test_erasing_everybody_leaves_an_empty_store(store: SmallStore) -> None:
    for name in ("P1", CANARY, "P3"):
        bulk.erase_subject(store.database, name)

    assert set(counts(store.database)) == {"counter"}
    assert store.context.summary().subjects == store.context.summary().calls == store.context.summary().variants == 0


def test_an_unfinished_ingest_of_the_subject_goes_too(store: SmallStore, monkeypatch: pytest.MonkeyPatch) -> None:
    before = dump(store.database)
    with monkeypatch.context() as patch, contextlib.suppress(KeyboardInterrupt):
        patch.setattr(runs, "finish", interrupted)
        store.ingest(vcf(f"chr1 777 . T T{PRIVATE} 50 PASS . GT 0/1"), CANARY, test="late")
    assert dump(store.database) != before

    bulk.erase_subject(store.database, CANARY)

    assert runs.unfinished(store.database) == []
    assert CANARY not in repr(dump(store.database))
    assert PRIVATE not in repr(dump(store.database))


def test_a_subject_that_only_an_unfinished_ingest_names_is_erased(
    store: SmallStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = dump(store.database)
    with monkeypatch.context() as patch, contextlib.suppress(KeyboardInterrupt):
        patch.setattr(runs, "finish", interrupted)
        store.ingest(vcf("chr1 777 . T C 50 PASS . GT 0/1"), "P-new")

    bulk.erase_subject(store.database, "P-new")

    assert dump(store.database) == before


def test_an_unfinished_ingest_of_somebody_else_stays(store: SmallStore, monkeypatch: pytest.MonkeyPatch) -> None:
    job = store.file(vcf(f"chr1 5000 . A A{PRIVATE} 50 PASS . GT 0/1"), "P3", test="late")
    with monkeypatch.context() as patch, contextlib.suppress(KeyboardInterrupt):
        patch.setattr(runs, "finish", interrupted)
        store.store(job)

    bulk.erase_subject(store.database, CANARY)
    store.store(job)

    assert len(answers(store, "P3")[0]) == 31
    assert store.population([f"NC_000001.11:5000::{PRIVATE}"])[0][1:3] == (1, 2)


def interrupted(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_the_bytes_of_an_erased_subject_are_gone_from_the_files(store: SmallStore, tmp_path: Path) -> None:
    assert traces(tmp_path) == {CANARY, PRIVATE}

    bulk.erase_subject(store.database, CANARY)

    assert traces(tmp_path) == set()


def traces(folder: Path) -> set[str]:
    """Return which secrets stand in the files of the store, its log and its lock."""
    content = b"".join(path.read_bytes() for path in folder.glob("operon.db*"))
    return {secret for secret in (CANARY, PRIVATE) if secret.encode() in content}
