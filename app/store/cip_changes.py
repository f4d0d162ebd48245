"""Changing the document of a case: one at a time, so that none is lost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import orjson

from app.store import cip_cases, counters
from app.store.cip_rows import StoredCase
from app.store.session import Session

_KEY: Final = "key"
"""Kind of the notes that tell what a client's key stands for"""


@dataclass(frozen=True, slots=True)
class Keyed:
    """What a client's key stands for: a clinical report of a case."""

    body: str
    """Digest of the document that was sent"""
    version: int


def hold(session: Session, ir_id: int, version: int) -> StoredCase | None:
    """Return a case that nobody else changes until the transaction ends; None if there is none.

    On SQLite a writing transaction is the only one; PostgreSQL locks the row and reads it as it is then.
    """
    if not session.is_sqlite:
        session.run(
            "select id from cip_case where ir_id = :ir and version = :version for update",
            {"ir": ir_id, "version": version},
        )
    return cip_cases.find(session, ir_id, version)


def hold_new(session: Session) -> int:
    """Let nobody else add a case until the transaction ends; return the number that a new request gets.

    Two registrations of one number come one after the other therefore.
    """
    counters.add(session, counters.CIP_CASE, 0)
    return int(session.run("select coalesce(max(ir_id), 0) + 1 from cip_case")[0][0])


def keyed(session: Session, row: int, key: str) -> Keyed | None:
    """Return what a key, by its digest, stands for in a case; None for a new key."""
    rows = session.run(
        "select body from cip_note where case_row = :row and kind = :kind order by id", {"row": row, "kind": _KEY}
    )
    notes = [orjson.loads(body) for (body,) in rows]
    return next((Keyed(note["body"], note["version"]) for note in notes if note["key"] == key), None)


def remember(session: Session, row: int, key: str, stands_for: Keyed, *, username: str, created_at: str) -> None:
    """Keep what a key stands for."""
    body = orjson.dumps({"key": key, "body": stands_for.body, "version": stands_for.version}).decode()
    number = counters.allocate(session, counters.CIP_NOTE, 1)
    columns = ("id", "case_row", "kind", "body", "created_at", "username")
    session.insert_rows("cip_note", columns, [(number, row, _KEY, body, created_at, username)])
