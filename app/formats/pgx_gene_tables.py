"""The tables of Operon's own layout that say what a gene is: positions, alleles, their cells, and what follows.

Tables: ``gene``, ``position``, ``allele``, ``allele_cell`` (only cells that say something), ``function_rule``,
``score_rule``, ``diplotype`` (results that no rule gives) and ``priority`` (diplotypes to pick).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from app.errors import quoted
from app.formats.pgx import (
    DiplotypeResult,
    FunctionRule,
    Gene,
    Method,
    NamedAllele,
    Ploidy,
    Position,
    ScoreRule,
)
from app.formats.pgx_names import diplotype_key
from app.formats.pgx_rows import Row, joined

COLUMNS: dict[str, tuple[str, ...]] = {
    "gene": (
        "gene",
        "hgnc",
        "pharmgkb",
        "contig",
        "method",
        "ploidy",
        "required",
        "tier1",
        "ignored",
        "ignored_alleles",
        "undocumented_as_reference",
        "description",
    ),
    "position": ("gene", "name", "contig", "pos38_1based", "alleles38", "pos37_1based", "alleles37", "ref37"),
    "allele": ("gene", "allele", "reference", "structural", "function", "activity", "core_of"),
    "allele_cell": ("gene", "allele", "position", "base"),
    "function_rule": ("gene", "first", "second", "phenotype"),
    "score_rule": ("gene", "least", "below", "phenotype"),
    "diplotype": ("gene", "diplotype", "phenotype", "activity", "lookup"),
    "priority": ("gene", "pick", "among"),
}
_LONGEST_CONTIG = 1 << 28
_CONTIGS = 25
_AMBIGUOUS = frozenset("RYSWKMBDHVN")
_BASES = frozenset("ACGTN")

Rows = Callable[[str], Iterable[Row]]
"""The rows of a table by its name; none where the table is not there"""


@dataclass(slots=True)
class _Draft:
    """A gene while its tables are read."""

    row: Row
    positions: dict[str, Position] = field(default_factory=dict)
    alleles: dict[str, Row] = field(default_factory=dict)
    cells: dict[tuple[str, str], str] = field(default_factory=dict)
    rules: dict[tuple[str, str], FunctionRule] = field(default_factory=dict)
    scores: list[ScoreRule] = field(default_factory=list)
    results: dict[str, DiplotypeResult] = field(default_factory=dict)
    priorities: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)


def read_genes(rows: Rows) -> tuple[Gene, ...]:
    """Return the genes that the tables say, in the order of the table ``gene``.

    Raises:
        BadFile: a cell cannot be used, or a row is about something that is not there or is there already.
    """
    drafts: dict[str, _Draft] = {}
    for row in rows("gene"):
        if row.needed("gene") in drafts:
            row.fail("gene", f"{quoted(row['gene'])} is there twice", "Remove one of the rows")
        drafts[row["gene"]] = _Draft(row)
    readers: dict[str, Callable[[_Draft, Row], None]] = {
        "position": _read_position,
        "allele": _read_allele,
        "allele_cell": _read_cell,
        "function_rule": _read_function_rule,
        "score_rule": _read_score_rule,
        "diplotype": _read_result,
        "priority": _read_priority,
    }
    for table, read in readers.items():
        for row in rows(table):
            draft = drafts.get(row["gene"])
            if draft is None:
                row.fail("gene", f"{quoted(row['gene'])} is not known", "Add it to the table gene")
            read(draft, row)
    return tuple(_finish(draft) for draft in drafts.values())


# --- one row ----------------------------------------------------------------------------------------------------------


def _read_position(draft: _Draft, row: Row) -> None:
    name = row.needed("name")
    if name in draft.positions:
        row.fail("name", f"{quoted(name)} is there twice", "Remove one of the rows")
    alleles38, alleles37 = _alleles_of(row, "alleles38"), _alleles_of(row, "alleles37")
    if len(alleles38) < 2:
        row.fail("alleles38", "there is no ALT", "Write REF and every ALT, separated by commas")
    has_place = bool(row["pos37_1based"])
    if len(alleles37) != (len(alleles38) if has_place else 0):
        row.fail(
            "alleles37", "it does not match alleles38", "Spell the same alleles in the same order, or leave both empty"
        )
    if row["ref37"] and row["ref37"] not in alleles37:
        row.fail("ref37", f"{quoted(row['ref37'])} is none of alleles37")
    start37 = row.count("pos37_1based", least=1, most=_LONGEST_CONTIG) - 1 if has_place else None
    draft.positions[name] = Position(
        name,
        row.count("contig", least=1, most=_CONTIGS),
        row.count("pos38_1based", least=1, most=_LONGEST_CONTIG) - 1,
        alleles38,
        start37,
        alleles37,
        row["ref37"],
    )


def _alleles_of(row: Row, column: str) -> tuple[str, ...]:
    alleles = tuple(row[column].split(",")) if row[column] else ()
    for allele in alleles:
        if not allele or not _BASES.issuperset(allele):
            row.fail(column, f"{quoted(allele)} is no allele", "Use A, C, G, T and N, as a VCF does")
    if len(set(alleles)) < len(alleles):
        row.fail(column, "an allele is there twice", "Remove one of them")
    return alleles


def _read_allele(draft: _Draft, row: Row) -> None:
    name = row.needed("allele")
    if name in draft.alleles:
        row.fail("allele", f"{quoted(name)} is there twice", "Remove one of the rows")
    if row.flag("reference") and any(other.flag("reference") for other in draft.alleles.values()):
        row.fail("reference", "the gene has another reference allele", "A gene has one reference allele")
    row.flag("structural")
    if row["activity"] not in ("", "n/a"):
        row.number("activity")
    draft.alleles[name] = row


def _read_cell(draft: _Draft, row: Row) -> None:
    if row["allele"] not in draft.alleles:
        row.fail("allele", f"{quoted(row['allele'])} is not known", "Add it to the table allele")
    position = draft.positions.get(row["position"])
    if position is None:
        row.fail("position", f"{quoted(row['position'])} is not known", "Add it to the table position")
    base = row.needed("base")
    if base not in position.alleles38 and base not in _AMBIGUOUS:
        row.fail("base", f"{quoted(base)} is none of {', '.join(position.alleles38)}", "Spell it as alleles38 does")
    key = (row["allele"], row["position"])
    if key in draft.cells:
        row.fail("position", "the allele has this position twice", "Remove one of the rows")
    draft.cells[key] = base


def _read_function_rule(draft: _Draft, row: Row) -> None:
    first, second = row.needed("first"), row["second"]
    if (first, second) in draft.rules or (second and (second, first) in draft.rules):
        row.fail("first", "the rule is there twice", "Remove one of the rows: the order of functions does not matter")
    draft.rules[first, second] = FunctionRule(first, second, row.needed("phenotype"))


def _read_score_rule(draft: _Draft, row: Row) -> None:
    rule = ScoreRule(row.number("least"), row.number("below"), row.needed("phenotype"))
    if rule.below <= rule.least:
        row.fail("below", "the range is empty", "below is more than least")
    if any(rule.least < other.below and other.least < rule.below for other in draft.scores):
        row.fail("least", "the range overlaps another one", "A score has one phenotype")
    draft.scores.append(rule)


def _read_result(draft: _Draft, row: Row) -> None:
    names = row.needed("diplotype").split("/")
    if len(names) <= 2 and diplotype_key(*names) != row["diplotype"]:
        row.fail("diplotype", f"{quoted(row['diplotype'])} is not in order", f"Write {diplotype_key(*names)}")
    if row["diplotype"] in draft.results:
        row.fail("diplotype", f"{quoted(row['diplotype'])} is there twice", "Remove one of the rows")
    draft.results[row["diplotype"]] = DiplotypeResult(row["phenotype"], row["activity"], row["lookup"])


def _read_priority(draft: _Draft, row: Row) -> None:
    among = row.items("among")
    if row.needed("pick") not in among:
        row.fail("pick", f"{quoted(row['pick'])} is none of among", "What is picked is one of the candidates")
    draft.priorities.append((row["pick"], among))


# --- the whole --------------------------------------------------------------------------------------------------------


def _finish(draft: _Draft) -> Gene:
    row = draft.row
    alleles = tuple(_allele(draft, name, its) for name, its in draft.alleles.items())
    for column in ("required", "tier1", "ignored"):
        _check_names(row, column, draft.positions)
    _check_names(row, "ignored_alleles", draft.alleles)
    return Gene(
        symbol=row["gene"],
        hgnc=row["hgnc"],
        pharmgkb=row["pharmgkb"],
        contig=row.count("contig", least=1, most=_CONTIGS),
        method=Method(row.one_of("method", Method)),
        positions=tuple(draft.positions.values()),
        alleles=alleles,
        ploidy=Ploidy(row.one_of("ploidy", Ploidy)),
        required=row.items("required"),
        tier1=row.items("tier1"),
        ignored=row.items("ignored"),
        ignored_alleles=row.items("ignored_alleles"),
        undocumented_as_reference=row.flag("undocumented_as_reference"),
        priorities=tuple(draft.priorities),
        rules=tuple(draft.rules.values()),
        scores=tuple(draft.scores),
        results=draft.results,
        description=row["description"],
    )


def _check_names(row: Row, column: str, known: Iterable[str]) -> None:
    for name in row.items(column):
        if name not in known:
            row.fail(column, f"{quoted(name)} is not known", "Name what the gene has")


def _allele(draft: _Draft, name: str, row: Row) -> NamedAllele:
    cells = tuple(draft.cells.get((name, position), "") for position in draft.positions)
    is_reference = row.flag("reference")
    if is_reference and "" in cells:
        missing = next(position for position in draft.positions if (name, position) not in draft.cells)
        row.fail(
            "reference", f"the reference allele says nothing at {quoted(missing)}", "Add it to the table allele_cell"
        )
    return NamedAllele(
        name, cells, is_reference, row.flag("structural"), row["function"], row["activity"], row["core_of"]
    )


# --- writing ----------------------------------------------------------------------------------------------------------


def gene_rows(genes: Iterable[Gene]) -> dict[str, list[tuple[str, ...]]]:
    """Return the rows of each table of this module."""
    rows: dict[str, list[tuple[str, ...]]] = defaultdict(list)
    for gene in genes:
        for table, row in _rows_of(gene):
            rows[table].append(row)
    return {table: rows[table] for table in COLUMNS}


def _rows_of(gene: Gene) -> Iterator[tuple[str, tuple[str, ...]]]:
    symbol = gene.symbol
    yield "gene", _gene_row(gene)
    for position in gene.positions:
        yield "position", (symbol, *_position_row(position))
    for allele in gene.alleles:
        flags = (_flag(allele.is_reference), _flag(allele.is_structural))
        yield "allele", (symbol, allele.name, *flags, allele.function, allele.activity, allele.core_of)
        for position, cell in zip(gene.positions, allele.cells, strict=True):
            if cell:
                yield "allele_cell", (symbol, allele.name, position.name, cell)
    for rule in gene.rules:
        yield "function_rule", (symbol, rule.first, rule.second, rule.phenotype)
    for score in gene.scores:
        yield "score_rule", (symbol, repr(score.least), repr(score.below), score.phenotype)
    for diplotype, result in gene.results.items():
        yield "diplotype", (symbol, diplotype, result.phenotype, result.activity, result.lookup)
    for pick, among in gene.priorities:
        yield "priority", (symbol, pick, joined(among))


def _gene_row(gene: Gene) -> tuple[str, ...]:
    lists = (gene.required, gene.tier1, gene.ignored, gene.ignored_alleles)
    return (
        gene.symbol,
        gene.hgnc,
        gene.pharmgkb,
        str(gene.contig),
        gene.method,
        gene.ploidy,
        *map(joined, lists),
        _flag(gene.undocumented_as_reference),
        gene.description,
    )


def _position_row(position: Position) -> tuple[str, ...]:
    return (
        position.name,
        str(position.contig),
        str(position.start38 + 1),
        ",".join(position.alleles38),
        "" if position.start37 is None else str(position.start37 + 1),
        ",".join(position.alleles37),
        position.ref37,
    )


def _flag(value: bool) -> str:
    return "yes" if value else "no"
