"""Regions of a study as bytes."""

from __future__ import annotations

import numpy as np
import pytest

from app.store.regions import pack_intervals, unpack_intervals

Intervals = list[tuple[int, int]]


def round_trip(intervals: Intervals) -> Intervals:
    starts, ends = (np.array(column, dtype=np.int64) for column in zip(*intervals, strict=True))
    found = unpack_intervals(pack_intervals(starts, ends))
    return list(zip(*(column.tolist() for column in found), strict=True))


@pytest.mark.parametrize(
    "intervals",
    [
        pytest.param([(0, 1)], id="the first base"),
        pytest.param([(248_956_421, 248_956_422)], id="the last base of the longest chromosome"),
        pytest.param([(0, 248_956_422)], id="a whole chromosome"),
        pytest.param([(10, 20), (20, 30)], id="neighbours"),
        pytest.param([(0, 5), (1_000, 1_001), (248_956_000, 248_956_422)], id="far apart"),
    ],
)
def test_intervals_come_back(intervals: Intervals) -> None:
    assert round_trip(intervals) == intervals


def test_an_exome_comes_back() -> None:
    edges = np.sort(np.random.default_rng(7).choice(248_956_422, 40_000, replace=False)).tolist()
    intervals = list(zip(edges[0::2], edges[1::2], strict=True))

    assert round_trip(intervals) == intervals


def test_no_interval_at_all_comes_back() -> None:
    nothing = np.empty(0, dtype=np.int64)

    starts, ends = unpack_intervals(pack_intervals(nothing, nothing))

    assert (starts.tolist(), ends.tolist()) == ([], [])


def test_a_version_from_the_future_is_refused() -> None:
    data = pack_intervals(np.array([1]), np.array([2]))

    with pytest.raises(ValueError, match="version 2"):
        unpack_intervals(b"\x02" + data[1:])
