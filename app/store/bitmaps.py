"""Sets of subjects as bytes: ``members`` and ``detail`` of the carrier table, and the deltas of a running ingest.

A member is a subject's ordinal modulo 65,536. First byte of ``members``: 1 = little-endian uint16 list (up to
``_LIST_LIMIT`` members), 2 = a serialized roaring bitmap. ``detail`` splits the same members by kind, where
kind = source class * 16 + zygosity: first byte 1 = every member has the kind of the second byte; 2 = sections of
(kind, uint32 length, members).

A page holds the carriers of up to 256 variants that few subjects of a shard have (most variants of a genome are rare,
and a row each would cost more than all else): parallel columns (variant id modulo 256, kind, member), sorted, without
repeats.

A delta is what one block of an ingest adds: parallel columns (variant id, subject ordinal, kind), compressed.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Container

import numpy as np
from numpy.typing import NDArray
from pyroaring import BitMap

from app.records import SourceClass, Zygosity

SHARD_BITS = 16
LOW = (1 << SHARD_BITS) - 1
_LIST_LIMIT = 8
PAGE_BITS = 8
PAGE_LIMIT = 8
"""A variant with more carriers in a shard leaves the page for a row of its own"""
_LIST, _ROARING = 1, 2
_ONE_KIND, _SECTIONS = 1, 2
_SECTION = struct.Struct("<BI")

Column = NDArray[np.int64]


def shard_of(ordinal: int) -> int:
    """Return the shard that a subject's ordinal belongs to."""
    return ordinal >> SHARD_BITS


def kind_of(source_class: SourceClass, zygosity: Zygosity) -> int:
    """Return the one-byte kind of a carrier."""
    return source_class * 16 + zygosity


def pack(members: BitMap) -> bytes:
    """Serialize a set of members."""
    if len(members) <= _LIST_LIMIT:
        return bytes((_LIST,)) + np.array(members, dtype="<u2").tobytes()
    members.run_optimize()
    return bytes((_ROARING,)) + members.serialize()


def unpack(data: bytes) -> BitMap:
    """Read a set of members back.

    Raises:
        ValueError: the first byte is of no version that this program knows.
    """
    if data[0] == _ROARING:
        return BitMap.deserialize(data[1:])
    if data[0] == _LIST:
        return BitMap(np.frombuffer(data, dtype="<u2", offset=1))
    raise ValueError(f"carrier set of unknown version {data[0]}")


def pack_ids(ids: BitMap) -> bytes:
    """Serialize a set of ids of any size; ``unpack`` reads it."""
    ids.run_optimize()
    return bytes((_ROARING,)) + ids.serialize()


def pack_detail(kinds: dict[int, BitMap]) -> bytes:
    """Serialize members by kind."""
    if len(kinds) == 1:
        return bytes((_ONE_KIND, next(iter(kinds))))
    out = bytearray((_SECTIONS,))
    for kind in sorted(kinds):
        section = pack(kinds[kind])
        out += _SECTION.pack(kind, len(section))
        out += section
    return bytes(out)


def unpack_detail(members: bytes, detail: bytes) -> dict[int, BitMap]:
    """Read members by kind back; ``members`` is needed where all are of one kind.

    Raises:
        ValueError: the first byte is of no version that this program knows.
    """
    if detail[0] == _ONE_KIND:
        return {detail[1]: unpack(members)}
    if detail[0] != _SECTIONS:
        raise ValueError(f"carrier detail of unknown version {detail[0]}")
    kinds: dict[int, BitMap] = {}
    at = 1
    while at < len(detail):
        kind, length = _SECTION.unpack_from(detail, at)
        at += _SECTION.size
        kinds[kind] = unpack(detail[at : at + length])
        at += length
    return kinds


def members_of_class(members: bytes, detail: bytes, source_class: SourceClass | None) -> BitMap:
    """Return the members whose call is of a source class; every member when no class is asked for."""
    return members_of_classes(members, detail, None if source_class is None else (source_class,))


def members_of_classes(members: bytes, detail: bytes, classes: Container[int] | None) -> BitMap:
    """Return the members whose call is of one of some source classes; every member when no classes are asked for."""
    if classes is None:
        return unpack(members)
    if detail[0] == _ONE_KIND:
        return unpack(members) if detail[1] >> 4 in classes else BitMap()
    chosen = [bits for kind, bits in unpack_detail(members, detail).items() if kind >> 4 in classes]
    return BitMap.union(*chosen) if chosen else BitMap()


def pack_page(variant: Column, kind: Column, member: Column) -> bytes:
    """Serialize the entries of one page; columns must be sorted by variant, member and kind."""
    low = variant & ((1 << PAGE_BITS) - 1)
    return bytes((1,)) + low.astype("u1").tobytes() + kind.astype("u1").tobytes() + member.astype("<u2").tobytes()


def unpack_page(page: int, data: bytes) -> tuple[Column, Column, Column]:
    """Read a page back as (variant id, kind, member) columns.

    Raises:
        ValueError: the first byte is of no version that this program knows.
    """
    if data[0] != 1:
        raise ValueError(f"carrier page of unknown version {data[0]}")
    n = (len(data) - 1) // 4
    variant = np.frombuffer(data, "u1", n, 1).astype(np.int64) + (page << PAGE_BITS)
    kind = np.frombuffer(data, "u1", n, 1 + n).astype(np.int64)
    member = np.frombuffer(data, "<u2", n, 1 + 2 * n).astype(np.int64)
    return variant, kind, member


def pack_delta(variant: Column, ordinal: Column, kind: Column) -> bytes:
    """Serialize the carriers that one block adds, sorted by variant, subject and kind, repeats left out."""
    order = np.lexsort((kind, ordinal, variant))
    v, o, k = variant[order], ordinal[order], kind[order]
    if len(v):
        fresh = np.ones(len(v), dtype=bool)
        fresh[1:] = (np.diff(v) != 0) | (np.diff(o) != 0) | (np.diff(k) != 0)
        v, o, k = v[fresh], o[fresh], k[fresh]
    body = np.diff(v, prepend=0).astype("<i8").tobytes() + o.astype("<u4").tobytes() + k.astype("u1").tobytes()
    return struct.pack("<BI", 1, len(v)) + zlib.compress(body, 1)


def unpack_delta(data: bytes) -> tuple[Column, Column, Column]:
    """Read a delta back as (variant id, subject ordinal, kind) columns."""
    version, n = struct.unpack_from("<BI", data)
    if version != 1:
        raise ValueError(f"carrier delta of unknown version {version}")
    body = zlib.decompress(data[5:])
    variant = np.cumsum(np.frombuffer(body, dtype="<i8", count=n))
    ordinal = np.frombuffer(body, dtype="<u4", count=n, offset=8 * n).astype(np.int64)
    kind = np.frombuffer(body, dtype="u1", count=n, offset=12 * n).astype(np.int64)
    return variant, ordinal, kind
