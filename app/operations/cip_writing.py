"""What is said of a case through the CIP-API-compatible interface: checked, put into its document, stored.

Each is one transaction that holds the case, so that two reports which come at once are versions 1 and 2. A case that
was changed waits for its calls to be made anew.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final

import orjson

from app.errors import InvalidFields, NotAllowed, NotFound
from app.formats import gel_bodies
from app.formats.gel_parts import NO_STRING, REQUIRED
from app.formats.gel_values import timestamp
from app.operations import cip_case_fields as fields
from app.operations import cip_documents as documents
from app.operations.cip_access import FORBIDDEN, Caller, CipContext
from app.operations.cip_documents import Document
from app.operations.cip_query import visible_sites
from app.store import cip_cases, cip_changes, cip_linked, cip_notes, cip_pages
from app.store.cip_changes import Keyed
from app.store.cip_notes import NoteKind
from app.store.cip_pages import CaseFilters
from app.store.cip_rows import StoredCase
from app.store.session import Session

Number = tuple[int, int]

_LONGEST_STATUS: Final = 100


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Writer:
    """Who writes, where, and what time it is."""

    context: Any
    caller: Caller
    clock: Callable[[], datetime] = _now

    @property
    def of(self) -> CipContext:
        """Return the context."""
        found: CipContext = self.context
        return found

    @property
    def user(self) -> str:
        """Return the name under which things are said."""
        return self.caller.username


def add_clinical_report(writer: Writer, number: Number, kind: str, body: object, *, key: str = "") -> Document:
    """Add a clinical report to a case and return it as it is served; with the key of an earlier one, that one.

    Raises:
        NotFound: there is no such case.
        InvalidFields: the report cannot be stored.
    """

    def change(held: Held) -> tuple[Document | None, Document]:
        _require(kind_problems(held.case, kind))
        _require(gel_bodies.clinical_report_problems(body, ir_id=number[0], version=number[1]))
        digest = hashlib.sha256(orjson.dumps(body)).hexdigest()
        known = held.report_of_key(key, writer.user, digest) if key else None
        if known is not None:
            return None, known
        report = _object(body)
        changed, wrapper = documents.add_clinical_report(held.detail, report, user=writer.user, at=held.at)
        if key:
            held.remember(key, writer.user, Keyed(digest, wrapper["clinical_report_version"]))
        return changed, wrapper

    return _change(writer, number, change)


def put_exit_questionnaire(writer: Writer, number: Number, report_version: int, body: object) -> Document:
    """Put the questionnaire of a clinical report in place of the one before, and return it as it is served.

    Raises:
        NotFound: there is no such case or report.
        InvalidFields: the questionnaire cannot be stored.
    """

    def change(held: Held) -> tuple[Document, Document]:
        if documents.report_of(held.detail, report_version) is None:
            raise NotFound("Not found.")
        _require(gel_bodies.exit_questionnaire_problems(body, sample_type=held.case.sample_type))
        return documents.put_exit_questionnaire(
            held.detail, report_version, _object(body), user=writer.user, at=held.at
        )

    return _change(writer, number, change)


def add_interpreted_genome(writer: Writer, number: Number, kind: str, body: object) -> Document:
    """Add an interpreted genome to a case; return it as it is served, with the fields of the status that it made.

    Raises:
        NotFound: there is no such case.
        InvalidFields: the genome cannot be stored.
    """

    def change(held: Held) -> tuple[Document, Document]:
        _require(kind_problems(held.case, kind))
        _require(gel_bodies.interpreted_genome_problems(body, ir_id=number[0], version=number[1]))
        genome = _object(body)
        changed, wrapper = documents.add_interpreted_genome(held.detail, genome, user=writer.user, at=held.at)
        # Clients read this answer as a status and as a genome: it is both.
        return changed, {**wrapper, "status": documents.INTERPRETATION_GENERATED, "user": writer.user}

    return _change(writer, number, change)


def set_priority(writer: Writer, number: Number, body: object) -> Document:
    """Give a case another priority and return its document. Raises NotFound, InvalidFields."""

    def change(held: Held) -> tuple[Document, Document]:
        _require(fields.priority_problems(body))
        changed = documents.set_priority(held.detail, _object(body)["case_priority"], at=held.at)
        return changed, changed

    return _change(writer, number, change)


def dispatch(writer: Writer, number: Number) -> Document:
    """Say that a case is dispatched and return its document. Raises NotFound."""

    def change(held: Held) -> tuple[Document, Document]:
        changed = documents.add_status(held.detail, documents.DISPATCHED, user=writer.user, at=held.at)
        return changed, changed

    return _change(writer, number, change)


def patch(writer: Writer, number: Number, body: object) -> Document:
    """Replace fields of a case and return its document. Raises NotFound, InvalidFields."""

    def change(held: Held) -> tuple[Document, Document]:
        _require(fields.patch_problems(body, held.detail, number))
        said = fields.settable(_object(body))
        changed = documents.merge_patch(held.detail, said, user=writer.user, at=held.at)
        return changed, changed

    return _change(writer, number, change)


def register(writer: Writer, body: object) -> Document:
    """Add a case and return its document; one that says no number gets the next one.

    Raises:
        InvalidFields: the case is there already, or cannot be stored.
        NotAllowed: it would be one of sites, or of a referral, that the user does not see.
    """
    _require(fields.registration_problems(body))
    said, at = _object(body), writer.clock()
    with writer.of.database.write() as session:
        next_number = cip_changes.hold_new(session)
        number = _number_of(said) or (next_number, 1)
        _require(fields.request_problems(said, number))
        if cip_cases.find(session, *number) is not None:
            raise InvalidFields({"non_field_errors": [fields.TAKEN]})
        document = documents.register(*number, fields.settable(said), user=writer.user, at=at)
        case, _ = cip_cases.put(session, document, orjson.dumps(document), origin="server")
        _require_own_request(writer, session, case, number[0])
    return document


def add_workflow_status(writer: Writer, number: Number, body: object) -> Document:
    """Say how far a case is in decision support and return that; its calls do not depend on it.

    Raises:
        NotFound: there is no such case.
        InvalidFields: the status cannot be stored.
    """
    status = body.get("status") if isinstance(body, Mapping) else None
    if not isinstance(body, Mapping):
        raise InvalidFields({"non_field_errors": [fields.NOT_OBJECT]})
    if status is None:
        raise InvalidFields({"status": [REQUIRED]})
    _require(_status_problems(status))
    with writer.of.database.write() as session:
        held = hold(writer, session, number)
        said = {"status": status.strip(), "created_at": timestamp(held.at), "user": writer.user}
        held.note(NoteKind.WORKFLOW, said, writer.user)
    return said


def add_flags(writer: Writer, number: Number, body: object) -> list[Document]:
    """Raise flags of a case and return them; one that the case has already is not raised twice.

    Raises:
        NotFound: there is no such case.
        InvalidFields: a flag cannot be stored.
    """
    flags = _flags(body)
    with writer.of.database.write() as session:
        held = hold(writer, session, number)
        before = cip_notes.page(session, held.case.row, NoteKind.FLAG)[1]
        for flag in flags:
            if flag not in before:
                held.note(NoteKind.FLAG, flag, writer.user)
    return flags


def add_variant_logs(writer: Writer, number: Number, body: object) -> Document:
    """Keep what users of decision support said of variants of a case, and return it.

    Raises:
        NotFound: there is no such case.
        InvalidFields: an entry cannot be stored.
    """
    _require(gel_bodies.variant_log_problems(body))
    entries = _object(body)["log_entry"]
    with writer.of.database.write() as session:
        held = hold(writer, session, number)
        for entry in entries:
            held.note(NoteKind.LOG, entry, writer.user)
    return {"case_updated": f"{number[0]}-{number[1]}", "log_entry": {"log_entry": entries}}


def kind_problems(case: StoredCase, kind: str) -> dict[str, list[str]]:
    """Return whether the kind of analysis in a path is that of its case."""
    if kind == case.sample_type:
        return {}
    return {"analysis_type": [f'"{kind}" does not match the case ({case.sample_type}).']}


@dataclass(frozen=True, slots=True)
class Held:
    """A case that nobody else changes meanwhile."""

    session: Session
    case: StoredCase
    detail: Mapping[str, Any]
    at: datetime

    def note(self, kind: NoteKind, body: Mapping[str, Any], user: str) -> None:
        """Keep something that was said of the case."""
        at = timestamp(self.at)
        cip_notes.add(self.session, self.case.row, kind, body, username=user, created_at=at)

    def report_of_key(self, key: str, user: str, digest: str) -> Document | None:
        """Return the report that a client's key stands for. Raises InvalidFields if it was another document."""
        known = cip_changes.keyed(self.session, self.case.row, _digest_of(key, user))
        if known is None:
            return None
        if known.body != digest:
            raise InvalidFields({"non_field_errors": ["The Idempotency-Key stands for another document."]})
        found = documents.report_of(self.detail, known.version)
        return dict(found) if found is not None else None

    def remember(self, key: str, user: str, stands_for: Keyed) -> None:
        """Keep what a client's key stands for."""
        at = timestamp(self.at)
        digest = _digest_of(key, user)
        cip_changes.remember(self.session, self.case.row, digest, stands_for, username=user, created_at=at)


