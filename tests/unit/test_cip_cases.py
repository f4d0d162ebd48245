"""Cases of a CIP-API in the store: kept as they came, found by every filter, superseded by newer versions."""

from __future__ import annotations

import json
from typing import Any

import orjson
import pytest

from app.errors import InvalidInput
from app.store import cip_cases, cip_notes, cip_pages, counters
from app.store.cip_cases import CaseFilters, State
from app.store.cip_filters import read_filters
from app.store.cip_notes import NoteKind
from app.store.session import Database
from tests.cip_details import detail, member, put, referral, settle, states, with_members
from tests.store_dump import dump


def names(database: Database, **parameters: str) -> list[str]:
    with database.read() as session:
        count, cases = cip_cases.page(session, read_filters(parameters), offset=0, limit=100)
    assert count == len(cases)
    return [case.name for case in cases]


def test_a_detail_comes_back_byte_for_byte(database: Database) -> None:
    raw = b' {"version":"1", "interpretation_request_id": 7,\n "x": 1.50, "interpreted_genome": null}'
    with database.write() as session:
        case, is_new = cip_cases.put(session, json.loads(raw), raw, origin="file")

    with database.read() as session:
        assert cip_cases.detail_of(session, case.row) == raw
        assert cip_cases.find(session, 7, 1) == case
        assert cip_cases.find(session, 7, 2) is None
    assert (is_new, case.state, case.name) == (True, State.WAITING, "7-1")


def test_a_document_without_a_number_is_refused(database: Database) -> None:
    with pytest.raises(InvalidInput):
        put(database, {"version": "1"})


def test_the_digest_leaves_out_what_changes_by_itself() -> None:
    made = detail(clinical_report=[{"timestamp": 1.5, "clinical_report_data": {"variants": [{"a": [1]}]}}])
    same = json.loads(json.dumps(made))
    same["last_modified"] = "2023-01-01T00:00:00.000000Z"
    same["cva_variants_status"] = "sent"
    same["clinical_report"][0]["timestamp"] = 2.5
    same["clinical_report"][0]["clinical_report_data"]["variants"][0]["deep"] = [{"cva_x": 1}]
    made["clinical_report"][0]["clinical_report_data"]["variants"][0]["deep"] = [{"timestamp": None}]
    other = json.loads(json.dumps(same))
    other["clinical_report"][0]["clinical_report_data"]["variants"][0]["a"] = [2]

    turned = dict(reversed(made.items()))
    assert cip_cases.canonical_sha256(made) == cip_cases.canonical_sha256(same) == cip_cases.canonical_sha256(turned)
    assert cip_cases.canonical_sha256(other) != cip_cases.canonical_sha256(made)


def test_the_digest_is_that_of_the_sorted_json() -> None:
    made = detail(interpreted_genome=[{"b": {"z": [{"y": 1, "x": [{"q": 1, "p": 2}]}], "a": 1.0}}])
    plain = {key: value for key, value in made.items() if key != "last_modified"}
    expected = orjson.dumps(plain, option=orjson.OPT_SORT_KEYS)

    assert orjson.dumps(cip_cases._canonical(made, 0), option=orjson.OPT_SORT_KEYS) == expected


def test_the_same_document_again_changes_no_row(database: Database) -> None:
    case, _ = put(database, detail(referral=referral()))
    settle(database, case)
    before = dump(database)

    again, is_other = put(database, detail(referral=referral()), origin="server")

    assert (is_other, again.state) == (False, State.STORED)
    assert dump(database) == before


def test_only_another_content_lets_a_case_wait(database: Database) -> None:
    case, _ = put(database, detail())
    settle(database, case)

    later = detail(last_modified="2022-05-05T00:00:00.000000Z", cva_variants_status="sent")
    same, is_other = put(database, later)
    assert (is_other, same.state, same.last_modified) == (False, State.STORED, "2022-05-05T00:00:00.000000Z")
    with database.read() as session:
        assert cip_cases.detail_of(session, case.row) == orjson.dumps(later)

    changed, is_other = put(database, detail(last_status="report_sent"))
    assert (is_other, changed.state, changed.row) == (True, State.WAITING, case.row)


