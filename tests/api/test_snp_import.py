"""Submitting SNP data: the bodies of the contract, and nothing is lost after the answer."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.main import create_app
from app.store import inbox
from tests.api.client import Answer, Client
from tests.small_store import SmallStore, migrated
from tests.snp_batches import batch, sample

URL = "/abomics/snpdata"


class Desk:
    """Records requests, as the store does."""

    def __init__(self) -> None:
        self.requests: list[Any] = []

    def record(self, request: Any) -> None:
        self.requests.append(request)


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SmallStore]:
    with migrated(f"sqlite:///{tmp_path / 'operon.db'}") as database:
        store = SmallStore(database, tmp_path, max_body_bytes=20_000)
        desk = Desk()
        monkeypatch.setattr(type(store.context), "pgx_desk", desk, raising=False)
        yield store


@pytest.fixture
def client(store: SmallStore) -> Iterator[Client]:
    client = Client(create_app(store.settings, store.context))
    yield client
    client.close()


def post(client: Client, body: Any, url: str = URL, **headers: str) -> Answer:
    return client.post(url, body, "application/json", **headers)


def queued(store: SmallStore) -> list[inbox.Entry]:
    with store.database.read() as session:
        return inbox.entries(session)


@pytest.mark.parametrize("url", [URL, "/abomics/v2/snpdata", "/abomics/v3/snpdata"])
def test_what_is_accepted_is_counted_and_stored(client: Client, store: SmallStore, url: str):
    answer = post(client, batch(sample("P1"), sample("P2")), url)
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == {"queued_data_count": 2, "errors": [], "warnings": []}
    assert [(entry.sample, entry.state) for entry in queued(store)] == [("P1", "queued"), ("P2", "queued")]


def test_another_version_is_not_served(client: Client):
    assert post(client, batch(), "/abomics/v4/snpdata").status == 404


def test_a_failing_sample_is_told_and_the_others_are_queued(client: Client, store: SmallStore):
    answer = post(client, batch(sample("P1"), sample("123", gender="X"))).json()
    assert answer["queued_data_count"] == 1
    assert answer["errors"] == [{"text": "BatchSample '123' failed schema validation"}]
    assert [entry.sample for entry in queued(store)] == ["P1"]


def test_duplicates_are_warned_of(client: Client):
    answer = post(client, batch(sample("P1"), sample("P1"))).json()
    assert answer == {
        "queued_data_count": 1,
        "errors": [],
        "warnings": [{"text": "BatchSample may contain duplicate values"}],
    }


def test_the_same_sample_again_replaces_and_is_warned_of(client: Client, store: SmallStore):
    post(client, batch())
    answer = post(client, batch()).json()
    assert answer["queued_data_count"] == 1
    assert answer["warnings"] == [{"text": "BatchSample 'P1' replaces what was submitted before"}]
    assert len(queued(store)) == 1


def test_a_body_without_batch_id_is_refused_by_the_name_of_the_contract(client: Client, store: SmallStore):
    answer = post(client, {"date": "2017-01-20T10:10:00+0200", "data": [sample()]})
    assert answer.status == 400
    assert answer.json() == {"validation_error": [{"name": "batch.id", "error_message": "this field is required"}]}
    assert queued(store) == []


def test_a_refusal_is_recorded_as_one(client: Client, store: SmallStore):
    post(client, {**batch(sample("P1")), "batch_id": ""})
    [recorded] = store.context.pgx_desk.requests  # type: ignore[attr-defined]
    assert (recorded.status, recorded.error_type) == (400, "validation_error")


def test_a_sample_without_id_refuses_the_whole_batch(client: Client, store: SmallStore):
    answer = post(client, batch(sample("P1"), {"snp": []}))
    assert answer.status == 400
    assert [one["name"] for one in answer.json()["validation_error"]] == ["data.1.sample_id"]
    assert queued(store) == []


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'{"batch_id":1,"batch_id":2}', b"\xff", b"[" * 5000])
def test_a_body_that_is_no_object_is_refused(client: Client, store: SmallStore, body: bytes):
    answer = post(client, body)
    assert answer.status == 400
    assert answer.json()["validation_error"][0]["name"] == "body"
    assert queued(store) == []


def test_a_body_that_is_too_large_is_refused(client: Client, store: SmallStore):
    assert post(client, json.dumps(batch(comment="x" * 21_000))).status == 413
    assert queued(store) == []


def test_a_strand_that_cannot_be_checked_is_warned_of(client: Client):
    [warning] = post(client, batch(sample("P1", ("rs4244285", "A/T")))).json()["warnings"]
    assert "strand" in warning["text"]
    assert "rs4244285" in warning["text"]


def test_a_position_that_no_definition_has_is_warned_of(client: Client):
    [warning] = post(client, batch(sample("P1", ("rs999999999", "A/G")))).json()["warnings"]
    assert "rs999999999" in warning["text"]


def test_alleles_that_are_no_bases_are_warned_of(client: Client):
    given = (("rs4244285", "X/Q"), ("rs776746", "./."), ("rs1050828", "C/T"))
    [warning] = post(client, batch(sample("P1", *given))).json()["warnings"]
    assert warning["text"].endswith("alleles are no bases, and will not be used: rs4244285")


def test_alleles_without_a_slash_are_warned_of(client: Client):
    given = (("rs4244285", "AG"), ("rs776746", "NA"), ("rs1050828", "T"))
    [warning] = post(client, batch(sample("P1", *given))).json()["warnings"]
    assert warning["text"].endswith("alleles are not divided by a slash, and will not be used: rs4244285")


def test_reading_is_not_what_it_is_for(client: Client):
    assert client.get(URL).status == 405


def test_headers_of_the_user_are_asked_for_where_every_endpoint_asks(store: SmallStore):
    settings = store.settings.model_copy(update={"abomics_require_user_headers": "all"})
    client = Client(create_app(settings, store.context))
    assert post(client, batch()).json()["errors"][0]["type"] == "MISSING_HEADER"
    assert post(client, batch(), user_id="jane@lab.example", organization_id="Lab").status == 200
    client.close()


def test_a_store_that_is_away_is_told_and_nothing_is_promised(client: Client, store: SmallStore):
    store.database.close()
    (store.folder / "operon.db").unlink()
    assert post(client, batch()).status in (500, 503)


def test_a_number_of_more_than_64_bits_is_refused(client: Client, store: SmallStore):
    answer = post(client, batch(sample("P1"), test_id=2**70))
    assert (answer.status, answer.json()["validation_error"][0]["name"]) == (400, "body")
    assert queued(store) == []
