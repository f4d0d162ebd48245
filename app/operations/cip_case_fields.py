"""Checks of what a registration or a patch says of a case, in the words of the interface."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from app.formats.gel_parts import NO_STRING, NO_WHOLE, REQUIRED
from app.formats.gel_values import case_number

READ_ONLY: Final = "This field is read-only."
NOT_OBJECT: Final = "Invalid data. Expected a dictionary."
TAKEN: Final = "The fields interpretation_request_id, version must make a unique set."

PRIORITIES: Final = ("low", "medium", "high", "urgent")
_LARGEST_VERSION: Final = 10**9 - 1

Check = Callable[[object], str | None]


def _text(value: object) -> str | None:
    return None if value is None or isinstance(value, str) else NO_STRING


def _texts(value: object) -> str | None:
    is_list = isinstance(value, list) and all(isinstance(one, str) for one in value)
    return None if value is None or is_list else "Expected a list of strings."


def _objects(value: object) -> str | None:
    is_list = isinstance(value, list) and all(isinstance(one, dict) for one in value)
    return None if value is None or is_list else "Expected a list of objects."


def _object(value: object) -> str | None:
    return None if value is None or isinstance(value, dict) else NOT_OBJECT


def _anything(_value: object) -> str | None:
    return None


def _count(value: object) -> str | None:
    is_count = isinstance(value, int) and not isinstance(value, bool) and value >= 0
    return None if value is None or is_count else NO_WHOLE


def _one_of(*words: str, required: bool = True) -> Check:
    def check(value: object) -> str | None:
        if value in words or (value is None and not required):
            return None
        return f'"{value}" is not a valid choice.'

    return check


_CHECKS: Final[Mapping[str, Check]] = {
    "cip": _text,
    "sample_type": _one_of("raredisease", "cancer"),
    "interpretation_request_data": _object,
    "gel_tiering_qc_outcome": _anything,
    "cohort_id": _text,
    "proband": _text,
    "number_of_samples": _count,
    "files": _objects,
    "labkey_links": _anything,
    "case_priority": _one_of(*PRIORITIES),
    "tags": _texts,
    "family_id": _text,
    "assembly": _one_of("GRCh38", "GRCh37", required=False),
    "case_id": _text,
    "program": _one_of("rare_disease", "raredisease", "cancer"),
    "group_id": _text,
    "workspaces": _texts,
    "cancer_participant": _text,
    "referral": _object,
    "paid": _anything,
}
"""What a client may say of a case; other names are ignored, as the original does"""

_READ_ONLY: Final = (
    *("status", "last_status", "created_at", "last_modified", "last_update"),
    *("interpreted_genome", "clinical_report", "cva_variants_status", "cva_variants_transaction_id"),
)
"""What only the interface says; a document that is sent here would be lost without a word"""


def number_of(body: object, version: object = None) -> tuple[int, int | None] | None:
    """Return (request, version) of ``2535``, ``"2535"``, ``"2535-1"`` or ``"GEL-2535-1"``; None for anything else."""
    found = _number(body)
    if found is None or version is None:
        return found
    given = _number(version)
    if given is None or given[1] is not None or given[0] > _LARGEST_VERSION or found[1] not in (None, given[0]):
        return None
    return found[0], given[0]


def _number(value: object) -> tuple[int, int | None] | None:
    return case_number(value) if isinstance(value, str | int) and not isinstance(value, bool) else None


def priority_problems(body: object) -> dict[str, list[str]]:
    """Return what is wrong in ``{"case_priority": …}``."""
    if not isinstance(body, Mapping):
        return {"non_field_errors": [NOT_OBJECT]}
    if "case_priority" not in body:
        return {"case_priority": [REQUIRED]}
    return _problems({"case_priority": body["case_priority"]})


def registration_problems(body: object) -> dict[str, list[str]]:
    """Return what is wrong in the registration of a case."""
    if not isinstance(body, Mapping):
        return {"non_field_errors": [NOT_OBJECT]}
    found = _problems(body)
    if body.get("interpretation_request_id") is not None:
        if number_of(body["interpretation_request_id"], body.get("version")) is None:
            found["interpretation_request_id"] = ["A case number is required: 2535, or 2535-1."]
    elif body.get("version") is not None:
        found["interpretation_request_id"] = [REQUIRED]
    found |= {name: [READ_ONLY] for name in _READ_ONLY if body.get(name)}
    if not body.get("sample_type") and not _tells_sample_type(body):
        found["sample_type"] = [REQUIRED]
    return found


def patch_problems(body: object, detail: Mapping[str, Any], number: tuple[int, int]) -> dict[str, list[str]]:
    """Return what is wrong in a patch of a case; what only the interface says may be sent back as it is."""
    if not isinstance(body, Mapping):
        return {"non_field_errors": [NOT_OBJECT]}
    found = _problems(body) | request_problems(body, number)
    for name, wanted in zip(("interpretation_request_id", "version"), number, strict=True):
        given = number_of(body[name]) if body.get(name) is not None else (wanted, None)
        if given is None or given[0] != wanted:
            found[name] = [f"Does not match the URL ({wanted})."]
    return found | {name: [READ_ONLY] for name in _READ_ONLY if body.get(name) and body[name] != detail.get(name)}


def request_problems(body: Mapping[str, Any], number: tuple[int, int]) -> dict[str, list[str]]:
    """Return whether the interpretation request of a body is of another case."""
    data = body.get("interpretation_request_data")
    if not isinstance(data, Mapping):
        return {}
    at = "interpretation_request_data.json_request"
    request = data.get("json_request")
    if not isinstance(request, Mapping):
        return {at: [REQUIRED if request is None else NOT_OBJECT]}
    found: dict[str, list[str]] = {}
    names = ("interpretationRequestId", "interpretationRequestVersion")
    for name, wanted in zip(names, number, strict=True):
        given = number_of(request[name]) if request.get(name) is not None else (wanted, None)
        if given is None or given[0] != wanted:
            found[f"{at}.{name}"] = [f"Does not match the URL ({wanted})."]
    return found


def settable(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return what of a body a client may say of a case."""
    return {name: value for name, value in body.items() if name in _CHECKS}


def _problems(body: Mapping[str, Any]) -> dict[str, list[str]]:
    checked = {name: check(body[name]) for name, check in _CHECKS.items() if name in body}
    return {name: [message] for name, message in checked.items() if message is not None}


def _tells_sample_type(body: Mapping[str, Any]) -> bool:
    data = body.get("interpretation_request_data")
    request = data.get("json_request") if isinstance(data, Mapping) else None
    return isinstance(request, Mapping) and any(
        isinstance(request.get(name), Mapping) for name in ("pedigree", "cancerParticipant")
    )
