"""Making the calls in the store from the documents of cases, many cases in one run.

A case appears in the store as a whole: its calls, statements and tests become visible in the transaction that notes
what they rest on, and what the case had before goes in the same one. Cases whose document says that they are not to be
shown (superseded, blocked, refused) lose what they had. If a batch of cases cannot be stored, each of them is tried
alone, so that one costs nobody else.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import blake2b, sha256
from itertools import islice
from typing import Final

import orjson

from app.api.logs import describe, log
from app.errors import Busy, InvalidInput, OperonError, Unavailable
from app.formats.gel import Problem, Scope
from app.formats.gel_case import read_case
from app.formats.vcf_tally import Tally
from app.operations.cip_additional import without_withheld
from app.records import Build
from app.store import cip_cases, cip_consents, counters, ledger, runs, studies, subjects, withheld
from app.store.cip_cases import State, StoredCase
from app.store.cip_consents import Colour
from app.store.runs import Finished, PlannedCallSet, Run
from app.store.session import Session
from app.store.subjects import Subject
from ingest.cip_annotations import TOOL
from ingest.cip_batch import Batch
from ingest.cip_implications import statements_of
from ingest.cip_mapping import REPORT_SERVICE, SOURCE, Draft, Mapper
from ingest.cip_report import CaseOutcome, CipReport
from ingest.collector import uncollected
from ingest.consequence_rules import ConsequenceRules
from ingest.progress import Progress
from ingest.vcf import BlockStorer, Counts
from ingest.workspace import Workspace

PROJECTION: Final = "1"
"""Changes when cases are to be made anew because they are understood in another way"""
BATCH: Final = 200
"""Cases of one run"""
_BLOCKED: Final = "blocked"


def project(workspace: Workspace, progress: Progress, *, most: int = 0) -> CipReport:
    """Make the calls of the cases that wait, of ``most`` cases if that is given; return what became of them.

    Raises:
        Busy: another ingest has the store.
    """
    began = time.monotonic()
    report = CipReport()
    with workspace.database.sole_writer():
        _discard_interrupted(workspace)
        let_outdated_wait(workspace)
        with workspace.database.read() as session:
            waiting = cip_cases.waiting(session, limit=most)
        projection = _Projection(workspace)
        with progress.file("cases", len(waiting)) as bar:
            walk = iter(waiting)
            while some := list(islice(walk, BATCH)):
                with uncollected():
                    report.add(projection.store(some))
                bar.at(len(report.outcomes))
    report.seconds = time.monotonic() - began
    return report


def let_outdated_wait(workspace: Workspace) -> None:
    """Let the cases wait whose calls an earlier program made, or one that took notice of consent in another way."""
    with workspace.database.write() as session:
        cip_cases.let_all_wait_but(session, _rests_on(workspace))


def _rests_on(workspace: Workspace) -> str:
    return f"{PROJECTION} {workspace.settings.cip_consent}"


def has_waiting(session: Session) -> bool:
    """Return whether any case waits."""
    return bool(cip_cases.waiting(session, limit=1))


def _discard_interrupted(workspace: Workspace) -> None:
    """Remove what interrupted projections stored: nobody sees it, and their cases wait still."""
    for run in reversed(runs.unfinished(workspace.database)):
        if run.source.name == SOURCE:
            runs.discard(workspace.database, run)


@dataclass(frozen=True, slots=True)
class _Fate:
    """What is to become of a case; one that is stored has a draft."""

    stored: StoredCase
    state: State
    problems: list[Problem]
    draft: Draft | None = None


class _Projection:
    """Stores batches of cases."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._database = workspace.database
        self._mode = workspace.settings.cip_consent
        self._mapper = Mapper(workspace.genome.placer, workspace.settings.cip_participant_system)
        self._rules = ConsequenceRules(workspace.genome)

    def store(self, cases: Sequence[StoredCase]) -> list[CaseOutcome]:
        """Store some cases together, or each alone if that fails."""
        try:
            return self._together(cases)
        except (Busy, Unavailable):
            raise
        except Exception as error:
            if len(cases) > 1:
                return [outcome for case in cases for outcome in self.store([case])]
            log(logging.ERROR, "cip-api case failed", failure=describe(error))
            return [self._failed(cases[0], error)]

    def _together(self, cases: Sequence[StoredCase]) -> list[CaseOutcome]:
        fates = self._fates(cases)
        self._meet_known(fates)
        shown = [fate for fate in fates if fate.draft is not None]
        self._withdraw([fate for fate in fates if fate.draft is None])
        outcomes = {fate.stored.row: _outcome(fate) for fate in fates if fate.draft is None}
        by_build: dict[Build, list[_Fate]] = {}
        for fate in shown:
            if fate.draft is not None:
                by_build.setdefault(fate.draft.build, []).append(fate)
        ready: list[Finished] = []
        try:
            for build, some in sorted(by_build.items()):
                ready.append(self._run(build, some, outcomes))
            if ready:
                runs.finish(self._database, ready)
        except Exception:
            self._discard(ready)
            raise
        return [outcomes[case.row] for case in cases]

    def _discard(self, ready: Sequence[Finished]) -> None:
        for finished in reversed(ready):
            runs.discard(self._database, finished.run)

    # --- what is to become of them ------------------------------------------------------------------------------------

    def _fates(self, cases: Sequence[StoredCase]) -> list[_Fate]:
        rows = [case.row for case in cases]
        with self._database.read() as session:
            newest = cip_cases.newest_versions(session, {case.ir_id for case in cases})
            details = cip_cases.details_of(session, rows)
            colours = cip_consents.colours(session, rows)
        fates = []
        for case in cases:
            if newest.get(case.ir_id, case.version) > case.version:
                fates.append(_Fate(case, State.SUPERSEDED, []))
            else:
                fates.append(self._fate(case, details.get(case.row), colours[case.row]))
        return fates

    def _fate(self, stored: StoredCase, raw: bytes | None, colour: Colour) -> _Fate:
        if raw is None:
            return _Fate(stored, State.LISTED, [])
        case, problems = read_case(orjson.loads(raw))
        if case is None:
            return _Fate(stored, State.QUARANTINED, problems)
        if case.last_status == _BLOCKED:
            return _Fate(stored, State.BLOCKED, problems)
        if colour is Colour.RED and self._mode == "enforce":
            problems.append(Problem("consent", "The test was refused: nothing of the case is shown.", Scope.WARNING))
            return _Fate(stored, State.REFUSED, problems)
        if colour is not Colour.GREEN and self._mode != "off":
            is_missing = colour is Colour.AMBER
            detail = "is missing of somebody" if is_missing else "is refused, and it is shown all the same (warn)"
            problems.append(Problem("consent", f"Consent to the test {detail}.", Scope.WARNING))
        case, left_out = without_withheld(case, self._unwanted)
        draft = self._mapper.draft(stored, case, [*problems, *left_out])
        if draft is None:
            detail = "The case names no assembly, and its genomes do not agree on one."
            return _Fate(stored, State.QUARANTINED, [*problems, Problem("assembly", detail, Scope.DOCUMENT)])
        return _Fate(stored, State.STORED, draft.problems, draft)

    def _unwanted(self) -> frozenset[str]:
        """Return the subjects of whom nothing pharmacogenomic is told."""
        if self._mode != "enforce":
            return frozenset()
        with self._database.read() as session:
            return withheld.read(session).of_pharmacogenomics

    def _meet_known(self, fates: list[_Fate]) -> None:
        """Quarantine the cases that contradict what is known of a subject; complete the others' subjects."""
        wanted = {one.subject_id for fate in fates if fate.draft for one in fate.draft.subjects.values()}
        with self._database.read() as session:
            known = subjects.find(session, sorted(wanted))
        for at, fate in enumerate(fates):
            draft = fate.draft
            if draft is None:
                continue
            try:
                merged = {
                    participant: subjects.merge(known[one.subject_id], one) if one.subject_id in known else one
                    for participant, one in draft.subjects.items()
                }
            except InvalidInput as error:
                detail = f"{error.diagnostics}. Correct the case, or the subject."
                problems = [*draft.problems, Problem("members", detail, Scope.DOCUMENT)]
                fates[at] = replace(fate, state=State.QUARANTINED, problems=problems, draft=None)
                continue
            known |= {one.subject_id: one for one in merged.values()}

    def _withdraw(self, fates: Sequence[_Fate]) -> None:
        """Take cases that are not shown out of the store, and note why."""
        if not fates:
            return
        with self._database.write() as session:
            gone: set[int] = set()
            removed = _tests_of(session, [fate.stored for fate in fates])
            if removed:
                gone = studies.remove(session, removed)
                studies.drop_uncarried(session, gone)
                counters.add(session, counters.DATA_VERSION, 1)
            for fate in fates:
                _reflect(session, fate.stored, _outcome(fate), [], _rests_on(self._workspace))

    def _failed(self, stored: StoredCase, error: Exception) -> CaseOutcome:
        """Note a case that could not be stored; what it had before goes, as it is no longer what it says."""
        said = error.diagnostics if isinstance(error, OperonError) else f"unexpected {type(error).__name__}"
        fate = _Fate(stored, State.QUARANTINED, [Problem("", f"It cannot be stored: {said}", Scope.DOCUMENT)])
        self._withdraw([fate])
        return _outcome(fate)

    # --- storing ------------------------------------------------------------------------------------------------------

    def _run(self, build: Build, fates: Sequence[_Fate], outcomes: dict[int, CaseOutcome]) -> Finished:
        """Store the blocks of cases of one build, and return the run that is ready to be shown."""
        drafts = [fate.draft for fate in fates if fate.draft is not None]
        batch = Batch(drafts, build, self._workspace.genome.placer)
        plan = [replace(entry, uid=_uid(entry)) for entry in batch.plan]
        before = {test for fate in fates for test in fate.stored.tests}
        run = runs.begin(self._database, _source(fates), plan, again=True, removed=before)
        try:
            counts = self._store_blocks(batch, run)
            stated = [statements_of(batch, at, [entry.uid for entry in run.plan]) for at in range(len(drafts))]
            outcomes |= {
                draft.stored.row: _stored(draft, int(batch.kept_calls[at]), len(stated[at]))
                for at, draft in enumerate(drafts)
            }
            with self._database.read() as session:
                removed = _tests_of(session, [fate.stored for fate in fates])
        except BaseException:
            runs.discard(self._database, run)
            raise
        shown = _Shown(run, drafts, outcomes, _rests_on(self._workspace))
        return Finished(
            run,
            counts.by_call_set(),
            shown.report(),
            [{}] * len(run.plan),
            records_tell=False,
            subjects=_people(drafts),
            studies=[(subject_id, facts, {}) for subject_id, facts in shown.tests()],
            stated=[one for some in stated for one in some],
            removed=removed,
            then=shown.note,
        )

    def _store_blocks(self, batch: Batch, run: Run) -> Counts:
        counts = Counts.start(len(run.plan))
        storer = BlockStorer(
            self._workspace.genome.placer, batch.build, run.plan, self._workspace.settings, SOURCE, counts, Tally(),
            names_sequences=True, tools={TOOL: "report events"},
        )  # fmt: skip
        with self._database.write() as session:
            for one in batch.blocks():
                stored = storer.store(session, one.block, one.placed, batch.genotypes, run.next_block)
                self._rules.link_new(session, one.block.contig, stored.new_variants)
                runs.checkpoint(
                    session, run, chunks=stored.chunks, delta=stored.delta, structural=stored.structural,
                    next_record=run.next_record, progress={}, annotated=stored.annotated,
                )  # fmt: skip
                run.next_block += 1
        return counts


