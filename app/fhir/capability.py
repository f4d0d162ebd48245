"""What the server says about itself: CapabilityStatement, and search over its OperationDefinitions.

https://hl7.org/fhir/R4/capabilitystatement.html and https://hl7.org/fhir/R4/operationdefinition.html#search.

>>> from app.fhir.definitions import load_definitions
>>> told = {"base_url": "http://localhost:8000/fhir", "version": "1", "date": "2026-01-01", "knowledge": "none"}
>>> statement = capability_statement(load_definitions().values(), [], **told, cors=False, hla_reductions="")
>>> statement["fhirVersion"], statement["rest"][0]["operation"][-1]["name"]
('4.0.1', 'find-subject-variants')
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.fhir.codes import IMPLEMENTATION_GUIDE
from app.fhir.definitions import Definition

FHIR_VERSION = "4.0.1"

_DOCUMENTATION = (
    "Operations of the HL7 Genomics Reporting implementation guide, by GET and POST. Genomic ranges and variants may "
    "be given on GRCh37 or GRCh38, whatever build the data were reported on. Answers are JSON; XML is not supported. "
    "Whatever an answer names by an id can be read. The same operations are served in the wording of the HL7 reference "
    "implementation below /subject-operations and /population-operations."
)
_HLA = "HLA names are compared by their spelling and by the alleles that a typing lists. Reductions of alleles (lgx): "
_KNOWLEDGE = (
    "Implications and molecular consequences are computed when they are asked for, by the active releases of knowledge,"
    " and each answer names its release. $find-study-metadata tells the stored tests, builds, change types and regions."
    " Active releases: "
)
_SECURITY = "This server does not authenticate its callers. It belongs behind a gateway that does, or on one machine."


@dataclass(frozen=True, slots=True)
class ServedType:
    """A type of resource that can be read: its profiles, and its search parameters by name with their FHIR type."""

    name: str
    profiles: Sequence[str]
    searches: Mapping[str, str]


def capability_statement(
    definitions: Iterable[Definition],
    served: Iterable[ServedType],
    *,
    base_url: str,
    version: str,
    date: str,
    cors: bool,
    hla_reductions: str,
    knowledge: str,
) -> dict[str, Any]:
    """Return the statement of a server that offers the given operations and resources, and nothing else.

    ``hla_reductions`` says by what HLA names are reduced, or why they are not; ``knowledge`` which releases are used.
    """
    offered = list(definitions)
    types = [_resource(one, offered) for one in served]
    operation_definition = {
        "type": "OperationDefinition",
        "interaction": [{"code": "read"}, {"code": "search-type"}],
        "searchParam": [
            {"name": "url", "type": "uri", "documentation": "The canonical URL."},
            {"name": "code", "type": "token", "documentation": "The name used to call the operation, without $."},
            {"name": "name", "type": "string", "documentation": "The computer-friendly name, or how it begins."},
        ],
    }
    rest: dict[str, Any] = {
        "mode": "server",
        "documentation": f"{_DOCUMENTATION} {_HLA}{hla_reductions}. {_KNOWLEDGE}{knowledge}.",
        "security": {"cors": cors, "description": _SECURITY},
        "resource": [*types, operation_definition],
        "interaction": [{"code": "batch"}],
        "operation": [_operation(definition) for definition in offered],
    }
    if not offered:
        del rest["operation"]
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": date,
        "kind": "instance",
        "software": {"name": "Operon", "version": version},
        "implementation": {"description": "Clinical genomics server", "url": base_url},
        "fhirVersion": FHIR_VERSION,
        "format": ["application/fhir+json", "json"],
        "implementationGuide": [IMPLEMENTATION_GUIDE],
        "rest": [rest],
    }


def _resource(served: ServedType, offered: Sequence[Definition]) -> dict[str, Any]:
    described: dict[str, Any] = {"type": served.name}
    if served.profiles:
        described["supportedProfile"] = list(served.profiles)
    described["interaction"] = [{"code": "read"}]
    if served.searches:
        described["interaction"].append({"code": "search-type"})
        described["searchParam"] = [{"name": name, "type": type_} for name, type_ in served.searches.items()]
    operations = [_operation(definition) for definition in offered if definition.about_subject]
    if served.name == "Patient" and operations:
        described["operation"] = operations
    return described


def _operation(definition: Definition) -> dict[str, str]:
    return {"name": definition.name, "definition": definition.canonical}


def find_definitions(definitions: Iterable[Definition], criteria: Sequence[tuple[str, str]]) -> list[Definition]:
    """Return the definitions that meet every criterion; a parameter that is not searchable does not narrow."""
    found = list(definitions)
    for parameter, text in criteria:
        if parameter in _SEARCHES and text:
            wanted = text.split(",")
            found = [one for one in found if any(_matches(one, parameter, value.strip()) for value in wanted)]
    return found


_SEARCHES = frozenset({"_id", "url", "code", "name"})


def _matches(definition: Definition, parameter: str, value: str) -> bool:
    match parameter:
        case "url":
            return definition.canonical == value
        case "name":
            return str(definition.resource["name"]).lower().startswith(value.lower())
        case _:
            return definition.name == value
