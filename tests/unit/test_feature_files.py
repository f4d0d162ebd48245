"""What public files say of genes is stored whole or not at all, in whatever order the files come."""

import gzip
import itertools
import json

import pytest

from app.errors import BadFile
from app.records import Build
from app.variants.feature_files import add_gene_features, add_gene_names
from app.variants.interval import Interval
from app.variants.transcript_files import TranscriptFiles, add_transcripts
from app.variants.transcripts import Gene, Protein
from tests.command_line import CommandLine
from tests.gene_files import COLUMNS, cds_row, gene_row, hgnc_row, mrna_row, row, write_gff3, write_hgnc
from tests.synthetic_transcripts import cdot_place, cdot_record, write_cdot

B37, B38 = Build.GRCH37, Build.GRCH38
PLACES = {B37: cdot_place(B37, [(100, 110, 0, 1, 10)]), B38: cdot_place(B38, [(1100, 1110, 0, 1, 10)])}


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "reference"


@pytest.fixture
def features(folder, tmp_path):
    """Add rows as one GFF3 file."""

    def added(*rows, name="genes.gff", **more):
        return add_gene_features(folder, write_gff3(tmp_path / name, *rows, **more))

    return added


@pytest.fixture
def names(folder, tmp_path):
    """Add rows as HGNC's list."""

    def added(*rows, name="hgnc.txt"):
        return add_gene_names(folder, write_hgnc(tmp_path / name, *rows))

    return added


@pytest.fixture
def transcripts(folder, tmp_path):
    """Add records as one cdot file."""

    def added(*records, name="given.json"):
        return add_transcripts(folder, write_cdot(tmp_path / name, *records))

    return added


def gene(folder, name):
    found = TranscriptFiles(folder).gene(name)
    assert found is not None
    return found


def content(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name != ".transcripts.lock"}


# --- genes ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["gene", "pseudogene"])
@pytest.mark.parametrize("name", ["genes.gff", "genes.gff.gz"])
def test_a_gene_has_the_range_of_its_row(features, folder, name, kind):
    report = features(gene_row("A1BG", (100, 205), hgnc=5, contig=19, kind=kind), name=name)
    assert (report.source.build, report.source.genes, report.source.name) == (B38, 1, name)
    found = gene(folder, "HGNC:5")
    assert found == gene(folder, "a1bg") == Gene("A1BG", "HGNC:5", {B38: Interval("NC_000019.10", 100, 205)})
    files = TranscriptFiles(folder)
    assert files.genes_overlapping(B38, 19, 204, 205) == [found]
    assert files.genes_overlapping(B38, 19, 205, 206) == files.genes_overlapping(B38, 19, 99, 100) == []


def test_each_build_has_its_range(features, folder):
    features(gene_row("G", (100, 200)), name="38.gff")
    features(gene_row("G", (300, 400), build=B37), name="37.gff")
    assert gene(folder, "G").spans == {
        B37: Interval("NC_000001.10", 300, 400),
        B38: Interval("NC_000001.11", 100, 200),
    }


def test_the_range_of_a_feature_file_wins_over_that_of_transcripts(features, transcripts, folder):
    transcripts(cdot_record("NM_1.1", PLACES))
    features(gene_row("GENE", (1000, 1200)))
    found = gene(folder, "GENE")
    assert found.spans == {B37: Interval("NC_000001.10", 100, 110), B38: Interval("NC_000001.11", 1000, 1200)}
    assert [item.accession for item in TranscriptFiles(folder).of_gene("HGNC:1")] == ["NM_1.1"]


def test_a_gene_without_identifier_is_that_of_its_symbol(features, transcripts, folder):
    transcripts(cdot_record("NM_1.1", PLACES))
    features(gene_row("GENE", (1000, 1200), hgnc=None), gene_row("LOC1", (5000, 6000), hgnc=None))
    assert gene(folder, "HGNC:1").spans[B38] == Interval("NC_000001.11", 1000, 1200)
    assert (gene(folder, "LOC1").symbol, gene(folder, "LOC1").hgnc) == ("LOC1", None)


