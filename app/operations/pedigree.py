"""Laying a pedigree out as shapes and lines: generations in rows, parents beside each other, children below them.

What a pedigree does not say is not drawn: whoever has no parents and no children in it stands beside the others, in
the row of the proband.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from app.formats.gel import Member

_ACROSS, _DOWN, _MARGIN = 130, 130, 70
_HALF = 18
_SWEEPS = 4
_SHAPES: Final = {"male": "square", "female": "circle"}

Couple = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Symbol:
    """One person; ``x`` and ``y`` are of the middle."""

    x: int
    y: int
    shape: str
    """square, circle or diamond"""
    affected: str
    """AFFECTED, UNAFFECTED, UNCERTAIN or empty"""
    is_proband: bool
    is_sequenced: bool
    is_deceased: bool
    label: str
    role: str


@dataclass(frozen=True, slots=True)
class Line:
    """A line between two points."""

    x1: int
    y1: int
    x2: int
    y2: int


@dataclass(frozen=True, slots=True)
class Drawing:
    """A pedigree as it is drawn."""

    width: int
    height: int
    symbols: tuple[Symbol, ...]
    lines: tuple[Line, ...]


@dataclass(slots=True)
class _People:
    members: dict[int, Member]
    parents: dict[int, tuple[int, ...]] = field(default_factory=dict)
    children: dict[Couple | tuple[int], list[int]] = field(default_factory=dict)


def draw(members: Sequence[Member], *, related: Collection[int] = ()) -> Drawing:
    """Return the drawing of a pedigree; ``related`` are the pedigree ids of people whose parents are related."""
    people = _people_of(members)
    rows = _rows_of(people)
    places = {
        one: (_MARGIN + at * _ACROSS, _MARGIN + number * _DOWN)
        for number, row in enumerate(rows)
        for one, at in row.items()
    }
    symbols = tuple(_symbol(one, *places[key], role_of(one, members)) for key, one in people.members.items())
    lines = tuple(line for family in people.children.items() for line in _family(*family, places, related))
    width = max((x for x, _ in places.values()), default=0.0) + _MARGIN
    return Drawing(round(width), _MARGIN * 2 + _DOWN * max(0, len(rows) - 1), symbols, lines)


def role_of(member: Member, members: Sequence[Member]) -> str:
    """Return what a member is to the proband: proband, mother, father, or what the case says of it."""
    proband = next((one for one in members if one.is_proband), None)
    if member.is_proband:
        return "proband"
    if proband is not None and member.pedigree_id is not None:
        if member.pedigree_id == proband.mother_id:
            return "mother"
        if member.pedigree_id == proband.father_id:
            return "father"
    return member.relation.lower()


def _people_of(members: Sequence[Member]) -> _People:
    keyed: dict[int, Member] = {}
    for number, one in enumerate(members, 1):
        key = one.pedigree_id if one.pedigree_id is not None and one.pedigree_id not in keyed else -number
        keyed[key] = one
    people = _People(keyed)
    for key, one in keyed.items():
        known = tuple(id_ for id_ in (one.father_id, one.mother_id) if id_ is not None and id_ in keyed and id_ != key)
        if known:
            people.parents[key] = known
            people.children.setdefault((known[0], known[1]) if len(known) == 2 else (known[0],), []).append(key)
    return people


def _generations(people: _People) -> dict[int, int]:
    """Return the row of everybody; a pedigree in a circle ends, wherever it then is."""
    rows = dict.fromkeys(people.members, 0)
    for _ in range(len(rows) + 1):
        before = dict(rows)
        for key, known in people.parents.items():
            rows[key] = max(rows[key], 1 + max(rows[one] for one in known))
        for couple in people.children:
            for one in couple:
                rows[one] = max(rows[other] for other in couple)
        if rows == before:
            break
    linked = {*people.parents, *(one for couple in people.children for one in couple)}
    proband = next((key for key, one in people.members.items() if one.is_proband), None)
    for key in people.members:
        if key not in linked and proband is not None:
            rows[key] = rows[proband]
    return {key: min(row, len(rows)) for key, row in rows.items()}


def _rows_of(people: _People) -> list[dict[int, float]]:
    """Return of each row where everybody stands in it, in widths of a person."""
    generation = _generations(people)
    order = [[key for key in people.members if generation[key] == row] for row in sorted(set(generation.values()))]
    widest = max(map(len, order), default=0)
    at: dict[int, float] = {}
    for row in order:
        at |= _spread(row, widest)
    for _ in range(_SWEEPS):
        for row in order:
            row.sort(key=lambda key: (_wish(people, at, key), key))
            at |= _spread(_together(row, people.children), widest)
    return [{key: at[key] for key in row} for row in order]


def _spread(row: Sequence[int], widest: int) -> dict[int, float]:
    return {key: (widest - len(row)) / 2 + number for number, key in enumerate(row)}


def _wish(people: _People, at: Mapping[int, float], key: int) -> float:
    below = [at[child] for couple, some in people.children.items() if key in couple for child in some]
    beside = [at[one] for one in people.parents.get(key, ())] or below or [at[key]]
    return sum(beside) / len(beside)


def _together(row: Sequence[int], couples: Collection[tuple[int, ...]]) -> list[int]:
    """Return a row with each couple side by side, the father first."""
    placed: list[int] = []
    for key in row:
        if key in placed:
            continue
        couple = next((one for one in couples if key in one and not set(one) & set(placed)), (key,))
        placed += [one for one in couple if one in row] or [key]
    return placed


def _symbol(member: Member, x: float, y: float, role: str) -> Symbol:
    return Symbol(
        round(x),
        round(y),
        _SHAPES.get(member.sex, "diamond"),
        member.affected,
        member.is_proband,
        bool(member.participant_id and member.samples),
        member.life_status in ("DECEASED", "ABORTED", "STILLBORN"),
        member.participant_id or "not in the study",
        role,
    )


def _family(
    couple: tuple[int, ...],
    children: Sequence[int],
    places: Mapping[int, tuple[float, float]],
    related: Collection[int],
) -> list[Line]:
    """Return the lines from parents to their children; two lines between parents who are related."""
    (left, top), *others = sorted(places[one] for one in couple)
    lines = []
    middle = left
    if others:
        right = others[0][0]
        middle = (left + right) / 2
        gaps = (-3, 3) if any(child in related for child in children) else (0,)
        lines = [_line(left + _HALF, top + gap, right - _HALF, others[0][1] + gap) for gap in gaps]
    spots = sorted(places[child] for child in children)
    bar = spots[0][1] - _DOWN / 2 + _HALF
    lines.append(_line(middle, top if others else top + _HALF, middle, bar))
    lines.append(_line(min(middle, spots[0][0]), bar, max(middle, spots[-1][0]), bar))
    lines += [_line(x, bar, x, y - _HALF) for x, y in spots]
    return lines


def _line(x1: float, y1: float, x2: float, y2: float) -> Line:
    return Line(round(x1), round(y1), round(x2), round(y2))
