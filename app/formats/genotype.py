"""Genotypes of a VCF (the GT field) read once for each spelling and numbered, so that a call costs one lookup.

Spellings: ``0/1``, ``0|1``, ``1``, ``./1``, ``0/1/2`` and, since VCF 4.4, a leading ``/`` or ``|`` for the phase of the
first allele (https://samtools.github.io/hts-specs/VCFv4.5.pdf, section 1.6.2).

>>> table = GenotypeTable()
>>> called = table.called("0|1")
>>> table.genotypes[called.carried[0].number]
Genotype(text='0|1', allele=1, zygosity=<Zygosity.HETEROZYGOUS: 1>, phased=True)
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple

from app.records import Zygosity

REFERENCE = -1
"""In ``GenotypeTable.biallelic``: every allele is the reference."""
NO_CALL = -2
"""In ``GenotypeTable.biallelic``: no ALT allele is called and at least one allele is missing."""

MAX_GENOTYPES = 65_535
"""Most different genotypes of one file; their numbers fit two bytes."""

_TEXT = re.compile(r"([/|]?)((?:\.|[0-9]{1,6})(?:[/|](?:\.|[0-9]{1,6}))*)")
_LONGEST = 255
_MANY_TEXTS = 100_000


@dataclass(frozen=True, slots=True)
class Genotype:
    """What a GT says about one alternate allele.

    ``allele`` is the number of the ALT as the record counts them (the first is 1), ``zygosity`` is as called: a man's
    ``1/1`` on X is still HOMOZYGOUS here. ``phased`` means that every allele is.
    """

    text: str
    allele: int
    zygosity: Zygosity
    phased: bool


class Carried(NamedTuple):
    """One ALT of a genotype and the number of its Genotype, the zygosity taken from the GT alone."""

    allele: int
    number: int


@dataclass(frozen=True, slots=True)
class Called:
    """A GT text, read: its largest allele, whether an allele is missing, and the ALTs that it carries, ascending."""

    text: str
    highest: int
    missing: bool
    phased: bool
    carried: tuple[Carried, ...]


class GenotypeTable:
    """The genotypes of one file; ``genotypes`` gives the Genotype of a number."""

    def __init__(self) -> None:
        self.genotypes: list[Genotype] = []
        # Texts of records with one ALT → number of the Genotype, or REFERENCE, or NO_CALL.
        self.biallelic: dict[str, int] = {}
        self._numbers: dict[Genotype, int] = {}
        self._called: dict[str, Called] = {}

    def called(self, text: str) -> Called:
        """Read a GT text; raises ValueError with the problem."""
        known = self._called.get(text)
        if known is None:
            if len(self._called) > _MANY_TEXTS:
                self._called.clear()
                self.biallelic.clear()
            known = self._called[text] = self._read(text)
            if known.highest <= 1:
                absent = NO_CALL if known.missing else REFERENCE
                self.biallelic[text] = known.carried[0].number if known.carried else absent
        return known

    def number(self, genotype: Genotype) -> int:
        """Return the number of a Genotype; raises ValueError when a file has too many."""
        number = self._numbers.get(genotype)
        if number is None:
            number = len(self.genotypes)
            if number >= MAX_GENOTYPES:
                raise ValueError(f"the file has more than {MAX_GENOTYPES:,} different genotypes")
            self._numbers[genotype] = number
            self.genotypes.append(genotype)
        return number

    def _read(self, text: str) -> Called:
        match = _TEXT.fullmatch(text) if len(text) <= _LONGEST else None
        if match is None:
            raise ValueError("it is no genotype")
        prefix, body = match.groups()
        alleles = body.replace("|", "/").split("/")
        called = [int(allele) for allele in alleles if allele != "."]
        missing = len(called) < len(alleles)
        phased = prefix == "|" if len(alleles) == 1 else prefix != "/" and "/" not in body
        carried = tuple(
            Carried(allele, self.number(Genotype(text, allele, _zygosity(called, allele, missing), phased)))
            for allele in sorted(set(called) - {0})
        )
        return Called(text, max(called, default=0), missing, phased, carried)


def _zygosity(called: list[int], allele: int, missing: bool) -> Zygosity:
    if missing:
        return Zygosity.UNKNOWN
    if len(called) == 1:
        return Zygosity.HEMIZYGOUS
    return Zygosity.HOMOZYGOUS if all(other == allele for other in called) else Zygosity.HETEROZYGOUS
