"""Reading calls: the call sets of a subject, and their chunks in stretches of a chromosome.

One statement finds a subject with all call sets; one more reads the chunks of any number of stretches.
Positions are zero-based, half-open.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from app.errors import SubjectNotFound
from app.records import Build, Sex, SourceClass
from app.store import codec
from app.store.codec import BIN, CallChunk
from app.store.session import Session


@dataclass(frozen=True, slots=True)
class CallSet:
    """One call set with what its study says."""

    call_set_id: int
    shard: int
    uid: str
    subject_id: str
    sex: Sex
    study_id: int
    test_id: str
    test_date: str | None
    specimen_id: str | None
    build: Build
    source_class: SourceClass
    phased_contigs: bool
    unplaced: str
    """JSON: contig to number of calls without a place on the other build"""

    def unplaced_on(self, contig: int) -> int:
        """Return how many calls of a contig have no place on the other build."""
        if self.unplaced == "{}":
            return 0
        return int(orjson.loads(self.unplaced).get(str(contig), 0))


_COLUMNS = (
    "cs.id, cs.shard, cs.uid, s.sex, st.id, st.test_id, st.test_date, st.specimen_id, cs.build, cs.source_class,"
    " cs.phased_contigs, cs.unplaced"
)
_SUBJECT_CALL_SETS = (
    f"select {_COLUMNS} from subject s left join study st on st.subject_ordinal = s.ordinal"
    " left join call_set cs on cs.study_id = st.id where s.subject_id = :subject"
    " order by st.test_date, st.test_id, cs.id"
)
_NAMED_CALL_SET = (
    f"select {_COLUMNS}, s.subject_id from call_set cs join study st on st.id = cs.study_id"
    " join subject s on s.ordinal = st.subject_ordinal where cs.uid = :uid"
)


def call_sets_of(session: Session, subject_id: str) -> list[CallSet]:
    """Return every call set of a subject, ordered by test date and test id.

    Raises:
        SubjectNotFound: there is no such subject.
    """
    rows = session.run(_SUBJECT_CALL_SETS, {"subject": subject_id})
    if not rows:
        raise SubjectNotFound(subject_id)
    return [_call_set(row, subject_id) for row in rows if row[0] is not None]


def call_sets_of_ordinals(session: Session, ordinals: Sequence[int]) -> list[tuple[int, CallSet]]:
    """Return every call set of some subjects, each with the ordinal of its subject, in one statement."""
    rows = session.run(
        f"select {_COLUMNS}, s.subject_id, s.ordinal from subject s join study st on st.subject_ordinal = s.ordinal"
        f" join call_set cs on cs.study_id = st.id where s.ordinal {session.in_ints('ordinals')} order by cs.id",
        {"ordinals": session.int_list(list(ordinals))},
    )
    return [(row[-1], _call_set(row, row[-2])) for row in rows]


def call_set_named(session: Session, uid: str) -> CallSet | None:
    """Return the call set with a uid; None if there is none."""
    rows = session.run(_NAMED_CALL_SET, {"uid": uid})
    return _call_set(rows[0], rows[0][-1]) if rows else None


def _call_set(row: Sequence[Any], subject_id: str) -> CallSet:
    return CallSet(
        row[0], row[1], row[2], subject_id, Sex(row[3]), row[4], row[5], row[6], row[7], Build(row[8]),
        SourceClass(row[9]), bool(row[10]), row[11],
    )  # fmt: skip


def origins_of(session: Session, subject_id: str) -> dict[int, tuple[str, str, int]]:
    """Return (sample, source, number of calls) of the call sets of a subject, by id."""
    rows = session.run(
        "select cs.id, cs.sample, cs.source, cs.calls from subject s join study st on st.subject_ordinal = s.ordinal"
        " join call_set cs on cs.study_id = st.id where s.subject_id = :subject",
        {"subject": subject_id},
    )
    return {row[0]: (row[1], row[2], row[3]) for row in rows}


def bins_of(session: Session, shard: int, call_set_id: int) -> dict[int, list[int]]:
    """Return the bins that a call set has chunks in, ascending, by contig."""
    rows = session.run(
        "select distinct contig, bin from call_chunk where shard = :shard and call_set_id = :id order by contig, bin",
        {"shard": shard, "id": call_set_id},
    )
    found: dict[int, list[int]] = {}
    for contig, bin_ in rows:
        found.setdefault(contig, []).append(bin_)
    return found


def unplaced_contigs(session: Session, asked: Iterable[tuple[Build, int]]) -> set[tuple[Build, int]]:
    """Return those of some (build, contig) on which any call has no place on the other build, in one statement."""
    pairs = list(dict.fromkeys(asked))
    if not pairs:
        return set()
    parts: list[str] = []
    parameters: dict[str, str] = {}
    for at, (build, contig) in enumerate(pairs):
        parameters |= {f"b{at}": build.value, f"c{at}": f'%"{contig}":%'}
        parts.append(
            f"select {at} as at where exists (select 1 from call_set where build = :b{at} and unplaced like :c{at})"
        )
    return {pairs[at] for (at,) in session.run(" union all ".join(parts), parameters)}


Run = tuple[int, int]
"""Inclusive (first, last) bins"""


def bin_runs(intervals: Sequence[tuple[int, int]], *, gap: int = 8) -> tuple[Run, ...]:
    """Return the runs of bins that cover sorted intervals; runs closer than ``gap`` bins are joined."""
    runs: list[list[int]] = []
    for start, end in intervals:
        first, last = start // BIN, max(start, end - 1) // BIN
        if runs and first <= runs[-1][1] + gap:
            runs[-1][1] = max(runs[-1][1], last)
        else:
            runs.append([first, last])
    return tuple((first, last) for first, last in runs)


@dataclass(frozen=True, slots=True)
class Stretch:
    """Bins of one contig to read of one call set."""

    shard: int
    call_set_id: int
    contig: int
    runs: tuple[Run, ...]


Chunks = dict[tuple[int, int], list[tuple[int, CallChunk]]]
"""(call set id, contig) to (bin, chunk), ascending by bin"""

_ONE_RUN = (
    "select call_set_id, contig, bin, data from call_chunk where shard = :shard and call_set_id = :call_set"
    " and contig = :contig and bin between :first and :last order by bin, part"
)


def read_chunks(session: Session, stretches: Sequence[Stretch]) -> Chunks:
    """Return the chunks of any number of stretches, in one statement.

    A call whose interval touches several bins is stored in each of them.
    """
    wanted = _merge(stretches)
    if not wanted:
        return {}
    if len(wanted) == 1:
        shard, call_set, contig, first, last = wanted[0]
        scope = {"shard": shard, "call_set": call_set, "contig": contig, "first": first, "last": last}
        rows = session.run(_ONE_RUN, scope)
    else:
        names = ("shard", "call_set", "contig", "first", "last")
        table, parameters = session.integer_rows(names, list(zip(*wanted, strict=True)))
        rows = session.run(
            f"select c.call_set_id, c.contig, c.bin, c.data from {table} k cross join call_chunk c"
            " where c.shard = k.shard and c.call_set_id = k.call_set and c.contig = k.contig"
            " and c.bin between k.first and k.last order by k.i, c.bin, c.part",
            parameters,
        )
    found: Chunks = {}
    for call_set_id, contig, bin_, data in rows:
        found.setdefault((call_set_id, contig), []).append((bin_, codec.decode(data)))
    return found


def _merge(stretches: Sequence[Stretch]) -> list[tuple[int, int, int, int, int]]:
    """Return disjoint (shard, call set, contig, first bin, last bin) rows, so that no chunk is read twice."""
    if len(stretches) == 1:
        one = stretches[0]
        return [(one.shard, one.call_set_id, one.contig, first, last) for first, last in one.runs]
    runs: dict[tuple[int, int, int], list[Run]] = {}
    for stretch in stretches:
        runs.setdefault((stretch.shard, stretch.call_set_id, stretch.contig), []).extend(stretch.runs)
    rows = []
    for key, found in runs.items():
        merged: list[list[int]] = []
        for first, last in sorted(found):
            if merged and first <= merged[-1][1] + 1:
                merged[-1][1] = max(merged[-1][1], last)
            else:
                merged.append([first, last])
        rows += [(*key, first, last) for first, last in merged]
    return rows
