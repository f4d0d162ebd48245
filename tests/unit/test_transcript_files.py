import gzip
import io
import json
import sqlite3
import threading
from typing import Any

import pytest

from app.errors import BadFile, Misconfigured
from app.records import Build
from app.variants.cdot import Unusable, read_transcript
from app.variants.interval import Interval
from app.variants.json_members import read_members
from app.variants.transcript_files import TranscriptFiles, add_transcripts
from app.variants.transcripts import Exon
from tests.command_line import CommandLine
from tests.synthetic_transcripts import cdot_place, cdot_record, write_cdot

B37, B38 = Build.GRCH37, Build.GRCH38
TWO_EXONS = [(100, 110, 0, 1, 10, None), (200, 205, 1, 11, 15, None)]
ON_BOTH = {B37: cdot_place(B37, TWO_EXONS), B38: cdot_place(B38, [(1100, 1110, 0, 1, 10), (1200, 1205, 1, 11, 15)])}


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "reference"


@pytest.fixture
def add(folder, tmp_path):
    """Add records as one file, whose name decides on compression."""

    def added(*records, name="given.json", **more):
        return add_transcripts(folder, write_cdot(tmp_path / name, *records, **more))

    return added


def stored(folder, accession):
    """Return a transcript that is there."""
    found = TranscriptFiles(folder).get(accession)
    assert found is not None
    return found


def gene_of(folder, name):
    """Return a gene that is there."""
    found = TranscriptFiles(folder).gene(name)
    assert found is not None
    return found


def refusal(add, *records, **more):
    with pytest.raises(BadFile) as caught:
        add(*records, **more)
    return caught.value


def untouched(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name != ".transcripts.lock"}


# --- what is stored comes back ----------------------------------------------------------------------------------------


def test_an_empty_folder_has_no_transcripts(folder):
    files = TranscriptFiles(folder)
    assert (files.get("NM_1.1"), files.versions("NM_1"), files.of_gene("GENE"), files.gene("GENE")) == (
        None,
        [],
        [],
        None,
    )
    assert files.overlapping(B38, 1, 0, 10**8) == []
    assert files.genes_overlapping(B38, 1, 0, 10**8) == []
    assert files.sources == ()
    assert not folder.exists()


def test_a_transcript_comes_back_as_the_file_has_it(add, folder):
    record = cdot_record("NM_1.2", ON_BOTH, start_codon=3, stop_codon=12, protein="NP_1.2", gene_version="7")
    report = add(record)
    assert (report.added, report.source.transcripts, report.left_out) == (1, 1, {})
    found = stored(folder, "NM_1.2")
    assert (found.gene, found.hgnc, found.protein, found.biotype) == ("GENE", "HGNC:1", "NP_1.2", "mRNA")
    assert (found.cds, found.length) == ((3, 12), 15)
    assert set(found.alignments) == {B37, B38}
    place = found.alignments[B38]
    assert (place.build, place.contig, place.ref_seq, place.reverse) == (B38, 1, "NC_000001.11", False)
    assert place.exons == (Exon(1100, 1110, 0, 10), Exon(1200, 1205, 10, 15))


def test_exons_of_the_minus_strand_come_in_the_order_of_the_transcript(add, folder):
    place = cdot_place(B38, [(100, 110, 1, 6, 15, None), (200, 205, 0, 1, 5, None)], strand="-")
    add(cdot_record("NM_1.1", {B38: place}))
    found = stored(folder, "NM_1.1").alignments[B38]
    assert found.reverse
    assert found.exons == (Exon(200, 205, 0, 5), Exon(100, 110, 5, 15))


def test_a_gap_becomes_a_cigar_of_the_opposite_view(add, folder):
    add(cdot_record("NM_1.1", {B38: cdot_place(B38, [(100, 110, 0, 1, 11, "M4 I2 M3 D1 M2")])}))
    assert stored(folder, "NM_1.1").alignments[B38].exons == (Exon(100, 110, 0, 11, "4=2D3=1I2="),)


