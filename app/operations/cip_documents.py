"""Changes of a case's document: what is said of a case through the interface, or comes as a file of its own.

Pure functions, document → document: what is given is never changed, the order of its keys is kept, and nothing that
the document says already is lost. The document is that of ``GET interpretation-request/{id}/{version}/``.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, Final

from app.errors import InvalidInput, NotFound
from app.formats.gel_parts import as_whole
from app.formats.gel_values import timestamp

Document = dict[str, Any]

REPORT_GENERATED: Final = "report_generated"
REPORT_SENT: Final = "report_sent"
INTERPRETATION_GENERATED: Final = "interpretation_generated"
DISPATCHED: Final = "dispatched"
CLOSED: Final = frozenset({"blocked", "archived"})
"""Statuses that a document which is added leaves alone: only somebody who says so takes a case out of them"""

_AFTER_INTERPRETATION: Final = frozenset(
    {INTERPRETATION_GENERATED, "gel_qc_passed", "gel_qc_failed", "sent_to_gmcs", REPORT_GENERATED, REPORT_SENT}
)
_NOT_SENT: Final = {"cva_variants_status": "not_sent", "cva_variants_transaction_id": 0}
_SAMPLE_TYPE_PROGRAMS: Final = {"raredisease": "rare_disease", "cancer": "cancer"}


def report_of(detail: Mapping[str, Any], report_version: int) -> Mapping[str, Any] | None:
    """Return the wrapper of a clinical report; None if the case has no such version."""
    for version, wrapper in _numbered(detail, "clinical_report", "clinical_report_version"):
        if version == report_version:
            return wrapper
    return None


def latest_report_version(detail: Mapping[str, Any]) -> int:
    """Return the version of the newest clinical report; zero if there is none."""
    return max((version for version, _ in _numbered(detail, "clinical_report", "clinical_report_version")), default=0)


def service_of(genome: Mapping[str, Any]) -> str:
    """Return who made an interpreted genome, in small letters, under the name of any model version."""
    return str(genome.get("interpretationService") or genome.get("companyName") or "").lower()


def add_status(detail: Mapping[str, Any], status: str, *, user: str, at: datetime) -> Document:
    """Return the case with one more status, which is its last one."""
    said = {"status": status, "created_at": timestamp(at), "user": user}
    return _modified({**detail, "status": [*_list(detail, "status"), said], "last_status": status}, at)


def set_priority(detail: Mapping[str, Any], priority: str, *, at: datetime) -> Document:
    """Return the case with another priority."""
    return _modified({**detail, "case_priority": priority}, at)


def add_file(detail: Mapping[str, Any], entry: Mapping[str, Any], *, at: datetime) -> Document:
    """Return the case with one more file in its list."""
    return _modified({**detail, "files": [*_list(detail, "files"), entry]}, at)


def add_clinical_report(
    detail: Mapping[str, Any], report: Mapping[str, Any], *, user: str, at: datetime
) -> tuple[Document, Document]:
    """Return the case with one more clinical report, and the report as it is served."""
    wrapper = _report_wrapper(report, latest_report_version(detail) + 1, at)
    changed: Document = {**detail, "clinical_report": [*_list(detail, "clinical_report"), wrapper]}
    return _followed(changed, REPORT_GENERATED, user=user, at=at), wrapper


def put_exit_questionnaire(
    detail: Mapping[str, Any], report_version: int, questionnaire: Mapping[str, Any], *, user: str, at: datetime
) -> tuple[Document, Document]:
    """Return the case with the questionnaire of a report, in place of the one before, and it as it is served.

    Raises:
        NotFound: the case has no such clinical report.
    """
    wrapper = _questionnaire_wrapper(questionnaire, user, at)
    changed = _with_questionnaire(detail, report_version, wrapper)
    return _followed(changed, REPORT_SENT, user=user, at=at), wrapper


def add_interpreted_genome(
    detail: Mapping[str, Any], genome: Mapping[str, Any], *, user: str, at: datetime
) -> tuple[Document, Document]:
    """Return the case with one more interpreted genome, and the genome as it is served.

    Versions count over all services of a case. The status follows only where the case has not come further yet.
    """
    wrapper = _genome_wrapper(genome, _latest_genome_version(detail) + 1, at)
    changed: Document = {**detail, "interpreted_genome": [*_list(detail, "interpreted_genome"), wrapper]}
    had = {one.get("status") for one in _list(detail, "status") if isinstance(one, Mapping)}
    if had & _AFTER_INTERPRETATION:
        return _modified(changed, at), wrapper
    return _followed(changed, INTERPRETATION_GENERATED, user=user, at=at), wrapper


def attach_clinical_report(detail: Mapping[str, Any], document: Mapping[str, Any], *, at: datetime) -> Document:
    """Return the case with a clinical report of a file, bare or in its wrapper, whose version is kept.

    A report that the case has already changes nothing, except that a questionnaire in its wrapper is taken. No status
    is made up.

    Raises:
        InvalidInput: the case has another report of that version.
    """
    data = document.get("clinical_report_data", document)
    named = document.get("clinical_report_version") if data is not document else None
    for version, wrapper in _numbered(detail, "clinical_report", "clinical_report_version"):
        if wrapper.get("clinical_report_data") == data and named in (None, version):
            given = document.get("exit_questionnaire") if data is not document else None
            return attach_exit_questionnaire(detail, given, version, at=at) if given else dict(detail)
        if version == named:
            raise InvalidInput(f"The case has another clinical report {version}")
    if data is document:
        added: Mapping[str, Any] = _report_wrapper(data, latest_report_version(detail) + 1, at)
    elif named is None:
        added = {**document, "clinical_report_version": latest_report_version(detail) + 1}
    else:
        added = document
    changed = {**detail, "clinical_report": [*_list(detail, "clinical_report"), added]}
    reports = sorted(_numbered(changed, "clinical_report", "clinical_report_version"), key=lambda one: one[0])
    return _modified({**detail, "clinical_report": [one for _, one in reports]}, at)


def attach_exit_questionnaire(
    detail: Mapping[str, Any], document: Mapping[str, Any], report_version: int | None = None, *, at: datetime
) -> Document:
    """Return the case with a questionnaire of a file, bare or in its wrapper; of the newest report if none is named.

    The questionnaire that the report has already changes nothing, and neither does an older one.

    Raises:
        NotFound: the case has no such clinical report.
    """
    version = latest_report_version(detail) if report_version is None else report_version
    is_wrapper = "exit_questionnaire_data" in document
    data = document["exit_questionnaire_data"] if is_wrapper else document
    wrapper = document if is_wrapper else _questionnaire_wrapper(data, str(data.get("reporter") or ""), at)
    before = (report_of(detail, version) or {}).get("exit_questionnaire")
    if isinstance(before, Mapping):
        is_older = is_wrapper and str(wrapper.get("created_at") or "") < str(before.get("created_at") or "")
        if before.get("exit_questionnaire_data") == data or is_older:
            return dict(detail)
    return _modified(_with_questionnaire(detail, version, wrapper), at)


def attach_interpreted_genome(detail: Mapping[str, Any], document: Mapping[str, Any], *, at: datetime) -> Document:
    """Return the case with an interpreted genome of a file, bare or in its wrapper, whose version is kept.

    A genome that the case has already changes nothing. No status is made up.

    Raises:
        InvalidInput: the case has another genome of that service and version.
    """
    data = document.get("interpreted_genome_data", document)
    named = document.get("cip_version") if data is not document else None
    for version, wrapper in _numbered(detail, "interpreted_genome", "cip_version"):
        known = wrapper.get("interpreted_genome_data")
        if known == data and named in (None, version):
            return dict(detail)
        if version == named and isinstance(known, Mapping) and service_of(known) == service_of(data):
            raise InvalidInput(f"The case has another interpreted genome {version} of this service")
    if data is document:
        added: Mapping[str, Any] = _genome_wrapper(data, _latest_genome_version(detail) + 1, at)
    elif named is None:
        added = {**document, "cip_version": _latest_genome_version(detail) + 1}
    else:
        added = document
    return _modified({**detail, "interpreted_genome": [*_list(detail, "interpreted_genome"), added]}, at)


def merge_patch(detail: Mapping[str, Any], patch: Mapping[str, Any], *, user: str, at: datetime) -> Document:
    """Return the case with the fields of a patch in place of its own.

    A document within is replaced as a whole: one that is half of the one and half of the other says what nobody said.
    The first interpretation request that arrives is said in the status as well.
    """
    changed: Document = {**detail, **patch}
    if detail.get("interpretation_request_data") is None and changed.get("interpretation_request_data") is not None:
        changed = {**changed, **_derived(changed)}
        if detail.get("last_status") in (None, "", "waiting_payload"):
            return add_status(changed, "interpretation_request_generated", user=user, at=at)
    return _modified(changed, at)


def register(ir_id: int, version: int, body: Mapping[str, Any], *, user: str, at: datetime) -> Document:
    """Return the document of a new case, with what its registration says of it."""
    now = timestamp(at)
    empty: Document = {
        "status": [],
        "interpretation_request_id": ir_id,
        "version": str(version),
        "created_at": now,
        "last_modified": now,
        "cip": "",
        "sample_type": "",
        "interpretation_request_data": None,
        "gel_tiering_qc_outcome": [],
        "cohort_id": None,
        "interpreted_genome": [],
        "clinical_report": [],
        "proband": None,
        "number_of_samples": 0,
        "files": [],
        "last_status": "",
        "labkey_links": [],
        "case_priority": "medium",
        "tags": [],
        "family_id": None,
        "assembly": None,
        "case_id": f"{ir_id}-{version}",
        "program": None,
        **_NOT_SENT,
        "group_id": None,
        "workspaces": [],
    }
    said = {key: value for key, value in body.items() if key not in ("interpretation_request_id", "version")}
    document = {**empty, **said}
    document |= _derived(document)
    first = "waiting_payload" if document["interpretation_request_data"] is None else "interpretation_request_generated"
    return add_status(document, first, user=user, at=at)


def _derived(document: Mapping[str, Any]) -> Document:
    """Return what an interpretation request says of its case, where the case does not say it itself."""
    found: Document = {}
    data = document.get("interpretation_request_data")
    request = data.get("json_request") if isinstance(data, Mapping) else None
    if not isinstance(request, Mapping):
        request = {}
    pedigree, participant = request.get("pedigree"), request.get("cancerParticipant")
    if isinstance(pedigree, Mapping):
        members = [one for one in _list(pedigree, "members") if isinstance(one, Mapping)]
        found["sample_type"] = "raredisease"
        found["family_id"] = pedigree.get("familyId")
        found["proband"] = next((one.get("participantId") for one in members if one.get("isProband")), None)
        found["number_of_samples"] = sum(len(_list(one, "samples")) for one in members)
    elif isinstance(participant, Mapping):
        samples = [len(_list(participant, name)) for name in ("tumourSamples", "germlineSamples")]
        found["sample_type"] = "cancer"
        found["proband"] = participant.get("participantId")
        found["number_of_samples"] = sum(samples)
    build = str(request.get("genomeAssembly") or request.get("genomeAssemblyVersion") or "")
    found["assembly"] = next((one for one in ("GRCh38", "GRCh37") if build.startswith(one)), None)
    kind = str(document.get("sample_type") or found.get("sample_type") or "")
    found["program"] = _SAMPLE_TYPE_PROGRAMS.get(kind)
    return {key: value for key, value in found.items() if value is not None and not document.get(key)}


def _followed(document: Mapping[str, Any], status: str, *, user: str, at: datetime) -> Document:
    """Return a case to which a document was added, with the status that follows from it."""
    if document.get("last_status") in CLOSED:
        return _modified(document, at)
    return add_status(document, status, user=user, at=at)


def _modified(document: Mapping[str, Any], at: datetime) -> Document:
    """Return a case that was changed: its time is later than before, even if the clock was set back."""
    now = timestamp(at)
    before = str(document.get("last_modified") or "")
    if before >= now:
        with suppress(ValueError, OverflowError):  # what is not a time is replaced by one
            now = timestamp(datetime.fromisoformat(before) + timedelta(microseconds=1))
    changed = {**document, "last_modified": now}
    return changed | {"last_update": now} if "last_update" in document else changed


def _with_questionnaire(detail: Mapping[str, Any], report_version: int, wrapper: Mapping[str, Any]) -> Document:
    if report_of(detail, report_version) is None:
        raise NotFound(f"The case has no clinical report {report_version}")
    reports = [
        {**one, "exit_questionnaire": wrapper} if version == report_version else one
        for version, one in _numbered(detail, "clinical_report", "clinical_report_version")
    ]
    return {**detail, "clinical_report": reports}


def _report_wrapper(report: Mapping[str, Any], version: int, at: datetime) -> Document:
    return {
        "clinical_report_data": report,
        "created_at": timestamp(at),
        "exit_questionnaire": None,
        "clinical_report_version": version,
        "valid": True,
        "timestamp": at.timestamp(),
        **_NOT_SENT,
    }


def _questionnaire_wrapper(questionnaire: Mapping[str, Any], user: str, at: datetime) -> Document:
    return {
        "exit_questionnaire_data": questionnaire,
        "user": user,
        "created_at": timestamp(at),
        "cva_status": "not_sent",
        "cva_transaction_id": 0,
    }


def _genome_wrapper(genome: Mapping[str, Any], version: int, at: datetime) -> Document:
    return {
        "status": [],
        "gel_qc_outcome": [],
        "created_at": timestamp(at),
        "cip_version": version,
        "interpreted_genome_data": genome,
        **_NOT_SENT,
    }


def _latest_genome_version(detail: Mapping[str, Any]) -> int:
    return max((version for version, _ in _numbered(detail, "interpreted_genome", "cip_version")), default=0)


def _numbered(detail: Mapping[str, Any], name: str, version: str) -> list[tuple[int, Mapping[str, Any]]]:
    """Return the wrappers of a list with their versions; one without a version has that of its place."""
    wrappers = [one for one in _list(detail, name) if isinstance(one, Mapping)]
    return [(_number(one.get(version), at), one) for at, one in enumerate(wrappers, 1)]


def _number(value: object, otherwise: int) -> int:
    number = as_whole(value)
    return otherwise if number is None else number


def _list(detail: Mapping[str, Any], name: str) -> list[Any]:
    value = detail.get(name)
    return value if isinstance(value, list) else []
