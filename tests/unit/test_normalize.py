import random

import pytest

from app.errors import CannotNormalize
from app.records import Build
from app.variants.normalize import Justified, contextual, extend, justify, roll, trim
from app.variants.reference import FastaReference, InMemoryReference, NoReference, add_fasta
from app.variants.spdi import Spdi, parse_spdi

CHR1 = "NC_000001.11"
MT = "NC_012920.1"
#             10   15   20   25   30   35
SEQUENCE = "GATTTTACACACAGGCTGCTGCTCCATTAG"
REFERENCE = InMemoryReference({CHR1: [(10, SEQUENCE)]})


def whole(text: str) -> InMemoryReference:
    """Return a mitochondrial genome that starts with the text and ends with its reverse."""
    return InMemoryReference({MT: [(0, text + "N" * (16_569 - 2 * len(text)) + text[::-1])]})


def spelled(change: Justified) -> str:
    return f"{change.position}:{change.deleted}:{change.inserted}"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ((12, "", "T"), "12:TTTT:TTTTT"),
        ((16, "", "T"), "12:TTTT:TTTTT"),
        ((14, "TT", "TTT"), "12:TTTT:TTTTT"),
        ((11, "ATTTTA", "ATTTTTA"), "12:TTTT:TTTTT"),
        ((13, "T", ""), "12:TTTT:TTT"),
        ((11, "AT", "A"), "12:TTTT:TTT"),
        ((16, "AC", ""), "16:ACACACA:ACACA"),
        ((19, "CA", ""), "16:ACACACA:ACACA"),
        ((17, "", "CACA"), "16:ACACACA:ACACACACACA"),
        ((26, "TGC", ""), "24:GCTGCTGCT:GCTGCT"),
        ((24, "", "T"), "24::T"),
        ((35, "A", ""), "35:A:"),
        ((10, "GATT", "GATC"), "13:T:C"),
        ((12, "TT", "AC"), "12:TT:AC"),
        ((12, "TTTT", "ATTA"), "12:TTTT:ATTA"),
        ((22, "AGGC", "ACCCC"), "23:GG:CCC"),
        ((12, "TT", "TT"), "12:TT:TT"),
        ((12, "", ""), "12::"),
    ],
)
def test_a_change_gets_its_one_contextual_form(change, expected):
    found = justify(REFERENCE, CHR1, *change)
    assert spelled(found) == expected
    assert found.justified
    assert contextual(*found.trimmed[1:], found.left, found.right) == (found.deleted, found.inserted)
    assert found.trimmed[0] == found.position + found.left


def test_trimming_takes_the_common_end_first():
    assert trim(10, "AAA", "AA") == (10, "A", "")
    assert trim(10, "CAA", "CA") == (11, "A", "")
    assert trim(10, "ACGT", "ATGT") == (11, "C", "T")
    assert trim(10, "A", "A") == (10, "", "")
    assert trim(10, "", "") == (10, "", "")
    assert trim(10, "A" * 5000 + "C" + "G" * 5000, "A" * 5000 + "T" + "G" * 5000) == (5010, "C", "T")


def test_rolling_tells_when_it_was_stopped_by_an_edge():
    assert roll("GAAAG", 2, 2, "A") == (1, 2, False)
    assert roll("GAAA", 2, 2, "A") == (1, 2, True)
    assert roll("AAAG", 2, 2, "A") == (2, 1, True)
    assert roll("ACG", 0, 0, "T") == (0, 0, True)
    assert roll("ACG", 1, 2, "C") == (0, 0, False)
    assert roll("GCACACT", 3, 5, "CA") == (2, 1, False)


