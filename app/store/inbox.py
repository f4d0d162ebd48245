"""The inbox: payloads that were submitted over the network and wait for what brings data in.

A payload is committed before its sender is answered. One worker at a time takes the payloads (it holds
``Database.sole_worker``), so what is ``running`` when a worker starts was left by one that died, and waits again. A
payload that comes once more takes the place of the earlier one, even while that is being worked on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import orjson

from app.formats.snp_batch import SampleData, copies_of
from app.store import counters
from app.store.session import Session

SNP_DATA: Final = "snpdata"
"""Kind of the payloads of SNP and copy number results"""
QUEUED: Final = "queued"
DONE: Final = "done"
FAILED: Final = "failed"
MOST_TRIES: Final = 5

_FIRST_DELAY = timedelta(seconds=30)
_GROWTH = 4
_COLUMNS = "id, kind, batch, sample, subject, payload, revision, state, tries, due, received, updated, error, report"
_COUNTER = "inbox"


@dataclass(frozen=True, slots=True)
class Submitted:
    """What is to be put into the inbox."""

    kind: str
    batch: str
    sample: str
    subject: str
    payload: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One payload of the inbox and how far it is."""

    entry_id: int
    kind: str
    batch: str
    sample: str
    subject: str
    """The subject that the sample belongs to"""
    payload: str
    revision: int
    """Counts how often the payload was replaced"""
    state: str
    tries: int
    due: str
    """When it may be taken, UTC"""
    received: str
    updated: str
    error: str | None
    report: str | None
    """JSON of what became of it"""


def put(session: Session, given: Sequence[Submitted], now: datetime | None = None) -> list[str]:
    """Store payloads, and return the samples of those that take the place of an earlier one of the same batch."""
    at = _text(now)
    replaced = []
    for one in given:
        key = {"kind": one.kind, "batch": one.batch, "sample": one.sample}
        before = session.run("select 1 from inbox where kind = :kind and batch = :batch and sample = :sample", key)
        if before:
            replaced.append(one.sample)
        entry_id = counters.allocate(session, _COUNTER, 1)
        session.run(
            "insert into inbox"
            " (id, kind, batch, sample, subject, payload, revision, state, tries, due, received, updated)"
            " values (:id, :kind, :batch, :sample, :subject, :payload, 0, 'queued', 0, :at, :at, :at)"
            " on conflict (kind, batch, sample) do update set subject = excluded.subject, payload = excluded.payload,"
            " revision = inbox.revision + 1, state = 'queued', tries = 0, due = excluded.due,"
            " received = excluded.received, updated = excluded.updated, error = null, report = null returning 1",
            {**key, "id": entry_id, "subject": one.subject, "payload": one.payload, "at": at},
        )
    return replaced


def recover(session: Session, now: datetime | None = None) -> int:
    """Let wait again what a worker was at when it died; ask while being the only worker. Return how many there are."""
    rows = session.run(
        "update inbox set state = 'queued', due = :at, updated = :at where state = 'running' returning id",
        {"at": _text(now)},
    )
    exhausted = {"most": MOST_TRIES, "at": _text(now), "error": "the program ended each time while it was worked on"}
    session.run(
        "update inbox set state = 'failed', error = :error, updated = :at"
        " where state = 'queued' and tries >= :most returning 1",
        exhausted,
    )
    return len(rows)


def has_due(session: Session, now: datetime | None = None) -> bool:
    """Return whether something can be taken, or was left by a worker that died."""
    sql = "select 1 from inbox where state = 'running' or (state = 'queued' and due <= :at) limit 1"
    return bool(session.run(sql, {"at": _text(now)}))


def claim(session: Session, now: datetime | None = None) -> Entry | None:
    """Take the payload that waits longest, and count the try; None if none is due."""
    rows = session.run(
        "update inbox set state = 'running', tries = tries + 1, updated = :at where id ="
        " (select id from inbox where state = 'queued' and due <= :at order by due, id limit 1)"
        f" and state = 'queued' returning {_COLUMNS}",
        {"at": _text(now)},
    )
    return Entry(*rows[0]) if rows else None


