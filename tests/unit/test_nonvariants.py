"""Absent and No call: each only where a test says so, and nothing where nothing is known."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from app.errors import TooCostly
from app.fhir.nonvariant import NonVariant, nonvariant_resource
from app.fhir.parameters import OperationInputs
from app.fhir.validate import problems
from app.records import Build, SourceClass
from app.store import bulk
from app.store.session import Database
from app.store.studies import StudyFacts
from app.store.subjects import Subject
from app.variants.regions import stretches
from tests.profile_validator import Validate
from tests.small_store import Item, SmallStore, component, spdis_of
from tests.two_builds import Block, bases, genome
from tests.vcf_files import vcf

ABSENT, NO_CALL = "LA9634-2", "LA18198-4"
ON_37, ON_38 = "NC_000001.10", "NC_000001.11"
BASES = "C" * 10 + "A" * 80 + "C" * 10 + bases(7, 1_900)
"""There is one long homopolymer"""
UNLIKE = BASES[:600] + ("C" if BASES[600] != "C" else "G") + BASES[601:]
"""GRCh37 has another base at 600"""


@pytest.fixture
def store(database: Database, tmp_path: Path) -> SmallStore:
    sequences = {Build.GRCH37: [(0, UNLIKE)], Build.GRCH38: [(1_000, BASES)]}
    return SmallStore(database, tmp_path, genome([Block(0, 1_000, 2_000)], sequences))


def at38(place: int) -> int:
    """Return the place on GRCh38 of a base of the sequence."""
    return place + 1_000


def other(place: int, n: int = 1) -> str:
    """Return the n-th base that the sequence does not have at a place."""
    return [letter for letter in "ACGT" if letter != BASES[place]][n - 1]


def line(place: int, alt: str, genotype: str, *, ref: str | None = None, filters: str = "PASS") -> str:
    """Return a record of GRCh38."""
    return f"chr1 {at38(place) + 1} . {ref or BASES[place]} {alt} 50 {filters} . GT {genotype}"


def block(start: int, end: int, genotype: str = "0/0") -> str:
    """Return a reference block of GRCh38."""
    return f"chr1 {at38(start) + 1} . {BASES[start]} <NON_REF> . . END={at38(end)} GT {genotype}"


def snv(place: int, alt: str | None = None, build: Build = Build.GRCH38) -> str:
    """Return an SPDI."""
    if build is Build.GRCH37:
        return f"{ON_37}:{place}:{UNLIKE[place]}:{alt or other(place)}"
    return f"{ON_38}:{at38(place)}:{BASES[place]}:{alt or other(place)}"


def said(item: Item) -> list[str]:
    """Return the value codes of an answer's Observations."""
    return [variant["valueCodeableConcept"]["coding"][0]["code"] for variant in item.variants]


def of(store: SmallStore, variant: str, **inputs: Any) -> list[str]:
    """Ask for one variant, whose presence must not come from what is said of its absence."""
    [item] = store.specific("P1", variant, include_non_variants=True, **inputs)
    assert item.present is ("LA9633-4" in said(item))
    return said(item)


def of_range(store: SmallStore, start: int, end: int, **inputs: Any) -> list[tuple[str, int, int]]:
    """Ask for one range of GRCh38 and return what is said beside the calls, with its places in the sequence."""
    [item] = store.in_ranges("P1", f"{ON_38}:{at38(start)}-{at38(end)}", include_non_variants=True, **inputs)
    found = []
    for variant, code in zip(item.variants, said(item), strict=True):
        if code != "LA9633-4":
            place = component(variant, "81254-5")["valueRange"]
            found.append((code, place["low"]["value"] - 1_000, place["high"]["value"] - 1_000))
    return found


GVCF = vcf(
    block(0, 300),
    line(300, f"{other(300)},<NON_REF>", "0/1"),
    block(301, 400),
    block(400, 420, "./."),
    line(500, f"{other(500)},<NON_REF>", "./1"),
    line(501, f"{other(501)},<NON_REF>", "1/2"),
    block(550, 650),
)


