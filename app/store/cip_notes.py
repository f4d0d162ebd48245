"""What decision support said of a case: statuses of its workflow, flags, logs of interpretation."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

import orjson

from app.store import cip_cases, counters
from app.store.session import Session


class NoteKind(StrEnum):
    """Kinds of notes, each a list of its own."""

    WORKFLOW = "workflow"
    """``{"status", "created_at", "user"}``; the newest one is the case's ``workflow_status``"""
    FLAG = "flag"
    LOG = "log"


def add(
    session: Session, case_row: int, kind: NoteKind, body: Mapping[str, Any], *, username: str, created_at: str
) -> None:
    """Add a note to a case; ``body`` is kept as it is to be served."""
    columns = ("id", "case_row", "kind", "body", "created_at", "username")
    number = counters.allocate(session, counters.CIP_NOTE, 1)
    row = (number, case_row, kind.value, orjson.dumps(body).decode(), created_at, username)
    session.insert_rows("cip_note", columns, [row])
    if kind is NoteKind.WORKFLOW:
        _, notes = page(session, case_row, kind)
        cip_cases.set_workflow_status(session, case_row, str(notes[-1].get("status") or ""))


def page(
    session: Session, case_row: int, kind: NoteKind, *, offset: int = 0, limit: int = 1_000_000
) -> tuple[int, list[dict[str, Any]]]:
    """Return how many notes of a kind a case has, and those from ``offset``, the oldest first."""
    scope = {"row": case_row, "kind": kind.value}
    count = session.run("select count(*) from cip_note where case_row = :row and kind = :kind", scope)[0][0]
    rows = session.run(
        "select body from cip_note where case_row = :row and kind = :kind order by created_at, id"
        " limit :limit offset :offset",
        {**scope, "limit": limit, "offset": max(0, offset)},
    )
    return int(count), [orjson.loads(body) for (body,) in rows]
