"""Runs of the ledger that store what they bring in one transaction, and runs of which nothing is left."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import orjson

from app.store import counters
from app.store.session import Session

_REPLACED = ":replaced"
"""Ends the key of a run whose source is being stored once more"""


def report_of(session: Session, key: str) -> Mapping[str, Any] | None:
    """Return the report of the completed run with a key; None if there is none."""
    rows = session.run("select report from ingest_run where key = :key and state = 'done'", {"key": key})
    return orjson.loads(rows[0][0] or "{}") if rows else None


def record(session: Session, *, key: str, source: str, sha256: str) -> int:
    """Add a completed run and return its id; an earlier one of the same key gives the key up."""
    run_id = counters.allocate(session, counters.RUN, 1)
    session.run_many("update ingest_run set key = ? where key = ?", [(f"{key}:{run_id}{_REPLACED}", key)])
    now = datetime.now(UTC).isoformat(timespec="seconds")
    session.insert_rows("ingest_run",
        ("id", "key", "state", "source", "sha256", "parameters", "plan", "next_record", "next_block",
         "first_variant_id", "progress", "started"),
        [(run_id, key, "done", source, sha256, "{}", "[]", 0, 0, counters.value(session, counters.VARIANT), "{}", now)],
    )  # fmt: skip
    return run_id


def complete(session: Session, run_id: int, report: Mapping[str, Any]) -> None:
    """Keep the report of a run; it must name no subject, because it outlives an erased one."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    text = orjson.dumps(dict(report)).decode()
    session.run_many("update ingest_run set report = ?, finished = ? where id = ?", [(text, now, run_id)])


def forget_empty(session: Session, run_ids: Iterable[int]) -> None:
    """Remove those of some completed runs that nothing in the store comes from any more."""
    for run_id in sorted(set(run_ids)):
        session.run(
            "delete from ingest_run where id = :run and state = 'done'"
            " and not exists (select 1 from call_set where run_id = :run)"
            " and not exists (select 1 from genotype where run_id = :run)"
            " and not exists (select 1 from stated_implication where run_id = :run) returning 1",
            {"run": run_id},
        )
