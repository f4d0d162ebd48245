"""What the pharmacogenetic releases in use mean, kept as releases of knowledge of the same names.

They are written anew whenever other releases are in use: an implication has to follow from the definitions and
functions that calls follow from, and advice that another release has superseded is not repeated beside it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from typing import Any

from app.formats.knowledge import KnowledgeItem
from app.formats.pgx import PgxContent
from app.operations.pgx_active import active_content
from app.pgx.implications import implications
from app.pgx.layers import Merged
from app.store import knowledge, pgx_releases
from app.store.knowledge_writer import KnowledgeWriter, ReleaseFacts
from app.store.pgx_releases import PgxFacts
from app.store.session import Session
from ingest.consequence_rules import ConsequenceRules

_BATCH = 200
_BASIS = "rests_on"


def restate(session: Session, rules: ConsequenceRules) -> dict[str, int]:
    """Write what the releases in use mean, as far as it is not written yet; return the number of items of each."""
    known = pgx_releases.releases(session)
    contents = {one.release_id: pgx_releases.content_of(session, one) for one in known if one.active}
    found = active_content(session, known=contents)
    genes = {gene.symbol: gene for gene in found.content.genes}
    written = {one.name: one for one in knowledge.releases(session)}
    items: dict[str, int] = {}
    for release in known:
        said = _counting(contents[release.release_id], found, release.name) if release.active else PgxContent()
        basis = _basis(said, found)
        former = written.get(release.name)
        if former is not None and former.active and former.report.get(_BASIS) == basis:
            items[release.name] = former.items
            continue
        if former is not None:
            rules.remove(session, former)
        items[release.name] = _write(session, release.facts, implications(said, genes), basis)
        if items[release.name]:
            rules.switch(session, knowledge.named(session, release.name), active=True)
    return items


def _counting(content: PgxContent, found: Merged, name: str) -> PgxContent:
    """Return a release without the recommendations that those of another one supersede."""
    kept = tuple(one for one in content.recommendations if found.advice_releases[one.source] == name)
    return content if len(kept) == len(content.recommendations) else replace(content, recommendations=kept)


def _basis(said: PgxContent, found: Merged) -> dict[str, Any]:
    symbols = sorted({symbol for one in said.recommendations for symbol in one.lookup})
    return {
        "genes": {symbol: found.gene_releases.get(symbol, "") for symbol in symbols},
        "recommendations": len(said.recommendations),
    }


def _write(session: Session, facts: PgxFacts, items: Iterator[KnowledgeItem], basis: dict[str, Any]) -> int:
    if not (batch := _next(items)):
        return 0
    writer, stored = KnowledgeWriter(session, _facts(facts), lists_genotypes=False), 0
    while batch:
        writer.write(batch, [()] * len(batch))
        stored += len(batch)
        batch = _next(items)
    writer.finish({_BASIS: basis})
    return stored


def _next(items: Iterator[KnowledgeItem]) -> list[KnowledgeItem]:
    return list(islice(items, _BATCH))


def _facts(facts: PgxFacts) -> ReleaseFacts:
    return ReleaseFacts(
        facts.name, facts.source, facts.label, facts.version, facts.released, facts.licence, facts.files, facts.sha256
    )
