"""Any variant text that a user may send, as one change of one build and then as its placement on both.

SPDI has three colons, HGVS has one (https://build.fhir.org/ig/HL7/genomics-reporting/operations.html).

>>> read_variant("NC_000017.10:g.41246374G>A", {}) == read_variant("NC_000017.10:41246373:G:A", {})
True
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Generic, Protocol, TypeVar

from app.errors import CannotNormalize, UnreadableVariant
from app.records import Build
from app.variants.accessions import locate
from app.variants.hgvs import read_hgvs
from app.variants.reference import ReferenceSequence, require_bases
from app.variants.spdi import Spdi, parse_spdi, refuse_long

Placed = TypeVar("Placed")
Placed_co = TypeVar("Placed_co", covariant=True)


@dataclass(frozen=True, slots=True)
class GenomicChange:
    """A change as it was written: ``deleted`` at the zero-based ``position`` is replaced by ``inserted``."""

    build: Build
    contig: int
    position: int
    deleted: str
    inserted: str


class Places(Protocol[Placed_co]):
    """What finds the place of a change on both builds."""

    @property
    def references(self) -> Mapping[Build, ReferenceSequence]:
        """Return the sequences that are loaded."""

    def place(self, build: Build, contig: int, position: int, deleted: str, inserted: str) -> Placed_co:
        """Return the place; raises CannotNormalize if the change contradicts the reference."""


def read_variant(text: str, references: Mapping[Build, ReferenceSequence]) -> GenomicChange:
    """Return the change that SPDI or genomic HGVS states; a mitochondrial one counts as one of GRCh38.

    Raises UnreadableVariant, UnknownRefSeq or CannotNormalize.
    """
    change = _read(text, references)
    contig, builds = locate(change.ref_seq, parameter="variants")
    return GenomicChange(max(builds), contig, change.position, change.deleted, change.inserted)


def identify(text: str, placer: Places[Placed]) -> Placed:
    """Return the placement of the variant that a text states; every error quotes that text."""
    change = read_variant(text, placer.references)
    try:
        return placer.place(change.build, change.contig, change.position, change.deleted, change.inserted)
    except CannotNormalize as error:
        raise CannotNormalize(text, error.reason) from error


class Identifier(Generic[Placed]):
    """Identifies variant texts and remembers the last ``size`` of them; several threads may share it."""

    def __init__(self, placer: Places[Placed], *, size: int) -> None:
        self._identify = lru_cache(maxsize=size)(lambda text: identify(text, placer))

    def identify(self, text: str) -> Placed:
        """Return the placement of the variant that a text states."""
        return self._identify(text)


def _read(text: str, references: Mapping[Build, ReferenceSequence]) -> Spdi:
    refuse_long(text)
    match text.count(":"):
        case 3:
            change = parse_spdi(text)
        case 1:
            change = read_hgvs(text, references)
        case _:
            raise UnreadableVariant(text)
    if isinstance(change, Spdi):
        return change
    bases = require_bases(references, change.ref_seq, change.position, change.position + change.length, text=text)
    return change.with_deleted(bases)
