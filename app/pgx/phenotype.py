"""The phenotype, the activity score and the lookup key that follow from a diplotype.

What a source states of a diplotype wins; else the functions of its two alleles decide, else the sum of their activity
values. An allele of unknown activity makes the result Indeterminate, never an estimate.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from math import isfinite

from app.formats.pgx import DiplotypeResult, Gene, Method, NamedAllele
from app.formats.pgx_names import diplotype_key
from app.pgx.calls import Diplotype
from app.pgx.definition import definition_of
from app.pgx.diplotypes import Unit, units

INDETERMINATE = "Indeterminate"
UNKNOWN_ACTIVITY = "n/a"
_MANY = 3
"""From this number of copies on, sources give one result for all (``≥3``)"""


@dataclass(frozen=True, slots=True)
class Result:
    """What follows from a diplotype; every part may be empty."""

    phenotype: str = ""
    activity: str = ""
    lookup: str = ""


@dataclass(frozen=True, slots=True)
class Activity:
    """A sum of activity values; ``at_least`` when copies were counted as "so many or more"."""

    value: float
    at_least: bool = False

    @property
    def text(self) -> str:
        """Return it as sources write it: ``2.0``, ``0.25``, ``≥3.0``."""
        digits = f"{self.value:.2f}"
        digits = digits.removesuffix("0")
        return f"≥{digits}" if self.at_least else digits


def result_of(gene: Gene, diplotype: Diplotype) -> Result:
    """Return what follows from a diplotype, or from the one allele of a person with one copy."""
    names = (diplotype.first,) if diplotype.second is None else (diplotype.first, diplotype.second)
    stated = _stated(gene, names)
    if stated is not None:
        return _with_lookup(gene, names, Result(stated.phenotype, stated.activity, stated.lookup))
    activity = _activity(gene, names)
    phenotype = _by_function(gene, names) or _by_score(gene, activity)
    if activity is None:
        return _with_lookup(gene, names, Result(phenotype))
    text = activity.text if isinstance(activity, Activity) else activity
    return _with_lookup(gene, names, Result(phenotype, text))


def shared_result(gene: Gene, diplotypes: Iterable[Diplotype]) -> tuple[Result, bool]:
    """Return what all of some diplotypes have in common, and whether that is everything."""
    found = {result_of(gene, diplotype) for diplotype in diplotypes}
    phenotypes = {each.phenotype for each in found}
    activities = {each.activity for each in found}
    lookups = {each.lookup for each in found}
    shared = Result(_only(phenotypes), _only(activities), _only(lookups))
    return shared, len(found) <= 1


def _only(texts: set[str]) -> str:
    return next(iter(texts)) if len(texts) == 1 else ""


def allele_named(gene: Gene, name: str) -> NamedAllele | None:
    """Return the allele with a name."""
    return definition_of(gene).by_name.get(name)


def _stated(gene: Gene, names: tuple[str, ...]) -> DiplotypeResult | None:
    if not gene.results:
        return None
    exact = gene.results.get(diplotype_key(*names))
    return exact if exact is not None else gene.results.get(diplotype_key(*map(_binned, names)))


def _binned(name: str) -> str:
    """Return a name with large numbers of copies written as the bin that sources use: ``*1x4`` is ``*1x≥3``."""
    parts = units(name)
    if not parts:
        return name
    return "+".join(map(_unit_binned, parts))


def _unit_binned(unit: Unit) -> str:
    if unit.copies is None:
        return f"{unit.name}xN"
    if unit.copies >= _MANY:
        return f"{unit.name}x≥{_MANY}"
    return unit.name if unit.copies == 1 else f"{unit.name}x{unit.copies}"


def _by_function(gene: Gene, names: tuple[str, ...]) -> str:
    if not gene.rules:
        return ""
    functions = sorted(_function(gene, name).casefold() for name in names)
    if "" in functions:
        return ""
    if len(functions) == 1:
        functions.insert(0, "")
    for rule in gene.rules:
        if sorted((rule.first.casefold(), rule.second.casefold())) == functions:
            return rule.phenotype
    return ""


def _function(gene: Gene, name: str) -> str:
    allele = allele_named(gene, name) or allele_named(gene, _binned(name))
    return allele.function if allele is not None else ""


def _activity(gene: Gene, names: tuple[str, ...]) -> Activity | str | None:
    """Return the score of some alleles; ``n/a`` when one is unknown, None when the gene has no scores."""
    if not gene.scores:
        return None
    total = Activity(0.0)
    for name in names:
        value = activity_of(gene, name)
        if value is None:
            return UNKNOWN_ACTIVITY
        total = Activity(total.value + value.value, total.at_least or value.at_least)
    return total


def activity_of(gene: Gene, name: str) -> Activity | None:
    """Return the activity value of an allele with its copies; None when it is unknown."""
    whole = allele_named(gene, name) or allele_named(gene, _binned(name))
    if whole is not None and whole.activity:
        value = _number(whole.activity)
        return None if value is None else Activity(value, whole.activity.startswith("≥"))
    total = Activity(0.0)
    for unit in units(name):
        allele = allele_named(gene, unit.name)
        value = _number(allele.activity) if allele is not None else None
        if value is None or unit.copies is None:
            return None
        total = Activity(total.value + value * unit.copies, total.at_least or (unit.at_least and value > 0))
    return total if units(name) else None


def _number(text: str) -> float | None:
    try:
        value = float(text.lstrip("≥"))
    except ValueError:
        return None
    return value if isfinite(value) else None


def _by_score(gene: Gene, activity: Activity | str | None) -> str:
    if activity is None:
        return ""
    if not isinstance(activity, Activity):
        return INDETERMINATE
    for rule in gene.scores:
        if rule.least <= activity.value < rule.below:
            highest = max(each.below for each in gene.scores)
            return INDETERMINATE if activity.at_least and rule.below < highest else rule.phenotype
    return ""


def _with_lookup(gene: Gene, names: tuple[str, ...], result: Result) -> Result:
    if result.lookup:
        return result
    match gene.method:
        case Method.SCORE:
            lookup = result.activity
        case Method.LOWEST_FUNCTION:
            lookup = result.activity or result.phenotype
        case Method.GENOTYPE:
            lookup = diplotype_key(*names)
        case _:
            lookup = result.phenotype
    return replace(result, lookup=lookup)
