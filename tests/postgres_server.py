"""A private PostgreSQL server for tests: own folder, Unix socket only, no durability, stopped by its own
process id when the tests end."""

from __future__ import annotations

import itertools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

_SETTINGS = """
listen_addresses = ''
unix_socket_directories = '{folder}'
fsync = off
full_page_writes = off
synchronous_commit = off
"""


@dataclass(frozen=True)
class PostgresServer:
    """A running server and the role that owns it."""

    folder: Path
    role: str
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def url(self, database: str) -> str:
        """Return the SQLAlchemy URL of a database."""
        return f"postgresql+psycopg://{self.role}@/{database}?host={self.folder}"

    def fresh_database(self) -> str:
        """Create an empty database and return its name."""
        name = f"test_{next(self._numbers)}"
        self._run(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        return name

    def drop(self, database: str) -> None:
        """Remove a database, whoever is still connected to it."""
        self._run(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(database)))

    def connect(self) -> psycopg.Connection[tuple[Any, ...]]:
        """Connect to the maintenance database."""
        return psycopg.connect(host=str(self.folder), user=self.role, dbname="postgres", autocommit=True)

    def _run(self, statement: sql.Composed) -> None:
        with self.connect() as connection:
            connection.execute(statement)


def find_binaries() -> Path | None:
    """Return the folder of the newest server binaries: Debian's, or those on the PATH."""
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: float(path.parts[-3]))
    if debian:
        return debian[-1].parent
    on_path = shutil.which("initdb")
    return Path(on_path).resolve().parent if on_path else None


@contextmanager
def running(binaries: Path) -> Iterator[PostgresServer]:
    """Start a server in a folder of its own and stop it, on leaving."""
    owner = _unprivileged_owner()
    # The path of a Unix socket is at most 107 bytes long, which rules out pytest's own temporary folders.
    folder = Path(tempfile.mkdtemp(prefix="operon-pg-", dir="/tmp"))
    os.chown(folder, owner.pw_uid, owner.pw_gid)
    data = folder / "data"

    # A server refuses to run as root: there the child takes the owner's identity first.
    identity: dict[str, Any] = {}
    if os.geteuid() == 0:
        identity = {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}
    initdb = [str(binaries / "initdb"), "-D", str(data), "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"]
    try:
        subprocess.run(
            [*initdb, f"--username={owner.pw_name}"], cwd=folder, check=True, stdout=subprocess.DEVNULL, **identity
        )
        with (data / "postgresql.conf").open("a") as settings:
            settings.write(_SETTINGS.format(folder=folder))
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(
                [binaries / "postgres", "-D", data], cwd=folder, stdout=log, stderr=subprocess.STDOUT, **identity
            )
        try:
            server = PostgresServer(folder, owner.pw_name)
            _await_answer(server, process)
            yield server
        finally:
            process.send_signal(signal.SIGQUIT)
            process.wait()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _await_answer(server: PostgresServer, process: subprocess.Popen[bytes]) -> None:
    for _ in range(600):
        try:
            server.connect().close()
        except psycopg.OperationalError:
            with suppress(subprocess.TimeoutExpired):
                process.wait(0.05)
                break
        else:
            return
    raise RuntimeError(f"PostgreSQL did not start: {(server.folder / 'log').read_text()}")


def _unprivileged_owner() -> pwd.struct_passwd:
    if os.geteuid() != 0:
        return pwd.getpwuid(os.geteuid())
    try:
        return pwd.getpwnam("postgres")
    except KeyError:
        return pwd.getpwnam("nobody")
