"""What a VCF reader left out, or could not use, and why: a count and the first lines of every reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

LINES_KEPT = 20
"""How many line numbers a reason keeps."""

REASONS = {
    "filtered": "FILTER is neither PASS nor missing",
    "other-contig": "the contig is no primary chromosome",
    "structural-type": "SVTYPE or ALT names no kind of structural variant that is kept",
    "structural-contradicts": "SVTYPE contradicts ALT",
    "structural-end": "a symbolic ALT, no insertion, without END and SVLEN, so that its end is not known",
    "spanning-deletion": "the called allele is *, a deletion that starts before",
    "unnamed-allele": "the called allele is <NON_REF> or <*>",
    "reference-block": "the only ALT is <NON_REF> or <*>",
    "no-alternate": "the record has no ALT",
    "all-reference": "every chosen sample is called as the reference",
    "no-call": "no chosen sample is called",
    "no-genotype": "FORMAT has no GT",
    "allele-letters": "REF or ALT has letters other than A, C, G, T, N",
    "n-only": "REF or the called ALT consists of N only",
    "same-as-reference": "the called ALT equals REF",
    "repeated-alternate": "an ALT is written twice",
    "ref-mismatch": "REF contradicts the reference sequence",
    "structural-ref": "stored, but REF contradicts the reference sequence at a POS that is uncertain",
    "depth-count": "stored, but AD has not one number for each allele, so allele depths are left out",
}
"""Every reason code with the sentence that a report prints for it."""


@dataclass(slots=True)
class TallyEntry:
    """How many records one reason hit, and the first of their lines."""

    reason: str
    count: int = 0
    lines_1based: list[int] = field(default_factory=list)

    @property
    def text(self) -> str:
        """Return the sentence of the reason."""
        return REASONS[self.reason]


class Tally:
    """Counts by reason; a record that lacks several called alleles counts once for each reason."""

    def __init__(self) -> None:
        self.entries: dict[str, TallyEntry] = {}

    def add(self, reason: str, line_1based: int) -> None:
        """Count one record."""
        entry = self.entries.get(reason)
        if entry is None:
            entry = self.entries[reason] = TallyEntry(reason)
        entry.count += 1
        if entry.count <= LINES_KEPT:
            entry.lines_1based.append(line_1based)

    def count(self, reason: str) -> int:
        """Return how many records a reason hit."""
        entry = self.entries.get(reason)
        return entry.count if entry else 0

    def to_json(self) -> dict[str, Any]:
        """Return the JSON form kept in the ledger while a run is not complete."""
        return {reason: [entry.count, entry.lines_1based] for reason, entry in self.entries.items()}

    def restore(self, saved: Mapping[str, Any]) -> None:
        """Take back what ``to_json`` returned."""
        for reason, (count, lines) in saved.items():
            self.entries[reason] = TallyEntry(reason, count, list(lines[:LINES_KEPT]))
