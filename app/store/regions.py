"""Merged intervals of one contig as bytes (zero-based, half-open), for the regions that a study covered."""

from __future__ import annotations

import zlib

import numpy as np
from numpy.typing import NDArray


def pack_intervals(starts: NDArray[np.int64], ends: NDArray[np.int64]) -> bytes:
    """Serialize sorted, disjoint intervals."""
    flat = np.empty(2 * len(starts), dtype=np.int64)
    flat[0::2] = starts
    flat[1::2] = ends
    return b"\x01" + zlib.compress(np.diff(flat, prepend=0).astype("<i4").tobytes(), 6)


def unpack_intervals(data: bytes) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Read intervals back as (starts, ends).

    Raises:
        ValueError: the first byte is of no version that this program knows.
    """
    if data[0] != 1:
        raise ValueError(f"region list of unknown version {data[0]}")
    flat = np.cumsum(np.frombuffer(zlib.decompress(data[1:]), dtype="<i4").astype(np.int64))
    return flat[0::2], flat[1::2]
