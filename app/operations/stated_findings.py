"""From findings that statements refer to, to the Observations of an answer, and from an Observation's id back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import orjson

from app.fhir.genotype import GENOTYPE_ID, genotype_id, haplotype_id
from app.fhir.parameters import Dialect
from app.operations import findings, resource_ids
from app.operations.findings import Finding
from app.operations.haplotypes import rendered_statement
from app.operations.matching import calls_at
from app.operations.rendering import Naming, number_repeated, variant_rows
from app.operations.structural_rendering import all_on
from app.store import calls, genotypes, stated_places
from app.store.calls import CallSet
from app.store.genotypes import Genotype
from app.store.session import Session
from app.store.stated import FindingKind, StatedFinding
from app.store.stated_places import Place, site_name
from app.variants.allele_names import certain_alleles


def shown(
    session: Session,
    call_sets: Sequence[CallSet],
    listed: Iterable[Genotype],
    wanted: Iterable[StatedFinding],
    *,
    naming: Naming | None,
    dialect: Dialect,
) -> dict[StatedFinding, Finding]:
    """Return the Observations of some findings; call sets and genotypes are those of their subject."""
    every = list(dict.fromkeys(wanted))
    found = _of_calls(session, call_sets, every, naming) | _of_structural(session, call_sets, every)
    named = {one.uid: one for one in listed}
    for finding in every:
        if not finding.is_called and finding.owner in named:
            shown_ = _of_genotype(named[finding.owner], finding, dialect)
            if shown_ is not None:
                found[finding] = shown_
    return found


def variants_of(
    session: Session, call_sets: Iterable[CallSet], wanted: Iterable[StatedFinding]
) -> dict[StatedFinding, tuple[int, int]]:
    """Return (call set, variant) of findings that are calls of small variants."""
    named = {call_set.uid: call_set for call_set in call_sets}
    places = {
        finding: Place(
            named[finding.owner].shard, named[finding.owner].call_set_id, finding.contig, finding.position, finding.ref,
            finding.alt,
        )
        for finding in wanted
        if finding.kind is FindingKind.CALL and finding.owner in named
    }  # fmt: skip
    known = stated_places.variants_at(session, places.values())
    return {finding: (place.call_set_id, known[place]) for finding, place in places.items() if place in known}


def _of_calls(
    session: Session, call_sets: Sequence[CallSet], wanted: Sequence[StatedFinding], naming: Naming | None
) -> dict[StatedFinding, Finding]:
    located = variants_of(session, call_sets, wanted)
    if not located:
        return {}
    holding = {call_set_id for call_set_id, _ in located.values()}
    segments, lookups = findings.calls_of(
        session,
        [call_set for call_set in call_sets if call_set.call_set_id in holding],
        sorted({variant_id for _, variant_id in located.values()}),
    )
    rendered = findings.rendered(segments, lookups, naming)
    by_id = {one.id: one for some in rendered.values() for one in some}
    rows = [variant_rows(segment, lookups, naming) for segment in segments]
    number_repeated(rows)
    reported: dict[tuple[str, int, int, str, str], Finding] = {}
    for segment, row in zip(segments, rows, strict=True):
        for id_, position, ref, alt in zip(row.ids, row.positions, row.refs, row.alts, strict=True):
            # Of a call that a file repeats the first one stands for all.
            reported.setdefault((segment.call_set.uid, segment.contig, position, ref, alt), by_id[id_])
    keys = {one: (one.owner, one.contig, one.position, one.ref, one.alt) for one in located}
    return {one: reported[key] for one, key in keys.items() if key in reported}


def _of_structural(
    session: Session, call_sets: Sequence[CallSet], wanted: Sequence[StatedFinding]
) -> dict[StatedFinding, Finding]:
    named = {call_set.uid: call_set for call_set in call_sets}
    asked: dict[tuple[str, int], dict[str, StatedFinding]] = {}
    for finding in wanted:
        if finding.kind is FindingKind.STRUCTURAL and finding.owner in named:
            asked.setdefault((finding.owner, finding.contig), {})[finding.name] = finding
    found: dict[StatedFinding, Finding] = {}
    for (uid, contig), by_site in asked.items():
        for one in all_on(session, named[uid], contig):
            hit = by_site.get(site_name(one.site))
            if hit is not None and hit not in found:
                text = orjson.dumps(one.observation).decode()
                found[hit] = Finding(contig, one.start, one.id, text)
    return found


def _of_genotype(one: Genotype, finding: StatedFinding, dialect: Dialect) -> Finding | None:
    if finding.kind is FindingKind.GENOTYPE:
        haplotypes, resource = rendered_statement(one, dialect)
        beside = tuple(("haplotype", text) for text in haplotypes)
        return Finding(0, 0, genotype_id(one.uid), resource, "genotype", beside)
    # Only the guide's dialect has haplotypes by themselves, but what an answer is derived from must be in it.
    haplotypes, _ = rendered_statement(one, Dialect.IG)
    for number, (name, text) in enumerate(zip(certain_haplotypes(one), haplotypes, strict=True), 1):
        if name == finding.name:
            return Finding(0, 0, haplotype_id(one.uid, number), text, "haplotype")
    return None


def certain_haplotypes(one: Genotype) -> tuple[str, ...]:
    """Return the haplotypes that a genotype is certainly made of, in the order of their numbers."""
    return certain_alleles(one.name.code, one.name.gene_symbol, one.name.haplotypes)


def named_finding(session: Session, id_: str) -> tuple[str, str, StatedFinding] | None:
    """Return subject, test and finding of an Observation that this store has; None if it has none of the id."""
    if (match := resource_ids.VARIANT.fullmatch(id_)) is not None:
        call_set = calls.call_set_named(session, match[1])
        return None if call_set is None else _call_named(session, call_set, int(match[2]), int(match[3]), id_)
    if (match := resource_ids.STRUCTURAL.fullmatch(id_)) is not None:
        call_set = calls.call_set_named(session, match[1])
        if call_set is None:
            return None
        for one in all_on(session, call_set, int(match[2])):
            if one.id == id_:
                start, name = one.site.native.start, site_name(one.site)
                finding = replace(_called(call_set, FindingKind.STRUCTURAL, one.site.contig), position=start, name=name)
                return call_set.subject_id, call_set.test_id, finding
        return None
    if (match := GENOTYPE_ID.fullmatch(id_)) is not None:
        genotype = genotypes.with_uid(session, match[1])
        return None if genotype is None else _genotype_named(genotype, match[2])
    return None


def _called(call_set: CallSet, kind: FindingKind, contig: int) -> StatedFinding:
    return StatedFinding(kind, call_set.uid, call_set.source_class, contig)


def _call_named(
    session: Session, call_set: CallSet, contig: int, start: int, id_: str
) -> tuple[str, str, StatedFinding] | None:
    segments, lookups = calls_at(session, call_set, contig, (start,))
    rows = [variant_rows(segment, lookups, None) for segment in segments]
    number_repeated(rows)
    for row in rows:
        if id_ in row.ids:
            at = row.ids.index(id_)
            finding = replace(
                _called(call_set, FindingKind.CALL, contig),
                position=row.positions[at],
                ref=row.refs[at],
                alt=row.alts[at],
            )
            return call_set.subject_id, call_set.test_id, finding
    return None


def _genotype_named(one: Genotype, kind: str) -> tuple[str, str, StatedFinding] | None:
    finding = StatedFinding(FindingKind.GENOTYPE, one.uid, one.source_class)
    if kind == "g":
        return one.subject_id, one.test_id, finding
    haplotypes, number = certain_haplotypes(one), int(kind[1:])
    if number > len(haplotypes):
        return None
    finding = replace(finding, kind=FindingKind.HAPLOTYPE, name=haplotypes[number - 1])
    return one.subject_id, one.test_id, finding
