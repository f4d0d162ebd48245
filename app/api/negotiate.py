"""Which media type a client sends and which it gets (https://hl7.org/fhir/R4/http.html#mime-type).

>>> read_accept("text/html, */*;q=0.1").acceptable
True
>>> read_accept("application/xml").acceptable
False
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache

from app.errors import NotAcceptable, UnsupportedMediaType, quoted
from app.fhir.parameters import Dialect

FHIR_JSON = "application/fhir+json; charset=utf-8"
JSON = "application/json"
PROBLEM_JSON = "application/problem+json"

_FHIR = "application/fhir+json"
_PLAIN = ("application/json", "text/json")
_FHIR_VERSIONS = frozenset({"4.0", "4.0.1"})
_FORMATS = {
    "json": _FHIR,
    "application/fhir+json": _FHIR,
    "application/json": "application/json",
    "text/json": "application/json",
}
_PREFERENCE = re.compile(r"([A-Za-z-]+)\s*=\s*\"?([A-Za-z0-9_-]+)")


@dataclass(frozen=True, slots=True)
class Accepted:
    """What a client accepts, as far as it matters here."""

    acceptable: bool
    """Whether any JSON that this server writes will do."""
    names_fhir: bool
    """Whether application/fhir+json is named, not merely covered by a wildcard."""
    prefers_plain: bool
    """Whether application/json is named and not ranked below application/fhir+json."""
    names_problem: bool
    """Whether application/problem+json is named."""


ANYTHING = Accepted(acceptable=True, names_fhir=False, prefers_plain=False, names_problem=False)


class BodyKind(Enum):
    """How a request body is written."""

    JSON = "json"
    FORM = "form"


def read_accept(header: str) -> Accepted:
    """Return what an Accept header means; an empty one accepts anything."""
    return _read_accept(header[:1000])


@lru_cache(maxsize=512)
def _read_accept(header: str) -> Accepted:
    ranks: dict[str, float] = {}
    for position, media_range in enumerate(header.lower().split(",")):
        name, *parameters = (piece.strip() for piece in media_range.split(";"))
        options = dict(piece.partition("=")[::2] for piece in parameters)
        if name and _is_version_served(parameters):
            # The earlier of two equally weighted types wins.
            rank = _quality(options.get("q"))
            ranks.setdefault(name, rank - position * 1e-6 if rank else 0.0)
    if not header.strip():
        return ANYTHING
    fhir = ranks.get(_FHIR, 0.0)
    plain = max(ranks.get(name, 0.0) for name in _PLAIN)
    return Accepted(
        acceptable=any(_covered(ranks, name) for name in (_FHIR, *_PLAIN)),
        names_fhir=fhir > 0,
        prefers_plain=plain > fhir,
        names_problem=ranks.get(PROBLEM_JSON, 0.0) > 0,
    )


def _quality(text: str | None) -> float:
    try:
        quality = 1.0 if text is None else float(text)
    except ValueError:
        return 1.0
    return quality if 0 <= quality <= 1 else 1.0


def _covered(ranks: dict[str, float], name: str) -> bool:
    for candidate in (name, f"{name.partition('/')[0]}/*", "*/*"):
        if candidate in ranks:
            return ranks[candidate] > 0
    return False


def accepted(accept: str, format_parameter: str | None) -> Accepted:
    """Return what the client accepts: ``_format`` if it was given, else the Accept header.

    Raises NotAcceptable if nothing that this server writes is among it.
    """
    if format_parameter:
        # A "+" that was not percent-encoded arrives as a blank.
        name, *parameters = (piece.strip() for piece in format_parameter.lower().split(";"))
        name = name.replace(" ", "+")
        if name not in _FORMATS or not _is_version_served(parameters):
            raise NotAcceptable(f"_format '{quoted(format_parameter)}' is not supported; answers are JSON")
        return read_accept(_FORMATS[name])
    found = read_accept(accept) if accept else ANYTHING
    if not found.acceptable:
        raise NotAcceptable(f"Accept '{quoted(accept)}' covers no JSON; answers are application/fhir+json")
    return found


def _is_version_served(parameters: Sequence[str]) -> bool:
    """Return whether the parameters of a media type name no version of FHIR but R4."""
    versions = [piece.partition("=")[2].strip('"') for piece in parameters if piece.startswith("fhirversion=")]
    return all(version in _FHIR_VERSIONS for version in versions)


def media_type(dialect: Dialect, wanted: Accepted) -> str:
    """Return the media type of an answer: clients of the reference implementation may get plain JSON."""
    return JSON if dialect is Dialect.REF and wanted.prefers_plain else FHIR_JSON


def wants_problem(dialect: Dialect, accept: str) -> bool:
    """Return whether an error goes out as problem+json rather than as an OperationOutcome."""
    wanted = read_accept(accept)
    return not wanted.names_fhir and (wanted.names_problem or dialect is Dialect.REF)


def body_kind(content_type: str, content_encoding: str) -> BodyKind:
    """Return how a request body is written. Raises UnsupportedMediaType."""
    name, *parameters = (piece.strip().lower() for piece in content_type.split(";"))
    charset = next((piece.partition("=")[2].strip('"') for piece in parameters if piece.startswith("charset")), "utf-8")
    if charset not in {"utf-8", "utf8", "us-ascii"} or content_encoding.strip().lower() not in {"", "identity"}:
        raise UnsupportedMediaType("A request body is read as plain UTF-8, without content encoding")
    if name in (_FHIR, *_PLAIN) and _is_version_served(parameters):
        return BodyKind.JSON
    if name == "application/x-www-form-urlencoded":
        return BodyKind.FORM
    raise UnsupportedMediaType(
        f"'{quoted(content_type)}' is not read; send application/fhir+json or application/x-www-form-urlencoded"
    )


def read_preferences(header: str) -> dict[str, str]:
    """Return the preferences of a Prefer header (https://www.rfc-editor.org/rfc/rfc7240), in lower case."""
    return {name.lower(): value.lower() for name, value in _PREFERENCE.findall(header)}
