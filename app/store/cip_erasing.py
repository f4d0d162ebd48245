"""Erasing: of every case that a subject is in goes whatever names them, while others keep their calls and consents."""

from __future__ import annotations

from collections.abc import Iterable

from app.store import cip_consents, counters
from app.store.cip_rows import CONSENT_KEYS
from app.store.session import Session


def forget_subject(session: Session, subject_id: str) -> list[str]:
    """Remove every document of a case that a subject is in; return the names of the cases.

    The calls of everybody else in them stay, and so does what they agreed to.
    """
    cases = session.run(
        "select c.id, c.ir_id, c.version from cip_case c where c.id in"
        " (select case_row from cip_member where subject_id = :subject) order by c.id",
        {"subject": subject_id},
    )
    rows = [row for row, _, _ in cases]
    keys = _referrals_of(session, rows, subject_id)
    for row, ir_id, version in cases:
        remove(session, row)
        number = {"ir": ir_id, "version": version}
        session.run("delete from cip_sync where ir_id = :ir returning 1", {"ir": ir_id})
        session.run("delete from cip_referral_test where ir_id = :ir returning 1", {"ir": ir_id})
        session.run(
            "update cip_audit set ir_id = null, version = null where ir_id = :ir and version = :version returning 1",
            number,
        )
    for referral_id in keys:
        _remove_referral(session, referral_id)
        if not _is_used(session, referral_id):
            cip_consents.retire(session, referral_id, subject_id)
    cip_consents.erase_subject(session, subject_id)
    if cases or keys:
        counters.add(session, counters.DATA_VERSION, 1)
    return [f"{ir_id}-{version}" for _, ir_id, version in cases]


def remove(session: Session, row: int) -> None:
    """Remove a case with everything that is only of it; the calls that it has in the store stay."""
    for table in ("cip_member", "cip_facet", "cip_note"):
        session.run(f"delete from {table} where case_row = :row returning 1", {"row": row})
    session.run("delete from cip_case where id = :row returning 1", {"row": row})


def _referrals_of(session: Session, rows: Iterable[int], subject_id: str) -> list[str]:
    """Return the referrals of some cases, and those in which a subject said something."""
    found = session.run(
        f"select k.value from {CONSENT_KEYS} k where k.case_row {session.in_ints('rows')} and k.value <> ''"
        " union select referral_id from cip_consent where subject_id = :subject",
        {"rows": session.int_list(list(rows)), "subject": subject_id},
    )
    return sorted(referral_id for (referral_id,) in found)


def _remove_referral(session: Session, referral_id: str) -> None:
    scope = {"referral": referral_id}
    session.run("delete from cip_referral_test where referral_id = :referral returning 1", scope)
    session.run("delete from cip_referral where referral_id = :referral returning 1", scope)


def _is_used(session: Session, referral_id: str) -> bool:
    """Return whether a case that stays has its consents under a referral."""
    sql = f"select 1 from {CONSENT_KEYS} k where k.value = :referral limit 1"
    return bool(session.run(sql, {"referral": referral_id}))
