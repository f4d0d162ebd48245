"""``operon ingest cip-api``: cases of Genomics England from files, or from a server."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Final

import orjson
import typer

from app.config import Settings
from app.errors import BadFile
from ingest import cip_sync_cli
from ingest.cip_beside import projecting_beside
from ingest.cip_files import read_files
from ingest.cip_report import CipReport
from ingest.console import require_writable, say
from ingest.follow_ups import FollowUps
from ingest.progress import Progress
from ingest.workspace import open_workspace

QUARANTINED: Final = 3
"""Exit code where something could not be stored, and all else was"""


def cip_api(
    files: Annotated[
        list[Path] | None,
        typer.Argument(help="Details of cases, requests, genomes, reports, questionnaires, referrals (JSON, .gz)."),
    ] = None,
    *,
    from_server: cip_sync_cli.FromServer = None,
    status: cip_sync_cli.Statuses = None,
    sample_type: cip_sync_cli.SampleType = None,
    site: cip_sync_cli.Sites = None,
    category: cip_sync_cli.Category = None,
    ids: cip_sync_cli.Ids = None,
    since: cip_sync_cli.Since = None,
    limit: cip_sync_cli.Limit = None,
    concurrent: cip_sync_cli.Concurrent = 2,
    out: cip_sync_cli.Out = None,
    replace: cip_sync_cli.Replace = False,
    as_stored: cip_sync_cli.AsStored = False,
    as_json: cip_sync_cli.AsJson = False,
    case: Annotated[
        str | None, typer.Option(help="Case (40101-1) of documents that name none, as questionnaires do.")
    ] = None,
    report: Annotated[Path | None, typer.Option("--report", help="Write what was stored and what not as JSON.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what there is, and store nothing.")] = False,
    no_consequences: Annotated[
        bool, typer.Option("--no-consequences", help="Do not examine the new variants for consequences.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress and no summary, only errors.")] = False,
) -> None:
    """Ingest cases of Genomics England's CIP-API from files, or fetch them from a server."""
    require_writable(report)
    asked = cip_sync_cli.Asked(
        statuses=tuple(status or ()),
        sample_type=sample_type,
        sites=tuple(site or ()),
        category=category,
        ids=ids,
        since=since,
        limit=limit,
        concurrent=concurrent,
        out=out,
        dry_run=dry_run,
        as_json=as_json,
        replace=replace,
        as_stored=as_stored,
    )
    if from_server is not None:
        if files or case is not None:
            raise typer.BadParameter("give files or --from-server, not both")
        code = cip_sync_cli.fetch(from_server, asked, report=report, consequences=not no_consequences, quiet=quiet)
        raise typer.Exit(code)
    if not files:
        raise typer.BadParameter("give files, or --from-server")
    if asked != cip_sync_cli.Asked(dry_run=dry_run):
        raise typer.BadParameter("this choice is of cases of a server: give --from-server")
    progress = Progress(quiet=quiet)
    with open_workspace(Settings()) as workspace:
        if dry_run:
            read, outcome = read_files(workspace, files, progress, case=case, dry_run=True), CipReport()
        else:
            with (
                FollowUps(workspace, progress, consequences=not no_consequences, pgx=False),
                projecting_beside(workspace, progress, len(files)) as outcome,
            ):
                read = read_files(workspace, files, progress, case=case)
    if report is not None:
        told = {"files": read.to_json(), **outcome.to_json()}
        report.write_bytes(orjson.dumps(told, option=orjson.OPT_INDENT_2) + b"\n")
    for text in read.refused:
        say(text)
    for one in read.quarantined:
        say(f"{one['file']}: quarantine: {one['path']}: {one['message']}")
    if not quiet:
        found = ", ".join(f"{number:,} {kind}" for kind, number in sorted(read.read.items()))
        print(
            f"{len(files):,} files: {found or 'nothing'}; {len(read.changed):,} cases new or changed", file=sys.stderr
        )
        if not dry_run:
            print("\n".join(outcome.lines()), file=sys.stderr)
    if read.refused:
        raise typer.Exit(BadFile.exit_code)
    if read.quarantined or outcome.quarantined:
        raise typer.Exit(QUARANTINED)
