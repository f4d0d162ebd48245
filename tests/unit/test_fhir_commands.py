"""``operon ingest fhir`` and ``operon export fhir``: exit codes, reports, files that appear whole or not at all."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.command_line import CommandLine
from tests.fhir_files import bundle, spdi, variant

SNV = "NC_000001.11:104:C:T"


@pytest.fixture
def operon(tmp_path: Path) -> CommandLine:
    operon = CommandLine(tmp_path / "home")
    operon.done("db", "upgrade")
    return operon


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "report.json"
    path.write_text(json.dumps(bundle(variant(spdi(SNV)), id="b")))
    return path


def test_a_file_goes_in_and_comes_out(operon: CommandLine, file: Path, tmp_path: Path) -> None:
    ended = operon.done("ingest", "fhir", file)
    assert ended.out == ""
    assert "calls stored" in ended.err
    written = tmp_path / "out.json"
    operon.done("export", "fhir", "P1", "--output", written)
    assert written.read_text() == operon.done("export", "fhir", "P1").out
    other = CommandLine(tmp_path / "other")
    other.done("db", "upgrade")
    other.done("ingest", "fhir", written, "--quiet")
    assert other.done("export", "fhir", "P1").out == written.read_text()


def test_standard_input_is_read(operon: CommandLine, file: Path) -> None:
    operon.done("ingest", "fhir", "-", stdin=file.read_bytes())
    assert operon.rows("select test_id from study") == [("b",)]


def test_quiet_says_nothing(operon: CommandLine, file: Path) -> None:
    assert operon.done("ingest", "fhir", file, "--quiet").err == ""


def test_what_could_not_be_stored_ends_with_65_and_is_in_the_report(operon: CommandLine, tmp_path: Path) -> None:
    path, report = tmp_path / "two.json", tmp_path / "left-out.json"
    bad = variant(spdi("NC_000001.11:1:Q:T"), id_="bad")
    path.write_text(json.dumps(bundle(variant(spdi(SNV)), bad, {"resourceType": "Basic", "id": "x"})))
    ended = operon.run("ingest", "fhir", path, "--report", report)
    assert ended.code == 65
    assert "1 Observations could not be stored, all else is" in ended.err
    assert "NOT STORED" in ended.err
    [said] = json.loads(report.read_bytes())
    assert (said["calls"], said["refused"], said["skipped"]) == (1, {"unreadable": 1}, {"resource": 1})
    [refused] = said["refused_entries"]
    assert refused["entry"] == "entry[1] Observation/bad"
    assert "the deleted sequence" in refused["detail"]
    assert operon.rows("select count(*) from call_set") == [(1,)]


def test_a_file_that_is_no_fhir_ends_with_65_and_leaves_nothing(operon: CommandLine, tmp_path: Path) -> None:
    before = operon.dump()
    path = tmp_path / "bad.json"
    path.write_text(json.dumps(bundle(variant(spdi(SNV)), variant(component="x"))))
    ended = operon.run("ingest", "fhir", path)
    assert ended.code == 65
    assert ended.err.startswith("operon: bad.json, entry[1] Observation/v1, component: it is not an array")
    assert operon.dump() == before


def test_a_missing_file_or_subject_ends_with_66(operon: CommandLine, tmp_path: Path) -> None:
    assert operon.run("ingest", "fhir", tmp_path / "none.json").code == 66
    written = tmp_path / "out.json"
    ended = operon.run("export", "fhir", "nobody", "--output", written)
    assert (ended.code, ended.out) == (66, "")
    assert "nobody" in ended.err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["home"]


def test_only_one_test_is_written(operon: CommandLine, file: Path, tmp_path: Path) -> None:
    operon.done("ingest", "fhir", file, "-q")
    other = tmp_path / "other.json"
    other.write_text(json.dumps(bundle(variant(spdi(SNV)), id="c")))
    operon.done("ingest", "fhir", other, "-q")
    whole = json.loads(operon.done("export", "fhir", "P1").out)["entry"]
    part = json.loads(operon.done("export", "fhir", "P1", "--test-id", "c").out)["entry"]
    assert len(whole) == 2 * len(part) - 1
    assert operon.run("export", "fhir", "P1", "--test-id", "d").code == 66


def test_a_file_that_was_stored_before_is_said_to_be(operon: CommandLine, file: Path) -> None:
    operon.done("ingest", "fhir", file, "-q")
    assert "report.json was stored before" in operon.done("ingest", "fhir", file).err
