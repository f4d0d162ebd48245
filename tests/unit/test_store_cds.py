"""Cards, feedback and used tokens in the store."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from app.config import Settings
from app.store import bulk, cds, subjects
from app.store.cds import Feedback, ShownCard
from app.store.session import Database
from app.store.subjects import Subject
from ingest.workspace import open_database
from tests.command_line import CommandLine
from tests.small_store import SmallStore
from tests.store_dump import dump

CARD = ShownCard(
    "c1", 0, "pgx-medication-advisor", "order-sign", "clopidogrel", "CPIC", "D", "seed", {"s1": "Cancel"}, "2026-11-24"
)
FEEDBACK = Feedback(
    "c1", "pgx-medication-advisor", "overridden", (), "urn:x", "other", "of Jane", "2026-11-24", "2026-11-25", None
)


@pytest.fixture
def store(database: Database, tmp_path: Path) -> SmallStore:
    bulk.store_subjects(database, [Subject("P1"), Subject("P2")], "subjects.csv")
    return SmallStore(database, tmp_path)


def ordinal(store: SmallStore, subject: str) -> int:
    with store.database.read() as session:
        return subjects.find(session, [subject])[subject].ordinal


def keep(store: SmallStore, *cards: ShownCard, feedback: tuple[Feedback, ...] = ()) -> None:
    with store.database.write() as session:
        cds.store_cards(session, cards)
        if feedback:
            cds.store_feedback(session, feedback)


def told(store: SmallStore) -> list[dict[str, object]]:
    with store.database.read() as session:
        return list(cds.feedback(session))


def test_feedback_is_told_with_what_its_card_was_about(store: SmallStore):
    accepted = replace(FEEDBACK, outcome="accepted", suggestions=("s1",))
    keep(store, replace(CARD, subject_ordinal=ordinal(store, "P1")), feedback=(accepted, FEEDBACK))

    first, second = told(store)

    assert (first["subject"], first["drug"], first["grade"], first["release"]) == ("P1", "clopidogrel", "D", "seed")
    assert first["suggestions"] == [{"id": "s1", "label": "Cancel"}]
    assert (second["outcome"], second["comment"], second["is_orphan"]) == ("overridden", "of Jane", False)


def test_a_repeated_card_is_kept_once(store: SmallStore):
    card = replace(CARD, subject_ordinal=ordinal(store, "P1"))
    keep(store, card)
    keep(store, replace(card, created="later"))
    with store.database.read() as session:
        assert session.run("select created from cds_card") == [("2026-11-24",)]


def test_feedback_on_an_unknown_card_is_an_orphan_without_comment(store: SmallStore):
    keep(store, feedback=(FEEDBACK,))
    [entry] = told(store)
    assert (entry["is_orphan"], entry["comment"], entry["subject"]) == (True, None, None)


def test_cards_and_feedback_go_with_their_subject(store: SmallStore):
    mine = replace(CARD, subject_ordinal=ordinal(store, "P1"))
    other = replace(CARD, uuid="c2", subject_ordinal=ordinal(store, "P2"))
    keep(store, mine, other, feedback=(FEEDBACK, replace(FEEDBACK, card="c2", comment="kept")))

    bulk.erase_subject(store.database, "P1")

    assert [entry["card"] for entry in told(store)] == ["c2"]
    assert "of Jane" not in str(dump(store.database))
    keep(store, mine)  # what was waiting to be written comes too late
    with store.database.read() as session:
        assert session.run("select uuid from cds_card") == [("c2",)]


def test_a_token_counts_once_until_it_expires(store: SmallStore):
    with store.database.write() as session:
        assert cds.spend_token(session, "d", expires=100, now=50)
        assert not cds.spend_token(session, "d", expires=100, now=99)
        assert cds.spend_token(session, "e", expires=300, now=101)
        assert session.run("select digest from cds_token") == [("e",)]


def test_feedback_is_printed_one_line_each(tmp_path: Path):
    operon = CommandLine(tmp_path / "home")
    operon.done("db", "upgrade")
    assert operon.done("cds", "feedback").out == ""
    with open_database(Settings(home=operon.home)) as database, database.write() as session:
        cds.store_feedback(session, [FEEDBACK, FEEDBACK])
    lines = operon.done("cds", "feedback").out.splitlines()
    assert [json.loads(line)["outcome"] for line in lines] == ["overridden", "overridden"]
