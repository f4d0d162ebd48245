"""Loading a release of pharmacogenetic knowledge: read, placed on both builds, checked, stored all or nothing.

What it means for drugs and genotypes is stored as a release of knowledge of the same name, in the same transaction
(``ingest.pgx_implications``), for as long as it is in use.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from io import BytesIO
from pathlib import Path
from typing import Any

from app.data_folder import data_folder
from app.errors import BadFile, InvalidInput, NotFound, quoted
from app.formats.knowledge import Rejects
from app.formats.knowledge_sources import OpenFile
from app.formats.pgx import PgxContent
from app.formats.pgx_sources import PGX_SOURCES, PgxSource
from app.formats.pgx_tables import read_folder, write_tables
from app.operations.context import Genome
from app.operations.pgx_active import active_content
from app.operations.pgx_seed import SEED_NAME, corrected_pypgx, embedded_content
from app.pgx.checks import problems
from app.pgx.differences import Difference, differences
from app.pgx.layers import says_meaning
from app.records import Build
from app.store import knowledge, pgx_releases
from app.store.pgx_releases import EMBEDDED, PgxFacts
from app.store.session import Session
from app.variants.accessions import accession
from ingest.consequence_rules import ConsequenceRules
from ingest.knowledge import LoadOptions, check_date, check_name, digest_of
from ingest.pgx_implications import restate
from ingest.pgx_places import Filled, with_places
from ingest.progress import Progress
from ingest.source import Source, open_source
from ingest.workspace import Workspace

_TOLD = 10
_SEED_VERSION = SEED_NAME.rpartition("-")[2]


@dataclass(frozen=True, slots=True)
class PgxReport:
    """What the loading of one release did, or would have done."""

    release: str
    counts: dict[str, int]
    items: int
    places: dict[str, int]
    rejects: Rejects
    seconds: float
    active: bool
    replaced: tuple[str, ...] = ()
    is_repeated: bool = False
    is_dry: bool = False
    differences: tuple[Difference, ...] | None = None
    """None unless they were asked for"""
    unsaid: tuple[str, ...] = field(default=())
    """Genes of the release that have alleles and no meaning of them"""

    def to_json(self) -> dict[str, Any]:
        """Return the report as JSON values."""
        report: dict[str, Any] = {
            "release": self.release,
            **self.counts,
            "items": self.items,
            "positions_on_GRCh37": self.places,
            "without_functions": list(self.unsaid),
            **self.rejects.to_json(),
            "active": self.active,
            "replaced": list(self.replaced),
            "seconds": round(self.seconds, 3),
            "already_loaded": self.is_repeated,
            "dry_run": self.is_dry,
        }
        if self.differences is not None:
            report["differences"] = [
                {"what": one.what, "change": one.verb, "of": one.of, "name": one.name, "before": one.before,
                 "after": one.after} for one in self.differences
            ]  # fmt: skip
        return report

    def lines(self) -> Iterator[str]:
        """Yield the report for people."""
        if self.is_repeated:
            yield f"{self.release} was loaded before"
            return
        counts = ", ".join(f"{number:,} {name}" for name, number in self.counts.items())
        state = "active" if self.active else "not active (operon knowledge activate)"
        yield f"{self.release}: {counts}; {'it would be' if self.is_dry else 'it is'} {state}"
        places = ", ".join(f"{number:,} {how}" for how, number in self.places.items() if number)
        yield f"  positions on GRCh37: {places or 'none'}"
        if self.unsaid:
            yield f"  no functions or phenotypes: {', '.join(self.unsaid)}"
        for cause, rows in sorted(self.rejects.by_cause.items()):
            yield f"  {rows:,} rejected: {cause}"
        for name in self.replaced:
            yield f"  {name} is no longer active"
        for difference in self.differences or ():
            yield f"  {difference.line()}"


@dataclass(frozen=True, slots=True)
class _Read:
    """A release that was read and checked."""

    facts: PgxFacts
    filled: Filled

    @property
    def content(self) -> PgxContent:
        return self.filled.content


def load(
    workspace: Workspace,
    kind: str,
    paths: Sequence[Path],
    options: LoadOptions,
    progress: Progress,
    *,
    dry_run: bool = False,
    with_differences: bool = False,
) -> PgxReport:
    """Load one release, and let answers use it unless told otherwise.

    Raises:
        NotFound: there is no such file.
        BadFile: a file is not of the source's form, or the release cannot be trusted. Nothing is stored.
        InvalidInput: the store has another release of that name, or there is no such kind.
    """
    if kind not in PGX_SOURCES:
        raise InvalidInput(f"{quoted(kind)} is none of {', '.join(PGX_SOURCES)}")
    began = time.monotonic()
    check_name(options)
    check_date(options.released)
    is_embedded = kind == "pgx" and [str(path) for path in paths] == [EMBEDDED] and not paths[0].exists()
    taken = files_of(PGX_SOURCES[kind], [data_folder() / "pgx"] if is_embedded else paths)
    with ExitStack() as stack:
        files = [stack.enter_context(open_source(path, workspace.settings)) for path in taken]
        facts = _facts(kind, files, options, is_embedded=is_embedded)
        if not dry_run:
            stack.enter_context(workspace.database.sole_writer())
        with workspace.database.read() as session:
            known = [one for one in pgx_releases.releases(session) if one.facts.sha256 == facts.sha256]
            if known and known[0].name == facts.name and not dry_run:
                seconds, empty = time.monotonic() - began, dict[str, int]()
                active = known[0].active
                return PgxReport(facts.name, empty, 0, empty, Rejects(), seconds, active=active, is_repeated=True)
            in_use = active_content(session).content
        rejects = Rejects()
        content = _content(workspace, kind, files, rejects, progress)
        filled = _checked(workspace.genome, content, in_use, files[0].name if len(files) == 1 else facts.name)
        read = _Read(facts, filled)
        report = PgxReport(
            facts.name,
            _counts(read.content),
            0,
            _places(filled),
            rejects,
            time.monotonic() - began,
            active=options.activate,
            is_dry=dry_run,
            differences=tuple(differences(in_use, read.content)) if with_differences else None,
            unsaid=tuple(one.symbol for one in read.content.genes if one.positions and not says_meaning(one)),
        )
        if dry_run:
            return report
        with workspace.database.write() as session:
            stored = _store(session, ConsequenceRules(workspace.genome), read, report, options)
            for file in files:
                file.check_unchanged()
    return replace(stored, seconds=time.monotonic() - began)


def files_of(source: PgxSource, paths: Sequence[Path]) -> list[Path]:
    """Return the files that are given, and of each folder those of the source.

    Raises:
        NotFound: a folder has none.
    """
    found: list[Path] = []
    for path in paths:
        if not path.is_dir():
            found.append(path)
            continue
        walk = path.rglob("*") if source.is_deep else path.iterdir()
        inside = sorted(one for one in walk if one.is_file() and source.takes(one.name))
        if not inside:
            raise NotFound(f"{quoted(path.name)}: the folder has no file of {source.label} (*{source.suffix})")
        found += inside
    return found


def _facts(kind: str, files: Sequence[Source], options: LoadOptions, *, is_embedded: bool) -> PgxFacts:
    source = PGX_SOURCES[kind]
    named = options.name or (EMBEDDED if is_embedded else kind)
    digest = digest_of(kind, named, files)
    version = options.version or options.released or (_SEED_VERSION if is_embedded else digest[:12])
    label = "Operon's seed of CPIC and PyPGx" if is_embedded else source.label
    return PgxFacts(
        name=SEED_NAME if is_embedded else f"{named}-{version}",
        source=EMBEDDED if is_embedded else named,
        label=f"{options.name} ({label})" if options.name else label,
        version=version,
        released=options.released,
        licence="CC0 1.0 (CPIC) and MIT (PyPGx)" if is_embedded else source.licence,
        attribution="CPIC, https://cpicpgx.org; PyPGx, https://github.com/sbslee/pypgx"
        if is_embedded
        else source.attribution,
        files=[{"name": file.name, "sha256": file.sha256, "size": file.size} for file in files],
        sha256=digest,
    )


# --- reading and checking ---------------------------------------------------------------------------------------------


def _content(
    workspace: Workspace, kind: str, files: Sequence[Source], rejects: Rejects, progress: Progress
) -> PgxContent:
    size = sum(file.size for file in files)
    with progress.file(files[0].name if len(files) == 1 else kind, size) as bar:
        found = PGX_SOURCES[kind].read(
            [OpenFile(file.name, file.open()) for file in files],
            lambda contig, start, end: _bases(workspace.genome, Build.GRCH38, contig, start, end),
            rejects,
            workspace.settings,
        )
        bar.at(size)
    return corrected_pypgx(found) if kind == "pypgx" else found


def _checked(genome: Genome, content: PgxContent, in_use: PgxContent, name: str) -> Filled:
    """Return a release with its places; raises BadFile, which tells every problem, where it cannot be trusted."""
    filled = with_places(content, genome, embedded_content())
    found = list(
        problems(filled.content, lambda build, contig, start, end: _bases(genome, build, contig, start, end), in_use)
    )
    if found:
        told = "; ".join(map(str, found[:_TOLD])) + (f"; and {len(found) - _TOLD:,} more" if len(found) > _TOLD else "")
        raise BadFile(name, told, mend="Nothing was stored")
    # What is written has to be readable again; it is too late to hear of it when answers need it.
    tables = write_tables(filled.content)
    read_folder({table: (BytesIO(text), f"{name} {table}") for table, text in tables.items()})
    return filled


def _bases(genome: Genome, build: Build, contig: int, start: int, end: int) -> str | None:
    return genome.placer.reference(build, contig).fetch(accession(build, contig), start, end)


def _counts(content: PgxContent) -> dict[str, int]:
    return {
        "genes": len(content.genes),
        "alleles": sum(len(gene.alleles) for gene in content.genes),
        "positions": sum(len(gene.positions) for gene in content.genes),
        "drugs": len(content.drugs),
        "pairs": len(content.pairs),
        "recommendations": len(content.recommendations),
    }


def _places(filled: Filled) -> dict[str, int]:
    return {"given": filled.given, "lifted": filled.lifted, "known": filled.known, "missing": filled.missing}


# --- storing and switching --------------------------------------------------------------------------------------------


def _store(
    session: Session, rules: ConsequenceRules, read: _Read, report: PgxReport, options: LoadOptions
) -> PgxReport:
    name = read.facts.name
    if any(one.name == name for one in knowledge.releases(session)) and not is_pgx(session, name):
        raise InvalidInput(f"the store has a release {quoted(name)} of another kind; give this one another --version")
    pgx_releases.add(session, read.facts, read.content, report.to_json())
    if not options.activate:
        return report
    replaced, items = switch_on(session, rules, name, beside=options.beside)
    return replace(report, replaced=replaced, items=items)


def switch_on(
    session: Session, rules: ConsequenceRules, name: str, *, beside: bool = False
) -> tuple[tuple[str, ...], int]:
    """Let answers use a release instead of the others of its source.

    Returns:
        The names of those others, and how many items say what the release means.
    """
    release = pgx_releases.named(session, name)
    replaced = []
    for other in pgx_releases.releases(session, active=True):
        if other.facts.source == release.facts.source and other.name != name and not beside:
            pgx_releases.set_active(session, other, active=False)
            replaced.append(other.name)
    if not release.active:
        pgx_releases.set_active(session, release, active=True)
    return tuple(replaced), restate(session, rules)[name]


def switch_off(session: Session, rules: ConsequenceRules, name: str) -> None:
    """Let answers no longer use a release."""
    release = pgx_releases.named(session, name)
    if release.active:
        pgx_releases.set_active(session, release, active=False)
        restate(session, rules)


def remove(session: Session, rules: ConsequenceRules, name: str) -> None:
    """Remove a release with what it means."""
    switch_off(session, rules, name)
    pgx_releases.remove(session, pgx_releases.named(session, name))
    restate(session, rules)


def is_pgx(session: Session, name: str) -> bool:
    """Return whether a release is one of pharmacogenetic knowledge."""
    return any(one.name == name for one in pgx_releases.releases(session))
