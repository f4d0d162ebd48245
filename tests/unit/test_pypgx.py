"""PyPGx's tables: alleles by their core variants, both builds, rules that diplotypes follow, CPIC's recommendations."""

from __future__ import annotations

import io
import math

import pytest

from app.errors import BadFile
from app.formats.pgx import (
    DiplotypeResult,
    FunctionRule,
    Gene,
    Pair,
    PgxContent,
    Ploidy,
    Position,
    ScoreRule,
)
from app.formats.pypgx import read_pypgx

GENES = """Gene,Target,PhenotypeMethod,GRCh38Default
CYP2C19,TRUE,Diplotype,*38
CYP2C9,TRUE,Score,*1
NUDT15,TRUE,Diplotype,*1
UGT1A1,TRUE,Diplotype,*1
G6PD,TRUE,Diplotype,B (reference)
NAT2,TRUE,N/A,*12
ABCB1,TRUE,N/A,*2
"""
VARIANTS = """Gene,GRCh37Name,GRCh38Name,rsID,GRCh37Position,GRCh38Position,GRCh37Allele,GRCh37Synonym,GRCh38Synonym
CYP2C19,10-96602623-G-A,10-94842866-A-G,rs3758581,96602623,94842866,G,N/A,N/A
CYP2C19,10-96541616-G-A,10-94781859-G-A,rs4244285,96541616,94781859,G,N/A,N/A
CYP2C9,10-96702047-C-T,10-94942290-C-T,rs1799853,96702047,94942290,C,N/A,N/A
CYP2C9,10-96701967-GAAAGAAATGG-G,10-94942210-GAAAGAAATGG-G,rs1304490498,96701967,94942210,GAAAGAAATGG,N/A,N/A
NUDT15,13-48611918-A-AGGAGTC,13-48037782-A-AGGAGTC,rs746071566,48611918,48037782,A,N/A,N/A
NUDT15,13-48611918-AGGAGTC-A,13-48037782-AGGAGTC-A,rs746071566,48611918,48037782,AGGAGTC,N/A,N/A
UGT1A1,2-234668879-C-CAT,2-233760233-C-CAT,rs34983651,234668879,233760233,C,2-234668879-CAT-CATAT,2-233760233-CAT-CATAT
UGT1A1,2-234668879-CAT-C,2-233760233-CAT-C,rs34983651,234668879,233760233,CAT,N/A,N/A
G6PD,X-153763492-T-C,X-154535277-T-C,rs1050829,153763492,154535277,T,N/A,N/A
NAT2,8-1-A-C,8-2-A-C,rs1,1,2,A,N/A,N/A
"""
ALLELES = """Gene,StarAllele,ActivityScore,Function,GRCh38Core,SV
CYP2C19,*1,N/A,Normal Function,10-94842866-A-G,FALSE
CYP2C19,*2,N/A,No Function,10-94781859-G-A,FALSE
CYP2C19,*37,N/A,No Function,N/A,TRUE
CYP2C19,*38,N/A,Normal Function,N/A,FALSE
CYP2C9,*1,1,Normal Function,N/A,FALSE
CYP2C9,*2,0.5,Decreased Function,10-94942290-C-T,FALSE
CYP2C9,*25,0,No Function,10-94942210-GAAAGAAATGG-G,FALSE
CYP2C9,*7,N/A,Uncertain Function,10-94942290-C-T,FALSE
NUDT15,*1,N/A,Normal Function,N/A,FALSE
NUDT15,*6,N/A,Uncertain Function,13-48037782-A-AGGAGTC,FALSE
NUDT15,*9,N/A,No Function,13-48037782-AGGAGTC-A,FALSE
UGT1A1,*1,N/A,Normal Function,N/A,FALSE
UGT1A1,*28,N/A,Decreased Function,2-233760233-C-CAT,FALSE
UGT1A1,*36,N/A,Increased Function,2-233760233-CAT-C,FALSE
G6PD,B (reference),N/A,Class IV (Normal),N/A,FALSE
G6PD,MALE,N/A,Sex Chromosome,N/A,TRUE
G6PD,A,N/A,Class IV (Normal),X-154535277-T-C,FALSE
NAT2,*12,N/A,Normal Function,N/A,FALSE
"""
DIPLOTYPES = """Gene,Diplotype,Phenotype
CYP2C19,*38/*38,Normal Metabolizer
CYP2C19,*1/*38,Normal Metabolizer
CYP2C19,*1/*1,Odd Metabolizer
CYP2C19,*2/*38,Intermediate Metabolizer
CYP2C19,*15c/*38,Intermediate Metabolizer
G6PD,A/MALE,G6PD Normal
G6PD,A/B (reference),G6PD Normal
"""
EQUATIONS = """Gene,Phenotype,Equation
CYP2C9,Normal Metabolizer,2 == score
CYP2C9,Poor Metabolizer,0 <= score < 1
"""
CPIC = """Gene,Drug,RxNorm,ATC,Guideline,CPICLevel,CPICLevelStatus,PMID
CYP2C19,clopidogrel,32968,B01AC04,https://cpicpgx.org/guidelines/x/,A,Final,1;2
CYP2C19,amitriptyline,704,"N06AA09, N06CA01",,A,Final,
CYP2D6,amitriptyline,704,"N06AA09, N06CA01",,A,Final,
MT-RNR1,ribostamycin,NA,J01GB10,,A,Final,
"""
RECOMMENDATIONS = """Drug,Gene1,Phenotype1,Gene2,Phenotype2,Recommendation
clopidogrel,CYP2C19,Poor Metabolizer,None,None,"Avoid, if\x01 possible."
clopidogrel,CYP2C19,Indeterminate,None,None,None
clopidogrel,CYP2C19,Normal Metabolizer,CYP2C9,None,Use it.
amitriptyline,CYP2C19,Poor Metabolizer,CYP2D6,None,Avoid.
"""
TABLES = {
    "gene-table": GENES,
    "variant-table": VARIANTS,
    "allele-table": ALLELES,
    "diplotype-table": DIPLOTYPES,
    "equation-table": EQUATIONS,
    "cpic-table": CPIC,
    "recommendation-table": RECOMMENDATIONS,
}


