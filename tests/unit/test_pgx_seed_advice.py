"""The embedded release is understood: its sentences by the rules of grades, its results by their codes."""

from __future__ import annotations

import pytest

from app.formats.pgx import PgxContent
from app.operations.pgx_seed import embedded_content
from app.pgx.advice import advise, recommendations_of
from app.pgx.calls import GeneCall
from app.pgx.drugs import DrugIndex
from app.pgx.grades import graded, read_grade_rules
from app.pgx.guidelines import Guidelines
from tests.pgx_content import DATA, a_call

RULES = read_grade_rules((DATA / "grade_rules.tsv").read_bytes())


@pytest.fixture(scope="module")
def seed() -> PgxContent:
    return graded(embedded_content(), RULES)


def grades(seed: PgxContent, drug: str, *calls: GeneCall) -> set[str]:
    found = DrugIndex(seed).by_name("inn", drug)
    assert found is not None
    return {advice.grade for advice in advise(Guidelines(seed), {call.gene: call for call in calls}, found)}


def test_every_sentence_of_the_release_is_known_to_a_rule(seed: PgxContent) -> None:
    rules = [RULES.rule_for(one.text, one.classification, is_actionable=True) for one in seed.recommendations]
    assert all(rule is not None and rule.text_class != "not understood" for rule in rules)


@pytest.mark.parametrize(
    ("drug", "call", "grade"),
    [
        ("clopidogrel", a_call("CYP2C19", "*2/*2", "Poor Metabolizer"), "D"),
        ("codeine", a_call("CYP2D6", "*1/*1", "Normal Metabolizer", activity="2.0"), "A"),
        ("codeine", a_call("CYP2D6", "*1x2/*1", "Ultrarapid Metabolizer", activity="3.0"), "D"),
        (
            "fluorouracil",
            a_call("DPYD", "Reference/Reference", "Normal Metabolizer", activity="2.0", lookup="2.0"),
            "A",
        ),
        ("fluorouracil", a_call("DPYD", "", "Poor Metabolizer", activity="0.5", lookup="0.5"), "D"),
        ("abacavir", a_call("HLA-B", "*07:02/*57:01"), "D"),
        ("simvastatin", a_call("SLCO1B1", "*1/*5", "Decreased Function"), "D"),
        ("tacrolimus", a_call("CYP3A5", "*1/*1", "Normal Metabolizer"), "C"),
        ("gentamicin", a_call("MT-RNR1", "m.1555A>G", "increased risk of aminoglycoside-induced hearing loss"), "D"),
        ("rasburicase", a_call("G6PD", "B (reference)", "Normal"), "A"),
        ("warfarin", a_call("CYP2C9", "*1/*1", "Normal Metabolizer", activity="2.0"), "NA"),
    ],
)
def test_a_result_leads_to_a_grade(seed: PgxContent, drug: str, call: GeneCall, grade: str) -> None:
    assert grades(seed, drug, call) == {grade}


def test_thiopurines_need_both_genes_for_usual_dosing(seed: PgxContent) -> None:
    tpmt = a_call("TPMT", "*1/*1", "Normal Metabolizer")
    assert grades(seed, "azathioprine", tpmt) == {"B"}
    assert grades(seed, "azathioprine", tpmt, a_call("NUDT15", "*1/*1", "Normal Metabolizer")) == {"A"}
    assert grades(seed, "azathioprine", tpmt, a_call("NUDT15", "*1/*3", "Intermediate Metabolizer")) == {"C"}


def test_one_susceptible_gene_is_enough_for_anesthetics(seed: PgxContent) -> None:
    susceptible = a_call("RYR1", phenotype="Malignant Hyperthermia Susceptibility")
    uncertain = a_call("CACNA1S", "Reference/Reference", "Uncertain Susceptibility")
    assert grades(seed, "sevoflurane", susceptible) == grades(seed, "sevoflurane", susceptible, uncertain) == {"D"}


def test_no_drug_lists_a_usual_result_as_one_to_avoid(seed: PgxContent) -> None:
    severe = {
        (drug.name, row.gene)
        for drug in seed.drugs
        for rows in recommendations_of(seed, drug).values()
        for row in rows
        if row.grade == "D" and row.code in ("NM", "NF", "NEG", "NOR", "NR", "NA")
    }
    assert severe == set()
