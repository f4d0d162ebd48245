"""Stores for the benchmarks, filled through the product's own readers, encoder and merge.

This is the one module that knows how an ingest is put together from its parts.
"""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from app.config import Settings
from app.formats.genotype import Genotype
from app.formats.vcf_block import RecordBlock
from app.formats.vcf_structural import StructuralRow
from app.formats.vcf_tally import Tally
from app.operations.context import Genome, OperationContext
from app.operations.registry import HANDLERS
from app.records import Build, SourceClass, Zygosity
from app.store import bitmaps, carriers, counters, migrate, runs, variants
from app.store.runs import Finished, PlannedCallSet, Source
from app.store.session import Database
from app.store.studies import StudyFacts
from app.store.subjects import Subject
from app.variants.accessions import accession
from bench.generate import Cohort, CohortBatch
from bench.genomes import CONTIG
from ingest.jobs import FileJob, SampleJob
from ingest.progress import Progress
from ingest.run import Ingest
from ingest.vcf import BlockStorer, Counts

_GENOTYPES = (Genotype("0/1", 1, Zygosity.HETEROZYGOUS, False), Genotype("1/1", 1, Zygosity.HOMOZYGOUS, False))


class Skipped(RuntimeError):
    """Something that a bench needs is not there; the message says what."""


@contextmanager
def workspace() -> Iterator[Path]:
    """Yield a folder that is removed afterwards."""
    with tempfile.TemporaryDirectory(prefix="operon-bench-") as folder:
        yield Path(folder)


class Stores:
    """Empty stores on one kind of database, gone when the block that opened this ends."""

    def __init__(self, stack: ExitStack, engine: str, folder: Path) -> None:
        self.engine = engine
        self.folder = folder
        self._stack = stack
        self._numbers = itertools.count(1)
        self._fresh_url: Callable[[], str] = self._sqlite_url
        if engine == "postgresql":
            self._fresh_url = self._start_postgresql()

    def fresh(self) -> Database:
        """Return an empty store with its schema."""
        database = Database(self._fresh_url())
        migrate.upgrade(database)
        database.close()  # a server takes only so many connections
        self._stack.callback(database.close)
        return database

    def _sqlite_url(self) -> str:
        return f"sqlite:///{self.folder / f'store-{next(self._numbers)}.db'}"

    def _start_postgresql(self) -> Callable[[], str]:
        from tests.postgres_server import find_binaries, running  # noqa: PLC0415 - SQLite needs no server

        binaries = find_binaries()
        if binaries is None:
            raise Skipped("PostgreSQL's server binaries (initdb, pg_ctl) are not installed")
        server = self._stack.enter_context(running(binaries))
        return lambda: server.url(server.fresh_database())


@contextmanager
def stores(engine: str) -> Iterator[Stores]:
    """Yield a maker of empty stores on ``sqlite`` or on a private ``postgresql`` server."""
    with ExitStack() as stack:
        folder = stack.enter_context(workspace())
        yield Stores(stack, engine, folder)


def context_of(database: Database, genome: Genome) -> OperationContext:
    """Return the context in which the product answers operations over a store."""
    return OperationContext(Settings(), database, genome, HANDLERS)


def _plan(subjects: Sequence[str], source: str) -> list[PlannedCallSet]:
    return [
        PlannedCallSet(
            Subject(subject),
            StudyFacts(f"cohort-{subject}", Build.GRCH37, test_date="2026-01-31"),
            SourceClass.GERMLINE,
            subject,
            phased_contigs=False,
            source=source,
        )
        for subject in subjects
    ]


def ingest_vcf(database: Database, genome: Genome, path: Path, subject: str) -> int:
    """Store the VCF of one sample, on GRCh37, as the command line does; return its number of calls."""
    study = StudyFacts(f"vcf-{subject}", Build.GRCH37, test_date="2026-01-31")
    job = FileJob(path, Build.GRCH37, [SampleJob(0, Subject(subject), study, SourceClass.GERMLINE)])
    Ingest(database, genome, Settings(), Progress(quiet=True)).store([job])
    with database.read() as session:
        return counters.value(session, counters.CALLS)


