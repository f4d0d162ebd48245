"""Orders of medications as clients send them, of any version of FHIR and in the forms that they really have.

An order is never validated: whatever cannot be understood of it is passed over, and what it names is looked for in
every place that clients use. Numbers stand for codes, an object for a list of one.

>>> order_key("MedicationRequest", 7)
'MedicationRequest/7'
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from app.formats.pgx import Drug

KINDS = ("MedicationRequest", "MedicationOrder", "MedicationStatement", "MedicationPrescription")
"""R4 and STU3, DSTU2, statements of what is taken, DSTU1"""
_VOID = frozenset({"cancelled", "entered-in-error", "not-taken"})
_ENDED = _VOID | {"stopped", "completed", "ended", "on-hold", "draft", "unknown", "intended"}
_DEEPEST = 3
"""How often an ingredient may be a medication with ingredients"""
_MEDICATIONS = ("medicationCodeableConcept", "medicationReference", "medication")


class Drugs(Protocol):
    """What finds drugs by codes and texts (``app.pgx.drugs.DrugIndex``)."""

    def by_code(self, system: str, code: str) -> tuple[Drug, ...]:
        """Return the drugs that a code means."""
        ...

    def in_text(self, text: str) -> tuple[Drug, ...]:
        """Return the drugs of the text of an order."""
        ...


@dataclass(frozen=True, slots=True)
class Order:
    """An order and the drugs of the knowledge that it names."""

    key: str
    """``MedicationRequest/m1``; without an id it is the type alone"""
    drugs: tuple[Drug, ...]
    resource: Mapping[str, Any]
    address: str = ""
    """``fullUrl`` of its entry"""

    @property
    def has_id(self) -> bool:
        """Return whether actions can name the order."""
        return "/" in self.key

    def is_named(self, selection: str) -> bool:
        """Return whether a selection without a version names the order."""
        if selection == self.address:
            return True
        tail = "/".join(selection.split("/")[-2:])
        names = (self.key, self.key.partition("/")[2]) if self.has_id else ()
        return tail in names or ("/" in tail and self.address.endswith(f"/{tail}"))


def draft_orders(bundle: object, drugs: Drugs) -> list[Order]:
    """Return the orders of a draft or of a signature, without those that are void."""
    return _orders(bundle, drugs, _VOID)


def active_orders(bundle: object, drugs: Drugs) -> list[Order]:
    """Return the orders and statements that a person's medication is made of now."""
    return _orders(bundle, drugs, _ENDED)


def selected_orders(orders: Sequence[Order], selections: Sequence[str]) -> list[Order]:
    """Return the selected ones of some orders.

    A selection is ``Type/id``, the id alone, a URL that ends so, or the address of the order's entry. Where one of a
    medication names no order, an order that has neither id nor address may be meant.
    """
    wanted = {selection.partition("/_history/")[0].rstrip("/") for selection in selections}
    astray = any(_is_of_medication(one) and not any(order.is_named(one) for order in orders) for one in wanted)
    return [
        order
        for order in orders
        if any(map(order.is_named, wanted)) or (astray and not order.has_id and not order.address)
    ]


def _is_of_medication(selection: str) -> bool:
    steps = selection.split("/")
    return len(steps) == 1 or steps[-2] in KINDS


def order_key(resource_type: str, id_: object) -> str:
    """Return what an order is called in selections and actions."""
    text = text_of(id_)
    return f"{resource_type}/{text}" if text else resource_type


def text_of(value: object) -> str:
    """Return a text or a number as text; empty for anything else."""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, bool) or not isinstance(value, int | float):
        return ""
    return str(int(value)) if isinstance(value, int) or value.is_integer() else str(value)


def objects(value: object) -> Iterator[Mapping[str, Any]]:
    """Yield the objects of a list, or the one that stands in its place."""
    for one in value if isinstance(value, list) else (value,):
        if isinstance(one, Mapping):
            yield one


# --- bundles ----------------------------------------------------------------------------------------------------------