def test_bases_of_the_transcript_that_align_to_nothing_become_a_gap(add, folder):
    place = cdot_place(B38, [(100, 110, 0, 4, 13, None), (200, 205, 1, 16, 20, "M5")])
    add(cdot_record("NM_1.1", {B38: place}))
    exons = stored(folder, "NM_1.1").alignments[B38].exons
    assert exons == (Exon(100, 110, 0, 13, "3D10="), Exon(200, 205, 13, 20, "2D5="))


@pytest.mark.parametrize(
    ("tag", "expected"),
    [
        ("MANE Select", "MANE Select"),
        ("RefSeq Select", None),
        ("basic,Ensembl_canonical,MANE_Select,appris_principal_1", "MANE Select"),
        ("MANE Plus Clinical", "MANE Plus Clinical"),
        ("MANE_Plus_Clinical", "MANE Plus Clinical"),
        (None, None),
    ],
)
def test_mane_is_read_in_the_spelling_of_either_consortium(add, folder, tag, expected):
    add(cdot_record("NM_1.1", {B38: cdot_place(B38, TWO_EXONS, tag=tag)}))
    assert stored(folder, "NM_1.1").mane == expected


@pytest.mark.parametrize("hgnc", ["1100", "HGNC:1100", 1100])
def test_the_identifier_of_a_gene_gets_its_prefix(add, folder, hgnc):
    add(cdot_record("NM_1.1", ON_BOTH) | {"hgnc": hgnc})
    assert stored(folder, "NM_1.1").hgnc == "HGNC:1100"


def test_a_transcript_without_codons_encodes_nothing(add, folder):
    add(cdot_record("NR_1.1", ON_BOTH), cdot_record("NM_1.1", ON_BOTH, start_codon=3, stop_codon=None))
    assert (stored(folder, "NR_1.1").cds, stored(folder, "NM_1.1").cds) == (None, None)


@pytest.mark.parametrize("name", ["1", "chr1", "NC_000001.11"])
def test_a_chromosome_may_bear_any_of_its_names(add, folder, name):
    add(cdot_record("ENST1.1", {B38: cdot_place(B38, TWO_EXONS) | {"contig": name}}))
    assert stored(folder, "ENST1.1").alignments[B38].ref_seq == "NC_000001.11"


def test_exons_may_lack_the_gap(add, folder):
    add(cdot_record("NM_1.1", {B38: cdot_place(B38, [(100, 110, 0, 1, 10)])}))
    assert stored(folder, "NM_1.1").alignments[B38].exons == (Exon(100, 110, 0, 10),)


@pytest.mark.parametrize("name", ["given.json", "given.json.gz"])
def test_a_file_may_be_gzipped(add, folder, name):
    add(cdot_record("NM_1.1", ON_BOTH), name=name)
    assert TranscriptFiles(folder).get("NM_1.1") is not None


def test_other_parts_of_a_file_are_passed_over(add, folder):
    add(cdot_record("NM_1.1", ON_BOTH, translation={"Sec": [1]}), metadata={"method": ["x", {"y": None}]}, genes={})
    assert TranscriptFiles(folder).get("NM_1.1") is not None


# --- looking up -------------------------------------------------------------------------------------------------------


def test_versions_are_sorted_as_numbers(add, folder):
    add(*(cdot_record(f"NM_1.{version}", ON_BOTH) for version in (10, 2, 9)), cdot_record("NM_11.1", ON_BOTH))
    assert TranscriptFiles(folder).versions("NM_1") == ["NM_1.2", "NM_1.9", "NM_1.10"]


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (100, 101, "AB"),
        (99, 100, "B"),
        (89, 90, ""),
        (204, 205, "A"),
        (205, 206, ""),
        (110, 110, "AB"),
        (0, 248956422, "ABC"),
        (150, 151, "A"),
    ],
)
def test_transcripts_are_found_by_place(add, folder, start, end, expected):
    add(
        cdot_record("A.1", {B38: cdot_place(B38, TWO_EXONS)}),
        cdot_record("B.1", {B38: cdot_place(B38, [(90, 111, 0, 1, 21)])}),
        cdot_record("C.1", {B38: cdot_place(B38, [(200_000_000, 200_000_010, 0, 1, 10)])}),
    )
    files = TranscriptFiles(folder)
    assert "".join(item.accession[0] for item in files.overlapping(B38, 1, start, end)) == expected
    assert files.overlapping(B37, 1, start, end) == []
    assert files.overlapping(B38, 2, start, end) == []


