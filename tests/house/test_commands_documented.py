"""The documents about the command line agree with it: every command and option is there, and what they show works."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from app.records import Build
from ingest import cli
from tests.command_line import CommandLine, Ended
from tests.synthetic_chains import Block, write
from tests.vcf_files import gzipped, vcf

FENCE = re.compile(r"```(\w*)\n(.*?)```", re.DOTALL)
EVERYWHERE = {"--help", "--install-completion", "--show-completion"}


def commands(group: Any = None, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], set[str]]]:
    """Yield each command that the help shows, with its long options."""
    group = group or typer.main.get_command(cli.app)
    for name, command in group.commands.items():
        if command.hidden:
            continue
        if hasattr(command, "commands"):
            yield from commands(command, (*path, name))
        else:
            options = {option for parameter in command.params for option in parameter.opts if option.startswith("--")}
            yield (*path, name), options - EVERYWHERE


COMMANDS = dict(commands())


@pytest.fixture(scope="module")
def page(root: Path) -> str:
    return (root / "docs" / "reference" / "cli.md").read_text("utf-8")


def shown(page: str) -> dict[tuple[str, ...], set[str]]:
    """Return the options of each command in the synopses of the page."""
    found: dict[tuple[str, ...], set[str]] = {}
    for _, block in FENCE.findall(page):
        for text in re.split(r"^operon ", block, flags=re.MULTILINE)[1:]:
            words = tuple(re.match(r"[a-z -]+", text)[0].split())  # type: ignore[index]
            [command] = [path for path in COMMANDS if words[: len(path)] == path]
            found[command] = set(re.findall(r"--[a-z-]+", text))
    return found


@pytest.mark.parametrize("command", [path for path in COMMANDS if path != ("version",)], ids=" ".join)
def test_synopsis_has_the_options_of_the_command(page: str, command: tuple[str, ...]) -> None:
    assert shown(page)[command] == COMMANDS[command]


def test_version_is_mentioned(page: str) -> None:
    assert "`operon version`" in page


def hidden(group: Any = None, path: tuple[str, ...] = ()) -> Iterator[str]:
    """Yield the last word of each command that the help does not show."""
    group = group or typer.main.get_command(cli.app)
    for name, command in group.commands.items():
        if command.hidden:
            yield name
        elif hasattr(command, "commands"):
            yield from hidden(command, (*path, name))


def test_no_command_is_hidden() -> None:
    assert set(hidden()) == set()


def test_every_option_of_an_ingest_is_explained(page: str) -> None:
    table = "\n".join(line for line in page.splitlines() if line.startswith("| `--"))
    assert {*re.findall(r"`(--[a-z-]+)`", table.replace("`, `", "` `"))} == COMMANDS["ingest", "vcf"] - {"--assembly"}


# --- what they show works ---------------------------------------------------------------------------------------------

SNV = "chr17 43045000 . A G 50 PASS . GT 0/1"


def shell_lines(text: str) -> list[str]:
    """Return the commands of the shell blocks of a page, continued lines joined."""
    lines = [
        line for kind, block in FENCE.findall(text) if kind == "sh" for line in block.replace("\\\n", " ").split("\n")
    ]
    return [line.replace(".venv/bin/", "") for line in lines if "operon " in line and not line.startswith("export")]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a working folder with small files under the names that the documents use."""
    folder = tmp_path / "work"
    (folder / "calls").mkdir(parents=True)
    sequence = ">{}:43000001-43000010\nACGTACGTAC\n"
    for name in ("GCF_000001405.40_GRCh38.p14_genomic.fna.gz", "GRCh38.fa"):
        (folder / name).write_bytes(gzipped(sequence.format("NC_000017.11").encode()))
    (folder / "GCF_000001405.25_GRCh37.p13_genomic.fna.gz").write_bytes(
        gzipped(sequence.format("NC_000017.10").encode())
    )
    for source in Build:
        write(folder / f"{source}_to_{source.other}.chain.gz", source, Block(0, 1000, 500))
    one = gzipped(vcf(SNV).encode())
    for name in ("sample.vcf.gz", "calls/p1.vcf.gz", "calls/p1.tumour.vcf.gz"):
        (folder / name).write_bytes(one)
    blocks = vcf("chr17 43044000 . A <NON_REF> . . END=43044999 GT 0/0", SNV.replace("0/1", "0/0"))
    (folder / "sample.g.vcf.gz").write_bytes(gzipped(blocks.encode()))
    two = vcf(f"{SNV} 1/1", samples=("HG00096", "HG00097"), build=Build.GRCH37)
    (folder / "cohort.vcf.gz").write_bytes(gzipped(two.encode()))
    (folder / "exome.bed").write_text("chr17\t43000000\t44000000\n")
    (folder / "people.csv").write_text("subject_id,sex\npatient-1,female\n")
    monkeypatch.chdir(folder)
    return folder


def run(line: str, operon: CommandLine) -> Ended:
    """Run one line of a shell block; a line that names an alternative leaves the store as it was."""
    command, _, comment = line.partition("#")
    given, _, words = command.strip().rpartition("operon ")
    stdin = Path(shlex.split(given)[1]).read_bytes() if given.startswith("cat ") else b""
    if comment.strip().startswith("or "):
        fresh = CommandLine(operon.home.with_name("alternative"))
        fresh.done("db", "upgrade")
        operon = fresh
    return operon.run(*shlex.split(words), stdin=stdin)


def test_commands_of_the_how_to_work(root: Path, folder: Path, tmp_path: Path) -> None:
    text = (root / "docs" / "howto" / "ingest-a-vcf.md").read_text("utf-8")
    [table] = [block for _, block in FENCE.findall(text) if block.startswith("vcf_filename")]
    (folder / "calls.csv").write_text(table)
    operon = CommandLine(tmp_path / "home")
    lines = shell_lines(text)
    ended = [run(line, operon) for line in lines]
    assert [(line, one.err) for line, one in zip(lines, ended, strict=True) if one.code != 0] == []
    assert len(lines) == 16
    assert [entry["name"] for entry in json.loads(ended[-1].out)["parameter"][0]["part"]].count("variant") == 3


def test_commands_of_the_readme_load_a_file(root: Path, folder: Path, tmp_path: Path) -> None:
    text = (root / "README.md").read_text("utf-8")
    lines = shell_lines(text[text.index("## Load your own VCF") :])
    assert lines.pop() == "operon serve"
    operon = CommandLine(tmp_path / "home")
    ended = [run(line, operon) for line in lines]
    assert [(line, one.err) for line, one in zip(lines, ended, strict=True) if one.code != 0] == []
    assert operon.done("subject", "list").out.count("patient-1") == 1


def test_refusal_that_the_how_to_shows_is_what_is_said(root: Path, folder: Path, tmp_path: Path) -> None:
    text = (root / "docs" / "howto" / "ingest-a-vcf.md").read_text("utf-8")
    [message] = [block for _, block in FENCE.findall(text) if block.startswith("operon: ")]
    operon = CommandLine(tmp_path / "home")
    operon.done("db", "upgrade")
    header_lines = 10
    records = [SNV.replace("43045000", str(1000 + at)) for at in range(4711 - header_lines - 1)]
    (folder / "sample.vcf").write_text(vcf(*records, SNV.replace("0/1", "0/x")))
    ended = operon.run("ingest", "vcf", "sample.vcf", "--assembly", "GRCh38", "--subject", "patient-1")
    assert (ended.code, ended.err) == (65, message)
