"""Corrections of a source: each is made, and one about something that is not there is refused."""

from __future__ import annotations

import io

import pytest

from app.errors import BadFile
from app.formats.pgx import (
    DiplotypeResult,
    Drug,
    DrugName,
    FunctionRule,
    Gene,
    Method,
    NamedAllele,
    Pair,
    PgxContent,
    Position,
    Recommendation,
)
from app.formats.pgx_advice_corrections import corrected
from app.formats.pgx_corrections import COLUMNS, Corrections, read_corrections

CONTENT = PgxContent(
    genes=(
        Gene(
            "NUDT15",
            "HGNC:23063",
            "PA134963132",
            13,
            Method.PHENOTYPE,
            positions=(
                Position("rs1", 13, 10, ("AGG", "A", "AGGGG"), 20, ("AGG", "A", "AGGGG"), "AGG"),
                Position("rs2", 13, 30, ("C", "T"), 40, ("C", "T"), "T"),
            ),
            alleles=(
                NamedAllele("*1", ("AGG", "C"), is_reference=True, function="Normal function"),
                NamedAllele("*2", ("AGGGG", ""), function="No function"),
                NamedAllele("*3", ("", "T"), function="No function"),
                NamedAllele("*9", ("A", ""), function="Uncertain function"),
            ),
            rules=(FunctionRule("No function", "Normal function", "IM"),),
            results={"*1/*9": DiplotypeResult("IM"), "*9/*9": DiplotypeResult("PM")},
        ),
    ),
    drugs=(Drug("RxNorm:103", "mercaptopurine", "103", ("L01BB02",)),),
    pairs=(Pair("NUDT15", "RxNorm:103", "A", guideline="https://cpicpgx.org/x"),),
    recommendations=(
        Recommendation(
            "cpic-mercaptopurine-nudt15-im", "RxNorm:103", "CPIC", {"NUDT15": "IM"}, "Reduce it or use ibuprofen."
        ),
    ),
)


def corrections(**rows: tuple[str, ...]) -> Corrections:
    """Return corrections; ``|`` stands for a tab, and every row gets a source."""
    return read_corrections(
        {
            table: (
                io.BytesIO(
                    "\n".join(["\t".join(COLUMNS[table]), *(f"{row}|CPIC".replace("|", "\t") for row in its)]).encode()
                ),
                f"{table}.tsv",
            )
            for table, its in rows.items()
        }
    )


def after(**rows: tuple[str, ...]) -> Gene:
    return corrected(CONTENT, corrections(**rows)).genes[0]


def names(gene: Gene) -> list[str]:
    return [allele.name for allele in gene.alleles]


def test_nothing_to_correct_changes_only_what_rules_give() -> None:
    gene = after()
    assert gene.positions == CONTENT.genes[0].positions
    assert gene.results == CONTENT.genes[0].results


def test_an_allele_is_retired_with_its_places() -> None:
    gene = after(allele=("NUDT15|*3|retire||",))
    assert names(gene) == ["*1", "*2", "*9"]
    assert [position.name for position in gene.positions] == ["rs1"]
    assert gene.alleles[0].cells == ("AGG",)


def test_what_a_retired_allele_had_is_no_longer_spelled() -> None:
    gene = after(allele=("NUDT15|*2|retire||",), function=("NUDT15|*9|No function|",))
    assert gene.positions[0].alleles38 == ("AGG", "A")
    gene = after(allele=("NUDT15|*9|retire||",))
    assert gene.positions[0] == Position("rs1", 13, 10, ("A", "AGG"), 20, ("A", "AGG"), "A")
    assert [allele.cells for allele in gene.alleles] == [("A", "C"), ("AGG", ""), ("", "T")]


def test_an_allele_is_renamed_and_added_and_gets_cells() -> None:
    gene = after(
        allele=("NUDT15|*3|rename|*3.002|*3", "NUDT15|*20|add||"),
        function=("NUDT15|*20|No function|0.5",),
        cell=("NUDT15|*20|rs2|Y", "NUDT15|*2|rs2|C"),
    )
    assert gene.alleles[2] == NamedAllele("*3.002", ("", "T"), function="No function", core_of="*3")
    assert gene.alleles[4] == NamedAllele("*20", ("", "Y"), function="No function", activity="0.5")
    assert gene.alleles[1].cells == ("AGGGG", "C")


def test_a_place_without_alleles_stays_when_it_is_said_to_be_ignored() -> None:
    gene = after(position=("NUDT15|rs9|50|60|G|A",), gene=("NUDT15|*3|rs9|*9|nudix hydrolase 15",))
    assert gene.positions[2] == Position("rs9", 13, 49, ("G", "A"), 59, ("G", "A"), "G")
    assert [allele.cells[2] for allele in gene.alleles] == ["G", "", "", ""]
    assert (gene.tier1, gene.ignored, gene.ignored_alleles) == (("rs2",), ("rs9",), ("*9",))
    assert gene.description == "nudix hydrolase 15"


