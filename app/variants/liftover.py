"""Take places of one build to the other by chain files, with a typed answer for every failure.

pyliftover parses a file (format: https://genome.ucsc.edu/goldenPath/help/chain.html); its blocks then become one
``Segments`` map per chromosome, so that a place is found by bisection and thousands of places in one numpy call.

Where several chains cover a base the one with the best score counts, as in pyliftover; among equal scores a chain to
the same chromosome goes first, then pyliftover's own order. The second rule matters: Ensembl gives every chain the
same score and lists chains to patches of GRCh37 beside those to its chromosomes. A base whose best chain leads to
another sequence has no place, and the answer says so. The mitochondrial genome never goes through a chain:
NC_012920.1 belongs to both builds.

All positions are zero-based, all intervals half-open.

>>> liftover = load_liftover(Path(".operon/reference"))  # doctest: +SKIP
>>> liftover.lift_interval(Build.GRCH37, 7, 140453135, 140453136)  # doctest: +SKIP
LiftedInterval(start=140753335, end=140753336, reverse=False, status=<LiftStatus.OK: 0>)
"""

from __future__ import annotations

import functools
import gzip
import hashlib
import io
import itertools
import json
import math
import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from pyliftover import LiftOver

from app.errors import BadFile, LiftoverFailed
from app.records import Build, LiftStatus
from app.variants import chain_text, segment_cache
from app.variants.accessions import MT, accession, contig_named, locate
from app.variants.interval import Interval
from app.variants.segments import Ints, LiftedBatch, LiftedInterval, Segments


@dataclass(frozen=True, slots=True)
class ChainSource:
    """Where a direction's chains come from: file name and SHA-256 as it was given."""

    name: str
    source: Build
    target: Build
    sha256: str


@dataclass(frozen=True, slots=True)
class ChainReport:
    """What an added chain file holds: its chains between chromosomes, and which source chromosomes they start from."""

    origin: ChainSource
    chains: int
    contigs: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class LiftedRange:
    """A range on the other build, and by how many bases the farther moved end of the question was moved outwards."""

    interval: Interval
    widened: int


@dataclass(frozen=True, slots=True)
class Chain:
    """The chains of one direction as a map per source chromosome."""

    origin: ChainSource
    segments: Mapping[int, Segments]

    @classmethod
    def load(cls, path: Path, source: Build, target: Build) -> Self:
        """Read a chain file, plain or gzipped; raise BadFile when it is unreadable or of another direction."""
        content = _content(path)
        segments, _ = _parse(content, path.name, source, target)
        return cls(ChainSource(path.name, source, target, _sha256(content)), segments)

    @property
    def source(self) -> Build:
        """Return the build that places are taken from."""
        return self.origin.source

    @property
    def target(self) -> Build:
        """Return the build that places are taken to."""
        return self.origin.target

    def lift_batch(self, contig: int, starts: Ints, ends: Ints) -> LiftedBatch:
        """Lift intervals of one chromosome, an empty one by the two bases that it lies between."""
        segments = self.segments.get(contig)
        if segments is None:
            return LiftedBatch.unplaced(len(starts), LiftStatus.UNMAPPED)
        return segments.lift_batch(starts, ends)

    def lift_interval(self, contig: int, start: int, end: int) -> LiftedInterval:
        """Lift one interval by the same rules as ``lift_batch``."""
        segments = self.segments.get(contig)
        if segments is None:
            return LiftedInterval(-1, -1, reverse=False, status=LiftStatus.UNMAPPED)
        return segments.lift_interval(start, end)

    def source_intervals(self, contig: int, start: int, end: int) -> list[tuple[int, int]]:
        """Return, sorted and merged, every source interval whose bases lift into ``[start, end)`` of the target."""
        segments = self.segments.get(contig)
        return segments.source_intervals(start, end) if segments is not None else []