def test_a_gene_of_both_sex_chromosomes_lies_on_x(features, folder):
    features(gene_row("SHOX", (700, 900), contig=24), gene_row("SHOX", (500, 600), contig=23))
    assert gene(folder, "SHOX").spans == {B38: Interval("NC_000023.11", 500, 600)}


def test_mitochondrial_genes_are_of_the_build_of_the_file(features, folder):
    features(gene_row("MT-ND1", (3306, 4262), contig=25), gene_row("G", (1, 9), hgnc=2, build=B37), name="37.gff")
    assert gene(folder, "MT-ND1").spans == {B37: Interval("NC_012920.1", 3306, 4262)}


def test_rows_on_other_sequences_and_of_other_kinds_are_passed_over(features, folder):
    report = features(
        row("region", "ID=NC_000001.11:1..248956422"),
        gene_row("G", (100, 200)),
        row("gene", "gene=ALT;Dbxref=HGNC:HGNC:9", sequence="NT_187361.1"),
        row("exon", "not looked at"),
        row("mRNA", "ID=rna-ND1;gene=ND1"),
        row("CDS", "ID=cds-1;Parent=gene-TRBV"),
        "##FASTA",
        ">NC_000001.11",
    )
    assert (report.source.genes, report.mane, report.proteins) == (1, 0, 0)
    assert TranscriptFiles(folder).gene("ALT") is None


# --- transcripts and proteins -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tag", "expected"),
    [
        ("MANE Select", "MANE Select"),
        ("RefSeq Select,MANE Plus Clinical", "MANE Plus Clinical"),
        ("MANE%20Select", "MANE Select"),
        ("RefSeq Select", None),
        ("", None),
    ],
)
def test_a_known_transcript_gets_its_mane_tag(features, transcripts, folder, tag, expected):
    transcripts(cdot_record("NM_1.1", PLACES), cdot_record("NM_1.2", PLACES))
    features(gene_row("GENE", (0, 9)), mrna_row("NM_1.2", tag=tag), mrna_row("NM_7.1", tag=tag))
    files = TranscriptFiles(folder)
    assert [getattr(files.get(name), "mane", "none") for name in ("NM_1.1", "NM_1.2", "NM_7.1")] == [
        None,
        expected,
        "none",
    ]


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        (((None, ""), (None, "")), "NM_2.1"),  # the longer one
        (((None, "MANE Select"), (None, "")), "NM_1.1"),
        (((None, "MANE Select"), ("MANE Select", "MANE Plus Clinical")), "NM_1.1"),
        (((None, "MANE Plus Clinical"), ("MANE Select", "")), "NM_2.1"),
    ],
)
def test_the_tag_of_a_feature_file_decides_which_transcript_stands_for_a_gene(
    features, transcripts, folder, tags, expected
):
    records, rows = [], [gene_row("GENE", (0, 999))]
    for name, size, (own, told) in zip(("NM_1.1", "NM_2.1"), (10, 20), tags, strict=True):
        records.append(cdot_record(name, {B38: cdot_place(B38, [(100, 100 + size, 0, 1, size)], tag=own)}))
        rows.append(mrna_row(name, tag=told))
    features(*rows)
    transcripts(*records)
    [found] = TranscriptFiles(folder).representatives(B38, 1)
    assert found.accession == expected


def test_a_protein_is_named_and_belongs_to_its_transcript(features, folder):
    parent = "rna-NM_1.2-2"
    features(
        gene_row("GENE", (0, 9)),
        mrna_row("NM_1.2", key=parent),
        cds_row("NP_1.4", parent, "kinase%2C 100%25 sure isoform a"),
        cds_row("NP_1.4", parent, "kinase%2C 100%25 sure isoform a"),
        cds_row("YP_2.1", "gene-ND1", "subunit 1"),
    )
    files = TranscriptFiles(folder)
    assert files.protein("NP_1") == Protein("NP_1.4", "kinase, 100% sure isoform a", "NM_1.2")
    assert files.protein("YP_2") == Protein("YP_2.1", "subunit 1", None)
    assert files.protein("NP_1.4") is None


