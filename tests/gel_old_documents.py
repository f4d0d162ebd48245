"""The same small cases in report models 3, 4 and 5, made anew for every caller; all people are invented."""

from __future__ import annotations

from typing import Any

JUSTIFICATION = "Classified as: TIER2, passed the CompoundHeterozygous segregation filter"


def old_event(version: int) -> dict[str, Any]:
    """Return a report event of model 3, 4 or 5."""
    same = {
        "reportEventId": "o1",
        "modeOfInheritance": "biallelic",
        "penetrance": "complete",
        "score": -999.0,
        "vendorSpecificScores": None,
        "fullyExplainsPhenotype": None,
        "groupOfVariants": 1,
        "eventJustification": JUSTIFICATION,
        "tier": "TIER2",
    }
    if version == 5:
        return same | {
            "phenotypes": ["Cystic fibrosis"],
            "variantConsequences": [{"id": "SO:0001583", "name": "missense_variant"}],
            "genePanel": {"panelName": "Cystic fibrosis", "panelVersion": "1.2"},
            "genomicEntities": [
                {"type": "gene", "ensemblId": "ENSG1", "geneSymbol": "CFTR", "otherIds": {"HGNC": "HGNC:1884"}}
            ],
            "variantClassification": {"clinicalSignificance": "VUS"},
        }
    names = ("HGNC", "other_ids") if version == 3 else ("hgnc", "otherIds")
    word = "VUS" if version == 3 else "variant_of_unknown_clinical_significance"
    return same | {
        "phenotype": "Cystic fibrosis",
        "panelName": "Cystic fibrosis",
        "panelVersion": "1.2",
        "genomicFeature": {"featureType": "Gene", "ensemblId": "ENSG1", names[0]: "CFTR", names[1]: None},
        "variantClassification": word,
    }


def old_variant(version: int) -> dict[str, Any]:
    """Return a small variant of model 3, 4 or 5."""
    place = {"chromosome": "7", "position": 117199644, "reference": "ATCT", "alternate": "A"}
    if version == 5:
        seen = {
            "participantId": "115000611",
            "sampleId": "LP1",
            "zygosity": "heterozygous",
            "phaseSet": 3,
            "vaf": 0.5,
            "depthReference": 20,
            "depthAlternate": 18,
            "alleleOrigins": ["germline_variant"],
        }
        return {
            "variantCoordinates": place | {"assembly": "GRCh37"},
            "dbSnpId": "rs113993960",
            "variantCalls": [seen],
            "reportEvents": [old_event(5)],
            "alleleOrigins": ["germline_variant"],
            "references": None,
            "variantAttributes": {"ihp": 2},
        }
    seen = {
        "gelId": "115000611",
        "sampleId": "LP1",
        "genotype": "heterozygous",
        "phaseSet": 3,
        "depthReference": 20,
        "depthAlternate": 18,
        "copyNumber": None,
    }
    return place | {
        "dbSNPid" if version == 3 else "dbSnpId": "rs113993960",
        "calledGenotypes": [seen],
        "reportEvents": [old_event(version)],
        "additionalTextualVariantAnnotations": {"ConsequenceType": "missense_variant"},
        "evidenceIds": None,
        "additionalNumericVariantAnnotations": {"1KG_PHASE3_EUR": 0.004},
        "comments": None,
    }


def _detail(request: dict[str, Any], genome: dict[str, Any], **more: Any) -> dict[str, Any]:
    wrapper = {"interpreted_genome_data": genome, "cip_version": 1, "created_at": "2017-06-08T12:00:00.000000Z"}
    return {
        "interpretation_request_id": 611,
        "version": "2",
        "created_at": "2017-06-01T09:00:00.000000Z",
        "cip": "omicia",
        "sample_type": "raredisease",
        "assembly": "GRCh37",
        "last_status": "sent_to_gmcs",
        "interpretation_request_data": {"json_request": request},
        "interpreted_genome": [wrapper],
        "clinical_report": [],
        **more,
    }


