"""Who in the cases of a CIP-API has not agreed to what; whoever is in no case is never in here.

A case of which only the list is known counts for nothing yet: consents come with its detail. All is read as a whole:
nearly every answer needs to know no more than that it is nobody.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from pyroaring import BitMap

from app.store.bitmaps import LOW, shard_of
from app.store.carriers import Shards
from app.store.cip_rows import CONSENT_KEYS
from app.store.session import Session

_MEMBERS = (
    "select m.subject_id, s.ordinal,"
    " min(case when c.research = 'yes' then 1 else 0 end) as research,"
    " min(case when c.pharmacogenomics = 'yes' then 1 else 0 end) as pharmacogenomics,"
    " max(case when c.primary_testing = 'no' then 1 else 0 end) as refused"
    " from (select distinct m.subject_id from cip_member m left join cip_case k on k.id = m.case_row"
    " where k.id is null or k.state <> 'listed') m"
    " left join subject s on s.subject_id = m.subject_id"
    " left join cip_consent c on c.subject_id = m.subject_id"
    " group by m.subject_id, s.ordinal"
    " having min(case when c.research = 'yes' then 1 else 0 end) = 0"
    " or min(case when c.pharmacogenomics = 'yes' then 1 else 0 end) = 0"
    " or max(case when c.primary_testing = 'no' then 1 else 0 end) = 1"
)
_RED = (
    "select c.referral_id from cip_consent c where c.primary_testing = 'no'"
    " union select r.referral_id from cip_referral r join cip_consent c on c.referral_id = r.referral_uid"
    " where c.primary_testing = 'no'"
)
_WITH_RED = (
    "select m.subject_id from cip_member m join cip_consent c on c.subject_id = m.subject_id"
    f" where c.referral_id in ({_RED})"
    " union select m.subject_id from cip_member m join cip_case k on k.id = m.case_row"
    f" where k.family_id <> '' and k.family_id in ({_RED})"
    f" union select m.subject_id from cip_member m join {CONSENT_KEYS} f on f.case_row = m.case_row"
    f" where f.value <> '' and f.value in ({_RED})"
)


@dataclass(frozen=True, slots=True)
class Withheld:
    """Who has not agreed to what, of everybody in a case."""

    research: Shards = field(default_factory=dict)
    """Those whom no count may include: no consent to research, or the test was refused"""
    pharmacogenomics: Shards = field(default_factory=dict)
    """Those of whom nothing pharmacogenetic is told"""
    of_pharmacogenomics: frozenset[str] = frozenset()
    """The same by the ids of subjects, also of subjects that the store does not know"""
    refused: frozenset[str] = frozenset()
    """Ids of subjects who, or of whom somebody of the same referral, refused the test itself"""

    @property
    def is_nobody(self) -> bool:
        """Return whether everybody has agreed to everything."""
        return not (self.research or self.of_pharmacogenomics or self.refused)


NOBODY = Withheld()


def read(session: Session) -> Withheld:
    """Return who is withheld from what, in two statements, and one for each who is refused by others.

    A consent counts that everything known of a person agrees on: two referrals, one without it, are none. What nobody
    said is not agreed to; only the test itself is allowed until somebody says no.
    """
    rows = session.run(_MEMBERS)
    refused = {subject_id for (subject_id,) in session.run(_WITH_RED)}
    if not rows and not refused:
        return NOBODY
    refused |= {subject_id for subject_id, _, _, _, is_refused in rows if is_refused}
    ordinals = {subject_id: ordinal for subject_id, ordinal, *_ in rows if ordinal is not None}
    ordinals |= _ordinals(session, refused - ordinals.keys())
    research = refused | {subject_id for subject_id, _, agreed, _, _ in rows if not agreed}
    pharmacogenomics = refused | {subject_id for subject_id, _, _, agreed, _ in rows if not agreed}
    return Withheld(
        _shards(ordinals[one] for one in research if one in ordinals),
        _shards(ordinals[one] for one in pharmacogenomics if one in ordinals),
        frozenset(pharmacogenomics),
        frozenset(refused),
    )


def _ordinals(session: Session, subject_ids: Iterable[str]) -> dict[str, int]:
    found = {}
    for subject_id in sorted(subject_ids):
        rows = session.run("select ordinal from subject where subject_id = :subject", {"subject": subject_id})
        if rows:
            found[subject_id] = int(rows[0][0])
    return found


def _shards(ordinals: Iterable[int]) -> Shards:
    found: Shards = {}
    for ordinal in ordinals:
        found.setdefault(shard_of(ordinal), BitMap()).add(ordinal & LOW)
    return found
