"""Results of pharmacogenes: stored, called anew, followed by statements, withdrawn and erased, read as a profile."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from app.errors import SubjectNotFound
from app.fhir.tokens import parse_token
from app.formats.pgx import PgxContent
from app.operations import pgx_active
from app.operations.pgx import find_subject
from app.pgx import call_body
from app.pgx.calls import CallMethod, CallStatus, Diplotype, GeneCall, Warned
from app.records import Sex
from app.store import bulk, pgx_calls
from app.store.subjects import Subject
from ingest import pgx_calls as calling
from tests.cip_cases import PROBAND, CaseStore, case, genome, variant
from tests.cip_cases import call as case_call
from tests.genotype_files import hla, line
from tests.pgx_lab import QUIET, Lab, gene, record, whole
from tests.small_store import migrated

TABLES = ("pgx_call", "pgx_study", "genotype", "genotype_name")
SPLICE = "rs776746"


@pytest.fixture
def lab(store_url: str, tmp_path: Path) -> Iterator[Lab]:
    with migrated(store_url) as database:
        yield Lab(database, tmp_path)


def rows(lab: Lab) -> dict[str, int]:
    with lab.database.read() as session:
        return {table: session.run(f"select count(*) from {table}")[0][0] for table in TABLES}


def codes(lab: Lab, subject: str = "P1", gene: str = "HGNC:2638") -> list[str]:
    """Return the genotypes that the operation on haplotypes answers."""
    return [
        part["resource"]["valueCodeableConcept"]["coding"][0]["code"]
        for entry in lab.ask("find-subject-haplotypes", subject=subject, genes=(parse_token(gene),))
        for part in entry["part"]
        if part["name"] == "genotype"
    ]


def test_a_result_is_found_by_the_operations_on_haplotypes(lab: Lab) -> None:
    lab.take(whole("CYP3A5", {SPLICE: "0/1"}))
    report = lab.call()
    assert (report.tests, report.found[CallStatus.CALLED]) == (1, 1)
    assert codes(lab) == ["CYP3A5 *1/*3"]
    assert lab.has_genotype("P1", "CYP3A5 *3") == [True]
    assert lab.has_genotype("P1", "CYP3A5 *6") == [False]
    assert lab.genotype_population(("CYP3A5 *3",))[0][1:] == (1, 1, ["P1"])


def test_a_genotype_that_rests_on_too_few_positions_is_kept_as_a_result_and_told_to_nobody_as_a_fact(lab: Lab) -> None:
    lab.take(record(one, "0/0") for one in gene("CYP3A5").positions if one.name != SPLICE)
    lab.call()
    call = lab.profile().calls["CYP3A5"]
    assert (call.genotype, call.phenotype) == ("*1/*1", "")
    assert codes(lab) == []
    assert lab.has_genotype("P1", "CYP3A5 *1") == [False]


def test_a_newer_test_of_too_few_positions_does_not_hide_an_older_result(lab: Lab) -> None:
    lab.take(whole("CYP3A5", {SPLICE: "1/1"}), test="whole", date="2025-01-01")
    lab.take(
        [record(one, "0/0") for one in gene("CYP3A5").positions if one.name != SPLICE], test="few", date="2026-01-01"
    )
    lab.call()
    result = lab.profile().results["CYP3A5"]
    assert (result.test_id, result.call.phenotype) == ("whole", "Poor Metabolizer")


HAPB3 = {"rs75017182": "0/1", "rs56038477": "0/1"}
HAPB3_NAME = "c.1129-5923C>G, c.1236G>A (HapB3)"


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        (HAPB3, f"DPYD Reference/{HAPB3_NAME}"),
        ({"rs3918290": "0/1", "rs67376798": "0/1"}, "DPYD c.1905+1G>A (*2A) + c.2846A>T"),
        (HAPB3 | {"rs1801265": "1/1"}, f"DPYD c.85T>C (*9A) + c.85T>C (*9A) + {HAPB3_NAME}"),
    ],
)
def test_variants_without_phase_are_found_by_the_operations_on_haplotypes(
    lab: Lab, changed: dict[str, str], code: str
) -> None:
    lab.take(whole("DPYD", changed))
    lab.call()
    assert codes(lab, gene="HGNC:3012") == [code]
    assert lab.has_genotype("P1", "DPYD c.1905+1G>A (*2A)") == ["rs3918290" in changed]
    assert lab.has_genotype("P1", HAPB3_NAME) == ["rs75017182" in changed]


def test_a_genotype_that_was_called_says_what_it_rests_on(lab: Lab) -> None:
    lab.take([one for one in whole("CYP2C19", {"rs3758581": "1/1"}) if " 94762706 " not in one], "P1")
    lab.genotypes(line("P2", "CYP2C19 *1/*1"))
    lab.call()
    notes = {}
    for who in ("P1", "P2"):
        [entry] = lab.ask("find-subject-haplotypes", subject=who, genes=(parse_token("HGNC:2621"),))
        [genotype] = [part["resource"] for part in entry["part"] if part["name"] == "genotype"]
        notes[who] = [note["text"] for note in genotype.get("note", [])]
    assert notes["P2"] == []
    head, rest = notes["P1"][0].split(": ")
    assert head == "Named alleles called from variants by definitions of seed-2026"
    assert rest == "33 of 34 positions were called, not rs28399504."


def test_a_test_is_called_once_and_again_when_it_has_other_data(lab: Lab) -> None:
    lab.take(whole("CYP3A5"))
    assert [lab.call().tests, lab.call().tests] == [1, 0]
    lab.take(whole("CYP2C9"))
    assert not lab.profile().results
    assert lab.call().tests == 1
    assert set(lab.profile().calls) == {"CYP3A5", "CYP2C9"}


def test_calling_anew_replaces_results_and_statements(lab: Lab) -> None:
    lab.take(whole("CYP3A5", {SPLICE: "0/1"}))
    lab.call()
    before = rows(lab)
    lab.call(anew=True)
    assert rows(lab) == before
    assert codes(lab) == ["CYP3A5 *1/*3"]


def test_other_definitions_let_a_test_wait_and_change_its_result(lab: Lab) -> None:
    lab.take(whole("CYP3A5", {SPLICE: "0/1"}))
    lab.call()
    known = lab.definitions
    renamed = replace(
        known.genes["CYP3A5"],
        alleles=tuple(
            replace(allele, name="*33") if allele.name == "*3" else allele for allele in known.genes["CYP3A5"].alleles
        ),
    )
    other = replace(known, genes={**known.genes, "CYP3A5": renamed}, release="newer", basis="newer")
    assert calling.call(lab.workspace, other, QUIET).tests == 1
    assert codes(lab) == ["CYP3A5 *1/*33"]
    assert lab.has_genotype("P1", "CYP3A5 *3") == [False]
    assert not lab.profile().is_ready


def test_an_interrupted_command_goes_on_where_it_stopped(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    for who in ("P1", "P2", "P3"):
        lab.take(whole("CYP3A5", {SPLICE: "1/1"} if who == "P2" else {}), who)
    monkeypatch.setattr(calling, "_BATCH", 1)
    original = pgx_calls.replace
    done: list[int] = []

    def interrupted(*arguments: Any, **named: Any) -> None:
        if done:
            raise KeyboardInterrupt
        original(*arguments, **named)
        done.append(1)

    with monkeypatch.context() as patched:
        patched.setattr(pgx_calls, "replace", interrupted)
        with pytest.raises(KeyboardInterrupt):
            lab.call()
    assert [lab.profile(who).is_ready for who in ("P1", "P2", "P3")] == [True, False, False]
    assert lab.call().tests == 2
    assert codes(lab, "P2") == ["CYP3A5 *3/*3"]


def test_ambiguous_results_are_kept_and_not_stated(lab: Lab) -> None:
    records = [one for one in whole("CYP2C19", {"rs12248560": "0/1", "rs3758581": "1/1"}) if " 94762706 " not in one]
    lab.take(records)
    call = lab.result("CYP2C19")
    assert call is not None
    assert (call.status, {one.text for one in call.diplotypes}) == (CallStatus.AMBIGUOUS, {"*1/*4", "*1/*17"})
    assert codes(lab, gene="HGNC:2621") == []


def test_what_a_laboratory_states_of_a_gene_stands_alone(lab: Lab) -> None:
    stated = line("P1", "CYP3A5 *1/*6", gene_id="HGNC:2638", gene_symbol="CYP3A5")
    lab.genotypes(stated)
    lab.take(whole("CYP3A5", {SPLICE: "0/1"}))
    lab.call()
    assert codes(lab) == ["CYP3A5 *1/*6"]
    call = lab.profile().calls["CYP3A5"]
    assert (call.method, call.genotype, call.phenotype) == (CallMethod.OUTSIDE, "*1/*6", "Intermediate Metabolizer")


@pytest.mark.parametrize("replaced", [False, True])
@pytest.mark.parametrize("code", ["CYP3A5 *1/*6", "CYP3A5 *1/*3"])
def test_what_a_laboratory_states_later_takes_the_place_of_a_call(lab: Lab, code: str, replaced: bool) -> None:
    lab.take(whole("CYP3A5", {SPLICE: "0/1"}) + whole("VKORC1"))
    lab.call()
    lab.genotypes(line("P1", code, gene_id="HGNC:2638", gene_symbol="CYP3A5"), replace=replaced)
    assert codes(lab) == [code]
    assert len(codes(lab, gene="HGNC:23663")) == 1
    assert lab.profile().calls["CYP3A5"].method is CallMethod.OUTSIDE
    lab.call(anew=True)
    assert codes(lab) == [code]


def test_replacing_the_calls_of_a_test_withdraws_its_results(lab: Lab) -> None:
    lab.take(whole("CYP3A5", {SPLICE: "0/1"}))
    lab.call()
    lab.take(whole("VKORC1"), replace=True)
    assert (codes(lab), lab.profile().results) == ([], {})
    lab.call()
    assert set(lab.profile().calls) == {"VKORC1"}


def test_erasing_a_subject_leaves_nothing_of_the_results(lab: Lab) -> None:
    lab.take(whole("CYP3A5", {SPLICE: "0/1"}))
    lab.call()
    bulk.erase_subject(lab.database, "P1")
    assert set(rows(lab).values()) == {0}
    with pytest.raises(SubjectNotFound):
        lab.profile()


def test_learning_the_sex_lets_all_tests_wait(lab: Lab) -> None:
    lab.take(whole("G6PD"))
    lab.call()
    assert lab.profile().calls["G6PD"].genotype == "B (reference)/B (reference)"
    lab.sex("P1", Sex.MALE)
    assert not lab.profile().is_ready
    assert lab.result("G6PD") is not None
    assert lab.profile().calls["G6PD"].genotype == "B (reference)"


def test_the_newest_test_with_a_result_counts(lab: Lab) -> None:
    lab.take(whole("CYP3A5"), test="T1", date="2024-01-01")
    lab.take(whole("CYP3A5", {SPLICE: "1/1"}), test="T2", date="2025-01-01")
    lab.take(whole("CYP3A5", {SPLICE: "1/."}), test="T3", date="2026-01-01")
    lab.call()
    result = lab.profile().results["CYP3A5"]
    assert (result.test_id, result.call.genotype) == ("T2", "*3/*3")


def test_tests_that_disagree_are_told_of(lab: Lab) -> None:
    lab.take(whole("CYP3A5", {SPLICE: "1/1"}), test="T1", date="2024-01-01")
    lab.take(whole("CYP3A5"), test="T2", date="2025-01-01")
    lab.take(whole("VKORC1"), test="T3", date="2026-01-01")
    lab.call()
    call = lab.profile().calls["CYP3A5"]
    [warned] = [one for one in call.warnings if one.code == "tests-differ"]
    assert call.genotype == "*1/*1"
    assert "*3/*3 – Poor Metabolizer (test T1 of 2024-01-01)" in warned.text
    lab.genotypes(line("P1", "CYP3A5 *1/*1", gene_id="HGNC:2638", gene_symbol="CYP3A5", test_id="T4"))
    call = lab.profile().calls["CYP3A5"]
    assert (call.method, [one.code for one in call.warnings]) == (CallMethod.OUTSIDE, ["tests-differ"])
    lab.take(whole("CYP3A5"), "P2", test="T1", date="2024-01-01")
    lab.take(whole("CYP3A5"), "P2", test="T2")
    lab.call()
    assert lab.profile("P2").calls["CYP3A5"].warnings == ()


def test_each_allele_of_hla_is_told_by_the_newest_test_that_tells_of_it(lab: Lab) -> None:
    lab.genotypes(
        hla("P1", "HLA-B *15:02 positive", test_id="T1", test_date="2020-01-01", system="urn:oid:1.2.3"),
        hla("P1", "HLA-B *58:01 positive", test_id="T1", test_date="2020-01-01", system="urn:oid:1.2.3"),
        hla("P1", "HLA-B *57:01 negative", test_id="T2", test_date="2024-01-01", system="urn:oid:1.2.3"),
        hla("P1", "HLA-B *58:01 negative", test_id="T2", test_date="2024-01-01", system="urn:oid:1.2.3"),
    )
    call = lab.profile().calls["HLA-B"]
    assert (call.status, set(call.lookup.split("; "))) == (
        CallStatus.CALLED,
        {"*15:02 positive", "*57:01 negative", "*58:01 negative"},
    )
    assert [one.code for one in call.warnings] == ["tests-differ"]


def test_statements_of_one_test_on_hla_that_differ_say_nothing_of_the_allele(lab: Lab) -> None:
    lab.genotypes(
        hla("P1", "HLA-B *15:02 positive", system="urn:oid:1.2.3"),
        hla("P1", "HLA-B *15:02 negative", system="urn:oid:1.2.3"),
        hla("P1", "HLA-B *57:01 positive", system="urn:oid:1.2.3"),
        hla("P1", "HLA-B *57:01:01 negative", system="urn:oid:1.2.3"),
    )
    call = lab.profile().calls["HLA-B"]
    assert (call.status, call.lookup) == (CallStatus.CALLED, "*57:01 positive")
    assert {one.code for one in call.warnings} == {"stated-differently", "stated-unusable"}


def test_typing_of_hla_and_copies_come_from_laboratories(lab: Lab) -> None:
    lab.genotypes(
        hla("P1", "hla#3.23#HLA-B*57:01+HLA-B*08:01", "HLA-B*57:01", "HLA-B*08:01"),
        line("P1", "CYP2D6 *1x2/*4", gene_id="HGNC:2625", gene_symbol="CYP2D6"),
    )
    found = lab.profile()
    assert found.is_ready
    assert "*57:01 positive" in found.calls["HLA-B"].phenotype
    assert (found.calls["CYP2D6"].genotype, found.calls["CYP2D6"].copy_number) == ("*1x2/*4", 3)


def test_a_genotype_that_cannot_be_read_is_no_result_and_no_reason_to_call(lab: Lab) -> None:
    lab.take(whole("CYP3A5"))
    lab.genotypes(line("P1", "CYP3A5 *1/*99", gene_id="HGNC:2638", gene_symbol="CYP3A5", test_id="T2"))
    call = lab.result("CYP3A5")
    assert call is not None
    assert (call.status, call.method) == (CallStatus.NO_CALL, CallMethod.OUTSIDE)
    assert "*99" in call.reason


def test_genotypes_of_one_test_that_differ_leave_the_result_open(lab: Lab) -> None:
    gene = {"gene_id": "HGNC:2638", "gene_symbol": "CYP3A5"}
    lab.genotypes(line("P1", "CYP3A5 *1/*3", **gene), line("P1", "CYP3A5 *1/*1", **gene))
    call = lab.profile().calls["CYP3A5"]
    assert (call.status, call.phenotype) == (CallStatus.AMBIGUOUS, "")
    assert {one.code for one in call.warnings} >= {"stated-differently"}


def test_subjects_are_found_by_id_and_by_identifier(lab: Lab) -> None:
    people = [Subject("P1", identifiers=(("s", "one"), ("s", "two"))), Subject("P2", identifiers=(("t", "two"),))]
    bulk.store_subjects(lab.database, people, "test")
    found = {name: find_subject(lab.context, name) for name in ("P1", "one", "two", "three")}
    assert found == {"P1": "P1", "one": "P1", "two": None, "three": None}


def test_a_profile_takes_two_statements_and_milliseconds(lab: Lab) -> None:
    lab.take([one for symbol in ("CYP3A5", "CYP2C19", "DPYD", "TPMT", "G6PD") for one in whole(symbol)])
    lab.call()
    lab.profile()
    spent = []
    for _ in range(10):
        began = time.process_time()
        lab.profile()
        spent.append(time.process_time() - began)
    assert min(spent) < 0.005


def test_a_result_is_read_back_as_it_was_stored() -> None:
    call = GeneCall(
        "CYP2D6",
        CallStatus.AMBIGUOUS,
        CallMethod.SNV_ONLY,
        diplotypes=(Diplotype("*1", "*4", 3), Diplotype("*5")),
        alternatives=(Diplotype("*2", "*10", 1),),
        variants=("a", "b"),
        phenotype="p",
        activity="≥3.0",
        lookup="l",
        copy_number=3,
        effectively_phased=True,
        called_positions=1,
        total_positions=2,
        missing=("m",),
        undocumented=("u",),
        uncallable=("*x",),
        warnings=(Warned("c", "t"),),
        reason="r",
        release="seed",
    )
    assert call_body.decode(call_body.encode(call)) == call


@pytest.mark.parametrize(
    ("sex", "code", "phenotype"),
    [
        (Sex.FEMALE, "B (reference)/B (reference)", "Normal"),
        (Sex.FEMALE, "B (reference)", ""),
        (Sex.MALE, "B (reference)", "Normal"),
        (Sex.MALE, "B (reference)/B (reference)", "Normal"),
        (Sex.MALE, "A- 202A_376G/B (reference)", ""),
        (Sex.UNKNOWN, "B (reference)", "Normal"),
    ],
)
def test_a_stated_genotype_on_x_that_the_sex_contradicts_is_no_result(
    lab: Lab, sex: Sex, code: str, phenotype: str
) -> None:
    bulk.store_subjects(lab.database, [Subject("P1", sex)], "people.csv")
    lab.genotypes(line("P1", f"G6PD {code}", gene_id="HGNC:4057", gene_symbol="G6PD"))
    call = lab.result("G6PD")
    assert call is not None
    assert call.phenotype == phenotype
    assert call.has_result is bool(phenotype)
    assert bool(call.reason) is not call.has_result


def test_nothing_is_ready_while_no_definition_is_in_use(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    lab.take(whole("CYP2C19"))
    monkeypatch.setattr(pgx_active, "embedded_content", PgxContent)
    calling.call(lab.workspace, calling.definitions_in_use(lab.workspace), QUIET)
    assert not lab.profile().is_ready


def test_a_case_that_tells_only_what_was_selected_gives_no_star_alleles_and_keeps_no_result_waiting(lab: Lab) -> None:
    lab.take(whole("CYP3A5"), PROBAND)
    [splice] = [one for one in gene("CYP3A5").positions if one.name == SPLICE]
    assert splice.start38 is not None
    alt = next(one for one in splice.alleles38 if one != splice.ref38)
    carried = variant(f"7:{splice.start38 + 1}:{splice.ref38}:{alt}", case_call(PROBAND, "alternate_homozygous"))
    CaseStore(lab).ingest(case(genome(carried)))

    assert lab.call().tests == lab.call(anew=True).tests == 1

    assert lab.profile(PROBAND).is_ready
    assert codes(lab, PROBAND) == ["CYP3A5 *1/*1"]
