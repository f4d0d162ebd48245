"""Rules of a release, placed before they are stored: genes become regions, and every rule is told in words.

A rule whose gene is not known, or whose parts contradict each other, is rejected with its item: it would never be met,
and nobody would hear of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final

from app.errors import quoted
from app.formats.knowledge import COVERS, ItemKind, Rule
from app.records import Build, StructuralKind
from app.store.knowledge_rules import PlacedRule
from app.variants.accessions import accession, locate
from app.variants.consequence_terms import TERMS
from app.variants.transcripts import MANE_SELECT, Gene, Transcripts

NO_GENES: Final = "a rule for a gene, and no transcripts are loaded"
UNKNOWN_GENE: Final = "a rule for a gene that is not known"
NOT_IN_GENE: Final = "a rule whose region is not within its gene"
NO_GENE: Final = "a rule for consequences that names no gene"
NO_MANE: Final = "a rule for a protein whose gene has no MANE Select transcript"
CIRCULAR: Final = "a consequence that follows from consequences"

_NAMES: Final = {term.accession: term.name for term in TERMS.values()}
_WITH_COPIES = (StructuralKind.DEL, StructuralKind.DUP, StructuralKind.CNV)
_WORDS: Final = {
    StructuralKind.DEL: "deletion",
    StructuralKind.DUP: "duplication",
    StructuralKind.INV: "inversion",
    StructuralKind.INS: "insertion",
    StructuralKind.CNV: "copy number variant",
}


class Unplaceable(Exception):
    """A rule that cannot be evaluated; ``cause`` is one of few phrases."""

    def __init__(self, cause: str, detail: str = "") -> None:
        super().__init__(cause)
        self.cause = cause
        self.detail = detail


def place(rule: Rule, kind: ItemKind, transcripts: Transcripts) -> PlacedRule:
    """Return the rule of an item of a kind with its regions.

    Raises:
        Unplaceable: its gene is not known, or it cannot be met.
    """
    gene = _gene(rule.gene, transcripts) if rule.gene else None
    regions = {_build(number): (start, end) for number, _, start, end in rule.regions}
    contig = rule.regions[0][1] if rule.regions else -1
    if gene is not None:
        extents = {build: (span.start, span.end) for build, span in gene.spans.items()}
        on = locate(next(iter(gene.spans.values())).ref_seq)[0]
        if regions and not _is_within(regions, contig, extents, on):
            raise Unplaceable(NOT_IN_GENE, gene.symbol)
        regions, contig = regions or extents, on
    if rule.is_of_consequences:
        if gene is None:
            raise Unplaceable(NO_GENE)
        if kind is ItemKind.CONSEQUENCE:
            raise Unplaceable(CIRCULAR)
        return _of_consequences(rule, gene, contig, regions, transcripts)
    kinds = tuple(StructuralKind[name] for name in dict.fromkeys(rule.changes)) or _WITH_COPIES
    symbol, hgnc = (gene.symbol, gene.hgnc or "") if gene is not None else ("", "")
    placed = PlacedRule(
        "", contig, regions, symbol, hgnc, kinds, rule.relation == COVERS, rule.copies_at_least, rule.copies_at_most
    )
    return replace(placed, words=_structural_words(placed))


def _of_consequences(
    rule: Rule, gene: Gene, contig: int, regions: dict[Build, tuple[int, int]], transcripts: Transcripts
) -> PlacedRule:
    if rule.protein or rule.protein_at:
        known = transcripts.of_gene(gene.hgnc or gene.symbol)
        if not any(transcript.mane == MANE_SELECT for transcript in known):
            raise Unplaceable(NO_MANE, gene.symbol)
    placed = PlacedRule(
        "", contig, regions, gene.symbol, gene.hgnc or "", terms=rule.terms, protein=rule.protein,
        protein_at=rule.protein_at,
    )  # fmt: skip
    return replace(placed, words=_consequence_words(placed, region=regions if rule.regions else {}))


def _consequence_words(placed: PlacedRule, region: dict[Build, tuple[int, int]]) -> str:
    """Return a rule for consequences in words.

    >>> rule = PlacedRule("", 7, {}, "BRAF", terms=("SO:0001583",), protein_at=(600, 601))
    >>> _consequence_words(rule, {})
    'missense_variant, a change of residues 600 to 601 (MANE Select) in BRAF'
    """
    parts = []
    if placed.terms:
        parts.append(" or ".join(_NAMES.get(code, code) for code in placed.terms))
    if placed.protein:
        parts.append(f"{placed.protein} (MANE Select)")
    if placed.protein_at is not None:
        first, last = placed.protein_at
        residues = f"residue {first}" if first == last else f"residues {first} to {last}"
        parts.append(f"a change of {residues} (MANE Select)")
    where = f"{placed.gene} at {_places(placed.contig, region)}" if region else placed.gene
    return f"{', '.join(parts)} in {where}"


def _places(contig: int, regions: Mapping[Build, tuple[int, int]]) -> str:
    return " / ".join(
        f"{accession(build, contig)}:{start}-{end}" for build, (start, end) in sorted(regions.items(), reverse=True)
    )


def _gene(name: str, transcripts: Transcripts) -> Gene:
    if transcripts.is_empty:
        raise Unplaceable(NO_GENES, quoted(name))
    found = transcripts.genes_named(name)
    if len(found) != 1 or len({locate(span.ref_seq)[0] for span in found[0].spans.values()}) != 1:
        raise Unplaceable(UNKNOWN_GENE, quoted(name))
    return found[0]


def _build(number: int) -> Build:
    return Build.GRCH37 if number == 37 else Build.GRCH38


def _is_within(
    regions: dict[Build, tuple[int, int]], contig: int, extents: dict[Build, tuple[int, int]], on: int
) -> bool:
    """Return whether regions lie within a gene, so that whatever affects them affects it."""
    return contig == on and all(
        build in extents and extents[build][0] <= start and end <= extents[build][1]
        for build, (start, end) in regions.items()
    )


def _structural_words(placed: PlacedRule) -> str:
    """Return a structural rule in words.

    >>> rule = PlacedRule("", 17, {Build.GRCH38: (100, 200)}, "X1", kinds=(StructuralKind.DEL,), copies_max=1)
    >>> _structural_words(rule)
    'deletion that covers NC_000017.11:100-200 (X1), at most 1 copy'
    """
    where = _places(placed.contig, placed.regions)
    if placed.gene:
        where += f" ({placed.gene})"
    events = " or ".join(_events(placed.kinds, "covers" if placed.covers else "overlaps"))
    copies = _copies(placed.copies_min, placed.copies_max)
    return f"{events} {where}, {copies}" if copies else f"{events} {where}"


def _events(kinds: Sequence[StructuralKind], relation: str) -> Iterator[str]:
    others = [_WORDS[kind] for kind in kinds if kind is not StructuralKind.INS]
    if StructuralKind.INS in kinds:
        yield "insertion within"
    if others:
        yield f"{' or '.join(others)} that {relation}"


def _copies(least: int | None, most: int | None) -> str:
    if least is None and most is None:
        return ""
    if least is None:
        return f"at most {most} {'copy' if most == 1 else 'copies'}"
    if most is None:
        return f"at least {least} {'copy' if least == 1 else 'copies'}"
    return f"{least} to {most} copies"
