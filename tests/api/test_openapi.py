"""The OpenAPI document lists what is implemented, and what it lists works."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest

from app.fhir.definitions import load_definitions
from tests.api.client import Client
from tests.api.conftest import OPERATIONS, FakeContext

DEFINITIONS = load_definitions()


@pytest.fixture
def document(client: Client) -> dict[str, Any]:
    return client.get("/openapi.json").json()


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for method in ("get", "post"):
            if method in item:
                yield path, method, item[method]


def test_paths_are_exactly_those_of_the_implemented_operations(
    document: dict[str, Any], client: Client, context: FakeContext
):
    expected = set()
    for name in OPERATIONS:
        expected |= {f"/fhir/${name}", DEFINITIONS[name].ref_path}
        if DEFINITIONS[name].instance:
            expected.add(f"/fhir/Patient/{{id}}/${name}")
    assert {path for path in document["paths"] if "$" in path} == expected
    context.names = ()
    assert not [path for path in client.get("/openapi.json").json()["paths"] if "$" in path]


def test_every_listed_path_is_served(document: dict[str, Any], client: Client):
    for path, method, operation in operations(document):
        url = path
        for one in operation.get("parameters", ()):
            if one["in"] == "path" and "example" in one:
                url = url.replace(f"{{{one['name']}}}", one["example"])
        url = url.replace("{type}", "Patient").replace("{id}", "P1").replace("{service}", "pgx-patient-summary")
        url = url.replace("{name}", OPERATIONS[0])
        answer = client.request(method.upper(), url, b"", {})
        assert answer.status not in {404, 405}, path


def test_every_route_is_listed(document: dict[str, Any], client: Client):
    """Pages and their files are for people, not part of the API; the CIP-API has a description of its own."""
    unlisted = {"/", "/docs", "/static/{path:path}", "/openapi.json", "/$operation"}
    unlisted |= {"/pgx", "/pgx/{subject}", "/report/{token}", "/cip/cases", "/cip/cases/{case}"}
    unlisted |= {"/api/2/docs", "/api/2/openapi.json", "unnamed"}
    paths = {getattr(route, "path", "unnamed") for route in client.app.routes}
    assert paths - set(document["paths"]) == unlisted


@pytest.mark.parametrize("name", OPERATIONS)
def test_parameters_are_those_of_the_definition(document: dict[str, Any], name: str):
    listed = document["paths"][f"/fhir/${name}"]["get"]["parameters"]
    given = [one for one in listed if one["in"] == "query" and not one["name"].startswith("_")]
    assert [one["name"] for one in given] == list(DEFINITIONS[name].parameters)
    assert {one["name"] for one in given if one["required"]} == {
        parameter.name for parameter in DEFINITIONS[name].parameters.values() if parameter.minimum
    }
    assert all(one["description"] for one in given)
    assert all("example" in one for one in given if one["required"])


@pytest.mark.parametrize("name", OPERATIONS)
def test_examples_are_questions_that_can_be_asked(document: dict[str, Any], client: Client, name: str):
    item = document["paths"][f"/fhir/${name}"]
    examples = [(one["name"], one["example"]) for one in item["get"]["parameters"] if "example" in one]
    pairs = [
        f"{parameter}={quote(str(value).lower() if isinstance(value, bool) else str(value))}"
        for parameter, example in examples
        for value in (example if isinstance(example, list) else [example])
    ]
    assert client.get(f"/fhir/${name}?{'&'.join(pairs)}", prefer="handling=strict").status == 200
    body = item["post"]["requestBody"]["content"]["application/fhir+json"]["example"]
    assert client.post(f"/fhir/${name}", body, prefer="handling=strict").status == 200


def test_every_reference_leads_somewhere(document: dict[str, Any]):
    def references(value: Any) -> Iterator[str]:
        if isinstance(value, dict):
            if "$ref" in value:
                yield value["$ref"]
            for member in value.values():
                yield from references(member)
        elif isinstance(value, list):
            for member in value:
                yield from references(member)

    found = set(references(document))
    assert found
    for reference in found:
        place: Any = document
        for step in reference.removeprefix("#/").split("/"):
            place = place[step]
        assert place


def test_operation_ids_are_unique(document: dict[str, Any]):
    ids = [operation["operationId"] for _, _, operation in operations(document) if "operationId" in operation]
    assert len(ids) == len(set(ids)) > 0


def test_errors_of_operations_are_described(document: dict[str, Any]):
    for path, _, operation in operations(document):
        if "$" in path:
            assert {"200", "400", "422", "503"} <= set(operation["responses"])
            assert ("404" in operation["responses"]) == ("population" not in path)


def test_utilities_are_described_with_their_parameters(document: dict[str, Any]):
    described = {path: item["get"] for path, item in document["paths"].items() if path.startswith("/utilities/")}
    assert {path: [one["name"] for one in item["parameters"]] for path, item in described.items()} == {
        "/utilities/get-feature-coordinates": ["gene", "chromosome", "transcript", "protein"],
        "/utilities/find-the-gene": ["range"],
        "/utilities/normalize-variant": ["variant"],
        "/utilities/normalize-hla": ["allele"],
        "/utilities/translate-terminology": ["codeSystem", "code"],
    }
    assert {item["operationId"] for item in described.values()} == {path.rpartition("/")[2] for path in described}
    assert all("400" in item["responses"] and item["tags"] == ["Utilities"] for item in described.values())


def test_document_names_this_server(document: dict[str, Any], client: Client):
    assert document["servers"] == [{"url": "http://testserver"}]
    tag = client.get("/openapi.json").headers["etag"]
    assert client.get("/openapi.json", if_none_match=tag).status == 304
