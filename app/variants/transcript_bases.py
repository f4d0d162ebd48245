"""The bases of a transcript, put together from its exons on a chromosome. All positions are zero-based, half-open."""

from __future__ import annotations

from collections.abc import Mapping

from app.records import Build
from app.variants.reference import ReferenceSequence
from app.variants.spdi import reverse_complement
from app.variants.transcripts import Alignment, Transcript


def transcript_bases(
    transcript: Transcript, references: Mapping[Build, ReferenceSequence], start: int, end: int
) -> str | None:
    """Return the bases of [start, end) of a transcript as the chromosome has them, None if one of them is not known.

    Bases that only the transcript has are not known on that build.
    """
    for build in sorted(transcript.alignments, reverse=True):
        reference = references.get(build)
        bases = _spliced(transcript.alignments[build], reference, start, end) if reference is not None else None
        if bases is not None:
            return bases
    return None


def _spliced(alignment: Alignment, reference: ReferenceSequence, start: int, end: int) -> str | None:
    parts, at = [], start
    for segment in alignment.segments():
        if segment.tx_end <= at or segment.tx_start == segment.tx_end:
            continue
        if at >= end:
            break
        stop = min(end, segment.tx_end)
        if segment.start == segment.end:
            return None
        if alignment.reverse:
            low, high = segment.end - (stop - segment.tx_start), segment.end - (at - segment.tx_start)
        else:
            low, high = segment.start + (at - segment.tx_start), segment.start + (stop - segment.tx_start)
        bases = reference.fetch(alignment.ref_seq, low, high)
        if bases is None:
            return None
        parts.append(reverse_complement(bases) if alignment.reverse else bases)
        at = stop
    return "".join(parts) if at >= end else None
