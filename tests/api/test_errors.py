"""Errors as clients see them."""

from __future__ import annotations

from typing import Annotated

import pytest
from fastapi import HTTPException, Query

from app.errors import (
    Busy,
    CannotNormalize,
    InvalidValue,
    LiftoverFailed,
    Misconfigured,
    OperonError,
    SeveralProblems,
    SubjectNotFound,
    TooCostly,
    Unavailable,
    UnreadableVariant,
)
from app.fhir.outcome import operation_outcome, problem
from app.fhir.validate import problems
from tests.api.client import Client
from tests.api.conftest import FakeContext

IG = "/fhir/$find-subject-specific-variants?subject=P1&variants=a"
REF = "/subject-operations/genotype-operations/$find-subject-specific-variants?subject=P1&variants=a"

Expected = tuple[OperonError, int, str, str, str]

DELIBERATE: list[Expected] = [
    (SubjectNotFound("P-9"), 404, "not-found", "ERROR: Patient not found", "Patient (P-9) not found."),
    (
        LiftoverFailed("Failed LiftOver. Variant: a"),
        422,
        "processing",
        "ERROR: Failed LiftOver",
        "Failed LiftOver. Variant: a",
    ),
    (
        UnreadableVariant("a"),
        400,
        "invalid",
        "ERROR: Invalid query parameters",
        "variant (a) is not in the correct format(SPDI|HGVS)",
    ),
    (
        CannotNormalize("a", "no transcript"),
        400,
        "processing",
        "ERROR: Invalid query parameters",
        "Cannot normalize variant: a (no transcript)",
    ),
    (TooCostly("too many"), 413, "too-costly", "ERROR: Too costly", "too many"),
    (Unavailable("The store is away"), 503, "transient", "ERROR: Service unavailable", "The store is away"),
    (Busy("An ingest holds the store"), 503, "conflict", "ERROR: Busy", "An ingest holds the store"),
]


@pytest.mark.parametrize("brief", [False, True])
@pytest.mark.parametrize("expected", DELIBERATE, ids=lambda expected: type(expected[0]).__name__)
def test_error_of_an_operation_is_an_outcome(client: Client, context: FakeContext, expected: Expected, brief: bool):
    context.failure, status, code, text, diagnostics = expected
    context.brief = brief
    answer = client.get(IG)
    assert answer.status == status
    assert answer.headers["content-type"].startswith("application/fhir+json")
    (issue,) = answer.issues
    assert (issue["severity"], issue["code"]) == ("error", code)
    assert (issue["details"]["text"], issue["diagnostics"]) == (text, diagnostics)
    assert answer.headers.get("retry-after") == ("5" if status == 503 else None)


@pytest.mark.parametrize(
    ("url", "accept", "shape"),
    [
        (IG, "", "outcome"),
        (IG, "application/json", "outcome"),
        (IG, "application/json, application/problem+json", "problem"),
        (IG, "application/fhir+json, application/problem+json", "outcome"),
        (REF, "", "problem"),
        (REF, "application/json", "problem"),
        (REF, "application/fhir+json", "outcome"),
        ("/fhir" + REF, "application/json", "problem"),
        (IG + "&_dialect=ref", "application/json", "problem"),
        (REF + "&_dialect=ig", "application/json", "outcome"),
    ],
)
def test_shape_of_an_error_follows_dialect_and_accept(
    client: Client, context: FakeContext, url: str, accept: str, shape: str
):
    context.failure = SubjectNotFound("P-9")
    answer = client.get(url, **({"accept": accept} if accept else {}))
    if shape == "outcome":
        assert answer.diagnostics == ["Patient (P-9) not found."]
    else:
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json() == {
            "type": "about:blank",
            "title": "Not Found",
            "status": 404,
            "detail": "Patient (P-9) not found.",
        }


def test_path_outside_fhir_answers_plainly(client: Client):
    answer = client.get("/nothing")
    assert (answer.status, answer.headers["content-type"]) == (404, "application/problem+json")


