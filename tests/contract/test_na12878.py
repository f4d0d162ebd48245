"""One real person with a test on each build: what is the same change is found by one question on either build.

Chromosome 21 of NA12878 in two releases of Platinum Genomes, called anew on GRCh38 by other programs, so the files
agree in most variants and not in all. The truth is read with pysam, pyliftover and the windows of sequence.
"""

from __future__ import annotations

import random
import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pysam
import pytest

from app.operations.context import open_genome
from app.records import Build, LiftStatus
from tests.answers import Asking, Found, asking
from tests.command_line import CommandLine, add_chains, add_windows
from tests.house.reference_pages import check_or_update, fill
from tests.vcf_truth import PASSED, Chain, Change, Fetch, VcfTruth, contextual, plain_alts, trimmed

SUBJECT = "NA12878"
SEQUENCES = {Build.GRCH37: "NC_000021.8", Build.GRCH38: "NC_000021.9"}


def vcf_of(shared: Path, build: Build) -> Path:
    return shared / "data" / "vcf" / f"PG_NA12878_chr21.{build}.vcf.gz"


def fetch_of(shared: Path, build: Build) -> Fetch:
    """Return a function that reads the windows of the chromosome."""
    windows = []
    with pysam.FastaFile(str(shared / "data" / "seq" / f"windows.{build}.fa.gz")) as fasta:
        for name in fasta.references:
            accession, start, _ = re.split(r"[:-]", name)
            if accession == SEQUENCES[build]:
                windows.append((int(start) - 1, fasta.fetch(name)))

    def fetch(start: int, end: int) -> str | None:
        for first, bases in windows:
            if first <= start and end <= first + len(bases):
                return bases[start - first : end - first]
        return None

    return fetch


@dataclass(frozen=True)
class Truth:
    """What the file of one build says: the changes called in records that passed."""

    called: set[Change]
    lift: Callable[[Change], Change | None]
    """Returns the counterpart of a change on the other build, justified there where its bases are known"""


