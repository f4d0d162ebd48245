"""Media types in and out, layout, and the two dialects."""

from __future__ import annotations

import pytest

from app.fhir.parameters import Dialect
from tests.api.client import Client
from tests.api.conftest import FakeContext, parameters

IG = "/fhir/$find-population-specific-variants?variants=a"
REF = "/population-operations/genotype-operations/$find-population-specific-variants?variants=a"
FHIR_JSON = "application/fhir+json; charset=utf-8"


@pytest.mark.parametrize(
    "accept",
    [
        "",
        "*/*",
        "application/*",
        "application/fhir+json",
        "application/fhir+json; fhirVersion=4.0",
        'application/fhir+json; fhirVersion="4.0.1"',
        "application/json",
        "text/json",
        "APPLICATION/JSON",
        "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
        "application/xml, application/fhir+json;q=0.1",
        "application/fhir+json;q=high",
    ],
)
def test_clients_that_take_json_get_fhir_json(client: Client, accept: str):
    answer = client.get(IG, **({"accept": accept} if accept else {}))
    assert (answer.status, answer.headers["content-type"]) == (200, FHIR_JSON)


@pytest.mark.parametrize(
    "accept",
    [
        "application/xml",
        "application/fhir+xml",
        "text/html",
        "application/fhir+json;q=0",
        "*/*;q=0",
        "application/*;q=0.0, text/plain",
        "application/fhir+json; fhirVersion=5.0",
        "application/problem+json",
    ],
)
def test_clients_that_take_no_json_are_told(client: Client, context: FakeContext, accept: str):
    answer = client.get(IG, accept=accept)
    assert answer.status == 406
    assert not context.calls


@pytest.mark.parametrize(
    "text",
    [
        "json",
        "application/json",
        "application/fhir+json",
        "application%2Ffhir%2Bjson",
        "JSON",
        "application/fhir%2Bjson;x=1",
        "application/fhir%2Bjson; fhirVersion=4.0",
    ],
)
def test_format_parameter_overrides_accept(client: Client, text: str):
    answer = client.get(f"{IG}&_format={text}", accept="application/xml")
    assert (answer.status, answer.headers["content-type"]) == (200, FHIR_JSON)


@pytest.mark.parametrize(
    "text", ["xml", "application/fhir+xml", "ttl", "html", "application/fhir%2Bjson;fhirVersion=5.0"]
)
def test_format_that_is_not_written_is_refused(client: Client, text: str):
    answer = client.get(f"{IG}&_format={text}", accept="application/json")
    assert answer.status == 406
    assert answer.issues[0]["code"] == "not-supported"


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("application/json", "application/json"),
        ("application/json, application/fhir+json", "application/json"),
        ("application/fhir+json, application/json", FHIR_JSON),
        ("application/json;q=0.5, application/fhir+json", FHIR_JSON),
        ("*/*", FHIR_JSON),
    ],
)
def test_plain_json_is_for_clients_of_the_reference_implementation(client: Client, accept: str, expected: str):
    assert client.get(REF, accept=accept).headers["content-type"] == expected
    assert client.get(IG, accept=accept).headers["content-type"] == FHIR_JSON


def test_pretty_answers_are_laid_out(client: Client):
    assert client.get(f"{IG}&_pretty=true").body == b'{\n  "resourceType": "Parameters"\n}'
    assert b"\n" not in client.get(f"{IG}&_pretty=false").body


@pytest.mark.parametrize("control", ["_summary=count", "_elements=id", "_summary=nonsense", "_unknown=1"])
def test_parameters_about_the_answer_never_fail(client: Client, control: str):
    assert client.get(f"{IG}&{control}").status == 200


