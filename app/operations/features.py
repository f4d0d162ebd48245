"""Chromosomes, genes, transcripts and proteins as the reference implementation's utilities describe them.

Ranges are texts ``accession:start-end``, zero-based, half-open. What is not known is left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from app.records import Build
from app.variants.accessions import MT, accession, contig_named, display
from app.variants.transcripts import (
    MANE_SELECT,
    Alignment,
    Gene,
    Protein,
    Transcript,
    Transcripts,
    split_version,
)

_CHROMOSOME_LINK: Final = "https://medlineplus.gov/genetics/chromosome/{}/"
_GENE_LINK: Final = "https://www.genenames.org/data/gene-symbol-report/#!/hgnc_id/{}"
_TRANSCRIPT_LINK: Final = "https://www.ncbi.nlm.nih.gov/nuccore/{}"
_PROTEIN_LINK: Final = "https://www.ncbi.nlm.nih.gov/protein/{}/"
_ENSEMBL_LINK: Final = "https://www.ensembl.org/id/{}"
_CURATED: Final = ("NM_", "NR_")
_ENSEMBL: Final = "ENST"

_BUILD: Final[Mapping[Build, str]] = {Build.GRCH37: "build37", Build.GRCH38: "build38"}


def describe_chromosome(name: str) -> dict[str, Any] | None:
    """Return a chromosome by a name such as ``chr7``, ``X`` or ``chrM``; None if there is no such one."""
    contig = contig_named(name, Build.GRCH38) or contig_named(name, Build.GRCH37)
    if contig is None:
        return None
    short = "M" if contig == MT else display(contig)
    return {
        "chromosome": f"chr{short}",
        "chromosomeLink": _CHROMOSOME_LINK.format("mitochondrial-dna" if contig == MT else short.lower()),
        **{f"{_BUILD[build]}RefSeq": accession(build, contig) for build in Build},
    }


def describe_gene(gene: Gene, transcripts: Transcripts) -> dict[str, Any]:
    """Return a gene with its ranges and the newest known versions of its transcripts."""
    found: dict[str, Any] = {}
    if gene.hgnc:
        found["geneId"] = gene.hgnc
    found["geneSymbol"] = gene.symbol
    if gene.hgnc:
        found["geneLink"] = _GENE_LINK.format(gene.hgnc)
    for build, span in sorted(gene.spans.items()):
        found[f"{_BUILD[build]}Coordinates"] = str(span)
    known = transcripts.of_gene(gene.hgnc or gene.symbol)
    curated = [item for item in known if item.accession.startswith(_CURATED)]
    listed = curated or [item for item in known if item.accession.startswith(_ENSEMBL)]
    if listed:
        found["transcripts"] = _newest(listed)
    chosen = [item for item in listed if item.mane]
    if chosen:
        # The one for reporting first; then those that are needed beside it for some variants.
        found["MANE"] = [
            item.accession for item in sorted(chosen, key=lambda item: (item.mane != MANE_SELECT, item.accession))
        ]
    return found


def describe_transcript(transcript: Transcript) -> dict[str, Any]:
    """Return a transcript with its exons, and its coding region on each build."""
    name = transcript.accession
    link = _ENSEMBL_LINK if name.startswith(_ENSEMBL) else _TRANSCRIPT_LINK
    found: dict[str, Any] = {"transcript": name, "transcriptLink": link.format(name)}
    if transcript.gene:
        found["geneSymbol"] = transcript.gene
    exons: dict[int, dict[str, Any]] = {}
    for build, alignment in sorted(transcript.alignments.items()):
        prefix = _BUILD[build]
        found[f"{prefix}Coordinates"] = f"{alignment.ref_seq}:{alignment.start}-{alignment.end}"
        found[f"{prefix}Strand"] = "-" if alignment.reverse else "+"
        coding = _coding_range(alignment, transcript.cds) if transcript.cds else None
        if coding:
            found[f"{prefix}CDSStart"], found[f"{prefix}CDSEnd"] = coding
        for number, exon in enumerate(alignment.exons, 1):
            described = exons.setdefault(number, {"exonNumber": number})
            described[f"{prefix}Coordinates"] = f"{alignment.ref_seq}:{exon.start}-{exon.end}"
    found["MANE"] = transcript.mane is not None
    found["exons"] = [exons[number] for number in sorted(exons)]
    return found


def describe_protein(protein: Protein) -> dict[str, Any]:
    """Return a protein with its name and the transcript that encodes it."""
    found = {"protein": protein.accession, "proteinLink": _PROTEIN_LINK.format(protein.accession)}
    if protein.name:
        found["proteinName"] = protein.name
    if protein.transcript:
        found["transcript"] = protein.transcript
    return found


def _newest(listed: Iterable[Transcript]) -> list[str]:
    """Return the newest version of each transcript."""
    newest: dict[str, tuple[int, str]] = {}
    for item in listed:
        base, version = split_version(item.accession)
        newest[base] = max(newest.get(base, (0, "")), (version or 0, item.accession))
    return sorted(name for _, name in newest.values())


def _coding_range(alignment: Alignment, cds: tuple[int, int]) -> tuple[int, int] | None:
    """Return the range on the chromosome from start to stop codon; None if none of it is there."""
    edges: list[int] = []
    for segment in alignment.segments():
        low, high = max(cds[0], segment.tx_start), min(cds[1], segment.tx_end)
        if low >= high or segment.start == segment.end:
            continue
        before, after = low - segment.tx_start, high - segment.tx_start
        if alignment.reverse:
            edges += (segment.end - after, segment.end - before)
        else:
            edges += (segment.start + before, segment.start + after)
    return (min(edges), max(edges)) if edges else None
