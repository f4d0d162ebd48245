"""What stored tests say of the positions of pharmacogenes: calls, regions, and what users assert."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from app.operations.pgx_places import Places
from app.operations.pgx_sample import Test as PgxTest
from app.operations.pgx_sample import read_samples
from app.pgx.calls import CallStatus, Observed, Sample
from app.records import Build, Sex, SourceClass
from app.store import calls, pgx_marks
from app.store.subjects import Subject
from tests.pgx_lab import Lab, position, record, whole
from tests.small_store import migrated

B37 = Build.GRCH37
INSERTION = position("CYP3A5", "rs41303343")
SPLICE = position("CYP3A5", "rs776746")
SEVERAL = position("CYP2C9", "rs7900194")


@pytest.fixture
def lab(store_url: str, tmp_path: Path) -> Iterator[Lab]:
    with migrated(store_url) as database:
        yield Lab(database, tmp_path)


def sample(lab: Lab, symbol: str, subject: str = "P1") -> Sample | None:
    """Return what the tests of a subject say of a gene."""
    with lab.database.read() as session:
        [row] = [one for one in pgx_marks.tests_of(session, range(200)) if one.study.subject_id == subject]
        found = tuple(calls.call_sets_of(session, subject))
        [said] = read_samples(session, lab.definitions.places, [PgxTest(row.study, row.sex, found)])
    return said.get(symbol)


def observed(lab: Lab, symbol: str, name: str, subject: str = "P1") -> Observed | None:
    found = sample(lab, symbol, subject)
    return found.observed.get(name) if found is not None else None


def test_a_place_without_a_record_is_missing_and_never_the_reference(lab: Lab) -> None:
    lab.take([record(SPLICE, "0/1")])
    found = sample(lab, "CYP3A5")
    assert found is not None
    assert dict(found.observed) == {"rs776746": Observed(("T", "C"))}
    assert sample(lab, "VKORC1") is None


def test_a_record_of_the_reference_is_the_reference_on_both_copies(lab: Lab) -> None:
    lab.take([record(SPLICE, "0/0"), record(INSERTION, "./.")])
    found = sample(lab, "CYP3A5")
    assert found is not None
    assert dict(found.observed) == {"rs776746": Observed(("T", "T"))}


def test_both_alternatives_of_one_record_come_together_again(lab: Lab) -> None:
    lab.take([record(SEVERAL, "2|1")])
    assert observed(lab, "CYP2C9", "rs7900194") == Observed(("T", "A"), phased=True)


def test_phase_sets_and_half_calls_are_kept(lab: Lab) -> None:
    phased = record(SPLICE, "1|0:7").replace(" GT ", " GT:PS ")
    lab.take([phased, record(SEVERAL, "1/.")])
    assert observed(lab, "CYP3A5", "rs776746") == Observed(("C", "T"), phased=True, phase_set=7)
    assert observed(lab, "CYP2C9", "rs7900194") == Observed(("A", None))


def test_two_records_that_each_change_one_copy_are_one_genotype(lab: Lab) -> None:
    lab.take([record(SEVERAL, "0/1", alts="A"), record(SEVERAL, "0/1", alts="T")])
    found = sample(lab, "CYP2C9")
    assert found is not None
    assert (found.observed["rs7900194"], found.repeated) == (Observed(("A", "T")), ())


def test_records_that_contradict_each_other_are_told_and_the_first_counts(lab: Lab) -> None:
    lab.take([record(SEVERAL, "1/1", alts="A"), record(SEVERAL, "0/1", alts="T")])
    found = sample(lab, "CYP2C9")
    assert found is not None
    assert (found.observed["rs7900194"], found.repeated) == (Observed(("A", "A")), ("rs7900194",))


def test_an_allele_that_no_definition_names_is_undocumented(lab: Lab) -> None:
    lab.take([record(SPLICE, "0/1", alts="G")])
    assert observed(lab, "CYP3A5", "rs776746") == Observed(("T", "G"), undocumented=True)


def test_a_deletion_of_the_place_is_an_undocumented_allele(lab: Lab) -> None:
    before = replace(SPLICE, start38=SPLICE.start38 - 1, alleles38=("AT", "A"))
    lab.take([record(before, "0/1"), record(SPLICE, "0/0")])
    assert observed(lab, "CYP3A5", "rs776746") == Observed(("T", "AT>A"), undocumented=True)


def test_a_longer_substitution_says_what_each_of_its_bases_is(lab: Lab) -> None:
    longer = replace(SPLICE, alleles38=("TG", "CA"))
    lab.take([record(longer, "0/1")])
    assert observed(lab, "CYP3A5", "rs776746") == Observed(("T", "C"))


def test_bases_put_in_beside_a_single_base_leave_it_as_it_is(lab: Lab) -> None:
    beside = replace(SPLICE, alleles38=("T", "TGG"))
    lab.take([record(SPLICE, "0/0"), record(beside, "0/1")])
    assert observed(lab, "CYP3A5", "rs776746") == Observed(("T", "T"))


def test_only_a_record_of_the_very_insertion_tells_that_it_is_absent(lab: Lab) -> None:
    substitution = replace(INSERTION, alleles38=("T", "C"))
    lab.take([record(substitution, "0/0")], "P1")
    lab.take([record(INSERTION, "0/0")], "P2")
    lab.take([record(INSERTION, "0/0", alts="TA,TAA")], "P3")
    assert sample(lab, "CYP3A5", "P1") is None
    assert observed(lab, "CYP3A5", "rs41303343", "P2") == Observed(("T", "T"))
    assert observed(lab, "CYP3A5", "rs41303343", "P3") == Observed(("T", "T"))


def test_a_reference_block_is_evidence_for_single_bases_alone(lab: Lab) -> None:
    start = INSERTION.start38
    block = f"7 {start - 9} . A <NON_REF> . PASS END={SPLICE.start38 + 10_000} GT 0/0"
    lab.take([block])
    found = sample(lab, "CYP3A5")
    assert found is not None
    names = {one.name for one in lab.definitions.genes["CYP3A5"].positions}
    assert set(found.observed) == names - {"rs41303343"}
    assert found.observed["rs776746"] == Observed(("T", "T"))


@pytest.mark.parametrize("people", [3, 70], ids=["few", "many"])
def test_every_sample_of_a_file_has_its_own_called_and_missing_places(lab: Lab, people: int) -> None:
    rest = ["0/0"] * (people - 3)
    lab.take(
        [record(SPLICE, "./.", "0/0", "0/1", *rest), record(INSERTION, "0/0", "./.", "1/1", *rest)],
        *(f"P{at}" for at in range(1, people + 1)),
    )
    said = [(observed(lab, "CYP3A5", "rs776746", who), observed(lab, "CYP3A5", "rs41303343", who)) for who in
            ("P1", "P2", "P3")]  # fmt: skip
    assert said == [
        (None, Observed(("T", "T"))),
        (Observed(("T", "T")), None),
        (Observed(("T", "C")), Observed(("TA", "TA"))),
    ]


def test_filtered_records_of_a_file_of_several_are_not_called(lab: Lab) -> None:
    lab.take([record(SPLICE, "0/0", "0/0").replace("PASS", "LowQual")], "P1", "P2")
    assert sample(lab, "CYP3A5", "P1") is None


def test_absent_is_the_reference_of_the_tests_own_build_where_a_user_says_so(lab: Lab) -> None:
    lab.take([record(SEVERAL, "0/1", build=B37)], "P1", build=B37, absent=True)
    lab.take([record(SEVERAL, "0/1")], "P2", absent=True)
    assert observed(lab, "CYP3A5", "rs776746", "P1") == Observed(("C", "C"))
    assert observed(lab, "CYP3A5", "rs776746", "P2") == Observed(("T", "T"))
    assert observed(lab, "CYP3A5", "rs41303343", "P1") == Observed(("T", "T"))
    found = {who: lab.result("CYP3A5", who) for who in ("P1", "P2")}
    assert {who: call.genotype for who, call in found.items() if call is not None} == {"P1": "*3/*3", "P2": "*1/*1"}
    first = found["P1"]
    assert first is not None
    assert first.phenotype == "Poor Metabolizer"


def test_what_was_not_called_is_missing_whatever_a_user_says_of_the_rest(lab: Lab) -> None:
    lab.take([record(SPLICE, "./.")], "P1", absent=True)
    lab.take([record(SPLICE, "./.", "0/1"), record(INSERTION, "0/1", "./.")], "P2", "P3", absent=True)
    for who in ("P1", "P2"):
        assert observed(lab, "CYP3A5", "rs776746", who) is None
        assert observed(lab, "CYP3A5", "rs10264272", who) == Observed(("C", "C"))
    assert observed(lab, "CYP3A5", "rs41303343", "P3") is None


def test_definitions_that_come_later_take_no_uncalled_place_of_a_cohort_for_the_reference(lab: Lab) -> None:
    near = replace(INSERTION, name="later", alleles38=("TC", "T"))
    lab.take([record(near, "./.", "0/1"), record(SPLICE, "0/1", "0/1")], "P1", "P2", absent=True)
    gene = lab.definitions.genes["CYP3A5"]
    later = Places([replace(gene, positions=(*gene.positions, near))], lab.context.genome.placer)
    with lab.database.read() as session:
        rows = pgx_marks.tests_of(session, range(10))
        tests = [PgxTest(row.study, row.sex, tuple(calls.call_sets_of(session, row.study.subject_id))) for row in rows]
        said = [found["CYP3A5"].observed.get("later") for found in read_samples(session, later, tests)]
    assert said == [None, Observed(("TC", "T"))]


def test_genotypes_on_grch37_are_named_as_grch38_spells_them(lab: Lab) -> None:
    lab.take([record(SPLICE, "0|1", build=B37)], build=B37)
    assert observed(lab, "CYP3A5", "rs776746") == Observed(("C", "T"), phased=True)


def test_a_mans_reference_on_x_is_one_allele(lab: Lab) -> None:
    lab.take(whole("G6PD"), Subject("P1", Sex.MALE))
    lab.take(whole("G6PD"), Subject("P2", Sex.FEMALE))
    lab.take(whole("G6PD", {lab.definitions.genes["G6PD"].positions[0].name: "1"}), "P3")
    copies = {}
    for who in ("P1", "P2", "P3"):
        found = sample(lab, "G6PD", who)
        assert found is not None
        copies[who] = {len(one.alleles) for one in found.observed.values()}
    assert copies == {"P1": {1}, "P2": {2}, "P3": {1}}


def test_the_share_of_mitochondrial_reads_is_kept(lab: Lab) -> None:
    one = lab.definitions.genes["MT-RNR1"].positions[0]
    lab.take([record(one, "0/1:60,40").replace(" GT ", " GT:AD ")])
    found = sample(lab, "MT-RNR1")
    assert found is not None
    assert found.allele_frequencies == {one.name: 0.4}


@pytest.mark.parametrize(
    ("alternate", "cell", "copies"),
    [
        ("<DEL>", "0/1:1", 1),
        ("<DEL>", "1/1:0", 0),
        ("<DUP>", "0/1:3", 3),
        ("<DUP>", "0/1:.", None),
        ("<DEL>", "0/1:0", None),
    ],
)
@pytest.mark.parametrize("build", Build)
def test_copies_of_cyp2d6_come_from_deletions_and_duplications(
    lab: Lab, alternate: str, cell: str, copies: int | None, build: Build
) -> None:
    start = {Build.GRCH38: 42_120_000, B37: 42_516_000}[build]
    event = f"22 {start} . N {alternate} . PASS SVTYPE={alternate[1:-1]};END={start + 12_000} GT:CN {cell}"
    lab.take([event, *whole("CYP2D6", build=build)], build=build)
    found = sample(lab, "CYP2D6")
    assert found is not None
    assert (found.copy_number.copies if found.copy_number is not None else None) == copies


def test_a_small_deletion_within_cyp2d6_counts_no_copies(lab: Lab) -> None:
    lab.take(["22 42127000 . N <DEL> . PASS SVTYPE=DEL;END=42127500 GT:CN 0/1:1", *whole("CYP2D6")])
    found = sample(lab, "CYP2D6")
    assert found is not None
    assert found.copy_number is None


def test_what_a_tumour_has_beside_the_germline_calls_nothing(lab: Lab) -> None:
    lab.take([record(SPLICE, "0/1")], source_class=SourceClass.SOMATIC)
    assert lab.result("CYP3A5") is None


@pytest.mark.parametrize("source_class", [SourceClass.SOMATIC, SourceClass.MIXED])
@pytest.mark.parametrize("absent", [False, True])
def test_reference_records_of_a_tumour_make_nobody_normal(lab: Lab, source_class: SourceClass, absent: bool) -> None:
    lab.take(whole("CYP3A5", {"rs776746": "1/1"}), source_class=source_class, absent=absent)
    assert lab.result("CYP3A5") is None
    lab.take([record(SPLICE, "0/1")])
    call = lab.result("CYP3A5")
    assert call is not None
    assert call.called_positions == 1


def test_a_gene_of_which_all_places_are_the_reference_is_called(lab: Lab) -> None:
    lab.take(whole("CYP3A5"))
    call = lab.result("CYP3A5")
    assert call is not None
    assert (call.status, call.genotype, call.missing) == (CallStatus.CALLED, "*1/*1", ())
