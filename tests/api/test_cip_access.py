"""Who may ask the CIP-API-compatible interface, and how it refuses: statuses and texts of every refusal."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path

import jwt
import pytest

from app.security import cip_tokens
from app.store import cip_audit, cip_users
from tests.api.client import Answer
from tests.cip_server import PASSWORD, CipServer, cip_server

PATH = "/workspace-groups"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[CipServer]:
    with cip_server(f"sqlite:///{tmp_path / 'operon.db'}", tmp_path) as made:
        yield made


def error(answer: Answer) -> tuple[int, object]:
    assert answer.headers["content-type"] == "application/json"
    return answer.status, answer.json()


def log_in(server: CipServer, body: object, content_type: str = "application/json") -> Answer:
    data = body if isinstance(body, (bytes, str)) else json.dumps(body)
    return server.client.post("/api/2/get-token/", data, content_type)


# --- get-token --------------------------------------------------------------------------------------------------------


def test_a_token_is_a_jwt_with_the_claims_that_clients_read(server: CipServer) -> None:
    claims = jwt.decode(server.token("reader"), options={"verify_signature": False})
    assert claims.keys() == {"username", "user_id", "email", "orig_iat", "exp"}
    assert (claims["username"], claims["user_id"], claims["email"]) == ("reader", 1, "reader@example.org")
    assert isinstance(claims["orig_iat"], int)
    assert claims["exp"] == claims["orig_iat"] + 3600


@pytest.mark.parametrize("path", ["/api/2/get-token/", "/api/2/get-token"])
def test_a_form_logs_in_with_and_without_slash(server: CipServer, path: str) -> None:
    assert server.client.form(path, "username=reader&password=correct+horse").status == 200


def test_a_multipart_form_logs_in(server: CipServer) -> None:
    body = "".join(
        f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in (("username", "reader"), ("password", PASSWORD))
    )
    assert log_in(server, body + "--b--\r\n", "multipart/form-data; boundary=b").status == 200


@pytest.mark.parametrize("username", ["reader", "nobody", "no\0body"])
def test_wrong_credentials_are_refused_alike_whether_or_not_the_user_exists(server: CipServer, username: str) -> None:
    assert error(log_in(server, {"username": username, "password": "wrong"})) == (
        400,
        {"non_field_errors": ["Unable to log in with provided credentials."]},
    )


@pytest.mark.parametrize(
    ("body", "problems"),
    [
        (
            {},
            {"username": ["This field is required."], "password": ["This field is required."]},
        ),
        ({"username": "reader"}, {"password": ["This field is required."]}),
        ({"username": "", "password": "x"}, {"username": ["This field may not be blank."]}),
        ({"username": None, "password": "x"}, {"username": ["This field may not be null."]}),
        ({"username": ["x"], "password": "x"}, {"username": ["Not a valid string."]}),
        ([], {"non_field_errors": ["Invalid data. Expected a dictionary, but got list."]}),
        (
            "not json",
            {"detail": "JSON parse error - Expecting value: line 1 column 1 (char 0)"},
        ),
    ],
)
def test_a_login_names_what_is_missing(server: CipServer, body: object, problems: object) -> None:
    assert error(log_in(server, body)) == (400, problems)


def test_a_login_in_another_form_is_refused(server: CipServer) -> None:
    assert error(log_in(server, "x", "text/plain")) == (
        415,
        {"detail": 'Unsupported media type "text/plain" in request.'},
    )


def test_a_user_without_password_cannot_log_in(server: CipServer) -> None:
    with server.store.database.write() as session:
        cip_users.set_password(session, "reader", "")
    assert log_in(server, {"username": "reader", "password": " "}).status == 400
    assert log_in(server, {"username": "reader", "password": "x"}).status == 400


def test_too_many_failures_are_throttled_even_with_the_right_password(server: CipServer) -> None:
    for _ in range(10):
        assert log_in(server, {"username": "reader", "password": "wrong"}).status == 400
    answer = log_in(server, {"username": "reader", "password": PASSWORD})
    seconds = int(answer.headers["retry-after"])
    assert 0 < seconds <= 300
    assert error(answer) == (429, {"detail": f"Request was throttled. Expected available in {seconds} seconds."})
    assert log_in(server, {"username": "writer", "password": PASSWORD}).status == 200


# --- tokens -----------------------------------------------------------------------------------------------------------


def asked(server: CipServer, authorization: str | None) -> Answer:
    return server.client.get(f"/api/2{PATH}", **({"authorization": authorization} if authorization else {}))


@pytest.mark.parametrize("scheme", ["JWT", "jwt", "Bearer", "BEARER"])
@pytest.mark.parametrize("path", [PATH, PATH + "/"])
def test_both_schemes_are_taken_in_any_case(server: CipServer, scheme: str, path: str) -> None:
    answer = server.client.get(f"/api/2{path}", authorization=f"{scheme} {server.token()}")
    assert answer.status == 200


@pytest.mark.parametrize("authorization", [None, "Basic cmVhZGVyOng=", "Token x"])
def test_a_request_without_token_is_told_to_bring_one(server: CipServer, authorization: str | None) -> None:
    answer = asked(server, authorization)
    assert error(answer) == (401, {"detail": "Authentication credentials were not provided."})
    assert answer.headers["www-authenticate"] == 'JWT realm="api"'


def signed(server: CipServer, **changes: object) -> str:
    """Return a token that is signed like those of the server, with other claims."""
    with server.store.database.read() as session:
        user = cip_users.find(session, "reader")
    assert user is not None
    key = cip_tokens.user_key(server.store.context.sealer.key(cip_tokens.PURPOSE), "reader", user.password)
    claims = jwt.decode(server.token(), options={"verify_signature": False}) | changes
    return jwt.encode({name: value for name, value in claims.items() if value is not None}, key, algorithm="HS256")


def test_garbage_and_tokens_of_others_are_refused(server: CipServer) -> None:
    good = server.token()
    other = jwt.encode(jwt.decode(good, options={"verify_signature": False}), b"x" * 32, algorithm="HS256")
    unsigned = jwt.encode(jwt.decode(good, options={"verify_signature": False}), "", algorithm="none")
    for token in (
        "",
        "garbage",
        good[:-4],
        f"{good} {good}",
        other,
        unsigned,
        signed(server, username="writer"),
        signed(server, username=7),
        signed(server, username="no\0body"),
        signed(server, exp=None),
        signed(server, orig_iat=None),
        "x" * 9000,
    ):
        answer = asked(server, f"JWT {token}")
        assert error(answer) == (401, {"detail": "Error decoding signature."}), token[:80]
        assert answer.headers["www-authenticate"] == 'JWT realm="api"'


def test_an_expired_token_says_so(server: CipServer) -> None:
    answer = asked(server, f"JWT {signed(server, exp=1)}")
    assert error(answer) == (401, {"detail": "Signature has expired."})
    assert answer.headers["www-authenticate"] == 'JWT realm="api"'


def test_a_removed_user_and_a_changed_password_end_tokens(server: CipServer) -> None:
    reader, writer = server.token("reader"), server.token("writer")
    with server.store.database.write() as session:
        cip_users.remove(session, "reader")
        cip_users.set_password(session, "writer", "scrypt$2$8$1$00$00")
    assert asked(server, f"JWT {reader}").status == 401
    assert asked(server, f"JWT {writer}").status == 401


# --- everything else --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/", "/nothing", "/participants/", "/interpretation-request/x/1/", "/a%00b"])
def test_an_unknown_path_is_not_found(server: CipServer, path: str) -> None:
    assert error(server.get(path)) == (404, {"detail": "Not found."})


def test_a_wrong_verb_is_not_allowed(server: CipServer) -> None:
    answer = server.send("POST", PATH, {})
    assert error(answer) == (405, {"detail": 'Method "POST" not allowed.'})
    assert answer.headers["allow"] == "GET, HEAD, OPTIONS"
    assert error(server.client.get("/api/2/get-token/")) == (405, {"detail": 'Method "GET" not allowed.'})


def test_a_large_body_is_refused_before_it_is_read(tmp_path: Path) -> None:
    with cip_server(f"sqlite:///{tmp_path / 'operon.db'}", tmp_path, cip_max_body_bytes=3 * 2**20) as server:
        large = (413, {"detail": "The request body is larger than 3145728 bytes"})
        path = "/interpretation-request/1/1/"
        assert error(server.send("PATCH", path, b"x" * (3 * 2**20 + 1))) == large
        assert error(server.send("PATCH", path, b"", content_length=str(2**40))) == large
        assert server.send("PATCH", path, b"x" * (3 * 2**20)).status in (400, 404)
        answer = log_in(server, "x" * 70_000)
        assert error(answer) == (413, {"detail": "The request body is larger than 65536 bytes"})


def test_a_broken_form_is_refused(server: CipServer) -> None:
    for body, kind in (("x", "multipart/form-data"), ("%ff=%fe", "application/x-www-form-urlencoded")):
        assert log_in(server, body, kind).status == 400


def test_unknown_parameters_do_no_harm(server: CipServer) -> None:
    assert server.get(f"{PATH}?params=x&format=json&page_size=").status == 200


def test_every_request_is_recorded_with_who_asked(server: CipServer) -> None:
    server.get(PATH)
    asked(server, None)
    server.get("/nothing/p10000000101/")
    rows = list(cip_audit.entries(server.store.database))
    assert [(row["username"], row["method"], row["endpoint"], row["status"]) for row in rows] == [
        ("reader", "POST", "/api/2/get-token", 200),
        ("reader", "GET", "/api/2/workspace-groups", 200),
        ("", "GET", "/api/2/workspace-groups", 401),
        ("", "GET", "-", 404),
    ]


def test_what_cannot_be_recorded_is_not_answered(server: CipServer, monkeypatch: pytest.MonkeyPatch) -> None:
    token = server.token()

    def broken(*_: object) -> None:
        raise OSError

    monkeypatch.setattr(cip_audit, "append", broken)
    answer = asked(server, f"JWT {token}")
    assert answer.status == 503
    assert answer.json() == {"detail": "The request could not be recorded, and was not answered therefore"}


# --- tokens as a directory gives them ---------------------------------------------------------------------------------

TENANT = "0000-tenant"


@pytest.fixture
def directory(tmp_path: Path) -> Iterator[CipServer]:
    with cip_server(f"sqlite:///{tmp_path / 'operon.db'}", tmp_path, cip_tenant=TENANT) as made:
        yield made


def granted(server: CipServer, body: str, **headers: str) -> Answer:
    return server.client.request("POST", f"/{TENANT}/oauth2/token", body.encode(), headers)


BASIC = "Basic " + base64.b64encode(f"reader:{PASSWORD}".encode()).decode()
FORM = "application/x-www-form-urlencoded"
IN_BODY = "grant_type=client_credentials&client_id=reader&client_secret=correct+horse&resource=r"


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        ("grant_type=client_credentials", {"authorization": BASIC, "content_type": FORM}),
        ("grant_type=client_credentials", {"authorization": BASIC}),
        (IN_BODY, {"content_type": FORM}),
        (
            '--b\r\nContent-Disposition: form-data; name="grant_type"\r\n\r\nclient_credentials\r\n--b--\r\n',
            {"authorization": BASIC, "content_type": "multipart/form-data; boundary=b"},
        ),
    ],
)
def test_a_program_gets_a_token_as_from_a_directory(directory: CipServer, body: str, headers: dict[str, str]) -> None:
    answer = granted(directory, body, **headers)
    assert answer.status == 200, answer.body
    found = answer.json()
    assert found.keys() == {
        "token_type", "expires_in", "ext_expires_in", "expires_on", "not_before", "resource", "access_token",
    }  # fmt: skip
    assert all(isinstance(value, str) for value in found.values())
    assert (found["token_type"], int(found["expires_on"]) - int(found["not_before"])) == ("Bearer", 3600)
    assert asked(directory, f"JWT {found['access_token']}").status == 200


@pytest.mark.parametrize(
    ("body", "status", "named"),
    [
        ("grant_type=password", 400, "unsupported_grant_type"),
        ("grant_type=client_credentials", 400, "invalid_request"),
        ("grant_type=client_credentials&client_id=reader&client_secret=wrong", 401, "invalid_client"),
        ("grant_type=client_credentials&client_id=nobody&client_secret=wrong", 401, "invalid_client"),
    ],
)
def test_a_directory_refuses_in_its_own_words(directory: CipServer, body: str, status: int, named: str) -> None:
    answer = granted(directory, body, content_type=FORM)
    assert (answer.status, answer.json()["error"]) == (status, named)
    assert answer.json().keys() == {"error", "error_description", "error_codes"}
    assert "wrong" not in answer.body.decode()


def test_without_a_tenant_there_is_no_directory(server: CipServer) -> None:
    assert granted(server, IN_BODY, content_type=FORM).status == 404


def test_failures_at_the_directory_count_like_those_at_the_login(directory: CipServer) -> None:
    for _ in range(10):
        granted(directory, IN_BODY + "wrong&client_secret=wrong", content_type=FORM)
    assert granted(directory, IN_BODY, content_type=FORM).status == 429
    assert log_in(directory, {"username": "reader", "password": PASSWORD}).status == 429
    rows = list(cip_audit.entries(directory.store.database))
    assert {row["endpoint"] for row in rows} == {"/{tenant}/oauth2/token", "/api/2/get-token"}
