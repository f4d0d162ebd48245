"""Which concepts lead to which variant, by variant: the way from a genome's calls to what knowledge says of them.

Structural sites that rules lead to are among the variants; what a rule leads to by a number of copies is not, as that
depends on the call. A page holds the pairs of up to 4,096 variants of one release as parallel columns (variant id
modulo 4,096, concept), sorted, without repeats. The same pairs by concept are ``targets`` of ``knowledge_concept``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from app.store.bitmaps import Column
from app.store.carrier_sets import is_in
from app.store.session import Session

PAGE_BITS = 12
_LOW = (1 << PAGE_BITS) - 1
_CONCEPT_BITS = 27
"""Of a pair as one number"""

PAGE = ("release_id", "page", "data")

Pair = tuple[int, int]
"""Variant or structural site, and a concept that leads to it"""


@dataclass(frozen=True, slots=True)
class Pairs:
    """Variants and the concepts that lead to them as parallel columns, ascending by variant, then concept."""

    variant: Column
    concept: Column

    def of_concepts(self, wanted: Column) -> Pairs:
        """Return the pairs of some ascending concepts."""
        kept = is_in(self.concept, wanted)
        return Pairs(self.variant[kept], self.concept[kept])

    def of_variants(self, wanted: Column) -> Pairs:
        """Return the pairs of some ascending variants."""
        kept = is_in(self.variant, wanted)
        return Pairs(self.variant[kept], self.concept[kept])


_NOTHING = Pairs(np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64))


def distinct(variant: Column, concept: Column) -> Pairs:
    """Return pairs in their order and without repeats."""
    joint = np.unique(_joint(variant, concept))
    return Pairs(joint >> _CONCEPT_BITS, joint & ((1 << _CONCEPT_BITS) - 1))


def by_concept(pairs: Pairs) -> tuple[Column, Column, Column]:
    """Return (concepts, bounds, variants): the variants of concept ``n`` are those between its bounds, ascending."""
    order = np.argsort(pairs.concept, kind="stable")
    concepts, first = np.unique(pairs.concept[order], return_index=True)
    return concepts, np.append(first, len(order)), pairs.variant[order]


def rows(pairs: Pairs, release_id: int) -> Iterator[tuple[int, int, bytes]]:
    """Yield the rows of a release's pages."""
    pages, first = np.unique(pairs.variant >> PAGE_BITS, return_index=True)
    bounds = [*first.tolist(), len(pairs.variant)]
    for at, page in enumerate(pages.tolist()):
        low, high = bounds[at : at + 2]
        variant, concept = pairs.variant[low:high] & _LOW, pairs.concept[low:high]
        yield release_id, page, bytes((1,)) + variant.astype("<u2").tobytes() + concept.astype("<u4").tobytes()


def read(session: Session, releases: Sequence[int], pages: Sequence[int]) -> Pairs:
    """Return the pairs of some releases on some pages, in one statement."""
    found = session.run(
        f"select page, data from knowledge_page where page {session.in_ints('pages')}"
        f" and release_id {session.in_ints('releases')} order by page, release_id",
        {"pages": session.int_list(list(pages)), "releases": session.int_list(list(releases))},
    )
    return _joined(found, in_order=len(releases) == 1)


def pages_of(session: Session, releases: Sequence[int]) -> list[int]:
    """Return the pages that some releases have pairs on, ascending."""
    rows = session.run(
        f"select distinct page from knowledge_page where release_id {session.in_ints('releases')} order by page",
        {"releases": session.int_list(list(releases))},
    )
    return [row[0] for row in rows]


def rewrite(session: Session, release_id: int, *, added: Pairs = _NOTHING, gone: Column = _NOTHING.variant) -> None:
    """Add pairs to those of a release, and remove those of some ascending variants before."""
    pages = np.unique(np.concatenate([added.variant, gone]) >> PAGE_BITS).tolist()
    if not pages:
        return
    known = read(session, [release_id], pages)
    kept = ~is_in(known.variant, gone)
    after = distinct(
        np.concatenate([known.variant[kept], added.variant]), np.concatenate([known.concept[kept], added.concept])
    )
    _replace(session, release_id, pages, after)


def move(session: Session, leading: Mapping[int, Iterable[int]]) -> None:
    """Let the items that lead to some variants lead to others instead."""
    pairs = [(former, new) for former, others in leading.items() for new in others]
    former, new = np.array(pairs, dtype=np.int64).reshape(len(pairs), 2).T
    gone = np.array(sorted(leading), dtype=np.int64)
    pages = np.unique(np.concatenate([gone, new]) >> PAGE_BITS).tolist()
    for (release_id,) in session.run("select id from knowledge_release where items > 0 order by id"):
        known = read(session, [release_id], pages)
        moved = known.of_variants(gone)
        if not len(moved.variant):
            continue
        kept = ~is_in(known.variant, gone)
        variants, concepts = [known.variant[kept]], [known.concept[kept]]
        for before, after in zip(former.tolist(), new.tolist(), strict=True):
            concept = moved.concept[moved.variant == before]
            variants.append(np.full(len(concept), after, dtype=np.int64))
            concepts.append(concept)
        _replace(session, release_id, pages, distinct(np.concatenate(variants), np.concatenate(concepts)))


def change(session: Session, release_id: int, gone: Sequence[Pair], added: Sequence[Pair]) -> None:
    """Take some pairs off the pages of a release and put others on them."""
    left, new = _columns(gone), _columns(added)
    pages = np.unique(np.concatenate([left.variant, new.variant]) >> PAGE_BITS).tolist()
    known = read(session, [release_id], pages)
    kept = ~is_in(_joint(known.variant, known.concept), _joint(left.variant, left.concept))
    variant = np.concatenate([known.variant[kept], new.variant])
    concept = np.concatenate([known.concept[kept], new.concept])
    _replace(session, release_id, pages, distinct(variant, concept))


def _columns(pairs: Sequence[Pair]) -> Pairs:
    variant, concept = np.array(pairs, dtype=np.int64).reshape(len(pairs), 2).T
    return distinct(variant, concept)


def _joint(variant: Column, concept: Column) -> Column:
    """Return pairs as one number each, in the order of the pairs."""
    joint: Column = (variant << _CONCEPT_BITS) | concept
    return joint


def _replace(session: Session, release_id: int, pages: Sequence[int], pairs: Pairs) -> None:
    """Store the pairs of some pages of a release in place of those that are there."""
    session.run(
        f"delete from knowledge_page where release_id = :release and page {session.in_ints('pages')} returning 1",
        {"release": release_id, "pages": session.int_list(list(pages))},
    )
    session.insert_rows("knowledge_page", PAGE, rows(pairs, release_id))


def _joined(found: Iterable[tuple[int, bytes]], *, in_order: bool) -> Pairs:
    variants, concepts = [np.empty(0, dtype=np.int64)], [np.empty(0, dtype=np.int64)]
    for page, data in found:
        if data[0] != 1:
            raise ValueError(f"page of concepts of unknown version {data[0]}")
        n = (len(data) - 1) // 6
        variants.append(np.frombuffer(data, "<u2", n, 1).astype(np.int64) + (page << PAGE_BITS))
        concepts.append(np.frombuffer(data, "<u4", n, 1 + 2 * n).astype(np.int64))
    pairs = Pairs(np.concatenate(variants), np.concatenate(concepts))
    return pairs if in_order else distinct(pairs.variant, pairs.concept)
