"""The Abomics-compatible API as the OpenAPI document describes it."""

from __future__ import annotations

from typing import Any, Final

from app.api.abomics import ENDPOINTS, RECIPIENTS, REPORT_TYPES, USER_HEADERS, VERSIONS, Endpoint
from app.operations.pgx_answers import DRUG_TYPES, PATIENT_DRUG_TYPES

TAG: Final = "Abomics"
TAG_DESCRIPTION: Final = (
    "What genes mean for drugs, and for the drugs of a person, as clients of the Abomics pharmacogenetics API ask it. "
    "Every request is recorded."
)

_JSON = "application/json"
_TEXT = {"type": "object", "properties": {"language": {"type": "string"}, "text": {"type": "string"}}}
_GRADE = {"enum": ["A", "B", "C", "D", "NA"]}
_SOURCES = {"type": "array", "items": {"type": "object"}, "description": "Whose words the text is."}
_DRUG = {
    "inn": {"type": "string"},
    "name": {"type": "object", "properties": {"language": {"type": "string"}, "name": {"type": "string"}}},
}
_ADVICE = {
    "phenotype_code": {"type": "string"},
    "phenotype_name": {"type": "string"},
    "activity_score": {"type": ["number", "null"]},
    "recom_grade": _GRADE,
    "text": _TEXT,
    "sources": _SOURCES,
}
_OF_PATIENT = {
    "recom_grade": _GRADE,
    "test_date": {"type": "string", "format": "date"},
    "phenotype_code": {"type": "string"},
    "phenotype_name": {"type": "string"},
    "activity_score": {"type": ["number", "null"]},
    "text": _TEXT,
    "gene_text": _TEXT,
    "sources": _SOURCES,
}


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": properties}