def test_a_newer_version_lets_the_older_ones_wait(database: Database) -> None:
    first, _ = put(database, detail("7-1"))
    other, _ = put(database, detail("8-1"))
    settle(database, first, other)

    put(database, detail("7-2"))

    assert states(database) == {"7-1": "waiting", "7-2": "waiting", "8-1": "stored"}
    with database.read() as session:
        assert cip_cases.newest_versions(session, [7, 8, 9]) == {7: 2, 8: 1}
        assert [case.name for case in cip_cases.versions_of(session, 7)] == ["7-2", "7-1"]


def test_a_version_that_is_only_listed_supersedes_nothing(database: Database) -> None:
    first, _ = put(database, detail("7-1"))
    settle(database, first)
    with database.write() as session:
        cip_cases.put_listed(session, {"interpretation_request_id": "7-2", "proband": "child"}, origin="SIT")

    with database.read() as session:
        assert cip_cases.newest_versions(session, [7]) == {7: 1}
    assert states(database) == {"7-1": "stored", "7-2": "listed"}


def test_waiting_cases_come_in_their_order_and_are_reflected(database: Database) -> None:
    cases = [put(database, detail(number))[0] for number in ("9-1", "7-1", "8-1")]
    with database.read() as session:
        assert [case.name for case in cip_cases.waiting(session)] == ["9-1", "7-1", "8-1"]
        assert [case.name for case in cip_cases.waiting(session, limit=2)] == ["9-1", "7-1"]

    with database.write() as session:
        cip_cases.reflect(
            session, cases[0].row, state=State.QUARANTINED, reflected="v1", tests=[("child", "T")], report={"a": [1]}
        )

    with database.read() as session:
        found = cip_cases.find(session, 9, 1)
        assert [case.name for case in cip_cases.waiting(session)] == ["7-1", "8-1"]
    assert found is not None
    assert (found.state, found.reflected, found.tests, found.report) == (
        State.QUARANTINED, "v1", (("child", "T"),), {"a": [1]},
    )  # fmt: skip


def test_a_case_that_was_changed_meanwhile_keeps_waiting(database: Database) -> None:
    read, _ = put(database, detail())
    put(database, detail(last_status="blocked"))
    with database.write() as session:
        cip_cases.reflect(session, read.row, state=State.STORED, reflected="", tests=[], report={}, seen=read.updated)
    assert states(database) == {"7-1": "waiting"}

    with database.write() as session:
        now = cip_cases.find(session, 7, 1)
        assert now is not None
        cip_cases.reflect(session, read.row, state=State.BLOCKED, reflected="", tests=[], report={}, seen=now.updated)
    assert states(database) == {"7-1": "blocked"}


def test_cases_wait_when_what_their_calls_rest_on_changes(database: Database) -> None:
    cases = [put(database, detail(number))[0] for number in ("7-1", "8-1")]
    settle(database, *cases)
    with database.write() as session:
        assert cip_cases.let_all_wait_but(session, cases[0].sha256) == 1
    assert states(database) == {"7-1": "stored", "8-1": "waiting"}
    with database.write() as session:
        cip_cases.let_wait(session, [cases[0].row])
    assert states(database) == {"7-1": "waiting", "8-1": "waiting"}


def test_storing_another_content_gives_the_data_another_version(database: Database) -> None:
    def version() -> int:
        with database.read() as session:
            return counters.value(session, counters.DATA_VERSION)

    put(database, detail())
    first = version()
    put(database, detail())
    assert version() == first
    put(database, detail(last_status="blocked"))
    assert version() > first


def test_pages_follow_a_total_order(database: Database) -> None:
    for number in ("7-1", "9-1", "7-2", "10-1", "8-1"):
        put(database, detail(number))
    found = []
    with database.read() as session:
        for offset in (0, 2, 4, 6):
            count, cases = cip_cases.page(session, CaseFilters(), offset=offset, limit=2)
            assert count == 5
            found += [case.name for case in cases]
    assert found == ["10-1", "9-1", "8-1", "7-2", "7-1"]


