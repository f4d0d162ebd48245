"""Users of some sites: what they write leads them to no other site's case, nor changes one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.store import cip_consents, cip_referrals
from tests.cip_bodies import case_detail, put_case, stored_detail
from tests.cip_server import CipServer, cip_server

OWN = "/interpretation-request/2600/1/"
REFUSAL = {"participant_consent": [{"participant_id": "p2535", "primaryGenomicTestingConsent": "no"}]}
AGREEMENT = {"participant_consent": [{"participant_id": "p2535", "primaryGenomicTestingConsent": "yes"}]}


@pytest.fixture
def server(store_url: str, tmp_path: Path) -> Iterator[CipServer]:
    with cip_server(store_url, tmp_path) as made:
        put_case(made.store.database, case_detail(workspaces=["AAA"], family_id="r1"))
        put_case(made.store.database, case_detail(2600, workspaces=["BBB"], family_id="r2"))
        made.add_user("bbb", "writer", ("BBB",))
        made.add_user("bbb-admin", "admin", ("BBB",))
        yield made


def put_referral(server: CipServer, referral_id: str, **more: Any) -> None:
    body = {"referral_id": referral_id, "last_modified": "2022-01-01T00:00:00.000000Z", **more}
    with server.store.database.write() as session:
        cip_referrals.put(session, body)


def test_a_case_cannot_join_the_referral_of_others(server: CipServer) -> None:
    put_referral(server, "r1", requester_organisation_name="Elsewhere")
    assert server.send("PATCH", OWN, {"family_id": "r1"}, user="bbb").status == 403
    assert server.get("/referral/r1/", user="bbb").status == 403
    assert stored_detail(server.store.database, 2600)["family_id"] == "r2"
    assert server.send("PATCH", OWN, {"family_id": "r3"}, user="bbb").status == 200
    assert server.send("PATCH", OWN, {"family_id": "r1"}).status == 200


def test_a_case_cannot_join_a_referral_that_no_case_of_the_site_leads_to(server: CipServer) -> None:
    put_referral(server, "r9", econsent=AGREEMENT)
    assert server.send("PATCH", OWN, {"family_id": "r9"}, user="bbb").status == 403


@pytest.mark.parametrize("more", [{}, {"referral_uid": "u1"}])
def test_the_referral_of_a_case_of_others_is_not_written(server: CipServer, more: dict[str, str]) -> None:
    body = {"referral_id": "r1", "econsent": REFUSAL, **more}
    assert server.send("POST", "/referral/", body, user="bbb").status == 403
    own = {"referral_id": "r2", "referral_test": [{"referral_test_id": "t", "interpretation_request_id": 2600}]}
    assert server.send("POST", "/referral/", {**body, **own, "referral_uid": "r1"}, user="bbb").status == 403
    with server.store.database.read() as session:
        assert cip_consents.of_referral(session, "r1")[0].answers["primary_testing"] == "undefined"
    assert server.send("POST", "/referral/", own, user="bbb").status == 201


def test_a_refusal_is_not_lifted_by_users_who_do_not_see_the_case(server: CipServer) -> None:
    with server.store.database.write() as session:
        cip_referrals.put_econsent(session, {"econsent": REFUSAL["participant_consent"]}, "r1")
    assert server.send("POST", "/referral/", {"referral_id": "r1", "econsent": AGREEMENT}, user="bbb").status == 403
    with server.store.database.read() as session:
        assert cip_consents.of_referral(session, "r1")[0].answers["primary_testing"] == "no"


def test_a_test_of_the_referral_of_others_is_not_taken_over(server: CipServer) -> None:
    test = {"referral_test_id": "t1", "interpretation_request_id": 2535, "interpretation_request_version": 1}
    put_referral(server, "r1", referral_test=[test])
    body = {"referral_id": "r2", "referral_test": [{"referral_test_id": "t1"}]}
    assert server.send("POST", "/referral/", body, user="bbb").status == 403


@pytest.mark.parametrize(
    "case",
    [
        {"interpretation_request_id": 2535, "version": 2, "workspaces": ["BBB"]},
        {"workspaces": ["AAA"]},
        {},
        {"workspaces": ["BBB"], "family_id": "r1"},
    ],
)
def test_cases_of_others_are_not_registered(server: CipServer, case: dict[str, Any]) -> None:
    body = {"sample_type": "raredisease", **case}
    before = server.get("/interpretation-request/").json()
    assert server.send("POST", "/interpretation-request/", body, user="bbb-admin").status == 403
    assert server.get("/interpretation-request/").json() == before


def test_an_own_case_and_an_own_version_are_registered(server: CipServer) -> None:
    for case in ({}, {"interpretation_request_id": 2600, "version": 2, "family_id": "r2"}):
        body = {"sample_type": "raredisease", "workspaces": ["BBB"], **case}
        answer = server.send("POST", "/interpretation-request/", body, user="bbb-admin")
        assert answer.status == 201, answer.body