def test_rules_replace_rules_and_results_that_they_give_fall_away() -> None:
    assert after(function_rule=("NUDT15|No function|No function|PM",)).rules == (
        FunctionRule("No function", "No function", "PM"),
    )
    assert after(function=("NUDT15|*9|No function|",)).results == {"*9/*9": DiplotypeResult("PM")}


def test_results_of_diplotypes_are_replaced() -> None:
    assert after(diplotype=("NUDT15|*3/*1|IM|key",)).results == {"*1/*3": DiplotypeResult("IM", "", "key")}


def test_a_gene_without_definitions_is_added() -> None:
    content = corrected(CONTENT, corrections(gene=("HLA-B||||",), allele=("HLA-B|*57:01|add||",)))
    hla = content.gene("HLA-B")
    assert hla is not None
    assert (hla.hgnc, hla.method, names(hla)) == ("HGNC:4932", Method.ALLELE_STATUS, ["*57:01"])


def test_one_recommendation_becomes_one_for_each_key() -> None:
    content = corrected(CONTENT, corrections(lookup=("NUDT15|mercaptopurine|IM|1.0 ; 1.5",)))
    assert [(each.recommendation_id, dict(each.lookup)) for each in content.recommendations] == [
        ("cpic-mercaptopurine-nudt15-1-0", {"NUDT15": "1.0"}),
        ("cpic-mercaptopurine-nudt15-1-5", {"NUDT15": "1.5"}),
    ]


def test_drugs_get_codes_names_and_recommendations() -> None:
    content = corrected(
        CONTENT,
        corrections(
            drug=("mercaptopurine|L01BB02 ; X01|PA450379|DB01033",),
            drug_name=("mercaptopurine|substance|6-mercaptopurine|en|",),
            recommendation=('mercaptopurine|adults|{"NUDT15": "PM"}|Strong|Reduce it.',),
            alternative=("mercaptopurine|ibuprofen|5640",),
        ),
    )
    assert content.drugs == (Drug("RxNorm:103", "mercaptopurine", "103", ("L01BB02", "X01"), "PA450379", "DB01033"),)
    assert content.drug_names == (DrugName("RxNorm:103", "substance", "6-mercaptopurine", "en"),)
    stated, added = content.recommendations
    assert stated.alternatives == ("5640",)
    assert added == Recommendation(
        "cpic-mercaptopurine-nudt15-pm-adults",
        "RxNorm:103",
        "CPIC",
        {"NUDT15": "PM"},
        "Reduce it.",
        "adults",
        "Strong",
        guideline="CPIC guideline: mercaptopurine and NUDT15",
        url="https://cpicpgx.org/x",
    )


@pytest.mark.parametrize(
    ("table", "row", "field"),
    [
        ("allele", "NUDT15|*4|retire||", "allele"),
        ("allele", "NUDT15|*3|forget||", "action"),
        ("allele", "NUDT15|*3|rename||", "name"),
        ("allele", "NUDT15|*3|add||", "allele"),
        ("allele", "TPMT|*3|retire||", "gene"),
        ("function", "NUDT15|*4|No function|", "allele"),
        ("cell", "NUDT15|*3|rs7|T", "position"),
        ("cell", "NUDT15|*3|rs2|G", "base"),
        ("position", "NUDT15|rs9|0|60|G|A", "pos38_1based"),
        ("gene", "NUDT15|*4|||", "tier1_alleles"),
        ("gene", "NUDT15||rs9||", "ignored"),
        ("gene", "NUDT15|||*4|", "ignored_alleles"),
        ("gene", "ABCD1||||", "gene"),
        ("drug", "aspirin|||", "drug"),
        ("drug_name", "aspirin|inn|x||", "drug"),
        ("recommendation", "aspirin||{}||No", "drug"),
        ("alternative", "aspirin|x|1", "drug"),
    ],
)
def test_a_correction_of_what_is_not_there_is_refused(table: str, row: str, field: str) -> None:
    with pytest.raises(BadFile) as caught:
        corrected(CONTENT, corrections(**{table: (row,)}))
    assert (caught.value.source, caught.value.line_1based, caught.value.field) == (f"{table}.tsv", 2, field)


def test_a_correction_says_where_it_comes_from() -> None:
    table = "\t".join(COLUMNS["alternative"]) + "\nmercaptopurine\tibuprofen\t5640\t\n"
    with pytest.raises(BadFile) as caught:
        read_corrections({"alternative": (io.BytesIO(table.encode()), "alternative.tsv")})
    assert caught.value.field == "source"


def test_an_unknown_table_of_corrections_is_refused() -> None:
    with pytest.raises(BadFile, match="the table is not known"):
        read_corrections({"guess": (io.BytesIO(b""), "guess.tsv")})
