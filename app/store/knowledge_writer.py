"""Storing a release of knowledge: its items, what they can be asked by, and the variants and genotypes they are about.

A release is written inside one transaction of the writer, so that nothing of one that failed stays behind and readers
see it whole or not at all.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import chain, pairwise
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import orjson
from pyroaring import BitMap64

from app.formats.knowledge import Concept, ItemKind, KnowledgeItem
from app.store import consequence_sets, counters, knowledge_codec, knowledge_pages, knowledge_rules, release_names
from app.store.bitmaps import Column
from app.store.knowledge_codec import Role
from app.store.knowledge_pages import Pairs
from app.store.knowledge_rules import Link, PlacedRule
from app.store.session import Session
from app.variants.allele_names import genotype_key

_ITEM = ("id", "kind", "body")
_CONCEPT = ("id", "release_id", "kind", "role", "system", "code", "display", "search", "targets", "genotypes")
_RELEASE = (
    "id", "name", "source", "label", "version", "released", "licence", "files", "sha256", "active", "has_rules",
    "first_item", "items", "asked_by", "report", "loaded",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ReleaseFacts:
    """What is told of a release; ``name`` is what answers and commands call it."""

    name: str
    source: str
    label: str
    version: str
    released: str | None
    licence: str
    files: Sequence[Mapping[str, Any]]
    """Name, sha256 and size of each file"""
    sha256: str


_ConceptKey = tuple[ItemKind, Role, Concept]

NO_RULES: Final[Mapping[int, PlacedRule]] = MappingProxyType({})


class KnowledgeWriter:
    """Writes one release, batch by batch; it is inactive until it is activated."""

    def __init__(self, session: Session, facts: ReleaseFacts, *, lists_genotypes: bool = True) -> None:
        """Begin a release.

        Args:
            session: The writer's transaction.
            facts: What is told of the release.
            lists_genotypes: Whether an item keeps the list of its genotypes besides being found by them: those of a
                pharmacogene are thousands, and no answer repeats them.

        Raises:
            InvalidInput: the store has a release of that name.
        """
        release_names.refuse_taken(session, "knowledge_release", facts.name)
        self._session = session
        self._facts = facts
        self._lists_genotypes = lists_genotypes
        self._keys: dict[str, str] = {}
        """Code of a genotype → its one spelling"""
        self.release_id = counters.allocate(session, counters.KNOWLEDGE_RELEASE, 1)
        self._first_item = counters.value(session, counters.KNOWLEDGE_ITEM)
        self._items = 0
        self._with_rules: dict[int, tuple[int, ...]] = {}
        """Items with rules, and the concepts that lead to whatever meets them"""
        self._concepts: dict[_ConceptKey, int] = {}
        self._with_consequences = BitMap64()
        self._next_concept = counters.value(session, counters.KNOWLEDGE_CONCEPT)
        self._kinds: set[ItemKind] = set()
        # What the concepts are about, as columns: a set for each of them would be ten times as large.
        self._variant, self._concept = array("q"), array("q")
        self._genotypes: dict[int, set[str]] = {}

    def write(
        self,
        items: Sequence[KnowledgeItem],
        variant_ids: Sequence[Sequence[int]],
        placed: Mapping[int, PlacedRule] = NO_RULES,
    ) -> None:
        """Store items, given with the variants that each of them is about, and by their places the rules of some."""
        rows: list[tuple[int, int, str]] = []
        links: list[tuple[int, int]] = []
        genotypes: list[tuple[str, int]] = []
        first = self._first_item + self._items
        rules = {first + at: rule for at, rule in placed.items()}
        for item_id, (item, found) in enumerate(zip(items, variant_ids, strict=True), first):
            ids = found if len(found) < 2 else list(dict.fromkeys(found))
            numbers = {
                role: [self._number((item.kind, role, concept)) for concept in concepts]
                for role, concepts in knowledge_codec.roles(item).items()
                if concepts
            }
            stored = rules[item_id].stored() if item_id in rules else None
            if stored is not None:
                counted = () if stored.counts_copies else tuple(chain.from_iterable(numbers.values()))
                self._with_rules[item_id] = counted
            kept = item if self._lists_genotypes else replace(item, genotypes=())
            rows.append((item_id, int(item.kind), knowledge_codec.encode(kept, numbers, stored)))
            if item.kind is ItemKind.CONSEQUENCE:
                self._with_consequences.update(ids)
            links += [(variant_id, item_id) for variant_id in ids]
            for one in chain.from_iterable(numbers.values()):
                self._variant.extend(ids)
                self._concept.extend([one] * len(ids))
            if item.genotypes:
                keys = {self._key(genotype.code, item.gene) for genotype in item.genotypes}
                genotypes += [(key, item_id) for key in keys]
                for one in chain.from_iterable(numbers.values()):
                    self._genotypes.setdefault(one, set()).update(keys)
        self._items += len(rows)
        self._kinds |= {item.kind for item in items}
        self._session.insert_rows("knowledge_item", _ITEM, rows)
        self._session.insert_rows("knowledge_link", ("variant_id", "item_id"), sorted(links))
        self._session.insert_rows("knowledge_genotype", ("key", "item_id"), sorted(genotypes))
        placed_rows = [rule.row(item_id) for item_id, rule in rules.items()]
        self._session.insert_rows("knowledge_rule", knowledge_rules.COLUMNS, placed_rows)

    def _key(self, code: str, gene: str) -> str:
        known = self._keys.get(code)
        if known is None:
            # Of names without stars (c.521T>C) only the symbol tells which halves can be exchanged.
            known = genotype_key(code, gene if gene and not self._lists_genotypes else None)
            self._keys[code] = known
        return known

    def _number(self, key: _ConceptKey) -> int:
        known = self._concepts.get(key)
        if known is None:
            known = self._concepts[key] = self._next_concept + len(self._concepts)
        return known

    @property
    def first_item(self) -> int:
        """Return the number of the first item."""
        return self._first_item

    @property
    def has_rules(self) -> bool:
        """Return whether any item that was written says by a rule whom it is about."""
        return bool(self._with_rules)

    def link_sites(self) -> None:
        """Link what was written by rules with the structural sites that meet them."""
        if self.has_rules:
            first = self._first_item
            self.link(knowledge_rules.sites_of_items(self._session, first, first + self._items))

    def link(self, links: Sequence[Link]) -> None:
        """Store which sites and variants meet rules of the release."""
        self._session.insert_rows("knowledge_link", ("variant_id", "item_id"), links)
        for variant_id, item_id in links:
            for concept in self._with_rules[item_id]:
                self._variant.append(variant_id)
                self._concept.append(concept)

    def finish(self, report: Mapping[str, Any]) -> None:
        """Store what the items can be asked by, and the release itself."""
        session = self._session
        pairs = knowledge_pages.distinct(
            *(np.frombuffer(one, dtype=np.int64) for one in (self._variant, self._concept))
        )
        self._variant, self._concept = array("q"), array("q")
        session.insert_rows("knowledge_page", knowledge_pages.PAGE, knowledge_pages.rows(pairs, self.release_id))
        session.insert_rows("knowledge_concept", _CONCEPT, self._rows(pairs))
        counters.add(session, counters.KNOWLEDGE_ITEM, self._items)
        counters.add(session, counters.KNOWLEDGE_CONCEPT, len(self._concepts))
        facts = self._facts
        now = datetime.now(UTC).isoformat(timespec="seconds")
        row = (
            self.release_id, facts.name, facts.source, facts.label, facts.version, facts.released, facts.licence,
            orjson.dumps(list(facts.files)).decode(), facts.sha256, 0, int(self.has_rules), self._first_item,
            self._items, self._asked_by(), orjson.dumps(dict(report)).decode(), now,
        )  # fmt: skip
        session.insert_rows("knowledge_release", _RELEASE, [row])
        session.analyze("knowledge_item", "knowledge_link", "knowledge_genotype", "knowledge_concept")
        consequence_sets.put(session, self.release_id, self._with_consequences)

    def _asked_by(self) -> str:
        asked: dict[str, dict[str, set[str]]] = {str(int(kind)): {} for kind in self._kinds}
        for kind, role, concept in self._concepts:
            asked[str(int(kind))].setdefault(str(int(role)), set()).add(concept.system)
        return orjson.dumps(asked, default=sorted, option=orjson.OPT_SORT_KEYS).decode()

    def _rows(self, pairs: Pairs) -> Iterator[tuple[Any, ...]]:
        concepts, bounds, variants = knowledge_pages.by_concept(pairs)
        slices = dict(zip(concepts.tolist(), pairwise(bounds.tolist()), strict=True))
        for (kind, role, concept), number in self._concepts.items():
            low, high = slices.get(number, (0, 0))
            search = f"{concept.code}\n{concept.display}".casefold()
            yield (
                number, self.release_id, int(kind), int(role), concept.system, concept.code, concept.display, search,
                _packed(variants[low:high]), orjson.dumps(sorted(self._genotypes.get(number, ()))).decode(),
            )  # fmt: skip


def _packed(variant_ids: Column) -> bytes:
    return BitMap64(array("Q", variant_ids.astype(np.uint64).tobytes())).serialize()
