"""Tests of a subject as parameters of ``$find-study-metadata``.

https://build.fhir.org/ig/HL7/genomics-reporting/OperationDefinition-find-study-metadata.html. Regions are one text as
in the guide's examples and in the reference implementation: ``['NC_000007.14:55019016-55211628']``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import orjson

from app.fhir import codes
from app.fhir.codes import Coding
from app.fhir.parameters import Dialect
from app.records import Build
from app.variants.interval import Interval

UNKNOWN: Final = "unknown"

_TERM = re.compile(r"SO:[0-9]{7}")
_LABELS = {label.lower(): coding for label, coding in codes.DNA_CHANGE_TYPE.items()}
_TO_THE_DAY = 10


@dataclass(frozen=True, slots=True)
class StudyDescription:
    """What an answer says of one test."""

    test_id: str
    test_date: str | None
    specimen_id: str | None
    build: Build | None
    change_types: Sequence[str]


@dataclass(frozen=True, slots=True)
class StudyRegions:
    """What an answer says of the regions of one test; None where it is not known."""

    studied: Sequence[Interval] | None
    uncallable: Sequence[Interval] | None
    note: str | None = None
    """What a reader should know of how the regions came about"""


def render_study(facts: StudyDescription, regions: StudyRegions | None, dialect: Dialect) -> list[str]:
    """Return one test as a parameter; what is not known is left out, regions unless they were asked for."""
    is_ref = dialect is Dialect.REF
    parts: list[dict[str, Any]] = [{"name": "testID" if is_ref else "testId", "valueString": facts.test_id}]
    if facts.test_date is not None:
        dated = {"valueString": _clock(facts.test_date)} if is_ref else {"valueDateTime": facts.test_date}
        parts.append({"name": "testDate", **dated})
    if facts.specimen_id is not None:
        parts.append({"name": "specimenId", "valueString": facts.specimen_id})
    if facts.build is not None:
        parts.append({"name": "genomicBuild", "valueCodeableConcept": codes.ASSEMBLY[facts.build].as_concept()})
    if facts.change_types:
        parts.append({"name": "dnaChangeType", "valueCodeableConcept": _change_types(facts.change_types)})
    if regions is not None:
        for name, listed in (("regionStudied", regions.studied), ("uncallableRegions", regions.uncallable)):
            parts.append({**_noted(regions.note), "name": name, "valueString": _listed(listed)})
    return [orjson.dumps({"name": "tests", "part": parts}).decode()]


def _clock(date: str) -> str:
    """Return a date as the reference implementation prints it; one that is less exact than a day stays as it is."""
    return date if len(date) < _TO_THE_DAY else str(datetime.fromisoformat(date))


def _change_types(labels: Sequence[str]) -> dict[str, Any]:
    """Return the codings of the types that have one, and the other types as text."""
    codings: list[Coding] = []
    others: list[str] = []
    for label in labels:
        known = _LABELS.get(label.strip().lower())
        if known is not None:
            codings.append(known)
        elif _TERM.fullmatch(label.strip()):
            codings.append(Coding(codes.SEQUENCE_ONTOLOGY, label.strip()))
        else:
            others.append(label.strip())
    concept: dict[str, Any] = {}
    if codings:
        concept["coding"] = [coding.as_json() for coding in dict.fromkeys(codings)]
    if others:
        concept["text"] = ", ".join(others)
    return concept


def _noted(note: str | None) -> dict[str, Any]:
    return {} if note is None else {"extension": [{"url": codes.NOTE, "valueAnnotation": {"text": note}}]}


def _listed(regions: Sequence[Interval] | None) -> str:
    return UNKNOWN if regions is None else "[" + ", ".join(f"'{region}'" for region in regions) + "]"
