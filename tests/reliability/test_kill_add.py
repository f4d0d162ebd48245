"""``kill -9`` while a file of genes is added: what was there stays, and the same command completes it."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import pytest

from app.variants.transcript_files import TranscriptFiles
from tests.command_line import CommandLine
from tests.gene_files import gene_row, hgnc_row, write_gff3, write_hgnc

GENES = 60_000


def await_draft(folder: Path) -> None:
    """Wait until the command writes beside what is there."""
    for _ in range(3000):
        if list(folder.glob(".adding-transcripts-*/transcripts.db")):
            return
        time.sleep(0.01)
    raise RuntimeError("the command did not start to write")


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a file that takes a while."""
    rows = [gene_row(f"G{at}", (at * 1000, at * 1000 + 500), hgnc=at + 1) for at in range(GENES)]
    return write_gff3(tmp_path_factory.mktemp("files") / "large.gff", *rows)


@pytest.mark.parametrize("pause", [0, 0.05, 0.15])
def test_a_killed_add_leaves_what_was_there(tmp_path: Path, large: Path, pause: float) -> None:
    operon = CommandLine(tmp_path / "home")
    folder = operon.home / "reference"
    operon.done("reference", "add", write_hgnc(tmp_path / "hgnc.txt", hgnc_row(1, "NEW")))
    before = (folder / "transcripts.db").read_bytes()

    with operon.start("reference", "add", large) as process:
        await_draft(folder)
        time.sleep(pause)
        process.send_signal(signal.SIGKILL)

    assert process.returncode == -signal.SIGKILL
    assert (folder / "transcripts.db").read_bytes() == before
    operon.done("reference", "add", large)
    assert {path.name for path in folder.iterdir()} == {"transcripts.db", ".transcripts.lock"}
    files = TranscriptFiles(folder)
    assert [source.genes for source in files.features] == [1, GENES]
    assert [gene.symbol for gene in files.genes_named("G0")] == ["NEW"]
