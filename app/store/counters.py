"""Dense allocations and totals: one row a name, changed in the transaction that uses the number."""

from __future__ import annotations

from collections.abc import Container

from app.store.session import Session

SUBJECT_ORDINAL = "subject_ordinal"
SUBJECTS = "subjects"
STUDY = "study"
CALL_SET = "call_set"
CALLS = "calls"
VARIANT = "variant"
VARIANTS = "variants"
RUN = "ingest_run"
GENOTYPE_NAME = "genotype_name"
GENOTYPES = "genotypes"
KNOWLEDGE_RELEASE = "knowledge_release"
KNOWLEDGE_ITEM = "knowledge_item"
KNOWLEDGE_CONCEPT = "knowledge_concept"
TERMINOLOGY_RELEASE = "terminology_release"
PGX_AUDIT = "pgx_audit"
PGX_RELEASE = "pgx_release"
CDS_FEEDBACK = "cds_feedback"
CIP_CASE = "cip_case"
CIP_NOTE = "cip_note"
CIP_AUDIT = "cip_audit"
DATA_VERSION = "data_version"
CHAINS = "chains"
"""Not a count: it stands for the chain files that the calls were placed with when they were placed anew last"""


def allocate(session: Session, name: str, n: int) -> int:
    """Take ``n`` consecutive numbers and return the first of them."""
    add(session, name, n)
    return value(session, name) - n


def add(session: Session, name: str, n: int) -> None:
    """Add to a total."""
    session.run_many(
        "insert into counter (name, value) values (?, ?)"
        " on conflict (name) do update set value = counter.value + excluded.value",
        [(name, n)],
    )


def give_back(session: Session, name: str, numbers: Container[int]) -> None:
    """Return allocated numbers that nothing uses, as far as no later ones are allocated."""
    taken = free = value(session, name)
    while free - 1 in numbers:
        free -= 1
    if free < taken:
        add(session, name, free - taken)


def value(session: Session, name: str) -> int:
    """Return the next free number, or a total; zero when nothing was counted yet."""
    rows = session.run("select value from counter where name = :name", {"name": name})
    return int(rows[0][0]) if rows else 0


def values(session: Session) -> dict[str, int]:
    """Return every counter."""
    return {name: int(number) for name, number in session.run("select name, value from counter")}
