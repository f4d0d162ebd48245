"""The report of an ingest and its progress, as people and programs see them."""

from __future__ import annotations

import io

import orjson
import pytest
from rich.console import Console

from app.config import Settings
from app.formats.vcf_tally import Tally
from app.records import Build
from ingest.progress import Progress
from ingest.report import IngestReport
from ingest.source import open_source
from ingest.vcf import Counts
from tests.vcf_files import read, vcf


def report():
    tally = Tally()
    for line in range(10, 40):
        tally.add("filtered", line)
    tally.add("structural-end", 50)
    return IngestReport(
        source="a[red].vcf.gz",
        sha256="0" * 64,
        build="GRCh38",
        samples=("S1", "S2"),
        records=12345,
        calls=(1000, 234),
        variants_new=7,
        tally=tally,
        warnings=("something [bold]odd[/bold]",),
        seconds=1.23456,
        structural_calls=17,
    )


def shown(table):
    out = io.StringIO()
    Console(file=out, width=120).print(table)
    return out.getvalue()


def test_the_json_has_counts_reasons_and_lines():
    found = orjson.loads(report().to_json())
    assert (found["source"], found["records"], found["calls"], found["seconds"]) == (
        "a[red].vcf.gz",
        12345,
        [1000, 234],
        1.235,
    )
    assert found["left_out"] == [
        {
            "reason": "filtered",
            "text": "FILTER is neither PASS nor missing",
            "records": 30,
            "lines": list(range(10, 30)),
        },
        {
            "reason": "structural-end",
            "text": "a symbolic ALT, no insertion, without END and SVLEN, so that its end is not known",
            "records": 1,
            "lines": [50],
        },
    ]
    assert found["structural_calls"] == 17


def test_the_table_shows_every_number_and_takes_no_markup_from_the_file():
    text = shown(report().table())
    for words in (
        "a[red].vcf.gz stored",
        "12,345",
        "1,234",
        "structural calls",
        "17",
        "30 (line 10, 11, 12, 13, 14, …)",
        "1 (line 50)",
        "[bold]odd[/bold]",
    ):
        assert words in text


def test_the_ledger_gives_the_report_back(tmp_path):
    (tmp_path / "a.vcf").write_text(vcf())
    with open_source(tmp_path / "a.vcf", Settings()) as source:
        again = IngestReport.already_stored(source, orjson.loads(orjson.dumps(report().for_ledger())))
    assert again.is_repeated
    assert (again.source, again.sha256) == ("a.vcf", source.sha256)
    assert again.for_ledger() == report().for_ledger() | {
        "source": "a.vcf",
        "sha256": source.sha256,
        "already_stored": True,
    }
    assert "was stored before" in shown(again.table())


@pytest.mark.parametrize(
    ("calls", "checked", "warning"), [(1, 1, None), (1, 0, "no REF could be compared"), (0, 0, "no call was stored")]
)
def test_a_report_warns_about_what_could_not_be_checked(tmp_path, calls, checked, warning):
    (tmp_path / "a.vcf").write_text(text := vcf("chr1 5 . A G . . . GT 0/1"))
    found = read(text)
    counts = Counts([calls], [{}], 1, checked, 0)
    with open_source(tmp_path / "a.vcf", Settings()) as source:
        made = IngestReport.of(source, Build.GRCH38, found.reader, counts, found.reader.tally, seconds=1.0)
    assert (made.records, made.samples, made.calls) == (1, ("S1",), (calls,))
    assert [warning in text for text in made.warnings] == ([True] if warning else [])


# --- progress ---------------------------------------------------------------------------------------------------------


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


def watched(*, terminal, quiet=False):
    out = io.StringIO()
    console = Console(file=out, force_terminal=terminal, width=100)
    clock = Clock()
    progress = Progress(quiet=quiet, console=console, clock=clock)
    progress.say("begin [x]")
    with progress.file("a[b].vcf", 200) as bar:
        for second, done in ((1, 10), (9, 50), (10, 60), (15, 70), (20, 100), (21, 200)):
            clock.now = 100.0 + second
            bar.at(done)
    return out.getvalue()


def test_elsewhere_than_on_a_terminal_a_line_is_printed_every_ten_seconds():
    assert watched(terminal=False).splitlines() == ["begin [x]", "a[b].vcf: 30 %", "a[b].vcf: 50 %"]


def test_a_terminal_shows_a_bar():
    text = watched(terminal=True)
    assert "a[b].vcf" in text
    assert "200/200 bytes" in text


@pytest.mark.parametrize("terminal", [True, False])
def test_quiet_prints_nothing(terminal):
    assert watched(terminal=terminal, quiet=True) == ""
