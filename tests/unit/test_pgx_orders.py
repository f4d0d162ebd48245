"""Orders are understood in every form that clients send, and what is no order is passed over."""

from __future__ import annotations

from typing import Any

import pytest

from app.pgx.drugs import DrugIndex
from app.pgx.orders import active_orders, draft_orders, selected_orders
from tests.cds_world import ATC, RXNORM, bundle, order
from tests.pgx_content import content

DRUGS = DrugIndex(content())


def names(*resources: Any) -> list[str]:
    return [drug.name for one in draft_orders(bundle(*resources), DRUGS) for drug in one.drugs]


@pytest.mark.parametrize(
    "resource",
    [
        pytest.param(order(code="32968"), id="ingredient"),
        pytest.param(order(code="309362"), id="product"),
        pytest.param(order(code=309362), id="number"),
        pytest.param(order(code=309362.0), id="decimal number"),
        pytest.param(order(code="B01AC04", system=ATC), id="ATC"),
        pytest.param(order(text="clopidogrel 75 MG Oral Tablet [Plavix]"), id="text"),
        pytest.param(order(code="999", text="Clopidogrel 75 MG Oral Tablet"), id="text beside an unknown code"),
        pytest.param(order(code="32968", category={"text": "an object"}), id="malformed category"),
        pytest.param(order(code="32968", status=None, intent=None), id="no status"),
        pytest.param(
            {
                "resourceType": "MedicationRequest",
                "medicationCodeableConcept": {"coding": {"code": "32968", "system": RXNORM}},
            },
            id="coding as an object",
        ),
        pytest.param(
            {
                "resourceType": "MedicationOrder",
                "id": "m1",
                "medicationCodeableConcept": {"coding": [{"system": RXNORM, "code": "32968"}]},
            },
            id="DSTU2",
        ),
        pytest.param(
            {
                "resourceType": "MedicationStatement",
                "medicationCodeableConcept": {"coding": [{"display": "clopidogrel"}]},
            },
            id="statement with a display alone",
        ),
        pytest.param(
            {
                "resourceType": "MedicationRequest",
                "medication": {"concept": {"coding": [{"system": RXNORM, "code": "32968"}]}},
            },
            id="R5",
        ),
        pytest.param(
            {
                "resourceType": "MedicationRequest",
                "contained": [
                    {
                        "resourceType": "Medication",
                        "id": "x",
                        "code": {"coding": [{"system": RXNORM, "code": "309362"}]},
                    }
                ],
                "medicationReference": {"reference": "#x"},
            },
            id="contained medication",
        ),
        pytest.param(
            {
                "resourceType": "MedicationRequest",
                "medicationReference": {"reference": "Medication/9", "display": "clopidogrel"},
            },
            id="display of a reference",
        ),
    ],
)
def test_a_drug_is_found_wherever_it_is_named(resource: dict[str, Any]):
    assert names(resource) == ["clopidogrel"]


@pytest.mark.parametrize("reference", ["Medication/med1", "https://ehr.example/fhir/Medication/med1", "urn:uuid:1"])
def test_a_medication_of_the_bundle_is_found(reference: str):
    medication = {"resourceType": "Medication", "id": "med1", "code": {"coding": [{"system": RXNORM, "code": "32968"}]}}
    given = bundle(order(medicationCodeableConcept=None, medicationReference={"reference": reference}), medication)
    given["entry"][1]["fullUrl"] = "urn:uuid:1"
    assert [drug.name for one in draft_orders(given, DRUGS) for drug in one.drugs] == ["clopidogrel"]


def test_every_ingredient_of_a_combination_is_found():
    assert names(order(text="aspirin 100 MG / simvastatin 20 MG Oral Capsule")) == ["aspirin", "simvastatin"]
    medication = {
        "resourceType": "Medication",
        "id": "x",
        "ingredient": [
            {"itemCodeableConcept": {"coding": [{"system": RXNORM, "code": code}]}} for code in ("2670", "36567")
        ],
    }
    combined = order(medicationCodeableConcept=None, contained=[medication], medicationReference={"reference": "#x"})
    assert names(combined) == ["codeine", "simvastatin"]


