"""How many subjects carry a variant, and who."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.errors import LiftoverFailed, SeveralProblems, UnreadableVariant
from app.records import SourceClass
from app.store.session import Database
from tests.small_store import NO_GENOME, SmallStore
from tests.two_builds import B37, Block, genome
from tests.vcf_files import vcf

R37, R38 = "NC_000001.10", "NC_000001.11"
A, B, C = (f"{R38}:{at}:A:G" for at in (99, 199, 299))
NOBODY = f"{R38}:5000:A:G"


@pytest.fixture
def store(database: Database, tmp_path: Path) -> SmallStore:
    """Return a store of four subjects: P1 carries A, P2 A and B, P3 B twice and C as a tumour's, P4 nothing."""
    store = SmallStore(database, tmp_path, NO_GENOME)
    store.ingest(
        vcf(
            "chr1 100 . A G 50 PASS . GT 0/1 1/1 0/0 0/0",
            "chr1 200 . A G 50 PASS . GT 0/0 0/1 0/1 ./.",
            samples=("S1", "S2", "S3", "S4"),
        ),
        "P1", "P2", "P3", "P4",
    )  # fmt: skip
    tumour = vcf("chr1 200 . A G 50 PASS . GT 0/1", "chr1 300 . A G 50 PASS . GT 0/1")
    store.ingest(tumour, "P3", test="tumour", source_class=SourceClass.SOMATIC)
    return store


def test_each_variant_of_a_group_is_counted_on_its_own(store: SmallStore) -> None:
    assert store.population([A, B, C, NOBODY]) == [(A, 2, 4, []), (B, 2, 4, []), (C, 1, 4, []), (NOBODY, 0, 4, [])]


def test_the_carriers_are_named_if_asked(store: SmallStore) -> None:
    assert store.population([A, B, NOBODY], include_patient_list=True) == [
        (A, 2, 4, ["P1", "P2"]), (B, 2, 4, ["P2", "P3"]), (NOBODY, 0, 4, []),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("source_class", "expected"),
    [
        (SourceClass.GERMLINE, [["P1", "P2"], ["P2", "P3"], []]),
        (SourceClass.SOMATIC, [[], ["P3"], ["P3"]]),
    ],
    ids=lambda item: item.word if isinstance(item, SourceClass) else "",
)
def test_a_source_class_counts_its_calls_alone(
    store: SmallStore, source_class: SourceClass, expected: list[list[str]]
) -> None:
    found = store.population([A, B, C], source_class=source_class, include_patient_list=True)

    assert [(numerator, names) for _, numerator, _, names in found] == [(len(names), names) for names in expected]
    assert [numerator for _, numerator, _, _ in store.population([A, B, C], source_class=source_class)] == [
        len(names) for names in expected
    ]


@pytest.mark.parametrize(
    ("groups", "item", "expected"),
    [
        pytest.param([[A], [B]], f"{A} AND {B}", ["P2"], id="both"),
        pytest.param([[A, C], [B]], f"{A}|{C} AND {B}", ["P2", "P3"], id="one of two, and a third"),
        pytest.param([[A], [C]], f"{A} AND {C}", [], id="nobody has both"),
        pytest.param([[A], [NOBODY]], f"{A} AND {NOBODY}", [], id="one that nobody has"),
        pytest.param([[A], [A, B], [B, C]], f"{A} AND {A}|{B} AND {B}|{C}", ["P2"], id="three groups"),
    ],
)
def test_several_groups_are_one_count_of_those_who_have_one_of_each(
    store: SmallStore, groups: list[list[str]], item: str, expected: list[str]
) -> None:
    assert store.population(*groups) == [(item, len(expected), 4, [])]
    assert store.population(*groups, include_patient_list=True) == [(item, len(expected), 4, expected)]


def test_synonyms_are_one_variant(store: SmallStore) -> None:
    synonyms = [A, f"{R38}:g.100A>G", f"{R38}:99:AC:GC"]

    assert [numerator for _, numerator, _, _ in store.population(synonyms)] == [2, 2, 2]


def test_an_empty_store_counts_nobody_of_nobody(database: Database, tmp_path: Path) -> None:
    store = SmallStore(database, tmp_path)

    assert store.population([A, B]) == [(A, 0, 0, []), (B, 0, 0, [])]
    assert store.population([A], [B], include_patient_list=True) == [(f"{A} AND {B}", 0, 0, [])]


def test_a_subject_who_was_tested_on_either_build_counts_once(database: Database, tmp_path: Path) -> None:
    """What was ingested before a chain file came, and what came after it, is counted together."""
    before = SmallStore(database, tmp_path, NO_GENOME)
    record = "chr1 100 . A G 50 PASS . GT 0/1"
    before.ingest(vcf(record, build=B37), "P1", build=B37)
    before.ingest(vcf(record, build=B37), "P2", build=B37)
    after = SmallStore(database, tmp_path, genome([Block(0, 1000, 5000)]))
    after.ingest(vcf(record, build=B37), "P1", build=B37, test="T2", name="again.vcf")
    after.ingest(vcf("chr1 1100 . A G 50 PASS . GT 0/1"), "P3")

    for asked in (f"{R37}:99:A:G", f"{R38}:1099:A:G"):
        assert after.population([asked], include_patient_list=True) == [(asked, 3, 3, ["P1", "P2", "P3"])]
        assert after.population([asked]) == [(asked, 3, 3, [])]


def test_a_text_that_is_no_variant_is_refused(store: SmallStore) -> None:
    with pytest.raises(UnreadableVariant):
        store.population([A, "nonsense"])
    with pytest.raises(SeveralProblems) as caught:
        store.population(["nonsense", A], ["rubbish"])
    assert len(caught.value.issues()) == 2


def test_a_variant_of_one_build_is_not_counted_while_calls_lie_on_the_other_only(store: SmallStore) -> None:
    with pytest.raises(LiftoverFailed, match=r"Failed LiftOver\. Variant: NC_000001\.10:99:A:G"):
        store.population([f"{R37}:99:A:G"])


def test_calls_of_another_chromosome_do_not_stand_in_the_way(store: SmallStore) -> None:
    other = "NC_000002.11:99:A:G"
    assert store.population([other]) == [(other, 0, 4, [])]
