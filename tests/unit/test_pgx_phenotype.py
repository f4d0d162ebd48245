"""Phenotype, activity score and lookup of a diplotype: what a source states, else functions, else scores."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from app.formats.pgx import DiplotypeResult, FunctionRule, Method, NamedAllele, ScoreRule
from app.pgx.diplotypes import diplotype
from app.pgx.phenotype import Result, result_of
from tests.small_genes import G6PD, NONE, NORMAL, TPMT, gene

CYP2D6 = gene(
    "CYP2D6",
    "a:C>T",
    {"*1": "C", "*4": "T", "*10": ".", "*71": ".", "*36": "."},
    activities={"*1": "1.0", "*4": "0.0", "*10": "0.25", "*71": "n/a", "*36": "0.0"},
    method=Method.SCORE,
    scores=(
        ScoreRule(0.0, 0.25, "Poor Metabolizer"),
        ScoreRule(0.25, 1.25, "Intermediate Metabolizer"),
        ScoreRule(1.25, 2.5, "Normal Metabolizer"),
        ScoreRule(2.5, math.inf, "Ultrarapid Metabolizer"),
    ),
)


@pytest.mark.parametrize(
    ("first", "second", "activity", "phenotype"),
    [
        ("*1", "*1", "2.0", "Normal Metabolizer"),
        ("*4", "*10", "0.25", "Intermediate Metabolizer"),
        ("*1x2", "*4", "2.0", "Normal Metabolizer"),
        ("*1x2", "*1", "3.0", "Ultrarapid Metabolizer"),
        ("*1x≥3", "*4", "≥3.0", "Ultrarapid Metabolizer"),
        ("*10x≥3", "*4", "≥0.75", "Indeterminate"),
        ("*4x≥3", "*10", "0.25", "Intermediate Metabolizer"),
        ("*36+*10", "*1", "1.25", "Normal Metabolizer"),
        ("*36x2+*10x2", "*4", "0.5", "Intermediate Metabolizer"),
        ("*1", "*71", "n/a", "Indeterminate"),
        ("*1xN", "*4", "n/a", "Indeterminate"),
        ("*1", "*999", "n/a", "Indeterminate"),
    ],
)
def test_scores_count_copies_and_never_estimate(first: str, second: str, activity: str, phenotype: str) -> None:
    assert result_of(CYP2D6, diplotype(first, second)) == Result(phenotype, activity, activity)


def test_an_activity_that_a_release_states_of_copies_wins() -> None:
    told = replace(CYP2D6, alleles=(*CYP2D6.alleles, NamedAllele("*4x2", ("",), activity="n/a")))
    assert result_of(told, diplotype("*1", "*4x2")).activity == "n/a"
    binned = replace(CYP2D6, alleles=(*CYP2D6.alleles, NamedAllele("*1x≥3", ("",), activity="≥3.0")))
    assert result_of(binned, diplotype("*1x4", "*4")).activity == "≥3.0"


def test_a_stated_result_wins_over_rules() -> None:
    stated = replace(TPMT, results={"*1/*2": DiplotypeResult("Odd", "", "key")})
    assert result_of(stated, diplotype("*2", "*1")) == Result("Odd", "", "key")
    assert result_of(stated, diplotype("*1", "*3A")).phenotype == "Intermediate Metabolizer"


def test_functions_have_no_order_and_case_does_not_matter() -> None:
    shouted = replace(TPMT, rules=(FunctionRule(NORMAL.upper(), NONE.title(), "X"),))
    assert result_of(shouted, diplotype("*1", "*2")) == Result("X", "", "X")


def test_without_rule_or_function_there_is_no_phenotype() -> None:
    bare = replace(TPMT, rules=())
    assert result_of(bare, diplotype("*1", "*2")) == Result()
    assert result_of(TPMT, diplotype("*1", "*999")) == Result()


def test_one_copy_has_its_own_rules() -> None:
    assert result_of(G6PD, diplotype("Chatham")).phenotype == "Deficient"
    assert result_of(G6PD, diplotype("Asahi", "Chatham")).phenotype == "Deficient"


def test_a_gene_whose_genotype_is_the_result_is_looked_up_by_it() -> None:
    by_genotype = replace(TPMT, method=Method.GENOTYPE, rules=())
    assert result_of(by_genotype, diplotype("*3A", "*1")) == Result("", "", "*1/*3A")