# --- one variant ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("variant", "expected"),
    [
        pytest.param(snv(200), [ABSENT], id="in a reference block"),
        pytest.param(snv(200, build=Build.GRCH37), [ABSENT], id="asked on the other build"),
        pytest.param(snv(300), ["LA9633-4"], id="called"),
        pytest.param(snv(300, other(300, 2)), [ABSENT], id="another allele, fully called"),
        pytest.param(snv(410), [NO_CALL], id="in a block without a call"),
        pytest.param(snv(450), [], id="between the blocks"),
        pytest.param(snv(500, other(500, 2)), [NO_CALL], id="another allele, half called"),
        pytest.param(snv(501, other(501, 2)), [NO_CALL], id="beside an allele without a name"),
        pytest.param(
            f"{ON_38}:{at38(398)}:{BASES[398:402]}:", [NO_CALL], id="a deletion that reaches an uncalled base"
        ),
        pytest.param(f"{ON_38}:{at38(548)}:{BASES[548:552]}:", [NO_CALL], id="a deletion that is covered in part"),
        pytest.param(f"{ON_38}:{at38(299)}:{BASES[299:301]}:", [NO_CALL], id="a deletion of a called base"),
        pytest.param(f"{ON_38}:{at38(200)}:{BASES[200]}:{BASES[200]}", [], id="no change at all"),
        pytest.param(f"{ON_38}:{at38(50)}:A:", [ABSENT], id="a deletion in a repeat that is all covered"),
        pytest.param(snv(600, UNLIKE[600]), [ABSENT], id="a base of the other build, called on this one"),
        pytest.param(snv(600, BASES[600], Build.GRCH37), [], id="the usual base here, a change there"),
    ],
)
def test_a_gvcf_says_of_a_variant_what_its_blocks_and_calls_say(
    store: SmallStore, variant: str, expected: list[str]
) -> None:
    store.ingest(GVCF)

    assert of(store, variant) == expected
    assert [item.variants for item in store.specific("P1", variant) if not item.present] in ([], [[]])


def test_an_insertion_needs_the_bases_on_both_sides(store: SmallStore) -> None:
    place = next(at for at in range(310, 390) if BASES[at - 1] != BASES[at])
    letter = next(base for base in "ACGT" if base not in (BASES[place - 1], BASES[place]))
    insertion = f"{ON_38}:{at38(place)}::{letter}"
    for test, last in (("both", place + 1), ("one", place), ("none", place - 1)):
        store.ingest(vcf(block(200, last)), test=test, test_date="2024")

    assert of(store, insertion, test_identifiers=("both",)) == [ABSENT]
    assert of(store, insertion, test_identifiers=("one",)) == [NO_CALL]
    assert of(store, insertion, test_identifiers=("none",)) == []


def test_the_repeat_of_a_change_must_be_covered_to_its_ends(store: SmallStore) -> None:
    store.ingest(vcf(block(10, 60)))

    assert of(store, f"{ON_38}:{at38(50)}:A:") == [NO_CALL]
    assert of(store, snv(50)) == [ABSENT]


def test_a_call_of_a_longer_change_that_has_the_base_in_it_leaves_it_open(store: SmallStore) -> None:
    double = other(250) + other(251)
    store.ingest(vcf(block(200, 300), line(250, double, "0/1", ref=BASES[250:252])))

    assert of(store, snv(250)) == of(store, snv(251)) == [NO_CALL]
    assert of(store, snv(252)) == [ABSENT]


def test_an_insertion_that_is_called_beside_a_base_does_not_change_it(store: SmallStore) -> None:
    place = next(at for at in range(210, 290) if BASES[at - 1] != BASES[at])
    letter = next(base for base in "ACGT" if base not in (BASES[place - 1], BASES[place]))
    store.ingest(vcf(block(200, 300), line(place - 1, BASES[place - 1] + letter, "0/1")))

    assert of(store, snv(place)) == [ABSENT]


