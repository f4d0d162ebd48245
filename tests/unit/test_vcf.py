"""The VCF reader: what it makes of genotypes, fields, samples, headers and files, and what it leaves out and counts."""

from __future__ import annotations

import io
import os
import random
from itertools import pairwise
from pathlib import Path

import pytest

from app.config import Settings
from app.errors import BadFile
from app.formats.genotype import Genotype
from app.formats.vcf import VcfReader
from app.formats.vcf_tally import LINES_KEPT, REASONS
from app.records import Build, Zygosity
from app.variants.accessions import MT, X
from tests.vcf_files import HEADER_LINES, MANY, bgzf, gzipped, header, in_many, read, vcf
from tests.vcf_random import random_vcf

FIRST = HEADER_LINES + 1
UNKNOWN, HET, HOM, HEMI = Zygosity.UNKNOWN, Zygosity.HETEROZYGOUS, Zygosity.HOMOZYGOUS, Zygosity.HEMIZYGOUS


def one(record, samples=("S1",), **options):
    return read(vcf(record, samples=samples), **options)


# --- what a call says -------------------------------------------------------------------------------------------------


def test_a_call_has_its_place_alleles_line_and_depths():
    (call,) = one("chr1 100 rs1 A G 50 PASS DP=9 GT:AD:DP:GQ 0/1:3,4:7:99").calls
    assert (call.contig, call.position, call.ref, call.alt, call.line_1based) == (1, 99, "A", "G", FIRST)
    assert (call.depth, call.ref_depth, call.alt_depth, call.allele_depths) == (7, 3, 4, 7)
    assert (call.frequency, call.phase_set) == (None, -1)
    assert call.genotype == Genotype("0/1", 1, HET, phased=False)


def test_alleles_are_written_in_capitals():
    (call,) = one("chr1 100 . acg aT . . . GT 0/1").calls
    assert (call.ref, call.alt) == ("ACG", "AT")


GENOTYPES = [
    ("0/1", [(1, HET, False)]),
    ("0|1", [(1, HET, True)]),
    ("1|0", [(1, HET, True)]),
    ("1/1", [(1, HOM, False)]),
    ("2|2", [(2, HOM, True)]),
    ("1/2", [(1, HET, False), (2, HET, False)]),
    ("2|1", [(1, HET, True), (2, HET, True)]),
    ("1", [(1, HEMI, False)]),
    ("./1", [(1, UNKNOWN, False)]),
    ("1|.", [(1, UNKNOWN, True)]),
    ("1/.", [(1, UNKNOWN, False)]),
    ("0/0/1", [(1, HET, False)]),
    ("1/1/1/1", [(1, HOM, False)]),
    ("0|1/1", [(1, HET, False)]),
    ("0|0|2", [(2, HET, True)]),
    ("|0|1", [(1, HET, True)]),
    ("/0|1", [(1, HET, False)]),
    ("|1", [(1, HEMI, True)]),
    ("/1", [(1, HEMI, False)]),
    ("0/0", []),
    ("0", []),
    (".", []),
    ("./.", []),
    ("./0", []),
]


@pytest.mark.parametrize(("text", "expected"), GENOTYPES, ids=[text for text, _ in GENOTYPES])
@pytest.mark.parametrize("file", ["one sample", "two samples", "many samples"])
def test_the_genotype_decides_alleles_zygosity_and_phase(text, expected, file):
    samples, cells, place = {
        "one sample": (("S1",), text, 0),
        "two samples": (("S0", "S1"), f"0/0 {text}", 1),
        "many samples": (MANY, in_many(text), 4),
    }[file]
    found = one(f"chr1 100 . A C,G . . . GT {cells}", samples).calls
    got = [(call.genotype.allele, call.genotype.zygosity, call.genotype.phased) for call in found]
    assert got == expected
    assert all(call.sample == place and call.genotype.text == text for call in found)
    assert [call.alt for call in found] == ["_CG"[allele] for allele, _, _ in expected]


MITOCHONDRIAL = [
    ("GT:AF", "0/1:0.991", Zygosity.HOMOPLASMIC),
    ("GT:AF", "1/1:0.99", Zygosity.HETEROPLASMIC),
    ("GT:AD", "1:1,199", Zygosity.HOMOPLASMIC),
    ("GT:AD", "1:2,98", Zygosity.HETEROPLASMIC),
    ("GT:AD:DP", "1:.,10:20", Zygosity.HETEROPLASMIC),
    ("GT:AF:AD", "1:0.5:0,100", Zygosity.HETEROPLASMIC),
    ("GT:AD:DP", "1:0,0:0", Zygosity.UNKNOWN),
    ("GT:DP", "1:20", Zygosity.UNKNOWN),
    ("GT", "1/1", Zygosity.UNKNOWN),
    ("GT:AF", "./1:1", Zygosity.UNKNOWN),
]


