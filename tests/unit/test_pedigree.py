"""Pedigrees as they are drawn: rows of generations, parents side by side, nothing on top of anything else."""

from __future__ import annotations

from typing import Any

import pytest

from app.formats.gel import Member, Sample
from app.operations.pedigree import Drawing, draw, role_of


def member(
    number: int, sex: str = "female", father: int | None = None, mother: int | None = None, **more: Any
) -> Member:
    given: dict[str, Any] = {
        "participant_id": f"p{number}",
        "is_proband": False,
        "samples": (Sample(f"s{number}", "germline"),),
    } | more
    return Member(sex=sex, pedigree_id=number, father_id=father, mother_id=mother, **given)


def places(drawing: Drawing) -> dict[str, tuple[int, int]]:
    found = {one.label: (one.x, one.y) for one in drawing.symbols}
    assert len(set(found.values())) == len(drawing.symbols), "two people in one place"
    assert all(0 < x < drawing.width and 0 < y < drawing.height for x, y in found.values())
    return found


TRIO = [
    member(1, "male", 3, 2, is_proband=True, affected="AFFECTED"),
    member(2, "female", affected="UNAFFECTED"),
    member(3, "male", affected="UNCERTAIN", life_status="DECEASED"),
]


def test_parents_stand_above_their_child() -> None:
    drawing = draw(TRIO)
    at = places(drawing)
    assert at["p2"][1] == at["p3"][1] < at["p1"][1]
    assert (at["p2"][0] + at["p3"][0]) / 2 == at["p1"][0]
    shapes = {one.label: (one.shape, one.affected, one.is_proband, one.is_deceased) for one in drawing.symbols}
    assert shapes == {
        "p1": ("square", "AFFECTED", True, False),
        "p2": ("circle", "UNAFFECTED", False, False),
        "p3": ("square", "UNCERTAIN", False, True),
    }
    assert len(drawing.lines) == 4
    assert [role_of(one, TRIO) for one in TRIO] == ["proband", "mother", "father"]


def test_related_parents_have_two_lines() -> None:
    assert len(draw(TRIO, related={1}).lines) == len(draw(TRIO).lines) + 1


def test_three_generations_and_somebody_who_was_not_sequenced() -> None:
    people = [
        member(1, "female", 3, 2, is_proband=True),
        member(2, "female", 5, 4),
        member(3, "male"),
        member(4, "female"),
        member(5, "male", participant_id=None, samples=()),
        member(6, "unknown", 3, 2),
        member(7, "male", 5, 4),
    ]
    drawing = draw(people)
    at = {role: (one.x, one.y) for one, role in zip(drawing.symbols, range(1, 8), strict=True)}
    assert len(set(at.values())) == 7
    assert {at[4][1], at[5][1]} == {at[4][1]}
    assert at[4][1] < at[2][1] == at[3][1] == at[7][1] < at[1][1] == at[6][1]
    assert abs(at[2][0] - at[3][0]) == abs(at[4][0] - at[5][0]), "couples stand side by side"
    grandfather = drawing.symbols[4]
    assert (grandfather.is_sequenced, grandfather.label) == (False, "not in the study")
    assert drawing.symbols[5].shape == "diamond"


def test_what_is_not_said_is_not_drawn() -> None:
    people = [member(1, is_proband=True), member(2, relation="Full Sibling")]
    drawing = draw(people)
    at = places(drawing)
    assert at["p1"][1] == at["p2"][1]
    assert drawing.lines == ()
    assert role_of(people[1], people) == "full sibling"


@pytest.mark.parametrize(
    "people",
    [
        [],
        [member(1, "male", 1, 1)],
        [member(1, "male", 2, None), member(2, "male", 1, None)],
        [member(1, "male", 9, 8), member(1, "male", None, 8)],
    ],
    ids=["nobody", "own parent", "a circle", "parents who are not there, one number twice"],
)
def test_a_pedigree_that_contradicts_itself_is_drawn_all_the_same(people: list[Member]) -> None:
    drawing = draw(people)
    assert len(drawing.symbols) == len(people)


def test_a_long_line_is_drawn() -> None:
    people = [member(1), *(member(number, mother=number - 1) for number in range(2, 40))]
    assert len({y for _, y in places(draw(people)).values()}) == 39
