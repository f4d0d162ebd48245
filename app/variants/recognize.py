"""What a reference file is, told from its content: which build a FASTA is of, which way a chain file leads.

Files of genes and transcripts are told by how they begin; what is in them is seen when they are added.

A name such as NC_000017.11 belongs to one assembly; names such as ``17`` or ``chr17`` do not, but the lengths of the
nuclear chromosomes do. A file of another assembly or another kind is refused with what it really is.
"""

from __future__ import annotations

import gzip
import zlib
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path

from app.errors import BadFile
from app.records import Build
from app.variants import accessions, chain_text, hgnc_names
from app.variants.accessions import MT, builds_with_length, contig_named, display
from app.variants.fasta import Header, open_regular, read_fasta
from app.variants.reference import parse_window

_ENOUGH = 1 << 16
_HG19_MITOCHONDRION = 16_571
_UTF8_MARK = b"\xef\xbb\xbf"
_NAME_IT = "Headers must start with a name such as NC_000017.11, chr17 or NC_000017.11:1-200"
_KINDS = (
    (b"##fileformat=VCF", "a VCF file", "Ingest it with 'operon ingest vcf'"),
    (b"BCF", "a BCF file", "Convert it to VCF and ingest that"),
    (b"BAM\x01", "a BAM file", "It holds reads, no reference"),
    (b"CRAM", "a CRAM file", "It holds reads, no reference"),
    (b"\x43\x27\x41\x1a", "a 2bit file", "Convert it to FASTA with twoBitToFa"),
    (b"\x1a\x41\x27\x43", "a 2bit file", "Convert it to FASTA with twoBitToFa"),
    (b"@HD", "a SAM file or a sequence dictionary", "Give the FASTA file itself"),
    (b"PK\x03\x04", "a zip archive", "Unpack it and give the file inside"),
)


@dataclass(frozen=True, slots=True)
class SequenceFile:
    """A FASTA file and the builds that its sequences may be of; ``undecided`` names one that may be of either."""

    builds: frozenset[Build]
    undecided: str | None = None


@dataclass(frozen=True, slots=True)
class ChainFile:
    """A chain file; ``has_ucsc_names`` tells whether its targets are named as UCSC does."""

    source: Build
    target: Build
    has_ucsc_names: bool


@dataclass(frozen=True, slots=True)
class TranscriptFile:
    """A JSON file, which can only be one of transcripts."""


@dataclass(frozen=True, slots=True)
class GeneFeatureFile:
    """A GFF3 file, which can only be one of genes."""


@dataclass(frozen=True, slots=True)
class GeneNameFile:
    """A table with the columns of HGNC's list of approved genes."""


def recognize(path: Path) -> SequenceFile | ChainFile | TranscriptFile | GeneFeatureFile | GeneNameFile:
    """Return what a reference file is; raises BadFile, saying what it is instead, for anything that cannot be added."""
    with open_regular(path) as raw:
        start = _start(raw, path.name).lstrip()
        for magic, kind, mend in _KINDS:
            if start.startswith(magic):
                raise BadFile(path.name, f"it is {kind}", mend=mend)
        if start.startswith(b"chain ") or (start.startswith(b"#") and b"\nchain " in start):
            raw.seek(0)
            return _chains(chain_text.unpacked(raw.read(), path.name), path.name)
        if start.startswith(b"{"):
            return TranscriptFile()
        if start.startswith(b"##gff-version"):
            return GeneFeatureFile()
        if start.removeprefix(_UTF8_MARK).startswith(hgnc_names.FIRST_COLUMNS):
            return GeneNameFile()
        if not start.startswith(b">"):
            problem = "it is no FASTA, chain, cdot or GFF3 file, nor HGNC's list of genes"
            raise BadFile(path.name, problem, mend="Give one of these, plain or gzip")
        return _sequence(raw, path.name)


