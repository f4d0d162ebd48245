import pytest

from app.errors import CannotNormalize, UnknownRefSeq, UnreadableVariant
from app.variants.spdi import MAX_BASES, MAX_TEXT, Spdi, SpdiWithLength, parse_spdi, reverse_complement


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("NC_000005.9:112154946:CC:C", Spdi("NC_000005.9", 112154946, "CC", "C")),
        ("NC_000017.10:41246373:G:", Spdi("NC_000017.10", 41246373, "G", "")),
        ("NC_000001.10:27106893::T", Spdi("NC_000001.10", 27106893, "", "T")),
        ("NC_000013.11:20003010:0:G", Spdi("NC_000013.11", 20003010, "", "G")),
        (" nc_000017.10:41246373:g:nac ", Spdi("NC_000017.10", 41246373, "G", "NAC")),
        ("NC_012920.1:16569::A", Spdi("NC_012920.1", 16569, "", "A")),
        ("NC_000019.10:44908821:1:T", SpdiWithLength("NC_000019.10", 44908821, 1, "T")),
        ("NC_000013.11:20003096:12:", SpdiWithLength("NC_000013.11", 20003096, 12, "")),
    ],
)
def test_spdi_is_read(text, expected):
    assert parse_spdi(text) == expected


@pytest.mark.parametrize("text", ["NC_000017.10:41246373:G:", "NC_000001.10:27106893::T", "NC_000001.10:5:AC:GT"])
def test_spdi_is_written_as_it_was_read(text):
    assert str(parse_spdi(text)) == text


def test_a_length_is_filled_in_from_the_reference():
    spdi = parse_spdi("NC_000019.10:44908821:3:T")
    assert isinstance(spdi, SpdiWithLength)
    assert str(spdi) == "NC_000019.10:44908821:3:T"
    assert str(spdi.with_deleted("CGC")) == "NC_000019.10:44908821:CGC:T"


def test_the_end_follows_the_deleted_bases():
    assert Spdi("NC_000019.10", 10, "ACG", "").end == 13
    assert Spdi("NC_000019.10", 10, "", "ACG").end == 10


@pytest.mark.parametrize(
    "text", ["", "NC_000017.10", "NC_000017.10:5:A", "NC_000017.10:5:A:C:G", "NC_000017.10:g.5A>C"]
)
def test_text_without_three_colons_is_not_spdi(text):
    with pytest.raises(UnreadableVariant) as caught:
        parse_spdi(text)
    assert caught.value.diagnostics == f"variant ({text}) is not in the correct format(SPDI|HGVS)"


@pytest.mark.parametrize("ref_seq", ["NM_007294.4", "NG_005905.2", "NC_000017.9", "17", ""])
def test_spdi_on_another_sequence_is_refused(ref_seq):
    with pytest.raises(UnknownRefSeq) as caught:
        parse_spdi(f"{ref_seq}:5:A:C")
    assert caught.value.parameter == "variants"


@pytest.mark.parametrize(
    ("rest", "reason"),
    [
        ("x:A:C", "the position 'X' is not a whole number"),
        (":A:C", "the position '' is not a whole number"),
        ("-1:A:C", "the position '-1' is not a whole number"),
        ("1.5:A:C", "not a whole number"),
        ("٣:A:C", "not a whole number"),
        ("5:R:C", "the deleted sequence may hold the letters"),
        ("5:A1:C", "the deleted sequence may hold the letters"),
        ("5:-3:C", "the deleted sequence may hold the letters"),
        ("5:A:U", "the inserted sequence may hold the letters"),
        ("5:A:3", "the inserted sequence may hold the letters"),
        ("5:A:<DEL>", "the inserted sequence may hold the letters"),
        ("16569:A:C", "[16569, 16570) is not within NC_012920.1, which has 16569 bases"),
        ("16570::C", "is not within"),
        ("16560:10:C", "[16560, 16570) is not within"),
        ("9" * 900 + ":A:C", "is not within"),
        ("5:" + "9" * 900 + ":C", "is not within"),
    ],
)
def test_parts_that_are_no_spdi_are_refused_with_the_reason(rest, reason):
    with pytest.raises(CannotNormalize) as caught:
        parse_spdi(f"NC_012920.1:{rest}")
    assert reason in caught.value.reason
    assert caught.value.diagnostics.startswith("Cannot normalize variant: NC_012920.1:")
    assert len(caught.value.diagnostics) < 700


def test_a_text_above_the_cap_is_refused_before_it_is_read():
    fits = "NC_000001.11:5:A:" + "C" * (MAX_TEXT - 17)
    assert len(parse_spdi(fits).inserted) == MAX_TEXT - 17
    with pytest.raises(CannotNormalize, match="longer than 1,000 characters"):
        parse_spdi(fits + "C")


def test_a_counted_deletion_has_a_cap():
    assert isinstance(parse_spdi(f"NC_000001.11:5:{MAX_BASES}:"), SpdiWithLength)
    with pytest.raises(CannotNormalize, match="more than 1,000,000 bases"):
        parse_spdi(f"NC_000001.11:5:{MAX_BASES + 1}:")


def test_reverse_complement_reads_the_other_strand():
    assert reverse_complement("AACGTN") == "NACGTT"
    assert reverse_complement("") == ""
