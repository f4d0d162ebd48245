"""Older documents are served in model 6 where nothing is lost by it, and say the same there."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.formats.gel import GelCase
from app.formats.gel_bodies import clinical_report_problems
from app.formats.gel_case import read_case
from app.formats.gel_genome import Model, model_of
from app.formats.gel_migration import migrated_detail
from tests.gel_documents import case_detail
from tests.gel_old_documents import (
    cancer_case_of_model_4_2,
    cancer_case_of_model_5,
    case_of_model_3,
    case_of_model_4,
    case_of_model_5,
    old_cancer_case,
    old_variant,
)
from tests.gel_oracle import GelOracle


def genome_of(detail: Any) -> Any:
    return detail["interpreted_genome"][0]["interpreted_genome_data"]


def said(detail: Any) -> tuple[Any, ...]:
    """Return what the genome of a case says, without the places where it says it."""
    case: GelCase | None = read_case(detail)[0]
    assert case is not None
    genome = case.genomes[-1]
    small = [
        (
            one.chromosome,
            one.position_1based,
            one.reference,
            one.alternate,
            # Model 6 wants a mode of inheritance where cancer before it had none.
            [replace(each, mode_of_inheritance=each.mode_of_inheritance.replace("na", "")) for each in one.events],
            [(seen.sample_id, seen.zygosity, seen.phase_set, seen.copies, seen.frequency) for seen in one.calls],
        )
        for one in genome.variants
    ]
    large = [
        (one.kind, one.region.start, one.region.end, [seen.copies for seen in one.calls]) for one in genome.structural
    ]
    return (
        genome.service,
        small,
        large,
        [(one.rank, one.significance, one.small is None) for one in case.classifications],
    )


@pytest.mark.parametrize("make", [case_of_model_3, case_of_model_4, case_of_model_5, cancer_case_of_model_5])
def test_genome_of_an_older_model_says_the_same_in_model_6(make):
    old = make()
    before = copy.deepcopy(old)
    new = migrated_detail(old)
    assert old == before
    assert model_of(genome_of(new)) is Model.V6
    assert said(new) == said(old)


@pytest.mark.parametrize("make", [case_of_model_3, case_of_model_4, case_of_model_5, cancer_case_of_model_5])
def test_official_validator_takes_what_was_migrated(make, gel_oracle: GelOracle):
    assert gel_oracle.accepts("InterpretedGenome", genome_of(migrated_detail(make())))


@pytest.mark.parametrize(
    "make", [case_detail, lambda: old_cancer_case(3), lambda: old_cancer_case(4), cancer_case_of_model_4_2]
)
def test_newest_model_and_what_cannot_be_migrated_stay_as_they_are(make):
    detail = make()
    assert migrated_detail(detail) == detail


def with_structural(**more: Any) -> dict[str, Any]:
    place = {"chromosome": "22", "start": 101, "end": 200, "type": "DEL", "reference": "N", "alternate": "<DEL>"}
    call = {"gelId": "115000611", "sampleId": "LP1", "genotype": "heterozygous", "copyNumber": 1}
    detail = case_of_model_4()
    one = place | {"calledGenotypes": [call], "reportEvents": []} | more
    genome_of(detail)["reportedStructuralVariants"] = [one]
    return detail


def test_structural_variants_and_copy_numbers_are_not_dropped():
    old = with_structural()
    new = migrated_detail(old)
    (one,) = genome_of(new)["structuralVariants"]
    assert one["variantType"] == "deletion"
    assert one["variantCalls"][0]["numberOfCopies"][0]["numberOfCopies"] == 1
    assert said(new) == said(old)


@pytest.mark.parametrize(
    "change",
    [{"type": "CNV"}, {"type": "INS:ME:ALU"}, {"reference": "A"}, {"alternate": "ACGT"}, {"newer": "thing"}],
)
def test_document_with_something_that_model_6_has_no_place_for_stays(change):
    old = with_structural(**change)
    assert migrated_detail(old) == old


@pytest.mark.parametrize(("version", "name"), [(4, "candidateVariants"), (5, "variants")])
def test_report_of_an_older_model_is_migrated(version, name):
    panel: dict[str, Any] = {"panelName": "Other", "panelVersion": "1"}
    added = {"specificDisease": "x", **(panel if version == 4 else {"panel": panel})}
    data: dict[str, Any] = {
        "interpretationRequestId": "611",
        "interpretationRequestVersion": "2" if version == 4 else 2,
        "reportingDate": "2017-11-20",
        "user": "u",
        name: [old_variant(version)],
        "genomicInterpretation": "",
        "additionalAnalysisPanels": [added],
        "supportingEvidence" if version == 4 else "references": ["PMID:1"],
        "referenceDatabasesVersions": {},
        "softwareVersions": {},
    }
    old = case_of_model_4() | {"clinical_report": [{"clinical_report_data": data, "clinical_report_version": 1}]}
    new = migrated_detail(old)["clinical_report"][0]["clinical_report_data"]
    assert clinical_report_problems(new, ir_id=611, version=2) == {}
    assert new["references"] == ["PMID:1"]
    assert new["additionalAnalysisPanels"][0]["panel"]["panelName"] == "Other"
    assert said(migrated_detail(old)) == said(old)


def test_member_that_nobody_knows_keeps_a_document_in_its_model():
    old = case_of_model_5()
    genome_of(old)["variants"][0]["reportEvents"][0]["remark"] = "important"
    assert migrated_detail(old) == old


def test_reports_and_questionnaires_of_the_pack_are_migrated(shared: Path, gel_oracle: GelOracle):
    detail = json.loads((shared / "packs" / "cipapi" / "rd_duo_611-2.grch37.v4.detail.json").read_text())
    new = migrated_detail(detail)
    report = new["clinical_report"][0]
    assert gel_oracle.accepts("InterpretedGenome", genome_of(new))
    assert gel_oracle.accepts("ClinicalReport", report["clinical_report_data"])
    answers = report["exit_questionnaire"]["exit_questionnaire_data"]
    assert gel_oracle.accepts("RareDiseaseExitQuestionnaire", answers)
    assert answers["variantGroupLevelQuestions"][0]["variantLevelQuestions"][0]["variantCoordinates"] == {
        "chromosome": "7",
        "position": 117199644,
        "reference": "ATCT",
        "alternate": "A",
        "assembly": "GRCh37",
    }
    assert said(new) == said(detail)
    assert new["interpretation_request_data"] == detail["interpretation_request_data"]


@given(st.data())
def test_no_document_raises(data):
    detail = data.draw(st.sampled_from([case_of_model_3, case_of_model_4, case_of_model_5]))()
    record: Any = genome_of(detail)
    odd = st.none() | st.integers() | st.text(max_size=3) | st.lists(st.none(), max_size=1) | st.just({"x": [1]})
    for _ in range(8):
        key = data.draw(st.sampled_from(sorted(record) if isinstance(record, dict) else list(range(len(record)))))
        if not isinstance(record[key], dict | list) or not record[key] or data.draw(st.booleans()):
            record[key] = data.draw(odd)
            break
        record = record[key]
    migrated_detail(detail)


def test_variant_of_model_3_is_the_one_of_model_4_by_other_names():
    three, four = case_of_model_3(), case_of_model_4()
    assert genome_of(migrated_detail(three))["variants"] == genome_of(migrated_detail(four))["variants"]
    assert old_variant(3) != old_variant(4)


@pytest.mark.parametrize("make", [case_of_model_3, case_of_model_4])
def test_names_and_frequencies_of_older_models_have_their_place(make):
    genome = migrated_detail(make())["interpreted_genome"][0]["interpreted_genome_data"]
    attributes = genome["variants"][0]["variantAttributes"]
    assert attributes["variantIdentifiers"]["dbSnpId"] == "rs113993960"
    found = [{"study": "1KG_PHASE3", "population": "EUR", "alternateFrequency": 0.004}]
    assert attributes["alleleFrequencies"] == found