@pytest.mark.parametrize("run", range(1, 70))
def test_rolling_goes_as_far_as_the_repeat_whatever_its_length(run):
    window = "G" + "ACT" * run + "AC" + "G"
    for offset in {1, 1 + run // 2 * 3, 1 + run * 3}:
        assert roll(window, offset, offset, "ACT") == (offset - 1, 3 * run + 3 - offset, False)
    assert roll(window, 1, 4, "ACT") == (0, 3 * run - 1, False)


def test_the_context_is_the_periodic_continuation_of_the_allele():
    assert extend("ACT", 0, 0) == "ACT"
    assert extend("ACT", 2, 0) == "CTACT"
    assert extend("ACT", 0, 2) == "ACTAC"
    assert extend("ACT", 7, 8) == "TACTACTACTACTACTAC"
    assert contextual("", "ACT", 2, 1) == ("CTA", "CTACTA")
    assert contextual("ACT", "", 2, 1) == ("CTACTA", "CTA")
    assert contextual("G", "C", 0, 0) == ("G", "C")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ((12, "A", "C"), "the reference has T at position 12, not A"),
        ((10, "GAC", "GAC"), "the reference has T at position 12, not C"),
        ((12, "TTTTG", ""), "the reference has A at position 16, not G"),
        ((8, "CCGG", ""), "the reference has A at position 11, not G"),
        ((38, "ACCC", ""), "the reference has G at position 39, not C"),
        ((12, "N", "A"), "the reference has T at position 12, not N"),
        ((248956422, "A", ""), "is not within"),
        ((248956423, "", "A"), "is not within"),
        ((-1, "A", ""), "is not within"),
    ],
)
def test_a_change_that_contradicts_the_reference_is_refused(change, reason):
    with pytest.raises(CannotNormalize) as caught:
        justify(REFERENCE, CHR1, *change)
    assert reason in caught.value.reason
    assert f"{CHR1}:{change[0]}" in caught.value.diagnostics


@pytest.mark.parametrize("reference", [NoReference(), REFERENCE])
def test_without_sequence_a_change_is_trimmed_and_only_an_indel_is_left_unjustified(reference):
    assert justify(reference, CHR1, 1000, "CAT", "CGT") == Justified(1001, "A", "G", 0, 0, justified=True)
    assert justify(reference, CHR1, 1000, "CAT", "CGGT") == Justified(1001, "A", "GG", 0, 0, justified=True)
    assert justify(reference, CHR1, 1000, "CA", "CA") == Justified(1000, "CA", "CA", 0, 0, justified=True)
    assert justify(reference, CHR1, 1000, "CA", "C") == Justified(1001, "A", "", 0, 0, justified=False)
    assert justify(reference, CHR1, 1000, "CA", "CAA") == Justified(1001, "", "A", 0, 0, justified=False)


@pytest.mark.parametrize(
    "change",
    [
        (10, "", "C"),  # the base before is not loaded
        (10, "G", ""),
        (9, "", "C"),
        (9, "AG", ""),
        (40, "", "C"),
        (39, "G", ""),
        (39, "GA", ""),
        (0, "", "A"),
    ],
)
def test_an_indel_at_the_edge_of_what_is_loaded_is_left_where_it_was(change):
    position, deleted, inserted = change
    assert justify(REFERENCE, CHR1, *change) == Justified(position, deleted, inserted, 0, 0, justified=False)


def test_a_repeat_that_runs_into_the_edge_is_left_unrolled():
    for text in ("GAAAA", "AAAAG"):
        reference = InMemoryReference({CHR1: [(100, text)]})
        assert justify(reference, CHR1, 102, "A", "") == Justified(102, "A", "", 0, 0, justified=False)
    closed = InMemoryReference({CHR1: [(100, "GAAAA"), (105, "G")]})
    assert spelled(justify(closed, CHR1, 102, "A", "")) == "101:AAAA:AAA"


