"""Place thousands of changes of one chromosome on both builds: the path that every ingested variant takes.

Single-base changes, nearly all of a genome's, are compared with the reference in numpy. The others are justified in
windows of the reference that serve many rows, and rolled together where there are many. What a window cannot decide
goes the way of a single change (``normalize.justify``, ``counterpart.compared``), so that both ways give the same. All
positions are zero-based, all intervals half-open.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from app.errors import CannotNormalize
from app.records import Build, LiftStatus
from app.variants.accessions import MT, accession, length
from app.variants.counterpart import compared
from app.variants.liftover import Liftover
from app.variants.normalize import justify, roll, trim
from app.variants.reference import ReferenceSequence
from app.variants.rolls import rolled
from app.variants.segments import Bools, Codes, Ints
from app.variants.spdi import Spdi, reverse_complement

NOT_LOADED, EQUAL, CONTRADICTS = 0, 1, 2
"""What ``PlacedBatch.ref_check`` says of a reported reference allele."""

_MANY = 24
"""So many insertions and deletions in one window are sooner rolled together than one by one"""

_COMPLEMENT = np.arange(256, dtype=np.uint8)
_COMPLEMENT[list(b"ACGT")] = list(b"TGCA")


@dataclass(frozen=True, slots=True)
class PlacedBatch:
    """Columns of placed changes in the order of the question.

    ``ref_check`` is NOT_LOADED, EQUAL or CONTRADICTS. ``start``, ``end``, ``deleted`` and ``inserted`` are the
    contextual form where the changes were reported, ``left`` and ``right`` the bases by which the trimmed change was
    extended. The ``other_`` columns are the counterpart on the other build: -1 and "" where ``status`` says that there
    is none, the same string objects where alleles are equal. A row that contradicts the reference is only trimmed,
    neither justified nor lifted, and its status is UNMAPPED.
    """

    ref_check: Codes
    start: Ints
    end: Ints
    deleted: list[str]
    inserted: list[str]
    left: npt.NDArray[np.int32]
    right: npt.NDArray[np.int32]
    justified: Bools
    status: Codes
    other_start: Ints
    other_end: Ints
    other_deleted: list[str]
    other_inserted: list[str]


def place_rows(
    references: tuple[ReferenceSequence, ReferenceSequence],
    liftover: Liftover,
    *,
    build: Build,
    contig: int,
    positions: Ints,
    refs: Sequence[str],
    alts: Sequence[str],
) -> PlacedBatch:
    """Place the rows of one chromosome of ``build``; ``references`` are those of this build and of the other one."""
    rows = _Rows(build, contig, positions, refs, alts)
    rows.justify(references[0])
    rows.lift(liftover)
    if contig != MT:
        rows.compare(references[1])
    return rows.batch


class _Rows:
    """The rows of one batch on their way from the report to both builds."""

    def __init__(self, build: Build, contig: int, positions: Ints, refs: Sequence[str], alts: Sequence[str]) -> None:
        sizes = _sizes(refs)
        self.batch = _as_reported(positions, sizes, refs, alts)
        self._build, self._contig = build, contig
        self._single = (sizes == 1) & (_sizes(alts) == 1)
        self._codes = _first_codes(refs, sizes)
        self._decisive: dict[int, str | None] = {}
        """Of rows that are more than a single base: the bases that decided on the form, the deleted ones with as many
        on either side, by which the same surroundings are known on the other build; None if they are not at hand"""
        self._turned = np.zeros(len(refs), dtype=np.bool_)

    def justify(self, reference: ReferenceSequence) -> None:
        """Compare the rows with the reference of the build that they were reported on, and justify them there."""
        batch, single, ref_seq = self.batch, self._single, accession(self._build, self._contig)
        beyond = (batch.start < 0) | (batch.start >= length(self._build, self._contig))
        batch.ref_check[single & beyond] = CONTRADICTS
        for rows, low, bases in _panes(reference, ref_seq, batch.start, np.arange(len(batch.start))):
            alone = rows[single[rows]]
            if bases and alone.size:
                known = np.frombuffer(bases.encode(), dtype=np.uint8)[batch.start[alone] - low]
                batch.ref_check[alone] = np.where(known == self._codes[alone], EQUAL, CONTRADICTS)
            others = rows[~single[rows]].tolist()
            if others:
                self._justify_within(bases, low, others, reference, ref_seq)
        batch.justified[single] = batch.ref_check[single] != CONTRADICTS

    def _justify_within(
        self, bases: str, low: int, rows: Sequence[int], reference: ReferenceSequence, ref_seq: str
    ) -> None:
        """Justify rows in a window that begins at ``low``; what it does not decide takes the way of a single change."""
        batch = self.batch
        found = _Rolling([], [], [], [])
        for row, position in zip(rows, batch.start[rows].tolist(), strict=True):
            ref, alt, at = batch.deleted[row], batch.inserted[row], position - low
            if at <= 0 or at + len(ref) >= len(bases) or ref == alt or not bases.startswith(ref, at):
                self._justify_alone(reference, ref_seq, row)
                continue
            start, deleted, inserted = _trimmed(at, ref, alt)
            if deleted and inserted:
                self._put(row, low + start, deleted, inserted, justified=True)
                batch.ref_check[row], self._decisive[row] = EQUAL, deleted
                continue
            found.rows.append(row)
            found.starts.append(start)
            found.sizes.append(len(deleted))
            found.alleles.append(deleted or inserted)
        if found.rows:
            left, right = found.distances(bases)
            self._put_rolled(bases, low, found, left, right)
            for at in np.flatnonzero(left < 0).tolist():
                self._justify_alone(reference, ref_seq, found.rows[at])

    def _put_rolled(self, bases: str, low: int, found: _Rolling, left: Ints, right: Ints) -> None:
        """Put rows in their places by the distances that they roll; those with a negative one are left out."""
        batch, decisive = self.batch, self._decisive
        columns = zip(found.rows, found.starts, found.sizes, found.alleles, left.tolist(), right.tolist(), strict=True)
        for row, start, size, allele, before, behind in columns:
            if before < 0:
                continue
            around = bases[start - before - 1 : start + size + behind + 1]
            gone = around[1:-1]
            # What is left of a periodic stretch is its beginning, whichever of its periods goes.
            batch.inserted[row] = gone[: before + behind] if size else f"{gone[:before]}{allele}{gone[before:]}"
            batch.deleted[row], decisive[row] = gone, around
        placed = left >= 0
        at, left, right = np.array(found.rows)[placed], left[placed], right[placed]
        batch.ref_check[at], batch.justified[at], batch.left[at], batch.right[at] = EQUAL, True, left, right
        batch.start[at] = low + np.array(found.starts)[placed] - left
        batch.end[at] = batch.start[at] + np.array(found.sizes)[placed] + left + right

    def _justify_alone(self, reference: ReferenceSequence, ref_seq: str, row: int) -> None:
        """Justify one row that no window decides on."""
        batch = self.batch
        position, ref, alt = int(batch.start[row]), batch.deleted[row], batch.inserted[row]
        try:
            found = justify(reference, ref_seq, position, ref, alt)
        except CannotNormalize:
            change = (position, ref, alt) if ref == alt else trim(position, ref, alt)
            self._put(row, *change, justified=False)
            batch.ref_check[row], self._decisive[row] = CONTRADICTS, None
            return
        batch.ref_check[row] = EQUAL if reference.fetch(ref_seq, position, position + len(ref)) == ref else NOT_LOADED
        self._put(row, found.position, found.deleted, found.inserted, justified=found.justified)
        batch.left[row], batch.right[row] = found.left, found.right
        fixed = found.justified and not (found.left or found.right) and found.deleted and found.inserted
        self._decisive[row] = found.deleted if fixed else None

    def _put(self, row: int, position: int, deleted: str, inserted: str, *, justified: bool) -> None:
        batch = self.batch
        batch.start[row], batch.end[row], batch.justified[row] = position, position + len(deleted), justified
        batch.deleted[row], batch.inserted[row] = deleted, inserted

    def lift(self, liftover: Liftover) -> None:
        """Find the place of each row on the other build, unless the row contradicts the reference."""
        batch = self.batch
        sound = np.flatnonzero(batch.ref_check != CONTRADICTS)
        lifted = liftover.lift_batch(self._build, self._contig, batch.start[sound], batch.end[sound])
        batch.status[sound], batch.other_start[sound], batch.other_end[sound] = lifted.status, lifted.start, lifted.end
        batch.other_deleted[:], batch.other_inserted[:] = batch.deleted, batch.inserted
        for row in np.flatnonzero(batch.status > LiftStatus.IDENTITY).tolist():
            batch.other_deleted[row] = batch.other_inserted[row] = ""
        self._turned[sound] = lifted.reverse
        for row in np.flatnonzero(self._turned).tolist():
            batch.other_deleted[row] = reverse_complement(batch.deleted[row])
            batch.other_inserted[row] = reverse_complement(batch.inserted[row])

    def compare(self, reference: ReferenceSequence) -> None:
        """Compare the lifted rows with the bases of the other build, and justify anew where the surroundings differ."""
        batch, single, ref_seq = self.batch, self._single, accession(self._build.other, self._contig)
        expected = np.where(self._turned, _COMPLEMENT[self._codes], self._codes)
        placed = np.flatnonzero(batch.status == LiftStatus.OK)
        for rows, low, bases in _panes(reference, ref_seq, batch.other_start, placed):
            alone = rows[single[rows]]
            if bases and alone.size:
                known = np.frombuffer(bases.encode(), dtype=np.uint8)[batch.other_start[alone] - low]
                differs = known != expected[alone]
                batch.status[alone[differs]] = LiftStatus.REF_CHANGED
                for row, base in zip(alone[differs].tolist(), known[differs].tobytes().decode(), strict=True):
                    batch.other_deleted[row] = base
            elif alone.size:
                batch.status[alone] = LiftStatus.UNVERIFIED
            others = rows[~single[rows]].tolist()
            for row, start in zip(others, batch.other_start[others].tolist(), strict=True):
                decisive = self._decisive[row]
                margin = (len(decisive) - len(batch.deleted[row])) // 2 if decisive is not None else 0
                at = start - low - margin
                alike = decisive is not None and at >= 0 and not self._turned[row] and bases.startswith(decisive, at)
                if not alike:
                    self._compare_alone(reference, ref_seq, row)

    def _compare_alone(self, reference: ReferenceSequence, ref_seq: str, row: int) -> None:
        """Compare and justify one lifted row whose surroundings are not those of the report."""
        batch = self.batch
        deleted, inserted = batch.deleted[row], batch.inserted[row]
        lifted = Spdi(ref_seq, int(batch.other_start[row]), batch.other_deleted[row], batch.other_inserted[row])
        anew, batch.status[row] = compared(reference, lifted)
        batch.other_start[row], batch.other_end[row] = anew.position, anew.end
        batch.other_deleted[row] = deleted if anew.deleted == deleted else anew.deleted
        batch.other_inserted[row] = inserted if anew.inserted == inserted else anew.inserted


def _as_reported(positions: Ints, sizes: Ints, refs: Sequence[str], alts: Sequence[str]) -> PlacedBatch:
    """Return a batch whose rows are unchanged and unplaced."""
    rows = len(refs)
    nowhere, none = np.full(rows, -1, dtype=np.int64), np.zeros(rows, dtype=np.int32)
    return PlacedBatch(
        ref_check=np.zeros(rows, dtype=np.uint8),
        start=positions.copy(),
        end=positions + sizes,
        deleted=list(refs),
        inserted=list(alts),
        left=none,
        right=none.copy(),
        justified=np.zeros(rows, dtype=np.bool_),
        status=np.full(rows, LiftStatus.UNMAPPED, dtype=np.uint8),
        other_start=nowhere,
        other_end=nowhere.copy(),
        other_deleted=[],
        other_inserted=[],
    )


def _sizes(alleles: Sequence[str]) -> Ints:
    return np.fromiter(map(len, alleles), dtype=np.int64, count=len(alleles))


def _first_codes(alleles: Sequence[str], sizes: Ints) -> Codes:
    """Return the ASCII code of each allele's first letter, and anything for an empty allele."""
    text = np.frombuffer("".join(alleles).encode("ascii", "replace") + b"\0", dtype=np.uint8)
    codes: Codes = text[np.cumsum(sizes) - sizes]
    return codes


