"""Every operation at every URL form, through one code path.

``/fhir/$op``, ``/fhir/Patient/$op``, ``/fhir/Patient/{id}/$op`` where the operation allows it, and the path of the HL7
reference implementation, at the root and below ``/fhir``; by GET, HEAD and POST. What an operation is called, takes
and means comes from its definition, so that a further one needs a definition and a handler, and nothing here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import orjson
from starlette.responses import Response
from starlette.routing import BaseRoute, Match
from starlette.types import Receive, Scope, Send

import app
from app.api.answers import StreamedAnswer, answer, indented, is_current, is_true, not_modified, weak_tag
from app.api.negotiate import BodyKind, accepted, body_kind, media_type, read_preferences
from app.api.query import parse_json, parse_query, read_body
from app.api.scope import ALLOW, DIALECT, OPERATION, ROUTE, read_headers, route_path
from app.api.server import FHIR_BASE, Server
from app.errors import InvalidValue, MethodNotAllowed, UnknownOperation, quoted
from app.fhir.definitions import Definition
from app.fhir.parameters import Dialect, OperationInputs, read_inputs
from app.operations.interface import Context, Handler

METHODS = "GET, HEAD, OPTIONS, POST"

_BRIEF_BODY = 4096
"""Bytes of a body that are parsed on the event loop."""

_TARGET = "operon.target"
_INSTANCE = re.compile(rf"{FHIR_BASE}/Patient/([^/]+)/\$([^/]+)")
_SOFTWARE = app.__version__.encode()


@dataclass(frozen=True, slots=True)
class Target:
    """What a path names: an operation, the wording of its answers, and the Patient it is called on."""

    definition: Definition
    dialect: Dialect
    route: str
    subject: str | None = None


@dataclass(slots=True)
class Call:
    """One request, decoded as far as it can be without touching the inputs."""

    target: Target
    handler: Handler
    dialect: Dialect
    pairs: list[tuple[str, str]]
    is_read: bool
    strict: bool
    pretty: bool
    content_type: str
    if_none_match: str
    body: bytes = b""
    body_kind: BodyKind | None = None


class OperationRoute(BaseRoute):
    """The route of all operations: any path with ``/$`` in it."""

    path = "/$operation"

    def __init__(self, server: Server) -> None:
        self.server = server
        self._targets: dict[str, Target] = {}
        for definition in server.definitions.values():
            flat, typed = f"{FHIR_BASE}/${definition.name}", f"{FHIR_BASE}/Patient/${definition.name}"
            for path in (flat, typed):
                self._targets[path] = Target(definition, Dialect.IG, path)
            for path in (definition.ref_path, FHIR_BASE + definition.ref_path):
                self._targets[path] = Target(definition, Dialect.REF, path)

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Return whether the path names an operation, known or not."""
        if scope["type"] != "http":
            return Match.NONE, {}
        path = route_path(scope)
        target = self._targets.get(path)
        if target is None:
            if "/$" not in path:
                return Match.NONE, {}
            target = self._on_patient(path)
        return Match.FULL, {_TARGET: target, "endpoint": self.handle}

    def _on_patient(self, path: str) -> Target | None:
        match = _INSTANCE.fullmatch(path)
        definition = self.server.definitions.get(match[2]) if match else None
        if match is None or definition is None or not definition.instance:
            return None
        return Target(definition, Dialect.IG, f"{FHIR_BASE}/Patient/{{id}}/${definition.name}", match[1])

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        response = await self._respond(scope, receive)
        await response(scope, receive, send)

    async def _respond(self, scope: Scope, receive: Receive) -> Response:
        target: Target | None = scope[_TARGET]
        context = self.server.opened()
        handler = context.handlers.get(target.definition.name) if target else None
        if target is None or handler is None:
            raise UnknownOperation("No such operation is served here")
        scope[OPERATION], scope[ROUTE], scope[ALLOW] = target.definition.name, target.route, METHODS
        scope[DIALECT] = target.dialect
        match scope["method"]:
            case "GET" | "HEAD":
                call = self._read_call(scope, target, handler)
            case "POST":
                call = self._read_call(scope, target, handler, await read_body(receive))
            case "OPTIONS":
                return Response(status_code=204, headers={"Allow": METHODS})
            case _:
                raise MethodNotAllowed(f"Operations are called by {METHODS}")
        # Handing work to a thread and back costs about as much as FastAPI itself, so what is short stays here.
        if len(call.body) <= _BRIEF_BODY:
            inputs = self._read_inputs(call)
        else:
            inputs = await self.server.run(lambda: self._read_inputs(call))
        if context.is_brief(target.definition.name, inputs):
            return self._answer(context, call, inputs)
        return await self.server.run(lambda: self._answer(context, call, inputs))

    def _read_call(self, scope: Scope, target: Target, handler: Handler, body: bytes | None = None) -> Call:
        pairs = parse_query(scope["query_string"])
        controls = {name: value for name, value in pairs if name[:1] == "_"}
        headers = read_headers(scope)
        prefer = headers.get(b"prefer")
        preferences = read_preferences(prefer.decode("latin-1")) if prefer else {}
        dialect = _choose_dialect(target, controls.get("_dialect"), preferences.get("dialect"))
        scope[DIALECT] = dialect
        wanted = accepted(headers.get(b"accept", b"").decode("latin-1"), controls.get("_format"))
        return Call(
            target=target,
            handler=handler,
            dialect=dialect,
            pairs=pairs,
            is_read=body is None,
            strict=preferences.get("handling") == "strict",
            pretty=is_true(controls.get("_pretty")),
            content_type=media_type(dialect, wanted),
            if_none_match=headers.get(b"if-none-match", b"").decode("latin-1"),
            body=body or b"",
            body_kind=_body_kind(headers) if body else None,
        )

    def _read_inputs(self, call: Call) -> OperationInputs:
        pairs, resource = call.pairs, None
        match call.body_kind:
            case BodyKind.FORM:
                pairs = [*pairs, *parse_query(call.body)]
            case BodyKind.JSON:
                resource = parse_json(call.body) or {}
        return read_inputs(
            call.target.definition,
            pairs,
            resource,
            call.dialect,
            path_subject=call.target.subject,
            strict=call.strict,
            settings=self.server.settings,
        )

    def _answer(self, context: Context, call: Call, inputs: OperationInputs) -> Response:
        tag = None
        if call.is_read:
            # Before the query: if data arrive in between, the tag is the older one and the client asks again.
            tag = weak_tag(
                _SOFTWARE,
                context.data_version().encode(),
                call.target.definition.name.encode(),
                orjson.dumps(inputs),
                call.content_type.encode(),
                b"pretty" if call.pretty else b"",
            )
            if is_current(call.if_none_match, tag):
                return not_modified(tag)
        body = call.handler(context, inputs)
        if not isinstance(body, bytes):
            if not call.pretty:
                # The first portion is made before the response starts: what fails until then is an OperationOutcome.
                return StreamedAnswer(next(body), body, self.server.run, call.content_type, tag)
            body = b"".join(body)
        return answer(indented(body) if call.pretty else body, call.content_type, tag)


def _body_kind(headers: Mapping[bytes, bytes]) -> BodyKind:
    content_type, encoding = headers.get(b"content-type", b""), headers.get(b"content-encoding", b"")
    return body_kind(content_type.decode("latin-1"), encoding.decode("latin-1"))


def _choose_dialect(target: Target, parameter: str | None, preference: str | None) -> Dialect:
    if parameter:
        try:
            return Dialect(parameter.strip().lower())
        except ValueError:
            message = f"_dialect must be ig or ref, not '{quoted(parameter)}'"
            raise InvalidValue(message, parameter="_dialect") from None
    # A preference that is not understood is ignored (RFC 7240, section 2).
    return Dialect(preference) if preference in ("ig", "ref") else target.dialect
