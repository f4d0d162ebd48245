"""The lines of a text file that may be compressed, one at a time, with their numbers for messages."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from io import BufferedReader

from app.errors import BadFile
from app.variants.fasta import decompressed

_LONGEST = 1 << 20
_MEND = "Copy or download the file again"


def read_lines(raw: BufferedReader, source: str) -> Iterator[tuple[int, bytes]]:
    """Yield each line, without its end, and its number from 1; the file may be plain, gzip or BGZF.

    Raises BadFile, naming ``source``, for damaged compression and for a line that no table has.
    """
    try:
        stream = decompressed(raw, source)
        number_1based = 0
        while line := stream.readline(_LONGEST):
            number_1based += 1
            if len(line) == _LONGEST:
                raise BadFile(source, "the line is longer than 1 MiB", line_1based=number_1based)
            yield number_1based, line.rstrip(b"\r\n")
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise BadFile(source, f"its compression is damaged or cut off ({error})", mend=_MEND) from error