def test_the_newest_version_of_a_protein_is_told_whoever_knows_it(features, transcripts, folder):
    old, new = cdot_record("NM_1.1", PLACES, protein="NP_1.2"), cdot_record("NM_1.3", PLACES, protein="NP_1.10")
    transcripts(old, cdot_record("NM_1.2", PLACES, protein="NP_1.10"), new)
    assert TranscriptFiles(folder).protein("NP_1") == Protein("NP_1.10", None, "NM_1.3")
    rows = (gene_row("GENE", (0, 9)), mrna_row("NM_1.3"), cds_row("NP_1.10", "rna-NM_1.3", "kinase"))
    features(*rows)
    assert TranscriptFiles(folder).protein("NP_1") == Protein("NP_1.10", "kinase", "NM_1.3")


def test_a_transcript_that_does_not_name_its_protein_gets_it(features, transcripts, folder):
    transcripts(cdot_record("NM_1.1", PLACES))
    features(gene_row("GENE", (0, 9)), mrna_row("NM_1.1"), cds_row("NP_1.1", "rna-NM_1.1", "kinase"))
    found = TranscriptFiles(folder).get("NM_1.1")
    assert found is not None
    assert found.protein == "NP_1.1"


# --- names ------------------------------------------------------------------------------------------------------------


def test_the_approved_symbol_wins_and_the_others_find_the_gene(names, features, transcripts, folder):
    transcripts(cdot_record("NM_1.1", PLACES) | {"gene_name": "OLDEST"})
    features(gene_row("OLD", (100, 200), synonyms="SYN1,SYN%2C2"))
    names(hgnc_row(1, "NEW", aliases="ALSO|P(k)", previous="BEFORE"))
    for name in ("NEW", "new", "HGNC:1", "OLD", "OLDEST", "SYN1", "SYN,2", "ALSO", "p(K)", "before"):
        assert gene(folder, name).symbol == "NEW"
    assert [item.accession for item in TranscriptFiles(folder).of_gene("BEFORE")] == ["NM_1.1"]


def test_a_transcript_bears_the_approved_symbol_and_the_identifier_of_its_gene(names, transcripts, folder):
    transcripts(
        cdot_record("NM_1.1", PLACES) | {"gene_name": "OLD"},
        cdot_record("ENST1.1", PLACES) | {"gene_name": "NEW", "hgnc": None},
    )
    names(hgnc_row(1, "NEW"))
    found = [TranscriptFiles(folder).get(name) for name in ("NM_1.1", "ENST1.1")]
    assert [(item.gene, item.hgnc) for item in found if item] == [("NEW", "HGNC:1"), ("NEW", "HGNC:1")]


@pytest.mark.parametrize("symbols", [("A", "Z"), ("Z", "A")])
def test_the_symbol_of_grch38_wins_over_that_of_grch37(features, folder, symbols):
    for symbol, build in zip(symbols, (B38, B37), strict=True):
        features(gene_row(symbol, (100, 200), build=build), name=f"{build}.gff")
    assert [gene(folder, name).symbol for name in (*symbols, "HGNC:1")] == [symbols[0]] * 3


def test_a_symbol_that_went_to_another_gene_names_that_gene(names, folder):
    names(hgnc_row(1, "ONE", previous="TWO"), hgnc_row(2, "TWO", aliases="ONE"))
    assert [gene(folder, name).hgnc for name in ("ONE", "TWO")] == ["HGNC:1", "HGNC:2"]


def test_a_name_of_several_genes_is_no_name_of_one(names, folder):
    names(hgnc_row(1, "ONE", aliases="AAT|X"), hgnc_row(2, "TWO", aliases="AAT"), hgnc_row(3, "THREE", previous="X"))
    files = TranscriptFiles(folder)
    assert (files.gene("AAT"), files.of_gene("AAT")) == (None, [])
    assert [item.symbol for item in files.genes_named("AAT")] == ["ONE", "TWO"]
    assert [item.symbol for item in files.genes_named("X")] == ["THREE"]  # a former symbol before another name
    assert files.genes_named("NONE") == []


