"""The lock files pin every distribution by hash, name no index, and need no compiler."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

LOCKS = ("requirements.lock", "requirements-runtime.lock")


def read_lock(path: Path) -> dict[str, set[str]]:
    """Return the hashes of each pinned requirement of a lock file, its marker included in the key."""
    logical_lines = re.sub(r"\\\n\s*", " ", path.read_text("utf-8")).splitlines()
    pins: dict[str, set[str]] = {}
    for line in logical_lines:
        content = line.partition("#")[0].strip()
        if content:
            requirement, *hashes = content.split(" --hash=")
            pins[requirement.strip()] = {digest.strip() for digest in hashes}
    return pins


def declared(project: Mapping[str, object], *extras: str) -> list[Requirement]:
    lines = list(project["dependencies"])  # type: ignore[call-overload]
    for extra in extras:
        lines += project["optional-dependencies"][extra]  # type: ignore[index]
    return [Requirement(line) for line in lines]


@pytest.fixture(scope="module")
def project(root: Path) -> Mapping[str, object]:
    return tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]


@pytest.mark.parametrize("lock", LOCKS)
def test_every_requirement_is_pinned_with_sha256_hashes(root: Path, lock: str) -> None:
    pins = read_lock(root / lock)
    assert len(pins) > 40
    for requirement, hashes in pins.items():
        assert re.match(r"[a-z0-9.-]+(\[[a-z,-]+\])?==\S+", requirement), requirement
        assert hashes, requirement
        assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", digest) for digest in hashes), requirement


@pytest.mark.parametrize("lock", LOCKS)
def test_no_index_or_host_is_named(root: Path, lock: str) -> None:
    text = (root / lock).read_text("utf-8")
    assert re.findall(r"^.*(?:://|index-url|find-links|trusted-host|^-[if] | @ |file:).*$", text, re.MULTILINE) == []


@pytest.mark.parametrize(
    ("lock", "extras"),
    [("requirements.lock", ("postgresql", "bench", "dev")), ("requirements-runtime.lock", ("postgresql",))],
    ids=LOCKS,
)
def test_lock_satisfies_the_project(root: Path, project: Mapping[str, object], lock: str, extras: list[str]) -> None:
    pinned: dict[str, list[str]] = {}
    for pin in map(Requirement, read_lock(root / lock)):
        pinned.setdefault(canonicalize_name(pin.name), []).append(str(pin.specifier).removeprefix("=="))
    for requirement in declared(project, *extras):
        versions = pinned.get(canonicalize_name(requirement.name), [])
        assert versions, f"{requirement} is not locked"
        assert all(requirement.specifier.contains(version) for version in versions), requirement


def test_runtime_lock_is_a_part_of_the_full_one(root: Path) -> None:
    full, runtime = (read_lock(root / lock) for lock in LOCKS)
    assert {pin: hashes for pin, hashes in runtime.items() if full.get(pin) != hashes} == {}


@pytest.mark.parametrize("lock", LOCKS)
def test_source_builds_and_shells_that_hgvs_names_are_left_out(root: Path, lock: str) -> None:
    names = {Requirement(pin).name for pin in read_lock(root / lock)}
    assert names.isdisjoint({"psycopg2", "ipython", "biocommons-seqrepo"})
    assert {"psycopg2-binary", "hgvs", "parsley"} <= names


def test_parts_of_hgvs_that_operon_uses_import_without_what_is_left_out() -> None:
    blocked = ["psycopg2", "biocommons", "IPython", "configparser_backport", "importlib_resources"]
    parts = ["parser", "assemblymapper", "normalizer", "validator", "dataproviders.interface"]
    program = f"import sys\nfor name in {blocked}: sys.modules[name] = None\n" + "".join(
        f"import hgvs.{part}\n" for part in parts
    )
    subprocess.run([sys.executable, "-c", program], check=True)
