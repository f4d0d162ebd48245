"""The ingredients that the text of an order names, as RxNorm writes it.

>>> ingredient_phrases("acetaminophen 300 MG / codeine phosphate 30 MG Oral Tablet [Tylenol 3]")
('acetaminophen', 'codeine phosphate')
>>> list(spellings("codeine phosphate"))
['codeine phosphate', 'codeine']
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

_LONGEST = 2000
_BRAND = re.compile(r"\[([^\[\]]*)\]")
_PACK_PART = re.compile(r"\d+\s*\(([^()]*)\)")
_BEFORE = re.compile(r"^\s*(?:\d[\d.,]*\s*(?:HR|ML|ACTUAT|MG|UNT|MCG)\b\s*)+", re.IGNORECASE)
_NUMBER = re.compile(r"^\d[\d.,]*(?:[-/+]\d[\d.,]*)*(?:\s*(?:%|[a-zµ]{1,4}(?:/[a-z\d.]+)?))?$", re.IGNORECASE)
_BETWEEN = re.compile(r"[-/+,;&]|\s(?:and|with)\s", re.IGNORECASE)
"""What stands between the ingredients of a combination where it is not written as RxNorm does"""

_SALT_WORDS = """
    acetate anhydrous benzoate besilate besylate bisulfate bitartrate bromide calcium carbonate chloride
    citrate dihydrate diphosphate disodium fumarate gluconate hemihydrate hydrobromide hydrochloride
    hydrogen hydrogensulfate hydroxide lactate lysine magnesium malate maleate meglumine mesilate
    mesylate monohydrate napadisilate nitrate oxalate pamoate phosphate potassium sesquihydrate sodium
    succinate sulfate sulphate tartrate tosilate tosylate trihydrate trometamol tromethamine zinc
"""
_FORM_WORDS = """
    capsule capsules chewable coated cream delayed disintegrating dose drops effervescent enteric
    extended film gel injectable injection intravenous nasal ophthalmic oral patch pill powder product
    rectal release solution spray sublingual suppository suspension syrup tab tablet tablets topical
    transdermal
"""
SALTS = frozenset(_SALT_WORDS.split())
_FORMS = frozenset(_FORM_WORDS.split())


def folded(name: str) -> str:
    """Return a name as names are compared: without accents, case, and superfluous blanks."""
    plain = "".join(letter for letter in unicodedata.normalize("NFKD", name) if not unicodedata.combining(letter))
    return " ".join(plain.casefold().split())


def brands(text: str) -> tuple[str, ...]:
    """Return what stands in square brackets."""
    return tuple(brand.strip() for brand in _BRAND.findall(text[:_LONGEST]) if brand.strip())


def ingredient_phrases(text: str) -> tuple[str, ...]:
    """Return the words before the strength of each ingredient; a pack has those of all its parts."""
    plain = _BRAND.sub(" ", text[:_LONGEST])
    parts = _PACK_PART.findall(plain) if "{" in plain else [plain]
    phrases = (_before_strength(piece) for part in parts for piece in re.split(r"\s[/+]\s", part))
    return tuple(dict.fromkeys(phrase for phrase in phrases if phrase))


def _before_strength(piece: str) -> str:
    words = []
    for word in _BEFORE.sub("", piece).split():
        if _NUMBER.match(word):
            break
        words.append(word.strip(",;:()"))
    return " ".join(word for word in words if word)


def members(phrase: str) -> tuple[str, ...]:
    """Return the ingredients of a combination that is written as one word or list; nothing for anything else.

    >>> members("hydrocodone-acetaminophen")
    ('hydrocodone', 'acetaminophen')
    """
    parts = tuple(part.strip() for part in _BETWEEN.split(phrase))
    return tuple(part for part in parts if part) if len(parts) > 1 else ()


def spellings(phrase: str) -> Iterator[str]:
    """Yield a phrase folded, then without words of dose forms at its end, then without salts."""
    words = folded(phrase).split()
    yield " ".join(words)
    while words and words[-1] in _FORMS:
        words.pop()
        yield " ".join(words)
    bare = [word for word in words if word not in SALTS]
    if bare != words:
        yield " ".join(bare)
