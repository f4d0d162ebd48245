"""Referrals and their tests, as they were sent; what was fetched from a server, and how often that failed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from app.errors import InvalidInput
from app.store import cip_referrals, cip_sync
from app.store.cip_sync import MOST_ATTEMPTS, SyncState
from app.store.session import Database
from tests.cip_details import consent, detail, put, referral


def test_a_referral_is_found_by_either_identifier_with_its_keys_in_their_order(database: Database) -> None:
    body = referral(consent("child"))
    with database.write() as session:
        assert cip_referrals.put(session, body)
        assert not cip_referrals.put(session, body)
    with database.read() as session:
        found = cip_referrals.find(session, "uid-r7")
        assert json.dumps(found) == json.dumps(body)
        assert cip_referrals.find(session, "r7") == body
        assert cip_referrals.find(session, "r8") is None
        assert cip_referrals.find(session, "") is None
        assert cip_referrals.find_test(session, "test-7-1") == body["referral_test"][0]
        assert cip_referrals.of_case(session, 7, 1) == body
        assert cip_referrals.of_case(session, 7, 2) is None
        assert cip_referrals.econsent_of(session, "uid-r7") == [consent("child")]


def test_the_referral_in_a_case_is_stored_but_not_over_a_newer_one(database: Database) -> None:
    newer = referral(last_modified="2023-01-01T00:00:00.000000Z", clinical_indication_code="R29")
    with database.write() as session:
        cip_referrals.put(session, newer)
    put(database, detail(referral=referral()))
    put(database, detail("8-1", referral=referral(number="8-1")))
    with database.read() as session:
        assert cip_referrals.find(session, "r7") == newer
        assert cip_referrals.find(session, "r8") == referral(number="8-1")


def test_a_referral_or_test_without_its_identifier_is_refused(database: Database) -> None:
    with database.write() as session:
        with pytest.raises(InvalidInput):
            cip_referrals.put(session, referral(referral_id=None))
        with pytest.raises(InvalidInput):
            cip_referrals.put_test(session, {"referral_id": "r7"})


def test_a_test_alone_stays_with_its_referral(database: Database) -> None:
    with database.write() as session:
        cip_referrals.put(session, referral())
        cip_referrals.put_test(
            session,
            {"referral_test_id": "test-7-1", "interpretation_request_id": 7, "interpretation_request_version": 2},
        )
    with database.read() as session:
        assert cip_referrals.id_of_case(session, 7, 2) == "r7"
        assert cip_referrals.id_of_case(session, 7, 1) == ""


def test_pages_of_referrals_follow_their_last_change_and_the_sites_of_a_user(database: Database) -> None:
    put(database, detail("7-1", referral=referral()))
    put(database, detail("8-1", workspaces=["RP4"], interpretation_request_data=None))
    with database.write() as session:
        cip_referrals.put(session, referral(number="8-1", last_modified="2023-01-01"))
        cip_referrals.put(session, referral(number="9-1"))
    with database.read() as session:
        count, first = cip_referrals.page(session, offset=0, limit=2)
        assert (count, [one["referral_id"] for one in first]) == (3, ["r8", "r7"])
        assert [one["referral_id"] for one in cip_referrals.page(session, offset=2, limit=2)[1]] == ["r9"]
        assert cip_referrals.page(session, offset=4, limit=2) == (3, [])
        _, visible = cip_referrals.page(session, offset=0, limit=9, visible_sites=["RP4"])
        assert [one["referral_id"] for one in visible] == ["r8"]


def test_consents_of_a_referral_are_replaced_by_participant(database: Database) -> None:
    with database.write() as session:
        cip_referrals.put(session, referral(consent("child"), consent("mother")))
        later = consent("mother", "no", last_modified="2022-06-01T00:00:00.000000Z")
        assert cip_referrals.put_econsent(session, {"econsent": [later]}) == "r7"
        found = cip_referrals.find(session, "r7")
    assert found is not None
    assert found["econsent"] == {"participant_consent": [consent("child"), later], "overall_econsent": "red"}


def test_the_referrals_of_the_pack_are_kept_as_they_are(database: Database, shared: Path) -> None:
    pack = shared / "packs" / "cipapi"
    bodies = json.loads((pack / "referral.list.json").read_text())["results"]
    econsent = json.loads((pack / "econsent.r10000000101.json").read_text())
    with database.write() as session:
        for body in bodies:
            cip_referrals.put(session, body)
        cip_referrals.put_econsent(session, econsent)
        assert cip_referrals.find(session, "r10000000101") == bodies[0]
        assert cip_referrals.econsent_of(session, bodies[0]["referral_uid"]) == econsent["econsent"]
        assert cip_referrals.find_test(session, "00000000-0000-4000-8000-000000040101") == json.loads(
            (pack / "referral_test.40101-1.json").read_text()
        )
        assert cip_referrals.id_of_case(session, 40101, 1) == "r10000000101"


def test_what_was_fetched_is_known_by_server_and_case(database: Database) -> None:
    with database.write() as session:
        cip_sync.put_done(session, "UAT", (7, 1), last_modified="2022", sha256="abc")
        cip_sync.put_done(session, "PROD", (7, 1), last_modified="2023", sha256="def")
        cip_sync.put_failed(session, "UAT", (8, 1), "no answer", state=SyncState.FORBIDDEN)
        cip_sync.put_gone(session, "UAT", (9, 1))
    with database.read() as session:
        rows = cip_sync.known(session, "UAT")
        assert {key: (row.state, row.last_modified) for key, row in rows.items()} == {
            (7, 1): (SyncState.DONE, "2022"),
            (8, 1): (SyncState.FORBIDDEN, ""),
        }
        assert cip_sync.get(session, "UAT", 9, 1) is None


def test_a_case_is_given_up_after_five_failures_until_it_changes(database: Database) -> None:
    with database.write() as session:
        cip_sync.put_done(session, "UAT", (7, 1), last_modified="2022", sha256="abc")
        rows = [cip_sync.put_failed(session, "UAT", (7, 1), f"error {at}" * 200) for at in range(MOST_ATTEMPTS + 2)]
        assert [row.attempts for row in rows] == [1, 2, 3, 4, 5, 5, 5]
        assert [row.is_given_up for row in rows] == [False] * 4 + [True] * 3
        assert (rows[-1].last_modified, rows[-1].sha256, len(rows[-1].error or "")) == ("2022", "abc", 500)

        assert cip_sync.put_failed(session, "UAT", (7, 1), "again", is_changed=True).attempts == 1
        cip_sync.put_gone(session, "UAT", (7, 1))
        gone = cip_sync.get(session, "UAT", 7, 1)
        assert gone is not None
        assert (gone.state, gone.sha256) == (SyncState.GONE, "abc")
        cip_sync.put_done(session, "UAT", (7, 1), last_modified="2023", sha256="def")
        done = cip_sync.get(session, "UAT", 7, 1)
        assert done is not None
        assert (done.attempts, done.error) == (0, None)
