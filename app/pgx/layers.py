"""Several releases taken as one: for each gene, drug and guideline the newest release that has it counts.

Of a gene, where its variants lie and what they mean may come from two releases, as the definitions of PharmVar and the
functions of CPIC do; alleles are then the same where their names are. Recommendations of one source (CPIC, DPWG, ...)
are never mixed from two releases, and the pairs of a release count as long as its recommendations do.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from app.formats.pgx import Drug, Gene, NamedAllele, Pair, PgxContent, Recommendation, Text


@dataclass(frozen=True, slots=True)
class Layer:
    """What one release says."""

    release: str
    content: PgxContent


@dataclass(frozen=True, slots=True)
class Merged:
    """What several releases say together."""

    content: PgxContent
    releases: tuple[str, ...]
    """Newest first"""
    gene_releases: Mapping[str, str]
    """Gene → the release that it is of; two joined by ``+``: definitions, then functions"""
    advice_releases: Mapping[str, str]
    """Source of recommendations → the release whose recommendations count"""


def merged(layers: Sequence[Layer]) -> Merged:
    """Return what releases say together, given from the newest to the oldest."""
    names = tuple(layer.release for layer in layers)
    if len(layers) == 1:
        [layer] = layers
        return Merged(
            layer.content,
            names,
            {gene.symbol: layer.release for gene in layer.content.genes},
            {one.source: layer.release for one in layer.content.recommendations},
        )
    genes = dict(_genes(layers))
    drugs, same = _drugs(layers)
    counting = _counting(layers)
    content = PgxContent(
        genes=tuple(gene for gene, _ in genes.values()),
        drugs=drugs,
        drug_names=_distinct(
            replace(name, drug_id=ids.get(name.drug_id, name.drug_id))
            for layer, ids in zip(layers, same, strict=True)
            for name in layer.content.drug_names
        ),
        products=_distinct(product for layer in layers for product in layer.content.products),
        pairs=_pairs(layers, same, counting),
        recommendations=tuple(
            _of_drug(one, ids)
            for at, (layer, ids) in enumerate(zip(layers, same, strict=True))
            for one in layer.content.recommendations
            if counting[one.source] == at
        ),
        texts=_texts(layers),
        provenance=_distinct(one for layer in layers for one in layer.content.provenance),
    )
    return Merged(
        content,
        names,
        {symbol: release for symbol, (_, release) in genes.items()},
        {source: names[at] for source, at in counting.items()},
    )


_Row = TypeVar("_Row")


def _distinct(rows: Iterable[_Row]) -> tuple[_Row, ...]:
    return tuple(dict.fromkeys(rows))


# --- genes ------------------------------------------------------------------------------------------------------------


def _genes(layers: Sequence[Layer]) -> Iterable[tuple[str, tuple[Gene, str]]]:
    by_symbol: dict[str, list[tuple[Gene, str]]] = {}
    for layer in layers:
        for gene in layer.content.genes:
            by_symbol.setdefault(gene.symbol, []).append((gene, layer.release))
    for symbol, found in by_symbol.items():
        named = next((one for one in found if one[0].alleles), found[0])
        defined, of_defined = next((one for one in found if one[0].positions), named)
        meant, of_meant = next((one for one in found if says_meaning(one[0])), (defined, of_defined))
        if of_defined == of_meant:
            yield symbol, (defined, of_defined)
        else:
            yield symbol, (_joined(defined, meant), f"{of_defined}+{of_meant}")


def says_meaning(gene: Gene) -> bool:
    """Return whether a gene says what any of its alleles or diplotypes means."""
    if gene.rules or gene.scores or gene.results:
        return True
    return any(allele.function or allele.activity for allele in gene.alleles)


def _joined(defined: Gene, meant: Gene) -> Gene:
    """Return the definitions of one release with the meanings of another; alleles are the same by their names."""
    known = {allele.name: allele for allele in meant.alleles}
    alleles = [_meaning(allele, known.get(allele.name)) for allele in defined.alleles]
    here = {allele.name for allele in defined.alleles}
    undefined = tuple("" for _ in defined.positions)
    alleles += [
        replace(allele, cells=undefined, is_reference=False) for allele in meant.alleles if allele.name not in here
    ]
    return replace(
        defined,
        hgnc=defined.hgnc or meant.hgnc,
        pharmgkb=defined.pharmgkb or meant.pharmgkb,
        method=meant.method,
        alleles=tuple(alleles),
        rules=meant.rules,
        scores=meant.scores,
        results=meant.results,
        description=defined.description or meant.description,
    )


def _meaning(allele: NamedAllele, known: NamedAllele | None) -> NamedAllele:
    if known is None:
        return replace(allele, function="", activity="")
    return replace(allele, function=known.function, activity=known.activity, core_of=allele.core_of or known.core_of)


# --- drugs and advice -------------------------------------------------------------------------------------------------


def _drugs(layers: Sequence[Layer]) -> tuple[tuple[Drug, ...], list[dict[str, str]]]:
    """Return the drugs, and for each layer which of them its own ids stand for."""
    found: dict[str, Drug] = {}
    by_name: dict[str, str] = {}
    same: list[dict[str, str]] = []
    for layer in layers:
        ids: dict[str, str] = {}
        for drug in layer.content.drugs:
            keys = [f"rxnorm {drug.rxnorm}"] if drug.rxnorm else []
            keys.append(f"name {drug.name.casefold()}")
            known = next((by_name[key] for key in keys if key in by_name), None)
            if known is None:
                known = drug.drug_id if drug.drug_id not in found else f"{drug.drug_id} ({layer.release})"
                found[known] = replace(drug, drug_id=known)
            else:
                found[known] = _completed(found[known], drug)
            by_name.update((key, known) for key in keys if key not in by_name)
            ids[drug.drug_id] = known
        same.append(ids)
    return tuple(found.values()), same


def _completed(drug: Drug, older: Drug) -> Drug:
    return replace(
        drug,
        rxnorm=drug.rxnorm or older.rxnorm,
        atc=drug.atc or older.atc,
        pharmgkb=drug.pharmgkb or older.pharmgkb,
        drugbank=drug.drugbank or older.drugbank,
    )


def _counting(layers: Sequence[Layer]) -> dict[str, int]:
    """Return for each source of recommendations which layer's count."""
    found: dict[str, int] = {}
    for at, layer in enumerate(layers):
        for one in layer.content.recommendations:
            found.setdefault(one.source, at)
    return found


