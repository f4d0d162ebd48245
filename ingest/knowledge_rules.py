"""Rules of a release, placed before they are stored: genes become regions, and every rule is told in words.

A rule whose gene is not known, or whose parts contradict each other, is rejected with its item: it would never be met,
and nobody would hear of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from app.errors import quoted
from app.formats.knowledge import COVERS, Rule
from app.records import Build, StructuralKind
from app.store.knowledge_rules import PlacedRule
from app.variants.accessions import accession, locate
from app.variants.transcripts import Gene, Transcripts

NO_GENES: Final = "a rule for a gene, and no transcripts are loaded"
UNKNOWN_GENE: Final = "a rule for a gene that is not known"
NOT_IN_GENE: Final = "a rule whose region is not within its gene"
NOT_YET: Final = "a rule for consequences, which are not evaluated"

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


def place(rule: Rule, transcripts: Transcripts) -> PlacedRule:
    """Return a rule with its regions.

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
        raise Unplaceable(NOT_YET)
    kinds = tuple(StructuralKind[name] for name in dict.fromkeys(rule.changes)) or _WITH_COPIES
    symbol, hgnc = (gene.symbol, gene.hgnc or "") if gene is not None else ("", "")
    placed = PlacedRule(
        "", contig, regions, symbol, hgnc, kinds, rule.relation == COVERS, rule.copies_at_least, rule.copies_at_most
    )
    return _with_words(placed, _structural_words(placed))


def _gene(name: str, transcripts: Transcripts) -> Gene:
    if transcripts.is_empty:
        raise Unplaceable(NO_GENES, quoted(name))
    found = transcripts.genes_named(name)
    if len(found) != 1 or not found[0].spans:
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


def _with_words(placed: PlacedRule, words: str) -> PlacedRule:
    return PlacedRule(
        words, placed.contig, placed.regions, placed.gene, placed.hgnc, placed.kinds, placed.covers, placed.copies_min,
        placed.copies_max, placed.terms, placed.protein, placed.protein_at,
    )  # fmt: skip


def _structural_words(placed: PlacedRule) -> str:
    """Return a structural rule in words.

    >>> rule = PlacedRule("", 17, {Build.GRCH38: (100, 200)}, "X1", kinds=(StructuralKind.DEL,), copies_max=1)
    >>> _structural_words(rule)
    'deletion that covers NC_000017.11:100-200 (X1), at most 1 copy'
    """
    where = " / ".join(
        f"{accession(build, placed.contig)}:{start}-{end}"
        for build, (start, end) in sorted(placed.regions.items(), reverse=True)
    )
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
