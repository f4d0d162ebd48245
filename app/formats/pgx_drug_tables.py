"""The tables of Operon's own layout that say what is advised: drugs, their names, pairs, recommendations, texts.

Tables: ``drug``, ``drug_name``, ``product``, ``pair``, ``recommendation``, ``text`` and ``provenance``. Cells that map
genes to something (``lookup``, ``implications``) are JSON objects of texts.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

from app.errors import quoted
from app.formats.pgx import Drug, DrugName, Pair, PgxContent, Product, Provenance, Recommendation, Text
from app.formats.pgx_rows import Row, joined

COLUMNS: dict[str, tuple[str, ...]] = {
    "drug": ("drug_id", "name", "rxnorm", "atc", "pharmgkb", "drugbank"),
    "drug_name": ("drug_id", "kind", "name", "language", "country"),
    "product": ("rxnorm", "ingredient", "name", "term_type"),
    "pair": ("gene", "drug_id", "level", "status", "guideline", "pmids"),
    "recommendation": (
        "recommendation_id",
        "drug_id",
        "source",
        "population",
        "lookup",
        "classification",
        "implications",
        "text",
        "guideline",
        "url",
        "grade",
        "alternatives",
    ),
    "text": ("key", "language", "text", "origin"),
    "provenance": ("table", "source", "licence", "url", "note"),
}
_KINDS = ("inn", "substance", "trade", "salt", "vnr")
_GRADES = ("", "A", "B", "C", "D")
_ORIGINS = ("template", "cpic", "local")

Rows = Callable[[str], Iterable[Row]]
T = TypeVar("T")


def read_advice(rows: Rows, genes: frozenset[str]) -> PgxContent:
    """Return what the tables say about drugs; ``genes`` are those that recommendations may be looked up by.

    Raises:
        BadFile: a cell cannot be used, or a row is about something that is not there or is there already.
    """
    drugs = _unique(rows("drug"), "drug_id", _drug, key=lambda drug: drug.drug_id)
    known = frozenset(drug.drug_id for drug in drugs)
    return PgxContent(
        drugs=drugs,
        drug_names=_unique(rows("drug_name"), "name", lambda row: _drug_name(row, known)),
        products=_unique(rows("product"), "rxnorm", _product, key=lambda product: (product.rxnorm, product.ingredient)),
        pairs=_unique(
            rows("pair"), "drug_id", lambda row: _pair(row, known), key=lambda pair: (pair.gene, pair.drug_id)
        ),
        recommendations=_unique(
            rows("recommendation"),
            "recommendation_id",
            lambda row: _recommendation(row, known, genes),
            key=lambda recommendation: recommendation.recommendation_id,
        ),
        texts=_unique(rows("text"), "key", _text, key=lambda text: (text.key, text.language)),
        provenance=_unique(rows("provenance"), "table", _provenance),
    )


def _unique(
    rows: Iterable[Row], column: str, read: Callable[[Row], T], key: Callable[[T], object] = lambda item: item
) -> tuple[T, ...]:
    """Return what each row says; two of the same key are refused at ``column``."""
    found: list[T] = []
    seen: set[object] = set()
    for row in rows:
        item = read(row)
        if key(item) in seen:
            row.fail(column, f"{quoted(row[column])} is there twice", "Remove one of the rows")
        seen.add(key(item))
        found.append(item)
    return tuple(found)


# --- one row ----------------------------------------------------------------------------------------------------------


def _drug(row: Row) -> Drug:
    rxnorm = row["rxnorm"]
    if rxnorm and not (rxnorm.isascii() and rxnorm.isdecimal()):
        row.fail("rxnorm", f"{quoted(rxnorm)} is no RxCUI", "RxCUIs are numbers")
    return Drug(row.needed("drug_id"), row.needed("name"), rxnorm, row.items("atc"), row["pharmgkb"], row["drugbank"])


def _known_drug(row: Row, drugs: frozenset[str]) -> str:
    if row["drug_id"] not in drugs:
        row.fail("drug_id", f"{quoted(row['drug_id'])} is not known", "Add it to the table drug")
    return row["drug_id"]


def _drug_name(row: Row, drugs: frozenset[str]) -> DrugName:
    kind = row.one_of("kind", _KINDS)
    return DrugName(_known_drug(row, drugs), kind, row.needed("name"), row["language"], row["country"])


def _product(row: Row) -> Product:
    return Product(row.needed("rxnorm"), row.needed("ingredient"), row["name"], row["term_type"])


def _pair(row: Row, drugs: frozenset[str]) -> Pair:
    return Pair(
        row.needed("gene"),
        _known_drug(row, drugs),
        row["level"],
        row["status"],
        row["guideline"],
        row.items("pmids"),
    )


def _recommendation(row: Row, drugs: frozenset[str], genes: frozenset[str]) -> Recommendation:
    lookup = _texts_by_gene(row, "lookup")
    if not lookup:
        row.fail("lookup", "there is no gene", 'Write what it is looked up by, as {"TPMT": "Poor Metabolizer"}')
    for gene in lookup:
        if gene not in genes:
            row.fail("lookup", f"{quoted(gene)} is not known", "Add it to the table gene")
    return Recommendation(
        recommendation_id=row.needed("recommendation_id"),
        drug_id=_known_drug(row, drugs),
        source=row.needed("source"),
        lookup=lookup,
        text=row.needed("text"),
        population=row["population"],
        classification=row["classification"],
        implications=_texts_by_gene(row, "implications"),
        guideline=row["guideline"],
        url=row["url"],
        grade=row.one_of("grade", _GRADES),
        alternatives=row.items("alternatives"),
    )


def _texts_by_gene(row: Row, column: str) -> dict[str, str]:
    if not row[column]:
        return {}
    try:
        found = json.loads(row[column])
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict) or not all(isinstance(text, str) and text for text in found.values()):
        row.fail(column, "it is no JSON object of texts", 'Write {"GENE": "text"}')
    return found


def _text(row: Row) -> Text:
    return Text(row.needed("key"), row.needed("language"), row.needed("text"), row.one_of("origin", _ORIGINS))


def _provenance(row: Row) -> Provenance:
    return Provenance(row.needed("table"), row.needed("source"), row.needed("licence"), row["url"], row["note"])


# --- writing ----------------------------------------------------------------------------------------------------------


def advice_rows(content: PgxContent) -> dict[str, list[tuple[str, ...]]]:
    """Return the rows of each table of this module."""
    return {
        "drug": [
            (drug.drug_id, drug.name, drug.rxnorm, joined(drug.atc), drug.pharmgkb, drug.drugbank)
            for drug in content.drugs
        ],
        "drug_name": [(name.drug_id, name.kind, name.name, name.language, name.country) for name in content.drug_names],
        "product": [
            (product.rxnorm, product.ingredient, product.name, product.term_type) for product in content.products
        ],
        "pair": [
            (pair.gene, pair.drug_id, pair.level, pair.status, pair.guideline, joined(pair.pmids))
            for pair in content.pairs
        ],
        "recommendation": [_recommendation_row(recommendation) for recommendation in content.recommendations],
        "text": [(text.key, text.language, text.text, text.origin) for text in content.texts],
        "provenance": [(row.table, row.source, row.licence, row.url, row.note) for row in content.provenance],
    }


def _recommendation_row(recommendation: Recommendation) -> tuple[str, ...]:
    return (
        recommendation.recommendation_id,
        recommendation.drug_id,
        recommendation.source,
        recommendation.population,
        _json(recommendation.lookup),
        recommendation.classification,
        _json(recommendation.implications),
        recommendation.text,
        recommendation.guideline,
        recommendation.url,
        recommendation.grade,
        joined(recommendation.alternatives),
    )


def _json(texts: Mapping[str, str]) -> str:
    return json.dumps(dict(texts), ensure_ascii=False) if texts else ""
