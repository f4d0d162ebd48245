"""The operations that this server declares, read from ``definitions/*.json``.

One file is one operation: the OperationDefinition that is served, and beside it what FHIR has no element for (the path
of the HL7 reference implementation, which parameters mean AND when repeated, example values). Names, types and
cardinalities are those of https://build.fhir.org/ig/HL7/genomics-reporting/operations.html; the texts are our own.

>>> load_definitions()["find-subject-variants"].parameters["ranges"].repeats
True
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any

import orjson


@dataclass(frozen=True, slots=True)
class Parameter:
    """An input of an operation."""

    name: str
    type: str
    search_type: str | None
    minimum: int
    repeats: bool
    """Whether several values are allowed."""
    conjunctive: bool
    """Whether repeating the parameter means AND; commas inside one occurrence always mean OR."""
    documentation: str
    example: str | None


@dataclass(frozen=True, slots=True)
class Definition:
    """An operation: its inputs, where it is served and the resource that describes it."""

    name: str
    ref_path: str
    """Path on the HL7 reference implementation, such as ``/subject-operations/genotype-operations/$find-…``."""
    instance: bool
    """Whether it can be called on one Patient."""
    parameters: Mapping[str, Parameter]
    resource: Mapping[str, Any]
    """The OperationDefinition."""

    @property
    def canonical(self) -> str:
        """Return the canonical URL."""
        return str(self.resource["url"])

    @property
    def about_subject(self) -> bool:
        """Return whether the operation asks about one subject."""
        return "subject" in self.parameters


def read_definition(data: bytes) -> Definition:
    """Return the operation that the bytes of one definition file declare."""
    document: dict[str, Any] = orjson.loads(data)
    resource = document["resource"]
    conjunctive: Iterable[str] = document["andByRepetition"]
    examples: Mapping[str, str] = document["examples"]
    parameters = {
        entry["name"]: Parameter(
            name=entry["name"],
            type=entry["type"],
            search_type=entry.get("searchType"),
            minimum=entry["min"],
            repeats=entry["max"] == "*",
            conjunctive=entry["name"] in conjunctive,
            documentation=entry["documentation"],
            example=examples.get(entry["name"]),
        )
        for entry in resource["parameter"]
        if entry["use"] == "in"
    }
    return Definition(
        name=resource["code"],
        ref_path=document["referencePath"],
        instance=resource["instance"],
        parameters=MappingProxyType(parameters),
        resource=MappingProxyType(resource),
    )


@cache
def load_definitions() -> Mapping[str, Definition]:
    """Return every declared operation by name, in alphabetical order."""
    folder = files("app.fhir") / "definitions"
    found = [read_definition(entry.read_bytes()) for entry in folder.iterdir() if entry.name.endswith(".json")]
    return MappingProxyType({definition.name: definition for definition in sorted(found, key=lambda one: one.name)})
