"""SNP data become records where the definitions leave no doubt; everything else is told with its reason."""

from __future__ import annotations

import pytest

from app.formats.snp_batch import Batch, SampleData, read_batch
from app.records import Build
from ingest.snp_records import Drawn, draw
from tests.snp_batches import CONTENT, batch, sample


def data(*genotypes: tuple[str, str], cnv: list[dict[str, object]] | None = None) -> SampleData:
    found = read_batch(batch(sample("P1", *genotypes, cnv=cnv or [])))
    assert isinstance(found, Batch), found
    return found.samples[0]


def records(drawn: Drawn) -> list[str]:
    lines = [line.split("\t") for line in drawn.text.splitlines() if not line.startswith("#")]
    return [" ".join((*line[:5], line[-1])) for line in lines]


def drawn(*genotypes: tuple[str, str], build: Build = Build.GRCH38, minus: bool = False) -> Drawn:
    return draw(data(*genotypes), CONTENT.genes, build, is_minus=minus)


def reasons(found: Drawn) -> dict[str, str]:
    return {one.name: one.reason for one in found.not_placed}


@pytest.mark.parametrize(
    ("genotype", "record"),
    [
        ("G/A", "10 94781859 rs4244285 G A 0/1"),
        ("A/G", "10 94781859 rs4244285 G A 1/0"),
        ("a|a", "10 94781859 rs4244285 G A 1/1"),
        ("G/G", "10 94781859 rs4244285 G . 0/0"),
        ("./.", "10 94781859 rs4244285 G . ./."),
        ("G/.", "10 94781859 rs4244285 G . 0/."),
        ("G/C", "10 94781859 rs4244285 G C 0/1"),
        ("A/C", "10 94781859 rs4244285 G A,C 1/2"),
    ],
)
def test_a_genotype_becomes_a_record_on_grch38(genotype: str, record: str):
    assert records(drawn(("rs4244285", genotype))) == [record]


def test_a_base_that_no_definition_names_is_kept_and_told():
    assert drawn(("rs4244285", "G/C")).undocumented == ("rs4244285",)
    assert drawn(("rs4244285", "G/A")).undocumented == ()


def test_bases_of_grch37_are_read_by_what_the_alleles_are_there():
    assert records(drawn(("rs776746", "C/C"), build=Build.GRCH37)) == ["7 99672916 rs776746 T C 1/1"]
    assert records(drawn(("rs1111", "T/G"), build=Build.GRCH37)) == ["1 1001 rs1111 A C 0/1"]
    assert records(drawn(("rs1111", "A/T"), build=Build.GRCH37)) == ["1 1001 rs1111 A T 1/0"]
    assert records(drawn(("rs1111", "A/C"), build=Build.GRCH38)) == ["1 1001 rs1111 A C 0/1"]


def test_a_position_whose_alleles_on_grch37_are_unknown_is_not_placed():
    assert "GRCh37" in reasons(drawn(("rs3333", "G/T"), build=Build.GRCH37))["rs3333"]
    assert records(drawn(("rs3333", "G/T"))) == ["1 9001 rs3333 G T 0/1"]


def test_the_minus_strand_is_turned():
    assert records(drawn(("rs4244285", "C/T"), minus=True)) == ["10 94781859 rs4244285 G A 0/1"]
    assert "rs2222" in reasons(drawn(("rs2222", "AG/G"), minus=True))


def test_deletions_are_read_as_the_definition_spells_them_and_in_no_other_way():
    assert records(drawn(("rs2222", "CT/C"))) == ["1 5001 rs2222 CT C 0/1"]
    for genotype in ("T/-", "DEL/DEL", "CTT/C"):
        found = drawn(("rs2222", genotype))
        assert (records(found), list(reasons(found))) == ([], ["rs2222"])


def test_one_allele_is_a_genotype_where_people_may_have_one_copy():
    assert records(drawn(("rs1050828", "T"))) == ["X 154536002 rs1050828 C T 1"]
    assert list(reasons(drawn(("rs4244285", "A")))) == ["rs4244285"]
    assert list(reasons(drawn(("rs4244285", "AG")))) == ["rs4244285"]


def test_an_unknown_rs_is_told_and_not_placed():
    found = drawn(("rs999", "A/G"), ("rs4244285", "G/G"))
    assert (found.placed, reasons(found)) == (1, {"rs999": "no definition in use has a place for it"})


def test_two_genotypes_of_one_place_are_none():
    found = drawn(("rs4244285", "G/G"), ("rs4244285", "G/A"))
    assert (records(found), list(reasons(found))) == ([], ["rs4244285"])
    assert records(drawn(("rs4244285", "G/A"), ("rs4244285", "A/G"))) == ["10 94781859 rs4244285 G A 0/1"]


@pytest.mark.parametrize(("copies", "kind", "cell"), [(0, "DEL", "1/1:0"), (1, "DEL", "0/1:1"), (3, "DUP", "./1:3")])
def test_copies_of_cyp2d6_become_a_structural_record(copies: int, kind: str, cell: str):
    found = draw(data(("rs999", "A/A"), cnv=[{"gene": "CYP2D6", "cnv": copies}]), CONTENT.genes, Build.GRCH38)
    assert records(found) == [f"22 42126499 CYP2D6 N <{kind}> {cell}"]
    assert f"SVTYPE={kind};END=42130881" in found.text
    assert found.copies == {"CYP2D6": copies}


def test_the_usual_number_of_copies_is_no_variant_but_is_told():
    found = draw(data(("rs999", "A/A"), cnv=[{"gene": "CYP2D6", "cnv": 2}]), CONTENT.genes, Build.GRCH38)
    assert (records(found), found.copies) == ([], {"CYP2D6": 2})


def test_copies_that_contradict_each_other_or_are_of_another_gene_are_told():
    given: list[dict[str, object]] = [{"gene": "CYP2D6", "cnv": n} for n in (1, 3)]
    found = draw(data(("rs4244285", "G/A"), cnv=[*given, {"gene": "GSTM1", "cnv": 0}]), CONTENT.genes, Build.GRCH38)
    assert (found.copies, set(reasons(found))) == ({}, {"CYP2D6", "GSTM1"})
