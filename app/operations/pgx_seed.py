"""The knowledge of pharmacogenetics that comes with Operon (``data/pgx``), in use where no release was loaded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path
from typing import BinaryIO

from app.data_folder import data_folder
from app.formats.pgx import PgxContent
from app.formats.pgx_advice_corrections import corrected
from app.formats.pgx_corrections import COLUMNS, read_corrections
from app.formats.pgx_tables import TABLES, read_folder

SEED_NAME = "seed-2026"
"""What results of the seed name as the release of their definitions"""


@cache
def embedded_content() -> PgxContent:
    """Return the seed."""
    with _opened(data_folder() / "pgx", TABLES) as files:
        return read_folder(files)


def corrected_pypgx(content: PgxContent) -> PgxContent:
    """Return what PyPGx says with the corrections that the seed has, without which alleles are called wrongly.

    Raises:
        BadFile: a correction is about something that this PyPGx does not have.
    """
    with _opened(data_folder() / "pgx" / "corrections", tuple(COLUMNS)) as files:
        return corrected(content, read_corrections(files))


@contextmanager
def _opened(folder: Path, tables: tuple[str, ...]) -> Iterator[Mapping[str, tuple[BinaryIO, str]]]:
    paths = {table: folder / f"{table}.tsv" for table in tables}
    with ExitStack() as stack:
        yield {
            table: (stack.enter_context(path.open("rb")), path.name) for table, path in paths.items() if path.is_file()
        }
