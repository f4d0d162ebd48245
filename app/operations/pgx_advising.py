"""What is advised on a drug because of each of its genes: for one person, or for every result that a guideline knows.

A gene that was not tested, or that gave no result, has the grade NA and a text that says so, and is never told as
normal.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import dataclass, replace
from itertools import groupby

from app.formats.pgx import Drug, Recommendation
from app.operations.pgx import ActivePgx, PgxProfile
from app.operations.pgx_report import Cited, DrugAdvice, GeneAdvice, NamedDrug
from app.pgx.advice import Advice, Listed, advise, advise_all, recommendations_of
from app.pgx.calls import CallStatus, GeneCall
from app.pgx.grades import SEVERITY, grade_of, most_severe
from app.pgx.phenotypes import code_of, is_no_result, rank_of, statuses_of
from app.pgx.texts import ENGLISH, Delivered

NO_GRADE = "NA"
_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)?")


def named(active: ActivePgx, drug: Drug, language: str) -> NamedDrug:
    """Return how a drug is called in a language."""
    name, delivered = active.drugs.localized(drug, language)
    return NamedDrug(_capital(drug.name), Delivered(_capital(name), delivered))


def _capital(name: str) -> str:
    return name[:1].upper() + name[1:]


def score_of(activity: str) -> float | None:
    """Return an activity score as a number; None for one that is unknown or only bounded (``≥3.0``)."""
    return float(activity) if _NUMBER.fullmatch(activity.strip()) else None


def is_tested(call: GeneCall | None) -> bool:
    """Return whether there are data of a gene, with or without a result."""
    return call is not None and call.status is not CallStatus.NOT_TESTED


def advice_on(active: ActivePgx, profile: PgxProfile, drug: Drug, language: str) -> DrugAdvice | None:
    """Return what is advised on a drug for a person; None if no gene of the drug was tested."""
    return _advice(active, profile, drug, advise(active.guidelines, profile.calls, drug), language)


def advice_on_all(active: ActivePgx, profile: PgxProfile, language: str) -> Iterator[DrugAdvice]:
    """Yield what is advised on each drug of which a gene was tested, by the names of the drugs."""
    for drug, advices in groupby(advise_all(active.guidelines, profile.calls), key=lambda advice: advice.drug):
        found = _advice(active, profile, drug, tuple(advices), language)
        if found is not None:
            yield found


def _advice(
    active: ActivePgx, profile: PgxProfile, drug: Drug, advices: Sequence[Advice], language: str
) -> DrugAdvice | None:
    calls = profile.calls
    symbols = list(dict.fromkeys(gene for advice in advices for gene in advice.genes))
    if not any(is_tested(calls.get(symbol)) for symbol in symbols):
        return None
    genes = [_because_of(active, profile, symbol, advices, language) for symbol in symbols]
    genes.sort(key=lambda one: SEVERITY.index(one.grade))
    grade = most_severe(one.grade for one in genes)
    deciding = dict.fromkeys(gene for advice in advices if advice.grade == grade for gene in advice.deciding)
    return DrugAdvice(named(active, drug, language), grade, {one.gene: one for one in genes}, tuple(deciding))


def _because_of(
    active: ActivePgx, profile: PgxProfile, symbol: str, advices: Sequence[Advice], language: str
) -> GeneAdvice:
    result = profile.results.get(symbol)
    call = result.call if result is not None else None
    phenotype = _phenotype_for(active, call, advices[0].drug) if call is not None else ""
    entry = GeneAdvice(
        gene=symbol,
        phenotype_code=code_of(phenotype),
        phenotype_name=active.texts.phenotype_name(phenotype, language),
        activity_score=score_of(call.activity) if call is not None else None,
        grade=NO_GRADE,
        text=active.texts.text(_why_none(symbol, call, advices), language, gene=symbol),
        test_date=result.test_date if result is not None and is_tested(call) else None,
    )
    found = [one for advice in advices for one in advice.of_gene(symbol)]
    return _filled(active, entry, found, _joined(active, found, language)) if found else entry


def _phenotype_for(active: ActivePgx, call: GeneCall, drug: Drug) -> str:
    """Return the result of a gene as it concerns a drug: of statuses of alleles those that are asked for."""
    asked, statuses = active.guidelines.of(drug).statuses.get(call.gene), statuses_of(call.phenotype)
    if not asked or not statuses:
        return call.phenotype
    return "; ".join(status for allele, status in statuses.items() if allele in asked)


def _why_none(symbol: str, call: GeneCall | None, advices: Sequence[Advice]) -> str:
    """Return the key of the text that says why nothing follows from a gene."""
    if not is_tested(call):
        return "not-tested"
    looked_at = [advice for advice in advices if symbol in advice.genes]
    return "no-result" if all(symbol in advice.untested for advice in looked_at) else "no-recommendation"


def _filled(active: ActivePgx, entry: GeneAdvice, found: Sequence[Recommendation], text: Delivered) -> GeneAdvice:
    cited = [
        Cited(
            one.source,
            active.advice_releases.get(one.source, active.release),
            one.url,
            one.classification,
            one.population,
        )
        for one in found
    ]
    return replace(
        entry,
        grade=most_severe(map(grade_of, found)),
        text=text,
        sources=tuple(dict.fromkeys(cited)),
    )


def _joined(active: ActivePgx, found: Iterable[Recommendation], language: str, *, gene: str = "") -> Delivered:
    """Return the sentences of several recommendations, each with whose and for whom it is where they differ.

    With a gene, the results of other genes that a sentence supposes are told even if it is the only one.
    """
    said: dict[str, list[Recommendation]] = {}
    for one in found:
        said.setdefault(one.text, []).append(one)
    firsts = [ones[0] for ones in said.values()]
    delivered = [active.texts.recommendation(one, language) for one in firsts]
    if len({text.language for text in delivered}) > 1:
        # One text has one language; the sources' own words are what there always is.
        delivered = [active.texts.recommendation(one, ENGLISH) for one in firsts]
    supposed = [
        other
        for one in firsts
        for other, result in one.lookup.items()
        if gene not in ("", other) and not is_no_result(result)
    ]
    if len(delivered) == 1 and not supposed:
        return delivered[0]
    shared = {(gene, one.lookup[gene]) for one in firsts} if gene else _shared_results(firsts)
    parts = [f"{_label(ones, shared)}: {text.text}" for text, ones in zip(delivered, said.values(), strict=True)]
    return Delivered("\n\n".join(parts), delivered[0].language)


def _shared_results(found: Iterable[Recommendation]) -> set[tuple[str, str]]:
    """Return gene and result of what all recommendations are looked up by."""
    return set.intersection(*(set(one.lookup.items()) for one in found))


def _label(ones: Iterable[Recommendation], shared: Set[tuple[str, str]]) -> str:
    labels: dict[str, None] = {}
    for one in ones:
        results = [
            f"{gene} {result}"
            for gene, result in one.lookup.items()
            if (gene, result) not in shared and not is_no_result(result)
        ]
        details = ", ".join(filter(None, (one.population, *results)))
        labels[f"{one.source} ({details})" if details else one.source] = None
    return ", ".join(labels)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What is advised for one result of a gene, whoever has it."""

    advice: GeneAdvice
    is_scored: bool
    """The results of the gene are told by their score: several scores may have one phenotype"""


