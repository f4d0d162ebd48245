"""Engines, pragmas, portable statements and the writer's lock.

SQLite runs in WAL mode with ``synchronous=FULL`` for the writer (safe against a crash and a power cut); readers are
``query_only``. PostgreSQL is used through psycopg. Statements on the hot path are plain SQL in the ``:name`` style,
translated once per dialect, because compiled constructs cost a fifth of an answer.
"""

from __future__ import annotations

import fcntl
import os
import re
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from itertools import chain, islice
from pathlib import Path
from typing import Any, cast

import orjson
from sqlalchemy import Engine, NullPool, PoolProxiedConnection, create_engine, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from app.errors import Busy, Misconfigured, Unavailable

_WRITER_LOCK_KEY = 0x0B_E2_07  # any constant: the advisory lock that stands for "the writer of an Operon store"
_WORKER_LOCK_KEY = 0x0B_E2_08
_NAMED = re.compile(r"(?<![:\w]):([a-z_]\w*)")


class Database:
    """One database with an engine for readers and, on demand, one for the writer."""

    def __init__(self, url: str, *, sql_time_limit_ms: int = 5000) -> None:
        """Prepare engines; nothing is opened before the first statement."""
        try:
            parsed = make_url(url)
        except SQLAlchemyError as error:
            raise Misconfigured("OPERON_DATABASE_URL is not a database URL") from error
        if parsed.get_backend_name() not in ("sqlite", "postgresql"):
            raise Misconfigured("OPERON_DATABASE_URL must name sqlite or postgresql")
        if parsed.get_backend_name() == "postgresql" and parsed.drivername == "postgresql":
            parsed = parsed.set(drivername="postgresql+psycopg")
        self.url = parsed
        self.is_sqlite = parsed.get_backend_name() == "sqlite"
        self._time_limit = sql_time_limit_ms
        try:
            self.reader = self._engine(readonly=True)
            self.writer = self._engine(readonly=False)
        except ModuleNotFoundError as error:
            raise Misconfigured(f"the database needs a driver that is not installed: {error.name}") from error
        self.errors = (DBAPIError, self.writer.dialect.loaded_dbapi.Error)
        self._idle: deque[PoolProxiedConnection] = deque()

    def _engine(self, *, readonly: bool) -> Engine:
        if self.is_sqlite:
            arguments = {"check_same_thread": False, "timeout": 5.0}
            engine = create_engine(self.url, connect_args=arguments, poolclass=NullPool if readonly else None)
            event.listen(engine, "connect", _sqlite_reader if readonly else _sqlite_writer)
            return engine
        if not readonly:
            return create_engine(self.url, pool_pre_ping=True)
        limits = f"-c statement_timeout={self._time_limit} -c default_transaction_read_only=on"
        return create_engine(
            self.url, poolclass=NullPool, isolation_level="REPEATABLE READ", connect_args={"options": limits}
        )

    @contextmanager
    def read(self) -> Iterator[Session]:
        """Yield a session for reading; every statement of one block sees the same state.

        Connections wait in a list of our own, ready to use: taking one through the engine costs as much as an answer.

        Raises:
            Unavailable: the database cannot be reached, or gave up.
        """
        connection = None
        try:
            connection = self._take_idle() or self.reader.raw_connection()
            driver: Any = connection.driver_connection
            if self.is_sqlite:
                driver.execute("begin")
            yield Session(driver, is_sqlite=self.is_sqlite)
            driver.rollback()
            self._idle.append(connection)
            connection = None
        except self.errors as error:
            # The other idle ones may be as dead as this one, for example after a restart of the server.
            self._drop_idle()
            raise unavailable(error) from error
        finally:
            if connection is not None:
                connection.close()

    def _take_idle(self) -> PoolProxiedConnection | None:
        try:
            return self._idle.pop()
        except IndexError:  # asking first would leave time for another thread to take the last one
            return None

    def _drop_idle(self) -> None:
        while (connection := self._take_idle()) is not None:
            connection.close()

    @contextmanager
    def write(self) -> Iterator[Session]:
        """Yield a session for writing: one transaction, committed at the end of the block, rolled back on any error.

        Raises:
            Busy: another program writes.
            Unavailable: the database cannot be reached, or is full.
        """
        try:
            with self.writer.connect() as connection:
                connection.begin()  # statements go to the driver directly and would not begin one
                if self.is_sqlite:
                    connection.exec_driver_sql("begin immediate")
                yield Session(connection.connection.driver_connection, is_sqlite=self.is_sqlite)
                connection.commit()
        except self.errors as error:
            if "database is locked" in str(error):
                raise Busy("the database is locked by another program") from error
            raise unavailable(error) from error

    @contextmanager
    def sole_writer(self) -> Iterator[None]:
        """Hold the store for one ingest; the lock ends with the process, however it ends.

        Raises:
            Busy: another ingest holds it.
        """
        with self._held(".lock", _WRITER_LOCK_KEY, "another ingest is writing to this store"):
            yield

    @contextmanager
    def sole_worker(self) -> Iterator[None]:
        """Be the only one who works the inbox off; the lock ends with the process, however it ends.

        Raises:
            Busy: another worker holds it.
        """
        with self._held(".inbox.lock", _WORKER_LOCK_KEY, "another worker has the inbox of this store"):
            yield

    @contextmanager
    def _held(self, ending: str, key: int, refusal: str) -> Iterator[None]:
        if self.is_sqlite:
            with _file_lock(Path(str(self.url.database) + ending), refusal):
                yield
            return
        with self.writer.connect() as connection:
            got = connection.execute(text("select pg_try_advisory_lock(:key)"), {"key": key}).scalar_one()
            connection.commit()
            if not got:
                raise Busy(refusal)
            try:
                yield
            finally:
                connection.execute(text("select pg_advisory_unlock(:key)"), {"key": key})
                connection.commit()

    def exists(self) -> bool:
        """Return whether there is a database; a missing SQLite file would be created by looking inside."""
        return not self.is_sqlite or Path(str(self.url.database)).is_file()

    def vacuum(self) -> None:
        """Give deleted rows' space back, so that their bytes are gone from an SQLite file as well."""
        with self.writer.connect() as connection:
            if self.is_sqlite:
                connection.exec_driver_sql("vacuum")
                connection.exec_driver_sql("pragma wal_checkpoint(truncate)")

    def close(self) -> None:
        """Close every connection."""
        self._drop_idle()
        self.reader.dispose()
        self.writer.dispose()


