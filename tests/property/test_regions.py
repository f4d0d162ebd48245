"""Union, clipping, subtraction and coverage of stretches say what looking at each base says."""

from __future__ import annotations

import itertools

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from app.store.regions import pack_intervals, unpack_intervals
from app.variants.interval import Interval
from app.variants.regions import Stretches, clip, covers, joined, merge, stretches, touches, union, without

SPACE = 40
EXAMPLES = settings(max_examples=1_500)

pairs = st.lists(st.tuples(st.integers(0, SPACE), st.integers(0, SPACE)).map(lambda p: (min(p), max(p))), max_size=8)
places = st.tuples(st.integers(0, SPACE), st.integers(0, SPACE)).map(lambda p: (min(p), max(p)))


def bases(found: Stretches) -> set[int]:
    """Return the bases of stretches, which must be in their one form: sorted, none empty, none touching."""
    starts, ends = found
    assert (starts < ends).all()
    assert (starts[1:] > ends[:-1]).all()
    return bases_of(zip(starts.tolist(), ends.tolist(), strict=True))


def bases_of(given_pairs: object) -> set[int]:
    return {base for start, end in given_pairs for base in range(start, end)}  # type: ignore[attr-defined]


@EXAMPLES
@given(pairs, pairs)
def test_union_has_every_base_of_either(one: list[tuple[int, int]], other: list[tuple[int, int]]) -> None:
    assert bases(joined([stretches(one), stretches(other)])) == bases_of(one) | bases_of(other)
    both = np.array([*one, *other], np.int64).reshape(-1, 2)
    assert bases(union(both[:, 0], both[:, 1])) == bases_of(one) | bases_of(other)


@EXAMPLES
@given(pairs, pairs)
def test_subtraction_leaves_the_bases_of_the_first_alone(
    one: list[tuple[int, int]], other: list[tuple[int, int]]
) -> None:
    assert bases(without(stretches(one), stretches(other))) == bases_of(one) - bases_of(other)


@EXAMPLES
@given(pairs, places)
def test_clipping_covering_and_touching_agree_with_each_base(
    given_pairs: list[tuple[int, int]], place: tuple[int, int]
) -> None:
    found, inside = stretches(given_pairs), set(range(*place))
    common = bases_of(given_pairs) & inside

    assert bases(clip(found, *place)) == common
    assert touches(found, *place) is bool(common)
    if inside:
        assert covers(found, *place) is (common == inside)


@EXAMPLES
@given(st.lists(st.tuples(st.sampled_from(["NC_000001.11", "NC_000002.12"]), places), max_size=8))
def test_merged_ranges_keep_every_base_and_an_empty_one_is_its_base(asked: list[tuple[str, tuple[int, int]]]) -> None:
    merged = merge(Interval(ref_seq, *place) for ref_seq, place in asked)

    for ref_seq in ("NC_000001.11", "NC_000002.12"):
        wanted = bases_of((start, max(end, start + 1)) for name, (start, end) in asked if name == ref_seq)
        mine = [one for one in merged if one.ref_seq == ref_seq]
        assert bases(stretches((one.start, one.end) for one in mine)) == wanted
        assert all(before.end < after.start for before, after in itertools.pairwise(mine))


@EXAMPLES
@given(pairs)
def test_stretches_survive_the_store(given_pairs: list[tuple[int, int]]) -> None:
    found = stretches(given_pairs)

    assert [column.tolist() for column in unpack_intervals(pack_intervals(*found))] == [c.tolist() for c in found]
