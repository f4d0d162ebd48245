"""The pharmacogenetic report of a person: what it says, whoever writes it down (JSON, PDF, a page).

Nothing here is written by hand for one drug: results are those of the profile, sentences those of the release, and
every sentence keeps the source that it is of. What was not tested is never told as normal.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from app.pgx.texts import Delivered


@dataclass(frozen=True, slots=True)
class Cited:
    """Whose recommendation it is."""

    name: str
    """CPIC, DPWG, ..."""
    release: str
    """Releases of knowledge in use, joined by ``+``"""
    url: str = ""
    classification: str = ""
    """Strength: Strong, Moderate, Optional; empty when the source states none"""
    population: str = ""
    """Whom it is for; empty: everybody"""


@dataclass(frozen=True, slots=True)
class NamedDrug:
    """A drug as it is called."""

    inn: str
    name: Delivered


@dataclass(frozen=True, slots=True)
class GeneAdvice:
    """What is advised on a drug because of one gene."""

    gene: str
    phenotype_code: str
    """PM, IM, ...; NA where there is no result"""
    phenotype_name: Delivered
    """Without the code"""
    activity_score: float | None
    grade: str
    """A-D, or NA where nothing follows"""
    text: Delivered
    """The words of the sources; where nothing follows, why not"""
    sources: tuple[Cited, ...] = ()
    """Whose words ``text`` are; empty where nothing follows"""
    test_date: str | None = None


@dataclass(frozen=True, slots=True)
class DrugAdvice:
    """What is advised on one drug."""

    drug: NamedDrug
    grade: str
    """The most severe of its genes; NA where nothing follows"""
    genes: Mapping[str, GeneAdvice]
    """Most severe first; also genes without a result"""
    deciding: tuple[str, ...] = ()
    """Genes because of which the drug has its grade"""


@dataclass(frozen=True, slots=True)
class GeneResult:
    """The result of one gene that was tested."""

    gene: str
    genotype: str
    """As it is written; several that fit are joined by `` or ``; empty where there is none"""
    phenotype_code: str
    phenotype_name: Delivered
    """Without the code"""
    activity_score: float | None
    description: Delivered
    """What the gene is; empty text when the release has none"""
    notes: tuple[str, ...]
    """What a reader has to know of the result: why there is none, what was not assessed (in English)"""
    analyzed: int
    """Defining positions with data"""
    total: int
    """Defining positions"""
    method: str
    """app.pgx.calls.CallMethod"""
    release: str
    """Release of the definitions"""
    test_id: str
    test_date: str | None
    missing: tuple[str, ...] = ()
    """Names of defining positions without data"""


@dataclass(frozen=True, slots=True)
class SnpResult:
    """What was found at one place."""

    rs: str
    genotype: str
    """``A/G``"""
    assay: str
    gene: str


@dataclass(frozen=True, slots=True)
class PgxReport:
    """Everything that a report says."""

    subject_id: str
    sample_id: str
    """The specimen, else the test, else the person"""
    language: str
    """Language that was asked for; every text says which one it is in"""
    release: str
    """Releases of knowledge in use, joined by ``+``"""
    test_date: str | None
    """Of the newest test, where it is a whole date"""
    cust_sample_id: str | None
    test_provider: str | None
    birthday: str | None
    gender: str
    """F, M or O"""
    significant_genes: tuple[str, ...]
    """Genes because of which a drug has grade C or D"""
    results: tuple[GeneResult, ...]
    """Genes that were tested, by symbol"""
    drugs: tuple[DrugAdvice, ...]
    """Drugs of which some gene was tested, by name"""
    snps: tuple[SnpResult, ...] = ()

    @property
    def significant_drugs(self) -> tuple[DrugAdvice, ...]:
        """Return the drugs of grade C or D."""
        return tuple(one for one in self.drugs if one.grade in ("C", "D"))

    @property
    def sources(self) -> tuple[str, ...]:
        """Return the names of the sources of all recommendations, in their order."""
        advised = [source.name for drug in self.drugs for gene in drug.genes.values() for source in gene.sources]
        return tuple(dict.fromkeys(advised))
