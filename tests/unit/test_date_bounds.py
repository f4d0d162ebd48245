"""Prefixed dates against the dates of tests."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import InvalidValue
from app.fhir.dates import DatePrefix, implicit_interval, parse_bound


@pytest.mark.parametrize(
    ("bound", "test_date", "expected"),
    [
        ("2020-07-13", "2020-07-13", True),
        ("eq2020-07-13", "2020-07-13", True),
        ("eq2020-07-13", "2020-07-13T10:00:00Z", True),
        ("eq2020-07-13T10:00:00Z", "2020-07-13", False),
        ("eq2020-07", "2020-07-31", True),
        ("eq2020-07", "2020-08-01", False),
        ("eq2020-07-13", "2020-07", False),
        ("ne2020-07-13", "2020-07-13", False),
        ("ne2020-07-13", "2020-07-14", True),
        ("ge2020-07-13", "2020-07-13", True),
        ("ge2020-07-13", "2020-07-12", False),
        ("ge2020-07-13", "2020-07", True),
        ("gt2020-07-13", "2020-07-13", False),
        ("gt2020-07-13", "2020-07-14", True),
        ("gt2020", "2020-12-31", False),
        ("le2020-07-13", "2020-07-13", True),
        ("le2020-07-13", "2020-07-13T23:59:59Z", True),
        ("le2020-07-13", "2020-07-14", False),
        ("lt2020-07-13", "2020-07-13", False),
        ("lt2020-07-13", "2020-07-12", True),
        ("sa2020-07-13", "2020-07-13", False),
        ("sa2020-07-13", "2020-07-14", True),
        ("sa2020", "2020-12-31", False),
        ("eb2020-07-13", "2020-07-13", False),
        ("eb2020-07-13", "2020-07-12", True),
        ("eb2020-07", "2020-06", True),
    ],
)
def test_prefix_compares_intervals(bound: str, test_date: str, expected: bool):
    assert parse_bound(bound).matches(*implicit_interval(test_date)) is expected


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("2020", datetime(2020, 1, 1, tzinfo=UTC), datetime(2021, 1, 1, tzinfo=UTC)),
        ("2020-12", datetime(2020, 12, 1, tzinfo=UTC), datetime(2021, 1, 1, tzinfo=UTC)),
        ("2020-2-29", datetime(2020, 2, 29, tzinfo=UTC), datetime(2020, 3, 1, tzinfo=UTC)),
        ("2020-07-13T10:30", datetime(2020, 7, 13, 10, 30, tzinfo=UTC), datetime(2020, 7, 13, 10, 31, tzinfo=UTC)),
        ("2020-07-13T10:30:00.5Z", datetime(2020, 7, 13, 10, 30, 0, 500000, UTC), None),
        ("2020-07-13T00:30:00+02:00", datetime(2020, 7, 12, 22, 30, tzinfo=UTC), None),
        ("2020-07-13T00:30:00 02:00", datetime(2020, 7, 12, 22, 30, tzinfo=UTC), None),
        ("2020-07-13T00:30:00-02:00", datetime(2020, 7, 13, 2, 30, tzinfo=UTC), None),
        ("9999", datetime(9999, 1, 1, tzinfo=UTC), datetime.max.replace(tzinfo=UTC)),
        ("9999-12-31", datetime(9999, 12, 31, tzinfo=UTC), datetime.max.replace(tzinfo=UTC)),
    ],
)
def test_date_of_any_precision_stands_for_an_interval(text: str, start: datetime, end: datetime | None):
    found = implicit_interval(text)
    assert found[0] == start
    assert end is None or found[1] == end


@pytest.mark.parametrize(
    "text",
    [
        "2020-13-01",
        "2021-02-29",
        "20-01-01",
        "2020-01-01T25:00:00Z",
        "2020-01-01T10:00:00+15:00",
        "0000",
        "0001-01-01T00:00:00+14:00",
        "xx2020-01-01",
        "GE2020",
        "ge",
        "ge2020,le2021",
        "ge 2020",
        "2020/01/01",
        "٢٠٢٠",
        "2020-01-01T23:59:60Z",
    ],
)
def test_what_is_no_date_is_refused_by_name(text: str):
    with pytest.raises(InvalidValue) as caught:
        parse_bound(text)
    assert caught.value.parameter == "testDateRange"


def test_approximate_dates_are_not_supported():
    with pytest.raises(InvalidValue, match="ap is not supported"):
        parse_bound("ap2020-01-01")


DATES = st.dates().map(str) | st.builds("{:04}-{:02}".format, st.integers(1, 9998), st.integers(1, 12))


@given(DATES, DATES)
def test_prefixes_complement_each_other(value: str, test_date: str):
    def holds(prefix: DatePrefix) -> bool:
        return parse_bound(prefix + value).matches(*implicit_interval(test_date))

    assert holds(DatePrefix.EQ) != holds(DatePrefix.NE)
    assert holds(DatePrefix.GE) == (holds(DatePrefix.EQ) or holds(DatePrefix.GT))
    assert holds(DatePrefix.LE) == (holds(DatePrefix.EQ) or holds(DatePrefix.LT))
    assert not (holds(DatePrefix.SA) and holds(DatePrefix.EB))
    assert not holds(DatePrefix.SA) or holds(DatePrefix.GT)


@given(
    st.text(max_size=40) | st.from_regex(r"[a-z]{0,2}[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}[+-][0-9:]{5}", fullmatch=True)
)
def test_no_text_breaks_the_reader(text: str):
    try:
        bound = parse_bound(text)
    except InvalidValue:
        return
    assert bound.start < bound.end
