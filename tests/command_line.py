"""The command line as tests use it: within this process, where it starts at once, or as a process of its own."""

from __future__ import annotations

import io
import os
import signal
import socket
import sqlite3
import subprocess
import sys
from contextlib import closing, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

from app.config import Settings
from app.store.session import Database
from ingest.cli import main
from tests.store_dump import Dump, dump

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended; ``peak_bytes`` is the most memory that it had, 0 where it was not a process of its own."""

    code: int
    out: str
    err: str
    peak_bytes: int = 0


@dataclass(frozen=True, slots=True)
class CommandLine:
    """The commands on one store, which lives in ``home``."""

    home: Path

    def run(self, *arguments: str | Path, stdin: bytes = b"", **settings: str) -> Ended:
        """Run one command in this process; ``settings`` are further variables without their prefix."""
        out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True) for _ in range(2))
        given = io.TextIOWrapper(io.BytesIO(stdin), "utf-8")
        on_terminate, on_interrupt = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
        code: object = None
        try:
            with (
                patch.dict(os.environ, self._variables(settings)),
                patch.object(sys, "argv", ["operon", *map(str, arguments)]),
                patch.object(sys, "stdin", given),
                redirect_stdout(out),
                redirect_stderr(err),
            ):
                main()
        except SystemExit as ended:
            code = ended.code
        finally:
            signal.signal(signal.SIGTERM, on_terminate)
            signal.signal(signal.SIGINT, on_interrupt)
        assert isinstance(code, int)
        return Ended(code, _written(out), _written(err))

    def done(self, *arguments: str | Path, stdin: bytes = b"", **settings: str) -> Ended:
        """Run one command in this process, which must succeed."""
        ended = self.run(*arguments, stdin=stdin, **settings)
        assert ended.code == 0, ended.err
        return ended

    def start(
        self, *arguments: str | Path, stdin: int = subprocess.DEVNULL, **settings: str
    ) -> subprocess.Popen[bytes]:
        """Start one command as a process of its own."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("OPERON_")}
        return subprocess.Popen(
            [sys.executable, "-m", "ingest.cli", *map(str, arguments)],
            cwd=ROOT,
            env=environment | self._variables(settings),
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def run_apart(self, *arguments: str | Path, **settings: str) -> Ended:
        """Run one command as a process of its own to its end."""
        process = self.start(*arguments, stdin=subprocess.DEVNULL, **settings)
        assert process.stdout is not None
        assert process.stderr is not None
        with process.stdout as stdout, process.stderr as stderr:
            # Commands write a few lines at most, so one pipe after the other cannot block.
            out, err = stdout.read().decode(), stderr.read().decode()
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        return Ended(process.returncode, out, err, used.ru_maxrss * 1024)

    def dump(self) -> Dump:
        """Return everything that is in the store."""
        with closing(Database(Settings(home=self.home).store_url)) as database:
            return dump(database)

    def rows(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """Return the rows of a statement on the store."""
        with closing(sqlite3.connect(self.home / "operon.db")) as connection:
            return connection.execute(sql, values).fetchall()

    def _variables(self, settings: dict[str, str]) -> dict[str, str]:
        return {
            "OPERON_HOME": str(self.home),
            **{f"OPERON_{name.upper()}": value for name, value in settings.items()},
        }


def free_port() -> int:
    """Return a loopback port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def add_chains(operon: CommandLine, shared: Path) -> None:
    """Load the chain files of the whole genome, both directions."""
    for here, there in (("GRCh37", "GRCh38"), ("GRCh38", "GRCh37")):
        file = shared / "data" / "chain_ensembl" / f"{here}_to_{there}.chain.gz"
        operon.done("reference", "add-chain", "--from", here, "--to", there, file)


def add_windows(operon: CommandLine, shared: Path) -> None:
    """Load the windows of sequence around genes, of both builds."""
    for build in ("GRCh37", "GRCh38"):
        operon.done("reference", "add", "--assembly", build, shared / "data" / "seq" / f"windows.{build}.fa.gz")


def _written(stream: io.TextIOWrapper) -> str:
    buffer = stream.buffer
    assert isinstance(buffer, io.BytesIO)
    return buffer.getvalue().decode()
