"""Calls are made in another process while documents are put, and nothing is missing whatever becomes of it."""

from __future__ import annotations

import json
from multiprocessing import active_children
from pathlib import Path

import pytest

from app.config import Settings
from ingest import cip_beside
from ingest.cip_beside import projecting_beside
from ingest.cip_files import read_files
from ingest.cip_report import CipReport
from ingest.progress import Progress
from ingest.workspace import open_workspace
from tests.cip_cases import PROBAND, call, case, genome, variant
from tests.command_line import CommandLine

QUIET = Progress(quiet=True)


@pytest.fixture
def operon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    monkeypatch.setattr(cip_beside, "WORTH_IT", 2)
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    found = CommandLine(tmp_path / "home")
    found.done("db", "upgrade")
    return found


def written(folder: Path, numbers: range) -> list[Path]:
    files = []
    for number in numbers:
        files.append(folder / f"{number}.json")
        carried = genome(variant("1:1001:A:G", call(PROBAND, "heterozygous")))
        files[-1].write_text(json.dumps(case(carried, number=number)))
    return files


def states(report: CipReport) -> dict[str, str]:
    return {one.name: one.state.value for one in report.outcomes}


def test_every_case_is_made_once(operon: CommandLine, tmp_path: Path) -> None:
    files = written(tmp_path, range(1, 8))
    (tmp_path / "bad.json").write_text("{")
    ended = operon.run("ingest", "cip-api", *files, tmp_path / "bad.json", "--report", tmp_path / "report.json")
    assert ended.code == 65
    told = json.loads((tmp_path / "report.json").read_text())
    assert sorted(one["case"] for one in told["cases"]) == [f"{number}-1" for number in range(1, 8)]
    assert told["states"] == {"stored": 7}
    assert "nothing new" in operon.done("ingest", "cip-api", *files).err


@pytest.mark.parametrize("dies", [False, True])
def test_what_another_process_leaves_is_made_at_the_end(operon: CommandLine, tmp_path: Path, dies: bool) -> None:
    files = written(tmp_path, range(1, 6))
    with open_workspace(Settings(home=operon.home)) as workspace:
        with projecting_beside(workspace, QUIET, len(files)) as report:
            [child] = active_children()
            read_files(workspace, files, QUIET)
            if dies:
                child.kill()
        assert states(report) == {f"{number}-1": "stored" for number in range(1, 6)}
        assert active_children() == []


def test_another_process_ends_when_reading_fails(operon: CommandLine, tmp_path: Path) -> None:
    with open_workspace(Settings(home=operon.home)) as workspace:
        with pytest.raises(KeyboardInterrupt), projecting_beside(workspace, QUIET, 5):
            raise KeyboardInterrupt
        assert active_children() == []


def test_for_few_files_there_is_no_other_process(operon: CommandLine) -> None:
    with open_workspace(Settings(home=operon.home)) as workspace, projecting_beside(workspace, QUIET, 1):
        assert active_children() == []
