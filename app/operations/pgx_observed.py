"""What the calls that touch one position of a pharmacogene say of its alleles, strand by strand.

A stored call is one ALT of one record; the GT text brings the ALTs of a record together again. A call that is none of
the position's alleles but changes its bases is an undocumented allele. Positions are zero-based, half-open, on the
build of the calls.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from app.operations.pgx_places import Place
from app.pgx.calls import Observed
from app.store.codec import CallChunk
from app.variants.normalize import trim

_NUMBER = re.compile(r"\.|[0-9]+")
_DIPLOID = 2

Value = int | str | None
"""Index of an allele of the position, the spelling of another one, None where a copy was not called"""


@dataclass(frozen=True, slots=True)
class Found:
    """What was observed, the number of reads of each allele (empty where unknown), and the share of ALT."""

    observed: Observed
    repeated: bool = False
    """There were several records, of which the first counts"""
    depths: tuple[int, ...] = ()
    frequency: float | None = None


@dataclass(slots=True)
class _Record:
    """The calls of one record of a VCF."""

    key: tuple[int, str, str, int | None]
    text: str
    phased: bool
    phase_set: int | None
    values: dict[int, Value] = field(default_factory=dict)
    """By the number of the ALT"""
    depths: dict[int, int] = field(default_factory=dict)
    frequency: float | None = None
    is_about: bool = False
    """Some ALT is an allele of the position or changes its bases"""
    is_exact: bool = False
    """Some ALT is an allele of the position"""

    def strands(self, place: Place) -> tuple[Value, ...]:
        numbers = _NUMBER.findall(self.text)[:_DIPLOID]
        return tuple(
            None if number == "." else place.reference if number == "0" else self.values.get(int(number))
            for number in numbers
        )

    def reads(self) -> tuple[int, ...]:
        numbers = _NUMBER.findall(self.text)[:_DIPLOID]
        found = [self.depths.get(int(number), -1) for number in numbers if number != "."]
        return tuple(found) if len(found) == len(numbers) and min(found, default=-1) >= 0 else ()


def observe(place: Place, rows: Sequence[tuple[CallChunk, int]]) -> Found | None:
    """Return what calls near a place say of it; None where none of them is about it."""
    records: list[_Record] = []
    for chunk, row in rows:
        _add(records, place, chunk, row)
    about = [record for record in records if record.is_about]
    if not about:
        return None
    about.sort(key=lambda record: not record.is_exact)
    first = about[0]
    strands = first.strands(place)
    phased, phase_set, depths = first.phased, first.phase_set, first.reads()
    repeated = len(about) > 1
    undocumented = False
    if repeated:
        together = _together(place, about)
        if together is not None:
            strands, phased = together
            repeated, depths = False, ()
            phase_set = phase_set if phased else None
        else:
            undocumented = any(not record.is_exact for record in about)
    undocumented = undocumented or any(isinstance(value, str) for value in strands)
    alleles = tuple(place.allele(value) if isinstance(value, int) else value for value in strands)
    return Found(Observed(alleles, phased, phase_set, undocumented), repeated, depths, first.frequency)


def _add(records: list[_Record], place: Place, chunk: CallChunk, row: int) -> None:
    """Add one call to the record that it is of; the same call of another bin is added once."""
    allele = chunk.alleles[int(chunk.allele[row])]
    if allele.ref == allele.alt:  # a call of the other build only
        return
    genotype = chunk.genotypes[int(chunk.genotype[row])]
    phase_set = int(chunk.phase_set[row]) if chunk.phase_set is not None else -1
    start = int(chunk.start[row])
    position = start + allele.anchor
    key = (position, allele.ref, genotype.text, phase_set)
    value, about, exact = _value(place, start, allele.deleted, allele.inserted, trim(position, allele.ref, allele.alt))
    if isinstance(value, str):
        value = allele.alt if (position, allele.ref) == (place.start, place.ref) else f"{allele.ref}>{allele.alt}"
    record = next((one for one in records if one.key == key and genotype.allele not in one.values), None)
    if record is None:
        known = genotype.phased and phase_set >= 0
        record = _Record(key, genotype.text, genotype.phased, phase_set if known else None)
        records.append(record)
    record.values[genotype.allele] = value
    record.is_about |= about
    record.is_exact |= exact
    if chunk.ref_depth is not None:
        record.depths[0] = int(chunk.ref_depth[row])
    if chunk.alt_depth is not None:
        record.depths[genotype.allele] = int(chunk.alt_depth[row])
    share = _share(chunk, row)
    if share is not None and about:
        record.frequency = max(share, record.frequency or 0.0)


def _value(
    place: Place, start: int, deleted: str, inserted: str, trimmed: tuple[int, str, str]
) -> tuple[Value, bool, bool]:
    """Return what a call is at a place, whether it is about the place, and whether it is an allele of it."""
    for change in place.changes:
        if (start, deleted, inserted) in change.keys or trimmed in change.keys:
            return change.index, True, True
    end = start + len(deleted)
    if place.is_single and len(deleted) == len(inserted) and start <= place.start < end:
        base = inserted[place.start - start]
        if base in place.alleles:
            index = place.alleles.index(base)
            return index, index != place.reference, index != place.reference
        return base, True, False
    if _touches(place, start, end):
        return "", True, False
    return place.reference, False, False


def _touches(place: Place, start: int, end: int) -> bool:
    """Return whether a call changes what the position tells of."""
    low, high = place.low, place.high
    if place.is_single:  # bases put in beside a base leave it as it is
        return start < high and end > low
    if start == end:
        return low <= start <= high
    return start < low < end if low == high else start < high and end > low


def _together(place: Place, records: Sequence[_Record]) -> tuple[tuple[Value, ...], bool] | None:
    """Return the strands of two records that each change one copy, which leaves one way; None where it does not."""
    if len(records) != _DIPLOID:
        return None
    first, second = (record.strands(place) for record in records)
    usual = (place.reference, None)
    if not len(first) == len(second) == _DIPLOID or any(
        sum(value not in usual for value in strands) != 1 for strands in (first, second)
    ):
        return None
    phased = all(record.phased for record in records) and records[0].phase_set == records[1].phase_set
    one, other = (next(value for value in strands if value not in usual) for strands in (first, second))
    if one == other:
        return None
    if not phased:
        return (one, other), False
    at, beside = first.index(one), second.index(other)
    if at == beside:
        return None
    return ((one, other) if at == 0 else (other, one)), True


def _share(chunk: CallChunk, row: int) -> float | None:
    """Return the share of reads that a call stands on, as the source states or as its depths say."""
    if chunk.frequency is not None and chunk.frequency[row] == chunk.frequency[row]:
        return float(chunk.frequency[row])
    if chunk.alt_depth is None or chunk.allele_depths is None:
        return None
    depth, total = int(chunk.alt_depth[row]), int(chunk.allele_depths[row])
    return depth / total if depth >= 0 and total > 0 else None
