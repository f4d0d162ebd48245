"""One FHIR file from Observations to visible studies: all or nothing, idempotent, resumable, as a VCF is.

The file is read once. What surrounds the variants is kept, the variants go to a scratch file; then each finds its
subject and test, and blocks of them take the way of a VCF's. An Observation that cannot be stored is named in the
report, and the others are stored; a file that is no FHIR is refused as a whole.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Literal

import orjson

from app.errors import BadFile, LimitExceeded, OperonError
from app.fhir import codes
from app.fhir.agreement import Agreement, Decided
from app.fhir.elements import Element, NotFhir, codes_of, object_of, reference_of, references_of, text_of
from app.fhir.extensions import ExactCall
from app.fhir.stated import Presence, Refusal, StatedVariant, read_variant_observation
from app.fhir.stated_genotype import StatedGenotype, read_genotype_observation, read_haplotype_name
from app.fhir.stated_implication import Incomplete, kind_of, read_implication_observation, render_stated
from app.fhir.stated_structural import read_structural_observation
from app.fhir.validate import problems
from app.formats.fhir_file import Entry, FhirFile
from app.formats.knowledge import ItemKind
from app.formats.vcf_tally import Tally
from app.records import Build, SourceClass, Zygosity
from app.store import bulk, counters, genotype_writer, ledger, runs, stated_writer, subjects
from app.store.genotype_writer import Statement
from app.store.genotypes import GenotypeName
from app.store.runs import Finished, PlannedCallSet, Run
from app.store.stated_writer import Addition
from app.variants.accessions import X, Y
from app.variants.hla_reduction import HlaReductions, open_reductions
from ingest.consequence_rules import ConsequenceRules
from ingest.fhir_frame import KEPT, Frame, check_date
from ingest.fhir_phase import Member, Relation, phased_calls
from ingest.fhir_plan import Plan, Planner
from ingest.fhir_report import FhirReport
from ingest.fhir_rows import Context, Row, Scratch, blocks, call_of
from ingest.fhir_stated import FileImplication, Known, Resolver, add_calls, names_of, wanted_names
from ingest.progress import Bar, Progress
from ingest.source import Source, open_source
from ingest.vcf import BlockStorer, Counts
from ingest.workspace import Workspace

_ENDINGS = re.compile(r"(\.(json|ndjson|jsonl))?(\.gz)?$", re.IGNORECASE)
_FINAL = ("final", "amended", "corrected")
_ANNOTATION = "genomic-annotation"
_ABSENCE = {Presence.ABSENT: "absent", Presence.NO_CALL: "no-call", Presence.INDETERMINATE: "indeterminate"}
_PROBLEMS_SHOWN = 3


def ingest_fhir(
    workspace: Workspace, paths: Sequence[Path | Literal["-"]], progress: Progress, *, replace: bool = False
) -> Iterator[FhirReport]:
    """Store FHIR files one after the other and yield a report of each.

    Raises:
        OperonError: a file cannot be used; nothing of it is stored, those before it stay.
    """
    for path in paths:
        with workspace.database.sole_writer(), open_source(path, workspace.settings) as source:
            yield _FileIngest(workspace, source, progress).store(replace=replace)


class _FileIngest:
    """The ingest of one file."""

    def __init__(self, workspace: Workspace, source: Source, progress: Progress) -> None:
        self._workspace = workspace
        self._source = source
        self._progress = progress
        self._settings = workspace.settings
        self._agreement = Agreement(workspace.genome.identifier(workspace.settings), workspace.genome.references)
        fallback = _ENDINGS.sub("", source.name) or source.name
        self._frame = Frame(source.name, fallback, self._named)
        self._contexts: dict[Context, int] = {}
        self._relations: list[Relation] = []
        self._genotypes: list[tuple[str, tuple[str, ...], int, StatedGenotype]] = []
        self._haplotypes: list[tuple[str, tuple[str, ...], str | None]] = []
        self._implications: list[FileImplication] = []
        self._known = Known()
        self._report = FhirReport(source.name, source.sha256)

    def store(self, *, replace: bool) -> FhirReport:
        """Store the file and return its report."""
        began = time.monotonic()
        with closing(Scratch(self._settings.home)) as scratch:
            self._read(scratch)
            planner = Planner(self._source.name, self._frame, list(self._contexts))
            for row in scratch.rows():
                planner.see(row.context, row.names)
            for _, names, context, _ in self._genotypes:
                planner.see(context, names)
            plan = planner.plan()
            statements = self._statements(plan)
            if plan.refused:
                self._report_refused(scratch, plan)
            self._report.subjects, self._report.tests = len(plan.subjects), plan.tests
            if not plan.call_sets:
                return self._store_others(plan, statements, began, replace=replace)
            return self._store_calls(scratch, plan, statements, began, replace=replace)

    def _named(self, system: str, value: str) -> list[str]:
        with self._workspace.database.read() as session:
            return subjects.with_identifier(session, system, value)

    # --- reading ------------------------------------------------------------------------------------------------------

    def _read(self, scratch: Scratch) -> None:
        with self._source.open() as stream, self._progress.file(self._source.name, self._source.size) as bar:
            file = FhirFile(stream, self._source.name, self._settings)
            for entry in file.entries():
                try:
                    self._take(entry, scratch)
                except NotFhir as error:
                    self._refuse(entry, error)
                beside = (self._relations, self._contexts, self._genotypes, self._haplotypes, self._implications)
                if self._frame.held + sum(map(len, beside)) > self._settings.fhir_max_held:
                    raise LimitExceeded(
                        self._source.name,
                        f"more than {self._settings.fhir_max_held:,} resources beside the variants must be held",
                        mend="Split it, or raise OPERON_FHIR_MAX_HELD",
                    )
                _show(bar, file)
            for bundle, members in file.bundles.items():
                name = _bundle_name(self._source.name, members)
                if name is not None:
                    self._frame.bundles[bundle] = name
        self._source.check_unchanged()

    def _refuse(self, entry: Entry, error: NotFhir) -> None:
        """Refuse the file, with the words of the FHIR models where they find the problem, too."""
        more = [text for text in problems(entry.resource) if "unknown resourceType" not in text]
        shown = f" (FHIR R4: {'; '.join(more[:_PROBLEMS_SHOWN])})" if more else ""
        raise BadFile(
            self._source.name,
            f"{error.problem}{shown}",
            field=f"{entry}, {error.path}",
            mend="Correct the resource, or take it out of the file",
        ) from error

    def _take(self, entry: Entry, scratch: Scratch) -> None:
        self._report.resources[entry.type] += 1
        if entry.type in KEPT:
            self._frame.add(entry)
        elif entry.type == "Observation":
            self._take_observation(entry, scratch)
        else:
            self._report.skipped.add("resource", str(entry), entry.type)

    def _take_observation(self, entry: Entry, scratch: Scratch) -> None:
        resource = entry.resource
        stated_codes = codes_of(object_of(resource, "code"), "code")
        loinc = {code.code for code in stated_codes if code.system == codes.LOINC}
        implied = kind_of(resource)
        if any(code.code == _ANNOTATION for code in stated_codes):
            self._report.skipped.add("annotation", str(entry))
        elif text_of(resource, "status") not in _FINAL:
            self._report.skipped.add("status", str(entry), str(resource.get("status")))
        elif implied is not None:
            self._take_implication(entry, implied)
        elif codes.VARIANT_ASSESSMENT.code in loinc:
            self._take_variant(entry, scratch)
        elif codes.ALLELIC_PHASE.code in loinc:
            self._take_relation(entry)
        elif codes.GENOTYPE_NAME.code in loinc:
            self._take_genotype(entry)
        elif codes.HAPLOTYPE_NAME.code in loinc:
            self._haplotypes.append((str(entry), _names(entry), read_haplotype_name(resource)))
        else:
            self._report.skipped.add("observation", str(entry))

    def _take_relation(self, entry: Entry) -> None:
        resource = entry.resource
        named = [reference.text for reference in references_of(resource, "derivedFrom")]
        value = {code.code for code in codes_of(object_of(resource, "valueCodeableConcept"), "valueCodeableConcept")}
        relation = value & {codes.CIS.code, codes.TRANS.code}
        first, second = named if len(named) == 2 else (None, None)
        if first is None or second is None:
            self._report.refused.add("phase-target", str(entry), "derivedFrom does not name two variants")
        elif len(relation) != 1:
            self._report.skipped.add("phase-unknown", str(entry))
        else:
            is_cis = codes.CIS.code in relation
            self._relations.append(Relation(str(entry), entry.number, first, second, is_cis))

    def _take_variant(self, entry: Entry, scratch: Scratch) -> None:
        stated = read_variant_observation(entry.resource)
        if isinstance(stated, Refusal):
            self._report.refused.add(stated.reason, str(entry), stated.detail)
            return
        if stated.presence in _ABSENCE:
            self._report.skipped.add(_ABSENCE[stated.presence], str(entry))
            return
        if stated.presence is not Presence.PRESENT:
            self._report.refused.add("no-presence", str(entry), "valueCodeableConcept is not LA9633-4 (Present)")
            return
        if stated.structural:
            self._take_structural(entry, stated, scratch)
            return
        decided = self._agreement.decide(stated)
        refusal = (
            decided if isinstance(decided, Refusal) else _against_genotype(stated.state, stated.exact, decided.contig)
        )
        if refusal is not None:
            left_out = self._report.skipped if refusal.reason == "same-as-reference" else self._report.refused
            left_out.add(refusal.reason, str(entry), refusal.detail)
            return
        assert not isinstance(decided, Refusal)  # noqa: S101 - it would be the refusal
        for reason in stated.dropped:
            self._report.dropped.add(reason, str(entry))
        names = _names(entry)
        context = self._context(entry, stated.source_class, decided.build)
        call = stated.exact or call_of(stated.state, stated.frequency, stated.alt_depth)
        scratch.add(Row(entry.number, str(entry), names, context, decided, call, is_exact=stated.exact is not None))

    def _take_structural(self, entry: Entry, stated: StatedVariant, scratch: Scratch) -> None:
        read = read_structural_observation(entry.resource, stated)
        refusal = read if isinstance(read, Refusal) else _against_genotype(stated.state, read.exact, read.contig)
        if refusal is not None:
            self._report.refused.add(refusal.reason, str(entry), refusal.detail)
            return
        assert not isinstance(read, Refusal)  # noqa: S101 - it would be the refusal
        for reason in read.dropped:
            self._report.dropped.add(reason, str(entry))
        allele = read.allele
        change = Decided(read.build, read.contig, allele.extent.start, allele.ref, allele.alt)
        context = self._context(entry, stated.source_class, read.build)
        call = read.exact or call_of(stated.state, None, -1)
        is_exact = read.exact is not None
        scratch.add(Row(entry.number, str(entry), _names(entry), context, change, call, is_exact, allele))

    def _take_genotype(self, entry: Entry) -> None:
        stated = read_genotype_observation(entry.resource)
        if isinstance(stated, Refusal):
            self._report.refused.add(stated.reason, str(entry), stated.detail)
        else:
            context = self._context(entry, None, None)
            self._genotypes.append((str(entry), _names(entry), context, stated))

    def _take_implication(self, entry: Entry, kind: ItemKind | Incomplete) -> None:
        resource = entry.resource
        read = kind if isinstance(kind, Incomplete) else read_implication_observation(resource, kind)
        if isinstance(read, Incomplete):
            self._report.skipped.add(read.reason, str(entry), read.detail)
            return
        # What is kept of it is shown as it is, so it must be FHIR.
        shown = render_stated(read.kind, read.body, id_="st", subject_id="P", derived_from=["dv"])
        wrong = problems(orjson.loads(shown))
        if wrong:
            path, _, problem = wrong[0].partition(": ")
            raise NotFhir(path, problem)
        if read.lost_references:
            self._report.dropped.add("references", str(entry))
        subject = reference_of(object_of(resource, "subject"), "subject")
        self._implications.append(FileImplication(str(entry), subject, read))

    def _context(self, entry: Entry, source_class: SourceClass | None, build: Build | None) -> int:
        resource = entry.resource
        context = Context(
            entry.bundle,
            reference_of(object_of(resource, "subject"), "subject"),
            tuple(references_of(resource, "partOf")),
            tuple(references_of(resource, "basedOn")),
            _effective(resource),
            reference_of(object_of(resource, "specimen"), "specimen"),
            source_class,
            build,
        )
        return self._contexts.setdefault(context, len(self._contexts))

    # --- storing ------------------------------------------------------------------------------------------------------

    def _statements(self, plan: Plan) -> list[Statement]:
        """Return the genotypes of the file; tells the report which haplotypes none is derived from."""
        named = {name: text for _, names, text in self._haplotypes for name in names}
        used: set[str] = set()
        found = []
        for label, names, context, stated in self._genotypes:
            test = plan.test_of(context, names)
            if isinstance(test, Refusal):
                self._report.refused.add(test.reason, label, test.detail)
                continue
            derived = [reference.text for reference in stated.derived_from if reference.text in named]
            used.update(derived)
            listed = [named[text] for text in derived]
            haplotypes = stated.haplotypes
            if haplotypes is None:
                haplotypes = tuple(text for text in listed if text is not None)
            name = GenotypeName(
                stated.gene_id, stated.gene_symbol, stated.system, stated.code, stated.display, haplotypes,
                stated.hla_alleles,
            )  # fmt: skip
            found.append(Statement(*test, stated.source_class, name))
            self._known.add_genotype(names, found[-1], names_of(named, stated.derived_from))
        for label, names, _ in self._haplotypes:
            if not used.intersection(names):
                self._report.skipped.add("haplotype", label)
        self._report.genotypes = len(found)
        return found

    def _store_others(self, plan: Plan, statements: Sequence[Statement], began: float, *, replace: bool) -> FhirReport:
        """Store a file without calls: subjects, studies and genotypes, in one transaction."""
        database, source, report = self._workspace.database, self._source, self._report
        key = runs.Source(source.name, source.sha256, {"format": "fhir", "tests": _identity(statements)}).key
        implied = self._implied(plan, replace=replace)
        with database.write() as session:
            before = ledger.report_of(session, key) if statements or implied else None
            if before is not None and not replace:
                return FhirReport.already_stored(source.name, source.sha256, before)
            bulk.declare(session, plan.subjects, plan.found_nothing(), source.name)
            if implied:
                report.implications = len({one.uid for one in implied})
            report.seconds = time.monotonic() - began
            if statements or implied:
                # Without genotypes nothing in the store would tell when to forget the run.
                run_id = ledger.record(session, key=key, source=source.name, sha256=source.sha256)
                genotype_writer.write_all(session, run_id, statements, replace=replace, reductions=self._reductions())
                stated_writer.write_all(session, run_id, implied, replace=replace)
                ledger.complete(session, run_id, report.for_ledger())
                ledger.forget_empty(session, [run_id])
                counters.add(session, counters.DATA_VERSION, 1)
        return report

    def _implied(
        self,
        plan: Plan,
        stored: Sequence[PlannedCallSet] = (),
        scratch: Scratch | None = None,
        *,
        replace: bool,
    ) -> list[Addition]:
        """Return the implications of the file whose findings are stored; tells the report of the others.

        ``stored`` are the call sets whose blocks are stored, with the numbers that they have there.
        """
        if not self._implications:
            return []
        if scratch is not None:
            placed = ((row, at) for row in scratch.rows() if (at := plan.call_set_of(row)) is not None)
            with self._workspace.database.read() as session:
                add_calls(self._known, session, placed, stored, wanted_names(self._implications))
        tests = {(subject_id, facts.test_id) for subject_id, facts in plan.facts.values()}
        tests |= {(entry.subject.subject_id, entry.study.test_id) for entry in plan.call_sets}
        resolver = Resolver(
            self._known,
            self._workspace.database,
            self._frame.subject_of,
            tests if replace else set(),
            self._settings.base_url,
        )
        found = []
        for label, one in resolver.resolve(self._implications):
            if isinstance(one, Addition):
                found.append(one)
            else:
                left_out = self._report.skipped if isinstance(one, Incomplete) else self._report.refused
                left_out.add(one.reason, label, one.detail)
        return found

    def _reductions(self) -> HlaReductions | None:
        return open_reductions(self._settings.pyard_data)[0]

    def _store_calls(
        self, scratch: Scratch, plan: Plan, statements: Sequence[Statement], began: float, *, replace: bool
    ) -> FhirReport:
        database, source = self._workspace.database, self._source
        call_sets = [entry.to_json() for entry in plan.call_sets]
        parameters = {"format": "fhir", "call sets": call_sets, "genotypes": _identity(statements)}
        run = runs.begin(database, runs.Source(source.name, source.sha256, parameters), plan.call_sets, again=replace)
        if run.done:
            return FhirReport.already_stored(source.name, source.sha256, run.report or {})
        try:
            counts = self._store_blocks(scratch, plan, run)
            source.check_unchanged()
            self._report.calls, self._report.variants_new = sum(counts.calls), counts.new_variants
            self._report.structural = counts.structural
            implied = self._implied(plan, run.plan, scratch, replace=replace)
            self._report.implications = len({one.uid for one in implied})
            self._report.seconds = time.monotonic() - began
            finished = Finished(
                run,
                counts.by_call_set(),
                self._report.for_ledger(),
                [plan.regions.get((entry.subject.subject_id, entry.study.test_id), {}) for entry in plan.call_sets],
                records_tell=False,
                subjects=plan.subjects,
                studies=plan.found_nothing(),
                statements=statements,
                reductions=self._reductions() if statements else None,
                stated=implied,
            )
            runs.finish(database, [finished], replace_earlier=replace)
        except OperonError:
            runs.discard(database, run)
            raise
        return self._report

    def _store_blocks(self, scratch: Scratch, plan: Plan, run: Run) -> Counts:
        """Store the blocks of the file from where an interrupted run stopped."""
        saved = run.progress or {}
        counts = Counts.from_json(saved["counts"]) if "counts" in saved else Counts.start(len(run.plan))
        tally = Tally()
        tally.restore(saved.get("tally", {}))
        storers = {
            build: BlockStorer(
                self._workspace.genome.placer, build, run.plan, self._settings, self._source.name, counts, tally,
                names_sequences=True,
            )
            for build in Build
        }  # fmt: skip
        changed = self._phased(scratch, plan)
        rows = ((row, plan.call_set_of(row)) for row in scratch.rows())
        placed = ((row, at) for row, at in rows if at is not None)
        rules = ConsequenceRules(self._workspace.genome)
        done = run.next_block
        limits = {"most": self._settings.fhir_max_held, "long": self._settings.sv_min_len}
        for number, one in enumerate(blocks(placed, changed, self._source.name, **limits)):
            if number < done:
                continue
            storer = storers[one.build]
            batch = storer.place(one.block)
            with self._workspace.database.write() as session:
                stored = storer.store(session, one.block, batch, one.genotypes, run.next_block)
                rules.link_new(session, one.block.contig, stored.new_variants)
                runs.checkpoint(
                    session,
                    run,
                    chunks=stored.chunks,
                    delta=stored.delta,
                    structural=stored.structural,
                    next_record=max(run.next_record, one.block.next_record),
                    progress={"counts": counts.to_json(), "tally": tally.to_json()},
                )
            run.next_block += 1
        self._report_mismatches(tally)
        return counts

    def _report_mismatches(self, tally: Tally) -> None:
        for entry in tally.entries.values():
            for number_1based in entry.lines_1based:
                self._report.refused.add(entry.reason, f"entry[{number_1based - 1}]")
            self._report.refused.counts[entry.reason] = entry.count

    def _report_refused(self, scratch: Scratch, plan: Plan) -> None:
        for row in scratch.rows():
            refusal = plan.refusal_of(row)
            if refusal is not None:
                self._report.refused.add(refusal.reason, row.label, refusal.detail)

    def _phased(self, scratch: Scratch, plan: Plan) -> dict[int, ExactCall]:
        """Return the calls that phase relations change, by entry number; tells the report which are not used."""
        if not self._relations:
            return {}
        wanted = {name for relation in self._relations for name in (relation.first, relation.second)}
        members: dict[str, Member] = {}
        ambiguous: set[str] = set()
        for row in scratch.rows():
            at = plan.call_set_of(row) if row.structural is None else None
            for name in row.names:
                if name in wanted and at is not None:
                    ambiguous |= {name} if name in members else set()
                    members[name] = Member(row, at)
        for name in ambiguous:
            del members[name]
        calls, refused = phased_calls(self._relations, members)
        self._report.phased = len(calls)
        for relation, refusal in refused:
            self._report.refused.add(refusal.reason, relation.label, refusal.detail)
        return calls


def _identity(statements: Sequence[Statement]) -> list[tuple[str, str]]:
    """Return the tests that genotypes are stored of, which the name of the file may decide on."""
    return sorted({(one.subject_id, one.study.test_id) for one in statements})


def _names(entry: Entry) -> tuple[str, ...]:
    """Return what references to a resource may say."""
    return tuple(name for name in (entry.full_url, _relative(entry)) if name is not None)


def _effective(resource: Element) -> str | None:
    period = object_of(resource, "effectivePeriod") or {}
    effective = text_of(resource, "effectiveDateTime") or text_of(period, "start", "effectivePeriod")
    if effective is not None:
        check_date(effective, "effectiveDateTime")
    return effective


def _relative(entry: Entry) -> str | None:
    id_ = text_of(entry.resource, "id")
    return None if id_ is None else f"{entry.type}/{id_}"


def _bundle_name(source: str, members: Element) -> str | None:
    """Return what names a Bundle: its identifier, else its id."""
    try:
        identifier = object_of(members, "identifier") or {}
        return text_of(identifier, "value", "identifier") or text_of(members, "id")
    except NotFhir as error:
        raise BadFile(source, error.problem, field=f"Bundle.{error.path}", mend="Correct it") from error


def _against_genotype(state: Zygosity | None, exact: ExactCall | None, contig: int) -> Refusal | None:
    """Return a Refusal if the allelic state is another one than that of the exact genotype beside it."""
    if exact is None or state is None:
        return None
    zygosity = exact.genotype.zygosity
    # A man's homozygous call on a sex chromosome is shown as hemizygous.
    shown = {zygosity} | ({Zygosity.HEMIZYGOUS} if zygosity is Zygosity.HOMOZYGOUS and contig in (X, Y) else set())
    if state in shown:
        return None
    detail = f"allelic state (53034-5) is {state.name.lower()}, the genotype {exact.genotype.text} is not"
    return Refusal("contradiction", detail)


def _show(bar: Bar, file: FhirFile) -> None:
    if file.number % 256 == 0:
        bar.at(file.bytes_read)
