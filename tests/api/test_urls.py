"""Every form of URL and method asks the same question."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from app.fhir.definitions import Definition, load_definitions
from app.fhir.parameters import Dialect
from tests.api.client import Answer, Client
from tests.api.conftest import OPERATIONS, FakeContext, parameters

DEFINITIONS = load_definitions()
REQUIRED = {"subject": "HG00403", "ranges": "NC_000019.10:11089431-11133820", "variants": "NC_000001.10:86852620:A:G"}

IG_FORMS = ["/fhir/${name}", "/fhir/Patient/${name}", "/fhir/%24{name}", "/fhir/${name}/", "/fhir/Patient/%24{name}/"]


def needed(definition: Definition) -> dict[str, str]:
    return {name: REQUIRED[name] for name, parameter in definition.parameters.items() if parameter.minimum}


def query(values: dict[str, str]) -> str:
    return "&".join(f"{name}={value}" for name, value in values.items())


def send(client: Client, form: str, url: str, values: dict[str, str]) -> Answer:
    match form:
        case "get":
            return client.get(f"{url}{'&' if '?' in url else '?'}{query(values)}")
        case "json":
            entries = [{"name": name, "valueString": value} for name, value in values.items()]
            return client.post(url, parameters(*entries))
        case "plain json":
            entries = [{"name": name, "valueString": value} for name, value in values.items()]
            return client.post(url, parameters(*entries), "application/json; charset=UTF-8")
        case "form":
            return client.form(url, query(values))
        case _:
            return client.post(f"{url}?{query(values)}")


@pytest.mark.parametrize("form", ["get", "json", "plain json", "form", "post without body"])
@pytest.mark.parametrize("url", IG_FORMS)
@pytest.mark.parametrize("name", OPERATIONS)
def test_forms_below_the_fhir_base_are_one(client: Client, context: FakeContext, name: str, url: str, form: str):
    definition = DEFINITIONS[name]
    expected = send(client, "get", f"/fhir/${name}", needed(definition))
    answer = send(client, form, url.format(name=name), needed(definition))
    assert (answer.status, answer.body) == (expected.status, expected.body) == (200, context.body)
    assert context.calls[0] == context.calls[1]
    assert context.inputs.dialect is Dialect.IG


@pytest.mark.parametrize("form", ["get", "json", "form"])
@pytest.mark.parametrize("prefix", ["", "/fhir"])
@pytest.mark.parametrize("name", OPERATIONS)
def test_paths_of_the_reference_implementation_differ_in_dialect_only(
    client: Client, context: FakeContext, name: str, prefix: str, form: str
):
    definition = DEFINITIONS[name]
    path = prefix + definition.ref_path.replace("$", "%24")
    values = needed(definition) | ({"includeVariants": "false"} if name == "find-subject-variants" else {})
    assert send(client, form, path, values).status == 200
    assert context.inputs.dialect is Dialect.REF
    send(client, form, f"/fhir/${name}?_dialect=ref", values)
    assert context.calls[0] == context.calls[1]


@pytest.mark.parametrize("form", ["get", "json", "form", "post without body"])
@pytest.mark.parametrize("name", [name for name in OPERATIONS if DEFINITIONS[name].instance])
def test_operation_on_one_patient_takes_the_subject_from_the_path(
    client: Client, context: FakeContext, name: str, form: str
):
    values = needed(DEFINITIONS[name])
    send(client, "get", f"/fhir/${name}", values)
    subject = values.pop("subject")
    assert send(client, form, f"/fhir/Patient/{subject}/${name}", values).status == 200
    assert context.calls[0] == context.calls[1]


def test_another_subject_than_that_of_the_path_is_refused(client: Client, context: FakeContext):
    answer = client.get("/fhir/Patient/P1/$find-subject-variants?subject=P2&ranges=NC_000001.10:1-2")
    assert answer.status == 400
    assert not context.calls


@pytest.mark.parametrize(
    "path",
    [
        "/fhir/$find-subject-everything",
        "/fhir/Patient/$nothing",
        "/fhir/$",
        "/fhir/$find-subject-variants/more",
        "/fhir/Observation/$find-subject-variants",
        "/fhir/Patient/P1/$find-population-specific-variants",
        "/$find-subject-variants",
        "/fhir/fhir/$find-subject-variants",
        "/subject-operations/phenotype-operations/$find-subject-variants",
        "/population-operations/genotype-operations/$find-subject-variants",
        "/fhir/nothing",
        "/fhir",
    ],
)
def test_unknown_operation_or_path_is_not_found(client: Client, path: str):
    answer = client.get(path, accept="application/fhir+json")
    assert answer.status == 404
    assert [issue["code"] for issue in answer.issues] == ["not-supported"]


def test_operation_without_a_handler_is_not_served(client: Client, context: FakeContext):
    context.names = ("find-subject-variants",)
    assert client.get("/fhir/$find-subject-specific-variants?subject=P1&variants=a").status == 404


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "TRACE", "BREW"])
def test_other_methods_are_not_allowed(client: Client, context: FakeContext, method: str):
    answer = client.request(method, "/fhir/$find-subject-variants?subject=P1&ranges=NC_000001.10:1-2")
    assert answer.status == 405
    assert answer.headers["allow"] == "GET, HEAD, OPTIONS, POST"
    assert answer.issues[0]["code"] == "not-supported"
    assert not context.calls


@pytest.mark.parametrize("path", ["/fhir/metadata", "/livez", "/", "/openapi.json", "/fhir/OperationDefinition"])
def test_other_methods_are_not_allowed_elsewhere(client: Client, path: str):
    answer = client.request("DELETE", path)
    assert answer.status == 405
    assert answer.headers["allow"] == "GET, HEAD, OPTIONS"


@pytest.mark.parametrize("path", ["/fhir/$find-subject-variants", "/fhir/metadata", "/livez"])
def test_options_names_the_methods(client: Client, context: FakeContext, path: str):
    answer = client.options(path)
    assert (answer.status, answer.body) == (204, b"")
    assert {"GET", "HEAD", "OPTIONS"} <= set(answer.headers["allow"].split(", "))
    assert not context.calls


@pytest.mark.parametrize(
    "url",
    [
        "/fhir/$find-subject-variants?subject=P1&ranges=NC_000001.10:1-2",
        "/fhir/$find-subject-variants",
        "/fhir/metadata",
        "/livez",
        "/",
        "/static/site.css",
    ],
)
def test_head_is_get_without_body(client: Client, url: str):
    get, head = client.get(url), client.head(url)
    assert head.status == get.status
    assert head.body == b""
    assert head.headers["content-length"] == str(len(get.body))
    assert head.headers["content-type"] == get.headers["content-type"]


@pytest.mark.parametrize("path", ["/fhir/metadata/", "/livez/", "/docs/", "/fhir/OperationDefinition/"])
def test_trailing_slash_is_tolerated_without_redirect(client: Client, path: str):
    assert client.get(path).status == 200


def test_another_operation_needs_only_a_definition_and_a_handler(build: Callable[..., tuple[Client, FakeContext]]):
    import dataclasses

    from app.config import Settings
    from app.main import create_app

    template = DEFINITIONS["find-subject-variants"]
    structural = dataclasses.replace(
        template,
        name="find-subject-structural-intersecting-variants",
        ref_path=template.ref_path.replace("find-subject-variants", "find-subject-structural-intersecting-variants"),
    )
    context = FakeContext(Settings())
    context.names = (structural.name,)
    client = Client(create_app(Settings(), context, definitions={structural.name: structural}))
    try:
        answers = [
            client.get(f"{path}?subject=P1&ranges=NC_000001.10:1-2")
            for path in (f"/fhir/${structural.name}", structural.ref_path, f"/fhir/Patient/P1/${structural.name}")
        ]
        assert [answer.status for answer in answers] == [200, 200, 200]
        statement = client.get("/fhir/metadata").json()
        assert [one["name"] for one in statement["rest"][0]["operation"]] == [structural.name]
        assert f"/fhir/${structural.name}" in client.get("/openapi.json").json()["paths"]
    finally:
        client.close()


def test_raw_characters_of_real_clients_arrive(client: Client, context: FakeContext):
    client.get(
        "/subject-operations/genotype-operations/$find-subject-specific-variants"
        "?subject=m123&variants=NC_000005.9:g.112102032A>T, NM_000038.6:c.88+2T>C,NM_000038.6:c.88%2B2T>C"
    )
    assert context.inputs.variants == (
        ("NC_000005.9:g.112102032A>T", "NM_000038.6:c.88 2T>C", "NM_000038.6:c.88+2T>C"),
    )


def test_stray_ampersand_is_harmless(client: Client, context: FakeContext):
    assert client.get("/fhir/$find-population-specific-variants?&variants=a&").status == 200
    assert context.inputs.variants == (("a",),)


def test_application_can_live_below_a_path(client: Client):
    scope_path = "/operon/fhir/$find-subject-variants"
    answer = client.request("GET", f"{scope_path}?subject=P1&ranges=NC_000001.10:1-2", root_path="/operon")
    assert answer.status == 200


def test_real_calls_of_the_reference_suite_are_understood(client: Client, context: FakeContext, shared):
    import json

    cases = [json.loads(line) for line in (shared / "packs/fhir-operations/cases.jsonl").read_text().splitlines()]
    asked = [case for case in cases if case["operation"] in OPERATIONS and case["expected_status"] == 200]
    assert asked
    for case in asked:
        answer = client.get(f"{case['path']}?{case['query']}", accept="application/json")
        assert answer.status == 200, case["case_id"]
        assert answer.headers["content-type"] == "application/json"
