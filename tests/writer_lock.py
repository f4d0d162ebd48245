"""Wait for the lock of a writer that was killed."""

from __future__ import annotations

from sqlalchemy import text

from app.store import session
from app.store.session import Database


def await_writer(database: Database) -> None:
    """Return when no process holds the store: a server notices the death of its client on its own time."""
    if database.is_sqlite:
        return
    with database.writer.connect() as connection:
        for function in ("pg_advisory_lock", "pg_advisory_unlock"):
            connection.execute(text(f"select {function}(:key)"), {"key": session._WRITER_LOCK_KEY})
