"""What PyPGx's tables say follows from two alleles: rules of functions or scores, and results that no rule gives."""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

from app.errors import quoted
from app.formats.pgx import DiplotypeResult, FunctionRule, NamedAllele, Ploidy, ScoreRule
from app.formats.pgx_genes import GeneFacts
from app.formats.pgx_names import diplotype_key
from app.formats.pypgx_rows import CsvRow

DIPLOTYPE_COLUMNS = ("Gene", "Diplotype", "Phenotype")
EQUATION_COLUMNS = ("Gene", "Phenotype", "Equation")
ONE_COPY = "MALE"
"""What PyPGx writes in place of the second allele of a gene of chromosome X"""

_RANGE = re.compile(r"(?:(?P<least>[0-9.]+) <= )?score(?: < (?P<below>[0-9.]+))?|(?P<exact>[0-9.]+) == score")
_WORDS = {
    "CFTR": {
        "Favorable Response": "ivacaftor responsive in CF patients",
        "Unfavorable Response": "ivacaftor non-responsive in CF patients",
    },
}


def phenotype_of(gene: str, words: str) -> str:
    """Return a phenotype as CPIC words it."""
    if gene == "G6PD":
        return words.removeprefix("G6PD ")
    if gene == "MT-RNR1":
        return words.lower()
    return _WORDS.get(gene, {}).get(words, words)


def read_results(
    alleles: Sequence[NamedAllele], rows: Iterable[CsvRow], facts: GeneFacts
) -> tuple[tuple[FunctionRule, ...], dict[str, DiplotypeResult]]:
    """Return the rules that a table of diplotypes follows, and the diplotypes whose result no rule gives.

    What most diplotypes of two functions have is the rule. Rows that name an allele without definition are passed over.
    """
    functions = {allele.name: allele.function for allele in alleles}
    stated: dict[str, tuple[tuple[str, str], str]] = {}
    for row in rows:
        names = _names(row["Diplotype"], facts.ploidy)
        if all(functions.get(name) for name in names):
            pair = sorted(functions[name] for name in names)
            key = (pair[0], pair[1]) if len(pair) == 2 else (pair[0], "")
            stated[diplotype_key(*names)] = (key, phenotype_of(facts.symbol, row["Phenotype"]))
    counts: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for pair_of_functions, phenotype in stated.values():
        counts[pair_of_functions][phenotype] += 1
    usual = {pair: found.most_common(1)[0][0] for pair, found in counts.items()}
    rules = tuple(FunctionRule(*pair, phenotype) for pair, phenotype in sorted(usual.items()))
    results = {key: DiplotypeResult(phenotype) for key, (pair, phenotype) in stated.items() if usual[pair] != phenotype}
    return rules, results


def _names(diplotype: str, ploidy: Ploidy) -> tuple[str, ...]:
    names = diplotype.split("/")
    if ploidy is Ploidy.MITOCHONDRIAL and len(set(names)) == 1:
        return (names[0],)
    return tuple(name for name in names if name != ONE_COPY)


def read_scores(rows: Iterable[CsvRow]) -> Mapping[str, tuple[ScoreRule, ...]]:
    """Return the phenotypes of ranges of activity scores, by gene.

    Raises:
        BadFile: an equation cannot be read.
    """
    found: dict[str, list[ScoreRule]] = defaultdict(list)
    for row in rows:
        equation = _RANGE.fullmatch(row["Equation"])
        if equation is None:
            row.fail("Equation", f"{quoted(row['Equation'])} is no range of scores")
        least = float(equation["least"] or equation["exact"] or 0)
        below = float(equation["below"]) if equation["below"] else math.inf
        found[row["Gene"]].append(ScoreRule(least, below, phenotype_of(row["Gene"], row["Phenotype"])))
    return {gene: tuple(sorted(rules, key=lambda rule: rule.least)) for gene, rules in found.items()}