class Liftover:
    """The directions that are loaded: none, one or both."""

    def __init__(self, chains: Iterable[Chain] = ()) -> None:
        """Take at most one chain for each direction."""
        self._chains = {chain.source: chain for chain in chains}

    @property
    def sources(self) -> tuple[ChainSource, ...]:
        """Return the origin of each loaded direction."""
        return tuple(chain.origin for chain in self._chains.values())

    def lift_batch(self, source: Build, contig: int, starts: Ints, ends: Ints) -> LiftedBatch:
        """Lift intervals of one chromosome of ``source``, an empty one by the two bases that it lies between."""
        if contig == MT:
            same = np.array(starts, dtype=np.int64), np.array(ends, dtype=np.int64)
            batch = LiftedBatch.unplaced(len(starts), LiftStatus.IDENTITY)
            return LiftedBatch(*same, batch.reverse, batch.status)
        chain = self._chains.get(source)
        if chain is None:
            return LiftedBatch.unplaced(len(starts), LiftStatus.NO_CHAIN)
        return chain.lift_batch(contig, starts, ends)

    def lift_interval(self, source: Build, contig: int, start: int, end: int) -> LiftedInterval:
        """Lift one interval of ``source`` by the same rules as ``lift_batch``."""
        if contig == MT:
            return LiftedInterval(start, end, reverse=False, status=LiftStatus.IDENTITY)
        chain = self._chains.get(source)
        if chain is None:
            return LiftedInterval(-1, -1, reverse=False, status=LiftStatus.NO_CHAIN)
        return chain.lift_interval(contig, start, end)

    def lift_ends(self, source: Build, contig: int, start: int, end: int) -> LiftedInterval:
        """Lift a long interval by its first and last base, between which the builds may differ.

        The ends must land on one strand of the same chromosome at a similar distance.
        """
        if contig == MT:
            return LiftedInterval(start, end, reverse=False, status=LiftStatus.IDENTITY)
        head = self.lift_interval(source, contig, start, start + 1)
        tail = self.lift_interval(source, contig, end - 1, end)
        for one in (head, tail):
            if one.status is not LiftStatus.OK:
                return one
        low, high = (tail, head) if head.reverse else (head, tail)
        if head.reverse != tail.reverse or low.start > high.start or not _similar(high.end - low.start, end - start):
            return LiftedInterval(-1, -1, reverse=False, status=LiftStatus.SPLIT)
        return LiftedInterval(low.start, high.end, reverse=head.reverse, status=LiftStatus.OK)

    def source_intervals(self, target: Build, contig: int, start: int, end: int) -> list[tuple[int, int]]:
        """Return every interval of the other build whose bases lift into ``[start, end)`` of ``target``."""
        if contig == MT:
            return [(start, end)] if start < end else []
        chain = self._chains.get(target.other)
        return chain.source_intervals(contig, start, end) if chain is not None else []

    def lift_range(self, source: Build, interval: Interval, widen_max: int) -> LiftedRange:
        """Lift a query range by its first and last base, moving an end that has no place outwards by up to widen_max.

        An empty range stands for the base at its start. Raise LiftoverFailed when no pair of ends lands on one strand
        of the same chromosome at a similar distance.
        """
        contig, _ = locate(interval.ref_seq)
        if contig == MT:
            return LiftedRange(interval, widened=0)
        first, last = interval.start, max(interval.end - 1, interval.start)
        for head_step, tail_step in _outwards(widen_max):
            head = self.lift_interval(source, contig, first - head_step, first - head_step + 1)
            tail = self.lift_interval(source, contig, last + tail_step, last + tail_step + 1)
            if head.status is LiftStatus.OK is tail.status and head.reverse == tail.reverse:
                low, high = (tail, head) if head.reverse else (head, tail)
                asked = last + tail_step - (first - head_step) + 1
                if low.start <= high.start and _similar(high.end - low.start, asked):
                    placed = Interval(accession(source.other, contig), low.start, high.end)
                    return LiftedRange(placed, max(head_step, tail_step))
        raise LiftoverFailed(f"Failed LiftOver ({interval})", parameter="ranges")


@functools.lru_cache
def _outwards(widen_max: int) -> list[tuple[int, int]]:
    """Return the pairs of steps 0, 1, 2, 4, … widen_max by which the ends of a range move outwards, least first."""
    doubling = itertools.takewhile(lambda step: step < widen_max, (1 << power for power in itertools.count()))
    steps = [0, *doubling, *([widen_max] if widen_max > 0 else [])]
    return sorted(itertools.product(steps, steps), key=lambda pair: (max(pair), sum(pair)))


