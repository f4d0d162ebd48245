"""A file of Genomics England is told by its structure."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from app.errors import BadFile
from app.formats.gel_files import Kind, case_named, document_of, recognize
from tests.gel_documents import (
    cancer_questionnaire,
    case_detail,
    clinical_report,
    exit_questionnaire,
    interpreted_genome,
)
from tests.gel_old_documents import case_of_model_3, case_of_model_4, old_cancer_case


def genome(detail):
    return detail["interpreted_genome"][0]["interpreted_genome_data"]


def request(detail):
    return detail["interpretation_request_data"]["json_request"]


@pytest.mark.parametrize(
    ("document", "kind", "case"),
    [
        (case_detail(), Kind.CASE, None),
        (request(case_of_model_3()), Kind.REQUEST, (611, None)),
        (request(case_of_model_4()), Kind.REQUEST, (611, None)),
        (interpreted_genome(), Kind.GENOME, (40101, 1)),
        (genome(case_of_model_3()), Kind.GENOME, (611, None)),
        (genome(case_of_model_4()), Kind.GENOME, (611, 2)),
        (genome(old_cancer_case(4)), Kind.GENOME, (611, None)),
        ({"interpreted_genome_data": interpreted_genome(), "cip_version": 1}, Kind.GENOME, (40101, 1)),
        (clinical_report(), Kind.REPORT, (40101, 1)),
        ({"clinical_report_data": clinical_report()}, Kind.REPORT, (40101, 1)),
        (exit_questionnaire(), Kind.QUESTIONNAIRE, None),
        (cancer_questionnaire(), Kind.QUESTIONNAIRE, None),
        ({"exit_questionnaire_data": exit_questionnaire(), "user": "x"}, Kind.QUESTIONNAIRE, None),
        ({"interpretation_request_id": "1-1", "last_status": "x"}, Kind.OVERVIEW, None),
        ({"referral_id": "r1", "referral_uid": "u", "referral_data": {}}, Kind.REFERRAL, None),
        ({"referral_test_id": "t", "interpretation_request_id": 1}, Kind.REFERRAL_TEST, None),
        ({"participant_id": "p", "referral_id": "r", "primaryGenomicTestingConsent": "yes"}, Kind.CONSENT, None),
        ({"status": "In Review", "created_at": "x", "user": "u"}, Kind.WORKFLOW, None),
    ],
)
def test_document_is_recognized_alone_in_a_list_and_on_a_page(document, kind, case):
    for form in (document, [document, document], {"count": 1, "next": None, "previous": None, "results": [document]}):
        found = recognize(form)
        assert found.kind is kind
        assert all(one is document for one in found.items)
        assert case_named(found.kind, found.items[0]) == case


def test_document_in_its_wrapper_is_found():
    wrapper = {"clinical_report_data": clinical_report(user="somebody")}
    assert document_of(Kind.REPORT, wrapper)["user"] == "somebody"
    assert document_of(Kind.REPORT, wrapper["clinical_report_data"])["user"] == "somebody"


def test_empty_page_holds_nothing():
    assert recognize({"count": 0, "results": []}).kind is Kind.NOTHING


def test_consents_of_a_referral_are_recognized_in_either_list():
    one = {"participant_id": "p", "primaryGenomicTestingConsent": "yes"}
    for form in ({"econsent": [one]}, {"participant_consent": [one], "overall_econsent": "green"}):
        assert recognize(form).kind is Kind.CONSENT
        assert recognize(form).items == (one,)


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (7, "the file: it is no JSON object"),
        ({"b": 1, "a": 2}, "the file: no known document has these keys: [a, b]"),
        ([1], "the file, [0]: it is no object"),
        ({"results": [{"zz": 1}]}, "the file, results[0]: no known document has these keys: [zz]"),
        (
            [clinical_report(), exit_questionnaire()],
            "the file, [1]: a list of both clinical report and exit questionnaire",
        ),
    ],
)
def test_what_is_not_known_is_refused_with_its_keys(document, said):
    with pytest.raises(BadFile) as refused:
        recognize(document)
    assert refused.value.diagnostics.startswith(said)


@pytest.mark.parametrize(
    ("name", "kind", "items"),
    [
        ("rd_trio_40101-1.v6.detail", Kind.CASE, 1),
        ("rd_duo_611-2.grch37.v4.detail", Kind.CASE, 1),
        ("cancer_3106-1.v6.detail", Kind.CASE, 1),
        ("interpretation_request.list.page1", Kind.OVERVIEW, 2),
        ("interpreted_genome.last.genomics_england_tiering.40101-1", Kind.GENOME, 1),
        ("clinical_report.list.page1", Kind.REPORT, 1),
        ("clinical_report.post.40102-1.negneg", Kind.REPORT, 1),
        ("exit_questionnaire.get.40101-1-1", Kind.QUESTIONNAIRE, 1),
        ("exit_questionnaire.list", Kind.QUESTIONNAIRE, 1),
        ("exit_questionnaire.put.3106-1-1.cancer", Kind.QUESTIONNAIRE, 1),
        ("referral.list", Kind.REFERRAL, 2),
        ("referral_test.40101-1", Kind.REFERRAL_TEST, 1),
        ("econsent.r10000000101", Kind.CONSENT, 3),
        ("workflow_status.40101-1", Kind.WORKFLOW, 3),
        ("malformed/m11_ig_unknown_service_missing", Kind.GENOME, 1),
    ],
)
def test_files_of_the_pack_are_recognized(name, kind, items, shared: Path):
    found = recognize(json.loads((shared / "packs" / "cipapi" / f"{name}.json").read_text()))
    assert (found.kind, len(found.items)) == (kind, items)
