"""Subjects are added and completed, never overwritten."""

from __future__ import annotations

import pytest

from app.errors import BadFile
from app.records import Sex
from app.store import bulk, counters, subjects
from app.store.session import Database
from app.store.subjects import Subject
from tests.store_dump import dump

HOSPITAL, REGISTER = "https://hospital.example/id", "urn:oid:1.2.3"


def store(database: Database, *given: Subject) -> tuple[int, int]:
    return bulk.store_subjects(database, given, "subjects.csv")


def known(database: Database, subject_id: str) -> Subject:
    with database.read() as session:
        return subjects.find(session, [subject_id])[subject_id]


def with_identifier(database: Database, system: str, value: str) -> list[str]:
    with database.read() as session:
        return sorted(subjects.with_identifier(session, system, value))


def test_a_new_subject_comes_back_whole(database: Database) -> None:
    ada = Subject("ada", Sex.FEMALE, "1815-12-10", ((HOSPITAL, "4711"), ("", "L-1")))

    assert store(database, ada) == (1, 0)

    found = known(database, "ada")
    assert (found.sex, found.birth_date, set(found.identifiers)) == (ada.sex, ada.birth_date, set(ada.identifiers))
    assert bulk.all_subjects(database) == [found]


def test_subjects_get_dense_numbers_in_the_order_they_come(database: Database) -> None:
    store(database, Subject("b"), Subject("a"))
    store(database, Subject("c"), Subject("a"))

    assert [known(database, name).ordinal for name in "bac"] == [0, 1, 2]


def test_the_same_statement_again_changes_nothing(database: Database) -> None:
    ada = Subject("ada", Sex.FEMALE, "1815", ((HOSPITAL, "4711"),))
    store(database, ada)
    before = dump(database)

    assert store(database, ada, Subject("ada")) == (0, 0)
    assert dump(database) == before


def test_a_subject_is_completed_by_what_was_not_known(database: Database) -> None:
    store(database, Subject("ada", identifiers=((HOSPITAL, "4711"),)))

    assert store(database, Subject("ada", Sex.FEMALE, identifiers=((REGISTER, "1"),))) == (0, 1)
    assert store(database, Subject("ada", birth_date="1815")) == (0, 1)

    found = known(database, "ada")
    assert (found.sex, found.birth_date) == (Sex.FEMALE, "1815")
    assert set(found.identifiers) == {(HOSPITAL, "4711"), (REGISTER, "1")}


def test_rows_of_one_subject_are_taken_together(database: Database) -> None:
    rows = Subject("ada", identifiers=((HOSPITAL, "1"),)), Subject("ada", Sex.FEMALE, identifiers=((HOSPITAL, "2"),))

    assert store(database, *rows) == (1, 0)
    assert known(database, "ada").sex is Sex.FEMALE
    assert len(known(database, "ada").identifiers) == 2


@pytest.mark.parametrize(
    "contradiction",
    [
        pytest.param(Subject("ada", Sex.MALE), id="sex"),
        pytest.param(Subject("ada", birth_date="1816"), id="birth date"),
    ],
)
def test_a_contradiction_is_refused_and_nothing_of_the_file_stays(database: Database, contradiction: Subject) -> None:
    store(database, Subject("ada", Sex.FEMALE, "1815"), Subject("bob"))
    before = dump(database)

    with pytest.raises(BadFile, match=r"subjects.csv.*subject ada: the (sex|birth date) is .* and also") as caught:
        store(database, Subject("new"), Subject("bob", Sex.MALE), contradiction)

    assert "erase the subject first" in caught.value.mend
    assert dump(database) == before


def test_a_file_that_contradicts_itself_is_refused(database: Database) -> None:
    before = dump(database)

    with pytest.raises(BadFile, match="female and also male"):
        store(database, Subject("ada", Sex.FEMALE), Subject("ada", Sex.MALE))

    assert dump(database) == before


def test_unknown_contradicts_nothing(database: Database) -> None:
    store(database, Subject("ada", Sex.FEMALE))

    assert store(database, Subject("ada", Sex.UNKNOWN)) == (0, 0)
    assert known(database, "ada").sex is Sex.FEMALE


def test_an_identifier_finds_its_subjects(database: Database) -> None:
    store(
        database,
        Subject("ada", identifiers=((HOSPITAL, "1"),)),
        Subject("bob", identifiers=((REGISTER, "1"), ("", "1"))),
        Subject("eve", identifiers=((HOSPITAL, "1"),)),
    )

    assert with_identifier(database, HOSPITAL, "1") == ["ada", "eve"]
    assert with_identifier(database, REGISTER, "1") == ["bob"]
    assert with_identifier(database, "", "1") == ["bob"]
    assert with_identifier(database, HOSPITAL, "2") == []


def test_subjects_are_counted(database: Database) -> None:
    store(database, Subject("a"), Subject("b"), Subject("a"))
    store(database, Subject("b", Sex.MALE), Subject("c"))

    with database.read() as session:
        assert counters.value(session, counters.SUBJECTS) == 3


def test_the_version_of_the_data_changes_with_every_change_and_only_then(database: Database) -> None:
    versions = []
    for given in (Subject("ada"), Subject("ada"), Subject("ada", Sex.FEMALE), Subject("ada")):
        store(database, given)
        with database.read() as session:
            versions.append(counters.value(session, counters.DATA_VERSION))

    assert versions[0] == versions[1] < versions[2] == versions[3]


def test_ordinals_give_names(database: Database) -> None:
    store(database, Subject("c"), Subject("a"), Subject("b"))

    with database.read() as session:
        assert subjects.names_of(session, [0, 2]) == {0: "c", 2: "b"}
        assert subjects.names_of(session, []) == subjects.names_of(session, [99]) == {}
