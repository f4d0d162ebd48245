"""No call in place of Absent where structural variants leave open what a reference call means."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from app.fhir.validate import problems
from app.operations import structural_doubt
from app.records import Build, SourceClass, StructuralKind
from app.store.session import Database
from app.variants.extent import Extent
from bench.statements import counted
from tests.small_store import Item, SmallStore, component
from tests.two_builds import Block, bases, genome
from tests.vcf_files import vcf

PRESENT, ABSENT, NO_CALL = "LA9633-4", "LA9634-2", "LA18198-4"
ON_37, ON_38 = "NC_000001.10", "NC_000001.11"
BASES = bases(7, 2_000)
SHIFT = 1_000
"""Base 0 of GRCh37 is base 1,000 of GRCh38"""


@pytest.fixture
def store(database: Database, tmp_path: Path) -> SmallStore:
    sequences = {Build.GRCH37: [(0, BASES)], Build.GRCH38: [(SHIFT, BASES)]}
    return SmallStore(database, tmp_path, genome([Block(0, SHIFT, 1_800)], sequences))


def other(place: int) -> str:
    return next(letter for letter in "ACGT" if letter != BASES[place])


def snv(place: int) -> str:
    return f"{ON_38}:{SHIFT + place}:{BASES[place]}:{other(place)}"


def block(start: int, end: int) -> str:
    return f"chr1 {SHIFT + start + 1} . {BASES[start]} <NON_REF> . . END={SHIFT + end} GT 0/0"


def sv(kind: str, start: int, end: int, info: str = "", *, alt: str = "", cell: str = "0/1") -> str:
    """Return a record whose nominal interval is [start, end), the base before the event included."""
    ends = "" if kind in ("INS", "BND") else f";END={SHIFT + end}"
    ref = BASES[start]
    return f"chr1 {SHIFT + start + 1} . {ref} {alt or f'<{kind}>'} 50 PASS SVTYPE={kind}{ends}{info} GT {cell}"


GVCF = vcf(block(0, 1_500))


def values(item: Item) -> list[str]:
    return [variant["valueCodeableConcept"]["coding"][0]["code"] for variant in item.variants]


def said(store: SmallStore, *variants: str, **inputs: Any) -> list[list[str]]:
    return [values(item) for item in store.specific("P1", *variants, include_non_variants=True, **inputs)]


def said_of_range(store: SmallStore, start: int, end: int, **inputs: Any) -> list[tuple[str, int, int]]:
    text = f"{ON_38}:{SHIFT + start}-{SHIFT + end}"
    item = store.in_range("P1", text, include_non_variants=True, **inputs)
    places = [component(variant, "81254-5")["valueRange"] for variant in item.variants]
    low_high = [(place["low"]["value"] - SHIFT, place.get("high", place["low"])["value"] - SHIFT) for place in places]
    return [(value, *place) for value, place in zip(values(item), low_high, strict=True)]


FUZZY = ";CIPOS=-10,20;CIEND=-30,40"
"""Outer [490, 640), inner [520, 570) of [500, 600)"""

REACH = [
    ("DEL", sv("DEL", 500, 600), [500, 550, 599], [499, 600]),
    ("homozygous DEL", sv("DEL", 500, 600, cell="1/1"), [500, 550, 599], [499, 600]),
    ("DUP", sv("DUP", 500, 600), [500, 550, 599], [499, 600]),
    ("CNV", sv("CNV", 500, 600), [500, 550, 599], [499, 600]),
    ("uncertain DEL", sv("DEL", 500, 600, FUZZY), [490, 550, 639], [489, 640]),
    ("INV: its ends", sv("INV", 500, 600), [500, 501, 599, 600], [499, 502, 550, 598, 601]),
    ("uncertain INV", sv("INV", 500, 600, FUZZY), [490, 521, 569, 640], [489, 522, 550, 568, 641]),
    ("INV of unknown ends", sv("INV", 500, 600, ";IMPRECISE"), [500, 550, 600], [499, 601]),
    ("INV that may be nothing", sv("INV", 500, 520, ";CIPOS=0,20;CIEND=-20,0"), [500, 510, 520], [499, 521]),
    ("INS beside a base", sv("INS", 500, 500), [], [499, 500, 501]),
    ("uncertain INS", sv("INS", 500, 500, ";CIPOS=-5,5"), [495, 500, 506], [494, 507]),
    ("INS of unknown place", sv("INS", 500, 500, ";IMPRECISE"), [500, 501], [499, 502]),
    ("BND", sv("BND", 500, 501, alt=f"{BASES[500]}[chr1:9000["), [500], [499, 501]),
    ("uncertain BND", sv("BND", 500, 501, ";CIPOS=-3,3", alt=f"{BASES[500]}[chr1:9000["), [497, 503], [496, 504]),
]  # fmt: skip


@pytest.mark.parametrize(("record", "open_", "sure"), [pytest.param(*row[1:], id=row[0]) for row in REACH])
def test_a_reference_call_shows_absence_only_where_no_structural_variant_may_reach(
    store: SmallStore, record: str, open_: list[int], sure: list[int]
) -> None:
    store.ingest(GVCF, test="T1")
    assert said(store, *map(snv, (*open_, *sure))) == [[ABSENT]] * len(open_ + sure)

    store.ingest(vcf(record), test="T1")

    assert said(store, *map(snv, (*open_, *sure))) == [[NO_CALL]] * len(open_) + [[ABSENT]] * len(sure)


def test_an_insertion_leaves_open_what_lies_at_its_point(store: SmallStore) -> None:
    place = next(at for at in range(500, 600) if len(set(BASES[at - 2 : at + 2])) == 4)
    letter = BASES[place - 2]
    store.ingest(GVCF, test="T1")
    store.ingest(vcf(sv("INS", place - 1, place - 1)), test="T1")

    at, across = SHIFT + place, f"{ON_38}:{SHIFT + place - 1}:{BASES[place - 1 : place + 1]}:"
    assert said(store, f"{ON_38}:{at}::{letter}", across, f"{ON_38}:{at + 1}::{letter}") == [
        [NO_CALL], [NO_CALL], [ABSENT],
    ]  # fmt: skip


def test_an_insertion_that_can_be_written_in_several_places_is_open_at_each(store: SmallStore) -> None:
    place = next(at for at in range(500, 1400) if BASES[at] == BASES[at + 1] not in (BASES[at - 1], BASES[at + 2]))
    asked = f"{ON_38}:{SHIFT + place}::{BASES[place]}"
    store.ingest(GVCF, test="T1")
    for point, expected in ((place - 1, ABSENT), (place, NO_CALL), (place + 2, NO_CALL), (place + 3, ABSENT)):
        store.store(store.file(vcf(sv("INS", point - 1, point - 1)), test="T2"), replace=True)
        assert said(store, asked, test_identifiers=("T1",)) == [[expected]]


def test_a_range_is_not_called_as_far_as_the_event_may_reach(store: SmallStore) -> None:
    store.ingest(GVCF, test="T1")
    store.ingest(vcf(sv("DEL", 500, 600, FUZZY), sv("INS", 900, 900)), test="T1")

    assert said_of_range(store, 400, 490) == [(ABSENT, 400, 490)]
    assert said_of_range(store, 400, 700) == [(NO_CALL, 490, 640)]
    assert said_of_range(store, 560, 570) == [(NO_CALL, 560, 570)]
    assert said_of_range(store, 640, 901) == [(ABSENT, 640, 901)]
    assert said_of_range(store, 901, 902) == [(NO_CALL, 901, 902)]


def test_a_test_that_did_not_look_says_nothing_in_an_event_either(store: SmallStore) -> None:
    store.ingest(GVCF, test="T1")
    store.ingest(vcf(sv("DEL", 1_400, 1_600)), test="T1")

    assert said(store, snv(1_450), snv(1_550)) == [[NO_CALL], []]
    assert said_of_range(store, 1_550, 1_560) == []
    assert said_of_range(store, 1_450, 1_460) == [(NO_CALL, 1_450, 1_460)]


def test_single_reference_records_are_not_taken_for_absence_either(store: SmallStore) -> None:
    record = f"chr1 {SHIFT + 551} . {BASES[550]} {other(550)} 50 PASS . GT 0/0"
    store.ingest(vcf(record), test="T1")
    assert said_of_range(store, 550, 551) == [(ABSENT, 550, 551)]

    store.ingest(vcf(sv("DUP", 500, 600)), test="T1")

    assert said(store, snv(550), snv(551)) == [[NO_CALL], []]
    assert said_of_range(store, 550, 551) == [(NO_CALL, 550, 551)]


def test_what_was_called_is_still_present(store: SmallStore) -> None:
    called = f"chr1 {SHIFT + 551} . {BASES[550]} {other(550)},<NON_REF> 50 PASS . GT 0/1"
    store.ingest(vcf(block(0, 550), called, block(551, 1_500)), test="T1")
    store.ingest(vcf(sv("DUP", 500, 600)), test="T1")

    assert said(store, snv(550)) == [[PRESENT]]
    assert said_of_range(store, 550, 551) == [(PRESENT, 550, 550)]
    assert said_of_range(store, 550, 560) == [(PRESENT, 550, 550), (NO_CALL, 551, 560)]
    assert said_of_range(store, 600, 700) == [(ABSENT, 600, 700)]


def test_a_long_deletion_that_is_stored_in_both_forms_is_called_not_open(store: SmallStore) -> None:
    deletion = f"chr1 {SHIFT + 501} . {BASES[500:561]} {BASES[500]},<NON_REF> 50 PASS . GT 0/1"
    store.ingest(vcf(block(0, 500), deletion, block(561, 1_500)), test="T1")

    assert said(store, snv(500), snv(530)) == [[ABSENT], [NO_CALL]]
    assert [value for value, *_ in said_of_range(store, 490, 570)] == [PRESENT]


SOMATIC, GERMLINE = SourceClass.SOMATIC, SourceClass.GERMLINE


@pytest.mark.parametrize(
    ("source_class", "specimen", "expected"),
    [
        (GERMLINE, "S2", NO_CALL),
        (SourceClass.MIXED, "S2", NO_CALL),
        (SourceClass.UNSPECIFIED, "S2", NO_CALL),
        (SOMATIC, "S2", ABSENT),
        (SOMATIC, None, ABSENT),
        (SOMATIC, "S1", NO_CALL),
    ],
)
def test_an_event_of_another_test_counts_where_it_may_be_in_the_same_cells(
    store: SmallStore, source_class: SourceClass, specimen: str | None, expected: str
) -> None:
    store.ingest(GVCF, test="T1", specimen="S1")
    store.ingest(vcf(sv("DEL", 500, 600)), test="T2", specimen=specimen, source_class=source_class)
    store.ingest(vcf(sv("DEL", 0, 1_400)), "P2", test="T3")

    for filters in ({}, {"test_identifiers": ("T1",)}, {"source_class": GERMLINE}):
        assert said(store, snv(550), **filters) == [[expected]]


def test_two_tests_without_a_specimen_are_not_of_one(store: SmallStore) -> None:
    store.ingest(GVCF, test="T1")
    store.ingest(vcf(sv("DEL", 500, 600)), test="T2", source_class=SOMATIC)

    assert said(store, snv(550)) == [[ABSENT]]


def test_an_event_on_the_other_build_counts_where_it_lies_on_that_of_the_test(store: SmallStore) -> None:
    on_37 = f"chr1 501 . {BASES[500]} <DEL> 50 PASS SVTYPE=DEL;END=600 GT 0/1"
    store.ingest(GVCF, test="T1")
    store.ingest(vcf(on_37, build=Build.GRCH37), test="T2", build=Build.GRCH37)

    assert said(store, snv(499), snv(500), snv(599), snv(600), test_identifiers=("T1",)) == [
        [ABSENT], [NO_CALL], [NO_CALL], [ABSENT],
    ]  # fmt: skip


def test_an_event_without_a_place_there_counts_by_the_lifted_place(store: SmallStore) -> None:
    """It ends where the chain has no block; a place that cannot be lifted could be in it."""
    on_37 = f"chr1 1401 . {BASES[1400]} <DEL> 50 PASS SVTYPE=DEL;END=1900 GT 0/1"
    store.ingest(vcf(block(0, 1_950)), test="T1")
    store.ingest(vcf(on_37, build=Build.GRCH37), test="T2", build=Build.GRCH37)

    assert said_of_range(store, 1_399, 1_400, test_identifiers=("T1",)) == [(ABSENT, 1_399, 1_400)]
    assert said_of_range(store, 1_400, 1_401, test_identifiers=("T1",)) == [(NO_CALL, 1_400, 1_401)]
    assert said_of_range(store, 1_850, 1_851, test_identifiers=("T1",)) == [(NO_CALL, 1_850, 1_851)]


def test_the_answer_names_the_events(store: SmallStore) -> None:
    store.ingest(GVCF, test="T1")
    store.ingest(vcf(sv("DEL", 500, 600, FUZZY), sv("DUP", 540, 700)), test="cnv")
    asked = {"include_non_variants": True, "test_identifiers": ("T1",)}

    [item] = store.specific("P1", snv(550), **asked)
    [absent] = store.specific("P1", snv(450), **asked)
    of_range = store.in_range("P1", f"{ON_38}:{SHIFT + 450}-{SHIFT + 530}", **asked)

    [variant], [ranged] = item.variants, of_range.variants
    words = "Reference calls do not show absence within structural variants:"
    first = f"DEL of test cnv, at the most {ON_38}:1490-1640"
    assert variant["note"] == [{"text": f"{words} {first}; DUP of test cnv, at the most {ON_38}:1540-1700"}]
    assert ranged["note"] == [{"text": f"{words} {first}"}]
    assert "note" not in absent.variants[0]
    assert [problems(resource) for resource in (variant, ranged)] == [[], []]
    assert [store.read(resource["id"]) for resource in (variant, ranged)] == [variant, ranged]


def test_many_events_are_not_all_named(store: SmallStore) -> None:
    store.ingest(GVCF, test="T1")
    store.ingest(vcf(*(sv("DEL", 500, 600 + n) for n in range(9))), test="T1")

    [item] = store.specific("P1", snv(550), include_non_variants=True)

    [note] = item.variants[0]["note"]
    assert note["text"].count("DEL of test T1") == 5
    assert note["text"].endswith("; and 4 more")


def test_a_subject_without_structural_calls_takes_one_statement_and_nothing_else(
    store: SmallStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nothing(*_: object, **__: object) -> list[object]:
        return [[]]

    store.ingest(GVCF, test="T1")
    store.context.consent.now()  # read once for each state of the store
    with counted(store.database) as statements:
        assert said(store, snv(550)) == [[ABSENT]]
    monkeypatch.setattr(structural_doubt, "doubts", nothing)
    with counted(store.database) as without:
        assert said(store, snv(550)) == [[ABSENT]]

    assert len(statements) - len(without) == 1


@pytest.mark.parametrize(
    ("extent", "expected"),
    [
        (Extent(0, 0, 0, 0), [(0, 0)]),
        (Extent(5, 5, 0, 9), [(0, 10)]),
    ],
)
def test_an_insertion_at_the_first_base_stays_on_the_chromosome(
    extent: Extent, expected: list[tuple[int, int]]
) -> None:
    assert structural_doubt.open_bases(StructuralKind.INS, extent, imprecise=False) == expected
