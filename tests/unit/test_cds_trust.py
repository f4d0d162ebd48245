"""Tokens of CDS clients: which are believed, and that everything else is not."""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app.config import Settings
from app.errors import Misconfigured
from app.security.cds_trust import CdsTrust, mode_of
from app.security.fetching import NotFetched
from tests.cds_client import ISSUER, JKU, KID, NOW, claims, key_set, public_jwk, token, write_keys

BASE = "https://genomics.example"
PATH = "/cds-services/pgx-medication-advisor"


class Keys:
    """A site with a JWK Set, and a clock."""

    def __init__(self, *keys: dict[str, Any]) -> None:
        self.document: Any = key_set(*keys)
        self.asked = 0
        self.now = float(NOW)

    def fetch(self, url: str) -> Any:
        assert url == JKU
        self.asked += 1
        if self.document is None:
            raise NotFetched("away")
        return self.document

    def trust(self, **settings: Any) -> CdsTrust:
        given = {"base_url": BASE, "cds_auth": "required", "cds_clients": f"{ISSUER} {JKU}"} | settings
        return CdsTrust(Settings(**given), fetch=self.fetch, clock=lambda: self.now)


def judge(text: str, keys: Keys | None = None, **settings: Any) -> str:
    verdict = (keys or Keys()).trust(**settings).judge(f"Bearer {text}", PATH)
    assert verdict.allowed == (verdict.token is not None)
    return "believed" if verdict.allowed else verdict.reason


def test_a_token_of_the_sandbox_is_believed():
    verdict = Keys().trust().judge(f"Bearer {token(BASE + PATH, jti='a')}", PATH)
    assert verdict.token is not None
    assert (verdict.token.issuer, verdict.token.expires) == (ISSUER, NOW + 330)
    assert verdict.token.digest != Keys().trust().judge(f"Bearer {token(BASE + PATH, jti='b')}", PATH).token.digest  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "audience", [BASE + PATH + "/", [BASE + PATH], ["https://elsewhere.example", BASE + PATH]], ids=str
)
def test_the_audience_may_be_a_list_or_have_a_slash(audience: Any):
    assert judge(token(audience)) == "believed"


@pytest.mark.parametrize("algorithm", ["ES384", "RS384", "ES256", "RS256", "ES512", "RS512"])
def test_signatures_that_the_settings_name_are_believed(algorithm: str):
    keys = Keys(public_jwk(algorithm))
    given = token(BASE + PATH, algorithm=algorithm)
    assert judge(given, keys, cds_algorithms=algorithm) == "believed"
    assert judge(given, keys) == ("believed" if algorithm in {"ES384", "RS384"} else "algorithm")


