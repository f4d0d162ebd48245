"""Rules for consequences: which small variants meet them, when a release is loaded or switched and when variants come.

Candidates come by place, with one statement; only of these it is asked what they do. What an active release states of a
variant counts, and only where nothing is stated what is computed along the loaded transcripts, as in the answers on
molecular consequences.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Final

from app.formats.knowledge import ItemKind
from app.operations.context import Genome
from app.store import counters, knowledge, knowledge_rules, variants
from app.store.knowledge import ActiveKnowledge, Release
from app.store.knowledge_codec import Role, StoredItem
from app.store.knowledge_rules import Link, PlacedRule
from app.store.session import Session
from app.variants.consequence import Consequence, Predictor
from app.variants.consequence_terms import TERMS
from app.variants.transcripts import MANE_SELECT, Transcripts

_BATCH = 5000
_RESIDUES: Final = re.compile(r"p\.([A-Z][a-z]{2}[0-9]{1,6})(?:_([A-Z][a-z]{2}[0-9]{1,6}))?(.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class _Effect:
    """One consequence of a variant, as far as rules ask for it."""

    gene: str
    hgnc: str
    terms: frozenset[str]
    """Codes"""
    protein: str
    """Without accession and parentheses; empty unless it is known on the MANE Select transcript"""
    counts: bool
    """Whether its terms count: it is stated, or computed on a transcript that stands for its gene"""


class ConsequenceRules:
    """Keeps links between variants and rules for consequences, in the writer's transactions."""

    def __init__(self, genome: Genome) -> None:
        self._genome = genome
        self._named = lru_cache(maxsize=10_000)(self._new_name)
        self._has_mane = lru_cache(maxsize=10_000)(self._new_has_mane)

    @cached_property
    def _predictor(self) -> Predictor | None:
        return self._genome.predictor()

    @property
    def _transcripts(self) -> Transcripts:
        return self._genome.transcripts

    def links_of_items(self, session: Session, first: int, end: int) -> list[Link]:
        """Return the variants that meet the rules of the items [first, end)."""
        found = knowledge_rules.candidates_of_items(session, first, end)
        return sorted(self._meeting(session, found))

    def link_new(self, session: Session, contig: int, new: int, *, before_item: int | None = None) -> None:
        """Link the variants that were added last, of one contig; nobody carries them yet.

        ``before_item`` leaves out rules of a release that is being written. Where no rule is about the contig it is one
        statement.
        """
        if not new or not knowledge_rules.are_about(session, contig):
            return
        first = counters.value(session, counters.VARIANT) - new
        found = knowledge_rules.candidates_from(session, contig, first, before_item=before_item)
        knowledge_rules.replace_links(session, set(), self._meeting(session, found), carried=False)

    def relink_contig(self, session: Session, contig: int) -> None:
        """Link the variants of a contig anew, after they have moved or more sequence has come."""
        if knowledge_rules.are_about(session, contig):
            found = knowledge_rules.candidates_on(session, contig)
            had = knowledge_rules.consequence_links(session, contig)
            knowledge_rules.replace_links(session, had, self._meeting(session, found), carried=True)

    def switch(self, session: Session, release: Release, *, active: bool) -> None:
        """Let answers use a release or no longer; rules follow what it states of variants."""
        knowledge.set_active(session, release, active=active)
        self._relink(session, self._stated_by(session, release))

    def remove(self, session: Session, release: Release) -> None:
        """Remove a release; rules of others no longer follow what it states."""
        pairs = self._stated_by(session, release) if release.active else set()
        knowledge.remove(session, release)
        first, end = release.first_item, release.first_item + release.items
        self._relink(session, {(variant_id, item_id) for variant_id, item_id in pairs if not first <= item_id < end})

    def _stated_by(self, session: Session, release: Release) -> set[Link]:
        """Return the candidates of rules that a release states consequences of."""
        first = release.first_item
        return knowledge_rules.candidates_stated_by(session, first, first + release.items)

    def _relink(self, session: Session, pairs: set[Link]) -> None:
        # A variant that only a removed release named is gone, and so is its part in every rule.
        had = knowledge_rules.links_by_rules(session, sorted({variant_id for variant_id, _ in pairs})) & pairs
        knowledge_rules.replace_links(session, had, self._meeting(session, pairs), carried=True)

    def _meeting(self, session: Session, candidates: set[Link]) -> set[Link]:
        """Return those pairs of a variant and a rule at whose place it is that meet."""
        if not candidates:
            return set()
        rules = knowledge_rules.consequence_rules(session, {item_id for _, item_id in candidates})
        of_variant: dict[int, list[int]] = {}
        for variant_id, item_id in sorted(candidates):
            of_variant.setdefault(variant_id, []).append(item_id)
        active = ActiveKnowledge(session, ItemKind.CONSEQUENCE)
        ids = list(of_variant)
        found = set()
        for at in range(0, len(ids), _BATCH):
            for variant_id, effects in self._effects(session, active, ids[at : at + _BATCH]):
                found |= {
                    (variant_id, item_id)
                    for item_id in of_variant[variant_id]
                    if any(_meets(rules[item_id], effect) for effect in effects)
                }
        return found

    def _effects(
        self, session: Session, active: ActiveKnowledge, variant_ids: Sequence[int]
    ) -> Iterator[tuple[int, list[_Effect]]]:
        items = active.of_variants(variant_ids)
        concepts = active.named_concepts(
            number for some in items.values() for item in some for number in item.concepts.get(Role.TERM, ())
        )
        codes = {number: concept.code for number, concept in concepts.items()}
        for variant_id, placement in variants.placements_of(session, variant_ids).items():
            if variant_id in items:
                yield variant_id, [self._stated(item, codes) for item in items[variant_id]]
            elif self._predictor is not None and placement.justified:
                yield variant_id, list(map(self._computed, self._predictor.predict(placement.canonical)))

    def _stated(self, item: StoredItem, codes: Mapping[int, str]) -> _Effect:
        known = self._transcripts.get(item.transcript) if item.transcript else None
        gene, hgnc = (known.gene or "", known.hgnc or "") if known is not None else self._named(item.gene)
        is_select = known is not None and known.mane == MANE_SELECT
        return _Effect(
            gene,
            hgnc,
            frozenset(codes[number] for number in item.concepts.get(Role.TERM, ())),
            _bare(item.protein_hgvs) if is_select else "",
            counts=True,
        )

    def _computed(self, one: Consequence) -> _Effect:
        gene, hgnc = one.gene or "", one.hgnc or ""
        return _Effect(
            gene,
            hgnc,
            frozenset(TERMS[name].accession for name in one.terms),
            _bare(one.protein or "") if one.mane == MANE_SELECT else "",
            counts=one.mane is not None or not self._has_mane(hgnc or gene),
        )

    def _new_name(self, gene: str) -> tuple[str, str]:
        found = self._transcripts.genes_named(gene) if gene else []
        return (found[0].symbol, found[0].hgnc or "") if len(found) == 1 else (gene, "")

    def _new_has_mane(self, gene: str) -> bool:
        return any(transcript.mane for transcript in self._transcripts.of_gene(gene))


