"""Diplotypes with their names in order, and names of alleles taken apart: copies and hybrids in tandem.

>>> diplotype("*10", "*2").text
'*2/*10'
>>> units("*36x2+*10")
(Unit(name='*36', copies=2, at_least=False), Unit(name='*10', copies=1, at_least=False))
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from app.formats.pgx_names import name_order
from app.pgx.calls import Diplotype

_UNIT = re.compile(r"(\*[^x+\s]+)(?:x(≥|>=)?([0-9]{1,2}|N|n))?")


@dataclass(frozen=True, slots=True)
class Unit:
    """One gene copy or several equal ones of a strand."""

    name: str
    copies: int | None
    """None: more than one, number unknown (``xN``)"""
    at_least: bool = False


def diplotype(first: str, second: str | None = None, score: int = 0) -> Diplotype:
    """Return a diplotype with its names in the order in which they are written."""
    if second is None:
        return Diplotype(first, None, score)
    one, other = sorted((first, second), key=name_order)
    return Diplotype(one, other, score)


def diplotype_order(found: Diplotype) -> tuple[object, ...]:
    """Return what diplotypes are sorted by."""
    return name_order(found.first), name_order(found.second or "")


def units(name: str) -> tuple[Unit, ...]:
    """Return the gene copies of a strand; empty for a name that is not written that way."""
    found = []
    for part in name.split("+"):
        read = _UNIT.fullmatch(part)
        if read is None:
            return ()
        star, at_least, number = read.groups()
        copies = 1 if number is None else None if number in {"N", "n"} else int(number)
        if copies == 0:
            return ()
        found.append(Unit(star, copies, bool(at_least)))
    return tuple(found)
