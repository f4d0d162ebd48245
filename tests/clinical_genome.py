"""The genome of the contract tests: sequence, chains and transcripts around some 600 clinical genes."""

from __future__ import annotations

from pathlib import Path

from app.operations.context import Genome, open_genome
from app.records import Build
from app.variants.liftover import add_chain
from app.variants.reference import add_fasta
from app.variants.transcript_files import add_transcripts


def clinical_genome(shared: Path, folder: Path) -> Genome:
    """Take the shared data into an empty folder and open them."""
    data = shared / "data"
    for build in Build:
        add_fasta(folder / build.value, build, data / "seq" / f"windows.{build.value}.fa.gz")
        chain = data / "chain_ensembl" / f"{build.value}_to_{build.other.value}.chain.gz"
        add_chain(folder, build, build.other, chain)
    add_transcripts(folder, data / "transcripts" / "cdot_clinical.json")
    return open_genome(folder)
