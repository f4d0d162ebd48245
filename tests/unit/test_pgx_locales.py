"""Language and country are understood from whatever a caller writes; nothing that she writes is an error."""

from __future__ import annotations

import pytest

from app.pgx.locales import COUNTRIES, Locale, parse_locale
from app.pgx.texts import LANGUAGES


@pytest.mark.parametrize(
    ("locale", "expected"),
    [
        ("fi-FI", Locale("fi", "FI")),
        ("de_AT", Locale("de", "AT")),
        ("sv-FI", Locale("sv", "FI")),
        ("FI-sv", Locale("sv", "FI")),
        ("FI-ro", Locale("ro", "FI")),
        ("fi-fi", Locale("fi", "FI")),
        ("EN-GB", Locale("en", "GB")),
        ("fr", Locale("fr", "")),
        ("FR", Locale("fr", "FR")),
        ("AT", Locale("de", "AT")),
        ("EE", Locale("et", "EE")),
        ("ee", Locale("et", "EE")),
        ("ET", Locale("et", "")),
        ("SE", Locale("sv", "SE")),
        ("sv", Locale("sv", "")),
        ("xx-FI", Locale("fi", "FI")),
        ("fi-XX", Locale("fi", "")),
        (" nl ", Locale("nl", "")),
    ],
)
def test_the_path_says_language_country_or_both(locale: str, expected: Locale) -> None:
    assert parse_locale(locale, "ro") == expected


@pytest.mark.parametrize("country", COUNTRIES)
def test_a_country_has_a_language(country: str) -> None:
    assert parse_locale(country).language in LANGUAGES


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "en"),
        ("sv", "sv"),
        ("sv-FI, fi;q=0.9", "sv"),
        ("fi;q=0.5, sv;q=0.8", "sv"),
        ("fi;q=0.8, sv;q=0.8", "fi"),
        ("pt, de;q=0.1", "de"),
        ("pt", "en"),
        ("*", "en"),
        ("fi;q=0, *;q=0.1", "en"),
        ("DE-at", "de"),
        ("fi;q=x, et;q=0.2", "et"),
        ("fi; level=1; Q=0.3, et;q=0.2", "fi"),
        ("fi;q=2", "en"),
        (";;,,;q=", "en"),
    ],
)
def test_the_header_counts_where_the_path_says_nothing(header: str, language: str) -> None:
    assert parse_locale("zz", header) == Locale(language, "")
    assert parse_locale("", header).language == language
