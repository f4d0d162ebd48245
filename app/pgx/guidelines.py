"""What each source says of each drug, sorted out once for a release: advising a person then only compares results."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from app.formats.pgx import Drug, Gene, Pair, PgxContent, Recommendation
from app.pgx.grades import ACTIONABLE
from app.pgx.lookup import key, statuses_asked
from app.pgx.phenotypes import is_unknown

CPIC = "CPIC"
"""The source that the levels of pairs are of"""

_NOTHING = ("", "none", "n/a")


def says_something(recommendation: Recommendation) -> bool:
    """Return whether a recommendation has a text that is one."""
    return recommendation.text.strip().casefold() not in _NOTHING


def source_order(source: str) -> tuple[bool, str]:
    """Return a key by which CPIC comes first and the others by name."""
    return source != CPIC, source


@dataclass(frozen=True, slots=True)
class Statement:
    """A recommendation and what it asks for."""

    recommendation: Recommendation
    needs: frozenset[tuple[str, str]]
    """(gene, key of its result); never empty"""
    partners: frozenset[str]
    """Genes that the source looks at together with those of ``needs``, these included"""


@dataclass(frozen=True, slots=True)
class Guideline:
    """What one source says of one drug."""

    source: str
    genes: tuple[str, ...]
    statements: tuple[Statement, ...]
    known: Mapping[str, frozenset[str]]
    """Gene → keys of the results that the source speaks of as of known ones"""
    pairs: tuple[Pair, ...]


@dataclass(frozen=True, slots=True)
class DrugGuidelines:
    """What all sources say of one drug, CPIC first; none for a drug without any gene."""

    drug: Drug
    guidelines: tuple[Guideline, ...]
    genes: frozenset[str]
    statuses: Mapping[str, frozenset[str]]
    """Gene of allele status → alleles that are asked for"""


class Guidelines:
    """The guidelines of a release by drug; ``genes`` by symbol."""

    def __init__(self, content: PgxContent) -> None:
        recommendations: dict[str, list[Recommendation]] = defaultdict(list)
        for one in content.recommendations:
            recommendations[one.drug_id].append(one)
        pairs: dict[str, list[Pair]] = defaultdict(list)
        for pair in content.pairs:
            if pair.level in ACTIONABLE:
                pairs[pair.drug_id].append(pair)
        self.genes: dict[str, Gene] = {gene.symbol: gene for gene in content.genes}
        self.by_name = tuple(
            _of_drug(drug, recommendations.get(drug.drug_id, ()), pairs.get(drug.drug_id, ()))
            for drug in sorted(content.drugs, key=lambda drug: drug.name)
        )
        self._by_id = {one.drug.drug_id: one for one in self.by_name}

    def of(self, drug: Drug) -> DrugGuidelines:
        """Return what is said of a drug; nothing of one that the release does not know."""
        return self._by_id.get(drug.drug_id) or _of_drug(drug, (), ())


def _of_drug(drug: Drug, recommendations: Collection[Recommendation], pairs: Collection[Pair]) -> DrugGuidelines:
    by_source: dict[str, list[Recommendation]] = defaultdict(list)
    for one in recommendations:
        by_source[one.source].append(one)
    genes = _genes_by_source(by_source, pairs)
    sources = sorted(genes, key=source_order)
    guidelines = tuple(_of_source(source, genes[source], by_source.get(source, ()), pairs) for source in sources)
    every = frozenset(gene for each in genes.values() for gene in each)
    return DrugGuidelines(drug, guidelines, every, statuses_asked(recommendations))


def _genes_by_source(
    by_source: Mapping[str, list[Recommendation]], pairs: Collection[Pair]
) -> dict[str, tuple[str, ...]]:
    """Return the genes of each source; pairs belong to CPIC, which is left out where others tell of all of them."""
    genes = {source: {gene for one in each for gene in one.lookup} for source, each in by_source.items()}
    told = {gene for each in genes.values() for gene in each}
    if CPIC in genes or any(pair.gene not in told for pair in pairs):
        genes[CPIC] = genes.get(CPIC, set()) | {pair.gene for pair in pairs}
    return {source: tuple(sorted(each)) for source, each in genes.items() if each}


def _of_source(
    source: str, genes: tuple[str, ...], recommendations: Collection[Recommendation], pairs: Iterable[Pair]
) -> Guideline:
    partners: dict[str, set[str]] = defaultdict(set)
    known: dict[str, set[str]] = {gene: set() for gene in genes}
    for one in recommendations:
        for gene, result in one.lookup.items():
            partners[gene].update(one.lookup)
            if not is_unknown(result):
                known[gene].add(key(gene, result))
    statements = tuple(
        Statement(
            one,
            frozenset((gene, key(gene, result)) for gene, result in one.lookup.items()),
            frozenset(partner for gene in one.lookup for partner in partners[gene]),
        )
        for one in recommendations
        if one.lookup and says_something(one)
    )
    return Guideline(
        source,
        genes,
        statements,
        {gene: frozenset(results) for gene, results in known.items()},
        tuple(pair for pair in pairs if pair.gene in genes),
    )
