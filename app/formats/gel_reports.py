"""What clinical reports and exit questionnaires of every model say that variants mean."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from app.errors import quoted
from app.formats.gel import (
    TIERING,
    Classification,
    InterpretedGenome,
    ReportEvent,
    Scope,
    SmallVariant,
    StructuralVariant,
    Term,
)
from app.formats.gel_calls import Setting
from app.formats.gel_events import read_significance, term_of
from app.formats.gel_genome import check_belongs
from app.formats.gel_parts import (
    NO_OBJECT,
    NO_STRING,
    REQUIRED,
    Record,
    Unreadable,
    as_whole,
    join,
    need_items,
    need_record,
    no_choice,
    spelled,
)
from app.formats.gel_small import read_all, read_details, read_place
from app.formats.gel_structural import REPEAT, read_all_structural, read_rearrangements, read_region, read_repeats
from app.formats.gel_words import STRUCTURAL_KINDS

CONFLICTING = "conflicting"
DISAGREEMENT = "Report events of this variant say different things; none of them is used."
_QUESTIONS = ("variantLevelQuestions", "structuralVariantLevelQuestions", "shortTandemRepeatLevelQuestions")
_REPORT_NAMES = ("reportingDate", "genomicInterpretation", "variants", "candidateVariants", "structuralVariants")
_GENOME, _GUIDELINE, _REPORT, _QUESTIONNAIRE = 1, 2, 3, 4


@dataclass(frozen=True, slots=True)
class _Source:
    """The document that classifications are read from."""

    name: str
    version: int
    date: str


def genome_classifications(genomes: Iterable[InterpretedGenome], setting: Setting) -> Iterator[Classification]:
    """Yield what current interpreted genomes say, that of tiering last."""
    for one in sorted(genomes, key=lambda one: (one.service == TIERING, one.service)):
        source = _Source(f"interpreted genome of {one.service}", 0, one.created_at[:10])
        yield from _of_small(one.variants, source, _GENOME, setting)
        yield from _of_structural(one.structural, source, _GENOME, setting)
        repeats = (StructuralVariant(each.path, REPEAT, each.region, each.calls, each.events) for each in one.repeats)
        yield from _of_structural(repeats, source, _GENOME, setting)


def _of_small(
    variants: Iterable[SmallVariant], source: _Source, rank: int, setting: Setting
) -> Iterator[Classification]:
    for one in variants:
        for said in _said(one.events, one.path, rank, setting):
            yield _classification(one.path, source, said, small=one)


def _of_structural(
    variants: Iterable[StructuralVariant], source: _Source, rank: int, setting: Setting
) -> Iterator[Classification]:
    for one in variants:
        for said in _said(one.events, one.path, rank, setting):
            yield _classification(one.path, source, said, structural=one)


@dataclass(frozen=True, slots=True)
class _Said:
    rank: int
    significance: str
    phenotypes: tuple[Term, ...]
    acmg_codes: tuple[str, ...]


def _classification(
    path: str,
    source: _Source,
    said: _Said,
    *,
    small: SmallVariant | None = None,
    structural: StructuralVariant | None = None,
) -> Classification:
    return Classification(
        path=path,
        rank=said.rank,
        version=source.version,
        source=source.name,
        significance=said.significance,
        small=small,
        structural=structural,
        phenotypes=said.phenotypes,
        acmg_codes=said.acmg_codes,
        date=source.date,
    )


def _said(events: tuple[ReportEvent, ...], path: str, rank: int, setting: Setting) -> list[_Said]:
    """Return what the events of one variant say together, the lower rank first.

    A genome that says nothing gives nothing; a report that says nothing still reports the variant.
    """
    stated = [one for one in events if one.significance]
    guided = [one for one in events if one.acmg_significance]
    if not stated and not guided and rank == _GENOME:
        return []
    codes = tuple(dict.fromkeys(code for one in events for code in one.acmg_codes))
    own = _agreed({one.significance for one in stated}, path, setting)
    guideline = _agreed({one.acmg_significance for one in guided}, path, setting)
    found = []
    if stated or rank == _REPORT:
        found.append(_Said(rank, own, _phenotypes_of(stated or events), codes))
    if guided:
        found.append(_Said(_GUIDELINE, guideline, _phenotypes_of(guided), codes))
    return sorted(found, key=lambda one: one.rank)


def _agreed(words: set[str], path: str, setting: Setting) -> str:
    if len(words) > 1:
        setting.notes.warn(join(path, "reportEvents"), DISAGREEMENT)
        return CONFLICTING
    return next(iter(words), "")


def _phenotypes_of(events: Iterable[ReportEvent]) -> tuple[Term, ...]:
    return tuple(dict.fromkeys(term for one in events for term in one.phenotypes))


def report_classifications(found: list[Any], setting: Setting, ir_id: int) -> Iterator[Classification]:
    """Yield what the current clinical report says, that with the highest version, and then its questionnaire."""
    reports = list(_reports(found, setting))
    if not reports:
        return
    version, wrapper, path = max(reports, key=lambda one: one[0])
    yield from _report(wrapper, path, version, setting, ir_id)
    answers = wrapper.get("exit_questionnaire")
    if answers is not None:
        yield from _questionnaire(answers, join(path, "exit_questionnaire"), version, setting)


def _reports(found: list[Any], setting: Setting) -> Iterator[tuple[int, Record, str]]:
    """Yield version, wrapper and path of the reports that may be current."""
    for at, one in enumerate(found):
        path = f"clinical_report[{at}]"
        if not isinstance(one, dict):
            setting.notes.refuse(Unreadable(path, NO_OBJECT), Scope.DOCUMENT)
        elif one.get("valid") is False:
            setting.notes.warn(f"{path}.valid", "The report is not valid, and its classifications do not count.")
        else:
            version = as_whole(one.get("clinical_report_version"))
            yield at + 1 if version is None else version, one, path


def _report(wrapper: Record, path: str, version: int, setting: Setting, ir_id: int) -> Iterator[Classification]:
    notes = setting.notes
    try:
        data = wrapper if "clinical_report_data" not in wrapper else need_record(wrapper, "clinical_report_data", path)
        if not any(name in data for name in _REPORT_NAMES):
            keys = quoted(", ".join(sorted(str(one) for one in data)))
            raise Unreadable(path, f"Unrecognised clinical report: keys [{keys}]")
        check_belongs(data, path, ir_id, notes)
        small = spelled(data, "variants", "candidateVariants")
        large = spelled(data, "structuralVariants", "candidateStructuralVariants")
        names = (small, large, "chromosomalRearrangements", "shortTandemRepeats")
        lists = {name: need_items(data, name, path) for name in names}
    except Unreadable as problem:
        notes.refuse(problem, Scope.DOCUMENT)
        return
    source = _Source(f"clinical report {version}", version, notes.text(data, "reportingDate", path))
    is_old = _is_before_6(data, lists[small])
    yield from _of_small(read_all(lists[small], join(path, small), setting, is_old=is_old), source, _REPORT, setting)
    structural = [
        *read_all_structural(lists[large], join(path, large), setting),
        *read_rearrangements(lists[names[2]], join(path, names[2]), setting),
        *(
            StructuralVariant(one.path, REPEAT, one.region, one.calls, one.events)
            for one in read_repeats(lists[names[3]], join(path, names[3]), setting)
        ),
    ]
    yield from _of_structural(structural, source, _REPORT, setting)


def _is_before_6(data: Record, variants: list[Any]) -> bool:
    """Return whether a clinical report is older than model 6, where a domain of cancer is called tier."""
    if "candidateVariants" in data:
        return True
    return any(isinstance(one, dict) and ("dbSnpId" in one or "alleleOrigins" in one) for one in variants)


def _questionnaire(answers: Any, path: str, version: int, setting: Setting) -> Iterator[Classification]:
    notes = setting.notes
    if not isinstance(answers, dict):
        notes.refuse(Unreadable(path, NO_OBJECT), Scope.DOCUMENT)
        return
    try:
        wrapped = "exit_questionnaire_data" in answers
        data = need_record(answers, "exit_questionnaire_data", path) if wrapped else answers
        if data.get("variantGroupLevelQuestions") is None and "caseLevelQuestions" not in data:
            raise Unreadable(join(path, "variantGroupLevelQuestions"), REQUIRED)
        groups = need_items(data, "variantGroupLevelQuestions", path)
    except Unreadable as problem:
        notes.refuse(problem, Scope.DOCUMENT)
        return
    source = _Source(f"exit questionnaire of report {version}", version, notes.text(data, "eventDate", path))
    for at, group in enumerate(groups):
        place = f"{join(path, 'variantGroupLevelQuestions')}[{at}]"
        if not isinstance(group, dict):
            notes.refuse(Unreadable(place, NO_OBJECT), Scope.VARIANT)
            continue
        phenotypes = tuple(term_of(one) for one in notes.texts(group, "phenotypesExplained", place) if one)
        for name in _QUESTIONS:
            for one, where in notes.records(group, name, place):
                try:
                    yield from _answer(one, where, source, phenotypes, setting, questions=name)
                except Unreadable as problem:
                    notes.refuse(problem, Scope.VARIANT)


def _answer(
    record: Record, path: str, source: _Source, phenotypes: tuple[Term, ...], setting: Setting, *, questions: str
) -> Iterator[Classification]:
    significance = read_significance(record, "acmgClassification", path, setting.notes)
    is_small = questions == _QUESTIONS[0]
    small = _asked_small(record, path, setting) if is_small else None
    structural = None if is_small else _asked_structural(record, questions, path, setting)
    if significance:  # not assessed is no classification, and does not undo the report's
        said = _Said(_QUESTIONNAIRE, significance, phenotypes, ())
        yield _classification(path, source, said, small=small, structural=structural)


def _asked_small(record: Record, path: str, setting: Setting) -> SmallVariant:
    name = spelled(record, "variantDetails", "variant_details")
    details = record.get(name)
    if details is None or record.get("variantCoordinates") is not None:
        chromosome, position, reference, alternate, build, repaired = read_place(record, path, setting)
    elif isinstance(details, str):
        chromosome, position, reference, alternate, repaired = read_details(details, join(path, name))
        build = setting.build
    else:
        raise Unreadable(join(path, name), NO_STRING)
    return SmallVariant(path, chromosome, position, reference, alternate, build, (), (), is_repaired=repaired)


def _asked_structural(record: Record, questions: str, path: str, setting: Setting) -> StructuralVariant:
    region = read_region(record, "coordinates", path, setting)
    kind = record.get("variantType") if questions == _QUESTIONS[1] else REPEAT
    if kind != REPEAT and (not isinstance(kind, str) or kind not in STRUCTURAL_KINDS):
        raise Unreadable(join(path, "variantType"), REQUIRED if kind is None else no_choice(kind))
    return StructuralVariant(path, kind, region, (), ())
