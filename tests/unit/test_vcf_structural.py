"""Structural records of a VCF: what kind they are, how far they reach, and who has them."""

from __future__ import annotations

from typing import Any

import pytest

from app.config import Settings
from app.errors import BadFile
from app.formats.vcf_structural import StructuralRow
from app.records import StructuralKind, Zygosity
from app.variants.extent import Extent
from tests.vcf_files import MANY, ReadFile, in_many, read, vcf

END = 248_956_422
"""Bases of chromosome 1 of GRCh38"""
DEL, DUP, INV, INS, CNV, BND = StructuralKind
LONG = "C" * 60


def rows_of(found: ReadFile) -> list[StructuralRow]:
    return [row for block in found.blocks for row in block.structural]


def one(record: str, **options: Any) -> StructuralRow:
    found = read(vcf(record), **options)
    assert not found.counts
    [row] = rows_of(found)
    return row


def genotypes(found: ReadFile, row: StructuralRow) -> list[tuple[str, Zygosity]]:
    called = [found.reader.genotypes[number] for number in row.genotypes]
    return [(genotype.text, genotype.zygosity) for genotype in called]


# --- kinds and extents ------------------------------------------------------------------------------------------------

FORMS = [
    ("DEL by END", "N <DEL> . . SVTYPE=DEL;END=200", DEL, Extent(99, 200, 99, 200, 99, 200)),
    ("DEL by SVLEN", "N <DEL> . . SVTYPE=DEL;SVLEN=-100", DEL, Extent(99, 200, 99, 200, 99, 200)),
    ("DUP by a SVLEN for each ALT", "N <DUP> . . SVLEN=100", DUP, Extent(99, 200, 99, 200, 99, 200)),
    ("no SVTYPE", "N <DUP:TANDEM> . . END=200", DUP, Extent(99, 200, 99, 200, 99, 200)),
    ("both ends uncertain", "N <INV> . . END=200;CIPOS=-5,7;CIEND=-11,13", INV, Extent(99, 200, 94, 213, 106, 189)),
    ("uncertainties meet", "N <DEL> . . END=120;CIPOS=-5,15;CIEND=-9,0", DEL, Extent(99, 120, 94, 120)),
    ("uncertainty as dots", "N <DEL> . . END=200;CIPOS=.,.;CIEND=.", DEL, Extent(99, 200, 99, 200, 99, 200)),
    ("clipped", f"N <DEL> . . END={END};CIPOS=-500,0;CIEND=0,9", DEL, Extent(99, END, 0, END, 99, END)),
    ("CN0 without SVTYPE", "N <CN0> . . END=200", CNV, Extent(99, 200, 99, 200, 99, 200)),
    ("CN0 of a deletion", "N <CN0> . . END=200;SVTYPE=DEL", DEL, Extent(99, 200, 99, 200, 99, 200)),
    ("CN0 that is said to be inserted", "N <CN0> . . END=200;SVTYPE=INS", CNV, Extent(99, 200, 99, 200, 99, 200)),
    ("CNV as SVTYPE of a narrower ALT", "N <DUP> . . END=200;SVTYPE=CNV", DUP, Extent(99, 200, 99, 200, 99, 200)),
    ("symbolic INS", "A <INS> . . SVTYPE=INS;SVLEN=300", INS, Extent(100, 100, 100, 100)),
    ("INS:ME", "A <INS:ME:ALU> . . SVTYPE=ALU;END=107", INS, Extent(100, 100, 100, 100)),
    ("uncertain INS", "A <INS> . . CIPOS=-3,4;CIEND=-3,6", INS, Extent(100, 100, 97, 106)),
    ("INS of bases", "AG AGTT . . SVTYPE=INS", INS, Extent(101, 101, 101, 101)),
    ("INS for bases", "AGG ATTTTG . . SVTYPE=INS", INS, Extent(100, 101, 100, 101, 100, 101)),
    ("DEL of bases", "AGG A . . SVTYPE=DEL", DEL, Extent(99, 102, 99, 102, 99, 102)),
    ("DEL of bases that are not named", "NNN N . . SVTYPE=DEL", DEL, Extent(99, 102, 99, 102, 99, 102)),
    ("uncertain DEL of bases", "AGG A . . CIPOS=0,1", DEL, Extent(99, 102, 99, 102, 100, 102)),
    ("breakend", "A A[chr1:200[ . . SVTYPE=BND", BND, Extent(99, 100, 99, 100, 99, 100)),
    ("uncertain breakend", "A ]chrUn:2]A . . CIPOS=-2,2", BND, Extent(99, 100, 97, 102)),
    ("breakend that may lie before", "A ]chrUn:2]A . . CIPOS=-2,0", BND, Extent(99, 100, 97, 100)),
    ("breakend without a mate", "A A. . . .", BND, Extent(99, 100, 99, 100, 99, 100)),
    ("translocation as a symbol", "N <TRA> . . SVTYPE=TRA;END=5", BND, Extent(99, 100, 99, 100, 99, 100)),
]