@pytest.mark.parametrize("shift", [0, 1 << 17, (1 << 17) - 103, (1 << 20) - 107, (1 << 23) - 103, (1 << 26) - 101])
def test_places_are_found_across_the_borders_of_bins(add, folder, shift):
    add(cdot_record("A.1", {B38: cdot_place(B38, [(shift + 100, shift + 110, 0, 1, 10)])}))
    files = TranscriptFiles(folder)
    found = [at for at in range(shift + 95, shift + 115) if files.overlapping(B38, 1, at, at + 1)]
    assert found == list(range(shift + 100, shift + 110))


@pytest.mark.parametrize("name", ["GENE", "gene", "HGNC:1", "hgnc:1"])
def test_a_gene_spans_all_its_transcripts(add, folder, name):
    add(cdot_record("NM_1.1", ON_BOTH), cdot_record("NM_2.1", {B38: cdot_place(B38, [(900, 950, 0, 1, 50)])}))
    files, gene = TranscriptFiles(folder), gene_of(folder, name)
    assert (gene.symbol, gene.hgnc) == ("GENE", "HGNC:1")
    assert gene.spans == {B37: Interval("NC_000001.10", 100, 205), B38: Interval("NC_000001.11", 900, 1205)}
    assert [item.accession for item in files.of_gene(name)] == ["NM_1.1", "NM_2.1"]
    assert files.genes_overlapping(B38, 1, 960, 961) == [gene]
    assert files.genes_overlapping(B37, 1, 205, 206) == []


def test_the_list_of_genes_names_transcripts_that_do_not_name_theirs(add, folder):
    nameless = {"gene_name": None, "hgnc": None, "gene_version": "672"}
    add(cdot_record("NM_1.1", ON_BOTH) | nameless, genes={"672": {"gene_symbol": "BRCA1", "hgnc": "1100"}})
    found = stored(folder, "NM_1.1")
    assert (found.gene, found.hgnc) == ("BRCA1", "HGNC:1100")
    assert TranscriptFiles(folder).of_gene("HGNC:1100") == [found]


def test_a_transcript_without_identifier_belongs_to_the_gene_of_its_symbol(add, folder):
    add(cdot_record("NM_1.1", ON_BOTH), cdot_record("ENST1.1", ON_BOTH) | {"hgnc": None})
    assert [item.accession for item in TranscriptFiles(folder).of_gene("HGNC:1")] == ["ENST1.1", "NM_1.1"]


def test_a_renamed_gene_is_found_by_either_name_and_bears_the_new_one(add, folder):
    add(cdot_record("NM_1.1", ON_BOTH) | {"gene_name": "OLD"}, name="old.json")
    add(cdot_record("NM_1.2", ON_BOTH) | {"gene_name": "NEW"}, genes={"7": {"gene_symbol": "NEW", "hgnc": "1"}})
    assert {gene_of(folder, name).symbol for name in ("OLD", "NEW", "HGNC:1")} == {"NEW"}
    assert len(TranscriptFiles(folder).of_gene("OLD")) == 2


def test_a_gene_on_two_chromosomes_spans_the_one_with_most_transcripts(add, folder):
    on_y = {B38: cdot_place(B38, TWO_EXONS) | {"contig": "Y"}}
    add(cdot_record("A.1", on_y), cdot_record("B.1", ON_BOTH), cdot_record("C.1", ON_BOTH))
    assert gene_of(folder, "GENE").spans[B38] == Interval("NC_000001.11", 1100, 1205)


