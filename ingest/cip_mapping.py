"""From a case of Genomics England to what the store takes: subjects, tests, and columns of calls.

One test stands for one sample and one service. What a service says of the same change of the same sample counts in the
order of the services, tiering first, then the clinical report; the batch decides on it once the changes are placed.
Positions are zero-based, half-open.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import nan
from typing import Any, Final

from app.formats.gel import (
    HOMOPLASMIC_FROM,
    TIERING,
    Classification,
    GelCase,
    InterpretedGenome,
    Member,
    Problem,
    Scope,
    SmallVariant,
    StructuralVariant,
    VariantCall,
)
from app.formats.gel_parts import LARGEST
from app.formats.gel_people import subject_id_of
from app.formats.gel_structural import REPEAT
from app.formats.gel_values import day_of
from app.formats.genotype import Genotype
from app.formats.vcf_structural import StructuralAllele
from app.records import Build, Sex, SourceClass, Zygosity
from app.store.cip_cases import StoredCase
from app.store.pgx_marks import REPORTED_ONLY
from app.store.runs import PlannedCallSet
from app.store.studies import StudyFacts
from app.store.subjects import Subject
from app.variants.accessions import MT, accession, contig_named, display, length
from app.variants.placement import Placer
from ingest.cip_structural import allele_of, plain_copies, read_structural_call
from ingest.cip_zygosity import Says, read_zygosity

SOURCE: Final = REPORTED_ONLY
"""Names the source of runs and call sets"""
REPORT_SERVICE: Final = "clinical_report"
"""Stands for the service of a variant that the clinical report has and no interpreted genome"""

UNKNOWN: Final = "unk"
"""The zygosity that the reader of documents warns of"""
_SMALL: Final = ("SNV", "MNV", "INS", "DEL")
_STRUCTURAL: Final = ("DUP", "INV", "CNV")
_REPEAT: Final = "SO:0002096"
_BASES: Final = re.compile(r"[ACGT]+")
_IMPLIED_BY_REPORT: Final = 2
"""Least rank of a classification by a clinical report"""
_OF_GENOME: Final = 0
"""Version of what an interpreted genome says, also by guidelines"""


@dataclass(frozen=True, slots=True)
class Change:
    """A small variant as a record of a VCF would write it."""

    contig: int
    position: int
    ref: str
    alt: str
    variant: SmallVariant


@dataclass(frozen=True, slots=True)
class StructuralFound:
    """A structural variant that a call set has."""

    contig: int
    allele: StructuralAllele
    call_set: int
    genotype: Genotype
    copies: str
    variant: StructuralVariant


@dataclass(slots=True)
class Calls:
    """Columns of calls; ``person`` is the sample, whichever service called it, ``says`` a value of ``Says``."""

    change: list[int] = field(default_factory=list)
    call_set: list[int] = field(default_factory=list)
    person: list[int] = field(default_factory=list)
    says: list[int] = field(default_factory=list)
    genotype: list[Genotype | None] = field(default_factory=list)
    ref_depth: list[int] = field(default_factory=list)
    alt_depth: list[int] = field(default_factory=list)
    frequency: list[float] = field(default_factory=list)
    phase_set: list[int] = field(default_factory=list)
    source: list[VariantCall] = field(default_factory=list)


@dataclass(slots=True)
class Draft:
    """A case on its way into the store; call sets have no numbers yet."""

    stored: StoredCase
    case: GelCase
    build: Build
    problems: list[Problem]
    subjects: dict[str, Subject] = field(default_factory=dict)
    """By participant"""
    studies: dict[str, tuple[str, StudyFacts]] = field(default_factory=dict)
    """Test → subject and test"""
    call_sets: list[PlannedCallSet] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    change_of: dict[str, int] = field(default_factory=dict)
    """Path of a variant → number of its change"""
    calls: Calls = field(default_factory=Calls)
    structural: list[StructuralFound] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    unknown_contigs: Counter[str] = field(default_factory=Counter)

    def add(self, path: str, message: str, scope: Scope) -> None:
        """Note a problem."""
        self.problems.append(Problem(path, message, scope))

    @property
    def proband(self) -> str | None:
        """Return the subject whom reports are about."""
        chosen = [member.participant_id for member in self.case.members if member.is_proband]
        named = next((one for one in chosen if one is not None), None) or str(self.case.raw.get("proband") or "")
        subject = self.subjects.get(named)
        return None if subject is None else subject.subject_id


@dataclass(frozen=True, slots=True)
class Mapper:
    """Maps cases; ``placer`` has the sequences that are loaded, ``system`` is that of participants' identifiers."""

    placer: Placer
    system: str

    def draft(self, stored: StoredCase, case: GelCase, problems: Sequence[Problem]) -> Draft | None:
        """Return what a case has for the store; None, with the problem noted, where its build is not known."""
        if case.build is None:
            return None
        draft = Draft(stored, case, case.build, list(problems))
        for member in _people(case):
            if member.participant_id is not None:
                draft.subjects[member.participant_id] = self._subject(member)
        walk = _Walk(draft, self.placer)
        for genome in case.current_genomes():
            walk.take_genome(genome)
        walk.take_report(case.classifications)
        # A batch would hold the documents of all its cases otherwise.
        draft.case = replace(case, raw={name: case.raw[name] for name in ("proband",) if name in case.raw})
        return draft

    def _subject(self, member: Member) -> Subject:
        sex = Sex(member.sex) if member.sex in ("male", "female") else Sex.UNKNOWN
        participant = member.participant_id or ""
        return Subject(subject_id_of(participant), sex, None, ((self.system, participant),))


