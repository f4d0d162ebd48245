"""A Bundle of everything that the store has of one subject, as text of its entries, so that it can be streamed.

Profiles: genomic-report, genomic-study and genomic-study-analysis of
https://build.fhir.org/ig/HL7/genomics-reporting/artifacts.html. References are relative; full URLs have one base.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any, Final

import orjson

from app.fhir import codes
from app.fhir.extensions import (
    CallSetNote,
    GenotypeNote,
    StudyNote,
    call_set_extension,
    genotype_extension,
    study_extension,
)
from app.fhir.observation import PHASE_PART, VARIANT_PART
from app.fhir.study_regions import Intervals, regions_extensions
from app.records import Build

OPEN: Final = '{"resourceType":"Bundle","type":"collection","entry":['
CLOSE: Final = "]}\n"
NO_BASE: Final = "http://operon.invalid/fhir"
"""Base of full URLs where no public URL of the server is known"""

_GUIDE: Final = f"{codes.GENOMICS_REPORTING}/StructureDefinition"
_PART_OF_TYPE: Final = '{"resourceType":"Observation",'
_LABORATORY: Final = codes.LABORATORY.as_concept()
_REPORT_CODE: Final = codes.Coding(codes.LOINC, "51969-4", "Genetic analysis report")


@dataclass(frozen=True, slots=True)
class StudyFacts:
    """What an export says of a study."""

    subject_id: str
    test_id: str
    test_date: str | None
    specimen_id: str | None
    note: StudyNote
    regions: Mapping[str, Intervals] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """Return what tells the study from all others, as part of resource ids."""
        return blake2b(orjson.dumps([self.subject_id, self.test_id]), digest_size=8).hexdigest()


def entry(base: str, resource: dict[str, Any]) -> str:
    """Return the entry of a resource."""
    text = orjson.dumps(resource).decode()
    return _entry(base, f"{resource['resourceType']}/{resource['id']}", text)


def study(facts: StudyFacts, uids: Sequence[str]) -> dict[str, Any]:
    """Return the Procedure of a study; ``uids`` are those of its call sets."""
    analyses = [
        {
            "url": f"{_GUIDE}/genomic-study-analysis-ext",
            "valueReference": {"reference": f"Procedure/{analysis_id(uid)}"},
        }
        for uid in uids
    ]
    regions = regions_extensions(facts.note.build, facts.regions) if facts.note.build is not None else []
    resource = {
        "resourceType": "Procedure",
        "id": f"gs-{facts.key}",
        "meta": {"profile": [f"{_GUIDE}/genomic-study"]},
        "extension": [*analyses, study_extension(facts.note), *regions],
        "identifier": [{"value": facts.test_id}],
        "status": "completed",
        "category": _LABORATORY,
        "subject": {"reference": f"Patient/{facts.subject_id}"},
    }
    if facts.test_date is not None:
        resource["performedDateTime"] = facts.test_date
    return resource


def analysis(facts: StudyFacts, build: Build, note: CallSetNote) -> dict[str, Any]:
    """Return the Procedure of one call set of a study."""
    extensions: list[dict[str, Any]] = [
        {
            "url": f"{_GUIDE}/genomic-study-analysis-genome-build",
            "valueCodeableConcept": codes.ASSEMBLY[build].as_concept(),
        }
    ]
    if note.source_class in codes.SOURCE_CLASS:
        concept = codes.SOURCE_CLASS[note.source_class].as_concept()
        extensions.append(
            {"url": f"{_GUIDE}/genomic-study-analysis-genomic-source-class", "valueCodeableConcept": concept}
        )
    if facts.specimen_id is not None:
        specimen = {"identifier": {"value": facts.specimen_id}}
        extensions.append({"url": f"{_GUIDE}/genomic-study-analysis-specimen", "valueReference": specimen})
    extensions.append(call_set_extension(note))
    resource = {
        "resourceType": "Procedure",
        "id": analysis_id(note.uid),
        "meta": {"profile": [f"{_GUIDE}/genomic-study-analysis"]},
        "extension": extensions,
        "status": "completed",
        "category": _LABORATORY,
        "subject": {"reference": f"Patient/{facts.subject_id}"},
    }
    if facts.test_date is not None:
        resource["performedDateTime"] = facts.test_date
    return resource


def report(facts: StudyFacts, results: Sequence[str]) -> dict[str, Any]:
    """Return the DiagnosticReport of a study; ``results`` are the ids of its Observations, none if too many."""
    reference = {"reference": f"Procedure/gs-{facts.key}"}
    resource: dict[str, Any] = {
        "resourceType": "DiagnosticReport",
        "id": f"report-{facts.key}",
        "meta": {"profile": [f"{_GUIDE}/genomic-report"]},
        "extension": [{"url": f"{_GUIDE}/genomic-study-reference", "valueReference": reference}],
        "identifier": [{"value": facts.test_id}],
        "status": "final",
        "category": [codes.GENETICS.as_concept()],
        "code": _REPORT_CODE.as_concept(),
        "subject": {"reference": f"Patient/{facts.subject_id}"},
    }
    if facts.test_date is not None:
        resource["effectiveDateTime"] = facts.test_date
    if facts.specimen_id is not None:
        resource["specimen"] = [{"identifier": {"value": facts.specimen_id}}]
    if results:
        resource["result"] = [{"reference": f"Observation/{id_}"} for id_ in results]
    return resource


def analysis_id(uid: str) -> str:
    """Return the id of the Procedure of a call set."""
    return f"callset-{uid}"


def variant_entry(base: str, id_: str, part: str, *, study_key: str, uid: str, extension: dict[str, Any]) -> str:
    """Return the entry of a variant, given the text of its part of an answer; it belongs to the analysis of a study."""
    of_study, of_analysis = f'"Procedure/gs-{study_key}"', f'"Procedure/{analysis_id(uid)}"'
    resource = part[len(VARIANT_PART) : -1].replace(of_study, of_analysis, 1)
    added = f'"extension":[{orjson.dumps(extension).decode()}],'
    return _entry(base, f"Observation/{id_}", f"{_PART_OF_TYPE}{added}{resource.removeprefix(_PART_OF_TYPE)}")


def genotype_entry(base: str, resource: str, note: GenotypeNote | None) -> tuple[str, str]:
    """Return (id, entry) of a genotype, or without ``note`` of one of its haplotypes, given the resource's text."""
    id_ = str(orjson.loads(resource)["id"])
    added = f'"extension":[{orjson.dumps(genotype_extension(note)).decode()}],' if note is not None else ""
    text = f"{_PART_OF_TYPE}{added}{resource.removeprefix(_PART_OF_TYPE)}"
    return id_, _entry(base, f"Observation/{id_}", text)


def phase_entry(base: str, part: str) -> tuple[str, str]:
    """Return (id, entry) of a phase relation, given the text of its part of an answer."""
    resource = part[len(PHASE_PART) : -1]
    id_ = str(orjson.loads(resource)["id"])
    return id_, _entry(base, f"Observation/{id_}", resource)


def _entry(base: str, relative: str, resource: str) -> str:
    return f'{{"fullUrl":"{base}/{relative}","resource":{resource}}}'
