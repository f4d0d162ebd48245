"""Small cases of Genomics England for tests, and a store that they are ingested into."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from app.errors import NotInstalled
from app.fhir.parameters import RangeInput
from app.store import cip_cases
from app.store.cip_cases import StoredCase
from app.variants.interval import parse_range
from ingest.cip import project
from ingest.cip_report import CaseOutcome
from ingest.progress import Progress
from tests.small_store import SmallStore

Json = dict[str, Any]

WHERE = "NC_000001.11:0-200000"
PROBAND, MOTHER, FATHER = "p1", "p2", "p3"
SAMPLES = {PROBAND: "LP1-DNA_A01", MOTHER: "LP1-DNA_B01", FATHER: "LP1-DNA_C01"}


def call(participant: str, zygosity: str, **fields: Any) -> Json:
    """Return what one sample has."""
    return {
        "participantId": participant,
        "sampleId": SAMPLES.get(participant, f"S-{participant}"),
        "zygosity": zygosity,
        "alleleOrigins": ["germline_variant"],
        **fields,
    }


def event(number: int = 1, **fields: Any) -> Json:
    """Return a report event."""
    return {
        "reportEventId": f"RE{number}",
        "phenotypes": {"nonStandardPhenotype": None, "standardPhenotypes": None},
        "variantConsequences": [],
        "modeOfInheritance": "monoallelic",
        "genomicEntities": [{"type": "gene", "geneSymbol": "MECP2", "ensemblId": "ENSG1", "otherIds": None}],
        "tier": "TIER1",
        **fields,
    }


def variant(place: str, *calls: Json, events: Sequence[Json] | None = None, assembly: str = "GRCh38") -> Json:
    """Return a small variant, its place written as ``1:1001:A:G``."""
    chromosome, position, ref, alt = place.split(":")
    return {
        "variantCoordinates": {
            "chromosome": chromosome,
            "position": int(position),
            "reference": ref,
            "alternate": alt,
            "assembly": assembly,
        },
        "variantCalls": list(calls),
        "reportEvents": [event()] if events is None else list(events),
        "variantAttributes": None,
    }


def structural(kind: str, start: int, end: int, *calls: Json, ci: int = 0, chromosome: str = "1") -> Json:
    """Return a structural variant."""
    interval = {"left": -ci, "right": ci} if ci else None
    return {
        "variantType": kind,
        "coordinates": {
            "assembly": "GRCh38",
            "chromosome": chromosome,
            "start": start,
            "end": end,
            "ciStart": interval,
            "ciEnd": interval,
        },
        "variantCalls": list(calls),
        "reportEvents": [event(900)],
    }


def genome(*variants: Json, service: str = "genomics_england_tiering", version: int = 1, **fields: Any) -> Json:
    """Return an interpreted genome in its wrapper."""
    return {
        "created_at": f"2022-02-0{version}T11:30:00.100000Z",
        "cip_version": version,
        "interpreted_genome_data": {
            "versionControl": {"gitVersionControl": "6.1.1"},
            "interpretationRequestId": "7-1",
            "interpretationRequestVersion": 1,
            "interpretationService": service,
            "variants": list(variants),
            "structuralVariants": None,
            "referenceDatabasesVersions": {},
            "softwareVersions": {},
            **fields,
        },
    }


def report(*variants: Json, version: int = 1, questionnaire: Json | None = None) -> Json:
    """Return a clinical report in its wrapper."""
    return {
        "clinical_report_data": {
            "interpretationRequestId": "7",
            "interpretationRequestVersion": 1,
            "reportingDate": "2022-03-01",
            "user": "u",
            "variants": list(variants),
            "genomicInterpretation": "",
            "referenceDatabasesVersions": {},
            "softwareVersions": {},
        },
        "created_at": "2022-03-01T10:00:00.000000Z",
        "exit_questionnaire": questionnaire,
        "clinical_report_version": version,
        "valid": True,
    }


def classified(place: str, significance: str, **fields: Any) -> Json:
    """Return a variant of a report, which the proband has."""
    told = event(500, variantClassification={"clinicalSignificance": significance}, **fields)
    return variant(place, call(PROBAND, "heterozygous"), events=[told])


def case(
    *genomes: Json,
    number: int = 7,
    version: int = 1,
    reports: Sequence[Json] = (),
    assembly: str | None = "GRCh38",
    consents: Mapping[str, str] | None = None,
    sexes: Mapping[str, str] | None = None,
    pharmacogenomics: Mapping[str, str] | None = None,
    status: str = "report_sent",
) -> Json:
    """Return the detail of a case: a trio that agreed to everything."""
    for one in genomes:
        one["interpreted_genome_data"]["interpretationRequestId"] = f"{number}-{version}"
    for one in reports:
        one["clinical_report_data"]["interpretationRequestId"] = str(number)
    genomes, reports = copy.deepcopy(genomes), copy.deepcopy(reports)
    return {
        "interpretation_request_id": number,
        "version": str(version),
        "created_at": "2022-02-01T08:00:00.000000Z",
        "last_modified": "2022-03-02T10:00:01.000000Z",
        "cip": "genomics_england",
        "sample_type": "raredisease",
        "status": [{"status": status, "created_at": "2022-02-01T08:00:00.000000Z", "user": "u"}],
        "last_status": status,
        "interpretation_request_data": {
            "json_request": {"pedigree": _pedigree(consents or {}, sexes or {}, pharmacogenomics or {})}
        },
        "interpreted_genome": list(genomes),
        "clinical_report": list(reports),
        "proband": PROBAND,
        "family_id": f"r{number}",
        **({} if assembly is None else {"assembly": assembly}),
    }


def _pedigree(consents: Mapping[str, str], sexes: Mapping[str, str], pharmacogenomics: Mapping[str, str]) -> Json:
    defaults = {PROBAND: "MALE", MOTHER: "FEMALE", FATHER: "MALE"}
    members = [
        {
            "pedigreeId": at,
            "isProband": participant == PROBAND,
            "participantId": participant,
            "sex": sexes.get(participant, defaults[participant]),
            "samples": [{"sampleId": SAMPLES[participant]}],
            "testConsentStatus": {
                "primaryFindingConsent": consents.get(participant, "yes"),
                "researchConsent": "yes",
                "pharmacogenomicsFindingConsent": pharmacogenomics.get(participant, "yes"),
            },
        }
        for at, participant in enumerate(SAMPLES, 1)
    ]
    panels = [{"specificDisease": "R29", "panelName": "Intellectual disability", "panelVersion": "3"}]
    return {"familyId": "r7", "members": members, "analysisPanels": panels, "readyForAnalysis": True}


@dataclass
class CaseStore:
    """A store that cases are put into and projected."""

    store: SmallStore

    def put(self, detail: Json) -> StoredCase:
        """Put a case without making its calls."""
        with self.store.database.write() as session:
            return cip_cases.put(session, detail, orjson.dumps(detail), origin="file")[0]

    def project(self) -> list[CaseOutcome]:
        """Make the calls of the cases that wait."""
        return project(self.store.workspace, Progress(quiet=True)).outcomes

    def ingest(self, *details: Json) -> list[CaseOutcome]:
        """Put cases and make their calls."""
        for detail in details:
            self.put(detail)
        return self.project()

    def found(self, number: int = 7, version: int = 1) -> StoredCase:
        """Return a case."""
        with self.store.database.read() as session:
            stored = cip_cases.find(session, number, version)
        assert stored is not None
        return stored

    def spdis(self, subject: str, text: str = WHERE) -> list[str]:
        """Return the variants of a subject in a range."""
        return sorted(self.store.in_range(subject, text).spdis)

    def states(self, subject: str, text: str = WHERE) -> list[str]:
        """Return the allelic states of the variants of a subject in a range."""
        found = []
        for one in self.store.in_range(subject, text).variants:
            values = [
                part["valueCodeableConcept"]["coding"][0]["code"]
                for part in one["component"]
                if part["code"]["coding"][0]["code"] == "53034-5"
            ]
            found.append(values[0] if values else "")
        return found

    def implications(self, subject: str, operation: str = "find-subject-dx-implications", **inputs: Any) -> list[Json]:
        """Return what is stated of a subject's variants."""
        inputs = inputs or {"ranges": (RangeInput(WHERE, parse_range(WHERE)),)}
        try:
            found = self.store.ask(operation, subject=subject, **inputs)
        except NotInstalled:  # nothing of the kind is stated of anybody
            return []
        return [one["resource"] for one in found if one["name"] == "implication"]


def messages(outcome: CaseOutcome) -> dict[str, str]:
    """Return the problems of a case by path."""
    return {problem.path: problem.message for problem in outcome.problems}


def component(resource: Json, code: str) -> list[str]:
    """Return the codes and texts of the components of an Observation with a code."""
    found = []
    for part in resource["component"]:
        if part["code"]["coding"][0]["code"] == code:
            value = part["valueCodeableConcept"]
            found += [one["code"] for one in value.get("coding", [])] or [value["text"]]
    return found
