"""Fully justified alleles: one spelling for every way to write the same change.

The variant overprecision correction algorithm of SPDI (https://doi.org/10.1093/bioinformatics/btz856), which VRS calls
fully-justified normalization (https://vrs.ga4gh.org). Positions are zero-based, half-open.

An insertion or deletion in a repeat can be written at several places. Its contextual form spans them all. It follows
from the trimmed allele and the distances that it rolls to the left and to the right, without the reference, since the
repeat is the periodic continuation of the allele:

>>> contextual("A", "", 2, 1)
('AAAA', 'AAA')
>>> contextual("", "AG", 1, 2)
('GAG', 'GAGAG')
"""

from __future__ import annotations

from dataclasses import dataclass

from app.errors import CannotNormalize
from app.variants.accessions import sequence_length
from app.variants.reference import ReferenceSequence
from app.variants.spdi import Spdi, refuse_beyond

_FIRST_REACH = 512
_REACH_GROWTH = 16
_FIRST_STRIDE = 8


@dataclass(frozen=True, slots=True)
class Justified:
    """A contextual change: the trimmed one, extended by ``left`` and ``right`` bases of context.

    ``justified`` is False if the sequence that is needed to find the context is not loaded.
    """

    position: int
    deleted: str
    inserted: str
    left: int
    right: int
    justified: bool

    @property
    def trimmed(self) -> tuple[int, str, str]:
        """Return (position, deleted, inserted) without the context."""
        deleted = self.deleted[self.left : len(self.deleted) - self.right]
        inserted = self.inserted[self.left : len(self.inserted) - self.right]
        return self.position + self.left, deleted, inserted


def justify(reference: ReferenceSequence, ref_seq: str, position: int, deleted: str, inserted: str) -> Justified:
    """Return the contextual form of a change that is given in upper case.

    Raises CannotNormalize if the change lies beyond the sequence or deletes other bases than the reference has.
    """
    _check(reference, ref_seq, position, deleted, inserted)
    if deleted == inserted:
        return Justified(position, deleted, inserted, 0, 0, justified=True)
    position, deleted, inserted = trim(position, deleted, inserted)
    if deleted and inserted:
        return Justified(position, deleted, inserted, 0, 0, justified=True)
    context = _find_context(reference, ref_seq, position, deleted, inserted)
    if context is None:
        return Justified(position, deleted, inserted, 0, 0, justified=False)
    left, right = context
    return Justified(position - left, *contextual(deleted, inserted, left, right), left, right, justified=True)


def trim(position: int, deleted: str, inserted: str) -> tuple[int, str, str]:
    """Return a change without the bases that both alleles end or, after that, start with."""
    shared = common_suffix(deleted, inserted)
    if shared:
        deleted, inserted = deleted[:-shared], inserted[:-shared]
    shared = common_prefix(deleted, inserted)
    return position + shared, deleted[shared:], inserted[shared:]


def roll(window: str, start: int, end: int, allele: str) -> tuple[int, int, bool]:
    """Return how far an allele rolls to the left of ``start`` and to the right of ``end`` within a window.

    An insertion has start = end; a deletion has [start, end) = its bases; ``allele`` must not be empty. The third value
    tells whether an edge of the window was reached, so that the allele might roll further.
    """
    size = len(allele)
    left = common_suffix(window[max(0, start - size) : start], allele)
    if left == size:
        left += _periodic_left(window, start - size, size)
    right = common_prefix(window[end : end + size], allele)
    if right == size:
        right += _periodic_right(window, end + size, size)
    return left, right, left == start or right == len(window) - end