def test_rolling_stops_at_both_ends_of_a_chromosome():
    reference = whole("AAACG")
    assert spelled(justify(reference, MT, 1, "A", "")) == "0:AAA:AA"
    assert spelled(justify(reference, MT, 0, "", "A")) == "0:AAA:AAAA"
    assert spelled(justify(reference, MT, 16_569, "", "A")) == "16566:AAA:AAAA"
    assert spelled(justify(reference, MT, 16_568, "A", "")) == "16566:AAA:AA"
    assert justify(reference, MT, 16_569, "", "A").justified
    assert spelled(justify(reference, MT, 16_569, "", "C")) == "16569::C"


def test_the_end_of_a_chromosome_stops_rolling_even_where_only_a_window_is_loaded():
    reference = InMemoryReference({MT: [(0, "AAACG"), (16_564, "GCAAA")]})
    assert spelled(justify(reference, MT, 1, "A", "")) == "0:AAA:AA"
    assert spelled(justify(reference, MT, 16_569, "", "A")) == "16566:AAA:AAAA"


def test_a_gap_in_a_whole_chromosome_stops_rolling_and_a_missing_base_does_not_count_as_one():
    text = "ACGAAA"
    assert spelled(justify(whole(text), MT, 4, "A", "")) == "3:AAA:AA"
    assert spelled(justify(whole(text), MT, 6, "", "A")) == "3:AAA:AAAA"
    assert justify(whole(text), MT, 4, "A", "").justified
    assert not justify(whole(text), MT, 8, "", "A").justified
    assert not justify(InMemoryReference({MT: [(0, text)]}), MT, 4, "A", "").justified


def test_a_deletion_across_a_missing_base_is_left_unjustified():
    reference = InMemoryReference({CHR1: [(100, "GATTACA"), (108, "GATTACA")]})
    assert justify(reference, CHR1, 105, "CATGA", "") == Justified(105, "CATGA", "", 0, 0, justified=False)


def test_long_repeats_and_long_alleles_roll_to_their_ends():
    text = "C" + "A" * 30_000 + "G" + "".join(random.Random(1).choices("ACGT", k=20_000)) * 2 + "T"
    reference = InMemoryReference({CHR1: [(1000, text)]})
    assert spelled(justify(reference, CHR1, 16_000, "", "A")) == f"1001:{'A' * 30_000}:{'A' * 30_001}"
    copy = text[30_002:50_002]
    found = justify(reference, CHR1, 31_002, copy, "")
    assert (found.position, len(found.deleted), len(found.inserted)) == (31_002, 40_000, 20_000)
    assert spelled(found) == spelled(justify(reference, CHR1, 51_002, copy, ""))


def test_a_homopolymer_of_ten_thousand_bases_is_crossed():
    window = "C" * 100 + "A" * 10_000 + "G" * 100
    assert roll(window, 5000, 5001, "A") == (4900, 5099, False)


@pytest.fixture(scope="module")
def windows(shared, tmp_path_factory):
    """Return the reference of each build that the test windows make up."""
    references = {}
    for build in Build:
        folder = tmp_path_factory.mktemp(build)
        add_fasta(folder, build, shared / f"data/seq/windows.{build}.fa.gz")
        references[build] = FastaReference(folder)
    return references


def test_the_changes_that_ncbi_normalized_are_found_as_they_are(windows, shared):
    checked = 0
    for line in (shared / "data/truth/spdi/genomics-operations.spdi.txt").read_text().split():
        spdi = parse_spdi(line)
        assert isinstance(spdi, Spdi)
        for reference in windows.values():
            found = justify(reference, spdi.ref_seq, spdi.position, spdi.deleted, spdi.inserted)
            if not found.justified:
                continue
            assert spelled(found) == line.partition(":")[2]
            checked += reference.window(spdi.ref_seq, spdi.position) is not None
    assert checked > 50


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ((41243857, "", "A"), "41243854:AAA:AAAA"),
        ((41243854, "", "A"), "41243854:AAA:AAAA"),
        ((41246373, "G", ""), "41246373:G:"),
    ],
)
def test_known_spellings_in_brca1(windows, change, expected):
    assert spelled(justify(windows[Build.GRCH37], "NC_000017.10", *change)) == expected
