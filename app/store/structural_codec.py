"""One chunk of structural calls as bytes: parallel columns and small dictionaries, compressed; first byte the version.

A chunk has the calls of one call set on one chromosome, sorted by nominal start, with the intervals on both builds, so
that a range is answered without the table of sites. Positions are zero-based, half-open.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from app.formats.genotype import Genotype
from app.records import Zygosity
from app.store.codec import compress, decompress

Ints = NDArray[np.int64]

ENDS = ("start", "end", "outer_start", "outer_end", "inner_start", "inner_end")
_VERSION = 1
_ABSENT = -(2**31)


@dataclass(frozen=True, slots=True)
class StructuralCall:
    """What one sample was called with at one site, beside where the site lies."""

    genotype: Genotype
    copy_number: str
    filters: str
    name: str
    mate: str
    event: str


@dataclass(frozen=True, slots=True)
class StructuralChunk:
    """Calls as parallel rows: ``native`` and ``other`` have a row for each of ENDS, -1 where there is none."""

    site: Ints
    kind: Ints
    native: Ints
    other: Ints
    calls: Sequence[StructuralCall]

    def __len__(self) -> int:
        return len(self.site)


def encode(chunk: StructuralChunk) -> bytes:
    """Serialize a chunk."""
    start = chunk.native[0]
    # Differences from the start repeat each other and compress well.
    near = [np.where(row < 0, _ABSENT, row - start) for row in (*chunk.native[1:], *chunk.other)]
    columns = np.stack([chunk.kind, start, *near]).astype("<i4")
    listed = [
        [
            call.genotype.text, call.genotype.allele, int(call.genotype.zygosity), int(call.genotype.phased),
            call.copy_number, call.filters, call.name, call.mate, call.event,
        ]
        for call in chunk.calls
    ]  # fmt: skip
    distinct = sorted({orjson.dumps(one) for one in listed})
    places = {one: at for at, one in enumerate(distinct)}
    which = np.array([places[orjson.dumps(one)] for one in listed], dtype="<u4")
    site = np.diff(chunk.site, prepend=0).astype("<i8")
    body = [len(chunk).to_bytes(4, "little"), site.tobytes(), columns.tobytes(), which.tobytes()]
    body.append(b"[" + b",".join(distinct) + b"]")
    return bytes((_VERSION,)) + compress(b"".join(body))


def decode(data: bytes) -> StructuralChunk:
    """Read a chunk back.

    Raises:
        ValueError: the first byte is of no version that this program knows.
    """
    if data[0] != _VERSION:
        raise ValueError(f"structural chunk of unknown version {data[0]}")
    body = decompress(memoryview(data)[1:])
    n = int.from_bytes(body[:4], "little")
    rows = 1 + 2 * len(ENDS)
    site = np.frombuffer(body, "<i8", n, 4).cumsum()
    at = 4 + site.nbytes
    columns = np.frombuffer(body, "<i4", rows * n, at).reshape(rows, n)
    at += columns.nbytes
    which = np.frombuffer(body, "<u4", n, at)
    distinct = [_call(one) for one in orjson.loads(body[at + which.nbytes :])]
    ends = columns[1:].astype(np.int64)
    start, near = ends[0], ends[1:]
    absent = near == _ABSENT
    near += start
    near[absent] = -1
    half = len(ENDS)
    return StructuralChunk(
        site, columns[0].astype(np.int64), ends[:half], ends[half:], [distinct[code] for code in which.tolist()]
    )


def _call(entry: Sequence[Any]) -> StructuralCall:
    text, allele, zygosity, phased, *rest = entry
    return StructuralCall(Genotype(text, allele, Zygosity(zygosity), bool(phased)), *rest)
