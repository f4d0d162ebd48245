"""BED files as merged regions, and the lines that are refused."""

from __future__ import annotations

import io

import pytest

from app.config import Settings
from app.errors import BadFile
from app.formats.bed import read_bed
from app.records import Build
from app.variants.accessions import CONTIGS, MT, X, length
from tests.vcf_files import bgzf, gzipped

TEXT = b"""browser position chr7:1-2
track name="x y"
# comment
chr1\t10\t20\tname\t0\t+
chr1\t5\t12

chrX\t0\t7
"""


def regions(data, build=Build.GRCH38):
    found = read_bed(io.BytesIO(data.encode() if isinstance(data, str) else data), "x.bed", build, Settings())
    return {
        contig: list(zip(starts.tolist(), ends.tolist(), strict=True))
        for contig, (starts, ends) in found.intervals.items()
    }


def test_headers_comments_and_blank_lines_are_passed_over_and_overlaps_merged():
    assert regions(TEXT) == {1: [(5, 20)], X: [(0, 7)]}


@pytest.mark.parametrize(
    "data",
    [gzipped(TEXT), bgzf(TEXT, 30), TEXT.replace(b"\n", b"\r\n"), TEXT.rstrip()],
    ids=["gzip", "bgzf", "crlf", "cut"],
)
def test_every_packing_reads_alike(data):
    assert regions(data) == regions(TEXT)


MERGES = [
    ("disjoint regions are sorted", [(30, 40), (10, 20)], [(10, 20), (30, 40)]),
    ("touching regions become one", [(10, 20), (20, 30)], [(10, 30)]),
    ("a base between keeps them apart", [(10, 20), (21, 30)], [(10, 20), (21, 30)]),
    ("a region within another vanishes", [(10, 50), (20, 30), (40, 60)], [(10, 60)]),
    ("an equal region vanishes", [(10, 20), (10, 20)], [(10, 20)]),
    ("an empty region vanishes", [(10, 10), (30, 40)], [(30, 40)]),
    ("only empty regions leave nothing", [(10, 10)], []),
    ("a long first region swallows later ones", [(0, 100), (5, 6), (50, 60), (120, 130)], [(0, 100), (120, 130)]),
]


@pytest.mark.parametrize(("given", "expected"), [pytest.param(*row[1:], id=row[0]) for row in MERGES])
def test_regions_are_merged(given, expected):
    text = "".join(f"1\t{start}\t{end}\n" for start, end in given)
    assert regions(text) == {1: expected}


def test_names_of_every_kind_and_blanks_between_columns_are_read():
    text = "NC_000001.11\t1\t2\nchrM 0 16569\nMT\t5\t6\nx 3   4 name\n"
    assert regions(text) == {1: [(1, 2)], X: [(3, 4)], MT: [(0, 16569)]}


def test_other_contigs_are_counted():
    found = read_bed(io.BytesIO(b"chrUn_1\t1\t2\nGL000192.1\t5\t6\n1\t1\t2\n"), "x.bed", Build.GRCH37, Settings())
    assert (list(found.intervals), found.other_contigs) == ([1], 2)


@pytest.mark.parametrize("build", Build)
def test_whole_chromosomes_are_read(build):
    text = "".join(f"{contig}\t0\t{length(build, contig)}\n" for contig in range(1, 23))
    assert regions(text, build) == {contig: [(0, length(build, contig))] for contig in CONTIGS if contig < 23}


REFUSED = [
    ("two columns", "1\t5", "columns", "fewer than three"),
    ("one word", "chr1", "columns", "fewer than three"),
    ("a start of letters", "1\tx\t5", "start", "x is no position"),
    ("a negative start", "1\t-1\t5", "start", "-1"),
    ("an end with a point", "1\t1\t5.0", "end", "5.0"),
    ("an end that is missing", "1\t1\t\tname", "end", "no position"),
    ("an end of many digits", f"1\t1\t{'9' * 5000}", "end", "no position"),
    ("a start after the end", "1\t6\t5", "start", "after the end"),
    ("an end after the chromosome", "1\t6\t248956423", "end", "last base"),
    ("an accession of the other build", "NC_000001.10\t6\t7", "chrom", "GRCh37"),
]


@pytest.mark.parametrize(("line", "field", "words"), [pytest.param(*row[1:], id=row[0]) for row in REFUSED])
def test_bad_lines_are_refused_with_line_field_and_mend(line, field, words):
    with pytest.raises(BadFile, match=words) as caught:
        regions(f"# x\n1\t1\t2\n{line}\n1\t5\t6\n")
    assert (caught.value.line_1based, caught.value.field) == (3, field)
    assert caught.value.mend


def test_an_empty_file_is_refused():
    with pytest.raises(BadFile, match="empty"):
        regions("")


def test_the_demo_files_are_read(root):
    found = regions((root / "data" / "demo" / "bed" / "brca1.GRCh38.bed").read_bytes())
    assert found == {17: [(43044294, 43125364)]}
