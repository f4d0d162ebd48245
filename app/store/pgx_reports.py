"""Addresses of reports that open with a PIN.

The token of an address is found by its digest; token and PIN themselves are kept encrypted, so that whoever asks for
the report of a person again gets the same address, and nobody reads them in the database.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final

from app.store.bitmaps import shard_of
from app.store.sealing import Sealer
from app.store.session import Session

MOST_FAILURES: Final = 5
"""Wrong PINs after which an address opens no more"""

_PURPOSE: Final = "report login"
_TOKEN_BYTES: Final = 24
_COLUMNS: Final = (
    "token_sha256",
    "shard",
    "subject_ordinal",
    "recipient",
    "language",
    "sealed",
    "failures",
    "created",
    "expires",
)


@dataclass(frozen=True, slots=True)
class Login:
    """The address of a report, and what opens it."""

    token: str
    pin: str
    expires: str
    """UTC"""


class Entry(StrEnum):
    """What became of an attempt to open a report."""

    OPEN = "open"
    WRONG_PIN = "wrong-pin"
    CLOSED = "closed"
    """Too many wrong PINs, or too old"""
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Opened:
    """The result of an attempt; a report is named only when it opens."""

    entry: Entry
    subject_id: str = ""
    language: str = ""
    recipient: str = ""


@dataclass(frozen=True, slots=True)
class Wanted:
    """The report that an address is asked for."""

    ordinal: int
    recipient: str
    """doctor or patient"""
    language: str


def obtain(session: Session, sealer: Sealer, wanted: Wanted, lifetime: timedelta) -> Login:
    """Return the address that a person's report has, a new one if there is none that still opens for some time."""
    now = datetime.now(UTC)
    rows = session.run(
        "select sealed, expires from pgx_report_login where subject_ordinal = :ordinal and recipient = :recipient"
        " and language = :language and failures < :most and expires > :soon order by created desc, token_sha256",
        {
            "ordinal": wanted.ordinal,
            "recipient": wanted.recipient,
            "language": wanted.language,
            "most": MOST_FAILURES,
            "soon": _text(now + lifetime / 2),
        },
    )
    for sealed, expires in rows:
        # Another secret may be in use since; then the address cannot be told again.
        token, _, pin = (sealer.unseal(_PURPOSE, sealed) or "").partition(" ")
        if pin:
            return Login(token, pin, expires)
    session.run("delete from pgx_report_login where expires < :now returning 1", {"now": _text(now)})
    return _create(session, sealer, wanted, now, now + lifetime)


def _create(session: Session, sealer: Sealer, wanted: Wanted, now: datetime, expires: datetime) -> Login:
    token, pin = secrets.token_urlsafe(_TOKEN_BYTES), f"{secrets.randbelow(10_000):04d}"
    sealed = sealer.seal(_PURPOSE, f"{token} {pin}")
    who = (_digest(token), shard_of(wanted.ordinal), wanted.ordinal, wanted.recipient, wanted.language)
    session.insert_rows("pgx_report_login", _COLUMNS, [(*who, sealed, 0, _text(now), _text(expires))])
    return Login(token, pin, _text(expires))


def open_report(session: Session, sealer: Sealer, token: str, pin: str) -> Opened:
    """Return whether a PIN opens an address, and count it if it does not; has to be committed in either case."""
    now = _text(datetime.now(UTC))
    rows = session.run(
        "select s.subject_id, l.recipient, l.language, l.sealed, l.failures, l.expires from pgx_report_login l"
        " join subject s on s.ordinal = l.subject_ordinal where l.token_sha256 = :token",
        {"token": _digest(token)},
    )
    if not rows:
        return Opened(Entry.UNKNOWN)
    subject_id, recipient, language, sealed, failures, expires = rows[0]
    if failures >= MOST_FAILURES or expires <= now:
        return Opened(Entry.CLOSED)
    # Counted before it is compared, so that attempts at the same time count as well.
    counted = session.run(
        "update pgx_report_login set failures = failures + 1 where token_sha256 = :token and failures < :most"
        " returning failures",
        {"token": _digest(token), "most": MOST_FAILURES},
    )
    if not counted:
        return Opened(Entry.CLOSED)
    if not hmac.compare_digest((sealer.unseal(_PURPOSE, sealed) or "").encode(), f"{token} {pin}".encode()):
        return Opened(Entry.WRONG_PIN)
    session.run(
        "update pgx_report_login set failures = 0 where token_sha256 = :token returning 1", {"token": _digest(token)}
    )
    return Opened(Entry.OPEN, subject_id, language, recipient)


def is_known(session: Session, token: str) -> bool:
    """Return whether an address is one that may still open, so that a page can ask for the PIN."""
    rows = session.run(
        "select 1 from pgx_report_login where token_sha256 = :token and failures < :most and expires > :now",
        {"token": _digest(token), "most": MOST_FAILURES, "now": _text(datetime.now(UTC))},
    )
    return bool(rows)


def erase_subject(session: Session, ordinal: int) -> None:
    """Remove every address of a person's report."""
    session.run("delete from pgx_report_login where subject_ordinal = :ordinal returning 1", {"ordinal": ordinal})


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _text(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")
