"""How far many insertions and deletions roll in one window of the reference, decided for all of them at once.

An allele rolls to the left as far as the bases that end in it equal themselves shifted by its length, and likewise to
the right. Alleles of one length are laid out as the rows of a matrix, between the bases before and behind them, and
compared with themselves shifted. Positions are zero-based, half-open, within the window.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from app.variants.segments import Bools, Codes, Ints

NEAR = 64
"""So many bases on both sides are looked at; what rolls further is not decided here"""

_LONGEST = 64


def rolled(window: Codes, starts: Ints, ends: Ints, alleles: Sequence[str]) -> tuple[Ints, Ints]:
    """Return how far each allele rolls to the left and to the right of [start, end); -1 where that is not near.

    ``window`` are the ASCII codes of its bases. An insertion has start = end, a deletion the range of its allele.
    """
    lefts, rights = np.full(len(alleles), -1, dtype=np.int64), np.full(len(alleles), -1, dtype=np.int64)
    sizes = np.fromiter(map(len, alleles), dtype=np.int64, count=len(alleles))
    inside = (starts >= NEAR) & (ends + NEAR <= len(window)) & (sizes <= _LONGEST)
    if not inside.any():
        return lefts, rights
    near = np.lib.stride_tricks.sliding_window_view(window, NEAR)
    joined = np.frombuffer("".join(alleles).encode(), dtype=np.uint8)
    offsets = np.cumsum(sizes) - sizes
    for size in np.unique(sizes[inside]).tolist():
        rows = np.flatnonzero(inside & (sizes == size))
        text = np.empty((len(rows), 2 * NEAR + size), dtype=np.uint8)
        text[:, :NEAR] = near[starts[rows] - NEAR]
        text[:, NEAR : NEAR + size] = joined[offsets[rows, None] + np.arange(size)]
        text[:, NEAR + size :] = near[ends[rows]]
        differs = text[:, size:] != text[:, :-size]
        lefts[rows] = _leading(differs[:, NEAR - 1 :: -1])
        rights[rows] = _leading(differs[:, NEAR:])
    return lefts, rights


def _leading(differs: Bools) -> Ints:
    """Return how many columns of each row precede the first that is True, -1 if none is."""
    first: Ints = differs.argmax(axis=1)
    first[~differs[np.arange(len(first)), first]] = -1
    return first
