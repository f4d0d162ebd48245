"""``operon terminology`` on the command line, and the how-to that shows it."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest

from tests.command_line import CommandLine
from tests.terminology_files import FILES, FOLDER

DOID = FOLDER / "doid.obo"


@pytest.fixture
def operon(tmp_path: Path) -> CommandLine:
    operon = CommandLine(tmp_path / "home")
    operon.done("db", "upgrade")
    return operon


def listed(operon: CommandLine) -> list[dict[str, object]]:
    return [json.loads(line) for line in operon.done("terminology", "list").out.splitlines()]


def test_a_release_is_loaded_listed_and_removed(operon: CommandLine) -> None:
    ended = operon.done("terminology", "load", "obo", DOID)
    assert ended.out == ""
    assert "doid.obo 2024-05-29: 29 rows loaded\n  left out: 1 cross-references to other systems\n" in ended.err
    [release] = listed(operon)
    assert (release["name"], release["kind"], release["version"], release["rows"]) == (
        "doid.obo",
        "obo",
        "2024-05-29",
        29,
    )
    assert [file["name"] for file in release["files"]] == ["doid.obo"]  # type: ignore[attr-defined]
    assert str(release["licence"]).startswith("Disease Ontology: CC0")
    operon.done("terminology", "remove", "doid.obo")
    assert listed(operon) == []


def test_a_file_may_be_called_anything(operon: CommandLine, tmp_path: Path) -> None:
    path = tmp_path / 'a;"b\n.obo'
    path.write_bytes(DOID.read_bytes())
    operon.done("terminology", "load", "obo", path, "--name", "x")
    assert [file["name"] for file in listed(operon)[0]["files"]] == [path.name]  # type: ignore[attr-defined]


def test_name_and_version_are_those_that_are_given(operon: CommandLine) -> None:
    stdin = DOID.read_bytes()
    assert operon.done("terminology", "load", "obo", "-", "--name", "DO", "--version", "x", "-q", stdin=stdin).err == ""
    [release] = listed(operon)
    assert (release["name"], release["version"]) == ("DO", "x")


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["load", "owl", DOID], 65, "owl is no kind; there are obo, sssom, medgen, snomed,"),
        (["load", "obo", "absent.obo"], 66, "absent.obo: there is no such file"),
        (["load", "map", DOID], 65, "doid.obo, line 1, source_system: the column is missing. The header needs"),
        (["load", "obo"], 2, "Missing argument"),
        (["remove", "DO"], 66, "there is no release DO; see 'operon terminology list'"),
    ],
)
def test_what_cannot_be_done_is_refused(
    operon: CommandLine, arguments: list[str | Path], code: int, message: str
) -> None:
    ended = operon.run("terminology", *arguments)
    assert (ended.code, ended.out) == (code, "")
    assert message in ended.err
    assert listed(operon) == []


def test_without_a_store_it_is_said_what_to_do(tmp_path: Path) -> None:
    ended = CommandLine(tmp_path).run("terminology", "list")
    assert (ended.code, ended.err) == (78, "operon: there is no store yet: run 'operon db upgrade'\n")


def test_commands_of_the_how_to_work(root: Path, operon: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    text = (root / "docs" / "howto" / "terminology.md").read_text("utf-8")
    [block] = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
    monkeypatch.chdir(FOLDER)
    lines = block.replace("\\\n", " ").splitlines()
    ended = [operon.run(*shlex.split(line)[1:]) for line in lines]
    assert [(line, one.err) for line, one in zip(lines, ended, strict=True) if one.code != 0] == []
    releases = [json.loads(line)["kind"] for line in ended[-1].out.splitlines()]
    assert set(releases) == set(FILES)


def test_the_refusal_that_the_how_to_shows_is_what_is_said(root: Path, operon: CommandLine) -> None:
    text = (root / "docs" / "howto" / "terminology.md").read_text("utf-8")
    [shown] = re.findall(r"```\n(operon: .*?)```", text, re.DOTALL)
    stdin = (FOLDER / "map.tsv").read_bytes().replace(b"narrower", b"near")
    ended = operon.run("terminology", "load", "map", "-", "-q", stdin=stdin)
    assert (ended.code, ended.err) == (65, shown.replace("map.tsv", "standard input"))


def test_the_table_that_the_how_to_shows_can_be_loaded(root: Path, operon: CommandLine) -> None:
    text = (root / "docs" / "howto" / "terminology.md").read_text("utf-8")
    [table] = re.findall(r"```\n(source_system.*?)```", text, re.DOTALL)
    operon.done("terminology", "load", "map", "-", stdin=table.encode())
    assert operon.rows("select source_code, target_code, equivalence from terminology_map") == [
        ("C349", "DOID:1324", "narrower")
    ]
