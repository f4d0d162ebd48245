"""Whatever callers and releases write, names, locales and results are read without an error."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from app.pgx.drugs import DrugIndex
from app.pgx.locales import COUNTRIES, parse_locale
from app.pgx.lookup import key
from app.pgx.phenotypes import CODES, code_of
from app.pgx.texts import LANGUAGES
from tests.pgx_content import content

INDEX = DrugIndex(content())
KINDS = st.sampled_from(["substance", "tradename", "inn", "vnr", "other"])


@given(st.text(max_size=20), st.text(max_size=60))
def test_a_locale_is_always_one_that_exists(locale: str, header: str) -> None:
    found = parse_locale(locale, header)
    assert found.language in LANGUAGES
    assert found.country in {"", *COUNTRIES}


@given(st.text(alphabet="clopidogre 75MG/[]{}().,\u00e9", max_size=80), KINDS)
def test_any_text_names_known_drugs_or_none(text: str, kind: str) -> None:
    known = set(content().drugs)
    assert set(INDEX.in_text(text)) <= known
    assert INDEX.by_name(kind, text) in {None, *known}


@given(st.text(max_size=40))
def test_a_key_is_its_own_key_and_every_phenotype_has_a_code(text: str) -> None:
    assert code_of(text) in CODES
    assert key("HLA-B", key("HLA-B", text)) == key("HLA-B", text)