def case_of_model_3() -> dict[str, Any]:
    """Return a rare disease case in model 3."""
    person = {
        "pedigreeId": 1,
        "isProband": True,
        "gelId": "115000611",
        "sex": "female",
        "yearOfBirth": "2005",
        "affectionStatus": "affected",
        "hpoTermList": [{"term": "HP:0002205", "termPresence": True}],
        "samples": ["LP1"],
        "additionalInformation": {"relation_to_proband": "Proband"},
    }
    request = {
        "InterpretationRequestID": "611",
        "genomeAssemblyVersion": "GRCh37.p13",
        "pedigree": {"gelFamilyId": "1", "participants": [person]},
        "TieredVariants": [old_variant(3)],
        "TieringVersion": "1.0.0",
    }
    genome = {
        "versionControl": {"GitVersionControl": "3.0.0"},
        "InterpretationRequestID": "611",
        "analysisId": "1",
        "companyName": "Omicia",
        "reportURI": "",
        "reportURL": "",
        "reportedVariants": [old_variant(3)],
        "referenceDatabasesVersions": {},
        "softwareVersions": {},
    }
    return _detail(request, genome)


def _pedigree() -> dict[str, Any]:
    person = {
        "pedigreeId": 1,
        "isProband": True,
        "participantId": "115000611",
        "sex": "FEMALE",
        "samples": [{"sampleId": "LP1", "labSampleId": 115001}],
    }
    return {"familyId": "1", "members": [person]}


def case_of_model_4() -> dict[str, Any]:
    """Return a rare disease case in model 4."""
    request = {
        "interpretationRequestId": "611",
        "genomeAssemblyVersion": "GRCh37.p13",
        "pedigree": _pedigree(),
        "tieredVariants": [old_variant(4)],
        "tieringVersion": "1.0.0",
    }
    genome = {
        "versionControl": {"gitVersionControl": "4.0.0"},
        "interpretationRequestId": "OPA-611-2",
        "analysisId": "1",
        "companyName": "omicia",
        "reportUri": "",
        "reportUrl": "",
        "reportedVariants": [old_variant(4)],
        "referenceDatabasesVersions": {"genomeAssembly": "GRCh37"},
        "softwareVersions": {},
        "reportedStructuralVariants": [],
        "comments": None,
    }
    return _detail(request, genome)


def case_of_model_5() -> dict[str, Any]:
    """Return a rare disease case in model 5, with the label of another model."""
    request = {"interpretationRequestId": "611", "genomeAssembly": "GRCh37", "pedigree": _pedigree()}
    genome = {
        "versionControl": {"gitVersionControl": "6.0.0"},
        "interpretationRequestId": "611",
        "interpretationRequestVersion": 2,
        "interpretationService": "omicia",
        "reportUrl": None,
        "variants": [old_variant(5)],
        "referenceDatabasesVersions": {},
        "softwareVersions": {},
        "comments": None,
    }
    return _detail(request, genome)


def _cancer_variant(version: int, origin: str) -> dict[str, Any]:
    names = ("dbSNPid", "VAF", "cDNAchange") if version == 3 else ("dbSnpId", "vaf", "cDnaChange")
    terms: dict[str, Any] = {"soTerms": [{"id": "SO:0001583", "name": "missense_variant"}]}
    if version == 3:
        terms = {"soTerms": ["SO:0001583"], "soNames": ["missense_variant"]}
    reason = {
        "reportEventId": f"c-{origin}",
        "genomicFeatureCancer": {
            "featureType": "Gene",
            "ensemblId": "ENSG2",
            "refSeqTranscriptId": "",
            "refSeqProteinId": "",
            "geneName": "KRAS",
            "roleInCancer": None,
        },
        **terms,
        "actions": [],
        "tier": "TIER1",
    }
    variant = {
        "chromosome": "12",
        "position": 25398284,
        "reference": "C",
        "alternate": "T",
        names[0]: None,
        names[1]: 0.31,
        names[2]: "c.35G>A",
        "proteinChange": None,
        "depthReference": 60,
        "depthAlternate": 26,
        "reportEvents": [reason],
    }
    beside: dict[str, Any] = {"alleleOrigins": [f"{origin}_variant"]}
    if version == 3:
        beside = {"somaticOrGermline": origin}
    return {"reportedVariantCancer": variant, **beside}


