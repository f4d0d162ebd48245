"""Language and country that a caller asks for, in the path or in ``Accept-Language``; never an error.

>>> parse_locale("de-AT")
Locale(language='de', country='AT')
>>> parse_locale("", "pt, sv;q=0.5").language
'sv'
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from app.pgx.texts import ENGLISH, LANGUAGES

COUNTRIES = {
    "FI": "fi",
    "GB": "en",
    "DE": "de",
    "AT": "de",
    "SE": "sv",
    "EE": "et",
    "FR": "fr",
    "RO": "ro",
    "NL": "nl",
}
"""Country → the language that it means where no language is given"""

_LONGEST_HEADER = 1000


@dataclass(frozen=True, slots=True)
class Locale:
    """A language to answer in, and a country; the country is empty where none was asked for."""

    language: str
    country: str = ""


def parse_locale(locale: str, accept_language: str = "") -> Locale:
    """Return what is asked for; the locale of the path wins over the header, English is the last resort."""
    language, country = _tokens(re.split(r"[-_]", locale.strip(), maxsplit=1))
    return Locale(language or COUNTRIES.get(country, "") or _accepted(accept_language), country)


def _tokens(tokens: list[str]) -> tuple[str, str]:
    """Return language and country: as their case says, else as their place says; either may be empty."""
    first, second = tokens[0], tokens[1] if len(tokens) > 1 else ""
    if not second:
        return _one(first)
    pairs = ((first, second), (second, first))
    for language, country in pairs:
        if language in LANGUAGES and country in COUNTRIES:
            return language, country
    for language, country in pairs:
        if language.lower() in LANGUAGES and country.upper() in COUNTRIES:
            return language.lower(), country.upper()
    known, other = _one(first), _one(second)
    return known[0] or other[0], known[1] or other[1]


def _one(token: str) -> tuple[str, str]:
    """Return language and country of one token, of which at most one is known."""
    if token in COUNTRIES:
        return "", token
    if token.lower() in LANGUAGES:
        return token.lower(), ""
    return "", token.upper() if token.upper() in COUNTRIES else ""


def _accepted(header: str) -> str:
    """Return the supported language that a header likes most; the first of equals."""
    best, best_weight = ENGLISH, 0.0
    for part in header[:_LONGEST_HEADER].split(","):
        tag, _, parameters = part.partition(";")
        primary = tag.strip().split("-")[0].lower()
        language = ENGLISH if primary == "*" else primary
        weight = _weight(parameters)
        if language in LANGUAGES and weight > best_weight:
            best, best_weight = language, weight
    return best


def _weight(parameters: str) -> float:
    """Return the q-value of a part of the header; 1 without one, 0 for one that is no number from 0 to 1."""
    found = re.search(r"(?:^|;)\s*q\s*=\s*([^;]*)", parameters, re.IGNORECASE)
    if found is None:
        return 1.0
    return float(found[1]) if re.fullmatch(r"(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)", found[1].strip()) else 0.0
