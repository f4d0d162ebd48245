"""The variants of a FHIR file on their way to the store: written to a scratch file as they are read, then as blocks.

The scratch file makes memory independent of the file's size: what a variant refers to may stand anywhere in the file,
so nothing can be stored before all of it was read. Positions are zero-based.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import astuple, dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np
import orjson

from app.errors import LimitExceeded
from app.fhir.agreement import Decided
from app.fhir.elements import Reference
from app.fhir.extensions import ExactCall
from app.formats.genotype import Genotype, GenotypeTable
from app.formats.vcf_block import RecordBlock
from app.formats.vcf_structural import Record, StructuralAllele, StructuralReader, StructuralRow
from app.records import Build, SourceClass, StructuralKind, Zygosity
from app.variants.extent import Extent
from app.variants.normalize import trim

_FEW = 100_000
"""From so many rows on, rows that are complete are handed on"""


@dataclass(frozen=True, slots=True)
class Context:
    """What variants of one test and one assembly have in common, as they state it."""

    bundle: int
    subject: Reference | None
    part_of: tuple[Reference, ...]
    based_on: tuple[Reference, ...]
    effective: str | None
    specimen: Reference | None
    source_class: SourceClass | None
    build: Build | None
    """None for genotypes, which have no positions"""


@dataclass(frozen=True, slots=True)
class Row:
    """One variant: ``number`` is that of its entry, ``is_exact`` says that our own extension gave the call."""

    number: int
    label: str
    names: tuple[str, ...]
    context: int
    change: Decided
    call: ExactCall
    is_exact: bool
    structural: StructuralAllele | None = None
    """Set for a structural variant; ``change`` has its nominal start and alleles then"""

    def to_json(self) -> list[Any]:
        """Return the JSON form of the scratch file."""
        change, call, genotype = self.change, self.call, self.call.genotype
        return [
            self.number, self.label, self.names, self.context, change.build, change.contig, change.position, change.ref,
            change.alt, genotype.text, genotype.allele, int(genotype.zygosity), genotype.phased, call.depth,
            call.ref_depth, call.alt_depth, call.allele_depths, call.frequency, call.phase_set, call.filter,
            None if self.structural is None else astuple(self.structural), self.is_exact,
        ]  # fmt: skip

    @staticmethod
    def from_json(data: Sequence[Any]) -> Row:
        """Read the JSON form back."""
        number, label, names, context, build, contig, position, ref, alt, text, allele, zygosity, phased, *rest = data
        *values, structural, is_exact = rest
        genotype = Genotype(text, allele, Zygosity(zygosity), phased)
        change = Decided(Build(build), contig, position, ref, alt)
        return Row(
            number, label, tuple(names), context, change, ExactCall(genotype, *values), is_exact, _allele(structural)
        )


class Scratch:
    """Rows of one file in the order in which they came, in an unnamed file of ``folder``."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._file = cast("BinaryIO", tempfile.TemporaryFile(dir=folder))  # noqa: SIM115 - closed by close
        self.count = 0

    def add(self, row: Row) -> None:
        """Add a row."""
        self._file.write(orjson.dumps(row.to_json()) + b"\n")
        self.count += 1

    def rows(self) -> Iterator[Row]:
        """Yield every row."""
        self._file.seek(0)
        for line in self._file:
            yield Row.from_json(orjson.loads(line))

    def close(self) -> None:
        """Remove the file."""
        with suppress(OSError):
            self._file.close()


@dataclass(frozen=True, slots=True)
class BuildBlock:
    """A block of calls with the build that its positions are on, and the genotypes that it points into."""

    build: Build
    block: RecordBlock
    genotypes: Sequence[Genotype]


def blocks(
    rows: Iterator[tuple[Row, int]], changed: Mapping[int, ExactCall], source: str, *, most: int, long: int
) -> Iterator[BuildBlock]:
    """Yield the rows as blocks, each of one build and one contig; an int with each row is its call set.

    ``changed`` has other calls for some rows, by number. A contig of a call set stays in one block, because a call can
    tell what another one beside it means. In a file that lists them together, what is complete is handed on early.
    Alleles whose lengths differ by ``long`` are structural variants too.

    Raises:
        LimitExceeded: more rows than ``most`` must be held because the file does not list them together.
    """
    held: dict[tuple[Build, int], list[tuple[Row, int]]] = {}
    done: set[tuple[Build, int, int]] = set()
    count, last = 0, None
    for row, call_set in rows:
        key = (row.change.build, row.change.contig, call_set)
        if key != last:
            if count >= _FEW:
                yield from _as_blocks(held, changed, long)
                done.update((*group, at) for group, entries in held.items() for at in {entry[1] for entry in entries})
                held, count = {}, 0
            if key in done or count >= most:
                raise LimitExceeded(
                    source,
                    f"more than {min(most, _FEW):,} variants, and those of a chromosome do not stand together",
                    mend="Sort the variants by test and chromosome, or split the file by subject",
                )
            last = key
        held.setdefault(key[:2], []).append((row, call_set))
        count += 1
    yield from _as_blocks(held, changed, long)


