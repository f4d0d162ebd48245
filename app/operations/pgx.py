"""The pharmacogenetic results of a person, from whatever the store has of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from app.errors import SubjectNotFound
from app.formats.pgx import PgxContent
from app.operations.consent import ConsentGate
from app.operations.pgx_results import PgxResult, preferred, with_disagreement
from app.operations.pgx_stated import stated_results
from app.pgx.calls import GeneCall
from app.pgx.drugs import DrugIndex
from app.pgx.guidelines import Guidelines
from app.pgx.texts import Texts
from app.records import Sex
from app.store import genotypes, inbox, pgx_calls, subjects
from app.store.session import Database

__all__ = ["ActivePgx", "PgxProfile", "PgxResult", "definitions_name", "find_subject", "profile_of"]


@dataclass(frozen=True, slots=True)
class ActivePgx:
    """The releases in use as one, with what is made of them once."""

    release: str
    """Names of the releases, joined by ``+``"""
    content: PgxContent
    drugs: DrugIndex
    texts: Texts
    gene_releases: Mapping[str, str] = field(default_factory=dict)
    """Gene → name of the release that it is of, two joined by ``+`` where functions are of another one"""
    advice_releases: Mapping[str, str] = field(default_factory=dict)
    """Source of recommendations → name of the release that they are of"""
    guidelines: Guidelines = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "guidelines", Guidelines(self.content))


@dataclass(frozen=True, slots=True)
class PgxProfile:
    """A person and the result of each gene: an outside call wins over the matcher, then the newest test."""

    subject_id: str
    sex: Sex
    birth_date: str | None
    identifiers: tuple[tuple[str, str], ...]
    """(system, value)"""
    results: Mapping[str, PgxResult]
    """By gene, called or not; genes without any data are left out"""
    is_ready: bool
    """False while calls are still to be computed for the active releases, or none of these defines a gene"""

    @property
    def calls(self) -> dict[str, GeneCall]:
        """Return the calls by gene."""
        return {gene: result.call for gene, result in self.results.items()}


class PgxContext(Protocol):
    """What is asked here of the context of the operations."""

    @property
    def database(self) -> Database:
        """Return the store."""
        ...

    @property
    def consent(self) -> ConsentGate:
        """Return who is withheld from what."""
        ...

    def pgx(self) -> ActivePgx:
        """Return what the releases in use say."""
        ...


def definitions_name(gene_releases: Mapping[str, str]) -> str:
    """Return a name that changes when the genes in use are of other releases."""
    return " ".join(sorted(set(gene_releases.values())))


def profile_of(context: PgxContext, subject_id: str) -> PgxProfile:
    """Return the results of a subject, which are not ready while submitted data wait.

    Raises:
        SubjectNotFound: there is no such subject.
        ConsentWithheld: the subject has not agreed to pharmacogenomic findings.
    """
    context.consent.require_pharmacogenomics(subject_id)
    active = context.pgx()
    with context.database.read() as session:
        stored = pgx_calls.of_subject(session, subject_id)
        if stored is None:
            raise SubjectNotFound(subject_id)
        waiting = inbox.waiting(session, subject_id)
        stated = [one for one in genotypes.of_subject(session, subject_id) if one.uid not in stored.own]
    called: dict[str, list[PgxResult]] = {}
    for one in stored.calls:
        result = PgxResult(one.call, one.test_id, one.test_date, one.specimen_id)
        called.setdefault(one.call.gene, []).append(result)
    told = stated_results(active.content.genes, stated, active.gene_releases, stored.sex)
    results = {
        gene: with_disagreement(
            told[gene][0] if gene in told else preferred(called[gene]), [*told.get(gene, ()), *called.get(gene, ())]
        )
        for gene in called.keys() | told.keys()
    }
    return PgxProfile(
        subject_id,
        stored.sex,
        stored.birth_date,
        stored.identifiers,
        dict(sorted(results.items())),
        is_ready=bool(active.content.genes)
        and not waiting
        and stored.releases <= {definitions_name(active.gene_releases)},
    )


def find_subject(context: PgxContext, identifier: str) -> str | None:
    """Return the id of the subject with an id or the value of a business identifier; None if there is not just one."""
    with context.database.read() as session:
        if identifier in subjects.find(session, [identifier]):
            return identifier
        found = subjects.identified(session, identifier, None)
    return found[0] if len(found) == 1 else None
