"""The store and the reference files that a command works on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from app.config import Settings
from app.errors import Misconfigured
from app.operations.context import Genome, open_genome
from app.records import Sex
from app.store import migrate
from app.store.session import Database
from app.store.subjects import Subject
from ingest.subjects import read_subjects


@dataclass(frozen=True, slots=True)
class Workspace:
    """An open store with the genome that variants are placed by."""

    settings: Settings
    database: Database
    genome: Genome


@contextmanager
def open_database(settings: Settings) -> Iterator[Database]:
    """Open the database that the settings name, and close it at the end."""
    database = Database(settings.store_url, sql_time_limit_ms=settings.sql_time_limit_ms)
    try:
        yield database
    finally:
        database.close()


@contextmanager
def open_workspace(settings: Settings) -> Iterator[Workspace]:
    """Open the store for an ingest.

    Raises:
        Misconfigured: the store does not exist, or has another schema.
    """
    with open_database(settings) as database:
        require_schema(database)
        yield Workspace(settings, database, open_genome(settings.reference_dir))


def subjects_in(path: Path, settings: Settings) -> list[Subject]:
    """Return the subjects that a table lists, one entry a row.

    Raises:
        OperonError: the table cannot be used; every problem is named.
    """
    return [
        Subject(
            row.subject,
            row.sex or Sex.UNKNOWN,
            row.birth_date,
            ((row.identifier_system or "", row.identifier_value),) if row.identifier_value else (),
        )
        for row in read_subjects(path, settings)
    ]


def require_schema(database: Database) -> None:
    """Raise Misconfigured unless the store has this release's schema."""
    if not database.exists():
        raise Misconfigured("there is no store yet: run 'operon db upgrade'")
    current, head = migrate.current(database), migrate.head(database)
    if current != head:
        raise Misconfigured(
            f"the store has schema revision {current or 'none'}, this program needs {head}: run 'operon db upgrade'"
        )
