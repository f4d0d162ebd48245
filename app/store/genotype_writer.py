"""Writing genotype statements with the subjects and studies that they belong to, in the caller's transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.errors import InvalidInput
from app.records import SourceClass
from app.store import counters, genotype_index, genotypes, studies, subjects
from app.store.genotype_index import Additions
from app.store.genotypes import Addition, GenotypeName
from app.store.session import Session
from app.store.studies import StudyFacts
from app.store.subjects import Subject
from app.variants.hla_reduction import HlaReductions


@dataclass(frozen=True, slots=True)
class Statement:
    """A test says that its subject has a genotype."""

    subject_id: str
    study: StudyFacts
    source_class: SourceClass
    name: GenotypeName


@dataclass(slots=True)
class Written:
    """What was written so far."""

    added: int = 0
    known: int = 0
    """Statements that were stored before, or given twice"""
    withdrawn: int = 0
    subjects_new: int = 0
    studies_new: int = 0


class GenotypeWriter:
    """Writes statements of one run; ``replace`` withdraws first what earlier runs stored for each test.

    With ``reductions`` HLA alleles are also found by what they are reduced to.

    Everything is done in the session's transaction: an error that the caller raises leaves nothing behind.
    """

    def __init__(
        self, session: Session, run_id: int, *, replace: bool = False, reductions: HlaReductions | None = None
    ) -> None:
        self._session = session
        self._run_id = run_id
        self._replace = replace
        self._reductions = reductions
        self._called_run = genotypes.called_run(session)
        self._studies: dict[tuple[str, str], tuple[StudyFacts, int, int]] = {}
        self.written = Written()

    def write(self, statements: Sequence[Statement]) -> list[InvalidInput | None]:
        """Write a batch of statements; return for each of them what is wrong with it, or None.

        Statements with a problem are not written; whether the others stay is the caller's choice.
        """
        ordinals = self._ordinals([statement.subject_id for statement in statements])
        additions = Additions()
        problems = [self._write(statement, ordinals[statement.subject_id], additions) for statement in statements]
        genotype_index.add(self._session, additions)
        return problems

    def finish(self) -> Written:
        """Make readers see that data changed, and return what was written."""
        counters.add(self._session, counters.DATA_VERSION, 1)
        return self.written

    def _ordinals(self, subject_ids: Sequence[str]) -> dict[str, int]:
        wanted = list(dict.fromkeys(subject_ids))
        known = subjects.find(self._session, wanted)
        ordinals = {subject_id: subject.ordinal for subject_id, subject in known.items()}
        fresh = [subject_id for subject_id in wanted if subject_id not in known]
        if fresh:
            allocated = subjects.allocate(self._session, fresh)
            subjects.insert(self._session, [Subject(subject_id, ordinal=allocated[subject_id]) for subject_id in fresh])
            self.written.subjects_new += len(fresh)
            ordinals |= {subject_id: allocated[subject_id] for subject_id in fresh}
        return ordinals

    def _write(self, statement: Statement, ordinal: int, additions: Additions) -> InvalidInput | None:
        try:
            study_id = self._study(statement, ordinal)
            name, source_class = statement.name, statement.source_class
            uid = genotypes.uid_of(statement.subject_id, statement.study.test_id, source_class, name)
            if self._called_run is not None and self._called_run != self._run_id:
                genotypes.withdraw_called(self._session, self._called_run, study_id, name)
            addition = Addition(uid, ordinal, study_id, source_class, name)
            new = genotypes.add(self._session, self._run_id, addition, additions, self._reductions)
        except InvalidInput as problem:
            return problem
        self.written.added += new
        self.written.known += not new
        return None

    def _study(self, statement: Statement, ordinal: int) -> int:
        facts = statement.study
        key = (statement.subject_id, facts.test_id)
        known, ordinal, study_id = self._studies.get(key, (None, ordinal, -1))
        if known == facts:
            return study_id
        if known is None:
            self.written.studies_new += studies.check(self._session, ordinal, facts) is None
        study_id = studies.ensure(self._session, ordinal, facts)
        if known is None and self._replace:
            kept = [run for run in (self._run_id, self._called_run) if run is not None]
            self.written.withdrawn += genotypes.withdraw(self._session, [study_id], keep_runs=kept)
        self._studies[key] = (facts, ordinal, study_id)
        return study_id


def write_all(
    session: Session,
    run_id: int,
    statements: Sequence[Statement],
    *,
    replace: bool = False,
    reductions: HlaReductions | None = None,
) -> Written:
    """Write the statements of a run in the caller's transaction.

    Raises:
        InvalidInput: one of them contradicts what the store says; the transaction has to be given up.
    """
    writer = GenotypeWriter(session, run_id, replace=replace, reductions=reductions)
    problem = next((found for found in writer.write(statements) if found is not None), None)
    if problem is not None:
        raise problem
    return writer.written
