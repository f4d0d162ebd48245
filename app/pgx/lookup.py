"""What a person's results are called in the lookups of recommendations.

A recommendation names a result by phenotype, activity score, genotype or allele status. Two spellings of the same
result have the same key; a result that is not known for sure has none.

>>> key("CYP2C19", "CYP2C19 Poor Metabolizer") == key("CYP2C19", "poor metabolizer")
True
>>> key("DPYD", "1") == key("DPYD", "1.0")
True
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Set
from functools import lru_cache

from app.formats.pgx import Gene, Method, Recommendation
from app.pgx.calls import CallMethod, GeneCall
from app.pgx.phenotypes import code_of, is_no_result, without_symbol
from app.pgx.support import TOO_FEW

NO_RESULT = "no result"
"""The key of a gene without result; some guidelines say what to do then"""

_NUMBER = re.compile(r"(≥?)(\d+(?:\.\d+)?)")
_STATUS = re.compile(r"(?:HLA-[A-Z0-9]+\s*)?(\*\d+:\d+)\s+(positive|negative)", re.IGNORECASE)
_TWO_FIELDS = re.compile(r"(?:HLA-[A-Z0-9]+\s*)?(\*\d+:\d+)(?::\d+)*[GP]?", re.IGNORECASE)

Keys = Mapping[str, Set[str]]
"""Gene → what its result may be called"""


@lru_cache(maxsize=8192)
def key(gene: str, result: str) -> str:
    """Return the one spelling of a result by which it is compared."""
    text = " ".join(result.replace(">=", "≥").split())
    if is_no_result(text):
        return NO_RESULT
    for prefix in (f"{gene} ", f"{gene}*"):
        if text.casefold().startswith(prefix.casefold()):
            text = text[len(gene) :].strip()
    number = _NUMBER.fullmatch(text)
    if number is not None:
        return f"{number[1]}{float(number[2])}"
    return without_symbol(text).casefold()


def statuses_asked(recommendations: Iterable[Recommendation]) -> dict[str, frozenset[str]]:
    """Return, by gene of allele status, the alleles that recommendations ask for."""
    asked: dict[str, set[str]] = {}
    for recommendation in recommendations:
        for gene, result in recommendation.lookup.items():
            found = _STATUS.fullmatch(result.strip())
            if found is not None:
                asked.setdefault(gene, set()).add(found[1])
    return {gene: frozenset(alleles) for gene, alleles in asked.items()}


def keys_of(gene: Gene | None, call: GeneCall | None, alleles: Iterable[str] = ()) -> frozenset[str]:
    """Return what a result may be called; ``alleles`` are those whose status recommendations ask for.

    A gene without result has the one key ``no result``.
    """
    if call is None or not call.has_result or _overstated(call):
        return frozenset({NO_RESULT})
    names = [call.lookup, call.activity, call.phenotype, *_genotypes(call)]
    if gene is not None and gene.method is Method.ALLELE_STATUS:
        names += _statuses(call, alleles)
    found = frozenset(key(call.gene, name) for name in names if name.strip()) - {NO_RESULT}
    return found or frozenset({NO_RESULT})


def phenotype_of(gene: Gene | None, result: str) -> str:
    """Return the phenotype of a result of a lookup; an activity score has that of the rules of its gene."""
    number = _NUMBER.fullmatch(result.replace(">=", "≥").strip())
    if number is None or gene is None:
        return result
    score = float(number[2])
    return next((rule.phenotype for rule in gene.scores if rule.least <= score < rule.below), result)


_OPEN = frozenset(
    {
        "tier1-missing",
        TOO_FEW,
        "undocumented-as-reference",
        "alternative-phenotype",
        "copy-number-not-assessed",
        "tests-differ",
        "stated-differently",
        "stated-unusable",
    }
)
"""Codes of warnings by which a person with a usual result may have another one"""


def leaves_open(call: GeneCall) -> bool:
    """Return whether a result says of itself that another one is not ruled out."""
    return any(warned.code in _OPEN for warned in call.warnings)


def _overstated(call: GeneCall) -> bool:
    """Ultrarapid means more copies of a gene, which small variants do not show."""
    return call.method is CallMethod.SNV_ONLY and "UM" in (code_of(call.phenotype), code_of(call.lookup))


def _genotypes(call: GeneCall) -> list[str]:
    """Return the one diplotype with its alleles in either order; nothing where there are several."""
    if not call.genotype:
        return []
    one = call.diplotypes[0]
    return [one.text] if one.second is None else [f"{one.first}/{one.second}", f"{one.second}/{one.first}"]


def _statuses(call: GeneCall, alleles: Iterable[str]) -> list[str]:
    """Return which alleles a person has; those that she has not only where both of hers are known well enough."""
    stated = [f"{allele} {word}" for text in _stated(call) for allele, word in _STATUS.findall(text)]
    if not call.genotype:
        return stated
    one = call.diplotypes[0]
    has = [_two_fields(name) for name in (one.first, one.second or "")]
    stated += [f"{name} positive" for name in has if name]
    if all(has):
        stated += [f"{allele} negative" for allele in alleles if allele not in has]
    return stated


def _stated(call: GeneCall) -> tuple[str, ...]:
    return (call.lookup, call.phenotype, *call.variants)


def _two_fields(allele: str) -> str:
    """Return an allele at the resolution of guidelines; empty for one that is coarser or not expressed."""
    found = _TWO_FIELDS.fullmatch(allele.strip())
    return found[1] if found else ""
