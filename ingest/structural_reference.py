"""Whether REF of a structural allele is what the reference sequence has at POS, as far as that is loaded.

A symbolic allele states the base at POS, or a few, an allele of bases all that it replaces. Letters that stand for no
single base, as the N of many callers, say nothing. Where a record says that it does not know its own POS, the base
there is no evidence for or against the event. Positions are zero-based.

>>> position_of(StructuralKind.INS, 100, "A", "<INS>"), position_of(StructuralKind.DEL, 99, "A", "<DEL>")
(99, 99)
"""

from __future__ import annotations

from app.records import StructuralKind
from app.variants.accessions import sequence_length
from app.variants.extent import Extent
from app.variants.normalize import trim
from app.variants.placed_batch import CONTRADICTS, EQUAL, NOT_LOADED
from app.variants.reference import ReferenceSequence

_BASES = frozenset("ACGT")


def position_of(kind: StructuralKind, start: int, ref: str, alt: str) -> int:
    """Return the position of REF's first base, given where the nominal interval of the event starts."""
    if kind is not StructuralKind.INS:
        return start
    if not alt.isalpha():
        return start - 1
    return start - (len(ref) if alt.startswith(ref) else trim(0, ref, alt)[0])


def knows_its_base(alt: str, extent: Extent, *, imprecise: bool) -> bool:
    """Return whether a record is sure of REF: it writes its alleles in bases, or is sure of its POS."""
    latest = extent.outer_end if extent.is_point else extent.inner_start
    is_exact = extent.outer_start == extent.start and latest in (extent.start, -1)
    return alt.isalpha() or (is_exact and not imprecise)


def check_ref(reference: ReferenceSequence, ref_seq: str, position: int, ref: str) -> int:
    """Return NOT_LOADED, EQUAL or CONTRADICTS; what is known at both ends of a REF decides where not all is."""
    end = position + len(ref)
    if position < 0 or end > sequence_length(ref_seq):
        return NOT_LOADED  # a telomere: what is there has no base
    whole = reference.fetch(ref_seq, position, end)
    if whole is not None:
        return _compared(ref, whole)
    found = NOT_LOADED
    for base in (position, end - 1):
        window = reference.window(ref_seq, base, len(ref))
        if window is not None:
            low, high = max(position, window[0]), min(end, window[0] + len(window[1]))
            known = window[1][low - window[0] : high - window[0]]
            if _compared(ref[low - position : high - position], known) == CONTRADICTS:
                found = CONTRADICTS
    return found


def _compared(ref: str, known: str) -> int:
    pairs = [(one, other) for one, other in zip(ref.upper(), known, strict=True) if one in _BASES and other in _BASES]
    if not pairs:
        return NOT_LOADED
    return EQUAL if all(one == other for one, other in pairs) else CONTRADICTS
