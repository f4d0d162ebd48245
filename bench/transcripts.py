"""Made-up transcripts on a made-up genome, and descriptions of changes along them."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson

from app.operations.context import Genome
from app.records import Build
from app.variants.accessions import accession
from app.variants.transcript_bases import transcript_bases
from app.variants.transcript_files import TranscriptFiles, add_transcripts
from bench.genomes import CONTIG, SyntheticGenome, synthetic_genome
from bench.stores import workspace

PER_TRANSCRIPT = 10
_TRANSCRIPTS = {"s": 200, "m": 1_000, "l": 5_000}
_BASES = 2_000_000
_EXON, _INTRON = 150, 900


@contextmanager
def made_up_transcripts(size: str) -> Iterator[tuple[Path, Genome, Sequence[str]]]:
    """Make a genome with transcripts; yield their folder, the genome, and the accessions."""
    made = synthetic_genome(_BASES, seed=19)
    with workspace() as folder:
        located = made.in_memory(folder)
        records = dict(_records(made, _TRANSCRIPTS[size]))
        path = folder / "transcripts.json"
        path.write_bytes(orjson.dumps({"cdot_version": "0", "genome_builds": list(Build), "transcripts": records}))
        add_transcripts(folder, path)
        yield folder, Genome(located.references, located.liftover, TranscriptFiles(folder)), list(records)


def _records(made: SyntheticGenome, count: int) -> Iterator[tuple[str, dict[str, Any]]]:
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
    for number in range(PER_TRANSCRIPT):
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
