"""How many copies of CYP2D6 a test found, from its structural calls of deletions and duplications.

Only an event over most of the gene counts: a smaller one may be a hybrid or a part of the gene. Where events disagree
nothing is said. Positions are zero-based, half-open.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from app.formats.pgx import Gene
from app.pgx.copy_number import USUAL
from app.records import Build, StructuralKind, Zygosity
from app.store import inbox
from app.store.calls import CallSet
from app.store.session import Session
from app.store.structural_calls import Key
from app.store.structural_codec import StructuralCall, StructuralChunk

GENE: Final = "CYP2D6"
CONTIG: Final = 22
PLACES: Final = {Build.GRCH38: (42_126_498, 42_130_881), Build.GRCH37: (42_522_500, 42_526_883)}
"""Start and end of the gene"""


def wanted(genes: Iterable[Gene], call_sets: Sequence[CallSet]) -> list[Key]:
    """Return which chunks of structural calls to read of some call sets."""
    if not any(gene.symbol == GENE for gene in genes):
        return []
    return [(call_set.shard, call_set.call_set_id, CONTIG) for call_set in call_sets]


def copies_of(call_sets: Sequence[CallSet], chunks: Mapping[tuple[int, int], Sequence[StructuralChunk]]) -> int | None:
    """Return how many copies the call sets of one test found; None where they do not tell."""
    found: set[int | None] = set()
    for call_set in call_sets:
        low, high = PLACES[call_set.build]
        for chunk in chunks.get((call_set.call_set_id, CONTIG), ()):
            for row, call in enumerate(chunk.calls):
                start, end = int(chunk.native[0][row]), int(chunk.native[1][row])
                if 2 * (min(end, high) - max(start, low)) >= high - low:
                    found.add(_copies(call, int(chunk.kind[row])))
    return found.pop() if len(found) == 1 else None


def stated_copies(session: Session, call_sets: Iterable[CallSet]) -> int | None:
    """Return the usual number of copies where a laboratory submitted it; no structural call says it."""
    for subject_id, test_id in {(one.subject_id, one.test_id) for one in call_sets}:
        if inbox.gene_copies(session, subject_id, test_id).get(GENE) == USUAL:
            return USUAL
    return None


def _copies(call: StructuralCall, kind: int) -> int | None:
    """Return the copies that one call says: as stated, else what a deletion leaves; None where the two disagree."""
    stated = _number(call.copy_number)
    if call.copy_number and stated is None:
        return None
    zygosity = call.genotype.zygosity
    if kind == StructuralKind.DEL:
        left = {Zygosity.HETEROZYGOUS: USUAL - 1, Zygosity.HOMOZYGOUS: 0}.get(zygosity)
        if left is None:
            return stated if stated is not None and stated < USUAL else None
        return left if stated in {None, left} else None
    if kind == StructuralKind.DUP and stated is not None and stated <= USUAL:
        return None
    return stated if kind in {StructuralKind.DUP, StructuralKind.CNV} else None


def _number(text: str) -> int | None:
    whole, _, rest = text.partition(".")
    return int(whole) if whole.isdecimal() and not rest.strip("0") else None
