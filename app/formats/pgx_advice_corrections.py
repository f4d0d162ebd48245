"""Corrections of what a source says of drugs: accessions, further recommendations, and what these are looked up by."""

from __future__ import annotations

import dataclasses
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

from app.errors import quoted
from app.formats.pgx import Drug, DrugName, Pair, PgxContent, Recommendation
from app.formats.pgx_corrections import Corrections, correct_genes
from app.formats.pgx_rows import Row
from app.formats.pypgx_advice import guideline_name, recommendation_id


def corrected(content: PgxContent, corrections: Corrections) -> PgxContent:
    """Return a release with all corrections made; a release without drugs has only its genes corrected.

    Raises:
        BadFile: a correction is about something that is not there.
    """
    genes = correct_genes(content.genes, corrections)
    if not content.drugs:
        return dataclasses.replace(content, genes=genes)
    drugs = {drug.name: drug for drug in content.drugs}
    for row in corrections.get("drug", ()):
        drugs[row["drug"]] = _corrected_drug(_known_drug(drugs, row), row)
    names = tuple(
        DrugName(_known_drug(drugs, row).drug_id, row["kind"], row.needed("name"), row["language"], row["country"])
        for row in corrections.get("drug_name", ())
    )
    stated = _with_lookups(content.recommendations, drugs, corrections)
    added = _added(drugs, content.pairs, corrections)
    recommendations = tuple(_with_alternatives((*stated, *added), drugs, corrections))
    return dataclasses.replace(
        content,
        genes=genes,
        drugs=tuple(drugs.values()),
        drug_names=(*content.drug_names, *names),
        recommendations=tuple(sorted(recommendations, key=lambda item: item.recommendation_id)),
    )


def _known_drug(drugs: Mapping[str, Drug], row: Row) -> Drug:
    if row["drug"] not in drugs:
        row.fail("drug", f"{quoted(row['drug'])} is not known")
    return drugs[row["drug"]]


def _corrected_drug(drug: Drug, row: Row) -> Drug:
    return dataclasses.replace(
        drug,
        atc=row.items("atc") or drug.atc,
        pharmgkb=row["pharmgkb"] or drug.pharmgkb,
        drugbank=row["drugbank"] or drug.drugbank,
    )


def _with_lookups(
    recommendations: Iterable[Recommendation], drugs: Mapping[str, Drug], corrections: Corrections
) -> Iterator[Recommendation]:
    """Yield recommendations, under other keys where a correction says so: one of a row may become several."""
    names = {drug.drug_id: drug.name for drug in drugs.values()}
    changes = {(row["gene"], row["drug"], row["was"]): row.items("becomes") for row in corrections.get("lookup", ())}
    for recommendation in recommendations:
        drug = names[recommendation.drug_id]
        lookups: list[dict[str, str]] = [{}]
        for gene, key in recommendation.lookup.items():
            keys = changes.get((gene, drug, key)) or changes.get((gene, "", key)) or (key,)
            lookups = [{**lookup, gene: other} for lookup in lookups for other in keys]
        for lookup in lookups:
            yield dataclasses.replace(
                recommendation,
                lookup=lookup,
                recommendation_id=recommendation_id("cpic", drug, lookup, recommendation.population),
            )


def _added(drugs: Mapping[str, Drug], pairs: Iterable[Pair], corrections: Corrections) -> Iterator[Recommendation]:
    urls = {(pair.gene, pair.drug_id): pair.guideline for pair in pairs}
    for row in corrections.get("recommendation", ()):
        drug, lookup = _known_drug(drugs, row), json.loads(row.needed("lookup"))
        yield Recommendation(
            recommendation_id=recommendation_id("cpic", drug.name, lookup, row["population"]),
            drug_id=drug.drug_id,
            source="CPIC",
            lookup=lookup,
            text=row.needed("text"),
            population=row["population"],
            classification=row["classification"],
            guideline=guideline_name(drug.name, lookup),
            url=next((urls[gene, drug.drug_id] for gene in lookup if urls.get((gene, drug.drug_id))), ""),
        )


def _with_alternatives(
    recommendations: Iterable[Recommendation], drugs: Mapping[str, Drug], corrections: Corrections
) -> Iterator[Recommendation]:
    """Yield recommendations with the drugs that their sentence names instead."""
    alternatives: dict[str, dict[str, str]] = defaultdict(dict)
    for row in corrections.get("alternative", ()):
        alternatives[_known_drug(drugs, row).drug_id][row.needed("name")] = row.needed("rxnorm")
    for recommendation in recommendations:
        named = alternatives.get(recommendation.drug_id, {})
        chosen = tuple(rxnorm for name, rxnorm in named.items() if name in recommendation.text)
        yield dataclasses.replace(recommendation, alternatives=chosen) if chosen else recommendation
