"""What the records of a file tell of the positions of pharmacogenes, for each of its samples.

A record of single bases tells of its own place; a record of an insertion or deletion tells of a position when one of
its ALTs is an allele there, however it is spelled, or when it has the position's very REF and no ALT. Positions are
zero-based, half-open.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

import numpy as np

from app.errors import CannotNormalize
from app.formats.vcf_watch import REFERENCE, UNCALLED, WINDOW, Told, Watch
from app.operations.pgx_places import Key, Place, Places
from app.records import Build
from app.store.coverage import CHECKED_CHANGES, CHECKED_SITES, MISSED_SITES
from app.store.studies import Regions
from app.variants.accessions import accession
from app.variants.normalize import justify, trim
from app.variants.placement import Placer
from app.variants.regions import stretches

NOTHING_TOLD: dict[int, dict[str, Regions]] = {}


class DefiningSites:
    """The positions of the active definitions on one build."""

    def __init__(self, places: Places, build: Build, placer: Placer) -> None:
        self.watch: Watch = places.watch(build)
        self._build = build
        self._placer = placer
        self._changes: dict[tuple[int, Key], list[Place]] = defaultdict(list)
        self._refs: dict[tuple[int, int, str], list[Place]] = defaultdict(list)
        for place in places.known(build):
            if place.is_single:
                continue
            self._refs[place.contig, place.start, place.ref].append(place)
            for change in place.changes:
                for key in change.keys:
                    self._changes[place.contig, key].append(place)

    def everywhere(self) -> Regions:
        """Return every place that is watched, as intervals by contig."""
        pairs: dict[int, list[tuple[int, int]]] = defaultdict(list)
        for contig, starts in self.watch.places.items():
            pairs[contig] += [(start, start + 1) for start in starts]
        for contig, windows in self.watch.windows.items():
            pairs[contig] += [(window << WINDOW, (window + 1) << WINDOW) for window in windows]
        return {contig: stretches(found) for contig, found in pairs.items()}

    def regions_of(self, contig: int, told: Sequence[Told], *, single: bool) -> dict[int, dict[str, Regions]]:
        """Return what the records of one block tell, by sample and kind of region.

        Of the only sample of a file (``single``) its own regions say what there is of single bases.
        """
        if not told:
            return NOTHING_TOLD
        found: dict[tuple[int, str], list[tuple[int, int]]] = defaultdict(list)
        for record in told:
            changes = self._told_changes(contig, record)
            bases = [] if single else self._told_bases(record)
            for verdict, kind, intervals in (
                (REFERENCE, CHECKED_CHANGES, changes),
                (REFERENCE, CHECKED_SITES, bases),
                (UNCALLED, MISSED_SITES, [*changes, *bases, (record.position, record.position + len(record.ref))]),
            ):
                if intervals:
                    for sample in np.flatnonzero(record.verdicts == verdict).tolist():
                        found[sample, kind] += intervals
        regions: dict[int, dict[str, Regions]] = defaultdict(dict)
        for (sample, kind), pairs in found.items():
            regions[sample][kind] = {contig: stretches(pairs)}
        return regions

    @staticmethod
    def _told_bases(record: Told) -> list[tuple[int, int]]:
        if len(record.ref) != 1 or any(len(alt) != 1 for alt in record.alts):
            return []
        return [(record.position, record.position + 1)]

    def _told_changes(self, contig: int, record: Told) -> list[tuple[int, int]]:
        places: Iterable[Place]
        if record.alts:
            keys = {
                key for alt in record.alts if alt not in {"*", record.ref} for key in self._keys(contig, record, alt)
            }
            places = [place for key in keys for place in self._changes.get((contig, key), ())]
        else:
            places = self._refs.get((contig, record.position, record.ref), ()) if len(record.ref) > 1 else ()
        return [(place.start, place.end) for place in places]

    def _keys(self, contig: int, record: Told, alt: str) -> set[Key]:
        trimmed = trim(record.position, record.ref, alt)
        reference = self._placer.reference(self._build, contig)
        try:
            found = justify(reference, accession(self._build, contig), record.position, record.ref, alt)
        except CannotNormalize:
            return {trimmed}
        return {trimmed, (found.position, found.deleted, found.inserted)}
