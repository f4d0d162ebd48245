"""Genes, MANE transcripts and proteins of RefSeq's GFF3 files, read line by line.

Format: https://github.com/The-Sequence-Ontology/Specifications/blob/master/gff3.md, attributes as in
https://www.ncbi.nlm.nih.gov/datasets/docs/v2/reference-docs/file-formats/annotation-files/about-ncbi-gff3/. Positions
are one-based, inclusive there; what is yielded is zero-based, half-open.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from io import BufferedReader
from typing import Final, NoReturn
from urllib.parse import unquote

from app.errors import BadFile, UnknownRefSeq, quoted
from app.records import Build
from app.variants.accessions import accession, assembly_of, length, locate
from app.variants.text_lines import read_lines
from app.variants.transcripts import MANE_PLUS_CLINICAL, MANE_SELECT

_MEND: Final = "Give RefSeq's GFF3 file of GRCh37 or GRCh38, whose sequences bear accessions such as NC_000017.11"
_COLUMNS: Final = 9
_GENES: Final = (b"gene", b"pseudogene")
_TRANSCRIPTS: Final = (b"mRNA", b"transcript")
_READ: Final = frozenset((*_GENES, *_TRANSCRIPTS, b"CDS"))
_ASSEMBLY: Final = b"#!genome-build "
_HGNC = re.compile(r"(?:HGNC:)+([0-9]{1,7})")


@dataclass(frozen=True, slots=True)
class GenePlace:
    """A gene at [start, end) of a chromosome, and what else it is called."""

    contig: int
    start: int
    end: int
    symbol: str
    hgnc: str | None
    synonyms: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TaggedTranscript:
    """A transcript that bears a tag of the MANE project."""

    accession: str
    mane: str


@dataclass(frozen=True, slots=True)
class ProteinProduct:
    """A protein, its name, and the transcript that encodes it; mitochondrial ones have no transcript of their own."""

    accession: str
    name: str | None
    transcript: str | None


class GeneFeatures:
    """Reads one file; ``build`` is known when all rows were taken."""

    def __init__(self, raw: BufferedReader, source: str) -> None:
        self._raw = raw
        self._source = source
        self._line_1based = 0
        self._sequence: bytes | None = None
        self._contig: int | None = None
        self._others: list[str] = []
        self._assembly: str | None = None
        self._transcripts: dict[str, str] = {}
        self._coding: str | None = None
        self._build: Build | None = None

    @property
    def build(self) -> Build:
        """Return the build whose chromosomes the file names; raises BadFile if there is none."""
        if self._build is None:
            shown = f" but {', '.join(self._others[:3])}" if self._others else ""
            told = f"; it says that it is of {quoted(self._assembly)}" if self._assembly else ""
            problem = f"it holds no chromosome of GRCh37 or GRCh38{shown}{told}"
            raise BadFile(self._source, problem, mend=_MEND)
        return self._build

    def rows(self) -> Iterator[GenePlace | TaggedTranscript | ProteinProduct]:
        """Yield what lies on primary chromosomes; raises BadFile for another assembly and for text that is no GFF3."""
        for line_1based, line in read_lines(self._raw, self._source):
            self._line_1based = line_1based
            if line.startswith(b"#"):
                if line.startswith(_ASSEMBLY):
                    self._assembly = line.removeprefix(_ASSEMBLY).decode("utf-8", "replace").strip()
                if line.startswith(b"##FASTA"):
                    break
                continue
            if not line.strip():
                continue
            columns = line.count(b"\t") + 1
            if columns != _COLUMNS:
                self._fail(f"it has {columns} columns, not {_COLUMNS}")
            sequence, _, kind, rest = line.split(b"\t", 3)
            if sequence != self._sequence:
                self._enter(sequence)
            if self._contig is not None and kind in _READ:
                yield from self._row(self._contig, kind, rest)

    def _enter(self, sequence: bytes) -> None:
        """Take note of the sequence that the following rows are on."""
        self._sequence, self._contig = sequence, None
        name = self._text(sequence, "column 1")
        try:
            contig, builds = locate(name)
        except UnknownRefSeq:
            other = assembly_of(ref_seq=name) if name.startswith("NC_") else None
            if other is not None:
                self._fail(f"it is a chromosome of {other}, which Operon does not use", name)
            self._others.append(name)
            return
        if len(builds) == 1:
            (build,) = builds
            if self._build not in (None, build):
                self._fail(f"it is a chromosome of {build}, but those before it are of {self._build}", name)
            self._build = build
        self._contig = contig

    def _row(self, contig: int, kind: bytes, rest: bytes) -> Iterator[GenePlace | TaggedTranscript | ProteinProduct]:
        start, end, _, _, _, tail = rest.split(b"\t")
        text = self._text(tail, "column 9")
        if kind == b"CDS":
            yield from self._protein(text)
        elif kind in _TRANSCRIPTS:
            yield from self._transcript(self._attributes(text))
        else:
            yield self._gene(contig, start, end, self._attributes(text))

    def _gene(self, contig: int, first: bytes, last: bytes, attributes: dict[str, str]) -> GenePlace:
        symbol = _one(attributes, "gene") or _one(attributes, "Name")
        if not symbol:
            self._fail("the row of a gene does not name it", "column 9")
        bases = length(self._build or Build.GRCH38, contig)
        if not (first.isdigit() and last.isdigit() and 1 <= int(first) <= int(last) <= bases):
            place = f"{quoted(first.decode('latin-1'))} to {quoted(last.decode('latin-1'))}"
            on = accession(self._build or Build.GRCH38, contig)
            self._fail(f"{place} is no range of {on}, which has {bases:,} bases", "columns 4 and 5")
        identifiers = (_HGNC.fullmatch(item) for item in _all(attributes, "Dbxref"))
        hgnc = next((f"HGNC:{match[1]}" for match in identifiers if match), None)
        synonyms = tuple(_all(attributes, "gene_synonym"))
        return GenePlace(contig, int(first) - 1, int(last), symbol, hgnc, synonyms)

    def _transcript(self, attributes: dict[str, str]) -> Iterator[TaggedTranscript]:
        name, key = _one(attributes, "transcript_id"), attributes.get("ID")
        if not name:
            return
        if key:
            self._transcripts[key] = name
        tags = _all(attributes, "tag")
        mane = next((tag for tag in (MANE_SELECT, MANE_PLUS_CLINICAL) if tag in tags), None)
        if mane is not None:
            yield TaggedTranscript(name, mane)

    def _protein(self, text: str) -> Iterator[ProteinProduct]:
        # One row for each exon, one after the other, and all say the same.
        key = text.partition(";")[0]
        if key == self._coding:
            return
        self._coding = key
        attributes = self._attributes(text)
        name = _one(attributes, "protein_id")
        if name:
            transcript = self._transcripts.get(attributes.get("Parent", ""))
            yield ProteinProduct(name, _one(attributes, "product"), transcript)

    def _attributes(self, text: str) -> dict[str, str]:
        found = {}
        for piece in text.split(";"):
            if not piece.strip():
                continue
            name, equals, value = piece.partition("=")
            if not equals:
                self._fail(f"'{quoted(piece)}' is no attribute of the form name=value", "column 9")
            found[name.strip()] = value
        return found

    def _text(self, value: bytes, field: str) -> str:
        try:
            return value.decode("utf-8")
        except UnicodeDecodeError:
            self._fail("it is no UTF-8 text", field)

    def _fail(self, problem: str, field: str | None = None) -> NoReturn:
        raise BadFile(self._source, problem, line_1based=self._line_1based, field=field, mend=_MEND)


def _all(attributes: dict[str, str], name: str) -> list[str]:
    """Return the values of an attribute; commas separate them, those inside one are escaped."""
    return [unquote(value).strip() for value in attributes.get(name, "").split(",") if value.strip()]


def _one(attributes: dict[str, str], name: str) -> str | None:
    """Return an attribute that has one value, None if it is missing or empty."""
    return unquote(attributes.get(name, "")).strip() or None
