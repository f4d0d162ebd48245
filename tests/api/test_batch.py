"""A batch answers each entry as if it had been sent alone."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from app.errors import SubjectNotFound
from app.fhir.validate import problems
from tests.api.client import Answer, Client
from tests.api.conftest import FakeContext, big_answer, parameters

RANGES = "ranges=NC_000019.10:11089431-11133820"
FOUND = f"$find-subject-variants?subject=P1&{RANGES}"


def entry(url: str, method: str = "GET", resource: Any = None, **request: Any) -> dict[str, Any]:
    made: dict[str, Any] = {"request": {"method": method, "url": url, **request}}
    return made if resource is None else {**made, "resource": resource}


def bundle(*entries: Any, type_: str = "batch") -> dict[str, Any]:
    return {"resourceType": "Bundle", "type": type_, "entry": list(entries)}


def send(client: Client, *entries: Any, **headers: str) -> list[dict[str, Any]]:
    answer = client.post("/fhir", bundle(*entries), **headers)
    assert answer.status == 200, answer.body
    found = answer.json()
    assert (found["resourceType"], found["type"]) == ("Bundle", "batch-response")
    assert problems(found) == []
    answered: list[dict[str, Any]] = found.get("entry", [])
    assert len(answered) == len(entries)
    return answered


def statuses(answered: list[dict[str, Any]]) -> list[str]:
    return [one["response"]["status"] for one in answered]


def test_entries_are_answered_in_order_each_with_its_own_status(client: Client, context: FakeContext):
    body = parameters(
        {"name": "subject", "valueString": "P2"}, {"name": "ranges", "valueString": RANGES.partition("=")[2]}
    )
    answered = send(
        client,
        entry(FOUND),
        entry("$find-subject-variants?subject=P1"),
        entry("Patient/P1/%24find-subject-variants?" + RANGES),
        entry("Patient/$find-subject-variants", "POST", body),
        entry("$find-everything"),
        entry("Encounter/1"),
        entry("metadata"),
        entry("OperationDefinition/find-subject-variants"),
        entry("Patient/P1", "DELETE"),
        entry("subject-operations/genotype-operations/$find-subject-variants?subject=P1"),
    )

    assert statuses(answered) == [
        "200 OK",
        "400 Bad Request",
        "200 OK",
        "200 OK",
        "404 Not Found",
        "404 Not Found",
        "200 OK",
        "200 OK",
        "405 Method Not Allowed",
        "400 Bad Request",
    ]
    assert [one.get("resource", {}).get("resourceType") for one in answered] == [
        "Parameters", None, "Parameters", "Parameters", None, None, "CapabilityStatement", "OperationDefinition", None,
        None,
    ]  # fmt: skip
    outcomes = [one["response"]["outcome"] for one in answered if "resource" not in one]
    assert {outcome["resourceType"] for outcome in outcomes} == {"OperationOutcome"}
    assert [inputs.subject for _, inputs in context.calls] == ["P1", "P1", "P2"]


@pytest.mark.parametrize(
    "url",
    [
        FOUND,
        "/" + FOUND,
        "http://testserver/fhir/" + FOUND,
        FOUND.replace(":", "%3A"),
        FOUND + "#part",
        "Patient/$find-subject-variants/?subject=P1&" + RANGES,
    ],
)
def test_urls_are_relative_to_the_base_or_begin_with_it(client: Client, context: FakeContext, url: str):
    [answered] = send(client, entry(url))

    alone = client.get(f"/fhir/{FOUND}")
    assert answered["resource"] == alone.json()
    assert answered["response"]["etag"] == alone.headers["etag"]


def test_an_entry_is_the_same_bytes_as_the_answer_to_it_alone(client: Client, context: FakeContext):
    context.body = b'{"resourceType":"Parameters","parameter":[{"name":"x","valueDecimal":1.50}]}'
    answer = client.post("/fhir", bundle(entry(FOUND)))

    assert context.body in answer.body


def test_an_entry_may_be_conditional(client: Client, context: FakeContext):
    tag = client.get(f"/fhir/{FOUND}").headers["etag"]
    [unchanged, changed] = send(client, entry(FOUND, ifNoneMatch=tag), entry(FOUND, ifNoneMatch='W/"other"'))

    assert unchanged == {"response": {"status": "304 Not Modified", "etag": tag}}
    assert changed["response"]["status"] == "200 OK"


def test_a_head_entry_has_a_status_and_no_resource(client: Client):
    [answered] = send(client, entry(FOUND, "HEAD"))

    assert "resource" not in answered
    assert answered["response"]["status"] == "200 OK"


@pytest.mark.parametrize("failure", [SubjectNotFound("P1"), RuntimeError("canary")])
def test_what_fails_does_not_touch_the_others(client: Client, context: FakeContext, failure: Exception):
    context.failure = failure
    answer = client.post("/fhir", bundle(entry("metadata"), entry(FOUND), entry("metadata")))

    assert statuses(answer.json()["entry"]) == [
        "200 OK",
        "404 Not Found" if isinstance(failure, SubjectNotFound) else "500 Internal Server Error",
        "200 OK",
    ]
    assert b"canary" not in answer.body


def test_preferences_of_the_batch_hold_for_its_entries(client: Client):
    assert statuses(send(client, entry(FOUND + "&x=1"))) == ["200 OK"]
    assert statuses(send(client, entry(FOUND + "&x=1"), prefer="handling=strict")) == ["400 Bad Request"]


@pytest.mark.parametrize(
    "malformed",
    [
        7,
        None,
        [],
        {},
        {"request": "GET"},
        {"request": {"method": "GET"}},
        {"request": {"method": "GET", "url": ""}},
        {"request": {"method": "GET", "url": 7}},
        {"request": {"method": "get", "url": FOUND}},
        {"request": {"method": ["GET"], "url": FOUND}},
        {"request": {"url": FOUND}},
        {"request": {"method": "GET", "url": FOUND, "ifNoneMatch": 7}},
        entry("http://elsewhere.example/fhir/metadata"),
        entry("", "POST", bundle()),
        entry("/", "POST", bundle()),
        entry("%2F", "POST", bundle()),
        entry("http://testserver/fhir", "POST", bundle()),
        entry("$find-subject-variants", "POST", "text"),
        entry("$find-subject-variants", "POST", parameters({"name": "subject", "valueInteger": 2**70})),
        entry(FOUND + "&subject=%ff"),
        entry("$find-subject-variants?subject=" + "x" * 9000),
        entry("$find-subject-variants?" + "a=1&" * 300),
    ],
    ids=lambda one: repr(one)[:60],
)
def test_malformed_entries_are_refused_alone(client: Client, malformed: Any):
    [first, refused, last] = send(client, entry("metadata"), malformed, entry("metadata"))

    assert statuses([first, last]) == ["200 OK", "200 OK"]
    assert refused["response"]["status"][:3] in ("400", "414")
    assert refused["response"]["outcome"]["issue"]


@pytest.mark.parametrize(
    "text", ["\u00fc\u4e2d", "\ud7ff", "a b", "..", "../metrics", "%2e%2e/metrics", "?", "&", "\x00"]
)
def test_odd_urls_end_in_an_outcome(client: Client, text: str):
    [answered] = send(client, entry(text))

    assert answered["response"]["status"][:3] in ("400", "404")


@pytest.mark.parametrize(
    ("body", "content_type", "status", "code"),
    [
        (bundle(type_="transaction"), "application/fhir+json", 400, "structure"),
        (bundle(type_="searchset"), "application/fhir+json", 400, "structure"),
        ({"resourceType": "Bundle"}, "application/fhir+json", 400, "structure"),
        ({"resourceType": "Bundle", "type": "batch", "entry": {}}, "application/fhir+json", 400, "structure"),
        ({"resourceType": "Parameters"}, "application/fhir+json", 400, "structure"),
        ([], "application/fhir+json", 400, "structure"),
        ("{", "application/fhir+json", 400, "structure"),
        ("", "application/fhir+json", 400, "structure"),
        (bundle(), "application/x-www-form-urlencoded", 415, "not-supported"),
        (bundle(), "application/xml", 415, "not-supported"),
        (bundle(), "application/fhir+json; fhirVersion=5.0", 415, "not-supported"),
        (bundle(*[entry("metadata")] * 101), "application/fhir+json", 413, "too-costly"),
    ],
)
def test_batches_that_cannot_be_read_are_refused_whole(
    client: Client, body: Any, content_type: str, status: int, code: str
):
    answer = client.post("/fhir", body if isinstance(body, (str, dict)) else json.dumps(body), content_type)

    assert (answer.status, answer.issues[0]["code"]) == (status, code)


def test_a_transaction_hears_what_to_send_instead(client: Client):
    answer = client.post("/fhir", bundle(entry("metadata"), type_="transaction"))

    assert "send a batch" in answer.diagnostics[0]


def test_an_empty_batch_has_an_empty_answer(client: Client):
    assert send(client) == []
    assert client.post("/fhir/", {"resourceType": "Bundle", "type": "batch"}).status == 200


def test_the_number_of_entries_is_a_setting(build: Callable[..., tuple[Client, FakeContext]]):
    client, _ = build(max_batch_entries=2)

    assert statuses(send(client, entry("metadata"), entry("metadata"))) == ["200 OK", "200 OK"]
    assert client.post("/fhir", bundle(*[entry("metadata")] * 3)).status == 413


def test_after_so_many_bytes_of_answers_the_rest_is_refused(build: Callable[..., tuple[Client, FakeContext]]):
    client, context = build(max_batch_bytes=10_000)
    context.body = big_answer(100)
    answered = send(client, *[entry(FOUND)] * 5)

    needed = -(-10_000 // len(context.body))
    assert statuses(answered) == ["200 OK"] * needed + ["413 Request Entity Too Large"] * (5 - needed)
    assert 0 < needed < 5
    assert len(context.calls) == needed


def test_a_batch_is_laid_out_and_negotiated_as_other_answers(client: Client):
    def post(query: str = "", **headers: str) -> Answer:
        return client.post(f"/fhir{query}", bundle(entry("metadata")), **headers)

    assert post("?_pretty=true").body.startswith(b'{\n  "resourceType": "Bundle"')
    assert post().headers["content-type"] == "application/fhir+json; charset=utf-8"
    assert post(accept="application/xml").status == 406
    assert "etag" not in post().headers
    assert post().headers["cache-control"] == "no-store"


def test_entries_are_logged_under_the_id_of_the_batch(client: Client, capfd: pytest.CaptureFixture[str]):
    send(client, entry(FOUND), entry("metadata"), x_request_id="the-batch")

    lines = [json.loads(line) for line in capfd.readouterr().err.splitlines()]
    assert [(line["operation"], line["request_id"]) for line in lines] == [
        ("find-subject-variants", "the-batch"),
        ("metadata", "the-batch"),
        ("batch", "the-batch"),
    ]
    assert "P1" not in json.dumps(lines)


def test_a_mounted_application_answers_batches(client: Client):
    answer = client.request(
        "POST",
        "/operon/fhir",
        json.dumps(bundle(entry("metadata"))).encode(),
        {"content_type": "application/json"},
        root_path="/operon",
    )

    assert answer.json()["entry"][0]["resource"]["implementation"]["url"] == "http://testserver/operon/fhir"
