"""Place thousands of changes of one chromosome on both builds: the path that every ingested variant takes.

Single-base changes, nearly all of a genome's, are compared with the reference in numpy. The others are justified one
by one, but within windows of the reference that serve many rows. What a window cannot decide goes the way of a single
change (``normalize.justify``, ``counterpart.compared``), so that both ways give the same. All positions are zero-based,
all intervals half-open.
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
from app.variants.segments import Bools, Codes, Ints
from app.variants.spdi import Spdi, reverse_complement

NOT_LOADED, EQUAL, CONTRADICTS = 0, 1, 2
"""What ``PlacedBatch.ref_check`` says of a reported reference allele."""

_NEAR = 64
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


_Native = tuple[int, int, str, str, int, int, bool, int, str | None]
"""A justified row: ref_check, start, deleted, inserted, left, right, justified, margin, decisive.

The last two recognize the same surroundings on the other build: ``decisive`` are the bases that decided on the form of
the row, its deleted ones with ``margin`` bases on both sides, or None if they are not at hand. A plain tuple, since
making a named one takes longer than justifying most rows.
"""


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
        self._natives: dict[int, _Native] = {}
        self._turned = np.zeros(len(refs), dtype=np.bool_)

    def justify(self, reference: ReferenceSequence) -> None:
        """Compare the rows with the reference of the build that they were reported on, and justify them there."""
        batch, single, ref_seq = self.batch, self._single, accession(self._build, self._contig)
        beyond = (batch.start < 0) | (batch.start >= length(self._build, self._contig))
        batch.ref_check[single & beyond] = CONTRADICTS
        reported = batch.start.tolist()
        for rows, low, bases in _panes(reference, ref_seq, batch.start, np.arange(len(reported))):
            alone = rows[single[rows]]
            if bases and alone.size:
                known = np.frombuffer(bases.encode(), dtype=np.uint8)[batch.start[alone] - low]
                batch.ref_check[alone] = np.where(known == self._codes[alone], EQUAL, CONTRADICTS)
            for row in rows[~single[rows]].tolist():
                position, ref, alt = reported[row], batch.deleted[row], batch.inserted[row]
                at = position - low
                within = at > 0 and at + len(ref) < len(bases)
                native = _justified_within(bases, at, position, ref, alt) if within else None
                self._natives[row] = native or _justified_alone(reference, ref_seq, position, ref, alt)
        batch.justified[single] = batch.ref_check[single] != CONTRADICTS
        self._put_natives()

    def _put_natives(self) -> None:
        """Put the rows that were justified one by one in their places."""
        if not self._natives:
            return
        batch, rows = self.batch, list(self._natives)
        checks, starts, deleted, inserted, lefts, rights, justified, _, _ = zip(*self._natives.values(), strict=True)
        batch.ref_check[rows], batch.start[rows], batch.justified[rows] = checks, starts, justified
        batch.left[rows], batch.right[rows] = lefts, rights
        batch.end[rows] = batch.start[rows] + _sizes(deleted)
        for row, gone, new in zip(rows, deleted, inserted, strict=True):
            batch.deleted[row], batch.inserted[row] = gone, new

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
                *_, margin, decisive = self._natives[row]
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


# --- one row at a time ------------------------------------------------------------------------------------------------


def _justified_within(bases: str, at: int, position: int, ref: str, alt: str) -> _Native | None:
    """Justify the change that lies at ``at`` within ``bases``, or return None if it rolls to their edge."""
    if not bases.startswith(ref, at):
        return _contradicting(position, ref, alt)
    if ref == alt:
        return EQUAL, position, ref, alt, 0, 0, True, 0, ref
    start, deleted, inserted = _trimmed(at, ref, alt)
    if deleted and inserted:
        return EQUAL, position + start - at, deleted, inserted, 0, 0, True, 0, deleted
    end, allele = start + len(deleted), deleted or inserted
    # Most often a neighbouring base decides at once.
    left = _rolled_left(bases, start, allele) if bases[start - 1] == allele[-1] else 0
    right = _rolled_right(bases, end, allele) if bases[end] == allele[0] else 0
    if left < 0 or right < 0:
        left, right, at_edge = roll(bases, start, end, allele)
        if at_edge:
            return None
    if left or right:
        before, after = bases[start - left : start], bases[end : end + right]
        deleted, inserted = before + deleted + after, before + inserted + after
    decisive = bases[start - left - 1 : end + right + 1]
    return EQUAL, position + start - left - at, deleted, inserted, left, right, True, 1, decisive


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


def _rolled_left(bases: str, start: int, allele: str) -> int:
    """Return how far an allele rolls to the left of ``start``, sooner than ``roll``; -1 if that is not near.

    It rolls as far as what ends in it equals itself shifted by its length.
    """
    text = (bases[max(0, start - _NEAR) : start] + allele).encode()
    differing = int.from_bytes(text[:_NEAR], "little") ^ int.from_bytes(text[-_NEAR:], "little")
    return _NEAR - (differing.bit_length() + 7) // 8 if differing and start >= _NEAR else -1


def _rolled_right(bases: str, end: int, allele: str) -> int:
    """Return how far an allele rolls to the right of ``end``, sooner than ``roll``; -1 if that is not near."""
    text = (allele + bases[end : end + _NEAR]).encode()
    differing = int.from_bytes(text[:_NEAR], "big") ^ int.from_bytes(text[-_NEAR:], "big")
    return _NEAR - (differing.bit_length() + 7) // 8 if differing and end + _NEAR <= len(bases) else -1


def _justified_alone(reference: ReferenceSequence, ref_seq: str, position: int, ref: str, alt: str) -> _Native:
    """Justify a change that no window decides on."""
    try:
        native = justify(reference, ref_seq, position, ref, alt)
    except CannotNormalize:
        return _contradicting(position, ref, alt)
    check = EQUAL if reference.fetch(ref_seq, position, position + len(ref)) == ref else NOT_LOADED
    fixed = native.justified and not (native.left or native.right) and bool(native.deleted) and bool(native.inserted)
    change = native.position, native.deleted, native.inserted, native.left, native.right, native.justified
    return (check, *change, 0, native.deleted if fixed else None)


def _contradicting(position: int, ref: str, alt: str) -> _Native:
    change = (position, ref, alt) if ref == alt else trim(position, ref, alt)
    return (CONTRADICTS, *change, 0, 0, False, 0, None)
