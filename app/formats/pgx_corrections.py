"""Corrections of a source's genes: what newer releases of CPIC say otherwise, row by row, each with its origin.

Every row of a correction is about something that is there: one that names an unknown gene, allele or position is
refused, so that a correction cannot fall away unseen when the source changes.
"""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import BinaryIO

from app.errors import BadFile, quoted
from app.formats.pgx import DiplotypeResult, FunctionRule, Gene, Method, NamedAllele, Position
from app.formats.pgx_genes import GENES
from app.formats.pgx_names import diplotype_key
from app.formats.pgx_rows import Row, read_rows

COLUMNS: dict[str, tuple[str, ...]] = {
    "gene": ("gene", "tier1_alleles", "ignored", "ignored_alleles", "description", "source"),
    "allele": ("gene", "allele", "action", "name", "core_of", "source"),
    "position": ("gene", "position", "pos38_1based", "pos37_1based", "ref", "alt", "source"),
    "function": ("gene", "allele", "function", "activity", "source"),
    "cell": ("gene", "allele", "position", "base", "source"),
    "function_rule": ("gene", "first", "second", "phenotype", "source"),
    "diplotype": ("gene", "diplotype", "phenotype", "lookup", "source"),
    "lookup": ("gene", "drug", "was", "becomes", "source"),
    "drug": ("drug", "atc", "pharmgkb", "drugbank", "source"),
    "drug_name": ("drug", "kind", "name", "language", "country", "source"),
    "recommendation": ("drug", "population", "lookup", "classification", "text", "source"),
    "alternative": ("drug", "name", "rxnorm", "source"),
}
_LONGEST_CONTIG = 1 << 28
_AMBIGUOUS = frozenset("RYSWKMBDHVN")

Corrections = Mapping[str, Sequence[Row]]
"""The rows of each table"""


def read_corrections(files: Mapping[str, tuple[BinaryIO, str]]) -> Corrections:
    """Return the corrections that a set of tables says; a table that is not there corrects nothing.

    Raises:
        BadFile: a table is not known or cannot be read, or a row does not say where it comes from.
    """
    found: dict[str, Sequence[Row]] = {}
    for table, (stream, source) in files.items():
        if table not in COLUMNS:
            raise BadFile(source, "the table is not known", mend=f"Tables are {', '.join(COLUMNS)}")
        found[table] = tuple(read_rows(stream, source, COLUMNS[table]))
        for row in found[table]:
            row.needed("source")
    return found


def correct_genes(genes: Iterable[Gene], corrections: Corrections) -> tuple[Gene, ...]:
    """Return genes with the corrections made; genes of the table ``gene`` that are not there yet are added.

    Raises:
        BadFile: a correction is about something that is not there.
    """
    by_symbol = {gene.symbol: gene for gene in genes}
    for row in corrections.get("gene", ()):
        by_symbol.setdefault(row.needed("gene"), _new_gene(row))
    steps: dict[str, Callable[[Gene, Sequence[Row]], Gene]] = {
        "allele": _correct_alleles,
        "position": _add_positions,
        "function": _correct_functions,
        "cell": _correct_cells,
        "function_rule": _correct_rules,
        "diplotype": _correct_results,
        "gene": _correct_facts,
    }
    for table, step in steps.items():
        for symbol, rows in _by_gene(corrections.get(table, ())).items():
            if symbol not in by_symbol:
                rows[0].fail("gene", f"{quoted(symbol)} is not known")
            by_symbol[symbol] = step(by_symbol[symbol], rows)
    return tuple(_without_needless(gene) for _, gene in sorted(by_symbol.items()))


