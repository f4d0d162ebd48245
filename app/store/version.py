"""The number of the store's data, which changes with everything that an answer could depend on."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from threading import Lock

from app.errors import Unavailable
from app.store import counters
from app.store.session import Database


class DataVersion:
    """Reads the version; on SQLite only after another connection has written, which costs a tenth of a look-up."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._watch: sqlite3.Connection | None = None
        self._seen = -1
        self._known = ""
        self._lock = Lock()

    def current(self) -> str:
        """Return the version.

        Raises:
            Unavailable: the database cannot be reached.
        """
        if not self._database.is_sqlite:
            return self._read()
        with self._lock:
            try:
                # Looked at before the version is read: a write in between is then seen at the next call.
                seen = self._watched()
            except sqlite3.Error as error:
                raise Unavailable(f"the database is not available: {error}") from error
            if seen != self._seen:
                self._known = self._read()
                self._seen = seen
            return self._known

    def _watched(self) -> int:
        """Return SQLite's own count of other connections' writes."""
        if self._watch is None:
            path = Path(str(self._database.url.database)).absolute()
            self._watch = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, check_same_thread=False)
        return int(self._watch.execute("pragma data_version").fetchone()[0])

    def _read(self) -> str:
        with self._database.read() as session:
            return str(counters.value(session, counters.DATA_VERSION))

    def close(self) -> None:
        """Release the connection."""
        with self._lock:
            if self._watch is not None:
                self._watch.close()
                self._watch = None
                self._seen = -1
