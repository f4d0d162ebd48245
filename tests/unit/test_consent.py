"""Who has not agreed is in no count, and nobody is told what a person has not agreed to."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from app.errors import ConsentWithheld, SubjectNotFound
from app.fhir.parameters import Dialect
from app.operations import registry
from app.store import withheld
from app.store.session import Database, Session
from app.store.withheld import Withheld
from tests.consents import agree, put_in_case
from tests.genotype_files import line
from tests.small_store import NO_GENOME, SmallStore
from tests.vcf_files import vcf

R38 = "NC_000001.11"
A, B = (f"{R38}:{at}:A:G" for at in (99, 199))
AROUND = f"{R38}:90-210"
EVERYBODY = ("P1", "P2", "P3", "P4")


def filled(database: Database, folder: Path, **settings: str) -> SmallStore:
    """Return a store of four subjects: P1 carries A, P2 A and B, P3 B, P4 nothing, all but P2 a deletion."""
    store = SmallStore(database, folder, NO_GENOME, **settings)
    store.ingest(
        vcf(
            "chr1 100 . A G 50 PASS . GT 0/1 1/1 0/0 0/0",
            "chr1 200 . A G 50 PASS . GT 0/0 0/1 0/1 ./.",
            "chr1 5000 . N <DEL> . PASS SVTYPE=DEL;END=6000 GT 0/1 0/0 0/1 0/1",
            samples=("S1", "S2", "S3", "S4"),
        ),
        *EVERYBODY,
    )
    return store


@pytest.fixture
def store(database: Database, tmp_path: Path) -> SmallStore:
    return filled(database, tmp_path)


def test_without_cases_everybody_is_counted(store: SmallStore) -> None:
    assert store.population([A, B]) == [(A, 2, 4, []), (B, 2, 4, [])]


def test_whoever_has_not_agreed_to_research_is_in_no_count_nor_list(store: SmallStore) -> None:
    put_in_case(store.database, "P2", "P3")
    agree(store.database, "P2", research="no")
    agree(store.database, "P3")
    assert store.population([A, B]) == [(A, 1, 3, []), (B, 1, 3, [])]
    assert store.population([A, B], include_patient_list=True) == [(A, 1, 3, ["P1"]), (B, 1, 3, ["P3"])]
    assert store.population([A], [B]) == [(f"{A} AND {B}", 0, 3, [])]


@pytest.mark.parametrize("said", ["undefined", "no"])
def test_what_is_not_yes_is_not_agreed_to(store: SmallStore, said: str) -> None:
    put_in_case(store.database, "P1")
    agree(store.database, "P1", research=said)
    assert store.population([A], include_patient_list=True) == [(A, 1, 3, ["P2"])]


def test_somebody_in_a_case_who_was_not_asked_has_not_agreed(store: SmallStore) -> None:
    put_in_case(store.database, "P1")
    assert store.population([A]) == [(A, 1, 3, [])]


def test_two_referrals_have_to_agree(store: SmallStore) -> None:
    put_in_case(store.database, "P1")
    agree(store.database, "P1", referral="r1")
    assert store.population([A]) == [(A, 2, 4, [])]
    agree(store.database, "P1", referral="r2", research="no")
    assert store.population([A]) == [(A, 1, 3, [])]


def test_consents_of_somebody_in_no_case_change_nothing(store: SmallStore) -> None:
    agree(store.database, "P1", research="no", primary_testing="no")
    assert store.population([A]) == [(A, 2, 4, [])]
    assert store.specific("P1", A)[0].present


def test_structural_variants_are_counted_in_the_same_way(store: SmallStore) -> None:
    where = f"{R38}:5100-5200"
    assert store.structural_population("intersecting", where) == [(where, 3, 4, [])]
    put_in_case(store.database, "P1")
    found = store.structural_population("intersecting", where, include_patient_list=True)
    assert found == [(where, 2, 3, ["P3", "P4"])]
    assert store.structural_population("subsuming", where) == [(where, 2, 3, [])]


def test_genotypes_are_counted_of_those_who_agreed_to_both(store: SmallStore) -> None:
    store.genotypes(*(line(subject) for subject in EVERYBODY))
    assert store.genotype_population(["*1/*17"]) == [("*1/*17", 4, 4, list(EVERYBODY))]
    put_in_case(store.database, "P1", "P2")
    agree(store.database, "P1", pharmacogenomics="no")
    agree(store.database, "P2", research="no")
    assert store.genotype_population(["*1/*17"]) == [("*1/*17", 2, 2, ["P3", "P4"])]


def test_a_change_of_mind_counts_at_once(store: SmallStore) -> None:
    put_in_case(store.database, "P1")
    for said, counted in (("yes", 2), ("no", 1), ("yes", 2)):
        agree(store.database, "P1", research=said)
        assert store.population([A])[0][1] == counted


def test_who_is_withheld_is_read_once_for_each_state(store: SmallStore, monkeypatch: pytest.MonkeyPatch) -> None:
    read = withheld.read
    times: list[int] = []

    def counted(session: Session) -> Withheld:
        times.append(1)
        return read(session)

    monkeypatch.setattr(withheld, "read", counted)
    for _ in range(3):
        store.population([A])
        store.specific("P1", A)
    assert len(times) == 1
    agree(store.database, "P1")
    store.population([A])
    assert len(times) == 2


# --- the test itself was refused --------------------------------------------------------------------------------------


def test_nothing_is_told_of_whoever_refused_the_test(store: SmallStore) -> None:
    put_in_case(store.database, "P1", state="stored")
    agree(store.database, "P1")
    variant = store.in_range("P1", AROUND).variants[0]["id"]
    assert store.read(variant) is not None
    agree(store.database, "P1", primary_testing="no")
    for ask in (
        lambda: store.in_range("P1", AROUND),
        lambda: store.specific("P1", A),
        lambda: store.structural("intersecting", "P1", AROUND),
        lambda: store.studies("P1"),
        lambda: store.has_genotype("P1", "*1"),
        lambda: store.read(variant),
    ):
        with pytest.raises(ConsentWithheld) as raised:
            ask()
        assert (raised.value.status, raised.value.code) == (403, "suppressed")
        assert "P1" not in raised.value.diagnostics
    assert store.read("P1", "Patient") is not None
    assert store.specific("P2", A)[0].present
    assert store.population([A], include_patient_list=True) == [(A, 1, 3, ["P2"])]


def test_every_operation_on_a_subject_is_behind_the_gate(store: SmallStore) -> None:
    put_in_case(store.database, "P1")
    agree(store.database, "P1", primary_testing="no")
    named = [name for name in registry.HANDLERS if "population" not in name]
    assert len(named) == 10
    for name in named:
        with pytest.raises(ConsentWithheld):
            store.ask(name, subject="P1")


def test_one_who_refuses_refuses_for_the_referral(store: SmallStore) -> None:
    put_in_case(store.database, "P1", "P2")
    agree(store.database, "P1", primary_testing="no")
    agree(store.database, "P2")
    with pytest.raises(ConsentWithheld):
        store.specific("P2", A)
    assert store.specific("P3", B)[0].present


def test_a_refusal_of_somebody_who_is_not_listed_in_the_case_counts_too(store: SmallStore) -> None:
    put_in_case(store.database, "P1")
    agree(store.database, "P1")
    agree(store.database, "a relative", primary_testing="no")
    with pytest.raises(ConsentWithheld):
        store.specific("P1", A)


def test_a_refused_subject_is_found_by_identifier_too(store: SmallStore) -> None:
    with store.database.write() as session:
        session.insert_rows("subject_identifier", ("value", "system", "subject_ordinal"), [("7", "urn:x", 0)])
    put_in_case(store.database, "P1")
    agree(store.database, "P1", primary_testing="no")
    with pytest.raises(ConsentWithheld):
        store.specific("urn:x|7", A)
    with pytest.raises(SubjectNotFound):
        store.specific("urn:x|8", A)


def test_a_refused_case_without_anything_in_the_store_is_told_to_be_withheld(store: SmallStore) -> None:
    put_in_case(store.database, "never-stored")
    agree(store.database, "never-stored", primary_testing="no")
    with pytest.raises(ConsentWithheld):
        store.specific("never-stored", A)


def test_amber_consent_is_answered(store: SmallStore) -> None:
    put_in_case(store.database, "P1")
    agree(store.database, "P1", primary_testing="undefined")
    assert store.specific("P1", A)[0].present


# --- other modes ------------------------------------------------------------------------------------------------------


def test_off_takes_no_notice(database: Database, tmp_path: Path) -> None:
    store = filled(database, tmp_path, cip_consent="off")
    put_in_case(database, "P1")
    agree(database, "P1", primary_testing="no")
    assert store.specific("P1", A)[0].present
    assert store.population([A]) == [(A, 2, 4, [])]


def test_warn_answers_and_says_so(database: Database, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    store = filled(database, tmp_path, cip_consent="warn")
    put_in_case(database, "P1")
    agree(database, "P1", primary_testing="no")
    caplog.set_level(logging.WARNING, logger="operon")
    assert store.specific("P1", A)[0].present
    assert store.population([A]) == [(A, 2, 4, [])]
    (entry,) = store.ask("find-population-specific-variants", variants=((A,),))
    (note,) = entry["part"][0]["extension"]
    assert note["valueAnnotation"]["text"].startswith("1 of the subjects counted have not agreed to research")
    (entry,) = store.ask("find-population-specific-variants", variants=((A,),), dialect=Dialect.REF)
    assert "extension" not in entry["part"][0]
    assert caplog.records
    assert {record.message for record in caplog.records} == {"answered without consent"}
    assert all("P1" not in str(record.__dict__["fields"]) for record in caplog.records)


def test_validators_of_answers_differ_by_mode(database: Database, tmp_path: Path) -> None:
    versions = {
        SmallStore(database, tmp_path, NO_GENOME, cip_consent=mode).context.data_version()
        for mode in ("off", "warn", "enforce")
    }
    assert len(versions) == 3
