"""The records of a VCF: a tight loop for ordinary records of one sample, and a careful way for all others.

The tight loop handles records with one ALT of plain bases, a FORMAT as in the record before, and fields that were seen
before or read cleanly; whatever differs, errors included, goes the careful way, so that both agree by construction.
Positions are zero-based.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NoReturn, cast

import numpy as np
from numpy.typing import NDArray

from app.config import Settings
from app.errors import BadFile
from app.formats.genotype import NO_CALL, REFERENCE, Genotype, GenotypeTable
from app.formats.vcf_block import ABSENT, BlockBuilder, Depths
from app.formats.vcf_cells import Call, CellReader, Plan, Shares, copy_number_place, read_phase_set
from app.formats.vcf_header import VcfHeader
from app.formats.vcf_matrix import Cells, Codes, locate_cells, read_codes
from app.formats.vcf_regions import RegionBuilder
from app.formats.vcf_site import PASSING, Site, SiteReader, names_structure
from app.formats.vcf_structural import STRUCTURAL, StructuralRow, copies_show
from app.formats.vcf_tally import Tally
from app.formats.vcf_watch import WINDOW, Watch, Watcher
from app.records import Build, Zygosity
from app.variants.accessions import MT, length

FIXED = 9
"""Columns before the samples."""

_BASES = frozenset("ACGT")
_SPLIT_UP_TO = 64
"""Samples of a file up to which splitting its lines is cheaper than locating cells with numpy."""
_NO_ALLELES = {".": "no-alternate", "<NON_REF>": "reference-block", "<*>": "reference-block"}
_NO_PLAN = Plan(-1, -1, -1, -1, -1, -1)


@dataclass(frozen=True, slots=True)
class Choice:
    """The chosen samples: their places among the file's samples, and the homoplasmy threshold of each."""

    places: tuple[int, ...]
    thresholds: tuple[float, ...]
    of_samples: int

    @property
    def index(self) -> NDArray[np.intp] | None:
        """Return the places for numpy, None when all samples are chosen in their order."""
        if self.places == tuple(range(self.of_samples)):
            return None
        return np.array(self.places, np.intp)

    @property
    def as_text(self) -> bool:
        """Return whether lines are split as text; those of files with many samples stay bytes."""
        return self.of_samples <= _SPLIT_UP_TO


@dataclass(frozen=True, slots=True)
class Run:
    """Lines to read: from ``lines[start]`` on, as long as they are on the contig that CHROM calls ``name``.

    ``line_1based`` is the number of that first line; ``maybe_structural`` says that INFO must be looked into.
    """

    lines: list[str] | list[bytes]
    start: int
    line_1based: int
    contig: int | None
    name: str
    maybe_structural: bool


