"""Resources that operations returned, or refer to, read again by their ids.

An Observation is made by the same code from the same calls as in the operation, so it is the same bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from re import Match

import orjson

from app.errors import MissingParameter, TooCostly
from app.fhir.genomic_study import Study, render_study
from app.fhir.observation import observation_named
from app.fhir.parameters import MAX_IDENTIFIERS, split_list
from app.fhir.patient import render_patient
from app.operations.context import OperationContext
from app.operations.interface import Pairs
from app.operations.matching import calls_at
from app.operations.rendering import resources
from app.records import Build
from app.store import calls, subjects
from app.store.session import Session
from app.store.studies import Regions
from app.store.study_records import study_named
from app.store.subjects import Subject
from app.variants.accessions import accession
from app.variants.interval import Interval


def read_variant(context: OperationContext, match: Match[str]) -> bytes | None:
    """Return the variant with an id."""
    call_set, contig, start = match.groups()
    return _observation(context, match[0], call_set, int(contig), (int(start),))


def read_phase(context: OperationContext, match: Match[str]) -> bytes | None:
    """Return the phase relation with an id."""
    call_set, contig, start, other_start = match.groups()
    return _observation(context, match[0], call_set, int(contig), (int(start), int(other_start)))


def _observation(
    context: OperationContext, id_: str, call_set_uid: str, contig: int, starts: Sequence[int]
) -> bytes | None:
    with context.database.read() as session:
        call_set = calls.call_set_named(session, call_set_uid)
        if call_set is None:
            return None
        segments, lookups = calls_at(session, call_set, contig, starts)
    # All calls at the places: those that repeat an allele are told apart by their number.
    most = context.settings.max_phase_pairs
    parts = resources(segments, lookups, context.naming, phasing=len(starts) > 1, most_pairs=most)
    return observation_named(parts, id_)


def read_study(context: OperationContext, match: Match[str]) -> bytes | None:
    """Return the test with an id as a Procedure."""
    with context.database.read() as session:
        record = study_named(session, match[1])
    if record is None:
        return None
    facts = record.facts
    study = Study(
        id=match[0],
        subject_id=record.subject_id,
        test_id=facts.test_id,
        build=facts.build,
        test_date=facts.test_date,
        specimen_id=facts.specimen_id,
        study_type=facts.study_type,
        change_types=tuple(filter(None, map(str.strip, (facts.change_types or "").split(";")))),
        source_classes=record.source_classes,
        regions={kind: _intervals(facts.build_of_calls, regions) for kind, regions in record.regions.items()},
    )
    return orjson.dumps(render_study(study))


def _intervals(build: Build, regions: Regions) -> list[Interval]:
    return [
        Interval(accession(build, contig), start, end)
        for contig, (starts, ends) in regions.items()
        for start, end in zip(starts.tolist(), ends.tolist(), strict=True)
    ]


def read_patient(context: OperationContext, match: Match[str]) -> bytes | None:
    """Return the Patient with an id."""
    with context.database.read() as session:
        found = subjects.find(session, [match[0]])
    return _patient(found[match[0]]) if found else None


def find_patients(context: OperationContext, pairs: Pairs) -> list[tuple[str, bytes]]:
    """Return the Patients that meet every criterion, by id.

    Raises:
        MissingParameter: there is no criterion; everybody is not an answer.
        TooCostly: a criterion has more values than one request may name.
    """
    criteria = [(name, split_list(text)) for name, text in pairs]
    asked = [(name, values) for name, values in criteria if values]
    if not asked:
        raise MissingParameter("identifier", "Give 'identifier' or '_id': Patients are found, not listed")
    if sum(len(values) for _, values in asked) > MAX_IDENTIFIERS:
        raise TooCostly(f"More than {MAX_IDENTIFIERS} values in one search", parameter=asked[0][0])
    with context.database.read() as session:
        met = [
            set(values) if name == "_id" else {id_ for value in values for id_ in _identified(session, value)}
            for name, values in asked
        ]
        found = subjects.find(session, sorted(set.intersection(*met)))
    return [(subject_id, _patient(subject)) for subject_id, subject in found.items()]


def _identified(session: Session, token: str) -> list[str]:
    """Return who has an identifier: ``value`` of any system, ``|value`` of none, ``system|value``."""
    system, bar, value = token.partition("|")
    return subjects.identified(session, value, system) if bar else subjects.identified(session, token, None)


def _patient(subject: Subject) -> bytes:
    return orjson.dumps(render_patient(subject.subject_id, subject.sex, subject.birth_date, subject.identifiers))
