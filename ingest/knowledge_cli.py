"""``operon knowledge``: releases of knowledge, loaded, listed, switched and removed."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import orjson
import typer

from app.config import Settings
from app.formats.knowledge_sources import SOURCES
from app.store import file_annotations, knowledge
from app.store.knowledge import Release
from app.store.session import Session
from ingest import consequences
from ingest.consequence_rules import ConsequenceRules
from ingest.knowledge import LoadOptions, load, report_of
from ingest.progress import Progress
from ingest.workspace import open_workspace

app = typer.Typer(no_args_is_help=True, help="What variants and genotypes mean: releases of knowledge.")

Name = Annotated[str, typer.Argument(help="Release, as 'operon knowledge list' names it.")]


@app.command("load")
def load_(
    kind: Annotated[str, typer.Argument(help=f"Source: {', '.join(SOURCES)}.")],
    files: Annotated[list[Path], typer.Argument(help="The files of one release, plain or gzip.")],
    *,
    name: Annotated[str | None, typer.Option(help="Call the source so; default: KIND.")] = None,
    version: Annotated[str | None, typer.Option(help="Version of the release; default: its date, or a digest.")] = None,
    released: Annotated[str | None, typer.Option(help="Date of the release, YYYY-MM-DD.")] = None,
    inactive: Annotated[bool, typer.Option("--inactive", help="Do not use it in answers yet.")] = False,
    beside: Annotated[bool, typer.Option("--beside", help="Keep using earlier releases of the same source.")] = False,
    report: Annotated[Path | None, typer.Option(help="Write what was stored and what not as JSON.")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress and no summary, only errors.")] = False,
) -> None:
    """Load one release, all or nothing; answers use it from then on."""
    options = LoadOptions(name, version, released, activate=not inactive, beside=beside)
    with open_workspace(Settings()) as workspace:
        done = load(workspace, kind, files, options, Progress(quiet=quiet))
    if report is not None:
        report.write_bytes(report_of(done.to_json()))
    if not quiet:
        for line in done.lines():
            print(line, file=sys.stderr)


@app.command("list")
def list_() -> None:
    """Print the loaded releases, one JSON object a line."""
    with open_workspace(Settings()) as workspace, workspace.database.read() as session:
        for release in knowledge.releases(session):
            print(orjson.dumps(_described(release)).decode())


@app.command("activate")
def activate(
    name: Name,
    *,
    beside: Annotated[bool, typer.Option("--beside", help="Keep using other releases of the same source.")] = False,
) -> None:
    """Let answers use a release, instead of the others of its source, from one moment to the next."""
    with _written() as (session, rules):
        release = knowledge.named(session, name)
        for other in knowledge.releases(session, active=True):
            takes_over = release.source != file_annotations.SOURCE  # each tool says what it said of its own files
            if other.source == release.source and other.name != name and takes_over and not beside:
                rules.switch(session, other, active=False)
        if not release.active:
            rules.switch(session, release, active=True)


@app.command("deactivate")
def deactivate(name: Name) -> None:
    """Let answers no longer use a release; it stays loaded."""
    with _written() as (session, rules):
        release = knowledge.named(session, name)
        if release.active:
            rules.switch(session, release, active=False)


@app.command("remove")
def remove(name: Name) -> None:
    """Remove a release and every row of it."""
    with _written() as (session, rules):
        rules.remove(session, knowledge.named(session, name))


@app.command("compute")
def compute(
    *,
    all_: Annotated[bool, typer.Option("--all", help="Examine every carried variant anew.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress and no summary, only errors.")] = False,
) -> None:
    """Examine carried variants for consequences, so that questions by terms alone find them."""
    with open_workspace(Settings()) as workspace:
        done = consequences.compute(workspace, Progress(quiet=quiet), anew=all_)
    if not quiet:
        print(done.line(), file=sys.stderr)


@contextmanager
def _written() -> Iterator[tuple[Session, ConsequenceRules]]:
    with (
        open_workspace(Settings()) as workspace,
        workspace.database.sole_writer(),
        workspace.database.write() as session,
    ):
        yield session, ConsequenceRules(workspace.genome)


def _described(release: Release) -> dict[str, object]:
    return {
        "release": release.name,
        "source": release.label,
        "version": release.version,
        "released": release.released,
        "licence": release.licence,
        "active": release.active,
        "items": release.items,
        "rejected": release.report.get("rejected", 0),
        "has_rules": release.has_rules,
        "files": [dict(file) for file in release.files],
        "loaded": release.loaded,
    }
