"""What a CDS card offers to do with an order: cancel it, replace it by what the guideline names, or note the advice.

A dose is never changed: an order that gets a note is otherwise a copy, and an order of another drug has no dose.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from app.formats.code_systems import RXNORM
from app.formats.pgx import Drug
from app.operations.cds_text import drug_name, results_of, shortened
from app.operations.pgx import ActivePgx
from app.pgx.advice import Advice, advise
from app.pgx.calls import GeneCall
from app.pgx.orders import Order

_KEPT = (
    "resourceType", "id", "status", "intent", "priority", "category", "subject", "patient", "encounter", "context",
    "requester", "prescriber", "orderer", "authoredOn", "dateWritten",
)  # fmt: skip
"""What an order of another drug has of the first one"""
_OLD_NOTE = frozenset({"MedicationOrder", "MedicationPrescription"})
_FORBIDDING = re.compile(r"\b(?:not recommended|do not (?:use|prescribe)|contraindicated)\b", re.IGNORECASE)
_UNWANTED = frozenset({"C", "D"})

OVERRIDE_REASONS = {
    "benefit-outweighs-risk": "Benefit outweighs risk",
    "previously-tolerated": "Patient previously tolerated this drug",
    "dose-already-adjusted": "Dose already adjusted / monitoring planned",
    "no-alternative": "No suitable alternative",
    "result-disputed": "Genetic result disputed",
    "patient-preference": "Patient preference",
    "other": "Other",
}


def suggestions(
    active: ActivePgx, advice: Advice, calls: Mapping[str, GeneCall], orders: Sequence[Order], card: uuid.UUID
) -> list[dict[str, Any]]:
    """Return the suggestions of a card; those of grade D replace or cancel, those of grade C note the advice."""
    named = [order for order in orders if order.has_id]
    if not named:
        return []
    offered = []
    if advice.grade == "D":
        drugs = alternatives(active, advice, calls)
        offered = [_replacing(drug, named, is_only=len(drugs) == 1) for drug in drugs]
        offered.append(_cancelling(advice, named, is_only=not drugs))
    elif advice.grade == "C":
        offered.append(_noting(active, advice, named))
    for number, one in enumerate(offered):
        one["uuid"] = str(uuid.uuid5(card, f"{number}|{one['label']}"))
    return offered


def override_reasons(base_url: str) -> list[dict[str, str]]:
    """Return the reasons that a user may give for not following a card."""
    system = f"{base_url}/fhir/CodeSystem/pgx-override-reasons"
    return [{"system": system, "code": code, "display": display} for code, display in OVERRIDE_REASONS.items()]


def alternatives(active: ActivePgx, advice: Advice, calls: Mapping[str, GeneCall]) -> list[Drug]:
    """Return the drugs that the guideline names instead, without those that this person should not have either."""
    found: dict[str, Drug] = {}
    for recommendation in advice.recommendations:
        for name in recommendation.alternatives:
            drug = active.drugs.by_id(name)
            if drug is not None and drug.rxnorm and drug.drug_id != advice.drug.drug_id:
                found.setdefault(drug.drug_id, drug)
    return [
        drug
        for drug in found.values()
        if not any(one.grade in _UNWANTED for one in advise(active.guidelines, calls, drug))
    ]


def _replacing(drug: Drug, orders: Sequence[Order], *, is_only: bool) -> dict[str, Any]:
    name = drug_name(drug)
    actions = [
        {
            "type": "update",
            "description": f"Change the order to {name}, without a dose",
            "resource": _order_of(order, drug, name),
        }
        for order in orders
    ]
    return _suggestion(f"Replace by {name}", actions, is_recommended=is_only)


def _cancelling(advice: Advice, orders: Sequence[Order], *, is_only: bool) -> dict[str, Any]:
    name = drug_name(advice.drug)
    actions = [
        {"type": "delete", "description": f"Remove the {name} order", "resourceId": order.key} for order in orders
    ]
    return _suggestion(f"Cancel the {name} order", actions, is_recommended=is_only and _is_forbidden(advice))


def _is_forbidden(advice: Advice) -> bool:
    """Return whether the guideline forbids the drug to everybody; one to avoid may still be better than none."""
    return all(_FORBIDDING.search(one.text) for one in advice.recommendations)


def _noting(active: ActivePgx, advice: Advice, orders: Sequence[Order]) -> dict[str, Any]:
    text = _note(active, advice)
    actions = [
        {
            "type": "update",
            "description": "Add a note to the order; its dose is not changed",
            "resource": _noted(order, text),
        }
        for order in orders
    ]
    return _suggestion(f"Note the {advice.source} recommendation in the order", actions, is_recommended=True)


def _suggestion(label: str, actions: list[dict[str, Any]], *, is_recommended: bool) -> dict[str, Any]:
    made: dict[str, Any] = {"label": shortened(label), "actions": actions}
    return made | {"isRecommended": True} if is_recommended else made


def _note(active: ActivePgx, advice: Advice) -> str:
    """Return results and recommendations in the words of their source."""
    results = "; ".join(results_of(active, advice, with_genotype=True))
    said = dict.fromkeys(
        f"{one.population}: {one.text}" if one.population else one.text for one in advice.recommendations
    )
    return f"{results}. {' '.join(said)} ({advice.source}; {active.release})"


# --- orders -----------------------------------------------------------------------------------------------------------


def _order_of(order: Order, drug: Drug, name: str) -> dict[str, Any]:
    coding = {"system": RXNORM, "code": drug.rxnorm, "display": name}
    concept = {"text": name, "coding": [coding]}
    kept = without_empty({member: order.resource[member] for member in _KEPT if member in order.resource})
    if "medication" in order.resource:  # R5
        return {**kept, "medication": {"concept": concept}}
    return {**kept, "medicationCodeableConcept": concept}


def _noted(order: Order, text: str) -> dict[str, Any]:
    copy: dict[str, Any] = without_empty(dict(order.resource))
    given = copy.get("note")
    if order.resource.get("resourceType") in _OLD_NOTE:  # DSTU2: one text
        return {**copy, "note": f"{given} {text}" if isinstance(given, str) else text}
    notes = list(given) if isinstance(given, list) else [given] if isinstance(given, dict) else []
    return {**copy, "note": [*notes, {"text": text}]}


def without_empty(value: Any) -> Any:
    """Return JSON without null and without empty texts, lists and objects."""
    if isinstance(value, dict):
        return dict(_members(value.items()))
    if isinstance(value, list):
        return [made for one in value if not is_empty(made := without_empty(one))]
    return value


def _members(items: Any) -> Iterator[tuple[str, Any]]:
    for name, value in items:
        made = without_empty(value)
        if not is_empty(made):
            yield name, made


def is_empty(value: Any) -> bool:
    """Return whether a JSON value says nothing."""
    return value is None or value == "" or value in ([], {})
