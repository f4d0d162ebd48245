"""What the VCF reader refuses: named damaged files, each with the line and field that its error must tell."""

from __future__ import annotations

import random

import pytest

from app.errors import BadFile, LimitExceeded
from tests.vcf_files import BGZF_END, HEADER_LINES, MANY, bgzf, gzipped, header, read, vcf
from tests.vcf_random import random_vcf

TEXT = random_vcf(random.Random(9), 2, 300)


def edited(old, new, *records):
    text = vcf(*records)
    assert old in text
    return text.replace(old, new)


def in_last(keys, cell, last):
    """Return a file of many samples of which the last has another cell."""
    return vcf(f"chr1 5 . A G . . . {keys} {' '.join([cell] * 69)} {last}", samples=MANY)


CHROM_LINE = header("S1").splitlines()[-1]
GOOD = "chr1 50 . A G . . . GT 0/1"
REFUSED = [
    # id, text, line, field, words of the message
    ("empty file", "", None, None, "is empty"),
    ("no VCF", "a,b\n1,2\n", 1, None, "no VCF"),
    ("byte order mark", "\ufeff" + vcf(GOOD), 1, None, "byte order mark"),
    ("version 3", edited("VCFv4.3", "VCFv3.3"), 1, "fileformat", "VCFv3.3"),
    ("version 5", edited("VCFv4.3", "VCFv5.0"), 1, "fileformat", "VCFv5.0"),
    ("version of letters", edited("VCFv4.3", "VCFvx"), 1, "fileformat", "VCFvx"),
    ("header only of meta lines", header("S1").replace(CHROM_LINE + "\n", ""), 10, None, "no #CHROM line"),
    ("records without header line", edited(CHROM_LINE + "\n", "", GOOD), 10, None, "#CHROM"),
    ("a NUL byte in the header", edited("chrX", "chr\0X"), 3, None, "NUL"),
    ("blank line in the header", edited("##contig=<ID=chrM", "\n##contig=<ID=chrM"), 4, None, "#CHROM"),
    ("header line with blanks", edited(CHROM_LINE, CHROM_LINE.replace("\t", " ")), 10, "#CHROM", "tabs"),
    ("columns in another order", edited("ID\tREF", "REF\tID"), 10, "#CHROM", "#CHROM POS ID REF"),
    ("sites only", edited("\tFORMAT\tS1", ""), 10, "#CHROM", "no samples"),
    ("FORMAT without samples", edited("\tFORMAT\tS1", "\tFORMAT"), 10, "#CHROM", "no samples"),
    ("samples without FORMAT", edited("\tFORMAT\tS1", "\tS1\tS2"), 10, "#CHROM", "must be FORMAT"),
    ("a sample twice", edited("\tS1", "\tS1\tS2\tS1"), 10, "column 12", "S1 is there twice"),
    ("a sample without name", edited("\tS1", "\tS1\t"), 10, "column 11", "no name"),
    ("length of the other build", edited("248956422", "249250621"), 2, "##contig", "GRCh37, not GRCh38"),
    ("length of no build", edited("248956422", "248387328"), 2, "##contig", "248,387,328"),
    ("mitochondrion of no build", edited("16569", "16570"), 4, "##contig", "16,570"),
    ("length of letters", edited("248956422", "1e8"), 2, "##contig", "1e8"),
    ("accession of the other build", edited("ID=chr1", "ID=NC_000001.10"), 2, "##contig", "NC_000001.10"),
    ("accession of the other build in a record", vcf("NC_000001.10 5 . A G . . . GT 0/1"), 11, "CHROM", "GRCh37"),
    ("header line among records", vcf(GOOD, "##x", GOOD), 12, "CHROM", "header line"),
    ("second #CHROM line", vcf(GOOD) + CHROM_LINE + "\n", 12, "CHROM", "header line"),
    ("blank line among records", vcf(GOOD) + "\n" + vcf(GOOD).splitlines()[-1], 12, None, "empty"),
    ("blank first record", vcf() + "\n\n" + vcf(GOOD).splitlines()[-1], 11, None, "empty"),
    ("too few columns", vcf(GOOD, "chr1 51 . A G"), 12, "columns", "5 columns"),
    ("a column too few", vcf(GOOD, "chr1 51 . A G . . . GT"), 12, "columns", "9 columns"),
    ("a column too many", vcf(GOOD, GOOD + " 0/1"), 12, "columns", "11 columns"),
    ("blanks for tabs", vcf(GOOD) + "chr1 51 . A G . . . GT 0/1\n", 12, "columns", "tabs"),
    ("cut off in the middle", vcf(GOOD, GOOD)[:-12], 12, "columns", "cut off"),
    ("too few columns on another contig", vcf("chrUn 1 . A G"), 11, "columns", "5 columns"),
    ("no contig", vcf(GOOD) + "\t5\t.\tA\tG\t.\t.\t.\tGT\t0/1\n", 12, "CHROM", "empty"),
    ("POS of letters", vcf("chr1 x . A G . . . GT 0/1"), 11, "POS", "x is no whole number"),
    ("POS with a sign", vcf("chr1 +5 . A G . . . GT 0/1"), 11, "POS", "whole number"),
    ("POS negative", vcf("chr1 -5 . A G . . . GT 0/1"), 11, "POS", "whole number"),
    ("POS with underscore", vcf("chr1 1_0 . A G . . . GT 0/1"), 11, "POS", "whole number"),
    ("POS of superscripts", vcf("chr1 ²3 . A G . . . GT 0/1"), 11, "POS", "whole number"),
    ("POS missing", vcf("chr1 . . A G . . . GT 0/1"), 11, "POS", "whole number"),
    ("POS zero", vcf("chr1 0 . A G . . . GT 0/1"), 11, "POS", "begin at 1"),
    ("POS after the chromosome", vcf("chr1 248956423 . A G . . . GT 0/1"), 11, "POS", "last base"),
    ("REF over the end", vcf("chr1 248956422 . AC A . . . GT 0/1"), 11, "POS", "last base"),
    ("POS of 5,000 digits", vcf(f"chr1 {'9' * 5000} . A G . . . GT 0/1"), 11, "POS", "last base"),
    ("mitochondrial POS of hg19", vcf("chrM 16570 . A G . . . GT 1"), 11, "CHROM", "NC_001807"),
    ("REF empty", vcf(GOOD) + "chr1\t5\t.\t\tG\t.\t.\t.\tGT\t0/1\n", 12, "REF", "empty"),
    ("REF of digits", vcf("chr1 5 . 1 G . . . GT 0/1"), 11, "REF", "no sequence"),
    ("REF a dot", vcf("chr1 5 . . G . . . GT 0/1"), 11, "REF", "no sequence"),
    ("REF with a comma", vcf("chr1 5 . A,C G . . . GT 0/1"), 11, "REF", "no sequence"),
    ("ALT empty", vcf(GOOD) + "chr1\t5\t.\tA\t\t.\t.\t.\tGT\t0/1\n", 12, "ALT", "empty"),
    ("ALT with an empty allele", vcf("chr1 5 . A G,,T . . . GT 0/1"), 11, "ALT", "empty"),
    ("ALT with a comma at the end", vcf("chr1 5 . A G, . . . GT 0/1"), 11, "ALT", "empty"),
    ("ALT of half a symbol", vcf("chr1 5 . A <DEL . . . GT 0/1"), 11, "ALT", "no allele"),
    ("ALT of digits", vcf("chr1 5 . A 7 . . . GT 0/1"), 11, "ALT", "no allele"),
    ("ALT too many", vcf(f"chr1 5 . A {','.join(['G'] * 10_001)} . . . GT 0/1"), 11, "ALT", "10,000"),
    ("FILTER empty", vcf(GOOD) + "chr1\t5\t.\tA\tG\t.\t\t.\tGT\t0/1\n", 12, "FILTER", "empty"),
    ("FORMAT empty", vcf(GOOD) + "chr1\t5\t.\tA\tG\t.\t.\t.\t\t0/1\n", 12, "FORMAT", "empty"),
    ("FORMAT with a key twice", vcf("chr1 5 . A G . . . GT:DP:DP 0/1:1:1"), 11, "FORMAT", "twice"),
    ("FORMAT with an empty key", vcf("chr1 5 . A G . . . GT::DP 0/1:1:1"), 11, "FORMAT", "empty"),
    ("more values than keys", vcf("chr1 5 . A G . . . GT:DP 0/1:1:1"), 11, "FORMAT (column 10)", "more values"),
    ("GT empty", vcf(GOOD) + "chr1\t5\t.\tA\tG\t.\t.\t.\tGT\t\n", 12, "GT (column 10)", "no genotype"),
    ("GT of letters", vcf("chr1 5 . A G . . . GT A/G"), 11, "GT (column 10)", "no genotype"),
    ("GT unfinished", vcf("chr1 5 . A G . . . GT 0/"), 11, "GT (column 10)", "no genotype"),
    ("GT with a backslash", vcf("chr1 5 . A G . . . GT 0\\1"), 11, "GT (column 10)", "no genotype"),
    ("GT negative", vcf("chr1 5 . A G . . . GT 0/-1"), 11, "GT (column 10)", "no genotype"),
    ("GT beyond the ALTs", vcf("chr1 5 . A G . . . GT 0/2"), 11, "GT (column 10)", "allele 2"),
    ("GT far beyond the ALTs", vcf("chr1 5 . A G,T . . . GT 0/999999"), 11, "GT (column 10)", "allele 999999"),
    ("GT of 300 alleles", vcf(f"chr1 5 . A G . . . GT {'/'.join(['1'] * 300)}"), 11, "GT (column 10)", "no genotype"),
    ("DP of letters", vcf("chr1 5 . A G . . . GT:DP 0/1:many"), 11, "DP (column 10)", "many"),
    ("DP negative", vcf("chr1 5 . A G . . . GT:DP 0/1:-3"), 11, "DP (column 10)", "-3"),
    ("DP with a point", vcf("chr1 5 . A G . . . GT:DP 0/1:3.5"), 11, "DP (column 10)", "3.5"),
    ("DP too large", vcf("chr1 5 . A G . . . GT:DP 0/1:2147483648"), 11, "DP (column 10)", "2147483648"),
    ("AD of letters", vcf("chr1 5 . A G . . . GT:AD 0/1:3,x"), 11, "AD (column 10)", "3,x"),
    ("AD of two ALTs, negative", vcf("chr1 5 . A G,T . . . GT:AD 0/1:3,4,-1"), 11, "AD (column 10)", "3,4,-1"),
    ("AF of letters", vcf("chr1 5 . A G . . . GT:AF 0/1:half"), 11, "AF (column 10)", "half"),
    ("AF above one", vcf("chr1 5 . A G . . . GT:AF 0/1:1.5"), 11, "AF (column 10)", "1.5"),
    ("AF of infinity", vcf("chr1 5 . A G . . . GT:AF 0/1:inf"), 11, "AF (column 10)", "inf"),
    ("a NUL byte", vcf(GOOD, GOOD).replace("0/1", "0/\0", 2), 11, None, "NUL"),
    ("GT in the last of many columns", in_last("GT", "0|0", "0|x"), 11, "GT (column 79)", "no genotype"),
    ("GT beyond the ALTs in many columns", in_last("GT", "0|0", "0|2"), 11, "GT (column 79)", "allele 2"),
    ("DP in the last of many columns", in_last("GT:DP", "0|0:3", "0|1:x"), 11, "DP (column 79)", "x"),
    ("many columns, one too few", in_last("GT", "0|0", ""), 11, "columns", "78 columns"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "line", "field", "words"), [pytest.param(*row[1:], id=row[0]) for row in REFUSED])
