"""A synthetic stretch of one chromosome on both builds, with the chains between them; fixed seeds, no downloads.

The two builds share blocks of sequence. Between blocks one build has bases that the other lacks, a few blocks are
inverted, and a few bases differ. Short tandem repeats lie all along, because indels that cannot roll prove nothing.
Positions are zero-based, half-open.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from app.operations.context import Genome
from app.records import Build
from app.variants.accessions import accession, display, length
from app.variants.liftover import Liftover, add_chain, load_liftover
from app.variants.reference import FastaReference, InMemoryReference, add_fasta

CONTIG = 1
_BEGIN = {Build.GRCH37: 10_000, Build.GRCH38: 30_000}
_LETTERS = np.frombuffer(b"ACGT", np.uint8)
_COMPLEMENT = np.zeros(256, np.uint8)
_COMPLEMENT[_LETTERS] = np.frombuffer(b"TGCA", np.uint8)
_BETWEEN_REPEATS = 200
_BETWEEN_CHANGES = 20_000
_MEAN_BLOCK = 40_000
_INVERTED_EVERY = 25


@dataclass(frozen=True, slots=True)
class Block:
    """``size`` bases from ``start37`` on GRCh37 are those from ``start38`` on GRCh38, reverse-complemented if told."""

    start37: int
    start38: int
    size: int
    reverse: bool

    def start(self, build: Build) -> int:
        """Return where the block begins on a build."""
        return self.start37 if build is Build.GRCH37 else self.start38


def blocks(count: int, seed: int, *, mean: int = _MEAN_BLOCK) -> list[Block]:
    """Return blocks in the order of both builds, with gaps between them and every 25th one inverted."""
    random = np.random.default_rng(seed)
    sizes = np.maximum(50, random.exponential(mean, count)).astype(int).tolist()
    gaps = random.integers(1, 2000, (count, 2)) * (random.random((count, 2)) < 0.6)
    found: list[Block] = []
    at37, at38 = _BEGIN[Build.GRCH37], _BEGIN[Build.GRCH38]
    for number, (size, (gap37, gap38)) in enumerate(zip(sizes, gaps.tolist(), strict=True)):
        found.append(Block(at37, at38, size, reverse=number % _INVERTED_EVERY == _INVERTED_EVERY - 1))
        at37, at38 = at37 + size + gap37, at38 + size + gap38
    return found


def chain_text(found: Sequence[Block], source: Build, contig: int = CONTIG) -> bytes:
    """Return the blocks as a chain file that leads away from ``source``.

    Format: https://genome.ucsc.edu/goldenPath/help/chain.html
    """
    target = source.other
    forward = [block for block in found if not block.reverse]
    chains = [_chain(forward, source), *(_chain([block], source) for block in found if block.reverse)]
    name, sizes = display(contig), {build: length(build, contig) for build in Build}
    out = []
    for number, (chain, reverse) in enumerate(chains, 1):
        first, last = chain[0], chain[-1]
        low, high = first[1], last[1] + last[2]
        if reverse:
            low, high = sizes[target] - high, sizes[target] - low
        out.append(
            f"chain {1000 * (len(chains) - number + 1)} {name} {sizes[source]} + {first[0]} {last[0] + last[2]}"
            f" {name} {sizes[target]} {'-' if reverse else '+'} {low} {high} {number}\n"
        )
        for here, there in pairwise(chain):
            out.append(f"{here[2]}\t{there[0] - here[0] - here[2]}\t{there[1] - here[1] - here[2]}\n")
        out.append(f"{last[2]}\n\n")
    return "".join(out).encode()


def _chain(members: Sequence[Block], source: Build) -> tuple[list[tuple[int, int, int]], bool]:
    rows = [(block.start(source), block.start(source.other), block.size) for block in members]
    return rows, members[0].reverse


@dataclass(frozen=True, slots=True)
class SyntheticGenome:
    """The stretch of sequence of each build, and the blocks that they share."""

    blocks: Sequence[Block]
    stretches: dict[Build, tuple[int, str]]
    """First position and bases"""

    def sequence(self, build: Build) -> tuple[int, str]:
        """Return the first position of a build's stretch, and its bases."""
        return self.stretches[build]

    def in_memory(self, folder: Path, contigs: Sequence[int] = (CONTIG,)) -> Genome:
        """Return the genome for placing variants, sequences held as strings; ``folder`` takes the chain files.

        Every one of the contigs has the same bases.
        """
        references = {
            build: InMemoryReference({accession(build, contig): [stretch] for contig in contigs})
            for build, stretch in self.stretches.items()
        }
        return Genome(references, self._liftover(folder, contigs))

    def on_disk(self, folder: Path, *, whole: bool = False) -> Genome:
        """Return the genome as a server has it, sequences read from the files that the product keeps.

        They are windows of the chromosome, or all of it with N around the stretch.
        """
        folder.mkdir(parents=True, exist_ok=True)
        for build, (start, bases) in self.stretches.items():
            path = folder / f"{build}.fa"
            with path.open("w", encoding="ascii") as stream:
                if whole:
                    stream.write(f">{accession(build, CONTIG)}\n{'N' * start}")
                    stream.write(f"{bases}{'N' * (length(build, CONTIG) - start - len(bases))}\n")
                else:
                    stream.write(f">{accession(build, CONTIG)}:{start + 1}-{start + len(bases)}\n{bases}\n")
            add_fasta(folder / build.value, build, path)
            path.unlink()
        self._liftover(folder)
        return open_on_disk(folder)

    def _liftover(self, folder: Path, contigs: Sequence[int] = (CONTIG,)) -> Liftover:
        folder.mkdir(parents=True, exist_ok=True)
        for build in Build:
            path = folder / f"from_{build}.chain"
            path.write_bytes(b"".join(chain_text(self.blocks, build, contig) for contig in contigs))
            add_chain(folder, build, build.other, path)
        return load_liftover(folder)


