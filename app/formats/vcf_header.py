"""The header of a VCF: version, samples, contigs and what it says about the assembly.

Versions 4.0 to 4.5, https://samtools.github.io/hts-specs/VCFv4.5.pdf, section 1.4. The checks here give exact lines;
``app/formats/vcf.py`` lets htslib validate the same bytes as a second opinion.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from app.config import Settings
from app.errors import BadFile, LimitExceeded, quoted
from app.formats.bounded_text import BoundedText
from app.records import Build
from app.variants.accessions import MT, contig_named, length

_START = re.compile(rb"##fileformat=VCFv([0-9]+\.[0-9]+)\s*")
_VERSIONS = ("4.0", "4.1", "4.2", "4.3", "4.4", "4.5")
_FIXED = ("#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT")
_ATTRIBUTE = re.compile(r'([A-Za-z_][A-Za-z0-9_.]*)=("(?:[^"\\]|\\.)*"|[^,>]*)')
_HINTS = {
    Build.GRCH37: re.compile(r"GRCh37|hg19|b37|hs37|g1k_v37|build ?37", re.IGNORECASE),
    Build.GRCH38: re.compile(r"GRCh38|hg38|b38|hs38|build ?38", re.IGNORECASE),
}
_MOST_HINTS = 20
_NOT_PHASED = {"none", "no", "unphased", "false"}
HG19_MITOCHONDRION = 16_571
"""Bases of the mitochondrial sequence of UCSC's hg19 (NC_001807), which is another one than NC_012920.1."""


@dataclass(frozen=True, slots=True)
class VcfHeader:
    """What the header declares; ``contigs`` maps every declared name to its length, or None where it has none."""

    version: str
    samples: tuple[str, ...]
    contigs: dict[str, int | None]
    phasing_declared: bool
    n_lines: int
    assembly_hints: tuple[str, ...]
    format_numbers: dict[str, str]
    foreign_mitochondrion: bool
    """The mitochondrial contig has the length of hg19's other sequence: no record on it can be used."""
    warnings: tuple[str, ...]


def take_header(text: BoundedText, name: str, settings: Settings) -> tuple[list[bytes], bytes]:
    """Take the header's lines (without their ends) off the text; return them and the bytes that follow.

    Raises:
        BadFile: the text is no VCF, or has no #CHROM line.
        LimitExceeded: the header has too many bytes or lines.
    """
    start = text.head()
    if not start.startswith(b"##fileformat=VCF"):
        mend = "The first line must be ##fileformat=VCFv4.x"
        if start.startswith(b"\xef\xbb\xbf"):
            mend = "Save it without a byte order mark"
        raise BadFile(name, "this is no VCF", line_1based=1, mend=mend)
    lines: list[bytes] = []
    size = 0
    while block := text.next_lines(len(lines)):
        at = 0
        while at < len(block):
            end = block.find(b"\n", at)
            end = len(block) if end < 0 else end
            line = block[at:end].rstrip(b"\r")
            at = end + 1
            if b"\0" in line:
                raise BadFile(
                    name, "there is a NUL byte", line_1based=len(lines) + 1, mend="Copy the file again, as binary data"
                )
            if not line.startswith(b"#"):
                raise BadFile(
                    name,
                    "a header line or the #CHROM line is expected here",
                    line_1based=len(lines) + 1,
                    mend="Put the line with the column names (#CHROM, POS, …) before the first record",
                )
            lines.append(line)
            size += len(line) + 1
            _check_size(lines, size, name, settings)
            if not line.startswith(b"##"):
                return lines, block[at:]
    raise BadFile(
        name, "there is no #CHROM line", line_1based=len(lines) + 1, mend="The file seems cut off; copy it again"
    )


