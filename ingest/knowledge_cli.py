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
from app.formats.pgx_sources import PGX_SOURCES
from app.store import file_annotations, knowledge, pgx_releases
from app.store.knowledge import Release
from app.store.pgx_releases import PgxRelease
from app.store.session import Session
from ingest import consequences, pgx, pgx_calls
from ingest.consequence_rules import ConsequenceRules
from ingest.knowledge import LoadOptions, LoadReport, load, report_of
from ingest.pgx import PgxReport
from ingest.progress import Progress
from ingest.workspace import Workspace, open_workspace

app = typer.Typer(no_args_is_help=True, help="What variants and genotypes mean: releases of knowledge.")

NoPgx = Annotated[
    bool, typer.Option("--no-pgx", help="Let tests wait that other definitions called, until 'operon pgx call'.")
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress and no summary, only errors.")]
Name = Annotated[str, typer.Argument(help="Release, as 'operon knowledge list' names it.")]


@app.command("load")
def load_(
    kind: Annotated[str, typer.Argument(help=f"Source: {', '.join((*SOURCES, *PGX_SOURCES))}.")],
    files: Annotated[
        list[Path],
        typer.Argument(help="The files of one release, plain or gzip; of pharmacogenetics folders too, or 'embedded'."),
    ],
    *,
    name: Annotated[str | None, typer.Option(help="Call the source so; default: KIND.")] = None,
    version: Annotated[str | None, typer.Option(help="Version of the release; default: its date, or a digest.")] = None,
    released: Annotated[str | None, typer.Option(help="Date of the release, YYYY-MM-DD.")] = None,
    inactive: Annotated[bool, typer.Option("--inactive", help="Do not use it in answers yet.")] = False,
    beside: Annotated[bool, typer.Option("--beside", help="Keep using earlier releases of the same source.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Pharmacogenetics: read and check the release, store nothing.")
    ] = False,
    diff: Annotated[
        bool, typer.Option("--diff", help="Pharmacogenetics: list what it changes against what is in use.")
    ] = False,
    no_pgx: NoPgx = False,
    report: Annotated[Path | None, typer.Option(help="Write what was stored and what not as JSON.")] = None,
    quiet: Quiet = False,
) -> None:
    """Load one release, all or nothing; answers use it from then on."""
    if kind == "cpic" and all(file.name.endswith((".sql", ".sql.gz")) for file in files):
        kind = "cpic-sql"  # CPIC gives away its database in two forms; tables of it are knowledge of genotypes alone
    options = LoadOptions(name, version, released, activate=not inactive, beside=beside)
    if (dry_run or diff) and kind not in PGX_SOURCES:
        raise typer.BadParameter(f"--dry-run and --diff are for {', '.join(PGX_SOURCES)}")
    progress = Progress(quiet=quiet)
    done: LoadReport | PgxReport
    with open_workspace(Settings()) as workspace:
        if kind in PGX_SOURCES:
            done = pgx.load(workspace, kind, files, options, progress, dry_run=dry_run, with_differences=diff)
            if not dry_run and not no_pgx:
                _call_again(workspace, quiet=quiet)
        else:
            done = load(workspace, kind, files, options, progress)
    if report is not None:
        report.write_bytes(report_of(done.to_json()))
    if not quiet:
        for line in done.lines():
            print(line, file=sys.stderr)


@app.command("list")
def list_() -> None:
    """Print the loaded releases, one JSON object a line."""
    with open_workspace(Settings()) as workspace, workspace.database.read() as session:
        items = {release.name: release for release in knowledge.releases(session)}
        for one in pgx_releases.releases(session):
            meant = items.pop(one.name, None)
            print(orjson.dumps(_described_pgx(one, meant.items if meant is not None else 0)).decode())
        for release in items.values():
            print(orjson.dumps(_described(release)).decode())


@app.command("activate")
def activate(
    name: Name,
    *,
    beside: Annotated[bool, typer.Option("--beside", help="Keep using other releases of the same source.")] = False,
    no_pgx: NoPgx = False,
    quiet: Quiet = False,
) -> None:
    """Let answers use a release, instead of the others of its source, from one moment to the next."""
    with _written(pgx_too=not no_pgx, quiet=quiet) as (session, rules):
        if pgx.is_pgx(session, name):
            pgx.switch_on(session, rules, name, beside=beside)
            return
        release = knowledge.named(session, name)
        for other in knowledge.releases(session, active=True):
            takes_over = release.source != file_annotations.SOURCE  # each tool says what it said of its own files
            if other.source == release.source and other.name != name and takes_over and not beside:
                rules.switch(session, other, active=False)
        if not release.active:
            rules.switch(session, release, active=True)


@app.command("deactivate")
def deactivate(name: Name, *, no_pgx: NoPgx = False, quiet: Quiet = False) -> None:
    """Let answers no longer use a release; it stays loaded."""
    with _written(pgx_too=not no_pgx, quiet=quiet) as (session, rules):
        if pgx.is_pgx(session, name):
            pgx.switch_off(session, rules, name)
            return
        release = knowledge.named(session, name)
        if release.active:
            rules.switch(session, release, active=False)


@app.command("remove")
def remove(name: Name, *, no_pgx: NoPgx = False, quiet: Quiet = False) -> None:
    """Remove a release and every row of it."""
    with _written(pgx_too=not no_pgx, quiet=quiet) as (session, rules):
        if pgx.is_pgx(session, name):
            pgx.remove(session, rules, name)
        else:
            rules.remove(session, knowledge.named(session, name))


@app.command("compute")
def compute(
    *,
    all_: Annotated[bool, typer.Option("--all", help="Examine every carried variant anew.")] = False,
    quiet: Quiet = False,
) -> None:
    """Examine carried variants for consequences, so that questions by terms alone find them."""
    with open_workspace(Settings()) as workspace:
        done = consequences.compute(workspace, Progress(quiet=quiet), anew=all_)
    if not quiet:
        print(done.line(), file=sys.stderr)


@contextmanager
def _written(*, pgx_too: bool, quiet: bool) -> Iterator[tuple[Session, ConsequenceRules]]:
    with open_workspace(Settings()) as workspace:
        with workspace.database.sole_writer(), workspace.database.write() as session:
            yield session, ConsequenceRules(workspace.genome)
        if pgx_too:
            _call_again(workspace, quiet=quiet)


def _call_again(workspace: Workspace, *, quiet: bool) -> None:
    """Call the tests that other definitions called; where it is interrupted 'operon pgx call' goes on."""
    called = pgx_calls.call_again(workspace, Progress(quiet=quiet))
    if called.tests and not quiet:
        print(called.line(), file=sys.stderr)


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


def _described_pgx(release: PgxRelease, items: int) -> dict[str, object]:
    """Return what is told of a release; its items say what it means while it is in use."""
    facts = release.facts
    names = ("genes", "alleles", "positions", "drugs", "pairs", "recommendations")
    return {
        "release": facts.name,
        "source": facts.label,
        "version": facts.version,
        "released": facts.released,
        "licence": facts.licence,
        "attribution": facts.attribution,
        "active": release.active,
        "pharmacogenetics": {name: release.report[name] for name in names},
        "items": items,
        "rejected": release.report["rejected"],
        "files": [dict(file) for file in facts.files],
        "loaded": release.loaded,
    }