def test_each_problem_is_an_issue_that_names_its_parameter(client: Client):
    answer = client.get("/fhir/$find-subject-variants?ranges=NC_000001.10:7-5,NC_000099.1:1-2&includeVariants=maybe")
    assert answer.status == 400
    assert [(issue["code"], issue.get("expression")) for issue in answer.issues] == [
        ("required", ["Parameters.parameter.where(name='subject')"]),
        ("value", ["Parameters.parameter.where(name='ranges')"]),
        ("code-invalid", ["Parameters.parameter.where(name='ranges')"]),
        ("value", ["Parameters.parameter.where(name='includeVariants')"]),
    ]
    assert answer.diagnostics[1:3] == [
        "Range start(7) should be less than or equal to Range end(5)",
        "RefSeq(NC_000099.1) is not valid",
    ]


def test_unknown_names_make_no_expression(client: Client):
    answer = client.get("/fhir/$find-population-specific-variants?variants=a&x')|1=2", prefer="handling=strict")
    assert answer.status == 400
    assert "expression" not in answer.issues[0]


def test_huge_input_is_quoted_briefly(client: Client):
    answer = client.get("/fhir/$find-population-specific-variants?variants=a&includePatientList=" + "x" * 5000)
    assert answer.status == 400
    assert len(answer.body) < 600


@pytest.mark.parametrize("brief", [False, True])
@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("canary"),
        KeyError("canary"),
        RecursionError("canary"),
        Misconfigured("canary"),
        OperonError("canary"),
    ],
    ids=repr,
)
def test_unforeseen_error_tells_only_the_request_id(
    client: Client, context: FakeContext, capsys: pytest.CaptureFixture[str], error: Exception, brief: bool
):
    context.failure, context.brief = error, brief
    answer = client.get(IG, x_request_id="req-7")
    assert answer.status == 500
    (issue,) = answer.issues
    assert (issue["code"], issue["details"]["text"]) == ("exception", "INTERNAL SERVER ERROR")
    assert "req-7" in issue["diagnostics"]
    assert b"canary" not in answer.body
    assert answer.headers["x-request-id"] == "req-7"
    assert answer.headers["cache-control"] == "no-store"
    logged = capsys.readouterr().err
    assert logged.count('"event":"failure"') == 1
    assert type(error).__name__ in logged
    assert "canary" not in logged


@pytest.mark.parametrize("error", [error for error, *_ in DELIBERATE], ids=lambda error: type(error).__name__)
def test_outcome_is_valid_fhir(error: OperonError):
    assert problems(operation_outcome(error)) == []


def test_several_problems_stay_one_detail_for_old_clients():
    several = SeveralProblems([InvalidValue("one", parameter="ranges"), InvalidValue("two")])
    assert problem(several)["detail"] == "one; two"
    assert problems(operation_outcome(several)) == []


def test_answers_while_starting_are_unavailable(client: Client, context: FakeContext):
    from app.config import Settings
    from app.main import create_app

    waiting = Client(create_app(Settings()))
    try:
        assert waiting.get(IG).status == 503
        assert waiting.get("/readyz").status == 503
        assert waiting.get("/livez").status == 200
        assert waiting.get("/metrics").status == 200
    finally:
        waiting.close()


def test_framework_errors_keep_to_the_family(client: Client):
    """A route of FastAPI's own kind answers bad input with 400 and what it refuses with its status."""

    @client.app.get("/fhir/some/typed/path")
    def typed(number: Annotated[int, Query()]) -> None:
        raise HTTPException(number)

    bad = client.get("/fhir/some/typed/path?number=canary")
    assert (bad.status, bad.issues[0]["code"]) == (400, "value")
    assert b"canary" not in bad.body
    assert client.get("/fhir/some/typed/path?number=413").issues[0]["code"] == "too-costly"
    assert client.get("/fhir/some/typed/path?number=418").status == 400
    assert client.get("/fhir/some/typed/path?number=502").status == 500
