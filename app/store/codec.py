"""One call chunk as bytes: parallel columns and small dictionaries, compressed; the first byte is the version.

A chunk holds the calls of one call set whose contextual interval touches one bin of 131,072 bases. It is sufficient by
itself to answer a range and to render the answer: the reported alleles, how far the change was rolled (from which the
contextual alleles follow, see ``app.variants.normalize.contextual``) and where it lies on the other build. Only
placements that do not follow from the native ones (``Placed.LOOKUP``) need the variant table.

Positions are zero-based, half-open, on the call set's own build.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import IntEnum
from functools import lru_cache
from math import isnan
from operator import attrgetter
from threading import local
from typing import Any, cast, overload

import numpy as np
import orjson
import zstandard
from numpy.typing import NDArray

from app.formats.genotype import Genotype
from app.records import LiftStatus, Zygosity
from app.variants.normalize import contextual, trim

BIN = 131_072
_VERSION = 1
_HEAD = struct.Struct("<BI")

SNV_ALLELES = tuple((ref, alt) for ref in "ACGT" for alt in "ACGT" if ref != alt)
SNV_CODE = {alleles: code for code, alleles in enumerate(SNV_ALLELES)}

Ints = NDArray[np.signedinteger[Any]]


_context = local()


def compress(body: bytes) -> bytes:
    """Compress with a context of this thread: making one costs more than compressing a chunk."""
    if not hasattr(_context, "compressor"):
        _context.compressor = zstandard.ZstdCompressor(level=3)
    packed: bytes = _context.compressor.compress(body)
    return packed


def decompress(packed: memoryview) -> bytes:
    """Read a compressed body back, with a context of this thread."""
    if not hasattr(_context, "decompressor"):
        _context.decompressor = zstandard.ZstdDecompressor()
    body: bytes = _context.decompressor.decompress(packed)
    return body


class Placed(IntEnum):
    """How a call's interval on the other build follows from the native one."""

    NOWHERE = 0
    FORWARD = 1
    """other = native + offset, same alleles"""
    REVERSE = 2
    """other = offset - native, reverse-complemented alleles"""
    LOOKUP = 3
    """only the variant table knows"""


@dataclass(frozen=True, slots=True)
class Allele:
    """A REF/ALT pair as reported with the extent of its roll; the rest is derived.

    Where both are the same base, the call is none on its own build: it follows for the other one, whose reference base
    differs (``ingest.recomputed``).
    """

    ref: str
    alt: str
    left: int = 0
    right: int = 0
    justified: bool = True
    deleted: str = field(init=False, compare=False)
    inserted: str = field(init=False, compare=False)
    anchor: int = field(init=False, compare=False)
    """Reported position minus contextual start."""

    def __post_init__(self) -> None:
        prefix, deleted, inserted = 0, self.ref, self.alt
        if deleted != inserted:
            prefix, deleted, inserted = trim(0, deleted, inserted)
            deleted, inserted = contextual(deleted, inserted, self.left, self.right)
        object.__setattr__(self, "deleted", deleted)
        object.__setattr__(self, "inserted", inserted)
        object.__setattr__(self, "anchor", self.left - prefix)

    @property
    def span(self) -> int:
        """Return the length of the contextual interval."""
        return len(self.deleted)


SNVS = tuple(Allele(ref, alt) for ref, alt in SNV_ALLELES)


@dataclass(frozen=True, slots=True)
class Placement:
    """One distinct way in which calls of a chunk lie on the other build."""

    placed: Placed
    status: LiftStatus
    offset: int = 0


