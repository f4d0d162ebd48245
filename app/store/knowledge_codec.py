"""What one item of knowledge says, as the text of its row.

A JSON list; system URIs and phrases that millions of rows repeat are numbers in it, positions in the tuples below.
Those tuples may grow at their ends and never change otherwise. Concepts that questions ask by are numbers as well, of
rows of ``knowledge_concept``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final

import orjson

from app.formats.knowledge import Concept, ItemKind, KnowledgeItem

_TEXTS: Final = (
    "http://loinc.org",
    "http://www.ncbi.nlm.nih.gov/clinvar",
    "http://www.ncbi.nlm.nih.gov/clinvar/scv",
    "https://civicdb.org/evidence",
    "https://civicdb.org/variant",
    "https://www.pharmgkb.org",
    "practice guideline",
    "reviewed by expert panel",
    "criteria provided, multiple submitters, no conflicts",
    "criteria provided, conflicting classifications",
    "criteria provided, single submitter",
    "no assertion criteria provided",
    "no classification provided",
    "no classification for the individual variant",
    "no assertion provided",
    "LA6668-3",
    "LA26332-9",
    "LA26333-7",
    "LA26334-5",
    "LA6675-8",
    "Pathogenic",
    "Likely pathogenic",
    "Uncertain significance",
    "Likely benign",
    "Benign",
    "not provided",
)
_NUMBERS: Final = {text: number for number, text in enumerate(_TEXTS)}


class Role(IntEnum):
    """What a concept is to its items."""

    CONDITION = 1
    MEDICATION = 2
    TERM = 3
    """Consequence, a term of the Sequence Ontology"""


@dataclass(frozen=True, slots=True)
class StoredRule:
    """What answers need of the rule of an item: itself in words, and the copies of a call that it demands."""

    words: str
    copies_min: int | None = None
    copies_max: int | None = None

    @property
    def counts_copies(self) -> bool:
        """Return whether calls of one site can differ in meeting the rule."""
        return self.copies_min is not None or self.copies_max is not None


@dataclass(frozen=True, slots=True)
class StoredItem:
    """One item as it is read back; concepts that questions ask by are numbers."""

    item_id: int
    kind: ItemKind
    row_id: str
    identifiers: tuple[tuple[str, str], ...]
    statement: Concept | None
    evidence: str
    concepts: Mapping[Role, tuple[int, ...]]
    effects: tuple[Concept, ...]
    gene: str
    transcript: str
    coding_hgvs: str
    protein_hgvs: str
    impact: str
    note: str
    genotypes: tuple[Concept, ...]
    rule: StoredRule | None = None


def roles(item: KnowledgeItem) -> Mapping[Role, Sequence[Concept]]:
    """Return the concepts of an item that questions ask by."""
    return {Role.CONDITION: item.conditions, Role.MEDICATION: item.medications, Role.TERM: item.terms}


def encode(item: KnowledgeItem, concepts: Mapping[Role, Sequence[int]], rule: StoredRule | None = None) -> str:
    """Return the text of an item; ``concepts`` has the numbers of its concepts."""
    fields = [
        item.row_id,
        [_concept_fields(*pair) for pair in item.identifiers],
        _packed(item.statement) if item.statement is not None else 0,
        _short(item.evidence),
        [list(concepts.get(role, ())) for role in Role],
        [_packed(effect) for effect in item.effects],
        [item.gene, item.transcript, item.coding_hgvs, item.protein_hgvs, item.impact, item.note],
        [_packed(genotype) for genotype in item.genotypes],
        [] if rule is None else [rule.words, rule.copies_min, rule.copies_max],
    ]
    while not fields[-1] or (isinstance(fields[-1], list) and not any(fields[-1])):
        fields.pop()
    return orjson.dumps(fields).decode()


def decode(item_id: int, kind: int, text: str) -> StoredItem:
    """Return an item from its row."""
    fields: list[Any] = orjson.loads(text)
    fields += _ABSENT[len(fields) :]
    row_id, identifiers, statement, evidence, concepts, effects, names, genotypes, rule = fields
    gene, transcript, coding_hgvs, protein_hgvs, impact, note = names
    return StoredItem(
        item_id,
        ItemKind(kind),
        row_id,
        tuple((_long(system), _long(value)) for system, value in identifiers),
        _unpacked(statement) if statement else None,
        _long(evidence),
        {role: tuple(numbers) for role, numbers in zip(Role, concepts, strict=False)},
        tuple(map(_unpacked, effects)),
        gene,
        transcript,
        coding_hgvs,
        protein_hgvs,
        impact,
        note,
        tuple(map(_unpacked, genotypes)),
        StoredRule(*rule) if rule else None,
    )


_ABSENT: Final[list[Any]] = ["", [], 0, "", [[], [], []], [], ["", "", "", "", "", ""], [], []]


def _packed(concept: Concept) -> list[int | str]:
    return _concept_fields(concept.system, concept.code, concept.display)


def _unpacked(fields: Sequence[int | str]) -> Concept:
    return Concept(*map(_long, fields))


def _concept_fields(*texts: str) -> list[int | str]:
    return [_short(text) for text in texts]


def _short(text: str) -> int | str:
    return _NUMBERS.get(text, text)


def _long(value: int | str) -> str:
    return _TEXTS[value] if isinstance(value, int) else value
