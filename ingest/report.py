"""What an ingest of one file did: for people as a table on standard error, for programs and the ledger as JSON.

A report may hold names of samples, so it goes to whoever asked for the ingest and never to a log.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
from rich.console import Console
from rich.table import Table
from rich.text import Text

from app.formats.vcf import VcfReader
from app.formats.vcf_tally import REASONS, Tally, TallyEntry
from app.records import Build
from app.store.file_annotations import DIFFERING, STORED
from ingest.source import Source
from ingest.vcf import Counts

_LINES_SHOWN = 5
_FEW = 3


def table_of(title: str, lines: Iterable[tuple[str, str]]) -> Table:
    """Return the lines of a report (what, value) for a terminal; nothing in them is read as markup."""
    table = Table("", "", title=Text(title), show_header=False, title_justify="left")
    for what, value in lines:
        table.add_row(Text(what), Text(value))
    return table


@dataclass(frozen=True, slots=True)
class IngestReport:
    """The outcome for one file.

    ``records`` counts the data lines read, ``calls`` the calls stored for each of ``samples``, and ``variants_new`` the
    variants that the store did not know. ``structural_calls`` are those of structural variants, of all samples
    together; where they are simple variants as well, ``calls`` counts them once. ``is_repeated`` says that an earlier
    ingest had stored the same bytes in the same way, so that nothing was done.
    """

    source: str
    sha256: str
    build: str
    samples: tuple[str, ...]
    records: int
    calls: tuple[int, ...]
    variants_new: int
    tally: Tally
    warnings: tuple[str, ...]
    seconds: float
    is_repeated: bool = False
    structural_calls: int = 0
    annotations: Mapping[str, int] = field(default_factory=dict)
    """What became of the annotations of the file, and what of them was left out, by cause"""

    @staticmethod
    def of(
        source: Source, build: Build, reader: VcfReader, counts: Counts, tally: Tally, *, seconds: float
    ) -> IngestReport:
        """Return the report of a file that was read to its end."""
        warnings = list(reader.header.warnings)
        calls: int = sum(counts.calls)
        if calls == 0:
            warnings.append("no call was stored")
        elif counts.checked == 0:
            warnings.append("no REF could be compared, because no reference sequence is loaded there")
        return IngestReport(
            source.name,
            source.sha256,
            build.value,
            reader.chosen,
            reader.records,
            tuple(counts.calls),
            counts.new_variants,
            tally,
            tuple(warnings),
            seconds,
            structural_calls=counts.structural,
        )

    @staticmethod
    def already_stored(source: Source, ledger: Mapping[str, Any]) -> IngestReport:
        """Return the report that an earlier ingest left in the ledger, for a file that needs nothing more."""
        tally = Tally()
        for entry in ledger.get("left_out", []):
            if entry["reason"] in REASONS:
                tally.entries[entry["reason"]] = TallyEntry(entry["reason"], entry["records"], list(entry["lines"]))
        return IngestReport(
            source.name,
            source.sha256,
            ledger.get("build", ""),
            tuple(ledger.get("samples", ())),
            ledger.get("records", 0),
            tuple(ledger.get("calls", ())),
            ledger.get("variants_new", 0),
            tally,
            tuple(ledger.get("warnings", ())),
            ledger.get("seconds", 0.0),
            is_repeated=True,
            structural_calls=ledger.get("structural_calls", 0),
            annotations=ledger.get("annotations", {}),
        )

    def for_ledger(self) -> dict[str, Any]:
        """Return the report as JSON values."""
        return {
            "source": self.source,
            "sha256": self.sha256,
            "build": self.build,
            "samples": list(self.samples),
            "records": self.records,
            "calls": list(self.calls),
            "structural_calls": self.structural_calls,
            "variants_new": self.variants_new,
            "left_out": [
                {"reason": entry.reason, "text": entry.text, "records": entry.count, "lines": entry.lines_1based}
                for entry in self.tally.entries.values()
            ],
            "warnings": list(self.warnings),
            "seconds": round(self.seconds, 3),
            "already_stored": self.is_repeated,
            **({"annotations": dict(self.annotations)} if self.annotations else {}),
        }

    def to_json(self) -> bytes:
        """Return the report as one line of JSON."""
        return orjson.dumps(self.for_ledger())

    def row(self) -> tuple[str, ...]:
        """Return the report as a line of a table of many files."""
        left_out = sum(entry.count for entry in self.tally.entries.values())
        numbers = (len(self.samples) or len(self.calls), self.records, sum(self.calls), self.variants_new, left_out)
        return (
            self.source,
            self.build,
            *(f"{number:,}" for number in numbers),
            "before" if self.is_repeated else "now",
        )

    def table(self) -> Table:
        """Return the report for a terminal."""
        title = f"{self.source} was stored before" if self.is_repeated else f"{self.source} stored"
        return table_of(title, self._lines())

    def _lines(self) -> Iterator[tuple[str, str]]:
        yield "assembly", self.build
        yield "samples", f"{len(self.samples):,}"
        yield "records read", f"{self.records:,}"
        yield "calls stored", f"{sum(self.calls):,}"
        if self.structural_calls:
            yield "structural calls", f"{self.structural_calls:,}"
        yield "variants new to the store", f"{self.variants_new:,}"
        for what, number in self.annotations.items():
            yield what if what in (STORED, DIFFERING) else f"annotations left out: {what}", f"{number:,}"
        for entry in sorted(self.tally.entries.values(), key=lambda entry: -entry.count):
            shown = entry.lines_1based[:_LINES_SHOWN]
            lines = ", ".join(map(str, shown)) + (", …" if entry.count > len(shown) else "")
            yield entry.text, f"{entry.count:,} (line {lines})"
        for warning in self.warnings:
            yield "warning", warning
        yield "seconds", f"{self.seconds:.1f}"


def show(reports: Sequence[IngestReport], console: Console) -> None:
    """Print reports: a table each for a few files, one table for many, with the reasons of all."""
    if len(reports) <= _FEW:
        for report in reports:
            console.print(report.table())
        return
    table = Table("file", "assembly", "samples", "records", "calls", "new variants", "left out", "stored", box=None)
    reasons: dict[str, int] = {}
    for report in reports:
        table.add_row(*report.row())
        for entry in report.tally.entries.values():
            reasons[entry.text] = reasons.get(entry.text, 0) + entry.count
    warnings = Counter(warning for report in reports for warning in report.warnings)
    console.print(table)
    for text, count in sorted(reasons.items(), key=lambda item: -item[1]):
        console.print(f"{count:,} records: {text}", markup=False)
    for text, count in warnings.most_common():
        console.print(f"{count} files: {text}", markup=False)
