"""Genes and haplotypes as inputs of operations, in a query and in a Parameters resource."""

from __future__ import annotations

from typing import Any

import pytest

from app.errors import InvalidBody, InvalidValue, MissingParameter, OperonError, TooCostly
from app.fhir.parameters import OperationInputs
from app.fhir.tokens import Token
from tests.unit.test_operation_inputs import body, read

GENES = "find-subject-haplotypes"
SPECIFIC = "find-subject-specific-haplotypes"
POPULATION = "find-population-specific-haplotypes"
PHARMVAR = "http://www.pharmvar.org"
DIPLOTYPE = Token("CYP2C19 *1/*17", "CYP2C19 *1/*17")
CODED = Token(f"{PHARMVAR}|CYP2C19 *1/*17", "CYP2C19 *1/*17", PHARMVAR)


def words(inputs: OperationInputs) -> list[list[str]]:
    return [[token.text for token in group] for group in inputs.haplotypes]


def test_genes_are_read_in_order() -> None:
    found = read(GENES, ("subject", "P1"), ("genes", "HLA-B, HGNC:2625"), ("genes", "CYP2D6"))
    assert [token.text for token in found.genes] == ["HLA-B", "HGNC:2625", "CYP2D6"]


def test_repetition_means_and_for_the_population_alone() -> None:
    pairs = [("haplotypes", "A*1,B*8"), ("haplotypes", "HLA-A*02:69+HLA-A*23:30|HLA-A*02:302")]
    assert words(read(POPULATION, *pairs)) == [["A*1", "B*8"], ["HLA-A*02:69+HLA-A*23:30|HLA-A*02:302"]]
    assert words(read(SPECIFIC, ("subject", "P1"), *pairs)) == [["A*1", "B*8", "HLA-A*02:69+HLA-A*23:30|HLA-A*02:302"]]


@pytest.mark.parametrize(
    ("value", "tokens"),
    [
        ({"valueString": f"{PHARMVAR}|CYP2C19 *1/*17,HLA-B"}, [CODED, Token("HLA-B", "HLA-B")]),
        ({"valueCoding": {"system": PHARMVAR, "code": "CYP2C19 *1/*17", "display": "x"}}, [CODED]),
        ({"valueCoding": {"code": "CYP2C19 *1/*17"}}, [DIPLOTYPE]),
        ({"valueCoding": {"display": "CYP2C19 *1/*17"}}, [DIPLOTYPE]),
        ({"valueCoding": {"system": PHARMVAR, "display": "CYP2C19 *1/*17"}}, [DIPLOTYPE]),
        ({"valueCoding": {"system": PHARMVAR, "code": "a,b|c"}}, [Token(f"{PHARMVAR}|a,b|c", "a,b|c", PHARMVAR)]),
        ({"valueCode": "CYP2C19 *1/*17"}, [DIPLOTYPE]),
        ({"valueCode": "http://x|a,b"}, [Token("http://x|a,b", "http://x|a,b")]),
        (
            {"valueCodeableConcept": {"coding": [{"code": "a"}, {"system": "http://x", "code": "b"}], "text": "c"}},
            [Token("a", "a"), Token("http://x|b", "b", "http://x")],
        ),
        ({"valueCodeableConcept": {"text": "CYP2C19 *1/*17"}}, [DIPLOTYPE]),
    ],
)
def test_values_of_a_parameters_resource_are_tokens(value: dict[str, Any], tokens: list[Token]) -> None:
    found = read(POPULATION, body=body({"name": "haplotypes", **value}))
    assert found.haplotypes == (tuple(tokens),)
    assert read(GENES, ("subject", "P1"), body=body({"name": "genes", **value})).genes == tuple(tokens)


@pytest.mark.parametrize(
    "value",
    [
        {"valueCoding": {}},
        {"valueCoding": {"system": PHARMVAR}},
        {"valueCoding": {"code": 1}},
        {"valueCoding": "x"},
        {"valueCodeableConcept": {}},
        {"valueCodeableConcept": {"coding": "x"}},
        {"valueCodeableConcept": {"coding": [{}]}},
        {"valueCodeableConcept": {"text": 1}},
        {"valueCodeableConcept": []},
        {"valueCode": 1},
        {"valueInteger": 1},
    ],
)
def test_values_of_another_form_are_refused(value: dict[str, Any]) -> None:
    with pytest.raises(InvalidBody):
        read(POPULATION, body=body({"name": "haplotypes", **value}))


@pytest.mark.parametrize(
    ("pairs", "error"),
    [
        ([], MissingParameter),
        ([("haplotypes", "")], MissingParameter),
        ([("haplotypes", " , ")], MissingParameter),
        ([("haplotypes", "a\nb")], InvalidValue),
        ([("haplotypes", ",".join(["a"] * 101))], TooCostly),
    ],
)
def test_bad_tokens_are_refused(pairs: list[tuple[str, str]], error: type[OperonError]) -> None:
    with pytest.raises(error) as caught:
        read(POPULATION, *pairs)
    assert caught.value.parameter == "haplotypes"