def test_records_of_any_vcf_speak_for_their_own_places(store: SmallStore) -> None:
    store.ingest(
        vcf(
            line(200, other(200), "0/0"),
            line(210, other(210), "./."),
            line(220, other(220), "0/1", filters="LowQ"),
            line(230, f"{other(230)},{other(230, 2)}", "1/2"),
        )
    )

    assert of(store, snv(200)) == [ABSENT]
    assert of(store, snv(201)) == []
    assert of(store, snv(210)) == [NO_CALL]
    assert of(store, snv(220)) == [NO_CALL]
    assert of(store, snv(230, other(230, 3))) == [ABSENT]


def test_a_bed_file_does_not_make_a_rejected_or_missing_call_absent(store: SmallStore) -> None:
    job = store.file(vcf(line(210, other(210), "./."), line(220, other(220), "0/1", filters="LowQ")))
    job.samples[0].regions["studied"] = {1: stretches([(at38(100), at38(300))])}
    job.samples[0].regions["uncallable"] = {1: stretches([(at38(250), at38(260))])}
    store.store(job)

    assert [of(store, snv(place)) for place in (205, 210, 220, 255, 305)] == [
        [ABSENT],
        [NO_CALL],
        [NO_CALL],
        [NO_CALL],
        [],
    ]


def test_a_file_read_for_several_samples_says_nothing_of_absence(store: SmallStore) -> None:
    text = vcf(f"{line(200, other(200), '0/1')} ./.", samples=("A", "B"))
    job = store.file(text, "P2", "P1")
    for sample in job.samples:
        sample.regions["studied"] = {1: stretches([(at38(100), at38(300))])}
    store.store(job)

    assert of(store, snv(200)) == of(store, snv(201)) == []
    assert of_range(store, 150, 250) == []


def test_a_test_without_calls_has_what_its_bed_file_says(store: SmallStore) -> None:
    facts = StudyFacts("T1", Build.GRCH38, "2024-02-03", "SP-1", None, "SNV;MNV")
    bulk.declare_studies(store.database, [(Subject("P1"), facts, {"studied": {1: stretches([(1_000, 1_300)])}})])

    [item] = store.specific("P1", snv(200), include_non_variants=True)

    [found] = item.variants
    assert said(item) == [ABSENT]
    assert (found["effectiveDateTime"], found["specimen"]["identifier"]["value"]) == ("2024-02-03", "SP-1")
    assert of(store, f"{ON_38}:{at38(200)}:{BASES[200]}:") == []  # such a test finds no deletions
    assert of(store, snv(300)) == []


@pytest.mark.parametrize(
    ("types", "snvs", "deletions", "ranges"),
    [
        (None, 1, 1, 1),
        ("SNV", 1, 0, 1),
        ("DEL;CNV", 0, 1, 0),
        ("delins", 0, 1, 0),
        ("SO:0001483", 1, 0, 1),
        ("x", 0, 0, 0),
    ],
)
def test_absence_is_told_of_what_the_test_can_detect(
    store: SmallStore, types: str | None, snvs: int, deletions: int, ranges: int
) -> None:
    facts = StudyFacts("T1", Build.GRCH38, None, None, None, types)
    bulk.declare_studies(store.database, [(Subject("P1"), facts, {"studied": {1: stretches([(1_000, 1_400)])}})])

    assert of(store, snv(200)) == [ABSENT] * snvs
    assert of(store, f"{ON_38}:{at38(200)}:{BASES[200]}:") == [ABSENT] * deletions
    assert len(of_range(store, 200, 300)) == ranges


def test_every_test_speaks_for_itself_and_filters_choose_who_does(store: SmallStore) -> None:
    store.ingest(vcf(block(0, 300)), test="A", test_date="2021", specimen="S1")
    store.ingest(vcf(block(0, 300, "./.")), test="B", test_date="2022", source_class=SourceClass.SOMATIC)
    store.ingest(vcf(line(200, other(200), "0/1")), test="C", test_date="2023")

    assert of(store, snv(200)) == ["LA9633-4", ABSENT, NO_CALL]
    assert of(store, snv(200), test_identifiers=("A",)) == of(store, snv(200), specimen_identifiers=("S1",)) == [ABSENT]
    assert of(store, snv(200), source_class=SourceClass.SOMATIC) == [NO_CALL]


