"""Documents that clients send are refused with the API's exact texts, and taken if the models take them."""

from __future__ import annotations

import copy
import json
import random
from pathlib import Path
from typing import Any

import pytest

from app.formats.gel_bodies import (
    clinical_report_problems,
    exit_questionnaire_problems,
    interpreted_genome_problems,
    variant_log_problems,
)
from tests.gel_documents import (
    cancer_questionnaire,
    clinical_report,
    exit_questionnaire,
    interpreted_genome,
    small_variant,
    structural_variant,
)
from tests.gel_oracle import GelOracle

REQUIRED = ["This field is required."]
NULL = ["This field may not be null."]
PLACEHOLDER = ["Empty or placeholder allele ('', '.', '-') is not allowed; use a VCF-style anchored allele."]
COORDINATES = "variants[0].variantCoordinates"
CALL = "variants[0].variantCalls[0]"


def put(document: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """Return the document with another value at a path: ``variants.0.variantCalls``; ``...`` takes the member away."""
    changed = copy.deepcopy(document)
    *parents, last = path.split(".")
    at: Any = changed
    for one in parents:
        at = at[int(one)] if one.isdecimal() else at[one]
    if value is ...:
        del at[last]
    else:
        at[int(last) if last.isdecimal() else last] = value
    return changed


def report_says(body: object) -> dict[str, list[str]]:
    return clinical_report_problems(body, ir_id=40101, version=1)


@pytest.mark.parametrize(
    ("path", "value", "where", "said"),
    [
        ("genomicInterpretation", ..., "genomicInterpretation", REQUIRED),
        ("user", None, "user", NULL),
        ("user", 5, "user", ["Not a valid string."]),
        (
            "variants.0.variantCoordinates.position",
            "117559590",
            f"{COORDINATES}.position",
            ["A valid integer is required."],
        ),
        ("variants.0.variantCoordinates.position", True, f"{COORDINATES}.position", ["A valid integer is required."]),
        ("variants.0.variantCoordinates.position", 2**31, f"{COORDINATES}.position", ["A valid integer is required."]),
        (
            "variants.0.variantCoordinates.position",
            0,
            f"{COORDINATES}.position",
            ["Ensure this value is greater than or equal to 1."],
        ),
        ("variants.0.variantCoordinates.alternate", "-", f"{COORDINATES}.alternate", PLACEHOLDER),
        ("variants.0.variantCoordinates.alternate", "", f"{COORDINATES}.alternate", PLACEHOLDER),
        ("variants.0.variantCoordinates.reference", ".", f"{COORDINATES}.reference", PLACEHOLDER),
        (
            "variants.0.variantCoordinates.alternate",
            "<DEL>",
            f"{COORDINATES}.alternate",
            ["Only the bases A, C, G, T and N are allowed."],
        ),
        (
            "variants.0.variantCoordinates.assembly",
            "hg38",
            f"{COORDINATES}.assembly",
            ['"hg38" is not a valid choice.'],
        ),
        ("variants.0.variantCalls.0.zygosity", "het", f"{CALL}.zygosity", ['"het" is not a valid choice.']),
        ("variants.0.variantCalls.0.depthReference", 1.5, f"{CALL}.depthReference", ["A valid integer is required."]),
        (
            "variants.0.variantCalls.0.sampleVariantAlleleFrequency",
            "0.5",
            f"{CALL}.sampleVariantAlleleFrequency",
            ["A valid number is required."],
        ),
        ("variants.0.variantCalls", {}, "variants[0].variantCalls", ['Expected a list of items but got type "dict".']),
        ("variants.0", "x", "variants[0]", ["Invalid data. Expected a dictionary, but got str."]),
        (
            "softwareVersions",
            [],
            "softwareVersions",
            ['Expected a dictionary of items but got type "list".'],
        ),
        ("softwareVersions", {"x": 1}, "softwareVersions.x", ["Not a valid string."]),
        ("interpretationRequestId", "99999", "interpretationRequestId", ["Does not match the URL (40101)."]),
        ("interpretationRequestId", "GEL-40101-2", "interpretationRequestId", ["Does not match the URL (40101-1)."]),
        ("interpretationRequestVersion", 2, "interpretationRequestVersion", ["Does not match the URL (1)."]),
        ("reportingDate", "01/03/2022", "reportingDate", ["Date has wrong format. Use YYYY-MM-DD."]),
        ("reportingDate", "2022-02-30", "reportingDate", ["Date has wrong format. Use YYYY-MM-DD."]),
        (
            "structuralVariants.0.coordinates.end",
            5,
            "structuralVariants[0].coordinates.end",
            ["Ensure this value is not less than start."],
        ),
        (
            "structuralVariants.0.reportEvents.0.reportEventId",
            "RE1",
            None,
            ["Duplicate reportEventId in this report."],
        ),
    ],
)
def test_report_is_refused_with_path_and_words(path, value, where, said):
    body = put(clinical_report(), path, value)
    # The second to carry a number is the duplicate.
    assert report_says(body) == {where or "structuralVariants[0].reportEvents[0].reportEventId": said}


def test_report_that_fits_is_taken_with_keys_nobody_knows_and_without_those_that_may_be_null():
    body = clinical_report() | {"supportingEvidence": ["x"], "interpretationRequestAnalysisVersion": "1"}
    del body["references"], body["karyotypes"]
    assert report_says(body) == {}
    assert report_says(body | {"interpretationRequestId": "GEL-40101-1"}) == {}


@pytest.mark.parametrize(("body", "kind"), [([], "list"), (None, "NoneType"), ("x", "str"), (1, "int")])
def test_body_that_is_no_object_is_refused_as_a_whole(body, kind):
    said = {"non_field_errors": [f"Invalid data. Expected a dictionary, but got {kind}."]}
    assert report_says(body) == said
    assert exit_questionnaire_problems(body, sample_type="cancer") == said
    assert interpreted_genome_problems(body, ir_id=1, version=1) == said
    assert variant_log_problems(body) == said


def test_acmg_evidence_of_each_model_is_taken_and_a_mixture_of_models_is_not():
    evidence = {"category": "other_data", "type": "bening", "weight": "strong", "modifier": 1}
    guideline = {"acmgEvidences": [evidence], "clinicalSignificance": "benign"}
    path = "variants.0.reportEvents.0.guidelineBasedVariantClassification"
    old = put(clinical_report(), path, {"acmgVariantClassification": guideline})
    assert report_says(old) == {}
    mixed = put(old, f"{path}.acmgVariantClassification.clinicalSignificance", "excluded")
    place = "variants[0].reportEvents[0].guidelineBasedVariantClassification.acmgVariantClassification.acmgEvidences[0]"
    assert report_says(mixed) == {
        f"{place}.type": ['"bening" is not a valid choice.'],
        f"{place}.activationStrength": REQUIRED,
    }


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (
            "familyLevelQuestions.caseSolvedFamily",
            "maybe",
            {"familyLevelQuestions.caseSolvedFamily": ['"maybe" is not a valid choice.']},
        ),
        ("variantGroupLevelQuestions", ..., {"variantGroupLevelQuestions": REQUIRED}),
        ("eventDate", "2022-3-2", {"eventDate": ["Date has wrong format. Use YYYY-MM-DD."]}),
        (
            "variantGroupLevelQuestions.0.clinicalUtility.0",
            "much",
            {"variantGroupLevelQuestions[0].clinicalUtility[0]": ['"much" is not a valid choice.']},
        ),
        (
            "variantGroupLevelQuestions.0.variantLevelQuestions.0.variantCoordinates.reference",
            "-",
            {"variantGroupLevelQuestions[0].variantLevelQuestions[0].variantCoordinates.reference": PLACEHOLDER},
        ),
    ],
)
def test_questionnaire_is_refused_with_path_and_words(path, value, said):
    assert exit_questionnaire_problems(exit_questionnaire(), sample_type="raredisease") == {}
    assert exit_questionnaire_problems(put(exit_questionnaire(), path, value), sample_type="raredisease") == said


