"""The CIP-API-compatible interface as its OpenAPI document describes it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final

import app
from app.api.cip_calls import BASE, Endpoint

_JSON: Final = "application/json"
_PATH: Final = {
    "id": ("Interpretation request; letters and a dash before it are left out.", "40101"),
    "version": ("Version of the interpretation request.", "1"),
    "crv": ("Version of the clinical report.", "1"),
    "cip_version": ("Version of the interpreted genome.", "1"),
    "case": ("Interpretation request and version, letters before them are left out.", "GEL-40101-1"),
    "type": ("raredisease or cancer.", "raredisease"),
    "service": ("Interpretation service, in any case.", "genomics_england_tiering"),
    "partner": ("Who sends it.", "genomics_england_tiering"),
    "start": ("First day.", "01-03-2022"),
    "end": ("The day after the last one.", "01-04-2022"),
    "referral_id": ("Either identifier of the referral.", "r10000000101"),
    "referral_test_id": ("Identifier of the test.", "00000000-0000-4000-8000-000000040101"),
    "file_name": ("Name of the file.", "report.html"),
}
_PAGING: Final = (
    ("page", "Number of the page, from 1.", "integer"),
    ("page_size", "Entries of a page: 100 unless given, at most 500.", "integer"),
)
_FILTERS: Final = (
    "interpretation_request_id", "version", "case_id", "cip", "sample_type", "assembly", "category", "case_priority",
    "status", "last_status", "workflow_status", "workspace", "long_name", "cohort_id", "group_id", "family_id",
    "proband_id", "members", "tags", "update_date", "interpreter_organisation_national_grouping_id", "search",
    "last_modified_after", "last_modified_before",
)  # fmt: skip
_EXTRA: Final = "Comma-separated: show_referral, show_interpretation_flags, dss_arrival_date."
_PAGED: Final = frozenset(
    {"cases", "workflow", "flags", "genomes", "reports", "questionnaires", "referrals", "workspace-groups"}
)
_FILTERED: Final = frozenset({"cases", "genomes", "reports", "questionnaires"})
_ERRORS: Final = {
    "400": "The body or a parameter cannot be used; `{path: [texts]}` names what.",
    "401": "There is no token, or none that is good.",
    "403": "The user may not do that, or what is asked for is withheld.",
    "404": "There is no such thing, or page.",
}


def document(endpoints: Iterable[Endpoint], server_url: str) -> dict[str, Any]:
    """Return the document of the interface at an address."""
    paths: dict[str, dict[str, Any]] = {f"{BASE}/get-token/": {"post": _get_token()}}
    for endpoint in endpoints:
        paths.setdefault(BASE + endpoint.template.rstrip("/") + "/", {})[endpoint.method.lower()] = _described(endpoint)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Operon: CIP-API-compatible interface",
            "version": app.__version__,
            "description": "Cases as clients of the Genomics England CIP-API know them. Every path is served with and "
            "without a slash at its end; unknown parameters are ignored. Every request is recorded.",
        },
        "servers": [{"url": server_url}],
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "token": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "Authorization",
                    "description": "`JWT <token>` or `Bearer <token>`, the token from get-token.",
                }
            }
        },
    }


def _described(endpoint: Endpoint) -> dict[str, Any]:
    names = re.findall(r"\{(\w+)\}", endpoint.template)
    described: dict[str, Any] = {
        "summary": endpoint.summary or endpoint.name,
        "description": f"Least role: {endpoint.role.name.lower()}.",
        "operationId": f"{endpoint.method.lower()}-{endpoint.name}",
        "tags": [endpoint.template.split("/")[1]],
        "parameters": [*map(_path_parameter, names), *_query_parameters(endpoint)],
        "responses": {
            "201" if endpoint.method == "POST" else "200": {
                "description": "The answer.",
                "content": {_JSON: {"schema": {"type": "object"}}},
            },
            **{status: {"description": text} for status, text in _ERRORS.items()},
        },
    }
    if endpoint.method in ("POST", "PATCH", "PUT"):
        described["requestBody"] = {"content": {_JSON: {"schema": {}}}}
    return described


def _path_parameter(name: str) -> dict[str, Any]:
    description, example = _PATH.get(name, ("", ""))
    return {
        "name": name,
        "in": "path",
        "required": True,
        "description": description,
        "schema": {"type": "string"},
        "example": example,
    }


def _query_parameters(endpoint: Endpoint) -> list[dict[str, Any]]:
    if endpoint.method != "GET":
        return []
    named: list[tuple[str, str, str]] = []
    if endpoint.name in _FILTERED:
        named += [(name, "Values that count, comma-separated.", "string") for name in _FILTERS]
    if endpoint.name in ("cases", "case"):
        named.append(("extra_params", _EXTRA, "string"))
    if endpoint.name == "report":
        named.append(("as", "`json`; otherwise the answer is a page.", "string"))
    if "genome" in endpoint.name or "report" in endpoint.name or endpoint.name in ("case", "questionnaires"):
        named.append(("reports_v6", "Whether documents are asked for in model 6, as far as nothing is lost.", "string"))
    if endpoint.name in _PAGED:
        named += _PAGING
    return [
        {"name": name, "in": "query", "description": description, "schema": {"type": kind}}
        for name, description, kind in named
    ]


def _get_token() -> dict[str, Any]:
    schema = {
        "type": "object",
        "required": ["username", "password"],
        "properties": {"username": {"type": "string"}, "password": {"type": "string", "format": "password"}},
    }
    return {
        "summary": "A token for name and password",
        "operationId": "get-token",
        "tags": ["get-token"],
        "security": [],
        "requestBody": {
            "required": True,
            "content": {
                kind: {"schema": schema} for kind in (_JSON, "application/x-www-form-urlencoded", "multipart/form-data")
            },
        },
        "responses": {
            "200": {
                "description": "The token.",
                "content": {_JSON: {"schema": {"type": "object", "properties": {"token": {"type": "string"}}}}},
            },
            "400": {"description": "Name or password are missing, or wrong."},
            "429": {"description": "Too many attempts failed."},
        },
    }
