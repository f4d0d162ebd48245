"""A real cohort, 2,504 people of the 1000 Genomes Project, from one command to answers that a recount confirms."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.answers import Asking, Found, asking
from tests.command_line import CommandLine, Ended, add_chains
from tests.vcf_truth import Allele, Call, Chain, Change, VcfTruth

COHORT = "10k.chr22.phase3_shapeit2_mvncall_integrated_v5.20130502.genotypes.vcf.gz"
PEOPLE = 2504
ON_37, ON_38 = "NC_000022.10", "NC_000022.11"
MOST_MEMORY = 1_000_000_000


@dataclass(frozen=True)
class Cohort:
    home: Path
    ingest: Ended
    asking: Asking


@pytest.fixture(scope="module")
def truth(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> VcfTruth:
    return VcfTruth(shared / "data" / "vcf" / COHORT, tmp_path_factory.mktemp("truth"))


@contextmanager
def ingested(shared: Path, home: Path, *, chains: bool) -> Iterator[Cohort]:
    operon = CommandLine(home)
    operon.done("db", "upgrade")
    if chains:
        add_chains(operon, shared)
    vcf = shared / "data" / "vcf" / COHORT
    ended = operon.run_apart("ingest", "vcf", vcf, "--all-samples", "--assembly", "GRCh37")
    with asking(home) as asked:
        yield Cohort(home, ended, asked)


@pytest.fixture(scope="module")
def bare(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cohort]:
    """The cohort where neither sequence nor chains are loaded."""
    with ingested(shared, tmp_path_factory.mktemp("bare"), chains=False) as cohort:
        yield cohort


@pytest.fixture(scope="module")
def lifted(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cohort]:
    """The cohort where chains are loaded."""
    with ingested(shared, tmp_path_factory.mktemp("lifted"), chains=True) as cohort:
        yield cohort


@pytest.fixture(scope="module", params=["bare", "lifted"])
def cohort(request: pytest.FixtureRequest) -> Cohort:
    cohort: Cohort = request.getfixturevalue(request.param)
    return cohort


@pytest.fixture(scope="module")
def chain(shared: Path) -> Chain:
    return Chain(shared / "data" / "chain_ensembl" / "GRCh37_to_GRCh38.chain.gz")


@pytest.fixture(scope="module")
def chosen(truth: VcfTruth) -> list[tuple[Allele, set[str]]]:
    """Return 300 alleles with their carriers, some of each kind: any, one of several ALTs, insertions and deletions."""
    alleles = truth.alleles
    several = [allele for allele in alleles if allele.of > 1]
    unequal = [allele for allele in alleles if len(allele.ref) != len(allele.alt)]
    dice = random.Random(20130502)
    found = [*dice.sample(several, 60), *dice.sample(unequal, 80), *dice.sample(alleles, 160)]
    return [(allele, truth.carriers(allele.change)) for allele in found]


@pytest.fixture(scope="module")
def people(truth: VcfTruth) -> dict[str, list[Call]]:
    """Return what 20 people have."""
    return truth.calls(random.Random(20).sample(truth.samples, 20))


def as_written(allele: Allele) -> str:
    """Return an allele as its record has it, anchor base and all."""
    return f"{ON_37}:{allele.position}:{allele.ref}:{allele.alt}"


def seen(found: Found) -> Call:
    """Return an answered variant in the form of the file's calls."""
    _, position, deleted, inserted = found.spdis[0].split(":")
    assert found.state is not None
    return Call(Change(int(position), deleted, inserted), found.low, found.ref, found.alt, found.state)


def some_ranges(truth: VcfTruth, dice: random.Random, n: int) -> list[tuple[int, int]]:
    """Return ranges of all sizes, most of which begin or end where an allele does."""
    alleles = truth.alleles
    low, high = alleles[0].position - 100, alleles[-1].position + 100
    ranges = []
    for _ in range(n):
        size = int(10 ** dice.uniform(0, 4.5))
        change = dice.choice(alleles).change
        start = dice.choice([change.position, change.end, change.position - size, change.end - size])
        start = dice.choice([start, dice.randrange(low, high)])
        ranges.append((start, start + dice.choice([0, size, size, size])))
    return ranges


def test_ingest_of_all_samples_needs_less_than_a_gigabyte(cohort: Cohort) -> None:
    assert cohort.ingest.code == 0, cohort.ingest.err
    assert 0 < cohort.ingest.peak_bytes < MOST_MEMORY


def test_every_person_is_a_subject(cohort: Cohort, truth: VcfTruth) -> None:
    rows = CommandLine(cohort.home).rows("select subject_id from subject order by subject_id")
    assert [name for (name,) in rows] == sorted(truth.samples)
    assert len(rows) == PEOPLE


