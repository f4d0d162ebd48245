"""What a VCF of one sample says of places without a variant: called as the reference, not called, or nothing."""

from __future__ import annotations

import pytest

from app.config import Settings
from app.errors import BadFile
from app.formats import vcf_regions
from app.variants.regions import Stretches, joined
from tests.vcf_files import MANY, ReadFile, in_many, read, vcf


def pairs(found: Stretches) -> list[tuple[int, int]]:
    return list(zip(*(column.tolist() for column in found), strict=True))


def told(file: ReadFile, contig: int = 1) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """Return the stretches of a contig that are called as the reference, and those that are not called."""
    blocks = [block.regions for block in file.blocks if block.contig == contig]
    return pairs(joined([one.called for one in blocks])), pairs(joined([one.uncalled for one in blocks]))


@pytest.mark.parametrize(
    ("record", "called", "uncalled", "has_blocks"),
    [
        pytest.param("100 . A <NON_REF> . . END=200 GT:GQ 0/0:3", [(99, 200)], [], True, id="block of GATK"),
        pytest.param("100 . A <*> . PASS END=200;MinDP=1 GT 0|0", [(99, 200)], [], True, id="block of DeepVariant"),
        pytest.param("100 . A . . PASS DP=3;END=200 GT 0", [(99, 200)], [], True, id="block of bcftools, haploid"),
        pytest.param("100 . A <NON_REF> . . . GT 0/0", [(99, 100)], [], True, id="block of one base without END"),
        pytest.param("100 . N <NON_REF> . . END=120 GT 0/0", [(99, 120)], [], True, id="the base is not told"),
        pytest.param("100 . A <NON_REF> . . END=200 GT ./.", [], [(99, 200)], True, id="no call"),
        pytest.param("100 . A <NON_REF> . . END=200 GT 0/.", [], [(99, 200)], True, id="half call"),
        pytest.param("100 . A <NON_REF> . . END=200 DP:GT 7", [], [(99, 200)], True, id="cell ends before GT"),
        pytest.param("100 . A <NON_REF> . LowQ END=200 GT 0/0", [], [(99, 200)], True, id="filtered block"),
        pytest.param("100 . A <NON_REF> . . END=200 GT 0/1", [], [(99, 200)], True, id="an unnamed allele is called"),
        pytest.param("100 . A <NON_REF> . . END=200 DP 7", [], [], False, id="no genotype: nothing is said"),
        pytest.param("100 . A . . . . GT 0/0", [(99, 100)], [], False, id="monomorphic site"),
        pytest.param("100 . AC G . . . GT 0/0", [(99, 101)], [], False, id="reference call"),
        pytest.param("100 . A G,T . . . GT 0/0", [(99, 100)], [], False, id="reference call among two alleles"),
        pytest.param("100 . A G . . . GT ./.", [], [(99, 100)], False, id="no call at a variant"),
        pytest.param("100 . A G . LowQ . GT 0/1", [], [(99, 100)], False, id="filtered variant"),
        pytest.param("100 . A G . . . DP 3", [], [(99, 100)], False, id="variant without a genotype"),
        pytest.param("100 . A G,<NON_REF> . . . GT 0/0", [(99, 100)], [], False, id="reference call beside NON_REF"),
        pytest.param("100 . A G,<NON_REF> . . . GT 0/2", [], [(99, 100)], False, id="NON_REF itself is called"),
        pytest.param("100 . A G,* . . . GT 0/2", [(99, 100)], [], False, id="a deletion from before"),
        pytest.param("100 . A R . . . GT 0/1", [], [(99, 100)], False, id="letters that are no bases"),
        pytest.param("100 . A <DEL> . . SVTYPE=DEL;END=900 GT 0/1", [], [], False, id="structural"),
        pytest.param("100 . A <DEL> . LowQ SVTYPE=DEL;END=900 GT 0/1", [], [], False, id="filtered structural"),
        pytest.param("100 . A G . . . GT 0/1", [], [], False, id="a call speaks for itself"),
    ],
)
def test_a_record_says_what_its_genotype_and_filter_say(
    record: str,
    called: list[tuple[int, int]],
    uncalled: list[tuple[int, int]],
    has_blocks: bool,
) -> None:
    file = read(vcf(f"chr1 {record}"))

    assert told(file) == (called, uncalled)
    assert file.reader.has_blocks is has_blocks


