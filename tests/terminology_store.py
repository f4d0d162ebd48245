"""Stores with terminology: released files of the test data, or statements of a test."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from app.config import Settings
from app.store import terminology
from app.store.session import Database
from app.store.terminology import NewRelease
from ingest import terminology as loading
from ingest.progress import Progress
from ingest.workspace import Workspace
from tests.small_store import NO_GENOME
from tests.terminology_files import FILES, FOLDER


class Loading:
    """Loads into one store."""

    def __init__(self, database: Database, home: Path) -> None:
        self.workspace = Workspace(Settings(home=home), database, NO_GENOME)

    def __call__(self, kind: str, *files: Path | str, **options: Any) -> loading.Loaded:
        """Load files of the test data, or those that are given."""
        paths = [FOLDER / file for file in files or FILES[kind]]
        return loading.load(self.workspace, kind, paths, Progress(quiet=True), **options)


def store(database: Database, *statements: Any, name: str = "mine") -> None:
    """Store a release that says what is given."""
    with database.write() as session:
        terminology.replace_release(session, NewRelease(name, "map", (("a.tsv", "00"),), "mine"), statements)