def _listed(items: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": items}


_SUMMARIES: Final = {
    "classification": "Whether genes matter for a drug",
    "recommendation": "What is advised on a drug for every result of its genes",
    "report": "The report of a person",
    "report-summary": "Where the report of a person can be read",
    "patient-recommendation": "What is advised on a drug for a person",
    "multi-substance": "What is advised on several substances for a person",
}
_ANSWERS: Final[dict[str, dict[str, Any]]] = {
    "classification": _object({**_DRUG, "genetic_flag": {"enum": ["A", "B", "C", "D", "0"]}}),
    "recommendation": _object(
        {
            **_DRUG,
            "active_ingredient_ids": _listed(_object({"type": {"type": "string"}, "id": {"type": "integer"}})),
            "atc_codes": _listed({"type": "string"}),
            "recommendations": {"type": "object", "additionalProperties": _listed(_object(_ADVICE))},
        }
    ),
    "report": _object(
        {
            "summary": {"type": "object"},
            "drugs": _listed(_object(_DRUG)),
            "results": _listed({"type": "object"}),
            "recommendations": _listed(_object({**_DRUG, "genes": {"type": "object"}})),
            "snp_data": _listed({"type": "object"}),
        }
    ),
    "report-summary": _object({name: {"type": "string"} for name in ("summary", "login_url", "pin_code")}),
    "patient-recommendation": {"type": "object", "additionalProperties": _object(_OF_PATIENT)},
    "multi-substance": _listed(
        _object({"gene": {"type": "string"}, **_OF_PATIENT, "affected_substances": _listed({"type": "string"})})
    ),
}
_PATH_PARAMETERS: Final = {
    "version": ("Version of the API.", {"enum": list(VERSIONS)}, "v2"),
    "locale": ("Language, country or both; unknown ones count as absent.", {"type": "string"}, "en-GB"),
    "term": ("Name of the drug, without regard to case.", {"type": "string"}, "clopidogrel"),
    "id": ("Id or business identifier of the person.", {"type": "string"}, "P1"),
    "recipient_type": ("Whom the report is for.", {"enum": list(RECIPIENTS)}, "doctor"),
}


def paths(prefix: str) -> dict[str, Any]:
    """Return the path items of the endpoints below a prefix."""
    base = prefix.rstrip("/")
    submitted = {f"{base}{version}/snpdata": _submission() for version in ("", *(f"/{one}" for one in VERSIONS))}
    return {f"{base}/{{version}}{one.template}": _item(one) for one in ENDPOINTS} | submitted


def _item(endpoint: Endpoint) -> dict[str, Any]:
    described: dict[str, Any] = {
        "tags": [TAG],
        "summary": _SUMMARIES[endpoint.name],
        "operationId": f"abomics-{endpoint.name}",
        "parameters": [*_path_parameters(endpoint), *_query_parameters(endpoint), *_header_parameters(endpoint)],
        "responses": _responses(endpoint),
    }
    if endpoint.method == "POST":
        schema = {**_object({"terms": _listed({"type": "string"})}), "required": ["terms"]}
        content = {_JSON: {"schema": schema, "example": {"terms": ["clopidogrel", "codeine"]}}}
        described["requestBody"] = {"required": True, "content": content}
    return {endpoint.method.lower(): described}


def _submission() -> dict[str, Any]:
    samples = _listed(_object({"sample_id": {"type": "string"}, "snp": _listed({"type": "object"})}))
    body = _object({"batch_id": {"type": "string"}, "date": {"type": "string"}, "data": samples})
    texts = _listed(_object({"text": {"type": "string"}}))
    answer = _object({"queued_data_count": {"type": "integer"}, "errors": texts, "warnings": texts})
    described = {
        "tags": [TAG],
        "summary": "Submit SNP and copy number results",
        "requestBody": {
            "required": True,
            "content": {_JSON: {"schema": {**body, "required": ["batch_id", "date", "data"]}}},
        },
        "responses": {
            "200": {"description": "What was accepted.", "content": {_JSON: {"schema": answer}}},
            **{status: _error(_ERRORS[status]) for status in ("400", "401", "403", "503")},
        },
    }
    return {"post": described}


def _path_parameters(endpoint: Endpoint) -> list[dict[str, Any]]:
    names = ["version", *(step[1:-1] for step in endpoint.template.split("/") if step.startswith("{"))]
    return [_path_parameter(name, endpoint) for name in names]


def _path_parameter(name: str, endpoint: Endpoint) -> dict[str, Any]:
    if name != "type":
        description, schema, example = _PATH_PARAMETERS[name]
    elif endpoint.name == "report":
        description, schema, example = "Form of the report.", {"enum": list(REPORT_TYPES)}, "json"
    else:
        known = PATIENT_DRUG_TYPES if endpoint.about_patient else DRUG_TYPES
        description, schema, example = "What the name is.", {"enum": list(known)}, "substance"
    return {
        "name": name,
        "in": "path",
        "required": True,
        "description": description,
        "schema": schema,
        "example": example,
    }


def _query_parameters(endpoint: Endpoint) -> list[dict[str, Any]]:
    if endpoint.name not in ("patient-recommendation", "multi-substance"):
        return []
    description = "`gene` adds the result of the gene; `details` is read as well."
    return [{"name": "detail", "in": "query", "description": description, "schema": {"enum": ["default", "gene"]}}]


def _header_parameters(endpoint: Endpoint) -> list[dict[str, Any]]:
    description = "Who asks; required as the settings say, unless they were changed for requests about a person."
    required = endpoint.about_patient
    return [
        {"name": name, "in": "header", "required": required, "description": description, "schema": {"type": "string"}}
        for name in USER_HEADERS
    ]


def _responses(endpoint: Endpoint) -> dict[str, Any]:
    content: dict[str, Any] = {_JSON: {"schema": _ANSWERS[endpoint.name]}}
    if endpoint.name == "report":
        content["application/pdf"] = {"schema": {"type": "string", "format": "binary"}}
    return {
        "200": {"description": "The answer.", "content": content},
        **{status: _error(text) for status, text in _ERRORS.items()},
    }


_ERRORS: Final = {
    "400": "A header is missing, or the request body cannot be used.",
    "401": "No valid client certificate was shown.",
    "403": "The client certificate is not listed.",
    "404": "There is no such person or drug, or the results of the person are not ready.",
    "503": "The store cannot be reached, or the request cannot be recorded.",
}


def _error(description: str) -> dict[str, Any]:
    one = _object({"data": {"type": "string"}, "type": {"type": "string"}})
    problem = _object({"name": {"type": "string"}, "error_message": {"type": "string"}})
    schema = {"oneOf": [_object({"errors": _listed(one)}), _object({"validation_error": _listed(problem)})]}
    return {"description": description, "content": {_JSON: {"schema": schema}}}
