"""``$find-study-metadata`` over HTTP: both dialects, every form of the question, and what is refused."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.records import Build
from app.store import bulk, migrate
from app.store.session import Database
from app.store.studies import StudyFacts
from app.store.subjects import Subject
from app.variants.regions import stretches
from tests.answers import Asking, asking

PATH = "/subject-operations/metadata-operations/$find-study-metadata"
RANGES = "NC_000007.14:50-120,NC_000007.14:120-300"


@pytest.fixture
def asked(tmp_path: Path) -> Iterator[Asking]:
    with asking(tmp_path) as opened:
        database = Database(f"sqlite:///{tmp_path / 'operon.db'}")
        migrate.upgrade(database)
        facts = StudyFacts("T-1", Build.GRCH38, "2020-07-13", "SP-1", "WGS", "SNV;MNV")
        regions = {"studied": {7: stretches([(100, 200)])}, "uncallable": {}}
        bulk.declare_studies(database, [(Subject("P-1"), facts, regions)])
        database.close()
        yield opened


def test_the_guide_s_dialect_is_the_guide_s_example(asked: Asking) -> None:
    answer = asked.get("find-study-metadata", ("subject", "P-1"), ("ranges", RANGES))

    assert answer.status == 200
    assert answer.json() == {
        "resourceType": "Parameters",
        "parameter": [
            {
                "name": "tests",
                "part": [
                    {"name": "testId", "valueString": "T-1"},
                    {"name": "testDate", "valueDateTime": "2020-07-13"},
                    {"name": "specimenId", "valueString": "SP-1"},
                    {
                        "name": "genomicBuild",
                        "valueCodeableConcept": {
                            "coding": [{"system": "http://loinc.org", "code": "LA26806-2", "display": "GRCh38"}]
                        },
                    },
                    {
                        "name": "dnaChangeType",
                        "valueCodeableConcept": {
                            "coding": [
                                {"system": "http://www.sequenceontology.org", "code": code, "display": display}
                                for code, display in (("SO:0001483", "SNV"), ("SO:0002007", "MNV"))
                            ]
                        },
                    },
                    {"name": "regionStudied", "valueString": "['NC_000007.14:100-200']"},
                    {"name": "uncallableRegions", "valueString": "[]"},
                ],
            }
        ],
    }


def test_every_form_asks_the_same(asked: Asking) -> None:
    body = {
        "resourceType": "Parameters",
        "parameter": [{"name": "subject", "valueString": "P-1"}, {"name": "ranges", "valueString": RANGES}],
    }
    query = f"subject=P-1&ranges={RANGES}"
    expected = asked.client.get(f"/fhir/$find-study-metadata?{query}").body

    answers = [
        asked.client.post("/fhir/$find-study-metadata", body),
        asked.client.form("/fhir/Patient/$find-study-metadata", query),
        asked.client.get(f"/fhir/Patient/P-1/$find-study-metadata?ranges={RANGES}"),
        asked.client.get(f"{PATH}?{query}&_dialect=ig"),
    ]

    assert [(answer.status, answer.body) for answer in answers] == [(200, expected)] * 4


def test_the_reference_dialect_has_its_names_and_no_regions_without_ranges(asked: Asking) -> None:
    [entry] = asked.client.get(f"{PATH}?subject=P-1").json()["parameter"]

    assert entry["part"][:2] == [
        {"name": "testID", "valueString": "T-1"},
        {"name": "testDate", "valueString": "2020-07-13 00:00:00"},
    ]
    assert [part["name"] for part in entry["part"]][2:] == ["specimenId", "genomicBuild", "dnaChangeType"]


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("ranges=NC_000007.14:1-2", 400, "required"),
        ("subject=P-1&ranges=chr7:1-2", 400, "value"),
        ("subject=P-1&ranges=NC_000007.14:2-1", 400, "value"),
        ("subject=P-1&ranges=NT_000007.14:1-2", 400, "code-invalid"),
        ("subject=P-1&testDateRange=soon", 400, "value"),
        ("subject=P-2", 404, "not-found"),
        ("subject=P-1&ranges=NC_000007.13:1-2", 422, "processing"),
    ],
)
def test_what_cannot_be_answered_is_an_outcome(asked: Asking, query: str, status: int, code: str) -> None:
    for path in ("/fhir/$find-study-metadata", PATH):
        answer = asked.client.get(f"{path}?{query}", accept="application/fhir+json")
        assert (answer.status, [issue["code"] for issue in answer.issues]) == (status, [code])


def test_nothing_to_tell_is_no_parameter(asked: Asking) -> None:
    answer = asked.client.get("/fhir/$find-study-metadata?subject=P-1&testIdentifiers=T-2")

    assert answer.json() == {"resourceType": "Parameters"}
