"""The ids of implications and consequences: where their first finding is stored, and what tells them apart there.

Nothing of an implication is stored, so its id leads to the calls (or the genotype) that it is derived from, and the
digest says which item of which release it is, and from which findings together.

>>> IMPLICATION.fullmatch("im-0123456789abcdef-1-2629432-0123456789abcdef").groups()
('im', '0123456789abcdef', '1', '2629432', '0123456789abcdef')
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from hashlib import blake2b
from typing import Final

import orjson

from app.operations.findings import Finding

IMPLICATION: Final = re.compile(r"(im|mc)-([0-9a-f]{16})-([1-9][0-9]?)-([0-9]{1,9})-([0-9a-f]{16})")
"""Implication or consequence; call set, contig and start of its first finding; digest"""
OF_STRUCTURAL: Final = re.compile(r"(im|mc)-([0-9a-f]{16})-([1-9][0-9]?)-([0-9]{1,10})-s([0-9a-f]{16})")
"""The same of a structural variant"""
OF_GENOTYPE: Final = re.compile(r"im-([0-9a-f]{16})-g-([0-9a-f]{16})")
"""Statement of its first genotype; digest"""


def implication_id(derived: Sequence[Finding], release: str, row_id: str, offset: int) -> str:
    """Return the id of an implication by an item: the ``offset``-th of its release."""
    return _id("im", derived, [release, row_id, offset])


def consequence_id(derived: Sequence[Finding], origin: str, what: str) -> str:
    """Return the id of a consequence that a release states, or a program computes, for a transcript."""
    return _id("mc", derived, [origin, what])


def _id(prefix: str, derived: Sequence[Finding], identity: Sequence[str | int]) -> str:
    ids = [finding.id for finding in derived]
    digest = blake2b(orjson.dumps([*identity, *ids]), digest_size=8).hexdigest()
    _, stored, place = ids[0].split("-", 2)
    if place == "g":
        return f"{prefix}-{stored}-g-{digest}"
    contig, start, tail = place.split("-", 2)
    return f"{prefix}-{stored}-{contig}-{start}-{'s' if tail.startswith('s') else ''}{digest}"
