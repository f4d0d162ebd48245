"""How the two names of a diplotype are ordered, so that one diplotype has one key.

>>> diplotype_key("*17", "*2")
'*2/*17'
>>> diplotype_key("c.557A>G", "Reference")
'Reference/c.557A>G'
>>> diplotype_key("A- 202A_376G")
'A- 202A_376G'
"""

from __future__ import annotations

import re

_NUMBER = re.compile(r"(\d+)")
_REFERENCE_WORDS = ("reference", "non-responsive")


def name_order(name: str) -> tuple[bool, tuple[str | int, ...], str]:
    """Return what names are sorted by: a reference first, then numbers as numbers (``*2`` before ``*10``)."""
    is_reference = any(word in name.lower() for word in _REFERENCE_WORDS)
    parts = tuple(int(part) if at % 2 else part.lower() for at, part in enumerate(_NUMBER.split(name)))
    return not is_reference, parts, name


def diplotype_key(first: str, second: str | None = None) -> str:
    """Return the one way in which a diplotype is written, whichever of its names is given first.

    Args:
        first: Name of an allele.
        second: Name of the other; None for one copy of the gene.
    """
    if second is None:
        return first
    return "/".join(sorted((first, second), key=name_order))
