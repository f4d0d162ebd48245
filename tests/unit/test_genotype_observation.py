"""Genotypes and haplotypes as Observations: every form is valid, and says what the statement says."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterable
from typing import Any

import pytest

from app.fhir.genotype import (
    GENOTYPE_ID,
    StatementFacts,
    as_part,
    genotype_concept,
    genotype_id,
    haplotype_id,
    haplotype_system,
    render_genotype,
    render_haplotype,
)
from app.fhir.validate import problems
from tests.genotype_files import GL_STRING, IMGT, PHARMVAR
from tests.profile_validator import Validate

UID = "0123456789abcdef"


def facts(
    effective: str | None = "2024-02-03",
    specimen: str | None = 'SP "1" ü',
    gene: tuple[str | None, str | None] = ("HGNC:2621", "CYP2C19"),
) -> StatementFacts:
    return StatementFacts(UID, "P-1.a", effective, specimen, *gene)


def genotype(
    about: StatementFacts | None = None, concept: dict[str, Any] | None = None, haplotypes: int = 2
) -> dict[str, Any]:
    concept = concept or genotype_concept(PHARMVAR, "CYP2C19 *1/*17", None)
    resource: dict[str, Any] = json.loads(render_genotype(about or facts(), concept, haplotypes=haplotypes))
    return resource


def haplotype(about: StatementFacts | None = None, system: str | None = PHARMVAR) -> dict[str, Any]:
    resource: dict[str, Any] = json.loads(render_haplotype(about or facts(), 2, "CYP2C19 *17", system))
    return resource


def forms() -> Iterable[dict[str, Any]]:
    for effective, specimen, gene in itertools.product(
        ["2024-02-03", "2024", None], ["SP-1", None], [("HGNC:1", "A1BG"), ("HGNC:1", None), (None, "A1BG")]
    ):
        about = facts(effective, specimen, gene)
        for system, count in itertools.product(["https://www.pharmvar.org", ""], [0, 1, 2]):
            yield genotype(about, genotype_concept(system, "CYP2C19 *1/*17", "one"), count)
        yield from (haplotype(about, system) for system in (PHARMVAR, None))


def test_every_form_is_valid() -> None:
    assert [complaints for form in forms() if (complaints := problems(form))] == []


def test_every_form_keeps_to_its_profile(against_profiles: Validate) -> None:
    assert {c for form in forms() for c in against_profiles(form)} == set()
    assert against_profiles({**genotype(), "category": genotype()["category"][:1]}) != []


def test_a_genotype_says_what_the_statement_says() -> None:
    found = genotype()
    assert found["id"] == f"dv-{UID}-g"
    assert found["subject"] == {"reference": "Patient/P-1.a"}
    assert (found["effectiveDateTime"], found["specimen"]) == ("2024-02-03", {"identifier": {"value": 'SP "1" ü'}})
    assert found["code"]["coding"][0]["code"] == "84413-4"
    assert found["valueCodeableConcept"]["coding"] == [
        {"system": PHARMVAR, "code": "CYP2C19 *1/*17", "display": "CYP2C19 *1/*17"}
    ]
    [component] = found["component"]
    assert component["code"]["coding"][0] == {
        "system": "http://loinc.org",
        "code": "48018-6",
        "display": "Gene studied",
    }
    assert component["valueCodeableConcept"]["coding"] == [
        {"system": "http://www.genenames.org", "code": "HGNC:2621", "display": "CYP2C19"}
    ]
    assert [one["reference"] for one in found["derivedFrom"]] == [
        f"Observation/dv-{UID}-h1",
        f"Observation/dv-{UID}-h2",
    ]
    assert len(found["category"]) == 2


def test_what_is_not_known_is_not_there() -> None:
    found = genotype(facts(None, None, (None, "MT-RNR1")), genotype_concept("", "x", "y"), haplotypes=0)
    assert not found.keys() & {"effectiveDateTime", "specimen", "derivedFrom"}
    assert found["valueCodeableConcept"] == {"text": "y"}
    assert found["component"][0]["valueCodeableConcept"] == {"text": "MT-RNR1"}
    assert haplotype(system=None)["valueCodeableConcept"] == {"text": "CYP2C19 *17"}


@pytest.mark.parametrize("id_", [genotype_id(UID), haplotype_id(UID, 1), haplotype_id(UID, 2000)])
def test_ids_are_those_of_fhir_and_lead_back(id_: str) -> None:
    assert re.fullmatch(r"[A-Za-z0-9\-.]{1,64}", id_)
    match = GENOTYPE_ID.fullmatch(id_)
    assert match is not None
    assert match[1] == UID


@pytest.mark.parametrize("id_", [f"dv-{UID}-1-99-AG", f"dv-{UID}-h0", f"dv-{UID}-g1", "dv-x-g", f"sid-{UID}-g"])
def test_other_ids_are_of_others(id_: str) -> None:
    assert GENOTYPE_ID.fullmatch(id_) is None


@pytest.mark.parametrize(
    ("system", "code", "named_by"),
    [
        ("https://www.pharmvar.org/", "CYP2C19 *1/*17", PHARMVAR),
        (IMGT, "DRB1*13:01", IMGT),
        (GL_STRING, "hla#3.33.0#HLA-A*01:01", IMGT),
        (GL_STRING, "kir#2.12#2DL1*001", None),
        ("http://example.org", "x", None),
        ("", "x", None),
    ],
)
def test_haplotypes_are_coded_where_it_is_known_who_names_them(system: str, code: str, named_by: str | None) -> None:
    assert haplotype_system(system, code) == named_by


def test_a_part_follows_another() -> None:
    assert json.loads("[0" + as_part("genotype", render_genotype(facts(), {"text": "x"}, haplotypes=0)) + "]")[1][
        "resource"
    ] == genotype(concept={"text": "x"}, haplotypes=0)
