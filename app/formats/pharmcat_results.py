"""PharmCAT's phenotype files: what alleles do, and what diplotypes lead to, as rules with exceptions.

A file lists every pair of alleles. What most pairs of two functions have is a rule, and so is the phenotype of a range
of activity scores; only the pairs that no rule gives are kept as they are.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace

from app.formats.pgx import DiplotypeResult, FunctionRule, Gene, Method, NamedAllele, ScoreRule
from app.formats.pgx_names import diplotype_key
from app.formats.pharmcat_json import Member

_UNKNOWN = "n/a"
_INDETERMINATE = "Indeterminate"
_MOST_COPIES = 2


@dataclass(frozen=True, slots=True)
class _Stated:
    names: tuple[str, ...]
    phenotype: str
    activity: str
    lookup: str


def add_results(gene: Gene, root: Member) -> Gene:
    """Return a gene with what its phenotype file says.

    Raises:
        BadFile: a member of the file cannot be used.
    """
    gene = replace(gene, alleles=_with_functions(gene, root))
    stated = tuple(_stated(member) for member in root.get("diplotypes").items())
    if any(each.activity for each in stated):
        gene = replace(gene, scores=_score_rules(stated))
    else:
        gene = replace(gene, rules=_function_rules(gene.alleles, stated))
    return replace(gene, results=_exceptions(gene, stated))


def _with_functions(gene: Gene, root: Member) -> tuple[NamedAllele, ...]:
    told = {member.get("name").text(): member for member in root.get("namedAlleles").items()}
    cores = {allele.core_of for allele in gene.alleles}
    empty = ("",) * len(gene.positions)
    known = [_with_function(allele, told.get(allele.name)) for allele in gene.alleles]
    names = {allele.name for allele in gene.alleles}
    further = [
        _with_function(NamedAllele(name, empty, is_structural=name not in cores), member)
        for name, member in told.items()
        if name not in names
    ]
    return (*known, *further)


def _with_function(allele: NamedAllele, told: Member | None) -> NamedAllele:
    if told is None:
        return allele
    return replace(allele, function=told.get("functionValue").text_or(), activity=told.get("activityValue").text_or())


def _stated(member: Member) -> _Stated:
    names: list[str] = []
    for name, count in member.get("diplotypekey").members():
        names.extend([name] * count.count())
    if not 0 < len(names) <= _MOST_COPIES:
        member.get("diplotypekey").fail("it names neither one nor two alleles")
    phenotype = member.get("phenotype") if member.has("phenotype") else member.get("generesult")
    return _Stated(
        tuple(names),
        phenotype.text_or(),
        member.get("activityScore").text_or(),
        member.get("lookupkey").text_or(),
    )


def _function_rules(alleles: tuple[NamedAllele, ...], stated: tuple[_Stated, ...]) -> tuple[FunctionRule, ...]:
    counts: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    functions = {allele.name: allele.function for allele in alleles}
    for each in stated:
        if all(functions.get(name) for name in each.names):
            counts[_pair(functions, each.names)][each.phenotype] += 1
    return tuple(FunctionRule(*pair, found.most_common(1)[0][0]) for pair, found in sorted(counts.items()))


def _pair(functions: Mapping[str, str], names: tuple[str, ...]) -> tuple[str, str]:
    found = sorted(functions[name] for name in names)
    return (found[0], found[1] if len(found) == _MOST_COPIES else "")


def _score_rules(stated: tuple[_Stated, ...]) -> tuple[ScoreRule, ...]:
    """Return ranges of scores: each begins where a phenotype is first seen and ends where the next one begins."""
    phenotypes: dict[float, Counter[str]] = defaultdict(Counter)
    for each in stated:
        score = _number(each.activity)
        if score is not None:
            phenotypes[score][each.phenotype] += 1
    starts: list[tuple[float, str]] = []
    for score, found in sorted(phenotypes.items()):
        phenotype = found.most_common(1)[0][0]
        if not starts or starts[-1][1] != phenotype:
            starts.append((score, phenotype))
    ends = [score for score, _ in starts[1:]] + [math.inf]
    return tuple(ScoreRule(least, below, phenotype) for (least, phenotype), below in zip(starts, ends, strict=True))


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _exceptions(gene: Gene, stated: tuple[_Stated, ...]) -> dict[str, DiplotypeResult]:
    functions = {allele.name: allele.function for allele in gene.alleles}
    values = {allele.name: allele.activity for allele in gene.alleles}
    rules = {(rule.first, rule.second): rule.phenotype for rule in gene.rules}
    found = {}
    for each in stated:
        by_rule = _by_score(gene, values, each.names) if gene.scores else None
        if by_rule is None and all(functions.get(name) for name in each.names):
            by_rule = (rules.get(_pair(functions, each.names), ""), "")
        lookup = each.lookup if each.lookup != _usual_lookup(gene, each) else ""
        if by_rule != (each.phenotype, each.activity) or lookup:
            found[diplotype_key(*each.names)] = DiplotypeResult(each.phenotype, each.activity, lookup)
    return found


def _by_score(gene: Gene, values: Mapping[str, str], names: tuple[str, ...]) -> tuple[str, str] | None:
    numbers = [_number(values.get(name, "")) for name in names]
    if None in numbers:
        return _INDETERMINATE, _UNKNOWN
    total = sum(number for number in numbers if number is not None)
    phenotype = next((rule.phenotype for rule in gene.scores if rule.least <= total < rule.below), "")
    return phenotype, f"{total:.2f}".removesuffix("0")


def _usual_lookup(gene: Gene, each: _Stated) -> str:
    match gene.method:
        case Method.SCORE:
            return each.activity
        case Method.LOWEST_FUNCTION:
            return each.activity or each.phenotype
        case Method.GENOTYPE:
            return diplotype_key(*each.names)
        case _:
            return each.phenotype
