"""Any variant text that a user may send, as one change of one build and then as its placement on both.

SPDI has three colons, HGVS has one (https://build.fhir.org/ig/HL7/genomics-reporting/operations.html). Both may be
written on a chromosome or along a transcript.

>>> read_variant("NC_000017.10:g.41246374G>A", {}) == read_variant("NC_000017.10:41246373:G:A", {})
True
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Protocol

from app.errors import CannotNormalize, UnreadableVariant
from app.records import Build, LiftStatus
from app.variants.accessions import locate
from app.variants.hgvs import genomic_change
from app.variants.hgvs_syntax import read_syntax
from app.variants.hgvs_transcript import Projector, description_of_spdi
from app.variants.placement import Placement
from app.variants.reference import ReferenceSequence, require_bases
from app.variants.spdi import Spdi, parse_spdi, parse_spdi_of_any, refuse_long, reverse_complement
from app.variants.transcripts import InMemoryTranscripts, Transcripts

NO_TRANSCRIPTS: Final = InMemoryTranscripts()
_TRANSCRIPT = re.compile(r"\s*(?:[NX][MR]_|ENST)[0-9]", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class GenomicChange:
    """A change as it was written: ``deleted`` at the zero-based ``position`` is replaced by ``inserted``."""

    build: Build
    contig: int
    position: int
    deleted: str
    inserted: str


class Places(Protocol):
    """What finds the place of a change on both builds, as a Placer does."""

    @property
    def references(self) -> Mapping[Build, ReferenceSequence]:
        """Return the sequences that are loaded."""

    def place(self, build: Build, contig: int, position: int, deleted: str, inserted: str) -> Placement:
        """Return the place; raises CannotNormalize if the change contradicts the reference."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a text states: one change, or what a transcript makes of it on each build, GRCh38 first.

    ``note`` is what the user has to know about how the text was read, if anything.
    """

    changes: tuple[GenomicChange, ...]
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Identified:
    """The identity of a variant that a user wrote, and what the user has to know about how it was found."""

    placement: Placement
    note: str | None = None


def read_variant(
    text: str,
    references: Mapping[Build, ReferenceSequence],
    transcripts: Transcripts = NO_TRANSCRIPTS,
    *,
    version_fallback: bool = False,
) -> Reading:
    """Return what SPDI or HGVS states; a mitochondrial change counts as one of GRCh38.

    Raises UnreadableVariant, UnknownRefSeq or CannotNormalize.
    """
    return _read(text, references, Projector(transcripts, references, version_fallback=version_fallback))


def identify(
    text: str, placer: Places, transcripts: Transcripts = NO_TRANSCRIPTS, *, version_fallback: bool = False
) -> Identified:
    """Return the identity of the variant that a text states; every error quotes that text.

    Whoever asks more than once is better off with an Identifier.
    """
    projector = Projector(transcripts, placer.references, version_fallback=version_fallback)
    return _identify(text, placer, projector)


class Identifier:
    """Identifies variant texts and remembers the last ``size`` of them; several threads may share it."""

    def __init__(
        self, placer: Places, transcripts: Transcripts = NO_TRANSCRIPTS, *, size: int, version_fallback: bool = False
    ) -> None:
        projector = Projector(transcripts, placer.references, version_fallback=version_fallback)
        self._identify = lru_cache(maxsize=size)(lambda text: _identify(text, placer, projector))

    def identify(self, text: str) -> Identified:
        """Return the identity of the variant that a text states."""
        return self._identify(text)


def _identify(text: str, placer: Places, projector: Projector) -> Identified:
    reading = _read(text, placer.references, projector)
    try:
        return Identified(_placed(reading.changes, placer), reading.note)
    except CannotNormalize as error:
        raise CannotNormalize(text, error.reason) from error


def _read(text: str, references: Mapping[Build, ReferenceSequence], projector: Projector) -> Reading:
    refuse_long(text)
    match text.count(":"):
        case 3 if _TRANSCRIPT.match(text):
            said = description_of_spdi(text, parse_spdi_of_any(text))
        case 3:
            return _genomic(_spdi(text, references))
        case 1:
            said = read_syntax(text)
        case _:
            raise UnreadableVariant(text)
    if said.kind in ("g", "m"):
        return _genomic(genomic_change(said, references))
    projection = projector.project(said)
    return Reading(tuple(_on_build(build, change) for build, change in projection.changes.items()), projection.note)


def _spdi(text: str, references: Mapping[Build, ReferenceSequence]) -> Spdi:
    change = parse_spdi(text)
    if isinstance(change, Spdi):
        return change
    bases = require_bases(references, change.ref_seq, change.position, change.position + change.length, text=text)
    return change.with_deleted(bases)


def _genomic(change: Spdi) -> Reading:
    _, builds = locate(change.ref_seq, parameter="variants")
    return Reading((_on_build(max(builds), change),))


def _on_build(build: Build, change: Spdi) -> GenomicChange:
    contig, _ = locate(change.ref_seq, parameter="variants")
    return GenomicChange(build, contig, change.position, change.deleted, change.inserted)


def _placed(changes: tuple[GenomicChange, ...], placer: Places) -> Placement:
    """Return the placement of a change that is known on one build, or from a transcript on both.

    Where both are known and liftover takes the one to the other, either says it all. Where it does not, for a gap in
    the chain or in the alignment of the transcript, each build keeps what the transcript makes of the change there.
    """
    found = {
        change.build: placer.place(change.build, change.contig, change.position, change.deleted, change.inserted)
        for change in changes
    }
    if len(found) == 1:
        return next(iter(found.values()))
    surer, other = sorted(found, key=lambda build: (_is_sure(found[build], build, placer), build), reverse=True)
    one, two = found[surer], found[other]
    lifted, own = one.on(other), two.on(other)
    if lifted == own or (lifted is not None and not _is_sure(two, other, placer)):
        return one
    on37, on38 = (found[build].on(build) for build in (Build.GRCH37, Build.GRCH38))
    return Placement(one.contig, on37, on38, _status(on37, on38, found, placer), one.justified and two.justified)


def _is_sure(placement: Placement, build: Build, placer: Places) -> bool:
    """Return whether the sequence around a change is loaded for the build that it was read on."""
    here, reference = placement.on(build), placer.references.get(build)
    if here is None or reference is None or not placement.justified:
        return False
    return reference.fetch(here.ref_seq, here.position, max(here.end, here.position + 1)) is not None


def _status(on37: Spdi | None, on38: Spdi | None, found: Mapping[Build, Placement], placer: Places) -> LiftStatus:
    """Return how two placements that a transcript made relate to each other."""
    if not all(_is_sure(placement, build, placer) for build, placement in found.items()):
        return LiftStatus.UNVERIFIED
    same = on37 is not None and on38 is not None and on37.deleted in (on38.deleted, reverse_complement(on38.deleted))
    return LiftStatus.OK if same else LiftStatus.REF_CHANGED