def test_sample_type_chooses_the_questionnaire():
    assert exit_questionnaire_problems(cancer_questionnaire(), sample_type="cancer") == {}
    wrong = exit_questionnaire_problems(cancer_questionnaire(), sample_type="raredisease")
    assert wrong == {"familyLevelQuestions": REQUIRED, "variantGroupLevelQuestions": REQUIRED}
    late = put(cancer_questionnaire(), "caseLevelQuestions.total_time", "long")
    assert exit_questionnaire_problems(late, sample_type="cancer") == {
        "caseLevelQuestions.total_time": ["A valid number is required."]
    }


def test_genome_needs_the_service_that_made_it():
    body = interpreted_genome()
    assert interpreted_genome_problems(body, ir_id=40101, version=1) == {}
    del body["interpretationService"]
    assert interpreted_genome_problems(body, ir_id=40101, version=1) == {"interpretationService": REQUIRED}
    body["interpretationService"] = " "
    assert interpreted_genome_problems(body, ir_id=40101, version=1) == {
        "interpretationService": ["This field may not be blank."]
    }


LOG: dict[str, Any] = {
    "variantCoordinates": small_variant()["variantCoordinates"],
    "user": {"email": "a@example.org", "username": "a"},
    "timestamp": "2022-03-01",
    "groupId": "r1",
    "caseId": "SAP-40101-1",
    "variantClassification": {},
}


