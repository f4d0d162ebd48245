"""Tokens of a query: words, and codes of systems that have several names."""

from __future__ import annotations

import pytest

from app.fhir.parameters import split_tokens
from app.fhir.tokens import Token, canonical_system, is_same_code, is_same_system, parse_token

HGNC = "http://www.genenames.org"
GL = "http://glstring.org"


@pytest.mark.parametrize(
    ("raw", "token"),
    [
        (" HLA-B ", Token("HLA-B", "HLA-B")),
        ("HGNC:2625", Token("HGNC:2625", "HGNC:2625")),
        (f"{HGNC}|HGNC:2625", Token(f"{HGNC}|HGNC:2625", "HGNC:2625", HGNC)),
        (f"{HGNC}/geneId | 2625", Token(f"{HGNC}/geneId|2625", "2625", HGNC)),
        ("urn:oid:1.2|x", Token("urn:oid:1.2|x", "x", "urn:oid:1.2")),
        ("|CYP2C19 *1/*17", Token("|CYP2C19 *1/*17", "CYP2C19 *1/*17", "")),
        ("HLA-A*02:69+HLA-A*23:30|HLA-A*02:302", Token(*["HLA-A*02:69+HLA-A*23:30|HLA-A*02:302"] * 2)),
        (f"{GL}|hla#3.33.0#a*1|a*2", Token(f"{GL}|hla#3.33.0#a*1|a*2", "hla#3.33.0#a*1|a*2", GL)),
        (r"http://x\|y", Token("http://x|y", "http://x|y")),
        (r"http://x|a\|b\\", Token("http://x|a|b\\", "a|b\\", "http://x")),
        ("hla#3.33.0#HLA-A*01:01 HLA-A*02:01", Token(*["hla#3.33.0#HLA-A*01:01+HLA-A*02:01"] * 2)),
        (f"{GL}|HLA-A*01:01 A*02:01", Token(f"{GL}|HLA-A*01:01+A*02:01", "HLA-A*01:01+A*02:01", GL)),
        ("CYP2C19 *1/*17", Token(*["CYP2C19 *1/*17"] * 2)),
        ("HLA-A*01:01 HLA-A*02:01", Token(*["HLA-A*01:01 HLA-A*02:01"] * 2)),
    ],
)
def test_token_is_taken_apart(raw: str, token: Token) -> None:
    assert parse_token(raw) == token


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (HGNC, "http://www.genenames.org/geneId"),
        (HGNC, "https://genenames.org/"),
        ("http://www.sequenceontology.org", "http://sequenceontology.org/"),
        ("http://www.pharmvar.org", "https://www.pharmvar.org"),
        ("http://www.ncbi.nlm.nih.gov/refseq", "https://www.ncbi.nlm.nih.gov/nuccore"),
        ("http://clinicaltrials.gov", "https://clinicaltrials.gov/"),
        ("https://www.ncbi.nlm.nih.gov/medgen", "http://www.ncbi.nlm.nih.gov/medgen"),
        ("https://disease-ontology.org", "http://www.disease-ontology.org/"),
        ("http://snomed.info/sct", "https://snomed.info/sct/"),
        ("http://hl7.org/fhir/sid/icd-10", "https://www.hl7.org/fhir/sid/icd-10/"),
        ("http://www.nlm.nih.gov/research/umls/rxnorm", "https://nlm.nih.gov/research/umls/rxnorm"),
        ("http://ncicb.nci.nih.gov/xml/owl/EVS/Thesaurus.owl", "https://ncithesaurus.nci.nih.gov"),
    ],
)
def test_names_of_one_system_are_equal(one: str, other: str) -> None:
    assert is_same_system(one, other)
    assert is_same_system(other, one)


@pytest.mark.parametrize(
    ("name", "canonical"),
    [
        ("http://ncbi.nlm.nih.gov/medgen/", "https://www.ncbi.nlm.nih.gov/medgen"),
        ("http://disease-ontology.org", "https://disease-ontology.org"),
        ("http://hl7.org/fhir/sid/icd-10-cm/", "http://hl7.org/fhir/sid/icd-10-cm"),
        ("https://clinicaltrials.gov/", "http://clinicaltrials.gov"),
    ],
)
def test_a_system_has_one_name(name: str, canonical: str) -> None:
    assert canonical_system(name) == canonical


def test_icd_10_and_icd_10_cm_are_two_systems() -> None:
    assert not is_same_system("http://hl7.org/fhir/sid/icd-10", "http://hl7.org/fhir/sid/icd-10-cm")


@pytest.mark.parametrize(
    ("system", "one", "other", "same"),
    [
        ("http://disease-ontology.org/", "DOID:1324", "1324", True),
        ("https://disease-ontology.org", "doid:1324", "DOID:1324", True),
        ("https://disease-ontology.org", "DOID:1324", "DOID:13240", False),
        ("http://hl7.org/fhir/sid/icd-10", "C34.1", "c341", True),
        ("http://snomed.info/sct", "DOID:1324", "1324", False),
        ("http://snomed.info/sct", "1.2", "12", False),
    ],
)
def test_spellings_of_one_code_are_equal(system: str, one: str, other: str, same: bool) -> None:
    assert is_same_code(system, one, other) is same
    assert is_same_code(system, other, one) is same


def test_a_token_knows_its_concept() -> None:
    assert parse_token("http://disease-ontology.org|1324").concept == ("https://disease-ontology.org", "DOID:1324")
    assert parse_token("|1324").concept == ("", "1324")
    assert parse_token("1324").concept is None


@pytest.mark.parametrize("other", ["http://glstring.org", "http://www.genenames.org/other", "urn:x", ""])
def test_other_systems_are_others(other: str) -> None:
    assert not is_same_system(HGNC, other)


def test_an_unknown_system_keeps_its_name() -> None:
    assert canonical_system("https://example.org/x/") == "https://example.org/x/"


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("a, b ,,c", ["a", "b", "c"]),
        (r"a\,b,c", ["a,b", "c"]),
        (" , ", []),
        ("http://x|", []),
        (r"a\\,b", ["a\\", "b"]),
    ],
)
def test_list_of_tokens_is_split(text: str, codes: list[str]) -> None:
    assert [token.code for token in split_tokens(text)] == codes
