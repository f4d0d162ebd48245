"""Where the intervals of a structural variant lie on the other build."""

from __future__ import annotations

import pytest

from app.records import LiftStatus
from app.variants.extent import Extent, LiftedExtent, lift_extent
from app.variants.liftover import Liftover
from tests.two_builds import B37, B38, Block, genome

BLOCKS = [
    Block(1_000, 11_000, 1_000),
    Block(2_000, 12_500, 1_000),  # the other build has 500 bases more before it
    Block(5_000, 20_000, 1_000, reverse=True),
    Block(8_000, 90_000, 1_000),
]
LIFTOVER = genome(BLOCKS, {}).liftover


def exact(start: int, end: int) -> Extent:
    return Extent(start, end, start, end, start, end)


PLACED = [
    ("shifted", exact(1_100, 1_200), exact(11_100, 11_200)),
    ("of another length there", exact(1_100, 2_900), exact(11_100, 13_400)),
    ("turned round", exact(5_100, 5_300), exact(20_700, 20_900)),
    (
        "uncertain",
        Extent(1_100, 1_200, 1_090, 1_230, 1_120, 1_160),
        Extent(11_100, 11_200, 11_090, 11_230, 11_120, 11_160),
    ),
    (
        "uncertain and turned round",
        Extent(5_100, 5_300, 5_090, 5_330, 5_120, 5_260),
        Extent(20_700, 20_900, 20_670, 20_910, 20_740, 20_880),
    ),
    ("without an inner interval", Extent(1_100, 1_110, 1_090, 1_120), Extent(11_100, 11_110, 11_090, 11_120)),
    ("point", Extent(1_100, 1_100, 1_100, 1_100), Extent(11_100, 11_100, 11_100, 11_100)),
    ("uncertain point, turned", Extent(5_100, 5_100, 5_098, 5_103), Extent(20_900, 20_900, 20_897, 20_902)),
]


@pytest.mark.parametrize(("here", "there"), [pytest.param(*row[1:], id=row[0]) for row in PLACED])
def test_extents_that_have_a_place_lead_there_and_back(here: Extent, there: Extent) -> None:
    assert lift_extent(LIFTOVER, B37, 1, here) == LiftedExtent(there, LiftStatus.OK)
    assert lift_extent(LIFTOVER, B38, 1, there) == LiftedExtent(here, LiftStatus.OK)


@pytest.mark.parametrize(
    ("extent", "status"),
    [
        pytest.param(exact(500, 1_500), LiftStatus.UNMAPPED, id="an end without counterpart"),
        pytest.param(Extent(1_000, 1_500, 990, 1_510, 1_010, 1_490), LiftStatus.UNMAPPED, id="uncertain end without"),
        pytest.param(exact(1_500, 5_500), LiftStatus.SPLIT, id="ends on two strands"),
        pytest.param(exact(2_500, 8_500), LiftStatus.SPLIT, id="ends too far apart"),
        pytest.param(Extent(2_000, 2_000, 2_000, 2_000), LiftStatus.SPLIT, id="a point where bases are"),
        pytest.param(Extent(0, 0, 0, 0), LiftStatus.UNMAPPED, id="a point before the first base"),
    ],
)
def test_extents_without_a_place_say_why(extent: Extent, status: LiftStatus) -> None:
    assert lift_extent(LIFTOVER, B37, 1, extent) == LiftedExtent(None, status)


def test_without_a_chain_there_is_no_place_but_for_mitochondria() -> None:
    extent = Extent(1_100, 1_200, 1_090, 1_230, 1_120, 1_160)

    assert lift_extent(Liftover(), B37, 1, extent) == LiftedExtent(None, LiftStatus.NO_CHAIN)
    assert lift_extent(Liftover(), B37, 25, extent) == LiftedExtent(extent, LiftStatus.IDENTITY)
