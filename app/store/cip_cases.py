"""Cases of a CIP-API: their documents, who is in them, and how far the store of calls follows them.

The document is the truth: whatever is said of a case through the interface changes it, and the calls in the store are
made from it anew (``ingest.cip``). It is kept and served as it came.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import orjson

from app.formats import gel_overview, gel_people
from app.formats.gel_people import Person
from app.store import cip_consents, cip_referrals, codec, counters
from app.store.cip_erasing import forget_subject
from app.store.cip_pages import CaseFilters, page
from app.store.cip_rows import COLUMNS, State, StoredCase, now, read_case
from app.store.cip_waiting import let_all_wait_but, let_older_wait, let_wait, reflect, waiting
from app.store.session import Session

__all__ = [
    "CaseFilters", "State", "StoredCase", "canonical_sha256", "detail_of", "details_of", "find", "forget_subject",
    "let_all_wait_but", "let_wait", "members_of", "newest_versions", "of_subject", "page", "put", "put_listed",
    "reflect", "set_workflow_status", "versions_of", "waiting",
]  # fmt: skip

_FACTS: Final = (
    "case_id", "sample_type", "cip", "assembly", "proband", "family_id", "last_status", "workflow_status",
    "case_priority", "last_modified", "search", "overview", "detail", "sha256", "origin", "state", "updated",
)  # fmt: skip
_VOLATILE: Final = frozenset(("timestamp", "last_modified"))
_VOLATILE_MARKS: Final = (b'"timestamp":', b'"last_modified":', b'"cva_')
_WRAPPED: Final = 3
"""So deep in a detail the documents themselves begin"""


def canonical_sha256(detail: Mapping[str, Any]) -> str:
    """Return the digest of a detail: keys sorted, without what changes by itself (timestamp, cva_*, last_modified)."""
    return hashlib.sha256(orjson.dumps(_canonical(detail, 0), option=orjson.OPT_SORT_KEYS)).hexdigest()


def put(
    session: Session,
    detail: Mapping[str, Any],
    raw: bytes,
    *,
    origin: str,
    listed: Mapping[str, Any] | None = None,
) -> tuple[StoredCase, bool]:
    """Store the detail of a case, ``raw`` as it is served; return the case and whether its content is another.

    A case with another content waits (``State.WAITING``). Older versions of the same request wait too, as they are to
    be superseded. ``listed`` is the entry of the list that the case was found by: the status of its workflow is only
    there. The referral and the consents that the detail holds are stored with it.

    Raises:
        InvalidInput: the detail does not say which case it is of.
    """
    ir_id, version = gel_overview.number_of(detail)
    known = session.run(
        "select id, sha256, state, workflow_status, detail, overview from cip_case"
        " where ir_id = :ir and version = :version",
        {"ir": ir_id, "version": version},
    )
    row, old_sha, state, workflow, old_detail, old_shown = known[0] if known else (-1, "", "", "", None, "")
    stated = listed.get("workflow_status") if listed else None
    overview = gel_overview.overview_of(detail, workflow_status=stated if isinstance(stated, str) else workflow)
    packed, sha256, shown = codec.compress(raw), canonical_sha256(detail), orjson.dumps(overview).decode()
    is_other = old_detail is None or sha256 != old_sha
    if not is_other and bytes(old_detail) == packed and shown == old_shown:
        return _one(session, row), False
    people = gel_people.people_of(detail, raw)
    facts = _facts(overview, people)
    values = [*facts, shown, packed, sha256, origin, State.WAITING if is_other else State(state), now()]
    row = _write(session, row, (ir_id, version), values)
    _write_members(session, row, people)
    referral = _put_referral(session, detail)
    key = referral or cip_referrals.id_of_request(session, ir_id) or _family(overview) or f"{ir_id}-{version}"
    _write_facets(session, row, [*gel_overview.facets_of(detail, overview), (cip_consents.FACET, key)])
    if is_other:
        cip_consents.note_case(session, key, (ir_id, version), people)
        let_older_wait(session, ir_id, version)
        counters.add(session, counters.DATA_VERSION, 1)
    return _one(session, row), is_other


def put_listed(session: Session, listed: Mapping[str, Any], *, origin: str) -> StoredCase:
    """Store what a list of cases says of one whose detail is not known; of another one only the workflow's status.

    Raises:
        InvalidInput: the entry does not say which case it is of.
    """
    ir_id, version = gel_overview.number_of(listed)
    known = find(session, ir_id, version)
    if known is not None and known.state is not State.LISTED:
        if isinstance(listed.get("workflow_status"), str):
            set_workflow_status(session, known.row, listed["workflow_status"])
        return _one(session, known.row)
    overview = gel_overview.without_base(listed)
    proband = overview.get("proband")
    people = [Person(proband, "", is_proband=True)] if isinstance(proband, str) and proband else []
    facts = _facts(overview, people)
    values = [*facts, orjson.dumps(overview).decode(), None, "", origin, State.LISTED, now()]
    row = _write(session, -1 if known is None else known.row, (ir_id, version), values)
    _write_members(session, row, people)
    _write_facets(session, row, gel_overview.facets_of(overview, overview))
    return _one(session, row)


def find(session: Session, ir_id: int, version: int) -> StoredCase | None:
    """Return a case; None if there is none."""
    sql = f"select {COLUMNS} from cip_case c where c.ir_id = :ir and c.version = :version"
    return next(map(read_case, session.run(sql, {"ir": ir_id, "version": version})), None)


def versions_of(session: Session, ir_id: int) -> list[StoredCase]:
    """Return every version of a request, the newest first."""
    sql = f"select {COLUMNS} from cip_case c where c.ir_id = :ir order by c.version desc"
    return list(map(read_case, session.run(sql, {"ir": ir_id})))


def newest_versions(session: Session, ir_ids: Iterable[int]) -> dict[int, int]:
    """Return of requests the newest version whose detail is known: those before it are superseded."""
    rows = session.run(
        f"select ir_id, max(version) from cip_case where ir_id {session.in_ints('ids')} and state <> 'listed'"
        " group by ir_id",
        {"ids": session.int_list(sorted(set(ir_ids)))},
    )
    return {int(ir_id): int(version) for ir_id, version in rows}


def detail_of(session: Session, row: int) -> bytes | None:
    """Return the JSON of a case's detail as it came; None while only the list is known."""
    return details_of(session, [row]).get(row)


