"""A server of CDS Hooks over a small release of knowledge, with results of people that tests write down."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from app.config import Settings
from app.main import create_app
from app.operations import cds
from app.operations.context import OperationContext
from app.operations.pgx import ActivePgx, PgxProfile, PgxResult
from app.operations.registry import HANDLERS, READERS
from app.pgx.calls import GeneCall
from app.pgx.drugs import DrugIndex
from app.pgx.texts import Texts
from app.records import Sex
from app.store import bulk
from app.store import cds as kept
from app.store.session import Database
from app.store.subjects import Subject
from tests.api.client import Answer, Client
from tests.pgx_content import content
from tests.small_store import NO_GENOME

HOOK = "3f1d2c5e-7a70-4b62-9c2b-0a6c0f4f1a11"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
ATC = "http://www.whocc.no/atc"
ADVISOR = "/cds-services/pgx-medication-advisor"
SUMMARY = "/cds-services/pgx-patient-summary"
LEGACY = "/cds-services/pgx-medication-prescribe"


def active(release: str = "seed-2026") -> ActivePgx:
    """Return the small release as it is in use."""
    return ActivePgx(release, content(), DrugIndex(content()), Texts(content()))


def profile(*calls: GeneCall, subject: str = "PGX001", is_ready: bool = True) -> PgxProfile:
    """Return the results of a person."""
    results = {call.gene: PgxResult(replace(call, release="seed-2026"), "T1", "2026-03-02", None) for call in calls}
    return PgxProfile(subject, Sex.FEMALE, "1982-09-11", (), results, is_ready)


def order(
    id_: str | int | None = "m1", *, code: Any = None, text: str = "", system: str = RXNORM, **more: Any
) -> dict[str, Any]:
    """Return an order as an EHR drafts it."""
    concept: dict[str, Any] = {"text": text} if text else {}
    if code is not None:
        concept["coding"] = [{"system": system, "code": code}]
    made = {"resourceType": "MedicationRequest", "id": id_, "status": "draft", "intent": "order"}
    made |= {"subject": {"reference": "Patient/PGX001"}, "medicationCodeableConcept": concept} | more
    return {name: value for name, value in made.items() if value is not None}


def bundle(*resources: dict[str, Any]) -> dict[str, Any]:
    """Return a Bundle."""
    return {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": one} for one in resources]}


def call(hook: str, *orders: dict[str, Any], patient: str = "PGX001", **more: Any) -> dict[str, Any]:
    """Return the body of a call."""
    context: dict[str, Any] = {"userId": "Practitioner/p1", "patientId": patient}
    if hook == "order-select":
        context["selections"] = [f"MedicationRequest/{one['id']}" for one in orders if "id" in one]
    if hook != "patient-view":
        context["medications" if hook == "medication-prescribe" else "draftOrders"] = bundle(*orders)
    return copy.deepcopy({"hook": hook, "hookInstance": HOOK, "context": context | more.pop("context", {})} | more)


class World:
    """An application over a store, in which ``results`` says what is known of each subject."""

    def __init__(self, database: Database, folder: Path, monkeypatch: pytest.MonkeyPatch, **settings: Any) -> None:
        self.database = database
        self.results: dict[str, PgxProfile] = {}
        self.settings = Settings(home=folder, **settings)
        self.context = OperationContext(self.settings, database, NO_GENOME, HANDLERS, READERS)
        self.active = active()
        self.context.pgx = lambda: self.active  # type: ignore[method-assign]
        monkeypatch.setattr(cds, "profile_of", lambda context, subject: self.results[subject])
        self.app = create_app(self.settings, self.context)
        self.client = Client(self.app)

    def person(
        self, *calls: GeneCall, subject: str = "PGX001", identifiers: Iterable[tuple[str, str]] = (), **more: Any
    ) -> None:
        """Add a subject and what is known of it."""
        born = more.pop("birth_date", "1982-09-11")
        bulk.store_subjects(self.database, [Subject(subject, Sex.FEMALE, born, tuple(identifiers))], "subjects.csv")
        self.results[subject] = profile(*calls, subject=subject, **more)

    def post(self, path: str, body: Any, **headers: str) -> Answer:
        """Send a call."""
        return self.client.post(path, body, "application/json", **headers)

    def cards(self, path: str, body: Any, **headers: str) -> list[dict[str, Any]]:
        """Return the cards of an answer, after checking them by the rules of the specification."""
        answer = self.post(path, body, **headers)
        assert answer.status == 200, answer.body
        given = answer.json()
        assert set(given) == {"cards"}
        for card in given["cards"]:
            check_card(card)
        self.context.cards.flush()
        return list(given["cards"])

    def kept(self) -> list[dict[str, Any]]:
        """Return the feedback that is stored."""
        with self.database.read() as session:
            return list(kept.feedback(session))

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Return rows of the store."""
        self.context.cards.flush()
        with self.database.read() as session:
            return session.run(sql)

    def close(self) -> None:
        """Close what the store is not part of."""
        self.client.close()
        self.context.cards.close()


def check_card(card: dict[str, Any]) -> None:
    """Check a card by the rules of CDS Hooks 2.0."""
    assert empty_members(card) == []
    assert set(card) <= {
        "uuid", "summary", "detail", "indicator", "source", "suggestions", "selectionBehavior", "overrideReasons",
        "links",
    }  # fmt: skip
    assert 0 < len(card["summary"]) < 140
    assert "\n" not in card["summary"]
    assert card["indicator"] in {"info", "warning", "critical"}
    assert card["source"]["label"]
    assert ("suggestions" in card) == ("selectionBehavior" in card)
    for suggestion in card.get("suggestions", ()):
        assert suggestion["label"]
        for action in suggestion["actions"]:
            assert action["description"]
            assert ("resourceId" in action) == (action["type"] == "delete")
            assert ("resource" in action) == (action["type"] in {"create", "update"})
    for coding in [*card.get("overrideReasons", ()), *([card["source"]["topic"]] if "topic" in card["source"] else ())]:
        assert set(coding) == {"system", "code", "display"}
    for link in card.get("links", ()):
        assert link["type"] in {"absolute", "smart"}
        assert ("appContext" in link) <= (link["type"] == "smart")
    json.dumps(card)


def empty_members(value: Any, path: str = "") -> list[str]:
    """Return where a JSON value holds null, or an empty text, list or object."""
    if value is None or value in ("", [], {}):
        return [path]
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [found for name, one in inner for found in empty_members(one, f"{path}/{name}")]
