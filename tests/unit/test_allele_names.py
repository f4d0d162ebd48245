"""What words find among the spellings of genotypes, haplotypes and HLA alleles."""

from __future__ import annotations

import pytest

from app.variants.allele_names import Word, certain_alleles, is_hla, pieces_of, search_text

CYP = ("CYP2C19", "CYP2C19 *1/*17")
D6 = ("CYP2D6", "CYP2D6 *1/*41")
B = ("HLA-B", "hla#3.33.0#HLA-B*08:01/HLA-B*40:01")
MAC = ("HLA-DRB1", "DRB1*13:AKBAR", "DRB1*13:01", "DRB1*13:02")
DPYD = ("DPYD", "DPYD Reference/c.1905+1G>A (*2A)")
GL = ("HLA-A", "hla#3.33.0#HLA-A*02:69+HLA-A*23:30|HLA-A*02:302+HLA-A*23:26/HLA-A*23:39")
DRA = ("HLA-DRA", "DRA*01:01")


def found(word: str, gene: str, *names: str) -> bool:
    hla = is_hla(gene, names)
    text, asked = search_text(gene, names, hla=hla), Word(word)
    hit = asked.is_in(text, hla=hla)
    # What is read from the database by its pieces must not miss what the word is in.
    pieces = pieces_of(text, hla=hla)
    holding = [[any(one in piece for piece in pieces) for one in spelling] for spelling in asked.pieces(hla=hla)]
    assert not hit or any(map(all, holding))
    return hit


@pytest.mark.parametrize(
    ("word", "name"),
    [
        ("CYP2C19", CYP),
        ("cyp2c19 *1/*17", CYP),
        ("CYP2C19 *17/*1", CYP),
        ("CYP2C19_*1/*17", CYP),
        ("CYP2C19*1/*17", CYP),
        ("CYP2C19   *1 / *17", CYP),
        ("*1/*17", CYP),
        ("*17/*1", CYP),
        ("CYP2C19 *1", CYP),
        ("CYP2C19 *17", CYP),
        ("CYP2C19 *1/", CYP),
        ("2C19 *1/*17", CYP),
        ("CYP2D6 *41/*1", D6),
        ("HLA-B", B),
        ("HLA-B*08", B),
        ("B*08", B),
        ("B*8", B),
        ("hla-b*8:01", B),
        ("HLA-B*08:01/HLA-B*40:01", B),
        ("B*40:01/B*08:01", B),
        ("hla#3.33.0#HLA-B*08:01/HLA-B*40:01", B),
        ("hla#3.33.0#HLA-B*40:01/HLA-B*08:01", B),
        ("DRB1*13:AKBAR", MAC),
        ("HLA-DRB1*13:AKBAR", MAC),
        ("DRB1*13:02", MAC),
        ("HLA-DRB1*13", MAC),
        ("HLA-DRB1", MAC),
        ("drb1*13:akbar", MAC),
        ("DPYD c.1905+1G>A (*2A)/Reference", DPYD),
        ("c.1905+1G>A (*2A)", DPYD),
        ("HLA-A*23:30+HLA-A*02:69|HLA-A*02:302+HLA-A*23:39/HLA-A*23:26", GL),
        ("HLA-A*02:69+HLA-A*23:30|HLA-A*02:302", GL),
        ("HLA-A*23", GL),
        ("A*23:26", GL),
        ("DRA*01", DRA),
    ],
)
def test_word_finds(word: str, name: tuple[str, ...]) -> None:
    assert found(word, *name)


@pytest.mark.parametrize(
    ("word", "name"),
    [
        ("CYP2D6 *1/*4", D6),
        ("*4/*1", D6),
        ("CYP2D6 *4", D6),
        ("CYP2C19 *1/*1", CYP),
        ("CYP2C19 *1/*2", ("CYP2C19", "CYP2C19 *1/*28")),
        ("CYP2D6 *1/*2", ("CYP2D6", "CYP2D6 *1/*2x2")),
        ("CYP2D6 *1/*2", ("CYP2D6", "CYP2D6 *1/*2xN")),
        ("CYP2D6 *1/*36", ("CYP2D6", "CYP2D6 *1/*36+*10")),
        ("CYP2C1.", CYP),
        ("CYP2C19 .*", CYP),
        ("CYP2C19 [*]1", CYP),
        ("HLA-B*27", B),
        ("B*4", B),
        ("HLA-B*08:01:01", B),
        ("HLA-B*08:0", B),
        ("A*1", ("HLA-A", "HLA-A*11:01")),
        ("A*02:10", ("HLA-A", "HLA-A*02:101")),
        ("DPB1*10", ("HLA-DPB1", "DPB1*104:01")),
        ("A*01", DRA),
        ("HLA-A*01", DRA),
        ("HLA-A*23:30+HLA-A*02:69/HLA-A*23:26", GL),
        ("DRB1*13:03", MAC),
    ],
)
def test_word_does_not_find(word: str, name: tuple[str, ...]) -> None:
    assert not found(word, *name)