@pytest.mark.parametrize(("keys", "cell", "zygosity"), MITOCHONDRIAL)
@pytest.mark.parametrize("samples", [("S1",), MANY], ids=["one sample", "many samples"])
def test_a_mitochondrial_call_is_judged_by_its_frequency(keys, cell, zygosity, samples):
    cells = cell if samples == ("S1",) else in_many(cell)
    (call,) = one(f"chrM 100 . A G . . . {keys} {cells}", samples).calls
    assert (call.contig, call.genotype.zygosity) == (MT, zygosity)


def test_every_sample_has_its_own_homoplasmy_threshold():
    data = vcf("chrM 100 . A G . . . GT:AF 1:0.95 1:0.95", samples=("S1", "S2")).encode()
    reader = VcfReader(io.BytesIO(data), "x", Build.GRCH38, Settings())
    (block,) = reader.blocks([0, 1], keep_filtered=False, homoplasmic_above=[0.9, 0.99])
    found = [reader.genotypes[number].zygosity for number in block.genotype]
    assert found == [Zygosity.HOMOPLASMIC, Zygosity.HETEROPLASMIC]


FIELDS = [
    ("GT:AF", "0/1:0.25", {"frequency": 0.25}),
    ("GT:AF", "0/1:1e-3", {"frequency": 0.001}),
    ("GT:AF", "0/1:.", {"frequency": None}),
    ("GT:AF", "0/1:nan", {"frequency": None}),
    ("GT:AF", "0/1:0.25,0.5", {"frequency": None}),
    ("GT:DP", "0/1:.", {"depth": -1}),
    ("GT:DP", "0/1", {"depth": -1}),
    ("GT:DP:AD", "0/1:7", {"depth": 7, "alt_depth": -1}),
    ("GT:AD", "0/1:.", {"ref_depth": -1, "alt_depth": -1}),
    ("GT:AD", "0/1:5,.", {"ref_depth": 5, "alt_depth": -1, "allele_depths": -1}),
    ("GT:AD", "0/1:5", {"ref_depth": -1, "alt_depth": -1}),
    ("GT:PS", "0|1:1234", {"phase_set": 1234}),
    ("GT:PS", "0|1:.", {"phase_set": -1}),
    ("GT:PS", "0|1:block_7", {"phase_set": -1}),
    ("GT:PS", "0|1:99999999999999999999", {"phase_set": -1}),
    ("DP:GT", "7:0/1", {"depth": 7}),
]


@pytest.mark.parametrize(("keys", "cell", "expected"), FIELDS, ids=[f"{keys} {cell}" for keys, cell, _ in FIELDS])
@pytest.mark.parametrize("samples", [("S1",), ("S1", "S2"), MANY], ids=["one", "two", "many"])
def test_fields_of_a_cell(keys, cell, expected, samples):
    rest = " ".join([".:0/0" if keys.startswith("DP") else "0/0"] * (len(samples) - 1))
    (call,) = one(f"chr1 100 . A G . . . {keys} {cell} {rest}", samples).calls
    assert {name: getattr(call, name) for name in expected} == expected


def test_each_alt_has_its_own_depth_and_share():
    calls = one("chr1 100 . A C,G . . . GT:AD:AF 1/2:1,20,30:0.4,0.6").calls
    assert [(call.alt, call.alt_depth, call.frequency) for call in calls] == [("C", 20, 0.4), ("G", 30, 0.6)]
    assert [(call.ref_depth, call.allele_depths) for call in calls] == [(1, 51), (1, 51)]


def test_allele_depths_declared_otherwise_are_not_used():
    text = vcf("chr1 100 . A G . . . GT:AD 1/0:10,15").replace("ID=AD,Number=R", "ID=AD,Number=2")
    found = read(text)
    assert [call.alt_depth for call in found.calls] == [-1]
    assert "FORMAT/AD" in found.reader.header.warnings[0]


# --- what is left out and counted -------------------------------------------------------------------------------------