def _start(raw: BufferedReader, name: str) -> bytes:
    head = raw.read(_ENOUGH)
    raw.seek(0)
    if not head.startswith(chain_text.GZIP_MAGIC):
        return head
    try:
        with gzip.GzipFile(fileobj=raw) as unpacked:
            return unpacked.read(_ENOUGH)
    except (OSError, EOFError, zlib.error) as error:
        problem = f"its compression is damaged or cut off ({error})"
        raise BadFile(name, problem, mend="Copy or download the file again") from error


def _chains(text: bytes, name: str) -> ChainFile:
    headers = chain_text.headers(text, name)
    for source in Build:
        if chain_text.is_direction(headers, source, source.other):
            ucsc = any(header.target_name.startswith("chr") for header in headers)
            return ChainFile(source, source.other, has_ucsc_names=ucsc)
    chain_text.check_direction(headers, name, Build.GRCH37, Build.GRCH38)
    raise AssertionError("unreachable: a direction that is none is refused")


def _sequence(raw: BufferedReader, name: str) -> SequenceFile:
    """Return the builds of a FASTA file, reading no further than it takes; the mitochondrial genome is of both."""
    found: Build | None = None
    pending: Header | None = None
    bases = 0
    ambiguous: list[str] = []
    others: list[str] = []
    has_mitochondrion = False
    items = read_fasta(raw, name)
    while found is None:
        item = next(items, None)
        if isinstance(item, bytes):
            bases += len(item)
            continue
        if pending is not None:  # a whole chromosome by a name that both builds have; its length is known now
            contig = contig_named(pending.name, Build.GRCH38)
            assert contig is not None  # noqa: S101 - only named chromosomes are pending
            found = _build_by_length(name, pending, contig, bases)
            has_mitochondrion |= contig == MT and found is None
        if item is None or found is not None:
            break
        pending, bases = None, 0
        place = parse_window(item.name)
        sequence = place[0] if place else item.name
        builds = [build for build in Build if contig_named(sequence, build) is not None]
        if len(builds) == 1:
            found = builds[0]
        elif len(builds) == 2 and contig_named(sequence, Build.GRCH38) == MT and place:
            has_mitochondrion = True
        elif len(builds) == 2 and place:
            ambiguous.append(item.name)
        elif len(builds) == 2:
            pending = item
        else:
            _refuse_accession(name, item, sequence)
            others.append(item.name)
    if found is not None:
        return SequenceFile(frozenset({found}))
    if ambiguous or has_mitochondrion:
        return SequenceFile(frozenset(Build), undecided=ambiguous[0] if ambiguous else None)
    shown = f" but {', '.join(others[:3])}" if others else ""
    raise BadFile(name, f"it holds no chromosome of GRCh37 or GRCh38{shown}", mend=_NAME_IT)


def _build_by_length(name: str, header: Header, contig: int, bases: int) -> Build | None:
    """Return the build on which a chromosome has so many bases; None where that is no proof."""
    if contig == MT and bases in (accessions.length(Build.GRCH38, MT), _HG19_MITOCHONDRION):
        return None
    builds = builds_with_length(contig, bases)
    if len(builds) == 1:
        return next(iter(builds))
    other = accessions.assembly_of(contig=contig, bases=bases)
    known = " and ".join(f"{accessions.length(build, contig):,} in {build}" for build in Build)
    raise BadFile(
        name,
        f"chromosome {display(contig)} has {bases:,} bases"
        + (f", as in {other}, which Operon does not use" if other else f", which no known assembly has ({known})"),
        line_1based=header.line_1based,
        field=header.name,
        mend="Give a complete FASTA file of GRCh37 or GRCh38",
    )


def _refuse_accession(name: str, header: Header, sequence: str) -> None:
    """Raise BadFile for a chromosome of another assembly."""
    other = accessions.assembly_of(ref_seq=sequence.upper())
    if other is not None:
        raise BadFile(
            name,
            f"it is a chromosome of {other}, which Operon does not use",
            line_1based=header.line_1based,
            field=header.name,
            mend="Give a FASTA file of GRCh37 or GRCh38",
        )
