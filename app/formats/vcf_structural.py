"""Structural alleles of a VCF record: their kind, how far they reach and how exactly that is known.

Sections 1.6.1, 3 and 5 of https://samtools.github.io/hts-specs/VCFv4.5.pdf. An event begins at POS, the base before it
included, as the HL7 reference implementation has it; an insertion lies after the base at POS. CIPOS and CIEND widen the
outer and narrow the inner interval. Positions are zero-based, half-open.

>>> info_fields("IMPRECISE;SVTYPE=DEL;END=42528000;CIPOS=-50,50")["CIPOS"]
'-50,50'
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple, NoReturn

from app.errors import BadFile, quoted
from app.records import Build, StructuralKind
from app.variants.accessions import display, length
from app.variants.extent import Extent
from app.variants.normalize import trim

STRUCTURAL = "structural"
"""Stands for the allele of a record that is no simple variant, but is kept as a structural one."""

_FIELDS = re.compile(r"(?:^|;)(SVTYPE|END|SVLEN|CIPOS|CIEND|CN|MATEID|EVENT|IMPRECISE)(?:=([^;]*))?(?=;|$)")
_KINDS: Final[Mapping[str, StructuralKind]] = {
    "DEL": StructuralKind.DEL,
    "DUP": StructuralKind.DUP,
    "INV": StructuralKind.INV,
    "INS": StructuralKind.INS,
    "CNV": StructuralKind.CNV,
    "BND": StructuralKind.BND,
    "TRA": StructuralKind.BND,
    "ALU": StructuralKind.INS,
    "LINE1": StructuralKind.INS,
    "SVA": StructuralKind.INS,
    "MEI": StructuralKind.INS,
}
"""By SVTYPE, and by the first word of a symbolic ALT."""
_COPIES = re.compile(r"<CN[0-9]+>")
_OF_COPIES = frozenset({StructuralKind.DEL, StructuralKind.DUP, StructuralKind.CNV})
_EXCLUSIVE = frozenset({StructuralKind.DEL, StructuralKind.DUP, StructuralKind.INV, StructuralKind.INS})
_NUMBER = re.compile(r"-?[0-9]{1,10}")
_COPY_NUMBER = re.compile(r"[0-9]{1,6}(?:\.[0-9]{1,6})?")
_LONGEST_NAME = 200
_AUTOSOMES = 22


@dataclass(frozen=True, slots=True)
class StructuralAllele:
    """One ALT: ``ref`` and ``alt`` as reported, ``length`` of an insertion (-1 unknown).

    ``name``, ``mate`` and ``event`` are ID, MATEID and EVENT of a breakend, ``copy_number`` is INFO/CN (empty without).
    """

    kind: StructuralKind
    extent: Extent
    ref: str
    alt: str
    length: int
    imprecise: bool
    name: str
    mate: str
    event: str
    copy_number: str
    also_simple: bool


@dataclass(slots=True)
class StructuralRow:
    """One structural ALT of one record, and the calls of it as parallel lists.

    ``samples`` are places among the chosen samples, ``genotypes`` numbers in the reader's table, ``copy_numbers`` texts
    of FORMAT/CN, else of INFO/CN, empty where neither is stated.
    """

    allele: StructuralAllele
    filters: str
    line_1based: int
    samples: list[int] = field(default_factory=list)
    genotypes: list[int] = field(default_factory=list)
    copy_numbers: list[str] = field(default_factory=list)


class Record(NamedTuple):
    """What the columns before the samples say that matters here."""

    contig: int
    pos_1based: int
    name: str
    ref: str
    alts: Sequence[str]
    line_1based: int


def info_fields(info: str) -> dict[str, str]:
    """Return the fields of INFO that are read here; of a repeated one the first."""
    found: dict[str, str] = {}
    for match in _FIELDS.finditer(info):
        found.setdefault(match[1], match[2] or "")
    return found


class StructuralReader:
    """Read the structural ALTs of records."""

    def __init__(self, name: str, build: Build, shortest: int) -> None:
        """Take the file's name for messages, and the difference of lengths from which alleles are also structural."""
        self._name = name
        self._build = build
        self._shortest = shortest

    def is_long(self, ref: str, alts: Sequence[str]) -> bool:
        """Return whether an ALT of bases differs so much in length that it is also structural."""
        return any(abs(len(ref) - len(alt)) >= self._shortest for alt in alts)

    def read(self, record: Record, info: str, left_out: Sequence[str | None], *, whole: bool) -> list[Reading]:
        """Return for each ALT the structural allele, the reason why it is left out, or None for a simple one.

        ``left_out`` says why ALTs are no simple variants, ``whole`` that INFO makes the whole record structural.

        Raises:
            BadFile: a field that is needed is damaged.
        """
        fields = info_fields(info)
        found: list[Reading] = []
        for number, (alt, reason) in enumerate(zip(record.alts, left_out, strict=True)):
            if reason == STRUCTURAL or (whole and reason in (None, "n-only", "allele-letters")):
                found.append(self._allele(record, number, fields, also_simple=False))
            elif reason is None and self.is_long(record.ref, (alt,)):
                # Nothing but the alleles counts here: a simple record may bear an END of its own meaning.
                found.append(self._allele(record, number, {}, also_simple=True))
            else:
                found.append(reason)
        return found

    def _allele(
        self, record: Record, number: int, fields: Mapping[str, str], *, also_simple: bool
    ) -> StructuralAllele | str:
        kind = kind_of(record.ref, record.alts[number], fields.get("SVTYPE", "").upper())
        if isinstance(kind, str):
            return kind
        bases = length(self._build, record.contig)
        if record.pos_1based > bases + 1:
            self._refuse(
                f"it is beyond the last base of chromosome {display(record.contig)} on {self._build} ({bases:,})",
                record, "POS", f"Check that the file is on {self._build}",
            )  # fmt: skip
        nominal = self._nominal(record, number, kind, fields, bases)
        if nominal is None:
            return "structural-end"
        inserted = -1
        if kind is StructuralKind.INS:
            alt = record.alts[number]
            inserted = len(alt) - len(record.ref) if _is_sequence(alt) else self._length(record, number, fields)
        return StructuralAllele(
            kind,
            self._extent(record, number, nominal, fields, bases, kind=kind),
            record.ref,
            record.alts[number],
            inserted,
            "IMPRECISE" in fields,
            *self._names(record, kind, fields),
            self._copy_number(record, number, fields),
            also_simple,
        )

    def _nominal(
        self, record: Record, number: int, kind: StructuralKind, fields: Mapping[str, str], bases: int
    ) -> tuple[int, int] | None:
        """Return the interval that the record states; None where it does not state the end."""
        ref, alt, at = record.ref, record.alts[number], record.pos_1based - 1
        if kind is StructuralKind.BND:
            at = min(max(at, 0), bases - 1)  # a telomere is POS 0 or the base after the last one
            return at, at + 1
        if kind is StructuralKind.INS:
            if not _is_sequence(alt):
                return min(at + 1, bases), min(at + 1, bases)
            if alt.startswith(ref):
                at, ref = at + len(ref), ""
            else:
                at, ref, _ = trim(at, ref, alt)
            end = at + len(ref)
        elif "END" in fields and fields["END"] != ".":
            end = self._number(record, "END", fields["END"])
            if len(record.alts) > 1:
                # END is that of the longest allele. Before VCF 4.4 SVLEN may count more bases than lie between.
                end = min(end, self._own_end(record, number, fields) or end)
        elif _is_sequence(alt):
            end = at + len(ref)
        elif (bases_changed := self._length(record, number, fields)) > 0:
            end = at + 1 + bases_changed
        else:
            return None
        at = max(at, 0)
        if end < at + (kind is not StructuralKind.INS):
            self._refuse(f"the event ends ({end}) before POS", record, "END", "Correct END or POS")
        if end > bases:
            self._refuse(
                f"the event ends ({end}) after the last base of chromosome {display(record.contig)} on {self._build}"
                f" ({bases:,})",
                record, "END", f"Check that the file is on {self._build}",
            )  # fmt: skip
        return at, end

    def _extent(
        self,
        record: Record,
        number: int,
        nominal: tuple[int, int],
        fields: Mapping[str, str],
        bases: int,
        *,
        kind: StructuralKind,
    ) -> Extent:
        start, end = nominal
        before, after = self._uncertainty(record, number, "CIPOS", fields)
        end_before, end_after = self._uncertainty(record, number, "CIEND", fields)
        if start == end:
            last = start + max(0, after, end_after)
            return Extent(start, end, max(0, start + min(0, before, end_before)), min(bases, last))
        if kind is StructuralKind.BND:
            end_before, end_after = min(before, end_before), max(after, end_after)  # one base, wherever it is
        outer = max(0, start + min(0, before)), min(bases, end + max(0, end_after))
        inner = start + max(0, after), end + min(0, end_before)
        if inner[0] >= inner[1]:
            inner = -1, -1
        return Extent(start, end, *outer, *inner)

    def _uncertainty(self, record: Record, number: int, name: str, fields: Mapping[str, str]) -> tuple[int, int]:
        """Return by how much an end may lie before and after where it is stated."""
        text = fields.get(name, "")
        if text in ("", ".", ".,."):
            return 0, 0
        parts = text.split(",", 2 * len(record.alts))
        if len(parts) == 2 * len(record.alts):
            parts = parts[2 * number : 2 * number + 2]
        if len(parts) != 2 or not all(map(_NUMBER.fullmatch, parts)):
            self._refuse(f"{quoted(text)} is no pair of numbers", record, name, "Write two whole numbers, as in -50,50")
        return int(parts[0]), int(parts[1])

    def _length(self, record: Record, number: int, fields: Mapping[str, str]) -> int:
        """Return SVLEN without its sign, -1 if it is not stated."""
        text = _of_allele(fields.get("SVLEN", ""), number, len(record.alts))
        return -1 if text in ("", ".") else abs(self._number(record, "SVLEN", text))

    def _own_end(self, record: Record, number: int, fields: Mapping[str, str]) -> int | None:
        """Return where an ALT ends by its bases or by the SVLEN that it has for itself; None where neither tells."""
        if _is_sequence(record.alts[number]):
            return record.pos_1based - 1 + len(record.ref)
        is_of_each = fields.get("SVLEN", "").count(",") == len(record.alts) - 1
        bases_changed = self._length(record, number, fields) if is_of_each else -1
        return record.pos_1based + bases_changed if bases_changed > 0 else None

    def _number(self, record: Record, name: str, text: str) -> int:
        if not _NUMBER.fullmatch(text):
            self._refuse(f"{quoted(text)} is no whole number", record, name, "Write digits")
        return int(text)

    def _copy_number(self, record: Record, number: int, fields: Mapping[str, str]) -> str:
        text = _of_allele(fields.get("CN", ""), number, len(record.alts))
        try:
            return read_copy_number(text)
        except ValueError:
            self._refuse(f"{quoted(text)} is no number of copies", record, "CN", "Write a number such as 3 or 1.5")

    def _names(self, record: Record, kind: StructuralKind, fields: Mapping[str, str]) -> tuple[str, str, str]:
        """Return ID, MATEID and EVENT of a breakend; nobody else needs them to find its other part."""
        if kind is not StructuralKind.BND:
            return "", "", ""
        names = (record.name, fields.get("MATEID", ""), fields.get("EVENT", ""))
        for where, name in zip(("ID", "MATEID", "EVENT"), names, strict=True):
            if len(name) > _LONGEST_NAME:
                self._refuse(f"the name is longer than {_LONGEST_NAME} letters", record, where, "Shorten it")
        first, second, third = ("" if name == "." else name for name in names)
        return first, second, third

    def _refuse(self, problem: str, record: Record, field_name: str, mend: str) -> NoReturn:
        where = field_name if field_name in ("POS", "ID") else f"INFO/{field_name}"
        raise BadFile(self._name, problem, line_1based=record.line_1based, field=where, mend=mend)


