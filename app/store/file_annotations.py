"""What tools wrote of variants into the VCFs that brought them, stored for each variant and tool.

A tool of one version is an origin: a row of ``knowledge_release`` with the source ``annotation``, no items, and the
terms of its annotations as concepts, so that it is listed, switched and asked by as every other release. Annotations
wait with their run, as its carriers do, and those of a variant that nobody carries any more are removed: they came from
somebody's file.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Collection, Iterable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import orjson
from pyroaring import BitMap64

from app.formats import annotation_body
from app.formats.annotations import Annotation
from app.formats.knowledge import ItemKind
from app.records import Build
from app.store import consequence_sets, counters, knowledge_unions
from app.store.knowledge_codec import Role
from app.store.session import Session
from app.variants.consequence_terms import TERMS

SOURCE: Final = "annotation"
SYSTEM: Final = "http://www.sequenceontology.org"
STORED: Final = "variants annotated"
DIFFERING: Final = "variants annotated otherwise before"

RELEASE_COLUMNS: Final = (
    "id", "name", "source", "label", "version", "licence", "files", "sha256", "active", "has_rules", "first_item",
    "items", "asked_by", "report", "loaded",
)  # fmt: skip
_CONCEPT: Final = (
    "id", "release_id", "kind", "role", "system", "code", "display", "search", "targets", "genotypes",
)  # fmt: skip
_ASKED_BY: Final = orjson.dumps({str(int(ItemKind.CONSEQUENCE)): {str(int(Role.TERM)): [SYSTEM]}}).decode()
_ROW: Final = ("variant_id", "origin_id", "build", "body")
_LONGEST_VERSION: Final = 60
_UNFIT: Final = re.compile(r"[^A-Za-z0-9.+_-]+")

Waiting = tuple[int, str, str, str]
"""Variant, tool, version, body"""


def pack(rows: Sequence[Waiting]) -> bytes | None:
    """Return the annotations of a block as they wait for their run to finish; None for none."""
    return zlib.compress(orjson.dumps(rows), 1) if rows else None


def stage(session: Session, run_id: int, block: int, data: bytes) -> None:
    """Keep the annotations of a block until its run finishes; no question sees them."""
    session.insert_rows("annotation_delta", ("run_id", "block", "data"), [(run_id, block, data)])


def drop_staged(session: Session, run_id: int) -> None:
    """Remove what the blocks of an unfinished run brought."""
    session.run("delete from annotation_delta where run_id = :run returning 1", {"run": run_id})


@dataclass(frozen=True, slots=True)
class _Origin:
    release_id: int
    added: dict[str, BitMap64]
    """Term to variants"""


class Adoption:
    """Takes over what waits of one or more runs that finish."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._origins: dict[tuple[str, str], _Origin] = {}

    def take(self, run_id: int, blocks: int, build: Build, counts: MutableMapping[str, int]) -> None:
        """Store the annotations of a run; of a variant that its tool has annotated before, the first ones stay."""
        for block in range(blocks):
            rows = self._session.run(
                "select data from annotation_delta where run_id = :run and block = :block",
                {"run": run_id, "block": block},
            )
            for (data,) in rows:
                by_origin: dict[tuple[str, str], list[tuple[int, str]]] = {}
                for variant_id, tool, version, body in orjson.loads(zlib.decompress(data)):
                    by_origin.setdefault((tool, version), []).append((variant_id, body))
                for key, found in by_origin.items():
                    if key not in self._origins:
                        self._origins[key] = _Origin(_release_of(self._session, *key), {})
                    self._adopt(self._origins[key], found, build, counts)
        drop_staged(self._session, run_id)

    def _adopt(
        self, origin: _Origin, found: Sequence[tuple[int, str]], build: Build, counts: MutableMapping[str, int]
    ) -> None:
        known = _bodies(self._session, origin.release_id, {variant_id for variant_id, _ in found})
        rows = []
        for variant_id, body in found:
            before = known.get(variant_id)
            if before is not None:
                if not annotation_body.is_same(before, body):
                    counts[DIFFERING] = counts.get(DIFFERING, 0) + 1
                continue
            known[variant_id] = body
            rows.append((variant_id, origin.release_id, build.value, body))
            for term in annotation_body.terms_of(body):
                origin.added.setdefault(term, BitMap64()).add(variant_id)
        self._session.insert_rows("variant_annotation", _ROW, sorted(rows))
        counts[STORED] = counts.get(STORED, 0) + len(rows)

    def store(self) -> BitMap64:
        """Let the terms lead to the variants, and return these; their carriers must be stored before."""
        every = BitMap64()
        for origin in self._origins.values():
            every |= _lead(self._session, origin.release_id, origin.added)
        return every


def _bodies(session: Session, origin_id: int, variant_ids: Collection[int]) -> dict[int, str]:
    rows = session.run(
        "select variant_id, body from variant_annotation"
        f" where variant_id {session.in_ints('ids')} and origin_id = :origin",
        {"ids": session.int_list(sorted(variant_ids)), "origin": origin_id},
    )
    return dict(rows)


def _release_of(session: Session, tool: str, version: str) -> int:
    """Return the release that stands for a tool and its version, active where it is new."""
    told = _UNFIT.sub("-", version)[:_LONGEST_VERSION] or "unknown"
    name = f"{SOURCE}-{_UNFIT.sub('-', tool)}-{told}"
    rows = session.run("select id from knowledge_release where name = :name", {"name": name})
    if rows:
        return int(rows[0][0])
    release_id = counters.allocate(session, counters.KNOWLEDGE_RELEASE, 1)
    now = datetime.now(UTC).isoformat(timespec="seconds")
    first = counters.value(session, counters.KNOWLEDGE_ITEM)
    row = (
        release_id, name, SOURCE, tool, told, "that of the annotated files", "[]", "", 1, 0, first, 0, _ASKED_BY, "{}",
        now,
    )  # fmt: skip
    session.insert_rows("knowledge_release", RELEASE_COLUMNS, [row])
    return release_id


