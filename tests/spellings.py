"""Made-up VCFs full of repeats, in which the same changes are spelled in many ways, on two builds that differ."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from app.operations.context import Genome
from app.records import Build, SourceClass
from app.store.codec import BIN
from app.variants.liftover import Liftover
from app.variants.spdi import reverse_complement
from tests.small_store import SmallStore
from tests.two_builds import B37, B38, Block, genome
from tests.vcf_files import header

SIZE = 3000
# Each build's sequence lies over the border of two bins, but not the same part of it.
LOW = {B37: BIN - 1500, B38: 2 * BIN - 1000}
PARTS = ("GRCh37", "GRCh38", "GRCh37 to GRCh38", "GRCh38 to GRCh37")
"""What may be loaded: the sequence of each build, and the chains of each direction"""


@dataclass(frozen=True)
class World:
    """Both builds: equal but for some bases and a stretch between the blocks, the second of which is turned round."""

    genome: Genome
    sequence: dict[Build, str]
    differing: dict[Build, list[int]]
    """Where the other build has another base"""

    def with_parts(self, parts: Sequence[str]) -> Genome:
        """Return the genome as far as it is loaded."""
        references = {build: reference for build, reference in self.genome.references.items() if build.value in parts}
        chains = [
            chain for chain in self.genome.liftover._chains.values() if f"{chain.source} to {chain.target}" in parts
        ]
        return Genome(references, Liftover(chains))


def world(seed: int) -> World:
    """Return two builds, the same for the same seed."""
    dice = random.Random(seed)
    on_37 = repetitive(dice, SIZE)
    changed = list(on_37)
    places = [*dice.sample(range(20, 1380), 8), *dice.sample(range(1720, SIZE - 20), 8)]
    for at in places:
        changed[at] = dice.choice([base for base in "ACGT" if base != changed[at]])
    copy = "".join(changed)
    on_38 = copy[:1400] + repetitive(dice, 200) + reverse_complement(copy[1700:])
    blocks = [
        Block(LOW[B37], LOW[B38], 1400),
        Block(LOW[B37] + 1700, LOW[B38] + 1600, 1300, reverse=True),
    ]
    sequence = {B37: on_37, B38: on_38}
    differing = {B37: places, B38: [at if at < 1400 else 1600 + SIZE - 1 - at for at in places]}
    loaded = {build: [(LOW[build], bases)] for build, bases in sequence.items()}
    return World(genome(blocks, loaded), sequence, differing)


def repetitive(dice: random.Random, size: int) -> str:
    """Return sequence of which half is short repeats."""
    text = ""
    while len(text) < size:
        if dice.random() < 0.5:
            text += "".join(dice.choices("ACGT", k=dice.randint(5, 30)))
        else:
            text += dice.choice(["A", "T", "CA", "AG", "TTC", "GATA"]) * dice.randint(3, 12)
    return text[:size]


@dataclass(frozen=True)
class File:
    """One VCF and what it is a test of."""

    text: str
    subjects: tuple[str, ...]
    build: Build
    test_id: str
    source_class: SourceClass
    keep_filtered: bool

    def ingest_into(self, store: SmallStore) -> None:
        store.ingest(
            self.text,
            *self.subjects,
            build=self.build,
            test=self.test_id,
            source_class=self.source_class,
            keep_filtered=self.keep_filtered,
            name=f"{self.test_id}.vcf",
        )


def files(seed: int, made: World) -> list[File]:
    """Return a few files on both builds, some of the same subjects."""
    dice = random.Random(seed + 1_000_000)
    found = []
    for number in range(dice.randint(2, 5)):
        build = dice.choice([B37, B38])
        subjects = tuple(dice.sample(["P1", "P2", "P3", "P4"], dice.randint(1, 3)))
        lines = _records(dice, made, build, len(subjects), dice.randint(5, 60))
        text = header(*subjects, build=build) + "".join(f"{line}\n" for line in lines)
        source_class = SourceClass.SOMATIC if dice.random() < 0.25 else SourceClass.GERMLINE
        found.append(File(text, subjects, build, f"T{number}", source_class, dice.random() < 0.3))
    return found


def _records(dice: random.Random, made: World, build: Build, samples: int, number: int) -> list[str]:
    low, bases = LOW[build], made.sequence[build]
    places = [dice.randrange(20, len(bases) - 20) for _ in range(number // 2)] + made.differing[build]
    found = []
    for _ in range(number):
        at = dice.choice(places) if dice.random() < 0.6 else dice.randrange(20, len(bases) - 20)
        position, ref, alt = spelled(dice, bases, *_change(dice, bases, at))
        alts = [alt, dice.choice("ACGT") + alt] if dice.random() < 0.15 else [alt]
        if ref in alts:
            continue
        cells = "\t".join(_cell(dice, len(alts)) for _ in range(samples))
        filters = dice.choice(["PASS", "PASS", "LowQual"])
        line = f"chr1\t{low + position + 1}\t.\t{ref}\t{','.join(alts)}\t50\t{filters}\t.\tGT:AD:DP:PS\t{cells}"
        found.append((position, line))
    return [line for _, line in sorted(found)]


def _change(dice: random.Random, bases: str, at: int) -> tuple[int, str, str]:
    kind = dice.random()
    if kind < 0.35:
        return at, bases[at], dice.choice([base for base in "ACGT" if base != bases[at]])
    if kind < 0.65:
        return at, bases[at : at + dice.randint(1, 4)], ""
    if kind < 0.9:
        return (
            at,
            "",
            bases[at : at + dice.randint(1, 4)] if dice.random() < 0.7 else "".join(dice.choices("ACGT", k=3)),
        )
    size = dice.randint(2, 4)
    return at, bases[at : at + size], "".join(dice.choices("ACGT", k=size))


def spelled(dice: random.Random, bases: str, at: int, ref: str, alt: str) -> tuple[int, str, str]:
    """Return a change written in one of its ways: moved along a repeat, with bases around it."""
    if not (ref and alt):
        allele, left = ref or alt, dice.random() < 0.5
        for _ in range(dice.choice([0, 2, 50])):
            if left and at > 5 and bases[at - 1] == allele[-1]:
                allele, at = allele[-1] + allele[:-1], at - 1
            elif not left and at + len(ref) < len(bases) - 5 and bases[at + len(ref)] == allele[0]:
                allele, at = allele[1:] + allele[0], at + 1
        ref, alt = (allele, "") if ref else ("", allele)
    before = dice.choice([0, 0, 1, 2]) if ref and alt else dice.choice([1, 1, 1, 2, 4])
    head, tail = bases[at - before : at], bases[at + len(ref) :][: dice.choice([0, 0, 2])]
    return at - before, head + ref + tail, head + alt + tail


def _cell(dice: random.Random, alts: int) -> str:
    genotype = dice.choice(["0/1", "0|1", "1|0", "1/1", "0/0", "./1", "1", *(["1/2", "0/2"] if alts > 1 else [])])
    depths = ",".join(str(dice.randint(0, 40)) for _ in range(alts + 1))
    return f"{genotype}:{depths}:{dice.choice(['.', dice.randint(1, 90)])}:{dice.choice(['.', 77])}"
