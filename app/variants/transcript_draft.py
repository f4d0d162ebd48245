"""Writing ``transcripts.db``: a draft beside it takes its place when everything is in, and not before."""

from __future__ import annotations

import fcntl
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from app.errors import Misconfigured, quoted
from app.variants import gene_rows, transcript_rows
from app.variants.transcript_rows import bin_of

NAME: Final = "transcripts.db"
FORMAT: Final = 3
_STAGING: Final = ".adding-transcripts-"


@contextmanager
def locked(directory: Path) -> Iterator[None]:
    """Let one process at a time add to a folder, and remove what a killed one left."""
    directory.mkdir(parents=True, exist_ok=True)
    with (directory / ".transcripts.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for left in directory.glob(f"{_STAGING}*"):
            shutil.rmtree(left)
        yield


@contextmanager
def draft(directory: Path) -> Iterator[sqlite3.Connection]:
    """Give a copy of what is there to add to; unless that raises, it is completed and takes the old one's place."""
    with tempfile.TemporaryDirectory(prefix=_STAGING, dir=directory) as staging:
        path = Path(staging) / NAME
        if (directory / NAME).exists():
            shutil.copyfile(directory / NAME, path)
        with closing(_opened(path)) as connection:
            yield connection
            connection.commit()
            connection.executescript(gene_rows.GENES)
        _publish(path, directory / NAME)


def require_format(connection: sqlite3.Connection, path: Path) -> None:
    """Raise Misconfigured if a file is damaged or of another release."""
    try:
        ((found,),) = connection.execute("PRAGMA user_version").fetchall()
    except sqlite3.DatabaseError as error:
        raise damaged(path, error) from error
    if found != FORMAT:
        raise damaged(path, f"its format is {found}, this program reads {FORMAT}")


def damaged(path: Path, problem: object) -> Misconfigured:
    """Return the error about a file that cannot be read."""
    return Misconfigured(f"{quoted(path)} is damaged ({problem}); remove it and add the transcripts again")


def _opened(path: Path) -> sqlite3.Connection:
    """Open the draft, which nobody else reads and which is thrown away unless it becomes complete."""
    fresh = not path.exists()
    connection = sqlite3.connect(path)
    try:
        connection.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -65536;")
        if fresh:
            connection.executescript(transcript_rows.SCHEMA + gene_rows.SCHEMA)
            connection.execute(f"PRAGMA user_version = {FORMAT}")
        require_format(connection, path)
        connection.create_function("bin_of", 2, bin_of, deterministic=True)
    except BaseException:
        connection.close()
        raise
    return connection


def _publish(path: Path, place: Path) -> None:
    with path.open("rb") as stream:
        os.fsync(stream.fileno())
    path.chmod(0o644)
    path.replace(place)
