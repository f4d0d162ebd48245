"""A store in which tests of pharmacogenes are ingested and called by the embedded definitions."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path

from app.formats.pgx import Gene, Position
from app.operations.pgx import PgxProfile, profile_of
from app.operations.pgx_seed import embedded_content
from app.pgx.calls import GeneCall
from app.records import Build, SourceClass
from app.store.session import Database
from app.store.studies import StudyFacts
from app.store.subjects import Subject
from app.variants.accessions import display
from ingest.jobs import FileJob, SampleJob
from ingest.pgx_calls import Definitions, PgxReport, call, definitions_in_use
from ingest.progress import Progress
from ingest.run import Ingest
from tests.small_store import NO_GENOME, SmallStore

QUIET = Progress(quiet=True)


def gene(symbol: str) -> Gene:
    """Return a gene of the embedded definitions."""
    found = embedded_content().gene(symbol)
    assert found is not None
    return found


def position(symbol: str, name: str) -> Position:
    """Return a position of a gene."""
    return next(one for one in gene(symbol).positions if one.name == name)


def record(one: Position, *cells: str, build: Build = Build.GRCH38, alts: str = "", info: str = ".") -> str:
    """Return the record of a position; its ALTs are those of the definition unless others are given."""
    start, alleles, ref = one.start38, one.alleles38, one.ref38
    if build is Build.GRCH37:
        assert one.start37 is not None
        start, alleles, ref = one.start37, one.alleles37, one.ref37
    others = alts or ",".join(allele for allele in alleles if allele != ref)
    return " ".join([display(one.contig), str(start + 1), ".", ref, others, ".", "PASS", info, "GT", *cells])


def whole(symbol: str, changed: dict[str, str] | None = None, *, build: Build = Build.GRCH38) -> list[str]:
    """Return a record of every position of a gene: the reference of the build but where a genotype is given."""
    said = changed or {}
    return [record(one, said.get(one.name, "0/0"), build=build) for one in gene(symbol).positions if one.start38]


def text(records: Iterable[str], *samples: str) -> str:
    """Return a VCF with records of blanks in place of tabs."""
    head = ["##fileformat=VCFv4.3", '##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">']
    columns = ["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT", *(samples or ("S1",))]
    body = sorted(("\t".join(one.split()) for one in records), key=_place)
    return "\n".join([*head, "\t".join(columns), *body]) + "\n"


def _place(line: str) -> tuple[str, int]:
    contig, pos, *_ = line.split("\t")
    return contig, int(pos)


class Lab(SmallStore):
    """A small store that keeps more of the positions of pharmacogenes, and calls them when asked."""

    def __init__(self, database: Database, folder: Path) -> None:
        super().__init__(database, folder, NO_GENOME)
        self._files = itertools.count(1)

    @cached_property
    def definitions(self) -> Definitions:
        """Return the definitions in use, which no test here changes."""
        return definitions_in_use(self.workspace)

    def take(
        self,
        records: Iterable[str],
        *subjects: str | Subject,
        samples: tuple[str, ...] = (),
        test: str = "T1",
        build: Build = Build.GRCH38,
        absent: bool = False,
        source_class: SourceClass = SourceClass.GERMLINE,
        date: str | None = None,
        replace: bool = False,
    ) -> None:
        """Ingest one file without calling anything."""
        path = self.folder / f"lab{next(self._files)}.vcf"
        people = [one if isinstance(one, Subject) else Subject(one) for one in subjects or ("P1",)]
        path.write_text(text(records, *(samples or [f"S{at}" for at in range(len(people))])), encoding="utf-8")
        facts = StudyFacts(test, build, date)
        jobs = [SampleJob(at, who, facts, source_class, absent_is_reference=absent) for at, who in enumerate(people)]
        ingest = Ingest(self.database, self.context.genome, self.settings, QUIET, self.definitions.places)
        ingest.store([FileJob(path, build, jobs)], replace=replace)

    def call(self, *, anew: bool = False) -> PgxReport:
        """Call the tests that wait."""
        return call(self.workspace, self.definitions, QUIET, anew=anew)

    def profile(self, subject: str = "P1") -> PgxProfile:
        """Return the results of a subject."""
        return profile_of(self.context, subject)

    def result(self, symbol: str, subject: str = "P1") -> GeneCall | None:
        """Call what waits and return the result of a gene."""
        self.call()
        return self.profile(subject).calls.get(symbol)
