"""The Abomics-compatible API over a real store: results of a laboratory, the seed of knowledge, logins, the audit."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.main import create_app
from app.records import Sex
from app.store import bulk, pgx_audit, pgx_reports
from app.store.pgx_reports import Entry
from app.store.session import Database
from app.store.subjects import Subject
from tests.api.client import Client
from tests.genotype_files import line
from tests.small_store import SmallStore, migrated
from tests.store_dump import dump

WHO = {"user_id": "jane", "organization_id": "Lab", "user_agent": "Abomics/Lab 1.0.0"}
CODE = "171081-9419"


@pytest.fixture
def store(store_url: str, tmp_path: Path) -> Iterator[SmallStore]:
    with migrated(store_url) as database:
        yield filled(database, tmp_path)


def filled(database: Database, tmp_path: Path) -> SmallStore:
    store = SmallStore(database, tmp_path)
    people = [Subject("P1", Sex.FEMALE, "1981-10-17", (("urn:oid:1.2.246.21", CODE),))]
    bulk.store_subjects(database, people, "people.csv")
    store.genotypes(line("P1", "CYP2C19 *2/*2"))
    return store


@pytest.fixture
def client(store: SmallStore) -> Iterator[Client]:
    client = Client(create_app(store.settings, store.context))
    yield client
    client.close()


@pytest.mark.parametrize("patient", ["P1", CODE])
def test_result_of_a_laboratory_leads_to_advice(client: Client, patient: str) -> None:
    answer = client.get(f"/abomics/v2/patient/{patient}/recommendation/en/inn/clopidogrel?detail=gene", **WHO)
    assert answer.status == 200, answer.body
    advice = answer.json()["CYP2C19"]
    assert (advice["recom_grade"], advice["phenotype_name"]) == ("D", "PM Poor Metabolizer")
    assert "test_date" not in advice
    assert "clopidogrel" in advice["text"]["text"]
    assert answer.headers["operon-knowledge"].startswith("seed-2026")


def test_report_names_the_person_the_test_and_the_drugs(client: Client) -> None:
    body = client.get(f"/abomics/v3/patient/{CODE}/report/fi-FI/json", **WHO).json()
    summary = body["summary"]
    assert (summary["sample_id"], summary["birthday"], summary["gender"]) == ("T1", "1981-10-17", "F")
    assert summary["significant_genes"] == ["CYP2C19"]
    assert summary["genes"] == 1
    [result] = body["results"]
    assert (result["genotype"], result["phenotype"]) == ("*2/*2", "PM")
    assert "Clopidogrel" in [one["inn"] for one in body["drugs"]]
    graded = {one["genetic_flag"] for one in body["drugs"]}
    assert graded <= {"A", "B", "C", "D"}


def test_login_opens_the_report_and_stays_the_same(client: Client, store: SmallStore) -> None:
    path = "/abomics/v2/patient/P1/report_summary/patient/en"
    first, second = client.get(path, **WHO).json(), client.get(path, **WHO).json()
    assert first == second
    token = first["login_url"].removeprefix("http://testserver/report/")
    with store.database.write() as session:
        opened = pgx_reports.open_report(session, store.context.pgx_desk.sealer, token, first["pin_code"])
    assert (opened.entry, opened.subject_id, opened.recipient) == (Entry.OPEN, "P1", "patient")


def test_results_that_wait_in_the_inbox_are_not_ready(client: Client) -> None:
    batch = {
        "batch_id": "B1",
        "date": "2024-01-20T10:10:00+0200",
        "data": [{"sample_id": "S9", "snp": [{"rs": "rs4244285", "genotype": "A/A", "assay": "", "gene": "CYP2C19"}]}],
    }
    assert client.post("/abomics/snpdata", batch, "application/json", **WHO).status == 200
    answer = client.get("/abomics/v2/patient/S9/report/en/json", **WHO)
    assert answer.json()["errors"] == [{"data": 'Test results for patient "S9" are not ready.', "type": "NOT_READY"}]
    assert answer.status == 404


def test_audit_tells_who_asked_but_not_about_whom(client: Client, store: SmallStore) -> None:
    for patient in ("P1", CODE, "nobody"):
        client.get(f"/abomics/v2/patient/{patient}/report/en/json", **WHO)
    rows = list(pgx_audit.entries(store.database))
    assert [row["status"] for row in rows] == [200, 200, 404]
    assert rows[0]["patient_ref"] == rows[1]["patient_ref"] != rows[2]["patient_ref"]
    assert CODE not in repr(dump(store.database)["pgx_audit"])


def test_what_is_kept_of_an_erased_person_names_nobody(client: Client, store: SmallStore) -> None:
    client.get("/abomics/v2/patient/P1/report_summary/patient/en", **WHO)
    bulk.erase_subject(store.database, "P1")
    content = dump(store.database)
    assert content["pgx_report_login"] == []
    assert len(content["pgx_audit"]) == 1
    assert CODE not in repr(content)
    answer = client.get(f"/abomics/v2/patient/{CODE}/report/en/json", **WHO)
    assert answer.json()["errors"][0]["type"] == "NO_PATIENT"