def _change(writer: Writer, number: Number, change: Callable[[Held], tuple[Document | None, Document]]) -> Document:
    """Change the document of a case in one transaction and return what is to be answered."""
    with writer.of.database.write() as session:
        held = hold(writer, session, number)
        for _, subject_id, _ in cip_cases.members_of(session, held.case.row):
            writer.context.consent.require_testing(subject_id)
        changed, answer = change(held)
        if changed is not None:
            before = cip_linked.referrals_of(session, held.case.row)
            cip_cases.put(session, changed, orjson.dumps(changed), origin=held.case.origin)
            _require_own_referrals(writer, session, held.case.row, before)
    return answer


def _require_own_referrals(writer: Writer, session: Session, row: int, before: Set[str]) -> None:
    """Raise NotAllowed where a user of some sites lets a case join a referral of others, which it would then tell."""
    sites = visible_sites(writer.caller)
    joined = cip_linked.referrals_of(session, row) - before if sites is not None else set()
    if sites is not None and (
        cip_linked.has_cases_elsewhere(session, joined, sites)
        or any(cip_linked.is_told_elsewhere(session, one, sites, row=row) for one in joined)
    ):
        raise NotAllowed(FORBIDDEN)


def _require_own_request(writer: Writer, session: Session, case: StoredCase, ir_id: int) -> None:
    """Raise NotAllowed where a user of some sites registers a case of others, or a version of one of theirs."""
    sites = visible_sites(writer.caller)
    versions = CaseFilters(ids=((ir_id, None),), with_listed=True)
    if sites is not None:
        own = cip_pages.page(session, replace(versions, visible_sites=sites), offset=0, limit=1)[0]
        if own != cip_pages.page(session, versions, offset=0, limit=1)[0]:
            raise NotAllowed(FORBIDDEN)
        _require_own_referrals(writer, session, case.row, frozenset())


