"""From the conditions, treatments and consequences of a question to the concepts of the active knowledge.

A filter that no active release can be asked by is an error, never an empty answer: whoever asks would take it for
"there is nothing".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from app.errors import InvalidInput, NotInstalled, quoted
from app.fhir import codes
from app.fhir.parameters import OperationInputs
from app.fhir.tokens import Token, is_same_system
from app.formats.knowledge import ItemKind
from app.store.knowledge import ActiveKnowledge
from app.store.knowledge_codec import Role, StoredItem

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


def wanted_concepts(active: ActiveKnowledge, inputs: OperationInputs) -> Wanted:
    """Return the concepts that the conditions, treatments and consequences of a question stand for.

    Raises:
        InvalidInput: no active knowledge is coded in the system of a token.
    """
    asked = (
        (Role.CONDITION, "conditions", inputs.conditions),
        (Role.MEDICATION, "treatments", inputs.treatments),
        (Role.TERM, "featureConsequences", inputs.feature_consequences),
    )
    return {role: _concepts(active, role, name, tokens) for role, name, tokens in asked if tokens}


def meets(item: StoredItem, wanted: Wanted) -> bool:
    """Return whether an item has one of the concepts of every role."""
    return all(not concepts.isdisjoint(item.concepts.get(role, ())) for role, concepts in wanted.items())


def _concepts(active: ActiveKnowledge, role: Role, name: str, tokens: Sequence[Token]) -> set[int]:
    coded = [token for token in tokens if token.system is not None]
    words = [token.code for token in tokens if token.system is None]
    found = {one.concept_id for one in active.concepts_with(role, words)} if words else set()
    if coded:
        _refuse_unknown_systems(active.systems(role), name, coded)
        spelled = {token: _spellings(token) for token in coded}
        stored = active.concepts_coded(role, sorted({code for codes_ in spelled.values() for code in codes_}))
        for token, spellings in spelled.items():
            found |= {
                one.concept_id
                for one in stored
                if one.concept.code in spellings
                and (not token.system or is_same_system(one.concept.system, token.system))
            }
    return found


def _refuse_unknown_systems(known: Iterable[str], name: str, tokens: Sequence[Token]) -> None:
    systems = sorted(filter(None, known))
    for token in tokens:
        if token.system and not any(is_same_system(token.system, system) for system in systems):
            listed = ", ".join(systems) or "none"
            raise InvalidInput(
                f"{name} cannot be evaluated: no active knowledge is coded in {quoted(token.system)} (coded in:"
                f" {listed})",
                parameter=name,
            )


def _spellings(token: Token) -> set[str]:
    """Return the ways in which a code is written: Disease Ontology codes with and without their prefix."""
    code = token.code
    if token.system and is_same_system(token.system, codes.DISEASE_ONTOLOGY):
        number = code.upper().removeprefix("DOID:")
        return {code, number, f"DOID:{number}"}
    return {code}