def _meets(rule: PlacedRule, effect: _Effect) -> bool:
    same = rule.hgnc == effect.hgnc if rule.hgnc and effect.hgnc else rule.gene.upper() == effect.gene.upper()
    if not same:
        return False
    if rule.terms and (not effect.counts or effect.terms.isdisjoint(rule.terms)):
        return False
    if rule.protein and effect.protein != rule.protein:
        return False
    return rule.protein_at is None or _changes_residue(effect.protein, *rule.protein_at)


def _bare(protein: str) -> str:
    """Return a change of a protein without accession and parentheses.

    >>> _bare("NP_004324.2:p.(Val600Glu)")
    'p.Val600Glu'
    """
    return protein.rpartition(":")[2].replace("(", "").replace(")", "")


def _changes_residue(protein: str, first: int, last: int) -> bool:
    """Return whether a change names a residue of a range; what is inserted has to be between two of them.

    >>> _changes_residue("p.Leu747_Pro753delinsSer", 750, 750), _changes_residue("p.Val600=", 600, 600)
    (True, False)
    >>> _changes_residue("p.Asp770_Asn771insGly", 770, 770), _changes_residue("p.Asp770_Asn771insGly", 770, 771)
    (False, True)
    """
    match = _RESIDUES.fullmatch(protein)
    if match is None or match[3] == "=":
        return False
    low = int(match[1][3:])
    high = int(match[2][3:]) if match[2] else low
    if match[3].startswith("ins"):
        return first <= low and high <= last
    return low <= last and high >= first
