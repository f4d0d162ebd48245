"""Places on GRCh37 of positions that a source gives on GRCh38 alone.

They are lifted by the loaded chains and read from the loaded sequence of GRCh37; where these are missing, a position
that the embedded release has at the same place is taken from there. A position for which neither says anything certain
keeps no place on GRCh37, and is missing in tests of that build.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from app.formats.pgx import Gene, PgxContent, Position
from app.operations.context import Genome
from app.records import Build, LiftStatus
from app.variants.accessions import MT, accession
from app.variants.spdi import reverse_complement

_BEFORE, _AFTER = 30, 100
"""Bases around a change of length that have to be the same on both builds, so that it is spelled the same"""


@dataclass(frozen=True, slots=True)
class Filled:
    """A release with its places, and how they were found."""

    content: PgxContent
    given: int
    lifted: int
    known: int
    missing: int


def with_places(content: PgxContent, genome: Genome, known: PgxContent) -> Filled:
    """Return a release with places on GRCh37 wherever they are certain; ``known`` is the embedded release."""
    counts = {"given": 0, "lifted": 0, "known": 0, "missing": 0}
    by_place = _by_place(known)
    genes = []
    for gene in content.genes:
        positions = []
        for position in gene.positions:
            found, how = _with_place(position, genome, by_place)
            counts[how] += 1
            positions.append(found)
        genes.append(_with_positions(gene, tuple(positions)))
    return Filled(replace(content, genes=tuple(genes)), **counts)


def _with_positions(gene: Gene, positions: tuple[Position, ...]) -> Gene:
    return gene if positions == gene.positions else replace(gene, positions=positions)


def _by_place(known: PgxContent) -> dict[tuple[int, int, str], Position]:
    return {
        (position.contig, position.start38, position.ref38): position
        for gene in known.genes
        for position in gene.positions
        if position.start37 is not None and position.ref37
    }


def _with_place(
    position: Position, genome: Genome, known: Mapping[tuple[int, int, str], Position]
) -> tuple[Position, str]:
    if position.start37 is not None:
        return position, "given"
    lifted = _lifted(position, genome)
    if lifted is not None:
        return lifted, "lifted"
    there = known.get((position.contig, position.start38, position.ref38))
    if there is not None and (there.name == position.name or not position.name.startswith("rs")):
        copied = _copied(position, there)
        if copied is not None:
            return copied, "known"
    return position, "missing"


def _lifted(position: Position, genome: Genome) -> Position | None:
    """Return a position with the place that chain and sequence give it; None where they do not."""
    if position.contig == MT:
        return replace(position, start37=position.start38, alleles37=position.alleles38, ref37=position.ref38)
    end = position.start38 + len(position.ref38)
    there = genome.liftover.lift_interval(Build.GRCH38, position.contig, position.start38, end)
    if there.status is not LiftStatus.OK:
        return None
    reference = genome.placer.reference(Build.GRCH37, position.contig)
    ref37 = reference.fetch(accession(Build.GRCH37, position.contig), there.start, there.end)
    if ref37 is None:
        return None
    alleles = position.alleles38
    if any(len(allele) != len(alleles[0]) for allele in alleles):
        if there.reverse or not _same_around(position, there.start, genome):
            return None
    elif there.reverse:
        alleles = tuple(map(reverse_complement, alleles))
    return replace(position, start37=there.start, alleles37=alleles, ref37=ref37) if ref37 in alleles else None


def _same_around(position: Position, start37: int, genome: Genome) -> bool:
    size = _AFTER + max(map(len, position.alleles38))
    found = [
        genome.placer.reference(build, position.contig).fetch(
            accession(build, position.contig), start - _BEFORE, start + size
        )
        for build, start in ((Build.GRCH38, position.start38), (Build.GRCH37, start37))
    ]
    return found[0] is not None and found[0] == found[1]


def _copied(position: Position, known: Position) -> Position | None:
    """Return a position with the place of a known one; None where an allele is spelled differently or not known."""
    spelled = dict(zip(known.alleles38, known.alleles37, strict=True))
    is_same = all(here == there for here, there in spelled.items())
    of_one_base = all(len(allele) == 1 for allele in (*position.alleles38, *known.alleles38))
    alleles = []
    for allele in position.alleles38:
        if allele not in spelled and not (is_same and of_one_base):
            return None
        alleles.append(spelled.get(allele, allele))
    if known.ref37 not in alleles:
        return None
    return replace(position, start37=known.start37, alleles37=tuple(alleles), ref37=known.ref37)
