"""Adding reference sequence and chain files, and saying what is loaded."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from app.config import Settings
from app.records import Build
from app.variants.liftover import add_chain, load_liftover
from app.variants.reference import FastaReference, add_fasta


def add_sequences(settings: Settings, build: Build, paths: Sequence[Path]) -> list[str]:
    """Copy FASTA files into the reference folder and return a sentence on each."""
    lines = []
    for path in paths:
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
    report = add_chain(settings.reference_dir, source, target, path)
    return f"{report.origin.name}: {source.value} to {target.value}, {report.chains:,} chains"


def status(settings: Settings) -> dict[str, Any]:
    """Return what is loaded, by build and by direction."""
    loaded: dict[str, Any] = {"sequence": {}, "chains": {}}
    for build in Build:
        reference = FastaReference(settings.reference_dir / build.value)
        loaded["sequence"][build.value] = [
            {"name": source.name, "sha256": source.sha256, "bases": source.bases, "new_bases": source.new_bases}
            for source in reference.sources
        ]
    for source in load_liftover(settings.reference_dir).sources:
        loaded["chains"][f"{source.source.value} to {source.target.value}"] = {
            "name": source.name,
            "sha256": source.sha256,
        }
    return loaded
