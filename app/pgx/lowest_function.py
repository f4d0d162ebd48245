"""Genes of which each variant counts by itself (DPYD, RYR1): the variants of each copy, and the two of least function.

A copy with several variants is written ``[A + B]``. Where variants cannot be divided between the copies the call is the
list of them. HapB3 of DPYD, which two variants make, is read by ``hapb3``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import product

from app.formats.pgx import Gene
from app.formats.pgx_names import name_order
from app.pgx.calls import Diplotype, Warned
from app.pgx.definition import Definition, members
from app.pgx.diplotypes import diplotype
from app.pgx.genotypes import Genotypes
from app.pgx.hapb3 import HAPB3, INTRON_ONLY, HapB3, HapB3Copies
from app.pgx.phenotype import activity_of, allele_named

_MOST_GROUPS = 8
"""Phase groups up to which every way to combine them is listed"""
_CODING = re.compile(r"[cm]\.(-?[0-9]+)(?:([+-])([0-9]+))?")
_WORST_FUNCTION = "malignant hyperthermia associated"
_NORMAL_FUNCTION = "normal function"
_JUST_ABOVE_NONE = 0.001

Strand = tuple[str, ...]
"""The variants of one copy, in order; empty: the reference"""


@dataclass(frozen=True, slots=True)
class Lowest:
    """What was found; ``pairs`` when it can be divided between the copies, else ``variants``."""

    pairs: tuple[tuple[Strand, Strand], ...] = ()
    variants: tuple[str, ...] = ()
    """A homozygous one twice; with the reference where that may be the other copy"""
    warnings: tuple[Warned, ...] = ()
    problem: str = ""


def find_variants(definition: Definition, genotypes: Genotypes, hapb3: HapB3 | None) -> Lowest:
    """Return the variants that were found, copy by copy where that can be told."""
    divided = genotypes.effectively_phased or not genotypes.unphased
    if divided and genotypes.group_count <= _MOST_GROUPS:
        return _divided(definition, genotypes, hapb3)
    copies = hapb3.unphased() if hapb3 is not None else HapB3Copies()
    if copies.problem:
        return Lowest(problem=copies.problem)
    found = [
        name
        for index, strands in genotypes.found.items()
        if hapb3 is None or index not in hapb3.indexes
        for allele in strands
        if (name := _name(definition, index, allele))
    ]
    found.extend(copies.names)
    found.sort(key=coding_order)
    doubled = any(strands[0] == strands[1] != definition.sites[index].ref for index, strands in genotypes.found.items())
    if not doubled and len(found) <= 1:
        found.insert(0, _reference(definition.gene))
    return Lowest(variants=tuple(found), warnings=copies.warnings)


def _divided(definition: Definition, genotypes: Genotypes, hapb3: HapB3 | None) -> Lowest:
    pairs: dict[tuple[Strand, ...], tuple[Strand, Strand]] = {}
    warnings: dict[str, Warned] = {}
    passed = hapb3.indexes if hapb3 is not None else ()
    for turned in product((False, True), repeat=max(genotypes.group_count - 1, 0)):
        flips = (False, *turned)
        special = hapb3.divided(genotypes.groups, flips) if hapb3 is not None else HapB3Copies()
        if special.problem:
            return Lowest(problem=special.problem)
        warnings |= {warned.code: warned for warned in special.warnings}
        copies = [[name] if name else [] for name in special.strands]
        for index, strands in genotypes.found.items():
            if index in passed:
                continue
            group = genotypes.groups.get(index)
            turn = flips[group] if group is not None else False
            for copy in (0, 1):
                if name := _name(definition, index, strands[copy ^ turn]):
                    copies[copy].append(name)
        first, second = (tuple(sorted(names, key=coding_order)) for names in copies)
        pairs.setdefault(tuple(sorted((first, second))), (first, second))
    return Lowest(pairs=tuple(pairs.values()), warnings=tuple(warnings.values()))


def _name(definition: Definition, index: int, allele: str) -> str:
    """Return the allele that a finding at a site makes; empty for the reference."""
    site = definition.sites[index]
    if allele == site.ref:
        return ""
    having = members(site.fits.get(allele, 0) & site.stated & definition.candidates)
    return definition.gene.alleles[having[0]].name if having else ""


def _reference(gene: Gene) -> str:
    return gene.reference.name if gene.reference is not None else "Reference"


def coding_order(name: str) -> tuple[object, ...]:
    """Return what variants are sorted by: where they are in the coding sequence."""
    read = _CODING.match(name)
    if read is None:
        return (name.casefold() != "reference", 0, 0, name)
    at, sign, offset = read.groups()
    return (True, int(at), int(f"{sign}{offset}") if offset else 0, name)


def written(gene: Gene, strand: Strand) -> str:
    """Return the variants of one copy as they are written."""
    if not strand:
        return _reference(gene)
    return strand[0] if len(strand) == 1 else f"[{' + '.join(strand)}]"


def diplotype_of(gene: Gene, pair: tuple[Strand, Strand]) -> Diplotype:
    """Return the diplotype of two copies, the reference first."""
    first, second = sorted(pair, key=lambda strand: (bool(strand), len(strand), [name_order(name) for name in strand]))
    return Diplotype(written(gene, first), written(gene, second))


def lowest_pair(gene: Gene, found: Lowest) -> Diplotype:
    """Return the two variants that the result rests on: those of least function, on different copies if known."""
    if not found.pairs:
        ordered = sorted(found.variants, key=lambda name: _rank(gene, name))
        first, second, *_ = *ordered, _reference(gene), _reference(gene)
        return diplotype(_defined(gene, first), _defined(gene, second))
    picked = [
        tuple(min(strand, key=lambda name: _rank(gene, name), default=_reference(gene)) for strand in pair)
        for pair in found.pairs
    ]
    first, second = min(picked, key=lambda pair: _worth(gene, pair))
    return diplotype(_defined(gene, first), _defined(gene, second))


def _defined(gene: Gene, name: str) -> str:
    """Return the allele whose result counts for a name: a release may know HapB3 only with its exonic variant."""
    return HAPB3 if name == INTRON_ONLY and allele_named(gene, name) is None else name


def _worth(gene: Gene, names: Iterable[str]) -> float:
    return sum(_rank(gene, name) for name in names)


def _rank(gene: Gene, name: str) -> float:
    """Return how much function a variant leaves; one of unknown function comes just after none."""
    name = _defined(gene, name)
    activity = activity_of(gene, name)
    if activity is not None:
        return activity.value
    allele = allele_named(gene, name)
    function = allele.function.casefold() if allele is not None else ""
    if function == _WORST_FUNCTION:
        return 0.0
    return 1.0 if function == _NORMAL_FUNCTION or name == _reference(gene) else _JUST_ABOVE_NONE
