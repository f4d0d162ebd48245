"""Which calls touch a range, or are a variant, whatever build calls and question are on."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from app.errors import LiftoverFailed, SubjectNotFound
from app.fhir.parameters import OperationInputs, RangeInput
from app.operations.context import Genome
from app.records import Build, LiftStatus, SourceClass
from app.store.session import Database
from app.variants.accessions import accession
from app.variants.interval import Interval, parse_range
from app.variants.placement import Placement
from app.variants.spdi import Spdi, reverse_complement
from tests.small_store import NO_GENOME, Item, SmallStore, migrated, spdis_of
from tests.two_builds import B37, B38, Block, bases, genome
from tests.vcf_files import vcf

BIN = 131_072
R37, R38 = accession(B37, 1), accession(B38, 1)


@dataclass(frozen=True)
class Change:
    """One record: REF and ALT at a zero-based position."""

    position: int
    ref: str
    alt: str
    contig: str = "chr1"

    def record(self, genotype: str = "0/1") -> str:
        return f"{self.contig} {self.position + 1} . {self.ref} {self.alt} 50 PASS . GT {genotype}"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def opened(folder: Path, genome: Genome) -> Iterator[SmallStore]:
    with migrated(f"sqlite:///{folder / 'operon.db'}") as database:
        yield SmallStore(database, folder, genome)


# --- one build: the rule of overlap -----------------------------------------------------------------------------------

#            1000      1010      1020      1030      1040
SEQUENCE = "GATTACAGCTAAAAGCTTGCACACACGTTCCGGATCTGAGTACGCTGA"
SNV = Change(1002, "T", "G")
MNV = Change(1015, "CT", "AA")
DELETION = Change(1024, "AC", "A")
ROLLED_DELETION = Change(1009, "TA", "T")
INSERTION = Change(1027, "T", "TAAA")
ROLLED_INSERTION = Change(1013, "A", "AA")
REPEAT_DELETION = Change(1023, "CAC", "C")


@pytest.fixture
def plain(folder: Path) -> Iterator[SmallStore]:
    """Return a store whose chromosome 1 of GRCh38 is known around the changes above."""
    yield from opened(folder, genome([], {B38: [(1000, SEQUENCE)]}))


@pytest.mark.parametrize(
    ("change", "hits", "misses"),
    [
        pytest.param(SNV, ["1002-1003", "1000-1003", "1002-1010", "0-5000"], ["1000-1002", "1003-1010"], id="SNV"),
        pytest.param(MNV, ["1015-1016", "1016-1017"], ["1014-1015", "1017-1018"], id="MNV"),
        pytest.param(DELETION, ["1025-1026"], ["1024-1025", "1026-1030"], id="deletion that ends at the low end"),
        pytest.param(
            ROLLED_DELETION,
            ["1010-1011", "1012-1013", "1013-1014"],
            ["1009-1010", "1014-1015"],
            id="deletion in a run: everywhere that it can be written, but not its anchor",
        ),
        pytest.param(
            REPEAT_DELETION, ["1019-1020", "1025-1026"], ["1018-1019", "1026-1027"], id="deletion in a repeat"
        ),
        pytest.param(
            INSERTION,
            ["1028-1029", "1027-1029", "1000-1029"],
            ["1027-1028", "1029-1030", "1000-1028"],
            id="insertion: at the low end, not before it, not at the high end",
        ),
        pytest.param(ROLLED_INSERTION, ["1010-1011", "1013-1014"], ["1009-1010", "1014-1015"], id="insertion in a run"),
    ],
)
def test_a_call_is_found_where_its_contextual_interval_is(
    plain: SmallStore, change: Change, hits: list[str], misses: list[str]
) -> None:
    plain.ingest(vcf(change.record()))

    found = {text: plain.in_range("P1", f"{R38}:{text}") for text in [*hits, *misses]}

    assert [text for text, item in found.items() if item.present] == hits
    assert all(len(item.variants) == item.present for item in found.values())


@pytest.mark.parametrize(
    ("change", "hits", "misses"),
    [
        pytest.param(SNV, [1002], [1001, 1003], id="SNV"),
        pytest.param(DELETION, [1025], [1024, 1026], id="deletion"),
        pytest.param(INSERTION, [1028], [1027, 1029], id="insertion"),
    ],
)
def test_an_empty_range_means_the_base_at_its_start(
    plain: SmallStore, change: Change, hits: list[int], misses: list[int]
) -> None:
    plain.ingest(vcf(change.record()))

    found = [at for at in [*hits, *misses] if plain.in_range("P1", f"{R38}:{at}-{at}").present]

    assert found == hits


def test_presence_alone_is_the_same(plain: SmallStore) -> None:
    plain.ingest(vcf(SNV.record()))

    items = plain.in_ranges("P1", f"{R38}:1002-1003", f"{R38}:1003-1004", variants=False)

    assert [(item.present, item.variants) for item in items] == [(True, []), (False, [])]


def test_overlapping_ranges_each_list_a_call_with_the_same_id(plain: SmallStore) -> None:
    plain.ingest(vcf(SNV.record(), INSERTION.record()))

    first, second, both = plain.in_ranges("P1", f"{R38}:1000-1010", f"{R38}:1002-1100", f"{R38}:0-9999")

    assert first.variants[0] == second.variants[0] == both.variants[0]
    assert [item.item for item in (first, second)] == [f"{R38}:1000-1010", f"{R38}:1002-1100"]
    assert (len(first.variants), len(second.variants), len(both.variants)) == (1, 2, 2)


def test_calls_are_listed_by_position(plain: SmallStore) -> None:
    changes = [ROLLED_DELETION, SNV, INSERTION, MNV]
    plain.ingest(vcf(*(change.record() for change in changes)))
    plain.ingest(vcf(Change(1005, "C", "G").record()), test="T2")

    lows = [int(spdi.split(":")[1]) for spdi in plain.in_range("P1", f"{R38}:0-9999").spdis]

    assert lows == [1002, 1005, 1010, 1015, 1028]


def test_a_call_on_another_chromosome_is_not_found(plain: SmallStore) -> None:
    plain.ingest(vcf(Change(1002, "T", "G", "chrX").record()))

    assert not plain.in_range("P1", f"{R38}:1000-1010").present
    assert plain.in_range("P1", "NC_000023.11:1000-1010").present


def test_an_unknown_subject_is_not_found(plain: SmallStore) -> None:
    with pytest.raises(SubjectNotFound):
        plain.in_range("nobody", f"{R38}:1000-1010")


# --- long calls and many bins -----------------------------------------------------------------------------------------

START = 3 * BIN - 500
SIZE = 300_000
LONG = Change(START - 1, "A" + "C" * SIZE, "A")
"""A deletion over four bins; without reference sequence it is stored as reported"""


@pytest.fixture
def long_calls(folder: Path) -> Iterator[SmallStore]:
    for store in opened(folder, NO_GENOME):
        store.ingest(vcf(LONG.record(), Change(4 * BIN, "G", "T").record(), Change(5 * BIN + 1, "G", "T").record()))
        yield store


@pytest.mark.parametrize(
    ("low", "high", "hit"),
    [
        pytest.param(START - 10, START, False, id="before"),
        pytest.param(START, START + 1, True, id="first base"),
        pytest.param(3 * BIN - 1, 3 * BIN, True, id="last base of the first bin"),
        pytest.param(3 * BIN, 3 * BIN + 1, True, id="first base of the second bin"),
        pytest.param(START + SIZE // 2, START + SIZE // 2, True, id="middle"),
        pytest.param(START + SIZE - 1, START + SIZE, True, id="last base"),
        pytest.param(START + SIZE, START + SIZE + 10, False, id="behind"),
        pytest.param(0, 248_956_422, True, id="whole chromosome"),
        pytest.param(START + 5, START + SIZE - 5, True, id="inside"),
        pytest.param(3 * BIN - 5, 4 * BIN + 5, True, id="over the border of a bin"),
    ],
)
def test_a_long_deletion_is_found_anywhere_inside_and_listed_once(
    long_calls: SmallStore, low: int, high: int, hit: bool
) -> None:
    item = long_calls.in_range("P1", f"{R38}:{low}-{high}")

    found = [spdi for spdi in item.spdis if spdi.startswith(f"{R38}:{START}:")]
    assert len(found) == hit
    assert len({variant["id"] for variant in item.variants}) == len(item.variants)


def test_a_long_deletion_is_found_as_a_variant(long_calls: SmallStore) -> None:
    short = f"{R38}:{4 * BIN}:G:T"

    items = long_calls.specific("P1", short)

    assert [item.present for item in items] == [True]
    with long_calls.database.read() as session:
        bins = [row[0] for row in session.run("select bin from call_chunk order by bin")]
    assert bins == [2, 3, 4, 5]


def test_ranges_far_apart_are_answered_together(long_calls: SmallStore) -> None:
    ranges = [f"{R38}:{low}-{low + 1}" for low in (START + SIZE - 1, 4 * BIN, 100 * BIN, 5 * BIN + 1, START)]

    items = long_calls.in_ranges("P1", *ranges)

    assert [len(item.variants) for item in items] == [1, 2, 0, 2, 1]


# --- both builds ------------------------------------------------------------------------------------------------------

REPEAT = 700_000
"""G and five CA on GRCh37, G and eight CA on GRCh38: the chain leaves out the first three of them"""
CHANGED = 600_000
"""A on GRCh37, C on GRCh38"""
BLOCKS = [
    Block(0, 50_000, REPEAT + 1),
    Block(REPEAT + 1, 50_000 + REPEAT + 7, 299_999),
    Block(1_010_000, 1_070_000, 100_000, reverse=True),
    Block(1_110_000, 1_190_000, 390_000),
    Block(1_500_500, 1_580_000, 500_000),
]
ONLY37 = 1_500_250
"""In 500 bases that GRCh38 does not have"""
ONLY38 = 1_180_000
"""In 20,000 bases of GRCh38 that are no counterpart of anything"""


def planted(text: str, at: int, motif: str) -> str:
    return text[:at] + motif + text[at + len(motif) :]


@pytest.fixture(scope="module")
def two_builds() -> Genome:
    on37 = planted(bases(1, 2_000_500), REPEAT, "G" + "CA" * 5 + "TT")
    on37 = planted(on37, CHANGED - 1, "GAG")
    on38 = bases(2, 2_100_000)
    for block in BLOCKS:
        piece = on37[block.start37 : block.start37 + block.size]
        on38 = planted(on38, block.start38, reverse_complement(piece) if block.reverse else piece)
    on38 = planted(on38, 50_000 + REPEAT, "G" + "CA" * 8 + "TT")
    on38 = planted(on38, 50_000 + CHANGED, "C")
    return genome(BLOCKS, {B37: [(0, on37)], B38: [(0, on38)]})


@pytest.fixture
def both(folder: Path, two_builds: Genome) -> Iterator[SmallStore]:
    yield from opened(folder, two_builds)


def reference(genome: Genome, build: Build, start: int, end: int) -> str:
    found = genome.references[build].fetch(accession(build, 1), start, end)
    assert found is not None
    return found


def other_base(base: str) -> str:
    return {"A": "C", "C": "G", "G": "T", "T": "A"}[base]


def change_at(genome: Genome, build: Build, at: int, kind: str) -> Change:
    ref = reference(genome, build, at, at + 5)
    if kind == "SNV":
        return Change(at, ref[0], other_base(ref[0]))
    if kind == "deletion":
        return Change(at, ref[:4], ref[0])
    if kind == "insertion":
        return Change(at, ref[0], ref[0] + "ACG")
    return Change(at, ref[:2], other_base(ref[0]) + other_base(ref[1]))


def place(genome: Genome, build: Build, change: Change) -> Placement:
    return genome.placer.place(build, 1, change.position, change.ref, change.alt)


def as_range(spdi: Spdi) -> str:
    return f"{spdi.ref_seq}:{spdi.position}-{spdi.end}"


KINDS = ["SNV", "MNV", "deletion", "insertion"]
PLACES37 = [1_000, 131_071, 999_000, 1_010_500, 1_050_000, 1_109_000, 1_200_000, 1_600_000]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("at37", PLACES37)
@pytest.mark.parametrize("native", list(Build))
def test_a_call_is_found_by_its_place_on_either_build_and_by_no_number_of_the_other(
    both: SmallStore, two_builds: Genome, native: Build, at37: int, kind: str
) -> None:
    at = at37
    if native is B38:
        lifted = two_builds.liftover.lift_interval(B37, 1, at37, at37 + 1)
        at = lifted.start
    change = change_at(two_builds, native, at, kind)
    both.ingest(vcf(change.record(), build=native), build=native)
    placement = place(two_builds, native, change)
    here, there = placement.on(native), placement.on(native.other)
    assert here is not None
    assert there is not None

    for spdi in (here, there):
        item = both.in_range("P1", as_range(spdi))
        assert [spdis_of(variant) for variant in item.variants] == [[str(here), str(there)]]
        before, behind = (f"{spdi.ref_seq}:{low}-{low + 50}" for low in (spdi.position - 50, spdi.end + 1))
        assert not both.in_range("P1", before).present
        assert not both.in_range("P1", behind).present
        swapped = Spdi(here.ref_seq if spdi is there else there.ref_seq, spdi.position, spdi.deleted, "")
        assert not both.in_range("P1", as_range(swapped)).present


def test_calls_of_two_builds_are_found_together(both: SmallStore, two_builds: Genome) -> None:
    change = change_at(two_builds, B37, 1_050_000, "deletion")
    there = place(two_builds, B37, change).spdi38
    assert there is not None
    anchor = reference(two_builds, B38, there.position - 1, there.position)
    same = Change(there.position - 1, anchor + there.deleted, anchor + there.inserted)
    both.ingest(vcf(change.record(), build=B37), build=B37, test="T1")
    both.ingest(vcf(same.record("1/1")), test="T2")

    for text in (as_range(there), as_range(place(two_builds, B37, change).canonical)):
        item = both.in_range("P1", text)
        assert [sorted(spdis_of(variant)) for variant in item.variants] == [
            sorted(map(str, (place(two_builds, B37, change).spdi37, there)))
        ] * 2
    assert both.population([str(there)])[0][1:3] == (1, 1)


@pytest.mark.parametrize("native", list(Build))
@pytest.mark.parametrize("seed", range(2))
def test_random_ranges_find_what_plain_interval_arithmetic_finds(
    both: SmallStore, two_builds: Genome, native: Build, seed: int
) -> None:
    chance = random.Random(seed)
    near = [0, 100, 300, REPEAT - 100, 1_000_000, 1_010_000, 1_060_000, 1_110_000, 1_500_000, 1_500_500]
    places = sorted({max(60, chance.choice(near) + chance.randrange(-60, 400)) for _ in range(80)})
    if native is B38:
        places = sorted({place + 75_000 for place in places} | {place + 50_000 for place in places})
    changes = [change_at(two_builds, native, at, chance.choice(KINDS)) for at in places]
    both.ingest(vcf(*(change.record() for change in changes), build=native), build=native)
    placed = [place(two_builds, native, change) for change in changes]
    for build in Build:
        for _ in range(60):
            anchor = chance.choice([p for p in placed if p.on(build)]).on(build)
            assert anchor is not None
            low = max(0, anchor.position + chance.randrange(-20, 20))
            high = low + chance.choice([0, 1, 5, 300])
            expected = expected_in(two_builds, placed, native=native, build=build, low=low, high=high)
            if expected is None:
                with pytest.raises(LiftoverFailed):
                    both.in_range("P1", f"{accession(build, 1)}:{low}-{high}")
            else:
                assert sorted(both.in_range("P1", f"{accession(build, 1)}:{low}-{high}").spdis) == expected


def expected_in(
    genome: Genome, placed: list[Placement], *, native: Build, build: Build, low: int, high: int
) -> list[str] | None:
    """Return the native SPDIs that touch a range, by plain rules; None where the question must fail."""
    high = max(high, low + 1)
    lifted = None
    if build is not native:
        try:
            lifted = genome.liftover.lift_range(build, Interval(accession(build, 1), low, high), 1000).interval
        except LiftoverFailed:
            if any(placement.on(build) is None for placement in placed):
                return None
    found = []
    for placement in placed:
        here, there = placement.on(native), placement.on(build)
        assert here is not None
        if there is not None:
            hit = touches(there, low, high)
        else:
            hit = lifted is not None and touches(here, lifted.start, lifted.end)
        if hit:
            found.append(str(here))
    return sorted(found)


def touches(spdi: Spdi, low: int, high: int) -> bool:
    if not spdi.deleted:
        return low <= spdi.position < high
    return spdi.position < high and spdi.end > low


# --- calls and ranges without a place on the other build --------------------------------------------------------------


@pytest.fixture
def unplaced(both: SmallStore, two_builds: Genome) -> SmallStore:
    """Return a store whose only call of GRCh37 has no place on GRCh38."""
    both.ingest(vcf(change_at(two_builds, B37, ONLY37, "SNV").record(), build=B37), build=B37)
    return both


def test_a_call_without_a_place_is_found_on_its_own_build(unplaced: SmallStore) -> None:
    item = unplaced.in_range("P1", f"{R37}:{ONLY37}-{ONLY37 + 1}")

    assert [len(spdis_of(variant)) for variant in item.variants] == [1]


@pytest.mark.parametrize(
    ("low", "high", "hit"),
    [
        pytest.param(1_579_900, 1_580_100, True, id="around it"),
        pytest.param(1_579_000, 1_580_000, False, id="up to the gap"),
        pytest.param(1_580_000, 1_580_100, False, id="from the gap on"),
        pytest.param(1_200_000, 1_200_100, False, id="elsewhere"),
    ],
)
def test_a_call_without_a_place_is_found_by_the_lifted_range(
    unplaced: SmallStore, low: int, high: int, hit: bool
) -> None:
    assert unplaced.in_range("P1", f"{R38}:{low}-{high}").present == hit


@pytest.mark.parametrize(
    ("low", "high", "hit"),
    [
        pytest.param(1_070_000, 1_070_005, True, id="where its first bases went, turned round"),
        pytest.param(1_070_010, 1_070_020, False, id="beside them"),
        pytest.param(1_190_000, 1_190_010, True, id="where its last bases went"),
        pytest.param(1_190_010, 1_190_020, False, id="behind them"),
    ],
)
def test_a_call_that_is_broken_up_on_the_other_build_is_found_by_the_lifted_range(
    both: SmallStore, two_builds: Genome, low: int, high: int, hit: bool
) -> None:
    ref = reference(two_builds, B37, 1_109_990, 1_110_010)
    both.ingest(vcf(Change(1_109_990, ref, "GATTACA").record(), build=B37), build=B37)
    placement = place(two_builds, B37, Change(1_109_990, ref, "GATTACA"))
    assert (placement.status, placement.spdi38) == (LiftStatus.SPLIT, None)

    assert both.in_range("P1", f"{R38}:{low}-{high}").present == hit


def test_a_range_without_a_place_is_refused_where_it_could_hide_calls(unplaced: SmallStore) -> None:
    with pytest.raises(LiftoverFailed, match=rf"Failed LiftOver \({R38}:{ONLY38}-{ONLY38 + 9}\)"):
        unplaced.in_range("P1", f"{R38}:{ONLY38}-{ONLY38 + 9}")


def test_a_range_without_a_place_is_answered_where_every_call_of_the_chromosome_has_one(
    both: SmallStore, two_builds: Genome
) -> None:
    both.ingest(vcf(change_at(two_builds, B37, 1_000, "SNV").record(), build=B37), build=B37)

    assert not both.in_range("P1", f"{R38}:{ONLY38}-{ONLY38 + 9}").present


def test_a_range_without_a_place_is_answered_where_the_calls_without_one_are_on_another_chromosome(
    both: SmallStore,
) -> None:
    both.ingest(vcf(Change(5_000, "A", "G", "chrX").record(), build=B37), build=B37)

    assert not both.in_range("P1", f"{R38}:{ONLY38}-{ONLY38 + 9}").present


def test_a_range_on_the_build_of_the_calls_needs_no_lifting(both: SmallStore, two_builds: Genome) -> None:
    both.ingest(vcf(change_at(two_builds, B38, ONLY38, "SNV").record()))

    assert both.in_range("P1", f"{R38}:{ONLY38}-{ONLY38 + 9}").present


def test_filters_leave_out_the_calls_that_would_make_a_question_fail(unplaced: SmallStore, two_builds: Genome) -> None:
    unplaced.ingest(vcf(change_at(two_builds, B38, ONLY38, "SNV").record()), test="T2")
    asked = f"{R38}:{ONLY38}-{ONLY38 + 9}"

    with pytest.raises(LiftoverFailed):
        unplaced.in_range("P1", asked)
    assert unplaced.in_range("P1", asked, test_identifiers=("T2",)).present


def test_a_range_that_had_to_be_widened_is_echoed_with_a_note(database: Database, tmp_path: Path) -> None:
    # On GRCh38, 1500 to 1509 lies between the blocks; the call of GRCh37 at 550 has no place there.
    store = SmallStore(database, tmp_path, genome([Block(0, 1000, 500), Block(600, 1510, 500)]))
    store.ingest(vcf("chr1 551 . A G 50 PASS . GT 0/1", build=B37), build=B37)
    asked = [f"{R38}:1400-1505", f"{R38}:1400-1450"]
    inputs = OperationInputs(subject="P1", ranges=tuple(RangeInput(text, parse_range(text)) for text in asked))

    widened, exact = json.loads(store.context.answer("find-subject-variants", inputs))["parameter"]

    [note] = widened["part"][0].pop("extension")
    assert f"GRCh37 only were compared with {R37}:400-603: an end" in note["valueAnnotation"]["text"]
    assert [entry["part"][0] for entry in (widened, exact)] == [
        {"name": "rangeItem", "valueString": text} for text in asked
    ]
    assert [entry["part"][1]["valueBoolean"] for entry in (widened, exact)] == [True, False]


def test_without_chain_files_every_build_is_asked_on_its_own(folder: Path) -> None:
    for store in opened(folder, NO_GENOME):
        store.ingest(vcf(SNV.record(), build=B37), build=B37)

        assert store.in_range("P1", f"{R37}:1000-1010").present
        with pytest.raises(LiftoverFailed):
            store.in_range("P1", f"{R38}:1000-1010")


def test_the_mitochondrial_genome_belongs_to_both_builds(folder: Path) -> None:
    for store in opened(folder, NO_GENOME):
        for build in Build:
            record = Change(72, "A", "G", "chrM").record("1")
            store.ingest(vcf(record, build=build), build=build, test=build.value)

        assert len(store.in_range("P1", "NC_012920.1:72-73").variants) == 2
        assert len(store.specific("P1", "NC_012920.1:m.73A>G")[0].variants) == 2


# --- places that only the variant table knows -------------------------------------------------------------------------


def test_a_repeat_that_is_longer_on_the_other_build_is_found_all_over(both: SmallStore, two_builds: Genome) -> None:
    change = Change(REPEAT, "GCA", "G")
    both.ingest(vcf(change.record(), build=B37), build=B37)
    placement = place(two_builds, B37, change)
    there = placement.spdi38
    assert (str(placement.spdi37), str(there)) == (
        f"{R37}:{REPEAT + 1}:{'CA' * 5}:{'CA' * 4}",
        f"{R38}:{REPEAT + 50_001}:{'CA' * 8}:{'CA' * 7}",
    )

    first = REPEAT + 50_001
    hits = [at for at in range(first - 2, first + 18) if both.in_range("P1", f"{R38}:{at}-{at}").present]

    assert hits == list(range(first, first + 16))
    assert [spdis_of(variant) for variant in both.specific("P1", str(there))[0].variants] == [
        [str(placement.spdi37), str(there)]
    ]


def test_a_call_that_begins_in_bases_of_its_build_alone_is_found_where_the_others_lie(
    both: SmallStore, two_builds: Genome
) -> None:
    change = Change(REPEAT + 50_006, "ACA", "A")
    both.ingest(vcf(change.record()))
    assert place(two_builds, B38, change).spdi37 is None
    first = REPEAT + 1

    hits = [at for at in range(first - 2, first + 12) if both.in_range("P1", f"{R37}:{at}-{at}").present]

    assert hits == list(range(first, first + 10))


@pytest.mark.parametrize(
    ("alt", "there"),
    [pytest.param("G", "C:G", id="another base than both"), pytest.param("C", "C:C", id="the base of the other build")],
)
def test_a_reference_base_that_differs_is_recorded(both: SmallStore, two_builds: Genome, alt: str, there: str) -> None:
    change = Change(CHANGED, "A", alt)
    both.ingest(vcf(change.record("1/1"), build=B37), build=B37)
    expected = [f"{R37}:{CHANGED}:A:{alt}", f"{R38}:{CHANGED + 50_000}:{there}"]
    assert place(two_builds, B37, change).status is LiftStatus.REF_CHANGED

    for text in (f"{R37}:{CHANGED}-{CHANGED + 1}", f"{R38}:{CHANGED + 50_000}-{CHANGED + 50_001}"):
        assert [spdis_of(variant) for variant in both.in_range("P1", text).variants] == [expected]
    for text in expected:
        assert [spdis_of(variant) for variant in both.specific("P1", text)[0].variants] == [expected]
    assert not both.specific("P1", f"{R38}:{CHANGED + 50_000}:C:T")[0].present


# --- variants ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("native", list(Build))
@pytest.mark.parametrize("kind", KINDS)
def test_a_variant_is_found_by_any_spelling_on_either_build(
    both: SmallStore, two_builds: Genome, native: Build, kind: str
) -> None:
    at = two_builds.liftover.lift_interval(B37, 1, 1_050_000, 1_050_001).start if native is B38 else 1_050_000
    change = change_at(two_builds, native, at, kind)
    both.ingest(vcf(change.record(), build=native), build=native)
    placement = place(two_builds, native, change)
    padded = Spdi(accession(native, 1), change.position, change.ref, change.alt)
    asked = [str(placement.spdi37), str(placement.spdi38), str(padded)]

    items = both.specific("P1", *asked)

    assert [(item.item, item.present) for item in items] == [(text, True) for text in asked]
    assert len({variant["id"] for item in items for variant in item.variants}) == 1
    assert both.population(asked)[0][1:3] == (1, 1)


def test_another_allele_at_the_same_place_is_another_variant(plain: SmallStore) -> None:
    plain.ingest(vcf(SNV.record()))

    items = plain.specific("P1", f"{R38}:1002:T:G", f"{R38}:1002:T:A", f"{R38}:1003:T:G", f"{R38}:g.1003T>G")

    assert [item.present for item in items] == [True, False, False, True]


def test_a_variant_of_the_wrong_build_is_not_found(both: SmallStore, two_builds: Genome) -> None:
    change = change_at(two_builds, B37, 1_000, "SNV")
    both.ingest(vcf(change.record(), build=B37), build=B37)
    ref = reference(two_builds, B38, 1_000, 1_001)

    assert not both.specific("P1", f"{R38}:1000:{ref}:{other_base(ref)}")[0].present


def test_a_variant_of_one_build_is_refused_where_calls_are_known_on_the_other_only(
    unplaced: SmallStore, two_builds: Genome
) -> None:
    ref = reference(two_builds, B38, ONLY38, ONLY38 + 1)
    asked = f"{R38}:{ONLY38}:{ref}:{other_base(ref)}"

    with pytest.raises(LiftoverFailed, match=f"Failed LiftOver. Variant: {asked}"):
        unplaced.specific("P1", asked)


def test_a_variant_of_one_build_is_absent_where_every_call_has_a_place(both: SmallStore, two_builds: Genome) -> None:
    both.ingest(vcf(change_at(two_builds, B37, 1_000, "SNV").record(), build=B37), build=B37)
    ref = reference(two_builds, B38, ONLY38, ONLY38 + 1)

    assert not both.specific("P1", f"{R38}:{ONLY38}:{ref}:{other_base(ref)}")[0].present


def test_a_variant_without_a_place_is_found_on_its_own_build(unplaced: SmallStore, two_builds: Genome) -> None:
    ref = reference(two_builds, B37, ONLY37, ONLY37 + 1)

    assert unplaced.specific("P1", f"{R37}:{ONLY37}:{ref}:{other_base(ref)}")[0].present


def test_calls_of_several_tests_are_each_listed(plain: SmallStore) -> None:
    plain.ingest(vcf(SNV.record()), test="T1")
    plain.ingest(vcf(SNV.record("1/1")), test="T2", source_class=SourceClass.SOMATIC)

    item: Item = plain.specific("P1", f"{R38}:1002:T:G")[0]

    assert len(item.variants) == len({variant["id"] for variant in item.variants}) == 2
