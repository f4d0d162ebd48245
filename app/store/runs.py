"""The ledger of ingests: a run stores blocks, each with its checkpoint in one transaction, and becomes visible at once.

Until ``finish`` nothing of a run is seen by a query: chunks belong to call sets that have no row yet, carriers wait as
deltas, subjects and studies exist only in the run's plan. A killed run continues at its checkpoint when the same source
comes again with the same parameters; a failed one is discarded without a trace.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any

import orjson

from app.errors import InvalidInput
from app.records import Build, SourceClass
from app.store import (
    bitmaps,
    carriers,
    computed,
    consequence_sets,
    counters,
    file_annotations,
    genotype_writer,
    knowledge_unions,
    pgx_calls,
    stated_writer,
    structural_sites,
    studies,
    subjects,
    variants,
)
from app.store.genotype_writer import Statement
from app.store.session import Database, Session
from app.store.studies import Regions, StudyFacts
from app.store.subjects import Subject
from app.variants.hla_reduction import HlaReductions

_AGAIN = ":again"
"""Ends the key of a run that stores a completed source once more, until it takes the key over"""


@dataclass(frozen=True, slots=True)
class PlannedCallSet:
    """One call set that a run will add, with its subject and study."""

    subject: Subject
    study: StudyFacts
    source_class: SourceClass
    sample: str
    phased_contigs: bool
    source: str
    call_set_id: int = -1
    uid: str = ""
    """What the source says that it is; a digest of the source and the test where it says nothing"""
    native: Build | None = None
    """Build of the positions where it is not the study's"""

    @property
    def build(self) -> Build:
        """Return the build that the positions are on."""
        return self.native or self.study.build_of_calls

    def to_json(self) -> dict[str, Any]:
        """Return the JSON form kept in the ledger."""
        return {
            "subject": self.subject.to_json(),
            "study": self.study.to_json(),
            "class": int(self.source_class),
            "sample": self.sample,
            "phased_contigs": self.phased_contigs,
            "source": self.source,
            "id": self.call_set_id,
            "uid": self.uid,
            "native": self.native,
        }

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> PlannedCallSet:
        """Read the JSON form back."""
        return PlannedCallSet(
            Subject.from_json(data["subject"]),
            StudyFacts.from_json(data["study"]),
            SourceClass(data["class"]),
            data["sample"],
            data["phased_contigs"],
            data["source"],
            data["id"],
            data["uid"],
            Build(data["native"]) if data.get("native") else None,
        )


@dataclass(frozen=True, slots=True)
class Source:
    """What a run reads: the bytes and the parameters that shape the result decide whether two runs are the same."""

    name: str
    sha256: str
    parameters: Mapping[str, Any]

    @property
    def key(self) -> str:
        """Return the digest of bytes and parameters; the name does not count."""
        body = orjson.dumps([self.sha256, dict(self.parameters)], option=orjson.OPT_SORT_KEYS)
        return blake2b(body, digest_size=16).hexdigest()


@dataclass(slots=True)
class Run:
    """A run of the ledger; ``done`` when it was completed before."""

    run_id: int
    source: Source
    plan: Sequence[PlannedCallSet]
    done: bool = False
    next_record: int = 0
    next_block: int = 0
    first_variant_id: int = 0
    progress: dict[str, Any] | None = None
    report: dict[str, Any] | None = None


def begin(
    database: Database,
    source: Source,
    wanted: Sequence[PlannedCallSet],
    *,
    again: bool = False,
    removed: Collection[tuple[str, str]] = (),
) -> Run:
    """Start a run, continue an interrupted one, or return the completed one of the same bytes and parameters.

    ``again`` stores a source once more that was completed before (to replace what it stored then). What the store says
    of the tests in ``removed`` (subject and test id) binds nobody: they go when the run finishes.

    Raises:
        InvalidInput: a subject or study contradicts what the store says of it, or the same calls are stored already,
            by other parameters.
    """
    with database.write() as session:
        # What was interrupted while replacing may go on without, and the other way round.
        runs = (_find(session, source, source.key), _find(session, source, source.key + _AGAIN))
        usable = [run for run in runs if run is not None and not (again and run.done)]
        return usable[0] if usable else _start(session, source, wanted, again=again, removed=removed)


