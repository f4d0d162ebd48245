"""Subjects: who is known, under which ordinal and identifiers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson

from app.errors import BadFile, InvalidInput
from app.records import Sex
from app.store import counters, pgx_marks
from app.store.bitmaps import shard_of
from app.store.session import Session

Identifier = tuple[str, str]
"""(system, value); the system is empty when there is none"""


@dataclass(frozen=True, slots=True)
class Subject:
    """What is known of a subject; ``ordinal`` is the bit that stands for it, -1 while it has none."""

    subject_id: str
    sex: Sex = Sex.UNKNOWN
    birth_date: str | None = None
    identifiers: tuple[Identifier, ...] = ()
    ordinal: int = -1

    def to_json(self) -> list[Any]:
        """Return the JSON form kept in the plan of a run."""
        return [self.subject_id, self.sex, self.birth_date, self.identifiers, self.ordinal]

    @staticmethod
    def from_json(data: Sequence[Any]) -> Subject:
        """Read the JSON form back."""
        subject_id, sex, birth_date, identifiers, ordinal = data
        return Subject(
            subject_id, Sex(sex), birth_date, tuple((system, value) for system, value in identifiers), ordinal
        )


def reserved(session: Session) -> dict[str, int]:
    """Return the ordinals that unfinished runs took for their new subjects: whoever adds one of these uses them."""
    plans = session.run("select plan from ingest_run where state <> 'done'")
    planned = [Subject.from_json(entry["subject"]) for (plan,) in plans for entry in orjson.loads(plan)]
    return {subject.subject_id: subject.ordinal for subject in planned}


def find(session: Session, subject_ids: Iterable[str]) -> dict[str, Subject]:
    """Return the known ones of some subjects by id."""
    found: dict[str, Subject] = {}
    for subject_id in subject_ids:
        rows = session.run(
            "select ordinal, sex, birth_date from subject where subject_id = :subject", {"subject": subject_id}
        )
        for ordinal, sex, birth_date in rows:
            identifiers = session.run(
                "select system, value from subject_identifier where subject_ordinal = :ordinal order by system, value",
                {"ordinal": ordinal},
            )
            found[subject_id] = Subject(subject_id, Sex(sex), birth_date, tuple(map(tuple, identifiers)), ordinal)
    return found


def with_identifier(session: Session, system: str, value: str) -> list[str]:
    """Return the ids of the subjects with a business identifier; an empty system finds those that have none."""
    rows = session.run(
        "select s.subject_id from subject_identifier i join subject s on s.ordinal = i.subject_ordinal"
        " where i.value = :value and i.system = :system",
        {"value": value, "system": system},
    )
    return [row[0] for row in rows]


def names_of(session: Session, ordinals: Sequence[int]) -> dict[int, str]:
    """Return the ids of subjects by ordinal, in one statement."""
    sql = f"select ordinal, subject_id from subject where ordinal {session.in_ints('ordinals')}"
    return dict(session.run(sql, {"ordinals": session.int_list(ordinals)}))


def identified(session: Session, value: str, system: str | None) -> list[str]:
    """Return the ids of the subjects with a business identifier, of any system if none is given, in their order."""
    if system is not None:
        return sorted(with_identifier(session, system, value))
    rows = session.run(
        "select distinct s.subject_id from subject_identifier i join subject s on s.ordinal = i.subject_ordinal"
        " where i.value = :value order by s.subject_id",
        {"value": value},
    )
    return [row[0] for row in rows]


def allocate(session: Session, subject_ids: Iterable[str]) -> dict[str, int]:
    """Return the ordinals of subjects that the store does not know."""
    ordinals = reserved(session)
    unknown = [subject_id for subject_id in dict.fromkeys(subject_ids) if subject_id not in ordinals]
    if unknown:
        first = counters.allocate(session, counters.SUBJECT_ORDINAL, len(unknown))
        ordinals |= {subject_id: first + n for n, subject_id in enumerate(unknown)}
    return ordinals


def insert(session: Session, subjects: Sequence[Subject]) -> None:
    """Add subjects whose ordinals are allocated already, and count them."""
    session.insert_rows(
        "subject",
        ("ordinal", "shard", "subject_id", "sex", "birth_date"),
        [(s.ordinal, shard_of(s.ordinal), s.subject_id, s.sex.value, s.birth_date) for s in subjects],
    )
    _identify(session, [(s.ordinal, identifier) for s in subjects for identifier in s.identifiers])
    counters.add(session, counters.SUBJECTS, len(subjects))


def _identify(session: Session, given: Sequence[tuple[int, Identifier]]) -> None:
    rows = [(value, system, ordinal) for ordinal, (system, value) in given]
    session.insert_rows("subject_identifier", ("value", "system", "subject_ordinal"), rows)


def merge(known: Subject, given: Subject) -> Subject:
    """Return what is known after one more statement about a subject; what is known is never overwritten.

    Raises:
        InvalidInput: the statements contradict each other.
    """
    for name, before, now in (("sex", known.sex, given.sex), ("birth date", known.birth_date, given.birth_date)):
        if before not in (None, Sex.UNKNOWN) and now not in (None, Sex.UNKNOWN) and before != now:
            raise InvalidInput(f"subject {given.subject_id}: the {name} is {before} and also {now}")
    identifiers = tuple(dict.fromkeys((*known.identifiers, *given.identifiers)))
    return replace(
        known,
        sex=given.sex if known.sex is Sex.UNKNOWN else known.sex,
        birth_date=known.birth_date or given.birth_date,
        identifiers=identifiers,
    )


def store(session: Session, given: Sequence[Subject], source: str) -> tuple[int, int]:
    """Add or complete subjects, who may be given several times; return (added, completed).

    Raises:
        BadFile: a subject contradicts what the store, or an earlier entry, says of it.
    """
    try:
        wanted: dict[str, Subject] = {}
        for subject in given:
            before = wanted.get(subject.subject_id)
            wanted[subject.subject_id] = subject if before is None else merge(before, subject)
        known = find(session, wanted)
        completed = [(known[i], merge(known[i], subject)) for i, subject in wanted.items() if i in known]
    except InvalidInput as error:
        raise BadFile(source, error.diagnostics, mend="Correct the file, or erase the subject first") from error
    changed = [(before, after) for before, after in completed if after != before]
    for before, after in changed:
        session.run_many(
            "update subject set sex = ?, birth_date = ? where ordinal = ?",
            [(after.sex.value, after.birth_date, after.ordinal)],
        )
        if after.sex is not before.sex:  # how many copies of X there are follows from it
            pgx_marks.unmark_subject(session, after.ordinal)
        _identify(session, [(after.ordinal, i) for i in after.identifiers if i not in before.identifiers])
    fresh = [subject for subject_id, subject in wanted.items() if subject_id not in known]
    if fresh:
        ordinals = allocate(session, [subject.subject_id for subject in fresh])
        insert(session, [replace(subject, ordinal=ordinals[subject.subject_id]) for subject in fresh])
    if fresh or changed:
        counters.add(session, counters.DATA_VERSION, 1)
    return len(fresh), len(changed)
