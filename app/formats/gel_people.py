"""Who is in a case and what they agreed to, read from its detail and from referrals of any model."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import orjson

from app.formats.gel_overview import request_of
from app.formats.gel_values import objects_of

CONSENT_FIELDS: Final = {
    "primary_testing": ("primaryGenomicTestingConsent",),
    "discussion": ("researchDiscussion",),
    "research": ("researchFindingConsent",),
    "pharmacogenomics": ("pharmocogenomicsFindingConsent", "pharmacogenomicsFindingConsent"),
    "health_related": ("healthRelatedFindingConsent",),
    "carrier_status": ("carrierStatusConsent",),
}
"""What is kept of a consent, and the names that econsent has for it (the first misspelling is the interface's own)"""
_TEST_CONSENT: Final = {
    "primary_testing": ("primaryFindingConsent",),
    "research": ("researchConsent",),
    "pharmacogenomics": ("pharmacogenomicsFindingConsent", "pharmocogenomicsFindingConsent"),
    "health_related": ("healthRelatedFindingConsent",),
    "carrier_status": ("carrierStatusConsent",),
}
_UNDEFINED: Final = "undefined"
_SAFE: Final = re.compile(r"[A-Za-z0-9.-]{1,64}")
_UNSAFE: Final = re.compile(r"[^A-Za-z0-9.-]")
_MENTIONED: Final = tuple(
    re.compile(rb'"' + name + rb'"\s*:\s*("(?:[^"\\]|\\.)*")') for name in (b"participantId", b"gelId")
)
"""Two patterns, each beginning with what it looks for: that is searched for fast"""
_LONGEST_STEM: Final = 47


@dataclass(frozen=True, slots=True)
class Person:
    """A participant of a case."""

    participant: str
    uid: str
    """The other identifier, by which econsent may call the participant; empty where the case has none"""
    is_proband: bool
    consent: Mapping[str, str] = field(default_factory=dict)
    """Key of ``CONSENT_FIELDS`` to yes, no or undefined; empty where the case says nothing"""

    @property
    def subject_id(self) -> str:
        """Return the id of the participant's subject in the store."""
        return subject_id_of(self.participant)


@dataclass(frozen=True, slots=True)
class ConsentItem:
    """What one participant agreed to, as econsent says."""

    participant: str
    """Identifier of either kind"""
    referral: str
    """Identifier of either kind; may be empty"""
    answers: Mapping[str, str]
    """Every key of ``CONSENT_FIELDS`` to yes, no or undefined"""
    last_modified: str


def subject_id_of(participant: str) -> str:
    """Return a participant's id as the id of a FHIR resource; two participants never have the same one."""
    if _SAFE.fullmatch(participant):
        return participant
    digest = hashlib.sha256(participant.encode()).hexdigest()[:16]
    return f"{_UNSAFE.sub('-', participant)[:_LONGEST_STEM]}-{digest}"


def people_of(detail: Mapping[str, Any], raw: bytes) -> list[Person]:
    """Return everybody whom a case names: its members first, then who is only in calls."""
    proband = _text(detail.get("proband"))
    found: dict[str, Person] = {}
    for member in members_of(request_of(detail)):
        participant = _text(member.get("participantId")) or _text(member.get("gelId"))
        if participant:
            is_proband = participant == proband or member.get("isProband") is True or "tumourSamples" in member
            uid = _text(member.get("participantUid"))
            found[participant] = Person(participant, uid, is_proband, _member_consent(member))
    named = [
        proband,
        *(str(orjson.loads(text)) for text in {one for pattern in _MENTIONED for one in pattern.findall(raw)}),
    ]
    for participant in [named[0], *sorted(named[1:])]:
        if participant and participant not in found:
            found[participant] = Person(participant, "", participant == proband)
    return list(found.values())


def members_of(request: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the members of a request's or referral's pedigree, or its cancer participant."""
    pedigree = request.get("pedigree")
    if isinstance(pedigree, Mapping):
        return objects_of(pedigree.get("members")) or objects_of(pedigree.get("participants"))
    return objects_of([request.get("cancerParticipant")])


def consents_of(items: object) -> list[ConsentItem]:
    """Return the items of an econsent document: a list of them, or an object with the list inside."""
    while isinstance(items, Mapping):
        items = items.get("participant_consent", items.get("econsent"))
    return [
        ConsentItem(participant, _text(one.get("referral_id")), _answers(one, CONSENT_FIELDS), _modified(one))
        for one in objects_of(items)
        if (participant := _text(one.get("participant_id")))
    ]


def overall_of(primary: list[str]) -> str:
    """Return the colour that several answers on testing give: red, amber or green."""
    if "no" in primary:
        return "red"
    return "green" if all(answer == "yes" for answer in primary) else "amber"


def _member_consent(member: Mapping[str, Any]) -> dict[str, str]:
    stated = member.get("testConsentStatus")
    return _answers(stated, _TEST_CONSENT) if isinstance(stated, Mapping) else {}


def _answers(stated: Mapping[str, Any], names: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
    """Return the answer of each kind; of two spellings that disagree the one that allows less."""
    found = {}
    for kind in CONSENT_FIELDS:
        given = {_text(stated.get(name)).strip().lower() for name in names.get(kind, ())}
        found[kind] = "no" if "no" in given else "yes" if "yes" in given else _UNDEFINED
    return found


def _modified(item: Mapping[str, Any]) -> str:
    return _text(item.get("last_modified")) or _text(item.get("laststring_modified"))


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
