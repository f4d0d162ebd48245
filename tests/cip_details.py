"""Details of CIP-API cases for tests: small, with every field that lists and consents are made of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from app.store import cip_cases
from app.store.cip_rows import StoredCase
from app.store.session import Database


def detail(number: str = "7-1", **changes: Any) -> dict[str, Any]:
    """Return a case of a mother and her child, with one genome and no report."""
    ir_id, version = number.split("-")
    made: dict[str, Any] = {
        "status": [
            {"status": "dispatched", "created_at": "2022-01-01T08:00:00.000000Z", "user": "bertha"},
            {"status": "sent_to_gmcs", "created_at": "2022-01-02T08:00:00.000000Z", "user": "qc"},
        ],
        "interpretation_request_id": int(ir_id),
        "version": version,
        "created_at": "2022-01-01T08:00:00.000000Z",
        "last_modified": "2022-01-02T08:00:01.000000Z",
        "cip": "genomics_england",
        "sample_type": "raredisease",
        "interpretation_request_data": {
            "json_request": {
                "internalStudyId": "RD38GMS",
                "workspace": ["RJ7"],
                "pedigree": {"members": [member("child", is_proband=True), member("mother")]},
            }
        },
        "cohort_id": f"r{ir_id}_1",
        "interpreted_genome": [
            {"created_at": "2022-01-01T09:00:00Z", "cip_version": 1, "interpreted_genome_data": {"variants": []}}
        ],
        "clinical_report": [],
        "proband": "child",
        "number_of_samples": 2,
        "files": [],
        "last_status": "sent_to_gmcs",
        "case_priority": "medium",
        "tags": [],
        "family_id": f"r{ir_id}",
        "assembly": "GRCh38",
        "case_id": f"GEL-{number}",
        "program": "rare_disease",
        "workspaces": ["TSTGLH"],
    }
    return {**made, **changes}


def member(participant: str, *, is_proband: bool = False, **consent: str) -> dict[str, Any]:
    """Return a member of a pedigree; consent is that of ``testConsentStatus``."""
    return {
        "participantId": participant,
        "participantUid": f"uid-{participant}",
        "isProband": is_proband,
        "testConsentStatus": consent or None,
    }


def with_members(made: Mapping[str, Any], *members: dict[str, Any]) -> dict[str, Any]:
    """Return a case with other members."""
    request = made["interpretation_request_data"]["json_request"]
    return {
        **made,
        "interpretation_request_data": {"json_request": {**request, "pedigree": {"members": list(members)}}},
    }


def consent(participant: str, primary: str = "yes", **said: str) -> dict[str, Any]:
    """Return an item of econsent, everything undefined that is not given."""
    names = (
        "researchDiscussion", "researchFindingConsent", "pharmocogenomicsFindingConsent",
        "healthRelatedFindingConsent", "carrierStatusConsent",
    )  # fmt: skip
    item = {"participant_id": participant, "referral_id": "uid-r7", "primaryGenomicTestingConsent": primary}
    return {**item, **dict.fromkeys(names, "undefined"), "last_modified": "2022-01-01T00:00:00.000000Z", **said}


def referral(*items: dict[str, Any], number: str = "7-1", **changes: Any) -> dict[str, Any]:
    """Return a referral with one test that led to a case."""
    ir_id, version = number.split("-")
    test = {
        "referral_test_id": f"test-{number}",
        "interpreter_organisation_name": "North Hub",
        "interpreter_organisation_national_grouping_id": "69A70",
        "interpretation_request_id": int(ir_id),
        "interpretation_request_version": int(version),
    }
    made: dict[str, Any] = {
        "referral_id": f"r{ir_id}",
        "referral_uid": f"uid-r{ir_id}",
        "referral_data": {"pedigree": None},
        "last_modified": "2022-01-01T00:00:00.000000Z",
        "referral_test": [test],
        "econsent": {"participant_consent": list(items), "overall_econsent": "green"},
    }
    return {**made, **changes}


def put(database: Database, made: Mapping[str, Any], **options: Any) -> tuple[StoredCase, bool]:
    """Store a case as one that came from a file."""
    with database.write() as session:
        return cip_cases.put(session, made, orjson.dumps(made), **{"origin": "file", **options})


def settle(database: Database, *cases: StoredCase, tests: tuple[tuple[str, str], ...] = ()) -> None:
    """Let cases be as after their calls were stored."""
    with database.write() as session:
        for case in cases:
            cip_cases.reflect(
                session, case.row, state=cip_cases.State.STORED, reflected=case.sha256, tests=tests, report={}
            )


def states(database: Database) -> dict[str, str]:
    """Return the state of every case by its name."""
    with database.read() as session:
        rows = session.run("select ir_id, version, state from cip_case order by ir_id, version")
    return {f"{ir_id}-{version}": state for ir_id, version, state in rows}