LEFT_OUT = [
    ("filtered", "chr1 100 . A G . LowQual . GT 0/1"),
    ("filtered", "chr1 100 . A G . q10;s50 . GT 0/1"),
    ("other-contig", "chr1_KI270706v1_random 100 . A G . . . GT 0/1"),
    ("structural-type", "chr1 100 . A <CPX> . . SVTYPE=CPX;END=200 GT 0/1"),
    ("structural-type", "chr1 100 . AT GC . . CIPOS=-1,1 GT 0/1"),
    ("structural-contradicts", "chr1 100 . A <DEL> . . SVTYPE=DUP;END=200 GT 0/1"),
    ("structural-contradicts", "chr1 100 . AT A . . SVTYPE=INS GT 0/1"),
    ("structural-end", "chr1 100 . A <DEL> . . SVTYPE=DEL GT 0/1"),
    ("structural-end", "chr1 100 . A <INV> . . END=.;SVLEN=. GT 0/1"),
    ("repeated-alternate", "chr1 100 . A <DEL>,<DEL> . . END=200 GT 1/2"),
    ("all-reference", "chr1 100 . A <DEL> . . END=200 GT 0/0"),
    ("no-call", "chr1 100 . A <DEL> . . END=200 GT ./."),
    ("no-genotype", "chr1 100 . A <DEL> . . END=200 DP 7"),
    ("spanning-deletion", "chr1 100 . A * . . . GT 0/1"),
    ("spanning-deletion", "chr1 100 . A G,* . . . GT 0/2"),
    ("unnamed-allele", "chr1 100 . A G,<NON_REF> . . . GT 0/2"),
    ("reference-block", "chr1 100 . A <NON_REF> . . END=200 GT 0/0"),
    ("reference-block", "chr1 100 . a <*> . . END=200 GT 0/0"),
    ("no-alternate", "chr1 100 . A . . . . GT 0/0"),
    ("no-alternate", "chr1 100 . AT . . . . GT 0/0"),
    ("all-reference", "chr1 100 . A G . . . GT 0/0"),
    ("all-reference", "chr1 100 . A G . . . GT 0"),
    ("no-call", "chr1 100 . A G . . . GT ./."),
    ("no-call", "chr1 100 . A G . . . GT ."),
    ("no-call", "chr1 100 . A G . . . GT ./0"),
    ("no-genotype", "chr1 100 . A G . . . DP 7"),
    ("no-genotype", "chr1 100 . A G . . . . ."),
    ("allele-letters", "chr1 100 . R G . . . GT 0/1"),
    ("allele-letters", "chr1 100 . A G,Y . . . GT 0/1"),
    ("n-only", "chr1 100 . N G . . . GT 0/1"),
    ("n-only", "chr1 100 . A N . . . GT 0/1"),
    ("same-as-reference", "chr1 100 . A a . . . GT 0/1"),
    ("repeated-alternate", "chr1 100 . A G,G . . . GT 1/2"),
]


@pytest.mark.parametrize(("reason", "record"), LEFT_OUT, ids=[record for _, record in LEFT_OUT])
@pytest.mark.parametrize("samples", [("S1",), ("S1", "S2"), MANY], ids=["one", "two", "many"])
def test_records_left_out_are_counted_with_their_lines(reason, record, samples):
    cell = record.split()[-1]
    found = one(" ".join([record, *[cell] * (len(samples) - 1)]), samples)
    assert not found.calls
    (entry,) = found.reader.tally.entries.values()
    assert (entry.reason, entry.count, entry.lines_1based) == (reason, 1, [FIRST])
    assert entry.text == REASONS[reason]


KEPT = [
    ("CIPOS that is zero is exact", "chr1 100 . AT A . . CIPOS=0,0;CIEND=0,0 GT 0/1", ["A"]),
    ("words that only look structural", "chr1 100 . AT A . . OLDSVTYPE=x;ACIPOS=1,2 GT 0/1", ["A"]),
    ("the sequence allele beside a symbolic one", "chr1 100 . A G,<DEL> . . . GT 1/1", ["G"]),
    ("the sequence allele beside NON_REF", "chr1 100 . A G,<NON_REF> . . . GT 0/1", ["G"]),
    ("a missing filter", "chr1 100 . A G . . . GT 0/1", ["G"]),
    ("an N within", "chr1 100 . ANG A . . . GT 0/1", ["A"]),
    ("the last base of the chromosome", "chr1 248956422 . A G . . . GT 0/1", ["G"]),
]


