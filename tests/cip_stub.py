"""A CIP-API server on loopback with its login, which serves what a test gives it and misbehaves when it is told to."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.loopback import serving

SECRET = "s3cret-Of-The-Client"
TENANT = "11111111-2222-3333-4444-555555555555"
LIFETIME = 3600


@dataclass(frozen=True)
class Asked:
    """A request that came."""

    method: str
    path: str
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]
    body: str


@dataclass
class CipStub:
    """The server: its documents by path, and what the next requests of a path get instead.

    Acts are ``status N [HEADER: VALUE]``, ``cut`` (half of the JSON, as if it were all), ``break`` (the connection
    ends in the middle), ``stall`` (nothing comes while the server runs), ``to URL`` (a redirect), and ``old`` (401,
    as with a token that has ended); `` *`` after an act: for good. A list of documents is served one after the
    other, the last for good.
    """

    port: int
    now: float = 1_700_000_000.0
    documents: dict[str, Any] = field(default_factory=dict)
    script: dict[str, list[str]] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)
    ended: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def host(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def api(self) -> str:
        return f"{self.host}/api/2"

    def put(self, path: str, document: Any, *acts: str) -> None:
        self.documents[f"/api/2{path}"] = document
        self.script[f"/api/2{path}"] = list(acts)

    def put_cases(self, *details: Mapping[str, Any]) -> None:
        """Serve cases and the list of them."""
        for one in details:
            self.put(f"/interpretation-request/{one['interpretation_request_id']}/{one['version']}/", one)
        self.put("/interpretation-request/", page([overview(one) for one in details]))

    def paths(self, beginning: str = "/api/2/interpretation-request/") -> list[str]:
        """Return the paths that were asked for."""
        return [one.path for one in self.asked if one.path.startswith(beginning)]

    def issue(self) -> str:
        """Return a new token."""
        claims = {"iat": int(self.now), "exp": int(self.now) + LIFETIME, "number": len(self.tokens)}
        middle = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
        self.tokens.append(f"head.{middle}.tail")
        return self.tokens[-1]


def page(results: Any, *, count: int | None = None, following: str | None = None) -> dict[str, Any]:
    """Return one page of a list."""
    return {"count": len(results) if count is None else count, "next": following, "previous": None, "results": results}


def overview(detail: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the list says of a case."""
    name = f"{detail['interpretation_request_id']}-{detail['version']}"
    kept = ("last_modified", "last_status", "cip", "sample_type")
    return {"interpretation_request_id": name, **{key: detail[key] for key in kept if key in detail}}


@contextmanager
def running() -> Iterator[CipStub]:
    """Run a server until the end of the block."""

    with serving(lambda request: _answer(request, stub)) as port:
        stub = CipStub(port)
        try:
            yield stub
        finally:
            stub.ended.set()


def _answer(request: BaseHTTPRequestHandler, stub: CipStub) -> None:
    parts = urlsplit(request.path)
    body = request.rfile.read(int(request.headers.get("Content-Length") or 0)).decode()
    with stub.lock:
        stub.asked.append(Asked(request.command, parts.path, parse_qs(parts.query), dict(request.headers), body))
        key = request.path if request.path in stub.documents else parts.path
        acts = stub.script.get(key, [])
        act = (acts[0] if acts[0].endswith(" *") else acts.pop(0)) if acts else ""
    act, _, argument = act.removesuffix(" *").partition(" ")
    if act == "stall":
        stub.ended.wait(10)
        return
    if act == "to":
        _send(request, 302, b"", {"Location": argument})
    elif act == "status":
        status, _, header = argument.partition(" ")
        name, _, value = header.partition(": ")
        _send(request, int(status), b'{"detail": "because"}', {name: value} if name else {})
    elif parts.path in (f"/{TENANT}/oauth2/token", "/api/2/get-token/"):
        _log_in(request, stub, body)
    elif act == "old" or request.headers.get("Authorization") not in {f"JWT {token}" for token in stub.tokens}:
        _send(request, 401, b'{"detail": "Signature has expired."}')
    elif key not in stub.documents:
        _send(request, 404, b'{"detail": "Not found."}')
    else:
        _serve(request, stub, key, act)


def _serve(request: BaseHTTPRequestHandler, stub: CipStub, key: str, act: str) -> None:
    document = stub.documents[key]
    if isinstance(document, list):
        document = document.pop(0) if len(document) > 1 else document[0]
    content = document if isinstance(document, bytes) else json.dumps(document).encode()
    if act == "cut":
        content = content[: len(content) // 2]
    if act == "break":
        request.send_response(200)
        request.send_header("Content-Length", str(len(content) + 10))
        request.end_headers()
        request.wfile.write(content)
        return
    _send(request, 200, content)


def _log_in(request: BaseHTTPRequestHandler, stub: CipStub, body: str) -> None:
    form = {name: values[0] for name, values in parse_qs(body).items()}
    basic = base64.b64encode(f"client:{SECRET}".encode()).decode()
    if request.path == "/api/2/get-token/":
        if form != {"username": "user", "password": SECRET}:
            _send(request, 400, b'{"non_field_errors": ["Unable to log in with provided credentials."]}')
            return
        _send(request, 200, json.dumps({"token": stub.issue()}).encode())
    elif request.headers.get("Authorization") != f"Basic {basic}" or form != {"grant_type": "client_credentials"}:
        words = {"error": "invalid_client", "error_description": f"No client has {form} and {SECRET}x"}
        _send(request, 401, json.dumps(words).encode())
    else:
        answer = {"token_type": "Bearer", "expires_in": str(LIFETIME), "access_token": stub.issue()}
        _send(request, 200, json.dumps(answer).encode())


def _send(request: BaseHTTPRequestHandler, status: int, body: bytes, headers: Mapping[str, str] | None = None) -> None:
    request.send_response(status)
    for name, value in {
        "Content-Type": "application/json",
        "Content-Length": str(len(body)),
        **(headers or {}),
    }.items():
        request.send_header(name, value)
    request.end_headers()
    request.wfile.write(body)
