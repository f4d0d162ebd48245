"""Cases whose calls are not those of their documents: which wait, why they come to, and how they cease to."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import orjson

from app.store.cip_rows import COLUMNS, State, StoredCase, now, read_case
from app.store.session import Session


def waiting(session: Session, *, limit: int = 0) -> list[StoredCase]:
    """Return the cases whose calls have to be made anew or withdrawn, in the order in which they came."""
    sql = f"select {COLUMNS} from cip_case c where c.state = 'waiting' order by c.id"
    return list(map(read_case, session.run(f"{sql} limit {limit:d}" if limit else sql)))


def let_wait(session: Session, rows: Iterable[int]) -> None:
    """Let cases wait whose calls rest on something else now; those without a detail have none."""
    session.run(
        "update cip_case set state = 'waiting', updated = :now"
        f" where id {session.in_ints('rows')} and state <> 'listed' returning 1",
        {"rows": session.int_list(sorted(set(rows))), "now": now()},
    )


def let_cases_of_wait(session: Session, subject_ids: Collection[str], referral_ids: Collection[str]) -> None:
    """Let every case wait that some subjects are in, or whose consents are those of some referrals."""
    among = {name: f"(select value from {session.texts(name)} t)" for name in ("subjects", "referrals")}
    rows = session.run(
        f"select m.case_row from cip_member m where m.subject_id in {among['subjects']}"
        f" union select f.case_row from cip_facet f where f.name = 'consents' and f.value in {among['referrals']}"
        " union select c.id from cip_referral_test t join cip_case c on c.ir_id = t.ir_id and c.version = t.ir_version"
        f" where t.referral_id in {among['referrals']}",
        {
            "subjects": session.text_list(sorted(subject_ids)),
            "referrals": session.text_list(sorted(referral_ids)),
        },
    )
    let_wait(session, [row for (row,) in rows])


def let_older_wait(session: Session, ir_id: int, version: int) -> None:
    """Let the older versions of a request wait: a newer one has come, and their calls are to go."""
    session.run(
        "update cip_case set state = 'waiting', updated = :now"
        " where ir_id = :ir and version < :version and state not in ('listed', 'superseded') returning 1",
        {"ir": ir_id, "version": version, "now": now()},
    )


def let_all_wait_but(session: Session, reflected: str) -> int:
    """Let every case wait whose calls rest on something else than ``reflected``; return how many."""
    found = session.run(
        "update cip_case set state = 'waiting', updated = :now"
        " where reflected <> :reflected and state not in ('listed', 'waiting') returning 1",
        {"reflected": reflected, "now": now()},
    )
    return len(found)


def reflect(
    session: Session,
    row: int,
    *,
    state: State,
    reflected: str,
    tests: Sequence[tuple[str, str]],
    report: Mapping[str, Any],
    seen: str = "",
) -> None:
    """Note, in the transaction that stores them, what of a case is in the store of calls now.

    ``seen`` is ``updated`` of the case that the calls were made from: if it was changed since, it keeps waiting.
    """
    session.run(
        "update cip_case set reflected = :reflected, tests = :tests, report = :report,"
        " state = case when cast(:seen as text) in ('', updated) then cast(:state as text) else state end"
        " where id = :row returning 1",
        {
            "row": row,
            "state": state.value,
            "reflected": reflected,
            "tests": orjson.dumps([list(one) for one in tests]).decode(),
            "report": orjson.dumps(report).decode(),
            "seen": seen,
        },
    )
    known = {one for (one,) in session.run("select subject_id from cip_member where case_row = :row", {"row": row})}
    missing = sorted({subject for subject, _ in tests} - known)
    columns = ("case_row", "participant", "subject_id", "is_proband")
    session.insert_rows("cip_member", columns, [(row, subject, subject, 0) for subject in missing])
