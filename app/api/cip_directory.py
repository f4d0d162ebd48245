"""Tokens for programs as a directory gives them (OAuth 2.0 client credentials): names and passwords are those of users.

Bodies and answers are those of ``https://login.microsoftonline.com/{tenant}/oauth2/token``, numbers as texts.
"""

from __future__ import annotations

from base64 import b64decode
from typing import Final
from urllib.parse import unquote

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from app.api.cip_calls import json_answer
from app.api.cip_login import Login
from app.api.query import parse_query
from app.api.scope import OPERATION, ROUTE, header
from app.api.server import Server
from app.errors import UnsupportedMediaType

_MULTIPART: Final = "multipart/form-data"
_GRANT: Final = "client_credentials"


def path_of(tenant: str) -> str:
    """Return the path of a tenant; empty where there is none."""
    return f"/{tenant}/oauth2/token" if tenant else ""


def routes(server: Server, login: Login) -> list[BaseRoute]:
    """Return the route, if the settings name a tenant."""
    path = path_of(server.settings.cip_tenant)

    async def token(request: Request) -> Response:
        request.scope[OPERATION], request.scope[ROUTE] = "cip-directory", "/{tenant}/oauth2/token"
        given = await _form(request)
        return await server.run(lambda: _answer(server, login, request, given))

    return [Route(path, token, methods=["POST"])] if path else []


async def _form(request: Request) -> dict[str, str]:
    """Return the fields of a body; one without a media type is a form, as some clients send it."""
    kind = header(request.scope, b"content-type").partition(";")[0].strip().lower()
    if kind == _MULTIPART:
        return {name: value for name, value in (await request.form()).items() if isinstance(value, str)}
    if kind in ("", "application/x-www-form-urlencoded"):
        return dict(parse_query(await request.body()))
    raise UnsupportedMediaType("Send application/x-www-form-urlencoded or multipart/form-data")


def _answer(server: Server, login: Login, request: Request, given: dict[str, str]) -> Response:
    if given.get("grant_type") != _GRANT:
        return _refused(400, "unsupported_grant_type", 70003, f"The grant_type has to be {_GRANT}")
    basic = _basic(header(request.scope, b"authorization"))
    name, secret = basic or (given.get("client_id", ""), given.get("client_secret", ""))
    if not name or not secret:
        return _refused(400, "invalid_request", 900144, "client_id or client_secret is missing")
    account, now = login.admit(request.scope, name, secret)
    if account is None:
        return _refused(401, "invalid_client", 7000215, "Invalid client secret is provided")
    seconds = server.settings.cip_token_minutes * 60
    return json_answer(
        {
            "token_type": "Bearer",
            "expires_in": str(seconds),
            "ext_expires_in": str(seconds),
            "expires_on": str(now + seconds),
            "not_before": str(now),
            "resource": given.get("resource", ""),
            "access_token": login.token(account, now),
        }
    )


def _basic(authorization: str) -> tuple[str, str] | None:
    """Return client and secret of a header; None if it has none."""
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        name, colon, secret = b64decode(encoded.strip(), validate=True).decode("utf-8").partition(":")
    except ValueError:
        return None
    return (unquote(name), secret) if colon else None


def _refused(status: int, error: str, code: int, description: str) -> Response:
    return json_answer({"error": error, "error_description": description, "error_codes": [code]}, status)
