"""Calls of every operation that something answers, made from the definitions: whatever is added is called too."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from app.fhir.definitions import Definition, load_definitions
from app.operations.registry import HANDLERS

SUBJECT = "demo-child"
OFFERED = {name: one for name, one in load_definitions().items() if name in HANDLERS}
"""Declared operations with a handler, by name"""

_KEYS = ("ranges", "variants", "haplotypes", "genes", "treatments", "conditions", "featureConsequences")
"""Inputs that say what is looked for, of which an answer may need one although none is required"""


def needed(definition: Definition) -> dict[str, str]:
    """Return inputs that make a complete question about the demo data: the examples of the definition."""
    wanted = [name for name, parameter in definition.parameters.items() if parameter.minimum]
    keys = [name for name in _KEYS if name in definition.parameters]
    if keys and not set(wanted) & set(keys):
        wanted.append(keys[0])
    return {name: SUBJECT if name == "subject" else example(definition, name) for name in wanted}


def example(definition: Definition, name: str) -> str:
    """Return the example that a definition gives for an input."""
    found = definition.parameters[name].example
    assert found is not None, f"{definition.name}: an example of '{name}' is missing"
    return found


def required(definition: Definition) -> list[str]:
    """Return the inputs that have to be given."""
    return [name for name, parameter in definition.parameters.items() if parameter.minimum]


def query(inputs: Mapping[str, str]) -> str:
    """Return inputs as a query string, as clients write them."""
    return "&".join(f"{name}={value.replace('#', '%23').replace('+', '%2B')}" for name, value in inputs.items())


def body(inputs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """Return inputs as a Parameters resource."""
    return {
        "resourceType": "Parameters",
        "parameter": [{"name": name, "valueString": value} for name, value in inputs],
    }