def test_damaged_files_are_refused_with_line_and_field(text, line, field, words):
    with pytest.raises(BadFile, match=words) as caught:
        read(text)
    error = caught.value
    assert not isinstance(error, LimitExceeded)
    assert (error.line_1based, error.field) == (line, field)
    assert error.source == "x.vcf"


@pytest.mark.parametrize(("text", "line", "field", "words"), [pytest.param(*row[1:], id=row[0]) for row in REFUSED])
def test_damaged_files_are_refused_alike_when_compressed(text, line, field, words):
    with pytest.raises(BadFile, match=words if text else "no text") as caught:
        read(bgzf(text.encode(), 1000))
    assert (caught.value.line_1based, caught.value.field) == (line, field)


def test_every_refusal_says_how_to_mend_it():
    for _, text, *_ in REFUSED[1:]:
        with pytest.raises(BadFile) as caught:
            read(text)
        assert caught.value.mend


def test_headers_that_only_htslib_refuses_are_refused():
    with pytest.raises(BadFile, match="htslib"):
        read(vcf().replace("Type=Integer", "Type=[Integer"))


def test_sample_names_that_are_no_text_are_refused():
    with pytest.raises(BadFile, match="UTF-8") as caught:
        read(vcf().encode().replace(b"\tS1\n", b"\t\xff\n"))
    assert (caught.value.line_1based, caught.value.field) == (HEADER_LINES, "#CHROM")


