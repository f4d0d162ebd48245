"""DPYD's HapB3: two linked variants, of which the intronic one does the harm.

rs75017182 (c.1129-5923C>G, deep in an intron) decides. rs56038477 (c.1236G>A, in an exon) is what older tests look at;
it speaks for HapB3 only where the intron was not tested.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.pgx.calls import Warned
from app.pgx.definition import Definition
from app.pgx.genotypes import NOT_CALLED, Genotypes

GENE = "DPYD"
INTRON = "rs75017182"
EXON = "rs56038477"
INTRON_ONLY = "c.1129-5923C>G"
HAPB3 = "c.1129-5923C>G, c.1236G>A (HapB3)"

MISMATCH = Warned(
    "hapb3-intronic-mismatch-exonic",
    "c.1236G>A (rs56038477) was found on a copy without c.1129-5923C>G (rs75017182); the intronic variant decides, so "
    "this is not HapB3.",
)
EXON_ONLY = Warned(
    "hapb3-exonic-only",
    "HapB3 rests on c.1236G>A (rs56038477) alone; confirm c.1129-5923C>G (rs75017182), which was not tested.",
)
_HALF_KNOWN = "HapB3 was found, but one copy was called neither at rs75017182 nor at rs56038477"
_NO_SITE = -1


@dataclass(frozen=True, slots=True)
class HapB3Copies:
    """What HapB3's positions make: for each copy, or (``names``) without knowing the copy."""

    strands: tuple[str, str] = ("", "")
    names: tuple[str, ...] = ()
    warnings: tuple[Warned, ...] = ()
    problem: str = ""


@dataclass(frozen=True, slots=True)
class HapB3:
    """The findings at both positions; each copy has True (the variant), False (the reference) or None (not called)."""

    intron: tuple[bool | None, bool | None]
    exon: tuple[bool | None, bool | None]
    intron_index: int
    exon_index: int
    """Numbers of the sites; -1 where the gene has none"""

    @property
    def indexes(self) -> tuple[int, int]:
        """Return the numbers of both sites."""
        return self.intron_index, self.exon_index

    def divided(self, groups: Mapping[int, int], flips: Sequence[bool]) -> HapB3Copies:
        """Return what each copy has, with some phase groups turned."""
        intron = _turned(self.intron, groups.get(self.intron_index), flips)
        exon = _turned(self.exon, groups.get(self.exon_index), flips)
        if (None, None) in zip(intron, exon, strict=True) and True in (*intron, *exon):
            return HapB3Copies(problem=_HALF_KNOWN)
        warnings = []
        names = []
        for in_intron, in_exon in zip(intron, exon, strict=True):
            if in_intron is False and in_exon:
                warnings.append(MISMATCH)
            if in_intron is None and in_exon:
                warnings.append(EXON_ONLY)
            carries = in_exon if in_intron is None else in_intron
            names.append("" if not carries else HAPB3 if in_exon else INTRON_ONLY)
        return HapB3Copies((names[0], names[1]), warnings=tuple(dict.fromkeys(warnings)))

    def unphased(self) -> HapB3Copies:
        """Return how many of each there are when copies cannot be told apart."""
        halves = [copies for copies in (self.intron, self.exon) if copies.count(None) == 1]
        if halves:
            found = True in (*self.intron, *self.exon)
            return HapB3Copies(problem=_HALF_KNOWN if found else "")
        intron, exon = self.intron.count(True), self.exon.count(True)
        if None in self.intron:
            return HapB3Copies(names=(HAPB3,) * exon, warnings=(EXON_ONLY,) if exon else ())
        both = min(intron, exon)
        names = (HAPB3,) * both + (INTRON_ONLY,) * (intron - both)
        return HapB3Copies(names=names, warnings=(MISMATCH,) if exon > intron else ())


def _turned(
    copies: tuple[bool | None, bool | None], group: int | None, flips: Sequence[bool]
) -> tuple[bool | None, bool | None]:
    return (copies[1], copies[0]) if group is not None and flips[group] else copies


def read_hapb3(definition: Definition, genotypes: Genotypes) -> HapB3 | None:
    """Return the findings at HapB3's positions; None for a gene without them."""
    if definition.gene.symbol != GENE:
        return None
    indexes = {site.name: index for index, site in enumerate(definition.sites)}
    intron, exon = indexes.get(INTRON, _NO_SITE), indexes.get(EXON, _NO_SITE)
    if intron == exon == _NO_SITE:
        return None
    return HapB3(_found(definition, genotypes, intron), _found(definition, genotypes, exon), intron, exon)


def _found(definition: Definition, genotypes: Genotypes, index: int) -> tuple[bool | None, bool | None]:
    strands = genotypes.found.get(index)
    if strands is None:
        return (None, None)
    first, second = (None if allele == NOT_CALLED else allele != definition.sites[index].ref for allele in strands)
    return first, second