def _store_block(
    database: Database, storer: BlockStorer, block: RecordBlock, genotypes: Sequence[Genotype], run: runs.Run
) -> None:
    placed = storer.place(block)
    with database.write() as session:
        stored = storer.store(session, block, placed, genotypes, run.next_block)
        runs.checkpoint(
            session,
            run,
            chunks=stored.chunks,
            structural=stored.structural,
            delta=stored.delta,
            next_record=block.next_record,
            progress={"counts": storer.counts.to_json()},
        )
    run.next_block += 1


Structural = Callable[[Cohort, CohortBatch], Sequence[StructuralRow]]
"""Returns the structural calls of a batch's subjects in a cohort's megabase; genotype 0 is heterozygous, 1 not"""


def ingest_cohort(database: Database, genome: Genome, *parts: Cohort, structural: Structural = lambda _, __: ()) -> int:
    """Store a cohort, given by megabases, a joint file of 500 subjects at a time; return its number of calls."""
    calls = 0
    for batches in zip(*(part.batches() for part in parts), strict=True):
        first = batches[0]
        source = f"cohort-{first.first}"
        plan = _plan([subject_id(first.first + n) for n in range(first.subjects)], source)
        run = runs.begin(database, Source(source, source, {}), plan)
        counts = Counts.start(len(plan))
        storer = BlockStorer(genome.placer, Build.GRCH37, run.plan, Settings(), source, counts, Tally())
        for part, batch in zip(parts, batches, strict=True):
            block = replace(_block_of(part, batch), structural=structural(part, batch))
            _store_block(database, storer, block, _GENOTYPES, run)
        runs.finish(database, [Finished(run, counts.by_call_set(), {}, [{}] * len(plan))])
        calls += sum(counts.calls)
    return calls


def ingest_blocks(database: Database, genome: Genome, subject: str, blocks: Iterable[RecordBlock]) -> int:
    """Store the calls of one subject, given as a reader's blocks; return their number."""
    source = f"blocks-{subject}"
    run = runs.begin(database, Source(source, source, {}), _plan([subject], source))
    counts = Counts.start(1)
    storer = BlockStorer(genome.placer, Build.GRCH37, run.plan, Settings(), source, counts, Tally())
    for block in blocks:
        _store_block(database, storer, block, _GENOTYPES, run)
    runs.finish(database, [Finished(run, counts.by_call_set(), {}, [{}])])
    return sum(counts.calls)


def calls_block(
    contig: int, first: int, sites: tuple[NDArray[np.int64], list[str], list[str]], random: np.random.Generator
) -> RecordBlock:
    """Return a call of one sample for each (position, REF, ALT) of a chromosome, as the reader of a VCF would."""
    positions, refs, alts = sites
    calls = len(positions)
    absent = np.full(calls, -1, np.int32)
    return replace(
        _sites_only(positions, refs, alts),
        contig=contig,
        first_record=first,
        next_record=first + calls,
        row=np.arange(calls, dtype=np.int32),
        sample=np.zeros(calls, np.int32),
        genotype=(random.random(calls) < 0.4).astype(np.uint16),
        depth=random.poisson(32, calls).astype(np.int32),
        ref_depth=absent,
        alt_depth=absent,
        allele_depths=absent,
        frequency=np.full(calls, np.nan),
        phase_set=absent.astype(np.int64),
    )


def subject_id(number: int) -> str:
    """Return the id of a cohort's subject."""
    return f"P{number:06d}"


def _block_of(cohort: Cohort, batch: CohortBatch) -> RecordBlock:
    """Return a batch as the reader of a joint VCF would: only the sites that somebody in it carries."""
    sites, row = np.unique(batch.row, return_inverse=True)
    calls = len(row)
    absent = np.full(calls, -1, np.int32)
    numbers = sites.tolist()
    return RecordBlock(
        contig=CONTIG,
        first_record=0,
        next_record=len(sites),
        bytes_read=0,
        positions=cohort.positions[sites],
        refs=[cohort.refs[number] for number in numbers],
        alts=[cohort.alts[number] for number in numbers],
        lines_1based=list(range(1, len(sites) + 1)),
        filters=None,
        row=row.astype(np.int32),
        sample=batch.sample,
        genotype=(batch.copies - 1).astype(np.uint16),
        depth=batch.depth,
        ref_depth=absent,
        alt_depth=absent,
        allele_depths=absent,
        frequency=np.full(calls, np.nan),
        phase_set=absent.astype(np.int64),
    )


