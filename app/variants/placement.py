"""One change, placed on both builds: its contextual form where it was reported, and its counterpart on the other build.

The rules are those of https://doi.org/10.1093/bioinformatics/btz856 for the form and, for the counterpart: the
contextual interval is lifted by both ends; on the other strand the alleles become their reverse complements; where the
bases of the other build are loaded they are compared, and the change is justified anew there. Where they differ, the
counterpart deletes the other build's own bases and inserts the same ones, which may make it an identity. All positions
are zero-based, all intervals half-open.

>>> placer = Placer({}, Liftover())
>>> str(placer.place(Build.GRCH37, 17, 41246373, "G", "").canonical)
'NC_000017.10:41246373:G:'
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from app.records import Build, LiftStatus
from app.variants.accessions import MT, accession
from app.variants.counterpart import compared
from app.variants.liftover import Liftover
from app.variants.normalize import justify
from app.variants.placed_batch import CONTRADICTS, EQUAL, NOT_LOADED, PlacedBatch, place_rows
from app.variants.reference import NoReference, ReferenceSequence
from app.variants.segments import Ints
from app.variants.spdi import Spdi, reverse_complement

__all__ = ["CONTRADICTS", "EQUAL", "NOT_LOADED", "PlacedBatch", "Placement", "Placer"]


@dataclass(frozen=True, slots=True)
class Placement:
    """A change on the builds that it has a place on, at least the one that it was reported on.

    ``justified`` is False while the sequence around the reported place is not loaded and the change could be written
    at several places.
    """

    contig: int
    spdi37: Spdi | None
    spdi38: Spdi | None
    status: LiftStatus
    justified: bool

    @property
    def canonical(self) -> Spdi:
        """Return the form on GRCh38, or on GRCh37 for a change that has no place on GRCh38."""
        spdi = self.spdi38 or self.spdi37
        assert spdi is not None  # noqa: S101 - a placement without a place is never made
        return spdi

    def on(self, build: Build) -> Spdi | None:
        """Return the form on one build, if it has a place there."""
        return self.spdi37 if build is Build.GRCH37 else self.spdi38


class Placer:
    """Places changes by the sequences and chains that are loaded; a build without an entry has no sequence."""

    def __init__(self, references: Mapping[Build, ReferenceSequence], liftover: Liftover) -> None:
        self._references = references
        self._liftover = liftover

    @property
    def references(self) -> Mapping[Build, ReferenceSequence]:
        """Return the sequences that are loaded."""
        return self._references

    @property
    def liftover(self) -> Liftover:
        """Return the chains that are loaded."""
        return self._liftover

    def place(self, build: Build, contig: int, position: int, deleted: str, inserted: str) -> Placement:
        """Place one change that is given in upper case.

        Raises CannotNormalize if it lies beyond the chromosome or deletes other bases than the reference has.
        """
        native = justify(self.reference(build, contig), accession(build, contig), position, deleted, inserted)
        here = Spdi(accession(build, contig), native.position, native.deleted, native.inserted)
        there, status = self._counterpart(build, contig, here)
        on37, on38 = (here, there) if build is Build.GRCH37 else (there, here)
        return Placement(contig, on37, on38, status, native.justified)

    def place_batch(
        self, build: Build, contig: int, positions: Ints, refs: Sequence[str], alts: Sequence[str]
    ) -> PlacedBatch:
        """Place changes of one chromosome, given as in a VCF but in upper case; each row gets what ``place`` says.

        Rows in the order of their positions are fastest.
        """
        return place_rows(
            (self.reference(build, contig), self.reference(build.other, contig)),
            self._liftover,
            build=build,
            contig=contig,
            positions=np.asarray(positions, dtype=np.int64),
            refs=refs,
            alts=alts,
        )

    def _counterpart(self, build: Build, contig: int, here: Spdi) -> tuple[Spdi | None, LiftStatus]:
        """Return the counterpart of a contextual change and how it was found, or None and why there is none."""
        if contig == MT:
            return here, LiftStatus.IDENTITY
        lifted = self._liftover.lift_interval(build, contig, here.position, here.end)
        if not lifted.status.placed:
            return None, lifted.status
        deleted, inserted = here.deleted, here.inserted
        if lifted.reverse:
            deleted, inserted = reverse_complement(deleted), reverse_complement(inserted)
        reported = Spdi(accession(build.other, contig), lifted.start, deleted, inserted)
        return compared(self.reference(build.other, contig), reported)

    def reference(self, build: Build, contig: int) -> ReferenceSequence:
        """Return the sequence of a build; the mitochondrial genome from whichever build has all of it."""
        reference = self._references.get(build, NoReference())
        other = self._references.get(build.other, NoReference())
        borrowed = (
            contig == MT and other.is_whole(accession(build, MT)) and not reference.is_whole(accession(build, MT))
        )
        return other if borrowed else reference
