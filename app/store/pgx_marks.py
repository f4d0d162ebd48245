"""Which tests pharmacogenes were called of, and by what; every other test with calls waits.

``basis`` tells the definitions, the program and the sequences that a call rests on: with another one a test waits
again, but what was called of it stays until it is called anew. Tests that tell only what was selected for a report, as
those of CIP-API cases, are never called and never wait.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from app.records import Build, Sex
from app.store.bitmaps import shard_of
from app.store.coverage import Study
from app.store.session import Session


@dataclass(frozen=True, slots=True)
class TestRow:
    """A test and its subject."""

    ordinal: int
    sex: Sex
    study: Study


REPORTED_ONLY: Final = "cip-api"
"""Source of call sets that hold what was selected for a report: what they leave out is not known to be reference"""
WITH_CALLS: Final = f"exists (select 1 from call_set cs where cs.study_id = st.id and cs.source <> '{REPORTED_ONLY}')"
"""Whether a test ``st`` has calls that pharmacogenes can be called of"""


def waiting(session: Session, basis: str) -> list[tuple[int, int]]:
    """Return the tests (subject ordinal, study) with calls that were not called by a basis, in their order."""
    rows = session.run(
        f"select st.subject_ordinal, st.id from study st where {WITH_CALLS} and not exists"
        " (select 1 from pgx_study p where p.study_id = st.id and p.basis = :basis)",
        {"basis": basis},
    )
    return sorted((row[0], row[1]) for row in rows)


def outdated(session: Session, basis: str) -> list[tuple[int, int]]:
    """Return the tests (subject ordinal, study) that were called by another basis, in their order.

    Tests that were never called are none of them: somebody may have wanted it so.
    """
    rows = session.run("select subject_ordinal, study_id from pgx_study where basis <> :basis", {"basis": basis})
    return sorted((row[0], row[1]) for row in rows)


def with_calls(session: Session) -> list[tuple[int, int]]:
    """Return all tests (subject ordinal, study) with calls, in their order."""
    rows = session.run(f"select st.subject_ordinal, st.id from study st where {WITH_CALLS}")
    return sorted((row[0], row[1]) for row in rows)


def tests_of(session: Session, ordinals: Sequence[int]) -> list[TestRow]:
    """Return the tests with calls of some subjects, in one statement."""
    rows = session.run(
        "select s.ordinal, s.sex, st.id, st.shard, s.subject_id, st.test_id, st.test_date, st.specimen_id, st.build,"
        " st.change_types from subject s join study st on st.subject_ordinal = s.ordinal"
        f" where s.ordinal {session.in_ints('ordinals')} and {WITH_CALLS} order by s.ordinal, st.id",
        {"ordinals": session.int_list(list(ordinals))},
    )
    return [
        TestRow(
            row[0],
            Sex(row[1]),
            _study(row[2:]),
        )
        for row in rows
    ]


def _study(row: Sequence[Any]) -> Study:
    study_id, shard, subject_id, test_id, test_date, specimen_id, build, change_types = row
    types = tuple(filter(None, (change_types or "").split(";")))
    return Study(study_id, shard, subject_id, test_id, test_date, specimen_id, Build(build) if build else None, types)


def mark(session: Session, tests: Iterable[tuple[int, int]], *, basis: str, release: str) -> None:
    """Note that tests (subject ordinal, study) were called."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    rows = [(study, shard_of(ordinal), ordinal, basis, release, now) for ordinal, study in tests]
    session.run_many("delete from pgx_study where study_id = ?", [(row[0],) for row in rows])
    session.insert_rows("pgx_study", ("study_id", "shard", "subject_ordinal", "basis", "release", "called_at"), rows)


def unmark_subject(session: Session, ordinal: int) -> None:
    """Let every test of a subject wait: something that all calls rest on has changed."""
    session.run(
        "update pgx_study set basis = '', release = '' where subject_ordinal = :ordinal returning 1",
        {"ordinal": ordinal},
    )


def forget_tests(session: Session, ordinal: int, study_ids: Sequence[int]) -> None:
    """Remove what was called of tests that go; the statements that follow go with all others."""
    for study_id in study_ids:
        scope = {"shard": shard_of(ordinal), "ordinal": ordinal, "study": study_id}
        session.run(
            "delete from pgx_call where shard = :shard and subject_ordinal = :ordinal and study_id = :study"
            " returning 1",
            scope,
        )
        session.run("delete from pgx_study where study_id = :study returning 1", {"study": study_id})


def forget_subject(session: Session, ordinal: int) -> None:
    """Remove what was called of a subject; the statements that follow go with all others."""
    scope = {"shard": shard_of(ordinal), "ordinal": ordinal}
    session.run("delete from pgx_call where shard = :shard and subject_ordinal = :ordinal returning 1", scope)
    session.run("delete from pgx_study where subject_ordinal = :ordinal returning 1", {"ordinal": ordinal})
