"""An installed wheel is as complete as a checkout."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from app.data_folder import data_folder


@pytest.fixture(scope="module")
def contents(root: Path, tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=root, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


@pytest.mark.parametrize("package", ["app", "ingest", "migrations"])
def test_every_file_of_a_package_is_in_the_wheel(root: Path, contents: set[str], package: str) -> None:
    files = [path for path in (root / package).rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    assert {str(path.relative_to(root)) for path in files} <= contents


def test_every_data_file_is_in_the_wheel_where_the_program_looks(root: Path, contents: set[str]) -> None:
    files = {f"app/_data/{path.relative_to(root / 'data')}" for path in (root / "data").rglob("*") if path.is_file()}
    assert files
    assert files <= contents


def test_no_test_is_in_the_wheel(contents: set[str]) -> None:
    assert not any(name.startswith(("tests/", "bench/", "docs/", "data/")) for name in contents)


def test_data_folder_of_a_checkout_is_the_one_beside_the_packages(root: Path) -> None:
    assert data_folder() == root / "data"


def test_data_folder_of_a_wheel_is_inside_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.data_folder._PACKAGE", tmp_path / "app")
    (tmp_path / "app" / "_data").mkdir(parents=True)
    assert data_folder() == tmp_path / "app" / "_data"
