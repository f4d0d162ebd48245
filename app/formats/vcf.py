"""Read a VCF 4.0–4.5 (https://samtools.github.io/hts-specs/VCFv4.5.pdf) as blocks of calls of chosen samples.

The file comes as an open binary stream, plain, gzip or BGZF; its name is used in messages only. htslib takes a file
name for a URL or an instruction (``http:…``, ``##idx##…``), so it never sees one: it validates the header's bytes
through a pipe. The body is split here. Measured on one core, splitting a record of one sample took 0.67 µs and reading
it through pysam 2.6 µs, and htslib does not tell in which line and field an error is, while every refusal here does.

Positions of a block are zero-based; ``lines_1based`` are line numbers of the file.

>>> with open("a.vcf", "rb") as stream:                                                               # doctest: +SKIP
...     reader = VcfReader(stream, "a.vcf", Build.GRCH38, Settings())
...     for block in reader.blocks([0], keep_filtered=False, homoplasmic_above=[0.99]):
...         print(block.contig, block.positions, block.refs, block.alts)
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import BinaryIO

import numpy as np
import pysam

from app.config import Settings
from app.errors import BadFile
from app.formats import annotation_body
from app.formats.annotations import Annotations
from app.formats.bounded_text import BoundedText
from app.formats.genotype import Genotype, GenotypeTable
from app.formats.vcf_block import BlockBuilder, RecordBlock
from app.formats.vcf_body import BodyReader, Choice, Run
from app.formats.vcf_header import VcfHeader, read_header, refuse_accession, take_header
from app.formats.vcf_regions import RegionBuilder
from app.formats.vcf_tally import Tally
from app.formats.vcf_watch import Watch
from app.records import Build
from app.variants.accessions import contig_named

__all__ = ["Genotype", "RecordBlock", "Tally", "VcfHeader", "VcfReader"]

_MOST_NAMES = 10_000
_MOST_PAIRS = 1_000_000
# The pairs of letters that begin SVTYPE, and CIPOS and CIEND, as numpy sees two bytes.
_SV, _CI = (np.frombuffer(pair, np.uint16)[0] for pair in (b"SV", b"CI"))


class VcfReader:
    """Read one VCF from an open binary stream, once, from its start to its end.

    Making a reader reads and checks the header. ``blocks`` then yields the calls; afterwards ``tally`` tells what was
    left out, ``records`` how many data lines there were, and ``genotypes`` gives the Genotype of a number.
    ``chosen`` are the names of the chosen samples.

    Raises:
        BadFile: the file is damaged, or on another assembly than ``build``.
        LimitExceeded: the file exceeds a cap of the settings.
    """

    def __init__(self, stream: BinaryIO, name: str, build: Build, settings: Settings) -> None:
        self._name = name
        self._build = build
        self._settings = settings
        self._text = BoundedText(stream, name, settings)
        lines, self._first_block = take_header(self._text, name, settings)
        self.header: VcfHeader = read_header(lines, name, build, settings)
        if _samples_by_htslib(b"\n".join(lines) + b"\n", name) != self.header.samples:
            raise BadFile(name, "htslib reads other sample names", field="#CHROM", mend="Rename the samples")
        self.annotations = Annotations.from_header(lines)
        """Reads what tools wrote into INFO; None where the header declares nothing of the kind"""
        self.tally = Tally()
        self.records = 0
        self._table = GenotypeTable()
        self._contigs: dict[str, int | None] = {}
        self.chosen: tuple[str, ...] = ()
        self._regions: RegionBuilder | None = None
        self._started = False

    @property
    def genotypes(self) -> list[Genotype]:
        """Return the table that the ``genotype`` column of blocks points into; it grows while blocks are read."""
        return self._table.genotypes

    @property
    def bytes_read(self) -> int:
        """Return how many stored bytes were read so far."""
        return self._text.bytes_read

    def blocks(
        self,
        samples: Sequence[int],
        *,
        keep_filtered: bool,
        homoplasmic_above: Sequence[float],
        max_records: int = 20_000,
        max_genotypes: int = 4_000_000,
        skip_records: int = 0,
        watch: Watch | None = None,
    ) -> Iterator[RecordBlock]:
        """Yield the calls of the chosen samples (places in ``header.samples``) in the order of the file.

        A block ends with its contig, with about ``max_records`` variant rows, or after ``max_genotypes`` genotypes.
        The first ``skip_records`` data lines are only counted. ``homoplasmic_above`` is the frequency, for each chosen
        sample, above which a mitochondrial call is homoplasmic. Filtered records are left out unless
        ``keep_filtered``. What the records at the places of ``watch`` say of each sample is handed on.

        Raises BadFile for a sample that the file does not have.
        """
        if self._started or len(homoplasmic_above) != len(samples) or not samples:
            raise ValueError("blocks() reads a file once, for at least one sample, with one threshold for each")
        self._started = True
        of_samples = len(self.header.samples)
        for place in samples:
            if not 0 <= place < of_samples:
                raise BadFile(
                    self._name,
                    f"there is no sample {place}, the last one is {of_samples - 1}",
                    line_1based=self.header.n_lines,
                    field="#CHROM",
                    mend="Samples are counted from 0",
                )
        self.chosen = tuple(self.header.samples[place] for place in samples)
        choice = Choice(tuple(samples), tuple(homoplasmic_above), of_samples)
        body = BodyReader(
            self._name,
            self._build,
            self._settings,
            self.header,
            choice,
            tally=self.tally,
            table=self._table,
            keep_filtered=keep_filtered,
            first_record=skip_records,
            watch=watch,
        )
        builder = body.builder
        self._regions = builder.regions
        self._skip(skip_records)
        while block := self._next_block():
            lines = _split(block, as_text=choice.as_text)
            maybe_structural = _may_be_structural(block)
            at = 0
            while at < len(lines):
                if not lines[at]:
                    self._expect_end(lines[at:])
                    break
                name = _first_column(lines[at])
                contig = self._contig(name)
                if contig is not None and contig != builder.contig:
                    if builder.is_pending:
                        yield builder.close(self.records, self.bytes_read)
                    body.enter(contig, self._line_1based)
                run = Run(lines, at, self._line_1based, contig, name, maybe_structural)
                rows = len(builder.positions)
                done = body.read(run, max_records - len(builder), max_genotypes)
                if self.annotations is not None and len(builder.positions) > rows:
                    _take_annotations(self.annotations, run, builder, rows)
                self.records += done - at
                at = done
                if (
                    len(builder) >= max_records
                    or builder.examined >= max_genotypes
                    or len(builder.pairs) > _MOST_PAIRS
                    or (builder.regions is not None and builder.regions.is_full)
                ) and builder.is_pending:
                    yield builder.close(self.records, self.bytes_read)
        if builder.is_pending:
            yield builder.close(self.records, self.bytes_read)

    @property
    def has_blocks(self) -> bool:
        """Return whether a reference block was read, so that the file tells of every place that was studied."""
        return self._regions is not None and self._regions.has_blocks

    @property
    def _line_1based(self) -> int:
        return self.header.n_lines + self.records + 1

    def _next_block(self) -> bytes:
        block = self._first_block or self._text.next_lines(self.header.n_lines + self.records)
        self._first_block = b""
        if b"\0" in block:
            line = self._line_1based + block.count(b"\n", 0, block.index(b"\0"))
            raise BadFile(self._name, "there is a NUL byte", line_1based=line, mend="Copy the file again")
        if b"\r" in block:
            block = block.replace(b"\r\n", b"\n").removesuffix(b"\r")
        return block

    def _skip(self, records: int) -> None:
        """Count data lines off without reading them."""
        while self.records < records and (block := self._next_block()):
            lines = block.count(b"\n") + (not block.endswith(b"\n"))
            wanted = records - self.records
            if lines <= wanted:
                self.records += lines
                continue
            at = 0
            for _ in range(wanted):
                at = block.index(b"\n", at) + 1
            self.records = records
            self._first_block = block[at:]

    def _expect_end(self, lines: list[str] | list[bytes]) -> None:
        """Accept blank lines at the end of the file, refuse them elsewhere."""
        blank = not any(lines)
        while blank and (block := self._next_block()):
            blank = not block.strip(b"\n")
        if not blank:
            raise BadFile(
                self._name,
                "the line is empty",
                line_1based=self._line_1based,
                mend="Remove it; the file may be damaged",
            )

    def _contig(self, name: str) -> int | None:
        """Return the contig of a name in CHROM, None for what is no primary chromosome."""
        try:
            return self._contigs[name]
        except KeyError:
            pass
        if name.startswith("#") or not name:
            problem = "there is a header line among the records" if name else "it is empty"
            raise BadFile(
                self._name,
                problem,
                line_1based=self._line_1based,
                field="CHROM",
                mend="Join VCF files with `bcftools concat`" if name else "Write the chromosome",
            )
        if len(self._contigs) > _MOST_NAMES:
            self._contigs.clear()
        contig = self._contigs[name] = contig_named(name, self._build)
        if contig is None:
            refuse_accession(name, self._line_1based, "CHROM", self._name, build=self._build)
        return contig


def _take_annotations(annotations: Annotations, run: Run, builder: BlockBuilder, first: int) -> None:
    """Add the annotations of the variant rows from ``first`` on, which were read from a run's lines."""
    offset = run.start - run.line_1based
    known, of_alt = 0, dict[str, list[tuple[str, str]]]()
    for row in range(first, len(builder.positions)):
        line_1based = builder.lines_1based[row]
        if line_1based != known:
            known, of_alt = line_1based, _annotated(annotations, run.lines[line_1based + offset])
        builder.annotations += ((row, tool, body) for tool, body in of_alt.get(builder.alts[row], ()))


