"""From the conditions, treatments and consequences of a question to the concepts of the active knowledge.

A filter that no active release can be asked by is an error, never an empty answer: whoever asks would take it for
"there is nothing".
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from app.errors import InvalidInput, NotInstalled, quoted
from app.fhir.parameters import OperationInputs
from app.fhir.tokens import Token, canonical_system
from app.formats.code_systems import Coded, canonical_code
from app.formats.knowledge import Concept, ItemKind
from app.operations.conditions import expanded
from app.store.knowledge import ActiveKnowledge
from app.store.knowledge_codec import Role, StoredItem
from app.store.session import Session

Wanted = Mapping[Role, set[int]]
"""Concepts by role, of each of which an item has to have one"""

_KNOWLEDGE: Final = {
    ItemKind.DIAGNOSTIC: "diagnostic",
    ItemKind.THERAPEUTIC: "therapeutic",
    ItemKind.CONSEQUENCE: "consequence",
}


def require_knowledge(active: ActiveKnowledge, kind: ItemKind) -> None:
    """Raise NotInstalled where no active release says anything of a kind: an empty answer would look like one."""
    if active.is_empty():
        raise NotInstalled(
            f"No {_KNOWLEDGE[kind]} knowledge is active; load some with 'operon knowledge load' (see operon knowledge"
            " list)"
        )


def wanted_concepts(session: Session, active: ActiveKnowledge, inputs: OperationInputs) -> Wanted:
    """Return the concepts that the conditions, treatments and consequences of a question stand for.

    Conditions and treatments of other code systems are translated by the loaded terminology, and reach what is a kind
    of them where that is asked for.

    Raises:
        InvalidInput: no active knowledge is coded in the system of a token, nor does a map lead there; or kinds are
            asked for of a system whose hierarchy is not loaded.
    """
    asked = (
        (Role.CONDITION, "conditions", inputs.conditions),
        (Role.MEDICATION, "treatments", inputs.treatments),
        (Role.TERM, "featureConsequences", inputs.feature_consequences),
    )
    return {
        role: _concepts(session, active, role, _Asked(name, tokens, inputs.include_descendants))
        for role, name, tokens in asked
        if tokens
    }


def meets(item: StoredItem, wanted: Wanted) -> bool:
    """Return whether an item has one of the concepts of every role."""
    return all(not concepts.isdisjoint(item.concepts.get(role, ())) for role, concepts in wanted.items())


@dataclass(frozen=True, slots=True)
class _Asked:
    """One parameter of a question."""

    name: str
    tokens: Sequence[Token]
    descendants: bool


def _concepts(session: Session, active: ActiveKnowledge, role: Role, asked: _Asked) -> set[int]:
    known = active.systems(role)
    if not known:
        raise InvalidInput(f"{asked.name} cannot be evaluated: no active knowledge tells any", parameter=asked.name)
    words = [token.code for token in asked.tokens if token.system is None]
    found = {one.concept_id for one in active.concepts_with(role, words)} if words else set()
    coded = [token for token in asked.tokens if token.system is not None]
    if coded:
        wanted = _codes(session, known, role, asked)
        stored = active.concepts_coded(role, sorted({text for code in wanted for text in _spellings(code)}))
        found |= {one.concept_id for one in stored if _is_one_of(one.concept, wanted)}
    return found


def _codes(session: Session, known: Iterable[str], role: Role, asked: _Asked) -> set[Coded]:
    """Return the codes that the tokens of a question stand for in the systems of the active knowledge."""
    systems = {canonical_system(system) for system in known if system}
    concepts = {concept for token in asked.tokens if (concept := token.concept) is not None}
    if role is Role.TERM:
        _refuse_unknown(asked.name, {system for system, _ in concepts if system} - systems, systems)
        return concepts
    stands = expanded(session, asked.tokens, target_systems=systems, descendants=asked.descendants)
    unmapped = {
        system
        for system, _ in concepts
        if system and system not in systems and all((system, known) in stands.not_loaded for known in systems)
    }
    _refuse_unknown(asked.name, unmapped, systems)
    reached = {system for system, _ in stands.codes if system}
    if asked.descendants and reached and stands.without_hierarchy >= reached:
        listed = ", ".join(sorted(stands.without_hierarchy))
        raise InvalidInput(
            f"includeDescendants cannot be evaluated: no hierarchy is loaded of {listed} (operon terminology load)",
            parameter="includeDescendants",
        )
    return set(stands.codes)


def _refuse_unknown(name: str, unknown: Iterable[str], systems: Iterable[str]) -> None:
    for system in sorted(unknown):
        listed = ", ".join(sorted(systems)) or "no system"
        raise InvalidInput(
            f"{name} cannot be evaluated: the active knowledge is coded in {listed}, and no map from {quoted(system)}"
            " is loaded (operon terminology load)",
            parameter=name,
        )


def _is_one_of(concept: Concept, wanted: Collection[Coded]) -> bool:
    """Return whether a stored concept is one of some codes, which have no system where the token has none."""
    system = canonical_system(concept.system)
    return (system, canonical_code(system, concept.code)) in wanted or ("", concept.code) in wanted


def _spellings(wanted: Coded) -> set[str]:
    """Return the ways in which sources write a code: with and without a prefix, with and without a dot."""
    code = wanted[1]
    return {code, code.rpartition(":")[2], f"{code[:3]}.{code[3:]}"}