def extend(allele: str, left: int, right: int) -> str:
    """Return the allele, continued periodically by ``left`` bases before and ``right`` bases after it."""
    size, total = len(allele), left + len(allele) + right
    shift = -left % size
    return ((allele[shift:] + allele[:shift]) * (total // size + 1))[:total]


def contextual(deleted: str, inserted: str, left: int, right: int) -> tuple[str, str]:
    """Return the contextual alleles of a trimmed change that rolls by ``left`` and ``right`` bases.

    Removing any one period from a periodic run leaves the same bases, so the shorter allele is a prefix of the longer.
    """
    if not left and not right:
        return deleted, inserted
    longer = extend(deleted or inserted, left, right)
    return (longer, longer[: left + right]) if deleted else (longer[: left + right], longer)


def _check(reference: ReferenceSequence, ref_seq: str, position: int, deleted: str, inserted: str) -> None:
    end = position + len(deleted)
    if position < 0 or end > sequence_length(ref_seq):
        refuse_beyond(str(Spdi(ref_seq, position, deleted, inserted)), ref_seq, position, end)
    if not deleted or reference.fetch(ref_seq, position, end) == deleted:
        return
    # Where not all is known, what is known at both ends must still agree.
    for base in (position, end - 1):
        window = reference.window(ref_seq, base, len(deleted))
        if window is None:
            continue
        start, stop = max(position, window[0]), min(end, window[0] + len(window[1]))
        expected = window[1][start - window[0] : stop - window[0]]
        given = deleted[start - position : stop - position]
        if given != expected:
            offset = common_prefix(given, expected)
            expected, given = expected[offset : offset + 20], given[offset : offset + 20]
            raise CannotNormalize(
                str(Spdi(ref_seq, position, deleted, inserted)),
                f"the reference has {expected} at position {start + offset}, not {given}",
            )


def _find_context(
    reference: ReferenceSequence, ref_seq: str, position: int, deleted: str, inserted: str
) -> tuple[int, int] | None:
    """Return how far a trimmed insertion or deletion rolls, or None if bases that decide on it are not known."""
    reach = _FIRST_REACH + len(deleted)
    ends = (-1, sequence_length(ref_seq))
    while True:
        found = reference.window(ref_seq, position, reach)
        if found is None and position and not deleted:
            found = reference.window(ref_seq, position - 1, reach)
        if found is None:
            return None
        low, window = found
        start, end = position - low, position - low + len(deleted)
        if end > len(window):
            return None
        left, right, at_edge = roll(window, start, end, deleted or inserted)
        if not at_edge:
            return left, right
        cut_short = False
        for border, reached in ((low - 1, left == start), (low + len(window), right == len(window) - end)):
            if not reached or border in ends:
                continue
            if reference.fetch(ref_seq, border, border + 1):
                cut_short = True
            elif not reference.is_whole(ref_seq):
                return None
        if not cut_short:
            return left, right
        reach *= _REACH_GROWTH


def common_prefix(one: str, other: str) -> int:
    """Return the number of bases that two strings start with in common; slices make it fast for long ones."""
    equal, differ = 0, min(len(one), len(other))
    if one[:differ] == other[:differ]:
        return differ
    while differ - equal > 1:
        middle = (equal + differ) // 2
        if one[equal:middle] == other[equal:middle]:
            equal = middle
        else:
            differ = middle
    return equal


def common_suffix(one: str, other: str) -> int:
    """Return the number of bases that two strings end with in common."""
    equal, differ = 0, min(len(one), len(other))
    if not differ or one[-differ:] == other[-differ:]:
        return differ
    while differ - equal > 1:
        middle = (equal + differ) // 2
        if one[-middle : len(one) - equal] == other[-middle : len(other) - equal]:
            equal = middle
        else:
            differ = middle
    return equal


def _periodic_left(window: str, at: int, period: int) -> int:
    """Return how many bases before ``at`` repeat the base one period after them."""
    begin, stride = at, _FIRST_STRIDE
    while at >= stride and window[at - stride : at] == window[at - stride + period : at + period]:
        at -= stride
        stride *= 2
    low = max(0, at - stride)
    return begin - at + common_suffix(window[low:at], window[low + period : at + period])


def _periodic_right(window: str, at: int, period: int) -> int:
    """Return how many bases from ``at`` on repeat the base one period before them."""
    begin, stride = at, _FIRST_STRIDE
    while window[at : at + stride] == window[at - period : at - period + stride]:
        at += stride
        stride *= 2
    return at - begin + common_prefix(window[at : at + stride], window[at - period : at - period + stride])
