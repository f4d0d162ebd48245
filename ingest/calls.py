"""Ingests of calls as a user asks for them: files with options, or a manifest of many files."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from app.errors import BadFile, InvalidInput, InvalidValue, quoted
from app.fhir.dates import implicit_interval
from app.formats.bed import read_bed
from app.formats.vcf import VcfReader
from app.records import Build, SourceClass
from app.store import bulk
from app.store.studies import Regions, StudyFacts
from app.store.subjects import Subject
from ingest.follow_ups import FollowUps
from ingest.jobs import HOMOPLASMIC_ABOVE, FileJob, SampleJob
from ingest.manifest import ManifestRow, read_manifest
from ingest.progress import Progress
from ingest.report import IngestReport
from ingest.run import Ingest
from ingest.source import Source, open_source
from ingest.workspace import Workspace

Input = Path | Literal["-"]

_SUBJECT_ID = re.compile(r"[A-Za-z0-9.-]{1,64}", re.ASCII)
_ENDINGS = re.compile(r"(\.vcf)?(\.b?gz)?$", re.IGNORECASE)
_DATE = re.compile(r"[0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?")


@dataclass(frozen=True, slots=True)
class VcfOptions:
    """What ``operon ingest vcf`` was told about its files."""

    build: Build
    subject: str | None = None
    sample: str | None = None
    all_samples: bool = False
    test_id: str | None = None
    test_date: str | None = None
    specimen_id: str | None = None
    source_class: SourceClass = SourceClass.GERMLINE
    studied: Path | None = None
    uncallable: Path | None = None
    keep_filtered: bool = False
    phased_contigs: bool = False
    homoplasmic_above: float = HOMOPLASMIC_ABOVE
    replace: bool = False
    consequences: bool = True
    """Examine the new variants for consequences afterwards"""
    absent_is_reference: bool = False
    """At positions of pharmacogenes, no record means the reference"""
    pgx: bool = True
    """Call pharmacogenes of the new tests afterwards"""


def ingest_vcfs(
    workspace: Workspace, paths: Sequence[Input], options: VcfOptions, progress: Progress
) -> list[IngestReport]:
    """Store VCF files that belong together, all or none of them.

    Raises:
        OperonError: an option or a file cannot be used; nothing of any file is stored.
    """
    _check(options)
    regions = _regions(workspace, options.build, options.studied, options.uncallable, {})
    with ExitStack() as stack:
        # Opened once: standard input cannot be read a second time, and large files take long to hash.
        sources = [stack.enter_context(open_source(path, workspace.settings)) for path in paths]
        jobs = [_job(workspace, source, options, regions) for source in sources]
        wanted = FollowUps(workspace, progress, consequences=options.consequences, pgx=options.pgx)
        following = stack.enter_context(wanted)
        places = following.definitions.places
        ingest = Ingest(workspace.database, workspace.genome, workspace.settings, progress, places)
        return ingest.store(jobs, replace=options.replace)


def _check(options: VcfOptions) -> None:
    if options.sample is not None and options.all_samples:
        raise InvalidInput("--sample and --all-samples exclude each other")
    if options.subject is not None and options.all_samples:
        raise InvalidInput("--subject names one subject; with --all-samples the sample names are the subjects")
    if options.subject is not None and _SUBJECT_ID.fullmatch(options.subject) is None:
        raise InvalidValue(
            f"--subject: {quoted(options.subject)} is no FHIR id; use up to 64 letters, digits, '-' and '.'"
        )
    if options.test_date is not None:
        if _DATE.fullmatch(options.test_date) is None:
            raise InvalidValue(f"--test-date: {quoted(options.test_date)} is no date; write YYYY-MM-DD")
        try:
            implicit_interval(options.test_date)
        except InvalidValue:
            raise InvalidValue(f"--test-date: {quoted(options.test_date)} is not in the calendar") from None


def _job(workspace: Workspace, source: Source, options: VcfOptions, regions: dict[str, Regions]) -> FileJob:
    """Return the job of one file; its header says which samples there are."""
    with source.open() as stream:
        names = VcfReader(stream, source.name, options.build, workspace.settings).header.samples
    positions = _chosen(names, options, source.name)
    test_id = options.test_id or _ENDINGS.sub("", source.name) or source.name
    facts = StudyFacts(test_id, options.build, options.test_date, options.specimen_id)
    samples = [
        SampleJob(
            position,
            Subject(options.subject or _subject_named(names[position], source.name)),
            facts,
            options.source_class,
            options.homoplasmic_above,
            regions,
            options.absent_is_reference,
        )
        for position in positions
    ]
    return FileJob(source, options.build, samples, options.keep_filtered, options.phased_contigs)


def _chosen(names: Sequence[str], options: VcfOptions, source: str) -> Sequence[int]:
    if options.all_samples:
        return range(len(names))
    if options.sample is not None:
        if options.sample not in names:
            known = ", ".join(names[:10]) + (", ..." if len(names) > 10 else "")
            raise BadFile(source, f"it has no sample {quoted(options.sample)}", mend=f"Its samples are {known}")
        return [names.index(options.sample)]
    if len(names) != 1:
        raise BadFile(
            source, f"it has {len(names)} samples", mend="Choose one with --sample NAME, or take all with --all-samples"
        )
    return [0]


def _subject_named(sample: str, source: str) -> str:
    if _SUBJECT_ID.fullmatch(sample) is None:
        raise BadFile(
            source,
            f"the sample name {quoted(sample)} is no FHIR id (letters, digits, '-' and '.', up to 64)",
            mend="Name the subject with --subject, or use a manifest",
        )
    return sample


def _regions(
    workspace: Workspace,
    build: Build,
    studied: Path | None,
    uncallable: Path | None,
    known: dict[tuple[Path, Build], Regions],
) -> dict[str, Regions]:
    found: dict[str, Regions] = {}
    for kind, path in (("studied", studied), ("uncallable", uncallable)):
        if path is None:
            continue
        key = (path, build)
        if key not in known:
            with open_source(path, workspace.settings) as source, source.open() as stream:
                known[key] = read_bed(stream, source.name, build, workspace.settings).intervals
        found[kind] = known[key]
    return found


@dataclass(frozen=True, slots=True)
class ManifestResult:
    """What a manifest added: a report of each file, and how many studies without calls."""

    reports: list[IngestReport]
    studies_without_calls: int


def ingest_manifest(
    workspace: Workspace,
    path: Path,
    progress: Progress,
    *,
    replace: bool = False,
    consequences: bool = True,
    pgx: bool = True,
) -> ManifestResult:
    """Store everything that a manifest lists; rows that share a study, or a file, become visible together.

    Raises:
        OperonError: the manifest or a file cannot be used. Groups of rows before the failing one stay stored, and the
            same command skips them after the mend.
    """
    rows = read_manifest(path, workspace.settings)
    beds: dict[tuple[Path, Build], Regions] = {}
    with FollowUps(workspace, progress, consequences=consequences, pgx=pgx) as following:
        places = following.definitions.places
        ingest = Ingest(workspace.database, workspace.genome, workspace.settings, progress, places)
        declared = _declare(workspace, [row for row in rows if row.vcf is None], beds)
        reports = []
        for group in _groups([row for row in rows if row.vcf is not None]):
            reports += ingest.store([_file_job(workspace, file, beds) for file in _files(group)], replace=replace)
    return ManifestResult(reports, declared)


def _declare(workspace: Workspace, rows: Sequence[ManifestRow], beds: dict[tuple[Path, Build], Regions]) -> int:
    """Store the studies of rows without a file, and return how many are new."""
    if not rows:
        return 0
    planned = [
        (Subject(row.subject), _facts(row), _regions(workspace, row.build, row.studied, row.uncallable, beds))
        for row in rows
    ]
    with workspace.database.sole_writer():
        return bulk.declare_studies(workspace.database, planned)


def _facts(row: ManifestRow) -> StudyFacts:
    return StudyFacts(
        row.test_id,
        row.build,
        row.test_date,
        row.specimen_id,
        row.study_type,
        ";".join(row.dna_change_types) or None,
    )


def _groups(rows: Sequence[ManifestRow]) -> Iterable[list[ManifestRow]]:
    """Return the rows that must become visible together: those linked by a study or by a file."""
    parents = list(range(len(rows)))

    def root(at: int) -> int:
        while parents[at] != at:
            parents[at] = parents[parents[at]]
            at = parents[at]
        return at

    seen: dict[object, int] = {}
    for at, row in enumerate(rows):
        for link in ((row.subject, row.test_id), (row.vcf, row.build)):
            other = seen.setdefault(link, at)
            parents[root(at)] = root(other)
    groups: dict[int, list[ManifestRow]] = {}
    for at, row in enumerate(rows):
        groups.setdefault(root(at), []).append(row)
    return groups.values()


def _files(rows: Sequence[ManifestRow]) -> Iterable[list[ManifestRow]]:
    by_file: dict[tuple[object, Build], list[ManifestRow]] = {}
    for row in rows:
        by_file.setdefault((row.vcf, row.build), []).append(row)
    return by_file.values()


def _file_job(workspace: Workspace, rows: Sequence[ManifestRow], beds: dict[tuple[Path, Build], Regions]) -> FileJob:
    samples = [
        SampleJob(
            row.sample_position,
            Subject(row.subject),
            _facts(row),
            row.source_class,
            row.homoplasmic_above,
            _regions(workspace, row.build, row.studied, row.uncallable, beds),
            row.absent_is_reference,
        )
        for row in rows
    ]
    path = rows[0].vcf
    assert path is not None  # noqa: S101 - rows without a file are declared elsewhere
    return FileJob(path, rows[0].build, samples)
