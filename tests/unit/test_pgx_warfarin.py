"""The dose of warfarin is told from what is known; what is not known is said."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.pgx.calls import GeneCall
from app.pgx.warfarin import WarfarinAdvice, WarfarinPatient, iwpc_dose, label_recommendation, warfarin_advice
from tests.pgx_content import WARFARIN, a_call, not_tested

KNOWN = WarfarinPatient(67, 175.0, 80.0, "White", takes_inducer=False, takes_amiodarone=False)


def advised(cyp2c9: str, vkorc1: str, patient: WarfarinPatient | None = None) -> WarfarinAdvice:
    calls = {"CYP2C9": a_call("CYP2C9", cyp2c9), "VKORC1": a_call("VKORC1", vkorc1)}
    return warfarin_advice(calls, patient)


def noted(advice: WarfarinAdvice) -> set[str]:
    return {note.code for note in advice.notes}


@pytest.mark.parametrize(
    ("vkorc1", "ranges"),
    [
        pytest.param("C/C", ["5-7", "5-7", "3-4", "3-4", "3-4", "0.5-2"], id="GG"),
        pytest.param("C/T", ["5-7", "3-4", "3-4", "3-4", "0.5-2", "0.5-2"], id="AG"),
        pytest.param("T/T", ["3-4", "3-4", "0.5-2", "0.5-2", "0.5-2", "0.5-2"], id="AA"),
    ],
)
def test_the_range_is_that_of_the_label(vkorc1: str, ranges: list[str]) -> None:
    pairs = ("*1/*1", "*1/*2", "*1/*3", "*2/*2", "*2/*3", "*3/*3")
    assert [advised(pair, vkorc1).range_text for pair in pairs] == [f"{each} mg/day" for each in ranges]


@pytest.mark.parametrize(
    ("genotype", "phenotype", "bases"),
    [
        ("rs9923231 reference (C)/rs9923231 variant (T)", "", "AG"),
        ("Reference/rs9923231", "", "AG"),
        ("", "-1639 AA", "AA"),
        ("", "VKORC1 -1639 G>A", "AG"),
        ("T/T", "", "AA"),
        ("A/G", "", "AG"),
        ("C", "", ""),
        ("H1/H2", "", ""),
    ],
)
def test_vkorc1_is_understood_as_releases_name_it(genotype: str, phenotype: str, bases: str) -> None:
    assert warfarin_advice({"VKORC1": a_call("VKORC1", genotype, phenotype)}).vkorc1 == bases


def test_the_order_of_alleles_does_not_matter() -> None:
    assert advised("*3/*1", "T/C").range_text == "3-4 mg/day"


@pytest.mark.parametrize(
    "cyp2c9",
    [
        pytest.param(a_call("CYP2C9", "*1/*5"), id="allele that the table lacks"),
        pytest.param(not_tested("CYP2C9"), id="not tested"),
        pytest.param(replace(a_call("CYP2C9", "*1/*1"), uncallable=("*3",)), id="*3 could not be told"),
        pytest.param(replace(a_call("CYP2C9", "*1/*1"), missing=("rs1799853",)), id="*2 was not tested"),
    ],
)
def test_there_is_no_range_without_cyp2c9(cyp2c9: GeneCall) -> None:
    advice = warfarin_advice({"CYP2C9": cyp2c9, "VKORC1": a_call("VKORC1", "C/C")}, KNOWN)
    assert (advice.range_mg, advice.dose_mg, advice.indicator) == (None, None, "info")
    assert "cyp2c9-unknown" in noted(advice)


def test_there_is_no_range_without_vkorc1() -> None:
    advice = warfarin_advice({"CYP2C9": a_call("CYP2C9", "*1/*1")}, KNOWN)
    assert (advice.range_mg, advice.dose_mg, advice.range_text) == (None, None, "")
    assert "vkorc1-unknown" in noted(advice)


def test_the_dose_is_that_of_the_published_algorithm() -> None:
    # 5.6044 - 0.2614*6 + 0.0087*175 + 0.0128*80 - 0.8677 - 0.9357 = 4.7791 for the root of a week's dose.
    assert iwpc_dose("*1/*3", "AG", KNOWN) == pytest.approx(4.7791**2 / 7)


@pytest.mark.parametrize(
    ("change", "root"),
    [
        ({"ancestry": "Asian"}, -0.1092),
        ({"ancestry": "Black"}, -0.2760),
        ({"ancestry": ""}, -0.1032),
        ({"takes_inducer": True}, 1.1816),
        ({"takes_amiodarone": True}, -0.5503),
        ({"age_years": 69}, 0.0),
        ({"age_years": 70}, -0.2614),
    ],
)
def test_each_property_of_a_patient_counts(change: dict[str, object], root: float) -> None:
    dose = iwpc_dose("*1/*3", "AG", replace(KNOWN, **change))  # type: ignore[arg-type]
    assert dose == pytest.approx((4.7791 + root) ** 2 / 7)


@pytest.mark.parametrize(
    "change",
    [
        {"age_years": None},
        {"height_cm": None},
        {"weight_kg": None},
        {"age_years": 12},
        {"height_cm": 1.75},
        {"weight_kg": 800.0},
        {"ancestry": "Martian"},
    ],
)
def test_there_is_no_dose_for_a_patient_who_is_not_known_well_enough(change: dict[str, object]) -> None:
    assert iwpc_dose("*1/*1", "GG", replace(KNOWN, **change)) is None  # type: ignore[arg-type]


def test_a_low_dose_calls_for_attention() -> None:
    assert advised("*1/*1", "C/C").indicator == "info"
    assert advised("*1/*3", "C/T").indicator == "warning"
    frail = WarfarinPatient(90, 150.0, 40.0, "White", takes_inducer=False, takes_amiodarone=True)
    assert advised("*1/*1", "C/C", frail).indicator == "warning"


def test_children_have_neither_range_nor_dose() -> None:
    advice = advised("*1/*1", "C/C", replace(KNOWN, age_years=10))
    assert (advice.range_mg, advice.dose_mg) == (None, None)
    assert "not-adult" in noted(advice)


def test_what_is_not_known_of_a_patient_is_said() -> None:
    assert noted(advised("*1/*1", "C/C")) == {
        "size-unknown",
        "ancestry-unknown",
        "comedication-unknown",
        "rs12777823",
    }
    assert noted(advised("*1/*1", "C/C", KNOWN)) == set()


def test_what_the_range_leaves_out_is_said() -> None:
    calls = {
        "CYP2C9": replace(a_call("CYP2C9", "*1/*1"), uncallable=("*5", "*8", "*13")),
        "VKORC1": a_call("VKORC1", "C/C"),
        "CYP4F2": a_call("CYP4F2", "*1/*3"),
    }
    advice = warfarin_advice(calls, replace(KNOWN, ancestry="Black"), rs12777823="G/A")
    texts = {note.code: note.text for note in advice.notes}
    assert texts["cyp2c9-partly-tested"] == "CYP2C9 *5, *8 could not be told."
    assert texts["rs12777823"].startswith("rs12777823: G/A.")
    assert texts["cyp4f2"].startswith("CYP4F2*3: 1 of 2 copies")
    without = warfarin_advice({**calls, "CYP4F2": a_call("CYP4F2", "*1/*1")}, KNOWN)
    assert "not carried" in {note.code: note.text for note in without.notes}["cyp4f2"]


def test_the_label_is_a_recommendation_where_both_genes_are_known() -> None:
    calls = {"CYP2C9": a_call("CYP2C9", "*1/*1"), "VKORC1": a_call("VKORC1", "C/C")}
    one = label_recommendation(calls, WARFARIN.drug_id)
    assert one is not None
    assert (one.grade, one.lookup) == ("B", {"CYP2C9": "*1/*1", "VKORC1": "-1639 GG"})
    assert label_recommendation({}, WARFARIN.drug_id) is None
