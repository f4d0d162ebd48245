"""What a case of Genomics England says, in the shapes of report model 6.2, whichever model it was written in.

The models are GelReportModels' ``report.avro`` 3.0 to 6.2 and ``participant.avro`` 1.0 to 1.3 (Apache 2.0). Readers
(``app.formats.gel_case``) turn JSON of any of them into these values; the JSON itself is kept beside them unchanged, so
nothing here has to be complete. Words of closed vocabularies keep their spelling on the wire
(``alternate_hemizigous``).

Positions are one-based where a name says so, as they are in the models, else zero-based, half-open.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from app.records import Build

TIERING = "genomics_england_tiering"
"""The service whose calls count before those of others"""
HOMOPLASMIC_FROM = 0.99
"""Frequency from which a call on the mitochondrial genome is homoplasmic"""


class Scope(StrEnum):
    """How far a problem reaches: what of the document it costs."""

    DOCUMENT = "quarantine"
    """The whole interpreted genome, report or questionnaire is refused"""
    VARIANT = "quarantine-variant"
    CALL = "quarantine-call"
    WARNING = "warning"
    """Nothing is refused"""


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that is wrong in a case, at a dotted path: ``interpreted_genome[0].variants[3].variantCalls[0]``."""

    path: str
    message: str
    scope: Scope


@dataclass(frozen=True, slots=True)
class Term:
    """A phenotype, or another coded term; ``code`` is empty where there are only words."""

    code: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Gene:
    """A gene of a report event."""

    symbol: str
    hgnc: str = ""
    """``HGNC:1234``; empty where the document has none in that form"""
    ensembl: str = ""


@dataclass(frozen=True, slots=True)
class Panel:
    """A gene panel."""

    name: str
    version: str = ""
    identifier: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class DrugResponse:
    """What a variant means for a treatment."""

    agent: str
    response: str
    """Word of DrugResponseClassification; empty where none is given"""
    conditions: tuple[str, ...] = ()
    reference: str = ""


@dataclass(frozen=True, slots=True)
class ReportEvent:
    """Why a variant is reported: panel × penetrance × mode of inheritance."""

    event_id: str
    tier: str = ""
    """TIER1 … TIER5, TIERA, TIERB; empty for NONE"""
    domain: str = ""
    """DOMAIN1 … DOMAIN4 (cancer); empty for NONE"""
    genes: tuple[Gene, ...] = ()
    consequences: tuple[Term, ...] = ()
    """Sequence Ontology terms"""
    phenotypes: tuple[Term, ...] = ()
    """Standard phenotypes first; of others only the name"""
    panel: Panel | None = None
    mode_of_inheritance: str = ""
    segregation: str = ""
    penetrance: str = ""
    group: int | None = None
    """Variants with the same number are one compound set within the document"""
    score: float | None = None
    justification: str = ""
    significance: str = ""
    """clinicalSignificance of variantClassification: pathogenic, likely_pathogenic, uncertain_significance, ..."""
    acmg_significance: str = ""
    """That of guidelineBasedVariantClassification"""
    acmg_codes: tuple[str, ...] = ()
    """PVS1, PM2_supporting, ..."""
    drug_responses: tuple[DrugResponse, ...] = ()


@dataclass(frozen=True, slots=True)
class VariantCall:
    """What one sample has at a variant."""

    participant_id: str
    sample_id: str
    zygosity: str
    path: str
    """Where the call stands in the document"""
    sorted_alleles: tuple[str, ...] = ()
    """The allele of each haplotype, ``("1", "0")``; empty where the orientation is unknown"""
    phase_set: int | None = None
    frequency: float | None = None
    ref_depth: int | None = None
    alt_depth: int | None = None
    copies: tuple[int, ...] = ()
    """numberOfCopies: one entry for each allele of a short tandem repeat; of a structural variant the first counts"""
    origins: tuple[str, ...] = ()
    """de_novo_variant, maternal_variant, somatic_variant, ..."""

    @property
    def is_somatic(self) -> bool:
        """Return whether the call is somatic."""
        return "somatic_variant" in self.origins


@dataclass(frozen=True, slots=True)
class SmallVariant:
    """A small variant with the calls of everybody who was looked at."""

    path: str
    chromosome: str
    """1 … 22, X, Y, MT, or the name of another contig"""
    position_1based: int
    reference: str
    alternate: str
    """Capitals; one of the two is empty where the document left the anchor out (``is_repaired``)"""
    build: Build | None
    """What the coordinates say, which the case's own build overrules"""
    calls: tuple[VariantCall, ...]
    events: tuple[ReportEvent, ...]
    is_repaired: bool = False
    """``-`` or an empty allele stood for an insertion or deletion"""


