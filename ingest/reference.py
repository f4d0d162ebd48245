"""Adding reference sequence, chain, transcript and gene files, and saying what is loaded."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from app.config import Settings
from app.errors import BadFile
from app.records import Build
from app.variants.feature_files import FeatureReport, add_gene_features, add_gene_names
from app.variants.known_slices import KNOWN_SLICES
from app.variants.liftover import add_chain, load_liftover
from app.variants.recognize import ChainFile, GeneFeatureFile, GeneNameFile, SequenceFile, TranscriptFile, recognize
from app.variants.reference import FastaReference, add_fasta
from app.variants.transcript_files import TranscriptFiles, TranscriptReport, add_transcripts
from ingest import provenance
from ingest.source import open_regular


def add_files(settings: Settings, paths: Sequence[Path], build: Build | None = None) -> Iterator[str]:
    """Take in files of any kind by what they hold, and yield a sentence on each when it is in.

    Raises:
        BadFile: a file is not what it should be, or is of another build than ``build``; nothing of it is taken in.
    """
    for path in paths:
        _require_file(path)
        match recognize(path):
            case SequenceFile() as found:
                yield from add_sequences(settings, _build_of(path, found, build), [path])
            case ChainFile(source, target, has_ucsc_names):
                yield add_chain_file(settings, source, target, path)
                if has_ucsc_names:
                    yield f"{path.name}: its names are those of UCSC, whose chain files are for non-commercial use only"
            case TranscriptFile():
                yield from add_transcript_files(settings, [path])
            case GeneFeatureFile():
                yield _sentence_on_genes(add_gene_features(settings.reference_dir, path))
            case GeneNameFile():
                yield _sentence_on_genes(add_gene_names(settings.reference_dir, path))


def _build_of(path: Path, found: SequenceFile, given: Build | None) -> Build:
    """Return the build that a FASTA file is added to; raises BadFile if it is of another one, or may be of either."""
    if given is None:
        if found.undecided is not None:
            mend = "Say with --assembly which one it is"
            raise BadFile(path.name, f"{found.undecided} may be of either build", mend=mend)
        return max(found.builds)
    if given not in found.builds:
        (build,) = found.builds
        mend = f"Add it with --assembly {build}, or without that option"
        raise BadFile(path.name, f"it is of {build}, not of {given}", mend=mend)
    return given


def add_sequences(settings: Settings, build: Build, paths: Sequence[Path]) -> list[str]:
    """Copy FASTA files into the reference folder and return a sentence on each."""
    lines = []
    for path in paths:
        _require_file(path)
        report = add_fasta(settings.reference_dir / build.value, build, path, slices=KNOWN_SLICES)
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
    examples = ", ".join(report.examples) + (", ..." if report.replaced > len(report.examples) else "")
    counts = {
        "new": report.added,
        "completed by places or names": report.completed,
        f"replaced, since this file has them otherwise ({examples})": report.replaced,
        "as before": report.unchanged,
    }
    text = f"{source.name}: {source.transcripts:,} transcript{'' if source.transcripts == 1 else 's'}"
    text += "".join(f"; {count:,} {what}" for what, count in counts.items() if count)
    left_out = ", ".join(f"{count:,} with {reason}" for reason, count in report.left_out.items())
    return f"{text}; left out: {left_out}" if left_out else text


def _sentence_on_genes(report: FeatureReport) -> str:
    source = report.source
    if report.already_there:
        return f"{source.name}: already added"
    of = source.build.value if source.build else "HGNC's list"
    counts = {
        "MANE transcripts": report.mane,
        "proteins": report.proteins,
        "former and further names": report.names,
    }
    text = f"{source.name}: {source.genes:,} gene{'' if source.genes == 1 else 's'} of {of}"
    text += "".join(f"; {count:,} {what}" for what, count in counts.items() if count)
    return f"{text}; in the place of {report.replaced}" if report.replaced else text


def _require_file(path: Path) -> None:
    """Raise NotFound or BadFile unless there is a regular file."""
    os.close(open_regular(path))


def status(settings: Settings) -> dict[str, Any]:
    """Return what is loaded: sequence by build, chains by direction, transcripts and genes by file; with origins."""
    origins = provenance.read(settings.reference_dir)
    loaded: dict[str, Any] = {"sequence": {}, "chains": {}, "transcripts": [], "genes": []}
    for build in Build:
        reference = FastaReference(settings.reference_dir / build.value)
        loaded["sequence"][build.value] = [
            {"name": source.name, "sha256": source.sha256, "bases": source.bases, "new_bases": source.new_bases}
            for source in reference.sources
        ]
    files = TranscriptFiles(settings.reference_dir)
    for file in files.sources:
        loaded["transcripts"].append({"name": file.name, "sha256": file.sha256, "transcripts": file.transcripts})
    for feature in files.features:
        of = feature.build.value if feature.build else "HGNC"
        loaded["genes"].append({"name": feature.name, "sha256": feature.sha256, "of": of, "genes": feature.genes})
    for source in load_liftover(settings.reference_dir).sources:
        loaded["chains"][f"{source.source.value} to {source.target.value}"] = {
            "name": source.name,
            "sha256": source.sha256,
        }
    for entry in _files(loaded):
        if entry["sha256"] in origins:
            entry["fetched"] = origins[entry["sha256"]]
    return loaded


def _files(loaded: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for entries in loaded["sequence"].values():
        yield from entries
    yield from loaded["chains"].values()
    yield from loaded["transcripts"]
    yield from loaded["genes"]


def checksums(settings: Settings) -> set[str]:
    """Return the SHA-256 of every file that is in use."""
    return {entry["sha256"] for entry in _files(status(settings))}
