"""RxNorm: which ingredients a drug has, from ``RXNCONSO.RRF`` and ``RXNREL.RRF``.

https://www.nlm.nih.gov/research/umls/rxnorm/docs/techdoc.html. Products (SCD, SBD, packs), brand names and what lies
between them are followed to their ingredients (IN). Every relation that is followed joins two term types of which only
one can be the whole, so the term types tell its direction. What is not suppressed, and RxNorm's own, counts.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from app.formats.code_systems import RXNORM
from app.formats.terminology import CodeMap, Equivalence, Named, Notes, Statement, TermText

_CONSO_WIDTH = 19
_REL_WIDTH = 17
_INGREDIENT = "IN"
_SEMANTIC_TYPES = frozenset(
    "IN PIN MIN SCDC SCDF SCDG SCD GPCK BN SBDC SBDF SBDG SBD BPCK".split()  # noqa: SIM905 - read as words
)
_BRANDED = {"SBD": "SCD", "SBDC": "SCDC", "SBDF": "SCDF", "SBDG": "SCDG", "BN": _INGREDIENT, "BPCK": "GPCK"}
# Relation → (whole, part); each is written in both directions under two names.
_FOLLOWED: dict[str, frozenset[tuple[str, str]]] = {
    "has_ingredient": frozenset((whole, _INGREDIENT) for whole in ("SCDC", "SCDF", "SCDG")),
    "has_ingredients": frozenset({("SCD", "MIN")}),
    "has_part": frozenset({("MIN", _INGREDIENT)}),
    "consists_of": frozenset({("SCD", "SCDC"), ("SBD", "SCDC"), ("SBD", "SBDC")}),
    "tradename_of": frozenset(_BRANDED.items()),
    "form_of": frozenset({("PIN", _INGREDIENT)}),
    "contains": frozenset({("GPCK", "SCD"), ("BPCK", "SCD"), ("BPCK", "SBD")}),
}
_OTHER_NAMES = {
    "ingredient_of": "has_ingredient",
    "ingredients_of": "has_ingredients",
    "part_of": "has_part",
    "constitutes": "consists_of",
    "has_tradename": "tradename_of",
    "has_form": "form_of",
    "contained_in": "contains",
}


def read_rxnorm(texts: Sequence[TermText], notes: Notes) -> Iterator[Statement]:
    """Yield the names of drugs and the ingredients of each.

    Raises:
        BadFile: the files are not one or more of each table, or a row has another number of columns.
    """
    conso = [text for text in texts if text.first_line().count("|") == _CONSO_WIDTH - 1]
    relations = [text for text in texts if text.first_line().count("|") == _REL_WIDTH - 1]
    for text in texts:
        if text not in conso and text not in relations:
            text.refuse_kind("RXNCONSO.RRF or RXNREL.RRF")
    if not conso or not relations:
        missing = "RXNREL.RRF" if conso else "RXNCONSO.RRF"
        texts[0].refuse(f"{missing} is missing", mend="Give RXNCONSO.RRF and RXNREL.RRF together")
    types: dict[str, str] = {}
    names: dict[str, str] = {}
    for text in conso:
        for line_1based, line in text.lines():
            if not line:
                continue
            cells = text.cells(line, line_1based, "|", _CONSO_WIDTH)
            if cells[11] != "RXNORM" or cells[12] not in _SEMANTIC_TYPES:
                notes.left_out["names of other vocabularies and kinds"] += 1
            elif cells[16] != "N":
                notes.left_out["suppressed rows"] += 1
            else:
                code = text.code(cells[0], line_1based, "RXCUI")
                types[code] = cells[12]
                text.check_held(len(types))
                names[code] = text.display(cells[14], line_1based, "STR")
                yield Named(RXNORM, code, names[code])
    parts: dict[str, set[str]] = {}
    for text in relations:
        for line_1based, line in text.lines():
            if line:
                _follow(text, text.cells(line, line_1based, "|", _REL_WIDTH), types, parts, notes)
    for whole in types:
        for ingredient in sorted(_ingredients(whole, types, parts)):
            if ingredient != whole:
                yield CodeMap((RXNORM, whole), (RXNORM, ingredient), Equivalence.INGREDIENT, names[ingredient])


def _follow(text: TermText, cells: list[str], types: dict[str, str], parts: dict[str, set[str]], notes: Notes) -> None:
    first, second = cells[0], cells[4]
    relation = _OTHER_NAMES.get(cells[7], cells[7])
    if cells[10] != "RXNORM" or cells[14] not in ("", "N") or relation not in _FOLLOWED:
        notes.left_out["relations of other vocabularies and kinds"] += 1
        return
    for whole, part in ((first, second), (second, first)):
        if (types.get(whole), types.get(part)) in _FOLLOWED[relation]:
            parts.setdefault(whole, set()).add(part)
            text.check_held(len(parts))


def _ingredients(whole: str, types: dict[str, str], parts: dict[str, set[str]]) -> set[str]:
    found, seen, waiting = set(), {whole}, [whole]
    while waiting:
        one = waiting.pop()
        if types[one] == _INGREDIENT:
            found.add(one)
        for part in parts.get(one, ()):
            if part not in seen:
                seen.add(part)
                waiting.append(part)
    return found