@dataclass(frozen=True, slots=True)
class _Shown:
    """What a run shows of its cases when it finishes."""

    run: Run
    drafts: Sequence[Draft]
    outcomes: dict[int, CaseOutcome]
    rests_on: str

    def tests(self) -> Iterator[tuple[str, studies.StudyFacts]]:
        """Yield the tests that have no calls."""
        planned = {entry.study.test_id for entry in self.run.plan}
        for draft in self.drafts:
            yield from (test for test in self._kept(draft, planned) if test[1].test_id not in planned)

    def _kept(self, draft: Draft, planned: set[str]) -> Iterator[tuple[str, studies.StudyFacts]]:
        """Yield the tests of a case; a report of which nothing is stored is none."""
        report = f"{draft.case.name}.{REPORT_SERVICE}."
        for test_id, test in draft.studies.items():
            if test_id in planned or not test_id.startswith(report):
                yield test

    def report(self) -> dict[str, int]:
        """Return what the ledger keeps; it names nobody."""
        return {"cases": len(self.drafts), "call sets": len(self.run.plan)}

    def note(self, session: Session) -> None:
        """Note what the calls of each case rest on."""
        planned = {entry.study.test_id for entry in self.run.plan}
        for draft in self.drafts:
            tests = [(subject_id, facts.test_id) for subject_id, facts in self._kept(draft, planned)]
            _reflect(session, draft.stored, self.outcomes[draft.stored.row], tests, self.rests_on)
        ledger.forget_empty(session, [self.run.run_id])


