"""Transcripts as cdot writes them, checked and brought to the form that the program uses.

Format: https://github.com/SACGF/cdot/blob/main/docs/json_data_format.md. Positions on the chromosome and the two codons
are zero-based there, half-open; those of exons on the transcript one-based, inclusive.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from app.errors import BadFile, UnknownRefSeq, quoted
from app.records import Build
from app.variants import accessions
from app.variants.transcripts import MANE_PLUS_CLINICAL, MANE_SELECT, Alignment, Exon, Transcript

_MEND = "Give a file of a cdot release"
_ACCESSION = re.compile(r"[!-~]{1,100}")
_HGNC = re.compile(r"(?:HGNC:)?([0-9]{1,7})")
_GAP = re.compile(r"[MID][0-9]{1,9}(?: [MID][0-9]{1,9})*")
_GAP_STEP = re.compile(r"([MID])([0-9]+)")
_TO_CIGAR = {"M": "=", "I": "D", "D": "I"}
"""cdot says what happens to the chromosome on the way to the transcript, a CIGAR of UTA the opposite."""


class Unusable(Exception):
    """A record that cannot be used, although the file is no worse for it; the text says why."""


@dataclass(frozen=True, slots=True)
class GeneName:
    """What a file says of a gene, found by the key that its transcripts bear."""

    symbol: str | None
    hgnc: str | None


def read_transcript(accession: str, record: Any, source: str) -> tuple[Transcript, str | None]:
    """Return a transcript and the key of its gene within the file.

    Raises BadFile, naming the field, for what is no record of cdot, and Unusable for one that has no place on a primary
    chromosome of GRCh37 or GRCh38, or whose parts do not fit together.
    """
    return _Record(f"transcripts[{quoted(accession)}]", source).transcript(accession, record)


def read_gene(key: str, record: Any, source: str) -> GeneName:
    """Return the name of a gene; raises BadFile for what is no record of cdot."""
    reading = _Record(f"genes[{quoted(key)}]", source)
    if not isinstance(record, dict):
        reading.fail("", "it is no object")
    return GeneName(reading.text(record, "gene_symbol"), reading.hgnc(record))


class _Record:
    """One record that is being read; ``path`` is its place in the file, for messages."""

    def __init__(self, path: str, source: str) -> None:
        self._path = path
        self._source = source

    def transcript(self, accession: str, record: Any) -> tuple[Transcript, str | None]:
        if _ACCESSION.fullmatch(accession) is None:
            self.fail("", "the accession is empty, too long, or holds characters that none has")
        builds = self._object(record, "", "genome_builds")
        cds = self._cds(record)
        alignments, tags = {}, set()
        for build in Build:
            if build.value in builds:
                path = f".genome_builds.{build.value}"
                place = self._object(builds, ".genome_builds", build.value)
                alignment = self._alignment(build, place, path)
                if alignment is not None:
                    alignments[build] = alignment
                    tags |= {tag.strip().replace("_", " ") for tag in (self.text(place, "tag", path) or "").split(",")}
        if not alignments:
            raise Unusable("no place on a primary chromosome of GRCh37 or GRCh38")
        lengths = {alignment.exons[-1].tx_end for alignment in alignments.values()}
        if cds is not None and not 0 <= cds[0] < cds[1] <= max(lengths):
            raise Unusable("a coding region that is not within the exons")
        mane = next((tag for tag in (MANE_SELECT, MANE_PLUS_CLINICAL) if tag in tags), None)
        found = Transcript(
            accession=accession,
            gene=self.text(record, "gene_name"),
            hgnc=self.hgnc(record),
            protein=self.text(record, "protein"),
            biotype=self._biotype(record),
            mane=mane,
            cds=cds,
            alignments=alignments,
        )
        return found, self.text(record, "gene_version")

    def text(self, record: Mapping[str, Any], key: str, path: str = "") -> str | None:
        """Return a text that may be missing."""
        value = record.get(key)
        if value is not None and not isinstance(value, str):
            self.fail(f"{path}.{key}", "it is no text")
        return value or None

    def hgnc(self, record: Mapping[str, Any]) -> str | None:
        """Return the identifier of the gene with its prefix, which cdot leaves out."""
        value = record.get("hgnc")
        match = _HGNC.fullmatch(str(value)) if value is not None else None
        return f"HGNC:{match[1]}" if match else None

    def _object(self, record: Any, path: str, key: str) -> dict[str, Any]:
        if not isinstance(record, dict):
            self.fail(path, "it is no object")
        if not isinstance(record.get(key), dict):
            self.fail(f"{path}.{key}", "it is missing or no object")
        found: dict[str, Any] = record[key]
        return found

    def _biotype(self, record: Mapping[str, Any]) -> str | None:
        value = record.get("biotype")
        if value is None or isinstance(value, str):
            return value or None
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            self.fail(".biotype", "it is no list of texts")
        return ",".join(value) or None

    def _cds(self, record: Mapping[str, Any]) -> tuple[int, int] | None:
        codons = record.get("start_codon"), record.get("stop_codon")
        for key, value in zip(("start_codon", "stop_codon"), codons, strict=True):
            if value is not None and type(value) is not int:
                self.fail(f".{key}", "it is no whole number")
        start, stop = codons
        return None if start is None or stop is None else (start, stop)

    def _alignment(self, build: Build, place: Mapping[str, Any], path: str) -> Alignment | None:
        """Return the place on one build, None if that is no primary chromosome."""
        name = place.get("contig")
        if not isinstance(name, str):
            self.fail(f"{path}.contig", "it is missing or no text")
        contig = accessions.contig_named(name, build)
        if contig is None:
            self._refuse_other_build(build, name, f"{path}.contig")
            return None
        strand = place.get("strand")
        if strand not in ("+", "-"):
            self.fail(f"{path}.strand", "it is neither + nor -")
        exons = place.get("exons")
        if not isinstance(exons, list) or not exons:
            self.fail(f"{path}.exons", "it is missing or no list of exons")
        read = [self._exon(exon, f"{path}.exons[{at}]") for at, exon in enumerate(exons)]
        ordered = _in_order(read, reverse=strand == "-", bases=accessions.length(build, contig))
        return Alignment(build, contig, accessions.accession(build, contig), strand == "-", tuple(ordered))

    def _refuse_other_build(self, build: Build, name: str, path: str) -> None:
        try:
            _, builds = accessions.locate(name)
        except UnknownRefSeq:
            return
        self.fail(path, f"{quoted(name)} is a chromosome of {', '.join(sorted(builds))}, not of {build}")

    def _exon(self, exon: Any, path: str) -> tuple[int, int, int, int, str | None]:
        """Return chromosome and transcript ranges, zero-based, half-open, and the gap string of cdot."""
        if not isinstance(exon, list) or len(exon) not in (5, 6) or {type(item) for item in exon[:5]} != {int}:
            self.fail(path, "it is no list of five whole numbers and a gap")
        gap = exon[5] if len(exon) == 6 else None
        if gap is not None and (not isinstance(gap, str) or _GAP.fullmatch(gap) is None):
            self.fail(path, f"the gap '{quoted(gap)}' is not of the form 'M196 I1 M61'")
        start, end, _, tx_first, tx_last = exon[:5]
        return start, end, tx_first - 1, tx_last, gap

    def fail(self, path: str, problem: str) -> NoReturn:
        """Raise BadFile about a part of the record."""
        raise BadFile(self._source, problem, field=f"{self._path}{path}", mend=_MEND)


def _in_order(exons: list[tuple[int, int, int, int, str | None]], *, reverse: bool, bases: int) -> list[Exon]:
    """Return the exons in the order of the transcript; raises Unusable if they do not fit together.

    Bases of the transcript before an exon that align to nothing become a gap at its start.
    """
    found: list[Exon] = []
    for start, end, tx_start, tx_end, gap in sorted(exons, key=lambda exon: exon[2]):
        before = found[-1] if found else None
        expected = before.tx_end if before else 0
        if not (0 <= start < end <= bases and expected <= tx_start < tx_end):
            raise Unusable("exons that overlap or leave the chromosome")
        if before is not None and not (end <= before.start if reverse else before.end <= start):
            raise Unusable("exons whose order on the chromosome is not that on the transcript")
        if gap is None and tx_start == expected and end - start == tx_end - tx_start:
            found.append(Exon(start, end, tx_start, tx_end))
            continue
        steps = [(kind, int(size)) for kind, size in _GAP_STEP.findall(gap)] if gap else [("M", end - start)]
        on_chromosome = sum(size for kind, size in steps if kind != "I")
        on_transcript = sum(size for kind, size in steps if kind != "D")
        if (on_chromosome, on_transcript) != (end - start, tx_end - tx_start):
            raise Unusable("an exon whose lengths on chromosome and transcript differ otherwise than its gap says")
        if tx_start > expected:
            steps.insert(0, ("I", tx_start - expected))
        plain = all(kind == "M" for kind, _ in steps)
        cigar = None if plain else "".join(f"{size}{_TO_CIGAR[kind]}" for kind, size in steps)
        found.append(Exon(start, end, expected, tx_end, cigar))
    return found