Reading = StructuralAllele | str | None


def kind_of(ref: str, alt: str, svtype: str) -> StructuralKind | str:
    """Return the kind of an ALT, or the reason why it has none that is kept."""
    named = _KINDS.get(svtype.split(":", maxsplit=1)[0])
    if alt[0] == "<":
        head = alt[1:-1].split(":", maxsplit=1)[0].upper()
        kind = _KINDS.get(head)
        if kind is None and _COPIES.fullmatch(alt):
            return named if named in _OF_COPIES else StructuralKind.CNV
        kind = kind or named
    elif not _is_sequence(alt):
        return StructuralKind.BND
    else:
        longer = len(alt) - len(ref)
        by_length = StructuralKind.INS if longer > 0 else StructuralKind.DEL if longer < 0 else None
        kind = named or by_length
        if kind in (StructuralKind.INS, StructuralKind.DEL) and kind is not by_length:
            return "structural-contradicts"
    if kind is None:
        return "structural-type"
    if kind is not named and kind in _EXCLUSIVE and named in _EXCLUSIVE:
        return "structural-contradicts"
    return kind


def _is_sequence(alt: str) -> bool:
    return alt.isalpha()


def _of_allele(text: str, number: int, alts: int) -> str:
    """Return what a field says of one ALT: it has one value for each, or one for all."""
    parts = text.split(",", alts)
    return parts[number] if len(parts) == alts else text


def read_copy_number(text: str) -> str:
    """Return a number of copies without needless zeros, empty for none; raises ValueError for what is none."""
    if text in ("", "."):
        return ""
    if not _COPY_NUMBER.fullmatch(text):
        raise ValueError("it is no number of copies")
    whole, _, part = text.partition(".")
    part = part.rstrip("0")
    return f"{int(whole)}.{part}" if part else str(int(whole))


def copies_show(kind: StructuralKind, contig: int, copies: str) -> bool:
    """Return whether a number of copies alone shows an event that no genotype tells of.

    Only whole numbers on autosomes do: elsewhere it is not known how many copies are normal.
    """
    if kind not in _OF_COPIES or contig > _AUTOSOMES or not copies.isdecimal():
        return False
    number = int(copies)
    if kind is StructuralKind.DEL:
        return number < 2
    return number > 2 if kind is StructuralKind.DUP else number != 2