@pytest.mark.parametrize(("record", "kind", "extent"), [pytest.param(*form[1:], id=form[0]) for form in FORMS])
def test_forms_of_structural_records(record: str, kind: StructuralKind, extent: Extent) -> None:
    allele = one(f"chr1 100 . {record} GT 0/1").allele

    assert (allele.kind, allele.extent) == (kind, extent)
    assert not allele.also_simple


def test_telomeres_are_the_outermost_bases() -> None:
    assert one("chr1 0 . N .[chr1:9[ . . . GT 1").allele.extent.start == 0
    assert one(f"chr1 {END + 1} . N ]chr1:9]. . . . GT 1").allele.extent == Extent(
        END - 1, END, END - 1, END, END - 1, END
    )
    assert one("chr1 0 . N <DEL> . . END=50 GT 1").allele.extent.start == 0


def test_uncertainty_may_be_given_for_each_allele() -> None:
    found = read(
        vcf("chr1 100 . N <DEL>,<DUP> . . END=200,200;SVLEN=-100,100;CIPOS=0,1,0,2 GT 1/2".replace(",200;", ";"))
    )

    assert [row.allele.extent.inner_start for row in rows_of(found)] == [100, 101]


@pytest.mark.parametrize(
    ("alts", "info", "ends"),
    [
        ("<DEL>,<DUP>", "END=300;SVLEN=100,200", [200, 300]),
        ("<DEL>,<DEL:ME>", "END=300;SVLEN=-100,-200", [200, 300]),
        ("<DEL>,<DUP>", "SVLEN=100,200", [200, 300]),
        ("<DEL>,<DUP>", "END=300;SVLEN=100,.", [200, 300]),
        # One value for two alleles, none at all, and a gain of copies that counts the bases of each copy.
        ("<DEL>,<DUP>", "END=300;SVLEN=100", [300, 300]),
        ("<CN0>,<CN2>", "END=300;SVTYPE=CNV", [300, 300]),
        ("<CN0>,<CN4>", "END=200;SVTYPE=CNV;SVLEN=100,200", [200, 200]),
        ("<DEL>,<INV>", "END=200;SVLEN=100,0", [200, 200]),
        ("<DEL>,N", "END=300;SVTYPE=DEL", [300, 103]),
    ],
)
def test_each_allele_of_a_record_ends_where_it_says_itself(alts: str, info: str, ends: list[int]) -> None:
    found = read(vcf(f"chr1 100 . NNNN {alts} . . {info} GT 1/2"))

    assert [row.allele.extent.end for row in rows_of(found)] == ends


def test_one_allele_ends_at_end_whatever_its_length() -> None:
    assert one("chr1 100 . N <DEL> . . END=300;SVLEN=-100 GT 0/1").allele.extent.end == 300


