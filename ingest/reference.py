"""Adding reference sequence, chain and transcript files, and saying what is loaded."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from app.config import Settings
from app.records import Build
from app.variants.liftover import add_chain, load_liftover
from app.variants.reference import FastaReference, add_fasta
from app.variants.transcript_files import TranscriptFiles, TranscriptReport, add_transcripts
from ingest.source import open_regular


def add_sequences(settings: Settings, build: Build, paths: Sequence[Path]) -> list[str]:
    """Copy FASTA files into the reference folder and return a sentence on each."""
    lines = []
    for path in paths:
        _require_file(path)
        report = add_fasta(settings.reference_dir / build.value, build, path)
        name = report.source.name
        if report.already_there:
            lines.append(f"{name}: already added")
            continue
        text = f"{name}: {report.sequences} sequences, {report.source.new_bases:,} new bases of {build.value}"
        if report.skipped:
            text += f"; left out, no primary chromosome: {', '.join(report.skipped[:5])}"
            text += f" and {len(report.skipped) - 5} more" if len(report.skipped) > 5 else ""
        lines.append(text)
    return lines


def add_chain_file(settings: Settings, source: Build, target: Build, path: Path) -> str:
    """Copy a chain file into the reference folder and return a sentence on it."""
    _require_file(path)
    report = add_chain(settings.reference_dir, source, target, path)
    return f"{report.origin.name}: {source.value} to {target.value}, {report.chains:,} chains"


def add_transcript_files(settings: Settings, paths: Sequence[Path]) -> Iterator[str]:
    """Take the transcripts of cdot files into the reference folder, and yield a sentence on each file when it is in."""
    for path in paths:
        _require_file(path)
        yield _sentence(add_transcripts(settings.reference_dir, path))


def _sentence(report: TranscriptReport) -> str:
    source = report.source
    if report.already_there:
        return f"{source.name}: already added"
    counts = {
        "new": report.added,
        "completed by places or names": report.completed,
        f"replaced, since this file has them otherwise ({', '.join(report.examples)}, ...)": report.replaced,
        "as before": report.unchanged,
    }
    text = f"{source.name}: {source.transcripts:,} transcripts"
    text += "".join(f"; {count:,} {what}" for what, count in counts.items() if count)
    left_out = ", ".join(f"{count:,} with {reason}" for reason, count in report.left_out.items())
    return f"{text}; left out: {left_out}" if left_out else text


def _require_file(path: Path) -> None:
    """Raise NotFound or BadFile unless there is a regular file."""
    os.close(open_regular(path))


def status(settings: Settings) -> dict[str, Any]:
    """Return what is loaded: sequence by build, chains by direction, transcripts by file."""
    loaded: dict[str, Any] = {"sequence": {}, "chains": {}, "transcripts": []}
    for build in Build:
        reference = FastaReference(settings.reference_dir / build.value)
        loaded["sequence"][build.value] = [
            {"name": source.name, "sha256": source.sha256, "bases": source.bases, "new_bases": source.new_bases}
            for source in reference.sources
        ]
    for file in TranscriptFiles(settings.reference_dir).sources:
        loaded["transcripts"].append({"name": file.name, "sha256": file.sha256, "transcripts": file.transcripts})
    for source in load_liftover(settings.reference_dir).sources:
        loaded["chains"][f"{source.source.value} to {source.target.value}"] = {
            "name": source.name,
            "sha256": source.sha256,
        }
    return loaded
