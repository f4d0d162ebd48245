"""Releases of knowledge: listing, activating and removing them, and reading what the active ones say.

Nothing here reads a genome: items are found by variants that are known already, by genotypes, or by the concepts that a
question names.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from pyroaring import BitMap64

from app.formats.annotations import Annotation
from app.formats.knowledge import Concept, ItemKind
from app.store import (
    computed,
    consequence_sets,
    counters,
    file_annotations,
    knowledge_codec,
    knowledge_pages,
    knowledge_unions,
    release_names,
    studies,
)
from app.store.knowledge_codec import Role, StoredItem
from app.store.session import Session


@dataclass(frozen=True, slots=True)
class Release:
    """One release as the store knows it."""

    release_id: int
    name: str
    source: str
    label: str
    version: str
    released: str | None
    licence: str
    files: Sequence[Mapping[str, Any]]
    sha256: str
    active: bool
    has_rules: bool
    first_item: int
    items: int
    asked_by: Mapping[ItemKind, Mapping[Role, Sequence[str]]]
    """Code systems of the concepts that its items can be asked by, by kind and role"""
    report: Mapping[str, Any]
    loaded: str


_ITEMS_AT_ONCE = 100_000
_RELEASE = (
    "id, name, source, label, version, released, licence, files, sha256, active, has_rules, first_item, items,"
    " asked_by, report, loaded"
)


def releases(session: Session, *, active: bool | None = None) -> list[Release]:
    """Return the releases of the store in the order in which they were loaded; only (in)active ones if asked for."""
    rows = session.run(f"select {_RELEASE} from knowledge_release order by id")
    found = [_release(row) for row in rows]
    return [one for one in found if active is None or one.active is active]


def _release(row: Sequence[Any]) -> Release:
    release_id, name, source, label, version, released, licence, files, sha256, active, has_rules, *rest = row
    first_item, items, asked_by, report, loaded = rest
    asked = {
        ItemKind(int(kind)): {Role(int(role)): systems for role, systems in roles.items()}
        for kind, roles in orjson.loads(asked_by).items()
    }
    return Release(
        release_id, name, source, label, version, released, licence, orjson.loads(files), sha256, bool(active),
        bool(has_rules), first_item, items, asked, orjson.loads(report), loaded,
    )  # fmt: skip


def named(session: Session, name: str) -> Release:
    """Return a release by name; raises NotFound if there is none."""
    return release_names.find(releases(session), name, "knowledge")


def set_active(session: Session, release: Release, *, active: bool) -> None:
    """Let answers use a release, or no longer; the next answer of every reader is of one state or of the other."""
    knowledge_unions.forget(session, release.release_id)
    session.run_many("update knowledge_release set active = ? where id = ?", [(int(active), release.release_id)])
    if active:
        knowledge_unions.build(session, release.release_id)
    if release.source != computed.SOURCE:
        computed.restate(session)
    counters.add(session, counters.DATA_VERSION, 1)


def remove(session: Session, release: Release) -> None:
    """Remove every row of a release, and the variants that only it named."""
    scope = {"id": release.release_id}
    knowledge_unions.forget(session, release.release_id)
    session.run("delete from knowledge_concept where release_id = :id returning 1", scope)
    session.run("delete from knowledge_page where release_id = :id returning 1", scope)
    end = release.first_item + release.items
    for first in range(release.first_item, end, _ITEMS_AT_ONCE):
        _remove_items(session, first, min(end, first + _ITEMS_AT_ONCE))
    session.run("delete from knowledge_release where id = :id returning 1", scope)
    consequence_sets.put(session, release.release_id, BitMap64())
    if release.source == computed.SOURCE:
        computed.reset(session)
    else:
        computed.restate(session)
    if release.source == file_annotations.SOURCE:
        file_annotations.remove_origin(session, release.release_id)
    counters.add(session, counters.DATA_VERSION, 1)


def _remove_items(session: Session, first: int, end: int) -> None:
    """Remove some items, and the variants that nothing else names."""
    scope = {"first": first, "end": end}
    linked = session.run(
        "delete from knowledge_link where item_id >= :first and item_id < :end returning variant_id", scope
    )
    for table, column in (("knowledge_genotype", "item_id"), ("knowledge_rule", "item_id"), ("knowledge_item", "id")):
        session.run(f"delete from {table} where {column} >= :first and {column} < :end returning 1", scope)
    studies.delete_uncarried(session, {row[0] for row in linked})


def linked_unsettled(session: Session, contig: int, statuses: Iterable[int], unjustified: int) -> list[int]:
    """Return the variants of a contig that items name and whose places may not be the last word.

    What only meets a rule is a matter of its carriers' calls.
    """
    by_name = "not exists (select 1 from knowledge_rule r where r.item_id = l.item_id)"
    rows = session.run(
        "select v.id from variant v where v.contig = :contig"
        f" and (v.status >= :unjustified or v.status {session.in_ints('statuses')})"
        f" and exists (select 1 from knowledge_link l where l.variant_id = v.id and {by_name}) order by v.id",
        {"contig": contig, "unjustified": unjustified, "statuses": session.int_list(sorted(statuses))},
    )
    return [row[0] for row in rows]


def relink(session: Session, leading: Mapping[int, set[int]]) -> None:
    """Let items about some variants be about others; the unions are left to whoever changed the variants."""
    if not leading:
        return
    rows = session.run(
        f"delete from knowledge_link where variant_id {session.in_ints('ids')} returning variant_id, item_id",
        {"ids": session.int_list(sorted(leading))},
    )
    wanted = {(id_, item_id) for former, item_id in rows for id_ in leading[former]}
    known = session.run(
        f"select variant_id, item_id from knowledge_link where variant_id {session.in_ints('ids')}",
        {"ids": session.int_list(sorted({id_ for id_, _ in wanted}))},
    )
    session.insert_rows("knowledge_link", ("variant_id", "item_id"), sorted(wanted - set(map(tuple, known))))
    knowledge_pages.move(session, leading)
    gone = BitMap64(leading)
    changed = []
    # What is said of calls follows these, not the items.
    for concept_id, data in session.run(
        "select c.id, c.targets from knowledge_concept c join knowledge_release r on r.id = c.release_id"
        " where r.items > 0"
    ):
        targets = BitMap64.deserialize(data)
        if not targets.isdisjoint(gone):
            new = {id_ for former in targets & gone for id_ in leading[former]}
            changed.append(((targets - gone | BitMap64(new)).serialize(), concept_id))
    session.run_many("update knowledge_concept set targets = ? where id = ?", changed)
    consequence_sets.move(session, leading)


@dataclass(frozen=True, slots=True)
class FoundConcept:
    """A concept of an active release."""

    concept_id: int
    concept: Concept


class ActiveKnowledge:
    """What the active releases say of one kind of item, within one session."""

    def __init__(self, session: Session, kind: ItemKind) -> None:
        self._session = session
        self._kind = kind
        self._releases = releases(session, active=True)
        self._starts = [release.first_item for release in self._releases]

    @property
    def releases(self) -> Sequence[Release]:
        """Return the active releases, of whatever kind their items are."""
        return self._releases

    @property
    def has_rules(self) -> bool:
        """Return whether any active release says by rules whom items are about."""
        return any(release.has_rules for release in self._releases)

    def is_empty(self) -> bool:
        """Return whether no active release has an item of the kind."""
        return not any(self._kind in release.asked_by for release in self._releases)

    def has_annotations(self) -> bool:
        """Return whether an active release stands for annotations of files."""
        return self._kind is ItemKind.CONSEQUENCE and bool(self._origins)

    @property
    def _origins(self) -> dict[int, Release]:
        """Return the active origins of annotations by id."""
        return {one.release_id: one for one in self._releases if one.source == file_annotations.SOURCE}

    def annotations_of(self, variant_ids: Sequence[int]) -> dict[int, list[tuple[Release, list[Annotation]]]]:
        """Return what active origins of annotations say of each of some variants, in one statement."""
        origins = self._origins
        found = file_annotations.of_variants(self._session, origins, variant_ids)
        return {
            variant_id: [(origins[origin_id], said) for origin_id, said in entries]
            for variant_id, entries in found.items()
        }

    def release_of(self, item_id: int) -> Release | None:
        """Return the active release that an item is of; None for an item of no active one."""
        at = bisect_right(self._starts, item_id) - 1
        if at < 0 or item_id >= self._releases[at].first_item + self._releases[at].items:
            return None
        return self._releases[at]

    def systems(self, role: Role) -> set[str]:
        """Return the code systems of the concepts of a role."""
        return {system for release in self._releases for system in release.asked_by.get(self._kind, {}).get(role, ())}

    def concepts_coded(self, role: Role, codes: Iterable[str]) -> list[FoundConcept]:
        """Return the concepts of a role that have one of some codes, whatever their systems, in one statement."""
        return self._concepts(
            f" join knowledge_release r on r.id = c.release_id where r.active = 1"
            f" and c.code in (select value from {self._session.texts('wanted')} t)",
            {"role": role, "wanted": self._session.text_list(list(codes))},
        )

    def concepts_with(self, role: Role, words: Iterable[str]) -> list[FoundConcept]:
        """Return the concepts of a role that have one of some words in code or display, regardless of case.

        Every concept of the role is looked at, so each word is a parameter of its own: a list of them would be read
        again for each concept.
        """
        wanted = {f"word{at}": word for at, word in enumerate(dict.fromkeys(word.casefold() for word in words))}
        holding = " or ".join(self._session.holds("c.search", f":{name}") for name in wanted)
        releases = self._session.int_list([release.release_id for release in self._releases])
        return self._concepts(
            f" where c.release_id {self._session.in_ints('releases')} and ({holding})",
            {"role": role, "releases": releases, **wanted},
        )

    def _concepts(self, condition: str, parameters: Mapping[str, Any]) -> list[FoundConcept]:
        rows = self._session.run(
            f"select c.id, c.system, c.code, c.display from knowledge_concept c{condition}"
            " and c.kind = :kind and c.role = :role",
            {"kind": self._kind, **parameters},
        )
        return [FoundConcept(concept_id, Concept(*texts)) for concept_id, *texts in rows]

    def named_concepts(self, concept_ids: Iterable[int]) -> dict[int, Concept]:
        """Return concepts by number, in one statement."""
        wanted = sorted(set(concept_ids))
        if not wanted:
            return {}
        rows = self._session.run(
            f"select id, system, code, display from knowledge_concept where id {self._session.in_ints('ids')}",
            {"ids": self._session.int_list(wanted)},
        )
        return {concept_id: Concept(*texts) for concept_id, *texts in rows}

    def targets(self, concept_ids: Iterable[int]) -> BitMap64:
        """Return the variants that items with any of some concepts are about."""
        return knowledge_unions.targets(self._session, sorted(set(concept_ids)))

    def genotypes(self, concept_ids: Iterable[int]) -> set[str]:
        """Return the keys of the genotypes that items with any of some concepts are about."""
        rows = self._session.run(
            f"select genotypes from knowledge_concept where id {self._session.in_ints('ids')}",
            {"ids": self._session.int_list(sorted(set(concept_ids)))},
        )
        return {key for (text,) in rows for key in orjson.loads(text)}

    def variants_of(self, item_id: int) -> list[int]:
        """Return the variants that an item is about."""
        rows = self._session.run(
            "select variant_id from knowledge_link where item_id = :item order by variant_id", {"item": item_id}
        )
        return [row[0] for row in rows]

    def linked(self, item_ids: Sequence[int]) -> dict[int, list[int]]:
        """Return what each of some items is about: variants, or structural sites; no statement without items."""
        if not item_ids:
            return {}
        rows = self._session.run(
            f"select item_id, variant_id from knowledge_link where item_id {self._session.in_ints('ids')}"
            " order by item_id, variant_id",
            {"ids": self._session.int_list(list(item_ids))},
        )
        found: dict[int, list[int]] = {}
        for item_id, variant_id in rows:
            found.setdefault(item_id, []).append(variant_id)
        return found

    def counting_copies(self) -> list[StoredItem]:
        """Return the items whose rules ask for a number of copies; no statement where no release has rules."""
        if not self.has_rules:
            return []
        rows = self._session.run(
            "select i.id, i.kind, i.body from knowledge_rule r join knowledge_item i on i.id = r.item_id"
            " where (r.copies_min is not null or r.copies_max is not null) and i.kind = :kind order by i.id",
            {"kind": self._kind},
        )
        return [
            knowledge_codec.decode(item_id, kind, body)
            for item_id, kind, body in rows
            if self.release_of(item_id) is not None
        ]

    def of_variants(self, variant_ids: Sequence[int]) -> dict[int, list[StoredItem]]:
        """Return the items about each of some variants, in one statement."""
        rows = self._session.run(
            "select l.variant_id, i.id, i.kind, i.body from knowledge_link l join knowledge_item i on i.id = l.item_id"
            f" where l.variant_id {self._session.in_ints('ids')} and i.kind = :kind order by i.id",
            {"ids": self._session.int_list(list(variant_ids)), "kind": self._kind},
        )
        return self._grouped(rows)

    def of_genotypes(self, keys: Sequence[str]) -> dict[str, list[StoredItem]]:
        """Return the items about each of some genotypes by their canonical spelling, in one statement."""
        rows = self._session.run(
            "select g.key, i.id, i.kind, i.body from knowledge_genotype g join knowledge_item i on i.id = g.item_id"
            f" where g.key in (select value from {self._session.texts('wanted')} t) and i.kind = :kind order by i.id",
            {"wanted": self._session.text_list(list(keys)), "kind": self._kind},
        )
        return self._grouped(rows)

    def _grouped(self, rows: Sequence[tuple[Any, ...]]) -> dict[Any, list[StoredItem]]:
        decoded: dict[int, StoredItem] = {}
        found: dict[Any, list[StoredItem]] = {}
        for key, item_id, kind, body in rows:
            if self.release_of(item_id) is None:
                continue
            if item_id not in decoded:
                decoded[item_id] = knowledge_codec.decode(item_id, kind, body)
            found.setdefault(key, []).append(decoded[item_id])
        return found