def test_threads_may_share_the_files(add, folder):
    add(*(cdot_record(f"NM_{number}.1", ON_BOTH) for number in range(50)))
    files, wrong = TranscriptFiles(folder), []

    def ask():
        for number in range(50):
            if files.get(f"NM_{number}.1") is None or len(files.overlapping(B38, 1, 1100, 1101)) != 50:
                wrong.append(number)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_open_files_stay_what_they_were(add, folder):
    add(cdot_record("NM_1.1", ON_BOTH), name="first.json")
    before = TranscriptFiles(folder)
    add(cdot_record("NM_2.1", ON_BOTH), name="second.json")
    assert before.get("NM_2.1") is None
    assert TranscriptFiles(folder).get("NM_2.1") is not None


def test_a_folder_that_cannot_be_written_is_read(add, folder):
    add(cdot_record("NM_1.1", ON_BOTH))
    (folder / "transcripts.db").chmod(0o444)
    folder.chmod(0o555)
    try:
        assert TranscriptFiles(folder).get("NM_1.1") is not None
    finally:
        folder.chmod(0o755)


# --- one file after another -------------------------------------------------------------------------------------------


def test_the_same_file_again_adds_nothing(add, folder):
    first = add(cdot_record("NM_1.1", ON_BOTH))
    before = untouched(folder)
    again = add(cdot_record("NM_1.1", ON_BOTH), name="other-name.json")
    assert again.already_there
    assert (again.source, again.added) == (first.source, 0)
    assert untouched(folder) == before


def test_what_a_newer_file_says_otherwise_replaces_what_was_known(add, folder):
    add(cdot_record("NM_1.1", ON_BOTH), cdot_record("NM_2.1", ON_BOTH), name="old.json")
    moved = ON_BOTH | {B38: cdot_place(B38, [(3100, 3115, 0, 1, 15)])}
    report = add(
        cdot_record("NM_1.1", moved), cdot_record("NM_2.1", ON_BOTH), cdot_record("NM_3.1", ON_BOTH), name="new.json"
    )
    assert (report.added, report.unchanged, report.completed, report.replaced) == (1, 1, 0, 1)
    assert report.examples == ("NM_1.1",)
    files = TranscriptFiles(folder)
    assert stored(folder, "NM_1.1").alignments[B38].start == 3100
    assert [item.accession for item in files.overlapping(B38, 1, 3100, 3101)] == ["NM_1.1"]
    assert [item.accession for item in files.overlapping(B38, 1, 1100, 1101)] == ["NM_2.1", "NM_3.1"]
    assert [source.name for source in files.sources] == ["old.json", "new.json"]


def test_a_file_of_the_other_build_completes_a_transcript(add, folder):
    add(cdot_record("ENST1.1", {B37: ON_BOTH[B37]}), name="GRCh37.json")
    report = add(cdot_record("ENST1.1", {B38: ON_BOTH[B38]}), name="GRCh38.json")
    assert (report.completed, report.replaced) == (1, 0)
    assert set(stored(folder, "ENST1.1").alignments) == {B37, B38}


def test_a_build_on_which_the_last_bases_do_not_align_stays_beside_the_other(add, folder):
    short = cdot_place(B38, [(1100, 1110, 0, 1, 10), (1200, 1203, 1, 11, 13)])
    codons = {"start_codon": 2, "stop_codon": 11}
    add(cdot_record("NM_1.1", {B37: ON_BOTH[B37]}, **codons), name="GRCh37.json")
    assert add(cdot_record("NM_1.1", {B38: short}, **codons), name="GRCh38.json").completed == 1
    assert set(stored(folder, "NM_1.1").alignments) == {B37, B38}


def test_places_of_another_length_without_codons_do_not_stay(add, folder):
    add(cdot_record("ENST1.1", {B37: ON_BOTH[B37]}), name="GRCh37.json")
    assert (
        add(cdot_record("ENST1.1", {B38: cdot_place(B38, [(1100, 1110, 0, 1, 10)])}), name="GRCh38.json").replaced == 1
    )
    assert set(stored(folder, "ENST1.1").alignments) == {B38}