def encoded(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def unsigned() -> str:
    return f"{encoded({'alg': 'none', 'typ': 'JWT', 'kid': KID})}.{encoded(claims(BASE + PATH))}."


def shared_secret() -> str:
    """The known trick: a signature by HMAC with the public key as its secret."""
    signed = f"{encoded({'alg': 'HS256', 'typ': 'JWT', 'kid': KID})}.{encoded(claims(BASE + PATH))}"
    digest = hmac.digest(json.dumps(public_jwk()).encode(), signed.encode(), "sha256")
    return f"{signed}.{base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}"


def altered() -> str:
    head, _, signature = token(BASE + PATH).split(".")
    return f"{head}.{encoded(claims(BASE + PATH, jti='other'))}.{signature}"


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        pytest.param(unsigned, "algorithm", id="no signature"),
        pytest.param(shared_secret, "algorithm", id="HMAC"),
        pytest.param(altered, "signature", id="altered claims"),
        pytest.param(lambda: token(BASE + PATH, number=1), "signature", id="signed by another key"),
        pytest.param(lambda: token(BASE + PATH, header={"typ": "at+jwt"}), "type", id="another type"),
        pytest.param(lambda: token(BASE + PATH, header={"typ": ""}), "type", id="no type"),
        pytest.param(lambda: token(BASE + PATH, header={"kid": None}), "key id", id="no key id"),
        pytest.param(lambda: token(BASE + PATH, header={"kid": "other"}), "key", id="unknown key id"),
        pytest.param(lambda: token(BASE + PATH, header={"jku": "https://evil.example/"}), "jku", id="another jku"),
        pytest.param(lambda: token(BASE + PATH, header={"crit": ["exp"]}), "unreadable", id="critical extension"),
        pytest.param(lambda: token(BASE + PATH, algorithm="RS384"), "key", id="key of another type"),
        pytest.param(lambda: token(BASE + PATH, iss="https://evil.example"), "issuer", id="unknown issuer"),
        pytest.param(lambda: token(BASE + PATH, iss=None), "issuer", id="no issuer"),
        pytest.param(lambda: token(BASE + "/cds-services/other"), "audience", id="another service"),
        pytest.param(lambda: token("https://elsewhere.example" + PATH), "audience", id="another server"),
        pytest.param(lambda: token(BASE), "audience", id="the base alone"),
        pytest.param(lambda: token(None), "audience", id="no audience"),
        pytest.param(lambda: token({"a": 1}), "audience", id="audience of another kind"),
        pytest.param(lambda: token(BASE + PATH, exp=NOW - 31), "expired", id="expired"),
        pytest.param(lambda: token(BASE + PATH, exp=None), "times", id="no expiry"),
        pytest.param(lambda: token(BASE + PATH, exp="soon"), "times", id="expiry of another kind"),
        pytest.param(lambda: token(BASE + PATH, iat=NOW + 31), "not yet valid", id="issued later"),
        pytest.param(lambda: token(BASE + PATH, nbf=NOW + 31), "not yet valid", id="not before"),
        pytest.param(lambda: token(BASE + PATH, iat=None), "times", id="no time of issue"),
        pytest.param(lambda: token(BASE + PATH, exp=NOW + 86_401), "lifetime", id="lives too long"),
        pytest.param(lambda: token(BASE + PATH, iat=NOW, exp=NOW), "lifetime", id="no lifetime"),
        pytest.param(lambda: token(BASE + PATH, jti=None), "jti", id="no jti"),
        pytest.param(lambda: token(BASE + PATH, jti=""), "jti", id="empty jti"),
        pytest.param(lambda: "", "no token", id="empty"),
        pytest.param(lambda: "a.b.c", "unreadable", id="not a token"),
        pytest.param(lambda: "x" * 9000, "no token", id="too long"),
    ],
)
def test_a_token_that_is_not_right_is_refused(make: Callable[[], str], reason: str):
    assert judge(make()) == reason


@pytest.mark.parametrize("header", ["", "Basic YTpi", "Bearer", "bearer "])
def test_a_call_without_a_token_is_refused_where_one_is_required(header: str):
    assert Keys().trust().judge(header, PATH).reason == "no token"


def test_where_tokens_are_optional_a_bad_one_is_still_refused():
    trust = Keys().trust(cds_auth="optional")
    assert trust.judge("", PATH).allowed
    assert not trust.judge("Bearer x.y.z", PATH).allowed


def test_tokens_are_not_looked_at_where_they_are_off():
    keys = Keys()
    assert keys.trust(cds_auth="off").judge("Bearer x.y.z", PATH).allowed
    assert keys.asked == 0


def test_a_key_of_one_client_signs_for_no_other():
    keys = Keys()
    clients = f"{ISSUER} {JKU}, https://ehr.example https://ehr.example/jwks"

    def fetch(url: str) -> Any:
        return keys.document if url == JKU else key_set(public_jwk(number=1))

    settings = Settings(base_url=BASE, cds_auth="required", cds_clients=clients)
    trust = CdsTrust(settings, fetch=fetch, clock=lambda: NOW)
    stolen = token(BASE + PATH, number=1, header={"jku": None})
    assert trust.judge(f"Bearer {stolen}", PATH).reason == "signature"
    own = token(BASE + PATH, number=1, iss="https://ehr.example", header={"jku": "https://ehr.example/jwks"})
    assert trust.judge(f"Bearer {own}", PATH).allowed


def test_two_keys_of_one_id_are_no_key():
    assert judge(token(BASE + PATH), Keys(public_jwk(), public_jwk(number=1))) == "key"


def test_a_short_rsa_key_is_no_key():
    assert judge(token(BASE + PATH, algorithm="RS384"), Keys(public_jwk("RS384", number=9))) == "key"


