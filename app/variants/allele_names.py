r"""How genotypes, haplotypes and HLA alleles are spelled: one text to search in, and what a word finds in it.

Names of PharmVar (https://www.pharmvar.org), IPD-IMGT/HLA nomenclature (https://hla.alleles.org/nomenclature/naming.html)
and GL strings (https://glstring.org) differ in case, blanks, underscores, the ``HLA-`` prefix, leading zeros and the
order of their halves, and mean the same. The text of a name is made once, when it is stored; a word is searched in it.

A word is found wherever it stands, so that what is not complete (``CYP2C19``, ``HLA-B*27``) finds what continues it.
Only a number is never cut: ``*1/*4`` is not in ``*1/*41``, nor ``B*27:05`` in ``B*27:052``, and an allele is not in a
gene whose symbol only ends like its own (``A*01`` in ``DRA*01:01``).

>>> text = search_text("CYP2D6", ["CYP2D6 *1/*41"], hla=False)
>>> Word("cyp2d6_*41/*1").is_in(text, hla=False), Word("CYP2D6 *1/*4").is_in(text, hla=False)
(True, False)
>>> Word("B*8").is_in(search_text("HLA-B", ["HLA-B*08:01"], hla=True), hla=True)
True
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cached_property

GL_NAMESPACE = "hla#"
"""What a GL string of HLA alleles begins with: the namespace; a version and the alleles follow, each after a #"""

_SEPARATORS = "^|+~/"
"""Of GL strings, from the loosest: loci, ambiguous genotypes, copies, alleles of one chromosome, ambiguous alleles"""

_BREAKS = {False: re.compile(r"[/\n]"), True: re.compile(r"[\^|+~/#\n]")}
"""Between the pieces of a text, by whether the nomenclature of HLA spells it; elsewhere ``*36+*10`` is one haplotype"""

_BLANKS = re.compile(r"\s+")
_AROUND_SEPARATOR = re.compile(r" ?([\^|+~/]) ?")
_BEFORE_STAR = re.compile(r"(?<=[a-z0-9])[ _]+(?=\*)")
_BARE_LOCUS = re.compile(r"(?<![a-z0-9-])(?=[a-z][a-z0-9]*\*)")
_ONE_DIGIT = re.compile(r"(?<=\*)([1-9])(?![0-9])")
_LOCUS = re.compile(r"[a-z0-9-]+(?=\*)")
_HLA_ALLELE = re.compile(r"(?<![a-z0-9])hla-[a-z0-9]+\*", re.IGNORECASE)


def is_hla(gene_symbol: str | None, names: Iterable[str], *, alleles: Iterable[str] = ()) -> bool:
    """Return whether a genotype is one of HLA, whose nomenclature writes at least two digits a field."""
    if (gene_symbol or "").upper().startswith("HLA-") or any(alleles):
        return True
    return any(name.lower().startswith(GL_NAMESPACE) or _HLA_ALLELE.search(name) for name in names)


def search_text(gene_symbol: str | None, names: Iterable[str], *, hla: bool) -> str:
    """Return everything that words are looked for in: each name in every order of its halves, one a line."""
    lines: dict[str, None] = {}
    for name in names:
        spelled = _spelled(name, hla=hla)
        lines[spelled] = None
        for other in _other_orders(spelled, (gene_symbol or "").lower(), hla=hla):
            lines[other] = None
    return "\n".join(line for line in lines if line)


def pieces_of(text: str, *, hla: bool) -> set[str]:
    """Return what ``search_text`` made in pieces: alleles, and without their stars the two sides of each.

    There are far fewer of them than of texts: a thousand alleles make half a million genotypes. A word with a star is
    looked for in pieces with one, any other in those without, of which a gene has one however many alleles it has.
    """
    found = set(_BREAKS[hla].split(text))
    found.update(*(piece.split("*") for piece in found if "*" in piece))
    return found - {""}


def genotype_key(code: str, gene_symbol: str | None = None) -> str:
    """Return the one spelling of a genotype: halves and copies in one order, without what does not count.

    >>> genotype_key("CYP2C19_*17/*1") == genotype_key("CYP2C19 *1/*17")
    True
    """
    hla = is_hla(gene_symbol, [code])
    spelled = _spelled(code, hla=hla)
    others = [other for other in _other_orders(spelled, (gene_symbol or "").lower(), hla=hla) if other]
    return min([spelled, *others])


