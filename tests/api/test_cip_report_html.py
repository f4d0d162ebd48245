"""The page of a clinical report: what it shows, that it shows it as written, and that it asks for nothing else."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from datetime import UTC, datetime
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from app.api.cip_report_html import report_page
from app.operations import cip_documents
from app.operations.cip_report_view import view
from tests.cip_bodies import case_detail, clinical_report, exit_questionnaire, variant

NOW = datetime(2024, 1, 2, tzinfo=UTC)
EVIL = "<script>alert('x')</script>\"&"


def page_of(report: dict[str, Any], questionnaire: dict[str, Any] | None = None) -> str:
    case, wrapper = cip_documents.add_clinical_report(case_detail(), report, user="ann", at=NOW)
    if questionnaire is not None:
        case, _ = cip_documents.put_exit_questionnaire(case, 1, questionnaire, user="ann", at=NOW)
        wrapper = case["clinical_report"][0]
    return bytes(report_page(case, wrapper).body).decode()


def text_of(page: str) -> str:
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]*>", " ", page)))


def test_a_page_shows_what_the_report_says() -> None:
    text = text_of(page_of(clinical_report(references=["PMID:1"]), exit_questionnaire()))
    for said in (
        "Clinical report 2535-1, version 1",
        "A variant in GENE1 explains the phenotype",
        "1:100 A>G (GRCh38)",
        "LP2535-DNA_A01: heterozygous",
        "TIER1",
        "likely_pathogenic",
        "missense_variant",
        "PMID:1",
        "genomeAssembly GRCh38",
        "gel-tiering 3.1.13",
        "Case solved family no",
        "No tier 1 or 2 variants detected",
        "Short tandem repeats None reported.",
        "The report says nothing of: chromosomal rearrangements.",
    ):
        assert said in text


def test_a_report_without_variants_says_so() -> None:
    text = text_of(page_of(clinical_report(variants=[], genomicInterpretation="")))
    assert "Small variants None reported." in text
    assert "The report has no words of interpretation." in text
    assert "Exit questionnaire There is none." in text


def test_a_variant_without_classification_gets_none() -> None:
    one = variant()
    one["reportEvents"][0]["variantClassification"] = None
    text = text_of(page_of(clinical_report(variants=[one])))
    assert "none stated" in text
    assert "pathogenic" not in text


def test_nothing_of_a_document_is_run() -> None:
    one = variant(EVIL, chromosome=EVIL)
    report = clinical_report(variants=[one], genomicInterpretation=EVIL, references=[EVIL], further={EVIL: [EVIL]})
    page = page_of(report, exit_questionnaire(reporter=EVIL))
    assert "<script" not in page
    assert "alert('x')" not in page
    assert unescape(page).count(EVIL) >= 6


def test_the_policy_allows_the_style_of_the_page_and_nothing_else() -> None:
    case, wrapper = cip_documents.add_clinical_report(case_detail(), clinical_report(), user="ann", at=NOW)
    answer = report_page(case, wrapper)
    page = bytes(answer.body).decode()
    style = re.search(r"<style>(.*?)</style>", page, re.DOTALL)
    assert style is not None
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; ")
    assert f"style-src 'sha256-{digest}';" in policy
    assert "unsafe" not in policy
    assert answer.headers["cache-control"] == "no-store"
    assert not re.search(r"(?:src|href)=|style=\"", page)


def test_what_has_no_place_of_its_own_is_shown_all_the_same() -> None:
    one = variant()
    one["reportEvents"][0]["actions"] = {"therapies": [{"TreatmentAgent": "drugX", "variantActionable": True}]}
    one["variantAttributes"] = {"cdnaChanges": ["ENST1:c.1A>G"], "comments": []}
    deep: Any = "bottom"
    for _ in range(60):
        deep = {"deeper": deep}
    text = text_of(page_of(clinical_report(variants=[one], supportingEvidence=["a paper"], extra=deep)))
    for said in ("drugX", "Variant actionable yes", "ENST1:c.1A>G", "a paper", "bottom"):
        assert said in text


@pytest.mark.parametrize("name", ["rd_trio_40101-1.v6", "cancer_3106-1.v6", "rd_duo_611-2.grch37.v4"])
def test_reports_of_every_model_are_shown(shared: Path, name: str) -> None:
    path = shared / "packs" / "cipapi" / f"{name}.detail.json"
    if not path.is_file():
        pytest.skip("the pack is not there")
    case = json.loads(path.read_text())
    wrapper = case["clinical_report"][0]
    seen = view(case, wrapper)
    data = wrapper["clinical_report_data"]
    given = data.get("variants", data.get("candidateVariants"))
    small = seen.sections[0].variants
    assert small is not None
    assert len(small) == len(given)
    assert all(one.genes and one.calls for one in small)
    zygosities = [
        call.get("zygosity", call.get("genotype"))
        for one in given
        for call in one.get("variantCalls", one.get("calledGenotypes"))
    ]
    assert [call.zygosity for one in small for call in one.calls] == zygosities
    assert data["genomicInterpretation"] in text_of(bytes(report_page(case, wrapper).body).decode())


@pytest.mark.parametrize("report", [{}, {"variants": [None, 1, {}, {"reportEvents": [None], "variantCalls": 3}]}])
def test_a_report_that_is_hardly_one_is_shown(report: dict[str, Any]) -> None:
    assert "Clinical report" in page_of(report)
    case = case_detail()
    assert report_page(case, {"clinical_report_data": None, "valid": "x"}).status_code == 200
