"""The application in this process on a real store, and its answers taken apart."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from app.config import Settings
from app.main import create_app
from app.operations.registry import open_context
from tests.api.client import Answer, Client

CODES = {
    "48013-7": "ref_seq",
    "53034-5": "state",
    "69547-8": "ref",
    "69551-0": "alt",
    "81252-9": "spdis",
    "81254-5": "low",
    "48002-0": "source_class",
    "62374-4": "assembly",
}


@dataclass(frozen=True, slots=True)
class Found:
    """A variant Observation: what it says in the components that tests compare."""

    id: str
    spdis: tuple[str, ...]
    low: int
    ref: str
    alt: str
    state: str | None
    assembly: str
    source_class: str | None


@dataclass(frozen=True, slots=True)
class Counted:
    """One parameter of a population answer."""

    item: str
    numerator: int
    denominator: int
    subjects: tuple[str, ...]


class Asking:
    """Asks the operations of one application."""

    def __init__(self, client: Client) -> None:
        self.client = client

    def get(self, operation: str, *inputs: tuple[str, str], base: str = "/fhir/") -> Answer:
        """Ask by GET."""
        query = "&".join(f"{name}={quote(value, safe=':,')}" for name, value in inputs)
        return self.client.get(f"{base}${operation}?{query}")

    def parameters(self, operation: str, *inputs: tuple[str, str]) -> list[dict[str, Any]]:
        """Return the parameters of a good answer."""
        # A form takes more variants than a URL.
        query = "&".join(f"{name}={quote(value, safe=':,')}" for name, value in inputs)
        answer = self.client.form(f"/fhir/${operation}", query)
        assert answer.status == 200, answer.body
        return answer.json()["parameter"]

    def in_ranges(self, subject: str, ranges: list[str]) -> list[list[Found]]:
        """Return the variants of a subject in each range."""
        answer = self.parameters(
            "find-subject-variants", ("subject", subject), ("ranges", ",".join(ranges)), ("includeVariants", "true")
        )
        assert [item(entry, "rangeItem") for entry in answer] == ranges
        return [observations(entry) for entry in answer]

    def being(self, subject: str, variants: list[str]) -> list[list[Found]]:
        """Return the calls of a subject that are each of the variants."""
        answer = self.parameters(
            "find-subject-specific-variants", ("subject", subject), ("variants", ",".join(variants))
        )
        assert [item(entry, "variantItem") for entry in answer] == variants
        return [observations(entry) for entry in answer]

    def carriers(self, *groups: str, who: bool = True) -> list[Counted]:
        """Return how many subjects, and who, have the variants of a group, or one of every group."""
        inputs = [("variants", group) for group in groups]
        answer = self.parameters(
            "find-population-specific-variants", *inputs, ("includePatientList", "true" if who else "false")
        )
        return [counted(entry) for entry in answer]


@contextmanager
def asking(home: Path, **values: Any) -> Iterator[Asking]:
    """Open the application on the store of a home folder."""
    settings = Settings(home=home, **{"log_level": "warning"} | values)
    context = open_context(settings)
    client = Client(create_app(settings, context))
    try:
        yield Asking(client)
    finally:
        client.close()
        context.close()


def parts(entry: dict[str, Any], name: str) -> list[dict[str, Any]]:
    """Return the parts of one name."""
    return [part for part in entry["part"] if part["name"] == name]


def item(entry: dict[str, Any], name: str) -> str:
    """Return the item that a parameter is about."""
    [found] = parts(entry, name)
    return found["valueString"]


def present(entry: dict[str, Any]) -> bool:
    """Return what a parameter says about presence."""
    [found] = parts(entry, "presence")
    return found["valueBoolean"]


def observations(entry: dict[str, Any]) -> list[Found]:
    """Return the variants of a parameter, whose presence must fit."""
    found = [observed(part["resource"]) for part in parts(entry, "variant")]
    assert present(entry) is bool(found)
    return found


def observed(resource: dict[str, Any]) -> Found:
    """Take one Observation apart."""
    values: dict[str, Any] = {}
    for component in resource["component"]:
        name = CODES.get(component["code"]["coding"][0]["code"])
        if name == "low":
            values[name] = component["valueRange"]["low"]["value"]
        elif name == "spdis":
            values[name] = tuple(coding["code"] for coding in component["valueCodeableConcept"]["coding"])
        elif name in ("ref", "alt"):
            values[name] = component["valueString"]
        elif name is not None:
            values[name] = component["valueCodeableConcept"]["coding"][0].get("display")
    values.pop("ref_seq", None)
    return Found(id=resource["id"], **{"state": None, "source_class": None} | values)


def counted(entry: dict[str, Any]) -> Counted:
    """Take one parameter of a population answer apart."""
    numerator, denominator = (parts(entry, name)[0]["valueQuantity"]["value"] for name in ("numerator", "denominator"))
    subjects = tuple(part["valueString"] for part in parts(entry, "subject"))
    asked = [part for name in ("variantItem", "rangeItem", "haplotypeItem") for part in parts(entry, name)]
    assert len(asked) <= 1  # implications and consequences are counted for the whole question
    return Counted(asked[0]["valueString"] if asked else "", numerator, denominator, subjects)


def assert_counted(
    asked: Asking, patients: Sequence[str], operations: tuple[str, str], name: str, items: Sequence[str]
) -> dict[str, set[str]]:
    """Compare, for each item, who is counted with those of whom the subject operation says present; return them."""
    of_subject, of_all = operations
    present: dict[str, set[str]] = {item: set() for item in items}
    for patient in patients:
        entries = asked.parameters(of_subject, ("subject", patient), (name, ",".join(items)))
        for item, entry in zip(items, entries, strict=True):
            if entry["part"][1]["valueBoolean"]:
                present[item].add(patient)
    counted = asked.parameters(of_all, (name, ",".join(items)), ("includePatientList", "true"))
    for item, entry in zip(items, counted, strict=True):
        numbers = [part["valueQuantity"]["value"] for part in entry["part"] if "valueQuantity" in part]
        listed = [part["valueString"] for part in entry["part"] if part["name"] == "subject"]
        assert (listed, numbers) == (sorted(present[item]), [len(present[item]), len(patients)]), item
    return present


Told = tuple[str, str, str]
"""A concept: system, code and display, or the text of one without code"""

IMPLIED = {
    ("find-subject-dx-implications", "conditions"): "81259-4",
    ("find-subject-tx-implications", "conditions"): "81259-4",
    ("find-subject-tx-implications", "treatments"): "51963-7",
    ("find-subject-molecular-consequences", "featureConsequences"): "feature-consequence",
}
"""Operation and what it can be asked by, to the code of the component that tells it"""


def escaped(text: str) -> str:
    """Return a text as one item of a list."""
    return text.replace("\\", "\\\\").replace(",", "\\,")


def assert_implied(
    asked: Asking, patients: Sequence[str], operation: str, name: str, concepts: Sequence[Told]
) -> dict[Told, set[str]]:
    """Compare, for each concept, who is counted with those who are answered something; return them.

    Every subject is asked once, by all concepts together; the concepts of an implication are read from it.
    """
    tokens = {one: f"{one[0]}|{one[1]}" if one[1] else one[2] for one in concepts}
    everything = ",".join(dict.fromkeys(map(escaped, tokens.values())))
    has: dict[str, set[Told]] = {}
    for patient in patients:
        query = "&".join(f"{key}={quote(value)}" for key, value in (("subject", patient), (name, everything)))
        answer = asked.client.form(f"/fhir/${operation}", query)
        assert answer.status == 200, answer.body
        entries = answer.json().get("parameter", [])
        has[patient] = {told for entry in entries for told in _told(entry["resource"], IMPLIED[operation, name])}
        assert bool(has[patient]) is bool(entries)
    found = {}
    for concept, token in tokens.items():
        [entry] = asked.parameters(
            operation.replace("subject", "population"), (name, escaped(token)), ("includePatientList", "true")
        )
        who = {patient for patient in patients if any(_is(told, concept) for told in has[patient])}
        numbers = [part["valueQuantity"]["value"] for part in entry["part"] if "valueQuantity" in part]
        listed = [part["valueString"] for part in entry["part"] if part["name"] == "subject"]
        assert (listed, numbers) == (sorted(who), [len(who), len(patients)]), concept
        found[concept] = who
    return found


def _told(resource: dict[str, Any], code: str) -> Iterator[Told]:
    for component in resource.get("component", []):
        if component["code"]["coding"][0]["code"] == code:
            value = component["valueCodeableConcept"]
            for coding in value.get("coding", [{}]):
                yield coding.get("system", ""), coding.get("code", ""), coding.get("display", value.get("text", ""))


def _is(told: Told, asked: Told) -> bool:
    """Return whether what is told is found by what is asked: by its code exactly, or by its name as a word."""
    if asked[1]:
        return told[1] == asked[1]
    return asked[2].casefold() in f"{told[1]}\n{told[2]}".casefold()
