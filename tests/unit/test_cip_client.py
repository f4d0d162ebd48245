"""Asking a CIP-API server that misbehaves: what is tried again, what is an error, and what nobody gets to see."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from app.config import Settings
from app.errors import (
    InvalidInput,
    LimitExceeded,
    Misconfigured,
    NotAllowed,
    NotAuthenticated,
    NotFound,
    OperonError,
    Unavailable,
)
from ingest.cip_client import CipClient, Listing
from ingest.cip_environment import ClientCredentials, Environment, UserCredentials, read_environment
from ingest.cip_http import TRIES, Waits
from tests.cip_stub import LIFETIME, SECRET, TENANT, CipStub, page, running

CASE = {"interpretation_request_id": 7, "version": "1", "last_modified": "2022-03-02T10:00:01.000000Z"}
CASE_PATH = "/interpretation-request/7/1/"
LIST_PATH = "/interpretation-request/"


@dataclass
class Desk:
    """A client and what it waited for."""

    client: CipClient
    stub: CipStub
    pauses: list[float] = field(default_factory=list)

    def detail(self) -> Any:
        return self.client.detail(7, 1).content

    def asked(self, path: str = CASE_PATH) -> int:
        return len([one for one in self.stub.asked if one.path == f"/api/2{path}"])


@pytest.fixture
def stub(allow_loopback: Callable[[int], None]) -> Iterator[CipStub]:
    with running() as one:
        allow_loopback(one.port)
        one.put(CASE_PATH, CASE)
        yield one


def desk_at(stub: CipStub, credentials: Any = None, **settings: Any) -> Desk:
    environment = Environment("UAT", stub.api, stub.host, credentials or ClientCredentials(TENANT, "client", SECRET))
    pauses: list[float] = []
    waits = Waits(pause=pauses.append, jitter=lambda: 0.5)
    client = CipClient(environment, Settings(**settings), waits=waits, clock=lambda: stub.now)
    return Desk(client, stub, pauses)


@pytest.fixture
def desk(stub: CipStub) -> Iterator[Desk]:
    one = desk_at(stub)
    yield one
    one.client.close()


# --- who asks ---------------------------------------------------------------------------------------------------------


def test_a_client_of_the_directory_gets_a_token_and_shows_it_as_jwt(desk: Desk):
    assert desk.detail() == CASE
    login, asked = desk.stub.asked
    assert (login.method, login.path) == ("POST", f"/{TENANT}/oauth2/token")
    assert login.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert asked.headers["Authorization"] == f"JWT {desk.stub.tokens[0]}"
    assert asked.query == {"reports_v6": ["true"], "extra_params": ["show_referral"]}


def test_a_user_gets_a_token_of_the_server(stub: CipStub):
    desk = desk_at(stub, UserCredentials("user", SECRET))
    assert desk.detail() == CASE
    assert [one.path for one in stub.asked] == ["/api/2/get-token/", f"/api/2{CASE_PATH}"]


def test_a_token_is_renewed_a_minute_before_it_ends(desk: Desk):
    desk.detail()
    desk.stub.now += LIFETIME - 61
    desk.detail()
    assert len(desk.stub.tokens) == 1
    desk.stub.now += 1
    desk.detail()
    assert len(desk.stub.tokens) == 2


@pytest.mark.parametrize("act", ["old", "status 401", "status 403"])
def test_a_refused_token_is_renewed_once(desk: Desk, act: str):
    desk.stub.script[f"/api/2{CASE_PATH}"] = [act]
    assert desk.detail() == CASE
    assert len(desk.stub.tokens) == 2
    assert desk.stub.asked[-1].headers["Authorization"] == f"JWT {desk.stub.tokens[1]}"


@pytest.mark.parametrize(("status", "error"), [(401, NotAuthenticated), (403, NotAllowed)])
def test_the_second_refusal_is_an_error(desk: Desk, status: int, error: type[OperonError]):
    desk.stub.script[f"/api/2{CASE_PATH}"] = [f"status {status} *"]
    with pytest.raises(error, match="because"):
        desk.detail()
    assert (len(desk.stub.tokens), desk.asked()) == (2, 2)


def test_cases_that_are_forbidden_do_not_cost_a_token_each(desk: Desk):
    desk.stub.script[f"/api/2{CASE_PATH}"] = ["status 403 *"]
    for _ in range(5):
        with pytest.raises(NotAllowed):
            desk.detail()
    assert len(desk.stub.tokens) == 2


def test_a_refused_login_is_an_error_with_the_reason(stub: CipStub):
    with pytest.raises(NotAuthenticated, match="status 401: invalid_client: No client has"):
        desk_at(stub, ClientCredentials(TENANT, "client", "another")).detail()
    with pytest.raises(NotAuthenticated, match="Unable to log in"):
        desk_at(stub, UserCredentials("user", "another")).detail()


# --- what is tried again ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "acts",
    [
        ["status 500", "status 500", "status 500"],
        ["status 502", "status 503", "status 504"],
        ["cut", "cut", "cut"],
        ["break", "break", "break"],
    ],
)
def test_what_may_pass_is_tried_again_after_pauses_that_double(desk: Desk, acts: list[str]):
    desk.stub.script[f"/api/2{CASE_PATH}"] = acts
    assert desk.detail() == CASE
    assert desk.pauses == pytest.approx([0.8 + 0.4, 1.6 + 0.4, 3.2 + 0.4])


@pytest.mark.parametrize("act", ["status 500", "status 429", "cut", "break"])
def test_after_five_tries_it_is_an_error(desk: Desk, act: str):
    desk.stub.script[f"/api/2{CASE_PATH}"] = [f"{act} *"]
    with pytest.raises(Unavailable, match=r"case 7-1: .*, 5 times"):
        desk.detail()
    assert desk.asked() == TRIES == 5
    assert len(desk.pauses) == 4


def test_a_server_that_asks_for_a_pause_gets_it_within_reason(desk: Desk):
    desk.stub.script[f"/api/2{CASE_PATH}"] = [
        "status 429 Retry-After: 17",
        "status 503 Retry-After: 86400",
        "status 429 Retry-After: soon",
    ]
    assert desk.detail() == CASE
    assert desk.pauses == pytest.approx([17, 300, 3.6])


def test_a_server_that_says_nothing_is_not_waited_for(stub: CipStub):
    desk = desk_at(stub, cip_read_seconds=0.05)
    desk.stub.script[f"/api/2{CASE_PATH}"] = ["stall", "stall"]
    assert desk.detail() == CASE
    desk.stub.script[f"/api/2{CASE_PATH}"] = ["stall *"]
    with pytest.raises(Unavailable, match="no answer in time, 5 times"):
        desk.detail()


def test_a_login_is_tried_again_too(desk: Desk):
    desk.stub.script[f"/{TENANT}/oauth2/token"] = ["status 503", "status 503"]
    assert desk.detail() == CASE
    assert len(desk.pauses) == 2


def test_a_server_that_is_away_is_unavailable(allow_loopback: Callable[[int], None]):
    with running() as stub:
        allow_loopback(stub.port)
        desk = desk_at(stub)
    with pytest.raises(Unavailable, match="login: no connection, 5 times"):
        desk.detail()


@pytest.mark.parametrize(("status", "error"), [(404, NotFound), (400, Unavailable), (418, Unavailable)])
def test_other_refusals_are_not_tried_again(desk: Desk, status: int, error: type[OperonError]):
    desk.stub.script[f"/api/2{CASE_PATH}"] = [f"status {status} *"]
    with pytest.raises(error):
        desk.detail()
    assert desk.asked() == 1


# --- where the token goes ---------------------------------------------------------------------------------------------


@pytest.fixture
def other(allow_loopback: Callable[[int], None]) -> Iterator[CipStub]:
    with running() as one:
        allow_loopback(one.port)
        yield one


def test_a_redirect_is_followed_on_the_same_server_only(desk: Desk, other: CipStub):
    desk.stub.script[f"/api/2{CASE_PATH}"] = ["to /api/2/interpretation-request/7/1/"]
    assert desk.detail() == CASE
    desk.stub.script[f"/api/2{CASE_PATH}"] = [f"to {other.api}{CASE_PATH}"]
    with pytest.raises(Unavailable, match="another host"):
        desk.detail()
    assert other.asked == []


@pytest.mark.parametrize("form", ["http://127.0.0.1:{port}/x", "//127.0.0.1:{port}/x", "http://u@127.0.0.1:{own}/x"])
def test_a_next_page_on_another_server_is_refused(desk: Desk, other: CipStub, form: str):
    following = form.format(port=other.port, own=desk.stub.port)
    desk.stub.put(LIST_PATH, page([{"interpretation_request_id": "7-1"}], count=2, following=following))
    with pytest.raises(Unavailable, match="another host"):
        desk.client.cases({})
    assert other.asked == []


def test_variables_of_the_machine_change_nothing(desk: Desk, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login a password b\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    assert desk.detail() == CASE
    assert desk.stub.asked[-1].headers["Authorization"].startswith("JWT ")


def test_an_answer_that_is_too_large_is_refused(stub: CipStub):
    stub.put(CASE_PATH, {**CASE, "padding": "x" * 5000})
    with pytest.raises(LimitExceeded, match="OPERON_CIP_ANSWER_MAX_BYTES"):
        desk_at(stub, cip_answer_max_bytes=4096).detail()


# --- the list ---------------------------------------------------------------------------------------------------------


def entries(*numbers: int) -> list[dict[str, str]]:
    return [{"interpretation_request_id": f"{number}-1", "last_modified": "2022"} for number in numbers]


def names(listing: Listing) -> list[str]:
    return [one.name for one in listing.cases]


def two_pages(stub: CipStub, first: Any, second: Any, count: int) -> None:
    def pages(results: Any, following: str | None) -> list[Any]:
        lists = results if isinstance(results[0], list) else [results]
        return [page(one, count=count, following=following) for one in lists]

    stub.put(LIST_PATH, pages(first, f"{stub.api}{LIST_PATH}?page=2"))
    stub.put(f"{LIST_PATH}?page=2", pages(second, None))


def test_all_pages_of_the_list_are_read(desk: Desk):
    two_pages(desk.stub, entries(9, 8), entries(7), 3)
    listing = desk.client.cases({"sample_type": "cancer"})
    assert (names(listing), listing.is_complete) == (["7-1", "8-1", "9-1"], True)
    expected = {"page_size": "500", "minimize": "True", "extra_params": "show_referral", "sample_type": "cancer"}
    assert {name: value for name, [value] in desk.stub.asked[1].query.items()} == expected
    assert desk.asked(LIST_PATH) == 2


def test_a_case_counts_as_changed_when_its_consent_was(desk: Desk):
    [entry] = entries(9)
    entry["last_modified"] = "2022-03-02 10:00:01"
    consents = [{"last_modified": "2022-03-02T11:00:00.000000Z"}, {"last_modified": None}, None]
    referral = {"last_modified": "2022-03-02T10:30:00.000000Z", "econsent": {"participant_consent": consents}}
    desk.stub.put(LIST_PATH, page([{**entry, "referral": referral}, {**entries(8)[0], "referral": "r1"}]))
    assert [one.last_modified for one in desk.client.cases({}).cases] == ["2022", "2022-03-02T11:00:00.000000Z"]


def test_a_list_that_shifts_while_it_is_read_is_read_again(desk: Desk):
    two_pages(desk.stub, [entries(9, 8), entries(10, 9)], [entries(8), entries(8, 7)], 4)
    listing = desk.client.cases({})
    assert (names(listing), listing.is_complete) == (["7-1", "8-1", "9-1", "10-1"], True)


def test_a_list_that_never_agrees_with_its_count_is_incomplete(desk: Desk):
    two_pages(desk.stub, entries(9, 8), entries(8), 4)
    listing = desk.client.cases({})
    assert (names(listing), listing.is_complete, desk.asked(LIST_PATH)) == (["8-1", "9-1"], False, 4)


def test_a_page_that_is_gone_ends_the_list(desk: Desk):
    two_pages(desk.stub, entries(9, 8), entries(7), 2)
    desk.stub.script[f"/api/2{LIST_PATH}?page=2"] = ["status 404"]
    assert names(desk.client.cases({})) == ["8-1", "9-1"]


def test_pages_that_lead_in_a_circle_are_an_error(desk: Desk):
    desk.stub.put(LIST_PATH, page(entries(9), count=9, following=f"{desk.stub.api}{LIST_PATH}?page=2"))
    desk.stub.put(f"{LIST_PATH}?page=2", page(entries(8), count=9, following=f"{desk.stub.api}{LIST_PATH}?page=2"))
    with pytest.raises(Unavailable, match="leads back"):
        desk.client.cases({})


def test_pages_without_end_are_an_error(desk: Desk):
    for number in range(1, 9):
        following = f"{desk.stub.api}{LIST_PATH}?page={number + 1}"
        desk.stub.put(f"{LIST_PATH}?page={number}", page(entries(9), count=9, following=following))
    desk.stub.put(LIST_PATH, page(entries(9), count=9, following=f"{desk.stub.api}{LIST_PATH}?page=1"))
    with pytest.raises(Unavailable, match="does not end"):
        desk.client.cases({})


@pytest.mark.parametrize("answer", [[], {"results": {}}, {"results": None}, {"detail": "?"}, "text", {"cases": []}])
def test_a_list_of_another_shape_is_an_error(desk: Desk, answer: Any):
    desk.stub.put(LIST_PATH, b"[]" if answer == [] else answer)
    with pytest.raises(Unavailable, match="another shape"):
        desk.client.cases({})


def test_entries_that_name_no_case_cost_nobody_else(desk: Desk):
    odd = [{"interpretation_request_id": "x"}, {}, 5, {"interpretation_request_id": "GEL-8-2"}]
    odd += [{"interpretation_request_id": 6, "version": 3}]
    desk.stub.put(LIST_PATH, page([*entries(9), *odd]))
    listing = desk.client.cases({})
    assert (names(listing), listing.unreadable, listing.is_complete) == (["6-3", "8-2", "9-1"], 3, True)


@pytest.mark.parametrize(
    "answer",
    [b"[]", b"null", {}, {"version": "1"}, {**CASE, "interpretation_request_id": 8}, {**CASE, "version": 2}],
)
def test_a_detail_that_is_not_of_the_case_is_refused(desk: Desk, answer: Any):
    desk.stub.put(CASE_PATH, answer)
    with pytest.raises(InvalidInput, match="case 7-1"):
        desk.detail()


def test_consent_is_asked_for_where_there_is_any(desk: Desk):
    path = "/referral/r 1/econsent/"
    assert desk.client.econsent("r1") is None
    desk.stub.put(path.replace(" ", "%20"), {"econsent": [{"participant_id": "p1"}]})
    found = desk.client.econsent("r 1")
    assert found is not None
    assert found.content["econsent"] == [{"participant_id": "p1"}]
    desk.stub.put(path.replace(" ", "%20"), {"econsent": None})
    with pytest.raises(InvalidInput, match="econsent"):
        desk.client.econsent("r 1")


# --- secrets ----------------------------------------------------------------------------------------------------------


def test_secrets_and_tokens_are_in_no_message_log_or_representation(
    stub: CipStub, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
):
    caplog.set_level(logging.DEBUG)
    said = []
    for credentials in (ClientCredentials(TENANT, "other", SECRET), UserCredentials("other", SECRET)):
        desk = desk_at(stub, credentials)
        with pytest.raises(NotAuthenticated) as refused:
            desk.detail()
        said += ["".join(traceback.format_exception(refused.value)), repr(credentials), str(desk.client.environment)]
    desk = desk_at(stub)
    for acts in (["status 500 *"], ["break *"], ["status 403 *"], ["status 401 *"]):
        stub.script[f"/api/2{CASE_PATH}"] = acts
        with pytest.raises(OperonError) as failed:
            desk.detail()
        said += ["".join(traceback.format_exception(failed.value)), repr(desk.client.environment)]
    said += [caplog.text, *capsys.readouterr()]
    for text in said:
        assert SECRET not in text
        assert not any(token in text for token in stub.tokens)


# --- environments -----------------------------------------------------------------------------------------------------

CLIENT = {"CIPAPI_TENANT_ID": "t", "CIPAPI_CLIENT_ID": "c", "CIPAPI_CLIENT_SECRET": "s"}


@pytest.mark.parametrize(
    ("name", "variables", "base"),
    [
        ("uat", {}, "https://cipapi-gms-beta.genomicsengland.nhs.uk/api/2"),
        ("PROD", {}, "https://cipapi.genomicsengland.nhs.uk/api/2"),
        ("PROD", {"CIPAPI_BASE_URL": "https://gateway.example/cip/"}, "https://gateway.example/cip/api/2"),
        ("mine", {"CIPAPI_BASE_URL": "http://127.0.0.1:8000/api/2/"}, "http://127.0.0.1:8000/api/2"),
    ],
)
def test_an_environment_has_the_address_of_its_name(name: str, variables: dict[str, str], base: str):
    environment = read_environment(name, Settings(), CLIENT | variables)
    assert (environment.base_url, environment.login_url) == (base, "https://login.microsoftonline.com")
    assert environment.credentials == ClientCredentials("t", "c", "s")
    assert base in str(environment)


@pytest.mark.parametrize(
    ("name", "variables", "message"),
    [
        ("mine", {}, "CIPAPI_BASE_URL is needed"),
        ("UAT", {"CIPAPI_BASE_URL": "https://cipapi-beta.genomicsengland.co.uk"}, "address of SIT, not of UAT"),
        ("mine", {"CIPAPI_BASE_URL": "https://cipapi.genomicsengland.nhs.uk."}, "address of PROD, not of mine"),
        ("UAT", {"CIPAPI_BASE_URL": "http://cipapi.example/"}, "not https"),
        ("UAT", {"CIPAPI_BASE_URL": "https://user:hidden@cipapi.example/"}, "no address"),
        ("UAT", {"CIPAPI_BASE_URL": "https://cipapi.example:x/"}, "no address"),
        ("UAT", {"CIPAPI_CLIENT_SECRET": ""}, "CIPAPI_CLIENT_SECRET must be given"),
        ("UAT", {"CIPAPI_USERNAME": "u"}, "exclude each other"),
        ("UAT", {"CIPAPI_CLIENT_SECRET_FILE": "/nothing"}, "exclude each other"),
        ("UAT", {"CIPAPI_CLIENT_SECRET": "", "CIPAPI_CLIENT_SECRET_FILE": "/nothing"}, "cannot be read"),
    ],
)
def test_an_environment_that_contradicts_itself_is_refused(name: str, variables: dict[str, str], message: str):
    with pytest.raises(Misconfigured, match=message) as refused:
        read_environment(name, Settings(), CLIENT | variables)
    assert "hidden" not in str(refused.value)


@pytest.mark.parametrize("name", ["", "a b", "file", "Server", "x" * 33, "é"])
def test_not_every_word_names_an_environment(name: str):
    with pytest.raises(InvalidInput, match="name"):
        read_environment(name, Settings(), CLIENT)


def test_secrets_come_from_files_as_well(tmp_path: Path):
    (tmp_path / "secret").write_text("from a file\n")
    variables = CLIENT | {"CIPAPI_CLIENT_SECRET": "", "CIPAPI_CLIENT_SECRET_FILE": str(tmp_path / "secret")}
    assert read_environment("UAT", Settings(), variables).credentials == ClientCredentials("t", "c", "from a file")
    user = {"CIPAPI_USERNAME": "u", "CIPAPI_PASSWORD_FILE": str(tmp_path / "secret")}
    assert read_environment("UAT", Settings(), user).credentials == UserCredentials("u", "from a file")
    (tmp_path / "secret").write_text("two\nlines\n")
    with pytest.raises(Misconfigured, match="one line"):
        read_environment("UAT", Settings(), user)