@pytest.mark.parametrize(
    "ingredient",
    [
        {"itemReference": {"reference": "#y"}},
        {"item": {"reference": {"reference": "#y"}}},
        {"itemReference": {"reference": "Substance/9", "display": "simvastatin"}},
    ],
    ids=["R4", "R5", "display alone"],
)
def test_an_ingredient_that_is_a_medication_of_its_own_is_found(ingredient: dict[str, Any]):
    contained = [
        {"resourceType": "Medication", "id": "x", "ingredient": [ingredient, {"itemReference": {"reference": "#x"}}]},
        {"resourceType": "Medication", "id": "y", "code": {"coding": [{"system": RXNORM, "code": "36567"}]}},
    ]
    given = order(medicationCodeableConcept=None, contained=contained, medicationReference={"reference": "#x"})
    assert names(given) == ["simvastatin"]


@pytest.mark.parametrize(
    "resource",
    [
        order(code="32968", status="cancelled"),
        order(code="32968", status="entered-in-error"),
        order(code="32968", doNotPerform=True),
        {"resourceType": "ServiceRequest", "id": "s", "code": {"coding": [{"system": RXNORM, "code": "32968"}]}},
        {"resourceType": "MedicationRequest", "medicationCodeableConcept": ["clopidogrel"]},
        {"resourceType": "MedicationRequest", "medicationReference": {"reference": "#none"}},
        {"resourceType": ["MedicationRequest"]},
        order(code=True, system=RXNORM),
    ],
)
def test_what_is_no_valid_order_is_passed_over(resource: dict[str, Any]):
    assert names(resource) == []


@pytest.mark.parametrize("given", [None, 7, "x", {}, [], {"entry": None}, {"entry": [1, {"resource": 2}]}])
def test_anything_is_survived(given: Any):
    assert draft_orders(given, DRUGS) == []


def test_orders_without_a_bundle_around_them_are_read():
    assert [one.key for one in draft_orders([order("a", code="1"), order("b", code="1")], DRUGS)] == [
        "MedicationRequest/a",
        "MedicationRequest/b",
    ]
    assert [one.key for one in draft_orders(order(7), DRUGS)] == ["MedicationRequest/7"]
    assert [one.has_id for one in draft_orders([order(None), order(None)], DRUGS)] == [False, False]


@pytest.mark.parametrize(
    "selection", ["MedicationRequest/b", "b", "https://ehr.example/MedicationRequest/b", "MedicationRequest/b/"]
)
def test_selections_are_read_with_and_without_type(selection: str):
    orders = draft_orders(bundle(order("a"), order("b"), order(None)), DRUGS)
    assert [one.key for one in selected_orders(orders, [selection])] == ["MedicationRequest/b"]


def test_a_selection_may_have_a_version():
    orders = draft_orders(bundle(order("a"), order("b")), DRUGS)
    assert [one.key for one in selected_orders(orders, ["MedicationRequest/b/_history/2"])] == ["MedicationRequest/b"]


@pytest.mark.parametrize("address", ["urn:uuid:1", "https://ehr.example/MedicationRequest/9"])
@pytest.mark.parametrize("selection", ["urn:uuid:1", "MedicationRequest/9"])
def test_an_order_without_an_id_is_selected_by_the_address_of_its_entry(address: str, selection: str):
    given = bundle(order("a"), order(None))
    given["entry"][1]["fullUrl"] = address
    selected = selected_orders(draft_orders(given, DRUGS), [selection])
    assert [one.address for one in selected] == ([address] if address.endswith(selection) else [])


def test_a_selection_that_names_no_order_may_mean_one_that_nothing_can_name():
    orders = draft_orders(bundle(order("a"), order(None)), DRUGS)
    assert [one.key for one in selected_orders(orders, ["MedicationRequest/b"])] == ["MedicationRequest"]
    assert selected_orders(orders, ["ServiceRequest/b"]) == []
    assert selected_orders(orders, []) == []


def test_a_selection_of_another_type_selects_nothing():
    assert selected_orders(draft_orders(bundle(order("a")), DRUGS), ["ServiceRequest/a"]) == []


def test_only_what_is_taken_now_is_active():
    given = bundle(
        *(order(status, code="32968", status=status) for status in ("active", "completed", "stopped", "draft"))
    )
    assert [one.key for one in active_orders(given, DRUGS)] == ["MedicationRequest/active"]


def test_two_orders_of_one_id_are_both_read_and_one_that_is_sent_twice_counts_once() -> None:
    resources = (order(code="32968"), order(code="2670"), order(code="32968"))
    found = draft_orders(bundle(*resources), DRUGS)
    assert [(one.key, [drug.name for drug in one.drugs]) for one in found] == [
        (found[0].key, ["clopidogrel"]),
        (found[0].key, ["codeine"]),
    ]