def old_cancer_case(version: int) -> dict[str, Any]:
    """Return a cancer case in model 3 or 4 with a somatic and a germline variant."""
    genome = {
        "versionControl": {"GitVersionControl": "3.0.0"} if version == 3 else {"gitVersionControl": "4.0.0"},
        "reportRequestId": "611",
        "analysisId": "1",
        "reportURI" if version == 3 else "reportUri": "",
        "referenceDatabasesVersions": {},
        "softwareVersions": {},
        "reportedVariants": [_cancer_variant(version, "somatic"), _cancer_variant(version, "germline")],
        "reportedStructuralVariants": [],
    }
    person: dict[str, Any] = {
        "individualId": "p7",
        "sex": "MALE",
        "tumourSamples": [{"sampleId": "T1"}],
        "germlineSamples": [{"sampleId": "G1"}],
    }
    if version == 3:
        person = {
            "cancerDemographics": {"gelId": "p7", "sex": "M"},
            "cancerSamples": [
                {"sampleId": "T1", "sampleType": "tumor"},
                {"sampleId": "G1", "sampleType": "germline"},
            ],
        }
    return _detail(
        {"reportRequestId": "611", "cancerParticipant": person}, genome, sample_type="cancer", cip="illumina"
    )


def cancer_case_of_model_4_2() -> dict[str, Any]:
    """Return a cancer case in model 4.2, whose calls name the sample alone, with a structural variant."""
    detail = old_cancer_case(4)
    genome = detail["interpreted_genome"][0]["interpreted_genome_data"]
    variants = []
    for wrapped in genome["reportedVariants"]:
        one = wrapped["reportedVariantCancer"]
        sample = "T1" if wrapped["alleleOrigins"] == ["somatic_variant"] else "G1"
        depths = {"depthReference": one.pop("depthReference"), "depthAlternate": one.pop("depthAlternate")}
        one["variantCalls"] = [{"sampleId": sample, "vaf": one.pop("vaf"), **depths}]
        one["cdnaChange"] = one.pop("cDnaChange")
        one["reportEvents"][0]["genomicFeatureCancer"]["featureType"] = "gene"
        variants.append(one | {"alleleOrigins": wrapped["alleleOrigins"]})
    place = {"chromosome": "17", "start": 101, "end": 200, "reference": "N", "alternate": "<DEL>"}
    kind = {"firstLevelType": "DEL", "subtype": None}
    genome["reportedVariants"] = variants
    genome["reportedStructuralVariants"] = [place | {"type": kind, "alleleOrigins": ["somatic_variant"]}]
    return detail


def cancer_case_of_model_5() -> dict[str, Any]:
    """Return a cancer case in model 5 with a somatic variant."""
    seen = {
        "participantId": "p7",
        "sampleId": "T1",
        "zygosity": "na",
        "vaf": 0.31,
        "depthReference": 60,
        "depthAlternate": 26,
        "alleleOrigins": ["somatic_variant"],
    }
    reason = {
        "reportEventId": "c1",
        "genomicEntities": [{"type": "gene", "ensemblId": "ENSG2", "geneSymbol": "KRAS", "otherIds": None}],
        "variantConsequences": [{"id": "SO:0001583", "name": "missense_variant"}],
        "actions": None,
        "roleInCancer": ["oncogene"],
        "tier": "TIER1",
    }
    place = {"chromosome": "12", "position": 25398284, "reference": "C", "alternate": "T", "assembly": "GRCh37"}
    variant = {
        "variantCoordinates": place,
        "variantCalls": [seen],
        "reportEvents": [reason],
        "alleleOrigins": ["somatic_variant"],
    }
    detail = old_cancer_case(4)
    detail["interpreted_genome"][0]["interpreted_genome_data"] = {
        "versionControl": {"gitVersionControl": "5.0.0"},
        "interpretationRequestId": "611",
        "interpretationRequestVersion": 2,
        "interpretationService": "illumina",
        "reportUrl": None,
        "variants": [variant],
        "referenceDatabasesVersions": {},
        "softwareVersions": {},
        "comments": None,
    }
    return detail
