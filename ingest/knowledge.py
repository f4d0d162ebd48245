"""Loading a release of knowledge: files of one source into items, placed on both builds, stored all or nothing.

A release is read once, in batches, inside one transaction: an interruption leaves nothing, and readers see the release
whole or not at all. Rows that cannot be used are counted by cause and told, and cost nothing else.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date
from hashlib import blake2b
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from app.errors import InvalidInput, quoted
from app.formats.knowledge import KnowledgeItem, Rejects
from app.formats.knowledge_sources import SOURCES, OpenFile
from app.operations.context import Genome
from app.records import Build
from app.store import computed, file_annotations, knowledge, pgx_releases, variants
from app.store.knowledge_rules import PlacedRule
from app.store.knowledge_writer import KnowledgeWriter, ReleaseFacts
from app.store.session import Session
from app.store.variants import VariantColumns
from app.variants.placed_batch import CONTRADICTS
from app.variants.placement import Placer
from app.variants.transcripts import Transcripts
from ingest.columns import variant_columns
from ingest.consequence_rules import ConsequenceRules
from ingest.knowledge_rules import Unplaceable, place
from ingest.progress import Bar, Progress
from ingest.source import Source, open_source
from ingest.workspace import Workspace

_BATCH = 10_000
CONTRADICTION = "deleted bases that the reference has not"
NO_CHANGE = "a variant that changes nothing"
_RESERVED = (computed.SOURCE, file_annotations.SOURCE, pgx_releases.EMBEDDED)


@dataclass(frozen=True, slots=True)
class LoadOptions:
    """How a release is called, and what becomes of the ones before it."""

    name: str | None = None
    """Of the source; the kind unless given"""
    version: str | None = None
    """A digest of the files unless given"""
    released: str | None = None
    """ISO date"""
    activate: bool = True
    beside: bool = False
    """Keep active what is active of the same source"""


@dataclass(frozen=True, slots=True)
class LoadReport:
    """What the loading of one release did; ``is_repeated``: the same files were loaded before, and nothing was done."""

    release: str
    items: int
    rejects: Rejects
    seconds: float
    active: bool
    replaced: tuple[str, ...] = ()
    is_repeated: bool = False

    def to_json(self) -> dict[str, Any]:
        """Return the report as JSON values."""
        return {
            "release": self.release,
            "items": self.items,
            **self.rejects.to_json(),
            "active": self.active,
            "replaced": list(self.replaced),
            "seconds": round(self.seconds, 3),
            "already_loaded": self.is_repeated,
        }

    def lines(self) -> Iterator[str]:
        """Yield the report for people."""
        if self.is_repeated:
            yield f"{self.release} was loaded before"
            return
        state = "active" if self.active else "not active (operon knowledge activate)"
        yield f"{self.release}: {self.items:,} items, {self.rejects.total:,} rows rejected; it is {state}"
        for cause, rows in sorted(self.rejects.by_cause.items()):
            yield f"  {rows:,} rejected: {cause}"
        for name in self.replaced:
            yield f"  {name} is no longer active"


def load(
    workspace: Workspace, kind: str, paths: Sequence[Path], options: LoadOptions, progress: Progress
) -> LoadReport:
    """Load one release, and let answers use it unless told otherwise.

    Raises:
        NotFound: there is no such file.
        BadFile: a file is not of the source's form. Nothing is stored.
        InvalidInput: the store has another release of that name, or there is no such kind.
    """
    if kind not in SOURCES:
        raise InvalidInput(f"{quoted(kind)} is no kind of knowledge; it is one of {', '.join(SOURCES)}")
    source = SOURCES[kind]
    began = time.monotonic()
    check_name(options)
    settings, database = workspace.settings, workspace.database
    with ExitStack() as stack:
        files = [stack.enter_context(open_source(path, settings)) for path in paths]
        digest = digest_of(kind, options.name or kind, files)
        check_date(options.released)
        version = options.version or options.released or digest[:12]
        facts = ReleaseFacts(
            name=f"{options.name or kind}-{version}",
            source=options.name or kind,
            label=f"{options.name} ({source.label})" if options.name else source.label,
            version=version,
            released=options.released,
            licence=source.licence,
            files=[{"name": file.name, "sha256": file.sha256, "size": file.size} for file in files],
            sha256=digest,
        )
        rejects = Rejects()
        stack.enter_context(database.sole_writer())
        session = stack.enter_context(database.write())
        known = [release for release in knowledge.releases(session) if release.sha256 == digest]
        if known and known[0].name == facts.name:
            seconds = time.monotonic() - began
            return LoadReport(facts.name, known[0].items, rejects, seconds, active=known[0].active, is_repeated=True)
        if any(release.name == facts.name for release in pgx_releases.releases(session)):
            raise InvalidInput(f"the store has a release {quoted(facts.name)} already; give this one another --version")
        writer = KnowledgeWriter(session, facts)
        size = sum(file.size for file in files)
        with progress.file(files[0].name if len(files) == 1 else kind, size) as bar:
            read = _Read(len(files))
            opened = [OpenFile(file.name, file.open(read.teller(at, bar))) for at, file in enumerate(files)]
            items = source.read(opened, rejects, settings)
            rules = ConsequenceRules(workspace.genome)
            number = _store(session, writer, workspace.genome, items, rejects=rejects, of_consequences=rules)
            writer.link_sites()
            if writer.has_rules:
                writer.link(rules.links_of_items(session, writer.first_item, writer.first_item + number))
        for file in files:
            file.check_unchanged()
        report = LoadReport(facts.name, number, rejects, 0.0, active=options.activate)
        writer.finish(report.to_json())
        replaced = _activate(session, rules, facts, options) if options.activate else ()
    return LoadReport(facts.name, number, rejects, time.monotonic() - began, active=options.activate, replaced=replaced)


class _Read:
    """How much of several files is read."""

    def __init__(self, files: int) -> None:
        self._done = [0] * files

    def teller(self, at: int, bar: Bar) -> Callable[[int], None]:
        """Return what is told how much of one file is read, and shows how much of all is."""

        def told(done: int) -> None:
            self._done[at] = max(self._done[at], done)
            bar.at(sum(self._done))

        return told


def digest_of(kind: str, name: str, files: Sequence[Source]) -> str:
    """Return a digest of files and of what they are read as."""
    return blake2b(orjson.dumps([kind, name, [file.sha256 for file in files]]), digest_size=16).hexdigest()


def check_name(options: LoadOptions) -> None:
    """Raise InvalidInput where a source is called as what Operon makes itself."""
    if options.name in _RESERVED:
        raise InvalidInput(f"--name {quoted(options.name or '')}: Operon calls what it makes itself so")


def check_date(text: str | None) -> None:
    """Raise InvalidInput unless a text is a date, or there is none."""
    try:
        if text is not None:
            date.fromisoformat(text)
    except ValueError:
        raise InvalidInput(f"{quoted(text or '')} is no date; write it as YYYY-MM-DD") from None


def _activate(session: Session, rules: ConsequenceRules, facts: ReleaseFacts, options: LoadOptions) -> tuple[str, ...]:
    before = [
        release
        for release in knowledge.releases(session, active=True)
        if release.source == facts.source and not options.beside
    ]
    for release in before:
        rules.switch(session, release, active=False)
    rules.switch(session, knowledge.named(session, facts.name), active=True)
    return tuple(release.name for release in before)


def _store(
    session: Session,
    writer: KnowledgeWriter,
    genome: Genome,
    items: Iterator[KnowledgeItem],
    *,
    rejects: Rejects,
    of_consequences: ConsequenceRules,
) -> int:
    stored = 0

    def added(contig: int, new: int) -> None:
        of_consequences.link_new(session, contig, new, before_item=writer.first_item)

    while batch := list(islice(items, _BATCH)):
        ids = _placed(session, genome.placer, batch, rejects, added)
        rules = _rules(genome.transcripts, batch, ids, rejects)
        kept = [at for at, found in enumerate(ids) if found is not None]
        writer.write(
            [batch[at] for at in kept],
            [sorted(set(ids[at] or ())) for at in kept],
            {now: rules[at] for now, at in enumerate(kept) if at in rules},
        )
        stored += len(kept)
    return stored


def _rules(
    transcripts: Transcripts, batch: Sequence[KnowledgeItem], ids: list[list[int] | None], rejects: Rejects
) -> dict[int, PlacedRule]:
    """Return the rules of items by their places in a batch; the ids of an item without a usable rule become None."""
    found = {}
    for at, item in enumerate(batch):
        if item.rule is None:
            continue
        try:
            found[at] = place(item.rule, item.kind, transcripts)
        except Unplaceable as error:
            ids[at] = None
            rejects.add(item.row_id, 0, "rule", error.cause, error.detail)
    return found


def _placed(
    session: Session,
    placer: Placer,
    batch: Sequence[KnowledgeItem],
    rejects: Rejects,
    added: Callable[[int, int], None],
) -> list[list[int] | None]:
    """Return the variants that each item is about, None for an item that cannot be placed.

    An item whose source writes its variant on both builds is about what either of them is. ``added`` hears how many
    variants of a contig are new.
    """
    found: list[list[int] | None] = [[] for _ in batch]
    rows: dict[tuple[Build, int], list[tuple[int, str, str, int]]] = {}
    for at, item in enumerate(batch):
        for change in item.changes:
            if change.deleted == change.inserted:
                found[at] = None
                rejects.add(item.row_id, 0, "variant", NO_CHANGE)
                break
            place = (change.build, change.contig)
            rows.setdefault(place, []).append((change.position, change.deleted, change.inserted, at))
    placed: list[tuple[int, VariantColumns, Sequence[int]]] = []
    for (build, contig), changes in sorted(rows.items()):
        changes.sort()
        positions, deleted, inserted, owners = zip(*changes, strict=True)
        places = placer.place_batch(build, contig, np.array(positions, dtype=np.int64), deleted, inserted)
        for at in sorted({owners[row] for row in np.flatnonzero(places.ref_check == CONTRADICTS).tolist()}):
            if found[at] is not None:
                found[at] = None
                rejects.add(batch[at].row_id, 0, "variant", CONTRADICTION)
        placed.append((contig, variant_columns(contig, build, places), owners))
    # An item that is rejected for one of its builds must not leave the variant of the other.
    for contig, columns, whose in placed:
        kept = np.array([found[at] is not None for at in whose], dtype=np.bool_)
        ids, new = variants.resolve(session, columns, np.flatnonzero(kept))
        added(contig, new)
        for at, variant_id in zip(whose, ids.tolist(), strict=True):
            its = found[at]
            if its is not None:
                its.append(variant_id)
    return found


def report_of(reports: Mapping[str, Any]) -> bytes:
    """Return a report as indented JSON."""
    return orjson.dumps(dict(reports), option=orjson.OPT_INDENT_2) + b"\n"
