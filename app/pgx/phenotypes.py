"""Short codes of phenotypes (PM, IM, NM, ...) and the order in which they are listed.

>>> code_of("CYP2C19 Likely Intermediate Metabolizer"), code_of("*57:01 positive"), code_of("Indeterminate")
('LIM', 'POS', 'NA')
"""

from __future__ import annotations

import re
from functools import lru_cache

UNKNOWN = "NA"

CODES = (
    *("PM", "LPM", "IM", "LIM", "PIM", "NM", "RM", "UM"),
    *("PF", "DF", "PDF", "NF", "IF"),
    *("POS", "NEG"),
    *("CNSHA", "DEF", "VAR", "NOR"),
    *("MHS", "US"),
    *("IR", "UR", "NR"),
    *("RES", "NRES"),
    UNKNOWN,
)
"""In the order of lists: PM first, NA last"""

_RANKS = {code: rank for rank, code in enumerate(CODES)}
_USUAL = frozenset({"NM", "NF", "NEG", "NOR", "US", "NR"})

_NO_RESULT = frozenset({"", "none", "no result", "no call", "n/a", "na", "not available", "not tested"})
_UNKNOWN_WORDS = re.compile(r"\b(?:indeterminate|unknown)\b")
_METABOLIZER = r"(?:metabol\w+|acetylator)s?\b"
_WORDS = tuple(
    (re.compile(pattern), code)
    for pattern, code in (
        (rf"\b(?:likely|probable) poor {_METABOLIZER}", "LPM"),
        (rf"\b(?:likely|probable) intermediate {_METABOLIZER}", "LIM"),
        (rf"\bpossible intermediate {_METABOLIZER}", "PIM"),
        (rf"\b(?:poor|slow) {_METABOLIZER}", "PM"),
        (rf"\bintermediate {_METABOLIZER}", "IM"),
        (rf"\b(?:normal|extensive) {_METABOLIZER}", "NM"),
        (rf"\bultra[- ]?rapid {_METABOLIZER}", "UM"),
        (rf"\b(?:rapid|fast) {_METABOLIZER}", "RM"),
        (r"\bpossible decreased function\b", "PDF"),
        (r"\bdecreased function\b", "DF"),
        (r"\bincreased function\b", "IF"),
        (r"\bnormal function\b", "NF"),
        (r"\bpoor function\b", "PF"),
        (r"\bdeficient with cnsha\b", "CNSHA"),
        (r"\bmalignant hyperthermia susceptib", "MHS"),
        (r"\buncertain susceptib", "US"),
        (r"\bincreased risk\b", "IR"),
        (r"\buncertain risk\b", "UR"),
        (r"\bnormal risk\b", "NR"),
        (r"\b(?:non[- ]?responsive|unfavou?rable response)\b", "NRES"),
        (r"\b(?:responsive|favou?rable response)\b", "RES"),
        (r"\bpositive(?:;|$)", "POS"),
        (r"\bnegative(?:;|$)", "NEG"),
    )
)
_WHOLE = {"deficient": "DEF", "variable": "VAR", "normal": "NOR"}
_STATUS = re.compile(r"(?:HLA-[A-Z0-9]+\s*)?(?P<allele>\*\S+) (?:positive|negative)", re.IGNORECASE)
_SYMBOL = re.compile(r"[A-Z][A-Z0-9]*[0-9][A-Z0-9]*(?:-[A-Z0-9]+)?\s+|(?:HLA-[A-Z0-9]+|MT-RNR1|CFTR|DPYD|TPMT)\s+")


def without_symbol(phenotype: str) -> str:
    """Return a phenotype without the gene that some sources put before it."""
    text = " ".join(phenotype.split())
    found = _SYMBOL.match(text)
    return text[found.end() :] if found else text


def is_unknown(phenotype: str) -> bool:
    """Tell whether a result says that nothing is known: indeterminate, or no result at all."""
    text = phenotype.strip().casefold()
    return text in _NO_RESULT or bool(_UNKNOWN_WORDS.search(text))


def is_no_result(phenotype: str) -> bool:
    """Tell whether a lookup asks for a gene without result, as sources write it ("No Result")."""
    return phenotype.strip().casefold() in _NO_RESULT - {"n/a"}


@lru_cache(maxsize=4096)
def code_of(phenotype: str) -> str:
    """Return the code of a phenotype; NA for one that is unknown, indeterminate or without code.

    Of the statuses of several alleles one that is positive decides.
    """
    if phenotype.strip() in _RANKS:
        return phenotype.strip()
    if is_unknown(phenotype):
        return UNKNOWN
    text = without_symbol(phenotype).casefold()
    for pattern, code in _WORDS:
        if pattern.search(text):
            return code
    return _WHOLE.get(text, UNKNOWN)


def statuses_of(phenotype: str) -> dict[str, str]:
    """Return the status of each allele that a result tells of, by allele; empty for any other result.

    >>> statuses_of("*15:02 negative; *57:01 positive")
    {'*15:02': '*15:02 negative', '*57:01': '*57:01 positive'}
    """
    found = [(_STATUS.fullmatch(" ".join(part.split())), part.strip()) for part in phenotype.split(";")]
    return {match["allele"]: part for match, part in found if match} if all(match for match, _ in found) else {}


def rank_of(code: str) -> int:
    """Return where a code stands in lists: PM first, NA last."""
    return _RANKS.get(code, _RANKS[UNKNOWN])


def is_usual(phenotype: str) -> bool:
    """Tell whether a phenotype is that of most people: normal function, no risk allele."""
    return code_of(phenotype) in _USUAL
