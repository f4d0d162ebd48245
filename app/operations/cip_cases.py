"""Reading cases for the CIP-API-compatible interface: lists, details, and the documents in them.

Who asks sees the cases of their sites. What is genomic of a case is told to nobody while consent to the test is refused
and the settings enforce that; the list, its statuses and its referral still are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Protocol

import orjson

from app.config import Settings
from app.errors import NotAllowed, NotFound
from app.formats import gel_overview
from app.formats.gel_migration import migrated_detail
from app.formats.gel_values import objects_of
from app.operations import cip_documents, cip_extras
from app.operations.cip_access import FORBIDDEN, Caller
from app.operations.cip_query import Query, filters_of, filters_of_days, visible_sites
from app.operations.consent import ConsentGate
from app.store import cip_cases, cip_pages
from app.store.cip_notes import NoteKind
from app.store.cip_pages import CaseFilters
from app.store.cip_rows import StoredCase
from app.store.session import Database, Session

SHOW_REFERRAL: Final = "show_referral"
SHOW_FLAGS: Final = "show_interpretation_flags"
SHOW_ARRIVAL: Final = "dss_arrival_date"
_IN_DETAIL: Final = frozenset({SHOW_REFERRAL, SHOW_FLAGS})

Number = tuple[int, int]
Page = tuple[int, Sequence[Any]]


class CasesContext(Protocol):
    """What reading cases needs of the context of the operations."""

    @property
    def settings(self) -> Settings:
        """Return the settings."""
        ...

    @property
    def database(self) -> Database:
        """Return the store."""
        ...

    @property
    def consent(self) -> ConsentGate:
        """Return what withholds answers."""
        ...


@dataclass(frozen=True, slots=True)
class Asked:
    """What a user wants to see of cases."""

    context: Any
    caller: Caller
    query: Query
    base_url: str
    """Of the interface, without a slash at its end"""

    @property
    def of(self) -> CasesContext:
        """Return the context."""
        found: CasesContext = self.context
        return found

    @property
    def migrates(self) -> bool:
        """Return whether documents are asked for in model 6."""
        return self.query.flag("reports_v6")


def visible_case(session: Session, caller: Caller, number: Number) -> StoredCase:
    """Return a case that a user may see.

    Raises:
        NotFound: there is none.
        NotAllowed: it is of other sites.
    """
    case = cip_cases.find(session, *number)
    if case is None:
        raise NotFound("Not found.")
    sites = visible_sites(caller)
    if (
        sites is not None
        and not cip_pages.page(
            session, CaseFilters(ids=(number,), visible_sites=sites, with_listed=True), offset=0, limit=1
        )[0]
    ):
        raise NotAllowed(FORBIDDEN)
    return case


def require_consent(context: Any, session: Session, case: StoredCase) -> None:
    """Raise ConsentWithheld if what is genomic of a case is told to nobody."""
    of: CasesContext = context
    for _, subject_id, _ in cip_cases.members_of(session, case.row):
        of.consent.require_testing(subject_id)


def open_detail(asked: Asked, session: Session, number: Number) -> tuple[StoredCase, bytes]:
    """Return a case and its document as it came.

    Raises:
        NotFound: there is no such case, or nothing but its entry in a list is known.
        NotAllowed: the user may not see it, or nobody may.
    """
    case = visible_case(session, asked.caller, number)
    require_consent(asked.context, session, case)
    raw = cip_cases.detail_of(session, case.row)
    if raw is None:
        raise NotFound("Not found.")
    return case, raw


# --- lists ------------------------------------------------------------------------------------------------------------


def overviews(asked: Asked, offset: int, limit: int) -> Page:
    """Return how many cases the parameters choose, and the entries of those from ``offset``."""
    filters = filters_of(asked.query, asked.caller)
    extras = asked.query.extras
    with asked.of.database.read() as session:
        count, cases = cip_pages.page(session, filters, offset=offset, limit=limit)
        return count, [_overview(asked, session, case, extras) for case in cases]


def _overview(asked: Asked, session: Session, case: StoredCase, extras: frozenset[str]) -> dict[str, Any]:
    shown = gel_overview.with_base(case.overview, asked.base_url, arrival=SHOW_ARRIVAL in extras)
    if SHOW_FLAGS in extras:
        shown["interpretation_flags"] = cip_extras.flags_of(session, case)
    if SHOW_REFERRAL in extras:
        shown["referral"] = cip_extras.referral_of(session, case)
    else:
        shown["referral"] = None
    return shown


def summary(asked: Asked, start: str, end: str) -> dict[str, Any]:
    """Return the names of cases by provider and status whose newest status is of some days."""
    filters = filters_of_days(start, end, asked.caller)
    with asked.of.database.read() as session:
        return {"cases": cip_pages.names_by_status(session, filters)}


def documents(asked: Asked, kind: str, offset: int, limit: int) -> Page:
    """Return how many documents of a kind the chosen cases have, and those from ``offset``; none that are withheld."""
    chosen = filters_of(asked.query, asked.caller)
    with asked.of.database.read() as session:
        filters = replace(chosen, hidden_rows=_withheld(asked, session))
        count, found = cip_pages.documents(session, kind, filters, offset=offset, limit=limit)
        details: dict[int, Mapping[str, Any]] = {}
        shown = []
        for document in found:
            row = document.case.row
            if row not in details:  # those of a case follow each other
                raw = cip_cases.detail_of(session, row)
                details = {row: _read(asked, raw) if raw is not None else {}}
            shown.append(_document(details[row], kind, document.index))
        return count, shown


def _withheld(asked: Asked, session: Session) -> tuple[int, ...]:
    """Return the rows of the cases of which nothing genomic is told."""
    gate = asked.of.consent
    if gate.mode != "enforce":
        return ()
    return tuple({case.row for subject in gate.now().refused for case in cip_cases.of_subject(session, subject)})


def _document(detail: Mapping[str, Any], kind: str, index: int) -> Any:
    """Return one of the objects in a list of a detail, as they are counted."""
    if kind == "exit_questionnaire":
        return objects_of(detail.get("clinical_report"))[index]["exit_questionnaire"]
    return objects_of(detail.get(kind))[index]


def workspaces(asked: Asked) -> list[dict[str, Any]]:
    """Return the sites of the cases that a user may see; what they are called elsewhere is not known here."""
    sites = visible_sites(asked.caller)
    with asked.of.database.read() as session:
        found = cip_pages.sites(session)
    return [
        {"short_name": site, "long_name": site, "gmc_name": site, "groups": []}
        for site in found
        if sites is None or site in sites
    ]


# --- one case ---------------------------------------------------------------------------------------------------------


def detail(asked: Asked, number: Number) -> bytes:
    """Return the document of a case: as it came, but for what has to be asked for."""
    extras = asked.query.extras
    with asked.of.database.read() as session:
        case, raw = open_detail(asked, session, number)
        if not asked.migrates and not extras & _IN_DETAIL and b'"referral"' not in raw:
            return raw  # a large document is not read to find out that there is nothing to do
        value: dict[str, Any] = orjson.loads(raw)
        changed = dict(value)
        if SHOW_REFERRAL not in extras:
            changed.pop("referral", None)
        elif changed.get("referral") is None and (referral := cip_extras.referral_of(session, case)) is not None:
            changed["referral"] = referral
        if SHOW_FLAGS in extras:
            # Clients know the flags of a case by the one name, those in the list by the other.
            changed["interpretation_flag"] = changed["interpretation_flags"] = cip_extras.flags_of(session, case)
    if asked.migrates:
        changed = dict(migrated_detail(changed))
    return raw if changed == value else orjson.dumps(changed)


def notes(asked: Asked, number: Number, kind: str, offset: int, limit: int) -> Page:
    """Return how many notes of a kind (``workflow``, ``flag``) decision support made, and those from ``offset``."""
    with asked.of.database.read() as session:
        case = visible_case(session, asked.caller, number)
        return cip_extras.notes_of(session, case, NoteKind(kind), offset, limit)


def genome(asked: Asked, number: Number, service: str, cip_version: int | None) -> Any:
    """Return an interpreted genome of a case by who made it, the newest one if no version is named.

    Raises:
        NotFound: there is none.
    """

    def is_of(one: Mapping[str, Any]) -> bool:
        data = one.get("interpreted_genome_data") or {}
        name = str(data.get("interpretationService") or data.get("companyName") or "")
        return name.lower() == service.lower() and cip_version in (None, _version(one, "cip_version"))

    return _newest(asked, number, "interpreted_genome", "cip_version", is_of)


def report(asked: Asked, number: Number, version: int) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """Return the detail of a case, and of its clinical reports the one of a version. Raises NotFound."""
    with asked.of.database.read() as session:
        _, raw = open_detail(asked, session, number)
    value = _read(asked, raw)
    found = cip_documents.report_of(value, version)
    if found is None:
        raise NotFound("Not found.")
    return value, found


def questionnaire(asked: Asked, number: Number, version: int) -> Any:
    """Return the exit questionnaire of a clinical report. Raises NotFound if there is none."""
    _, one = report(asked, number, version)
    if one.get("exit_questionnaire") is None:
        raise NotFound("Not found.")
    return one["exit_questionnaire"]


def _newest(
    asked: Asked, number: Number, kind: str, order: str, matches: Callable[[Mapping[str, Any]], bool]
) -> Mapping[str, Any]:
    with asked.of.database.read() as session:
        _, raw = open_detail(asked, session, number)
    found = [one for one in objects_of(_read(asked, raw).get(kind)) if matches(one)]
    if not found:
        raise NotFound("Not found.")
    return max(found, key=lambda one: (_version(one, order) or 0, str(one.get("created_at") or "")))


def _read(asked: Asked, raw: bytes) -> Mapping[str, Any]:
    value: Mapping[str, Any] = orjson.loads(raw)
    return migrated_detail(value) if asked.migrates else value


def _version(one: Mapping[str, Any], name: str) -> int | None:
    try:
        return int(one.get(name, ""))
    except (TypeError, ValueError):
        return None