class Session:
    """One transaction: portable statements on a connection."""

    __slots__ = ("driver", "is_sqlite")

    def __init__(self, driver: Any, *, is_sqlite: bool) -> None:
        self.driver = driver
        self.is_sqlite = is_sqlite

    def run(self, sql: str, parameters: Mapping[str, Any] | None = None) -> list[tuple[Any, ...]]:
        """Run one statement in the ``:name`` style on the driver and return its rows."""
        # The driver's own cursor: wrapping each result would cost as much as the look-up behind it.
        cursor = self.driver.cursor()
        try:
            cursor.execute(self._sql(sql), parameters or {})
            return cast("list[tuple[Any, ...]]", cursor.fetchall())
        finally:
            cursor.close()

    def run_many(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        """Run one statement with ``?`` marks for many rows."""
        if rows:
            self.driver.cursor().executemany(self._sql(sql), rows)

    def insert_rows(self, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        """Insert many rows as fast as the driver can (executemany, or COPY on PostgreSQL)."""
        names = ", ".join(columns)
        if self.is_sqlite:
            _insert_sqlite(self.driver.cursor(), table, names, len(columns), rows)
            return
        driver: Any = self.driver
        with driver.cursor() as cursor, cursor.copy(f"copy {table} ({names}) from stdin") as copy:
            for row in rows:
                copy.write_row(row)

    def analyze(self, *tables: str) -> None:
        """Let PostgreSQL look at tables that were just filled: until it does, it plans by what they were before."""
        if not self.is_sqlite:
            self.driver.cursor().execute(f"analyze {', '.join(tables)}")

    def integer_rows(
        self, names: Sequence[str], columns: Sequence[Sequence[int]], *, name: str = ""
    ) -> tuple[str, dict[str, Any]]:
        """Return parallel integer columns as a table expression with an ``i`` column, and the parameters it reads.

        The expression is of one statement for any number of rows; ``name`` tells several of one statement apart.
        """
        if self.is_sqlite:
            picks = ", ".join(f"value ->> {at} as {column}" for at, column in enumerate(names))
            rows = orjson.dumps([list(row) for row in zip(*columns, strict=True)]).decode()
            return f"(select key as i, {picks} from json_each(:_rows{name}))", {f"_rows{name}": rows}
        arrays = ", ".join(f"cast(:_{column}{name} as bigint[])" for column in names)
        picks = ", ".join(names)
        sql = f"(select o - 1 as i, {picks} from unnest({arrays}) with ordinality as _u({picks}, o))"
        return sql, {f"_{column}{name}": list(values) for column, values in zip(names, columns, strict=True)}

    def _sql(self, sql: str) -> str:
        """Return a statement in the paramstyle of the driver."""
        return sql if self.is_sqlite else _for_psycopg(sql)

    def int_list(self, values: Sequence[int]) -> Any:
        """Return integers as the one parameter that ``in_ints`` reads."""
        return orjson.dumps(values).decode() if self.is_sqlite else list(values)

    def in_ints(self, name: str) -> str:
        """Return the SQL condition's right side for "is one of the integers in parameter ``name``"."""
        return f"in (select value from json_each(:{name}))" if self.is_sqlite else f"= any(:{name})"

    def text_list(self, values: Sequence[str]) -> Any:
        """Return texts as the one parameter that ``texts`` reads."""
        return orjson.dumps(list(values)).decode() if self.is_sqlite else list(values)

    def texts(self, name: str) -> str:
        """Return a table expression of the texts in parameter ``name``; its column is ``value``."""
        return f"json_each(:{name})" if self.is_sqlite else f"(select unnest(cast(:{name} as text[])) as value)"

    def holds(self, text: str, piece: str) -> str:
        """Return the SQL condition that one text has another one inside."""
        return f"{'instr' if self.is_sqlite else 'strpos'}({text}, {piece}) > 0"


_ROWS_A_STATEMENT = 500
"""One statement for many rows costs half of what executemany does; SQLite takes 32,766 parameters"""


def _insert_sqlite(cursor: Any, table: str, names: str, width: int, rows: Iterable[Sequence[Any]]) -> None:
    marks = f"({', '.join('?' * width)})"
    many = f"insert into {table} ({names}) values {', '.join([marks] * _ROWS_A_STATEMENT)}"
    walk = iter(rows)
    while batch := list(islice(walk, _ROWS_A_STATEMENT)):
        if len(batch) == _ROWS_A_STATEMENT:
            cursor.execute(many, list(chain.from_iterable(batch)))
        else:
            cursor.executemany(f"insert into {table} ({names}) values {marks}", batch)


def _sqlite_reader(connection: Any, _record: object) -> None:
    _sqlite_common(connection)
    connection.execute("pragma query_only=on")


def _sqlite_writer(connection: Any, _record: object) -> None:
    _sqlite_common(connection)
    connection.execute("pragma journal_mode=wal")
    connection.execute("pragma synchronous=full")
    connection.execute("pragma wal_autocheckpoint=16384")  # 128 MiB: an ingest rewrites its index pages in the log


def _sqlite_common(connection: Any) -> None:
    connection.isolation_level = None  # transactions are begun by us, so that readers never upgrade by accident
    connection.execute("pragma page_size=8192")
    connection.execute("pragma busy_timeout=5000")
    connection.execute("pragma trusted_schema=off")
    connection.execute("pragma mmap_size=1073741824")
    connection.execute("pragma cache_size=-65536")


@contextmanager
def _file_lock(path: Path, refusal: str) -> Iterator[None]:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Busy(refusal) from error
        yield
    finally:
        os.close(handle)


@lru_cache(maxsize=256)
def _for_psycopg(sql: str) -> str:
    return _NAMED.sub(r"%(\1)s", sql.replace("%", "%%")).replace("?", "%s")


def unavailable(error: Exception) -> Unavailable:
    """Return what the driver said, without the statement and its parameters (they can hold patient data)."""
    origin = getattr(error, "orig", error)
    first = str(origin).strip().splitlines()
    return Unavailable(f"the database is not available: {first[0] if first else type(origin).__name__}")
