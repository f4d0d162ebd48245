"""What a release of pharmacogenetic knowledge says: genes, alleles, phenotypes, drugs, recommendations.

Every reader of a source (PyPGx, PharmCAT, CPIC, Operon's own tables) returns a ``PgxContent``; the matcher and the
advice know nothing else. Positions are zero-based; alleles are spelled as a VCF spells them, on the forward strand.

>>> Position("rs4244285", 10, 94781858, ("G", "A"), 96541615, ("G", "A"), "G").ref38
'G'
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

BASES: Final = {
    "R": "AG", "Y": "CT", "S": "CG", "W": "AT", "K": "GT", "M": "AC",
    "B": "CGT", "D": "AGT", "H": "ACT", "V": "ACG", "N": "ACGT",
}  # fmt: skip
"""Codes that a definition may have for several bases (https://iubmb.qmul.ac.uk/misc/naseq.html)"""


class Method(StrEnum):
    """How the result of a gene leads to a recommendation."""

    PHENOTYPE = "phenotype"
    """by the phenotype that follows from the functions of two alleles"""
    SCORE = "score"
    """by the activity score"""
    GENOTYPE = "genotype"
    """by the genotype itself"""
    ALLELE_STATUS = "allele_status"
    """by whether an allele is there (HLA)"""
    LOWEST_FUNCTION = "lowest_function"
    """by the variants of least function (DPYD, RYR1)"""


class Ploidy(StrEnum):
    """How many copies of a gene a person has when nothing was lost or duplicated."""

    AUTOSOMAL = "no"
    X = "X"
    MITOCHONDRIAL = "M"


@dataclass(frozen=True, slots=True)
class Position:
    """A place that tells alleles of a gene apart.

    ``alleles38`` and ``alleles37`` are parallel: the same allele as a VCF of each build spells it, both with the REF of
    GRCh38 first. Which of them is the reference of GRCh37 is said by ``ref37``; it differs where the builds do.
    """

    name: str
    """rsID, or ``contig-POS-REF`` (one-based, GRCh38) where it has none; unique within the gene"""
    contig: int
    """1-22, 23 X, 24 Y, 25 MT"""
    start38: int
    """Of REF, zero-based"""
    alleles38: tuple[str, ...]
    """REF and every ALT that a definition names"""
    start37: int | None = None
    alleles37: tuple[str, ...] = ()
    """Empty where the place on GRCh37 is not known"""
    ref37: str = ""
    """REF of GRCh37, one of ``alleles37``; empty where not known"""

    @property
    def ref38(self) -> str:
        """Return REF on GRCh38."""
        return self.alleles38[0]


@dataclass(frozen=True, slots=True)
class NamedAllele:
    """A named allele: what it has at each position of its gene, and what it does.

    A cell is empty where the definition says nothing, else an allele of GRCh38 or one IUPAC code for several bases.
    """

    name: str
    cells: tuple[str, ...]
    """Parallel to ``Gene.positions``; all empty for an allele that no small variant defines"""
    is_reference: bool = False
    is_structural: bool = False
    """Defined by a deletion, a duplication or a hybrid gene, which VCF records of small variants do not show"""
    function: str = ""
    """As the source words it: "No function", "Normal function", ...; empty when unknown"""
    activity: str = ""
    """Activity value as a decimal number; empty when the gene has no scores, ``n/a`` when unknown"""
    core_of: str = ""
    """For a suballele, the name that results are given under"""


@dataclass(frozen=True, slots=True)
class FunctionRule:
    """What two functions (in any order) give; ``second`` is empty for one copy of the gene."""

    first: str
    second: str
    phenotype: str


@dataclass(frozen=True, slots=True)
class ScoreRule:
    """The phenotype of activity scores from ``least`` up to but not including ``below``."""

    least: float
    below: float
    phenotype: str


@dataclass(frozen=True, slots=True)
class DiplotypeResult:
    """The result of one diplotype where a source states it; wins over rules."""

    phenotype: str
    activity: str = ""
    lookup: str = ""
    """Key under which recommendations are found; empty: what ``Gene.method`` says"""


@dataclass(frozen=True, slots=True)
class Gene:
    """A pharmacogene as a release defines it."""

    symbol: str
    hgnc: str
    """``HGNC:2621``; empty when unknown"""
    pharmgkb: str
    contig: int
    method: Method
    positions: tuple[Position, ...] = ()
    alleles: tuple[NamedAllele, ...] = ()
    ploidy: Ploidy = Ploidy.AUTOSOMAL
    required: tuple[str, ...] = ()
    """Names of positions without which there is no call"""
    tier1: tuple[str, ...] = ()
    """Names of positions that a test should have (AMP tier 1)"""
    ignored: tuple[str, ...] = ()
    """Names of positions that take no part"""
    ignored_alleles: tuple[str, ...] = ()
    undocumented_as_reference: bool = False
    """An allele that no definition names counts as the reference (and is told)"""
    priorities: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """Diplotype to pick ← diplotypes that have to be candidates together (NAT2, unphased)"""
    rules: tuple[FunctionRule, ...] = ()
    scores: tuple[ScoreRule, ...] = ()
    results: Mapping[str, DiplotypeResult] = field(default_factory=dict)
    """By canonical diplotype (``app.pgx.names.diplotype_key``)"""
    description: str = ""
    """One or two sentences for people; empty when the release has none"""

    @property
    def reference(self) -> NamedAllele | None:
        """Return the reference allele; None for a gene that is not called from variants."""
        return next((allele for allele in self.alleles if allele.is_reference), None)


@dataclass(frozen=True, slots=True)
class Drug:
    """A drug; ``drug_id`` is unique within the release."""

    drug_id: str
    name: str
    """International nonproprietary name, lower case"""
    rxnorm: str = ""
    """RxCUI of the ingredient"""
    atc: tuple[str, ...] = ()
    pharmgkb: str = ""
    drugbank: str = ""


@dataclass(frozen=True, slots=True)
class DrugName:
    """A further name of a drug; ``kind`` is inn, substance, trade, salt or vnr."""

    drug_id: str
    kind: str
    name: str
    language: str = ""
    country: str = ""


@dataclass(frozen=True, slots=True)
class Product:
    """A product of RxNorm (or an article number) and one of its ingredients."""

    rxnorm: str
    ingredient: str
    """RxCUI"""
    name: str
    term_type: str = ""


@dataclass(frozen=True, slots=True)
class Pair:
    """A gene that matters for a drug."""

    gene: str
    drug_id: str
    level: str
    """CPIC level: A, A/B, B, ...; empty when none is assigned"""
    status: str = ""
    guideline: str = ""
    """URL"""
    pmids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Recommendation:
    """What a guideline advises for a drug when all of ``lookup`` holds.

    Texts are the source's own words (in English, ``language`` of ``source``); nothing is translated or shortened here.
    """

    recommendation_id: str
    """Stable within a source"""
    drug_id: str
    source: str
    """CPIC, DPWG, FDA or a laboratory's own"""
    lookup: Mapping[str, str]
    """Gene → phenotype, activity score, genotype or allele status; a gene that does not matter is left out"""
    text: str
    population: str = ""
    classification: str = ""
    """Strength: Strong, Moderate, Optional, No recommendation"""
    implications: Mapping[str, str] = field(default_factory=dict)
    """Gene → sentence"""
    guideline: str = ""
    """Name"""
    url: str = ""
    grade: str = ""
    """A-D where the release states one; empty: the rules of ``app.pgx.grades`` decide"""
    alternatives: tuple[str, ...] = ()
    """Drugs (ids or RxCUIs) that the guideline names instead"""


@dataclass(frozen=True, slots=True)
class Text:
    """A sentence in one language: names of phenotypes, sentences of grades, summaries."""

    key: str
    language: str
    text: str
    origin: str
    """``template``: written for Operon; ``cpic``; ``local``: by the site"""


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where the rows of one table come from."""

    table: str
    source: str
    licence: str
    url: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class PgxContent:
    """Everything that a release says. Parts may be empty: a release can bring definitions only."""

    genes: tuple[Gene, ...] = ()
    drugs: tuple[Drug, ...] = ()
    drug_names: tuple[DrugName, ...] = ()
    products: tuple[Product, ...] = ()
    pairs: tuple[Pair, ...] = ()
    recommendations: tuple[Recommendation, ...] = ()
    texts: tuple[Text, ...] = ()
    provenance: tuple[Provenance, ...] = ()

    def gene(self, symbol: str) -> Gene | None:
        """Return the gene with a symbol."""
        return next((gene for gene in self.genes if gene.symbol == symbol), None)