def _check_size(lines: list[bytes], size: int, name: str, settings: Settings) -> None:
    if size > settings.vcf_max_header_bytes:
        raise LimitExceeded(
            name,
            f"the header is larger than {settings.vcf_max_header_bytes:,} bytes",
            line_1based=len(lines),
            mend="Raise OPERON_VCF_MAX_HEADER_BYTES if it is meant",
        )
    if len(lines) > settings.vcf_max_header_lines:
        raise LimitExceeded(
            name,
            f"the header has more than {settings.vcf_max_header_lines:,} lines",
            line_1based=len(lines),
            mend="Raise OPERON_VCF_MAX_HEADER_LINES if they are meant",
        )


def read_header(lines: list[bytes], name: str, build: Build, settings: Settings) -> VcfHeader:
    """Read the header's lines and check that its contigs are those of the build; raises BadFile with the line."""
    started = _START.fullmatch(lines[0])
    version = started[1].decode("ascii") if started else ""
    if version not in _VERSIONS:
        raise BadFile(
            name,
            f"the version {quoted(lines[0].decode('utf-8', 'replace'))} is not read",
            line_1based=1,
            field="fileformat",
            mend="Convert it to VCF 4.0 to 4.5, for example with `bcftools view`",
        )
    samples = _read_columns(lines[-1], len(lines), name, settings)
    meta = _Meta(name, build)
    for number, raw in enumerate(lines[1:-1], 2):
        meta.read(raw, number)
    return VcfHeader(
        version,
        samples,
        meta.contigs,
        meta.phasing_declared,
        len(lines),
        tuple(meta.hints),
        meta.format_numbers,
        meta.foreign_mitochondrion,
        meta.warnings(),
    )


def _read_columns(raw: bytes, line_1based: int, name: str, settings: Settings) -> tuple[str, ...]:
    if raw.count(b"\t") - len(_FIXED) >= settings.vcf_max_samples:
        raise LimitExceeded(
            name,
            f"there are more than {settings.vcf_max_samples:,} samples",
            line_1based=line_1based,
            field="#CHROM",
            mend="Raise OPERON_VCF_MAX_SAMPLES if they are meant, or split the file by samples",
        )
    try:
        columns = raw.decode("utf-8").split("\t")
    except UnicodeDecodeError:
        raise BadFile(
            name,
            "a sample name is not UTF-8 text",
            line_1based=line_1based,
            field="#CHROM",
            mend="Save the file in UTF-8",
        ) from None
    fixed = len(_FIXED) - 1
    if tuple(columns[:fixed]) != _FIXED[:fixed]:
        spaces = "\t" not in columns[0] and " " in columns[0]
        raise BadFile(
            name,
            "the columns must be separated by tabs" if spaces else f"the columns must begin {' '.join(_FIXED[:fixed])}",
            line_1based=line_1based,
            field="#CHROM",
            mend="Write the header line as the VCF specification has it",
        )
    if len(columns) <= len(_FIXED):
        raise BadFile(
            name,
            "the file has no samples, so it holds no calls",
            line_1based=line_1based,
            field="#CHROM",
            mend="Give a VCF with FORMAT and at least one sample column",
        )
    if columns[fixed] != "FORMAT":
        raise BadFile(
            name,
            "the column before the samples must be FORMAT",
            line_1based=line_1based,
            field="#CHROM",
            mend="Write the header line as the VCF specification has it",
        )
    samples = tuple(columns[len(_FIXED) :])
    _check_samples(samples, line_1based, name)
    return samples


def _check_samples(samples: tuple[str, ...], line_1based: int, name: str) -> None:
    seen: set[str] = set()
    for position, sample in enumerate(samples, len(_FIXED) + 1):
        if not sample.strip():
            problem, mend = "the sample has no name", "Name every sample column"
        elif sample in seen:
            problem, mend = f"the sample name {quoted(sample)} is there twice", "Give every sample its own name"
        else:
            seen.add(sample)
            continue
        raise BadFile(name, problem, line_1based=line_1based, field=f"column {position}", mend=mend)


