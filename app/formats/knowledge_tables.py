"""Operon's own tables of knowledge: ``diagnostic``, ``therapeutic`` and ``consequence``, tab-separated, one item a row.

A list is joined by `` ; ``; lists that belong together (``.system``, ``.code``, ``.display``) have the same length, or
are empty as a whole. An item is about a variant (``b37_spdi``, ``b38_spdi``), about genotypes (``genotype_…``) or about
whom a rule takes (``rule_…``), and only about one of these. Unknown columns are ignored.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import BinaryIO

from app.config import Settings
from app.errors import BadFile, InvalidInput, quoted
from app.formats.knowledge import COVERS, OVERLAPS, Concept, ItemKind, KnowledgeItem, Rejects, Rule
from app.formats.knowledge_phrases import implication
from app.formats.named_rows import NamedRow, NamedRows
from app.records import Build, StructuralKind
from app.variants.accessions import locate, sequence_length
from app.variants.identify import GenomicChange
from app.variants.spdi import SpdiWithLength, parse_spdi

NO_ID = "no row_id"
NO_TARGET = "no target"
SEVERAL_TARGETS = "several kinds of targets"
BAD_SPDI = "no usable SPDI"
BAD_LIST = "lists of different lengths"
NAMELESS = "a concept without code and name"
BAD_RULE = "no usable rule"
SAYS_NOTHING = "it says nothing"
BAD_IMPACT = "unknown impact"

_SPDIS = {"b37_spdi": Build.GRCH37, "b38_spdi": Build.GRCH38}
_REGIONS = {"rule_region37": Build.GRCH37, "rule_region38": Build.GRCH38}
_RULE = (
    "rule_gene",
    *_REGIONS,
    "rule_changes",
    "rule_copies_min",
    "rule_copies_max",
    "rule_terms",
    "rule_protein",
    "rule_protein_at",
    "rule_relation",
)
_TARGETS = (*_SPDIS, "genotype_code", "rule_gene", *_REGIONS)
_SAYS = {
    ItemKind.DIAGNOSTIC: ("significance_display", "significance_code", "phenotypes.code", "phenotypes.display"),
    ItemKind.THERAPEUTIC: ("medications.code", "medications.display"),
    ItemKind.CONSEQUENCE: ("feature_consequences.code", "functional_effects.code", "c_hgvs", "p_hgvs", "impact"),
}
_CLINVAR = (
    ("http://www.ncbi.nlm.nih.gov/clinvar", "clinvar_variation_id"),
    ("http://www.ncbi.nlm.nih.gov/clinvar/scv", "clinvar_scv"),
)
_IDENTIFIERS = ("identifiers.system", "identifiers.value")
_IMPACTS = ("", "HIGH", "MODERATE", "LOW", "MODIFIER")
_KINDS = {kind.name for kind in StructuralKind if kind is not StructuralKind.BND}
_WITH_COPIES = {kind.name for kind in (StructuralKind.DEL, StructuralKind.DUP, StructuralKind.CNV)}
_BETWEEN = re.compile(r"(?:^| );(?: |$)")
_REGION = re.compile(r"(?P<ref_seq>NC_[0-9]{6}\.[0-9]{1,2}):(?P<start>[0-9]{1,10})-(?P<end>[0-9]{1,10})")
_RESIDUES = re.compile(r"(?P<first>[0-9]{1,6})(?:-(?P<last>[0-9]{1,6}))?")
_TERM = re.compile(r"SO:[0-9]{7}")
_COPIES = re.compile(r"[0-9]{1,6}")
_PROTEIN = re.compile(r"p\.[A-Z][a-z]{2}[0-9]{1,6}[A-Za-z0-9_=*?]+")
"""In three-letter codes"""


class _Unusable(Exception):
    """A row cannot be used."""

    def __init__(self, field: str, cause: str, detail: str = "") -> None:
        super().__init__(cause)
        self.field = field
        self.cause = cause
        self.detail = detail


def read_table(
    kind: ItemKind, stream: BinaryIO, name: str, rejects: Rejects, settings: Settings
) -> Iterator[KnowledgeItem]:
    """Yield the items of one table; rows that cannot be used are noted.

    Raises:
        BadFile: a column is missing without which no row says anything.
        LimitExceeded: a cap of the settings is exceeded.
    """
    rows = NamedRows(stream, name, rejects, settings, required=("row_id",))
    _require_one_of(_TARGETS, rows, name)
    _require_one_of(_SAYS[kind], rows, name)
    for row in rows:
        try:
            yield _read_row(kind, row)
        except _Unusable as error:
            rejects.add(name, row.line_1based, error.field, error.cause, error.detail)


def _require_one_of(columns: tuple[str, ...], rows: NamedRows, name: str) -> None:
    if not any(column in rows.places for column in columns):
        raise BadFile(
            name,
            "the column is missing",
            line_1based=rows.header_1based,
            field=columns[0],
            mend=f"The header needs at least one of {', '.join(columns)}, separated by tabs",
        )


def _read_row(kind: ItemKind, row: NamedRow) -> KnowledgeItem:
    row_id = row.text("row_id")
    if not row_id:
        raise _Unusable("row_id", NO_ID)
    changes = _changes(row)
    genotypes = _concepts(row, "genotype_system", "genotype_code", "genotype_display")
    rule = _rule(row)
    targets = sum(bool(target) for target in (changes, genotypes, rule))
    if targets != 1:
        raise _Unusable("target", SEVERAL_TARGETS if targets else NO_TARGET)
    impact = row.text("impact")
    if impact not in _IMPACTS:
        raise _Unusable("impact", BAD_IMPACT, quoted(impact))
    prefix = "phenotypes" if kind is ItemKind.DIAGNOSTIC else "contexts"
    item = KnowledgeItem(
        kind,
        row_id,
        changes,
        genotypes,
        rule,
        _identifiers(row),
        _statement(kind, row),
        row.text("evidence_level"),
        _list_of_concepts(row, prefix),
        _list_of_concepts(row, "medications"),
        _list_of_concepts(row, "feature_consequences"),
        _list_of_concepts(row, "functional_effects"),
        row.text("gene"),
        row.text("transcript"),
        row.text("c_hgvs"),
        row.text("p_hgvs"),
        impact,
        row.text("note"),
    )
    if not _says_something(item):
        raise _Unusable(_SAYS[kind][0], SAYS_NOTHING)
    return item


def _says_something(item: KnowledgeItem) -> bool:
    match item.kind:
        case ItemKind.DIAGNOSTIC:
            return bool(item.statement or item.conditions)
        case ItemKind.THERAPEUTIC:
            return bool(item.medications)
        case ItemKind.CONSEQUENCE:
            return bool(item.terms or item.effects or item.coding_hgvs or item.protein_hgvs or item.impact)


def _statement(kind: ItemKind, row: NamedRow) -> Concept | None:
    if kind is ItemKind.THERAPEUTIC:
        phrase = row.text("predicted_implication")
        return implication(phrase) if phrase else None
    if kind is ItemKind.CONSEQUENCE:
        return None
    system, code, display = (row.text(f"significance_{part}") for part in ("system", "code", "display"))
    return Concept(system, code, display) if code or display else None


def _changes(row: NamedRow) -> tuple[GenomicChange, ...]:
    changes = tuple(_change(text, column, build) for column, build in _SPDIS.items() if (text := row.text(column)))
    if len({change.contig for change in changes}) > 1:
        raise _Unusable("b38_spdi", BAD_SPDI, "another chromosome than b37_spdi")
    return changes


def _change(text: str, column: str, build: Build) -> GenomicChange:
    try:
        spdi = parse_spdi(text)
    except InvalidInput as error:
        raise _Unusable(column, BAD_SPDI, error.diagnostics) from None
    contig, builds = locate(spdi.ref_seq)
    if build not in builds:
        raise _Unusable(column, BAD_SPDI, f"{spdi.ref_seq} is not of {build}")
    if isinstance(spdi, SpdiWithLength):
        raise _Unusable(column, BAD_SPDI, "it does not spell out the deleted bases")
    return GenomicChange(build, contig, spdi.position, spdi.deleted, spdi.inserted)


def _identifiers(row: NamedRow) -> tuple[tuple[str, str], ...]:
    cells = tuple(map(row.raw, _IDENTIFIERS))
    listed = _parallel(_IDENTIFIERS, cells) if any(cells) else []
    if any(not value for _, value in listed):
        raise _Unusable("identifiers.value", NAMELESS)
    clinvar = ((system, value) for system, column in _CLINVAR if (value := row.text(column)))
    return (*((system, value) for system, value in listed), *clinvar)


def _list_of_concepts(row: NamedRow, prefix: str) -> tuple[Concept, ...]:
    return _concepts(row, f"{prefix}.system", f"{prefix}.code", f"{prefix}.display")


def _concepts(row: NamedRow, system: str, code: str, display: str) -> tuple[Concept, ...]:
    cells = row.raw(system), row.raw(code), row.raw(display)
    return _concepts_in((system, code, display), cells) if any(cells) else ()


@lru_cache(maxsize=1 << 15)
def _concepts_in(columns: tuple[str, ...], cells: tuple[str, ...]) -> tuple[Concept, ...]:
    """Return the concepts that parallel lists have; millions of rows of a large table name the same ones."""
    concepts = tuple(Concept(*parts) for parts in _parallel(columns, cells))
    if any(not concept.code and not concept.display for concept in concepts):
        raise _Unusable(columns[1], NAMELESS)
    return concepts


def _parallel(columns: tuple[str, ...], cells: tuple[str, ...]) -> list[tuple[str, ...]]:
    """Return the members of lists that belong together, side by side."""
    lists = [_listed(cell) for cell in cells]
    sizes = {len(members) for members in lists if members}
    if len(sizes) > 1:
        raise _Unusable(columns[-1], BAD_LIST)
    size = sizes.pop() if sizes else 0
    return list(zip(*(members or [""] * size for members in lists), strict=True))


def _listed(cell: str) -> list[str]:
    # Blanks at the ends belong to the joint: the last member of "704 ; " is empty.
    return [member.strip() for member in _BETWEEN.split(cell)] if cell.strip() else []


# --- rules ------------------------------------------------------------------------------------------------------------


def _rule(row: NamedRow) -> Rule | None:
    if not any(column in row.places and row.text(column) for column in _RULE):
        return None
    rule = Rule(
        row.text("rule_gene"),
        tuple(_region(text, column, build) for column, build in _REGIONS.items() if (text := row.text(column))),
        _members(row, "rule_changes", _KINDS.__contains__),
        _copies(row, "rule_copies_min"),
        _copies(row, "rule_copies_max"),
        _members(row, "rule_terms", lambda term: _TERM.fullmatch(term) is not None),
        _protein(row),
        _residues(row),
        row.text("rule_relation") or COVERS,
    )
    least, most = rule.copies_at_least, rule.copies_at_most
    if not rule.gene and not rule.regions:
        raise _Unusable("rule_gene", BAD_RULE, "it names neither a gene nor a region")
    if not rule.is_structural and not rule.is_of_consequences:
        raise _Unusable("rule_changes", BAD_RULE, "it does not say which changes count")
    if rule.is_structural and rule.is_of_consequences:
        raise _Unusable("rule_changes", BAD_RULE, "no variant is structural and has a consequence for a protein")
    if rule.relation not in (COVERS, OVERLAPS):
        raise _Unusable("rule_relation", BAD_RULE, f"{quoted(rule.relation)} is neither {COVERS} nor {OVERLAPS}")
    if (least is not None or most is not None) and not _WITH_COPIES.issuperset(rule.changes):
        raise _Unusable("rule_changes", BAD_RULE, "an insertion or inversion has no number of copies")
    if least is not None and most is not None and least > most:
        raise _Unusable("rule_copies_max", BAD_RULE, "it is below rule_copies_min")
    if len({region[1] for region in rule.regions}) > 1:
        raise _Unusable("rule_region38", BAD_RULE, "another chromosome than rule_region37")
    return rule


def _region(text: str, column: str, build: Build) -> tuple[int, int, int, int]:
    match = _REGION.fullmatch(text)
    if match is None:
        raise _Unusable(column, BAD_RULE, f"{quoted(text)} is no region, written as NC_000017.11:0-100")
    try:
        contig, builds = locate(match["ref_seq"])
    except InvalidInput as error:
        raise _Unusable(column, BAD_RULE, error.diagnostics) from None
    start, end = int(match["start"]), int(match["end"])
    if build not in builds or not start < end <= sequence_length(match["ref_seq"]):
        raise _Unusable(column, BAD_RULE, f"{quoted(text)} is no region of {build}")
    return (37 if build is Build.GRCH37 else 38), contig, start, end


def _members(row: NamedRow, column: str, known: Callable[[str], bool]) -> tuple[str, ...]:
    members = tuple(_listed(row.raw(column)))
    for member in members:
        if not known(member):
            raise _Unusable(column, BAD_RULE, f"{quoted(member)} is not known")
    return members


def _copies(row: NamedRow, column: str) -> int | None:
    text = row.text(column)
    if text and not _COPIES.fullmatch(text):
        raise _Unusable(column, BAD_RULE, f"{quoted(text)} is no number of copies")
    return int(text) if text else None


def _protein(row: NamedRow) -> str:
    text = row.text("rule_protein")
    if text and not _PROTEIN.fullmatch(text):
        raise _Unusable("rule_protein", BAD_RULE, f"{quoted(text)} is no change of a protein, written as p.Val600Glu")
    return text


def _residues(row: NamedRow) -> tuple[int, int] | None:
    text = row.text("rule_protein_at")
    if not text:
        return None
    match = _RESIDUES.fullmatch(text)
    first, last = (int(match["first"]), int(match["last"] or match["first"])) if match else (0, 0)
    if not 1 <= first <= last:
        raise _Unusable("rule_protein_at", BAD_RULE, f"{quoted(text)} is no residue and no range of residues")
    return first, last
