"""What a change of a chromosome is called along a transcript: ``c.`` where it has a coding region, else ``n.``.

Rules: https://hgvs-nomenclature.org. The 3' end is that of the transcript, so on the reverse strand the other end of a
repeat; a base of an intron is counted from the nearer exon, the middle one from the exon before it. A position that the
transcript does not have, beyond its ends or in a gap of its alignment, gets no name. Positions are zero-based, ranges
half-open, on the chromosome as on the transcript; only the texts count from 1.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass

from app.variants.hgvs_text import Edit, described, smallest_edit
from app.variants.spdi import reverse_complement
from app.variants.transcripts import Alignment, Transcript


@dataclass(frozen=True, slots=True)
class Along:
    """A change along a transcript.

    [start, end) are the bases of the transcript that it replaces by ``inserted``, None unless all of them are in one
    exon; ``depth`` is the distance of the change from the nearest exon, 0 within one.
    """

    text: str
    start: int | None
    end: int | None
    inserted: str
    depth: int


@dataclass(frozen=True, slots=True)
class _Place:
    """A base of the chromosome: the nearest base of an exon on the transcript, and how far it is from there."""

    base: int
    offset: int
    segment: int


class CodingMap:
    """The positions of one transcript on one build."""

    def __init__(self, transcript: Transcript, alignment: Alignment) -> None:
        self._accession = transcript.accession
        self._cds = transcript.cds
        self._reverse = alignment.reverse
        # In the order of the chromosome, without what only one of the two sequences has.
        both = [part for part in alignment.segments() if part.start < part.end and part.tx_start < part.tx_end]
        self._segments = sorted(both)
        self._starts = [part.start for part in self._segments]
        self._exons = sorted((exon.start, exon.end) for exon in alignment.exons)
        self._exon_starts = [start for start, _ in self._exons]

    def describe(self, position: int, deleted: str, inserted: str) -> Along | None:
        """Return a contextual change along the transcript, None where it has no place there."""
        if self._reverse:
            deleted, inserted = reverse_complement(deleted), reverse_complement(inserted)
        edit = smallest_edit(deleted, inserted)
        last = position + len(deleted) - 1
        places: dict[int, _Place | None] = {}

        def name(base: int) -> str | None:
            place = places[base] = self._place(last - base if self._reverse else position + base)
            return self._named(place) if place is not None else None

        text = described(edit, name)
        if text is None:
            return None
        found = [place for place in places.values() if place is not None]
        if self._gap_within(found):
            return None
        kind = "n" if self._cds is None else "c"
        depth = min(abs(place.offset) for place in found)
        start, end = self._replaced(edit, found)
        copied = edit.deleted if edit.operation == "dup" else ""
        return Along(f"{self._accession}:{kind}.{text}", start, end, edit.inserted or copied, depth)

    def _gap_within(self, found: list[_Place]) -> bool:
        """Return whether two bases of one exon have a gap of the alignment between them."""
        segments = {place.segment for place in found if not place.offset}
        exons = {bisect_right(self._exon_starts, self._starts[segment]) for segment in segments}
        return len(exons) < len(segments)

    def _replaced(self, edit: Edit, found: list[_Place]) -> tuple[int | None, int | None]:
        """Return the bases of the transcript that give way, if they and the ends are in one piece of an exon."""
        if any(place.offset for place in found) or len({place.segment for place in found}) > 1:
            return None, None
        first, last = min(place.base for place in found), max(place.base for place in found)
        match edit.operation:
            case "ins":
                return last, last
            case "dup":
                return last + 1, last + 1
            case _:
                return first, last + 1

    def _place(self, base: int) -> _Place | None:
        at = bisect_right(self._starts, base) - 1
        if at >= 0 and base < self._segments[at].end:
            part = self._segments[at]
            along = part.end - 1 - base if self._reverse else base - part.start
            return _Place(part.tx_start + along, 0, at)
        exon = bisect_right(self._exon_starts, base) - 1
        if exon < 0 or exon == len(self._exons) - 1 or base < self._exons[exon][1]:
            return None  # beyond the transcript, or in a gap
        before, after = self._segments[at], self._segments[at + 1]
        if before.end != self._exons[exon][1] or after.start != self._exons[exon + 1][0]:
            return None  # the exon ends in a gap
        from_before, from_after = base - before.end + 1, after.start - base
        if self._reverse:
            # The exon that comes first on the transcript is the one behind.
            if from_after <= from_before:
                return _Place(after.tx_end - 1, from_after, at + 1)
            return _Place(before.tx_start, -from_before, at)
        if from_before <= from_after:
            return _Place(before.tx_end - 1, from_before, at)
        return _Place(after.tx_start, -from_after, at + 1)

    def _named(self, place: _Place) -> str:
        offset = f"{place.offset:+d}" if place.offset else ""
        if self._cds is None:
            return f"{place.base + 1}{offset}"
        start, end = self._cds
        if place.base < start:
            return f"{place.base - start}{offset}"
        if place.base < end:
            return f"{place.base - start + 1}{offset}"
        return f"*{place.base - end + 1}{offset}"