@pytest.mark.parametrize(("record", "alts"), [pytest.param(*row[1:], id=row[0]) for row in KEPT])
def test_records_that_are_kept(record, alts):
    found = one(record)
    assert [call.alt for call in found.calls] == alts
    assert not found.counts


def test_both_alleles_of_a_mixed_record_count_once_for_their_reasons():
    found = read(vcf("chr1 100 . A G,*,<DEL> . . . GT 1/2 2/3", samples=("S1", "S2")))
    assert [(call.alt, call.sample) for call in found.calls] == [("G", 0)]
    assert found.counts == {"spanning-deletion": 1, "structural-end": 1}


def test_a_tally_keeps_the_first_lines_only():
    found = read(vcf(*["chr1 100 . A G . q . GT 0/1"] * 50))
    entry = found.reader.tally.entries["filtered"]
    assert entry.count == 50
    assert entry.lines_1based == list(range(FIRST, FIRST + LINES_KEPT))


def test_filtered_records_are_kept_on_request_with_their_filters():
    text = vcf("chr1 1 . A G . PASS . GT 0/1", "chr1 2 . A G . q10 . GT 0/1", "chr1 3 . A G . . . GT 0/1")
    (block,) = read(text, keep_filtered=True).blocks
    assert block.filters == ["PASS", "q10", "."]


def test_filters_are_none_when_everything_passed():
    text = vcf("chr1 1 . A G . PASS . GT 0/1", "chr1 3 . A G . . . GT 0/1")
    assert [block.filters for block in read(text, keep_filtered=True).blocks] == [None]


# --- samples ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("width", [3, 70])
def test_only_chosen_samples_are_read_in_the_chosen_order(width):
    names = MANY[:width]
    cells = ["0/0"] * width
    cells[0], cells[2] = "garbage", "1/1"
    cells[1] = "0/1"
    found = read(vcf(f"chr1 9 . A G . . . GT {' '.join(cells)}", samples=names), [2, 1])
    assert [(call.sample, call.genotype.text) for call in found.calls] == [(0, "1/1"), (1, "0/1")]
    assert found.reader.chosen == ("S2", "S1")


def test_one_sample_of_a_trio_reads_as_its_own_file():
    rng = random.Random(5)
    text = random_vcf(rng, 3, 400)
    for place in range(3):
        alone = "".join(
            line
            if line.startswith("##")
            else "\t".join([*line.split("\t")[:9], line[:-1].split("\t")[9 + place]]) + "\n"
            for line in text.splitlines(keepends=True)
        )
        assert read(text, [place]).calls == read(alone).calls


def test_a_wide_file_reads_as_its_columns_do_in_narrow_files():
    rng = random.Random(6)
    text = random_vcf(rng, 70, 150)
    lines = [line.split("\t") for line in text.splitlines() if not line.startswith("##")]
    meta = "".join(line for line in text.splitlines(keepends=True) if line.startswith("##"))
    wide = read(text)
    for low in range(0, 70, 35):
        narrow = meta + "".join("\t".join([*line[:9], *line[9 + low : 44 + low]]) + "\n" for line in lines)
        calls = [call for call in wide.calls if low <= call.sample < low + 35]
        expected = read(narrow).calls
        assert [(c.position, c.alt, c.sample - low, c.genotype, c.depth, c.frequency) for c in calls] == [
            (c.position, c.alt, c.sample, c.genotype, c.depth, c.frequency) for c in expected
        ]


def test_columns_of_other_widths_leave_the_fast_way():
    alts = ",".join("A" + "C" * number for number in range(1, 12))
    cells = ["0|0"] * 70
    cells[0], cells[33], cells[69] = "0|11", "1", "10/2"
    found = read(vcf(f"chr1 9 . A {alts} . . . GT {' '.join(cells)}", samples=MANY))
    got = [(call.sample, call.genotype.text, len(call.alt) - 1) for call in found.calls]
    assert got == [(33, "1", 1), (69, "10/2", 2), (69, "10/2", 10), (0, "0|11", 11)]


def test_a_line_of_the_right_length_with_other_columns_is_read_right():
    # Cells of four and of two characters are together as long as two of three.
    cells = ["0|0"] * 70
    cells[3], cells[4], cells[5] = "0|10", "01", "0/1"
    alts = ",".join("A" + "C" * number for number in range(1, 12))
    found = read(vcf(f"chr1 9 . A {alts} . . . GT {' '.join(cells)}", samples=MANY))
    assert {(call.sample, call.genotype.text) for call in found.calls} == {(3, "0|10"), (4, "01"), (5, "0/1")}