def test_places_of_another_numbering_do_not_stay_beside_new_ones(add, folder):
    add(cdot_record("ENST1.1", {B37: ON_BOTH[B37]}, start_codon=2, stop_codon=11), name="GRCh37.json")
    report = add(cdot_record("ENST1.1", {B38: ON_BOTH[B38]}, start_codon=3, stop_codon=12), name="GRCh38.json")
    assert report.replaced == 1
    assert set(stored(folder, "ENST1.1").alignments) == {B38}


# --- records that cannot be used --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("exons", "reason"),
    [
        ([(100, 110, 0, 1, 11, None)], "lengths"),
        ([(100, 110, 0, 1, 11, "M11")], "lengths"),
        ([(100, 110, 0, 1, 10, "M5 I5")], "lengths"),
        ([(100, 110, 0, 1, 10, None), (200, 205, 1, 10, 14, None)], "overlap"),
        ([(100, 110, 0, 1, 10, None), (105, 110, 1, 11, 15, None)], "order"),
        ([(200, 205, 0, 1, 5, None), (100, 110, 1, 6, 15, None)], "order"),
        ([(110, 100, 0, 1, 10, None)], "overlap or leave"),
        ([(248956420, 248956425, 0, 1, 5, None)], "leave the chromosome"),
        ([(100, 110, 0, 0, 9, None)], "overlap or leave"),
    ],
)
def test_a_record_whose_parts_do_not_fit_is_left_out_and_counted(add, folder, exons, reason):
    report = add(cdot_record("NM_1.1", ON_BOTH), cdot_record("NM_2.1", {B38: cdot_place(B38, exons)}))
    assert report.added == 1
    ((text, count),) = report.left_out.items()
    assert reason in text
    assert count == 1
    assert TranscriptFiles(folder).get("NM_2.1") is None


@pytest.mark.parametrize("codons", [(3, 16), (5, 5), (-1, 9)])
def test_a_coding_region_outside_the_exons_is_left_out(add, codons):
    start, stop = codons
    report = add(cdot_record("NM_1.1", ON_BOTH), cdot_record("NM_2.1", ON_BOTH, start_codon=start, stop_codon=stop))
    assert list(report.left_out) == ["a coding region that is not within the exons"]


@pytest.mark.parametrize("contig", ["NT_113889.1", "NW_003315947.1", "HSCHR6_MHC_COX"])
def test_only_places_on_primary_chromosomes_count(add, folder, contig):
    patch = cdot_place(B38, TWO_EXONS) | {"contig": contig}
    report = add(cdot_record("NM_1.1", {B37: ON_BOTH[B37], B38: patch}), cdot_record("NM_2.1", {B38: patch}))
    assert set(stored(folder, "NM_1.1").alignments) == {B37}
    assert report.left_out == {"no place on a primary chromosome of GRCh37 or GRCh38": 1}


def test_a_file_of_another_assembly_is_refused(add, folder):
    record = cdot_record("NM_1.1", {}) | {"genome_builds": {"T2T-CHM13v2.0": cdot_place(B38, TWO_EXONS)}}
    found = refusal(add, record)
    assert "none can be used (no place on a primary chromosome of GRCh37 or GRCh38: 1)" in found.diagnostics
    assert untouched(folder) == {}


# --- damaged files ----------------------------------------------------------------------------------------------------


