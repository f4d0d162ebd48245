"""What a zygosity of Genomics England's models says of a call: carried or not, and in which state.

On the mitochondrial genome a stated frequency decides between homoplasmic and heteroplasmic, and overrules the word.
A genotype is only as complete as the word is: of ``half_missing_alternate``, and of a somatic call, one copy of the
alternate allele is known and no more.

>>> read_zygosity("alternate_hemizigous", is_mt=False).genotype.zygosity
<Zygosity.HEMIZYGOUS: 3>
>>> read_zygosity("heterozygous", is_mt=True, frequency=0.998).genotype.zygosity
<Zygosity.HOMOPLASMIC: 5>
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from app.formats.gel import HOMOPLASMIC_FROM
from app.formats.genotype import Genotype
from app.records import Zygosity

_CARRIED: Final[Mapping[str, tuple[str, Zygosity, Zygosity]]] = MappingProxyType(
    {
        "heterozygous": ("0/1", Zygosity.HETEROZYGOUS, Zygosity.HETEROPLASMIC),
        "alternate_homozygous": ("1/1", Zygosity.HOMOZYGOUS, Zygosity.HOMOPLASMIC),
        "alternate_hemizigous": ("1", Zygosity.HEMIZYGOUS, Zygosity.HOMOPLASMIC),
    }
)
_REFERENCE: Final = frozenset({"reference_homozygous", "reference_hemizigous"})
_SILENT: Final = frozenset({"missing", "half_missing_reference"})
_SPELLINGS: Final = MappingProxyType(
    {"alternate_hemizygous": "alternate_hemizigous", "reference_hemizygous": "reference_hemizigous"}
)


class Says(IntEnum):
    """What a call says of the alternate allele."""

    NOTHING = 0
    REFERENCE = 1
    CARRIED = 2


@dataclass(frozen=True, slots=True)
class Reading:
    """A zygosity as it is read; ``genotype`` of carried calls alone, ``doubt`` is for people."""

    says: Says
    genotype: Genotype | None = None
    doubt: str = ""


_NOTHING: Final = Reading(Says.NOTHING)
_NOT_CARRIED: Final = Reading(Says.REFERENCE)
_UNKNOWN: Final = Genotype("./1", 1, Zygosity.UNKNOWN, phased=False)


@lru_cache(maxsize=4096)
def read_zygosity(
    zygosity: str,
    *,
    is_mt: bool,
    frequency: float | None = None,
    is_somatic: bool = False,
    has_evidence: bool = False,
    is_absent: bool = False,
    alleles: tuple[str, ...] = (),
) -> Reading:
    """Return what a call says.

    ``has_evidence`` says that reads or copies of the alternate allele are stated, ``is_absent`` that there is no read
    of it; ``alleles`` are those of each haplotype, where they are known.
    """
    word = _SPELLINGS.get(zygosity, zygosity)
    if word in _CARRIED:
        text, nuclear, mitochondrial = _CARRIED[word]
        if not is_mt:
            return _phased(Genotype(text, 1, nuclear, phased=False), alleles)
        if frequency is not None:
            is_all = frequency >= HOMOPLASMIC_FROM
            mitochondrial = Zygosity.HOMOPLASMIC if is_all else Zygosity.HETEROPLASMIC
        return Reading(Says.CARRIED, Genotype(text, 1, mitochondrial, phased=False))
    if word == "half_missing_alternate":
        is_mixed = is_mt and frequency is not None and frequency < HOMOPLASMIC_FROM
        state = Zygosity.HETEROPLASMIC if is_mixed else Zygosity.UNKNOWN
        return Reading(Says.CARRIED, Genotype("./1", 1, state, phased=False))
    if word == "na":
        return Reading(Says.CARRIED, _UNKNOWN) if has_evidence or (is_somatic and not is_absent) else _NOTHING
    if word in _REFERENCE:
        return _NOT_CARRIED
    if word in _SILENT:
        return _NOTHING
    return Reading(Says.NOTHING, doubt=f'Zygosity "{zygosity}" tells nothing of the genotype: the call is not stored.')


def _phased(genotype: Genotype, alleles: tuple[str, ...]) -> Reading:
    """Return a call with the alleles of its haplotypes, if they are the same genotype."""
    if not alleles or len(alleles) == 1:
        return Reading(Says.CARRIED, genotype)
    if sorted(alleles) != genotype.text.split("/"):
        doubt = f"sortedAlleles {'|'.join(alleles)} are not the genotype that the zygosity states: no phase is stored."
        return Reading(Says.CARRIED, genotype, doubt)
    return Reading(Says.CARRIED, Genotype("|".join(alleles), 1, genotype.zygosity, phased=True))