def test_an_insertion_needs_neither_end_nor_length_and_what_takes_bases_needs_one() -> None:
    records = [f"chr1 {at} . N {alt} . . . GT 0/1" for at, alt in ((100, "<INS>"), (200, "<INS:ME:ALU>"))]
    refused = [f"chr1 {at} . N <{kind}> . . . GT 0/1" for at, kind in ((300, "DEL"), (400, "DUP"), (500, "CNV"))]
    found = read(vcf(*records, "chr1 250 . N N[chr1:900[ . . . GT 0/1", *refused))

    assert [(row.allele.extent, row.allele.length) for row in rows_of(found)] == [
        (Extent(100, 100, 100, 100), -1),
        (Extent(200, 200, 200, 200), -1),
        (Extent(249, 250, 249, 250, 249, 250), -1),
    ]
    assert found.counts == {"structural-end": 3}


def test_alleles_and_names_are_kept_as_reported() -> None:
    allele = one("chr1 100 bnd_1 a a[chrM:200[ . . SVTYPE=BND;MATEID=bnd_2;EVENT=e;IMPRECISE;CN=3.50 GT 0/1").allele

    assert (allele.ref, allele.alt, allele.imprecise) == ("A", "a[chrM:200[", True)
    assert (allele.name, allele.mate, allele.event, allele.copy_number) == ("bnd_1", "bnd_2", "e", "3.5")
    plain = one("chr1 100 id_1 N <DEL> . . END=200;EVENT=e GT 0/1").allele
    assert (plain.name, plain.mate, plain.event, plain.length) == ("", "", "", -1)


@pytest.mark.parametrize(
    ("record", "length"), [("N <INS> . . SVLEN=300", 300), ("N <INS> . . .", -1), ("A AGGG . . SVTYPE=INS", 3)]
)
def test_length_of_an_insertion(record: str, length: int) -> None:
    assert one(f"chr1 100 . {record} GT 0/1").allele.length == length


# --- simple, structural or both ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("samples", [("S1",), ("S1", "S2"), MANY], ids=["one", "two", "many"])
@pytest.mark.parametrize(("alleles", "kind"), [(f"A A{LONG}", INS), (f"A{LONG} A", DEL)], ids=["INS", "DEL"])
def test_long_exact_alleles_are_both(samples: tuple[str, ...], alleles: str, kind: StructuralKind) -> None:
    found = read(vcf(f"chr1 100 . {alleles} . . . GT {' '.join(['0/1'] * len(samples))}", samples=samples))

    [row] = rows_of(found)
    assert (row.allele.kind, row.allele.also_simple, row.samples) == (kind, True, list(range(len(samples))))
    assert [call.sample for call in found.calls] == row.samples


@pytest.mark.parametrize(("bases", "rows"), [(49, 0), (50, 1)])
def test_length_from_which_alleles_are_structural_too(bases: int, rows: int) -> None:
    found = read(vcf(f"chr1 100 . A A{'C' * bases} . . . GT 0/1", f"chr1 300 . A{'C' * bases} A . . . GT 0/1"))

    assert (len(found.calls), len(rows_of(found))) == (2, 2 * rows)


def test_the_length_is_a_setting() -> None:
    record = "chr1 100 . A ACC . . . GT 0/1"
    assert len(rows_of(read(vcf(record), settings=Settings(sv_min_len=2)))) == 1
    assert len(rows_of(read(vcf(record), settings=Settings(sv_min_len=3)))) == 0


@pytest.mark.parametrize("info", ["SVTYPE=INS", "CIPOS=-1,1"])
def test_svtype_or_uncertainty_leave_no_simple_variant(info: str) -> None:
    found = read(vcf(f"chr1 100 . A A{LONG} . . {info} GT 0/1"))

    assert (len(found.calls), len(rows_of(found))) == (0, 1)


