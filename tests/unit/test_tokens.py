"""Tokens of a query: words, and codes of systems that have several names."""

from __future__ import annotations

import pytest

from app.fhir.parameters import split_tokens
from app.fhir.tokens import Token, canonical_system, is_same_system, parse_token

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
    ],
)
def test_names_of_one_system_are_equal(one: str, other: str) -> None:
    assert is_same_system(one, other)
    assert is_same_system(other, one)


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