def concepts_of(session: Session, release_id: int, terms: Iterable[str]) -> dict[str, int]:
    """Return the concepts of a release for some terms; those that are not there yet are added."""
    rows = session.run("select display, id from knowledge_concept where release_id = :id", {"id": release_id})
    known: dict[str, int] = dict(rows)
    missing = sorted(set(terms) - known.keys())
    first = counters.allocate(session, counters.KNOWLEDGE_CONCEPT, len(missing)) if missing else 0
    added = []
    for at, term in enumerate(missing):
        code = TERMS[term].accession
        known[term] = first + at
        added.append((
            first + at, release_id, int(ItemKind.CONSEQUENCE), int(Role.TERM), SYSTEM, code, term,
            f"{code}\n{term}".casefold(), BitMap64().serialize(), "[]",
        ))  # fmt: skip
    session.insert_rows("knowledge_concept", _CONCEPT, added)
    return known


def _lead(session: Session, release_id: int, added: Mapping[str, BitMap64]) -> BitMap64:
    """Let the terms of an origin lead to further variants, and return all of these."""
    if not added:
        return BitMap64()
    concepts = concepts_of(session, release_id, added)
    knowledge_unions.widen(session, release_id, {concepts[term]: bits for term, bits in added.items()})
    every = BitMap64()
    for bits in added.values():
        every |= bits
    consequence_sets.put(session, release_id, consequence_sets.of_release(session, release_id) | every)
    return every


def copy(session: Session, pairs: Sequence[tuple[int, int]], build: Build) -> set[int]:
    """Let what files of a build said of the first variant of each pair be said of the second; return the first ones.

    What a tool has said of the second one stays.
    """
    if not pairs:
        return set()
    rows = session.run(
        "select variant_id, origin_id, body from variant_annotation"
        f" where variant_id {session.in_ints('ids')} and build = :build",
        {"ids": session.int_list(sorted({former for former, _ in pairs})), "build": build.value},
    )
    said: dict[int, list[tuple[int, str]]] = {}
    for variant_id, origin_id, body in rows:
        said.setdefault(variant_id, []).append((origin_id, body))
    by_origin: dict[int, dict[int, str]] = {}
    for former, now in pairs:
        for origin_id, body in said.get(former, ()):
            by_origin.setdefault(origin_id, {}).setdefault(now, body)
    for origin_id, bodies in sorted(by_origin.items()):
        known = _bodies(session, origin_id, bodies)
        fresh = {variant_id: body for variant_id, body in sorted(bodies.items()) if variant_id not in known}
        added: dict[str, BitMap64] = {}
        for variant_id, body in fresh.items():
            for term in annotation_body.terms_of(body):
                added.setdefault(term, BitMap64()).add(variant_id)
        session.insert_rows(
            "variant_annotation",
            _ROW,
            [(variant_id, origin_id, build.value, body) for variant_id, body in fresh.items()],
        )
        _lead(session, origin_id, added)
    return set(said)


def forget(session: Session, variant_ids: Iterable[int]) -> None:
    """Remove the annotations of variants that nobody carries."""
    for ids in knowledge_unions.slices(variant_ids):
        rows = session.run(
            f"delete from variant_annotation where variant_id {session.in_ints('ids')} returning origin_id, variant_id",
            {"ids": session.int_list(ids)},
        )
        _no_longer(session, rows)


def withdraw(session: Session, variant_ids: Iterable[int], build: Build) -> None:
    """Remove what files of a build said of variants that their calls have left, and count the unions anew."""
    for ids in knowledge_unions.slices(variant_ids):
        rows = session.run(
            f"delete from variant_annotation where variant_id {session.in_ints('ids')} and build = :build"
            " returning origin_id, variant_id",
            {"ids": session.int_list(ids), "build": build.value},
        )
        knowledge_unions.recount_concepts(session, _no_longer(session, rows))


def _no_longer(session: Session, rows: Iterable[tuple[int, int]]) -> list[int]:
    """Let origins no longer lead to variants, given as (origin, variant); return the concepts that did."""
    gone: dict[int, BitMap64] = {}
    for origin_id, variant_id in rows:
        gone.setdefault(origin_id, BitMap64()).add(variant_id)
    concepts = []
    for origin_id, bits in gone.items():
        concepts += knowledge_unions.narrow_release(session, origin_id, bits)
        consequence_sets.put(session, origin_id, consequence_sets.of_release(session, origin_id) - bits)
    return concepts


def remove_origin(session: Session, release_id: int) -> None:
    """Remove every annotation of a tool."""
    session.run("delete from variant_annotation where origin_id = :id returning 1", {"id": release_id})


def of_variants(
    session: Session, origins: Collection[int], variant_ids: Sequence[int]
) -> dict[int, list[tuple[int, list[Annotation]]]]:
    """Return what some origins say of each of some variants, as (origin, annotations), in one statement."""
    if not origins or not variant_ids:
        return {}
    rows = session.run(
        "select variant_id, origin_id, body from variant_annotation"
        f" where variant_id {session.in_ints('ids')} order by variant_id, origin_id",
        {"ids": session.int_list(list(variant_ids))},
    )
    found: dict[int, list[tuple[int, list[Annotation]]]] = {}
    for variant_id, origin_id, body in rows:
        if origin_id in origins:
            found.setdefault(variant_id, []).append((origin_id, annotation_body.decode(body)))
    return found
