"""Choosing the call sets and genotypes of a subject that a question is about (subject, test, date, specimen, class)."""

from __future__ import annotations

from typing import Protocol

from app.errors import SubjectNotFound
from app.fhir.dates import implicit_interval
from app.fhir.parameters import OperationInputs
from app.records import SourceClass
from app.store import calls, genotypes, subjects
from app.store.calls import CallSet
from app.store.genotypes import Genotype
from app.store.session import Session


def chosen_call_sets(session: Session, inputs: OperationInputs) -> list[CallSet]:
    """Return the call sets of the subject that pass every filter.

    Raises:
        SubjectNotFound: there is no such subject.
    """
    found = calls.call_sets_of(session, named_subject(session, inputs))
    return [
        call_set
        for call_set in found
        if (inputs.source_class is None or call_set.source_class is inputs.source_class) and _passes(call_set, inputs)
    ]


def chosen_genotypes(session: Session, inputs: OperationInputs) -> list[Genotype]:
    """Return the genotypes of the subject that pass every filter; one without a source class passes that of any.

    Raises:
        SubjectNotFound: there is no such subject.
    """
    subject_id = named_subject(session, inputs)
    found = genotypes.of_subject(session, subject_id)
    if not found and not subjects.find(session, [subject_id]):
        raise SubjectNotFound(subject_id)
    classes = classes_of_genotypes(inputs)
    return [genotype for genotype in found if genotype.source_class in classes and _passes(genotype, inputs)]


def classes_of_genotypes(inputs: OperationInputs) -> frozenset[SourceClass]:
    """Return the source classes of the genotypes that a question is about."""
    if inputs.source_class is None:
        return frozenset(SourceClass)
    return frozenset((inputs.source_class, SourceClass.UNSPECIFIED))


def named_subject(session: Session, inputs: OperationInputs) -> str:
    """Return the id of the subject that is asked about; raises SubjectNotFound for an identifier of nobody."""
    asked = inputs.subject or ""
    return asked if "|" not in asked else _by_identifier(session, asked)


def _by_identifier(session: Session, asked: str) -> str:
    system, _, value = asked.partition("|")
    found = subjects.with_identifier(session, system, value)
    if len(found) != 1:  # an identifier of several subjects names nobody
        raise SubjectNotFound(asked)
    return found[0]


class _Tested(Protocol):
    """What the filters look at."""

    @property
    def test_id(self) -> str: ...
    @property
    def test_date(self) -> str | None: ...
    @property
    def specimen_id(self) -> str | None: ...


def _passes(tested: _Tested, inputs: OperationInputs) -> bool:
    if inputs.test_identifiers and tested.test_id not in inputs.test_identifiers:
        return False
    if inputs.specimen_identifiers and tested.specimen_id not in inputs.specimen_identifiers:
        return False
    if not inputs.test_dates:
        return True
    if tested.test_date is None:  # an unknown date meets no condition
        return False
    start, end = implicit_interval(tested.test_date)
    return all(bound.matches(start, end) for bound in inputs.test_dates)
