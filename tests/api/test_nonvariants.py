"""``includeNonVariants`` over HTTP: both operations, both dialects, every form of the question."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.answers import Asking, asking, parts, present
from tests.small_store import SmallStore, migrated
from tests.vcf_files import vcf

GVCF = vcf(
    "chr1 1001 . A <NON_REF> . . END=2000 GT 0/0",
    "chr1 2001 . A G,<NON_REF> . PASS . GT 0/1",
    "chr1 2002 . A <NON_REF> . . END=3000 GT ./.",
)
REF = "/subject-operations/genotype-operations/"
VARIANTS = "NC_000001.11:1500:A:G,NC_000001.11:2000:A:G,NC_000001.11:2500:A:G,NC_000001.11:3500:A:G"
RANGES = "NC_000001.11:1000-2000,NC_000001.11:1990-2001,NC_000001.11:1990-2010,NC_000001.11:5000-6000"


@pytest.fixture
def asked(tmp_path: Path) -> Iterator[Asking]:
    with migrated(f"sqlite:///{tmp_path / 'operon.db'}") as database:
        SmallStore(database, tmp_path).ingest(GVCF, "P1", test="T1")
    with asking(tmp_path) as opened:
        yield opened


def said(entry: dict[str, Any]) -> list[str]:
    """Return the displays of an entry's values, whose presence must come from calls alone."""
    values = [part["resource"]["valueCodeableConcept"]["coding"][0]["display"] for part in parts(entry, "variant")]
    assert present(entry) is ("Present" in values)
    return values


@pytest.mark.parametrize("base", ["/fhir/", REF])
def test_each_variant_is_present_absent_not_called_or_unknown(asked: Asking, base: str) -> None:
    question = [("subject", "P1"), ("variants", VARIANTS), ("includeNonVariants", "true")]

    answer = asked.get("find-subject-specific-variants", *question, base=base).json()["parameter"]

    assert [said(entry) for entry in answer] == [["Absent"], ["Present"], ["No call"], []]


@pytest.mark.parametrize("base", ["/fhir/", REF])
def test_each_range_is_absent_found_not_called_or_unknown(asked: Asking, base: str) -> None:
    question = [("subject", "P1"), ("ranges", RANGES), ("includeVariants", "true"), ("includeNonVariants", "true")]

    answer = asked.get("find-subject-variants", *question, base=base).json()["parameter"]

    assert [said(entry) for entry in answer] == [["Absent"], ["Present"], ["Present", "No call"], []]


def test_every_form_asks_the_same(asked: Asking) -> None:
    query = f"subject=P1&variants={VARIANTS}&includeNonVariants=true"
    url = "/fhir/$find-subject-specific-variants"
    body = {
        "resourceType": "Parameters",
        "parameter": [
            {"name": "subject", "valueString": "P1"},
            {"name": "variants", "valueString": VARIANTS},
            {"name": "includeNonVariants", "valueBoolean": True},
        ],
    }

    answers = [asked.client.get(f"{url}?{query}"), asked.client.form(url, query), asked.client.post(url, body)]

    assert len({answer.body for answer in answers}) == 1
    assert answers[0].status == 200


@pytest.mark.parametrize("value", ["false", ""])
def test_without_it_nothing_is_said_of_absence(asked: Asking, value: str) -> None:
    query = f"subject=P1&variants={VARIANTS}"
    url = "/fhir/$find-subject-specific-variants"

    assert asked.client.get(f"{url}?{query}&includeNonVariants={value}").body == asked.client.get(f"{url}?{query}").body
    assert b"Absent" not in asked.client.get(f"{url}?{query}").body


def test_another_value_is_refused_and_nobody_is_not_found(asked: Asking) -> None:
    url = "/fhir/$find-subject-specific-variants?variants=NC_000001.11:1500:A:G"

    refused = asked.client.get(f"{url}&subject=P1&includeNonVariants=maybe")
    unknown = asked.client.get(f"{url}&subject=P2&includeNonVariants=true")

    assert (refused.status, refused.issues[0]["code"]) == (400, "value")
    assert (unknown.status, unknown.issues[0]["code"]) == (404, "not-found")