def test_what_a_place_of_which_no_base_is_known_is_like_stays_open(database: Database, tmp_path: Path) -> None:
    blind = SmallStore(database, tmp_path, genome([Block(0, 1_000, 2_000)]))
    blind.ingest(vcf(block(0, 300)))

    assert of(blind, snv(200)) == [ABSENT]
    # On the other build the usual base may be just this one; a deletion may have other spellings.
    assert of(blind, f"{ON_37}:200:{UNLIKE[200]}:{other(200)}") == []
    assert of(blind, f"{ON_38}:{at38(200)}:{BASES[200]}:") == []


# --- a range ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        pytest.param(100, 290, [(ABSENT, 100, 290)], id="covered, no call"),
        pytest.param(250, 350, [], id="covered, with a call: nothing to add"),
        pytest.param(350, 430, [(NO_CALL, 400, 430)], id="covered in part"),
        pytest.param(405, 410, [(NO_CALL, 405, 410)], id="uncallable"),
        pytest.param(430, 490, [], id="never looked at"),
        pytest.param(490, 510, [(NO_CALL, 490, 510)], id="incomplete calls"),
        pytest.param(200, 200, [(ABSENT, 200, 201)], id="an empty range is its base"),
    ],
)
def test_a_gvcf_says_of_a_range_what_its_blocks_and_calls_say(
    store: SmallStore, start: int, end: int, expected: list[tuple[str, int, int]]
) -> None:
    store.ingest(GVCF)

    assert of_range(store, start, end) == expected


def test_single_records_leave_the_rest_of_a_range_open(store: SmallStore) -> None:
    store.ingest(vcf(line(200, other(200), "0/0"), line(210, other(210), "./.")))

    assert of_range(store, 200, 201) == [(ABSENT, 200, 201)]
    assert of_range(store, 195, 205) == []
    assert of_range(store, 195, 215) == [(NO_CALL, 210, 211)]


def test_a_range_of_the_other_build_is_told_on_the_build_of_the_test(store: SmallStore) -> None:
    store.ingest(GVCF)

    [item] = store.in_ranges("P1", f"{ON_37}:100-200", "NC_000002.11:5-6", include_non_variants=True)[:1]

    [found] = item.variants
    assert component(found, "48013-7")["valueCodeableConcept"]["coding"][0]["code"] == ON_38
    assert component(found, "81254-5")["valueRange"] == {"low": {"value": 1_100}, "high": {"value": 1_200}}


def test_they_stand_between_variants_and_phases_and_need_no_variants(store: SmallStore) -> None:
    phased = [line(place, other(place), "0|1") for place in (250, 260)]
    store.ingest(vcf(*phased, block(300, 400, "./.")).replace("GT 0|1", "GT:PS 0|1:1"), phased_contigs=True)
    asked = f"{ON_38}:{at38(240)}-{at38(320)}"

    [item] = store.in_ranges("P1", asked, include_non_variants=True, include_phasing=True)
    [bare] = store.in_ranges("P1", asked, include_non_variants=True, variants=False)

    assert said(item) == ["LA9633-4", "LA9633-4", NO_CALL]
    assert len(item.phases) == 1
    assert (bare.present, said(bare)) == (True, [NO_CALL])


# --- the resource -----------------------------------------------------------------------------------------------------


def test_a_variant_is_named_on_both_builds_and_a_range_by_its_place(store: SmallStore) -> None:
    store.ingest(GVCF)
    [item] = store.specific("P1", snv(200), include_non_variants=True)

    [found] = item.variants

    assert spdis_of(found) == [snv(200), snv(200, build=Build.GRCH37)]
    hgvs = component(found, "81290-9")["valueCodeableConcept"]["coding"][0]["code"]
    assert hgvs == f"{ON_38}:g.{at38(200) + 1}{BASES[200]}>{other(200)}"
    assert component(found, "62374-4")["valueCodeableConcept"]["coding"][0]["display"] == "GRCh38"