def details_of(session: Session, rows: Sequence[int]) -> dict[int, bytes]:
    """Return the JSON of the details of several cases by row, in one statement."""
    sql = f"select id, detail from cip_case where detail is not null and id {session.in_ints('rows')}"
    found = session.run(sql, {"rows": session.int_list(rows)})
    return {row: codec.decompress(memoryview(packed)) for row, packed in found}


def of_subject(session: Session, subject_id: str) -> list[StoredCase]:
    """Return the cases that a subject is in, the newest request first."""
    rows = session.run(
        f"select {COLUMNS} from cip_case c where c.id in (select case_row from cip_member where subject_id = :subject)"
        " order by c.ir_id desc, c.version desc",
        {"subject": subject_id},
    )
    return list(map(read_case, rows))


def members_of(session: Session, row: int) -> list[tuple[str, str, bool]]:
    """Return (participant, subject, is the proband) of everybody in a case, the proband first."""
    rows = session.run(
        "select participant, subject_id, is_proband from cip_member where case_row = :row"
        " order by is_proband desc, participant",
        {"row": row},
    )
    return [(participant, subject_id, bool(is_proband)) for participant, subject_id, is_proband in rows]


def set_workflow_status(session: Session, row: int, status: str) -> None:
    """Note the newest status of a case in decision support; its calls do not depend on it."""
    rows = session.run("select overview, workflow_status from cip_case where id = :row", {"row": row})
    for overview, known in rows:
        if known != status:
            shown = orjson.dumps({**orjson.loads(overview), "workflow_status": status or None}).decode()
            session.run(
                "update cip_case set workflow_status = :status, overview = :shown where id = :row returning 1",
                {"row": row, "status": status, "shown": shown},
            )


def _one(session: Session, row: int) -> StoredCase:
    return read_case(session.run(f"select {COLUMNS} from cip_case c where c.id = :row", {"row": row})[0])


def _facts(overview: Mapping[str, Any], people: Sequence[Person]) -> list[str]:
    """Return the values of the columns that lists are asked for."""
    shown = {**overview, "family_id": _family(overview)}
    search = gel_overview.search_text_of(overview, [one.participant for one in people])
    return [str(shown.get(name) or "") for name in _FACTS[: _FACTS.index("search")]] + [search]


def _family(overview: Mapping[str, Any]) -> str:
    return str(overview.get("family_id") or overview.get("cancer_participant") or "")


def _put_referral(session: Session, detail: Mapping[str, Any]) -> str:
    """Store the referral that a detail holds; return its id, empty if it holds none."""
    referral = detail.get("referral")
    if not isinstance(referral, Mapping) or not isinstance(referral.get("referral_id"), str):
        return ""
    cip_referrals.put(session, referral)
    return str(referral["referral_id"])


def _write(session: Session, row: int, number: tuple[int, int], values: Sequence[Any]) -> int:
    """Change the row of a case, or add one if ``row`` is negative; return its number."""
    if row >= 0:
        columns = ", ".join(f"{column} = ?" for column in _FACTS)
        session.run_many(f"update cip_case set {columns} where id = ?", [(*values, row)])
        return row
    row = counters.allocate(session, counters.CIP_CASE, 1)
    columns_of_new = ("id", "ir_id", "version", *_FACTS, "reflected", "tests", "report")
    session.insert_rows("cip_case", columns_of_new, [(row, *number, *values, "", "[]", "{}")])
    return row


def _write_members(session: Session, row: int, people: Sequence[Person]) -> None:
    session.run("delete from cip_member where case_row = :row returning 1", {"row": row})
    session.insert_rows(
        "cip_member",
        ("case_row", "participant", "subject_id", "uid", "is_proband"),
        [(row, one.participant, one.subject_id, one.uid, int(one.is_proband)) for one in people],
    )


def _write_facets(session: Session, row: int, facets: Sequence[tuple[str, str]]) -> None:
    session.run("delete from cip_facet where case_row = :row returning 1", {"row": row})
    session.insert_rows("cip_facet", ("case_row", "name", "value"), [(row, *facet) for facet in facets])


def _canonical(node: Any, depth: int) -> Any:
    """Return a value without what changes by itself; what has nothing of the kind as its bytes, which is fast."""
    if not isinstance(node, dict | list):
        return node
    if depth >= _WRAPPED:
        text = orjson.dumps(node, option=orjson.OPT_SORT_KEYS)
        if not any(mark in text for mark in _VOLATILE_MARKS):
            return orjson.Fragment(text)
    if isinstance(node, list):
        return [_canonical(one, depth + 1) for one in node]
    return {
        key: _canonical(value, depth + 1)
        for key, value in node.items()
        if key not in _VOLATILE and not key.startswith("cva_")
    }
