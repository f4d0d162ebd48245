"""Checksums of a few stretches of the assemblies, to tell a complete chromosome from a masked or edited copy of it.

A copy with N in place of repeats has the right names and lengths, and would pass as a chromosome with many gaps: every
insertion and deletion beside one would be justified wrongly. The stretches lie in introns of BRCA1 and BRCA2, where
repeats abound; for each of them two independent copies of the sequence agree. Zero-based, half-open.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Slice:
    """A stretch [start, end) of a chromosome and the MD5 of its bases in capitals."""

    start: int
    end: int
    md5: str


KNOWN_SLICES: Mapping[str, Slice] = {
    "NC_000013.10": Slice(32_910_000, 32_920_000, "d087d99e12b08dcc25020e7d8c0a99a5"),
    "NC_000013.11": Slice(32_336_000, 32_346_000, "2e71b56e6b69e4910c09bb27f049ad80"),
    "NC_000017.10": Slice(41_210_000, 41_220_000, "43b8fbe9014406e749852482eb251372"),
    "NC_000017.11": Slice(43_058_000, 43_068_000, "19faaa37a1b979da12921cd94b1d56d0"),
}


class SliceCheck:
    """Looks for one slice in the blocks of a chromosome, which come in order."""

    def __init__(self, known: Slice) -> None:
        self._known = known
        self._digest = hashlib.md5(usedforsecurity=False)
        self._masked = 0
        self._at = known.start

    def take(self, start: int, block: bytes) -> str | None:
        """Look at the block that starts at ``start``, and return what is wrong with the slice once it is complete."""
        part = block[max(0, self._at - start) : max(0, self._known.end - start)]
        if not part or self._at >= self._known.end:
            return None
        self._digest.update(part)
        self._masked += part.count(b"N")
        self._at += len(part)
        if self._at < self._known.end or self._digest.hexdigest() == self._known.md5:
            return None
        place = f"bases {self._known.start + 1:,} to {self._known.end:,}"
        if self._masked:
            return f"{place} have N in place of known bases, so it is masked"
        return f"{place} are not those of the assembly, so it is an edited copy or another genome"