@pytest.mark.parametrize("samples", [("S1", "S2"), MANY], ids=["two", "many"])
def test_simple_and_symbolic_alleles_of_one_record_part(samples: tuple[str, ...]) -> None:
    cells = " ".join(["1/2", "2/2", *["0/0"] * (len(samples) - 2)])
    found = read(vcf(f"chr1 100 . A G,<DEL> . . END=200 GT {cells}", samples=samples))

    assert [(call.alt, call.sample) for call in found.calls] == [("G", 0)]
    [row] = rows_of(found)
    assert (row.allele.alt, row.samples) == ("<DEL>", [0, 1])
    assert genotypes(found, row) == [("1/2", Zygosity.HETEROZYGOUS), ("2/2", Zygosity.HOMOZYGOUS)]


def test_each_symbolic_allele_is_a_row() -> None:
    found = read(vcf("chr1 100 . A <CN0>,<CN2> . . SVTYPE=CNV;END=200 GT 1/2 0/2", samples=("S1", "S2")))

    assert [(row.allele.alt, row.samples) for row in rows_of(found)] == [("<CN0>", [0]), ("<CN2>", [0, 1])]


def test_a_block_may_have_structural_rows_only() -> None:
    found = read(vcf("chr1 100 . N <DEL> . . END=200 GT 0/1", "chrX 100 . N <DEL> . . END=200 GT 1"))

    assert [(block.contig, len(block.positions), len(block.structural)) for block in found.blocks] == [
        (1, 0, 1),
        (23, 0, 1),
    ]


def test_structural_rows_fill_a_block() -> None:
    records = [f"chr1 {at} . N <DEL> . . END={at + 50} GT 0/1" for at in range(100, 110)]
    found = read(vcf(*records), max_records=4)

    assert [len(block.structural) for block in found.blocks] == [4, 4, 2]
    assert [block.next_record for block in found.blocks] == [4, 8, 10]


def test_filters_are_kept_on_request() -> None:
    record = "chr1 100 . N <DEL> . q10 END=200 GT 0/1"
    assert read(vcf(record)).counts == {"filtered": 1}
    [row] = rows_of(read(vcf(record), keep_filtered=True))
    assert (row.filters, row.line_1based) == ("q10", 11)


# --- numbers of copies ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("info", "cell", "copies"),
    [
        ("", "0/1:3", "3"),
        ("CN=4;", "0/1:3", "3"),
        ("CN=4;", "0/1:.", "4"),
        ("CN=4;", "0/1", "4"),
        ("", "0/1", ""),
        ("", "0/1:2.70", "2.7"),
    ],
)
def test_copies_of_the_sample_come_before_those_of_the_record(info: str, cell: str, copies: str) -> None:
    assert one(f"chr1 100 . N <DUP> . . {info}END=200 GT:CN {cell}").copy_numbers == [copies]


@pytest.mark.parametrize("cells", ["{}", "{} ./.:2"], ids=["one", "two"])
@pytest.mark.parametrize("alt", ["DEL:1", "DEL:0", "DUP:3", "CNV:1", "CNV:5"])
def test_copies_alone_show_what_no_genotype_tells(alt: str, cells: str) -> None:
    kind, copies = alt.split(":")
    names = ("S1", "S2")[: cells.count(":") + 1]
    found = read(vcf(f"chr1 100 . N <{kind}> . . END=200 GT:CN {cells.format(f'./.:{copies}')}", samples=names))

    [row] = rows_of(found)
    assert (row.samples, row.copy_numbers) == ([0], [copies])
    assert [zygosity for _, zygosity in genotypes(found, row)] == [Zygosity.UNKNOWN]


def test_copies_alone_are_seen_in_wide_files_and_without_genotypes() -> None:
    wide = read(vcf(f"chr1 100 . N <CNV> . . END=200 GT:CN {in_many('./.:4')}", samples=MANY))
    bare = read(vcf("chr1 100 . N <CNV> . . END=200 CN 4"))

    assert [row.samples for row in rows_of(wide)] == [[4]]
    assert [row.samples for row in rows_of(bare)] == [[0]]


