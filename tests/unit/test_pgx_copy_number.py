"""CYP2D6: what copies make of alleles called from small variants, and what is said when nobody counted them."""

from __future__ import annotations

import math

import pytest

from app.formats.pgx import Method, ScoreRule
from app.pgx.calls import CallMethod, CallStatus, CopyNumber, GeneCall, Sample
from app.pgx.matcher import call_gene
from tests.small_genes import gene, sample

CYP2D6 = gene(
    "CYP2D6",
    "rs3892097:C>T rs1065852:G>A",
    {"*1": "C G", "*4": "T .", "*10": ". A", "*5": ". ."},
    activities={"*1": "1.0", "*4": "0.0", "*10": "0.25", "*5": "0.0"},
    method=Method.SCORE,
    scores=(
        ScoreRule(0.0, 0.25, "Poor Metabolizer"),
        ScoreRule(0.25, 1.25, "Intermediate Metabolizer"),
        ScoreRule(1.25, 2.5, "Normal Metabolizer"),
        ScoreRule(2.5, math.inf, "Ultrarapid Metabolizer"),
    ),
)


def call(genotypes: str, copies: int | None = None, **depths: tuple[int, ...]) -> GeneCall:
    number = None if copies is None else CopyNumber(copies, depths)
    return call_gene(CYP2D6, sample(CYP2D6, genotypes, copy_number=number))


def best(found: GeneCall) -> list[str]:
    return [diplotype.text for diplotype in found.diplotypes]


def codes(found: GeneCall) -> set[str]:
    return {warned.code for warned in found.warnings}


def test_without_a_copy_number_a_call_is_by_small_variants_only() -> None:
    found = call("0/1 0/0")
    assert (found.method, found.genotype, found.activity) == (CallMethod.SNV_ONLY, "*1/*4", "1.0")
    assert (found.copy_number, "copy-number-not-assessed" in codes(found)) == (None, True)


def test_two_copies_are_as_called() -> None:
    found = call("0/1 0/0", 2)
    assert (found.method, found.genotype, found.copy_number) == (CallMethod.MATCHER, "*1/*4", 2)
    assert codes(found) == {"hybrids-not-seen"}


def test_no_copy_is_a_deletion_on_both_sides_whatever_else_was_found() -> None:
    assert call("0/0 0/0", 0).genotype == "*5/*5"
    alone = call_gene(CYP2D6, Sample({}, CopyNumber(0)))
    assert (alone.status, alone.genotype, alone.phenotype) == (CallStatus.CALLED, "*5/*5", "Poor Metabolizer")


@pytest.mark.parametrize("genotypes", ["0/0 1/1", "0 1"])
def test_one_copy_leaves_a_deletion_on_the_other_side(genotypes: str) -> None:
    found = call(genotypes, 1)
    assert (found.genotype, found.activity, found.copy_number) == ("*5/*10", "0.25", 1)


def test_one_copy_with_two_alleles_is_no_call() -> None:
    found = call("0/1 0/0", 1)
    assert (found.status, "one copy" in found.reason) == (CallStatus.NO_CALL, True)


def test_equal_alleles_need_no_reads() -> None:
    assert call("0/0 0/0", 3).genotype == "*1/*1x2"
    four = call("0/0 0/0", 4)
    assert (four.status, best(four)) == (CallStatus.AMBIGUOUS, ["*1/*1x3", "*1x2/*1x2"])
    assert (four.phenotype, four.lookup) == ("Ultrarapid Metabolizer", "4.0")


def test_the_reads_tell_which_allele_is_duplicated() -> None:
    assert call("0/1 0/0", 3, rs3892097=(60, 30)).genotype == "*1x2/*4"
    assert call("0/1 0/0", 3, rs3892097=(30, 60)).genotype == "*1/*4x2"
    assert call("0/1 0/1", 3, rs3892097=(60, 30), rs1065852=(30, 60)).genotype == "*4/*10x2"


@pytest.mark.parametrize(
    "depths", [{}, {"rs3892097": (45, 45)}, {"rs3892097": (8, 4)}, {"rs3892097": (95, 5)}, {"rs3892097": (60,)}]
)
def test_where_the_reads_do_not_decide_every_possibility_is_given(depths: dict[str, tuple[int, ...]]) -> None:
    found = call("0/1 0/0", 3, **depths)
    assert (found.status, best(found)) == (CallStatus.AMBIGUOUS, ["*1/*4x2", "*1x2/*4"])
    assert (found.phenotype, found.activity) == ("", "")
    assert {"duplicated-allele-unknown", "results-differ"} <= codes(found)
