"""Results of pharmacogenes by test, and the genotype statements that follow from those with exactly one result.

The statements belong to one run of the ledger of their own (``KEY``), so that they can be told from what laboratories
stated and replaced without touching it. What a laboratory says of a gene of a test stands alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from app.formats.pgx import Gene
from app.pgx import call_body
from app.pgx.calls import GeneCall
from app.pgx.support import is_thin
from app.records import Sex, SourceClass
from app.store import counters, genotypes, ledger, pgx_marks
from app.store.bitmaps import shard_of
from app.store.genotype_writer import GenotypeWriter, Statement
from app.store.genotypes import GenotypeName
from app.store.pgx_marks import TestRow
from app.store.session import Session
from app.store.studies import StudyFacts

SYSTEM: Final = "https://www.pharmvar.org"
"""As the reference implementation writes the code system of star alleles"""

_COLUMNS = (
    "shard", "subject_ordinal", "study_id", "gene", "release", "status", "genotype", "phenotype", "activity", "method",
    "body", "called_at",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Called:
    """What was called of one test."""

    test: TestRow
    source_class: SourceClass
    calls: Sequence[GeneCall]


@dataclass(frozen=True, slots=True)
class StoredCall:
    """A result as it is read back."""

    call: GeneCall
    test_id: str
    test_date: str | None
    specimen_id: str | None
    called_at: str


@dataclass(frozen=True, slots=True)
class Stored:
    """A subject and the results of all tests."""

    subject_id: str
    sex: Sex
    birth_date: str | None
    identifiers: tuple[tuple[str, str], ...]
    calls: Sequence[StoredCall]
    own: frozenset[str]
    """uids of the genotype statements that follow from the results"""
    releases: frozenset[str | None]
    """By which releases the tests were called; None for a test that waits"""


def replace(session: Session, found: Sequence[Called], genes: Mapping[str, Gene], *, basis: str, release: str) -> None:
    """Store what was called of some tests, instead of what was called of them before."""
    forget(session, [(one.test.ordinal, one.test.study.study_id) for one in found])
    now = datetime.now(UTC).isoformat(timespec="seconds")
    session.insert_rows("pgx_call", _COLUMNS, [_row(one.test, call, now) for one in found for call in one.calls])
    run_id = genotypes.called_run(session)
    statements = [statement for one in found for statement in _statements(session, one, genes, run_id)]
    if statements:
        if run_id is None:
            run_id = ledger.record(session, key=genotypes.CALLED, source="pgx call", sha256="")
            ledger.complete(session, run_id, {})
        writer = GenotypeWriter(session, run_id)
        problem = next((problem for problem in writer.write(statements) if problem is not None), None)
        if problem is not None:
            raise problem
    pgx_marks.mark(
        session, [(one.test.ordinal, one.test.study.study_id) for one in found], basis=basis, release=release
    )
    counters.add(session, counters.DATA_VERSION, 1)


def _row(test: TestRow, call: GeneCall, now: str) -> tuple[object, ...]:
    return (
        shard_of(test.ordinal), test.ordinal, test.study.study_id, call.gene, call.release, call.status.value,
        call.genotype, call.phenotype, call.activity, call.method.value, call_body.encode(call), now,
    )  # fmt: skip


def _statements(session: Session, one: Called, genes: Mapping[str, Gene], run_id: int | None) -> list[Statement]:
    """Return a statement for each gene with one result that rests on enough positions and that no laboratory tells.

    The result of a gene of lowest function may be a list of variants of which the phase is not known.
    """
    told = [call for call in one.calls if not is_thin(call)]
    with_one = [call for call in told if call.genotype or (call.variants and not call.diplotypes)]
    if not with_one:
        return []
    rows = session.run(
        "select n.gene_id, n.gene_symbol from genotype g join genotype_name n on n.id = g.name_id"
        " where g.shard = :shard and g.subject_ordinal = :ordinal and g.study_id = :study and g.run_id <> :own",
        {
            "shard": shard_of(one.test.ordinal),
            "ordinal": one.test.ordinal,
            "study": one.test.study.study_id,
            "own": -1 if run_id is None else run_id,
        },
    )
    said = {name for row in rows for name in row if name}
    study = one.test.study
    facts = StudyFacts(study.test_id, study.stated_build, study.test_date, study.specimen_id)
    return [
        Statement(study.subject_id, facts, one.source_class, _name(call, genes[call.gene]))
        for call in with_one
        if said.isdisjoint({call.gene, genes[call.gene].hgnc})
    ]


def _name(call: GeneCall, gene: Gene) -> GenotypeName:
    named, text = call.variants, " + ".join(call.variants)
    if call.genotype:
        diplotype = call.diplotypes[0]
        named = tuple(name for name in (diplotype.first, diplotype.second) if name is not None)
        text = call.genotype
    elif gene.reference is not None and gene.reference.name in named:  # one variant, on one copy
        text = "/".join(named)
    code = f"{call.gene} {text}"
    return GenotypeName(
        gene.hgnc or None, call.gene, SYSTEM, code, code, tuple(f"{call.gene} {name}" for name in named)
    )


def forget(session: Session, tests: Iterable[tuple[int, int]]) -> None:
    """Remove what was called of tests (subject ordinal, study), statements included; they wait."""
    if not any(session.run(f"select 1 from {table} limit 1") for table in ("pgx_study", "pgx_call")):
        return
    run_id = genotypes.called_run(session)
    for ordinal, study_id in tests:
        marked = session.run("delete from pgx_study where study_id = :study returning 1", {"study": study_id})
        rows = session.run(
            "delete from pgx_call where shard = :shard and subject_ordinal = :ordinal and study_id = :study"
            " returning 1",
            {"shard": shard_of(ordinal), "ordinal": ordinal, "study": study_id},
        )
        if run_id is not None and (marked or rows):
            genotypes.withdraw(session, [study_id], only_run=run_id)


_STORED = (
    "select 0 as kind, s.sex as a, s.birth_date as b, null as c, null as d, null as e from subject s"
    " where s.subject_id = :subject"
    " union all select 1, i.system, i.value, null, null, null from subject s"
    " join subject_identifier i on i.subject_ordinal = s.ordinal where s.subject_id = :subject"
    " union all select 2, c.body, st.test_id, st.test_date, st.specimen_id, c.called_at from subject s"
    " join pgx_call c on c.shard = s.shard and c.subject_ordinal = s.ordinal join study st on st.id = c.study_id"
    " where s.subject_id = :subject"
    " union all select 3, g.uid, null, null, null, null from ingest_run r, subject s"
    " join genotype g on g.shard = s.shard and g.subject_ordinal = s.ordinal"
    " where s.subject_id = :subject and r.key = :own and g.run_id = r.id"
    " union all select 4, (select p.release from pgx_study p where p.study_id = st.id), null, null, null, null"
    " from subject s join study st on st.subject_ordinal = s.ordinal where s.subject_id = :subject"
    f" and {pgx_marks.WITH_CALLS}"
)


def of_subject(session: Session, subject_id: str) -> Stored | None:
    """Return the results of a subject, in one statement; None if there is no such subject."""
    rows = session.run(_STORED, {"subject": subject_id, "own": genotypes.CALLED})
    people = [row for row in rows if row[0] == 0]
    if not people:
        return None
    found = [StoredCall(call_body.decode(row[1]), *row[2:]) for row in rows if row[0] == 2]
    return Stored(
        subject_id,
        Sex(people[0][1]),
        people[0][2],
        tuple(sorted((row[1], row[2]) for row in rows if row[0] == 1)),
        sorted(found, key=lambda one: (one.call.gene, one.test_date or "", one.test_id)),
        frozenset(row[1] for row in rows if row[0] == 3),
        frozenset(row[1] for row in rows if row[0] == 4),
    )
