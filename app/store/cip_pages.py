"""Lists of cases, and of the documents in them: filters, order, pages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from app.errors import InvalidInput, quoted
from app.store.cip_rows import COLUMNS, StoredCase, read_case
from app.store.session import Session

_IN_COLUMNS: Final = frozenset((
    "version", "cip", "sample_type", "assembly", "last_status", "workflow_status", "case_priority", "family_id",
    "proband",
))  # fmt: skip
_IN_FACETS: Final = frozenset((
    "case_id", "cohort_id", "group_id", "referral_id", "update_date", "category", "long_name", "organisation", "site",
    "tag",
))  # fmt: skip
DOCUMENTS: Final = ("interpreted_genome", "clinical_report", "exit_questionnaire")
"""Kinds of documents that have lists"""
_ORDER: Final = "c.ir_id desc, c.version desc"


@dataclass(frozen=True, slots=True)
class CaseFilters:
    """What the list of cases is asked for; everything that is given has to hold, of several values any."""

    ids: tuple[tuple[int, int | None], ...] = ()
    """(interpretation request, version or None)"""
    values: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Name → values that count: version, cip, sample_type, assembly, last_status, workflow_status, case_priority,
    family_id, proband; case_id, cohort_id, group_id, referral_id, update_date, category, long_name, organisation, site,
    tag"""
    ever_status: tuple[str, ...] = ()
    members: tuple[str, ...] = ()
    search: str = ""
    modified_after: str = ""
    """As ``gel_values.moment`` writes it"""
    modified_before: str = ""
    updated_from: str = ""
    """First day of the newest status, ``2022-03-02``"""
    updated_before: str = ""
    """The day after the last one"""
    visible_sites: tuple[str, ...] | None = None
    """Sites whose cases the user may see; None: all"""
    with_listed: bool = False
    """Whether cases count whose detail is not known"""
    hidden_rows: tuple[int, ...] = ()
    """Rows of cases that do not count"""


@dataclass(frozen=True, slots=True)
class Document:
    """A document of a case: its place in a list of the detail."""

    case: StoredCase
    index: int


def page(session: Session, filters: CaseFilters, *, offset: int, limit: int) -> tuple[int, list[StoredCase]]:
    """Return how many cases there are, and those from ``offset``: newest request first, then newest version."""
    where, parameters = _where(session, filters)
    count = session.run(f"select count(*) from cip_case c where {where}", parameters)[0][0]
    if not 0 <= offset < count:
        return int(count), []
    rows = session.run(
        f"select {COLUMNS} from cip_case c where {where} order by {_ORDER} limit :limit offset :offset",
        {**parameters, "limit": limit, "offset": offset},
    )
    return int(count), list(map(read_case, rows))


def documents(
    session: Session, kind: str, filters: CaseFilters, *, offset: int, limit: int
) -> tuple[int, list[Document]]:
    """Return how many documents of a kind (``DOCUMENTS``) cases have, and those from ``offset``.

    An exit questionnaire has the place of its clinical report.
    """
    where, parameters = _where(session, filters)
    source = f"cip_case c join cip_facet d on d.case_row = c.id where d.name = :kind and {where}"
    parameters = {**parameters, "kind": kind}
    count = session.run(f"select count(*) from {source}", parameters)[0][0]
    if not 0 <= offset < count:
        return int(count), []
    rows = session.run(
        f"select {COLUMNS}, cast(d.value as integer) as place from {source}"
        f" order by {_ORDER}, place limit :limit offset :offset",
        {**parameters, "limit": limit, "offset": offset},
    )
    return int(count), [Document(read_case(row[:-1]), int(row[-1])) for row in rows]


def names_by_status(session: Session, filters: CaseFilters) -> dict[str, list[str]]:
    """Return the names of cases (``40101-1``) by ``<cip>-<last status>``."""
    where, parameters = _where(session, filters)
    rows = session.run(
        f"select c.cip, c.last_status, c.ir_id, c.version from cip_case c where {where} order by 1, 2, 3, 4",
        parameters,
    )
    found: dict[str, list[str]] = {}
    for cip, status, ir_id, version in rows:
        found.setdefault(f"{cip}-{status}", []).append(f"{ir_id}-{version}")
    return found


def sites(session: Session) -> list[str]:
    """Return the sites that have cases."""
    return [site for (site,) in session.run("select distinct value from cip_facet where name = 'site' order by value")]


def _where(session: Session, filters: CaseFilters) -> tuple[str, dict[str, Any]]:
    """Return the condition that cases (``c``) meet filters, and its parameters."""
    conditions: list[str] = [] if filters.with_listed else ["c.state <> 'listed'"]
    parameters: dict[str, Any] = {}

    def texts(values: tuple[str, ...]) -> str:
        name = f"p{len(parameters)}"
        parameters[name] = session.text_list(values)
        return f"(select value from {session.texts(name)} t)"

    def one(value: str) -> str:
        name = f"p{len(parameters)}"
        parameters[name] = value
        return f":{name}"

    def facet(name: str, values: tuple[str, ...]) -> str:
        scope = f"f.case_row = c.id and f.name = {one(name)}"
        return f"exists (select 1 from cip_facet f where {scope} and f.value in {texts(values)})"

    for name, values in filters.values.items():
        if name in _IN_COLUMNS:
            conditions.append(f"cast(c.{name} as text) in {texts(values)}")
        elif name in _IN_FACETS:
            conditions.append(facet(name, values))
        else:
            raise InvalidInput(f"cases cannot be listed by {quoted(name)}")
    if filters.ids:
        columns = [[ir_id for ir_id, _ in filters.ids], [-1 if at is None else at for _, at in filters.ids]]
        table, rows = session.integer_rows(("ir_id", "version"), columns, name="ids")
        parameters |= rows
        matches = "k.ir_id = c.ir_id and k.version in (-1, c.version)"
        conditions.append(f"exists (select 1 from {table} k where {matches})")
    if filters.hidden_rows:
        parameters["hidden"] = session.int_list(filters.hidden_rows)
        conditions.append(f"not c.id {session.in_ints('hidden')}")
    if filters.ever_status:
        conditions.append(facet("status", filters.ever_status))
    if filters.members:
        matches = f"m.case_row = c.id and m.participant in {texts(filters.members)}"
        conditions.append(f"exists (select 1 from cip_member m where {matches})")
    if filters.visible_sites is not None:
        conditions.append(facet("site", filters.visible_sites))
    if filters.search:
        conditions.append(session.holds("c.search", one(filters.search.lower())))
    for sign, at in ((">", filters.modified_after), ("<", filters.modified_before)):
        if at:
            conditions.append(f"c.last_modified {sign} {one(at)}")
    for sign, day in ((">=", filters.updated_from), ("<", filters.updated_before)):
        if day:
            matches = f"f.case_row = c.id and f.name = 'update_date' and f.value {sign} {one(day)}"
            conditions.append(f"exists (select 1 from cip_facet f where {matches})")
    return " and ".join(conditions) or "1 = 1", parameters
