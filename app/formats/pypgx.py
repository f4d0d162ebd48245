"""The tables of PyPGx (https://github.com/sbslee/pypgx, MIT) as a release of pharmacogenetic knowledge.

PyPGx names alleles as PharmVar and CPIC do, on GRCh37 and GRCh38, and repeats CPIC's recommendations. Genes that
``app.formats.pgx_genes`` does not know are passed over, and NAT2, whose names CPIC has replaced.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import BinaryIO

from app.errors import BadFile
from app.formats import pypgx_advice, pypgx_genes, pypgx_results
from app.formats.pgx import Gene, PgxContent, Provenance
from app.formats.pgx_genes import GENES
from app.formats.pypgx_rows import CsvRow, read_csv

NEEDED = {
    "allele-table": pypgx_genes.ALLELE_COLUMNS,
    "variant-table": pypgx_genes.VARIANT_COLUMNS,
    "gene-table": ("Gene", "PhenotypeMethod", "GRCh38Default"),
}
OPTIONAL = {
    "diplotype-table": pypgx_results.DIPLOTYPE_COLUMNS,
    "equation-table": pypgx_results.EQUATION_COLUMNS,
    "recommendation-table": pypgx_advice.RECOMMENDATION_COLUMNS,
    "cpic-table": pypgx_advice.CPIC_COLUMNS,
}
TABLES = (*NEEDED, *OPTIONAL)
OBSOLETE = frozenset({"NAT2"})
"""Genes whose alleles PyPGx names in a way that is no longer used"""

_LICENCE = "MIT (PyPGx); the contents are curated from CPIC (CC0 1.0), PharmVar and PharmGKB"
_URL = "https://github.com/sbslee/pypgx"


def read_pypgx(files: Mapping[str, tuple[BinaryIO, str]]) -> PgxContent:
    """Return what PyPGx's tables say.

    Args:
        files: Name of a table without ``.csv`` → its bytes and the name of its file. Those of
            ``OPTIONAL`` may be left out.

    Raises:
        BadFile: a table is missing, or a cell cannot be used.
    """
    for table in NEEDED:
        if table not in files:
            raise BadFile(f"{table}.csv", "the table is missing", mend=f"Give {', '.join(NEEDED)}")
    genes = tuple(_genes(files))
    symbols = frozenset(gene.symbol for gene in genes)
    drugs, pairs = pypgx_advice.read_pairs(_rows(files, "cpic-table"))
    return PgxContent(
        genes=genes,
        drugs=drugs,
        pairs=pairs,
        recommendations=pypgx_advice.read_recommendations(_rows(files, "recommendation-table"), drugs, pairs, symbols),
        provenance=tuple(Provenance(table, "PyPGx", _LICENCE, _URL) for table in TABLES if table in files),
    )


def _rows(files: Mapping[str, tuple[BinaryIO, str]], table: str) -> Iterator[CsvRow]:
    if table in files:
        stream, source = files[table]
        yield from read_csv(stream, source, {**NEEDED, **OPTIONAL}[table])


def _by_gene(rows: Iterable[CsvRow]) -> dict[str, list[CsvRow]]:
    found: dict[str, list[CsvRow]] = defaultdict(list)
    for row in rows:
        found[row["Gene"]].append(row)
    return found


def _genes(files: Mapping[str, tuple[BinaryIO, str]]) -> Iterator[Gene]:
    variants = pypgx_genes.read_variants(_rows(files, "variant-table"))
    alleles = _by_gene(_rows(files, "allele-table"))
    diplotypes = _by_gene(_rows(files, "diplotype-table"))
    scores = pypgx_results.read_scores(_rows(files, "equation-table"))
    for row in _rows(files, "gene-table"):
        facts = GENES.get(row["Gene"])
        if facts is None or facts.symbol in OBSOLETE or not alleles[facts.symbol]:
            continue
        rows = [allele for allele in alleles[facts.symbol] if allele["StarAllele"] != pypgx_results.ONE_COPY]
        scored = row["PhenotypeMethod"] == "Score"
        positions, named = pypgx_genes.define(variants.get(facts.symbol, {}), rows, row["GRCh38Default"], scored=scored)
        rules, results = pypgx_results.read_results(named, diplotypes[facts.symbol], facts)
        yield Gene(
            symbol=facts.symbol,
            hgnc=facts.hgnc,
            pharmgkb=facts.pharmgkb,
            contig=facts.contig,
            method=facts.method,
            positions=positions,
            alleles=named,
            ploidy=facts.ploidy,
            undocumented_as_reference=facts.undocumented_as_reference,
            rules=rules,
            scores=scores.get(facts.symbol, ()),
            results=results,
        )
