"""Small documents of Genomics England's report model 6, made anew for every caller; all people are invented."""

from __future__ import annotations

from typing import Any


def call(participant: str = "p1", zygosity: str = "heterozygous", **more: Any) -> dict[str, Any]:
    """Return a variant call; the sample is named after the participant."""
    return {"participantId": participant, "sampleId": f"s-{participant}", "zygosity": zygosity, **more}


def event(name: str = "RE1", **more: Any) -> dict[str, Any]:
    """Return a report event."""
    gene = {"type": "gene", "geneSymbol": "CFTR", "otherIds": [{"source": "HGNC", "identifier": "HGNC:1884"}]}
    hpo = {"id": "HP:0001250", "name": "Seizure", "ontology": {"name": "HPO", "version": "1"}}
    return {
        "reportEventId": name,
        "phenotypes": {"nonStandardPhenotype": None, "standardPhenotypes": [hpo]},
        "variantConsequences": [{"id": "SO:0001583", "name": "missense_variant"}],
        "genePanel": {"panelIdentifier": "1", "panelName": "Panel", "panelVersion": "1.0", "source": "panelapp"},
        "modeOfInheritance": "biallelic",
        "genomicEntities": [gene],
        "tier": "TIER1",
        **more,
    }


def small_variant(where: tuple[str, int, str, str] = ("7", 117559590, "ATCT", "A"), **more: Any) -> dict[str, Any]:
    """Return a small variant."""
    names = ("chromosome", "position", "reference", "alternate")
    return {
        "variantCoordinates": dict(zip(names, where, strict=True)) | {"assembly": "GRCh38"},
        "variantCalls": [call()],
        "reportEvents": [event()],
        "variantAttributes": None,
        **more,
    }


def structural_variant(**more: Any) -> dict[str, Any]:
    """Return a structural variant."""
    return {
        "variantType": "deletion",
        "coordinates": {
            "assembly": "GRCh38",
            "chromosome": "22",
            "start": 101,
            "end": 200,
            "ciStart": {"left": -10, "right": 5},
            "ciEnd": None,
        },
        "reportEvents": [event("RE2", tier="TIERA")],
        "variantCalls": [call(numberOfCopies=[{"numberOfCopies": 1}])],
        **more,
    }


def repeat(**more: Any) -> dict[str, Any]:
    """Return a short tandem repeat."""
    return {
        "coordinates": {"assembly": "GRCh38", "chromosome": "X", "start": 301, "end": 330},
        "reportEvents": [event("RE3")],
        "variantCalls": [call(numberOfCopies=[{"numberOfCopies": 20}, {"numberOfCopies": 80}])],
        "shortTandemRepeatReferenceData": {
            "repeatedSequence": "CGG",
            "pathogenic_number_of_repeats_threshold": 200,
            "normal_number_of_repeats_threshold": 55,
        },
        **more,
    }


def clinical_report(**more: Any) -> dict[str, Any]:
    """Return a clinical report of case 40101-1."""
    return {
        "interpretationRequestId": "40101",
        "interpretationRequestVersion": 1,
        "reportingDate": "2022-03-01",
        "user": "jbloggs",
        "variants": [small_variant()],
        "structuralVariants": [structural_variant()],
        "shortTandemRepeats": None,
        "uniparentalDisomies": None,
        "karyotypes": None,
        "genomicInterpretation": "",
        "additionalAnalysisPanels": None,
        "references": None,
        "referenceDatabasesVersions": {"genomeAssembly": "GRCh38"},
        "softwareVersions": {"x": "1"},
        **more,
    }


def interpreted_genome(**more: Any) -> dict[str, Any]:
    """Return an interpreted genome of case 40101-1."""
    return {
        "versionControl": {"gitVersionControl": "6.1.1"},
        "interpretationRequestId": "40101-1",
        "interpretationRequestVersion": 1,
        "interpretationService": "genomics_england_tiering",
        "reportUrl": "",
        "variants": [small_variant()],
        "structuralVariants": [structural_variant()],
        "shortTandemRepeats": [repeat()],
        "referenceDatabasesVersions": {},
        "softwareVersions": {"gel-tiering": "1.0.14"},
        **more,
    }


def exit_questionnaire(**more: Any) -> dict[str, Any]:
    """Return an exit questionnaire of a rare disease case."""
    answer = {
        "variantCoordinates": small_variant()["variantCoordinates"],
        "confirmationDecision": "yes",
        "confirmationOutcome": "yes",
        "reportingQuestion": "yes",
        "acmgClassification": "pathogenic_variant",
        "publications": "",
    }
    group = {
        "variantGroup": 1,
        "variantLevelQuestions": [answer],
        "actionability": "yes",
        "clinicalUtility": ["none"],
        "phenotypesSolved": "yes",
        "phenotypesExplained": ["HP:0001250"],
    }
    return {
        "eventDate": "2022-03-02",
        "reporter": "jbloggs",
        "familyLevelQuestions": {"caseSolvedFamily": "yes", "segregationQuestion": "no", "additionalComments": ""},
        "variantGroupLevelQuestions": [group],
        **more,
    }


def cancer_questionnaire(**more: Any) -> dict[str, Any]:
    """Return an exit questionnaire of a cancer case."""
    answer = {
        "variantCoordinates": small_variant()["variantCoordinates"],
        "variantActionability": ["prognostic"],
        "otherVariantActionability": None,
        "variantUsability": "already_actioned",
        "variantTested": "no_orthologous_test_available",
        "validationAssayType": "none",
    }
    times = ("total_review_time", "mdt1_time", "primary_reporting_time", "primary_authorisation_time")
    return {
        "eventDate": "2022-03-02",
        "reporter": "jbloggs",
        "caseLevelQuestions": {
            **dict.fromkeys((*times, "report_distribution_time", "total_time"), 1.5),
            "reviewedInMdtWga": "domain_1",
            "actionableVariants": "yes",
        },
        "somaticVariantLevelQuestions": [answer],
        "germlineVariantLevelQuestions": None,
        **more,
    }


def member(participant: str = "p1", **more: Any) -> dict[str, Any]:
    """Return a member of a pedigree with one sample; the proband unless ``more`` says otherwise."""
    return {
        "pedigreeId": 1,
        "isProband": True,
        "participantId": participant,
        "sex": "FEMALE",
        "affectionStatus": "AFFECTED",
        "samples": [{"sampleId": f"s-{participant}", "labSampleId": "1", "source": "BLOOD"}],
        **more,
    }


def case_detail(**more: Any) -> dict[str, Any]:
    """Return the detail of case 40101-1 with one genome."""
    request = {"genomeAssembly": "GRCh38", "pedigree": {"familyId": "f1", "members": [member()]}}
    wrapper = {
        "interpreted_genome_data": interpreted_genome(),
        "cip_version": 1,
        "created_at": "2022-02-01T11:30:00.100000Z",
    }
    return {
        "interpretation_request_id": 40101,
        "version": "1",
        "created_at": "2022-02-01T08:00:00.000000Z",
        "cip": "genomics_england",
        "sample_type": "raredisease",
        "assembly": "GRCh38",
        "last_status": "sent_to_gmcs",
        "interpretation_request_data": {"json_request": request},
        "interpreted_genome": [wrapper],
        "clinical_report": [],
        **more,
    }
