"""Unions of carriers, however they come about, are what the items and the carriers say one by one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import pytest

from app.formats.knowledge import Concept, ItemKind, KnowledgeItem
from app.records import SourceClass, Zygosity
from app.store import bitmaps, carriers, counters, knowledge, knowledge_pages, knowledge_unions
from app.store.bitmaps import Column
from app.store.carriers import ordinals
from app.store.knowledge_codec import Role
from app.store.knowledge_writer import KnowledgeWriter, ReleaseFacts
from app.store.session import Database, Session
from tests.small_store import migrated

SUBJECTS = 70_000
"""Of two shards"""
VARIANTS = 9_000
"""Of three pages"""
CONDITIONS = 12

Carrier = tuple[int, int, SourceClass]


@dataclass
class Known:
    """A store with random knowledge, and the same as plain sets."""

    database: Database
    random: np.random.Generator
    targets: dict[str, set[int]] = field(default_factory=dict)
    carried: set[Carrier] = field(default_factory=set)

    def load(self, name: str, items: int) -> None:
        """Load a release of items with one or two conditions, each about one or two variants; most about a few."""
        facts = ReleaseFacts(name, name, name, "1", None, "", [], name)
        with self.database.write() as session:
            writer = KnowledgeWriter(session, facts)
            made, about = [], []
            for number in range(items):
                codes = [f"{name}{one}" for one in set(self.random.integers(0, CONDITIONS, 2).tolist())]
                some = (self.random.random(2) ** 3 * VARIANTS).astype(int).tolist()
                for code in codes:
                    self.targets.setdefault(code, set()).update(some)
                conditions = tuple(Concept("urn:s", code) for code in codes)
                made.append(KnowledgeItem(ItemKind.DIAGNOSTIC, f"r{number}", conditions=conditions))
                about.append(some)
            writer.write(made[: items // 2], about[: items // 2])
            writer.write(made[items // 2 :], about[items // 2 :])
            writer.finish({})
            knowledge.set_active(session, knowledge.named(session, name), active=True)

    def carriers(self, count: int) -> list[Carrier]:
        """Return carriers of random variants; some variants have many."""
        variants = (self.random.random(count) ** 6 * VARIANTS).astype(int).tolist()
        subjects = (self.random.random(count) ** 2 * SUBJECTS).astype(int).tolist()
        classes = self.random.choice([SourceClass.GERMLINE, SourceClass.SOMATIC], count).tolist()
        return [(v, s, SourceClass(c)) for v, s, c in zip(variants, subjects, classes, strict=True)]

    def add(self, some: list[Carrier], session: Session) -> None:
        """Add carriers as two blocks of a run do."""
        extension = knowledge_unions.Extension(session)
        for block in (some[::2], some[1::2]):
            columns = bitmaps.unpack_delta(bitmaps.pack_delta(*_columns(block)))
            carriers.merge(session, *columns)
            extension.take(*columns)
        extension.store()
        self.carried.update(some)

    def expected(self, code: str, source_class: SourceClass | None) -> list[int]:
        """Return who carries a target of a condition."""
        about = self.targets[code]
        return sorted({s for v, s, c in self.carried if v in about and source_class in (None, c)})


def _columns(some: list[Carrier]) -> tuple[Column, Column, Column]:
    kinds = [bitmaps.kind_of(c, Zygosity.HETEROZYGOUS) for _, _, c in some]
    variant, ordinal = ([one[at] for one in some] for at in (0, 1))
    return np.array(variant, np.int64), np.array(ordinal, np.int64), np.array(kinds, np.int64)


@pytest.fixture
def known(store_url: str) -> Iterator[Known]:
    with migrated(store_url) as database:
        with database.write() as session:
            counters.allocate(session, counters.SUBJECT_ORDINAL, SUBJECTS)
        yield Known(database, np.random.default_rng(5))


def check(known: Known) -> None:
    """Compare every concept's union with the sets."""
    with known.database.read() as session:
        concepts = dict(session.run("select code, id from knowledge_concept"))
        assert concepts.keys() == known.targets.keys()
        for code, concept_id in concepts.items():
            assert set(knowledge_unions.targets(session, [concept_id])) == known.targets[code]
            for source_class in (None, SourceClass.GERMLINE, SourceClass.SOMATIC):
                found = ordinals(knowledge_unions.fetch(session, [concept_id], source_class))
                assert found == known.expected(code, source_class), (code, source_class)
        stored = session.run("select n, members from knowledge_union")
        assert all(n == len(bitmaps.unpack(members)) for n, members in stored)
        assert stored