def test_withdrawn_entries_are_passed_over(names, folder):
    report = names(hgnc_row(1, "ONE"), hgnc_row(2, "GONE", status="Entry Withdrawn"))
    assert report.source.genes == 1
    assert TranscriptFiles(folder).gene("GONE") is None


def test_a_gene_that_only_the_list_has_has_no_place(names, folder):
    names(hgnc_row(1, "ONE"), name="hgnc.txt.gz")
    assert gene(folder, "ONE") == Gene("ONE", "HGNC:1", {})


# --- one file after another -------------------------------------------------------------------------------------------


def test_the_order_of_files_does_not_matter(tmp_path):
    kinds = {
        "cdot": write_cdot(
            tmp_path / "a.json",
            cdot_record("NM_1.1", PLACES) | {"gene_name": "OLDEST"},
            cdot_record("ENST1.1", PLACES) | {"hgnc": None, "gene_name": "OLD37"},
            cdot_record("ENST2.1", PLACES) | {"hgnc": None, "gene_name": "LOC1"},
        ),
        "38": write_gff3(
            tmp_path / "38.gff",
            gene_row("OLD38", (1000, 1200)),
            gene_row("LOC1", (5000, 5100), hgnc=None),
            mrna_row("NM_1.1", tag="MANE Select"),
            cds_row("NP_1.1", "rna-NM_1.1", "kinase"),
        ),
        "37": write_gff3(
            tmp_path / "37.gff",
            gene_row("OLD37", (50, 150), build=B37, synonyms="S"),
            mrna_row("NM_1.1", build=B37),
            cds_row("NP_1.1", "rna-NM_1.1", "old name", build=B37),
        ),
        "hgnc": write_hgnc(tmp_path / "hgnc.txt", hgnc_row(1, "NEW", aliases="S"), hgnc_row(2, "OTHER", previous="S")),
    }
    add = {"cdot": add_transcripts, "hgnc": add_gene_names}
    seen = set()
    for number, order in enumerate(itertools.permutations(kinds)):
        folder = tmp_path / f"order-{number}"
        for kind in order:
            add.get(kind, add_gene_features)(folder, kinds[kind])
        files = TranscriptFiles(folder)
        seen.add(
            repr(
                (
                    [files.genes_named(name) for name in ("OLDEST", "OLD38", "OLD37", "NEW", "S", "LOC1", "HGNC:2")],
                    [files.get(name) for name in ("NM_1.1", "ENST1.1", "ENST2.1")],
                    [item.accession for item in files.of_gene("NEW")],
                    files.genes_overlapping(B38, 1, 0, 9999),
                    files.genes_overlapping(B37, 1, 0, 9999),
                    files.protein("NP_1"),
                    files.features,
                )
            )
        )
    [found] = seen
    assert "Gene(symbol='NEW'" in found
    assert "['ENST1.1', 'NM_1.1']" in found
    assert "mane='MANE Select'" in found
    assert "name='kinase'" in found


def test_the_same_file_again_adds_nothing(features, names, folder):
    features(gene_row("G", (100, 200)))
    names(hgnc_row(1, "G"))
    before = content(folder)
    again = features(gene_row("G", (100, 200)), name="other-name.gff")
    assert (again.already_there, again.source.name) == (True, "genes.gff")
    assert names(hgnc_row(1, "G")).already_there
    assert content(folder) == before


