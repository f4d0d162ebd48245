"""What every request passes: ids, limits, safe headers, compression, CORS, logs without patients, numbers."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable

import pytest

from tests.api.client import Client
from tests.api.conftest import FakeContext, big_answer, parameters

OPERATION = "/fhir/$find-population-specific-variants"
URL = OPERATION + "?variants=a"

Build = Callable[..., tuple[Client, FakeContext]]


# --- ids ---


def test_request_id_is_made_or_echoed(client: Client):
    made = client.get(URL).headers["x-request-id"]
    assert len(made) == 32
    assert client.get(URL).headers["x-request-id"] != made
    assert client.get(URL, x_request_id="abc-1").headers["x-request-id"] == "abc-1"


@pytest.mark.parametrize("hostile", ["a b", "<script>", "x" * 129, "a\r\nSet-Cookie: x"])
def test_hostile_ids_are_not_echoed(client: Client, hostile: str):
    answer = client.get(URL, x_request_id=hostile, x_correlation_id=hostile)
    assert len(answer.headers["x-request-id"]) == 32
    assert "x-correlation-id" not in answer.headers


def test_correlation_id_is_echoed(client: Client):
    assert client.get(URL, x_correlation_id="case:7").headers["x-correlation-id"] == "case:7"
    assert "x-correlation-id" not in client.get(URL).headers


# --- limits ---


def test_longest_url_is_answered_and_one_more_byte_is_not(build: Build):
    client, _ = build(max_url_bytes=600)
    fits = URL + "&pad=" + "x" * (600 - len(URL) - len("&pad="))
    assert client.get(fits).status == 200
    answer = client.get(fits + "x")
    assert answer.status == 414
    assert answer.issues[0]["code"] == "too-costly"
    assert "POST" in answer.diagnostics[0]


def test_two_megabyte_query_is_refused(client: Client, context: FakeContext):
    assert client.get(URL + "," + "x" * 2_000_000).status == 414
    assert client.get("/livez?" + "&" * 2_000_000).status == 414
    assert not context.calls


def test_too_many_parameters_are_refused(build: Build):
    client, context = build(max_query_parameters=10)
    assert client.get(URL + "&x=1" * 9).status == 200
    answer = client.get(URL + "&x=1" * 10)
    assert answer.status == 400
    assert len(context.calls) == 1


@pytest.mark.parametrize("declared", [True, False])
def test_large_bodies_are_refused_declared_or_not(build: Build, declared: bool):
    client, context = build(max_body_bytes=1024)
    body = json.dumps(parameters({"name": "variants", "valueString": "x" * 1024})).encode()
    headers = {"content_length": str(len(body))} if declared else {}
    answer = client.request("POST", OPERATION, body, {"content_type": "application/json", **headers}, chunk=100)
    assert answer.status == 413
    assert answer.issues[0]["code"] == "too-costly"
    assert not context.calls


def test_body_within_the_limit_may_come_in_pieces(client: Client, context: FakeContext):
    body = json.dumps(parameters({"name": "variants", "valueString": "abc"})).encode()
    answer = client.request("POST", OPERATION, body, {"content_type": "application/json"}, chunk=7)
    assert answer.status == 200
    assert context.inputs.variants == (("abc",),)


@pytest.mark.parametrize("length", ["x", "-1", "9" * 400])
def test_nonsense_content_length_never_fails(client: Client, length: str):
    assert client.request("POST", URL, b"", {"content_length": length}).status in {200, 413}


# --- headers ---


@pytest.mark.parametrize(
    "url", [URL, OPERATION, "/fhir/metadata", "/", "/docs", "/nothing", "/livez", "/static/site.css"]
)
def test_every_response_has_safe_headers(client: Client, url: str):
    headers = client.get(url).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "default-src 'none'" in headers["content-security-policy"]
    assert headers["cache-control"] == ("no-store" if "etag" not in headers else headers["cache-control"])
    assert "server" not in headers


def test_patient_data_are_never_cached_in_public(client: Client):
    assert client.get(URL).headers["cache-control"] == "private, no-cache"
    assert client.post(URL, b"", "").headers["cache-control"] == "no-store"


# --- validators ---


def test_unchanged_answer_is_not_sent_again(client: Client, context: FakeContext):
    tag = client.get(URL).headers["etag"]
    assert tag.startswith('W/"')
    again = client.get(URL, if_none_match=tag)
    assert (again.status, again.body) == (304, b"")
    assert again.headers["etag"] == tag
    assert again.headers["cache-control"] == "private, no-cache"
    assert len(context.calls) == 1


@pytest.mark.parametrize("given", ['"other", {tag}', "*", "{strong}"])
def test_any_matching_tag_counts(client: Client, given: str):
    tag = client.get(URL).headers["etag"]
    header = given.format(tag=tag, strong=tag.removeprefix("W/"))
    assert client.get(URL, if_none_match=header).status == 304


def test_new_data_change_the_tag(client: Client, context: FakeContext):
    tag = client.get(URL).headers["etag"]
    context.version = "2"
    assert client.get(URL, if_none_match=tag).status == 200


@pytest.mark.parametrize(
    "other",
    ["/fhir/$find-population-specific-variants?variants=b", URL + "&includePatientList=true", URL + "&_pretty=true",
     URL + "&_dialect=ref", "/fhir/$find-subject-specific-variants?subject=P1&variants=a"],
)  # fmt: skip
def test_another_question_has_another_tag(client: Client, other: str):
    assert client.get(URL).headers["etag"] != client.get(other).headers["etag"]


@pytest.mark.parametrize(
    "same",
    [URL + "&x=1", URL + "&includePatientList=false", "/fhir/Patient/$find-population-specific-variants?variants=%61"],
)
def test_same_question_has_the_same_tag(client: Client, same: str):
    assert client.get(URL).headers["etag"] == client.get(same).headers["etag"]


def test_errors_and_posts_have_no_validator(client: Client):
    assert "etag" not in client.get(OPERATION).headers
    assert "etag" not in client.post(URL, b"", "").headers


def test_bad_question_is_refused_even_with_a_tag(client: Client):
    assert client.get(OPERATION, if_none_match="*").status == 400


# --- compression ---


def test_large_answers_are_compressed(client: Client, context: FakeContext):
    context.body = big_answer(5000)
    plain, packed = client.get(URL), client.get(URL, accept_encoding="br, gzip;q=0.5")
    assert "content-encoding" not in plain.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.headers["content-length"] == str(len(packed.body))
    assert len(packed.body) < len(plain.body) / 3
    assert gzip.decompress(packed.body) == plain.body == context.body
    assert {"Accept", "Accept-Encoding", "Prefer"} <= set(packed.headers["vary"].split(", "))
    assert packed.headers["etag"] == plain.headers["etag"]


@pytest.mark.parametrize("accept_encoding", ["", "identity", "gzip;q=0", "gzip;q=0.000, *", "br", "*;q=0", "notgzip"])
def test_compression_is_only_for_those_who_want_it(client: Client, context: FakeContext, accept_encoding: str):
    context.body = big_answer(100)
    assert "content-encoding" not in client.get(URL, accept_encoding=accept_encoding).headers


def test_small_answers_stay_as_they_are(client: Client):
    assert "content-encoding" not in client.get(URL, accept_encoding="gzip").headers


@pytest.mark.parametrize("url", ["/", "/openapi.json", "/fhir/metadata", "/metrics", "/static/site.css"])
def test_pages_are_compressed_too(client: Client, url: str):
    packed = client.get(url, accept_encoding="gzip")
    assert packed.headers["content-encoding"] == "gzip"
    assert gzip.decompress(packed.body)


# --- CORS ---


def test_browsers_elsewhere_may_not_read_by_default(client: Client):
    headers = client.get(URL, origin="https://app.example").headers
    assert not any(name.startswith("access-control") for name in headers)


@pytest.mark.parametrize(
    "path",
    [
        URL,
        "/subject-operations/genotype-operations/$find-subject-variants",
        "/population-operations/genotype-operations/$find-population-specific-variants",
        "/utilities/get-feature-coordinates",
        "/fhir",
        "/fhir/metadata",
        "/fhir/OperationDefinition",
        "/fhir/Patient",
        "/fhir/Observation/x",
    ],
)
def test_configured_origin_passes_preflight(build: Build, path: str):
    client, context = build(cors_origins="https://app.example, https://other.example")
    headers = {"origin": "https://app.example", "access_control_request_method": "POST"}
    answer = client.options(path, **headers, access_control_request_headers="prefer,content-type")
    assert answer.status == 200
    assert answer.headers["access-control-allow-origin"] == "https://app.example"
    assert "POST" in answer.headers["access-control-allow-methods"]
    assert "prefer" in answer.headers["access-control-allow-headers"]
    assert not context.calls


def test_configured_origin_may_read_answers_errors_and_headers(build: Build):
    client, _ = build(cors_origins="https://app.example")
    for url in (URL, OPERATION, URL + "&pad=" + "x" * 9000):
        headers = client.get(url, origin="https://app.example").headers
        assert headers["access-control-allow-origin"] == "https://app.example"
        assert "X-Request-Id" in headers["access-control-expose-headers"]
        assert "Origin" in headers["vary"]
    assert "access-control-allow-origin" not in client.get(URL, origin="https://evil.example").headers


def test_all_origins_may_be_allowed(build: Build):
    client, _ = build(cors_origins="*")
    assert client.get(URL, origin="https://any.example").headers["access-control-allow-origin"] == "*"
    assert client.get("/fhir/metadata").json()["rest"][0]["security"]["cors"] is True


# --- logs and numbers ---

CANARY = "CANARY7"


def test_no_value_of_a_request_is_logged(build: Build, capsys: pytest.CaptureFixture[str]):
    for log_format in ("json", "text"):
        client, context = build(log_format=log_format, log_level="debug")
        client.get(f"/fhir/$find-subject-variants?subject={CANARY}&ranges=NC_000001.10:1-2")
        client.get(f"/fhir/Patient/{CANARY}/$find-subject-variants?ranges={CANARY}")
        client.get(f"/fhir/Patient/{CANARY}", cookie=CANARY, authorization=CANARY, user_agent=CANARY, accept=CANARY)
        client.get(f"/{CANARY}/${CANARY}?{CANARY}={CANARY}")
        client.get(f"/fhir/OperationDefinition/{CANARY}")
        client.post("/fhir/$find-subject-variants", parameters({"name": "subject", "valueString": CANARY}))
        client.post("/fhir/$find-subject-variants", CANARY)
        client.request(CANARY, URL)
        try:
            raise KeyError(CANARY)
        except KeyError as cause:
            context.failure = RuntimeError(f"no row for {CANARY}")
            context.failure.__cause__ = cause
        client.get(f"/fhir/$find-subject-variants?subject={CANARY}&ranges=NC_000001.10:1-2")
        client.get("/metrics")
    captured = capsys.readouterr()
    assert captured.err.count("request") >= 20
    assert "KeyError" in captured.err
    assert CANARY not in captured.err + captured.out


def test_log_line_tells_what_happened(client: Client, capsys: pytest.CaptureFixture[str]):
    client.get("/fhir/Patient/P1/$find-subject-variants?ranges=NC_000001.10:1-2", x_request_id="r1")
    line = json.loads(capsys.readouterr().err.splitlines()[-1])
    assert line.pop("ms") >= 0
    assert line.pop("time").startswith("20")
    assert line == {
        "level": "info",
        "event": "request",
        "request_id": "r1",
        "method": "GET",
        "operation": "find-subject-variants",
        "route": "/fhir/Patient/{id}/$find-subject-variants",
        "status": 200,
        "bytes": 29,
    }


def test_log_may_be_text(build: Build, capsys: pytest.CaptureFixture[str]):
    client, context = build(log_format="text")
    context.failure = ValueError("x")
    client.get(URL)
    logged = capsys.readouterr().err
    assert "operation=find-population-specific-variants" in logged
    assert "  builtins.ValueError" in logged or "\nbuiltins.ValueError" in logged


def test_quiet_levels_leave_requests_out(build: Build, capsys: pytest.CaptureFixture[str]):
    client, _ = build(log_level="warning")
    client.get(URL)
    assert capsys.readouterr().err == ""


def test_requests_are_counted_by_operation_and_status(client: Client):
    for url in (URL, URL, OPERATION, "/nothing-of-" + CANARY):
        client.get(url)
    numbers = client.get("/metrics").body.decode()
    name = 'operation="find-population-specific-variants"'
    assert f'operon_requests_total{{{name},status="200"}} 2.0' in numbers
    assert f'operon_requests_total{{{name},status="400"}} 1.0' in numbers
    assert 'operon_requests_total{operation="other",status="404"} 1.0' in numbers
    assert f"operon_request_seconds_count{{{name}}} 3.0" in numbers


def test_what_is_loaded_is_counted(client: Client, context: FakeContext):
    assert 'operon_loaded{kind="calls"} 123456.0' in client.get("/metrics").body.decode()
    from app.errors import Unavailable

    context.failure = Unavailable("away")
    away = client.get("/metrics")
    assert away.status == 200
    assert b"operon_loaded{" not in away.body


def test_failure_after_the_start_of_a_response_is_not_answered_twice(client: Client):
    from starlette.responses import StreamingResponse

    async def stream():
        yield b"x"
        raise ValueError(CANARY)

    @client.app.get("/stream")
    def streaming() -> StreamingResponse:
        return StreamingResponse(stream())

    with pytest.raises(RuntimeError) as caught:
        client.get("/stream")
    assert CANARY not in str(caught.value)
    assert caught.value.__suppress_context__