FOREIGN = {
    "zip": (b"PK\x03\x04aaaaaaaaaaaaaaaaaaaa", "ZIP"),
    "bzip2": (b"BZh91AY&SYaaaaaaaaaaaaa", "bzip2"),
    "BCF": (gzipped(b"BCF\x02\x02aaaaaaaaaaaaaaa"), "BCF"),
    "UTF-16": (vcf(GOOD).encode("utf-16"), "UTF-16"),
    "gzip in gzip": (gzipped(gzipped(vcf(GOOD).encode())), "twice"),
    "empty gzip": (gzipped(b""), "no text"),
}


@pytest.mark.parametrize(("data", "words"), FOREIGN.values(), ids=FOREIGN.keys())
def test_other_formats_are_named(data, words):
    with pytest.raises(BadFile, match=words):
        read(data)


@pytest.mark.parametrize("pack", [bgzf, gzipped], ids=["bgzf", "gzip"])
def test_a_compressed_file_cut_anywhere_is_refused(pack):
    data = pack(TEXT.encode())
    for size in [*range(1, 40), *range(40, len(data), 101), *range(len(data) - 29, len(data))]:
        with pytest.raises(BadFile):
            read(data[:size])


def test_bgzf_without_its_end_is_truncated():
    with pytest.raises(BadFile, match=r"truncated.*BGZF"):
        read(bgzf(TEXT.encode()).removesuffix(BGZF_END))


def test_bytes_after_the_compressed_data_are_refused():
    for tail in (b"garbage", b"\0garbage"):
        with pytest.raises(BadFile, match=r"bytes after|damaged"):
            read(gzipped(TEXT.encode()) + tail)


def test_flipped_bits_never_pass_the_checksum():
    data = bytearray(gzipped(TEXT.encode()))
    rng = random.Random(1)
    for _ in range(60):
        at = rng.randrange(20, len(data) - 8)
        data[at] ^= 0x10
        with pytest.raises(BadFile):
            read(bytes(data))
        data[at] ^= 0x10