@pytest.fixture(scope="module")
def truths(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[Build, Truth]:
    return {build: read_truth(shared, build, tmp_path_factory.mktemp(build.value)) for build in Build}


def read_truth(shared: Path, build: Build, folder: Path) -> Truth:
    calls = VcfTruth(vcf_of(shared, build), folder, fetch_of(shared, build)).calls([SUBJECT])[SUBJECT]
    chain = Chain(shared / "data" / "chain_ensembl" / f"{build}_to_{build.other}.chain.gz")
    there = fetch_of(shared, build.other)

    def lift(change: Change) -> Change | None:
        lifted = chain.lift("21", change)
        if lifted is None:
            return None
        bases = there(lifted.position, lifted.end)
        if bases is not None and bases != lifted.deleted:
            return None  # a base that differs between the builds is tested on its own
        return contextual(trimmed(lifted.position, lifted.deleted, lifted.inserted), there) or lifted

    return Truth({call.change for call in calls}, lift)


@pytest.fixture(scope="module")
def home(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    operon = CommandLine(tmp_path_factory.mktemp("home"))
    operon.done("db", "upgrade")
    add_chains(operon, shared)
    add_windows(operon, shared)
    for build in Build:
        operon.done("ingest", "vcf", vcf_of(shared, build), "--assembly", build, "--test-id", build, "--quiet")
    return operon.home


@pytest.fixture(scope="module")
def asked(home: Path) -> Iterator[Asking]:
    with asking(home) as opened:
        yield opened


@dataclass(frozen=True)
class Sampled:
    """A change with a place on both builds, and the answers that are due: a test's assembly and SPDI there."""

    places: dict[Build, Change]
    due: set[tuple[str, str]]


@pytest.fixture(scope="module")
def sampled(truths: dict[Build, Truth]) -> list[Sampled]:
    """Return changes of both files: any, and more of those that can be written in several places."""
    dice = random.Random(12878)
    found = []
    for build, truth in truths.items():
        changes = sorted(truth.called)
        unequal = [change for change in changes if len(change.deleted) != len(change.inserted)]
        rolled = [change for change in unequal if change.deleted and change.inserted]
        for change in (*dice.sample(changes, 150), *dice.sample(unequal, 50), *dice.sample(rolled, 50)):
            there = truth.lift(change)
            if there is not None:
                places = {build: change, build.other: there}
                due = {(on, places[on].spdi(SEQUENCES[on])) for on in Build if places[on] in truths[on].called}
                found.append(Sampled(places, {(str(on), spdi) for on, spdi in due}))
    return found


def answered(found: list[Found]) -> set[tuple[str, str]]:
    """Return the assembly and the SPDI on it of each answered variant."""
    return {(entry.assembly, entry.spdis[0]) for entry in found}


def test_sample_has_variants_of_one_test_and_of_both(sampled: list[Sampled]) -> None:
    both = sum(len(one.due) == 2 for one in sampled)
    assert len(sampled) >= 400
    assert both >= 300
    assert len(sampled) - both >= 10


@pytest.mark.parametrize("build", Build)
def test_spdi_of_either_build_finds_both_tests(asked: Asking, sampled: list[Sampled], build: Build) -> None:
    texts = [one.places[build].spdi(SEQUENCES[build]) for one in sampled]
    answer = asked.being(SUBJECT, texts)
    wrong = [
        (text, one.due, found)
        for text, one, found in zip(texts, sampled, answer, strict=True)
        if answered(found) != one.due
    ]
    assert not wrong


@pytest.mark.parametrize("build", Build)
def test_range_of_either_build_finds_both_tests(asked: Asking, sampled: list[Sampled], build: Build) -> None:
    wrong = []
    for at in range(0, len(sampled), 100):  # as many ranges as one request may have
        some = sampled[at : at + 100]
        ranges = [f"{SEQUENCES[build]}:{one.places[build].position}-{one.places[build].end}" for one in some]
        for text, one, found in zip(ranges, some, asked.in_ranges(SUBJECT, ranges), strict=True):
            if not one.due <= answered(found):
                wrong.append((text, one.due, found))
    assert not wrong


@pytest.mark.parametrize("build", Build)
def test_answer_names_the_place_on_either_build(asked: Asking, sampled: list[Sampled], build: Build) -> None:
    places = [{on: one.places[on].spdi(SEQUENCES[on]) for on in Build} for one in sampled]
    answer = asked.being(SUBJECT, [place[build] for place in places])
    for place, found in zip(places, answer, strict=True):
        assert {entry.spdis for entry in found} <= {tuple(place.values()), tuple(reversed(place.values()))}


def test_two_copies_of_the_other_reference_base_are_no_variant_there(asked: Asking) -> None:
    # GRCh37 has A where GRCh38 has T: to be T/T is a change on the one and none on the other.
    on_37, kept, turned = "NC_000021.8:34779061:A:T", "NC_000021.9:33406755:T:T", "NC_000021.9:33406755:T:A"
    by_37, by_38, absent = asked.being(SUBJECT, [on_37, kept, turned])
    assert by_37 == by_38
    assert [(entry.assembly, entry.spdis) for entry in by_37] == [("GRCh37", (on_37, kept))]
    assert absent == []


@dataclass(frozen=True)
class Placed:
    """The calls of one file as Operon places them, in the order of the file."""

    own: list[tuple[int, str, str]]
    other: list[tuple[int, str, str] | None]
    spans: list[tuple[int, int]]
    status: list[LiftStatus]


def place(shared: Path, reference: Path, build: Build, *, passed: bool) -> Placed:
    """Place the called alleles of the records that passed the filters, or of those that did not."""
    rows = []
    with pysam.VariantFile(str(vcf_of(shared, build))) as file:
        for record in file:
            if (list(record.filter) in PASSED) is passed:
                genotype = record.samples[0]["GT"]
                rows += [(record.start, record.ref, alt) for n, alt in plain_alts(record) if n in genotype]
    positions, refs, alts = zip(*rows, strict=True)
    batch = open_genome(reference).placer.place_batch(build, 21, np.array(positions), refs, alts)
    own = zip(batch.start.tolist(), batch.deleted, batch.inserted, strict=True)
    other = zip(batch.other_start.tolist(), batch.other_deleted, batch.other_inserted, strict=True)
    return Placed(
        list(own),
        [change if change[0] >= 0 else None for change in other],
        list(zip(batch.start.tolist(), batch.end.tolist(), strict=True)),
        [LiftStatus(status) for status in batch.status.tolist()],
    )


ROWS = {
    "same": "the same variant is in the other test",
    "unmapped": "no place on the other build: the chain has a gap there (UNMAPPED)",
    "split": "no place on the other build: the ends land apart (SPLIT)",
    "changed": "placed, but the base differs between the builds (REF_CHANGED)",
    "filtered": "placed; the other file has it, but filtered out",
    "overlap": "placed; the other file has another change there",
    "silent": "placed; the other file has nothing there",
}


def causes(calls: Placed, theirs: Placed, filtered: Placed) -> Counter[str]:
    """Count the calls of one test by whether the other test has them, and if not why."""
    # Each place is compared with the places of its own build only.
    known, known_here = set(theirs.own), set(theirs.other)
    rejected, rejected_here = set(filtered.own), set(filtered.other)
    spans = sorted([*theirs.spans, *filtered.spans])
    unplaced = {LiftStatus.UNMAPPED: "unmapped", LiftStatus.SPLIT: "split"}
    counts: Counter[str] = Counter()
    for own, other, status in zip(calls.own, calls.other, calls.status, strict=True):
        if other is None:
            counts[unplaced[status]] += 1
        elif other in known or own in known_here:
            counts["same"] += 1
        elif status is LiftStatus.REF_CHANGED:
            counts["changed"] += 1
        elif other in rejected or own in rejected_here:
            counts["filtered"] += 1
        else:
            counts["overlap" if meets(spans, other[0], other[0] + len(other[1])) else "silent"] += 1
    return counts


def meets(spans: list[tuple[int, int]], start: int, end: int) -> bool:
    """Return whether an interval touches any of the sorted intervals, none of which is long."""
    at = bisect_left(spans, (start - 500, 0))
    while at < len(spans) and spans[at][0] <= end:
        if spans[at][1] >= start:
            return True
        at += 1
    return False


def test_page_on_liftover_says_how_the_tests_agree(shared: Path, home: Path, root: Path, update_golden: bool) -> None:
    passed = {build: place(shared, home / "reference", build, passed=True) for build in Build}
    failed = {build: place(shared, home / "reference", build, passed=False) for build in Build}
    columns = [causes(passed[build], passed[build.other], failed[build.other]) for build in Build]
    lines = [f"| calls | {' | '.join(f'{len(passed[build].own):,}' for build in Build)} |"]
    lines += [f"| {text} | {' | '.join(f'{column[key]:,}' for column in columns)} |" for key, text in ROWS.items()]
    statuses = [Counter(passed[build].status) for build in Build]
    for status in (LiftStatus.OK, LiftStatus.UNVERIFIED, LiftStatus.REF_CHANGED, LiftStatus.UNMAPPED, LiftStatus.SPLIT):
        lines.append(f"| status {status.name} | {' | '.join(f'{column[status]:,}' for column in statuses)} |")
    table = "\n".join(["| | GRCh37 test | GRCh38 test |", "|---|---|---|", *lines])
    page = root / "docs" / "explanation" / "liftover.md"
    check_or_update(page, fill(page, "na12878", table), update=update_golden)


def test_stored_calls_are_those_of_the_files(home: Path, truths: dict[Build, Truth]) -> None:
    stored = dict(CommandLine(home).rows("select build, calls from call_set"))
    assert stored == {build.value: len(truth.called) for build, truth in truths.items()}