def hold(writer: Writer, session: Session, number: Number) -> Held:
    """Return a case that the writer may change. Raises NotFound, NotAllowed for one of other sites."""
    case = cip_changes.hold(session, *number)
    raw = cip_cases.detail_of(session, case.row) if case is not None else None
    if case is None or raw is None:
        raise NotFound("Not found.")
    detail = orjson.loads(raw)
    if not writer.caller.sees([*(case.overview.get("sites") or []), *(detail.get("workspaces") or [])]):
        raise NotAllowed(FORBIDDEN)
    return Held(session, case, detail, writer.clock())


def _number_of(body: Mapping[str, Any]) -> Number | None:
    if body.get("interpretation_request_id") is None:
        return None
    found = fields.number_of(body["interpretation_request_id"], body.get("version"))
    return (found[0], found[1] or 1) if found is not None else None


def _status_problems(status: object) -> dict[str, list[str]]:
    if not isinstance(status, str):
        return {"status": [NO_STRING]}
    if not status.strip():
        return {"status": ["This field may not be blank."]}
    if len(status) > _LONGEST_STATUS:
        return {"status": [f"Ensure this field has no more than {_LONGEST_STATUS} characters."]}
    return {}


def _flags(body: object) -> list[Document]:
    """Return flags as they are served. Raises InvalidFields."""
    given = body if isinstance(body, list) else [body]
    flags: list[Document] = []
    problems: dict[str, list[str]] = {}
    for at, one in enumerate(given):
        path = f"[{at}]." if isinstance(body, list) else ""
        flag = one.get("flag", one) if isinstance(one, Mapping) else None
        if not isinstance(flag, Mapping):
            problems[f"{path}non_field_errors"] = [fields.NOT_OBJECT]
            continue
        name, description = flag.get("name"), flag.get("description")
        if not isinstance(name, str) or not name.strip():
            problems[f"{path}name"] = [REQUIRED if name is None else NO_STRING]
        if description is not None and not isinstance(description, str):
            problems[f"{path}description"] = [NO_STRING]
        flags.append({"flag": {"name": name, "description": description}})
    _require(problems)
    return flags


def _digest_of(key: str, user: str) -> str:
    return hashlib.sha256(f"{user}\0{key}".encode()).hexdigest()


def _object(body: object) -> Mapping[str, Any]:
    """Return a body that was found to be an object. Raises InvalidFields if it is none after all."""
    if not isinstance(body, Mapping):
        raise InvalidFields({"non_field_errors": [fields.NOT_OBJECT]})
    return body


def _require(problems: Mapping[str, list[str]]) -> None:
    if problems:
        raise InvalidFields(problems)