def read(**changes: tuple[str, str]) -> PgxContent:
    """Read the tables, some of them with one text in place of another."""
    tables = dict(TABLES)
    for name, (old, new) in changes.items():
        table = f"{name}-table"
        assert old in tables[table]
        tables[table] = tables[table].replace(old, new, 1)
    return read_pypgx({name: (io.BytesIO(text.encode()), f"{name}.csv") for name, text in tables.items()})


def gene(symbol: str) -> Gene:
    found = read().gene(symbol)
    assert found is not None
    return found


def test_only_genes_with_names_in_use_are_read() -> None:
    assert [each.symbol for each in read().genes] == ["CYP2C19", "CYP2C9", "NUDT15", "UGT1A1", "G6PD"]


def test_a_place_where_the_builds_differ_keeps_both_references() -> None:
    assert gene("CYP2C19").positions[1] == Position("rs3758581", 10, 94842865, ("A", "G"), 96602622, ("A", "G"), "G")


def test_an_allele_says_only_what_defines_it_and_the_reference_says_all() -> None:
    assert [(allele.name, allele.cells, allele.is_reference) for allele in gene("CYP2C19").alleles] == [
        ("*1", ("", "G"), False),
        ("*2", ("A", ""), False),
        ("*37", ("", ""), False),
        ("*38", ("G", "A"), True),
    ]


def test_a_structural_allele_is_marked() -> None:
    assert [allele.name for allele in gene("CYP2C19").alleles if allele.is_structural] == ["*37"]


def test_changes_of_one_place_share_the_longest_reference() -> None:
    assert gene("NUDT15").positions[0].alleles38 == ("AGGAGTC", "A", "AGGAGTCGGAGTC")
    assert [allele.cells for allele in gene("NUDT15").alleles] == [("AGGAGTC",), ("AGGAGTCGGAGTC",), ("A",)]


def test_a_repeat_is_spelled_as_its_synonym() -> None:
    assert gene("UGT1A1").positions == (
        Position("rs3064744", 2, 233760232, ("CAT", "C", "CATAT"), 234668878, ("CAT", "C", "CATAT"), "CAT"),
    )


def test_a_deletion_is_spelled_as_far_left_as_it_goes() -> None:
    position = gene("CYP2C9").positions[0]
    assert (position.start38, position.start37, position.alleles38) == (94942204, 96701961, ("CAATGGAAAGA", "C"))


def test_activity_values_are_decimal_and_unknown_ones_say_so() -> None:
    assert [allele.activity for allele in gene("CYP2C9").alleles] == ["1.0", "0.5", "0.0", "n/a"]
    assert {allele.activity for allele in gene("CYP2C19").alleles} == {""}


def test_scores_have_phenotypes() -> None:
    assert gene("CYP2C9").scores == (
        ScoreRule(0.0, 1.0, "Poor Metabolizer"),
        ScoreRule(2.0, math.inf, "Normal Metabolizer"),
    )


def test_what_most_diplotypes_have_is_the_rule_and_the_others_are_kept() -> None:
    assert gene("CYP2C19").rules == (
        FunctionRule("No function", "Normal function", "Intermediate Metabolizer"),
        FunctionRule("Normal function", "Normal function", "Normal Metabolizer"),
    )
    assert gene("CYP2C19").results == {"*1/*1": DiplotypeResult("Odd Metabolizer")}


