"""What one variant argument costs: HGVS along a transcript and on a chromosome, new and asked before.

The transcripts, the sequences and the chains are made up; the peer is the ``hgvs`` package with the same data.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from hgvs.assemblymapper import AssemblyMapper
from hgvs.parser import Parser

from app.operations.context import Genome
from app.variants.hgvs_provider import ALIGNED, LocalProvider
from app.variants.identify import Identifier
from app.variants.transcript_files import TranscriptFiles
from bench.measure import compare, over
from bench.report import Reported, Run, at_least, at_most
from bench.transcripts import PER_TRANSCRIPT, descriptions, made_up_transcripts


def measure(size: str, engine: str) -> Iterator[Reported]:
    """Yield the cost of a new argument beside ``hgvs``, of a known one, and of the first one of a transcript."""
    run = Run(size)
    with made_up_transcripts(size) as (folder, genome, names):
        texts = [text for name in names for text in descriptions(name, genome)]
        yield from _beside_hgvs(run, genome, texts)
        yield from _alone(run, genome, texts)
        yield from _first(run, genome, folder, texts[::PER_TRANSCRIPT])


def _beside_hgvs(run: Run, genome: Genome, texts: Sequence[str]) -> Iterator[Reported]:
    """Compare new arguments with what ``hgvs`` makes of them: parse, validate, map to GRCh38, normalize."""
    mapper = AssemblyMapper(
        LocalProvider(genome.transcripts, genome.references), assembly_name="GRCh38", alt_aln_method=ALIGNED
    )
    parser = Parser()
    identifier = Identifier(genome.placer, genome.transcripts, size=0)

    def by_hgvs(text: str) -> Any:
        return mapper.c_to_g(parser.parse_hgvs_variant(text))

    # hgvs refuses to validate intronic positions.
    exonic = [text for text in texts if "+" not in text]
    expected = [identifier.identify(str(by_hgvs(text))).placement.spdi38 for text in exonic[:200]]
    found = [identifier.identify(text).placement.spdi38 for text in exonic[:200]]
    agreeing = sum(a == b for a, b in zip(found, expected, strict=True))
    yield run.shared("hgvs_argument_agreement", agreeing, len(expected), "hgvs")
    new, peer = compare(over(identifier.identify, exonic), over(by_hgvs, exonic))
    yield run.speedup("hgvs_argument_beside_hgvs", new, peer, "hgvs", unit="ms", target=at_least(1))


def _alone(run: Run, genome: Genome, texts: Sequence[str]) -> Iterator[Reported]:
    """Measure new arguments, arguments that were asked before, and those on a chromosome."""
    forgetful = Identifier(genome.placer, genome.transcripts, size=0)
    remembering = Identifier(genome.placer, genome.transcripts, size=2 * len(texts))
    genomic = [str(remembering.identify(text).placement.canonical) for text in texts]
    new, known, direct = compare(
        over(forgetful.identify, texts), over(remembering.identify, texts), over(forgetful.identify, genomic)
    )
    yield run.plain("hgvs_argument_new", new.median * 1e3, "ms", target=at_most(5), n=len(new.seconds))
    yield run.plain("hgvs_argument_known", known.median * 1e6, "µs", target=at_most(50), n=len(known.seconds))
    yield run.plain("hgvs_argument_spdi", direct.median * 1e3, "ms", n=len(direct.seconds))


def _first(run: Run, genome: Genome, folder: Path, texts: Sequence[str]) -> Iterator[Reported]:
    """Measure the first argument after the file of transcripts was opened."""

    def first(text: str) -> None:
        Identifier(genome.placer, TranscriptFiles(folder), size=1).identify(text)

    asked, _ = compare(over(first, texts), over(Identifier(genome.placer, genome.transcripts, size=0).identify, texts))
    yield run.plain("hgvs_argument_first", asked.median * 1e3, "ms", target=at_most(5), n=len(asked.seconds))
