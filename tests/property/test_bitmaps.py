"""Sets of carriers as bytes behave like sets of numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyroaring import BitMap

from app.records import SourceClass, Zygosity
from app.store import bitmaps

members = st.integers(0, 0xFFFF)
few = st.sets(members, max_size=20)
runs = st.builds(lambda start, size: set(range(start, min(start + size, 0x10000))), members, st.integers(0, 9000))
sets = few | runs | st.builds(set.union, few, runs)
kinds = st.builds(bitmaps.kind_of, st.sampled_from(SourceClass), st.sampled_from(Zygosity))
by_kind = st.dictionaries(kinds, sets.filter(bool), min_size=1, max_size=5)
carriers = st.tuples(st.integers(0, 2**62) | st.integers(0, 30), st.integers(0, 3 * 0x10000), kinds)


def packed(found: dict[int, set[int]]) -> tuple[bytes, bytes]:
    everyone = set.union(*found.values())
    return bitmaps.pack(BitMap(everyone)), bitmaps.pack_detail({kind: BitMap(some) for kind, some in found.items()})


def columns(rows: list[tuple[int, int, int]]) -> tuple[Any, Any, Any]:
    variant, ordinal, kind = np.array(rows, dtype=np.int64).reshape(len(rows), 3).T
    return variant, ordinal, kind


@given(sets)
def test_a_set_comes_back(some: set[int]) -> None:
    assert set(bitmaps.unpack(bitmaps.pack(BitMap(some)))) == some


@given(members)
def test_one_carrier_takes_three_bytes(member: int) -> None:
    assert len(bitmaps.pack(BitMap([member]))) == 3


def test_a_shard_full_of_carriers_takes_a_few_bytes() -> None:
    assert len(bitmaps.pack(BitMap(range(0x10000)))) < 30


def test_a_large_set_takes_no_more_than_a_bit_a_subject() -> None:
    some = np.random.default_rng(1).choice(0x10000, 30_000, replace=False)

    assert len(bitmaps.pack(BitMap(some))) < 0x10000 // 8 + 100


@given(by_kind)
def test_members_by_kind_come_back(found: dict[int, set[int]]) -> None:
    assert {kind: set(bits) for kind, bits in bitmaps.unpack_detail(*packed(found)).items()} == found


def test_members_of_one_kind_are_written_once() -> None:
    kind = bitmaps.kind_of(SourceClass.GERMLINE, Zygosity.HETEROZYGOUS)

    assert len(packed({kind: set(range(5000))})[1]) == 2


@given(by_kind, st.sampled_from([None, *SourceClass]))
def test_a_source_class_has_the_members_of_its_kinds(
    found: dict[int, set[int]], source_class: SourceClass | None
) -> None:
    kinds_of_class = [
        bitmaps.kind_of(source_class or SourceClass.UNSPECIFIED, zygosity)
        for zygosity in Zygosity
        if source_class is not None
    ]
    expected = {
        member
        for kind, some in found.items()
        if source_class is None or kind in kinds_of_class
        for member in some
    }  # fmt: skip

    assert set(bitmaps.members_of_class(*packed(found), source_class)) == expected


def test_every_source_class_and_zygosity_has_a_kind_of_its_own() -> None:
    found = {bitmaps.kind_of(source_class, zygosity) for source_class in SourceClass for zygosity in Zygosity}

    assert len(found) == len(SourceClass) * len(Zygosity)
    assert max(found) < 256


@given(st.lists(carriers, max_size=60))
def test_a_delta_has_each_carrier_once_in_order(rows: list[tuple[int, int, int]]) -> None:
    found = zip(*(column.tolist() for column in bitmaps.unpack_delta(bitmaps.pack_delta(*columns(rows)))), strict=True)

    assert list(found) == sorted(set(rows))


@given(st.integers(0, 2**50), st.lists(st.tuples(st.integers(0, 255), kinds, members), unique=True, max_size=60))
def test_a_page_has_its_entries_in_four_bytes_each(page: int, rows: list[tuple[int, int, int]]) -> None:
    first = page << bitmaps.PAGE_BITS
    variant, kind, member = columns([(first + low, kind, member) for low, kind, member in sorted(rows)])

    data = bitmaps.pack_page(variant, kind, member)

    found = zip(*(column.tolist() for column in bitmaps.unpack_page(page, data)), strict=True)
    assert list(found) == [(first + low, kind, member) for low, kind, member in sorted(rows)]
    assert len(data) == 1 + 4 * len(rows)


def test_the_last_subject_of_a_shard_and_the_first_of_the_next_are_apart() -> None:
    assert (bitmaps.shard_of(0xFFFF), bitmaps.shard_of(0x10000)) == (0, 1)


@pytest.mark.parametrize(
    ("read", "data"),
    [
        pytest.param(bitmaps.unpack, b"\x03\x00\x00", id="members"),
        pytest.param(lambda data: bitmaps.unpack_detail(b"\x01\x00\x00", data), b"\x09\x11", id="detail"),
        pytest.param(lambda data: bitmaps.unpack_page(0, data), b"\x02", id="page"),
        pytest.param(bitmaps.unpack_delta, b"\x02\x00\x00\x00\x00", id="delta"),
    ],
)
def test_a_version_from_the_future_is_refused(read: Any, data: bytes) -> None:
    with pytest.raises(ValueError, match=f"version {data[0]}"):
        read(data)
