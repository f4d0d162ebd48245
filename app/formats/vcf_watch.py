"""Places of a VCF at which it is kept what the records say of every sample, even that there is no variant.

A store keeps the calls of a file that carry an ALT. At the few places that tell named alleles of a gene apart, "the
reference" and "not called" matter as much: a record there is handed on with a verdict for each sample. Of one sample
alone the regions of its records (``app.formats.vcf_regions``) say the rest, so that only records of insertions and
deletions are handed on: nothing but a record of the very change tells that it is absent.

Positions are zero-based.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from app.formats.genotype import GenotypeTable
from app.formats.vcf_site import PASSING, names_structure

OTHER: Final = 0
"""Nothing to keep: the sample carries an ALT, or what the record says of it is not known"""
REFERENCE: Final = 1
"""Every allele of the sample is the reference"""
UNCALLED: Final = 2
"""An allele of the sample is missing and none is an ALT, or the record failed its filters"""

WINDOW: Final = 6
"""Records of insertions and deletions are watched in windows of 2 ** 6 bases: one change has many spellings"""

_NOWHERE: frozenset[int] = frozenset()
_MANY_VERDICTS = 10_000


@dataclass(frozen=True, slots=True)
class Watch:
    """What to watch on each contig."""

    places: Mapping[int, frozenset[int]] = field(default_factory=dict)
    """Positions of single bases"""
    windows: Mapping[int, frozenset[int]] = field(default_factory=dict)
    """Windows (position >> WINDOW) in which insertions, deletions or longer changes are"""


class Told(NamedTuple):
    """What one record says: its place and alleles as written, in capitals, and a verdict for each chosen sample."""

    position: int
    ref: str
    alts: tuple[str, ...]
    verdicts: NDArray[np.int8]


class Watcher:
    """Collects what the records of one file tell."""

    def __init__(self, watch: Watch, table: GenotypeTable) -> None:
        self._watch = watch
        self._table = table
        self._verdicts: dict[str, int] = {}
        self._told: list[Told] = []
        self.places = _NOWHERE
        self.windows = _NOWHERE

    def __bool__(self) -> bool:
        """Return whether there is something to hand on."""
        return bool(self._told)

    def enter(self, contig: int) -> None:
        """Begin a contig."""
        self.places = self._watch.places.get(contig, _NOWHERE)
        self.windows = self._watch.windows.get(contig, _NOWHERE)

    def take(self) -> list[Told]:
        """Return what was collected and begin anew."""
        told, self._told = self._told, []
        return told

    def add_reference(self, position: int, ref: str, alts: tuple[str, ...]) -> None:
        """Add a record that says of the only sample that it has the reference."""
        self._told.append(Told(position, ref, alts, np.array([REFERENCE], np.int8)))

    def wants(self, pos: str) -> bool:
        """Return whether a record with a POS is watched."""
        if not (self.places or self.windows) or not pos.isdecimal() or len(pos) > 10:
            return False
        position = int(pos) - 1
        return position in self.places or position >> WINDOW in self.windows

    def add_record(self, fields: Sequence[str], cells: Iterable[str]) -> None:
        """Add a record that is wanted, given its columns up to FORMAT and the cells of the chosen samples."""
        _, pos, _, ref, alt, _, filters, info, keys = fields[:9]
        alts = () if alt == "." else tuple(alt.upper().split(","))
        place = _place_of_genotype(keys)
        if place < 0 or names_structure(info) or (ref + "".join(alts)).upper().strip("ACGT*"):
            return
        passed = filters in PASSING
        verdicts = [self._verdict(cell, place) if passed else UNCALLED for cell in cells]
        self._told.append(Told(int(pos) - 1, ref.upper(), alts, np.array(verdicts, np.int8)))

    def _verdict(self, cell: str, place: int) -> int:
        values = cell.split(":", place + 1)
        text = values[place] if place < len(values) else "."
        known = self._verdicts.get(text)
        if known is None:
            if len(self._verdicts) > _MANY_VERDICTS:
                self._verdicts.clear()
            called = self._table.called(text)
            known = OTHER if called.carried else UNCALLED if called.missing else REFERENCE
            self._verdicts[text] = known
        return known


def _place_of_genotype(keys: str) -> int:
    named = keys.split(":")
    return named.index("GT") if "GT" in named else -1
