"""Cases of Genomics England made up: trios with a genome of tiered variants each, a report and consents."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import orjson

from app.records import Build
from app.variants.accessions import display, length

SITES = 40_000
"""Distinct variants that the cases draw from: of rare disease, so that few people share one"""
CARRIED_BY_PARENTS = 0.5


def cases(number: int, variants: int, *, seed: int = 1) -> Iterator[bytes]:
    """Yield the details of so many cases, as an interface would serve them."""
    chance = random.Random(seed)
    sites = [_site(chance) for _ in range(SITES)]
    for at in range(number):
        yield orjson.dumps(_case(50_000 + at, chance.sample(sites, variants), chance))


def _site(chance: random.Random) -> tuple[str, int, str, str]:
    contig = chance.randrange(1, 23)
    position = chance.randrange(10_000, length(Build.GRCH38, contig) - 10_000)
    ref = chance.choice("ACGT")
    alt = chance.choice([base for base in "ACGT" if base != ref])
    if chance.random() < 0.1:
        ref, alt = chance.choice([(ref + "TAC", ref), (ref, ref + "GAT")])
    return display(contig), position, ref, alt


def _case(ir_id: int, sites: list[tuple[str, int, str, str]], chance: random.Random) -> dict[str, Any]:
    people = [f"p{ir_id}{number}" for number in range(3)]
    samples = [f"LP{ir_id}-DNA_{letter}01" for letter in "ABC"]
    variants = [_variant(at, site, people, samples, chance) for at, site in enumerate(sites)]
    reported = [
        {
            **variants[0],
            "reportEvents": [
                {
                    **variants[0]["reportEvents"][0],
                    "reportEventId": "CR1",
                    "variantClassification": {"clinicalSignificance": "pathogenic"},
                }
            ],
        }
    ]
    stamp = "2022-02-01T11:30:00.100000Z"
    return {
        "status": [{"status": "report_generated", "created_at": stamp, "user": "bench"}],
        "interpretation_request_id": ir_id,
        "version": "1",
        "created_at": stamp,
        "last_modified": stamp,
        "cip": "genomics_england",
        "sample_type": "raredisease",
        "interpretation_request_data": {"json_request": _request(ir_id, people, samples)},
        "cohort_id": f"r{ir_id}_1",
        "interpreted_genome": [
            {
                "status": [],
                "gel_qc_outcome": [],
                "created_at": stamp,
                "cip_version": 1,
                "interpreted_genome_data": {
                    "versionControl": {"gitVersionControl": "6.1.1"},
                    "interpretationRequestId": f"{ir_id}-1",
                    "interpretationRequestVersion": 1,
                    "interpretationService": "genomics_england_tiering",
                    "reportUrl": "",
                    "variants": variants,
                    "structuralVariants": [],
                    "shortTandemRepeats": [],
                    "referenceDatabasesVersions": {"genomeAssembly": "GRCh38"},
                    "softwareVersions": {"gel-tiering": "3.1.13"},
                },
            }
        ],
        "clinical_report": [
            {
                "clinical_report_data": {
                    "interpretationRequestId": str(ir_id),
                    "interpretationRequestVersion": 1,
                    "reportingDate": "2022-03-01",
                    "user": "bench",
                    "variants": reported,
                    "genomicInterpretation": "",
                    "referenceDatabasesVersions": {"genomeAssembly": "GRCh38"},
                    "softwareVersions": {"gel-tiering": "3.1.13"},
                },
                "created_at": stamp,
                "exit_questionnaire": None,
                "clinical_report_version": 1,
                "valid": True,
            }
        ],
        "proband": people[0],
        "number_of_samples": 3,
        "files": [],
        "last_status": "report_generated",
        "case_priority": "medium",
        "tags": [],
        "family_id": f"r{ir_id}",
        "assembly": "GRCh38",
        "case_id": f"GEL-{ir_id}-1",
        "program": "rare_disease",
    }


def _request(ir_id: int, people: list[str], samples: list[str]) -> dict[str, Any]:
    consent = dict.fromkeys(("primaryFindingConsent", "researchConsent", "pharmacogenomicsFindingConsent"), "yes")
    members = [
        {
            "pedigreeId": at + 1,
            "isProband": at == 0,
            "participantId": participant,
            "sex": ("MALE", "FEMALE", "MALE")[at],
            "affectionStatus": "AFFECTED" if at == 0 else "UNAFFECTED",
            "hpoTermList": [{"term": "HP:0001249", "termPresence": "yes"}] if at == 0 else [],
            "samples": [{"sampleId": sample, "labSampleId": f"{ir_id}{at}", "source": "BLOOD"}],
            "testConsentStatus": consent,
        }
        for at, (participant, sample) in enumerate(zip(people, samples, strict=True))
    ]
    return {
        "versionControl": {"gitVersionControl": "6.1.1"},
        "interpretationRequestId": str(ir_id),
        "interpretationRequestVersion": 1,
        "internalStudyId": "RD38GMS",
        "genomeAssembly": "GRCh38",
        "workspace": ["BENCH"],
        "pedigree": {
            "familyId": f"r{ir_id}",
            "members": members,
            "analysisPanels": [{"specificDisease": "R29", "panelName": "Intellectual disability", "panelVersion": "3"}],
            "readyForAnalysis": True,
        },
    }


def _variant(
    at: int, site: tuple[str, int, str, str], people: list[str], samples: list[str], chance: random.Random
) -> dict[str, Any]:
    chromosome, position, reference, alternate = site
    has = [True, *(chance.random() < CARRIED_BY_PARENTS for _ in range(2))]
    calls = [
        {
            "participantId": participant,
            "sampleId": sample,
            "zygosity": "heterozygous" if carried else "reference_homozygous",
            "phaseGenotype": None,
            "sampleVariantAlleleFrequency": None,
            "depthReference": chance.randrange(10, 30),
            "depthAlternate": chance.randrange(10, 30) if carried else 0,
            "numberOfCopies": None,
            "alleleOrigins": ["germline_variant"],
            "supportingReadTypes": None,
        }
        for participant, sample, carried in zip(people, samples, has, strict=True)
    ]
    gene = position // 500_000
    event = {
        "reportEventId": f"RE{at}",
        "phenotypes": {
            "nonStandardPhenotype": ["Intellectual disability"],
            "standardPhenotypes": [{"id": "HP:0001249", "name": "Intellectual disability", "ontology": None}],
        },
        "variantConsequences": [{"id": "SO:0001583", "name": "missense_variant"}],
        "genePanel": {"panelIdentifier": "285", "panelName": "Intellectual disability", "panelVersion": "3"},
        "modeOfInheritance": "monoallelic",
        "genomicEntities": [
            {
                "type": "gene",
                "ensemblId": f"ENSG{gene:011d}",
                "geneSymbol": f"GENE{gene}",
                "otherIds": [{"source": "HGNC", "identifier": f"HGNC:{gene}"}],
            }
        ],
        "segregationPattern": "deNovo",
        "penetrance": "complete",
        "groupOfVariants": None,
        "eventJustification": "Made up for measuring",
        "score": None,
        "variantClassification": None,
        "guidelineBasedVariantClassification": None,
        "tier": "TIER3",
        "domain": None,
    }
    return {
        "variantCoordinates": {
            "chromosome": chromosome,
            "position": position,
            "reference": reference,
            "alternate": alternate,
            "assembly": "GRCh38",
        },
        "variantCalls": calls,
        "reportEvents": [event],
        "variantAttributes": {
            "cdnaChanges": [f"ENST{gene:011d}:c.{at}A>G"],
            "variantIdentifiers": {"dbSnpId": f"rs{position}", "cosmicIds": None, "clinVarIds": None},
            "alleleFrequencies": [{"study": "GNOMAD_GENOMES", "population": "ALL", "alternateFrequency": 0.0001}],
            "alleleOrigins": ["germline_variant"],
        },
    }
