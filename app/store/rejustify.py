"""Rewriting what is stored when calls are placed anew: chunks, carriers, variants and totals stay one consistent whole.

A ``Rewriting`` is one transaction over one contig. It takes the calls of one call set after the other; whoever places
them knows the sequences, this module knows what depends on what. Variants are told apart by their place and change and
never by their number, so two spellings that turn out to be one change meet in one row, and one row parts where calls of
the two builds turn out to differ. Calls of unfinished ingests are left alone: they wait for the next time.

Positions are zero-based, half-open.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import NamedTuple

import numpy as np
import orjson
from numpy.typing import NDArray
from pyroaring import BitMap64

from app.records import Build, LiftStatus, SourceClass
from app.store import (
    bitmaps,
    carriers,
    codec,
    computed,
    counters,
    file_annotations,
    knowledge,
    knowledge_unions,
    studies,
    variants,
)
from app.store.codec import BIN, CallChunk, Placed
from app.store.session import Session
from app.store.variants import Ints, VariantColumns
from app.variants.accessions import CONTIGS

UNJUSTIFIED = 16
_MANY = 500_000
"""Carriers that are collected before they are written"""
_SLICE = 50_000

UNSETTLED = frozenset(
    {LiftStatus.UNVERIFIED, LiftStatus.NO_CHAIN, LiftStatus.UNMAPPED, LiftStatus.SPLIT, LiftStatus.OTHER_CONTIG}
)
"""What a place on the other build can be called that more sequence or another chain may change"""


@dataclass(frozen=True, slots=True)
class Target:
    """One call set whose calls may be placed anew."""

    call_set_id: int
    shard: int
    ordinal: int
    build: Build
    source_class: SourceClass
    source: str


def targets(session: Session) -> list[Target]:
    """Return every visible call set in the order of the ingests."""
    rows = session.run(
        "select cs.id, cs.shard, st.subject_ordinal, cs.build, cs.source_class, cs.source"
        " from call_set cs join study st on st.id = cs.study_id order by cs.id"
    )
    return [
        Target(id_, shard, ordinal, Build(build), SourceClass(source_class), source)
        for id_, shard, ordinal, build, source_class, source in rows
    ]


def contigs(session: Session) -> list[int]:
    """Return the contigs that have variants, simple or structural ones."""
    sql = (
        "select 1 where exists (select 1 from variant where contig = :contig)"
        " or exists (select 1 from structural_site where contig = :contig)"
    )
    return [contig for contig in CONTIGS if session.run(sql, {"contig": contig})]


def chains(session: Session) -> int:
    """Return the number that stands for the chains of the last time, 0 if there was none."""
    return counters.value(session, counters.CHAINS)


def remember_chains(session: Session, number: int) -> None:
    """Keep the number that stands for the chains that every call was placed with."""
    counters.add(session, counters.CHAINS, number - chains(session))


@dataclass(frozen=True, slots=True)
class Unsettled:
    """The variants of one contig that more sequence or a chain may change, as columns; -1 where there is no place."""

    start37: Ints
    start38: Ints
    status: Ints
    justified: NDArray[np.bool_]


def unsettled(session: Session, contig: int) -> Unsettled:
    """Return the variants of a contig that are not justified, not verified, or have a place on one build only."""
    rows = session.run(
        "select coalesce(start37, -1), coalesce(start38, -1), status from variant"
        f" where contig = :contig and (status >= {UNJUSTIFIED} or status {session.in_ints('statuses')})",
        {"contig": contig, "statuses": session.int_list(sorted(UNSETTLED))},
    )
    start37, start38, status = np.array(rows, dtype=np.int64).reshape(len(rows), 3).T
    return Unsettled(start37, start38, status % UNJUSTIFIED, status < UNJUSTIFIED)


class StoredChunk(NamedTuple):
    """A chunk with its place in its call set and contig."""

    bin: int
    part: int
    chunk: CallChunk


@dataclass(slots=True)
class Changes:
    """What a rewriting changed."""

    call_sets: int = 0
    updated: int = 0
    """Variants that kept their number"""
    added: int = 0
    removed: int = 0
    """Variants that nobody carries any more, since their calls turned out to be of others"""

    def __bool__(self) -> bool:
        return bool(self.call_sets or self.updated)


class Rewriting:
    """One contig on its way from what is stored to what is true now; everything in the session's transaction."""

    def __init__(self, session: Session, contig: int, call_sets: Iterable[Target]) -> None:
        self._session = session
        self._contig = contig
        self._of_subject: dict[int, list[Target]] = defaultdict(list)
        self._one_build = True
        for target in call_sets:
            self._of_subject[target.ordinal].append(target)
            self._one_build &= target.build is Build.GRCH38
        self._settled = BitMap64()
        self._left = BitMap64()
        self._joined = BitMap64()
        self._gained = BitMap64()
        self._rewritten = BitMap64()
        self._restates = False
        self._annotated = {build: BitMap64() for build in Build}
        self._added: list[Ints] = []
        self._gone: list[Ints] = []
        self._waiting = 0
        self.changes = Changes()

    def read(self, target: Target) -> list[StoredChunk]:
        """Return the chunks of a call set by part and bin."""
        rows = self._session.run(
            "select bin, part, data from call_chunk where shard = :shard and call_set_id = :id and contig = :contig"
            " order by part, bin",
            {"shard": target.shard, "id": target.call_set_id, "contig": self._contig},
        )
        return [StoredChunk(bin_, part, codec.decode(data)) for bin_, part, data in rows]

    def adopt(self, columns: VariantColumns, rows: NDArray[np.intp], former: Ints) -> Ints:
        """Return the ids of some rows (-1 for the others); a variant is updated, or added where none is that change.

        ``former`` has, for every row of the columns, the variant that its calls were of so far, -1 for none.
        """
        ids = variants.known(self._session, columns, rows)
        unknown = rows[ids[rows] < 0]
        self._update(columns, rows[ids[rows] >= 0], ids)
        if len(unknown):
            self._claim(columns, unknown, former)
            found, new = variants.resolve(self._session, columns, unknown)
            ids[unknown] = found[unknown]
            self.changes.added += new
        self._settled.update(ids[rows].tolist())
        return ids

    def _update(self, columns: VariantColumns, rows: NDArray[np.intp], ids: Ints) -> None:
        """Complete variants that have the place and change of a row, but were not settled when they were stored.

        The first call of a variant decides what its row says, as in an ingest.
        """
        _, first = np.unique(ids[rows], return_index=True)
        rows = rows[first]
        fresh = [id_ not in self._settled for id_ in ids[rows].tolist()]
        stored = variants.stored(self._session, ids[rows[fresh]].tolist())
        open_ = [id_ in stored and _is_unsettled(stored[id_][5]) for id_ in ids[rows].tolist()]
        records = variants.records(columns, rows[open_], ids)
        self._rewrite(record for record in records if record != stored[record[0]])

    def _claim(self, columns: VariantColumns, rows: NDArray[np.intp], former: Ints) -> None:
        """Let variants whose calls all become the same other change go on as that change.

        This spares their carriers the move. It is so where all calls of a variant are of one build and were written at
        the same place: where it has no place on GRCh38, and where no call set is on GRCh37.
        """
        key = np.stack(variants.keys(columns, rows))
        rows = rows[np.sort(np.unique(key, axis=1, return_index=True)[1])]
        candidates = {int(former[row]): row for row in rows[::-1].tolist() if former[row] >= 0}
        stored = variants.stored(self._session, list(candidates))
        ids = former.copy()
        chosen = [
            candidates[id_]
            for id_, record in stored.items()
            if id_ not in self._settled and (record[3] is None or self._one_build)
        ]
        self._rewrite(variants.records(columns, np.array(sorted(chosen), dtype=np.intp), ids))

    def _rewrite(self, records: Iterable[variants.Record]) -> None:
        changed = list(records)
        variants.rewrite(self._session, changed)
        self._settled.update(record[0] for record in changed)
        self._rewritten.update(record[0] for record in changed)
        self.changes.updated += len(changed)

    def annotate(self, former: Ints, ids: Ints, build: Build) -> None:
        """Let what files of a build said of variants be said of those that their calls turned out to be."""
        moved = (former >= 0) & (ids >= 0) & (former != ids)
        pairs = np.unique(np.stack([former[moved], ids[moved]]), axis=1).T.tolist()
        self._annotated[build] |= BitMap64(file_annotations.copy(self._session, pairs, build))

    def replace(self, call_sets: Sequence[tuple[Target, Sequence[StoredChunk], Sequence[StoredChunk]]]) -> None:
        """Store call sets anew, given with all their chunks on the contig before and after; their carriers follow."""
        changed = [one for one in call_sets if self._write(*one)]
        for target, before, after in changed:
            self._count_unplaced(target, after)
            had, has = _carried(before, target.source_class), _carried(after, target.source_class)
            gone = np.setdiff1d(had, has, assume_unique=True)
            self._left.update((gone >> 8).tolist())
            for other in self._of_subject[target.ordinal]:
                if len(gone) and other != target:  # another test may say the same of the subject
                    gone = np.setdiff1d(gone, _carried(self.read(other), other.source_class), assume_unique=True)
            new = np.setdiff1d(has, had, assume_unique=True)
            self._joined.update((new >> 8).tolist())
            self._gained.update((new >> 8).tolist())
            self._move(target.ordinal, gone, new)
        self.changes.call_sets += len(changed)

    def _write(self, target: Target, before: Sequence[StoredChunk], after: Sequence[StoredChunk]) -> bool:
        """Write the chunks that differ, and return whether there are any."""
        place = (target.shard, target.call_set_id, self._contig)
        stored = {(bin_, part): chunk for bin_, part, chunk in before}
        fresh, changed = [], []
        for bin_, part, chunk in after:
            known = stored.pop((bin_, part), None)
            if known is None:
                fresh.append((*place, bin_, part, codec.encode(chunk)))
            elif not codec.is_same(known, chunk):
                changed.append((codec.encode(chunk), *place, bin_, part))
        where = "where shard = ? and call_set_id = ? and contig = ? and bin = ? and part = ?"
        self._session.run_many(f"update call_chunk set data = ? {where}", changed)
        self._session.run_many(f"delete from call_chunk {where}", [(*place, bin_, part) for bin_, part in stored])
        self._session.insert_rows("call_chunk", ("shard", "call_set_id", "contig", "bin", "part", "data"), fresh)
        return bool(fresh or changed or stored)

    def _count_unplaced(self, target: Target, chunks: Sequence[StoredChunk]) -> None:
        number = sum(int(np.count_nonzero(_first(stored) & _nowhere(stored.chunk))) for stored in chunks)
        text = self._session.run("select unplaced from call_set where id = :id", {"id": target.call_set_id})[0][0]
        counts = {int(contig): n for contig, n in orjson.loads(text).items()} | {self._contig: number}
        text = orjson.dumps({str(contig): n for contig, n in sorted(counts.items()) if n}).decode()
        self._session.run_many("update call_set set unplaced = ? where id = ?", [(text, target.call_set_id)])

    def _move(self, ordinal: int, gone: Ints, added: Ints) -> None:
        for keys, waiting in ((gone, self._gone), (added, self._added)):
            if len(keys):
                waiting.append(np.stack([keys >> 8, np.full(len(keys), ordinal), keys & 0xFF]))
                self._waiting += len(keys)
        if self._waiting > _MANY:
            self._flush()

    def _flush(self) -> None:
        # Withdrawn first: another call set of a subject may have brought back what an earlier one took away.
        for act, waiting in ((carriers.withdraw, self._gone), (carriers.merge, self._added)):
            if waiting:
                act(self._session, *np.concatenate(waiting, axis=1))
                waiting.clear()
        self._waiting = 0

    def relink(self, leading: Mapping[int, set[int]]) -> None:
        """Let knowledge about some variants be about what they turned out to be."""
        changed = {former: ids for former, ids in leading.items() if ids and ids != {former}}
        knowledge.relink(self._session, changed)
        self._restates |= bool(changed)
        self._left.update(changed)
        self._joined.update(id_ for ids in changed.values() for id_ in ids)
        self.changes.updated += len(changed)

    def count(self, changes: Changes) -> None:
        """Take note of what else changed on the contig in this transaction."""
        self.changes.call_sets += changes.call_sets
        self.changes.updated += changes.updated

    def finish(self) -> Changes:
        """Remove the variants that nobody carries any more, and let readers know that answers may have changed."""
        self._flush()
        knowledge_unions.recount(self._session, self._joined)
        computed.recheck(self._session, self._rewritten)
        computed.note_carried(self._session, self._gained)
        self._withdraw_annotations()
        if self._restates:
            computed.restate(self._session)
        before = counters.value(self._session, counters.VARIANTS)
        for ids in _slices(self._left):
            studies.drop_uncarried(self._session, ids)
        self.changes.removed = before - counters.value(self._session, counters.VARIANTS)
        if self.changes:
            counters.add(self._session, counters.DATA_VERSION, 1)
        return self.changes

    def _withdraw_annotations(self) -> None:
        """Remove what files of a build said of variants that all calls of this build have left, others perhaps not."""
        for build, former in self._annotated.items():
            self._restates |= bool(former)
            left = former.copy()
            for target in chain.from_iterable(self._of_subject.values()):
                if left and target.build is build:
                    for stored in self.read(target):
                        left.difference_update(BitMap64(stored.chunk.variant.tolist()))
            file_annotations.withdraw(self._session, left, build)


