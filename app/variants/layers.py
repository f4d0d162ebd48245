"""Layers of known bases of the reference: whole sequences and, where these are unknown, pieces that never overlap.

All positions are zero-based, half-open. N stands for a base that is not known.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from app.variants import accessions

BULK_REACH: Final = 1 << 16
"""Bases that a window for bulk work offers on both sides of a position, where that many are known."""

_AHEAD = 1_000_000
_CACHED_WINDOWS = 8


@dataclass(frozen=True, slots=True, order=True)
class Piece:
    """The bases [start, end) of a sequence; ``read`` takes positions on that sequence, not on the piece."""

    start: int
    end: int
    read: Callable[[int, int], str] = field(compare=False)
    source: str = field(compare=False)


@dataclass(frozen=True, slots=True)
class _Window:
    ref_seq: str
    start: int
    bases: str
    cut_left: bool
    cut_right: bool

    def serves(self, ref_seq: str, base: int, reach: int) -> bool:
        end = self.start + len(self.bases)
        low = self.start + reach if self.cut_left else self.start
        high = end - reach if self.cut_right else end
        return ref_seq == self.ref_seq and low <= base < high


class Layers:
    """Whole sequences and, where these are missing or unknown, pieces that never overlap each other."""

    def __init__(self) -> None:
        self._wholes: dict[str, Piece] = {}
        self._pieces: dict[str, list[Piece]] = {}
        self._stretches: dict[str, list[tuple[int, int]]] = {}
        self._recent: tuple[_Window, ...] = ()

    def fetch(self, ref_seq: str, start: int, end: int) -> str | None:
        """Return the bases of [start, end), or None if any of them is not known."""
        if start >= end:
            return "" if start == end else None
        if ref_seq in self._wholes:
            bases = self.known(ref_seq, start, end)
            return None if "N" in bases else bases
        stretch = self._stretch(ref_seq, start)
        return self.known(ref_seq, start, end) if stretch and end <= stretch[1] else None

    def window(self, ref_seq: str, position: int, reach: int = BULK_REACH) -> tuple[int, str] | None:
        """Return (start, bases) of a known stretch around the base at ``position``, or None if that is not known."""
        if ref_seq not in self._wholes and ref_seq not in self._stretches:
            return None
        base = min(position, accessions.sequence_length(ref_seq) - 1)
        for recent in self._recent:
            if recent.serves(ref_seq, base, reach):
                return recent.start, recent.bases
        window = self._load_window(ref_seq, base, reach)
        if window is None:
            return None
        if reach >= BULK_REACH:
            self._recent = (window, *self._recent[: _CACHED_WINDOWS - 1])
        return window.start, window.bases

    def is_whole(self, ref_seq: str) -> bool:
        """Return whether all of a sequence is loaded, so that an unknown base is a gap of the assembly."""
        return ref_seq in self._wholes

    def stretches(self, ref_seq: str) -> Sequence[tuple[int, int]]:
        """Return the intervals of a sequence that are loaded, in order; only a whole sequence may have gaps in one."""
        if ref_seq in self._wholes:
            return [(0, accessions.sequence_length(ref_seq))]
        return self._stretches.get(ref_seq, [])

    def known(self, ref_seq: str, start: int, end: int) -> str:
        """Return the bases of [start, end) with N for every one that is not known."""
        whole = self._wholes.get(ref_seq)
        base = "" if whole is None or start < 0 else whole.read(start, end)
        base += "N" * (end - start - len(base))
        if whole is not None and "N" not in base:
            return base
        parts: list[str] = []
        at = start
        for piece in self._overlapping(ref_seq, start, end):
            low, high = max(start, piece.start), min(end, piece.end)
            parts += (base[at - start : low - start], piece.read(low, high))
            at = high
        return "".join((*parts, base[at - start :]))

    def owner(self, ref_seq: str, position: int) -> str:
        """Return the name of the source that the base at ``position`` came from."""
        for piece in self._overlapping(ref_seq, position, position + 1):
            return piece.source
        return self._wholes[ref_seq].source

    def add_whole(self, ref_seq: str, whole: Piece) -> None:
        """Take in a whole sequence, unknown bases included; the first one stays."""
        self._wholes.setdefault(ref_seq, whole)

    def add_piece(self, ref_seq: str, piece: Piece) -> None:
        """Take in known bases, none of which was known before."""
        insort(self._pieces.setdefault(ref_seq, []), piece)

    def seal(self) -> None:
        """Work out where pieces touch, so that each run of them is found as one stretch."""
        for ref_seq, pieces in self._pieces.items():
            stretches = self._stretches[ref_seq] = []
            for piece in pieces:
                if stretches and stretches[-1][1] == piece.start:
                    stretches[-1] = (stretches[-1][0], piece.end)
                else:
                    stretches.append((piece.start, piece.end))

    def _load_window(self, ref_seq: str, base: int, reach: int) -> _Window | None:
        low = max(0, base - reach)
        high = min(base + max(reach, _AHEAD if reach >= BULK_REACH else 0), accessions.sequence_length(ref_seq))
        if ref_seq not in self._wholes:
            stretch = self._stretch(ref_seq, base)
            if stretch is None:
                return None
            start, end = max(low, stretch[0]), min(high, stretch[1])
            return _Window(ref_seq, start, self.known(ref_seq, start, end), start > stretch[0], end < stretch[1])
        if self.known(ref_seq, base, base + 1) == "N":
            return None
        bases = self.known(ref_seq, low, high)
        start = bases.rfind("N", 0, base - low) + 1
        end = bases.find("N", base - low) % (len(bases) + 1)
        return _Window(ref_seq, low + start, bases[start:end], start == 0 < low, end == len(bases))

    def _stretch(self, ref_seq: str, position: int) -> tuple[int, int] | None:
        stretches = self._stretches.get(ref_seq, [])
        index = bisect_right(stretches, position, key=lambda stretch: stretch[0]) - 1
        return stretches[index] if index >= 0 and position < stretches[index][1] else None

    def _overlapping(self, ref_seq: str, start: int, end: int) -> Iterator[Piece]:
        pieces = self._pieces.get(ref_seq, [])
        index = max(0, bisect_right(pieces, start, key=lambda piece: piece.start) - 1)
        while index < len(pieces) and pieces[index].start < end:
            if pieces[index].end > start:
                yield pieces[index]
            index += 1


def compare(bases: bytes, known: bytes) -> tuple[int | None, list[tuple[int, int]]]:
    """Return the offset of the first contradiction and the runs of bases that only the first one knows."""
    ours, theirs = np.frombuffer(bases, np.uint8), np.frombuffer(known, np.uint8)
    ours_known, theirs_known = ours != ord("N"), theirs != ord("N")
    conflicts = np.flatnonzero(ours_known & theirs_known & (ours != theirs))
    fresh = np.zeros(len(ours) + 2, np.int8)
    fresh[1:-1] = ours_known & ~theirs_known
    borders = np.flatnonzero(np.diff(fresh)).tolist()
    return int(conflicts[0]) if conflicts.size else None, list(zip(borders[::2], borders[1::2], strict=True))