@pytest.mark.parametrize(
    "record",
    [
        pytest.param("chr1 100 . N <CNV> . . END=200 GT:CN ./.:2", id="as many as is normal"),
        pytest.param("chr1 100 . N <DEL> . . END=200 GT:CN ./.:3", id="more, where a deletion is asked"),
        pytest.param("chr1 100 . N <DUP> . . END=200 GT:CN ./.:1", id="fewer, where a duplication is asked"),
        pytest.param("chr1 100 . N <CNV> . . END=200 GT:CN ./.:2.4", id="no whole number"),
        pytest.param("chrX 100 . N <CNV> . . END=200 GT:CN ./.:1", id="what is normal depends on the sex"),
        pytest.param("chr1 100 . N <INV> . . END=200 GT:CN ./.:3", id="no kind that changes the number"),
        pytest.param("chr1 100 . N <DEL>,<DUP> . . END=200 GT:CN ./.:3", id="two alleles to choose from"),
        pytest.param(f"chr1 100 . A{LONG} A . . . GT:CN ./.:1", id="a simple variant needs a genotype"),
    ],
)
def test_copies_that_do_not_tell(record: str) -> None:
    found = read(vcf(record))

    assert (found.counts, rows_of(found), found.calls) == ({"no-call": 1}, [], [])


def test_a_reference_genotype_is_not_overruled_by_copies() -> None:
    assert read(vcf("chr1 100 . N <DEL> . . END=200 GT:CN 0/0:1")).counts == {"all-reference": 1}


# --- errors -----------------------------------------------------------------------------------------------------------

BAD = [
    ("END before POS", "chr1 100 . N <DEL> . . END=98 GT 0/1", r"line 11, INFO/END: the event ends \(98\) before POS"),
    ("END beyond the chromosome", f"chr1 100 . N <DEL> . . END={END + 1} GT 0/1", "INFO/END: .* after the last base"),
    (
        "POS beyond the chromosome",
        f"chr1 {END + 2} . N <DEL> . . END=5 GT 0/1",
        "line 11, POS: it is beyond the last base",
    ),
    ("END that is no number", "chr1 100 . N <DEL> . . END=x GT 0/1", "INFO/END: x is no whole number. Write digits"),
    ("SVLEN that is no number", "chr1 100 . N <DEL> . . SVLEN=1e3 GT 0/1", "INFO/SVLEN: 1e3 is no whole number"),
    ("CIPOS of one number", "chr1 100 . N <DEL> . . END=200;CIPOS=5 GT 0/1", "INFO/CIPOS: 5 is no pair of numbers"),
    ("CIEND of words", "chr1 100 . N <DEL> . . END=200;CIEND=a,b GT 0/1", "INFO/CIEND: a,b is no pair"),
    ("INFO/CN", "chr1 100 . N <DUP> . . END=200;CN=many GT 0/1", "INFO/CN: many is no number of copies"),
    ("FORMAT/CN", "chr1 100 . N <DUP> . . END=200 GT:CN 0/1:-1", r"CN \(column 10\): -1 is no number of copies"),
    ("MATEID too long", f"chr1 100 . N N[chr1:9[ . . MATEID={'m' * 201} GT 0/1", "INFO/MATEID: the name is longer"),
    ("ID too long", f"chr1 100 {'m' * 201} N N[chr1:9[ . . . GT 0/1", "line 11, ID: the name is longer"),
    ("genotype", "chr1 100 . N <DEL> . . END=200 GT 0/2", "names allele 2, but the record has 1 ALT"),
    ("too many values in a cell", "chr1 100 . N <DEL> . . END=200 GT 0/1:3", "more values than FORMAT has keys"),
]


@pytest.mark.parametrize(("record", "words"), [pytest.param(*row[1:], id=row[0]) for row in BAD])
def test_damaged_records_refuse_the_file(record: str, words: str) -> None:
    with pytest.raises(BadFile, match=words):
        read(vcf(record))
