"""What guidelines advise follows from all results together, and never from a result that there is not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.formats.pgx import Drug, Pair, PgxContent, Recommendation
from app.pgx.advice import Advice, advise, advise_all, recommendations_of
from app.pgx.calls import CallMethod, CallStatus, Diplotype, GeneCall, Warned
from app.pgx.guidelines import Guidelines
from app.pgx.lookup import key, keys_of, phenotype_of
from tests.pgx_content import (
    ABACAVIR,
    ASPIRIN,
    CARBAMAZEPINE,
    CLOPIDOGREL,
    CODEINE,
    CYP2D6,
    FLUOROURACIL,
    HLA_B,
    MERCAPTOPURINE,
    SIMVASTATIN,
    TICAGRELOR,
    WARFARIN,
    a_call,
    content,
    not_tested,
)

PM, IM, NM = "Poor Metabolizer", "Intermediate Metabolizer", "Normal Metabolizer"


def advised(drug: Drug, *calls: GeneCall, of: PgxContent | None = None) -> Advice:
    [advice] = advise(Guidelines(of or content()), {call.gene: call for call in calls}, drug)
    return advice


def a_drug(*recommendations: Recommendation, pairs: tuple[Pair, ...] = ()) -> PgxContent:
    return PgxContent(drugs=(CODEINE,), recommendations=recommendations, pairs=pairs)


def a_recommendation(name: str, lookup: dict[str, str], grade: str, *, source: str = "CPIC") -> Recommendation:
    return Recommendation(name, CODEINE.drug_id, source, lookup, f"Text {name}.", grade=grade)


def names(advice: Advice) -> list[str]:
    return [one.recommendation_id for one in advice.recommendations]


def test_every_population_of_a_result_is_kept() -> None:
    advice = advised(CLOPIDOGREL, a_call("CYP2C19", "*2/*2", PM))
    assert [one.population for one in advice.recommendations] == ["CVI ACS PCI", "NVI"]
    assert (advice.source, advice.grade, advice.untested) == ("CPIC", "D", ())


def test_the_grade_is_that_of_the_most_severe_population() -> None:
    advice = advised(CLOPIDOGREL, a_call("CYP2C19", "*1/*2", IM))
    assert [one.grade for one in advice.recommendations] == ["D", "B"]
    assert advice.grade == "D"


def test_a_phenotype_may_be_written_with_its_gene() -> None:
    assert advised(CLOPIDOGREL, a_call("CYP2C19", "*2/*2", "CYP2C19 poor metabolizer")).grade == "D"


@pytest.mark.parametrize(
    "call",
    [
        pytest.param(not_tested("CYP2C19"), id="not tested"),
        pytest.param(a_call("CYP2C19", "", PM, status=CallStatus.NO_CALL), id="no call"),
        pytest.param(
            GeneCall("CYP2C19", CallStatus.AMBIGUOUS, diplotypes=(Diplotype("*1", "*2"), Diplotype("*2", "*2"))),
            id="candidates that differ",
        ),
    ],
)
def test_nothing_follows_from_a_gene_without_result(call: GeneCall) -> None:
    advice = advised(CLOPIDOGREL, call)
    assert (advice.recommendations, advice.grade, advice.untested) == ((), "NA", ("CYP2C19",))


def test_candidates_that_mean_the_same_lead_to_advice() -> None:
    call = replace(
        a_call("CYP2C19", phenotype=PM, status=CallStatus.AMBIGUOUS),
        diplotypes=(Diplotype("*2", "*2"), Diplotype("*2", "*3")),
    )
    assert advised(CLOPIDOGREL, call).grade == "D"


def test_two_genes_are_looked_up_together() -> None:
    advice = advised(MERCAPTOPURINE, a_call("TPMT", "*1/*1", NM), a_call("NUDT15", "*1/*3", IM))
    assert [dict(one.lookup) for one in advice.recommendations] == [{"TPMT": NM, "NUDT15": IM}]
    assert advice.genes == ("NUDT15", "TPMT")
    assert advice.deciding == ("NUDT15",)


def test_a_gene_without_result_leaves_what_does_not_need_it() -> None:
    advice = advised(MERCAPTOPURINE, a_call("TPMT", "*1/*3A", IM))
    assert [dict(one.lookup) for one in advice.recommendations] == [{"TPMT": IM}]
    assert advice.untested == ("NUDT15",)
    assert (advice.grade_of_gene("TPMT"), advice.grade_of_gene("NUDT15")) == ("C", "NA")


@pytest.mark.parametrize(
    "partner",
    [pytest.param((), id="not tested"), pytest.param((a_call("B", "*1/*9", "Indeterminate"),), id="indeterminate")],
)
def test_usual_dosing_is_not_promised_while_a_partner_is_unknown(partner: tuple[GeneCall, ...]) -> None:
    known = a_drug(a_recommendation("both", {"A": NM, "B": NM}, "A"), a_recommendation("one", {"A": NM}, "A"))
    advice = advised(CODEINE, a_call("A", "*1/*1", NM), *partner, of=known)
    assert (names(advice), advice.grade) == (["one"], "B")
    assert advised(CODEINE, a_call("A", "*1/*1", NM), a_call("B", "*1/*1", NM), of=known).grade == "A"


@pytest.mark.parametrize(
    ("code", "grade"),
    [
        ("tier1-missing", "B"),
        ("too-few-positions", "B"),
        ("undocumented-as-reference", "B"),
        ("alternative-phenotype", "B"),
        ("copy-number-not-assessed", "B"),
        ("tests-differ", "B"),
        ("hybrids-not-seen", "A"),
    ],
)
def test_usual_dosing_is_not_promised_while_a_result_is_left_open(code: str, grade: str) -> None:
    known = a_drug(a_recommendation("one", {"A": NM}, "A"), a_recommendation("poor", {"A": PM}, "D"))
    usual, poor = (
        replace(a_call("A", "*1/*1", phenotype), warnings=(Warned(code, "Something."),)) for phenotype in (NM, PM)
    )
    assert (advised(CODEINE, usual, of=known).grade, advised(CODEINE, poor, of=known).grade) == (grade, "D")


def test_a_guideline_may_say_what_to_do_without_a_result() -> None:
    known = a_drug(
        a_recommendation("none", {"A": NM, "B": "No Result"}, "B"),
        a_recommendation("poor", {"A": NM, "B": PM}, "D"),
    )
    advice = advised(CODEINE, a_call("A", "*1/*1", NM), of=known)
    assert names(advice) == ["none"]
    assert (advice.grade_of_gene("A"), advice.grade_of_gene("B")) == ("B", "NA")


def test_either_of_two_genes_is_enough_where_the_guideline_says_so() -> None:
    susceptible, uncertain = "Malignant Hyperthermia Susceptibility", "Uncertain Susceptibility"
    known = a_drug(
        a_recommendation("ryr1", {"RYR1": susceptible}, "D"),
        a_recommendation("cacna1s", {"CACNA1S": susceptible}, "D"),
        a_recommendation("neither", {"RYR1": uncertain, "CACNA1S": uncertain}, "B"),
    )
    ryr1, cacna1s = a_call("RYR1", phenotype=uncertain), a_call("CACNA1S", phenotype=susceptible)
    assert names(advised(CODEINE, ryr1, cacna1s, of=known)) == ["cacna1s"]
    assert names(advised(CODEINE, cacna1s, of=known)) == ["cacna1s"]
    assert advised(CODEINE, ryr1, of=known).grade == "NA"
    assert names(advised(CODEINE, ryr1, a_call("CACNA1S", phenotype=uncertain), of=known)) == ["neither"]


@pytest.mark.parametrize(
    ("genotype", "stated", "grade"),
    [
        pytest.param("*07:02/*57:01", "", "D", id="one of two alleles"),
        pytest.param("*07:02/*57:01:01", "", "D", id="three fields"),
        pytest.param("HLA-B*07:02/HLA-B*57:01:01G", "", "D", id="group, with the gene"),
        pytest.param("*07:02/*15:02", "", "A", id="two others"),
        pytest.param("*07:02/*07:02", "", "A", id="homozygous for another"),
        pytest.param("", "*57:01 negative", "A", id="stated"),
        pytest.param("", "*57:01 Positive", "D", id="stated otherwise"),
        pytest.param("*07:02/*57", "", "NA", id="too coarse"),
        pytest.param("*07:02/*57:01N", "", "NA", id="not expressed"),
        pytest.param("*07:02", "", "NA", id="one allele of two"),
        pytest.param("", "*15:02 negative", "NA", id="another allele"),
    ],
)
def test_an_hla_allele_is_there_or_not_or_not_known(genotype: str, stated: str, grade: str) -> None:
    assert advised(ABACAVIR, a_call("HLA-B", genotype, stated)).grade == grade


def test_two_hla_genes_are_looked_up_together() -> None:
    hla_b, hla_a = a_call("HLA-B", "*07:02/*08:01"), a_call("HLA-A", "*02:01/*31:01")
    both = advised(CARBAMAZEPINE, hla_b, hla_a)
    assert (both.grade, both.deciding) == ("D", ("HLA-A",))
    assert advised(CARBAMAZEPINE, hla_b).grade == "NA"
    assert advised(CARBAMAZEPINE, a_call("HLA-B", "*15:02/*08:01")).grade == "D"


def test_a_score_is_looked_up_as_a_number() -> None:
    assert advised(FLUOROURACIL, a_call("DPYD", "Reference/c.2846A>T", IM, activity="1.5", lookup="1.5")).grade == "C"
    assert advised(FLUOROURACIL, a_call("DPYD", "Reference/Reference", NM, activity="2")).grade == "A"


def test_a_genotype_is_the_same_in_either_order() -> None:
    known = a_drug(a_recommendation("one", {"CYP4F2": "*3/*1"}, "C"))
    assert advised(CODEINE, a_call("CYP4F2", "*1/*3"), of=known).grade == "C"


def test_small_variants_never_make_an_ultrarapid_metabolizer() -> None:
    call = a_call("CYP2D6", "*1/*1", "Ultrarapid Metabolizer")
    assert advised(CODEINE, call).grade == "D"
    assert advised(CODEINE, replace(call, method=CallMethod.SNV_ONLY)).grade == "NA"
    assert advised(CODEINE, a_call("CYP2D6", "*4/*4", PM, method=CallMethod.SNV_ONLY)).grade == "D"


def test_each_source_advises_by_itself() -> None:
    known = a_drug(
        a_recommendation("dpwg", {"CYP2D6": PM}, "C", source="DPWG"),
        a_recommendation("cpic", {"CYP2D6": PM}, "D"),
        pairs=(Pair("OPRM1", CODEINE.drug_id, "B"), Pair("COMT", CODEINE.drug_id, "C")),
    )
    first, second = advise(Guidelines(known), {"CYP2D6": a_call("CYP2D6", "*4/*4", PM)}, CODEINE)
    assert (first.source, first.genes, first.untested) == ("CPIC", ("CYP2D6", "OPRM1"), ("OPRM1",))
    assert (second.source, second.genes, second.grade) == ("DPWG", ("CYP2D6",), "C")


def test_a_sentence_that_says_nothing_is_no_advice() -> None:
    known = a_drug(replace(a_recommendation("one", {"CYP2D6": PM}, "NA"), text="None"))
    assert advised(CODEINE, a_call("CYP2D6", "*4/*4", PM), of=known).recommendations == ()
    assert recommendations_of(known, CODEINE) == {}


def test_a_recommendation_that_asks_for_nothing_follows_from_nothing() -> None:
    known = a_drug(a_recommendation("all", {}, "D"), a_recommendation("one", {"CYP2D6": PM}, "C"))
    assert names(advised(CODEINE, a_call("CYP2D6", "*4/*4", PM), of=known)) == ["one"]


def test_a_drug_without_a_gene_has_no_advice() -> None:
    assert advise(Guidelines(content()), {}, TICAGRELOR) == ()
    assert advise(Guidelines(content()), {}, ASPIRIN) == ()


def test_all_drugs_are_advised_on_as_one_by_one() -> None:
    calls = {
        call.gene: call for call in (a_call("CYP2C19", "*2/*2", PM), a_call("SLCO1B1", "*1/*1", "Normal Function"))
    }
    one_by_one = [advice for drug in content().drugs for advice in advise(Guidelines(content()), calls, drug)]
    assert list(advise_all(Guidelines(content()), calls)) == one_by_one
    assert {advice.drug.name: advice.grade for advice in one_by_one}[SIMVASTATIN.name] == "A"


def test_warfarin_has_the_range_of_its_label() -> None:
    calls = {
        "CYP2C9": a_call("CYP2C9", "*1/*3", IM, activity="1.0"),
        "VKORC1": a_call("VKORC1", "rs9923231 reference (C)/rs9923231 variant (T)", "-1639 AG"),
    }
    guideline, label = advise(Guidelines(content()), calls, WARFARIN)
    assert (guideline.source, guideline.grade) == ("CPIC", "NA")
    assert (label.source, label.grade, label.genes) == ("FDA label", "C", ("CYP2C9", "VKORC1"))
    assert "3-4 mg/day" in label.recommendations[0].text
    assert len(advise(Guidelines(content()), {"CYP2C9": calls["CYP2C9"]}, WARFARIN)) == 1


def listed(drug: Drug, gene: str, of: PgxContent | None = None) -> list[tuple[str, str]]:
    return [(row.code, row.grade) for row in recommendations_of(of or content(), drug)[gene]]


def test_a_drug_lists_its_phenotypes_most_severe_first() -> None:
    assert listed(CODEINE, "CYP2D6") == [("PM", "D"), ("UM", "D"), ("IM", "B"), ("NM", "A")]


def test_scores_are_listed_as_phenotypes() -> None:
    assert listed(FLUOROURACIL, "DPYD") == [("PM", "D"), ("PM", "D"), ("IM", "C"), ("IM", "C"), ("NM", "A")]


def test_a_gene_of_several_is_listed_as_if_the_others_had_no_result() -> None:
    assert listed(MERCAPTOPURINE, "TPMT") == [("PM", "D"), ("IM", "C"), ("NM", "B")]
    known = a_drug(
        a_recommendation("none", {"A": NM, "B": "No Result"}, "B"), a_recommendation("both", {"A": NM, "B": PM}, "D")
    )
    assert listed(CODEINE, "A", known) == [("NM", "B")]


def test_a_gene_that_is_never_alone_is_listed_with_usual_results_of_the_others() -> None:
    assert listed(CARBAMAZEPINE, "HLA-A") == [("POS", "D"), ("NEG", "A")]


def test_what_is_said_because_of_another_gene_is_not_listed_of_a_usual_or_unknown_result() -> None:
    known = a_drug(
        a_recommendation("one", {"A": NM, "B": PM}, "D"),
        a_recommendation("two", {"A": "Indeterminate", "B": PM}, "D"),
        a_recommendation("three", {"A": "Indeterminate", "B": NM}, "B"),
        a_recommendation("four", {"A": IM, "B": PM}, "D"),
        a_recommendation("five", {"A": "Indeterminate", "B": "No Result"}, "NA"),
    )
    assert listed(CODEINE, "A", known) == [("IM", "D"), ("NA", "NA")]


def test_the_gene_with_the_most_severe_result_is_listed_first() -> None:
    known = a_drug(a_recommendation("a", {"A": PM}, "C"), a_recommendation("b", {"B": PM}, "D"))
    assert list(recommendations_of(known, CODEINE)) == ["B", "A"]


def test_spellings_of_a_result_have_one_key() -> None:
    assert key("G6PD", "G6PD Deficient") == key("G6PD", "deficient")
    assert key("CYP2D6", ">=3.0") == key("CYP2D6", "≥3") != key("CYP2D6", "3.0")
    assert key("CYP2C19", "CYP2C19*1/*2") == key("CYP2C19", "*1/*2")
    assert key("TPMT", "None") == key("TPMT", "No Result")


def test_a_gene_without_result_has_one_key_only() -> None:
    assert keys_of(HLA_B, None) == keys_of(HLA_B, a_call("HLA-B")) == {"no result"}


def test_a_score_beyond_the_rules_is_its_own_phenotype() -> None:
    assert phenotype_of(CYP2D6, "≥3.0") == "Ultrarapid Metabolizer"
    assert phenotype_of(CYP2D6, "n/a") == "n/a"
    assert phenotype_of(None, "1.0") == "1.0"
