r"""Read a BED file (https://samtools.github.io/hts-specs/BEDv1.pdf) as merged regions of the primary chromosomes.

BED is zero-based and half-open already. The first three columns are read; names may be ``1``, ``chr1`` or the accession
of the build.

>>> regions = read_bed(io.BytesIO(b"chr1\t10\t20\nchr1\t15\t30\n"), "x.bed", Build.GRCH38, Settings())
>>> regions.intervals[1]
(array([10]), array([30]))
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from typing import BinaryIO, NoReturn

import numpy as np

from app.config import Settings
from app.errors import BadFile, quoted
from app.formats.bounded_text import BoundedText
from app.formats.vcf_header import refuse_accession
from app.records import Build
from app.variants.accessions import contig_named, display, length
from app.variants.regions import Stretches, union

_NOT_DATA = ("#", "track", "browser")
_MOST_DIGITS = 10


@dataclass(frozen=True, slots=True)
class BedRegions:
    """``intervals`` maps each contig to sorted, disjoint (starts, ends); ``other_contigs`` counts lines left out."""

    intervals: dict[int, Stretches]
    other_contigs: int


def read_bed(stream: BinaryIO, name: str, build: Build, settings: Settings) -> BedRegions:
    """Read a whole BED file, plain, gzip or BGZF; touching and overlapping regions are merged, empty ones dropped.

    Raises:
        BadFile: a line cannot be read, or ends after its chromosome.
        LimitExceeded: a cap of the settings is exceeded.
    """
    text = BoundedText(stream, name, settings)
    ends_of: dict[int, tuple[array[int], array[int]]] = {}
    other_contigs = 0
    line_1based = 0
    while block := text.next_lines(line_1based):
        for raw in block.removesuffix(b"\n").split(b"\n"):
            line_1based += 1
            line = raw.decode("latin-1").rstrip("\r")
            if not line.strip() or line.startswith(_NOT_DATA):
                continue
            contig, start, end = _read_line(line, line_1based, name, build)
            if contig is None:
                other_contigs += 1
                continue
            starts, ends = ends_of.setdefault(contig, (array("q"), array("q")))
            starts.append(start)
            ends.append(end)
    regions = {
        contig: union(np.array(starts, np.int64), np.array(ends, np.int64))
        for contig, (starts, ends) in sorted(ends_of.items())
    }
    return BedRegions(regions, other_contigs)


def _read_line(line: str, line_1based: int, name: str, build: Build) -> tuple[int | None, int, int]:
    def refuse(problem: str, field: str, mend: str) -> NoReturn:
        raise BadFile(name, problem, line_1based=line_1based, field=field, mend=mend)

    columns = line.split("\t", 3) if "\t" in line else line.split(None, 3)
    if len(columns) < 3:
        refuse("there are fewer than three columns", "columns", "Write chromosome, start and end, separated by tabs")
    limits = []
    for field, text in (("start", columns[1]), ("end", columns[2])):
        digits = text.strip()
        if not digits.isdecimal() or len(digits) > _MOST_DIGITS:
            refuse(f"{quoted(text)} is no position", field, "Write a whole number; the first base is 0")
        limits.append(int(digits))
    start, end = limits
    if start > end:
        refuse(f"the start {start} is after the end {end}", "start", "Exchange them")
    contig = contig_named(columns[0].strip(), build)
    if contig is None:
        refuse_accession(columns[0].strip(), line_1based, "chrom", name, build=build)
    elif end > length(build, contig):
        refuse(
            f"the end {end:,} is after the last base of chromosome {display(contig)} on {build}",
            "end",
            f"Check that the file is on {build}",
        )
    return contig, start, end
