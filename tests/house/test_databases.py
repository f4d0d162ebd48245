"""The databases that tests get are empty, separate, and of the kind their id says."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.postgres_server import PostgresServer


def tables_of(url: str) -> list[str]:
    engine = sa.create_engine(url)
    try:
        return sa.inspect(engine).get_table_names()
    finally:
        engine.dispose()


def test_store_url_names_an_empty_database(store_url: str) -> None:
    assert tables_of(store_url) == []


def test_each_kind_of_store_is_tested(store_url: str, request: pytest.FixtureRequest) -> None:
    assert sa.make_url(store_url).get_backend_name() == request.node.callspec.params["store_url"]


@pytest.mark.postgresql
def test_databases_of_one_server_are_separate(postgres_server: PostgresServer) -> None:
    first, second = (postgres_server.fresh_database() for _ in range(2))
    engine = sa.create_engine(postgres_server.url(first))
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE only_here (id integer)"))
    engine.dispose()
    assert (tables_of(postgres_server.url(first)), tables_of(postgres_server.url(second))) == (["only_here"], [])


@pytest.mark.postgresql
def test_server_has_no_privileges(postgres_server: PostgresServer) -> None:
    pid = int((postgres_server.folder / "data" / "postmaster.pid").read_text().splitlines()[0])
    process = Path("/proc", str(pid))
    if not process.is_dir():
        pytest.skip("this system does not show the owner of a process in /proc")
    assert process.stat().st_uid != 0
