"""What a pharmacogenetic release means for drugs: one statement for each drug and result, about all its genotypes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.formats.knowledge import Concept, KnowledgeItem
from app.formats.pgx import DiplotypeResult, Gene, NamedAllele, PgxContent, Ploidy, Recommendation
from app.operations.pgx_seed import embedded_content
from app.pgx.implications import implications
from tests.pgx_content import CLOPIDOGREL, CODEINE, CYP2C9, CYP2C19, CYP2D6, MERCAPTOPURINE, NUDT15, TPMT, content

CONTENT = content()


def said(given: PgxContent, *genes: Gene) -> list[KnowledgeItem]:
    return list(implications(given, {gene.symbol: gene for gene in genes or given.genes}))


def about(given: PgxContent, symbol: str, drug: str) -> dict[str, KnowledgeItem]:
    """Return the items of a gene and a drug by what they predict."""
    found = [one for one in said(given) if one.gene == symbol and one.medications[0].display == drug]
    return {one.statement.display: one for one in found if one.statement is not None}


def advice(drug_id: str, text: str, population: str = "", source: str = "CPIC", **lookup: str) -> Recommendation:
    return Recommendation(text, drug_id, source, lookup, text, population, "Strong")


def codes(item: KnowledgeItem) -> set[str]:
    return {genotype.code for genotype in item.genotypes}


def test_an_item_is_about_the_genotypes_with_one_result() -> None:
    found = about(CONTENT, "CYP2C19", "clopidogrel")
    assert set(found) == {
        f"CYP2C19 {word} Metabolizer" for word in ("Ultrarapid", "Rapid", "Normal", "Intermediate", "Poor")
    }
    poor = found["CYP2C19 Poor Metabolizer"]
    assert codes(poor) == {"CYP2C19 *2/*2", "CYP2C19 *2/*3", "CYP2C19 *3/*3"}
    assert {genotype.system for genotype in poor.genotypes} == {"https://www.pharmvar.org"}
    assert poor.identifiers == (("https://www.pharmgkb.org", "PA124"),)
    assert poor.evidence == "CPIC Level A"
    assert poor.medications == (Concept("http://www.nlm.nih.gov/research/umls/rxnorm", "32968", "clopidogrel"),)
    assert poor.statement is not None
    assert poor.statement.code == "LA9657-3"
    assert len({one.row_id for one in said(CONTENT)}) == len(said(CONTENT))


def test_the_advice_of_each_population_and_source_is_noted() -> None:
    given = replace(
        CONTENT,
        recommendations=(
            advice(CLOPIDOGREL.drug_id, "Avoid.", "ACS", CYP2C19="Poor Metabolizer"),
            advice(CLOPIDOGREL.drug_id, "Consider another.", "NVI", CYP2C19="CYP2C19 Poor Metabolizer"),
            advice(CLOPIDOGREL.drug_id, "Label.", source="FDA", CYP2C19="*2/*2"),
            advice(CLOPIDOGREL.drug_id, "n/a", source="DPWG", CYP2C19="Poor Metabolizer"),
            advice(CLOPIDOGREL.drug_id, "Usual dose.", CYP2C19="Normal Metabolizer"),
        ),
    )
    notes = {name: one.note for name, one in about(given, "CYP2C19", "clopidogrel").items()}
    assert notes["CYP2C19 Poor Metabolizer"] == "Avoid. (Strong, ACS) Consider another. (Strong, NVI)"
    assert notes["CYP2C19 Normal Metabolizer"] == "Usual dose. (Strong)"
    assert notes["CYP2C19 Rapid Metabolizer"] == ""


def test_advice_for_a_combination_is_said_of_neither_gene() -> None:
    both = advice(MERCAPTOPURINE.drug_id, "Both.", TPMT="Poor Metabolizer", NUDT15="Poor Metabolizer")
    given = replace(CONTENT, recommendations=(both,))
    items = said(given, TPMT, NUDT15)
    assert {one.gene for one in items} == {"TPMT", "NUDT15"}
    assert {one.note for one in items} == {""}


def test_scores_tell_results_of_one_phenotype_apart() -> None:
    given = replace(CONTENT, recommendations=(advice(CODEINE.drug_id, "At one.", CYP2C9="1"),), pairs=())
    found = [one for one in said(given, CYP2C9) if one.note]
    assert [codes(one) for one in found] == [{"CYP2C9 *1/*3", "CYP2C9 *2/*2"}]
    assert [one.evidence for one in found] == [""]


def test_unknown_functions_are_no_statement() -> None:
    unknown = NamedAllele("*30", ("", "", "A", ""), function="Uncertain function")
    gene = replace(CYP2C19, alleles=(*CYP2C19.alleles, unknown))
    assert not any("*30" in code for one in said(CONTENT, gene) for code in codes(one))
    stated = replace(CYP2C19, results={"*1/*30": DiplotypeResult("Indeterminate"), "*1/*1": DiplotypeResult("Normal")})
    found = [code for one in said(CONTENT, stated) for code in codes(one)]
    assert "CYP2C19 *1/*30" not in found
    assert "CYP2C19 *1/*1" in found


def test_what_a_source_states_of_a_genotype_wins() -> None:
    gene = replace(CYP2D6, results={"*1/*4": DiplotypeResult("Slow", "0.3"), "*1/*9x2": DiplotypeResult("Fast", "3.0")})
    given = replace(CONTENT, recommendations=(advice(CODEINE.drug_id, "x", CYP2D6="0.3"),))
    found = {one.statement.display: codes(one) for one in said(given, gene) if one.statement is not None}
    assert found["CYP2D6 Slow"] == {"CYP2D6 *1/*4"}
    assert found["CYP2D6 Fast"] == {"CYP2D6 *1/*9x2"}
    assert "CYP2D6 *1/*1" in found["CYP2D6 Normal Metabolizer"]


@pytest.mark.parametrize(
    ("ploidy", "expected"),
    [
        (Ploidy.X, {"CYP2C19 *2", "CYP2C19 *2/*2"}),
        (Ploidy.MITOCHONDRIAL, {"CYP2C19 *2"}),
        (Ploidy.AUTOSOMAL, {"CYP2C19 *2/*2"}),
    ],
)
def test_one_copy_is_a_genotype_where_people_have_one(ploidy: Ploidy, expected: set[str]) -> None:
    gene = replace(
        CYP2C19,
        ploidy=ploidy,
        alleles=CYP2C19.alleles[2:3],
        results={"*2": DiplotypeResult("Poor Metabolizer"), "*2/*2": DiplotypeResult("Poor Metabolizer")},
    )
    if ploidy is not Ploidy.X:
        gene = replace(
            gene, results={code.removeprefix("CYP2C19 "): DiplotypeResult("Poor Metabolizer") for code in expected}
        )
    [item] = said(
        replace(CONTENT, recommendations=(advice(CLOPIDOGREL.drug_id, "x", CYP2C19="Poor Metabolizer"),)), gene
    )
    assert codes(item) == expected


def test_the_embedded_release_says_something_of_its_drugs() -> None:
    items = said(embedded_content())
    assert len(items) > 300
    assert {len(one.medications) for one in items} == {1}
    assert all(one.genotypes and one.statement is not None for one in items)
    assert not any("Indeterminate" in one.row_id for one in items)
