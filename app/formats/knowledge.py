"""What a knowledge source says, as its readers pass it on: one item is one statement about a variant or genotype.

A reader is a generator of items over open files; what it cannot use it notes in ``Rejects`` and goes on, so that one
strange row of a public file does not cost the rest. Positions are zero-based, half-open.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, Final

from app.variants.identify import GenomicChange

_MOST_NOTED = 1000
"""So many rejected rows are told one by one; all are counted"""


COVERS: Final = "covers"
OVERLAPS: Final = "overlaps"


class ItemKind(IntEnum):
    """What an item is about."""

    DIAGNOSTIC = 1
    """Clinical significance for a phenotype"""
    THERAPEUTIC = 2
    """Effect on a therapy"""
    CONSEQUENCE = 3
    """Consequence for a transcript or protein"""


@dataclass(frozen=True, slots=True)
class Concept:
    """A coded concept; the system is empty where a source gives none, the code where it gives only a name."""

    system: str
    code: str
    display: str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """Whom an item is about that names no exact variant: every condition that is given has to hold."""

    gene: str = ""
    """Symbol or HGNC identifier"""
    regions: tuple[tuple[int, int, int, int], ...] = ()
    """(37 or 38, contig, start, end) of the region that is changed, at most one a build"""
    changes: tuple[str, ...] = ()
    """Structural kinds that count: DEL, DUP, INS, INV, CNV"""
    copies_at_least: int | None = None
    copies_at_most: int | None = None
    terms: tuple[str, ...] = ()
    """Sequence Ontology codes of consequences that count"""
    protein: str = ""
    """Protein change, ``p.Val600Glu``"""
    protein_at: tuple[int, int] | None = None
    """First and last residue (one-based) of which any is changed"""
    relation: str = COVERS
    """How a structural variant has to lie to the region: it covers all of it, or overlaps it"""

    @property
    def is_structural(self) -> bool:
        """Return whether the rule is about structural variants."""
        return bool(self.changes) or self.copies_at_least is not None or self.copies_at_most is not None

    @property
    def is_of_consequences(self) -> bool:
        """Return whether the rule is about what variants do to a gene."""
        return bool(self.terms or self.protein or self.protein_at)


@dataclass(frozen=True, slots=True)
class KnowledgeItem:
    """One statement of a knowledge source."""

    kind: ItemKind
    row_id: str
    """What the source calls the statement; with the source it is the same one in every release"""
    changes: tuple[GenomicChange, ...] = ()
    """The variant that it is about, as it is written on each build that the source gives: mostly one or two"""
    genotypes: tuple[Concept, ...] = ()
    """Or the genotypes that it is about"""
    rule: Rule | None = None
    """Or the rule that says whom it is about"""
    identifiers: tuple[tuple[str, str], ...] = ()
    """(system, value) of the resource, in their order"""
    statement: Concept | None = None
    """Clinical significance, or predicted implication; its display is the source's own phrase"""
    evidence: str = ""
    """Level of evidence, or review status, in the source's own phrase"""
    conditions: tuple[Concept, ...] = ()
    """Predicted phenotypes, or the phenotypic context of a treatment"""
    medications: tuple[Concept, ...] = ()
    terms: tuple[Concept, ...] = ()
    """Consequences as terms of the Sequence Ontology"""
    effects: tuple[Concept, ...] = ()
    """Functional effects"""
    gene: str = ""
    """Symbol"""
    transcript: str = ""
    """Accession with version"""
    coding_hgvs: str = ""
    protein_hgvs: str = ""
    impact: str = ""
    """HIGH, MODERATE, LOW or MODIFIER"""
    note: str = ""
    """What a reader of the answer should know besides"""


@dataclass(frozen=True, slots=True)
class Reject:
    """A row that could not be used."""

    file: str
    line_1based: int
    field: str
    problem: str


@dataclass(slots=True)
class Rejects:
    """The rows that could not be used: the first ones one by one, all of them counted by cause."""

    noted: list[Reject] = field(default_factory=list)
    by_cause: Counter[str] = field(default_factory=Counter)

    def add(self, file: str, line_1based: int, name: str, cause: str, detail: str = "") -> None:
        """Note a row: ``cause`` is one of few phrases, ``detail`` what is special about this row."""
        self.by_cause[cause] += 1
        if len(self.noted) < _MOST_NOTED:
            self.noted.append(Reject(file, line_1based, name, f"{cause}: {detail}" if detail else cause))

    @property
    def total(self) -> int:
        """Return how many rows were rejected."""
        return self.by_cause.total()

    def to_json(self) -> dict[str, Any]:
        """Return what reports of a load tell of the rows, as JSON values."""
        return {
            "rejected": self.total,
            "rejected_by_cause": dict(sorted(self.by_cause.items())),
            "rejects": [
                {"file": one.file, "line": one.line_1based, "field": one.field, "problem": one.problem}
                for one in self.noted
            ],
        }


Items = Iterator[KnowledgeItem]
