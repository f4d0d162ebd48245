"""Structural variants of a case as the store takes them: kind, extent with its uncertainty, alleles and state.

A model names a kind and an interval, never bases, so REF is N and ALT symbolic. Which side of its base an insertion is
on is not said: it lies at either end of the stated interval. Positions are zero-based, half-open.

>>> extent_of("deletion", Region("22", 100, 200, None, (5, 10), (20, 30)))
Extent(start=100, end=200, outer_start=95, outer_end=230, inner_start=110, inner_end=180)
"""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import Final

from app.formats.gel import Member, Region, StructuralVariant, VariantCall
from app.formats.genotype import Genotype
from app.formats.vcf_structural import StructuralAllele
from app.records import Build, StructuralKind, Zygosity
from app.variants.accessions import MT, X, Y, is_par
from app.variants.extent import Extent
from ingest.cip_zygosity import Reading, Says, read_zygosity

_KINDS: Final = MappingProxyType(
    {
        "deletion": (StructuralKind.DEL, "<DEL>"),
        "dup": (StructuralKind.DUP, "<DUP>"),
        "dup_tandem": (StructuralKind.DUP, "<DUP:TANDEM>"),
        "amplification": (StructuralKind.CNV, "<CNV:GAIN>"),
        "cnv": (StructuralKind.CNV, "<CNV>"),
        "inv": (StructuralKind.INV, "<INV>"),
        "ins": (StructuralKind.INS, "<INS>"),
        "ins_me": (StructuralKind.INS, "<INS:ME>"),
        "del_me": (StructuralKind.DEL, "<DEL:ME>"),
        "rearrangement": (StructuralKind.BND, "<BND:COMPLEX>"),
    }
)
_OF_COPIES: Final = frozenset({StructuralKind.DEL, StructuralKind.DUP, StructuralKind.CNV})
_UNSTATED: Final = frozenset({"missing", "na", "unk"})
_PLAIN: Final = 2
"""Copies of an autosome"""


def allele_of(variant: StructuralVariant, bases: int) -> StructuralAllele | str:
    """Return the allele of a structural variant on a chromosome of so many bases, or why there is none."""
    known = _KINDS.get(variant.kind)
    if known is None:
        return f'"{variant.kind}" is no kind of structural variant that can be stored.'
    region = variant.region
    if not 0 <= region.start <= region.end <= bases:
        return f"The interval is not on the chromosome, which has {bases:,} bases."
    kind, alt = known
    extent = _within(extent_of(variant.kind, region), bases)
    inexact = any(ci is not None and any(ci) for ci in (region.start_ci, region.end_ci))
    mate = variant.mate
    if mate is not None and mate.chromosome != region.chromosome:
        alt = "<BND:TRANSLOCATION>"
    named = f"{mate.chromosome}:{mate.start + 1}" if mate is not None else ""
    event = variant.path.rpartition(".")[0] if kind is StructuralKind.BND else ""
    return StructuralAllele(
        kind, extent, "N", alt, -1, inexact, name="", mate=named, event=event, copy_number="", also_simple=False
    )


def extent_of(kind: str, region: Region) -> Extent:
    """Return how far an event of a kind reaches."""
    (near, right), (left, far) = region.start_ci or (0, 0), region.end_ci or (0, 0)
    if _KINDS[kind][0] is StructuralKind.INS:
        point = region.start + 1 if region.end > region.start else region.start
        return Extent(point, point, region.start - near, max(point, region.end + far))
    if _KINDS[kind][0] is StructuralKind.BND:
        return Extent(region.start, region.start + 1, region.start - near, region.start + 1 + right)
    inner = region.start + right, region.end - left
    if inner[0] >= inner[1]:
        inner = (-1, -1)
    return Extent(region.start, region.end, region.start - near, region.end + far, *inner)


def _within(extent: Extent, bases: int) -> Extent:
    """Return an extent without what its uncertainty has beyond the ends of the chromosome."""
    outer = max(extent.outer_start, 0), min(extent.outer_end, bases)
    return Extent(extent.start, extent.end, *outer, extent.inner_start, extent.inner_end)


def plain_copies(member: Member | None, build: Build, contig: int, start: int, end: int) -> int | None:
    """Return how many copies of a stretch somebody has; None where it is not known, or changes within the stretch.

    A stated karyotype counts before the sex.
    """
    if contig not in (X, Y):
        return _PLAIN
    karyotype = "" if member is None else member.karyotypic_sex.upper()
    if not re.fullmatch("X+Y*|XO", karyotype):
        karyotype = {"male": "XY", "female": "XX"}.get("" if member is None else member.sex, "")
    if not karyotype:
        return None
    ends = {is_par(build, contig, base, base + 1) for base in (start, max(start, end - 1))}
    if len(ends) > 1:
        return None
    if ends == {True}:
        return karyotype.count("X") + karyotype.count("Y")
    return karyotype.count("X" if contig == X else "Y")


def read_structural_call(call: VariantCall, kind: StructuralKind, contig: int, plain: int | None) -> Reading:
    """Return what a call says of a structural variant; the number of copies counts where no zygosity is stated.

    ``plain`` is the number of copies that somebody without the variant has, if that is known.
    """
    copies, is_mt = call.copies[0] if call.copies and kind in _OF_COPIES else None, contig == MT
    if call.zygosity not in _UNSTATED or copies is None:
        return read_zygosity(
            call.zygosity, is_mt=is_mt, frequency=call.frequency, is_somatic=call.is_somatic,
            has_evidence=copies is not None,
        )  # fmt: skip
    if call.is_somatic or is_mt:
        return Reading(Says.CARRIED, Genotype("./1", 1, Zygosity.UNKNOWN, phased=False))
    if plain is None and (copies > _PLAIN if kind is not StructuralKind.DEL else copies == 0 and contig == X):
        return Reading(Says.CARRIED, Genotype("./1", 1, Zygosity.UNKNOWN, phased=False))
    if not plain:
        doubt = f"{copies} copies tell nothing: how many there are without the variant is not known."
        return Reading(Says.NOTHING, doubt=doubt)
    if copies == plain or (copies < plain) != (kind is StructuralKind.DEL):
        return _by_copies_alone(kind, copies, plain)
    if kind is StructuralKind.DEL:
        if plain == 1:
            return Reading(Says.CARRIED, Genotype("1", 1, Zygosity.HEMIZYGOUS, phased=False))
        if plain > _PLAIN:
            return Reading(Says.CARRIED, Genotype("./1", 1, Zygosity.UNKNOWN, phased=False))
        both = copies == 0
        return Reading(
            Says.CARRIED,
            Genotype("1/1", 1, Zygosity.HOMOZYGOUS, phased=False)
            if both
            else Genotype("0/1", 1, Zygosity.HETEROZYGOUS, phased=False),
        )
    if kind is StructuralKind.DUP and copies == plain + 1 == _PLAIN + 1:
        return Reading(Says.CARRIED, Genotype("0/1", 1, Zygosity.HETEROZYGOUS, phased=False))
    return Reading(Says.CARRIED, Genotype("./1", 1, Zygosity.UNKNOWN, phased=False))


def _by_copies_alone(kind: StructuralKind, copies: int, plain: int) -> Reading:
    """Return the reading of copies that are those of everybody, or that are no event of the kind."""
    if copies == plain:
        return Reading(Says.REFERENCE)
    if kind is StructuralKind.CNV:
        return Reading(Says.CARRIED, Genotype("./1", 1, Zygosity.UNKNOWN, phased=False))
    return Reading(Says.NOTHING, doubt=f"{copies} copies are no {kind.name} of a {plain}-copy chromosome.")
