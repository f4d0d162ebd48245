"""The sample columns of a VCF record: what each FORMAT key of a cell says about the ALTs that the sample carries.

Fields read: GT, AD, DP, AF, PS (https://samtools.github.io/hts-specs/VCFv4.5.pdf, section 1.6.2). A field that a cell
drops at its end, or that is a dot, is absent. Garbage in a field that is read refuses the file.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple, NoReturn

from app.errors import BadFile, quoted
from app.formats.genotype import NO_CALL, REFERENCE, Called, Genotype, GenotypeTable
from app.formats.vcf_block import ABSENT, read_depth, total_of
from app.formats.vcf_site import Site
from app.formats.vcf_structural import read_copy_number
from app.formats.vcf_tally import Tally
from app.records import Zygosity

CARRIED = 0
"""Outcome of a cell that carries at least one ALT; the others are REFERENCE and NO_CALL."""

_MOST_KEYS = 500
_MANY_PLANS = 1000
_MANY_SHARES = 100_000
_SHARE = re.compile(r"[0-9]+(?:\.[0-9]*)?(?:[eE][+-]?[0-9]{1,3})?|\.[0-9]+(?:[eE][+-]?[0-9]{1,3})?")
_LONGEST_SHARE = 40
_ABSENT_SHARES = frozenset({".", "", "nan", "NaN", "NAN"})
_LARGEST_PHASE_SET = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Plan:
    """Where the fields of a FORMAT stand; −1 for those that it lacks or that must not be used."""

    keys: int
    genotype: int
    allele_depths: int
    depth: int
    frequency: int
    phase_set: int


class Call(NamedTuple):
    """One ALT that one sample carries; sorted by ALT, then sample."""

    allele: int
    sample: int
    number: int
    depth: int
    ref_depth: int
    alt_depth: int
    allele_depths: int
    frequency: float | None
    phase_set: int


class CellReader:
    """Read cells; every genotype goes into the reader's one table."""

    def __init__(self, name: str, table: GenotypeTable, tally: Tally, format_numbers: Mapping[str, str]) -> None:
        self._name = name
        self._table = table
        self._tally = tally
        # Some callers write AD in the order of the genotype or for the ALT only, and declare it with a fixed Number.
        self._trust_depths = not format_numbers.get("AD", "R").isdecimal()
        self._plans: dict[str, Plan | None] = {}

    def plan(self, keys: str, line_1based: int) -> Plan | None:
        """Read a FORMAT, None when it has no GT; raises BadFile for an empty or repeated key."""
        if keys not in self._plans:
            if len(self._plans) > _MANY_PLANS:
                self._plans.clear()
            self._plans[keys] = self._read_plan(keys, line_1based)
        return self._plans[keys]

    def _read_plan(self, keys: str, line_1based: int) -> Plan | None:
        names = keys.split(":", _MOST_KEYS)
        if len(names) > _MOST_KEYS or "" in names or len(set(names)) < len(names):
            self._refuse(
                "a key is empty or there twice, or there are more than 500", line_1based, "FORMAT", "Correct the keys"
            )
        if "GT" not in names:
            return None
        places = {key: place for place, key in enumerate(names)}
        return Plan(
            len(names),
            places["GT"],
            places.get("AD", -1) if self._trust_depths else -1,
            places.get("DP", -1),
            places.get("AF", -1),
            places.get("PS", -1),
        )

    def read(
        self,
        cell: str,
        plan: Plan,
        site: Site,
        *,
        column: int,
        sample: int,
        threshold: float | None,
        calls: list[Call],
    ) -> int:
        """Append the calls of one cell and return CARRIED, REFERENCE or NO_CALL.

        ``column`` is the place of the cell's column, from 0; ``threshold`` is the frequency above which a
        mitochondrial call is homoplasmic, None on other contigs.
        """
        values = cell.split(":", plan.keys)
        if len(values) > plan.keys:
            self._refuse_cell(
                "it has more values than FORMAT has keys", site, "FORMAT", column, "Give one value for each key"
            )
        text = values[plan.genotype] if plan.genotype < len(values) else "."
        called = self.called(text, site, column)
        if not called.carried:
            return NO_CALL if called.missing else REFERENCE
        depth = self._depth(_value(values, plan.depth), site, column)
        depths = self._allele_depths(_value(values, plan.allele_depths), site, column)
        frequencies = self._frequencies(_value(values, plan.frequency), site, column)
        phase_set = read_phase_set(_value(values, plan.phase_set))
        total = total_of(depths) if depths else ABSENT
        for allele, number in called.carried:
            frequency = frequencies[allele - 1] if frequencies else None
            alt_depth = depths[allele] if depths else ABSENT
            if threshold is not None and not called.missing:
                zygosity = _plasmy(frequency, depth, alt_depth, depths, threshold)
                number = self._mitochondrial(Genotype(text, allele, zygosity, called.phased), site, column)  # noqa: PLW2901
            ref_depth = depths[0] if depths else ABSENT
            calls.append(Call(allele, sample, number, depth, ref_depth, alt_depth, total, frequency, phase_set))
        return CARRIED

    def copy_number(self, cell: str, place: int, site: Site, column: int) -> str:
        """Return CN of a cell, empty where it is not stated; ``place`` is that of the key in FORMAT."""
        text = _value(cell.split(":"), place)
        try:
            return read_copy_number(text)
        except ValueError:
            self._refuse_cell(
                f"{quoted(text)} is no number of copies",
                site,
                "CN",
                column,
                "Write a number such as 3 or 1.5, or a dot",
            )

    def called(self, text: str, site: Site, column: int) -> Called:
        """Read a GT and check that the record has its alleles."""
        try:
            called = self._table.called(text)
        except ValueError as problem:
            self._refuse_cell(f"{quoted(text)}: {problem}", site, "GT", column, "Write alleles as 0/1, 0|1, 1 or ./.")
        if called.highest > len(site.alts):
            self._refuse_cell(
                f"{quoted(text)} names allele {called.highest}, but the record has {len(site.alts)} ALT",
                site,
                "GT",
                column,
                "Correct the genotype or add the ALT",
            )
        return called

    def _mitochondrial(self, genotype: Genotype, site: Site, column: int) -> int:
        try:
            return self._table.number(genotype)
        except ValueError as problem:
            self._refuse_cell(str(problem), site, "GT", column, "Split the file")

    def _depth(self, text: str, site: Site, column: int) -> int:
        try:
            return read_depth(text)
        except ValueError:
            self._refuse_cell(f"{quoted(text)} is no depth", site, "DP", column, "Write a whole number or a dot")

    def _allele_depths(self, text: str, site: Site, column: int) -> list[int] | None:
        """Return one depth for each allele, or None; a list of another length cannot be assigned to alleles."""
        if text == ".":
            return None
        parts = text.split(",", len(site.alts) + 1)
        try:
            depths = [read_depth(part) for part in parts[: len(site.alts) + 1]]
        except ValueError:
            self._refuse_cell(f"{quoted(text)} is no list of depths", site, "AD", column, "Write whole numbers or dots")
        if len(parts) != len(site.alts) + 1:
            self._tally.add("depth-count", site.line_1based)
            return None
        return depths

    def _frequencies(self, text: str, site: Site, column: int) -> list[float | None] | None:
        """Return one frequency for each ALT, or None where the field is absent or of another length."""
        if text == ".":
            return None
        parts = text.split(",", len(site.alts))
        try:
            frequencies = [read_share(part) for part in parts[: len(site.alts)]]
        except ValueError:
            self._refuse_cell(
                f"{quoted(text)} is no list of shares between 0 and 1", site, "AF", column, "Write 0.25, 1 or a dot"
            )
        return frequencies if len(parts) == len(site.alts) else None

    def _refuse(self, problem: str, line_1based: int, field: str, mend: str) -> NoReturn:
        raise BadFile(self._name, problem, line_1based=line_1based, field=field, mend=mend)

    def _refuse_cell(self, problem: str, site: Site, field: str, column: int, mend: str) -> NoReturn:
        # The column's number and not the sample's name, which may identify a person.
        self._refuse(problem, site.line_1based, f"{field} (column {column + 1})", mend)


