"""Tokens for a CIP-API server: fetched with the client's or user's secret, renewed before they end.

https://learn.microsoft.com/en-us/entra/identity-platform/v2-oauth2-client-creds-grant-flow describes the grant; the
servers take the endpoint of version 1. How long a token lives is told by the answer or by the token itself, whose
signature is the server's business.
"""

from __future__ import annotations

import base64
import binascii
import re
import threading
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

import orjson

from app.errors import NotAuthenticated, quoted
from ingest.cip_environment import ClientCredentials, Environment
from ingest.cip_http import Sender

_BEFORE_END = 60.0
_TOKEN = re.compile(r"[\x21-\x7e]{1,65536}", re.ASCII)


class Tokens:
    """Hands out a token that is good for a while yet; may be used by several threads."""

    def __init__(self, environment: Environment, login: Sender, server: Sender, clock: Callable[[], float]) -> None:
        self._environment = environment
        self._login = login
        self._server = server
        self._clock = clock
        self._lock = threading.Lock()
        self._token = ""
        self._until = 0.0

    def get(self) -> str:
        """Return a token.

        Raises:
            NotAuthenticated: none is given.
            Unavailable: nobody can be asked for one.
        """
        with self._lock:
            if not self._token or self._clock() >= self._until:
                self._fetch()
            return self._token

    def renewed(self, refused: str) -> str:
        """Return another token than the one that the server refused; of several threads that ask, one fetches it.

        Raises:
            NotAuthenticated: none is given.
            Unavailable: nobody can be asked for one.
        """
        with self._lock:
            if self._token == refused:
                self._fetch()
            return self._token

    def _fetch(self) -> None:
        credentials = self._environment.credentials
        asked = self._clock()
        if isinstance(credentials, ClientCredentials):
            url = f"{self._environment.login_url}/{quote(credentials.tenant, safe='')}/oauth2/token"
            pair = base64.b64encode(f"{credentials.client_id}:{credentials.client_secret}".encode()).decode()
            login = {"Authorization": f"Basic {pair}"}
            form = {"grant_type": "client_credentials"}
            answer = self._login.send("POST", url, what="login", headers=login, data=form)
            key, secrets = "access_token", (credentials.client_secret,)
        else:
            url = f"{self._environment.base_url}/get-token/"
            form = {"username": credentials.username, "password": credentials.password}
            answer = self._server.send("POST", url, what="login", headers={}, data=form)
            key, secrets = "token", (credentials.password,)
        found = answer.json if isinstance(answer.json, Mapping) else {}
        token = found.get(key)
        if answer.status not in (200, 201):
            raise NotAuthenticated(f"{self._environment.name}: {_refusal(answer.status, found, secrets)}")
        if not isinstance(token, str) or not _TOKEN.fullmatch(token):
            raise NotAuthenticated(f"{self._environment.name}: the login answered without a token")
        lifetime = _lifetime(found, token, asked)
        self._token, self._until = token, asked + lifetime - min(_BEFORE_END, lifetime / 2)


def _lifetime(answer: Mapping[str, Any], token: str, now: float) -> float:
    """Return for how many seconds a token is good; where nothing tells, until the server refuses it.

    The shortest of what is told counts: this machine's clock may be wrong, and not every field is kept right.
    """
    claims = _claims(token)
    end, begin = _number(claims.get("exp")), _number(claims.get("iat", claims.get("orig_iat")))
    told = [_number(answer.get("expires_in"))]
    told += [until - now for until in (end, _number(answer.get("expires_on"))) if until is not None]
    if end is not None and begin is not None:
        told.append(end - begin)
    return min((seconds for seconds in told if seconds is not None and seconds > 0), default=float("inf"))


def _claims(token: str) -> Mapping[str, Any]:
    try:
        middle = token.split(".")[1]
        found = orjson.loads(base64.urlsafe_b64decode(middle + "=" * (-len(middle) % 4)))
    except (IndexError, binascii.Error, ValueError):
        return {}
    return found if isinstance(found, Mapping) else {}


def _number(value: Any) -> float | None:
    try:
        return float(value) if isinstance(value, (int, float, str)) and not isinstance(value, bool) else None
    except ValueError:
        return None


def _refusal(status: int, answer: Mapping[str, Any], secrets: tuple[str, ...]) -> str:
    """Return why a login was refused in the words of who refused it, should they repeat a secret without it."""
    words = [answer.get("error"), answer.get("error_description"), answer.get("detail")]
    words.extend(answer.get("non_field_errors") or [])
    text = " ".join(": ".join(word for word in words if isinstance(word, str)).split())
    for secret in secrets:
        text = text.replace(secret, "…")
    return f"the login was refused with status {status}" + (f": {quoted(text)}" if text else "")
