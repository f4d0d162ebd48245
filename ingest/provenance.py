"""Where fetched reference files came from: address, release, licence and day, by the checksum of the file."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from app.errors import Misconfigured

_FILE = "fetched.json"


def read(directory: Path) -> dict[str, dict[str, Any]]:
    """Return what is recorded, by SHA-256; raises Misconfigured for a damaged record."""
    path = directory / _FILE
    try:
        entries = json.loads(path.read_text("utf-8"))
        return {str(sha256): dict(entry) for sha256, entry in entries.items()}
    except FileNotFoundError:
        return {}
    except (ValueError, AttributeError, TypeError) as error:
        raise Misconfigured(f"{path} is damaged ({error}); remove it: it only says where files came from") from error


def record(directory: Path, sha256: str, entry: Mapping[str, Any]) -> None:
    """Add the origin of a file; a reader finds the record before or after."""
    entries = read(directory) | {sha256: {**entry, "fetched": datetime.now(UTC).isoformat(timespec="seconds")}}
    directory.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", dir=directory, prefix=f".{_FILE}.", delete=False, encoding="utf-8") as draft:
        json.dump(entries, draft, indent=1)
        draft.write("\n")
        draft.flush()
        os.fsync(draft.fileno())
    written = Path(draft.name)
    written.chmod(0o644)
    written.replace(directory / _FILE)
