"""Writing what reports state of their subjects, in the caller's transaction."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import blake2b

import orjson

from app.errors import InvalidInput
from app.formats.knowledge import Concept, ItemKind
from app.store import bitmaps, stated, subjects
from app.store.knowledge_codec import Role
from app.store.session import Session
from app.store.stated import StatedFinding

_IMPLICATION = ("shard", "subject_ordinal", "uid", "study_id", "run_id", "kind", "body", "concepts", "findings")
_CONCEPT = ("shard", "subject_ordinal", "uid", "number", "kind", "role", "system", "code", "search")
_OWNER = ("owner", "uid", "shard", "subject_ordinal")


@dataclass(frozen=True, slots=True)
class Addition:
    """A statement about a subject whose findings are stored."""

    subject_id: str
    kind: ItemKind
    body: str
    concepts: tuple[tuple[Role, Concept], ...]
    findings: tuple[StatedFinding, ...]

    @property
    def uid(self) -> str:
        """Return what makes it the same one on every server that is told it."""
        identity = [self.subject_id, int(self.kind), self.body, [finding.to_json() for finding in self.findings]]
        return blake2b(orjson.dumps(identity), digest_size=8).hexdigest()


def write_all(session: Session, run_id: int, additions: Sequence[Addition], *, replace: bool = False) -> None:
    """Write the statements of a run; ``replace`` withdraws first what earlier runs stored of the same tests.

    Raises:
        InvalidInput: a finding is not stored, or is somebody else's; the transaction has to be given up.
    """
    if not additions:
        return
    known = subjects.find(session, sorted({one.subject_id for one in additions}))
    owners = _owners(session, {finding.owner for one in additions for finding in one.findings})
    rows = {}
    for one in additions:
        ordinal = known[one.subject_id].ordinal if one.subject_id in known else -1
        for finding in one.findings:
            if owners.get(finding.owner, (-1, -2))[1] != ordinal:
                raise InvalidInput(f"a finding ({finding.owner}) that an implication is derived from is not stored")
        rows[one.uid] = (one, ordinal, owners[one.findings[0].owner][0])
    if replace:
        stated.withdraw_tests(session, (study_id for _, _, study_id in rows.values()), keep_run=run_id)
    stored = session.run(
        f"select uid from stated_implication where uid in (select value from {session.texts('uids')} t)",
        {"uids": session.text_list(list(rows))},
    )
    for (uid,) in stored:
        del rows[uid]
    session.insert_rows(
        "stated_implication", _IMPLICATION, [_row(run_id, uid, *row) for uid, row in sorted(rows.items())]
    )
    session.insert_rows(
        "stated_concept",
        _CONCEPT,
        [
            (
                bitmaps.shard_of(ordinal), ordinal, uid, number, int(one.kind), int(role), concept.system, concept.code,
                f"{concept.code}\n{concept.display}".casefold(),
            )
            for uid, (one, ordinal, _) in sorted(rows.items())
            for number, (role, concept) in enumerate(one.concepts)
        ],
    )  # fmt: skip
    session.insert_rows(
        "stated_owner",
        _OWNER,
        [
            (owner, uid, bitmaps.shard_of(ordinal), ordinal)
            for uid, (one, ordinal, _) in sorted(rows.items())
            for owner in sorted({finding.owner for finding in one.findings})
        ],
    )


def _row(run_id: int, uid: str, one: Addition, ordinal: int, study_id: int) -> tuple[int | str, ...]:
    concepts = [[int(role), concept.system, concept.code, concept.display] for role, concept in one.concepts]
    findings = [finding.to_json() for finding in one.findings]
    return (
        bitmaps.shard_of(ordinal), ordinal, uid, study_id, run_id, int(one.kind), one.body,
        orjson.dumps(concepts).decode(), orjson.dumps(findings).decode(),
    )  # fmt: skip


def _owners(session: Session, uids: Iterable[str]) -> dict[str, tuple[int, int]]:
    """Return test and subject of call sets and genotypes by their uids."""
    scope = {"uids": session.text_list(sorted(uids))}
    wanted = f"in (select value from {session.texts('uids')} t)"
    called = session.run(
        "select cs.uid, st.id, st.subject_ordinal from call_set cs join study st on st.id = cs.study_id"
        f" where cs.uid {wanted}",
        scope,
    )
    named = session.run(f"select uid, study_id, subject_ordinal from genotype where uid {wanted}", scope)
    return {uid: (study_id, ordinal) for uid, study_id, ordinal in [*named, *called]}
