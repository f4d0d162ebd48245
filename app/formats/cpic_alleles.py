"""CPIC's cells of allele definitions (``delT``, ``insA``, ``TA(7)``, ``AA``) in the spelling of a VCF.

A cell of plain bases at a place of one base is spelled the same. For any other the place (``g.94949283del``,
``g.233760235TA[6]``, ``g.99652771dup``) says what is replaced, and the reference sequence what stands there; without
the sequence nothing is said.

>>> bases = {233760231: "A", 233760232: "C", 233760233: "A"} | {233760234 + at: "TA"[at % 2] for at in range(14)}
>>> bases[233760248] = "A"
>>> def fetch(start, end):
...     return "".join(bases.get(at, "G") for at in range(start, end))
>>> place("g.233760235TA[6]; g.233760235TA[8]", ["TA(6)", "TA(7)", "TA(8)"], fetch).alleles
{'TA(6)': 'C', 'TA(7)': 'CAT', 'TA(8)': 'CATAT'}
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from app.errors import quoted
from app.formats.pgx import BASES

Fetch = Callable[[int, int], str | None]
"""Bases of an interval of the gene's chromosome on GRCh38; None where they are not loaded"""

NO_SEQUENCE = "its alleles need the reference sequence, which is not loaded there"
NO_FORM = "its place is of no form that is read"
NO_REFERENCE = "none of its alleles is the reference"
NO_CELL = "an allele is of no form that is read"

_SINGLE = re.compile(r"[gm]\.(\d+)([ACGT])>([ACGT])")
_CHANGE = re.compile(r"[gm]\.(\d+)(?:_(\d+))?(?:(delins)|(del|dup|ins))[ACGT]*(ins[ACGT]+)?")
_REPEAT = re.compile(r"[gm]\.(\d+)(?:_\d+)?([ACGT]+)[\[(]\d+[\])]")
_COUNTED = re.compile(r"([ACGT]+)\((\d+)\)")
_PLAIN = re.compile(r"[ACGT]+")
_LONGEST_RUN = 200


class Unspelled(Exception):
    """The alleles of a place cannot be spelled, and why."""


@dataclass(frozen=True, slots=True)
class Spelled:
    """A place and its alleles as a VCF spells them: REF is the first of ``spellings``."""

    start: int
    spellings: tuple[str, ...]
    alleles: Mapping[str, str]
    """Cell → allele, or an IUPAC code that stands for several bases"""


@dataclass(frozen=True, slots=True)
class _Locus:
    """What is replaced: ``kind`` is del, dup, ins, delins, or run for a repeated unit."""

    start: int
    end: int
    kind: str
    unit: str = ""


def place(location: str, cells: Sequence[str], fetch: Fetch) -> Spelled:
    """Return the place and alleles of a location, given all of its cells.

    Raises:
        Unspelled: nothing certain can be said.
    """
    said = [part.strip() for part in location.split(";") if part.strip()]
    singles = [_SINGLE.fullmatch(part) for part in said]
    if said and all(singles) and all(cell in BASES or cell in ("A", "C", "G", "T") for cell in cells):
        return _single([match for match in singles if match is not None], cells)
    locus = _locus(said, fetch)
    reference = fetch(locus.start, locus.end)
    if reference is None:
        raise Unspelled(NO_SEQUENCE)
    texts = {cell: _text(cell, locus, reference) for cell in cells}
    if reference not in texts.values():
        raise Unspelled(NO_REFERENCE)
    return _anchored(locus.start, reference, texts, fetch)


def _single(matches: Sequence[re.Match[str]], cells: Sequence[str]) -> Spelled:
    places = {(int(match[1]), match[2]) for match in matches}
    if len(places) != 1:
        raise Unspelled(NO_FORM)
    [(position, ref)] = places
    bases = [match[3] for match in matches]
    for cell in cells:
        bases += sorted(BASES.get(cell, cell))
    if ref not in cells and not any(ref in BASES.get(cell, "") for cell in cells):
        raise Unspelled(NO_REFERENCE)
    spellings = tuple(dict.fromkeys([ref, *bases]))
    return Spelled(position - 1, spellings, {cell: cell for cell in cells})


def _locus(said: Sequence[str], fetch: Fetch) -> _Locus:
    """Return what is replaced, from the first part of a location that says it."""
    for part in said:
        repeat = _REPEAT.fullmatch(part)
        if repeat is not None:
            return _run(int(repeat[1]) - 1, repeat[2], fetch)
    for part in said:
        change = _CHANGE.fullmatch(part)
        if change is not None:
            first = int(change[1])
            last = int(change[2]) if change[2] else first
            if last < first:
                break
            kind = change[3] or ("delins" if change[5] else change[4])
            return _Locus(first, first, kind) if kind == "ins" else _Locus(first - 1, last, kind)
    raise Unspelled(f"{NO_FORM}: {quoted('; '.join(said))}")


def _run(start: int, unit: str, fetch: Fetch) -> _Locus:
    """Return where a unit is repeated from a start on."""
    end = start
    while end - start < _LONGEST_RUN * len(unit):
        bases = fetch(end, end + len(unit))
        if bases is None:
            raise Unspelled(NO_SEQUENCE)
        if bases != unit:
            break
        end += len(unit)
    if end == start:
        raise Unspelled(NO_REFERENCE)
    return _Locus(start, end, "run", unit)


def _text(cell: str, locus: _Locus, reference: str) -> str:
    """Return what an allele has in place of the reference."""
    counted = _COUNTED.fullmatch(cell)
    if counted is not None and counted[1] == locus.unit:
        return counted[1] * int(counted[2])
    if cell == "del" and locus.kind == "ins":
        return ""
    if cell.startswith("del") and cell[3:] == reference and locus.kind in ("del", "delins"):
        # Of an exchange (``delTC``, ``insCT``) the deleted bases are the name of the reference.
        return reference if locus.kind == "delins" else ""
    if cell.startswith("ins") and _PLAIN.fullmatch(cell[3:]) and locus.kind in ("ins", "delins"):
        return cell[3:]
    if _PLAIN.fullmatch(cell) and locus.kind in ("del", "dup", "run"):
        return cell
    raise Unspelled(f"{NO_CELL}: {quoted(cell)}")


def _anchored(start: int, reference: str, texts: Mapping[str, str], fetch: Fetch) -> Spelled:
    """Return alleles with the least of common bases, as far left as they can stand."""
    alleles = list(dict.fromkeys([reference, *texts.values()]))
    before = list(alleles)
    while True:
        if not all(alleles):
            base = fetch(start - 1, start)
            if base is None:
                raise Unspelled(NO_SEQUENCE)
            start -= 1
            alleles = [base + allele for allele in alleles]
        elif len({allele[-1] for allele in alleles}) == 1 and len(alleles) > 1:
            alleles = [allele[:-1] for allele in alleles]
        else:
            break
    while min(map(len, alleles)) > 1 and len({allele[0] for allele in alleles}) == 1:
        alleles = [allele[1:] for allele in alleles]
        start += 1
    spelled = dict(zip(before, alleles, strict=True))
    return Spelled(start, tuple(alleles), {cell: spelled[text] for cell, text in texts.items()})