# --- blocks and resuming ----------------------------------------------------------------------------------------------


def test_blocks_end_with_their_contig_and_keep_the_order_of_the_file():
    places = [("chr1", 9), ("chr1", 5), ("chrX", 4), ("chr1", 7)]
    text = vcf(*[f"{name} {pos} . A G . . . GT 0/1" for name, pos in places])
    blocks = read(text).blocks
    assert [(block.contig, block.positions.tolist()) for block in blocks] == [(1, [8, 4]), (X, [3]), (1, [6])]
    assert [(block.first_record, block.next_record) for block in blocks] == [(0, 2), (2, 3), (3, 4)]


def test_names_of_one_contig_may_change_within_a_block():
    text = vcf("chr1 9 . A G . . . GT 0/1", "1 10 . A G . . . GT 0/1", "NC_000001.11 11 . A G . . . GT 0/1")
    assert [block.positions.tolist() for block in read(text).blocks] == [[8, 9, 10]]


@pytest.mark.parametrize("samples", [1, 3, 70])
def test_blocks_have_about_the_asked_size_and_lose_nothing(samples):
    text = random_vcf(random.Random(7), samples, 300)
    whole = read(text)
    parts = read(text, max_records=20)
    assert parts.calls == whole.calls
    assert max(len(block.positions) for block in parts.blocks) <= 3 * 20
    assert len(read(text, max_genotypes=samples * 10).blocks) >= 10
    assert read(text, max_genotypes=samples * 10).calls == whole.calls
    edges = [(block.first_record, block.next_record) for block in parts.blocks]
    assert all(before[1] == after[0] for before, after in pairwise(edges))


@pytest.mark.parametrize("samples", [1, 70])
@pytest.mark.parametrize("pack", [str.encode, lambda text: bgzf(text.encode(), 500)], ids=["plain", "bgzf"])
def test_reading_goes_on_after_any_block(samples, pack):
    data = pack(random_vcf(random.Random(8), samples, 120))
    whole = read(data, max_records=15)
    for number, block in enumerate(whole.blocks):
        rest = read(data, max_records=15, skip_records=block.next_record)
        assert rest.reader.records == whole.reader.records
        expected = [call for other in whole.blocks[number + 1 :] for call in other.lines_1based]
        assert [line for other in rest.blocks for line in other.lines_1based] == expected


@pytest.mark.parametrize("end", ["\n", "", "\n\n"])
def test_the_last_record_is_read_after_a_skip_however_the_file_ends(end):
    text = vcf("chr1 9 . A G . . . GT 0/1", "chr1 11 . A G . . . GT 0/1").rstrip("\n") + end
    for skipped, positions in ((0, [8, 10]), (1, [10]), (2, [])):
        found = read(text, skip_records=skipped)
        assert [call.position for call in found.calls] == positions
        assert found.reader.records == 2


@pytest.mark.parametrize("place", [-1, 1])
def test_a_sample_that_the_file_does_not_have_is_refused(place):
    with pytest.raises(BadFile, match=f"no sample {place}"):
        read(vcf(), [place])


def test_skipping_more_records_than_there_are_yields_nothing():
    found = read(vcf("chr1 9 . A G . . . GT 0/1"), skip_records=5)
    assert (found.blocks, found.reader.records) == ([], 1)


def test_a_reader_reads_once():
    reader = VcfReader(io.BytesIO(vcf().encode()), "x", Build.GRCH38, Settings())
    assert list(reader.blocks([0], keep_filtered=False, homoplasmic_above=[0.99])) == []
    with pytest.raises(ValueError, match="once"):
        list(reader.blocks([0], keep_filtered=False, homoplasmic_above=[0.99]))


def test_columns_of_a_block_have_their_types():
    (block,) = read(vcf("chr1 9 . A G . . . GT:AD:DP 0/1:1,2:3")).blocks
    columns = ("positions", "row", "sample", "genotype", "depth", "frequency", "phase_set")
    types = [getattr(block, column).dtype.name for column in columns]
    assert types == ["int64", "int32", "int32", "uint16", "int32", "float64", "int64"]
    assert block.bytes_read == len(vcf("chr1 9 . A G . . . GT:AD:DP 0/1:1,2:3"))


# --- files ------------------------------------------------------------------------------------------------------------

