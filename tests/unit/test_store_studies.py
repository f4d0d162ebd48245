"""A test is stored once with what is known of it, and its regions."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from app.errors import InvalidInput
from app.records import Build, Sex
from app.store import bulk, studies
from app.store.regions import unpack_intervals
from app.store.session import Database
from app.store.studies import Regions, StudyFacts
from app.store.subjects import Subject
from tests.store_dump import counts, dump

BARE = StudyFacts("T1", Build.GRCH38)
FULL = StudyFacts("T1", Build.GRCH38, "2024-02-03", "SP-1", "WGS", "SNV;MNV")
ADA = Subject("ada")


def declare(database: Database, *facts: StudyFacts, subject: Subject = ADA, **regions: Regions) -> int:
    return bulk.declare_studies(database, [(subject, entry, regions) for entry in facts])


def stored(database: Database) -> list[tuple[Any, ...]]:
    with database.read() as session:
        rows = session.run(
            "select test_id, build, test_date, specimen_id, study_type, change_types from study order by test_id"
        )
        return [tuple(row) for row in rows]


def regions_in(database: Database) -> dict[tuple[str, int], list[tuple[int, int]]]:
    with database.read() as session:
        rows = session.run("select kind, contig, data from study_region")
        found = {(kind, contig): unpack_intervals(data) for kind, contig, data in rows}
    return {key: list(zip(starts.tolist(), ends.tolist(), strict=True)) for key, (starts, ends) in found.items()}


def intervals(*pairs: tuple[int, int]) -> Any:
    starts, ends = zip(*pairs, strict=True)
    return np.array(starts, dtype=np.int64), np.array(ends, dtype=np.int64)


def test_a_test_comes_back_whole(database: Database) -> None:
    assert declare(database, FULL) == 1

    assert stored(database) == [("T1", "GRCh38", "2024-02-03", "SP-1", "WGS", "SNV;MNV")]


def test_facts_survive_their_json_form() -> None:
    assert StudyFacts.from_json(FULL.to_json()) == FULL
    assert StudyFacts.from_json(BARE.to_json()) == BARE


def test_the_same_test_again_is_not_new(database: Database) -> None:
    declare(database, FULL)

    assert declare(database, FULL, BARE) == 0
    assert len(stored(database)) == 1


def test_a_test_is_completed_by_what_was_not_known(database: Database) -> None:
    declare(database, BARE)

    declare(database, FULL)

    assert stored(database) == [("T1", "GRCh38", "2024-02-03", "SP-1", "WGS", "SNV;MNV")]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        pytest.param({"build": Build.GRCH37}, "build is GRCh38 in the store and GRCh37 in the input", id="build"),
        pytest.param({"test_date": "2025"}, "test date is 2024-02-03 in the store and 2025", id="date"),
        pytest.param({"specimen_id": "SP-2"}, "specimen id is SP-1 in the store and SP-2", id="specimen"),
        pytest.param({"study_type": "WES"}, "study type is WGS in the store and WES", id="type"),
        pytest.param({"change_types": "CNV"}, "change types is SNV;MNV in the store and CNV", id="change types"),
    ],
)
def test_a_contradiction_is_refused_and_nothing_is_changed(
    database: Database, change: dict[str, Any], said: str
) -> None:
    declare(database, FULL)
    before = dump(database)

    with pytest.raises(InvalidInput, match=said):
        declare(database, StudyFacts("T0", Build.GRCH38), replace(FULL, **change))

    assert dump(database) == before


def test_a_test_id_belongs_to_its_subject(database: Database) -> None:
    declare(database, FULL)

    assert declare(database, replace(FULL, build=Build.GRCH37), subject=Subject("bob")) == 1
    assert counts(database)["study"] == 2


def test_a_known_subject_is_not_stored_again(database: Database) -> None:
    bulk.store_subjects(database, [Subject("ada", Sex.FEMALE)], "subjects.csv")

    declare(database, BARE)

    assert counts(database)["subject"] == 1


def test_regions_come_back_and_the_newest_count(database: Database) -> None:
    declare(database, BARE, studied={1: intervals((0, 5)), 25: intervals((3, 4), (9, 12))}, uncallable={})
    assert regions_in(database) == {
        ("studied", 1): [(0, 5)],
        ("studied", 25): [(3, 4), (9, 12)],
        ("uncallable", 0): [],
    }

    declare(database, BARE, studied={2: intervals((7, 8))})
    assert regions_in(database) == {("studied", 2): [(7, 8)], ("uncallable", 0): []}


def test_withdrawing_a_test_without_calls_changes_nothing(database: Database) -> None:
    declare(database, FULL)
    before = dump(database)

    with database.write() as session:
        assert studies.withdraw_calls(session, [(0, "T1"), (0, "T9"), (77, "T1")]) == set()

    assert dump(database) == before
