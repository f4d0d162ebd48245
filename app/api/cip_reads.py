"""What the CIP-API-compatible interface tells: lists of cases, their documents, referrals."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final

from starlette.responses import Response

from app.api.cip_calls import CASE_PATH, Call, Endpoint, json_answer
from app.api.cip_paging import page_answer, slice_answer
from app.api.cip_report_html import report_page
from app.operations import cip_cases
from app.operations import cip_reading_referrals as referrals


def _cases(call: Call) -> Response:
    return page_answer(call, partial(cip_cases.overviews, call.asked))


def _case(call: Call) -> Response:
    return json_answer(cip_cases.detail(call.asked, call.case()))


def _summary(call: Call) -> Response:
    return json_answer(cip_cases.summary(call.asked, call.values["start"], call.values["end"]))


def _workflow(call: Call) -> Response:
    return page_answer(call, partial(cip_cases.notes, call.asked, call.case(), "workflow"))


def _flags(call: Call) -> Response:
    return page_answer(call, partial(cip_cases.notes, call.asked, call.case(), "flag"))


def _documents(kind: str) -> Callable[[Call], Response]:
    return lambda call: page_answer(call, partial(cip_cases.documents, call.asked, kind))


def _last_genome(call: Call) -> Response:
    return json_answer(cip_cases.genome(call.asked, call.case(), call.values["service"], None))


def _genome(call: Call) -> Response:
    return json_answer(cip_cases.genome(call.asked, call.case(), call.values["service"], call.number("cip_version")))


def _report(call: Call) -> Response:
    detail, report = cip_cases.report(call.asked, call.case(), call.number("crv"))
    is_json = call.query.text("as").lower() == "json"
    return json_answer(report) if is_json else report_page(detail, report)


def _questionnaire(call: Call) -> Response:
    return json_answer(cip_cases.questionnaire(call.asked, call.case(), call.number("crv")))


def _referrals(call: Call) -> Response:
    return page_answer(call, partial(referrals.referrals, call.asked))


def _referral(call: Call) -> Response:
    return json_answer(referrals.referral(call.asked, call.values["referral_id"]))


def _econsent(call: Call) -> Response:
    return json_answer(referrals.econsent(call.asked, call.values["referral_id"]))


def _referral_test(call: Call) -> Response:
    return json_answer(referrals.referral_test(call.asked, call.values["referral_test_id"]))


def _workspace_groups(call: Call) -> Response:
    return slice_answer(call, cip_cases.workspaces(call.asked))


ENDPOINTS: Final[tuple[Endpoint, ...]] = (
    Endpoint("cases", "GET", "/interpretation-request", _cases, summary="The list of cases"),
    Endpoint("case", "GET", CASE_PATH, _case, summary="A case with its documents"),
    Endpoint(
        "date-summary",
        "GET",
        "/interpretation-request/date-summary/{start}/{end}",
        _summary,
        summary="Names of cases by provider and status, of the days from the first until before the second",
    ),
    Endpoint("workflow", "GET", f"{CASE_PATH}/workflow_status", _workflow, summary="Statuses in decision support"),
    Endpoint("flags", "GET", f"{CASE_PATH}/interpretation-flags", _flags, summary="Flags of a case"),
    Endpoint(
        "genomes", "GET", "/interpreted-genome", _documents("interpreted_genome"), summary="All interpreted genomes"
    ),
    Endpoint(
        "genome-last",
        "GET",
        "/interpreted-genome/{id}/{version}/{service}/last",
        _last_genome,
        summary="The newest interpreted genome of a service",
    ),
    Endpoint(
        "genome",
        "GET",
        "/interpreted-genome/{id}/{version}/{service}/{cip_version}",
        _genome,
        summary="An interpreted genome of a service",
    ),
    Endpoint("reports", "GET", "/clinical-report", _documents("clinical_report"), summary="All clinical reports"),
    Endpoint(
        "report",
        "GET",
        "/clinical-report/{id}/{version}/{crv}",
        _report,
        summary="A clinical report: a page, or JSON where `as=json`",
    ),
    Endpoint(
        "questionnaires",
        "GET",
        "/exit-questionnaire",
        _documents("exit_questionnaire"),
        summary="All exit questionnaires",
    ),
    Endpoint(
        "questionnaire",
        "GET",
        "/exit-questionnaire/{id}/{version}/{crv}",
        _questionnaire,
        summary="The exit questionnaire of a clinical report",
    ),
    Endpoint("referrals", "GET", "/referral", _referrals, summary="The list of referrals"),
    Endpoint("referral", "GET", "/referral/{referral_id}", _referral, summary="A referral, by either identifier"),
    Endpoint("econsent", "GET", "/referral/{referral_id}/econsent", _econsent, summary="Consent of its participants"),
    Endpoint("referral-test", "GET", "/referral-test/{referral_test_id}", _referral_test, summary="A test ordered"),
    Endpoint("workspace-groups", "GET", "/workspace-groups", _workspace_groups, summary="Sites that have cases"),
)
