"""One real person with a test on each build: what is the same change is found by one question on either build.

Chromosome 21 of NA12878 in two releases of Platinum Genomes, called anew on GRCh38 by other programs, so the files
agree in most variants and not in all. The truth is read with pysam, pyliftover and the windows of sequence.
"""

from __future__ import annotations

import random
import re
import shutil
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pysam
import pytest

from app.operations.context import open_genome
from app.records import Build, LiftStatus
from app.store import calls
from app.store.session import Database
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
    carry: Callable[[Change], Change | None]
    """Returns where the chain leads a change, whatever bases are there"""
    lift: Callable[[Change], Change | None]
    """Returns the counterpart of a change on the other build, justified there where its bases are known"""


@pytest.fixture(scope="module")
def truths(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[Build, Truth]:
    return {build: read_truth(shared, build, tmp_path_factory.mktemp(build.value)) for build in Build}


def read_truth(shared: Path, build: Build, folder: Path) -> Truth:
    calls = VcfTruth(vcf_of(shared, build), folder, fetch_of(shared, build)).calls([SUBJECT])[SUBJECT]
    chain = Chain(shared / "data" / "chain_ensembl" / f"{build}_to_{build.other}.chain.gz")
    there = fetch_of(shared, build.other)

    def carry(change: Change) -> Change | None:
        return chain.lift("21", change)

    def lift(change: Change) -> Change | None:
        lifted = carry(change)
        if lifted is None:
            return None
        bases = there(lifted.position, lifted.end)
        if bases is not None and bases != lifted.deleted:
            return None  # a base that differs between the builds is tested on its own
        return contextual(trimmed(lifted.position, lifted.deleted, lifted.inserted), there) or lifted

    return Truth({call.change for call in calls}, carry, lift)


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


# --- substitutions that both files call at one site ------------------------------------------------------------------

Rows = Mapping[int, Mapping[tuple[str, str], int]]
"""Variant ids in the store by start and alleles; equal alleles are a call that follows for the other build only"""


def stored_rows(home: Path) -> dict[Build, Rows]:
    """Return which row of the variant table each call of the two tests points at."""
    found: dict[Build, Rows] = {}
    with Database(f"sqlite:///{home / 'operon.db'}").read() as session:
        for call_set in calls.call_sets_of(session, SUBJECT):
            stretch = calls.Stretch(call_set.shard, call_set.call_set_id, 21, ((0, 1 << 20),))
            rows: defaultdict[int, dict[tuple[str, str], int]] = defaultdict(dict)
            for _, chunk in calls.read_chunks(session, [stretch])[call_set.call_set_id, 21]:
                alleles = [
                    (chunk.alleles[code].deleted, chunk.alleles[code].inserted) for code in chunk.allele.tolist()
                ]
                for start, allele, row in zip(chunk.start.tolist(), alleles, chunk.variant.tolist(), strict=True):
                    rows[start][allele] = row
            found[call_set.build] = rows
    return found


@dataclass(frozen=True)
class Site:
    """A substitution of one test, where it lifts to, and the substitutions that the other test has there."""

    here: Change
    lifted: Change
    there: tuple[Change, ...]

    @property
    def same_base(self) -> bool:
        return any(change.deleted == self.lifted.deleted for change in self.there)

    def is_one_row(self, ours: Rows, theirs: Rows) -> bool:
        """Return whether a call of the other test points at the row of this one, or of what follows from this one."""
        mine = ours[self.here.position]
        pointed = {row for (deleted, inserted), row in mine.items() if deleted == inserted}
        pointed.add(mine[self.here.deleted, self.here.inserted])
        return any(theirs[change.position][change.deleted, change.inserted] in pointed for change in self.there)


@dataclass(frozen=True)
class Sites:
    """The substitutions of one test, those that lift, and those of them that meet one of the other test."""

    called: list[Change]
    lifted: list[tuple[Change, Change]]
    met: list[Site]

    def agreeing(self, ours: Rows, theirs: Rows) -> int:
        return sum(site.is_one_row(ours, theirs) for site in self.met)


def substitutions(truth: Truth) -> list[Change]:
    return sorted(change for change in truth.called if len(change.deleted) == len(change.inserted))


@pytest.fixture(scope="module")
def sites(truths: dict[Build, Truth]) -> dict[Build, Sites]:
    called = {build: substitutions(truth) for build, truth in truths.items()}
    found = {}
    for build, truth in truths.items():
        there: defaultdict[tuple[int, int], list[Change]] = defaultdict(list)
        for change in called[build.other]:
            there[change.position, change.end].append(change)
        lifted = [(change, place) for change in called[build] if (place := truth.carry(change)) is not None]
        met = [
            Site(change, place, tuple(there[place.position, place.end]))
            for change, place in lifted
            if (place.position, place.end) in there
        ]
        found[build] = Sites(called[build], lifted, met)
    return found


@pytest.fixture(scope="module")
def home_with_bases(home: Path, sites: dict[Build, Sites], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the store that learned the bases which the two files name differently at one site."""
    operon = CommandLine(tmp_path_factory.mktemp("home-with-bases") / "copy")
    shutil.copytree(home, operon.home)
    bases: dict[Build, set[tuple[int, str]]] = {build: set() for build in Build}
    for build, found in sites.items():
        for site in found.met:
            if not site.same_base:
                bases[build].add((site.here.position, site.here.deleted))
                bases[build.other].update((change.position, change.deleted) for change in site.there)
    for build, known in bases.items():
        file = operon.home / f"sites.{build}.fa"
        file.write_text("".join(f">{SEQUENCES[build]}:{at + 1}-{at + 1}\n{base}\n" for at, base in sorted(known)))
        operon.done("reference", "add", "--assembly", build, file)
    operon.done("reference", "rejustify", "--quiet")
    return operon.home


def test_substitutions_at_one_site_are_one_row(
    home: Path, home_with_bases: Path, sites: dict[Build, Sites], root: Path, update_golden: bool
) -> None:
    before, after = stored_rows(home), stored_rows(home_with_bases)
    columns = []
    for build, found in sites.items():
        ours, theirs = before[build], before[build.other]
        same, met = found.agreeing(ours, theirs), len(found.met)
        apart = [site for site in found.met if not site.is_one_row(ours, theirs)]
        differing = sum(not site.same_base for site in apart)
        known = found.agreeing(after[build], after[build.other])
        assert met >= 48_000
        assert same / (met - differing) >= 0.999
        assert known / met >= 0.999
        counts = [len(found.called), len(found.lifted), met, same, differing, len(apart) - differing, known]
        columns.append([f"{n:,} ({n / met:.3%})" if n in (same, known) else f"{n:,}" for n in counts])
    rows = [f"| {text} | {' | '.join(cells)} |" for text, *cells in zip(SITE_ROWS, *columns, strict=True)]
    page = root / "docs" / "explanation" / "liftover.md"
    table = "\n".join(["| | GRCh37 test | GRCh38 test |", "|---|---|---|", *rows])
    check_or_update(page, fill(page, "na12878-sites", table), update=update_golden)


SITE_ROWS = (
    "substitutions called",
    "that lift",
    "at a site where the other test has a substitution, too",
    "both calls point at one row",
    "apart: the builds have different bases there, which are not loaded",
    "apart: the other test has another ALT",
    "both calls point at one row, with those bases loaded",
)
