"""What a change is called in HGVS: the smallest edit, as far towards the 3' end as its context lets it move.

Rules: https://hgvs-nomenclature.org (the 3' rule, the order substitution, deletion, inversion, duplication, insertion,
deletion-insertion). A contextual change carries all the bases that its place may slide over, so it says by itself where
the 3' end of a repeat is and whether an insertion repeats what stands before it; no sequence is read here.
Positions are zero-based and ranges half-open; only the texts count from 1.

>>> genomic_hgvs(Spdi("NC_000017.10", 41243854, "AAA", "AAAA"))
'NC_000017.10:g.41243857dup'
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from app.variants.accessions import MT, locate
from app.variants.normalize import common_prefix, common_suffix
from app.variants.spdi import Spdi, reverse_complement

Operation = Literal["sub", "del", "dup", "ins", "inv", "delins", "identity"]

_REMEMBERED = 65_536


@dataclass(frozen=True, slots=True)
class Edit:
    """What is done to the bases of [start, end), counted from the start of the context; an insertion has none."""

    operation: Operation
    start: int
    end: int
    deleted: str
    inserted: str

    @property
    def named_bases(self) -> tuple[int, int]:
        """Return the first and the last base that the name gives; those on both sides of an insertion."""
        return (self.start - 1, self.start) if self.operation == "ins" else (self.start, self.end - 1)

    @property
    def tail(self) -> str:
        """Return what stands behind the positions in HGVS."""
        match self.operation:
            case "sub":
                return f"{self.deleted}>{self.inserted}"
            case "identity":
                return "="
            case "ins" | "delins":
                return f"{self.operation}{self.inserted}"
            case _:
                return self.operation


@lru_cache(maxsize=_REMEMBERED)
def smallest_edit(deleted: str, inserted: str) -> Edit:
    """Return the edit that HGVS describes, given contextual alleles in the direction of reading."""
    if deleted == inserted:
        return Edit("identity", 0, len(deleted), deleted, inserted)
    # What both begin with comes off first: that moves the edit to the 3' end.
    start = common_prefix(deleted, inserted)
    gone, new = deleted[start:], inserted[start:]
    shared = common_suffix(gone, new)
    gone, new = gone[: len(gone) - shared], new[: len(new) - shared]
    if not gone and deleted[:start].endswith(new):
        return Edit("dup", start - len(new), start, new, "")
    end = start + len(gone)
    if not gone:
        return Edit("ins", start, end, gone, new)
    if not new:
        return Edit("del", start, end, gone, new)
    if len(gone) == len(new) == 1:
        return Edit("sub", start, end, gone, new)
    return Edit("inv" if new == reverse_complement(gone) else "delins", start, end, gone, new)


def described(edit: Edit, name: Callable[[int], str | None]) -> str | None:
    """Return positions and operation of an edit; ``name`` gives the text of a base counted from the context's start.

    None where a position has no name.
    """
    first, last = edit.named_bases
    one = name(first)
    other = name(last) if last != first else None
    if one is None or (other is None and last != first):
        return None
    return f"{one}{edit.tail}" if other is None else f"{one}_{other}{edit.tail}"


def genomic_hgvs(change: Spdi) -> str | None:
    """Return the name of a contextual change on its chromosome; None for an insertion before the first base."""
    prefix = genomic_prefix(change.ref_seq)
    edit = smallest_edit(change.deleted, change.inserted)
    text = described(edit, lambda base: str(change.position + base + 1) if change.position + base >= 0 else None)
    return None if text is None else prefix + text


def genomic_prefix(ref_seq: str) -> str:
    """Return an accession with the kind of positions that its sequence has."""
    contig, _ = locate(ref_seq)
    return f"{ref_seq}:{'m' if contig == MT else 'g'}."