def test_the_careful_way_and_the_quick_one_agree() -> None:
    lines = [
        "100 . A <NON_REF> . . END=110 GT 0/0",
        "111 . A G . . . GT 0/0",
        "112 . A G . . . GT ./.",
        "113 . A . . . END=120 GT 0/0",
    ]
    quick = read(vcf(*(f"chr1 {line}" for line in lines)))
    # Lower case letters take every record the careful way.
    careful = read(vcf(*(f"chr1 {line.replace(' A ', ' a ')}" for line in lines)))

    assert told(quick) == told(careful) == ([(99, 111), (112, 120)], [(111, 112)])
    assert quick.counts == careful.counts


def test_stretches_that_follow_each_other_are_one_and_come_with_their_contig() -> None:
    blocks = [
        f"{contig} {at} . A <NON_REF> . . END={at + 9} GT 0/0" for contig in ("chr1", "chrX") for at in (1, 11, 31)
    ]

    file = read(vcf(*blocks))

    assert [block.contig for block in file.blocks] == [1, 23]
    assert told(file, 1) == told(file, 23) == ([(0, 20), (30, 40)], [])
    assert not file.calls


def test_many_stretches_are_handed_on_in_portions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vcf_regions, "_MANY", 10)
    text = vcf(*(f"chr1 {10 * at} . A G . . . GT 0/0" for at in range(1, 2_001)))

    file = read(text, settings=Settings(vcf_max_line_bytes=1024), max_genotypes=64)

    assert len(file.blocks) > 10
    assert len(told(file)[0]) == 2_000
    assert [block.next_record for block in file.blocks][-1] == 2_000


def test_reading_goes_on_after_a_block_of_regions_alone() -> None:
    text = vcf("chr1 1 . A <NON_REF> . . END=9 GT 0/0", "chrX 5 . A G . . . GT 0/1", "chrX 6 . A G . . . GT ./.")
    whole = read(text)

    rest = read(text, skip_records=whole.blocks[0].next_record)

    assert (whole.blocks[0].next_record, told(rest, 23), len(rest.calls)) == (1, told(whole, 23), 1)


def test_of_several_samples_nothing_is_told() -> None:
    two = read(vcf("chr1 1 . A <NON_REF> . . END=9 GT 0/0 0/0", samples=("S1", "S2")))
    one = read(vcf("chr1 1 . A <NON_REF> . . END=9 GT 0/0 ./.", samples=("S1", "S2")), [1])
    many = read(vcf(f"chr1 1 . A G . . . GT {in_many('./.')}", samples=MANY))

    assert told(two) == told(many) == ([], [])
    assert told(one) == ([], [(0, 9)])


@pytest.mark.parametrize(
    ("record", "field"),
    [
        ("100 . A <NON_REF> . . END=99 GT 0/0", "INFO/END"),
        ("100 . A <NON_REF> . . END=-5 GT 0/0", "INFO/END"),
        ("100 . A <NON_REF> . . END= GT 0/0", "INFO/END"),
        ("100 . A <NON_REF> . . DP=1;END=248956423 GT 0/0", "INFO/END"),
        ("100 . A <NON_REF> . LowQ END=x GT 0/0", "INFO/END"),
        ("100 . A <NON_REF> . . END=200 GT 0/zero", "GT"),
    ],
)
def test_a_block_that_cannot_be_read_refuses_the_file(record: str, field: str) -> None:
    with pytest.raises(BadFile) as refusal:
        read(vcf("chr1 50 . A G . . . GT 0/1", f"chr1 {record}"))

    assert (refusal.value.line_1based, refusal.value.field) == (12, field)
    assert refusal.value.mend


def test_an_empty_format_is_refused_on_the_first_record_as_well() -> None:
    text = vcf("chr1 100 . A G . . . GT 0/1").replace("\tGT\t", "\t\t")

    with pytest.raises(BadFile, match="FORMAT"):
        read(text)