@dataclass(slots=True)
class CallChunk:
    """Decoded calls: parallel columns, sorted by start; optional columns are None where no call has the value."""

    start: Ints
    variant: Ints
    allele: Ints
    placement: Ints
    genotype: Ints
    alleles: Sequence[Allele]
    placements: Sequence[Placement]
    genotypes: Sequence[Genotype]
    depth: Ints | None = None
    """Read depth; -1 absent"""
    ref_depth: Ints | None = None
    alt_depth: Ints | None = None
    allele_depths: Ints | None = None
    """Sum of the depths of all alleles; -1 absent"""
    frequency: NDArray[np.float64] | None = None
    """Allele frequency as the source states it; nan absent"""
    phase_set: Ints | None = None
    """-1 absent"""
    filter: Ints | None = None
    filters: Sequence[str] = ()

    def __len__(self) -> int:
        return len(self.start)

    def take(self, rows: Ints) -> CallChunk:
        """Return the chunk with some of its calls."""
        picked = {name: column[rows] for name in _COLUMNS if (column := getattr(self, name)) is not None}
        return replace(self, **picked)

    def cut(self, low: int, high: int) -> CallChunk:
        """Return the chunk with the calls [low, high)."""
        picked = {name: column[low:high] for name in _COLUMNS if (column := getattr(self, name)) is not None}
        return replace(self, **picked)

    def without_absent(self) -> CallChunk:
        """Return the chunk without the optional columns in which no call has a value."""
        absent: dict[str, Any] = {name: None for name in _OPTIONAL if _is_absent(name, getattr(self, name))}
        return replace(self, **absent)

    def extent(self) -> tuple[int, list[int]]:
        """Return the longest contextual interval, and the codes of alleles that are no change on the native build."""
        longest, unchanged = 1, []
        entries = self.alleles.entries if isinstance(self.alleles, _Alleles) else [_entry(a) for a in self.alleles]
        for code, entry in enumerate(entries):
            if type(entry) is not int:
                longest = max(longest, entry[5])
                if entry[0] == entry[1]:
                    unchanged.append(code)
        return longest, unchanged

    def end(self) -> Ints:
        """Return the contextual ends on the native build."""
        alleles = self.alleles
        if isinstance(alleles, _Alleles):
            spans = [1 if type(entry) is int else entry[5] for entry in alleles.entries]
        else:
            spans = [allele.span for allele in alleles]
        return self.start + np.array(spans, dtype=np.int64)[self.allele]


def _column(values: NDArray[Any]) -> tuple[str, bytes]:
    """Return the narrowest type that holds the values, and their bytes."""
    if values.dtype.kind == "f":
        kind = "<f8"
    else:
        low, high = int(values.min()), int(values.max())
        kind = next(
            k
            for k, a, b in (
                ("u1", 0, 0xFF),
                ("<i2", -0x8000, 0x7FFF),
                ("<u2", 0, 0xFFFF),
                ("<i4", -(2**31), 2**31 - 1),
                ("<i8", -(2**63), 2**63 - 1),
            )
            if a <= low and high <= b
        )
    return kind, values.astype(kind).tobytes()


class _Alleles(Sequence[Allele]):
    """The alleles of a stored chunk, made when one is looked at: most answers need a few of them."""

    __slots__ = ("entries",)

    def __init__(self, entries: Sequence[Any]) -> None:
        self.entries = entries

    def __len__(self) -> int:
        return len(self.entries)

    @overload
    def __getitem__(self, code: int) -> Allele: ...
    @overload
    def __getitem__(self, code: slice) -> Sequence[Allele]: ...
    def __getitem__(self, code: int | slice) -> Allele | Sequence[Allele]:
        if isinstance(code, slice):
            return _Alleles(self.entries[code])
        entry = self.entries[code]
        return SNVS[entry] if type(entry) is int else _allele(*entry[:5])


@lru_cache(maxsize=65_536)
def _allele(ref: str, alt: str, left: int, right: int, justified: int) -> Allele:
    return Allele(ref, alt, left, right, bool(justified))


@lru_cache(maxsize=4096)
def _placement(placed: int, status: int, offset: int) -> Placement:
    return Placement(Placed(placed), LiftStatus(status), offset)


@lru_cache(maxsize=4096)
def _genotype(text: str, allele: int, zygosity: int, phased: int) -> Genotype:
    return Genotype(text, allele, Zygosity(zygosity), bool(phased))


