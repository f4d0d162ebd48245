"""The commands that call pharmacogenes, as a user gives them."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from tests.command_line import CommandLine
from tests.pgx_lab import gene, record, text, whole

HOMOZYGOUS = {"rs776746": "1/1"}


@pytest.fixture
def command(tmp_path: Path) -> CommandLine:
    found = CommandLine(tmp_path / "home")
    assert found.run("db", "upgrade").code == 0
    return found


def test_an_ingest_calls_the_new_tests_unless_it_is_told_not_to(command: CommandLine, tmp_path: Path) -> None:
    file = tmp_path / "a.vcf"
    file.write_text(text(whole("CYP3A5", HOMOZYGOUS)))
    ingest = ("ingest", "vcf", str(file), "--assembly", "GRCh38", "--quiet")
    assert command.run(*ingest, "--subject", "P1").code == 0
    assert command.run(*ingest, "--subject", "P2", "--no-pgx").code == 0
    assert command.run("pgx", "show", "P1").out.splitlines()[:2] == ["CYP3A5 *3/*3", "  phenotype: Poor Metabolizer"]
    waiting = command.run("pgx", "show", "P2")
    assert (waiting.out, "operon pgx call" in waiting.err) == ("", True)
    called = command.run("pgx", "call")
    assert (called.code, called.err.startswith("1 tests: 1 genes called")) == (0, True)
    [shown] = [
        json.loads(line) for line in command.run("pgx", "show", "P2", "--gene", "CYP3A5", "--json").out.split("\n")[:-1]
    ]
    assert (shown["genotype"], shown["test_id"], shown["release"]) == ("*3/*3", "a", "seed-2026")


def test_a_manifest_says_of_each_sample_whether_absent_is_the_reference(command: CommandLine, tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.vcf").write_text(text(["16 31096368 . C T . PASS . GT 0/1"]))
    columns = "vcf_filename,ref_build,patient_id,test_date,test_id,specimen_id,absent_is_reference"
    manifest = tmp_path / "m.csv"
    manifest.write_text(f"{columns}\na.vcf,GRCh38,P1,,T1,,yes\nb.vcf,GRCh38,P2,,T1,,\n")
    assert command.run("ingest", "manifest", str(manifest), "--quiet").code == 0
    genes = [{line.split()[0] for line in command.run("pgx", "show", who).out.splitlines() if line[0] != " "} for who in
             ("P1", "P2")]  # fmt: skip
    assert genes[0] >= {"VKORC1", "CYP3A5", "TPMT"}
    assert genes[1] == {"VKORC1"}
    manifest.write_text(f"{columns}\na.vcf,GRCh38,P1,,T1,,perhaps\n")
    refused = command.run("ingest", "manifest", str(manifest))
    assert (refused.code, "is no answer" in refused.err) == (65, True)


def test_a_file_that_is_stored_is_not_quietly_stored_otherwise(command: CommandLine, tmp_path: Path) -> None:
    file = tmp_path / "a.vcf"
    file.write_text(text(whole("VKORC1")))
    ingest = ("ingest", "vcf", str(file), "--assembly", "GRCh38", "--subject", "P1")
    assert command.run(*ingest).code == 0
    refused = command.run(*ingest, "--absent-is-reference")
    assert (refused.code, "--replace" in refused.err) == (65, True)
    assert command.run(*ingest, "--absent-is-reference", "--replace").code == 0
    assert "CYP3A5 *1/*1" in command.run("pgx", "show", "P1").out


def test_diff_tells_what_would_change_and_changes_nothing(command: CommandLine, tmp_path: Path) -> None:
    file = tmp_path / "a.vcf"
    file.write_text(text(whole("CYP3A5", HOMOZYGOUS)))
    ingest = ("ingest", "vcf", str(file), "--assembly", "GRCh38", "--subject", "P1", "--quiet")
    assert command.run(*ingest, "--no-pgx").code == 0
    [change] = [json.loads(line) for line in command.run("pgx", "diff").out.splitlines()]
    assert (change["subject"], change["gene"], change["stored"]) == ("P1", "CYP3A5", None)
    assert change["new"]["result"] == "*3/*3"
    assert command.run("pgx", "show", "P1").out == ""
    command.run("pgx", "call")
    assert command.run("pgx", "diff").out == ""


def test_a_subject_that_nobody_knows_is_refused(command: CommandLine) -> None:
    assert command.run("pgx", "show", "nobody").code == command.run("pgx", "call", "--subject", "nobody").code == 66


def test_a_hundred_samples_are_ingested_and_called_in_seconds(command: CommandLine, tmp_path: Path) -> None:
    people = [f"P{at}" for at in range(100)]
    symbols = ("CYP2C19", "CYP2C9", "CYP2D6", "CYP3A5", "DPYD", "G6PD", "TPMT", "UGT1A1", "SLCO1B1", "VKORC1")
    cells = ["0/1" if at % 7 == 0 else "0/0" for at in range(100)]
    file = tmp_path / "cohort.vcf"
    file.write_text(text([record(one, *cells) for symbol in symbols for one in gene(symbol).positions], *people))
    began = time.process_time()
    assert command.run("ingest", "vcf", str(file), "--assembly", "GRCh38", "--all-samples", "--quiet").code == 0
    assert time.process_time() - began < 10
    assert "CYP3A5 *1/*1" in command.run("pgx", "show", "P1").out
    began = time.process_time()
    assert command.run("pgx", "call", "--all").code == 0
    assert time.process_time() - began < 5


def test_a_real_file_of_a_hundred_samples_is_called_with_each_ones_missing_places(
    command: CommandLine, shared: Path
) -> None:
    file = shared / "data/vcf/pharmcat_100samples.GRCh38.vcf.bgz"
    if not file.is_file():
        pytest.skip("the file is not among the shared test data")
    began = time.process_time()
    assert command.run("ingest", "vcf", str(file), "--assembly", "GRCh38", "--all-samples", "--quiet").code == 0
    assert time.process_time() - began < 10
    shown = {
        who: {one["gene"]: one for one in map(json.loads, command.run("pgx", "show", who, "--json").out.splitlines())}
        for who in ("s1", "s2")
    }
    assert shown["s1"]["CYP2C19"]["genotype"] == "*1/*1"
    assert "rs2279343" in shown["s1"]["CYP2B6"]["missing"]
    assert "rs2279343" not in shown["s2"]["CYP2B6"].get("missing", ())
