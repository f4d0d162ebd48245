"""Whole-table changes outside an ingest of calls: subjects, studies without calls, erasing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from app.errors import SubjectNotFound
from app.store import cip_erasing, counters, inbox, runs, studies, subjects
from app.store.session import Database, Session
from app.store.studies import Regions, StudyFacts
from app.store.subjects import Subject


def store_subjects(database: Database, given: Sequence[Subject], source: str) -> tuple[int, int]:
    """Add or complete subjects in one transaction; return (added, completed).

    Raises:
        BadFile: a subject contradicts what the store says of it; nothing is changed.
    """
    with database.write() as session:
        return subjects.store(session, given, source)


def declare_studies(database: Database, planned: Sequence[tuple[Subject, StudyFacts, Mapping[str, Regions]]]) -> int:
    """Add studies without calls in one transaction, with their subjects and regions; return how many are new.

    Raises:
        InvalidInput: a study contradicts what the store says of it; nothing is changed.
    """
    with database.write() as session:
        wanted = list({subject.subject_id: subject for subject, _, _ in planned}.values())
        known = subjects.find(session, [subject.subject_id for subject in wanted])
        missing = [subject for subject in wanted if subject.subject_id not in known]
        if missing:
            subjects.store(session, missing, "the manifest")
        new = studies.declare(session, [(subject.subject_id, facts, regions) for subject, facts, regions in planned])
        counters.add(session, counters.DATA_VERSION, 1)
    return new


def declare(
    session: Session,
    given: Sequence[Subject],
    planned: Sequence[tuple[str, StudyFacts, Mapping[str, Regions]]],
    source: str,
) -> None:
    """Add or complete subjects, and add studies of subjects by id, in the caller's transaction.

    Raises:
        InvalidInput: a subject or a study contradicts what the store says of it; the transaction has to be given up.
    """
    subjects.store(session, given, source)
    studies.declare(session, planned)
    if planned:  # a test that is known may have other regions now
        counters.add(session, counters.DATA_VERSION, 1)


def erase_subject(database: Database, subject_id: str) -> None:
    """Remove every trace of a subject, all that is visible in one transaction.

    Unfinished runs that would add calls of the subject are discarded first. Of cases that the subject is in, only the
    calls of the others stay.

    Raises:
        SubjectNotFound: there is no such subject.
    """
    planned = [run for run in runs.unfinished(database) if subject_id in {e.subject.subject_id for e in run.plan}]
    for run in reversed(planned):
        runs.discard(database, run)
    with database.write() as session:
        known = subjects.find(session, [subject_id])
        submitted = inbox.erase_subject(session, subject_id)
        cases = cip_erasing.forget_subject(session, subject_id)
        if subject_id in known:
            studies.erase_subject(session, known[subject_id].ordinal)
        elif not planned and not submitted and not cases:
            raise SubjectNotFound(subject_id)
    database.vacuum()


def all_subjects(database: Database) -> list[Subject]:
    """Return what is known of every subject, by id."""
    with database.read() as session:
        rows = session.run("select subject_id from subject order by subject_id")
        return list(subjects.find(session, [row[0] for row in rows]).values())