def _annotated(annotations: Annotations, line: str | bytes) -> dict[str, list[tuple[str, str]]]:
    """Return what each tool says of each ALT of a record."""
    columns = line.split("\t", 8)[:8] if isinstance(line, str) else line.split(b"\t", 8)[:8]
    _, _, _, ref, alt, _, _, info = (text if isinstance(text, str) else text.decode("latin-1") for text in columns)
    if not info.isascii():
        info = info.encode("latin-1").decode("utf-8", errors="replace")
    alts = alt.split(",")
    found: dict[str, list[tuple[str, str]]] = {}
    for other, said in zip(alts, annotations.worth(info, alts, ref), strict=False):
        for tool in dict.fromkeys(one.tool for one in said):
            body = annotation_body.encode([one for one in said if one.tool == tool])
            found.setdefault(other.upper(), []).append((tool, body))
    return found


def _split(block: bytes, *, as_text: bool) -> list[str] | list[bytes]:
    """Split a block into lines; Latin-1 keeps any byte, and no text but ASCII leaves this reader."""
    lines: list[str] | list[bytes] = block.decode("latin-1").split("\n") if as_text else block.split(b"\n")
    if not lines[-1]:
        lines.pop()
    return lines


def _first_column(line: str | bytes) -> str:
    if isinstance(line, bytes):
        return line.partition(b"\t")[0].decode("latin-1")
    return line.partition("\t")[0]