def _by_gene(rows: Iterable[Row]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        found[row["gene"]].append(row)
    return found


def _new_gene(row: Row) -> Gene:
    facts = GENES.get(row["gene"])
    if facts is None:
        row.fail("gene", f"{quoted(row['gene'])} is not known")
    return Gene(facts.symbol, facts.hgnc, facts.pharmgkb, facts.contig, facts.method, ploidy=facts.ploidy)


# --- alleles ----------------------------------------------------------------------------------------------------------


def _correct_alleles(gene: Gene, rows: Sequence[Row]) -> Gene:
    alleles = {allele.name: allele for allele in gene.alleles}
    for row in rows:
        action = row.one_of("action", ("add", "rename", "retire"))
        if action == "add":
            if row["allele"] in alleles:
                row.fail("allele", f"{quoted(row['allele'])} is there already")
            alleles[row["allele"]] = NamedAllele(row["allele"], ("",) * len(gene.positions))
            continue
        allele = _known(alleles, row)
        if action == "retire":
            del alleles[row["allele"]]
        else:
            renamed = dataclasses.replace(allele, name=row.needed("name"), core_of=row["core_of"])
            alleles = {key: renamed if key == row["allele"] else other for key, other in alleles.items()}
    return dataclasses.replace(gene, alleles=tuple(alleles.values()))


def _known(alleles: Mapping[str, NamedAllele], row: Row) -> NamedAllele:
    if row["allele"] not in alleles:
        row.fail("allele", f"{quoted(row['allele'])} is not known")
    return alleles[row["allele"]]


def _correct_functions(gene: Gene, rows: Sequence[Row]) -> Gene:
    alleles = {allele.name: allele for allele in gene.alleles}
    for row in rows:
        allele = _known(alleles, row)
        alleles[allele.name] = dataclasses.replace(
            allele, function=row.needed("function"), activity=row["activity"] or allele.activity
        )
    return dataclasses.replace(gene, alleles=tuple(alleles.values()))


def _add_positions(gene: Gene, rows: Sequence[Row]) -> Gene:
    for row in rows:
        alleles = (row.needed("ref"), row.needed("alt"))
        start38, start37 = (row.count(f"pos{build}_1based", least=1, most=_LONGEST_CONTIG) - 1 for build in (38, 37))
        position = Position(row.needed("position"), gene.contig, start38, alleles, start37, alleles, alleles[0])
        wider = tuple(
            dataclasses.replace(allele, cells=(*allele.cells, alleles[0] if allele.is_reference else ""))
            for allele in gene.alleles
        )
        gene = dataclasses.replace(gene, positions=(*gene.positions, position), alleles=wider)
    return gene


def _correct_cells(gene: Gene, rows: Sequence[Row]) -> Gene:
    alleles = {allele.name: allele for allele in gene.alleles}
    places = {position.name: at for at, position in enumerate(gene.positions)}
    for row in rows:
        allele, at = _known(alleles, row), places.get(row["position"])
        if at is None:
            row.fail("position", f"{quoted(row['position'])} is not known")
        if row["base"] not in ("", *gene.positions[at].alleles38, *_AMBIGUOUS):
            row.fail("base", f"{quoted(row['base'])} is none of {', '.join(gene.positions[at].alleles38)}")
        cells = (*allele.cells[:at], row["base"], *allele.cells[at + 1 :])
        alleles[allele.name] = dataclasses.replace(allele, cells=cells)
    return dataclasses.replace(gene, alleles=tuple(alleles.values()))


# --- results ----------------------------------------------------------------------------------------------------------


def _correct_rules(gene: Gene, rows: Sequence[Row]) -> Gene:
    """Replace every rule of the gene, and the results that were stated beside them."""
    rules = tuple(FunctionRule(row.needed("first"), row["second"], row.needed("phenotype")) for row in rows)
    return dataclasses.replace(gene, rules=rules, results={})


def _correct_results(gene: Gene, rows: Sequence[Row]) -> Gene:
    """Replace every result that is stated for a diplotype."""
    results = {
        diplotype_key(*row.needed("diplotype").split("/")): DiplotypeResult(row["phenotype"], "", row["lookup"])
        for row in rows
    }
    return dataclasses.replace(gene, results=results)


def _correct_facts(gene: Gene, rows: Sequence[Row]) -> Gene:
    alleles = {allele.name: allele for allele in gene.alleles}
    (row,) = rows if len(rows) == 1 else rows[1].fail("gene", f"{quoted(gene.symbol)} is there twice")
    tier1: set[str] = set()
    for name in row.items("tier1_alleles"):
        if name not in alleles:
            row.fail("tier1_alleles", f"{quoted(name)} is not known")
        cells = zip(gene.positions, alleles[name].cells, strict=True)
        tier1.update(position.name for position, cell in cells if cell)
    for column, known in (("ignored", {position.name for position in gene.positions}), ("ignored_alleles", alleles)):
        for name in row.items(column):
            if name not in known:
                row.fail(column, f"{quoted(name)} is not known")
    return dataclasses.replace(
        gene,
        tier1=tuple(position.name for position in gene.positions if position.name in tier1),
        ignored=row.items("ignored"),
        ignored_alleles=row.items("ignored_alleles"),
        description=row["description"],
    )


# --- what is no longer needed -----------------------------------------------------------------------------------------


def _without_needless(gene: Gene) -> Gene:
    """Leave out places that tell no alleles apart, results that rules give, and rules that are not asked."""
    if gene.method is Method.GENOTYPE:
        gene = dataclasses.replace(gene, rules=())
    return _without_needless_results(_without_needless_positions(gene))


def _without_needless_positions(gene: Gene) -> Gene:
    positions: list[Position] = []
    columns: list[tuple[str, ...]] = []
    for at, position in enumerate(gene.positions):
        column = tuple(allele.cells[at] for allele in gene.alleles)
        told = {cell for cell, allele in zip(column, gene.alleles, strict=True) if cell and not allele.is_reference}
        if told:
            spelled = _shorter_spellings(position, told)
            positions.append(_respelled(position, spelled))
            columns.append(tuple(spelled.get(cell, cell) for cell in column))
        elif position.name in gene.ignored:
            positions.append(position)
            columns.append(column)
    rows = zip(*columns, strict=True) if columns else [()] * len(gene.alleles)
    alleles = tuple(
        dataclasses.replace(allele, cells=tuple(cells)) for allele, cells in zip(gene.alleles, rows, strict=True)
    )
    return dataclasses.replace(gene, positions=tuple(positions), alleles=alleles)


def _shorter_spellings(position: Position, told: set[str]) -> dict[str, str]:
    """Return the alleles that are still named, each as it is spelled without the bases that no other one needs."""
    alleles = [allele for at, allele in enumerate(position.alleles38) if at == 0 or allele in told]
    if not _AMBIGUOUS.isdisjoint(told) or len(alleles) < 2 or len(alleles) == len(position.alleles38):
        return {allele: allele for allele in position.alleles38}
    shorter = list(alleles)
    while all(len(allele) > 1 for allele in shorter) and len({allele[-1] for allele in shorter}) == 1:
        shorter = [allele[:-1] for allele in shorter]
    return dict(zip(alleles, shorter, strict=True))


def _respelled(position: Position, spelled: Mapping[str, str]) -> Position:
    places = [at for at, allele in enumerate(position.alleles38) if allele in spelled]
    cut = len(position.ref38) - len(spelled[position.ref38])
    alleles37 = tuple(
        position.alleles37[at][: len(position.alleles37[at]) - cut] for at in places if position.alleles37
    )
    return dataclasses.replace(
        position,
        alleles38=tuple(spelled[position.alleles38[at]] for at in places),
        alleles37=alleles37,
        ref37=position.ref37[: len(position.ref37) - cut],
    )


def _without_needless_results(gene: Gene) -> Gene:
    functions = {allele.name: allele.function for allele in gene.alleles}
    rules = {frozenset((rule.first, rule.second)): rule.phenotype for rule in gene.rules}
    results = {
        key: result
        for key, result in gene.results.items()
        if result.lookup or result.phenotype != rules.get(_functions_of(key, functions))
    }
    return dataclasses.replace(gene, results=results)


def _functions_of(key: str, functions: Mapping[str, str]) -> frozenset[str]:
    names = key.split("/")
    return frozenset((functions.get(names[0], "?"), functions.get(names[1], "?") if len(names) == 2 else ""))
