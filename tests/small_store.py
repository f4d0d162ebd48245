"""A store for one test: ingest texts of VCF files, ask the operations."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.config import Settings
from app.fhir.parameters import OperationInputs, RangeInput
from app.fhir.tokens import parse_token
from app.operations.context import Genome, OperationContext
from app.operations.registry import HANDLERS, READERS
from app.records import Build, Sex, SourceClass
from app.store import bulk
from app.store.session import Database
from app.store.studies import StudyFacts
from app.store.subjects import Subject
from app.variants.interval import parse_range
from app.variants.liftover import Liftover
from ingest.haplotypes import HaplotypeReport, ingest_haplotypes
from ingest.jobs import FileJob, SampleJob
from ingest.knowledge import LoadOptions, LoadReport, load
from ingest.progress import Progress
from ingest.report import IngestReport
from ingest.run import Ingest
from ingest.workspace import Workspace
from tests.empty_stores import make_empty_store
from tests.genotype_files import write_table
from tests.knowledge_files import table

NO_GENOME = Genome({}, Liftover())


@contextmanager
def migrated(url: str) -> Iterator[Database]:
    """Open a database with the newest schema and close it at the end."""
    database = Database(url)
    try:
        make_empty_store(database)
        yield database
    finally:
        database.close()


@dataclass(frozen=True)
class Item:
    """The answer for one range or variant."""

    item: str
    present: bool
    variants: list[dict[str, Any]]
    phases: list[dict[str, Any]]

    @property
    def spdis(self) -> list[str]:
        """Return the SPDI of each variant on the build that it was called on."""
        return [spdis_of(variant)[0] for variant in self.variants]


class SmallStore:
    """A store with the genome that variants are placed by."""

    def __init__(self, database: Database, folder: Path, genome: Genome = NO_GENOME, **settings: Any) -> None:
        self.database = database
        self.folder = folder
        self.settings = Settings(home=folder, **settings)
        self.context = OperationContext(self.settings, database, genome, HANDLERS, READERS)
        self._numbers = itertools.count(1)

    def file(
        self,
        text: str | bytes,
        *subjects: str | Subject,
        test: str = "T1",
        build: Build = Build.GRCH38,
        source_class: SourceClass = SourceClass.GERMLINE,
        name: str | None = None,
        test_date: str | None = None,
        specimen: str | None = None,
        **options: Any,
    ) -> FileJob:
        """Write a file and return the job to store it: one sample for each subject."""
        path = self.folder / (name or f"file{next(self._numbers)}.vcf")
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        facts = StudyFacts(test, build, test_date, specimen)
        samples = [
            SampleJob(at, who if isinstance(who, Subject) else Subject(who), facts, source_class)
            for at, who in enumerate(subjects or ("P1",))
        ]
        return FileJob(path, build, samples, **options)

    def store(self, *jobs: FileJob, replace: bool = False) -> list[IngestReport]:
        """Ingest files that belong together."""
        ingest = Ingest(self.database, self.context.genome, self.settings, Progress(quiet=True))
        return ingest.store(jobs, replace=replace)

    def ingest(self, text: str | bytes, *subjects: str | Subject, **options: Any) -> IngestReport:
        """Ingest one file."""
        return self.store(self.file(text, *subjects, **options))[0]

    def genotypes(self, *lines: dict[str, str], replace: bool = False) -> HaplotypeReport:
        """Ingest a table of genotypes."""
        path = write_table(self.folder / f"file{next(self._numbers)}.tsv", *lines)
        return ingest_haplotypes(self.workspace, path, replace=replace)

    @property
    def workspace(self) -> Workspace:
        """Return the store as commands see it."""
        return Workspace(self.settings, self.database, self.context.genome)

    def knowledge(self, kind: str, *rows: dict[str, str], **options: Any) -> LoadReport:
        """Load a release of knowledge: a table of one kind."""
        path = self.folder / f"knowledge{next(self._numbers)}.tsv"
        path.write_bytes(table(*rows))
        return load(self.workspace, kind, [path], LoadOptions(**options), Progress(quiet=True))

    def ask(self, name: str, **inputs: Any) -> list[dict[str, Any]]:
        """Return the parameters of an answer."""
        found: list[dict[str, Any]] = self._answer(name, **inputs).get("parameter", [])
        return found

    def sex(self, subject: str, sex: Sex) -> None:
        """Tell the store the sex of a subject."""
        bulk.store_subjects(self.database, [Subject(subject, sex)], "test")

    def in_ranges(self, subject: str, *ranges: str, variants: bool = True, **inputs: Any) -> list[Item]:
        """Ask which variants of a subject touch some ranges."""
        name = "find-subject-variants"
        return _items(self._answer(name, subject=subject, ranges=_ranges(ranges), include_variants=variants, **inputs))

    def in_range(self, subject: str, text: str, **inputs: Any) -> Item:
        """Ask which variants of a subject touch a range."""
        return self.in_ranges(subject, text, **inputs)[0]

    def specific(self, subject: str, *variants: str, **inputs: Any) -> list[Item]:
        """Ask whether a subject has some variants."""
        return _items(self._answer("find-subject-specific-variants", subject=subject, variants=(variants,), **inputs))

    def population(self, *groups: Sequence[str], **inputs: Any) -> list[tuple[str, int, int, list[str]]]:
        """Ask how many subjects have some variants: (item, numerator, denominator, subjects)."""
        name = "find-population-specific-variants"
        return _counted(self._answer(name, variants=tuple(map(tuple, groups)), **inputs))

    def structural(self, relation: str, subject: str, *ranges: str, variants: bool = True, **inputs: Any) -> list[Item]:
        """Ask which structural variants of a subject are ``intersecting`` or ``subsuming`` some ranges."""
        name = f"find-subject-structural-{relation}-variants"
        return _items(self._answer(name, subject=subject, ranges=_ranges(ranges), include_variants=variants, **inputs))

    def structural_population(
        self, relation: str, *ranges: str, **inputs: Any
    ) -> list[tuple[str, int, int, list[str]]]:
        """Ask how many subjects have structural variants that are ``intersecting`` or ``subsuming`` some ranges."""
        name = f"find-population-structural-{relation}-variants"
        return _counted(self._answer(name, ranges=_ranges(ranges), **inputs))

    def genotype_population(self, *groups: Sequence[str], **inputs: Any) -> list[tuple[str, int, int, list[str]]]:
        """Ask how many subjects have some genotypes or haplotypes: (item, numerator, denominator, subjects)."""
        tokens = tuple(tuple(map(parse_token, group)) for group in groups)
        answer = self._answer(
            "find-population-specific-haplotypes", haplotypes=tokens, include_patient_list=True, **inputs
        )
        return _counted(answer)

    def has_genotype(self, subject: str, *words: str, **inputs: Any) -> list[bool]:
        """Ask whether a subject has some genotypes or haplotypes."""
        tokens = (tuple(map(parse_token, words)),)
        answer = self._answer("find-subject-specific-haplotypes", subject=subject, haplotypes=tokens, **inputs)
        return [
            next(part["valueBoolean"] for part in entry["part"] if part["name"] == "presence")
            for entry in answer["parameter"]
        ]

    def studies(self, subject: str, *ranges: str, **inputs: Any) -> list[dict[str, Any]]:
        """Ask which tests a subject had: the value of each part by its name."""
        asked = tuple(RangeInput(text, parse_range(text)) for text in ranges)
        answer = self._answer("find-study-metadata", subject=subject, ranges=asked, **inputs)
        return [
            {part["name"]: next(part[key] for key in part if key.startswith("value")) for part in entry["part"]}
            for entry in answer.get("parameter", [])
        ]

    def read(self, id_: str, resource_type: str = "Observation") -> dict[str, Any] | None:
        """Return the resource with an id; None if nothing has it."""
        for reader in self.context.readers:
            match = reader.pattern.fullmatch(id_) if reader.resource_type == resource_type else None
            if match is not None:
                found = reader.read(self.context, match)
                return json.loads(found) if found is not None else None
        return None

    def _answer(self, name: str, **inputs: Any) -> dict[str, Any]:
        answer: dict[str, Any] = json.loads(self.context.answer(name, OperationInputs(**inputs)))
        return answer


def _ranges(texts: Sequence[str]) -> tuple[RangeInput, ...]:
    return tuple(RangeInput(text, parse_range(text)) for text in texts)


def _counted(answer: dict[str, Any]) -> list[tuple[str, int, int, list[str]]]:
    found = []
    for parameter in answer["parameter"]:
        item, numerator, denominator, *rest = parameter["part"]
        found.append(
            (
                item["valueString"],
                numerator["valueQuantity"]["value"],
                denominator["valueQuantity"]["value"],
                [part["valueString"] for part in rest],
            )
        )
    return found


def spdis_of(variant: dict[str, Any]) -> list[str]:
    """Return the SPDIs of an Observation: on the build of the call first."""
    return [coding["code"] for coding in component(variant, "81252-9")["valueCodeableConcept"]["coding"]]


def component(variant: dict[str, Any], code: str) -> dict[str, Any]:
    """Return the one component with a LOINC code; empty if there is none."""
    found = [entry for entry in variant["component"] if entry["code"]["coding"][0]["code"] == code]
    assert len(found) <= 1, code
    return found[0] if found else {}


def _items(answer: dict[str, Any]) -> list[Item]:
    items = []
    for parameter in answer.get("parameter", []):
        item, presence, *rest = parameter["part"]
        resources = {
            name: [part["resource"] for part in rest if part["name"] == name]
            for name in ("variant", "sequencePhaseRelationship")
        }
        items.append(
            Item(
                item["valueString"],
                presence["valueBoolean"],
                resources["variant"],
                resources["sequencePhaseRelationship"],
            )
        )
    return items


class Interrupted(BaseException):
    """Stands for a signal: nothing in the program handles it."""