def test_carriers_before_and_after_a_release_are_in_its_unions(known: Known) -> None:
    with known.database.write() as session:
        known.add(known.carriers(3_000), session)
    known.load("one", 400)
    check(known)
    with known.database.write() as session:
        known.add(known.carriers(2_000), session)
    known.load("two", 300)
    with known.database.write() as session:
        known.add(known.carriers(1_000), session)
        known.add([], session)
    check(known)


def test_unions_counted_anew_are_the_same(known: Known, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(knowledge_unions, "_PAGES_AT_ONCE", 1)
    monkeypatch.setattr(knowledge_unions, "_CONCEPTS_AT_ONCE", 2)
    monkeypatch.setattr(knowledge_unions, "_CARRIERS_AT_ONCE", 100)
    known.load("one", 400)
    known.load("two", 300)
    with known.database.write() as session:
        known.add(known.carriers(4_000), session)
    check(known)
    with known.database.write() as session:
        knowledge_unions.rebuild(session)
    check(known)
    gone = known.carriers(0) + sorted(known.carried)[::3]
    with known.database.write() as session:
        carriers.withdraw(session, *_columns(gone))
        known.carried -= set(gone)
        knowledge_unions.recount(session, {variant for variant, _, _ in gone})
    check(known)


def test_unions_of_concepts_without_a_changed_variant_stay(known: Known) -> None:
    known.load("one", 40)
    with known.database.write() as session:
        known.add(known.carriers(2_000), session)
        session.run("update knowledge_union set n = 0 where concept_id >= 0 returning 1")
        code, about = next(iter(known.targets.items()))
        knowledge_unions.recount(session, [min(about)])
        counted = {row[0] for row in session.run("select concept_id from knowledge_union where n > 0")}
        expected = session.run("select id, code from knowledge_concept")
        assert counted == {id_ for id_, name in expected if min(about) in known.targets[name]}
        assert code in {name for id_, name in expected if id_ in counted}
        assert len(counted) < len(expected)


def test_a_release_that_is_not_active_has_no_unions_and_gets_none(known: Known) -> None:
    known.load("one", 100)
    with known.database.write() as session:
        knowledge.set_active(session, knowledge.named(session, "one"), active=False)
        known.add(known.carriers(1_000), session)
        knowledge_unions.recount(session, range(VARIANTS))
        assert session.run("select 1 from knowledge_union") == []
        knowledge.set_active(session, knowledge.named(session, "one"), active=True)
    check(known)


def test_a_removed_release_leaves_no_row(known: Known) -> None:
    known.load("one", 100)
    with known.database.write() as session:
        known.add(known.carriers(1_000), session)
        knowledge.remove(session, knowledge.named(session, "one"))
        for table in ("release", "item", "concept", "link", "page", "genotype", "union"):
            assert session.run(f"select 1 from knowledge_{table}") == [], table


def test_a_page_of_an_unknown_version_is_refused(known: Known) -> None:
    with known.database.write() as session:
        session.insert_rows("knowledge_page", knowledge_pages.PAGE, [(1, 0, b"\x07")])
        with pytest.raises(ValueError, match="unknown version 7"):
            knowledge_pages.read(session, [1], [0])


def test_a_release_tells_what_it_can_be_asked_by(known: Known) -> None:
    known.load("one", 10)
    with known.database.read() as session:
        diagnostic = knowledge.ActiveKnowledge(session, ItemKind.DIAGNOSTIC)
        assert not diagnostic.is_empty()
        assert diagnostic.systems(Role.CONDITION) == {"urn:s"}
        assert diagnostic.systems(Role.MEDICATION) == set()
        assert knowledge.ActiveKnowledge(session, ItemKind.THERAPEUTIC).is_empty()