def test_counts_and_names_are_those_of_the_file(cohort: Cohort, chosen: list[tuple[Allele, set[str]]]) -> None:
    texts = [as_written(allele) for allele, _ in chosen]
    answer = cohort.asking.carriers(",".join(texts))
    told = [(entry.item, entry.numerator, entry.denominator, entry.subjects) for entry in answer]
    assert told == [
        (text, len(names), PEOPLE, tuple(sorted(names))) for text, (_, names) in zip(texts, chosen, strict=True)
    ]


def test_counts_without_names_are_the_same(cohort: Cohort, chosen: list[tuple[Allele, set[str]]]) -> None:
    texts = [allele.change.spdi(ON_37) for allele, _ in chosen]
    answer = cohort.asking.carriers(",".join(texts), who=False)
    assert [(entry.item, entry.numerator, entry.subjects) for entry in answer] == [
        (text, len(names), ()) for text, (_, names) in zip(texts, chosen, strict=True)
    ]


def test_sample_holds_rare_and_common_variants(chosen: list[tuple[Allele, set[str]]]) -> None:
    sizes = [len(names) for _, names in chosen]
    assert min(sizes) <= 1
    assert max(sizes) > PEOPLE / 2


def test_people_with_both_variants_are_those_of_the_file(cohort: Cohort, chosen: list[tuple[Allele, set[str]]]) -> None:
    dice = random.Random(2)
    common = [entry for entry in chosen if len(entry[1]) > 100]
    pairs = [*(dice.sample(common, 2) for _ in range(60)), *(dice.sample(chosen, 2) for _ in range(40))]
    wrong = []
    for (one, having_one), (other, having_other) in pairs:
        [answer] = cohort.asking.carriers(as_written(one), as_written(other))
        both = tuple(sorted(having_one & having_other))
        [bare] = cohort.asking.carriers(as_written(one), as_written(other), who=False)
        if (answer.numerator, answer.subjects, bare.numerator) != (len(both), both, len(both)):
            wrong.append((one, other, answer, both))
    assert not wrong


def test_alternatives_within_both_are_united_first(cohort: Cohort, chosen: list[tuple[Allele, set[str]]]) -> None:
    dice = random.Random(3)
    for _ in range(20):
        (one, first), (two, second), (three, third) = dice.sample(chosen, 3)
        [answer] = cohort.asking.carriers(f"{as_written(one)},{as_written(two)}", as_written(three))
        assert set(answer.subjects) == (first | second) & third


def test_calls_in_ranges_are_those_of_the_file(cohort: Cohort, truth: VcfTruth, people: dict[str, list[Call]]) -> None:
    dice = random.Random(4)
    wrong, n = [], 0
    for person, calls in people.items():
        ranges = some_ranges(truth, dice, 20)
        answer = cohort.asking.in_ranges(person, [f"{ON_37}:{start}-{end}" for start, end in ranges])
        for (start, end), found in zip(ranges, answer, strict=True):
            expected = [call for call in calls if call.change.touches(start, end)]
            n += len(expected)
            if sorted(map(seen, found)) != expected:
                wrong.append((person, start, end, found, expected))
    assert not wrong
    assert n > 500


def test_counts_by_the_other_build_are_the_same(
    lifted: Cohort, chosen: list[tuple[Allele, set[str]]], chain: Chain
) -> None:
    pairs = [(chain.lift("22", allele.change), names) for allele, names in chosen]
    placed = [(change.spdi(ON_38), names) for change, names in pairs if change is not None]
    answer = lifted.asking.carriers(",".join(text for text, _ in placed))
    assert [set(entry.subjects) for entry in answer] == [names for _, names in placed]
    assert len(placed) > 200


def test_ranges_of_the_other_build_find_what_lies_there(
    lifted: Cohort, people: dict[str, list[Call]], chain: Chain
) -> None:
    dice = random.Random(5)
    wrong, n = [], 0
    for person, calls in people.items():
        some = dice.sample(calls, 15)
        places = [(call, there) for call in some if (there := chain.lift("22", call.change)) is not None]
        answer = lifted.asking.in_ranges(person, [f"{ON_38}:{there.position}-{there.end}" for _, there in places])
        for (call, there), found in zip(places, answer, strict=True):
            n += 1
            if (call, there.spdi(ON_38)) not in [(seen(entry), entry.spdis[1]) for entry in found]:
                wrong.append((person, call, there, found))
    assert not wrong
    assert n > 250


@pytest.mark.parametrize(
    ("operation", "question"),
    [
        ("find-subject-variants", ("ranges", f"{ON_38}:15900000-15950000")),
        ("find-subject-specific-variants", ("variants", f"{ON_38}:15925936:C:T")),
    ],
)
def test_question_on_the_other_build_is_refused_without_chains(
    bare: Cohort, operation: str, question: tuple[str, str]
) -> None:
    answer = bare.asking.get(operation, ("subject", "HG00096"), question)
    assert answer.status == 422
    [text] = answer.diagnostics
    assert text.startswith("Failed LiftOver")
