"""Tables of genotypes for tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

COLUMNS = (
    "subject_id", "test_id", "specimen_id", "gene_id", "gene_symbol", "genotype_system", "genotype_code",
    "genotype_display", "haplotypes", "hla_alleles",
)  # fmt: skip
PHARMVAR = "http://www.pharmvar.org"
GL_STRING = "http://glstring.org"
IMGT = "http://www.ebi.ac.uk/ipd/imgt/hla"


def line(subject: str = "P1", code: str = "CYP2C19 *1/*17", **values: Any) -> dict[str, str]:
    """Return one line; what is not given is that of a CYP2C19 genotype of one test."""
    return {
        "subject_id": subject,
        "test_id": "T1",
        "specimen_id": "",
        "gene_id": "HGNC:2621",
        "gene_symbol": "CYP2C19",
        "genotype_system": PHARMVAR,
        "genotype_code": code,
        "genotype_display": "",
        "haplotypes": "",
        "hla_alleles": "",
        **values,
    }


def hla(subject: str, code: str, *alleles: str, locus: str = "B", system: str = GL_STRING, **values: Any) -> Any:
    """Return one line of an HLA typing."""
    named = {"gene_id": "HGNC:4932", "gene_symbol": f"HLA-{locus}", "genotype_system": system}
    return line(subject, code, **(named | {"hla_alleles": " ; ".join(alleles)} | values))


def table(*lines: dict[str, str]) -> str:
    """Return the text of a table."""
    columns = list(dict.fromkeys((*COLUMNS, *(column for one in lines for column in one))))
    rows = ["\t".join(columns), *("\t".join(one.get(column, "") for column in columns) for one in lines)]
    return "\n".join(rows) + "\n"


def write_table(path: Path, *lines: dict[str, str]) -> Path:
    """Write a table."""
    path.write_text(table(*lines), "utf-8")
    return path
