"""What is known of a case besides its document: flags, statuses in decision support, its referral."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson

from app.store import cip_cases, cip_notes, cip_referrals
from app.store.cip_notes import NoteKind
from app.store.cip_rows import StoredCase
from app.store.session import Session


def notes_of(session: Session, case: StoredCase, kind: NoteKind, offset: int, limit: int) -> tuple[int, Sequence[Any]]:
    """Return how many notes of a kind a case has, and those from ``offset``, the oldest first."""
    return cip_notes.page(session, case.row, kind, offset=offset, limit=limit)


def flags_of(session: Session, case: StoredCase) -> list[Any]:
    """Return the flags of a case."""
    return cip_notes.page(session, case.row, NoteKind.FLAG)[1]


def referral_of(session: Session, case: StoredCase) -> Any:
    """Return the referral that a case came of: what is known now, else what its document says; None if neither."""
    known = cip_referrals.of_case(session, case.ir_id, case.version)
    if known is not None:
        return known
    raw = cip_cases.detail_of(session, case.row)
    return orjson.loads(raw).get("referral") if raw is not None else None