def test_the_sex_of_a_man_is_no_allele() -> None:
    g6pd = gene("G6PD")
    assert [allele.name for allele in g6pd.alleles] == ["B (reference)", "A"]
    assert g6pd.ploidy is Ploidy.X
    assert FunctionRule("Class IV (Normal)", "", "Normal") in g6pd.rules


def test_drugs_have_their_codes_and_pairs() -> None:
    content = read()
    assert [(drug.drug_id, drug.name, drug.rxnorm, drug.atc) for drug in content.drugs] == [
        ("RxNorm:704", "amitriptyline", "704", ("N06AA09", "N06CA01")),
        ("RxNorm:32968", "clopidogrel", "32968", ("B01AC04",)),
        ("ATC:J01GB10", "ribostamycin", "", ("J01GB10",)),
    ]
    assert (
        Pair("CYP2C19", "RxNorm:32968", "A", "Final", "https://cpicpgx.org/guidelines/x/", ("1", "2")) in content.pairs
    )


def test_recommendations_are_kept_word_for_word_and_those_without_words_are_left_out() -> None:
    recommendations = read().recommendations
    assert [(each.recommendation_id, dict(each.lookup), each.text) for each in recommendations] == [
        ("cpic-clopidogrel-cyp2c19-poor-metabolizer", {"CYP2C19": "Poor Metabolizer"}, "Avoid, if possible."),
        (
            "cpic-clopidogrel-cyp2c19-normal-metabolizer-cyp2c9-no-result",
            {"CYP2C19": "Normal Metabolizer", "CYP2C9": "No Result"},
            "Use it.",
        ),
    ]
    assert recommendations[0].url == "https://cpicpgx.org/guidelines/x/"


def test_definitions_alone_are_read() -> None:
    needed = ("gene-table", "variant-table", "allele-table")
    content = read_pypgx({name: (io.BytesIO(TABLES[name].encode()), name) for name in needed})
    assert (len(content.genes), content.recommendations, content.drugs) == (5, (), ())


@pytest.mark.parametrize(
    ("table", "old", "new", "line", "field"),
    [
        ("allele", "No Function,10-94781859-G-A", "No Function,10-94781860-G-A", 3, "GRCh38Core"),
        ("allele", "*38,N/A,Normal Function,N/A", "*38,N/A,Normal Function,10-94781859-G-A", 5, "GRCh38Core"),
        ("allele", "*2,0.5", "*2,half", 7, "ActivityScore"),
        ("allele", "SV", "XV", 1, "SV"),
        ("variant", "10-94781859-G-A", "10-94781859-G-<DEL>", 3, "GRCh38Name"),
        ("variant", "96541616,94781859,G", "96541616,94781859,T", 3, "GRCh37Allele"),
        ("variant", "rs4244285,96541616", "rs4244285,x", 3, "GRCh37Position"),
        ("variant", ",2-234668879-CAT-CATAT", ",N/A", 8, "GRCh37Synonym"),
        ("equation", "2 == score", "score = 2", 2, "Equation"),
        ("cpic", "CYP2D6,ami", "CYP2C19,ami", 4, "Drug"),
        ("recommendation", "Indeterminate,None,None,None", "Poor Metabolizer,None,None,No", 3, "Phenotype1"),
    ],
)
def test_a_cell_that_cannot_be_used_is_named(table: str, old: str, new: str, line: int, field: str) -> None:
    with pytest.raises(BadFile) as caught:
        read(**{table: (old, new)})
    found = caught.value
    assert (found.source, found.line_1based, found.field) == (f"{table}-table.csv", line, field)


@pytest.mark.parametrize(
    ("table", "data", "problem"),
    [
        ("allele-table", b"", "the column is missing"),
        ("allele-table", ALLELES.encode() + b"CYP2C9,*3\n", "2 cells in place of 6"),
        ("allele-table", ALLELES.encode() + b'CYP2C9,"*3', "it is not comma-separated UTF-8 text"),
        ("allele-table", ALLELES.encode() + b"\xff\n", "it is not comma-separated UTF-8 text"),
    ],
)
def test_what_is_no_table_is_refused(table: str, data: bytes, problem: str) -> None:
    files = {name: (io.BytesIO(text.encode()), name) for name, text in TABLES.items()}
    with pytest.raises(BadFile, match=problem):
        read_pypgx({**files, table: (io.BytesIO(data), table)})


def test_a_missing_table_is_named() -> None:
    with pytest.raises(BadFile, match=r"allele-table\.csv: the table is missing"):
        read_pypgx({})
