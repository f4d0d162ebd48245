import pytest

from app.errors import InvalidValue, UnknownRefSeq
from app.variants.interval import Interval, parse_range


@pytest.mark.parametrize(
    "text",
    ["NC_000017.11:100-200", "  NC_000017.11:100-200\t", "nc_000017.11:100-200", "Nc_000017.11:0000000100-0000000200"],
)
def test_a_range_is_read_whatever_its_case_and_blanks(text):
    assert parse_range(text) == Interval("NC_000017.11", 100, 200)
    assert str(parse_range(text)) == "NC_000017.11:100-200"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "NC_000017.11",
        "NC_000017.11:100",
        "NC_000017.11:100-",
        "NC_000017.11:-100-200",
        "NC_000017.11:100-200-300",
        "NC_000017.11:1e2-200",
        "NC_000017.11:100–200",
        "NC_000017.11:100 - 200",
        "NC_000017.11:١٢-٢٠",
        "NC_000017.11:1-" + "9" * 5000,
        "NC_000017.11:1-12345678901",
        "NC_000017:100-200",
        "NC_000017.111:100-200",
        "LRG_1000.1:100-200",
        "chr17:100-200",
        "NC_000017.11:100-200\nNC_000017.11:100-200",
    ],
)
def test_any_other_form_is_refused_with_an_example(text):
    with pytest.raises(InvalidValue) as caught:
        parse_range(text)
    assert "does not match RefSeq:start-end, such as NC_000017.11:43044294-43125364" in caught.value.diagnostics
    assert text.strip()[:100] in caught.value.diagnostics
    assert len(caught.value.diagnostics) < 300
    assert caught.value.parameter == "ranges"


def test_a_start_after_the_end_is_refused():
    with pytest.raises(InvalidValue) as caught:
        parse_range("NC_000017.11:201-200")
    assert caught.value.diagnostics == "Range start(201) should be less than or equal to Range end(200)"


@pytest.mark.parametrize("ref_seq", ["NC_000017.9", "NG_005905.2", "NM_007294.4", "NX_0000.1"])
def test_only_primary_chromosomes_have_ranges(ref_seq):
    with pytest.raises(UnknownRefSeq) as caught:
        parse_range(f"{ref_seq}:100-200")
    assert caught.value.diagnostics == f"RefSeq({ref_seq}) is not valid"
    assert caught.value.parameter == "ranges"


def test_start_may_equal_end():
    assert parse_range("NC_000017.11:100-100") == Interval("NC_000017.11", 100, 100)


def test_a_range_is_clipped_to_its_chromosome():
    assert parse_range("NC_012920.1:16000-9999999999") == Interval("NC_012920.1", 16000, 16569)
    assert parse_range("NC_012920.1:9999999998-9999999999") == Interval("NC_012920.1", 16569, 16569)


@pytest.mark.parametrize(
    ("start", "end", "hit"),
    [
        (50, 100, False),
        (50, 101, True),
        (120, 130, True),
        (199, 300, True),
        (200, 300, False),
        (0, 1000, True),
        (99, 99, False),
        (100, 100, True),
        (199, 199, True),
        (200, 200, False),
    ],
)
def test_intervals_overlap_when_they_share_a_base_and_insertions_count_as_the_base_after_them(start, end, hit):
    range_, other = Interval("NC_000017.11", 100, 200), Interval("NC_000017.11", start, end)
    assert range_.overlaps(other) is other.overlaps(range_) is hit


def test_an_empty_range_is_its_base():
    point = Interval("NC_000017.11", 100, 100)
    assert point.overlaps(Interval("NC_000017.11", 100, 101))
    assert point.overlaps(point)
    assert not point.overlaps(Interval("NC_000017.11", 99, 100))
    assert not point.overlaps(Interval("NC_000017.11", 101, 102))


def test_intervals_of_different_sequences_never_overlap():
    assert not Interval("NC_000017.11", 100, 200).overlaps(Interval("NC_000017.10", 100, 200))
