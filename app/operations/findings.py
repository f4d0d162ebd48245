"""What of a subject an implication can be derived from: calls of variants, by variant, with their Observations."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from app.fhir.observation import VARIANT_PART, render_variants
from app.operations.matching import Lookups, Segment, looked_up
from app.operations.rendering import Naming, facts_of, number_repeated, variant_rows
from app.store import calls, variants
from app.store.calls import CallSet, Stretch, bin_runs
from app.store.carrier_sets import is_in
from app.store.codec import BIN
from app.store.session import Session


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """An Observation that something is derived from; findings sort by place, on their own build, and id."""

    contig: int
    start: int
    id: str
    resource: str
    name: str = "variant"
    """Of the part or parameter that holds it"""
    beside: tuple[tuple[str, str], ...] = ()
    """(name, resource) of what it is derived from itself"""


def calls_of(
    session: Session, call_sets: Sequence[CallSet], variant_ids: Sequence[int]
) -> tuple[list[Segment], Lookups]:
    """Return the calls of some variants in some call sets, in two statements."""
    placements = variants.placements_of(session, variant_ids)
    stretches = [
        Stretch(call_set.shard, call_set.call_set_id, placement.contig, bin_runs([(spdi.position, spdi.position)]))
        for placement in placements.values()
        for call_set in call_sets
        if (spdi := placement.on(call_set.build)) is not None
    ]
    chunks = calls.read_chunks(session, stretches)
    wanted = np.array(sorted(placements), dtype=np.int64)
    by_id = {call_set.call_set_id: call_set for call_set in call_sets}
    segments = []
    for (call_set_id, contig), found in chunks.items():
        for bin_, chunk in found:
            # A call that reaches into a further bin is stored there, too.
            rows = np.flatnonzero(is_in(chunk.variant, wanted) & (chunk.start // BIN == bin_))
            if len(rows):
                segments.append(Segment(by_id[call_set_id], contig, chunk, rows, chunk.start[rows]))
    return segments, looked_up(session, chunks)


def distinct(segments: Iterable[Segment]) -> list[Segment]:
    """Return some calls with each of them once, however many ranges or variants they were found by."""
    merged: dict[int, Segment] = {}
    for segment in segments:
        known = merged.get(id(segment.chunk))
        rows = segment.rows if known is None else np.union1d(known.rows, segment.rows)
        merged[id(segment.chunk)] = Segment(
            segment.call_set, segment.contig, segment.chunk, rows, segment.chunk.start[rows]
        )
    return list(merged.values())


def present_in(segments: Iterable[Segment]) -> set[int]:
    """Return the variants that some calls are of."""
    return {variant_id for segment in segments for variant_id in segment.chunk.variant[segment.rows].tolist()}


def only(segments: Iterable[Segment], variant_ids: Iterable[int]) -> list[Segment]:
    """Return those calls that are of some variants."""
    wanted = np.array(sorted(variant_ids), dtype=np.int64)
    chosen = []
    for segment in segments:
        kept = is_in(segment.chunk.variant[segment.rows], wanted)
        if kept.any():
            chosen.append(
                Segment(segment.call_set, segment.contig, segment.chunk, segment.rows[kept], segment.starts[kept])
            )
    return chosen


def rendered(segments: Sequence[Segment], lookups: Lookups, naming: Naming | None) -> dict[int, list[Finding]]:
    """Return the Observations of some calls, each call once, by variant and in order."""
    rows = [variant_rows(segment, lookups, naming) for segment in segments]
    number_repeated(rows)
    found: dict[int, dict[str, Finding]] = {}
    for segment, row in zip(segments, rows, strict=True):
        texts = render_variants(facts_of(segment), row)
        variant_ids = segment.chunk.variant[segment.rows].tolist()
        starts = segment.chunk.start[segment.rows].tolist()
        for variant_id, start, id_, text in zip(variant_ids, starts, row.ids, texts, strict=True):
            resource = text[len(VARIANT_PART) : -1]
            found.setdefault(variant_id, {})[id_] = Finding(segment.contig, start, id_, resource)
    return {variant_id: sorted(by_id.values()) for variant_id, by_id in found.items()}
