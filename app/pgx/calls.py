"""What was seen at the positions of a gene, and what is called from it.

>>> Diplotype("*1", "*17").text
'*1/*17'
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Observed:
    """What a test found at one position: an allele for each copy, spelled as in ``Position.alleles38``.

    None stands for a copy that was not called (``0/.``). An allele that no definition names is given as it was found,
    in the spelling of GRCh38 where it has one. One allele means one copy (haploid).
    """

    alleles: tuple[str | None, ...]
    phased: bool = False
    phase_set: int | None = None
    undocumented: bool = False
    """Some allele is none of ``Position.alleles38``"""


@dataclass(frozen=True, slots=True)
class CopyNumber:
    """How many copies of a gene a test found, and reads that tell which allele is duplicated."""

    copies: int
    allele_depths: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    """Position → reads of each of its ``Observed.alleles``; empty where unknown"""


@dataclass(frozen=True, slots=True)
class Sample:
    """What one test of one person says about one gene: a position that is not in ``observed`` is missing."""

    observed: Mapping[str, Observed]
    """By ``Position.name``"""
    copy_number: CopyNumber | None = None
    male: bool | None = None
    """None: sex unknown"""
    allele_frequencies: Mapping[str, float] = field(default_factory=dict)
    """Position → share of ALT, for the mitochondrial genome"""
    repeated: tuple[str, ...] = ()
    """Positions with several records, of which the first counts"""


class CallStatus(StrEnum):
    """What became of a gene."""

    CALLED = "called"
    """One diplotype (or one haplotype), or for genes of lowest function one list of variants"""
    AMBIGUOUS = "ambiguous"
    """Several diplotypes fit equally well"""
    NO_CALL = "no-call"
    """There are data, but no diplotype fits or they do not suffice; ``reason`` says why"""
    NOT_TESTED = "not-tested"
    """Not one position was tested"""


class CallMethod(StrEnum):
    """Where a call comes from."""

    MATCHER = "matcher"
    """Named alleles called from variants, of a VCF or of SNP data that a laboratory submitted"""
    SNV_ONLY = "snv-only"
    """By the matcher for a gene whose copy number matters and was not assessed"""
    OUTSIDE = "outside"
    """A genotype that another laboratory reported"""


@dataclass(frozen=True, slots=True)
class Diplotype:
    """Two named alleles, or one where a person has one copy; ``score`` as the matcher counts, 0 from elsewhere."""

    first: str
    second: str | None = None
    score: int = 0

    @property
    def text(self) -> str:
        """Return it as it is written."""
        return self.first if self.second is None else f"{self.first}/{self.second}"


@dataclass(frozen=True, slots=True)
class Warned:
    """Something that a reader of the result has to know; ``code`` is stable."""

    code: str
    text: str


@dataclass(frozen=True, slots=True)
class GeneCall:
    """The result of one gene, and what it rests on."""

    gene: str
    status: CallStatus
    method: CallMethod = CallMethod.MATCHER
    diplotypes: tuple[Diplotype, ...] = ()
    """Those that fit best; exactly one when CALLED, except for genes of lowest function with ``variants``"""
    alternatives: tuple[Diplotype, ...] = ()
    """Others that fit, best first"""
    variants: tuple[str, ...] = ()
    """Genes of lowest function whose variants cannot be phased: what was found, a homozygous one twice"""
    phenotype: str = ""
    """As the release words it; empty where none follows, ``Indeterminate`` where the release says so"""
    activity: str = ""
    """Activity score, perhaps with ``≥``; empty where the gene has none"""
    lookup: str = ""
    """What recommendations are looked up by; empty where none can be"""
    copy_number: int | None = None
    effectively_phased: bool = False
    called_positions: int = 0
    total_positions: int = 0
    missing: tuple[str, ...] = ()
    """Names of positions without data"""
    undocumented: tuple[str, ...] = ()
    """Names of positions with an allele that no definition names"""
    uncallable: tuple[str, ...] = ()
    """Alleles that could not be told for want of positions"""
    warnings: tuple[Warned, ...] = ()
    reason: str = ""
    release: str = ""
    """Name of the release of the definitions"""

    @property
    def has_result(self) -> bool:
        """Return whether anything was called."""
        return self.status in (CallStatus.CALLED, CallStatus.AMBIGUOUS)

    @property
    def genotypes(self) -> tuple[str, ...]:
        """Return every result that fits equally well as it is written; empty where there is none."""
        if self.variants and not self.diplotypes:
            return (" + ".join(self.variants),)
        return tuple(dict.fromkeys(one.text for one in self.diplotypes))

    @property
    def genotype(self) -> str:
        """Return the one result as it is written; empty where there is not exactly one."""
        return self.diplotypes[0].text if self.status is CallStatus.CALLED and len(self.diplotypes) == 1 else ""
