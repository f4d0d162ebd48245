"""``operon terminology``: load, list and remove code systems and the maps between them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Literal

import orjson
import typer

from app.config import Settings
from app.store import terminology as store
from ingest import terminology as loading
from ingest.progress import Progress
from ingest.workspace import open_workspace

terminology = typer.Typer(no_args_is_help=True, help="Code systems of diseases and drugs, and maps between them.")


@terminology.command("load")
def terminology_load(
    kind: Annotated[str, typer.Argument(metavar="KIND", help=f"One of {', '.join(loading.KINDS)}.")],
    files: Annotated[list[str], typer.Argument(help="Files of one release, plain or gzip; - reads standard input.")],
    *,
    name: Annotated[
        str | None, typer.Option(help="Name of the release; default: the kind, or the file's name.")
    ] = None,
    version: Annotated[str | None, typer.Option(help="Version; default: what the files say.")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress and no summary, only errors.")] = False,
) -> None:
    """Load a release, all or nothing; it takes the place of an earlier one of its name."""
    paths: list[Path | Literal["-"]] = [Path(file) if file != "-" else "-" for file in files]
    with open_workspace(Settings()) as workspace:
        loaded = loading.load(workspace, kind, paths, Progress(quiet=quiet), name=name, version=version)
    if not quiet:
        for line in loaded.lines():
            print(line, file=sys.stderr)


@terminology.command("list")
def terminology_list() -> None:
    """Print every release, one JSON object a line."""
    with open_workspace(Settings()) as workspace, workspace.database.read() as session:
        for release in store.releases(session):
            print(orjson.dumps(loading.described(release)).decode())


@terminology.command("remove")
def terminology_remove(name: Annotated[str, typer.Argument(help="Name of the release.")]) -> None:
    """Remove a release."""
    with open_workspace(Settings()) as workspace:
        database = workspace.database
        with database.sole_writer(), database.write() as session:
            store.remove_release(session, name)