def _find(session: Session, source: Source, key: str) -> Run | None:
    rows = session.run(
        "select id, state, plan, next_record, next_block, first_variant_id, progress, report from ingest_run"
        " where key = :key",
        {"key": key},
    )
    if not rows:
        return None
    run_id, state, plan, record, block, first, progress, report = rows[0]
    planned = [PlannedCallSet.from_json(entry) for entry in orjson.loads(plan)]
    loaded = orjson.loads(report) if report else None
    return Run(run_id, source, planned, state == "done", record, block, first, orjson.loads(progress), loaded)


def _start(
    session: Session,
    source: Source,
    wanted: Sequence[PlannedCallSet],
    *,
    again: bool,
    removed: Collection[tuple[str, str]],
) -> Run:
    known = subjects.find(session, sorted({w.subject.subject_id for w in wanted}))
    ids = [w.subject.subject_id for w in wanted if w.subject.subject_id not in known]
    ordinals = subjects.allocate(session, ids) if ids else {}
    first_call_set = counters.allocate(session, counters.CALL_SET, len(wanted))
    plan = []
    for n, call_set in enumerate(wanted):
        subject = call_set.subject
        if subject.subject_id in known:
            subject = subjects.merge(known[subject.subject_id], subject)
            if (subject.subject_id, call_set.study.test_id) not in removed:
                studies.check(session, subject.ordinal, call_set.study)
        else:
            subject = replace(subject, ordinal=ordinals[subject.subject_id])
        uid = call_set.uid or _uid(source, call_set)
        plan.append(replace(call_set, subject=subject, call_set_id=first_call_set + n, uid=uid))
    if not again:
        _refuse_stored(session, source, plan)
    _refuse_taken(session, plan, again=again)
    key = source.key + _AGAIN if again else source.key
    run_id = counters.allocate(session, counters.RUN, 1)
    first_variant = counters.value(session, counters.VARIANT)
    session.insert_rows("ingest_run",
        ("id", "key", "state", "source", "sha256", "parameters", "plan", "next_record", "next_block",
         "first_variant_id", "progress", "started"),
        [(
            run_id, key, "running", source.name, source.sha256, _json(dict(source.parameters)),
            _json([entry.to_json() for entry in plan]), 0, 0, first_variant, "{}", _now(),
        )],
    )  # fmt: skip
    return Run(run_id, source, plan, first_variant_id=first_variant, progress={})


def _refuse_stored(session: Session, source: Source, plan: Sequence[PlannedCallSet]) -> None:
    rows = session.run(
        "select cs.uid from call_set cs join ingest_run r on r.id = cs.run_id where r.sha256 = :sha256",
        {"sha256": source.sha256},
    )
    stored = {row[0] for row in rows}
    for entry in plan:
        if entry.uid in stored:
            raise InvalidInput(
                f"test {entry.study.test_id} has the calls of this file already, stored with other options;"
                " replace them (--replace), or give another test id"
            )


def _refuse_taken(session: Session, plan: Sequence[PlannedCallSet], *, again: bool) -> None:
    """Raise InvalidInput where calls bear the uid of others: what was exported is here already, or was changed."""
    seen: set[str] = set()
    for entry in plan:
        rows = session.run(
            "select st.subject_ordinal, st.test_id from call_set cs join study st on st.id = cs.study_id"
            " where cs.uid = :uid",
            {"uid": entry.uid},
        )
        replaced = again and [tuple(row) for row in rows] == [(entry.subject.ordinal, entry.study.test_id)]
        if entry.uid in seen or (rows and not replaced):
            raise InvalidInput(
                f"test {entry.study.test_id}: its calls ({entry.uid}) are stored already;"
                " replace them (--replace), or give the file another identity"
            )
        seen.add(entry.uid)


