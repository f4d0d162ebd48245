"""Files made to exhaust a reader: each is refused fast, in little memory, with the setting that would let it pass."""

from __future__ import annotations

import gzip
import io
import time
import tracemalloc
import zlib

import pytest

from app.config import Settings
from app.errors import BadFile, LimitExceeded
from app.formats.bed import read_bed
from app.records import Build
from tests.vcf_files import BGZF_END, bgzf, gzipped, header, read, vcf

SECONDS = 10.0
MEGABYTES = 120


def record(*, pos="5", ref="A", alt="G", keys="GT", cell="0/1", info="."):
    return "\t".join(["chr1", pos, ".", ref, alt, ".", ".", info, keys, cell]) + "\n"


def squeezed(*pieces):
    """Return gzip of (bytes, times) pieces without ever holding the text."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    parts = []
    for piece, times in pieces:
        many = max(1, (1 << 20) // len(piece))
        parts += [packer.compress(piece * min(many, times - done)) for done in range(0, times, many)]
    return b"".join([*parts, packer.flush()])


HEADER = header("S1")
HEAD = HEADER.encode()
START = b"chr1\t5\t.\tA\t"

BOMBS = {
    "an allele of 100 million bases": (lambda: squeezed((HEAD + START, 1), (b"ACGT", 25_000_000)), "LINE_BYTES|RATIO"),
    "an allele above the cap": (lambda: HEADER + record(alt="A" * 1_000_001), "MAX_ALLELE"),
    "one of many alleles above the cap": (
        lambda: HEADER + record(alt="C," + "A" * 1_000_001),
        "MAX_ALLELE",
    ),
    "300,000 header lines": (
        lambda: squeezed((b"##fileformat=VCFv4.2\n", 1), (b"##INFO=<ID=A,Number=1,Type=String>\n", 300_000)),
        "MAX_HEADER_LINES|MAX_HEADER_BYTES",
    ),
    "a header line without end": (
        lambda: squeezed((b"##fileformat=VCFv4.2\n##x=", 1), (b"x" * 1000, 100_000)),
        "MAX_HEADER_BYTES|RATIO",
    ),
    "a million samples": (
        lambda: HEAD.removesuffix(b"\n") + b"".join(b"\t%d" % number for number in range(1_000_000)) + b"\n",
        "MAX_SAMPLES",
    ),
    "100 MB of zeros after the header": (lambda: squeezed((HEAD, 1), (bytes(1000), 100_000)), "LINE_BYTES|RATIO|NUL"),
    "100 MB of zeros": (lambda: squeezed((bytes(1000), 100_000)), "no VCF"),
    "gzip in gzip in gzip": (lambda: gzipped(gzipped(gzipped(HEAD))), "twice"),
    "many equal records": (lambda: squeezed((HEAD, 1), (record(info="x" * 400).encode(), 100_000)), "MAX_RATIO"),
    "a truncated BGZF": (lambda: bgzf(HEAD + record().encode() * 1000).removesuffix(BGZF_END), "truncated"),
    "a BGZF cut within a block": (lambda: bgzf(HEAD + record().encode() * 1000)[:-200], "truncated"),
    "millions of ALTs": (lambda: HEADER + record(alt="G," * 4_000_000 + "T"), "10,000 ALT"),
    "millions of FORMAT keys": (lambda: HEADER + record(keys="GT" + ":X" * 4_000_000), "500"),
    "millions of values": (lambda: HEADER + record(cell="0/1" + ":1" * 4_000_000), "more values"),
    "millions of columns": (lambda: HEADER + "chr1" + "\t" * 10_000_000 + "\n", "columns"),
    "millions of alleles in a genotype": (
        lambda: HEADER + record(cell="/".join(["1"] * 4_000_000)),
        "no genotype",
    ),
    "a position of ten million digits": (lambda: HEADER + record(pos="9" * 10_000_000), "last base"),
    "a depth of ten million digits": (
        lambda: HEADER + record(keys="GT:DP", cell="0/1:" + "9" * 10_000_000),
        "no depth",
    ),
    "a share of ten million digits": (
        lambda: HEADER + record(keys="GT:AF", cell="0/1:0." + "9" * 10_000_000),
        "no list of shares",
    ),
    "ten million shares": (
        lambda: HEADER + record(keys="GT:AF", cell="0/1:" + "7," * 5_000_000),
        "no list of shares",
    ),
    "quotes that never close": (
        lambda: HEAD.replace(b"##contig", b"##contig=<" + b'a="\\"' * 200_000 + b"\n##contig", 1) + b"x\n",
        "columns",
    ),
    "thousands of empty members": (lambda: gzipped(HEAD) + gzip.compress(b"") * 30_000 + b"xx", "damaged"),
}


@pytest.mark.parametrize(("make", "words"), BOMBS.values(), ids=BOMBS.keys())
def test_bombs_are_refused_fast_and_in_little_memory(make, words):
    data = make()
    tracemalloc.start()
    began = time.perf_counter()
    try:
        with pytest.raises(BadFile, match=words):
            read(data)
    finally:
        seconds = time.perf_counter() - began
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert seconds < SECONDS
    assert peak < MEGABYTES << 20


def test_a_structural_word_in_millions_of_info_keys_is_found_fast():
    began = time.perf_counter()
    found = read(HEADER + record(info="CIPOS=0,0" + ";CIPOS=0,0" * 1_000_000 + ";SVTYPE=DEL"))
    assert found.counts == {"structural-contradicts": 1}
    assert time.perf_counter() - began < SECONDS


def test_a_long_file_of_small_records_needs_little_memory():
    data = squeezed((HEAD, 1), *((record(pos=str(pos)).encode(), 1) for pos in range(1, 20_001)))
    tracemalloc.start()
    found = 0
    settings = Settings(vcf_max_ratio=10_000)
    try:
        found = len(read(data, settings=settings, max_records=1000).blocks)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert found == 20
    assert peak < MEGABYTES << 20


CAPS = [
    ("vcf_max_bytes", 600, "OPERON_VCF_MAX_BYTES", None),
    ("vcf_max_line_bytes", 1024, "OPERON_VCF_MAX_LINE_BYTES", 12),
    ("vcf_max_header_bytes", 1024, "OPERON_VCF_MAX_HEADER_BYTES", 6),
    ("vcf_max_header_lines", 10, "OPERON_VCF_MAX_HEADER_LINES", 11),
    ("vcf_max_samples", 2, "OPERON_VCF_MAX_SAMPLES", 14),
    ("vcf_max_allele", 30, "OPERON_VCF_MAX_ALLELE", 12),
]


@pytest.mark.parametrize(("name", "value", "setting", "line"), CAPS, ids=[row[0] for row in CAPS])
def test_every_cap_is_a_setting_that_its_refusal_names(name, value, setting, line):
    text = vcf("chr1 4 . A G . . . GT 0/1", f"chr1 5 . A {'C' * 31} . . {'x' * 1100} GT 0/1")
    if "header" in name:
        text = text.replace("##contig=<ID=chrM", f"##x={'x' * 450}\n##x={'x' * 450}\n##contig=<ID=chrM")
    if name == "vcf_max_samples":
        text = vcf(samples=("S1", "S2", "S3")).replace("##contig=<ID=chrM", "##x=\n" * 4 + "##contig=<ID=chrM")
    with pytest.raises(LimitExceeded, match=setting) as caught:
        read(text, settings=Settings.model_construct(**{**Settings().model_dump(), name: value}))
    assert caught.value.line_1based == line
    assert caught.value.code == "too-costly"


def test_a_file_at_its_caps_is_read():
    text = vcf("chr1 5 . A CCC . . . GT 0/1")
    settings = {
        "vcf_max_bytes": len(text),
        "vcf_max_allele": 3,
        "vcf_max_samples": 1,
        "vcf_max_header_lines": 10,
        "vcf_max_header_bytes": len(header("S1")),
        "vcf_max_line_bytes": 69,
    }
    assert len(read(text, settings=Settings.model_construct(**{**Settings().model_dump(), **settings})).calls) == 1


def test_a_bed_bomb_is_refused():
    for data in (
        squeezed((b"chr1\t5\t6" + b"x" * 1000, 100_000)),
        squeezed((b"chr1\t5\t6\t" + b"x" * 400 + b"\n", 100_000)),
    ):
        with pytest.raises(LimitExceeded, match=r"LINE_BYTES|RATIO"):
            read_bed(io.BytesIO(data), "x.bed", Build.GRCH38, Settings())
