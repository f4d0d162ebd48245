"""Tests as Procedures of the profiles genomic-study and genomic-study-analysis.

https://build.fhir.org/ig/HL7/genomics-reporting/StructureDefinition-genomic-study.html. The analyses, one for each
genomic source class, are contained in the study: they have no life of their own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from app.fhir import codes
from app.fhir.codes import Coding
from app.records import Build, SourceClass
from app.variants.interval import Interval

MOST_LISTED: Final = 200
"""Regions of one kind that are listed one by one; a description counts them all"""

# The extensions of an analysis are named after its profile.
_ANALYSIS: Final = codes.ANALYSIS_PROFILE
_REGION_KINDS: Final = {
    "studied": "studied",
    "uncallable": "uncalled",
}
"""How the guide calls each kind of region that a test shows"""
_LABELS: Final = {label.lower(): coding for label, coding in codes.DNA_CHANGE_TYPE.items()}


@dataclass(frozen=True, slots=True)
class Study:
    """What is known of one test; ``regions`` are on its build, by kind: studied, uncallable."""

    id: str
    subject_id: str
    test_id: str
    build: Build | None
    test_date: str | None
    specimen_id: str | None
    study_type: str | None
    change_types: Sequence[str]
    source_classes: Sequence[SourceClass]
    regions: Mapping[str, Sequence[Interval]]


def render_study(study: Study) -> dict[str, Any]:
    """Return the Procedure that a test is."""
    analyses = [
        _analysis(study, f"analysis-{number}", source_class)
        for number, source_class in enumerate(study.source_classes or (SourceClass.UNSPECIFIED,), start=1)
    ]
    procedure: dict[str, Any] = {
        "resourceType": "Procedure",
        "id": study.id,
        "meta": {"profile": [codes.STUDY_PROFILE]},
        "contained": analyses,
        "extension": [
            {"url": f"{_ANALYSIS}-ext", "valueReference": {"reference": f"#{analysis['id']}"}} for analysis in analyses
        ],
        "identifier": [{"value": study.test_id}],
        **_common(study),
    }
    if study.study_type is not None:
        procedure["code"] = {"text": study.study_type}
    return procedure


def _common(study: Study) -> dict[str, Any]:
    # What is stored was reported by a test that had ended.
    common: dict[str, Any] = {
        "status": "completed",
        "category": codes.LABORATORY.as_concept(),
        "subject": {"reference": f"Patient/{study.subject_id}"},
    }
    if study.test_date is not None:
        common["performedDateTime"] = study.test_date
    return common


def _analysis(study: Study, id_: str, source_class: SourceClass) -> dict[str, Any]:
    extensions = [
        *(_concept_extension("change-type", concept) for concept in map(_change_type, study.change_types)),
    ]
    if study.build is not None:
        extensions.append(_concept_extension("genome-build", codes.ASSEMBLY[study.build].as_concept()))
    if source_class in codes.SOURCE_CLASS:
        extensions.append(_concept_extension("genomic-source-class", codes.SOURCE_CLASS[source_class].as_concept()))
    if study.specimen_id is not None:
        specimen = {"type": "Specimen", "identifier": {"value": study.specimen_id}}
        extensions.append({"url": f"{_ANALYSIS}-specimen", "valueReference": specimen})
    if study.regions:
        extensions.append({"url": f"{_ANALYSIS}-regions", "extension": _regions(study)})
    return {
        "resourceType": "Procedure",
        "id": id_,
        "meta": {"profile": [codes.ANALYSIS_PROFILE]},
        "extension": extensions,
        **_common(study),
    }


def _concept_extension(name: str, concept: dict[str, Any]) -> dict[str, Any]:
    return {"url": f"{_ANALYSIS}-{name}", "valueCodeableConcept": concept}


def _change_type(label: str) -> dict[str, Any]:
    known: Coding | None = _LABELS.get(label.lower())
    return known.as_concept() if known is not None else {"text": label}


def _regions(study: Study) -> list[dict[str, Any]]:
    counted = "; ".join(
        f"{kind}: {len(intervals)} regions, {sum(one.end - one.start for one in intervals)} bases on {study.build}"
        for kind, intervals in study.regions.items()
        if kind in _REGION_KINDS
    )
    described: list[dict[str, Any]] = [{"url": "description", "valueString": counted}]
    for kind, intervals in study.regions.items():
        url = _REGION_KINDS.get(kind)
        if url is not None and len(intervals) <= MOST_LISTED:
            described += [{"url": url, "valueCodeableConcept": {"text": str(interval)}} for interval in intervals]
    return described
