"""Examining carried variants for consequences, so that questions by terms alone find them.

Batches are transactions of their own: what was interrupted goes on where it stopped. Most variants of a genome are far
from any exon; these are sifted as columns, and only the others become objects.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pyroaring import BitMap64

from app.errors import NotInstalled
from app.formats.annotations import AT_A_DISTANCE
from app.records import Build
from app.store import computed, consequence_sets, variants
from app.store.session import Database, Session
from app.variants.accessions import MT
from app.variants.consequence import Predictor
from ingest.progress import Progress
from ingest.workspace import Workspace

_BATCH = 50_000


@dataclass(frozen=True, slots=True)
class ComputeReport:
    """How many variants were examined, and how many of them are near an exon."""

    examined: int
    near: int
    seconds: float

    def line(self) -> str:
        """Return the report for people."""
        return f"{self.examined:,} variants examined, {self.near:,} of them near an exon, in {self.seconds:.1f} s"


def compute(
    workspace: Workspace, progress: Progress, *, anew: bool = False, leaving: BitMap64 | None = None
) -> ComputeReport:
    """Examine the carried variants that wait and of which no consequence is stated, or all of them ``anew``.

    Those of ``leaving`` go on waiting.

    Raises:
        NotInstalled: no transcripts are loaded.
        Busy: an ingest holds the store.
    """
    predictor = workspace.genome.predictor()
    if predictor is None:
        raise NotInstalled("There are no transcripts to compute consequences by: operon reference add-transcripts")
    began = time.monotonic()
    examined = near = 0
    database = workspace.database
    with database.sole_writer():
        with database.write() as session:
            computed.begin(session, workspace.genome.consequence_version(), anew=anew)
            todo = computed.waiting(session) - consequence_sets.active(session) - (leaving or BitMap64())
        with progress.file("consequences", len(todo)) as bar:
            ids = np.array(todo.to_array(), dtype=np.int64)
            for low in range(0, len(ids), _BATCH):
                near += _examine(database, predictor, ids[low : low + _BATCH])
                examined = min(len(ids), low + _BATCH)
                bar.at(examined)
    return ComputeReport(examined, near, time.monotonic() - began)


def waiting_before(workspace: Workspace) -> BitMap64 | None:
    """Return what waits before an ingest; None if its new variants cannot be examined by themselves.

    So it is without transcripts, and where all variants wait because transcripts or sequences have changed.
    """
    if workspace.genome.transcripts.is_empty:
        return None
    with workspace.database.read() as session:
        known = computed.release(session)
        if known is not None and known.version != workspace.genome.consequence_version():
            return None
        return computed.waiting(session)


def compute_new(workspace: Workspace, progress: Progress, before: BitMap64 | None) -> None:
    """Examine the variants that an ingest brought, given what ``waiting_before`` returned."""
    if before is not None:
        with workspace.database.read() as session:
            new = computed.waiting(session) - before
        if new:
            compute(workspace, progress, leaving=before)


def _examine(database: Database, predictor: Predictor, ids: NDArray[np.int64]) -> int:
    with database.write() as session:
        near = _near(session, predictor, ids)
        found: dict[str, BitMap64] = {}
        for variant_id, placement in variants.placements_of(session, near).items():
            if placement.justified:
                terms = {term for one in predictor.predict(placement.canonical) for term in one.terms}
                for term in terms - AT_A_DISTANCE:
                    found.setdefault(term, BitMap64()).add(variant_id)
        computed.record(session, BitMap64(ids.astype(np.uint64)), dict(sorted(found.items())))
    return len(near)


def _near(session: Session, predictor: Predictor, ids: NDArray[np.int64]) -> list[int]:
    """Return the variants that touch an exon or the bases beside one."""
    places = variants.canonical_places(session, ids.tolist())
    found: list[int] = []
    for on38, build in ((1, Build.GRCH38), (0, Build.GRCH37)):
        for contig in np.unique(places[1][places[2] == on38]).tolist():
            here = (places[1] == contig) & (places[2] == on38)
            some, starts, ends = places[0][here], places[3][here], places[4][here]
            hits = predictor.exonic_rows(build, contig, starts, ends)
            if contig == MT:
                hits |= predictor.exonic_rows(build.other, contig, starts, ends)
            found += some[hits].tolist()
    return sorted(found)
