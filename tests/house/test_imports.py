"""The direction of imports, and one room for each dependency (contracts in pyproject.toml)."""

from __future__ import annotations

from pathlib import Path

import pytest
from importlinter.cli import EXIT_STATUS_SUCCESS, lint_imports

PACKAGES = ("app", "ingest", "migrations")


def test_imports_keep_every_contract(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(root)
    status = lint_imports(no_cache=True, no_logo=True)
    assert status == EXIT_STATUS_SUCCESS, capsys.readouterr().out


@pytest.mark.parametrize("package", PACKAGES)
def test_every_folder_of_modules_is_a_package(root: Path, package: str) -> None:
    # A folder without __init__.py is invisible to the contracts.
    folders = {module.parent for module in (root / package).rglob("*.py")}
    assert [str(folder.relative_to(root)) for folder in folders if not (folder / "__init__.py").is_file()] == []


@pytest.mark.parametrize("package", PACKAGES)
def test_every_module_is_named_after_its_job(root: Path, package: str) -> None:
    vague = {"utils", "util", "helpers", "common", "misc", "manager"}
    assert [module.name for module in (root / package).rglob("*.py") if module.stem in vague] == []
