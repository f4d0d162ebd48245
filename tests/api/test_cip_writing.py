"""Writing to the CIP-API-compatible interface: what is stored, what is answered, and that a refusal stores nothing."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from app.operations.cip_access import account_of
from app.operations.cip_writing import Writer, add_clinical_report
from app.store import cip_cases, cip_notes, cip_referrals
from app.store.cip_notes import NoteKind
from app.store.cip_rows import State
from tests.api.client import Answer
from tests.cip_bodies import (
    cancer_questionnaire,
    case_detail,
    clinical_report,
    exit_questionnaire,
    interpreted_genome,
    put_case,
    stored_detail,
    variant,
)
from tests.cip_server import CipServer, cip_server
from tests.gel_oracle import GelOracle

REPORTS = "/clinical-report/genomics_england_tiering/raredisease/2535-1/"
QUESTIONNAIRE = "/exit-questionnaire/2535/1/1/"
GENOMES = "/interpreted-genome/exomiser/raredisease/2535-1/"
CASE = "/interpretation-request/2535/1/"
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")


@pytest.fixture
def server(store_url: str, tmp_path: Path) -> Iterator[CipServer]:
    with cip_server(store_url, tmp_path) as made:
        put_case(made.store.database, case_detail())
        yield made


def detail(server: CipServer) -> dict[str, Any]:
    return stored_detail(server.store.database)


def statuses(server: CipServer) -> list[str]:
    return [one["status"] for one in detail(server)["status"]]


# --- clinical reports -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", ["GEL-2535-1", "SAP-2535-1", "2535-1"])
def test_a_report_is_stored_and_answered_as_it_is_served(server: CipServer, case: str) -> None:
    path = f"/clinical-report/genomics_england_tiering/raredisease/{case}/?reports_v6=true"
    answer = server.send("POST", path, clinical_report(), authorization=f"JWT {server.token('writer')}")
    assert answer.status == 201, answer.body
    wrapper = answer.json()
    assert wrapper["clinical_report_data"] == clinical_report()
    assert (wrapper["clinical_report_version"], wrapper["valid"], wrapper["exit_questionnaire"]) == (1, True, None)
    assert TIME.fullmatch(wrapper["created_at"])
    assert isinstance(wrapper["timestamp"], float)
    stored = detail(server)
    assert stored["clinical_report"] == [wrapper]
    assert stored["last_status"] == "report_generated"
    assert stored["status"][-1]["user"] == "writer"
    assert stored["last_modified"] > case_detail()["last_modified"]


def test_the_same_report_again_is_another_version(server: CipServer) -> None:
    versions = [server.send("POST", REPORTS, clinical_report()).json()["clinical_report_version"] for _ in range(2)]
    assert versions == [1, 2]
    assert len(detail(server)["clinical_report"]) == 2


def test_reports_that_come_at_once_get_versions_of_their_own(server: CipServer) -> None:
    account = account_of(server.store.context, "writer")
    assert account is not None
    writer = Writer(server.store.context, account.caller)

    def post(_at: int) -> int:
        return int(add_clinical_report(writer, (2535, 1), "raredisease", clinical_report())["clinical_report_version"])

    with ThreadPoolExecutor(4) as pool:
        versions = sorted(pool.map(post, range(8)))
    assert versions == list(range(1, 9))
    assert [one["clinical_report_version"] for one in detail(server)["clinical_report"]] == versions


def test_a_key_makes_a_repeated_report_the_same_one(server: CipServer) -> None:
    first = server.send("POST", REPORTS, clinical_report(), idempotency_key="a-1")
    again = server.send("POST", REPORTS, clinical_report(), idempotency_key="a-1")
    assert (again.status, again.json()) == (201, first.json())
    other = server.send("POST", REPORTS, clinical_report(user="x"), idempotency_key="a-1")
    assert other.status == 400
    assert server.send("POST", REPORTS, clinical_report(), idempotency_key="a-2").json()["clinical_report_version"] == 2
    assert len(detail(server)["clinical_report"]) == 2


def test_a_changed_case_waits_for_its_calls(server: CipServer) -> None:
    with server.store.database.write() as session:
        case = cip_cases.find(session, 2535, 1)
        assert case is not None
        cip_cases.reflect(session, case.row, state=State.STORED, reflected="x", tests=[], report={})
    server.send("POST", REPORTS, clinical_report())
    with server.store.database.read() as session:
        case = cip_cases.find(session, 2535, 1)
        assert case is not None
        assert case.state is State.WAITING
        assert [one["url"].rpartition("/")[2] for one in case.overview["clinical_reports"]] == ["1"]


def test_the_kind_of_analysis_has_to_be_that_of_the_case(server: CipServer) -> None:
    answer = server.send("POST", REPORTS.replace("raredisease", "cancer"), clinical_report())
    assert (answer.status, list(answer.json())) == (400, ["analysis_type"])
    assert detail(server) == case_detail()


def test_a_case_that_is_not_there_takes_nothing(server: CipServer) -> None:
    for path in (REPORTS.replace("2535-1", "2535-2"), "/clinical-report/x/raredisease/1-1"):
        answer = server.send("POST", path, clinical_report())
        assert (answer.status, answer.json()) == (404, {"detail": "Not found."})


# --- refusals ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (clinical_report(2536), {"interpretationRequestId": ["Does not match the URL (2535)."]}),
        (clinical_report(version=2), {"interpretationRequestVersion": ["Does not match the URL (1)."]}),
        (
            {**clinical_report(), "variants": [variant(), variant()]},
            {"variants[1].reportEvents[0].reportEventId": ["Duplicate reportEventId in this report."]},
        ),
        (
            {**clinical_report(), "variants": [variant(position="100")]},
            {"variants[0].variantCoordinates.position": ["A valid integer is required."]},
        ),
    ],
)
def test_a_report_that_cannot_be_used_is_refused_by_its_fields(
    server: CipServer, body: dict[str, Any], expected: dict[str, list[str]]
) -> None:
    answer = server.send("POST", REPORTS, body)
    assert (answer.status, answer.json()) == (400, expected)
    assert detail(server) == case_detail()


@pytest.mark.parametrize("body", [b"[]", b'"x"', b"null", b"1"])
@pytest.mark.parametrize(
    ("method", "path"), [("POST", REPORTS), ("POST", GENOMES), ("PATCH", CASE), ("POST", "/referral/")]
)
def test_a_body_that_is_no_object_is_refused(server: CipServer, method: str, path: str, body: bytes) -> None:
    answer = server.send(method, path, body)
    assert answer.status == 400
    assert isinstance(answer.json(), dict)


def test_what_no_database_keeps_is_refused(server: CipServer) -> None:
    answer = server.send("POST", REPORTS, {**clinical_report(), "user": "a\0b"})
    assert (answer.status, answer.json()) == (400, {"non_field_errors": ["Null characters are not allowed."]})
    assert server.send("POST", REPORTS, b'{"user": 1').json()["detail"].startswith("JSON parse error - ")
    assert detail(server) == case_detail()


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", REPORTS),
        ("PUT", QUESTIONNAIRE),
        ("POST", GENOMES),
        ("PATCH", CASE),
        ("PATCH", "/interpretation-request/case-priority/2535/1/"),
        ("PUT", "/interpretation-request/dispatch/2535/1/"),
        ("POST", f"{CASE}workflow_status"),
        ("POST", f"{CASE}interpretation-flags/"),
        ("POST", "/interpretation-request/2535-1/variant-interpretation-log/"),
        ("POST", "/referral/"),
        ("POST", "/interpretation-request/"),
    ],
)
def test_readers_write_nothing(server: CipServer, method: str, path: str) -> None:
    answer = server.send(method, path, {}, user="reader")
    assert answer.status == 403
    assert answer.json() == {"detail": "You do not have permission to perform this action."}
    assert detail(server) == case_detail()


def test_users_of_other_sites_write_nothing(server: CipServer) -> None:
    put_case(server.store.database, case_detail(2600, workspaces=["AAA"]))
    server.add_user("bbb", "writer", ("BBB",))
    server.add_user("aaa", "writer", ("AAA",))
    path = REPORTS.replace("2535", "2600")
    assert server.send("POST", path, clinical_report(2600), user="bbb").status == 403
    assert server.send("POST", path, clinical_report(2600), user="aaa").status == 201


@pytest.mark.parametrize("name", [f"m{number:02}" for number in range(1, 11)])
def test_malformed_documents_of_the_pack_are_refused_in_its_words(
    shared: Path, name: str, store_url: str, tmp_path: Path
) -> None:
    pack = shared / "packs" / "cipapi"
    if not pack.is_dir():
        pytest.skip("the pack is not there")
    case = json.loads((pack / "rd_trio_40101-1.v6.detail.json").read_text())
    expectations = json.loads((pack / "malformed" / "EXPECTED.json").read_text())
    expected = next(one for key, one in expectations.items() if key.startswith(f"{name}_"))
    method, path = expected["send_as"].split(" ")
    with cip_server(store_url, tmp_path) as server:
        put_case(server.store.database, case)
        answer = server.send(method, path.removeprefix("/api/2"), (pack / expected["file"]).read_bytes())
        assert answer.status == expected["expect_status"]
        if "detail" in expected["expect_error"]:
            assert answer.json()["detail"].startswith("JSON parse error - ")
        else:
            assert answer.json() == expected["expect_error"]
        assert stored_detail(server.store.database, 40101) == case


# --- questionnaires ---------------------------------------------------------------------------------------------------


def test_a_questionnaire_takes_the_place_of_the_one_before(server: CipServer) -> None:
    server.send("POST", REPORTS, clinical_report())
    first = server.send("PUT", QUESTIONNAIRE, exit_questionnaire())
    assert first.status == 200, first.body
    assert first.json()["exit_questionnaire_data"] == exit_questionnaire()
    assert (first.json()["user"], first.json()["cva_status"]) == ("writer", "not_sent")
    assert TIME.fullmatch(first.json()["created_at"])
    second = server.send("PUT", f"{QUESTIONNAIRE}?reports_v6=true", exit_questionnaire(reporter="ann"))
    assert detail(server)["clinical_report"][0]["exit_questionnaire"] == second.json()
    assert statuses(server)[-3:] == ["report_generated", "report_sent", "report_sent"]


def test_a_questionnaire_needs_its_report(server: CipServer) -> None:
    answer = server.send("PUT", QUESTIONNAIRE, exit_questionnaire())
    assert (answer.status, answer.json()) == (404, {"detail": "Not found."})


def test_the_case_chooses_the_model_of_the_questionnaire(server: CipServer) -> None:
    put_case(server.store.database, case_detail(3106, sample_type="cancer"))
    server.send("POST", "/clinical-report/x/cancer/SAP-3106-1/", clinical_report(3106))
    path = QUESTIONNAIRE.replace("2535", "3106")
    assert server.send("PUT", path, exit_questionnaire()).status == 400
    answer = server.send("PUT", path, cancer_questionnaire())
    assert answer.status == 200, answer.body


# --- interpreted genomes ----------------------------------------------------------------------------------------------


def test_a_genome_is_answered_as_a_status_and_as_itself(server: CipServer) -> None:
    answer = server.send("POST", GENOMES, interpreted_genome())
    assert answer.status == 201, answer.body
    body = answer.json()
    assert (body["status"], body["user"], body["cip_version"]) == ("interpretation_generated", "writer", 1)
    assert body["interpreted_genome_data"] == interpreted_genome()
    assert server.send("POST", GENOMES, interpreted_genome()).json()["cip_version"] == 2
    stored = detail(server)["interpreted_genome"]
    assert [one["status"] for one in stored] == [[], []]
    assert statuses(server) == ["waiting_payload", "interpretation_generated"]


# --- the case itself --------------------------------------------------------------------------------------------------


def test_an_admin_registers_a_case_once(server: CipServer) -> None:
    body = {"interpretation_request_id": 77, "version": 2, "sample_type": "cancer", "cip": "illumina", "other": 1}
    assert server.send("POST", "/interpretation-request/", body).status == 403
    answer = server.send("POST", "/interpretation-request", body, user="admin")
    assert answer.status == 201, answer.body
    made = answer.json()
    assert (made["interpretation_request_id"], made["version"], made["last_status"]) == (77, "2", "waiting_payload")
    assert "other" not in made
    assert stored_detail(server.store.database, 77, 2) == made
    again = server.send("POST", "/interpretation-request/", body, user="admin")
    assert again.status == 400
    assert "must make a unique set" in again.json()["non_field_errors"][0]


def test_a_registration_without_a_number_gets_the_next_one(server: CipServer) -> None:
    made = server.send("POST", "/interpretation-request/", {"sample_type": "raredisease"}, user="admin").json()
    assert (made["interpretation_request_id"], made["version"]) == (2536, "1")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "sample_type"),
        ({"sample_type": "other"}, "sample_type"),
        ({"sample_type": "cancer", "interpretation_request_id": "x"}, "interpretation_request_id"),
        ({"sample_type": "cancer", "interpretation_request_id": "7-1", "version": 2}, "interpretation_request_id"),
        ({"sample_type": "cancer", "clinical_report": [{}]}, "clinical_report"),
        ({"sample_type": "cancer", "case_priority": "asap"}, "case_priority"),
    ],
)
def test_a_registration_that_cannot_be_used_is_refused(server: CipServer, body: dict[str, Any], field: str) -> None:
    answer = server.send("POST", "/interpretation-request/", body, user="admin")
    assert (answer.status, list(answer.json())) == (400, [field])


def test_a_patch_brings_the_interpretation_request(server: CipServer) -> None:
    request = {
        "interpretationRequestId": "2535",
        "interpretationRequestVersion": 1,
        "genomeAssembly": "GRCh38",
        "pedigree": {"familyId": "f1", "members": []},
    }
    body = {"interpretation_request_data": {"json_request": request}, "tags": ["a"]}
    answer = server.send("PATCH", CASE, body)
    assert answer.status == 200, answer.body
    assert answer.json() == detail(server)
    assert answer.json()["interpretation_request_data"] == {"json_request": request}
    assert (answer.json()["family_id"], answer.json()["tags"]) == ("f1", ["a"])
    assert answer.json()["last_status"] == "interpretation_request_generated"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"status": [{"status": "report_sent"}]}, "status"),
        ({"clinical_report": [{}]}, "clinical_report"),
        ({"interpretation_request_id": 9}, "interpretation_request_id"),
        ({"tags": "a"}, "tags"),
        (
            {"interpretation_request_data": {"json_request": {"interpretationRequestId": "GEL-9-1"}}},
            "interpretation_request_data.json_request.interpretationRequestId",
        ),
        ({"interpretation_request_data": {}}, "interpretation_request_data.json_request"),
    ],
)
def test_a_patch_that_cannot_be_used_changes_nothing(server: CipServer, body: dict[str, Any], field: str) -> None:
    answer = server.send("PATCH", CASE, body)
    assert (answer.status, list(answer.json())) == (400, [field])
    assert detail(server) == case_detail()


def test_a_whole_document_may_be_sent_back(server: CipServer) -> None:
    answer = server.send("PATCH", CASE, detail(server))
    assert answer.status == 200, answer.body
    assert {**answer.json(), "last_modified": ""} == {**case_detail(), "last_modified": ""}


def test_priority_and_dispatch_answer_with_the_case(server: CipServer) -> None:
    path = "/interpretation-request/case-priority/2535/1/"
    assert server.send("PATCH", path, {"case_priority": "urgent"}).json()["case_priority"] == "urgent"
    refused = server.send("PATCH", path, {"case_priority": "asap"})
    assert (refused.status, refused.json()) == (400, {"case_priority": ['"asap" is not a valid choice.']})
    assert server.send("PATCH", path, {}).json() == {"case_priority": ["This field is required."]}
    answer = server.send("PUT", "/interpretation-request/dispatch/2535/1/", b"")
    assert (answer.status, answer.json()["last_status"]) == (200, "dispatched")
    assert detail(server) == answer.json()


# --- what decision support says ---------------------------------------------------------------------------------------


def test_the_newest_workflow_status_stands_in_the_list(server: CipServer) -> None:
    answer = server.send("POST", f"{CASE}workflow_status", {"status": "In Review"})
    assert (answer.status, list(answer.json())) == (201, ["status", "created_at", "user"])
    server.send("POST", f"{CASE}workflow_status/", {"status": "Completed"})
    with server.store.database.read() as session:
        case = cip_cases.find(session, 2535, 1)
        assert case is not None
        notes = cip_notes.page(session, case.row, NoteKind.WORKFLOW)[1]
    assert case.overview["workflow_status"] == "Completed"
    assert [note["status"] for note in notes] == ["In Review", "Completed"]
    assert detail(server) == case_detail()


@pytest.mark.parametrize("body", [{}, {"status": ""}, {"status": 1}, {"status": "x" * 101}, []])
def test_a_workflow_status_that_cannot_be_used_is_refused(server: CipServer, body: Any) -> None:
    assert server.send("POST", f"{CASE}workflow_status", body).status == 400


def test_flags_are_answered_as_a_list_and_raised_once(server: CipServer) -> None:
    path = f"{CASE}interpretation-flags/"
    one = {"name": "suspected_mosaicism", "description": "blood"}
    assert server.send("POST", path, one).json() == [{"flag": one}]
    answer = server.send("POST", path, [one, {"flag": {"name": "other"}}])
    assert answer.status == 201
    with server.store.database.read() as session:
        case = cip_cases.find(session, 2535, 1)
        assert case is not None
        flags = cip_notes.page(session, case.row, NoteKind.FLAG)[1]
    assert flags == [{"flag": one}, {"flag": {"name": "other", "description": None}}]
    assert server.send("POST", path, [{"name": ""}]).json() == {"[0].name": ["Not a valid string."]}


def test_a_log_of_interpretation_is_kept(server: CipServer) -> None:
    entry = {
        "variantCoordinates": variant()["variantCoordinates"],
        "user": {"userid": None, "email": "a@example.org", "username": "ann", "role": None, "groups": None},
        "timestamp": "2022-03-01",
        "groupId": "r1",
        "caseId": "GEL-2535-1",
        "variantValidation": None,
        "comments": None,
        "variantClassification": {"acmgVariantClassification": None, "ampVariantClassification": None},
        "Artifact": None,
        "decisionSupportSystemFilters": None,
    }
    answer = server.send("POST", "/interpretation-request/2535-1/variant-interpretation-log/", {"log_entry": [entry]})
    assert answer.status == 201, answer.body
    assert answer.json()["log_entry"] == {"log_entry": [entry]}
    with server.store.database.read() as session:
        case = cip_cases.find(session, 2535, 1)
        assert case is not None
        assert cip_notes.page(session, case.row, NoteKind.LOG) == (1, [entry])


# --- referrals --------------------------------------------------------------------------------------------------------


def test_a_referral_is_stored_with_its_consents(server: CipServer) -> None:
    consent = {"participant_id": "p2535", "referral_id": "u1", "primaryGenomicTestingConsent": "no"}
    body = {
        "referral_id": "r1",
        "referral_uid": "u1",
        "referral_test": [
            {"referral_test_id": "t1", "interpretation_request_id": 2535, "interpretation_request_version": 1}
        ],
        "econsent": {"participant_consent": [consent], "overall_econsent": "red"},
    }
    answer = server.send("POST", "/referral/", body)
    assert answer.status == 201, answer.body
    assert TIME.fullmatch(answer.json()["last_modified"])
    assert TIME.fullmatch(answer.json()["create_at"])
    again = server.send("POST", "/referral", {**body, "ordering_date": "2022-01-10"})
    assert again.json()["create_at"] == answer.json()["create_at"]
    with server.store.database.read() as session:
        assert cip_referrals.find(session, "u1") == again.json()
    withheld = server.send("POST", REPORTS, clinical_report())
    assert withheld.status == 403
    assert detail(server) == case_detail()


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "referral_id"),
        ({"referral_id": 1}, "referral_id"),
        ({"referral_id": "r", "referral_test": [{}]}, "referral_test[0].referral_test_id"),
        (
            {
                "referral_id": "r",
                "econsent": {"participant_consent": [{"participant_id": "p", "carrierStatusConsent": "maybe"}]},
            },
            "econsent.participant_consent[0].carrierStatusConsent",
        ),
    ],
)
def test_a_referral_that_cannot_be_used_is_refused(server: CipServer, body: dict[str, Any], field: str) -> None:
    answer = server.send("POST", "/referral/", body)
    assert (answer.status, list(answer.json())) == (400, [field])


def test_every_write_is_in_the_audit(server: CipServer) -> None:
    server.send("POST", REPORTS, clinical_report())
    server.send("PUT", QUESTIONNAIRE, {})
    with server.store.database.read() as session:
        rows = session.run("select username, method, ir_id, version, status from cip_audit order by id")
    writes = [tuple(row) for row in rows if row[1] != "POST" or row[2] is not None]
    assert writes == [("writer", "POST", 2535, 1, 201), ("writer", "PUT", 2535, 1, 400)]


# --- files ------------------------------------------------------------------------------------------------------------

FILES = "/file/congenica/GEL-2535-1/html/"
CONTENT = b"<p>\r\n--x\x00\xff</p>\r\n"


def upload(server: CipServer, content: bytes, name: str = "a b.html", field: str = "file", path: str = FILES) -> Answer:
    head = f'Content-Disposition: form-data; name="{field}"; filename="{name}"\r\nContent-Type: text/html\r\n\r\n'
    other = b'--bound\r\nContent-Disposition: form-data; name="user"\r\n\r\nann\r\n'
    body = other + b"--bound\r\n" + head.encode() + content + b"\r\n--bound--\r\n"
    return server.send("POST", path, body, content_type='multipart/form-data; boundary="bound"')


def test_a_file_is_kept_and_sent_back(server: CipServer) -> None:
    answer = upload(server, CONTENT)
    assert answer.status == 201, answer.body
    entry = answer.json()
    assert (entry["file_name"], entry["file_type"]) == ("a b.html", "html")
    assert detail(server)["files"] == [entry]
    found = server.get(entry["url"].partition("/api/2")[2])
    assert (found.status, found.body) == (200, CONTENT)
    assert found.headers["content-type"] == "application/octet-stream"
    assert found.headers["content-disposition"] == 'attachment; filename="a b.html"'
    assert "sandbox" in found.headers["content-security-policy"]


def test_files_that_cannot_be_used_are_refused(server: CipServer) -> None:
    assert upload(server, b"").json() == {"file": ["The submitted file is empty."]}
    for name in ("../a", "a/b", "..", "a\\b", "x" * 201, ""):
        assert upload(server, CONTENT, name).status == 400
    assert upload(server, CONTENT, field="other").json() == {"file": ["No file was submitted."]}
    assert upload(server, CONTENT, path="/file/x/2535-1/h$ml/").status == 400
    assert upload(server, CONTENT, path="/file/x/2535-9/html/").status == 404
    assert server.send("POST", FILES, {}).status == 415
    assert server.send("POST", FILES, b"", content_type="multipart/form-data; boundary=b").status == 400
    assert upload(server, b"x" * (16 * 2**20 + 1)).status == 413
    assert detail(server) == case_detail()


def test_files_are_asked_for_by_whole_names_and_by_users_of_the_site(server: CipServer) -> None:
    put_case(server.store.database, case_detail(2600, workspaces=["AAA"]))
    server.add_user("bbb", "reader", ("BBB",))
    server.add_user("aaa", "reader", ("AAA",))
    name = upload(server, CONTENT, path="/file/x/2600-1/html").json()["url"].split("/")[-3]
    assert server.get(f"/file/{name}/download-file", user="aaa").status == 200
    assert server.get(f"/file/{name}/download-file", user="bbb").status == 403
    number = name.partition(".")[2]
    for other in (f"1.{number}", number, "x.html", f"{name}0", "1591259855.4300"):
        assert server.get(f"/file/{other}/download-file/").status == 404
    assert server.send("POST", FILES, b"", user="reader").status == 403


# --- what others make of it -------------------------------------------------------------------------------------------


def test_the_official_validator_accepts_what_we_keep(server: CipServer, gel_oracle: GelOracle) -> None:
    server.send("POST", REPORTS, clinical_report())
    server.send("PUT", QUESTIONNAIRE, exit_questionnaire())
    server.send("POST", GENOMES, interpreted_genome())
    put_case(server.store.database, case_detail(3106, sample_type="cancer"))
    server.send("POST", "/clinical-report/x/cancer/SAP-3106-1/", clinical_report(3106))
    server.send("PUT", QUESTIONNAIRE.replace("2535", "3106"), cancer_questionnaire())
    kept = detail(server)
    report = kept["clinical_report"][0]
    assert gel_oracle.accepts("ClinicalReport", report["clinical_report_data"])
    questionnaire = report["exit_questionnaire"]["exit_questionnaire_data"]
    assert gel_oracle.accepts("RareDiseaseExitQuestionnaire", questionnaire)
    assert gel_oracle.accepts("InterpretedGenome", kept["interpreted_genome"][0]["interpreted_genome_data"])
    of_cancer = stored_detail(server.store.database, 3106)["clinical_report"][0]["exit_questionnaire"]
    assert gel_oracle.accepts("CancerExitQuestionnaire", of_cancer["exit_questionnaire_data"])


def test_what_was_written_is_told(server: CipServer) -> None:
    report = server.send("POST", REPORTS, clinical_report(genomicInterpretation="5 < 6 & 7")).json()
    server.send("PUT", QUESTIONNAIRE, exit_questionnaire())
    assert server.get(CASE).json() == detail(server)
    told = server.get("/clinical-report/2535/1/1?as=json").json()
    assert told == detail(server)["clinical_report"][0]
    assert told["clinical_report_data"] == report["clinical_report_data"]
    page = server.get("/clinical-report/2535/1/1")
    assert page.headers["content-type"].startswith("text/html")
    assert b"5 &lt; 6 &amp; 7" in page.body
    assert b"LP2535-DNA_A01: heterozygous" in page.body
    assert server.get(QUESTIONNAIRE).json() == told["exit_questionnaire"]
    assert all(TIME.fullmatch(one["created_at"]) for one in detail(server)["status"])


def test_flags_and_statuses_are_told_in_pages(server: CipServer) -> None:
    server.send("POST", f"{CASE}interpretation-flags/", {"name": "a", "description": "b"})
    said = server.send("POST", f"{CASE}workflow_status", {"status": "In Review"}).json()
    assert server.get(f"{CASE}interpretation-flags/").json()["results"] == [{"flag": {"name": "a", "description": "b"}}]
    assert server.get(f"{CASE}workflow_status").json()["results"] == [said]
