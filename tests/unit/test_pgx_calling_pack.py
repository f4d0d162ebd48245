"""From VCF files of the conformance pack through the store to calls, on both builds.

The pack is in the folder of shared test data; PHARMCAT_DEFINITIONS names a folder with the definitions that its
expectations were made with (``alleles/*.json``, ``phenotype/*.json``). What is absent lets these tests be skipped.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from app.config import Settings
from app.formats.pgx import PgxContent, Position
from app.formats.pharmcat import read_pharmcat
from app.operations.context import Genome, open_genome
from app.operations.pgx_places import Places
from app.operations.pgx_seed import embedded_content
from app.pgx.calls import GeneCall
from app.records import Build, Sex, SourceClass
from app.store import bulk, pgx_calls
from app.store.session import Database
from app.store.studies import StudyFacts
from app.store.subjects import Subject
from ingest import pgx_calls as calling
from ingest import reference
from ingest.jobs import FileJob, SampleJob
from ingest.pgx_calls import Definitions
from ingest.pgx_places import with_places
from ingest.progress import Progress
from ingest.run import Ingest
from ingest.workspace import Workspace
from tests.pgx_twins import DIFFERENT, twin
from tests.small_store import migrated
from tests.unit.test_pgx_pack import COMBINATIONS, REVIEWED, Row, called, expected

UNPLACED = {"CYP2B6", "CYP2C19", "CYP2C9", "CYP3A4", "CYP4F2", "NAT2", "NUDT15", "RYR1", "SLCO1B1"}
"""Genes with positions that the embedded release does not have, and of which no sequence of GRCh37 is at hand"""

FEWER_VARIANTS = {"RYR1"}
"""Genes of which the embedded release defines far fewer variants than the definitions of the pack"""

QUIET = Progress(quiet=True)
Calls = dict[tuple[str, Build, str], GeneCall]


@pytest.fixture(scope="module")
def rows(shared: Path) -> list[Row]:
    file = shared / "packs/pgx/dev/expected.tsv"
    if not file.is_file():
        pytest.skip("the conformance pack is not among the shared test data")
    with file.open(encoding="utf-8") as lines:
        return [row for row in csv.DictReader(lines, delimiter="\t") if row["mode"] != COMBINATIONS]


@pytest.fixture(scope="module")
def genome(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Genome:
    """Return the windows of sequence and the chains of the shared test data."""
    settings = Settings(home=tmp_path_factory.mktemp("reference"))
    files = [*sorted((shared / "data/seq").glob("windows.*.fa.gz")), *sorted((shared / "data/chain_ensembl").iterdir())]
    for _ in reference.add_files(settings, files, None):
        pass
    return open_genome(settings.reference_dir)


def stored_calls(rows: list[Row], shared: Path, genome: Genome, content: PgxContent, folder: Path) -> Calls:
    """Ingest every file of the pack and its twin, call them, and return what the store has then."""
    found: Calls = {}
    with migrated(f"sqlite:///{folder}/pack.db") as database:
        workspace = Workspace(Settings(home=folder), database, genome)
        definitions = definitions_of(content, genome)
        ingest = Ingest(database, genome, workspace.settings, QUIET, definitions.places)
        for at, name in enumerate(sorted({row["vcf"] for row in rows})):
            text = (shared / "packs/pgx/dev" / name).read_text("utf-8")
            subject = Subject(f"P{at}", Sex.MALE if is_male(text) else Sex.UNKNOWN)
            for build in Build:
                path = folder / f"{at}.{build}.vcf"
                path.write_text(text if build is Build.GRCH38 else twin(text, genome), encoding="utf-8")
                sample = SampleJob(0, subject, StudyFacts(f"{name} {build}", build), SourceClass.GERMLINE)
                ingest.store([FileJob(path, build, [sample])])
        calling.call(workspace, definitions, QUIET)
        found.update(read_back(database))
    return found


def definitions_of(content: PgxContent, genome: Genome) -> Definitions:
    genes = {gene.symbol: gene for gene in content.genes}
    return Definitions("test", genes, dict.fromkeys(genes, "test"), Places(content.genes, genome.placer), "test")


def is_male(text: str) -> bool:
    return any(line.startswith("chrX") and line.rpartition("\t")[2] in {"0", "1"} for line in text.splitlines())


def read_back(database: Database) -> Iterator[tuple[tuple[str, Build, str], GeneCall]]:
    for subject in bulk.all_subjects(database):
        with database.read() as session:
            stored = pgx_calls.of_subject(session, subject.subject_id)
        assert stored is not None
        for one in stored.calls:
            name, _, build = one.test_id.rpartition(" ")
            yield (name, Build(build), one.call.gene), one.call


@pytest.fixture(scope="module")
def content(genome: Genome) -> PgxContent:
    folder = os.environ.get("PHARMCAT_DEFINITIONS")
    if not folder:
        pytest.skip("PHARMCAT_DEFINITIONS names no folder of definitions")
    files = sorted(Path(folder).glob("*/*.json"))
    read = read_pharmcat((str(file), file.read_bytes()) for file in files)
    return with_places(read, genome, embedded_content()).content


@pytest.fixture(scope="module")
def calls(
    rows: list[Row], shared: Path, genome: Genome, content: PgxContent, tmp_path_factory: pytest.TempPathFactory
) -> Calls:
    return stored_calls(rows, shared, genome, assumed(content, genome), tmp_path_factory.mktemp("pack"))


def assumed(content: PgxContent, genome: Genome) -> PgxContent:
    """Return definitions in which positions that neither sequence nor another release places are lifted by chains.

    Their reference base is taken to be that of GRCh38 here, as in the twins: the files are made alike.
    """
    return replace(
        content,
        genes=tuple(
            replace(gene, positions=tuple(_assumed(position, genome) for position in gene.positions))
            for gene in content.genes
        ),
    )


def _assumed(position: Position, genome: Genome) -> Position:
    if position.start37 is not None:
        return position
    end = position.start38 + len(position.ref38)
    there = genome.liftover.lift_interval(Build.GRCH38, position.contig, position.start38, end)
    assert there.status.placed
    assert not there.reverse
    ref37 = DIFFERENT.get((position.contig, position.start38), position.ref38)
    return replace(position, start37=there.start, alleles37=position.alleles38, ref37=ref37)


def differing(rows: list[Row], calls: Calls, build: Build) -> set[str]:
    """Return the cases of which the store's call is not what the pack expects."""
    found = set()
    for row in rows:
        call = calls.get((row["vcf"], build, row["gene"]))
        if (set() if call is None else called(row, call)) != expected(row):
            found.add(row["case"])
    return found


