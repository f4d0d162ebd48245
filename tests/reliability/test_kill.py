"""``kill -9`` at any moment of an ingest: the same command continues, and the store ends up as if nothing had been."""

from __future__ import annotations

import random
import signal
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from app.store import migrate
from app.store.session import Database
from tests.command_line import CommandLine
from tests.store_dump import Dump, dump
from tests.vcf_files import vcf
from tests.writer_lock import await_writer

SEED = 20_260
KILLS = {"sqlite": (13, 13, 4), "postgresql": (13, 13, 4)}
"""Of each file, about as many as it has time for"""
ROUNDS, CHROMOSOMES = 2, range(1, 23)
"""A block ends where another chromosome begins, so a file that goes round twice has many blocks of few records."""


@dataclass(frozen=True)
class Command:
    """One ingest, and how many blocks it stores."""

    arguments: tuple[str | Path, ...]
    blocks: int


def snvs(chance: random.Random, contig: str, n: int, samples: int) -> list[str]:
    """Return records of one chromosome: mostly single bases, and some of each other kind."""
    records = []
    for at in sorted(chance.sample(range(1, 40_000), n)):
        ref, alt = chance.choice([("A", "G"), ("C", "T"), ("G", "A,C"), ("T", "TACG"), ("CAG", "C")])
        genotypes = ["0/1", "1/1", "0|1", "./1", "0/0"] + (["1/2"] if "," in alt else [])
        depths = f":{chance.randrange(40)},{chance.randrange(40)}" + (",3" if "," in alt else "")
        cells = " ".join(chance.choice(genotypes) + depths for _ in range(samples))
        records.append(f"{contig} {at} . {ref} {alt} 50 PASS . GT:AD {cells}")
        if chance.random() < 0.02:
            kind, end = chance.choice(["DEL", "DUP", "INV"]), at + chance.randrange(50, 5000)
            calls = " ".join(chance.choice(["0/1", "1/1", "0/0"]) for _ in range(samples))
            records.append(f"{contig} {at} . N <{kind}> 50 PASS SVTYPE={kind};END={end};CIPOS=-9,9 GT {calls}")
    return records


def commands_in(folder: Path) -> list[Command]:
    """Write three files: one sample, three samples of whom one is known by then, and few large blocks."""
    chance = random.Random(SEED)
    many = [f"chr{number}" for _ in range(ROUNDS) for number in CHROMOSOMES]
    contents = [
        ("one.vcf", ("P1",), many, 350),
        ("three.vcf", ("P1", "P2", "P3"), many, 150),
        ("deep.vcf", ("P4",), ["chr3", "chr9"], 30_000),
    ]
    commands = []
    for name, samples, contigs, records in contents:
        lines = [line for contig in contigs for line in snvs(chance, contig, records, len(samples))]
        if len(samples) == 1 and records < 20_000:
            # Only at the beginning: later blocks must know of them after an interruption as well.
            lines[:0] = ["chr1 1 . A <NON_REF> . . END=90 GT 0/0", "chr1 95 . A <NON_REF> . . END=99 GT ./."]
        (folder / name).write_text(vcf(*lines, samples=samples))
        arguments = ("ingest", "vcf", folder / name, "--assembly", "GRCh38", "--all-samples", "--quiet")
        commands.append(Command(arguments, len(contigs) * (2 if records > 20_000 else 1)))
    return commands


@dataclass
class Run:
    """An ingest that is killed and restarted, and what became of it."""

    operon: CommandLine
    database: Database
    url: str
    chance: random.Random
    kills: int = 0
    after_progress: int = 0

    def ingest(self, command: Command, most_kills: int) -> None:
        """Repeat a command until it is done, and kill it a number of times."""
        visible, end = self.visible(), self.stored() + command.blocks
        for number in range(most_kills):
            before = self.stored()
            wanted = end if number == most_kills - 1 else before + self.chance.choice([1, 1, 1, 2, 2, 3])
            process = self.operon.start(*command.arguments, database_url=self.url)
            if not self.kill(process, min(wanted, end)):
                assert process.returncode == 0
                break
            self.kills += 1
            await_writer(self.database)
            self.after_progress += self.stored() > before
            self.check(visible)
        ended = self.operon.run_apart(*command.arguments, database_url=self.url)
        assert ended.code == 0, ended.err
        assert self.stored() == end

    def kill(self, process: subprocess.Popen[bytes], wanted: int) -> bool:
        """Kill a process at a moment after so many blocks are stored; False if it was done before."""
        with process:
            while self.stored() < wanted:
                with suppress(subprocess.TimeoutExpired):
                    process.wait(0.004)
                    return False
            with suppress(subprocess.TimeoutExpired):
                process.wait(self.chance.uniform(0, 0.02))
                return False
            process.kill()
        return process.returncode == -signal.SIGKILL

    def stored(self) -> int:
        """Return how many blocks all ingests have stored so far."""
        with self.database.read() as session:
            return int(session.run("select coalesce(sum(next_block), 0) from ingest_run")[0][0])

    def visible(self) -> list[int]:
        """Return what readers see: the numbers of subjects, tests, call sets and completed runs."""
        with self.database.read() as session:
            return [
                session.run(f"select count(*) from {table}")[0][0]
                for table in ("subject", "study", "call_set", "ingest_run where state = 'done'")
            ]

    def check(self, visible_before: list[int]) -> None:
        """After a kill: the database is sound, and a run is visible as a whole or not at all."""
        now = self.visible()
        if now[-1] == visible_before[-1]:
            assert now == visible_before
        if self.database.is_sqlite:
            with closing(sqlite3.connect(str(self.database.url.database))) as connection:
                assert connection.execute("pragma integrity_check").fetchall() == [("ok",)]


@pytest.fixture(scope="module")
def commands(tmp_path_factory: pytest.TempPathFactory) -> list[Command]:
    return commands_in(tmp_path_factory.mktemp("files"))


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory, commands: list[Command]) -> Dump:
    """Return what the ingests leave in a store when nobody disturbs them."""
    operon = CommandLine(tmp_path_factory.mktemp("whole"))
    operon.done("db", "upgrade")
    for command in commands:
        operon.done(*command.arguments)
    return operon.dump()


@pytest.fixture
def run(store_url: str, tmp_path: Path) -> Iterator[Run]:
    database = Database(store_url)
    migrate.upgrade(database)
    yield Run(CommandLine(tmp_path), database, store_url, random.Random(SEED))
    database.close()


def test_an_ingest_that_is_killed_again_and_again_ends_like_one_that_was_not(
    run: Run, commands: list[Command], uninterrupted: Dump
) -> None:
    kills = KILLS[run.database.url.get_backend_name()]

    for command, most in zip(commands, kills, strict=True):
        run.ingest(command, most)

    content = dump(run.database)
    sizes = {table: len(rows) for table, rows in content.items()}
    assert sizes == {table: len(rows) for table, rows in uninterrupted.items()}
    assert content == uninterrupted
    assert min(sizes[table] for table in ("structural_site", "structural_chunk", "structural_place")) > 100
    # A test whose kills come too early or too late proves nothing.
    assert run.kills >= sum(kills) * 2 / 3
    assert run.after_progress >= run.kills * 2 / 3
