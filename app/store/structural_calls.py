"""Reading structural calls: all chunks of some call sets on some chromosomes, in one statement."""

from __future__ import annotations

from collections.abc import Iterable

from app.store import structural_codec
from app.store.session import Session
from app.store.structural_codec import StructuralChunk

Key = tuple[int, int, int]
"""Shard, call set and contig"""


def read_chunks(session: Session, wanted: Iterable[Key]) -> dict[tuple[int, int], list[StructuralChunk]]:
    """Return chunks by (call set, contig), in the order of their ingest."""
    keys = list(dict.fromkeys(wanted))
    if not keys:
        return {}
    names = ("shard", "call_set", "contig")
    table, parameters = session.integer_rows(names, list(zip(*keys, strict=True)))
    rows = session.run(
        f"select c.call_set_id, c.contig, c.data from {table} k cross join structural_chunk c where c.shard = k.shard"
        " and c.call_set_id = k.call_set and c.contig = k.contig order by k.i, c.part",
        parameters,
    )
    found: dict[tuple[int, int], list[StructuralChunk]] = {}
    for call_set_id, contig, data in rows:
        found.setdefault((call_set_id, contig), []).append(structural_codec.decode(data))
    return found


def contigs_of(session: Session, shard: int, call_set_id: int) -> list[int]:
    """Return the contigs on which a call set has structural calls, ascending."""
    rows = session.run(
        "select distinct contig from structural_chunk where shard = :shard and call_set_id = :id order by contig",
        {"shard": shard, "id": call_set_id},
    )
    return [row[0] for row in rows]
