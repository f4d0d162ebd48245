"""The places of one sample at which a VCF says that there is no variant, or that it cannot tell.

Reference blocks of a gVCF (``<NON_REF>``, ``<*>`` or no ALT, with END in INFO;
https://samtools.github.io/hts-specs/VCFv4.5.pdf, section 5.5), records whose genotype is the reference, and records
that cannot be used. A record counts as called if all alleles of its genotype are the reference and FILTER passes; GQ,
DP and other grades are the caller's to judge, by GT and FILTER.

Positions are zero-based, half-open.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Sequence
from typing import NamedTuple, NoReturn

import numpy as np

from app.errors import BadFile, quoted
from app.formats.genotype import GenotypeTable
from app.formats.vcf_site import PASSING, Site, names_structure
from app.variants.regions import NOTHING, Stretches, union

BLOCK_ALTERNATES = frozenset({"<NON_REF>", "<*>"})

_END = re.compile(r"(?:^|;)END=([^;]*)")
_ALLELES = re.compile(r"[A-Za-z*.,]+")
_MOST_DIGITS = 10
_MANY = 500_000
"""Stretches from which a block is handed on, whatever else it holds"""
_MANY_VERDICTS = 10_000


class SiteRegions(NamedTuple):
    """What the records of one block say of places: called as the reference, not called."""

    called: Stretches
    uncalled: Stretches


NO_REGIONS = SiteRegions(NOTHING, NOTHING)


class _Growing:
    """Stretches in the order of a file; one that goes on where the last one ends makes it longer."""

    __slots__ = ("ends", "starts")

    def __init__(self) -> None:
        self.starts = array("q")
        self.ends = array("q")

    def add(self, start: int, end: int) -> None:
        ends = self.ends
        if ends and self.starts[-1] <= start <= ends[-1]:
            ends[-1] = max(ends[-1], end)
        else:
            self.starts.append(start)
            ends.append(end)

    def take(self) -> Stretches:
        found = union(np.array(self.starts, np.int64), np.array(self.ends, np.int64))
        self.starts, self.ends = array("q"), array("q")
        return found


class RegionBuilder:
    """Collect the places of one sample on one contig."""

    def __init__(self, name: str, table: GenotypeTable) -> None:
        self.has_blocks = False
        """Whether a reference block was seen: such a file tells of every place that the test studied"""
        self._name = name
        self._table = table
        self._verdicts: dict[str, bool] = {}
        self._called = _Growing()
        self._uncalled = _Growing()

    def __bool__(self) -> bool:
        """Return whether there is something to hand on."""
        return bool(self._called.starts or self._uncalled.starts)

    @property
    def is_full(self) -> bool:
        """Return whether so much is held that it should be handed on."""
        return len(self._called.starts) + len(self._uncalled.starts) >= _MANY

    def take(self) -> SiteRegions:
        """Return what was collected and begin anew."""
        return SiteRegions(self._called.take(), self._uncalled.take())

    def add(self, start: int, end: int, *, called: bool) -> None:
        """Add the place of a record without a variant to store."""
        (self._called if called else self._uncalled).add(start, end)

    def add_block(self, fields: Sequence[str], genotype: str | None, last: int, line_1based: int) -> None:
        """Add a record of the reference that passed FILTER; ``last`` is the length of its chromosome.

        Raises:
            BadFile: END or GT cannot be read.
        """
        if genotype is None:  # nothing says whether the place was called
            return
        called = self._verdicts.get(genotype)
        if called is None:
            called = self._verdicts[genotype] = self._is_reference(genotype, line_1based)
        start = int(fields[1]) - 1
        (self._called if called else self._uncalled).add(start, self._end(fields, start, last, line_1based))

    def _is_reference(self, genotype: str, line_1based: int) -> bool:
        """Return whether every allele of a genotype is the reference; raises BadFile."""
        try:
            called = self._table.called(genotype)
        except ValueError as problem:
            self._refuse(f"{quoted(genotype)}: {problem}", line_1based, "GT", "Write alleles as 0/0, 0|0, 0 or ./.")
        if len(self._verdicts) > _MANY_VERDICTS:
            self._verdicts.clear()
        return not called.missing and not called.carried

    def add_site(self, site: Site, genotype: str) -> None:
        """Add a record that was read without a call to store.

        A place whose only other allele is ``*`` is called: the deletion that spans it is a record of its own.
        """
        called = self._table.called(genotype)
        others = {site.left_out[carried.allele - 1] for carried in called.carried}
        is_called = site.filters in PASSING and not called.missing and others <= {"spanning-deletion"}
        self.add(site.position, site.position + len(site.ref), called=is_called)

    def add_unused(
        self, fields: Sequence[str], genotype: str | None, last: int, line_1based: int, *, passed: bool
    ) -> None:
        """Add a record that was left out: what it would have said of its place is not known.

        Structural records are about something else; a record of the reference that passed is none of the unused.
        """
        alts = set(fields[4].split(",")) - BLOCK_ALTERNATES
        if alts <= {"."}:
            if passed:
                self.add_block(fields, genotype, last, line_1based)
                return
            start = int(fields[1]) - 1
            end = self._end(fields, start, last, line_1based)
        elif names_structure(fields[7]) or not all(map(_ALLELES.fullmatch, alts)):
            return
        else:
            start = int(fields[1]) - 1
            end = start + len(fields[3])
        start, end = max(start, 0), min(end, last)
        if start < end:
            self.add(start, end, called=False)

    def _end(self, fields: Sequence[str], start: int, last: int, line_1based: int) -> int:
        """Return the end of a record of the reference; raises BadFile."""
        info = fields[7]
        if info.startswith("END="):
            text = info[4:].partition(";")[0]
        elif "END=" in info and (match := _END.search(info)):
            text = match[1]
        else:
            self.has_blocks |= fields[4] in BLOCK_ALTERNATES
            return start + len(fields[3])
        self.has_blocks = True
        if not text.isdecimal() or len(text) > _MOST_DIGITS or not start < int(text) <= last:
            problem = f"{quoted(text)} is no place between POS and the last base of the chromosome ({last:,})"
            self._refuse(problem, line_1based, "INFO/END", "Write the last base of the block, counted from 1")
        return int(text)

    def _refuse(self, problem: str, line_1based: int, field: str, mend: str) -> NoReturn:
        raise BadFile(self._name, problem, line_1based=line_1based, field=field, mend=mend)
