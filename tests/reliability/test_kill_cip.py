"""``kill -9`` at any moment of an ingest of cases: the same command completes it, and no case is there in part."""

from __future__ import annotations

import random
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import orjson
import pytest

from app.store import migrate
from app.store.session import Database
from bench.cip_cases import cases
from tests.command_line import CommandLine
from tests.store_dump import Dump, dump
from tests.writer_lock import await_writer

SEED, CASES, VARIANTS, KILLS = 20_262, 250, 20, 8
_VOLATILE = ("ingest_run", "cip_case", "counter")
"""Numbers of runs and times differ from one way to the other"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("cases")
    for number, document in enumerate(cases(CASES, VARIANTS, seed=SEED)):
        (made / f"{number:04}.json").write_bytes(document)
    return made


@pytest.fixture
def database(store_url: str) -> Iterator[Database]:
    database = Database(store_url)
    migrate.upgrade(database)
    yield database
    database.close()


def _visible(found: Dump) -> dict[str, int]:
    return {name: len(rows) for name, rows in found.items() if name not in _VOLATILE}


def test_an_ingest_of_cases_that_is_killed_ends_like_one_that_was_not(
    database: Database, store_url: str, folder: Path, tmp_path: Path
) -> None:
    operon, chance = CommandLine(tmp_path), random.Random(SEED)
    command: tuple[str | Path, ...] = ("ingest", "cip-api", *sorted(folder.iterdir()), "--quiet")
    for _ in range(KILLS):
        process = operon.start(*command, database_url=store_url)
        with process:
            with suppress(subprocess.TimeoutExpired):
                process.wait(chance.uniform(0.6, 4))
            process.kill()
        await_writer(database)
        _require_whole_cases(database)

    assert operon.run_apart(*command, database_url=store_url).code == 0

    whole = CommandLine(tmp_path / "whole")
    whole.done("db", "upgrade")
    whole.done(*command)
    assert _visible(dump(database)) == _visible(whole.dump())
    with database.read() as session:
        assert session.run("select count(*) from cip_case where state <> 'stored'")[0][0] == 0
        assert session.run("select count(*) from ingest_run where state <> 'done'")[0][0] == 0


def _require_whole_cases(database: Database) -> None:
    """A case has all of its tests, call sets and statements, or none of them."""
    with database.read() as session:
        stored = session.run("select tests from cip_case where state = 'stored'")
        tests = {test for (text,) in stored for _, test in orjson.loads(text)}
        assert {test for (test,) in session.run("select test_id from study")} == tests
        called = session.run(
            "select count(*) from call_set cs where not exists (select 1 from study st where st.id = cs.study_id)"
        )
        assert called[0][0] == 0
        assert session.run("select count(*) from stated_implication")[0][0] == len(stored)
