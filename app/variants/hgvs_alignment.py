"""One description along a transcript, brought to the chromosome by one alignment.

Positions are mapped by ``AlignmentMapper`` of the ``hgvs`` package; what it would map without a place is refused here:
offsets that do not lead from an exon into its intron, positions far from the transcript, insertions between exons.
Positions are zero-based and ranges half-open, on the transcript as on the chromosome.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from app.errors import CannotNormalize, quoted
from app.records import Build
from app.variants.hgvs_syntax import Description, Position
from app.variants.reference import ReferenceSequence
from app.variants.spdi import MAX_BASES, Spdi, refuse_beyond, reverse_complement
from app.variants.transcript_bases import transcript_bases
from app.variants.transcripts import Alignment, Exon, Transcript

_FLANK = 10_000
"""Most bases by which a position may lie before or after the transcript that it is counted along."""


@dataclass(frozen=True, slots=True)
class Projected:
    """A change of one build; ``confirmed`` if the sequence there is loaded, ``denial`` if it is not what was stated.

    ``beyond`` tells of positions that are not within the transcript.
    """

    change: Spdi
    confirmed: bool
    denial: str | None = None
    beyond: bool = False


class Projecting:
    """One description on its way to one build."""

    def __init__(
        self,
        said: Description,
        transcript: Transcript,
        alignment: Alignment,
        mapper: Any,
        references: Mapping[Build, ReferenceSequence],
    ) -> None:
        self._said = said
        self._transcript = transcript
        self._alignment = alignment
        self._mapper = mapper
        self._references = references

    def result(self) -> Projected:
        """Return the change of the chromosome."""
        first, last = self._along_transcript()
        for base, position in ((first, self._said.start), (last, self._said.end)):
            self._require_place(base, position)
        found = self._between(first, last)
        within = first >= 0 and last < self._transcript.length
        return found if within else replace(found, beyond=True)

    def _between(self, first: int, last: int) -> Projected:
        said = self._said
        place = self._mapper.n_to_g(_interval(first, said.start.offset, last, said.end.offset), strict_bounds=False)
        start, end = place.start.base - 1, place.end.base
        if start >= end:
            raise self._refusal("the range ends before it starts")
        refuse_beyond(said.text, self._alignment.ref_seq, start, end)
        one_exon = self._exon(first) is self._exon(last)
        if said.start.offset or said.end.offset:
            if place.uncertain:
                raise self._no_place()
            return self._insertion(start, end) if said.operation == "ins" else self._spelled(start, end)
        if said.operation == "ins":
            if last == first + 1 and not one_exon:
                raise self._refusal("two exons meet there, so that it has no single place on the chromosome")
            if last == first + 1 and (place.uncertain or end - start != 2):
                return self._across_gap(first, last, start, end)
            return self._insertion(start, end)
        if place.uncertain or (one_exon and end - start != last + 1 - first):
            if not one_exon and said.operation in ("dup", "inv", "identity"):
                raise self._no_place()
            return self._across_gap(first, last, start, end)
        return self._spelled(start, end)

    # --- positions on the transcript ----------------------------------------------------------------------------------

    def _along_transcript(self) -> tuple[int, int]:
        """Return the first and the last base on the transcript, leaving offsets into introns aside."""
        said = self._said
        if said.kind == "n":
            return said.start.base_1based - 1, said.end.base_1based - 1
        if self._transcript.cds is None:
            raise self._refusal(f"{self._transcript.accession} has no known coding region; use n.")
        first, last = (self._along_coding(position) for position in (said.start, said.end))
        return first, last

    def _along_coding(self, position: Position) -> int:
        start, end = self._transcript.cds or (0, 0)
        base = position.base_1based
        if base == 0:
            raise self._refusal("there is no position 0")
        if position.origin == "stop":
            return end + base - 1
        if base > end - start:
            raise self._refusal(
                f"the coding region of {self._transcript.accession} has {end - start:,} bases;"
                " positions after it are written c.*1, c.*2, ..."
            )
        return start + (base - 1 if base > 0 else base)

    def _require_place(self, base: int, position: Position) -> None:
        """Refuse positions beyond the transcript, and offsets that do not lead from an exon into its intron."""
        length, offset = self._transcript.length, position.offset
        if not -_FLANK <= base < length + _FLANK:
            raise self._refusal(f"it lies more than {_FLANK:,} bases from {self._transcript.accession}")
        if not offset:
            return
        if not 0 <= base < length:
            raise self._refusal("an offset counts from the first or the last base of an exon, which this is not")
        exons = self._alignment.exons
        exon = self._exon(base)
        neighbour = exons.index(exon) + (1 if offset > 0 else -1)
        if base != (exon.tx_end - 1 if offset > 0 else exon.tx_start):
            raise self._refusal("an offset counts from the first or the last base of an exon, which this is not")
        if not 0 <= neighbour < len(exons):
            raise self._refusal("there is no intron beyond the ends of the transcript")
        low, high = sorted((exon, exons[neighbour]), key=lambda item: item.start)
        if abs(offset) > high.start - low.end:
            raise self._refusal(f"the intron has {high.start - low.end:,} bases only")

    def _exon(self, base: int) -> Exon:
        exons = self._alignment.exons
        return next((exon for exon in exons if base < exon.tx_end), exons[-1])

    # --- the change on the chromosome ---------------------------------------------------------------------------------

    def _insertion(self, start: int, end: int) -> Projected:
        """Return the insertion between the two bases of [start, end)."""
        if end - start != 2:
            raise self._refusal("an insertion stands between two neighbouring bases")
        change = Spdi(self._alignment.ref_seq, start + 1, "", self._strand(self._said.inserted))
        return Projected(change, confirmed=self._bases(start, end) is not None)

    def _spelled(self, start: int, end: int) -> Projected:
        """Return the change of [start, end), which lies on the chromosome base by base, or has introns within."""
        said, ref_seq = self._said, self._alignment.ref_seq
        known = self._bases(start, end)
        stated = self._strand(said.stated_bases(end - start))
        bases = known if known is not None else stated
        if not bases:
            if end - start > MAX_BASES:
                raise self._refusal(f"it changes more than {MAX_BASES:,} bases without spelling them out")
            raise self._refusal(f"it needs the sequence of {ref_seq} at [{start}, {end}), which is not loaded")
        denial = None
        if stated and known is not None and stated != known:
            denial = f"the reference has {quoted(self._strand(known))} there, not {quoted(said.stated)}"
        change = said.change_of(ref_seq, start, bases, self._strand(said.inserted))
        return Projected(change, confirmed=known is not None and denial is None, denial=denial)

    def _bases(self, start: int, end: int) -> str | None:
        """Return the bases of the chromosome, None if they are not loaded."""
        reference = self._references.get(self._alignment.build)
        if reference is None or end - start > MAX_BASES:
            return None
        return reference.fetch(self._alignment.ref_seq, start, end)

    def _strand(self, bases: str) -> str:
        """Return bases of the transcript in the direction of the chromosome, or the other way round."""
        return reverse_complement(bases) if self._alignment.reverse else bases

    def _across_gap(self, first: int, last: int, start: int, end: int) -> Projected:
        """Return the change where transcript and chromosome differ in length: all of it becomes what was changed."""
        said, transcript = self._said, self._transcript
        around = self._mapper.g_to_n(_genomic(start, end), strict_bounds=False)
        if around.start.offset or around.end.offset:
            raise self._no_place()
        low, high = around.start.base - 1, around.end.base

        def bases(begin: int, stop: int) -> str:
            found = transcript_bases(transcript, self._references, begin, stop)
            if found is None:
                needed = f"{transcript.accession} at [{begin}, {stop})"
                raise self._refusal(f"it needs the sequence of {needed}, which is not loaded, or not on the chromosome")
            return found

        if said.operation == "ins":
            before, changed, after = bases(low, first + 1), said.inserted, bases(first + 1, high)
        else:
            before, after = bases(low, first), bases(last + 1, high)
            stated = self._believed(first, last + 1)
            match said.operation:
                case "dup":
                    changed = 2 * (stated or bases(first, last + 1))
                case "inv":
                    changed = reverse_complement(stated or bases(first, last + 1))
                case "identity":
                    changed = stated or bases(first, last + 1)
                case _:
                    changed = said.inserted
        ref_seq = self._alignment.ref_seq
        deleted = self._bases(start, end)
        if deleted is None:
            raise self._refusal(f"it needs the sequence of {ref_seq} at [{start}, {end}), which is not loaded")
        altered = self._strand(before + changed + after)
        if altered == deleted and changed:
            # Nothing but what was written is told to be unchanged.
            start += len(after if self._alignment.reverse else before)
            deleted = altered = self._strand(changed)
        return Projected(Spdi(ref_seq, start, deleted, altered), confirmed=True)

    def _believed(self, first: int, end: int) -> str:
        """Return the stated bases of the transcript, which may be the only source of them; refuse known others."""
        stated = self._said.stated_bases(end - first)
        known = transcript_bases(self._transcript, self._references, first, end)
        if stated and known is not None and stated != known:
            raise self._refusal(f"the reference has {quoted(known)} there, not {quoted(stated)}")
        return stated

    def _no_place(self) -> CannotNormalize:
        return self._refusal(f"these bases of {self._transcript.accession} have no place on {self._alignment.ref_seq}")

    def _refusal(self, reason: str) -> CannotNormalize:
        return CannotNormalize(self._said.text, reason)


def _interval(first: int, start_offset: int, last: int, end_offset: int) -> Any:
    """Return an interval of n. positions as ``hgvs`` has them: from 1 on, and from -1 backwards."""
    from hgvs.location import BaseOffsetInterval, BaseOffsetPosition  # noqa: PLC0415 - as above

    start, end = (base + 1 if base >= 0 else base for base in (first, last))
    return BaseOffsetInterval(
        BaseOffsetPosition(base=start, offset=start_offset), BaseOffsetPosition(base=end, offset=end_offset)
    )


def _genomic(start: int, end: int) -> Any:
    """Return an interval of g. positions as ``hgvs`` has them."""
    from hgvs.location import Interval, SimplePosition  # noqa: PLC0415 - as above

    return Interval(SimplePosition(start + 1), SimplePosition(end))