TEXT = random_vcf(random.Random(9), 2, 300)
PACKED = {
    "plain": TEXT.encode(),
    "gzip": gzipped(TEXT.encode()),
    "gzip of two members": gzipped(TEXT.encode()[:5000]) + gzipped(TEXT.encode()[5000:]),
    "gzip with padding": gzipped(TEXT.encode()) + bytes(300_000),
    "BGZF": bgzf(TEXT.encode()),
    "BGZF of small blocks": bgzf(TEXT.encode(), 37),
    "BGZF joined": bgzf(TEXT.encode()[:7001]) + bgzf(TEXT.encode()[7001:]),
    "Windows line ends": TEXT.replace("\n", "\r\n").encode(),
    "no last newline": TEXT.rstrip("\n").encode(),
    "no last newline, Windows": TEXT.replace("\n", "\r\n").encode().removesuffix(b"\n"),
    "blank lines at the end": TEXT.encode() + b"\n\n\r\n",
}


@pytest.mark.parametrize("data", PACKED.values(), ids=PACKED.keys())
def test_every_packing_reads_alike(data):
    assert read(data).calls == read(TEXT).calls


def test_streams_that_give_a_few_bytes_at_a_time_read_alike():
    class Trickle(io.BytesIO):
        def read(self, size=-1):
            return super().read(min(size, 7))

        def seek(self, *_):
            raise AssertionError("nothing may seek")

    reader = VcfReader(Trickle(bgzf(TEXT.encode(), 300)), "x", Build.GRCH38, Settings())
    blocks = reader.blocks([0, 1], keep_filtered=False, homoplasmic_above=[0.99, 0.99])
    assert sum(len(block.row) for block in blocks) == len(read(TEXT).calls)


def test_a_pipe_is_read():
    read_end, write_end = os.pipe()
    with os.fdopen(write_end, "wb") as pipe:
        pipe.write(vcf("chr1 9 . A G . . . GT 0/1").encode())
    with os.fdopen(read_end, "rb") as stream:
        reader = VcfReader(stream, "standard input", Build.GRCH38, Settings())
        blocks = list(reader.blocks([0], keep_filtered=False, homoplasmic_above=[0.99]))
    assert [block.refs for block in blocks] == [["A"]]


def test_readers_leave_no_descriptors_open():
    before = len(list(Path("/dev/fd").iterdir()))
    for _ in range(20):
        read(vcf("chr1 9 . A G . . . GT 0/1"))
        with pytest.raises(BadFile):
            read(header("S1").replace("GT,Number", "GT,,Number").replace("##contig=<ID", "##contig=<<ID") + "x\n")
    assert len(list(Path("/dev/fd").iterdir())) == before


# --- headers ----------------------------------------------------------------------------------------------------------


def test_the_header_tells_version_samples_contigs_and_hints():
    text = header("S1", "Ä b", version="4.1").replace(
        "##contig=<ID=chrX", '##phasing=partial\n##reference=file:///GRCh38.fa\n##contig=<ID=HLA-A*01:01,species="a, b"'
    )
    found = read(text).reader.header
    assert (found.version, found.samples, found.n_lines) == ("4.1", ("S1", "Ä b"), HEADER_LINES + 2)
    assert found.contigs == {"chr1": 248956422, "HLA-A*01:01": 156040895, "chrM": 16569}
    assert found.phasing_declared
    assert found.assembly_hints == ("file:///GRCh38.fa",)
    assert (found.format_numbers["AD"], found.warnings) == ("R", ())


def test_a_header_that_hints_at_the_other_build_is_warned_about():
    text = vcf().replace("length=248956422", "assembly=hg19").replace(",length=156040895", "")
    (warning,) = read(text).reader.header.warnings
    assert "hg19" in warning
    assert "GRCh38" in warning


def test_phasing_that_is_denied_is_not_declared():
    text = header("S1")
    assert not read(text).reader.header.phasing_declared
    assert not read(
        text.replace("##contig=<ID=chrX", "##phasing=none\n##contig=<ID=chrX")
    ).reader.header.phasing_declared


def test_records_on_hg19_mitochondria_are_refused_but_the_rest_of_such_files_is_read():
    text = vcf("chr1 9 . A G . . . GT 0/1", build=Build.GRCH37).replace("length=16569", "length=16571")
    assert len(read(text, build=Build.GRCH37).calls) == 1
    with pytest.raises(BadFile, match="NC_001807") as caught:
        read(text + "chrM\t10\t.\tA\tG\t.\t.\t.\tGT\t1", build=Build.GRCH37)
    assert (caught.value.line_1based, caught.value.field) == (FIRST + 1, "CHROM")
