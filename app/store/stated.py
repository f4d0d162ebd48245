"""Implications that reports state of their own subject: kept with the subject, never applied to anybody else.

A statement rests on findings of its subject. It refers to a call by call set, reported place and alleles, to a
structural call by what tells its site from others on the build of the call set, and to a genotype by its uid: what
placing anew changes (numbers of variants, contextual places) is no part of that. A statement goes with any of its
findings, so that one that is stored can always be derived. Positions are zero-based.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import orjson

from app.formats.knowledge import Concept, ItemKind
from app.records import SourceClass
from app.store import bitmaps, ledger
from app.store.knowledge_codec import Role
from app.store.session import Session


class FindingKind(IntEnum):
    """What a statement is derived from."""

    CALL = 1
    STRUCTURAL = 2
    GENOTYPE = 3
    HAPLOTYPE = 4


@dataclass(frozen=True, slots=True)
class StatedFinding:
    """One finding that a statement is derived from."""

    kind: FindingKind
    owner: str
    """uid of the call set, or of the genotype"""
    source_class: SourceClass
    contig: int = 0
    position: int = 0
    """Of REF as reported; of a structural call the start of its nominal interval"""
    ref: str = ""
    alt: str = ""
    name: str = ""
    """Of a haplotype; of a structural call what tells its site from all others"""

    @property
    def is_called(self) -> bool:
        """Return whether it is of a call set."""
        return self.kind in (FindingKind.CALL, FindingKind.STRUCTURAL)

    def to_json(self) -> list[int | str]:
        """Return the form that the store keeps."""
        return [
            int(self.kind), self.owner, int(self.source_class), self.contig, self.position, self.ref, self.alt,
            self.name,
        ]  # fmt: skip

    @staticmethod
    def from_json(data: Sequence[Any]) -> StatedFinding:
        """Read the form back."""
        kind, owner, source_class, *rest = data
        return StatedFinding(FindingKind(kind), owner, SourceClass(source_class), *rest)


@dataclass(frozen=True, slots=True)
class StatedImplication:
    """One statement as it is read back; ``concepts`` are what questions ask by."""

    uid: str
    subject_id: str
    ordinal: int
    study_id: int
    test_id: str
    """The test of its first finding"""
    kind: ItemKind
    body: str
    """JSON of the elements of the Observation (``app.fhir.stated_implication``)"""
    concepts: tuple[tuple[Role, Concept], ...]
    findings: tuple[StatedFinding, ...]


_SELECT = (
    "select i.uid, s.subject_id, i.subject_ordinal, i.study_id, st.test_id, i.kind, i.body, i.concepts, i.findings"
    " from subject s join stated_implication i on i.shard = s.shard and i.subject_ordinal = s.ordinal"
    " join study st on st.id = i.study_id"
)


class Statements:
    """The statements of one kind; where the store has none, asking for them costs nothing more."""

    def __init__(self, session: Session, kind: ItemKind) -> None:
        self._session = session
        self._kind = kind
        scope = {"kind": int(kind)}
        self.is_empty = not session.run("select 1 from stated_implication where kind = :kind limit 1", scope)

    def systems(self, role: Role) -> set[str]:
        """Return the code systems of the concepts of a role."""
        if self.is_empty:
            return set()
        rows = self._session.run(
            "select distinct system from stated_concept where kind = :kind and role = :role",
            {"kind": int(self._kind), "role": int(role)},
        )
        return {row[0] for row in rows}

    def of_subject(self, subject_id: str) -> list[StatedImplication]:
        """Return those about a subject."""
        if self.is_empty:
            return []
        condition = " where s.subject_id = :subject and i.kind = :kind"
        return _read(self._session, condition, {"subject": subject_id, "kind": int(self._kind)})

    def with_concept(self, role: Role, codes: Sequence[str], words: Sequence[str]) -> list[StatedImplication]:
        """Return those with a concept that has one of some codes, or one of some words in its code or display."""
        if self.is_empty:
            return []
        holds = self._session.holds("c.search", "t.value")
        condition = (
            " where i.uid in (select c.uid from stated_concept c where c.kind = :kind and c.role = :role and (c.code in"
            f" (select value from {self._session.texts('codes')} u) or exists (select 1 from"
            f" {self._session.texts('words')} t where {holds})))"
        )
        scope = {
            "kind": int(self._kind),
            "role": int(role),
            "codes": self._session.text_list(codes),
            "words": self._session.text_list([word.casefold() for word in words]),
        }
        return _read(self._session, condition, scope)

    def subjects(self) -> set[int]:
        """Return who has any, by ordinal."""
        if self.is_empty:
            return set()
        sql = "select distinct subject_ordinal from stated_implication where kind = :kind"
        return {row[0] for row in self._session.run(sql, {"kind": int(self._kind)})}

    def of_subjects(self, ordinals: Iterable[int]) -> list[StatedImplication]:
        """Return those about some subjects."""
        wanted = sorted(ordinals)
        if self.is_empty or not wanted:
            return []
        condition = f" where i.kind = :kind and i.subject_ordinal {self._session.in_ints('wanted')}"
        return _read(self._session, condition, {"kind": int(self._kind), "wanted": self._session.int_list(wanted)})


def with_uid(session: Session, uid: str) -> StatedImplication | None:
    """Return the statement that a resource id names; None if there is none."""
    found = _read(session, " where i.uid = :uid", {"uid": uid})
    return found[0] if found else None


def every_of(session: Session, subject_id: str) -> list[StatedImplication]:
    """Return the statements of every kind about a subject, by uid."""
    return _read(session, " where s.subject_id = :subject", {"subject": subject_id})


def _read(session: Session, condition: str, parameters: dict[str, Any]) -> list[StatedImplication]:
    rows = session.run(f"{_SELECT}{condition} order by i.kind, i.uid", parameters)
    return [
        StatedImplication(
            uid, subject_id, ordinal, study_id, test_id, ItemKind(kind), body,
            tuple((Role(role), Concept(*texts)) for role, *texts in orjson.loads(concepts)),
            tuple(map(StatedFinding.from_json, orjson.loads(findings))),
        )
        for uid, subject_id, ordinal, study_id, test_id, kind, body, concepts, findings in rows
    ]  # fmt: skip


def withdraw_derived(session: Session, owners: Iterable[str]) -> None:
    """Remove the statements that are derived from calls of some call sets, or from some genotypes, by their uids."""
    wanted = sorted(set(owners))
    if wanted:
        rows = session.run(
            f"select distinct uid from stated_owner where owner in (select value from {session.texts('owners')} t)",
            {"owners": session.text_list(wanted)},
        )
        _remove(session, [row[0] for row in rows])


def withdraw_tests(session: Session, study_ids: Iterable[int], *, keep_run: int = -1) -> None:
    """Remove the statements of some tests, but those of one run if it is given."""
    wanted = sorted(set(study_ids))
    if wanted:
        rows = session.run(
            f"select uid from stated_implication where study_id {session.in_ints('studies')} and run_id <> :keep",
            {"studies": session.int_list(wanted), "keep": keep_run},
        )
        _remove(session, [row[0] for row in rows])


def withdraw_subject(session: Session, ordinal: int) -> None:
    """Remove every statement about a subject."""
    rows = session.run(
        "select uid from stated_implication where shard = :shard and subject_ordinal = :ordinal",
        {"shard": bitmaps.shard_of(ordinal), "ordinal": ordinal},
    )
    _remove(session, [row[0] for row in rows])


def _remove(session: Session, uids: Sequence[str]) -> None:
    if not uids:
        return
    scope = {"uids": session.text_list(uids)}
    condition = f"where uid in (select value from {session.texts('uids')} t)"
    runs = session.run(f"delete from stated_implication {condition} returning run_id", scope)
    for table in ("stated_concept", "stated_owner"):
        session.run(f"delete from {table} {condition} returning 1", scope)
    ledger.forget_empty(session, {row[0] for row in runs})
