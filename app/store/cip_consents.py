"""What participants agreed to, summed up over what econsent and their cases say.

A row is of one participant in one referral (of a case without one: in its family). ``said`` keeps each statement;
the columns sum them up: a "no" anywhere is a no, else a "yes" anywhere is a yes, else nobody said.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import orjson

from app.formats import gel_values
from app.formats.gel_people import CONSENT_FIELDS, ConsentItem, Person, overall_of, subject_id_of
from app.store import counters
from app.store.cip_rows import CONSENT_KEYS
from app.store.cip_waiting import let_cases_of_wait
from app.store.session import Session

FACET: Final = "consents"
"""Name of the facet of a case that tells under which ``referral_id`` its consents are"""
_ERASED: Final = "erased"
"""Begins the ``referral_id`` of consents whose case was erased with somebody else"""
_KINDS: Final = tuple(CONSENT_FIELDS)
_COLUMNS: Final = ("referral_id", "participant", "subject_id", *_KINDS, "last_modified", "said")
_ECONSENT: Final = "econsent"
_WHOLE: Final = ""
"""The participant that stands for a whole referral"""


class Colour(StrEnum):
    """What the consents of a referral come to."""

    RED = "red"
    """Somebody refused the test"""
    AMBER = "amber"
    """Somebody did not say"""
    GREEN = "green"


class Kind(StrEnum):
    """What a participant can agree to."""

    PRIMARY_TESTING = "primary_testing"
    DISCUSSION = "discussion"
    RESEARCH = "research"
    PHARMACOGENOMICS = "pharmacogenomics"
    HEALTH_RELATED = "health_related"
    CARRIER_STATUS = "carrier_status"


@dataclass(frozen=True, slots=True)
class Consent:
    """What one participant agreed to within one referral."""

    referral_id: str
    participant: str
    subject_id: str
    answers: Mapping[str, str]
    """Kind to yes, no or undefined"""
    last_modified: str
    said: Mapping[str, Any]
    """``econsent`` to its answers, and of each request (``cases``) the newest version's"""


def note_case(session: Session, referral_id: str, number: tuple[int, int], people: Sequence[Person]) -> None:
    """Keep what a case says of the consent of everybody in it; an older version says nothing beside a newer one."""
    ir_id, version = str(number[0]), number[1]
    before = _known(session, referral_id, [one.subject_id for one in people])
    after = dict(before)
    for person in people:
        own = [one for one in before.values() if one.subject_id == person.subject_id]
        if any(_version(one, ir_id) > version for one in own):
            continue
        by_uid = before.get((referral_id, person.uid)) if person.uid else None
        for one in own:
            if one.referral_id != referral_id:
                after[one.referral_id, one.participant] = _told(one, ir_id, None)
        known = before.get((referral_id, person.participant)) or by_uid
        row = Consent(referral_id, person.participant, person.subject_id, {}, "", known.said if known else {})
        after[referral_id, person.participant] = _told(row, ir_id, {"v": version, **person.consent})
        if by_uid is not None:
            after.pop((referral_id, person.uid), None)
    _store(session, before, after)


def note_econsent(
    session: Session,
    referral_id: str,
    items: Iterable[ConsentItem],
    *,
    overall: str = "",
    people: Mapping[str, str] | None = None,
) -> None:
    """Keep what econsent says of participants; one statement stays if what comes was written before it.

    ``people`` are participants by their other identifier; those that cases name are found beside. An overall red that
    no participant explains stands for the whole referral.
    """
    given = list(items)
    named = {**_participants_by_uid(session, [one.participant for one in given]), **(people or {})}
    before = _known(session, referral_id, [])
    after = dict(before)
    for item in given:
        participant = named.get(item.participant, item.participant)
        known = before.get((referral_id, participant)) or before.get((referral_id, item.participant))
        at = gel_values.moment(item.last_modified)
        said = dict(known.said) if known else {}
        if at and at < said.get(_ECONSENT, {}).get("at", ""):
            continue
        after.pop((referral_id, item.participant), None)
        said[_ECONSENT] = {"at": at, **item.answers}
        row = Consent(referral_id, participant, subject_id_of(participant), {}, "", said)
        after[referral_id, participant] = _summed(row)
    after.pop((referral_id, _WHOLE), None)
    if overall == Colour.RED and all(one.answers["primary_testing"] != "no" for one in given):
        said = {_ECONSENT: {"at": "", Kind.PRIMARY_TESTING.value: "no"}}
        after[referral_id, _WHOLE] = _summed(Consent(referral_id, _WHOLE, "", {}, "", said))
    _store(session, before, after)


