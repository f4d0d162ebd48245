"""What one variant argument costs: HGVS along a transcript and on a chromosome, new and asked before.

The transcripts, the sequences and the chains are made up; the peer is the ``hgvs`` package with the same data.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import orjson
from hgvs.assemblymapper import AssemblyMapper
from hgvs.parser import Parser

from app.operations.context import Genome
from app.records import Build
from app.variants.accessions import accession
from app.variants.hgvs_provider import ALIGNED, LocalProvider
from app.variants.identify import Identifier
from app.variants.transcript_bases import transcript_bases
from app.variants.transcript_files import TranscriptFiles, add_transcripts
from bench.genomes import CONTIG, SyntheticGenome, synthetic_genome
from bench.measure import compare, over
from bench.report import Reported, Run, at_least, at_most
from bench.stores import workspace

TRANSCRIPTS = {"s": 200, "m": 1_000, "l": 5_000}
_PER_TRANSCRIPT = 10
BASES = 2_000_000
_EXON, _INTRON = 150, 900


def measure(size: str, engine: str) -> Iterator[Reported]:
    """Yield the cost of a new argument beside ``hgvs``, of a known one, and of the first one of a transcript."""
    run = Run(size)
    made = synthetic_genome(BASES, seed=19)
    with workspace() as folder:
        located = made.in_memory(folder)
        records = dict(transcript_records(made, TRANSCRIPTS[size]))
        path = folder / "transcripts.json"
        path.write_bytes(orjson.dumps({"cdot_version": "0", "genome_builds": list(Build), "transcripts": records}))
        add_transcripts(folder, path)
        genome = Genome(located.references, located.liftover, TranscriptFiles(folder))
        texts = [text for name in records for text in descriptions(name, genome)]
        yield from _beside_hgvs(run, genome, texts)
        yield from _alone(run, genome, texts)
        yield from _first(run, genome, folder, texts[::_PER_TRANSCRIPT])


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


def transcript_records(made: SyntheticGenome, count: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield transcripts of 3 to 30 exons within blocks that both builds have, as cdot has them."""
    picked = random.Random(23)
    room = [block for block in made.blocks if not block.reverse and block.size > 4 * (_EXON + _INTRON)]
    for number in range(count):
        block = picked.choice(room)
        exons = min(picked.randint(3, 30), block.size // (_EXON + _INTRON) - 1)
        offset = picked.randrange(block.size - exons * (_EXON + _INTRON))
        strand = picked.choice("+-")
        name = f"NM_{number:06}.1"
        places = {
            build.value: _place(build, block.start(build) + offset, exons, reverse=strand == "-") for build in Build
        }
        codons = {"start_codon": 20, "stop_codon": 20 + 3 * ((exons * _EXON - 40) // 3)}
        yield name, {"id": name, "gene_name": f"G{number}", "genome_builds": places, **codons}


def _place(build: Build, start: int, exons: int, *, reverse: bool) -> dict[str, Any]:
    starts = [start + number * (_EXON + _INTRON) for number in range(exons)]
    ordered = starts[::-1] if reverse else starts
    rows = [
        [at, at + _EXON, number, 1 + number * _EXON, (number + 1) * _EXON, None] for number, at in enumerate(ordered)
    ]
    return {"contig": accession(build, CONTIG), "strand": "-" if reverse else "+", "exons": rows}


def descriptions(name: str, genome: Genome) -> Iterator[str]:
    """Yield a few changes of each kind along one transcript."""
    transcript = genome.transcripts.get(name)
    assert transcript is not None
    bases = transcript_bases(transcript, genome.references, 0, transcript.length) or ""
    cds_start, _ = transcript.cds or (0, 0)
    picked = random.Random(name)
    last_of_exon = _EXON - cds_start
    for number in range(_PER_TRANSCRIPT):
        # Well within an exon, so that no change spans two.
        at = picked.randrange(transcript.length // _EXON - 1) * _EXON + picked.randrange(30, _EXON - 10)
        base = bases[at]
        other = picked.choice([letter for letter in "ACGT" if letter != base])
        c = at - cds_start + 1
        yield (
            name
            + (
                f":c.{c}{base}>{other}",
                f":c.{c}_{c + 2}del",
                f":c.{c}_{c + 1}ins{other}",
                f":c.{c}dup",
                f":c.{c}_{c + 3}delins{other}",
                f":c.{c}{base}>{other}",
                f":c.{c}del",
                f":c.{last_of_exon}+{picked.randrange(5, 50)}_{last_of_exon}+{picked.randrange(60, 90)}del",
                f":c.{c}_{c + 4}inv",
                f":c.{last_of_exon}+{picked.randrange(5, 50)}dup",
            )[number]
        )