_DEPTHS = ("depth", "ref_depth", "alt_depth", "allele_depths")
_OPTIONAL = (*_DEPTHS, "frequency", "phase_set", "filter")
_COLUMNS = ("start", "variant", "allele", "placement", "genotype", *_OPTIONAL)
_GENOTYPE_ORDER = attrgetter("text", "allele", "zygosity")
_ABSENT: Mapping[str, int] = {**dict.fromkeys(_DEPTHS, -1), "phase_set": -1, "filter": 0}


def _is_absent(name: str, values: NDArray[Any] | None) -> bool:
    if values is None:
        return True
    return bool(np.isnan(values).all() if name == "frequency" else (values == _ABSENT[name]).all())


def is_same(one: CallChunk, other: CallChunk) -> bool:
    """Return whether two chunks hold the same calls in the same order, however their dictionaries are numbered."""
    if len(one) != len(other) or not (
        np.array_equal(one.start, other.start) and np.array_equal(one.variant, other.variant)
    ):
        return False
    for codes, entries in (("allele", "alleles"), ("placement", "placements"), ("genotype", "genotypes")):
        left, right = (_looked_up(getattr(chunk, codes), getattr(chunk, entries)) for chunk in (one, other))
        if left != right:
            return False
    for name in (*_DEPTHS, "frequency", "phase_set"):
        ours, theirs = getattr(one, name), getattr(other, name)
        if _is_absent(name, ours) and _is_absent(name, theirs):
            continue
        if ours is None or theirs is None or not np.array_equal(ours, theirs, equal_nan=name == "frequency"):
            return False
    return _filter_names(one) == _filter_names(other)


def _looked_up(codes: Ints, entries: Sequence[Any]) -> list[Any]:
    used, which = np.unique(codes, return_inverse=True)
    values = [entries[code] for code in used.tolist()]
    return [values[at] for at in which.tolist()]


def _filter_names(chunk: CallChunk) -> list[str] | None:
    return None if _is_absent("filter", chunk.filter) else _looked_up(cast("Ints", chunk.filter), chunk.filters)


def encode(chunk: CallChunk) -> bytes:
    """Serialize a chunk; calls must be sorted by start, dictionaries may hold entries that no call uses."""
    n = len(chunk)
    columns: list[tuple[str, NDArray[Any]]] = [
        ("start", np.diff(chunk.start, prepend=chunk.start[:1])),
        ("variant", np.diff(chunk.variant, prepend=chunk.variant[:1])),
    ]
    alleles, allele = _used(chunk.allele)
    placements, placement = _used(chunk.placement)
    genotypes, genotype = _used(chunk.genotype)
    # A file's genotypes are numbered as they come, differently after an interruption; the bytes must not show it.
    if len(genotypes) > 1:
        order = sorted(range(len(genotypes)), key=lambda at: _GENOTYPE_ORDER(chunk.genotypes[genotypes[at]]))
        genotypes, genotype = [genotypes[at] for at in order], np.argsort(order)[genotype]
    columns += [("allele", allele), ("placement", placement), ("genotype", genotype)]
    head: dict[str, Any] = {
        "n": n,
        "s": int(chunk.start[0]),
        "v": int(chunk.variant[0]),
        "a": [_entry(chunk.alleles[i]) for i in alleles],
        "p": [[p.placed, p.status, p.offset] for p in (chunk.placements[i] for i in placements)],
        "g": [[g.text, g.allele, g.zygosity, int(g.phased)] for g in (chunk.genotypes[i] for i in genotypes)],
    }
    for name in _OPTIONAL:
        values = getattr(chunk, name)
        if _is_absent(name, values):
            continue
        if name == "filter":
            # Code 0 stays PASS, or calls that all have one filter would read as calls without any.
            used, values = _used(np.append(values, 0))
            values = values[:-1]
            head["f"] = [chunk.filters[i] for i in used]
        columns.append((name, values))
    packed = [(name, *_column(values)) for name, values in columns]
    head["c"] = [[name, kind] for name, kind, _ in packed]
    body = orjson.dumps(head)
    return _HEAD.pack(_VERSION, len(body)) + compress(body + b"".join(data for _, _, data in packed))


