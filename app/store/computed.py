"""Which variants have which computed consequence: the release ``computed``, and which variants still wait for it.

Every carried variant is either examined or waits. For the examined ones it is kept which terms they have, stated or
not; the concepts of the release lead to those of them that no active release or annotation states consequences of. So
switching a release needs no variant examined anew. The version of the release says by which program, transcripts and
sequences; another version makes every variant wait again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from pyroaring import BitMap64

from app.store import consequence_sets, counters, file_annotations, knowledge_unions
from app.store.session import Session

SOURCE: Final = "computed"
_EXAMINED: Final = "examined"
_WAITING: Final = "waiting"


@dataclass(frozen=True, slots=True)
class Computed:
    """The release as the store knows it."""

    release_id: int
    version: str
    active: bool


def release(session: Session) -> Computed | None:
    """Return the release; None if nothing was computed yet."""
    rows = session.run("select id, version, active from knowledge_release where source = :source", {"source": SOURCE})
    return Computed(rows[0][0], rows[0][1], bool(rows[0][2])) if rows else None


def waiting(session: Session) -> BitMap64:
    """Return the carried variants that were not examined."""
    return _get(session, _WAITING)


def carried(session: Session) -> BitMap64:
    """Return every carried variant."""
    return _get(session, _WAITING) | _get(session, _EXAMINED)


def unanswered(session: Session, version: str) -> bool:
    """Return whether a question by terms would miss variants: not examined by this version, and stated nowhere."""
    known = release(session)
    is_current = known is not None and known.active and known.version == version
    missing = waiting(session) if is_current else carried(session)
    return bool(missing) and bool(missing - consequence_sets.active(session))


def begin(session: Session, version: str, *, anew: bool = False) -> None:
    """Let what is recorded from now on be of a version; what another one examined waits again."""
    known = release(session)
    now = datetime.now(UTC).isoformat(timespec="seconds")
    if known is None:
        release_id = counters.allocate(session, counters.KNOWLEDGE_RELEASE, 1)
        first = counters.value(session, counters.KNOWLEDGE_ITEM)
        row = (release_id, SOURCE, SOURCE, "Operon", version, "none", "[]", "", 1, 0, first, 0, "{}", "{}", now)
        session.insert_rows("knowledge_release", file_annotations.RELEASE_COLUMNS, [row])
    elif anew or known.version != version:
        reset(session)
        session.run_many(
            "update knowledge_release set version = ?, loaded = ? where id = ?", [(version, now, known.release_id)]
        )
        counters.add(session, counters.DATA_VERSION, 1)


def reset(session: Session) -> None:
    """Let every variant wait."""
    everything = carried(session)
    known = release(session)
    if known is not None:
        knowledge_unions.forget(session, known.release_id)
        knowledge_unions.narrow_release(session, known.release_id, _union(_terms(session)))
    session.run("delete from computed_variants where name <> :none returning 1", {"none": ""})
    _put(session, _WAITING, everything)


def record(session: Session, examined: BitMap64, found: Mapping[str, BitMap64]) -> None:
    """Store the terms of variants that were examined."""
    known = release(session)
    assert known is not None  # noqa: S101 - begin() made it
    elsewhere = consequence_sets.active(session)
    for term, bits in found.items():
        _put(session, term, _get(session, term) | bits)
    _put(session, _EXAMINED, _get(session, _EXAMINED) | examined)
    _put(session, _WAITING, waiting(session) - examined)
    _lead(session, known.release_id, {term: bits - elsewhere for term, bits in found.items()})
    counters.add(session, counters.DATA_VERSION, 1)


def note_carried(session: Session, variant_ids: BitMap64) -> None:
    """Let variants wait that somebody carries now, unless they were examined; structural ones have no terms."""
    if not variant_ids:
        return
    sites = session.run(
        "select id from structural_site where id >= :low and id <= :high",
        {"low": variant_ids.min(), "high": variant_ids.max()},
    )
    fresh = variant_ids - BitMap64([row[0] for row in sites]) - _get(session, _EXAMINED)
    before = waiting(session)
    if not fresh <= before:
        _put(session, _WAITING, before | fresh)


def forget(session: Session, variant_ids: Iterable[int]) -> None:
    """Forget variants that nobody carries any more."""
    gone = BitMap64(variant_ids)
    _drop(session, gone)
    before = waiting(session)
    if not before.isdisjoint(gone):
        _put(session, _WAITING, before - gone)


def recheck(session: Session, variant_ids: Iterable[int]) -> None:
    """Let variants wait again that have changed."""
    changed = BitMap64(variant_ids) & _get(session, _EXAMINED)
    if changed:
        knowledge_unions.recount_concepts(session, _drop(session, changed))
        _put(session, _WAITING, waiting(session) | changed)


def withhold(session: Session, variant_ids: BitMap64) -> None:
    """Let the concepts no longer lead to variants that consequences are stated of from now on."""
    known = release(session)
    if known is not None and variant_ids:
        changed = knowledge_unions.narrow_release(session, known.release_id, variant_ids)
        knowledge_unions.recount_concepts(session, changed)


def restate(session: Session) -> None:
    """Let the concepts lead to all examined variants that nothing active states consequences of, and to no others."""
    known = release(session)
    if known is None:
        return
    elsewhere = consequence_sets.active(session)
    withhold(session, elsewhere)
    _lead(session, known.release_id, {term: bits - elsewhere for term, bits in _terms(session).items()})


def _lead(session: Session, release_id: int, wanted: Mapping[str, BitMap64]) -> None:
    """Let the concepts of terms lead to some variants as well."""
    concepts = file_annotations.concepts_of(session, release_id, [term for term, bits in wanted.items() if bits])
    rows = session.run("select id, targets from knowledge_concept where release_id = :id", {"id": release_id})
    before = {concept_id: BitMap64.deserialize(data) for concept_id, data in rows}
    added = {concepts[term]: more for term, bits in wanted.items() if bits and (more := bits - before[concepts[term]])}
    if added:
        knowledge_unions.widen(session, release_id, added)


def _drop(session: Session, gone: BitMap64) -> list[int]:
    """Forget what was found of variants; return the concepts that led to them."""
    examined = _get(session, _EXAMINED)
    if examined.isdisjoint(gone):
        return []
    _put(session, _EXAMINED, examined - gone)
    for term, bits in _terms(session).items():
        if not bits.isdisjoint(gone):
            _put(session, term, bits - gone)
    known = release(session)
    return knowledge_unions.narrow_release(session, known.release_id, gone) if known is not None else []


def _terms(session: Session) -> dict[str, BitMap64]:
    rows = session.run("select name, variants from computed_variants")
    return {name: BitMap64.deserialize(data) for name, data in rows if name not in (_EXAMINED, _WAITING)}


def _union(parts: Mapping[str, BitMap64]) -> BitMap64:
    whole = BitMap64()
    for bits in parts.values():
        whole |= bits
    return whole


def _get(session: Session, name: str) -> BitMap64:
    rows = session.run("select variants from computed_variants where name = :name", {"name": name})
    return BitMap64.deserialize(rows[0][0]) if rows else BitMap64()


def _put(session: Session, name: str, variants: BitMap64) -> None:
    session.run("delete from computed_variants where name = :name returning 1", {"name": name})
    if variants:
        session.insert_rows("computed_variants", ("name", "variants"), [(name, variants.serialize())])
