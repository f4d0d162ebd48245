r"""The text of a chain file before anything parses it: unpacked, its headers read, its direction proved.

Format: https://genome.ucsc.edu/goldenPath/help/chain.html. A chain leads from the first sequence of its header (the
source) to the second (the target); both are named with their sizes, and these sizes tell the builds apart.

>>> headers(b"chain 1 1 249250621 + 0 5 1 248956422 + 10 15 1\n5\n", "a.chain")[0].source_size
249250621
"""

from __future__ import annotations

import gzip
import io
import itertools
import re
import zlib
from dataclasses import dataclass

from app.errors import BadFile
from app.records import Build
from app.variants.accessions import MT, contig_named, length

GZIP_MAGIC = b"\x1f\x8b"
MEND = "Fetch the file again"

_LARGEST_TEXT = 256 * 2**20
_HEADER = re.compile(rb"^chain\b.*$", re.MULTILINE)
_STRAY = re.compile(rb"^(?!#|chain\b).*\S.*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Header:
    """The names and sizes on one chain's first line, and the text of the whole chain."""

    line_1based: int
    source_name: str
    source_size: int
    target_name: str
    target_size: int
    text: bytes


def unpacked(content: bytes, name: str) -> bytes:
    """Return the text of a chain file, gzipped or not; raise BadFile when it is truncated, damaged or too large."""
    if not content.startswith(GZIP_MAGIC):
        return content
    try:
        with gzip.open(io.BytesIO(content)) as stream:
            text = stream.read(_LARGEST_TEXT + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise BadFile(name, f"is a damaged or truncated gzip file ({error})", mend=MEND) from error
    if len(text) > _LARGEST_TEXT:
        raise BadFile(name, f"unpacks to more than {_LARGEST_TEXT >> 20} MiB, which no chain file does")
    return text


def headers(text: bytes, name: str) -> list[Header]:
    """Return every chain of a text; raise BadFile when there is none or a first line cannot be read."""
    starts = list(_HEADER.finditer(text))
    stray = _STRAY.search(text, 0, starts[0].start() if starts else len(text))
    if stray is not None:
        line_1based = text.count(b"\n", 0, stray.start()) + 1
        raise BadFile(name, "is not a chain file: it does not begin with a chain", line_1based=line_1based)
    if not starts:
        raise BadFile(name, "is empty: it holds no chain", mend=MEND)
    ends = [following.start() for following in starts[1:]] + [len(text)]
    line_1based, counted = 1, 0
    found = []
    for match, end in zip(starts, ends, strict=True):
        line_1based += text.count(b"\n", counted, match.start())
        counted = match.start()
        found.append(_header(match[0], text[match.start() : end], name, line_1based))
    return found


def _header(first_line: bytes, text: bytes, name: str, line_1based: int) -> Header:
    """Read a chain's first line; raise BadFile."""
    fields = first_line.decode("ascii", "replace").split()
    if len(fields) not in (12, 13) or not (fields[3].isdecimal() and fields[8].isdecimal()):
        raise BadFile(name, "is not the first line of a chain", line_1based=line_1based)
    return Header(line_1based, fields[2], int(fields[3]), fields[7], int(fields[8]), text)


def check_direction(chains: list[Header], name: str, source: Build, target: Build) -> None:
    """Raise BadFile, which tells the true direction, unless the sizes of the chromosomes are those of the builds."""
    wrong = _first_mismatch(chains, source, target)
    if wrong is None:
        return
    for true_source, true_target in itertools.permutations(Build):
        if _first_mismatch(chains, true_source, true_target) is None:
            problem = f"leads from {true_source} to {true_target}, not from {source} to {target}"
            raise BadFile(name, problem, mend=f"Add it with --from {true_source} --to {true_target}")
    route = f"{wrong.source_name} of {wrong.source_size} bases to {wrong.target_name} of {wrong.target_size} bases"
    problem = f"leads from {route}, which are no chromosomes of {source} and {target}"
    raise BadFile(name, problem, line_1based=wrong.line_1based)


def is_direction(chains: list[Header], source: Build, target: Build) -> bool:
    """Return whether the sizes of the chromosomes are those of the builds."""
    return _first_mismatch(chains, source, target) is None


def _first_mismatch(chains: list[Header], source: Build, target: Build) -> Header | None:
    """Return the first chain whose sizes deny these builds, or the first of all when no chain confirms them."""
    confirmed = False
    for chain in chains:
        start, goal = _nuclear(chain.source_name, source), _nuclear(chain.target_name, target)
        if start is None:
            continue
        if chain.source_size != length(source, start):
            return chain
        if goal is not None:
            if chain.target_size != length(target, goal):
                return chain
            confirmed = True
    return None if confirmed else chains[0]


def between_chromosomes(chains: list[Header], source: Build) -> dict[int, list[Header]]:
    """Return the chains that start from each nuclear chromosome, where it has several names those of the first."""
    chosen: dict[int, list[Header]] = {}
    for chain in chains:
        contig = _nuclear(chain.source_name, source)
        if contig is not None:
            named_alike = chosen.setdefault(contig, [])
            if not named_alike or named_alike[0].source_name == chain.source_name:
                named_alike.append(chain)
    return chosen


def _nuclear(name: str, build: Build) -> int | None:
    """Return the contig of a chromosome's name; None for other sequences and for the mitochondrial genome."""
    contig = contig_named(name, build)
    return None if contig == MT else contig
