"""What leads from concepts to variants and on to their carriers is stored in several forms, which have to agree."""

from __future__ import annotations

from app.records import SourceClass
from app.store import carriers, counters, knowledge, knowledge_codec, knowledge_pages, knowledge_unions
from app.store.session import Database


def check_links(database: Database) -> None:
    """Compare targets and pages of every concept with the links of its items, and unions with the carriers."""
    with database.read() as session:
        linked: dict[int, set[int]] = {id_: set() for (id_,) in session.run("select id from knowledge_concept")}
        items = {
            row[0]: knowledge_codec.decode(*row) for row in session.run("select id, kind, body from knowledge_item")
        }
        for variant_id, item_id in session.run("select variant_id, item_id from knowledge_link"):
            item = items[item_id]
            if item.rule is None or not item.rule.counts_copies:
                for number in (number for numbers in item.concepts.values() for number in numbers):
                    linked[number].add(variant_id)
        assert {id_: set(knowledge_unions.targets(session, [id_])) for id_ in linked} == linked
        paged: dict[int, set[int]] = {id_: set() for id_ in linked}
        for release in knowledge.releases(session):
            pages = knowledge_pages.pages_of(session, [release.release_id])
            pairs = knowledge_pages.read(session, [release.release_id], pages)
            for variant_id, concept_id in zip(pairs.variant.tolist(), pairs.concept.tolist(), strict=True):
                paged[concept_id].add(variant_id)
        assert paged == linked
        active = dict(
            session.run(
                "select c.id, r.active from knowledge_concept c join knowledge_release r on r.id = c.release_id"
            )
        )
        shards = carriers.shards_of(counters.values(session))
        for id_, variant_ids in linked.items():
            for source_class in (None, *SourceClass):
                classes = None if source_class is None else (source_class,)
                [who] = carriers.united(session, [sorted(variant_ids)], classes, shards=shards)
                expected = who if active[id_] else {}
                stored = knowledge_unions.fetch(session, [id_], source_class)
                assert carriers.ordinals(stored) == carriers.ordinals(expected), (id_, source_class)
