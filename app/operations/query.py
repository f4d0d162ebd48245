"""Choosing the call sets of a subject that a question is about (identifier, test, date, specimen, source class)."""

from __future__ import annotations

from app.errors import SubjectNotFound
from app.fhir.dates import implicit_interval
from app.fhir.parameters import OperationInputs
from app.store import calls, subjects
from app.store.calls import CallSet
from app.store.session import Session


def chosen_call_sets(session: Session, inputs: OperationInputs) -> list[CallSet]:
    """Return the call sets of the subject that pass every filter.

    Raises:
        SubjectNotFound: there is no such subject.
    """
    asked = inputs.subject or ""
    subject_id = asked if "|" not in asked else _by_identifier(session, asked)
    found = calls.call_sets_of(session, subject_id)
    return [call_set for call_set in found if _passes(call_set, inputs)]


def _by_identifier(session: Session, asked: str) -> str:
    system, _, value = asked.partition("|")
    found = subjects.with_identifier(session, system, value)
    if len(found) != 1:  # an identifier of several subjects names nobody
        raise SubjectNotFound(asked)
    return found[0]


def _passes(call_set: CallSet, inputs: OperationInputs) -> bool:
    if inputs.source_class is not None and call_set.source_class is not inputs.source_class:
        return False
    if inputs.test_identifiers and call_set.test_id not in inputs.test_identifiers:
        return False
    if inputs.specimen_identifiers and call_set.specimen_id not in inputs.specimen_identifiers:
        return False
    if not inputs.test_dates:
        return True
    if call_set.test_date is None:  # an unknown date meets no condition
        return False
    start, end = implicit_interval(call_set.test_date)
    return all(bound.matches(start, end) for bound in inputs.test_dates)
