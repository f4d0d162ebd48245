"""What the records of one sample tell of the places that its test studied, block by block.

Positions are zero-based, half-open.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from app.formats.genotype import Genotype
from app.formats.vcf_block import RecordBlock
from app.store.coverage import CALLED, UNCALLED
from app.store.studies import Regions
from app.variants.placed_batch import CONTRADICTS, PlacedBatch
from app.variants.regions import Stretches, joined, union


def regions_of(
    block: RecordBlock, batch: PlacedBatch | None, genotypes: Sequence[Genotype], *, has_blocks: bool
) -> dict[str, Regions]:
    """Return the regions that a block tells of, by kind.

    Reference blocks leave gaps at variants: in a file that has such blocks a complete call fills its gap, another one
    is a place that was not called. Elsewhere the calls themselves say it.
    """
    called, uncalled = [block.regions.called], [block.regions.uncalled]
    if batch is not None:
        wrong = batch.ref_check == CONTRADICTS
        if wrong.any():
            uncalled.append(_spans(block, np.flatnonzero(wrong)))
        if has_blocks:
            incomplete = np.array(["." in genotype.text for genotype in genotypes], np.bool_)[block.genotype]
            called.append(_spans(block, block.row[~incomplete & ~wrong[block.row]]))
            uncalled.append(_spans(block, block.row[incomplete]))
    found = {CALLED: joined(called), UNCALLED: joined(uncalled)}
    return {kind: {block.contig: stretches} for kind, stretches in found.items() if len(stretches[0])}


def _spans(block: RecordBlock, rows: np.ndarray[tuple[int], np.dtype[np.integer]]) -> Stretches:
    """Return the places of some variant rows as reported."""
    starts = block.positions[rows]
    return union(starts, starts + np.array([len(block.refs[row]) for row in rows.tolist()], np.int64))