@pytest.mark.parametrize(
    ("url", "prefer", "expected"),
    [
        (IG, "", Dialect.IG),
        (REF, "", Dialect.REF),
        (IG, "dialect=ref", Dialect.REF),
        (REF, "handling=lenient; dialect=ig", Dialect.IG),
        (IG, "dialect=klingon", Dialect.IG),
        (IG + "&_dialect=ref", "dialect=ig", Dialect.REF),
        (REF + "&_dialect=IG", "", Dialect.IG),
    ],
)
def test_dialect_follows_the_path_unless_chosen(
    client: Client, context: FakeContext, url: str, prefer: str, expected: Dialect
):
    assert client.get(url, prefer=prefer).status == 200
    assert context.inputs.dialect is expected


def test_unknown_dialect_parameter_is_refused(client: Client):
    answer = client.get(IG + "&_dialect=klingon")
    assert answer.status == 400
    assert answer.issues[0]["code"] == "value"


@pytest.mark.parametrize("prefer", ["handling=strict", 'return=minimal, handling="strict"', "HANDLING=Strict"])
def test_strict_handling_is_a_preference(client: Client, prefer: str):
    assert client.get(IG + "&subject=P1", prefer=prefer).status == 400
    assert client.get(IG + "&subject=P1").status == 200


@pytest.mark.parametrize(
    "content_type",
    [
        "application/xml",
        "text/plain",
        "multipart/form-data; boundary=x",
        "",
        "application/json; charset=utf-16",
        "application/fhir+json; fhirVersion=3.0",
        "nonsense",
    ],
)
def test_bodies_of_other_types_are_refused(client: Client, context: FakeContext, content_type: str):
    answer = client.post(IG, parameters(), content_type)
    assert answer.status == 415
    assert answer.issues[0]["code"] == "not-supported"
    assert not context.calls


def test_encoded_bodies_are_refused(client: Client):
    assert client.post(IG, b"x", content_encoding="gzip").status == 415
    assert client.post(IG, parameters(), content_encoding="identity").status == 200


def test_empty_body_needs_no_type(client: Client):
    assert client.post(IG, b"", "").status == 200


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"nonsense",
        b"\xff\xfe",
        b'{"resourceType":"Parameters","parameter":NaN}',
        b'{"resourceType":"Parameters","resourceType":"Parameters"}',
        b'{"resourceType":"Parameters","parameter":[{"name":"variants","name":"x","valueString":"a"}]}',
        b'{"resourceType":"Parameters","parameter":[{"name":"variants","valueString":"\\ud800"}]}',
        b'{"resourceType":"Bundle"}',
        b"[]",
        b"null",
        b"[" * 10_000 + b"]" * 10_000,
        b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
        b'{"a":' * 1_000 + b"1" + b"}" * 1_000,
        b'{"resourceType":"Parameters","x":' + b"9" * 5000 + b"}",
    ],
    ids=lambda body: repr(body[:40]),
)
def test_bodies_that_cannot_be_read_are_the_callers_error(client: Client, context: FakeContext, body: bytes):
    answer = client.post("/fhir/$find-population-specific-variants", body)
    assert answer.status == 400
    assert [issue["code"] for issue in answer.issues] == ["structure"]
    assert not context.calls


@pytest.mark.parametrize("query", ["variants=%ff", "variants=\udcff", "%ff=1"])
def test_queries_that_are_not_utf8_are_refused(client: Client, query: str):
    assert client.get(f"/fhir/$find-population-specific-variants?{query}").status == 400


def test_form_that_is_not_utf8_is_refused(client: Client):
    assert client.post("/fhir/$x", b"", "").status == 404
    answer = client.post(IG, b"variants=%ff", "application/x-www-form-urlencoded")
    assert answer.status == 400


def test_large_bodies_are_read_like_small_ones(client: Client, context: FakeContext):
    variants = ",".join(f"NC_000001.10:{position}:A:G" for position in range(5000))
    answer = client.post(
        "/fhir/$find-population-specific-variants", parameters({"name": "variants", "valueString": variants})
    )
    assert answer.status == 200
    assert len(context.inputs.variants[0]) == 5000
