"""Genomic HGVS (``g.``, and ``m.`` of the mitochondrial genome) as a change of one chromosome.

Format: https://hgvs-nomenclature.org. Only the grammar of the ``hgvs`` package is used: nothing of it that asks a
database or a network.

>>> str(read_hgvs("NC_000017.10:g.41246374delG", {}))
'NC_000017.10:41246373:G:'
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from app.errors import CannotNormalize, UnreadableVariant, quoted
from app.records import Build
from app.variants.accessions import MT, locate
from app.variants.reference import ReferenceSequence, require_bases
from app.variants.spdi import MAX_BASES, Spdi, refuse_beyond, refuse_long, reverse_complement

_PLUS_READ_AS_SPACE = re.compile(r"(?<=[0-9]) (?=[0-9])")
_BASES = re.compile(r"[ACGTN]*")
_TRANSCRIPT = "transcript variants need transcripts, which this release cannot read yet"
_UNCERTAIN = "uncertain positions have no single place"
_BRACKETS = "alleles and repeats in brackets are not supported; give each change on its own"


@dataclass(frozen=True, slots=True)
class _Edit:
    """What an HGVS description says: an operation on [start, end), and the bases that it states, if any."""

    text: str
    ref_seq: str
    operation: str
    start: int
    end: int
    stated: str
    inserted: str


def read_hgvs(text: str, references: Mapping[Build, ReferenceSequence]) -> Spdi:
    """Return the change that genomic HGVS states.

    Raises UnreadableVariant for text that is no HGVS, UnknownRefSeq for a sequence that is no primary chromosome, and
    CannotNormalize for what HGVS allows and this program does not, what contradicts the reference, and what needs
    sequence that is not loaded.
    """
    edit = _read_edit(text)
    if edit.operation == "ins":
        return Spdi(edit.ref_seq, edit.start + 1, "", edit.inserted)
    bases = _reference_bases(edit, references)
    match edit.operation:
        case "dup":
            return Spdi(edit.ref_seq, edit.end, "", bases)
        case "inv":
            return Spdi(edit.ref_seq, edit.start, bases, reverse_complement(bases))
        case "identity":
            return Spdi(edit.ref_seq, edit.start, bases, bases)
        case _:
            return Spdi(edit.ref_seq, edit.start, bases, edit.inserted)


@cache
def _parser() -> Any:
    # Imported on first use: it takes a tenth of a second, and few commands read HGVS.
    from hgvs.parser import Parser  # noqa: PLC0415

    return Parser()


def _parse(text: str) -> Any:
    """Return the parsed description; every exception of the package ends here."""
    from hgvs.exceptions import HGVSError  # noqa: PLC0415

    refuse_long(text)
    if text.count(":") != 1 or not text.isascii():
        raise UnreadableVariant(text)
    accession, description = text.split(":")
    repaired = f"{accession.strip().upper()}:{_PLUS_READ_AS_SPACE.sub('+', description.strip())}"
    try:
        return _parser().parse_hgvs_variant(repaired)
    except (HGVSError, ValueError, RecursionError) as error:
        if description.lstrip().startswith(("g.", "m.")):
            for mark, reason in (("?", _UNCERTAIN), ("[", _BRACKETS), ("(", _UNCERTAIN)):
                if mark in description:
                    raise CannotNormalize(text, reason) from error
        raise UnreadableVariant(text) from error


def _read_edit(text: str) -> _Edit:
    variant = _parse(text)
    if variant.type in ("c", "n", "r"):
        raise CannotNormalize(text, _TRANSCRIPT)
    if variant.type == "p":
        raise CannotNormalize(text, "a protein change does not say which bases change")
    contig, _ = locate(variant.ac, parameter="variants")
    if variant.type == "m" and contig != MT:
        raise CannotNormalize(text, "m. describes the mitochondrial genome, NC_012920.1; use g. for a chromosome")
    position, edit = variant.posedit.pos, variant.posedit.edit
    if position.uncertain or variant.posedit.uncertain or None in (position.start.base, position.end.base):
        raise CannotNormalize(text, _UNCERTAIN)
    start, end = position.start.base - 1, position.end.base
    if start >= end:
        raise CannotNormalize(text, "the range ends before it starts; none may cross the origin of a circular genome")
    refuse_beyond(text, variant.ac, start, end)
    if edit.type in ("copy", "con"):
        raise CannotNormalize(text, "copy numbers and conversions are not supported")
    if edit.type == "ins" and end - start != 2:
        raise CannotNormalize(text, "an insertion stands between two neighbouring bases")
    stated = _stated(text, getattr(edit, "ref", None) or "", end - start)
    inserted = (getattr(edit, "alt", None) or "").upper()
    if not _BASES.fullmatch(stated + inserted):
        raise CannotNormalize(text, "it may name the bases A, C, G, T and N only")
    return _Edit(text, variant.ac, edit.type, start, end, stated, inserted)


def _stated(text: str, stated: str, size: int) -> str:
    """Return the bases that are said to be there, or nothing if only their number is."""
    count = int(stated) if stated.isdigit() else len(stated)
    if stated and count != size:
        raise CannotNormalize(text, f"it states {quoted(count)} base(s) for a range of {size}")
    return "" if stated.isdigit() else stated.upper()


def _reference_bases(edit: _Edit, references: Mapping[Build, ReferenceSequence]) -> str:
    """Return the bases of the range, as stated or else from the reference."""
    if edit.stated:
        for reference in references.values():
            bases = reference.fetch(edit.ref_seq, edit.start, edit.end)
            if bases is not None and bases != edit.stated:
                raise CannotNormalize(edit.text, f"the reference has {quoted(bases)} there, not {quoted(edit.stated)}")
        return edit.stated
    if edit.end - edit.start > MAX_BASES:
        raise CannotNormalize(edit.text, f"it changes more than {MAX_BASES:,} bases without spelling them out")
    return require_bases(references, edit.ref_seq, edit.start, edit.end, text=edit.text)
