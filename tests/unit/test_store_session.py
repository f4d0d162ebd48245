"""Statements in one wording for both databases, transactions, and the writer's lock."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest

from app.errors import Busy, Misconfigured, Unavailable
from app.store.session import Database, Session
from tests.small_store import migrated
from tests.writer_lock import await_writer

INT32, INT64 = 2**31 - 1, 2**63 - 1
SUBJECT = ("ordinal", "shard", "subject_id", "sex", "birth_date")


@pytest.fixture
def session(database: Database) -> Iterator[Session]:
    """Return a session that writes; nothing is kept."""
    with database.writer.connect() as connection:
        connection.begin()
        yield Session(connection.connection.driver_connection, is_sqlite=database.is_sqlite)


def add_subject(session: Session, number: int, birth_date: str | None = None) -> None:
    session.insert_rows("subject", SUBJECT, [(number, 0, f"P{number}", "female", birth_date)])


def subjects(database: Database) -> list[Any]:
    with database.read() as session:
        return [tuple(row) for row in session.run("select ordinal, birth_date from subject order by ordinal")]


# --- statements -------------------------------------------------------------------------------------------------------


def test_parameters_are_named(session: Session) -> None:
    rows = session.run("select :one, :two, :one", {"one": "a", "two": "b"})

    assert [tuple(row) for row in rows] == [("a", "b", "a")]


def test_percent_signs_and_casts_are_no_parameters(session: Session) -> None:
    rows = session.run("select 7 % 4, 'x' like :pattern", {"pattern": "%"})

    assert [tuple(row) for row in rows] == [(3, 1)]
    if not session.is_sqlite:
        assert [tuple(row) for row in session.run("select '12'::int, :n::text", {"n": 5})] == [(12, "5")]


def test_integer_columns_become_a_table_in_their_order(session: Session) -> None:
    first, second = [5, -1, 5, INT64], [0, INT32, -(2**31), 1]

    table, parameters = session.integer_rows(("one", "two"), (first, second))

    rows = session.run(f"select k.i, k.one, k.two from {table} k order by k.i", parameters)
    assert [tuple(row) for row in rows] == list(zip(range(4), first, second, strict=True))


def test_integer_columns_without_rows_are_an_empty_table(session: Session) -> None:
    table, parameters = session.integer_rows(("one", "two"), ((), ()))

    assert session.run(f"select k.one from {table} k", parameters) == []


def test_ten_thousand_integers_are_one_parameter(session: Session) -> None:
    for number in (0, 3, 9_999, 10_001):
        add_subject(session, number)

    rows = session.run(
        f"select ordinal from subject where ordinal {session.in_ints('wanted')} order by ordinal",
        {"wanted": session.int_list(list(range(1, 10_000)))},
    )

    assert [row[0] for row in rows] == [3, 9_999]


def test_no_integers_match_nothing(session: Session) -> None:
    add_subject(session, 0)

    found = session.run(
        f"select 1 from subject where ordinal {session.in_ints('wanted')}", {"wanted": session.int_list([])}
    )

    assert found == []


def test_one_statement_runs_for_many_rows(session: Session) -> None:
    for number in range(3):
        add_subject(session, number)

    session.run_many("update subject set birth_date = ? where ordinal = ?", [("1990", 0), ("1991", 2)])

    rows = session.run("select birth_date from subject order by ordinal")
    assert [row[0] for row in rows] == ["1990", None, "1991"]


def test_no_rows_at_all_are_fine(session: Session) -> None:
    session.run_many("update subject set birth_date = ? where ordinal = ?", [])
    session.insert_rows("subject", SUBJECT, [])

    assert session.run("select 1 from subject") == []


AWKWARD_TEXTS = ["", "\t", "\n", "\\", "\\N", "\\.", "'", '"', "ä€😀", "NULL", "a\tb\\nc", " "]


def test_awkward_texts_come_back(session: Session) -> None:
    session.insert_rows("subject", SUBJECT, [(at, 0, f"P{at}", "x", text) for at, text in enumerate(AWKWARD_TEXTS)])

    assert [row[0] for row in session.run("select birth_date from subject order by ordinal")] == AWKWARD_TEXTS


@pytest.mark.parametrize("rows", [1, 5000])
def test_missing_values_and_bytes_come_back(session: Session, rows: int) -> None:
    everything = bytes(range(256))
    session.insert_rows("carrier_delta", ("run_id", "block", "data"), ((n, INT32, everything) for n in range(rows)))
    session.insert_rows("subject", SUBJECT, ((n, 0, f"P{n}", "male", None) for n in range(rows)))

    assert session.run("select count(*) from subject where birth_date is null")[0][0] == rows
    stored = session.run("select block, data from carrier_delta")
    assert {(row[0], bytes(row[1])) for row in stored} == {(INT32, everything)}


# --- transactions -----------------------------------------------------------------------------------------------------


def test_what_is_written_is_kept_at_the_end(database: Database) -> None:
    with database.write() as session:
        add_subject(session, 1)
        assert subjects(database) == []

    assert subjects(database) == [(1, None)]


def test_an_error_undoes_everything(database: Database) -> None:
    def fail_late() -> None:
        with database.write() as session:
            add_subject(session, 1)
            session.run_many("update subject set birth_date = ? where ordinal = ?", [("1990", 1)])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_late()
    assert subjects(database) == []


def test_a_reader_sees_one_state_throughout(database: Database) -> None:
    with database.read() as reader:
        before = reader.run("select count(*) from subject")[0][0]
        with database.write() as writer:
            add_subject(writer, 1)
        assert reader.run("select count(*) from subject")[0][0] == before == 0

    assert subjects(database) == [(1, None)]


def test_a_reader_cannot_write(database: Database) -> None:
    with pytest.raises(Unavailable, match=r"(?i)read-?only"), database.read() as session:
        add_subject(session, 1)

    assert subjects(database) == []


def test_a_refused_statement_does_not_name_the_values(database: Database) -> None:
    with database.write() as session:
        add_subject(session, 1)

    with pytest.raises(Unavailable) as caught, database.write() as session:
        session.insert_rows("subject", SUBJECT, [(1, 0, "canary-4711", "male", None)])

    assert "canary" not in str(caught.value)
    assert subjects(database) == [(1, None)]


def test_a_slow_statement_is_stopped(postgres_url: str) -> None:
    database = Database(postgres_url, sql_time_limit_ms=20)

    with pytest.raises(Unavailable, match="timeout"), database.read() as session:
        session.run("select count(*) from generate_series(1, 100000000)")
    database.close()


def test_a_lock_of_another_program_is_busy(tmp_path: Path) -> None:
    with migrated(f"sqlite:///{tmp_path / 'operon.db'}") as database:
        with database.writer.connect() as connection:
            connection.exec_driver_sql("pragma busy_timeout=0")
        with closing(sqlite3.connect(tmp_path / "operon.db", isolation_level=None)) as other:
            other.execute("begin immediate")

            with pytest.raises(Busy), database.write():
                pass


def test_a_missing_server_is_unavailable(tmp_path: Path) -> None:
    database = Database(f"postgresql://nobody@/nothing?host={tmp_path}")

    with pytest.raises(Unavailable, match="not available"), database.read():
        pass


@pytest.mark.parametrize("url", ["", "no url", "mysql://localhost/x", "oracle://localhost/x"])
def test_other_urls_are_refused(url: str) -> None:
    with pytest.raises(Misconfigured, match="OPERON_DATABASE_URL"):
        Database(url)


def test_a_missing_file_is_no_store(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'operon.db'}")

    assert not database.exists()
    assert list(tmp_path.iterdir()) == []


def test_writing_survives_a_power_cut_and_reading_never_blocks_it(tmp_path: Path) -> None:
    with migrated(f"sqlite:///{tmp_path / 'operon.db'}") as database, database.write() as session:
        pragmas = {name: session.run(f"pragma {name}")[0][0] for name in ("journal_mode", "synchronous")}

    assert pragmas == {"journal_mode": "wal", "synchronous": 2}


# --- the writer's lock ------------------------------------------------------------------------------------------------


def test_there_is_one_writer_at_a_time(database: Database) -> None:
    other = Database(database.url.render_as_string(hide_password=False))
    with database.sole_writer(), pytest.raises(Busy, match="another ingest"), other.sole_writer():
        pass

    with other.sole_writer():
        pass
    other.close()


def test_an_error_lets_the_next_writer_in(database: Database) -> None:
    with pytest.raises(ZeroDivisionError), database.sole_writer():
        raise ZeroDivisionError

    with database.sole_writer():
        pass


def test_another_process_ends_with_75_while_an_ingest_runs(database: Database, tmp_path: Path) -> None:
    (tmp_path / "subjects.csv").write_text("subject_id\nP1\n")
    command = [sys.executable, "-m", "ingest.cli", "ingest", "subjects", str(tmp_path / "subjects.csv")]
    url = database.url.render_as_string(hide_password=False)
    environment = {**os.environ, "OPERON_HOME": str(tmp_path), "OPERON_DATABASE_URL": url}

    with database.sole_writer():
        second = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    assert (second.returncode, second.stderr) == (75, "operon: another ingest is writing to this store\n")
    assert subjects(database) == []
    assert subprocess.run(command, env=environment, capture_output=True, check=False).returncode == 0
    assert len(subjects(database)) == 1


def test_the_lock_ends_with_its_process(database: Database, tmp_path: Path) -> None:
    url = database.url.render_as_string(hide_password=False)
    program = (
        "import os, signal; from app.store.session import Database\n"
        f"with Database({url!r}).sole_writer(): os.kill(os.getpid(), signal.SIGKILL)"
    )
    killed = subprocess.run([sys.executable, "-c", program], check=False, capture_output=True)
    assert killed.returncode == -9, killed.stderr

    await_writer(database)
    with database.sole_writer():
        pass


# --- connections ------------------------------------------------------------------------------------------------------


def test_many_threads_may_read_at_once(database: Database) -> None:
    with database.write() as session:
        add_subject(session, 1)
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)  # as often as possible, between any two steps of a thread
    try:
        with ThreadPoolExecutor(8) as pool:
            found = list(pool.map(lambda _: subjects(database), range(400)))
    finally:
        sys.setswitchinterval(interval)

    assert found == [[(1, None)]] * 400


def test_a_question_that_fails_gives_its_connection_back(database: Database) -> None:
    def fail() -> None:
        with database.read() as session:
            session.run("select 1")
            raise ZeroDivisionError

    for _ in range(30):
        with pytest.raises(ZeroDivisionError):
            fail()
        assert subjects(database) == []


def test_a_statement_that_fails_does_not_spoil_the_next_one(database: Database) -> None:
    for _ in range(3):
        with pytest.raises(Unavailable), database.read() as session:
            session.run("select nonsense from nowhere")
        assert subjects(database) == []


@pytest.mark.parametrize("database", [pytest.param("postgresql", marks=pytest.mark.postgresql)], indirect=True)
def test_after_a_restart_of_the_server_reading_works_again(database: Database) -> None:
    assert subjects(database) == []
    with database.write() as session:
        session.run(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where datname = current_database() and pid <> pg_backend_pid()"
        )

    with suppress(Unavailable):
        subjects(database)

    assert subjects(database) == []
