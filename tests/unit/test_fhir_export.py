"""An export is valid FHIR, keeps to the profiles, names what is asked for, and takes no more memory for a genome."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.errors import NotFound, SubjectNotFound
from app.fhir.validate import problems
from app.operations.export import export_subject
from app.records import Sex, SourceClass
from app.store.subjects import Subject
from tests.fhir_files import exported, store_fhir
from tests.profile_validator import Validate
from tests.small_store import NO_GENOME, SmallStore, migrated
from tests.vcf_files import vcf

PERSON = Subject("P1", Sex.FEMALE, "1970-02-03", (("", "plain"), ("urn:a", "7")))
RECORDS = [
    "chr1 101 . A G 50 PASS . GT:AD:DP:PS 0|1:9,7:16:55",
    "chr1 151 . C T 50 PASS . GT:PS 1|0:55",
    "chr1 201 . CA C 50 q10;low . GT:AD 1/1:0,8",
    "chr1 251 . G T,C 50 PASS . GT 1/2",
    "chrX 301 . A C 50 PASS . GT 1",
    "chrM 401 . A C 50 PASS . GT:AF 0/1:0.123456789",
    "chrM 501 . A C 50 PASS . GT ./1",
]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SmallStore]:
    with migrated(f"sqlite:///{tmp_path / 'operon.db'}") as database:
        yield SmallStore(database, tmp_path, NO_GENOME)


@pytest.fixture
def filled(store: SmallStore) -> SmallStore:
    """A store with two tests of one subject, of which the first has everything that a call can have."""
    facts: dict[str, Any] = {"test_date": "2024-02-03", "specimen": "SP 1"}
    store.ingest(vcf(*RECORDS), PERSON, test="T1", keep_filtered=True, **facts)
    store.ingest(vcf(*RECORDS[:2]), PERSON, test="T2", source_class=SourceClass.SOMATIC)
    return store


def resources(store: SmallStore, *test_ids: str) -> list[dict[str, Any]]:
    return [entry["resource"] for entry in json.loads(exported(store, "P1", test_ids))["entry"]]


def test_a_bundle_is_valid_fhir(filled: SmallStore) -> None:
    bundle = json.loads(exported(filled, "P1"))
    assert problems(bundle) == []
    urls = [entry["fullUrl"] for entry in bundle["entry"]]
    assert len(set(urls)) == len(urls)
    assert all(
        url.endswith(f"{e['resource']['resourceType']}/{e['resource']['id']}")
        for url, e in zip(urls, bundle["entry"], strict=True)
    )


def test_every_resource_keeps_to_its_profile(filled: SmallStore, against_profiles: Validate) -> None:
    profiled = [resource for resource in resources(filled) if "meta" in resource]
    assert {resource["resourceType"] for resource in profiled} == {"Procedure", "Observation", "DiagnosticReport"}
    for resource in profiled:
        assert against_profiles(resource) == [], resource["id"]


def test_references_lead_to_resources_of_the_bundle(filled: SmallStore) -> None:
    there = resources(filled)
    known = {f"{resource['resourceType']}/{resource['id']}" for resource in there}

    def references(value: Any) -> Iterator[str]:
        if isinstance(value, dict):
            if isinstance(value.get("reference"), str):
                yield value["reference"]
            for item in value.values():
                yield from references(item)
        elif isinstance(value, list):
            for item in value:
                yield from references(item)

    assert {reference for resource in there for reference in references(resource)} <= known


def test_the_report_lists_the_observations_of_its_test(filled: SmallStore) -> None:
    there = resources(filled, "T1")
    [report] = [resource for resource in there if resource["resourceType"] == "DiagnosticReport"]
    observations = [f"Observation/{one['id']}" for one in there if one["resourceType"] == "Observation"]
    assert [result["reference"] for result in report["result"]] == observations
    assert len(observations) == len(RECORDS) + 2  # two ALTs of one record, and a phase relation
    assert report["identifier"] == [{"value": "T1"}]


def test_only_the_tests_that_are_asked_for_are_written(filled: SmallStore) -> None:
    named = {r["identifier"][0]["value"] for r in resources(filled, "T2") if r["resourceType"] == "DiagnosticReport"}
    assert named == {"T2"}


def test_who_or_what_is_not_there_is_said(filled: SmallStore) -> None:
    with pytest.raises(SubjectNotFound, match="P9"):
        exported(filled, "P9")
    with pytest.raises(NotFound, match="no test T9"):
        exported(filled, "P1", ["T1", "T9"])


def test_a_subject_without_tests_is_a_bundle_of_one_patient(store: SmallStore) -> None:
    store.sex("P1", Sex.OTHER)
    assert resources(store) == [{"resourceType": "Patient", "id": "P1", "gender": "other"}]


def test_above_the_limit_nothing_is_listed_and_the_way_back_is_the_same(filled: SmallStore, tmp_path: Path) -> None:
    filled.settings = filled.settings.model_copy(update={"fhir_max_listed": 0})
    text = exported(filled, "P1")
    there = [entry["resource"] for entry in json.loads(text)["entry"]]
    assert not any("result" in resource for resource in there)
    assert not any(resource["id"].startswith("sid-") for resource in there)
    (tmp_path / "two").mkdir()
    with migrated(f"sqlite:///{tmp_path / 'two.db'}") as database:
        second = SmallStore(database, tmp_path / "two", NO_GENOME)
        store_fhir(second, text)
        asked = ("NC_000001.11:0-1000",)
        assert second.in_ranges("P1", *asked, include_phasing=True) == filled.in_ranges(
            "P1", *asked, include_phasing=True
        )


def test_full_urls_begin_with_the_public_url(filled: SmallStore) -> None:
    filled.settings = filled.settings.model_copy(update={"base_url": "https://o.example/fhir/"})
    assert json.loads(exported(filled, "P1"))["entry"][0]["fullUrl"] == "https://o.example/fhir/Patient/P1"


CALLS = 50_000


def test_memory_does_not_grow_with_the_genome(store: SmallStore) -> None:
    lines = [f"chr1\t{at * 2000 + 1}\t.\tA\tG\t.\tPASS\t.\tGT:DP\t0|1:{at % 60}" for at in range(1, CALLS + 1)]
    store.ingest(vcf() + "\n".join(lines) + "\n", phased_contigs=True)
    tracemalloc.start()
    try:
        size = sum(map(len, export_subject(store.database, "P1", store.settings, None)))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert size > CALLS * 1500
    assert peak < 64 * 2**20
