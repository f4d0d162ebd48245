"""The columns of a VCF record before its samples: whether and with which alleles it can be used.

Positions are zero-based (the VCF's POS − 1). Sections 1.6.1 and 5 of
https://samtools.github.io/hts-specs/VCFv4.5.pdf; what counts as structural is decided as the Genomics Operations ask:
SVTYPE, a symbolic or breakend ALT, or an end that is not exact.
"""

from __future__ import annotations

import re
from typing import NamedTuple, NoReturn

from app.config import Settings
from app.errors import BadFile, LimitExceeded, quoted
from app.formats.vcf_structural import STRUCTURAL, Reading, Record, StructuralAllele, StructuralReader
from app.formats.vcf_tally import Tally
from app.records import Build
from app.variants.accessions import MT, display, length

PASSING = frozenset({"PASS", "."})
_REFERENCE_BLOCK = frozenset({"<NON_REF>", "<*>"})
_STRUCTURAL_INFO = re.compile(r"(?:^|;)(?:SVTYPE(?:=|;|$)|CI(?:POS|END)=(?![0,.+-]*(?:;|$)))")
_MOST_ALTERNATES = 10_000
_MOST_DIGITS = 10
_LETTERS = re.compile(r"[A-Za-z]+")


class Site(NamedTuple):
    """A usable record: its place, alleles in capitals, and for each ALT why it is left out (None: it is used).

    ``structural`` has an entry for each ALT if any of them is kept as a structural variant, whose reason is STRUCTURAL
    unless it is a simple variant as well.
    """

    position: int
    ref: str
    alts: tuple[str, ...]
    left_out: tuple[str | None, ...]
    filters: str
    line_1based: int
    structural: tuple[StructuralAllele | None, ...] = ()


def names_structure(info: str) -> bool:
    """Return whether INFO has a word that may make its record structural."""
    return "SVTYPE" in info or "CIPOS" in info or "CIEND" in info


def _reason_of(one: Reading) -> str | None:
    """Return why an ALT is no simple variant."""
    if isinstance(one, StructuralAllele):
        return None if one.also_simple else STRUCTURAL
    return one


