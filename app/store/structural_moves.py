"""Giving structural sites another place on the build that they were not reported on.

What a site is follows from its report alone, so sites neither merge nor part, and carriers stay: its row, the index of
places and the chunks of everybody who has it change together, those of unfinished ingests too, since answers about
subjects and about the population must rest on one place. Runs inside the writer's transaction. Positions are
zero-based, half-open.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import astuple, replace

import numpy as np

from app.store import structural_codec, structural_sites
from app.store.session import Session
from app.store.structural_codec import ENDS, StructuralChunk
from app.store.structural_sites import Ints, StructuralSite

_NOWHERE = (-1,) * len(ENDS)


def move(session: Session, contig: int, moved: Mapping[int, StructuralSite]) -> int:
    """Store sites of one contig, by id, with the place on the other build that they have now.

    Returns how many call sets have calls of them.
    """
    if not moved:
        return 0
    structural_sites.replace_other(session, moved)
    holders = session.run(
        "select distinct shard, call_set_id from structural_chunk where contig = :contig", {"contig": contig}
    )
    ids = np.array(sorted(moved), dtype=np.int64)
    return sum(_rewrite(session, (shard, call_set_id, contig), ids, moved) for shard, call_set_id in holders)


def _rewrite(session: Session, place: tuple[int, int, int], ids: Ints, moved: Mapping[int, StructuralSite]) -> bool:
    """Write the chunks of one call set that have a moved site, and return whether there are any."""
    rows = session.run(
        "select part, data from structural_chunk where shard = :shard and call_set_id = :id and contig = :contig",
        dict(zip(("shard", "id", "contig"), place, strict=True)),
    )
    changed = []
    for part, data in rows:
        chunk = structural_codec.decode(data)
        hit = np.flatnonzero(np.isin(chunk.site, ids))
        if len(hit):
            changed.append((structural_codec.encode(_moved(chunk, hit, moved)), *place, part))
    where = "where shard = ? and call_set_id = ? and contig = ? and part = ?"
    session.run_many(f"update structural_chunk set data = ? {where}", changed)
    return bool(changed)


def _moved(chunk: StructuralChunk, hit: Ints, moved: Mapping[int, StructuralSite]) -> StructuralChunk:
    other = chunk.other.copy()
    for row in hit.tolist():
        extent = moved[int(chunk.site[row])].other
        other[:, row] = astuple(extent) if extent is not None else _NOWHERE
    return replace(chunk, other=other)
