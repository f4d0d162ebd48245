"""Plain readers of ``data/demo`` for the tests: no code of Operon, so that the demo data are checked independently.

Positions are zero-based, half-open unless a name ends in ``_1based``.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

DATA = Path(__file__).resolve().parents[1] / "data"
DEMO = DATA / "demo"
BUILDS = ("GRCh37", "GRCh38")
OTHER = {"GRCh37": "GRCh38", "GRCh38": "GRCh37"}
MT = "NC_012920.1"
DEFINING = {
    "CYP2C19 *2": ("CYP2C19-2",),
    "CYP2C19 *17": ("CYP2C19-17",),
    "CYP2D6 *5": ("CYP2D6-5",),
    "SLCO1B1 *15": ("SLCO1B1-N130D", "SLCO1B1-V174A"),
    "UGT1A1 *28": ("UGT1A1-28",),
    "UGT1A1 *36": ("UGT1A1-36",),
}
"""The variants of the family that tell a star allele from ``*1``, by their ids in the two truth tables."""


@dataclass(frozen=True, slots=True)
class Change:
    """One SPDI, taken apart."""

    ref_seq: str
    position: int
    deleted: str
    inserted: str

    @classmethod
    def parse(cls, text: str) -> Change:
        """Read ``accession:position:deleted:inserted``."""
        ref_seq, position, deleted, inserted = text.split(":")
        return cls(ref_seq, int(position), deleted, inserted)

    def __str__(self) -> str:
        return f"{self.ref_seq}:{self.position}:{self.deleted}:{self.inserted}"


@dataclass(frozen=True, slots=True)
class Record:
    """One data line of a VCF with a single sample."""

    contig: str
    position_1based: int
    ref: str
    alts: tuple[str, ...]
    filter: str
    info: str
    call: dict[str, str]

    @property
    def alleles(self) -> list[int | None]:
        """Return the allele numbers of the genotype, None for a dot."""
        return [None if allele == "." else int(allele) for allele in re.split(r"[/|]", self.call["GT"])]

    @property
    def fields(self) -> dict[str, str]:
        """Return the fields of INFO; a flag has an empty text."""
        return {name: value for name, _, value in (field.partition("=") for field in self.info.split(";"))}


class Windows:
    """The reference windows of one FASTA file, by accession."""

    def __init__(self, path: Path) -> None:
        self.windows: list[tuple[str, int, str]] = []
        for entry in path.read_text(encoding="ascii").split(">")[1:]:
            head, *lines = entry.split()
            accession, start_1based, end = re.fullmatch(r"(NC_\d+\.\d+):(\d+)-(\d+)", head).groups()  # type: ignore[union-attr]
            bases = "".join(lines)
            assert len(bases) == int(end) - int(start_1based) + 1, head
            self.windows.append((accession, int(start_1based) - 1, bases))

    def fetch(self, ref_seq: str, start: int, end: int) -> str | None:
        """Return the bases, or None where they are not in one window."""
        for accession, first, bases in self.windows:
            if accession == ref_seq and first <= start and end <= first + len(bases):
                return bases[start - first : end - first]
        return None


def contextual(windows: Windows, change: Change) -> Change:
    """Trim a change and extend a pure insertion or deletion over every place where it can stand."""
    position, deleted, inserted = change.position, change.deleted, change.inserted
    while deleted and inserted and deleted[-1] == inserted[-1]:
        deleted, inserted = deleted[:-1], inserted[:-1]
    while deleted and inserted and deleted[0] == inserted[0]:
        position, deleted, inserted = position + 1, deleted[1:], inserted[1:]
    if bool(deleted) == bool(inserted):
        return Change(change.ref_seq, position, deleted, inserted)
    unit, end = deleted or inserted, position + len(deleted)
    left = right = ""
    while (base := windows.fetch(change.ref_seq, position - len(left) - 1, position - len(left))) and (
        base == unit[-1 - len(left) % len(unit)]
    ):
        left = base + left
    while (base := windows.fetch(change.ref_seq, end + len(right), end + len(right) + 1)) and (
        base == unit[len(right) % len(unit)]
    ):
        right += base
    return Change(change.ref_seq, position - len(left), left + deleted + right, left + inserted + right)


def reverse_complement(bases: str) -> str:
    """Return the bases of the opposite strand."""
    return bases[::-1].translate(str.maketrans("ACGT", "TGCA"))


def rows(path: Path) -> list[dict[str, str]]:
    """Read a table with a header row; tab-separated if it ends in .tsv."""
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream, delimiter="\t" if path.suffix == ".tsv" else ","))


def variants() -> list[dict[str, str]]:
    """Read the truth table of the small variants."""
    return rows(DEMO / "variants.tsv")


def structural() -> list[dict[str, str]]:
    """Read the truth table of the structural variants."""
    return rows(DEMO / "structural.tsv")


def place(row: dict[str, str], build: str) -> tuple[str, int, int]:
    """Return where a row of the structural table lies on a build."""
    ref_seq, start, end = re.split(r"[:-]", row[build.lower()])
    return ref_seq, int(start), int(end)


def haplotypes() -> list[dict[str, str]]:
    """Read the genotypes."""
    return rows(DEMO / "haplotypes.tsv")


def listed(text: str, mark: str = ";") -> list[str]:
    """Take apart a list in a cell."""
    return [entry.strip() for entry in text.split(mark) if entry.strip()]


def spdi(row: dict[str, str], build: str) -> Change:
    """Return the contextual SPDI of a row of the truth table on a build."""
    return Change.parse(row[f"{build.lower()}_spdi"])


def chain_path(source: str) -> Path:
    """Return the shipped chain file that starts from a build."""
    return DEMO / "chain" / f"{source}_to_{OTHER[source]}.chain"


def contig_name(ref_seq: str) -> str:
    """Return the bare chromosome name of an accession, as the chain files write it."""
    number = int(ref_seq[3:9])
    return "MT" if ref_seq == MT else {23: "X", 24: "Y"}.get(number, str(number))


def records(path: Path) -> Iterator[Record]:
    """Read the data lines of a VCF with one sample; contig names lose their ``chr``."""
    for line in path.read_text(encoding="ascii").splitlines():
        if line.startswith("#"):
            continue
        chrom, pos, _, ref, alt, _, filters, info, fmt, sample = line.split("\t")
        contig = chrom.removeprefix("chr")
        call = dict(zip(fmt.split(":"), sample.split(":"), strict=True))
        yield Record("MT" if contig == "M" else contig, int(pos), ref, tuple(alt.split(",")), filters, info, call)
