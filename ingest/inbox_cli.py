"""``operon inbox …``: what was submitted over the network and waits to be ingested."""

from __future__ import annotations

import sys
from typing import Annotated, Literal

import orjson
import typer

from app.api.logs import configure_logging
from app.config import Settings
from app.store import inbox as waiting
from ingest.inbox import keep_working, listed, work_off
from ingest.progress import Progress
from ingest.workspace import open_workspace

inbox = typer.Typer(no_args_is_help=True, help="Data that were submitted over the network.")


@inbox.command("work")
def inbox_work(
    *,
    once: Annotated[bool, typer.Option("--once", help="Work off what is due, and stop.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No summary, only errors.")] = False,
) -> None:
    """Ingest what was submitted, and go on waiting for more."""
    settings = Settings()
    if not once:
        with open_workspace(settings):  # a store that cannot be used is told at once
            pass
        configure_logging(settings)
        keep_working(settings, lambda: False)
        return
    with open_workspace(settings) as workspace:
        worked = work_off(workspace, Progress(quiet=quiet))
    if not quiet:
        print(worked.text(), file=sys.stderr)


@inbox.command("list")
def inbox_list(
    state: Annotated[
        Literal["queued", "running", "done", "failed"] | None, typer.Option("--state", help="Only this state.")
    ] = None,
) -> None:
    """Print what was submitted and what became of it, one JSON object a line; the results themselves are left out."""
    with open_workspace(Settings()) as workspace:
        for entry in listed(workspace.database, state):
            print(orjson.dumps(entry).decode())


@inbox.command("retry")
def inbox_retry() -> None:
    """Let everything wait again that failed."""
    with open_workspace(Settings()) as workspace, workspace.database.write() as session:
        print(waiting.retry(session))
