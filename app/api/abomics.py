"""The Abomics-compatible pharmacogenetic API: what genes mean for drugs, and for the drugs of a person.

Below a prefix of the settings, with the version as the first step of a path. What an endpoint is called and takes is
its template; a further one needs a line here and a function that answers it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import unquote

import orjson
from starlette.responses import Response
from starlette.routing import BaseRoute, Match
from starlette.types import Receive, Scope, Send

from app.api.abomics_gate import PATIENT
from app.api.query import parse_plain_json, parse_query, read_body
from app.api.scope import ALLOW, OPERATION, ROUTE, read_headers, route_path
from app.api.server import Server
from app.config import Settings
from app.errors import (
    InvalidBody,
    InvalidInput,
    InvalidValue,
    MethodNotAllowed,
    MissingHeader,
    ResultsNotReady,
    UnknownOperation,
)
from app.operations import pgx_answers
from app.operations.interface import PgxDesk
from app.operations.pgx import ActivePgx, PgxProfile
from app.operations.pgx_pdf import render
from app.operations.pgx_report import PgxReport
from app.operations.pgx_reporting import build_report
from app.pgx.locales import Locale, parse_locale

VERSIONS: Final = ("v2", "v3")
RECIPIENTS: Final = ("doctor", "patient")
REPORT_TYPES: Final = ("json", "pdf")
USER_HEADERS: Final = ("User-Id", "Organization-Id")
MOST_TERMS: Final = 100

_VALUES = "operon.abomics.values"
_NOT_A_NAME = re.compile(r"[^A-Za-z0-9._-]")
_NOT_PRINTABLE = re.compile(r"[^\x20-\x7e]")


@dataclass(frozen=True, slots=True)
class Asked:
    """A request, read as far as the store is not needed."""

    scope: Scope
    desk: PgxDesk
    values: Mapping[str, str]
    """Of the path, decoded"""
    locale: Locale
    pairs: tuple[tuple[str, str], ...]
    body: bytes

    @property
    def gene_detail(self) -> bool:
        """Return whether results of genes are asked for; the original documents two names of the parameter."""
        for name in ("detail", "details"):
            given = [value for key, value in self.pairs if key == name]
            if given:
                return given[0].strip().lower() == "gene"
        return False

    def profile(self) -> PgxProfile:
        """Return the results of the person that the path names.

        Raises:
            SubjectNotFound: there is no such person.
            ResultsNotReady: the results cannot be used yet.
        """
        patient = self.values["id"]
        profile = self.desk.profile(patient)
        self.scope[PATIENT] = profile.subject_id
        if not profile.is_ready:
            raise ResultsNotReady(patient)
        return profile


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An endpoint: its path below the version, and what answers it."""

    name: str
    template: str
    answer: Callable[[Server, Asked], Response]
    method: str = "GET"

    @property
    def about_patient(self) -> bool:
        """Return whether it is about a person."""
        return self.template.startswith("/patient/")

    @property
    def allowed(self) -> tuple[str, ...]:
        """Return the methods that it takes."""
        return ("GET", "HEAD", "OPTIONS") if self.method == "GET" else ("OPTIONS", "POST")


