"""Rules of knowledge: which structural sites and variants meet them, kept as links like those of exact variants.

A rule has a region on one build or both. A site is compared on the build that it was reported on where the rule has a
region there, else at its place on the other one; without a place there it meets nothing. Only what is certain counts:
docs/explanation/rules.md has the definitions. Links follow when a release is loaded and when sites or variants come,
move or go, in the writer's transaction. Rules that ask for a number of copies depend on each call, so what meets the
rest of them is linked, but has no part in the unions of carriers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson
from pyroaring import BitMap64

from app.formats.knowledge import ItemKind
from app.records import Build, StructuralKind
from app.store import counters, knowledge_codec, knowledge_pages, knowledge_unions, structural_places
from app.store.knowledge_codec import StoredItem, StoredRule
from app.store.knowledge_pages import Pair
from app.store.session import Session

COLUMNS: Final = (
    "item_id", "gene", "hgnc", "contig", "start37", "end37", "start38", "end38", "kinds", "covers", "copies_min",
    "copies_max", "terms", "protein", "protein_first", "protein_last",
)  # fmt: skip
_INS, _DEL = int(StructuralKind.INS), int(StructuralKind.DEL)

Link = tuple[int, int]
"""Site or variant, and item"""


@dataclass(frozen=True, slots=True)
class PlacedRule:
    """A rule with the region that it looks at on each build; ``words`` tell it to the readers of answers."""

    words: str
    contig: int
    regions: Mapping[Build, tuple[int, int]]
    gene: str = ""
    hgnc: str = ""
    kinds: tuple[StructuralKind, ...] = ()
    covers: bool = True
    copies_min: int | None = None
    copies_max: int | None = None
    terms: tuple[str, ...] = ()
    protein: str = ""
    protein_at: tuple[int, int] | None = None

    def stored(self) -> StoredRule:
        """Return what the item has of it."""
        return StoredRule(self.words, self.copies_min, self.copies_max)

    def row(self, item_id: int) -> tuple[Any, ...]:
        """Return the row of the table."""
        ends = [self.regions.get(build, (None, None)) for build in (Build.GRCH37, Build.GRCH38)]
        kinds = sum(1 << kind for kind in set(self.kinds))
        first, last = self.protein_at or (None, None)
        return (
            item_id, self.gene, self.hgnc, self.contig, *ends[0], *ends[1], kinds, int(self.covers), self.copies_min,
            self.copies_max, orjson.dumps(list(self.terms)).decode(), self.protein, first, last,
        )  # fmt: skip


def exist(session: Session) -> bool:
    """Return whether any release has a rule: without one nothing has to be done."""
    return bool(session.run("select 1 from knowledge_rule limit 1"))


def sites_of_items(session: Session, first: int, end: int) -> list[Link]:
    """Return the sites that meet the rules of the items [first, end), found by the index of places."""
    found: set[Link] = set()
    for build in Build:
        scope = "r.item_id >= :first and r.item_id < :end"
        touching = structural_places.touching_regions(session, build, "knowledge_rule", f"kinds <> 0 and {scope}")
        sql = (
            f"select s.id, r.item_id from ({touching}) p join knowledge_rule r on r.item_id = p.item_id"
            f" join structural_site s on s.id = p.site where {_meets(build)}"
        )
        found.update(map(_link, session.run(sql, {"first": first, "end": end})))
    return sorted(found)


def are_about(session: Session, contig: int) -> bool:
    """Return whether any rule for consequences is about a contig."""
    sql = "select 1 from knowledge_rule where contig = :contig and kinds = 0 limit 1"
    return bool(session.run(sql, {"contig": contig}))


def candidates_of_items(session: Session, first: int, end: int) -> set[Link]:
    """Return the variants at the places of the rules for consequences among the items [first, end)."""
    return _candidates(session, "r.item_id >= :first and r.item_id < :end", {"first": first, "end": end})


def candidates_on(session: Session, contig: int) -> set[Link]:
    """Return every variant of a contig at the place of a rule for consequences."""
    return _candidates(session, "r.contig = :contig", {"contig": contig}, among="v.contig = :contig")


def candidates_from(session: Session, contig: int, first: int, *, before_item: int | None = None) -> set[Link]:
    """Return those of them that are numbered from ``first``; ``before_item`` leaves out rules of later items."""
    scope, parameters = "r.contig = :contig and v.id >= :first", {"contig": contig, "first": first}
    if before_item is not None:
        scope, parameters = f"{scope} and r.item_id < :before", {**parameters, "before": before_item}
    return _candidates(session, scope, parameters, among="v.id >= :first")


def candidates_stated_by(session: Session, first: int, end: int) -> set[Link]:
    """Return the variants at the places of rules that the items [first, end) state consequences of."""
    stated = (
        "select 1 from knowledge_link l join knowledge_item i on i.id = l.item_id where l.variant_id = v.id"
        f" and l.item_id >= :first and l.item_id < :end and i.kind = {int(ItemKind.CONSEQUENCE)}"
    )
    return _candidates(session, f"exists ({stated})", {"first": first, "end": end})


def _candidates(session: Session, scope: str, parameters: Mapping[str, Any], *, among: str = "1 = 1") -> set[Link]:
    """Return pairs of a variant and a rule for consequences at whose place it is; without such rules at little cost.

    They are compared on GRCh38 where both have a place there, else on GRCh37. How far before a region a deletion can
    begin that reaches into it is told by the longest one ``among`` the variants.
    """
    if not session.run("select 1 from knowledge_rule where kinds = 0 limit 1"):
        return set()
    [longest] = session.run(
        "select coalesce(max(length(v.deleted)), 1), coalesce(max(length(v.deleted37)), 1) from variant v"
        f" where v.deleted is not null and {among}",
        parameters,
    )
    reach = max(longest)
    on_other = "(r.start38 is null or v.start38 is null)"
    found: set[Link] = set()
    for on, deleted, condition in (
        ("38", "v.deleted", ""),
        ("37", "coalesce(v.deleted37, v.deleted)", f" and {on_other}"),
    ):
        start, low, high = f"v.start{on}", f"r.start{on}", f"r.end{on}"
        size = f"coalesce(length({deleted}), 1)"
        rows = session.run(
            "select v.id, r.item_id from knowledge_rule r cross join variant v"
            f" where r.kinds = 0 and v.contig = r.contig and {start} < {high} and {start} > {low} - {reach}"
            f" and ({start} >= {low} or {start} + {size} > {low}){condition} and {scope}",
            parameters,
        )
        found.update(map(_link, rows))
    return found


def consequence_rules(session: Session, item_ids: Iterable[int]) -> dict[int, PlacedRule]:
    """Return what rules for consequences ask for, by item; where they do so is known already."""
    rows = session.run(
        "select item_id, contig, gene, hgnc, terms, protein, protein_first, protein_last from knowledge_rule"
        f" where item_id {session.in_ints('ids')} and kinds = 0",
        {"ids": session.int_list(sorted(item_ids))},
    )
    return {
        item_id: PlacedRule(
            "", contig, {}, gene, hgnc, terms=tuple(orjson.loads(terms)), protein=protein,
            protein_at=None if first is None else (first, last),
        )
        for item_id, contig, gene, hgnc, terms, protein, first, last in rows
    }  # fmt: skip


def consequence_links(session: Session, contig: int) -> set[Link]:
    """Return every link of the rules for consequences on a contig."""
    rows = session.run(
        "select l.variant_id, l.item_id from knowledge_rule r join knowledge_link l on l.item_id = r.item_id"
        " where r.contig = :contig and r.kinds = 0",
        {"contig": contig},
    )
    return set(map(_link, rows))


def replace_links(session: Session, had: set[Link], has: set[Link], *, carried: bool) -> None:
    """Let some pairs be linked in place of others; ``carried``: somebody may carry the variants."""
    _change(session, had - has, has - had, carried=carried)


def _items_of_sites(session: Session, ids: Sequence[int]) -> set[Link]:
    parts = [
        "select s.id, r.item_id from structural_site s join knowledge_rule r on r.contig = s.contig"
        f" where s.id {session.in_ints('ids')} and {_meets(build)}"
        for build in Build
    ]
    return set(map(_link, session.run(" union all ".join(parts), {"ids": session.int_list(list(ids))})))


def _link(row: Sequence[Any]) -> Link:
    return int(row[0]), int(row[1])


def _meets(build: Build) -> str:
    """Return the condition that a site (``s``) meets a rule (``r``), copies aside, by their places on one build.

    Of a deletion that is written in bases as many as ALT has are still there, and nobody says which, but that the first
    is the base before the event.
    """
    on, other = build.value[-2:], build.other.value[-2:]
    start, end = f"s.inner_start{on}", f"s.inner_end{on}"
    low, high = f"r.start{on}", f"r.end{on}"
    kept = f"(case when s.kind = {_DEL} and substr(s.alt, 1, 1) <> '<' then length(s.alt) - 1 else 0 end)"
    within = f"{low} < s.outer_start{on} and s.outer_end{on} < {high}"
    window_is_known = f"(s.imprecise = 0 or s.outer_start{on} < s.outer_end{on})"
    ends_are_known = f"(s.imprecise = 0 or s.outer_start{on} < {start} or {end} < s.outer_end{on})"
    covers = f"r.covers = 1 and {start} + {kept} <= {low} and {end} - {kept} >= {high}"
    overlaps = f"r.covers = 0 and {start} + 1 + {kept} < {high} and {end} - {kept} > {low}"
    return (
        f"(r.kinds & (1 << s.kind)) <> 0 and r.contig = s.contig and {low} is not null and s.start{on} is not null"
        f" and (s.build = '{build.value}' or r.start{other} is null)"
        f" and ((s.kind = {_INS} and {window_is_known} and {within})"
        f" or (s.kind <> {_INS} and {start} is not null and {ends_are_known} and (({covers}) or ({overlaps}))))"
    )


def link_new_sites(session: Session, ids: Sequence[int]) -> None:
    """Link sites that were added just now, so that nobody carries them yet."""
    if ids and exist(session):
        _change(session, [], _items_of_sites(session, ids), carried=False)


def relink_sites(session: Session, ids: Sequence[int]) -> None:
    """Link sites anew that have another place now."""
    if ids and exist(session):
        had, has = links_by_rules(session, ids), _items_of_sites(session, ids)
        _change(session, had - has, has - had, carried=True)


def unlink(session: Session, ids: Sequence[int]) -> None:
    """Remove what rules say of sites or variants that are no longer stored; nobody carries them."""
    if ids and exist(session):
        _change(session, links_by_rules(session, ids), [], carried=False)


def links_by_rules(session: Session, ids: Sequence[int]) -> set[Link]:
    """Return the links of some sites and variants that rules made, in one statement."""
    if not ids:
        return set()
    rows = session.run(
        "select l.variant_id, l.item_id from knowledge_rule r join knowledge_link l on l.item_id = r.item_id"
        f" where l.variant_id {session.in_ints('ids')}",
        {"ids": session.int_list(list(ids))},
    )
    return set(map(_link, rows))


def _change(session: Session, gone: Iterable[Link], added: Iterable[Link], *, carried: bool) -> None:
    """Store which links are gone and new; where somebody may carry what they are of, unions are counted anew."""
    gone, added = sorted(gone), sorted(added)
    if not gone and not added:
        return
    session.run_many("delete from knowledge_link where variant_id = ? and item_id = ?", gone)
    session.insert_rows("knowledge_link", ("variant_id", "item_id"), added)
    changed = _retarget(session, [*gone, *added])
    if carried:
        knowledge_unions.recount_concepts(session, changed)
        counters.add(session, counters.DATA_VERSION, 1)


def _retarget(session: Session, links: Sequence[Link]) -> list[int]:
    """Let concepts and pages lead to what items are linked with now, and return the concepts that changed."""
    items = _items(session, {item_id for _, item_id in links})
    ids = sorted({variant_id for variant_id, _ in links})
    affected = sorted({number for item in items.values() for number in _numbers(item)})
    rows = session.run(
        f"select variant_id, item_id from knowledge_link where variant_id {session.in_ints('ids')}",
        {"ids": session.int_list(ids)},
    )
    linked = _items(session, {item_id for _, item_id in rows})
    has: dict[int, BitMap64] = {}
    for variant_id, item_id in rows:
        for number in _numbers(linked[item_id]):
            has.setdefault(number, BitMap64()).add(variant_id)
    changed = []
    paged: dict[int, tuple[list[Pair], list[Pair]]] = {}
    stored = session.run(
        f"select id, release_id, targets from knowledge_concept where id {session.in_ints('ids')} order by id",
        {"ids": session.int_list(affected)},
    )
    for concept_id, release_id, data in stored:
        before = BitMap64.deserialize(data)
        after = (before - BitMap64(ids)) | has.get(concept_id, BitMap64())
        if after != before:
            changed.append((after.serialize(), concept_id))
            left, new = paged.setdefault(release_id, ([], []))
            left += [(variant_id, concept_id) for variant_id in before - after]
            new += [(variant_id, concept_id) for variant_id in after - before]
    session.run_many("update knowledge_concept set targets = ? where id = ?", changed)
    for release_id, (left, new) in paged.items():
        knowledge_pages.change(session, release_id, left, new)
    return [concept_id for _, concept_id in changed]


def _items(session: Session, item_ids: Iterable[int]) -> dict[int, StoredItem]:
    rows = session.run(
        f"select id, kind, body from knowledge_item where id {session.in_ints('ids')}",
        {"ids": session.int_list(sorted(item_ids))},
    )
    return {item_id: knowledge_codec.decode(item_id, kind, body) for item_id, kind, body in rows}


def _numbers(item: StoredItem) -> list[int]:
    """Return the concepts of an item whose unions count what it is about."""
    if item.rule is not None and item.rule.counts_copies:
        return []
    return [number for numbers in item.concepts.values() for number in numbers]
