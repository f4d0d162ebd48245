"""The subjects, tests and call sets that a FHIR file adds, and which of them each variant belongs to.

One test of the store has one date and one specimen. Where the variants of a test name several, the first ones keep the
test's name and the others get it with a number.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from app.fhir.elements import Reference
from app.fhir.extensions import CallSetNote
from app.fhir.stated import Refusal
from app.records import Build, SourceClass
from app.store.runs import PlannedCallSet
from app.store.studies import Regions, StudyFacts
from app.store.subjects import Subject
from ingest.fhir_frame import Frame, Test
from ingest.fhir_rows import Context, Row

_Key = tuple[int, int]
"""Number of the context, and of the report that lists the Observation (-1: none)"""


@dataclass(slots=True)
class Plan:
    """What a file adds; ``studies`` are those that found nothing, with their subjects."""

    frame: Frame
    subjects: list[Subject] = field(default_factory=list)
    call_sets: list[PlannedCallSet] = field(default_factory=list)
    studies: list[tuple[Subject, StudyFacts]] = field(default_factory=list)
    refused: dict[_Key, Refusal] = field(default_factory=dict)
    numbers: dict[_Key, int] = field(default_factory=dict)
    """Number of the call set by context and report"""
    facts: dict[_Key, tuple[str, StudyFacts]] = field(default_factory=dict)
    """Subject and test by context and report"""
    regions: dict[tuple[str, str], Mapping[str, Regions]] = field(default_factory=dict)
    """What the tests looked at and could not call, by subject and test"""

    @property
    def tests(self) -> int:
        """Return how many tests there are."""
        named = {(entry.subject.subject_id, entry.study.test_id) for entry in self.call_sets}
        named |= {(subject_id, facts.test_id) for subject_id, facts in self.facts.values()}
        return len(named | {(subject.subject_id, facts.test_id) for subject, facts in self.studies})

    def test_of(self, context: int, names: Sequence[str]) -> tuple[str, StudyFacts] | Refusal:
        """Return the subject and the test of an Observation, or why it has none."""
        key = (context, self.frame.report_of(names))
        return self.refused[key] if key in self.refused else self.facts[key]

    def found_nothing(self) -> list[tuple[str, StudyFacts, Mapping[str, Regions]]]:
        """Return the studies without calls and genotypes, with the ids of their subjects and their regions."""
        named = [(subject.subject_id, facts) for subject, facts in self.studies]
        return [(subject_id, facts, self.regions.get((subject_id, facts.test_id), {})) for subject_id, facts in named]

    def call_set_of(self, row: Row) -> int | None:
        """Return the number of the call set of a variant, None if it is refused."""
        return self.numbers.get((row.context, self.frame.report_of(row.names)))

    def refusal_of(self, row: Row) -> Refusal | None:
        """Return why a variant belongs to no call set."""
        return self.refused.get((row.context, self.frame.report_of(row.names)))


@dataclass(slots=True)
class _Group:
    """Variants of one test: the test, its subject, and the contexts in the order of the file."""

    subject_id: str
    test: Test
    entries: list[tuple[_Key, Context]] = field(default_factory=list)


class Planner:
    """Collects the contexts of variants, then plans the call sets."""

    def __init__(self, source: str, frame: Frame, contexts: Sequence[Context]) -> None:
        self._source = source
        self._frame = frame
        self._contexts = contexts
        self._keys: dict[_Key, None] = {}

    def see(self, context: int, names: Sequence[str]) -> None:
        """Take note of an Observation."""
        self._keys.setdefault((context, self._frame.report_of(names)))

    def plan(self) -> Plan:
        """Return the plan of everything that was seen, and of the studies that found nothing."""
        plan = Plan(self._frame)
        numbers: dict[tuple[object, ...], int] = {}
        taken: set[tuple[str, str]] = set()
        for group in self._groups(plan).values():
            self._add_group(plan, group, numbers, taken)
        self._add_empty(plan, numbers)
        known = {entry.subject.subject_id: entry.subject for entry in plan.call_sets}
        known |= {subject.subject_id: subject for subject, _ in plan.studies}
        known |= {subject_id: self._subject(subject_id) for subject_id, _ in plan.facts.values()}
        plan.subjects = list((known | self._frame.subjects).values())
        return plan

    def _groups(self, plan: Plan) -> dict[tuple[str, str], _Group]:
        groups: dict[tuple[str, str], _Group] = {}
        for key in self._keys:
            context = self._contexts[key[0]]
            subject_id = self._frame.subject_of(context.subject)
            if subject_id is None:
                plan.refused[key] = Refusal("no-subject", f"subject: {_shown(context.subject)}")
                continue
            test = self._frame.test_of(key[1], context.part_of, context.based_on, bundle=context.bundle)
            if test.subject is not None and self._frame.subject_of(test.subject) != subject_id:
                detail = f"the Observation and its study {test.test_id} name different subjects"
                plan.refused[key] = Refusal("contradiction", detail)
                continue
            note = test.call_set
            if note is not None and context.source_class not in (None, note.source_class):
                detail = f"the source class is another one than that of its call set {note.uid}"
                plan.refused[key] = Refusal("contradiction", detail)
                continue
            group = groups.setdefault((subject_id, test.test_id), _Group(subject_id, test))
            group.entries.append((key, context))
        return groups

    def _add_group(
        self, plan: Plan, group: _Group, numbers: dict[tuple[object, ...], int], taken: set[tuple[str, str]]
    ) -> None:
        parts: dict[tuple[str | None, str | None], list[tuple[_Key, Context]]] = {}
        for key, context in group.entries:
            test = self._frame.test_of(key[1], context.part_of, context.based_on, bundle=context.bundle)
            date = test.date or context.effective
            specimen = test.specimen_id or self._frame.specimen_of(context.specimen)
            parts.setdefault((date, specimen), []).append((key, context))
        for (date, specimen), entries in parts.items():
            test_id, number = group.test.test_id, 1
            while (group.subject_id, test_id) in taken:
                number += 1
                test_id = f"{group.test.test_id}-{number}"
            taken.add((group.subject_id, test_id))
            builds = {context.build for _, context in entries if context.build is not None}
            stated = group.test.study.build if group.test.study is not None else group.test.build
            build = stated or (max(builds) if builds else None)
            facts = _facts(group.test, test_id, build, date, specimen)
            plan.regions[group.subject_id, test_id] = group.test.regions
            for key, context in entries:
                plan.facts[key] = (group.subject_id, facts)
                if context.build is None:
                    continue
                test = self._frame.test_of(key[1], context.part_of, context.based_on, bundle=context.bundle)
                source_class = context.source_class or test.source_class or SourceClass.UNSPECIFIED
                call_set = self._call_set(group.subject_id, facts, test.call_set, source_class, context.build)
                plan.numbers[key] = _numbered(plan, numbers, call_set)

    def _add_empty(self, plan: Plan, numbers: dict[tuple[object, ...], int]) -> None:
        """Add the call sets and studies of the file that no variant belongs to."""
        for text, procedure in self._frame.procedures.items():
            subject_id = self._frame.subject_of(procedure.subject)
            is_study = procedure.study is not None or bool(procedure.analyses)
            if subject_id is None or (procedure.call_set is None and not is_study):
                continue
            test = self._frame.by_procedure(text)
            stated = test.study.build if test.study is not None else test.build
            build = stated or self._analysed(procedure.analyses)
            if build is None and test.study is None:
                continue
            facts = _facts(test, test.test_id, build, test.date, test.specimen_id)
            plan.regions[subject_id, test.test_id] = test.regions
            note = procedure.call_set
            native = test.build or build
            if note is not None and native is not None and all(entry.uid != note.uid for entry in plan.call_sets):
                call_set = self._call_set(subject_id, facts, note, note.source_class, native)
                _numbered(plan, numbers, call_set)
            known = [(entry.subject.subject_id, entry.study.test_id) for entry in plan.call_sets]
            known += [(subject.subject_id, study.test_id) for subject, study in plan.studies]
            known += [(named, study.test_id) for named, study in plan.facts.values()]
            if (subject_id, test.test_id) not in known and note is None:
                plan.studies.append((self._subject(subject_id), facts))

    def _analysed(self, analyses: Sequence[Reference]) -> Build | None:
        """Return the build that the analyses of a study have in common."""
        builds = {
            self._frame.by_procedure(reference.text).build for reference in analyses if reference.text is not None
        } - {None}
        return builds.pop() if len(builds) == 1 else None

    def _call_set(
        self,
        subject_id: str,
        facts: StudyFacts,
        note: CallSetNote | None,
        source_class: SourceClass,
        build: Build,
    ) -> PlannedCallSet:
        native = None if build is facts.build else build
        subject = self._subject(subject_id)
        if note is None:
            phased = False
            return PlannedCallSet(subject, facts, source_class, "", phased, self._source, native=native)
        return PlannedCallSet(
            subject,
            facts,
            note.source_class,
            note.sample,
            note.phased_contigs,
            note.source or self._source,
            uid=note.uid,
            native=native,
        )

    def _subject(self, subject_id: str) -> Subject:
        return self._frame.subjects.get(subject_id) or Subject(subject_id)


def _facts(test: Test, test_id: str, build: Build | None, date: str | None, specimen: str | None) -> StudyFacts:
    note = test.study
    if note is None:
        return StudyFacts(test_id, build, date, specimen)
    return StudyFacts(test_id, build, date, note.specimen_id or specimen, note.study_type, note.change_types)


def _numbered(plan: Plan, numbers: dict[tuple[object, ...], int], call_set: PlannedCallSet) -> int:
    """Return the number of a call set of the plan, which is added unless it is there."""
    key = (call_set.subject.subject_id, call_set.study.test_id, call_set.source_class, call_set.build, call_set.uid)
    if key not in numbers:
        numbers[key] = len(plan.call_sets)
        plan.call_sets.append(call_set)
    return numbers[key]


def _shown(reference: Reference | None) -> str:
    if reference is None:
        return "there is none"
    return reference.text or "/".join(reference.identifier or ())