def test_a_newer_file_of_a_build_takes_the_place_of_the_earlier_one(features, names, transcripts, folder):
    transcripts(cdot_record("NM_1.1", PLACES))
    old = (gene_row("GENE", (100, 200), synonyms="S"), gene_row("GONE", (300, 400), hgnc=3))
    features(*old, mrna_row("NM_1.1", tag="MANE Select"), cds_row("NP_1.1", "rna-NM_1.1", "kinase"), name="old.gff")
    features(gene_row("GENE", (7, 9), build=B37), name="37.gff")
    report = features(gene_row("GENE", (150, 250)), name="new.gff")
    assert report.replaced == "old.gff"
    files = TranscriptFiles(folder)
    assert gene(folder, "GENE").spans == {B37: Interval("NC_000001.10", 7, 9), B38: Interval("NC_000001.11", 150, 250)}
    assert [files.gene("GONE"), files.gene("S"), files.protein("NP_1")] == [None, None, None]
    assert getattr(files.get("NM_1.1"), "mane", "none") is None
    assert [(source.build, source.name) for source in files.features] == [(B37, "37.gff"), (B38, "new.gff")]
    names(hgnc_row(1, "A"), name="first.txt")
    assert names(hgnc_row(1, "B"), name="second.txt").replaced == "first.txt"
    assert gene(folder, "HGNC:1").symbol == "B"


def test_what_a_killed_command_left_is_removed(features, folder):
    left = folder / ".adding-transcripts-x1"
    left.mkdir(parents=True)
    (left / "transcripts.db").write_bytes(b"half")
    features(gene_row("G", (100, 200)))
    assert set(content(folder)) == {"transcripts.db"}


# --- what is refused --------------------------------------------------------------------------------------------------

GOOD = gene_row("G", (100, 200))


@pytest.mark.parametrize(
    ("rows", "problem"),
    [
        ([row("gene", "gene=G", sequence="NC_060925.1")], r"line 4, NC_060925.1: it is a chromosome of T2T-CHM13v2.0"),
        ([row("gene", "gene=G", sequence="NC_000001.9")], "line 4, NC_000001.9: it is a chromosome of NCBI36"),
        ([GOOD, gene_row("H", (1, 2), build=B37)], "line 5, NC_000001.10: it is a chromosome of GRCh37, but those"),
        ([row("gene", "gene=G", sequence="chr1")], "it holds no chromosome of GRCh37 or GRCh38 but chr1; it says that"),
        ([row("gene", "gene=G", sequence="NC_000067.7")], "but NC_000067.7; it says that it is of GRCm39. Give RefSeq"),
        ([gene_row("G", (1, 2), contig=25)], "it holds no chromosome of GRCh37 or GRCh38"),
        ([row("region", "ID=1")], "it has no genes"),
        ([], "it holds no chromosome"),
        ([GOOD, "NC_000001.11\tRefSeq\tgene"], "line 5: it has 3 columns, not 9"),
        ([row("gene", "ID=gene-X")], "line 4, column 9: the row of a gene does not name it"),
        ([row("gene", "gene")], "line 4, column 9: 'gene' is no attribute of the form name=value"),
        ([gene_row("G", (200, 100))], "line 4, columns 4 and 5: 201 to 100 is no range of NC_000001.11"),
        ([gene_row("G", (-1, 100))], "line 4, columns 4 and 5: 0 to 100 is no range"),
        ([GOOD.replace("101", "x")], "line 4, columns 4 and 5: x to 200 is no range"),
        ([gene_row("G", (1, 248_956_423))], "which has 248,956,422 bases"),
        (["x" * (1 << 20)], "line 4: the line is longer than 1 MiB"),
    ],
)
def test_a_file_of_genes_that_cannot_be_used_is_refused_whole(features, folder, rows, problem):
    features(GOOD, name="first.gff")
    before = content(folder)
    with pytest.raises(BadFile) as caught:
        features(*rows, name="bad.gff", assembly="GRCm39")
    assert caught.value.diagnostics.startswith("bad.gff")
    assert problem in caught.value.diagnostics
    assert content(folder) == before


