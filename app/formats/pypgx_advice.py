"""What PyPGx's tables say of drugs: CPIC's pairs of genes and drugs, and what its guidelines recommend."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from app.errors import quoted
from app.formats.pgx import Drug, Pair, Recommendation
from app.formats.pypgx_results import phenotype_of
from app.formats.pypgx_rows import CsvRow

CPIC_COLUMNS = ("Gene", "Drug", "RxNorm", "ATC", "Guideline", "CPICLevel", "CPICLevelStatus", "PMID")
RECOMMENDATION_COLUMNS = ("Drug", "Gene1", "Phenotype1", "Gene2", "Phenotype2", "Recommendation")
NO_RESULT = "No Result"
"""What a recommendation for one of two genes is looked up by where the other gene has no result"""

_NONE = "None"
_NO_CODE = "NA"
_SEPARATOR = re.compile(r"[;,]\s*")
_NO_LETTERS = re.compile(r"[^a-z0-9]+")


def read_pairs(rows: Iterable[CsvRow]) -> tuple[tuple[Drug, ...], tuple[Pair, ...]]:
    """Return the drugs of CPIC's list and what genes matter for them."""
    drugs: dict[str, Drug] = {}
    pairs: dict[tuple[str, str], Pair] = {}
    for row in rows:
        name = row["Drug"].strip()
        drug = drugs.setdefault(name, _drug(name, row))
        if (row["Gene"], name) in pairs:
            row.fail("Drug", f"{quoted(name)} is there twice for {row['Gene']}")
        pairs[row["Gene"], name] = Pair(
            row["Gene"],
            drug.drug_id,
            row["CPICLevel"],
            row["CPICLevelStatus"],
            row["Guideline"],
            _list(row["PMID"]),
        )
    ordered = tuple(sorted(drugs.values(), key=lambda drug: drug.name))
    return ordered, tuple(sorted(pairs.values(), key=lambda pair: (pair.drug_id, pair.gene)))


def _drug(name: str, row: CsvRow) -> Drug:
    rxnorm, atc = "".join(_list(row["RxNorm"])), _list(row["ATC"])
    return Drug(_drug_id(name, rxnorm, atc), name, rxnorm, atc)


def _drug_id(name: str, rxnorm: str, atc: tuple[str, ...]) -> str:
    if rxnorm:
        return f"RxNorm:{rxnorm}"
    return f"ATC:{atc[0]}" if atc else f"name:{name}"


def _list(text: str) -> tuple[str, ...]:
    codes = dict.fromkeys(_SEPARATOR.split(text.strip()))
    return tuple(code for code in codes if code not in ("", _NO_CODE))


def read_recommendations(
    rows: Iterable[CsvRow], drugs: Iterable[Drug], pairs: Iterable[Pair], genes: frozenset[str]
) -> tuple[Recommendation, ...]:
    """Return the recommendations about drugs and genes that are there; rows without a sentence say nothing.

    A gene of two that has no result is looked up by ``No Result``, because the sentence then says so.
    """
    by_name = {drug.name: drug for drug in drugs}
    urls = {(pair.gene, pair.drug_id): pair.guideline for pair in pairs}
    found: dict[str, Recommendation] = {}
    for row in rows:
        text = row["Recommendation"].strip()
        drug = by_name.get(row["Drug"])
        lookup = _lookup(row)
        if text in ("", _NONE) or drug is None or not genes.issuperset(lookup):
            continue
        recommendation = _recommendation(drug, lookup, text, urls)
        if recommendation.recommendation_id in found:
            row.fail("Phenotype1", "the drug has a recommendation for these phenotypes already")
        found[recommendation.recommendation_id] = recommendation
    return tuple(found.values())


def _lookup(row: CsvRow) -> dict[str, str]:
    genes = [(row[f"Gene{at}"], row[f"Phenotype{at}"]) for at in (1, 2)]
    return {
        gene: NO_RESULT if phenotype == _NONE else phenotype_of(gene, phenotype)
        for gene, phenotype in genes
        if gene != _NONE
    }


def _recommendation(
    drug: Drug, lookup: Mapping[str, str], text: str, urls: Mapping[tuple[str, str], str]
) -> Recommendation:
    return Recommendation(
        recommendation_id=recommendation_id("cpic", drug.name, lookup),
        drug_id=drug.drug_id,
        source="CPIC",
        lookup=lookup,
        text=text,
        guideline=guideline_name(drug.name, lookup),
        url=next((urls[gene, drug.drug_id] for gene in lookup if urls.get((gene, drug.drug_id))), ""),
    )


def recommendation_id(source: str, drug: str, lookup: Mapping[str, str], population: str = "") -> str:
    """Return the id of a recommendation, which stays the same while it is about the same.

    >>> recommendation_id("cpic", "warfarin", {"CYP2C9": "1.0"})
    'cpic-warfarin-cyp2c9-1-0'
    """
    parts = [source, drug, *(part for entry in lookup.items() for part in entry), population]
    return "-".join(filter(None, (_NO_LETTERS.sub("-", part.lower()).strip("-") for part in parts)))


def guideline_name(drug: str, genes: Iterable[str]) -> str:
    """Return what a guideline is called.

    >>> guideline_name("codeine", ["CYP2D6"])
    'CPIC guideline: codeine and CYP2D6'
    """
    return f"CPIC guideline: {drug} and {', '.join(genes)}"
