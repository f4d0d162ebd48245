"""CPIC's tables: what the result of a gene means for a drug, said of every diplotype that has it."""

from __future__ import annotations

import io

import pytest

from app.config import Settings
from app.errors import BadFile
from app.formats.cpic import CpicFiles, read_cpic
from app.formats.knowledge import Concept, ItemKind, KnowledgeItem, Rejects
from tests.knowledge_files import stored, told

PHARMVAR, RXNORM = "http://www.pharmvar.org", "http://www.nlm.nih.gov/research/umls/rxnorm"
TABLES = {
    "diplotypes": stored("cpic_diplotype.csv"),
    "pairs": stored("cpic_pair_view.csv"),
    "drugs": stored("cpic_drug.csv"),
    "genes": stored("cpic_gene.csv"),
    "recommendations": stored("cpic_recommendation.csv"),
}


def items_of(**changes):
    rejects = Rejects()
    tables = {role: data for role, data in (TABLES | changes).items() if data is not None}
    files = CpicFiles(**{role: (io.BytesIO(data), f"{role}.csv") for role, data in tables.items()})
    return {item.row_id: item for item in read_cpic(files, rejects, Settings())}, rejects


def star(code):
    return Concept(PHARMVAR, code, code)


def test_result_of_a_gene_becomes_an_item_for_each_drug():
    items, _ = items_of()
    assert items["CYP2C19 | RxNorm:704 | Rapid Metabolizer | Rapid Metabolizer"] == KnowledgeItem(
        ItemKind.THERAPEUTIC,
        "CYP2C19 | RxNorm:704 | Rapid Metabolizer | Rapid Metabolizer",
        genotypes=(star("CYP2C19 *1/*17"), star("CYP2C19 *27/*17")),
        identifiers=(("https://www.pharmgkb.org", "PA124"), ("https://cpicpgx.org", "9001")),
        statement=Concept("http://loinc.org", "LA25390-8", "CYP2C19 Rapid Metabolizer"),
        evidence="CPIC Level A",
        medications=(Concept(RXNORM, "704", "amitriptyline"),),
        gene="CYP2C19",
    )
    assert len(items) == 7


def test_recommendation_is_a_note_where_it_is_of_this_gene_alone():
    items, _ = items_of()
    poor = items["CYP2C19 | RxNorm:32968 | Poor Metabolizer | Poor Metabolizer"]
    assert poor.note == "Use the invented dose. (Strong, CVI) Use another one. (Moderate, NVI)"
    assert items["CYP2C19 | RxNorm:704 | Poor Metabolizer | Poor Metabolizer"].note == ""


def test_activity_scores_are_told_apart():
    items, _ = items_of()
    less, more = (items[f"CYP2D6 | Drugbank:DB00000 | Normal Metabolizer | {score}"] for score in ("1.25", "2.0"))
    assert (less.genotypes, less.note) == ((star("CYP2D6 *1/*41"),), "Give less. (Optional, general)")
    assert (more.genotypes, more.note) == ((star("CYP2D6 *1/*1"),), "")
    assert less.medications == (Concept(RXNORM, "990000", "inventol"),)


def test_diplotype_that_is_not_of_stars_has_no_system():
    [item] = [item for item in items_of()[0].values() if item.gene == "DPYD"]
    assert item.genotypes == (Concept("", "DPYD Reference/c.1905+1G>A (*2A)", "DPYD Reference/c.1905+1G>A (*2A)"),)
    assert item.identifiers == (("https://cpicpgx.org", "9004"),)


def test_two_tables_are_enough():
    items, rejects = items_of(drugs=None, genes=None, recommendations=None)
    rapid = items["CYP2C19 | RxNorm:704 | Rapid Metabolizer | Rapid Metabolizer"]
    assert rapid.medications == (Concept(RXNORM, "704", "amitriptyline"),)
    unknown = items["CYP2D6 | Drugbank:DB00000 | Normal Metabolizer | 2.0"]
    assert unknown.medications == (Concept("", "", "inventol"),)
    assert len(items) == 7
    assert {reject.file for reject in rejects.noted} == {"pairs.csv", "diplotypes.csv"}


def test_rows_that_cannot_be_used_are_noted():
    assert told(items_of()[1]) == [
        (6, "guidelinename", "no guideline: CYP2C19, nodrug"),
        (7, "usedforrecommendation", "not used for a recommendation: CYP2C19, otherdrug"),
        (8, "drugname", "no drug"),
        (4, "lookupkey", 'a combination of genes: {"CYP2C19": "Poor Metabolizer", "CYP2D6": "2.0"}'),
        (6, "lookupkey", "no readable lookup key: [1]"),
        (6, "generesult", "no phenotype: CYP2C19 *1/*99"),
        (11, "diplotype", "no gene or diplotype"),
        (12, "lookupkey", "no readable lookup key: [broken"),
    ]


def test_quotes_that_do_not_match_are_noted():
    spoiled = TABLES["drugs"] + b'RxNorm:9,"x" y,,9,\n'
    assert told(items_of(drugs=spoiled)[1])[3] == (4, "columns", "quotes that do not match")


@pytest.mark.parametrize(
    ("role", "column"),
    [
        ("diplotypes", "generesult"),
        ("pairs", "cpiclevel"),
        ("drugs", "rxnormid"),
        ("genes", "symbol"),
        ("recommendations", "lookupkey"),
    ],
)
def test_table_without_a_column_is_refused(role, column):
    spoiled = TABLES[role].replace(column.encode(), b"x", 1)
    with pytest.raises(BadFile, match=f"{role}.csv, line 1, {column}: the column is missing. .*, separated by commas"):
        items_of(**{role: spoiled})
