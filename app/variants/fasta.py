"""Read FASTA text, plain, gzip or BGZF, as headers and clean blocks of bases, whatever the length of its lines.

Letters are upper-cased; IUPAC ambiguity codes become N (https://iubmb.qmul.ac.uk/misc/naseq.html).
"""

from __future__ import annotations

import gzip
import hashlib
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedIOBase, BufferedReader
from pathlib import Path

from app.errors import BadFile, quoted

_BLOCK = 1 << 20
_MEND = "Give a FASTA file of DNA sequences"
_MAX_HEADER = 1 << 16
_AMBIGUOUS = b"RYSWKMBDHV"
_SPACE = b"\r\n\t "
_LEGAL = b"ACGTN" + _AMBIGUOUS + b"acgtn" + _AMBIGUOUS.lower() + _SPACE
_CLEAN = bytes.maketrans(
    b"acgtn" + _AMBIGUOUS + _AMBIGUOUS.lower(),
    b"ACGTN" + b"N" * 2 * len(_AMBIGUOUS),
)
# The empty block that ends every complete BGZF file (SAM specification 4.1.2).
_BGZF_END = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")


@dataclass(frozen=True, slots=True)
class Header:
    """The start of a sequence: the first word after ``>`` and the line that it stands on."""

    name: str
    line_1based: int


@contextmanager
def open_regular(path: Path) -> Iterator[BufferedReader]:
    """Open a file for reading; raises BadFile for anything but a regular file."""
    if not path.is_file():
        raise BadFile(path.name, "it does not exist or is no regular file", mend="Give the path of a FASTA file")
    with path.open("rb") as raw:
        yield raw


def sha256_of(raw: BufferedReader) -> str:
    """Return the checksum of a whole file and go back to its start."""
    raw.seek(0)
    digest = hashlib.file_digest(raw, "sha256").hexdigest()
    raw.seek(0)
    return digest


def read_fasta(raw: BufferedReader, source: str) -> Iterator[Header | bytes]:
    """Yield each header and then its bases in blocks of ACGTN, decompressing where needed.

    Raises BadFile, naming ``source`` and the line, for text that is no FASTA and for damaged compression.
    """
    try:
        yield from _split(decompressed(raw, source), source)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        problem = f"its compression is damaged or cut off ({error})"
        raise BadFile(source, problem, mend="Copy or download the file again") from error


def decompressed(raw: BufferedReader, source: str) -> BufferedIOBase:
    """Return the content of a file from its start, plain or unpacked; raises BadFile for BGZF that is cut off."""
    raw.seek(0)
    start = raw.read(16)
    if start[:2] == b"\x1f\x8b":
        if start[3:4] == b"\x04" and start[12:14] == b"BC":
            raw.seek(max(0, raw.seek(0, 2) - len(_BGZF_END)))
            if raw.read() != _BGZF_END:
                raise BadFile(source, "it is cut off: the BGZF end is missing", mend="Copy or download the file again")
        raw.seek(0)
        return gzip.GzipFile(fileobj=raw, mode="rb")
    raw.seek(0)
    return raw


def _split(stream: BufferedIOBase, source: str) -> Iterator[Header | bytes]:
    line, pending, line_start, in_sequence = 1, b"", True, False
    while block := stream.read(_BLOCK):
        data, pending, at = pending + block, b"", 0
        while at < len(data):
            if line_start and data.startswith(b">", at):
                stop = data.find(b"\n", at)
                if stop < 0:
                    pending = data[at:]
                    break
                yield _header(data[at:stop], line, source)
                line, at, in_sequence = line + 1, stop + 1, True
                continue
            stop = data.find(b"\n>", at) + 1 or len(data)
            bases = _bases(data[at:stop], line, source)
            if bases and not in_sequence:
                raise BadFile(source, "bases before the first '>' line", line_1based=line, mend=_MEND)
            if bases:
                yield bases
            line, line_start, at = line + data.count(b"\n", at, stop), data.endswith(b"\n", at, stop), stop
        if len(pending) > _MAX_HEADER:
            raise BadFile(source, "the header is longer than 64 KiB", line_1based=line)
    if pending:
        yield _header(pending, line, source)


def _header(text: bytes, line: int, source: str) -> Header:
    words = text[1:].decode("ascii", "replace").split(maxsplit=1)
    if not words:
        raise BadFile(source, "the header names no sequence", line_1based=line, mend=_MEND)
    return Header(words[0], line)


def _bases(text: bytes, line: int, source: str) -> bytes:
    if wrong := text.translate(None, _LEGAL):
        letter = wrong[:1]
        line += text.count(b"\n", 0, text.index(letter))
        shown = quoted(repr(letter.decode("latin-1")))
        raise BadFile(source, f"{shown} is no letter of a DNA sequence", line_1based=line, mend=_MEND)
    return text.translate(_CLEAN, _SPACE)
