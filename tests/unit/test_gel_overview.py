"""The entry of a case in the list of cases, and who is in it, read from its detail."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from app.errors import InvalidInput
from app.formats import gel_overview, gel_people, gel_values
from tests.cip_details import consent, detail, member, with_members

BASE = "https://cipapi.example.org/api/2"


@pytest.fixture(scope="module")
def pack(shared: Path) -> Path:
    """Return the folder of cases of every kind."""
    return shared / "packs" / "cipapi"


def listed(pack: Path) -> dict[str, dict[str, Any]]:
    pages = [json.loads((pack / f"interpretation_request.list.page{at}.json").read_text()) for at in (1, 2)]
    return {entry["interpretation_request_id"]: entry for page in pages for entry in page["results"]}


def details(pack: Path) -> list[dict[str, Any]]:
    return [json.loads(path.read_text()) for path in sorted(pack.glob("*.detail.json"))]


def test_entries_are_those_of_the_published_lists_but_for_two_fields(pack: Path) -> None:
    wanted = listed(pack)
    for one in details(pack):
        number = "-".join(map(str, gel_overview.number_of(one)))
        found = gel_overview.overview_of(one, workflow_status=wanted[number]["workflow_status"])
        served = gel_overview.with_base(found, BASE, arrival=True)
        # The lists have no microseconds in last_update, against the documentation; we write every time the same way.
        assert served.pop("last_update") == gel_values.moment(wanted[number].pop("last_update"))
        # Fields that were not asked for are null here and left out in most of the lists.
        for name in ("interpretation_flags", "dss_arrival_date"):
            if name not in wanted[number]:
                served.pop(name)
        assert served == wanted[number]
        assert list(served)[:5] == ["interpretation_request_id", "cip", "cohort_id", "sample_type", "sites"]


def test_every_time_has_six_digits_of_a_second(pack: Path) -> None:
    for one in details(pack):
        text = json.dumps(gel_overview.overview_of(one))
        times = re.findall(r"\d{4}-\d\d-\d\dT[^\"]*", text)
        assert times
        assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", time) for time in times)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("2019-04-26 16:13:31", "2019-04-26T16:13:31.000000Z"),
        ("2022-01-10T15:18:58.915454Z", "2022-01-10T15:18:58.915454Z"),
        ("2022-01-10T15:18:58+01:00", "2022-01-10T14:18:58.000000Z"),
        ("2022-01-10", "2022-01-10T00:00:00.000000Z"),
        ("yesterday", ""),
        ("0001-01-01T00:00:00+05:00", ""),
        (None, ""),
    ],
)
def test_times_of_any_form_become_one(given: str | None, expected: str) -> None:
    assert gel_values.moment(given) == expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("40101", (40101, None)), (40101, (40101, None)), ("40101-2", (40101, 2)), ("GEL-40101-2", (40101, 2)),
        ("x", None), (None, None), ("1-2-3", None),
    ],
)  # fmt: skip
def test_numbers_of_cases_are_read_with_and_without_prefix(given: object, expected: object) -> None:
    assert gel_values.case_number(given) == expected


def test_a_case_without_its_number_is_refused() -> None:
    with pytest.raises(InvalidInput):
        gel_overview.overview_of(detail(interpretation_request_id=None))


def test_addresses_end_without_a_slash_below_the_given_host() -> None:
    made = detail(
        clinical_report=[{"clinical_report_version": 3}],
        files=[
            {"url": "https://elsewhere.example/api/2/file/a.html/download-file/", "file_name": "a", "file_type": "html"}
        ],
    )
    served = gel_overview.with_base(gel_overview.overview_of(made), "https://here.example/api/2/")

    assert served["clinical_reports"] == [{"url": "https://here.example/api/2/clinical-report/7/1/3"}]
    assert served["files"][0]["url"] == "https://here.example/api/2/file/a.html/download-file/"
    assert served["dss_arrival_date"] is None


def test_somebody_elses_entry_becomes_one_of_ours(pack: Path) -> None:
    for entry in listed(pack).values():
        ours = gel_overview.with_base(gel_overview.without_base(entry), BASE, arrival=True)
        assert ours["clinical_reports"] == entry["clinical_reports"]
        assert ours["files"] == entry["files"]


def test_everybody_who_is_named_is_in_a_case_also_if_only_a_call_names_them() -> None:
    made = with_members(detail(), member("child", is_proband=True), {"participantId": None}, {"gelId": "aunt"})
    call = b'{"participantId": "uncle \\"Bob\\"", "sampleId": "x"}'

    people = gel_people.people_of(made, call)

    assert [(one.participant, one.is_proband) for one in people] == [
        ("child", True), ("aunt", False), ('uncle "Bob"', False),
    ]  # fmt: skip


def test_names_that_are_no_ids_become_different_ids() -> None:
    safe = [gel_people.subject_id_of(name) for name in ("p1_a", "p1 a", "p" * 80, "p" * 81, "p10000000101")]

    assert len(set(safe)) == 5
    assert all(re.fullmatch(r"[A-Za-z0-9.-]{1,64}", name) for name in safe)
    assert safe[-1] == "p10000000101"


def test_of_two_spellings_of_pharmacogenomics_the_one_that_forbids_counts() -> None:
    both = consent("p1", pharmocogenomicsFindingConsent="yes", pharmacogenomicsFindingConsent="no")
    other = {**consent("p1"), "pharmacogenomicsFindingConsent": "Yes"}
    del other["pharmocogenomicsFindingConsent"]

    assert [one.answers["pharmacogenomics"] for one in gel_people.consents_of({"econsent": [both, other]})] == [
        "no",
        "yes",
    ]
