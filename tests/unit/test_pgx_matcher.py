"""Calling named alleles: what fits, what fits best, what cannot be said, and what a reader has to be told."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.formats.pgx import DiplotypeResult, FunctionRule, Gene, Method, NamedAllele, Ploidy
from app.pgx.calls import CallMethod, CallStatus, CopyNumber, GeneCall, Sample
from app.pgx.matcher import call_gene
from tests.small_genes import CYP2C19, G6PD, NONE, NORMAL, TPMT, UGT1A1, gene, sample


def best(call: GeneCall) -> list[str]:
    return [diplotype.text for diplotype in call.diplotypes]


def others(call: GeneCall) -> list[str]:
    return [diplotype.text for diplotype in call.alternatives]


def codes(call: GeneCall) -> set[str]:
    return {warned.code for warned in call.warnings}


def test_the_pair_with_most_defining_positions_wins_and_the_other_is_kept() -> None:
    call = call_gene(TPMT, sample(TPMT, "0/1 0/1 0/0"), release="r1")
    assert (call.genotype, call.diplotypes[0].score) == ("*1/*3A", 5)
    assert others(call) == ["*3B/*3C"]
    assert call.phenotype == call.lookup == "Intermediate Metabolizer"
    assert "alternative-phenotype" in codes(call)
    assert (call.called_positions, call.total_positions, call.release) == (3, 3, "r1")
    assert not call.effectively_phased


def test_phase_decides_between_one_copy_with_both_and_two_with_one_each() -> None:
    assert best(call_gene(TPMT, sample(TPMT, "0|1 0|1 0/0"))) == ["*1/*3A"]
    trans = call_gene(TPMT, sample(TPMT, "0|1 1|0 0/0"))
    assert (best(trans), others(trans), trans.effectively_phased) == (["*3B/*3C"], [], True)


def test_phase_sets_turn_independently() -> None:
    apart = call_gene(TPMT, sample(TPMT, "0|1:1 1|0:2 0/0"))
    assert (best(apart), others(apart)) == (["*1/*3A"], ["*3B/*3C"])
    assert others(call_gene(TPMT, sample(TPMT, "0|1:1 0|1:1 0/0"))) == []


def test_a_missing_position_leaves_its_alleles_uncallable_and_is_told() -> None:
    call = call_gene(TPMT, sample(TPMT, "- 0/0 ./."))
    assert (best(call), call.missing, call.uncallable) == (["*1/*1"], ("rs1142345", "rs1800462"), ("*2", "*3C"))
    assert {"tier1-missing", "too-few-positions"} <= codes(call)
    assert "too-few-positions" not in codes(call_gene(TPMT, sample(TPMT, "0/0 0/0 -")))


def test_nothing_tested_is_not_the_reference() -> None:
    for nothing in (Sample({}), sample(TPMT, "./. - .")):
        call = call_gene(TPMT, nothing)
        assert (call.status, best(call), call.phenotype) == (CallStatus.NOT_TESTED, [], "")
        assert call.missing == ("rs1142345", "rs1800460", "rs1800462")


def test_star_17_and_star_4_tie_when_the_position_between_them_is_missing() -> None:
    call = call_gene(CYP2C19, sample(CYP2C19, "0/1 - 0/0 1/1"))
    assert (call.status, best(call)) == (CallStatus.AMBIGUOUS, ["*1/*4", "*1/*17"])
    assert (call.phenotype, call.lookup, call.genotype) == ("", "", "")
    assert "results-differ" in codes(call)


def test_a_tie_of_one_phenotype_has_that_phenotype() -> None:
    same = replace(
        CYP2C19, rules=(FunctionRule("No function", NORMAL, "X"), FunctionRule("Increased function", NORMAL, "X"))
    )
    call = call_gene(same, sample(same, "0/1 - 0/0 1/1"))
    assert (call.status, call.phenotype, call.lookup) == (CallStatus.AMBIGUOUS, "X", "X")
    assert "results-differ" not in codes(call)


def test_a_code_for_several_bases_counts_less_where_it_stands_for_the_reference() -> None:
    toy = gene("X", "a:C>T b:A>G c:G>A", {"*1": "C A G", "*4": "Y G .", "*7": ". G .", "*8": "T G ."})
    assert best(call_gene(toy, sample(toy, "0/0 0/1 0/0"))) == ["*1/*4", "*1/*7"]
    assert best(call_gene(toy, sample(toy, "0/1 1/1 0/0"))) == ["*4/*4", "*4/*7", "*4/*8", "*7/*8"]
    assert best(call_gene(toy, sample(toy, "1/1 1/1 0/0"))) == ["*4/*4", "*4/*8", "*8/*8"]
    assert [each.score for each in call_gene(toy, sample(toy, "0/1 1/1 0/0")).diplotypes] == [3, 3, 3, 3]
    assert [each.score for each in call_gene(toy, sample(toy, "1/1 1/1 0/0")).diplotypes] == [4, 4, 4]


def test_the_repeat_of_ugt1a1_and_its_partner_are_one_allele() -> None:
    call = call_gene(UGT1A1, sample(UGT1A1, "0/1 0/2"))
    assert (best(call), others(call)) == (["*1/*80+*28"], ["*28/*80"])
    assert best(call_gene(UGT1A1, sample(UGT1A1, "0/0 2/3"))) == ["*28/*37"]


def test_a_half_call_of_the_reference_says_nothing() -> None:
    call = call_gene(TPMT, sample(TPMT, "0/0 0/0 0/."))
    assert (best(call), call.missing, call.uncallable) == (["*1/*1"], ("rs1800462",), ("*2",))


def test_a_half_call_of_another_allele_is_no_call() -> None:
    call = call_gene(TPMT, sample(TPMT, "0/0 0/0 1/."))
    assert call.status is CallStatus.NO_CALL
    assert "rs1800462" in call.reason


def test_an_undocumented_allele_is_no_call_or_for_some_genes_the_reference() -> None:
    call = call_gene(CYP2C19, sample(CYP2C19, "0/0 0/C 0/0 1/1"))
    assert (call.status, call.undocumented) == (CallStatus.NO_CALL, ("rs28399504",))
    assert "rs28399504" in call.reason
    told = call_gene(TPMT, sample(TPMT, "0/1 0/A 0/0"))
    assert (best(told), told.undocumented) == (["*1/*3C"], ("rs1800460",))
    assert "undocumented-as-reference" in codes(told)


@pytest.mark.parametrize("allele", ["*", "<DEL>"])
def test_a_deleted_or_symbolic_allele_is_never_taken_for_the_reference(allele: str) -> None:
    assert call_gene(TPMT, sample(TPMT, f"0/1 0/{allele} 0/0")).missing == ("rs1800460",)
    assert call_gene(TPMT, sample(TPMT, f"0/1 1/{allele} 0/0")).status is CallStatus.NO_CALL


def test_nothing_fits_is_no_call() -> None:
    call = call_gene(CYP2C19, sample(CYP2C19, "0/0 0/0 1/1 0/0"))
    assert (call.status, call.reason) == (CallStatus.NO_CALL, "no pair of named alleles fits what was found")


def test_required_positions_are_required() -> None:
    strict = replace(TPMT, required=("rs1800462",))
    call = call_gene(strict, sample(strict, "0/1 0/0 -"))
    assert (call.status, call.reason) == (CallStatus.NO_CALL, "required positions were not called: rs1800462")
    assert best(call_gene(strict, sample(strict, "0/1 0/0 0/0"))) == ["*1/*3C"]


def test_ignored_positions_and_alleles_take_no_part() -> None:
    lax = replace(TPMT, ignored=("rs1800462",), ignored_alleles=("*3A",))
    call = call_gene(lax, sample(lax, "0/1 0/1 1/1"))
    assert (best(call), call.total_positions) == (["*3B/*3C"], 2)


def test_a_known_ambiguity_has_a_pick_and_larger_ones_come_first() -> None:
    wanted = (("*3B/*3C", ("*1/*3A", "*3B/*3C")),)
    picky = replace(TPMT, priorities=wanted)
    call = call_gene(picky, sample(picky, "0/1 0/1 0/0"))
    assert (best(call), others(call)) == (["*3B/*3C"], ["*1/*3A"])
    assert best(call_gene(picky, sample(picky, "0|1 0|1 0/0"))) == ["*1/*3A"]
    assert best(call_gene(picky, sample(picky, "0/1 0/0 0/0"))) == ["*1/*3C"]


def test_too_many_equal_diplotypes_are_no_call() -> None:
    table = {"*1": "C G"} | {f"*{number}": "T ." for number in range(2, 17)}
    toy = gene("X", "a:C>T b:G>A", table)
    call = call_gene(toy, sample(toy, "1/1 0/0"))
    assert (call.status, call.diplotypes) == (CallStatus.NO_CALL, ())
    assert call.reason.startswith("120 diplotypes fit equally well")
    assert len(call_gene(toy, sample(toy, "0/1 0/0")).diplotypes) == 15


def test_a_suballele_is_given_under_the_name_of_its_core() -> None:
    toy = gene("SLCO1B1", "a:A>G b:T>C", {"*1": "A T", "*45.001": "G .", "*45.002": "G C", "*5": ". C"})
    toy = replace(toy, alleles=tuple(replace(a, core_of="*45") if "." in a.name else a for a in toy.alleles))
    call = call_gene(toy, sample(toy, "0/1 0/1"))
    assert (best(call), others(call)) == (["*1/*45"], ["*5/*45"])


def test_structural_alleles_are_named_as_not_seen() -> None:
    toy = replace(TPMT, alleles=(*TPMT.alleles, NamedAllele("*99", ("", "", ""), is_structural=True)))
    assert call_gene(toy, sample(toy, "0/0 0/0 0/0")).uncallable == ("*99",)


def test_one_copy_of_the_x_chromosome_has_one_allele() -> None:
    for genotypes in ("1 0", "1/1 0/0", "1 0/0"):
        call = call_gene(G6PD, sample(G6PD, genotypes, male=True))
        assert (best(call), call.diplotypes[0].second, call.phenotype) == (["Chatham"], None, "Deficient")
    assert call_gene(G6PD, sample(G6PD, "1 0")).genotype == "Chatham"


def test_the_x_chromosome_of_a_woman_has_two_and_variable_is_a_result() -> None:
    call = call_gene(G6PD, sample(G6PD, "0/1 0/0", male=False))
    assert (call.genotype, call.phenotype) == ("B (reference)/Chatham", "Variable")


def test_findings_that_contradict_the_number_of_copies_are_no_call() -> None:
    assert call_gene(G6PD, sample(G6PD, "0/1 0/0", male=True)).status is CallStatus.NO_CALL
    assert call_gene(G6PD, sample(G6PD, "1 0", male=False)).status is CallStatus.NO_CALL
    assert call_gene(G6PD, sample(G6PD, "1 0/0")).status is CallStatus.NO_CALL
    assert call_gene(TPMT, sample(TPMT, "1 0 0")).status is CallStatus.NO_CALL
    three = call_gene(TPMT, sample(TPMT, "0/1 0/0 0/0", copy_number=CopyNumber(3)))
    assert (three.status, "3 copies" in three.reason) == (CallStatus.NO_CALL, True)


def test_homozygous_findings_on_x_of_unknown_sex_are_told() -> None:
    call = call_gene(G6PD, sample(G6PD, "1/1 0/0"))
    assert (call.genotype, "sex-unknown" in codes(call)) == ("Chatham/Chatham", True)
    assert "sex-unknown" not in codes(call_gene(G6PD, sample(G6PD, "0/1 0/0")))


def test_hla_is_not_called_from_small_variants() -> None:
    hla = Gene("HLA-B", "HGNC:4932", "", 6, Method.ALLELE_STATUS, alleles=(NamedAllele("*57:01", ()),))
    assert call_gene(hla, Sample({})).status is CallStatus.NOT_TESTED


def test_several_records_of_one_position_are_told() -> None:
    call = call_gene(TPMT, sample(TPMT, "0/1 0/0 0/0", repeated=("rs1142345", "elsewhere")))
    assert "repeated-position" in codes(call)


SLCO1B1 = gene(
    "SLCO1B1",
    "rs2306283:A>G rs4149056:T>C rs9:G>A",
    {"*1": "A T G", "*5": ". C .", "*9": "G . A"},
    functions={"*1": NORMAL, "*5": NONE},
    rules=(FunctionRule(NORMAL, NORMAL, "Normal Function"), FunctionRule(NONE, NORMAL, "Decreased Function")),
)


def test_rs4149056_speaks_for_slco1b1_where_no_star_allele_fits() -> None:
    call = call_gene(SLCO1B1, sample(SLCO1B1, "1/1 0/1 0/0"))
    assert (call.status, call.genotype, call.phenotype) == (CallStatus.CALLED, "*1/*5", "Decreased Function")
    assert "inferred-from-rs4149056" in codes(call)
    assert "inferred-from-rs4149056" not in codes(call_gene(SLCO1B1, sample(SLCO1B1, "0/0 0/1 0/0")))
    assert call_gene(SLCO1B1, sample(SLCO1B1, "1/1 - 0/0")).status is CallStatus.NO_CALL
    assert call_gene(SLCO1B1, sample(SLCO1B1, "1/1 0/G 0/0")).status is CallStatus.NO_CALL


MT_RNR1 = gene(
    "MT-RNR1",
    "MT-827-A:A>G MT-1095-T:T>C MT-1555-A:A>G",
    {"Reference": "A T A", "m.827A>G": "G . .", "m.1095T>C": ". C .", "m.1555A>G": ". . G"},
    contig=25,
    ploidy=Ploidy.MITOCHONDRIAL,
    results={
        "Reference": DiplotypeResult("normal risk"),
        "m.827A>G": DiplotypeResult("normal risk"),
        "m.1555A>G": DiplotypeResult("increased risk"),
    },
)


def test_a_mitochondrial_variant_counts_from_its_share_on() -> None:
    often = call_gene(MT_RNR1, sample(MT_RNR1, "0 0 0/1", allele_frequencies={"MT-1555-A": 0.15}))
    assert (often.genotype, often.phenotype, codes(often)) == ("m.1555A>G", "increased risk", {"heteroplasmy"})
    rare = call_gene(MT_RNR1, sample(MT_RNR1, "0 0 0/1", allele_frequencies={"MT-1555-A": 0.05}))
    assert (rare.genotype, codes(rare)) == ("Reference", {"heteroplasmy-below-threshold"})
    strict = sample(MT_RNR1, "0 0 0/1", allele_frequencies={"MT-1555-A": 0.05})
    assert call_gene(MT_RNR1, strict, heteroplasmy=0.03).genotype == "m.1555A>G"


def test_the_mitochondrial_variant_of_highest_risk_decides() -> None:
    call = call_gene(MT_RNR1, sample(MT_RNR1, "1 0 1"))
    assert (call.variants, call.phenotype) == (("m.827A>G", "m.1555A>G"), "increased risk")
    assert call_gene(MT_RNR1, sample(MT_RNR1, "1 - 0")).uncallable == ("m.1095T>C",)
    assert call_gene(MT_RNR1, sample(MT_RNR1, "0 0 T")).status is CallStatus.NO_CALL


def test_an_ordinary_call_is_by_the_matcher_and_knows_nothing_of_copies() -> None:
    call = call_gene(TPMT, sample(TPMT, "0/0 0/0 0/0"))
    assert (call.method, call.copy_number) == (CallMethod.MATCHER, None)
