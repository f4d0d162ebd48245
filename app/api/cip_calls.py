"""A request to the CIP-API-compatible interface as its endpoints see it, and what an endpoint is."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

import orjson
from starlette.responses import Response
from starlette.types import Scope

from app.api.query import parse_plain_json
from app.api.scope import header, route_path
from app.api.server import Server
from app.errors import InvalidBody, UnsupportedMediaType, quoted
from app.operations.cip_access import Caller, Role
from app.operations.cip_cases import Asked
from app.operations.cip_query import Query

BASE: Final = "/api/2"
JSON: Final = "application/json"

CASE: Final = "operon.cip.case"
"""(request, version) that a request is about, for the audit"""

CASE_PATH: Final = "/interpretation-request/{id}/{version}"

_PREFIX: Final = re.compile(r"[A-Za-z]+-")


@dataclass(frozen=True, slots=True)
class Call:
    """A request of a user who is known, read as far as the store is not needed."""

    server: Server
    scope: Scope
    caller: Caller
    values: Mapping[str, str]
    """Of the path, by the names in the template"""
    query: Query
    raw: bytes
    """Body as it came; empty for GET"""

    @property
    def context(self) -> Any:
        """Return the open context, which functions of ``app.operations`` take."""
        return self.server.opened()

    def number(self, name: str) -> int:
        """Return a whole number of the path."""
        return int(_PREFIX.sub("", self.values[name]))

    def case(self) -> tuple[int, int]:
        """Return (request, version) of the case in the path, whichever way it is written there."""
        if "case" in self.values:
            request, _, version = _PREFIX.sub("", self.values["case"]).partition("-")
            found = int(request), int(version)
        else:
            found = self.number("id"), self.number("version")
        self.scope[CASE] = found
        return found

    @property
    def asked(self) -> Asked:
        """Return what functions of ``app.operations.cip_cases`` take."""
        return Asked(self.context, self.caller, self.query, self.base_url)

    def json(self) -> Any:
        """Return the value of the body.

        Raises:
            UnsupportedMediaType: it is said to be something else.
            InvalidBody: it is not JSON.
        """
        content_type = header(self.scope, b"content-type")
        name = content_type.partition(";")[0].strip().lower()
        if name not in ("", JSON) or header(self.scope, b"content-encoding").strip().lower() not in ("", "identity"):
            raise UnsupportedMediaType(f'Unsupported media type "{quoted(content_type)}" in request.')
        return parse_body(self.raw)

    def url(self, path: str) -> str:
        """Return the absolute address of a path below the interface's root (``/interpretation-request/1/1/``)."""
        return self.base_url + path

    @property
    def base_url(self) -> str:
        """Return the absolute address of the interface's root, without a slash at its end."""
        return self.server.root_url(self.scope) + BASE

    @property
    def own_url(self) -> str:
        """Return the absolute address that was asked, without query."""
        raw: bytes | None = self.scope.get("raw_path")
        path = raw.decode("latin-1") if raw else quote(route_path(self.scope))
        root: str = self.scope.get("root_path", "")
        below = path.removeprefix(root) if root and path.startswith(root + "/") else path
        return self.server.root_url(self.scope) + below


Answerer = Callable[[Call], Response]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """What answers one method of one path; the halves of the interface share paths by the same template."""

    name: str
    """Of metrics, logs and documentation: ``case-list``"""
    method: str
    template: str
    """Path below the root, no slash at its end; steps ``{id}``, ``{version}`` ... as ``app.api.cip`` knows them"""
    answer: Answerer
    role: Role = Role.READER
    """Least role that may ask"""
    summary: str = ""
    """For the documentation"""


def parse_body(raw: bytes) -> Any:
    """Return the value of a JSON body. Raises InvalidBody, in the words of the interface."""
    try:
        return parse_plain_json(raw)
    except InvalidBody as error:
        raise InvalidBody(f"JSON parse error - {_why(raw, error.diagnostics)}") from error


def _why(raw: bytes, otherwise: str) -> str:
    """Return what the parser of the original says; ``otherwise`` for what it does not mind."""
    try:
        json.loads(raw)
    except UnicodeDecodeError as error:
        return f"'{error.encoding}' codec can't decode byte at position {error.start}"
    except RecursionError:
        return otherwise
    except ValueError as error:
        return str(error)
    return otherwise


def json_answer(value: Any, status: int = 200) -> Response:
    """Return an answer; bytes are JSON already."""
    body = value if isinstance(value, bytes) else orjson.dumps(value)
    return Response(body, status, media_type=JSON)
