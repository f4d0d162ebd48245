"""Documents of a small case of a CIP-API: what clients send, and the case that they are sent to."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import orjson

from app.operations import cip_documents
from app.store import cip_cases
from app.store.session import Database

MADE_AT = datetime(2022, 2, 1, 8, 0, tzinfo=UTC)


def case_detail(ir_id: int = 2535, version: int = 1, sample_type: str = "raredisease", **more: Any) -> dict[str, Any]:
    """Return the detail of a case with nothing in it yet."""
    said = {"sample_type": sample_type, "cip": "congenica", "assembly": "GRCh38", "proband": f"p{ir_id}", **more}
    return cip_documents.register(ir_id, version, said, user="bertha", at=MADE_AT)


def put_case(database: Database, detail: dict[str, Any]) -> dict[str, Any]:
    """Store a case and return its detail."""
    with database.write() as session:
        cip_cases.put(session, detail, orjson.dumps(detail), origin="file")
    return detail


def stored_detail(database: Database, ir_id: int = 2535, version: int = 1) -> dict[str, Any]:
    """Return the detail of a case as it is stored."""
    with database.read() as session:
        case = cip_cases.find(session, ir_id, version)
        assert case is not None
        raw = cip_cases.detail_of(session, case.row)
    assert raw is not None
    found: dict[str, Any] = orjson.loads(raw)
    return found


def variant(event_id: str = "1", **coordinates: Any) -> dict[str, Any]:
    """Return a small variant of model 6 that one person has."""
    return {
        "variantCoordinates": {
            "chromosome": "1",
            "position": 100,
            "reference": "A",
            "alternate": "G",
            "assembly": "GRCh38",
            **coordinates,
        },
        "variantCalls": [
            {
                "participantId": "p2535",
                "sampleId": "LP2535-DNA_A01",
                "zygosity": "heterozygous",
                "phaseGenotype": None,
                "sampleVariantAlleleFrequency": None,
                "depthReference": 10,
                "depthAlternate": 12,
                "numberOfCopies": None,
                "alleleOrigins": ["germline_variant"],
                "supportingReadTypes": None,
            }
        ],
        "reportEvents": [
            {
                "reportEventId": event_id,
                "phenotypes": {"nonStandardPhenotype": None, "standardPhenotypes": None},
                "variantConsequences": [{"id": "SO:0001583", "name": "missense_variant"}],
                "genePanel": None,
                "modeOfInheritance": "monoallelic",
                "genomicEntities": [
                    {"type": "gene", "ensemblId": "ENSG00000000001", "geneSymbol": "GENE1", "otherIds": None}
                ],
                "segregationPattern": None,
                "penetrance": "complete",
                "deNovoQualityScore": None,
                "fullyExplainsPhenotype": None,
                "groupOfVariants": 1,
                "eventJustification": None,
                "roleInCancer": None,
                "actions": None,
                "score": None,
                "vendorSpecificScores": None,
                "variantClassification": {
                    "clinicalSignificance": "likely_pathogenic",
                    "drugResponseClassification": None,
                    "traitAssociation": None,
                    "tumorigenesisClassification": None,
                    "functionalEffect": None,
                },
                "guidelineBasedVariantClassification": None,
                "algorithmBasedVariantClassifications": None,
                "tier": "TIER1",
                "domain": None,
            }
        ],
        "variantAttributes": None,
    }


def clinical_report(ir_id: int = 2535, version: int = 1, **more: Any) -> dict[str, Any]:
    """Return a clinical report of model 6."""
    return {
        "interpretationRequestId": str(ir_id),
        "interpretationRequestVersion": version,
        "reportingDate": "2021-02-17",
        "user": "jbloggs",
        "variants": [variant()],
        "structuralVariants": [],
        "chromosomalRearrangements": None,
        "shortTandemRepeats": [],
        "uniparentalDisomies": None,
        "karyotypes": None,
        "genomicInterpretation": "A variant in GENE1 explains the phenotype",
        "additionalAnalysisPanels": None,
        "references": [],
        "referenceDatabasesVersions": {"genomeAssembly": "GRCh38"},
        "softwareVersions": {"gel-tiering": "3.1.13"},
        **more,
    }


def interpreted_genome(ir_id: int = 2535, version: int = 1, **more: Any) -> dict[str, Any]:
    """Return an interpreted genome of model 6."""
    return {
        "versionControl": {"gitVersionControl": "6.1.1"},
        "interpretationRequestId": f"{ir_id}-{version}",
        "interpretationRequestVersion": version,
        "interpretationService": "exomiser",
        "reportUrl": None,
        "variants": [variant()],
        "structuralVariants": None,
        "chromosomalRearrangements": None,
        "shortTandemRepeats": None,
        "uniparentalDisomies": None,
        "karyotypes": None,
        "referenceDatabasesVersions": {"genomeAssembly": "GRCh38"},
        "softwareVersions": {"exomiser": "13.0.0"},
        "comments": None,
        **more,
    }


def exit_questionnaire(**more: Any) -> dict[str, Any]:
    """Return an exit questionnaire of a rare disease."""
    return {
        "eventDate": "2021-02-18",
        "reporter": "jbloggs",
        "familyLevelQuestions": {
            "caseSolvedFamily": "no",
            "segregationQuestion": "no",
            "additionalComments": "No tier 1 or 2 variants detected",
        },
        "variantGroupLevelQuestions": [],
        **more,
    }


def cancer_questionnaire() -> dict[str, Any]:
    """Return an exit questionnaire of a cancer case."""
    times = ("total_review_time", "mdt1_time", "primary_reporting_time", "primary_authorisation_time")
    return {
        "eventDate": "2021-02-18",
        "reporter": "jbloggs",
        "caseLevelQuestions": {
            **dict.fromkeys((*times, "report_distribution_time", "total_time"), 1.5),
            **dict.fromkeys(
                ("mdt2_time", "validation_assay_time", "wet_validation_time", "analytical_validation_time")
            ),
            "reviewedInMdtWga": "domain_1",
            "actionableVariants": "no",
        },
        "somaticVariantLevelQuestions": None,
        "germlineVariantLevelQuestions": None,
        "additionalComments": None,
        "otherActionableVariants": None,
    }