def open_on_disk(folder: Path) -> Genome:
    """Return the genome whose files an earlier ``SyntheticGenome.on_disk`` left."""
    return Genome({build: FastaReference(folder / build.value) for build in Build}, load_liftover(folder))


def synthetic_genome(bases: int, *, seed: int = 11) -> SyntheticGenome:
    """Return a genome whose stretch has at least so many bases on either build, and few more."""
    random = np.random.default_rng(seed)
    wanted = max(_BEGIN.values()) + bases
    plenty = blocks(10 + 2 * bases // _MEAN_BLOCK, seed)
    found = plenty[: next(n for n, block in enumerate(plenty, 1) if block.start37 + block.size >= wanted)]
    last = found[-1]
    codes37 = random_bases(last.start37 + last.size - _BEGIN[Build.GRCH37], random)
    codes38 = random_bases(last.start38 + last.size - _BEGIN[Build.GRCH38], random)
    for block in found:
        at37, at38 = block.start37 - _BEGIN[Build.GRCH37], block.start38 - _BEGIN[Build.GRCH38]
        shared = codes37[at37 : at37 + block.size]
        codes38[at38 : at38 + block.size] = _COMPLEMENT[shared[::-1]] if block.reverse else shared
    changed = random.integers(0, len(codes38), len(codes38) // _BETWEEN_CHANGES)
    codes38[changed] = _LETTERS[random.integers(0, 4, len(changed))]
    return SyntheticGenome(
        found,
        {
            Build.GRCH37: (_BEGIN[Build.GRCH37], codes37.tobytes().decode()),
            Build.GRCH38: (_BEGIN[Build.GRCH38], codes38.tobytes().decode()),
        },
    )


def random_bases(count: int, random: np.random.Generator) -> NDArray[np.uint8]:
    """Return bases as ASCII codes, with a tandem repeat (unit of 1–3 bases, 4–24 copies) every 200 bases or so."""
    codes = _LETTERS[random.integers(0, 4, count, dtype=np.uint8)]
    for at, unit, copies in _repeats(count, random):
        codes[at : at + unit * copies] = np.tile(codes[at : at + unit], copies)
    return codes


def _repeats(count: int, random: np.random.Generator) -> Iterator[tuple[int, int, int]]:
    places = np.arange(0, count - 2 * _BETWEEN_REPEATS, _BETWEEN_REPEATS)
    places = places + random.integers(0, _BETWEEN_REPEATS - 75, len(places))
    units, copies = random.integers(1, 4, len(places)), random.integers(4, 25, len(places))
    return zip(places.tolist(), units.tolist(), copies.tolist(), strict=True)