class BodyReader:
    """Read records into ``builder``."""

    def __init__(
        self,
        name: str,
        build: Build,
        settings: Settings,
        header: VcfHeader,
        choice: Choice,
        *,
        tally: Tally,
        table: GenotypeTable,
        keep_filtered: bool,
        first_record: int,
        watch: Watch | None = None,
    ) -> None:
        # Of several samples together it is not kept which of them a record says nothing about.
        self._regions = RegionBuilder(name, table) if len(choice.places) == 1 else None
        self._watcher = Watcher(watch or Watch(), table)
        self.builder = BlockBuilder(
            single=len(choice.places) == 1, first_record=first_record, regions=self._regions, watcher=self._watcher
        )
        self._name = name
        self._build = build
        self._choice = choice
        self._index = choice.index
        self._columns = FIXED + choice.of_samples
        self._tally = tally
        self._table = table
        self._sites = SiteReader(name, build, settings, tally, keep_filtered=keep_filtered)
        self._cells = CellReader(name, table, tally, header.format_numbers)
        self._foreign_mitochondrion = header.foreign_mitochondrion
        # Where filtered records are kept, the builder must learn whether a filter is PASS or a dot.
        self._passing = frozenset({"PASS"}) if keep_filtered else PASSING
        self._longest_allele = settings.vcf_max_allele
        self._depths = Depths()
        self._shares = Shares()
        self._structural_from = settings.sv_min_len

    def enter(self, contig: int, line_1based: int) -> None:
        """Begin a contig; raises BadFile for the mitochondrial sequence of hg19."""
        if contig == MT and self._foreign_mitochondrion:
            self._sites.refuse_mitochondrion(line_1based)
        self.builder.contig = contig
        self._watcher.enter(contig)

    def read(self, run: Run, max_rows: int, max_genotypes: int) -> int:
        """Read the run, or a part of it that fits the block; return the place of the first line not read.

        A blank line ends the run. At least one line is read.
        """
        if run.contig is None:
            return self._pass_over(run)
        records = max(1, min(max_rows, (max_genotypes - self.builder.examined) // len(self._choice.places)))
        stop = min(len(run.lines), run.start + records)
        if not self._choice.as_text:
            done = self._read_wide_lines(run, stop)
        elif len(self._choice.places) > 1 or run.contig == MT:
            done = self._read_narrow_lines(run, stop)
        else:
            done = self._read_single(run, stop)
        self.builder.examined += (done - run.start) * len(self._choice.places)
        return done

    def _pass_over(self, run: Run) -> int:
        """Count the records of a contig that is no primary chromosome."""
        for at in range(run.start, len(run.lines)):
            line = run.lines[at]
            text = line if isinstance(line, str) else line.decode("latin-1")
            if at > run.start and not text.startswith(f"{run.name}\t"):
                return at
            line_1based = run.line_1based + at - run.start
            if text.count("\t") + 1 != self._columns:
                self._refuse_columns(text, line_1based)
            self._tally.add("other-contig", line_1based)
        return len(run.lines)

    def _read_wide_lines(self, run: Run, stop: int) -> int:
        lines = cast("list[bytes]", run.lines)
        start = run.name.encode("latin-1") + b"\t"
        for at in range(run.start, stop):
            if at > run.start and not lines[at].startswith(start):
                return at
            self._read_wide_record(lines[at], run.line_1based + at - run.start)
        return stop

    def _read_narrow_lines(self, run: Run, stop: int) -> int:
        lines = cast("list[str]", run.lines)
        for at in range(run.start, stop):
            fields = lines[at].split("\t", self._columns)
            if at > run.start and fields[0] != run.name:
                return at
            self._read_record(fields, run.line_1based + at - run.start)
        return stop

    def _read_single(self, run: Run, stop: int) -> int:
        """Read records of one sample; the names are local because every one of them is used for each record."""
        builder, tally, careful = self.builder, self._tally, self._read_record
        positions, refs, alts, lines_1based = builder.positions, builder.refs, builder.alts, builder.lines_1based
        genotypes, depths, pairs = builder.genotype, builder.depth, builder.pair
        number_of, depth_of, pair_of, share_of = self._table.biallelic, self._depths, builder.pairs, self._shares
        lines, name, columns, passing = cast("list[str]", run.lines), run.name, self._columns, self._passing
        regions = cast("RegionBuilder", self._regions)
        column, several, longest = FIXED + self._choice.places[0], columns > FIXED + 1, self._longest_allele
        structural_from = self._structural_from
        watcher, windows = self._watcher, self._watcher.windows
        end = length(self._build, builder.contig)
        maybe_structural = run.maybe_structural
        keys, plan, more = "\t", _NO_PLAN, False  # no FORMAT: the first one is always looked at
        offset = run.line_1based - run.start
        for line_1based, line in enumerate(lines[run.start : stop], run.line_1based):
            fields = line.split("\t", columns)
            if fields[0] != name:
                return line_1based - offset
            if len(fields) != columns:
                self._refuse_columns(line, line_1based)
            if several:
                fields[FIXED:] = [fields[column]]
            _, pos, _, ref, alt, _, filters, info, keys_here, cell = fields
            if keys_here != keys:
                known = self._cells.plan(keys_here, line_1based)
                keys, plan = (keys_here, known) if known else ("", _NO_PLAN)
                at_genotype, at_pair, at_depth, count = plan.genotype, plan.allele_depths, plan.depth, plan.keys
                more = plan.frequency >= 0 or plan.phase_set >= 0
            if ref in _BASES and alt in _BASES:
                ordinary = ref != alt
            elif ref and alt and not (ref + alt).strip("ACGT"):
                bases, others = len(ref), len(alt)
                ordinary = ref != alt and bases <= longest and others <= longest
                if bases - others >= structural_from or others - bases >= structural_from:
                    ordinary = False
            else:
                ordinary = False
                if alt in _NO_ALLELES and self._is_plain(fields, end, maybe_structural=maybe_structural):
                    tally.add(_NO_ALLELES[alt], line_1based)
                    regions.add_block(fields, _value_at(cell, at_genotype), end, line_1based)
                    continue
            values = cell.split(":", count)
            if (
                not ordinary
                or filters not in passing
                or (maybe_structural and names_structure(info))
                or len(values) != count
                or not pos.isdecimal()
            ):
                careful(line.split("\t"), line_1based)
                continue
            try:
                position = int(pos) - 1
                number = number_of[values[at_genotype]]
                pair = pair_of[values[at_pair]] if at_pair >= 0 else 0
                depth = depth_of[values[at_depth]] if at_depth >= 0 else ABSENT
                if more:
                    share = share_of[values[plan.frequency]] if plan.frequency >= 0 else None
                    phase_set = read_phase_set(values[plan.phase_set]) if plan.phase_set >= 0 else ABSENT
            except (KeyError, ValueError):
                careful(line.split("\t"), line_1based)
                continue
            if position < 0 or position + len(ref) > end:
                careful(line.split("\t"), line_1based)
                continue
            if number < 0:
                tally.add("all-reference" if number == REFERENCE else "no-call", line_1based)
                regions.add(position, position + len(ref), called=number == REFERENCE)
                if windows and number == REFERENCE and len(ref) + len(alt) > 2 and position >> WINDOW in windows:
                    watcher.add_reference(position, ref, (alt,))
                continue
            if more:
                if share is not None:
                    builder.frequency_at.append(len(genotypes))
                    builder.frequency.append(share)
                if phase_set >= 0:
                    builder.phase_set_at.append(len(genotypes))
                    builder.phase_set.append(phase_set)
            positions.append(position)
            refs.append(ref)
            alts.append(alt)
            lines_1based.append(line_1based)
            genotypes.append(number)
            depths.append(depth)
            pairs.append(pair)
        return stop

    def _is_plain(self, fields: list[str], end: int, *, maybe_structural: bool) -> bool:
        """Return whether a record without an allele to store is otherwise ordinary."""
        pos = fields[1]
        return (
            fields[3] in _BASES
            and fields[6] in self._passing
            and not (maybe_structural and names_structure(fields[7]))
            and pos.isdecimal()
            and len(pos) < 10
            and 0 < int(pos) <= end
        )

    def _read_record(self, fields: list[str], line_1based: int) -> None:
        """Read any record of a file with few samples, completely checked."""
        if len(fields) != self._columns:
            self._refuse_columns("\t".join(fields), line_1based)
        self._read_checked_record(fields, line_1based)
        if self._regions is None or (len(fields[3]) + len(fields[4]) > 2 and fields[6] in PASSING):
            self._watch(fields, fields[FIXED:])

    def _watch(self, fields: list[str], cells: Sequence[str]) -> None:
        """Keep what a record that was read tells of the chosen samples where it is watched."""
        if self._watcher.wants(fields[1]):
            self._watcher.add_record(fields, (cells[place] for place in self._choice.places))

    def _read_checked_record(self, fields: list[str], line_1based: int) -> None:
        site = self._sites.read(fields, self.builder.contig, line_1based)
        if site is not None and site.structural:
            cells = ((sample, fields[FIXED + place]) for sample, place in enumerate(self._choice.places))
            self._read_structural(cells, fields[8], site)
            return
        plan = self._plan(site, fields[8]) if site is not None else None
        if site is None or plan is None:
            self._note_unused(fields, line_1based)
            return
        rows = len(self.builder.positions)
        cells = ((sample, fields[FIXED + place]) for sample, place in enumerate(self._choice.places))
        self._read_cells(cells, plan, site, 0)
        if self._regions is not None and len(self.builder.positions) == rows:
            cell = fields[FIXED + self._choice.places[0]]
            self._regions.add_site(site, _value_at(cell, plan.genotype) or ".")

    def _note_unused(self, fields: list[str], line_1based: int) -> None:
        """Note the place of a record that is left out, where one sample is read."""
        if self._regions is None:
            return
        keys = fields[8].split(":")
        genotype = _value_at(fields[FIXED + self._choice.places[0]], keys.index("GT")) if "GT" in keys else None
        end = length(self._build, self.builder.contig)
        self._regions.add_unused(fields, genotype, end, line_1based, passed=fields[6] in PASSING)

    def _read_wide_record(self, line: bytes, line_1based: int) -> None:
        """Read any record of a file with many samples; plain reference and missing cells are not looked into."""
        if line.count(b"\t") + 1 != self._columns:
            self._refuse_columns(line.decode("latin-1"), line_1based)
        parts = line.split(b"\t", FIXED)
        fields = [part.decode("latin-1") for part in parts[:FIXED]]
        self._read_checked_wide_record(line, parts[FIXED], fields, line_1based)
        if self._watcher.wants(fields[1]):
            self._watch(fields, parts[FIXED].decode("latin-1").split("\t"))

    def _read_checked_wide_record(self, line: bytes, rest: bytes, fields: list[str], line_1based: int) -> None:
        site = self._sites.read(fields, self.builder.contig, line_1based)
        if site is None:
            return
        if site.structural:
            # A cell that is missing at first sight may state a number of copies.
            found = locate_cells(line, FIXED, self._index, genotype_first=False)
            self._read_structural(_texts(line, found), fields[8], site)
            return
        plan = self._plan(site, fields[8])
        if plan is None:
            return
        if plan.keys == 1 and self.builder.contig != MT:
            codes = read_codes(rest, self._choice.of_samples, self._index)
            if codes is not None:
                self._store_codes(codes, site)
                return
        found = locate_cells(line, FIXED, self._index, genotype_first=plan.genotype == 0)
        self._read_cells(_texts(line, found), plan, site, found.references)

    def _plan(self, site: Site, keys: str) -> Plan | None:
        """Return the plan of a usable record's FORMAT; None for a record that is left out."""
        plan = self._cells.plan(keys, site.line_1based)
        if plan is None:
            self._tally.add("no-genotype", site.line_1based)
        return plan

    def _read_cells(self, cells: Iterable[tuple[int, str]], plan: Plan, site: Site, references: int) -> None:
        """Read and store cells, given as (place among the chosen samples, text); ``references`` were seen before."""
        if len(site.alts) == 1 and self.builder.contig != MT:
            self._read_biallelic(cells, plan, site, references)
            return
        calls: list[Call] = []
        for sample, text in cells:
            references += self._read_cell(text, plan, site, sample, calls) == REFERENCE
        self._store(calls, site, references)

    def _read_biallelic(self, cells: Iterable[tuple[int, str]], plan: Plan, site: Site, references: int) -> None:
        """Read the cells of a record with one ALT, most of them by looking their fields up."""
        builder = self.builder
        row = -1
        for sample, text in cells:
            found = self._look_up(text, plan)
            if found is None:
                calls: list[Call] = []
                references += self._read_cell(text, plan, site, sample, calls) == REFERENCE
                if not calls:
                    continue
                call = calls[0]
                pair = builder.pairs.of(call.ref_depth, call.alt_depth, call.allele_depths)
                found = call.number, call.depth, pair, call.frequency, call.phase_set
            number, depth, pair, share, phase_set = found
            if number < 0:
                references += number == REFERENCE
                continue
            if row < 0:
                row = builder.add_row(site.position, site.ref, site.alts[0], site.line_1based, site.filters)
            builder.add_call(row, sample, number, depth=depth, pair=pair, frequency=share, phase_set=phase_set)
        if row < 0:
            self._tally.add("all-reference" if references else "no-call", site.line_1based)

    def _look_up(self, text: str, plan: Plan) -> tuple[int, int, int, float | None, int] | None:
        """Return genotype, depth, pair of depths, share and phase set of a cell, None where it must be read with care.

        The numbers are those of ``GenotypeTable.biallelic`` and ``DepthPairs``.
        """
        values = text.split(":", plan.keys)
        if len(values) != plan.keys:
            return None
        try:
            number = self._table.biallelic[values[plan.genotype]]
            if number < 0:
                return number, ABSENT, 0, None, ABSENT
            return (
                number,
                self._depths[values[plan.depth]] if plan.depth >= 0 else ABSENT,
                self.builder.pairs[values[plan.allele_depths]] if plan.allele_depths >= 0 else 0,
                self._shares[values[plan.frequency]] if plan.frequency >= 0 else None,
                read_phase_set(values[plan.phase_set]) if plan.phase_set >= 0 else ABSENT,
            )
        except (KeyError, ValueError):
            return None

    def _read_structural(self, cells: Iterable[tuple[int, str]], keys: str, site: Site) -> None:
        """Read and store the cells of a record that has structural ALTs, and perhaps simple ones."""
        plan, place = self._cells.plan(keys, site.line_1based), copy_number_place(keys)
        if plan is None and place < 0:
            self._tally.add("no-genotype", site.line_1based)
            return
        calls: list[Call] = []
        copies: dict[int, str] = {}
        references = 0
        for sample, text in cells:
            outcome = NO_CALL if plan is None else self._read_cell(text, plan, site, sample, calls)
            references += outcome == REFERENCE
            column = FIXED + self._choice.places[sample]
            stated = copies[sample] = self._cells.copy_number(text, place, site, column) if place >= 0 else ""
            if outcome == NO_CALL:
                self._call_by_copies(sample, stated, site, calls)
        simple = [call for call in calls if site.left_out[call.allele - 1] != STRUCTURAL]
        if simple or not calls:
            self._store(simple, site, references)
        self._store_structural(sorted(calls), copies, site)

    def _call_by_copies(self, sample: int, copies: str, site: Site, calls: list[Call]) -> None:
        """Add the call of a sample that has no genotype, but a number of copies that leaves one allele only."""
        allele = site.structural[0] if len(site.structural) == 1 else None
        if allele is not None and not allele.also_simple and copies_show(allele.kind, self.builder.contig, copies):
            number = self._table.number(Genotype(".", 1, Zygosity.UNKNOWN, phased=False))
            calls.append(Call(1, sample, number, ABSENT, ABSENT, ABSENT, ABSENT, None, ABSENT))

    def _store_structural(self, calls: list[Call], copies: dict[int, str], site: Site) -> None:
        rows: dict[int, StructuralRow] = {}
        for call in calls:
            allele = site.structural[call.allele - 1]
            if allele is None:
                continue
            row = rows.get(call.allele)
            if row is None:
                row = rows[call.allele] = StructuralRow(allele, site.filters, site.line_1based)
            row.samples.append(call.sample)
            row.genotypes.append(call.number)
            row.copy_numbers.append(copies[call.sample] or allele.copy_number)
        self.builder.structural.extend(rows.values())

    def _read_cell(self, text: str, plan: Plan, site: Site, sample: int, calls: list[Call]) -> int:
        threshold = self._choice.thresholds[sample] if self.builder.contig == MT else None
        column = FIXED + self._choice.places[sample]
        return self._cells.read(text, plan, site, column=column, sample=sample, threshold=threshold, calls=calls)

    def _store(self, calls: list[Call], site: Site, references: int) -> None:
        """Store the calls of one record, one row for each ALT that can be used."""
        if not calls:
            self._tally.add("all-reference" if references else "no-call", site.line_1based)
            return
        builder = self.builder
        calls.sort()
        allele, row = 0, -1
        reasons: set[str] = set()
        for call in calls:
            if call.allele != allele:
                allele = call.allele
                row = self._add_row(site, allele, reasons)
            if row >= 0:
                pair = builder.pairs.of(call.ref_depth, call.alt_depth, call.allele_depths)
                builder.add_call(
                    row,
                    call.sample,
                    call.number,
                    depth=call.depth,
                    pair=pair,
                    frequency=call.frequency,
                    phase_set=call.phase_set,
                )
        self._count(reasons, site)

    def _store_codes(self, codes: Codes, site: Site) -> None:
        """Store the calls of one record of genotypes only."""
        numbers: dict[int, NDArray[np.int32]] = {}
        references = codes.references
        for which, text in enumerate(codes.texts):
            column = FIXED + self._choice.places[codes.samples[codes.firsts[which]]]
            called = self._cells.called(text, site, column)
            references += not called.carried and not called.missing
            for allele, number in called.carried:
                if allele not in numbers:
                    numbers[allele] = np.full(len(codes.texts), -1, np.int32)
                numbers[allele][which] = number
        if not numbers:
            self._tally.add("all-reference" if references else "no-call", site.line_1based)
            return
        reasons: set[str] = set()
        for allele in sorted(numbers):
            row = self._add_row(site, allele, reasons)
            if row >= 0:
                of_cells = numbers[allele][codes.which]
                carriers = of_cells >= 0
                self.builder.add_plain_calls(row, codes.samples[carriers], of_cells[carriers])
        self._count(reasons, site)

    def _add_row(self, site: Site, allele: int, reasons: set[str]) -> int:
        """Add the row of an ALT and return its number, or -1 after noting the reason why it cannot be used."""
        reason = site.left_out[allele - 1]
        if reason is not None:
            reasons.add(reason)
            return -1
        return self.builder.add_row(site.position, site.ref, site.alts[allele - 1], site.line_1based, site.filters)

    def _count(self, reasons: set[str], site: Site) -> None:
        for reason in sorted(reasons):
            self._tally.add(reason, site.line_1based)

    def _refuse_columns(self, line: str, line_1based: int) -> NoReturn:
        """Raise BadFile for a line that has not as many columns as the header."""
        columns = line.count("\t") + 1
        problem = f"the record has {columns:,} columns, the header has {self._columns:,}"
        mend = "The line may be cut off; copy the file again"
        if columns == 1 and " " in line:
            mend = "Separate the columns by tabs"
        raise BadFile(self._name, problem, line_1based=line_1based, field="columns", mend=mend)


def _texts(line: bytes, found: Cells) -> Iterator[tuple[int, str]]:
    """Yield (place among the chosen samples, text) of located cells."""
    text = line.decode("latin-1")
    for sample, start, end in zip(found.samples, found.starts, found.ends, strict=True):
        yield sample, text[start:end]


def _value_at(cell: str, place: int) -> str | None:
    """Return one value of a cell, a dot where the cell ends before it; None where FORMAT has no such key."""
    if place < 0:
        return None
    values = cell.split(":", place + 1)
    return values[place] if place < len(values) else "."
