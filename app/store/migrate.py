"""Schema revisions through alembic, run in process."""

from __future__ import annotations

import io
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util.exc import CommandError

import migrations
from app.errors import InvalidInput, Misconfigured, quoted
from app.store.session import Database, unavailable


def _config(database: Database) -> Config:
    config = Config(stdout=io.StringIO())  # its remarks are no results
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    config.attributes["database"] = database
    return config


def upgrade(database: Database) -> None:
    """Bring the schema to the newest revision; a new SQLite file is created with its folder.

    Raises:
        Unavailable: the database cannot be reached.
    """
    if database.exists():
        current(database)
    elif database.is_sqlite and database.url.database:
        Path(database.url.database).parent.mkdir(parents=True, exist_ok=True)
    command.upgrade(_config(database), "head")


def downgrade(database: Database, revision: str) -> None:
    """Take the schema back to an older revision.

    Raises:
        InvalidInput: there is no such revision.
        Unavailable: the database cannot be reached.
    """
    current(database)
    try:
        command.downgrade(_config(database), revision)
    except CommandError as error:
        raise InvalidInput(f"the schema cannot go back to {quoted(revision)}: {error}") from error


def current(database: Database) -> str | None:
    """Return the revision of the schema; None for an empty database.

    Raises:
        Unavailable: the database cannot be reached.
    """
    try:
        with database.reader.connect() as connection:
            return MigrationContext.configure(connection).get_current_revision()
    except database.errors as error:
        raise unavailable(error) from error


def head(database: Database) -> str | None:
    """Return the newest revision that this program knows."""
    return ScriptDirectory.from_config(_config(database)).get_current_head()


def check_drift(database: Database) -> None:
    """Compare the schema with the tables of this program.

    Raises:
        Misconfigured: they differ.
    """
    try:
        command.check(_config(database))
    except CommandError as error:
        raise Misconfigured(f"the store's schema differs from this program's tables: {error}") from error