def _people(case: GelCase) -> Sequence[Member]:
    """Return the members; of a case that came without a pedigree, those whom its calls name."""
    if case.members:
        return case.members
    named = {
        call.participant_id: None
        for genome in case.genomes
        for calls in _calls_of(genome)
        for call in calls
        if call.participant_id
    }
    return [Member(participant, participant == case.raw.get("proband"), "unknown") for participant in named]


def _calls_of(genome: InterpretedGenome) -> Iterator[tuple[VariantCall, ...]]:
    yield from (variant.calls for variant in genome.variants)
    yield from (variant.calls for variant in genome.structural)
    yield from (variant.calls for variant in genome.repeats)


class _Walk:
    """Goes through the genomes of one case and fills its draft."""

    def __init__(self, draft: Draft, placer: Placer) -> None:
        self._draft = draft
        self._placer = placer
        self._sets: dict[tuple[str, str, str, SourceClass], int] = {}
        self._people: dict[tuple[str, str], int] = {}
        self._said: dict[tuple[int, int], tuple[int, VariantCall]] = {}
        self._tumours = {
            (member.participant_id, sample.sample_id)
            for member in draft.case.members
            for sample in member.samples
            if sample.kind == "tumour"
        }
        self._members = {member.participant_id: member for member in draft.case.members}
        self._structural: dict[tuple[Any, ...], VariantCall] = {}
        self._strangers: set[str] = set()

    def take_genome(self, genome: InterpretedGenome) -> None:
        """Take the calls of a genome, and the tests that it stands for."""
        draft, service = self._draft, genome.service
        date = day_of(genome.created_at)
        detects = _change_types(draft.case, genome)
        called = {(call.participant_id, call.sample_id): None for calls in _calls_of(genome) for call in calls}
        everybody = [
            (member.participant_id, sample.sample_id)
            for member in draft.case.members
            for sample in member.samples
            if member.participant_id is not None
        ]
        for participant, sample in everybody if service == TIERING or not called else called:
            if participant in draft.subjects:
                self._study(service, participant, sample, date, detects)
        facts = (service, date, detects)
        self._take_small(genome.variants, facts)
        self._take_structural(genome.structural, facts)
        draft.counts["short_tandem_repeats"] += len(genome.repeats)
        draft.counts["genome_findings"] += len(genome.findings)

    def take_report(self, listed: Iterable[Classification]) -> None:
        """Take the variants of clinical reports, which count where no interpreted genome speaks of them."""
        reported = [one for one in listed if one.rank >= _IMPLIED_BY_REPORT and one.version != _OF_GENOME]
        date = max((found for one in reported if (found := day_of(one.date))), default=None)
        facts = (REPORT_SERVICE, date, ";".join(_SMALL))
        small = {one.small.path: one.small for one in reported if one.small is not None}
        structural = {one.structural.path: one.structural for one in reported if one.structural is not None}
        self._take_small(small.values(), facts)
        self._take_structural([one for one in structural.values() if one.calls and one.kind != REPEAT], facts)

    # --- small variants -----------------------------------------------------------------------------------------------

    def _take_small(self, variants: Iterable[SmallVariant], facts: tuple[str, str | None, str]) -> None:
        draft, calls = self._draft, self._draft.calls
        conflicting: list[SmallVariant] = []
        for variant in variants:
            if variant.path in draft.change_of:
                continue
            change = self._change(variant)
            if variant.build is not None and variant.build is not draft.build:
                conflicting.append(variant)
            if change is None:
                continue
            at, is_mt = len(draft.changes), change.contig == MT
            draft.changes.append(change)
            draft.change_of[variant.path] = at
            for call in variant.calls:
                alt_depth, ref_depth = call.alt_depth, call.ref_depth
                is_somatic = "somatic_variant" in call.origins
                reading = read_zygosity(
                    call.zygosity,
                    is_mt=is_mt,
                    frequency=call.frequency if is_mt else None,
                    is_somatic=is_somatic,
                    has_evidence=bool(alt_depth or call.frequency or call.copies),
                    is_absent=0 in (alt_depth, call.frequency),
                    alleles=call.sorted_alleles,
                )
                if reading.doubt and call.zygosity != UNKNOWN:
                    draft.add(call.path, reading.doubt, Scope.WARNING)
                if is_mt and reading.genotype is not None and _is_mixed(call, reading.genotype):
                    draft.add(
                        call.path, "Stated for all mitochondria, but not all reads have the allele.", Scope.WARNING
                    )
                if reading.says == Says.NOTHING:
                    draft.counts["unknown_zygosities"] += call.zygosity == UNKNOWN
                    continue
                person = self._person(call)
                if person is None:
                    continue
                genotype = reading.genotype
                calls.change.append(at)
                calls.person.append(person)
                calls.call_set.append(self._call_set(facts, call, is_somatic) if genotype is not None else -1)
                calls.says.append(reading.says)
                calls.genotype.append(genotype)
                calls.ref_depth.append(-1 if ref_depth is None or ref_depth > LARGEST else ref_depth)
                calls.alt_depth.append(-1 if alt_depth is None or alt_depth > LARGEST else alt_depth)
                calls.frequency.append(nan if call.frequency is None else call.frequency)
                is_phased = genotype is not None and genotype.phased and call.phase_set is not None
                calls.phase_set.append(call.phase_set if is_phased and call.phase_set is not None else -1)
                calls.source.append(call)
        self._warn_of_builds(conflicting)

    def _warn_of_builds(self, conflicting: Sequence[SmallVariant]) -> None:
        draft = self._draft
        if not conflicting:
            return
        path = f"{conflicting[0].path}.variantCoordinates.assembly"
        if any(problem.path == path for problem in draft.problems):
            return
        told = conflicting[0].build
        more = f" So do {len(conflicting) - 1} more variants." if len(conflicting) > 1 else ""
        draft.add(
            path,
            f"Assembly conflict: the coordinates say {told}, the case {draft.build}; that of the case counts.{more}",
            Scope.WARNING,
        )

    def _change(self, variant: SmallVariant) -> Change | None:
        """Return a variant as a record would write it; None where it cannot be stored, which is noted."""
        draft, build = self._draft, self._draft.build
        contig = contig_named(variant.chromosome, build)
        if contig is None:
            draft.unknown_contigs[variant.chromosome] += 1
            draft.add(
                f"{variant.path}.variantCoordinates.chromosome",
                f'"{variant.chromosome}" is no chromosome of {build}: the variant stays in the document alone.',
                Scope.WARNING,
            )
            return None
        position, ref, alt = variant.position_1based - 1, variant.reference, variant.alternate
        if not ref or not alt:
            return self._anchored(variant, contig)
        if ref == alt or not _BASES.fullmatch(alt):
            detail = "REF and ALT are the same." if ref == alt else "ALT has letters that stand for no base."
            draft.add(f"{variant.path}.variantCoordinates.alternate", detail, Scope.VARIANT)
            return None
        if position < 0 or position + len(ref) > length(build, contig):
            draft.add(
                f"{variant.path}.variantCoordinates.position",
                f"{display(contig)}:{variant.position_1based} is beyond the ends of the chromosome on {build}.",
                Scope.VARIANT,
            )
            return None
        return Change(contig, position, ref, alt, variant)

    def _anchored(self, variant: SmallVariant, contig: int) -> Change | None:
        """Return an insertion or deletion whose anchor the document leaves out, with the base of the reference."""
        draft, build, path = self._draft, self._draft.build, f"{variant.path}.variantCoordinates"
        ref, alt, position = variant.reference, variant.alternate, variant.position_1based - 1
        field_ = "reference" if not ref else "alternate"
        if not (ref or alt) or not _BASES.fullmatch(ref or alt):
            draft.add(f"{path}.{field_}", "Neither allele has bases.", Scope.VARIANT)
            return None
        # An insertion follows the base at its position; a deletion begins at its own.
        anchor = position if not ref else position - 1
        base = None
        if 0 <= anchor < length(build, contig) and anchor + 1 + len(ref) <= length(build, contig):
            reference = self._placer.reference(build, contig)
            base = reference.fetch(accession(build, contig), anchor, anchor + 1)
        if base is None or not _BASES.fullmatch(base):
            draft.add(
                f"{path}.{field_}",
                f"The anchor base is missing, and the reference at {display(contig)}:{anchor + 1} is not loaded.",
                Scope.VARIANT,
            )
            return None
        draft.counts["repaired_alleles"] += 1
        if not variant.is_repaired or not any(problem.path == f"{path}.{field_}" for problem in draft.problems):
            detail = f"Missing allele: stored as {display(contig)}:{anchor + 1} {base + ref}>{base + alt}."
            draft.add(f"{path}.{field_}", detail, Scope.WARNING)
        return Change(contig, anchor, base + ref, base + alt, variant)

    # --- structural variants ------------------------------------------------------------------------------------------

    def _take_structural(self, variants: Iterable[StructuralVariant], facts: tuple[str, str | None, str]) -> None:
        draft, build = self._draft, self._draft.build
        for variant in variants:
            contig = contig_named(variant.region.chromosome, build)
            if contig is None:
                draft.unknown_contigs[variant.region.chromosome] += 1
                continue
            allele = allele_of(variant, length(build, contig))
            if isinstance(allele, str):
                draft.add(variant.path, allele, Scope.VARIANT)
                continue
            for call in variant.calls:
                member, extent = self._members.get(call.participant_id), allele.extent
                plain = plain_copies(member, build, contig, extent.start, extent.end)
                reading = read_structural_call(call, allele.kind, contig, plain)
                if reading.doubt:
                    draft.add(call.path, reading.doubt, Scope.WARNING)
                if reading.says == Says.NOTHING:
                    continue
                person = self._person(call)
                key = (person, contig, allele.kind, allele.alt, allele.extent)
                if person is None or self._is_said(key, call):
                    continue
                if reading.genotype is None:
                    continue
                call_set = self._call_set(facts, call, call.is_somatic)
                copies = str(call.copies[0]) if call.copies else ""
                draft.structural.append(StructuralFound(contig, allele, call_set, reading.genotype, copies, variant))

    def _is_said(self, key: tuple[Any, ...], call: VariantCall) -> bool:
        """Return whether a service that comes first spoke of the same of a sample; note if it said something else."""
        before = self._structural.setdefault(key, call)
        if before.zygosity != call.zygosity:
            message = f"Zygosity is {call.zygosity} here and {before.zygosity} at {before.path}, which counts."
            self._draft.add(call.path, message, Scope.WARNING)
        return before is not call

    # --- who ----------------------------------------------------------------------------------------------------------

    def _person(self, call: VariantCall) -> int | None:
        """Return the number of a sample; None where nobody of the case has it, which is noted once."""
        if call.participant_id not in self._draft.subjects:
            if call.participant_id not in self._strangers:
                self._strangers.add(call.participant_id)
                detail = f'Participant "{call.participant_id}" is no member of the case: these calls are not stored.'
                self._draft.add(call.path, detail, Scope.CALL)
            return None
        return self._people.setdefault((call.participant_id, call.sample_id), len(self._people))

    def _call_set(self, facts: tuple[str, str | None, str], call: VariantCall, is_somatic: bool) -> int:
        source_class = self._class(call, is_somatic)
        key = (facts[0], call.participant_id, call.sample_id, source_class)
        found = self._sets.get(key)
        if found is None:
            _, study = self._study(facts[0], call.participant_id, call.sample_id, *facts[1:])
            found = self._sets[key] = len(self._draft.call_sets)
            subject = self._draft.subjects[call.participant_id]
            planned = PlannedCallSet(subject, study, source_class, call.sample_id, phased_contigs=False, source=SOURCE)
            self._draft.call_sets.append(planned)
        return found

    def _class(self, call: VariantCall, is_somatic: bool) -> SourceClass:
        if is_somatic:
            return SourceClass.SOMATIC
        if not call.origins and (call.participant_id, call.sample_id) in self._tumours:
            return SourceClass.UNSPECIFIED
        return SourceClass.GERMLINE

    def _study(
        self, service: str, participant: str, sample: str, date: str | None, detects: str
    ) -> tuple[str, StudyFacts]:
        draft = self._draft
        test_id = f"{draft.case.name}.{service}.{sample}"
        found = draft.studies.get(test_id)
        if found is None:
            subject_id = draft.subjects[participant].subject_id
            facts = StudyFacts(test_id, draft.build, date, sample or None, None, detects)
            found = draft.studies[test_id] = subject_id, facts
        return found


