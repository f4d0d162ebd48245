"""What the tests against published answers share: a genome of all sequence, chains and transcripts that are at hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.operations.context import Genome, open_genome
from app.records import Build
from app.variants.identify import Identifier
from app.variants.liftover import add_chain
from app.variants.reference import add_fasta
from app.variants.transcript_files import add_transcripts


@pytest.fixture(scope="package")
def genome(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Genome:
    folder, data = tmp_path_factory.mktemp("reference"), shared / "data"
    for build in Build:
        add_fasta(folder / build.value, build, data / "seq" / f"windows.{build.value}.fa.gz")
        chain = data / "chain_ensembl" / f"{build.value}_to_{build.other.value}.chain.gz"
        add_chain(folder, build, build.other, chain)
    add_transcripts(folder, data / "transcripts" / "cdot_clinical.json")
    return open_genome(folder)


@pytest.fixture(scope="package")
def identifier(genome: Genome) -> Identifier:
    return Identifier(genome.placer, genome.transcripts, size=1 << 17)
