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
    parts = _parts(text)
    ref_seq = parts[0]
    locate(ref_seq, parameter="variants")
    change = _change(text, parts)
    size = change.length if isinstance(change, SpdiWithLength) else len(change.deleted)
    refuse_beyond(text, ref_seq, change.position, change.position + size)
    if size > MAX_BASES and isinstance(change, SpdiWithLength):
        raise CannotNormalize(text, f"it deletes more than {MAX_BASES:,} bases without spelling them out")
    return change


def parse_spdi_of_any(text: str) -> Spdi | SpdiWithLength:
    """Return the change that an SPDI on any sequence states, upper-cased, whether or not it lies within that.

    Raises UnreadableVariant without exactly three colons, and CannotNormalize for parts that are no SPDI.
    """
    return _change(text, _parts(text))


def _change(text: str, parts: list[str]) -> Spdi | SpdiWithLength:
    ref_seq, position, deleted, inserted = parts
    if _NUMBER.fullmatch(position) is None:
        raise CannotNormalize(text, f"the position '{quoted(position)}' is not a whole number")
    if _BASES.fullmatch(inserted) is None:
        raise CannotNormalize(text, "the inserted sequence may hold the letters A, C, G, T and N only")
    counted = _NUMBER.fullmatch(deleted) is not None
    if not counted and _BASES.fullmatch(deleted) is None:
        raise CannotNormalize(text, "the deleted sequence may hold the letters A, C, G, T and N only, or a length")
    if counted and int(deleted) > 0:
        return SpdiWithLength(ref_seq, int(position), int(deleted), inserted)
    return Spdi(ref_seq, int(position), "" if counted else deleted, inserted)


def _parts(text: str) -> list[str]:
    refuse_long(text)
    parts = [part.strip().upper() for part in text.split(":")]
    if len(parts) != 4:
        raise UnreadableVariant(text)
    return parts


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
