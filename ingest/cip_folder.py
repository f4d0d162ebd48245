"""A folder with a file for each case, which appears when it is complete; nobody else may read it."""

from __future__ import annotations

import tempfile
from pathlib import Path


class CaseFolder:
    """The folder; it is made when it is not there."""

    def __init__(self, path: Path) -> None:
        self._path = path
        path.mkdir(parents=True, exist_ok=True, mode=0o700)

    def has(self, name: str) -> bool:
        """Return whether there is a file of a case."""
        return self._file(name).is_file()

    def write(self, name: str, raw: bytes) -> None:
        """Write the file of a case, unless it is as it should be."""
        file = self._file(name)
        if file.is_file() and file.read_bytes() == raw:
            return
        with tempfile.NamedTemporaryFile("wb", dir=self._path, prefix=f".{file.name}.", delete=False) as draft:
            written = Path(draft.name)
            try:
                draft.write(raw)
            except BaseException:
                written.unlink()
                raise
        written.replace(file)

    def _file(self, name: str) -> Path:
        return self._path / f"{name}.json"
