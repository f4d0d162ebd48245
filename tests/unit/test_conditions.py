"""What conditions and treatments of a question stand for, by the terminology that is loaded."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.fhir.tokens import parse_token
from app.formats.code_systems import DISEASE_ONTOLOGY, ICD_10, MEDGEN, NCIT, RXNORM, SNOMED
from app.formats.terminology import CodeMap, Equivalence, IsA
from app.operations.conditions import Expanded, expanded
from app.store.session import Database
from tests.small_store import migrated
from tests.terminology_store import Loading, store

LUNG = (SNOMED, "900000001")
DOID = f"{DISEASE_ONTOLOGY}|DOID:"


@pytest.fixture
def database(store_url: str) -> Iterator[Database]:
    with migrated(store_url) as opened:
        yield opened


@pytest.fixture
def load(database: Database, tmp_path: Path) -> Loading:
    return Loading(database, tmp_path)


def expansion(database: Database, *tokens: str, into: tuple[str, ...] = (), kinds: bool = False) -> Expanded:
    with database.read() as session:
        return expanded(session, map(parse_token, tokens), target_systems=into, descendants=kinds)


def codes(expanded: Expanded, system: str) -> set[str]:
    return {code for of, code in expanded.codes if of == system}


def test_a_code_stands_for_itself_where_nothing_is_loaded(database: Database) -> None:
    found = expansion(database, f"{SNOMED}|900000001", "lung", "|x", into=(MEDGEN,), kinds=True)
    assert found.codes == {LUNG, ("", "x")}
    assert [token.code for token in found.words] == ["lung"]
    assert found.not_loaded == {(SNOMED, MEDGEN)}
    assert found.without_hierarchy == {SNOMED}


def test_words_alone_ask_nothing(database: Database) -> None:
    assert expansion(database, "lung", into=(MEDGEN,), kinds=True) == Expanded(frozenset(), (parse_token("lung"),))


@pytest.mark.parametrize(
    "token",
    [f"{DOID}1324", f"{DISEASE_ONTOLOGY}|1324", "http://disease-ontology.org/|doid:1324"],
)
def test_every_spelling_of_a_code_stands_for_its_kinds(database: Database, load: Loading, token: str) -> None:
    load("obo")
    assert codes(expansion(database, token), DISEASE_ONTOLOGY) == {"DOID:1324"}
    found = expansion(database, token, kinds=True)
    assert codes(found, DISEASE_ONTOLOGY) == {"DOID:1324", "DOID:3908", "DOID:3910", "DOID:3905"}
    assert found.without_hierarchy == frozenset()


def test_counterparts_come_in_addition_and_in_the_systems_that_are_asked_for(database: Database, load: Loading) -> None:
    load("obo")
    load("medgen")
    token = f"{SNOMED}|900000002"
    assert expansion(database, token, into=(MEDGEN,)).codes == {(SNOMED, "900000002"), (MEDGEN, "C0000002")}
    found = expansion(database, token, into=(DISEASE_ONTOLOGY, "http://www.ncbi.nlm.nih.gov/medgen"))
    assert codes(found, MEDGEN) == {"C0000002"}
    assert codes(found, DISEASE_ONTOLOGY) == {"DOID:3908"}
    kinds = expansion(database, token, into=(DISEASE_ONTOLOGY, MEDGEN), kinds=True)
    assert codes(kinds, MEDGEN) == {"C0000002", "C0000003"}
    assert codes(kinds, DISEASE_ONTOLOGY) == {"DOID:3908", "DOID:3910"}


def test_kinds_of_what_was_asked_are_translated_too(database: Database, load: Loading) -> None:
    load("snomed")
    store(database, CodeMap((SNOMED, "900000002"), (MEDGEN, "C7"), Equivalence.EQUIVALENT))
    assert codes(expansion(database, f"{SNOMED}|900000001", into=(MEDGEN,)), MEDGEN) == set()
    assert codes(expansion(database, f"{SNOMED}|900000001", into=(MEDGEN,), kinds=True), MEDGEN) == {"C7"}


@pytest.mark.parametrize("equivalence", [one for one in Equivalence if one is not Equivalence.INGREDIENT])
def test_only_what_is_within_the_asked_is_followed(database: Database, equivalence: Equivalence) -> None:
    store(
        database,
        CodeMap(LUNG, (MEDGEN, "C7"), equivalence),
        IsA(MEDGEN, "C8", "C7"),
    )
    found = expansion(database, f"{SNOMED}|900000001", into=(MEDGEN,), kinds=True)
    if equivalence.is_within:
        assert (codes(found, MEDGEN), found.unused) == ({"C7", "C8"}, ())
    else:
        assert codes(found, MEDGEN) == set()
        [(asked, unused)] = found.unused
        assert (asked, unused.code, unused.equivalence) == (LUNG, "C7", equivalence)


def test_a_drug_stands_for_its_ingredients_and_their_counterparts(database: Database, load: Loading) -> None:
    load("rxnorm")
    load("map")
    found = expansion(database, f"{RXNORM}|6", into=(RXNORM, NCIT))
    assert found.codes == {(RXNORM, "6"), (RXNORM, "1"), (RXNORM, "2"), (NCIT, "C1")}
    assert expansion(database, f"{RXNORM}|6", into=(NCIT,)).codes == {(RXNORM, "6"), (NCIT, "C1")}
    # An ingredient does not stand for what it is in.
    assert expansion(database, f"{RXNORM}|2", into=(RXNORM, NCIT)).codes == {(RXNORM, "2")}


def test_icd_10_is_read_as_icd_10_cm_where_only_that_is_mapped(database: Database, load: Loading) -> None:
    load("obo")
    for spelling in ("C34.9", "c349"):
        found = expansion(database, f"{ICD_10}|{spelling}", into=(DISEASE_ONTOLOGY,))
        assert found.codes == {(ICD_10, "C349"), (DISEASE_ONTOLOGY, "DOID:3910")}
        assert found.not_loaded == frozenset()
    load("map")
    found = expansion(database, f"{ICD_10}|C34.9", into=(DISEASE_ONTOLOGY,))
    assert found.codes == {(ICD_10, "C349"), (DISEASE_ONTOLOGY, "DOID:1324")}
