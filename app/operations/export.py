"""Everything that the store has of one subject as a FHIR Bundle, piece by piece: memory does not grow with the genome.

What an ingest of the Bundle into an empty store makes of it is what this store has (``docs/howto/fhir-in-and-out.md``
names what is left out), and the order of what is written depends on nothing else, so that a second export is equal.
Positions are zero-based, half-open.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import orjson

from app.config import Settings
from app.errors import NotFound, SubjectNotFound, quoted
from app.fhir import export_bundle as bundle
from app.fhir.export_bundle import StudyFacts
from app.fhir.extensions import CallSetNote, ExactCall, GenotypeNote, StudyNote, call_extension
from app.fhir.observation import render_phase, render_variants
from app.fhir.parameters import Dialect
from app.fhir.patient import render_patient
from app.fhir.structural_extension import StructuralNote, structural_extension
from app.fhir.structural_observation import shows_alt, shows_copies, variant_part
from app.operations import stated
from app.operations.haplotypes import rendered_statement
from app.operations.matching import Lookups, Segment, looked_up
from app.operations.rendering import Naming, copy_of, facts_of, number_repeated, variant_rows
from app.operations.resource_ids import phase_id
from app.operations.structural_rendering import all_on
from app.store import calls, genotypes, structural_calls, studies, subjects
from app.store import stated as stated_implications
from app.store.calls import CallSet, Stretch
from app.store.codec import BIN, CallChunk
from app.store.genotypes import Genotype
from app.store.session import Database, Session
from app.store.structural_codec import StructuralCall
from app.store.structural_sites import StructuralSite
from app.store.studies import uid_of

_BINS_AT_ONCE = 16


def export_subject(
    database: Database,
    subject_id: str,
    settings: Settings,
    naming: Naming | None,
    *,
    test_ids: Sequence[str] = (),
) -> Iterator[str]:
    """Yield the text of a Bundle with all tests of a subject, or some of them.

    Raises:
        SubjectNotFound: there is no such subject.
        NotFound: the subject has no such test.
    """
    base = (settings.base_url or bundle.NO_BASE).rstrip("/")
    with database.read() as session:
        known = subjects.find(session, [subject_id])
        if subject_id not in known:
            raise SubjectNotFound(subject_id)
        subject = known[subject_id]
        tests = studies.of_subject(session, subject.ordinal)
        missing = sorted(set(test_ids) - {facts.test_id for _, facts in tests})
        if missing:
            raise NotFound(f"subject {quoted(subject_id)} has no test {quoted(missing[0])}")
        call_sets = calls.call_sets_of(session, subject_id)
        origins = calls.origins_of(session, subject_id)
        statements = genotypes.of_subject(session, subject_id)
        told = _stated(session, subject_id, tests, test_ids, naming)
        yield bundle.OPEN
        yield bundle.entry(base, render_patient(subject_id, subject.sex, subject.birth_date, subject.identifiers))
        for study_id, facts in tests:
            if test_ids and facts.test_id not in test_ids:
                continue
            note = StudyNote(facts.build, facts.specimen_id, facts.study_type, facts.change_types)
            regions = studies.regions_of(session, subject.ordinal, study_id)
            shown = StudyFacts(subject_id, facts.test_id, facts.test_date, facts.specimen_id, note, regions)
            found = sorted((c for c in call_sets if c.study_id == study_id), key=lambda c: c.uid)
            lists_results = sum(origins[c.call_set_id][2] for c in found) <= settings.fhir_max_listed
            written = _Written(settings.fhir_max_listed, [] if lists_results else None)
            yield "," + bundle.entry(base, bundle.study(shown, [c.uid for c in found]))
            for call_set in found:
                sample, source, _ = origins[call_set.call_set_id]
                said = CallSetNote(call_set.uid, sample, source, call_set.source_class, call_set.phased_contigs)
                yield "," + bundle.entry(base, bundle.analysis(shown, call_set.build, said))
                for text in _calls(session, call_set, base, naming, written):
                    yield "," + text
            for statement in statements:
                if statement.test_id == facts.test_id:
                    for text in _genotype(statement, base, written):
                        yield "," + text
            for one in told:
                if one.statement.study_id == study_id:
                    observation = orjson.loads(stated.rendered(one, names_origin=False))
                    if written.results is not None:
                        written.results.append(observation["id"])
                    yield "," + bundle.entry(base, observation)
            yield "," + bundle.entry(base, bundle.report(shown, written.results or ()))
        yield bundle.CLOSE


def _stated(
    session: Session,
    subject_id: str,
    tests: Sequence[tuple[int, studies.StudyFacts]],
    test_ids: Sequence[str],
    naming: Naming | None,
) -> list[stated.Told]:
    """Return what reports state of the subject, as far as everything that it is derived from is exported."""
    statements = stated_implications.every_of(session, subject_id)
    if not statements:
        return []
    shown = {study_id for study_id, facts in tests if not test_ids or facts.test_id in test_ids}
    owners = {one.uid for one in calls.call_sets_of(session, subject_id) if one.study_id in shown}
    owners |= {one.uid for one in genotypes.of_subject(session, subject_id) if not test_ids or one.test_id in test_ids}
    kept = [one for one in statements if all(finding.owner in owners for finding in one.findings)]
    return stated.everything(session, kept, naming)


@dataclass(slots=True)
class _Written:
    """What was written of one study: ids of its results unless they are too many, and how much more may be."""

    relations_left: int
    results: list[str] | None
    last: dict[int, tuple[str, int]] = field(default_factory=dict)
    """By phase set, the id of the last phased call and the copy that it is on"""


@dataclass(frozen=True, slots=True)
class _Shown:
    """One call with the text of its Observation."""

    start: int
    ref: str
    alt: str
    id_: str
    text: str
    call: ExactCall


def _calls(session: Session, call_set: CallSet, base: str, naming: Naming | None, written: _Written) -> Iterator[str]:
    """Yield the entries of a call set by chromosome and position, and each phase relation after both its variants.

    Structural calls follow the simple ones of their chromosome: an ingest wants a chromosome together.
    """
    by_contig = calls.bins_of(session, call_set.shard, call_set.call_set_id)
    structural = structural_calls.contigs_of(session, call_set.shard, call_set.call_set_id)
    for contig in sorted({*by_contig, *structural}):
        bins = by_contig.get(contig, [])
        written.last.clear()
        for at in range(0, len(bins), _BINS_AT_ONCE):
            some = bins[at : at + _BINS_AT_ONCE]
            stretch = Stretch(call_set.shard, call_set.call_set_id, contig, tuple((bin_, bin_) for bin_ in some))
            chunks = calls.read_chunks(session, [stretch])
            lookups = looked_up(session, chunks)
            found = chunks.get((call_set.call_set_id, contig), [])
            segments = [_own(call_set, contig, bin_, chunk) for bin_, chunk in found]
            for shown in _shown([segment for segment in segments if len(segment.rows)], lookups, naming):
                yield bundle.variant_entry(
                    base,
                    shown.id_,
                    shown.text,
                    study_key=uid_of(call_set.subject_id, call_set.test_id),
                    uid=call_set.uid,
                    extension=call_extension(shown.call),
                )
                if written.results is not None:
                    written.results.append(shown.id_)
                yield from _relation(call_set, shown, base, written)
        yield from _structural(session, call_set, contig, base, written)


def _structural(session: Session, call_set: CallSet, contig: int, base: str, written: _Written) -> Iterator[str]:
    """Yield the entries of the structural calls of a call set on one chromosome by position."""
    for shown in all_on(session, call_set, contig):
        yield bundle.variant_entry(
            base,
            shown.id,
            variant_part(shown.observation),
            study_key=uid_of(call_set.subject_id, call_set.test_id),
            uid=call_set.uid,
            extension=structural_extension(_note(shown.site, shown.call)),
        )
        if written.results is not None:
            written.results.append(shown.id)


def _note(site: StructuralSite, call: StructuralCall) -> StructuralNote:
    """Return what the Observation of a structural call does not show."""
    return StructuralNote(
        ExactCall(call.genotype, filter=call.filters),
        site.native.start,
        site.native.end,
        "" if shows_alt(site.kind, site.alt) else site.alt,
        site.length,
        site.imprecise,
        call.name,
        call.mate,
        call.event,
        "" if shows_copies(site.kind) else call.copy_number,
    )


def _genotype(statement: Genotype, base: str, written: _Written) -> Iterator[str]:
    """Yield the entries of a genotype and of the haplotypes that it is derived from."""
    name = statement.name
    texts, genotype = rendered_statement(statement, Dialect.IG)
    note = GenotypeNote(statement.source_class, name.system, name.code, name.display, name.haplotypes, name.hla_alleles)
    entries = [bundle.genotype_entry(base, text, None) for text in texts]
    for id_, text in [*entries, bundle.genotype_entry(base, genotype, note)]:
        if written.results is not None:
            written.results.append(id_)
        yield text


def _own(call_set: CallSet, contig: int, bin_: int, chunk: CallChunk) -> Segment:
    """Return the calls that start in a bin, without those that follow from others for the other build."""
    unchanged = [code for code, allele in enumerate(chunk.alleles) if allele.ref == allele.alt]
    rows = np.flatnonzero((chunk.start // BIN == bin_) & ~np.isin(chunk.allele, unchanged))
    return Segment(call_set, contig, chunk, rows, chunk.start[rows])


def _shown(segments: Sequence[Segment], lookups: Lookups, naming: Naming | None) -> list[_Shown]:
    """Return calls by position and alleles; the numbers that variants have in this store do not count."""
    rows = [variant_rows(segment, lookups, naming) for segment in segments]
    number_repeated(rows)
    shown = [
        _Shown(start, ref, alt, id_, text, call)
        for segment, row in zip(segments, rows, strict=True)
        for start, ref, alt, id_, text, call in zip(
            segment.starts.tolist(),
            row.refs,
            row.alts,
            row.ids,
            render_variants(facts_of(segment), row),
            _exact(segment),
            strict=True,
        )
    ]
    return sorted(shown, key=lambda one: (one.start, one.ref, one.alt))


def _exact(segment: Segment) -> list[ExactCall]:
    chunk, rows = segment.chunk, segment.rows
    absent = [-1] * len(rows)
    genotypes = [chunk.genotypes[code] for code in chunk.genotype[rows].tolist()]
    depth, ref_depth, alt_depth, allele_depths, phase_set = (
        absent if column is None else column[rows].tolist()
        for column in (chunk.depth, chunk.ref_depth, chunk.alt_depth, chunk.allele_depths, chunk.phase_set)
    )
    stated = [None] * len(rows) if chunk.frequency is None else chunk.frequency[rows].tolist()
    frequencies = [None if share is None or np.isnan(share) else share for share in stated]
    codes = [0] * len(rows) if chunk.filter is None else chunk.filter[rows].tolist()
    filters = [chunk.filters[code] if chunk.filter is not None else "PASS" for code in codes]
    columns = zip(genotypes, depth, ref_depth, alt_depth, allele_depths, frequencies, phase_set, filters, strict=True)
    return [ExactCall(*values) for values in columns]


def _relation(call_set: CallSet, shown: _Shown, base: str, written: _Written) -> Iterator[str]:
    """Yield how a call lies beside the one before it in its phase set; all other relations follow from these."""
    copy, phase_set = copy_of(shown.call.genotype), shown.call.phase_set
    if copy is None or (phase_set < 0 and not call_set.phased_contigs):
        return
    before = written.last.get(phase_set)
    written.last[phase_set] = (shown.id_, copy)
    if before is None or written.relations_left <= 0:
        return
    written.relations_left -= 1
    text = render_phase(
        phase_id(before[0], shown.id_), call_set.subject_id, before[0], shown.id_, cis=before[1] == copy
    )
    id_, entry = bundle.phase_entry(base, text)
    if written.results is not None:
        written.results.append(id_)
    yield entry
