"""From the conditions, treatments and consequences of a question to the concepts of the active knowledge.

A filter that no active release can be asked by is an error, never an empty answer: whoever asks would take it for
"there is nothing".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
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
from app.store.stated import Statements

Wanted = Mapping[Role, set[int]]
"""Concepts by role, of each of which an item has to have one"""

_KNOWLEDGE: Final = {
    ItemKind.DIAGNOSTIC: "diagnostic",
    ItemKind.THERAPEUTIC: "therapeutic",
    ItemKind.CONSEQUENCE: "consequence",
}


def require_knowledge(active: ActiveKnowledge, kind: ItemKind, statements: Statements) -> None:
    """Raise NotInstalled where no active release or report says anything of a kind: it would look like an answer."""
    if active.is_empty() and statements.is_empty:
        raise NotInstalled(
            f"No {_KNOWLEDGE[kind]} knowledge is active; load some with 'operon knowledge load' (see operon knowledge"
            " list)"
        )


@dataclass(frozen=True, slots=True)
class Sought:
    """What one parameter of a question asks by: words, and codes with their counterparts in known systems."""

    words: tuple[str, ...]
    codes: frozenset[Coded]
    """The system is empty where a token has none"""

    def spellings(self) -> list[str]:
        """Return the ways in which sources write the codes: with and without a prefix, with and without a dot."""
        return sorted(
            {text for _, code in self.codes for text in (code, code.rpartition(":")[2], f"{code[:3]}.{code[3:]}")}
        )

    def has_code(self, concept: Concept) -> bool:
        """Return whether a concept is one of the codes."""
        system = canonical_system(concept.system)
        return (system, canonical_code(system, concept.code)) in self.codes or ("", concept.code) in self.codes

    def is_met_by(self, concept: Concept) -> bool:
        """Return whether a concept is one of the codes, or has one of the words."""
        if self.has_code(concept):
            return True
        text = f"{concept.code}\n{concept.display}".casefold()
        return any(word.casefold() in text for word in self.words)


Question = Mapping[Role, Sought]
"""What is asked by, of those roles that a question names"""


def sought(session: Session, active: ActiveKnowledge, statements: Statements, inputs: OperationInputs) -> Question:
    """Return what the conditions, treatments and consequences of a question ask by.

    Conditions and treatments of other code systems are translated by the loaded terminology, and reach what is a kind
    of them where that is asked for.

    Raises:
        InvalidInput: neither active knowledge nor a report is coded in the system of a token, nor does a map lead
            there, or nothing is coded at all; or kinds are asked for of a system whose hierarchy is not loaded.
    """
    asked = (
        (Role.CONDITION, "conditions", inputs.conditions),
        (Role.MEDICATION, "treatments", inputs.treatments),
        (Role.TERM, "featureConsequences", inputs.feature_consequences),
    )
    question = {}
    for role, name, tokens in asked:
        if tokens:
            known = active.systems(role) | statements.systems(role)
            codes_ = _codes(session, known, role, _Asked(name, tokens, inputs.include_descendants))
            words = tuple(token.code for token in tokens if token.system is None)
            question[role] = Sought(words, frozenset(codes_))
    return question


def wanted_concepts(active: ActiveKnowledge, question: Question) -> Wanted:
    """Return the concepts of the active knowledge that a question stands for."""
    return {role: _concepts(active, role, one) for role, one in question.items()}


def _concepts(active: ActiveKnowledge, role: Role, one: Sought) -> set[int]:
    found = active.concepts_with(role, one.words) if one.words else []
    coded = active.concepts_coded(role, one.spellings()) if one.codes else []
    return {stored.concept_id for stored in found} | {
        stored.concept_id for stored in coded if one.has_code(stored.concept)
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


def _codes(session: Session, known: Iterable[str], role: Role, asked: _Asked) -> set[Coded]:
    """Return the codes that the tokens of a question stand for in the systems of the active knowledge."""
    if not known and role is not Role.TERM:
        raise InvalidInput(f"{asked.name} cannot be evaluated: no active knowledge tells any", parameter=asked.name)
    systems = {canonical_system(system) for system in known if system}
    concepts = {concept for token in asked.tokens if (concept := token.concept) is not None}
    if role is Role.TERM:
        return concepts  # whoever asks by them has made sure of their system
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
