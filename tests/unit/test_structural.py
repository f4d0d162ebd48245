"""Which structural variants touch or hold a range, of one subject and counted over all, whatever build they are on."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from app.errors import LiftoverFailed, TooCostly
from app.fhir.parameters import OperationInputs, RangeInput
from app.records import Sex, SourceClass
from app.store import bulk
from app.store.session import Database
from app.store.subjects import Subject
from app.variants.interval import parse_range
from bench.statements import counted
from tests.small_store import NO_GENOME, Item, SmallStore, component
from tests.store_dump import counts, dump
from tests.two_builds import B37, B38, Block, bases, genome
from tests.vcf_files import vcf

R37, R38 = "NC_000001.10", "NC_000001.11"
RELATIONS = ("intersecting", "subsuming")


@pytest.fixture
def store(database: Database, tmp_path: Path) -> SmallStore:
    return SmallStore(database, tmp_path, NO_GENOME)


def sv(start: int, end: int, kind: str = "DEL", info: str = "", *, cell: str = "0/1", keys: str = "GT") -> str:
    """Return a record whose nominal interval is [start, end)."""
    return f"chr1 {start + 1} . N <{kind}> 50 PASS SVTYPE={kind};END={end}{info} {keys} {cell}"


def places(item: Item) -> list[tuple[int, int]]:
    """Return the outer interval of every variant of an answer."""
    ranges = [component(variant, "81301-4")["valueRange"] for variant in item.variants]
    return [(found["low"]["value"], found["high"]["value"]) for found in ranges]


def both(store: SmallStore, relation: str, *ranges: str, subject: str = "P1", **inputs: Any) -> list[bool]:
    """Return for each range whether a subject has a variant, after checking that the population says the same."""
    present = [item.present for item in store.structural(relation, subject, *ranges, **inputs)]
    counted = store.structural_population(relation, *ranges, include_patient_list=True)
    assert [subject in who for *_, who in counted] == present
    return present


# --- boundaries -------------------------------------------------------------------------------------------------------

EXACT = sv(1000, 2000)
FUZZY = sv(1000, 2000, info=";CIPOS=-10,20;CIEND=-30,40")
"""Outer [990, 2040), inner [1020, 1970)"""
POINT = "chr1 1000 . A <INS> 50 PASS SVTYPE=INS;SVLEN=300 GT 0/1"
"""Before base 1000"""
WINDOW = "chr1 1000 . A <INS> 50 PASS SVTYPE=INS;CIPOS=-10,20 GT 0/1"
"""Before any of the bases 990 to 1020"""
BREAKEND = "chr1 1001 . A A[chr1:5000[ 50 PASS SVTYPE=BND GT 0/1"
"""At base 1000"""

TOUCHING = [
    ("exact", EXACT, ["1000-1001", "1999-2000", "0-1001", "1999-3000", "1500-1500", "1000-1000"],
     ["999-1000", "0-1000", "2000-2001", "2000-2000", "999-999"]),
    ("uncertain ends", FUZZY, ["990-991", "2039-2040", "0-991", "2039-9000"], ["989-990", "2040-2041", "0-990"]),
    ("insertion", POINT, ["1000-1001", "999-1001", "1000-1000", "0-1001"], ["999-1000", "1001-1002", "999-999"]),
    ("uncertain insertion", WINDOW, ["990-991", "1020-1021", "0-991", "1020-1020"], ["989-990", "1021-1022"]),
    ("breakend", BREAKEND, ["1000-1001", "0-1001"], ["999-1000", "1001-1002", "4999-5001"]),
]  # fmt: skip


@pytest.mark.parametrize(("record", "hits", "misses"), [pytest.param(*row[1:], id=row[0]) for row in TOUCHING])
def test_a_range_is_touched_up_to_the_outer_ends(
    store: SmallStore, record: str, hits: Sequence[str], misses: Sequence[str]
) -> None:
    store.ingest(vcf(record))

    found = both(store, "intersecting", *(f"{R38}:{text}" for text in (*hits, *misses)))

    assert found == [True] * len(hits) + [False] * len(misses)


HOLDING = [
    ("nominal", FUZZY, ["1000-2000", "1001-1999", "1500-1500", "1000-1001"], ["999-2000", "1000-2001", "0-9000"]),
    ("inner", FUZZY, ["1020-1970"], ["1019-1970", "1020-1971"]),
    ("outer", FUZZY, ["990-2040"], ["989-2040", "990-2041"]),
    ("inner", sv(1000, 1020, info=";CIPOS=-5,15;CIEND=-9,0"), [], ["1010-1010", "1000-1020"]),
    ("nominal", POINT, [], ["1000-1000", "1000-1001", "999-1000"]),
    ("outer", WINDOW, [], ["1000-1001", "995-1010"]),
    ("nominal", BREAKEND, [], ["1000-1000", "1000-1001"]),
    ("nominal", sv(1000, 2000, "DUP"), ["1000-2000"], ["999-1000"]),
    ("nominal", sv(1000, 2000, "INV"), ["1000-2000"], ["999-1000"]),
    ("nominal", sv(1000, 2000, "CNV"), ["1000-2000"], ["999-1000"]),
]


@pytest.mark.parametrize(("mode", "record", "ranges"), [(mode, record, tuple(rest)) for mode, record, *rest in HOLDING])
def test_a_range_is_held_by_the_interval_that_the_setting_names(
    database: Database, tmp_path: Path, mode: str, record: str, ranges: tuple[Sequence[str], Sequence[str]]
) -> None:
    hits, misses = ranges
    store = SmallStore(database, tmp_path, NO_GENOME, sv_subsume=mode)
    store.ingest(vcf(record))

    found = both(store, "subsuming", *(f"{R38}:{text}" for text in (*hits, *misses)))

    assert found == [True] * len(hits) + [False] * len(misses)


def test_other_chromosomes_and_simple_variants_are_no_answer(store: SmallStore) -> None:
    store.ingest(vcf("chr1 1500 . A G 50 PASS . GT 0/1", sv(1000, 2000).replace("chr1", "chrX")))

    assert both(store, "intersecting", f"{R38}:1000-2000", "NC_000023.11:1500-1501") == [False, True]
    assert [item.spdis for item in store.in_ranges("P1", f"{R38}:0-5000", "NC_000023.11:0-5000")] == [
        [f"{R38}:1499:A:G"], [],
    ]  # fmt: skip


def test_a_long_exact_deletion_is_simple_and_structural(store: SmallStore) -> None:
    report = store.ingest(vcf(f"chr1 1001 . A{'C' * 60} A 50 PASS . GT 0/1"))

    assert both(store, "intersecting", f"{R38}:1060-1061", f"{R38}:1061-1062") == [True, False]
    assert both(store, "subsuming", f"{R38}:1010-1050") == [True]
    assert store.in_range("P1", f"{R38}:1010-1050").present
    assert (report.calls, report.structural_calls) == ((1,), 1)


def test_a_long_deletion_that_contradicts_the_reference_is_neither(database: Database, tmp_path: Path) -> None:
    sequence = bases(3, 200)
    store = SmallStore(database, tmp_path, genome([], {B38: [(1000, sequence)]}))
    right = f"chr1 1011 . {sequence[10:70]} {sequence[10]} 50 PASS . GT 0/1"
    other = "".join({"A": "C", "C": "G", "G": "T", "T": "A"}[base] for base in sequence[100:160])
    wrong = f"chr1 1101 . {other} {other[0]} 50 PASS . GT 0/1"

    report = store.ingest(vcf(right, wrong))

    assert both(store, "intersecting", f"{R38}:1030-1031", f"{R38}:1130-1131") == [True, False]
    assert (report.calls, report.structural_calls, report.tally.count("ref-mismatch")) == ((1,), 1, 1)


# --- whose, and which -------------------------------------------------------------------------------------------------


@pytest.fixture
def cohort(store: SmallStore) -> SmallStore:
    """Return a store of P1 and P2 with a deletion, P3 with it in a tumour only, P4 with nothing and P5 untested."""
    names = ("S1", "S2", "S4")
    shared = vcf(sv(1000, 2000, cell="0/1 1/1 0/0"), sv(5000, 6000, "DUP", cell="0/1 0/0 0/0"), samples=names)
    store.ingest(shared, "P1", "P2", "P4", test="T1", test_date="2024-02-03", specimen="SP-1")
    tumour = vcf(sv(1000, 2000), sv(8000, 9000, "INV"))
    store.ingest(tumour, "P3", test="T2", test_date="2025-02-03", specimen="SP-2", source_class=SourceClass.SOMATIC)
    bulk.store_subjects(store.database, [Subject("P5")], "test")
    return store


def test_everybody_is_counted_once(cohort: SmallStore) -> None:
    asked = [f"{R38}:{text}" for text in ("1500-1501", "0-9000", "5500-5501", "7000-7001", "1500-1501")]

    counted = cohort.structural_population("intersecting", *asked)
    named = cohort.structural_population("intersecting", *asked, include_patient_list=True)

    assert counted == [(text, n, 5, []) for text, n in zip(asked, (3, 3, 1, 0, 3), strict=True)]
    assert [who for *_, who in named] == [["P1", "P2", "P3"], ["P1", "P2", "P3"], ["P1"], [], ["P1", "P2", "P3"]]


@pytest.mark.parametrize("relation", RELATIONS)
def test_a_source_class_counts_its_calls_alone(cohort: SmallStore, relation: str) -> None:
    for source_class, who in ((SourceClass.GERMLINE, ["P1", "P2"]), (SourceClass.SOMATIC, ["P3"])):
        inputs = {"source_class": source_class, "include_patient_list": True}
        assert cohort.structural_population(relation, f"{R38}:1500-1501", **inputs)[0][3] == who
        present = [
            cohort.structural(relation, f"P{n}", f"{R38}:1500-1501", source_class=source_class)[0].present
            for n in range(1, 6)
        ]
        assert [f"P{n}" for n, found in enumerate(present, 1) if found] == who


@pytest.mark.parametrize(
    ("inputs", "present"),
    [
        ({"test_identifiers": ("T1",)}, True),
        ({"test_identifiers": ("T2",)}, False),
        ({"specimen_identifiers": ("SP-1",)}, True),
        ({"specimen_identifiers": ("SP-2",)}, False),
    ],
)
def test_filters_choose_the_tests(cohort: SmallStore, inputs: dict[str, Any], present: bool) -> None:
    for relation in RELATIONS:
        assert cohort.structural(relation, "P1", f"{R38}:1500-1501", **inputs)[0].present is present


def test_items_follow_the_order_of_the_ranges_and_variants_their_places(cohort: SmallStore) -> None:
    first, second, third = cohort.structural("intersecting", "P1", f"{R38}:5500-5501", f"{R38}:0-9000", f"{R38}:0-10")

    assert (places(first), places(second)) == ([(5000, 6000)], [(1000, 2000), (5000, 6000)])
    assert (third.present, third.variants) == (False, [])
    assert first.variants[0] == second.variants[1]


def test_variants_come_on_request_only(cohort: SmallStore) -> None:
    [item] = cohort.structural("intersecting", "P1", f"{R38}:0-9000", variants=False)

    assert (item.present, item.variants) == (True, [])


def test_too_many_variants_are_refused(database: Database, tmp_path: Path) -> None:
    store = SmallStore(database, tmp_path, NO_GENOME, max_answers=1)
    store.ingest(vcf(sv(1000, 2000), sv(1000, 2001)))

    with pytest.raises(TooCostly, match=r"2 variants, the limit .* is 1"):
        store.structural("intersecting", "P1", f"{R38}:1500-1501")
    assert store.structural("intersecting", "P1", f"{R38}:1500-1501", variants=False)[0].present


def test_a_subject_of_several_tests_is_counted_once(store: SmallStore) -> None:
    for test in ("T1", "T2"):
        store.ingest(vcf(sv(1000, 2000)), "P1", test=test)

    assert store.structural_population("subsuming", f"{R38}:1500-1501") == [(f"{R38}:1500-1501", 1, 1, [])]
    assert len(store.structural("subsuming", "P1", f"{R38}:1500-1501")[0].variants) == 2
    assert counts(store.database)["structural_site"] == 1


@pytest.mark.parametrize("people", [1, 40])
def test_an_answer_takes_a_fixed_number_of_statements(store: SmallStore, people: int) -> None:
    names = tuple(f"S{n}" for n in range(people))
    records = [sv(1000 + n, 2000, cell=" ".join(["0/1"] * people)) for n in range(people)]
    store.ingest(vcf(*records, samples=names), *(f"P{n}" for n in range(1, people + 1)))

    store.context.consent.now()  # read once for each state of the store

    with counted(store.database) as of_subject:
        [item] = store.structural("intersecting", "P1", f"{R38}:1500-1501")
    with counted(store.database) as of_all:
        [found] = store.structural_population("subsuming", f"{R38}:1500-1501", include_patient_list=True)

    assert (len(item.variants), len(found[3])) == (people, people)
    # PostgreSQL has no other way to tell whether anything changed than to ask for it.
    assert len(of_subject) == (3 if store.database.is_sqlite else 4), of_subject
    assert len(of_all) <= 6, "\n".join(of_all)


# --- both builds ------------------------------------------------------------------------------------------------------

SHIFTED = Block(10_000, 60_000, 20_000)
TURNED = Block(40_000, 90_000, 10_000, reverse=True)
"""Base 40,000 of GRCh37 is base 99,999 of GRCh38"""
AFTER_GAP = Block(30_010, 80_010, 5_000)
TWO = genome([SHIFTED, AFTER_GAP, TURNED], {})


def on_37(start: int, end: int, **options: Any) -> str:
    return vcf(sv(start, end, **options), build=B37)


@pytest.fixture
def lifted(database: Database, tmp_path: Path) -> SmallStore:
    return SmallStore(database, tmp_path, TWO)


@pytest.mark.parametrize("relation", RELATIONS)
def test_a_range_is_compared_with_the_place_on_its_own_build(lifted: SmallStore, relation: str) -> None:
    lifted.ingest(on_37(12_000, 13_000), build=B37)

    asked = (f"{R37}:12000-13000", f"{R38}:62000-63000", f"{R38}:12000-13000", f"{R37}:62000-63000")
    assert both(lifted, relation, *asked) == [True, True, False, False]


def test_uncertainty_is_lifted_too_and_turned_where_the_strand_is(lifted: SmallStore) -> None:
    lifted.ingest(on_37(42_000, 43_000, info=";CIPOS=-10,20;CIEND=-30,40"), build=B37)

    # 41,990-43,040 on GRCh37
    hits, misses = ("96960-96961", "98009-98010"), ("96959-96960", "98010-98011")
    assert both(lifted, "intersecting", *(f"{R38}:{text}" for text in (*hits, *misses))) == [True, True, False, False]
    held = both(lifted, "subsuming", f"{R38}:97000-98000", f"{R38}:96999-98000", f"{R38}:97000-98001")
    assert held == [True, False, False]
    [variant] = lifted.structural("intersecting", "P1", f"{R38}:96960-96961")[0].variants
    assert component(variant, "48013-7")["valueCodeableConcept"]["coding"][0]["code"] == R37
    assert component(variant, "81301-4")["valueRange"] == {"low": {"value": 41_990}, "high": {"value": 43_040}}


def test_an_insertion_is_lifted_as_the_seam_of_two_bases(lifted: SmallStore) -> None:
    record = "chr1 {} . A <INS> 50 PASS SVTYPE=INS;CIPOS=-2,3 GT 0/1"
    lifted.ingest(vcf(record.format(12_000), record.format(42_000), build=B37), build=B37)

    hits = ("61998-61999", "62003-62004", "97997-97998", "98002-98003")
    misses = ("61997-61998", "62004-62005", "97996-97997", "98003-98004")
    found = both(lifted, "intersecting", *(f"{R38}:{text}" for text in (*hits, *misses)))
    assert found == [True] * 4 + [False] * 4


@pytest.mark.parametrize("relation", RELATIONS)
def test_what_has_no_place_is_compared_with_the_lifted_range(lifted: SmallStore, relation: str) -> None:
    lifted.ingest(on_37(8_000, 13_000), build=B37)  # it begins before the chain's block

    assert both(lifted, relation, f"{R37}:12000-12001", f"{R38}:62000-62001", f"{R38}:64000-64001") == [
        True,
        True,
        False,
    ]


@pytest.mark.parametrize("relation", RELATIONS)
def test_only_what_has_no_place_makes_a_range_fail_that_cannot_be_lifted(lifted: SmallStore, relation: str) -> None:
    nowhere = f"{R38}:200000-200001"
    lifted.ingest(on_37(12_000, 13_000), "P1", build=B37)
    assert both(lifted, relation, nowhere) == [False]

    lifted.ingest(on_37(8_000, 13_000), "P2", build=B37)

    assert lifted.structural(relation, "P1", nowhere)[0].present is False
    for ask in (
        lambda: lifted.structural(relation, "P2", nowhere),
        lambda: lifted.structural_population(relation, nowhere),
    ):
        with pytest.raises(LiftoverFailed, match="Failed LiftOver"):
            ask()
    assert lifted.structural_population(relation, nowhere, source_class=SourceClass.SOMATIC)[0][1] == 0
    assert lifted.structural_population(relation, "NC_000002.12:200000-200001")[0][1] == 0


@pytest.mark.parametrize(
    ("name", "inputs"),
    [
        ("find-population-structural-intersecting-variants", {}),
        ("find-subject-structural-intersecting-variants", {"subject": "P1"}),
    ],
)
def test_a_range_that_was_widened_is_told(lifted: SmallStore, name: str, inputs: dict[str, Any]) -> None:
    lifted.ingest(on_37(8_000, 25_000), build=B37)
    notes = []

    # The second one ends where the builds have no counterpart.
    for text in (f"{R38}:70000-79000", f"{R38}:70000-80005"):
        asked = OperationInputs(ranges=(RangeInput(text, parse_range(text)),), **inputs)
        item = json.loads(lifted.context.answer(name, asked))["parameter"][0]["part"][0]
        notes.append(item["extension"][0]["valueAnnotation"]["text"] if "extension" in item else None)

    first, second = notes
    assert first is None
    assert f"compared with {R37}:20000-30013" in str(second)


def test_mitochondrial_variants_are_on_both_builds(store: SmallStore) -> None:
    store.ingest(vcf("chrM 1001 . N <DEL> 50 PASS SVTYPE=DEL;END=2000 GT 1", build=B37), build=B37)

    assert both(store, "subsuming", "NC_012920.1:1500-1501") == [True]


def test_a_site_keeps_one_place_whoever_brings_it(database: Database, tmp_path: Path) -> None:
    SmallStore(database, tmp_path, NO_GENOME).ingest(on_37(12_000, 13_000), "P1", build=B37, name="before.vcf")
    store = SmallStore(database, tmp_path, TWO)
    store.ingest(on_37(12_000, 13_000), "P2", build=B37, name="after.vcf")

    for subject in ("P1", "P2"):
        assert both(store, "subsuming", f"{R38}:62000-63000", f"{R38}:63000-63001", subject=subject) == [True, False]
        with pytest.raises(LiftoverFailed):
            store.structural("subsuming", subject, f"{R38}:200000-200001")
    with pytest.raises(LiftoverFailed):
        store.structural_population("subsuming", f"{R38}:200000-200001")


# --- what an observation says -----------------------------------------------------------------------------------------


def the_one(store: SmallStore, record: str, text: str = f"{R38}:0-100000", **options: Any) -> dict[str, Any]:
    store.ingest(vcf(record), **options)
    [variant] = store.structural("intersecting", "P1", text)[0].variants
    return variant


def test_a_call_is_found_again_by_the_id_of_its_observation(store: SmallStore) -> None:
    store.ingest(vcf(sv(1000, 2000), sv(1000, 2000), sv(1000, 2000, "DUP"), sv(1000, 2001)))
    variants = store.structural("intersecting", "P1", f"{R38}:0-9000")[0].variants

    assert len({variant["id"] for variant in variants}) == 4
    assert [store.read(variant["id"]) for variant in variants] == variants
    id_ = variants[0]["id"]
    for other in (
        f"{id_}.9",
        id_.replace("-s", "-"),
        id_.replace("-1-1000", "-2-1000"),
        "dv-" + "0" * 16 + id_[19:],
    ):
        assert store.read(other) is None


def test_ids_do_not_depend_on_the_question(store: SmallStore) -> None:
    store.ingest(vcf(sv(1000, 2000), sv(1000, 2000), sv(3000, 4000)))

    wide = store.structural("intersecting", "P1", f"{R38}:0-9000")[0].variants
    narrow = store.structural("subsuming", "P1", f"{R38}:1500-1501")[0].variants
    assert wide[:2] == narrow


@pytest.mark.parametrize(
    ("contig", "start", "state"),
    [
        ("chrX", 20_000_000, "hemizygous"),
        ("chrX", 100_000, "homozygous"),
        ("chrX", 2_781_000, None),
        ("chr1", 1000, "homozygous"),
    ],
)
def test_a_male_has_one_copy_outside_the_pseudoautosomal_regions(
    store: SmallStore, contig: str, start: int, state: str | None
) -> None:
    store.ingest(vcf(sv(start, start + 1000, cell="1/1").replace("chr1 ", f"{contig} ")))
    store.sex("P1", Sex.MALE)
    ref_seq = R38 if contig == "chr1" else "NC_000023.11"

    [variant] = store.structural("intersecting", "P1", f"{ref_seq}:{start}-{start + 1}")[0].variants

    found = component(variant, "53034-5")
    assert (found["valueCodeableConcept"]["coding"][0]["display"] if found else None) == state


def test_breakends_name_their_mates(store: SmallStore) -> None:
    record = "chr1 1001 bnd_1 A A[chr13:32900000[ 50 q10 SVTYPE=BND;MATEID=bnd_2;EVENT=ev GT 0/1"

    variant = the_one(store, record, keep_filtered=True)

    assert [note["text"] for note in variant["note"]] == [
        "Breakend A[chr13:32900000[, ID bnd_1, MATEID bnd_2, EVENT ev", "Filters not passed: q10",
    ]  # fmt: skip
    assert component(variant, "53034-5") == {}


def test_what_has_no_element_is_said_in_notes(store: SmallStore) -> None:
    variant = the_one(store, "chr1 1001 . A <INS> 50 PASS SVTYPE=INS;SVLEN=300;IMPRECISE GT 0/1")

    assert [note["text"] for note in variant["note"]] == ["Inserted bases: 300", "Reported as imprecise"]
    assert component(variant, "69551-0") == {}


# --- storing and removing ---------------------------------------------------------------------------------------------

MIXED = vcf(
    "chr1 100 . A G 50 PASS . GT 0/1", sv(1000, 2000), sv(1000, 2000), POINT, BREAKEND, sv(3000, 4000, cell="0/0")
)


def test_the_same_file_again_adds_nothing(store: SmallStore) -> None:
    job = store.file(MIXED)
    [report] = store.store(job)
    before = dump(store.database)

    [again] = store.store(job)

    assert dump(store.database) == before
    assert (report.calls, report.structural_calls) == ((5,), 4)
    assert (again.is_repeated, again.structural_calls) == (True, 4)


def test_replacing_withdraws_what_was_there(store: SmallStore) -> None:
    store.ingest(MIXED, "P1", test="T1")
    store.store(store.file(vcf(sv(5000, 6000)), "P1", test="T1"), replace=True)

    assert both(store, "intersecting", f"{R38}:1500-1501", f"{R38}:5500-5501") == [False, True]
    kept = counts(store.database)
    assert (kept["structural_site"], kept["structural_chunk"], kept["structural_place"]) == (1, 1, 1)


def test_a_refused_file_leaves_nothing(store: SmallStore) -> None:
    before = dump(store.database)
    records = [f"chr{c} 1000 . N <DEL> 50 PASS SVTYPE=DEL;END={end} GT 0/1" for c, end in (("1", 2000), ("X", 10))]

    with pytest.raises(Exception, match="before POS"):
        store.ingest(vcf(*records))

    assert dump(store.database) == before


def test_an_erased_subject_leaves_no_structural_trace(store: SmallStore) -> None:
    store.ingest(vcf(sv(1000, 2000)), "P2")
    before = dump(store.database)
    store.ingest(MIXED, "P1", test="canary-1")

    bulk.erase_subject(store.database, "P1")

    after = dump(store.database)
    for table in ("structural_site", "structural_chunk", "structural_place", "carrier_page", "call_set"):
        assert after[table] == before[table], table
    assert store.structural_population("intersecting", f"{R38}:0-9000", include_patient_list=True)[0][1:] == (
        1,
        1,
        ["P2"],
    )
