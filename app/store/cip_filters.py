"""The parameters of the list of cases as filters: names as they are on the wire, forgiving as the interface is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from app.formats import gel_values
from app.store.cip_pages import CaseFilters

_NAMES: Final = {
    "cip": "cip",
    "group_id": "group_id",
    "version": "version",
    "workspace": "site",
    "last_status": "last_status",
    "cohort_id": "cohort_id",
    "workflow_status": "workflow_status",
    "update_date": "update_date",
    "case_id": "case_id",
    "sample_type": "sample_type",
    "assembly": "assembly",
    "case_priority": "case_priority",
    "family_id": "family_id",
    "proband_id": "proband",
    "long_name": "long_name",
    "tags": "tag",
    "category": "category",
    "interpreter_organisation_national_grouping_id": "organisation",
}
"""Parameter to name of ``CaseFilters.values``"""
_NOBODY: Final = ((-1, None),)
"""No case has this number"""


def read_filters(parameters: Mapping[str, str], *, visible_sites: tuple[str, ...] | None = None) -> CaseFilters:
    """Return the filters that parameters of a list of cases ask for; a comma separates values of which any counts.

    Parameters that nothing is known of, and empty ones, are left out; a value that no case has finds none.
    """
    given = {name: text.strip() for name, text in parameters.items() if text.strip()}
    values = {column: _values(name, given[name]) for name, column in _NAMES.items() if name in given}
    ids = _ids(given["interpretation_request_id"]) if "interpretation_request_id" in given else ()
    after, before = (given.get(name, "") for name in ("last_modified_after", "last_modified_before"))
    if (after and not _moment(after)) or (before and not _moment(before)):
        ids = _NOBODY
    return CaseFilters(
        ids=ids,
        values=values,
        ever_status=_split(given.get("status", "")),
        members=_split(given.get("members", "")),
        search=given.get("search", ""),
        modified_after=_moment(after),
        modified_before=_moment(before),
        visible_sites=visible_sites,
    )


def _split(text: str) -> tuple[str, ...]:
    return tuple(value for one in text.split(",") if (value := one.strip()))


def _values(name: str, text: str) -> tuple[str, ...]:
    values = _split(text)
    if name == "sample_type":
        return tuple(value.replace("rare_disease", "raredisease") for value in values)
    if name == "long_name":  # names of organisations have commas
        return tuple(dict.fromkeys((text, *values)))
    if name == "update_date":
        return tuple(gel_values.moment(value)[:10] or value for value in values)
    return values


def _moment(text: str) -> str:
    """Return a time as the store keeps it; a plus sign that was not escaped comes as a space."""
    return gel_values.moment(text) or gel_values.moment(text.replace(" ", "+"))


def _ids(text: str) -> tuple[tuple[int, int | None], ...]:
    numbers = (gel_values.case_number(value) for value in _split(text))
    return tuple(number for number in numbers if number is not None) or _NOBODY
