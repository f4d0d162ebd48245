"""Reading referrals for the CIP-API-compatible interface: who is sent for which test, and what they agreed to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from app.errors import NotAllowed, NotFound
from app.operations.cip_access import FORBIDDEN
from app.operations.cip_cases import Asked
from app.operations.cip_query import visible_sites
from app.store import cip_referrals
from app.store.session import Session


def referrals(asked: Asked, offset: int, limit: int) -> tuple[int, Sequence[Any]]:
    """Return how many referrals a user may see, and those from ``offset``."""
    with asked.of.database.read() as session:
        count, found = cip_referrals.page(
            session, offset=offset, limit=limit, visible_sites=visible_sites(asked.caller)
        )
    return count, found


def referral(asked: Asked, identifier: str) -> Mapping[str, Any]:
    """Return a referral by either identifier.

    Raises:
        NotFound: there is none.
        NotAllowed: it is of cases of other sites.
    """
    with asked.of.database.read() as session:
        found = cip_referrals.find(session, identifier)
        if found is None:
            raise NotFound("Not found.")
        _require_visible(asked, session, str(found.get("referral_id")))
    return found


def econsent(asked: Asked, identifier: str) -> Mapping[str, Any]:
    """Return what the participants of a referral agreed to. Raises NotFound, NotAllowed as ``referral`` does."""
    with asked.of.database.read() as session:
        items = cip_referrals.econsent_of(session, identifier)
        if items is None:
            raise NotFound("Not found.")
        known = cip_referrals.find(session, identifier)
        _require_visible(asked, session, str(known.get("referral_id")) if known else identifier)
    return {"econsent": items}


def referral_test(asked: Asked, test_id: str) -> Mapping[str, Any]:
    """Return a test that was ordered. Raises NotFound, NotAllowed as ``referral`` does."""
    with asked.of.database.read() as session:
        found = cip_referrals.find_test(session, test_id)
        if found is None:
            raise NotFound("Not found.")
        _require_visible(asked, session, cip_referrals.referral_of_test(session, test_id))
    return found


def _require_visible(asked: Asked, session: Session, referral_id: str) -> None:
    sites = visible_sites(asked.caller)
    if sites is not None and not cip_referrals.is_visible(session, referral_id, sites):
        raise NotAllowed(FORBIDDEN)
