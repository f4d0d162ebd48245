"""What a release changes against what is in use: alleles, functions, results of genotypes, recommendations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from app.formats.pgx import Drug, Gene, NamedAllele, PgxContent, Recommendation
from app.pgx.lookup import key


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference: ``before`` is empty for what is new, ``after`` for what is gone."""

    what: str
    """gene, allele, definition, function, result, recommendation"""
    of: str
    """Gene or drug"""
    name: str
    before: str
    after: str

    @property
    def verb(self) -> str:
        """Return added, removed or changed."""
        if not self.before:
            return "added"
        return "changed" if self.after else "removed"

    def line(self) -> str:
        """Return it for people."""
        told = " -> ".join(text for text in (self.before, self.after) if text)
        return f"{self.what} {self.verb}: {self.of} {self.name}: {told}"


def differences(before: PgxContent, after: PgxContent) -> Iterator[Difference]:
    """Yield what a release says otherwise than what is in use, of the genes and sources of advice that it has."""
    known = {gene.symbol: gene for gene in before.genes}
    for gene in after.genes:
        former = known.get(gene.symbol)
        if former is None:
            yield Difference("gene", gene.symbol, "", "", f"{len(gene.alleles)} alleles")
        else:
            yield from _of_alleles(former, gene)
            yield from _of_results(former, gene)
    yield from _of_advice(before, after)


def _of_alleles(former: Gene, gene: Gene) -> Iterator[Difference]:
    old, new = ({allele.name: allele for allele in one.alleles} for one in (former, gene))
    for name in [*old, *(name for name in new if name not in old)]:
        if name not in new:
            yield Difference("allele", gene.symbol, name, _definition(former, old[name]), "")
        elif name not in old:
            yield Difference("allele", gene.symbol, name, "", _definition(gene, new[name]))
        else:
            if gene.positions and former.positions:
                yield from _changed("definition", gene.symbol, name, _definitions(former, gene, name))
            does = tuple(_does(one[name]) for one in (old, new))
            yield from _changed("function", gene.symbol, name, does)


def _definitions(former: Gene, gene: Gene, name: str) -> tuple[str, str]:
    one, other = (next(allele for allele in each.alleles if allele.name == name) for each in (former, gene))
    return _definition(former, one), _definition(gene, other)


def _definition(gene: Gene, allele: NamedAllele) -> str:
    """Return what an allele has where it is not as the assembly is, whichever names positions have."""
    if allele.is_structural:
        return "structural"
    found = sorted(
        (position.start38, f"{position.contig}:{position.start38 + 1}{position.ref38}>{cell}")
        for position, cell in zip(gene.positions, allele.cells, strict=False)
        if cell and cell != position.ref38
    )
    return " ".join(text for _, text in found) or ("as the assembly" if any(allele.cells) else "by name only")


def _does(allele: NamedAllele) -> str:
    return ", ".join(text for text in (allele.function, allele.activity) if text) or "unknown"


def _of_results(former: Gene, gene: Gene) -> Iterator[Difference]:
    old, new = (_results(one) for one in (former, gene))
    yield from _changes("result", gene.symbol, old, new)


def _results(gene: Gene) -> Mapping[str, str]:
    """Return what is stated of genotypes and of pairs of functions."""
    found = {
        diplotype: ", ".join(text for text in (result.phenotype, result.activity, result.lookup) if text)
        for diplotype, result in gene.results.items()
    }
    for rule in gene.rules:
        found[" + ".join(sorted((rule.first, rule.second)))] = rule.phenotype
    for score in gene.scores:
        found[f"score {score.least:g} to {score.below:g}"] = score.phenotype
    return found


def _of_advice(before: PgxContent, after: PgxContent) -> Iterator[Difference]:
    sources = {one.source for one in after.recommendations}
    old, new = (_advice(content, sources) for content in (before, after))
    drugs = list(dict.fromkeys(drug for drug, _ in [*old, *new]))
    for drug in drugs:
        mine = [{name: text for (of, name), text in one.items() if of == drug} for one in (old, new)]
        yield from _changes("recommendation", drug, *mine)


def _advice(content: PgxContent, sources: set[str]) -> dict[tuple[str, str], str]:
    drugs = {drug.drug_id: drug for drug in content.drugs}
    return {
        (_drug_name(one, drugs), _asked(one)): f"{one.text} ({one.classification})" if one.classification else one.text
        for one in content.recommendations
        if one.source in sources
    }


def _drug_name(one: Recommendation, drugs: Mapping[str, Drug]) -> str:
    return drugs[one.drug_id].name if one.drug_id in drugs else one.drug_id


def _asked(one: Recommendation) -> str:
    lookup = ", ".join(f"{gene} {key(gene, result)}" for gene, result in sorted(one.lookup.items()))
    return " | ".join(text for text in (one.source, lookup, one.population) if text)


def _changes(what: str, of: str, old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[Difference]:
    for name in [*old, *(name for name in new if name not in old)]:
        yield from _changed(what, of, name, (old.get(name, ""), new.get(name, "")))


def _changed(what: str, of: str, name: str, said: tuple[str, ...]) -> Iterator[Difference]:
    before, after = said
    if before != after:
        yield Difference(what, of, name, before, after)
