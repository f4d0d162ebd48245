"""A gene in the form that calling wants: for each position and each allele a test can find, who has it.

Sets of alleles are integers whose bit ``i`` stands for ``gene.alleles[i]``, so that one operation settles all alleles
at once. The form of a gene is made once and kept for the last genes used.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from app.formats.pgx import BASES, Gene, NamedAllele, Position

_GENES_KEPT = 256


@dataclass(frozen=True, slots=True)
class Site:
    """One position: what it is called, and which alleles fit each finding."""

    name: str
    ref: str
    alleles: tuple[str, ...]
    fits: dict[str, int]
    """Found allele → alleles of the gene whose cell allows it"""
    stated: int
    """Alleles of the gene of which the definition says something here"""
    ambiguous: int
    """Alleles of the gene that have a code for several bases here"""


@dataclass(frozen=True, slots=True)
class Definition:
    """A gene made ready for calling."""

    gene: Gene
    sites: tuple[Site, ...]
    """Without ignored positions, in the order of the gene"""
    candidates: int
    """Alleles that take part: neither ignored nor structural, and with some cell"""
    unseen: tuple[str, ...]
    """Alleles that no small variant shows: structural ones, and others without any cell"""
    by_name: dict[str, NamedAllele]

    def names(self, alleles: int) -> tuple[str, ...]:
        """Return the names of a set of alleles, in the order of the gene."""
        return tuple(self.gene.alleles[at].name for at in members(alleles))

    def stated_cells(self, at: int, sites: int) -> int:
        """Return at how many of some sites (a set of bits) the definition of an allele says something."""
        bit = 1 << at
        return sum(1 for index in members(sites) if self.sites[index].stated & bit)


class _Same:
    """A gene as a key: two are equal when they are one object."""

    __slots__ = ("gene",)

    def __init__(self, gene: Gene) -> None:
        self.gene = gene

    def __hash__(self) -> int:
        return id(self.gene)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.gene is self.gene


def members(bits: int) -> list[int]:
    """Return the numbers of the bits that are set, in order."""
    found = []
    while bits:
        lowest = bits & -bits
        found.append(lowest.bit_length() - 1)
        bits ^= lowest
    return found


def definition_of(gene: Gene) -> Definition:
    """Return a gene made ready for calling."""
    return _made(_Same(gene))


@lru_cache(maxsize=_GENES_KEPT)
def _made(key: _Same) -> Definition:
    gene = key.gene
    reference = gene.reference
    sites = tuple(
        _site(gene, index, position, reference.cells[index] if reference is not None else "")
        for index, position in enumerate(gene.positions)
        if position.name not in gene.ignored
    )
    candidates = 0
    for at, allele in enumerate(gene.alleles):
        if not allele.is_structural and allele.name not in gene.ignored_alleles and any(allele.cells):
            candidates |= 1 << at
    cores = {allele.core_of for allele in gene.alleles}
    unseen = tuple(
        allele.name
        for allele in gene.alleles
        if allele.is_structural or (not any(allele.cells) and allele.name not in cores)
    )
    by_name = {allele.name: allele for allele in gene.alleles}
    return Definition(gene, sites, candidates if reference is not None else 0, unseen, by_name)


def _site(gene: Gene, index: int, position: Position, reference_cell: str) -> Site:
    filler = position.ref38 if is_ambiguous(reference_cell, position) else reference_cell
    fits = dict.fromkeys(position.alleles38, 0)
    stated = ambiguous = 0
    for at, allele in enumerate(gene.alleles):
        cell = _cell(allele, index)
        if cell:
            stated |= 1 << at
            if is_ambiguous(cell, position):
                ambiguous |= 1 << at
        for found in _allowed(cell or filler, position):
            fits[found] |= 1 << at
    return Site(position.name, position.ref38, position.alleles38, fits, stated, ambiguous)


def _cell(allele: NamedAllele, index: int) -> str:
    return allele.cells[index] if index < len(allele.cells) else ""


def is_ambiguous(cell: str, position: Position) -> bool:
    """Return whether a cell is a code for several bases."""
    return cell in BASES and cell not in position.alleles38


def _allowed(cell: str, position: Position) -> tuple[str, ...]:
    if is_ambiguous(cell, position):
        return tuple(base for base in position.alleles38 if len(base) == 1 and base in BASES[cell])
    return (cell,) if cell in position.alleles38 else ()