def _value(values: list[str], place: int) -> str:
    return (values[place] or ".") if 0 <= place < len(values) else "."


def copy_number_place(keys: str) -> int:
    """Return where CN stands in a FORMAT, -1 if it is not there."""
    names = keys.split(":", _MOST_KEYS)
    return names.index("CN") if "CN" in names else -1


class Shares(dict[str, float | None]):
    """AF texts of records with one ALT → shares; a missing key is read on first use, with ValueError for garbage."""

    def __missing__(self, text: str) -> float | None:
        if len(self) > _MANY_SHARES:
            self.clear()
        share = self[text] = read_share(text)
        return share


def read_share(text: str) -> float | None:
    """Read a share between 0 and 1, None for a dot or NaN; raises ValueError."""
    if text in _ABSENT_SHARES:
        return None
    if len(text) > _LONGEST_SHARE or not _SHARE.fullmatch(text) or (share := float(text)) > 1:
        raise ValueError("it is no share between 0 and 1")
    return share


def read_phase_set(text: str) -> int:
    """Return a phase set, ABSENT for what is no whole number (some callers write names)."""
    if not text.isdecimal() or len(text) > 19 or (phase_set := int(text)) > _LARGEST_PHASE_SET:
        return ABSENT
    return phase_set


def _plasmy(
    frequency: float | None, depth: int, alt_depth: int, depths: Iterable[int] | None, threshold: float
) -> Zygosity:
    """Tell homoplasmic from heteroplasmic by the frequency; without any, or without reads, it stays unknown."""
    if frequency is None and alt_depth >= 0:
        known = list(depths or ())
        if min(known) >= 0 and sum(known) > 0:
            frequency = alt_depth / sum(known)
        elif depth > 0:
            frequency = alt_depth / depth
    if frequency is None:
        return Zygosity.UNKNOWN
    return Zygosity.HOMOPLASMIC if frequency > threshold else Zygosity.HETEROPLASMIC