def _people(drafts: Iterable[Draft]) -> list[Subject]:
    return [subject for draft in drafts for subject in draft.subjects.values()]


def _tests_of(session: Session, cases: Sequence[StoredCase]) -> list[tuple[int, str]]:
    """Return the tests that cases have in the store, each with the ordinal of its subject."""
    tests = [test for case in cases for test in case.tests]
    known = subjects.find(session, sorted({subject_id for subject_id, _ in tests}))
    return [(known[subject_id].ordinal, test_id) for subject_id, test_id in tests if subject_id in known]


def _reflect(
    session: Session, stored: StoredCase, outcome: CaseOutcome, tests: Sequence[tuple[str, str]], rests_on: str
) -> None:
    cip_cases.reflect(
        session, stored.row, state=outcome.state, reflected=rests_on, tests=tests, report=outcome.to_json(),
        seen=stored.updated,
    )  # fmt: skip


def _outcome(fate: _Fate) -> CaseOutcome:
    return CaseOutcome(fate.stored.name, fate.state, {}, fate.problems)


def _stored(draft: Draft, calls: int, implications: int) -> CaseOutcome:
    counts = {
        "subjects": len(draft.subjects),
        "tests": len(draft.studies),
        "calls": calls,
        "structural": len(draft.structural),
        "implications": implications,
        **draft.counts,
    }
    if draft.unknown_contigs:
        counts["on_unknown_contigs"] = sum(draft.unknown_contigs.values())
    return CaseOutcome(draft.stored.name, State.STORED, counts, draft.problems)


def _uid(entry: PlannedCallSet) -> str:
    """Return what makes a call set the same one whenever its case is made anew."""
    identity = [SOURCE, entry.subject.subject_id, entry.study.test_id, int(entry.source_class)]
    return blake2b(orjson.dumps(identity), digest_size=8).hexdigest()


def _source(fates: Sequence[_Fate]) -> runs.Source:
    """Return what a run reads; no two runs are the same, since each makes its cases anew."""
    digest = sha256("".join(fate.stored.sha256 for fate in fates).encode()).hexdigest()
    return runs.Source(SOURCE, digest, {"begun": datetime.now(UTC).isoformat()})