PLACE = cdot_place(B38, TWO_EXONS)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"genome_builds": None}, ".genome_builds"),
        ({"genome_builds": {"GRCh38": []}}, ".genome_builds.GRCh38"),
        ({"genome_builds": {"GRCh38": {**PLACE, "contig": None}}}, ".genome_builds.GRCh38.contig"),
        ({"genome_builds": {"GRCh38": {**PLACE, "contig": "NC_000001.10"}}}, ".genome_builds.GRCh38.contig"),
        ({"genome_builds": {"GRCh38": {**PLACE, "strand": "*"}}}, ".genome_builds.GRCh38.strand"),
        ({"genome_builds": {"GRCh38": {**PLACE, "exons": []}}}, ".genome_builds.GRCh38.exons"),
        ({"genome_builds": {"GRCh38": {**PLACE, "exons": {}}}}, ".genome_builds.GRCh38.exons"),
        ({"genome_builds": {"GRCh38": {**PLACE, "exons": [[1, 2, 0, 1]]}}}, ".genome_builds.GRCh38.exons[0]"),
        ({"genome_builds": {"GRCh38": {**PLACE, "exons": [[1, 2.5, 0, 1, 1]]}}}, ".genome_builds.GRCh38.exons[0]"),
        ({"genome_builds": {"GRCh38": {**PLACE, "exons": [[1, True, 0, 1, 1]]}}}, ".genome_builds.GRCh38.exons[0]"),
        ({"genome_builds": {"GRCh38": {**PLACE, "exons": [[1, 2, 0, 1, 1, "1="]]}}}, ".genome_builds.GRCh38.exons[0]"),
        ({"genome_builds": {"GRCh38": {**PLACE, "tag": ["MANE Select"]}}}, ".genome_builds.GRCh38.tag"),
        ({"start_codon": "3"}, ".start_codon"),
        ({"stop_codon": True}, ".stop_codon"),
        ({"gene_name": 7}, ".gene_name"),
        ({"protein": ["NP_1.1"]}, ".protein"),
        ({"biotype": [1]}, ".biotype"),
    ],
)
def test_what_is_no_record_of_cdot_is_refused_with_its_field(add, folder, change, field):
    found = refusal(add, cdot_record("NM_1.1", ON_BOTH), cdot_record("NM_2.1", ON_BOTH) | change)
    assert (found.source, found.field) == ("given.json", f"transcripts[NM_2.1]{field}")
    assert untouched(folder) == {}


@pytest.mark.parametrize("name", ["", "NM_1.1 ", "NM_\n1", "N" * 101, "ÑM_1.1"])
def test_an_accession_that_none_can_be_is_refused(add, name):
    assert "the accession is empty, too long" in refusal(add, cdot_record(name, ON_BOTH)).diagnostics


@pytest.mark.parametrize("gene", [None, "BRCA1", {"gene_symbol": 7}])
def test_what_is_no_gene_of_cdot_is_refused(add, gene):
    assert refusal(add, cdot_record("NM_1.1", ON_BOTH), genes={"672": gene}).field.startswith("genes[672]")


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "it is no JSON object"),
        (b"[]", "it is no JSON object"),
        (b">NC_000001.11\nACGT", "it is no JSON object"),
        (b"{}", "transcripts: it is missing or empty"),
        (b'{"transcripts": {}}', "transcripts: it is missing or empty"),
        (b'{"transcripts": []}', "transcripts: it is no JSON object"),
        (b'{"transcripts": null}', "transcripts: it is no JSON object"),
        (b'{"resourceType": "Bundle", "entry": [1, 2]}', "transcripts: it is missing or empty"),
        (b'{"transcripts": {"NM_1.1": {"id"', "transcripts[NM_1.1]: it is cut off"),
        (b'{"transcripts": {"NM_1.1"', "it is no valid JSON"),
        (b'{"transcripts": {"NM_1.1": {}', "transcripts[NM_1.1].genome_builds: it is missing"),
        (b'{"cdot_version": "1"', "it is cut off"),
        (b'{"cdot_version": "1" "transcripts": {}}', "a comma is missing"),
        (b'{"a": 1} {"b": 2}', "more text after the end"),
        (b'{"a": NaN}', "a: it is no valid JSON (NaN is no JSON number)"),
        (b'{"a": ' + b"1" * 5000 + b"}", "a: it is no valid JSON"),
        (b'{"a": ' + b"[" * 100_000, "it is no valid JSON"),
        (b'{"a": "\xff"}', "it is no UTF-8 text"),
        (b'{"a" "b"}', "a name and a colon are missing"),
        (b"{1: 2}", "a name and a colon are missing"),
        (b'{"a": tru}', "it is cut off"),
        (b'{"a": tru' + b" " * 100, "it is no valid JSON"),
        (gzip.compress(b'{"transcripts": {}}', mtime=0)[:-9], "its compression is damaged or cut off"),
        (b"\x1f\x8bnot really", "its compression is damaged or cut off"),
    ],
)
def test_a_damaged_or_other_file_is_refused_and_changes_nothing(add, folder, tmp_path, content, problem):
    add(cdot_record("NM_1.1", ON_BOTH), name="first.json")
    before = untouched(folder)
    path = tmp_path / "damaged.json"
    path.write_bytes(content)
    with pytest.raises(BadFile) as caught:
        add_transcripts(folder, path)
    assert caught.value.diagnostics.startswith("damaged.json")
    assert problem in caught.value.diagnostics
    assert untouched(folder) == before


