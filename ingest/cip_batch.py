"""Many cases on their way into the store together: their changes placed, what is said twice told apart, then blocks.

All changes of one chromosome are one block, whoever has them. Where several services speak of one change of one
sample, the first of them counts. Positions are zero-based, half-open.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from app.formats.gel import Scope
from app.formats.genotype import Genotype, GenotypeTable
from app.formats.vcf_block import RecordBlock
from app.formats.vcf_structural import StructuralRow
from app.records import Build, Zygosity
from app.store.runs import PlannedCallSet
from app.variants.accessions import accession, display
from app.variants.placed_batch import CONTRADICTS, NOT_LOADED, PlacedBatch
from app.variants.placement import Placer
from ingest.cip_annotations import TOOL, body_of
from ingest.cip_mapping import Change, Draft, StructuralFound
from ingest.cip_zygosity import Says

Ints = NDArray[np.int64]

_FEW: Final = 2
"""So many alleles at the least have to be compared before a case is told that most of them contradict"""
_SHOWN: Final = 20


@dataclass(frozen=True, slots=True)
class Block:
    """What the store takes of one chromosome."""

    block: RecordBlock
    placed: PlacedBatch


@dataclass(frozen=True, slots=True)
class _Contig:
    """The rows of one chromosome: distinct changes, where they lie, and which of them are one and the same."""

    contig: int
    changes: list[tuple[int, str, str]]
    placed: PlacedBatch
    identity: Ints

    @property
    def wrong(self) -> NDArray[np.bool_]:
        return np.asarray(self.placed.ref_check == CONTRADICTS, np.bool_)


class Batch:
    """The cases of one build that are stored in one run."""

    def __init__(self, drafts: Sequence[Draft], build: Build, placer: Placer) -> None:
        self.drafts = drafts
        self.build = build
        self.plan: list[PlannedCallSet] = []
        self.kept_calls: Ints = np.zeros(len(drafts), np.int64)
        """Of each case"""
        self._placer = placer
        self._table = GenotypeTable()
        self._numbers: dict[int, int] = {}
        self._changes = [change for draft in drafts for change in draft.changes]
        self._first_change = np.cumsum([0, *(len(draft.changes) for draft in drafts)])
        self._first_set = np.cumsum([0, *(len(draft.call_sets) for draft in drafts)])
        self._contigs: dict[int, _Contig] = {}
        self._of_contig: dict[int, list[int]] = {}
        self._row: Ints = np.zeros(len(self._changes), np.int64)
        self._identity: Ints = np.zeros(len(self._changes), np.int64)
        self._calls = _joined(drafts, self._first_change, self._first_set, self._number)
        self._place()
        self._keep = self._chosen()
        self._new_set = self._plan()

    @property
    def genotypes(self) -> Sequence[Genotype]:
        """Return the genotypes that the blocks point into."""
        return self._table.genotypes

    def _number(self, genotype: Genotype | None) -> int:
        if genotype is None:
            return 0
        number = self._numbers.get(id(genotype))
        if number is None:
            number = self._numbers[id(genotype)] = self._table.number(genotype)
        return number

    # --- placing ------------------------------------------------------------------------------------------------------

    def _place(self) -> None:
        for at, change in enumerate(self._changes):
            self._of_contig.setdefault(change.contig, []).append(at)
        for contig, listed in sorted(self._of_contig.items()):
            rows: dict[tuple[int, str, str], list[int]] = {}
            for at in listed:
                change = self._changes[at]
                rows.setdefault((change.position, change.ref, change.alt), []).append(at)
            keys = sorted(rows)
            positions, refs, alts = (list(column) for column in zip(*keys, strict=True))
            placed = self._placer.place_batch(self.build, contig, np.array(positions, np.int64), refs, alts)
            identity: dict[tuple[int, str, str], int] = {}
            forms = zip(placed.start.tolist(), placed.deleted, placed.inserted, strict=True)
            same = np.array([identity.setdefault(form, len(identity)) for form in forms], np.int64)
            self._contigs[contig] = _Contig(contig, keys, placed, same)
            for row, key in enumerate(keys):
                for at in rows[key]:
                    self._row[at], self._identity[at] = row, same[row]
            self._report_wrong(self._contigs[contig], rows)
        self._report_assembly()

    def _report_wrong(self, contig: _Contig, rows: dict[tuple[int, str, str], list[int]]) -> None:
        reference = self._placer.reference(self.build, contig.contig)
        ref_seq = accession(self.build, contig.contig)
        for row in np.flatnonzero(contig.wrong).tolist():
            position, ref, _ = contig.changes[row]
            known = reference.fetch(ref_seq, position, position + len(ref)) or "another sequence"
            message = (
                f"Reference mismatch: {display(contig.contig)}:{position + 1} {self.build} is {known[:_SHOWN]},"
                f" payload says {ref[:_SHOWN]}."
            )
            for at in rows[contig.changes[row]]:
                path = f"{self._changes[at].variant.path}.variantCoordinates.reference"
                self._draft_of(at).add(path, message, Scope.VARIANT)

    def _report_assembly(self) -> None:
        """Tell the cases most of whose alleles contradict the reference that their assembly may be another one."""
        if not self._changes:
            return
        check = np.array([self._contigs[c.contig].placed.ref_check[r] for c, r in self._rows()], np.int64)
        of_draft = np.repeat(np.arange(len(self.drafts)), np.diff(self._first_change))
        checked = np.bincount(of_draft[check != NOT_LOADED], minlength=len(self.drafts))
        wrong = np.bincount(of_draft[check == CONTRADICTS], minlength=len(self.drafts))
        for at in np.flatnonzero((checked >= _FEW) & (wrong * 2 > checked)).tolist():
            message = f"{wrong[at]} of {checked[at]} alleles that could be compared contradict {self.build}."
            self.drafts[at].add("assembly", f"{message} Is the assembly right?", Scope.WARNING)

    def _rows(self) -> Iterator[tuple[Change, int]]:
        return zip(self._changes, self._row.tolist(), strict=True)

    def _draft_of(self, change: int) -> Draft:
        return self.drafts[int(np.searchsorted(self._first_change, change, side="right")) - 1]

    # --- what counts --------------------------------------------------------------------------------------------------

    def _chosen(self) -> NDArray[np.bool_]:
        """Return which calls are stored: carried ones, of each change of a sample that of the first service."""
        calls = self._calls
        n = len(calls.change)
        if not n:
            return np.zeros(0, np.bool_)
        by_contig = {number: one.wrong.tolist() for number, one in self._contigs.items()}
        wrong = np.array([by_contig[change.contig][row] for change, row in self._rows()], np.bool_)
        contig = np.array([change.contig for change in self._changes], np.int64)
        width = int(self._identity.max()) + 1
        key = (calls.person * 32 + contig[calls.change]) * width + self._identity[calls.change]
        distinct, first, inverse = np.unique(key, return_index=True, return_inverse=True)
        sound = ~wrong[calls.change]
        is_first = np.zeros(n, np.bool_)
        is_first[first] = True
        if len(distinct) < n:
            self._report_conflicts(np.flatnonzero(~is_first & sound), first[inverse])
        return np.asarray(is_first & sound & (calls.says == Says.CARRIED), np.bool_)

    def _report_conflicts(self, further: NDArray[np.intp], first: NDArray[np.intp]) -> None:
        calls, genotypes = self._calls, self.genotypes
        for at in further.tolist():
            before = int(first[at])
            if calls.says[at] == calls.says[before]:
                if calls.says[at] != Says.CARRIED:
                    continue
                states = {genotypes[calls.genotype[one]].zygosity for one in (at, before)} - {Zygosity.UNKNOWN}
                if len(states) < 2:
                    continue
            kept, other = calls.source[before], calls.source[at]
            message = f"Zygosity is {other.zygosity} here and {kept.zygosity} at {kept.path}, which counts."
            self._draft_of(int(calls.change[at])).add(other.path, message, Scope.WARNING)

    def _plan(self) -> Ints:
        """Plan the call sets that have a call, and return the new number of each."""
        before = [entry for draft in self.drafts for entry in draft.call_sets]
        used = np.zeros(len(before), np.bool_)
        used[self._calls.call_set[self._keep]] = True
        for draft, first in zip(self.drafts, self._first_set.tolist(), strict=False):
            used[[first + one.call_set for one in draft.structural]] = True
        self.plan = [entry for entry, is_used in zip(before, used.tolist(), strict=True) if is_used]
        kept_of = np.searchsorted(self._first_change, self._calls.change[self._keep], side="right") - 1
        self.kept_calls = np.bincount(kept_of, minlength=len(self.drafts))
        return np.cumsum(used) - 1

    # --- blocks -------------------------------------------------------------------------------------------------------

    def blocks(self) -> Iterator[Block]:
        """Yield what is stored, one block for each chromosome."""
        kept = np.flatnonzero(self._keep)
        contig_of = np.array([change.contig for change in self._changes] or [0], np.int64)
        contig = contig_of[self._calls.change[kept]] if len(kept) else np.zeros(0, np.int64)
        structural: dict[int, list[tuple[int, StructuralFound]]] = {}
        for draft, first in zip(self.drafts, self._first_set.tolist(), strict=False):
            for one in draft.structural:
                structural.setdefault(one.contig, []).append((int(self._new_set[first + one.call_set]), one))
        for number in sorted({*np.unique(contig).tolist(), *structural}):
            yield self._block(number, kept[contig == number], structural.get(number, []))

    def _block(self, number: int, kept: Ints, structural: Sequence[tuple[int, StructuralFound]]) -> Block:
        calls = self._calls
        found = self._contigs.get(number)
        changes = calls.change[kept]
        used, row = np.unique(self._row[changes], return_inverse=True)
        rows = used.tolist()
        placed = _taken(found.placed, used) if found is not None else _nothing(self._placer, self.build, number)
        listed = [found.changes[at] for at in rows] if found is not None else []
        sum_known = (calls.ref_depth[kept] >= 0) & (calls.alt_depth[kept] >= 0)
        block = RecordBlock(
            contig=number,
            first_record=0,
            next_record=len(rows),
            bytes_read=0,
            positions=np.array([position for position, _, _ in listed], np.int64),
            refs=[ref for _, ref, _ in listed],
            alts=[alt for _, _, alt in listed],
            lines_1based=[0] * len(rows),
            filters=None,
            row=row.astype(np.int32),
            sample=self._new_set[calls.call_set[kept]].astype(np.int32),
            genotype=calls.genotype[kept].astype(np.uint16),
            depth=np.full(len(kept), -1, np.int32),
            ref_depth=calls.ref_depth[kept].astype(np.int32),
            alt_depth=calls.alt_depth[kept].astype(np.int32),
            allele_depths=np.where(sum_known, calls.ref_depth[kept] + calls.alt_depth[kept], -1).astype(np.int32),
            frequency=calls.frequency[kept],
            phase_set=calls.phase_set[kept],
            structural=self._structural(structural),
            annotations=self._annotations(number, {old: new for new, old in enumerate(rows)}),
        )
        return Block(block, placed)

    def _structural(self, listed: Sequence[tuple[int, StructuralFound]]) -> list[StructuralRow]:
        return [
            StructuralRow(one.allele, "PASS", 0, [at], [self._number(one.genotype)], [one.copies]) for at, one in listed
        ]

    def _annotations(self, number: int, rows: dict[int, int]) -> list[tuple[int, str, str]]:
        events: dict[int, list[Any]] = {}
        for at in self._of_contig.get(number, ()):
            row = rows.get(int(self._row[at]))
            said = self._changes[at].variant.events
            if row is not None and said:
                events.setdefault(row, []).extend(said)
        return [(row, TOOL, body) for row, some in sorted(events.items()) if (body := body_of(some)) is not None]

    # --- findings -----------------------------------------------------------------------------------------------------

    def carriers(self, number: int, subject_id: str) -> dict[tuple[int, int], tuple[int, Change]]:
        """Return what a subject of a case carries: (chromosome, identity) → call set of the plan and change."""
        calls = self._calls
        low, high = np.searchsorted(calls.change, self._first_change[number : number + 2])
        found: dict[tuple[int, int], tuple[int, Change]] = {}
        for at in range(int(low), int(high)):
            if self._keep[at]:
                call_set = int(self._new_set[calls.call_set[at]])
                change = int(calls.change[at])
                if self.plan[call_set].subject.subject_id == subject_id:
                    found.setdefault(self.identity(change), (call_set, self._changes[change]))
        return found

    def identity(self, change: int) -> tuple[int, int]:
        """Return what makes two changes one, however they are written."""
        return self._changes[change].contig, int(self._identity[change])

    def identity_at(self, number: int, path: str) -> tuple[int, int] | None:
        """Return the identity of the variant at a path of a case; None where it is not stored."""
        at = self.drafts[number].change_of.get(path)
        if at is None:
            return None
        change = int(self._first_change[number]) + at
        contig = self._contigs[self._changes[change].contig]
        return None if contig.wrong[self._row[change]] else self.identity(change)

    def call_set_of(self, number: int, call_set: int) -> int:
        """Return the number in the plan of a call set of a case."""
        return int(self._new_set[self._first_set[number] + call_set])


@dataclass(frozen=True, slots=True)
class _Joined:
    """The calls of all cases as columns; sorted by change."""

    change: Ints
    call_set: Ints
    person: Ints
    says: Ints
    genotype: Ints
    ref_depth: Ints
    alt_depth: Ints
    frequency: NDArray[np.float64]
    phase_set: Ints
    source: Sequence[Any]


def _joined(drafts: Sequence[Draft], first_change: Ints, first_set: Ints, number: Any) -> _Joined:
    every = [draft.calls for draft in drafts]
    people = np.cumsum([0, *(max(calls.person, default=-1) + 1 for calls in every)])

    def column(name: str, offsets: Ints | None = None) -> Ints:
        parts = [np.array(getattr(calls, name), np.int64) for calls in every]
        if offsets is not None:
            parts = [part + offset for part, offset in zip(parts, offsets.tolist(), strict=False)]
        return np.concatenate(parts) if parts else np.zeros(0, np.int64)

    frequencies = [np.array(calls.frequency, np.float64) for calls in every]
    return _Joined(
        change=column("change", first_change),
        call_set=column("call_set", first_set),
        person=column("person", people),
        says=column("says"),
        genotype=np.array([number(one) for calls in every for one in calls.genotype], np.int64),
        ref_depth=column("ref_depth"),
        alt_depth=column("alt_depth"),
        frequency=np.concatenate(frequencies) if frequencies else np.zeros(0),
        phase_set=column("phase_set"),
        source=[one for calls in every for one in calls.source],
    )


def _taken(placed: PlacedBatch, rows: Ints) -> PlacedBatch:
    """Return some rows of placed changes."""
    listed = rows.tolist()
    picked: dict[str, Any] = {}
    for one in fields(placed):
        values = getattr(placed, one.name)
        picked[one.name] = [values[at] for at in listed] if isinstance(values, list) else values[rows]
    return replace(placed, **picked)


def _nothing(placer: Placer, build: Build, contig: int) -> PlacedBatch:
    return placer.place_batch(build, contig, np.zeros(0, np.int64), [], [])