def done(session: Session, entry: Entry, report: str, now: datetime | None = None) -> None:
    """Note that a payload is worked off, unless it was replaced meanwhile."""
    _settle(session, entry, {"state": DONE, "error": None, "report": report, "due": entry.due}, now)


def put_back(session: Session, entry: Entry, now: datetime | None = None) -> None:
    """Let a payload wait a little that could not be worked on for no fault of its own; the try does not count."""
    due = _text((now or datetime.now(UTC)) + _FIRST_DELAY)
    values = {"state": QUEUED, "error": None, "report": None, "due": due}
    _settle(session, entry, values, now, tries=entry.tries - 1)


def fail(session: Session, entry: Entry, reason: str, *, final: bool = False, now: datetime | None = None) -> bool:
    """Note why a payload failed; it waits for its next try, each time longer. Return whether that was the last one."""
    is_last = final or entry.tries >= MOST_TRIES
    delay = _FIRST_DELAY * _GROWTH ** (entry.tries - 1)
    due = _text((now or datetime.now(UTC)) + delay)
    values = {"state": FAILED if is_last else QUEUED, "error": reason, "report": None, "due": due}
    _settle(session, entry, values, now)
    return is_last


def retry(session: Session, now: datetime | None = None) -> int:
    """Let everything wait again that failed; return how much that is."""
    rows = session.run(
        "update inbox set state = 'queued', tries = 0, due = :at, updated = :at where state = 'failed' returning 1",
        {"at": _text(now)},
    )
    return len(rows)


def entries(session: Session, state: str | None = None) -> list[Entry]:
    """Return the entries in the order in which they came, of one state or of all."""
    where = " where state = :state" if state is not None else ""
    return [Entry(*row) for row in session.run(f"select {_COLUMNS} from inbox{where} order by id", {"state": state})]


def of_subject(session: Session, subject_id: str) -> list[Entry]:
    """Return the entries of a subject, the one that came last at the end."""
    sql = f"select {_COLUMNS} from inbox where subject = :subject order by received, id"
    return [Entry(*row) for row in session.run(sql, {"subject": subject_id})]


def waiting(session: Session, subject_id: str) -> int:
    """Return how many payloads of a subject, or of a sample with this id, are not worked off yet."""
    rows = session.run(
        "select count(*) from inbox where (subject = :subject or sample = :subject) and state in ('queued', 'running')",
        {"subject": subject_id},
    )
    return int(rows[0][0])


def subject_of(session: Session, sample: str) -> str | None:
    """Return the subject that earlier payloads of a sample were taken to belong to."""
    rows = session.run("select subject from inbox where sample = :sample order by id limit 1", {"sample": sample})
    return rows[0][0] if rows else None


def gene_copies(session: Session, subject_id: str, test_id: str) -> dict[str, int]:
    """Return the copies of genes that SNP data of a test state; the usual number shows in no call of the store."""
    rows = session.run(
        "select payload from inbox where subject = :subject and batch = :test and kind = :kind"
        " and state in ('running', 'done') order by id",
        {"subject": subject_id, "test": test_id, "kind": SNP_DATA},
    )
    found: dict[str, int] = {}
    for (payload,) in rows:
        found |= copies_of(SampleData.from_json(orjson.loads(payload)))
    return found


def erase_subject(session: Session, subject_id: str) -> int:
    """Remove every payload of a subject; return how many there were."""
    return len(session.run("delete from inbox where subject = :subject returning 1", {"subject": subject_id}))


def _settle(
    session: Session, entry: Entry, values: dict[str, Any], now: datetime | None, *, tries: int | None = None
) -> None:
    session.run(
        "update inbox set state = :state, error = :error, report = :report, due = :due, tries = :tries, updated = :at"
        " where id = :id and revision = :revision and state = 'running' returning 1",
        {
            **values,
            "id": entry.entry_id,
            "revision": entry.revision,
            "tries": entry.tries if tries is None else tries,
            "at": _text(now),
        },
    )


def _text(moment: datetime | None) -> str:
    return (moment or datetime.now(UTC)).isoformat(timespec="milliseconds")
