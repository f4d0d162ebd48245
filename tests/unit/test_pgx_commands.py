"""The commands that call pharmacogenes, as a user gives them."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path

import pytest

from app.config import Settings
from app.formats.pgx import PgxContent
from app.formats.pgx_tables import write_tables
from ingest import inbox
from ingest.inbox import keep_working
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


def test_fhir_is_called_and_examined_too_unless_it_is_told_not_to(command: CommandLine, tmp_path: Path) -> None:
    file = tmp_path / "a.vcf"
    file.write_text(text(whole("CYP3A5", HOMOZYGOUS)))
    ingest = ("ingest", "vcf", str(file), "--assembly", "GRCh38", "--subject", "P1", "--quiet", "--no-pgx")
    assert command.run(*ingest).code == 0
    bundle = tmp_path / "bundle.json"
    bundle.write_text(command.done("export", "fhir", "P1").out)
    for name, further in (("called", ()), ("waiting", ("--no-pgx",))):
        other = CommandLine(tmp_path / name)
        other.done("db", "upgrade")
        other.done("ingest", "fhir", bundle, "--quiet", *further)
        waits = "operon pgx call" in other.run("pgx", "show", "P1").err
        assert waits is (name == "waiting")


def test_files_before_a_refused_one_are_called(command: CommandLine, tmp_path: Path) -> None:
    file = tmp_path / "a.vcf"
    file.write_text(text(whole("CYP3A5", HOMOZYGOUS)))
    command.done("ingest", "vcf", file, "--assembly", "GRCh38", "--subject", "P1", "--quiet", "--no-pgx")
    bundle = tmp_path / "bundle.json"
    bundle.write_text(command.done("export", "fhir", "P1").out)
    (tmp_path / "bad.json").write_text("{")
    other = CommandLine(tmp_path / "other")
    other.done("db", "upgrade")
    assert other.run("ingest", "fhir", bundle, tmp_path / "bad.json", "--quiet").code == 65
    assert other.run("pgx", "show", "P1").err == ""


def _tables(folder: Path) -> Path:
    """Write the embedded definitions of CYP3A5 with another name of an allele."""
    folder.mkdir()
    one = gene("CYP3A5")
    named = tuple(replace(allele, name="*3X") if allele.name == "*3" else allele for allele in one.alleles)
    for table, content in write_tables(PgxContent(genes=(replace(one, alleles=named),))).items():
        (folder / f"{table}.tsv").write_bytes(content)
    return folder


def _genotype(command: CommandLine) -> str:
    return command.done("pgx", "show", "P1").out.splitlines()[0]


def test_tests_are_called_again_when_definitions_change(command: CommandLine, tmp_path: Path) -> None:
    file = tmp_path / "a.vcf"
    file.write_text(text(whole("CYP3A5", HOMOZYGOUS)))
    ingest = ("ingest", "vcf", str(file), "--assembly", "GRCh38", "--quiet")
    command.done(*ingest, "--subject", "P1")
    command.done(*ingest, "--subject", "P2", "--no-pgx")
    assert _genotype(command) == "CYP3A5 *3/*3"
    load = ("knowledge", "load", "pgx", _tables(tmp_path / "tables"), "--name", "lab", "--version", "1")
    assert "1 tests: 1 genes called" in command.done(*load).err
    assert _genotype(command) == "CYP3A5 *3X/*3X"
    assert "1 tests: 1 genes called" in command.done("knowledge", "deactivate", "lab-1").err
    assert _genotype(command) == "CYP3A5 *3/*3"
    assert "tests" not in command.done("knowledge", "activate", "lab-1", "--no-pgx").err
    assert "operon pgx call" in command.done("pgx", "show", "P1").err
    command.done("knowledge", "remove", "lab-1", "--quiet")
    assert command.done("pgx", "show", "P1").err == ""
    assert command.done("pgx", "show", "P2").out == ""


def test_the_worker_calls_again_what_other_definitions_called(command: CommandLine, tmp_path: Path) -> None:
    file = tmp_path / "a.vcf"
    file.write_text(text(whole("CYP3A5", HOMOZYGOUS)))
    command.done("ingest", "vcf", str(file), "--assembly", "GRCh38", "--quiet", "--subject", "P1")
    load = ("knowledge", "load", "pgx", _tables(tmp_path / "tables"), "--name", "lab", "--version", "1", "--no-pgx")
    command.done(*load)
    settings = Settings(home=tmp_path / "home")
    seen: list[str] = []

    def pause(_: float) -> None:
        seen.append(_genotype(command))
        if len(seen) == 1:
            command.done("knowledge", "deactivate", "lab-1", "--no-pgx")

    keep_working(settings, lambda: len(seen) == 2, pause)
    assert seen == ["CYP3A5 *3X/*3X", "CYP3A5 *3/*3"]


def test_a_test_that_cannot_be_called_does_not_keep_the_worker(
    command: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "a.vcf"
    file.write_text(text(whole("CYP3A5", HOMOZYGOUS)))
    command.done("ingest", "vcf", str(file), "--assembly", "GRCh38", "--quiet", "--subject", "P1")
    load = ("knowledge", "load", "pgx", _tables(tmp_path / "tables"), "--name", "lab", "--version", "1", "--no-pgx")
    command.done(*load)
    tried: list[int] = []

    def broken(*_: object, **__: object) -> None:
        tried.append(1)
        raise ValueError("P1")

    monkeypatch.setattr(inbox, "call", broken)
    pauses: list[float] = []
    keep_working(Settings(home=tmp_path / "home"), lambda: len(pauses) == 3, pauses.append)
    assert len(tried) == 1
