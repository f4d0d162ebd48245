"""Reference sequence: whole chromosomes, windows of them, or none, behind one interface.

All positions are zero-based, half-open. A base is known if it is loaded and A, C, G or T. ``FastaReference`` reads what
``add_fasta`` took in: whole chromosomes and windows as plain FASTA with one line a record and its samtools index
(http://www.htslib.org/doc/faidx.html), listed in ``index.json``. Files are only ever added, never changed, so a running
server keeps reading what it opened.

>>> InMemoryReference({"NC_000017.10": [(41243854, "AAAG")]}).fetch("NC_000017.10", 41243854, 41243857)
'AAA'
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import tempfile
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from io import FileIO
from pathlib import Path
from types import MappingProxyType
from typing import Protocol, Self

import pysam

from app.errors import BadFile, CannotNormalize, Misconfigured, UnknownRefSeq
from app.records import Build
from app.variants import accessions
from app.variants.fasta import Header, open_regular, read_fasta, sha256_of
from app.variants.known_slices import Slice, SliceCheck
from app.variants.layers import BULK_REACH, Layers, Piece, compare

_INDEX = "index.json"
_FORMAT = 1
_NAMED_WINDOW = re.compile(r"(.+):([0-9]{1,10})-([0-9]{1,10})")
_CHROMOSOME_ACCESSION = re.compile(r"NC_0000[0-9]{2}\.[0-9]+")
_UCSC_MITOCHONDRION = 16_571
"""Length of chrM in the UCSC file of hg19, which is another sequence than NC_012920.1."""


class ReferenceSequence(Protocol):
    """What the rest of the program asks of a reference."""

    def fetch(self, ref_seq: str, start: int, end: int) -> str | None:
        """Return the bases of [start, end), or None if any of them is not known."""

    def window(self, ref_seq: str, position: int, reach: int = BULK_REACH) -> tuple[int, str] | None:
        """Return (start, bases) of a known stretch around the base at ``position``, or None if that is not known.

        It extends at least ``reach`` bases to both sides unless the known bases end earlier; with the default reach it
        may be up to 1 Mb long on either side. The end of a chromosome counts as its last base.
        """

    def is_whole(self, ref_seq: str) -> bool:
        """Return whether all of a sequence is loaded, so that an unknown base is a gap of the assembly."""

    def stretches(self, ref_seq: str) -> Sequence[tuple[int, int]]:
        """Return the intervals of a sequence that are loaded, in order; only a whole sequence may have gaps in one."""


class NoReference:
    """A reference of which nothing is loaded."""

    def fetch(self, ref_seq: str, start: int, end: int) -> str | None:
        """Return None, whatever is asked for."""
        return None

    def window(self, ref_seq: str, position: int, reach: int = BULK_REACH) -> tuple[int, str] | None:
        """Return None, whatever is asked for."""
        return None

    def is_whole(self, ref_seq: str) -> bool:
        """Return False, whatever is asked for."""
        return False

    def stretches(self, ref_seq: str) -> Sequence[tuple[int, int]]:
        """Return nothing, whatever is asked for."""
        return ()


def require_bases(
    references: Mapping[Build, ReferenceSequence], ref_seq: str, start: int, end: int, *, text: str
) -> str:
    """Return the bases of [start, end) from whichever build holds the sequence.

    Raises CannotNormalize, quoting ``text``, if one of them is not known.
    """
    for build in sorted(accessions.locate(ref_seq)[1], reverse=True):
        bases = references[build].fetch(ref_seq, start, end) if build in references else None
        if bases is not None:
            return bases
    raise CannotNormalize(text, f"it needs the sequence of {ref_seq} at [{start}, {end}), which is not loaded")


class InMemoryReference(Layers):
    """Stretches of sequence held as strings, for tests and small tools; raises ValueError if they contradict."""

    def __init__(self, windows: Mapping[str, Sequence[tuple[int, str]]]) -> None:
        super().__init__()
        for ref_seq, stretches in windows.items():
            for start, bases in stretches:
                piece = Piece(start, start + len(bases), _reader(bases, start), "memory")
                if start == 0 and len(bases) == accessions.sequence_length(ref_seq):
                    self.add_whole(ref_seq, piece)
                else:
                    self._take(ref_seq, piece)
        self.seal()

    def _take(self, ref_seq: str, piece: Piece) -> None:
        bases = piece.read(piece.start, piece.end).encode()
        conflict, fresh = compare(bases, self.known(ref_seq, piece.start, piece.end).encode())
        if conflict is not None:
            raise ValueError(f"two stretches of {ref_seq} differ at {piece.start + conflict}")
        for low, high in fresh:
            self.add_piece(ref_seq, Piece(piece.start + low, piece.start + high, piece.read, piece.source))


def _reader(bases: str, start: int) -> Callable[[int, int], str]:
    return lambda low, high: bases[low - start : high - start]


@dataclass(frozen=True, slots=True)
class ReferenceSource:
    """A file that was taken in: what it was called, its checksum, its known bases, and those that were new."""

    name: str
    sha256: str
    bases: int
    new_bases: int
    windows: str | None
    wholes: str | None


@dataclass(frozen=True, slots=True)
class ReferenceReport:
    """What ``add_fasta`` did: ``skipped`` names the sequences that are no primary chromosome."""

    source: ReferenceSource
    build: Build
    sequences: int
    skipped: tuple[str, ...]
    already_there: bool


class _IndexedFasta:
    """One FASTA file that this module wrote, each record on one line; several threads may read it.

    With the offsets of the index a stretch is one ``pread``: ten times as fast as fetching it from BGZF, which would be
    most of the work of an ingest that walks both builds of a whole genome.
    """

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        weakref.finalize(self, os.close, self._file)
        self._records = [line.split("\t") for line in path.with_name(f"{path.name}.fai").read_text().splitlines()]

    def pieces(self, source: str) -> Iterator[tuple[str, Piece]]:
        """Yield the accession and the place of every record."""
        for name, bases, offset, *_ in self._records:
            ref_seq, start, _ = parse_window(name) or (name, 0, 0)
            end = start + int(bases)
            yield ref_seq, Piece(start, end, self._reader(int(offset) - start, end), source)

    def _reader(self, offset: int, end: int) -> Callable[[int, int], str]:
        def read(low: int, high: int) -> str:
            return os.pread(self._file, max(0, min(high, end) - low), offset + low).decode("ascii")

        return read


class FastaReference(Layers):
    """The sequence files of one build, as ``add_fasta`` left them in a folder; an absent folder has none.

    Raises Misconfigured if the folder is damaged.
    """

    def __init__(self, directory: Path) -> None:
        super().__init__()
        self.build: Build | None = None
        self.sources: tuple[ReferenceSource, ...] = ()
        if not (directory / _INDEX).exists():
            return
        try:
            self._open(directory)
        except (OSError, ValueError, KeyError, TypeError, UnknownRefSeq) as error:
            raise _damaged(directory, error) from error

    def _open(self, directory: Path) -> None:
        index = json.loads((directory / _INDEX).read_text("utf-8"))
        if index["format"] != _FORMAT:
            raise ValueError(f"format {index['format']} is not known")
        self.build = Build(index["build"])
        self.sources = tuple(ReferenceSource(**source) for source in index["sources"])
        for source in self.sources:
            if source.wholes:
                for ref_seq, piece in _IndexedFasta(directory / source.wholes).pieces(source.name):
                    self.add_whole(ref_seq, piece)
            if source.windows:
                for ref_seq, piece in _IndexedFasta(directory / source.windows).pieces(source.name):
                    self.add_piece(ref_seq, piece)
        self.seal()


def _damaged(directory: Path, error: Exception) -> Misconfigured:
    return Misconfigured(f"The reference folder {directory} is damaged ({error}); remove it and add its files again")


def add_fasta(
    directory: Path, build: Build, path: Path, *, slices: Mapping[str, Slice] = MappingProxyType({})
) -> ReferenceReport:
    """Copy the primary chromosomes and windows of a FASTA file into a build's folder, all or nothing.

    Whole chromosomes must agree with ``slices``, given by accession.

    Headers are ``NC_000017.11``, ``17`` or ``chr17`` for a whole chromosome, the same with ``:start-end`` (one-based,
    inclusive) for a window. Raises BadFile, and changes nothing, for a file that is damaged, of the other build or
    contradicts a base that is already known; Misconfigured if the folder holds the other build.
    """
    directory.mkdir(parents=True, exist_ok=True)
    with open_regular(path) as raw, _locked(directory):
        digest = sha256_of(raw)
        store = FastaReference(directory)
        if store.build not in (None, build):
            raise Misconfigured(f"{directory} holds sequences of {store.build}, not of {build}")
        for source in store.sources:
            if source.sha256 == digest:
                return ReferenceReport(source, build, 0, (), already_there=True)
        with tempfile.TemporaryDirectory(prefix=".adding-", dir=directory) as staging:
            with _Intake(build, path.name, store, Path(staging), digest[:16], slices=slices) as intake:
                for item in read_fasta(raw, path.name):
                    if isinstance(item, Header):
                        intake.begin(item)
                    else:
                        intake.take(item)
                intake.end()
            source = ReferenceSource(path.name, digest, intake.bases, intake.new_bases, *intake.publish(directory))
            _write_index(directory, Path(staging), build, (*store.sources, source))
    return ReferenceReport(source, build, intake.sequences, tuple(intake.skipped), already_there=False)


@contextmanager
def _locked(directory: Path) -> Iterator[None]:
    """Let one process at a time add to a folder."""
    with (directory / ".lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _write_index(directory: Path, staging: Path, build: Build, sources: Sequence[ReferenceSource]) -> None:
    index = {"format": _FORMAT, "build": build, "sources": [asdict(source) for source in sources]}
    draft = staging / _INDEX
    draft.write_text(json.dumps(index, indent=1) + "\n", "utf-8")
    draft.replace(directory / _INDEX)


def parse_window(name: str) -> tuple[str, int, int] | None:
    """Return the sequence and [start, end) that a header such as ``NC_000017.11:1-200`` names."""
    match = _NAMED_WINDOW.fullmatch(name)
    return (match[1], int(match[2]) - 1, int(match[3])) if match else None


@dataclass(slots=True)
class _Record:
    """The sequence that is being read: it is to cover [start, end) and has come to ``at``."""

    header: Header
    contig: int
    ref_seq: str
    start: int
    end: int
    at: int
    held: bytearray | None = None
    check: SliceCheck | None = None


class _Intake:
    """Checks the records of one file against what is known, and writes what they add into a staging folder."""

    def __init__(
        self, build: Build, name: str, store: Layers, staging: Path, stem: str, *, slices: Mapping[str, Slice]
    ) -> None:
        self._slices = slices
        self.bases = self.new_bases = self.sequences = 0
        self.skipped: list[str] = []
        self._build, self._name, self._store = build, name, store
        self._windows_path = staging / f"windows-{stem}.fa"
        self._wholes_path = staging / f"wholes-{stem}.fa"
        self._windows: FileIO = self._windows_path.open("w+b", buffering=0)
        self._wholes = self._wholes_path.open("wb")
        self._new_wholes: set[str] = set()
        self._record: _Record | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._windows.close()
        self._wholes.close()

    def begin(self, header: Header) -> None:
        """Finish the sequence before, if any, and start the one that ``header`` names."""
        self.end()
        place = parse_window(header.name)
        name = place[0] if place else header.name
        contig = accessions.contig_named(name, self._build)
        if contig is None:
            if _CHROMOSOME_ACCESSION.fullmatch(name.upper()):
                raise self._bad(header, f"it is no sequence of {self._build}")
            self.skipped.append(header.name)
            return
        ref_seq, bases = accessions.accession(self._build, contig), accessions.length(self._build, contig)
        start, end = place[1:] if place else (0, bases)
        if not 0 <= start < end <= bases:
            raise self._bad(header, f"the range is not within 1-{bases}")
        if ref_seq in self._new_wholes:
            raise self._bad(header, "the file holds this chromosome more than once")
        self._record = _Record(header, contig, ref_seq, start, end, start)
        if contig == accessions.MT and place is None and name.upper() != ref_seq:
            self._record.held = bytearray()
        if (start, end) == (0, bases) and ref_seq in self._slices:
            self._record.check = SliceCheck(self._slices[ref_seq])
        if (start, end) == (0, bases) and not self._store.is_whole(ref_seq):
            self._new_wholes.add(ref_seq)

    def take(self, block: bytes) -> None:
        """Check and write the next bases of the sequence."""
        record = self._record
        if record is None:
            return
        if record.held is not None:
            record.held += block
            if len(record.held) > _UCSC_MITOCHONDRION:
                raise self._bad_length(record)
            return
        if record.at + len(block) > record.end:
            raise self._bad_length(record)
        if record.check is not None and (problem := record.check.take(record.at, block)):
            raise self._bad(record.header, problem)
        known = self._store.known(record.ref_seq, record.at, record.at + len(block))
        conflict, fresh = compare(block, known.encode())
        if conflict is not None:
            raise self._contradiction(record, record.at + conflict, block[conflict : conflict + 1].decode())
        if record.ref_seq in self._new_wholes:
            self._wholes.write(b"" if record.at else f">{record.ref_seq}\n".encode())
            self._wholes.write(block)
        else:
            for low, high in fresh:
                self._write_piece(record.ref_seq, record.at + low, block[low:high])
        record.at += len(block)
        self.bases += len(block) - block.count(b"N")
        self.new_bases += sum(high - low for low, high in fresh)

    def end(self) -> None:
        """Finish the sequence that is being read."""
        record = self._record
        if record is None:
            return
        if record.held is not None:
            if len(record.held) == _UCSC_MITOCHONDRION:
                self._new_wholes.discard(record.ref_seq)
                self.skipped.append(record.header.name)
                self._record = None
                return
            held, record.held = bytes(record.held), None
            if held:
                self.take(held)
        if record.at != record.end:
            raise self._bad_length(record)
        if record.ref_seq in self._new_wholes:
            self._wholes.write(b"\n")
        self.sequences += 1
        self._record = None

    def publish(self, directory: Path) -> tuple[str | None, str | None]:
        """Index the written files, move them to their place and return the names of the windows and the wholes."""
        if not self.sequences:
            raise BadFile(
                self._name,
                f"it holds no chromosome of {self._build}, whole or as a window",
                mend="Headers must start with a name such as NC_000017.11, chr17 or NC_000017.11:1-200",
            )
        names = []
        for path, used in ((self._windows_path, self._windows_used()), (self._wholes_path, bool(self._new_wholes))):
            names.append(path.name if used else None)
            if used:
                pysam.faidx(str(path.absolute()))
                for part in path.parent.glob(f"{path.name}*"):
                    part.replace(directory / part.name)
        return names[0], names[1]

    def _windows_used(self) -> bool:
        return self._windows_path.stat().st_size > 0

    def _write_piece(self, ref_seq: str, start: int, bases: bytes) -> None:
        end = start + len(bases)
        self._windows.write(f">{ref_seq}:{start + 1}-{end}\n".encode())
        file, offset = self._windows.fileno(), self._windows.tell()
        self._windows.write(bases + b"\n")

        def read(low: int, high: int) -> str:
            return os.pread(file, high - low, offset + low - start).decode()

        self._store.add_piece(ref_seq, Piece(start, end, read, self._name))

    def _bad(self, header: Header, problem: str) -> BadFile:
        mend = f"Give a complete FASTA file of {self._build}"
        return BadFile(self._name, problem, line_1based=header.line_1based, field=header.name, mend=mend)

    def _bad_length(self, record: _Record) -> BadFile:
        expected = record.end - record.start
        return self._bad(record.header, f"its length is not the {expected} bases that the range or {self._build} says")

    def _contradiction(self, record: _Record, position: int, base: str) -> BadFile:
        owner = self._store.owner(record.ref_seq, position)
        other = "an earlier sequence of the same file" if owner == self._name else owner
        known = self._store.known(record.ref_seq, position, position + 1)
        return BadFile(
            self._name,
            f"base {position + 1} of {record.ref_seq} is {base} here, but {known} in {other}",
            line_1based=record.header.line_1based,
            field=record.header.name,
            mend=f"Find out which of the two is not {self._build}, and add only the other",
        )
