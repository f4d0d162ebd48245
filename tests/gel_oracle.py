"""Genomics England's own validator as a judge of documents, where it is installed beside the project.

``OPERON_GEL_ORACLE`` names a folder made by ``pip install --no-deps --target FOLDER GelReportModels==7.8.0
avro-python3==1.8.2 six pyyaml dictdiffer future pycipapi==0.9.4``. Nothing of it is imported into the tests' process.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

ORACLE_FOLDER = "OPERON_GEL_ORACLE"
VERSIONS = ("6_0_0", "6_0_1", "6_1_0", "6_2_0")

_PROGRAM = """
import importlib, json, sys, warnings
warnings.simplefilter("ignore")
for line in sys.stdin:
    version, name, document = json.loads(line)
    model = getattr(importlib.import_module("protocols." + version), name)
    try:
        found = model.validate(document, verbose=True)
        answer = [] if found.result else [str(one) for one in found.messages] or ["refused"]
    except Exception as problem:
        answer = [repr(problem)]
    print("=" + json.dumps(answer), flush=True)
"""


def oracle_folder() -> Path:
    """Return the folder of the validator; skip the test where there is none."""
    named = os.environ.get(ORACLE_FOLDER)
    if not named:
        pytest.skip(f"{ORACLE_FOLDER} names no folder with GelReportModels")
    return Path(named)


class GelOracle:
    """A running validator."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def problems(self, name: str, document: Any, version: str = "6_2_0", family: str = "reports") -> list[str]:
        """Return what a class of one version of the models (``ClinicalReport``) finds wrong in a document."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps([f"{family}_{version}", name, document]) + "\n")
        self._process.stdin.flush()
        for line in self._process.stdout:
            if line.startswith("="):
                answer: list[str] = json.loads(line[1:])
                return answer
        raise AssertionError("the validator has ended")

    def accepts(self, name: str, document: Any) -> bool:
        """Return whether some version of model 6 accepts a document."""
        return any(not self.problems(name, document, version) for version in VERSIONS)


@contextmanager
def running_oracle() -> Iterator[GelOracle]:
    """Run the validator in a process of its own; skip the test where it is not installed."""
    environment = {"PYTHONPATH": str(oracle_folder()), "PATH": os.environ.get("PATH", "")}
    with subprocess.Popen(
        [sys.executable, "-c", _PROGRAM], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield GelOracle(process)
        finally:
            process.terminate()
