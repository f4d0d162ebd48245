"""Reductions of HLA alleles to what they have in common (ARD), by py-ard where it is installed.

py-ard (https://github.com/nmdp-bioinformatics/py-ard) is licensed LGPL-3.0-or-later; Operon neither ships nor needs it.
Its database is made from downloads by its own command, ``pyard-import``. Only one that is complete is opened, because
py-ard would fetch what is missing. One of IPD-IMGT/HLA before 3.64.0 never is: it names no antigens, and py-ard 2.4
looks for them anew at every start.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterable
from contextlib import closing
from importlib import import_module
from pathlib import Path
from threading import Lock
from typing import Final

from app.errors import NotReduced

REDUCTIONS: Final = ("G", "P", "lg", "lgx", "W", "exon", "U2", "S")
"""G and P groups, two fields with and without a mark, WHO names, exon, unambiguous two fields, serology"""

_DATABASE = re.compile(r"pyard-([0-9]{1,8})\.sqlite3")
_NEEDED = frozenset(
    {
        *("dup_g", "g_group", "p_group", "lgx_group", "exon_group", "p_not_g", "xx_codes", "who_group", "alleles"),
        *("exp_alleles", "who_alleles", "shortnulls", "serology_broad_split_mapping", "serology_associated_mappings"),
        *("serology_mapping", "antigen_specifities", "v2_mapping", "mac_codes", "cwd2"),
    }
)
"""The tables of py-ard 2, each of which it would make from a download"""
_FIRST_WITH_ANTIGENS: Final = "3.64.0"

Reduce = Callable[[str, str], str]


class HlaReductions:
    """Reduces alleles; safe for several threads. ``described`` says by what."""

    def __init__(self, reduce: Reduce, described: str) -> None:
        self._reduce = reduce
        self._lock = Lock()
        self.described = described

    def every(self, allele: str) -> dict[str, str]:
        """Return each reduction of an allele, a serological name or a multiple allele code.

        Raises:
            NotReduced: it is none of these.
        """
        return {kind: self._reduced(allele, kind) for kind in REDUCTIONS}

    def lgx(self, names: Iterable[str]) -> tuple[str, ...]:
        """Return the two-field reductions of those names that have one."""
        found: dict[str, None] = {}
        for name in names:
            try:
                reduced = self._reduced(name, "lgx")
            except NotReduced:
                continue
            found |= dict.fromkeys(filter(None, reduced.split("/")))
        return tuple(found)

    def _reduced(self, allele: str, kind: str) -> str:
        with self._lock:
            try:
                return self._reduce(allele, kind)
            except Exception as error:  # py-ard raises whatever its parsing stumbles over
                raise NotReduced(allele) from error


def open_reductions(folder: Path | None) -> tuple[HlaReductions | None, str]:
    """Return what reduces alleles, if it is there, and in words what it is or why it is not there."""
    if folder is None:
        return None, "not used (OPERON_PYARD_DATA is not set)"
    versions = {match[1]: path for path in sorted(folder.glob("pyard-*")) if (match := _DATABASE.fullmatch(path.name))}
    if not versions:
        return None, "not used (the folder of OPERON_PYARD_DATA has no pyard-….sqlite3)"
    version = max(versions, key=int)
    if not _is_complete(versions[version]):
        mend = f"make it with pyard-import, of IPD-IMGT/HLA {_FIRST_WITH_ANTIGENS} or later"
        return None, f"not used ({versions[version].name} is not complete; {mend})"
    try:
        ard = import_module("pyard").init(imgt_version=version, data_dir=str(folder), load_mac=False)
    except ModuleNotFoundError:
        return None, "not used (py-ard is not installed)"
    except Exception as error:  # a database of another release of py-ard
        return None, f"not used (py-ard cannot open {versions[version].name}: {type(error).__name__})"
    described = f"py-ard with IPD-IMGT/HLA {version}"
    return HlaReductions(ard.redux, described), described


def _is_complete(path: Path) -> bool:
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            tables = {name for (name,) in connection.execute("select name from sqlite_master where type = 'table'")}
            return tables >= _NEEDED and connection.execute("pragma user_version").fetchone()[0] > 0
    except sqlite3.Error:
        return False
