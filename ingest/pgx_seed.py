"""Make the embedded seed of pharmacogenetics: PyPGx's tables, corrected by the rows below ``data/pgx/corrections``.

``python -m ingest.pgx_seed PYPGX_FOLDER OUT`` writes one table for each part of a release into OUT, the same bytes
every time. PYPGX_FOLDER is ``pypgx/api/data`` of a PyPGx package.
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO

from app.formats.pgx import PgxContent, Provenance
from app.formats.pgx_tables import write_tables
from app.formats.pypgx import TABLES, read_pypgx
from app.operations.pgx_seed import corrected_pypgx

_PYPGX = "PyPGx 0.27.0 (tables of its package)"
_PYPGX_LICENCE = "MIT, notice in LICENSE.pypgx; curated from CPIC (CC0 1.0), PharmVar and PharmGKB"
_PYPGX_URL = "https://github.com/sbslee/pypgx"
_CPIC_LICENCE = "CC0 1.0"
_CPIC_URL = "https://cpicpgx.org"
_SHORT = "recommendations that PyPGx lacks are short statements of what CPIC's guidelines say, not their sentences"


def make_seed(folder: Path) -> PgxContent:
    """Return what the seed says."""
    paths = {table: folder / f"{table}.csv" for table in TABLES}
    with ExitStack() as stack:
        files: dict[str, tuple[BinaryIO, str]] = {
            table: (stack.enter_context(path.open("rb")), path.name) for table, path in paths.items() if path.is_file()
        }
        content = corrected_pypgx(read_pypgx(files))
    return dataclasses.replace(content, provenance=_provenance())


def _provenance() -> tuple[Provenance, ...]:
    pypgx = ("gene", "position", "allele", "allele_cell", "function_rule", "score_rule", "diplotype", "recommendation")
    cpic = ("allele", "allele_cell", "function_rule", "diplotype", "drug", "pair", "recommendation")
    return (
        *(Provenance(table, _PYPGX, _PYPGX_LICENCE, _PYPGX_URL) for table in pypgx),
        *(
            Provenance(table, "CPIC", _CPIC_LICENCE, _CPIC_URL, _SHORT if table == "recommendation" else "")
            for table in cpic
        ),
        Provenance("gene", "HGNC (names and accessions)", "CC0 1.0", "https://www.genenames.org"),
        Provenance("drug", "WHO Collaborating Centre (ATC codes as facts)", "facts", "https://atcddd.fhi.no"),
        Provenance(
            "drug_name",
            "WHO (INN), RxNorm (NLM)",
            "facts; public domain",
            "https://www.nlm.nih.gov/research/umls/rxnorm",
        ),
    )


def main(arguments: Sequence[str]) -> None:
    """Write the seed's tables."""
    if len(arguments) != 2:
        sys.exit("usage: python -m ingest.pgx_seed PYPGX_FOLDER OUT")
    folder = Path(arguments[1])
    folder.mkdir(parents=True, exist_ok=True)
    for table, text in write_tables(make_seed(Path(arguments[0]))).items():
        path = folder / f"{table}.tsv"
        if text.count(b"\n") > 1:
            path.write_bytes(text)
        else:
            path.unlink(missing_ok=True)


if __name__ == "__main__":
    main(sys.argv[1:])
