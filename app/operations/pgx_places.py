"""Where the positions of pharmacogenes lie on one build, and by which stored changes each of their alleles is known.

A change is known by its contextual form, as calls are stored, and by its trimmed one: where the sequence around an
insertion or deletion is not loaded, neither side could be justified and the two compare as they were written.
Positions are zero-based, half-open.

>>> from app.variants.liftover import Liftover
>>> place = place_of(Position("rs4244285", 10, 94781858, ("G", "A")), Build.GRCH38, Placer({}, Liftover()))
>>> place.changes[0].keys
frozenset({(94781858, 'G', 'A')})
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from app.errors import CannotNormalize
from app.formats.pgx import Gene, Position
from app.formats.vcf_watch import WINDOW, Watch
from app.records import Build
from app.variants.accessions import accession
from app.variants.normalize import justify, trim
from app.variants.placement import Placer
from app.variants.reference import ReferenceSequence

Key = tuple[int, str, str]
"""Start, deleted and inserted bases"""

_NEAR = 64
"""Bases around an insertion or deletion in which records may spell it"""


@dataclass(frozen=True, slots=True)
class Change:
    """One allele of a position that is not the reference of the build."""

    index: int
    """In ``Position.alleles38``"""
    keys: frozenset[Key]


@dataclass(frozen=True, slots=True)
class Place:
    """A position on one build."""

    position: Position
    contig: int
    start: int
    ref: str
    """Of the build"""
    alleles: tuple[str, ...]
    """As the build spells them, parallel to ``Position.alleles38``"""
    reference: int
    """Index of the build's reference in ``Position.alleles38``"""
    changes: tuple[Change, ...]
    low: int
    """Start of what its changes touch"""
    high: int
    """End of what its changes touch"""

    @property
    def end(self) -> int:
        """Return the end of REF."""
        return self.start + len(self.ref)

    @property
    def is_single(self) -> bool:
        """Return whether every allele is one base."""
        return all(len(allele) == 1 for allele in self.alleles)

    def allele(self, index: int) -> str:
        """Return an allele as GRCh38 spells it."""
        return self.position.alleles38[index]


def place_of(position: Position, build: Build, placer: Placer) -> Place | None:
    """Return where a position lies on a build; None where that is not known."""
    start: int | None
    if build is Build.GRCH38:
        start, alleles, ref = position.start38, position.alleles38, position.ref38
    else:
        start, alleles, ref = position.start37, position.alleles37, position.ref37
    if start is None or ref not in alleles or len(alleles) != len(position.alleles38):
        return None
    changes = []
    low, high = start, start + len(ref)
    if any(len(allele) != 1 for allele in alleles):
        low, high = high, low
    for index, allele in enumerate(alleles):
        if allele == ref:
            continue
        reference = placer.reference(build, position.contig)
        placed = _contextual(reference, accession(build, position.contig), (start, ref, allele))
        changes.append(Change(index, frozenset({placed, trim(start, ref, allele)})))
        low, high = min(low, placed[0]), max(high, placed[0] + len(placed[1]))
    low, high = (low, high) if low <= high else (start, start + len(ref))
    return Place(position, position.contig, start, ref, alleles, alleles.index(ref), tuple(changes), low, high)


def _contextual(reference: ReferenceSequence, ref_seq: str, reported: Key) -> Key:
    """Return a change as calls are stored; trimmed where the loaded sequence contradicts the definition."""
    try:
        found = justify(reference, ref_seq, *reported)
    except CannotNormalize:
        return trim(*reported)
    return found.position, found.deleted, found.inserted


class Places:
    """The positions of all genes of a release on both builds, made once for each build that is asked for."""

    def __init__(self, genes: Iterable[Gene], placer: Placer) -> None:
        self.genes = tuple(gene for gene in genes if gene.positions)
        self._placer = placer
        self._made: dict[Build, tuple[tuple[Place | None, ...], ...]] = {}
        self._watches: dict[Build, Watch] = {}

    def on(self, build: Build) -> tuple[tuple[Place | None, ...], ...]:
        """Return for each gene where each of its positions lies."""
        known = self._made.get(build)
        if known is None:
            placer = self._placer
            known = self._made[build] = tuple(
                tuple(place_of(position, build, placer) for position in gene.positions) for gene in self.genes
            )
        return known

    def known(self, build: Build) -> Iterable[Place]:
        """Return every position that has a place on a build."""
        return (place for places in self.on(build) for place in places if place is not None)

    def watch(self, build: Build) -> Watch:
        """Return what a reader of files on a build has to watch."""
        known = self._watches.get(build)
        if known is None:
            known = self._watches[build] = _watch(self.known(build))
        return known


def _watch(places: Iterable[Place]) -> Watch:
    bases: dict[int, set[int]] = {}
    windows: dict[int, set[int]] = {}
    for place in places:
        if place.is_single:
            bases.setdefault(place.contig, set()).add(place.start)
        else:
            first, last = min(place.start, place.low) - _NEAR, max(place.end, place.high) + _NEAR
            windows.setdefault(place.contig, set()).update(range(first >> WINDOW, (last >> WINDOW) + 1))
    return Watch(
        {contig: frozenset(found) for contig, found in bases.items()},
        {contig: frozenset(found) for contig, found in windows.items()},
    )
