"""REF of structural records is held against the reference sequence, as that of small variants is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from app.errors import BadFile
from app.records import StructuralKind
from app.store.session import Database
from app.variants.placed_batch import CONTRADICTS, EQUAL, NOT_LOADED
from app.variants.reference import InMemoryReference
from ingest.structural_reference import check_ref, position_of
from tests.fhir_files import bundle, coded, store_fhir, variant
from tests.small_store import SmallStore
from tests.two_builds import B38, bases, genome
from tests.vcf_files import vcf

CHR1 = "NC_000001.11"
BASES = bases(3, 400)
AT = 1_000
"""Where the sequence begins; nothing else is loaded"""


@pytest.fixture
def store(database: Database, tmp_path: Path) -> SmallStore:
    return SmallStore(database, tmp_path, genome([], {B38: [(AT, BASES)]}))


def unlike(text: str) -> str:
    return text.translate(str.maketrans("ACGT", "CGTA"))


def right(place: int, size: int = 1) -> str:
    return BASES[place : place + size]


SMALL = [f"chr1 {AT + at + 1} . {right(at)} {unlike(right(at))} 50 PASS . GT 0/1" for at in range(300, 320)]
"""Enough records that are right, so that a wrong one is an error of its own"""


def record(place: int, ref: str, alt: str, info: str) -> str:
    return f"chr1 {AT + place + 1} . {ref} {alt} 50 PASS {info} GT 0/1"


FORMS = [
    ("symbolic DEL", 1, "<DEL>", "SVTYPE=DEL;END=1350"),
    ("symbolic DUP with an uncertain end", 1, "<DUP>", "SVTYPE=DUP;END=1350;CIEND=-9,9"),
    ("symbolic INV with three bases", 3, "<INV>", "SVTYPE=INV;END=1350"),
    ("symbolic CNV", 1, "<CNV>", "SVTYPE=CNV;END=1350"),
    ("symbolic INS", 1, "<INS>", "SVTYPE=INS;SVLEN=300"),
    ("mobile INS", 1, "<INS:ME:ALU>", "SVTYPE=INS"),
    ("breakend", 1, "{ref}[chr1:9000[", "SVTYPE=BND"),
    ("DEL of bases", 70, "{first}", "SVTYPE=DEL"),
    ("DEL of bases with uncertain ends", 70, "{first}", "SVTYPE=DEL;IMPRECISE;CIPOS=-9,9"),
    ("INS of bases", 1, "{ref}TTTTTTTT", "SVTYPE=INS"),
    ("INS of bases for others", 4, "{first}GGGGGGG", "SVTYPE=INS"),
]


@pytest.mark.parametrize(("size", "alt", "info"), [pytest.param(*form[1:], id=form[0]) for form in FORMS])
@pytest.mark.parametrize("is_right", [True, False])
def test_a_record_whose_ref_contradicts_the_reference_is_left_out_and_reported(
    store: SmallStore, size: int, alt: str, info: str, is_right: bool
) -> None:
    ref = right(100, size) if is_right else right(100, size - 1) + unlike(right(100 + size - 1))
    structural = record(100, ref, alt.format(ref=ref, first=ref[0]), info)

    report = store.ingest(vcf(structural, *SMALL))

    [item] = store.structural("intersecting", "P1", f"{CHR1}:0-2000")
    assert item.present is is_right
    assert (report.structural_calls, report.calls) == (int(is_right), (20 + is_right,))
    assert report.tally.count("ref-mismatch") == (not is_right)
    assert [entry.lines_1based for entry in report.tally.entries.values()] == [[11]] * (not is_right)


UNSURE = [
    ("<DEL>", "SVTYPE=DEL;END=1350;CIPOS=-9,0"),
    ("<DEL>", "SVTYPE=DEL;END=1350;CIPOS=0,9"),
    ("<DEL>", "SVTYPE=DEL;END=1350;CIPOS=-200,200;CIEND=-200,200"),
    ("<DUP>", "SVTYPE=DUP;END=1350;IMPRECISE"),
    ("<INS>", "SVTYPE=INS;CIPOS=-5,30"),
    ("{ref}[chr1:9000[", "SVTYPE=BND;CIPOS=-5,5"),
]


@pytest.mark.parametrize(("alt", "info"), UNSURE)
def test_a_base_at_an_uncertain_place_is_no_reason_to_lose_an_event(store: SmallStore, alt: str, info: str) -> None:
    ref = unlike(right(100))

    report = store.ingest(vcf(record(100, ref, alt.format(ref=ref), info)))

    assert store.structural("intersecting", "P1", f"{CHR1}:0-2000")[0].present
    assert {reason: entry.lines_1based for reason, entry in report.tally.entries.items()} == {"structural-ref": [11]}
    assert report.warnings == ()


@pytest.mark.parametrize("ref", ["N", "n", "R", "NNN"])
def test_letters_that_are_no_base_say_nothing(store: SmallStore, ref: str) -> None:
    report = store.ingest(vcf(record(100, ref, "<DEL>", "SVTYPE=DEL;END=1350")))

    assert report.structural_calls == 1
    assert report.warnings == ("no REF could be compared, because no reference sequence is loaded there",)


def test_where_no_base_is_loaded_nothing_is_compared(store: SmallStore) -> None:
    report = store.ingest(vcf(record(1_000, "A", "<DEL>", "SVTYPE=DEL;END=2350")))

    assert (report.structural_calls, report.tally.count("ref-mismatch")) == (1, 0)


def test_a_file_of_the_other_assembly_is_refused_by_its_structural_records_alone(store: SmallStore) -> None:
    records = [record(at, unlike(right(at)), "<DEL>", "SVTYPE=DEL;END=1390") for at in range(5)]

    with pytest.raises(BadFile, match=r"line 11, REF: 5 of 5 REF alleles .* contradict GRCh38"):
        store.ingest(vcf(*records))

    with store.database.read() as session:
        assert session.run("select count(*) from structural_site")[0][0] == 0


def test_a_few_of_many_are_errors_of_their_own(store: SmallStore) -> None:
    records = [record(at, right(at), "<DEL>", "SVTYPE=DEL;END=1390") for at in range(9)]
    records[4] = record(4, unlike(right(4)), "<DEL>", "SVTYPE=DEL;END=1390")

    report = store.ingest(vcf(*records))

    assert (report.structural_calls, report.tally.entries["ref-mismatch"].lines_1based) == (8, [15])


def test_a_long_deletion_in_two_forms_is_counted_once(store: SmallStore) -> None:
    wrong = unlike(right(100, 70))
    report = store.ingest(vcf(f"chr1 {AT + 101} . {wrong} {wrong[0]} 50 PASS . GT 0/1", *SMALL))

    assert (report.structural_calls, report.tally.count("ref-mismatch")) == (0, 1)


def stated(ref: str, outer: tuple[int, int]) -> dict[str, Any]:
    """Return a deletion as a FHIR Observation with an allele."""
    span = {"low": {"value": outer[0]}, "high": {"value": outer[1]}}
    place = {"code": {"coding": [{"system": "http://loinc.org", "code": "81301-4"}]}, "valueRange": span}
    allele = {"code": {"coding": [{"system": "http://loinc.org", "code": "69547-8"}]}, "valueString": ref}
    kind = coded("48019-4", "SO:0000159", system="http://www.sequenceontology.org")
    sequence = coded("48013-7", CHR1, system="http://www.ncbi.nlm.nih.gov/refseq")
    return variant(kind, sequence, coded("92822-6", "LA30100-4"), place, allele)


@pytest.mark.parametrize(
    ("ref", "outer", "stored"),
    [
        (right(100, 6), (AT + 100, AT + 106), 1),
        (unlike(right(100, 6)), (AT + 100, AT + 106), 0),
        # One base of an interval of six: nothing says which.
        (unlike(right(100)), (AT + 100, AT + 106), 1),
    ],
)
def test_an_allele_of_a_fhir_file_is_compared_where_it_is_all_of_the_event(
    store: SmallStore, ref: str, outer: tuple[int, int], stored: int
) -> None:
    report = store_fhir(store, bundle(stated(ref, outer)))

    assert report.structural == stored
    assert report.refused.counts.get("ref-mismatch", 0) == 1 - stored


@pytest.mark.parametrize(
    ("position", "ref", "expected"),
    [
        (100, "ACGT", EQUAL),
        (100, "ANGT", EQUAL),
        (100, "ACGA", CONTRADICTS),
        (102, "GTAA", NOT_LOADED),
        (102, "GAAA", CONTRADICTS),
        (98, "TTAC", NOT_LOADED),
        (98, "TTAA", CONTRADICTS),
        (50, "A", NOT_LOADED),
        (-1, "A", NOT_LOADED),
        (248_956_422, "A", NOT_LOADED),
    ],
)
def test_what_is_known_at_either_end_decides(position: int, ref: str, expected: int) -> None:
    assert check_ref(InMemoryReference({CHR1: [(100, "ACGT")]}), CHR1, position, ref) == expected


@pytest.mark.parametrize(
    ("kind", "start", "ref", "alt", "expected"),
    [
        (StructuralKind.DEL, 99, "ACG", "A", 99),
        (StructuralKind.INS, 100, "A", "<INS>", 99),
        (StructuralKind.INS, 102, "ACG", "ACGTTT", 99),
        (StructuralKind.INS, 100, "AG", "ATTTG", 99),
    ],
)
def test_ref_begins_where_the_record_did(kind: StructuralKind, start: int, ref: str, alt: str, expected: int) -> None:
    assert position_of(kind, start, ref, alt) == expected