def test_a_cut_off_file_is_refused_wherever_it_is_cut(tmp_path, folder):
    whole = write_cdot(
        tmp_path / "whole.json", cdot_record("NM_1.1", ON_BOTH), cdot_record("NM_2.1", ON_BOTH)
    ).read_bytes()
    path = tmp_path / "part.json"
    for size in range(0, len(whole), 7):
        path.write_bytes(whole[:size])
        with pytest.raises(BadFile):
            add_transcripts(folder, path)
    assert untouched(folder) == {}


def test_something_that_is_no_file_is_refused(folder, tmp_path):
    for path in (tmp_path, tmp_path / "missing.json"):
        with pytest.raises(BadFile, match="no regular file"):
            add_transcripts(folder, path)


@pytest.mark.parametrize("content", [b"no database at all, but long enough to be taken for one" * 100, b""])
def test_a_damaged_store_is_misconfiguration(folder, content):
    folder.mkdir()
    (folder / "transcripts.db").write_bytes(content)
    with pytest.raises(Misconfigured, match="remove it and add the transcripts again"):
        TranscriptFiles(folder)


def test_a_store_of_another_release_is_misconfiguration(add, folder):
    add(cdot_record("NM_1.1", ON_BOTH))
    connection = sqlite3.connect(folder / "transcripts.db")
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(Misconfigured, match="its format is 99"):
        TranscriptFiles(folder)


# --- reading in parts -------------------------------------------------------------------------------------------------


class Dripping(io.BytesIO):
    """Gives a few bytes at a time, whatever is asked for."""

    def __init__(self, content, size):
        super().__init__(content)
        self._size = size

    def read(self, size=-1):
        return super().read(min(self._size, size) if size >= 0 else self._size)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_members_are_the_same_however_the_text_arrives(size):
    document: dict[str, Any] = {
        "number": -12.5e3,
        "text": 'a "quoted" \\ back é \U0001f9ec slash',
        "opened": {"one": {"x": [1, 2, {"y": None}]}, "two": 17, "three": [], "é": "1" * 50},
        "closed": {"one": {"x": 1}},
        "empty": {},
        "truth": [True, False, None],
    }
    expected = [
        ("number", None, -12500.0),
        ("text", None, document["text"]),
        *(("opened", name, value) for name, value in document["opened"].items()),
        ("closed", None, document["closed"]),
        ("truth", None, document["truth"]),
    ]
    for ensure_ascii in (True, False):
        for indent in (None, 1):
            content = json.dumps(document, ensure_ascii=ensure_ascii, indent=indent).encode()
            found = list(read_members(Dripping(content, size), "x", ("opened", "empty")))
            assert found == expected


def test_a_member_above_the_cap_is_refused():
    content = b'{"a": "' + b"x" * (1 << 25) + b'"}'
    with pytest.raises(BadFile, match="it is longer than 33,554,432 characters"):
        list(read_members(io.BytesIO(content), "x", ()))


