"""Consent as clients meet it: every interface says in its own way that results are withheld."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.main import create_app
from app.records import Sex
from app.store import bulk, pgx_audit
from app.store.pgx_releases import EMBEDDED
from app.store.session import Database
from app.store.subjects import Subject
from ingest.knowledge import LoadOptions
from ingest.pgx import load as load_pgx
from tests.api.client import Answer, Client
from tests.cds_world import ADVISOR, RXNORM, SUMMARY, call, order
from tests.command_line import CommandLine
from tests.consents import agree, put_in_case
from tests.genotype_files import hla, line
from tests.pgx_lab import QUIET, Lab, whole
from tests.small_store import migrated

WHO = {"user_id": "jane", "organization_id": "Lab", "user_agent": "Abomics/Lab 1.0.0"}
FOR_CLOPIDOGREL = "/abomics/v2/patient/P1/recommendation/en/inn/clopidogrel"


@pytest.fixture
def lab(store_url: str, tmp_path: Path) -> Iterator[Lab]:
    with migrated(store_url) as database:
        yield filled(database, tmp_path)


def filled(database: Database, folder: Path) -> Lab:
    """Return a store with P1, of whom Operon called CYP2C19 and a laboratory states an HLA type."""
    lab = Lab(database, folder)
    bulk.store_subjects(database, [Subject("P1", Sex.FEMALE)], "people.csv")
    lab.take(whole("CYP2C19", {"rs4244285": "1/1", "rs12769205": "1/1", "rs3758581": "1/1"}), "P1")
    lab.genotypes(hla("P1", "HLA-B*57:01:01:01+HLA-B*08:01:01:01", "HLA-B*57:01:01:01", "HLA-B*08:01:01:01"))
    lab.call()
    put_in_case(database, "P1")
    agree(database, "P1")
    return lab


@pytest.fixture
def client(lab: Lab) -> Iterator[Client]:
    client = Client(create_app(lab.settings, lab.context))
    yield client
    client.close()


def refused(answer: Answer) -> None:
    """Check an OperationOutcome that says that results are withheld, and nothing of them."""
    assert answer.status == 403, answer.body
    issue = answer.json()["issue"][0]
    assert (issue["code"], "*2" in answer.body.decode(), "P1" in answer.body.decode()) == ("suppressed", False, False)


def test_results_are_told_to_those_whose_patient_agreed(client: Client) -> None:
    assert "Clopidogrel" in client.get("/pgx/P1").body.decode()
    assert client.get(FOR_CLOPIDOGREL, **WHO).json()["CYP2C19"]["recom_grade"] == "D"


@pytest.mark.parametrize("said", ["no", "undefined"])
def test_the_laboratory_api_says_that_results_are_withheld(lab: Lab, client: Client, said: str) -> None:
    login = client.get("/abomics/v2/patient/P1/report_summary/doctor/en", **WHO).json()
    agree(lab.database, "P1", pharmacogenomics=said)
    for path in (FOR_CLOPIDOGREL, "/abomics/v3/patient/P1/report/en/json", "/abomics/v2/patient/P1/report/en/pdf"):
        answer = client.get(path, **WHO)
        assert answer.status == 403
        [error] = answer.json()["errors"]
        assert error == {"data": "Withheld: this person has not agreed to pharmacogenomic findings"}
    path = login["login_url"].removeprefix("http://testserver")
    opened = client.form(path, f"pin={login['pin_code']}")
    assert opened.status == 403
    assert "withheld" in opened.body.decode()
    assert "*2" not in opened.body.decode()
    assert [one["error_type"] for one in pgx_audit.entries(lab.database)][-1] == "withheld"


def test_the_passport_page_says_so(lab: Lab, client: Client) -> None:
    agree(lab.database, "P1", pharmacogenomics="no")
    answer = client.get("/pgx/P1")
    assert answer.status == 403
    text = answer.body.decode()
    assert "has not agreed to pharmacogenomic findings" in text
    assert "CYP2C19" not in text


def test_an_ordering_physician_is_shown_that_results_are_withheld(lab: Lab, client: Client) -> None:
    asked = call("order-sign", order(code="32968", system=RXNORM), patient="P1")
    other = call("order-sign", order(text="no such drug"), patient="P1")
    assert "clopidogrel" in str(cards(client, ADVISOR, asked))
    agree(lab.database, "P1", pharmacogenomics="undefined")
    for path, body in ((ADVISOR, asked), (SUMMARY, call("patient-view", patient="P1"))):
        [card] = cards(client, path, body)
        assert card["indicator"] == "info"
        assert "withheld" in card["summary"]
        assert "CYP2C19" not in str(card)
    assert cards(client, ADVISOR, other) == []


def cards(client: Client, path: str, body: Any) -> list[dict[str, Any]]:
    answer = client.post(path, body, "application/json")
    assert answer.status == 200, answer.body
    return list(answer.json()["cards"])


def test_haplotypes_that_operon_called_are_withheld_and_those_of_laboratories_are_not(lab: Lab, client: Client) -> None:
    of_gene = "/fhir/$find-subject-haplotypes?subject=P1&genes="
    specific = "/fhir/$find-subject-specific-haplotypes?subject=P1&haplotypes="
    found = client.get(of_gene + "CYP2C19").json()["parameter"][0]["part"]
    genotype = next(part["resource"]["id"] for part in found if part["name"] == "genotype")
    assert client.get(f"/fhir/Observation/{genotype}").status == 200
    agree(lab.database, "P1", pharmacogenomics="no")
    refused(client.get(of_gene + "CYP2C19"))
    refused(client.get(specific + "CYP2C19*1"))
    refused(client.get(specific + "*17"))
    refused(client.get(f"/fhir/Observation/{genotype}"))
    assert client.get(of_gene + "HLA-B").status == 200
    assert b'"presence","valueBoolean":true' in client.get(specific + "B*57:01").body
    assert client.get("/fhir/$find-subject-variants?subject=P1&ranges=NC_000010.11:94700000-94900000").status == 200


def test_what_genotypes_mean_for_treatments_is_withheld(lab: Lab, client: Client) -> None:
    load_pgx(lab.workspace, "pgx", [Path(EMBEDDED)], LoadOptions(), QUIET)
    by_drug = "/fhir/$find-subject-tx-implications?subject=P1&treatments=clopidogrel"
    who = "/fhir/$find-population-tx-implications?treatments=clopidogrel&includePatientList=true"
    found = client.get(by_drug).json()["parameter"]
    implication = next(one["resource"]["id"] for one in found if one["name"] == "implication")
    assert client.get(f"/fhir/Observation/{implication}").status == 200
    assert b'"valueString":"P1"' in client.get(who).body
    agree(lab.database, "P1", pharmacogenomics="no")
    refused(client.get(by_drug))
    refused(client.get(f"/fhir/Observation/{implication}"))
    assert b"P1" not in client.get(who).body
    assert client.get(who).json()["parameter"][0]["part"][1]["valueQuantity"]["value"] == 0


def test_a_cached_answer_is_not_current_after_a_change_of_mind(lab: Lab, client: Client) -> None:
    path = "/fhir/$find-subject-haplotypes?subject=P1&genes=CYP2C19"
    tag = client.get(path).headers["etag"]
    assert client.get(path, if_none_match=tag).status == 304
    agree(lab.database, "P1", pharmacogenomics="no")
    assert client.get(path, if_none_match=tag).status == 403


def test_the_command_line_withholds_too(tmp_path: Path) -> None:
    command = CommandLine(tmp_path / "home")
    assert command.run("db", "upgrade").code == 0
    with migrated(f"sqlite:///{tmp_path / 'home' / 'operon.db'}") as database:
        Lab(database, tmp_path / "home").genotypes(line("P1", "CYP2C19 *2/*2"))
        assert "CYP2C19" in command.run("pgx", "show", "P1").out
        put_in_case(database, "P1")
        shown = command.run("pgx", "show", "P1")
    assert (shown.code, shown.out, "Withheld" in shown.err) == (77, "", True)
