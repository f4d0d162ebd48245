"""Genes of which each variant counts by itself: DPYD with HapB3, and RYR1."""

from __future__ import annotations

import pytest

from app.formats.pgx import Method
from app.pgx.calls import CallStatus, GeneCall
from app.pgx.hapb3 import HAPB3, INTRON_ONLY
from app.pgx.matcher import call_gene
from tests.small_genes import DPYD, RYR1, gene, sample


def dpyd(genotypes: str) -> GeneCall:
    return call_gene(DPYD, sample(DPYD, genotypes))


def codes(call: GeneCall) -> set[str]:
    return {warned.code for warned in call.warnings}


@pytest.mark.parametrize(
    ("genotypes", "genotype", "activity"),
    [
        ("0/0 0/0 0/0 0/0 0/0", "Reference/Reference", "2.0"),
        ("0/1 0/0 0/0 0/0 0/0", "Reference/c.2846A>T", "1.5"),
        ("1/1 0/0 0/0 0/0 0/0", "c.2846A>T/c.2846A>T", "1.0"),
        ("0|1 0|0 0|0 0|1 0|0", "Reference/[c.85T>C (*9A) + c.2846A>T]", "1.5"),
        ("0|1 0|0 0|0 1|0 1|0", "c.2846A>T/[c.61C>T + c.85T>C (*9A)]", "0.5"),
        ("0|0 0|1 0|1 0|0 0|0", f"Reference/{HAPB3}", "1.5"),
        ("0|0 0|1 1|0 0|0 0|0", f"Reference/{INTRON_ONLY}", "1.5"),
        ("0|0 0|1 1|1 0|0 0|0", f"{INTRON_ONLY}/{HAPB3}", "1.0"),
        ("0/0 0/1 1/1 0/0 0/0", f"{INTRON_ONLY}/{HAPB3}", "1.0"),
        ("0/0 0/1 0/0 0/0 0/0", "Reference/Reference", "2.0"),
        ("0/0 0/1 - 0/0 0/0", f"Reference/{HAPB3}", "1.5"),
    ],
)
def test_variants_are_divided_between_the_copies_where_they_can_be(
    genotypes: str, genotype: str, activity: str
) -> None:
    call = dpyd(genotypes)
    assert (call.status, call.genotype, call.activity, call.variants) == (CallStatus.CALLED, genotype, activity, ())
    assert call.lookup == activity


@pytest.mark.parametrize(
    ("genotypes", "variants", "activity"),
    [
        ("0/0 0/1 0/1 0/0 0/0", ("Reference", HAPB3), "1.5"),
        ("0/1 0/0 0/0 0/1 0/0", ("c.85T>C (*9A)", "c.2846A>T"), "1.5"),
        ("0/1 0/0 0/0 0/0 0/1", ("c.61C>T", "c.2846A>T"), "0.5"),
        ("0/1 0/0 0/0 0/1 1/1", ("c.61C>T", "c.61C>T", "c.85T>C (*9A)", "c.2846A>T"), "0.0"),
        ("0/1 0/1 1/1 0/0 0/0", (INTRON_ONLY, HAPB3, "c.2846A>T"), "1.0"),
        ("0/1 0/1 0/0 0/0 0/0", ("Reference", "c.2846A>T"), "1.5"),
    ],
)
def test_variants_that_cannot_be_divided_are_listed_and_the_two_lowest_count(
    genotypes: str, variants: tuple[str, ...], activity: str
) -> None:
    call = dpyd(genotypes)
    assert (call.status, call.variants, call.diplotypes) == (CallStatus.CALLED, variants, ())
    assert call.activity == call.lookup == activity


def test_the_exonic_variant_of_hapb3_does_not_count_beside_a_reference_intron() -> None:
    for genotypes in ("0/0 0/1 0/0 0/0 0/0", "0|0 0|1 0|0 0|0 0|0", "0/1 0/1 0/0 0/0 0/0"):
        assert "hapb3-intronic-mismatch-exonic" in codes(dpyd(genotypes))
    assert "hapb3-exonic-only" in codes(dpyd("0/0 0/1 - 0/0 0/0"))
    assert "hapb3-exonic-only" in codes(dpyd("0/1 0/1 - 0/0 0/0"))
    assert not codes(dpyd("0/0 - 0/0 0/0 0/0"))