def _is_mixed(call: VariantCall, genotype: Genotype) -> bool:
    """Return whether depths contradict a homoplasmic call of which no frequency is stated."""
    if genotype.zygosity is not Zygosity.HOMOPLASMIC or call.frequency is not None:
        return False
    reference, alternate = call.ref_depth, call.alt_depth
    return bool(reference and alternate and alternate < HOMOPLASMIC_FROM * (reference + alternate))


def _change_types(case: GelCase, genome: InterpretedGenome) -> str:
    """Return what a genome can tell of: structural variants and repeats only where it has a list of them."""
    found = list(_SMALL)
    body = _body_of(case, genome)
    if genome.structural or body.get("structuralVariants") is not None:
        found += _STRUCTURAL
    if genome.repeats or body.get("shortTandemRepeats") is not None:
        found.append(_REPEAT)
    return ";".join(found)


def _body_of(case: GelCase, genome: InterpretedGenome) -> Mapping[str, Any]:
    """Return the document that a genome was read from, as far as the case has it."""
    match = re.match(r"interpreted_genome\[([0-9]+)\]", genome.path)
    listed = case.raw.get("interpreted_genome")
    if match is None or not isinstance(listed, list) or int(match[1]) >= len(listed):
        return {}
    wrapper = listed[int(match[1])]
    body = wrapper.get("interpreted_genome_data") if isinstance(wrapper, Mapping) else None
    return body if isinstance(body, Mapping) else {}