HEADER = "\t".join(COLUMNS)
LINE = hgnc_row(1, "ONE")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (HEADER.replace("prev_symbol", "prev"), "line 1, prev_symbol: there is no such column"),
        (HEADER, "it has no genes"),
        ("", "it has no genes"),
        (f"{HEADER}\n\n{LINE}\n{LINE[:-3]}", "line 4: it has 8 columns, the first line 9"),
        (f"{HEADER}\n{LINE}\n{LINE}", "line 3, hgnc_id: 'HGNC:1' stands there twice"),
        (f"{HEADER}\n{LINE.replace('HGNC:1', '1')}", "line 2, hgnc_id: '1' is no identifier such as HGNC:5"),
        (f"{HEADER}\n{LINE.replace('ONE', ' ')}", "line 2, symbol: it is empty"),
        (f"{HEADER}\n{LINE}\n\xff", "line 3: it is no UTF-8 text"),
    ],
)
def test_a_list_of_genes_that_cannot_be_used_is_refused_whole(names, folder, tmp_path, text, problem):
    names(hgnc_row(7, "SEVEN"), name="first.txt")
    before = content(folder)
    path = tmp_path / "bad.txt"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(BadFile) as caught:
        add_gene_names(folder, path)
    assert caught.value.diagnostics.startswith(f"bad.txt{',' if 'line' in problem else ':'}")
    assert problem in caught.value.diagnostics
    assert content(folder) == before


def test_a_text_that_is_not_utf8_is_refused_with_its_column(folder, tmp_path):
    path = tmp_path / "genes.gff"
    path.write_bytes(f"##gff-version 3\n{GOOD}".encode() + b"\xff\n")
    with pytest.raises(BadFile, match="line 2, column 9: it is no UTF-8 text"):
        add_gene_features(folder, path)


def test_a_cut_off_download_is_refused_wherever_it_is_cut(folder, tmp_path):
    whole = gzip.compress(write_gff3(tmp_path / "whole.gff", *[GOOD] * 3).read_bytes())
    path = tmp_path / "part.gff.gz"
    for size in range(0, len(whole), 9):
        path.write_bytes(whole[:size])
        with pytest.raises(BadFile):
            add_gene_features(folder, path)
    assert content(folder) == {}


# --- the command ------------------------------------------------------------------------------------------------------


def test_files_are_recognized_added_and_listed(tmp_path):
    operon = CommandLine(tmp_path / "home")
    rows = [GOOD, mrna_row("NM_1.1", tag="MANE Select"), cds_row("NP_1.1", "rna-NM_1.1", "kinase")]
    files = [
        write_gff3(tmp_path / "genes.gff.gz", *rows),
        write_gff3(tmp_path / "old.gff", gene_row("G", (1, 2), build=B37, synonyms="S")),
        write_hgnc(tmp_path / "hgnc.txt", hgnc_row(1, "G", aliases="A|B")),
    ]
    assert operon.done("reference", "add", *files).out.splitlines() == [
        "genes.gff.gz: 1 gene of GRCh38; 1 MANE transcripts; 1 proteins",
        "old.gff: 1 gene of GRCh37; 1 former and further names",
        "hgnc.txt: 1 gene of HGNC's list; 2 former and further names",
    ]
    again = operon.done("reference", "add", *files).out.splitlines()
    assert again == [f"{path.name}: already added" for path in files]
    listed = json.loads(operon.done("reference", "status").out)["genes"]
    assert [(entry["name"], entry["of"], entry["genes"], len(entry["sha256"])) for entry in listed] == [
        ("hgnc.txt", "HGNC", 1, 64),
        ("old.gff", "GRCh37", 1, 64),
        ("genes.gff.gz", "GRCh38", 1, 64),
    ]


def test_a_failed_file_says_where_and_leaves_nothing(tmp_path):
    operon = CommandLine(tmp_path / "home")
    ended = operon.run("reference", "add", write_gff3(tmp_path / "bad.gff", GOOD, "x"))
    assert (ended.code, ended.err.splitlines()[0][:53]) == (65, "operon: bad.gff, line 5: it has 1 columns, not 9. Giv")
    assert json.loads(operon.done("reference", "status").out)["genes"] == []
