"""SNP and copy number results of a laboratory as the records of a VCF, by the definitions of the pharmacogenes.

A result is placed by its rsID alone: positions and alleles are those of the definitions. A base that no definition
names is kept as it was found; whatever cannot be placed without a guess is left out and told with the reason.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from app.formats.pgx import Gene, Position
from app.formats.snp_batch import NO_CALL, SampleData, Snp, alleles_of, copies_of
from app.operations.pgx_copies import CONTIG, GENE, PLACES
from app.pgx.copy_number import USUAL
from app.records import Build
from app.variants.accessions import MT, X, Y, display

COPY_REGIONS: Mapping[str, tuple[int, int, int]] = {GENE: (CONTIG, *PLACES[Build.GRCH38])}
"""Gene → contig, start and end on GRCh38 of the region that its copies are told of"""

_BASES = frozenset("ACGT")
_COMPLEMENT = str.maketrans("ACGT", "TGCA")
_HAPLOID_CONTIGS = (X, Y, MT)
_HEADER = (
    "##fileformat=VCFv4.2",
    '##INFO=<ID=SVTYPE,Number=1,Type=String,Description="Kind of structural variant">',
    '##INFO=<ID=END,Number=1,Type=Integer,Description="End of the event">',
    '##ALT=<ID=DEL,Description="Deletion">',
    '##ALT=<ID=DUP,Description="Duplication">',
    '##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">',
    '##FORMAT=<ID=CN,Number=1,Type=Integer,Description="Copy number">',
)


@dataclass(frozen=True, slots=True)
class NotPlaced:
    """A result that is left out, and why."""

    name: str
    """rsID, or the symbol of a gene whose copies were counted"""
    reason: str


@dataclass(frozen=True, slots=True)
class Drawn:
    """The records that results become."""

    text: str
    placed: int
    """Genotypes that have a record"""
    copies: Mapping[str, int]
    """Copies that are used, by gene"""
    undocumented: tuple[str, ...]
    """rsIDs with a base that no definition names"""
    not_placed: tuple[NotPlaced, ...]


@dataclass(frozen=True, slots=True)
class _Record:
    contig: int
    start: int
    ref: str
    name: str
    alleles: tuple[str | None, ...]

    @property
    def place(self) -> tuple[int, int, str]:
        return self.contig, self.start, self.ref

    def line(self) -> tuple[int, int, str]:
        alts = list(dict.fromkeys(one for one in self.alleles if one is not None and one != self.ref))
        numbers = {self.ref: "0"} | {alt: str(at) for at, alt in enumerate(alts, 1)}
        genotype = "/".join("." if one is None else numbers[one] for one in self.alleles)
        cells = (
            display(self.contig), str(self.start + 1), self.name, self.ref, ",".join(alts) or ".", ".", "PASS",
            ".", "GT", genotype,
        )  # fmt: skip
        return self.contig, self.start, "\t".join(cells)


class _CannotPlace(Exception):
    """Says why a genotype has no record."""


def draw(data: SampleData, genes: Iterable[Gene], build: Build, *, is_minus: bool = False) -> Drawn:
    """Return the VCF on GRCh38 of one sample; ``build`` and ``is_minus`` tell whose bases the genotypes are."""
    positions = positions_by_rs(genes)
    not_placed: list[NotPlaced] = []
    records: dict[tuple[int, int, str], _Record] = {}
    undocumented = []
    for rs, given in _by_rs(data.snps).items():
        try:
            position = positions.get(rs)
            if position is None:
                raise _CannotPlace("no definition in use has a place for it")
            record = _record(position, _genotype(given), build, is_minus=is_minus)
            before = records.setdefault(record.place, record)
            if sorted(map(str, before.alleles)) != sorted(map(str, record.alleles)):
                raise _CannotPlace(f"{before.name} is the same place and has another genotype")
        except _CannotPlace as error:
            not_placed.append(NotPlaced(rs, str(error)))
            continue
        if any(one is not None and one not in position.alleles38 for one in record.alleles):
            undocumented.append(rs)
    copies = {gene: number for gene, number in copies_of(data).items() if gene in COPY_REGIONS}
    refused = [NotPlaced(gene, reason) for gene, reason in _refused_copies(data, copies).items()]
    lines = [record.line() for record in records.values()]
    # The usual number is no variant; ``app.store.inbox.gene_copies`` tells it.
    lines += [_copy_line(gene, number) for gene, number in copies.items() if number != USUAL]
    header = [*_HEADER, "\t".join(["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT", "SAMPLE"])]
    text = "".join(f"{line}\n" for line in [*header, *(line for _, _, line in sorted(lines))])
    return Drawn(text, len(records), copies, tuple(undocumented), (*not_placed, *refused))


def positions_by_rs(genes: Iterable[Gene]) -> dict[str, Position]:
    """Return every defining position that has an rsID; all genes that have one agree on its place and alleles."""
    found: dict[str, Position] = {}
    for gene in genes:
        for position in gene.positions:
            if position.name.startswith("rs"):
                found.setdefault(position.name, position)
    return found


def _by_rs(snps: Iterable[Snp]) -> dict[str, list[Snp]]:
    found: dict[str, list[Snp]] = {}
    for one in snps:
        found.setdefault(one.rs, []).append(one)
    return found


def _genotype(given: Sequence[Snp]) -> tuple[str, ...]:
    genotypes = {tuple(sorted(alleles_of(one.genotype))) for one in given}
    if len(genotypes) > 1:
        raise _CannotPlace("it is given several times with different genotypes")
    return alleles_of(given[0].genotype)


def _record(position: Position, genotype: Sequence[str], build: Build, *, is_minus: bool) -> _Record:
    if len(genotype) == 1 and genotype[0] not in NO_CALL and len(genotype[0]) > 1 and position_is_snv(position):
        raise _CannotPlace("its alleles are not divided by a slash")
    if len(genotype) == 1 and position.contig not in _HAPLOID_CONTIGS:
        raise _CannotPlace("one allele is given, but people have two copies of its chromosome")
    native = _native_alleles(position, build)
    alleles = tuple(_allele(text, position, native, is_minus=is_minus) for text in genotype)
    return _Record(position.contig, position.start38, position.ref38, position.name, alleles)


def position_is_snv(position: Position) -> bool:
    """Return whether every allele of a position is one base."""
    return all(len(one) == 1 for one in position.alleles38)


def _native_alleles(position: Position, build: Build) -> tuple[str, ...]:
    """Return the alleles as they are spelled on the build of the results, parallel to those of GRCh38."""
    if build is Build.GRCH38:
        return position.alleles38
    if not position.alleles37:
        raise _CannotPlace("its alleles on GRCh37 are not known")
    return position.alleles37


def _allele(text: str, position: Position, native: Sequence[str], *, is_minus: bool) -> str | None:
    """Return an allele as GRCh38 spells it; None for one that was not called."""
    if text in NO_CALL:
        return None
    if not set(text) <= _BASES:
        raise _CannotPlace(f"the allele {text} says nothing certain")
    bases = text.translate(_COMPLEMENT)[::-1] if is_minus else text
    if is_minus and not position_is_snv(position):
        raise _CannotPlace("insertions and deletions of the minus strand are not read")
    if bases in native:
        return position.alleles38[native.index(bases)]
    if len(bases) > 1 or not position_is_snv(position):
        raise _CannotPlace(f"the allele {text} is none of those that definitions name")
    return _undocumented(bases, position, native)


def _undocumented(base: str, position: Position, native: Sequence[str]) -> str:
    """Return a base that no definition names as it is on GRCh38, whose strand may be the other one."""
    if tuple(native) == position.alleles38:
        return base
    if tuple(one.translate(_COMPLEMENT) for one in native) == position.alleles38:
        return base.translate(_COMPLEMENT)
    raise _CannotPlace(f"the allele {base} is none of those that definitions name, and builds differ here")


def _refused_copies(data: SampleData, copies: Mapping[str, int]) -> dict[str, str]:
    refused = {}
    for one in data.copies:
        if one.gene not in COPY_REGIONS:
            refused[one.gene] = "its copies are not used by any definition"
        elif one.gene not in copies:
            refused[one.gene] = "its copies are given several times with different numbers"
    return refused


def _copy_line(gene: str, copies: int) -> tuple[int, int, str]:
    """Return the record of a deletion or duplication; which copy a duplication is on, a number does not tell."""
    contig, start, end = COPY_REGIONS[gene]
    kind = "DEL" if copies < USUAL else "DUP"
    genotype = {0: "1/1", 1: "0/1"}.get(copies, "./1")
    cells = (
        display(contig), str(start + 1), gene, "N", f"<{kind}>", ".", "PASS", f"SVTYPE={kind};END={end}", "GT:CN",
        f"{genotype}:{copies}",
    )  # fmt: skip
    return contig, start, "\t".join(cells)