def _similar(lifted: int, asked: int) -> bool:
    """Return whether a lifted range has half to twice the length of the range asked for, give or take 1 kb."""
    return asked / 2 - 1000 <= lifted <= asked * 2 + 1000


# --- from a chain file to maps ----------------------------------------------------------------------------------------


def _content(path: Path) -> bytes:
    """Return the bytes of a file; raise BadFile when it cannot be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise BadFile(path.name, f"cannot be read ({error.strerror})") from error


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _parse(content: bytes, name: str, source: Build, target: Build) -> tuple[dict[int, Segments], int]:
    """Return the map of each source chromosome and the number of chains that they are made of; raise BadFile."""
    headers = chain_text.headers(chain_text.unpacked(content, name), name)
    chain_text.check_direction(headers, name, source, target)
    chosen = chain_text.between_chromosomes(headers, source)
    segments = {}
    for contig in sorted(chosen):
        text = b"\n".join(chain.text for chain in chosen[contig])
        try:
            index = LiftOver(io.BytesIO(text)).chain_file
        except Exception as error:  # pyliftover reports damage by whatever Python raised
            problem = f"has a chain of {chosen[contig][0].source_name} that cannot be read ({error})"
            raise BadFile(name, problem, mend=chain_text.MEND) from error
        for chain in index.chains:
            _check_bounds(chain, name)
        home = {id(chain): contig_named(chain.target_name, target) == contig for chain in index.chains}
        segments[contig] = _segments(index.chains, index.chain_index[chosen[contig][0].source_name], home)
    return segments, sum(map(len, chosen.values()))


def _check_bounds(chain: Any, name: str) -> None:
    """Raise BadFile when a chain leaves its sequences or has a block without bases."""
    empty = any(start >= end for start, end, _ in chain.blocks)
    source_inside = chain.source_start >= 0 and chain.source_end <= chain.source_size
    target_inside = chain.target_start >= 0 and chain.target_end <= chain.target_size
    if empty or not source_inside or not target_inside:
        problem = (
            f"the chain at {chain.source_name}:{chain.source_start} leaves its sequences or has a block of no bases"
        )
        raise BadFile(name, problem, mend=chain_text.MEND)


def _segments(chains: list[Any], tree: Any, home: Mapping[int, bool]) -> Segments:
    """Cut one chromosome wherever the chain that counts may change, and return the map of the pieces.

    ``home`` tells of each chain, by its ``id``, whether it leads to the same chromosome.
    """
    blocks = [(start, end, target_start, chain) for chain in chains for start, end, target_start in chain.blocks]
    starts = np.array([block[0] for block in blocks], dtype=np.int64)
    ends = np.array([block[1] for block in blocks], dtype=np.int64)
    # pyliftover's order among equal scores may change at the middle of each node of its tree, so cut there, too.
    cuts = np.unique(np.concatenate([starts, ends, np.array(list(_centres(tree)), dtype=np.int64)]))
    opened, closed = np.searchsorted(cuts, starts), np.searchsorted(cuts, ends)
    depth = np.cumsum(np.bincount(opened, minlength=len(cuts)) - np.bincount(closed, minlength=len(cuts)))
    numbers = np.arange(len(blocks), dtype=np.float64)
    alone = np.cumsum(np.bincount(opened, numbers, len(cuts)) - np.bincount(closed, numbers, len(cuts)))
    rows = []
    for piece in np.flatnonzero(depth).tolist():
        start = int(cuts[piece])
        if depth[piece] == 1:  # the sum of the numbers of the open blocks is the number of the only one
            block_start, _, target_start, chain = blocks[int(alone[piece])]
        else:
            hits = [(hit_start, *of) for hit_start, _, of in tree.query(start)]
            block_start, target_start, chain = max(hits, key=lambda hit: (hit[2].score, home[id(hit[2])]))
        rows.append((start, int(cuts[piece + 1]), *_stretch(block_start, target_start, chain, home[id(chain)])))
    return Segments.joined(np.array(rows, dtype=np.int64).reshape(len(rows), 5))


def _stretch(block_start: int, target_start: int, chain: Any, leads_home: bool) -> tuple[int, int, int]:
    """Return base, sign and status of a block; positions on a ``-`` target count from its far end."""
    if not leads_home:
        return 0, 1, LiftStatus.OTHER_CONTIG
    if chain.target_strand == "-":
        return chain.target_size - 1 - target_start + block_start, -1, LiftStatus.OK
    return target_start - block_start, 1, LiftStatus.OK


def _centres(tree: Any) -> Iterator[int]:
    """Return the first whole position at or after the middle of each node of a pyliftover tree."""
    if tree is not None and tree.single_interval == 0:
        yield math.ceil(tree.center)
        yield from _centres(tree.left_subtree)
        yield from _centres(tree.right_subtree)


# --- the folder of chain files ----------------------------------------------------------------------------------------


def add_chain(directory: Path, source: Build, target: Build, path: Path) -> ChainReport:
    """Check a chain file and copy it, gzipped, into ``directory`` in place of an earlier one of the same direction.

    Raise BadFile, with nothing changed, when it is damaged or leads elsewhere; the message tells its true direction.
    """
    if source is target:
        raise BadFile(path.name, f"a chain file leads from one build to the other, not from {source} to {target}")
    content = _content(path)
    segments, chains = _parse(content, path.name, source, target)
    stored = content if content.startswith(chain_text.GZIP_MAGIC) else gzip.compress(content, mtime=0)
    origin = ChainSource(path.name, source, target, _sha256(content))
    record = json.dumps({**asdict(origin), "stored_sha256": _sha256(stored)}, indent=2) + "\n"
    files = _Files.of(directory, source, target)
    directory.mkdir(parents=True, exist_ok=True)
    _replace(files.chain, stored)
    _replace(files.record, record.encode())
    _replace(files.parsed, segment_cache.packed(_sha256(stored), segments))
    return ChainReport(origin, chains, tuple(segments))


def load_liftover(directory: Path) -> Liftover:
    """Load the directions that ``directory`` holds; raise BadFile when one of its files is damaged."""
    directions = ((_Files.of(directory, source, source.other), source) for source in Build)
    return Liftover(_load_stored(files, source) for files, source in directions if files.chain.is_file())


@dataclass(frozen=True, slots=True)
class _Files:
    """The files of one direction: the chains, where they come from, and their parsed form."""

    chain: Path
    record: Path
    parsed: Path

    @classmethod
    def of(cls, directory: Path, source: Build, target: Build) -> Self:
        stem = f"{source}_to_{target}"
        return cls(directory / f"{stem}.chain.gz", directory / f"{stem}.json", directory / f"{stem}.npz")


def _load_stored(files: _Files, source: Build) -> Chain:
    """Load one stored file, from its parsed form where that belongs to it."""
    content = _content(files.chain)
    sha256 = _sha256(content)
    segments = segment_cache.unpacked(files.parsed, sha256)
    if segments is None:
        segments, _ = _parse(content, files.chain.name, source, source.other)
        with suppress(OSError):  # a read-only folder only costs the next start its time
            _replace(files.parsed, segment_cache.packed(sha256, segments))
    return Chain(_origin(files, source, sha256), segments)


def _origin(files: _Files, source: Build, stored_sha256: str) -> ChainSource:
    """Return the recorded origin of a stored file, or the stored file itself when the record is not about it."""
    # A missing or foreign record costs the original file's name, nothing else: the chains have their own checksum.
    with suppress(OSError, ValueError, KeyError, TypeError):
        record = json.loads(files.record.read_bytes())
        if record["stored_sha256"] == stored_sha256:
            return ChainSource(str(record["name"]), source, source.other, str(record["sha256"]))
    return ChainSource(files.chain.name, source, source.other, stored_sha256)


def _replace(path: Path, content: bytes) -> None:
    """Write a file so that a reader finds the old or the new one, never a part."""
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as stream:
        written = Path(stream.name)
        try:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
            written.chmod(0o644)
            written.replace(path)
        except BaseException:
            written.unlink()
            raise
