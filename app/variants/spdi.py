"""The SPDI notation of a change: sequence, position, deleted and inserted bases.

Positions are zero-based, between bases. Format: https://www.ncbi.nlm.nih.gov/variation/notation/ (Holmes et al. 2020,
https://doi.org/10.1093/bioinformatics/btz856). The deleted part may be a number of bases instead of the bases.

>>> parse_spdi("NC_000017.10:41246373:g:")
Spdi(ref_seq='NC_000017.10', position=41246373, deleted='G', inserted='')
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from app.errors import CannotNormalize, UnreadableVariant, quoted
from app.variants.accessions import locate, sequence_length

MAX_TEXT = 1000
"""Longest variant text, in characters, that is read from a user."""

MAX_BASES = 1_000_000
"""Most reference bases that a variant may delete without spelling them out."""

_COMPLEMENT = str.maketrans("ACGTN", "TGCAN")
_BASES = re.compile(r"[ACGTN]*")
_NUMBER = re.compile(r"[0-9]+")


@dataclass(frozen=True, slots=True)
class Spdi:
    """``deleted`` at [position, position + len(deleted)) of ``ref_seq`` is replaced by ``inserted``."""

    ref_seq: str
    position: int
    deleted: str
    inserted: str

    @property
    def end(self) -> int:
        """Return the position after the last deleted base."""
        return self.position + len(self.deleted)

    def __str__(self) -> str:
        return f"{self.ref_seq}:{self.position}:{self.deleted}:{self.inserted}"


@dataclass(frozen=True, slots=True)
class SpdiWithLength:
    """An SPDI that says how many bases are deleted, but not which."""

    ref_seq: str
    position: int
    length: int
    inserted: str

    def with_deleted(self, deleted: str) -> Spdi:
        """Return the full SPDI, given the bases of the reference."""
        return Spdi(self.ref_seq, self.position, deleted, self.inserted)

    def __str__(self) -> str:
        return f"{self.ref_seq}:{self.position}:{self.length}:{self.inserted}"


def parse_spdi(text: str) -> Spdi | SpdiWithLength:
    """Return the change that an SPDI on a primary chromosome states, upper-cased.

    Raises UnreadableVariant without exactly three colons, UnknownRefSeq for other sequences, and CannotNormalize for
    parts that are no SPDI or lie beyond the chromosome.
    """
    refuse_long(text)
    parts = [part.strip() for part in text.split(":")]
    if len(parts) != 4:
        raise UnreadableVariant(text)
    ref_seq, position, deleted, inserted = (part.upper() for part in parts)
    locate(ref_seq, parameter="variants")
    if _NUMBER.fullmatch(position) is None:
        raise CannotNormalize(text, f"the position '{quoted(position)}' is not a whole number")
    if _BASES.fullmatch(inserted) is None:
        raise CannotNormalize(text, "the inserted sequence may hold the letters A, C, G, T and N only")
    counted = _NUMBER.fullmatch(deleted) is not None
    if not counted and _BASES.fullmatch(deleted) is None:
        raise CannotNormalize(text, "the deleted sequence may hold the letters A, C, G, T and N only, or a length")
    size = int(deleted) if counted else len(deleted)
    refuse_beyond(text, ref_seq, int(position), int(position) + size)
    if not counted or size == 0:
        return Spdi(ref_seq, int(position), "" if counted else deleted, inserted)
    if size > MAX_BASES:
        raise CannotNormalize(text, f"it deletes more than {MAX_BASES:,} bases without spelling them out")
    return SpdiWithLength(ref_seq, int(position), size, inserted)


def refuse_long(text: str) -> None:
    """Raise CannotNormalize for a variant text above the cap, before anything parses it."""
    if len(text) > MAX_TEXT:
        raise CannotNormalize(text, f"it is longer than {MAX_TEXT:,} characters")


def refuse_beyond(text: str, ref_seq: str, start: int, end: int) -> None:
    """Raise CannotNormalize, quoting ``text``, unless [start, end) lies on the sequence."""
    bases = sequence_length(ref_seq)
    if not 0 <= start <= end <= bases:
        place = f"[{quoted(start)}, {quoted(end)})"
        raise CannotNormalize(text, f"{place} is not within {ref_seq}, which has {bases} bases")


def reverse_complement(bases: str) -> str:
    """Return the bases of the opposite strand, in its own direction."""
    return bases.translate(_COMPLEMENT)[::-1]
