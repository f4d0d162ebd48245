"""Small made-up transcripts: their alignments as objects, and as cdot writes them.

Positions are zero-based, half-open; exons are given in the order of the chromosome.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from app.records import Build
from app.variants.accessions import accession
from app.variants.transcripts import Alignment, Exon, Transcript

B37, B38 = Build.GRCH37, Build.GRCH38


def alignment(
    build: Build,
    exons: Sequence[tuple[int, int]],
    *,
    reverse: bool = False,
    contig: int = 1,
    gaps: Mapping[int, str] | None = None,
) -> Alignment:
    """Return an alignment; ``gaps`` has the CIGAR of an exon by its number along the transcript."""
    found, at = [], 0
    for number, (start, end) in enumerate(reversed(exons) if reverse else exons):
        gap = (gaps or {}).get(number)
        size = end - start if gap is None else _on_transcript(gap)
        found.append(Exon(start, end, at, at + size, gap))
        at += size
    return Alignment(build, contig, accession(build, contig), reverse, tuple(found))


def transcript(
    name: str,
    *alignments: Alignment,
    cds: tuple[int, int] | None = None,
    gene: str | None = "GENE",
    hgnc: str | None = "HGNC:1",
) -> Transcript:
    """Return a transcript with some alignments."""
    return Transcript(
        accession=name,
        gene=gene,
        hgnc=hgnc,
        protein=None,
        biotype=None,
        mane=None,
        cds=cds,
        alignments={item.build: item for item in alignments},
    )


def cdot_place(build: Build, exons: Sequence[Sequence[Any]], *, strand: str = "+", **more: Any) -> dict[str, Any]:
    """Return a place as cdot has it; each exon is (start, end, ordinal, first base, last base, gap)."""
    return {"contig": accession(build, 1), "strand": strand, "exons": [list(exon) for exon in exons], **more}


def cdot_record(name: str, places: Mapping[Build, Mapping[str, Any]], **more: Any) -> dict[str, Any]:
    """Return a transcript as cdot has it."""
    builds = {build.value: dict(place) for build, place in places.items()}
    return {"id": name, "gene_name": "GENE", "hgnc": "1", "biotype": ["mRNA"], "genome_builds": builds, **more}


def write_cdot(path: Path, *records: Mapping[str, Any], **more: Any) -> Path:
    """Write a cdot file, gzipped if its name ends so."""
    document = {
        "cdot_version": "0.2.35",
        "genome_builds": ["GRCh37", "GRCh38"],
        "transcripts": {record["id"]: record for record in records},
        **more,
    }
    content = json.dumps(document).encode()
    path.write_bytes(gzip.compress(content) if path.name.endswith(".gz") else content)
    return path


def _on_transcript(gap: str) -> int:
    size, total = "", 0
    for letter in gap:
        if letter.isdigit():
            size += letter
        else:
            total += 0 if letter == "I" else int(size)
            size = ""
    return total