def move_case(session: Session, ir_id: int, referral_id: str) -> None:
    """Let what a request says count for a referral that turns out to be its own."""
    ir = str(ir_id)
    keys = session.run(
        "select distinct f.value from cip_facet f join cip_case c on c.id = f.case_row"
        " where c.ir_id = :ir and f.name = :facet and f.value <> :referral",
        {"ir": ir_id, "facet": FACET, "referral": referral_id},
    )
    for (key,) in keys:
        before = {**_known(session, referral_id, []), **_known(session, key, [])}
        after = dict(before)
        for one in before.values():
            if one.referral_id != key or ir not in one.said.get("cases", {}):
                continue
            place = referral_id, one.participant
            target = after.get(place) or Consent(*place, one.subject_id, {}, "", {})
            after[place] = _told(target, ir, one.said["cases"][ir])
            after[key, one.participant] = _told(one, ir, None)
        session.run(
            "update cip_facet set value = :referral where name = :facet and value = :key"
            " and case_row in (select id from cip_case where ir_id = :ir) returning 1",
            {"ir": ir_id, "facet": FACET, "referral": referral_id, "key": key},
        )
        _store(session, before, after)


def rename(session: Session, before: str, after: str) -> None:
    """Let what was said under one identifier of a referral be said under the other one."""
    known = _known(session, before, [])
    if known and before != after:
        rows = [one for one in known.values() if one.participant != _WHOLE]
        note_econsent(
            session, after, [ConsentItem(one.participant, after, one.answers, one.last_modified) for one in rows]
        )
        _store(session, known, {})


def of_referral(session: Session, referral_id: str) -> list[Consent]:
    """Return the consents of a referral (or family), by participant."""
    return list(_known(session, referral_id, []).values())


def of_case(session: Session, row: int) -> list[Consent]:
    """Return the consents that count for a case, by participant."""
    rows = session.run(
        f"select {', '.join(f'c.{column}' for column in _COLUMNS)} from {CONSENT_KEYS} f"
        " join cip_consent c on c.referral_id = f.value where f.case_row = :row order by c.participant, c.referral_id",
        {"row": row},
    )
    return list(map(_read, rows))


def overall(session: Session, referral_id: str) -> Colour:
    """Return the colour of a referral's consents; amber where there are none."""
    return colour_of([one.answers[Kind.PRIMARY_TESTING] for one in of_referral(session, referral_id)])


def colours(session: Session, rows: Sequence[int]) -> dict[int, Colour]:
    """Return the colour of the consents of several cases by row, in one statement."""
    answers = session.run(
        f"select f.case_row, c.primary_testing from {CONSENT_KEYS} f join cip_consent c on c.referral_id = f.value"
        f" where f.case_row {session.in_ints('rows')}",
        {"rows": session.int_list(rows)},
    )
    found: dict[int, list[str]] = {row: [] for row in rows}
    for row, answer in answers:
        found[row].append(answer)
    return {row: colour_of(some) for row, some in found.items()}


def allows(session: Session, subject_id: str, kind: Kind) -> bool:
    """Return whether a subject agreed to something everywhere they were asked; whoever is in no case is not asked.

    The test itself is allowed until somebody says no.
    """
    column = f"c.{kind.value}"
    rows = session.run(
        f"select distinct {column} from cip_member m left join cip_consent c on c.subject_id = m.subject_id"
        " where m.subject_id = :subject",
        {"subject": subject_id},
    )
    answers = {answer for (answer,) in rows}
    return "no" not in answers if kind is Kind.PRIMARY_TESTING else answers <= {"yes"}


def shown(consent: Consent) -> dict[str, Any]:
    """Return a consent as an item of econsent."""
    answers = {names[0]: consent.answers[kind] for kind, names in CONSENT_FIELDS.items()}
    at = consent.last_modified or None
    return {"participant_id": consent.participant, "referral_id": consent.referral_id, **answers, "last_modified": at}


def retire(session: Session, referral_id: str, subject_id: str) -> None:
    """Take a subject out of the consents of a referral that goes, and keep those of the others: they stay in force."""
    before = _known(session, referral_id, [])
    others = [one for one in before.values() if one.subject_id not in ("", subject_id)]
    name = f"{_ERASED}-{counters.allocate(session, counters.CIP_CASE, 1)}"
    held = {who for (who,) in session.run("select participant from cip_member where case_row = -1")}
    fresh = [(-1, one.participant, one.subject_id, 0) for one in others if one.participant not in held]
    session.insert_rows("cip_member", ("case_row", "participant", "subject_id", "is_proband"), fresh)
    after = {}
    for one in others:
        said = {_ECONSENT: {"at": "", **one.answers}}
        after[name, one.participant] = _summed(Consent(name, one.participant, one.subject_id, {}, "", said))
    _store(session, before, after)


