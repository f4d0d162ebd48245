"""Cards are kept a moment after they were shown, and what cannot be kept holds nobody up."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from app.operations.cds_log import CardLog
from app.store import bulk, subjects
from app.store.cds import ShownCard
from app.store.session import Database
from app.store.subjects import Subject
from tests.small_store import migrated

CARD = ShownCard("c", 0, "pgx-medication-advisor", "order-sign", "clopidogrel", "CPIC", "D", "seed", {}, "2026-11-24")


def kept(database: Database) -> int:
    with database.read() as session:
        return int(session.run("select count(*) from cds_card")[0][0])


def test_cards_are_kept_in_batches_and_at_the_end(tmp_path: Path):
    with migrated(f"sqlite:///{tmp_path / 'operon.db'}") as database:
        bulk.store_subjects(database, [Subject("P1")], "subjects.csv")
        with database.read() as session:
            ordinal = subjects.find(session, ["P1"])["P1"].ordinal
        log = CardLog(database)
        cards = [replace(CARD, uuid=str(number), subject_ordinal=ordinal) for number in range(450)]
        log.add(cards[:400])
        assert log.flush()
        assert kept(database) == 400
        log.add(cards[400:])
        log.close()
        assert (kept(database), log.lost, log.flush()) == (450, 0, True)


def test_nothing_is_started_for_no_cards(tmp_path: Path):
    log = CardLog(Database(f"sqlite:///{tmp_path / 'none.db'}"))
    log.add([])
    assert log.flush()
    log.close()


def test_cards_that_a_store_does_not_take_are_lost(tmp_path: Path):
    database = Database(f"sqlite:///{tmp_path / 'empty.db'}")  # without any table
    log = CardLog(database)
    log.add([CARD])
    assert log.flush()
    assert log.lost == 1
    log.close()
    database.close()


def test_too_many_waiting_cards_are_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    with migrated(f"sqlite:///{tmp_path / 'operon.db'}") as database, database.write():
        monkeypatch.setattr("app.operations.cds_log._MOST_WAITING", 10)
        log = CardLog(database)
        log.add([CARD] * 40)  # the writer's lock is taken, so that at most one batch has left the queue
        assert log.lost >= 20
        assert not log.flush(0.01)
    log.close()