def _panes(reference: ReferenceSequence, ref_seq: str, positions: Ints, rows: Ints) -> Iterator[tuple[Ints, int, str]]:
    """Yield rows in the order of their positions, in groups whose positions lie in one window, and that window.

    Rows at unknown bases come with an empty window. Each window is asked for once, since reading it is what takes time.
    """
    rows = rows[np.argsort(positions[rows], kind="stable")]
    ordered = positions[rows]
    listed = ordered.tolist()
    bounds = [bound for stretch in reference.stretches(ref_seq) for bound in stretch]
    at = unknown = 0
    while at < len(listed):
        low, bases = reference.window(ref_seq, listed[at]) or (0, "")
        if not low <= listed[at] < low + len(bases):
            following = bisect_right(bounds, listed[at])
            if following % 2:  # within a stretch, so a gap of the assembly
                at += 1
            elif following == len(bounds):
                at = len(listed)
            else:
                at = int(np.searchsorted(ordered, bounds[following]))
            continue
        if unknown < at:
            yield rows[unknown:at], 0, ""
        stop = int(np.searchsorted(ordered, low + len(bases)))
        yield rows[at:stop], low, bases
        at = unknown = stop
    if unknown < at:
        yield rows[unknown:], 0, ""


# --- what is more than a single base ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Rolling:
    """Insertions and deletions of one window, as columns: row, start in the window, bases deleted there, allele."""

    rows: list[int]
    starts: list[int]
    sizes: list[int]
    alleles: list[str]

    def distances(self, bases: str) -> tuple[Ints, Ints]:
        """Return how far each rolls to the left and to the right in the window; -1 for those that reach an edge."""
        starts, sizes = np.array(self.starts, dtype=np.int64), np.array(self.sizes, dtype=np.int64)
        if len(starts) < _MANY:
            left, right = np.full((2, len(starts)), -1, dtype=np.int64)
        else:
            codes = np.frombuffer(bases.encode(), dtype=np.uint8)
            left, right = rolled(codes, starts, starts + sizes, self.alleles)
        for at in np.flatnonzero((left < 0) | (right < 0)).tolist():
            start, end = self.starts[at], self.starts[at] + self.sizes[at]
            before, behind, at_edge = roll(bases, start, end, self.alleles[at])
            left[at], right[at] = (-1, -1) if at_edge else (before, behind)
        return left, right


def _trimmed(position: int, ref: str, alt: str) -> tuple[int, str, str]:
    """Return what ``trim`` returns for two alleles that differ, sooner where one is a single base, as in most VCFs."""
    if len(alt) == 1 < len(ref):
        if ref[-1] == alt:
            return position, ref[:-1], ""
        return (position + 1, ref[1:], "") if ref[0] == alt else (position, ref, alt)
    if len(ref) == 1 < len(alt):
        if alt[-1] == ref:
            return position, "", alt[:-1]
        return (position + 1, "", alt[1:]) if alt[0] == ref else (position, ref, alt)
    return trim(position, ref, alt)
