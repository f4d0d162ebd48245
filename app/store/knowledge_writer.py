"""Storing a release of knowledge: its items, what they can be asked by, and the variants and genotypes they are about.

A release is written inside one transaction of the writer, so that nothing of one that failed stays behind and readers
see it whole or not at all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import orjson
from pyroaring import BitMap64

from app.errors import InvalidInput, quoted
from app.formats.knowledge import Concept, ItemKind, KnowledgeItem
from app.store import counters, knowledge_codec
from app.store.knowledge_codec import Role
from app.store.session import Session
from app.variants.allele_names import genotype_key

_ITEM = ("id", "kind", "body")
_CONCEPT = ("id", "release_id", "kind", "role", "system", "code", "display", "search", "targets", "genotypes")
_RELEASE = (
    "id", "name", "source", "label", "version", "released", "licence", "files", "sha256", "active", "has_rules",
    "first_item", "items", "report", "loaded",
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


@dataclass(slots=True)
class _About:
    """What the items with a concept are about: variants, and keys of genotypes."""

    number: int
    variants: BitMap64 = field(default_factory=BitMap64)
    genotypes: set[str] = field(default_factory=set)


class KnowledgeWriter:
    """Writes one release, batch by batch; it is inactive until it is activated."""

    def __init__(self, session: Session, facts: ReleaseFacts) -> None:
        """Begin a release.

        Raises:
            InvalidInput: the store has a release of that name.
        """
        if session.run("select 1 from knowledge_release where name = :name", {"name": facts.name}):
            raise InvalidInput(
                f"the store has a release {quoted(facts.name)} already; give this one another version (--version),"
                " or remove the other one"
            )
        self._session = session
        self._facts = facts
        self.release_id = counters.allocate(session, counters.KNOWLEDGE_RELEASE, 1)
        self._first_item = counters.value(session, counters.KNOWLEDGE_ITEM)
        self._items = 0
        self._has_rules = False
        self._concepts: dict[_ConceptKey, _About] = {}
        self._next_concept = counters.value(session, counters.KNOWLEDGE_CONCEPT)

    def write(self, items: Sequence[KnowledgeItem], variant_ids: Sequence[Sequence[int]]) -> None:
        """Store items, given with the variants that each of them is about."""
        rows, links, genotypes = [], [], []
        for item, ids in zip(items, variant_ids, strict=True):
            item_id = self._first_item + self._items
            self._items += 1
            self._has_rules |= item.rule is not None
            keys = {genotype_key(genotype.code) for genotype in item.genotypes}
            numbers = {
                role: [self._number((item.kind, role, concept), ids, keys) for concept in concepts]
                for role, concepts in knowledge_codec.roles(item).items()
                if concepts
            }
            rows.append((item_id, int(item.kind), knowledge_codec.encode(item, numbers)))
            links += [(variant_id, item_id) for variant_id in dict.fromkeys(ids)]
            genotypes += [(key, item_id) for key in keys]
        self._session.insert_rows("knowledge_item", _ITEM, rows)
        self._session.insert_rows("knowledge_link", ("variant_id", "item_id"), sorted(links))
        self._session.insert_rows("knowledge_genotype", ("key", "item_id"), sorted(genotypes))

    def _number(self, key: _ConceptKey, variant_ids: Sequence[int], genotypes: set[str]) -> int:
        known = self._concepts.get(key)
        if known is None:
            known = self._concepts[key] = _About(self._next_concept + len(self._concepts))
        known.variants.update(variant_ids)
        known.genotypes |= genotypes
        return known.number

    def finish(self, report: Mapping[str, Any]) -> None:
        """Store what the items can be asked by, and the release itself."""
        session = self._session
        session.insert_rows("knowledge_concept", _CONCEPT, (self._row(*entry) for entry in self._concepts.items()))
        counters.add(session, counters.KNOWLEDGE_ITEM, self._items)
        counters.add(session, counters.KNOWLEDGE_CONCEPT, len(self._concepts))
        facts = self._facts
        now = datetime.now(UTC).isoformat(timespec="seconds")
        row = (
            self.release_id, facts.name, facts.source, facts.label, facts.version, facts.released, facts.licence,
            orjson.dumps(list(facts.files)).decode(), facts.sha256, 0, int(self._has_rules), self._first_item,
            self._items, orjson.dumps(dict(report)).decode(), now,
        )  # fmt: skip
        session.insert_rows("knowledge_release", _RELEASE, [row])

    def _row(self, key: _ConceptKey, about: _About) -> tuple[Any, ...]:
        kind, role, concept = key
        search = f"{concept.code}\n{concept.display}".casefold()
        return (
            about.number, self.release_id, int(kind), int(role), concept.system, concept.code, concept.display, search,
            about.variants.serialize(), orjson.dumps(sorted(about.genotypes)).decode(),
        )  # fmt: skip
