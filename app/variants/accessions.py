"""Names, accessions and lengths of the primary chromosomes of GRCh37 and GRCh38, and their pseudoautosomal regions.

A contig is an int: 1–22, 23 = X, 24 = Y, 25 = MT. The mitochondrial genome NC_012920.1 belongs to both builds.
Source: the NCBI assembly reports of GRCh37.p13 (GCF_000001405.25) and GRCh38.p14 (GCF_000001405.40), as packaged by
bioutils.

>>> accession(Build.GRCH38, 17)
'NC_000017.11'
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from bioutils.assemblies import get_assembly, get_assembly_names
from bioutils.par import get_par_map

from app.errors import UnknownRefSeq
from app.records import Build

CONTIGS = range(1, 26)
X, Y, MT = 23, 24, 25

_ASSEMBLY = {Build.GRCH37: "GRCh37.p13", Build.GRCH38: "GRCh38.p14"}
_DISPLAY = (*(str(number) for number in range(1, 23)), "X", "Y", "MT")


@dataclass(frozen=True, slots=True)
class _Tables:
    accessions: dict[Build, tuple[str, ...]]
    lengths: dict[Build, tuple[int, ...]]
    bases: dict[str, int]
    names: dict[Build, dict[str, int]]
    places: dict[str, tuple[int, frozenset[Build]]]
    pars: dict[tuple[Build, int], tuple[tuple[int, int], ...]]


@cache
def _tables() -> _Tables:
    """Read the assembly data once, on first use, so that no import pays for it."""
    tables = _Tables({}, {}, {}, {}, {}, {})
    for build, assembly in _ASSEMBLY.items():
        molecules = {
            sequence["name"]: sequence
            for sequence in get_assembly(assembly)["sequences"]
            if sequence["sequence_role"] == "assembled-molecule"
        }
        chromosomes = [molecules[name] for name in _DISPLAY]
        tables.accessions[build] = tuple(sequence["refseq_ac"] for sequence in chromosomes)
        tables.lengths[build] = tuple(sequence["length"] for sequence in chromosomes)
        tables.bases.update(zip(tables.accessions[build], tables.lengths[build], strict=True))
        tables.names[build] = _names(tables.accessions[build])
        for contig, ref_seq in zip(CONTIGS, tables.accessions[build], strict=True):
            _, builds = tables.places.get(ref_seq, (contig, frozenset()))
            tables.places[ref_seq] = (contig, builds | {build})
        for name, regions in get_par_map(assembly).items():
            contig = _DISPLAY.index(name) + 1
            tables.pars[build, contig] = tuple((start, end) for start, end in regions.values())
    return tables


def _names(accessions: tuple[str, ...]) -> dict[str, int]:
    names = {ref_seq.lower(): contig for contig, ref_seq in zip(CONTIGS, accessions, strict=True)}
    for contig, name in zip(CONTIGS, _DISPLAY, strict=True):
        names[name.lower()] = names[f"chr{name.lower()}"] = contig
    names["m"] = names["chrm"] = MT
    return names


def accession(build: Build, contig: int) -> str:
    """Return the RefSeq accession of a contig on one build."""
    return _tables().accessions[build][contig - 1]


def length(build: Build, contig: int) -> int:
    """Return the number of bases of a contig on one build."""
    return _tables().lengths[build][contig - 1]


def locate(ref_seq: str, *, parameter: str | None = None) -> tuple[int, frozenset[Build]]:
    """Return the contig of an accession and the builds that it belongs to.

    Raises UnknownRefSeq, which blames ``parameter``, for anything but a primary chromosome.
    """
    try:
        return _tables().places[ref_seq]
    except KeyError:
        raise UnknownRefSeq(ref_seq, parameter=parameter) from None


def sequence_length(ref_seq: str) -> int:
    """Return the number of bases of an accession; raises UnknownRefSeq."""
    try:
        return _tables().bases[ref_seq]
    except KeyError:
        raise UnknownRefSeq(ref_seq) from None


def contig_named(name: str, build: Build) -> int | None:
    """Return the contig that a VCF or FASTA name stands for on one build, or None for any other sequence.

    ``1``, ``chr1`` and the accession of that very build are understood, in any case; ``M`` and ``MT`` are the same.
    """
    return _tables().names[build].get(name.lower())


def display(contig: int) -> str:
    """Return the plain name of a contig: ``1`` … ``22``, ``X``, ``Y``, ``MT``."""
    return _DISPLAY[contig - 1]


def is_par(build: Build, contig: int, start: int, end: int) -> bool:
    """Return whether [start, end) lies wholly inside one pseudoautosomal region; an empty interval is its base."""
    last = max(end, start + 1)
    return any(low <= start and last <= high for low, high in _tables().pars.get((build, contig), ()))


def builds_with_length(contig: int, bases: int) -> frozenset[Build]:
    """Return the builds on which a contig has this many bases."""
    return frozenset(build for build in Build if length(build, contig) == bases)


def assembly_of(*, ref_seq: str | None = None, contig: int | None = None, bases: int | None = None) -> str | None:
    """Return another human assembly that has a chromosome of this accession, or of this number and length."""
    for name in sorted(get_assembly_names(), reverse=True):
        if name.startswith(("GRCh37", "GRCh38")):
            continue
        for sequence in get_assembly(name)["sequences"]:
            if sequence["sequence_role"] != "assembled-molecule":
                continue
            named = contig is not None and sequence["name"] == display(contig) and sequence["length"] == bases
            if named or (ref_seq is not None and sequence["refseq_ac"] == ref_seq):
                return str(name)
    return None