def outcomes_of(active: ActivePgx, drug: Drug, language: str) -> dict[str, list[Outcome]]:
    """Return what is advised for each result of each gene of a drug: genes and results, most severe first."""
    found = {
        gene: _outcomes(active, gene, rows, language) for gene, rows in recommendations_of(active.content, drug).items()
    }
    return dict(sorted(found.items(), key=lambda item: (SEVERITY.index(item[1][0].advice.grade), item[0])))


def _outcomes(active: ActivePgx, symbol: str, rows: Sequence[Listed], language: str) -> list[Outcome]:
    gene = active.content.gene(symbol)
    is_scored = gene is not None and bool(gene.scores)
    results: dict[tuple[str, float | None], list[Listed]] = {}
    for row in rows:
        score = score_of(row.recommendation.lookup[symbol]) if is_scored else None
        results.setdefault((row.phenotype, score), []).append(row)
    outcomes = []
    for (phenotype, score), each in results.items():
        found = [row.recommendation for row in each]
        text = _joined(active, found, language, gene=symbol)
        name = active.texts.phenotype_name(phenotype, language)
        entry = GeneAdvice(symbol, each[0].code, name, score, NO_GRADE, text)
        outcomes.append(Outcome(_filled(active, entry, found, text), is_scored))
    return sorted(outcomes, key=_order)


def _order(outcome: Outcome) -> tuple[int, int, float]:
    advice = outcome.advice
    score = advice.activity_score
    return SEVERITY.index(advice.grade), rank_of(advice.phenotype_code), -1.0 if score is None else score
