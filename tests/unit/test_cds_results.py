"""Cards from results as the store really has them, with the knowledge that comes with Operon."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from app.operations import cds
from app.operations.cds_request import read_call
from app.store.session import Database
from tests.cds_world import call, check_card, order
from tests.genotype_files import line
from tests.small_store import SmallStore


def cards(store: SmallStore, body: dict[str, Any], service: str = "pgx-medication-advisor") -> list[dict[str, Any]]:
    found = cds.answer(store.context, read_call(service, body), lambda url, token: None, "https://genomics.example")
    for card in found["cards"]:
        check_card(card)
    return list(found["cards"])


def test_a_stored_genotype_leads_to_the_card_of_its_guideline(database: Database, tmp_path: Path):
    store = SmallStore(database, tmp_path)
    store.genotypes(
        line("PGX001", "CYP2C19 *2/*2"),
        line("PGX001", "SLCO1B1 *1/*1", gene_id="HGNC:10959", gene_symbol="SLCO1B1"),
    )

    [card] = cards(store, call("order-sign", order(code="32968"), order("m2", code="36567")))

    assert card["indicator"] == "critical"
    assert card["summary"].startswith("Clopidogrel: CYP2C19 Poor Metabolizer")
    assert "genotype reported by a laboratory" in card["detail"]
    assert "CPIC" in card["detail"]
    store.context.cards.flush()
    with database.read() as session:
        assert session.run("select drug, grade, hook from cds_card") == [("clopidogrel", "D", "order-sign")]

    [summary] = cards(store, call("patient-view"), "pgx-patient-summary")
    assert summary["summary"] == "Actionable pharmacogenetic results: CYP2C19"
    assert "clopidogrel (CPIC)" in summary["detail"]
    store.context.cards.close()


def test_a_subject_without_genotypes_has_no_cards(database: Database, tmp_path: Path):
    store = SmallStore(database, tmp_path)
    store.genotypes(line("PGX002", "CYP2C19 *2/*2"))
    assert cards(store, call("order-sign", order(code="32968"))) == []
    assert cards(store, call("order-sign", order(code="36567"), patient="PGX002")) == []
