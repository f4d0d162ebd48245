"""An empty store for each test, on either database."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from app.store import runs, structural_places
from app.store.session import Database
from app.store.tables import metadata
from tests.postgres_server import PostgresServer
from tests.small_store import Interrupted, migrated


@pytest.fixture(scope="session")
def postgres_store(postgres_server: PostgresServer) -> Iterator[Database]:
    """Open one PostgreSQL database with the schema: a new one for each test would take half a second."""
    name = postgres_server.fresh_database()
    with migrated(postgres_server.url(name)) as database:
        yield database
    postgres_server.drop(name)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """Return an empty store, once for each kind of database."""
    if request.param == "sqlite":
        with migrated(f"sqlite:///{tmp_path / 'operon.db'}") as store:
            yield store
        return
    store = request.getfixturevalue("postgres_store")
    yield store
    with store.write() as session:
        tables = ", ".join(table.name for table in metadata.sorted_tables)
        session.driver.execute(f"truncate {tables}, {structural_places.TABLE}")


@pytest.fixture
def interrupt(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, int], None]:
    """Return a function that makes the n-th call of a function of ``app.store.runs`` end the program, once."""

    def arm(name: str, nth: int) -> None:
        real: Any = getattr(runs, name)
        left = [nth]

        def once(*args: Any, **options: Any) -> Any:
            left[0] -= 1
            if left[0] == 0:
                raise Interrupted
            return real(*args, **options)

        monkeypatch.setattr(runs, name, once)

    return arm
