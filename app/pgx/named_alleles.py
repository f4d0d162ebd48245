"""Which pairs of named alleles fit what was found, and which fit best.

A division of the findings between the two copies has exactly one complement. So the alleles that fit some division are
found first, site by site for all alleles at once, and two of them are a pair when some division of one is the
complement of some division of the other. Divisions are never listed: the cost grows with alleles times positions only.
"""

from __future__ import annotations

from dataclasses import dataclass

from app.formats.pgx import NamedAllele
from app.pgx.calls import Diplotype
from app.pgx.definition import Definition, members
from app.pgx.diplotypes import diplotype, diplotype_order
from app.pgx.genotypes import Genotypes


@dataclass(frozen=True, slots=True)
class Matches:
    """The pairs that fit."""

    best: tuple[Diplotype, ...]
    others: tuple[Diplotype, ...]
    """Best first"""
    uncallable: tuple[str, ...]
    """Alleles that cannot be told, as no position that defines them was called"""


@dataclass(frozen=True, slots=True)
class _Fit:
    """An allele that fits: in which groups as they are written (``straight``), in which flipped."""

    at: int
    score: int
    straight: int
    flipped: int


def match(definition: Definition, genotypes: Genotypes) -> Matches:
    """Return the diplotypes that fit the findings, with their scores."""
    fits, uncallable = _fits(definition, genotypes)
    pairs: dict[str, Diplotype] = {}
    for first, second in _pairs(fits, genotypes):
        found = _diplotype(definition, genotypes, first, second)
        known = pairs.get(found.text)
        if known is None or known.score < found.score:
            pairs[found.text] = found
    ordered = sorted(pairs.values(), key=lambda found: (-found.score, diplotype_order(found)))
    top = ordered[0].score if ordered else 0
    best = tuple(found for found in ordered if found.score == top)
    best = _prioritised(definition, genotypes, pairs) or best
    kept = set(best)
    return Matches(best, tuple(found for found in ordered if found not in kept), uncallable)


def _fits(definition: Definition, genotypes: Genotypes) -> tuple[list[_Fit], tuple[str, ...]]:
    """Return the alleles that fit some division, and those that no called position defines."""
    stated = 0
    fitting = definition.candidates
    straight = [definition.candidates] * genotypes.group_count
    flipped = list(straight)
    groups = genotypes.groups
    called = 0
    for index, strands in genotypes.found.items():
        site = definition.sites[index]
        called |= 1 << index
        stated |= site.stated
        group = groups.get(index)
        if group is None:
            fitting &= site.fits.get(strands[0], 0)
        else:
            straight[group] &= site.fits.get(strands[0], 0)
            flipped[group] &= site.fits.get(strands[1], 0)
    for one, other in zip(straight, flipped, strict=True):
        fitting &= one | other
    fits = [
        _Fit(at, definition.stated_cells(at, called), _having(at, straight), _having(at, flipped))
        for at in members(fitting & stated)
    ]
    return fits, definition.names(definition.candidates & ~stated)


def _having(at: int, sets: list[int]) -> int:
    return sum(1 << group for group, alleles in enumerate(sets) if alleles >> at & 1)


def _pairs(fits: list[_Fit], genotypes: Genotypes) -> list[tuple[_Fit, _Fit | None]]:
    if genotypes.haploid:
        return [(fit, None) for fit in fits]
    every = (1 << genotypes.group_count) - 1
    return [
        (first, second)
        for number, first in enumerate(fits)
        for second in fits[number:]
        if (first.straight & second.flipped | first.flipped & second.straight) == every
    ]


def _diplotype(definition: Definition, genotypes: Genotypes, first: _Fit, second: _Fit | None) -> Diplotype:
    one = definition.gene.alleles[first.at]
    if second is None:
        return Diplotype(_shown(one), None, first.score - _reference_codes(definition, genotypes, first, first))
    other = definition.gene.alleles[second.at]
    score = first.score + second.score
    if first is second:
        score -= _reference_codes_of_both(definition, genotypes, first)
    else:
        score -= _reference_codes(definition, genotypes, first, second)
        score -= _reference_codes(definition, genotypes, second, first)
    return diplotype(_shown(one), _shown(other), score)


def _shown(allele: NamedAllele) -> str:
    return allele.core_of or allele.name


def _reference_codes(definition: Definition, genotypes: Genotypes, fit: _Fit, partner: _Fit) -> int:
    """Return how many codes for several bases of an allele stand for REF in every division that makes the pair."""
    straight = fit.straight & partner.flipped
    flipped = fit.flipped & partner.straight
    count = 0
    for index, strands in genotypes.found.items():
        site = definition.sites[index]
        if not site.ambiguous >> fit.at & 1:
            continue
        group = genotypes.groups.get(index)
        if group is None:
            count += strands[0] == site.ref
        else:
            as_written, turned = straight >> group & 1, flipped >> group & 1
            count += not (as_written and strands[0] != site.ref) and not (turned and strands[1] != site.ref)
    return count


def _reference_codes_of_both(definition: Definition, genotypes: Genotypes, fit: _Fit) -> int:
    """Return the same for an allele paired with itself: each copy has one of the two findings."""
    return sum(
        strands.count(definition.sites[index].ref)
        for index, strands in genotypes.found.items()
        if definition.sites[index].ambiguous >> fit.at & 1
    )


def _prioritised(
    definition: Definition, genotypes: Genotypes, pairs: dict[str, Diplotype]
) -> tuple[Diplotype, ...] | None:
    """Return the pick of a known ambiguity whose members are all candidates; the largest ambiguity decides."""
    if genotypes.effectively_phased:
        return None
    for pick, members_ in sorted(definition.gene.priorities, key=lambda rule: -len(rule[1])):
        if all(member in pairs for member in members_) and pick in pairs:
            return (pairs[pick],)
    return None
