"""The command line as tests use it: within this process, where it starts at once, or as a process of its own."""

from __future__ import annotations

import io
import os
import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Sequence
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

_MEASURED = """
import os, resource, subprocess, sys
code = subprocess.call(sys.argv[2:])
os.write(int(sys.argv[1]), str(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss).encode())
sys.exit(code)
"""
"""Runs a command and tells its peak of memory (KiB). A process begins with that of the one that starts it, so one that
has run many tests cannot measure another."""


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
        self,
        *arguments: str | Path,
        stdin: int = subprocess.DEVNULL,
        before: Sequence[str] = (),
        shared: Sequence[int] = (),
        **settings: str,
    ) -> subprocess.Popen[bytes]:
        """Start one command as a process of its own, as the arguments of the command ``before`` it if there is one."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("OPERON_")}
        return subprocess.Popen(
            [*before, sys.executable, "-m", "ingest.cli", *map(str, arguments)],
            cwd=ROOT,
            pass_fds=shared,
            env=environment | self._variables(settings),
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def run_apart(self, *arguments: str | Path, **settings: str) -> Ended:
        """Run one command as a process of its own to its end."""
        told, tells = os.pipe()
        measured = [sys.executable, "-S", "-c", _MEASURED, str(tells)]
        process = self.start(*arguments, stdin=subprocess.DEVNULL, before=measured, shared=[tells], **settings)
        os.close(tells)
        assert process.stdout is not None
        assert process.stderr is not None
        with process.stdout as stdout, process.stderr as stderr:
            # Commands write a few lines at most, so one pipe after the other cannot block.
            out, err = stdout.read().decode(), stderr.read().decode()
        with os.fdopen(told, "rb") as pipe:
            peak = int(pipe.read())
        return Ended(process.wait(), out, err, peak * 1024)

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
