"""Input files as this machine has them: regular files and standard input, hashed and capped.

Names never reach a library, which could take them for a URL. A file is opened once; every reader reads that same open
file, whatever its name points at meanwhile.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
import stat
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Literal, cast

from app.config import Settings
from app.errors import BadFile, LimitExceeded, NotFound, quoted

STDIN: Literal["-"] = "-"
"""The path that stands for standard input."""

_URL_LIKE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:")
_CHUNK = 1 << 20


class Source:
    """An open input file: ``name`` for messages and reports, ``sha256`` of the stored bytes, ``size`` in bytes."""

    def __init__(self, descriptor: int, name: str, sha256: str) -> None:
        self.name = name
        self.sha256 = sha256
        self._descriptor = descriptor
        self._state = _state_of(descriptor)
        self.size = self._state[0]
        self.compressed = os.pread(descriptor, 2, 0) == b"\x1f\x8b"

    def open(self, told: Callable[[int], None] = lambda _: None) -> BinaryIO:
        """Return a new reader that begins at the first byte; readers do not disturb each other.

        ``told`` hears how many bytes are read, as they are.
        """
        return cast("BinaryIO", io.BufferedReader(_Reader(self._descriptor, told), _CHUNK))

    def check_unchanged(self) -> None:
        """Raise BadFile when the file was written to since it was hashed; ask before committing what was read."""
        if _state_of(self._descriptor) != self._state:
            raise BadFile(self.name, "the file changed while it was read", mend="Start again when it is complete")


class _Reader(io.RawIOBase):
    """Read a descriptor from its start, with a position of its own."""

    def __init__(self, descriptor: int, told: Callable[[int], None]) -> None:
        super().__init__()
        self._descriptor = descriptor
        self._told = told
        self._at = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview | bytearray) -> int:  # type: ignore[override]
        data = os.pread(self._descriptor, len(buffer), self._at)
        buffer[: len(data)] = data
        self._at += len(data)
        self._told(self._at)
        return len(data)


@contextmanager
def open_source(path: Path | Literal["-"] | Source | None, settings: Settings) -> Iterator[Source]:
    """Open a regular file, or standard input for ``-`` or None, and hash it; what is open already stays so.

    Standard input is copied to an unnamed temporary file in OPERON_HOME, which vanishes with the process.

    Raises:
        NotFound: there is no such file.
        BadFile: the path is a folder, a device, or looks like a URL, or may not be read.
        LimitExceeded: the file is larger than OPERON_VCF_MAX_BYTES.
    """
    if isinstance(path, Source):
        yield path
        return
    if path is None or path == STDIN:
        settings.home.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=settings.home) as spool:
            digest = _spool(sys.stdin.buffer, cast("BinaryIO", spool), settings)
            yield Source(spool.fileno(), "standard input", digest)
        return
    descriptor = open_regular(Path(path))
    try:
        name = Path(path).name
        if _state_of(descriptor)[0] > settings.vcf_max_bytes:
            _refuse_size(name, settings)
        with os.fdopen(os.dup(descriptor), "rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
        yield Source(descriptor, name, digest)
    finally:
        os.close(descriptor)


def open_regular(path: Path) -> int:
    """Return a descriptor of a regular file, symbolic links followed; raises NotFound or BadFile."""
    name = path.name or str(path)
    if _URL_LIKE.match(str(path)) or "##idx##" in str(path) or "\0" in str(path):
        raise BadFile(quoted(path), "only files of this machine are read", mend="Download it and give its path")
    try:
        # Opening a pipe without a writer would wait for one.
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError:
        raise NotFound(f"{quoted(name)}: there is no such file") from None
    except OSError as error:
        raise BadFile(name, f"it cannot be opened ({error.strerror})", mend="Check the path and its rights") from None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise BadFile(name, "it is no regular file", mend="Give the path of a file, or - for standard input")
    return descriptor


def _spool(stream: BinaryIO, spool: BinaryIO, settings: Settings) -> str:
    digest = hashlib.sha256()
    size = 0
    while chunk := stream.read(_CHUNK):
        size += len(chunk)
        if size > settings.vcf_max_bytes:
            _refuse_size("standard input", settings)
        digest.update(chunk)
        spool.write(chunk)
    spool.flush()
    return digest.hexdigest()


def _refuse_size(name: str, settings: Settings) -> None:
    raise LimitExceeded(
        name,
        f"the file is larger than {settings.vcf_max_bytes:,} bytes",
        mend="Raise OPERON_VCF_MAX_BYTES if it is meant",
    )


def _state_of(descriptor: int) -> tuple[int, int]:
    state = os.fstat(descriptor)
    return state.st_size, state.st_mtime_ns
