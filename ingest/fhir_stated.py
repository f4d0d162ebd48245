"""Implications of a FHIR file on their way to the store: what each of them is derived from is looked up.

A finding is an Observation of the same file that is stored, or one that the store showed before, by its id. Where any
of them is neither, the implication is not stored: what it says may not hold of the others alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from app.errors import quoted
from app.fhir.elements import Reference
from app.fhir.stated import Refusal
from app.fhir.stated_implication import Incomplete, ReadImplication
from app.operations.stated_findings import named_finding
from app.records import LiftStatus
from app.store import bitmaps, stated_places
from app.store.genotype_writer import Statement
from app.store.genotypes import uid_of
from app.store.knowledge_codec import Role
from app.store.runs import PlannedCallSet
from app.store.session import Database, Session
from app.store.stated import FindingKind, StatedFinding
from app.store.stated_places import Place, site_name
from app.store.stated_writer import Addition
from app.store.structural_sites import StructuralSite
from app.variants.allele_names import certain_alleles
from ingest.fhir_rows import Row

_HISTORY = re.compile(r"/_history/[^/]*$")
_OWN = re.compile(r"(?:.*/)?Observation/([A-Za-z0-9.-]{1,64})", re.ASCII)


@dataclass(frozen=True, slots=True)
class FileImplication:
    """One implication of the file; ``label`` names it in messages."""

    label: str
    subject: Reference | None
    read: ReadImplication


@dataclass(slots=True)
class Known:
    """The findings of a file by the names of their Observations; those with a name of several are none."""

    findings: dict[str, tuple[str, StatedFinding]] = field(default_factory=dict)
    """Subject and finding"""
    ambiguous: set[str] = field(default_factory=set)

    def add(self, names: Iterable[str], subject_id: str, finding: StatedFinding) -> None:
        """Take note of a finding."""
        for name in names:
            if self.findings.setdefault(name, (subject_id, finding)) != (subject_id, finding):
                self.ambiguous.add(name)

    def add_genotype(
        self, names: Iterable[str], statement: Statement, haplotypes: Iterable[tuple[str, str | None]]
    ) -> None:
        """Take note of a genotype, and of its haplotypes, given as (name of the Observation, haplotype)."""
        name = statement.name
        uid = uid_of(statement.subject_id, statement.study.test_id, statement.source_class, name)
        self.add(names, statement.subject_id, StatedFinding(FindingKind.GENOTYPE, uid, statement.source_class))
        certain = certain_alleles(name.code, name.gene_symbol, name.haplotypes)
        for reference, haplotype in haplotypes:
            if haplotype in certain and reference not in self.findings:
                finding = StatedFinding(FindingKind.HAPLOTYPE, uid, statement.source_class, name=haplotype or "")
                self.add([reference], statement.subject_id, finding)


def wanted_names(listed: Iterable[FileImplication]) -> set[str]:
    """Return what implications name as that which they are derived from."""
    return {name for one in listed for reference in one.read.derived_from if (name := _name(reference)) is not None}


def add_calls(
    known: Known,
    session: Session,
    rows: Iterable[tuple[Row, int]],
    plan: Sequence[PlannedCallSet],
    wanted: set[str],
) -> None:
    """Take note of those variants that were stored, given with the numbers of their call sets in the plan."""
    chosen = [(row, at, names) for row, at in rows if (names := wanted.intersection(row.names))]
    places = {}
    structural = set()
    for row, at, _ in chosen:
        entry, contig = plan[at], row.change.contig
        shard = bitmaps.shard_of(entry.subject.ordinal)
        if row.structural is not None:
            structural.add((shard, entry.call_set_id, contig))
        else:
            change = row.change
            places[row.number] = Place(shard, entry.call_set_id, contig, change.position, change.ref, change.alt)
    stored = stated_places.variants_at(session, places.values())
    sites = stated_places.sites_of(session, sorted(structural))
    for row, at, names in chosen:
        entry, contig, change = plan[at], row.change.contig, row.change
        if row.structural is None:
            if places[row.number] in stored:
                finding = StatedFinding(
                    FindingKind.CALL, entry.uid, entry.source_class, contig, change.position, change.ref, change.alt
                )
                known.add(names, entry.subject.subject_id, finding)
            continue
        name = _site_of(row, entry)
        if name in sites.get((entry.call_set_id, contig), {}):
            start = row.structural.extent.start
            finding = StatedFinding(FindingKind.STRUCTURAL, entry.uid, entry.source_class, contig, start, name=name)
            known.add(names, entry.subject.subject_id, finding)


def _site_of(row: Row, entry: PlannedCallSet) -> str:
    """Return what names the site of a structural variant; its place on the other build does not count."""
    allele = row.structural
    assert allele is not None  # noqa: S101 - the caller looked
    site = StructuralSite(
        row.change.contig, allele.kind, entry.build, LiftStatus.OK, allele.extent, None, allele.ref, allele.alt,
        allele.length, allele.imprecise,
    )  # fmt: skip
    return site_name(site)


@dataclass(slots=True)
class Resolver:
    """Looks up what implications are derived from.

    ``subject_of`` gives the subject of a reference; tests in ``withdrawn`` (subject and id) lose what they had; full
    URLs of this server begin with ``base_url``.
    """

    known: Known
    database: Database
    subject_of: Callable[[Reference | None], str | None]
    withdrawn: set[tuple[str, str]]
    base_url: str | None

    def resolve(self, listed: Iterable[FileImplication]) -> Iterator[tuple[str, Addition | Refusal | Incomplete]]:
        """Yield the label of each implication, with what is stored of it, or why it is not."""
        with self.database.read() as session:
            for one in listed:
                yield one.label, self._resolved(session, one)

    def _resolved(self, session: Session, one: FileImplication) -> Addition | Refusal | Incomplete:
        subject_id = self.subject_of(one.subject)
        if subject_id is None:
            return Refusal("no-subject", "subject leads to nobody")
        findings: dict[StatedFinding, None] = {}
        for reference in one.read.derived_from:
            found = self._finding(session, reference)
            if found is None:
                shown = quoted((reference.text or "/".join(reference.identifier or ()))[:80])
                return Incomplete("implication-underived", f"{shown} is no finding that is stored")
            if found[0] != subject_id:
                return Refusal("contradiction", "the implication and what it is derived from name different subjects")
            findings[found[1]] = None
        concepts = tuple((Role[role], concept) for role, concept in one.read.concepts)
        return Addition(subject_id, one.read.kind, one.read.body, concepts, tuple(findings))

    def _finding(self, session: Session, reference: Reference) -> tuple[str, StatedFinding] | None:
        name = _name(reference)
        if name is None or name in self.known.ambiguous:
            return None
        if name in self.known.findings:
            return self.known.findings[name]
        id_ = self._own_id(name)
        stored = named_finding(session, id_) if id_ is not None else None
        if stored is None or (stored[0], stored[1]) in self.withdrawn:
            return None
        return stored[0], stored[2]

    def _own_id(self, name: str) -> str | None:
        match = _OWN.fullmatch(name)
        if match is None:
            return None
        own = (f"Observation/{match[1]}", *((f"{self.base_url}/Observation/{match[1]}",) if self.base_url else ()))
        return match[1] if name in own else None


def _name(reference: Reference) -> str | None:
    return None if reference.text is None else _HISTORY.sub("", reference.text)


def names_of(entries: Mapping[str, str | None], references: Iterable[Reference]) -> list[tuple[str, str | None]]:
    """Return those haplotypes that references lead to, by the name of the Observation."""
    return [(one.text, entries[one.text]) for one in references if one.text is not None and one.text in entries]