def test_copies_of_a_haplotype_are_asked_for_by_their_number() -> None:
    assert found("CYP2D6 *2x2/*1", "CYP2D6", "CYP2D6 *1/*2x2")


@pytest.mark.parametrize(
    ("gene", "code", "listed", "certain"),
    [
        ("CYP2C19", "CYP2C19 *1/*17", ["CYP2C19 *1", "CYP2C19 *17"], ("CYP2C19 *1", "CYP2C19 *17")),
        ("CYP2C19", "CYP2C19 *17/*1", ["CYP2C19 *1", "CYP2C19 *17"], ("CYP2C19 *1", "CYP2C19 *17")),
        ("CYP2C19", "CYP2C19 *1/*1", ["CYP2C19 *1", "CYP2C19 *1"], ("CYP2C19 *1",)),
        ("CYP2C19", "CYP2C19 *1/*17", ["CYP2C19 *1"], ()),
        ("CYP2C19", "CYP2C19 *1/*17", [], ()),
        ("HLA-A", "HLA-A*01:01+HLA-A*02:01", ["A*01:01", "HLA-A*02:01"], ("A*01:01", "HLA-A*02:01")),
        ("HLA-A", "hla#3.33.0#HLA-A*01:01+HLA-A*02:01", ["HLA-A*01:01", "HLA-A*02:01"], ("HLA-A*01:01", "HLA-A*02:01")),
        ("HLA-B", B[1], ["HLA-B*08:01", "HLA-B*40:01"], ()),
        ("HLA-DRB1", "DRB1*13:AKBAR", ["DRB1*13:01", "DRB1*13:02"], ()),
        ("HLA-A", "A*01:01", ["HLA-A*01:01"], ("HLA-A*01:01",)),
    ],
)
def test_only_alleles_that_the_genotype_leaves_no_choice_about_are_certain(
    gene: str, code: str, listed: list[str], certain: tuple[str, ...]
) -> None:
    assert certain_alleles(code, gene, listed) == certain


@pytest.mark.parametrize(
    ("gene", "names", "alleles", "hla"),
    [
        ("HLA-B", [], [], True),
        (None, ["HLA-B*08:01"], [], True),
        (None, ["hla#3.33.0#x"], [], True),
        ("MICA", ["MICA*002"], ["MICA*002:01"], True),
        ("CYP2D6", ["CYP2D6 *1/*4"], [], False),
        (None, ["*1/*4"], [], False),
    ],
)
def test_what_is_of_hla(gene: str | None, names: list[str], alleles: list[str], *, hla: bool) -> None:
    assert is_hla(gene, names, alleles=alleles) is hla


def test_a_namespace_without_alleles_is_not_in_every_name() -> None:
    assert not found("hla#", *DRA)
    assert found("hla#", "HLA-A", "hla#3.33.0#HLA-A*01:01+HLA-A*02:01")


def test_pieces_are_alleles_and_the_sides_of_their_stars() -> None:
    text = search_text("CYP2D6", ["CYP2D6 *36+*10/*4"], hla=False)
    assert pieces_of(text, hla=False) == {
        "cyp2d6*36+*10", "cyp2d6*4", "*36+*10", "*4", "cyp2d6", "36+", "10", "4",
    }  # fmt: skip
    text = search_text("HLA-A", ["hla#3.33.0#A*01:01+A*02:01/A*02:09"], hla=True)
    assert pieces_of(text, hla=True) == {
        "hla", "3.33.0", "hla-a*01:01", "hla-a*02:01", "hla-a*02:09", "hla-a", "01:01", "02:01", "02:09",
    }  # fmt: skip
