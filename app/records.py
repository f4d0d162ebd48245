"""The vocabulary of values that flow through the house: ingest → store → operations → FHIR.

All positions are zero-based, half-open. One-based values exist only in ``app/formats`` and in error messages.
"""

from __future__ import annotations

from enum import IntEnum, StrEnum


class Build(StrEnum):
    """A genome assembly of the Genome Reference Consortium."""

    GRCH37 = "GRCh37"
    GRCH38 = "GRCh38"

    @property
    def other(self) -> Build:
        """Return the other one of the two builds."""
        return Build.GRCH38 if self is Build.GRCH37 else Build.GRCH37


class SourceClass(IntEnum):
    """Genomic source class of a call set (LOINC 48002-0); ``UNSPECIFIED`` matches no filter."""

    UNSPECIFIED = 0
    GERMLINE = 1
    SOMATIC = 2
    MIXED = 3

    @property
    def word(self) -> str:
        """Return the lower-case word used in files and answers."""
        return self.name.lower()


class Zygosity(IntEnum):
    """What one call says about one alternate allele, read from the genotype alone."""

    UNKNOWN = 0
    HETEROZYGOUS = 1
    HOMOZYGOUS = 2
    HEMIZYGOUS = 3
    HETEROPLASMIC = 4
    HOMOPLASMIC = 5


class StructuralKind(IntEnum):
    """What a structural variant is (VCF 4.5, section 1.4.5, and breakends)."""

    DEL = 1
    DUP = 2
    INV = 3
    INS = 4
    CNV = 5
    BND = 6
    """One end of a novel adjacency; its mate is a variant of its own."""


class LiftStatus(IntEnum):
    """How a variant got (or did not get) its placement on the other build."""

    OK = 0
    """Both ends lifted together and the target bases are equal."""
    UNVERIFIED = 1
    """Lifted, but the target sequence is not loaded, so the bases were not compared."""
    REF_CHANGED = 2
    """Lifted to a place whose reference bases differ from the source's."""
    IDENTITY = 3
    """The sequence belongs to both builds (the mitochondrial genome, NC_012920.1)."""
    NO_CHAIN = 4
    """No chain file for this direction is loaded."""
    UNMAPPED = 5
    """The place has no counterpart on the other build."""
    SPLIT = 6
    """The two ends land in different places, strands or distances."""
    OTHER_CONTIG = 7
    """The place lies on another chromosome (or an unplaced sequence) of the other build."""

    @property
    def placed(self) -> bool:
        """Return whether the variant has a placement on the other build."""
        return self <= LiftStatus.IDENTITY


class Sex(StrEnum):
    """Administrative sex of a subject as FHIR writes it."""

    MALE = "male"
    FEMALE = "female"
    OTHER = "other"
    UNKNOWN = "unknown"
