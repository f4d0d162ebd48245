"""Addresses of reports open with their PIN, and with nothing else."""

from __future__ import annotations

from datetime import timedelta

import pytest

from app.store import bulk, pgx_reports
from app.store.pgx_reports import MOST_FAILURES, Entry, Login, Opened, Wanted
from app.store.sealing import Sealer
from app.store.session import Database
from app.store.subjects import Subject
from tests.store_dump import dump

SEALER = Sealer(b"1" * 32)
MONTH = timedelta(days=30)


@pytest.fixture
def store(database: Database) -> Database:
    bulk.store_subjects(database, [Subject("P1"), Subject("P2")], "people.csv")
    return database


def obtain(
    store: Database, ordinal: int = 0, recipient: str = "doctor", language: str = "en", lifetime: timedelta = MONTH
) -> Login:
    with store.write() as session:
        return pgx_reports.obtain(session, SEALER, Wanted(ordinal, recipient, language), lifetime)


def attempt(store: Database, token: str, pin: str, sealer: Sealer = SEALER) -> Opened:
    with store.write() as session:
        return pgx_reports.open_report(session, sealer, token, pin)


def wrong(pin: str) -> str:
    return f"{(int(pin) + 1) % 10_000:04d}"


def test_pin_opens_the_report_of_its_person(store: Database) -> None:
    login = obtain(store, 1, "patient", "fi")
    assert len(login.token) == 32
    assert len(login.pin) == 4
    assert login.pin.isdecimal()
    assert attempt(store, login.token, login.pin) == Opened(Entry.OPEN, "P2", "fi", "patient")


def test_neither_token_nor_pin_is_in_the_database(store: Database) -> None:
    login = obtain(store)
    content = repr(dump(store)["pgx_report_login"])
    assert login.token not in content
    assert f"'{login.pin}'" not in content


def test_same_report_has_the_same_address(store: Database) -> None:
    login = obtain(store)
    assert obtain(store) == login
    others = [obtain(store, 1), obtain(store, recipient="patient"), obtain(store, language="fi")]
    assert len({login.token, *(other.token for other in others)}) == 4


def test_address_that_opens_not_much_longer_is_replaced(store: Database) -> None:
    login = obtain(store, lifetime=timedelta(days=10))
    assert obtain(store, lifetime=MONTH) != login
    assert attempt(store, login.token, login.pin).entry is Entry.OPEN


def test_wrong_pins_close_an_address_for_good(store: Database) -> None:
    login = obtain(store)
    for _ in range(MOST_FAILURES):
        assert attempt(store, login.token, wrong(login.pin)) == Opened(Entry.WRONG_PIN)
    assert attempt(store, login.token, login.pin) == Opened(Entry.CLOSED)
    with store.read() as session:
        assert not pgx_reports.is_known(session, login.token)
    fresh = obtain(store)
    assert fresh.token != login.token
    assert attempt(store, fresh.token, fresh.pin).entry is Entry.OPEN


def test_right_pin_forgives_wrong_ones(store: Database) -> None:
    login = obtain(store)
    for _ in range(3):
        for _ in range(MOST_FAILURES - 1):
            attempt(store, login.token, wrong(login.pin))
        assert attempt(store, login.token, login.pin).entry is Entry.OPEN


def test_expired_and_unknown_addresses_do_not_open(store: Database) -> None:
    login = obtain(store, lifetime=timedelta(seconds=-1))
    assert attempt(store, login.token, login.pin) == Opened(Entry.CLOSED)
    assert attempt(store, "unknown", login.pin) == Opened(Entry.UNKNOWN)
    obtain(store)
    assert attempt(store, login.token, login.pin) == Opened(Entry.UNKNOWN)


def test_another_secret_opens_nothing_and_makes_a_new_address(store: Database) -> None:
    login = obtain(store)
    other = Sealer(b"2" * 32)
    assert attempt(store, login.token, login.pin, other).entry is Entry.WRONG_PIN
    with store.write() as session:
        assert pgx_reports.obtain(session, other, Wanted(0, "doctor", "en"), MONTH).token != login.token


def test_erasing_a_person_removes_the_addresses(store: Database) -> None:
    login, kept = obtain(store), obtain(store, 1)
    bulk.erase_subject(store, "P1")
    assert attempt(store, login.token, login.pin) == Opened(Entry.UNKNOWN)
    assert attempt(store, kept.token, kept.pin).entry is Entry.OPEN
