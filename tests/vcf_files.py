"""Small VCF files for tests: texts, their compressed forms, and reading them whole."""

from __future__ import annotations

import gzip
import io
import math
import zlib
from dataclasses import dataclass
from typing import Any

from app.config import Settings
from app.formats.genotype import Genotype
from app.formats.vcf import RecordBlock, VcfReader
from app.records import Build

HEADER_LINES = 10
"""Lines of every text of ``vcf``, so the first record is on line 11."""

MANY = tuple(f"S{number}" for number in range(70))
"""More samples than a line is split for."""

BGZF_END = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")


def header(*samples: str, version: str = "4.3", build: Build = Build.GRCH38) -> str:
    """Return a header that declares GT, AD, DP, AF and PS."""
    lengths = {Build.GRCH38: (248956422, 156040895), Build.GRCH37: (249250621, 155270560)}[build]
    lines = [
        f"##fileformat=VCFv{version}",
        f"##contig=<ID=chr1,length={lengths[0]}>",
        f"##contig=<ID=chrX,length={lengths[1]}>",
        "##contig=<ID=chrM,length=16569>",
        '##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">',
        '##FORMAT=<ID=AD,Number=R,Type=Integer,Description="Depths">',
        '##FORMAT=<ID=DP,Number=1,Type=Integer,Description="Depth">',
        '##FORMAT=<ID=AF,Number=A,Type=Float,Description="Shares">',
        '##FORMAT=<ID=PS,Number=1,Type=Integer,Description="Phase set">',
        "\t".join(["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT", *samples]),
    ]
    return "".join(f"{line}\n" for line in lines)


def vcf(*records: str, samples: tuple[str, ...] = ("S1",), **options: Any) -> str:
    """Return a VCF; records are written with blanks in place of tabs."""
    return header(*samples, **options) + "".join("\t".join(record.split()) + "\n" for record in records)


def in_many(cell: str) -> str:
    """Return the cells of a line of MANY samples, of which the fifth is given and the others are reference."""
    return " ".join([*["0/0"] * 4, cell, *["0/0"] * 65])


def bgzf(data: bytes, block: int = 60_000) -> bytes:
    """Return data as a BGZF file."""
    parts = []
    for at in range(0, len(data), block):
        packer = zlib.compressobj(6, zlib.DEFLATED, -15)
        piece = data[at : at + block]
        body = packer.compress(piece) + packer.flush()
        size = len(body) + 25
        head = bytes.fromhex("1f8b08040000000000ff0600424302") + b"\x00" + size.to_bytes(2, "little")
        parts.append(head + body + zlib.crc32(piece).to_bytes(4, "little") + len(piece).to_bytes(4, "little"))
    return b"".join(parts) + BGZF_END


def gzipped(data: bytes) -> bytes:
    """Return data as plain gzip."""
    return gzip.compress(data, 6, mtime=0)


@dataclass(frozen=True)
class ReadCall:
    """One call, with everything looked up."""

    contig: int
    position: int
    ref: str
    alt: str
    line_1based: int
    sample: int
    genotype: Genotype
    depth: int
    ref_depth: int
    alt_depth: int
    allele_depths: int
    frequency: float | None
    phase_set: int


@dataclass(frozen=True)
class ReadFile:
    """A file, read."""

    reader: VcfReader
    blocks: list[RecordBlock]
    calls: list[ReadCall]

    @property
    def counts(self) -> dict[str, int]:
        """Return the tally as counts by reason."""
        return {reason: entry.count for reason, entry in self.reader.tally.entries.items()}


def read(
    data: str | bytes,
    samples: list[int] | None = None,
    *,
    build: Build = Build.GRCH38,
    settings: Settings | None = None,
    homoplasmic_above: float = 0.99,
    keep_filtered: bool = False,
    **options: Any,
) -> ReadFile:
    """Read a VCF from memory; all samples unless some are chosen."""
    stream = io.BytesIO(data.encode() if isinstance(data, str) else data)
    reader = VcfReader(stream, "x.vcf", build, settings or Settings())
    chosen = list(range(len(reader.header.samples))) if samples is None else samples
    thresholds = [homoplasmic_above] * len(chosen)
    blocks = list(reader.blocks(chosen, keep_filtered=keep_filtered, homoplasmic_above=thresholds, **options))
    return ReadFile(reader, blocks, [call for block in blocks for call in calls_of(block, reader)])


def calls_of(block: RecordBlock, reader: VcfReader) -> list[ReadCall]:
    """Return the calls of a block in its order."""
    calls = []
    for at, row in enumerate(block.row.tolist()):
        frequency = float(block.frequency[at])
        calls.append(
            ReadCall(
                block.contig,
                int(block.positions[row]),
                block.refs[row],
                block.alts[row],
                block.lines_1based[row],
                int(block.sample[at]),
                reader.genotypes[block.genotype[at]],
                int(block.depth[at]),
                int(block.ref_depth[at]),
                int(block.alt_depth[at]),
                int(block.allele_depths[at]),
                None if math.isnan(frequency) else frequency,
                int(block.phase_set[at]),
            )
        )
    return calls
