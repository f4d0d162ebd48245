"""Intervals on a reference sequence and the ``ranges`` parameter of the genomics operations.

Zero-based, half-open. Format: https://build.fhir.org/ig/HL7/genomics-reporting/operations.html (``RefSeq:start-end``).

>>> str(parse_range(" nc_000017.11:100-200"))
'NC_000017.11:100-200'
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from app.errors import InvalidValue, quoted
from app.variants.accessions import locate, sequence_length

_RANGE = re.compile(r"([Nn][A-Za-z]_[0-9]{4,10}\.[0-9]{1,2}):([0-9]{1,10})-([0-9]{1,10})")
_PARAMETER = "ranges"


@dataclass(frozen=True, slots=True)
class Interval:
    """A stretch [start, end) of a reference sequence; start = end stands for a single point."""

    ref_seq: str
    start: int
    end: int

    def overlaps(self, other: Interval) -> bool:
        """Return whether the two share a base; an empty interval counts as the base that follows it.

        That one rule covers both empty ranges and insertions: an insertion before base s lies in [L, H) if L <= s < H.
        """
        return (
            self.ref_seq == other.ref_seq
            and self.start < max(other.end, other.start + 1)
            and other.start < max(self.end, self.start + 1)
        )

    def __str__(self) -> str:
        return f"{self.ref_seq}:{self.start}-{self.end}"


def parse_range(text: str, *, parameter: str = _PARAMETER) -> Interval:
    """Return the interval that a ``ranges`` value names, clipped to its chromosome.

    Raises InvalidValue for another form or start > end, UnknownRefSeq for an accession that is no primary chromosome;
    both blame ``parameter``.
    """
    match = _RANGE.fullmatch(text.strip())
    if match is None:
        message = f"'{quoted(text)}' does not match RefSeq:start-end, such as NC_000017.11:43044294-43125364"
        raise InvalidValue(message, parameter=parameter)
    ref_seq, start, end = match[1].upper(), int(match[2]), int(match[3])
    if start > end:
        message = f"Range start({start}) should be less than or equal to Range end({end})"
        raise InvalidValue(message, parameter=parameter)
    locate(ref_seq, parameter=parameter)
    bases = sequence_length(ref_seq)
    return Interval(ref_seq, min(start, bases), min(end, bases))
