"""The public files that ``operon reference fetch`` gets, and under which terms their publishers offer them.

Chain files of UCSC are not among them and never will be: their licence allows non-commercial use only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from app.records import Build

_NCBI = "https://ftp.ncbi.nlm.nih.gov/genomes/all/GCF/000/001/405"
_ENSEMBL = "https://ftp.ensembl.org/pub/assembly_mapping/homo_sapiens"
_CDOT = "https://github.com/SACGF/cdot/releases/download/data_v0.2.32"

_NCBI_TERMS = "NCBI places no restrictions on use or distribution (https://www.ncbi.nlm.nih.gov/home/about/policies/)"
_ENSEMBL_TERMS = (
    "Ensembl places no restrictions on access or use (https://www.ensembl.org/info/about/legal/disclaimer.html)"
)
_HGNC = "https://storage.googleapis.com/public-download-files/hgnc/tsv/tsv"
_HGNC_TERMS = "CC0 1.0 (https://www.genenames.org/about/license/)"
_CDOT_TERMS = "MIT (https://github.com/SACGF/cdot/blob/main/LICENSE)"

MiB, GiB = 2**20, 2**30


@dataclass(frozen=True, slots=True)
class PublicSource:
    """One file: where it is, what it is, and what taking it in costs."""

    name: str
    kind: Literal["sequence", "chain", "transcripts", "genes"]
    build: Build | None
    """Of the sequence, transcripts or genes; the build that chains start from; None for what is of no build"""
    what: str
    url: str
    release: str
    licence: str
    size: int
    """Bytes to download, roughly"""
    max_bytes: int
    stored: int
    """Bytes that Operon's own copy takes, roughly"""
    checksums: str | None = None
    """Address of the list of MD5 sums beside the file, if there is one"""

    @property
    def file(self) -> str:
        """Return the name of the file."""
        return self.url.rpartition("/")[2]


def _sequence(build: Build, accession: str, patch: str) -> PublicSource:
    folder = f"{_NCBI}/{accession}_{patch}"
    return PublicSource(
        name=f"sequence-{build}",
        kind="sequence",
        build=build,
        what=f"the chromosomes of {build}, from the RefSeq assembly",
        url=f"{folder}/{accession}_{patch}_genomic.fna.gz",
        release=f"{patch} ({accession})",
        licence=_NCBI_TERMS,
        size=980 * MiB,
        max_bytes=2 * GiB,
        stored=int(2.95 * GiB),
        checksums=f"{folder}/md5checksums.txt",
    )


def _genes(build: Build, accession: str, patch: str, size: int) -> PublicSource:
    folder = f"{_NCBI}/{accession}_{patch}"
    return PublicSource(
        name=f"genes-{build}",
        kind="genes",
        build=build,
        what=f"RefSeq's genes, MANE transcripts and proteins of {build}, as GFF3",
        url=f"{folder}/{accession}_{patch}_genomic.gff.gz",
        release=f"{patch} ({accession})",
        licence=_NCBI_TERMS,
        size=size,
        max_bytes=1 * GiB,
        stored=100 * MiB,
        checksums=f"{folder}/md5checksums.txt",
    )


_APPROVED_GENES = PublicSource(
    name="genes-hgnc",
    kind="genes",
    build=None,
    what="the approved symbols of human genes, their former and their other symbols",
    url=f"{_HGNC}/hgnc_complete_set.txt",
    release="as published on the day of the download",
    licence=_HGNC_TERMS,
    size=17 * MiB,
    max_bytes=256 * MiB,
    stored=50 * MiB,
)


def _chain(source: Build, size: int) -> PublicSource:
    return PublicSource(
        name=f"chain-{source}-{source.other}",
        kind="chain",
        build=source,
        what=f"the places of {source} on {source.other}",
        url=f"{_ENSEMBL}/{source}_to_{source.other}.chain.gz",
        release="as published on the day of the download",
        licence=_ENSEMBL_TERMS,
        size=size,
        max_bytes=64 * MiB,
        stored=4 * MiB,
    )


def _transcripts(origin: str, build: Build, size: int) -> PublicSource:
    return PublicSource(
        name=f"transcripts-{origin.lower()}-{build}",
        kind="transcripts",
        build=build,
        what=f"the exons of {origin}'s transcripts on {build}, as cdot JSON",
        url=f"{_CDOT}/cdot-0.2.32.{origin.lower()}.{build}.json.gz",
        release="cdot data 0.2.32",
        licence=_CDOT_TERMS,
        size=size,
        max_bytes=2 * GiB,
        stored=1 * GiB,
    )


SOURCES = (
    _sequence(Build.GRCH37, "GCF_000001405.25", "GRCh37.p13"),
    _sequence(Build.GRCH38, "GCF_000001405.40", "GRCh38.p14"),
    _chain(Build.GRCH37, 285_000),
    _chain(Build.GRCH38, 730_000),
    _transcripts("RefSeq", Build.GRCH37, 60 * MiB),
    _transcripts("RefSeq", Build.GRCH38, 90 * MiB),
    _transcripts("Ensembl", Build.GRCH37, 60 * MiB),
    _transcripts("Ensembl", Build.GRCH38, 120 * MiB),
    _genes(Build.GRCH37, "GCF_000001405.25", "GRCh37.p13", 50 * MiB),
    _genes(Build.GRCH38, "GCF_000001405.40", "GRCh38.p14", 80 * MiB),
    _APPROVED_GENES,
)
