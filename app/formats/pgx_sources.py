"""The sources of pharmacogenetic knowledge that can be loaded: what each is called, its licence, which files it has.

>>> PGX_SOURCES["cpic-sql"].licence
'CC0 1.0'
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import BinaryIO, Final

from app.config import Settings
from app.errors import BadFile, LimitExceeded
from app.formats import pgx_tables, pypgx
from app.formats.cpic_sql import Bases, read_cpic_sql
from app.formats.knowledge import Rejects
from app.formats.knowledge_sources import OpenFile
from app.formats.pgx import PgxContent
from app.formats.pharmcat import read_pharmcat

_LARGEST_JSON = 1 << 28
_BESIDE = frozenset({"texts", "report_labels", "grade_rules"})
"""Files that Operon keeps beside its own tables, and reads by itself"""


@dataclass(frozen=True, slots=True)
class PgxSource:
    """A source of pharmacogenetic knowledge, and how its files are read."""

    label: str
    licence: str
    attribution: str
    suffix: str
    """Of the files that are taken from a folder"""
    is_deep: bool
    """Whether folders below a folder are looked into"""
    read: Callable[[Sequence[OpenFile], Bases, Rejects, Settings], PgxContent]

    def takes(self, name: str) -> bool:
        """Return whether a file of a folder is one of the source."""
        return name.endswith(self.suffix) and not name.startswith(".")


def _by_table(files: Sequence[OpenFile]) -> Mapping[str, tuple[BinaryIO, str]]:
    found: dict[str, tuple[BinaryIO, str]] = {}
    for file in files:
        table = PurePath(file.name).stem
        if table in found:
            raise BadFile(file.name, "the table is given twice", mend="Give one of them")
        found[table] = (file.stream, file.name)
    return found


def _read_pypgx(files: Sequence[OpenFile], bases: Bases, rejects: Rejects, settings: Settings) -> PgxContent:
    del bases, rejects, settings
    return pypgx.read_pypgx({name: one for name, one in _by_table(files).items() if name in pypgx.TABLES})


def _read_own(files: Sequence[OpenFile], bases: Bases, rejects: Rejects, settings: Settings) -> PgxContent:
    del bases, rejects, settings
    return pgx_tables.read_folder({name: one for name, one in _by_table(files).items() if name not in _BESIDE})


def _read_pharmcat(files: Sequence[OpenFile], bases: Bases, rejects: Rejects, settings: Settings) -> PgxContent:
    del bases, rejects, settings
    return read_pharmcat((file.name, _whole(file)) for file in files)


def _whole(file: OpenFile) -> bytes:
    data = file.stream.read(_LARGEST_JSON + 1)
    if len(data) > _LARGEST_JSON:
        raise LimitExceeded(file.name, f"the file is larger than {_LARGEST_JSON:,} bytes")
    return data


def _read_cpic(files: Sequence[OpenFile], bases: Bases, rejects: Rejects, settings: Settings) -> PgxContent:
    if len(files) != 1:
        raise BadFile(files[-1].name, "there is more than one dump", mend="Give one")
    return read_cpic_sql(files[0].stream, files[0].name, bases, rejects, settings)


PGX_SOURCES: Final[dict[str, PgxSource]] = {
    "pypgx": PgxSource(
        label="PyPGx",
        licence="MIT; its contents are curated from CPIC (CC0 1.0), PharmVar and PharmGKB (CC BY-SA 4.0)",
        attribution="PyPGx, https://github.com/sbslee/pypgx",
        suffix=".csv",
        is_deep=False,
        read=_read_pypgx,
    ),
    "pharmcat": PgxSource(
        label="PharmCAT",
        licence="MPL-2.0; its contents are of CPIC (CC0 1.0), PharmVar and ClinPGx (CC BY-SA 4.0)",
        attribution="PharmCAT, https://pharmcat.clinpgx.org",
        suffix=".json",
        is_deep=True,
        read=_read_pharmcat,
    ),
    "cpic-sql": PgxSource(
        label="CPIC",
        licence="CC0 1.0",
        attribution="CPIC, https://cpicpgx.org",
        suffix=".sql.gz",
        is_deep=False,
        read=_read_cpic,
    ),
    "pgx": PgxSource(
        label="Operon's pharmacogenetic tables",
        licence="As its author states",
        attribution="",
        suffix=".tsv",
        is_deep=False,
        read=_read_own,
    ),
}
"""Kind → source"""
