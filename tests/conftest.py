"""What every test may ask for: the shared test data, an empty store on either database, and no network."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import hypothesis
import pytest

from tests.gel_oracle import ORACLE_FOLDER, GelOracle, running_oracle
from tests.network_guard import guard
from tests.postgres_server import PostgresServer, find_binaries, running
from tests.profile_validator import Validate, installed_pack, validator

ROOT = Path(__file__).resolve().parents[1]

hypothesis.settings.register_profile("dev", deadline=None, max_examples=50)
hypothesis.settings.register_profile("ci", deadline=None, max_examples=200, print_blob=True, database=None)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci" if os.environ.get("CI") else "dev"))

guard.install()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="rewrite golden files and generated pages")


def pytest_configure() -> None:
    # The settings of whoever runs the tests must not change what they see.
    for name in [name for name in os.environ if name.startswith("OPERON_") and name != ORACLE_FOLDER]:
        del os.environ[name]


@pytest.fixture(scope="session")
def root() -> Path:
    """Return the folder of the project."""
    return ROOT


@pytest.fixture(scope="session")
def shared() -> Path:
    """Return the folder of test data beside the project; most developers do not have it."""
    folder = ROOT.parent / "shared"
    if not folder.is_dir():
        pytest.skip("the folder of shared test data is not beside the project")
    return folder


@pytest.fixture(scope="session")
def update_golden(pytestconfig: pytest.Config) -> bool:
    """Return whether golden files are to be rewritten instead of compared."""
    return bool(pytestconfig.getoption("--update-golden"))


@pytest.fixture(scope="session")
def gel_oracle() -> Iterator[GelOracle]:
    """Run Genomics England's validator of documents, one for each test process that asks."""
    with running_oracle() as oracle:
        yield oracle


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """Run a private PostgreSQL server, one for each test process that asks."""
    binaries = find_binaries()
    if binaries is None:
        pytest.skip("PostgreSQL's server binaries (initdb, pg_ctl) are not installed")
    with running(binaries) as server:
        yield server


@pytest.fixture
def postgres_url(postgres_server: PostgresServer) -> Iterator[str]:
    """Return the SQLAlchemy URL of an empty PostgreSQL database."""
    database = postgres_server.fresh_database()
    yield postgres_server.url(database)
    postgres_server.drop(database)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return the SQLAlchemy URL of an empty database, once for each kind that a store runs on."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'operon.db'}"
    return str(request.getfixturevalue("postgres_url"))


@pytest.fixture(scope="session")
def profiles(shared: Path, pytestconfig: pytest.Config) -> Path:
    """Return the pack of profiles with its validator installed."""
    return installed_pack(shared, pytestconfig.cache.mkdir("profiles"))


@pytest.fixture(scope="session")
def against_profiles(profiles: Path) -> Iterator[Validate]:
    """Return a function that says what the profiles of the implementation guide find wrong with a resource."""
    with validator(profiles) as validate:
        yield validate


@pytest.fixture
def allow_loopback() -> Iterator[Callable[[int], None]]:
    """Return a function that lets this test connect to a loopback port."""
    before = set(guard.allowed_ports)
    yield guard.allowed_ports.add
    guard.allowed_ports.clear()
    guard.allowed_ports.update(before)


@pytest.fixture(autouse=True)
def no_network() -> Iterator[None]:
    """Fail a test that reached for the network, even where the code under test swallowed the refusal."""
    guard.refused.clear()
    yield
    assert not guard.refused, f"the test tried to {guard.refused[0]}"
