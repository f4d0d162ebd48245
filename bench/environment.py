"""On what a figure was measured: kind of machine, versions and revision, without anything that names the machine."""

from __future__ import annotations

import hashlib
import importlib.metadata
import os
import platform
import subprocess
from functools import lru_cache
from pathlib import Path
from typing import Any

import orjson

_ROOT = Path(__file__).resolve().parents[1]
_PACKAGES = (
    "bioutils", "cyvcf2", "fastapi", "numpy", "orjson", "psycopg", "pyliftover", "pyroaring", "pysam", "sqlalchemy",
    "starlette", "uvicorn",
)  # fmt: skip


@lru_cache(maxsize=1)
def machine() -> dict[str, Any]:
    """Return the kind of processor, memory, system and versions, and a digest of them to tell machines apart."""
    facts: dict[str, Any] = {
        "cpu": _processor(),
        "cores": os.cpu_count(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "packages": {name: version for name in _PACKAGES if (version := _version(name)) is not None},
    }
    digest = hashlib.blake2b(orjson.dumps(facts, option=orjson.OPT_SORT_KEYS), digest_size=4).hexdigest()
    return {"fingerprint": digest, **facts}


@lru_cache(maxsize=1)
def revision() -> str | None:
    """Return the commit that was measured, with a ``+`` where files differ from it; None outside a repository."""
    commit = _git("rev-parse", "--short=12", "HEAD")
    if not commit:
        return None
    return commit + ("+" if _git("status", "--porcelain", "--", "app", "ingest", "migrations") else "")


def _git(*arguments: str) -> str | None:
    try:
        done = subprocess.run(["git", *arguments], cwd=_ROOT, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        lines = []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor() or platform.machine())


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None
