"""Where the reference base differs between the builds, a genotype says something on each of them, or is not used."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from app.formats.genotype import Genotype
from app.records import SourceClass, Zygosity
from app.store import bulk
from app.store.session import Database
from ingest.recomputed import turned
from tests.small_store import NO_GENOME, SmallStore, component, spdis_of
from tests.store_dump import counts
from tests.two_builds import B37, B38, Block, bases, genome
from tests.vcf_files import vcf

HET = Zygosity.HETEROZYGOUS
START = bases(5, 2000)
ON_37 = f"{START[:500]}T{START[501:900]}A{START[901:]}"
ON_38 = f"{START[:500]}C{START[501:900]}G{START[901:]}"
TURNED = {"A": "T", "C": "G", "G": "C", "T": "A"}
GENOME = genome(
    [Block(0, 1000, 2000), Block(5000, 9000, 2000, reverse=True)],
    {
        B37: [(0, ON_37), (5000, ON_37)],
        B38: [(1000, ON_38), (9000, "".join(TURNED[base] for base in reversed(ON_38)))],
    },
)
# Base 501 is T on GRCh37 and C on GRCh38; in the second copy, which is turned round, 5501 is T and its counterpart G.
LEIDEN, USUAL = "NC_000001.11:1500:C:T", "NC_000001.10:500:T:C"


@pytest.fixture
def store(database: Database, tmp_path: Path) -> SmallStore:
    return SmallStore(database, tmp_path, GENOME)


def record(genotype: str, ref: str = "T", alts: str = "C", position_1based: int = 501, filters: str = "PASS") -> str:
    return f"chr1 {position_1based} . {ref} {alts} 50 {filters} . GT {genotype}"


def states(store: SmallStore, subject: str, variant: str) -> list[str]:
    """Return the allelic state of each call of a subject that is a variant."""
    [item] = store.specific(subject, variant)
    assert item.present is bool(item.variants)
    found = [component(one, "53034-5") for one in item.variants]
    return [one["valueCodeableConcept"]["coding"][0]["display"] if one else "unknown" for one in found]


@pytest.mark.parametrize(
    ("text", "allele", "zygosity", "expected"),
    [
        ("0/1", 1, HET, "1/0"),
        ("1|0", 1, HET, "0|1"),
        ("0/2", 2, HET, "1/0"),
        ("0/0/1", 1, HET, "1/1/0"),
        ("|0|1", 1, HET, "|1|0"),
        ("1/1", 1, Zygosity.HOMOZYGOUS, None),
        ("1", 1, Zygosity.HEMIZYGOUS, None),
        ("1/2", 1, HET, None),
        ("0/1/2", 1, HET, None),
        ("./1", 1, Zygosity.UNKNOWN, None),
        ("0/1", 1, Zygosity.HETEROPLASMIC, None),
    ],
)
def test_a_genotype_is_turned_where_it_counts_copies_of_ref(
    text: str, allele: int, zygosity: Zygosity, expected: str | None
) -> None:
    found = turned(Genotype(text, allele, zygosity, "|" in text), is_other_reference=True)
    assert found == (Genotype(expected, 1, HET, "|" in text) if expected else None)


def test_an_alt_that_neither_build_has_is_no_reference_there() -> None:
    found = turned(Genotype("0|1", 1, HET, phased=True), is_other_reference=False)
    assert found == Genotype("1|2", 1, HET, phased=True)


@pytest.mark.parametrize(("genotype", "expected"), [("0/1", ["heterozygous"]), ("1/1", []), ("./1", []), ("1", [])])
def test_grch37_says_who_carries_a_variant_of_grch38(store: SmallStore, genotype: str, expected: list[str]) -> None:
    store.ingest(vcf(record(genotype), build=B37), "P1", build=B37)

    assert states(store, "P1", LEIDEN) == expected
    assert store.population([LEIDEN])[0][1] == len(expected)
    assert len(states(store, "P1", USUAL)) == 1


@pytest.mark.parametrize(("genotype", "expected"), [("0/1", ["heterozygous"]), ("1/1", [])])
def test_grch38_says_who_carries_a_variant_of_grch37(store: SmallStore, genotype: str, expected: list[str]) -> None:
    store.ingest(vcf(record(genotype, "C", "T", 1501)), "P1")

    assert states(store, "P1", USUAL) == expected
    assert states(store, "P1", LEIDEN) == ["heterozygous" if expected else "homozygous"]


def test_tests_on_both_builds_of_one_person_agree(store: SmallStore) -> None:
    store.ingest(vcf(record("0/1"), build=B37), "P1", build=B37, test="T37")
    store.ingest(vcf(record("0/1", "C", "T", 1501)), "P1", test="T38")

    assert states(store, "P1", LEIDEN) == states(store, "P1", USUAL) == ["heterozygous"] * 2
    assert [count for _, count, *_ in store.population([LEIDEN, USUAL])] == [1, 1]


def test_strands_may_differ(store: SmallStore) -> None:
    store.ingest(vcf(record("0/1", position_1based=5501), build=B37), "P1", build=B37)

    assert states(store, "P1", "NC_000001.11:10499:G:A") == ["heterozygous"]


def test_a_third_base_says_the_same_of_ref(store: SmallStore) -> None:
    store.ingest(vcf(record("0/1", alts="G"), build=B37), "P1", build=B37)
    store.ingest(vcf(record("0/2", alts="C,G"), build=B37), "P2", build=B37)

    for subject in ("P1", "P2"):
        assert states(store, subject, LEIDEN) == states(store, subject, "NC_000001.11:1500:C:G") == ["heterozygous"]


@pytest.mark.parametrize(
    "others",
    [
        [record("0/1", alts="G")],
        [record("1/1", ref=ON_37[498:503], alts=ON_37[498], position_1based=499)],
        [record("0/1", ref=ON_37[499:502], alts="ACG", position_1based=500)],
    ],
    ids=["split records", "deletion", "several bases"],
)
def test_another_call_at_the_base_leaves_its_copies_open(store: SmallStore, others: list[str]) -> None:
    records = sorted([record("0/1"), *others], key=lambda line: int(line.split()[1]))
    store.ingest(vcf(*records, build=B37), "P1", build=B37)

    assert states(store, "P1", LEIDEN) == []


def test_calls_beside_the_base_or_of_others_do_not_matter(store: SmallStore) -> None:
    beside = f"chr1 501 . {ON_37[500:502]} {ON_37[500:502]}GCGC 50 PASS . GT 0/0 0/1"
    text = vcf("chr1 501 . T C 50 PASS . GT 0/1 0/0", beside, samples=("S1", "S2"), build=B37)
    store.ingest(text, "P1", "P2", build=B37)

    assert (states(store, "P1", LEIDEN), states(store, "P2", LEIDEN)) == (["heterozygous"], [])


@pytest.mark.parametrize("source_class", [SourceClass.SOMATIC, SourceClass.MIXED, SourceClass.UNSPECIFIED])
def test_only_germline_genotypes_are_used(store: SmallStore, source_class: SourceClass) -> None:
    store.ingest(vcf(record("0/1"), build=B37), "P1", build=B37, source_class=source_class)

    assert store.specific("P1", LEIDEN)[0].variants == []
    assert len(store.specific("P1", USUAL)[0].variants) == 1


def test_equal_bases_and_unverified_ones_say_nothing(database: Database, tmp_path: Path) -> None:
    store = SmallStore(database, tmp_path, GENOME)
    equal = record("0/1", START[600], "A" if START[600] != "A" else "G", 601)
    store.ingest(vcf(equal, build=B37), "P1", build=B37)
    SmallStore(database, tmp_path, NO_GENOME).ingest(vcf(record("0/1"), build=B37), "P2", build=B37)

    assert counts(database)["variant"] == 2


def test_ranges_of_the_own_build_leave_it_out(store: SmallStore) -> None:
    store.ingest(vcf(record("0|1"), build=B37), "P1", build=B37)

    assert store.in_range("P1", "NC_000001.10:0-2000").spdis == [USUAL]
    found = store.in_range("P1", "NC_000001.11:1000-3000").variants
    assert [spdis_of(one) for one in found] == [
        [USUAL, "NC_000001.11:1500:C:C"],
        ["NC_000001.10:500:T:T", LEIDEN],
    ]


def test_the_two_alleles_lie_in_trans(store: SmallStore) -> None:
    near = ON_37[510]
    other = f"chr1 511 . {near} {'A' if near != 'A' else 'G'} 50 PASS . GT:PS 0|1:77"
    store.ingest(vcf("chr1 501 . T C 50 PASS . GT:PS 0|1:77", other, build=B37), "P1", build=B37)

    item = store.in_range("P1", "NC_000001.11:1000-3000", include_phasing=True)
    by_id = {one["id"]: spdis_of(one)[1].rsplit(":", 2)[1:] for one in item.variants}
    relations = {
        tuple(by_id[entry["reference"].partition("/")[2]][1] for entry in phase["derivedFrom"]): phase_of(phase)
        for phase in item.phases
    }
    third = "A" if near != "A" else "G"
    assert relations == {("C", "T"): "Trans", ("C", third): "Cis", ("T", third): "Trans"}


def phase_of(phase: dict[str, Any]) -> str:
    text: str = phase["valueCodeableConcept"]["coding"][0]["display"]
    return text


def test_depths_and_shares_change_sides(store: SmallStore) -> None:
    text = vcf("chr1 501 . T C 50 PASS . GT:AD:DP:AF 0/1:10,30:41:0.75", build=B37)
    store.ingest(text, "P1", build=B37)

    [found] = store.specific("P1", LEIDEN)[0].variants
    assert component(found, "81258-6")["valueQuantity"]["value"] == 0.25
    assert component(found, "82121-5")["valueQuantity"]["value"] == 10
    assert (component(found, "69547-8")["valueString"], component(found, "69551-0")["valueString"]) == ("T", "T")


def test_a_share_is_not_made_up_beside_a_third_base(store: SmallStore) -> None:
    store.ingest(vcf("chr1 501 . T G 50 PASS . GT:DP:AF 0/1:41:0.75", build=B37), "P1", build=B37)

    [found] = store.specific("P1", LEIDEN)[0].variants
    assert component(found, "81258-6") == {}


def test_it_goes_with_the_call_that_it_follows_from(store: SmallStore) -> None:
    store.ingest(vcf(record("0/1"), build=B37), "P1", build=B37)
    store.store(store.file(vcf(record("1/1"), build=B37), "P1", build=B37), replace=True)
    assert (states(store, "P1", LEIDEN), store.population([LEIDEN])[0][1]) == ([], 0)

    bulk.erase_subject(store.database, "P1")
    assert "variant" not in counts(store.database)


def test_it_is_not_counted_as_a_call_of_the_file(store: SmallStore) -> None:
    report = store.ingest(vcf(record("0/1"), build=B37), "P1", build=B37)

    assert (report.calls, report.records) == ((1,), 1)


def test_filtered_records_that_are_kept_stay_filtered(store: SmallStore) -> None:
    texts = (vcf(record("0/1", filters="LowQual"), build=B37), vcf(record("0/1"), build=B37))
    for number, text in enumerate(texts, 1):
        store.ingest(text, f"P{number}", build=B37, keep_filtered=True)

    assert [states(store, subject, LEIDEN) for subject in ("P1", "P2")] == [["heterozygous"]] * 2
