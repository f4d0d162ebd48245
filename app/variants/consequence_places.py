"""Where along a transcript a change lies: in which parts of exons and introns, and how far from a splice site.

Everything is counted in the direction of the transcript: on the reverse strand positions of the chromosome are negated,
so that an interval [a, b) becomes [-b, -a) and what comes first is smaller. The definitions of the splice sites are
those of Ensembl's VEP: the donor is the first two bases of an intron, the acceptor its last two, the region the three
bases of an exon and the third to the eighth of the intron beside the border of the two.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from typing import Final

from app.variants.consequence_terms import (
    INTRON,
    NONCODING_EXON,
    SPLICE_ACCEPTOR,
    SPLICE_DONOR,
    SPLICE_REGION,
    TRANSCRIPT_ABLATION,
    UTR_3,
    UTR_5,
)
from app.variants.transcripts import Alignment, Transcript

SPLICE_REACH: Final = 8
"""Bases of an intron beside an exon that belong to the splice site or its region"""

_SITE = 2
_EXON_SIDE = 3
_FAR = 1 << 40


@dataclass(frozen=True, slots=True)
class Place:
    """The terms that follow from the place of a change; ``coding`` says whether it touches the coding region."""

    terms: tuple[str, ...]
    coding: bool


class Places:
    """The exons of one transcript on one build, in its direction."""

    def __init__(self, transcript: Transcript, alignment: Alignment) -> None:
        reverse = alignment.reverse
        self.reverse = reverse
        exons = [(-exon.end, -exon.start) if reverse else (exon.start, exon.end) for exon in alignment.exons]
        self._starts = [start for start, _ in exons]
        self._ends = [end for _, end in exons]
        self._coding = _coding_range(transcript, alignment) if transcript.cds else None

    def place(self, start: int, end: int) -> Place | None:
        """Return the place of a change of [start, end), positions in the direction; None if it touches no base.

        An insertion has start = end and touches a transcript if it stands between two bases of it.
        """
        starts, ends = self._starts, self._ends
        if end <= starts[0] or start >= ends[-1]:
            return None
        if start <= starts[0] and end >= ends[-1] and start < end:
            return Place((TRANSCRIPT_ABLATION,), coding=False)
        found: set[str] = set()
        self._introns(start, end, found)
        coding = False
        at = bisect_left(ends, start)
        while at < len(starts) and starts[at] <= end:
            low, high = max(start, starts[at]), min(end, ends[at])
            if low < high or start == end:
                coding |= self._exon(low, high, found)
            at += 1
        return Place(tuple(found), coding)

    def _exon(self, low: int, high: int, found: set[str]) -> bool:
        """Add the terms for [low, high) of an exon, and return whether it touches the coding region."""
        if self._coding is None:
            found.add(NONCODING_EXON)
            return False
        first, last = self._coding
        if low < first or low == high == first:
            found.add(UTR_5)
        if high > last or low == high == last:
            found.add(UTR_3)
        return low < last and high > first

    def _introns(self, start: int, end: int, found: set[str]) -> None:
        """Add the terms for introns and their splice sites."""
        at = max(0, bisect_right(self._starts, start - SPLICE_REACH) - 1)
        while at < len(self._starts) - 1 and self._ends[at] - _EXON_SIDE <= end:
            self._intron(start, end, at, found)
            at += 1

    def _intron(self, start: int, end: int, number: int, found: set[str]) -> None:
        low, high = self._ends[number], self._starts[number + 1]
        inserted = start == end

        def touches(first: int, last: int) -> bool:
            return start < last and end > first

        site = False
        if touches(low, min(low + _SITE, high)):
            found.add(SPLICE_DONOR)
            site = True
        if touches(max(low, high - _SITE), high):
            found.add(SPLICE_ACCEPTOR)
            site = True
        if touches(low + _SITE, high - _SITE) or (inserted and start in (low + _SITE, high - _SITE)):
            found.add(INTRON)
        region = (
            touches(max(low - _EXON_SIDE, self._starts[number]), low)
            or touches(low + _SITE, min(low + SPLICE_REACH, high))
            or touches(max(high - SPLICE_REACH, low), high - _SITE)
            or touches(high, min(high + _EXON_SIDE, self._ends[number + 1]))
            or (inserted and start in (low, low + _SITE, high - _SITE, high))
        )
        if region and not site:
            found.add(SPLICE_REGION)


def _coding_range(transcript: Transcript, alignment: Alignment) -> tuple[int, int]:
    """Return [start, end) of the coding region in the direction of the transcript, as far as it is aligned."""
    assert transcript.cds is not None  # noqa: S101 - its caller looked
    begin, stop = transcript.cds
    first, last = _FAR, -_FAR
    for part in alignment.segments():
        low, high = (-part.end, -part.start) if alignment.reverse else (part.start, part.end)
        if part.tx_start == part.tx_end or low == high:
            continue
        if part.tx_end > begin:
            first = min(first, low + max(0, begin - part.tx_start))
        if part.tx_start < stop:
            last = max(last, low + min(stop - part.tx_start, high - low))
    return first, last