def _uid(source: Source, call_set: PlannedCallSet) -> str:
    """Return what makes a call set the same one on every server that reads the same file for the same test."""
    identity: list[Any] = [
        call_set.subject.subject_id,
        call_set.study.test_id,
        int(call_set.source_class),
        source.sha256,
        call_set.sample,
    ]
    if call_set.native is not None:
        identity.append(call_set.native)
    return blake2b(orjson.dumps(identity), digest_size=8).hexdigest()


def checkpoint(
    session: Session,
    run: Run,
    *,
    chunks: Sequence[tuple[int, int, int, int, int, bytes]],
    delta: bytes | None,
    next_record: int,
    progress: Mapping[str, Any],
    regions: Mapping[int, Mapping[str, Regions]] | None = None,
    structural: Sequence[tuple[int, int, int, int, bytes]] = (),
    annotated: bytes | None = None,
) -> None:
    """Store one block: chunks (shard, call set, contig, bin, part, data), carriers to merge later, how far it goes.

    ``regions`` are those that the block's records tell of, by place of the call set in the plan and by kind;
    ``structural`` the chunks of structural calls (shard, call set, contig, part, data); ``annotated`` what tools wrote
    of its variants.
    """
    studies.stage_regions(
        session,
        run.next_block,
        [
            (run.plan[at].subject.ordinal, run.plan[at].call_set_id, kind, found)
            for at, by_kind in (regions or {}).items()
            for kind, found in by_kind.items()
        ],
    )
    session.insert_rows("call_chunk", ("shard", "call_set_id", "contig", "bin", "part", "data"), chunks)
    session.insert_rows("structural_chunk", ("shard", "call_set_id", "contig", "part", "data"), structural)
    if delta is not None:
        session.insert_rows("carrier_delta", ("run_id", "block", "data"), [(run.run_id, run.next_block, delta)])
    if annotated is not None:
        file_annotations.stage(session, run.run_id, run.next_block, annotated)
    session.run_many(
        "update ingest_run set next_record = ?, next_block = ?, progress = ? where id = ?",
        [(next_record, run.next_block + 1, _json(dict(progress)), run.run_id)],
    )


@dataclass(frozen=True, slots=True)
class CallSetCounts:
    """What a finished call set holds."""

    calls: int
    unplaced: Mapping[int, int]
    """Contig to number of calls that have no place on the other build"""


@dataclass(frozen=True, slots=True)
class Finished:
    """A run whose blocks are all stored, ready to become visible."""

    run: Run
    counts: Sequence[CallSetCounts]
    report: Mapping[str, Any]
    regions: Sequence[Mapping[str, Regions]]
    """For each call set, the regions of its study by kind: studied, uncallable"""
    records_tell: bool = True
    """Whether the records themselves tell of places that were called or not, beside the regions above"""
    has_blocks: bool = False
    """The source has reference blocks, so that its records tell of every place that was studied"""
    subjects: Sequence[Subject] = ()
    """Subjects that the source adds or completes, with or without calls"""
    studies: Sequence[tuple[str, StudyFacts, Mapping[str, Regions]]] = ()
    """Further studies of subjects, by id, that found nothing"""
    statements: Sequence[Statement] = ()
    """Genotypes of its tests"""
    reductions: HlaReductions | None = None
    """What HLA alleles of the statements are also found by"""
    stated: Sequence[stated_writer.Addition] = ()
    """What the source says that findings of its subjects mean"""
    removed: Sequence[tuple[int, str]] = ()
    """Tests (subject ordinal, test id) that go with all that they had before the run's own are stored"""
    then: Callable[[Session], None] | None = None
    """Further writes of the same transaction, after all others"""
    annotated: dict[str, int] = field(default_factory=dict)
    """What became of the annotations, filled in when the run finishes"""


