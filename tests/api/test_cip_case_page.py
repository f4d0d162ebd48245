"""Pages about cases: what is in them, escaped, readable without colours, and silent where the test was refused."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from app.main import create_app
from app.store import cip_cases, cip_consents
from app.store.session import Database
from ingest.cip import project
from ingest.progress import Progress
from tests.api.client import Answer, Client
from tests.api.test_pages import Page
from tests.small_store import NO_GENOME, SmallStore, migrated

QUIET = Progress(quiet=True)
EVIL = "<script>alert(1)</script>"
DOCUMENT = "data/demo/cip/90001-1.json"
URL = "/cip/cases/90001-1"

Serve = Callable[..., Client]


def document(root: Path) -> Any:
    return json.loads((root / DOCUMENT).read_bytes())


def put(database: Database, detail: Any) -> None:
    with database.write() as session:
        cip_cases.put(session, detail, orjson.dumps(detail), origin="file")


@pytest.fixture
def database(store_url: str) -> Iterator[Database]:
    with migrated(store_url) as found:
        yield found


@pytest.fixture
def serve(database: Database, tmp_path: Path) -> Iterator[Serve]:
    """Return what stores a case and serves its page."""
    clients = []

    def start(detail: Any, **settings: str) -> Client:
        store = SmallStore(database, tmp_path, NO_GENOME, **settings)
        put(database, detail)
        project(store.workspace, QUIET)
        clients.append(Client(create_app(store.settings, store.context)))
        return clients[-1]

    yield start
    for client in clients:
        client.close()


def shown(answer: Answer, status: int = 200) -> tuple[str, Page]:
    """Check that a page is one, and return its text and elements."""
    assert answer.status == status
    assert "unsafe" not in answer.headers["content-security-policy"]
    text = answer.body.decode()
    parsed = Page(text)
    assert "script" not in parsed.tags
    assert parsed.tags.count("h1") == 1
    return html.unescape(text), parsed


def row_of(text: str, heading: str) -> list[str]:
    """Return the cells of the row of a table that begins with a heading, without elements."""
    rows = re.findall(r"<tr>(.*?)</tr>", text, flags=re.DOTALL)
    cells = [[re.sub(r"<[^>]+>", " ", cell).split() for cell in re.findall(r"<t[hd].*?</t[hd]>", row)] for row in rows]
    words = [[" ".join(cell) for cell in row] for row in cells]
    return next(row for row in words if row and row[0].startswith(heading))


def refuse(detail: Any, member: int = 1) -> Any:
    """Return a case in which a member refuses the test."""
    consents = detail["referral"]["econsent"]
    consents["participant_consent"][member]["primaryGenomicTestingConsent"] = "no"
    consents["overall_econsent"] = "red"
    members = detail["interpretation_request_data"]["json_request"]["pedigree"]["members"]
    members[member]["testConsentStatus"]["primaryFindingConsent"] = "no"
    return detail


def test_a_case_is_shown_with_everything_that_is_said_of_it(serve: Serve, root: Path) -> None:
    client = serve(document(root))
    text, parsed = shown(client.get(URL))
    assert row_of(text, "X:154031326 G>A") == [
        "X:154031326 G>A", "MECP2", "stop gained", "TIER1 Intellectual disability (sample panel)",
        "heterozygous, de novo", "reference", "reference (hemizygous)", "pathogenic exit questionnaire of report 1",
        "genomics england tiering",
    ]  # fmt: skip
    mitochondrial = ["heteroplasmic, VAF 0.37", "heteroplasmic, VAF 0.11", "reference, VAF 0.00"]
    assert row_of(text, "MT:11778")[4:7] == mitochondrial
    assert row_of(text, "15:22600001")[4:7] == [
        "heterozygous, 3 copies",
        "reference, 2 copies",
        "heterozygous, 3 copies",
    ]
    assert row_of(text, "p900000002 (mother)")[1:] == ["green", "yes", "yes", "yes", "yes", "yes"]
    for said in (
        "green: everybody agreed", "report sent", "2025-04-09 10:00", "HP:0001250", "HP:0000252: absent",
        "Mitochondrial disorders", "Its calls are stored", "Nothing was left out", "not in the study",
    ):  # fmt: skip
        assert said in text, said
    assert parsed.tags.count("svg") == 1
    assert (parsed.tags.count("circle"), parsed.tags.count("rect")) == (4, 1)
    assert 'role="img"' in text
    for link in parsed.links:
        assert client.get(link).status == 200, link


def test_the_list_finds_cases_by_what_is_in_them(serve: Serve, root: Path) -> None:
    client = serve(document(root))
    for search, number in (("", 1), ("p900000002", 1), ("r90000001", 1), ("nobody", 0)):
        text, parsed = shown(client.get(f"/cip/cases?search={search}"))
        assert f"{number} case" in text
        assert (URL in parsed.links) is (number == 1)
    assert "SMP-90001-1" in shown(client.get("/cip/cases?page=99999"))[0]


def test_a_list_has_pages(serve: Serve, root: Path, database: Database) -> None:
    client, detail = serve(document(root)), document(root)
    for number in range(60):
        put(database, {**detail, "interpretation_request_id": 100 + number, "case_id": f"SMP-{100 + number}-1"})
    text, parsed = shown(client.get("/cip/cases?search=smp"))
    assert "61 cases" in text
    assert "page 1 of 2" in text
    [further] = [link for link in parsed.links if "page=" in link]
    assert further == "/cip/cases?search=smp&page=2"
    assert "page 2 of 2" in shown(client.get(further))[0]


@pytest.mark.parametrize("path", ["/cip/cases/1-1", "/cip/cases/x", "/cip/cases/90001", f"/cip/cases/{'9' * 30}-1"])
def test_no_such_case_is_said_to_be_none(serve: Serve, root: Path, path: str) -> None:
    assert "no case of this number" in shown(serve(document(root)).get(path), 404)[0]


@pytest.mark.parametrize("member", [0, 1, 2])
def test_of_a_refused_case_nothing_is_shown_but_what_it_is(serve: Serve, root: Path, member: int) -> None:
    text, parsed = shown(serve(refuse(document(root), member)).get(URL))
    assert "red: somebody refused the test" in text
    assert "withheld" in text
    assert "report sent" in text
    for hidden in ("MECP2", "154031326", "TIER1", "HP:0001249", "Intellectual", "/fhir/"):
        assert hidden not in text, hidden
    assert "svg" not in parsed.tags


def test_a_change_of_mind_hides_the_results_before_the_calls_are_gone(
    serve: Serve, root: Path, database: Database
) -> None:
    client = serve(document(root))
    variants = "/fhir/$find-subject-specific-variants?subject=p900000001&variants=NC_000023.11:154031325:G:A"
    assert b'"presence","valueBoolean":true' in client.get(variants).body
    with database.write() as session:
        [first, *_] = cip_consents.of_referral(session, "r90000001")
        session.run(
            "update cip_consent set primary_testing = 'no' where participant = :who returning 1",
            {"who": first.participant},
        )
        session.run("update counter set value = value + 1 where name = 'data_version' returning 1")
    assert "MECP2" not in client.get(URL).body.decode()
    answer = client.get(variants)
    assert (answer.status, answer.json()["issue"][0]["code"]) == (403, "suppressed")


@pytest.mark.parametrize("mode", ["off", "warn"])
def test_without_enforcement_the_page_says_so(serve: Serve, root: Path, mode: str) -> None:
    text, _ = shown(serve(refuse(document(root)), cip_consent=mode).get(URL))
    assert "Consent is not enforced" in text
    assert "MECP2" in text
    assert "red: somebody refused the test" in text


def test_everything_is_escaped(serve: Serve, root: Path) -> None:
    detail = document(root)
    detail |= {"case_id": EVIL, "tags": [EVIL], "case_priority": EVIL}
    detail["status"][0] |= {"status": EVIL, "user": EVIL}
    request = detail["interpretation_request_data"]["json_request"]["pedigree"]
    request["analysisPanels"][0]["panelName"] = EVIL
    request["members"][0]["additionalInformation"]["relation_to_proband"] = EVIL
    request["members"][4]["additionalInformation"]["relation_to_proband"] = EVIL
    client = serve(detail)
    for url in (URL, "/cip/cases", f"/cip/cases?search={EVIL}"):
        answer = client.get(url)
        assert b"<script" not in answer.body
        assert EVIL in shown(answer)[0]


def test_a_case_of_which_only_the_list_is_known_is_shown_as_such(serve: Serve, root: Path, database: Database) -> None:
    client = serve(document(root))
    with database.write() as session:
        listed = {"interpretation_request_id": "77-1", "cip": "genomics_england", "sample_type": "raredisease"}
        cip_cases.put_listed(session, listed, origin="test")
    assert "Only the list of cases is known" in shown(client.get("/cip/cases/77-1"))[0]


@pytest.mark.parametrize(
    "name",
    [
        "rd_trio_40101-1.v6",
        "rd_singleton_40102-1.v6.negneg",
        "rd_duo_611-2.grch37.v4",
        "cancer_3106-1.v6",
    ],
)
def test_cases_of_every_model_have_a_page(serve: Serve, shared: Path, name: str) -> None:
    detail = json.loads((shared / "packs" / "cipapi" / f"{name}.detail.json").read_bytes())
    case = f"{detail['interpretation_request_id']}-{detail['version']}"
    text, _ = shown(serve(detail).get(f"/cip/cases/{case}"))
    assert f"Case {case}" in text
    assert detail["proband"] in text


def test_a_genome_of_pharmacogenomics_is_not_shown_without_consent_to_it(serve: Serve, root: Path) -> None:
    detail = document(root)
    for one in detail["interpreted_genome"]:
        one["interpreted_genome_data"]["interpretationService"] = "genomics_england_pharmacogenomics"
    detail["clinical_report"] = []
    for member in detail["interpretation_request_data"]["json_request"]["pedigree"]["members"]:
        (member["testConsentStatus"] or {})["pharmacogenomicsFindingConsent"] = "no"
    detail.pop("referral", None)
    assert "SERPINA1" in serve(document(root)).get(URL).body.decode()
    text = serve(detail).get(URL).body.decode()
    assert "SERPINA1" not in text
    assert "Pharmacogenomic findings are left out" in text
