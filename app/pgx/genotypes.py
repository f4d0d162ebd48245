"""What a test found at the positions of a gene, sorted: what counts, what is missing, what hangs together.

A position without data is never the reference. A half call of the reference says nothing; a half call of another
allele says that something is there, and leaves open what the other copy has: then there is no call.
"""

from __future__ import annotations

from dataclasses import dataclass

from app.formats.pgx import Ploidy
from app.pgx.calls import Observed, Sample
from app.pgx.definition import Definition, Site

Strands = tuple[str, ...]
"""What each copy has; one for a haploid gene, else two"""
NOT_CALLED = ""
"""Stands for a copy that was not called, at positions whose halves are kept"""


@dataclass(frozen=True, slots=True)
class Genotypes:
    """The findings that count."""

    found: dict[int, Strands]
    """By number of the site"""
    groups: dict[int, int]
    """Heterozygous site → number of its phase group; the sites of one group flip together"""
    group_count: int
    unphased: bool
    """Some heterozygous site is not phased with anything"""
    haploid: bool
    missing: tuple[str, ...]
    undocumented: tuple[str, ...]
    half_called: tuple[str, ...]
    """Positions where one copy has an allele other than the reference and the other was not called"""
    problem: str = ""
    """Why the findings cannot be used; empty when they can"""

    @property
    def effectively_phased(self) -> bool:
        """Return whether there is but one way to divide the findings between the copies."""
        return self.group_count <= 1


def read_genotypes(
    definition: Definition,
    sample: Sample,
    *,
    copies: int | None = None,
    halves: frozenset[str] = frozenset(),
) -> Genotypes:
    """Return the findings of a sample that count for a gene.

    Args:
        definition: The gene.
        sample: The findings.
        copies: 1 where a test found that one copy of an autosomal gene is there.
        halves: Positions at which a phased half call is kept.
    """
    sorted_ = _Sorted(definition, halves)
    for index, site in enumerate(definition.sites):
        sorted_.take(index, site, sample.observed.get(site.name))
    haploid, problem = _copies(definition, sorted_.found, sample.male, copies)
    groups, group_count, unphased = ({}, 0, False) if haploid or problem else _groups(sorted_.found, sorted_.observed)
    return Genotypes(
        sorted_.found,
        groups,
        group_count,
        unphased,
        haploid,
        tuple(sorted_.missing),
        tuple(sorted_.undocumented),
        tuple(sorted_.half_called),
        problem,
    )


class _Sorted:
    """Findings as they are sorted, one site after the other."""

    def __init__(self, definition: Definition, halves: frozenset[str]) -> None:
        self._halves = halves
        self._as_reference = definition.gene.undocumented_as_reference
        self.found: dict[int, Strands] = {}
        self.observed: dict[int, Observed] = {}
        self.missing: list[str] = []
        self.undocumented: list[str] = []
        self.half_called: list[str] = []

    def take(self, index: int, site: Site, observed: Observed | None) -> None:
        """Sort the finding at one site."""
        alleles = called_alleles(observed)
        called = [allele for allele in alleles if allele is not None]
        if observed is None or not called:
            self.missing.append(site.name)
            return
        if len(called) < len(alleles):
            self.missing.append(site.name)
            if site.name not in self._halves or not observed.phased:
                if called != [site.ref]:
                    self.half_called.append(site.name)
                return
            called = [NOT_CALLED if allele is None else allele for allele in alleles]
        if any(allele not in site.fits for allele in called if allele != NOT_CALLED):
            self.undocumented.append(site.name)
            if self._as_reference:
                called = [allele if allele in site.fits or allele == NOT_CALLED else site.ref for allele in called]
        self.found[index] = tuple(called)
        self.observed[index] = observed


def called_alleles(observed: Observed | None) -> tuple[str | None, ...]:
    """Return what was called of (at most) two copies; None for one that was not, or whose sequence is not known."""
    if observed is None:
        return ()
    return tuple(
        None if allele is None or allele in {"*", "."} or allele.startswith("<") else allele
        for allele in observed.alleles[:2]
    )


def _copies(
    definition: Definition, found: dict[int, Strands], male: bool | None, copies: int | None
) -> tuple[bool, str]:
    """Return whether there is one copy, and why the findings contradict that; collapse ``found`` where there is one."""
    counts = {len(strands) for strands in found.values()}
    one_copy = male is True if definition.gene.ploidy is Ploidy.X else copies == 1
    if one_copy:
        if any(len(set(strands)) > 1 for strands in found.values()):
            return True, "there is one copy of the gene, but two different alleles were found at one position"
        for index, strands in found.items():
            found[index] = strands[:1]
        return True, ""
    if counts <= {2}:
        return False, ""
    if counts != {1}:
        return False, "some positions were called with one allele and others with two"
    if definition.gene.ploidy is Ploidy.AUTOSOMAL:
        return False, "one allele was called at each position of a gene of which people have two copies"
    if male is False:
        return True, "one allele was called at each position of the X chromosome of a woman"
    return True, ""


def _groups(found: dict[int, Strands], observed: dict[int, Observed]) -> tuple[dict[int, int], int, bool]:
    groups: dict[int, int] = {}
    sets: dict[int | None, int] = {}
    count = 0
    unphased = False
    for index, strands in found.items():
        if strands[0] == strands[1]:
            continue
        seen = observed[index]
        if seen.phased and seen.phase_set in sets:
            groups[index] = sets[seen.phase_set]
            continue
        groups[index] = count
        if seen.phased:
            sets[seen.phase_set] = count
        else:
            unphased = True
        count += 1
    return groups, count, unphased
