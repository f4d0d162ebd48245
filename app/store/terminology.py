"""Code systems and the maps between them: what codes mean the same, what lies below them, what they are called.

Systems are canonical URIs (``app.fhir.tokens.canonical_system``) and codes in their one spelling
(``app.formats.code_systems.canonical_code``) here, in what is asked as in what is stored.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Any

import orjson

from app.errors import NotFound, TooCostly, quoted
from app.formats.code_systems import Coded
from app.formats.terminology import CodeMap, Equivalence, IsA, Named, Statement
from app.store import counters
from app.store.session import Session

MOST_DESCENDANTS = 50_000
"""Most codes that one question may stand for"""

_BATCH = 20_000
_STRENGTH = {equivalence: at for at, equivalence in enumerate(Equivalence)}
_TABLES = ("terminology_map", "terminology_parent", "terminology_concept")


@dataclass(frozen=True, slots=True)
class Mapped:
    """A counterpart of a code, and the releases that say so; several ways to say it count as the strongest."""

    system: str
    code: str
    display: str
    """Empty where no release has a name"""
    equivalence: Equivalence
    """How the target relates to the code that was asked"""
    releases: tuple[str, ...]

    @property
    def concept(self) -> Coded:
        """Return system and code."""
        return self.system, self.code


@dataclass(frozen=True, slots=True)
class Release:
    """A release that was loaded."""

    name: str
    kind: str
    version: str | None
    files: tuple[tuple[str, str], ...]
    """Base name and SHA-256 of each"""
    licence: str
    rows: int
    loaded: str


@dataclass(frozen=True, slots=True)
class NewRelease:
    """A release to be loaded."""

    name: str
    kind: str
    files: tuple[tuple[str, str], ...]
    """Base name and SHA-256 of each"""
    licence: str


@dataclass(frozen=True, slots=True)
class Coverage:
    """What the loaded releases cover: without a map, an answer of no counterpart would be a guess."""

    maps: frozenset[tuple[str, str]]
    """Pairs of systems, from and to"""
    hierarchies: frozenset[str]


def translate(session: Session, system: str, code: str) -> list[Mapped]:
    """Return every counterpart of a code, by system, the closest first."""
    return translations(session, [(system, code)])[system, code]


def translations(session: Session, codes: Collection[Coded]) -> dict[Coded, list[Mapped]]:
    """Return every counterpart of each of some codes, in one statement a system."""
    found: dict[Coded, dict[Coded, tuple[set[Equivalence], set[str], set[str]]]] = {code: {} for code in codes}
    for system, listed in _by_system(codes):
        rows = session.run(
            "select m.source_code, m.target_system, m.target_code, m.target_display, m.equivalence, r.name"
            " from terminology_map m join terminology_release r on r.id = m.release_id"
            f" where m.source_system = :system and m.source_code in (select value from {session.texts('codes')} t)",
            {"system": system, "codes": session.text_list(listed)},
        )
        for source_code, target_system, target_code, display, equivalence, name in rows:
            target = found[system, source_code].setdefault((target_system, target_code), (set(), set(), set()))
            target[0].add(Equivalence(equivalence))
            target[1].add(name)
            if display:
                target[2].add(display)
    nameless = {target for targets in found.values() for target, (_, _, named) in targets.items() if not named}
    known = names(session, nameless)
    mapped = {
        code: [
            Mapped(
                *target,
                min(displays) if displays else known.get(target, ""),
                min(equivalences, key=_STRENGTH.__getitem__),
                tuple(sorted(releases)),
            )
            for target, (equivalences, releases, displays) in targets.items()
        ]
        for code, targets in found.items()
    }
    return {
        code: sorted(targets, key=lambda one: (one.system, _STRENGTH[one.equivalence], one.code))
        for code, targets in mapped.items()
    }


def descendants(session: Session, codes: Collection[Coded]) -> set[Coded]:
    """Return some codes with everything that is of their kind.

    Raises:
        TooCostly: there are more than MOST_DESCENDANTS.
    """
    found: set[Coded] = set(codes)
    for system, listed in _by_system(codes):
        # Without ALL a code that was reached before is not followed again, so that a circle ends.
        rows = session.run(
            f"with recursive below(code) as (select value from {session.texts('codes')} t union"
            " select p.child from below b join terminology_parent p on p.system = :system and p.parent = b.code)"
            " select code from below limit :most",
            {"system": system, "codes": session.text_list(listed), "most": MOST_DESCENDANTS + 1},
        )
        found.update((system, code) for (code,) in rows)
        if len(found) > MOST_DESCENDANTS:
            raise TooCostly(
                f"{quoted(', '.join(listed))} of {quoted(system)} has more than {MOST_DESCENDANTS:,} kinds;"
                " ask for something narrower"
            )
    return found


def names(session: Session, codes: Collection[Coded]) -> dict[Coded, str]:
    """Return the names of those of some codes that have one."""
    found: dict[Coded, str] = {}
    for system, listed in _by_system(codes):
        rows = session.run(
            "select c.code, min(c.display) from terminology_concept c"
            f" where c.system = :system and c.code in (select value from {session.texts('codes')} t) group by c.code",
            {"system": system, "codes": session.text_list(listed)},
        )
        found.update(((system, code), display) for code, display in rows)
    return found


def coverage(session: Session) -> Coverage:
    """Return what the loaded releases cover."""
    maps: set[tuple[str, str]] = set()
    hierarchies: set[str] = set()
    for (text,) in session.run("select covers from terminology_release"):
        covers = orjson.loads(text)
        maps.update((source, target) for source, target in covers["maps"])
        hierarchies.update(covers["hierarchies"])
    return Coverage(frozenset(maps), frozenset(hierarchies))


def releases(session: Session) -> list[Release]:
    """Return every release by its name."""
    rows = session.run("select name, kind, version, source, sha256, licence, rows, loaded from terminology_release")
    found = [
        Release(name, kind, version, tuple(zip(orjson.loads(source), orjson.loads(sha256), strict=True)), *rest)
        for name, kind, version, source, sha256, *rest in rows
    ]
    return sorted(found, key=lambda release: release.name)


def replace_release(session: Session, release: NewRelease, statements: Iterable[Statement]) -> int:
    """Store a release in place of an earlier one of its name, and return its number of rows.

    The version may be told only by the end of the files: see ``set_version``.
    """
    _remove(session, release.name)
    release_id = counters.allocate(session, counters.TERMINOLOGY_RELEASE, 1)
    maps: set[tuple[str, str]] = set()
    hierarchies: set[str] = set()
    rows = 0
    walk = iter(statements)
    while batch := list(islice(walk, _BATCH)):
        of_maps: list[tuple[Any, ...]] = []
        of_parents: list[tuple[Any, ...]] = []
        of_names: list[tuple[Any, ...]] = []
        for row, one in enumerate(batch, rows):
            match one:
                case CodeMap(source, target, equivalence, display):
                    maps.add((source[0], target[0]))
                    of_maps.append((release_id, row, *source, *target, display or None, equivalence.value))
                case IsA(system, child, parent):
                    hierarchies.add(system)
                    of_parents.append((release_id, row, system, child, parent))
                case Named(system, code, display):
                    of_names.append((release_id, row, system, code, display))
        for table, columns, listed in (
            (
                "terminology_map",
                ("source_system", "source_code", "target_system", "target_code", "target_display", "equivalence"),
                of_maps,
            ),
            ("terminology_parent", ("system", "child", "parent"), of_parents),
            ("terminology_concept", ("system", "code", "display"), of_names),
        ):
            if listed:
                session.insert_rows(table, ("release_id", "ordinal", *columns), listed)
        rows += len(batch)
    covers = {"maps": sorted(maps), "hierarchies": sorted(hierarchies)}
    files = [orjson.dumps([file[which] for file in release.files]).decode() for which in (0, 1)]
    now = datetime.now(UTC).isoformat(timespec="seconds")
    session.insert_rows(
        "terminology_release",
        ("id", "name", "kind", "source", "sha256", "licence", "rows", "covers", "loaded"),
        [(
            release_id, release.name, release.kind, *files, release.licence, rows,
            orjson.dumps(covers).decode(), now,
        )],
    )  # fmt: skip
    counters.add(session, counters.DATA_VERSION, 1)
    return rows


def set_version(session: Session, name: str, version: str) -> None:
    """Keep the version of a release."""
    session.run_many("update terminology_release set version = ? where name = ?", [(version, name)])


def remove_release(session: Session, name: str) -> None:
    """Remove a release.

    Raises:
        NotFound: there is none of this name.
    """
    if not _remove(session, name):
        raise NotFound(f"there is no release {quoted(name)}; see 'operon terminology list'")
    counters.add(session, counters.DATA_VERSION, 1)


def _remove(session: Session, name: str) -> bool:
    rows = session.run("select id from terminology_release where name = :name", {"name": name})
    for (release_id,) in rows:
        for table in _TABLES:
            session.run_many(f"delete from {table} where release_id = ?", [(release_id,)])
        session.run_many("delete from terminology_release where id = ?", [(release_id,)])
    return bool(rows)


def _by_system(codes: Iterable[Coded]) -> Iterator[tuple[str, list[str]]]:
    listed: dict[str, list[str]] = {}
    for system, code in sorted(set(codes)):
        listed.setdefault(system, []).append(code)
    yield from listed.items()