def erase_subject(session: Session, subject_id: str) -> None:
    """Remove the consents of a subject."""
    session.run("delete from cip_consent where subject_id = :subject returning 1", {"subject": subject_id})
    session.run("delete from cip_member where subject_id = :subject returning 1", {"subject": subject_id})


def colour_of(primary: Collection[str]) -> Colour:
    """Return the colour that answers on testing come to; amber where there are none."""
    return Colour(overall_of(list(primary))) if primary else Colour.AMBER


def _version(consent: Consent, ir_id: str) -> int:
    return int(consent.said.get("cases", {}).get(ir_id, {}).get("v", 0))


def _told(consent: Consent, ir_id: str, answers: Mapping[str, Any] | None) -> Consent:
    """Return a row with the statement of one request, or without it."""
    cases = {key: value for key, value in consent.said.get("cases", {}).items() if key != ir_id}
    if answers is not None:
        cases[ir_id] = dict(answers)
    said = {key: value for key, value in consent.said.items() if key != "cases"}
    return _summed(
        Consent(
            consent.referral_id,
            consent.participant,
            consent.subject_id,
            {},
            "",
            said | ({"cases": cases} if cases else {}),
        )
    )


def _summed(consent: Consent) -> Consent:
    statements = [consent.said.get(_ECONSENT, {}), *consent.said.get("cases", {}).values()]
    answers = {}
    for kind in _KINDS:
        given = {statement.get(kind) for statement in statements}
        answers[kind] = "no" if "no" in given else "yes" if "yes" in given else "undefined"
    at = consent.said.get(_ECONSENT, {}).get("at", "")
    return Consent(consent.referral_id, consent.participant, consent.subject_id, answers, at, consent.said)


def _participants_by_uid(session: Session, names: Sequence[str]) -> dict[str, str]:
    rows = session.run(
        "select distinct uid, participant from cip_member where uid is not null"
        f" and uid in (select value from {session.texts('names')} t)",
        {"names": session.text_list(sorted(set(names)))},
    )
    return dict(rows)


def _known(session: Session, referral_id: str, subject_ids: Collection[str]) -> dict[tuple[str, str], Consent]:
    """Return the rows of a referral, and all rows of some subjects."""
    rows = session.run(
        f"select {', '.join(_COLUMNS)} from cip_consent where referral_id = :referral"
        f" union select {', '.join(_COLUMNS)} from cip_consent"
        f" where subject_id in (select value from {session.texts('subjects')} t) order by participant, referral_id",
        {"referral": referral_id, "subjects": session.text_list(sorted(set(subject_ids)))},
    )
    return {(one.referral_id, one.participant): one for one in map(_read, rows)}


def _read(row: Sequence[Any]) -> Consent:
    referral_id, participant, subject_id, *answers, last_modified, said = row
    stated = (
        orjson.loads(said) if said else {_ECONSENT: {"at": last_modified, **dict(zip(_KINDS, answers, strict=True))}}
    )
    return Consent(referral_id, participant, subject_id, dict(zip(_KINDS, answers, strict=True)), last_modified, stated)


def _store(
    session: Session, before: Mapping[tuple[str, str], Consent], after: Mapping[tuple[str, str], Consent]
) -> None:
    """Write rows that differ, and let the cases of those whose answers differ wait."""
    wanted = {key: one for key, one in after.items() if one.said}
    gone = [key for key in before if key not in wanted]
    fresh = [key for key, one in wanted.items() if before.get(key) != one]
    if not gone and not fresh:
        return
    replaced = [*gone, *(key for key in fresh if key in before)]
    session.run_many("delete from cip_consent where referral_id = ? and participant = ?", replaced)
    session.insert_rows("cip_consent", _COLUMNS, [_row(wanted[key]) for key in fresh])
    changed = [
        wanted.get(key) or before[key]
        for key in (*gone, *fresh)
        if key not in wanted or key not in before or before[key].answers != wanted[key].answers
    ]
    if changed:
        subjects = {one.subject_id for one in changed if one.subject_id}
        let_cases_of_wait(session, subjects, {one.referral_id for one in changed})
        counters.add(session, counters.DATA_VERSION, 1)


def _row(one: Consent) -> tuple[Any, ...]:
    said = orjson.dumps(one.said).decode()
    answers = [one.answers[kind] for kind in _KINDS]
    return (one.referral_id, one.participant, one.subject_id, *answers, one.last_modified, said)
