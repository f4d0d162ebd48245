"""Consents of people in CIP-API cases for tests, as rows of the store."""

from __future__ import annotations

from app.store import counters
from app.store.session import Database

_FIELDS = ("primary_testing", "discussion", "research", "pharmacogenomics", "health_related", "carrier_status")


def put_in_case(
    database: Database, *subjects: str, ir_id: int = 1, referral: str = "r1", state: str = "stored"
) -> None:
    """Put subjects into a case, the first as its proband."""
    with database.write() as session:
        session.insert_rows(
            "cip_case",
            ("id", "ir_id", "version", "case_id", "sample_type", "cip", "assembly", "proband", "family_id",
             "last_status", "workflow_status", "case_priority", "last_modified", "search", "overview", "sha256",
             "origin", "state", "reflected", "tests", "report", "updated"),
            [(ir_id, ir_id, 1, "", "raredisease", "", "GRCh38", subjects[0], referral, "sent_to_gmcs", "", "", "",
              "", "{}", "", "file", state, "", "[]", "{}", "")],
        )  # fmt: skip
        rows = [(ir_id, subject, subject, "", int(at == 0)) for at, subject in enumerate(subjects)]
        session.insert_rows("cip_member", ("case_row", "participant", "subject_id", "uid", "is_proband"), rows)
        counters.add(session, counters.DATA_VERSION, 1)


def agree(database: Database, subject: str, *, referral: str = "r1", **said: str) -> None:
    """Let a subject say yes to everything but what is given otherwise, in place of what was said before."""
    words = [said.get(name, "yes") for name in _FIELDS]
    with database.write() as session:
        session.run(
            "delete from cip_consent where referral_id = :referral and participant = :subject returning 1",
            {"referral": referral, "subject": subject},
        )
        session.insert_rows(
            "cip_consent",
            ("referral_id", "participant", "subject_id", *_FIELDS, "last_modified"),
            [(referral, subject, subject, *words, "")],
        )
        counters.add(session, counters.DATA_VERSION, 1)
