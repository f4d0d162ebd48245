"""What the CIP-API-compatible interface takes: reports, questionnaires, statuses, flags, logs of interpretation."""

from __future__ import annotations

from typing import Any, Final

from starlette.responses import Response

from app.api.cip_calls import CASE, CASE_PATH, Call, Endpoint, json_answer
from app.api.cip_upload import file_answer, sent_file
from app.api.scope import header
from app.errors import InvalidFields
from app.operations import cip_filing, cip_referring, cip_writing
from app.operations.cip_access import Role
from app.operations.cip_filing import SentFile
from app.operations.cip_writing import Writer

_CREATED: Final = 201
_LONGEST_KEY: Final = 255
_NO_NUL: Final = "Null characters are not allowed."


def _writer(call: Call) -> Writer:
    return Writer(call.context, call.caller)


def _body(call: Call) -> Any:
    """Return the value of the body. Raises InvalidFields for the one character that no database keeps."""
    if b"\\u0000" in call.raw:
        raise InvalidFields({"non_field_errors": [_NO_NUL]})
    return call.json()


def _register(call: Call) -> Response:
    return json_answer(cip_writing.register(_writer(call), _body(call)), _CREATED)


def _patch(call: Call) -> Response:
    return json_answer(cip_writing.patch(_writer(call), call.case(), _body(call)))


def _priority(call: Call) -> Response:
    return json_answer(cip_writing.set_priority(_writer(call), call.case(), _body(call)))


def _dispatch(call: Call) -> Response:
    return json_answer(cip_writing.dispatch(_writer(call), call.case()))


def _workflow_status(call: Call) -> Response:
    return json_answer(cip_writing.add_workflow_status(_writer(call), call.case(), _body(call)), _CREATED)


def _flags(call: Call) -> Response:
    return json_answer(cip_writing.add_flags(_writer(call), call.case(), _body(call)), _CREATED)


def _variant_log(call: Call) -> Response:
    return json_answer(cip_writing.add_variant_logs(_writer(call), call.case(), _body(call)), _CREATED)


def _clinical_report(call: Call) -> Response:
    number, key = call.case(), header(call.scope, b"idempotency-key").strip()
    if len(key) > _LONGEST_KEY:
        raise InvalidFields({"non_field_errors": [f"The Idempotency-Key has more than {_LONGEST_KEY} characters."]})
    kind = call.values["type"]
    return json_answer(cip_writing.add_clinical_report(_writer(call), number, kind, _body(call), key=key), _CREATED)


def _exit_questionnaire(call: Call) -> Response:
    report_version = call.number("crv")
    return json_answer(cip_writing.put_exit_questionnaire(_writer(call), call.case(), report_version, _body(call)))


def _interpreted_genome(call: Call) -> Response:
    number, kind = call.case(), call.values["type"]
    return json_answer(cip_writing.add_interpreted_genome(_writer(call), number, kind, _body(call)), _CREATED)


def _referral(call: Call) -> Response:
    return json_answer(cip_referring.put_referral(_writer(call), _body(call)), _CREATED)


def _add_file(call: Call) -> Response:
    number, (file_name, content) = call.case(), sent_file(call)
    sent = SentFile(file_name, call.values["file_type"], content)
    entry = cip_filing.add_file(_writer(call), number, sent, lambda name: call.url(f"/file/{name}/download-file/"))
    return json_answer(entry, _CREATED)


def _file(call: Call) -> Response:
    found, number = cip_filing.find_file(_writer(call), call.values["file_name"])
    call.scope[CASE] = number
    return file_answer(found.file_name, found.content)


ENDPOINTS: Final[tuple[Endpoint, ...]] = (
    Endpoint("case-register", "POST", "/interpretation-request", _register, Role.ADMIN, "Register a case"),
    Endpoint("case-patch", "PATCH", CASE_PATH, _patch, Role.WRITER, "Change fields of a case"),
    Endpoint(
        "case-priority",
        "PATCH",
        "/interpretation-request/case-priority/{id}/{version}",
        _priority,
        Role.WRITER,
        "Change the priority of a case",
    ),
    Endpoint(
        "case-dispatch",
        "PUT",
        "/interpretation-request/dispatch/{id}/{version}",
        _dispatch,
        Role.WRITER,
        "Say that a case is dispatched",
    ),
    Endpoint(
        "workflow-status-add",
        "POST",
        f"{CASE_PATH}/workflow_status",
        _workflow_status,
        Role.WRITER,
        "Say how far a case is in decision support",
    ),
    Endpoint("flags-add", "POST", f"{CASE_PATH}/interpretation-flags", _flags, Role.WRITER, "Raise flags of a case"),
    Endpoint(
        "variant-log",
        "POST",
        "/interpretation-request/{case}/variant-interpretation-log",
        _variant_log,
        Role.WRITER,
        "Keep what users said of variants",
    ),
    Endpoint(
        "interpreted-genome-add",
        "POST",
        "/interpreted-genome/{partner}/{type}/{case}",
        _interpreted_genome,
        Role.WRITER,
        "Add an interpreted genome to a case",
    ),
    Endpoint(
        "clinical-report-add",
        "POST",
        "/clinical-report/{partner}/{type}/{case}",
        _clinical_report,
        Role.WRITER,
        "Add a clinical report to a case",
    ),
    Endpoint(
        "exit-questionnaire-put",
        "PUT",
        "/exit-questionnaire/{id}/{version}/{crv}",
        _exit_questionnaire,
        Role.WRITER,
        "Put the exit questionnaire of a report in place of the one before",
    ),
    Endpoint("referral-put", "POST", "/referral", _referral, Role.WRITER, "Store a referral with its consents"),
    Endpoint("file-add", "POST", "/file/{partner}/{case}/{file_type}", _add_file, Role.WRITER, "Add a file to a case"),
    Endpoint("file", "GET", "/file/{file_name}/download-file", _file, summary="A file of a case"),
)