class SingleCalls:
    """Serializes chunks of one call each, as ``encode`` does: calls of few genes hardly ever share a bin.

    Calls with filters are left to ``encode``, as their chunks name them.
    """

    def __init__(self, calls: CallChunk) -> None:
        self._start, self._variant = calls.start.tolist(), calls.variant.tolist()
        self._allele, self._placement = calls.allele.tolist(), calls.placement.tolist()
        self._genotype = calls.genotype.tolist()
        self._alleles: dict[int, int | list[Any]] = {}
        self._chunk = calls
        self._placements = [[one.placed, one.status, one.offset] for one in calls.placements]
        self._genotypes = [[one.text, one.allele, one.zygosity, int(one.phased)] for one in calls.genotypes]
        present = [(name, getattr(calls, name)) for name in _OPTIONAL if name != "filter"]
        self._optional = [(name, values.tolist()) for name, values in present if values is not None]

    def encode(self, at: int) -> bytes:
        """Return the chunk that holds the call at a place alone."""
        code = self._allele[at]
        allele = self._alleles.get(code)
        if allele is None:
            allele = self._alleles[code] = _entry(self._chunk.alleles[code])
        names = [*_ONE]
        data = bytes(len(_ONE))
        for name, values in self._optional:
            value = values[at]
            if name == "frequency":
                if not isnan(value):
                    names.append([name, "<f8"])
                    data += _FLOAT.pack(value)
            elif value != -1:
                kind, packed = _packed(value)
                names.append([name, kind])
                data += packed
        body = orjson.dumps(
            {
                "n": 1,
                "s": self._start[at],
                "v": self._variant[at],
                "a": [allele],
                "p": [self._placements[self._placement[at]]],
                "g": [self._genotypes[self._genotype[at]]],
                "c": names,
            }
        )
        return _HEAD.pack(_VERSION, len(body)) + compress(body + data)


_ONE: Sequence[list[str]] = [[name, "u1"] for name in ("start", "variant", "allele", "placement", "genotype")]
_FLOAT = struct.Struct("<d")


@lru_cache(maxsize=4096)
def _packed(value: int) -> tuple[str, bytes]:
    return _column(np.array([value], dtype=np.int64))


def decode(data: bytes) -> CallChunk:
    """Read a chunk back.

    Raises:
        ValueError: the first byte is of no version that this program knows.
    """
    version, head_length = _HEAD.unpack_from(data)
    if version != _VERSION:
        raise ValueError(f"call chunk of unknown version {version}")
    body = decompress(memoryview(data)[5:])
    head = orjson.loads(body[:head_length])
    n = head["n"]
    columns: dict[str, NDArray[Any]] = {}
    at = head_length
    for name, kind in head["c"]:
        columns[name] = column = np.frombuffer(body, kind, n, at)
        at += column.nbytes
    start = columns.pop("start").astype(np.int64).cumsum()
    start += head["s"]
    variant = columns.pop("variant").astype(np.int64).cumsum()
    variant += head["v"]
    filters = head.get("f", ())
    return CallChunk(
        start=start,
        variant=variant,
        alleles=_Alleles(head["a"]),
        placements=[_placement(*entry) for entry in head["p"]],
        genotypes=[_genotype(*entry) for entry in head["g"]],
        filters=filters,
        **columns,
    )


def _used(codes: NDArray[Any]) -> tuple[list[int], NDArray[Any]]:
    """Return the dictionary entries that occur and the codes renumbered to them."""
    used, renumbered = np.unique(codes, return_inverse=True)
    return used.tolist(), renumbered


def _entry(allele: Allele) -> int | list[Any]:
    code = SNV_CODE.get((allele.ref, allele.alt))
    if code is not None and allele.justified:
        return code
    return [allele.ref, allele.alt, allele.left, allele.right, int(allele.justified), allele.span]
