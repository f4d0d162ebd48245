"""A subject is erased with every document of their cases; their relatives keep calls and consents."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.errors import SubjectNotFound
from app.store import bulk, cip_cases, cip_consents, cip_notes, cip_referrals, cip_sync, subjects
from app.store.cip_cases import State
from app.store.cip_consents import Kind
from app.store.cip_notes import NoteKind
from app.store.session import Database
from app.store.subjects import Subject
from tests.cip_details import consent, detail, member, put, referral, with_members
from tests.small_store import SmallStore
from tests.store_dump import dump
from tests.vcf_files import vcf

CANARY = "canary-4711"
CALLS = "chr1 100 . A G 50 PASS . GT 0/1 0/1"


@pytest.fixture
def store(database: Database, tmp_path: Path) -> SmallStore:
    """Return a store with a family's case, of which one is to be erased, and a stranger's."""
    files = tmp_path / "files"
    files.mkdir()
    store = SmallStore(database, files)
    bulk.store_subjects(database, [Subject(CANARY), Subject("mother")], "subjects.csv")
    store.ingest(vcf(CALLS, samples=("S1", "S2")), CANARY, "mother", test="7-1.tiering.S")
    items = (consent(CANARY, "yes"), consent("mother", researchFindingConsent="no"))
    family = (member(CANARY, is_proband=True), member("mother", researchConsent="no"))
    made = with_members(detail(referral=referral(*items), case_id=f"GEL-{CANARY}", proband=CANARY), *family)
    case, _ = put(database, made)
    put(database, with_members(detail("8-1", proband="stranger"), member("stranger", researchConsent="yes")))
    with database.write() as session:
        cip_notes.add(session, case.row, NoteKind.LOG, {"about": CANARY}, username="u", created_at="2022")
        cip_sync.put_failed(session, "UAT", (7, 1), f"{CANARY} is wrong")
        session.insert_rows(
            "cip_audit",
            ("id", "at", "username", "method", "endpoint", "ir_id", "version", "status"),
            [(1, "2022", "u", "GET", "case", 7, 1, 200), (2, "2022", "u", "GET", "case", 8, 1, 200)],
        )
        cip_cases.reflect(
            session, case.row, state=State.STORED, reflected="x", report={"of": CANARY},
            tests=[(CANARY, "7-1.tiering.S"), ("mother", "7-1.tiering.S")],
        )  # fmt: skip
    return store


def test_nothing_of_an_erased_subject_is_left_in_any_row(store: SmallStore) -> None:
    assert CANARY in repr(dump(store.database))

    bulk.erase_subject(store.database, CANARY)

    content = dump(store.database)
    assert CANARY not in repr(content)
    assert "r7" not in repr(content)
    assert [row[1:3] for row in content["cip_case"]] == [(8, 1)]
    assert {row[0] for row in content["cip_facet"]} == {content["cip_case"][0][0]}
    assert content["cip_note"] == content["cip_sync"] == content["cip_referral"] == content["cip_referral_test"] == []
    assert [row[-3:-1] for row in content["cip_audit"]] == [(None, None), (8, 1)]


def test_relatives_keep_their_calls_and_what_they_agreed_to(store: SmallStore) -> None:
    before = store.in_range("mother", "NC_000001.11:0-1000").variants
    assert len(before) == 1

    bulk.erase_subject(store.database, CANARY)

    assert store.in_range("mother", "NC_000001.11:0-1000").variants == before
    with store.database.read() as session:
        assert not cip_consents.allows(session, "mother", Kind.RESEARCH)
        assert cip_consents.allows(session, "stranger", Kind.RESEARCH)
        assert cip_cases.of_subject(session, "mother") == []


def test_relatives_are_erased_later_just_as_well(store: SmallStore) -> None:
    for subject in (CANARY, "mother"):
        bulk.erase_subject(store.database, subject)

    content = dump(store.database)
    assert "mother" not in repr(content)
    assert content["subject"] == []
    assert [row[1] for row in content["cip_member"]] == ["stranger"]
    assert [row[1] for row in content["cip_consent"]] == ["stranger"]


def test_the_consents_of_a_referral_stay_for_a_case_that_the_subject_is_not_in(store: SmallStore) -> None:
    put(store.database, with_members(detail("9-1", family_id="r7", proband="mother"), member("mother")))
    with store.database.write() as session:
        cip_referrals.put(session, referral(consent("mother", "no"), last_modified="2023-01-01"))

    bulk.erase_subject(store.database, CANARY)

    assert CANARY not in repr(dump(store.database))
    with store.database.read() as session:
        case = cip_cases.find(session, 9, 1)
        assert case is not None
        assert cip_consents.colours(session, [case.row]) == {case.row: cip_consents.Colour.RED}


def test_somebody_who_only_a_case_names_is_erased(store: SmallStore) -> None:
    bulk.erase_subject(store.database, "stranger")

    assert "stranger" not in repr(dump(store.database))
    with pytest.raises(SubjectNotFound):
        bulk.erase_subject(store.database, "stranger")
    with store.database.read() as session:
        assert set(subjects.find(session, [CANARY, "mother"])) == {CANARY, "mother"}


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_the_bytes_of_erased_documents_are_gone_from_the_files(store: SmallStore, tmp_path: Path) -> None:
    def traces() -> bool:
        return any(CANARY.encode() in path.read_bytes() for path in tmp_path.glob("operon.db*"))

    assert traces()
    bulk.erase_subject(store.database, CANARY)
    assert not traces()
