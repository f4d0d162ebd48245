"""The part of ``operon ingest cip-api`` that fetches cases from a server."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import orjson
import typer

from app.config import Settings
from app.errors import Busy, InvalidInput, quoted
from app.formats.gel_values import versioned_case
from ingest import cip
from ingest.cip_progress import CaseLines
from ingest.cip_report import CipReport
from ingest.follow_ups import FollowUps
from ingest.progress import Progress
from ingest.workspace import Workspace, open_workspace

if TYPE_CHECKING:
    from ingest.cip_plan import Plan, Wanted

INCOMPLETE = 3
"""Exit code: the run ended, but not all of what was wanted is stored"""

FromServer = Annotated[
    str | None,
    typer.Option("--from-server", metavar="ENV", help="Fetch from SIT, UAT, PROD, or an environment of another name."),
]
Statuses = Annotated[
    list[str] | None, typer.Option("--status", help="Only cases that have, or had, this status. Repeatable.")
]
SampleType = Annotated[str | None, typer.Option("--sample-type", help="Only raredisease or cancer.")]
Sites = Annotated[list[str] | None, typer.Option("--site", help="Only cases of this site. Repeatable.")]
Category = Annotated[str | None, typer.Option("--category", help="Only gms, 100k, experimental or other.")]
Ids = Annotated[
    str | None, typer.Option("--ids", help="Only these cases, whether they changed or not: 40101-1,40102-1.")
]
Since = Annotated[
    str | None, typer.Option("--since", help="Only cases that changed since YYYY-MM-DD[THH:MM], UTC unless it says so.")
]
Limit = Annotated[int | None, typer.Option("--limit", min=1, help="Fetch so many cases at most.")]
Concurrent = Annotated[int, typer.Option("--concurrent", min=1, max=4, help="Requests at a time.")]
Out = Annotated[
    Path | None, typer.Option("--out", help="Folder that gets a file of each case, besides what is stored.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print what was done as JSON.")]
Replace = Annotated[
    bool, typer.Option("--replace", help="Also take what contradicts a change that was made here, or another server.")
]
AsStored = Annotated[
    bool, typer.Option("--as-stored", help="Do not let the server rewrite documents of older models in model 6.")
]


@dataclass(frozen=True, slots=True)
class Asked:
    """What the options of the command say."""

    statuses: Sequence[str] = ()
    sample_type: str | None = None
    sites: Sequence[str] = ()
    category: str | None = None
    ids: str | None = None
    since: str | None = None
    limit: int | None = None
    concurrent: int = 2
    out: Path | None = None
    dry_run: bool = False
    as_json: bool = False
    replace: bool = False
    as_stored: bool = False


def fetch(name: str, asked: Asked, *, report: Path | None, consequences: bool, quiet: bool) -> int:
    """Fetch cases from the environment of a name, and return the exit code.

    Raises:
        OperonError: server, login or store cannot be used; what came so far is stored.
    """
    # No other command needs an HTTP client.
    from ingest.cip_client import CipClient  # noqa: PLC0415
    from ingest.cip_environment import read_environment  # noqa: PLC0415
    from ingest.cip_plan import planned  # noqa: PLC0415
    from ingest.cip_sync import Sync  # noqa: PLC0415

    settings = Settings()
    wanted = _wanted(asked)
    environment = read_environment(name, settings, os.environ)
    lines = CaseLines(quiet=quiet)
    lines.say(f"Fetching from {environment}")
    with open_workspace(settings) as workspace:
        client = CipClient(environment, settings)
        try:
            if asked.dry_run:
                _print_plan(planned(workspace.database, client, wanted), as_json=asked.as_json)
                return 0
            with FollowUps(workspace, Progress(quiet=quiet), consequences=consequences, pgx=False):
                done = Sync(workspace.database, client, wanted, lines, lambda: _project(workspace, lines)).run()
        finally:
            client.close()
    for line in done.lines():
        lines.say(line)
    told = done.to_json(environment)
    if report is not None:
        report.write_bytes(orjson.dumps(told, option=orjson.OPT_INDENT_2) + b"\n")
    if asked.as_json:
        print(orjson.dumps(told).decode())
    return 0 if done.is_complete else INCOMPLETE


def _project(workspace: Workspace, lines: CaseLines) -> CipReport | None:
    """Make the calls of the cases that wait, unless another ingest holds the store."""
    with workspace.database.read() as session:
        if not cip.has_waiting(session):
            return None
    try:
        return cip.project(workspace, Progress(quiet=True))
    except Busy:
        lines.say("another ingest holds the store: the calls of these cases are made by the next run, or by the server")
        return None


def _print_plan(plan: Plan, *, as_json: bool) -> None:
    entries = []
    for one in plan.fetch:
        before = plan.ledger.get(one.key)
        why = "new" if before is None else "changed" if before.state == "done" else f"{before.state} before"
        entries.append({"case": one.name, "why": why, "last_modified": one.last_modified or None})
    if as_json:
        print(orjson.dumps({"listed": len(plan.listing.cases), "fetch": entries}).decode())
        return
    for entry in entries:
        print(f"{entry['case']} {entry['why']}")


def _wanted(asked: Asked) -> Wanted:
    from ingest.cip_plan import Wanted  # noqa: PLC0415 - as above

    given = {
        "status": ",".join(asked.statuses),
        "sample_type": asked.sample_type or "",
        "workspace": ",".join(asked.sites),
        "category": asked.category or "",
    }
    filters = {name: value for name, value in given.items() if value}
    if asked.ids and (filters or asked.since):
        raise InvalidInput("--ids names the cases; give no filter beside it")
    if asked.sample_type not in (None, "raredisease", "cancer"):
        raise InvalidInput("--sample-type is raredisease or cancer")
    return Wanted(
        filters,
        tuple(_case(text.strip()) for text in asked.ids.split(",")) if asked.ids else (),
        _moment(asked.since) if asked.since else None,
        asked.limit,
        asked.concurrent,
        asked.replace,
        asked.as_stored,
        asked.out,
    )


def _case(text: str) -> tuple[int, int]:
    number = versioned_case(text)
    if number is None:
        raise InvalidInput(f"--ids: {quoted(text)} is not a request with its version, like 40101-1")
    return number


def _moment(text: str) -> datetime:
    from ingest.cip_client import moment  # noqa: PLC0415 - as above

    found = moment(text)
    if found is None:
        raise InvalidInput(f"--since: {quoted(text)} is no date like 2024-03-01 or 2024-03-01T12:00Z")
    return found
