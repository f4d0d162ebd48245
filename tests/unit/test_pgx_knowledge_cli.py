"""``operon knowledge`` with releases of pharmacogenetics: what it prints, what it refuses, and what it switches."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from app.formats.pgx_tables import write_tables
from tests.command_line import CommandLine
from tests.cpic_dump import dump
from tests.pgx_content import CYP2C19, content

PHARMCAT = os.environ.get("PHARMCAT_DEFINITIONS")


@pytest.fixture
def operon(tmp_path: Path) -> CommandLine:
    operon = CommandLine(tmp_path / "home")
    operon.done("db", "upgrade")
    return operon


@pytest.fixture
def tables(tmp_path: Path) -> Path:
    folder = tmp_path / "tables"
    folder.mkdir()
    for table, text in write_tables(content()).items():
        (folder / f"{table}.tsv").write_bytes(text)
    return folder


def listed(operon: CommandLine) -> dict[str, dict[str, Any]]:
    return {one["release"]: one for one in map(json.loads, operon.done("knowledge", "list").out.splitlines())}


def states(operon: CommandLine) -> dict[str, bool]:
    return {name: one["active"] for name, one in listed(operon).items()}


def test_a_release_is_loaded_listed_switched_and_removed(operon: CommandLine, tables: Path) -> None:
    done = operon.done(
        "knowledge", "load", "pgx", tables, "--name", "lab", "--version", "7", "--released", "2026-02-03"
    )
    assert "lab-7: 10 genes," in done.err
    assert "it is active" in done.err
    one = listed(operon)["lab-7"]
    assert one["pharmacogenetics"]["genes"] == 10
    assert one["items"] > 0
    assert (one["released"], one["licence"], one["active"]) == ("2026-02-03", "As its author states", True)
    operon.done("knowledge", "load", "pgx", "embedded", "-q")
    assert states(operon) == {"lab-7": True, "seed-2026": True}
    operon.done("knowledge", "deactivate", "lab-7")
    assert states(operon) == {"lab-7": False, "seed-2026": True}
    operon.done("knowledge", "activate", "lab-7")
    operon.done("knowledge", "remove", "seed-2026")
    assert states(operon) == {"lab-7": True}
    assert "was loaded before" in operon.done("knowledge", "load", "pgx", tables, "--name", "lab", "--version", "7").err


def test_a_release_without_advice_is_listed_too(operon: CommandLine, tables: Path) -> None:
    for name in ("recommendation", "pair"):
        (tables / f"{name}.tsv").unlink()
    operon.done("knowledge", "load", "pgx", tables, "--version", "1", "--inactive")
    assert states(operon) == {"pgx-1": False}
    assert listed(operon)["pgx-1"]["items"] == 0
    operon.done("knowledge", "activate", "pgx-1", "--beside")
    assert states(operon) == {"pgx-1": True}


def test_a_dry_run_lists_differences_and_stores_nothing(operon: CommandLine, tables: Path, tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    done = operon.done("knowledge", "load", "pgx", tables, "--dry-run", "--diff", "--report", report)
    assert "allele removed: CYP2C19 *4:" in done.err
    assert listed(operon) == {}
    told = json.loads(report.read_bytes())
    assert told["dry_run"] is True
    assert {"what", "change", "of", "name", "before", "after"} == set(told["differences"][0])


def test_dry_run_and_diff_are_of_pharmacogenetics_alone(operon: CommandLine, tmp_path: Path) -> None:
    ended = operon.run("knowledge", "load", "clinvar", tmp_path / "x.vcf", "--dry-run")
    assert (ended.code, "pypgx, pharmcat, cpic-sql, pgx" in " ".join(ended.err.split())) == (2, True)


def test_a_release_that_contradicts_itself_is_refused_with_gene_and_allele(operon: CommandLine, tables: Path) -> None:
    twin = replace(CYP2C19.alleles[2], name="*99")
    spoiled = replace(CYP2C19, alleles=(*CYP2C19.alleles, twin))
    genes = tuple(spoiled if gene.symbol == "CYP2C19" else gene for gene in content().genes)
    for table, text in write_tables(replace(content(), genes=genes)).items():
        (tables / f"{table}.tsv").write_bytes(text)
    ended = operon.run("knowledge", "load", "pgx", tables)
    assert ended.code == 65
    assert "CYP2C19 *99: it is the same as *2" in ended.err
    assert listed(operon) == {}


def test_a_dump_with_copy_is_told_from_the_one_with_inserts(operon: CommandLine, tmp_path: Path) -> None:
    path = tmp_path / "cpic_db_dump-v1.sql"
    path.write_bytes(b"COPY cpic.gene (symbol) FROM stdin;\nCYP2C19\n\\.\n")
    ended = operon.run("knowledge", "load", "cpic-sql", path)
    assert (ended.code, "_inserts.sql.gz" in ended.err) == (65, True)
    path.write_bytes(dump())
    assert "cpic-sql-1: 4 genes, 10 alleles" in operon.done("knowledge", "load", "cpic-sql", path, "--version", "1").err
    assert listed(operon)["cpic-sql-1"]["attribution"] == "CPIC, https://cpicpgx.org"


def test_the_kind_cpic_takes_the_dump_too(operon: CommandLine, tmp_path: Path) -> None:
    path = tmp_path / "cpic_db_dump-v1_inserts.sql"
    path.write_bytes(dump())
    assert "cpic-sql-1: 4 genes" in operon.done("knowledge", "load", "cpic", path, "--version", "1").err


def test_a_release_of_another_kind_cannot_have_its_name(operon: CommandLine, tables: Path, tmp_path: Path) -> None:
    (tables / "recommendation.tsv").unlink()
    operon.done("knowledge", "load", "pgx", tables, "--name", "x", "--version", "1")
    table = tmp_path / "t.tsv"
    table.write_text("row_id\tgenotype_system\tgenotype_code\tgenotype_display\nr\ts\tCYP2C19 *1/*1\td\n")
    ended = operon.run("knowledge", "load", "therapeutic", table, "--name", "x", "--version", "1")
    assert (ended.code, "x-1 already" in ended.err) == (65, True)


@pytest.mark.skipif(PHARMCAT is None, reason="PHARMCAT_DEFINITIONS names no folder of PharmCAT's definitions")
def test_the_definitions_of_pharmcat_pass_every_check(operon: CommandLine) -> None:
    done = operon.done("knowledge", "load", "pharmcat", Path(str(PHARMCAT)), "--version", "3.1.1")
    assert "pharmcat-3.1.1: 2" in done.err
    assert states(operon) == {"pharmcat-3.1.1": True}
