"""The Genomics Reporting profiles as a judge of answers, where Node and the pack of profiles are there."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

Validate = Callable[[Mapping[str, Any]], list[str]]
"""Takes a resource, returns what is wrong with it"""

_OLDEST_NODE = (20, 19)


def installed_pack(shared: Path, folder: Path) -> Path:
    """Return a copy of the pack with its two dependencies; skip the test where it cannot be had.

    FHIR_PROFILES_PACK may name such a copy. Else one is made in ``folder``, once.
    """
    if not _has_node():
        pytest.skip(f"Node {'.'.join(map(str, _OLDEST_NODE))} or newer is not installed")
    if named := os.environ.get("FHIR_PROFILES_PACK"):
        return Path(named)
    source = shared / "packs" / "fhir-profiles"
    if not source.is_dir():
        pytest.skip("the pack of FHIR profiles is not there")
    pack = folder / "fhir-profiles"
    if not pack.is_dir():
        _install(source, folder, pack)
    return pack


def _has_node() -> bool:
    if shutil.which("node") is None:
        return False
    told = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout
    return tuple(map(int, told.strip().removeprefix("v").split(".")[:2])) >= _OLDEST_NODE


def _install(source: Path, folder: Path, pack: Path) -> None:
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("npm is not installed")
    # Test processes may do this at the same time: the first complete copy gets the name.
    with tempfile.TemporaryDirectory(dir=folder) as name:
        copy = Path(name) / "pack"
        shutil.copytree(source, copy, copy_function=shutil.copyfile)
        for path in (copy, *copy.rglob("*")):
            if path.is_dir():
                path.chmod(0o755)  # the original may be read-only
        command = [npm, "install", "--no-audit", "--no-fund", "--prefer-offline"]
        if subprocess.run(command, cwd=copy, capture_output=True, check=False).returncode:
            pytest.skip("npm cannot install the two packages of the validator")
        with suppress(OSError):
            copy.rename(pack)


@contextmanager
def validator(pack: Path, *, operation: str | None = None) -> Iterator[Validate]:
    """Run the validator as a child process that answers one line for each resource, all answers of one operation."""
    command = ["node", str(pack / "validate.mjs"), "--stream", "--require-profile"]
    if operation is not None:
        command += ["--operation", operation]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        given, answered = process.stdin, process.stdout

        def validate(resource: Mapping[str, Any]) -> list[str]:
            print(json.dumps(resource), file=given, flush=True)
            found = json.loads(answered.readline())["problems"]
            return [f"{problem['path']}: {problem['message']} [{problem['rule']}]" for problem in found]

        yield validate
        given.close()
