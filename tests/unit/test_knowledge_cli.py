"""``operon knowledge`` as people run it: what it prints, what it refuses and with which exit code."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from tests.command_line import CommandLine, Ended
from tests.knowledge_files import changed, stored, table, without
from tests.known_world import about, diagnostic, of_genotype, therapeutic

ROWS = (diagnostic(about("a", 100), ("C1", "x")), diagnostic(about("b", 110), ("C2", "y")))


@pytest.fixture
def operon(tmp_path: Path) -> CommandLine:
    operon = CommandLine(tmp_path / "home")
    operon.done("db", "upgrade")
    return operon


def write(folder: Path, data: bytes = b"", name: str = "diagnostic.tsv") -> Path:
    path = folder / name
    path.write_bytes(data or table(*ROWS))
    return path


def listed(operon: CommandLine) -> list[dict[str, Any]]:
    return [json.loads(line) for line in operon.done("knowledge", "list").out.splitlines()]


def states(operon: CommandLine) -> dict[str, bool]:
    return {one["release"]: one["active"] for one in listed(operon)}


def test_a_release_is_loaded_and_listed(operon: CommandLine, tmp_path: Path) -> None:
    assert listed(operon) == []
    path = write(tmp_path)
    done = operon.done("knowledge", "load", "diagnostic", path, "--version", "7", "--released", "2026-02-03")
    assert done.out == ""
    assert "diagnostic-7: 2 items, 0 rows rejected; it is active" in done.err
    [one] = listed(operon)
    [file] = one.pop("files")
    assert (file["name"], file["size"], len(file["sha256"])) == ("diagnostic.tsv", path.stat().st_size, 64)
    assert one.pop("loaded").endswith("+00:00")
    assert one == {
        "release": "diagnostic-7",
        "source": "Operon's diagnostic table",
        "version": "7",
        "released": "2026-02-03",
        "licence": "As its author states",
        "active": True,
        "items": 2,
        "rejected": 0,
        "has_rules": False,
    }


def test_a_release_is_called_by_its_date_or_a_digest_of_its_files(operon: CommandLine, tmp_path: Path) -> None:
    operon.done("knowledge", "load", "diagnostic", write(tmp_path), "--quiet")
    operon.done("knowledge", "load", "diagnostic", write(tmp_path, table(ROWS[0])), "--released", "2026-02-03", "-q")
    first, second = states(operon)
    assert len(first) == len("diagnostic-") + 12
    assert second == "diagnostic-2026-02-03"
    operon.done("knowledge", "load", "diagnostic", write(tmp_path), "--name", "mine", "--version", "1", "-q")
    assert states(operon) == {first: False, second: True, "mine-1": True}


def test_a_newer_release_takes_over_unless_it_is_told_otherwise(operon: CommandLine, tmp_path: Path) -> None:
    path = write(tmp_path)
    operon.done("knowledge", "load", "diagnostic", path, "--version", "1")
    told = operon.done("knowledge", "load", "diagnostic", path, "--version", "2", "--inactive").err
    assert "it is not active (operon knowledge activate)" in told
    operon.done("knowledge", "load", "diagnostic", path, "--version", "3", "--beside")
    assert states(operon) == {"diagnostic-1": True, "diagnostic-2": False, "diagnostic-3": True}
    told = operon.done("knowledge", "load", "diagnostic", path, "--version", "4").err
    assert "diagnostic-1 is no longer active" in told
    assert "diagnostic-3 is no longer active" in told
    assert states(operon) == {"diagnostic-1": False, "diagnostic-2": False, "diagnostic-3": False, "diagnostic-4": True}


def test_releases_are_switched(operon: CommandLine, tmp_path: Path) -> None:
    path = write(tmp_path)
    for version in "123":
        operon.done("knowledge", "load", "diagnostic", path, "--version", version, "--inactive")
    operon.done("knowledge", "load", "diagnostic", path, "--name", "other", "--version", "1")

    def after(*arguments: str) -> list[str]:
        ended = operon.done("knowledge", *arguments)
        assert (ended.out, ended.err) == ("", "")
        return [name for name, active in states(operon).items() if active]

    assert after("activate", "diagnostic-1") == ["diagnostic-1", "other-1"]
    assert after("activate", "diagnostic-1") == ["diagnostic-1", "other-1"]
    assert after("activate", "diagnostic-2", "--beside") == ["diagnostic-1", "diagnostic-2", "other-1"]
    assert after("activate", "diagnostic-3") == ["diagnostic-3", "other-1"]
    assert after("deactivate", "other-1") == ["diagnostic-3"]
    assert after("deactivate", "other-1") == ["diagnostic-3"]
    assert after("remove", "diagnostic-3") == []
    assert set(states(operon)) == {"diagnostic-1", "diagnostic-2", "other-1"}
    for name in ("diagnostic-1", "diagnostic-2", "other-1"):
        after("remove", name)
    assert operon.rows("select count(*) from knowledge_item") == operon.rows("select count(*) from variant") == [(0,)]


def test_the_report_tells_which_rows_were_not_used(operon: CommandLine, tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    bad = changed(table(*ROWS), 3, b38_spdi="NC_000001.11:1:A")
    done = operon.done("knowledge", "load", "diagnostic", write(tmp_path, bad), "--report", report, "--version", "1")
    assert "diagnostic-1: 1 items, 1 rows rejected" in done.err
    assert "1 rejected: no usable SPDI" in done.err
    told = json.loads(report.read_bytes())
    [reject] = told["rejects"]
    assert (reject["file"], reject["line"], reject["field"]) == ("diagnostic.tsv", 3, "b38_spdi")
    assert reject["problem"].startswith("no usable SPDI: ")
    assert told["rejected_by_cause"] == {"no usable SPDI": 1}
    assert (told["release"], told["items"], told["rejected"]) == ("diagnostic-1", 1, 1)
    assert (told["active"], told["replaced"], told["already_loaded"]) == (True, [], False)
    assert listed(operon)[0]["rejected"] == 1
    again = operon.done(
        "knowledge", "load", "diagnostic", tmp_path / "diagnostic.tsv", "--report", report, "--version", "1"
    )
    assert "diagnostic-1 was loaded before" in again.err
    assert json.loads(report.read_bytes())["already_loaded"] is True


def test_quiet_says_nothing(operon: CommandLine, tmp_path: Path) -> None:
    done = operon.done("knowledge", "load", "diagnostic", write(tmp_path), "--quiet")
    assert (done.out, done.err) == ("", "")


def test_several_and_compressed_files_are_one_release(operon: CommandLine, tmp_path: Path) -> None:
    first = write(tmp_path, table(ROWS[0]), "one.tsv")
    second = write(tmp_path, gzip.compress(table(ROWS[1])), "two.tsv.gz")
    operon.done("knowledge", "load", "diagnostic", first, second, "-q")
    [one] = listed(operon)
    assert (one["items"], [file["name"] for file in one["files"]]) == (2, ["one.tsv", "two.tsv.gz"])


def test_tables_of_every_kind_are_loaded(operon: CommandLine, tmp_path: Path) -> None:
    for kind in ("diagnostic", "therapeutic", "consequence"):
        operon.done("knowledge", "load", kind, write(tmp_path, stored(f"{kind}.tsv"), f"{kind}.tsv"), "-q")
    assert [(one["source"], one["items"], one["has_rules"]) for one in listed(operon)] == [
        ("Operon's diagnostic table", 3, True),  # without transcripts the rule for a gene is rejected
        ("Operon's therapeutic table", 2, False),
        ("Operon's consequence table", 1, False),
    ]


def refused(operon: CommandLine, code: int, *arguments: str | Path) -> str:
    """Run a command that is refused, and return what it says; it must leave the store as it was."""
    before = operon.dump()
    ended: Ended = operon.run("knowledge", *arguments)
    assert (ended.code, ended.out) == (code, ""), ended.err
    assert "Traceback" not in ended.err
    assert operon.dump() == before
    return ended.err


def test_what_cannot_be_loaded_is_refused_with_the_mend(operon: CommandLine, tmp_path: Path) -> None:
    path = write(tmp_path)
    text = refused(operon, 65, "load", "astrology", path)
    assert "astrology is no kind of knowledge; it is one of clinvar, civic, " in text
    assert "nothing.tsv" in refused(operon, 66, "load", "diagnostic", tmp_path / "nothing.tsv")
    assert "write it as YYYY-MM-DD" in refused(operon, 65, "load", "diagnostic", path, "--released", "yesterday")
    operon.done("knowledge", "load", "diagnostic", path, "--version", "1", "-q")
    other = write(tmp_path, table(ROWS[0]), "other.tsv")
    text = refused(operon, 65, "load", "diagnostic", other, "--version", "1")
    assert "the store has a release diagnostic-1 already" in text
    assert "--version" in text


@pytest.mark.parametrize(
    ("data", "field", "mend"),
    [
        (without(table(*ROWS), "row_id"), "row_id", "header"),
        (without(table(*ROWS), "b37_spdi", "b38_spdi"), "b37_spdi", "The header needs at least one of b37_spdi"),
        (
            without(table(*ROWS), "significance_display", "significance_code", "phenotypes.code", "phenotypes.display"),
            "significance_display",
            "The header needs at least one of significance_display",
        ),
    ],
)
def test_a_bad_table_is_refused_by_file_line_and_field(
    operon: CommandLine, tmp_path: Path, data: bytes, field: str, mend: str
) -> None:
    text = refused(operon, 65, "load", "diagnostic", write(tmp_path, data, "bad.tsv"))
    assert f"bad.tsv, line 1, {field}: " in text
    assert mend in text


def test_a_table_of_another_kind_is_refused(operon: CommandLine, tmp_path: Path) -> None:
    tx = table(therapeutic(of_genotype("t", "CYP2C19 *1/*2"), ("1", "x")))
    assert "therapeutic.tsv, line 1" in refused(
        operon, 65, "load", "diagnostic", write(tmp_path, tx, "therapeutic.tsv")
    )


@pytest.mark.parametrize("command", ["activate", "deactivate", "remove"])
def test_a_release_that_is_not_there_is_told_with_those_that_are(
    operon: CommandLine, tmp_path: Path, command: str
) -> None:
    assert "loaded: none" in refused(operon, 66, command, "diagnostic-9")
    operon.done("knowledge", "load", "diagnostic", write(tmp_path), "--version", "1", "-q")
    text = refused(operon, 66, command, "diagnostic-9")
    assert "There is no knowledge release diagnostic-9; loaded: diagnostic-1" in text


@pytest.mark.parametrize("command", [("list",), ("activate", "x"), ("remove", "x")])
def test_without_a_store_the_mend_is_told(tmp_path: Path, command: tuple[str, ...]) -> None:
    ended = CommandLine(tmp_path / "nowhere").run("knowledge", *command)
    assert ended.code == 78
    assert "operon db upgrade" in ended.err
