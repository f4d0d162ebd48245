"""A variant has one row, found again by its place on either build."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import pytest

from app.records import LiftStatus
from app.store import counters, variants
from app.store.session import Database, Session
from app.store.variants import VariantColumns, change_of
from app.variants.placement import Placement
from app.variants.spdi import Spdi

R37, R38 = "NC_000007.13", "NC_000007.14"
CONTIG = 7


class Change(NamedTuple):
    """A change with its starts on the builds, -1 where it has no place."""

    start37: int
    start38: int
    deleted: str = "A"
    inserted: str = "G"
    deleted37: str | None = None
    inserted37: str | None = None
    status: LiftStatus = LiftStatus.OK
    justified: bool = True

    def placement(self) -> Placement:
        on37 = self.deleted37 or self.deleted, self.inserted37 or self.inserted
        return Placement(
            CONTIG,
            Spdi(R37, self.start37, *on37) if self.start37 >= 0 else None,
            Spdi(R38, self.start38, self.deleted, self.inserted) if self.start38 >= 0 else None,
            self.status,
            self.justified,
        )


@pytest.fixture
def session(database: Database) -> Iterator[Session]:
    with database.write() as session:
        yield session


def columns(changes: Sequence[Change], contig: int = CONTIG) -> VariantColumns:
    return VariantColumns(
        contig=contig,
        start37=np.array([change.start37 for change in changes], dtype=np.int64),
        start38=np.array([change.start38 for change in changes], dtype=np.int64),
        change=np.array([change_of(change.deleted, change.inserted) for change in changes], dtype=np.int64),
        status=np.array([change.status for change in changes], dtype=np.int64),
        justified=np.array([change.justified for change in changes], dtype=bool),
        deleted=[change.deleted for change in changes],
        inserted=[change.inserted for change in changes],
        deleted37={at: change.deleted37 for at, change in enumerate(changes) if change.deleted37 is not None},
        inserted37={at: change.inserted37 for at, change in enumerate(changes) if change.inserted37 is not None},
    )


def resolve(session: Session, *changes: Change, contig: int = CONTIG) -> tuple[list[int], int]:
    ids, new = variants.resolve(session, columns(changes, contig), np.arange(len(changes)))
    return ids.tolist(), new


SNV = Change(100, 200)
INSERTION = Change(300, 400, "AA", "AAAA")
DELETION = Change(500, 600, "CTCT", "CT")
ONLY37 = Change(700, -1, "T", "C", status=LiftStatus.UNMAPPED)
ONLY38 = Change(-1, 800, "G", "", status=LiftStatus.UNMAPPED)
TURNED = Change(900, 1000, "A", "G", "T", "C")
REF_CHANGED = Change(1100, 1200, "C", "T", "G", "T", status=LiftStatus.REF_CHANGED)
UNJUSTIFIED = Change(1300, 1400, "AC", "", justified=False)
ROLLED = Change(1500, 1600, "CACACA", "CACA", "CACA", "CA")
KINDS = [SNV, INSERTION, DELETION, ONLY37, ONLY38, TURNED, REF_CHANGED, UNJUSTIFIED, ROLLED]
names = ["snv", "insertion", "deletion", "37 only", "38 only", "turned", "ref changed", "unjustified", "rolled"]
each_kind = pytest.mark.parametrize("change", KINDS, ids=names)


# --- adding -----------------------------------------------------------------------------------------------------------


def test_new_variants_are_numbered_in_the_order_of_the_file(session: Session) -> None:
    assert resolve(session, *KINDS) == (list(range(9)), 9)
    assert resolve(session, Change(5, 5)) == ([9], 1)


def test_known_variants_keep_their_numbers(session: Session) -> None:
    first, _ = resolve(session, *KINDS)

    assert resolve(session, *reversed(KINDS)) == (first[::-1], 0)
    assert session.run("select count(*) from variant")[0][0] == len(KINDS)


@each_kind
def test_a_variant_that_is_repeated_within_a_block_is_one(session: Session, change: Change) -> None:
    other = Change(1, 1, "G", "T")

    assert resolve(session, change, other, change, other, change) == ([0, 1, 0, 1, 0], 2)


def test_new_and_known_ones_mix(session: Session) -> None:
    resolve(session, SNV, ONLY37)

    assert resolve(session, INSERTION, ONLY37, INSERTION, SNV) == ([2, 1, 2, 0], 1)


def test_another_change_at_the_same_place_is_another_variant(session: Session) -> None:
    at_one_place = [
        Change(100, 200, deleted, inserted)
        for deleted, inserted in [("A", "G"), ("A", "T"), ("A", ""), ("", "A"), ("AC", "A"), ("A", "AC"), ("AC", "")]
    ]

    assert resolve(session, *at_one_place) == (list(range(7)), 7)
    assert resolve(session, *at_one_place)[1] == 0


def test_the_same_number_on_another_build_or_chromosome_is_another_variant(session: Session) -> None:
    resolve(session, Change(100, 200))

    assert resolve(session, Change(200, 100))[1] == 1
    assert resolve(session, Change(200, -1))[1] == 1
    assert resolve(session, Change(100, 200), contig=8)[1] == 1


def test_without_a_place_on_grch38_a_variant_is_another_one_than_with_it(session: Session) -> None:
    """A chain file that is added later gives new ingests a place; what was stored before stays as it is."""
    first, _ = resolve(session, Change(100, -1, status=LiftStatus.NO_CHAIN))

    assert resolve(session, Change(100, 200)) == ([1], 1)
    assert resolve(session, Change(100, -1, status=LiftStatus.NO_CHAIN)) == (first, 0)


def test_some_rows_are_left_out(session: Session) -> None:
    ids, new = variants.resolve(session, columns([SNV, INSERTION, SNV, ONLY37]), np.array([1, 3]))

    assert (ids.tolist(), new) == ([-1, 0, -1, 1], 2)
    assert session.run("select count(*) from variant")[0][0] == 2


def test_no_rows_at_all_are_fine(session: Session) -> None:
    ids, new = variants.resolve(session, columns([SNV]), np.empty(0, dtype=np.intp))

    assert (ids.tolist(), new) == ([-1], 0)


@pytest.mark.parametrize("asked", [[3, 999_999, 1], list(range(0, 3000, 2))], ids=["few among many", "most of many"])
@pytest.mark.parametrize("on38", [True, False], ids=["GRCh38", "GRCh37 only"])
def test_a_crowded_stretch_is_looked_up_by_key_or_read_whole(session: Session, asked: list[int], on38: bool) -> None:
    def at(place: int) -> Change:
        return Change(place, place + 5 if on38 else -1)

    stored, _ = resolve(session, *map(at, range(3000)), at(999_999))
    expected = dict(zip([*range(3000), 999_999], stored, strict=True))

    assert resolve(session, *map(at, asked)) == ([expected[place] for place in asked], 0)
    assert resolve(session, at(asked[0]), at(5000)) == ([expected[asked[0]], 3001], 1)


def test_every_variant_is_counted(session: Session) -> None:
    ids, _ = resolve(session, *KINDS)
    resolve(session, *KINDS)
    assert counters.value(session, counters.VARIANTS) == len(KINDS)

    variants.delete(session, ids[:2])

    assert counters.value(session, counters.VARIANTS) == len(KINDS) - 2
    assert resolve(session, SNV) == ([9], 1)


def test_deleting_from_a_number_on_keeps_some(session: Session) -> None:
    resolve(session, *KINDS)

    variants.delete_from(session, 3, keep={5, 8, 77})

    assert [row[0] for row in session.run("select id from variant order by id")] == [0, 1, 2, 5, 8]


# --- finding ----------------------------------------------------------------------------------------------------------


@each_kind
def test_a_stored_variant_comes_back_whole(session: Session, change: Change) -> None:
    ids, _ = resolve(session, *KINDS)
    number = ids[KINDS.index(change)]

    assert variants.placements_of(session, [number]) == {number: change.placement()}


def test_no_variants_are_found_by_no_numbers(session: Session) -> None:
    resolve(session, SNV)

    assert variants.placements_of(session, []) == {}
    assert variants.placements_of(session, [77]) == {}


@each_kind
@pytest.mark.parametrize("build", [37, 38])
def test_a_variant_is_found_by_either_build(session: Session, change: Change, build: int) -> None:
    ids, _ = resolve(session, *KINDS)
    whole = change.placement()
    asked = Placement(
        CONTIG,
        whole.spdi37 if build == 37 else None,
        whole.spdi38 if build == 38 else None,
        LiftStatus.NO_CHAIN,
        justified=True,
    )

    found = variants.find(session, [asked])

    has_place = (change.start37 if build == 37 else change.start38) >= 0
    assert found == [{ids[KINDS.index(change)]: whole} if has_place else {}]


def test_a_number_of_the_other_build_finds_nothing(session: Session) -> None:
    resolve(session, Change(100, 200))

    asked: list[Any] = [Change(200, 100).placement(), Change(200, -1).placement(), Change(-1, 100).placement()]
    assert variants.find(session, asked) == [{}, {}, {}]


def test_another_change_at_the_same_place_is_not_found(session: Session) -> None:
    resolve(session, SNV, DELETION)

    asked = [Change(100, 200, "A", "T").placement(), Change(500, 600, "CTCT", "").placement()]
    assert variants.find(session, asked) == [{}, {}]


def test_several_variants_are_answered_in_the_order_of_the_question(session: Session) -> None:
    resolve(session, *KINDS)

    found = variants.find(session, [ROLLED.placement(), Change(7, 7).placement(), SNV.placement(), ROLLED.placement()])

    assert [list(entry) for entry in found] == [[8], [], [0], [8]]


def test_a_variant_stored_before_and_after_a_chain_file_came_is_found_twice(session: Session) -> None:
    resolve(session, Change(100, -1, status=LiftStatus.NO_CHAIN), Change(100, 200))

    assert [sorted(entry) for entry in variants.find(session, [Change(100, 200).placement()])] == [[0, 1]]


def test_a_change_is_one_number_whoever_asks() -> None:
    assert change_of("A", "C") == 0
    assert change_of("T", "G") == 11
    assert change_of("AC", "") == change_of("AC", "") < 0
    assert len({change_of(*pair) for pair in [("A", ""), ("", "A"), ("AA", "A"), ("A", "AA"), ("N", "A")]}) == 5
