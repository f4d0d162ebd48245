"""Whether a release can be trusted: its sequence, its reference alleles, and what its advice is looked up by."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from app.formats.pgx import BASES, Gene, Method, NamedAllele, PgxContent, Position
from app.pgx.layers import says_meaning
from app.pgx.lookup import key
from app.records import Build

Bases = Callable[[Build, int, int, int], str | None]
"""Bases of (build, contig, start, end); None where they are not loaded"""

_HGNC: Final = {"DPYD": "HGNC:3012"}
_UNSAID: Final = frozenset({"no result", "n/a", "indeterminate", "not available", "unknown"})
_STATUS: Final = re.compile(r"(?:HLA-\S+ ?)?\*\S+ (?:positive|negative)", re.IGNORECASE)
_NUMBER: Final = re.compile(r"(?:≥|>=)?\s*([0-9]+(?:\.[0-9]+)?)")


@dataclass(frozen=True, slots=True)
class Problem:
    """One reason why a release cannot be used; ``gene`` is empty for what is of no gene."""

    gene: str
    name: str
    """Allele, position or recommendation"""
    text: str

    def __str__(self) -> str:
        where = " ".join(part for part in (self.gene, self.name) if part)
        return f"{where}: {self.text}" if where else self.text


def problems(content: PgxContent, bases: Bases, others: PgxContent | None = None) -> Iterator[Problem]:
    """Yield every reason why a release cannot be used.

    Args:
        content: What the release says.
        bases: The loaded sequences, which REF has to agree with.
        others: What is in use already; recommendations may be on genes that only it has.
    """
    seen: set[str] = set()
    for gene in content.genes:
        if gene.symbol in seen:
            yield Problem(gene.symbol, "", "the gene is there twice")
        seen.add(gene.symbol)
        if gene.symbol in _HGNC and gene.hgnc != _HGNC[gene.symbol]:
            yield Problem(gene.symbol, "", f"its HGNC number is {gene.hgnc or 'missing'}, not {_HGNC[gene.symbol]}")
        yield from _of_places(gene, bases)
        yield from _of_alleles(gene)
    yield from _of_advice(content, others or PgxContent())


# --- definitions ------------------------------------------------------------------------------------------------------


def _of_places(gene: Gene, bases: Bases) -> Iterator[Problem]:
    names: set[str] = set()
    for position in gene.positions:
        if position.name in names:
            yield Problem(gene.symbol, position.name, "the position is there twice")
        names.add(position.name)
        for build, start, ref in _refs(position):
            found = bases(build, position.contig, start, start + len(ref))
            if found is not None and found != ref:
                text = f"REF is {ref}, but {build.value} has {found} at {position.contig}:{start + 1}"
                yield Problem(gene.symbol, position.name, text)
        if position.alleles37 and (
            len(position.alleles37) != len(position.alleles38) or position.ref37 not in position.alleles37
        ):
            yield Problem(gene.symbol, position.name, "its alleles on GRCh37 are not those on GRCh38")


def _refs(position: Position) -> Iterator[tuple[Build, int, str]]:
    yield Build.GRCH38, position.start38, position.ref38
    if position.start37 is not None and position.ref37:
        yield Build.GRCH37, position.start37, position.ref37


def _of_alleles(gene: Gene) -> Iterator[Problem]:
    if not gene.positions:
        return
    for allele in gene.alleles:
        if len(allele.cells) != len(gene.positions):
            yield Problem(gene.symbol, allele.name, "it has not one cell for each position")
            return
        for cell, position in zip(allele.cells, gene.positions, strict=True):
            if cell and cell not in position.alleles38 and cell not in BASES:
                yield Problem(gene.symbol, allele.name, f"{cell} is no allele of {position.name}")
    references = [allele for allele in gene.alleles if allele.is_reference]
    if len(references) != 1:
        names = ", ".join(allele.name for allele in references) or "none"
        yield Problem(gene.symbol, "", f"it needs one reference allele, it has {names}")
        return
    reference = references[0]
    taking_part = [at for at, one in enumerate(gene.positions) if one.name not in gene.ignored]
    for at in taking_part:
        if not reference.cells[at]:
            yield Problem(gene.symbol, reference.name, f"the reference says nothing of {gene.positions[at].name}")
    yield from _of_twins(gene, reference, taking_part)


def _of_twins(gene: Gene, reference: NamedAllele, taking_part: list[int]) -> Iterator[Problem]:
    known: dict[tuple[str, ...], str] = {}
    for allele in gene.alleles:
        if allele.is_structural or allele.name in gene.ignored_alleles or not any(allele.cells):
            continue
        filled = tuple(allele.cells[at] or reference.cells[at] for at in taking_part)
        if filled in known:
            yield Problem(gene.symbol, allele.name, f"it is the same as {known[filled]}")
        known.setdefault(filled, allele.name)


# --- advice -----------------------------------------------------------------------------------------------------------


def _of_advice(content: PgxContent, others: PgxContent) -> Iterator[Problem]:
    drugs = {drug.drug_id for drug in (*content.drugs, *others.drugs)}
    keys: dict[tuple[str, str], str] = {}
    for one in content.recommendations:
        if one.drug_id not in drugs:
            yield Problem("", one.recommendation_id, f"no table of drugs has its drug {one.drug_id}")
        for symbol, wanted in one.lookup.items():
            keys.setdefault((symbol, wanted), one.recommendation_id)
    producible: dict[str, Producible | None] = {}
    for (symbol, wanted), recommendation_id in keys.items():
        if symbol not in producible:
            gene = _gene(symbol, content, others)
            producible[symbol] = Producible(gene) if gene is not None else None
        results = producible[symbol]
        if results is None:
            if not is_unsaid(wanted) and not _STATUS.fullmatch(wanted):
                yield Problem(symbol, recommendation_id, "a recommendation is on a gene that is not there")
        elif not results.has(wanted):
            yield Problem(symbol, recommendation_id, f"no result of the gene is {wanted!r}, which it is looked up by")


def _gene(symbol: str, content: PgxContent, others: PgxContent) -> Gene | None:
    own, other = content.gene(symbol), others.gene(symbol)
    if own is not None and (says_meaning(own) or other is None or own.method is Method.GENOTYPE):
        return own
    return other or own


def is_unsaid(result: str) -> bool:
    """Return whether what a result is called stands for none."""
    return result.casefold() in _UNSAID


class Producible:
    """The keys that results of a gene can have."""

    def __init__(self, gene: Gene) -> None:
        self._gene = gene
        texts = {rule.phenotype for rule in gene.rules} | {rule.phenotype for rule in gene.scores}
        for diplotype, result in gene.results.items():
            texts |= {diplotype, result.phenotype, result.activity, result.lookup}
        self._keys = {key(gene.symbol, text) for text in texts if text}
        self._names = {allele.name for allele in gene.alleles}
        values = {_number(allele.activity) for allele in gene.alleles} - {None}
        self._sums = {first + second for first in values for second in values}  # type: ignore[operator]

    def has(self, wanted: str) -> bool:
        """Return whether some result has a key."""
        if is_unsaid(wanted) or _STATUS.fullmatch(wanted) or key(self._gene.symbol, wanted) in self._keys:
            return True
        number = _number(wanted)
        if number is not None:
            return number in self._sums or any(rule.least <= number < rule.below for rule in self._gene.scores)
        return set(wanted.split("/")) <= self._names


def _number(text: str) -> float | None:
    match = _NUMBER.fullmatch(text)
    return float(match[1]) if match is not None else None
