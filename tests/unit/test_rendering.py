"""What a record of a VCF becomes in an answer."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from app.errors import TooCostly
from app.fhir.validate import problems
from app.records import Build, Sex, SourceClass
from app.variants.accessions import accession, length
from tests.profile_validator import Validate
from tests.small_store import NO_GENOME, Item, SmallStore, component, migrated, spdis_of
from tests.two_builds import B37, B38, Block, genome
from tests.vcf_files import vcf

#            1000      1010      1020      1030      1040
SEQUENCE = "GATTACAGCTAAAAGCTTGCACACACGTTCCGGATCTGAGTACGCTGA"
GENOME = genome([Block(1000, 5000, len(SEQUENCE))], {B37: [(1000, SEQUENCE)], B38: [(5000, SEQUENCE)]})
ALL = {contig: f"{accession(B38, contig)}:0-{length(B38, contig)}" for contig in (1, 23, 24, 25)}
ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SmallStore]:
    with migrated(f"sqlite:///{tmp_path / 'operon.db'}") as database:
        yield SmallStore(database, tmp_path, NO_GENOME)


@pytest.fixture
def placed(tmp_path: Path) -> Iterator[SmallStore]:
    """Return a store that knows a stretch of chromosome 1 on both builds."""
    with migrated(f"sqlite:///{tmp_path / 'operon.db'}") as database:
        yield SmallStore(database, tmp_path, GENOME)


def record(
    genotype: str,
    pos_1based: int = 100,
    ref: str = "A",
    alt: str = "G",
    *,
    contig: str = "chr1",
    fields: Mapping[str, str] | None = None,
    **more: str,
) -> str:
    """Return a record of one sample, with further FORMAT keys and values."""
    fields = {**(fields or {}), **more}
    keys, values = ":".join(["GT", *fields]), ":".join([genotype, *fields.values()])
    return f"{contig} {pos_1based} . {ref} {alt} 50 PASS . {keys} {values}"


def rendered(store: SmallStore, *records: str, contig: int = 1, **options: Any) -> list[dict[str, Any]]:
    """Ingest records for a subject and return the Observations of a chromosome."""
    store.ingest(vcf(*records), **options)
    return store.in_range("P1", ALL[contig]).variants


def code(variant: dict[str, Any], of: str) -> str | None:
    found = component(variant, of)
    return str(found["valueCodeableConcept"]["coding"][0]["display"]) if found else None


def state(variant: dict[str, Any]) -> str | None:
    return code(variant, "53034-5")


def quantity(variant: dict[str, Any], of: str) -> float | None:
    found = component(variant, of)
    return found["valueQuantity"]["value"] if found else None


def frequency(variant: dict[str, Any]) -> float | None:
    return quantity(variant, "81258-6")


# --- allelic states ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("genotype", "expected"),
    [
        ("0/1", "heterozygous"),
        ("1/0", "heterozygous"),
        ("0|1", "heterozygous"),
        ("1/1", "homozygous"),
        ("1|1", "homozygous"),
        ("1", "hemizygous"),
        ("0/0/1", "heterozygous"),
        ("./1", None),
        ("1/.", None),
    ],
)
def test_the_genotype_gives_the_allelic_state(store: SmallStore, genotype: str, expected: str | None) -> None:
    assert [state(variant) for variant in rendered(store, record(genotype))] == [expected]


@pytest.mark.parametrize("genotype", ["0/0", "./.", ".", "0", "0/."])
def test_without_the_allele_there_is_no_observation(store: SmallStore, genotype: str) -> None:
    assert rendered(store, record(genotype)) == []


def test_two_alternate_alleles_are_two_heterozygous_calls(store: SmallStore) -> None:
    variants = rendered(store, record("1/2", alt="G,T"))

    assert {spdis_of(variant)[0]: state(variant) for variant in variants} == {
        "NC_000001.11:99:A:G": "heterozygous", "NC_000001.11:99:A:T": "heterozygous",
    }  # fmt: skip


def test_the_second_alternate_allele_may_be_homozygous(store: SmallStore) -> None:
    variants = rendered(store, record("2/2", alt="G,T"))

    assert [(spdis_of(variant)[0], state(variant)) for variant in variants] == [("NC_000001.11:99:A:T", "homozygous")]


@pytest.mark.parametrize(
    "source_class", [SourceClass.SOMATIC, SourceClass.MIXED, SourceClass.UNSPECIFIED], ids=lambda item: item.word
)
def test_only_germline_calls_have_a_state(store: SmallStore, source_class: SourceClass) -> None:
    variant = rendered(store, record("0/1"), source_class=source_class)[0]

    assert state(variant) is None
    assert code(variant, "48002-0") == ("somatic" if source_class is SourceClass.SOMATIC else None)


OUTSIDE, PAR1_LAST, PAR1_NEXT = 5_000_000, 2_781_479, 2_781_480


@pytest.mark.parametrize(
    ("sex", "pos_1based", "genotype", "expected"),
    [
        pytest.param(Sex.MALE, OUTSIDE, "1/1", "hemizygous", id="male"),
        pytest.param(Sex.MALE, OUTSIDE, "1", "hemizygous", id="male, written with one allele"),
        pytest.param(Sex.MALE, OUTSIDE, "0/1", "heterozygous", id="male, heterozygous as called"),
        pytest.param(Sex.MALE, PAR1_LAST, "1/1", "homozygous", id="male, last base of PAR1"),
        pytest.param(Sex.MALE, PAR1_NEXT, "1/1", "hemizygous", id="male, first base after PAR1"),
        pytest.param(Sex.MALE, 155_701_383, "1/1", "homozygous", id="male, first base of PAR2"),
        pytest.param(Sex.FEMALE, OUTSIDE, "1/1", "homozygous", id="female"),
        pytest.param(Sex.UNKNOWN, OUTSIDE, "1/1", "homozygous", id="unknown sex"),
    ],
)
def test_a_male_is_hemizygous_outside_the_pseudoautosomal_regions(
    store: SmallStore, sex: Sex, pos_1based: int, genotype: str, expected: str
) -> None:
    store.sex("P1", sex)

    variants = rendered(store, record(genotype, pos_1based, contig="chrX"), contig=23)

    assert [state(variant) for variant in variants] == [expected]


@pytest.mark.parametrize(("pos_1based", "expected"), [(2_699_520, "homozygous"), (2_699_521, "hemizygous")])
def test_the_pseudoautosomal_regions_are_those_of_the_build(store: SmallStore, pos_1based: int, expected: str) -> None:
    store.sex("P1", Sex.MALE)
    store.ingest(vcf(record("1/1", pos_1based, contig="chrX"), build=B37), build=B37)

    assert state(store.in_range("P1", f"NC_000023.10:{pos_1based - 1}-{pos_1based}").variants[0]) == expected


def test_the_sex_may_be_told_after_the_ingest(store: SmallStore) -> None:
    assert state(rendered(store, record("1/1", OUTSIDE, contig="chrX"), contig=23)[0]) == "homozygous"

    store.sex("P1", Sex.MALE)

    assert state(store.in_range("P1", ALL[23]).variants[0]) == "hemizygous"


def test_a_call_on_y_is_hemizygous(store: SmallStore) -> None:
    store.sex("P1", Sex.MALE)

    assert state(rendered(store, record("1/1", 10_000_000, contig="chrY"), contig=24)[0]) == "hemizygous"


@pytest.mark.parametrize(
    ("genotype", "fields", "expected"),
    [
        pytest.param("1", {"AF": "1"}, "homoplasmic", id="all"),
        pytest.param("0/1", {"AF": "0.991"}, "homoplasmic", id="above the threshold"),
        pytest.param("1/1", {"AF": "0.99"}, "heteroplasmic", id="at the threshold"),
        pytest.param("1/1", {"AF": "0.5"}, "heteroplasmic", id="half"),
        pytest.param("1/1", {"AD": "0,50"}, "homoplasmic", id="by allele depths"),
        pytest.param("0/1", {"AD": "25,25"}, "heteroplasmic", id="by allele depths, half"),
        pytest.param("0/1", {}, None, id="without any frequency"),
        pytest.param("1", {"AD": "0,0"}, None, id="without reads"),
        pytest.param("./1", {"AF": "1"}, None, id="partly called"),
    ],
)
def test_mitochondrial_calls_are_homoplasmic_or_heteroplasmic(
    store: SmallStore, genotype: str, fields: dict[str, str], expected: str | None
) -> None:
    variants = rendered(store, record(genotype, 73, contig="chrM", fields=fields), contig=25)

    assert [state(variant) for variant in variants] == [expected]
    assert spdis_of(variants[0]) == ["NC_012920.1:72:A:G"]


# --- frequencies and depths -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "expected", "depth"),
    [
        pytest.param({}, None, None, id="nothing"),
        pytest.param({"AF": "0.25"}, 0.25, None, id="AF"),
        pytest.param({"AF": "0.123456"}, 0.1235, None, id="AF, to four places"),
        pytest.param({"AF": "0.25", "AD": "1,3", "DP": "9"}, 0.25, 3, id="AF before AD"),
        pytest.param({"AD": "30,10"}, 0.25, 10, id="AD"),
        pytest.param({"AD": "2,1"}, 0.3333, 1, id="AD, to four places"),
        pytest.param({"AD": "30,10", "DP": "80"}, 0.25, 10, id="AD before DP"),
        pytest.param({"AF": ".", "AD": "30,10"}, 0.25, 10, id="AD where AF is missing"),
        pytest.param({"AD": ".,10", "DP": "40"}, 0.25, 10, id="DP where one allele depth is missing"),
        pytest.param({"AD": "30,.", "DP": "40"}, None, None, id="no depth of this allele"),
        pytest.param({"AD": "0,0", "DP": "0"}, None, 0, id="no reads"),
        pytest.param({"DP": "40"}, None, None, id="DP alone"),
        pytest.param({"AD": "0,10"}, 1.0, 10, id="all reads"),
        pytest.param({"AD": "10,0"}, 0.0, 0, id="no read of the allele"),
        pytest.param({"AD": ".,10", "DP": "4"}, None, 10, id="DP that cannot be"),
    ],
)
def test_the_frequency_comes_from_af_then_ad_then_dp(
    store: SmallStore, fields: dict[str, str], expected: float | None, depth: int | None
) -> None:
    variants = rendered(store, record("0/1", fields=fields))

    assert [(frequency(variant), quantity(variant, "82121-5")) for variant in variants] == [(expected, depth)]


def test_the_allele_depths_of_all_alleles_are_the_whole(store: SmallStore) -> None:
    variants = rendered(store, record("1/2", alt="G,T", AD="10,20,70"))

    found = {spdis_of(variant)[0][-1]: (frequency(variant), quantity(variant, "82121-5")) for variant in variants}
    assert found == {"G": (0.2, 20), "T": (0.7, 70)}


def test_an_allele_that_is_not_called_counts_among_the_reads(store: SmallStore) -> None:
    assert [frequency(variant) for variant in rendered(store, record("0/1", alt="G,T", AD="10,20,70"))] == [0.2]


def test_each_alternate_allele_has_its_own_af(store: SmallStore) -> None:
    variants = rendered(store, record("1/2", alt="G,T", AF="0.1,0.9"))

    assert {spdis_of(variant)[0][-1]: frequency(variant) for variant in variants} == {"G": 0.1, "T": 0.9}


def test_calls_with_and_without_values_stand_side_by_side(store: SmallStore) -> None:
    variants = rendered(
        store,
        record("0/1", 100, AD="3,1"),
        record("0/1", 200),
        record("0/1", 300, AF="0.5"),
        record("0/1", 400, DP="9"),
    )

    assert [frequency(variant) for variant in variants] == [0.25, None, 0.5, None]


# --- places and alleles -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "justified", "exact"),
    [
        pytest.param((5003, "T", "G"), (2, "T:G"), (5002, None), id="SNV"),
        pytest.param((5010, "TA", "T"), (10, "AAAA:AAA"), (5009, 5011), id="deletion in a run"),
        pytest.param((5013, "AA", "A"), (10, "AAAA:AAA"), (5012, 5014), id="the same deletion, not left-aligned"),
        pytest.param((5010, "T", "TA"), (10, "AAAA:AAAAA"), (5009, None), id="insertion in a run"),
        pytest.param((5024, "CAC", "C"), (19, "CACACAC:CACAC"), (5023, 5026), id="deletion in a repeat"),
        pytest.param((5002, "ATT", "CTT"), (1, "A:C"), (5001, 5004), id="SNV with bases behind it"),
        pytest.param((5001, "GAT", "GCT"), (1, "A:C"), (5000, 5003), id="SNV with bases around it"),
        pytest.param((5002, "AT", "CG"), (1, "AT:CG"), (5001, 5003), id="MNV"),
    ],
)
def test_the_record_stays_as_reported_and_the_variant_is_justified(
    placed: SmallStore, written: tuple[int, str, str], justified: tuple[int, str], exact: tuple[int, int | None]
) -> None:
    variant = rendered(placed, record("0/1", *written))[0]

    assert component(variant, "69547-8")["valueString"] == written[1]
    assert component(variant, "69551-0")["valueString"] == written[2]
    ends = {end: {"value": value} for end, value in zip(("low", "high"), exact, strict=True) if value is not None}
    assert component(variant, "81254-5")["valueRange"] == ends
    at, change = justified
    assert spdis_of(variant) == [f"NC_000001.11:{5000 + at}:{change}", f"NC_000001.10:{1000 + at}:{change}"]


def test_date_specimen_and_subject_are_those_of_the_test(store: SmallStore) -> None:
    variant = rendered(store, record("0/1"), test_date="2024-02", specimen="SP-1")[0]

    assert (variant["effectiveDateTime"], variant["specimen"]) == ("2024-02", {"identifier": {"value": "SP-1"}})
    assert variant["subject"] == {"reference": "Patient/P1"}


# --- ids --------------------------------------------------------------------------------------------------------------


def ids_of(*items: Item) -> list[str]:
    return [variant["id"] for item in items for variant in item.variants]


def test_ids_are_the_same_in_every_operation_and_on_either_build(placed: SmallStore) -> None:
    placed.ingest(vcf(record("0/1", 5003, "T", "G"), record("0/1", 5010, "TA", "T"), record("0/1", 5028, "T", "TAAA")))
    whole = ids_of(placed.in_range("P1", ALL[1]))

    on37 = ids_of(placed.in_range("P1", "NC_000001.10:0-9999"))
    asked = ["NC_000001.10:1002:T:G", "NC_000001.11:5012:A:", "NC_000001.11:5028::AAA"]
    specific = ids_of(*placed.specific("P1", *asked))

    assert whole == on37 == specific
    assert len(set(whole)) == 3
    assert all(ID.fullmatch(id_) for id_ in whole)


def test_ids_are_the_same_on_another_server(placed: SmallStore, tmp_path: Path) -> None:
    text = vcf(record("0/1", 5003, "T", "G"), record("0/1", 5010, "TA", "T"))
    (tmp_path / "other").mkdir()
    with migrated(f"sqlite:///{tmp_path / 'other' / 'operon.db'}") as database:
        other = SmallStore(database, tmp_path / "other", GENOME)
        other.ingest(vcf(record("1/1", 5004, "T", "A")), "P0")
        other.ingest(text, name="another name.vcf")
        placed.ingest(text)

        assert ids_of(other.in_range("P1", ALL[1])) == ids_of(placed.in_range("P1", ALL[1]))


def test_tests_and_source_classes_have_ids_of_their_own(store: SmallStore) -> None:
    text = vcf(record("0/1"))
    store.ingest(text, test="T1")
    store.ingest(text, test="T2")
    store.ingest(text, test="T1", source_class=SourceClass.SOMATIC)
    store.ingest(text, "P2", test="T1")

    found = ids_of(store.in_range("P1", ALL[1]), store.in_range("P2", ALL[1]))

    assert len(found) == len(set(found)) == 4


TWICE = [
    pytest.param([record("0/1", 5010, "TA", "T")] * 2, id="one after the other"),
    pytest.param([record("0/1", 5003, "T", "G"), record("1/1", 5003, "T", "G")], id="with another genotype"),
    pytest.param([record("0/1", 5020, "CAC", "C"), record("0/1", 5022, "CAC", "C")], id="at two places of a repeat"),
    pytest.param(
        [record("0/1", 5013, "AA", "A"), record("0/1", 5010, "TA", "T"), record("0/1", 5013, "AA", "A")],
        id="in other letters between",
    ),
    pytest.param(
        [record("0/1", 5003, "T", "G"), record("0/1", 9, contig="chrX"), record("0/1", 5003, "T", "G")],
        id="before and after another chromosome",
    ),
]


@pytest.mark.parametrize("records", TWICE)
def test_a_variant_that_a_file_states_twice_has_two_ids(placed: SmallStore, records: list[str]) -> None:
    placed.ingest(vcf(*records))
    expected = sum("chr1" in text for text in records)

    item = placed.in_range("P1", ALL[1])
    again = placed.specific("P1", spdis_of(item.variants[0])[0])[0]

    assert len(set(ids_of(item))) == len(item.variants) == expected
    assert {variant["id"]: variant for variant in item.variants} == {
        variant["id"]: variant for variant in again.variants
    }


def test_variants_at_one_position_are_listed_by_id(placed: SmallStore) -> None:
    placed.ingest(vcf(record("0/1", 5003, "T", "G")), "P0")
    placed.ingest(vcf(record("1/2", 5003, "T", "A,G"), record("0/1", 5003, "T", "C")), "P1")

    found = ids_of(placed.in_range("P1", ALL[1]))

    assert found == sorted(found)
    assert len(found) == 3


# --- phase ------------------------------------------------------------------------------------------------------------


def phases(store: SmallStore, *records: str, **options: Any) -> list[tuple[str, int, int]]:
    """Return the phase relations of a file as (word, position, position)."""
    store.ingest(vcf(*records), **options)
    item = store.in_range("P1", ALL[1], include_phasing=True)
    positions = {f"Observation/{variant['id']}": int(spdis_of(variant)[0].split(":")[1]) for variant in item.variants}
    return [
        (
            phase["valueCodeableConcept"]["coding"][0]["code"],
            *(positions[entry["reference"]] for entry in phase["derivedFrom"]),
        )
        for phase in item.phases
    ]


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        pytest.param(("0|1", "7"), ("0|1", "7"), "Cis", id="same copy"),
        pytest.param(("1|0", "7"), ("1|0", "7"), "Cis", id="same first copy"),
        pytest.param(("0|1", "7"), ("1|0", "7"), "Trans", id="other copy"),
        pytest.param(("0|1", "7"), ("0|1", "8"), None, id="another phase set"),
        pytest.param(("0/1", "7"), ("0|1", "7"), None, id="unphased"),
        pytest.param(("1|1", "7"), ("0|1", "7"), None, id="homozygous"),
        pytest.param(("0|1", "."), ("0|1", "."), None, id="no phase set"),
        pytest.param((".|1", "7"), ("0|1", "7"), None, id="partly called"),
        pytest.param(("0|1", "0"), ("0|1", "0"), "Cis", id="phase set zero"),
        pytest.param(("/0|1", "7"), ("0|1", "7"), None, id="explicitly unphased"),
        pytest.param(("|0|1", "7"), ("0|1", "7"), "Cis", id="explicitly phased"),
    ],
)
def test_calls_of_one_phase_set_are_on_the_same_copy_or_not(
    store: SmallStore, first: tuple[str, str], second: tuple[str, str], expected: str | None
) -> None:
    found = phases(store, record(first[0], 100, PS=first[1]), record(second[0], 200, PS=second[1]))

    assert found == ([(expected, 99, 199)] if expected else [])


def test_two_alternate_alleles_lie_on_different_copies(store: SmallStore) -> None:
    found = phases(store, record("1|2", alt="G,T", PS="1"), record("0|1", 200, PS="1"))

    assert found == [("Trans", 99, 99), ("Trans", 99, 199), ("Cis", 99, 199)]


def test_every_pair_is_related_in_the_order_of_positions(store: SmallStore) -> None:
    found = phases(store, *(record("0|1" if at % 2 else "1|0", 100 * (at + 1), PS="5") for at in range(4)))

    assert [(first, second) for _, first, second in found] == list(itertools.combinations([99, 199, 299, 399], 2))
    assert [word for word, _, _ in found] == ["Trans", "Cis", "Trans", "Trans", "Cis", "Trans"]


def test_a_phased_chromosome_needs_no_phase_sets_if_the_ingest_said_so(store: SmallStore) -> None:
    records = record("0|1", 100), record("1|0", 200), record("0|1", 300, PS="9")

    assert phases(store, *records, phased_contigs=True) == [("Trans", 99, 199)]


def test_calls_of_different_tests_have_no_phase_relation(store: SmallStore) -> None:
    store.ingest(vcf(record("0|1", 100, PS="7")), test="T1")

    assert phases(store, record("0|1", 200, PS="7"), test="T2") == []


def test_only_pairs_within_the_range_are_related(store: SmallStore) -> None:
    store.ingest(vcf(*(record("0|1", 100 * (at + 1), PS="5") for at in range(3))))

    items = store.in_ranges("P1", "NC_000001.11:0-250", "NC_000001.11:250-500", include_phasing=True)

    assert [len(item.phases) for item in items] == [1, 0]


def test_without_the_question_there_are_no_phase_relations(store: SmallStore) -> None:
    store.ingest(vcf(record("0|1", 100, PS="5"), record("0|1", 200, PS="5")))

    assert store.in_range("P1", ALL[1]).phases == []


def test_too_many_phase_relations_are_refused(tmp_path: Path) -> None:
    with migrated(f"sqlite:///{tmp_path / 'operon.db'}") as database:
        store = SmallStore(database, tmp_path, max_phase_pairs=5)
        store.ingest(vcf(*(record("0|1", 100 * (at + 1), PS="5") for at in range(4))))

        with pytest.raises(TooCostly, match=r"6 phase relations.*OPERON_MAX_PHASE_PAIRS"):
            store.in_range("P1", ALL[1], include_phasing=True)
        assert len(store.in_range("P1", "NC_000001.11:0-350", include_phasing=True).phases) == 3


def test_too_many_variants_are_refused(tmp_path: Path) -> None:
    with migrated(f"sqlite:///{tmp_path / 'operon.db'}") as database:
        store = SmallStore(database, tmp_path, max_answers=3)
        store.ingest(vcf(*(record("0|1", 100 * (at + 1)) for at in range(4))))

        with pytest.raises(TooCostly, match=r"4 variants.*OPERON_MAX_ANSWERS"):
            store.in_range("P1", ALL[1])
        assert store.in_range("P1", ALL[1], variants=False).present


# --- whole answers ----------------------------------------------------------------------------------------------------


def forms(start: int, par1_last: int) -> list[str]:
    """Return records of every kind; the stretch that is loaded begins at ``start``."""
    return [
        record("0/1", start + 3, "T", "G", AD="30,10", DP="41"),
        record("1|2", start + 10, "TA", "T,TAA", AF="0.4,0.6", PS="77"),
        record("0|1", start + 28, "T", "TAAA", PS="77"),
        record("./1", start + 41, "TAC", "GG"),
        record("1", 5_000_000, contig="chrX"),
        record("1/1", par1_last, contig="chrX", AD="0,1"),
        record("1", 73, contig="chrM", AF="1"),
        record("0/1", 150, contig="chrM", AF="0.3"),
    ]


FORMS = {B37: forms(1000, 2_699_520), B38: forms(5000, PAR1_LAST)}


@pytest.mark.parametrize("source_class", list(SourceClass), ids=lambda item: item.word)
@pytest.mark.parametrize("build", list(Build))
def test_whole_answers_are_valid_and_keep_to_the_profiles(
    placed: SmallStore, against_profiles: Validate, source_class: SourceClass, build: Build
) -> None:
    placed.sex("P1", Sex.MALE)
    options: Any = {"source_class": source_class, "test_date": "2024-02-03", "specimen": "SP-1"}
    placed.ingest(vcf(*FORMS[build], build=build), build=build, **options)
    ranges = [f"{accession(build, contig)}:0-10000000" for contig in (1, 23, 25)]

    items = placed.in_ranges("P1", *ranges, include_phasing=True)

    assert [len(item.variants) for item in items] == [5, 2, 2]
    assert len(items[0].phases) == 3
    for resource in [part for item in items for part in (*item.variants, *item.phases)]:
        assert problems(resource) == []
        assert against_profiles(resource) == []
