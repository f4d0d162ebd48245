"""Stores with the newest schema and nothing in them: migrated once for each process and server, then copied.

A migration takes half a second, and most tests want a store of their own.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
from psycopg import sql
from sqlalchemy.engine import URL, make_url

from app.store import migrate
from app.store.session import Database

TEMPLATE = "operon_empty_store"


def make_empty_store(database: Database) -> None:
    """Bring a database to the newest schema; one without anything becomes a copy."""
    url = database.url
    if database.is_sqlite and url.database and not database.exists():
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)
        Path(url.database).write_bytes(_sqlite_file())
    elif not database.is_sqlite and migrate.current(database) is None:
        template = _template(url.set(database=TEMPLATE).render_as_string(hide_password=False))
        with _maintenance(url) as connection:
            of_test = sql.Identifier(url.database or "")
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(of_test))
            connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(of_test, sql.Identifier(template)))
    else:
        migrate.upgrade(database)


@cache
def _sqlite_file() -> bytes:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "empty.db"
        _migrate(f"sqlite:///{path}")
        assert not Path(f"{path}-wal").exists(), "the log was not written back"
        return path.read_bytes()


@cache
def _template(text: str) -> str:
    with _maintenance(make_url(text)) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(TEMPLATE)))
    _migrate(text)
    return TEMPLATE


def _migrate(url: str) -> None:
    database = Database(url)
    try:
        migrate.upgrade(database)
    finally:
        database.close()


def _maintenance(url: URL) -> psycopg.Connection[tuple[object, ...]]:
    return psycopg.connect(host=str(url.query["host"]), user=url.username, dbname="postgres", autocommit=True)
