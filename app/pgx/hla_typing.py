"""HLA types as laboratories write them, and which of the alleles that guidelines ask for a person has.

A type is one or two alleles (``HLA-B*57:01``, ``*57:01/*07:02``), a GL string (``HLA-B*57:01+HLA-B*07:02``,
https://glstring.org), or a status (``*57:01 positive``). Alleles are cut to two fields, as guidelines name them. A
status follows only where the type is fine enough to tell: ``*57`` may be ``*57:01`` or not.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from app.errors import InvalidValue, quoted

_STATUS = re.compile(r"(?P<allele>\S+)\s+(?P<status>positive|negative)", re.IGNORECASE)
_ALLELE = re.compile(r"(?P<locus>(?:HLA-)?[A-Z][A-Z0-9]*)?\*(?P<fields>[0-9]{2,4}(?::[0-9]{2,4}){0,3})(?P<mark>[A-Z]?)")
_GL_PREFIX = re.compile(r"hla#[^#]*#", re.IGNORECASE)
_GROUPS = "GP"
_FIELDS = 2
_COPIES = 2

Copy = frozenset[str]
"""The alleles that one copy may be, of two fields at most"""


@dataclass(frozen=True, slots=True)
class HlaType:
    """What a laboratory reported for one gene."""

    alleles: tuple[str, ...]
    """The two alleles (or the one that was reported); empty when a copy may be several, or for a mere status"""
    statuses: tuple[str, ...]
    """``*57:01 positive`` for each allele asked for of which the status follows"""


def read_hla(gene: str, text: str, asked: Sequence[str]) -> HlaType:
    """Return what a text says of a gene.

    Args:
        gene: ``HLA-B``.
        text: A type or a status.
        asked: The alleles that guidelines ask for (``*57:01``).

    Raises:
        InvalidValue: the text is no type of this gene, or a status that cannot be used.
    """
    status = _STATUS.fullmatch(text.strip())
    if status is not None:
        return HlaType((), (_status(gene, status["allele"], status["status"].lower(), asked),))
    copies = _copies(gene, text)
    certain = tuple(next(iter(copy)) for copy in copies) if all(len(copy) == 1 for copy in copies) else ()
    return HlaType(certain, tuple(filter(None, (_told(copies, allele) for allele in asked))))


def _status(gene: str, name: str, status: str, asked: Sequence[str]) -> str:
    allele = _read_allele(gene, name)
    if allele not in asked:
        raise InvalidValue(f"{gene} {quoted(name)} is no allele that guidelines ask for: {', '.join(asked)}")
    if status == "negative" and name.count(":") >= _FIELDS:
        raise InvalidValue(f"{quoted(name)} names more than {allele}, which is not excluded by it")
    return f"{allele} {status}"


def _copies(gene: str, text: str) -> list[Copy]:
    """Return what each copy may be.

    Beside ``+``, as in a GL string, ``/`` stands between what one copy may be; without it, between the two copies.
    """
    given = _GL_PREFIX.sub("", text.strip(), count=1)
    loci = given.split("^")
    of_gene = loci if len(loci) == 1 else [part for part in loci if _is_of(gene, part)]
    if len(of_gene) != 1 or any(sign in of_gene[0] for sign in "|~"):
        raise InvalidValue(f"{quoted(text)} is no single type of {gene}")
    copies = [copy.split("/") for copy in of_gene[0].split("+")]
    if len(copies) == 1 and len(copies[0]) > 1:
        if given != text.strip() or all(name.strip().startswith(gene) for name in copies[0]):
            raise InvalidValue(f"{quoted(text)} leaves open whether it means two copies; write + between copies")
        copies = [[name] for name in copies[0]]
    if len(copies) > _COPIES:
        raise InvalidValue(f"{quoted(text)} has more than two alleles of {gene}")
    return [frozenset(_read_allele(gene, name) for name in copy) for copy in copies]


def _is_of(gene: str, part: str) -> bool:
    read = _ALLELE.match(part.strip())
    return read is not None and _locus(read["locus"] or "") == _locus(gene)


def _locus(name: str) -> str:
    return name.removeprefix("HLA-")


def _read_allele(gene: str, name: str) -> str:
    """Return an allele cut to two fields."""
    read = _ALLELE.fullmatch(name.strip())
    if read is None or _locus(read["locus"] or gene) != _locus(gene):
        raise InvalidValue(f"{quoted(name)} is no allele of {gene}")
    if read["mark"] and read["mark"] not in _GROUPS:
        raise InvalidValue(f"{quoted(name)} is expressed otherwise than its two fields say, and is not cut to them")
    return "*" + ":".join(read["fields"].split(":")[:_FIELDS])


def _told(copies: Sequence[Copy], allele: str) -> str:
    """Return the status of an allele; empty where the type leaves it open."""
    if any(copy == {allele} for copy in copies):
        return f"{allele} positive"
    if len(copies) < _COPIES or any(_may_be(option, allele) for copy in copies for option in copy):
        return ""
    return f"{allele} negative"


def _may_be(option: str, allele: str) -> bool:
    return option == allele or allele.startswith(f"{option}:")
