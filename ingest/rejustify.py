"""Placing stored calls anew when sequence or chains have arrived since they were ingested.

A chunk says how each call was reported, so the calls of a block go once more through what placed them at their ingest
(``ingest.columns``, ``ingest.recomputed``), and the result is the one that an ingest with everything loaded would have
given; ``ingest.structural_rejustify`` does so for structural sites. One contig is one transaction: readers see it
before or after, and a run that was killed goes on with the contig that it had not finished. Calls that contradict a
sequence stay as they are and are counted.

Positions are zero-based, half-open.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from app.formats.genotype import Genotype
from app.formats.vcf_block import ABSENT, RecordBlock
from app.operations.context import Genome
from app.records import Build, LiftStatus, SourceClass
from app.store import knowledge, structural_sites, variants
from app.store import rejustify as store
from app.store.codec import Allele, Placement
from app.store.rejustify import Changes, Rewriting, StoredChunk, Target, begins_here, starts_there
from app.store.session import Database, Session
from app.variants.accessions import MT, accession, display
from app.variants.placed_batch import CONTRADICTS, PlacedBatch
from app.variants.reference import NoReference
from ingest.columns import StoredRows, bins_of, variant_columns
from ingest.consequence_rules import ConsequenceRules
from ingest.progress import Progress
from ingest.recomputed import with_recomputed
from ingest.structural_rejustify import place_sites

Ints = NDArray[np.int64]

_MANY_CALLS = 500_000
"""So many calls of several call sets are placed together"""

_OPTIONAL = ("depth", "ref_depth", "alt_depth", "allele_depths", "phase_set")


@dataclass(slots=True)
class Outcome:
    """What placing anew changed, by contig, and the calls by source that contradict the reference."""

    changes: dict[int, Changes] = field(default_factory=dict)
    contradicting: Counter[str] = field(default_factory=Counter)

    @property
    def total(self) -> Changes:
        """Return the changes of all contigs; a call set counts on each of them."""
        every = self.changes.values()
        return Changes(
            sum(one.call_sets for one in every),
            sum(one.updated for one in every),
            sum(one.added for one in every),
            sum(one.removed for one in every),
        )


class _OnlyAsked(Exception):
    """Ends a transaction that was to show what it would change."""


def rejustify(database: Database, genome: Genome, progress: Progress, *, dry_run: bool = False) -> Outcome:
    """Place every stored call anew that loaded sequence or chains may place better; ``dry_run`` changes nothing.

    Raises:
        Busy: an ingest holds the store.
    """
    outcome = Outcome()
    with database.sole_writer():
        with database.read() as session:
            contigs = store.contigs(session)
        for contig in contigs:
            try:
                with database.write() as session:
                    changes = _Contig(session, genome, contig, outcome.contradicting).rewrite()
                    if dry_run:
                        raise _OnlyAsked
            except _OnlyAsked:
                pass
            if changes:
                outcome.changes[contig] = changes
                would = "would be " if dry_run else ""
                progress.say(
                    f"chromosome {display(contig)}: {changes.updated:,} variants {would}updated, {changes.added:,} "
                    f"added, {changes.removed:,} dropped"
                )
        if not dry_run:
            with database.write() as session:
                store.remember_chains(session, _digest(genome))
    return outcome


def waiting(database: Database, genome: Genome) -> int:
    """Return how many stored variants the loaded sequences and chains may place better."""
    with database.read() as session:
        natives = {target.build for target in store.targets(session)}
        return sum(_count_waiting(session, genome, contig, natives) for contig in store.contigs(session))


def _count_waiting(session: Session, genome: Genome, contig: int, natives: set[Build]) -> int:
    rows = store.unsettled(session, contig)
    starts = {Build.GRCH37: rows.start37, Build.GRCH38: rows.start38}
    known = {build: _is_loaded(genome, build, contig, starts[build]) for build in Build}
    found = np.zeros(len(rows.status), dtype=np.bool_)
    for native in natives:
        found |= ~rows.justified & known[native]
        found |= (rows.status == LiftStatus.UNVERIFIED) & known[native.other]
        if _leads_from(genome, native):
            found |= (rows.status == LiftStatus.NO_CHAIN) & (starts[native] >= 0)
    sites = sum(
        structural_sites.count_unplaced(session, contig, native, LiftStatus.NO_CHAIN)
        for native in natives
        if _leads_from(genome, native)
    )
    return int(np.count_nonzero(found)) + sites


def _is_loaded(genome: Genome, build: Build, contig: int, starts: Ints) -> NDArray[np.bool_]:
    """Return at which positions the base there, or the one before, is loaded; -1 stands for no place."""
    loaded = np.zeros(len(starts), dtype=np.bool_)
    # The mitochondrial genome is the same sequence, whichever build it was loaded for.
    for one in Build if contig == MT else (build,):
        reference = genome.references.get(one, NoReference())
        bounds = np.array([bound for stretch in reference.stretches(accession(one, contig)) for bound in stretch])
        for at in (starts, starts - 1):
            loaded |= np.searchsorted(bounds, at, side="right") % 2 == 1
    return loaded & (starts >= 0)


def _digest(genome: Genome) -> int:
    """Return a number that stands for the loaded chains, 0 for none."""
    sources = sorted((source.source.value, source.sha256) for source in genome.liftover.sources)
    return int.from_bytes(blake2b(repr(sources).encode(), digest_size=7).digest(), "big") if sources else 0


def _leads_from(genome: Genome, build: Build) -> bool:
    return any(chain.source is build for chain in genome.liftover.sources)


class _Contig:
    """Places the calls of one contig anew, call set by call set in the order of their ingests."""

    def __init__(self, session: Session, genome: Genome, contig: int, contradicting: Counter[str]) -> None:
        self._genome = genome
        self._contig = contig
        self._has_new_chains = store.chains(session) != _digest(genome)
        self._contradicting = contradicting
        self._session = session
        self._targets = store.targets(session)
        self._rewriting = Rewriting(session, contig, self._targets)

    def rewrite(self) -> Changes:
        """Place what waits, and return what that changed."""
        group: list[tuple[Target, Sequence[StoredChunk]]] = []
        size = 0
        for target in self._targets:
            before = self._rewriting.read(target)
            if not any(self._waits(target.build, stored) for stored in before):
                continue
            if group and (size > _MANY_CALLS or group[0][0].build is not target.build):
                self._rewrite(group)
                group, size = [], 0
            group.append((target, before))
            size += sum(len(stored.chunk) for stored in before)
        if group:
            self._rewrite(group)
        self._relink()
        self._rewriting.count(
            place_sites(self._session, self._genome, self._contig, self._targets, self._contradicting)
        )
        changes = self._rewriting.finish()
        # More sequence tells more of what a variant does, even where it moves none.
        ConsequenceRules(self._genome).relink_contig(self._session, self._contig)
        return changes

    def _relink(self) -> None:
        """Place the variants anew that knowledge is about, carried or not."""
        ids = knowledge.linked_unsettled(self._session, self._contig, store.UNSETTLED, store.UNJUSTIFIED)
        leading: dict[int, set[int]] = {id_: set() for id_ in ids}
        placements = variants.placements_of(self._session, ids)
        for build in Build:
            changes = sorted(
                (spdi.position, spdi.deleted, spdi.inserted, id_)
                for id_, one in placements.items()
                if (spdi := one.on(build)) is not None and spdi.deleted != spdi.inserted
            )
            if not changes:
                continue
            positions, deleted, inserted, former = zip(*changes, strict=True)
            batch = self._genome.placer.place_batch(
                build, self._contig, np.array(positions, dtype=np.int64), deleted, inserted
            )
            rows = np.flatnonzero(batch.ref_check != CONTRADICTS)
            columns = variant_columns(self._contig, build, batch)
            found = self._rewriting.adopt(columns, rows, np.array(former, dtype=np.int64))
            for row in rows.tolist():
                leading[former[row]].add(int(found[row]))
        self._rewriting.relink(leading)

    def _rewrite(self, group: Sequence[tuple[Target, Sequence[StoredChunk]]]) -> None:
        """Place some call sets of one build together, since they have many variants in common."""
        targets = [target for target, _ in group]
        after: list[list[StoredChunk]] = [[] for _ in group]
        parts: dict[int, list[tuple[int, StoredChunk]]] = defaultdict(list)
        for at, (target, before) in enumerate(group):
            for part, chunks in store.by_part(before).items():
                if any(self._waits(target.build, stored) for stored in chunks):
                    parts[part] += [(at, stored) for stored in chunks]
                else:
                    after[at] += chunks
        for part in sorted(parts):
            for at, stored in self._placed(targets, part, parts[part]):
                after[at].append(stored)
        self._rewriting.replace([(target, before, now) for (target, before), now in zip(group, after, strict=True)])

    def _waits(self, build: Build, stored: StoredChunk) -> bool:
        """Return whether what is loaded may place a call of a chunk better."""
        chunk = stored.chunk
        status = np.array([placement.status for placement in chunk.placements])[chunk.placement]
        if _leads_from(self._genome, build):
            retried = store.UNSETTLED - {LiftStatus.UNVERIFIED} if self._has_new_chains else {LiftStatus.NO_CHAIN}
            if np.isin(status, list(retried)).any():
                return True
        unverified = status == LiftStatus.UNVERIFIED
        if unverified.any() and self._is_loaded(build.other, starts_there(chunk)[unverified]).any():
            return True
        codes = [code for code in np.unique(chunk.allele).tolist() if not chunk.alleles[code].justified]
        return bool(codes) and bool(self._is_loaded(build, chunk.start[np.isin(chunk.allele, codes)]).any())

    def _is_loaded(self, build: Build, starts: Ints) -> NDArray[np.bool_]:
        return _is_loaded(self._genome, build, self._contig, starts)

    def _placed(
        self, targets: Sequence[Target], part: int, chunks: Sequence[tuple[int, StoredChunk]]
    ) -> Iterator[tuple[int, StoredChunk]]:
        """Yield the chunks of one block's calls, each with the number of its target, as an ingest would write them."""
        calls = _Calls.of(self._contig, chunks)
        block, genotypes = calls.block, calls.genotypes
        placer, build = self._genome.placer, targets[0].build
        batch = placer.place_batch(build, self._contig, block.positions, block.refs, block.alts)
        wrong = np.flatnonzero((batch.ref_check == CONTRADICTS)[block.row])
        self._contradicting.update(targets[at].source for at in block.sample[wrong].tolist())
        germline = np.array([target.source_class is SourceClass.GERMLINE for target in targets])
        block, batch, genotypes = with_recomputed(placer, build, block, batch, genotypes, germline=germline)
        former = np.full(len(batch.start), -1, dtype=np.int64)
        former[: len(calls.former)] = calls.former
        columns = variant_columns(self._contig, build, batch)
        ids = self._rewriting.adopt(columns, np.flatnonzero(batch.ref_check != CONTRADICTS), former)
        self._rewriting.annotate(former, ids, build)
        rows = calls.unless_contradicting(StoredRows.of(block, batch, ids), batch)
        for at, bin_, chunk in bins_of(block, rows, np.arange(len(block.row)), genotypes):
            yield at, StoredChunk(bin_, part, chunk)