def finish(database: Database, ready: Sequence[Finished], *, replace_earlier: bool = False) -> None:
    """Make the runs of one or more sources visible, all in one transaction.

    ``replace_earlier`` withdraws what earlier runs stored for the same studies.
    """
    with database.write() as session:
        planned = [entry for finished in ready for entry in finished.run.plan]
        _store_subjects(session, [entry.subject for entry in planned])
        for finished in ready:
            subjects.store(session, finished.subjects, finished.run.source.name)
        withdrawn: set[int] = set()
        for finished in ready:
            withdrawn |= studies.remove(session, finished.removed)
        for finished in ready:
            studies.declare(session, finished.studies)
        if replace_earlier:
            withdrawn |= studies.withdraw_calls(
                session,
                [(e.subject.ordinal, e.study.test_id) for e in planned],
                keep_runs=[f.run.run_id for f in ready],
            )
            studies.forget_told(session, [(e.subject.ordinal, e.study.test_id) for e in planned])
        joined = knowledge_unions.Extension(session)
        adopted = file_annotations.Adoption(session)
        for finished in ready:
            study_ids = [studies.ensure(session, entry.subject.ordinal, entry.study) for entry in finished.run.plan]
            ordinals = [entry.subject.ordinal for entry in finished.run.plan]
            pgx_calls.forget(session, zip(ordinals, study_ids, strict=True))
            for entry, study_id, by_kind in zip(finished.run.plan, study_ids, finished.regions, strict=True):
                for kind, regions in by_kind.items():
                    studies.set_regions(
                        session, ordinal=entry.subject.ordinal, study_id=study_id, kind=kind, regions=regions
                    )
                if finished.records_tell:
                    studies.adopt_regions(
                        session,
                        ordinal=entry.subject.ordinal,
                        study_id=study_id,
                        call_set_id=entry.call_set_id,
                        has_blocks=finished.has_blocks,
                        is_told=len(finished.run.plan) == 1,
                    )
            _merge_deltas(session, finished.run, joined)
            if finished.run.plan:
                adopted.take(
                    finished.run.run_id, finished.run.next_block, finished.run.plan[0].build, finished.annotated
                )
            _insert_call_sets(session, finished, study_ids)
            genotype_writer.write_all(
                session,
                finished.run.run_id,
                finished.statements,
                replace=replace_earlier,
                reductions=finished.reductions,
            )
            stated_writer.write_all(session, finished.run.run_id, finished.stated, replace=replace_earlier)
            # The plan and the parameters name subjects: once used they go, so that erasing a subject is complete.
            session.run_many(
                "update ingest_run set state = 'done', key = ?, plan = '[]', parameters = '{}', finished = ?,"
                " report = ? where id = ?",
                [(finished.run.source.key, _now(), _json(_report(finished)), finished.run.run_id)],
            )
        joined.store()
        studies.drop_uncarried(session, withdrawn)
        newly = adopted.store()
        if newly:
            computed.withhold(session, newly & consequence_sets.active(session))
        computed.note_carried(session, joined.carried)
        for finished in ready:
            if finished.then is not None:
                finished.then(session)
        counters.add(session, counters.DATA_VERSION, 1)
    for finished in ready:
        finished.run.done = True


def _report(finished: Finished) -> dict[str, Any]:
    counted = dict(finished.annotated)
    return {**finished.report, "annotations": counted} if counted else dict(finished.report)


def _store_subjects(session: Session, planned: Sequence[Subject]) -> None:
    by_id = {subject.subject_id: subject for subject in planned}
    known = subjects.find(session, list(by_id))
    subjects.insert(session, [subject for subject_id, subject in by_id.items() if subject_id not in known])


