"""What the server says about itself is true and valid."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from app.fhir.definitions import load_definitions
from app.fhir.validate import problems
from tests.api.client import Client
from tests.api.conftest import OPERATIONS, FakeContext
from tests.profile_validator import Validate

DEFINITIONS = load_definitions()
CANONICAL = "http://hl7.org/fhir/uv/genomics-reporting/OperationDefinition/"


def statement(client: Client) -> dict[str, Any]:
    return client.get("/fhir/metadata").json()


def test_statement_names_what_is_implemented_and_nothing_else(client: Client, context: FakeContext):
    rest = statement(client)["rest"][0]
    assert [one["name"] for one in rest["operation"]] == list(OPERATIONS)
    assert [one["definition"] for one in rest["operation"]] == [CANONICAL + name for name in OPERATIONS]
    [patient] = [one for one in rest["resource"] if one["type"] == "Patient"]
    assert [one["name"] for one in patient["operation"]] == [name for name in OPERATIONS if "population" not in name]
    context.names = ("find-subject-variants",)
    assert [one["name"] for one in statement(client)["rest"][0]["operation"]] == ["find-subject-variants"]
    context.names = ()
    assert problems(statement(client)) == []


def test_statement_is_of_fhir_r4_and_claims_no_security(client: Client):
    found = statement(client)
    assert (found["fhirVersion"], found["kind"]) == ("4.0.1", "instance")
    assert "service" not in found["rest"][0]["security"]
    assert found["rest"][0]["security"]["cors"] is False
    assert found["implementation"]["url"] == "http://testserver/fhir"


def test_every_definition_of_the_statement_can_be_found(client: Client):
    for operation in statement(client)["rest"][0]["operation"]:
        bundle = client.get(f"/fhir/OperationDefinition?url={operation['definition']}").json()
        assert bundle["total"] == 1
        (entry,) = bundle["entry"]
        assert entry["resource"]["code"] == operation["name"]
        read = client.get(entry["fullUrl"].removeprefix("http://testserver"))
        assert read.json() == entry["resource"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", list(OPERATIONS)),
        ("?code=find-subject-variants", ["find-subject-variants"]),
        ("?code=find-subject", []),
        ("?name=FindSubject", [name for name in OPERATIONS if name.startswith("find-subject")]),
        ("?name=findsubjectvariants", ["find-subject-variants"]),
        ("?_id=find-subject-variants", ["find-subject-variants"]),
        ("?code=find-subject-variants,find-population-specific-variants", [OPERATIONS[0], OPERATIONS[-1]]),
        ("?code=find-subject-variants&name=FindPopulation", []),
        ("?url=http://elsewhere.example", []),
        ("?unknown=1&_pretty=true", list(OPERATIONS)),
        ("?code=", list(OPERATIONS)),
    ],
)
def test_search_for_definitions(client: Client, query: str, found: list[str]):
    bundle = client.get("/fhir/OperationDefinition" + query).json()
    assert [entry["resource"]["id"] for entry in bundle.get("entry", [])] == found
    assert bundle["total"] == len(found)
    assert bundle["link"] == [{"relation": "self", "url": f"http://testserver/fhir/OperationDefinition{query}"}]
    assert problems(bundle) == []


def test_unknown_definition_is_not_found(client: Client):
    answer = client.get("/fhir/OperationDefinition/find-everything")
    assert (answer.status, answer.issues[0]["code"]) == (404, "not-found")


def test_definition_without_a_handler_is_not_found(client: Client, context: FakeContext):
    context.names = ()
    assert client.get("/fhir/OperationDefinition/find-subject-variants").status == 404
    assert client.get("/fhir/OperationDefinition").json()["total"] == 0


@pytest.mark.parametrize(
    "url", ["/fhir/metadata", "/fhir/OperationDefinition", "/fhir/OperationDefinition/find-subject-variants"]
)
def test_description_negotiates_like_an_operation(client: Client, url: str):
    assert client.get(url).headers["content-type"] == "application/fhir+json; charset=utf-8"
    assert client.get(url, accept="application/xml").status == 406
    assert client.get(url + "?_format=xml").status == 406
    assert client.get(url + "?_pretty=true").body.startswith(b"{\n")
    assert client.get(url, if_none_match=client.get(url).headers["etag"]).status == 304


def test_statement_says_by_which_knowledge_implications_are_computed(client: Client):
    said = statement(client)["rest"][0]["documentation"]
    assert "Active releases: ClinVar 2026-01 (clinvar-2026-01, public domain)." in said


def test_public_address_may_be_configured(build):
    client, _ = build(base_url="https://genomics.example/operon/")
    assert statement(client)["implementation"]["url"] == "https://genomics.example/operon/fhir"


@pytest.mark.parametrize("host", ["evil.example/path", "<script>", "a b", "x:999999", ""])
def test_hostile_host_header_is_not_repeated(client: Client, host: str):
    scope_host = client.request("GET", "/fhir/metadata", headers={"host": host}).json()["implementation"]["url"]
    assert scope_host in {"http://127.0.0.1:8000/fhir", "http://testserver/fhir"}


@pytest.mark.parametrize("definition", DEFINITIONS.values(), ids=lambda one: one.name)
def test_definition_says_what_the_implementation_guide_says(definition, shared: Path):
    """Names, types and cardinalities are the guide's; what differs is our correction of it."""
    path = shared / "packs/fhir-profiles/definitions" / f"OperationDefinition-{definition.name}.json"
    guide = json.loads(path.read_text())

    def facts(parameter: dict[str, Any]) -> tuple[Any, ...]:
        parts = [facts(part) for part in parameter.get("part", [])]
        return (*(parameter.get(key) for key in ("name", "use", "min", "max", "type", "searchType")), parts)

    ours = definition.resource
    extensions = [one for one in ours["parameter"] if one.get("documentation", "").startswith("Extension of Operon")]
    assert all((one["use"], one["min"]) == ("in", 0) for one in extensions)
    shared_ones = [one for one in ours["parameter"] if one not in extensions]
    assert list(map(facts, shared_ones)) == list(map(facts, guide["parameter"]))
    assert (ours["url"], ours["name"], ours["title"]) == (guide["url"], guide["name"], guide["title"])
    assert (ours["code"], ours["affectsState"], ours["resource"]) == (definition.name, False, ["Patient"])
    assert (ours["system"], ours["type"], ours["instance"]) == (True, True, definition.about_subject)
    texts = {parameter.get("documentation") for parameter in guide["parameter"]}
    assert not texts & {parameter["documentation"] for parameter in ours["parameter"]}


@pytest.mark.parametrize("definition", DEFINITIONS.values(), ids=lambda one: one.name)
def test_definition_is_valid(definition):
    assert problems(dict(definition.resource)) == []


def test_statement_is_valid(client: Client):
    assert problems(statement(client)) == []


def test_description_passes_the_validator_of_the_guide(client: Client, against_profiles: Validate):
    described = [statement(client), *(dict(definition.resource) for definition in DEFINITIONS.values())]
    assert [complaints for resource in described if (complaints := against_profiles(resource))] == []


def test_validator_of_resources_can_fail():
    assert problems({"resourceType": "Nonsense"}) == ["unknown resourceType 'Nonsense'"]
    assert problems({"resourceType": "Parameters", "parameter": [{"valueString": "x"}]}) != []
    assert problems({**DEFINITIONS["find-subject-variants"].resource, "kind": 5}) != []
