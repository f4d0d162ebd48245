"""Ingesting the SNP and copy number results of one sample: as a VCF of one test, like any other."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from app.config import Settings
from app.errors import Unavailable
from app.formats.snp_batch import SampleData
from app.records import Build, Sex, SourceClass
from app.store.studies import StudyFacts
from app.store.subjects import Subject
from ingest.follow_ups import FollowUps
from ingest.jobs import FileJob, SampleJob
from ingest.pgx_calls import Definitions
from ingest.progress import Progress
from ingest.run import Ingest
from ingest.snp_records import Drawn, draw
from ingest.source import Source
from ingest.workspace import Workspace

STUDY_TYPE = "SNP panel"

_NAME = "snpdata.vcf"
_SEXES = {"F": Sex.FEMALE, "M": Sex.MALE, "O": Sex.OTHER}


def import_sample(
    workspace: Workspace, definitions: Definitions, data: SampleData, subject_id: str, progress: Progress
) -> dict[str, Any]:
    """Store the results of a sample in place of what its batch brought before, and call its pharmacogenes.

    Return what was stored and what not.

    Raises:
        OperonError: nothing is stored.
    """
    settings = workspace.settings
    genes = definitions.genes.values()
    if not genes:
        raise Unavailable("no release of pharmacogenetic definitions is in use, so no position is known")
    drawn = draw(data, genes, Build(settings.snp_import_build), is_minus=settings.snp_import_strand == "minus")
    with _as_source(drawn.text, settings) as source, FollowUps(workspace, progress, definitions=definitions):
        job = FileJob(source, Build.GRCH38, [_sample_job(data, subject_id, settings.snp_import_system)])
        ingest = Ingest(workspace.database, workspace.genome, settings, progress, definitions.places)
        ingest.store([job], replace=True)
    return _report(drawn)


def _sample_job(data: SampleData, subject_id: str, system: str) -> SampleJob:
    identifiers = () if data.sample_id == subject_id else ((system, data.sample_id),)
    subject = Subject(subject_id, _SEXES.get(data.gender or "", Sex.UNKNOWN), data.birthday, identifiers)
    facts = StudyFacts(data.batch_id, Build.GRCH38, data.test_date, data.sample_id, STUDY_TYPE)
    return SampleJob(0, subject, facts, SourceClass.GERMLINE)


@contextmanager
def _as_source(text: str, settings: Settings) -> Iterator[Source]:
    """Yield a text as an open file that has no name and vanishes with the process."""
    data = text.encode()
    settings.home.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=settings.home) as spool:
        spool.write(data)
        spool.flush()
        yield Source(spool.fileno(), _NAME, hashlib.sha256(data).hexdigest())


def _report(drawn: Drawn) -> dict[str, Any]:
    return {
        "placed": drawn.placed,
        "copies": dict(drawn.copies),
        "undocumented": list(drawn.undocumented),
        "not_placed": [{"name": one.name, "reason": one.reason} for one in drawn.not_placed],
    }