_Code = TypeVar("_Code")


class _Codes(dict[_Code, int]):
    """Numbers things in the order in which they come."""

    def __missing__(self, thing: _Code) -> int:
        number = self[thing] = len(self)
        return number

    def of(self, codes: NDArray[Any], things: Sequence[_Code]) -> Ints:
        """Return the numbers of the things that some codes of a chunk stand for."""
        used, which = np.unique(codes, return_inverse=True)
        return np.array([self[things[code]] for code in used.tolist()], dtype=np.int64)[which]


@dataclass(frozen=True, slots=True)
class _Calls:
    """The reported calls of some call sets in one block, as read from their chunks."""

    block: RecordBlock
    genotypes: Sequence[Genotype]
    former: Ints
    """Of each row: the variant, the start, and the alleles and placement that it was stored with"""
    start: Ints
    alleles: Sequence[Allele]
    placements: Sequence[Placement]

    @classmethod
    def of(cls, contig: int, chunks: Sequence[tuple[int, StoredChunk]]) -> _Calls:
        """Take the calls out of chunks, given with the number of their call set.

        Calls that follow for the other build are left out.
        """
        alleles, placements, genotypes = _Codes[Allele](), _Codes[Placement](), _Codes[Genotype]()
        filters = _Codes[str]({"PASS": 0})
        keys: list[NDArray[Any]] = []
        columns: dict[str, list[NDArray[Any]]] = defaultdict(list)
        for at, stored in chunks:
            rows = begins_here(stored)
            chunk = stored.chunk.take(rows)
            nothing = np.full(len(rows), ABSENT)
            passed = np.zeros(len(rows), dtype=np.int64)
            filter_ = passed if chunk.filter is None else filters.of(chunk.filter, chunk.filters)
            allele, placement = (
                alleles.of(chunk.allele, chunk.alleles),
                placements.of(chunk.placement, chunk.placements),
            )
            keys.append(np.stack([chunk.variant, chunk.start, allele, placement, filter_]))
            columns["sample"].append(np.full(len(rows), at))
            columns["genotype"].append(genotypes.of(chunk.genotype, chunk.genotypes))
            columns["frequency"].append(np.full(len(rows), np.nan) if chunk.frequency is None else chunk.frequency)
            for name in _OPTIONAL:
                values = getattr(chunk, name)
                columns[name].append(nothing if values is None else values)
        joined = {name: np.concatenate(parts) for name, parts in columns.items()}
        # Sorted by their variants, so in the order in which an ingest met them first: the first call of a variant
        # decides what its row says.
        (former, start, allele, placement, filter_), row = np.unique(
            np.concatenate(keys, axis=1).astype(np.int64), axis=1, return_inverse=True
        )
        written, placed, named = list(alleles), list(placements), list(filters)
        row_alleles = [written[code] for code in allele.tolist()]
        block = RecordBlock(
            contig=contig,
            first_record=0,
            next_record=0,
            bytes_read=0,
            positions=start + np.array([one.anchor for one in row_alleles], dtype=np.int64),
            refs=[one.ref for one in row_alleles],
            alts=[one.alt for one in row_alleles],
            lines_1based=[0] * len(start),
            filters=[named[code] for code in filter_.tolist()] if filter_.any() else None,
            row=row.reshape(-1).astype(np.int32),
            sample=joined["sample"].astype(np.int32),
            genotype=joined["genotype"].astype(np.int32),
            depth=joined["depth"].astype(np.int32),
            ref_depth=joined["ref_depth"].astype(np.int32),
            alt_depth=joined["alt_depth"].astype(np.int32),
            allele_depths=joined["allele_depths"].astype(np.int32),
            frequency=joined["frequency"],
            phase_set=joined["phase_set"].astype(np.int64),
        )
        return cls(block, list(genotypes), former, start, row_alleles, [placed[code] for code in placement.tolist()])

    def unless_contradicting(self, rows: StoredRows, batch: PlacedBatch) -> StoredRows:
        """Return the columns of the rows, those of calls that contradict the reference as they were."""
        wrong = np.flatnonzero(batch.ref_check == CONTRADICTS)
        if not len(wrong):
            return rows
        at = wrong.tolist()
        kept = StoredRows(
            start=rows.start.copy(),
            end=rows.end.copy(),
            ids=rows.ids.copy(),
            allele=rows.allele.copy(),
            alleles=[*rows.alleles, *(self.alleles[row] for row in at)],
            placement=rows.placement.copy(),
            placements=[*rows.placements, *(self.placements[row] for row in at)],
        )
        kept.start[wrong], kept.ids[wrong] = self.start[wrong], self.former[wrong]
        kept.end[wrong] = self.start[wrong] + [self.alleles[row].span for row in at]
        kept.allele[wrong] = len(rows.alleles) + np.arange(len(wrong))
        kept.placement[wrong] = len(rows.placements) + np.arange(len(wrong))
        return kept
