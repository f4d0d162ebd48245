"""Grades of recommendations follow rules, which a site can change."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import pytest

from app.errors import BadFile
from app.formats.pgx import Drug, Pair, PgxContent, Recommendation
from app.pgx.grades import genetic_flag, grade_of, graded, most_severe, read_grade_rules
from tests import pgx_content

HEADER = "text_class\tpattern\tclassification\tpair\tgrade\n"
RULES = read_grade_rules((pgx_content.DATA / "grade_rules.tsv").read_bytes())

with (Path(__file__).parents[1] / "data" / "pgx_grades.tsv").open(encoding="utf-8", newline="") as stream:
    SENTENCES = list(csv.DictReader(stream, delimiter="\t", quoting=csv.QUOTE_NONE))


def a_recommendation(text: str, classification: str = "", **lookup: str) -> Recommendation:
    results = lookup or {"CYP2D6": "Poor Metabolizer"}
    return Recommendation("one", "drug", "CPIC", results, text, classification=classification)


def grade(recommendation: Recommendation, *pairs: Pair) -> str:
    return grade_of(graded(PgxContent(recommendations=(recommendation,), pairs=pairs), RULES).recommendations[0])


@pytest.mark.parametrize("row", [pytest.param(row, id=row["case"]) for row in SENTENCES])
def test_a_sentence_of_a_guideline_has_its_grade(row: dict[str, str]) -> None:
    recommendation = a_recommendation(row["text"], row["classification"])
    assert grade(recommendation, Pair("CYP2D6", "drug", "A")) == row["grade"]


def test_no_recommendation_is_no_result_where_nobody_acts_by_the_pair() -> None:
    recommendation = a_recommendation("No recommendation.")
    assert grade(recommendation, Pair("CYP2D6", "drug", "C")) == "NA"


def test_indeterminate_results_alone_have_no_grade() -> None:
    assert grade(a_recommendation("Monitor closely.", TPMT="Indeterminate", NUDT15="No Result")) == "NA"
    assert grade(a_recommendation("Monitor closely.", TPMT="Indeterminate", NUDT15="Poor Metabolizer")) == "C"


def test_a_grade_of_the_release_stays() -> None:
    assert grade(replace(a_recommendation("Avoid."), grade="B")) == "B"


def test_content_without_grades_is_not_used_silently() -> None:
    with pytest.raises(ValueError, match="no grade yet"):
        grade_of(a_recommendation("Avoid."))


def test_the_first_rule_that_fits_decides() -> None:
    rules = read_grade_rules((HEADER + "one\tfoo\tstrong|moderate\t*\tD\ntwo\tfoo\t*\t*\tB\n").encode())
    content = PgxContent(recommendations=(a_recommendation("Foo", "Moderate"), a_recommendation("foo", "Optional")))
    assert [one.grade for one in graded(content, rules).recommendations] == ["D", "B"]


def test_a_text_that_no_rule_knows_has_to_be_read() -> None:
    rules = read_grade_rules((HEADER + "one\tfoo\t*\t*\tA\n").encode())
    content = graded(PgxContent(recommendations=(a_recommendation("bar"),)), rules)
    assert content.recommendations[0].grade == "C"


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        pytest.param(b"a\tb\n", "other columns", id="columns"),
        pytest.param(HEADER.encode(), "no rule", id="empty"),
        pytest.param((HEADER + "one\tfoo\t*\t*\tE\n").encode(), "grade is unknown", id="grade"),
        pytest.param((HEADER + "one\tfoo\t*\tmaybe\tA\n").encode(), "pair is unknown", id="pair"),
        pytest.param((HEADER + "one\t(foo\t*\t*\tA\n").encode(), "no regular expression", id="pattern"),
        pytest.param((HEADER + "one\tfoo\tA\n").encode(), "3 cells", id="cells"),
        pytest.param(b"\xff\xfe", "no UTF-8|not UTF-8", id="bytes"),
    ],
)
def test_a_file_of_rules_that_is_not_right_is_refused(data: bytes, problem: str) -> None:
    with pytest.raises(BadFile, match=problem):
        read_grade_rules(data)


def test_the_most_severe_grade_is_the_one_to_act_by() -> None:
    assert most_severe(["A", "D", "NA", "B"]) == "D"
    assert most_severe(["NA", "A"]) == "A"
    assert most_severe([]) == "NA"


@pytest.mark.parametrize(
    ("drug", "flag"),
    [
        pytest.param(pgx_content.CLOPIDOGREL, "D", id="avoided by someone"),
        pytest.param(pgx_content.WARFARIN, "C", id="acted on without a sentence"),
        pytest.param(pgx_content.ASPIRIN, "A", id="a gene that nobody acts by"),
        pytest.param(pgx_content.TICAGRELOR, "0", id="no gene"),
    ],
)
def test_the_flag_of_a_drug_is_the_most_severe_of_all_its_results(drug: Drug, flag: str) -> None:
    assert genetic_flag(pgx_content.content(), drug) == flag
