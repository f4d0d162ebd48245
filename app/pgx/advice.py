"""What a drug guideline advises for a person's results: one ``Advice`` for each guideline (source) of a drug."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass, replace

from app.formats.pgx import Drug, Pair, PgxContent, Recommendation
from app.pgx.calls import GeneCall
from app.pgx.grades import SEVERITY, grade_of, most_severe
from app.pgx.guidelines import DrugGuidelines, Guideline, Guidelines, Statement, says_something, source_order
from app.pgx.lookup import NO_RESULT, Keys, key, keys_of, leaves_open, phenotype_of
from app.pgx.phenotypes import code_of, is_no_result, is_unknown, is_usual, rank_of
from app.pgx.warfarin import LABEL, RXNORM_WARFARIN, label_recommendation


@dataclass(frozen=True, slots=True)
class Advice:
    """What one source advises on one drug for one person."""

    drug: Drug
    source: str
    """CPIC, DPWG, ..."""
    genes: tuple[str, ...]
    """Genes of the drug in this source, most severe result first; also those without a result"""
    calls: Mapping[str, GeneCall]
    """The results that there are, by gene"""
    recommendations: tuple[Recommendation, ...]
    """Those whose lookup holds, most severe first: one for each population; empty where no result leads to one"""
    pairs: tuple[Pair, ...]
    grade: str
    """A-D, or NA where nothing follows for want of results; the most severe of ``recommendations``"""
    untested: tuple[str, ...]
    """Genes of the drug of which the person has no result"""

    def of_gene(self, gene: str) -> tuple[Recommendation, ...]:
        """Return the recommendations that rest on a gene, perhaps together with others."""
        return tuple(one for one in self.recommendations if gene in one.lookup and gene not in self.untested)

    def grade_of_gene(self, gene: str) -> str:
        """Return the most severe grade that rests on a gene; NA where nothing follows from it."""
        return most_severe(grade_of(one) for one in self.of_gene(gene))

    def severity_of_gene(self, gene: str) -> tuple[int, bool, int, str]:
        """Return a key by which the gene with the most severe result comes first."""
        phenotype = self.calls[gene].phenotype if gene in self.calls else ""
        grade = SEVERITY.index(self.grade_of_gene(gene))
        return grade, is_usual(phenotype), rank_of(code_of(phenotype)), gene

    @property
    def deciding(self) -> tuple[str, ...]:
        """Return the genes whose results lead to the grade: of a joint lookup those that most people have otherwise."""
        severe = [one for one in self.recommendations if grade_of(one) == self.grade]
        found = {gene for one in severe for gene in one.lookup if gene not in self.untested}
        unusual = {gene for one in severe for gene in one.lookup if not self._is_usual(gene, one)} & found
        return tuple(gene for gene in self.genes if gene in (unusual or found))

    def _is_usual(self, gene: str, recommendation: Recommendation) -> bool:
        result = recommendation.lookup[gene]
        known = code_of(result) != "NA" or gene not in self.calls
        return is_usual(result if known else self.calls[gene].phenotype)


def advise(guidelines: Guidelines, calls: Mapping[str, GeneCall], drug: Drug) -> tuple[Advice, ...]:
    """Return what each source advises on a drug; empty for a drug without any gene.

    A recommendation holds when all that its lookup names is among the person's results. Of those that hold for the same
    population, the ones that use the most results are kept. A gene without result leaves the recommendations that do
    not need it. Usual dosing is B where a result is left open. The release has to be graded. Warfarin has the range of
    its label where no source has a recommendation.
    """
    return _advise(guidelines.of(drug), calls, _Results(guidelines, calls))


def advise_all(
    guidelines: Guidelines, calls: Mapping[str, GeneCall], *, genes: Set[str] | None = None
) -> Iterator[Advice]:
    """Yield what ``advise`` returns for every drug of a release, or for those of some genes, by name."""
    results = _Results(guidelines, calls)
    for one in guidelines.by_name:
        if genes is None or not one.genes.isdisjoint(genes):
            yield from _advise(one, calls, results)


class _Results:
    """What the results of one person may be called, each found once."""

    def __init__(self, guidelines: Guidelines, calls: Mapping[str, GeneCall]) -> None:
        self._genes = guidelines.genes
        self._calls = calls
        self._known: dict[tuple[str, frozenset[str]], frozenset[str]] = {}
        self.open = frozenset(gene for gene, call in calls.items() if leaves_open(call))
        """Genes of which another result is not ruled out"""

    def keys(self, gene: str, statuses: frozenset[str]) -> frozenset[str]:
        asked = (gene, statuses)
        if asked not in self._known:
            self._known[asked] = keys_of(self._genes.get(gene), self._calls.get(gene), statuses)
        return self._known[asked]


_NO_STATUS: frozenset[str] = frozenset()


def _advise(told: DrugGuidelines, calls: Mapping[str, GeneCall], results: _Results) -> tuple[Advice, ...]:
    keys = {gene: results.keys(gene, told.statuses.get(gene, _NO_STATUS)) for gene in told.genes}
    found = [_of_source(told.drug, guideline, calls, keys, results.open) for guideline in told.guidelines]
    return (*found, *_by_label(told.drug, calls, found))


def _by_label(drug: Drug, calls: Mapping[str, GeneCall], found: list[Advice]) -> list[Advice]:
    """Return what the prescribing information says of warfarin, which CPIC leaves to an algorithm."""
    if drug.rxnorm != RXNORM_WARFARIN or any(advice.recommendations for advice in found):
        return []
    one = label_recommendation(calls, drug.drug_id)
    if one is None:
        return []
    genes = tuple(one.lookup)
    pairs = tuple(pair for advice in found for pair in advice.pairs if pair.gene in genes)
    own = {gene: calls[gene] for gene in genes}
    return [Advice(drug, LABEL, genes, own, (one,), pairs, grade_of(one), ())]


def _of_source(
    drug: Drug, guideline: Guideline, calls: Mapping[str, GeneCall], keys: Keys, left_open: Set[str]
) -> Advice:
    genes = guideline.genes
    unknown = frozenset(gene for gene in genes if guideline.known[gene].isdisjoint(keys[gene]))
    applying = [one for one in guideline.statements if all(result in keys[gene] for gene, result in one.needs)]
    held = [_with_doubts(one, unknown, left_open) for one in _most_specific(applying)]
    advice = Advice(
        drug,
        guideline.source,
        genes,
        {gene: calls[gene] for gene in genes if gene in calls},
        tuple(sorted(held, key=lambda one: SEVERITY.index(grade_of(one)))),
        guideline.pairs,
        most_severe(grade_of(one) for one in held),
        tuple(gene for gene in genes if keys[gene] == {NO_RESULT}),
    )
    return replace(advice, genes=tuple(sorted(genes, key=advice.severity_of_gene))) if len(genes) > 1 else advice


def _with_doubts(one: Statement, unknown: Set[str], left_open: Set[str]) -> Recommendation:
    """Return a recommendation that is not A as long as another result may turn up.

    That is so while a gene that is looked at together with its own is not known, or a result of its own is left open.
    """
    said = one.recommendation
    is_doubtful = bool(one.partners & unknown) or not left_open.isdisjoint(said.lookup)
    return replace(said, grade="B") if grade_of(said) == "A" and is_doubtful else said


def _most_specific(held: list[Statement]) -> list[Statement]:
    """Return those of which no other of the same population asks for all the same and more."""
    return [
        one
        for one in held
        if not any(
            other.recommendation.population == one.recommendation.population and one.needs < other.needs
            for other in held
        )
    ]


@dataclass(frozen=True, slots=True)
class Listed:
    """What a source advises for one result of one gene, whoever has it."""

    gene: str
    phenotype: str
    """As the source words it; of an activity score the phenotype that it means"""
    code: str
    grade: str
    recommendation: Recommendation


def recommendations_of(content: PgxContent, drug: Drug) -> dict[str, tuple[Listed, ...]]:
    """Return all that is advised on a drug, by gene, most severe first.

    Where a source looks at several genes together, what it says of a gene is listed as if the others had no result; if
    it does not say that, as if their results were those of most people.
    """
    own = [one for one in content.recommendations if one.drug_id == drug.drug_id and says_something(one)]
    genes = sorted({gene for one in own for gene in one.lookup})
    listed = {gene: _listed(content, gene, [one for one in own if gene in one.lookup]) for gene in genes}
    filled = {gene: rows for gene, rows in listed.items() if rows}
    return dict(sorted(filled.items(), key=lambda item: (SEVERITY.index(item[1][0].grade), item[0])))


def _listed(content: PgxContent, gene: str, recommendations: list[Recommendation]) -> tuple[Listed, ...]:
    by_result: dict[tuple[str, str], list[Recommendation]] = defaultdict(list)
    for one in recommendations:
        by_result[one.source, key(gene, one.lookup[gene])].append(one)
    rows = []
    for (_, result), each in by_result.items():
        phenotype = phenotype_of(content.gene(gene), each[0].lookup[gene])
        for one in _alone(content, gene, phenotype, each) if result != NO_RESULT else ():
            rows.append(Listed(gene, phenotype, code_of(phenotype), grade_of(one), one))
    return tuple(sorted(rows, key=_relevance))


def _alone(
    content: PgxContent, gene: str, phenotype: str, recommendations: list[Recommendation]
) -> list[Recommendation]:
    """Return those that need no other gene, else those with usual results of the others.

    If there is neither, the result counts whatever the others are, unless it is a usual or an unknown one: then what is
    said is said because of the others.
    """
    without, usual = [], []
    for one in recommendations:
        others = [phenotype_of(content.gene(other), result) for other, result in one.lookup.items() if other != gene]
        if all(is_no_result(result) for result in others):
            without.append(one)
        elif all(is_usual(result) for result in others) and not is_unknown(phenotype):
            usual.append(one)
    whatever = [] if is_usual(phenotype) or is_unknown(phenotype) else recommendations
    return without or usual or whatever


def _relevance(row: Listed) -> tuple[int, int, tuple[bool, str], str, str]:
    one = row.recommendation
    return SEVERITY.index(row.grade), rank_of(row.code), source_order(one.source), one.population, one.recommendation_id
