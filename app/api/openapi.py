"""The OpenAPI document, made from the definitions of the operations (https://spec.openapis.org/oas/v3.1.0).

Nothing in it is written by hand for one operation: names, texts, cardinalities and examples are the definitions'.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

import app
from app.api import abomics_openapi
from app.api.answers import answer, is_current, not_modified, weak_tag
from app.api.cds_openapi import CDS_PATHS
from app.api.scope import OPERATION, header
from app.api.server import FHIR_BASE, Server
from app.api.utilities import UTILITIES, Utility
from app.fhir.definitions import Definition, Parameter

_FHIR_JSON = "application/fhir+json"
_OUTCOME = {"$ref": "#/components/schemas/OperationOutcome"}
_PARAMETERS = {"$ref": "#/components/schemas/Parameters"}


def routes(server: Server) -> list[BaseRoute]:
    """Return the route of the document."""

    async def document(request: Request) -> Response:
        request.scope[OPERATION] = "openapi"
        description = openapi_document(
            server.offered(),
            server_url=server.root_url(request.scope),
            abomics_prefix=server.settings.abomics_prefix,
        )
        body = orjson.dumps(description)
        tag = weak_tag(body)
        if is_current(header(request.scope, b"if-none-match"), tag):
            return not_modified(tag)
        return answer(body, "application/json", tag)

    return [Route("/openapi.json", document)]


def openapi_document(
    definitions: Iterable[Definition], *, server_url: str, abomics_prefix: str = "/abomics"
) -> dict[str, Any]:
    """Return the document of a server that offers the given operations."""
    paths: dict[str, Any] = {}
    for definition in definitions:
        paths |= _operation_paths(definition)
    paths |= abomics_openapi.paths(abomics_prefix)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Operon",
            "version": app.__version__,
            "summary": "Clinical genomics server: HL7 FHIR Genomics Operations on GRCh37 and GRCh38.",
            "description": _DESCRIPTION,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": server_url}],
        "tags": [{"name": name, "description": text} for name, text in _TAGS.items()],
        "paths": paths | _utility_paths() | _DESCRIPTION_PATHS | _READING_PATHS | CDS_PATHS | _HEALTH_PATHS,
        "components": {"schemas": _SCHEMAS, "responses": _ERROR_RESPONSES},
    }


def _operation_paths(definition: Definition) -> dict[str, Any]:
    paths = {f"{FHIR_BASE}/${definition.name}": _path_item(definition, "fhir")}
    if definition.instance:
        paths[f"{FHIR_BASE}/Patient/{{id}}/${definition.name}"] = _path_item(definition, "instance")
    paths[definition.ref_path] = _path_item(definition, "reference")
    return paths


def _path_item(definition: Definition, form: str) -> dict[str, Any]:
    inputs = [one for one in definition.parameters.values() if form != "instance" or one.name != "subject"]
    shared: dict[str, Any] = {
        "tags": ["Subject" if definition.about_subject else "Population"],
        "summary": definition.resource["title"],
        "description": f"{definition.resource['description']}\n\n{definition.resource['comment']}",
        "responses": _responses(definition),
    }
    operation_id = definition.name if form == "fhir" else f"{definition.name}-{form}"
    item: dict[str, Any] = {
        "get": {
            **shared,
            "operationId": operation_id,
            "parameters": [*map(_query_parameter, inputs), *_CONTROL_PARAMETERS],
        },
        "post": {
            **shared,
            "operationId": f"{operation_id}-post",
            "parameters": _CONTROL_PARAMETERS,
            "requestBody": _request_body(inputs),
        },
    }
    if form == "instance":
        item["parameters"] = [_PATIENT_ID]
    return item


def _query_parameter(parameter: Parameter) -> dict[str, Any]:
    described: dict[str, Any] = {
        "name": parameter.name,
        "in": "query",
        "required": parameter.minimum > 0,
        "description": parameter.documentation,
        "schema": _schema(parameter),
    }
    if parameter.conjunctive:
        described |= {"style": "form", "explode": True}
    elif parameter.repeats:
        described |= {"style": "form", "explode": False}
    if parameter.example is not None:
        described["example"] = _example(parameter)
    return described


def _example(parameter: Parameter) -> Any:
    if parameter.type == "boolean":
        return parameter.example == "true"
    return [parameter.example] if parameter.repeats or parameter.conjunctive else parameter.example


def _schema(parameter: Parameter) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "boolean"} if parameter.type == "boolean" else {"type": "string"}
    if parameter.name == "genomicSourceClass":
        schema["enum"] = ["germline", "somatic"]
    if not (parameter.repeats or parameter.conjunctive):
        return schema
    return {"type": "array", "items": schema, **({"minItems": 1} if parameter.minimum else {})}


def _request_body(inputs: Iterable[Parameter]) -> dict[str, Any]:
    given = [one for one in inputs if one.example is not None]
    entries = [
        {"name": one.name, "valueBoolean": one.example == "true"}
        if one.type == "boolean"
        else {"name": one.name, "valueString": one.example}
        for one in given
    ]
    form = {
        "type": "object",
        "properties": {one.name: {**_schema(one), "description": one.documentation} for one in inputs},
        "required": [one.name for one in inputs if one.minimum],
    }
    return {
        "required": True,
        "content": {
            _FHIR_JSON: {"schema": _PARAMETERS, "example": {"resourceType": "Parameters", "parameter": entries}},
            "application/x-www-form-urlencoded": {"schema": form},
        },
    }


def _responses(definition: Definition) -> dict[str, Any]:
    statuses = [status for status in _ERROR_RESPONSES if status != "404" or definition.about_subject]
    answered = {"description": "The answer.", "content": {_FHIR_JSON: {"schema": _PARAMETERS}}}
    unchanged = {"description": "The client already has the answer (If-None-Match)."}
    errors = {status: {"$ref": f"#/components/responses/{status}"} for status in statuses}
    return {"200": answered, "304": unchanged, **errors}


_DESCRIPTION = (
    "Operations of the [HL7 Genomics Reporting implementation guide]"
    "(https://build.fhir.org/ig/HL7/genomics-reporting/operations.html) by GET and POST. Ranges are zero-based and "
    "half-open and may be given on either build. The paths below /subject-operations and /population-operations are "
    "those of the HL7 reference implementation and keep its wording where clients depend on it."
)
_TAGS = {
    "Subject": "Questions about one subject.",
    "Population": "Counts over all subjects.",
    "Utilities": "Where genes lie and what variants are called, as plain JSON; no subject is involved.",
    "CDS Hooks": "Checks of medication orders against pharmacogenetic results (https://cds-hooks.hl7.org/2.0/).",
    abomics_openapi.TAG: abomics_openapi.TAG_DESCRIPTION,
    "Server": "What the server offers and how it is.",
}

_PATIENT_ID = {
    "name": "id",
    "in": "path",
    "required": True,
    "description": "Logical id of the Patient.",
    "schema": {"type": "string", "pattern": "^[A-Za-z0-9.-]{1,64}$"},
}
_CONTROL_PARAMETERS = [
    {
        "name": "_pretty",
        "in": "query",
        "description": "Whether to lay the answer out for reading.",
        "schema": {"type": "boolean"},
    },
    {
        "name": "Prefer",
        "in": "header",
        "description": "`handling=strict` refuses parameters that the operation does not define; `dialect=ig` or "
        "`dialect=ref` chooses the wording of the answer.",
        "schema": {"type": "string"},
    },
]

_SCHEMAS: dict[str, Any] = {
    "Parameters": {
        "type": "object",
        "description": "A FHIR Parameters resource (https://hl7.org/fhir/R4/parameters.html).",
        "required": ["resourceType"],
        "properties": {
            "resourceType": {"const": "Parameters"},
            "parameter": {
                "type": "array",
                "items": {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}},
            },
        },
    },
    "OperationOutcome": {
        "type": "object",
        "description": "What went wrong, one issue for each problem (https://hl7.org/fhir/R4/operationoutcome.html).",
        "required": ["resourceType", "issue"],
        "properties": {
            "resourceType": {"const": "OperationOutcome"},
            "issue": {
                "type": "array",
                "minItems": 1,
                "items": {
                    "type": "object",
                    "required": ["severity", "code"],
                    "properties": {
                        "severity": {"enum": ["fatal", "error", "warning", "information"]},
                        "code": {"type": "string"},
                        "details": {"type": "object", "properties": {"text": {"type": "string"}}},
                        "diagnostics": {"type": "string"},
                        "expression": {"type": "array", "items": {"type": "string"}},
                    },
                },
            },
        },
    },
    "Problem": {
        "type": "object",
        "description": "What went wrong, as the reference implementation words it.",
        "properties": {
            "type": {"type": "string"},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "detail": {"type": "string"},
        },
    },
    "Resource": {
        "type": "object",
        "description": "A FHIR resource.",
        "required": ["resourceType"],
        "properties": {"resourceType": {"type": "string"}},
    },
}


def _error(description: str) -> dict[str, Any]:
    problem = {"$ref": "#/components/schemas/Problem"}
    content = {_FHIR_JSON: {"schema": _OUTCOME}, "application/problem+json": {"schema": problem}}
    return {"description": description, "content": content}


_ERROR_RESPONSES: dict[str, Any] = {
    "400": _error("A parameter is missing or cannot be read, or a variant cannot be normalized."),
    "404": _error("There is no such subject."),
    "406": _error("The client accepts no JSON."),
    "413": _error("The request or its answer is larger than a limit of the server."),
    "414": _error("The URL is too long; send a POST."),
    "415": _error("The request body has a media type that is not read."),
    "422": _error("A range or variant has no place on the build of the data that it would have to be compared with."),
    "500": _error("An error of the server; the answer holds nothing but the id of the request."),
    "503": _error("The store cannot be reached; never answered as an empty result."),
}


def _get(summary: str, media_type: str, schema: dict[str, Any], *parameters: dict[str, Any]) -> dict[str, Any]:
    content = {media_type: {"schema": schema}}
    described: dict[str, Any] = {
        "tags": ["Server"],
        "summary": summary,
        "responses": {"200": {"description": "The answer.", "content": content}},
    }
    if parameters:
        described["parameters"] = list(parameters)
    return {"get": described}


def _utility_paths() -> dict[str, Any]:
    return {utility.path: _utility(utility) for utility in UTILITIES}


def _utility(utility: Utility) -> dict[str, Any]:
    parameters = [
        {"name": one.name, "in": "query", "description": one.description, "schema": {"type": "string"}}
        | {"required": utility.required, "example": one.example}
        for one in utility.parameters
    ]
    schema = {"oneOf": [{"type": "object"}, {"type": "array", "items": {"type": "object"}}]}
    errors = {status: {"$ref": f"#/components/responses/{status}"} for status in ("400", "406", "414", "500")}
    described = {
        "tags": ["Utilities"],
        "summary": utility.summary,
        "description": utility.description,
        "operationId": utility.name,
        "parameters": parameters,
        "responses": {
            "200": {"description": "The answer.", "content": {"application/json": {"schema": schema}}},
            "304": {"description": "The client already has the answer (If-None-Match)."},
            **errors,
            **{status: _error(text) for status, text in utility.refusals.items()},
        },
    }
    return {"get": described}


def _text_parameter(name: str, where: str, description: str) -> dict[str, Any]:
    return {
        "name": name,
        "in": where,
        "required": where == "path",
        "description": description,
        "schema": {"type": "string"},
    }


_RESOURCE = {"$ref": "#/components/schemas/Resource"}
_DESCRIPTION_PATHS = {
    f"{FHIR_BASE}/metadata": _get("CapabilityStatement", _FHIR_JSON, _RESOURCE),
    f"{FHIR_BASE}/OperationDefinition": _get(
        "Search OperationDefinitions",
        _FHIR_JSON,
        _RESOURCE,
        _text_parameter("url", "query", "The canonical URL."),
        _text_parameter("code", "query", "The name used to call the operation, without $."),
        _text_parameter("name", "query", "The computer-friendly name, or how it begins."),
    ),
    f"{FHIR_BASE}/OperationDefinition/{{name}}": _get(
        "Read an OperationDefinition",
        _FHIR_JSON,
        _RESOURCE,
        _text_parameter("name", "path", "Name of the operation."),
    ),
}
_READING_PATHS = {
    FHIR_BASE: {
        "post": {
            "tags": ["Server"],
            "summary": "Several requests in one: a Bundle of type batch",
            "requestBody": {"required": True, "content": {_FHIR_JSON: {"schema": _RESOURCE}}},
            "responses": {"200": {"description": "The answers.", "content": {_FHIR_JSON: {"schema": _RESOURCE}}}},
        }
    },
    f"{FHIR_BASE}/{{type}}": _get(
        "Search resources of a type",
        _FHIR_JSON,
        _RESOURCE,
        _text_parameter("type", "path", "Patient is the one type that is searched."),
        _text_parameter("identifier", "query", "Identifier of a Patient: system|value, or value."),
        _text_parameter("_id", "query", "Logical ids."),
    ),
    f"{FHIR_BASE}/{{type}}/_search": {
        "post": {
            "tags": ["Server"],
            "summary": "Search resources of a type, with the criteria in the body",
            "parameters": [_text_parameter("type", "path", "Patient is the one type that is searched.")],
            "requestBody": {"content": {"application/x-www-form-urlencoded": {"schema": {"type": "object"}}}},
            "responses": {"200": {"description": "The answer.", "content": {_FHIR_JSON: {"schema": _RESOURCE}}}},
        }
    },
    f"{FHIR_BASE}/{{type}}/{{id}}": _get(
        "Read a resource that an answer named",
        _FHIR_JSON,
        _RESOURCE,
        _text_parameter("type", "path", "Observation, Patient or Procedure."),
        _text_parameter("id", "path", "Logical id."),
    ),
}
_HEALTH_PATHS = {
    "/livez": _get("Whether the process lives", "application/json", {"type": "object"}),
    "/readyz": _get("Whether the server should get requests", "application/json", {"type": "object"}),
    "/metrics": _get("Numbers for Prometheus", "text/plain", {"type": "string"}),
}
