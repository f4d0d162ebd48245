"""What the CIP-API-compatible interface tells of cases: lists, details, and the documents in them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlencode, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis.strategies import lists, sampled_from, text, tuples

from app.api.cip import ENDPOINTS
from app.store import cip_cases, cip_notes, cip_referrals
from app.store.cip_notes import NoteKind
from tests.api.client import Answer
from tests.cip_server import CipServer, cip_server

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")
DETAILS = (
    "rd_trio_40101-1.v6",
    "rd_singleton_40102-1.v6.negneg",
    "rd_duo_611-2.grch37.v4",
    "cancer_3106-1.v6",
)


def put(server: CipServer, raw: bytes) -> None:
    with server.store.database.write() as session:
        cip_cases.put(session, json.loads(raw), raw, origin="file")


@pytest.fixture
def server(store_url: str, tmp_path: Path) -> Iterator[CipServer]:
    with cip_server(store_url, tmp_path) as made:
        yield made


@pytest.fixture
def loaded(server: CipServer, shared: Path) -> CipServer:
    for name in DETAILS:
        put(server, (shared / "packs" / "cipapi" / f"{name}.detail.json").read_bytes())
    return server


def genome(service: str, cip_version: int, created: str) -> dict[str, Any]:
    return {
        "status": [],
        "gel_qc_outcome": [],
        "created_at": created,
        "cip_version": cip_version,
        "interpreted_genome_data": {"interpretationService": service, "variants": []},
    }


def report(version: int, **changes: Any) -> dict[str, Any]:
    return {
        "clinical_report_data": {"user": "jbloggs"},
        "created_at": "2022-03-01T10:00:00.000000Z",
        "exit_questionnaire": None,
        "clinical_report_version": version,
        "valid": True,
        "timestamp": 1646128800.0,
        **changes,
    }


def case(ir_id: int, version: int = 1, **changes: Any) -> bytes:
    """Return a small detail; its numbers are written as nobody would write them anew."""
    detail = {
        "status": [
            {"status": "sent_to_gmcs", "created_at": "2022-02-02T08:00:00.000000Z", "user": "u"},
        ],
        "interpretation_request_id": ir_id,
        "version": str(version),
        "created_at": "2022-02-01T08:00:00.000000Z",
        "last_modified": "2022-02-02T08:00:00.000001Z",
        "cip": "genomics_england",
        "sample_type": "raredisease",
        "interpretation_request_data": None,
        "cohort_id": f"r{ir_id}_1",
        "interpreted_genome": [],
        "clinical_report": [],
        "proband": f"p{ir_id}",
        "last_status": "sent_to_gmcs",
        "case_priority": "medium",
        "tags": [],
        "family_id": f"r{ir_id}",
        "assembly": "GRCh38",
        "case_id": f"GEL-{ir_id}-{version}",
        "program": "rare_disease",
        "workspaces": ["SITE1"],
        **changes,
    }
    return json.dumps(detail, indent=1).encode()


def page(answer: Answer) -> dict[str, Any]:
    assert answer.status == 200, answer.body
    found = answer.json()
    assert found.keys() == {"count", "next", "previous", "results"}
    return found


def names(answer: Answer) -> list[str]:
    return [one["interpretation_request_id"] for one in page(answer)["results"]]


def local(url: str) -> str:
    """Return the path below the root of an address of this server."""
    parts = urlsplit(url)
    assert (parts.scheme, parts.netloc) == ("http", "testserver")
    return f"{parts.path.removeprefix('/api/2')}?{parts.query}"


# --- acceptance -------------------------------------------------------------------------------------------------------


def test_following_the_pages_finds_every_case_and_its_detail_as_it_came(loaded: CipServer, shared: Path) -> None:
    found: list[str] = []
    path: str | None = "/interpretation-request/?page_size=3"
    while path:
        one = page(loaded.get(path))
        assert one["count"] == 4
        found += [entry["interpretation_request_id"] for entry in one["results"]]
        path = local(one["next"]) if one["next"] else None
    assert found == ["40102-1", "40101-1", "3106-1", "611-2"]
    for name in DETAILS:
        raw = (shared / "packs" / "cipapi" / f"{name}.detail.json").read_bytes()
        stored = json.loads(raw)
        number = f"{stored['interpretation_request_id']}/{stored['version']}"
        served = loaded.get(f"/interpretation-request/{number}/")
        assert served.json() == {key: value for key, value in stored.items() if key != "referral"}
        if "referral" not in stored:
            assert served.body == raw
        with_referral = loaded.get(f"/interpretation-request/{number}/?extra_params=show_referral")
        if "referral" in stored:
            assert with_referral.body == raw


def test_times_have_six_digits(loaded: CipServer) -> None:
    for path in ("/interpretation-request/", "/interpreted-genome/", "/clinical-report/", "/exit-questionnaire/"):
        found = times(page(loaded.get(path))["results"])
        assert found
        assert [one for one in found if not TIME.fullmatch(one)] == []


def times(value: Any) -> list[str]:
    """Return what is said under the names of times."""
    if isinstance(value, list):
        return [found for one in value for found in times(one)]
    if not isinstance(value, dict):
        return []
    own = [
        one
        for key, one in value.items()
        if key in ("created_at", "create_at", "last_modified", "last_update", "dss_arrival_date") and one is not None
    ]
    return own + [found for one in value.values() for found in times(one)]


def test_the_list_says_what_the_original_says(loaded: CipServer, shared: Path) -> None:
    served = {
        one["interpretation_request_id"]: one
        for one in page(loaded.get("/interpretation-request/?extra_params=dss_arrival_date"))["results"]
    }
    for number in (1, 2):
        text = (shared / "packs" / "cipapi" / f"interpretation_request.list.page{number}.json").read_text("utf-8")
        for wanted in json.loads(text)["results"]:
            got = served[wanted["interpretation_request_id"]]
            # Of the detail nothing tells these; hosts differ.
            for name in wanted.keys() - {
                "workflow_status", "clinical_reports", "files", "last_update", "dss_arrival_date",
                "interpretation_flags",
            }:  # fmt: skip
                assert got[name] == wanted[name], (wanted["interpretation_request_id"], name)


@pytest.mark.parametrize(
    ("path", "file", "index"),
    [
        (
            "/interpreted-genome/40101/1/Genomics_England_Tiering/last/",
            "interpreted_genome.last.genomics_england_tiering.40101-1",
            None,
        ),
        ("/exit-questionnaire/40101/1/1/", "exit_questionnaire.get.40101-1-1", None),
        ("/clinical-report/GEL-40101/1/1?as=json", "clinical_report.list.page1", 0),
    ],
)
def test_documents_are_those_of_the_original(
    loaded: CipServer, shared: Path, path: str, file: str, index: int | None
) -> None:
    wanted = json.loads((shared / "packs" / "cipapi" / f"{file}.json").read_text("utf-8"))
    answer = loaded.get(path)
    assert answer.status == 200, answer.body
    assert answer.json() == (wanted if index is None else wanted["results"][index])


@pytest.mark.parametrize("path", ["/clinical-report/40101/1/1", "/clinical-report/40101/1/1/?as=html"])
def test_a_report_is_a_page_unless_json_is_asked_for(loaded: CipServer, path: str) -> None:
    answer = loaded.get(path)
    assert answer.status == 200
    assert answer.headers["content-type"].startswith("text/html")
    assert b"40101" in answer.body
    [listed] = page(loaded.get("/interpretation-request/?case_id=GEL-40101-1"))["results"]
    assert listed["clinical_reports"] == [{"url": "http://testserver/api/2/clinical-report/40101/1/1"}]


def test_lists_of_documents_are_those_in_the_details(loaded: CipServer, shared: Path) -> None:
    details = [json.loads((shared / "packs" / "cipapi" / f"{name}.detail.json").read_bytes()) for name in DETAILS]
    ordered = sorted(details, key=lambda one: -one["interpretation_request_id"])
    reports = [one for detail in ordered for one in detail["clinical_report"]]
    for path, wanted in (
        ("/interpreted-genome/", [one for detail in ordered for one in detail["interpreted_genome"]]),
        ("/clinical-report/", reports),
        ("/exit-questionnaire/", [one["exit_questionnaire"] for one in reports if one["exit_questionnaire"]]),
    ):
        found: list[Any] = []
        step: str | None = f"{path}?page_size=2"
        while step:
            one = page(loaded.get(step))
            assert one["count"] == len(wanted)
            found += one["results"]
            step = local(one["next"]) if one["next"] else None
        assert found == wanted


# --- lists ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def small(server: CipServer) -> CipServer:
    """Return a server with five cases."""
    put(server, case(1, cip="illumina", workspaces=["SITE2"], tags=["urgent ones"]))
    put(server, case(2, 1, sample_type="cancer", program="cancer", cancer_participant="r2", last_status="blocked"))
    put(server, case(2, 2, assembly="GRCh37", last_modified="2022-05-01T00:00:00.000000Z"))
    put(server, case(10, case_priority="urgent", proband="p77"))
    put(
        server,
        case(
            9,
            status=[
                {"status": "sent_to_gmcs", "created_at": "2022-02-02T08:00:00.000000Z", "user": "u"},
                {"status": "report_sent", "created_at": "2022-06-30T23:59:59.000000Z", "user": "u"},
            ],
            last_status="report_sent",
        ),
    )
    return server


def test_newest_requests_come_first_and_newest_versions(small: CipServer) -> None:
    assert names(small.get("/interpretation-request/")) == ["10-1", "9-1", "2-2", "2-1", "1-1"]


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("interpretation_request_id=2", ["2-2", "2-1"]),
        ("interpretation_request_id=2-1", ["2-1"]),
        ("interpretation_request_id=GEL-2-1,10", ["10-1", "2-1"]),
        ("interpretation_request_id=nonsense", []),
        ("version=2", ["2-2"]),
        ("cip=illumina", ["1-1"]),
        ("sample_type=cancer", ["2-1"]),
        ("sample_type=neither", []),
        ("assembly=GRCh37", ["2-2"]),
        ("case_priority=urgent", ["10-1"]),
        ("case_priority=urgent,medium&cip=illumina", ["1-1"]),
        ("last_status=blocked%2Creport_sent", ["9-1", "2-1"]),
        ("status=report_sent", ["9-1"]),
        ("status=sent_to_gmcs&last_status=report_sent", ["9-1"]),
        ("workspace=SITE2", ["1-1"]),
        ("proband_id=p77", ["10-1"]),
        ("family_id=r9", ["9-1"]),
        ("cohort_id=r9_1", ["9-1"]),
        ("case_id=GEL-9-1", ["9-1"]),
        ("tags=urgent+ones", ["1-1"]),
        ("search=P77", ["10-1"]),
        ("search=site2", ["1-1"]),
        ("last_modified_after=2022-04-30T23:00:00Z", ["2-2"]),
        ("last_modified_after=2022-04-30T23:00:00+00:00", ["2-2"]),
        ("last_modified_before=2022-02-01", []),
        ("params=x&minimize=True&format=json", ["10-1", "9-1", "2-2", "2-1", "1-1"]),
        ("cip=", ["10-1", "9-1", "2-2", "2-1", "1-1"]),
        ("cip=a%00b", []),
    ],
)
def test_filters_choose_cases(small: CipServer, query: str, wanted: list[str]) -> None:
    assert names(small.get(f"/interpretation-request/?{query}")) == wanted


def test_a_time_that_is_none_is_refused(small: CipServer) -> None:
    answer = small.get("/interpretation-request/?last_modified_after=yesterday")
    assert (answer.status, answer.json()) == (400, {"last_modified_after": ["Enter a valid date/time."]})


def test_pages_lead_to_each_other_with_every_filter(small: CipServer) -> None:
    query = "page_size=2&params=x&status=sent_to_gmcs%2Creport_sent&page=2&extra-params=show_referral"
    middle = page(small.get(f"/interpretation-request?{query}"))
    assert (middle["count"], [one["interpretation_request_id"] for one in middle["results"]]) == (5, ["2-2", "2-1"])
    for name, number in (("next", "3"), ("previous", "1")):
        parts = urlsplit(middle[name])
        assert middle[name].startswith("http://testserver/api/2/interpretation-request?")
        assert parse_qs(parts.query) == parse_qs(query) | {"page": [number]}
    assert names(small.get(local(middle["next"]))) == ["1-1"]
    last, first = page(small.get(local(middle["next"]))), page(small.get(local(middle["previous"])))
    assert (last["next"], first["previous"]) == (None, None)
    assert last["previous"]
    assert first["next"]


@pytest.mark.parametrize("number", ["4", "0", "-1", "x", "1.0", "9" * 30])
def test_a_page_that_is_not_there_is_not_found(small: CipServer, number: str) -> None:
    answer = small.get(f"/interpretation-request/?page_size=2&page={number}")
    assert (answer.status, answer.json()) == (404, {"detail": "Invalid page."})


def test_the_first_page_of_nothing_is_empty(server: CipServer) -> None:
    assert page(server.get("/interpretation-request/?page=1")) == {
        "count": 0,
        "next": None,
        "previous": None,
        "results": [],
    }


def test_sizes_of_pages_are_bounded_without_a_word(server: CipServer) -> None:
    with server.store.database.write() as session:
        for number in range(1, 503):
            raw = case(number)
            cip_cases.put(session, json.loads(raw), raw, origin="file")
    sizes = {"": 100, "0": 100, "-5": 100, "many": 100, "1000": 500, "100000": 500, "7": 7}
    for size, shown in sizes.items():
        assert len(page(server.get(f"/interpretation-request/?page_size={size}"))["results"]) == shown


def test_addresses_of_pages_are_those_of_the_public_server(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'operon.db'}"
    with cip_server(url, tmp_path, base_url="https://example.org/operon/") as server:
        for number in (1, 2):
            put(server, case(number, clinical_report=[report(1)]))
        one = page(server.get("/interpretation-request/?page_size=1"))
    assert one["next"] == "https://example.org/operon/api/2/interpretation-request/?page_size=1&page=2"
    assert one["results"][0]["clinical_reports"] == [{"url": "https://example.org/operon/api/2/clinical-report/2/1/1"}]


def test_what_is_not_asked_for_is_null_in_the_list(small: CipServer) -> None:
    [plain] = page(small.get("/interpretation-request/?interpretation_request_id=9"))["results"]
    assert (plain["referral"], plain["interpretation_flags"], plain["dss_arrival_date"]) == (None, None, None)
    query = "interpretation_request_id=9&extra_params=dss_arrival_date,show_interpretation_flags"
    [full] = page(small.get(f"/interpretation-request/?{query}"))["results"]
    assert full["dss_arrival_date"] == "2022-02-02T08:00:00.000000Z"
    assert full["interpretation_flags"] == []


def test_the_summary_of_days_is_without_the_last_one(small: CipServer) -> None:
    path = "/interpretation-request/date-summary"
    assert small.get(f"{path}/30-06-2022/01-07-2022/").json() == {"cases": {"genomics_england-report_sent": ["9-1"]}}
    assert small.get(f"{path}/01-06-2022/30-06-2022").json() == {"cases": {}}
    answer = small.get(f"{path}/31-02-2022/01-07-2022/")
    assert (answer.status, answer.json()) == (400, {"start": ["Enter a valid date."]})


# --- one case ---------------------------------------------------------------------------------------------------------


def test_a_detail_is_served_to_the_byte_whichever_way_it_is_asked_for(server: CipServer) -> None:
    raw = case(40101)
    put(server, raw)
    for path in ("40101/1/", "40101/1", "GEL-40101/1/", "40101/1/?page=2&page_size=3&params=x&unknown"):
        answer = server.get(f"/interpretation-request/{path}")
        assert (answer.status, answer.body) == (200, raw)
        assert answer.headers["content-type"] == "application/json"


def test_a_referral_is_told_to_who_asks(server: CipServer) -> None:
    raw = case(7, referral={"referral_id": "r7"})
    put(server, raw)
    assert "referral" not in server.get("/interpretation-request/7/1/").json()
    for name in ("extra_params", "extra-params"):
        assert server.get(f"/interpretation-request/7/1/?{name}=dss_arrival_date,show_referral").body == raw
    [listed] = page(server.get("/interpretation-request/?extra-params=show_referral"))["results"]
    assert listed["referral"] == {"referral_id": "r7"}


@pytest.mark.parametrize(
    "path",
    [
        "/interpretation-request/404/1/",
        "/interpretation-request/40101/2/",
        "/interpreted-genome/40101/1/nobody/last/",
        "/interpreted-genome/40101/1/exomiser/9/",
        "/clinical-report/40101/1/9?as=json",
        "/exit-questionnaire/40101/1/1/",
        "/exit-questionnaire/40101/1/9/",
        "/participants/p1/consent",
    ],
)
def test_what_is_not_there_is_not_found(server: CipServer, path: str) -> None:
    put(server, case(40101, interpreted_genome=[genome("exomiser", 1, "2022")], clinical_report=[report(1)]))
    answer = server.get(path)
    assert (answer.status, answer.json()) == (404, {"detail": "Not found."})


@pytest.mark.parametrize("version", [None, "1"])
def test_a_report_is_found_at_the_address_that_the_list_gives_it(server: CipServer, version: str | None) -> None:
    put(server, case(40101, clinical_report=[report(1) | {"clinical_report_version": version}]))
    (listed,) = server.get("/interpretation-request/").json()["results"]
    path = listed["clinical_reports"][0]["url"].removeprefix("http://testserver/api/2")
    assert server.get(f"{path}?as=json").status == 200


def test_the_last_genome_of_a_service_is_its_highest_version(server: CipServer) -> None:
    genomes = [
        genome("genomics_england_tiering", 1, "2022-02-01T00:00:00.000000Z"),
        genome("Exomiser", 12, "2022-02-04T00:00:00.000000Z"),
        genome("exomiser", 3, "2022-02-05T00:00:00.000000Z"),
    ]
    put(server, case(5, interpreted_genome=genomes))
    for path in ("/interpreted-genome/5/1/exomiser/last", "/interpreted-genome/GEL-5/1/EXOMISER/last/"):
        assert server.get(path).json() == genomes[1]
    assert server.get("/interpreted-genome/5/1/exomiser/3/").json() == genomes[2]


def test_reports_are_migrated_where_that_is_asked_for(loaded: CipServer) -> None:
    pytest.importorskip("app.formats.gel_migration")
    plain = loaded.get("/interpretation-request/611/2/").json()
    migrated = loaded.get("/interpretation-request/611/2/?reports_v6=True").json()
    before = plain["interpreted_genome"][0]["interpreted_genome_data"]
    after = migrated["interpreted_genome"][0]["interpreted_genome_data"]
    assert "companyName" in before
    assert "interpretationService" in after


# --- referrals and notes ----------------------------------------------------------------------------------------------


@pytest.fixture
def referred(loaded: CipServer, shared: Path) -> CipServer:
    """Return a server with the referrals of the cases, too."""
    listed = json.loads((shared / "packs" / "cipapi" / "referral.list.json").read_text("utf-8"))["results"]
    with loaded.store.database.write() as session:
        for one in listed:
            cip_referrals.put(session, one)
    return loaded


def test_referrals_are_served_as_they_came(referred: CipServer, shared: Path) -> None:
    listed = json.loads((shared / "packs" / "cipapi" / "referral.list.json").read_text("utf-8"))["results"]
    served = page(referred.get("/referral/"))
    assert served["count"] == len(listed)
    assert sorted(served["results"], key=str) == sorted(listed, key=str)
    for one in listed:
        for name in ("referral_id", "referral_uid"):
            assert referred.get(f"/referral/{one[name]}/").json() == one
            assert referred.get(f"/referral/{one[name]}/econsent/").json() == {
                "econsent": one["econsent"]["participant_consent"]
            }
        for test in one["referral_test"]:
            assert referred.get(f"/referral-test/{test['referral_test_id']}").json() == test
    [case] = page(referred.get("/interpretation-request/?extra_params=show_referral&case_id=GEL-40101-1"))["results"]
    assert case["referral"] in listed


def test_econsent_is_that_of_the_original(referred: CipServer, shared: Path) -> None:
    wanted = json.loads((shared / "packs" / "cipapi" / "econsent.r10000000101.json").read_text("utf-8"))
    assert referred.get("/referral/r10000000101/econsent").json() == wanted


@pytest.mark.parametrize("path", ["/referral/r0/", "/referral/r0/econsent/", "/referral-test/x/"])
def test_an_unknown_referral_is_not_found(server: CipServer, path: str) -> None:
    answer = server.get(path)
    assert (answer.status, answer.json()) == (404, {"detail": "Not found."})


def test_referrals_of_other_sites_are_not_seen(referred: CipServer) -> None:
    referred.add_user("ann", workspaces=("ELSEWHERE",))
    referred.add_user("bob", workspaces=("TSTGLH",))
    assert page(referred.get("/referral/", "ann"))["count"] == 0
    assert page(referred.get("/referral/", "bob"))["count"] == 2
    test = page(referred.get("/referral/"))["results"][0]["referral_test"][0]["referral_test_id"]
    for path in ("/referral/r10000000101/", "/referral/r10000000101/econsent/", f"/referral-test/{test}/"):
        assert referred.get(path, "ann").status == 403
        assert referred.get(path, "bob").status == 200


def test_notes_are_told_the_oldest_first(server: CipServer) -> None:
    put(server, case(8))
    with server.store.database.write() as session:
        found = cip_cases.find(session, 8, 1)
        assert found is not None
        for number in (2, 1):
            created = f"2022-03-0{number}T00:00:00.000000Z"
            body = {"status": f"Step {number}", "created_at": created, "user": "u"}
            cip_notes.add(session, found.row, NoteKind.WORKFLOW, body, username="u", created_at=created)
        flag = {"flag": {"name": "other", "description": "d"}}
        cip_notes.add(session, found.row, NoteKind.FLAG, flag, username="u", created_at="2022-03-03")
    steps = page(server.get("/interpretation-request/8/1/workflow_status"))
    assert [one["status"] for one in steps["results"]] == ["Step 1", "Step 2"]
    assert page(server.get("/interpretation-request/8/1/workflow_status/?page_size=1&page=2"))["results"] == [
        steps["results"][1]
    ]
    assert page(server.get("/interpretation-request/8/1/interpretation-flags/"))["results"] == [flag]
    extra = "extra_params=show_interpretation_flags"
    detail = server.get(f"/interpretation-request/8/1/?{extra}").json()
    assert (detail["interpretation_flags"], detail["interpretation_flag"]) == ([flag], [flag])
    [listed] = page(server.get(f"/interpretation-request/?{extra}"))["results"]
    assert listed["interpretation_flags"] == [flag]
    assert server.get("/interpretation-request/9/1/workflow_status").status == 404


# --- who sees what ----------------------------------------------------------------------------------------------------


def test_users_see_the_cases_of_their_sites(small: CipServer) -> None:
    small.add_user("ann", workspaces=("SITE2", "SITE3"))
    assert names(small.get("/interpretation-request/", "ann")) == ["1-1"]
    assert names(small.get("/interpretation-request/?workspace=SITE1", "ann")) == []
    assert small.get("/interpretation-request/1/1/", "ann").status == 200
    for path in ("/interpretation-request/9/1/", "/clinical-report/9/1/1", "/interpreted-genome/9/1/x/last/"):
        answer = small.get(path, "ann")
        assert answer.status == 403
        assert answer.json() == {"detail": "You do not have permission to perform this action."}
    groups = page(small.get("/workspace-groups", "ann"))["results"]
    assert groups == [{"short_name": "SITE2", "long_name": "SITE2", "gmc_name": "SITE2", "groups": []}]
    summary = small.get("/interpretation-request/date-summary/01-01-2022/01-01-2023/", "ann").json()
    assert summary == {"cases": {"illumina-sent_to_gmcs": ["1-1"]}}


def consented(answer: str) -> dict[str, Any]:
    member = {
        "participantId": "p31",
        "isProband": True,
        "samples": [],
        "testConsentStatus": {"primaryFindingConsent": answer},
    }
    return {
        "interpretation_request_data": {"json_request": {"pedigree": {"familyId": "r31", "members": [member]}}},
        "interpreted_genome": [genome("exomiser", 1, "2022")],
        "clinical_report": [report(1, exit_questionnaire={"exit_questionnaire_data": {}})],
        "proband": "p31",
    }


def test_nothing_genomic_is_told_where_the_test_was_refused(server: CipServer) -> None:
    put(server, case(30, interpreted_genome=[genome("exomiser", 1, "2022")]))
    put(server, case(31, **consented("no")))
    assert names(server.get("/interpretation-request/")) == ["31-1", "30-1"]
    for path in (
        "/interpretation-request/31/1/",
        "/interpreted-genome/31/1/exomiser/last/",
        "/clinical-report/31/1/1?as=json",
        "/exit-questionnaire/31/1/1/",
    ):
        answer = server.get(path)
        assert answer.status == 403, path
        assert answer.json()["detail"].startswith("Withheld: ")
    for path, count in (("/interpreted-genome/", 1), ("/clinical-report/", 0), ("/exit-questionnaire/", 0)):
        assert page(server.get(path))["count"] == count


# --- documentation ----------------------------------------------------------------------------------------------------


def test_the_interface_describes_itself_to_everybody(server: CipServer) -> None:
    for path in ("/api/2/docs", "/api/2/docs/"):
        answer = server.client.get(path)
        assert answer.status == 200
        assert answer.headers["content-type"].startswith("text/html")
        assert b'data-document="/api/2/openapi.json"' in answer.body
        assert b"https://" not in answer.body
    described = server.client.get("/api/2/openapi.json")
    assert described.body == server.client.get("/api/2/docs/?format=openapi").body
    document = described.json()
    assert document["openapi"].startswith("3.")
    assert "get" in document["paths"]["/api/2/interpretation-request/{id}/{version}/"]
    assert "post" in document["paths"]["/api/2/get-token/"]


# --- anything else ----------------------------------------------------------------------------------------------------

_PARAMETERS = (
    "page", "page_size", "interpretation_request_id", "version", "status", "search", "members", "update_date", "as",
    "last_modified_after", "last_modified_before", "extra_params", "reports_v6", "category", "long_name", "tags",
)  # fmt: skip


@pytest.fixture(scope="module")
def lasting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CipServer]:
    folder = tmp_path_factory.mktemp("cip")
    with cip_server(f"sqlite:///{folder / 'operon.db'}", folder) as made:
        put(made, case(1, interpreted_genome=[genome("exomiser", 1, "2022")], clinical_report=[report(1)]))
        yield made


@settings(max_examples=150, deadline=None)
@given(
    template=sampled_from([one.template for one in ENDPOINTS if one.method == "GET"]),
    values=lists(text(max_size=12) | sampled_from(["1", "GEL-1", "9" * 18, "9" * 9, "raredisease"]), min_size=6),
    query=lists(
        tuples(sampled_from(_PARAMETERS), text(max_size=20) | sampled_from(["1", "9" * 12, "True"])), max_size=4
    ),
)
def test_nothing_that_is_asked_breaks_the_server(
    lasting: CipServer, template: str, values: list[str], query: list[tuple[str, str]]
) -> None:
    given_values = iter(values)
    path = re.sub(r"\{\w+\}", lambda _: quote(next(given_values), safe="", errors="surrogatepass"), template)
    asked = urlencode([(name, value.encode("utf-8", "surrogatepass")) for name, value in query])
    answer = lasting.get(f"{path}?{asked}")
    assert answer.status in (200, 400, 403, 404), answer.body
    if answer.headers["content-type"] == "application/json":
        answer.json()
