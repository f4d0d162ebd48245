"""Referrals that are sent to the CIP-API-compatible interface: with their tests and what participants agreed to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from app.errors import InvalidFields, NotAllowed
from app.formats.gel_parts import NO_STRING, NO_WHOLE, REQUIRED
from app.formats.gel_values import timestamp
from app.operations import cip_case_fields as fields
from app.operations.cip_access import FORBIDDEN
from app.operations.cip_documents import Document
from app.operations.cip_query import visible_sites
from app.operations.cip_writing import Writer
from app.store import cip_cases, cip_changes, cip_linked, cip_referrals
from app.store.session import Session

_CONSENT_FIELDS: Final = (
    *("primaryGenomicTestingConsent", "researchDiscussion", "researchFindingConsent"),
    *("pharmocogenomicsFindingConsent", "pharmacogenomicsFindingConsent"),
    *("healthRelatedFindingConsent", "carrierStatusConsent"),
)
_ANSWERS: Final = ("undefined", "yes", "no")
_NOT_LIST: Final = 'Expected a list of items but got type "{}".'


def put_referral(writer: Writer, body: object) -> Document:
    """Store a referral, in place of the one of its identifier, and return it as it is served.

    Its consents count from now on; the cases of its participants wait.

    Raises:
        InvalidFields: it cannot be stored.
        NotAllowed: it is, or was, about a case of other sites.
    """
    problems = referral_problems(body)
    if problems or not isinstance(body, Mapping):
        raise InvalidFields(problems)
    now = timestamp(writer.clock())
    with writer.of.database.write() as session:
        cip_changes.hold_new(session)
        known = cip_referrals.find(session, body["referral_id"])
        _require_sites(writer, session, body, known)
        first = (known or {}).get("create_at") or body.get("create_at") or now
        stored: Document = {**body, "last_modified": now, "create_at": first}
        if stored.get("referral_test") is None:
            stored["referral_test"] = []  # clients walk through it
        cip_referrals.put(session, stored)
    return stored


def referral_problems(body: object) -> dict[str, list[str]]:
    """Return what is wrong in a referral."""
    if not isinstance(body, Mapping):
        return {"non_field_errors": [fields.NOT_OBJECT]}
    found: dict[str, list[str]] = {}
    if not isinstance(body.get("referral_id"), str) or not body["referral_id"].strip():
        found["referral_id"] = [REQUIRED if body.get("referral_id") is None else NO_STRING]
    for name in ("referral_uid", "ordering_date"):
        if not isinstance(body.get(name), str | None):
            found[name] = [NO_STRING]
    scope = body.get("analysis_scope")
    if scope not in (None, "raredisease", "cancer"):
        found["analysis_scope"] = [f'"{scope}" is not a valid choice.']
    if not isinstance(body.get("referral_data"), Mapping | None):
        found["referral_data"] = [fields.NOT_OBJECT]
    return found | _test_problems(body.get("referral_test")) | _econsent_problems(body.get("econsent"))


def _test_problems(tests: object) -> dict[str, list[str]]:
    if tests is None:
        return {}
    if not isinstance(tests, list):
        return {"referral_test": [_NOT_LIST.format(type(tests).__name__)]}
    found: dict[str, list[str]] = {}
    for at, test in enumerate(tests):
        if not isinstance(test, Mapping):
            found[f"referral_test[{at}]"] = [fields.NOT_OBJECT]
        elif not isinstance(test.get("referral_test_id"), str) or not test["referral_test_id"]:
            found[f"referral_test[{at}].referral_test_id"] = [REQUIRED]
        else:
            for name in ("interpretation_request_id", "interpretation_request_version"):
                if test.get(name) is not None and fields.number_of(test[name]) is None:
                    found[f"referral_test[{at}].{name}"] = [NO_WHOLE]
    return found


def _econsent_problems(econsent: object) -> dict[str, list[str]]:
    if econsent is None:
        return {}
    if not isinstance(econsent, Mapping):
        return {"econsent": [fields.NOT_OBJECT]}
    items = econsent.get("participant_consent")
    if not isinstance(items, list):
        return {"econsent.participant_consent": [REQUIRED if items is None else _NOT_LIST.format("object")]}
    found: dict[str, list[str]] = {}
    if econsent.get("overall_econsent") not in (None, "green", "amber", "red"):
        found["econsent.overall_econsent"] = [f'"{econsent["overall_econsent"]}" is not a valid choice.']
    for at, item in enumerate(items):
        path = f"econsent.participant_consent[{at}]"
        if not isinstance(item, Mapping):
            found[path] = [fields.NOT_OBJECT]
            continue
        if not isinstance(item.get("participant_id"), str) or not item["participant_id"]:
            found[f"{path}.participant_id"] = [REQUIRED]
        for name in _CONSENT_FIELDS:
            if item.get(name) is not None and item[name] not in _ANSWERS:
                found[f"{path}.{name}"] = [f'"{item[name]}" is not a valid choice.']
    return found


def _require_sites(writer: Writer, session: Session, body: Mapping[str, Any], known: Mapping[str, Any] | None) -> None:
    """Raise NotAllowed where a user of some sites writes about a case of others, or about one that is not told.

    A referral counts for cases that name it, too, and its consents for everybody in them.
    """
    sites = visible_sites(writer.caller)
    if sites is None:
        return
    numbers = {*_numbers(body), *_numbers(known or {})}
    cases = [case for number in numbers if (case := cip_cases.find(session, *number)) is not None]
    sees_all = all(writer.caller.sees(case.overview.get("sites") or []) for case in cases)
    names = _names(session, body, known)
    if (
        not sees_all
        or (known is not None and not cases)
        or cip_linked.has_cases_elsewhere(session, names, sites)
        or any(cip_linked.is_told_elsewhere(session, name, sites) for name in names)
    ):
        raise NotAllowed(FORBIDDEN)


def _names(session: Session, body: Mapping[str, Any], known: Mapping[str, Any] | None) -> set[str]:
    """Return the referrals that storing a body changes: its own, and those that its tests belonged to."""
    names = {one.get(name) for one in (body, known or {}) for name in ("referral_id", "referral_uid")}
    tests = [one["referral_test_id"] for one in body.get("referral_test") or [] if isinstance(one, Mapping)]
    names |= {cip_referrals.referral_of_test(session, test) for test in tests}
    return {name for name in names if isinstance(name, str) and name}


def _numbers(referral: Mapping[str, Any]) -> Iterable[tuple[int, int]]:
    tests = referral.get("referral_test")
    for test in tests if isinstance(tests, list) else []:
        if not isinstance(test, Mapping):
            continue
        found = fields.number_of(test.get("interpretation_request_id"))
        version = fields.number_of(test.get("interpretation_request_version"))
        if found is not None and version is not None:
            yield found[0], version[0]
