"""Whatever a call says comes back from the bytes of its chunk."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.formats.genotype import Genotype, GenotypeTable
from app.records import LiftStatus
from app.store.codec import SNVS, Allele, CallChunk, Placed, Placement, SingleCalls, decode, encode

LAST_POSITION = 248_956_421
INT32, INT64 = 2**31 - 1, 2**63 - 1
OPTIONAL = ("depth", "ref_depth", "alt_depth", "allele_depths", "frequency", "phase_set", "filter")


def genotypes_of(*texts: str) -> list[Genotype]:
    """Return what every ALT of some GT texts says, as the reader does."""
    table = GenotypeTable()
    for text in texts:
        table.called(text)
    return table.genotypes


ALLELES = [
    *SNVS,
    Allele("A", "C", justified=False),
    Allele("AC", "GT"),
    Allele("ANC", "G"),
    Allele("AT", "GT"),
    Allele("C", "CA", 3, 4),
    Allele("C", "CA", justified=False),
    Allele("CAT", "C", 0, 7),
    Allele("TTG", "T", 1, 0),
    Allele("G" + "ACGTT" * 20_000, "G", 2, 301),
    Allele("G", "G" + "TTC" * 5_000),
    Allele("AACCA", "GTT"),
]
PLACEMENTS = [
    *(Placement(placed, status, 0) for placed in Placed for status in LiftStatus),
    *(Placement(Placed.FORWARD, LiftStatus.OK, offset) for offset in (-(2**40), -1, 50_000, 2**40)),
]
GENOTYPES = genotypes_of(
    "0/1", "1/1", "0|1", "1|0", "1", "./1", "1/2", "2|1", "0/1/2", "/0|1", "|1", "999999/1", "3|3|."
)  # fmt: skip
FILTERS = ["PASS", "q10", "q10;s50", "ü", '"', "lowAD"]
DEPTHS = [-1, 0, 1, 255, 256, 32_767, 32_768, 65_535, 65_536, INT32]
FREQUENCIES = [float("nan"), 0.0, 5e-324, 0.1, 1 / 3, 1.0]
PHASE_SETS = [-1, 0, 255, INT32, INT32 + 1, INT64]


@st.composite
def chunks(draw: st.DrawFn) -> CallChunk:
    """Return a chunk whose columns have one, some or all of many values, the extreme ones included."""
    n = draw(st.integers(1, 40))
    random = np.random.default_rng(draw(st.integers(0, 2**32)))

    def column(values: Sequence[Any], dtype: str = "<i8") -> Any:
        few = random.permutation(len(values))[: random.integers(1, len(values) + 1)]
        return np.array([values[at] for at in random.choice(few, n)], dtype=dtype)

    def optional(values: Sequence[Any], dtype: str = "<i8") -> Any:
        return column(values, dtype) if random.random() < 0.7 else None

    def table(values: Sequence[Any]) -> list[Any]:
        return [values[at] for at in random.permutation(len(values))[: random.integers(1, 8)]]

    alleles, placements, genotypes = table(ALLELES), table(PLACEMENTS), table(GENOTYPES)
    stretch = random.choice([0, 200, 40_000, LAST_POSITION])
    return CallChunk(
        np.sort(LAST_POSITION - random.integers(0, stretch + 1, n)),
        column([0, 1, 255, INT32, INT32 + 1, INT64, *random.integers(0, INT64, 5)]),
        column(range(len(alleles))),
        column(range(len(placements))),
        column(range(len(genotypes))),
        alleles,
        placements,
        genotypes,
        depth=optional(DEPTHS, "<i4"),
        ref_depth=optional(DEPTHS, "<i4"),
        alt_depth=optional(DEPTHS, "<i4"),
        allele_depths=optional(DEPTHS, "<i4"),
        frequency=optional(FREQUENCIES, "<f8"),
        phase_set=optional(PHASE_SETS),
        filter=optional(range(len(FILTERS))),
        filters=FILTERS,
    )


def calls_of(chunk: CallChunk) -> list[tuple[Any, ...]]:
    """Return each call with everything looked up, absent values as None."""
    calls = []
    for at in range(len(chunk)):
        allele = chunk.alleles[chunk.allele[at]]
        row: list[Any] = [int(chunk.start[at]), int(chunk.variant[at])]
        row += [allele, allele.deleted, allele.inserted, allele.anchor]
        row += [chunk.placements[chunk.placement[at]], chunk.genotypes[chunk.genotype[at]]]
        for name in OPTIONAL[:-1]:
            column = getattr(chunk, name)
            value = None if column is None else column[at].item()
            row.append(None if value is None or value == -1 or math.isnan(value) else value)
        row.append("PASS" if chunk.filter is None else chunk.filters[chunk.filter[at]])
        calls.append(tuple(row))
    return calls


@given(chunks())
def test_every_field_of_every_call_survives(chunk: CallChunk) -> None:
    assert calls_of(decode(encode(chunk))) == calls_of(chunk)


@given(chunks())
def test_bytes_that_were_read_can_be_written_again(chunk: CallChunk) -> None:
    once = decode(encode(chunk))

    assert calls_of(decode(encode(once))) == calls_of(chunk)


@given(chunks(), st.randoms(use_true_random=False))
def test_the_order_in_which_a_file_numbers_its_genotypes_does_not_show(chunk: CallChunk, random: Any) -> None:
    order = list(range(len(chunk.genotypes)))
    random.shuffle(order)
    renumbered = replace(
        chunk,
        genotype=np.array([order.index(code) for code in chunk.genotype.tolist()], dtype=np.int64),
        genotypes=[chunk.genotypes[code] for code in order],
    )

    assert encode(renumbered) == encode(chunk)


@given(chunks())
def test_dictionary_entries_that_no_call_uses_are_left_out(chunk: CallChunk) -> None:
    unused = replace(
        chunk,
        alleles=[*chunk.alleles, Allele("T", "TTTT", 3, 4)],
        placements=[*chunk.placements, Placement(Placed.LOOKUP, LiftStatus.REF_CHANGED, 77)],
        genotypes=[*chunk.genotypes, *genotypes_of("7/8")],
        filters=[*chunk.filters, "never"],
    )

    assert encode(unused) == encode(chunk)
    assert b"never" not in repr(decode(encode(unused))).encode()


@given(chunks(), st.data())
def test_a_cut_has_the_calls_of_its_stretch(chunk: CallChunk, data: st.DataObject) -> None:
    low = data.draw(st.integers(0, len(chunk) - 1))
    high = data.draw(st.integers(low + 1, len(chunk)))

    assert calls_of(chunk.cut(low, high)) == calls_of(chunk)[low:high]
    assert calls_of(decode(encode(chunk.cut(low, high)))) == calls_of(chunk)[low:high]


@given(chunks(), st.data())
def test_taking_rows_keeps_their_order(chunk: CallChunk, data: st.DataObject) -> None:
    rows = data.draw(st.lists(st.integers(0, len(chunk) - 1), max_size=10))

    taken = chunk.take(np.array(rows, dtype=np.int64))

    assert len(taken) == len(rows)
    assert calls_of(taken) == [calls_of(chunk)[row] for row in rows]


@given(chunks())
def test_columns_without_any_value_are_dropped_and_no_others(chunk: CallChunk) -> None:
    lean = chunk.without_absent()

    assert calls_of(lean) == calls_of(chunk)
    for name in OPTIONAL:
        column, kept = getattr(chunk, name), getattr(lean, name)
        absent = {"frequency": float("nan"), "filter": 0}.get(name, -1)
        says_something = column is not None and any(
            value != absent and not math.isnan(value) for value in column.tolist()
        )
        assert (kept is not None) == says_something, name


@given(chunks())
def test_a_call_ends_where_its_deleted_sequence_does(chunk: CallChunk) -> None:
    expected = [start + len(deleted) for start, _, _, deleted, *_ in calls_of(chunk)]

    assert chunk.end().tolist() == expected


@pytest.mark.parametrize("version", [0, 2, 255])
def test_a_version_from_the_future_is_refused(version: int) -> None:
    data = encode(_one())

    with pytest.raises(ValueError, match=f"version {version}"):
        decode(bytes((version,)) + data[1:])


def test_a_single_base_change_takes_less_than_a_byte() -> None:
    n = 10_000
    same = np.zeros(n, dtype=np.int64)
    chunk = replace(
        _one(), start=np.arange(n) * 13, variant=np.arange(n) + 10**9, allele=same, placement=same, genotype=same
    )

    assert len(encode(chunk)) < n


def _one() -> CallChunk:
    zero = np.zeros(1, dtype=np.int64)
    placement = Placement(Placed.FORWARD, LiftStatus.OK, 9)
    return CallChunk(zero + 5, zero + 7, zero, zero, zero, [SNVS[3]], [placement], genotypes_of("0/1"))


@given(chunks())
def test_a_call_alone_is_encoded_as_its_chunk_would_be(chunk: CallChunk) -> None:
    chunk = replace(chunk, filter=None, filters=()).without_absent()
    alone = SingleCalls(chunk)
    for at in range(len(chunk)):
        assert alone.encode(at) == encode(chunk.cut(at, at + 1))