def _of_drug(one: Recommendation, ids: Mapping[str, str]) -> Recommendation:
    drug_id = ids.get(one.drug_id, one.drug_id)
    alternatives = tuple(ids.get(drug, drug) for drug in one.alternatives)
    if drug_id == one.drug_id and alternatives == one.alternatives:
        return one
    return replace(one, drug_id=drug_id, alternatives=alternatives)


def _pairs(layers: Sequence[Layer], same: Sequence[Mapping[str, str]], counting: Mapping[str, int]) -> tuple[Pair, ...]:
    found: dict[tuple[str, str], Pair] = {}
    for at, (layer, ids) in enumerate(zip(layers, same, strict=True)):
        sources = {one.source for one in layer.content.recommendations}
        if sources and not any(counting[source] == at for source in sources):
            continue
        for pair in layer.content.pairs:
            drug_id = ids.get(pair.drug_id, pair.drug_id)
            found.setdefault((pair.gene, drug_id), replace(pair, drug_id=drug_id))
    return tuple(found.values())


def _texts(layers: Sequence[Layer]) -> tuple[Text, ...]:
    found: dict[tuple[str, str], Text] = {}
    for layer in layers:
        for text in layer.content.texts:
            found.setdefault((text.key, text.language), text)
    return tuple(found.values())
