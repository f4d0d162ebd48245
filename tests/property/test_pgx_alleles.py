"""Laws of calling: two alleles that were put together are found again, and what copy is written first says nothing."""

from __future__ import annotations

import itertools

from hypothesis import given, settings
from hypothesis import strategies as st

from app.formats.pgx import BASES, Gene, Method, NamedAllele, Position
from app.pgx.calls import CallStatus, Diplotype, GeneCall, Observed, Sample
from app.pgx.diplotypes import diplotype
from app.pgx.matcher import call_gene
from tests.small_genes import DPYD, RYR1

some = settings(max_examples=300, deadline=None)
BASE = "ACGT"


@st.composite
def genes(draw: st.DrawFn) -> Gene:
    """Return a gene of one to six positions and two to seven alleles with codes for several bases here and there."""
    sites = tuple(
        Position(f"rs{at}", 1, 10 * at, tuple(draw(st.permutations(BASE))[: draw(st.integers(2, 4))]))
        for at in range(draw(st.integers(1, 6)))
    )
    codes = {site: [code for code, bases in BASES.items() if set(bases) <= set(site.alleles38)] for site in sites}
    reference = NamedAllele("*1", tuple(site.ref38 for site in sites), is_reference=True)
    cells = st.tuples(*(st.sampled_from(("", "", *site.alleles38, *codes[site])) for site in sites))
    further = draw(st.lists(cells.filter(any), min_size=1, max_size=6, unique=True))
    named = (NamedAllele(f"*{number}", found) for number, found in enumerate(further, 2))
    return Gene("TOY", "", "", 1, Method.PHENOTYPE, sites, (reference, *named))


def sequences(gene: Gene, allele: NamedAllele) -> st.SearchStrategy[tuple[str, ...]]:
    return st.tuples(
        *(st.sampled_from(allowed(site, cell)) for site, cell in zip(gene.positions, allele.cells, strict=True))
    )


def allowed(site: Position, cell: str) -> list[str]:
    if cell in BASES:
        return [base for base in site.alleles38 if base in BASES[cell]]
    return [cell or site.ref38]


def observe(gene: Gene, first: tuple[str, ...], second: tuple[str, ...], phased: list[bool]) -> Sample:
    return Sample(
        {
            site.name: Observed((one, other), is_phased)
            for site, one, other, is_phased in zip(gene.positions, first, second, phased, strict=True)
        }
    )


def candidates(call: GeneCall) -> dict[str, int]:
    return {each.text: each.score for each in (*call.diplotypes, *call.alternatives)}


@st.composite
def people(draw: st.DrawFn) -> tuple[Gene, Diplotype, tuple[str, ...], tuple[str, ...]]:
    """Return a gene, two of its alleles, and a sequence that fits each."""
    gene = draw(genes())
    one, other = draw(st.sampled_from(gene.alleles)), draw(st.sampled_from(gene.alleles))
    return gene, diplotype(one.name, other.name), draw(sequences(gene, one)), draw(sequences(gene, other))


def all_phased(gene: Gene, *, phased: bool) -> list[bool]:
    return [phased] * len(gene.positions)


@some
@given(people(), st.booleans())
def test_two_alleles_put_together_are_among_what_fits(
    person: tuple[Gene, Diplotype, tuple[str, ...], tuple[str, ...]], phased: bool
) -> None:
    gene, pair, first, second = person
    call = call_gene(gene, observe(gene, first, second, all_phased(gene, phased=phased)))
    assert pair.text in candidates(call)


@some
@given(people(), st.lists(st.booleans(), min_size=6, max_size=6))
def test_which_copy_is_written_first_changes_nothing(
    person: tuple[Gene, Diplotype, tuple[str, ...], tuple[str, ...]], phased: list[bool]
) -> None:
    gene, _, first, second = person
    marks = phased[: len(gene.positions)]
    assert call_gene(gene, observe(gene, first, second, marks)) == call_gene(gene, observe(gene, second, first, marks))


@some
@given(people())
def test_phase_only_takes_candidates_away(person: tuple[Gene, Diplotype, tuple[str, ...], tuple[str, ...]]) -> None:
    gene, _, first, second = person
    with_phase = call_gene(gene, observe(gene, first, second, all_phased(gene, phased=True)))
    without = call_gene(gene, observe(gene, first, second, all_phased(gene, phased=False)))
    assert set(candidates(with_phase)) <= set(candidates(without))


@some
@given(people())
def test_pairs_and_scores_are_those_that_listing_every_division_finds(
    person: tuple[Gene, Diplotype, tuple[str, ...], tuple[str, ...]],
) -> None:
    gene, _, first, second = person
    call = call_gene(gene, observe(gene, first, second, all_phased(gene, phased=False)))
    assert candidates(call) == _by_listing(gene, first, second)


def _by_listing(gene: Gene, first: tuple[str, ...], second: tuple[str, ...]) -> dict[str, int]:
    """Return the score of each pair: cells that are stated, less the codes that always stand for the reference."""
    divisions = set()
    for turns in itertools.product((False, True), repeat=len(first)):
        one = tuple(b if turn else a for a, b, turn in zip(first, second, turns, strict=True))
        other = tuple(a if turn else b for a, b, turn in zip(first, second, turns, strict=True))
        divisions.add((one, other))
    found = {}
    for left, right in itertools.product(gene.alleles, repeat=2):
        fitting = [(one, other) for one, other in divisions if _fits(gene, left, one) and _fits(gene, right, other)]
        if left is right:
            scores = [_score(gene, left, {one}) + _score(gene, left, {other}) for one, other in fitting]
        else:
            sides = [{one for one, _ in fitting}, {other for _, other in fitting}]
            scores = [_score(gene, left, sides[0]) + _score(gene, right, sides[1])] if fitting else []
        if scores:
            found[diplotype(left.name, right.name).text] = max(scores)
    return found


def _score(gene: Gene, allele: NamedAllele, matched: set[tuple[str, ...]]) -> int:
    always_reference = sum(
        cell in BASES and all(sequence[at] == gene.positions[at].ref38 for sequence in matched)
        for at, cell in enumerate(allele.cells)
    )
    return sum(map(bool, allele.cells)) - always_reference


def _fits(gene: Gene, allele: NamedAllele, sequence: tuple[str, ...]) -> bool:
    return all(
        base in allowed(site, cell) for site, cell, base in zip(gene.positions, allele.cells, sequence, strict=True)
    )


@some
@given(st.sampled_from([DPYD, RYR1]), st.data())
def test_variants_that_count_by_themselves_do_not_depend_on_which_copy_is_written_first(
    gene: Gene, data: st.DataObject
) -> None:
    sequence = st.tuples(*(st.sampled_from(site.alleles38) for site in gene.positions))
    first, second = data.draw(sequence), data.draw(sequence)
    marks = [data.draw(st.booleans())] * len(gene.positions)
    one = call_gene(gene, observe(gene, first, second, marks))
    assert one.status is CallStatus.CALLED
    assert one == call_gene(gene, observe(gene, second, first, marks))