class AbomicsRoute(BaseRoute):
    """The route of one endpoint; steps of a path are split before they are decoded, so that a term may have slashes."""

    def __init__(self, server: Server, endpoint: Endpoint) -> None:
        self.server = server
        self.endpoint = endpoint
        self._prefix = server.settings.abomics_prefix.rstrip("/")
        self.path = f"{self._prefix}/{{version}}{endpoint.template}"
        self._steps = self.path.split("/")

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Return whether a path is of this endpoint."""
        if scope["type"] != "http" or not route_path(scope).startswith(self._prefix + "/v"):
            return Match.NONE, {}
        values: dict[str, str] = {}
        steps = _raw_path(scope).rstrip("/").split("/")
        if len(steps) != len(self._steps):
            return Match.NONE, {}
        for step, wanted in zip(steps, self._steps, strict=True):
            if wanted.startswith("{"):
                values[wanted[1:-1]] = step
            elif step != wanted:
                return Match.NONE, {}
        if values["version"] not in VERSIONS or not all(values.values()):
            return Match.NONE, {}
        return Match.FULL, {_VALUES: values, "endpoint": self.handle}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        response = await self._respond(scope, receive)
        await response(scope, receive, send)

    async def _respond(self, scope: Scope, receive: Receive) -> Response:
        endpoint = self.endpoint
        scope[OPERATION], scope[ROUTE] = f"abomics-{endpoint.name}", self.path
        scope[ALLOW] = ", ".join(endpoint.allowed)
        if scope["method"] == "OPTIONS":
            return Response(status_code=204, headers={"Allow": scope[ALLOW]})
        if scope["method"] not in endpoint.allowed:
            raise MethodNotAllowed(f"Methods of this path: {scope[ALLOW]}")
        values = _decoded(scope[_VALUES])
        if "id" in values:
            scope[PATIENT] = values["id"]
        headers = read_headers(scope)
        require_user(headers, self.server.settings, about_patient=endpoint.about_patient)
        asked = Asked(
            scope=scope,
            desk=self.server.opened().pgx_desk,
            values=values,
            locale=parse_locale(values["locale"], headers.get(b"accept-language", b"").decode("latin-1")),
            pairs=tuple(parse_query(scope["query_string"])),
            body=await read_body(receive) if endpoint.method == "POST" else b"",
        )
        return await self.server.run(lambda: endpoint.answer(self.server, asked))


def require_user(headers: Mapping[bytes, bytes], settings: Settings, *, about_patient: bool) -> None:
    """Check that a request says who asks, where the settings want that of its kind; raises MissingHeader."""
    wanted = settings.abomics_require_user_headers
    if wanted == "all" or (wanted == "patient" and about_patient):
        for name in USER_HEADERS:
            if not headers.get(name.lower().encode(), b"").strip():
                raise MissingHeader(name)


def _raw_path(scope: Scope) -> str:
    """Return the path below the mount point as it was sent."""
    raw: bytes | None = scope.get("raw_path")
    path = raw.decode("latin-1") if raw else str(scope["path"])
    root: str = scope.get("root_path", "")
    return path.removeprefix(root) if root and path.startswith(root + "/") else path


def _decoded(values: Mapping[str, str]) -> dict[str, str]:
    try:
        decoded = {name: unquote(value, errors="strict") for name, value in values.items()}
    except UnicodeDecodeError:
        raise InvalidInput("The path is not percent-encoded UTF-8") from None
    if any("\0" in value for value in decoded.values()):  # PostgreSQL has no such text
        raise InvalidInput("The path holds a NUL character")
    return decoded


def _classification(server: Server, asked: Asked) -> Response:
    active = asked.desk.active()
    drug = pgx_answers.find_drug(active, _one_of(asked, pgx_answers.DRUG_TYPES), asked.values["term"], asked.locale)
    return _json(server, active, pgx_answers.classification(active, drug, asked.locale))


def _recommendation(server: Server, asked: Asked) -> Response:
    active = asked.desk.active()
    drug = pgx_answers.find_drug(active, _one_of(asked, pgx_answers.DRUG_TYPES), asked.values["term"], asked.locale)
    return _json(server, active, pgx_answers.recommendation(active, drug, asked.locale))


def _report(server: Server, asked: Asked) -> Response:
    kind = _one_of(asked, REPORT_TYPES)
    profile, active, settings = asked.profile(), asked.desk.active(), server.settings
    made = build_report(
        active,
        profile,
        asked.locale.language,
        test_provider=settings.abomics_test_provider,
        snps=asked.desk.snps(profile),
    )
    if kind == "pdf":
        return _pdf(active, made)
    access = _access(server, asked, profile, "doctor") if asked.values["version"] == "v3" else None
    value = pgx_answers.report(made, access, snp_object=settings.abomics_snp_data_mode == "object")
    return _json(server, active, value)


def _pdf(active: ActivePgx, made: PgxReport) -> Response:
    headers = _headers(active, [made.language], made.sources)
    headers["Content-Disposition"] = f'inline; filename="pgx_{_NOT_A_NAME.sub("_", made.sample_id)}.pdf"'
    return Response(render(made, active.texts), media_type="application/pdf", headers=headers)


def _report_summary(server: Server, asked: Asked) -> Response:
    recipient = asked.values["recipient_type"]
    if recipient not in RECIPIENTS:
        raise UnknownOperation("Nothing is served at this path")
    profile, active = asked.profile(), asked.desk.active()
    access = _access(server, asked, profile, recipient)
    value, language = pgx_answers.report_summary(active, access, asked.locale)
    return _json(server, active, value, languages=[language])


def _access(server: Server, asked: Asked, profile: PgxProfile, recipient: str) -> pgx_answers.Access:
    login = asked.desk.login(profile, recipient, asked.locale.language)
    return pgx_answers.Access(f"{server.root_url(asked.scope)}/report/{login.token}", login.pin)


def _patient_recommendation(server: Server, asked: Asked) -> Response:
    kind = _one_of(asked, pgx_answers.PATIENT_DRUG_TYPES)
    profile, active = asked.profile(), asked.desk.active()
    drug = pgx_answers.find_drug(active, kind, asked.values["term"], asked.locale)
    value = pgx_answers.patient_recommendation(active, profile, drug, asked.locale, gene_detail=asked.gene_detail)
    return _json(server, active, value, languages=[asked.locale.language] if not value else None)


def _multi_substance(server: Server, asked: Asked) -> Response:
    terms = _terms(asked.body)
    profile, active = asked.profile(), asked.desk.active()
    value = pgx_answers.multi_substance(active, profile, terms, asked.locale, gene_detail=asked.gene_detail)
    return _json(server, active, value, languages=[asked.locale.language] if not value else None)


def _one_of(asked: Asked, known: tuple[str, ...]) -> str:
    """Return the type in the path. Raises UnknownOperation for one that is not served."""
    kind = asked.values["type"]
    if kind not in known:
        raise UnknownOperation("Nothing is served at this path")
    return kind


def _terms(body: bytes) -> list[str]:
    """Return the substances of a body. Raises InvalidValue, which names what is wrong."""
    try:
        given = parse_plain_json(body)
    except InvalidBody as error:
        raise InvalidValue(error.diagnostics, parameter="terms") from error
    if not isinstance(given, dict):
        raise InvalidValue("The request body has to be an object", parameter="terms")
    if "terms" not in given:
        raise InvalidValue("this field is required", parameter="terms")
    terms = given["terms"]
    if not isinstance(terms, list) or not all(isinstance(term, str) and term.strip() for term in terms):
        raise InvalidValue("It has to be a list of names", parameter="terms")
    if len(terms) > MOST_TERMS:
        raise InvalidValue(f"At most {MOST_TERMS} names are taken", parameter="terms")
    return terms


def _json(server: Server, active: ActivePgx, value: Any, *, languages: list[str] | None = None) -> Response:
    headers = _headers(active, languages or pgx_answers.languages_of(value), pgx_answers.source_names(value))
    if not server.settings.abomics_sources:
        value = pgx_answers.without_sources(value)
    return Response(orjson.dumps(value), media_type="application/json", headers=headers)


def _headers(active: ActivePgx, languages: list[str], sources: list[str] | tuple[str, ...]) -> dict[str, str]:
    """Return the headers of an answer: its languages, and what it rests on."""
    knowledge = "; ".join(filter(None, (active.release, ", ".join(sources))))
    headers = {"Operon-Knowledge": _NOT_PRINTABLE.sub("?", knowledge), "Vary": "Accept-Language"}
    return headers | ({"Content-Language": ", ".join(languages)} if languages else {})


ENDPOINTS: Final = (
    Endpoint("classification", "/classification/{locale}/{type}/{term}", _classification),
    Endpoint("recommendation", "/recommendation/{locale}/{type}/{term}", _recommendation),
    Endpoint("report", "/patient/{id}/report/{locale}/{type}", _report),
    Endpoint("report-summary", "/patient/{id}/report_summary/{recipient_type}/{locale}", _report_summary),
    Endpoint("patient-recommendation", "/patient/{id}/recommendation/{locale}/{type}/{term}", _patient_recommendation),
    Endpoint("multi-substance", "/patient/{id}/recommendation/{locale}/multi-substance", _multi_substance, "POST"),
)


def routes(server: Server) -> list[BaseRoute]:
    """Return a route for each endpoint."""
    return [AbomicsRoute(server, endpoint) for endpoint in ENDPOINTS]
