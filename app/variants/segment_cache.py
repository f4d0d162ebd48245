"""Keep the parsed form of a chain file in one ``.npz`` beside it, so that a start need not parse the text again.

The file names the SHA-256 of the chain file that it was made from; a parsed form that belongs to another file, to
another version of this module, or that is damaged counts as absent.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from app.variants.segments import Segments

_VERSION = 1
_COLUMNS = ("bounds", "base", "sign", "status")


def packed(sha256: str, segments: Mapping[int, Segments]) -> bytes:
    """Return the bytes of the parsed form of the chain file with this checksum."""
    maps = list(segments.values())
    buffer = io.BytesIO()
    np.savez(
        buffer,
        version=np.int64(_VERSION),
        sha256=np.frombuffer(bytes.fromhex(sha256), dtype=np.uint8),
        contigs=np.array(list(segments), dtype=np.int64),
        sizes=np.array([len(one.bounds) for one in maps], dtype=np.int64),
        bounds=np.concatenate([one.bounds for one in maps]),
        base=np.concatenate([one.base for one in maps]),
        sign=np.concatenate([one.sign for one in maps]).astype(np.int8),
        status=np.concatenate([one.status for one in maps]),
    )
    return buffer.getvalue()


def unpacked(path: Path, sha256: str) -> dict[int, Segments] | None:
    """Return the parsed form of the chain file with this checksum, or None when ``path`` does not hold it."""
    try:
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as saved:
            if int(saved["version"]) != _VERSION or saved["sha256"].tobytes() != bytes.fromhex(sha256):
                return None
            stops = np.cumsum(saved["sizes"])
            columns = [saved[name] for name in _COLUMNS]
            if any(len(column) != stops[-1] for column in columns):
                return None
            pieces = zip(*(np.split(column, stops[:-1]) for column in columns), strict=True)
            return {
                int(contig): Segments(bounds, base, sign.astype(np.int64), status)
                for contig, (bounds, base, sign, status) in zip(saved["contigs"], pieces, strict=True)
            }
    except (OSError, ValueError, KeyError, IndexError, EOFError, zipfile.BadZipFile):
        return None
