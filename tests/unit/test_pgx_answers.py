"""What is advised, as it is worded: sources, populations, results that are looked up together, what is not known."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest

from app.errors import DrugNotFound
from app.formats.pgx import Drug, Pair, Recommendation, Text
from app.operations import pgx_answers
from app.operations.pgx import ActivePgx, PgxProfile
from app.operations.pgx_advising import advice_on, score_of
from app.operations.pgx_reporting import build_report, whole_date
from app.pgx.calls import CallMethod, CallStatus, Diplotype, GeneCall, Warned
from app.pgx.drugs import DrugIndex
from app.pgx.locales import Locale
from app.pgx.texts import Texts
from tests.pgx_content import CLOPIDOGREL, CODEINE, WARFARIN, a_call, content, not_tested
from tests.pgx_desk import a_profile, active

ENGLISH = Locale("en")
TRAMADOL = Drug("RxNorm:10689", "tramadol", "10689", ("N02AX02",))
POOR = a_call("CYP2C19", "*2/*2", "Poor Metabolizer")


def with_more(drugs: Iterable[Drug] = (), rows: Iterable[Recommendation] = (), texts: Iterable[Text] = ()) -> ActivePgx:
    """Return the small release with more drugs, recommendations and texts."""
    base = content()
    more = replace(
        base,
        drugs=(*base.drugs, *drugs),
        pairs=(*base.pairs, *(Pair("CYP2D6", drug.drug_id, "A") for drug in drugs)),
        recommendations=(*base.recommendations, *rows),
        texts=(*base.texts, *texts),
    )
    return ActivePgx("test-2026", more, DrugIndex(more), Texts(more))


def row(drug: Drug, lookup: dict[str, str], text: str, grade: str, source: str = "CPIC") -> Recommendation:
    return Recommendation("more-1", drug.drug_id, source, lookup, text, grade=grade)


def answer(release: ActivePgx, profile: PgxProfile, drug: Drug, language: str = "en") -> dict[str, Any]:
    return pgx_answers.patient_recommendation(release, profile, drug, Locale(language), gene_detail=False)


def test_two_sources_are_both_told_and_the_most_severe_grade_counts() -> None:
    release = with_more(rows=[row(CODEINE, {"CYP2D6": "Poor Metabolizer"}, "Use another opioid.", "C", "DPWG")])
    poor = a_profile("P1", a_call("CYP2D6", "*4/*4", "Poor Metabolizer", activity="0.0"))
    advice = answer(release, poor, CODEINE)["CYP2D6"]
    assert advice["recom_grade"] == "D"
    assert advice["text"]["text"] == (
        "CPIC: Avoid codeine use because of possibility of diminished analgesia.\n\nDPWG: Use another opioid."
    )
    assert [source["name"] for source in advice["sources"]] == ["CPIC", "DPWG"]


def test_one_text_is_in_one_language() -> None:
    profile = a_profile("P1", POOR)
    advice = answer(active(), profile, CLOPIDOGREL, "fi")["CYP2C19"]
    assert advice["text"]["language"] == "fi"
    same = {"text": "Avoid standard dose (75 mg/day) clopidogrel if possible."}
    release = with_more(rows=[row(CLOPIDOGREL, {"CYP2C19": "Poor Metabolizer"}, same["text"], "D", "DPWG")])
    mixed = answer(release, profile, CLOPIDOGREL, "fi")["CYP2C19"]["text"]
    assert mixed["language"] == "en"
    assert "Vältä" not in mixed["text"]
    translated = with_more(
        rows=[row(CLOPIDOGREL, {"CYP2C19": "Poor Metabolizer"}, same["text"], "D", "DPWG")],
        texts=[Text("recommendation.more-1", "fi", "Älä käytä.", "local")],
    )
    both = answer(translated, profile, CLOPIDOGREL, "fi")["CYP2C19"]["text"]
    assert (both["language"], both["text"].endswith("DPWG: Älä käytä.")) == ("fi", True)


def test_substances_of_one_grade_share_a_group_and_keep_their_texts() -> None:
    poor = "Poor Metabolizer"
    release = with_more([TRAMADOL], [row(TRAMADOL, {"CYP2D6": poor}, "Avoid tramadol.", "D")])
    profile = a_profile("P1", a_call("CYP2D6", "*4/*4", poor, activity="0.0"))
    terms = ["Tramadol", "codeine"]
    [group] = pgx_answers.multi_substance(release, profile, terms, ENGLISH, gene_detail=False)
    assert (group["gene"], group["recom_grade"], group["affected_substances"]) == ("CYP2D6", "D", terms)
    assert group["text"] == {
        "language": "en",
        "text": "Tramadol: Avoid tramadol.\n\n"
        "codeine: Avoid codeine use because of possibility of diminished analgesia.",
    }
    assert len(group["sources"]) == 2


def test_texts_of_several_substances_are_joined_in_one_language() -> None:
    release = with_more(
        [TRAMADOL],
        [row(TRAMADOL, {"CYP2D6": "Poor Metabolizer"}, "Avoid tramadol.", "D")],
        [Text("recommendation.more-1", "fi", "Älä käytä.", "local")],
    )
    profile = a_profile("P1", a_call("CYP2D6", "*4/*4", "Poor Metabolizer", activity="0.0"))
    terms = ["tramadol", "codeine"]
    [group] = pgx_answers.multi_substance(release, profile, terms, Locale("fi"), gene_detail=False)
    assert group["text"]["language"] == "en"
    assert group["text"]["text"].startswith("tramadol: Avoid tramadol.\n\ncodeine: Avoid codeine")
    [alone] = pgx_answers.multi_substance(release, profile, ["tramadol"], Locale("fi"), gene_detail=False)
    assert alone["text"] == {"language": "fi", "text": "Älä käytä."}


def test_words_are_cited_with_the_release_that_they_are_of() -> None:
    release = replace(active(), advice_releases={"CPIC": "cpic-1"})
    [cited] = {one["release"] for one in answer(release, a_profile("P1", POOR), CLOPIDOGREL)["CYP2C19"]["sources"]}
    assert cited == "cpic-1"


def test_groups_of_a_gene_are_most_severe_first() -> None:
    poor = "Poor Metabolizer"
    release = with_more([TRAMADOL], [row(TRAMADOL, {"CYP2D6": poor}, "Use tramadol.", "A")])
    profile = a_profile("P1", a_call("CYP2D6", "*4/*4", poor, activity="0.0"))
    groups = pgx_answers.multi_substance(release, profile, ["tramadol", "codeine"], ENGLISH, gene_detail=False)
    assert [(one["recom_grade"], one["affected_substances"]) for one in groups] == [
        ("D", ["codeine"]),
        ("A", ["tramadol"]),
    ]


def test_unknown_substances_are_all_named_as_they_were_sent() -> None:
    with pytest.raises(DrugNotFound, match=r'No substance\(s\) found for " Ipubrofen ", "x"\.'):
        pgx_answers.multi_substance(active(), a_profile("P1"), [" Ipubrofen ", "x", "x"], ENGLISH, gene_detail=False)


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (not_tested("CYP2D6"), "CYP2D6 has not been tested."),
        (GeneCall("CYP2D6", CallStatus.NO_CALL), "There is no usable result of CYP2D6."),
        (
            GeneCall("CYP2D6", CallStatus.AMBIGUOUS, phenotype="Indeterminate"),
            "The sources have no recommendation for this result of CYP2D6.",
        ),
        (
            a_call("CYP2D6", "*1/*1x2", "Ultrarapid Metabolizer", activity="3.0", method=CallMethod.SNV_ONLY),
            "There is no usable result of CYP2D6.",
        ),
    ],
)
def test_text_says_why_nothing_follows(call: GeneCall, text: str) -> None:
    release = with_more([TRAMADOL], [row(TRAMADOL, {"CYP2C19": "Poor Metabolizer"}, "Other.", "B")])
    advice = advice_on(release, a_profile("P1", POOR, call), TRAMADOL, "en")
    assert advice is not None
    assert (advice.genes["CYP2D6"].grade, advice.genes["CYP2D6"].text.text) == ("NA", text)
    assert advice.genes["CYP2D6"].sources == ()


def test_drug_whose_genes_were_all_not_tested_has_no_advice() -> None:
    assert advice_on(active(), a_profile("P1", not_tested("CYP2C19")), CLOPIDOGREL, "en") is None
    assert advice_on(active(), a_profile("P1", POOR), WARFARIN, "en") is None


def test_carrier_of_one_risk_allele_is_positive_and_each_drug_has_the_allele_that_matters_for_it() -> None:
    told = "*15:02 negative; *57:01 positive"
    profile = a_profile("P1", a_call("HLA-B", "*08:01/*57:01", told, lookup=told))
    made = pgx_answers.report(build_report(active(), profile, "en"), None)
    [result] = made["results"]
    assert (result["phenotype"], result["phenotype_name"]) == ("POS", told)
    found = {one["inn"]: one["genes"]["HLA-B"][0] for one in made["recommendations"]}
    shown = {inn: (one["phenotype_name"], one["recom_grade"]) for inn, one in found.items()}
    assert shown["Abacavir"] == ("POS *57:01 positive", "D")
    assert shown["Carbamazepine"][0] == "NEG *15:02 negative"


def test_status_of_another_allele_is_no_result_for_a_drug() -> None:
    profile = a_profile("P1", a_call("HLA-B", "", "*15:02 positive", lookup="*15:02 positive"))
    made = pgx_answers.report(build_report(active(), profile, "en"), None)
    [abacavir] = [one["genes"]["HLA-B"][0] for one in made["recommendations"] if one["inn"] == "Abacavir"]
    assert (abacavir["phenotype_name"], abacavir["recom_grade"]) == ("NA Unknown Metabolizer", "NA")


def test_what_has_to_be_known_of_a_result_begins_after_a_full_stop() -> None:
    noted = replace(POOR, warnings=(Warned("copy-number", "Copy number was not assessed"),))
    release = active()
    found = release.content.gene("CYP2C19")
    assert found is not None
    gene = replace(found, description="a liver enzyme")
    genes = tuple(gene if one.symbol == gene.symbol else one for one in release.content.genes)
    spoken = replace(release, content=replace(release.content, genes=genes))
    [result] = pgx_answers.report(build_report(spoken, a_profile("P1", noted), "en"), None)["results"]
    assert result["description"] == "a liver enzyme. Copy number was not assessed."


def test_a_result_of_most_people_is_no_reason_for_a_severe_grade() -> None:
    profile = a_profile(
        "P1",
        a_call("TPMT", "*3A/*3A", "Poor Metabolizer"),
        a_call("NUDT15", "*1/*1", "Normal Metabolizer"),
    )
    report = build_report(active(), profile, "en")
    assert report.significant_genes == ("TPMT",)
    [advice] = report.significant_drugs
    assert {gene: one.grade for gene, one in advice.genes.items()} == {"NUDT15": "D", "TPMT": "D"}
    assert report.sources == ("CPIC",)


@pytest.mark.parametrize(("text", "score"), [("2.0", 2.0), ("0", 0.0), ("≥3.0", None), ("n/a", None), ("", None)])
def test_scores_that_are_only_bounded_are_no_numbers(text: str, score: float | None) -> None:
    assert score_of(text) == score


@pytest.mark.parametrize(
    ("given", "date"),
    [
        ("2024-01-02", "2024-01-02"),
        ("2024-01-02T03:04:05Z", "2024-01-02"),
        ("2024-01", None),
        ("2024", None),
        (None, None),
    ],
)
def test_dates_are_whole_days(given: str | None, date: str | None) -> None:
    assert whole_date(given) == date


def test_genotypes_are_written_as_they_are_known() -> None:
    several = (Diplotype("*1", "*2"), Diplotype("*3", "*4"))
    assert GeneCall("G", CallStatus.AMBIGUOUS, diplotypes=several).genotypes == ("*1/*2", "*3/*4")
    assert GeneCall("DPYD", CallStatus.CALLED, variants=("c.1A>T", "c.1A>T")).genotypes == ("c.1A>T + c.1A>T",)
    assert GeneCall("G", CallStatus.NO_CALL).genotypes == ()


def test_keys_of_the_original_alone() -> None:
    value = {"a": [{"text": {"language": "en", "text": "x"}, "sources": [{"name": "CPIC"}]}]}
    assert pgx_answers.source_names(value) == ["CPIC"]
    assert pgx_answers.languages_of(value) == ["en"]
    assert pgx_answers.without_sources(value) == {"a": [{"text": {"language": "en", "text": "x"}}]}


def test_gene_detail_says_why_usual_dosing_is_told_with_a_reservation() -> None:
    warned = (
        Warned("tests-differ", "Other results of this person differ: *1/*2 – Intermediate Metabolizer (test T0)."),
    )
    profile = a_profile("P1", replace(a_call("CYP2C19", "*1/*1", "Normal Metabolizer"), warnings=warned))
    release = with_more(texts=[Text("gene.CYP2C19", "fi", "maksan entsyymi", "local")])
    locale = Locale("fi")
    one = pgx_answers.patient_recommendation(release, profile, CLOPIDOGREL, locale, gene_detail=True)["CYP2C19"]
    [group] = pgx_answers.multi_substance(release, profile, ["clopidogrel"], locale, gene_detail=True)
    assert one["recom_grade"] == group["recom_grade"] == "B"
    assert one["gene_text"] == group["gene_text"]
    assert one["gene_text"]["language"] == "en"
    assert one["gene_text"]["text"].endswith(warned[0].text)
    plain = a_profile("P1", a_call("CYP2C19", "*1/*1", "Normal Metabolizer"))
    said = pgx_answers.patient_recommendation(release, plain, CLOPIDOGREL, locale, gene_detail=True)["CYP2C19"]
    assert (said["recom_grade"], said["gene_text"]) == ("A", {"language": "fi", "text": "maksan entsyymi"})
