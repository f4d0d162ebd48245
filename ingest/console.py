"""What commands say on standard error, and the check of a report file before anything is stored."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Final

import typer

from app.errors import quoted

_UNWRITABLE: Final = 73


def say(text: str) -> None:
    """Print a message of a command."""
    print(f"operon: {text}", file=sys.stderr)


def require_writable(path: Path | None) -> None:
    """Refuse an output file that cannot be written while nothing is stored yet."""
    if path is None:
        return
    touched = path if path.exists() else path.parent
    if path.is_dir() or not touched.exists() or not os.access(touched, os.W_OK):
        say(f"{quoted(path)}: this file cannot be written. Give --report another path")
        raise typer.Exit(_UNWRITABLE)
