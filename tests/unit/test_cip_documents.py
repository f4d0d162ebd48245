"""Changes of a case's document: versions, statuses, times, and files that come twice."""

from __future__ import annotations

import copy
from datetime import UTC, datetime
from typing import Any

import pytest

from app.errors import InvalidInput, NotFound
from app.formats.gel_values import timestamp
from app.operations import cip_documents as documents

NOW = datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC)
NOW_TEXT = "2024-05-06T07:08:09.000000Z"
REPORT = {"interpretationRequestId": "7", "interpretationRequestVersion": 1, "genomicInterpretation": "none"}
OTHER_REPORT = {**REPORT, "genomicInterpretation": "another"}
QUESTIONNAIRE = {"eventDate": "2024-05-06", "reporter": "ann"}
GENOME = {"interpretationRequestId": "7-1", "interpretationService": "Exomiser", "variants": []}


def _case(**more: Any) -> dict[str, Any]:
    case = documents.register(7, 1, {"sample_type": "raredisease", "cip": "congenica"}, user="ann", at=NOW)
    return {**case, **more}


def _statuses(case: dict[str, Any]) -> list[str]:
    return [one["status"] for one in case["status"]]


def test_times_have_six_digits_in_utc() -> None:
    assert timestamp(NOW) == NOW_TEXT
    assert timestamp(datetime.fromisoformat("2024-01-01T02:00:00.5+02:00")) == "2024-01-01T00:00:00.500000Z"


def test_a_new_case_waits_for_its_payload() -> None:
    case = _case()
    assert (case["interpretation_request_id"], case["version"], case["last_status"]) == (7, "1", "waiting_payload")
    assert case["program"] == "rare_disease"


def test_reports_count_up_and_the_case_says_so() -> None:
    case = _case()
    before = copy.deepcopy(case)
    once, first = documents.add_clinical_report(case, REPORT, user="ann", at=NOW)
    twice, second = documents.add_clinical_report(once, REPORT, user="bob", at=NOW)
    assert case == before
    assert (first["clinical_report_version"], second["clinical_report_version"]) == (1, 2)
    assert first["created_at"] == NOW_TEXT
    assert first["timestamp"] == NOW.timestamp()
    assert twice["clinical_report"] == [first, second]
    assert twice["status"][-1] == {"status": "report_generated", "created_at": NOW_TEXT, "user": "bob"}
    assert list(twice) == list(case)


def test_the_version_follows_the_highest_one_even_if_one_is_missing() -> None:
    case = _case(clinical_report=[{"clinical_report_version": 4, "clinical_report_data": {}}])
    assert documents.add_clinical_report(case, REPORT, user="ann", at=NOW)[1]["clinical_report_version"] == 5


def test_the_time_of_the_last_change_never_goes_back() -> None:
    case = _case(last_modified="2031-01-01T00:00:00.000000Z", last_update="2031-01-01T00:00:00.000000Z")
    changed = documents.set_priority(case, "urgent", at=NOW)
    assert changed["last_modified"] == changed["last_update"] == "2031-01-01T00:00:00.000001Z"


def test_a_questionnaire_takes_the_place_of_the_one_before() -> None:
    case, _ = documents.add_clinical_report(_case(), REPORT, user="ann", at=NOW)
    case, _ = documents.put_exit_questionnaire(case, 1, QUESTIONNAIRE, user="ann", at=NOW)
    case, wrapper = documents.put_exit_questionnaire(case, 1, {**QUESTIONNAIRE, "reporter": "x"}, user="bob", at=NOW)
    assert case["clinical_report"][0]["exit_questionnaire"] == wrapper
    assert (wrapper["user"], wrapper["exit_questionnaire_data"]["reporter"]) == ("bob", "x")
    assert _statuses(case)[-2:] == ["report_sent", "report_sent"]
    assert case["last_status"] == "report_sent"
    with pytest.raises(NotFound):
        documents.put_exit_questionnaire(case, 2, QUESTIONNAIRE, user="ann", at=NOW)


def test_a_blocked_case_stays_blocked_when_a_document_comes() -> None:
    case = documents.add_status(_case(), "blocked", user="ann", at=NOW)
    case, _ = documents.add_clinical_report(case, REPORT, user="ann", at=NOW)
    case, _ = documents.put_exit_questionnaire(case, 1, QUESTIONNAIRE, user="ann", at=NOW)
    case, _ = documents.add_interpreted_genome(case, GENOME, user="ann", at=NOW)
    assert case["last_status"] == "blocked"
    assert _statuses(case)[-1] == "blocked"


