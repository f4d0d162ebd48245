"""What one ingest is asked to do: which files, which samples of them, for which subjects and tests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from app.errors import BadFile
from app.records import Build, SourceClass
from app.store.runs import PlannedCallSet
from app.store.studies import Regions, StudyFacts
from app.store.subjects import Subject
from ingest.source import Source

HOMOPLASMIC_ABOVE = 0.99
"""Allele frequency above which a mitochondrial call counts as homoplasmic, unless the caller says otherwise"""


@dataclass(frozen=True, slots=True)
class SampleJob:
    """One sample of a file, with its subject and test."""

    position: int
    """Place of the sample in the file, from zero"""
    subject: Subject
    study: StudyFacts
    source_class: SourceClass
    homoplasmic_above: float = HOMOPLASMIC_ABOVE
    regions: dict[str, Regions] = field(default_factory=dict)
    """Regions of the study by kind: studied, uncallable"""
    absent_is_reference: bool = False
    """At positions of pharmacogenes, no record means the reference"""


@dataclass(frozen=True, slots=True)
class FileJob:
    """One file of calls; ``path`` is ``-`` for standard input, or a file that is open already."""

    path: Path | Literal["-"] | Source
    build: Build
    samples: Sequence[SampleJob]
    keep_filtered: bool = False
    phased_contigs: bool = False

    def parameters(self) -> dict[str, Any]:
        """Return everything that shapes what is stored, for the identity of the run."""
        absent = [sample.position for sample in self.samples if sample.absent_is_reference]
        return {
            **({"absent_is_reference": absent} if absent else {}),
            "build": self.build.value,
            "keep_filtered": self.keep_filtered,
            "phased_contigs": self.phased_contigs,
            "samples": [
                [
                    sample.position,
                    sample.subject.subject_id,
                    *sample.study.to_json(),
                    int(sample.source_class),
                    sample.homoplasmic_above,
                ]
                for sample in self.samples
            ],
        }

    def plan(self, names: Sequence[str], source: str) -> list[PlannedCallSet]:
        """Return the call sets that the file will add; ``names`` are all sample names of the file.

        Raises:
            BadFile: a sample position is beyond the file's samples.
        """
        for sample in self.samples:
            if sample.position >= len(names):
                raise BadFile(
                    source,
                    f"it has {len(names)} samples, so there is none at position {sample.position} (the first is 0)",
                    mend="Correct sample_position in the manifest",
                )
        return [
            PlannedCallSet(
                sample.subject, sample.study, sample.source_class, names[sample.position], self.phased_contigs, source
            )
            for sample in self.samples
        ]
