"""Who asks the CIP-API-compatible interface: tokens in requests, and where users get them."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, Final

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope

from app.api.cip_calls import JSON, json_answer, parse_body
from app.api.cip_errors import BAD_TOKEN, CHALLENGE, EXPIRED, NOT_PROVIDED
from app.api.scope import ERROR_HEADERS, PEER, header
from app.api.server import Server
from app.errors import InvalidFields, NotAuthenticated, Throttled, UnsupportedMediaType, quoted
from app.operations.cip_access import Account, Caller, account_of, key_of
from app.security import cip_tokens
from app.security.cip_attempts import Attempts
from app.security.cip_passwords import is_password

CALLER: Final = "operon.cip.caller"
"""Name of the user who asks, for the audit; absent while nobody is recognized"""

_SCHEMES: Final = frozenset({"jwt", "bearer"})
_FORMS: Final = frozenset({"application/x-www-form-urlencoded", "multipart/form-data"})
_FIELDS: Final = ("username", "password")
_REFUSED: Final = {"non_field_errors": ["Unable to log in with provided credentials."]}


class Login:
    """Recognizes users, and gives them tokens."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._attempts = Attempts()

    def recognize(self, scope: Scope) -> Caller:
        """Return the user whose token a request has.

        Raises:
            NotAuthenticated: it has none, or none that is good.
        """
        scheme, _, token = header(scope, b"authorization").strip().partition(" ")
        if scheme.lower() not in _SCHEMES:
            raise _refusal(scope, NOT_PROVIDED)
        caller = self._holder(scope, token.strip())
        scope[CALLER] = caller.username
        return caller

    def _holder(self, scope: Scope, token: str) -> Caller:
        name = cip_tokens.claimed_username(token)
        account = account_of(self._server.opened(), name) if name and "\0" not in name else None
        if account is None:
            raise _refusal(scope, BAD_TOKEN)
        match cip_tokens.judge(self._key(account), token, now=int(time.time())):
            case cip_tokens.Verdict.BAD:
                raise _refusal(scope, BAD_TOKEN)
            case cip_tokens.Verdict.EXPIRED:
                raise _refusal(scope, EXPIRED)
        return account.caller

    async def get_token(self, scope: Scope, receive: Receive) -> Response:
        """Answer ``POST /get-token/``."""
        given = await _credentials(Request(scope, receive))
        return await self._server.run(lambda: self._log_in(scope, given))

    def _log_in(self, scope: Scope, given: Mapping[str, str]) -> Response:
        account, now = self.admit(scope, given["username"], given["password"])
        if account is None:
            return json_answer(_REFUSED, InvalidFields.status)
        return json_answer({"token": self.token(account, now)})

    def admit(self, scope: Scope, username: str, password: str) -> tuple[Account | None, int]:
        """Return the account of a user whose password is right, or None, and the time.

        Raises:
            Throttled: too many attempts failed lately.
        """
        now, peer = time.time(), scope.get(PEER) or scope.get("client")
        address = str(peer[0]) if isinstance(peer, (tuple, list)) else str(peer)
        wait = self._attempts.wait(username, address, now)
        if wait:
            scope[ERROR_HEADERS] = {"Retry-After": str(wait)}
            raise Throttled(wait)
        account = account_of(self._server.opened(), username) if "\0" not in username else None
        if not is_password(password, account.password if account else "") or account is None:
            self._attempts.failed(username, address, now)
            return None, int(now)
        self._attempts.succeeded(username)
        scope[CALLER] = account.caller.username
        return account, int(now)

    def token(self, account: Account, now: int) -> str:
        """Return a token of a user that is good from now on."""
        caller = account.caller
        holder = cip_tokens.Holder(caller.username, caller.user_id, caller.email)
        seconds = self._server.settings.cip_token_minutes * 60
        return cip_tokens.issue(self._key(account), holder, now=now, seconds=seconds)

    def _key(self, account: Account) -> bytes:
        installation = key_of(self._server.opened(), cip_tokens.PURPOSE)
        return cip_tokens.user_key(installation, account.caller.username, account.password)


def _refusal(scope: Scope, text: str) -> NotAuthenticated:
    scope[ERROR_HEADERS] = CHALLENGE
    return NotAuthenticated(text)


async def _credentials(request: Request) -> dict[str, str]:
    """Return name and password. Raises InvalidFields, which names what is missing."""
    raw = await request.body()
    content_type = request.headers.get("content-type", "")
    kind = content_type.partition(";")[0].strip().lower()
    given: Mapping[str, Any] | FormData
    if kind in _FORMS:
        given = await request.form()
    elif kind in ("", JSON):
        given = _object(parse_body(raw))
    else:
        raise UnsupportedMediaType(f'Unsupported media type "{quoted(content_type)}" in request.')
    problems = {name: texts for name in _FIELDS if (texts := _wrong(given, name))}
    if problems:
        raise InvalidFields(problems)
    return {name: str(given[name]) for name in _FIELDS}


def _object(value: object) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        kind = {list: "list", str: "str", bool: "bool", int: "int", float: "float"}.get(type(value), "NoneType")
        raise InvalidFields({"non_field_errors": [f"Invalid data. Expected a dictionary, but got {kind}."]})
    return value


def _wrong(given: Mapping[str, Any] | FormData, name: str) -> list[str]:
    if name not in given:
        return ["This field is required."]
    value = given[name]
    if value is None:
        return ["This field may not be null."]
    if not isinstance(value, str):
        return ["Not a valid string."]
    return [] if value.strip() else ["This field may not be blank."]
