"""Studies (tests), their call sets and the regions that they covered; withdrawing what was stored."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from typing import Any

import numpy as np
import orjson

from app.errors import InvalidInput
from app.records import Build, SourceClass
from app.store import (
    bitmaps,
    carriers,
    cds,
    codec,
    computed,
    counters,
    coverage,
    file_annotations,
    genotypes,
    knowledge_unions,
    ledger,
    pgx_marks,
    pgx_reports,
    stated,
    structural_codec,
    structural_sites,
    subjects,
    variants,
)
from app.store.regions import pack_intervals, unpack_intervals
from app.store.session import Session
from app.variants.regions import Stretches, joined

Regions = Mapping[int, Stretches]
"""Contig to merged (starts, ends)"""

_SITES = {coverage.CALLED: coverage.CALLED_SITES, coverage.UNCALLED: coverage.UNCALLED_SITES}
"""What records tell of regions in a file with reference blocks, and in any other"""
_OF_POSITIONS = (coverage.CHECKED_SITES, coverage.MISSED_SITES, coverage.CHECKED_CHANGES)
"""What records tell of the positions of pharmacogenes alone"""


@dataclass(frozen=True, slots=True)
class StudyFacts:
    """What is known of one test; it has no build while all that is known of it has no positions."""

    test_id: str
    build: Build | None
    test_date: str | None = None
    specimen_id: str | None = None
    study_type: str | None = None
    change_types: str | None = None

    @property
    def build_of_calls(self) -> Build:
        """Return the build of a test that has calls; raises InvalidInput where none is known."""
        if self.build is None:
            raise InvalidInput(f"test {self.test_id}: calls need a build; give it")
        return self.build

    def to_json(self) -> list[str | None]:
        """Return the JSON form kept in the ledger."""
        return [self.test_id, self.build, self.test_date, self.specimen_id, self.study_type, self.change_types]

    @staticmethod
    def from_json(data: Sequence[Any]) -> StudyFacts:
        """Read the JSON form back."""
        return StudyFacts(data[0], Build(data[1]) if data[1] else None, *data[2:])


@lru_cache(maxsize=1024)
def uid_of(subject_id: str, test_id: str) -> str:
    """Return what makes a test the same one on every server, however often it is stored."""
    return blake2b(orjson.dumps([subject_id, test_id]), digest_size=8).hexdigest()


_FACTS = ("build", "test_date", "specimen_id", "study_type", "change_types")


def check(session: Session, ordinal: int, facts: StudyFacts) -> int | None:
    """Return the id of the study if it is known.

    Raises:
        InvalidInput: the store knows the test with another build, date, specimen, type or change types.
    """
    rows = session.run(
        f"select id, {', '.join(_FACTS)} from study where subject_ordinal = :ordinal and test_id = :test",
        {"ordinal": ordinal, "test": facts.test_id},
    )
    if not rows:
        return None
    study_id, *stored = rows[0]
    for name, before in zip(_FACTS, stored, strict=True):
        now = getattr(facts, name)
        if before is not None and now is not None and before != now:
            raise InvalidInput(
                f"test {facts.test_id}: {name.replace('_', ' ')} is {before} in the store and {now} in the input;"
                " give the file another test id, or correct the input"
            )
    return int(study_id)


def of_subject(session: Session, ordinal: int) -> list[tuple[int, StudyFacts]]:
    """Return the studies of a subject with their ids, by date and test id."""
    rows = session.run(
        f"select id, test_id, {', '.join(_FACTS)} from study where subject_ordinal = :ordinal",
        {"ordinal": ordinal},
    )
    found = [(row[0], StudyFacts.from_json(row[1:])) for row in rows]
    return sorted(found, key=lambda entry: (entry[1].test_date or "", entry[1].test_id))


def ensure(session: Session, ordinal: int, facts: StudyFacts) -> int:
    """Add or complete a study and return its id."""
    study_id = check(session, ordinal, facts)
    if study_id is not None:
        for name in _FACTS:
            value = getattr(facts, name)
            if value is not None:
                session.run_many(
                    f"update study set {name} = ? where id = ? and {name} is null",
                    [(str(value), study_id)],
                )
        return study_id
    study_id = counters.allocate(session, counters.STUDY, 1)
    [(subject_id,)] = session.run("select subject_id from subject where ordinal = :ordinal", {"ordinal": ordinal})
    session.insert_rows("study",
        ("id", "shard", "subject_ordinal", "uid", "test_id", *_FACTS),
        [(
            study_id, bitmaps.shard_of(ordinal), ordinal, uid_of(subject_id, facts.test_id), facts.test_id,
            facts.build and facts.build.value, facts.test_date, facts.specimen_id, facts.study_type, facts.change_types,
        )],
    )  # fmt: skip
    return study_id


def set_regions(session: Session, *, ordinal: int, study_id: int, kind: str, regions: Regions) -> None:
    """Store the regions that a study covered (``studied``) or could not call (``uncallable``)."""
    scope = {"shard": bitmaps.shard_of(ordinal), "study": study_id, "kind": kind}
    session.run(
        "delete from study_region where shard = :shard and study_id = :study and kind = :kind returning 1",
        scope,
    )
    rows = [
        (scope["shard"], study_id, kind, contig, pack_intervals(starts, ends))
        for contig, (starts, ends) in sorted(regions.items())
    ]
    nothing = np.empty(0, dtype=np.int64)
    rows = rows or [(scope["shard"], study_id, kind, 0, pack_intervals(nothing, nothing))]
    session.insert_rows("study_region", ("shard", "study_id", "kind", "contig", "data"), rows)


def _staged(call_set_id: int) -> int:
    """Return what stands for the study of a call set while its run is not complete: no study has this number."""
    return -1 - call_set_id


def stage_regions(session: Session, block: int, told: Sequence[tuple[int, int, str, Regions]]) -> None:
    """Keep what one block of an unfinished run tells of regions: (ordinal, call set, kind, regions); none are seen."""
    rows = [
        (bitmaps.shard_of(ordinal), _staged(call_set_id), f"{kind}/{block}", contig, pack_intervals(starts, ends))
        for ordinal, call_set_id, kind, regions in told
        for contig, (starts, ends) in regions.items()
    ]
    session.insert_rows("study_region", ("shard", "study_id", "kind", "contig", "data"), rows)


def drop_staged(session: Session, ordinal: int, call_set_id: int) -> None:
    """Remove what the blocks of an unfinished run told of regions."""
    session.run(
        "delete from study_region where shard = :shard and study_id = :study returning 1",
        {"shard": bitmaps.shard_of(ordinal), "study": _staged(call_set_id)},
    )


def adopt_regions(
    session: Session, *, ordinal: int, study_id: int, call_set_id: int, has_blocks: bool, is_told: bool
) -> None:
    """Add what the blocks of a run told of regions to those that other files of its study told of.

    ``has_blocks`` says that they tell of every place; ``is_told`` that the places of missing calls are among them.
    """
    shard = bitmaps.shard_of(ordinal)
    names = {kind: kind if has_blocks else sites for kind, sites in _SITES.items()} if is_told else {}
    if not is_told:
        set_regions(session, ordinal=ordinal, study_id=study_id, kind=coverage.UNTOLD, regions={})
    names |= {kind: kind for kind in _OF_POSITIONS}
    parts: dict[tuple[str, int], list[Stretches]] = {}
    staged = 0
    for source in (_staged(call_set_id), study_id):
        if source == study_id and not staged and not is_told:
            break  # there is nothing to add
        rows = session.run(
            "select kind, contig, data from study_region where shard = :shard and study_id = :study",
            {"shard": shard, "study": source},
        )
        staged += len(rows)
        for kind, contig, data in rows:
            name = kind if source == study_id else names.get(kind.partition("/")[0])
            if name is not None and name in names.values():
                parts.setdefault((name, contig), []).append(unpack_intervals(data))
    for kind in names.values():
        found = {contig: joined(parts[name, contig]) for name, contig in parts if name == kind and contig}
        if found or (has_blocks and kind in _SITES):
            set_regions(session, ordinal=ordinal, study_id=study_id, kind=kind, regions=found)
    if staged:
        drop_staged(session, ordinal, call_set_id)


def forget_told(session: Session, tests: Sequence[tuple[int, str]]) -> None:
    """Remove what the calls of tests (subject ordinal, test id) told of regions; what BED files said of them stays."""
    for ordinal, test_id in dict.fromkeys(tests):
        rows = session.run(
            "select id from study where subject_ordinal = :ordinal and test_id = :test",
            {"ordinal": ordinal, "test": test_id},
        )
        for (study_id,) in rows:
            session.run(
                "delete from study_region where shard = :shard and study_id = :study"
                " and kind not in (:studied, :uncallable) returning 1",
                {
                    "shard": bitmaps.shard_of(ordinal),
                    "study": study_id,
                    "studied": coverage.STUDIED,
                    "uncallable": coverage.UNCALLABLE,
                },
            )


def declare(session: Session, planned: Sequence[tuple[str, StudyFacts, Mapping[str, Regions]]]) -> int:
    """Add studies of known subjects, by id, with their regions; return how many are new.

    Raises:
        InvalidInput: a study contradicts what the store says of it.
    """
    known = subjects.find(session, {subject_id for subject_id, _, _ in planned})
    new = 0
    for subject_id, facts, by_kind in planned:
        ordinal = known[subject_id].ordinal
        new += check(session, ordinal, facts) is None
        study_id = ensure(session, ordinal, facts)
        for kind, regions in by_kind.items():
            set_regions(session, ordinal=ordinal, study_id=study_id, kind=kind, regions=regions)
    return new


def regions_of(session: Session, ordinal: int, study_id: int) -> dict[str, Regions]:
    """Return the regions of a study by kind; a kind without any interval has no contig."""
    rows = session.run(
        "select kind, contig, data from study_region where shard = :shard and study_id = :study order by kind, contig",
        {"shard": bitmaps.shard_of(ordinal), "study": study_id},
    )
    return regions_by_kind(rows)


def regions_by_kind(rows: Iterable[tuple[Any, ...]]) -> dict[str, Regions]:
    """Return rows of ``study_region`` (kind, contig, packed intervals) as regions by kind."""
    found: dict[str, dict[int, Stretches]] = {}
    for kind, contig, data in rows:
        of_kind = found.setdefault(kind, {})
        # Contig 0 stands for a kind without any interval.
        if contig:
            of_kind[contig] = unpack_intervals(data)
    return dict(found)


def withdraw_calls(session: Session, tests: Sequence[tuple[int, str]], *, keep_runs: Sequence[int] = ()) -> set[int]:
    """Remove the call sets of tests (subject ordinal, test id), carriers included; return the variants they had."""
    touched: set[int] = set()
    for ordinal, test_id in dict.fromkeys(tests):
        rows = session.run(
            "select cs.id, cs.run_id, cs.source_class, cs.calls, st.test_id, cs.uid from study st"
            " join call_set cs on cs.study_id = st.id where st.subject_ordinal = :ordinal",
            {"ordinal": ordinal},
        )
        gone = [row for row in rows if row[4] == test_id and row[1] not in keep_runs]
        kept = [row for row in rows if row not in gone]
        if not gone:
            continue
        shard = bitmaps.shard_of(ordinal)
        remaining: dict[int, set[int]] = {}
        for call_set_id, _, source_class, *_ in kept:
            for variant_id, kind in _carried(session, shard, call_set_id, SourceClass(source_class)):
                remaining.setdefault(variant_id, set()).add(kind)
        for call_set_id, _, source_class, calls, *_ in gone:
            carried = _carried(session, shard, call_set_id, SourceClass(source_class))
            ids = {variant_id for variant_id, _ in carried}
            carriers.reset(session, ordinal, {variant_id: remaining.get(variant_id, set()) for variant_id in ids})
            touched |= ids
            for table, column in (
                ("call_chunk", "call_set_id"), ("structural_chunk", "call_set_id"), ("call_set", "id"),
            ):  # fmt: skip
                session.run(
                    f"delete from {table} where shard = :shard and {column} = :id returning 1",
                    {"shard": shard, "id": call_set_id},
                )
            counters.add(session, counters.CALLS, -calls)
        stated.withdraw_derived(session, (row[5] for row in gone))
        ledger.forget_empty(session, {row[1] for row in gone})
    return touched


def remove(session: Session, tests: Sequence[tuple[int, str]]) -> set[int]:
    """Remove tests (subject ordinal, test id) with all that they had; return the variants that their calls had."""
    touched = withdraw_calls(session, tests)
    for ordinal, test_id in dict.fromkeys(tests):
        rows = session.run(
            "select id from study where subject_ordinal = :ordinal and test_id = :test",
            {"ordinal": ordinal, "test": test_id},
        )
        ids = [study_id for (study_id,) in rows]
        genotypes.withdraw(session, ids)
        stated.withdraw_tests(session, ids)
        pgx_marks.forget_tests(session, ordinal, ids)
        for study_id in ids:
            scope = {"shard": bitmaps.shard_of(ordinal), "id": study_id}
            session.run("delete from study_region where shard = :shard and study_id = :id returning 1", scope)
            session.run("delete from study where id = :id returning 1", {"id": study_id})
    return touched


def drop_uncarried(session: Session, ids: set[int]) -> None:
    """Remove those of some variants that nobody carries any more: a rare one alone can tell who was here.

    Those that an unfinished run will add carriers to stay. What knowledge leads to who carries them is counted anew.
    """
    knowledge_unions.recount(session, ids)
    delete_uncarried(session, ids)


def delete_uncarried(session: Session, ids: set[int]) -> None:
    """Remove those of some variants that nobody carries, that no unfinished run adds carriers to and no item names."""
    if ids:
        waiting = carriers.waiting_from(session, min(ids))
        counts = carriers.count(session, sorted(ids))
        nobodys = [variant_id for variant_id, n in counts.items() if not n]
        file_annotations.forget(session, nobodys)
        computed.forget(session, nobodys)
        uncarried = [variant_id for variant_id in nobodys if variant_id not in waiting]
        variants.delete(session, uncarried)
        structural_sites.delete(session, uncarried)


def _carried(session: Session, shard: int, call_set_id: int, source_class: SourceClass) -> set[tuple[int, int]]:
    """Return (variant id, kind) of every call of a call set, structural ones included."""
    scope = {"shard": shard, "id": call_set_id}
    rows = session.run("select data from call_chunk where shard = :shard and call_set_id = :id", scope)
    found: set[tuple[int, int]] = set()
    for (data,) in rows:
        chunk = codec.decode(data)
        kinds = [bitmaps.kind_of(source_class, genotype.zygosity) for genotype in chunk.genotypes]
        found.update(zip(chunk.variant.tolist(), (kinds[code] for code in chunk.genotype.tolist()), strict=True))
    rows = session.run("select data from structural_chunk where shard = :shard and call_set_id = :id", scope)
    for (data,) in rows:
        structural = structural_codec.decode(data)
        kinds = [bitmaps.kind_of(source_class, call.genotype.zygosity) for call in structural.calls]
        found.update(zip(structural.site.tolist(), kinds, strict=True))
    return found


def erase_subject(session: Session, ordinal: int) -> None:
    """Remove every trace of a subject: calls, bits, genotypes, studies, regions, runs only theirs, and the subject."""
    tests = session.run("select id, test_id from study where subject_ordinal = :ordinal", {"ordinal": ordinal})
    touched = withdraw_calls(session, [(ordinal, test_id) for _, test_id in tests])
    drop_uncarried(session, touched)
    genotypes.withdraw(session, [study_id for study_id, _ in tests])
    pgx_marks.forget_subject(session, ordinal)
    stated.withdraw_subject(session, ordinal)
    cds.erase_subject(session, ordinal)
    shard = bitmaps.shard_of(ordinal)
    for study_id, _ in tests:
        session.run(
            "delete from study_region where shard = :shard and study_id = :id returning 1",
            {"shard": shard, "id": study_id},
        )
    session.run("delete from study where subject_ordinal = :ordinal returning 1", {"ordinal": ordinal})
    pgx_reports.erase_subject(session, ordinal)
    scope = {"ordinal": ordinal}
    session.run("delete from subject_identifier where subject_ordinal = :ordinal returning 1", scope)
    session.run("delete from subject where ordinal = :ordinal returning 1", scope)
    counters.add(session, counters.SUBJECTS, -1)
    counters.add(session, counters.DATA_VERSION, 1)
