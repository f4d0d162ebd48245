"""Which tests of a subject a question is about."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.errors import SubjectNotFound
from app.fhir.dates import parse_bound
from app.records import SourceClass
from app.store import bulk
from app.store.subjects import Subject
from tests.small_store import NO_GENOME, SmallStore, component, migrated
from tests.vcf_files import vcf

RANGE = "NC_000001.11:0-5000"
VARIANT = "NC_000001.11:99:A:G"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SmallStore]:
    """Return a store of a subject with four tests; the read depth of each call tells them apart."""
    with migrated(f"sqlite:///{tmp_path / 'operon.db'}") as database:
        store = SmallStore(database, tmp_path, NO_GENOME)
        tests: list[tuple[int, dict[str, Any]]] = [
            (1, {"test": "T1", "test_date": "2020-05-01", "specimen": "SP-1"}),
            (2, {"test": "T2", "test_date": "2021", "specimen": "SP-2"}),
            (3, {"test": "T3", "source_class": SourceClass.SOMATIC, "specimen": "SP-2"}),
            (4, {"test": "T4", "test_date": "2019-01-01", "source_class": SourceClass.MIXED}),
        ]
        for depth, options in tests:
            store.ingest(vcf(f"chr1 100 . A G 50 PASS . GT:AD 0/1:9,{depth}"), **options)
        yield store


def asked(store: SmallStore, subject: str = "P1", **inputs: Any) -> list[int]:
    """Return which tests answer, by range and by variant alike."""
    found = [
        [int(component(variant, "82121-5")["valueQuantity"]["value"]) for variant in item.variants]
        for item in (store.in_range(subject, RANGE, **inputs), store.specific(subject, VARIANT, **inputs)[0])
    ]
    assert sorted(found[0]) == sorted(found[1])
    return sorted(found[0])


@pytest.mark.parametrize(
    ("inputs", "expected"),
    [
        pytest.param({}, [1, 2, 3, 4], id="no filter"),
        pytest.param({"test_identifiers": ("T2",)}, [2], id="test"),
        pytest.param({"test_identifiers": ("T2", "T4", "T9")}, [2, 4], id="one of several tests"),
        pytest.param({"test_identifiers": ("T9",)}, [], id="no such test"),
        pytest.param({"specimen_identifiers": ("SP-2",)}, [2, 3], id="specimen"),
        pytest.param({"specimen_identifiers": ("SP-1", "SP-2")}, [1, 2, 3], id="one of several specimens"),
        pytest.param({"source_class": SourceClass.GERMLINE}, [1, 2], id="germline"),
        pytest.param({"source_class": SourceClass.SOMATIC}, [3], id="somatic"),
        pytest.param({"test_dates": (parse_bound("ge2020"),)}, [1, 2], id="date; an unknown one meets no condition"),
        pytest.param({"test_dates": (parse_bound("ge2019"), parse_bound("lt2020-06"))}, [1, 4], id="both dates"),
        pytest.param({"test_dates": (parse_bound("2021-03"),)}, [], id="a month of an imprecise year"),
        pytest.param({"specimen_identifiers": ("SP-2",), "source_class": SourceClass.SOMATIC}, [3], id="both filters"),
    ],
)
def test_filters_choose_the_tests(store: SmallStore, inputs: dict[str, Any], expected: list[int]) -> None:
    assert asked(store, **inputs) == expected


def test_without_a_test_left_nothing_is_present(store: SmallStore) -> None:
    assert not store.in_range("P1", RANGE, test_identifiers=("T9",), variants=False).present
    assert not store.specific("P1", VARIANT, test_identifiers=("T9",))[0].present


def test_a_subject_without_tests_has_nothing(store: SmallStore) -> None:
    bulk.store_subjects(store.database, [Subject("P2")], "subjects.csv")

    assert asked(store, "P2") == []


def test_a_subject_is_found_by_an_identifier_of_its_own(store: SmallStore) -> None:
    people = [
        Subject("P1", identifiers=(("urn:a", "1"), ("urn:a", "2"), ("", "3"))),
        Subject("P2", identifiers=(("urn:a", "2"), ("urn:b", "1"))),
    ]
    bulk.store_subjects(store.database, people, "subjects.csv")

    assert asked(store, "urn:a|1") == asked(store, "|3") == [1, 2, 3, 4]
    assert asked(store, "urn:b|1") == []


@pytest.mark.parametrize("subject", ["P9", "urn:a|9", "urn:a|2", "urn:c|1", "p1", "|1"])
def test_nobody_or_several_are_not_found(store: SmallStore, subject: str) -> None:
    people = [
        Subject("P1", identifiers=(("urn:a", "1"), ("urn:a", "2"))),
        Subject("P2", identifiers=(("urn:a", "2"),)),
    ]
    bulk.store_subjects(store.database, people, "subjects.csv")

    with pytest.raises(SubjectNotFound):
        asked(store, subject)