def test_every_row_is_called_from_the_store_as_from_the_file(rows: list[Row], calls: Calls) -> None:
    assert differing(rows, calls, Build.GRCH38) == set(REVIEWED)


def test_the_twin_on_grch37_of_every_row_is_called_alike(rows: list[Row], calls: Calls) -> None:
    assert differing(rows, calls, Build.GRCH37) == set(REVIEWED)
    for (name, build, gene), call in calls.items():
        if build is Build.GRCH37:
            assert call == calls[name, Build.GRCH38, gene]


def test_places_that_nothing_makes_certain_are_missing_on_grch37_and_no_others(content: PgxContent) -> None:
    unknown = {gene.symbol: sum(one.start37 is None for one in gene.positions) for gene in content.genes}
    assert {symbol for symbol, number in unknown.items() if number} == UNPLACED


def test_the_embedded_release_calls_what_it_defines_on_both_builds(
    rows: list[Row], shared: Path, genome: Genome, tmp_path: Path
) -> None:
    calls = stored_calls(rows, shared, genome, embedded_content(), tmp_path)
    defined = {gene.symbol for gene in embedded_content().genes}
    known = [row for row in rows if row["gene"] in defined]
    different = differing(known, calls, Build.GRCH38)
    assert {row["gene"] for row in known if row["case"] in different} <= FEWER_VARIANTS
    assert differing(known, calls, Build.GRCH37) == different
    for (name, build, gene), call in calls.items():
        if build is Build.GRCH37:
            assert call == calls[name, Build.GRCH38, gene]