def test_a_record_tells_why_it_is_unusable():
    with pytest.raises(Unusable, match="no place on a primary chromosome"):
        read_transcript("NM_1.1", cdot_record("NM_1.1", {}), "x")


# --- the command ------------------------------------------------------------------------------------------------------


@pytest.fixture
def operon(tmp_path):
    return CommandLine(tmp_path / "home")


def test_the_command_says_what_it_did_with_each_file(operon, tmp_path):
    first = write_cdot(
        tmp_path / "first.json", cdot_record("NM_1.1", ON_BOTH), cdot_record("NM_2.1", {B37: ON_BOTH[B37]})
    )
    moved = cdot_record("NM_1.1", {B38: cdot_place(B38, [(3100, 3115, 0, 1, 15)])})
    lost = cdot_record("NM_3.1", {B38: cdot_place(B38, TWO_EXONS) | {"contig": "NT_1.1"}})
    second = write_cdot(tmp_path / "second.json.gz", moved, cdot_record("NM_2.1", ON_BOTH), lost)

    said = operon.done("reference", "add-transcripts", first, second, first).out.splitlines()

    assert said == [
        "first.json: 2 transcripts; 2 new",
        "second.json.gz: 2 transcripts; 1 completed by places or names;"
        " 1 replaced, since this file has them otherwise (NM_1.1);"
        " left out: 1 with no place on a primary chromosome of GRCh37 or GRCh38",
        "first.json: already added",
    ]
    listed = json.loads(operon.done("reference", "status").out)["transcripts"]
    assert [(file["name"], file["transcripts"]) for file in listed] == [("first.json", 2), ("second.json.gz", 2)]
    assert {len(file["sha256"]) for file in listed} == {64}


def test_files_before_a_damaged_one_stay(operon, tmp_path):
    good = write_cdot(tmp_path / "good.json", cdot_record("NM_1.1", ON_BOTH))
    (tmp_path / "bad.json").write_text('{"transcripts": {"NM_2.1": {"genome_builds": 7}}}', "utf-8")

    ended = operon.run("reference", "add-transcripts", good, tmp_path / "bad.json")

    assert ended.code == 65
    assert ended.out == "good.json: 1 transcript; 1 new\n"
    assert "bad.json, transcripts[NM_2.1].genome_builds: it is missing or no object" in ended.err
    assert len(json.loads(operon.done("reference", "status").out)["transcripts"]) == 1


def test_a_missing_file_is_told_apart(operon, tmp_path):
    assert operon.run("reference", "add-transcripts", tmp_path / "missing.json").code == 66


def test_normalize_reads_transcripts_and_tells_of_a_stand_in(operon, tmp_path):
    record = cdot_record("NM_1.1", ON_BOTH, start_codon=0, stop_codon=15)
    operon.done("reference", "add-transcripts", write_cdot(tmp_path / "given.json", record))

    found = json.loads(operon.done("normalize", "NM_1.1:c.12A>G").out)
    assert (found["GRCh37"], found["GRCh38"]) == ("NC_000001.10:201:A:G", "NC_000001.11:1201:A:G")
    names = {"GRCh37": "NC_000001.10:g.202A>G", "GRCh38": "NC_000001.11:g.1202A>G", "coding": "NM_1.1:c.12A>G"}
    assert (found["hgvs"], found["error"], "note" in found) == (names, None, False)
    assert found["gene"] == {"symbol": "GENE", "hgnc": "HGNC:1"}

    refused = json.loads(operon.done("normalize", "NM_1.4:c.12A>G").out)
    assert "transcript NM_1.4 is not loaded; known versions: NM_1.1" in refused["error"]

    lenient = json.loads(operon.done("normalize", "NM_1.4:c.12A>G", transcript_version_fallback="true").out)
    assert lenient["GRCh38"] == found["GRCh38"]
    assert lenient["note"] == "transcript NM_1.4 is not loaded; NM_1.1 was used"
