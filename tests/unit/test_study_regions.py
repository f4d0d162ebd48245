"""A gVCF tells where its test looked: stored with the run, all or nothing, and answered by the study's metadata."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app.errors import BadFile
from app.store import bulk, coverage
from app.store.session import Database
from app.variants.regions import stretches
from ingest.jobs import FileJob
from tests.small_store import Interrupted, SmallStore
from tests.store_dump import counts, dump
from tests.vcf_files import vcf

PLACE = "NC_000001.11:0-1000"

GVCF = vcf(
    "chr1 1 . A <NON_REF> . . END=99 GT 0/0",
    "chr1 100 . A G,<NON_REF> . . . GT 0/1",
    "chr1 101 . A <NON_REF> . . END=200 GT 0/0",
    "chr1 201 . A <NON_REF> . . END=300 GT ./.",
    "chr1 301 . AC A,<NON_REF> . . . GT ./1",
    "chr1 401 . A G . LowQ . GT 0/1",
    "chrX 1 . A <NON_REF> . . END=50 GT 0",
)
STUDIED, MISSING = "['NC_000001.11:0-200']", "['NC_000001.11:200-302', 'NC_000001.11:400-401']"


@pytest.fixture
def store(database: Database, tmp_path: Path) -> SmallStore:
    return SmallStore(database, tmp_path)


def told(store: SmallStore, *ranges: str, subject: str = "P1") -> list[tuple[str, str]]:
    return [
        (test["regionStudied"], test["uncallableRegions"]) for test in store.studies(subject, *(ranges or (PLACE,)))
    ]


def kinds(store: SmallStore) -> list[tuple[str, int]]:
    with store.database.read() as session:
        return sorted({(kind, contig) for kind, contig in session.run("select kind, contig from study_region")})


def with_bed(store: SmallStore, job: FileJob, **regions: Any) -> None:
    job.samples[0].regions.update({kind: {1: stretches(pairs)} for kind, pairs in regions.items()})
    store.store(job)


def test_blocks_and_complete_calls_were_studied_and_the_rest_was_not(store: SmallStore) -> None:
    report = store.ingest(GVCF)

    assert (report.records, report.calls) == (7, (2,))
    assert told(store) == [(STUDIED, MISSING)]
    assert told(store, "NC_000023.11:0-70") == [("['NC_000023.11:0-50']", "[]")]
    assert told(store, "NC_000002.12:0-70") == [("[]", "[]")]
    assert store.in_range("P1", PLACE).spdis == ["NC_000001.11:99:A:G", "NC_000001.11:301:C:"]


def test_a_gvcf_in_which_nothing_is_missing_says_so(store: SmallStore) -> None:
    store.ingest(vcf("chr1 1 . A <NON_REF> . . END=99 GT 0/0"))

    assert told(store) == [("['NC_000001.11:0-99']", "[]")]


def test_records_of_another_vcf_tell_of_their_own_places_only(store: SmallStore) -> None:
    store.ingest(vcf("chr1 100 . A G . . . GT 0/0", "chr1 200 . A G . . . GT ./.", "chr1 300 . A G . . . GT 0/1"))

    assert told(store) == [("['NC_000001.11:99-100']", "['NC_000001.11:199-200']")]
    assert told(store, "NC_000001.11:100-199") == [("unknown", "unknown")]


def test_a_vcf_of_calls_alone_tells_nothing(store: SmallStore) -> None:
    store.ingest(vcf("chr1 100 . A G . . . GT 0/1"))

    assert told(store) == [("unknown", "unknown")]
    assert "study_region" not in counts(store.database)


def test_a_bed_file_counts_before_the_blocks_each_kind_by_itself(store: SmallStore) -> None:
    with_bed(store, store.file(GVCF, test="T1", test_date="2021"), studied=[(150, 250)])
    with_bed(store, store.file(GVCF, test="T2", test_date="2022"), uncallable=[(150, 250)])

    assert told(store) == [("['NC_000001.11:150-250']", MISSING), (STUDIED, "['NC_000001.11:150-250']")]


def test_files_of_one_test_add_up_whether_they_come_together_or_one_by_one(store: SmallStore) -> None:
    parts = [f"chr1 {at} . A <NON_REF> . . END={at + 9} GT {gt}" for at, gt in ((1, "0/0"), (11, "0/0"), (31, "./."))]
    store.store(*(store.file(vcf(part), "P1") for part in parts))
    for part in parts:
        store.ingest(vcf(part), "P2")

    assert told(store, subject="P1") == told(store, subject="P2") == [
        ("['NC_000001.11:0-20']", "['NC_000001.11:30-40']")
    ]  # fmt: skip


def test_the_same_file_again_changes_nothing_and_a_replacement_leaves_nothing_of_the_earlier(store: SmallStore) -> None:
    job = store.file(GVCF)
    with_bed(store, job, studied=[(0, 9)])
    before = dump(store.database)
    store.store(job)
    assert dump(store.database) == before

    store.store(store.file(vcf("chr1 500 . A <NON_REF> . . END=600 GT ./.")), replace=True)

    # What the BED file said stays: nobody took it back.
    assert told(store) == [("['NC_000001.11:0-9']", "['NC_000001.11:499-600']")]


def test_of_a_file_read_for_several_samples_it_is_kept_that_nothing_is_told(store: SmallStore) -> None:
    store.ingest(
        vcf("chr1 1 . A <NON_REF> . . END=9 GT 0/0 0/0", "chr1 20 . A G . . . GT 0/1 ./.", samples=("A", "B")),
        "P1",
        "P2",
    )

    assert told(store) == told(store, subject="P2") == [("unknown", "unknown")]
    assert kinds(store) == [(coverage.UNTOLD, 0)]


def test_a_refused_file_leaves_no_regions(store: SmallStore) -> None:
    with pytest.raises(BadFile):
        store.ingest(GVCF + "chrX\t100\t.\tA\tG\t.\t.\t.\tGT\tnonsense\n")

    assert counts(store.database) == {}


def test_erasing_a_subject_erases_the_regions_of_complete_and_of_unfinished_runs(
    store: SmallStore, interrupt: Callable[[str, int], None]
) -> None:
    store.ingest(GVCF, test="T1")
    interrupt("checkpoint", 2)
    with pytest.raises(Interrupted):
        store.ingest(GVCF.replace("END=50", "END=60"), test="T2")
    assert any("/" in kind for kind, _ in kinds(store))
    assert len(told(store)) == 1

    bulk.erase_subject(store.database, "P1")

    assert kinds(store) == []


def test_an_interrupted_ingest_goes_on_to_the_same_regions(
    store: SmallStore, interrupt: Callable[[str, int], None]
) -> None:
    job = store.file(GVCF)
    for nth in (2, 1):
        interrupt("checkpoint", nth)
        with pytest.raises(Interrupted):
            store.store(job)
    store.store(job)

    assert told(store) == [(STUDIED, MISSING)]
    assert not any("/" in kind for kind, _ in kinds(store))
