"""Small made-up files of genes: GFF3 as RefSeq writes it, and HGNC's list.

Positions are zero-based, half-open; the files count from 1.
"""

from __future__ import annotations

import gzip
from pathlib import Path

from app.records import Build
from app.variants.accessions import accession

COLUMNS = ("hgnc_id", "symbol", "name", "locus_group", "status", "location", "alias_symbol", "prev_symbol", "entrez_id")


def row(
    kind: str, attributes: str, place: tuple[int, int] = (0, 10), sequence: str = accession(Build.GRCH38, 1)
) -> str:
    """Return a row of GFF3."""
    return "\t".join([sequence, "BestRefSeq", kind, str(place[0] + 1), str(place[1]), ".", "+", ".", attributes])


def gene_row(
    symbol: str,
    place: tuple[int, int],
    *,
    hgnc: int | None = 1,
    build: Build = Build.GRCH38,
    contig: int = 1,
    synonyms: str = "",
    kind: str = "gene",
) -> str:
    """Return the row of a gene."""
    known = f",HGNC:HGNC:{hgnc}" if hgnc else ""
    also = f";gene_synonym={synonyms}" if synonyms else ""
    attributes = f"ID=gene-{symbol};Dbxref=GeneID:77{known},MIM:138670;Name={symbol};gbkey=Gene;gene={symbol}{also}"
    return row(kind, attributes, place, accession(build, contig))


def mrna_row(name: str, *, tag: str = "", build: Build = Build.GRCH38, key: str = "") -> str:
    """Return the row of a transcript."""
    tagged = f";tag={tag}" if tag else ""
    attributes = f"ID={key or f'rna-{name}'};Parent=gene-GENE;gbkey=mRNA;product=x{tagged};transcript_id={name}"
    return row("mRNA", attributes, sequence=accession(build, 1))


def cds_row(protein: str, parent: str, product: str, *, build: Build = Build.GRCH38) -> str:
    """Return the row of a stretch of a coding region."""
    attributes = f"ID=cds-{protein};Parent={parent};gbkey=CDS;gene=GENE;product={product};protein_id={protein}"
    return row("CDS", attributes, sequence=accession(build, 1))


def write_gff3(path: Path, *rows: str, assembly: str = "GRCh38.p14") -> Path:
    """Write a GFF3 file, gzipped if its name ends so."""
    lines = ["##gff-version 3", "#!gff-spec-version 1.21", f"#!genome-build {assembly}", *rows, "###"]
    return _written(path, lines)


def hgnc_row(number: int, symbol: str, *, aliases: str = "", previous: str = "", status: str = "Approved") -> str:
    """Return a row of HGNC's list; several names are separated by ``|`` and quoted."""
    several = [f'"{names}"' if "|" in names else names for names in (aliases, previous)]
    return "\t".join([f"HGNC:{number}", symbol, "a gene", "other", status, "1p1", *several, "77"])


def write_hgnc(path: Path, *rows: str) -> Path:
    """Write HGNC's list, gzipped if its name ends so."""
    return _written(path, ["\t".join(COLUMNS), *rows])


def _written(path: Path, lines: list[str]) -> Path:
    content = "".join(f"{line}\n" for line in lines).encode()
    path.write_bytes(gzip.compress(content) if path.name.endswith(".gz") else content)
    return path
