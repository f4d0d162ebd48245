"""What the ``hgvs`` package asks of a data provider, answered from the transcripts and sequences that are loaded.

Interface: https://hgvs.readthedocs.io/en/stable/modules/dataproviders.html. Nothing here opens a connection. Importing
this module imports ``hgvs``, so what may never need it imports it late. All positions are zero-based, half-open.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from hgvs.dataproviders.interface import Interface
from hgvs.exceptions import HGVSDataNotAvailableError

from app.errors import UnknownRefSeq
from app.records import Build
from app.variants import accessions
from app.variants.reference import ReferenceSequence
from app.variants.transcript_bases import transcript_bases
from app.variants.transcripts import Alignment, Transcript, Transcripts

ALIGNED = "splign"
"""The name under which every alignment is offered, whatever made it: ``hgvs`` asks for it by default."""

_ON_ITSELF = "transcript"
_SCHEMA_VERSION = "1.1"


class SequenceFetcher:
    """Bases of chromosomes as loaded, and of transcripts put together from their exons on a chromosome."""

    source = "local files"

    def __init__(self, transcripts: Transcripts, references: Mapping[Build, ReferenceSequence]) -> None:
        self._transcripts = transcripts
        self._references = references

    def fetch_seq(self, ac: str, start_i: int | None = None, end_i: int | None = None) -> str:
        """Return the bases of [start_i, end_i), or up to an end; raises HGVSDataNotAvailableError if one is unknown."""
        transcript = self._transcripts.get(ac)
        if transcript is not None:
            start, end = max(0, start_i or 0), min(transcript.length if end_i is None else end_i, transcript.length)
            bases = transcript_bases(transcript, self._references, start, end)
        else:
            start, end = start_i or 0, end_i or 0
            bases = self._chromosome(ac, start_i, end_i)
        if bases is None:
            raise HGVSDataNotAvailableError(f"the sequence of {ac} at [{start}, {end}) is not loaded")
        return bases

    def _chromosome(self, ref_seq: str, start: int | None, end: int | None) -> str | None:
        try:
            _, builds = accessions.locate(ref_seq)
        except UnknownRefSeq as error:
            raise HGVSDataNotAvailableError(f"{ref_seq} is neither a chromosome nor a known transcript") from error
        last = accessions.sequence_length(ref_seq)
        for build in sorted(builds, reverse=True):
            reference = self._references.get(build)
            bases = reference.fetch(ref_seq, start or 0, last if end is None else min(end, last)) if reference else None
            if bases is not None:
                return bases
        return None


class LocalProvider(Interface):  # type: ignore[misc]  # hgvs has no types
    """A data provider of ``hgvs`` without a server."""

    required_version = _SCHEMA_VERSION

    def __init__(self, transcripts: Transcripts, references: Mapping[Build, ReferenceSequence]) -> None:
        self._transcripts = transcripts
        self.seqfetcher = SequenceFetcher(transcripts, references)
        super().__init__()

    def data_version(self) -> str:
        """Return a text that changes with the transcripts."""
        return ",".join(source.sha256[:12] for source in self._transcripts.sources)

    def schema_version(self) -> str:
        """Return the version of the interface that this class has."""
        return _SCHEMA_VERSION

    def get_seq(self, ac: str, start_i: int | None = None, end_i: int | None = None) -> str:
        """Return bases; raises HGVSDataNotAvailableError if they are not loaded."""
        return self.seqfetcher.fetch_seq(ac, start_i, end_i)

    def get_assembly_map(self, assembly_name: str) -> dict[str, str]:
        """Return the names of the chromosomes of a build by their accessions."""
        build = Build(assembly_name.partition(".")[0])
        return {accessions.accession(build, contig): accessions.display(contig) for contig in accessions.CONTIGS}

    def get_tx_identity_info(self, tx_ac: str) -> dict[str, Any]:
        """Return the coding region of a transcript and the lengths of its exons."""
        transcript = self._known(tx_ac)
        exons = next(iter(transcript.alignments.values())).exons
        lengths = [exon.tx_end - exon.tx_start for exon in exons]
        return {**_info(transcript, tx_ac, _ON_ITSELF), "lengths": lengths}

    def get_tx_info(self, tx_ac: str, alt_ac: str, alt_aln_method: str) -> dict[str, Any]:
        """Return the coding region of a transcript that has a place on a chromosome."""
        self._alignment(tx_ac, alt_ac)
        return _info(self._known(tx_ac), alt_ac, alt_aln_method)

    def get_tx_exons(self, tx_ac: str, alt_ac: str, alt_aln_method: str) -> list[dict[str, Any]]:
        """Return the exons of a transcript in the order of the chromosome, as ``AlignmentMapper`` expects them."""
        alignment = self._alignment(tx_ac, alt_ac)
        exons = [
            {
                "tx_ac": tx_ac,
                "alt_ac": alt_ac,
                "alt_strand": -1 if alignment.reverse else 1,
                "alt_aln_method": alt_aln_method,
                "ord": ordinal,
                "tx_start_i": exon.tx_start,
                "tx_end_i": exon.tx_end,
                "alt_start_i": exon.start,
                "alt_end_i": exon.end,
                "cigar": exon.cigar,
            }
            for ordinal, exon in enumerate(alignment.exons)
        ]
        return exons[::-1] if alignment.reverse else exons

    def get_tx_for_gene(self, gene: str) -> list[dict[str, Any]]:
        """Return every place of every transcript of a gene."""
        return [
            _info(transcript, alignment.ref_seq, ALIGNED)
            for transcript in self._transcripts.of_gene(gene)
            for alignment in transcript.alignments.values()
        ]

    def get_tx_for_region(self, alt_ac: str, alt_aln_method: str, start_i: int, end_i: int) -> list[dict[str, Any]]:
        """Return the transcripts that overlap a range of a chromosome."""
        contig, builds = accessions.locate(alt_ac)
        found = self._transcripts.overlapping(max(builds), contig, start_i, end_i)
        return [_place(transcript, transcript.alignments[max(builds)], alt_aln_method) for transcript in found]

    def get_tx_mapping_options(self, tx_ac: str) -> list[dict[str, Any]]:
        """Return the chromosomes that a transcript has a place on."""
        return [
            {"tx_ac": tx_ac, "alt_ac": alignment.ref_seq, "alt_aln_method": ALIGNED}
            for alignment in self._known(tx_ac).alignments.values()
        ]

    def get_pro_ac_for_tx_ac(self, tx_ac: str) -> str | None:
        """Return the protein of a transcript."""
        return self._known(tx_ac).protein

    def get_acs_for_protein_seq(self, seq: str) -> list[str]:
        """Return a name that is made of the sequence, since proteins are not stored."""
        return [f"MD5_{hashlib.md5(seq.encode(), usedforsecurity=False).hexdigest()}"]

    def get_similar_transcripts(self, tx_ac: str) -> list[dict[str, Any]]:
        """Return nothing: transcripts are not compared."""
        del tx_ac
        return []

    def get_gene_info(self, gene: str) -> dict[str, Any] | None:
        """Return the symbol of a gene, None for one that no transcript bears."""
        found = self._transcripts.gene(gene)
        return {"hgnc": found.symbol, "aliases": "{}", "descr": None, "summary": None} if found else None

    def _known(self, tx_ac: str) -> Transcript:
        transcript = self._transcripts.get(tx_ac)
        if transcript is None:
            raise HGVSDataNotAvailableError(f"transcript {tx_ac} is not loaded")
        return transcript

    def _alignment(self, tx_ac: str, alt_ac: str) -> Alignment:
        for alignment in self._known(tx_ac).alignments.values():
            if alignment.ref_seq == alt_ac:
                return alignment
        raise HGVSDataNotAvailableError(f"transcript {tx_ac} has no known place on {alt_ac}")


def _info(transcript: Transcript, alt_ac: str, alt_aln_method: str) -> dict[str, Any]:
    start, end = transcript.cds or (None, None)
    return {
        "hgnc": transcript.gene,
        "cds_start_i": start,
        "cds_end_i": end,
        "tx_ac": transcript.accession,
        "alt_ac": alt_ac,
        "alt_aln_method": alt_aln_method,
    }


def _place(transcript: Transcript, alignment: Alignment, alt_aln_method: str) -> dict[str, Any]:
    return {
        "tx_ac": transcript.accession,
        "alt_ac": alignment.ref_seq,
        "alt_strand": -1 if alignment.reverse else 1,
        "alt_aln_method": alt_aln_method,
        "start_i": alignment.start,
        "end_i": alignment.end,
    }
