"""Whatever arrives, the server is never to blame."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.config import Settings
from app.fhir.definitions import load_definitions
from app.main import create_app
from tests.api.client import Answer, Client
from tests.api.conftest import FakeContext

FUZZ = settings(max_examples=1000, deadline=None, suppress_health_check=[HealthCheck.too_slow])

NAMES = sorted(
    {name for one in load_definitions().values() for name in one.parameters} | {"_format", "_pretty", "_dialect"}
)
PATHS = [
    *(f"/fhir/${name}" for name in load_definitions()),
    *(one.ref_path for one in load_definitions().values()),
    "/fhir/Patient/P1/$find-subject-variants",
    "/fhir/OperationDefinition",
    "/utilities/get-feature-coordinates",
    "/utilities/find-the-gene",
    "/utilities/normalize-variant",
    "/fhir/metadata",
]
TEXTS = st.one_of(
    st.sampled_from(
        [
            "",
            "P1",
            "true",
            "NC_000001.10:1-2",
            "NC_000001.10:2-1",
            "NC_000001.10:1-99999999999",
            "ge2020",
            "json",
            "ref",
        ]
    ),
    st.sampled_from(
        ["%", "%zz", "%00", "%ff", "+", ",,,", "\\", "'; drop table call; --", "{{7*7}}", "%0d%0aX: y", "é"]
    ),
    st.text(alphabet=st.characters(codec="utf-8", exclude_characters="&="), max_size=30),
)
QUERIES = st.lists(st.tuples(st.sampled_from(NAMES) | TEXTS, TEXTS), max_size=8).map(
    lambda pairs: "&".join(f"{name}={value}" for name, value in pairs)
)
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)
VALUE_NAMES = st.sampled_from(
    [
        "valueString",
        "valueBoolean",
        "valueReference",
        "valueIdentifier",
        "valuePeriod",
        "valueCoding",
        "valueDate",
        "part",
    ]
)
VALUES = JSON_VALUES | st.fixed_dictionaries(
    {},
    optional=dict.fromkeys(
        ("reference", "identifier", "system", "value", "start", "end", "code", "coding"), JSON_VALUES
    ),
)
ENTRIES = st.fixed_dictionaries({"name": st.sampled_from(NAMES) | JSON_VALUES}).flatmap(
    lambda head: st.dictionaries(VALUE_NAMES, VALUES, max_size=2).map(lambda values: {**head, **values})
)
BODIES = JSON_VALUES | st.lists(ENTRIES | JSON_VALUES, max_size=5).map(
    lambda entries: {"resourceType": "Parameters", "parameter": entries}
)
ALLOWED = {200, 304, 400, 404, 405, 406, 413, 414, 415}


@pytest.fixture(scope="module")
def fuzzed():
    client = Client(create_app(Settings(log_level="error"), FakeContext(Settings())))
    yield client
    client.close()


def check(answer: Answer) -> None:
    assert answer.status in ALLOWED
    if answer.status >= 400:
        body = json.loads(answer.body)
        assert body.get("resourceType") == "OperationOutcome" or body["status"] == answer.status
    assert "\r" not in "".join(answer.headers.values())


@FUZZ
@given(
    path=st.sampled_from(PATHS), query=QUERIES, accept=TEXTS, prefer=st.sampled_from(["", "handling=strict"]) | TEXTS
)
def test_no_query_is_a_server_error(fuzzed: Client, path: str, query: str, accept: str, prefer: str):
    latin = {"accept": accept.encode("utf-8").decode("latin-1"), "prefer": prefer.encode("utf-8").decode("latin-1")}
    check(fuzzed.get(f"{path}?{query}", **latin))


@FUZZ
@given(path=st.sampled_from(PATHS), query=QUERIES, body=BODIES)
def test_no_json_body_is_a_server_error(fuzzed: Client, path: str, query: str, body: Any):
    check(fuzzed.post(f"{path}?{query}", json.dumps(body)))


@FUZZ
@given(
    path=st.sampled_from(PATHS) | st.text(max_size=20).map(lambda text: "/" + text.replace("?", "")),
    method=st.sampled_from(["GET", "POST", "HEAD", "OPTIONS", "PUT"]),
    body=st.binary(max_size=200),
    content_type=st.sampled_from(
        ["application/fhir+json", "application/x-www-form-urlencoded", "text/plain", ";;=", ""]
    ),
)
def test_no_bytes_are_a_server_error(fuzzed: Client, path: str, method: str, body: bytes, content_type: str):
    answer = fuzzed.request(method, path, body, {"content_type": content_type})
    assert answer.status in ALLOWED | {204}
