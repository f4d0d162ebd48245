"""What follows an ingest: the consequences of its new variants, and the pharmacogenes of its new tests."""

from __future__ import annotations

from typing import Self

from app.errors import OperonError
from ingest import pgx_calls
from ingest.consequences import compute_new, waiting_before
from ingest.pgx_calls import Definitions
from ingest.progress import Progress
from ingest.workspace import Workspace


class FollowUps:
    """Remembers what waits before an ingest, so that what waits beside that afterwards is what the ingest brought.

    ``definitions`` of pharmacogenes are those in use unless they are given; they are read only where they are needed.
    """

    def __init__(
        self,
        workspace: Workspace,
        progress: Progress,
        *,
        consequences: bool = True,
        pgx: bool = True,
        definitions: Definitions | None = None,
    ) -> None:
        self._workspace = workspace
        self._progress = progress
        self._definitions = definitions
        self._unexamined = waiting_before(workspace) if consequences else None
        self._uncalled = pgx_calls.waiting_before(workspace, self.definitions) if pgx else None

    @property
    def definitions(self) -> Definitions:
        """Return what pharmacogenes are called by."""
        if self._definitions is None:
            self._definitions = pgx_calls.definitions_in_use(self._workspace)
        return self._definitions

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Do what was wanted; files that were stored before another one was refused have a right to it, too."""
        if kind is None or issubclass(kind, OperonError):
            compute_new(self._workspace, self._progress, self._unexamined)
            if self._uncalled is not None:
                pgx_calls.call_new(self._workspace, self.definitions, self._progress, self._uncalled)
