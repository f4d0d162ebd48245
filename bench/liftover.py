"""Places taken to the other build by synthetic chains: the product beside pyliftover."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from pyliftover import LiftOver

from app.records import Build, LiftStatus
from app.variants.accessions import display
from app.variants.liftover import Chain
from bench.genomes import CONTIG, blocks, chain_text
from bench.measure import compare, over
from bench.report import Reported, Run, at_least
from bench.stores import workspace

_BLOCKS = 3_000
_PLACES = {"s": 20_000, "m": 100_000, "l": 500_000}


def measure(size: str, engine: str) -> Iterator[Reported]:
    """Yield the rates of a batch and of one place at a time, and how many places are those of pyliftover."""
    run = Run(size)
    found = blocks(_BLOCKS, seed=13)
    with workspace() as folder:
        path = folder / "synthetic.chain"
        path.write_bytes(chain_text(found, Build.GRCH37))
        chain = Chain.load(path, Build.GRCH37, Build.GRCH38)
        peer = LiftOver(str(path))
    last = found[-1]
    places = np.sort(np.random.default_rng(17).integers(0, last.start37 + last.size + 10_000, _PLACES[size]))
    name, listed = display(CONTIG), places.tolist()

    def by_pyliftover(place: int) -> int:
        hits = peer.convert_coordinate(name, place)
        return hits[0][1] if hits else -1

    lifted = chain.lift_batch(CONTIG, places, places + 1)
    ours = np.where(lifted.status == LiftStatus.OK, lifted.start, -1).tolist()
    agreeing = sum(a == by_pyliftover(place) for a, place in zip(ours, listed, strict=True))
    yield run.shared("liftover_agreement", agreeing, len(listed), "pyliftover")

    def batch() -> int:
        for _ in range(5):
            chain.lift_batch(CONTIG, places, places + 1)
        return 5 * len(places)

    together, theirs = compare(batch, over(by_pyliftover, listed))
    yield run.speedup("liftover_batch", together, theirs, "pyliftover", unit="µs", target=at_least(20))
    alone, theirs = compare(
        over(lambda place: chain.lift_interval(CONTIG, place, place + 1), listed), over(by_pyliftover, listed)
    )
    yield run.speedup("liftover_one", alone, theirs, "pyliftover", unit="µs")