@dataclass(frozen=True, slots=True)
class CarrierStore:
    """A store that knows only who carries a few variants: their ids, and how to ask for them."""

    database: Database
    variant_ids: list[int]
    texts: list[str]
    subjects: int


def carriers_only(
    database: Database, genome: Genome, subjects: int, shares: Sequence[float], *, seed: int = 9
) -> CarrierStore:
    """Store one SNV for each share of carriers among so many subjects, merged as an ingest merges its carriers."""
    random = np.random.default_rng((seed, subjects))
    reference = genome.references[Build.GRCH37]
    ref_seq = accession(Build.GRCH37, CONTIG)
    found = reference.window(ref_seq, 20_000)
    if found is None:
        raise ValueError("the genome has no sequence where the variants are to be")
    start, bases = found
    positions = start + 5_000 + 100 * np.arange(len(shares), dtype=np.int64)
    refs = [bases[position - start] for position in positions.tolist()]
    alts = ["ACGT"["ACGT".index(ref) - 1] for ref in refs]
    block = _sites_only(positions, refs, alts)
    storer = BlockStorer(genome.placer, Build.GRCH37, [], Settings(), "carriers", Counts.start(0), Tally())
    placed = storer.place(block)
    with database.write() as session:
        storer.store(session, block, placed, _GENOTYPES, 0)
        asked = [
            genome.placer.place(Build.GRCH37, CONTIG, position, ref, alt)
            for position, ref, alt in zip(positions.tolist(), refs, alts, strict=True)
        ]
        ids = [next(iter(known)) for known in variants.find(session, asked)]
        columns = [
            _carriers(variant_id, share, subjects, random) for variant_id, share in zip(ids, shares, strict=True)
        ]
        delta = bitmaps.pack_delta(*(np.concatenate(column) for column in zip(*columns, strict=True)))
        carriers.merge(session, *bitmaps.unpack_delta(delta))
        counters.allocate(session, counters.SUBJECT_ORDINAL, subjects)
        counters.add(session, counters.SUBJECTS, subjects)
    texts = [
        f"{ref_seq}:{position}:{ref}:{alt}" for position, ref, alt in zip(positions.tolist(), refs, alts, strict=True)
    ]
    return CarrierStore(database, ids, texts, subjects)


def _carriers(
    variant_id: int, share: float, subjects: int, random: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return (variant id, subject ordinal, kind) of about that share of the subjects, at least of one."""
    if share > 0.001:
        members = np.flatnonzero(random.random(subjects) < share).astype(np.int64)
    else:
        members = np.unique(random.integers(0, subjects, max(1, random.binomial(subjects, share))))
    zygosity = np.where(random.random(len(members)) < share / 2, Zygosity.HOMOZYGOUS, Zygosity.HETEROZYGOUS)
    kind = int(SourceClass.GERMLINE) * 16 + zygosity.astype(np.int64)
    return np.full(len(members), variant_id, np.int64), members, kind


def _sites_only(positions: NDArray[np.int64], refs: list[str], alts: list[str]) -> RecordBlock:
    """Return a block with variants and no calls."""
    nothing = np.zeros(0, np.int32)
    return RecordBlock(
        contig=CONTIG,
        first_record=0,
        next_record=len(refs),
        bytes_read=0,
        positions=positions,
        refs=refs,
        alts=alts,
        lines_1based=list(range(1, len(refs) + 1)),
        filters=None,
        row=nothing,
        sample=nothing,
        genotype=nothing.astype(np.uint16),
        depth=nothing,
        ref_depth=nothing,
        alt_depth=nothing,
        allele_depths=nothing,
        frequency=np.zeros(0),
        phase_set=nothing.astype(np.int64),
    )


def stored_bytes(database: Database) -> int:
    """Return how many bytes of the database are in use, indexes and the free space inside pages included."""
    with database.write() as session:
        if database.is_sqlite:
            pages, free, size = (
                session.run(f"pragma {name}")[0][0] for name in ("page_count", "freelist_count", "page_size")
            )
            return int((pages - free) * size)
        return int(session.run("select pg_database_size(current_database())")[0][0])
