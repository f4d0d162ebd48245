"""HGVS text taken apart by the grammar of the ``hgvs`` package, which alone decides what is HGVS.

Format: https://hgvs-nomenclature.org. Positions are those of the text: they count from 1.

>>> read_syntax("NM_007294.4:c.213-11T>G").start
Position(base_1based=213, offset=-11, origin='cds')
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, Literal

from app.errors import CannotNormalize, UnreadableVariant, quoted
from app.variants.spdi import Spdi, refuse_long, reverse_complement

Kind = Literal["g", "m", "c", "n"]
Origin = Literal["start", "cds", "stop"]
"""Where positions count from: the start of the sequence, that of the coding region, or its end (``c.*``)"""

_PLUS_READ_AS_SPACE = re.compile(r"(?<=[0-9]) (?=[0-9])")
_TRANSCRIPT_IN_BRACKETS = re.compile(r"([^()]+)\(((?:NM|NR|XM|XR|ENST)[^()]*)\)", re.IGNORECASE)
_ALONE_IN_BRACKETS = re.compile(r"([gmcn]\.)\[([^][;(),]+)\]")
_COUNTED_DUP = re.compile(r"(.*dup)([0-9]{1,9})")
_STATED_INV = re.compile(r".*inv([ACGTN]+|[0-9]{1,9})", re.IGNORECASE)
_NUCLEIC = ("g.", "m.", "c.", "n.", "r.")
_BASES = re.compile(r"[ACGTN]*")
UNCERTAIN: Final = "uncertain positions have no single place"
_BRACKETS = "alleles and repeats in brackets are not supported; give each change on its own"
_PROTEIN = "a protein change does not say which bases change"
_RNA = "a change of RNA does not say what the DNA is; use c. or n."


@dataclass(frozen=True, slots=True)
class Position:
    """A position as written; ``offset`` leads from there into an intron."""

    base_1based: int
    offset: int
    origin: Origin


@dataclass(frozen=True, slots=True)
class Description:
    """What HGVS says: an operation on the positions from ``start`` to ``end``, and the bases that it states, if any.

    ``stated`` are the bases that are said to be there, or their number, or nothing. ``within`` is the chromosome that
    the transcript ``accession`` is said to lie on, if one is named.
    """

    text: str
    accession: str
    within: str | None
    kind: Kind
    start: Position
    end: Position
    operation: str
    stated: str
    inserted: str

    def stated_bases(self, size: int) -> str:
        """Return the bases that are said to be there, nothing if only their number is.

        Raises CannotNormalize if there are more or fewer than ``size``.
        """
        counted = self.stated.isdigit()
        count = int(self.stated) if counted else len(self.stated)
        if self.stated and count != size:
            raise CannotNormalize(self.text, f"it states {quoted(count)} base(s) for a range of {size}")
        return "" if counted else self.stated

    def change_of(self, ref_seq: str, start: int, bases: str, inserted: str) -> Spdi:
        """Return what the operation, no insertion, makes of ``bases``; both texts are as the chromosome has them."""
        match self.operation:
            case "dup":
                return Spdi(ref_seq, start + len(bases), "", bases)
            case "inv":
                return Spdi(ref_seq, start, bases, reverse_complement(bases))
            case "identity":
                return Spdi(ref_seq, start, bases, bases)
            case _:
                return Spdi(ref_seq, start, bases, inserted)


def read_syntax(text: str) -> Description:
    """Return what a change of DNA says.

    Raises UnreadableVariant for text that is no HGVS and CannotNormalize for what HGVS allows and this program does
    not.
    """
    variant, within, overlooked = _parse(text)
    if variant.type == "p":
        raise CannotNormalize(text, _PROTEIN)
    if variant.type == "r":
        raise CannotNormalize(text, _RNA)
    position, edit = variant.posedit.pos, variant.posedit.edit
    if position.uncertain or variant.posedit.uncertain:
        raise CannotNormalize(text, UNCERTAIN)
    start, end = _position(position.start, variant.type, text), _position(position.end, variant.type, text)
    if edit.type in ("copy", "con"):
        raise CannotNormalize(text, "copy numbers and conversions are not supported")
    stated = (getattr(edit, "ref", None) or overlooked).upper()
    inserted = (getattr(edit, "alt", None) or "").upper()
    if _BASES.fullmatch(inserted + ("" if stated.isdigit() else stated)) is None:
        raise CannotNormalize(text, "it may name the bases A, C, G, T and N only")
    return Description(text, variant.ac, within, variant.type, start, end, edit.type, stated, inserted)


@cache
def _parser() -> Any:
    # Imported on first use: it takes a tenth of a second, and few commands read HGVS.
    from hgvs.parser import Parser  # noqa: PLC0415

    return Parser()


def _parse(text: str) -> tuple[Any, str | None, str]:
    """Return the parsed description, the chromosome around the transcript, and stated bases that hgvs overlooks.

    Every exception of hgvs ends here. Three forms that are about and that it does not read are brought to its own: one
    change alone in brackets, the number of duplicated bases, a transcript in brackets behind its chromosome.
    """
    from hgvs.exceptions import HGVSError  # noqa: PLC0415

    refuse_long(text)
    if text.count(":") != 1 or not text.isascii():
        raise UnreadableVariant(text)
    accession, description = (part.strip() for part in text.split(":"))
    nested = _TRANSCRIPT_IN_BRACKETS.fullmatch(accession)
    within = nested[1].strip().upper() if nested else None
    named = (nested[2] if nested else accession).strip().upper()
    plain = _ALONE_IN_BRACKETS.sub(r"\1\2", _PLUS_READ_AS_SPACE.sub("+", description))
    counted, inverted = _COUNTED_DUP.fullmatch(plain), _STATED_INV.fullmatch(plain)
    overlooked = counted[2] if counted else inverted[1] if inverted else ""
    try:
        return _parser().parse_hgvs_variant(f"{named}:{counted[1] if counted else plain}"), within, overlooked
    except (HGVSError, ValueError, RecursionError) as error:
        if description.startswith(_NUCLEIC):
            for marks, reason in (("?", UNCERTAIN), ("[]", _BRACKETS), ("()", UNCERTAIN)):
                if all(mark in description for mark in marks):
                    raise CannotNormalize(text, reason) from error
        raise UnreadableVariant(text) from error


def _position(place: Any, kind: Kind, text: str) -> Position:
    base, offset = getattr(place, "base", None), getattr(place, "offset", 0)
    if base is None or offset is None or place.uncertain:
        raise CannotNormalize(text, UNCERTAIN)
    if kind == "n" and base < 1:
        raise CannotNormalize(text, "n. positions count from 1")
    if kind != "c":
        return Position(base, offset, "start")
    return Position(base, offset, "stop" if place.datum.name == "CDS_END" else "cds")
