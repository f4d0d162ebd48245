"""What a list of cases says of one: identifiers, statuses, versions of its documents, made from its detail.

The names of the fields, ``create_at`` among them, are those of the CIP-API. Addresses are kept without the host and the
root of the interface (``/clinical-report/40101/1/1``); ``with_base`` completes them where a list is served.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from app.errors import InvalidInput
from app.formats.gel_values import case_number, moment, object_of, objects_of

ARRIVED: Final = "sent_to_gmcs"
"""The status by which a case has reached decision support"""

_OWN_ADDRESS = re.compile(r"https?://[^/]+/api/2(?=/file/)")


def number_of(detail: Mapping[str, Any]) -> tuple[int, int]:
    """Return request and version of a case.

    Raises:
        InvalidInput: the detail does not say which case it is of.
    """
    number = case_number(detail.get("interpretation_request_id"))
    version = case_number(detail.get("version") if number is None or number[1] is None else number[1])
    if number is None or version is None:
        raise InvalidInput("the document names no interpretation request and version")
    return number[0], version[0]


def overview_of(detail: Mapping[str, Any], *, workflow_status: str = "") -> dict[str, Any]:
    """Return the entry of a case in the list of cases; ``dss_arrival_date`` is always in it.

    Raises:
        InvalidInput: the detail does not say which case it is of.
    """
    ir_id, version = number_of(detail)
    statuses = objects_of(detail.get("status"))
    sample_type = sample_type_of(detail)
    shown: dict[str, Any] = {
        "interpretation_request_id": f"{ir_id}-{version}",
        "cip": detail.get("cip"),
        "cohort_id": detail.get("cohort_id"),
        "sample_type": sample_type or None,
        "sites": sites_of(detail),
        "last_status": last_status_of(detail) or None,
        "proband": _text(detail.get("proband")) or None,
        "clinical_reports": _clinical_reports(detail, ir_id, version),
        "interpreted_genomes": [
            {"cip_version": one.get("cip_version", at), "create_at": moment(one.get("created_at")) or None}
            for at, one in enumerate(objects_of(detail.get("interpreted_genome")), 1)
        ],
        "number_of_samples": detail.get("number_of_samples"),
        "last_update": _last_update(detail, statuses) or None,
        "files": [_file(one) for one in objects_of(detail.get("files"))],
        "case_priority": detail.get("case_priority"),
        "tags": _texts(detail.get("tags")),
        "assembly": detail.get("assembly"),
        "workflow_status": workflow_status or None,
        "case_id": detail.get("case_id"),
        "last_modified": moment(detail.get("last_modified")) or None,
        "program": "cancer" if sample_type == "cancer" else "rare_disease",
    }
    if sample_type == "cancer":
        shown["cancer_participant"] = detail.get("cancer_participant")
    else:
        shown["family_id"] = detail.get("family_id")
    return shown | {"interpretation_flags": None, "dss_arrival_date": _arrival(statuses)}


def with_base(overview: Mapping[str, Any], base_url: str, *, arrival: bool = False) -> dict[str, Any]:
    """Return an entry as it is served: addresses below ``base_url`` (``https://host/api/2``).

    ``arrival`` tells whether the date of arrival was asked for; it is null otherwise.
    """
    root = base_url.rstrip("/")
    shown = dict(overview)
    for name in ("clinical_reports", "files"):
        shown[name] = [
            {**one, "url": root + one["url"]} if _text(one.get("url")).startswith("/") else one
            for one in objects_of(shown.get(name))
        ]
    if not arrival:
        shown["dss_arrival_date"] = None
    return shown


def without_base(listed: Mapping[str, Any]) -> dict[str, Any]:
    """Return an entry of somebody's list as ``overview_of`` makes it: addresses without host, times in one form."""
    shown = dict(listed)
    shown["clinical_reports"] = [
        {**one, "url": re.sub(r"https?://[^/]+/api/2(?=/)", "", _text(one.get("url")))}
        for one in objects_of(listed.get("clinical_reports"))
    ]
    shown["files"] = [_file(one) for one in objects_of(listed.get("files"))]
    for name in ("last_update", "last_modified"):
        shown[name] = moment(listed.get(name)) or None
    return {**shown, "interpretation_flags": None, "dss_arrival_date": listed.get("dss_arrival_date")}


def facets_of(detail: Mapping[str, Any], overview: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return what a list of cases can be asked for besides what stands in columns, as (name, value)."""
    found: dict[tuple[str, str], None] = {}

    def add(name: str, values: Sequence[object]) -> None:
        found.update(dict.fromkeys((name, text) for value in values if (text := _text(value))))

    referral = object_of(detail.get("referral"))
    tests = objects_of(referral.get("referral_test"))
    add("status", [one.get("status") for one in objects_of(detail.get("status"))])
    add("status", [overview.get("last_status")])
    add("site", [*_texts(detail.get("workspaces")), *_texts(overview.get("sites"))])
    add("tag", _texts(overview.get("tags")))
    add("cohort_id", [overview.get("cohort_id")])
    add("group_id", [detail.get("group_id")])
    add("referral_id", [referral.get("referral_id")])
    case_id = _text(overview.get("case_id"))
    add("case_id", [case_id, re.sub(r"^[A-Za-z]+-(?=\d)", "", case_id)])
    add("update_date", [_text(overview.get("last_update"))[:10]])
    add("category", [category_of(detail)])
    add("long_name", [referral.get("requester_organisation_name")])
    add("long_name", [one.get("interpreter_organisation_name") for one in tests])
    add("organisation", [one.get("interpreter_organisation_national_grouping_id") for one in tests])
    for name in ("interpreted_genome", "clinical_report"):
        add(name, list(range(len(objects_of(detail.get(name))))))
    reports = enumerate(objects_of(detail.get("clinical_report")))
    add("exit_questionnaire", [at for at, one in reports if isinstance(one.get("exit_questionnaire"), Mapping)])
    return list(found)


def search_text_of(overview: Mapping[str, Any], participants: Sequence[str]) -> str:
    """Return what the filter ``search`` looks into: identifiers and sites in small letters."""
    names = ("interpretation_request_id", "case_id", "cohort_id", "proband", "family_id", "cancer_participant")
    words = [_text(overview.get(name)) for name in names]
    return "\n".join(dict.fromkeys([*words, *participants, *_texts(overview.get("sites"))])).lower()


def sample_type_of(detail: Mapping[str, Any]) -> str:
    """Return ``raredisease`` or ``cancer``, or whatever else the case says; empty if nothing tells."""
    stated = _text(detail.get("sample_type")) or _text(detail.get("program"))
    if not stated:
        request = request_of(detail)
        stated = "cancer" if "cancerParticipant" in request else "raredisease" if "pedigree" in request else ""
    return {"rare_disease": "raredisease"}.get(stated, stated)


def category_of(detail: Mapping[str, Any]) -> str:
    """Return gms, 100k or other: what the case says, else what its study and the form of its family's id tell."""
    stated = _text(detail.get("category"))
    if stated:
        return stated
    family = _text(detail.get("family_id")) or _text(detail.get("cancer_participant"))
    study = _text(request_of(detail).get("internalStudyId"))
    if study.endswith("GMS") or detail.get("referral") or re.fullmatch(r"r\d+", family):
        return "gms"
    return "100k" if re.fullmatch(r"\d{9}", family) else "other"


def sites_of(detail: Mapping[str, Any]) -> list[str]:
    """Return the sites of a case: those of its request; of a case without one its workspaces."""
    return _texts(request_of(detail).get("workspace")) or _texts(detail.get("workspaces"))


def last_status_of(detail: Mapping[str, Any]) -> str:
    """Return the status of a case."""
    statuses = objects_of(detail.get("status"))
    return _text(detail.get("last_status")) or (_text(statuses[-1].get("status")) if statuses else "")


def request_of(detail: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the interpretation request itself; empty before it has come."""
    return object_of(object_of(detail.get("interpretation_request_data")).get("json_request"))


def _clinical_reports(detail: Mapping[str, Any], ir_id: int, version: int) -> list[dict[str, Any]]:
    reports = enumerate(objects_of(detail.get("clinical_report")), 1)
    numbers = [one.get("clinical_report_version") or at for at, one in reports]
    return [{"url": f"/clinical-report/{ir_id}/{version}/{number}"} for number in numbers]


def _file(given: Mapping[str, Any]) -> dict[str, Any]:
    return {**given, "url": _OWN_ADDRESS.sub("", _text(given.get("url")))}


def _last_update(detail: Mapping[str, Any], statuses: Sequence[Mapping[str, Any]]) -> str:
    """Return when the case got its status; where no status has a time, when it was changed last."""
    times = [at for one in statuses if (at := moment(one.get("created_at")))]
    return times[-1] if times else moment(detail.get("last_modified"))


def _arrival(statuses: Sequence[Mapping[str, Any]]) -> str | None:
    return min(
        (at for one in statuses if one.get("status") == ARRIVED and (at := moment(one.get("created_at")))), default=None
    )


def _texts(value: object) -> list[str]:
    return [text for one in value if (text := _text(one))] if isinstance(value, list) else []


def _text(value: object) -> str:
    return (
        value
        if isinstance(value, str)
        else str(value)
        if isinstance(value, int) and not isinstance(value, bool)
        else ""
    )
