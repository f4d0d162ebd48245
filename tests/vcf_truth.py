"""What a VCF says, read with pysam, and where a chain file leads, asked of pyliftover: no code of Operon.

Changes are trimmed, and extended over the places where they can stand as far as sequence is at hand. Positions are
zero-based, half-open.
"""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import count
from pathlib import Path

import pysam
from pyliftover import LiftOver

Fetch = Callable[[int, int], str | None]
"""Returns the bases of an interval of one chromosome, or None where they are not known"""

PASSED: tuple[list[str], ...] = ([], ["PASS"])
_PADDING = 60


@dataclass(frozen=True, slots=True, order=True)
class Change:
    """Deleted bases at a position of one chromosome, and what is inserted for them."""

    position: int
    deleted: str
    inserted: str

    @property
    def end(self) -> int:
        return self.position + len(self.deleted)

    def touches(self, start: int, end: int) -> bool:
        """Return whether a range meets it; an empty range is the base at its start."""
        end = max(end, start + 1)
        if self.deleted:
            return self.position < end and self.end > start
        return start <= self.position < end

    def spdi(self, accession: str) -> str:
        return f"{accession}:{self.position}:{self.deleted}:{self.inserted}"


@dataclass(frozen=True, slots=True, order=True)
class Call:
    """One ALT that a genotype carries, as the record has it."""

    change: Change
    position: int
    ref: str
    alt: str
    state: str


@dataclass(frozen=True, slots=True)
class Allele:
    """One ALT of a record: ``number`` is its place among ``of`` ALTs, counted from one."""

    change: Change
    position: int
    ref: str
    alt: str
    number: int
    of: int


def trimmed(position: int, ref: str, alt: str) -> Change:
    """Drop common bases, those at the end first."""
    while ref and alt and ref[-1] == alt[-1]:
        ref, alt = ref[:-1], alt[:-1]
    shared = next(at for at in count() if at == min(len(ref), len(alt)) or ref[at] != alt[at])
    return Change(position + shared, ref[shared:], alt[shared:])


def contextual(change: Change, fetch: Fetch) -> Change | None:
    """Extend a pure insertion or deletion over every place where it can stand; None where the bases end too soon."""
    if bool(change.deleted) == bool(change.inserted):
        return change
    unit, left, right = change.deleted or change.inserted, "", ""
    before, after = fetch(change.position - 1, change.position), fetch(change.end, change.end + 1)
    while before == unit[-1 - len(left) % len(unit)]:
        left = before + left
        before = fetch(change.position - len(left) - 1, change.position - len(left))
    while after == unit[len(right) % len(unit)]:
        right += after
        after = fetch(change.end + len(right), change.end + len(right) + 1)
    if before is None or after is None:
        return None
    return Change(change.position - len(left), left + change.deleted + right, left + change.inserted + right)


def plain_alts(record: pysam.VariantRecord) -> list[tuple[int, str]]:
    """Return the number of each ALT that spells its bases; none of a structural record."""
    alts = record.alts or ()
    if "SVTYPE" in record.info or any(alt.startswith("<") for alt in alts):
        return []
    return [(number, alt) for number, alt in enumerate(alts, 1) if alt != "*"]


def reverse_complement(bases: str) -> str:
    return bases[::-1].translate(str.maketrans("ACGT", "TGCA"))


class Chain:
    """The chain file of one direction; a place that several chains claim is nobody's."""

    def __init__(self, path: Path) -> None:
        with gzip.open(path) as stream:
            self._lift = LiftOver(stream)

    def lift(self, chromosome: str, change: Change) -> Change | None:
        """Return the counterpart of a change if both of its ends lead to one stretch of the same length."""
        # The bases on both sides hold an insertion.
        first, last = (change.position, change.end - 1) if change.deleted else (change.position - 1, change.position)
        ends = [self._lift.convert_coordinate(chromosome, at) or [] for at in (first, last)]
        if any(len(hits) != 1 or hits[0][0] != chromosome for hits in ends):
            return None
        (_, low, strand, _), (_, high, other_strand, _) = ends[0][0], ends[1][0]
        turned = strand == "-"
        if turned:
            low, high = high, low
        if strand != other_strand or high - low != last - first:
            return None
        alleles = [change.deleted, change.inserted]
        deleted, inserted = map(reverse_complement, alleles) if turned else alleles
        return Change(low if change.deleted else high, deleted, inserted)


class VcfTruth:
    """A VCF with one chromosome; a copy compressed by bgzip, with an index, is made in ``folder``."""

    def __init__(self, path: Path, folder: Path, fetch: Fetch | None = None) -> None:
        plain, packed = folder / "plain.vcf", folder / "truth.vcf.gz"
        with gzip.open(path) as stream:
            plain.write_bytes(stream.read())
        pysam.tabix_compress(str(plain), str(packed), force=True)
        plain.unlink()
        pysam.tabix_index(str(packed), preset="vcf", force=True)
        self._file = packed
        self._fetch = fetch or (lambda start, end: None)
        with pysam.VariantFile(str(packed)) as file:
            self.samples = list(file.header.samples)
            [self.chromosome] = {record.chrom for record in file}

    def change(self, position: int, ref: str, alt: str) -> Change:
        """Return what an ALT changes; as it is, trimmed, where its surroundings are not known."""
        change = trimmed(position, ref, alt)
        return contextual(change, self._fetch) or change

    @cached_property
    def alleles(self) -> list[Allele]:
        """Return every ALT that is no structural variant, of the records that passed the filters."""
        with pysam.VariantFile(str(self._file), drop_samples=True) as file:
            return [allele for record in file for allele in self._alleles(record)]

    def _alleles(self, record: pysam.VariantRecord) -> Iterator[Allele]:
        if list(record.filter) not in PASSED:
            return
        for number, alt in plain_alts(record):
            assert record.ref is not None
            change = self.change(record.start, record.ref, alt)
            yield Allele(change, record.start, record.ref, alt, number, len(record.alts or ()))

    def carriers(self, change: Change) -> set[str]:
        """Return the samples with an ALT that is this change, however a record writes it."""
        found = set()
        with pysam.VariantFile(str(self._file)) as file:
            for record in file.fetch(self.chromosome, max(0, change.position - _PADDING), change.end + _PADDING):
                numbers = {allele.number for allele in self._alleles(record) if allele.change == change}
                if numbers:
                    genotypes = zip(self.samples, (call["GT"] for call in record.samples.values()), strict=True)
                    found |= {name for name, genotype in genotypes if numbers.intersection(genotype)}
        return found

    def calls(self, samples: Sequence[str]) -> dict[str, list[Call]]:
        """Return what each of some samples has, sorted."""
        found: dict[str, list[Call]] = {sample: [] for sample in samples}
        with pysam.VariantFile(str(self._file)) as file:
            file.subset_samples(samples)
            for record in file:
                alleles = list(self._alleles(record))
                for sample, call in record.samples.items() if alleles else ():
                    genotype = call["GT"]
                    for allele in alleles if any(genotype) else ():
                        if allele.number in genotype:
                            state = "homozygous" if set(genotype) == {allele.number} else "heterozygous"
                            found[str(sample)].append(
                                Call(allele.change, allele.position, allele.ref, allele.alt, state)
                            )
        return {sample: sorted(calls) for sample, calls in found.items()}
