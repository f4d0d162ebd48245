"""Calling pharmacogenes of stored tests: those that wait, because they are new or were called by something else.

Batches are transactions of their own: what was interrupted goes on where it stopped.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from itertools import groupby

import orjson

from app import __version__
from app.errors import SubjectNotFound
from app.formats.pgx import Gene
from app.operations.context import Genome
from app.operations.pgx import definitions_name
from app.operations.pgx_active import active_content
from app.operations.pgx_places import Places
from app.operations.pgx_sample import INHERITED, Test, read_samples
from app.pgx.calls import CallStatus, GeneCall, Sample
from app.pgx.matcher import call_gene
from app.records import Build, SourceClass
from app.store import calls, pgx_calls, pgx_marks, subjects
from app.store.pgx_calls import Called
from app.store.pgx_marks import TestRow
from app.store.session import Database, Session
from app.variants.accessions import CONTIGS, accession
from app.variants.reference import NoReference
from ingest.progress import Progress
from ingest.workspace import Workspace

_BATCH = 100
"""Tests of one transaction"""


@dataclass(frozen=True, slots=True)
class Definitions:
    """The genes that the releases in use define, and where their positions lie."""

    release: str
    """What the store remembers of a test: another name makes it wait again"""
    genes: Mapping[str, Gene]
    releases: Mapping[str, str]
    """Gene → release that its calls name"""
    places: Places
    basis: str
    """Definitions, program and sequences that calls rest on"""


@dataclass(slots=True)
class PgxReport:
    """What was called."""

    tests: int = 0
    found: Counter[CallStatus] = field(default_factory=Counter)
    seconds: float = 0.0

    def line(self) -> str:
        """Return the report for people."""
        called, ambiguous, without = (
            self.found[status] for status in (CallStatus.CALLED, CallStatus.AMBIGUOUS, CallStatus.NO_CALL)
        )
        return (
            f"{self.tests:,} tests: {called:,} genes called, {ambiguous:,} ambiguous, {without:,} without a call,"
            f" in {self.seconds:.1f} s"
        )


def definitions_in_use(workspace: Workspace) -> Definitions:
    """Return what the releases in use define; those of the program itself where no other is loaded."""
    with workspace.database.read() as session:
        found = active_content(session)
    genes = {gene.symbol: gene for gene in found.content.genes}
    name = definitions_name(found.gene_releases)
    return Definitions(
        name,
        genes,
        found.gene_releases,
        Places(found.content.genes, workspace.genome.placer),
        f"{name} {__version__} {_sequences(workspace.genome)}",
    )


def _sequences(genome: Genome) -> str:
    """Return a text that changes with the sequences that positions are placed by."""
    loaded = []
    for build in Build:
        reference = genome.references.get(build, NoReference())
        loaded.append([list(map(list, reference.stretches(accession(build, contig)))) for contig in CONTIGS])
    return blake2b(orjson.dumps(loaded), digest_size=8).hexdigest()


def call(
    workspace: Workspace,
    definitions: Definitions,
    progress: Progress,
    *,
    anew: bool = False,
    subject_id: str | None = None,
    leaving: Collection[int] = (),
    outdated: bool = False,
    most: int | None = None,
) -> PgxReport:
    """Call the tests that wait, or all of them ``anew``; of one subject only if one is named.

    Tests whose number is in ``leaving`` go on waiting, and where only the ``outdated`` are wanted those that were never
    called. No more than ``most`` are called.

    Raises:
        SubjectNotFound: there is no such subject.
        Busy: an ingest holds the store.
    """
    began = time.monotonic()
    report = PgxReport()
    database = workspace.database
    with database.sole_writer():
        with database.read() as session:
            todo = _todo(session, definitions.basis, anew=anew, outdated=outdated)
            if subject_id is not None:
                ordinal = _ordinal(session, subject_id)
                todo = [entry for entry in todo if entry[0] == ordinal]
        todo = [entry for entry in todo if entry[1] not in leaving][:most]
        with progress.file("pharmacogenes", len(todo)) as bar:
            for low in range(0, len(todo), _BATCH):
                batch = todo[low : low + _BATCH]
                _call_batch(database, definitions, batch, report)
                report.tests = low + len(batch)
                bar.at(report.tests)
    report.seconds = time.monotonic() - began
    return report


def _todo(session: Session, basis: str, *, anew: bool, outdated: bool) -> list[tuple[int, int]]:
    if anew:
        return pgx_marks.with_calls(session)
    return pgx_marks.outdated(session, basis) if outdated else pgx_marks.waiting(session, basis)


def call_again(workspace: Workspace, progress: Progress) -> PgxReport:
    """Call the tests that were called by other definitions than those in use."""
    return call(workspace, definitions_in_use(workspace), progress, outdated=True)


def waiting_before(workspace: Workspace, definitions: Definitions) -> frozenset[int]:
    """Return the numbers of the tests that wait before an ingest."""
    with workspace.database.read() as session:
        return frozenset(study_id for _, study_id in pgx_marks.waiting(session, definitions.basis))


def call_new(workspace: Workspace, definitions: Definitions, progress: Progress, before: Collection[int]) -> PgxReport:
    """Call the tests that an ingest brought, given what ``waiting_before`` returned."""
    return call(workspace, definitions, progress, leaving=before)


def _ordinal(session: Session, subject_id: str) -> int:
    known = subjects.find(session, [subject_id])
    if subject_id not in known:
        raise SubjectNotFound(subject_id)
    return known[subject_id].ordinal


def _call_batch(
    database: Database, definitions: Definitions, batch: Sequence[tuple[int, int]], report: PgxReport
) -> None:
    with database.write() as session:
        found = list(called_of(session, definitions, batch))
        pgx_calls.replace(session, found, definitions.genes, basis=definitions.basis, release=definitions.release)
    report.found.update(call.status for one in found for call in one.calls)


def called_of(session: Session, definitions: Definitions, batch: Sequence[tuple[int, int]]) -> Iterator[Called]:
    """Yield what is called of some tests (subject ordinal, study); nothing is stored."""
    wanted = {study_id for _, study_id in batch}
    ordinals = sorted({ordinal for ordinal, _ in batch})
    rows = [row for row in pgx_marks.tests_of(session, ordinals) if row.study.study_id in wanted]
    by_study = {
        study_id: [call_set for _, call_set in found]
        for study_id, found in groupby(
            sorted(calls.call_sets_of_ordinals(session, ordinals), key=lambda entry: entry[1].study_id),
            key=lambda entry: entry[1].study_id,
        )
    }
    tests = [_test(row, by_study.get(row.study.study_id, [])) for row in rows]
    for row, test, samples in zip(rows, tests, read_samples(session, definitions.places, tests), strict=True):
        classes = {call_set.source_class for call_set in test.call_sets}
        source_class = SourceClass.GERMLINE if SourceClass.GERMLINE in classes else SourceClass.UNSPECIFIED
        yield Called(row, source_class, _calls(definitions, samples))


def _test(row: TestRow, call_sets: Sequence[calls.CallSet]) -> Test:
    chosen = sorted(
        (call_set for call_set in call_sets if call_set.source_class in INHERITED), key=lambda one: one.call_set_id
    )
    return Test(row.study, row.sex, tuple(chosen), is_germline=bool(chosen) and len(chosen) == len(call_sets))


def _calls(definitions: Definitions, samples: Mapping[str, Sample]) -> list[GeneCall]:
    found = [
        call_gene(definitions.genes[symbol], sample, release=definitions.releases[symbol])
        for symbol, sample in samples.items()
    ]
    return [one for one in found if one.status is not CallStatus.NOT_TESTED]