def test_log_of_each_kind_of_variant_is_checked_by_its_own_model():
    place = structural_variant()["coordinates"]
    deletion = {"variantType": "deletion", "structuralVariantCoordinates": place}
    other = {name: value for name, value in LOG.items() if name != "variantCoordinates"}
    entries = [
        LOG,
        other | {"variant": deletion, "variantClassification": "benign"},
        other | {"variant": {"shortTandemRepeatCoordinates": place}, "variantClassification": "benign"},
        other | {"breakPoints": None, "variantClassification": "benign"},
        other
        | {
            "variant": {"assembly": "GRCh38", "chromosome": "15", "origin": "maternal"},
            "variantClassification": "benign",
        },
    ]
    assert variant_log_problems({"log_entry": entries}) == {}
    assert variant_log_problems({}) == {"log_entry": REQUIRED}
    assert variant_log_problems({"log_entry": {}}) == {"log_entry": ['Expected a list of items but got type "dict".']}
    assert variant_log_problems({"log_entry": [LOG, LOG | {"timestamp": "today", "user": {"username": "a"}}]}) == {
        "log_entry[1].user.email": REQUIRED,
        "log_entry[1].timestamp": ["Date has wrong format. Use YYYY-MM-DD."],
    }


def test_malformed_documents_of_the_pack_are_answered_as_expected(shared: Path):
    pack = shared / "packs" / "cipapi"
    expected = json.loads((pack / "malformed" / "EXPECTED.json").read_text())
    seen = 0
    for one in expected.values():
        if one["expect_status"] != 400 or "detail" in one["expect_error"]:
            continue
        body = json.loads((pack / one["file"]).read_text())
        if "clinical-report" in one["send_as"]:
            said = report_says(body)
        else:
            said = exit_questionnaire_problems(body, sample_type="raredisease")
        assert said == one["expect_error"], one["file"]
        seen += 1
    assert seen == 9


def _ours(name: str, body: Any) -> dict[str, list[str]]:
    if name == "ClinicalReport":
        return report_says(body)
    if name == "InterpretedGenome":
        return interpreted_genome_problems(body, ir_id=40101, version=1)
    return exit_questionnaire_problems(body, sample_type="cancer" if "Cancer" in name else "raredisease")


# What we refuse and the models do not: values that the models' own words forbid, and what does not belong to the case.
OUR_OWN_RULES = (
    "Does not match the URL",
    "Date has wrong format",
    "Empty or placeholder allele",
    "Only the bases",
    "Duplicate reportEventId",
    "Ensure this value",
    "This field may not be blank.",
)


def _places(value: Any) -> list[tuple[Any, Any]]:
    """Return every (container, key) of a document."""
    found: list[tuple[Any, Any]] = []
    keys = value.keys() if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for key in keys:
        found.append((value, key))
        found.extend(_places(value[key]))
    return found


@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("ClinicalReport", clinical_report),
        ("InterpretedGenome", interpreted_genome),
        ("RareDiseaseExitQuestionnaire", exit_questionnaire),
        ("CancerExitQuestionnaire", cancer_questionnaire),
    ],
)
def test_checks_agree_with_the_official_validator_on_damaged_documents(name, make, gel_oracle: GelOracle):
    chance = random.Random(name)
    assert gel_oracle.accepts(name, make())
    for _ in range(150):
        body = make()
        container, key = chance.choice(_places(body))
        damage = chance.choice([None, 7, -1.5, "x", [], {}, ["x"], {"x": 1}, ..., "GRCh37", 2**31])
        if damage is ... and isinstance(container, dict):
            del container[key]
        elif damage is not ...:
            container[key] = damage
        said = _ours(name, body)
        if not gel_oracle.accepts(name, body):
            assert said, (key, damage)
        else:
            messages = [one for some in said.values() for one in some]
            assert all(one.startswith(OUR_OWN_RULES) for one in messages), (key, damage, said)


def test_official_validator_and_checks_take_every_document_of_the_pack(shared: Path, gel_oracle: GelOracle):
    for path in sorted((shared / "packs" / "cipapi").glob("*.v6*.detail.json")):
        detail = json.loads(path.read_text())
        number = {"ir_id": detail["interpretation_request_id"], "version": int(detail["version"])}
        for one in detail["interpreted_genome"]:
            assert interpreted_genome_problems(one["interpreted_genome_data"], **number) == {}
            assert gel_oracle.accepts("InterpretedGenome", one["interpreted_genome_data"])
        for one in detail["clinical_report"]:
            assert clinical_report_problems(one["clinical_report_data"], **number) == {}
            assert gel_oracle.accepts("ClinicalReport", one["clinical_report_data"])