def _orders(bundle: object, drugs: Drugs, passed_over: frozenset[str]) -> list[Order]:
    resources = list(_resources(bundle))
    medications: dict[str, Mapping[str, Any]] = {}
    for address, resource in resources:
        if resource.get("resourceType") == "Medication":
            medications[f"Medication/{text_of(resource.get('id'))}"] = resource
            if address:
                medications[address] = resource
    found: dict[str, Order] = {}
    for at, (address, resource) in enumerate(resources):
        kind = resource.get("resourceType")
        if kind not in KINDS or resource.get("doNotPerform") is True or resource.get("wasNotTaken") is True:
            continue
        if text_of(resource.get("status")).lower() in passed_over:
            continue
        key = order_key(kind, resource.get("id"))
        # An order without an id, or with that of another one, is an order nevertheless.
        is_own = "/" in key and (key not in found or found[key].resource == resource)
        slot = key if is_own else f"{key}#{at}"
        found.setdefault(slot, Order(key, tuple(_drugs_of(resource, medications, drugs)), resource, address))
    return list(found.values())


def _resources(bundle: object) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield address and resource of each entry of a Bundle, of a list of resources, or of one resource."""
    for one in objects(bundle):
        if one.get("resourceType") != "Bundle" and "entry" not in one:
            yield "", one
            continue
        for entry in objects(one.get("entry")):
            resource = entry.get("resource", entry)
            if isinstance(resource, Mapping):
                yield text_of(entry.get("fullUrl")), resource


# --- what an order names ----------------------------------------------------------------------------------------------


def _drugs_of(
    resource: Mapping[str, Any], medications: Mapping[str, Mapping[str, Any]], drugs: Drugs
) -> Iterator[Drug]:
    """Yield each drug that an order names, by code or by text, once: products may have several."""
    seen: set[str] = set()
    for concept in _concepts(resource, medications):
        for drug in _named(concept, drugs):
            if drug.drug_id not in seen:
                seen.add(drug.drug_id)
                yield drug


def _concepts(resource: Mapping[str, Any], medications: Mapping[str, Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    for name in _MEDICATIONS:
        for value in objects(resource.get(name)):
            reference = value if "reference" in value else value.get("concept", value)
            if isinstance(value.get("reference"), Mapping):  # R5: {"reference": {"reference": ...}}
                reference = value["reference"]
            yield from objects(reference)
            medication = _referenced(reference, resource, medications)
            if medication is not None:
                yield from _concepts_of_medication(medication, resource, medications)


def _concepts_of_medication(
    medication: Mapping[str, Any],
    resource: Mapping[str, Any],
    medications: Mapping[str, Mapping[str, Any]],
    depth: int = 0,
) -> Iterator[Mapping[str, Any]]:
    """Yield what a medication is, and what its ingredients are, which may be medications themselves."""
    yield from objects(medication.get("code"))
    product = medication.get("product")  # DSTU2
    ingredients = [medication.get("ingredient"), product.get("ingredient") if isinstance(product, Mapping) else None]
    for given in ingredients:
        for ingredient in objects(given):
            for name in ("item", "itemCodeableConcept", "itemReference"):
                for item in objects(ingredient.get(name)):
                    reference = item["reference"] if isinstance(item.get("reference"), Mapping) else item  # R5
                    yield from objects(item.get("concept", reference))
                    inner = _referenced(reference, resource, medications)
                    if inner is not None and depth < _DEEPEST:
                        yield from _concepts_of_medication(inner, resource, medications, depth + 1)


def _referenced(
    value: object, resource: Mapping[str, Any], medications: Mapping[str, Mapping[str, Any]]
) -> Mapping[str, Any] | None:
    reference = text_of(value.get("reference")) if isinstance(value, Mapping) else ""
    if reference.startswith("#"):
        inside = objects(resource.get("contained"))
        return next((one for one in inside if text_of(one.get("id")) == reference[1:]), None)
    if not reference:
        return None
    return medications.get(reference) or medications.get("/".join(reference.split("/")[-2:]))


def _named(concept: Mapping[str, Any], drugs: Drugs) -> Iterator[Drug]:
    for coding in objects(concept.get("coding")):
        system, code = text_of(coding.get("system")), text_of(coding.get("code"))
        if code:
            yield from drugs.by_code(system, code)
    texts = [concept.get("text"), *(coding.get("display") for coding in objects(concept.get("coding")))]
    for text in dict.fromkeys(filter(None, map(text_of, (*texts, concept.get("display"))))):
        yield from drugs.in_text(text)
