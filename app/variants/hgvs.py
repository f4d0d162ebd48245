"""Genomic HGVS (``g.``, and ``m.`` of the mitochondrial genome) as a change of one chromosome.

Format: https://hgvs-nomenclature.org. Only the grammar of the ``hgvs`` package is used: nothing of it that asks a
database or a network.

>>> str(read_hgvs("NC_000017.10:g.41246374delG", {}))
'NC_000017.10:41246373:G:'
"""

from __future__ import annotations

from collections.abc import Mapping

from app.errors import CannotNormalize, quoted
from app.records import Build
from app.variants.accessions import MT, locate
from app.variants.hgvs_syntax import Description, read_syntax
from app.variants.reference import ReferenceSequence, require_bases
from app.variants.spdi import MAX_BASES, Spdi, refuse_beyond


def read_hgvs(text: str, references: Mapping[Build, ReferenceSequence]) -> Spdi:
    """Return the change that genomic HGVS states.

    Raises UnreadableVariant for text that is no HGVS, UnknownRefSeq for a sequence that is no primary chromosome, and
    CannotNormalize for what HGVS allows and this program does not, what contradicts the reference, and what needs
    sequence that is not loaded.
    """
    return genomic_change(read_syntax(text), references)


def genomic_change(said: Description, references: Mapping[Build, ReferenceSequence]) -> Spdi:
    """Return the change of a chromosome that a description states; raises as ``read_hgvs`` does."""
    text, ref_seq = said.text, said.accession
    if said.kind in ("c", "n"):
        raise CannotNormalize(text, f"{said.kind}. positions count along a transcript, not along a chromosome")
    contig, _ = locate(ref_seq, parameter="variants")
    if said.kind == "m" and contig != MT:
        raise CannotNormalize(text, "m. describes the mitochondrial genome, NC_012920.1; use g. for a chromosome")
    start, end = said.start.base_1based - 1, said.end.base_1based
    if start >= end:
        raise CannotNormalize(text, "the range ends before it starts; none may cross the origin of a circular genome")
    refuse_beyond(text, ref_seq, start, end)
    if said.operation == "ins":
        if end - start != 2:
            raise CannotNormalize(text, "an insertion stands between two neighbouring bases")
        return Spdi(ref_seq, start + 1, "", said.inserted)
    return said.change_of(ref_seq, start, _reference_bases(said, start, end, references), said.inserted)


def _reference_bases(said: Description, start: int, end: int, references: Mapping[Build, ReferenceSequence]) -> str:
    """Return the bases of the range, as stated or else from the reference."""
    stated = said.stated_bases(end - start)
    if stated:
        for reference in references.values():
            bases = reference.fetch(said.accession, start, end)
            if bases is not None and bases != stated:
                raise CannotNormalize(said.text, f"the reference has {quoted(bases)} there, not {quoted(stated)}")
        return stated
    if end - start > MAX_BASES:
        raise CannotNormalize(said.text, f"it changes more than {MAX_BASES:,} bases without spelling them out")
    return require_bases(references, said.accession, start, end, text=said.text)
