"""What a tool says of one variant as the text that is kept: a JSON list, one entry for each transcript.

>>> decode(encode([Annotation("VEP", ("missense_variant",), "MODERATE", "G", None, "NM_1.1", None, None, None, None)]))
[Annotation(tool='', terms=('missense_variant',), impact='MODERATE', gene='G', hgnc=None, transcript='NM_1.1', \
mane=None, coding=None, protein_accession=None, protein=None)]
"""

from __future__ import annotations

from collections.abc import Sequence

import orjson

from app.formats.annotations import Annotation
from app.variants.transcripts import MANE_WORTH


def encode(annotations: Sequence[Annotation]) -> str:
    """Return the text of what one tool says of one variant: transcripts of MANE first, repeats once."""
    entries = [
        [
            "&".join(one.terms),
            one.impact or "",
            one.gene or "",
            one.hgnc or "",
            one.transcript or "",
            one.mane or "",
            one.coding or "",
            one.protein_accession or "",
            one.protein or "",
        ]
        for one in sorted(dict.fromkeys(annotations), key=lambda one: -MANE_WORTH.get(one.mane or "", 0))
    ]
    for entry in entries:
        while not entry[-1]:
            entry.pop()
    return orjson.dumps(entries).decode()


def decode(body: str) -> list[Annotation]:
    """Return what a text says; it names no tool."""
    found = []
    for entry in orjson.loads(body):
        terms, *rest = (text or None for text in [*entry, *[""] * (9 - len(entry))])
        found.append(Annotation("", tuple((terms or "").split("&")), *rest))
    return found


def terms_of(body: str) -> set[str]:
    """Return the terms of all entries of a text."""
    return {term for entry in orjson.loads(body) for term in entry[0].split("&")}


def is_same(one: str, other: str) -> bool:
    """Return whether two texts say the same, in whatever order."""
    return one == other or sorted(orjson.loads(one)) == sorted(orjson.loads(other))
