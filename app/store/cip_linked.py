"""Which cases of a CIP-API share a referral: whoever may see some of them is not to reach the others by it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from app.store.cip_rows import CONSENT_KEYS
from app.store.session import Session

_OF_SITES = "select s.case_row from cip_facet s where s.name = 'site' and s.value in (select value from {texts} t)"


def referrals_of(session: Session, row: int) -> set[str]:
    """Return the referrals (or families) whose consents count for a case."""
    sql = f"select k.value from {CONSENT_KEYS} k where k.case_row = :row"
    return {str(value) for (value,) in session.run(sql, {"row": row}) if value}


def has_cases_elsewhere(session: Session, referral_ids: Iterable[str], sites: Sequence[str]) -> bool:
    """Return whether any of some referrals is of a case of none of some sites."""
    named = [one for one in referral_ids if one]
    sql = (
        f"select 1 from {CONSENT_KEYS} k where k.value in (select value from {session.texts('referrals')} r)"
        f" and k.case_row not in ({_OF_SITES.format(texts=session.texts('sites'))}) limit 1"
    )
    parameters = {"referrals": session.text_list(named), "sites": session.text_list(sites)}
    return bool(named and session.run(sql, parameters))


def is_told_elsewhere(session: Session, referral_id: str, sites: Sequence[str], *, row: int = -1) -> bool:
    """Return whether something is stored of a referral that no case of some sites, but ``row``, leads to.

    What members of ``row`` agreed to does not count.
    """
    sql = (
        f"select 1 from {CONSENT_KEYS} k where k.value = :referral and k.case_row <> :row"
        f" and k.case_row in ({_OF_SITES.format(texts=session.texts('sites'))}) limit 1"
    )
    parameters = {"referral": referral_id, "row": row}
    if session.run(sql, {**parameters, "sites": session.text_list(sites)}):
        return False
    known = (
        "select 1 from cip_referral r where r.referral_id = :referral or r.referral_uid = :referral"
        " union all select 1 from cip_consent c where c.referral_id = :referral and c.participant <> ''"
        " and c.participant not in (select m.participant from cip_member m where m.case_row = :row)"
    )
    return bool(session.run(known, parameters))