class _Meta:
    """What the ``##`` lines of one header say."""

    def __init__(self, name: str, build: Build) -> None:
        self._name = name
        self._build = build
        self.contigs: dict[str, int | None] = {}
        self.phasing_declared = False
        self.hints: dict[str, None] = {}
        self.format_numbers: dict[str, str] = {}
        self.foreign_mitochondrion = False

    def read(self, raw: bytes, line_1based: int) -> None:
        """Note one line; raises BadFile for a contig of another assembly."""
        if raw.startswith(b"##contig=<"):
            attributes = _attributes(raw)
            self._hint(attributes.get("assembly", ""))
            if "ID" in attributes:
                self._read_contig(attributes["ID"], attributes.get("length"), line_1based)
        elif raw.startswith(b"##FORMAT=<"):
            attributes = _attributes(raw)
            self.format_numbers.setdefault(attributes.get("ID", ""), attributes.get("Number", ""))
        elif raw.startswith((b"##reference=", b"##assembly=")):
            self._hint(raw.decode("utf-8", "replace").partition("=")[2])
        elif raw.startswith(b"##phasing="):
            value = raw.decode("utf-8", "replace").partition("=")[2]
            self.phasing_declared = value.strip().lower() not in _NOT_PHASED

    def warnings(self) -> tuple[str, ...]:
        """Return what a user should know about the header, in sentences."""
        warnings = []
        build = self._build
        hinted = {other for other, pattern in _HINTS.items() if any(map(pattern.search, self.hints))}
        if hinted == {build.other}:
            warnings.append(f"the header names {quoted(next(iter(self.hints)))}, but the file is read as {build}")
        if self.format_numbers.get("AD", "R").isdecimal():
            warnings.append("FORMAT/AD is declared without one number for each allele (Number=R), so it is not used")
        return tuple(warnings)

    def _hint(self, text: str) -> None:
        text = text.strip('" ')
        if text and len(self.hints) < _MOST_HINTS:
            self.hints[text] = None

    def _read_contig(self, contig_name: str, bases: str | None, line_1based: int) -> None:
        """Note a declared contig; raises BadFile when its name or length belongs to another assembly."""
        build = self._build
        self.contigs[contig_name] = declared = self._read_length(bases, line_1based)
        contig = contig_named(contig_name, build)
        if contig is None:
            refuse_accession(contig_name, line_1based, "##contig", self._name, build=build)
        elif contig == MT and declared == HG19_MITOCHONDRION:
            self.foreign_mitochondrion = True
        elif declared is not None and declared != length(build, contig):
            if declared == length(build.other, contig):
                problem = f"the contig lengths are those of {build.other}, not {build}"
                mend = f"Say that the file is on {build.other}"
            else:
                problem = f"{quoted(contig_name)} has {declared:,} bases here, but {length(build, contig):,} on {build}"
                mend = f"Only {Build.GRCH37} and {Build.GRCH38} can be read; correct the length if it is a mistake"
            raise BadFile(self._name, problem, line_1based=line_1based, field="##contig", mend=mend)

    def _read_length(self, bases: str | None, line_1based: int) -> int | None:
        if bases is None:
            return None
        if not (bases.isascii() and bases.isdecimal() and len(bases) < 12):
            raise BadFile(
                self._name,
                f"the length {quoted(bases)} is no whole number",
                line_1based=line_1based,
                field="##contig",
                mend="Correct or remove it",
            )
        return int(bases)


def _attributes(raw: bytes) -> dict[str, str]:
    line = raw.decode("utf-8", "replace")
    return dict(_ATTRIBUTE.findall(line, line.index("<") + 1))


def refuse_accession(contig_name: str, line_1based: int, where: str, name: str, *, build: Build) -> None:
    """Raise BadFile when a contig's name is the accession of a chromosome of the other build."""
    if contig_named(contig_name, build.other) is not None:
        raise BadFile(
            name,
            f"{quoted(contig_name)} is a sequence of {build.other}, not of {build}",
            line_1based=line_1based,
            field=where,
            mend=f"Say that the file is on {build.other}",
        )
