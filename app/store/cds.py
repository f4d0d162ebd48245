"""What CDS clients were shown and told us: cards, feedback on them, tokens that were used."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from app.store import counters
from app.store.bitmaps import shard_of
from app.store.session import Session


@dataclass(frozen=True, slots=True)
class ShownCard:
    """A card as it is kept: what it was about, not what it said."""

    uuid: str
    subject_ordinal: int
    service: str
    hook: str
    drug: str
    source: str
    grade: str
    release: str
    suggestions: Mapping[str, str]
    """Label of each suggestion by its id"""
    created: str


@dataclass(frozen=True, slots=True)
class Feedback:
    """What a user did with one card."""

    card: str
    service: str
    outcome: str
    suggestions: tuple[str, ...]
    reason_system: str | None
    reason_code: str | None
    comment: str | None
    at: str
    received_at: str
    iss: str | None


def store_cards(session: Session, cards: Sequence[ShownCard]) -> None:
    """Keep cards; one that was shown before, or of a subject that was erased meanwhile, is left out."""
    for card in cards:
        session.run(
            "insert into cds_card (uuid, shard, subject_ordinal, service, hook, drug, source, grade, release,"
            " suggestions, created) select :uuid, s.shard, s.ordinal, :service, :hook, :drug, :source, :grade,"
            " :release, :suggestions, :created from subject s where s.shard = :shard and s.ordinal = :ordinal"
            " on conflict (uuid) do nothing returning 1",
            {
                "uuid": card.uuid,
                "shard": shard_of(card.subject_ordinal),
                "ordinal": card.subject_ordinal,
                "service": card.service,
                "hook": card.hook,
                "drug": card.drug,
                "source": card.source,
                "grade": card.grade,
                "release": card.release,
                "suggestions": orjson.dumps(dict(card.suggestions)).decode(),
                "created": card.created,
            },
        )


def store_feedback(session: Session, given: Sequence[Feedback]) -> None:
    """Keep feedback; of a card that is not stored without the comment, which nobody could erase with its subject."""
    known = {one.card for one in given if session.run("select 1 from cds_card where uuid = :uuid", {"uuid": one.card})}
    first = counters.allocate(session, counters.CDS_FEEDBACK, len(given))
    columns = (
        "id", "card", "service", "outcome", "suggestions", "reason_system", "reason_code", "comment", "at",
        "received_at", "iss",
    )  # fmt: skip
    rows = [
        (
            first + number, one.card, one.service, one.outcome, orjson.dumps(one.suggestions).decode(),
            one.reason_system, one.reason_code, one.comment if one.card in known else None, one.at,
            one.received_at, one.iss,
        )
        for number, one in enumerate(given)
    ]  # fmt: skip
    session.insert_rows("cds_feedback", columns, rows)


def spend_token(session: Session, digest: str, *, expires: int, now: int) -> bool:
    """Return whether a token was not used before, and note that it is now; forget those that have expired."""
    session.run("delete from cds_token where expires < :now returning 1", {"now": now})
    rows = session.run(
        "insert into cds_token (digest, expires) values (:digest, :expires)"
        " on conflict (digest) do nothing returning 1",
        {"digest": digest, "expires": expires},
    )
    return bool(rows)


def erase_subject(session: Session, ordinal: int) -> None:
    """Remove the cards that were shown of a subject, and the feedback on them."""
    scope = {"ordinal": ordinal}
    session.run(
        "delete from cds_feedback where card in (select uuid from cds_card where subject_ordinal = :ordinal)"
        " returning 1",
        scope,
    )
    session.run("delete from cds_card where subject_ordinal = :ordinal returning 1", scope)


def feedback(session: Session) -> Iterator[dict[str, Any]]:
    """Yield what users did with cards, in the order in which it came, each with what its card was about."""
    rows = session.run(
        "select f.card, f.service, f.outcome, f.suggestions, f.reason_system, f.reason_code, f.comment, f.at,"
        " f.received_at, f.iss, c.hook, s.subject_id, c.drug, c.source, c.grade, c.release, c.suggestions, c.created"
        " from cds_feedback f left join cds_card c on c.uuid = f.card"
        " left join subject s on s.ordinal = c.subject_ordinal order by f.id"
    )
    for row in rows:
        card, service, outcome, taken, system, code, comment, at, received_at, iss, hook, *about = row
        subject, drug, source, grade, release, labels, created = about
        offered = orjson.loads(labels) if labels else {}
        entry: dict[str, Any] = {"card": card, "service": service, "outcome": outcome}
        entry["suggestions"] = [{"id": one, "label": offered.get(one)} for one in orjson.loads(taken)]
        entry |= {"reason_system": system, "reason_code": code, "comment": comment}
        entry |= {"at": at, "received_at": received_at, "iss": iss, "is_orphan": hook is None, "hook": hook}
        entry |= {"subject": subject, "drug": drug, "source": source, "grade": grade, "release": release}
        entry["shown"] = created
        yield entry
