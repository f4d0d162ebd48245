"""HLA reductions come from py-ard where it and a complete database are there; otherwise it is said why not."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from app.errors import MissingParameter, NotInstalled, NotReduced
from app.fhir.parameters import OperationInputs
from app.fhir.tokens import parse_token
from app.operations.utilities import normalize_hla
from app.store.session import Database
from app.variants.hla_reduction import REDUCTIONS, HlaReductions, open_reductions
from tests.genotype_files import IMGT, hla
from tests.small_store import SmallStore

GROUPS = {"A*01:01:01:01": "A*01:01", "A*01:01:02": "A*01:01", "B14": "B*14:01/B*14:02", "A*01:01": "A*01:01"}
TABLES = frozenset(
    {
        *("alleles", "antigen_specifities", "cwd2", "dup_g", "exon_group", "exp_alleles", "g_group", "lgx_group"),
        *("mac_codes", "p_group", "p_not_g", "serology_associated_mappings", "serology_broad_split_mapping"),
        *("serology_mapping", "shortnulls", "v2_mapping", "who_alleles", "who_group", "xx_codes"),
    }
)
"""What pyard-import of py-ard 2.4.2 makes of a release that names antigens (3.64.0 or later)"""


def reduce(name: str, kind: str) -> str:
    if name.removeprefix("HLA-") not in GROUPS:
        raise ValueError(name)
    return GROUPS[name.removeprefix("HLA-")] if kind == "lgx" else f"{name}:{kind}"


@pytest.fixture
def folder(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that makes the folder of a database with everything but some tables."""

    def make(*, version: str = "3580", without: frozenset[str] = frozenset(), stamp: int = 3580) -> Path:
        path = tmp_path / "ard"
        path.mkdir(exist_ok=True)
        with closing(sqlite3.connect(path / f"pyard-{version}.sqlite3")) as connection:
            for name in TABLES - without:
                connection.execute(f"create table {name} (x)")
            connection.execute(f"pragma user_version = {stamp}")
            connection.commit()
        return path

    return make


@pytest.fixture
def ard(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Stand in for py-ard, and return what it was opened with."""
    opened: list[dict[str, Any]] = []

    class Ard:
        redux = staticmethod(reduce)

    def init(**options: Any) -> Ard:
        opened.append(options)
        return Ard()

    module = ModuleType("pyard")
    module.init = init  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "pyard", module)
    return opened


def test_the_newest_complete_database_is_opened(folder: Callable[..., Path], ard: list[dict[str, Any]]) -> None:
    path = folder(version="3580")
    folder(version="990")
    (path / "pyard-Latest.sqlite3").touch()

    reductions, described = open_reductions(path)

    assert reductions is not None
    assert described == reductions.described == "py-ard with IPD-IMGT/HLA 3580"
    assert ard == [{"imgt_version": "3580", "data_dir": str(path), "load_mac": False}]


@pytest.mark.parametrize("without", [{"cwd2"}, {"mac_codes"}, {"alleles"}, {"antigen_specifities"}])
def test_an_incomplete_database_is_not_opened(
    folder: Callable[..., Path], ard: list[dict[str, Any]], without: set[str]
) -> None:
    reductions, described = open_reductions(folder(without=frozenset(without)))

    assert (reductions, ard) == (None, [])
    assert "pyard-3580.sqlite3 is not complete; make it with pyard-import, of IPD-IMGT/HLA 3.64.0 or later" in described


def test_a_database_without_a_version_or_that_is_none_is_not_opened(
    folder: Callable[..., Path], ard: list[dict[str, Any]]
) -> None:
    assert "not complete" in open_reductions(folder(stamp=0))[1]
    path = folder(version="4000")
    (path / "pyard-4000.sqlite3").write_bytes(b"no database" * 100)
    assert "pyard-4000.sqlite3 is not complete" in open_reductions(path)[1]
    assert ard == []


def test_what_is_missing_is_named(folder: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert open_reductions(None) == (None, "not used (OPERON_PYARD_DATA is not set)")
    assert "has no pyard-" in open_reductions(tmp_path)[1]
    monkeypatch.setitem(sys.modules, "pyard", None)
    assert open_reductions(folder())[1] == "not used (py-ard is not installed)"
    monkeypatch.setitem(sys.modules, "pyard", ModuleType("pyard"))
    assert "cannot open pyard-4000.sqlite3: AttributeError" in open_reductions(folder(version="4000"))[1]


def test_every_reduction_is_given_by_name() -> None:
    found = HlaReductions(reduce, "x").every("A*01:01:02")
    assert tuple(found) == REDUCTIONS
    assert (found["lgx"], found["G"]) == ("A*01:01", "A*01:01:02:G")
    with pytest.raises(NotReduced, match="Failed HLA normalization: nothing"):
        HlaReductions(reduce, "x").every("nothing")


def test_names_without_a_reduction_have_none() -> None:
    assert HlaReductions(reduce, "x").lgx(["A*01:01:02", "nothing", "B14", "A*01:01:01:01"]) == (
        "A*01:01",
        "B*14:01",
        "B*14:02",
    )


def test_the_utility_answers_by_the_name_or_says_what_is_missing() -> None:
    reductions = HlaReductions(reduce, "x")
    assert normalize_hla([("allele", "B14")], reductions, "")["B14"]["lgx"] == "B*14:01/B*14:02"
    with pytest.raises(MissingParameter):
        normalize_hla([], reductions, "")
    with pytest.raises(NotInstalled, match="not used"):
        normalize_hla([("allele", "B14")], None, "not used (x)")


def present(store: SmallStore, token: str) -> tuple[bool, bool]:
    """Return what the subject's and the population's operation say."""
    group = ((parse_token(token),),)
    subject = store.context.answer("find-subject-specific-haplotypes", OperationInputs(subject="P1", haplotypes=group))
    population = store.context.answer("find-population-specific-haplotypes", OperationInputs(haplotypes=group))
    return b'"valueBoolean":true' in subject, b'"numerator","valueQuantity":{"value":1}' in population


def test_alleles_are_found_by_their_reductions(
    database: Database, tmp_path: Path, folder: Callable[..., Path], ard: list[dict[str, Any]]
) -> None:
    typed = hla("P1", "A*01:01:01:01", locus="A", system=IMGT)
    plain = SmallStore(database, tmp_path)
    plain.genotypes(typed)
    assert present(plain, "A*01:01:02") == (False, False)

    store = SmallStore(database, tmp_path, pyard_data=folder())
    store.genotypes(typed, replace=True)

    assert ard
    assert present(store, "A*01:01:02") == (True, True)
    assert present(store, "B14") == (False, False)
    assert present(plain, "A*01:01:02") == (False, False)
