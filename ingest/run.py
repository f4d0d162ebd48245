"""One ingest from files to visible studies: resumable after any interruption, all or nothing, idempotent.

The files of one call belong together: they become visible in one transaction, or none of them does.
"""

from __future__ import annotations

import dataclasses
import gc
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

from app.config import Settings
from app.errors import OperonError
from app.formats.vcf import VcfReader
from app.operations.context import Genome
from app.operations.pgx_places import Places
from app.store import runs
from app.store.coverage import ABSENT_IS_REFERENCE
from app.store.runs import Finished, Run
from app.store.session import Database
from app.store.studies import Regions
from ingest.consequence_rules import ConsequenceRules
from ingest.jobs import FileJob, SampleJob
from ingest.pgx_sites import DefiningSites
from ingest.progress import Progress
from ingest.regions import regions_of
from ingest.report import IngestReport
from ingest.source import Source, open_source
from ingest.vcf import BlockStorer, Counts

_MAX_GENOTYPES = 25_000_000
"""Genotypes of one block: large enough that a cohort file writes each chunk once or twice, small enough for memory"""

_MANY_CALLS = 1_000_000
"""From so many calls on, the last step takes long enough to be announced"""


class Ingest:
    """Ingests files of calls into one store."""

    def __init__(
        self, database: Database, genome: Genome, settings: Settings, progress: Progress, places: Places | None = None
    ) -> None:
        """Prepare; of the positions of pharmacogenes, ``places``, more is kept than of others."""
        self._database = database
        self._places = places or Places((), genome.placer)
        self._genome = genome
        self._settings = settings
        self._progress = progress
        self._rules = ConsequenceRules(genome)

    def store(self, jobs: Sequence[FileJob], *, replace: bool = False) -> list[IngestReport]:
        """Store files that belong together and return a report of each.

        ``replace`` withdraws what earlier ingests stored for the same tests. An interruption leaves a run that the same
        call continues.

        Raises:
            OperonError: nothing of any of the files is stored.
        """
        with ExitStack() as stack:
            stack.enter_context(self._database.sole_writer())
            sources = [stack.enter_context(open_source(job.path, self._settings)) for job in jobs]
            started: list[Run] = []
            try:
                return self._store(jobs, sources, started, replace=replace)
            except OperonError:
                for run in reversed(started):  # as each gives back the numbers that it took last
                    runs.discard(self._database, run)
                raise

    def _store(
        self, jobs: Sequence[FileJob], sources: Sequence[Source], started: list[Run], *, replace: bool
    ) -> list[IngestReport]:
        ready: list[Finished] = []
        reports: list[IngestReport] = []
        first: dict[int, IngestReport] = {}
        annotated: dict[str, int]
        for job, source in zip(jobs, sources, strict=True):
            began = time.monotonic()
            with source.open() as stream:
                reader = VcfReader(stream, source.name, job.build, self._settings)
                wanted = job.plan(reader.header.samples, source.name)
                ledger_source = runs.Source(source.name, source.sha256, job.parameters())
                run = runs.begin(self._database, ledger_source, wanted, again=replace)
                if run.done:
                    reports.append(IngestReport.already_stored(source, run.report or {}))
                    continue
                if run.run_id in first:
                    reports.append(dataclasses.replace(first[run.run_id], source=source.name, is_repeated=True))
                    continue
                started.append(run)
                storer, has_blocks = self._blocks(job, source, reader, run)
            annotated = dict(reader.annotations.left_out) if reader.annotations is not None else {}
            report = IngestReport.of(
                source, job.build, reader, storer.counts, storer.tally, seconds=time.monotonic() - began
            )
            report = dataclasses.replace(report, annotations=annotated)
            source.check_unchanged()
            reports.append(report)
            first[run.run_id] = report
            regions = [self._with_absent(job, sample) for sample in job.samples]
            # The ledger outlives an erased subject, so it keeps no sample names.
            ledger = {**report.for_ledger(), "samples": []}
            ready.append(
                Finished(run, storer.counts.by_call_set(), ledger, regions, has_blocks=has_blocks, annotated=annotated)
            )
        if ready:
            if sum(sum(counts.calls for counts in finished.counts) for finished in ready) > _MANY_CALLS:
                self._progress.say("making the studies visible")
            runs.finish(self._database, ready, replace_earlier=replace)
        return reports

    def _with_absent(self, job: FileJob, sample: SampleJob) -> Mapping[str, Regions]:
        """Return the regions of a sample's study and, where a user says so, where no record means the reference.

        In a file of several samples only the records at watched places tell which calls are missing.
        """
        if not sample.absent_is_reference:
            return sample.regions
        sites = DefiningSites(self._places, job.build, self._genome.placer)
        everywhere: Regions = {} if len(job.samples) == 1 else sites.everywhere()
        return {**sample.regions, ABSENT_IS_REFERENCE: everywhere}

    def _blocks(self, job: FileJob, source: Source, reader: VcfReader, run: Run) -> tuple[BlockStorer, bool]:
        """Store the blocks of one file from where an interrupted run stopped; tell whether it has reference blocks."""
        saved = run.progress or {}
        counts = Counts.from_json(saved["counts"]) if "counts" in saved else Counts.start(len(run.plan))
        reader.tally.restore(saved.get("tally", {}))
        storer = BlockStorer(
            self._genome.placer,
            job.build,
            run.plan,
            self._settings,
            source.name,
            counts,
            reader.tally,
            tools=reader.annotations.versions if reader.annotations is not None else {},
        )
        sites = DefiningSites(self._places, job.build, self._genome.placer)
        if reader.annotations is not None:
            reader.annotations.left_out.update(saved.get("annotations", {}))
        has_blocks = bool(saved.get("blocks"))
        with self._progress.file(source.name, source.size) as bar, _without_collector():
            for block in reader.blocks(
                [sample.position for sample in job.samples],
                keep_filtered=job.keep_filtered,
                homoplasmic_above=[sample.homoplasmic_above for sample in job.samples],
                max_genotypes=_MAX_GENOTYPES,
                skip_records=run.next_record,
                watch=sites.watch,
            ):
                batch = storer.place(block) if len(block.positions) or block.structural else None
                has_blocks = has_blocks or reader.has_blocks
                regions = regions_of(block, batch, reader.genotypes, has_blocks=has_blocks)
                told = sites.regions_of(block.contig, block.told, single=len(run.plan) == 1)
                with self._database.write() as session:
                    stored = None
                    if batch is not None:
                        stored = storer.store(session, block, batch, reader.genotypes, run.next_block)
                        self._rules.link_new(session, block.contig, stored.new_variants)
                    runs.checkpoint(
                        session,
                        run,
                        chunks=stored.chunks if stored else (),
                        structural=stored.structural if stored else (),
                        delta=stored.delta if stored else None,
                        annotated=stored.annotated if stored else None,
                        next_record=block.next_record,
                        progress=_progress(reader, counts, has_blocks=has_blocks),
                        regions={**told, 0: {**told.get(0, {}), **regions}} if regions else told,
                    )
                run.next_block += 1
                bar.at(block.bytes_read)
        return storer, has_blocks or reader.has_blocks


def _progress(reader: VcfReader, counts: Counts, *, has_blocks: bool) -> dict[str, Any]:
    """Return what a continued run has to know of the blocks before."""
    told = {"counts": counts.to_json(), "tally": reader.tally.to_json(), "blocks": has_blocks}
    return told if reader.annotations is None else {**told, "annotations": dict(reader.annotations.left_out)}


@contextmanager
def _without_collector() -> Iterator[None]:
    """Switch the cycle collector off: a block makes many tuples and no cycles, but it walks them all each time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
