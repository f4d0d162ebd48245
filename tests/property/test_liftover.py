"""Laws of chains that overlap: what counts is pyliftover's best hit, a chain to the same chromosome first."""

from __future__ import annotations

import io
import itertools
import tempfile
from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from pyliftover import LiftOver

from app.records import Build, LiftStatus
from app.variants.accessions import length
from app.variants.liftover import Chain
from app.variants.segments import LiftedInterval
from tests.synthetic_chains import Block, text_of

SOURCE = Build.GRCH37
# pyliftover sorts blocks into a tree by the middle of the chromosome, where the order of its answers may change.
MIDDLE = length(SOURCE, 1) // 2
POINTS = range(MIDDLE - 45, MIDDLE + 46)

BLOCKS = st.lists(
    st.builds(
        Block,
        start=st.integers(POINTS[0], POINTS[-1] - 20),
        size=st.integers(1, 20),
        target=st.integers(1000, 1100),
        reverse=st.booleans(),
        score=st.sampled_from([1, 1, 1, 5]),
        target_name=st.sampled_from([None, None, "HG1_PATCH"]),
    ),
    min_size=1,
    max_size=12,
)


def loaded(blocks: list[Block]) -> tuple[Chain, LiftOver]:
    # A chain between chromosomes proves the builds of the file.
    text = text_of(SOURCE, Block(5, 1, 5), *blocks)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.chain"
        path.write_bytes(text)
        return Chain.load(path, SOURCE, SOURCE.other), LiftOver(io.BytesIO(text))


def best_of(hits: list[tuple[str, int, str, int]]) -> LiftedInterval:
    if not hits:
        return LiftedInterval(-1, -1, reverse=False, status=LiftStatus.UNMAPPED)
    best = [hit for hit in hits if hit[3] == hits[0][3]]
    name, place, strand, _ = next((hit for hit in best if hit[0] == "1"), best[0])
    if name != "1":
        return LiftedInterval(-1, -1, reverse=False, status=LiftStatus.OTHER_CONTIG)
    return LiftedInterval(place, place + 1, reverse=strand == "-", status=LiftStatus.OK)


@settings(max_examples=300)
@given(BLOCKS)
def test_every_base_goes_where_pyliftover_sends_it(blocks):
    chain, peer = loaded(blocks)

    lifted = [chain.lift_interval(1, at, at + 1) for at in POINTS]

    assert lifted == [best_of(peer.convert_coordinate("1", at)) for at in POINTS]


@settings(max_examples=200)
@given(BLOCKS, st.lists(st.tuples(st.sampled_from(POINTS), st.integers(0, 30)), min_size=1, max_size=30))
def test_a_batch_of_intervals_says_what_single_ones_say(blocks, intervals):
    chain, _ = loaded(blocks)
    starts = np.array([start for start, _ in intervals])
    ends = starts + np.array([size for _, size in intervals])

    batch = chain.lift_batch(1, starts, ends)

    columns = (batch.start.tolist(), batch.end.tolist(), batch.reverse.tolist(), map(LiftStatus, batch.status.tolist()))
    single = [chain.lift_interval(1, *row) for row in zip(starts.tolist(), ends.tolist(), strict=True)]
    assert [LiftedInterval(*row) for row in zip(*columns, strict=True)] == single


@settings(max_examples=200)
@given(BLOCKS, st.integers(990, 1130), st.integers(0, 60))
def test_the_sources_of_an_interval_are_the_bases_that_lift_into_it(blocks, start, size):
    chain, _ = loaded(blocks)
    expected = [at for at in POINTS if start <= chain.lift_interval(1, at, at + 1).start < start + size]

    intervals = chain.source_intervals(1, start, start + size)

    assert [at for low, high in intervals for at in range(low, high)] == expected
    assert all(one[1] < other[0] for one, other in itertools.pairwise(intervals))