@dataclass(frozen=True, slots=True)
class Region:
    """A stretch of a chromosome with how uncertain its ends are; zero-based, half-open."""

    chromosome: str
    start: int
    end: int
    build: Build | None
    start_ci: tuple[int, int] | None = None
    """(left, right) distances, both ≥ 0"""
    end_ci: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class StructuralVariant:
    """A structural variant; ``kind`` is a word of model 6: ins, dup, inv, amplification, deletion, dup_tandem, ...

    Model 4 has ``cnv`` too. A classification about a repeat has one of kind ``short_tandem_repeat``.
    A rearrangement has one for each side: ``kind`` ``rearrangement``, its mate's place in ``mate``.
    """

    path: str
    kind: str
    region: Region
    calls: tuple[VariantCall, ...]
    events: tuple[ReportEvent, ...]
    mate: Region | None = None
    inserted: str = ""


@dataclass(frozen=True, slots=True)
class RepeatExpansion:
    """A short tandem repeat."""

    path: str
    region: Region
    calls: tuple[VariantCall, ...]
    events: tuple[ReportEvent, ...]
    motif: str = ""
    pathogenic_from: int | None = None
    normal_up_to: int | None = None


@dataclass(frozen=True, slots=True)
class GenomeFinding:
    """A karyotype or a uniparental disomy: kept and shown, never a variant."""

    kind: str
    """karyotype or uniparental_disomy"""
    participant_id: str
    text: str


@dataclass(frozen=True, slots=True)
class InterpretedGenome:
    """What one service made of the case."""

    path: str
    service: str
    """In lower case: Exomiser and exomiser are one"""
    cip_version: int
    created_at: str
    variants: tuple[SmallVariant, ...] = ()
    structural: tuple[StructuralVariant, ...] = ()
    repeats: tuple[RepeatExpansion, ...] = ()
    findings: tuple[GenomeFinding, ...] = ()
    software: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Classification:
    """What a report or questionnaire says that one variant means; one classification outranks those before it.

    ``rank`` orders the sources: 1 interpreted genome, 2 guideline of a clinical report, 3 clinical report, 4 exit
    questionnaire; a later report has a higher ``version``.
    """

    path: str
    rank: int
    version: int
    source: str
    """For people: ``clinical report 2``, ``exit questionnaire of report 2``"""
    significance: str
    """pathogenic, likely_pathogenic, uncertain_significance, likely_benign, benign; empty: reported without one.

    Two more outrank what is said elsewhere and classify as nothing: ``excluded``, and ``conflicting`` where the events
    of one variant disagree
    """
    small: SmallVariant | None = None
    structural: StructuralVariant | None = None
    phenotypes: tuple[Term, ...] = ()
    acmg_codes: tuple[str, ...] = ()
    date: str = ""


@dataclass(frozen=True, slots=True)
class Sample:
    """A sample of a participant."""

    sample_id: str
    kind: str
    """germline or tumour"""
    source: str = ""


@dataclass(frozen=True, slots=True)
class Phenotype:
    """An HPO term of a participant."""

    term: Term
    presence: str
    """yes, no or unknown"""


@dataclass(frozen=True, slots=True)
class Member:
    """A member of a pedigree, or the participant of a cancer case; without ``participant_id`` not sequenced."""

    participant_id: str | None
    is_proband: bool
    sex: str
    """male, female or unknown"""
    samples: tuple[Sample, ...] = ()
    pedigree_id: int | None = None
    father_id: int | None = None
    mother_id: int | None = None
    relation: str = ""
    affected: str = ""
    """AFFECTED, UNAFFECTED, UNCERTAIN"""
    year_of_birth: int | None = None
    life_status: str = ""
    karyotypic_sex: str = ""
    phenotypes: tuple[Phenotype, ...] = ()
    disorders: tuple[str, ...] = ()
    consent: Mapping[str, str] = field(default_factory=dict)
    """Field names of econsent to yes, no or undefined, where the member carries consent (testConsentStatus)"""


@dataclass(frozen=True, slots=True)
class ReferralFacts:
    """What is needed of a referral that comes with a case."""

    referral_id: str
    referral_uid: str
    indication: Term
    consents: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Participant → field of econsent → yes, no or undefined"""


@dataclass(frozen=True, slots=True)
class GelCase:
    """A case of any model version."""

    ir_id: int
    version: int
    build: Build | None
    """The case's own assembly; None where it has none and its genomes do not agree"""
    sample_type: str
    """raredisease or cancer"""
    last_status: str
    members: tuple[Member, ...]
    genomes: tuple[InterpretedGenome, ...]
    """All of them, oldest version first"""
    classifications: tuple[Classification, ...]
    panels: tuple[Panel, ...] = ()
    referral: ReferralFacts | None = None
    raw: Mapping[str, Any] = field(default_factory=dict)
    """The document that it was read from"""

    @property
    def name(self) -> str:
        """Return ``40101-1``."""
        return f"{self.ir_id}-{self.version}"

    def current_genomes(self) -> list[InterpretedGenome]:
        """Return of every service the genome of the highest version, that of tiering first."""
        newest: dict[str, InterpretedGenome] = {}
        for one in self.genomes:
            if one.service not in newest or newest[one.service].cip_version <= one.cip_version:
                newest[one.service] = one
        return sorted(newest.values(), key=lambda one: (one.service != TIERING, one.service))