def _merge_deltas(session: Session, run: Run, joined: knowledge_unions.Extension) -> None:
    for block in range(run.next_block):
        rows = session.run(
            "select data from carrier_delta where run_id = :run and block = :block",
            {"run": run.run_id, "block": block},
        )
        for (data,) in rows:
            delta = bitmaps.unpack_delta(data)
            carriers.merge(session, *delta)
            joined.take(*delta)
    session.run("delete from carrier_delta where run_id = :run returning 1", {"run": run.run_id})


def _insert_call_sets(session: Session, finished: Finished, study_ids: Sequence[int]) -> None:
    rows = [
        (
            entry.call_set_id, bitmaps.shard_of(entry.subject.ordinal), study_id, finished.run.run_id, entry.uid,
            entry.build.value, int(entry.source_class), entry.sample, int(entry.phased_contigs), counts.calls,
            entry.source, _json({str(contig): n for contig, n in sorted(counts.unplaced.items())}),
        )
        for entry, study_id, counts in zip(finished.run.plan, study_ids, finished.counts, strict=True)
    ]  # fmt: skip
    session.insert_rows("call_set",
        ("id", "shard", "study_id", "run_id", "uid", "build", "source_class", "sample", "phased_contigs", "calls",
         "source", "unplaced"),
        rows,
    )  # fmt: skip
    counters.add(session, counters.CALLS, sum(counts.calls for counts in finished.counts))


def discard(database: Database, run: Run) -> None:
    """Remove everything that an unfinished run stored."""
    with database.write() as session:
        for entry in run.plan:
            parameters = {"shard": bitmaps.shard_of(entry.subject.ordinal), "id": entry.call_set_id}
            for table in ("call_chunk", "structural_chunk"):
                session.run(f"delete from {table} where shard = :shard and call_set_id = :id returning 1", parameters)
            studies.drop_staged(session, entry.subject.ordinal, entry.call_set_id)
        session.run("delete from carrier_delta where run_id = :run returning 1", {"run": run.run_id})
        file_annotations.drop_staged(session, run.run_id)
        session.run("delete from ingest_run where id = :run returning 1", {"run": run.run_id})
        kept = carriers.carried_from(session, run.first_variant_id) | carriers.waiting_from(
            session, run.first_variant_id
        )
        variants.delete_from(session, run.first_variant_id, keep=kept)
        sites = structural_sites.from_id(session, run.first_variant_id)
        structural_sites.delete(session, [site for site in sites if site not in kept])
        _give_back(session, run)


def _give_back(session: Session, run: Run) -> None:
    """Return the numbers that a discarded run took, as far as nobody took later ones."""
    scope = {"first": run.first_variant_id}
    later = session.run("select 1 from ingest_run where state <> 'done' and first_variant_id > :first limit 1", scope)
    used = session.run("select 1 from variant where id >= :first limit 1", scope) or structural_sites.from_id(
        session, run.first_variant_id
    )
    if not later and not used:
        taken = counters.value(session, counters.VARIANT)
        counters.give_back(session, counters.VARIANT, range(run.first_variant_id, taken))
    known = subjects.find(session, [entry.subject.subject_id for entry in run.plan])
    shared = {**known, **subjects.reserved(session)}
    ordinals = {entry.subject.ordinal for entry in run.plan if entry.subject.subject_id not in shared}
    counters.give_back(session, counters.SUBJECT_ORDINAL, ordinals)
    counters.give_back(session, counters.CALL_SET, {entry.call_set_id for entry in run.plan})
    counters.give_back(session, counters.RUN, {run.run_id})


def unfinished(database: Database) -> list[Run]:
    """Return the runs that were interrupted."""
    with database.read() as session:
        rows = session.run("select key, source, sha256, parameters from ingest_run where state <> 'done' order by id")
        found = [
            _find(session, Source(name, sha256, orjson.loads(parameters)), key)
            for key, name, sha256, parameters in rows
        ]
        return [run for run in found if run is not None]


def _json(value: object) -> str:
    return orjson.dumps(value).decode()


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
