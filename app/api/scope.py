"""What middleware, routes and the renderer of errors tell each other about a request, as keys of its ASGI scope."""

from __future__ import annotations

from starlette.types import Scope

from app.fhir.parameters import Dialect

REQUEST_ID = "operon.request_id"
"""Id of the request, in its response and its log line."""
OPERATION = "operon.operation"
"""Bounded name under which the request is counted."""
ROUTE = "operon.route"
"""Template of the path, which is logged in its place: a path may name a Patient."""
DIALECT = "operon.dialect"
"""Wording that the route decided on."""
ALLOW = "operon.allow"
"""Methods that the path takes."""
METHODS = frozenset({"GET", "HEAD", "POST", "OPTIONS", "PUT", "PATCH", "DELETE"})
"""Methods that logs name; any other text of a client is not repeated."""
PEER = "operon.peer"
"""Address that the connection comes from, whatever headers of proxies say; absent where it is not known."""
ERROR_BODY = "operon.error_body"
"""How the family of the path words an error: (scope, error) → JSON value; absent where it is FHIR or plain."""
ERROR_HEADERS = "operon.error_headers"
"""Headers that an error gets beside its body."""
BODY_LIMIT = "operon.body_limit"
"""Largest body of the family of the path; absent where it is the one of all."""

_REFERENCE_FAMILIES = ("/subject-operations/", "/population-operations/", "/utilities/")
_FHIR_FAMILIES = ("/fhir", *_REFERENCE_FAMILIES)


def route_path(scope: Scope) -> str:
    """Return the path below the mount point of the application."""
    path: str = scope["path"]
    root: str = scope.get("root_path", "")
    return path.removeprefix(root) if root and path.startswith(root + "/") else path


def is_fhir(scope: Scope) -> bool:
    """Return whether the path belongs to a family that answers in FHIR."""
    return route_path(scope).startswith(_FHIR_FAMILIES)


def dialect_of(scope: Scope) -> Dialect:
    """Return the wording that a request gets: what its route decided, else that of its URL family."""
    known: Dialect | None = scope.get(DIALECT)
    if known is not None:
        return known
    path = route_path(scope).removeprefix("/fhir")
    return Dialect.REF if path.startswith(_REFERENCE_FAMILIES) else Dialect.IG


def header(scope: Scope, wanted: bytes) -> str:
    """Return a request header, its repetitions joined as one list; empty if it is absent."""
    return read_headers(scope).get(wanted, b"").decode("latin-1")


def read_headers(scope: Scope) -> dict[bytes, bytes]:
    """Return the request headers, repetitions of one joined as one list."""
    headers: dict[bytes, bytes] = dict(scope["headers"])
    if len(headers) < len(scope["headers"]):
        headers.clear()
        for name, value in scope["headers"]:
            headers[name] = b", ".join((headers[name], value)) if name in headers else value
    return headers
