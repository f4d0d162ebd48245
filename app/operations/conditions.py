"""What the conditions and treatments of a question stand for in the systems that knowledge is kept in.

A ``system|code`` stands for itself and, in addition, for its counterparts: those that mean the same or are narrower,
never a wider one. A drug stands for its ingredients too. On demand everything that is a kind of these comes with them.
Words stay words.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from app.fhir.tokens import Token, canonical_system
from app.formats.code_systems import ICD_10, ICD_10_CM, RXNORM, Coded
from app.formats.terminology import Equivalence
from app.store import terminology
from app.store.session import Session
from app.store.terminology import Coverage, Mapped


@dataclass(frozen=True, slots=True)
class Expanded:
    """What some tokens stand for."""

    codes: frozenset[Coded]
    """System and code as ``Token.concept`` spells them; the system is empty where the token has none"""
    words: tuple[Token, ...]
    """The tokens that are words"""
    unused: tuple[tuple[Coded, Mapped], ...] = ()
    """Asked codes with counterparts that were not followed, because they are wider or only related"""
    not_loaded: frozenset[tuple[str, str]] = frozenset()
    """Pairs of systems, from and to, that no loaded release maps"""
    without_hierarchy: frozenset[str] = frozenset()
    """Systems of codes whose kinds were asked for while no loaded release knows kinds"""


def expanded(
    session: Session, tokens: Iterable[Token], *, target_systems: Collection[str], descendants: bool
) -> Expanded:
    """Return what tokens stand for, counterparts in some systems included.

    Raises:
        TooCostly: a code has more kinds than one question may stand for.
    """
    given = list(tokens)
    words = tuple(token for token in given if token.concept is None)
    asked = {concept for token in given if (concept := token.concept) is not None}
    targets = {canonical_system(system) for system in target_systems}
    of_systems = {code for code in asked if code[0]}
    if not of_systems:
        return Expanded(frozenset(asked), words)
    covered = terminology.coverage(session)
    codes = terminology.descendants(session, of_systems) if descendants else set(of_systems)
    found = counterparts(session, codes | _ingredients(session, codes), targets, covered)
    reached = {one.concept for listed in found.values() for one in listed if _is_followed(one)}
    known = codes | (terminology.descendants(session, reached) if descendants else reached)
    systems = {system for system, _ in of_systems}
    return Expanded(
        frozenset(asked | known),
        words,
        tuple((code, one) for code in sorted(of_systems) for one in found[code] if one.concept not in known),
        frozenset(
            (system, target)
            for system in systems
            for target in targets
            if system != target and not is_mapped(system, target, covered)
        ),
        frozenset({system for system, _ in known} - covered.hierarchies) if descendants else frozenset(),
    )


def counterparts(
    session: Session, codes: Collection[Coded], targets: Collection[str], covered: Coverage
) -> dict[Coded, list[Mapped]]:
    """Return the counterparts of codes in some systems, by system, the closest first."""
    spellings = {code: _spellings(code, targets, covered) for code in codes}
    found = terminology.translations(session, {one for listed in spellings.values() for one in listed})
    return {
        code: [one for spelled, systems in listed.items() for one in found[spelled] if one.system in systems]
        for code, listed in spellings.items()
    }


def _ingredients(session: Session, codes: Collection[Coded]) -> set[Coded]:
    drugs = [code for code in codes if code[0] == RXNORM]
    found = terminology.translations(session, drugs)
    return {one.concept for listed in found.values() for one in listed if one.equivalence is Equivalence.INGREDIENT}


def _spellings(code: Coded, targets: Collection[str], covered: Coverage) -> dict[Coded, set[str]]:
    """Return the codes whose maps answer for a code, with the systems that each is asked for."""
    found: dict[Coded, set[str]] = {}
    for target in targets:
        for system in _sources(code[0], target, covered):
            found.setdefault((system, code[1]), set()).add(target)
    return found


def _sources(system: str, target: str, covered: Coverage) -> list[str]:
    """Return the systems whose maps to a target answer for a system; none where nothing is loaded.

    Clients of the reference implementation call codes of ICD-10-CM by the URL of ICD-10, and public maps have ICD-10-CM
    alone. Its codes are those of ICD-10 with more detail, so it answers where ICD-10 itself is not mapped.
    """
    if (system, target) in covered.maps:
        return [system]
    if system == ICD_10 and (ICD_10_CM, target) in covered.maps:
        return [ICD_10_CM]
    return []


def is_mapped(system: str, target: str, covered: Coverage) -> bool:
    """Return whether a loaded release maps a system to another one."""
    return bool(_sources(system, target, covered))


def _is_followed(one: Mapped) -> bool:
    return one.equivalence.is_within or one.equivalence is Equivalence.INGREDIENT