def _is_unsettled(status: int) -> bool:
    return status >= UNJUSTIFIED or status in UNSETTLED


def _slices(ids: BitMap64) -> Iterator[set[int]]:
    some: set[int] = set()
    for id_ in ids:
        some.add(id_)
        if len(some) == _SLICE:
            yield some
            some = set()
    if some:
        yield some


def _first(stored: StoredChunk) -> NDArray[np.bool_]:
    """Return which calls of a chunk begin in its bin: those that touch several bins are stored in each of them."""
    first: NDArray[np.bool_] = stored.chunk.start // BIN == stored.bin
    return first


def _nowhere(chunk: CallChunk) -> NDArray[np.bool_]:
    placed = np.array([placement.placed for placement in chunk.placements], dtype=np.int64)
    nowhere: NDArray[np.bool_] = placed[chunk.placement] == Placed.NOWHERE
    return nowhere


def starts_there(chunk: CallChunk) -> Ints:
    """Return where calls start on the other build, -1 where that does not follow from the chunk."""
    placed = np.array([placement.placed for placement in chunk.placements], dtype=np.int64)[chunk.placement]
    offset = np.array([placement.offset for placement in chunk.placements], dtype=np.int64)[chunk.placement]
    there: Ints = np.select(
        [placed == Placed.FORWARD, placed == Placed.REVERSE], [chunk.start + offset, offset - chunk.end()], -1
    )
    return there


def _carried(chunks: Sequence[StoredChunk], source_class: SourceClass) -> Ints:
    """Return variant * 256 + kind of every call, sorted and without repeats."""
    keys = []
    for _, _, chunk in chunks:
        kinds = np.array([bitmaps.kind_of(source_class, genotype.zygosity) for genotype in chunk.genotypes])
        keys.append((chunk.variant.astype(np.int64) << 8) | kinds[chunk.genotype])
    return np.unique(np.concatenate(keys)) if keys else np.empty(0, dtype=np.int64)


def by_part(chunks: Iterable[StoredChunk]) -> Mapping[int, list[StoredChunk]]:
    """Return chunks by the block of the ingest that wrote them."""
    parts: dict[int, list[StoredChunk]] = defaultdict(list)
    for stored in chunks:
        parts[stored.part].append(stored)
    return parts


def begins_here(stored: StoredChunk) -> NDArray[np.intp]:
    """Return the calls of a chunk that were reported for this build and begin in its bin."""
    return np.flatnonzero(_first(stored) & ~np.isin(stored.chunk.allele, stored.chunk.extent()[1]))