def _may_be_structural(block: bytes) -> bool:
    """Return whether SVTYPE, CIPOS or CIEND occurs; looking for pairs of bytes first costs a tenth of the words."""
    at_even = np.frombuffer(block, np.uint16, len(block) // 2)
    at_odd = np.frombuffer(block, np.uint16, (len(block) - 1) // 2, 1) if len(block) > 2 else at_even[:0]
    for pair, words in ((_SV, (b"SVTYPE",)), (_CI, (b"CIPOS", b"CIEND"))):
        if ((at_even == pair).any() or (at_odd == pair).any()) and any(word in block for word in words):
            return True
    return False


def _samples_by_htslib(header: bytes, name: str) -> tuple[str, ...]:
    """Let htslib read the header through a pipe and return the names of its samples; raises BadFile."""
    read_end, write_end = os.pipe()
    writer = threading.Thread(target=_pour, args=(header, write_end), name="vcf-header")
    writer.start()
    verbosity = pysam.set_verbosity(0)
    try:
        with pysam.VariantFile(read_end, "r") as parsed:
            return tuple(parsed.header.samples)
    except (ValueError, OSError):
        raise BadFile(
            name, "htslib cannot read the header", field="header", mend="Look at it with `bcftools view -h`"
        ) from None
    finally:
        pysam.set_verbosity(verbosity)
        os.close(read_end)
        writer.join()


def _pour(data: bytes, write_end: int) -> None:
    """Write everything; htslib may stop reading early and close the pipe."""
    with suppress(BrokenPipeError), os.fdopen(write_end, "wb") as pipe:
        pipe.write(data)