def test_genomes_count_over_all_services_and_set_no_finished_case_back() -> None:
    case, first = documents.add_interpreted_genome(_case(), GENOME, user="ann", at=NOW)
    assert case["last_status"] == "interpretation_generated"
    case, _ = documents.add_clinical_report(case, REPORT, user="ann", at=NOW)
    case, second = documents.add_interpreted_genome(case, GENOME, user="ann", at=NOW)
    assert (first["cip_version"], second["cip_version"]) == (1, 2)
    assert case["last_status"] == "report_generated"


def test_a_file_that_comes_twice_changes_nothing() -> None:
    case = documents.attach_clinical_report(_case(), REPORT, at=NOW)
    assert documents.attach_clinical_report(case, REPORT, at=NOW) == case
    case = documents.attach_interpreted_genome(case, GENOME, at=NOW)
    assert documents.attach_interpreted_genome(case, GENOME, at=NOW) == case
    case = documents.attach_exit_questionnaire(case, QUESTIONNAIRE, at=NOW)
    assert documents.attach_exit_questionnaire(case, QUESTIONNAIRE, at=NOW) == case
    assert _statuses(case) == ["waiting_payload"]


def test_versions_that_a_wrapper_names_are_kept() -> None:
    second = {"clinical_report_data": OTHER_REPORT, "clinical_report_version": 2, "created_at": NOW_TEXT}
    first = {"clinical_report_data": REPORT, "clinical_report_version": 1, "created_at": NOW_TEXT}
    case = documents.attach_clinical_report(_case(), second, at=NOW)
    case = documents.attach_clinical_report(case, first, at=NOW)
    assert case["clinical_report"] == [first, second]
    genome = {"cip_version": 9, "interpreted_genome_data": GENOME, "created_at": NOW_TEXT}
    case = documents.attach_interpreted_genome(case, genome, at=NOW)
    assert case["interpreted_genome"] == [genome]
    assert documents.attach_interpreted_genome(case, genome, at=NOW) == case


def test_another_report_of_the_same_version_is_refused() -> None:
    case = documents.attach_clinical_report(_case(), REPORT, at=NOW)
    with pytest.raises(InvalidInput):
        documents.attach_clinical_report(
            case, {"clinical_report_data": OTHER_REPORT, "clinical_report_version": 1}, at=NOW
        )
    case, _ = documents.add_interpreted_genome(case, GENOME, user="ann", at=NOW)
    other = {
        "cip_version": 1,
        "interpreted_genome_data": {**GENOME, "interpretationService": "exomiser", "variants": 1},
    }
    with pytest.raises(InvalidInput):
        documents.attach_interpreted_genome(case, other, at=NOW)


def test_a_wrapper_of_a_known_report_brings_its_questionnaire_but_no_older_one() -> None:
    case = documents.attach_clinical_report(_case(), REPORT, at=NOW)
    told = {"exit_questionnaire_data": QUESTIONNAIRE, "user": "ann", "created_at": "2024-05-07T00:00:00.000000Z"}
    wrapper = {"clinical_report_data": REPORT, "clinical_report_version": 1, "exit_questionnaire": told}
    case = documents.attach_clinical_report(case, wrapper, at=NOW)
    assert case["clinical_report"][0]["exit_questionnaire"] == told
    older = {**told, "exit_questionnaire_data": {"reporter": "x"}, "created_at": "2024-01-01T00:00:00.000000Z"}
    assert documents.attach_exit_questionnaire(case, older, 1, at=NOW) == case
    with pytest.raises(NotFound):
        documents.attach_exit_questionnaire(_case(), QUESTIONNAIRE, at=NOW)


def test_the_interpretation_request_of_a_patch_fills_what_the_case_does_not_say() -> None:
    request = {
        "genomeAssembly": "GRCh38",
        "pedigree": {"familyId": "f1", "members": [{"isProband": True, "participantId": "p1", "samples": [{}]}]},
    }
    patch = {"interpretation_request_data": {"json_request": request}, "cohort_id": "f1_1"}
    case = documents.merge_patch(_case(), patch, user="ann", at=NOW)
    assert (case["proband"], case["family_id"], case["assembly"], case["number_of_samples"]) == (
        "p1",
        "f1",
        "GRCh38",
        1,
    )
    assert case["last_status"] == "interpretation_request_generated"
    assert case["cohort_id"] == "f1_1"
    again = documents.merge_patch(case, {"tags": ["a"]}, user="ann", at=NOW)
    assert again["tags"] == ["a"]
    assert len(again["status"]) == len(case["status"])