class Word:
    """A word that names are searched for; it holds no line break."""

    def __init__(self, text: str) -> None:
        self.text = text

    @cached_property
    def _spellings(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Return the spellings to look for among names of other genes, and among those of HLA."""
        plain, hla = _spelled(self.text, hla=False), _padded(_common(self.text))
        full = _spelled(self.text, hla=True)
        spelled = tuple(spelling for spelling in dict.fromkeys((hla, full, _in_order(full))) if spelling)
        return (plain,), spelled or ("",)

    def pieces(self, *, hla: bool) -> list[list[str]]:
        """Return for each spelling the pieces of it; a text that the word is in holds all those of one spelling."""
        return [[piece for piece in _BREAKS[hla].split(text) if piece] or [""] for text in self._spellings[hla]]

    def is_one_piece(self, *, hla: bool) -> bool:
        """Return whether a text has the word in it if and only if one of ``pieces_of`` it has."""
        return not any(_BREAKS[hla].search(text) for text in self._spellings[hla])

    @cached_property
    def _patterns(self) -> tuple[re.Pattern[str], re.Pattern[str]]:
        return _pattern(self._spellings[False], hla=False), _pattern(self._spellings[True], hla=True)

    def is_in(self, text: str, *, hla: bool) -> bool:
        """Return whether the word is in a text that ``search_text`` made."""
        return self._patterns[hla].search(text) is not None


def certain_alleles(code: str, gene_symbol: str | None, alleles: Iterable[str]) -> tuple[str, ...]:
    """Return the listed alleles if the genotype says that all of them are there; none where it leaves a choice.

    A GL string with ``/`` or ``|``, and a code that stands for several alleles (``DRB1*13:AKBAR``), leave one.
    """
    listed = list(alleles)
    hla = is_hla(gene_symbol, [code, *listed])
    spelled = _spelled(code, hla=hla)
    parts = re.split(r"[+^~]", spelled.rpartition("#")[2]) if hla else _halves(spelled, (gene_symbol or "").lower())
    stated = sorted(parts)
    return tuple(dict.fromkeys(listed)) if stated == sorted(_spelled(name, hla=hla) for name in listed) else ()


def _common(text: str) -> str:
    """Return a name in lower case without the blanks and underscores that do not count."""
    text = _BLANKS.sub(" ", text.casefold()).strip()
    return _BEFORE_STAR.sub("", _AROUND_SEPARATOR.sub(r"\1", text))


def _padded(text: str) -> str:
    """Return HLA alleles with the leading zero that an old spelling leaves out, so that ``A*1`` is not ``A*11``."""
    return _ONE_DIGIT.sub(r"0\1", text)


def _spelled(text: str, *, hla: bool) -> str:
    return _BARE_LOCUS.sub("hla-", _padded(_common(text))) if hla else _common(text)


def _other_orders(spelled: str, gene: str, *, hla: bool) -> Iterable[str]:
    if hla:
        return (_in_order(spelled),)
    prefix = _prefix(spelled, gene)
    halves = spelled.removeprefix(prefix).split("/")
    if len(halves) != 2:
        return ()
    swapped = "/".join(reversed(halves))
    # A second half that names the gene itself brings its name to the front.
    return (swapped,) if prefix and halves[1].startswith(prefix) else (f"{prefix}{swapped}",)


def _prefix(spelled: str, gene: str) -> str:
    """Return the gene that a name begins with, and the blank after it."""
    if gene and spelled.startswith((f"{gene}*", f"{gene} ", f"{gene}_")):
        return spelled[: len(gene)] if spelled[len(gene)] == "*" else spelled[: len(gene) + 1]
    match = _LOCUS.match(spelled)
    return match[0] if match else ""


def _halves(spelled: str, gene: str) -> list[str]:
    """Return the names of both halves, each with the gene."""
    prefix = _prefix(spelled, gene)
    return [prefix + half.removeprefix(prefix) for half in spelled.removeprefix(prefix).split("/")]


def _in_order(text: str, separators: str = _SEPARATORS) -> str:
    """Return a GL string with everything sorted whose order does not count; its namespace is left out."""
    if text.startswith(GL_NAMESPACE):
        text = text.rpartition("#")[2]
    if not separators:
        return text
    separator, rest = separators[0], separators[1:]
    return separator.join(sorted(_in_order(part, rest) for part in text.split(separator)))


def _pattern(spellings: Iterable[str], *, hla: bool) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{_bounded(text, hla=hla)})" for text in spellings))


def _bounded(text: str, *, hla: bool) -> str:
    """Return the pattern of one spelling; what has no star is found inside words as well."""
    if "*" not in text:
        return re.escape(text)
    before = "(?<![0-9])" if text[0].isdigit() else "(?<![a-z])" if text[0].isalpha() else ""
    after = ""
    if text[-1].isdigit():
        # *2x2 are two copies of *2 in a row, and *36+*10 is a haplotype of its own.
        after = "(?![0-9])" if hla else r"(?![0-9+]|x[0-9n])"
    return f"{before}{re.escape(text)}{after}"
