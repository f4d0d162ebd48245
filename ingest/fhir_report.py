"""What an ingest of one FHIR file did: what is stored, what was passed over, and what could not be stored and why.

A report names resources of the file, so it goes to whoever asked for the ingest; the ledger keeps its numbers alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from rich.table import Table

from ingest.report import table_of

SKIPPED = {
    "resource": "resources of types that nothing is stored of",
    "observation": "Observations that state no variant",
    "implication-underived": "implications that are derived from something that is not stored",
    "implication-empty": "implications that state nothing",
    "implication-system": "implications whose code is of a system that is not known",
    "implication-modifier": "implications with an extension that may change what they mean",
    "annotation": "annotations of variants, which are not stored",
    "haplotype": "haplotypes that no genotype is derived from",
    "absent": "variants that were looked for and not found",
    "no-call": "variants that could not be called",
    "indeterminate": "variants whose presence could not be told",
    "same-as-reference": "variants that are the reference sequence",
    "status": "Observations that are not final",
    "phase-unknown": "phase relations that are neither cis nor trans",
}
"""Every reason to pass over a resource, with the words of a report"""

REFUSED = {
    "no-subject": "no subject can be told",
    "no-presence": "the value does not say whether the variant is present",
    "contradiction": "two statements of one Observation contradict each other",
    "unreadable": "the variant cannot be read",
    "letters": "REF or ALT is no sequence of bases",
    "no-sequence": "no chromosome of GRCh37 or GRCh38 is named",
    "no-coordinates": "the coordinate system is not stated or not known",
    "other-names": "the variant has names only that no change follows from",
    "no-change": "no change is stated",
    "structural-type": "the type of change is no kind of structural variant that is kept",
    "no-extent": "how far a structural variant may reach is not stated",
    "no-gene": "a genotype that names no gene",
    "no-genotype": "a genotype without a name",
    "no-anchor": "an insertion or deletion without the base beside it, whose sequence is not loaded",
    "ref-mismatch": "REF contradicts the reference sequence",
    "phase-target": "a phase relation of variants that are not simple ones stored side by side",
    "phase-zygosity": "a phase relation of variants that are not known to be heterozygous",
    "phase-contradiction": "phase relations that contradict each other",
}
"""Every reason to refuse an Observation, with the words of a report"""

DROPPED = {
    "frequency": "stored without its allele frequency, which is not between 0 and 1",
    "depth": "stored without its read depth, which is no whole number",
    "references": "stored without their references to resources that are not kept",
    "copies": "stored without its number of copies, which is none of up to six digits",
}
"""Values that were left out of what is stored"""

_SHOWN = 5
_KEPT = 1000


@dataclass(slots=True)
class LeftOut:
    """Counts by reason, and the first resources of each with the details."""

    counts: Counter[str] = field(default_factory=Counter)
    named: dict[str, list[tuple[str, str]]] = field(default_factory=dict)

    def add(self, reason: str, label: str, detail: str = "") -> None:
        """Count one resource."""
        self.counts[reason] += 1
        named = self.named.setdefault(reason, [])
        if len(named) < _KEPT:
            named.append((label, detail))

    @property
    def total(self) -> int:
        """Return how many there are."""
        return self.counts.total()


@dataclass(slots=True)
class FhirReport:
    """The outcome for one file; ``is_repeated`` says that an earlier ingest had stored it, so that nothing was done."""

    source: str
    sha256: str
    resources: Counter[str] = field(default_factory=Counter)
    subjects: int = 0
    tests: int = 0
    calls: int = 0
    variants_new: int = 0
    phased: int = 0
    genotypes: int = 0
    structural: int = 0
    implications: int = 0
    skipped: LeftOut = field(default_factory=LeftOut)
    refused: LeftOut = field(default_factory=LeftOut)
    dropped: LeftOut = field(default_factory=LeftOut)
    seconds: float = 0.0
    is_repeated: bool = False

    def for_ledger(self) -> dict[str, Any]:
        """Return the numbers as JSON values, without the names of resources."""
        return {
            "source": self.source,
            "sha256": self.sha256,
            "resources": dict(sorted(self.resources.items())),
            "subjects": self.subjects,
            "tests": self.tests,
            "calls": self.calls,
            "variants_new": self.variants_new,
            "variants_phased": self.phased,
            "genotypes": self.genotypes,
            "structural_calls": self.structural,
            "implications": self.implications,
            "skipped": dict(sorted(self.skipped.counts.items())),
            "refused": dict(sorted(self.refused.counts.items())),
            "values_left_out": dict(sorted(self.dropped.counts.items())),
            "seconds": round(self.seconds, 3),
            "already_stored": self.is_repeated,
        }

    @staticmethod
    def already_stored(source: str, sha256: str, ledger: Mapping[str, Any]) -> FhirReport:
        """Return the report that an earlier ingest left in the ledger."""
        return FhirReport(
            source,
            sha256,
            Counter(ledger.get("resources", {})),
            ledger.get("subjects", 0),
            ledger.get("tests", 0),
            ledger.get("calls", 0),
            ledger.get("variants_new", 0),
            ledger.get("variants_phased", 0),
            ledger.get("genotypes", 0),
            ledger.get("structural_calls", 0),
            ledger.get("implications", 0),
            LeftOut(Counter(ledger.get("skipped", {}))),
            LeftOut(Counter(ledger.get("refused", {}))),
            LeftOut(Counter(ledger.get("values_left_out", {}))),
            ledger.get("seconds", 0.0),
            is_repeated=True,
        )

    def for_file(self) -> dict[str, Any]:
        """Return everything as JSON values, with the resources that are not stored and why."""
        named = {
            key: [
                {"reason": reason, "text": words[reason], "entry": label, **({"detail": detail} if detail else {})}
                for reason, entries in sorted(left_out.named.items())
                for label, detail in entries
            ]
            for key, left_out, words in (
                ("skipped_entries", self.skipped, SKIPPED),
                ("refused_entries", self.refused, REFUSED),
                ("entries_with_values_left_out", self.dropped, DROPPED),
            )
        }
        return {**self.for_ledger(), **named}

    def table(self) -> Table:
        """Return the report for a terminal."""
        title = f"{self.source} was stored before" if self.is_repeated else f"{self.source} stored"
        return table_of(title, self._lines())

    def _lines(self) -> Iterator[tuple[str, str]]:
        yield "resources read", f"{self.resources.total():,}"
        yield "subjects", f"{self.subjects:,}"
        yield "tests", f"{self.tests:,}"
        yield "calls stored", f"{self.calls:,}"
        yield "variants new to the store", f"{self.variants_new:,}"
        if self.phased:
            yield "calls phased by relations", f"{self.phased:,}"
        if self.genotypes:
            yield "genotypes stored", f"{self.genotypes:,}"
        if self.structural:
            yield "structural calls", f"{self.structural:,}"
        if self.implications:
            yield "implications stored", f"{self.implications:,}"
        for reason, count in self.skipped.counts.most_common():
            yield f"passed over: {SKIPPED[reason]}", f"{count:,}"
        for reason, count in self.refused.counts.most_common():
            yield f"NOT STORED: {REFUSED[reason]}", f"{count:,}"
            for label, detail in self.refused.named.get(reason, [])[:_SHOWN]:
                yield f"  {label}", detail
        for reason, count in self.dropped.counts.most_common():
            yield DROPPED[reason], f"{count:,}"
        yield "seconds", f"{self.seconds:.1f}"
