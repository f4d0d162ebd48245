"""Answering CDS Hooks: from a call to cards, and what becomes of feedback."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Protocol

from app.config import Settings
from app.errors import ConsentWithheld
from app.operations.cds_cards import Card, CardOptions, order_cards, summary_card, withheld_card
from app.operations.cds_log import CardLog
from app.operations.cds_request import HookCall
from app.operations.cds_subject import Fetch, patient_of
from app.operations.cds_suggestions import without_empty
from app.operations.consent import ConsentGate
from app.operations.pgx import ActivePgx, PgxProfile, profile_of
from app.pgx.orders import Order, active_orders, draft_orders, selected_orders
from app.store import cds
from app.store.cds import Feedback, ShownCard
from app.store.session import Database
from app.store.subjects import Subject

_PATIENCE = 0.2
"""Seconds that feedback waits for the cards that it may be about"""


class CdsContext(Protocol):
    """What answering needs of the context of the operations."""

    @property
    def settings(self) -> Settings:
        """Return the settings."""
        ...

    @property
    def database(self) -> Database:
        """Return the store."""
        ...

    @property
    def consent(self) -> ConsentGate:
        """Return who is withheld from what."""
        ...

    @property
    def cards(self) -> CardLog:
        """Return what keeps cards."""
        ...

    def pgx(self) -> ActivePgx:
        """Return what the releases in use say."""
        ...


def answer(context: Any, call: HookCall, fetch: Fetch, base_url: str) -> dict[str, Any]:
    """Return the body of the answer to a call, and have its cards kept.

    Raises:
        PrefetchUnavailable: the patient cannot be known.
    """
    of: CdsContext = context
    by_id = of.settings.cds_patient_match == "any"
    with of.database.read() as session:
        subject = patient_of(session, call, fetch, ids_are_ours=by_id)
    if subject is None:
        return {"cards": []}
    active = of.pgx()
    options = _options(of.settings, call, base_url)
    try:
        cards = _cards(active, profile_of(of, subject.subject_id), call, options)
    except ConsentWithheld:
        is_asked = not call.has_orders or any(order.drugs for order in _judged(active, call))
        cards = [withheld_card(subject.subject_id, options)] if is_asked else []
    of.cards.add([_shown(card, subject, call, active.release) for card in cards])
    return {"cards": [without_empty(card.body) for card in cards]}


def _options(settings: Settings, call: HookCall, base_url: str) -> CardOptions:
    return CardOptions(
        instance=call.instance,
        service=call.service,
        has_orders=call.has_orders,
        base_url=base_url,
        today=datetime.now(UTC).date(),
        launch_url=settings.cds_launch_url,
        show_normal=settings.cds_show_normal and call.has_orders,
        pretest=settings.cds_pretest and call.has_orders,
    )


def _cards(active: ActivePgx, profile: PgxProfile, call: HookCall, options: CardOptions) -> Sequence[Card]:
    if call.has_orders:
        return order_cards(active, profile, _judged(active, call), options)
    taken = active_orders(call.prefetched("activeMedications"), active.drugs)
    summary = summary_card(active, profile, options)
    return [*([summary] if summary else []), *order_cards(active, profile, taken, options)]


def _judged(active: ActivePgx, call: HookCall) -> list[Order]:
    orders = draft_orders(call.orders, active.drugs)
    return orders if call.selections is None else selected_orders(orders, call.selections)


def _shown(card: Card, subject: Subject, call: HookCall, release: str) -> ShownCard:
    return ShownCard(
        uuid=card.uuid,
        subject_ordinal=subject.ordinal,
        service=call.service,
        hook=call.hook,
        drug=card.drug,
        source=card.source,
        grade=card.grade,
        release=release,
        suggestions=card.suggestions,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def keep_feedback(context: Any, feedback: Sequence[Feedback]) -> None:
    """Store feedback, after the cards that this process has shown."""
    of: CdsContext = context
    of.cards.flush(_PATIENCE)
    with of.database.write() as session:
        cds.store_feedback(session, feedback)


def spend(context: Any, digest: str, *, expires: int, now: float) -> bool:
    """Return whether a token was not used before, by whichever process of the server, and note that it is now."""
    of: CdsContext = context
    with of.database.write() as session:
        return cds.spend_token(session, digest, expires=expires, now=int(now))
