"""Laws of words and names: halves have no order, a genotype is found by itself, and no number is cut."""

from __future__ import annotations

import itertools
import re

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from app.variants.allele_names import Word, certain_alleles, is_hla, pieces_of, search_text

many = settings(max_examples=1500, deadline=None)
some = settings(max_examples=300, deadline=None)

genes = st.sampled_from(["CYP2C19", "CYP2D6", "TPMT", "UGT1A1", "SLCO1B1"])
numbers = st.integers(1, 200)
stars = st.builds(lambda number, copies: f"*{number}{copies}", numbers, st.sampled_from(["", "", "", "x2", "A"]))
loci = st.sampled_from(["A", "B", "C", "DRB1", "DQA1", "DPB1"])
fields = st.lists(st.integers(1, 300).map("{:02}".format), min_size=1, max_size=3)
alleles = st.builds(lambda locus, parts: f"HLA-{locus}*{':'.join(parts)}", loci, fields)
printable = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1)


def found(word: str, gene: str | None, *names: str) -> bool:
    hla = is_hla(gene, names)
    return Word(word).is_in(search_text(gene, names, hla=hla), hla=hla)


@many
@given(genes, stars, stars)
def test_halves_of_a_diplotype_have_no_order(gene: str, one: str, other: str) -> None:
    assert found(f"{gene} {other}/{one}", gene, f"{gene} {one}/{other}")
    assert found(f"{other}/{one}", gene, f"{gene} {one}/{other}")
    assert found(f"{gene}_{other}/{one}".lower(), None, f"{gene}  {one} / {other}")


@many
@given(genes, numbers, numbers, numbers, numbers)
def test_a_diplotype_of_numbers_is_found_by_no_other(gene: str, a: int, b: int, c: int, d: int) -> None:
    assert found(f"{gene} *{a}/*{b}", gene, f"{gene} *{c}/*{d}") is (sorted((a, b)) == sorted((c, d)))


@some
@given(st.lists(alleles, min_size=1, max_size=4))
def test_alleles_of_a_gl_string_have_no_order(names: list[str]) -> None:
    for separator, order in itertools.product("+/|^~", (names[::-1], sorted(names))):
        code = f"hla#3.33.0#{separator.join(names)}"
        assert found(separator.join(order), None, code)
        assert found(separator.join(order).replace("HLA-", ""), None, code)


@some
@given(alleles, alleles)
def test_an_allele_is_found_by_its_fields(asked: str, stored: str) -> None:
    locus, fields = stored.split("*")
    starts = [":".join(fields.split(":")[:n]) for n in range(1, 4)]
    expected = asked in {f"{locus}*{start}" for start in starts}
    assert found(asked, None, stored) is expected
    assert found(asked.removeprefix("HLA-"), None, stored) is expected


@some
@given(printable, st.none() | genes, st.lists(printable, max_size=2))
def test_what_is_stored_is_found_by_its_code(code: str, gene: str | None, more: list[str]) -> None:
    assert found(code, gene, code, *more)


@some
@given(printable, genes, stars, stars)
def test_what_finds_a_name_is_in_its_pieces(word: str, gene: str, one: str, other: str) -> None:
    for name in (f"{gene} {one}/{other}", word, f"{word}{one}"):
        hla = is_hla(gene, [name])
        text = search_text(gene, [name], hla=hla)
        held, certain = by_pieces(Word(word), text, hla=hla)
        if certain:
            assert held is Word(word).is_in(text, hla=hla)
        else:
            assert held or not Word(word).is_in(text, hla=hla)


@some
@given(st.text("b*2:7/+~|# ", min_size=1, max_size=6), st.text("ab*127:/+~|^#x_ ", max_size=14), st.none() | genes)
def test_a_word_of_one_piece_is_in_a_text_exactly_if_it_is_in_a_piece(word: str, name: str, gene: str | None) -> None:
    assume(word.strip())
    for hla in (False, True):
        text = search_text(gene, [name, "HLA-B*27:05+HLA-B*07:02"], hla=hla)
        held, certain = by_pieces(Word(word), text, hla=hla)
        assert held is Word(word).is_in(text, hla=hla) if certain else held or not Word(word).is_in(text, hla=hla)


def by_pieces(word: Word, text: str, *, hla: bool) -> tuple[bool, bool]:
    """Return whether the pieces of a text can hold a word, and whether that is certain."""
    pieces = pieces_of(text, hla=hla)
    spelled = word.pieces(hla=hla)
    if word.is_one_piece(hla=hla):
        stars = {"*" in spelling[0] for spelling in spelled}
        return any(word.is_in(piece, hla=hla) for piece in pieces if ("*" in piece) in stars), True
    holding = [
        all(any(("*" in asked) == ("*" in piece) and asked in piece for piece in pieces) for asked in spelling)
        for spelling in spelled
    ]
    return any(holding), False


@some
@given(st.text(st.sampled_from(r".*+?()[]{}^$|\d-"), min_size=1, max_size=6))
def test_no_character_of_a_word_is_a_pattern(word: str) -> None:
    name = "abc123"
    assume(word not in name)
    assert not found(word, None, name)


@some
@given(genes, st.lists(numbers, min_size=2, max_size=2))
def test_certain_alleles_are_those_listed_if_they_make_the_genotype(gene: str, pair: list[int]) -> None:
    listed = [f"{gene} *{number}" for number in pair]
    code = f"{gene} {'/'.join(re.sub(r'.* ', '', name) for name in reversed(listed))}"
    assert certain_alleles(code, gene, listed) == tuple(dict.fromkeys(listed))
    assert certain_alleles(code, gene, [*listed, f"{gene} *201"]) == ()