@pytest.fixture
def three(database: Database) -> Database:
    """Return a store with three different cases, and one that is only listed."""
    put(database, detail("7-1", referral=referral(requester_organisation_name="East Hospital")))
    cancer: dict[str, Any] = {
        **detail("8-1", cip="illumina", sample_type="cancer", case_id="SAP-8-1", case_priority="urgent"),
        "cancer_participant": "r8", "program": "cancer", "proband": "tom", "tags": ["to check"], "group_id": "g8",
        "interpretation_request_data": {
            "json_request": {"workspace": ["RP4"], "cancerParticipant": {"participantId": "tom", "tumourSamples": []}}
        },
        "workspaces": ["RP4"],
    }  # fmt: skip
    del cancer["family_id"]
    put(database, cancer, listed={"workflow_status": "Pending Review"})
    old = detail(
        "9-2", family_id="115000061", assembly="GRCh37", proband="115000611", workspaces=["RYJ"], cohort_id="115000061",
        status=[{"status": "report_sent", "created_at": "2017-11-21T10:00:00.000000Z"}], last_status="report_sent",
        last_modified="2017-11-21T10:00:01.000000Z", case_id="OPA-9-2",
        interpretation_request_data={"json_request": {"internalStudyId": "1", "workspace": ["RYJ"]}},
    )  # fmt: skip
    put(database, old)
    with database.write() as session:
        cip_cases.put_listed(session, {"interpretation_request_id": "99-1", "cip": "illumina"}, origin="SIT")
    return database


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({}, ["9-2", "8-1", "7-1"]),
        ({"params": "x", "page": "2", "cip": ""}, ["9-2", "8-1", "7-1"]),
        ({"cip": "illumina"}, ["8-1"]),
        ({"cip": "illumina,genomics_england"}, ["9-2", "8-1", "7-1"]),
        ({"cip": "illumina", "sample_type": "raredisease"}, []),
        ({"sample_type": "rare_disease"}, ["9-2", "7-1"]),
        ({"sample_type": "nonsense"}, []),
        ({"version": "2"}, ["9-2"]),
        ({"version": "two"}, []),
        ({"interpretation_request_id": "7"}, ["7-1"]),
        ({"interpretation_request_id": "9-1"}, []),
        ({"interpretation_request_id": "GEL-9-2, 8"}, ["9-2", "8-1"]),
        ({"interpretation_request_id": "abc"}, []),
        ({"interpretation_request_id": "999999999999999999"}, []),
        ({"workspace": "TSTGLH"}, ["7-1"]),
        ({"workspace": "RJ7,RP4"}, ["8-1", "7-1"]),
        ({"status": "dispatched"}, ["8-1", "7-1"]),
        ({"status": "sent_to_gmcs,report_generated,report_sent"}, ["9-2", "8-1", "7-1"]),
        ({"last_status": "report_sent"}, ["9-2"]),
        ({"members": "mother"}, ["7-1"]),
        ({"members": "mother,tom"}, ["8-1", "7-1"]),
        ({"cohort_id": "r7_1"}, ["7-1"]),
        ({"group_id": "g8"}, ["8-1"]),
        ({"workflow_status": "Pending Review"}, ["8-1"]),
        ({"update_date": "2017-11-21"}, ["9-2"]),
        ({"update_date": "2022-01-02T00:00:00Z"}, ["8-1", "7-1"]),
        ({"case_id": "SAP-8-1"}, ["8-1"]),
        ({"case_id": "8-1"}, ["8-1"]),
        ({"assembly": "GRCh37"}, ["9-2"]),
        ({"case_priority": "urgent"}, ["8-1"]),
        ({"family_id": "r7"}, ["7-1"]),
        ({"proband_id": "tom"}, ["8-1"]),
        ({"long_name": "North Hub"}, ["7-1"]),
        ({"long_name": "East Hospital"}, ["7-1"]),
        ({"interpreter_organisation_national_grouping_id": "69A70"}, ["7-1"]),
        ({"tags": "to check"}, ["8-1"]),
        ({"category": "gms"}, ["8-1", "7-1"]),
        ({"category": "100k"}, ["9-2"]),
        ({"category": "experimental"}, []),
        ({"search": "SAP-"}, ["8-1"]),
        ({"search": "moth"}, ["7-1"]),
        ({"search": "ryj"}, ["9-2"]),
        ({"search": "%"}, []),
        ({"last_modified_after": "2020-01-01"}, ["8-1", "7-1"]),
        ({"last_modified_before": "2017-11-21T11:00:01 01:00"}, []),
        ({"last_modified_before": "2017-11-21T11:00:02 01:00"}, ["9-2"]),
        ({"last_modified_after": "soon"}, []),
    ],
)
def test_filters_find_the_cases_that_meet_all_of_them(
    three: Database, parameters: dict[str, str], expected: list[str]
) -> None:
    assert names(three, **parameters) == expected