class SiteReader:
    """Read the fixed columns of records and count those that are left out."""

    def __init__(self, name: str, build: Build, settings: Settings, tally: Tally, *, keep_filtered: bool) -> None:
        self._name = name
        self._build = build
        self._longest_allele = settings.vcf_max_allele
        self._tally = tally
        self._keep_filtered = keep_filtered
        self._structural = StructuralReader(name, build, settings.sv_min_len)

    def read(self, columns: list[str], contig: int, line_1based: int) -> Site | None:
        """Read CHROM … INFO of a record on a primary contig; return None for one that is counted and left out.

        Raises:
            BadFile: the record is damaged.
            LimitExceeded: an allele is longer than the cap.
        """
        _, pos, id_, ref, alt, _, filters, info = columns[:8]
        pos_1based = self._read_position(pos, line_1based)
        if not filters:
            self._refuse("it is empty", line_1based, "FILTER", "Write PASS, the failed filters, or . for none applied")
        if not self._keep_filtered and filters not in PASSING:
            self._tally.add("filtered", line_1based)
            return None
        alts = self._plain_alternates(ref, alt)
        left_out: tuple[str | None, ...] = (None,) * len(alts)
        if not alts:
            ref, alts = self._read_alleles(ref, alt, line_1based)
            left_out = tuple(self._reason(ref, other, line_1based) for other in alts)
        structural: tuple[StructuralAllele | None, ...] = ()
        whole = bool(alts and names_structure(info) and _STRUCTURAL_INFO.search(info))
        if whole or STRUCTURAL in left_out or self._structural.is_long(ref, alts):
            record = Record(contig, pos_1based, id_, ref, alts, line_1based)
            found = self._structural.read(record, info, left_out, whole=whole)
            left_out = tuple(_reason_of(one) for one in found)
            structural = tuple(one if isinstance(one, StructuralAllele) else None for one in found)
        # A structural record may stand at a telomere: POS 0, or one more than the chromosome's length.
        if not left_out or None in left_out or not any(structural):
            self._check_place(pos_1based, len(ref), contig, line_1based)
        reason = self._reason_of_record(ref, alts, left_out, structural=any(structural))
        if reason is not None:
            self._tally.add(reason, line_1based)
            return None
        return Site(max(0, pos_1based - 1), ref, alts, left_out, filters, line_1based, structural)

    def _plain_alternates(self, ref: str, alt: str) -> tuple[str, ...]:
        """Return the ALTs of a record whose alleles are all plain capital bases; nothing where a look is needed."""
        if ref.strip("ACGT") or alt.strip("ACGT,") or not ref or len(ref) + len(alt) > self._longest_allele:
            return ()
        alts = tuple(alt.split(",", _MOST_ALTERNATES))
        return () if len(alts) >= _MOST_ALTERNATES or "" in alts or ref in alts else alts

    def _read_position(self, pos: str, line_1based: int) -> int:
        if not pos.isdecimal():
            self._refuse(f"{quoted(pos)} is no whole number", line_1based, "POS", "Write the position in digits")
        return int(pos) if len(pos) <= _MOST_DIGITS else 10**_MOST_DIGITS

    def _read_alleles(self, ref: str, alt: str, line_1based: int) -> tuple[str, tuple[str, ...]]:
        for what, allele in (("REF", ref), ("ALT", alt)):
            if not allele:
                self._refuse("it is empty", line_1based, what, "Write bases; a missing ALT is a dot")
        if alt.count(",") >= _MOST_ALTERNATES:
            self._refuse(
                f"there are more than {_MOST_ALTERNATES:,} ALT alleles", line_1based, "ALT", "Split the record"
            )
        alts = () if alt == "." else tuple(alt.split(","))
        for what, allele in (("REF", ref), *(("ALT", other) for other in alts)):
            if len(allele) > self._longest_allele:
                raise LimitExceeded(
                    self._name,
                    f"the allele is longer than {self._longest_allele:,} bases",
                    line_1based=line_1based,
                    field=what,
                    mend="Raise OPERON_VCF_MAX_ALLELE if it is meant",
                )
        if not _LETTERS.fullmatch(ref):
            self._refuse(f"{quoted(ref)} is no sequence of bases", line_1based, "REF", "Write bases (A, C, G, T, N)")
        return ref.upper(), tuple(other.upper() if _LETTERS.fullmatch(other) else other for other in alts)

    def _reason(self, ref: str, alt: str, line_1based: int) -> str | None:
        """Return why one ALT cannot be used, or None; raises BadFile for what is no allele at all."""
        if not alt.strip("ACGT"):
            if not alt:
                self._refuse("an allele is empty", line_1based, "ALT", "Write bases between the commas")
            return "same-as-reference" if alt == ref else None
        if alt == "*":
            return "spanning-deletion"
        if alt in _REFERENCE_BLOCK:
            return "unnamed-allele"
        if alt.startswith("<") and alt.endswith(">") and len(alt) > 2:
            return STRUCTURAL
        if "[" in alt or "]" in alt or (len(alt) > 1 and (alt[0] == "." or alt[-1] == ".")):
            return STRUCTURAL
        if not _LETTERS.fullmatch(alt):
            self._refuse(f"{quoted(alt)} is no allele", line_1based, "ALT", "Write bases, <ID>, *, or a breakend")
        if alt.strip("ACGTN"):
            return "allele-letters"
        if not alt.strip("N"):
            return "n-only"
        return "same-as-reference" if alt == ref else None

    def _reason_of_record(
        self, ref: str, alts: tuple[str, ...], left_out: tuple[str | None, ...], *, structural: bool
    ) -> str | None:
        """Return why the whole record is left out, or None."""
        if structural and None not in left_out:
            return "repeated-alternate" if len(set(alts)) < len(alts) else None
        if ref.strip("ACGTN") or "allele-letters" in left_out:
            return "allele-letters"
        if not alts:
            return "no-alternate"
        if len(set(alts)) < len(alts):
            return "repeated-alternate"
        if None in left_out:
            return None if ref.strip("N") else "n-only"
        if set(left_out) == {"unnamed-allele"}:
            return "reference-block"
        return next((reason for reason in left_out if reason and reason.startswith(STRUCTURAL)), left_out[0])

    def _check_place(self, pos_1based: int, bases: int, contig: int, line_1based: int) -> None:
        end = length(self._build, contig)
        if pos_1based < 1:
            self._refuse("positions begin at 1", line_1based, "POS", "Correct it; only a breakend may stand at 0")
        if pos_1based - 1 + bases > end:
            if contig == MT:
                self.refuse_mitochondrion(line_1based)
            self._refuse(
                f"the record ends after the last base of chromosome {display(contig)} on {self._build} ({end:,})",
                line_1based,
                "POS",
                f"Check that the file is on {self._build}",
            )

    def refuse_mitochondrion(self, line_1based: int) -> NoReturn:
        """Raise BadFile for a record on hg19's other mitochondrial sequence."""
        self._refuse(
            "UCSC hg19's mitochondrial sequence NC_001807 (16,571 bases) is another one than NC_012920.1",
            line_1based,
            "CHROM",
            "Leave these records out (`bcftools view -t ^chrM`) or realign them to NC_012920.1",
        )

    def _refuse(self, problem: str, line_1based: int, field: str, mend: str) -> NoReturn:
        raise BadFile(self._name, problem, line_1based=line_1based, field=field, mend=mend)
