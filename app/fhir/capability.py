"""What the server says about itself: CapabilityStatement, and search over its OperationDefinitions.

https://hl7.org/fhir/R4/capabilitystatement.html and https://hl7.org/fhir/R4/operationdefinition.html#search.

>>> from app.fhir.definitions import load_definitions
>>> told = {"base_url": "http://localhost:8000/fhir", "version": "1", "date": "2026-01-01"}
>>> statement = capability_statement(load_definitions().values(), **told, cors=False, hla_reductions="not used")
>>> statement["fhirVersion"], statement["rest"][0]["operation"][-1]["name"]
('4.0.1', 'find-subject-variants')
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from app.fhir.codes import IMPLEMENTATION_GUIDE
from app.fhir.definitions import Definition

FHIR_VERSION = "4.0.1"

_DOCUMENTATION = (
    "Operations of the HL7 Genomics Reporting implementation guide, by GET and POST. Genomic ranges and variants may "
    "be given on GRCh37 or GRCh38, whatever build the data were reported on. Answers are JSON; XML is not supported. "
    "The same operations are served in the wording of the HL7 reference implementation below /subject-operations and "
    "/population-operations."
)
_HLA = "HLA names are compared by their spelling and by the alleles that a typing lists. Reductions of alleles (lgx): "
_SECURITY = "This server does not authenticate its callers. It belongs behind a gateway that does, or on one machine."


def capability_statement(
    definitions: Iterable[Definition], *, base_url: str, version: str, date: str, cors: bool, hla_reductions: str
) -> dict[str, Any]:
    """Return the statement of a server that offers the given operations and nothing else.

    ``hla_reductions`` says by what HLA names are reduced, or why they are not.
    """
    offered = list(definitions)
    patient = {
        "type": "Patient",
        "documentation": "Patients are known to the operations; they cannot be read.",
        "operation": [_operation(definition) for definition in offered],
    }
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
        "documentation": f"{_DOCUMENTATION} {_HLA}{hla_reductions}.",
        "security": {"cors": cors, "description": _SECURITY},
        "resource": [patient, operation_definition],
        "operation": [_operation(definition) for definition in offered],
    }
    if not offered:
        del patient["operation"], rest["operation"]
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


def searchset(found: Iterable[Definition], *, base_url: str, self_url: str) -> Mapping[str, Any]:
    """Return the Bundle that answers a search for OperationDefinitions."""
    entries = [
        {
            "fullUrl": f"{base_url}/OperationDefinition/{definition.name}",
            "resource": dict(definition.resource),
            "search": {"mode": "match"},
        }
        for definition in found
    ]
    bundle: dict[str, Any] = {
        "resourceType": "Bundle",
        "type": "searchset",
        "total": len(entries),
        "link": [{"relation": "self", "url": self_url}],
    }
    if entries:
        bundle["entry"] = entries
    return bundle
