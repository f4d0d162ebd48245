"""What the pages about cases of a CIP-API show: plain values, made from the document as it is stored.

Of a case whose consent was refused nothing is here but what the case is and who agreed to what.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import orjson

from app.formats import gel_overview, gel_values
from app.formats.gel import GelCase, Member
from app.formats.gel_case import read_case
from app.operations.cip_additional import without_withheld
from app.operations.cip_case_variants import MOST_SHOWN, VariantRow, counts_of, rows_of
from app.operations.consent import ConsentGate
from app.operations.pedigree import Drawing, draw, role_of
from app.store import cip_cases, cip_consents, cip_notes
from app.store.cip_cases import CaseFilters, State, StoredCase
from app.store.cip_consents import Colour, Consent, Kind
from app.store.cip_notes import NoteKind
from app.store.session import Database, Session

PAGE_SIZE: Final = 50
MOST_PROBLEMS: Final = 200

LIGHTS: Final = {
    Colour.GREEN: "green: everybody agreed to the test",
    Colour.AMBER: "amber: not everybody has said",
    Colour.RED: "red: somebody refused the test",
}
STATES: Final = {
    State.LISTED: "Only the list of cases is known; its documents were not fetched.",
    State.WAITING: "Its calls are being stored anew; operations answer from what was stored before.",
    State.STORED: "Its calls are stored; operations answer from them.",
    State.QUARANTINED: "Nothing of it could be stored.",
    State.BLOCKED: "It is blocked: operations do not answer from it.",
    State.REFUSED: "Somebody refused the test: operations do not answer from it.",
    State.SUPERSEDED: "A newer version has taken its place; operations answer from that one.",
}
_SCOPES: Final = {
    "quarantine": "document refused",
    "quarantine-variant": "variant left out",
    "quarantine-call": "call left out",
    "warning": "warning",
}
_CONSENTS: Final = {
    Kind.PRIMARY_TESTING: "Genomic test",
    Kind.RESEARCH: "Research",
    Kind.PHARMACOGENOMICS: "Pharmacogenomics",
    Kind.HEALTH_RELATED: "Health-related",
    Kind.CARRIER_STATUS: "Carrier status",
}
_RESULTS_WITHHELD: Final = "Results of this case are withheld, since the test was refused. What the case is, is shown."
_NOT_ENFORCED: Final = "Consent is not enforced on this server: what follows is shown although somebody has not agreed."


@dataclass(frozen=True, slots=True)
class Status:
    """A step of a case."""

    name: str
    at: str
    user: str
    is_workflow: bool = False
    """Whether decision support says it"""


@dataclass(frozen=True, slots=True)
class Agreed:
    """What one participant agreed to."""

    participant: str
    role: str
    light: str
    """green, amber or red"""
    answers: tuple[tuple[str, str], ...]
    """(what, yes, no or undefined)"""


@dataclass(frozen=True, slots=True)
class Person:
    """A member of a case."""

    participant: str
    """Empty for somebody who is not in the study"""
    subject_id: str
    role: str
    sex: str
    affected: str
    samples: str
    phenotypes: tuple[tuple[str, str], ...]
    """(term, yes, no or unknown)"""
    disorders: str
    is_sequenced: bool
    note: str = ""


@dataclass(frozen=True, slots=True)
class Wrong:
    """Something in a case that could not be used."""

    path: str
    message: str
    cost: str


@dataclass(frozen=True, slots=True)
class CaseRow:
    """A case in the list."""

    name: str
    case_id: str
    proband: str
    sample_type: str
    status: str
    state: str
    light: str
    modified: str


@dataclass(frozen=True, slots=True)
class CaseList:
    """A page of the list of cases."""

    total: int
    page: int
    pages: int
    search: str
    cases: tuple[CaseRow, ...]


@dataclass(frozen=True, slots=True)
class CasePage:
    """A case."""

    name: str
    facts: tuple[tuple[str, str], ...]
    state: str
    state_text: str
    light: str
    light_text: str
    notice: str
    """What a reader has to know first; empty where there is nothing"""
    is_withheld: bool
    statuses: tuple[Status, ...]
    consents: tuple[Agreed, ...]
    stored: tuple[tuple[str, str], ...]
    problems: tuple[Wrong, ...]
    further_problems: int
    drawing: Drawing | None = None
    people: tuple[Person, ...] = ()
    columns: tuple[tuple[str, str], ...] = ()
    """(role, participant) of those whose calls the table of variants has"""
    variants: tuple[VariantRow, ...] = ()
    further_variants: int = 0
    tiers: Mapping[str, int] = field(default_factory=dict)
    panels: tuple[tuple[str, str], ...] = ()
    findings: tuple[tuple[str, str, str], ...] = ()
    """(participant, kind, text)"""


def listed(database: Database, search: str, page: int) -> CaseList:
    """Return a page of the cases that a text is found in; one past the end is the last."""
    filters = CaseFilters(search=search)
    with database.read() as session:
        total, found = cip_cases.page(session, filters, offset=(page - 1) * PAGE_SIZE, limit=PAGE_SIZE)
        pages = max(1, -(-total // PAGE_SIZE))
        if page > pages:
            page = pages
            total, found = cip_cases.page(session, filters, offset=(page - 1) * PAGE_SIZE, limit=PAGE_SIZE)
        lights = cip_consents.colours(session, [one.row for one in found])
    rows = [
        CaseRow(
            one.name,
            _text(one.overview.get("case_id")),
            _text(one.overview.get("proband")),
            _text(one.sample_type),
            _text(one.overview.get("last_status")),
            one.state.value,
            lights[one.row].value,
            one.last_modified[:10],
        )
        for one in found
    ]
    return CaseList(total, page, pages, search, tuple(rows))


def shown(database: Database, gate: ConsentGate, ir_id: int, version: int) -> CasePage | None:
    """Return a case; None if there is none."""
    with database.read() as session:
        stored = cip_cases.find(session, ir_id, version)
        if stored is None:
            return None
        members = cip_cases.members_of(session, stored.row)
        subjects = {participant: subject_id for participant, subject_id, _ in members}
        consents = cip_consents.of_case(session, stored.row)
        raw = cip_cases.detail_of(session, stored.row)
        workflow = _workflow(session, stored.row)
    detail: Mapping[str, Any] = orjson.loads(raw) if raw is not None else {}
    light = cip_consents.colour_of([one.answers[Kind.PRIMARY_TESTING] for one in consents])
    if stored.state is State.REFUSED or not gate.now().refused.isdisjoint(subjects.values()):
        light = Colour.RED
    known = _Known(stored, detail, light, gate.mode == "enforce", subjects)
    case, _ = read_case(detail) if detail and not known.is_withheld else (None, [])
    if case is not None and gate.mode == "enforce":
        case, _ = without_withheld(case, lambda: gate.now().of_pharmacogenomics)
    head = _head(known, _agreed(consents, case), workflow)
    return head if case is None else _with_results(head, known, case)


@dataclass(frozen=True, slots=True)
class _Known:
    """What is read of a case."""

    stored: StoredCase
    detail: Mapping[str, Any]
    light: Colour
    is_enforced: bool
    subjects: Mapping[str, str]
    """Subject of each participant"""

    @property
    def is_withheld(self) -> bool:
        """Return whether nothing of its results may be shown."""
        return self.light is Colour.RED and self.is_enforced


def _head(known: _Known, consents: Sequence[Agreed], workflow: Sequence[Status]) -> CasePage:
    """Return what may be shown of every case."""
    stored = known.stored
    notice = _RESULTS_WITHHELD if known.is_withheld else ""
    if known.light is Colour.RED and not known.is_enforced:
        notice = _NOT_ENFORCED
    listed_problems = () if known.is_withheld else stored.report.get("problems") or ()
    problems = [one for one in listed_problems if isinstance(one, Mapping)]
    counts = stored.report.get("counts")
    return CasePage(
        name=stored.name,
        facts=_facts(stored),
        state=stored.state.value,
        state_text=STATES[stored.state],
        light=known.light.value,
        light_text=LIGHTS[known.light],
        notice=notice,
        is_withheld=known.is_withheld,
        statuses=(*_statuses(known.detail), *workflow),
        consents=tuple(consents),
        stored=tuple((_words(name), str(number)) for name, number in dict(counts or {}).items()),
        problems=tuple(map(_wrong, problems[:MOST_PROBLEMS])),
        further_problems=max(0, len(problems) - MOST_PROBLEMS),
    )


def _with_results(head: CasePage, known: _Known, case: GelCase) -> CasePage:
    """Return a case with what was found in it."""
    named = [one for one in case.members if one.participant_id]
    named.sort(key=lambda one: _order(role_of(one, case.members)))
    rows = rows_of(case, [one.participant_id or "" for one in named])
    related = _with_related_parents(known.detail)
    return replace(
        head,
        drawing=draw(case.members, related=related) if case.members else None,
        people=tuple(_person(one, case, known.subjects, related) for one in case.members),
        columns=tuple((role_of(one, case.members), one.participant_id or "") for one in named),
        variants=tuple(rows[:MOST_SHOWN]),
        further_variants=max(0, len(rows) - MOST_SHOWN),
        tiers=counts_of(rows),
        panels=tuple((one.name, one.version) for one in case.panels),
        findings=tuple(
            (one.participant_id, _words(one.kind), one.text)
            for genome in case.current_genomes()
            for one in genome.findings
        ),
    )


def _facts(stored: StoredCase) -> tuple[tuple[str, str], ...]:
    shown_ = stored.overview
    named = (
        ("Case", shown_.get("case_id")),
        ("Kind", stored.sample_type),
        ("Assembly", shown_.get("assembly")),
        ("Family", shown_.get("family_id") or shown_.get("cancer_participant")),
        ("Interpretation provider", shown_.get("cip")),
        ("Priority", shown_.get("case_priority")),
        ("Workflow", shown_.get("workflow_status")),
        ("Last modified", stored.last_modified),
        ("From", stored.origin),
    )
    return tuple((name, _text(value)) for name, value in named if value)


def _statuses(detail: Mapping[str, Any]) -> list[Status]:
    given = detail.get("status")
    return [
        Status(_words(_text(one.get("status"))), _moment(one.get("created_at")), _text(one.get("user")))
        for one in (given if isinstance(given, list) else ())
        if isinstance(one, Mapping)
    ]


def _workflow(session: Session, row: int) -> list[Status]:
    _, notes = cip_notes.page(session, row, NoteKind.WORKFLOW)
    return [
        Status(_text(one.get("status")), _moment(one.get("created_at")), _text(one.get("user")), is_workflow=True)
        for one in notes
    ]


def _agreed(consents: Sequence[Consent], case: GelCase | None) -> list[Agreed]:
    roles = {one.participant_id: role_of(one, case.members) for one in case.members} if case is not None else {}
    return [
        Agreed(
            one.participant or "the whole referral",
            roles.get(one.participant, ""),
            cip_consents.colour_of([one.answers[Kind.PRIMARY_TESTING]]).value,
            tuple((words, one.answers.get(kind, "undefined")) for kind, words in _CONSENTS.items()),
        )
        for one in consents
    ]


def _person(one: Member, case: GelCase, subjects: Mapping[str, str], related: frozenset[int]) -> Person:
    participant = one.participant_id or ""
    return Person(
        participant,
        subjects.get(participant, ""),
        role_of(one, case.members),
        one.sex,
        one.affected.lower(),
        ", ".join(f"{sample.sample_id} ({sample.kind})" for sample in one.samples),
        tuple((" ".join(filter(None, (term.term.code, term.term.name))), term.presence) for term in one.phenotypes),
        ", ".join(one.disorders),
        bool(participant and one.samples),
        "parents related to each other" if one.pedigree_id in related else "",
    )


def _with_related_parents(detail: Mapping[str, Any]) -> frozenset[int]:
    """Return the pedigree ids of those whose parents are related to each other, as the case says."""
    pedigree = gel_overview.request_of(detail).get("pedigree")
    members = pedigree.get("members") or pedigree.get("participants") if isinstance(pedigree, Mapping) else None
    return frozenset(
        one["pedigreeId"]
        for one in (members if isinstance(members, list) else ())
        if isinstance(one, Mapping)
        and one.get("consanguineousParents") == "yes"
        and isinstance(one.get("pedigreeId"), int)
    )


def _wrong(one: Mapping[str, Any]) -> Wrong:
    scope = _text(one.get("scope"))
    return Wrong(_text(one.get("path")), _text(one.get("message")), _SCOPES.get(scope, scope))


def _order(role: str) -> int:
    known = ("proband", "mother", "father")
    return known.index(role) if role in known else len(known)


def _moment(value: object) -> str:
    at = gel_values.moment(value)
    return f"{at[:10]} {at[11:16]}" if at else _text(value)


def _words(name: str) -> str:
    return name.replace("_", " ")


def _text(value: object) -> str:
    return value if isinstance(value, str) else "" if value is None else str(value)
