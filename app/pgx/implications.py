"""What a release means for the operations on implications: one item for each drug and each result of a gene.

An item is about all the genotypes that have this result. Advice for a combination of genes is never said of one of
them, though the result of each of them is. Genes whose result is that an allele is there (HLA) have no list of
genotypes, and nothing is said of them here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations_with_replacement
from typing import Final

from app.formats.knowledge import Concept, ItemKind, KnowledgeItem
from app.formats.knowledge_phrases import RXNORM, implication
from app.formats.pgx import Drug, Gene, Method, Pair, PgxContent, Ploidy, Recommendation
from app.formats.pgx_names import diplotype_key, name_order
from app.pgx.calls import Diplotype
from app.pgx.checks import is_unsaid
from app.pgx.lookup import key
from app.pgx.phenotype import Result, result_of

PHARMVAR: Final = "https://www.pharmvar.org"
PHARMGKB: Final = "https://www.pharmgkb.org"
_CPIC: Final = "CPIC"
_NOTHING: Final = ("", "none", "n/a")


@dataclass(frozen=True, slots=True)
class _Meaning:
    """A result of a gene with the genotypes that have it."""

    gene: Gene
    result: Result
    genotypes: tuple[Concept, ...]


def implications(content: PgxContent, genes: Mapping[str, Gene]) -> Iterator[KnowledgeItem]:
    """Yield what the drugs, pairs and recommendations of a release mean.

    ``genes`` are those that count, by symbol: of the release, and of others in use for those that it lacks.
    """
    drugs = {drug.drug_id: drug for drug in content.drugs}
    pairs = {(pair.gene, pair.drug_id): pair for pair in content.pairs}
    advice: defaultdict[tuple[str, str], list[Recommendation]] = defaultdict(list)
    mentioned: dict[tuple[str, str], None] = {}
    for one in content.recommendations:
        for symbol in one.lookup:
            mentioned[symbol, one.drug_id] = None
        if len(one.lookup) == 1:
            advice[next(iter(one.lookup)), one.drug_id].append(one)
    of_gene: defaultdict[str, list[str]] = defaultdict(list)
    for symbol, drug_id in sorted(mentioned):
        if symbol in genes and drug_id in drugs:
            of_gene[symbol].append(drug_id)
    for symbol, drug_ids in of_gene.items():
        meanings = list(_meanings(genes[symbol]))
        for drug_id in drug_ids:
            of_both = (symbol, drug_id)
            for meaning in meanings:
                yield _item(meaning, drugs[drug_id], pairs.get(of_both), advice[of_both])


def _meanings(gene: Gene) -> Iterator[_Meaning]:
    """Yield the results of a gene that mean something, in the order of their names."""
    if gene.method is Method.ALLELE_STATUS:
        return
    found: defaultdict[Result, list[str]] = defaultdict(list)
    for written, result in _results(gene):
        phrase = result.phenotype or result.lookup
        if phrase and not is_unsaid(phrase):
            found[result].append(written)
    for result, genotypes in sorted(found.items(), key=lambda one: (one[0].phenotype, one[0].activity, one[0].lookup)):
        codes = [f"{gene.symbol} {written}" for written in sorted(genotypes)]
        yield _Meaning(gene, result, tuple(Concept(PHARMVAR, code, code) for code in codes))


def _results(gene: Gene) -> Iterator[tuple[str, Result]]:
    """Yield every genotype that a gene can have, with what follows from it."""
    for stated in gene.results:
        yield stated, result_of(gene, Diplotype(*_halves(gene, stated)))
    names = sorted((one.name for one in gene.alleles if one.name not in gene.ignored_alleles), key=name_order)
    does = {one.name: (one.function, one.activity) for one in gene.alleles}
    known: dict[tuple[object, ...], Result] = {}
    for some in _genotypes(gene, names):
        written = diplotype_key(*some)
        if written in gene.results:
            continue
        diplotype = Diplotype(some[0], some[1] if len(some) > 1 else None)
        if gene.method is Method.GENOTYPE:
            yield written, result_of(gene, diplotype)
            continue
        # Where nothing is stated of a genotype, what its alleles do is all that counts.
        signature = tuple(sorted(does[name] for name in some))
        if signature not in known:
            known[signature] = result_of(gene, diplotype)
        yield written, known[signature]


def _halves(gene: Gene, written: str) -> tuple[str, str | None]:
    """Return the names of a genotype; those of alleles may have a slash themselves."""
    names = {one.name for one in gene.alleles}
    if written in names:
        return written, None
    parts = written.split("/")
    for at in range(1, len(parts)):
        first, second = "/".join(parts[:at]), "/".join(parts[at:])
        if first in names and second in names:
            return first, second
    first, slash, second = written.partition("/")
    return first, second if slash else None


def _genotypes(gene: Gene, names: Sequence[str]) -> Iterator[tuple[str, ...]]:
    if gene.ploidy is not Ploidy.MITOCHONDRIAL:
        yield from combinations_with_replacement(names, 2)
    if gene.ploidy is not Ploidy.AUTOSOMAL:
        yield from ((name,) for name in names)


def _item(meaning: _Meaning, drug: Drug, pair: Pair | None, advice: Sequence[Recommendation]) -> KnowledgeItem:
    gene, result = meaning.gene, meaning.result
    phrase = result.phenotype or result.lookup
    level = pair.level if pair is not None else ""
    said = [one for one in advice if _is_said(one, gene.symbol, result)]
    names = dict.fromkeys((gene.symbol, drug.drug_id, phrase, result.lookup))
    return KnowledgeItem(
        ItemKind.THERAPEUTIC,
        " | ".join(name for name in names if name),
        genotypes=meaning.genotypes,
        identifiers=((PHARMGKB, gene.pharmgkb),) if gene.pharmgkb else (),
        statement=implication(phrase if phrase.startswith(gene.symbol) else f"{gene.symbol} {phrase}"),
        evidence=f"{_CPIC} Level {level}" if level else "",
        medications=(Concept(RXNORM if drug.rxnorm else "", drug.rxnorm, drug.name),),
        gene=gene.symbol,
        note=" ".join(map(_note, said)),
    )


def _is_said(one: Recommendation, symbol: str, result: Result) -> bool:
    if one.text.strip().casefold() in _NOTHING:
        return False
    return key(symbol, one.lookup[symbol]) in {key(symbol, text) for text in (result.lookup, result.phenotype) if text}


def _note(one: Recommendation) -> str:
    about = ", ".join(text for text in (one.classification, one.population) if text)
    text = one.text if one.source == _CPIC else f"{one.source}: {one.text}"
    return f"{text} ({about})" if about else text