def test_a_key_for_encryption_is_no_key():
    assert judge(token(BASE + PATH), Keys(public_jwk() | {"use": "enc"})) == "key"


def test_an_unknown_key_is_looked_for_again_after_five_minutes():
    keys = Keys(public_jwk(kid="old"))
    trust = keys.trust()

    def call() -> bool:
        return trust.judge(f"Bearer {token(BASE + PATH, now=keys.now)}", PATH).allowed

    assert not call()
    keys.document = key_set()
    keys.now += 299
    assert (call(), keys.asked) == (False, 1)
    keys.now += 1
    assert (call(), keys.asked) == (True, 2)
    assert (call(), keys.asked) == (True, 2)


def test_a_key_that_was_taken_back_ends_after_an_hour():
    keys = Keys()
    trust = keys.trust()
    assert trust.judge(f"Bearer {token(BASE + PATH)}", PATH).allowed
    keys.document = key_set(public_jwk(kid="new", number=1))
    keys.now += 3601
    assert not trust.judge(f"Bearer {token(BASE + PATH, now=keys.now)}", PATH).allowed


def test_keys_of_a_site_that_is_away_are_used_for_a_day():
    keys = Keys()
    trust = keys.trust()
    assert trust.judge(f"Bearer {token(BASE + PATH)}", PATH).allowed
    keys.document = None
    keys.now += 3601
    assert trust.judge(f"Bearer {token(BASE + PATH, now=keys.now)}", PATH).allowed
    keys.now += 86_400
    assert not trust.judge(f"Bearer {token(BASE + PATH, now=keys.now)}", PATH).allowed


@pytest.mark.parametrize("document", [None, [], {}, {"keys": 1}, {"keys": [1, {"kid": 1}, {"kid": KID}]}])
def test_a_broken_key_set_has_no_keys(document: Any):
    keys = Keys()
    keys.document = document
    assert judge(token(BASE + PATH), keys) == "key"


def test_keys_of_a_file_are_read_and_its_jku_is_never_asked(tmp_path: Path):
    path = write_keys(tmp_path / "keys.json")
    assert judge(token(BASE + PATH), Keys(), cds_clients=f"{ISSUER} {path} {JKU}") == "believed"
    assert judge(token(BASE + PATH), Keys(), cds_clients=f"{ISSUER} {path}") == "jku"
    assert judge(token(BASE + PATH, header={"jku": None}), Keys(), cds_clients=f"{ISSUER} {path}") == "believed"


@pytest.mark.parametrize(
    ("settings", "mode"),
    [
        ({}, "off"),
        ({"host": "::1"}, "off"),
        ({"host": "0.0.0.0", "env": "dev"}, "required"),
        ({"base_url": "http://localhost:8000"}, "off"),
        ({"base_url": "https://genomics.example"}, "required"),
        ({"base_url": "https://genomics.example", "cds_auth": "off"}, "off"),
    ],
)
def test_tokens_are_required_beyond_this_machine(settings: dict[str, Any], mode: str):
    assert mode_of(Settings(**settings)) == mode


def test_without_a_base_url_the_audience_is_the_address_that_is_listened_on():
    settings = Settings(cds_auth="required", cds_clients=f"{ISSUER} {JKU}")
    trust = CdsTrust(settings, fetch=Keys().fetch, clock=lambda: NOW)
    for host, allowed in {"localhost:8000": True, "127.0.0.1:8000": True, "testserver": False}.items():
        assert trust.judge(f"Bearer {token(f'http://{host}{PATH}')}", PATH).allowed is allowed


@pytest.mark.parametrize(
    "settings",
    [
        {"cds_clients": "https://x.example"},
        {"cds_clients": " https://x.example/jwks"},
        {"cds_clients": "a https://x.example/jwks,a https://y.example/jwks"},
        {"cds_clients": "a http://x.example/jwks"},
        {"cds_algorithms": "HS256"},
        {"cds_algorithms": "none"},
    ],
    ids=str,
)
def test_settings_that_would_trust_anybody_are_refused(settings: dict[str, Any]):
    with pytest.raises(Misconfigured, match="OPERON_CDS_"):
        CdsTrust(Settings(**settings))
