"""At which positions of pharmacogenes a test without a call there has the reference: only where something says so.

A single base is the reference where a record or a reference block says so. An insertion or deletion is absent only
where a record of it says so: reference blocks are no evidence there. A user can say of a test that what has no record
is the reference; even then not where a record, a block or a BED file says that nothing was called. Positions are
zero-based, half-open, on the test's own build.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from app.operations.pgx_places import Place
from app.store.coverage import (
    ABSENT_IS_REFERENCE,
    CALLED,
    CALLED_SITES,
    CHECKED_CHANGES,
    CHECKED_SITES,
    MISSED_SITES,
    STUDIED,
    UNCALLABLE,
    UNCALLED,
    UNCALLED_SITES,
    Coverage,
)
from app.variants.regions import Stretches

EVERYWHERE = 0
"""Contig under which a kind of region without any interval is stored"""

Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]


def told_reference(coverage: Coverage, contig: int, places: Sequence[Place]) -> Bools:
    """Return for each of some places of one contig whether the test says that it is the reference."""
    starts = np.array([place.start for place in places], np.int64)
    ends = np.array([place.end for place in places], np.int64)
    single = np.array([place.is_single for place in places], np.bool_)
    called = coverage.of(contig, CALLED, CALLED_SITES, CHECKED_SITES)
    said = np.where(single, _cover(called, starts, ends), _cover(coverage.of(contig, CHECKED_CHANGES), starts, ends))
    said |= _asserted(coverage, contig, starts, ends)
    lows = np.array([min(place.start, place.low) for place in places], np.int64)
    highs = np.array([max(place.end, place.high) for place in places], np.int64)
    missing = coverage.of(contig, UNCALLABLE, UNCALLED, UNCALLED_SITES, MISSED_SITES)
    reference: Bools = said & ~_touch(missing, lows, highs)
    return reference


def _asserted(coverage: Coverage, contig: int, starts: Ints, ends: Ints) -> Bools:
    """Return where a user said that no record means the reference; only what the test studied, if that is known."""
    if ABSENT_IS_REFERENCE not in coverage.kinds:
        return np.zeros(len(starts), np.bool_)
    asserted = np.ones(len(starts), np.bool_)
    if (ABSENT_IS_REFERENCE, EVERYWHERE) not in coverage.found:
        asserted &= _cover(coverage.of(contig, ABSENT_IS_REFERENCE), starts, ends)
    if STUDIED in coverage.kinds:
        asserted &= _cover(coverage.of(contig, STUDIED), starts, ends)
    return asserted


def _cover(found: Stretches, lows: Ints, highs: Ints) -> Bools:
    """Return which of some ranges lie in stretches with every base."""
    starts, ends = found
    if not len(starts):
        return np.zeros(len(lows), np.bool_)
    at = starts.searchsorted(lows, "right") - 1
    inside: Bools = (at >= 0) & (ends[np.maximum(at, 0)] >= highs)
    return inside


def _touch(found: Stretches, lows: Ints, highs: Ints) -> Bools:
    """Return which of some ranges have a base in stretches."""
    starts, ends = found
    if not len(starts):
        return np.zeros(len(lows), np.bool_)
    at = ends.searchsorted(lows, "right")
    touched: Bools = (at < len(starts)) & (starts[np.minimum(at, len(starts) - 1)] < highs)
    return touched