def _as_blocks(
    held: Mapping[tuple[Build, int], list[tuple[Row, int]]], changed: Mapping[int, ExactCall], long: int
) -> Iterator[BuildBlock]:
    for build, contig in sorted(held):
        table = GenotypeTable()
        entries = sorted(held[build, contig], key=lambda entry: entry[0].change.position)
        yield BuildBlock(build, _block(contig, entries, changed, table, long), table.genotypes)


def _block(
    contig: int, listed: Sequence[tuple[Row, int]], changed: Mapping[int, ExactCall], table: GenotypeTable, long: int
) -> RecordBlock:
    entries = [entry for entry in listed if entry[0].structural is None]
    calls = [changed.get(row.number, row.call) for row, _ in entries]
    filters = [call.filter for call in calls]
    last = max(row.number for row, _ in listed) + 1

    def depths(name: str) -> np.ndarray[Any, np.dtype[np.int32]]:
        return np.array([getattr(call, name) for call in calls], np.int32)

    return RecordBlock(
        contig=contig,
        first_record=0,
        next_record=last,
        bytes_read=0,
        positions=np.array([row.change.position for row, _ in entries], np.int64),
        refs=[row.change.ref for row, _ in entries],
        alts=[row.change.alt for row, _ in entries],
        lines_1based=[row.number + 1 for row, _ in entries],
        filters=filters if any(text != "PASS" for text in filters) else None,
        row=np.arange(len(entries), dtype=np.int32),
        sample=np.array([call_set for _, call_set in entries], np.int32),
        genotype=np.array([table.number(call.genotype) for call in calls], np.uint16),
        depth=depths("depth"),
        ref_depth=depths("ref_depth"),
        alt_depth=depths("alt_depth"),
        allele_depths=depths("allele_depths"),
        frequency=np.array([np.nan if call.frequency is None else call.frequency for call in calls], np.float64),
        phase_set=np.array([call.phase_set for call in calls], np.int64),
        structural=_structural(listed, changed, table, long),
    )


def _structural(
    listed: Sequence[tuple[Row, int]], changed: Mapping[int, ExactCall], table: GenotypeTable, long: int
) -> list[StructuralRow]:
    """Return the structural variants; one that the call set has in its simple form too is counted with that alone.

    A simple variant whose lengths differ by ``long`` is structural too, as one of a VCF, unless our own extension is
    with it: such an Observation has its structural one beside it.
    """
    simple = {(at, *_simple_place(row)): row.number for row, at in listed if row.structural is None}
    stated = {(at, *_place(row.structural)) for row, at in listed if row.structural is not None}
    found = []
    for row, at in listed:
        allele = row.structural or (None if row.is_exact else _of_long(row, long))
        if allele is None or (row.structural is None and (at, *_place(allele)) in stated):
            continue
        beside = simple.get((at, *_place(allele)))
        number = row.number if beside is None else beside
        allele = replace(allele, also_simple=beside is not None)
        call = changed.get(row.number, row.call)
        genotypes, copies = [table.number(call.genotype)], [allele.copy_number]
        found.append(StructuralRow(allele, call.filter, number + 1, [at], genotypes, copies))
    return found


def _of_long(row: Row, long: int) -> StructuralAllele | None:
    """Return the structural form of a simple variant, None if it is too short to have one."""
    change = row.change
    if abs(len(change.alt) - len(change.ref)) < long:
        return None
    record = Record(change.contig, change.position + 1, "", change.ref, (change.alt,), row.number + 1)
    [reading] = StructuralReader(row.label, change.build, long).read(record, "", (None,), whole=False)
    return reading if isinstance(reading, StructuralAllele) else None


def _place(allele: StructuralAllele) -> tuple[int, str, str]:
    return allele.extent.start, allele.ref, allele.alt


def _simple_place(row: Row) -> tuple[int, str, str]:
    """Return where the structural form of a simple variant begins, and its alleles."""
    position, ref, alt = row.change.position, row.change.ref, row.change.alt
    if len(alt) > len(ref):
        position = position + len(ref) if alt.startswith(ref) else trim(position, ref, alt)[0]
    return position, ref, alt


def _allele(data: Sequence[Any] | None) -> StructuralAllele | None:
    if data is None:
        return None
    kind, extent, *rest = data
    return StructuralAllele(StructuralKind(kind), Extent(*extent), *rest)


GENOTYPES: Mapping[Zygosity, str] = {
    Zygosity.HETEROZYGOUS: "0/1",
    Zygosity.HOMOZYGOUS: "1/1",
    Zygosity.HEMIZYGOUS: "1",
}
"""The genotype of an allelic state; of any other, and of none, only one copy of ALT is known"""


def call_of(state: Zygosity | None, frequency: float | None, alt_depth: int) -> ExactCall:
    """Return the call that an allelic state makes; what it does not say stays unknown."""
    zygosity = state or Zygosity.UNKNOWN
    text = GENOTYPES.get(zygosity, "./1")
    return ExactCall(Genotype(text, 1, zygosity, phased=False), alt_depth=alt_depth, frequency=frequency)
