"""A drug is found by codes, names and the texts of orders, and never by half of a name."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.formats.pgx import Drug, DrugName, Product
from app.pgx.drugs import DrugIndex
from tests.pgx_content import ASPIRIN, CLOPIDOGREL, CODEINE, SIMVASTATIN, WARFARIN, content

RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
ATC = "http://www.whocc.no/atc"

INDEX = DrugIndex(content())


def found(drugs: tuple[Drug, ...]) -> list[str]:
    return [drug.name for drug in drugs]


@pytest.mark.parametrize(
    ("system", "code", "names"),
    [
        pytest.param(RXNORM, "32968", ["clopidogrel"], id="ingredient"),
        pytest.param(RXNORM, "309362", ["clopidogrel"], id="product"),
        pytest.param(RXNORM, "993781", ["codeine"], id="product with another ingredient"),
        pytest.param(RXNORM, "1", [], id="unknown product"),
        pytest.param("https://www.nlm.nih.gov/research/umls/rxnorm/", "32968", ["clopidogrel"], id="https and slash"),
        pytest.param("urn:oid:2.16.840.1.113883.6.88", " 32968 ", ["clopidogrel"], id="oid"),
        pytest.param(ATC, "b01ac04", ["clopidogrel"], id="ATC"),
        pytest.param("https://www.whocc.no/atc", "C10BA02", ["simvastatin"], id="ATC of a combination"),
        pytest.param(ATC, "C10BX01", ["aspirin", "simvastatin"], id="ATC of two drugs"),
        pytest.param(ATC, "B01AC", [], id="ATC of a class"),
        pytest.param("http://snomed.info/sct", "32968", [], id="the same number in another system"),
        pytest.param("http://example.org", "32968", [], id="unknown system"),
    ],
)
def test_a_code_means_drugs(system: str, code: str, names: list[str]) -> None:
    assert found(INDEX.by_code(system, code)) == names


def test_a_code_may_arrive_as_a_number() -> None:
    assert found(INDEX.by_code(RXNORM, 309362)) == ["clopidogrel"]  # type: ignore[arg-type]


def test_codes_of_other_systems_are_known_where_a_release_brings_them() -> None:
    index = DrugIndex(
        replace(
            content(),
            drug_names=(DrugName(CODEINE.drug_id, "snomed", "387494007"), DrugName("unknown", "inn", "x")),
            products=(
                Product("0093-0058-01", "2670", "codeine", "NDC"),
                Product("54321", "2670", "codeine", "VNR"),
                Product("7", "0", "nothing", "SCD"),
            ),
        )
    )
    assert found(index.by_code("http://snomed.info/sct", "387494007")) == ["codeine"]
    assert found(index.by_code("http://hl7.org/fhir/sid/ndc", "0093005801")) == ["codeine"]
    assert index.by_name("vnr", "054321", "FI") == CODEINE
    assert index.by_code(RXNORM, "387494007") == index.by_code(RXNORM, "54321") == index.by_code(RXNORM, "7") == ()


@pytest.mark.parametrize(
    ("kind", "term", "country", "drug"),
    [
        pytest.param("substance", " Clopidogrel ", "", CLOPIDOGREL, id="name"),
        pytest.param("substance", "clopidogrel  BISULFATE", "", CLOPIDOGREL, id="salt that is listed"),
        pytest.param("substance", "codeine phosphate", "", CODEINE, id="salt that is not listed"),
        pytest.param("substance", "codeine phosphate hemihydrate", "", CODEINE, id="two words of a salt"),
        pytest.param("substance", "codeine", "DE", CODEINE, id="substances belong to no country"),
        pytest.param("substance", "CODE\u0301INE", "", CODEINE, id="accents"),
        pytest.param("substance", "Klopidogreeli", "", CLOPIDOGREL, id="Finnish"),
        pytest.param("substance", "Plavix", "", None, id="trade name is no substance"),
        pytest.param("substance", "codein", "", None, id="part of a name"),
        pytest.param("substance", "phosphate", "", None, id="salt alone"),
        pytest.param("substance", "", "", None, id="nothing"),
        pytest.param("inn", "CLOPIDOGREL", "", CLOPIDOGREL, id="INN"),
        pytest.param("inn", "acetylsalicylic acid", "", ASPIRIN, id="INN that differs from the name"),
        pytest.param("inn", "Klopidogreeli", "", None, id="synonym is no INN"),
        pytest.param("inn", "codeine phosphate", "", None, id="salt is no INN"),
        pytest.param("tradename", "marevan", "FI", WARFARIN, id="trade name"),
        pytest.param("tradename", "marevan", "", WARFARIN, id="trade name without country"),
        pytest.param("tradename", "marevan", "SE", None, id="trade name of another country"),
        pytest.param("tradename", "plavix", "SE", CLOPIDOGREL, id="brand of a product belongs to no country"),
        pytest.param("vnr", "12345", "FI", CLOPIDOGREL, id="article number without leading zero"),
        pytest.param("vnr", "012345", "FI", CLOPIDOGREL, id="article number"),
        pytest.param("vnr", "012345", "DE", None, id="article numbers are Nordic"),
        pytest.param("vnr", "Plavix", "FI", None, id="no article number"),
        pytest.param("code", "clopidogrel", "", None, id="unknown kind"),
    ],
)
def test_a_name_means_one_drug(kind: str, term: str, country: str, drug: Drug | None) -> None:
    assert INDEX.by_name(kind, term, country) == drug


def test_a_name_of_two_drugs_means_none_of_them() -> None:
    names = tuple(DrugName(drug.drug_id, "trade", "Duo") for drug in (ASPIRIN, SIMVASTATIN))
    index = DrugIndex(replace(content(), drug_names=names))
    assert index.by_name("tradename", "duo") is None
    assert found(index.in_text("Duo 10 mg")) == ["aspirin", "simvastatin"]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        pytest.param("clopidogrel 75 MG Oral Tablet", ["clopidogrel"], id="clinical drug"),
        pytest.param("clopidogrel 75 MG Oral Tablet [Plavix]", ["clopidogrel"], id="branded drug"),
        pytest.param("Warfarin Sodium 5 MG Oral Tablet", ["warfarin"], id="salt"),
        pytest.param("acetaminophen 300 MG / codeine phosphate 30 MG Oral Tablet", ["codeine"], id="combination"),
        pytest.param("aspirin 81 MG / simvastatin 10 MG Oral Tablet", ["aspirin", "simvastatin"], id="two known"),
        pytest.param("10 ML fluorouracil 50 MG/ML Injection", ["fluorouracil"], id="volume first"),
        pytest.param("24 HR clopidogrel bisulfate 75 MG", ["clopidogrel"], id="duration first"),
        pytest.param(
            "{4 (simvastatin 2 MG Oral Tablet) / 12 (warfarin sodium 5 MG Oral Tablet) } Pack [Foo]",
            ["simvastatin", "warfarin"],
            id="pack",
        ),
        pytest.param("Marevan 3mg tabletti", ["warfarin"], id="trade name"),
        pytest.param("something 3 MG Oral Tablet [Plavix]", ["clopidogrel"], id="brand of an unknown substance"),
        pytest.param("codeine oral tablet", ["codeine"], id="without strength"),
        pytest.param("clopidogrel, 75 mg", ["clopidogrel"], id="comma"),
        pytest.param("codeine-acetaminophen 30-300 mg tablet", ["codeine"], id="hyphen"),
        pytest.param("aspirin/simvastatin 100/20 mg", ["aspirin", "simvastatin"], id="slash without blanks"),
        pytest.param("Simvastatin and aspirin 20 mg", ["simvastatin", "aspirin"], id="and"),
        pytest.param("no codeine", [], id="more words than the name"),
        pytest.param("insulin glargine 100 UNT/ML", [], id="unknown"),
        pytest.param("", [], id="nothing"),
    ],
)
def test_the_text_of_an_order_names_its_ingredients(text: str, names: list[str]) -> None:
    assert found(INDEX.in_text(text)) == names


def test_a_very_long_text_is_read_quickly() -> None:
    assert INDEX.in_text("(" * 100_000 + "{1 (" * 50_000) == ()


def test_a_drug_is_found_by_the_ids_that_recommendations_use() -> None:
    assert INDEX.by_id("RxNorm:32968") == INDEX.by_id("32968") == CLOPIDOGREL
    assert INDEX.by_id("nothing") is None


def test_a_drug_has_a_name_in_the_language_or_in_english() -> None:
    assert INDEX.localized(CODEINE, "fi") == ("Kodeiini", "fi")
    assert INDEX.localized(CODEINE, "sv") == ("Codeine", "en")
