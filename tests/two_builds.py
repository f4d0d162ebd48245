"""Small genomes for tests: made-up sequence on one chromosome of both builds, and chains between them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from app.operations.context import Genome
from app.records import Build
from app.variants.accessions import accession
from app.variants.liftover import Chain, ChainSource, Liftover
from app.variants.reference import InMemoryReference
from app.variants.segments import Segments

B37, B38 = Build.GRCH37, Build.GRCH38


@dataclass(frozen=True)
class Block:
    """``size`` bases that lie at ``start37`` and, perhaps turned round, at ``start38``."""

    start37: int
    start38: int
    size: int
    reverse: bool = False

    def segment(self, source: Build) -> tuple[int, int, int, int]:
        here, there = (self.start37, self.start38) if source is B37 else (self.start38, self.start37)
        image = there + self.size - 1 if self.reverse else there
        return here, here + self.size, image, -1 if self.reverse else 1


def genome(
    blocks: Sequence[Block],
    sequences: Mapping[Build, Sequence[tuple[int, str]]] | None = None,
    *,
    contig: int = 1,
) -> Genome:
    """Return a genome with chains in both directions and, for each build, stretches of (start, bases)."""
    chains = [
        Chain(
            ChainSource("test.chain", source, source.other, "0" * 64),
            {contig: Segments.of([block.segment(source) for block in blocks])},
        )
        for source in Build
    ]
    references = {
        build: InMemoryReference({accession(build, contig): list(stretches)})
        for build, stretches in (sequences or {}).items()
    }
    return Genome(references, Liftover(chains))


def bases(seed: int, size: int) -> str:
    """Return random sequence, the same for the same seed."""
    return np.random.default_rng(seed).choice(np.frombuffer(b"ACGT", np.uint8), size).tobytes().decode()