def observed(store: SmallStore) -> list[dict[str, Any]]:
    """Return what is said in a store of many forms."""
    store.ingest(GVCF, test="gvcf", test_date="2024-02-03", specimen="S")
    facts = StudyFacts("bed", Build.GRCH37)
    bulk.declare_studies(store.database, [(Subject("P1"), facts, {"studied": {1: stretches([(0, 300)])}})])
    long = f"{ON_38}:{at38(120)}:{BASES[120:170]}:"
    variants = [snv(200), snv(410), f"{ON_38}:{at38(50)}:A:", long, f"{ON_38}:{at38(150)}::TTTTT"]
    asked = store.specific("P1", *variants, include_non_variants=True)
    asked += store.in_ranges("P1", f"{ON_38}:1100-1200", f"{ON_38}:1390-1410", include_non_variants=True)
    return [variant for item in asked for variant in item.variants]


def test_every_form_is_valid_and_has_an_id_of_its_own(store: SmallStore) -> None:
    found = observed(store)

    assert len(found) >= 10
    assert [problems(resource) for resource in found] == [[]] * len(found)
    ids = [resource["id"] for resource in found]
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"dv-[A-Za-z0-9.-]{1,61}", id_) for id_ in ids)


@pytest.mark.parametrize("absent", [True, False])
@pytest.mark.parametrize("spdis", [(), (f"{ON_38}:5:A:G", f"{ON_37}:5:A:G")])
def test_every_form_keeps_to_the_profile(against_profiles: Validate, absent: bool, spdis: tuple[str, ...]) -> None:
    for date in ("2024-02-03", None):
        told = NonVariant(
            "dv-s1-1-5-nA.G", "P1", "gs-0123456789abcdef", date, "S" if date else None, Build.GRCH38, ON_38, absent,
            5, 6, spdis, f"{ON_38}:g.6A>G" if spdis else None, () if absent else ("DEL of test T1",),
        )  # fmt: skip
        assert against_profiles(nonvariant_resource(told)) == []


def test_an_id_leads_back_to_its_observation(store: SmallStore) -> None:
    found = observed(store)

    read = [store.read(resource["id"]) for resource in found]

    digests = ["-nx" in resource["id"] for resource in found]
    assert any(digests)
    assert [one is None for one in read] == digests  # nobody has the long deletion
    assert [one for one in read if one is not None] == [
        resource for resource, digest in zip(found, digests, strict=True) if not digest
    ]


def test_a_digest_leads_back_to_a_change_that_somebody_has(store: SmallStore) -> None:
    deletions = [line(9, "C", "0/1", ref="CA"), line(119, BASES[119], "0/1", ref=BASES[119:170])]
    store.ingest(vcf(*deletions), "P2")
    found = observed(store)

    for resource in found:
        assert store.read(resource["id"]) == resource


def test_an_id_of_nothing_is_nothing(store: SmallStore) -> None:
    store.ingest(GVCF)
    [item] = store.specific("P1", snv(200), include_non_variants=True)
    id_ = item.variants[0]["id"]
    uid = id_.split("-")[1]

    for unknown in (
        "dv-1",
        id_ + "-",
        id_.replace(uid, "0" * 16),
        f"dv-s0-{id_.split('-', 2)[2]}",  # the test has calls, so its number is not its name
        id_.replace(f"-{at38(200)}-", f"-{at38(450)}-"),
        f"dv-{uid}-99-5-nr9",
        f"dv-{uid}-1-5-nx{'0' * 16}",
    ):
        assert store.read(unknown) is None


def test_too_many_statements_are_refused(database: Database, tmp_path: Path) -> None:
    store = SmallStore(database, tmp_path, max_answers=3)
    for test in ("A", "B"):
        store.ingest(GVCF, test=test)

    assert len(store.specific("P1", snv(200), include_non_variants=True)[0].variants) == 2
    with pytest.raises(TooCostly, match="OPERON_MAX_ANSWERS"):
        store.specific("P1", snv(200), snv(201), include_non_variants=True)


def test_without_the_flag_an_answer_is_what_it_was(store: SmallStore) -> None:
    store.ingest(GVCF)
    answer = json.loads(
        store.context.answer("find-subject-specific-variants", OperationInputs(subject="P1", variants=((snv(200),),)))
    )

    assert [part["name"] for part in answer["parameter"][0]["part"]] == ["variantItem", "presence"]
