"""Referrals of a CIP-API and the tests that they ordered, as they are served."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import orjson

from app.errors import InvalidInput
from app.formats import gel_values
from app.formats.gel_people import consents_of, members_of
from app.store import cip_consents
from app.store.cip_rows import CONSENT_KEYS
from app.store.session import Session

_ORDER: Final = "r.last_modified desc, r.referral_id"


def put(session: Session, body: Mapping[str, Any]) -> bool:
    """Store a referral with its tests and consents; return whether it is another one than before.

    One that was changed before the stored one was is left out.

    Raises:
        InvalidInput: it has no ``referral_id``.
    """
    referral_id, uid = _text(body, "referral_id"), _text(body, "referral_uid")
    if not referral_id:
        raise InvalidInput("the referral has no referral_id")
    text, modified = orjson.dumps(body).decode(), gel_values.moment(body.get("last_modified"))
    known = session.run(
        "select body, last_modified from cip_referral where referral_id = :referral", {"referral": referral_id}
    )
    if known and (known[0][0] == text or modified < known[0][1]):
        return False
    session.run("delete from cip_referral where referral_id = :referral returning 1", {"referral": referral_id})
    columns = ("referral_id", "referral_uid", "body", "last_modified")
    session.insert_rows("cip_referral", columns, [(referral_id, uid, text, modified)])
    tests = body.get("referral_test")
    for test in tests if isinstance(tests, list) else []:
        if isinstance(test, Mapping) and _text(test, "referral_test_id"):
            put_test(session, test, referral_id)
    if uid:
        cip_consents.rename(session, uid, referral_id)
    _note_consents(session, referral_id, body)
    return True


def put_test(session: Session, body: Mapping[str, Any], referral_id: str = "") -> None:
    """Store a test, in place of what was known of it.

    Raises:
        InvalidInput: it has no ``referral_test_id``.
    """
    test_id = _text(body, "referral_test_id")
    if not test_id:
        raise InvalidInput("the referral test has no referral_test_id")
    number = gel_values.case_number(body.get("interpretation_request_id"))
    version = gel_values.case_number(body.get("interpretation_request_version"))
    known = session.run(
        "delete from cip_referral_test where referral_test_id = :test returning referral_id", {"test": test_id}
    )
    referral_id = referral_id or (known[0][0] if known else "")
    if number is not None and referral_id:
        cip_consents.move_case(session, number[0], referral_id)
    row = (
        test_id,
        referral_id,
        None if number is None else number[0],
        None if version is None else version[0],
        orjson.dumps(body).decode(),
    )
    session.insert_rows("cip_referral_test", ("referral_test_id", "referral_id", "ir_id", "ir_version", "body"), [row])


def put_econsent(session: Session, document: Mapping[str, Any], referral: str = "") -> str:
    """Store an econsent document (``{"econsent": [...]}``) of a referral, by either identifier; return its id.

    The items take the place of those in the referral, if it is known.

    Raises:
        InvalidInput: neither the document nor ``referral`` names one referral.
    """
    items = document.get("econsent", document.get("participant_consent"))
    named = {item.referral for item in consents_of(items) if item.referral}
    if not referral and len(named) != 1:
        raise InvalidInput("the consents do not name one referral")
    referral = referral or named.pop()
    known = find(session, referral)
    if known is None:
        cip_consents.note_econsent(session, referral, consents_of(items))
        return referral
    econsent = known.get("econsent")
    before = econsent if isinstance(econsent, Mapping) else {}
    merged = _merged(before.get("participant_consent"), items)
    colour = cip_consents.colour_of([one.answers["primary_testing"] for one in consents_of(merged)])
    shown = {**before, "participant_consent": merged, "overall_econsent": colour.value}
    body = {**known, "econsent": shown}
    session.run(
        "update cip_referral set body = :body where referral_id = :referral returning 1",
        {"body": orjson.dumps(body).decode(), "referral": known["referral_id"]},
    )
    _note_consents(session, known["referral_id"], body)
    return str(known["referral_id"])


def find(session: Session, identifier: str) -> dict[str, Any] | None:
    """Return a referral by either identifier; None if there is none."""
    sql = "select body from cip_referral where referral_id = :id or referral_uid = :id order by referral_id limit 1"
    rows = session.run(sql, {"id": identifier}) if identifier else []
    return _loaded(rows[0][0]) if rows else None


def find_test(session: Session, test_id: str) -> dict[str, Any] | None:
    """Return a test; None if there is none."""
    rows = session.run("select body from cip_referral_test where referral_test_id = :test", {"test": test_id})
    return _loaded(rows[0][0]) if rows else None


def of_case(session: Session, ir_id: int, version: int) -> dict[str, Any] | None:
    """Return the referral that a case came of; None if it is not known."""
    return find(session, id_of_case(session, ir_id, version))


def id_of_request(session: Session, ir_id: int) -> str:
    """Return the referral whose test led to a request, to whichever version; empty if none is known."""
    rows = session.run(
        "select referral_id from cip_referral_test where ir_id = :ir and referral_id <> ''"
        " order by ir_version desc, referral_test_id limit 1",
        {"ir": ir_id},
    )
    return str(rows[0][0]) if rows else ""


def id_of_case(session: Session, ir_id: int, version: int) -> str:
    """Return the referral whose test led to a case; empty if none is known."""
    rows = session.run(
        "select referral_id from cip_referral_test where ir_id = :ir and ir_version = :version and referral_id <> ''"
        " order by referral_test_id limit 1",
        {"ir": ir_id, "version": version},
    )
    return str(rows[0][0]) if rows else ""


def page(
    session: Session, *, offset: int, limit: int, visible_sites: Sequence[str] | None = None
) -> tuple[int, list[dict[str, Any]]]:
    """Return how many referrals there are, and those from ``offset``: what was changed last comes first.

    ``visible_sites`` are those whose cases the user may see: only referrals of such cases count; None: all do.
    """
    where, parameters = "1 = 1", dict[str, Any]()
    if visible_sites is not None:
        where = _of_sites(session, "r.referral_id")
        parameters = {"sites": session.text_list(visible_sites)}
    count = int(session.run(f"select count(*) from cip_referral r where {where}", parameters)[0][0])
    if not 0 <= offset < count:
        return count, []
    rows = session.run(
        f"select r.body from cip_referral r where {where} order by {_ORDER} limit :limit offset :offset",
        {**parameters, "limit": limit, "offset": offset},
    )
    return count, [_loaded(body) for (body,) in rows]


def is_visible(session: Session, referral_id: str, sites: Sequence[str]) -> bool:
    """Return whether a referral is of a case of one of some sites."""
    sql = f"select 1 where {_of_sites(session, ':referral')}"
    return bool(session.run(sql, {"referral": referral_id, "sites": session.text_list(sites)}))


def referral_of_test(session: Session, test_id: str) -> str:
    """Return the referral that ordered a test; empty if it is not known."""
    sql = "select referral_id from cip_referral_test where referral_test_id = :test"
    return next((str(referral_id) for (referral_id,) in session.run(sql, {"test": test_id})), "")


def _of_sites(session: Session, referral: str) -> str:
    """Return the SQL condition that a referral is of a case of one of the sites in parameter ``sites``."""
    return (
        f"exists (select 1 from {CONSENT_KEYS} k join cip_facet s on s.case_row = k.case_row and s.name = 'site'"
        f" where k.value = {referral} and s.value in (select value from {session.texts('sites')} t))"
    )


def econsent_of(session: Session, identifier: str) -> list[dict[str, Any]] | None:
    """Return the items of the econsent of a referral, by either identifier; None if nothing is known of it."""
    known = find(session, identifier)
    if known is not None:
        econsent = known.get("econsent")
        items = econsent.get("participant_consent") if isinstance(econsent, Mapping) else econsent
        return [dict(one) for one in items if isinstance(one, Mapping)] if isinstance(items, list) else []
    rows = cip_consents.of_referral(session, identifier)
    return [cip_consents.shown(one) for one in rows if one.participant] or None


def _note_consents(session: Session, referral_id: str, body: Mapping[str, Any]) -> None:
    econsent = body.get("econsent")
    if econsent is None:
        return
    data = body.get("referral_data")
    people = members_of(data) if isinstance(data, Mapping) else []
    uids = {_text(one, "participantUid"): _text(one, "participantId") for one in people}
    named = {uid: participant for uid, participant in uids.items() if uid and participant}
    overall = econsent.get("overall_econsent") if isinstance(econsent, Mapping) else ""
    items = consents_of(econsent)
    cip_consents.note_econsent(session, referral_id, items, overall=str(overall or ""), people=named)


def _merged(known: object, given: object) -> list[Any]:
    """Return items of econsent with others in the places of those that they are not older than."""
    if isinstance(given, Mapping):
        given = given.get("participant_consent")
    merged = list(known) if isinstance(known, list) else []
    places = {_text(one, "participant_id"): at for at, one in enumerate(merged) if isinstance(one, Mapping)}
    for one in given if isinstance(given, list) else []:
        at = places.get(_text(one, "participant_id")) if isinstance(one, Mapping) else None
        if at is None:
            merged.append(one)
        elif gel_values.moment(one.get("last_modified")) >= gel_values.moment(merged[at].get("last_modified")):
            merged[at] = one
    return merged


def _text(body: Mapping[str, Any], name: str) -> str:
    value = body.get(name)
    return value if isinstance(value, str) else str(value) if isinstance(value, int) else ""


def _loaded(body: str) -> dict[str, Any]:
    found: dict[str, Any] = orjson.loads(body)
    return found