def test_a_user_sees_the_cases_of_their_sites_alone(three: Database) -> None:
    with three.read() as session:
        _, cases = cip_cases.page(session, read_filters({}, visible_sites=("RP4", "X")), offset=0, limit=10)
        assert [case.name for case in cases] == ["8-1"]
        assert cip_cases.page(session, read_filters({}, visible_sites=()), offset=0, limit=10) == (0, [])


def test_cases_that_are_only_listed_are_shown_on_demand(three: Database) -> None:
    with three.read() as session:
        _, cases = cip_cases.page(session, CaseFilters(with_listed=True), offset=0, limit=10)
        assert (cases[0].name, cases[0].state) == ("99-1", State.LISTED)
        assert cip_cases.detail_of(session, cases[0].row) is None


def test_the_detail_of_a_listed_case_takes_its_place(three: Database) -> None:
    case, is_other = put(three, detail("99-1"))

    assert (is_other, case.state) == (True, State.WAITING)
    assert names(three)[0] == "99-1"


def test_cases_cannot_be_listed_by_an_unknown_column(database: Database) -> None:
    with database.read() as session, pytest.raises(InvalidInput):
        cip_cases.page(session, CaseFilters(values={"detail": ("x",)}), offset=0, limit=1)


def test_names_come_by_provider_and_status_within_days(three: Database) -> None:
    days = CaseFilters(updated_from="2022-01-02", updated_before="2022-01-03")
    with three.read() as session:
        assert cip_pages.names_by_status(session, days) == {
            "genomics_england-sent_to_gmcs": ["7-1"],
            "illumina-sent_to_gmcs": ["8-1"],
        }


def test_documents_of_all_cases_are_one_list(database: Database) -> None:
    report = {"clinical_report_version": 1, "exit_questionnaire": None}
    reports = [report] * 10 + [{"clinical_report_version": 11, "exit_questionnaire": {"user": "x"}}]
    put(database, detail("7-1", clinical_report=reports))
    put(database, detail("8-1", clinical_report=[report]))
    with database.read() as session:
        count, found = cip_pages.documents(session, "clinical_report", CaseFilters(), offset=2, limit=9)
        assert count == 12
        assert [(one.case.name, one.index) for one in found] == [("7-1", at) for at in range(1, 10)]
        only = cip_pages.documents(session, "exit_questionnaire", CaseFilters(), offset=0, limit=9)
        assert [(one.case.name, one.index) for one in only[1]] == [("7-1", 10)]
        assert cip_pages.documents(session, "interpreted_genome", read_filters({"cip": "x"}), offset=0, limit=9)[0] == 0


def test_a_case_is_found_by_each_of_its_subjects(database: Database) -> None:
    put(database, with_members(detail("7-1"), member("child", is_proband=True), member("p 2")))
    put(database, with_members(detail("8-1"), member("child", is_proband=True)))
    with database.read() as session:
        assert [case.name for case in cip_cases.of_subject(session, "child")] == ["8-1", "7-1"]
        case = cip_cases.find(session, 7, 1)
        assert case is not None
        (first, second) = cip_cases.members_of(session, case.row)
        assert first == ("child", "child", True)
        assert (second[0], second[2]) == ("p 2", False)
        assert [one.name for one in cip_cases.of_subject(session, second[1])] == ["7-1"]


def test_the_newest_workflow_status_is_the_cases_own_and_stays_with_it(database: Database) -> None:
    case, _ = put(database, detail())
    settle(database, case)
    with database.write() as session:
        for at, status in ((2, "Completed"), (1, "In Review")):
            body = {"status": status, "created_at": f"2022-01-0{at}", "user": "u"}
            cip_notes.add(session, case.row, NoteKind.WORKFLOW, body, username="u", created_at=body["created_at"])
        cip_notes.add(session, case.row, NoteKind.FLAG, {"flag": {"name": "x"}}, username="u", created_at="2022")

    put(database, detail(last_status="report_sent"))

    with database.read() as session:
        count, shown = cip_notes.page(session, case.row, NoteKind.WORKFLOW)
        assert (count, [one["status"] for one in shown]) == (2, ["In Review", "Completed"])
        assert cip_notes.page(session, case.row, NoteKind.WORKFLOW, offset=1, limit=5)[1] == shown[1:]
        assert cip_notes.page(session, case.row, NoteKind.FLAG) == (1, [{"flag": {"name": "x"}}])
        found = cip_cases.find(session, 7, 1)
    assert found is not None
    assert found.overview["workflow_status"] == "Completed"
    assert names(database, workflow_status="Completed") == ["7-1"]