def test_half_calls_of_hapb3_are_judged_copy_by_copy() -> None:
    call = dpyd("0|0 1|. .|1 0|0 0|0")
    assert call.genotype == f"{INTRON_ONLY}/{HAPB3}"
    assert "hapb3-exonic-only" in codes(call)


@pytest.mark.parametrize(
    "genotypes",
    ["0|0 .|1 .|1 0|0 0|0", "0/0 0/0 ./1 0/0 0/0", "0/0 ./1 - 0/0 0/0", "0/. 1|. 0|1 0/1 0/1", "0/0 0/0 0/0 0/0 1/."],
)
def test_half_calls_that_leave_a_copy_open_are_no_call(genotypes: str) -> None:
    call = dpyd(genotypes)
    assert (call.status, call.activity) == (CallStatus.NO_CALL, "")
    assert call.reason


def test_phase_sets_give_every_division_and_the_lowest_counts() -> None:
    call = dpyd("0|1:1 0|0 0|0 0|0 1|0:2")
    assert call.status is CallStatus.AMBIGUOUS
    assert {each.text for each in call.diplotypes} == {"Reference/[c.61C>T + c.2846A>T]", "c.61C>T/c.2846A>T"}
    assert (call.activity, call.phenotype, "phase-sets" in codes(call)) == ("0.5", "Poor Metabolizer", True)


def test_a_variant_of_unknown_activity_is_indeterminate_unless_a_worse_one_is_beside_it() -> None:
    unknown = gene(
        "DPYD",
        "a:A>G b:C>A",
        {"Reference": "A C", "c.1A>G": "G .", "c.2C>A": ". A"},
        activities={"Reference": "1.0", "c.1A>G": "n/a", "c.2C>A": "0.0"},
        method=Method.LOWEST_FUNCTION,
        scores=DPYD.scores,
    )
    call = call_gene(unknown, sample(unknown, "0/1 0/0"))
    assert (call.phenotype, call.activity, call.lookup) == ("Indeterminate", "n/a", "n/a")
    beside = call_gene(unknown, sample(unknown, "0|1 0|1"))
    assert (beside.phenotype, beside.activity) == ("Intermediate Metabolizer", "1.0")


def test_hapb3_speaks_for_an_intronic_variant_that_a_release_does_not_name() -> None:
    older = gene(
        "DPYD",
        "rs56038477:C>T rs75017182:G>C",
        {"Reference": "C G", HAPB3: "T C"},
        activities={"Reference": "1.0", HAPB3: "0.5"},
        method=Method.LOWEST_FUNCTION,
        scores=DPYD.scores,
    )
    call = call_gene(older, sample(older, "0/0 0/1"))
    assert (call.genotype, call.activity) == (f"Reference/{INTRON_ONLY}", "1.5")


@pytest.mark.parametrize(
    ("genotypes", "written", "phenotype"),
    [
        ("0/1 0/0 1/1", "c.418G>A/[c.97A>G + c.418G>A]", "Malignant Hyperthermia Susceptibility"),
        ("0/0 0/1 0/1", "c.152C>A; c.418G>A", "Uncertain Susceptibility"),
        ("0/0 1/2 0/0", "c.152C>A/c.152C>T", ""),
        ("0|1 0|1 0|1", "Reference/[c.97A>G + c.152C>A + c.418G>A]", "Malignant Hyperthermia Susceptibility"),
    ],
)
def test_ryr1_is_susceptible_with_any_variant_that_is_associated(genotypes: str, written: str, phenotype: str) -> None:
    call = call_gene(RYR1, sample(RYR1, genotypes))
    assert (call.genotype or "; ".join(call.variants), call.phenotype, call.lookup) == (written, phenotype, phenotype)


def test_alleles_that_no_called_position_defines_are_told() -> None:
    assert dpyd("0/0 0/0 0/0 - 0/0").uncallable == ("c.85T>C (*9A)",)
    assert call_gene(RYR1, sample(RYR1, "0/0 - 0/0")).missing == ("b",)
