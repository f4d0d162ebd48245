r"""Operon's own tables of pharmacogenetics, from which and into which a whole release is read and written.

One tab-separated file for each table, named ``TABLE.tsv``; a table that is not there says nothing. Writing and reading
again gives the same content.

>>> files = {"gene": (io.BytesIO(write_tables(PgxContent())["gene"]), "gene.tsv")}
>>> read_folder(files).genes
()
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import BinaryIO

from app.errors import BadFile
from app.formats import pgx_drug_tables, pgx_gene_tables
from app.formats.pgx import PgxContent
from app.formats.pgx_rows import Row, read_rows, write_rows

COLUMNS: dict[str, tuple[str, ...]] = {**pgx_gene_tables.COLUMNS, **pgx_drug_tables.COLUMNS}
TABLES = tuple(COLUMNS)


def read_folder(files: Mapping[str, tuple[BinaryIO, str]]) -> PgxContent:
    """Return what a set of tables says.

    Args:
        files: Name of a table → its bytes and the name of its file, which errors give.

    Raises:
        BadFile: a table is not known, a cell cannot be used, or tables contradict each other.
    """
    for table, (_, source) in files.items():
        if table not in COLUMNS:
            raise BadFile(source, "the table is not known", mend=f"Tables are {', '.join(TABLES)}")

    def rows(table: str) -> Iterable[Row]:
        if table not in files:
            return ()
        stream, source = files[table]
        return read_rows(stream, source, COLUMNS[table])

    genes = pgx_gene_tables.read_genes(rows)
    advice = pgx_drug_tables.read_advice(rows, frozenset(gene.symbol for gene in genes))
    return dataclasses.replace(advice, genes=genes)


def write_tables(content: PgxContent) -> dict[str, bytes]:
    """Return every table of a release, by its name."""
    rows = {**pgx_gene_tables.gene_rows(content.genes), **pgx_drug_tables.advice_rows(content)}
    return {table: write_rows(columns, rows[table]) for table, columns in COLUMNS.items()}
