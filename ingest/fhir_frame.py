"""What surrounds the variants of a FHIR file: patients, specimens, studies and reports, and which of them is meant.

References lead to a resource of the same file by its full URL (absolute, ``urn:uuid``) or by its type and id; those
that lead nowhere still name an id. ``docs/howto/fhir-in-and-out.md`` has the rules.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from app.errors import InvalidValue
from app.fhir import codes
from app.fhir.dates import implicit_interval
from app.fhir.elements import (
    Element,
    NotFhir,
    Reference,
    codes_of,
    identifiers_of,
    object_of,
    objects_of,
    reference_of,
    references_of,
    text_of,
)
from app.fhir.extensions import CallSetNote, StudyNote, read_call_set, read_study
from app.fhir.study_regions import Intervals, read_regions
from app.formats.fhir_file import Entry
from app.records import Build, Sex, SourceClass
from app.store.subjects import Subject

_ID = re.compile(r"[A-Za-z0-9.-]{1,64}", re.ASCII)
_ABSOLUTE = re.compile(r"(?:https?|urn):", re.IGNORECASE)
_HISTORY = re.compile(r"/_history/[^/]*$")
_STUDY_URL = f"{codes.GENOMICS_REPORTING}/StructureDefinition/genomic-study-reference"
_ANALYSIS_URL = f"{codes.GENOMICS_REPORTING}/StructureDefinition/genomic-study-analysis-ext"
_BUILD_URL = f"{codes.GENOMICS_REPORTING}/StructureDefinition/genomic-study-analysis-genome-build"
_CLASS_URL = f"{codes.GENOMICS_REPORTING}/StructureDefinition/genomic-study-analysis-genomic-source-class"
_SPECIMEN_URL = f"{codes.GENOMICS_REPORTING}/StructureDefinition/genomic-study-analysis-specimen"
_BUILDS = {coding.code: build for build, coding in codes.ASSEMBLY.items()}
_CLASSES = {coding.code: source_class for source_class, coding in codes.SOURCE_CLASS.items()}
_LONGEST_NAME = 500
_T = TypeVar("_T")
_DEEPEST = 10
"""Most studies that may be part of each other"""

KEPT = frozenset({"Patient", "Specimen", "Procedure", "ServiceRequest", "DiagnosticReport"})
"""Resource types that the frame keeps"""


@dataclass(frozen=True, slots=True)
class Procedure:
    """A genomic study, or an analysis of one."""

    name: str | None
    subject: Reference | None
    part_of: tuple[Reference, ...]
    analyses: tuple[Reference, ...]
    based_on: tuple[Reference, ...]
    performed: str | None
    build: Build | None
    source_class: SourceClass | None
    specimen: Reference | None
    call_set: CallSetNote | None
    study: StudyNote | None
    regions: Mapping[str, Intervals]


@dataclass(frozen=True, slots=True)
class Report:
    """A DiagnosticReport."""

    name: str | None
    effective: str | None
    studies: tuple[Reference, ...]
    specimens: tuple[Reference, ...]


@dataclass(frozen=True, slots=True)
class Test:
    """The test that an Observation belongs to; ``date`` and ``specimen_id`` are None where nothing says them."""

    test_id: str
    date: str | None = None
    specimen_id: str | None = None
    build: Build | None = None
    source_class: SourceClass | None = None
    study: StudyNote | None = None
    call_set: CallSetNote | None = None
    subject: Reference | None = None
    """Whom the study names"""
    regions: Mapping[str, Intervals] = field(default_factory=dict)


@dataclass(slots=True)
class Frame:
    """The resources around the variants, found by reference.

    ``named`` finds subjects of the store by (system, value).
    """

    source: str
    fallback: str
    named: Callable[[str, str], list[str]]
    subjects: dict[str, Subject] = field(default_factory=dict)
    procedures: dict[str, Procedure] = field(default_factory=dict)
    _patients: dict[str, str] = field(default_factory=dict)
    _identified: dict[tuple[str, str], set[str]] = field(default_factory=dict)
    _specimens: dict[str, str] = field(default_factory=dict)
    _requests: dict[str, str] = field(default_factory=dict)
    _reports: list[Report] = field(default_factory=list)
    _reported: dict[str, int] = field(default_factory=dict)
    _studies: dict[str, list[str]] = field(default_factory=dict)
    _bases: dict[str, str] = field(default_factory=dict)
    bundles: dict[int, str] = field(default_factory=dict)
    held: int = 0

    def add(self, entry: Entry) -> None:
        """Keep one of the resources that ``KEPT`` names.

        Raises:
            NotFhir: an element is not of its type.
        """
        resource = entry.resource
        id_ = text_of(resource, "id")
        relative = f"{entry.type}/{id_}" if id_ is not None else None
        base = entry.full_url or relative
        if relative is not None and base is not None and self._bases.setdefault(relative, base) != base:
            raise NotFhir("id", f"another {entry.type} has it, too")
        keys = [key for key in (entry.full_url, relative) if key is not None]
        self.held += 1
        match entry.type:
            case "Patient":
                self._add_patient(resource, keys, id_)
            case "Specimen":
                accession = identifiers_of({"identifier": resource.get("accessionIdentifier")})
                names = identifiers_of(resource) or accession
                self._keep(self._specimens, keys, names[0][1] if names else id_)
            case "ServiceRequest":
                names = identifiers_of(resource)
                self._keep(self._requests, keys, names[0][1] if names else id_)
            case "Procedure":
                self._add_procedure(resource, keys, id_)
            case _:
                self._add_report(resource, id_)

    def _keep(self, kept: dict[str, str], keys: Sequence[str], name: str | None) -> None:
        if name is not None:
            kept.update(dict.fromkeys(keys, name))

    def _add_patient(self, resource: Element, keys: Sequence[str], id_: str | None) -> None:
        identifiers = tuple(identifiers_of(resource))
        subject_id = id_ or self._known_by(identifiers) or _uuid(keys)
        if subject_id is None or _ID.fullmatch(subject_id) is None:
            raise NotFhir("id", "it has no id of letters, digits, '-' and '.', up to 64")
        gender = text_of(resource, "gender")
        if gender is not None and gender not in set(Sex):
            raise NotFhir("gender", f"it is none of {', '.join(Sex)}")
        birth_date = text_of(resource, "birthDate")
        if birth_date is not None:
            check_date(birth_date, "birthDate")
        self._keep(self._patients, keys, subject_id)
        for identifier in identifiers:
            self._identified.setdefault(identifier, set()).add(subject_id)
        before = self.subjects.get(subject_id)
        given = Subject(subject_id, Sex(gender or Sex.UNKNOWN), birth_date, identifiers)
        if before is not None and before != given:
            raise NotFhir("id", "another Patient has it, too, and says something else")
        self.subjects[subject_id] = given

    def _known_by(self, identifiers: Sequence[tuple[str, str]]) -> str | None:
        found = {subject for system, value in identifiers for subject in self.named(system, value)}
        if len(found) > 1:
            raise NotFhir("identifier", "the identifiers belong to several subjects of the store")
        return found.pop() if found else None

    def _add_procedure(self, resource: Element, keys: Sequence[str], id_: str | None) -> None:
        by_url: dict[str, list[tuple[str, Element]]] = {}
        for path, extension in objects_of(resource, "extension"):
            by_url.setdefault(str(extension.get("url")), []).append((path, extension))
        analyses = [
            reference_of(object_of(extension, "valueReference", path), path)
            for path, extension in by_url.get(_ANALYSIS_URL, [])
        ]
        specimens = [
            reference_of(object_of(extension, "valueReference", path), path)
            for path, extension in by_url.get(_SPECIMEN_URL, [])
        ]
        names = identifiers_of(resource)
        period = object_of(resource, "performedPeriod") or {}
        performed = text_of(resource, "performedDateTime") or text_of(period, "start", "performedPeriod")
        if performed is not None:
            check_date(performed, "performedDateTime")
        procedure = Procedure(
            name=names[0][1] if names else id_ or _uuid(keys),
            subject=reference_of(object_of(resource, "subject"), "subject"),
            part_of=tuple(references_of(resource, "partOf")),
            analyses=tuple(reference for reference in analyses if reference is not None),
            based_on=tuple(references_of(resource, "basedOn")),
            performed=performed,
            build=next((_BUILDS[code] for code in _coded(by_url.get(_BUILD_URL, [])) if code in _BUILDS), None),
            source_class=next(
                (_CLASSES[code] for code in _coded(by_url.get(_CLASS_URL, [])) if code in _CLASSES), None
            ),
            specimen=next((reference for reference in specimens if reference is not None), None),
            call_set=read_call_set(resource),
            study=read_study(resource),
            regions=read_regions(resource),
        )
        for key in keys:
            self.procedures[key] = procedure
        for reference in procedure.analyses:
            if reference.text is not None:
                self._studies.setdefault(reference.text, []).extend(keys[:1])

    def _add_report(self, resource: Element, id_: str | None) -> None:
        names = identifiers_of(resource)
        effective = text_of(resource, "effectiveDateTime")
        if effective is not None:
            check_date(effective, "effectiveDateTime")
        studies = [
            reference_of(object_of(extension, "valueReference", path), path)
            for path, extension in objects_of(resource, "extension")
            if extension.get("url") == _STUDY_URL
        ]
        report = Report(
            name=names[0][1] if names else id_,
            effective=effective,
            studies=tuple(reference for reference in studies if reference is not None),
            specimens=tuple(references_of(resource, "specimen")),
        )
        self._reports.append(report)
        for reference in references_of(resource, "result"):
            if reference.text is not None:
                self._reported.setdefault(_HISTORY.sub("", reference.text), len(self._reports) - 1)
                self.held += 1

    def subject_of(self, reference: Reference | None) -> str | None:
        """Return the id of the subject that a reference leads to, None where it leads to none."""
        if reference is None:
            return None
        if reference.text is not None:
            found = self._found(self._patients, reference.text)
            if found is not None:
                return found
            type_, _, id_ = _relative(reference.text).rpartition("/")
            usable = type_ == "Patient" and _ID.fullmatch(id_) is not None and not self._is_elsewhere(reference.text)
            return id_ if usable else None
        if reference.identifier is None:
            return None
        subjects = self._identified.get(reference.identifier) or set(self.named(*reference.identifier))
        return next(iter(subjects)) if len(subjects) == 1 else None

    def report_of(self, names: Sequence[str]) -> int:
        """Return the number of the report that lists an Observation, known by some names; -1 if none does."""
        return next((self._reported[name] for name in names if name in self._reported), -1)

    def test_of(
        self,
        report: int,
        part_of: Sequence[Reference],
        based_on: Sequence[Reference],
        *,
        bundle: int,
    ) -> Test:
        """Return the test that an Observation belongs to; ``report`` is the number of the one that lists it.

        Procedures that it is part of come first, then the report that lists it, the request that it is based on, and
        the Bundle.
        """
        for reference in part_of:
            if reference.text is not None:
                return self.by_procedure(reference.text)
        if report >= 0:
            return self._by_report(self._reports[report])
        for reference in based_on:
            name = self._request(reference)
            if name is not None:
                return Test(name)
        return Test(self.bundles.get(bundle) or self.fallback)

    def by_procedure(self, text: str) -> Test:
        """Return the test that a reference to a study or an analysis stands for."""
        analysis = self._found(self.procedures, text)
        if analysis is None:
            return Test(_short(_relative(text).rpartition("/")[2]))
        top = self.study_of(text)
        study = top or analysis
        specimen = analysis.specimen or study.specimen
        return Test(
            _short(study.name or self.fallback),
            study.performed or analysis.performed,
            self.specimen_of(specimen),
            analysis.build or study.build,
            analysis.source_class,
            study.study,
            analysis.call_set,
            analysis.subject or study.subject,
            study.regions,
        )

    def study_of(self, text: str) -> Procedure | None:
        """Return the outermost study that a procedure is part of, or is an analysis of; itself if there is none."""
        procedure, seen = self._found(self.procedures, text), 0
        while procedure is not None and seen < _DEEPEST:
            above = [reference.text for reference in procedure.part_of if reference.text is not None]
            above += self._studies.get(text) or self._studies.get(_relative(text), [])
            above = [name for name in above if self._found(self.procedures, name) is not None]
            if not above:
                return procedure
            text, seen = above[0], seen + 1
            procedure = self._found(self.procedures, text)
        return procedure

    def _by_report(self, report: Report) -> Test:
        for reference in report.studies:
            if reference.text is not None:
                return self.by_procedure(reference.text)
        specimen = report.specimens[0] if len(report.specimens) == 1 else None
        return Test(_short(report.name or self.fallback), report.effective, self.specimen_of(specimen))

    def _request(self, reference: Reference) -> str | None:
        if reference.text is None:
            return None if reference.identifier is None else _short(reference.identifier[1])
        return _short(self._found(self._requests, reference.text) or _relative(reference.text).rpartition("/")[2])

    def specimen_of(self, reference: Reference | None) -> str | None:
        """Return the identifier of the specimen that a reference leads to."""
        if reference is None:
            return None
        if reference.identifier is not None and reference.text is None:
            return _short(reference.identifier[1])
        text = reference.text or ""
        return _short(self._found(self._specimens, text) or _relative(text).rpartition("/")[2])

    def _found(self, kept: dict[str, _T], text: str) -> _T | None:
        known = kept.get(_HISTORY.sub("", text))
        if known is not None or self._is_elsewhere(text):
            return known
        return kept.get(_relative(text))

    def _is_elsewhere(self, text: str) -> bool:
        """Return whether a reference is absolute and the file has a resource of that type and id of another server."""
        if _ABSOLUTE.match(text) is None:
            return False
        base = self._bases.get(_relative(text))
        return base is not None and base != _HISTORY.sub("", text) and _ABSOLUTE.match(base) is not None


def check_date(text: str, path: str) -> None:
    """Raise NotFhir unless a text is a FHIR date or dateTime of the calendar."""
    try:
        implicit_interval(text)
    except InvalidValue as error:
        raise NotFhir(path, error.diagnostics) from error


def _relative(text: str) -> str:
    """Return type and id of a reference, without the server and the version."""
    return "/".join(_HISTORY.sub("", text).rsplit("/", 2)[-2:]) if "/" in text else text.rpartition(":")[2]


def _uuid(keys: Sequence[str]) -> str | None:
    return next((key.removeprefix("urn:uuid:") for key in keys if key.startswith("urn:uuid:")), None)


def _short(name: str) -> str:
    return name[:_LONGEST_NAME]


def _coded(extensions: Sequence[tuple[str, Element]]) -> list[str]:
    return [
        code.code
        for path, extension in extensions
        for code in codes_of(object_of(extension, "valueCodeableConcept", path), path)
        if code.system == codes.LOINC
    ]
