"""CYP2D6: what the number of copies makes of alleles that were called from small variants.

One copy leaves no room for two alleles; with three or more the reads decide which allele is duplicated, and where they
do not, every possibility is given. Hybrids with CYP2D7 cannot be seen either way.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import log

from app.pgx.calls import CopyNumber, Diplotype, Sample, Warned
from app.pgx.definition import Definition
from app.pgx.diplotypes import diplotype
from app.pgx.genotypes import Genotypes

GENES = frozenset({"CYP2D6"})
"""Genes of which alleles are named by deletion and duplication"""
DELETED = "*5"
USUAL = 2

NOT_ASSESSED = Warned(
    "copy-number-not-assessed",
    "The number of copies of the gene was not assessed: a deletion (*5), duplications and hybrids would not show.",
)
HYBRIDS_UNSEEN = Warned(
    "hybrids-not-seen", "Hybrids with the pseudogene (*13, *36, *68, ...) do not show in these data."
)
DUPLICATED_UNKNOWN = Warned(
    "duplicated-allele-unknown",
    "The reads do not tell which allele is there more than once; every possibility is given.",
)

_LEAST_READS = 30
_LEAST_ODDS = 100.0
"""How many times likelier the best division has to be than the next"""
_FARTHEST = 0.12
"""How far the share of reads may be from what the best division predicts"""


def multiplied(
    definition: Definition, genotypes: Genotypes, sample: Sample, number: CopyNumber, found: Diplotype
) -> tuple[Diplotype, ...]:
    """Return what a diplotype is with three or more copies: one where the reads decide, else every possibility."""
    first, second = found.first, found.second or found.first
    ways = [(copies, number.copies - copies) for copies in range(1, number.copies)]
    if first == second:
        ways = [(copies, rest) for copies, rest in ways if copies <= rest]
    decided = _decided(list(_reads(definition, genotypes, sample, number, found)), number.copies)
    if decided is not None and first != second:
        ways = [(decided, number.copies - decided)]
    return tuple(diplotype(_copied(first, copies), _copied(second, rest), found.score) for copies, rest in ways)


def _copied(name: str, copies: int) -> str:
    return name if copies == 1 else f"{name}x{copies}"


def _reads(
    definition: Definition, genotypes: Genotypes, sample: Sample, number: CopyNumber, found: Diplotype
) -> Iterator[tuple[int, int]]:
    """Yield the reads of the first and of the second allele at each site that tells them apart."""
    first = _bit(definition, found.first)
    second = _bit(definition, found.second or found.first)
    for index in genotypes.groups:
        site = definition.sites[index]
        one, other = genotypes.found[index]
        depths = number.allele_depths.get(site.name, ())
        observed = sample.observed[site.name].alleles
        if len(depths) != len(observed) or len(depths) != USUAL:
            continue
        straight = site.fits.get(one, 0) & first and site.fits.get(other, 0) & second
        turned = site.fits.get(other, 0) & first and site.fits.get(one, 0) & second
        if straight and not turned:
            yield depths[0], depths[1]
        elif turned and not straight:
            yield depths[1], depths[0]


def _bit(definition: Definition, name: str) -> int:
    return sum(1 << at for at, allele in enumerate(definition.gene.alleles) if name in {allele.name, allele.core_of})


def _decided(reads: list[tuple[int, int]], copies: int) -> int | None:
    """Return how many copies of the first allele the reads show; None where they do not decide."""
    first = sum(one for one, _ in reads)
    second = sum(other for _, other in reads)
    total = first + second
    if total < _LEAST_READS:
        return None
    likelihoods = sorted(
        ((first * log(number / copies) + second * log(1 - number / copies), number) for number in range(1, copies)),
        reverse=True,
    )
    best = likelihoods[0][1]
    if len(likelihoods) > 1 and likelihoods[0][0] - likelihoods[1][0] < log(_LEAST_ODDS):
        return None
    return best if abs(first / total - best / copies) <= _FARTHEST else None
